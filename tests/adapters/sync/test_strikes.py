"""An interrupt at each place of a call, one after the other, and a second one while the first is seen to: nothing is lost for good.

Where storms of signals strike by chance, these strike by count: as a function of the library begins, or one of the C library's
has returned, which is where CPython looks for signals.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

import resp_sync
from resp_sansio import CommandTimeoutError, ConnectionClosedError
from resp_sansio.client import Client as Machine
from resp_sansio.connection import new_slot
from resp_sync import _transport
from sentinels import Sentinels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from servers import Server


class Alarm(BaseException):
    """What a signal's handler raises."""


class Strikes:
    """Raises an `Alarm` at the so-many-th place, and the next one so many places later."""

    def __init__(self, first: int, second: int | None = None) -> None:
        self.left = [first] if second is None else [first, second]
        self.struck = 0

    def __enter__(self) -> None:
        sys.setprofile(self.profile)
        if len(self.left) > 1:
            sys.settrace(self.trace)  # what raises in a profile function ends profiling

    def __exit__(self, *exception: object) -> None:
        sys.setprofile(None)
        sys.settrace(None)

    def trace(self, _frame: FrameType, _event: str, _: object) -> None:
        if self.struck == 1:
            sys.setprofile(self.profile)

    def profile(self, frame: FrameType, event: str, _: object) -> None:
        # Or a context manager that a function of the library uses; pytest uses some to tell of what `__del__` raises.
        by = frame.f_back if frame.f_code.co_filename.endswith("contextlib.py") else frame
        ours = by is not None and f"{os.sep}resp_s" in by.f_code.co_filename
        if self.struck < len(self.left) and ours and event in ("call", "c_return"):
            self.left[self.struck] -= 1
            if self.left[self.struck] == 0:
                self.struck += 1
                raise Alarm


def ask(client: Any) -> None:
    token = os.urandom(4).hex()
    assert client.execute("ECHO", token, timeout=20.0) == token.encode()


def block(client: Any) -> None:
    client.execute("BLPOP", "none", 0.001, timeout=20.0)


def borrow(client: Any) -> None:
    with client.acquire(timeout=20.0) as connection:
        ask(connection)


def hear(client: Any) -> None:
    with suppress(CommandTimeoutError):
        client.next_push(timeout=0.001)


def ahead(client: Any) -> None:
    """One that is waited for, one that is given up, and a page that is thrown away."""
    driver = client._driver
    waited, given_up = [new_slot(("ECHO", word), None, driver.now() + 20.0) for word in ("a", "b")]
    driver.ahead(waited, client._lease)
    driver.ahead(given_up, client._lease)
    driver.give_up(given_up)
    driver.finish(waited)
    assert waited.reply == b"a"
    scan = client.scan_iter("none", 1)
    with suppress(StopIteration):
        next(scan)


def late(client: Any) -> None:
    """A call whose time is up, and one that finds the reply to it."""
    with suppress(CommandTimeoutError):
        client.execute("ECHO", "late", timeout=0.0)
    for link in client._driver.machine.links:
        if link.core.in_flight:
            link.io.poll(20_000)
    ask(client)


def at_rest(stats: Any) -> bool:
    return (stats.leased, stats.waiting, stats.dialling) == (0, 0, 0)


def check(client: Any, *, begun_ahead: bool = False) -> None:
    """All that was there before is there again, at once; but a call that was begun ahead comes to its end by itself, soon."""
    with suppress(ConnectionClosedError):  # a connection may have ended, and a client has another
        ask(client)
        ask(client)
    driver = client._driver
    pool = driver.machine.pool
    if pool is not None:
        with client.acquire(timeout=20.0), client.acquire(timeout=20.0):
            pass
        while begun_ahead and not at_rest(pool.stats()):  # the test's own bound applies
            ask(client)
        assert at_rest(pool.stats())
    crew = driver.crew
    assert not driver._torn
    assert not crew.sleepers
    assert not crew.dialling
    assert not driver._openings
    assert {post.link for post in crew.posts} == set(driver.machine.links)


CASES = [
    pytest.param("Client", {}, ask, id="Client"),
    pytest.param("Client", {}, block, id="Client, leases"),
    pytest.param("Pool", {}, ask, id="Pool"),
    pytest.param("Pool", {}, borrow, id="Pool, blocks"),
    pytest.param("Pool", {"pre_ping": True}, borrow, id="Pool, blocks, pre_ping"),
    pytest.param("connect", {}, hear, id="connect, pushes"),
    pytest.param("Client", {}, late, id="Client, late"),
    pytest.param("Pool", {}, late, id="Pool, late"),
    pytest.param("connect", {}, late, id="connect, late"),
    pytest.param("Client", {}, ahead, id="Client, ahead"),
    pytest.param("Pool", {}, ahead, id="Pool, ahead"),
    pytest.param("connect", {}, ahead, id="connect, ahead"),
]


@pytest.mark.parametrize(("strategy", "options", "use"), CASES)
@pytest.mark.parametrize("second", [None, 2, 20])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_at_each_place(
    server: Server, strategy: str, options: dict[str, Any], use: Callable[[Any], None], second: int | None
) -> None:
    sizes = {} if strategy == "connect" else {"max_size" if strategy == "Pool" else "max_connections": 3}
    place, struck = 0, True
    while struck:
        place += 1 if second is None and use is not ahead else 4
        with getattr(resp_sync, strategy)(server.url, **sizes, **options) as client:
            ask(client)
            strikes = Strikes(place, second)
            with suppress(Alarm), strikes:
                use(client)
            struck = strikes.struck > 0
            check(client, begun_ahead=use is ahead)
    assert place > 30


