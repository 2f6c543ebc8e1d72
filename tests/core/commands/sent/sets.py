"""What the builders of commands on sets send."""

from __future__ import annotations

from core.commands.rows import Sent
from resp_sansio import commands

SENT: Sent = [
    (commands.sadd("s", "a", "b"), "SADD s a b"),
    (commands.srem("s", "a"), "SREM s a"),
    (commands.smembers("s"), "SMEMBERS s"),
    (commands.sismember("s", "a"), "SISMEMBER s a"),
    (commands.smismember("s", "a", "b"), "SMISMEMBER s a b"),
    (commands.scard("s"), "SCARD s"),
    (commands.spop("s"), "SPOP s"),
    (commands.spop_count("s", 2), "SPOP s 2"),
    (commands.srandmember("s"), "SRANDMEMBER s"),
    (commands.srandmember_count("s", -2), "SRANDMEMBER s -2"),
    (commands.sinter("s", "t"), "SINTER s t"),
    (commands.sunion("s", "t"), "SUNION s t"),
    (commands.sdiff("s", "t"), "SDIFF s t"),
    (commands.sinterstore("d", "s", "t"), "SINTERSTORE d s t"),
    (commands.sunionstore("d", "s"), "SUNIONSTORE d s"),
    (commands.sdiffstore("d", "s", "t"), "SDIFFSTORE d s t"),
    (commands.sintercard("s"), "SINTERCARD 1 s"),
    (commands.sintercard("s", "LIMIT", limit=0), "SINTERCARD 2 s LIMIT LIMIT 0"),
    (commands.sunioncard("s"), "SUNIONCARD 1 s"),
    (commands.sunioncard("s", "APPROX", approx=True, limit=5), "SUNIONCARD 2 s APPROX APPROX LIMIT 5"),
    (commands.sdiffcard("s", "t"), "SDIFFCARD 2 s t"),
    (commands.sdiffcard("s", limit=0), "SDIFFCARD 1 s LIMIT 0"),
    (commands.smove("s", "t", "m"), "SMOVE s t m"),
    (commands.sscan("s", 3), "SSCAN s 3"),
]
