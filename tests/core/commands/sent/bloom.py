"""What the builders of commands on Bloom filters send."""

from __future__ import annotations

from core.commands.rows import Refused, Sent
from resp_sansio import commands

SENT: Sent = [
    (commands.bf_reserve("b", 0.01, 100), "BF.RESERVE b 0.01 100"),
    (commands.bf_reserve("b", 0.5, 1, expansion=2), "BF.RESERVE b 0.5 1 EXPANSION 2"),
    (commands.bf_reserve("b", 0.5, 1, nonscaling=True), "BF.RESERVE b 0.5 1 NONSCALING"),
    (commands.bf_add("b", "i"), "BF.ADD b i"),
    (commands.bf_madd("b", "i", "j"), "BF.MADD b i j"),
    (commands.bf_insert("b", "i", "j"), "BF.INSERT b ITEMS i j"),
    (
        commands.bf_insert("b", "i", capacity=9, error=0.5, expansion=2),
        "BF.INSERT b CAPACITY 9 ERROR 0.5 EXPANSION 2 ITEMS i",
    ),
    (
        commands.bf_insert("b", "i", tightening=0.5, validatescaleto=1000),
        "BF.INSERT b TIGHTENING 0.5 VALIDATESCALETO 1000 ITEMS i",
    ),
    (commands.bf_insert("b", "i", nocreate=True, nonscaling=True), "BF.INSERT b NOCREATE NONSCALING ITEMS i"),
    (commands.bf_exists("b", "i"), "BF.EXISTS b i"),
    (commands.bf_mexists("b", "i", "j"), "BF.MEXISTS b i j"),
    (commands.bf_card("b"), "BF.CARD b"),
    (commands.bf_info("b"), "BF.INFO b"),
    (commands.bf_scandump("b", 0), "BF.SCANDUMP b 0"),
    (commands.bf_loadchunk("b", 1, b"data"), "BF.LOADCHUNK b 1 data"),
]

REFUSED: Refused = [
    (
        lambda: commands.bf_insert("b", "i", capacity=9, nocreate=True),
        "nocreate of BF.INSERT and how to create a filter exclude each other",
    ),
    (
        lambda: commands.bf_reserve("b", 0.5, 1, expansion=2, nonscaling=True),
        "expansion and nonscaling exclude each other",
    ),
]
