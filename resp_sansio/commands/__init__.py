"""Commands by name: each function builds a `Command[T]` whose result has one exact type, whatever the protocol.

    client.execute(commands.get("key"))              # bytes | None
    client.execute(commands.hgetall("key"))          # dict[bytes, bytes], on RESP2 as on RESP3

Arguments stand in Redis' own order and have its names; its words for options are keywords. Where an option would change what
comes back, it has a function of its own, with the option in its name: `set_get`, `lpop_count`, `zrange_withscores`. Names
that Python has for itself are spelt out: `delete` is DEL.

Data comes as `bytes`, `decode` or not; `text` makes `str` of it. A reply that has not the shape that the command is known for
raises `UnexpectedReplyError`. An option that is no number where it must be one, or a flag that is neither True nor False, raises
`TypeError` here; options that exclude each other raise `ValueError`. Other arguments of a wrong type raise `TypeError` where
commands are encoded: nothing is sent in any case.
"""

from __future__ import annotations

import functools
from types import FunctionType
from typing import Any, overload

from ..wire.encoder import Argument
from ..wire.values import Reply
from .arguments import (
    NONE,
    Fields,
    Scores,
    Side,
    condition,
    entry_id,
    exclusive,
    given,
    in_turn,
    limiting,
    scores_in_turn,
    streams_in_turn,
    trimming,
)
from .command import Command
from .readers import (
    Entry,
    Members,
    TextMembers,
    anything,
    bulk,
    bulks,
    by_stream,
    done,
    entries,
    facts,
    first_scored,
    maybe_bulk,
    maybe_bulks,
    maybe_number,
    maybe_whole,
    members,
    moment,
    number,
    read_text,
    scanned,
    scanned_scores,
    scanned_table,
    scored,
    settings,
    source_and_value,
    stored,
    table,
    truth,
    truths,
    whole,
    word,
)


def __dir__() -> list[str]:
    """Name the builders alone: what an editor or `help` offers."""
    return [
        name
        for name, made in globals().items()
        if isinstance(made, FunctionType) and made.__module__ == __name__ and not name.startswith("_")
    ]


# -- text ---------------------------------------------------------------------------------------------------------------------


@overload
def text(command: Command[bytes]) -> Command[str]: ...
@overload
def text(command: Command[bytes | None]) -> Command[str | None]: ...
@overload
def text(command: Command[list[bytes]]) -> Command[list[str]]: ...
@overload
def text(command: Command[list[bytes | None]]) -> Command[list[str | None]]: ...
@overload
def text(command: Command[Members]) -> Command[TextMembers]: ...
@overload
def text(command: Command[dict[bytes, bytes]]) -> Command[dict[str, str]]: ...
@overload
def text(command: Command[list[tuple[bytes, float]]]) -> Command[list[tuple[str, float]]]: ...
@overload
def text(command: Command[tuple[int, list[bytes]]]) -> Command[tuple[int, list[str]]]: ...
def text(command: Command[Any]) -> Command[Any]:
    """Return a command with the same arguments whose result is text: UTF-8, other bytes as surrogates.

    `text(get("key"))` is a `Command[str | None]`.
    """
    read = functools.partial(read_text, command.read)
    info = command.info
    return Command(*command.args, read=read, readonly=info.readonly, retry=info.retryable, needs=info.needs)


# -- strings ------------------------------------------------------------------------------------------------------------------


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


# -- keys ---------------------------------------------------------------------------------------------------------------------


def delete(key: Argument, *keys: Argument) -> Command[int]:
    """Delete the keys (DEL); return how many there were."""
    return Command("DEL", key, *keys, read=whole)


def unlink(key: Argument, *keys: Argument) -> Command[int]:
    """Delete the keys, and free their memory later; return how many there were."""
    return Command("UNLINK", key, *keys, read=whole)


def exists(key: Argument, *keys: Argument) -> Command[int]:
    """Return how many of the keys exist; one that is named twice counts twice."""
    return Command("EXISTS", key, *keys, read=whole)


def touch(key: Argument, *keys: Argument) -> Command[int]:
    """Count as an access to the keys; return how many there are."""
    return Command("TOUCH", key, *keys, read=whole)


def expire(
    key: Argument, seconds: int, *, nx: bool = False, xx: bool = False, gt: bool = False, lt: bool = False
) -> Command[bool]:
    """Let `key` expire in so many seconds; return whether that was set.

    Only if it has no expiry (`nx`), has one (`xx`), has an earlier one (`gt`), has a later one or none (`lt`): Redis 7.0.
    """
    return Command("EXPIRE", key, seconds, *condition("EXPIRE", nx, xx, gt, lt), read=truth)


