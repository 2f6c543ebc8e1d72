"""What tasks hold: clients, pools, connections and pipelines, whichever library their tasks are of.

An adapter inherits `Client`, `Pool`, `Connection` and `Connecting`, and says what drives them. Every call comes down to one step:
`Driver.call`.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, Generic, Self, TypeVar

from .._errors import ReplyError
from ..client.call import DEFAULT, Default, seconds_allowed
from ..commands.decoding import S
from ..wire.encoder import Argument
from .base import (
    BorrowedBase,
    ClientBase,
    ConnectingBase,
    Heardable,
    LendingBase,
    Loan,
    PoolBase,
)
from .driver import Caller, DriverBase
from .machines import Make
from .nodes import NodeBase, place_of, place_to_lend, places_of, words_for_a_map
from .polls import Poll, Polls
from .tasks_commands import Commands, Connection, Pipeline, View, WatchedTransaction, open_connection
from .tasks_driver import Driver, Meant, ask_for_credentials, find_addresses
from .tasks_messages import Messages
from .tasks_monitor import Monitor
from .tasks_queues import Consuming
from .tasks_scan import Scan
from .tasks_values import ValueStream

__all__ = [
    "Borrowed", "Caller", "Client", "Commands", "Connecting", "Connection", "Consuming", "Driver", "DriverBase", "Heardable",
    "Lending", "Loan", "Make", "Messages", "Monitor", "Node", "Pipeline", "Poll", "Polls", "Pool", "Scan", "ValueStream", "View",
    "WatchedTransaction", "ask_for_credentials", "find_addresses",
]  # fmt: skip

C = TypeVar("C", bound=Connection[Any])


class Connecting(ConnectingBase[C]):
    """What `connect` returns: await it for a `Connection`, or let `async with` open and close one."""

    __slots__ = ("_connection",)

    def __await__(self) -> Generator[Any, None, C]:
        return self._open().__await__()

    async def _open(self) -> C:
        return await open_connection(self._connection_type, self._config)

    async def __aenter__(self) -> C:
        self._connection = await self
        return self._connection

    async def __aexit__(self, *exception: object) -> None:
        await self._connection.close()


class Lending(LendingBase[Driver, C, S], Commands[S]):
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
        await self._driver.close(self._driver.now() + seconds_allowed(self._config, timeout))

    def _alone(self, deadline: float, at: Any) -> AbstractAsyncContextManager[C]:
        return Borrowed(self, deadline - self._driver.now(), at)

    async def _another(self) -> C:
        self._check_one_server()
        connection_type: type[C] = self._connection_type
        return await open_connection(connection_type, self._config)


class Client(ClientBase[Driver, C, S], Lending[C, S]):
    """The commands share one connection, except for those that block or change one."""

    __slots__ = ()

    def acquire(
        self,
        *,
        key: Argument | None = None,
        node: str | tuple[str, int] | Node[Any, Any] | None = None,
        timeout: float | None | Default = DEFAULT,
    ) -> AbstractAsyncContextManager[C]:
        """Borrow a connection for an `async with` block, as from a `Pool`.

        Of a cluster, say where it is to lead: to the server of a `key`, or to a `node`: one of `nodes`, or its `host:port`.
        A client of one server takes any key, and for a node its own one or its address.

        Raises `LocalProtocolError` if this client has none to lend, or a cluster has no such node, `ValueError` for a node that is
        no address, and as `Pool.acquire`.
        """
        self._check_lends()
        at = place_to_lend(self._driver.machine, self._config, key, node)
        return Borrowed(self, seconds_allowed(self._config, timeout), at)

    async def nodes(self, *, timeout: float | None | Default = DEFAULT) -> list[Node[C, S]]:
        """Return the servers of the client, masters first, each with all commands: for what is meant for one of them.

            for node in await client.nodes():
                print(node.address, node.is_master, await node.dbsize())

        These are the ones that the client knows of now; if it knows of none yet, the first that answers is asked, for as long as
        `timeout`. A client of one server has one, itself. Raises `CommandTimeoutError`, `ConnectError`, `ConnectionClosedError`.
        """
        machine = self._driver.machine
        if not places_of(machine, self._config):
            with suppress(ReplyError):  # which says no less
                await self.execute(*words_for_a_map(self._config), timeout=timeout)
        await self._driver.checkpoint()
        return [Node(self, place) for place in places_of(self._driver.machine, self._config)]

    def node(self, address: str | tuple[str, int]) -> Node[C, S]:
        """Return one server, by its `host:port`, with all commands. See `nodes`.

        Raises `LocalProtocolError` if none of those that are known is there, and `ValueError` for what is no address.
        """
        return Node(self, place_of(self._driver.machine, self._config, address))


class Node(NodeBase[Driver, S], Commands[S], Generic[C, S]):
    """One server of a client's, with all commands: made by `nodes` and `node`.

    A command goes to this server, whatever its keys are, and is answered what that says: of a key that another server has, the
    `ReplyError` MOVED.
    """

    __slots__ = ()

    _meant = Meant
    _client: Client[C, S]

    def acquire(self, *, timeout: float | None | Default = DEFAULT) -> AbstractAsyncContextManager[C]:
        """Borrow a connection to this server for an `async with` block. Raises as `Client.acquire`."""
        self._client._check_lends()
        return Borrowed(self._client, seconds_allowed(self._config, timeout), self._place)

    def _alone(self, deadline: float, at: Any) -> AbstractAsyncContextManager[C]:
        return self._client._alone(deadline, at)

    async def _another(self) -> C:
        connection_type: type[C] = self._client._connection_type
        config = self._config if self._place is None else self._config.at(self._place)
        return await open_connection(connection_type, config)


class Pool(PoolBase[Driver, C, S], Lending[C, S]):
    """Each command has a connection of its own for as long as it takes."""

    __slots__ = ()

    def acquire(self, *, timeout: float | None | Default = DEFAULT) -> AbstractAsyncContextManager[C]:
        """Borrow a connection for an `async with` block; `timeout` is for getting one. First come, first served.

        What is done to it stays: one that was changed (by SELECT, SUBSCRIBE ...) is closed when it comes back, a WATCH is ended.

        Raises `CommandTimeoutError`, `ConnectError`, `PoolFullError`, `ConnectionClosedError`.
        """
        return Borrowed(self, seconds_allowed(self._config, timeout))


class Borrowed(BorrowedBase[Lending[C, Any]], Generic[C]):
    """A connection on loan, for an `async with` block."""

    __slots__ = ("_loan",)

    async def __aenter__(self) -> C:
        self._enter()
        lender = self._from
        driver = lender._driver
        loan: Loan | None = None
        try:
            self._loan = loan = await lender._calls.acquire(driver.now() + self._seconds, self._stack, self._at)
            connection: C = lender._connection_type(loan.connection.home.config, driver, loan, loan)
            return connection
        except BaseException:  # an interrupt may have come just when the link did
            if loan is not None:
                lender._calls.release(loan)
            raise

    async def __aexit__(self, *exception: object) -> None:
        self._from._calls.release(self._loan)
