"""Drive one `resp_sansio.Connection` with a socket, for any number of trio's tasks and without one of its own.

A call makes a slot and sends it at once if nothing is in flight; otherwise the first to call leaves the others one turn to add
theirs, and sends them all. Of the callers that wait, one leads: it waits for the socket, receives for all, and wakes whom it
concerns; when it leaves, by its reply, a cancellation or a timeout, it appoints another. The others are parked.

Bytes move between socket and machine without a checkpoint in between: nothing is cancelled there, and no KeyboardInterrupt
strikes. A task that is cancelled leaves nothing in the connection but a place in the order of replies, and what it did not get
rid of to the next who sends.
"""

from __future__ import annotations

import os
import select
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from inspect import isawaitable
from math import inf
from socket import socket
from typing import Final, Self
from weakref import WeakSet

import trio
from trio.lowlevel import (
    Abort,
    RaiseCancelT,
    Task,
    cancel_shielded_checkpoint,
    checkpoint,
    checkpoint_if_cancelled,
    current_task,
    current_trio_token,
    enable_ki_protection,
    notify_closing,
    reschedule,
    wait_readable,
    wait_task_rescheduled,
    wait_writable,
)

from resp_sansio import (
    Command,
    Config,
    ConnectError,
    ConnectionClosedError,
    ConnectionLost,
    ConnectionLostError,
    Fallback,
    LocalProtocolError,
    Push,
    PushReceived,
    Reply,
    RespError,
    Slot,
    SlotState,
    State,
    TimedOut,
    command_info,
    is_transient,
    new_slot,
    not_opened,
    read_credentials,
)
from resp_sansio import Connection as Machine

from ._transport import Transport, dial, until

__all__ = ["Driver", "adopted", "elsewhere"]

QUEUED: Final = SlotState.QUEUED
HANDED: Final = SlotState.HANDED
ANSWERED: Final = SlotState.ANSWERED
LOST: Final = SlotState.LOST
WAITING: Final = command_info(("next_push",))

RECEIVE: Final = 64 * 1024
"""Bytes asked of the socket at a time: enough for a thousand small replies. In a fresh process, blocks of more than 128 KiB are
mapped and unmapped by the C library each time, at more than they save on large values."""

PIECES: Final = 16
"""How many of them are received before others get their turn: 1 MiB takes about as long as a hundred turns of trio's loop."""

_drivers: Final[WeakSet[Driver]] = WeakSet()


