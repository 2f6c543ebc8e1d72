"""What the builders of commands on count-min sketches send."""

from __future__ import annotations

from core.commands.rows import Refused, Sent
from resp_sansio import commands

SENT: Sent = [
    (commands.cms_initbydim("m", 10, 3), "CMS.INITBYDIM m 10 3"),
    (commands.cms_initbyprob("m", 0.01, 0.5), "CMS.INITBYPROB m 0.01 0.5"),
    (commands.cms_incrby("m", {"i": 5, b"j": -1}), "CMS.INCRBY m i 5 j -1"),
    (commands.cms_query("m", "i", "j"), "CMS.QUERY m i j"),
    (commands.cms_merge("m", "n"), "CMS.MERGE m 1 n"),
    (commands.cms_merge("m", "n", "o", weights=[1, 2]), "CMS.MERGE m 2 n o WEIGHTS 1 2"),
    (commands.cms_info("m"), "CMS.INFO m"),
]

REFUSED: Refused = [
    (lambda: commands.cms_merge("m", "n", "o", weights=[1]), "CMS.MERGE has 2 keys and 1 weights: give one for each"),
]
