"""What is said of sorted sets alone: places with scores, and members that were taken from a key."""

from __future__ import annotations

from ..wire.values import Reply
from .decoding import S, Text
from .readers import bulk, items, maybe_number, number, scored, whole

__all__: list[str] = []


def maybe_numbers(reply: Reply, _text: object = None) -> list[float | None]:
    """Doubles, with a null for each that is not there."""
    return [maybe_number(item) for item in items(reply)]


def place_and_score(reply: Reply, _text: object = None) -> tuple[int, float] | None:
    """A member's place and its score; or null."""
    if reply is None:
        return None
    place, score = items(reply, 2)
    return whole(place), number(score)


def taken(reply: Reply, text: Text[S]) -> tuple[S, S, float] | None:
    """A key, and a member that was taken there with its score; or null."""
    if reply is None:
        return None
    key, member, score = items(reply, 3)
    return bulk(key, text), bulk(member, text), number(score)


def taken_some(reply: Reply, text: Text[S]) -> tuple[S, list[tuple[S, float]]] | None:
    """A key, and members that were taken there with their scores; or null."""
    if reply is None:
        return None
    key, found = items(reply, 2)
    return bulk(key, text), scored(found, text)