class Driver:
    """Moves bytes between socket and machine for those who call, and parks and wakes them.

    A caller is its slot; that of `next_push` is never submitted. The `Connection` is an object of its own so that its going away
    is noticed.
    """

    __slots__ = (
        "__weakref__", "_alarm", "_closers", "_config", "_crowd", "_due", "_leader", "_listeners", "_parked", "_poller", "_pushes",
        "_run", "_stuck", "_taken", "_transport", "_watched", "core", "ended",
    )  # fmt: skip

    def __init__(self, core: Machine, transport: Transport, config: Config) -> None:
        self.core: Machine = core
        self.ended: Callable[[], None] | None = None  # to be called when it has
        self._config = config
        self._run = current_trio_token()
        self._transport = transport
        self._leader: Slot | None = None  # who waits for the socket, or was appointed and is on its way
        self._alarm = -inf  # until when the leader waits; -inf if it does not
        self._parked: dict[Slot, Task] = {}  # who sleeps until woken
        self._due = False  # somebody who has given the others a turn will send
        self._crowd = False  # several were woken together, and may well have more to ask
        self._stuck = False  # the socket takes no more for now
        self._watched = config.ping_interval is not None or config.silence_timeout is not None
        self._pushes: deque[Push] = deque()
        self._taken: trio.Event | None = (
            None  # what the leader waits for while pushes are to be taken before more is read
        )
        self._listeners: deque[Slot] = deque()
        self._closers: list[Slot] = []
        self._poller = select.poll() if hasattr(select, "poll") else None
        if self._poller is not None:
            self._poller.register(transport.socket, select.POLLIN)
        _drivers.add(self)

    @classmethod
    async def open(cls, config: Config, fallback: Fallback, *, keep_pushes: bool = True) -> Self:
        """Dial, and drive the handshake. Raises `ConnectError`. Without `keep_pushes` nobody will ask for one."""
        deadline = inf if config.connect_timeout is None else trio.current_time() + config.connect_timeout
        credentials = None
        if config.credentials is not None:
            answer: object = config.credentials()
            if isawaitable(answer):
                try:
                    with until(deadline):
                        answer = await answer
                except TimeoutError as error:
                    raise ConnectError(f"{config.address}: no credentials came in time", transient=True) from error
            credentials = read_credentials(answer)
        opening = fallback.opening()
        while True:
            core = Machine.configured(
                config,
                credentials,
                now=trio.current_time(),
                open_by=deadline,
                plain=opening.plain,
                keep_pushes=keep_pushes,
            )
            driver = cls(core, await dial(config, deadline), config)
            try:
                driver._send()
                while core.state is State.OPENING:
                    await driver._lead()
            except BaseException:
                driver.end(ConnectionClosedError("it was given up while it opened"))
                raise
            if (failure := core.not_opened()) is None:
                opening.opened()
                return driver
            if not opening.again(failure):
                raise not_opened(config, failure, core.error)

    # -- for calls ---------------------------------------------------------------------------------------------------------

    @enable_ki_protection
    async def call(self, slot: Slot, deadline: float, enter: Callable[[Slot], None] | None = None) -> RespError | None:
        """Submit the slot (or `enter` it otherwise), wait for its end, and return why it was not answered: None if it was.

        A caller that was cancelled before sends nothing. A reply that has come wins over a cancellation.
        """
        core = self.core
        try:
            if current_trio_token() is not self._run:
                raise elsewhere(slot.name)
            if self._leader is None:
                await checkpoint_if_cancelled()
                self.look()
            elif not self._due:
                await checkpoint_if_cancelled()
            slot.deadline = deadline
            (enter or core.submit)(slot)
        except RespError:
            await checkpoint()
            raise
        try:
            if not self._due:
                if core.in_flight or self._crowd:
                    await self._wait_for_others()
                self._send()
            if self._alarm != -inf and (
                deadline < self._alarm
                or self._taken is not None  # its reply is behind what was left unread
                or (self._watched and core.next_deadline() < self._alarm)
            ):
                self._rouse()
            await self._wait_for(slot)
        except BaseException:
            self.give_up(slot)
            raise
        if slot.state is ANSWERED:
            return None
        if slot.state is LOST:
            return core.error
        return core.timed_out()

    def adopt(self, slots: Iterable[tuple[Slot, float]]) -> None:
        """Submit slots, each with its deadline, for callers who come with `call` and `adopted` a moment later.

        Raises `ConnectionClosedError`.
        """
        try:
            for slot, deadline in slots:
                slot.deadline = deadline
                self.core.submit(slot)
        finally:
            self._send()

    @property
    def listened(self) -> bool:
        """Does anybody wait for a push?"""
        return bool(self._listeners)

    def submit_and_forget(self, command: Command[Reply]) -> None:
        """Send a command whose reply nobody needs; what fails here fails for those who come after, too."""
        try:
            self.core.submit(new_slot(command.args))
            self._send()
        except LocalProtocolError:
            pass

    @enable_ki_protection
    async def next_push(self, deadline: float) -> Push | RespError:
        """Return the next push, or why there is none. Cancelling this loses no push. Raises `TimeoutError` at the deadline."""
        try:
            if current_trio_token() is not self._run:
                raise elsewhere("next_push")
            await checkpoint_if_cancelled()
            if self._leader is None:
                self.look()
            if self.core.error is not None and not self._pushes:
                raise ConnectionClosedError(f"next_push: the connection has ended: {self.core.error}")
        except RespError:
            await checkpoint()
            raise
        listener = _waiter()
        self._listeners.append(listener)
        self._hand_out()
        try:
            with until(deadline):
                await self._wait_for(listener)
        finally:
            if listener in self._listeners:
                self._listeners.remove(listener)
        if listener.state is ANSWERED and isinstance(listener.reply, Push):
            self.core.push_taken()
            if self._taken is not None:
                self._rouse()
            return listener.reply
        return self.core.error or ConnectionClosedError("the connection was closed")

    async def close(self, deadline: float = -inf) -> None:
        """End when all is answered, at the deadline at the latest; this very moment if this is cancelled."""
        if self.core.error is None:
            if current_trio_token() is not self._run:
                await checkpoint()
                raise elsewhere("close")
            try:
                if deadline > trio.current_time():
                    await self._finish(deadline)
            finally:
                self.end(None)
        await checkpoint()

    def finish(self) -> None:
        """Take no more commands, and end when those under way are answered, while somebody waits for that."""
        self.core.close()
        self._report()

    async def _finish(self, deadline: float) -> None:
        self.finish()
        if self.core.error is None:
            closer = _waiter()
            self._closers.append(closer)
            with trio.CancelScope(deadline=deadline):
                await self._wait_for(closer)

    def end(self, error: RespError | None) -> None:
        """End now, for this reason."""
        self.core.abort(error)
        self._report()

    def drop(self) -> None:
        """The connection was thrown away without being closed, in whichever thread: nobody waits for its socket."""
        self._transport.socket.close()

    def forget(self) -> None:
        """In the child of a fork: the connection is the parent's, and so is what trio knows of its socket."""
        self.core.abort(ConnectionClosedError("it was opened before a fork, and belongs to the parent process"))
        descriptor = self._transport.socket.detach()
        if descriptor >= 0:  # it may have been closed before
            os.close(descriptor)

    # -- waiting -----------------------------------------------------------------------------------------------------------

    async def _wait_for_others(self) -> None:
        """Give the others a turn to add their commands, so that they go out together."""
        self._due = True
        try:
            await checkpoint()
            if self._crowd:
                await checkpoint()  # trio runs those of a turn in any order: now all that were woken have been here
        finally:
            self._due = self._crowd = False

    async def _wait_for(self, slot: Slot) -> None:
        """Wait for the slot's end, as leader or parked."""
        if slot.state is not HANDED and slot.state is not QUEUED:
            await cancel_shielded_checkpoint()
            return
        try:
            while slot.state is HANDED or slot.state is QUEUED:
                if self._leader is None or self._leader is slot:
                    self._leader = slot
                    await self._lead()
                else:
                    self._parked[slot] = current_task()
                    await wait_task_rescheduled(partial(self._abort, slot))
        finally:
            if self._leader is slot:
                self._leader = None
                if self._parked:
                    # The one that came last: its reply comes last, too, so it leads for longest.
                    self._leader, task = self._parked.popitem()
                    reschedule(task)

    def _abort(self, slot: Slot, _: RaiseCancelT) -> Abort:
        """A parked caller is cancelled."""
        del self._parked[slot]
        if slot.state is QUEUED:
            self.core.abandon(slot)  # now: when the task learns of it, another may have sent it
        return Abort.SUCCEEDED

    async def _lead(self) -> None:
        """Wait for the socket, or the machine's earliest deadline, and do what is to be done then."""
        core = self.core
        connected = self._transport.socket
        wait: Callable[[socket], Awaitable[None]]
        if not core.wants_to_receive:
            wait = wait_writable if self._stuck else self._wait_until_taken
        else:
            wait = _go_on if self._transport.pending else _wait_both_ways if self._stuck else wait_readable
        self._alarm = alarm = core.next_deadline()
        late = False
        try:
            if alarm == inf:
                await wait(connected)
            else:
                with trio.CancelScope(deadline=alarm) as scope:
                    await wait(connected)
                late = scope.cancelled_caught
        except trio.ClosedResourceError:
            pass  # roused, or closed
        finally:
            self._alarm = -inf
        if late:
            core.handle_timeout(trio.current_time())
            self._report()
        self._move(readable=not late)

    def _rouse(self) -> None:
        """Have the leader look again at what it waits for."""
        if self._alarm != -inf:
            notify_closing(self._transport.socket)
            if self._taken is not None:
                self._taken.set()

    async def _wait_until_taken(self, _: socket) -> None:
        """Wait, while nothing may be read, until pushes were taken or a caller comes."""
        self._taken = trio.Event()
        try:
            await self._taken.wait()
        finally:
            self._taken = None

    def give_up(self, slot: Slot) -> None:
        """Nobody waits for this slot any more; and who was to send for others does so now."""
        self.core.abandon(slot)
        self._report()
        if not self._due and self.core.wants_to_send:
            self._send()

    # -- bytes, and what they mean -----------------------------------------------------------------------------------------

    def look(self) -> None:
        """Before a new slot: what came, or ended, while nobody was here must not answer the next command."""
        if self._leader is not None or self.core.error is not None:
            return
        if self._poller is None or self._transport.pending or self._poller.poll(0):
            self._move(readable=True)

    @enable_ki_protection
    def _move(self, *, readable: bool) -> None:
        """Receive what is there, and send what could not be sent before."""
        if self.core.error is not None:
            return
        try:
            if readable:
                self._receive()
            if (not self._due and self.core.wants_to_send) or self._transport.unsent:
                self._send()
        except BaseException:
            self._break()
            raise

    def _receive(self) -> None:
        core, transport = self.core, self._transport
        try:
            for _ in range(PIECES):
                if not core.wants_to_receive:
                    break
                data = transport.recv(RECEIVE)
                if not data:
                    core.receive_eof()
                    break
                core.receive_data(data)
                if len(data) < RECEIVE and not transport.pending:
                    break
        except (BlockingIOError, InterruptedError):
            pass
        except OSError as error:
            if core.state is State.OPENING and not is_transient(error):
                core.abort(ConnectError(f"reading failed: {error}", transient=False))
            core.receive_eof(f"reading failed: {error}")
        self._report()

    @enable_ki_protection
    def _send(self) -> None:
        """Send what is queued, as far as it goes."""
        core, transport = self.core, self._transport
        try:
            while block := core.data_to_send():
                core.sent(transport.send(block))
            if transport.unsent:
                transport.flush()
            self._stuck = False
        except (BlockingIOError, InterruptedError):
            if not self._stuck:
                self._stuck = True
                self._rouse()
        except OSError as error:
            self._receive()  # the server may have said why, before it closed
            core.send_failed(error)
            self._report()
        except BaseException:
            self._break()
            raise

    def _break(self) -> None:
        """Bytes may have moved that the machine does not know of."""
        self.core.abort(ConnectionLostError("a call was interrupted while bytes were moving"), uncertain=True)
        self._report()

    def _report(self) -> None:
        """Hand out the machine's events."""
        parked = self._parked
        events = self.core.events()
        for event in events:
            if isinstance(event, Slot):
                task = parked.pop(event, None)
                if task is not None:
                    reschedule(task)
            elif isinstance(event, TimedOut):
                self._wake(event.slot)
            elif isinstance(event, PushReceived):
                self._pushes.append(event.push)
                self._hand_out()
            elif isinstance(event, ConnectionLost):
                self._clean_up()
        if len(events) > 1:
            self._crowd = True

    def _wake(self, slot: Slot) -> None:
        task = self._parked.pop(slot, None)
        if task is not None:
            reschedule(task)

    def _hand_out(self) -> None:
        while self._pushes and self._listeners:
            listener = self._listeners.popleft()
            listener.reply = self._pushes.popleft()
            listener.state = ANSWERED
            self._wake(listener)

    def _clean_up(self) -> None:
        """Once the machine has ended there is nothing to be sent, and nothing to wait for."""
        for waiter in (*self._listeners, *self._closers):
            waiter.state = LOST
        self._listeners.clear()
        self._closers.clear()
        for slot in list(self._parked):
            self._wake(slot)
        if self._transport.socket.fileno() >= 0:
            notify_closing(self._transport.socket)
            self._transport.socket.close()
        if self.ended is not None:
            ended, self.ended = self.ended, None
            ended()


