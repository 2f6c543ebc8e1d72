"""Commands on lists."""

from __future__ import annotations

from ..wire.encoder import Argument
from .arguments import Side
from .command import Command
from .readers import bulks, done, maybe_bulk, source_and_value, whole


def lpush(key: Argument, element: Argument, *elements: Argument) -> Command[int]:
    """Put elements before the first, one after the other; return the length."""
    return Command("LPUSH", key, element, *elements, read=whole)


def rpush(key: Argument, element: Argument, *elements: Argument) -> Command[int]:
    """Put elements behind the last; return the length."""
    return Command("RPUSH", key, element, *elements, read=whole)


def lpop(key: Argument) -> Command[bytes | None]:
    """Take the first element, None if there is none."""
    return Command("LPOP", key, read=maybe_bulk)


def lpop_count(key: Argument, count: int) -> Command[list[bytes]]:
    """Take up to `count` elements from the front (Redis 6.2); empty if there is no such key."""
    return Command("LPOP", key, count, read=bulks)


def rpop(key: Argument) -> Command[bytes | None]:
    """Take the last element, None if there is none."""
    return Command("RPOP", key, read=maybe_bulk)


def rpop_count(key: Argument, count: int) -> Command[list[bytes]]:
    """Take up to `count` elements from the end (Redis 6.2); empty if there is no such key."""
    return Command("RPOP", key, count, read=bulks)


def blpop(key: Argument, *keys: Argument, timeout: float) -> Command[tuple[bytes, bytes] | None]:
    """Take the first element of the first of the keys that has one; return key and element.

    Waits on the server for one up to `timeout` seconds, 0 for ever; None if none came.
    """
    return Command("BLPOP", key, *keys, timeout, read=source_and_value)


def brpop(key: Argument, *keys: Argument, timeout: float) -> Command[tuple[bytes, bytes] | None]:
    """As `blpop`, the last element."""
    return Command("BRPOP", key, *keys, timeout, read=source_and_value)


def lmove(source: Argument, destination: Argument, wherefrom: Side, whereto: Side) -> Command[bytes | None]:
    """Move an element between ends of lists (Redis 6.2); return it, None if there is none."""
    return Command("LMOVE", source, destination, wherefrom, whereto, read=maybe_bulk)


def blmove(
    source: Argument, destination: Argument, wherefrom: Side, whereto: Side, *, timeout: float
) -> Command[bytes | None]:
    """As `lmove`; waits on the server for an element up to `timeout` seconds, 0 for ever."""
    return Command("BLMOVE", source, destination, wherefrom, whereto, timeout, read=maybe_bulk)


def llen(key: Argument) -> Command[int]:
    """Return the number of elements."""
    return Command("LLEN", key, read=whole)


def lrange(key: Argument, start: int, stop: int) -> Command[list[bytes]]:
    """Return the elements from `start` to `stop`, both included; negative ones count from the end."""
    return Command("LRANGE", key, start, stop, read=bulks)


def lindex(key: Argument, index: int) -> Command[bytes | None]:
    """Return the element at `index`, None if there is none."""
    return Command("LINDEX", key, index, read=maybe_bulk)


def lset(key: Argument, index: int, element: Argument) -> Command[None]:
    """Replace the element at `index`."""
    return Command("LSET", key, index, element, read=done)


def lrem(key: Argument, count: int, element: Argument) -> Command[int]:
    """Remove the first `count` elements equal to this (the last if negative, all if 0); return how many."""
    return Command("LREM", key, count, element, read=whole)


def ltrim(key: Argument, start: int, stop: int) -> Command[None]:
    """Keep only what `lrange` would return."""
    return Command("LTRIM", key, start, stop, read=done)
