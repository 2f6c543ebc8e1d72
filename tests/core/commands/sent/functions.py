"""What the builders of commands on functions send."""

from __future__ import annotations

from core.commands.rows import Refused, Sent
from resp_sansio import commands

SENT: Sent = [
    (commands.fcall("f", 1, "k", "a"), "FCALL f 1 k a"),
    (commands.fcall_ro("f", 0), "FCALL_RO f 0"),
    (commands.function_load("code"), "FUNCTION LOAD code"),
    (commands.function_load("code", replace=True), "FUNCTION LOAD REPLACE code"),
    (commands.function_delete("lib"), "FUNCTION DELETE lib"),
    (commands.function_list(), "FUNCTION LIST"),
    (commands.function_list(libraryname="l*", withcode=True), "FUNCTION LIST LIBRARYNAME l* WITHCODE"),
    (commands.function_dump(), "FUNCTION DUMP"),
    (commands.function_restore(b"dump"), "FUNCTION RESTORE dump"),
    (commands.function_restore(b"dump", "REPLACE"), "FUNCTION RESTORE dump REPLACE"),
    (commands.function_flush(), "FUNCTION FLUSH"),
    (commands.function_flush(sync=True), "FUNCTION FLUSH SYNC"),
    (commands.function_kill(), "FUNCTION KILL"),
    (commands.function_stats(), "FUNCTION STATS"),
]

REFUSED: Refused = [
    (lambda: commands.function_flush(asynchronous=True, sync=True), "asynchronous and sync exclude each other"),
]
