"""Commands on sorted sets."""

from __future__ import annotations

from ..wire.encoder import Argument
from .arguments import (
    Aggregate,
    End,
    Scores,
    Weights,
    condition,
    exclusive,
    given,
    limiting,
    scores_in_turn,
    weighing,
)
from .command import Command
from .readers import (
    bulks,
    first_scored,
    maybe_bulk,
    maybe_number,
    maybe_whole,
    number,
    scanned,
    scanned_scores,
    scored,
    whole,
)
from .readers_sorted_sets import maybe_numbers, place_and_score, taken, taken_some


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


def zadd_incr(
    key: Argument,
    increment: float,
    member: Argument,
    *,
    nx: bool = False,
    xx: bool = False,
    gt: bool = False,
    lt: bool = False,
) -> Command[float | None]:
    """Add to a member's score, as `zincrby` does; return the result, None if the options, those of `zadd`, forbade it."""
    return Command("ZADD", key, *condition("ZADD", nx, xx, gt, lt), "INCR", increment, member, read=maybe_number)


def zincrby(key: Argument, increment: float, member: Argument) -> Command[float]:
    """Add to a member's score; return the result."""
    return Command("ZINCRBY", key, increment, member, read=number)


def zrem(key: Argument, member: Argument, *members: Argument) -> Command[int]:
    """Remove members; return how many there were."""
    return Command("ZREM", key, member, *members, read=whole)


def zscore(key: Argument, member: Argument) -> Command[float | None]:
    """Return a member's score, None if it is none."""
    return Command("ZSCORE", key, member, read=maybe_number)


def zmscore(key: Argument, member: Argument, *members: Argument) -> Command[list[float | None]]:
    """Return the members' scores, each None if it is no member (Redis 6.2)."""
    return Command("ZMSCORE", key, member, *members, read=maybe_numbers)


def zcard(key: Argument) -> Command[int]:
    """Return the number of members."""
    return Command("ZCARD", key, read=whole)


def zcount(key: Argument, min: Argument, max: Argument) -> Command[int]:
    """Return the number of members with a score from `min` to `max`: numbers, `-inf`, or `(1` to exclude it."""
    return Command("ZCOUNT", key, min, max, read=whole)


def zlexcount(key: Argument, min: Argument, max: Argument) -> Command[int]:
    """Return the number of members with a name from `min` to `max`: `[a` to include it, `(a` to exclude it, `-`, `+`."""
    return Command("ZLEXCOUNT", key, min, max, read=whole)


def zrank(key: Argument, member: Argument) -> Command[int | None]:
    """Return a member's place from the lowest score, 0 for the first, None if it is none."""
    return Command("ZRANK", key, member, read=maybe_whole)


def zrank_withscore(key: Argument, member: Argument) -> Command[tuple[int, float] | None]:
    """As `zrank`, with the score (Redis 7.2)."""
    return Command("ZRANK", key, member, "WITHSCORE", read=place_and_score)


def zrevrank(key: Argument, member: Argument) -> Command[int | None]:
    """Return a member's place from the highest score, 0 for the first, None if it is none."""
    return Command("ZREVRANK", key, member, read=maybe_whole)


def zrevrank_withscore(key: Argument, member: Argument) -> Command[tuple[int, float] | None]:
    """As `zrevrank`, with the score (Redis 7.2)."""
    return Command("ZREVRANK", key, member, "WITHSCORE", read=place_and_score)


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


def zrangestore(
    dst: Argument,
    src: Argument,
    min: Argument,
    max: Argument,
    *,
    byscore: bool = False,
    bylex: bool = False,
    rev: bool = False,
    limit: tuple[int, int] | None = None,
) -> Command[int]:
    """Make a sorted set of the members that `zrange` would return of `src`; return how many there are (Redis 6.2)."""
    by = exclusive("ZRANGESTORE", byscore=byscore, bylex=bylex)
    words = *by, *given("ZRANGESTORE", rev=rev), *limiting("ZRANGESTORE", limit)
    return Command("ZRANGESTORE", dst, src, min, max, *words, read=whole)


def zrevrange(key: Argument, start: int, stop: int) -> Command[list[bytes]]:
    """Return members from the highest score, from one place to another, both included; negative ones count from the end."""
    return Command("ZREVRANGE", key, start, stop, read=bulks)


def zrevrange_withscores(key: Argument, start: int, stop: int) -> Command[list[tuple[bytes, float]]]:
    """As `zrevrange`, with scores."""
    return Command("ZREVRANGE", key, start, stop, "WITHSCORES", read=scored)


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


