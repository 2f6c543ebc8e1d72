"""Commands on sorted sets."""

from __future__ import annotations

from ..wire.encoder import Argument
from .arguments import Scores, condition, exclusive, given, limiting, scores_in_turn
from .command import Command
from .readers import bulks, first_scored, maybe_number, maybe_whole, number, scanned_scores, scored, whole


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
