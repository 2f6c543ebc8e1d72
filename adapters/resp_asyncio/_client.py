"""A client: the commands, on shared connections where they can share and on connections of their own where they can't.

`resp_sansio` decides which is which, and what is tried again. A lane is opened when it is first needed, and again when it is lost:
by a task of the client's, so that a caller who is cancelled does not end it. Who waits for it is a slot and a future, as on a
connection; when it opens, all of them are sent at once, in their order.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from functools import partial
from random import random
from threading import get_ident
from time import monotonic
from typing import Any, Final, Self, Unpack
from weakref import WeakSet

from resp_sansio import (
    DEFAULT,
    ClientOptions,
    ClientStats,
    CloseReason,
    Command,
    CommandTimeoutError,
    ConnectError,
    ConnectionClosedError,
    Default,
    Fallback,
    Lanes,
    LaneStats,
    LocalProtocolError,
    Needs,
    Outcome,
    RespError,
    Retry,
    Route,
    Slot,
    SlotState,
    Spoken,
    State,
    new_slot,
    read_client_options,
    route,
    seconds_allowed,
)
from resp_sansio import Lane as Queue

from ._commands import Retrying
from ._connection import Connection
from ._driver import Driver, elsewhere
from ._pool import Pool
from ._transport import until

__all__ = ["Client"]

LANE: Final = Needs.LANE
READY: Final = State.READY
PING: Final = Command("PING")
LOST: Final = SlotState.LOST
ANSWERED: Final = SlotState.ANSWERED


class Entry:
    """A caller that waits for a lane to open: its slot is sent then, by whoever opened it."""

    __slots__ = ("deadline", "driver", "slot", "waiter")

    def __init__(self, slot: Slot, deadline: float, waiter: asyncio.Future[Any]) -> None:
        self.slot = slot
        self.deadline = deadline
        self.waiter = waiter
        self.driver: Driver | None = None  # on whose connection the slot is


class Lane:
    """One connection after another, and who waits for the next."""

    __slots__ = ("connection", "queue")

    def __init__(self, retry: Retry) -> None:
        self.connection: Connection | None = None
        self.queue = Queue[Entry](retry)

    def usable(self) -> Connection | None:
        """Return the connection, if there is one that has not ended."""
        connection = self.connection
        return None if connection is None or connection._driver.core.error is not None else connection

    def load(self) -> int:
        """How many wait for a reply, or to be sent."""
        connection = self.usable()
        return self.queue.waiting if connection is None else connection._driver.core.in_flight

    def stats(self) -> LaneStats:
        """Return what the lane has counted."""
        connection = self.usable()
        return self.queue.stats(None if connection is None else connection._driver.core.stats())


class Client(Retrying):
    """The object most programs use: `async with Client("redis://localhost") as client`, for all tasks of one event loop.

    Their commands share one connection (`lanes` says if more), except for those that block or change a connection: these borrow
    one of their own, of `max_connections` in all. What is lost is dialled again, and what is safe to be tried again is. Nothing is
    opened before it is needed. For the options see `resp_sansio.Config`, `ClientSettings` and `PoolSettings`.

    With `max_connections=1` there is one connection for everything, and a command that blocks holds up all others.
    """

    __slots__ = (
        "__weakref__", "_breaker", "_closed", "_ending", "_fallback", "_lane", "_lanes", "_leases", "_loop", "_protocol",
        "_settings", "_shares", "_tasks", "_thread",
    )  # fmt: skip

    def __init__(self, url: str = "redis://localhost", **options: Unpack[ClientOptions]) -> None:
        """Raises `ValueError` or `TypeError` for a wrong URL or option."""
        config, self._settings, pool = read_client_options(url, options)
        super().__init__(config, self._settings.retry)
        self._breaker = pool.breaker()
        self._fallback = Fallback()
        self._leases = Pool._of(config, pool, self._breaker, self._fallback) if self._settings.leases else None
        self._protocol: Spoken = config.protocol
        self._closed = False
        self._forget()
        _clients.add(self)

    def _forget(self) -> None:
        """Begin, or begin anew in the child of a fork."""
        self._lanes = [Lane(self._settings.retry) for _ in range(self._settings.lanes)]
        self._lane = self._lanes[0] if len(self._lanes) == 1 else None
        self._shares = Lanes(self._lanes, Lane.load)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._ending: set[Connection] = set()  # no lane's any more, and not everything answered

    def __repr__(self) -> str:
        return f"<{type(self).__name__} to {self._config.address}: {'closed' if self._closed else self.stats()}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    # -- for callers -------------------------------------------------------------------------------------------------------

    def acquire(self, *, timeout: float | None | Default = DEFAULT) -> AbstractAsyncContextManager[Connection]:
        """Borrow a connection for an `async with` block, as from a `Pool`.

        Raises `LocalProtocolError` if this client has none to lend, and as `Pool.acquire`.
        """
        if self._leases is None:
            raise LocalProtocolError(
                "acquire: this client keeps no connections to lend; raise max_connections, or use connect()"
            )
        return self._leases.acquire(timeout=timeout)

    def stats(self) -> ClientStats:
        """Return what the client has counted."""
        return ClientStats(
            lanes=[lane.stats() for lane in self._lanes],
            leases=None if self._leases is None else self._leases.stats(),
            retries=self._retries,
        )

    @property
    def protocol(self) -> Spoken:
        """As of a `Connection`; as configured before one was opened."""
        return self._protocol

    @property
    def closed(self) -> bool:
        """Is it closed, or closing?"""
        return self._closed

    async def close(self, timeout: float | None = 0.0) -> None:
        """Take no new calls, wait so many seconds (None: any time) for those under way, and end what is left. Idempotent."""
        deadline = monotonic() + seconds_allowed(self._config, timeout)
        if self._loop is not None and (get_ident() != self._thread or not self._loop.is_running()):
            raise elsewhere("close", "client")
        self._closed = True
        connections = [*self._ending, *[lane.connection for lane in self._lanes if lane.connection is not None]]
        leases = [] if self._leases is None else [self._leases.close(timeout)]
        for lane in self._lanes:
            if (connection := lane.usable()) is not None:
                connection._driver.ended = partial(lane.queue.closed, CloseReason.CLOSED)
            for entry in lane.queue.empty():  # here: a dial that has not begun, and never will, tells nobody
                if not entry.waiter.done():
                    entry.waiter.set_result(_closed(entry.slot.name))
        for task in self._tasks:
            task.cancel()
        try:
            await asyncio.gather(
                *self._tasks, *leases, *[one._driver.close(deadline) for one in connections], return_exceptions=True
            )
        finally:  # even if this was cancelled
            for one in connections:
                one._driver.end(None)
            if self._leases is not None:
                self._leases._end()

    # -- how a call goes ---------------------------------------------------------------------------------------------------

    # These two return what another coroutine will: one of their own would cost a tenth of a call.

    def _attempt(
        self, slot: Slot, deadline: float, enter: Callable[[Slot], None] | None = None, *, again: bool = False
    ) -> Coroutine[Any, Any, RespError | None]:
        if (slot.info.needs is not LANE or slot.count > 1) and (leases := self._leases_for(slot)) is not None:
            self._check_loop(slot.name)
            return leases._attempt(slot, deadline, enter, again=again)
        if self._lane is not None:
            return self._share(self._lane, slot, deadline, again)
        return self._choose(slot, deadline, again)

    def _share(self, lane: Lane, slot: Slot, deadline: float, again: bool) -> Coroutine[Any, Any, RespError | None]:
        connection = lane.connection
        if connection is not None and connection._driver.core.state is READY and not self._closed:
            return connection._call(slot, deadline)
        return self._wait(lane, slot, deadline, again)

    async def _choose(self, slot: Slot, deadline: float, again: bool) -> RespError | None:
        """Keep to one lane while there are commands under way."""
        caller = asyncio.current_task()
        lane = self._shares.take(caller)
        try:
            return await self._share(lane, slot, deadline, again)
        finally:
            self._shares.leave(caller)

    def _leases_for(self, slot: Slot) -> Pool | None:
        """Return the pool, for a slot that takes a lease. Raises as `route`."""
        return self._leases if route(slot, leases=self._leases is not None) is Route.LEASE else None

    def _paces(self, slot: Slot, cause: RespError, attempt: int) -> bool:
        return Queue.paces(cause, attempt) and self._leases_for(slot) is None

    async def _wait(self, lane: Lane, slot: Slot, deadline: float, again: bool) -> RespError | None:
        """Wait for the lane to open, and then for the slot's end."""
        loop = self._check_loop(slot.name)
        entry = Entry(slot, deadline, loop.create_future())
        lane.queue.enter(entry, again=again)
        self._see_to(lane)
        try:
            async with until(deadline):
                result: Any = await entry.waiter
        except TimeoutError:
            result = CommandTimeoutError(
                f"{self._config.address} could not be reached in time", outcome=Outcome.NOT_SENT, stats=self.stats()
            )
            if entry.driver is not None:
                result = entry.driver.core.timed_out()
            self._leave(lane, entry)
        except BaseException:
            self._leave(lane, entry)
            raise
        if slot.state is ANSWERED:
            return None
        if not isinstance(result, RespError) or (isinstance(result, LocalProtocolError) and slot.state is not LOST):
            raise result
        return result

    def _check_loop(self, what: str) -> asyncio.AbstractEventLoop:
        """Belong to the event loop that first uses this. Raises `LocalProtocolError` in another, and once closed."""
        if self._closed:
            raise _closed(what)
        if self._loop is None:
            self._loop, self._thread = asyncio.get_running_loop(), get_ident()
        elif get_ident() != self._thread or not self._loop.is_running():
            raise elsewhere(what, "client")
        return self._loop

    def _leave(self, lane: Lane, entry: Entry) -> None:
        lane.queue.leave(entry)
        if entry.driver is not None:
            entry.driver.give_up(entry.slot)

    @asynccontextmanager
    async def _alone(self, deadline: float) -> AsyncGenerator[Connection]:
        if self._leases is not None:
            async with self._leases._alone(deadline) as connection:
                yield connection
            return
        lane = self._lanes[0]
        while (shared := lane.connection) is None or shared._driver.core.state is not READY:
            slot = new_slot(PING.args)
            failure = await self._share(lane, slot, deadline, again=False)
            if failure is not None:
                raise slot.failure(failure) from failure.__cause__
        yield shared

    def _elsewhere(self) -> None:
        for lane in self._lanes:
            if (connection := lane.usable()) is not None:
                lane.queue.closed(CloseReason.RETIRED)
                self._ending.add(connection)
                connection._driver.ended = partial(self._ending.discard, connection)
                connection._driver.finish()  # what is under way is answered, and nothing new goes there
        if self._leases is not None:
            self._leases.retire()

    # -- lanes -------------------------------------------------------------------------------------------------------------

    def _see_to(self, lane: Lane) -> None:
        """See that a connection is on its way for those who wait."""
        if not lane.queue.dialling:
            lane.queue.dialling = True
            task = asyncio.get_running_loop().create_task(self._dial(lane))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _dial(self, lane: Lane) -> None:
        queue = lane.queue
        try:
            await asyncio.sleep(max(queue.not_before - monotonic(), 0.0))
            with nullcontext() if self._breaker is None else self._breaker.dial(monotonic):
                driver = await Driver.open(self._config, self._fallback, keep_pushes=False)
        except BaseException as error:  # a provider of credentials may raise anything, and whoever waits is to know
            queue.dialling = False
            cancelled = not isinstance(error, Exception)
            for entry in queue.failed(error, monotonic(), random()):
                if not entry.waiter.done():
                    entry.waiter.set_result(_closed(entry.slot.name) if cancelled else error)
            if cancelled:
                raise
            return
        queue.dialling = False
        if self._closed:
            driver.end(None)
            return
        lane.connection = Connection(self._config, driver)
        driver.ended = partial(queue.closed, CloseReason.LOST)
        self._protocol = driver.core.protocol
        for entry in queue.succeeded():
            if entry.waiter.done():
                continue
            try:
                driver.submit(entry.slot, entry.deadline, waiter=entry.waiter)
                entry.driver = driver
            except ConnectionClosedError as error:  # so soon
                entry.waiter.set_result(ConnectError(str(error), transient=True))


def _closed(what: str) -> ConnectionClosedError:
    return ConnectionClosedError(f"{what} was not sent: the client was closed")


_clients: Final[WeakSet[Client]] = WeakSet()


def _after_fork() -> None:
    for client in list(_clients):
        client._forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
