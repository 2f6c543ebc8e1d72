"""What the drivers for tasks have in common, whichever library their tasks are of: they are one text as far as nothing waits.

An adapter inherits `DriverBase`, and says how its library waits, wakes, dials and keeps the time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from math import inf
from typing import Final, Protocol, TypeAlias

from .._errors import LocalProtocolError
from ..client.client import Client
from ..client.forks import told_of_forks
from ..client.links import Close, Dial, Drained, Granted, Heard, Leaked, Link, Look, Refused, Report, Waiter
from ..client.pushes import Listener
from ..client.sentinel import Place
from ..client.submitting import ClientEvent
from ..connection.slot import Slot, SlotState
from .base import Loan
from .machines import Make

__all__ = ["Caller", "DriverBase"]

QUEUED: Final = SlotState.QUEUED

Caller: TypeAlias = Slot | Listener | Waiter
"""What a task waits for, in `DriverBase.wait_for`. `token` is the adapter's own: how to wake it."""


class Event(Protocol):
    """An event, as both libraries have it."""

    def set(self) -> object:
        """Wake those who wait for it."""


class DriverBase(ABC):
    """Carries out one machine for tasks. `make` makes the machine, anew in the child of a fork.

    A link's `io` is the adapter's socket, which has `wants_to_send`, `has_more`, `answer_look` and `close`.
    """

    __slots__ = ("__weakref__", "_carrying", "_make", "_told", "armed", "drained", "machine", "now", "whose")

    armed: float  # when the timer goes off, `math.inf` for never
    drained: Event | None  # what `close` waits for
    machine: Client
    now: Callable[[], float]
    _told: Sequence[ClientEvent]  # what the machine said, and is not carried out
    _carrying: bool

    def __init__(self, make: Make, whose: str) -> None:
        self.whose: Final[str] = whose
        self._make: Make | None = make
        self.begin()
        if self.machine.once:
            self._make = None  # there is no other machine after this one
        told_of_forks(self)

    # -- an adapter's own --------------------------------------------------------------------------------------------------------

    @abstractmethod
    def begin(self) -> None:
        """Begin, or begin anew in the child of a fork: by `begin_with`, and what is the adapter's own."""

    def begin_with(self, random: Callable[[], float], now: Callable[[], float]) -> None:
        """Begin with a new machine, this source of random numbers, and this clock."""
        assert self._make is not None
        self.machine = self._make(random)
        self.now = now
        self.armed = inf
        self.drained = None
        self._told = ()
        self._carrying = False

    @abstractmethod
    def check(self, what: str) -> object:
        """Raise `LocalProtocolError` where this can't be used: in another event loop, say. `what` is to be done is for that."""

    def elsewhere(self, what: str, home: str) -> LocalProtocolError:
        """Return the error for a use outside of its home: "event loop", say."""
        return LocalProtocolError(
            f"{what}: this {self.whose} belongs to the {home} that it was opened in; elsewhere, or in another thread, open another"
        )

    @abstractmethod
    def current_task(self) -> Hashable:
        """Return the task that calls."""

    @abstractmethod
    async def checkpoint(self) -> None:
        """Let others have their turn, if every call is to be a checkpoint."""

    @abstractmethod
    async def wait_for(self, caller: Caller) -> None:
        """Wait until the machine is done with it."""

    @abstractmethod
    def wake(self, caller: Caller) -> None:
        """The machine is done with it: wake the task that waits, if one does."""

    @abstractmethod
    def dial(self, wanted: Dial) -> object:
        """Begin to open a socket, beside the calls."""

    @abstractmethod
    def soon(self, report: Callable[[], None]) -> None:
        """Call this once all else is carried out; what was open before a fork may be passed over."""

    @abstractmethod
    def arm(self, deadline: float) -> None:
        """See that the timer goes off at this time or before."""

    # -- for calls ---------------------------------------------------------------------------------------------------------------

    def ahead(self, slot: Slot, lease: Loan | None = None) -> None:
        """Begin a call, for whose end a caller may wait later."""
        self.check(slot.name)
        machine = self.machine
        caller = self.current_task() if machine.several_lanes else None
        link = machine.submit(slot, self.now(), caller=caller, lease=lease)
        if link is not None:
            link.io.wants_to_send()
        self.carry_out()

    def give_up(self, slot: Slot) -> None:
        """The caller of this slot has gone."""
        self.machine.abandon(slot, self.now())
        self.carry_out()

    async def acquire(self, deadline: float, borrower: str | None = None, at: int | Place | None = None) -> Loan:
        """Wait for a link of one's own. Raises as `Client.acquire`, and why there is none."""
        await self.checkpoint()  # before, since a connection that is had at once should be of use at once
        self.check("acquire")
        machine, now = self.machine, self.now()
        lease = machine.lend(now, borrower, None, at)
        if lease is not None and not lease.connection.io.has_more():
            if borrower is not None or machine.untold:  # a borrower is to be reported at some time
                self.carry_out()
            return lease
        waiter = machine.acquire(None, now, deadline=deadline, borrower=borrower, held=lease, at=at)
        self.carry_out()
        if waiter.state is QUEUED:
            try:
                await self.wait_for(waiter)
            except BaseException:
                machine.withdraw(waiter, self.now())
                self.carry_out()
                raise
        return waiter.result()

    def release(self, lease: Loan) -> None:
        """Give a link back."""
        self.machine.release(lease, self.now())
        self.carry_out()

    def change(self, name: str, what: Callable[[Client, float], object]) -> None:
        """Change something of the machine's, and carry out what follows."""
        self.check(name)
        what(self.machine, self.now())
        self.carry_out()

    def disown(self, now: float) -> None:
        """In the child of a fork: everything that is open is the parent's, and is forgotten; only a single connection ends."""
        self.machine.disown()
        self.machine.close(now, "it was opened before a fork, and belongs to the parent process")
        if not self.machine.once:
            self.begin()

    @abstractmethod
    def detach_after_fork(self) -> None:
        """In the child of a fork: forget what is open, without a word to the server, and `disown` it."""

    # -- what the machine says ---------------------------------------------------------------------------------------------------

    def carry_out(self, events: list[ClientEvent] | None = None) -> None:
        """Carry out these events, or all there are, and those that follow, in their order; see that the timer goes off in time."""
        machine = self.machine
        self._told = (*self._told, *(machine.events() if events is None else events))
        if self._carrying:
            return  # what is being carried out leads to more, which follows
        self._carrying = True
        try:
            while told := self._told:
                self._told = ()
                for event in told:
                    if isinstance(event, Slot):
                        self.wake(event)
                    else:
                        self._tell(event)
                self._told = (*self._told, *machine.events())
        finally:
            self._carrying = False
        due = machine.next_deadline()
        if due < self.armed:
            self.arm(due)

    def _tell(self, event: ClientEvent) -> None:
        match event:
            case Link(io=io):
                if io is not None:
                    io.wants_to_send()
            case Dial():
                self.dial(event)
            case Look(link):
                link.io.answer_look()
            case Granted(caller) | Refused(caller) | Heard(caller):
                self.wake(caller)
            case Close(link):
                if link.io is not None:
                    link.io.close()
            case Drained():
                if self.drained is not None:
                    self.drained.set()
            case Leaked(lease):
                self.soon(lease.report)
            case _:
                assert isinstance(event, Report)
                self.soon(event.report)
