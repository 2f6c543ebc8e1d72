"""Commands on hashes."""

from __future__ import annotations

from ..wire.encoder import Argument
from .arguments import NONE, Fields, condition, exclusive, given, in_turn
from .command import Command
from .readers import bulks, done, maybe_bulk, maybe_bulks, number, scanned, scanned_table, table, truth, whole, wholes
from .readers_collections import paired


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


def hmset(key: Argument, fields: Fields) -> Command[None]:
    """Set the fields of a mapping. It is an old command: `hset` does the same."""
    return Command("HMSET", key, *in_turn("HMSET", "fields", fields), read=done)


def hsetnx(key: Argument, field: Argument, value: Argument) -> Command[bool]:
    """Set a field if there is none; return whether it was set."""
    return Command("HSETNX", key, field, value, read=truth)


def hsetex(
    key: Argument,
    fields: Fields,
    *,
    nx: bool = False,
    xx: bool = False,
    fnx: bool = False,
    fxx: bool = False,
    ex: int | None = None,
    px: int | None = None,
    exat: int | None = None,
    pxat: int | None = None,
    keepttl: bool = False,
) -> Command[bool]:
    """Set the fields of a mapping, and when they expire (Redis 8.0; Valkey 9.0); return whether it was done.

    In `ex` seconds, in `px` milliseconds, at a Unix time in seconds (`exat`) or milliseconds (`pxat`), or when they did
    before (`keepttl`); else they do not expire. Only if none of the fields exists (`fnx`), or all of them do (`fxx`); only if
    there is no such key (`nx`), or there is one (`xx`): Valkey alone knows these two.
    """
    words = [
        *exclusive("HSETEX", nx=nx, xx=xx),
        *exclusive("HSETEX", fnx=fnx, fxx=fxx),
        *exclusive("HSETEX", ex=ex, px=px, exat=exat, pxat=pxat, keepttl=keepttl),
    ]
    parts = in_turn("HSETEX", "fields", fields)
    return Command("HSETEX", key, *words, "FIELDS", len(parts) // 2, *parts, read=truth)


def hgetex(
    key: Argument,
    field: Argument,
    *fields: Argument,
    ex: int | None = None,
    px: int | None = None,
    exat: int | None = None,
    pxat: int | None = None,
    persist: bool = False,
) -> Command[list[bytes | None]]:
    """As `hmget`, and set when the fields expire (Redis 8.0; Valkey 9.0).

    In `ex` seconds, in `px` milliseconds, at a Unix time in seconds (`exat`) or milliseconds (`pxat`), or never (`persist`).
    """
    options = exclusive("HGETEX", ex=ex, px=px, exat=exat, pxat=pxat, persist=persist)
    return Command("HGETEX", key, *options, "FIELDS", len(fields) + 1, field, *fields, read=maybe_bulks)


def hgetdel(key: Argument, field: Argument, *fields: Argument) -> Command[list[bytes | None]]:
    """As `hmget`, and delete the fields (Redis 8.0; Valkey 9.1)."""
    return Command("HGETDEL", key, "FIELDS", len(fields) + 1, field, *fields, read=maybe_bulks)


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


def hstrlen(key: Argument, field: Argument) -> Command[int]:
    """Return how many bytes the value of a field has, 0 if there is none."""
    return Command("HSTRLEN", key, field, read=whole)


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


def hrandfield(key: Argument) -> Command[bytes | None]:
    """Return the name of any field, None if there is none (Redis 6.2)."""
    return Command("HRANDFIELD", key, read=maybe_bulk)


def hrandfield_count(key: Argument, count: int) -> Command[list[bytes]]:
    """Return the names of any fields: up to `count` different ones, or exactly `-count` that may repeat (Redis 6.2)."""
    return Command("HRANDFIELD", key, count, read=bulks)


def hrandfield_withvalues(key: Argument, count: int) -> Command[list[tuple[bytes, bytes]]]:
    """As `hrandfield_count`; return names with values."""
    return Command("HRANDFIELD", key, count, "WITHVALUES", read=paired)


def hscan(
    key: Argument, cursor: int = 0, *, match: Argument | None = None, count: int | None = None
) -> Command[tuple[int, dict[bytes, bytes]]]:
    """Return where to go on, 0 if that was all, and some fields with their values."""
    return Command("HSCAN", key, cursor, *given("HSCAN", match=match, count=count), read=scanned_table)


def hscan_novalues(
    key: Argument, cursor: int = 0, *, match: Argument | None = None, count: int | None = None
) -> Command[tuple[int, list[bytes]]]:
    """As `hscan`; return the names of fields alone, of which one may come more than once (Redis 7.4; Valkey 8.0)."""
    return Command("HSCAN", key, cursor, *given("HSCAN", match=match, count=count), "NOVALUES", read=scanned)


def hexpire(
    key: Argument,
    seconds: int,
    field: Argument,
    *fields: Argument,
    nx: bool = False,
    xx: bool = False,
    gt: bool = False,
    lt: bool = False,
) -> Command[list[int]]:
    """Let fields expire in so many seconds (Redis 7.4; Valkey 9.0); return for each what became of it.

    1: that was set; 0: it was not, because of the condition; 2: the field was deleted at once, because the time is over;
    -2: there is no such field. The condition is that the field has no expiry (`nx`), has one (`xx`), has an earlier one
    (`gt`), has a later one or none (`lt`).
    """
    words = condition("HEXPIRE", nx, xx, gt, lt)
    return Command("HEXPIRE", key, seconds, *words, "FIELDS", len(fields) + 1, field, *fields, read=wholes)


def hpexpire(
    key: Argument,
    milliseconds: int,
    field: Argument,
    *fields: Argument,
    nx: bool = False,
    xx: bool = False,
    gt: bool = False,
    lt: bool = False,
) -> Command[list[int]]:
    """As `hexpire`, in milliseconds."""
    words = condition("HPEXPIRE", nx, xx, gt, lt)
    return Command("HPEXPIRE", key, milliseconds, *words, "FIELDS", len(fields) + 1, field, *fields, read=wholes)


def hexpireat(
    key: Argument,
    unix_time_seconds: int,
    field: Argument,
    *fields: Argument,
    nx: bool = False,
    xx: bool = False,
    gt: bool = False,
    lt: bool = False,
) -> Command[list[int]]:
    """As `hexpire`, at a Unix time in seconds."""
    words = condition("HEXPIREAT", nx, xx, gt, lt)
    return Command("HEXPIREAT", key, unix_time_seconds, *words, "FIELDS", len(fields) + 1, field, *fields, read=wholes)


def hpexpireat(
    key: Argument,
    unix_time_milliseconds: int,
    field: Argument,
    *fields: Argument,
    nx: bool = False,
    xx: bool = False,
    gt: bool = False,
    lt: bool = False,
) -> Command[list[int]]:
    """As `hexpire`, at a Unix time in milliseconds."""
    words = condition("HPEXPIREAT", nx, xx, gt, lt)
    return Command(
        "HPEXPIREAT", key, unix_time_milliseconds, *words, "FIELDS", len(fields) + 1, field, *fields, read=wholes
    )


def hpersist(key: Argument, field: Argument, *fields: Argument) -> Command[list[int]]:
    """Let fields not expire (Redis 7.4; Valkey 9.0); return 1 for each that would have, -1 if not, -2 if there is none."""
    return Command("HPERSIST", key, "FIELDS", len(fields) + 1, field, *fields, read=wholes)


def httl(key: Argument, field: Argument, *fields: Argument) -> Command[list[int]]:
    """Return for each field in how many seconds it expires; -1 if it does not, -2 if there is none (Redis 7.4; Valkey 9.0)."""
    return Command("HTTL", key, "FIELDS", len(fields) + 1, field, *fields, read=wholes)


def hpttl(key: Argument, field: Argument, *fields: Argument) -> Command[list[int]]:
    """As `httl`, in milliseconds."""
    return Command("HPTTL", key, "FIELDS", len(fields) + 1, field, *fields, read=wholes)


def hexpiretime(key: Argument, field: Argument, *fields: Argument) -> Command[list[int]]:
    """Return for each field the Unix time in seconds when it expires; -1 and -2 as in `httl` (Redis 7.4; Valkey 9.0)."""
    return Command("HEXPIRETIME", key, "FIELDS", len(fields) + 1, field, *fields, read=wholes)


def hpexpiretime(key: Argument, field: Argument, *fields: Argument) -> Command[list[int]]:
    """As `hexpiretime`, in milliseconds."""
    return Command("HPEXPIRETIME", key, "FIELDS", len(fields) + 1, field, *fields, read=wholes)


def himport_prepare(fieldset_name: Argument, field: Argument, *fields: Argument) -> Command[None]:
    """Name the fields of hashes that are to be set on this connection (Redis 8.10)."""
    return Command("HIMPORT PREPARE", fieldset_name, field, *fields, read=done)


def himport_set(key: Argument, fieldset_name: Argument, value: Argument, *values: Argument) -> Command[None]:
    """Put a hash in place of `key`: the fields that were named on this connection, with these values (Redis 8.10)."""
    return Command("HIMPORT SET", key, fieldset_name, value, *values, read=done)


def himport_discard(fieldset_name: Argument) -> Command[bool]:
    """Forget the fields of this name; return whether there were any (Redis 8.10)."""
    return Command("HIMPORT DISCARD", fieldset_name, read=truth)


def himport_discardall() -> Command[int]:
    """Forget all named fields of this connection; return how many names there were (Redis 8.10)."""
    return Command("HIMPORT DISCARDALL", read=whole)
