"""The steps that threads take under an adapter's lock, one at a time: how a caller begins and goes, what is looked at and when, and
what follows once a thread is back from its wait.

A step asks the machine and the crew, and has the bytes moved that can be moved now. It never waits, and holds no lock: an adapter
inherits `Steps`, says how bytes move and how a thread sleeps, and lets its threads wait between their steps. An interrupt may cut a
step short anywhere: what it leaves is put in order before the next one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeAlias, TypeGuard
from weakref import ref

from .._errors import LocalProtocolError
from ..connection.slot import Slot, SlotState
from .client import Client
from .crew import Crew
from .leases import Lease
from .links import Close, Dial, Leaked, Link, Look, Report, Share, Waiter
from .posts import AHEAD, DONE, SLEEP, Job, Party, Post, Write, entry_of, posts_of
from .pushes import Listener
from .sentinel import Place
from .submitting import ClientEvent

__all__ = ["Steps"]

LOOK: Final = 0.1
"""Seconds between looks at what is due, by whichever caller comes by."""

PIECES: Final = 16
"""How many pieces of what has come are taken in before a command is sent, at most: a server may never stop."""

ANSWERED: Final = SlotState.ANSWERED
HANDED: Final = SlotState.HANDED

Caller: TypeAlias = Slot | Party


class Steps(ABC):
    """What threads do of a client under the lock. `whose` it is ("client") is for messages; `now` is the adapter's clock.

    A step that a caller begins with returns the caller's first job, None if it has what it wants.
    """

    __slots__ = (
        "_look_at", "_moves", "_reports", "_telling", "_todo", "_torn", "_untold", "crew", "machine", "now", "whose",
    )  # fmt: skip

    whose: str

    def __init__(self, machine: Client, now: Callable[[], float]) -> None:
        self.machine: Client = machine
        self._untold: Sequence[ClientEvent] = machine.untold
        self.crew: Crew = Crew()
        self.now: Callable[[], float] = now
        self._torn: list[object] = []  # not empty: something was left half-done; threads add to it without the lock
        self._telling = False
        self._todo: list[ClientEvent] = []  # what the machine said, and is not carried out; the last one goes first
        self._reports: list[Callable[[], None]] = []  # what is to be told without the lock, in this order
        self._look_at = now() + LOOK
        self._moves = 0

    # -- what an adapter says ------------------------------------------------------------------------------------------------

    @abstractmethod
    def _receive(self, io: Any) -> bool:
        """Take in one piece of what has come at this post, if any has."""

    @abstractmethod
    def _send(self, io: Any) -> None:
        """Send what is queued at this post, as far as it goes; but take in what came unasked first, which must not answer it."""

    @abstractmethod
    def _close(self, io: Any) -> None:
        """This link has ended: shut its socket down, and close it unless a thread waits for it."""

    @abstractmethod
    def _drop_opening(self, dial: Dial) -> None:
        """Close what was opened for this dial, if anything was."""

    @abstractmethod
    def _park(self, caller: Caller) -> Job:
        """Put this caller among those that sleep, with something to wake it by, and return SLEEP."""

    # -- how callers begin ---------------------------------------------------------------------------------------------------

    def _begin(self, slot: Slot, lease: Lease[Link] | Share | None, epoch: int | None, thread: int) -> Job | None:
        """Begin a call of this thread's; one that is begun ahead has no job."""
        machine, now = self.machine, self.now()
        self._look(now)
        caller = thread if machine.several_lanes else None
        looked: Link | None = None
        while lease is None and (idle := machine.idle_link(caller, slot)) is not looked and idle is not None:
            looked = idle
            if idle.io.reader is None:
                self._catch_up(idle.io)  # it may have ended, and then another is next
        link = machine.submit(slot, now, caller=caller, lease=lease, epoch=epoch)
        io: Post | None = None if link is None else link.io
        if io is None or io.reader is not None:
            self._check_not_beneath(slot, io)
        if io is not None:
            self._put_out(io, now)
        self._carry_out()
        if slot.token != AHEAD:
            return self._next(slot, None)
        if slot.link is not None:
            self.crew.attend(slot.link.io)
        return None

    def _take_up(self, slot: Slot, thread: int) -> Job | None:
        """This thread is here for a call that was begun ahead. What has come counts, however late it is read."""
        if slot.token != DONE:
            slot.token = thread
            io = self.crew.where(slot)
            if io is not None:
                self._take_in([io])
            if slot.token != DONE:
                self.machine.resume(slot, self.now())  # it may be of before a fork
                self._carry_out()
                self._check_not_beneath(slot, self.crew.where(slot))
        return self._next(slot, None)

    def _acquire(self, party: Party, stack: str | None, at: int | Place | None) -> Job | None:
        """Ask for a link: the party's waiter has it, or why there is none, once the party is DONE."""
        machine, crew, now = self.machine, self.crew, self.now()
        if now >= self._look_at or crew.owing or crew.common:  # for a loan, each call counts
            self._look(now)
        gone = ref(party, self._torn.append)
        waiter = Waiter(gone, party.deadline, stack)
        lease = machine.lend(now, stack, waiter, at)
        io: Post | None = None if lease is None else lease.connection.io
        if io is not None and io.reader is None and io.reads and not io.poll(0):
            party.waiter, waiter.lease, party.token = waiter, lease, DONE  # there is nothing to wait for
            if self._untold:
                self._carry_out()
            return None
        party.waiter = waiter = machine.acquire(gone, now, deadline=party.deadline, borrower=stack, held=lease, at=at)
        if waiter.lease is None:
            self._check_not_beneath(party, None)
        self._carry_out()
        return self._next(party, None)

    def _release(self, lease: Lease[Link] | Share) -> None:
        io: Post = lease.connection.io
        owes = self.machine.release(lease, self.now())
        if isinstance(lease, Lease) and isinstance(lease.token, Waiter):
            lease.token.token = None  # the end of the borrower is of no interest any more
        if owes:
            self.crew.owing[io] = None
        if self._untold:
            self._carry_out()

    def _listen(self, party: Party, what: Any) -> Job | None:
        self._look(self.now())
        listener = Listener(what, party, deadline=party.deadline)
        io: Post | None = None if listener.link is None else listener.link.io
        self._check_not_beneath(party, io)
        self._take_in([*self.crew.listening] if io is None else [io])
        party.waiter = listener
        self.machine.listen(listener)
        self._carry_out()
        return self._next(party, None)

    def _drain(self, party: Party) -> Job | None:
        """Take no new calls; the party is DONE once those under way have ended."""
        self.crew.drain(party)
        self._change(lambda machine, now: machine.drain(now))
        return self._next(party, None)

    def _change(self, what: Callable[[Client, float], object]) -> None:
        what(self.machine, self.now())
        self._carry_out()

    def _look_at_lanes(self) -> None:
        """Take in what has come on the links that all share."""
        self._look(self.now())
        self._take_in([link.io for link in self.machine.lane_links])

    def _put_out(self, io: Post, now: float) -> None:
        """Something is to be sent: at once, or by the last of those who are about to come by."""
        if not (io.waking or io.deferred) or not self.crew.defers(io, now):
            self._send(io)

    def _check_not_beneath(self, caller: Caller, io: Post | None) -> None:
        """Refuse a caller that would wait for its own thread, which was interrupted by what it does now."""
        if self.crew.is_beneath(caller, io):
            self._give_up(caller)
            raise self._reentered(dials=io is None)

    def _reentered(self, *, dials: bool = False) -> LocalProtocolError:
        does = "opening a connection of" if dials else "inside a call on"
        return LocalProtocolError(
            f"this thread is already {does} this {self.whose}: a signal handler or finaliser must not use it"
        )

    # -- how they go on, and go ------------------------------------------------------------------------------------------------

    def _next(self, caller: Caller, job: Job | None) -> Job | None:
        """Return the next job of a thread that is here, and has done this one."""
        if self._moves != self.machine.moves:
            self._moves = self.machine.moves
            self.crew.unsettled = True  # calls may have left a link, and no thread was told
        job = self.crew.next(caller, job)
        return self._park(caller) if job is SLEEP else job

    def _turn(self, caller: Caller, job: Job, ready: Sequence[Post]) -> Job | None:
        """A thread is back from its wait, and these posts are ready: move what can be moved now, and return its next job."""
        crew = self.crew
        if job is SLEEP:
            came = crew.sleepers.pop(caller, None) is None  # it was woken
            at: Post | None = crew.where(caller)
            posts: Sequence[Post] = () if at is None else (at,)
            if at is not None and at.deferred:
                self._send(at)
        elif not ready and isinstance(job, Post) and self._is_late(caller, job):
            return self._expire(caller, job)
        else:
            if not isinstance(job, Write):
                for io in ready:
                    if io.reads and not io.link.ended:
                        self._receive(io)
            if isinstance(job, Post) and ready and caller.token == DONE:
                alone = not crew.sleepers and job not in crew.common
                if alone and not job.link.ended:
                    job.reader = None  # the short path: answered, and no other to see to
                    return None
            came, posts = bool(ready), (job,) if isinstance(job, Post) else posts_of(job)
            for io in posts:
                self._go_on(io)
        for io in posts:
            came = came and not io.link.ended
        held: Job | None = job
        if not came:
            self._pass_time(caller, self.now())
            held = crew.waited(caller, job)
        following = self._next(caller, held)
        timed_out = not isinstance(caller, Party) and caller.state is not ANSWERED
        for io in posts if following is not job else ():
            if (io.link.ended or timed_out) and crew.left(io):
                self._close(io)
        return following

    def _is_late(self, caller: Caller, io: Post) -> TypeGuard[Slot]:
        """Is this a call whose reply is due here, and its time up, and is there nothing to be sent meanwhile?"""
        is_due = isinstance(caller, Slot) and caller.state is HANDED and caller.link is io.link
        return is_due and not (io.stuck or io.deferred) and self.now() >= caller.deadline

    def _expire(self, slot: Slot, io: Post) -> Job | None:
        """End the call of a thread that has read here, and look at nothing else: others see to what else is due."""
        io.link.home.expire(slot, self.now())
        self._carry_out()
        following = self._next(slot, io)
        if following is not io and self.crew.left(io):
            self._close(io)
        return following

    def _go_on(self, io: Post) -> None:
        """Send what is still to be sent; and if this link has just opened, it is its callers'."""
        if not io.link.ended and (io.stuck or io.link.wire.wants_to_send):
            self._send(io)
        self.crew.attend(io)

    def _give_up(self, caller: Caller) -> None:
        """The caller has gone. Safe to repeat."""
        crew, entry = self.crew, entry_of(caller)
        io: Post | None = crew.where(caller)
        if entry is not None:
            self.machine.gone(entry, self.now())
        crew.leave_all(caller)
        self._carry_out()
        if io is not None:
            crew.attend(io)
            if crew.left(io):
                self._close(io)
            elif io.deferred:
                self._send(io)
                self._carry_out()

    # -- what has come where no thread reads, and what is due -----------------------------------------------------------------

    def _catch_up(self, io: Post) -> None:
        """Take in what has come, and no thread has read it."""
        for _ in range(PIECES):
            # A reader that waits for it has the poll object, which is for one thread at a time.
            readable = io.reads and not io.link.ended and (io.reader is not None or io.poll(0))
            if not readable or not self._receive(io):
                break

    def _take_in(self, posts: Iterable[Post]) -> None:
        """Take in what has come where no thread reads: it came in time, and what it answers need not be held any longer."""
        for io in posts:
            if io.reader is None:
                self._catch_up(io)
            self.crew.attend(io)
        self._carry_out()

    def _take_in_late(self) -> None:
        """Take in a piece of each late reply that has come: no more of it, most likely, and then its link is at rest."""
        for io in [*self.crew.owing]:
            if io.reader is None and io.reads and io.poll(0):
                self._receive(io)
                self.crew.attend(io)

    def _look(self, now: float) -> None:
        """Do what is due, whatever the caller wants that comes by."""
        crew = self.crew
        if crew.owing or crew.common:
            self._take_in((*crew.owing, *crew.common))
        if now >= self._look_at:
            self._look_at = now + LOOK
            self._take_in([link.io for link in self.machine.news])
            self._see_to_time(now)

    def _look_around(self, caller: Caller) -> None:
        """What this thread does takes its time: see to what no other thread may see to."""
        self._take_in((*self.crew.listening, *self.crew.common))
        self._pass_time(caller, self.now())

    def _pass_time(self, caller: Caller, now: float) -> None:
        """A thread has waited for as long as it was to."""
        entry = entry_of(caller)
        self._see_to_time(now)
        if caller.token != DONE and entry is not None:
            self.machine.resume(entry, now)
        elif entry is None and now >= caller.deadline:
            self.crew.ended(caller)
        self._carry_out()

    def _see_to_time(self, now: float) -> None:
        machine, crew = self.machine, self.crew
        if crew.dials or crew.dialling:
            self._take_up_lost_dials()
            for dial in crew.late_dials(now):
                self._drop_opening(dial)
                machine.dial_failed(dial, None, now)
        if machine.next_deadline() <= now:
            self._take_in(crew.owed)
            machine.handle_timeout(now)
        self._carry_out()

    def _take_up_lost_dials(self) -> None:
        """Others carry out what a thread began that has gone without a word."""
        for dial in self.crew.lost_dials():
            self._drop_opening(dial)
            self.crew.wanted(dial)

    # -- what the machine says -------------------------------------------------------------------------------------------------

    def _carry_out(self) -> None:
        """Carry out all that the machine has said, and what follows. Safe to be cut short."""
        machine, todo, untold = self.machine, self._todo, self._untold
        if self._telling or not (todo or untold):
            return  # it is being done, or there is nothing
        self._telling = True
        while todo or untold:
            if untold:
                todo[:0] = machine.events()[::-1]
            self._tell(todo[-1])
            todo.pop()
        self._telling = False

    def _tell(self, event: ClientEvent) -> None:
        crew = self.crew
        match event:
            case Slot():
                crew.ended(event)
            case Link(io=Post() as io):
                if not event.ended:
                    crew.attend(io)
                    self._send(io)
                    io.reads = event.core.wants_to_receive
                    crew.look_after(io)
            case Dial():
                if event not in crew.dials and event not in crew.dialling:
                    self._drop_opening(event)  # an interrupt may have left it, used up
                    crew.wanted(event)
            case Look(link):
                self._catch_up(link.io)
                link.home.looked(link, self.now())
            case Close(link):
                if link.io is not None:
                    self._close(link.io)
            case Leaked(lease):
                self._reports.append(lease.report)
            case Report(report):
                self._reports.append(report)
            case _:
                crew.told(event)
