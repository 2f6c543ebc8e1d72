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
from contextlib import suppress
from contextvars import Context
from importlib import import_module
from math import inf
from random import random
from threading import get_ident
from time import monotonic
from typing import Any, Final

from resp_sansio import ConnectError
from resp_sansio.client import ClientEvent, Dial, Link, Listener, forks_wait, tls_of
from resp_sansio.connection import Slot, SlotState
from resp_sansio.surface.tasks import Caller, DriverBase, Heardable, Loan, ask_for_credentials

from ._transport import Socket, dial, hand_over, until

__all__ = ["Driver"]

QUEUED: Final = SlotState.QUEUED
HANDED: Final = SlotState.HANDED


class Driver(DriverBase):
    """What carries out the machine of a client, a pool or a connection."""

    __slots__ = ("_tasks", "_thread", "_timer", "loop")

    current_task: Final = staticmethod(asyncio.current_task)
    pause: Final = staticmethod(asyncio.sleep)

    def begin(self) -> None:
        """Begin, or begin anew in the child of a fork."""
        self.begin_with(random, monotonic)
        self.loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: tuple[asyncio.Task[None], ...] = ()  # few at a time, and an empty tuple takes nothing

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
        lane, loan = machine.lane, lease
        if lane is None and lease is None:
            loan, lane = machine.way_of(slot, now)
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

    async def finish(self, slot: Slot) -> None:
        """Wait for the end of a call that was begun ahead, or give it up."""
        self.check(slot.name)
        try:
            await self.wait_for(slot)
        except BaseException:
            self.give_up(slot)
            raise

    async def listen(self, what: Heardable, deadline: float) -> Any:
        """Wait for what comes unasked: of a link the next push. Raises as `Client.listen`, and why nothing comes."""
        self.check("listen")
        listener = Listener(what, deadline=deadline)
        self.machine.listen(listener)
        self.carry_out()
        try:
            await self.wait_for(listener)
        except BaseException:
            self.machine.stop_listening(listener)
            self.carry_out()
            raise
        return listener.result()

    async def wait_for(self, caller: Caller) -> None:
        """Wait until the machine is done with it."""
        if caller.state is QUEUED or caller.state is HANDED:
            assert self.loop is not None
            caller.token = woken = self.loop.create_future()
            await woken

    def wake(self, caller: Caller) -> None:
        """The machine is done with it: wake the task that waits, if one does."""
        woken: Any = caller.token
        if woken is not None and not woken.done():
            woken.set_result(None)

    async def catch_up(self) -> None:
        """Let the others have their turn; what has come is read by then, or in the next turn."""
        self.check("get")
        await asyncio.sleep(0)
        for link in self.machine.lane_links:
            for _ in range(2):
                if link.core.wants_to_receive and link.io.has_more():
                    await asyncio.sleep(0)

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
            raise self.elsewhere(what, "event loop")
        return self.loop

    # -- the end -----------------------------------------------------------------------------------------------------------------

    async def close(self, deadline: float) -> None:
        """Take no new calls, wait until the deadline for those under way, end what is left, and wait for the sockets' end."""
        if self.loop is None:
            self.machine.close(monotonic())
            return
        if self.machine.closed is not None and not self.machine.links and not self._tasks:
            return
        self.check("close")
        try:
            if deadline > monotonic() and self.machine.closed is None:
                self.drained = drained = asyncio.Event()
                self.machine.drain(monotonic())
                self.carry_out()
                with suppress(TimeoutError):
                    async with until(deadline):
                        await drained.wait()
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
        """In the child of a fork: what is open is the parent's."""
        for link in self.machine.links:
            if link.io is not None:
                link.io.detach_after_fork()
        self.disown(monotonic())

    # -- what the machine says ----------------------------------------------------------------------------------------------------

    def carry_out(self, events: list[ClientEvent] | None = None) -> None:
        """Carry out these events, or all there are, and those that follow."""
        if self.loop is not None and not self.loop.is_closed():  # else its tasks are being thrown away
            super().carry_out(events)

    def soon(self, report: Callable[[], None]) -> None:
        """Call this once all else is carried out."""
        if self.loop is not None:  # else it is of what was open before a fork
            self.loop.call_soon(report, context=Context())

    def dial(self, wanted: Dial) -> None:
        """Begin to open a socket, in a task of its own."""
        assert self.loop is not None
        task = self.loop.create_task(self._dial(wanted), context=Context())
        self._tasks = (*self._tasks, task)
        task.add_done_callback(self._dialled)

    def _dialled(self, task: asyncio.Task[None]) -> None:
        self._tasks = tuple([other for other in self._tasks if other is not task])

    async def _dial(self, wanted: Dial) -> None:
        machine = self.machine
        link: Link | None = None
        failure: Exception | None = None
        opened = False
        try:
            credentials, tls = await self._credentials(wanted), tls_of(wanted.config, import_module)
            connected = await dial(wanted)
            try:
                link = machine.connected(wanted, monotonic(), credentials, tls)
                link.io = Socket(link, self)
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


if hasattr(os, "register_at_fork"):
    forks_wait(os.register_at_fork)
