"""What the builders of commands on t-digests send."""

from __future__ import annotations

from core.commands.rows import Sent
from resp_sansio import commands

SENT: Sent = [
    (commands.tdigest_create("d"), "TDIGEST.CREATE d"),
    (commands.tdigest_create("d", compression=200), "TDIGEST.CREATE d COMPRESSION 200"),
    (commands.tdigest_reset("d"), "TDIGEST.RESET d"),
    (commands.tdigest_add("d", 1, 2.5), "TDIGEST.ADD d 1 2.5"),
    (commands.tdigest_merge("d", "e"), "TDIGEST.MERGE d 1 e"),
    (
        commands.tdigest_merge("d", "e", "f", compression=50, override=True),
        "TDIGEST.MERGE d 2 e f COMPRESSION 50 OVERRIDE",
    ),
    (commands.tdigest_min("d"), "TDIGEST.MIN d"),
    (commands.tdigest_max("d"), "TDIGEST.MAX d"),
    (commands.tdigest_quantile("d", 0, 0.5), "TDIGEST.QUANTILE d 0 0.5"),
    (commands.tdigest_cdf("d", 1, 2.5), "TDIGEST.CDF d 1 2.5"),
    (commands.tdigest_rank("d", 1, 2.5), "TDIGEST.RANK d 1 2.5"),
    (commands.tdigest_revrank("d", 1, 2.5), "TDIGEST.REVRANK d 1 2.5"),
    (commands.tdigest_byrank("d", 0, 9), "TDIGEST.BYRANK d 0 9"),
    (commands.tdigest_byrevrank("d", 0, 9), "TDIGEST.BYREVRANK d 0 9"),
    (commands.tdigest_trimmed_mean("d", 0.1, 0.9), "TDIGEST.TRIMMED_MEAN d 0.1 0.9"),
    (commands.tdigest_info("d"), "TDIGEST.INFO d"),
]
