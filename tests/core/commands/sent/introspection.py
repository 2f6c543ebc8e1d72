"""What the builders of commands about commands send."""

from __future__ import annotations

from core.commands.rows import Refused, Sent
from resp_sansio import commands

SENT: Sent = [
    (commands.command_count(), "COMMAND COUNT"),
    (commands.command_docs(), "COMMAND DOCS"),
    (commands.command_docs("get", "set"), "COMMAND DOCS get set"),
    (commands.command_getkeys("MSET", "a", 1, "b", 2), "COMMAND GETKEYS MSET a 1 b 2"),
    (commands.command_getkeysandflags("GET", "a"), "COMMAND GETKEYSANDFLAGS GET a"),
    (commands.command_info(), "COMMAND INFO"),
    (commands.command_info("get", "none"), "COMMAND INFO get none"),
    (commands.command_list(), "COMMAND LIST"),
    (commands.command_list(module="json"), "COMMAND LIST FILTERBY MODULE json"),
    (commands.command_list(aclcat="read"), "COMMAND LIST FILTERBY ACLCAT read"),
    (commands.command_list(pattern="x*"), "COMMAND LIST FILTERBY PATTERN x*"),
]

REFUSED: Refused = [
    (lambda: commands.command_list(module="m", pattern="x*"), "module, aclcat and pattern exclude each other"),
]
