"""The example of a whole client, on real servers; and in the contract suite, by a backend as an adapter's author writes one."""

from __future__ import annotations

import inspect
import os
import runpy
import signal
import types
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import pytest

from adapters.backends import Backend, Ended, outcome
from adapters.contract import test_client, test_promises
from adapters.peers import GARBAGE, PATIENCE, Peer, Wire, listed
from examples import DOCS
from resp_sansio import (
    CircuitOpenError,
    CommandTimeoutError,
    ConnectError,
    ConnectionClosedError,
    ConnectionLostError,
    Outcome,
    Push,
    RespError,
    Retry,
)
from resp_sansio.client import error_of
from resp_sansio.connection import Slot, SlotState, new_slot
from resp_sansio.surface import tasks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Iterator

    from resp_asyncio import Client, Connection, Pool
    from resp_sansio.surface.tasks import Loan
    from servers import Server

EXAMPLE: Final = DOCS / "examples" / "full_client.py"

pytestmark = pytest.mark.usefixtures("nothing_is_left")


@pytest.fixture(scope="module")
def example() -> dict[str, Any]:
    return runpy.run_path(str(EXAMPLE))


@pytest.fixture(scope="module")
def connect(example: dict[str, Any]) -> Callable[..., Any]:
    client: Callable[..., Any] = example["FullClient"]
    return client


@pytest.fixture
def client(connect: Callable[..., Any], server: Server) -> Iterator[Any]:
    with connect(server.url) as client:
        yield client


class Begun:
    """A call that was begun, and is not waited for yet."""

    def __init__(self, client: Any, *words: Any, timeout: float = PATIENCE) -> None:
        self.driver = client._driver
        self.slot = new_slot(words, None, monotonic() + timeout)
        self.call = self.driver.begin(self.slot)

    @property
    def ended(self) -> bool:
        ended: bool = self.call.ended
        return ended

    def result(self) -> Any:
        self.driver.until_ended(self.slot, self.call)
        if self.slot.state is not SlotState.ANSWERED:
            raise error_of(self.slot)
        return self.slot.reply


# -- The main job ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["url", "unix_url", pytest.param("tls_url", marks=pytest.mark.needs("tls"))])
def test_every_kind_of_socket_moves_more_than_it_holds(connect: Callable[..., Any], server: Server, place: str) -> None:
    options = {"tls_ca_file": str(server.certificates.ca)} if place == "tls_url" and server.certificates else {}
    value = bytes(range(256)) * 40_000
    with connect(getattr(server, place), **options) as client:
        with client.pipeline() as pipe:
            pipe.execute("SET", "k", value)
            results = [pipe.execute("GET", "k") for _ in range(3)]
        assert [result.result() == value for result in results] == [True] * 3
        assert client.execute("ECHO", "x", decode=True) == "x"


def test_calls_that_share_go_in_one_write_and_one_that_blocks_delays_none(client: Any, server: Server) -> None:
    client.execute("PING")
    before = client.stats().lanes[0].connection.batches
    job = Begun(client, "BLPOP", "jobs", 0)
    calls = [Begun(client, "INCR", "n") for _ in range(100)]
    assert [call.result() for call in reversed(calls)] == list(range(100, 0, -1))
    assert client.stats().lanes[0].connection.batches - before == 2
    assert client.execute("RPUSH", "jobs", "one") == 1
    assert job.result() == [b"jobs", b"one"]
    assert len(listed(server)) == 3


def test_a_server_that_restarts_is_found_again(
    connect: Callable[..., Any], start_server: Callable[..., Server]
) -> None:
    server = start_server()
    with connect(server.url, timeout=PATIENCE, retry=Retry(attempts=1000)) as client:
        client.execute("SET", "k", "v")
        server.kill()
        call = Begun(client, "GET", "k")  # nothing listens
        client._driver.turn(monotonic() + 0.05)
        assert not call.ended
        server.restart()
        assert call.result() is None
        assert client.stats().lanes[0].created == 2


def test_a_timeout_costs_one_reply(client: Any) -> None:
    with pytest.raises(CommandTimeoutError) as raised:
        client.execute("DEBUG", "SLEEP", 0.2, timeout=0.05)
    assert raised.value.outcome is Outcome.MAYBE_EXECUTED
    pipe = client.pipeline(timeout=0.05)
    results = [pipe.execute("DEBUG", "SLEEP", 0.2), pipe.execute("PING")]
    with pytest.raises(CommandTimeoutError, match="pipeline of 2"):
        pipe.run()
    for result in results:
        with pytest.raises(CommandTimeoutError):
            result.result()
    assert client.execute("ECHO", "mine") == b"mine"


