"""What a pool and a client may do: their options, beside those of a connection.

As in `config.config`, each is declared once, with its kind, default and meaning. They are given as keywords together with those
of the connection, and divided here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .._record import Record
from .config import Config, Options
from .options import BOOL, LONGEST, SECONDS, hint, integer, option, options_of, shown
from .retry import RETRY, Breaker, Retry

__all__ = [
    "ClientOptions", "ClientSettings", "PoolOptions", "PoolSettings", "divide_options", "of_one_server", "read_client_options",
    "read_pool_options",
]  # fmt: skip

MOST: Final = 2**16  # connections from one host to one port: TCP has no more
TIME: Final = SECONDS._replace(allowed=f"seconds above 0 and up to {LONGEST}", types=(int, float))


class PoolSettings(Record):
    """What a pool may do. Raises `TypeError` or `ValueError` for wrong values."""

    # HikariCP and r2d2.
    max_size: int = option(10, integer(1, MOST), "Connections at most.")
    min_size: int = option(0, integer(0, MOST), "Connections kept even if no caller needs them.")
    # psycopg_pool: no limit.
    max_waiting: int | None = option(
        None,
        integer(0, 2**31).or_none("none"),
        "Callers that may wait for one in use; more are refused. None: any number.",
    )
    # HikariCP, r2d2 and psycopg_pool: 10 minutes.
    max_idle: float | None = option(
        600.0, SECONDS, "Close what was not used for so long, down to `min_size`. None: never."
    )
    # go-redis: none. Redis itself does not mind how old a connection is; what stands in between may.
    max_lifetime: float | None = option(
        None, SECONDS, "Replace connections of this age, at random up to 5 % earlier. None: never."
    )
    # psycopg_pool: num_workers.
    max_dials: int = option(3, integer(1, MOST), "Connections opened at the same time.")
    pre_ping: bool = option(False, BOOL, "Before a connection is lent, see that it answers a PING.")
    retry: Retry = option(Retry(), RETRY, "What is tried again, how often, and after which pauses.")
    leak_after: float | None = option(
        None, SECONDS, "Report a caller that keeps a connection for longer, with its stack. None: never."
    )
    breaker_failures: int | None = option(
        None, integer(1, MOST).or_none("none"), "Fail fast after so many failed dials in a row. None: never."
    )
    # Hystrix: sleepWindowInMilliseconds.
    breaker_seconds: float = option(5.0, TIME, "How long to fail fast before one dial is tried again.")

    def __post_init__(self) -> None:
        for name, one in options_of(self).items():
            one.check(name, getattr(self, name))
        if self.min_size > self.max_size:
            raise ValueError(f"min_size must not be more than max_size; got {self.min_size} and {self.max_size}")

    def breaker(self) -> Breaker | None:
        """Return a new breaker, if one is asked for."""
        return None if self.breaker_failures is None else Breaker(self.breaker_failures, self.breaker_seconds)


class PoolOptions(Options, total=False):
    """The options of a connection and those of a pool as one type: `Pool(url, **options: Unpack[PoolOptions])`."""

    max_size: int
    min_size: int
    max_waiting: int | None
    max_idle: float | None
    max_lifetime: float | None
    max_dials: int
    pre_ping: bool
    retry: Retry
    leak_after: float | None
    breaker_failures: int | None
    breaker_seconds: float


class ClientSettings(Record):
    """What a client may do. Raises `TypeError` or `ValueError` for wrong values."""

    # coredis: 64.
    max_connections: int = option(
        64, integer(1, MOST), "Connections at most, lanes and leases together. 1: a single one for everything."
    )
    # rueidis has 4 by default, StackExchange.Redis and ioredis 1: splitting makes batches smaller, and only 1 keeps one order.
    lanes: int = option(1, integer(1, MOST), "Connections that are shared.")
    retry: Retry = option(Retry(), RETRY, "What is tried again, how often, and after which pauses.")

    def __post_init__(self) -> None:
        for name, one in options_of(self).items():
            one.check(name, getattr(self, name))
        if self.lanes > self.max_connections:
            raise ValueError(
                f"lanes must not be more than max_connections; got {self.lanes} and {self.max_connections}"
            )

    @property
    def leases(self) -> int:
        """How many connections may be leased; 0: what needs one goes by a lane, and holds up the others there."""
        return self.max_connections - self.lanes


class ClientOptions(Options, total=False):
    """The options of a connection and those of a client as one type: `Client(url, **options: Unpack[ClientOptions])`."""

    max_connections: int
    lanes: int
    retry: Retry
    max_waiting: int | None
    max_idle: float | None
    max_lifetime: float | None
    max_dials: int
    pre_ping: bool
    leak_after: float | None
    breaker_failures: int | None
    breaker_seconds: float


# -- Reading them ---------------------------------------------------------------------------------------------------------


def divide_options(owner: str, options: Mapping[str, object], *records: type[Record]) -> list[dict[str, Any]]:
    """Return for each record those of the options that are its own.

    Raises `TypeError`, with the nearest name, for one that belongs to none; `owner` is the class that was given it.
    """
    known = [options_of(record) for record in records]
    names = [name for those in known for name in those]
    if unknown := [name for name in options if name not in names]:
        raise TypeError(f"{owner} has no option {shown(unknown[0])}{hint(unknown[0], names)}")
    return [{name: value for name, value in options.items() if name in those} for those in known]


def of_one_server(config: Config, owner: str) -> Config:
    """Return it. Raises `ValueError` if it is of several servers, and `owner` is for one."""
    if config.cluster:
        raise ValueError(f"{owner} is for one server, not for a {config.address}: give it the URL of one of them")
    if config.has_replicas:
        raise ValueError(f"read_from is no option of {owner}, which leads to the master; use Client")
    return config


def read_pool_options(url: str, options: Mapping[str, object], owner: str = "Pool") -> tuple[Config, PoolSettings]:
    """Return what a pool was asked for: how to connect, and what it may do. Raises as `Config.from_url` does."""
    connection, pool = divide_options(owner, options, Config, PoolSettings)
    config = of_one_server(Config.from_url(url, **connection), owner)
    if config.cache is not None:
        raise ValueError(
            f"cache is no option of {owner}: its connections are read only while they are lent, so what a server says of changes"
            " would not be heard; use Client"
        )
    return config, PoolSettings(**pool)


def read_client_options(
    url: str, options: Mapping[str, object], owner: str = "Client"
) -> tuple[Config, ClientSettings, PoolSettings]:
    """Return how to connect, what the client may do, and what the pool of its leases may do (if `leases` is not 0).

    Raises as `Config.from_url` does.
    """
    connection, client, pool = divide_options(owner, options, Config, ClientSettings, PoolSettings)
    for name in ("max_size", "min_size"):
        if name in pool:
            raise TypeError(f"{owner} has no option {name!r}{hint(name, ())}; did you mean 'max_connections'?")
    settings = ClientSettings(**client)
    config = Config.from_url(url, **connection)
    return config, settings, PoolSettings(max_size=max(settings.leases, 1), **pool)
