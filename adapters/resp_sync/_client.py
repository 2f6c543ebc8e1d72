"""A client: the commands, on connections that all callers share where that is possible, and on a lease where it is not.

A lane is one connection, and after it is lost another. Whoever finds none opens it, on its own thread, while the others who
come sleep; when it is open each sends its own command. Which of them is first is as open as between threads that share a
connection, so nobody's slot waits in a queue: only those who sleep are known.

As in the pool, a caller that waits or opens a lane is `here` for as long as it says so, whatever interrupt sends it away.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from random import random
from threading import Lock, RLock, get_ident
from time import monotonic, sleep
from typing import Final, Self, Unpack
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
from ._driver import NAP, Driver
from ._pool import Pool
from ._transport import Transport

__all__ = ["Client"]

LANE: Final = Needs.LANE
READY: Final = State.READY
QUEUED: Final = SlotState.QUEUED
PING: Final = Command("PING")


class Entry:
    """A caller that waits for a lane to open, or opens it."""

    __slots__ = ("bed", "failure", "here", "thread")

    def __init__(self) -> None:
        self.here = True
        self.thread = get_ident()
        self.failure: Exception | None = None  # that of a dial that it waited for
        self.bed = Lock()
        self.bed.acquire()

    def wake(self) -> None:
        """To be called under the client's lock."""
        if self.bed.locked():
            self.bed.release()


class Lane:
    """One connection after another, who opens the next, and who waits for it. To be used under the client's lock."""

    __slots__ = ("connection", "dialler", "queue")

    def __init__(self, retry: Retry) -> None:
        self.connection: Connection | None = None
        self.dialler: Entry | None = None
        self.queue = Queue[Entry](retry)

    def usable(self) -> Connection | None:
        """Return the connection, if there is one that takes commands."""
        if self.connection is not None and self.connection.closed:
            self.leave(CloseReason.LOST)
        return self.connection

    def leave(self, reason: CloseReason) -> Connection | None:
        """The connection is not the lane's any more; return it."""
        connection, self.connection = self.connection, None
        if connection is not None:
            self.queue.closed(reason)
        return connection

    def load(self) -> int:
        """How many wait for a reply, or to be sent."""
        connection = self.usable()
        return self.queue.waiting if connection is None else connection._driver.core.in_flight

    def stats(self) -> LaneStats:
        """Return what the lane has counted."""
        connection = self.usable()
        return self.queue.stats(None if connection is None else connection._driver.core.stats())


