"""What the builders of commands about the server send."""

from __future__ import annotations

from core.commands.rows import Sent
from resp_sansio import commands

SENT: Sent = [
    (commands.ping(), "PING"),
    (commands.echo("m"), "ECHO m"),
    (commands.time(), "TIME"),
    (commands.info(), "INFO"),
    (commands.info("server", "clients"), "INFO server clients"),
    (commands.dbsize(), "DBSIZE"),
    (commands.flushdb(), "FLUSHDB"),
    (commands.flushdb(asynchronous=True), "FLUSHDB ASYNC"),
    (commands.config_get("max*", "port"), "CONFIG GET max* port"),
    (commands.config_set("maxmemory", 0), "CONFIG SET maxmemory 0"),
    (commands.client_id(), "CLIENT ID"),
    (commands.publish("c", "m"), "PUBLISH c m"),
    (commands.wait(1, 100), "WAIT 1 100"),
]
