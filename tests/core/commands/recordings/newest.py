"""Commands that came after the newest servers that tests can have: what they return, by their documentation."""

from __future__ import annotations

from core.commands.recorded import Specified, Steps
from resp_sansio import Entry, PendingEntry, commands

ONE = [b"1-0", [b"f", b"1"]]
TWO = [b"a", b"b"]
GIVEN_BACK = [[b"1-0", b"", -1, 1]]
TIMES = [b"end_time", b"0"]
IDLE = {"state": "idle", "end_time": 0}
READ = {b"x": [Entry(b"1-0", [(b"f", b"1")])]}

STEPS: Steps = []

SPECIFIED: Specified = [
    (commands.increx("k", byint=5), [15, 5], [15, 5], (15, 5)),
    (commands.increx("k", byint=5, ubound=18), [15, 0], [15, 0], (15, 0)),
    (commands.increx_byfloat("k", 0.5), [b"15.5", b"0.5"], [15.5, 0.5], (15.5, 0.5)),
    (commands.himport_prepare("s", "f", "g"), "OK", "OK", None),
    (commands.himport_set("h", "s", 1, 2), "OK", "OK", None),
    (commands.himport_discard("s"), 1, 1, True),
    (commands.himport_discard("s"), 0, 0, False),
    (commands.himport_discardall(), 2, 2, 2),
    (commands.lmovem("l", "m", "LEFT", "RIGHT"), [b"a"], [b"a"], [b"a"]),
    (commands.lmovem("l", "m", "LEFT", "RIGHT", exactly=9, ordering="OBO"), None, None, []),
    (commands.blmovem("l", "m", "LEFT", "RIGHT", timeout=1, count=2, ordering="BULK"), TWO, TWO, TWO),
    (commands.blmovem("l", "m", "LEFT", "RIGHT", timeout=1), None, None, []),
    (commands.sunioncard("s", "t"), 5, 5, 5),
    (commands.sdiffcard("s", "t", limit=1), 1, 1, 1),
    (commands.backup_start(), "OK", "OK", None),
    (commands.backup_seal(), "OK", "OK", None),
    (commands.backup_abort(), "OK", "OK", None),
    (commands.backup_cleanup(), "OK", "OK", None),
    (commands.backup_list(), [b"/base.rdb"], [b"/base.rdb"], ["/base.rdb"]),
    (commands.backup_status(), [b"state", b"idle", *TIMES], {b"state": b"idle", b"end_time": b"0"}, IDLE),
    (commands.xnack("x", "g", "FAIL", "1-0", "9-9"), 1, 1, 1),
    (commands.xpending_range("x", "g", "-", "+", 9), GIVEN_BACK, GIVEN_BACK, [PendingEntry(b"1-0", b"", -1, 1)]),
    (commands.xread({"x": 0, "y": 0}, maxcount=1), [[b"x", [ONE]]], {b"x": [ONE]}, READ),
    (commands.xread({"x": 0, "y": 0}, maxsize=1), [[b"x", [ONE]]], {b"x": [ONE]}, READ),
]
