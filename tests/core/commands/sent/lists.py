"""What the builders of commands on lists send."""

from __future__ import annotations

from core.commands.rows import Beside, Refused, Sent
from resp_sansio import commands

SENT: Sent = [
    (commands.lpush("l", 1, 2), "LPUSH l 1 2"),
    (commands.rpush("l", 1, 2), "RPUSH l 1 2"),
    (commands.lpushx("l", 1, 2), "LPUSHX l 1 2"),
    (commands.rpushx("l", 1), "RPUSHX l 1"),
    (commands.linsert("l", "BEFORE", "p", "e"), "LINSERT l BEFORE p e"),
    (commands.linsert("l", "AFTER", 1, 2), "LINSERT l AFTER 1 2"),
    (commands.lmpop("l", where="LEFT"), "LMPOP 1 l LEFT"),
    (commands.lmpop("l", "m", where="RIGHT", count=2), "LMPOP 2 l m RIGHT COUNT 2"),
    (commands.blmpop("l", where="LEFT", timeout=0), "BLMPOP 0 1 l LEFT"),
    (commands.blmpop("l", "m", where="RIGHT", timeout=0.5, count=2), "BLMPOP 0.5 2 l m RIGHT COUNT 2"),
    (commands.lpop("l"), "LPOP l"),
    (commands.lpop_count("l", 2), "LPOP l 2"),
    (commands.rpop("l"), "RPOP l"),
    (commands.rpop_count("l", 2), "RPOP l 2"),
    (commands.blpop("l", "m", timeout=0.5), "BLPOP l m 0.5"),
    (commands.brpop("l", timeout=0), "BRPOP l 0"),
    (commands.lmove("l", "m", "LEFT", "RIGHT"), "LMOVE l m LEFT RIGHT"),
    (commands.blmove("l", "m", "RIGHT", "LEFT", timeout=2), "BLMOVE l m RIGHT LEFT 2"),
    (commands.lmovem("l", "m", "LEFT", "RIGHT"), "LMOVEM l m LEFT RIGHT"),
    (commands.lmovem("l", "m", "LEFT", "RIGHT", count=2, ordering="BULK"), "LMOVEM l m LEFT RIGHT COUNT 2 BULK"),
    (commands.lmovem("l", "m", "LEFT", "LEFT", exactly=2, ordering="OBO"), "LMOVEM l m LEFT LEFT EXACTLY 2 OBO"),
    (commands.blmovem("l", "m", "RIGHT", "LEFT", timeout=0), "BLMOVEM l m RIGHT LEFT 0"),
    (
        commands.blmovem("l", "m", "RIGHT", "LEFT", timeout=0.5, exactly=2, ordering="BULK"),
        "BLMOVEM l m RIGHT LEFT 0.5 EXACTLY 2 BULK",
    ),
    (commands.rpoplpush("l", "m"), "RPOPLPUSH l m"),
    (commands.brpoplpush("l", "m", timeout=2), "BRPOPLPUSH l m 2"),
    (commands.lpos("l", "e"), "LPOS l e"),
    (commands.lpos("l", "RANK", rank=-1, maxlen=9), "LPOS l RANK RANK -1 MAXLEN 9"),
    (commands.lpos_count("l", "e", 0), "LPOS l e COUNT 0"),
    (commands.lpos_count("l", "e", 2, rank=2, maxlen=0), "LPOS l e COUNT 2 RANK 2 MAXLEN 0"),
    (commands.llen("l"), "LLEN l"),
    (commands.lrange("l", 0, -1), "LRANGE l 0 -1"),
    (commands.lindex("l", 0), "LINDEX l 0"),
    (commands.lset("l", 0, "v"), "LSET l 0 v"),
    (commands.lrem("l", -1, "v"), "LREM l -1 v"),
    (commands.ltrim("l", 0, 9), "LTRIM l 0 9"),
]

MANY = "ordering and one of count and exactly go together"

REFUSED: Refused = [
    (
        lambda: commands.lmovem("l", "m", "LEFT", "LEFT", count=1, exactly=1, ordering="OBO"),
        "count and exactly exclude each other",
    ),
    (lambda: commands.lmovem("l", "m", "LEFT", "LEFT", count=1), MANY),
    (lambda: commands.blmovem("l", "m", "LEFT", "LEFT", timeout=0, ordering="OBO"), MANY),
]

BESIDE: Beside = {
    commands.lmovem: {"count": 7, "ordering": "OBO"},
    commands.blmovem: {"count": 7, "ordering": "OBO"},
}
