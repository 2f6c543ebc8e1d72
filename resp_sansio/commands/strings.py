"""Commands on strings, numbers among them."""

from __future__ import annotations

from ..wire.encoder import Argument
from .arguments import Fields, comparison, exclusive, expiring, given, in_turn, numbers
from .command import Command
from .readers import bulk, done, maybe_bulk, maybe_bulks, number, stored, truth, two_wholes, whole
from .readers_own import maybe_own_text
from .readers_strings import LcsMatches, float_increase, lcs_matches


def get(key: Argument) -> Command[bytes | None]:
    """Return the value of `key`, None if there is none."""
    return Command("GET", key, read=maybe_bulk)


def set(
    key: Argument,
    value: Argument,
    *,
    ex: int | None = None,
    px: int | None = None,
    exat: int | None = None,
    pxat: int | None = None,
    nx: bool = False,
    xx: bool = False,
    keepttl: bool = False,
    ifeq: Argument | None = None,
    ifne: Argument | None = None,
    ifdeq: Argument | None = None,
    ifdne: Argument | None = None,
) -> Command[bool]:
    """Set `key`; return whether it was set: with `nx` only if it is new, with `xx` only if it exists.

    It expires after `ex` seconds or `px` milliseconds, or at the Unix time `exat` in seconds or `pxat` in milliseconds.

    With `ifeq` only if that is its value (Redis 8.4; Valkey 8.1), with `ifne` only if it is not; `ifdeq` and `ifdne` say the
    same of what `digest` returns (Redis 8.4). A key that does not exist has another value than any.
    """
    # (In one chain, `ex is px is ... is None` takes ten times as long.)
    if (
        (ex is None and px is None and exat is None and pxat is None)
        and (nx is False and xx is False and keepttl is False)
        and (ifeq is None and ifne is None and ifdeq is None and ifdne is None)
    ):
        return Command("SET", key, value, read=stored)
    expiry = exclusive("SET", ex=ex, px=px, exat=exat, pxat=pxat, keepttl=keepttl)
    only = comparison("SET", ifeq, ifne, ifdeq, ifdne, nx, xx)
    return Command("SET", key, value, *only, *expiry, read=stored)


def set_get(
    key: Argument,
    value: Argument,
    *,
    ex: int | None = None,
    px: int | None = None,
    exat: int | None = None,
    pxat: int | None = None,
    nx: bool = False,
    xx: bool = False,
    keepttl: bool = False,
    ifeq: Argument | None = None,
    ifne: Argument | None = None,
    ifdeq: Argument | None = None,
    ifdne: Argument | None = None,
) -> Command[bytes | None]:
    """As `set`, and return the value before it, set or not (Redis 6.2; with `nx` 7.0)."""
    expiry = exclusive("SET", ex=ex, px=px, exat=exat, pxat=pxat, keepttl=keepttl)
    only = comparison("SET", ifeq, ifne, ifdeq, ifdne, nx, xx)
    return Command("SET", key, value, *only, "GET", *expiry, read=maybe_bulk)


def setnx(key: Argument, value: Argument) -> Command[bool]:
    """Set `key` if it is new; return whether it was set. Deprecated: use `set` with `nx`."""
    return Command("SETNX", key, value, read=truth)


def setex(key: Argument, seconds: int, value: Argument) -> Command[None]:
    """Set `key`, which expires after `seconds`. Deprecated: use `set` with `ex`."""
    return Command("SETEX", key, seconds, value, read=done)


def psetex(key: Argument, milliseconds: int, value: Argument) -> Command[None]:
    """Set `key`, which expires after `milliseconds`. Deprecated: use `set` with `px`."""
    return Command("PSETEX", key, milliseconds, value, read=done)


def getset(key: Argument, value: Argument) -> Command[bytes | None]:
    """Set `key`; return the value before it, None if there was none. Deprecated: use `set_get`."""
    return Command("GETSET", key, value, read=maybe_bulk)


def getdel(key: Argument) -> Command[bytes | None]:
    """Return the value of `key` and delete it (Redis 6.2)."""
    return Command("GETDEL", key, read=maybe_bulk)


def getex(
    key: Argument,
    *,
    ex: int | None = None,
    px: int | None = None,
    exat: int | None = None,
    pxat: int | None = None,
    persist: bool = False,
) -> Command[bytes | None]:
    """Return the value of `key` and set when it expires, as `set` does, or that it does not (Redis 6.2)."""
    return Command(
        "GETEX", key, *exclusive("GETEX", ex=ex, px=px, exat=exat, pxat=pxat, persist=persist), read=maybe_bulk
    )


def mget(key: Argument, *keys: Argument) -> Command[list[bytes | None]]:
    """Return the values of the keys, None for each that does not exist."""
    return Command("MGET", key, *keys, read=maybe_bulks)


def mset(values: Fields) -> Command[None]:
    """Set all of these keys."""
    return Command("MSET", *in_turn("MSET", "values", values), read=done)


def msetnx(values: Fields) -> Command[bool]:
    """Set all of these keys if none of them exists; return whether it was done."""
    return Command("MSETNX", *in_turn("MSETNX", "values", values), read=truth)


def msetex(
    values: Fields,
    *,
    nx: bool = False,
    xx: bool = False,
    ex: int | None = None,
    px: int | None = None,
    exat: int | None = None,
    pxat: int | None = None,
    keepttl: bool = False,
) -> Command[bool]:
    """Set all of these keys, which expire as `set` says; return whether it was done (Redis 8.4; Valkey 9.1).

    With `nx` only if none of them exists, with `xx` only if all do.
    """
    words = in_turn("MSETEX", "values", values)
    only = exclusive("MSETEX", nx=nx, xx=xx)
    expiry = exclusive("MSETEX", ex=ex, px=px, exat=exat, pxat=pxat, keepttl=keepttl)
    return Command("MSETEX", len(values), *words, *only, *expiry, read=truth)


