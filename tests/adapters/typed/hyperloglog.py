"""What commands on HyperLogLogs return on a real server."""

from __future__ import annotations

from adapters.typed.families import Family
from resp_sansio import commands

FAMILIES = [
    Family(
        "HyperLogLogs",
        [
            (commands.pfadd("h", "a", "b", "c"), True, lambda redis: redis.pfadd("h", "a", "b", "c")),
            (commands.pfadd("h", "a"), False, lambda redis: redis.pfadd("h", "a")),
            (commands.pfadd("i"), True),
            (commands.pfadd("i"), False),
            (commands.pfadd("i", "c", 4), True),
            (commands.pfcount("h"), 3, lambda redis: redis.pfcount("h")),
            (commands.pfcount("h", "i", "none"), 4, lambda redis: redis.pfcount("h", "i", "none")),
            (commands.pfcount("none"), 0),
            (commands.pfmerge("i", "h"), None),
            (commands.pfcount("i"), 4),
        ],
    ),
]
