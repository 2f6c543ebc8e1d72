"""Carry out one client machine on one event loop: bytes, one timer, futures. Nothing is decided here.

A call submits its slot and awaits a future. If nothing is in flight on its link the command is written at once; otherwise it goes
out with all others of this turn of the loop. The bytes that come are read in the transport's own callback, which resolves the
futures. A dial is a task of the driver's, so a caller that is cancelled does not end it.

Everything happens on the loop's thread and nothing of it awaits, so there is no lock. A task that is cancelled abandons its slot:
nothing of it is left but a place in the order of replies.
"""

from __future__ import annotations

import asyncio
import os
from asyncio import Future
from collections.abc import Callable
from contextvars import Context
from math import inf
from random import random
from threading import get_ident
from time import monotonic
from typing import Any, Final
from weakref import WeakSet

from resp_sansio import ConnectError, LocalProtocolError
from resp_sansio.client import (
    Client,
    ClientEvent,
    Close,
    Dial,
    Drained,
    Granted,
    Heard,
    Leaked,
    Link,
    Listener,
    Look,
    Refused,
    Report,
    forks_wait,
)
from resp_sansio.connection import Slot, SlotState
from resp_sansio.surface.tasks import Heardable, Loan, Make, ask_for_credentials

from ._transport import Socket, dial, hand_over, tls_of, until

__all__ = ["Driver"]

QUEUED: Final = SlotState.QUEUED
HANDED: Final = SlotState.HANDED

_drivers: Final[WeakSet[Driver]] = WeakSet()