def delex(
    key: Argument,
    *,
    ifeq: Argument | None = None,
    ifne: Argument | None = None,
    ifdeq: Argument | None = None,
    ifdne: Argument | None = None,
) -> Command[bool]:
    """Delete `key` if its value, or the digest of that, is this one or is not; return whether it was deleted (Redis 8.4).

    The conditions are those of `set`. Without one, a key of any type is deleted.
    """
    return Command("DELEX", key, *comparison("DELEX", ifeq, ifne, ifdeq, ifdne), read=truth)


def delifeq(key: Argument, value: Argument) -> Command[bool]:
    """Delete `key` if that is its value; return whether it was deleted (Valkey 9.0). `delex` with `ifeq` does it on Redis."""
    return Command("DELIFEQ", key, value, read=truth)


def digest(key: Argument) -> Command[str | None]:
    """Return the digest (XXH3) of the value of `key` in 16 hexadecimal digits, None if there is none (Redis 8.4)."""
    return Command("DIGEST", key, read=maybe_own_text)


def append(key: Argument, value: Argument) -> Command[int]:
    """Append to the value of `key`; return its length."""
    return Command("APPEND", key, value, read=whole)


def strlen(key: Argument) -> Command[int]:
    """Return the length of the value of `key` in bytes."""
    return Command("STRLEN", key, read=whole)


def getrange(key: Argument, start: int, end: int) -> Command[bytes]:
    """Return the bytes from `start` to `end`, both included; negative ones count from the end."""
    return Command("GETRANGE", key, start, end, read=bulk)


def substr(key: Argument, start: int, end: int) -> Command[bytes]:
    """Return the bytes from `start` to `end`. Deprecated: use `getrange`."""
    return Command("SUBSTR", key, start, end, read=bulk)


def setrange(key: Argument, offset: int, value: Argument) -> Command[int]:
    """Overwrite the bytes from `offset` on; return the length of it all."""
    return Command("SETRANGE", key, offset, value, read=whole)


def incr(key: Argument) -> Command[int]:
    """Add 1; return the result."""
    return Command("INCR", key, read=whole)


def incrby(key: Argument, increment: int) -> Command[int]:
    """Add `increment`; return the result."""
    return Command("INCRBY", key, increment, read=whole)


def incrbyfloat(key: Argument, increment: float) -> Command[float]:
    """Add `increment`; return the result."""
    return Command("INCRBYFLOAT", key, increment, read=number)


def increx(
    key: Argument,
    *,
    byint: int | None = None,
    lbound: int | None = None,
    ubound: int | None = None,
    saturate: bool = False,
    ex: int | None = None,
    px: int | None = None,
    exat: int | None = None,
    pxat: int | None = None,
    persist: bool = False,
    enx: bool = False,
) -> Command[tuple[int, int]]:
    """Add `byint`, else 1; return the result and how much was added (Redis 8.8; Valkey 9.2).

    A result below `lbound` or above `ubound` is not taken, and 0 is added; with `saturate`, the bound is taken in its place.
    `key` expires as `set` says, or no longer (`persist`); with `enx` that is only set if it has no expiry.
    """
    words = given("INCREX", byint=byint, lbound=lbound, ubound=ubound, saturate=saturate)
    return Command("INCREX", key, *words, *expiring("INCREX", ex, px, exat, pxat, persist, enx), read=two_wholes)


def increx_byfloat(
    key: Argument,
    increment: float,
    *,
    lbound: float | None = None,
    ubound: float | None = None,
    saturate: bool = False,
    ex: int | None = None,
    px: int | None = None,
    exat: int | None = None,
    pxat: int | None = None,
    persist: bool = False,
    enx: bool = False,
) -> Command[tuple[float, float]]:
    """As `increx`, with numbers that may have a fraction (Redis 8.8; Valkey 9.2)."""
    bounds = numbers("INCREX", lbound=lbound, ubound=ubound)
    expiry = expiring("INCREX", ex, px, exat, pxat, persist, enx)
    saturated = given("INCREX", saturate=saturate)
    return Command("INCREX", key, "BYFLOAT", increment, *bounds, *saturated, *expiry, read=float_increase)


def decr(key: Argument) -> Command[int]:
    """Subtract 1; return the result."""
    return Command("DECR", key, read=whole)


def decrby(key: Argument, decrement: int) -> Command[int]:
    """Subtract `decrement`; return the result."""
    return Command("DECRBY", key, decrement, read=whole)


def lcs(key1: Argument, key2: Argument) -> Command[bytes]:
    """Return the longest bytes that both values have in this order, others between them or not (Redis 7.0)."""
    return Command("LCS", key1, key2, read=bulk)


def lcs_len(key1: Argument, key2: Argument) -> Command[int]:
    """Return the length of what `lcs` returns (Redis 7.0)."""
    return Command("LCS", key1, key2, "LEN", read=whole)


def lcs_idx(key1: Argument, key2: Argument, *, minmatchlen: int | None = None) -> Command[LcsMatches]:
    """Return where what `lcs` returns is in both values, the last part first (Redis 7.0).

    Parts shorter than `minmatchlen` are left out.
    """
    return Command("LCS", key1, key2, "IDX", *given("LCS", minmatchlen=minmatchlen), read=lcs_matches)
