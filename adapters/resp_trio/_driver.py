"""Carry out one client machine in one run of trio: bytes, one clock, callers parked and woken. Nothing is decided here.

A call submits its slot and waits for its end, all in its own task. If nothing is in flight on its link it sends at once; otherwise
the first to call leaves the others one turn to add theirs, and sends them all. Of the callers that wait at a link, one leads: it
waits for the socket, receives for all, and wakes those whom it concerns; when it leaves, it appoints another. The others are
parked. (Measured: with a reader task for each link a lone caller's GET takes 24 us instead of 20, for two tasks are woken.)

What clients and pools do beside the calls runs in a nursery of their own, for as long as their block and whatever is cancelled
around it: dials, one clock for all deadlines, and the reading of links that owe replies to no caller. A connection of `connect` has
no nursery once it is open, so any task may hold it, for as long as it likes: there the one that leads keeps the time, by a scope
for each wait, and nothing happens while no caller waits. (Measured: that scope is 9 of the 28 us that a lone caller's GET takes
there. A nursery would need 3.8 KiB more for each idle connection, and `await connect(...)` can have none.)

Bytes move between socket and machine without a checkpoint in between: nothing is cancelled there, and no KeyboardInterrupt
strikes. A task that is cancelled leaves nothing behind but a place in the order of replies.
"""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from inspect import isawaitable
from math import inf
from random import random
from socket import socket
from typing import Any, Final, TypeAlias
from warnings import warn
from weakref import WeakSet

from trio import (
    Cancelled,
    CancelScope,
    ClosedResourceError,
    Event,
    Nursery,
    current_time,
    open_nursery,
    sleep_forever,
)
from trio.lowlevel import (
    Abort,
    RaiseCancelT,
    Task,
    TrioToken,
    cancel_shielded_checkpoint,
    checkpoint,
    checkpoint_if_cancelled,
    current_clock,
    current_task,
    current_trio_token,
    enable_ki_protection,
    notify_closing,
    reschedule,
    wait_readable,
    wait_task_rescheduled,
    wait_writable,
)

from resp_sansio import Config, ConnectError, ConnectionLostError, LocalProtocolError, Push
from resp_sansio.client import (
    Client,
    ClientEvent,
    Close,
    Dial,
    Drained,
    Granted,
    Heard,
    Leaked,
    Lease,
    Link,
    Listener,
    Look,
    Refused,
    Share,
    Waiter,
)
from resp_sansio.config import read_credentials
from resp_sansio.connection import Slot, SlotState

from ._transport import close_after_fork, dial, shut, tls_of, until

__all__ = ["Driver"]

QUEUED: Final = SlotState.QUEUED
HANDED: Final = SlotState.HANDED

RECEIVE: Final = 64 * 1024
"""Bytes asked of the socket at a time: enough for a thousand small replies. In a fresh process, blocks of more than 128 KiB are
mapped and unmapped by the C library each time, at more than they save on large values."""

PIECES: Final = 16
"""How many of them are received before others get their turn: 1 MiB takes about as long as a hundred turns of trio's loop."""

_drivers: Final[WeakSet[Driver]] = WeakSet()


Caller: TypeAlias = Slot | Listener
"""What a task waits for. `token` is where it waits: the dictionary that holds the parked task, or the socket at which it leads."""


