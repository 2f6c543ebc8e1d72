"""What the builders of commands on channels send."""

from __future__ import annotations

from core.commands.rows import Sent
from resp_sansio import commands

SENT: Sent = [
    (commands.publish("c", "m"), "PUBLISH c m"),
    (commands.spublish("c", "m"), "SPUBLISH c m"),
    (commands.pubsub_channels(), "PUBSUB CHANNELS"),
    (commands.pubsub_channels("c*"), "PUBSUB CHANNELS c*"),
    (commands.pubsub_numpat(), "PUBSUB NUMPAT"),
    (commands.pubsub_numsub("a", "b"), "PUBSUB NUMSUB a b"),
    (commands.pubsub_shardchannels(), "PUBSUB SHARDCHANNELS"),
    (commands.pubsub_shardchannels("c*"), "PUBSUB SHARDCHANNELS c*"),
    (commands.pubsub_shardnumsub("a", "b"), "PUBSUB SHARDNUMSUB a b"),
]
