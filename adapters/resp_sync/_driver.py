"""Carry out one client machine with the threads of its callers, and none of its own: bytes, time, waiting. Nothing is decided here.

A caller who is alone encodes, sends and receives on its own thread. Where several wait, the crew says which of them reads, writes,
dials or keeps the time for all; the others sleep until they are woken.

The lock is the law, and is never held while anything waits: machine and crew are touched, and bytes move between socket and
machine, only under it.

Interrupts may strike anywhere. Between a byte's move and the machine's learning of it they end that link, since it could not be
said any more whose reply is next; everywhere else they cost the interrupted call its reply, and nothing else: what they leave
half-done is put in order by the next step that is taken.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from math import inf
from random import random
from threading import Lock, RLock, get_ident
from time import monotonic
from typing import Any, Final, TypeAlias, TypeVar
from warnings import warn
from weakref import WeakSet, ref

from resp_sansio import (
    Config,
    ConnectError,
    ConnectionClosedError,
    LocalProtocolError,
    Push,
    RespError,
)
from resp_sansio.client import (
    DONE,
    SLEEP,
    Client,
    ClientEvent,
    Close,
    Crew,
    Dial,
    Drained,
    Granted,
    Heard,
    Job,
    Leaked,
    Lease,
    Link,
    Listener,
    Look,
    Post,
    Refused,
    Share,
    TLSWire,
    Waiter,
    Write,
    link_of,
)
from resp_sansio.config import read_credentials
from resp_sansio.connection import Connection, Slot, SlotState
from resp_sansio.surface.threads import Borrower

from ._transport import LONGEST, Opening, Transport, of_the_system, shut_down, tls_of, wait

__all__ = ["Driver", "check_not_patched"]

T = TypeVar("T")

ANSWERED: Final = SlotState.ANSWERED

RECEIVE: Final = 64 * 1024
"""Bytes asked of the socket at a time: enough for a thousand small replies. In a fresh process, blocks of more than 128 KiB are
mapped and unmapped by the C library each time, at more than they save on large values."""

NAP: Final = 0.25
"""Seconds after which a thread that waits for others, or for what is not its own, looks whether it has something better to do."""

LOOK: Final = 0.1
"""Seconds between looks at what is due, by whichever caller comes by."""


# -- what a thread can wait for, besides the end of a slot -----------------------------------------------------------------------


class Party:
    """A caller that is no slot. `token`: its thread, DONE once it has what it waits for, None once it has gone."""

    __slots__ = ("deadline", "token")

    link: Link | None = None

    def __init__(self, deadline: float) -> None:
        self.token: int | None = get_ident()
        self.deadline: float = deadline


class Hearer(Party):
    """It waits for a push, or the link's end."""

    __slots__ = ("link", "waiter")
    link: Link

    def __init__(self, deadline: float, link: Link) -> None:
        super().__init__(deadline)
        self.link: Link = link
        self.waiter: Listener | None = None


class Passer(Party):
    """It waits for nothing, and does what is to be done for all."""

    __slots__ = ()


Caller: TypeAlias = Slot | Borrower | Hearer | Party


class Socket(Post):
    """A link's socket."""

    __slots__ = ("core", "poll", "transport", "wire")

    def __init__(self, link: Link, transport: Transport) -> None:
        super().__init__(link)
        self.core: Connection = link.core
        self.wire: Connection | TLSWire = link.wire
        self.transport: Transport = transport
        self.poll: Callable[[float], Any] = transport.poll

    @property
    def has_something(self) -> bool:
        """Has something come, or ended, that was not read?"""
        return self.reads and not self.link.ended and bool(self.poll(0))


def where(caller: Any) -> Socket | None:
    """Return the socket that something is to come on for this caller."""
    link = caller.link
    if link is None and isinstance(caller, Slot):
        link = link_of(caller)
    return None if link is None or link.ended else link.io


def borrower_of(waiter: Waiter) -> Borrower | None:
    """Return the borrower that waits, None if it has gone or has given back what it had."""
    token: Any = waiter.token
    borrower: Borrower | None = None if token is None else token()
    return borrower


def is_here(entry: Slot | Waiter) -> bool:
    """Is the caller there that this is of?"""
    caller = entry if isinstance(entry, Slot) else borrower_of(entry)
    return caller is not None and caller.token is not None