class Socket:
    """A link's socket, and the callers at it."""

    __slots__ = (
        "_core", "_driver", "_machine", "_poll", "_recv", "_send", "_taken", "_waits", "_wire", "connected", "crowd", "due",
        "leader", "link", "parked", "stuck",
    )  # fmt: skip

    def __init__(self, driver: Driver, link: Link, connected: socket) -> None:
        self._driver = driver
        self._machine = driver.machine
        self._core = link.core
        self._wire = link.wire
        # Bound once: these are called for every command.
        self._send: Callable[[bytes | memoryview], int] = connected.send
        self._recv: Callable[[int], bytes] = connected.recv
        self.link: Link = link
        self.connected: socket = connected
        self.leader: Caller | Socket | None = None  # it waits for the socket; this itself: a task of the client's does
        self.parked: dict[Caller, Task] = {}
        self.due: bool = False  # a caller that has given the others a turn will send
        self.crowd: bool = False  # several were woken together, and may well have more to ask
        self.stuck: bool = False  # the socket takes no more for now
        self._waits = False  # the leader does, and is not on its way
        self._taken: Event | None = None  # what it waits for while pushes are to be taken before more is read
        self._poll = poll_of(connected)

    # -- who reads -----------------------------------------------------------------------------------------------------------

    @enable_ki_protection
    async def lead(self) -> None:
        """Wait for the socket once, and do what is to be done then."""
        driver = self._driver
        wait: Callable[[socket], Awaitable[None]]
        if not self._core.wants_to_receive:
            wait = wait_writable if self.stuck else self._wait_until_taken
        else:
            wait = wait_both_ways if self.stuck else wait_readable
        late = False
        self._waits = True
        try:
            if driver.nursery is not None:
                await wait(self.connected)
            else:
                late = await driver.wait_in_time(wait, self.connected)
        except ClosedResourceError:
            pass  # roused, or closed
        finally:
            self._waits = False
        if not self.link.ended:
            self.receive()
            if not self.due and self._wire.wants_to_send:
                self.flush()
        if late:
            driver.look_at_the_time()

    @enable_ki_protection
    async def keep(self) -> None:
        """Read, in a task of the client's: while the link opens, and whenever it owes replies that no caller waits for."""
        try:
            while not self.link.ended:
                if self.link.dial is None and (
                    not (self._core.in_flight or self.stuck) or self._successor() is not None
                ):
                    break
                await self.lead()
        finally:
            self.leader = None
            self.appoint()

    def appoint(self) -> None:
        """See that what comes is read, if a caller waits for it or it is owed."""
        if self.leader is not None or self.link.ended or not (self.parked or self._core.in_flight or self.stuck):
            return
        successor = self._successor()
        if successor is not None:
            self.leader = successor
            self._driver.wake(successor)
        elif self._driver.nursery is not None:
            self.leader = self
            self._driver.start(self.keep)

    def _successor(self) -> Caller | None:
        """Return the parked caller that came last: its reply comes last, too, so it leads for longest."""
        if self.parked:
            return next(reversed(self.parked))
        slot: Slot | None = self.link.slot  # it was parked when the link was not its yet
        return slot if slot is not None and slot.link is self.link and isinstance(slot.token, dict) else None

    def rouse(self) -> None:
        """Have the leader look again at what it waits for."""
        if self._waits:
            notify_closing(self.connected)
            if self._taken is not None:
                self._taken.set()

    async def _wait_until_taken(self, _: socket) -> None:
        """Wait, while nothing may be read, until pushes were taken or a caller comes."""
        self._taken = Event()
        try:
            await self._taken.wait()
        finally:
            self._taken = None

    # -- bytes ---------------------------------------------------------------------------------------------------------------

    async def give_others_a_turn(self) -> None:
        """Let them add their commands, so that all go out together."""
        self.due = True
        try:
            await checkpoint()
            if self.crowd:
                await checkpoint()  # trio runs those of a turn in any order: now all that were woken have been here
        finally:
            self.due = self.crowd = False

    def start(self, slot: Slot, now: float) -> bool | None:
        """Begin a call on this link, and say whether it was sent; None to decline, and then nothing has changed.

        It is sent at once if nothing else is under way; what has come was read just before.
        """
        if self.crowd and not self._core.in_flight:
            return None
        payload = self._machine.start(slot, now)
        if not payload:
            return None if payload is None else False
        try:
            count = self._send(payload)
        except OSError:
            count = 0  # `flush` meets it again
        if count < len(payload):
            self._core.unsent(payload[count:])
            self.flush()
        return True

    def wants_to_send(self) -> None:
        """The machine has put something on the link."""
        if not self.due:
            if self.leader is None:
                self.look()
            self.flush()
        self.appoint()

    @enable_ki_protection
    def flush(self) -> None:
        """Send what is queued, as far as it goes."""
        if self.link.ended:
            return
        wire, send = self._wire, self._send
        try:
            while block := wire.data_to_send():
                wire.sent(send(block))
            self.stuck = False
        except (BlockingIOError, InterruptedError):
            if not self.stuck:
                self.stuck = True
                self.rouse()
        except OSError as error:
            self.receive()  # the server may have said why, before it closed
            self._machine.send_failed(self.link, error, current_time())
            self._driver.carry_out()
        except BaseException:
            self._break()
            raise
        if self._taken is not None:
            self.rouse()  # a reply is behind what was left unread

    def look(self) -> None:
        """Take in what has come: before something is sent, if there is no leader, for it must not answer that."""
        if not self.link.ended and (self._poll is None or self._poll(0)):
            self.receive()

    @enable_ki_protection
    def receive(self) -> None:
        """Receive what is there."""
        core, driver, link, machine, recv = self._core, self._driver, self.link, self._machine, self._recv
        try:
            for _ in range(PIECES):
                if not core.wants_to_receive:
                    break
                data = recv(RECEIVE)
                if not data:
                    machine.receive_eof(link, current_time())
                    driver.carry_out()
                    break
                answered = machine.receive_replies(link, data, current_time())
                if answered is None:
                    events = machine.events()
                    self.crowd = self.crowd or len(events) > 1
                    driver.carry_out(events)
                else:
                    self.crowd = self.crowd or len(answered) > 1
                    for slot in answered:
                        if slot.token is not self or self._waits:
                            driver.wake(slot)
                if link.ended or len(data) < RECEIVE:
                    break
        except (BlockingIOError, InterruptedError):
            pass
        except OSError as error:
            machine.receive_eof(link, current_time(), error)
            driver.carry_out()
        except BaseException:
            self._break()
            raise

    def _break(self) -> None:
        """Bytes may have moved that the machine does not know of."""
        error = ConnectionLostError("a call was interrupted while bytes were moving")
        self._machine.abort(self.link, error, current_time(), uncertain=True)
        self._driver.carry_out()

    def close(self) -> None:
        """End now."""
        self.rouse()
        shut(self.connected, b"" if self.stuck else self._wire.data_to_send())


