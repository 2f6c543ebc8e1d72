"""Carry out one client machine with the threads of its callers, and none of its own. Nothing is decided here.

A caller who is alone encodes, sends and receives on its own thread: that is the short path. Where several wait, the crew says which
of them reads, writes, dials or keeps the time for all; the others sleep until they are woken. What is done under the lock between
two waits is a step of the core's, see `resp_sansio.client.Steps`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from threading import Lock, get_ident
from time import monotonic, sleep
from typing import Any, Final, TypeAlias

from resp_sansio import ConnectError, RespError
from resp_sansio.client import (
    AHEAD,
    DONE,
    SLEEP,
    Client,
    Dial,
    Job,
    Listener,
    Party,
    Passer,
    Several,
    Sleep,
    Waiter,
    Write,
    posts_of,
)
from resp_sansio.config import of_the_system
from resp_sansio.connection import Slot
from resp_sansio.surface.threads import Heardable, Loan

from ._guards import Guarded, check_not_patched
from ._links import Socket
from ._transport import LONGEST, Opening, shut_down, wait_for

__all__ = ["Driver"]

NAP: Final = 0.25
"""Seconds after which a thread that waits for others, or for what is not its own, looks whether it has something better to do."""

TURN: Final = 0.05
"""Seconds for which a thread waits for a dial while others are to be made, before the next one has its turn."""

Caller: TypeAlias = Slot | Party


class Driver(Guarded):
    """What carries out the machine of a client, a pool or a connection."""

    __slots__ = ()

    # -- for callers ---------------------------------------------------------------------------------------------------------------

    def call(self, slot: Slot, lease: Loan | None = None, epoch: int | None = None) -> None:
        """Make a call: when this returns it has ended for good. Raises as `Client.submit`, and interrupts."""
        slot.token = get_ident()
        try:
            lock, taken = self._lock, False
            try:
                lock.acquire()
                taken = True
                job = None if self._inside or self._torn or epoch is not None else self._start(slot, lease)
            finally:
                try:
                    lock.release()
                except RuntimeError:
                    if taken:
                        raise  # see `_guards`
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
            self._run(slot, self._begin, lease, epoch, get_ident())
        # One store, which no interrupt can split: from here on, jobs that this call still has are free.
        slot.token = None
        if self.crew.dials:
            self._do_chores(min(slot.deadline, monotonic() + NAP))

    def ahead(self, slot: Slot, lease: Loan | None = None) -> None:
        """Begin a call, for whose end a thread may wait later. Raises as `Client.submit`, and interrupts."""
        slot.token = AHEAD
        self._run(slot, self._begin, lease, None, get_ident())

    def finish(self, slot: Slot) -> None:
        """Wait for the end of a call that was begun ahead. Raises interrupts."""
        self._run(slot, self._take_up, get_ident())
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
            if now >= self._look_at:
                return None
            if crew.owing:
                self._take_in_late()
                if self._reports:
                    return None
            loan, lane = lease, machine.lane
            if loan is None and lane is None:
                loan, lane = machine.way_of(slot, now)
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
            if loan is not lease and self._untold:
                self._carry_out()
            if crew.unsettled or crew.woken:
                self._settle()
            return job
        except BaseException:
            self._torn.append(slot)
            raise
        finally:
            self._inside = False

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
        sockets = [io for io in posts_of(job) if isinstance(io, Socket)]
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

    def _park(self, caller: Caller) -> Job:
        waker = Lock()
        waker.acquire()
        self.crew.sleepers[caller] = waker
        return SLEEP

    # -- dials ---------------------------------------------------------------------------------------------------------------------

    def _dial(self, caller: Caller, dial: Dial) -> Job | None:
        """Open a socket on this thread, without the lock, as far as there is time; return the thread's next job."""
        check_not_patched()
        machine, crew, opening = self.machine, self.crew, self._openings.get(dial)
        result: Exception | Sleep | None = None  # as if an interrupt strikes: it is given up, and another begins anew
        try:
            if opening is None:
                try:
                    self._openings[dial] = opening = Opening(dial)
                except Exception as error:  # noqa: BLE001  # a provider may raise anything, and its callers are to know
                    result = error
            while (
                opening is not None
                and result is None
                and not opening.go_on(min(caller.deadline, monotonic() + (TURN if crew.dials else NAP)))
            ):
                self._locked(self._look_around, caller)
                if caller.token == DONE or crew.where(caller) is not None or crew.dials:
                    result = SLEEP  # it has its own to do, or another dial, and a thread that is free goes on
        except ConnectError as error:
            result = error
        finally:
            job = self._locked(self._dialled, machine, caller, dial, opening, result)
        return job

    def _dialled(
        self, machine: Client, caller: Caller, dial: Dial, opening: Opening | None, result: Exception | Sleep | None
    ) -> Job | None:
        """A thread is back from a dial."""
        now = monotonic()
        if machine is not self.machine:  # forked meanwhile
            if opening is not None:
                opening.close()
            return self._next(caller, SLEEP)
        self.crew.dialled(dial)
        if opening is not None and opening.connected is not None:
            self._connected(dial, opening, now)
        elif result is SLEEP and machine.closed is None:
            self.crew.wanted(dial)
            return self._next(caller, SLEEP)
        else:
            self._drop_opening(dial)
            machine.dial_failed(dial, result if isinstance(result, Exception) else None, now)
        self._carry_out()
        self._pass_time(caller, now)
        return self._next(caller, SLEEP)

    def _connected(self, dial: Dial, opening: Opening, now: float) -> None:
        """A socket is open: begin the handshake."""
        machine, connected = self.machine, opening.connected
        assert connected is not None
        try:
            link = machine.connected(dial, now, opening.credentials, opening.tls)
        except (TypeError, ValueError) as error:
            if any(link.io is None for link in machine.links):
                raise  # an interrupt's, that has left a link behind
            self._drop_opening(dial)
            machine.dial_failed(dial, error, now)  # credentials that can't be sent: those who wait are to know
            return
        link.io = io = Socket(link, connected)
        self._forget_opening(dial)  # only now: until then, those who mend close it
        if link.ended:
            self._close(io)
        else:
            self.crew.opens(io)
            self._send(io)
