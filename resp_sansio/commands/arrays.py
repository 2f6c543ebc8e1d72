"""Commands on arrays (Redis 8.8): values at indices from 0 on, which need not follow each other."""

from __future__ import annotations

from ..wire.encoder import Argument
from .arguments import Fields, given, in_turn
from .arguments_server import counted, valued
from .command import Command
from .readers import maybe_bulk, maybe_bulks, maybe_number, maybe_whole, truth, whole, wholes
from .readers_arrays import ArrayInfo, array_information, indexed


def arset(key: Argument, index: int, value: Argument, *values: Argument) -> Command[int]:
    """Set the value at an index, and more behind it; return how many of these places were empty (Redis 8.8)."""
    return Command("ARSET", key, index, value, *values, read=whole)


def armset(key: Argument, values: Fields) -> Command[int]:
    """Set values by index; return how many of these places were empty (Redis 8.8)."""
    return Command("ARMSET", key, *in_turn("ARMSET", "values", values), read=whole)


def arget(key: Argument, index: int) -> Command[bytes | None]:
    """Return the value at an index, None if there is none (Redis 8.8)."""
    return Command("ARGET", key, index, read=maybe_bulk)


def armget(key: Argument, index: int, *indices: int) -> Command[list[bytes | None]]:
    """Return the values at these indices, with None for each that is not there (Redis 8.8)."""
    return Command("ARMGET", key, index, *indices, read=maybe_bulks)


def argetrange(key: Argument, start: int, end: int) -> Command[list[bytes | None]]:
    """Return the values from `start` to `end`, both included, with None for each that is not there (Redis 8.8)."""
    return Command("ARGETRANGE", key, start, end, read=maybe_bulks)


def arscan(key: Argument, start: int, end: int, *, limit: int | None = None) -> Command[list[tuple[int, bytes]]]:
    """Return the values that are there from `start` to `end`, each behind its index (Redis 8.8).

    Backwards if `start` is greater than `end`.
    """
    return Command("ARSCAN", key, start, end, *counted("ARSCAN", limit=limit), read=indexed)


def ardel(key: Argument, index: int, *indices: int) -> Command[int]:
    """Delete the values at these indices; return how many there were (Redis 8.8)."""
    return Command("ARDEL", key, index, *indices, read=whole)


def ardelrange(key: Argument, start: int, end: int, *ranges: int) -> Command[int]:
    """Delete the values of these ranges, each from a first to a last; return how many there were (Redis 8.8)."""
    return Command("ARDELRANGE", key, start, end, *ranges, read=whole)


def arlen(key: Argument) -> Command[int]:
    """Return the greatest index and one, 0 if there is no such key (Redis 8.8)."""
    return Command("ARLEN", key, read=whole)


def arcount(key: Argument) -> Command[int]:
    """Return how many values there are (Redis 8.8)."""
    return Command("ARCOUNT", key, read=whole)


def arinfo(key: Argument, *, full: bool = False) -> Command[ArrayInfo]:
    """Return how an array is stored (Redis 8.8)."""
    return Command("ARINFO", key, *given("ARINFO", full=full), read=array_information)


# -- one after the other --------------------------------------------------------------------------------------------------------


def arinsert(key: Argument, value: Argument, *values: Argument) -> Command[int]:
    """Set values behind the one that was inserted last; return the index of the last (Redis 8.8)."""
    return Command("ARINSERT", key, value, *values, read=whole)


def arring(key: Argument, size: int, value: Argument, *values: Argument) -> Command[int]:
    """As `arinsert`, but begin again at 0 where `size` is reached (Redis 8.8)."""
    return Command("ARRING", key, size, value, *values, read=whole)


def arnext(key: Argument) -> Command[int | None]:
    """Return the index that `arinsert` will use, None if there is no room behind the last (Redis 8.8)."""
    return Command("ARNEXT", key, read=maybe_whole)


def arseek(key: Argument, index: int) -> Command[bool]:
    """Say which index `arinsert` is to use; is there such a key? (Redis 8.8)"""
    return Command("ARSEEK", key, index, read=truth)


