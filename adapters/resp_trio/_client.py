"""Clients, pools and connections for tasks of one run of trio: what the core has for tasks, driven by this adapter's driver."""

from __future__ import annotations

from typing import Any, Generic, Literal, Unpack, overload

from resp_sansio import ClientOptions, Config, Options, PoolOptions
from resp_sansio.methods import S
from resp_sansio.surface import tasks

from ._driver import Driver

__all__ = ["Client", "Connecting", "Connection", "Pool", "connect"]


class Connection(tasks.Connection[S]):
    """One connection to one server, for any number of tasks of one run of trio; made by `connect`, ends for ever when it ends.

    Commands of all tasks share it in the order in which they were made; one that blocks (BLPOP) holds up the others. Close
    it, or use it as a context manager. It does not survive a fork: in the child it is closed.
    """

    __slots__ = ("__weakref__",)

    _driver_type = Driver


class Connecting(tasks.Connecting[Connection[S]], Generic[S]):
    """What `connect` returns: await it for a `Connection`, or let `async with` open and close one."""

    __slots__ = ()

    _connection_type = Connection


@overload
def connect(url: str = ..., *, decode: Literal[False] = ..., **options: Unpack[Options]) -> Connecting[bytes]: ...
@overload
def connect(url: str = ..., *, decode: Literal[True] | str, **options: Unpack[Options]) -> Connecting[str]: ...
@overload
def connect(url: str = ..., *, decode: bool | str, **options: Unpack[Options]) -> Connecting[Any]: ...
def connect(
    url: str = "redis://localhost", *, decode: bool | str = False, **options: Unpack[Options]
) -> Connecting[Any]:
    """Open a connection: `await connect("redis://user:password@host:6379/0", timeout=2.0)`, or by `async with connect(...)`.

    For URLs and options see `resp_sansio.Config`; all but `decode` can stand in the URL's query. `connect_timeout` covers all
    of it. Raises `ValueError` or `TypeError` for a wrong URL or option and, when awaited, `ConnectError` (its `transient` says
    whether the same may succeed later).
    """
    return Connecting(Config.from_url(url, decode=decode, **options))


class Client(tasks.Client[Connection[S], S]):
    """The object most programs use: `async with Client("redis://localhost") as client`, for any number of tasks.

    Their commands share one connection (`lanes` says if more), except for those that block or change a connection: these borrow
    one of their own, of `max_connections` in all. What is lost is dialled again, and what is safe to be tried again is. Nothing is
    opened before it is needed. For the options see `resp_sansio.Config`, `ClientSettings` and `PoolSettings`.

    With `max_connections=1` there is one connection for everything, and a command that blocks holds up all others.
    """

    __slots__ = ("__weakref__",)

    _connection_type = Connection

    @overload
    def __init__(
        self: Client[bytes], url: str = ..., *, decode: Literal[False] = ..., **options: Unpack[ClientOptions]
    ) -> None: ...
    @overload
    def __init__(
        self: Client[str], url: str = ..., *, decode: Literal[True] | str, **options: Unpack[ClientOptions]
    ) -> None: ...
    @overload
    def __init__(
        self: Client[Any], url: str = ..., *, decode: bool | str, **options: Unpack[ClientOptions]
    ) -> None: ...
    def __init__(
        self, url: str = "redis://localhost", *, decode: bool | str = False, **options: Unpack[ClientOptions]
    ) -> None:
        """Raises `ValueError` or `TypeError` for a wrong URL or option."""
        super().__init__(url, decode=decode, **options)


class Pool(tasks.Pool[Connection[S], S]):
    """Connections for any number of tasks, `max_size` of them at most: `async with Pool("redis://localhost", max_size=20) as pool`.

    `execute`, `pipeline` and `transaction` borrow one for as long as they take; `acquire` lends one for longer. Nothing is opened
    before it is needed, `min_size` excepted, which `async with` opens. For the options see `resp_sansio.Config` and
    `resp_sansio.PoolSettings`. After a fork, the child's pool is empty.
    """

    __slots__ = ("__weakref__",)

    _connection_type = Connection

    @overload
    def __init__(
        self: Pool[bytes], url: str = ..., *, decode: Literal[False] = ..., **options: Unpack[PoolOptions]
    ) -> None: ...
    @overload
    def __init__(
        self: Pool[str], url: str = ..., *, decode: Literal[True] | str, **options: Unpack[PoolOptions]
    ) -> None: ...
    @overload
    def __init__(self: Pool[Any], url: str = ..., *, decode: bool | str, **options: Unpack[PoolOptions]) -> None: ...
    def __init__(
        self, url: str = "redis://localhost", *, decode: bool | str = False, **options: Unpack[PoolOptions]
    ) -> None:
        """Raises `ValueError` or `TypeError` for a wrong URL or option."""
        super().__init__(url, decode=decode, **options)
