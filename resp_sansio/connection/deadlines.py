"""What is due when, at a price that what has ended meanwhile does not raise.

A heap whose entries are dropped late: an item that ends first stays until it is met at the top, or until more than half of the
entries are of that kind. So each entry costs the logarithm of their number, once, whichever way its item ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import heapify, heappop, heappush
from itertools import count
from math import inf, nextafter
from typing import Final, Generic, TypeVar

__all__ = ["Deadlines", "after"]

T = TypeVar("T")

NUMBERS: Final = count()  # entries of one deadline come in the order in which they were added


class Deadlines(Generic[T]):
    """Items `T`, each with its deadline; `is_due` says of an item whether it still counts."""

    __slots__ = ("_is_due", "entries")

    def __init__(self, is_due: Callable[[T], object]) -> None:
        self.entries: list[tuple[float, int, T]] = []
        self._is_due: Final = is_due

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self.entries)} entries>"

    def is_due(self, item: T) -> object:
        """Does this item still count?"""
        return self._is_due(item)

    def add(self, item: T, deadline: float) -> None:
        """Add an item; one that has no deadline (`math.inf`) needs no entry."""
        if deadline != inf:
            heappush(self.entries, (deadline, next(NUMBERS), item))

    def next(self) -> float:
        """Return the earliest deadline of what has not ended, `math.inf` if there is none."""
        entries = self.entries
        while entries:
            deadline, _, item = entries[0]
            if self.is_due(item):
                return deadline
            heappop(entries)
        return inf

    def take(self, now: float) -> Iterator[T]:
        """Take out, one by one and the earliest first, what is due by now and has not ended."""
        entries = self.entries
        while entries and entries[0][0] <= now:
            _, _, item = heappop(entries)
            if self.is_due(item):
                yield item

    def trim(self, most: int) -> None:
        """Keep hold of little that has ended; at most so many have not."""
        self.next()
        if len(self.entries) > 2 * most:
            self.entries[:] = [entry for entry in self.entries if self.is_due(entry[2])]
            heapify(self.entries)


def after(since: float, seconds: float) -> float:
    """Return the time so many seconds later: always a later one, however small these are beside the time itself."""
    return max(since + seconds, nextafter(since, inf))
