"""Commands on hashes."""

from __future__ import annotations

from ..wire.encoder import Argument
from .arguments import NONE, Fields, given, in_turn
from .command import Command
from .readers import bulks, maybe_bulk, maybe_bulks, number, scanned_table, table, truth, whole


def hget(key: Argument, field: Argument) -> Command[bytes | None]:
    """Return the value of a field, None if there is none."""
    return Command("HGET", key, field, read=maybe_bulk)


def hset(
    key: Argument, field: Argument | None = None, value: Argument | None = None, *, mapping: Fields = NONE
) -> Command[int]:
    """Set one field, or those of a mapping, or both; return how many are new."""
    if (field is None) is not (value is None):
        raise ValueError("field and value go together")
    one = () if field is None or value is None else (field, value)
    more = () if mapping is NONE else in_turn("HSET", "mapping", mapping)
    return Command("HSET", key, *one, *more, read=whole)


def hsetnx(key: Argument, field: Argument, value: Argument) -> Command[bool]:
    """Set a field if there is none; return whether it was set."""
    return Command("HSETNX", key, field, value, read=truth)


def hgetall(key: Argument) -> Command[dict[bytes, bytes]]:
    """Return all fields with their values; empty if there is no such key."""
    return Command("HGETALL", key, read=table)


def hmget(key: Argument, field: Argument, *fields: Argument) -> Command[list[bytes | None]]:
    """Return the values of the fields, None for each that does not exist."""
    return Command("HMGET", key, field, *fields, read=maybe_bulks)


def hdel(key: Argument, field: Argument, *fields: Argument) -> Command[int]:
    """Delete fields; return how many there were."""
    return Command("HDEL", key, field, *fields, read=whole)


def hexists(key: Argument, field: Argument) -> Command[bool]:
    """Is there such a field?"""
    return Command("HEXISTS", key, field, read=truth)


def hincrby(key: Argument, field: Argument, increment: int) -> Command[int]:
    """Add to a field; return the result."""
    return Command("HINCRBY", key, field, increment, read=whole)


def hincrbyfloat(key: Argument, field: Argument, increment: float) -> Command[float]:
    """Add to a field; return the result."""
    return Command("HINCRBYFLOAT", key, field, increment, read=number)


def hlen(key: Argument) -> Command[int]:
    """Return the number of fields."""
    return Command("HLEN", key, read=whole)


def hkeys(key: Argument) -> Command[list[bytes]]:
    """Return the names of all fields."""
    return Command("HKEYS", key, read=bulks)


def hvals(key: Argument) -> Command[list[bytes]]:
    """Return the values of all fields."""
    return Command("HVALS", key, read=bulks)


def hscan(
    key: Argument, cursor: int = 0, *, match: Argument | None = None, count: int | None = None
) -> Command[tuple[int, dict[bytes, bytes]]]:
    """Return where to go on, 0 if that was all, and some fields with their values."""
    return Command("HSCAN", key, cursor, *given("HSCAN", match=match, count=count), read=scanned_table)
