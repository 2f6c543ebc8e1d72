"""Commands on sets."""

from __future__ import annotations

from ..wire.encoder import Argument
from .arguments import given
from .command import Command
from .readers import Members, bulks, maybe_bulk, members, scanned, truth, truths, whole


def sadd(key: Argument, member: Argument, *members: Argument) -> Command[int]:
    """Add members; return how many are new."""
    return Command("SADD", key, member, *members, read=whole)


def srem(key: Argument, member: Argument, *members: Argument) -> Command[int]:
    """Remove members; return how many there were."""
    return Command("SREM", key, member, *members, read=whole)


def smembers(key: Argument) -> Command[Members[bytes]]:
    """Return all members."""
    return Command("SMEMBERS", key, read=members)


def sismember(key: Argument, member: Argument) -> Command[bool]:
    """Is this a member?"""
    return Command("SISMEMBER", key, member, read=truth)


def smismember(key: Argument, member: Argument, *members: Argument) -> Command[list[bool]]:
    """Which of these are members? (Redis 6.2)"""
    return Command("SMISMEMBER", key, member, *members, read=truths)


def scard(key: Argument) -> Command[int]:
    """Return the number of members."""
    return Command("SCARD", key, read=whole)


def spop(key: Argument) -> Command[bytes | None]:
    """Take any member, None if there is none."""
    return Command("SPOP", key, read=maybe_bulk)


def spop_count(key: Argument, count: int) -> Command[Members[bytes]]:
    """Take any members, up to `count`."""
    return Command("SPOP", key, count, read=members)


def srandmember(key: Argument) -> Command[bytes | None]:
    """Return any member, None if there is none."""
    return Command("SRANDMEMBER", key, read=maybe_bulk)


def srandmember_count(key: Argument, count: int) -> Command[list[bytes]]:
    """Return any members: up to `count` different ones, or exactly `-count` that may repeat."""
    return Command("SRANDMEMBER", key, count, read=bulks)


def sinter(key: Argument, *keys: Argument) -> Command[Members[bytes]]:
    """Return what is in all of the sets."""
    return Command("SINTER", key, *keys, read=members)


def sunion(key: Argument, *keys: Argument) -> Command[Members[bytes]]:
    """Return what is in any of the sets."""
    return Command("SUNION", key, *keys, read=members)


def sdiff(key: Argument, *keys: Argument) -> Command[Members[bytes]]:
    """Return what is in the first set and in none of the others."""
    return Command("SDIFF", key, *keys, read=members)


def sinterstore(destination: Argument, key: Argument, *keys: Argument) -> Command[int]:
    """Put what `sinter` would return in place of `destination`; return how many members that are."""
    return Command("SINTERSTORE", destination, key, *keys, read=whole)


def sunionstore(destination: Argument, key: Argument, *keys: Argument) -> Command[int]:
    """Put what `sunion` would return in place of `destination`; return how many members that are."""
    return Command("SUNIONSTORE", destination, key, *keys, read=whole)


def sdiffstore(destination: Argument, key: Argument, *keys: Argument) -> Command[int]:
    """Put what `sdiff` would return in place of `destination`; return how many members that are."""
    return Command("SDIFFSTORE", destination, key, *keys, read=whole)


def sintercard(key: Argument, *keys: Argument, limit: int | None = None) -> Command[int]:
    """Return how many members are in all of the sets; count no further than `limit` (Redis 7.0)."""
    return Command("SINTERCARD", len(keys) + 1, key, *keys, *given("SINTERCARD", limit=limit), read=whole)


def sunioncard(key: Argument, *keys: Argument, approx: bool = False, limit: int | None = None) -> Command[int]:
    """Return how many members `sunion` would return; count no further than `limit` (Redis 8.10).

    With `approx` it is an estimate, for which the server needs less memory.
    """
    words = given("SUNIONCARD", approx=approx, limit=limit)
    return Command("SUNIONCARD", len(keys) + 1, key, *keys, *words, read=whole)


def sdiffcard(key: Argument, *keys: Argument, limit: int | None = None) -> Command[int]:
    """Return how many members `sdiff` would return; count no further than `limit` (Redis 8.10)."""
    return Command("SDIFFCARD", len(keys) + 1, key, *keys, *given("SDIFFCARD", limit=limit), read=whole)


def smove(source: Argument, destination: Argument, member: Argument) -> Command[bool]:
    """Move a member from set to set; return whether it was there."""
    return Command("SMOVE", source, destination, member, read=truth)


def sscan(
    key: Argument, cursor: int = 0, *, match: Argument | None = None, count: int | None = None
) -> Command[tuple[int, list[bytes]]]:
    """Return where to go on, 0 if that was all, and some members; one may come more than once."""
    return Command("SSCAN", key, cursor, *given("SSCAN", match=match, count=count), read=scanned)
