"""What the builders of commands on cuckoo filters send."""

from __future__ import annotations

from core.commands.rows import Refused, Sent
from resp_sansio import commands

SENT: Sent = [
    (commands.cf_reserve("c", 100), "CF.RESERVE c 100"),
    (
        commands.cf_reserve("c", 100, bucketsize=2, maxiterations=20, expansion=1),
        "CF.RESERVE c 100 BUCKETSIZE 2 MAXITERATIONS 20 EXPANSION 1",
    ),
    (commands.cf_add("c", "i"), "CF.ADD c i"),
    (commands.cf_addnx("c", "i"), "CF.ADDNX c i"),
    (commands.cf_insert("c", "i", "j"), "CF.INSERT c ITEMS i j"),
    (commands.cf_insert("c", "i", capacity=9), "CF.INSERT c CAPACITY 9 ITEMS i"),
    (commands.cf_insertnx("c", "i", "j", nocreate=True), "CF.INSERTNX c NOCREATE ITEMS i j"),
    (commands.cf_exists("c", "i"), "CF.EXISTS c i"),
    (commands.cf_mexists("c", "i", "j"), "CF.MEXISTS c i j"),
    (commands.cf_del("c", "i"), "CF.DEL c i"),
    (commands.cf_count("c", "i"), "CF.COUNT c i"),
    (commands.cf_info("c"), "CF.INFO c"),
    (commands.cf_scandump("c", 0), "CF.SCANDUMP c 0"),
    (commands.cf_loadchunk("c", 1, b"data"), "CF.LOADCHUNK c 1 data"),
]

REFUSED: Refused = [
    (
        lambda: commands.cf_insertnx("c", "i", capacity=9, nocreate=True),
        "nocreate of CF.INSERTNX and how to create a filter exclude each other",
    ),
]