class Driver:
    """What carries out the machine of a client, a pool or a connection; `make` makes the machine, anew in the child of a fork."""

    __slots__ = (
        "__weakref__", "_carrying", "_clock", "_make", "_manager", "_over", "_parked", "_run", "_scopes", "_several",
        "_told", "armed", "config", "drained", "machine", "now", "nursery", "whose",
    )  # fmt: skip

    armed: float  # when the clock goes off

    def __init__(self, config: Config, make: Callable[[Callable[[], float]], Client], whose: str) -> None:
        self.config: Config = config
        self.whose: str = whose
        self.nursery: Nursery | None = None
        self._make = make
        self.begin()
        _drivers.add(self)

    def begin(self) -> None:
        """Begin, or begin anew in the child of a fork."""
        self.machine: Client = self._make(random)
        self._several = self.machine.several_lanes
        self.now: Callable[[], float] = current_time
        self.drained: Event | None = None
        self.armed = inf
        self._run: TrioToken | None = None
        self._clock: CancelScope | None = None
        self._parked: dict[Caller, Task] = {}  # those on no link
        self._told: list[ClientEvent] = []
        self._carrying = False

    # -- for calls -----------------------------------------------------------------------------------------------------------

    @enable_ki_protection
    async def call(self, slot: Slot, lease: Lease[Link] | Share | None = None, epoch: int | None = None) -> None:
        """Make a call: when this returns it has ended, when it raises it was given up, or never began."""
        try:
            await checkpoint_if_cancelled()
        except BaseException:
            self.machine.abandon(slot, 0.0)  # it says that nothing was sent
            raise
        try:
            waiting = self._begin(slot, lease, epoch)
        except Exception:
            await cancel_shielded_checkpoint()
            raise
        try:
            await waiting
        except BaseException:
            self.give_up(slot)
            raise

    def _begin(self, slot: Slot, lease: Lease[Link] | Share | None, epoch: int | None) -> Coroutine[Any, Any, None]:
        """Begin a call, and return what waits for its end."""
        if current_trio_token() is not self._run:
            self.check(slot.name)
        machine, lane = self.machine, self.machine.lane
        link: Link | None = lease.connection if lease is not None else None if lane is None else lane.link
        looked: Socket | None = None if link is None else link.io
        now, sent = self.now(), None
        if looked is not None and not looked.due:
            if looked.leader is None or not looked.link.core.in_flight:
                looked.look()  # before it is submitted: if the connection has ended meanwhile, the call is refused
            if lease is None:
                sent = looked.start(slot, now)
        if sent is None:
            caller = current_task() if self._several else None
            link = machine.submit(slot, now, caller=caller, lease=lease, epoch=epoch)
            if events := machine.events():
                self.carry_out(events)
        elif sent:
            link = None
        if slot.deadline < self.armed:
            self.arm(slot.deadline)
        return self.wait_for(slot, link, looked)

    def submit(self, slot: Slot, lease: Lease[Link] | Share) -> None:
        """Begin a call that no caller waits for."""
        self.check(slot.name)
        link = self.machine.submit(slot, current_time(), lease=lease)
        if link is not None:
            link.io.wants_to_send()
        self.carry_out()

    @enable_ki_protection
    def give_up(self, slot: Slot) -> None:
        """The caller of this slot has gone. If it was to send for others, that is done now."""
        link: Link | None = slot.link
        self.machine.abandon(slot, current_time())
        self.carry_out()
        if link is not None and not link.ended:
            if link.wire.wants_to_send:
                link.io.wants_to_send()
            else:
                link.io.appoint()

    @enable_ki_protection
    async def acquire(self, deadline: float, borrower: str | None = None) -> Lease[Link] | Share:
        """Wait for a link of one's own. Raises as `Client.acquire`, and why there is none."""
        await checkpoint()  # before, since a connection that is had at once should be of use at once
        self.check("acquire")
        waiter = self.machine.acquire(None, current_time(), deadline=deadline, borrower=borrower)
        self.carry_out()
        if waiter.lease is None and waiter.error is None:
            waiter.token = current_task()
            try:
                await wait_task_rescheduled(partial(abort_waiter, waiter))
            except BaseException:
                self.machine.withdraw(waiter, current_time())
                self.carry_out()
                raise
        if waiter.lease is None:
            assert waiter.error is not None
            raise waiter.error
        return waiter.lease

    @enable_ki_protection
    def release(self, lease: Lease[Link] | Share) -> None:
        """Give a link back."""
        self.machine.release(lease, current_time())
        self.carry_out()
        lease.connection.io.appoint()

    @enable_ki_protection
    async def listen(self, loan: Lease[Link] | Share, deadline: float) -> Push:
        """Wait for the next push on a link. Raises as `Client.listen`, and why there is none."""
        await checkpoint_if_cancelled()
        io: Socket = loan.connection.io
        listener = Listener(loan, deadline=deadline)
        try:
            self.check("next_push")
            io.look()
            self.machine.listen(listener)
        except Exception:
            await cancel_shielded_checkpoint()
            raise
        self.carry_out()
        try:
            await self.wait_for(listener)
        except BaseException:
            self.machine.stop_listening(listener)
            self.carry_out()
            io.appoint()
            raise
        return listener.result()

    @enable_ki_protection
    def change(self, name: str, what: Callable[[Client, float], object]) -> None:
        """Change something of the machine's, and carry out what follows."""
        self.check(name)
        what(self.machine, self.now())
        self.carry_out()

    checkpoint: Final = staticmethod(checkpoint)

    def check(self, what: str) -> None:
        """See that this is the run of trio, and the block, that it belongs to. Raises `LocalProtocolError`."""
        if self.machine.closed is not None or current_trio_token() is self._run:
            return
        if self._run is None:
            raise LocalProtocolError(
                f"{what}: use a {self.whose.capitalize()} by `async with`: it works in a nursery of its own"
            )
        raise LocalProtocolError(
            f"{what}: this {self.whose} belongs to the run of trio that it was opened in; elsewhere, or in another thread, open"
            " another"
        )

    # -- callers that wait -----------------------------------------------------------------------------------------------------

    @enable_ki_protection
    async def wait_for(self, caller: Caller, link: Link | None = None, looked: Socket | None = None) -> None:
        """Wait, as leader or parked, until the machine is done with it. A reply that has come wins over a cancellation.

        First send what the call has put on its link; `looked`: what had come there was read.
        """
        if link is not None:
            sending: Socket = link.io
            if not sending.due:
                if link.core.in_flight or sending.crowd:
                    await sending.give_others_a_turn()
                if sending.leader is None and sending is not looked:
                    sending.look()
                sending.flush()
        if caller.state is not HANDED and caller.state is not QUEUED:
            await cancel_shielded_checkpoint()
            return
        io: Socket | None = None
        try:
            while caller.state is HANDED or caller.state is QUEUED:
                link = caller.link
                at: Socket | None = None if link is None else link.io
                if io is not None and io is not at and io.leader is caller:
                    io.leader = None  # the call goes on elsewhere
                    io.appoint()
                io = at
                if io is not None and (io.leader is None or io.leader is caller):
                    io.leader, caller.token = caller, io
                    await io.lead()
                else:
                    caller.token = place = self._parked if io is None else io.parked
                    place[caller] = current_task()
                    await wait_task_rescheduled(partial(self._abort, caller))
        except BaseException:
            if io is not None and io.leader is caller:
                io.leader = None
                if caller.link is not io.link:
                    io.appoint()  # else `give_up` or `listen` does, once nothing is owed to this caller
            raise
        if io is not None and io.leader is caller:
            io.leader = None
            io.appoint()

    def _abort(self, caller: Caller, _: RaiseCancelT) -> Abort:
        """A parked caller is cancelled."""
        place: Any = caller.token
        caller.token = None
        del place[caller]
        if caller.state is QUEUED and isinstance(caller, Slot):
            self.machine.abandon(caller, current_time())  # now: when the task learns of it, another may have sent it
        return Abort.SUCCEEDED

    @staticmethod
    def wake(caller: Caller) -> None:
        """Wake this caller: what it waits for has come, or it is to lead."""
        place: Any = caller.token
        if isinstance(place, dict):
            caller.token = None
            reschedule(place.pop(caller))
        elif place is not None:
            place.rouse()

    # -- beginning, and the end ------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Open the nursery, in which the time is kept and what is to be open before it is needed is dialled."""
        if self._run is not None:
            await checkpoint()
            raise LocalProtocolError(f"a {self.whose.capitalize()} is entered once, and this one has been")
        self._manager = open_nursery()
        self.nursery = await self._manager.__aenter__()
        self._run = current_trio_token()
        self.now = current_clock().current_time  # quicker
        self._over = False
        self._scopes: set[CancelScope] = set()
        self.start(self._keep_time)
        self.machine.open(current_time())
        self.carry_out()

    async def leave(self) -> None:
        """End what is done in the nursery, and wait for its end."""
        self._end_work()
        self.nursery = None
        # The nursery is told of no exception, so that the block's own comes out as it is, in no group.
        try:
            await self._manager.__aexit__(None, None, None)
        except* Cancelled:
            pass
        del self._manager, self._scopes

    def start(self, work: Callable[..., Awaitable[None]], *arguments: Any) -> None:
        """Begin something that is done beside the calls."""
        assert self.nursery is not None
        self.nursery.start_soon(self._shielded, work, *arguments)

    @enable_ki_protection
    async def _shielded(self, work: Callable[..., Awaitable[None]], *arguments: Any) -> None:
        with CancelScope(shield=True) as scope:
            self._scopes.add(scope)
            try:
                if not self._over:
                    await work(*arguments)
            finally:
                self._scopes.discard(scope)

    def _end_work(self) -> None:
        if self.nursery is not None:
            self._over = True
            for scope in self._scopes:
                scope.cancel()

    async def close(self, deadline: float) -> None:
        """Take no new calls, wait until the deadline for those under way, and end what is left."""
        if self.machine.closed is None or self.machine.links:
            self.check("close")
            try:
                if self.nursery is not None and deadline > current_time() and self.machine.closed is None:
                    self.drained = Event()
                    self.machine.drain(current_time())
                    self.carry_out()
                    with CancelScope(deadline=deadline):
                        await self.drained.wait()
            finally:
                self.end()
        await checkpoint()

    @enable_ki_protection
    def end(self) -> None:
        """End everything now."""
        self.machine.close(current_time())
        self.carry_out()
        self._end_work()

    def drop(self) -> None:
        """The connection was thrown away without being closed, in whichever thread: no caller waits for its socket."""
        for link in self.machine.links:
            shut(link.io.connected)

    def forget(self) -> None:
        """In the child of a fork everything that is open is the parent's, and so is what trio knows of it."""
        self.machine.close(0.0, "it was opened before a fork, and belongs to the parent process")
        if not self.machine.once:
            self.begin()

    # -- what the machine says -------------------------------------------------------------------------------------------------

    @enable_ki_protection
    def carry_out(self, events: list[ClientEvent] | None = None) -> None:
        """Carry out these events, or all there are, and those that follow, in their order; see that the clock goes off in time."""
        machine = self.machine
        self._told += machine.events() if events is None else events
        if self._carrying:
            return  # what is being carried out leads to more, which follows
        self._carrying = True
        try:
            while told := self._told:
                self._told = []
                for event in told:
                    if isinstance(event, Slot):
                        self.wake(event)
                    else:
                        self._tell(event)
                self._told += machine.events()
        finally:
            self._carrying = False
        due = machine.next_deadline()
        if due < self.armed:
            self.arm(due)

    def _tell(self, event: ClientEvent) -> None:
        match event:
            case Link():
                if event.io is not None:
                    event.io.wants_to_send()
            case Dial():
                self.start(self._dial, event)
            case Look(link):
                link.io.look()
                self.machine.looked(link, current_time())
            case Heard(listener):
                self.wake(listener)
            case Granted(waiter) | Refused(waiter):
                if isinstance(waiter.token, Task):
                    reschedule(waiter.token)
                    waiter.token = None
            case Close(link):
                if link.io is not None:
                    link.io.close()
            case Drained():
                if self.drained is not None:
                    self.drained.set()
            case Leaked(lease):
                assert self._run is not None
                self._run.run_sync_soon(report, lease)  # work first, then tell

    @enable_ki_protection
    async def _dial(self, wanted: Dial) -> None:
        connected: socket | None = None
        try:
            credentials = await self._credentials(wanted.deadline)
            tls = tls_of(self.config)
            connected = await dial(self.config, self.machine.addresses, wanted.deadline)
            link = self.machine.connected(wanted, current_time(), credentials, tls)
        except BaseException as error:
            # A provider of credentials may raise anything, or give what can't be sent, and its callers are to know.
            if connected is not None:
                shut(connected)
            self.machine.dial_failed(wanted, error if isinstance(error, Exception) else None, current_time())
            self.carry_out()
            if not isinstance(error, Exception):
                raise
            return
        link.io = io = Socket(self, link, connected)
        io.leader = io
        io.flush()
        self.carry_out()
        await io.keep()

    async def _credentials(self, deadline: float) -> tuple[str | None, str | bytes] | None:
        """Ask the provider, if there is one. Raises `ConnectError`, and whatever the provider raises."""
        if self.config.credentials is None:
            return None
        answer: object = self.config.credentials()
        if isawaitable(answer):
            try:
                with until(deadline):
                    answer = await answer
            except TimeoutError as error:
                raise ConnectError(f"{self.config.address}: no credentials came in time", transient=True) from error
        return read_credentials(answer)

    # -- time --------------------------------------------------------------------------------------------------------------------

    def arm(self, deadline: float) -> None:
        """See that the clock goes off at this time or before."""
        self.armed = deadline
        if self._clock is not None:
            self._clock.deadline = deadline

    @enable_ki_protection
    async def _keep_time(self) -> None:
        """The clock, as a task."""
        while True:
            with CancelScope(deadline=self.armed) as self._clock:
                await sleep_forever()
            self._clock = None
            await checkpoint()  # what came by now is read first, by those who lead
            self.look_at_the_time()

    async def wait_in_time(self, wait: Callable[[socket], Awaitable[None]], connected: socket) -> bool:
        """Wait for a socket, and be the clock meanwhile: a caller that leads where there is no nursery. Has the time come?"""
        self.armed = self.machine.next_deadline()
        with CancelScope(deadline=self.armed) as scope:
            self._clock = scope
            try:
                await wait(connected)
            finally:
                self._clock = None
        return scope.cancelled_caught

    @enable_ki_protection
    def look_at_the_time(self) -> None:
        """Have done what is due."""
        self.armed = inf
        self.machine.handle_timeout(current_time())
        self.carry_out()


