"""Commands that came after the newest servers that tests can have: what they return, by their documentation."""

from __future__ import annotations

from core.commands.recorded import Specified, Steps
from resp_sansio import commands

STEPS: Steps = []

SPECIFIED: Specified = [
    (commands.increx("k", byint=5), [15, 5], [15, 5], (15, 5)),
    (commands.increx("k", byint=5, ubound=18), [15, 0], [15, 0], (15, 0)),
    (commands.increx_byfloat("k", 0.5), [b"15.5", b"0.5"], [15.5, 0.5], (15.5, 0.5)),
]