def arlastitems(key: Argument, count: int, *, rev: bool = False) -> Command[list[bytes | None]]:
    """Return the values that were inserted last, the last one at the end, or first (`rev`) (Redis 8.8)."""
    return Command("ARLASTITEMS", key, count, *given("ARLASTITEMS", rev=rev), read=maybe_bulks)


# -- what is in a range --------------------------------------------------------------------------------------------------------


def argrep(
    key: Argument,
    start: Argument = "-",
    end: Argument = "+",
    *,
    exact: Argument | None = None,
    match: Argument | None = None,
    glob: Argument | None = None,
    re: Argument | None = None,
    every: bool = False,
    limit: int | None = None,
    nocase: bool = False,
) -> Command[list[int]]:
    """Return the indices of the values that are this, contain it, or that a pattern matches (Redis 8.8).

    Of several conditions one is enough, if not `every` one must hold. Backwards if `start` is greater than `end`.
    """
    conditions = valued(exact=exact, match=match, glob=glob, re=re)
    if not conditions:
        raise ValueError("argrep must be told what to look for: exact, match, glob or re")
    flags = [*(("AND",) if given("ARGREP", every=every) else ()), *given("ARGREP", nocase=nocase)]
    return Command("ARGREP", key, start, end, *conditions, *flags, *counted("ARGREP", limit=limit), read=wholes)


def argrep_withvalues(
    key: Argument,
    start: Argument = "-",
    end: Argument = "+",
    *,
    exact: Argument | None = None,
    match: Argument | None = None,
    glob: Argument | None = None,
    re: Argument | None = None,
    every: bool = False,
    limit: int | None = None,
    nocase: bool = False,
) -> Command[list[tuple[int, bytes]]]:
    """As `argrep`, with the values (Redis 8.8)."""
    conditions = valued(exact=exact, match=match, glob=glob, re=re)
    if not conditions:
        raise ValueError("argrep_withvalues must be told what to look for: exact, match, glob or re")
    flags = [*(("AND",) if given("ARGREP", every=every) else ()), *given("ARGREP", nocase=nocase), "WITHVALUES"]
    return Command("ARGREP", key, start, end, *conditions, *flags, *counted("ARGREP", limit=limit), read=indexed)


def arop_sum(key: Argument, start: int, end: int) -> Command[float | None]:
    """Return the sum of the values that are numbers, None if there are none (Redis 8.8)."""
    return Command("AROP", key, start, end, "SUM", read=maybe_number)


def arop_min(key: Argument, start: int, end: int) -> Command[float | None]:
    """Return the smallest number, None if there is none (Redis 8.8)."""
    return Command("AROP", key, start, end, "MIN", read=maybe_number)


def arop_max(key: Argument, start: int, end: int) -> Command[float | None]:
    """Return the greatest number, None if there is none (Redis 8.8)."""
    return Command("AROP", key, start, end, "MAX", read=maybe_number)


def arop_and(key: Argument, start: int, end: int) -> Command[int | None]:
    """Return the bits that all whole numbers have, None if there are none (Redis 8.8)."""
    return Command("AROP", key, start, end, "AND", read=maybe_whole)


def arop_or(key: Argument, start: int, end: int) -> Command[int | None]:
    """Return the bits that any whole number has, None if there are none (Redis 8.8)."""
    return Command("AROP", key, start, end, "OR", read=maybe_whole)


def arop_xor(key: Argument, start: int, end: int) -> Command[int | None]:
    """Return the bits that an odd number of whole numbers have, None if there are none (Redis 8.8)."""
    return Command("AROP", key, start, end, "XOR", read=maybe_whole)


def arop_match(key: Argument, start: int, end: int, value: Argument) -> Command[int]:
    """Return how many values are this one (Redis 8.8)."""
    return Command("AROP", key, start, end, "MATCH", value, read=whole)


def arop_used(key: Argument, start: int, end: int) -> Command[int]:
    """Return how many values there are (Redis 8.8)."""
    return Command("AROP", key, start, end, "USED", read=whole)
