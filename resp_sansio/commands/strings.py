"""Commands on strings, numbers among them."""

from __future__ import annotations

from ..wire.encoder import Argument
from .arguments import Fields, condition, exclusive, in_turn
from .command import Command
from .readers import bulk, done, maybe_bulk, maybe_bulks, number, stored, truth, whole


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
) -> Command[bool]:
    """Set `key`; return whether it was set: with `nx` only if it is new, with `xx` only if it exists.

    It expires after `ex` seconds or `px` milliseconds, or at the Unix time `exat` in seconds or `pxat` in milliseconds.
    """
    if ex is px is exat is pxat is None and nx is xx is keepttl is False:
        return Command("SET", key, value, read=stored)
    expiry = exclusive("SET", ex=ex, px=px, exat=exat, pxat=pxat, keepttl=keepttl)
    return Command("SET", key, value, *condition("SET", nx, xx), *expiry, read=stored)


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
) -> Command[bytes | None]:
    """As `set`, and return the value before it (Redis 6.2; with `nx` 7.0)."""
    expiry = exclusive("SET", ex=ex, px=px, exat=exat, pxat=pxat, keepttl=keepttl)
    return Command("SET", key, value, *condition("SET", nx, xx), "GET", *expiry, read=maybe_bulk)


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


def append(key: Argument, value: Argument) -> Command[int]:
    """Append to the value of `key`; return its length."""
    return Command("APPEND", key, value, read=whole)


def strlen(key: Argument) -> Command[int]:
    """Return the length of the value of `key` in bytes."""
    return Command("STRLEN", key, read=whole)


def getrange(key: Argument, start: int, end: int) -> Command[bytes]:
    """Return the bytes from `start` to `end`, both included; negative ones count from the end."""
    return Command("GETRANGE", key, start, end, read=bulk)


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


def decr(key: Argument) -> Command[int]:
    """Subtract 1; return the result."""
    return Command("DECR", key, read=whole)


def decrby(key: Argument, decrement: int) -> Command[int]:
    """Subtract `decrement`; return the result."""
    return Command("DECRBY", key, decrement, read=whole)
