"""What callers hold, as far as it neither awaits, sends nor locks: clients, pools, connections, pipelines. Adapters inherit it.

`Driver` is what an adapter has to carry out the machine with. What is left for an adapter's own classes is what differs in colour:
the calls, and the blocks.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Generic, NoReturn, Protocol, TypeVar
from warnings import warn

from .._errors import ConnectionLostError, LocalProtocolError, Outcome, RespError
from .._stats import ClientStats, ConnectionStats, PoolStats
from ..config.config import Config
from ..connection.handshake import ServerInfo
from ..connection.slot import Batch, SlotState
from ..wire.values import Spoken
from .batch import CommandBatch
from .call import DEFAULT, Default
from .calls import error_of
from .client import Client
from .leases import Lease
from .links import Link, Share

__all__ = [
    "BorrowedBase", "ClientBase", "CommandsBase", "ConnectingBase", "ConnectionBase", "Driver", "LendingBase", "PipelineBase",
    "PoolBase",
]  # fmt: skip


class Driver(Protocol):
    """What carries out a machine."""

    machine: Client

    def drop(self) -> None:
        """End everything: its owner was thrown away without being closed."""


D = TypeVar("D", bound=Driver)


class CommandsBase(Generic[D]):
    """What commands are asked of."""

    __slots__ = ("_config", "_driver", "_encoding", "_lease", "_timeout")

    _loan: Lease[Link] | Share  # a connection's: its link, with the right to use it

    def __init__(self, config: Config, driver: D, lease: Lease[Link] | Share | None = None) -> None:
        self._config = config
        self._driver = driver
        self._lease = lease  # the link that all of it goes by, if it is one's own
        self._timeout = float("inf") if config.timeout is None else config.timeout
        self._encoding = config.encoding

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} can't be copied or pickled; open another one")

    @property
    def protocol(self) -> Spoken:
        """The version of RESP spoken: it decides, for example, whether HGETALL gives a list or a map.

        Before a connection was opened, the version that was asked for.
        """
        return self._driver.machine.protocol


class ConnectionBase(CommandsBase[D]):
    """A connection: of one's own, or on loan."""

    __slots__ = ("_link", "_loan")

    def __init__(
        self, config: Config, driver: D, loan: Lease[Link] | Share, lease: Lease[Link] | Share | None = None
    ) -> None:
        super().__init__(config, driver, lease)
        self._loan = loan
        self._link = loan.connection

    def __repr__(self) -> str:
        state = "given back" if self._loan.ended else self._link.core.state.name
        return f"<{type(self).__name__} to {self._config.address}: {state}>"

    def __del__(self) -> None:
        if hasattr(self, "_link") and not self._link.ended:
            warn(f"{self!r} was not closed", ResourceWarning, source=self, stacklevel=2)
            self._driver.drop()

    def stats(self) -> ConnectionStats:
        """Return what the connection has counted."""
        return self._link.core.stats()

    @property
    def closed(self) -> bool:
        """Has the connection ended? It may also be about to: only a call can tell."""
        return self._loan.ended or self._link.core.error is not None

    @property
    def protocol(self) -> Spoken:
        """The version of RESP spoken: it decides, for example, whether HGETALL gives a list or a map."""
        return self._link.core.protocol

    @property
    def server(self) -> ServerInfo:
        """What the server says of itself in answer to HELLO: name, version, mode, role, zone; on RESP2 nothing."""
        return self._link.core.server


class ConnectingBase:
    """A connection that is still to be opened."""

    __slots__ = ("_config",)

    def __init__(self, config: Config) -> None:
        self._config = config

    def __repr__(self) -> str:
        return f"<{type(self).__name__} to {self._config.address}: to be awaited>"


class LendingBase(CommandsBase[D]):
    """What has several connections, and lends them to blocks."""

    __slots__ = ("_keeps_stacks",)

    _keeps_stacks: bool  # of borrowers, for reports of leaks

    @property
    def closed(self) -> bool:
        """Is it closed, or closing?"""
        return self._driver.machine.closed is not None


class ClientBase(LendingBase[D]):
    """A client."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} to {self._config.address}: {'closed' if self.closed else self.stats()}>"

    def stats(self) -> ClientStats:
        """Return what the client has counted."""
        stats = self._driver.machine.stats()
        assert isinstance(stats, ClientStats)
        return stats

    def _check_lends(self) -> None:
        if self._driver.machine.pool is None:
            raise LocalProtocolError(
                "acquire: this client keeps no connections to lend; raise max_connections, or use connect()"
            )


class PoolBase(LendingBase[D]):
    """A pool."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} to {self._config.address}: {self._driver.machine.pool!r}>"

    def stats(self) -> PoolStats:
        """Return what the pool has counted."""
        stats = self._driver.machine.stats()
        assert isinstance(stats, PoolStats)
        return stats


L = TypeVar("L")


class BorrowedBase(Generic[L]):
    """A block for which something lends a connection."""

    __slots__ = ("_entered", "_from", "_seconds")

    def __init__(self, lender: L, seconds: float) -> None:
        self._from = lender
        self._seconds = seconds
        self._entered = False

    def _enter(self) -> None:
        if self._entered:
            raise LocalProtocolError("acquire: this block has been entered before; ask for another connection")
        self._entered = True


C = TypeVar("C", bound=CommandsBase[Any])


class PipelineBase(CommandBatch, Generic[C]):
    """Commands to be sent at once, and by what."""

    __slots__ = ("_by",)

    def __init__(
        self,
        commands: C,
        *,
        transaction: bool = False,
        timeout: float | None | Default = DEFAULT,
        decode: bool | str | Default = DEFAULT,
    ) -> None:
        super().__init__(commands._config, transaction=transaction, timeout=timeout, decode=decode)
        self._by = commands

    def _left(self, slot: Batch, error: BaseException, why: str) -> None:
        """The caller has given the slot up, for this error: each result says how its own command ended."""
        if slot.state is SlotState.ANSWERED:
            with suppress(RespError):
                self.answered(slot, self._spoken(slot))
        else:
            if not hasattr(slot, "outcomes"):  # the giving up was cut short, too
                slot.outcomes = [Outcome.MAYBE_EXECUTED] * slot.count
            told = type(error).__name__ if isinstance(error, Exception) else why
            self.lost(slot, ConnectionLostError(told), self._spoken(slot))

    def _ended(self, slot: Batch) -> list[Any]:
        """Return what each command gave; raise why not all were answered."""
        if slot.state is SlotState.ANSWERED:
            return self.answered(slot, self._spoken(slot))
        cause = slot.cause
        if isinstance(cause, RespError):
            raise self.lost(slot, cause, self._spoken(slot)) from cause.__cause__
        self.lost(slot, ConnectionLostError(str(cause)), self._spoken(slot))
        raise error_of(slot)

    def _spoken(self, slot: Batch) -> Spoken:
        """The protocol of the link that the slot was on: the newest link of a client may speak another."""
        return self._by.protocol if slot.link is None else slot.link.core.protocol
