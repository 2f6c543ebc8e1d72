"""Carry out one client machine in one run of trio: calls, dials, callers parked and woken. Nothing is decided here.

A call submits its slot and waits for its end, all in its own task. If nothing is in flight on its link it sends at once; otherwise
the first to call leaves the others one turn to add theirs, and sends them all. It is cancelled at no other moment than while it
waits, and leaves nothing behind but a place in the order of replies.

Dials, and the reading of links that owe replies to no caller, are work beside the calls. A connection of `connect` has none of that
once it is open, so any task may hold it, for as long as it likes; nothing happens on it while no caller waits.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine
from functools import partial
from importlib import import_module
from random import random
from socket import socket
from typing import Any, Final

from trio import CancelScope, Event, current_time, sleep
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
    wait_task_rescheduled,
)

from resp_sansio import LocalProtocolError
from resp_sansio.client import Dial, Link, Listener, forks_wait, tls_of
from resp_sansio.connection import Slot, SlotState
from resp_sansio.surface.tasks import Caller, DriverBase, Heardable, Loan, ask_for_credentials

from ._clock import Clock, clock_of_the_run
from ._guarded import guarded
from ._socket import Socket, socket_of, wake
from ._transport import close_after_fork, dial, shut, until
from ._work import Work

__all__ = ["Driver"]

QUEUED: Final = SlotState.QUEUED
HANDED: Final = SlotState.HANDED


@guarded
class Driver(DriverBase):
    """What carries out the machine of a client, a pool or a connection."""

    __slots__ = ("_clock", "_run", "_several", "parked", "work")

    checkpoint: Final = staticmethod(checkpoint)
    current_task: Final = staticmethod(current_task)
    pause: Final = staticmethod(sleep)
    wake: Final = staticmethod(wake)

    def begin(self) -> None:
        """Begin, or begin anew in the child of a fork."""
        self.begin_with(random, current_time)
        self._several = self.machine.several_lanes
        self._run: TrioToken | None = None
        self._clock = Clock()  # one that does not go, until this is opened
        self.work: Work = Work()
        self.parked: dict[Caller, Task] = {}  # those on no link

    # -- for calls -----------------------------------------------------------------------------------------------------------

    async def call(self, slot: Slot, lease: Loan | None = None, epoch: int | None = None) -> None:
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

    def _begin(self, slot: Slot, lease: Loan | None, epoch: int | None) -> Coroutine[Any, Any, None]:
        """Begin a call, and return what waits for its end."""
        if current_trio_token() is not self._run:
            self.check(slot.name)
        machine, now = self.machine, self.now()
        lane, loan = machine.lane, lease
        if lane is None and lease is None:
            loan, lane = machine.way_of(slot, now)
        link: Link | None = loan.connection if loan is not None else None if lane is None else lane.link
        looked: Socket | None = None
        sent: bool | None = None
        if link is not None and link.io is not None:
            io: Socket = link.io
            if not io.due and (io.leader is None or not link.core.in_flight):
                looked = io
                io.look()  # before it is submitted: if the connection has ended meanwhile, the call is refused
            if epoch is None:
                sent = io.start(slot, now, loan)
        if sent is None:
            if loan is not lease:
                machine.take_back(slot, now)
            caller = current_task() if self._several else None
            while lease is None and (idle := machine.idle_link(caller, slot)) is not None and idle.io is not looked:
                looked = idle.io
                looked.look()  # as above; if it has ended, another is next
            link = machine.submit(slot, now, caller=caller, lease=lease, epoch=epoch)
        elif sent:
            link = None
        if (sent is None or loan is not lease) and (events := machine.events()):
            self.carry_out(events)
        if slot.deadline < self.armed:
            self._clock.arm(self, slot.deadline)
        return self.wait_for(slot, link, looked)

    async def finish(self, slot: Slot) -> None:
        """Wait for the end of a call that was begun ahead, or give it up. What has come in time counts, however late it is read."""
        self.check(slot.name)
        try:
            await checkpoint_if_cancelled()
            link: Link | None = slot.link
            if link is not None:
                link.io.look_first()
            await self.wait_for(slot)
        except BaseException:
            self.give_up(slot)
            raise

    def give_up(self, slot: Slot) -> None:
        """The caller of this slot has gone. If it was to send for others, that is done now."""
        link: Link | None = slot.link
        super().give_up(slot)
        if link is not None and not link.ended:
            if link.wire.wants_to_send:
                link.io.wants_to_send()
            else:
                link.io.appoint()

    def release(self, lease: Loan) -> None:
        """Give a link back."""
        super().release(lease)
        lease.connection.io.appoint()

    async def listen(self, what: Heardable, deadline: float) -> Any:
        """Wait for what comes unasked: of a link the next push. Raises as `Client.listen`, and why nothing comes."""
        await checkpoint_if_cancelled()
        listener = Listener(what, deadline=deadline)
        try:
            self.check("listen")
            io = socket_of(listener)
            if io is not None:
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
            if (io := socket_of(listener)) is not None:
                io.appoint()
            raise
        return listener.result()

    async def catch_up(self) -> None:
        """Let others have their turn, and take in what has come."""
        await checkpoint()
        self.check("get")
        for link in self.machine.lane_links:
            link.io.look_first()

    def check(self, what: str) -> None:
        """See that this is the run of trio, and the block, that it belongs to. Raises `LocalProtocolError`."""
        if self.machine.closed is not None or current_trio_token() is self._run:
            return
        if self._run is None:
            raise LocalProtocolError(
                f"{what}: use a {self.whose.capitalize()} by `async with`: it works in a nursery of its own"
            )
        raise self.elsewhere(what, "run of trio")

    # -- callers that wait -----------------------------------------------------------------------------------------------------

    async def wait_for(self, caller: Caller, link: Link | None = None, looked: Socket | None = None) -> None:
        """Wait, as leader or parked, until the machine is done with it. A reply that has come wins over a cancellation.

        First send what the call has put on its link; `looked`: what had come there was read.
        """
        if link is not None:
            sending: Socket = link.io
            if not sending.due:
                if link.core.in_flight or sending.crowd:
                    await sending.give_others_a_turn()
                    looked = None  # it was before that
                if sending is not looked:
                    sending.look_first()
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
                if link is not None and link.due < self.armed:
                    self._clock.arm(self, link.due)  # the clock kept still while no caller waited
                if (
                    io is not None
                    and (io.leader is None or io.leader is caller)
                    and (io.stuck or io.core.wants_to_receive)
                ):
                    io.leader, caller.token = caller, io
                    await io.lead()
                else:
                    if io is not None and io.leader is caller:
                        io.leader = None  # pushes are to be taken before more is read
                    caller.token = place = self.parked if io is None else io.parked
                    place[caller] = current_task()
                    await wait_task_rescheduled(partial(self._abort, caller))
                    leads: Any = caller.token  # a socket, if it was appointed there
                    io = io if leads is None else leads
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

    # -- beginning, and the end ------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Begin the work beside the calls, and dial what is to be open before it is needed."""
        if self._run is not None:
            await checkpoint()
            raise LocalProtocolError(f"a {self.whose.capitalize()} is entered once, and this one has been")
        await self.work.open()
        self._run = current_trio_token()
        self.now = current_clock().current_time  # quicker
        self._clock = clock_of_the_run()
        self.machine.open(self.now())
        self.carry_out()

    async def leave(self) -> None:
        """End the work beside the calls."""
        await self.work.leave()
        self.parked = self.parked or {}  # an emptied one keeps the room that it had

    async def close(self, deadline: float) -> None:
        """Take no new calls, wait until the deadline for those under way, and end what is left."""
        if self.machine.closed is None or self.machine.links:
            self.check("close")
            try:
                if self.work.is_open and deadline > current_time() and self.machine.closed is None:
                    self.drained = Event()
                    self.machine.drain(current_time())
                    self.carry_out()
                    with CancelScope(deadline=deadline):
                        await self.drained.wait()
            finally:
                self.end()
        await checkpoint()

    def end(self) -> None:
        """End everything now."""
        self.machine.close(current_time())
        self.carry_out()
        self.work.end()
        self._clock.disarm(self)

    def drop(self) -> None:
        """The connection was thrown away without being closed, in whichever thread: no caller waits for its socket."""
        for link in self.machine.links:
            link.io.shut()

    def detach_after_fork(self) -> None:
        """In the child of a fork: what is open is the parent's, and so is what trio knows of it."""
        close_after_fork()
        self.disown(0.0)

    # -- what the machine says -------------------------------------------------------------------------------------------------

    def soon(self, report: Callable[[], None]) -> None:
        """Call this once all else is carried out."""
        if self._run is not None:  # else it is of what was open before a fork
            self._run.run_sync_soon(report)

    def dial(self, wanted: Dial) -> None:
        """Begin to open a socket, beside the calls."""
        self.work.start(self._dial, wanted)

    async def _dial(self, wanted: Dial) -> None:
        connected: socket | None = None
        try:
            credentials = await ask_for_credentials(wanted.config, until(wanted.deadline))
            tls = tls_of(wanted.config, import_module)
            connected = await dial(wanted)
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

    # -- time --------------------------------------------------------------------------------------------------------------------

    def arm(self, deadline: float) -> None:
        """See that the clock goes off at this time or before."""
        self._clock.arm(self, deadline)

    def look_at_the_time(self) -> None:
        """Have done what is due; on a connection without a nursery only if a caller waits, which arms the clock again."""
        if self.work.is_open or any([link.io.leader or link.io.parked for link in self.machine.links]):
            self.machine.handle_timeout(self.now())
            self.carry_out()


if hasattr(os, "register_at_fork"):
    forks_wait(os.register_at_fork)