def test_an_interrupt_costs_one_call(client: Any) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        with pytest.raises(KeyboardInterrupt):
            client.execute("BLPOP", "empty", 0)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert client.execute("ECHO", "mine") == b"mine"


def test_an_interrupt_while_bytes_move_ends_the_link(client: Any) -> None:
    client.execute("PING")
    io = client._driver.machine.links[0].io
    real = io._socket

    class Struck:
        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

        def send(self, data: bytes) -> int:
            real.send(data)
            raise KeyboardInterrupt

    io._socket = Struck()
    with pytest.raises(KeyboardInterrupt):
        client.execute("INCR", "n")
    assert client.execute("GET", "n") == b"1"
    assert client.stats().lanes[0].created == 2


def test_pushes_reach_who_borrowed_the_connection(client: Any, server: Server) -> None:
    with client.acquire() as connection:
        connection.execute("SUBSCRIBE", "news")
        for number in range(1500):  # more than may wait before reading pauses
            server.call("PUBLISH", "news", number)
        assert connection.execute("ECHO", "x") == b"x"
        for number in range(1500):
            assert connection.next_push() == Push("message", (b"news", b"%d" % number))
        with pytest.raises(CommandTimeoutError):
            connection.next_push(timeout=0.05)
    with pytest.raises(ConnectionClosedError):
        connection.execute("PING")
    assert client.stats().leases.closed != {}


def test_a_lease_is_waited_for_in_turn_and_never_lent_dead(connect: Callable[..., Any], server: Server) -> None:
    with connect(server.url, max_connections=2) as client:
        with client.acquire() as connection:
            number = connection.execute("CLIENT", "ID")
            waiting = Begun(client, "BLPOP", "empty", 0.01, timeout=PATIENCE)
            with pytest.raises(CommandTimeoutError), client.acquire(timeout=0.05):
                pass
            assert not waiting.ended
        assert waiting.result() is None
        server.call("CLIENT", "KILL", "ID", number)
        with client.acquire() as connection:
            assert connection.execute("CLIENT", "ID") != number


def test_what_the_server_said_last_is_heard(connect: Callable[..., Any]) -> None:
    def script(wire: Wire) -> None:
        wire.welcome()
        wire.command()
        wire.send(b"+last words\r\n")

    with Peer(script) as peer, connect(peer.url) as client:
        assert client.execute("PING") == "last words"


def test_garbage_is_an_end_and_not_a_reply(connect: Callable[..., Any]) -> None:
    def script(wire: Wire) -> None:
        wire.welcome()
        wire.command()
        wire.send(GARBAGE)
        wire.drain()

    with Peer(script) as peer, connect(peer.url) as client:
        with pytest.raises(ConnectionLostError) as raised:
            client.execute("INCR", "n")
        assert raised.value.outcome is Outcome.MAYBE_EXECUTED


def test_why_there_is_no_connection_is_told(connect: Callable[..., Any], start_server: Callable[..., Server]) -> None:
    server = start_server()
    with connect(f"{server.url}?username=ann&password=secret") as client:
        with pytest.raises(ConnectError) as raised:
            client.execute("PING")
        assert not raised.value.transient
        assert "secret" not in str(raised.value)
    server.kill()
    with connect(server.url, timeout=0.2) as client:
        with pytest.raises(RespError, match="refused") as late:
            client.execute("PING")
        assert late.value.outcome is Outcome.NOT_SENT
    with connect(server.url, breaker_failures=2) as client, pytest.raises(CircuitOpenError):
        client.execute("PING")


@pytest.mark.parametrize(
    ("url", "why"),
    [("redis://127.0.0.1:1", "127.0.0.1:1: Connection refused"), (f"unix:///{'x' * 200}", ": AF_UNIX path too long")],
)
def test_a_dial_that_fails_says_why_once(connect: Callable[..., Any], url: str, why: str) -> None:
    with connect(url, retry=Retry(attempts=1)) as client, pytest.raises(ConnectError) as raised:
        client.execute("PING")
    assert str(raised.value).startswith("PING: cannot connect to ")
    assert why in str(raised.value)
    assert str(raised.value).count("cannot connect") == 1


