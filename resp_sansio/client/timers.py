"""Moments at which something is to be looked at: a deadline, the end of a pause, the next dial."""

from __future__ import annotations

from math import inf
from operator import attrgetter
from typing import Any, Final

from ..connection.deadlines import Deadlines

__all__ = ["Soonest", "Timer", "Timers"]

THING: Final = attrgetter("thing")
FEW: Final = 64  # cancelled timers: not worth clearing out


class Timer:
    """A moment at which something, which is true, is to be looked at, until it is cancelled."""

    __slots__ = ("due", "thing")

    def __init__(self, due: float, thing: Any) -> None:
        self.due: Final[float] = due
        self.thing: Any = thing  # None once cancelled


class Soonest:
    """A time before which nothing of several machines is to be looked at. It may be too early: for what was cancelled since."""

    __slots__ = ("due",)

    def __init__(self) -> None:
        self.due: float = inf


class Timers(Deadlines[Timer]):
    """Moments in their order. Cancelled ones are cleared out as others are set, so that they are not the greater part for long.

    `soonest` is kept as early as what is set here.
    """

    __slots__ = ("_most", "_soonest")

    def __init__(self, soonest: Soonest | None = None) -> None:
        super().__init__(THING)
        self._most = FEW
        self._soonest = soonest or Soonest()

    def set(self, due: float, thing: Any) -> Timer:
        """Return a timer that `take` gives when it is due."""
        timer = Timer(due, thing)
        self.add(timer, due)
        if due < self._soonest.due:
            self._soonest.due = due
        if len(self.entries) > self._most:
            self.trim(0)
            self._most = 2 * len(self.entries) + FEW
        return timer

    @staticmethod
    def cancel(timer: Timer | None) -> None:
        """Forget this one. Idempotent."""
        if timer is not None:
            timer.thing = None
