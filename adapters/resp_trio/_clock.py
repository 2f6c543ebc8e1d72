"""The time of all that one run of trio drives: a task of the run's own waits for the earliest deadline, whichever driver's it is.

A connection of `connect` has no nursery once it is open, so that any task may hold it. (Measured: a cancel scope for each wait of
the caller that leads would do without a task, and take a third of the time of a lone caller's GET. A nursery for each connection
would need 3.8 KiB.) A driver that is of no use for a while keeps still when its time comes.
"""

from __future__ import annotations

from math import inf
from typing import Final, Protocol

from trio import CancelScope, current_time, sleep_forever
from trio.lowlevel import RunVar, checkpoint, spawn_system_task

__all__ = ["Clock", "clock_of_the_run"]


class Timed(Protocol):
    """What has deadlines. `armed` is the earliest, `math.inf` for none; it is the clock's to set."""

    armed: float

    def look_at_the_time(self) -> None:
        """The time has come; nothing is armed any more."""


class Clock:
    """It tells each of its drivers when its time has come."""

    __slots__ = ("_armed", "_scope")

    def __init__(self) -> None:
        self._armed: set[Timed] = set()
        self._scope: CancelScope | None = None

    def arm(self, timed: Timed, deadline: float) -> None:
        """Go off for this one at this time or before."""
        timed.armed = deadline
        self._armed.add(timed)
        if self._scope is not None and deadline < self._scope.deadline:
            self._scope.deadline = deadline

    def disarm(self, timed: Timed) -> None:
        """It has nothing left to be told."""
        timed.armed = inf
        self._armed.discard(timed)

    async def run(self) -> None:
        """Go on for as long as the run does."""
        while True:
            with CancelScope(deadline=min([timed.armed for timed in self._armed], default=inf)) as self._scope:
                await sleep_forever()
            self._scope = None
            await checkpoint()  # what came by now is read first, by those who lead
            now = current_time()
            for timed in [timed for timed in self._armed if timed.armed <= now]:
                self.disarm(timed)
                timed.look_at_the_time()


_clock: Final[RunVar[Clock]] = RunVar("the clock of resp_trio")


def clock_of_the_run() -> Clock:
    """Return the clock of this run of trio, the same each time."""
    try:
        return _clock.get()
    except LookupError:
        clock = Clock()
        spawn_system_task(clock.run)
        _clock.set(clock)
        return clock
