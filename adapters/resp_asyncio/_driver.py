"""Drive one `resp_sansio.Connection` with a transport of asyncio's, for any number of tasks and without one of its own.

A call makes a slot and gets a future for it. If nothing is in flight the command is written at once; otherwise it goes out with
all others of this turn of the loop. What comes is read in the transport's own callback, which resolves the futures.

Everything happens on the loop's thread and nothing of it awaits, so there is no lock. A task that is cancelled abandons its
slot: nothing of it is left in the connection but a place in the order of replies.
"""

from __future__ import annotations

import asyncio
import os
import select
from collections import deque
from collections.abc import Callable
from functools import partial
from inspect import isawaitable
from math import inf
from threading import get_ident
from time import monotonic
from typing import Any, Final, Self, cast
from weakref import WeakKeyDictionary, WeakSet

from resp_sansio import (
    Command,
    Config,
    ConnectError,
    ConnectionClosedError,
    ConnectionLost,
    Event,
    Fallback,
    LocalProtocolError,
    Opened,
    Push,
    PushReceived,
    Reply,
    RespError,
    Slot,
    SlotState,
    State,
    TimedOut,
    is_transient,
    new_slot,
    not_opened,
    read_credentials,
)
from resp_sansio import Connection as Machine

from ._transport import dial, until

__all__ = ["Driver", "elsewhere"]

LOST: Final = SlotState.LOST

RECEIVE: Final = 256 * 1024
"""Bytes received at a time at most, into a buffer that all connections of a loop share: it is empty again before the next turn."""

HAND_OVER: Final = 64 * 1024
"""Bytes given to the transport at a time. What it keeps counts as sent, so it gets no more before that has gone."""

_buffers: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, memoryview]] = WeakKeyDictionary()
_drivers: Final[WeakSet[Driver]] = WeakSet()


