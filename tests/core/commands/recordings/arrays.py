"""Commands on arrays, which came after the newest servers that tests can have: what they return, by their documentation."""

from __future__ import annotations

from typing import Any

from core.commands.recorded import Specified, Steps
from resp_sansio import commands

GAPS: Any = [b"a", None, b"c"]
PAIRS: Any = [[0, b"a"], [5, b"b"]]
INFO: Any = {
    b"count": 3, b"len": 101, b"next-insert-index": 1, b"slices": 1, b"directory-size": 2, b"super-dir-entries": 0,
    b"slice-size": 4096,
}  # fmt: skip
FULL: Any = {**INFO, b"dense-slices": 1, b"avg-dense-fill": 0.5}
OWN = {
    "count": 3, "len": 101, "next_insert_index": 1, "slices": 1, "directory_size": 2, "super_dir_entries": 0,
    "slice_size": 4096,
}  # fmt: skip


def turns(found: Any) -> list[Any]:
    """RESP2's way with a map, doubles as text."""
    return [b"%r" % part if type(part) is float else part for pair in found.items() for part in pair]


STEPS: Steps = []

SPECIFIED: Specified = [
    (commands.arset("k", 0, "a"), 1, 1, 1),
    (commands.armset("k", {0: "a", 5: "b"}), 2, 2, 2),
    (commands.arget("k", 0), b"a", b"a", b"a"),
    (commands.arget("k", 1), None, None, None),
    (commands.armget("k", 0, 1, 2), GAPS, GAPS, [b"a", None, b"c"]),
    (commands.argetrange("k", 0, 2), GAPS, GAPS, [b"a", None, b"c"]),
    (commands.arscan("k", 0, 9), PAIRS, PAIRS, [(0, b"a"), (5, b"b")]),
    (commands.arscan("k", 9, 0, limit=2), [5, b"b", 0, b"a"], [5, b"b", 0, b"a"], [(5, b"b"), (0, b"a")]),
    (commands.arscan("k", 7, 9), [], [], []),
    (commands.ardel("k", 0, 1), 1, 1, 1),
    (commands.ardelrange("k", 0, 1, 5, 9), 2, 2, 2),
    (commands.arlen("k"), 6, 6, 6),
    (commands.arcount("k"), 2, 2, 2),
    (commands.arinfo("k"), turns(INFO), INFO, OWN),
    (commands.arinfo("k", full=True), turns(FULL), FULL, {**OWN, "dense_slices": 1, "avg_dense_fill": 0.5}),
    (commands.arinsert("k", "a", "b"), 1, 1, 1),
    (commands.arring("k", 10, "a"), 0, 0, 0),
    (commands.arnext("k"), 1, 1, 1),
    (commands.arnext("k"), None, None, None),
    (commands.arseek("k", 10), 1, 1, True),
    (commands.arseek("none", 10), 0, 0, False),
    (commands.arlastitems("k", 3), GAPS, GAPS, [b"a", None, b"c"]),
    (commands.argrep("k", match="a"), [0, 5], [0, 5], [0, 5]),
    (commands.argrep_withvalues("k", glob="*"), PAIRS, PAIRS, [(0, b"a"), (5, b"b")]),
    (commands.arop_sum("k", 0, 9), b"7.5", b"7.5", 7.5),
    (commands.arop_sum("none", 0, 9), None, None, None),
    (commands.arop_min("k", 0, 9), b"1", b"1", 1.0),
    (commands.arop_max("k", 0, 9), b"6.5", b"6.5", 6.5),
    (commands.arop_and("k", 0, 9), 4, 4, 4),
    (commands.arop_or("k", 0, 9), 7, 7, 7),
    (commands.arop_xor("k", 0, 9), None, None, None),
    (commands.arop_match("k", 0, 9, "a"), 1, 1, 1),
    (commands.arop_used("k", 0, 9), 2, 2, 2),
]
