"""What surfaces for threads ask of an adapter, and how its calls are observed. The text of `tasks_driver` in another colour.

Every call comes down to one step: `Driver.call`.
"""

from __future__ import annotations

from _thread import RLock
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from ..client.leases import Lease
from ..client.links import meant_for
from ..client.observers import Observers, Watch
from ..client.posts import Party
from ..client.sentinel import Place
from ..connection.slot import Slot
from . import base
from .base import ANSWERED, Heardable, Loan

__all__ = ["Alone", "Driver", "Meant", "Observed"]

T = TypeVar("T")


class Alone:
    """Has one step taken at a time, whichever threads come.

    No `with` takes the lock: in CPython 3.14 an interrupt may strike when that has taken it and is not bound to release it yet.
    """

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = RLock()

    def __call__(self, step: Callable[..., T], /, *args: Any) -> T:
        """Take this step, return what it returns and raise what it raises."""
        taken = False
        try:
            self._lock.acquire()
            taken = True
            return step(*args)
        finally:
            try:
                self._lock.release()
            except RuntimeError:
                if taken:
                    raise  # else an interrupt struck while this thread waited for it


class Driver(base.Driver, Protocol):
    """What carries out one machine for threads: an adapter's own. Any number of threads call its methods at once.

    A thread may be interrupted anywhere.
    """

    def call(self, slot: Slot, loan: Loan | None = None, epoch: int | None = None, /) -> None:
        """Make a call, by a link of one's own if there is a loan.

        When this returns, the call has ended. When it raises, as `Client.submit` does or because it was interrupted, the call
        was never made, or it has been given up.
        """

    def finish(self, slot: Slot, /) -> None:
        """Wait for the end of a call that was begun `ahead`. When it raises, because of an interrupt, it was given up.

        What has come before its deadline counts, however late it is read.
        """

    def acquire(
        self,
        deadline: float,
        stack: str | None = None,
        borrower: Party | None = None,
        at: int | Place | None = None,
        /,
    ) -> Loan:
        """Wait for a link, to the server `at` this place, or of this slot. Raises as `Client.acquire`, and why there is none.

        Once the `borrower` has gone, so has the loan; one for which there is none lasts as long as its link.
        """

    def listen(self, what: Heardable, deadline: float, /) -> Any:
        """Wait for what comes unasked: of a link the next push, else nothing. Raises as `Client.listen`, and why nothing comes."""

    def catch_up(self) -> None:
        """Take in what has come on the links that all share: often, no call does."""

    def pause(self, seconds: float, /) -> None:
        """Let this time pass."""

    def open(self) -> None:
        """Dial what is to be open before it is needed."""

    def close(self, deadline: float, /) -> None:
        """Take no new calls, wait until the deadline for those under way, and end what is left."""


class Observed:
    """Makes the calls of a driver, and tells of them in the caller's own thread, before anything is sent and when all is over."""

    __slots__ = ("_driver", "_observers")

    def __init__(self, driver: Driver, observers: Observers) -> None:
        self._driver = driver
        self._observers = observers
        observers.now = driver.now

    def call(self, slot: Slot, loan: Loan | None = None, epoch: int | None = None, /) -> None:
        """As the driver's."""
        observers, held = self._observers, loan is not None
        slot.watch = watch = Watch()
        watch.began_at = observers.now()
        try:
            if observers.begins:
                observers.began(slot, watch)
            self._driver.call(slot, loan, epoch)
            observers.ended(slot, watch, None, held=held)
        except BaseException as error:
            observers.ended(slot, watch, error, held=held)  # each is told once; an interrupt may have struck in there
            raise

    def ahead(self, slot: Slot, loan: Loan | None = None, /) -> None:
        """As the driver's; the end is told when a caller has waited for it, or gives it up."""
        observers = self._observers
        slot.watch = watch = Watch()
        watch.began_at, watch.held = observers.now(), loan is not None
        try:
            if observers.begins:
                observers.began(slot, watch)
            self._driver.ahead(slot, loan)
        except BaseException as error:
            observers.ended(slot, watch, error, held=watch.held)
            raise

    def finish(self, slot: Slot, /) -> None:
        """As the driver's."""
        observers, watch = self._observers, slot.watch
        try:
            self._driver.finish(slot)
            observers.ended(slot, watch, None, held=watch.held)
        except BaseException as error:
            observers.ended(slot, watch, error, held=watch.held)
            raise

    def give_up(self, slot: Slot, /) -> None:
        """As the driver's."""
        self._driver.give_up(slot)
        self._observers.ended(
            slot, slot.watch, None if slot.state is ANSWERED else GeneratorExit(), held=slot.watch.held
        )

    def acquire(self, deadline: float, /, *more: Any) -> Loan:
        """As the driver's."""
        observers = self._observers
        began_at = observers.now()
        try:
            loan = self._driver.acquire(deadline, *more)
        except BaseException as error:
            observers.waited(began_at, error)
            raise
        try:
            observers.waited(began_at, None)
        except BaseException:  # an interrupt
            self._driver.release(loan)
            raise
        return loan

    def release(self, loan: Loan, /) -> None:
        """As the driver's."""
        self._driver.release(loan)
        if isinstance(loan, Lease) and self._driver.machine.has(
            loan.connection
        ):  # else the parent of a fork has lent it
            self._observers.used(loan)


class Meant:
    """Makes the calls of a client of a cluster, and says for which of its servers they are."""

    __slots__ = ("_calls", "_place")

    def __init__(self, calls: Any, place: Place) -> None:
        self._calls = calls
        self._place = place

    def call(self, slot: Slot, loan: Loan | None = None, epoch: int | None = None, /) -> None:
        """As the driver's."""
        meant_for(slot, self._place)
        self._calls.call(slot, loan, epoch)

    def ahead(self, slot: Slot, loan: Loan | None = None, /) -> None:
        """As the driver's."""
        meant_for(slot, self._place)
        self._calls.ahead(slot, loan)

    def finish(self, slot: Slot, /) -> None:
        """As the driver's."""
        self._calls.finish(slot)

    def give_up(self, slot: Slot, /) -> None:
        """As the driver's."""
        self._calls.give_up(slot)
