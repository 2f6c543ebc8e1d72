"""What the builders of commands on arrays send."""

from __future__ import annotations

from core.commands.rows import Beside, Refused, Sent
from resp_sansio import commands

SENT: Sent = [
    (commands.arset("k", 3, "a", "b"), "ARSET k 3 a b"),
    (commands.armset("k", {0: "a", 100: "b"}), "ARMSET k 0 a 100 b"),
    (commands.arget("k", 3), "ARGET k 3"),
    (commands.armget("k", 3, 5), "ARMGET k 3 5"),
    (commands.argetrange("k", 0, 9), "ARGETRANGE k 0 9"),
    (commands.arscan("k", 9, 0), "ARSCAN k 9 0"),
    (commands.arscan("k", 0, 9, limit=5), "ARSCAN k 0 9 LIMIT 5"),
    (commands.ardel("k", 3, 5), "ARDEL k 3 5"),
    (commands.ardelrange("k", 0, 9, 20, 29), "ARDELRANGE k 0 9 20 29"),
    (commands.arlen("k"), "ARLEN k"),
    (commands.arcount("k"), "ARCOUNT k"),
    (commands.arinfo("k"), "ARINFO k"),
    (commands.arinfo("k", full=True), "ARINFO k FULL"),
    (commands.arinsert("k", "a", "b"), "ARINSERT k a b"),
    (commands.arring("k", 10, "a", "b"), "ARRING k 10 a b"),
    (commands.arnext("k"), "ARNEXT k"),
    (commands.arseek("k", 10), "ARSEEK k 10"),
    (commands.arlastitems("k", 5), "ARLASTITEMS k 5"),
    (commands.arlastitems("k", 5, rev=True), "ARLASTITEMS k 5 REV"),
    (commands.argrep("k", exact="a"), "ARGREP k - + EXACT a"),
    (
        commands.argrep("k", 9, 0, match="a", glob="a*", re="^a", every=True, nocase=True, limit=5),
        "ARGREP k 9 0 MATCH a GLOB a* RE ^a AND NOCASE LIMIT 5",
    ),
    (commands.argrep_withvalues("k", match="a", limit=5), "ARGREP k - + MATCH a WITHVALUES LIMIT 5"),
    (commands.argrep_withvalues("k", re="a", every=True), "ARGREP k - + RE a AND WITHVALUES"),
    (commands.arop_sum("k", 0, 9), "AROP k 0 9 SUM"),
    (commands.arop_min("k", 0, 9), "AROP k 0 9 MIN"),
    (commands.arop_max("k", 0, 9), "AROP k 0 9 MAX"),
    (commands.arop_and("k", 0, 9), "AROP k 0 9 AND"),
    (commands.arop_or("k", 0, 9), "AROP k 0 9 OR"),
    (commands.arop_xor("k", 0, 9), "AROP k 0 9 XOR"),
    (commands.arop_match("k", 0, 9, "a"), "AROP k 0 9 MATCH a"),
    (commands.arop_used("k", 0, 9), "AROP k 0 9 USED"),
]

REFUSED: Refused = [
    (lambda: commands.argrep("k"), "argrep must be told what to look for"),
    (lambda: commands.argrep_withvalues("k"), "argrep_withvalues must be told what to look for"),
]

BESIDE: Beside = {commands.argrep: {"exact": "data"}, commands.argrep_withvalues: {"exact": "data"}}
