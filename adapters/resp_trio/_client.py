"""Clients, pools and connections: the same object over other settings of the client machine."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractAsyncContextManager, nullcontext
from math import inf
from typing import Any, Self, Unpack

from trio import current_time
from trio.lowlevel import checkpoint, enable_ki_protection

from resp_sansio import (
    DEFAULT,
    ClientOptions,
    Config,
    Default,
    LocalProtocolError,
    Options,
    PoolOptions,
    Push,
)
from resp_sansio.client import (
    BorrowedBase,
    ClientBase,
    ConnectingBase,
    ConnectionBase,
    Lease,
    LendingBase,
    Link,
    PoolBase,
    Share,
    WatchLoop,
    push_as_text,
    seconds_allowed,
)
from resp_sansio.client import Client as Machine
from resp_sansio.config import read_client_options, read_pool_options
from resp_sansio.connection import new_slot

from ._commands import Commands
from ._driver import Driver, checkpointed

__all__ = ["Client", "Connecting", "Connection", "Pool", "connect"]


class Connection(ConnectionBase[Driver], Commands):
    """One connection to one server, for any number of tasks of one run of trio; made by `connect`, ends for ever when it ends.

    Commands of all tasks share it in the order in which they were made; one that blocks (BLPOP) holds up the others. Close
    it, or use it as a context manager. It does not survive a fork: in the child it is closed.
    """

    __slots__ = ("__weakref__",)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    @checkpointed
    @enable_ki_protection
    async def next_push(self, *, timeout: float | None | Default = DEFAULT) -> Push:
        """Wait for a push that answers no command: a message, an invalidation, a line of MONITOR; oldest first.

        Raises `CommandTimeoutError`, `ConnectionLostError`, and `ConnectionClosedError` once the connection has ended and all
        pushes that came before have been had.
        """
        deadline = current_time() + seconds_allowed(self._config, timeout)
        return push_as_text(await self._driver.listen(self._loan, deadline), self._encoding)

    async def close(self) -> None:
        """End the connection now. Calls under way in other tasks fail with `ConnectionLostError`. Idempotent."""
        await self._driver.close(0.0)

    def _unwatch(self) -> None:
        """End a WATCH; if that fails here, it fails for those who come after, too."""
        if not self._loan.ended:
            try:
                self._driver.send(new_slot(WatchLoop.unwatch.args), self._loan)
            except LocalProtocolError:
                pass

    def _alone(self, deadline: float) -> AbstractAsyncContextManager[Connection]:  # noqa: ARG002  # there is no waiting
        return nullcontext(self)


class Leased(Connection):
    """A connection on loan. Once its block has ended it refuses, because the connection may be another caller's by then.

    Calls that are under way when the block ends go on to their end.
    """

    __slots__ = ()

    def __init__(self, lender: Lending, loan: Lease[Link] | Share) -> None:
        self._config = lender._config
        self._driver = lender._driver
        self._timeout = lender._timeout
        self._encoding = lender._encoding
        self._lease = self._loan = loan
        self._link = loan.connection

    def __del__(self) -> None:
        """The pool closes the connection."""

    async def close(self) -> None:
        """End the connection now; once the block has ended there is nothing to close."""
        if not self._loan.ended:
            self._driver.abort(self._link)
        await checkpoint()


class Connecting(ConnectingBase):
    """What `connect` returns: await it for a `Connection`, or let `async with` open and close one."""

    __slots__ = ("_connection",)

    def __await__(self) -> Generator[Any, None, Connection]:
        return self._open().__await__()

    @checkpointed
    async def _open(self) -> Connection:
        config = self._config
        driver = Driver(config, lambda random: Machine(config, random=random, once=True), "connection")
        await driver.open()
        try:
            return Connection(config, driver, await driver.acquire(inf))
        except BaseException:
            driver.end()
            raise
        finally:
            await driver.leave()  # once it is open, it needs no task of its own

    async def __aenter__(self) -> Connection:
        self._connection = await self
        return self._connection

    async def __aexit__(self, *exception: object) -> None:
        await self._connection.close()


def connect(url: str = "redis://localhost", **options: Unpack[Options]) -> Connecting:
    """Open a connection: `await connect("redis://user:password@host:6379/0", timeout=2.0)`, or by `async with connect(...)`.

    For URLs and options see `resp_sansio.Config`; the same options can stand in the URL's query. `connect_timeout` covers all
    of it. Raises `ValueError` or `TypeError` for a wrong URL or option and, when awaited, `ConnectError` (its `transient` says
    whether the same may succeed later).
    """
    return Connecting(Config.from_url(url, **options))


class Lending(LendingBase[Driver], Commands):
    """Commands that go by one connection now and another then, and connections lent to blocks."""

    __slots__ = ()

    async def __aenter__(self) -> Self:
        await self._driver.open()
        return self

    async def __aexit__(self, *exception: object) -> None:
        try:
            await self.close()
        finally:
            await self._driver.leave()

    async def close(self, timeout: float | None = 0.0) -> None:
        """Take no new calls, wait so many seconds (None: any time) for those under way, and end what is left. Idempotent."""
        await self._driver.close(current_time() + seconds_allowed(self._config, timeout))

    def _alone(self, deadline: float) -> AbstractAsyncContextManager[Connection]:
        return Borrowed(self, deadline - current_time())


class Client(ClientBase[Driver], Lending):
    """The object most programs use: `async with Client("redis://localhost") as client`, for any number of tasks.

    Their commands share one connection (`lanes` says if more), except for those that block or change a connection: these borrow
    one of their own, of `max_connections` in all. What is lost is dialled again, and what is safe to be tried again is. Nothing is
    opened before it is needed. For the options see `resp_sansio.Config`, `ClientSettings` and `PoolSettings`.

    With `max_connections=1` there is one connection for everything, and a command that blocks holds up all others.
    """

    __slots__ = ("__weakref__",)

    def __init__(self, url: str = "redis://localhost", **options: Unpack[ClientOptions]) -> None:
        """Raises `ValueError` or `TypeError` for a wrong URL or option."""
        config, settings, pool = read_client_options(url, options)
        leases = pool if settings.leases else None
        self._keeps_stacks = pool.leak_after is not None
        super().__init__(
            config, Driver(config, lambda random: Machine(config, settings, leases, random=random), "client")
        )

    def acquire(self, *, timeout: float | None | Default = DEFAULT) -> AbstractAsyncContextManager[Connection]:
        """Borrow a connection for an `async with` block, as from a `Pool`.

        Raises `LocalProtocolError` if this client has none to lend, and as `Pool.acquire`.
        """
        self._check_lends()
        return Borrowed(self, seconds_allowed(self._config, timeout))


class Pool(PoolBase[Driver], Lending):
    """Connections for any number of tasks, `max_size` of them at most: `async with Pool("redis://localhost", max_size=20) as pool`.

    `execute`, `pipeline` and `transaction` borrow one for as long as they take; `acquire` lends one for longer. Nothing is opened
    before it is needed, `min_size` excepted, which `async with` opens. For the options see `resp_sansio.Config` and
    `resp_sansio.PoolSettings`. After a fork, the child's pool is empty.
    """

    __slots__ = ("__weakref__",)

    def __init__(self, url: str = "redis://localhost", **options: Unpack[PoolOptions]) -> None:
        """Raises `ValueError` or `TypeError` for a wrong URL or option."""
        config, settings = read_pool_options(url, options)
        self._keeps_stacks = settings.leak_after is not None
        super().__init__(config, Driver(config, lambda random: Machine(config, None, settings, random=random), "pool"))

    def acquire(self, *, timeout: float | None | Default = DEFAULT) -> AbstractAsyncContextManager[Connection]:
        """Borrow a connection for an `async with` block; `timeout` is for getting one. First come, first served.

        What is done to it stays: one that was changed (by SELECT, SUBSCRIBE ...) is closed when it comes back, a WATCH is ended.

        Raises `CommandTimeoutError`, `ConnectError`, `PoolFullError`, `ConnectionClosedError`.
        """
        return Borrowed(self, seconds_allowed(self._config, timeout))

    def resize(self, max_size: int, min_size: int | None = None) -> None:
        """Change the bounds. What is too much is closed, borrowed connections when they come back."""
        self._driver.check("resize")
        self._driver.machine.resize(current_time(), max_size=max_size, min_size=min_size)
        self._driver.carry_out()

    def retire(self) -> None:
        """Let all connections go that are open now, borrowed ones when they come back."""
        self._driver.check("retire")
        self._driver.machine.retire(current_time())
        self._driver.carry_out()


class Borrowed(BorrowedBase[Lending]):
    """A connection on loan, for an `async with` block."""

    __slots__ = ("_lease",)

    @enable_ki_protection
    async def __aenter__(self) -> Connection:
        await checkpoint()  # before, since a connection that is had at once should be of use at once
        self._enter()
        lender = self._from
        borrower = stack() if lender._keeps_stacks else None
        self._lease = await lender._driver.acquire(current_time() + self._seconds, borrower)
        return Leased(lender, self._lease)

    async def __aexit__(self, *exception: object) -> None:
        self._from._driver.release(self._lease)


def stack() -> str:
    """Return where the caller of `acquire` stands."""
    from traceback import format_stack  # rarely needed, and slow to import

    return "".join(format_stack()[:-2])