class Client(Retrying):
    """The object most programs use: `with Client("redis://localhost") as client`, for any number of threads.

    Their commands share one connection (`lanes` says if more), except for those that block or change a connection: these borrow
    one of their own, of `max_connections` in all. What is lost is dialled again, and what is safe to be tried again is. Nothing is
    opened before it is needed. For the options see `resp_sansio.Config`, `ClientSettings` and `PoolSettings`. After a fork, the
    child's client is as new.

    With `max_connections=1` there is one connection for everything, and a command that blocks holds up all others.
    """

    __slots__ = (
        "__weakref__", "_breaker", "_closed", "_ending", "_fallback", "_lane", "_lanes", "_leases", "_lock", "_opening",
        "_protocol", "_settings", "_shares",
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
        self._lock = RLock() if self._leases is None else self._leases._lock  # one for both, as the breaker is
        self._lanes = [Lane(self._settings.retry) for _ in range(self._settings.lanes)]
        self._lane = self._lanes[0] if len(self._lanes) == 1 else None
        self._shares = Lanes(self._lanes, Lane.load)
        self._opening: set[Transport] = set()
        self._ending: dict[Connection, None] = {}  # no lane's any more, and perhaps not everything answered

    def __repr__(self) -> str:
        return f"<{type(self).__name__} to {self._config.address}: {'closed' if self._closed else self.stats()}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # -- for callers -------------------------------------------------------------------------------------------------------

    def acquire(self, *, timeout: float | None | Default = DEFAULT) -> AbstractContextManager[Connection]:
        """Borrow a connection for a `with` block, as from a `Pool`.

        Raises `LocalProtocolError` if this client has none to lend, and as `Pool.acquire`.
        """
        if self._leases is None:
            raise LocalProtocolError(
                "acquire: this client keeps no connections to lend; raise max_connections, or use connect()"
            )
        return self._leases.acquire(timeout=timeout)

    def stats(self) -> ClientStats:
        """Return what the client has counted."""
        with self._lock:
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

    def close(self, timeout: float | None = 0.0) -> None:
        """Take no new calls, wait so many seconds (None: any time) for those under way, and end what is left. Idempotent."""
        deadline = monotonic() + seconds_allowed(self._config, timeout)
        with self._lock:
            self._closed = True
            for lane in self._lanes:
                if lane.usable() is not None and (connection := lane.leave(CloseReason.CLOSED)) is not None:
                    self._ending[connection] = None
                for entry in lane.queue.empty():
                    entry.wake()
        for transport in list(self._opening):
            transport.shut_down()
        ending = list(self._ending)
        if deadline > monotonic():
            for connection in ending:
                connection._driver.finish()
        if self._leases is not None:
            self._leases.close(None if timeout is None else max(deadline - monotonic(), 0.0))
        for connection in ending:
            connection._driver.close(deadline)
            self._ending.pop(connection, None)

    # -- how a call goes ---------------------------------------------------------------------------------------------------

    def _attempt(
        self, slot: Slot, deadline: float, enter: Callable[[Slot], None] | None = None, *, again: bool = False
    ) -> RespError | None:
        if (slot.info.needs is not LANE or slot.count > 1) and (leases := self._leases_for(slot)) is not None:
            if self._closed:
                raise _closed(slot.name)
            return leases._attempt(slot, deadline, enter, again=again)
        if (lane := self._lane) is not None:
            return self._share(lane, slot, deadline, again)
        caller = get_ident()
        with self._lock:
            lane = self._shares.take(caller)
        try:
            return self._share(lane, slot, deadline, again)
        finally:
            with self._lock:
                self._shares.leave(caller)

    def _share(self, lane: Lane, slot: Slot, deadline: float, again: bool) -> RespError | None:
        connection = lane.connection
        if connection is not None and connection._driver.core.state is READY and not self._closed:
            try:
                return connection._driver.call(slot, deadline)
            except ConnectionClosedError:
                if slot.state is not QUEUED:
                    raise  # not because it had ended
                # it had ended before anything was sent
        found = self._open(lane, slot.name, deadline, again)
        if isinstance(found, RespError):
            return found
        try:
            return found._driver.call(slot, deadline)
        except ConnectionClosedError as error:  # so soon
            if slot.state is not QUEUED:
                raise  # not because it had ended
            if self._closed:
                raise _closed(slot.name) from None
            return ConnectError(str(error), transient=True)

    def _leases_for(self, slot: Slot) -> Pool | None:
        """Return the pool, for a slot that takes a lease. Raises as `route`."""
        return self._leases if route(slot, leases=self._leases is not None) is Route.LEASE else None

    def _paces(self, slot: Slot, cause: RespError, attempt: int) -> bool:
        return Queue.paces(cause, attempt) and self._leases_for(slot) is None

    def _alone(self, deadline: float) -> AbstractContextManager[Connection]:
        if self._leases is not None:
            return self._leases._alone(deadline)
        lane = self._lanes[0]
        while (shared := lane.connection) is None or shared.closed:
            slot = new_slot(PING.args)
            failure = self._share(lane, slot, deadline, again=False)
            if failure is not None:
                raise slot.failure(failure)
        return nullcontext(shared)

    def _elsewhere(self) -> None:
        with self._lock:
            left = [lane.leave(CloseReason.RETIRED) for lane in self._lanes if lane.usable() is not None]
            ending = {connection: None for connection in [*self._ending, *left] if connection and not connection.closed}
            self._ending = ending
        for connection in list(ending):
            connection._driver.finish()  # what is under way is answered, and nothing new goes there
        if self._leases is not None:
            self._leases.retire()

    # -- lanes -------------------------------------------------------------------------------------------------------------

    def _open(self, lane: Lane, what: str, deadline: float, again: bool) -> Connection | RespError:
        """Return the lane's connection, opened by this caller if by no other, or why there is none.

        Raises what a dial raised that no `RespError` is.
        """
        entry = Entry()
        try:
            result = self._find(lane, entry, what, deadline, again)
        finally:
            entry.here = False
            self._leave(lane, entry)
        if result is None:
            return CommandTimeoutError(
                f"{self._config.address} could not be reached in time", outcome=Outcome.NOT_SENT, stats=self.stats()
            )
        if isinstance(result, LocalProtocolError) or not isinstance(result, (Connection, RespError)):
            raise result
        return result

    def _find(self, lane: Lane, entry: Entry, what: str, deadline: float, again: bool) -> Connection | Exception | None:
        """Return the lane's connection, or why it could not be opened; None if there was no time."""
        while True:
            with self._lock:
                if self._closed:
                    raise _closed(what)
                if (connection := lane.usable()) is not None:
                    return connection
                if entry.failure is not None:
                    return entry.failure  # each has a number of attempts of its own, and this was one
                lane.queue.enter(entry, again=again)
                dialler = lane.dialler
                if dialler is None or not dialler.here:
                    lane.dialler = dialler = entry
                elif dialler.thread == entry.thread:
                    raise LocalProtocolError(
                        "this thread is already opening a connection of this client: a signal handler must not use it"
                    )
            if dialler is entry:
                return self._dial(lane, what, deadline)
            left = deadline - monotonic()
            if left <= 0:
                return None
            entry.bed.acquire(timeout=min(left, NAP))

    def _leave(self, lane: Lane, entry: Entry) -> None:
        """Wait no more; whoever was to open the lane and did not leaves that to another."""
        with self._lock:
            lane.queue.leave(entry)
            if lane.dialler is entry:
                lane.dialler = None
                for other in lane.queue.empty():
                    other.wake()

    def _dial(self, lane: Lane, what: str, deadline: float) -> Connection | Exception | None:
        """Open the lane when its time has come, and tell those who wait. Returns as `_find`."""
        pause = min(lane.queue.not_before, deadline) - monotonic()
        if pause > 0:
            sleep(pause)
        if monotonic() >= deadline:
            return None
        try:
            driver = self._dial_if_allowed(deadline)
        except Exception as error:  # noqa: BLE001  # a provider of credentials may raise anything, and whoever waits is to know
            if self._closed:
                raise _closed(what) from None
            if isinstance(error, ConnectError) and monotonic() >= deadline:
                return None  # what this caller's own deadline cut short says nothing of the server
            with self._lock:
                for entry in lane.queue.failed(error, monotonic(), random()):
                    entry.failure = error
                    entry.wake()
            return error
        connection = Connection(self._config, driver)
        try:
            with self._lock:
                if self._closed:
                    raise _closed(what)
                self._protocol = connection.protocol
                lane.connection = connection
                for entry in lane.queue.succeeded():
                    entry.wake()
        except BaseException:
            connection.close()
            raise
        return connection

    def _dial_if_allowed(self, deadline: float) -> Driver:
        breaker = self._breaker
        if breaker is None:
            return Driver.open(self._config, self._fallback, deadline, self._opening, keep_pushes=False)
        with self._lock:
            breaker.check(monotonic())
        try:
            driver = Driver.open(self._config, self._fallback, deadline, self._opening, keep_pushes=False)
        except BaseException as error:
            with self._lock:
                if isinstance(error, Exception) and monotonic() < deadline:
                    breaker.failed(monotonic())
                else:
                    breaker.gave_up(monotonic())
            raise
        with self._lock:
            breaker.succeeded()
        return driver


def _closed(what: str) -> ConnectionClosedError:
    return ConnectionClosedError(f"{what} was not sent: the client was closed")


_clients: Final[WeakSet[Client]] = WeakSet()


def _after_fork() -> None:
    for client in list(_clients):
        client._forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
