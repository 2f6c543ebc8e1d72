"""A pool: the commands, each on a connection of its own while it lasts, and at most so many of them.

`resp_sansio.Pool` decides who gets which connection, what to open and what to close. This carries it out: a dial is a task in
the pool's own nursery, so that a caller who is cancelled does not end it; another one there keeps the time.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from math import inf
from random import random
from typing import Final, Self, Unpack
from warnings import warn
from weakref import WeakSet, ref

from trio import CancelScope, Event, Nursery, current_time
from trio.lowlevel import checkpoint

from resp_sansio import (
    DEFAULT,
    Breaker,
    Close,
    CloseReason,
    Command,
    CommandTimeoutError,
    Config,
    ConnectError,
    ConnectionClosedError,
    Default,
    Dial,
    Fallback,
    Granted,
    Leaked,
    Lease,
    LocalProtocolError,
    Needs,
    PoolOptions,
    PoolSettings,
    PoolState,
    PoolStats,
    Refused,
    ReplyError,
    RespError,
    Slot,
    SlotState,
    Spoken,
    Waiter,
    WatchLoop,
    read_pool_options,
    route,
    seconds_allowed,
)
from resp_sansio import Pool as Machine

from ._commands import Retrying
from ._connection import Connection, Leased
from ._driver import Driver

__all__ = ["Pool"]

PING: Final = Command("PING")
LANE: Final = Needs.LANE
QUEUED: Final = SlotState.QUEUED


class Pool(Retrying):
    """Connections for any number of tasks, `max_size` of them at most: `async with Pool("redis://localhost", max_size=20) as pool`.

    `execute`, `pipeline` and `transaction` borrow one for as long as they take; `acquire` lends one for longer. Nothing is opened
    before it is needed, `min_size` excepted, which `async with` opens. For the options see `resp_sansio.Config` and
    `resp_sansio.PoolSettings`. After a fork, the child's pool is empty.
    """

    __slots__ = (
        "__weakref__", "_armed", "_breaker", "_drained", "_fallback", "_machine", "_protocol", "_settings", "_sooner",
    )  # fmt: skip

    def __init__(self, url: str = "redis://localhost", **options: Unpack[PoolOptions]) -> None:
        """Raises `ValueError` or `TypeError` for a wrong URL or option."""
        config, settings = read_pool_options(url, options)
        self._begin(config, settings, settings.breaker(), Fallback())

    @classmethod
    def _of(cls, config: Config, settings: PoolSettings, breaker: Breaker | None, fallback: Fallback) -> Self:
        pool = cls.__new__(cls)
        pool._begin(config, settings, breaker, fallback)
        return pool

    def _begin(self, config: Config, settings: PoolSettings, breaker: Breaker | None, fallback: Fallback) -> None:
        super().__init__(config, settings.retry)
        self._settings = settings
        self._breaker = breaker
        self._fallback = fallback
        self._protocol: Spoken = config.protocol
        self._forget()
        _pools.add(self)

    def _forget(self) -> None:
        """Begin, or begin anew in the child of a fork."""
        self._machine = Machine[Connection](
            self._settings, breaker=self._breaker, peer=self._config.address, owed=_owed
        )
        self._nursery = None
        self._armed = inf  # until when `_keep_time` sleeps
        self._sooner = Event()
        self._drained = Event()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} to {self._config.address}: {self._machine!r}>"

    def _serve(self, nursery: Nursery) -> None:
        super()._serve(nursery)
        nursery.start_soon(self._keep_time)

    # -- for callers -------------------------------------------------------------------------------------------------------

    def acquire(self, *, timeout: float | None | Default = DEFAULT) -> AbstractAsyncContextManager[Connection]:
        """Borrow a connection for an `async with` block; `timeout` is for getting one. First come, first served.

        What is done to it stays: one that was changed (by SELECT, SUBSCRIBE ...) is closed when it comes back, a WATCH is ended.

        Raises `CommandTimeoutError`, `ConnectError`, `PoolFullError`, `ConnectionClosedError`.
        """
        return Borrowed(self, seconds_allowed(self._config, timeout))

    def stats(self) -> PoolStats:
        """Return what the pool has counted."""
        return self._machine.stats(self._retries)

    @property
    def protocol(self) -> Spoken:
        """As of a `Connection`; as configured before one was opened."""
        return self._protocol

    @property
    def closed(self) -> bool:
        """Is it closed, or closing?"""
        return self._machine.state is not PoolState.OPEN

    def resize(self, max_size: int, min_size: int | None = None) -> None:
        """Change the bounds. What is too much is closed, borrowed connections when they come back."""
        self._machine.resize(current_time(), max_size=max_size, min_size=min_size)
        self._carry_out()

    def retire(self) -> None:
        """Let all connections go that are open now, borrowed ones when they come back."""
        self._machine.retire(current_time())
        self._carry_out()

    async def close(self, timeout: float | None = 0.0) -> None:
        """Take no new callers, wait so many seconds (None: any time) for the borrowed connections, and end what is left.

        Idempotent.
        """
        deadline = current_time() + seconds_allowed(self._config, timeout)
        try:
            if timeout != 0.0 and self._nursery is not None and self._machine.state is not PoolState.CLOSED:
                self._machine.drain(current_time())
                self._carry_out()
                with CancelScope(deadline=deadline):
                    await self._drained.wait()
        finally:
            self._end()
        await checkpoint()

    def _end(self) -> None:
        """End everything now."""
        self._machine.close(current_time())
        self._carry_out()

    # -- how a call goes ---------------------------------------------------------------------------------------------------

    async def _attempt(
        self, slot: Slot, deadline: float, enter: Callable[[Slot], None] | None = None, *, again: bool = False
    ) -> RespError | None:
        if slot.info.needs is not LANE or slot.count > 1:
            route(slot)  # refuses what a borrowed connection would forget
        while True:
            lease = await self._lease(slot.name, deadline, first=again)
            if isinstance(lease, RespError):
                return lease
            try:
                return await lease.connection._call(slot, deadline, enter)
            except ConnectionClosedError as error:
                if slot.state is not QUEUED:
                    raise  # not because it had ended
                if lease.fresh:
                    return ConnectError(str(error), transient=True)
                again = True  # it had ended before anything was sent; the next one may not have
            finally:
                self._give_back(lease)

    def _alone(self, deadline: float) -> AbstractAsyncContextManager[Connection]:
        return Borrowed(self, deadline - current_time())

    async def _lease(
        self, what: str, deadline: float, *, borrower: str | None = None, first: bool = False
    ) -> Lease[Connection] | RespError:
        """Return a lease, or why there is none. Raises what is not for trying again."""
        if self._machine.state is PoolState.OPEN:
            self._check_run(what)
        while True:
            try:
                found = self._machine.acquire(current_time(), deadline=deadline, borrower=borrower, first=first)
            except RespError as error:
                self._carry_out()
                await checkpoint()
                if isinstance(error, ConnectError):
                    return error
                raise
            lease = await self._wait(found) if isinstance(found, Waiter) else found
            if isinstance(lease, RespError) or not self._settings.pre_ping or await self._answers(lease, deadline):
                return lease
            if lease.fresh:
                return ConnectError("a new connection did not answer a PING", transient=True)
            first = True

    async def _answers(self, lease: Lease[Connection], deadline: float) -> bool:
        """Does the connection answer a PING, in the time that opening another may take? Else it is given back for good."""
        patience = inf if self._config.connect_timeout is None else self._config.connect_timeout
        try:
            await lease.connection.execute(PING, timeout=max(min(deadline - current_time(), patience), 0.0))
        except ReplyError:
            return True  # an answer
        except BaseException as error:
            self._machine.release(lease, current_time(), reason=CloseReason.FAILED_CHECK)
            self._carry_out()
            if not isinstance(error, RespError):
                raise
            return False
        return True

    async def _wait(self, waiter: Waiter[Connection]) -> Lease[Connection] | RespError:
        """Wait for a lease, and return it, or why there is none. Raises what a dial raised that no `RespError` is."""
        waiter.token = woken = Event()
        self._carry_out()
        try:
            await woken.wait()
        except BaseException:
            self._machine.withdraw(waiter, current_time())
            self._carry_out()
            raise
        if waiter.lease is not None:
            return waiter.lease
        assert waiter.error is not None
        if not isinstance(waiter.error, (ConnectError, CommandTimeoutError)):
            raise waiter.error
        return waiter.error

    def _give_back(self, lease: Lease[Connection]) -> None:
        driver = lease.connection._driver
        # Those who still wait for a push would take the next borrower's.
        reason = CloseReason.BROKEN if driver.listened else driver.core.unfit
        owes = driver.core.oldest
        if reason is None and driver.core.watching:
            driver.submit_and_forget(WatchLoop.unwatch)  # which is answered at once, so it counts for nothing
        self._machine.release(lease, current_time(), reason=reason, owes=owes)
        self._carry_out()

    def _elsewhere(self) -> None:
        self.retire()

    # -- what the machine decides ------------------------------------------------------------------------------------------

    def _carry_out(self) -> None:
        """Do what the machine says is to be done, and see to it that it is asked again in time."""
        for event in self._machine.events():
            match event:
                case Granted(waiter) | Refused(waiter):
                    if isinstance(waiter.token, Event):
                        waiter.token.set()
                case Close(connection):
                    connection._driver.end(None)
                case Dial():
                    self._check_run("dial").start_soon(self._dial, event)
                case Leaked(lease):
                    warn(
                        f"{lease!r} is out for long; it was borrowed here:\n{lease.borrower}",
                        ResourceWarning,
                        stacklevel=1,
                    )
        if self._machine.next_deadline() < self._armed:
            self._sooner.set()
        if self._machine.state is PoolState.CLOSED:
            self._drained.set()

    async def _keep_time(self) -> None:
        """Have the machine do what is to be done in time."""
        while True:
            self._machine.handle_timeout(current_time())
            self._carry_out()
            self._sooner = Event()
            self._armed = self._machine.next_deadline()
            with CancelScope(deadline=self._armed):
                await self._sooner.wait()

    async def _dial(self, dial: Dial[Connection]) -> None:
        try:
            driver = await Driver.open(self._config, self._fallback)
        except Exception as error:  # noqa: BLE001  # a provider of credentials may raise anything, and whoever waits is to know
            self._machine.dial_failed(dial, error, current_time())
        except BaseException:
            self._machine.dial_failed(dial, None, current_time())
            raise
        else:
            connection = Connection(self._config, driver)
            driver.ended = partial(_tell, ref(self), ref(connection))
            self._protocol = connection.protocol
            self._machine.opened(dial, connection, current_time(), random())
        finally:
            self._carry_out()


class Borrowed:
    """A connection on loan, for an `async with` block."""

    __slots__ = ("_entered", "_lease", "_pool", "_seconds")

    def __init__(self, pool: Pool, seconds: float) -> None:
        self._pool = pool
        self._seconds = seconds
        self._entered = False

    async def __aenter__(self) -> Connection:
        await checkpoint()
        if self._entered:
            raise LocalProtocolError("acquire: this block has been entered before; ask for another connection")
        self._entered = True
        pool, deadline = self._pool, current_time() + self._seconds
        borrower = None if pool._settings.leak_after is None else _stack()
        again = False
        while True:
            lease = await pool._lease("acquire", deadline, borrower=borrower, first=again)
            if isinstance(lease, RespError):
                raise lease.counted() if isinstance(lease, CommandTimeoutError) else lease
            lease.connection._driver.look()
            if not lease.connection.closed:
                break
            pool._give_back(lease)
            again = True
        self._lease = lease
        return Leased(lease)

    async def __aexit__(self, *exception: object) -> None:
        self._pool._give_back(self._lease)


def _tell(to: ref[Pool], of: ref[Connection]) -> None:
    """A connection has ended by itself. The loop knows it, and must not keep alive a pool that was thrown away."""
    pool, connection = to(), of()
    if pool is not None and connection is not None:
        pool._machine.lost(connection, current_time())
        pool._carry_out()


def _owed(connection: Connection) -> object:
    driver = connection._driver
    driver.look()
    return driver.core.oldest


def _stack() -> str:
    """Return where the caller of `acquire` stands."""
    from traceback import format_stack  # rarely needed, and slow to import

    return "".join(format_stack()[:-2])


_pools: Final[WeakSet[Pool]] = WeakSet()


def _after_fork() -> None:
    for pool in list(_pools):
        pool._forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