class Driver(asyncio.BufferedProtocol):
    """What the loop knows of a connection: it moves bytes between transport and machine, and wakes those whom replies concern.

    Waiters are futures. They get what came, or the `RespError` that is why nothing will: results both, so that one whom nobody
    awaits any more is not missed. The `Connection` is an object of its own so that its going away is noticed.
    """

    __slots__ = (
        "__weakref__", "_armed", "_buffer", "_call_soon", "_closers", "_config", "_listeners", "_loop", "_paused", "_pings",
        "_poll", "_pushes", "_reading", "_scheduled", "_thread", "_timer", "_transport", "core", "ended", "opened",
    )  # fmt: skip

    def __init__(self, loop: asyncio.AbstractEventLoop, core: Machine, config: Config) -> None:
        self.core: Machine = core
        self.ended: Callable[[], None] | None = None  # to be called when it has
        self.opened: asyncio.Future[None] = loop.create_future()
        self._config = config
        self._loop = loop
        self._thread = get_ident()
        self._call_soon = loop.call_soon
        if loop not in _buffers:
            _buffers[loop] = memoryview(bytearray(RECEIVE))
        self._buffer = _buffers[loop]
        self._transport: asyncio.Transport | None = None
        self._poll: Callable[[float], list[tuple[int, int]]] | None = None  # has something come that was not read yet?
        self._paused = True  # the transport takes no more for now
        self._reading = True  # and gives what it has; else pushes are to be taken first
        self._scheduled = False  # `flush` will be called in this turn of the loop
        self._armed = inf  # when the timer goes off
        self._timer: asyncio.TimerHandle | None = None
        self._pings = config.ping_interval is not None
        self._pushes: deque[Push] = deque()
        self._listeners: deque[asyncio.Future[Push | RespError]] = deque()
        self._closers: list[asyncio.Future[None]] = []
        _drivers.add(self)

    @classmethod
    async def open(cls, config: Config, fallback: Fallback, *, keep_pushes: bool = True) -> Self:
        """Dial, and drive the handshake. Raises `ConnectError`. Without `keep_pushes` nobody will ask for one."""
        deadline = inf if config.connect_timeout is None else monotonic() + config.connect_timeout
        credentials = None
        if config.credentials is not None:
            answer: object = config.credentials()
            if isawaitable(answer):
                try:
                    async with until(deadline):
                        answer = await answer
                except asyncio.CancelledError as error:
                    if (task := asyncio.current_task()) is not None and task.cancelling():
                        raise
                    raise ConnectError(
                        f"{config.address}: who gives credentials was cancelled", transient=True
                    ) from error
                except TimeoutError as error:
                    raise ConnectError(f"{config.address}: no credentials came in time", transient=True) from error
            credentials = read_credentials(answer)
        opening = fallback.opening()
        while True:
            core = Machine.configured(
                config, credentials, now=monotonic(), open_by=deadline, plain=opening.plain, keep_pushes=keep_pushes
            )
            driver = cls(asyncio.get_running_loop(), core, config)
            try:
                await dial(config, partial(_itself, driver), deadline)
                await driver.opened
            except BaseException:
                driver.end(ConnectionClosedError("it was given up while it opened"))
                raise
            if (failure := core.not_opened()) is None:
                opening.opened()
                return driver
            if not opening.again(failure):
                raise not_opened(config, failure, core.error)

    # -- for calls ---------------------------------------------------------------------------------------------------------

    def submit(
        self,
        slot: Slot,
        deadline: float,
        enter: Callable[[Slot], None] | None = None,
        waiter: asyncio.Future[Any] | None = None,
    ) -> asyncio.Future[Any]:
        """Submit the slot (or `enter` it otherwise), and return the future of its reply: `waiter`, or a new one.

        A caller that stops waiting says so by `give_up`. If the slot is not ANSWERED then, the result is the error that is why.
        """
        if get_ident() != self._thread or not self._loop.is_running():
            raise elsewhere(slot.name)
        slot.deadline = deadline
        (enter or self.core.submit)(slot)
        if waiter is None:
            waiter = asyncio.Future(loop=self._loop)  # faster than by `create_future`
        slot.token = waiter
        if not self._scheduled:
            if self.core.in_flight:
                self._scheduled = True
                self._call_soon(self.flush)
            elif self._poll is not None and self._poll(0):
                # What nobody asked for must not answer this; the turn after the next one is behind its reading.
                self._scheduled = True
                self._call_soon(self._call_soon, self.flush)
            else:
                self.flush()
        if deadline < self._armed:
            self._arm(deadline)  # behind the flush: uvloop calls what is due at once in the order in which it was told
        return waiter

    @property
    def listened(self) -> bool:
        """Does anybody wait for a push?"""
        return bool(self._listeners)

    def submit_and_forget(self, command: Command[Reply]) -> None:
        """Send a command whose reply nobody needs; what fails here fails for those who come after, too."""
        try:
            self.submit(new_slot(command.args), inf)
        except LocalProtocolError:
            pass

    def give_up(self, slot: Slot) -> None:
        """Nobody waits for this slot any more."""
        if self._loop.is_closed():
            return  # and its tasks are being thrown away
        self.core.abandon(slot)
        self._report()

    def listen(self) -> asyncio.Future[Push | RespError]:
        """Return the future of the next push; a caller that stops waiting says so by `take_back`."""
        if get_ident() != self._thread or not self._loop.is_running():
            raise elsewhere("next_push")
        if self.core.error is not None and not self._pushes:
            raise ConnectionClosedError(f"next_push: the connection has ended: {self.core.error}")
        waiter: asyncio.Future[Push | RespError] = self._loop.create_future()
        self._listeners.append(waiter)
        self._hand_out()
        return waiter

    def taken(self) -> None:
        """A push has reached its caller."""
        self.core.push_taken()
        if not self._reading:
            self._read_on()

    def take_back(self, waiter: asyncio.Future[Push | RespError]) -> None:
        """Nobody waits for this push any more: it is the next one's."""
        if waiter in self._listeners:
            self._listeners.remove(waiter)
        elif not waiter.cancelled() and isinstance(push := waiter.result(), Push):
            self._pushes.appendleft(push)
            self._hand_out()

    async def close(self, deadline: float = -inf) -> None:
        """End when all is answered, at the deadline at the latest, and wait until the transport has closed its socket."""
        if self._transport is None:
            return
        if get_ident() != self._thread or not self._loop.is_running():
            raise elsewhere("close")
        closer: asyncio.Future[None] = self._loop.create_future()
        self._closers.append(closer)
        if deadline > monotonic():
            self.finish()
            await asyncio.wait([closer], timeout=None if deadline == inf else deadline - monotonic())
        self.end(None)
        await closer

    def finish(self) -> None:
        """Take no more commands, and end when those under way are answered."""
        self.core.close()
        self._report()

    def end(self, error: RespError | None) -> None:
        """End now, for this reason."""
        self.core.abort(error)
        self._report()

    def drop(self) -> None:
        """The connection was thrown away without being closed, in whichever thread."""
        if self._transport is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._transport.abort)

    def forget(self) -> None:
        """In the child of a fork: the connection is the parent's."""
        self.core.abort(ConnectionClosedError("it was opened before a fork, and belongs to the parent process"))
        self._transport = None  # to end it would tell the loop's selector, which the parent shares

    # -- for the loop ------------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        self._paused = False
        if hasattr(select, "poll"):
            poller = select.poll()
            poller.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
            self._poll = poller.poll
        # It tells of every byte that it has to keep (at once, if TLS has some; that compares by >=), and when there are none.
        self._transport.set_write_buffer_limits(high=1, low=0)
        self.flush()
        self._arm(self.core.next_deadline())

    def get_buffer(self, _sizehint: int) -> memoryview:
        """Where to put what comes."""
        return self._buffer

    def buffer_updated(self, count: int) -> None:
        """Something has come."""
        core = self.core
        core.receive_data(bytes(self._buffer[:count]))
        events = core.events()
        for event in events:
            if isinstance(event, Slot):
                waiter: Any = event.token
                if not waiter.done():
                    waiter.set_result(event.reply)
            else:
                self._tell(event)
        # Several wake up now, and may well have more to ask: what they send goes out behind the last of them.
        if not self._scheduled and (len(events) > 1 or core.wants_to_send):
            self._scheduled = True
            self._call_soon(self.flush)
        if self._pings:
            self._arm(core.next_deadline())  # nothing may be owed any more, so that the next PING has a time

    def eof_received(self) -> None:
        """The peer sends no more."""
        self.core.receive_eof()
        self._report()

    def connection_lost(self, error: Exception | None) -> None:
        """The transport has ended; the socket is closed when this returns."""
        core = self.core
        if core.error is None:
            if core.state is State.OPENING and isinstance(error, OSError) and not is_transient(error):
                core.abort(ConnectError(f"the connection failed: {error}", transient=False))
            core.receive_eof(*([f"the connection failed: {error}"] if error else []))
        self._report()
        self._transport = None
        for closer in self._closers:
            if not closer.done():
                closer.set_result(None)

    def pause_writing(self) -> None:
        """The transport keeps bytes that the socket does not take."""
        self._paused = True

    def resume_writing(self) -> None:
        """The socket has taken them all."""
        if self.core.error is None:
            self._paused = False
            self.flush()

    def flush(self) -> None:
        """Hand over what is queued, as far as it goes."""
        self._scheduled = False
        core, transport = self.core, self._transport
        while not self._paused and transport is not None and (block := core.data_to_send()):
            if len(block) > HAND_OVER:
                if transport.is_closing():
                    break
                block = memoryview(block)[:HAND_OVER]
            core.sent(len(block))  # before, because `write` may call `resume_writing`
            transport.write(block)
        if not self._reading:
            self._read_on()  # a reply is behind what was left unread
        if self._pings or self._armed == inf:  # a timer that is set asks the core when it goes off
            self._arm(core.next_deadline())

    # -- what follows ------------------------------------------------------------------------------------------------------

    def _report(self) -> None:
        """Hand out the machine's events."""
        for event in self.core.events():
            if isinstance(event, Slot):
                _wake(event, event.reply)
            else:
                self._tell(event)

    def _tell(self, event: Event) -> None:
        match event:
            case PushReceived():
                self._pushes.append(event.push)
                self._hand_out()
                if self._reading and not self.core.wants_to_receive:
                    self._pause()
            case TimedOut():
                _wake(event.slot, self.core.timed_out())
            case Opened():
                if not self.opened.done():
                    self.opened.set_result(None)
            case ConnectionLost():
                for slot in event.unanswered:
                    if slot.state is LOST:  # this is told again and again, and by now it may be on another connection
                        _wake(slot, event.error)
                self._clean_up()

    def _clean_up(self) -> None:
        """Once the machine has ended there is nothing to be sent, and nothing to wait for."""
        self._paused = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self.opened.done():
            self.opened.set_result(None)
        self._hand_out()
        if self._transport is not None:
            self._transport.abort()
        if self.ended is not None:
            ended, self.ended = self.ended, None
            ended()

    def _hand_out(self) -> None:
        while self._listeners and (self._pushes or self.core.error is not None):
            waiter = self._listeners.popleft()
            if not waiter.done():
                error = self.core.error
                waiter.set_result(self._pushes.popleft() if self._pushes or error is None else error)

    def _pause(self) -> None:
        """Leave what comes to TCP until pushes were taken."""
        if self._transport is not None and not self._transport.is_closing():
            self._reading = False
            self._transport.pause_reading()

    def _read_on(self) -> None:
        if self.core.wants_to_receive and self._transport is not None and not self._transport.is_closing():
            self._reading = True
            self._transport.resume_reading()

    # -- time --------------------------------------------------------------------------------------------------------------

    def _arm(self, deadline: float) -> None:
        """See that the timer goes off at this time or before."""
        if deadline >= self._armed or self.core.error is not None:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._armed = deadline
        self._timer = self._loop.call_later(max(deadline - monotonic(), 0.0), self._look_at_the_time)

    def _look_at_the_time(self) -> None:
        self._timer = None
        self._armed = inf
        self.core.handle_timeout(monotonic())
        self._report()
        self.flush()
        self._arm(self.core.next_deadline())


def _wake(slot: Slot, result: Reply | RespError) -> None:
    waiter = slot.token
    if isinstance(waiter, asyncio.Future) and not waiter.done():
        waiter.set_result(result)


def _itself(driver: Driver) -> Driver:
    """What asyncio wants a function for: it dials for the driver that there is."""
    return driver


def elsewhere(what: str, whose: str = "connection") -> LocalProtocolError:
    """Return the error for a call from another thread or event loop."""
    return LocalProtocolError(
        f"{what}: this {whose} belongs to the event loop that it was opened in; elsewhere, or in another thread, open another"
    )


def _after_fork() -> None:
    for driver in list(_drivers):
        driver.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
