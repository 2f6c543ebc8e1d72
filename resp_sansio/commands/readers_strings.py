"""What commands on strings, their bits and keys of any type return, where no other group has it."""

from __future__ import annotations

from typing import NamedTuple

from ..wire.values import Reply
from .decoding import Binary
from .readers import flat, items, number, unexpected, whole

__all__ = ["LcsMatch", "LcsMatches"]


class LcsMatch(NamedTuple):
    """A part that two values have in common: the first and the last byte of it in each of them."""

    key1: tuple[int, int]
    key2: tuple[int, int]

    @property
    def len(self) -> int:
        """How many bytes it has."""
        return self.key1[1] - self.key1[0] + 1


class LcsMatches(NamedTuple):
    """Where the longest common subsequence of two values is: its parts, the last one first, and the length of it all.

    Parts that were too short to be shown are in that length.
    """

    matches: list[LcsMatch]
    len: int


def lcs_matches(reply: Reply, _text: object = None) -> LcsMatches:
    """Parts by name, as a map on RESP3 and in turn on RESP2."""
    parts = flat(reply)
    if parts[::2] != [b"matches", b"len"]:
        raise unexpected("matches and their length", reply)
    return LcsMatches([_match(*items(match, 2)) for match in items(parts[1])], whole(parts[3]))


def _match(key1: Reply, key2: Reply) -> LcsMatch:
    (start1, end1), (start2, end2) = items(key1, 2), items(key2, 2)
    return LcsMatch((whole(start1), whole(end1)), (whole(start2), whole(end2)))


def float_increase(reply: Reply, _text: object = None) -> tuple[float, float]:
    """What a number is now, and how much was added to it: each may have a fraction."""
    value, increment = items(reply, 2)
    return number(value), number(increment)


def maybe_binary(reply: Reply, _text: object = None) -> Binary | None:
    """A bulk string that is never text, or null."""
    if type(reply) is bytes or reply is None:
        return reply
    raise unexpected("a bulk string or null", reply)


def migrated(reply: Reply, _text: object = None) -> bool:
    """OK, or that there was no key to move."""
    if reply == "OK":
        return True
    if reply == "NOKEY":
        return False
    raise unexpected("OK or NOKEY", reply)
