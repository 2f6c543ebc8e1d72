"""A connection: the commands, on one socket that all who hold it share."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from time import monotonic
from typing import Any, Final, Self, Unpack
from warnings import warn

from resp_sansio import (
    DEFAULT,
    Command,
    CommandTimeoutError,
    Config,
    ConnectionLostError,
    ConnectionStats,
    Default,
    Fallback,
    Lease,
    Options,
    Outcome,
    Push,
    Reply,
    RespError,
    ServerInfo,
    Slot,
    SlotState,
    Spoken,
    push_as_text,
    seconds_allowed,
)

from ._commands import Commands
from ._driver import Driver
from ._transport import until

__all__ = ["Connecting", "Connection", "Leased", "connect"]

ANSWERED: Final = SlotState.ANSWERED


def connect(url: str = "redis://localhost", **options: Unpack[Options]) -> Connecting:
    """Open a connection: `await connect("redis://user:password@host:6379/0", timeout=2.0)`, or by `async with connect(...)`.

    For URLs and options see `resp_sansio.Config`; the same options can stand in the URL's query. `connect_timeout` covers all
    of it. Raises `ValueError` or `TypeError` for a wrong URL or option and, when awaited, `ConnectError` (its `transient` says
    whether the same may succeed later).
    """
    return Connecting(Config.from_url(url, **options))


class Connecting:
    """What `connect` returns: await it for a `Connection`, or let `async with` open and close one."""

    __slots__ = ("_config", "_connection")

    def __init__(self, config: Config) -> None:
        self._config = config

    def __repr__(self) -> str:
        return f"<{type(self).__name__} to {self._config.address}: to be awaited>"

    def __await__(self) -> Generator[Any, None, Connection]:
        return self._open().__await__()

    async def _open(self) -> Connection:
        return Connection(self._config, await Driver.open(self._config, Fallback()))

    async def __aenter__(self) -> Connection:
        self._connection = await self
        return self._connection

    async def __aexit__(self, *exception: object) -> None:
        await self._connection.close()


class Connection(Commands):
    """One connection to one server, for any number of tasks of one event loop; made by `connect`, ends for ever when it ends.

    Commands of all tasks share it in the order in which they were made; one that blocks (BLPOP) holds up the others. Close
    it, or use it as a context manager. It does not survive a fork: in the child it is closed.
    """

    __slots__ = ("__weakref__", "_driver")

    def __init__(self, config: Config, driver: Driver) -> None:
        super().__init__(config)
        self._driver = driver

    def __repr__(self) -> str:
        return f"<{type(self).__name__} to {self._config.address}: {self._driver.core.state.name}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    def __del__(self) -> None:
        driver = self._driver
        if driver.core.error is None:
            warn(f"{self!r} was not closed", ResourceWarning, source=self, stacklevel=2)
            driver.drop()

    async def next_push(self, *, timeout: float | None | Default = DEFAULT) -> Push:
        """Wait for a push that answers no command: a message, an invalidation, a line of MONITOR; oldest first.

        Raises `CommandTimeoutError`, `ConnectionLostError`, and `ConnectionClosedError` once the connection has ended and all
        pushes that came before have been had.
        """
        allowed = seconds_allowed(self._config, timeout)
        driver = self._driver
        waiter = driver.listen()
        try:
            async with until(monotonic() + allowed):
                push = await waiter
        except TimeoutError:
            driver.take_back(waiter)
            raise CommandTimeoutError("next_push: nothing came in time", outcome=Outcome.NOT_SENT) from None
        except BaseException:
            driver.take_back(waiter)
            raise
        if isinstance(push, RespError):
            raise ConnectionLostError(f"next_push: {push}", outcome=Outcome.NOT_SENT) from push.__cause__
        driver.taken()
        return push_as_text(push, self._encoding)

    def stats(self) -> ConnectionStats:
        """Return what the connection has counted."""
        return self._driver.core.stats()

    @property
    def closed(self) -> bool:
        """Has the connection ended? It may also be about to: only a call can tell."""
        return self._driver.core.error is not None

    @property
    def server(self) -> ServerInfo:
        """What the server says of itself in answer to HELLO: name, version, mode, role, zone; on RESP2 nothing."""
        return self._driver.core.server

    @property
    def protocol(self) -> Spoken:
        """The version of RESP spoken: it decides, for example, whether HGETALL gives a list or a map."""
        return self._driver.core.protocol

    async def close(self) -> None:
        """End the connection now. Calls under way in other tasks fail with `ConnectionLostError`. Idempotent."""
        await self._driver.close()

    async def _call(self, slot: Slot, deadline: float, enter: Callable[[Slot], None] | None = None) -> RespError | None:
        driver = self._driver
        waiter = driver.submit(slot, deadline, enter)
        try:
            result: Any = await waiter
        except BaseException:
            driver.give_up(slot)
            raise
        return None if slot.state is ANSWERED else result

    def _submit_and_forget(self, command: Command[Reply]) -> None:
        self._driver.submit_and_forget(command)

    def _alone(self, deadline: float) -> AbstractAsyncContextManager[Connection]:  # noqa: ARG002  # there is no waiting
        return nullcontext(self)


class Leased(Connection):
    """A connection on loan. Once its block has ended it refuses, because the connection may be another caller's by then.

    Calls that are under way when the block ends go on to their end.
    """

    __slots__ = ("_lease",)

    def __init__(self, lease: Lease[Connection]) -> None:
        connection = lease.connection
        self._config = connection._config
        self._encoding = connection._encoding
        self._timeout = connection._timeout
        self._driver = connection._driver
        self._lease = lease

    def __repr__(self) -> str:
        state = "given back" if self._lease.ended else self._driver.core.state.name
        return f"<{type(self).__name__} to {self._config.address}: {state}>"

    def __del__(self) -> None:
        """The pool closes the connection."""

    async def next_push(self, *, timeout: float | None | Default = DEFAULT) -> Push:
        """As of a `Connection`."""
        self._lease.check("next_push")
        return await super().next_push(timeout=timeout)

    @property
    def closed(self) -> bool:
        """As of a `Connection`; true once the block has ended."""
        return self._lease.ended or super().closed

    async def close(self) -> None:
        """As of a `Connection`; once the block has ended there is nothing to close."""
        if not self._lease.ended:
            await super().close()

    def _call(
        self, slot: Slot, deadline: float, enter: Callable[[Slot], None] | None = None
    ) -> Coroutine[Any, Any, RespError | None]:
        return super()._call(slot, deadline, partial(self._enter, enter or self._driver.core.submit))

    def _enter(self, enter: Callable[[Slot], None], slot: Slot) -> None:
        self._lease.check(slot.name)
        enter(slot)

    def _submit_and_forget(self, command: Command[Reply]) -> None:
        if not self._lease.ended:
            super()._submit_and_forget(command)
