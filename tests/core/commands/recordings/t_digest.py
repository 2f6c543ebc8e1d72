"""Commands on t-digests, with what each returns."""

from __future__ import annotations

import math

from core.commands.recorded import Like, Steps
from resp_sansio import commands

MADE = {
    "compression": 100,
    "capacity": 610,
    "merged_nodes": 4,
    "unmerged_nodes": 0,
    "merged_weight": 4,
    "unmerged_weight": 0,
    "observations": 4,
    "total_compressions": 1,
}

STEPS: Steps = [
    (commands.tdigest_create("d"), None),
    (commands.tdigest_create("e", compression=200), None),
    (commands.tdigest_min("d"), math.nan),
    (commands.tdigest_max("d"), math.nan),
    (commands.tdigest_trimmed_mean("d", 0.1, 0.9), math.nan),
    (commands.tdigest_quantile("d", 0.5), [math.nan]),
    (commands.tdigest_cdf("d", 1), [math.nan]),
    (commands.tdigest_byrank("d", 0), [math.nan]),
    (commands.tdigest_byrevrank("d", 0), [math.nan]),
    (commands.tdigest_rank("d", 0), [-2]),
    (commands.tdigest_revrank("d", 0), [-2]),
    (commands.tdigest_add("d", 1, 2.5, 4, -8), None),
    (commands.tdigest_min("d"), -8.0),
    (commands.tdigest_max("d"), 4.0),
    (commands.tdigest_quantile("d", 0, 0.5, 1), [-8.0, 2.5, 4.0]),
    (commands.tdigest_cdf("d", -9, 2.5, 5), [0.0, 0.625, 1.0]),
    (commands.tdigest_rank("d", -9, 1, 9), [-1, 1, 4]),
    (commands.tdigest_revrank("d", -9, 1, 9), [4, 2, -1]),
    (commands.tdigest_byrank("d", 0, 3, 4), [-8.0, 4.0, math.inf]),
    (commands.tdigest_byrevrank("d", 0, 3, 4), [4.0, -8.0, -math.inf]),
    (commands.tdigest_trimmed_mean("d", 0.25, 0.75), 1.75),
    (commands.tdigest_info("d"), Like(dict, lambda found: type(found.pop("memory_usage")) is int and found == MADE)),
    (commands.tdigest_merge("e", "d"), None),
    (commands.tdigest_merge("e", "d", "d", compression=50, override=True), None),
    (commands.tdigest_max("e"), 4.0),
    (commands.tdigest_reset("e"), None),
    (commands.tdigest_max("e"), math.nan),
]