class Driver:
    """What carries out the machine of a client, a pool or a connection; `make` makes the machine, anew in the child of a fork."""

    __slots__ = (
        "__weakref__", "_make", "_tasks", "_thread", "_timer", "armed", "drained", "loop", "machine", "now", "whose",
    )  # fmt: skip

    armed: float  # when the timer goes off

    def __init__(self, make: Make, whose: str) -> None:
        self.whose: str = whose
        self._make = make
        self.begin()
        _drivers.add(self)

    def begin(self) -> None:
        """Begin, or begin anew in the child of a fork."""
        self.machine: Client = self._make(random)
        self.now: Callable[[], float] = monotonic
        self.loop: asyncio.AbstractEventLoop | None = None
        self.drained: asyncio.Future[None] | None = None
        self._thread = 0
        self.armed = inf
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: list[asyncio.Task[None]] = []  # an empty set takes three times as much

    # -- for calls -------------------------------------------------------------------------------------------------------------

    async def call(self, slot: Slot, lease: Loan | None = None, epoch: int | None = None) -> None:
        """Make a call: when this returns it has ended, when it raises it was given up, or never began."""
        loop = self.loop
        if loop is None or get_ident() != self._thread or not loop.is_running():
            loop = self.check(slot.name)
        machine = self.machine
        waiter: asyncio.Future[None] = Future(loop=loop)  # faster than by `create_future`, and than by `Future[None]`
        slot.token = waiter
        now = monotonic()
        # Where each call has a link of its own, one that is idle is lent to it.
        loan = machine.lend_to(slot, now) if lease is None and machine.lane is None else lease
        lane = machine.lane
        if loan is None and lane is None:
            lane = machine.lane_of(slot)
        link: Link | None = loan.connection if loan is not None else None if lane is None else lane.link
        started = link is not None and epoch is None and link.io.start(slot, now, loan)
        if not started:
            if loan is not lease:
                machine.take_back(slot, now)
            caller = asyncio.current_task() if machine.several_lanes else None
            looked: Link | None = None
            while lease is None and (idle := machine.idle_link(caller, slot)) is not looked and idle is not None:
                if not (idle.core.wants_to_receive and idle.io.has_more()):
                    break
                looked = idle  # once: a server may never stop
                try:
                    for _ in range(2):
                        await asyncio.sleep(0)  # behind its reading it may have ended, and then another is next
                except BaseException:
                    machine.abandon(slot, now)  # it says that nothing was sent
                    raise
            link = machine.submit(slot, now, caller=caller, lease=lease, epoch=epoch)
            if link is not None:
                link.io.wants_to_send()
        if (not started or loan is not lease) and (events := machine.events()):
            self.carry_out(events)
        # Behind the flush: uvloop calls what is due at once in the order in which it was told.
        if slot.deadline < self.armed:
            self.arm(slot.deadline)
        try:
            await waiter
        except BaseException:
            self.give_up(slot)
            raise

    def ahead(self, slot: Slot, lease: Loan | None = None) -> None:
        """Begin a call, for whose end a caller may wait later."""
        slot.token = self.check(slot.name).create_future()
        machine = self.machine
        caller = asyncio.current_task() if machine.several_lanes else None
        link = machine.submit(slot, monotonic(), caller=caller, lease=lease)
        if link is not None:
            link.io.wants_to_send()
        self.carry_out()

    async def finish(self, slot: Slot) -> None:
        """Wait for the end of a call that was begun ahead, or give it up."""
        self.check(slot.name)
        if slot.state is QUEUED or slot.state is HANDED:
            waiter: Any = slot.token
            try:
                await waiter
            except BaseException:
                self.give_up(slot)
                raise

    def give_up(self, slot: Slot) -> None:
        """The caller of this slot has gone."""
        if self.loop is None or self.loop.is_closed():
            return  # and its tasks are being thrown away
        self.machine.abandon(slot, monotonic())
        self.carry_out()

    async def acquire(self, deadline: float, borrower: str | None = None, at: Any = None) -> Loan:
        """Wait for a link of one's own. Raises as `Client.acquire`, and why there is none."""
        loop, machine, now = self.check("acquire"), self.machine, monotonic()
        lease = machine.lend(now, borrower, None, at)
        if lease is not None and not lease.connection.io.has_more():
            events = machine.events()
            if events or borrower is not None:  # which is to be reported at some time
                self.carry_out(events)
            return lease
        waiter = machine.acquire(None, now, deadline=deadline, borrower=borrower, held=lease, at=at)
        self.carry_out()
        if waiter.lease is None and waiter.error is None:
            waiter.token = woken = loop.create_future()
            await self._woken(woken, lambda: machine.withdraw(waiter, monotonic()))
        return waiter.result()

    def release(self, lease: Loan) -> None:
        """Give a link back."""
        self.machine.release(lease, monotonic())
        self.carry_out()

    async def listen(self, what: Heardable, deadline: float) -> Any:
        """Wait for what comes unasked: of a link the next push. Raises as `Client.listen`, and why nothing comes."""
        loop, machine = self.check("listen"), self.machine
        woken = loop.create_future()
        listener = Listener(what, woken, deadline=deadline)
        machine.listen(listener)
        self.carry_out()
        await self._woken(woken, lambda: machine.stop_listening(listener))
        return listener.result()

    async def _woken(self, woken: asyncio.Future[None], give_up: Callable[[], None]) -> None:
        """Wait until the machine wakes this caller, or give up."""
        try:
            await woken
        except BaseException:
            if not woken.get_loop().is_closed():  # else its tasks are being thrown away
                give_up()
                self.carry_out()
            raise

    def change(self, name: str, what: Callable[[Client, float], object]) -> None:
        """Change something of the machine's, and carry out what follows."""
        self.check(name)
        what(self.machine, monotonic())
        self.carry_out()

    async def catch_up(self) -> None:
        """Let the others have their turn; what has come is read by then, or in the next turn."""
        self.check("get")
        await asyncio.sleep(0)
        for link in self.machine.lane_links:
            for _ in range(2):
                if link.core.wants_to_receive and link.io.has_more():
                    await asyncio.sleep(0)

    async def pause(self, seconds: float) -> None:
        """Let this time pass."""
        await asyncio.sleep(seconds)

    async def open(self) -> None:
        """Dial what is to be open before it is needed."""
        self.change(self.whose, lambda machine, now: machine.open(now))

    async def leave(self) -> None:
        """There is nothing to end: the loop goes on."""

    async def checkpoint(self) -> None:
        """Nothing asks for one here."""

    def check(self, what: str) -> asyncio.AbstractEventLoop:
        """Belong to the event loop that first uses this, and return it. Raises `LocalProtocolError` in another."""
        if self.loop is None:
            self.loop, self._thread = asyncio.get_running_loop(), get_ident()
        elif get_ident() != self._thread or not self.loop.is_running():
            raise LocalProtocolError(
                f"{what}: this {self.whose} belongs to the event loop that it was opened in; elsewhere, or in another thread,"
                " open another"
            )
        return self.loop

    # -- the end -----------------------------------------------------------------------------------------------------------------

    async def close(self, deadline: float) -> None:
        """Take no new calls, wait until the deadline for those under way, end what is left, and wait for the sockets' end."""
        loop = self.loop
        if loop is None:
            self.machine.close(monotonic())
            return
        if self.machine.closed is not None and not self.machine.links and not self._tasks:
            return
        self.check("close")
        try:
            if deadline > monotonic() and self.machine.closed is None:
                self.drained = loop.create_future()
                self.machine.drain(monotonic())
                self.carry_out()
                await asyncio.wait([self.drained], timeout=None if deadline == inf else deadline - monotonic())
        finally:
            ended = self.end()
        await asyncio.gather(*self._tasks, *ended, return_exceptions=True)

    def end(self) -> list[asyncio.Future[None]]:
        """End everything now, and return the futures of the sockets' ends."""
        ends = [link.io.closed() for link in self.machine.links if link.io is not None]
        self.machine.close(monotonic())
        self.carry_out()
        for task in self._tasks:
            task.cancel()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return [end for end in ends if end is not None]

    def drop(self) -> None:
        """The client was thrown away without being closed, in whichever thread."""
        if self.loop is not None and not self.loop.is_closed() and (self.machine.links or self._tasks):
            self.loop.call_soon_threadsafe(self.end)

    def detach_after_fork(self) -> None:
        """In the child everything that is open is the parent's."""
        machine = self.machine
        for link in machine.links:
            if link.io is not None:
                link.io.detach_after_fork()
        machine.disown()
        machine.close(monotonic(), "it was opened before a fork, and belongs to the parent process")
        if not machine.once:
            self.begin()

    # -- what the machine says ----------------------------------------------------------------------------------------------------

    def carry_out(self, events: list[ClientEvent] | None = None) -> None:
        """Carry out these events, or all there are, and those that follow; see that the timer goes off in time."""
        machine = self.machine
        if events is None:
            events = machine.events()
        while events:
            for event in events:
                if isinstance(event, Slot):
                    waiter: Any = event.token
                    if not waiter.done():
                        waiter.set_result(None)
                else:
                    self._tell(event)
            events = machine.events()
        due = machine.next_deadline()
        if due < self.armed:
            self.arm(due)

    def _tell(self, event: ClientEvent) -> None:
        match event:
            case Link():
                if event.io is not None:
                    event.io.wants_to_send()
            case Dial():
                assert self.loop is not None
                task = self.loop.create_task(self._dial(event), context=Context())
                self._tasks.append(task)
                task.add_done_callback(self._tasks.remove)
            case Look(link):
                link.io.look(link)
            case Granted(waiter) | Refused(waiter) | Heard(waiter):
                woken: Any = waiter.token
                if woken is not None and not woken.done():
                    woken.set_result(None)
            case Close(link):
                if link.io is not None:
                    link.io.close()
            case Drained():
                if self.drained is not None and not self.drained.done():
                    self.drained.set_result(None)
            case Leaked(lease):
                assert self.loop is not None
                self.loop.call_soon(lease.report)  # work first, then tell
            case Report(report):
                if self.loop is not None:  # else it is of what was open before a fork
                    self.loop.call_soon(report, context=Context())

    async def _dial(self, wanted: Dial) -> None:
        machine = self.machine
        link: Link | None = None
        failure: Exception | None = None
        opened = False
        try:
            credentials, tls = await self._credentials(wanted), tls_of(wanted.config)
            connected = await dial(wanted)
            try:
                link = machine.connected(wanted, monotonic(), credentials, tls)
                link.io = Socket(link, self.carry_out)
                await hand_over(connected, link.io)
                opened = True
            except BaseException:
                connected.close()
                raise
        except Exception as error:  # noqa: BLE001  # a provider of credentials may raise anything, and its callers are to know
            failure = error
        finally:
            if link is None:
                machine.dial_failed(wanted, failure, monotonic())
            elif not opened:
                link.io.connection_lost(failure)  # its socket is closed, and the loop may not say so
            self.carry_out()

    async def _credentials(self, wanted: Dial) -> tuple[str | None, str | bytes] | None:
        """Ask the provider, if there is one. Raises as `ask_for_credentials`."""
        try:
            return await ask_for_credentials(wanted.config, until(wanted.deadline))
        except asyncio.CancelledError as error:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            why = f"{wanted.config.address}: the provider of credentials was cancelled"
            raise ConnectError(why, transient=True) from error

    # -- time ----------------------------------------------------------------------------------------------------------------------

    def arm(self, deadline: float) -> None:
        """See that the timer goes off at this time or before."""
        if self._timer is not None:
            self._timer.cancel()
        self.armed = deadline
        assert self.loop is not None
        # Not the caller's context: what it holds would live as long as the timer.
        self._timer = self.loop.call_later(max(deadline - monotonic(), 0.0), self._look_at_the_time, context=Context())

    def _look_at_the_time(self) -> None:
        self._timer = None
        self.armed = inf
        self.machine.handle_timeout(monotonic())
        self.carry_out()


def _after_fork() -> None:
    for driver in list(_drivers):
        driver.detach_after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
    forks_wait(os.register_at_fork)
