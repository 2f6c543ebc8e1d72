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
            (commands.sinterstore("d", "s", "t"), 1, lambda redis: redis.sinterstore("d", "s", "t")),
            (commands.sunionstore("d", "s", "t"), 4, lambda redis: redis.sunionstore("d", "s", "t")),
            (commands.sdiffstore("d", "s", "t"), 2, lambda redis: redis.sdiffstore("d", "s", "t")),
            (commands.smembers("d"), {b"a", b"3"}, lambda redis: redis.smembers("d")),
            (commands.sdiffstore("d", "none"), 0),
            (commands.smove("s", "d", "3"), True),
            (commands.smove("s", "d", "none"), False, lambda redis: redis.smove("s", "d", "none")),
            (commands.smove("d", "s", "3"), True, lambda redis: redis.smove("d", "s", "3")),
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
    Family(
        "sets since Redis 7.0",
        [
            (commands.sadd("s", "a", "b", "c"), 3),
            (commands.sadd("t", "a", "b", "d"), 3),
            (commands.sintercard("s"), 3, lambda redis: redis.sintercard(1, ["s"])),
            (commands.sintercard("s", "t"), 2, lambda redis: redis.sintercard(2, ["s", "t"])),
            (commands.sintercard("s", "t", limit=1), 1, lambda redis: redis.sintercard(2, ["s", "t"], limit=1)),
            (commands.sintercard("s", "none"), 0),
        ],
        needs=("Redis 7.0",),
    ),
]