def pexpire(
    key: Argument, milliseconds: int, *, nx: bool = False, xx: bool = False, gt: bool = False, lt: bool = False
) -> Command[bool]:
    """As `expire`, in milliseconds."""
    return Command("PEXPIRE", key, milliseconds, *condition("PEXPIRE", nx, xx, gt, lt), read=truth)


def expireat(
    key: Argument, unix_time_seconds: int, *, nx: bool = False, xx: bool = False, gt: bool = False, lt: bool = False
) -> Command[bool]:
    """As `expire`, at a Unix time in seconds."""
    return Command("EXPIREAT", key, unix_time_seconds, *condition("EXPIREAT", nx, xx, gt, lt), read=truth)


def pexpireat(
    key: Argument,
    unix_time_milliseconds: int,
    *,
    nx: bool = False,
    xx: bool = False,
    gt: bool = False,
    lt: bool = False,
) -> Command[bool]:
    """As `expire`, at a Unix time in milliseconds."""
    return Command("PEXPIREAT", key, unix_time_milliseconds, *condition("PEXPIREAT", nx, xx, gt, lt), read=truth)


def persist(key: Argument) -> Command[bool]:
    """Let `key` not expire; return whether it would have."""
    return Command("PERSIST", key, read=truth)


def ttl(key: Argument) -> Command[int]:
    """Return in how many seconds `key` expires; -1 if it does not, -2 if there is none."""
    return Command("TTL", key, read=whole)


def pttl(key: Argument) -> Command[int]:
    """As `ttl`, in milliseconds."""
    return Command("PTTL", key, read=whole)


def type(key: Argument) -> Command[str]:
    """Return what `key` holds: `string`, `list`, `set`, `zset`, `hash`, `stream`, a module's type, or `none`."""
    return Command("TYPE", key, read=word)


def rename(key: Argument, newkey: Argument) -> Command[None]:
    """Rename `key`; what `newkey` held is lost."""
    return Command("RENAME", key, newkey, read=done)


def renamenx(key: Argument, newkey: Argument) -> Command[bool]:
    """Rename `key` if there is no `newkey`; return whether it was done."""
    return Command("RENAMENX", key, newkey, read=truth)


def keys(pattern: Argument) -> Command[list[bytes]]:
    """Return all keys that match; on a large database the server does nothing else meanwhile, so use `scan`."""
    return Command("KEYS", pattern, read=bulks)


def scan(
    cursor: int = 0, *, match: Argument | None = None, count: int | None = None, type: Argument | None = None
) -> Command[tuple[int, list[bytes]]]:
    """Return where to go on, 0 if that was all, and some keys; one may come more than once."""
    return Command("SCAN", cursor, *given("SCAN", match=match, count=count, type=type), read=scanned)


# -- hashes -------------------------------------------------------------------------------------------------------------------


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


# -- lists --------------------------------------------------------------------------------------------------------------------


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


# -- sets ---------------------------------------------------------------------------------------------------------------------


def sadd(key: Argument, member: Argument, *members: Argument) -> Command[int]:
    """Add members; return how many are new."""
    return Command("SADD", key, member, *members, read=whole)


def srem(key: Argument, member: Argument, *members: Argument) -> Command[int]:
    """Remove members; return how many there were."""
    return Command("SREM", key, member, *members, read=whole)


def smembers(key: Argument) -> Command[Members]:
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


def spop_count(key: Argument, count: int) -> Command[Members]:
    """Take any members, up to `count`."""
    return Command("SPOP", key, count, read=members)


def srandmember(key: Argument) -> Command[bytes | None]:
    """Return any member, None if there is none."""
    return Command("SRANDMEMBER", key, read=maybe_bulk)


def srandmember_count(key: Argument, count: int) -> Command[list[bytes]]:
    """Return any members: up to `count` different ones, or exactly `-count` that may repeat."""
    return Command("SRANDMEMBER", key, count, read=bulks)


def sinter(key: Argument, *keys: Argument) -> Command[Members]:
    """Return what is in all of the sets."""
    return Command("SINTER", key, *keys, read=members)


def sunion(key: Argument, *keys: Argument) -> Command[Members]:
    """Return what is in any of the sets."""
    return Command("SUNION", key, *keys, read=members)


