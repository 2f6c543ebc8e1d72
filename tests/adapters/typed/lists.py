"""What commands on lists return on a real server."""

from __future__ import annotations

from adapters.typed.families import Family
from resp_sansio import commands

FAMILIES = [
    Family(
        "lists",
        [
            (commands.rpush("l", "a", "b", "c", "d", "a"), 5),
            (commands.lpush("l", "z"), 6),
            (commands.llen("l"), 6),
            (commands.lrange("l", 0, -1), [b"z", b"a", b"b", b"c", b"d", b"a"]),
            (commands.lrange("none", 0, -1), []),
            (commands.lindex("l", 1), b"a"),
            (commands.lindex("l", 99), None),
            (commands.lset("l", 0, "y"), None),
            (commands.lrem("l", -1, "a"), 1),
            (commands.lpop("l"), b"y"),
            (commands.rpop("l"), b"d"),
            (commands.lpop("none"), None),
            (commands.blpop("none", "l", timeout=1), (b"l", b"a")),
            (commands.brpop("l", timeout=0), (b"l", b"c")),
            (commands.ltrim("l", 0, 0), None),
            (commands.rpop("l"), b"b"),
            (commands.blpop("l", timeout=0.01), None),
        ],
    ),
    Family(
        "lists since Redis 6.2",
        [
            (commands.rpush("l", "a", "b", "c", "d"), 4),
            (commands.lmove("l", "m", "LEFT", "RIGHT"), b"a"),
            (commands.lmove("none", "m", "LEFT", "RIGHT"), None),
            (commands.blmove("l", "m", "RIGHT", "LEFT", timeout=1), b"d"),
            (commands.blmove("none", "m", "RIGHT", "LEFT", timeout=0.01), None),
            (commands.lpop_count("l", 9), [b"b", b"c"]),
            (commands.lpop_count("l", 9), []),
            (commands.rpop_count("m", 2), [b"a", b"d"]),
        ],
        needs=("Redis 6.2",),
    ),
]
