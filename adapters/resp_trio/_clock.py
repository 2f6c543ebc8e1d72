"""The time of all that one run of trio drives: a task of the run's own waits for the earliest deadline, whichever driver's it is.

A connection of `connect` has no nursery once it is open, so that any task may hold it. (Measured: a cancel scope for each wait of
the caller that leads would do without a task, and take a third of the time of a lone caller's GET. A nursery for each connection
would need 3.8 KiB.) A driver that is of no use for a while keeps still when its time comes.
"""

from __future__ import annotations

import select
from math import inf
from typing import TYPE_CHECKING, Final

from trio import CancelScope, current_time, sleep_forever
from trio.lowlevel import RunVar, checkpoint, spawn_system_task

from resp_sansio.surface.tasks import Polls

if TYPE_CHECKING:
    from ._driver import Driver

__all__ = ["Clock", "clock_of_the_run"]


class Clock:
    """It tells each of its drivers when its time has come."""

    __slots__ = ("_armed", "_scope", "polls")

    def __init__(self) -> None:
        self.polls: Final = Polls(select)  # of the run's sockets
        self._armed: set[Driver] = set()
        self._scope: CancelScope | None = None

    def arm(self, driver: Driver, deadline: float) -> None:
        """Go off for this one at this time or before."""
        driver.armed = deadline
        self._armed.add(driver)
        if self._scope is not None and deadline < self._scope.deadline:
            self._scope.deadline = deadline

    def disarm(self, driver: Driver) -> None:
        """It has nothing left to be told."""
        driver.armed = inf
        self._armed.discard(driver)

    async def run(self) -> None:
        """Go on for as long as the run does."""
        while True:
            with CancelScope(deadline=min([driver.armed for driver in self._armed], default=inf)) as self._scope:
                await sleep_forever()
            self._scope = None
            await checkpoint()  # what came by now is read first, by those who lead
            now = current_time()
            for driver in [driver for driver in self._armed if driver.armed <= now]:
                self.disarm(driver)
                driver.look_at_the_time()


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