class Driver:
    """What carries out the machine of a client, a pool or a connection; `make` makes the machine, anew in the child of a fork."""

    __slots__ = (
        "__weakref__", "_forked", "_inside", "_leaked", "_lock", "_look_at", "_make", "_moving", "_openings", "_owing",
        "_retries", "_several_lanes", "_telling", "_todo", "_torn", "config", "crew", "drainers", "machine", "now",
        "whose",
    )  # fmt: skip

    def __init__(self, config: Config, make: Callable[[Callable[[], float]], Client], whose: str) -> None:
        check_not_patched()
        self.config: Config = config
        self.whose: str = whose
        self._make = make
        self.begin()
        _drivers.add(self)

    def begin(self) -> None:
        """Begin, or begin anew in the child of a fork."""
        self.machine: Client = self._make(random)
        self.now: Callable[[], float] = monotonic
        self.crew: Crew = Crew(where)
        self.drainers: list[Party] = []
        self._lock = RLock()
        self._inside = False  # true on entering the lock means that this very thread was interrupted in there
        self._torn: list[object] = []  # not empty: something was left half-done; threads add to it without the lock
        self._forked = False  # all that is open is another process's
        self._moving: Link | None = None  # its bytes move, and the machine does not know yet
        self._telling = False
        self._todo: deque[ClientEvent] = deque()  # what the machine said, and is not carried out
        self._openings: dict[Dial, Opening] = {}
        self._owing: dict[Socket, None] = {}  # replies to those who have gone, and no thread reads them
        self._leaked: list[Lease[Link]] = []
        self._look_at = 0.0
        self._retries = 0
        self._several_lanes = self.machine.several_lanes

    # -- for calls -------------------------------------------------------------------------------------------------------------

    def call(self, slot: Slot, lease: Lease[Link] | Share | None = None, epoch: int | None = None) -> None:
        """Make a call: when this returns it has ended for good. Raises as `Client.submit`, and interrupts."""
        slot.token = get_ident()
        begun = True
        try:
            with self._lock:
                job = None if self._inside or self._torn or epoch is not None else self._start(slot, lease)
            if job is None:
                begun = False
                job = self._locked(self._submit, slot, lease, epoch)
                begun = True
            elif isinstance(job, Socket) and not (job.stuck or job.deferred):
                left = min(slot.deadline, job.link.due, monotonic() + LONGEST) - monotonic()
                ready = left > 0 and bool(job.poll(int(left * 1000) + 1))
                job = self._locked(self._turn, slot, job, ready)
            if job is not None:
                self._wait_for(slot, job)
        except BaseException as error:
            slot.token = None  # first: another interrupt may strike from here on
            if begun or not isinstance(error, RespError):
                self._torn.append(slot)
                self._locked(self._give_up, slot)
            raise
        # One store, which no interrupt can split: from here on, jobs that this call still has are free.
        slot.token = None
        if self.crew.dials:
            self._do_chores(min(slot.deadline, monotonic() + NAP))

    def submit(self, slot: Slot, lease: Lease[Link] | Share) -> None:
        """Begin a call that no caller waits for. Raises as `Client.submit`."""
        self._locked(self._begin, slot, lease, None)

    def acquire(
        self, deadline: float, stack: str | None = None, borrower: Borrower | None = None
    ) -> Lease[Link] | Share:
        """Wait for a link of one's own, and while `borrower` is there. Raises as `Client.acquire`, and why there is none."""
        held = borrower or Borrower(deadline)
        held.token = get_ident()
        try:
            job = self._locked(self._acquire, held, deadline, stack)
            if job is not None:
                self._wait_for(held, job)
            waiter = held.waiter
            assert waiter is not None
            if waiter.lease is None:
                assert waiter.error is not None
                raise waiter.error
        except BaseException as error:
            held.token = None
            if not isinstance(error, RespError):
                self._torn.append(held)
            if held.waiter is not None:
                self._locked(self._withdraw, held)
            raise
        if borrower is None:
            waiter.token = None  # it is held for as long as it lasts
        return waiter.lease

    def release(self, lease: Lease[Link] | Share) -> None:
        """Give a link back."""
        self._locked(self._release, lease)

    def listen(self, loan: Lease[Link] | Share, deadline: float) -> Push:
        """Wait for the next push on a link. Raises as `Client.listen`, and why there is none."""
        hearer = Hearer(deadline, loan.connection)
        try:
            job = self._locked(self._listen, hearer, loan)
            if job is not None:
                self._wait_for(hearer, job)
        except BaseException:
            hearer.token = None
            self._torn.append(hearer)
            self._locked(self._give_up, hearer)
            raise
        hearer.token = None
        assert hearer.waiter is not None
        return hearer.waiter.result()

    def change(self, name: str, what: Callable[[Client, float], object]) -> None:  # noqa: ARG002  # no thread is refused
        """Change something of the machine's, and carry out what follows."""
        self._locked(self._change, what)

    def open(self) -> None:
        """Dial what is to be open before it is needed."""
        self.change("open", Client.open)
        self._do_chores(inf)

    # -- the end -----------------------------------------------------------------------------------------------------------------

    def close(self, deadline: float) -> None:
        """Take no new calls, wait until the deadline for those under way, and end what is left."""
        if deadline > monotonic() and self.machine.closed is None:
            drainer = Party(deadline)
            try:
                job = self._locked(self._drain, drainer)
                if job is not None:
                    self._wait_for(drainer, job)
            finally:
                drainer.token = None
                self._locked(self._give_up, drainer)
        self.end()

    def end(self) -> None:
        """End everything now."""
        self.change("close", Client.close)
        for opening in list(self._openings.values()):
            for connecting in opening.sockets:
                shut_down(connecting)  # a thread may wait for it

    def drop(self) -> None:
        """The client was thrown away without being closed: its sockets end with it."""
        for link in self.machine.links:
            if link.io is not None:
                link.io.transport.close()

    def forget(self) -> None:
        """In the child of a fork: what is open is the parent's, and the locks may be held by threads that do not exist here."""
        for opening in self._openings.values():
            opening.forget()
        for link in self.machine.links:
            if link.io is not None:
                link.io.transport.close()
        if self._inside and self._lock.acquire(blocking=False):
            self._lock = RLock()
            self._forked = True  # this very thread has forked in there, and sees to the rest when it is done
            self._torn.append(None)
        else:
            self._begin_anew()

    def _begin_anew(self) -> None:
        why = "it was opened before a fork, and belongs to the parent process"
        for link in self.machine.links:
            link.core.abort(ConnectionClosedError(why))
            link.ended = True
        self.begin()
        if self.machine.once:
            self.machine.close(monotonic(), why)

    # -- under the lock: the steps of a call -----------------------------------------------------------------------------------

    def _locked(self, step: Callable[..., T], *args: Any) -> T:
        """Take a step under the lock. Raises what it raises, and `LocalProtocolError` if this thread is inside of another."""
        with self._lock:
            if self._inside:
                raise self._reentered()
            self._inside = True
            try:
                if self._torn:
                    self._mend()
                result = step(*args)
                if self.crew.unsettled or self.crew.woken:
                    self._settle()
            except RespError:
                raise
            except BaseException:
                self._torn.append(None)
                self._mend()
                raise
            finally:
                self._inside = False
        if self._leaked:
            self._report()
        return result

    def _reentered(self, *, dials: bool = False) -> LocalProtocolError:
        does = "opening a connection of" if dials else "inside a call on"
        return LocalProtocolError(
            f"this thread is already {does} this {self.whose}: a signal handler or finaliser must not use it"
        )

    def _start(self, slot: Slot, lease: Lease[Link] | Share | None) -> Job | None:
        """The short path: begin a call on a link that is there, and return its first job. None to decline: nothing has changed."""
        self._inside = True
        try:
            machine, now = self.machine, monotonic()
            if now >= self._look_at or self._owing:
                return None
            loan, lane = lease, machine.lane
            if loan is None and lane is None:
                loan = machine.lend_to(slot, now)  # each call has a link of its own
            link = loan.connection if loan is not None else None if lane is None else lane.link
            io: Socket | None = None if link is None or link.ended else link.io
            reader = None if io is None else io.reader
            if io is None or io.stuck or not io.reads:
                fits = False
            elif reader is None:
                fits = not io.poll(0)  # what came unasked must not answer this
            else:
                fits = (
                    reader.token is not None and reader.token != slot.token
                )  # else this very thread would wait for itself
            payload = None
            if io is not None and fits:
                hold = reader is not None or bool(io.waking or io.deferred)
                self._moving = None if hold else link  # what it starts counts as sent
                payload = machine.start(slot, now, loan, hold)
            if io is None or payload is None:
                self._moving = None
                if loan is not lease:
                    machine.take_back(slot, now)
                return None
            job: Job = io
            if reader is None:
                io.reader = slot
            else:
                job = self._park(slot)
            if payload:
                failure = None
                try:
                    count = io.transport.send(payload)
                except (BlockingIOError, InterruptedError):
                    count = 0
                except OSError as error:
                    count, failure = 0, of_the_system(error)
                if count < len(payload):
                    self._not_all_sent(io, payload[count:], failure)
                self._moving = None
            elif not (io.waking or io.deferred) or not self.crew.defers(io, now):
                self._send(io)
            if loan is not lease and machine.has_events:
                self._carry_out()
            if self.crew.unsettled or self.crew.woken:
                self._settle()
            return job
        except BaseException:
            self._torn.append(slot)
            raise
        finally:
            self._inside = False

    def _submit(self, slot: Slot, lease: Lease[Link] | Share | None, epoch: int | None) -> Job | None:
        """Begin a call, and return its first job."""
        self._begin(slot, lease, epoch)
        return self._next(slot, None)

    def _begin(self, slot: Slot, lease: Lease[Link] | Share | None, epoch: int | None) -> None:
        now = monotonic()
        if now >= self._look_at:
            self._look(now)
        if self._owing:
            self._read_owed()
        machine = self.machine
        lane = machine.lane if lease is None else None
        if lane is not None and lane.link is not None and lane.link.io.reader is None:
            self._catch_up(lane.link.io)  # it may have ended
        caller = get_ident() if self._several_lanes else None
        link = machine.submit(slot, now, caller=caller, lease=lease, epoch=epoch)
        at: Socket | None = None if link is None else link.io
        if slot.token is not None and (at is None or at.reader is not None) and self.crew.is_beneath(slot, at):
            machine.abandon(slot, now)
            self._carry_out()
            raise self._reentered(dials=at is None)
        if at is not None:
            self._put_out(at, now)
        if machine.has_events:
            self._carry_out()

    def _check_beneath(self, caller: Caller, io: Socket) -> None:
        """Raise if this very thread, interrupted by what it does now, has the job that the caller waits for: it would for ever."""
        if self.crew.is_beneath(caller, io):
            raise self._reentered()

    def _not_all_sent(self, io: Socket, rest: bytes, failure: OSError | None) -> None:
        """The network did not take the end of what the short path had to send."""
        io.core.unsent(rest)
        io.stuck = True
        if failure is not None:
            self._moving = None
            self._not_sent(io, failure)

    def _acquire(self, borrower: Borrower, deadline: float, stack: str | None) -> Job | None:
        now = monotonic()
        if now >= self._look_at:
            self._look(now)
        if self._owing:
            self._read_owed()
        gone = ref(borrower, self._torn.append)
        borrower.waiter = self.machine.acquire(gone, now, deadline=deadline, borrower=stack)
        if self.crew.is_beneath(borrower, None) and borrower.waiter.lease is None:
            self.machine.withdraw(borrower.waiter, now)
            self._carry_out()
            raise self._reentered(dials=True)
        self._carry_out()
        return self._next(borrower, None)

    def _withdraw(self, borrower: Borrower) -> None:
        assert borrower.waiter is not None
        self.machine.withdraw(borrower.waiter, monotonic())
        self.crew.leave_all(borrower)
        self._carry_out()

    def _release(self, lease: Lease[Link] | Share) -> None:
        io = lease.connection.io
        self.machine.release(lease, monotonic())
        if isinstance(lease, Lease) and isinstance(lease.token, Waiter):
            lease.token.token = None  # the end of the borrower is of no interest any more
        if io.core.in_flight:
            self._owing[io] = None
        self._carry_out()

    def _listen(self, hearer: Hearer, loan: Lease[Link] | Share) -> Job | None:
        io: Socket = loan.connection.io
        self._check_beneath(hearer, io)
        if io.reader is None:
            self._catch_up(io)
            self._carry_out()
        hearer.waiter = Listener(loan, hearer, deadline=hearer.deadline)
        self.machine.listen(hearer.waiter)
        self._carry_out()
        return self._next(hearer, None)

    def _change(self, what: Callable[[Client, float], object]) -> None:
        what(self.machine, monotonic())
        self._carry_out()

    def _drain(self, drainer: Party) -> Job | None:
        self.drainers.append(drainer)
        for post in self.crew.posts:
            self.crew.opens(post)  # replies may be owed that no caller waits for
        self._change(Client.drain)
        return self._next(drainer, None)

    def _give_up(self, caller: Caller) -> None:
        """The caller has gone. Safe to repeat."""
        now = monotonic()
        io = where(caller)
        if isinstance(caller, Slot):
            self.machine.abandon(caller, now)
        elif isinstance(caller, Hearer) and caller.waiter is not None:
            self.machine.stop_listening(caller.waiter)
        self.crew.leave_all(caller)
        self._carry_out()
        if io is not None:
            self._left(io)
            if io.deferred and not io.link.ended:
                self._send(io)
                self._carry_out()

    def _left(self, io: Socket) -> None:
        """A caller has left this socket, perhaps the last one."""
        if not io.used:
            if io.link.ended:
                self._close(io)
            elif io.core.in_flight:
                self._owing[io] = None

    def _turn(self, caller: Caller, job: Job, ready: bool) -> Job | None:
        """A thread is back from its wait: move what can be moved now, and return its next job."""
        if isinstance(job, Socket):
            io: Socket | None = job
            if not job.link.ended:
                if ready and job.reads:
                    self._receive(job)
                    alone = not self.crew.sleepers and job not in self.crew.common
                    if caller.token == DONE and alone and not job.link.ended:
                        job.reader = None  # the short path: answered, and no other to see to
                        return None
                self._go_on(job)
        elif isinstance(job, Write):
            io = job.post  # type: ignore[assignment]
            assert io is not None
            self._go_on(io)
            ready = True
        else:
            ready = self.crew.sleepers.pop(caller, None) is None  # it was woken
            io = where(caller)
            if io is not None and io.deferred:
                self._send(io)
        if not ready or (io is not None and io.link.ended):
            self._pass_time(caller, monotonic())
        following = self._next(caller, job)
        timed_out = isinstance(caller, Slot) and caller.state is not ANSWERED
        if following is not job and io is not None and (io.link.ended or timed_out):
            self._left(io)
        return following

    def _go_on(self, io: Socket) -> None:
        """Send what is still to be sent; and if this link has just opened, it is its callers'."""
        if not io.link.ended and (io.stuck or io.wire.wants_to_send):
            self._send(io)
        if io in self.crew.common and io.link.dial is None and not self.drainers:
            self.crew.opened(io)

    def _pass_time(self, caller: Caller, now: float) -> None:
        """A thread has waited for as long as it was to."""
        self._take_up_lost_dials()
        if caller.token != DONE and isinstance(caller, (Slot, Borrower, Hearer)):
            entry = caller if isinstance(caller, Slot) else caller.waiter
            if entry is not None:
                self.machine.resume(entry, now)
        self.machine.handle_timeout(now)
        if isinstance(caller, Party) and now >= caller.deadline and not isinstance(caller, Hearer):
            self.crew.ended(caller)
        self._carry_out()

    def _next(self, caller: Caller, job: Job | None) -> Job | None:
        """Return the next job of a thread that is here."""
        crew = self.crew
        if isinstance(caller, Passer):
            return crew.chore(caller, job)
        if self._retries != self.machine.retries:
            self._retries = self.machine.retries
            crew.unsettled = True  # calls may have left a link, and no thread was told
        job = crew.next(caller, job)
        return self._park(caller) if job is SLEEP else job

    def _park(self, caller: Caller) -> Job:
        waker = Lock()
        waker.acquire()
        self.crew.sleepers[caller] = waker
        return SLEEP

    def _settle(self) -> None:
        """See that a thread has each job that is free, and wake those that are to run."""
        if self.crew.unsettled:
            self.crew.settle(self.machine.next_deadline())
        woken = self.crew.woken
        for waker in woken:
            if waker.locked():
                waker.release()
        woken.clear()

    # -- without the lock: waiting -------------------------------------------------------------------------------------------------

    def _wait_for(self, caller: Caller, job: Job | None) -> None:
        """Do one job after the other, until the call has ended.

        A function of its own: CPython 3.12 and 3.13 look for signals where a loop turns, and no `try` around it sees what comes.
        """
        nap = NAP
        while job is not None:
            if isinstance(job, Socket):
                job = self._locked(self._turn, caller, job, self._wait(job, caller))
            elif job is SLEEP:
                if not self._sleep(caller, nap):
                    return
                nap *= 2  # or a thousand that wait would do nothing but wake up
                job = self._locked(self._turn, caller, SLEEP, False)
            elif isinstance(job, Dial):
                job = self._dial(caller, job)
            else:
                assert isinstance(job, Write)
                io = job.post
                assert isinstance(io, Socket)
                wait(io.transport.fileno, min(caller.deadline - monotonic(), NAP), write=True)
                job = self._locked(self._turn, caller, job, False)

    def _wait(self, io: Socket, caller: Caller) -> bool:
        """Wait for a socket; is there something to receive?"""
        left = min(io.link.due, caller.deadline) - monotonic()
        if left <= 0:
            return False
        if io.deferred or io in self.crew.common:
            left = min(left, NAP)
        if io.stuck:
            return wait(io.transport.fileno, left, read=True, write=True)
        return bool(io.poll(int(min(left, LONGEST) * 1000) + 1))

    def _sleep(self, caller: Caller, nap: float) -> bool:
        """Sleep until woken; is there anything left to do?"""
        crew = self.crew
        waker = crew.sleepers.get(caller)
        if waker is not None:
            until = min(caller.deadline, crew.armed) if crew.keeper is caller else caller.deadline
            left = until - monotonic()
            waker.acquire(timeout=nap if left > nap else max(left, 0.0))
        if caller.token != DONE or caller in crew.sleepers:
            return True
        link = caller.link
        return crew.came_by(caller, None if link is None else link.io, monotonic)

    def _dial(self, caller: Caller, dial: Dial) -> Job | None:
        """Open a socket on this thread, as far as there is time, and return the thread's next job."""
        check_not_patched()
        machine = self.machine
        transport, credentials, tls, failure = None, None, None, None
        given_up = True  # as it is if an interrupt strikes: then the next thread begins anew
        try:
            opening = self._openings.get(dial)
            if opening is None:
                self._openings[dial] = opening = Opening(self.config, machine.addresses, dial.deadline)
            try:
                if self.config.credentials is not None:
                    credentials = read_credentials(self.config.credentials())
                tls = tls_of(self.config)
            except Exception as error:  # noqa: BLE001  # a provider may raise anything, and its callers are to know
                failure = error
            while transport is None and failure is None:
                now = monotonic()
                if now >= caller.deadline and now < dial.deadline:
                    break
                transport = opening.go_on(min(caller.deadline, now + NAP))
                if transport is None and (caller.token == DONE or where(caller) is not None):
                    given_up = False  # it has its own to do, and another goes on
                    break
        except ConnectError as error:
            if not dial.deadline > caller.deadline <= monotonic():  # else it is this caller's own time that was short
                failure = error
        finally:
            job = self._locked(self._dialled, machine, caller, dial, transport, (credentials, tls), failure, given_up)
        return job

    def _do_chores(self, deadline: float) -> None:
        """Do what is to be done for all, and no thread that waits does."""
        passer = Passer(deadline)
        try:
            self._wait_for(passer, self._locked(self._next, passer, None))
        except BaseException:
            passer.token = None
            self._torn.append(passer)
            self._locked(self.crew.leave_all, passer)
            raise
        passer.token = None

    # -- under the lock: dials, time, order ----------------------------------------------------------------------------------------

    def _dialled(
        self,
        machine: Client,
        caller: Caller,
        dial: Dial,
        transport: Transport | None,
        how: tuple[tuple[str | None, str | bytes] | None, TLSWire | None],
        failure: Exception | None,
        given_up: bool,
    ) -> Job | None:
        """A thread is back from a dial."""
        now = monotonic()
        if machine is not self.machine:  # forked meanwhile
            if transport is not None:
                transport.close()
            return self._next(caller, SLEEP)
        self.crew.dialling.pop(dial, None)
        if transport is None and failure is None and not given_up and machine.closed is None:
            self.crew.wanted(dial)
            return self._next(caller, SLEEP)
        if transport is None:
            self._drop_opening(dial)
            machine.dial_failed(dial, failure, now)
        else:
            del self._openings[dial]
            self._connected(dial, transport, how, now)
        self._carry_out()
        self._pass_time(caller, now)
        return self._next(caller, SLEEP)

    def _connected(
        self,
        dial: Dial,
        transport: Transport,
        how: tuple[tuple[str | None, str | bytes] | None, TLSWire | None],
        now: float,
    ) -> None:
        """A socket is open: begin the handshake."""
        try:
            link = self.machine.connected(dial, now, *how)
        except Exception as error:  # noqa: BLE001  # credentials that can't be sent: those who wait are to know
            transport.close()
            self.machine.dial_failed(dial, error, now)
            return
        link.io = io = Socket(link, transport)
        if link.ended:
            self._close(io)
        else:
            self.crew.opens(io)
            self._send(io)

    def _look(self, now: float) -> None:
        """Do what is due, whatever the caller wants that comes by."""
        self._look_at = now + LOOK
        machine, crew = self.machine, self.crew
        self._take_up_lost_dials()
        for dial in [dial for dial in crew.dials if now >= dial.deadline]:
            crew.dials.remove(dial)
            self._drop_opening(dial)
            machine.dial_failed(dial, None, now)
        if machine.next_deadline() <= now:
            machine.handle_timeout(now)
        if machine.has_events:
            self._carry_out()

    def _take_up_lost_dials(self) -> None:
        """Others carry out what a thread began that has gone without a word."""
        for dial in self.crew.lost_dials():
            self._drop_opening(dial)
            self.crew.wanted(dial)

    def _drop_opening(self, dial: Dial) -> None:
        opening = self._openings.get(dial)
        if opening is not None:
            opening.close()
            self._openings.pop(dial, None)  # only now: if closing is cut short, the next to mend closes it

    def _mend(self) -> None:
        """Put in order what an interrupt, or a fork, has left."""
        now = monotonic()
        machine, crew = self.machine, self.crew
        if self._forked:
            self._begin_anew()
            self._inside = True
            return
        self._telling = False
        seen, link = len(self._torn), self._moving
        torn = [each for each in machine.links if each is link or each.io is None or each.io not in crew.posts]
        self._take_up_lost_dials()
        dials = [*crew.dials, *crew.dialling]
        for dial in [dial for dial in self._openings if dial not in dials]:
            self._drop_opening(dial)
        machine.reconcile(now, is_here, dials, torn)
        self._moving = None  # only now that it has ended: this may be cut short, too
        self._carry_out()
        for post in list(crew.posts):
            assert isinstance(post, Socket)
            if post.link.ended:
                self._close(post)
            else:
                if post.wire.wants_to_send:
                    self._send(post)
                crew.look_after(post)
        for caller in [caller for caller in crew.sleepers if caller.token is None]:
            crew.leave_all(caller)
        crew.unsettled = True
        self._settle()
        del self._torn[:seen]

    # -- under the lock: bytes, and what they mean -------------------------------------------------------------------------

    def _put_out(self, io: Socket, now: float) -> None:
        """Something is to be sent: at once, or by the last of those who are about to come by."""
        if not (io.waking or io.deferred) or not self.crew.defers(io, now):
            self._send(io)

    def _send(self, io: Socket) -> None:
        """Send what is queued, as far as it goes."""
        link, wire, send = io.link, io.wire, io.transport.send
        io.deferred = 0.0
        if io.reader is None and link.dial is None and io.has_something:
            self._catch_up(io)  # what came unasked must not answer this
        if link.ended:
            return
        failure = None
        self._moving = link
        io.stuck = False
        try:
            while block := wire.data_to_send():
                wire.sent(send(block))
        except (BlockingIOError, InterruptedError):
            io.stuck = True
        except OSError as error:
            failure = of_the_system(error)
        self._moving = None
        if not io.reads:
            io.reads = io.core.wants_to_receive  # a reply is behind what was left unread
        if failure is not None:
            self._not_sent(io, failure)

    def _not_sent(self, io: Socket, failure: OSError) -> None:
        """Writing failed. What has come is read first: a server says why, and then closes."""
        while not io.link.ended and self._receive(io):
            pass
        self.machine.send_failed(io.link, failure, monotonic())
        self._carry_out()

    def _catch_up(self, io: Socket) -> None:
        """Take in what has come while no thread waited for it."""
        while io.has_something and self._receive(io):
            pass

    def _read_owed(self) -> None:
        """Take in the replies to those who have gone, where no thread reads."""
        for io in list(self._owing):
            if not io.link.ended and io.reader is None:
                self._catch_up(io)
            if io.link.ended or not io.core.in_flight:
                self._owing.pop(io, None)
        self._carry_out()

    def _receive(self, io: Socket) -> bool:
        """Take in one piece of what has come, if any has. If there is more, the next turn finds it, after a look at the clock."""
        machine, link = self.machine, io.link
        answered = None
        self._moving = link
        try:
            data = io.transport.recv(RECEIVE)
        except (BlockingIOError, InterruptedError):
            self._moving = None
            return False
        except OSError as error:
            machine.receive_eof(link, monotonic(), of_the_system(error))
        else:
            if data:
                answered = machine.receive_replies(link, data, monotonic())
            else:
                machine.receive_eof(link, monotonic())
        self._moving = None
        if answered is None:
            io.reads = io.core.wants_to_receive  # else pushes are to be taken first, which will be told
            if not self._telling:
                self._carry_out()
        elif self.crew.sleepers:
            self.crew.answered(io, answered)
        else:
            for slot in answered:
                if slot.token is not None:
                    slot.token = DONE
        return True

    def _close(self, io: Socket) -> None:
        """End a socket, but never close it under a thread that waits for it: its number could be given anew."""
        self._owing.pop(io, None)
        self.crew.lost(io)
        io.transport.shut_down(self._last_words(io))  # first: the child of a fork may hold it
        if not io.used:
            io.transport.close()
            self.crew.forget(io)

    @staticmethod
    def _last_words(io: Socket) -> bytes | memoryview:
        """What TLS says of the end, if the socket takes it."""
        try:
            return b"" if io.stuck else io.wire.data_to_send()
        except OSError:
            return b""

    # -- what the machine says ----------------------------------------------------------------------------------------------------

    def _carry_out(self) -> None:
        """Carry out all that the machine has said, and what follows. Safe to be cut short."""
        if self._telling:
            return  # it is being done
        self._telling = True
        machine, todo = self.machine, self._todo
        todo += machine.events()
        while todo:
            self._tell(todo[0])
            todo.popleft()
            if machine.has_events:
                todo += machine.events()
        self._telling = False

    def _tell(self, event: ClientEvent) -> None:
        crew = self.crew
        match event:
            case Slot():
                crew.ended(event)
            case Link(io=Socket() as io):
                if not event.ended:
                    if io in crew.common and event.dial is None and not self.drainers:
                        crew.opened(io)
                    self._send(io)
                    io.reads = io.core.wants_to_receive
                    crew.look_after(io)
            case Dial():
                if event not in crew.dials and event not in crew.dialling:
                    self._drop_opening(event)  # an interrupt may have left it, used up
                    crew.wanted(event)
            case Look(link):
                while not link.ended and link.io.reads and self._receive(link.io):
                    pass
                self.machine.looked(link, monotonic())
            case Granted(waiter) | Refused(waiter):
                if (borrower := borrower_of(waiter)) is not None:
                    crew.ended(borrower)
            case Heard(listener):
                crew.ended(listener.token)
            case Close(link):
                if link.io is not None:
                    self._close(link.io)
            case Drained():
                for drainer in self.drainers:
                    crew.ended(drainer)
            case Leaked(lease):
                self._leaked.append(lease)

    def _report(self) -> None:
        """Tell who keeps a link for long. Work first, then tell; and where warnings are errors, this caller is none the wiser."""
        while self._leaked:
            borrower = self._leaked.pop().borrower
            try:
                warn(f"a connection is out for long; it was borrowed here:\n{borrower}", ResourceWarning, stacklevel=1)
            except ResourceWarning as error:
                sys.excepthook(type(error), error, error.__traceback__)


_drivers: Final[WeakSet[Driver]] = WeakSet()


def _after_fork() -> None:
    for driver in list(_drivers):
        driver.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def check_not_patched() -> None:
    """Raise `RuntimeError` if a lock is not any more what it was when this module was imported.

    gevent and eventlet put their own in its place. A greenlet that waits for one of the old stops all others.
    """
    if threading.Lock is not Lock:
        raise RuntimeError(
            "resp_sync was imported before gevent or eventlet patched the standard library, and would hang: patch first, then"
            " import"
        )
