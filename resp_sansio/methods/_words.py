"""The words of the commands that take more than an expression.

Written by `tests/generate_methods.py` from the builders of `resp_sansio.commands`, not by hand.
"""

from __future__ import annotations

from ..commands.arguments import (
    NONE,
    Fields,
    Scores,
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
from ..commands.words import Words
from ..wire.encoder import Argument


def set(
    key: Argument,
    value: Argument,
    ex: int | None,
    px: int | None,
    exat: int | None,
    pxat: int | None,
    nx: bool,
    xx: bool,
    keepttl: bool,
) -> Words:
    if ex is px is exat is pxat is None and nx is xx is keepttl is False:
        return "SET", key, value
    expiry = exclusive("SET", ex=ex, px=px, exat=exat, pxat=pxat, keepttl=keepttl)
    return "SET", key, value, *condition("SET", nx, xx), *expiry


def set_get(
    key: Argument,
    value: Argument,
    ex: int | None,
    px: int | None,
    exat: int | None,
    pxat: int | None,
    nx: bool,
    xx: bool,
    keepttl: bool,
) -> Words:
    expiry = exclusive("SET", ex=ex, px=px, exat=exat, pxat=pxat, keepttl=keepttl)
    return "SET", key, value, *condition("SET", nx, xx), "GET", *expiry


def hset(key: Argument, field: Argument | None, value: Argument | None, mapping: Fields) -> Words:
    if (field is None) is not (value is None):
        raise ValueError("field and value go together")
    one = () if field is None or value is None else (field, value)
    more = () if mapping is NONE else in_turn("HSET", "mapping", mapping)
    return "HSET", key, *one, *more


def zadd(key: Argument, scores: Scores, nx: bool, xx: bool, gt: bool, lt: bool, ch: bool) -> Words:
    options = condition("ZADD", nx, xx, gt, lt)
    if ch is not False:
        options += given("ZADD", ch=ch)
    return "ZADD", key, *options, *scores_in_turn(scores)


def zrange(
    key: Argument, start: Argument, stop: Argument, byscore: bool, bylex: bool, rev: bool, limit: tuple[int, int] | None
) -> Words:
    by = exclusive("ZRANGE", byscore=byscore, bylex=bylex)
    words = *by, *given("ZRANGE", rev=rev), *limiting("ZRANGE", limit)
    return "ZRANGE", key, start, stop, *words


def zrange_withscores(
    key: Argument, start: Argument, stop: Argument, byscore: bool, rev: bool, limit: tuple[int, int] | None
) -> Words:
    words = *given("ZRANGE", byscore=byscore, rev=rev), *limiting("ZRANGE", limit)
    return "ZRANGE", key, start, stop, *words, "WITHSCORES"


def xadd(
    key: Argument,
    fields: Fields,
    id: Argument,
    maxlen: int | None,
    minid: Argument | None,
    approximate: bool,
    limit: int | None,
) -> Words:
    words = trimming("XADD", maxlen, minid, approximate, limit)
    return "XADD", key, *words, entry_id(id), *in_turn("XADD", "fields", fields)


def xreadgroup(
    group: Argument, consumer: Argument, streams: Fields, count: int | None, block: int | None, noack: bool
) -> Words:
    options = given("XREADGROUP", count=count, block=block, noack=noack)
    return "XREADGROUP", "GROUP", group, consumer, *options, *streams_in_turn("XREADGROUP", streams)


def xtrim(key: Argument, maxlen: int | None, minid: Argument | None, approximate: bool, limit: int | None) -> Words:
    words = trimming("XTRIM", maxlen, minid, approximate, limit)
    if not words:
        raise ValueError("give maxlen or minid")
    return "XTRIM", key, *words
