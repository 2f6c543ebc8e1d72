"""Commands on lists."""

from __future__ import annotations

from ..wire.encoder import Argument
from .arguments import Ordering, Side, Where, given, moving
from .command import Command
from .readers import bulks, done, maybe_bulk, maybe_whole, source_and_value, whole, wholes
from .readers_collections import popped


def lpush(key: Argument, element: Argument, *elements: Argument) -> Command[int]:
    """Put elements before the first, one after the other; return the length."""
    return Command("LPUSH", key, element, *elements, read=whole)


def rpush(key: Argument, element: Argument, *elements: Argument) -> Command[int]:
    """Put elements behind the last; return the length."""
    return Command("RPUSH", key, element, *elements, read=whole)


def lpushx(key: Argument, element: Argument, *elements: Argument) -> Command[int]:
    """As `lpush`, if there is such a list; else return 0."""
    return Command("LPUSHX", key, element, *elements, read=whole)


def rpushx(key: Argument, element: Argument, *elements: Argument) -> Command[int]:
    """As `rpush`, if there is such a list; else return 0."""
    return Command("RPUSHX", key, element, *elements, read=whole)


def linsert(key: Argument, where: Where, pivot: Argument, element: Argument) -> Command[int]:
    """Put an element before or behind the first that equals `pivot`; return the length.

    -1 if none does, 0 if there is no list.
    """
    return Command("LINSERT", key, where, pivot, element, read=whole)


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


def lmpop(
    key: Argument, *keys: Argument, where: Side, count: int | None = None
) -> Command[tuple[bytes, list[bytes]] | None]:
    """Take an element, or up to `count`, from an end of the first of the keys that has one (Redis 7.0).

    Return the key and the elements, None if there are none.
    """
    return Command("LMPOP", len(keys) + 1, key, *keys, where, *given("LMPOP", count=count), read=popped)


def blmpop(
    key: Argument, *keys: Argument, where: Side, timeout: float, count: int | None = None
) -> Command[tuple[bytes, list[bytes]] | None]:
    """As `lmpop`; waits on the server for an element up to `timeout` seconds, 0 for ever."""
    return Command("BLMPOP", timeout, len(keys) + 1, key, *keys, where, *given("BLMPOP", count=count), read=popped)


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


def lmovem(
    source: Argument,
    destination: Argument,
    wherefrom: Side,
    whereto: Side,
    *,
    count: int | None = None,
    exactly: int | None = None,
    ordering: Ordering | None = None,
) -> Command[list[bytes]]:
    """As `lmove` (Redis 8.10); return a list of the elements as they are at `destination`, empty if none was moved.

    It is one element, or up to `count`, or `exactly` so many or else none. They are moved one by one (`ordering` is OBO),
    which may turn their order round, or as they are (BULK).
    """
    words = moving("LMOVEM", count, exactly, ordering)
    return Command("LMOVEM", source, destination, wherefrom, whereto, *words, read=bulks)


def blmovem(
    source: Argument,
    destination: Argument,
    wherefrom: Side,
    whereto: Side,
    *,
    timeout: float,
    count: int | None = None,
    exactly: int | None = None,
    ordering: Ordering | None = None,
) -> Command[list[bytes]]:
    """As `lmovem`; waits on the server for one element, or for `exactly` so many, up to `timeout` seconds, 0 for ever."""
    words = moving("BLMOVEM", count, exactly, ordering)
    return Command("BLMOVEM", source, destination, wherefrom, whereto, timeout, *words, read=bulks)


def rpoplpush(source: Argument, destination: Argument) -> Command[bytes | None]:
    """As `lmove` from RIGHT to LEFT, on servers that are older than it."""
    return Command("RPOPLPUSH", source, destination, read=maybe_bulk)


def brpoplpush(source: Argument, destination: Argument, *, timeout: float) -> Command[bytes | None]:
    """As `blmove` from RIGHT to LEFT, on servers that are older than it."""
    return Command("BRPOPLPUSH", source, destination, timeout, read=maybe_bulk)


def llen(key: Argument) -> Command[int]:
    """Return the number of elements."""
    return Command("LLEN", key, read=whole)


def lrange(key: Argument, start: int, stop: int) -> Command[list[bytes]]:
    """Return the elements from `start` to `stop`, both included; negative ones count from the end."""
    return Command("LRANGE", key, start, stop, read=bulks)


def lindex(key: Argument, index: int) -> Command[bytes | None]:
    """Return the element at `index`, None if there is none."""
    return Command("LINDEX", key, index, read=maybe_bulk)


def lpos(
    key: Argument, element: Argument, *, rank: int | None = None, maxlen: int | None = None
) -> Command[int | None]:
    """Return the index of the first element that equals this, None if none does (Redis 6.0.6).

    With `rank` 2 it is the second, with -1 the last. No more than `maxlen` are looked at.
    """
    return Command("LPOS", key, element, *given("LPOS", rank=rank, maxlen=maxlen), read=maybe_whole)


def lpos_count(
    key: Argument, element: Argument, count: int, *, rank: int | None = None, maxlen: int | None = None
) -> Command[list[int]]:
    """As `lpos`; return the indices of up to `count` of them, 0 for all."""
    words = given("LPOS", rank=rank, maxlen=maxlen)
    return Command("LPOS", key, element, "COUNT", count, *words, read=wholes)


def lset(key: Argument, index: int, element: Argument) -> Command[None]:
    """Replace the element at `index`."""
    return Command("LSET", key, index, element, read=done)


def lrem(key: Argument, count: int, element: Argument) -> Command[int]:
    """Remove the first `count` elements equal to this (the last if negative, all if 0); return how many."""
    return Command("LREM", key, count, element, read=whole)


def ltrim(key: Argument, start: int, stop: int) -> Command[None]:
    """Keep only what `lrange` would return."""
    return Command("LTRIM", key, start, stop, read=done)
