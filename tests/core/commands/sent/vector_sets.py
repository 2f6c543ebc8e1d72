"""What the builders of commands on vector sets send."""

from __future__ import annotations

from core.commands.rows import Beside, Refused, Sent
from resp_sansio import commands

EITHER = "give VSIM either a vector or ele"

SENT: Sent = [
    (commands.vadd("v", [1, 2.5], "a"), "VADD v VALUES 2 1 2.5 a"),
    (commands.vadd("v", (1.0,), "a", reduce=1, cas=True, q8=True), "VADD v REDUCE 1 VALUES 1 1 a CAS Q8"),
    (commands.vadd("v", b"\x41" * 4, "a", noquant=True, ef=9), "VADD v FP32 AAAA a NOQUANT EF 9"),
    (
        commands.vadd("v", bytearray(b"AAAA"), "a", bin=True, setattr='{"x":1}', m=4),
        'VADD v FP32 AAAA a BIN SETATTR {"x":1} M 4',
    ),
    (commands.vrem("v", "a"), "VREM v a"),
    (commands.vcard("v"), "VCARD v"),
    (commands.vdim("v"), "VDIM v"),
    (commands.vemb("v", "a"), "VEMB v a"),
    (commands.vemb_raw("v", "a"), "VEMB v a RAW"),
    (commands.vgetattr("v", "a"), "VGETATTR v a"),
    (commands.vsetattr("v", "a", "{}"), "VSETATTR v a {}"),
    (commands.vinfo("v"), "VINFO v"),
    (commands.vismember("v", "a"), "VISMEMBER v a"),
    (commands.vlinks("v", "a"), "VLINKS v a"),
    (commands.vlinks_withscores("v", "a"), "VLINKS v a WITHSCORES"),
    (commands.vrandmember("v"), "VRANDMEMBER v"),
    (commands.vrandmember_count("v", -3), "VRANDMEMBER v -3"),
    (commands.vrange("v"), "VRANGE v - +"),
    (commands.vrange("v", "[a", "(c", count=2), "VRANGE v [a (c 2"),
    (commands.vsim("v", [1, 2]), "VSIM v VALUES 2 1 2"),
    (commands.vsim("v", ele="a", count=3, epsilon=0.5, ef=9), "VSIM v ELE a COUNT 3 EPSILON 0.5 EF 9"),
    (
        commands.vsim("v", b"AAAA", filter=".x==1", filter_ef=0, truth=True, nothread=True),
        "VSIM v FP32 AAAA FILTER .x==1 FILTER-EF 0 TRUTH NOTHREAD",
    ),
    (commands.vsim_withscores("v", ele="a", count=1), "VSIM v ELE a WITHSCORES COUNT 1"),
    (commands.vsim_withattribs("v", ele="a", count=1), "VSIM v ELE a WITHATTRIBS COUNT 1"),
    (commands.vsim_withscores_withattribs("v", ele="a", count=1), "VSIM v ELE a WITHSCORES WITHATTRIBS COUNT 1"),
]

REFUSED: Refused = [
    (lambda: commands.vadd("v", [1], "a", noquant=True, bin=True), "noquant and bin exclude each other"),
    (lambda: commands.vsim("v"), EITHER),
    (lambda: commands.vsim_withscores("v", [1], ele="a"), EITHER),
]

SEARCHES = commands.vsim, commands.vsim_withscores, commands.vsim_withattribs, commands.vsim_withscores_withattribs

BESIDE: Beside = {search: {"vector": [1.0]} for search in SEARCHES}
