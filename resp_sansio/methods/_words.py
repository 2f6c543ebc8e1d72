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
    ifeq: Argument | None,
    ifne: Argument | None,
    ifdeq: Argument | None,
    ifdne: Argument | None,
) -> Words:
    if ex is px is exat is pxat is ifeq is ifne is ifdeq is ifdne is None and nx is xx is keepttl is False:
        return "SET", key, value
    expiry = exclusive("SET", ex=ex, px=px, exat=exat, pxat=pxat, keepttl=keepttl)
    only = exclusive("SET", nx=nx, xx=xx, ifeq=ifeq, ifne=ifne, ifdeq=ifdeq, ifdne=ifdne)
    return "SET", key, value, *only, *expiry


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
    ifeq: Argument | None,
    ifne: Argument | None,
    ifdeq: Argument | None,
    ifdne: Argument | None,
) -> Words:
    expiry = exclusive("SET", ex=ex, px=px, exat=exat, pxat=pxat, keepttl=keepttl)
    only = exclusive("SET", nx=nx, xx=xx, ifeq=ifeq, ifne=ifne, ifdeq=ifdeq, ifdne=ifdne)
    return "SET", key, value, *only, "GET", *expiry


def msetex(
    values: Fields,
    nx: bool,
    xx: bool,
    ex: int | None,
    px: int | None,
    exat: int | None,
    pxat: int | None,
    keepttl: bool,
) -> Words:
    words = in_turn("MSETEX", "values", values)
    only = exclusive("MSETEX", nx=nx, xx=xx)
    expiry = exclusive("MSETEX", ex=ex, px=px, exat=exat, pxat=pxat, keepttl=keepttl)
    return "MSETEX", len(values), *words, *only, *expiry


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