@pytest.mark.parametrize("strategy", ["Client", "Pool", "connect"])
@pytest.mark.parametrize("second", [None, 20])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_at_each_place_of_a_large_value(server: Server, strategy: str, second: int | None) -> None:
    """Nothing stays that would stay for ever, and what stands under the key is whole."""
    values = b"a" * 45, b"b" * 45

    def move(client: Any) -> None:
        client.write_value("k", values[1], chunk_size=10)
        with client.read_value("k", chunk_size=10) as value:
            assert b"".join(value) == values[1]

    place, struck = 0, True
    while struck:
        place += 41 if second is None else 97
        server.call("SET", "k", values[0])
        sizes = {} if strategy == "connect" else {"max_size" if strategy == "Pool" else "max_connections": 3}
        with getattr(resp_sync, strategy)(server.url, **sizes) as client:
            ask(client)
            strikes = Strikes(place, second)
            with suppress(Alarm), strikes:
                move(client)
            struck = strikes.struck > 0
            check(client)
            if strategy == "Pool":
                move(client)
        assert server.call("GET", "k") in values
        keys = server.call("KEYS", "k.unfinished-*")
        assert isinstance(keys, list)
        assert all(server.call("TTL", key) != -1 for key in keys if isinstance(key, bytes))
        server.call("FLUSHALL")
    assert place > 1000


@pytest.mark.needs("Redis 7.0 or Valkey 7.2")
@pytest.mark.parametrize("strategy", ["Client", "Pool"])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_at_each_place_of_the_search_for_a_master(behind: Sentinels, strategy: str) -> None:
    place, struck = 0, True
    while struck:
        place += 41
        with getattr(resp_sync, strategy)(behind.url) as client:
            strikes = Strikes(place)
            with suppress(Alarm), strikes:
                ask(client)
            struck = strikes.struck > 0
            check(client)
    assert place > 300


@pytest.fixture(scope="module")
def behind() -> Iterator[Sentinels]:
    with Sentinels() as sentinels:
        yield sentinels


def test_a_borrower_that_is_thrown_away_leaves_nothing_to_be_interrupted(server: Server) -> None:
    """An interrupt may strike as its block begins, and another one in whatever would clear up behind it."""
    with resp_sync.Pool(server.url, max_size=1) as pool:
        borrowed = pool.acquire(timeout=20.0)
        borrowed.__enter__()
        with Strikes(1):
            del borrowed
        with pool.acquire(timeout=20.0):
            pass


@pytest.mark.parametrize("error", [ValueError("mine"), TimeoutError("mine"), KeyboardInterrupt("mine")])
@pytest.mark.parametrize("strategy", ["Client", "Pool"])
def test_an_interrupt_in_a_dial_is_told_to_its_own_caller_alone(
    server: Server, monkeypatch: pytest.MonkeyPatch, strategy: str, error: BaseException
) -> None:
    """Whatever it raises; and the dial goes on with another."""
    real = _transport.wait_for
    dialling, struck = threading.Event(), threading.Event()
    replies: list[object] = []

    def wait_for(*args: Any, **options: Any) -> list[int]:
        if threading.current_thread() is threading.main_thread() and not struck.is_set():
            dialling.set()
            assert struck.wait(0.2) is False  # the other thread comes by meanwhile
            struck.set()
            raise error
        return real(*args, **options)

    def ask_as_well() -> None:
        assert dialling.wait(20)
        replies.append(client.execute("PING", timeout=20.0))

    monkeypatch.setattr(_transport, "wait_for", wait_for)
    with getattr(resp_sync, strategy)(server.url, retry=resp_sync.Retry(attempts=1)) as client:
        other = threading.Thread(target=ask_as_well)
        other.start()
        with pytest.raises(type(error), match="mine"):
            client.execute("PING", timeout=20.0)
        other.join(30)
        assert replies == ["PONG"]


def test_an_interrupt_as_a_link_is_made_leaves_none_behind(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Machine.connected
    made: list[Any] = []

    def connected(*args: Any) -> Any:
        made.append(real(*args))
        if len(made) == 1:
            raise ValueError("mine")
        return made[-1]

    monkeypatch.setattr(Machine, "connected", connected)
    with resp_sync.Client(server.url) as client:
        with pytest.raises(ValueError, match="mine"):
            client.execute("PING", timeout=20.0)
        assert client.execute("PING", timeout=20.0) == "PONG"
        assert made[0].ended
        assert client._driver.machine.links == made[1:]


@pytest.mark.parametrize("place", ["send", "recv"])
def test_an_interrupt_that_looks_like_an_error_of_the_system_is_none(server: Server, place: str) -> None:
    """A handler that raises `TimeoutError` says nothing of the connection, and its caller is to see it."""

    with resp_sync.connect(server.url) as connection:
        io: Any = connection._link.io
        real = getattr(io, place)

        def move(what: Any) -> Any:
            real(what)
            raise TimeoutError("mine")

        setattr(io, place, move)
        with pytest.raises(TimeoutError, match="mine"):
            connection.execute("PING")


def test_an_interrupt_while_the_time_is_kept_ends_one_link_at_most(server: Server) -> None:
    with resp_sync.Pool(server.url, max_size=2, ping_interval=300.0) as pool:
        with pool.acquire() as first, pool.acquire() as second:
            ask(first)
            ask(second)
        driver: Any = pool._driver
        machine = driver.machine
        links = machine.links
        core = links[0].core
        before = type(core)

        class Struck(before):  # type: ignore[misc,valid-type]
            __slots__ = ()

            def handle_timeout(self, _now: float) -> None:
                core.__class__ = before
                raise Alarm

        core.__class__ = Struck
        with suppress(Alarm):
            driver.change("keep the time", lambda machine, now: machine.handle_timeout(now + 400))
        ask(pool)
        assert [link.ended for link in links] == [True, False]