def zrevrangebyscore(
    key: Argument, max: Argument, min: Argument, *, limit: tuple[int, int] | None = None
) -> Command[list[bytes]]:
    """As `zrangebyscore`, from the highest score: `max` comes first."""
    return Command("ZREVRANGEBYSCORE", key, max, min, *limiting("ZREVRANGEBYSCORE", limit), read=bulks)


def zrevrangebyscore_withscores(
    key: Argument, max: Argument, min: Argument, *, limit: tuple[int, int] | None = None
) -> Command[list[tuple[bytes, float]]]:
    """As `zrevrangebyscore`, with scores."""
    part = limiting("ZREVRANGEBYSCORE", limit)
    return Command("ZREVRANGEBYSCORE", key, max, min, "WITHSCORES", *part, read=scored)


def zrangebylex(
    key: Argument, min: Argument, max: Argument, *, limit: tuple[int, int] | None = None
) -> Command[list[bytes]]:
    """Return members with a name from `min` to `max`, as `zlexcount` counts them. All scores are to be the same."""
    return Command("ZRANGEBYLEX", key, min, max, *limiting("ZRANGEBYLEX", limit), read=bulks)


def zrevrangebylex(
    key: Argument, max: Argument, min: Argument, *, limit: tuple[int, int] | None = None
) -> Command[list[bytes]]:
    """As `zrangebylex`, from the last name: `max` comes first."""
    return Command("ZREVRANGEBYLEX", key, max, min, *limiting("ZREVRANGEBYLEX", limit), read=bulks)


def zrandmember(key: Argument) -> Command[bytes | None]:
    """Return a member by chance, None if there is none (Redis 6.2)."""
    return Command("ZRANDMEMBER", key, read=maybe_bulk)


def zrandmember_count(key: Argument, count: int) -> Command[list[bytes]]:
    """Return up to `count` members by chance, or as many as a negative one says, some of them more than once (Redis 6.2)."""
    return Command("ZRANDMEMBER", key, count, read=bulks)


def zrandmember_withscores(key: Argument, count: int) -> Command[list[tuple[bytes, float]]]:
    """As `zrandmember_count`, with scores (Redis 6.2)."""
    return Command("ZRANDMEMBER", key, count, "WITHSCORES", read=scored)


def zremrangebyrank(key: Argument, start: int, stop: int) -> Command[int]:
    """Remove the members that `zrange` would return; return how many."""
    return Command("ZREMRANGEBYRANK", key, start, stop, read=whole)


def zremrangebyscore(key: Argument, min: Argument, max: Argument) -> Command[int]:
    """Remove the members that `zrangebyscore` would return; return how many."""
    return Command("ZREMRANGEBYSCORE", key, min, max, read=whole)


def zremrangebylex(key: Argument, min: Argument, max: Argument) -> Command[int]:
    """Remove the members that `zrangebylex` would return; return how many."""
    return Command("ZREMRANGEBYLEX", key, min, max, read=whole)


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


def bzpopmin(key: Argument, *keys: Argument, timeout: float) -> Command[tuple[bytes, bytes, float] | None]:
    """Wait up to `timeout` seconds, 0 for ever, for a member in one of the sorted sets, and take the one with the lowest score.

    Returns the key, the member and its score, None if the time is up.
    """
    return Command("BZPOPMIN", key, *keys, timeout, read=taken)


def bzpopmax(key: Argument, *keys: Argument, timeout: float) -> Command[tuple[bytes, bytes, float] | None]:
    """As `bzpopmin`, the one with the highest score."""
    return Command("BZPOPMAX", key, *keys, timeout, read=taken)


def zmpop(
    key: Argument, *keys: Argument, where: End, count: int | None = None
) -> Command[tuple[bytes, list[tuple[bytes, float]]] | None]:
    """Take a member with the lowest (`MIN`) or highest (`MAX`) score, or up to `count`, of the first sorted set that has any.

    Returns its key and the members with their scores, None if there are none (Redis 7.0).
    """
    return Command("ZMPOP", 1 + len(keys), key, *keys, where, *given("ZMPOP", count=count), read=taken_some)


def bzmpop(
    key: Argument, *keys: Argument, timeout: float, where: End, count: int | None = None
) -> Command[tuple[bytes, list[tuple[bytes, float]]] | None]:
    """As `zmpop`, and wait up to `timeout` seconds, 0 for ever, for a member (Redis 7.0)."""
    options = given("BZMPOP", count=count)
    return Command("BZMPOP", timeout, 1 + len(keys), key, *keys, where, *options, read=taken_some)


