"""Commands on the bits of strings: one by one, in ranges, and as integers of any width."""

from __future__ import annotations

from ..wire.encoder import Argument
from .arguments import BitGet, BitOperation, BitUnit, Bitwise, bit_operations, bit_range
from .command import Command
from .readers import maybe_wholes, whole, wholes


def getbit(key: Argument, offset: int) -> Command[int]:
    """Return the bit at `offset`, 0 if the value is shorter."""
    return Command("GETBIT", key, offset, read=whole)


def setbit(key: Argument, offset: int, value: int) -> Command[int]:
    """Set the bit at `offset` to 0 or 1; return what it was."""
    return Command("SETBIT", key, offset, value, read=whole)


def bitcount(
    key: Argument, start: int | None = None, end: int | None = None, *, unit: BitUnit = "BYTE"
) -> Command[int]:
    """Return how many bits are 1, of those from `start` to `end` if they are given, both included.

    Negative ones count from the end. They count bytes, or bits with `unit` `BIT` (Redis 7.0).
    """
    return Command("BITCOUNT", key, *bit_range("BITCOUNT", start, end, unit, last=-1), read=whole)


def bitpos(
    key: Argument, bit: int, start: int | None = None, end: int | None = None, *, unit: BitUnit = "BYTE"
) -> Command[int]:
    """Return where the first bit is that is 0 or 1, as `bit` says; -1 if there is none.

    From `start` to `end`, as for `bitcount`. Without an `end`, the first 0 may be behind the last byte.
    """
    return Command("BITPOS", key, bit, *bit_range("BITPOS", start, end, unit), read=whole)


def bitop(operation: Bitwise, destkey: Argument, key: Argument, *keys: Argument) -> Command[int]:
    """Store in `destkey` what the operation makes of the keys' bits; return its length in bytes.

    `NOT` takes one key. Bits that are 1 in the first key and in none of the others (`DIFF`), in others and not in the first
    (`DIFF1`), in the first and in others (`ANDOR`), in just one (`ONE`): Redis 8.2.
    """
    return Command("BITOP", operation, destkey, key, *keys, read=whole)


def bitfield(key: Argument, *operations: BitOperation) -> Command[list[int | None]]:
    """Take bits for integers, read and change them; return what each operation but `OVERFLOW` gives.

    An operation is a tuple: `("GET", "u8", 0)` returns the unsigned integer of 8 bits at offset 0, `("SET", "i5", "#2", -1)`
    sets the third signed one of 5 bits and returns what it was, `("INCRBY", "u2", 100, 1)` adds 1 and returns the result.
    `("OVERFLOW", "FAIL")` says that what follows changes nothing, and returns None, if the result has too many bits; `"SAT"`
    takes the nearest integer that fits, and `"WRAP"`, which is the rule if none is given, drops bits.
    """
    return Command("BITFIELD", key, *bit_operations("BITFIELD", operations), read=maybe_wholes)


def bitfield_ro(key: Argument, *operations: BitGet) -> Command[list[int]]:
    """As `bitfield`, with no operation but `GET`; a replica may answer it."""
    return Command("BITFIELD_RO", key, *bit_operations("BITFIELD_RO", operations), read=wholes)