def adopted(_: Slot) -> None:
    """Enter a slot that was submitted already."""


async def _go_on(_: socket) -> None:
    await checkpoint()


async def _wait_both_ways(connected: socket) -> None:
    """Wait until the socket can be read from or written to: rare, so it may cost two tasks."""

    async def wait(for_one: Callable[[socket], Awaitable[None]]) -> None:
        try:
            await for_one(connected)
        except trio.ClosedResourceError:
            pass  # it shows in what is done next
        nursery.cancel_scope.cancel()

    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait, wait_readable)
            nursery.start_soon(wait, wait_writable)
    except BaseExceptionGroup:
        await checkpoint_if_cancelled()  # cancelled from outside: say so as trio does where there is no nursery
        raise


def _waiter() -> Slot:
    """Return a slot for who waits for something else than a reply; it is never submitted."""
    waiter = Slot(b"", WAITING, None, inf)
    waiter.state = HANDED
    return waiter


def elsewhere(what: str, whose: str = "connection") -> LocalProtocolError:
    """Return the error for a call from another thread or run of trio."""
    return LocalProtocolError(
        f"{what}: this {whose} belongs to the run of trio that it was opened in; elsewhere, or in another thread, open another"
    )


def _after_fork() -> None:
    for driver in list(_drivers):
        driver.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
