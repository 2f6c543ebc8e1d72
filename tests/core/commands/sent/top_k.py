"""What the builders of commands on top lists send."""

from __future__ import annotations

from core.commands.rows import Refused, Sent
from resp_sansio import commands

SENT: Sent = [
    (commands.topk_reserve("t", 3), "TOPK.RESERVE t 3"),
    (commands.topk_reserve("t", 3, width=8, depth=7, decay=0.5), "TOPK.RESERVE t 3 8 7 0.5"),
    (commands.topk_add("t", "i", "j"), "TOPK.ADD t i j"),
    (commands.topk_incrby("t", {"i": 0, b"j": 100_000}), "TOPK.INCRBY t i 0 j 100000"),
    (commands.topk_query("t", "i", "j"), "TOPK.QUERY t i j"),
    (commands.topk_count("t", "i", "j"), "TOPK.COUNT t i j"),
    (commands.topk_list("t"), "TOPK.LIST t"),
    (commands.topk_list_withcount("t"), "TOPK.LIST t WITHCOUNT"),
    (commands.topk_info("t"), "TOPK.INFO t"),
]

BETWEEN = "every count of TOPK.INCRBY must be from 0 to 100,000"

REFUSED: Refused = [
    (lambda: commands.topk_reserve("t", 3, width=8, decay=0.5), "width, depth and decay of TOPK.RESERVE go together"),
    # Servers say an array of as many replies as there are items, and no more than the ones up to the refused one.
    (lambda: commands.topk_incrby("t", {"i": 1, "j": -1}), BETWEEN),
    (lambda: commands.topk_incrby("t", {"i": 100_001}), BETWEEN),
]
