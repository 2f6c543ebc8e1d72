"""What the builders of commands on lists send."""

from __future__ import annotations

from core.commands.rows import Sent
from resp_sansio import commands

SENT: Sent = [
    (commands.lpush("l", 1, 2), "LPUSH l 1 2"),
    (commands.rpush("l", 1, 2), "RPUSH l 1 2"),
    (commands.lpop("l"), "LPOP l"),
    (commands.lpop_count("l", 2), "LPOP l 2"),
    (commands.rpop("l"), "RPOP l"),
    (commands.rpop_count("l", 2), "RPOP l 2"),
    (commands.blpop("l", "m", timeout=0.5), "BLPOP l m 0.5"),
    (commands.brpop("l", timeout=0), "BRPOP l 0"),
    (commands.lmove("l", "m", "LEFT", "RIGHT"), "LMOVE l m LEFT RIGHT"),
    (commands.blmove("l", "m", "RIGHT", "LEFT", timeout=2), "BLMOVE l m RIGHT LEFT 2"),
    (commands.llen("l"), "LLEN l"),
    (commands.lrange("l", 0, -1), "LRANGE l 0 -1"),
    (commands.lindex("l", 0), "LINDEX l 0"),
    (commands.lset("l", 0, "v"), "LSET l 0 v"),
    (commands.lrem("l", -1, "v"), "LREM l -1 v"),
    (commands.ltrim("l", 0, 9), "LTRIM l 0 9"),
]