def report(lease: Lease[Link]) -> None:
    """Tell who keeps a link for long. If warnings are errors here, this one is shown as one, and ends nothing else."""
    try:
        warn(f"a connection is out for long; it was borrowed here:\n{lease.borrower}", ResourceWarning, stacklevel=1)
    except ResourceWarning as error:
        sys.excepthook(type(error), error, error.__traceback__)


def abort_waiter(waiter: Waiter, _: RaiseCancelT) -> Abort:
    """Wait no more for a link; the task itself withdraws."""
    waiter.token = None
    return Abort.SUCCEEDED


def poll_of(connected: socket) -> Callable[[float], list[tuple[int, int]]] | None:
    """Return a function that asks whether something has come that was not read; None on systems without poll."""
    if not hasattr(select, "poll"):
        return None
    poller = select.poll()
    poller.register(connected, select.POLLIN)
    return poller.poll


async def wait_both_ways(connected: socket) -> None:
    """Wait until the socket can be read from or written to: rare, so it may cost two tasks."""

    async def wait(for_one: Callable[[socket], Awaitable[None]]) -> None:
        try:
            await for_one(connected)
        except ClosedResourceError:
            pass  # it shows in what is done next
        nursery.cancel_scope.cancel()

    try:
        async with open_nursery() as nursery:
            nursery.start_soon(wait, wait_readable)
            nursery.start_soon(wait, wait_writable)
    except BaseExceptionGroup:
        await checkpoint_if_cancelled()  # cancelled from outside: say so as trio does where there is no nursery
        raise


def _after_fork() -> None:
    close_after_fork()
    for driver in list(_drivers):
        driver.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