@pytest.mark.needs("tls")
def test_a_dial_ends_at_its_deadline(connect: Callable[..., Any], server: Server) -> None:
    plain = server.url.replace("redis://", "rediss://")  # such a server waits for the end of a line
    with connect(plain, connect_timeout=0.5, retry=Retry(attempts=1)) as client:
        with pytest.raises(ConnectError, match="does the server speak TLS"):
            client.execute("PING")
        assert not client._driver.dials


def test_a_provider_that_raises_is_heard(connect: Callable[..., Any], server: Server) -> None:
    def provider() -> str:
        raise LookupError("the vault is shut")

    with connect(server.url, credentials=provider) as client, pytest.raises(LookupError, match="vault"):
        client.execute("PING")


def test_closing_with_a_timeout_lets_calls_finish(connect: Callable[..., Any], server: Server) -> None:
    client = connect(server.url)
    job = Begun(client, "BLPOP", "empty", 0.1)
    call = Begun(client, "PING")
    client._driver.turn()
    client.close(timeout=PATIENCE)
    assert job.ended
    assert call.ended
    with pytest.raises(ConnectionClosedError):
        client.execute("PING")
    client.close()


def test_closing_gives_up_a_dial(connect: Callable[..., Any], start_server: Callable[..., Server]) -> None:
    server = start_server()
    with server.paused(), connect(server.url) as client:
        call = Begun(client, "PING")
        client._driver.turn(monotonic() + 0.01)
        client.close()
        assert call.ended
        with pytest.raises(ConnectionClosedError):
            client.execute("PING")


