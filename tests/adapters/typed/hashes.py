"""What commands on hashes return on a real server."""

from __future__ import annotations

from adapters.typed.families import Family
from resp_sansio import commands

FAMILIES = [
    Family(
        "hashes",
        [
            (commands.hset("h", "a", 1), 1),
            (commands.hset("h", "a", 2, mapping={"b": b"\x00"}), 1),
            (commands.hsetnx("h", "a", 3), False),
            (commands.hget("h", "a"), b"2"),
            (commands.hget("h", "none"), None),
            (commands.hgetall("h"), {b"a": b"2", b"b": b"\x00"}, lambda redis: redis.hgetall("h")),
            (commands.hgetall("none"), {}),
            (commands.hmget("h", "b", "none"), [b"\x00", None]),
            (commands.hexists("h", "b"), True),
            (commands.hdel("h", "b", "none"), 1),
            (commands.hincrby("h", "a", 3), 5),
            (commands.hincrbyfloat("h", "a", 0.25), 5.25),
            (commands.hlen("h"), 1),
            (commands.hkeys("h"), [b"a"]),
            (commands.hvals("h"), [b"5.25"]),
            (commands.hscan("h"), (0, {b"a": b"5.25"})),
        ],
    ),
]
