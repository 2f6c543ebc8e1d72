"""What commands on sorted sets return on a real server."""

from __future__ import annotations

import math

from adapters.typed.families import Family
from resp_sansio import commands

FAMILIES = [
    Family(
        "sorted sets",
        [
            (commands.zadd("z", {"a": 1, "b": 2.5, "c": math.inf}), 3),
            (commands.zadd("z", {"a": 1.5}, xx=True, ch=True), 1),
            (commands.zadd("z", {"a": 9}, nx=True), 0),
            (commands.zscore("z", "b"), 2.5),
            (commands.zscore("z", "c"), math.inf),
            (commands.zscore("z", "none"), None),
            (commands.zincrby("z", 0.25, "a"), 1.75),
            (commands.zcard("z"), 3),
            (commands.zcount("z", "(1.75", "+inf"), 2),
            (commands.zrank("z", "b"), 1),
            (commands.zrank("z", "none"), None),
            (commands.zrevrank("z", "c"), 0),
            (commands.zrange("z", 0, -1), [b"a", b"b", b"c"]),
            (commands.zrange_withscores("z", 0, 1), [(b"a", 1.75), (b"b", 2.5)]),
            (commands.zrange_withscores("none", 0, 1), []),
            (commands.zrangebyscore("z", 2, 3), [b"b"]),
            (commands.zrangebyscore_withscores("z", "-inf", "+inf", limit=(1, 1)), [(b"b", 2.5)]),
            (commands.zscan("z"), (0, [(b"a", 1.75), (b"b", 2.5), (b"c", math.inf)])),
            (commands.zpopmin("z"), (b"a", 1.75)),
            (commands.zpopmax("z"), (b"c", math.inf)),
            (commands.zpopmin("none"), None),
            (commands.zadd("z", {"c": -0.1, "d": 7}), 2),
            (commands.zpopmin_count("z", 1), [(b"c", -0.1)]),
            (commands.zpopmax_count("z", 9), [(b"d", 7.0), (b"b", 2.5)]),
            (commands.zpopmax_count("z", 9), []),
            (commands.zadd("z", {"a": 1, "b": 2, "c": 3}), 3),
            (commands.zrem("z", "a"), 1),
            (commands.zremrangebyrank("z", 0, 0), 1),
            (commands.zremrangebyscore("z", 3, 3), 1),
        ],
    ),
    Family(
        "sorted sets since Redis 6.2",
        [
            (commands.zadd("z", {"a": 1, "b": 2, "c": 3}, gt=True), 3),
            (commands.zrange("z", "(3", 0, byscore=True, rev=True), [b"b", b"a"]),
            (commands.zrange("z", "-", "+", bylex=True, limit=(1, 1)), [b"b"]),
            (commands.zrange_withscores("z", 0, 9, byscore=True, limit=(2, 5)), [(b"c", 3.0)]),
        ],
        needs=("Redis 6.2",),
    ),
]
