"""Virtual time: what is to happen, in the order of its time. Nothing here waits."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from math import inf
from typing import Any

__all__ = ["Clock"]


class Clock:
    """The time, and what is still to come. What is due at one time happens in the order in which it was asked for."""

    __slots__ = ("_count", "_events", "now")

    def __init__(self) -> None:
        self.now: float = 0.0
        self._events: list[tuple[float, int, Callable[..., object], tuple[Any, ...]]] = []
        self._count = 0

    @property
    def next(self) -> float:
        """When the next event is due, `math.inf` if there is none."""
        return self._events[0][0] if self._events else inf

    def at(self, when: float, what: Callable[..., object], *arguments: Any) -> None:
        """Do this at that time, or now if it has passed."""
        self._count += 1
        heappush(self._events, (max(when, self.now), self._count, what, arguments))

    def after(self, seconds: float, what: Callable[..., object], *arguments: Any) -> None:
        """Do this in so many seconds."""
        self.at(self.now + seconds, what, *arguments)

    def step(self) -> None:
        """Go to the next event's time, and do it."""
        self.now, _, what, arguments = heappop(self._events)
        what(*arguments)
