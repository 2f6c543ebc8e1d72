"""What the builders of commands that run scripts send."""

from __future__ import annotations

from core.commands.rows import Refused, Sent
from resp_sansio import commands

SENT: Sent = [
    (commands.eval("return~1", 1, "k", "a"), "EVAL return~1 1 k a"),
    (commands.eval_ro("return~1", 1, "k", "a"), "EVAL_RO return~1 1 k a"),
    (commands.evalsha("abc", 0), "EVALSHA abc 0"),
    (commands.evalsha_ro("abc", 0), "EVALSHA_RO abc 0"),
    (commands.script_load("return~1"), "SCRIPT LOAD return~1"),
    (commands.script_exists("abc", "def"), "SCRIPT EXISTS abc def"),
    (commands.script_show("abc"), "SCRIPT SHOW abc"),
    (commands.script_flush(), "SCRIPT FLUSH"),
    (commands.script_flush(asynchronous=True), "SCRIPT FLUSH ASYNC"),
    (commands.script_flush(sync=True), "SCRIPT FLUSH SYNC"),
    (commands.script_kill(), "SCRIPT KILL"),
]

REFUSED: Refused = [
    (lambda: commands.script_flush(asynchronous=True, sync=True), "asynchronous and sync exclude each other"),
]