def zdiff(key: Argument, *keys: Argument) -> Command[list[bytes]]:
    """Return the members of the first sorted set that no other has, in their order (Redis 6.2)."""
    return Command("ZDIFF", 1 + len(keys), key, *keys, read=bulks)


def zdiff_withscores(key: Argument, *keys: Argument) -> Command[list[tuple[bytes, float]]]:
    """As `zdiff`, with scores (Redis 6.2)."""
    return Command("ZDIFF", 1 + len(keys), key, *keys, "WITHSCORES", read=scored)


def zdiffstore(destination: Argument, key: Argument, *keys: Argument) -> Command[int]:
    """Make a sorted set of what `zdiff` would return; return how many members it has (Redis 6.2)."""
    return Command("ZDIFFSTORE", destination, 1 + len(keys), key, *keys, read=whole)


def zinter(
    key: Argument, *keys: Argument, weights: Weights | None = None, aggregate: Aggregate | None = None
) -> Command[list[bytes]]:
    """Return the members that all of the sorted sets have, or sets, in their order (Redis 6.2).

    A member's score is the sum of its scores, or what `aggregate` says, after those of each key were multiplied by its weight.
    With `COUNT` (Redis 8.8) it is the sum of the weights of the keys that have it.
    """
    options = weighing("ZINTER", 1 + len(keys), weights, aggregate)
    return Command("ZINTER", 1 + len(keys), key, *keys, *options, read=bulks)


def zinter_withscores(
    key: Argument, *keys: Argument, weights: Weights | None = None, aggregate: Aggregate | None = None
) -> Command[list[tuple[bytes, float]]]:
    """As `zinter`, with scores (Redis 6.2)."""
    options = weighing("ZINTER", 1 + len(keys), weights, aggregate)
    return Command("ZINTER", 1 + len(keys), key, *keys, *options, "WITHSCORES", read=scored)


def zinterstore(
    destination: Argument,
    key: Argument,
    *keys: Argument,
    weights: Weights | None = None,
    aggregate: Aggregate | None = None,
) -> Command[int]:
    """Make a sorted set of what `zinter` would return; return how many members it has."""
    options = weighing("ZINTERSTORE", 1 + len(keys), weights, aggregate)
    return Command("ZINTERSTORE", destination, 1 + len(keys), key, *keys, *options, read=whole)


def zintercard(key: Argument, *keys: Argument, limit: int | None = None) -> Command[int]:
    """Return how many members all of the sorted sets have, counted up to `limit` (Redis 7.0)."""
    return Command("ZINTERCARD", 1 + len(keys), key, *keys, *given("ZINTERCARD", limit=limit), read=whole)


def zunion(
    key: Argument, *keys: Argument, weights: Weights | None = None, aggregate: Aggregate | None = None
) -> Command[list[bytes]]:
    """Return the members that any of the sorted sets has, or sets, in their order; scores are those of `zinter` (Redis 6.2)."""
    options = weighing("ZUNION", 1 + len(keys), weights, aggregate)
    return Command("ZUNION", 1 + len(keys), key, *keys, *options, read=bulks)


def zunion_withscores(
    key: Argument, *keys: Argument, weights: Weights | None = None, aggregate: Aggregate | None = None
) -> Command[list[tuple[bytes, float]]]:
    """As `zunion`, with scores (Redis 6.2)."""
    options = weighing("ZUNION", 1 + len(keys), weights, aggregate)
    return Command("ZUNION", 1 + len(keys), key, *keys, *options, "WITHSCORES", read=scored)


def zunionstore(
    destination: Argument,
    key: Argument,
    *keys: Argument,
    weights: Weights | None = None,
    aggregate: Aggregate | None = None,
) -> Command[int]:
    """Make a sorted set of what `zunion` would return; return how many members it has."""
    options = weighing("ZUNIONSTORE", 1 + len(keys), weights, aggregate)
    return Command("ZUNIONSTORE", destination, 1 + len(keys), key, *keys, *options, read=whole)


def zscan(
    key: Argument, cursor: int = 0, *, match: Argument | None = None, count: int | None = None
) -> Command[tuple[int, list[tuple[bytes, float]]]]:
    """Return where to go on, 0 if that was all, and some members with their scores; one may come more than once."""
    return Command("ZSCAN", key, cursor, *given("ZSCAN", match=match, count=count), read=scanned_scores)


def zscan_noscores(
    key: Argument, cursor: int = 0, *, match: Argument | None = None, count: int | None = None
) -> Command[tuple[int, list[bytes]]]:
    """As `zscan`, without scores (Valkey 8.0)."""
    return Command("ZSCAN", key, cursor, *given("ZSCAN", match=match, count=count), "NOSCORES", read=scanned)
