"""What commands on sets return on a real server."""

from __future__ import annotations

from adapters.typed.families import Family, Like
from resp_sansio import commands

FAMILIES = [
    Family(
        "sets",
        [
            (commands.sadd("s", "a", "b", 3), 3),
            (commands.sadd("t", "b", "c"), 2),
            (commands.smembers("s"), {b"a", b"b", b"3"}),
            (commands.smembers("none"), set()),
            (commands.sismember("s", "a"), True),
            (commands.sismember("s", "c"), False),
            (commands.scard("s"), 3),
            (commands.sinter("s", "t"), {b"b"}),
            (commands.sunion("s", "t"), {b"a", b"b", b"c", b"3"}),
            (commands.sdiff("s", "t"), {b"a", b"3"}),
            (commands.srem("s", "3", "none"), 1),
            (commands.sscan("s"), Like(tuple, lambda found: (found[0], sorted(found[1])) == (0, [b"a", b"b"]))),
            (commands.srandmember("s"), Like(bytes)),
            (commands.srandmember("none"), None),
            (commands.srandmember_count("s", -3), Like(list, lambda found: len(found) == 3)),
            (commands.spop_count("s", 9), {b"a", b"b"}),
            (commands.spop("t"), Like(bytes)),
            (commands.spop("none"), None),
        ],
    ),
    Family(
        "sets since Redis 6.2",
        [
            (commands.sadd("s", "a"), 1),
            (commands.smismember("s", "a", "b"), [True, False]),
        ],
        needs=("Redis 6.2",),
    ),
]
