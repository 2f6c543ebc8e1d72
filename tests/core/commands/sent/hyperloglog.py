"""What the builders of commands on HyperLogLogs send."""

from __future__ import annotations

from core.commands.rows import Sent
from resp_sansio import commands

SENT: Sent = [
    (commands.pfadd("k"), "PFADD k"),
    (commands.pfadd("k", "a", 1), "PFADD k a 1"),
    (commands.pfcount("k", "l"), "PFCOUNT k l"),
    (commands.pfmerge("k"), "PFMERGE k"),
    (commands.pfmerge("k", "l", "m"), "PFMERGE k l m"),
]
