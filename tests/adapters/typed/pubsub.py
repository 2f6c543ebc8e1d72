"""What commands on channels return on a real server."""

from __future__ import annotations

from adapters.typed.families import Family
from resp_sansio import commands

FAMILIES = [
    Family(
        "pub/sub",
        [
            (commands.publish("channel", "message"), 0, lambda redis: redis.publish("channel", "message")),
            (commands.pubsub_channels(), [], lambda redis: redis.pubsub_channels()),
            (commands.pubsub_channels("c*"), []),
            (commands.pubsub_numpat(), 0, lambda redis: redis.pubsub_numpat()),
            (commands.pubsub_numsub("a", "b", "a"), {b"a": 0, b"b": 0}),
            (commands.pubsub_numsub(), {}),
        ],
    ),
    Family(
        "sharded pub/sub",
        [
            (commands.spublish("channel", "message"), 0),
            (commands.pubsub_shardchannels(), []),
            (commands.pubsub_shardchannels("c*"), []),
            (commands.pubsub_shardnumsub("a"), {b"a": 0}),
        ],
        needs=("Redis 7.0",),
    ),
]
