"""What commands about the server return on a real server."""

from __future__ import annotations

from adapters.typed.families import Family, Like, Refused
from resp_sansio import MasterRole, ReplicaRole, commands

FAMILIES = [
    Family(
        "server",
        [
            (commands.time(), Like(tuple, lambda time: time[0] > 1_700_000_000 and type(time[1]) is int)),
            (commands.info(), Like(dict, lambda found: found["tcp_port"].isdigit() and "used_memory" in found)),
            (commands.info("server"), Like(dict, lambda found: "used_memory" not in found)),
            (commands.dbsize(), 0, lambda redis: redis.dbsize()),
            (commands.config_get("appendonly"), {"appendonly": "no"}),
            (commands.config_set("slowlog-max-len", "128"), None),
            (commands.config_resetstat(), None),
            (commands.wait(0, 1), 0),
            (commands.set("k", "v"), True),
            (commands.swapdb(0, 1), None),
            (commands.dbsize(), 0),
            (commands.swapdb(0, 1), None),
            (commands.dbsize(), 1),
            (commands.flushdb(), None),
            (commands.flushdb(asynchronous=True), None),
            (commands.flushall(), None),
            (commands.flushall(asynchronous=True), None),
            (commands.lolwut(), Like(str, lambda text: " ver. " in text)),
            (commands.lolwut(version=5), Like(str, lambda text: " ver. " in text)),
            (commands.role(), Like(MasterRole, lambda role: (role.role, role.replicas) == ("master", []))),
            (commands.lastsave(), Like(int, lambda time: time > 1_700_000_000)),
            (commands.config_rewrite(), Refused("ERR")),  # there is no file
        ],
    ),
    Family(
        "server since Redis 6.2",
        [
            (commands.flushdb(sync=True), None),
            (commands.flushall(sync=True), None),
            (commands.failover(), Refused("ERR")),  # there is no replica
            (commands.failover(host="192.0.2.1", port=1, force=True, timeout=1), Refused("ERR")),
            (commands.failover_abort(), Refused("ERR")),
        ],
        needs=("FAILOVER",),
    ),
    Family(
        "server since Redis 7.0",
        [
            (commands.info("server", "clients"), Like(dict, lambda found: "connected_clients" in found)),
            (commands.config_get("appendonly", "maxmem?ry"), {"appendonly": "no", "maxmemory": "0"}),
            (commands.config_set(mapping={"slowlog-max-len": 128, "hz": 10}), None),
            (commands.shutdown_abort(), Refused("ERR")),  # there is none
        ],
        needs=("Redis 7.0",),
    ),
    Family("server since Redis 7.2", [(commands.waitaof(0, 0, 1), (0, 0))], needs=("WAITAOF",)),
]

ALONE = [
    Family(
        "copies on disk",
        [
            (commands.save(), None),
            (commands.bgsave(schedule=True), "Background saving started"),
            (commands.bgrewriteaof(), Like(str, lambda said: said.startswith("Background append only file"))),
        ],
    ),
    Family(
        "copies on disk of Valkey 8.1",
        [
            (commands.bgsave(), "Background saving started"),
            (commands.bgsave_cancel(), Like(str, lambda said: "cancel" in said)),
        ],
        needs=("Valkey 8.1",),
    ),
    Family(
        "copies on other servers",
        [
            (commands.replicaof("127.0.0.1", 1), None),
            (commands.role(), Like(ReplicaRole, lambda role: role[:3] == ("slave", "127.0.0.1", 1))),
            (commands.replicaof_no_one(), None),
            (commands.role(), Like(MasterRole)),
        ],
    ),
    Family(
        "modules",
        [
            (commands.module_list(), Like(list, lambda found: [*map(type, found)] == [dict] * len(found))),
            (commands.module_load("/none.so"), Refused("ERR")),
            (commands.module_unload("none"), Refused("ERR")),
        ],
    ),
    Family(
        "modules since Redis 7.0",
        [(commands.module_loadex("/none.so", config={"a.b": 1}), Refused("ERR"))],
        needs=("Redis 7.0",),
    ),
]
"""What no server may be asked that other tests use."""

ENDED = [commands.shutdown(nosave=True), commands.shutdown(nosave=True, now=True, force=True)]
"""After these the server is gone."""
