"""What commands about the server return on a real server."""

from __future__ import annotations

from adapters.typed.families import Family, Like
from resp_sansio import commands

FAMILIES = [
    Family(
        "server",
        [
            (commands.ping(), "PONG"),
            (commands.echo(b"\xff"), b"\xff"),
            (commands.time(), Like(tuple, lambda time: time[0] > 1_700_000_000 and type(time[1]) is int)),
            (commands.info(), Like(dict, lambda found: found["tcp_port"].isdigit() and "used_memory" in found)),
            (commands.info("server"), Like(dict, lambda found: "used_memory" not in found)),
            (commands.dbsize(), 0),
            (commands.config_get("appendonly"), {"appendonly": "no"}),
            (commands.config_set("slowlog-max-len", "128"), None),
            (commands.client_id(), Like(int)),
            (commands.publish("channel", "message"), 0),
            (commands.wait(0, 1), 0),
            (commands.set("k", "v"), True),
            (commands.flushdb(), None),
            (commands.flushdb(asynchronous=True), None),
        ],
    ),
    Family(
        "server since Redis 7.0",
        [
            (commands.info("server", "clients"), Like(dict, lambda found: "connected_clients" in found)),
            (commands.config_get("appendonly", "maxmem?ry"), {"appendonly": "no", "maxmemory": "0"}),
        ],
        needs=("Redis 7.0",),
    ),
]
