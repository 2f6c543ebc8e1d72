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
    (commands.xtrim("x", minid="5", acked=True), "XTRIM x MINID ~ 5 ACKED"),
    (commands.xadd("x", {"f": 1}, maxlen=5, keepref=True), "XADD x MAXLEN ~ 5 KEEPREF * f 1"),
    (commands.xadd("x", {"f": 1}, delref=True), "XADD x DELREF * f 1"),
    (commands.xadd("x", {"f": 1}, acked=True, idmpauto="p"), "XADD x ACKED IDMPAUTO p * f 1"),
    (commands.xadd("x", {"f": 1}, idmp=("p", 7)), "XADD x IDMP p 7 * f 1"),
    (commands.xadd_nomkstream("x", {"f": 1}), "XADD x NOMKSTREAM * f 1"),
    (commands.xadd_nomkstream("x", {"f": 1}, id=5, maxlen=9), "XADD x NOMKSTREAM MAXLEN ~ 9 5 f 1"),
    (
        commands.xreadgroup_claim("g", "c", 5, "x", "y", count=2, block=0, noack=True),
        "XREADGROUP GROUP g c CLAIM 5 COUNT 2 BLOCK 0 NOACK STREAMS x y > >",
    ),
    (commands.xreadgroup_claim("g", "c", 5, "x"), "XREADGROUP GROUP g c CLAIM 5 STREAMS x >"),
    (commands.xgroup_create("x", "g", entriesread=3), "XGROUP CREATE x g $ ENTRIESREAD 3"),
    (commands.xgroup_setid("x", "g", "5-1"), "XGROUP SETID x g 5-1"),
    (commands.xgroup_setid("x", "g", "$", entriesread=3), "XGROUP SETID x g $ ENTRIESREAD 3"),
    (commands.xgroup_createconsumer("x", "g", "c"), "XGROUP CREATECONSUMER x g c"),
    (commands.xgroup_delconsumer("x", "g", "c"), "XGROUP DELCONSUMER x g c"),
    (commands.xackdel("x", "g", "1-0", "2-0"), "XACKDEL x g IDS 2 1-0 2-0"),
    (commands.xackdel("x", "g", "1-0", delref=True), "XACKDEL x g DELREF IDS 1 1-0"),
    (commands.xpending("x", "g"), "XPENDING x g"),
    (commands.xpending_range("x", "g", "-", "+", 10), "XPENDING x g - + 10"),
    (commands.xpending_range("x", "g", "-", "+", 10, "c", idle=5), "XPENDING x g IDLE 5 - + 10 c"),
    (commands.xclaim("x", "g", "c", 5, "1-0", b"2-0", 3), "XCLAIM x g c 5 1-0 2-0 3"),
    (
        commands.xclaim("x", "g", "c", 5, "1-0", idle=0, retrycount=3, force=True, lastid="9-0"),
        "XCLAIM x g c 5 1-0 IDLE 0 RETRYCOUNT 3 FORCE LASTID 9-0",
    ),
    (commands.xclaim_justid("x", "g", "c", 5, "1-0", "2-0", time=7), "XCLAIM x g c 5 1-0 2-0 TIME 7 JUSTID"),
    (commands.xautoclaim("x", "g", "c", 5), "XAUTOCLAIM x g c 5 0-0"),
    (commands.xautoclaim("x", "g", "c", 5, "3-0", count=2), "XAUTOCLAIM x g c 5 3-0 COUNT 2"),
    (commands.xautoclaim_justid("x", "g", "c", 5, count=2), "XAUTOCLAIM x g c 5 0-0 COUNT 2 JUSTID"),
    (commands.xdelex("x", "1-0", "2-0"), "XDELEX x IDS 2 1-0 2-0"),
    (commands.xdelex("x", "1-0", acked=True), "XDELEX x ACKED IDS 1 1-0"),
    (commands.xsetid("x", "5-1"), "XSETID x 5-1"),
    (commands.xsetid("x", "5-1", entriesadded=9, maxdeletedid="4-1"), "XSETID x 5-1 ENTRIESADDED 9 MAXDELETEDID 4-1"),
    (commands.xcfgset("x", idmp_duration=60), "XCFGSET x IDMP-DURATION 60"),
    (commands.xcfgset("x", idmp_duration=60, idmp_maxsize=5), "XCFGSET x IDMP-DURATION 60 IDMP-MAXSIZE 5"),
    (commands.xidmprecord("x", "p", "i", "1-0"), "XIDMPRECORD x p i 1-0"),
    (commands.xinfo_stream("x"), "XINFO STREAM x"),
    (commands.xinfo_stream_full("x"), "XINFO STREAM x FULL"),
    (commands.xinfo_stream_full("x", count=0), "XINFO STREAM x FULL COUNT 0"),
    (commands.xinfo_groups("x"), "XINFO GROUPS x"),
    (commands.xinfo_consumers("x", "g"), "XINFO CONSUMERS x g"),
]

REFUSED: Refused = [
    (lambda: commands.xadd("x", {"f": 1}, maxlen=1, minid="1"), "maxlen and minid exclude each other"),
    (lambda: commands.xadd("x", {"f": 1}, limit=1), "give maxlen or minid"),
    (lambda: commands.xtrim("x"), "give maxlen or minid"),
    (lambda: commands.xtrim("x", maxlen=1, keepref=True, acked=True), "keepref and acked exclude each other"),
    (lambda: commands.xadd("x", {"f": 1}, delref=True, acked=True), "delref and acked exclude each other"),
    (lambda: commands.xadd("x", {"f": 1}, idmpauto="p", idmp=("p", "i")), "idmpauto and idmp exclude each other"),
    (lambda: commands.xdelex("x", "1-0", keepref=True, delref=True), "keepref and delref exclude each other"),
    (lambda: commands.xackdel("x", "g", "1-0", keepref=True, acked=True), "keepref and acked exclude each other"),
    (lambda: commands.xclaim("x", "g", "c", 0, "1-0", "FORCE"), "every id of XCLAIM must begin with a digit"),
    (lambda: commands.xclaim_justid("x", "g", "c", 0, b"-"), "every id of XCLAIM must begin with a digit"),
    (lambda: commands.xcfgset("x"), "give idmp_duration or idmp_maxsize"),
]

BESIDE: Beside = {
    commands.xadd: {"maxlen": 7},
    commands.xadd_nomkstream: {"maxlen": 7},
    commands.xcfgset: {"idmp_maxsize": 7},
    commands.xclaim: {"id": "1-0"},
    commands.xclaim_justid: {"id": "1-0"},
    commands.xtrim: {"maxlen": 7},
}
