"""What the builders of commands on streams send, and what they refuse."""

from __future__ import annotations

from core.commands.rows import Beside, Refused, Sent
from resp_sansio import commands

SENT: Sent = [
    (commands.xadd("x", {"f": 1}), "XADD x * f 1"),
    (commands.xadd("x", {"f": 1, b"g": b"2"}, id="1-1", maxlen=0), "XADD x MAXLEN ~ 0 1-1 f 1 g 2"),
    (commands.xadd("x", {"f": 1}, minid="5", approximate=False), "XADD x MINID = 5 * f 1"),
    (commands.xadd("x", {"f": 1}, approximate=False), "XADD x * f 1"),
    (commands.xlen("x"), "XLEN x"),
    (commands.xrange("x"), "XRANGE x - +"),
    (commands.xrevrange("x", "9", "1", count=2), "XREVRANGE x 9 1 COUNT 2"),
    (commands.xread({"x": "0", "y": "$"}, count=2, block=0), "XREAD COUNT 2 BLOCK 0 STREAMS x y 0 $"),
    (commands.xreadgroup("g", "c", {"x": ">"}, noack=True), "XREADGROUP GROUP g c NOACK STREAMS x >"),
    (commands.xgroup_create("x", "g", 0, mkstream=True), "XGROUP CREATE x g 0 MKSTREAM"),
    (commands.xgroup_destroy("x", "g"), "XGROUP DESTROY x g"),
    (commands.xack("x", "g", "1-0", "2-0"), "XACK x g 1-0 2-0"),
    (commands.xdel("x", "1-0"), "XDEL x 1-0"),
    (commands.xtrim("x", maxlen=5, limit=9), "XTRIM x MAXLEN ~ 5 LIMIT 9"),
]

REFUSED: Refused = [
    (lambda: commands.xadd("x", {"f": 1}, maxlen=1, minid="1"), "maxlen and minid exclude each other"),
    (lambda: commands.xadd("x", {"f": 1}, limit=1), "give maxlen or minid"),
    (lambda: commands.xtrim("x"), "give maxlen or minid"),
]

BESIDE: Beside = {
    commands.xadd: {"maxlen": 7},
    commands.xtrim: {"maxlen": 7},
}
