"""What callers hold, as far as it neither awaits nor waits: clients, pools, connections. Pipelines are in `batches`.

`Driver` is what it asks of an adapter. What differs in colour, the calls and the blocks, is in `tasks` and in `threads`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from math import inf
from typing import Any, ClassVar, Final, Generic, NoReturn, Protocol, TypeAlias, TypeVar, Unpack
from warnings import warn

from .._errors import LocalProtocolError, UnexpectedReplyError
from .._record import replace
from .._stats import ClientStats, ConnectionStats, PoolStats
from ..client.batch import WatchLoop
from ..client.cache import ReadCache
from ..client.call import error_of, unreadable
from ..client.client import Client
from ..client.feeds import Change
from ..client.leases import Lease
from ..client.links import Link, Share
from ..client.subscriber import Subscriber
from ..commands.command import Command, Reader, as_it_came
from ..commands.decoding import RAW, S, Text
from ..commands.knowledge import prepare
from ..commands.readers import anything
from ..config.config import Config
from ..config.settings import ClientOptions, PoolOptions, of_one_server, read_client_options, read_pool_options
from ..connection.handshake import ServerInfo
from ..connection.slot import Slot, SlotState
from ..connection.stateful import new_slot
from ..wire.encoder import Argument
from ..wire.values import Spoken
from .machines import Make, maker

__all__ = [
    "BorrowedBase", "ClientBase", "CommandsBase", "ConnectingBase", "ConnectionBase", "Driver", "Heardable", "LendingBase",
    "Loan", "PoolBase", "Viewed",
]  # fmt: skip

T = TypeVar("T")

ANSWERED: Final = SlotState.ANSWERED
HANDED: Final = SlotState.HANDED

Loan: TypeAlias = Lease[Link] | Share
"""A link, with the right to use it."""

Heardable: TypeAlias = Loan | Subscriber | Change
"""What says something unasked: a link its pushes, a subscriber its messages, a change of subscriptions that it is confirmed."""


class Driver(Protocol):
    """What carries out one machine: an adapter's own. All of it is called by the thread or the task whose call it is.

    Each of these methods raises `LocalProtocolError` where the driver can't be used: in another event loop, say.
    """

    machine: Client

    def __init__(self, make: Make, whose: str) -> None:
        """`make` is called once, and again in the child of a fork; `whose` it is ("client") is for messages."""

    def now(self) -> float:
        """Return the time, in seconds, as the machine is told it."""

    def ahead(self, slot: Slot, loan: Loan | None = None, /) -> object:
        """Begin a call, by a link of one's own if there is a loan. A caller may wait for it later, in `finish`; or none does.

        Raises as `Client.submit`, and then it never began.
        """

    def give_up(self, slot: Slot, /) -> object:
        """A call that was begun ahead is not wanted any more, in whatever state it is. Idempotent."""

    def release(self, loan: Loan, /) -> None:
        """Give a link back."""

    def change(self, name: str, what: Callable[[Client, float], object], /) -> None:
        """Have something done to the machine, given the time, and carry out what follows; `name` is for messages."""

    def end(self) -> object:
        """End everything now."""

    def drop(self) -> None:
        """End everything: its owner was thrown away without being closed, in whichever thread."""


def read_reply(slot: Slot, command: Command[Any] | None, text: Text[Any]) -> Any:
    """Return what a call returns that has ended: the reply as its `Command` reads it, as it came, or as text.

    Raises why there is no reply, the server's `ReplyError`, `InvalidReplyError` for a reply that makes no sense as its type, and
    `UnexpectedReplyError`, which names the command, if its reader can't take the reply.
    """
    if command is not None and command.read is not as_it_came:
        return read_typed(slot, command.read, RAW)  # it says itself what it returns
    if slot.state is not ANSWERED:
        raise error_of(slot)
    reply = slot.reply
    if isinstance(reply, Exception):
        raise reply
    return reply if text is RAW else read_typed(slot, anything, text)


def read_command(slot: Slot, command: Command[T], text: Text[Any]) -> T:
    """Return what a call returns that a `Command` was given to. Raises as `read_reply`."""
    result: T = read_reply(slot, command, text)
    return result


def read_typed(slot: Slot, read: Reader[T, S], text: Text[S]) -> T:
    """Return what a typed method returns. Raises as `read_reply`."""
    if slot.state is not ANSWERED:
        raise error_of(slot)
    reply = slot.reply
    if isinstance(reply, Exception):  # there are two classes of them, and one is quicker to ask for
        raise reply
    try:
        return read(reply, text)
    except (UnexpectedReplyError, UnicodeDecodeError) as error:
        told = unreadable(error, slot.info)
    raise told  # here, where no data is in the context


D = TypeVar("D", bound=Driver)


class CommandsBase(Generic[D, S]):
    """What commands are asked of. `S` is what the data in replies comes as, `bytes` or `str`."""

    __slots__ = ("_cache", "_calls", "_config", "_driver", "_lease", "_text", "_timeout")

    _observed: ClassVar[type[Any]]  # makes the calls of a driver, and tells of them
    _caching: ClassVar[type[Any]]  # makes calls, and has what they change fall from a cache
    _calls: Any  # the driver, or that
    _loan: Loan  # a connection's own

    def __init__(self, config: Config, driver: D, lease: Loan | None = None) -> None:
        self._config = config
        self._driver = driver
        self._lease = lease  # the link that all of it goes by, if it is one's own
        self._timeout = inf if config.timeout is None else config.timeout
        self._text: Text[S] = config.text
        observers = driver.machine.observers
        self._calls = driver if observers is None else self._observed(driver, observers)
        cache = driver.machine.cache
        self._cache: ReadCache | None = cache if lease is None else None  # what is lent reads from the server
        if cache is not None:
            self._calls = self._caching(self._calls, cache, shared=not driver.machine.lends)

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} can't be copied or pickled; open another one")

    @property
    def _own_link(self) -> Loan | None:
        """The link of a connection; None of what has several."""
        return None

    def _listens_by(self) -> D:
        """Return what carries out its subscriptions."""
        return self._driver

    def _at(self, keys: tuple[Argument, ...]) -> Any:  # noqa: ARG002  # of use where there are several servers
        """Return to which server a link is to lead on which these keys are watched, if that is to be said."""
        return None

    @property
    def _routed(self) -> bool:
        """Do calls go each to its own of several servers?"""
        return False

    @property
    def protocol(self) -> Spoken:
        """The version of RESP spoken: it decides, for example, whether HGETALL gives a list or a map.

        Before a connection was opened, the version that was asked for.
        """
        return self._driver.machine.protocol


class Viewed(Generic[D, S]):
    """What is asked of a client, a pool or a connection, or of a view of it: its data comes as text, or as bytes."""

    __slots__ = ()

    @property
    @abstractmethod
    def _view(self) -> tuple[CommandsBase[D, Any], Text[S]]:
        """By what it is done, and what data comes as."""


class Turn:
    """Taken by one task at a time."""

    __slots__ = ("_taken",)

    def __init__(self) -> None:
        self._taken = False

    def __enter__(self) -> None:
        if self._taken:
            raise LocalProtocolError("another task waits for the next one; give each an iteration of its own")
        self._taken = True

    def __exit__(self, *exception: object) -> None:
        self._taken = False


def forsake(driver: Driver, slot: Slot) -> None:
    """A call that was begun ahead has lost its caller, in whichever thread: it comes to its end, and costs nothing else."""
    if driver.machine.observers is not None:
        driver.machine.observers.forsake(slot)


class ConnectionBase(CommandsBase[D, S]):
    """A connection: of one's own, or on loan. Once the block of a loan has ended it refuses, for it may be another caller's."""

    __slots__ = ("_link", "_loan")

    _driver_type: Callable[[Make, str], D]

    def __init__(self, config: Config, driver: D, loan: Loan, lease: Loan | None = None) -> None:
        super().__init__(config, driver, lease)
        self._loan = loan
        self._link = loan.connection

    def __repr__(self) -> str:
        state = "given back" if self._loan.ended else self._link.core.state.name
        return f"<{type(self).__name__} to {self._link.core.peer}: {state}>"

    def __del__(self) -> None:
        # One that was lent is closed by what has lent it; one that has no link was never made.
        if hasattr(self, "_link") and self._lease is None and not self._link.ended:
            warn(f"{self!r} was not closed", ResourceWarning, source=self, stacklevel=2)
            self._driver.drop()

    def stats(self) -> ConnectionStats:
        """Return what the connection has counted."""
        stats, cache = self._link.core.stats(), self._cache
        return stats if cache is None else replace(stats, cache=cache.stats())

    @property
    def _own_link(self) -> Loan | None:
        return self._loan

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

    def _unwatch(self) -> None:
        """End a WATCH; if that fails here, it fails for those who come after, too."""
        if not self._loan.ended:
            try:
                self._driver.ahead(new_slot(WatchLoop.unwatch.args), self._loan)
            except LocalProtocolError:
                pass

    def _abort(self) -> None:
        """End a connection that was lent; once the block has ended there is nothing to end."""
        if not self._loan.ended:
            self._driver.change("close", lambda machine, now: machine.abort(self._link, None, now))


K = TypeVar("K", bound=ConnectionBase[Any, Any])


class ConnectingBase(Generic[K]):
    """A connection that is still to be opened."""

    __slots__ = ("_config",)

    _connection_type: ClassVar[type[Any]]  # which makes K

    def __init__(self, config: Config) -> None:
        self._config = of_one_server(config, "connect")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} to {self._config.address}: to be awaited>"


class LendingBase(CommandsBase[D, S], Generic[D, K, S]):
    """What has several connections, and lends them to blocks."""

    __slots__ = ("_keeps_stacks",)

    _connection_type: ClassVar[type[Any]]  # which makes K
    _keeps_stacks: bool  # of borrowers, for reports of leaks

    def __del__(self) -> None:
        if hasattr(self, "_driver") and self._driver.machine.links:  # else it was never made, or opened
            warn(f"{self!r} was not closed", ResourceWarning, source=self, stacklevel=2)
            self._driver.drop()

    def _at(self, keys: tuple[Argument, ...]) -> Any:
        return slot_of_keys(self._config, keys)

    @property
    def _routed(self) -> bool:
        return bool(self._config.cluster)

    def _check_one_server(self) -> None:
        if self._config.cluster or self._config.has_replicas:
            raise LocalProtocolError(
                "monitor: one server shows what it is asked, and this client has several; `client.nodes()` has each of them"
            )

    @property
    def closed(self) -> bool:
        """Is it closed, or closing?"""
        return self._driver.machine.closed is not None


class ClientBase(LendingBase[D, K, S]):
    """A client."""

    __slots__ = ()

    def __init__(
        self, url: str = "redis://localhost", *, decode: bool | str = False, **options: Unpack[ClientOptions]
    ) -> None:
        """Raises `ValueError` or `TypeError` for a wrong URL or option."""
        config, settings, pool = read_client_options(url, {"decode": decode, **options})
        leases = pool if settings.leases else None
        self._keeps_stacks = pool.leak_after is not None
        driver: D = self._connection_type._driver_type(maker(config, settings, leases), "client")
        super().__init__(config, driver)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} to {self._config.address}: {'closed' if self.closed else self.stats()}>"

    def stats(self) -> ClientStats:
        """Return what the client has counted."""
        stats = self._driver.machine.stats()
        assert isinstance(stats, ClientStats)
        return stats

    def _check_lends(self) -> None:
        if not self._driver.machine.lends:
            raise LocalProtocolError(
                "acquire: this client keeps no connections to lend; raise max_connections, or use connect()"
            )


class PoolBase(LendingBase[D, K, S]):
    """A pool."""

    __slots__ = ()

    def __init__(
        self, url: str = "redis://localhost", *, decode: bool | str = False, **options: Unpack[PoolOptions]
    ) -> None:
        """Raises `ValueError` or `TypeError` for a wrong URL or option."""
        config, settings = read_pool_options(url, {"decode": decode, **options})
        self._keeps_stacks = settings.leak_after is not None
        driver: D = self._connection_type._driver_type(maker(config, None, settings), "pool")
        super().__init__(config, driver)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} to {self._config.address}: {self._driver.machine.pool!r}>"

    def stats(self) -> PoolStats:
        """Return what the pool has counted."""
        stats = self._driver.machine.stats()
        assert isinstance(stats, PoolStats)
        return stats

    def resize(self, max_size: int, min_size: int | None = None) -> None:
        """Change the bounds. What is too much is closed, borrowed connections when they come back."""
        self._driver.change("resize", lambda machine, now: machine.resize(now, max_size=max_size, min_size=min_size))

    def retire(self) -> None:
        """Let all connections go that are open now, borrowed ones when they come back."""
        self._driver.change("retire", lambda machine, now: machine.retire(now))


L = TypeVar("L", bound=LendingBase[Any, Any, Any])


class BorrowedBase(Generic[L]):
    """A block for which something lends a connection."""

    __slots__ = ("_at", "_entered", "_from", "_seconds", "_stack")

    def __init__(self, lender: L, seconds: float, at: Any = None) -> None:
        self._from = lender
        self._at = at  # where there are several servers
        self._seconds = seconds
        self._stack = stack() if lender._keeps_stacks else None  # another thread may enter the block
        self._entered = False

    def _enter(self) -> None:
        if self._entered:
            raise LocalProtocolError("acquire: this block has been entered before; ask for another connection")
        self._entered = True


def slot_of_keys(config: Config, keys: tuple[Argument, ...]) -> int | None:
    """Return the hash slot of keys that are to be together; None where there is one server. Raises `CrossSlotError`."""
    if not config.cluster:
        return None
    from ..client.routing import slot_of_payload  # most programs have one server

    return slot_of_payload(*prepare(("WATCH", *keys)))


def stack() -> str:
    """Return where the caller of `acquire` stands."""
    from traceback import format_stack  # rarely needed, and slow to import

    return "".join(format_stack()[:-3])
