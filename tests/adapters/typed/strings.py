"""What commands on strings return on a real server."""

from __future__ import annotations

from adapters.typed.families import Family
from resp_sansio import commands

FAMILIES = [
    Family(
        "strings",
        [
            (commands.get("k"), None),
            (commands.set("k", "v", nx=True, ex=100), True),
            (commands.set("k", "w", nx=True), False),
            (commands.get("k"), b"v"),
            (commands.append("k", "w"), 2),
            (commands.strlen("k"), 2),
            (commands.setrange("k", 1, "xyz"), 4),
            (commands.getrange("k", 0, 1), b"vx"),
            (commands.getrange("none", 0, 1), b""),
            (commands.mset({"a": 1, b"b": b"\xff", "c": 1.5}), None),
            (commands.mget("a", "none", "b", "c"), [b"1", None, b"\xff", b"1.5"]),
            (commands.msetnx({"d": 1, "a": 2}), False),
            (commands.msetnx({"d": 1}), True),
            (commands.incr("a"), 2),
            (commands.incrby("a", 5), 7),
            (commands.decr("a"), 6),
            (commands.decrby("a", 8), -2),
            (commands.incrbyfloat("a", 0.5), -1.5),
            (commands.incrbyfloat("a", 1.5), 0.0),
        ],
    ),
    Family(
        "strings since Redis 6.2",
        [
            (commands.set_get("k", "v"), None),
            (commands.set_get("k", "w", ex=100), b"v"),
            (commands.getex("k", persist=True), b"w"),
            (commands.ttl("k"), -1),
            (commands.getex("k", px=100_000), b"w"),
            (commands.set("k", "x", keepttl=True), True),
            (commands.ttl("k"), 100),
            (commands.getdel("k"), b"x"),
            (commands.getdel("k"), None),
        ],
        needs=("Redis 6.2",),
    ),
    Family(
        "strings since Redis 7.0",
        [
            (commands.set_get("k", "v", nx=True), None),
        ],
        needs=("Redis 7.0",),
    ),
]
