"""Clients, pools and connections for threads: what the core has for them, driven by this adapter's driver."""

from __future__ import annotations

from typing import Any, Literal, Unpack, overload

from resp_sansio import ClientOptions, Config, Options, PoolOptions
from resp_sansio.methods import S
from resp_sansio.surface import threads

from ._driver import Driver

__all__ = ["Client", "Connection", "Pool", "connect"]


class Connection(threads.Connection[S]):
    """One connection to one server, for any number of threads; made by `connect`, ends for ever when it ends.

    Commands of all threads share it in the order in which they were made; one that blocks (BLPOP) holds up the others. Close
    it, or use it as a context manager. It does not survive a fork: in the child it is closed.
    """

    __slots__ = ("__weakref__",)

    _driver_type = Driver


@overload
def connect(url: str = ..., *, decode: Literal[False] = ..., **options: Unpack[Options]) -> Connection[bytes]: ...
@overload
def connect(url: str = ..., *, decode: Literal[True] | str, **options: Unpack[Options]) -> Connection[str]: ...
@overload
def connect(url: str = ..., *, decode: bool | str, **options: Unpack[Options]) -> Connection[Any]: ...
def connect(
    url: str = "redis://localhost", *, decode: bool | str = False, **options: Unpack[Options]
) -> Connection[Any]:
    """Open a connection: `connect("redis://user:password@host:6379/0", timeout=2.0)`.

    For URLs and options see `resp_sansio.Config`; all but `decode` can stand in the URL's query. `connect_timeout` covers all
    of it, name resolution excepted. Raises `ConnectError` (its `transient` says whether the same may succeed later),
    `ValueError` or `TypeError` for a wrong URL or option.
    """
    return threads.open_connection(Connection, Config.from_url(url, decode=decode, **options))


class Client(threads.Client[Connection[S], S]):
    """The object most programs use: `with Client("redis://localhost") as client`, for any number of threads.

    Their commands share one connection (`lanes` says if more), except for those that block or change a connection: these borrow
    one of their own, of `max_connections` in all. What is lost is dialled again, and what is safe to be tried again is. Nothing is
    opened before it is needed. For the options see `resp_sansio.Config`, `ClientSettings` and `PoolSettings`. After a fork, the
    child's client is as new.

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


class Pool(threads.Pool[Connection[S], S]):
    """Connections for any number of threads, `max_size` of them at most: `Pool("redis://localhost", max_size=20)`.

    `execute`, `pipeline` and `transaction` borrow one for as long as they take; `acquire` lends one for longer. Nothing is opened
    before it is needed, `min_size` excepted, which `with` opens. For the options see `resp_sansio.Config` and
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
