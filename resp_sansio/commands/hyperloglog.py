"""Commands on HyperLogLogs, which count different elements without keeping them: with an error of 0.81 % on the average."""

from __future__ import annotations

from ..wire.encoder import Argument
from .command import Command
from .readers import done, truth, whole


def pfadd(key: Argument, *elements: Argument) -> Command[bool]:
    """Count elements; return whether that changed the estimate, or made the key."""
    return Command("PFADD", key, *elements, read=truth)


def pfcount(key: Argument, *keys: Argument) -> Command[int]:
    """Return about how many different elements were counted in all of the keys."""
    return Command("PFCOUNT", key, *keys, read=whole)


def pfmerge(destkey: Argument, *sourcekeys: Argument) -> Command[None]:
    """Let `destkey` have counted what it and all of the other keys have."""
    return Command("PFMERGE", destkey, *sourcekeys, read=done)
