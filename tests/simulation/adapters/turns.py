"""Threads that take turns: real ones, of which one runs at a time. Which of them goes on is drawn, whenever one waits or could.

Locks, polls and the time are what threads meet each other by, so these are where one may make room for another. An interrupt
strikes where CPython looks for signals: as a function begins, or one of C's has returned.
"""

from __future__ import annotations

import sys
import threading
from math import inf
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from resp_sansio.testing import World

__all__ = ["Turn", "Turns"]

OVERTAKEN: Final = 0.1
"""How often a thread that need not wait makes room for the others."""
PASSES: Final = 1e-6  # seconds in a turn
MANY: Final = 30_000  # turns: no history takes so many
MOMENTS: Final = 40
"""An interrupt strikes within so many of the moments at which it may."""


class KilledError(BaseException):
    """The history has failed, and its threads end."""


class Turn:
    """One thread. It goes on when `ready` says so, or at this time."""

    def __init__(self, turns: Turns, work: Callable[[], object], traced: tuple[str, ...]) -> None:
        self.ready: Callable[[], bool] = lambda: True
        self.until = inf
        self.begun = self.over = False
        self.failure: BaseException | None = None
        self.strikes_in = 0  # moments, counted down; 0: no interrupt is to come
        self.struck = False
        self.place = ""  # where it was struck
        self.baton = threading.Lock()
        self.baton.acquire()
        self._turns = turns
        self._work = work
        self._traced = traced
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        self.baton.acquire()
        if self._traced:
            sys.setprofile(self._at_moment)
        try:
            self._work()
        except KeyboardInterrupt as error:
            self.failure = None if self.struck else error  # what it holds is let go
        except BaseException as error:  # noqa: BLE001  # raised by the one that waits for the end
            self.failure = error
        finally:
            sys.setprofile(None)
            self.over = True
            self._turns.baton.release()

    def strike(self, moments: int) -> None:
        """An interrupt comes after so many moments."""
        self.strikes_in = moments

    def _at_moment(self, frame: Any, event: str, _: Any) -> None:
        if not self.strikes_in or event not in ("call", "c_return"):
            return
        if not frame.f_code.co_filename.startswith(self._traced) or frame.f_code.co_name == "<genexpr>":
            return  # what is raised in a generator that is thrown away is passed over
        if finalises(frame):
            return
        self.strikes_in -= 1
        if not self.strikes_in and not self.struck:
            self.struck = True
            self.place = f"{frame.f_code.co_qualname}:{frame.f_lineno}"
            self._turns.world.tell("an interrupt strikes in {}", self.place)
            raise KeyboardInterrupt


def finalises(frame: Any) -> bool:
    """Does this frame work for a finaliser? What is raised there is passed over."""
    while frame is not None:
        if frame.f_code.co_name == "__del__":
            return True
        frame = frame.f_back
    return False


class Turns:
    """All threads of a history. The one that calls `run` is none of them: it says who goes on, and lets time pass."""

    def __init__(self, world: World, random: Random) -> None:
        self.world = world
        self.random = random
        self.baton = threading.Lock()
        self.baton.acquire()
        self.all: list[Turn] = []
        self.current: Turn | None = None
        self.killed = False
        self.count = 0

    def begin(self, work: Callable[[], object], traced: tuple[str, ...] = ()) -> Turn:
        """Start a thread; with `traced`, the beginnings of file names, in whose code it may be interrupted."""
        turn = Turn(self, work, traced)
        self.all.append(turn)
        turn.thread.start()
        return turn

    def run(self) -> None:
        """Have all threads come to their ends."""
        clock = self.world.clock
        try:
            while alive := [turn for turn in self.all if not turn.over]:
                self.count += 1
                assert self.count < MANY, "the history does not come to rest"
                while self.world.step(clock.now + PASSES):
                    pass
                ready = [turn for turn in alive if turn.until <= clock.now or turn.ready()]
                if ready:
                    self._hand(ready[self.random.randrange(len(ready))])
                else:
                    self.world.step(min(turn.until for turn in alive))
        except BaseException:
            self.killed = True
            for turn in self.all:
                while not turn.over:
                    self._hand(turn)
            raise

    def _hand(self, turn: Turn) -> None:
        self.current = turn
        turn.baton.release()
        self.baton.acquire()
        self.current = None

    # -- for threads ------------------------------------------------------------------------------------------------------------

    def wait(self, ready: Callable[[], bool], until: float = inf) -> bool:
        """Let others run until this is so, or the time has come; is it so?"""
        turn = self.current
        assert turn is not None, "no thread of this history waits here"
        turn.ready, turn.until = ready, until
        self.baton.release()
        turn.baton.acquire()
        if self.killed:
            raise KilledError
        return ready()

    def make_room(self) -> None:
        """Another thread may go on first."""
        if self.current is not None and self.random.random() < OVERTAKEN:
            self.wait(lambda: True)

    def time(self) -> float:
        """The time; it is asked for where much may happen in between."""
        self.make_room()
        return self.world.clock.now

    def lock(self) -> Lock:
        """As `threading.Lock`."""
        return Lock(self)

    def rlock(self) -> ReentrantLock:
        """As `threading.RLock`."""
        return ReentrantLock(self)


class Lock:
    """A lock that is waited for in virtual time."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._locked = False

    def locked(self) -> bool:
        return self._locked

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if self._locked:
            now = self._turns.world.clock.now
            until = now if not blocking else inf if timeout < 0 else now + timeout
            if not self._turns.wait(lambda: not self._locked, until):
                return False
        self._locked = True
        return True

    def release(self) -> None:
        assert self._locked
        self._locked = False


class ReentrantLock:
    """The same, for a thread that may have it already."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._owner: Turn | None = None
        self._count = 0

    def acquire(self, blocking: bool = True) -> bool:
        turns = self._turns
        me = turns.current
        if self._owner is not me:
            turns.make_room()
            if self._owner is not None:
                if not blocking:
                    return False
                turns.wait(lambda: self._owner is None)
            self._owner = me
        self._count += 1
        return True

    def release(self) -> None:
        self._count -= 1
        if not self._count:
            self._owner = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()