def sdiff(key: Argument, *keys: Argument) -> Command[Members]:
    """Return what is in the first set and in none of the others."""
    return Command("SDIFF", key, *keys, read=members)


def sscan(
    key: Argument, cursor: int = 0, *, match: Argument | None = None, count: int | None = None
) -> Command[tuple[int, list[bytes]]]:
    """Return where to go on, 0 if that was all, and some members; one may come more than once."""
    return Command("SSCAN", key, cursor, *given("SSCAN", match=match, count=count), read=scanned)


# -- sorted sets --------------------------------------------------------------------------------------------------------------


def zadd(
    key: Argument,
    scores: Scores,
    *,
    nx: bool = False,
    xx: bool = False,
    gt: bool = False,
    lt: bool = False,
    ch: bool = False,
) -> Command[int]:
    """Add members with their scores, as in `{"member": 1.5}`, or change scores; return how many are new, with `ch` or changed.

    Only add (`nx`), only change (`xx`), change only upwards (`gt`) or downwards (`lt`); the last two are of Redis 6.2.
    """
    options = condition("ZADD", nx, xx, gt, lt)
    if ch is not False:
        options += given("ZADD", ch=ch)
    return Command("ZADD", key, *options, *scores_in_turn(scores), read=whole)


def zincrby(key: Argument, increment: float, member: Argument) -> Command[float]:
    """Add to a member's score; return the result."""
    return Command("ZINCRBY", key, increment, member, read=number)


def zrem(key: Argument, member: Argument, *members: Argument) -> Command[int]:
    """Remove members; return how many there were."""
    return Command("ZREM", key, member, *members, read=whole)


def zscore(key: Argument, member: Argument) -> Command[float | None]:
    """Return a member's score, None if it is none."""
    return Command("ZSCORE", key, member, read=maybe_number)


def zcard(key: Argument) -> Command[int]:
    """Return the number of members."""
    return Command("ZCARD", key, read=whole)


def zcount(key: Argument, min: Argument, max: Argument) -> Command[int]:
    """Return the number of members with a score from `min` to `max`: numbers, `-inf`, or `(1` to exclude it."""
    return Command("ZCOUNT", key, min, max, read=whole)


def zrank(key: Argument, member: Argument) -> Command[int | None]:
    """Return a member's place from the lowest score, 0 for the first, None if it is none."""
    return Command("ZRANK", key, member, read=maybe_whole)


def zrevrank(key: Argument, member: Argument) -> Command[int | None]:
    """Return a member's place from the highest score, 0 for the first, None if it is none."""
    return Command("ZREVRANK", key, member, read=maybe_whole)


def zrange(
    key: Argument,
    start: Argument,
    stop: Argument,
    *,
    byscore: bool = False,
    bylex: bool = False,
    rev: bool = False,
    limit: tuple[int, int] | None = None,
) -> Command[list[bytes]]:
    """Return members in their order, from one place to another, both included; negative ones count from the end.

    `byscore` and `bylex` say that `start` and `stop` are scores or names, of which `limit`, offset and count, takes a part;
    `rev` counts from the highest, and then the higher one comes first. The options are of Redis 6.2.
    """
    by = exclusive("ZRANGE", byscore=byscore, bylex=bylex)
    words = *by, *given("ZRANGE", rev=rev), *limiting("ZRANGE", limit)
    return Command("ZRANGE", key, start, stop, *words, read=bulks)


def zrange_withscores(
    key: Argument,
    start: Argument,
    stop: Argument,
    *,
    byscore: bool = False,
    rev: bool = False,
    limit: tuple[int, int] | None = None,
) -> Command[list[tuple[bytes, float]]]:
    """As `zrange`, with scores."""
    words = *given("ZRANGE", byscore=byscore, rev=rev), *limiting("ZRANGE", limit)
    return Command("ZRANGE", key, start, stop, *words, "WITHSCORES", read=scored)


def zrangebyscore(
    key: Argument, min: Argument, max: Argument, *, limit: tuple[int, int] | None = None
) -> Command[list[bytes]]:
    """Return members with a score from `min` to `max`: numbers, `-inf`, or `(1` to exclude it."""
    return Command("ZRANGEBYSCORE", key, min, max, *limiting("ZRANGEBYSCORE", limit), read=bulks)


