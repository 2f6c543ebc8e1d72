"""Moments at which something is to be looked at: a deadline, the end of a pause, the next dial."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from itertools import count
from math import inf
from typing import Any, Final

__all__ = ["Timer", "Timers"]

FEW: Final = 64  # cancelled timers: not worth clearing out


class Timer:
    """A moment at which something is to be looked at, until it is cancelled."""

    __slots__ = ("due", "queued", "thing")

    def __init__(self, due: float, thing: Any) -> None:
        self.due: Final[float] = due
        self.thing: Any = thing  # None once cancelled
        self.queued: bool = due < inf


class Timers:
    """Moments in their order. Cancelled ones cost nothing later: they are cleared out when they are the greater part."""

    __slots__ = ("_cancelled", "_heap", "_number")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        self._number = count()
        self._cancelled = 0

    def __len__(self) -> int:
        return len(self._heap) - self._cancelled

    def add(self, due: float, thing: Any) -> Timer:
        """Return a timer that `pop` gives back when it is due."""
        timer = Timer(due, thing)
        if timer.queued:
            heappush(self._heap, (due, next(self._number), timer))
        return timer

    def cancel(self, timer: Timer | None) -> None:
        """Forget this one. Idempotent."""
        if timer is None or timer.thing is None:
            return
        timer.thing = None
        if timer.queued:
            self._cancelled += 1
            if self._cancelled > FEW and 2 * self._cancelled > len(self._heap):
                self._heap = [entry for entry in self._heap if entry[2].thing is not None]
                heapify(self._heap)
                self._cancelled = 0

    def next(self) -> float:
        """When the first of them is due, `math.inf` for never."""
        heap = self._heap
        while heap and heap[0][2].thing is None:
            heappop(heap)
            self._cancelled -= 1
        return heap[0][0] if heap else inf

    def due(self, now: float) -> list[Timer]:
        """Return the timers that are due, in their order. One of them may be cancelled by what is done for another."""
        found = []
        while (due := self.next()) <= now and due < inf:
            timer = heappop(self._heap)[2]
            timer.queued = False
            found.append(timer)
        return found
