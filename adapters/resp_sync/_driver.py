"""Carry out one client machine with the threads of its callers, and none of its own. Nothing is decided here.

A caller who is alone encodes, sends and receives on its own thread: that is the short path. Where several wait, the crew says which
of them reads, writes, dials or keeps the time for all; the others sleep until they are woken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from threading import get_ident
from time import monotonic, sleep
from typing import Any
from weakref import ref

from resp_sansio import RespError
from resp_sansio.client import (
    AHEAD,
    DONE,
    SLEEP,
    Client,
    Dial,
    Job,
    Lease,
    Link,
    Listener,
    Party,
    Passer,
    Several,
    Waiter,
    Write,
    entry_of,
)
from resp_sansio.connection import Slot, SlotState
from resp_sansio.surface.threads import Heardable, Loan

from ._dials import NAP, Caller, Dials
from ._links import Socket
from ._transport import LONGEST, of_the_system, shut_down, wait_for

__all__ = ["Driver"]


class Driver(Dials):
    """What carries out the machine of a client, a pool or a connection."""

    __slots__ = ()

    # -- for callers ---------------------------------------------------------------------------------------------------------------

    def call(self, slot: Slot, lease: Loan | None = None, epoch: int | None = None) -> None:
        """Make a call: when this returns it has ended for good. Raises as `Client.submit`, and interrupts."""
        slot.token = get_ident()
        try:
            with self._lock:
                job = None if self._inside or self._torn or epoch is not None else self._start(slot, lease)
            declined = job is None
            if isinstance(job, Socket) and not (job.stuck or job.deferred):
                left = min(slot.deadline, job.link.due, monotonic() + LONGEST) - monotonic()
                ready = (job,) if left > 0 and job.poll(int(left * 1000) + 1) else ()
                job = self._locked(self._turn, slot, job, ready)
            if job is not None:
                self._work(slot, job)
        except BaseException:
            slot.token = None  # first: another interrupt may strike from here on
            self._torn.append(slot)
            self._locked(self._give_up, slot)
            raise
        if declined:
            self._run(slot, self._submit, lease, epoch)
        # One store, which no interrupt can split: from here on, jobs that this call still has are free.
        slot.token = None
        if self.crew.dials:
            self._do_chores(min(slot.deadline, monotonic() + NAP))

    def ahead(self, slot: Slot, lease: Loan | None = None) -> None:
        """Begin a call, for whose end a thread may wait later. Raises as `Client.submit`, and interrupts."""
        slot.token = AHEAD
        self._run(slot, self._begin_ahead, lease)

    def finish(self, slot: Slot) -> None:
        """Wait for the end of a call that was begun ahead. Raises interrupts."""
        self._run(slot, self._take_up)
        slot.token = None
        if self.crew.dials:
            self._do_chores(min(slot.deadline, monotonic() + NAP))

    def give_up(self, slot: Slot) -> None:
        """A call that was begun ahead is not wanted any more."""
        slot.token = None
        try:
            self._locked(self._give_up, slot)
        except BaseException:
            self._torn.append(slot)
            raise

    def acquire(
        self,
        deadline: float,
        stack: str | None = None,
        borrower: Party | None = None,
        at: Any = None,
    ) -> Loan:
        """Wait for a link of one's own, and while `borrower` is there. Raises as `Client.acquire`, and why there is none."""
        party = borrower or Party(deadline)
        party.token = get_ident()
        self._run(party, self._acquire, stack, at)
        waiter = party.waiter
        assert isinstance(waiter, Waiter)
        if waiter.lease is None:
            party.token = None
            assert waiter.error is not None
            raise waiter.error
        if borrower is None:
            waiter.token = None  # it is held for as long as it lasts
        return waiter.lease

    def release(self, lease: Loan) -> None:
        """Give a link back."""
        self._locked(self._release, lease)

    def listen(self, what: Heardable, deadline: float) -> Any:
        """Wait for what comes unasked: of a link the next push. Raises as `Client.listen`, and why nothing comes."""
        party = Party(deadline, get_ident())
        self._run(party, self._listen, what)
        party.token = None
        assert isinstance(party.waiter, Listener)
        return party.waiter.result()

    def change(self, name: str, what: Callable[[Client, float], object]) -> None:  # noqa: ARG002  # no thread is refused
        """Change something of the machine's, and carry out what follows."""
        self._locked(self._change, what)

    def catch_up(self) -> None:
        """Take in what has come on the links that all share, and see to what is due. Where a thread waits, that one does."""
        self._locked(self._look_at_lanes)
        if self.crew.dials:
            self._do_chores(monotonic() + NAP)

    def pause(self, seconds: float) -> None:
        """Let this time pass."""
        sleep(seconds)

    def open(self) -> None:
        """Dial what is to be open before it is needed. Of a client that is a map, for which its first call can wait as well."""
        self.change("open", lambda machine, now: machine.open(now))
        self._do_chores(inf if self.machine.kind == "pool" else monotonic() + NAP)

    def close(self, deadline: float) -> None:
        """Take no new calls, wait until the deadline for those under way, and end what is left."""
        if deadline > monotonic() and self.machine.closed is None:
            party = Party(deadline, get_ident())
            self._run(party, self._drain)
            party.token = None
        self.end()

    def end(self) -> None:
        """End everything now."""
        self.change("close", lambda machine, now: machine.close(now))
        for opening in list(self._openings.values()):
            for connecting in opening.sockets:
                shut_down(connecting)  # a thread may wait for it

    def _do_chores(self, deadline: float) -> None:
        """Do what is to be done for all, and no thread that waits does."""
        passer = Passer(deadline, get_ident())
        self._run(passer, self._next, None)
        passer.token = None

    # -- under the lock: the first step of a caller ------------------------------------------------------------------------------

    def _start(self, slot: Slot, lease: Loan | None) -> Job | None:
        """The short path: begin a call on a link that is there, and return its first job. None to decline: nothing has changed."""
        self._inside = True
        try:
            machine, crew, now = self.machine, self.crew, monotonic()
            if now >= self._look_at or crew.owing:
                return None
            loan, lane = lease, machine.lane
            if loan is None and lane is None:
                if machine.routes:
                    lane = machine.lane_of(slot)
                else:  # each call has a link of its own: one that is idle is lent to it
                    loan = machine.lend_to(slot, now)
            link = loan.connection if loan is not None else None if lane is None else lane.link
            io: Socket | None = None if link is None or link.ended else link.io
            reader = None if io is None else io.reader
            payload = None
            # What came unasked must not answer this, and this very thread, interrupted by what it does now, not wait for itself.
            fits = io is not None and io.reads and not io.stuck
            if io is not None and fits and (reader.token not in (None, slot.token) if reader else not io.poll(0)):
                hold = reader is not None or bool(io.waking or io.deferred)
                self._moving = None if hold else link  # what it starts counts as sent
                payload = io.link.home.start(slot, now, loan, hold)
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
                    count = io.send(payload)
                except (BlockingIOError, InterruptedError):
                    count = 0
                except OSError as error:
                    count, failure = 0, of_the_system(error)
                if count < len(payload):
                    io.core.unsent(payload[count:])
                    io.stuck = True
                self._moving = None
                if failure is not None:
                    self._not_sent(io, failure)
            else:
                self._put_out(io, now)
            if loan is not lease and machine.has_events:
                self._carry_out()
            if crew.unsettled or crew.woken:
                self._settle()
            return job
        except BaseException:
            self._torn.append(slot)
            raise
        finally:
            self._inside = False

    def _put_out(self, io: Socket, now: float) -> None:
        """Something is to be sent: at once, or by the last of those who are about to come by."""
        if not (io.waking or io.deferred) or not self.crew.defers(io, now):
            self._send(io)

    def _submit(self, slot: Slot, lease: Loan | None, epoch: int | None) -> Job | None:
        self._begin(slot, lease, epoch)
        return self._next(slot, None)

    def _begin(self, slot: Slot, lease: Loan | None, epoch: int | None) -> None:
        machine, now = self.machine, monotonic()
        self._look(now)
        caller = get_ident() if machine.several_lanes else None
        looked: Link | None = None
        while lease is None and (idle := machine.idle_link(caller, slot)) is not looked and idle is not None:
            looked = idle
            if idle.io.reader is None:
                self._catch_up(idle.io)  # it may have ended, and then another is next
        link = machine.submit(slot, now, caller=caller, lease=lease, epoch=epoch)
        io: Socket | None = None if link is None else link.io
        if io is None or io.reader is not None:
            self._check_not_beneath(slot, io)
        if io is not None:
            self._put_out(io, now)
        self._carry_out()

    def _begin_ahead(self, slot: Slot, lease: Loan | None) -> None:
        self._begin(slot, lease, None)
        link = slot.link
        if link is not None:
            self.crew.attend(link.io)

    def _take_up(self, slot: Slot) -> Job | None:
        """A thread is here for a call that was begun ahead. What has come counts, however late it is read."""
        if slot.token != DONE:
            slot.token = get_ident()
            io = self.crew.where(slot)
            if io is not None:
                self._take_in([io])
            if slot.token != DONE:
                self.machine.resume(slot, monotonic())  # it may be of before a fork
                self._carry_out()
                self._check_not_beneath(slot, self.crew.where(slot))
        return self._next(slot, None)

    def _acquire(self, party: Party, stack: str | None, at: Any) -> Job | None:
        machine, now = self.machine, monotonic()
        self._look(now)
        gone = ref(party, self._torn.append)
        waiter = Waiter(gone, party.deadline, stack)
        lease = machine.lend(now, stack, waiter, at)
        io: Socket | None = None if lease is None else lease.connection.io
        if io is not None and io.reader is None and io.reads and not io.poll(0):
            party.waiter, waiter.lease, party.token = waiter, lease, DONE  # there is nothing to wait for
            if machine.has_events:
                self._carry_out()
            return None
        party.waiter = waiter = machine.acquire(gone, now, deadline=party.deadline, borrower=stack, held=lease, at=at)
        if waiter.lease is None:
            self._check_not_beneath(party, None)
        self._carry_out()
        return self._next(party, None)

    def _release(self, lease: Loan) -> None:
        io = lease.connection.io
        self.machine.release(lease, monotonic())
        if isinstance(lease, Lease) and isinstance(lease.token, Waiter):
            lease.token.token = None  # the end of the borrower is of no interest any more
        if io.core.in_flight:
            self.crew.owing[io] = None
        if self.machine.has_events:
            self._carry_out()

    def _listen(self, party: Party, what: Heardable) -> Job | None:
        self._look(monotonic())
        listener = Listener(what, party, deadline=party.deadline)
        io: Socket | None = None if listener.link is None else listener.link.io
        self._check_not_beneath(party, io)
        self._take_in([*self.crew.listening] if io is None else [io])
        party.waiter = listener
        self.machine.listen(listener)
        self._carry_out()
        return self._next(party, None)

    def _look_at_lanes(self) -> None:
        self._look(monotonic())
        self._take_in([link.io for link in self.machine.lane_links])

    def _drain(self, party: Party) -> Job | None:
        self.crew.drain(party)
        self._change(lambda machine, now: machine.drain(now))
        return self._next(party, None)

    def _change(self, what: Callable[[Client, float], object]) -> None:
        what(self.machine, monotonic())
        self._carry_out()

    def _give_up(self, caller: Caller) -> None:
        """The caller has gone. Safe to repeat."""
        crew, entry = self.crew, entry_of(caller)
        io: Socket | None = crew.where(caller)
        if entry is not None:
            self.machine.gone(entry, monotonic())
        crew.leave_all(caller)
        self._carry_out()
        if io is not None:
            crew.attend(io)
            if crew.left(io):
                self._close(io)
            elif io.deferred:
                self._send(io)
                self._carry_out()

    def _check_not_beneath(self, caller: Caller, io: Socket | None) -> None:
        """Refuse a caller that would wait for its own thread, which was interrupted by what it does now."""
        if self.crew.is_beneath(caller, io):
            self._give_up(caller)
            raise self._reentered(dials=io is None)

    # -- one job after the other ---------------------------------------------------------------------------------------------------

    def _run(self, caller: Caller, step: Callable[..., Job | None], *args: Any) -> None:
        """Take a caller's first step, and do its jobs until it has what it waits for. Raises as the step, and interrupts."""
        begun = False
        try:
            job = self._locked(step, caller, *args)
            begun = True
            if job is not None:
                self._work(caller, job)
        except BaseException as error:
            caller.token = None  # first: another interrupt may strike from here on
            if begun or not isinstance(error, RespError):
                self._torn.append(caller)
                self._locked(self._give_up, caller)
            raise

    def _work(self, caller: Caller, job: Job | None) -> None:
        """Do one job after the other.

        A function of its own: CPython 3.12 and 3.13 look for signals where a loop turns, and no `try` around it sees what comes.
        """
        nap = NAP
        while job is not None:
            if isinstance(job, Dial):
                job = self._dial(caller, job)
            elif job is not SLEEP:
                job = self._locked(self._turn, caller, job, self._wait(caller, job))
            elif self._sleep(caller, nap):
                nap = min(2 * nap, LONGEST)  # or a thousand that wait would do nothing but wake up
                job = self._locked(self._turn, caller, SLEEP, ())
            else:
                return

    def _wait(self, caller: Caller, job: Job) -> Sequence[Socket]:
        """Wait for the sockets of a job; return those that are ready."""
        if isinstance(job, Socket) and not job.stuck:
            left = min(caller.deadline, job.link.due) - monotonic()
            if job.deferred or job in self.crew.common:
                left = min(left, NAP)
            return (job,) if left > 0 and job.poll(int(min(left, LONGEST) * 1000) + 1) else ()
        sockets = sockets_of(job)
        left = min([caller.deadline, *[io.link.due for io in sockets]]) - monotonic()
        if left <= 0:
            return ()
        reads, writes = not isinstance(job, Write), not isinstance(job, Several)
        ready = wait_for([io.fileno for io in sockets], min(left, NAP), read=reads, write=writes)
        return [io for io in sockets if io.fileno in ready]

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

    def _turn(self, caller: Caller, job: Job, ready: Sequence[Socket]) -> Job | None:
        """A thread is back from its wait: move what can be moved now, and return its next job."""
        crew = self.crew
        if job is SLEEP:
            came = crew.sleepers.pop(caller, None) is None  # it was woken
            at: Socket | None = crew.where(caller)
            sockets = [] if at is None else [at]
            if at is not None and at.deferred:
                self._send(at)
        else:
            if not isinstance(job, Write):
                for io in ready:
                    if io.reads and not io.link.ended:
                        self._receive(io)
            if isinstance(job, Socket) and ready and caller.token == DONE:
                alone = not crew.sleepers and job not in crew.common
                if alone and not job.link.ended:
                    job.reader = None  # the short path: answered, and no other to see to
                    return None
            came, sockets = bool(ready), [job] if isinstance(job, Socket) else sockets_of(job)
            for io in sockets:
                self._go_on(io)
        for io in sockets:
            came = came and not io.link.ended
        held: Job | None = job
        if not came:
            self._pass_time(caller, monotonic())
            held = crew.waited(caller, job)
        following = self._next(caller, held)
        timed_out = not isinstance(caller, Party) and caller.state is not SlotState.ANSWERED
        for io in sockets if following is not job else ():
            if (io.link.ended or timed_out) and crew.left(io):
                self._close(io)
        return following

    def _go_on(self, io: Socket) -> None:
        """Send what is still to be sent; and if this link has just opened, it is its callers'."""
        if not io.link.ended and (io.stuck or io.wire.wants_to_send):
            self._send(io)
        self.crew.attend(io)


def sockets_of(job: Job) -> list[Socket]:
    """Return the sockets for which a thread waits that has this job."""
    posts = job.posts if isinstance(job, Several) else (job.post if isinstance(job, Write) else job,)
    return [io for io in posts if isinstance(io, Socket)]