def zrangebyscore_withscores(
    key: Argument, min: Argument, max: Argument, *, limit: tuple[int, int] | None = None
) -> Command[list[tuple[bytes, float]]]:
    """As `zrangebyscore`, with scores."""
    return Command("ZRANGEBYSCORE", key, min, max, "WITHSCORES", *limiting("ZRANGEBYSCORE", limit), read=scored)


def zremrangebyrank(key: Argument, start: int, stop: int) -> Command[int]:
    """Remove the members that `zrange` would return; return how many."""
    return Command("ZREMRANGEBYRANK", key, start, stop, read=whole)


def zremrangebyscore(key: Argument, min: Argument, max: Argument) -> Command[int]:
    """Remove the members that `zrangebyscore` would return; return how many."""
    return Command("ZREMRANGEBYSCORE", key, min, max, read=whole)


def zpopmin(key: Argument) -> Command[tuple[bytes, float] | None]:
    """Take the member with the lowest score, None if there is none."""
    return Command("ZPOPMIN", key, read=first_scored)


def zpopmin_count(key: Argument, count: int) -> Command[list[tuple[bytes, float]]]:
    """Take up to `count` members with the lowest scores."""
    return Command("ZPOPMIN", key, count, read=scored)


def zpopmax(key: Argument) -> Command[tuple[bytes, float] | None]:
    """Take the member with the highest score, None if there is none."""
    return Command("ZPOPMAX", key, read=first_scored)


def zpopmax_count(key: Argument, count: int) -> Command[list[tuple[bytes, float]]]:
    """Take up to `count` members with the highest scores."""
    return Command("ZPOPMAX", key, count, read=scored)


def zscan(
    key: Argument, cursor: int = 0, *, match: Argument | None = None, count: int | None = None
) -> Command[tuple[int, list[tuple[bytes, float]]]]:
    """Return where to go on, 0 if that was all, and some members with their scores; one may come more than once."""
    return Command("ZSCAN", key, cursor, *given("ZSCAN", match=match, count=count), read=scanned_scores)


# -- streams ------------------------------------------------------------------------------------------------------------------


def xadd(
    key: Argument,
    fields: Fields,
    *,
    id: Argument = "*",
    maxlen: int | None = None,
    minid: Argument | None = None,
    approximate: bool = True,
    limit: int | None = None,
) -> Command[bytes]:
    """Append an entry; return its ID. `maxlen` and the others trim the stream, as `xtrim` does.

    An entry may have a field twice; such a one is sent by `execute("XADD", ...)`.
    """
    words = trimming("XADD", maxlen, minid, approximate, limit)
    return Command("XADD", key, *words, entry_id(id), *in_turn("XADD", "fields", fields), read=bulk)


def xlen(key: Argument) -> Command[int]:
    """Return the number of entries."""
    return Command("XLEN", key, read=whole)


def xrange(
    key: Argument, start: Argument = "-", end: Argument = "+", *, count: int | None = None
) -> Command[list[Entry]]:
    """Return the entries from one ID to another, both included, oldest first."""
    return Command("XRANGE", key, start, end, *given("XRANGE", count=count), read=entries)


def xrevrange(
    key: Argument, end: Argument = "+", start: Argument = "-", *, count: int | None = None
) -> Command[list[Entry]]:
    """Return the entries from one ID back to another, both included, newest first."""
    return Command("XREVRANGE", key, end, start, *given("XREVRANGE", count=count), read=entries)


def xread(streams: Fields, *, count: int | None = None, block: int | None = None) -> Command[dict[bytes, list[Entry]]]:
    """Return the entries behind these IDs by stream, as in `{"stream": "0"}`; a stream without any is left out.

    With `block`, waits on the server for one up to so many milliseconds, 0 for ever.
    """
    return Command(
        "XREAD", *given("XREAD", count=count, block=block), *streams_in_turn("XREAD", streams), read=by_stream
    )


def xreadgroup(
    group: Argument,
    consumer: Argument,
    streams: Fields,
    *,
    count: int | None = None,
    block: int | None = None,
    noack: bool = False,
) -> Command[dict[bytes, list[Entry]]]:
    """As `xread`, for a consumer of a group: `>` stands for what no consumer has had, an ID for what is pending behind it."""
    options = given("XREADGROUP", count=count, block=block, noack=noack)
    return Command(
        "XREADGROUP", "GROUP", group, consumer, *options, *streams_in_turn("XREADGROUP", streams), read=by_stream
    )


