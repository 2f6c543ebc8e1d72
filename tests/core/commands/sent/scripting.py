"""What the builders of commands that run scripts send."""

from __future__ import annotations

from core.commands.rows import Sent
from resp_sansio import commands

SENT: Sent = [
    (commands.eval("return~1", 1, "k", "a"), "EVAL return~1 1 k a"),
    (commands.evalsha("abc", 0), "EVALSHA abc 0"),
    (commands.script_load("return~1"), "SCRIPT LOAD return~1"),
    (commands.script_exists("abc", "def"), "SCRIPT EXISTS abc def"),
]