def test_a_leak_is_told(connect: Callable[..., Any], server: Server) -> None:
    with (
        connect(server.url, leak_after=0.01) as client,
        client.acquire(),
        pytest.warns(ResourceWarning, match="in test_a_leak_is_told"),
    ):
        client.execute("BLPOP", "empty", 0.1)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_the_child_of_a_fork_disturbs_nothing(client: Any, server: Server) -> None:
    client.execute("SET", "k", "parent")
    under_way = Begun(client, "BLPOP", "jobs", 0)
    client.execute("PING")
    child = os.fork()
    if child == 0:  # pragma: no cover
        try:
            under_way.result()
        except ConnectionLostError:
            os._exit(0 if client.execute("GET", "k") == b"parent" else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    client.execute("RPUSH", "jobs", "mine")
    assert under_way.result() == [b"jobs", b"mine"]


# -- In the contract suite ------------------------------------------------------------------------------------------------------


@types.coroutine
def once(condition: Callable[[], bool]) -> Generator[None, None, None]:
    """Wait until it holds."""
    while not condition():
        yield


class Cancelled(BaseException):
    """What cancelling is here."""


class Task:
    """A coroutine, one step at a time."""

    def __init__(self, steps: Coroutine[Any, Any, Any]) -> None:
        self._steps = steps
        self.ended = False
        self.result: Any = None
        self.failure: BaseException | None = None

    def step(self, error: BaseException | None = None) -> None:
        try:
            if error is None:
                self._steps.send(None)
            else:
                self._steps.throw(error)
        except StopIteration as done:
            self.ended, self.result = True, done.value
        except BaseException as failure:  # noqa: BLE001  # for the one that waits for it
            self.ended, self.failure = True, failure


def awaiting(driver: Any) -> Any:
    """The example's driver, for tasks."""

    class Driver(driver):  # type: ignore[misc]
        async def call(self, slot: Slot, loan: Loan | None = None, epoch: int | None = None, /) -> None:
            call = self.begin(slot, loan, epoch)
            try:
                await once(lambda: call.ended)
            except BaseException:
                self.give_up(slot)
                raise

        async def acquire(self, deadline: float, borrower: str | None = None, *_more: object) -> Loan:
            return super().acquire(deadline, borrower)  # type: ignore[no-any-return]  # the others wait as well

        async def listen(self, loan: Loan, deadline: float, /) -> Push:
            return super().listen(loan, deadline)  # type: ignore[no-any-return]

        async def catch_up(self) -> None:
            super().catch_up()

        async def pause(self, seconds: float, /) -> None:
            super().pause(seconds)

        async def open(self) -> None:
            super().open()

        async def close(self, deadline: float, /) -> None:
            super().close(deadline)

        async def leave(self) -> None: ...

        async def checkpoint(self) -> None: ...

    return Driver


class OneThread(Backend):
    """Tasks that take steps in turn, between the turns of their clients."""

    name = "one thread"
    many = 100

    def __init__(self, driver: Any) -> None:
        class Connection(tasks.Connection[bytes]):
            _driver_type = awaiting(driver)

        class Client(tasks.Client[Connection, bytes]):
            _connection_type = Connection

        self._client: Any = Client
        self._clients: list[Any] = []
        self._tasks: list[Task] = []

    def run(self, test: Callable[[], Awaitable[Any]]) -> None:
        main = self._start(outcome(test))
        give_up = monotonic() + PATIENCE
        while not main.ended:
            assert monotonic() < give_up
            for task in [*self._tasks]:
                task.step()
            self._tasks = [task for task in self._tasks if not task.ended]
            for client in self._clients:
                if not client.closed:
                    client._driver.turn(monotonic() + 0.001)
        if main.failure is not None:
            raise main.failure
        assert main.result is None
        assert not self._tasks

    def _start(self, steps: Coroutine[Any, Any, Any]) -> Task:
        self._tasks.append(Task(steps))
        return self._tasks[-1]

    @asynccontextmanager
    async def client(self, url: str, **options: Any) -> AsyncIterator[Client]:
        async with self._client(url, **options) as client:
            self._clients.append(client)
            try:
                yield client
            finally:
                self._clients.remove(client)

    def connect(self, url: str, **options: Any) -> AbstractAsyncContextManager[Connection]:
        raise NotImplementedError

    def pool(self, url: str, **options: Any) -> AbstractAsyncContextManager[Pool]:
        raise NotImplementedError

    async def sleep(self, seconds: float) -> None:
        until, turns = monotonic() + seconds, iter([False])
        await once(lambda: next(turns, True) and monotonic() >= until)

    async def together(self, *calls: Callable[[], Awaitable[Any]]) -> list[Any]:
        tasks = [self._start(outcome(call)) for call in calls]
        await once(lambda: all(task.ended for task in tasks))
        for task in tasks:
            if task.failure is not None:
                raise task.failure
        return [task.result for task in tasks]

    @asynccontextmanager
    async def cancelled(self, call: Callable[[], Awaitable[Any]]) -> AsyncIterator[Ended]:
        ended, task = Ended(), self._start(outcome(call))
        try:
            yield ended
        finally:
            if not task.ended:
                task.step(Cancelled())
        await once(lambda: task.ended)
        if task.failure is None:
            ended.outcome = task.result
        elif not isinstance(task.failure, Cancelled):
            raise task.failure


@pytest.fixture
def backend(example: dict[str, Any]) -> Backend:
    return OneThread(example["Driver"])


CONTRACT: Final = [
    test_client.test_all_that_can_share_goes_by_one_connection,
    test_client.test_what_was_not_sent_goes_first_and_in_its_order,
    test_client.test_a_server_that_is_busy_is_asked_again_on_the_same_connection,
    test_client.test_a_server_that_stays_busy_is_told_as_it_says,
    test_client.test_counters_say_what_has_happened,
    test_promises.test_3_what_may_have_run_is_not_run_again,
    test_promises.test_3_what_only_reads_is_read_again,
    test_promises.test_3_a_pipeline_of_writes_that_is_cut_runs_none_of_them_twice,
    test_promises.test_3_a_pipeline_of_reads_that_is_cut_continues,
    test_promises.test_3_a_transaction_that_is_cut_is_not_repeated,
    test_promises.test_6_what_blocks_delays_nobody,
    test_promises.test_6_what_blocks_may_take_longer_than_the_clients_timeout,
    test_promises.test_6_what_blocks_and_is_given_up_takes_nothing_from_the_list,
    test_promises.test_10_nothing_is_sent_before_the_handshake_is_accepted,
    test_promises.test_10_two_round_trips_where_the_server_does_not_know_hello,
    test_promises.test_11_what_speaks_of_its_neighbours_goes_behind_them,
]


@pytest.mark.parametrize("test", CONTRACT, ids=[test.__name__ for test in CONTRACT])
def test_joins_in_the_contract(backend: Backend, server: Server, test: Callable[..., None]) -> None:
    given = {"backend": backend, "server": server, "strategy": "client"}
    test(**{name: given[name] for name in inspect.signature(test).parameters})


@pytest.mark.parametrize("line", ["fast", "slow", "cut"])
def test_joins_in_the_storms(backend: Backend, server: Server, line: str) -> None:
    test = test_promises.test_1_nobody_gets_what_another_asked_for
    test(backend, server=server, strategy="client", line=line)
