"""A client: the commands, on shared connections where they can share and on connections of their own where they can't.

`resp_sansio` decides which is which, and what is tried again. A lane is opened when it is first needed, and again when it is lost:
by a task in the client's own nursery, so that a caller who is cancelled does not end it. Who waits for it is a slot and an event;
when it opens, all slots are sent at once, in their order.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from functools import partial
from math import inf
from random import random
from typing import Any, Final, Unpack
from weakref import WeakSet

from trio import Event, Nursery, current_time, sleep_until
from trio.lowlevel import checkpoint, current_task

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
from ._driver import Driver, adopted
from ._pool import Pool
from ._transport import until

__all__ = ["Client"]

LANE: Final = Needs.LANE
READY: Final = State.READY
PING: Final = Command("PING")
ANSWERED: Final = SlotState.ANSWERED
QUEUED: Final = SlotState.QUEUED


class Entry:
    """A caller that waits for a lane to open: its slot is sent then, by whoever opened it."""

    __slots__ = ("deadline", "driver", "error", "slot", "woken")

    def __init__(self, slot: Slot, deadline: float) -> None:
        self.slot = slot
        self.deadline = deadline
        self.woken = Event()
        self.driver: Driver | None = None  # on whose connection the slot is
        self.error: BaseException | None = None  # why it is on none


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
    """The object most programs use: `async with Client("redis://localhost") as client`, for any number of tasks.

    Their commands share one connection (`lanes` says if more), except for those that block or change a connection: these borrow
    one of their own, of `max_connections` in all. What is lost is dialled again, and what is safe to be tried again is. Nothing is
    opened before it is needed. For the options see `resp_sansio.Config`, `ClientSettings` and `PoolSettings`.

    With `max_connections=1` there is one connection for everything, and a command that blocks holds up all others.
    """

    __slots__ = (
        "__weakref__", "_breaker", "_calls", "_closed", "_ending", "_fallback", "_lane", "_lanes", "_leases", "_protocol",
        "_settings", "_shares",
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
        self._calls = 0
        self._forget()
        _clients.add(self)

    def _forget(self) -> None:
        """Begin, or begin anew in the child of a fork."""
        self._lanes = [Lane(self._settings.retry) for _ in range(self._settings.lanes)]
        self._lane = self._lanes[0] if len(self._lanes) == 1 else None
        self._shares = Lanes(self._lanes, Lane.load)
        self._nursery = None
        self._ending: set[Connection] = set()  # no lane's any more, and not everything answered

    def __repr__(self) -> str:
        return f"<{type(self).__name__} to {self._config.address}: {'closed' if self._closed else self.stats()}>"

    def _serve(self, nursery: Nursery) -> None:
        super()._serve(nursery)
        if self._leases is not None:
            self._leases._serve(nursery)

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
        deadline = current_time() + seconds_allowed(self._config, timeout)
        self._closed = True
        connections = [*self._ending, *[lane.connection for lane in self._lanes if lane.connection is not None]]
        for lane in self._lanes:
            if (connection := lane.usable()) is not None:
                connection._driver.ended = partial(lane.queue.closed, CloseReason.CLOSED)
            for entry in lane.queue.empty():
                _tell(entry, _closed(entry.slot.name))
        try:
            if deadline > current_time():
                for one in connections:
                    one._driver.finish()
            if self._leases is not None:
                await self._leases.close(timeout)
            for one in connections:
                await one._driver.close(deadline)
            await checkpoint()
        finally:  # even if this was cancelled
            for one in connections:
                one._driver.end(None)
            if self._leases is not None:
                self._leases._end()

    # -- how a call goes ---------------------------------------------------------------------------------------------------

    # This returns what another coroutine will: one of its own would cost a tenth of a call.

    def _attempt(
        self, slot: Slot, deadline: float, enter: Callable[[Slot], None] | None = None, *, again: bool = False
    ) -> Coroutine[Any, Any, RespError | None]:
        if (slot.info.needs is not LANE or slot.count > 1) and (leases := self._leases_for(slot)) is not None:
            if self._closed:
                raise _closed(slot.name)
            return leases._attempt(slot, deadline, enter, again=again)
        if self._lane is not None:
            return self._share(self._lane, slot, deadline, again)
        return self._choose(slot, deadline, again)

    async def _share(self, lane: Lane, slot: Slot, deadline: float, again: bool) -> RespError | None:
        if not again:
            self._calls += 1
            slot.token = self._calls  # trio keeps no order among those that it wakes together
        connection = lane.connection
        if connection is not None and connection._driver.core.state is READY and not self._closed:
            try:
                return await connection._call(slot, deadline)
            except ConnectionClosedError:
                if slot.state is not QUEUED:
                    raise  # not because it had ended
                # it had ended, and nobody was there to notice
        return await self._wait(lane, slot, deadline, again)

    async def _choose(self, slot: Slot, deadline: float, again: bool) -> RespError | None:
        """Keep to one lane while there are commands under way."""
        caller = current_task()
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
        if self._closed:
            raise _closed(slot.name)
        nursery = self._check_run(slot.name)
        entry = Entry(slot, deadline)
        lane.queue.enter(entry, again=again)
        if not lane.queue.dialling:
            lane.queue.dialling = True
            nursery.start_soon(self._dial, lane)
        try:
            with until(deadline):
                await entry.woken.wait()
            if entry.driver is not None:
                return await entry.driver.call(slot, deadline, adopted)
        except TimeoutError:
            self._leave(lane, entry)
            if slot.state is ANSWERED:  # it went out as the time was up, and was answered before this task had its turn
                return None
            return CommandTimeoutError(
                f"{self._config.address} could not be reached in time", outcome=Outcome.NOT_SENT, stats=self.stats()
            )
        except BaseException:
            self._leave(lane, entry)
            raise
        assert entry.error is not None
        if isinstance(entry.error, LocalProtocolError) or not isinstance(entry.error, RespError):
            raise entry.error
        return entry.error

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
                if self._nursery is not None:  # who waits for answers that nobody else waits for
                    self._nursery.start_soon(connection._driver.close, inf)
        if self._leases is not None:
            self._leases.retire()

    # -- lanes -------------------------------------------------------------------------------------------------------------

    async def _dial(self, lane: Lane) -> None:
        queue = lane.queue
        try:
            await sleep_until(queue.not_before)
            with nullcontext() if self._breaker is None else self._breaker.dial(current_time):
                driver = await Driver.open(self._config, self._fallback, keep_pushes=False)
        except BaseException as error:  # a provider of credentials may raise anything, and whoever waits is to know
            queue.dialling = False
            cancelled = not isinstance(error, Exception)
            for entry in queue.failed(error, current_time(), random()):
                _tell(entry, _closed(entry.slot.name) if cancelled else error)
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
        entries = sorted(queue.succeeded(), key=_place)
        try:
            driver.adopt((entry.slot, entry.deadline) for entry in entries)
        except ConnectionClosedError as error:  # so soon
            for entry in entries:
                if entry.slot.state is QUEUED:
                    _tell(entry, ConnectError(str(error), transient=True))
        for entry in entries:
            if entry.error is None:
                entry.driver = driver
                entry.woken.set()


def _place(entry: Entry) -> int:
    """Whose call was made first goes first."""
    place = entry.slot.token
    assert isinstance(place, int)
    return place


def _tell(entry: Entry, error: BaseException) -> None:
    entry.error = error
    entry.woken.set()


def _closed(what: str) -> ConnectionClosedError:
    return ConnectionClosedError(f"{what} was not sent: the client was closed")


_clients: Final[WeakSet[Client]] = WeakSet()


def _after_fork() -> None:
    for client in list(_clients):
        client._forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
