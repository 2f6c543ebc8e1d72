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
            (commands.lpushx("l", "a"), 0),
            (commands.rpushx("l", "a"), 0),
            (commands.rpush("l", "a"), 1),
            (commands.lpushx("l", "b", "c"), 3, lambda redis: redis.lpushx("l", "b", "c")),
            (commands.rpushx("l", "d"), 4, lambda redis: redis.rpushx("l", "d")),
            (
                commands.linsert("l", "BEFORE", "a", b"\xff"),
                5,
                lambda redis: redis.linsert("l", "BEFORE", "a", b"\xff"),
            ),
            (commands.linsert("l", "AFTER", "none", "x"), -1, lambda redis: redis.linsert("l", "AFTER", "none", "x")),
            (commands.linsert("none", "AFTER", "a", "x"), 0),
            (commands.lrange("l", 0, -1), [b"c", b"b", b"\xff", b"a", b"d"]),
            (commands.rpoplpush("l", "m"), b"d", lambda redis: redis.rpoplpush("l", "m")),
            (commands.rpoplpush("none", "m"), None, lambda redis: redis.rpoplpush("none", "m")),
            (commands.brpoplpush("l", "m", timeout=1), b"a", lambda redis: redis.brpoplpush("l", "m", 1)),
            (commands.brpoplpush("none", "m", timeout=0.01), None),
            (commands.lrange("m", 0, -1), [b"a", b"d"]),
            (commands.rpush("p", "a", "b", "a", "c", "a"), 5),
            (commands.lpos("p", "a"), 0, lambda redis: redis.lpos("p", "a")),
            (commands.lpos("p", "a", rank=2), 2, lambda redis: redis.lpos("p", "a", rank=2)),
            (commands.lpos("p", "b", rank=-1, maxlen=2), None),
            (commands.lpos("none", "a"), None, lambda redis: redis.lpos("none", "a")),
            (commands.lpos_count("p", "a", 0), [0, 2, 4], lambda redis: redis.lpos("p", "a", count=0)),
            (
                commands.lpos_count("p", "a", 2, rank=-1, maxlen=0),
                [4, 2],
                lambda redis: redis.lpos("p", "a", rank=-1, count=2),
            ),
            (commands.lpos_count("none", "a", 1), [], lambda redis: redis.lpos("none", "a", count=1)),
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
    Family(
        "lists since Redis 7.0",
        [
            (commands.rpush("l", "a", b"\xff", "c"), 3),
            (commands.lmpop("none", where="LEFT"), None, lambda redis: redis.lmpop(1, "none", direction="LEFT")),
            (commands.lmpop("none", "l", where="LEFT"), (b"l", [b"a"])),
            (commands.lmpop("l", where="RIGHT", count=9), (b"l", [b"c", b"\xff"])),
            (commands.rpush("l", "a", "b", "c"), 3),
            (commands.blmpop("l", where="RIGHT", timeout=0), (b"l", [b"c"])),
            (commands.blmpop("none", "l", where="LEFT", timeout=1, count=2), (b"l", [b"a", b"b"])),
            (commands.blmpop("l", where="LEFT", timeout=0.01), None),
        ],
        needs=("Redis 7.0",),
    ),
]
