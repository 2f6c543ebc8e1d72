"""What the builders of commands about the server send."""

from __future__ import annotations

from core.commands.rows import Beside, Refused, Sent
from resp_sansio import commands

SENT: Sent = [
    (commands.time(), "TIME"),
    (commands.info(), "INFO"),
    (commands.info("server", "clients"), "INFO server clients"),
    (commands.dbsize(), "DBSIZE"),
    (commands.flushdb(), "FLUSHDB"),
    (commands.flushdb(asynchronous=True), "FLUSHDB ASYNC"),
    (commands.flushall(), "FLUSHALL"),
    (commands.flushall(sync=True), "FLUSHALL SYNC"),
    (commands.swapdb(0, 1), "SWAPDB 0 1"),
    (commands.lolwut(), "LOLWUT"),
    (commands.lolwut(version=5), "LOLWUT VERSION 5"),
    (commands.config_get("max*", "port"), "CONFIG GET max* port"),
    (commands.config_set("maxmemory", 0), "CONFIG SET maxmemory 0"),
    (commands.config_set(mapping={"maxmemory": 0, "hz": 10}), "CONFIG SET maxmemory 0 hz 10"),
    (commands.config_set("maxmemory", 0, mapping={"hz": 10}), "CONFIG SET maxmemory 0 hz 10"),
    (commands.config_resetstat(), "CONFIG RESETSTAT"),
    (commands.config_rewrite(), "CONFIG REWRITE"),
    (commands.save(), "SAVE"),
    (commands.bgsave(), "BGSAVE"),
    (commands.bgsave(schedule=True), "BGSAVE SCHEDULE"),
    (commands.bgsave_cancel(), "BGSAVE CANCEL"),
    (commands.bgrewriteaof(), "BGREWRITEAOF"),
    (commands.lastsave(), "LASTSAVE"),
    (commands.shutdown(), "SHUTDOWN"),
    (commands.shutdown(nosave=True, now=True, force=True), "SHUTDOWN NOSAVE NOW FORCE"),
    (commands.shutdown(save=True), "SHUTDOWN SAVE"),
    (commands.shutdown_abort(), "SHUTDOWN ABORT"),
    (commands.backup_start(), "BACKUP START"),
    (commands.backup_seal(), "BACKUP SEAL"),
    (commands.backup_abort(), "BACKUP ABORT"),
    (commands.backup_cleanup(), "BACKUP CLEANUP"),
    (commands.backup_list(), "BACKUP LIST"),
    (commands.backup_status(), "BACKUP STATUS"),
    (commands.role(), "ROLE"),
    (commands.replicaof("host", 6379), "REPLICAOF host 6379"),
    (commands.replicaof_no_one(), "REPLICAOF NO ONE"),
    (commands.failover(), "FAILOVER"),
    (commands.failover(timeout=500), "FAILOVER TIMEOUT 500"),
    (commands.failover(host="h", port=6379), "FAILOVER TO h 6379"),
    (commands.failover(host="h", port=6379, force=True, timeout=0), "FAILOVER TO h 6379 FORCE TIMEOUT 0"),
    (commands.failover_abort(), "FAILOVER ABORT"),
    (commands.wait(1, 100), "WAIT 1 100"),
    (commands.waitaof(1, 2, 100), "WAITAOF 1 2 100"),
    (commands.module_list(), "MODULE LIST"),
    (commands.module_load("m.so", "a", 1), "MODULE LOAD m.so a 1"),
    (commands.module_loadex("m.so"), "MODULE LOADEX m.so"),
    (
        commands.module_loadex("m.so", "a", 1, config={"m.x": 1, "m.y": 2}),
        "MODULE LOADEX m.so CONFIG m.x 1 CONFIG m.y 2 ARGS a 1",
    ),
    (commands.module_unload("m"), "MODULE UNLOAD m"),
]

REFUSED: Refused = [
    (lambda: commands.flushdb(asynchronous=True, sync=True), "asynchronous and sync exclude each other"),
    (commands.config_set, "config_set must be given parameter and value, or a mapping"),
    (lambda: commands.config_set("maxmemory"), "parameter and value go together"),
    (lambda: commands.shutdown(nosave=True, save=True), "nosave and save exclude each other"),
    (lambda: commands.failover(host="h"), "host and port go together"),
    (lambda: commands.failover(force=True, timeout=5), "force goes with host, port and timeout"),
    (lambda: commands.failover(host="h", port=1, force=True), "force goes with host, port and timeout"),
]

BESIDE: Beside = {
    commands.config_set: {"parameter": "data", "value": "data"},
    commands.failover: {"host": "data", "port": 7, "timeout": 7},
}