def xgroup_create(key: Argument, group: Argument, id: Argument = "$", *, mkstream: bool = False) -> Command[None]:
    """Create a group that reads what comes behind `id`; `mkstream` creates the stream if there is none."""
    return Command("XGROUP CREATE", key, group, id, *given("XGROUP CREATE", mkstream=mkstream), read=done)


def xgroup_destroy(key: Argument, group: Argument) -> Command[bool]:
    """Remove a group; return whether there was one."""
    return Command("XGROUP DESTROY", key, group, read=truth)


def xack(key: Argument, group: Argument, id: Argument, *ids: Argument) -> Command[int]:
    """Say that these entries are done with; return how many were pending."""
    return Command("XACK", key, group, id, *ids, read=whole)


def xdel(key: Argument, id: Argument, *ids: Argument) -> Command[int]:
    """Delete entries; return how many there were."""
    return Command("XDEL", key, id, *ids, read=whole)


def xtrim(
    key: Argument,
    *,
    maxlen: int | None = None,
    minid: Argument | None = None,
    approximate: bool = True,
    limit: int | None = None,
) -> Command[int]:
    """Delete the oldest entries beyond `maxlen`, or those before `minid` (Redis 6.2); return how many.

    `approximate` leaves some more where that is cheaper, and deletes up to `limit` of them (Redis 6.2).
    """
    words = trimming("XTRIM", maxlen, minid, approximate, limit)
    if not words:
        raise ValueError("give maxlen or minid")
    return Command("XTRIM", key, *words, read=whole)


# -- scripting ----------------------------------------------------------------------------------------------------------------


def eval(script: Argument, numkeys: int, *keys_and_args: Argument) -> Command[Reply]:
    """Run a script; return what it returns, as it comes."""
    return Command("EVAL", script, numkeys, *keys_and_args, read=anything)


def evalsha(sha1: Argument, numkeys: int, *keys_and_args: Argument) -> Command[Reply]:
    """Run a script that the server has; return what it returns, as it comes."""
    return Command("EVALSHA", sha1, numkeys, *keys_and_args, read=anything)


def script_load(script: Argument) -> Command[bytes]:
    """Give the server a script to keep; return its digest for `evalsha`."""
    return Command("SCRIPT LOAD", script, read=bulk)


def script_exists(sha1: Argument, *sha1s: Argument) -> Command[list[bool]]:
    """Which of these scripts does the server have?"""
    return Command("SCRIPT EXISTS", sha1, *sha1s, read=truths)


# -- server -------------------------------------------------------------------------------------------------------------------


def ping() -> Command[str]:
    """Return `PONG`."""
    return Command("PING", read=word)


def echo(message: Argument) -> Command[bytes]:
    """Return the message."""
    return Command("ECHO", message, read=bulk)


def time() -> Command[tuple[int, int]]:
    """Return the server's Unix time: seconds, and microseconds on top."""
    return Command("TIME", read=moment)


def info(*sections: Argument) -> Command[dict[str, str]]:
    """Return what the server says of itself, by name; several sections at a time are of Redis 7.0.

    Where several lines have one name (`module`), its value has a line for each.
    """
    return Command("INFO", *sections, read=facts)


def dbsize() -> Command[int]:
    """Return the number of keys."""
    return Command("DBSIZE", read=whole)


def flushdb(*, asynchronous: bool = False) -> Command[None]:
    """Delete all keys of this database."""
    return Command("FLUSHDB", *(("ASYNC",) if given("FLUSHDB", asynchronous=asynchronous) else ()), read=done)


def config_get(parameter: Argument, *parameters: Argument) -> Command[dict[str, str]]:
    """Return the settings that these patterns match; several at a time are of Redis 7.0."""
    return Command("CONFIG GET", parameter, *parameters, read=settings)


def config_set(parameter: Argument, value: Argument) -> Command[None]:
    """Change a setting until the server ends."""
    return Command("CONFIG SET", parameter, value, read=done)


def client_id() -> Command[int]:
    """Return the number of the connection that this is sent on."""
    return Command("CLIENT ID", read=whole)


def publish(channel: Argument, message: Argument) -> Command[int]:
    """Send a message to all who listen; return how many there are (on this server)."""
    return Command("PUBLISH", channel, message, read=whole)


def wait(numreplicas: int, timeout: int) -> Command[int]:
    """Wait until replicas have what was written before on this connection; return how many have.

    Up to `timeout` milliseconds, 0 for ever.
    """
    return Command("WAIT", numreplicas, timeout, read=whole)
