"""What the builders of commands on sorted sets send, and what they refuse."""

from __future__ import annotations

from core.commands.rows import Refused, Sent
from resp_sansio import commands

SENT: Sent = [
    (commands.zadd("z", {"a": 1, "b": 2.5}), "ZADD z 1 a 2.5 b"),
    (commands.zadd("z", {"a": float("-inf")}, xx=True, gt=True, ch=True), "ZADD z XX GT CH -inf a"),
    (commands.zincrby("z", 0.5, "a"), "ZINCRBY z 0.5 a"),
    (commands.zrem("z", "a", "b"), "ZREM z a b"),
    (commands.zscore("z", "a"), "ZSCORE z a"),
    (commands.zcard("z"), "ZCARD z"),
    (commands.zcount("z", "-inf", "(5"), "ZCOUNT z -inf (5"),
    (commands.zrank("z", "a"), "ZRANK z a"),
    (commands.zrevrank("z", "a"), "ZREVRANK z a"),
    (commands.zrange("z", 0, -1), "ZRANGE z 0 -1"),
    (commands.zrange("z", "[c", "-", bylex=True, rev=True, limit=(1, 2)), "ZRANGE z [c - BYLEX REV LIMIT 1 2"),
    (commands.zrange_withscores("z", 0, 5, byscore=True, limit=(0, 2)), "ZRANGE z 0 5 BYSCORE LIMIT 0 2 WITHSCORES"),
    (commands.zrangebyscore("z", 0, "+inf", limit=(0, 2)), "ZRANGEBYSCORE z 0 +inf LIMIT 0 2"),
    (commands.zrangebyscore_withscores("z", 0, 1), "ZRANGEBYSCORE z 0 1 WITHSCORES"),
    (commands.zremrangebyrank("z", 0, 1), "ZREMRANGEBYRANK z 0 1"),
    (commands.zremrangebyscore("z", 0, "(1"), "ZREMRANGEBYSCORE z 0 (1"),
    (commands.zpopmin("z"), "ZPOPMIN z"),
    (commands.zpopmin_count("z", 2), "ZPOPMIN z 2"),
    (commands.zpopmax("z"), "ZPOPMAX z"),
    (commands.zpopmax_count("z", 2), "ZPOPMAX z 2"),
    (commands.zscan("z", count=5), "ZSCAN z 0 COUNT 5"),
]

REFUSED: Refused = [
    (lambda: commands.zadd("z", {"a": 1}, nx=True, xx=True), "nx and xx exclude each other"),
    (lambda: commands.zrange("z", 0, 1, byscore=True, bylex=True), "byscore and bylex exclude each other"),
]
