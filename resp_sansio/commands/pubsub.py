"""Commands on channels, but for those that subscribe."""

from __future__ import annotations

from ..wire.encoder import Argument
from .command import Command
from .readers import bulks, whole
from .readers_pubsub import counts


def publish(channel: Argument, message: Argument) -> Command[int]:
    """Send a message to all who listen; return how many there are (on this server)."""
    return Command("PUBLISH", channel, message, read=whole)


def spublish(shardchannel: Argument, message: Argument) -> Command[int]:
    """Send a message to all who listen to a sharded channel; return how many there are (Redis 7.0)."""
    return Command("SPUBLISH", shardchannel, message, read=whole)


def pubsub_channels(pattern: Argument | None = None) -> Command[list[bytes]]:
    """Return the channels that clients listen to, or those that a pattern matches."""
    return Command("PUBSUB CHANNELS", *(() if pattern is None else (pattern,)), read=bulks)


def pubsub_numpat() -> Command[int]:
    """Return how many patterns clients listen to."""
    return Command("PUBSUB NUMPAT", read=whole)


def pubsub_numsub(*channels: Argument) -> Command[dict[bytes, int]]:
    """Return how many clients listen to each of these channels."""
    return Command("PUBSUB NUMSUB", *channels, read=counts)


def pubsub_shardchannels(pattern: Argument | None = None) -> Command[list[bytes]]:
    """Return the sharded channels that clients listen to, or those that a pattern matches (Redis 7.0)."""
    return Command("PUBSUB SHARDCHANNELS", *(() if pattern is None else (pattern,)), read=bulks)


def pubsub_shardnumsub(*shardchannels: Argument) -> Command[dict[bytes, int]]:
    """Return how many clients listen to each of these sharded channels (Redis 7.0)."""
    return Command("PUBSUB SHARDNUMSUB", *shardchannels, read=counts)
