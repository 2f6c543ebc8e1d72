"""What trio promises of every coroutine, kept by resp_trio: checkpoints on every path, clocks and cancel scopes that count."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pytest
import trio
import trio.testing

from adapters.peers import Peer, Wire, calls
from adapters.runs import in_a_run, until
from resp_sansio import (
    DEFAULT,
    Command,
    CommandTimeoutError,
    ConnectError,
    ConnectionClosedError,
    ConnectionLostError,
    Default,
    LocalProtocolError,
    Outcome,
    Push,
    ReplyError,
)
from resp_sansio.connection import Slot
from resp_trio import Client, Connection, Pool, WatchedTransaction, connect
from resp_trio._socket import Socket

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from servers import Server


# -- Checkpoints ----------------------------------------------------------------------------------------------------------------


async def leave_a_block_by_an_error(connection: Connection) -> None:
    async with connection.pipeline() as pipe:
        pipe.execute("INCR", "n")
        raise KeyError


async def leave_a_block_of_nothing(connection: Connection) -> None:
    async with connection.pipeline():
        pass


async def run_twice(connection: Connection) -> None:
    pipe = connection.pipeline()
    await pipe.run()
    await pipe.run()


async def send_what_is_refused(connection: Connection) -> None:
    transaction = connection.transaction()
    transaction.execute("SUBSCRIBE", "news")
    await transaction.run()


async def decide_for_nothing(transaction: WatchedTransaction) -> None:
    with trio.testing.assert_checkpoints():
        assert await transaction.read("GET", "none") is None


async def run_too_early(transaction: WatchedTransaction) -> None:
    await transaction.run()


async def take_what_waits(connection: Connection) -> None:
    await connection.execute("SUBSCRIBE", "news")
    async with connect(f"redis://{connection._config.address}") as other:
        await other.execute("PUBLISH", "news", "rain")
    await connection.execute("PING")
    with trio.testing.assert_checkpoints():
        assert await connection.next_push(timeout=0) == Push("message", (b"news", b"rain"))


async def use_what_is_closed(connection: Connection) -> None:
    for _ in range(2):
        with trio.testing.assert_checkpoints():
            await connection.close()
    with trio.testing.assert_checkpoints(), pytest.raises(ConnectionClosedError):
        await connection.next_push()
    await connection.execute("PING")


CALLS: Final[list[tuple[str, Callable[[Connection], Awaitable[object]], type[Exception] | None]]] = [
    ("a command", lambda c: c.execute("PING"), None),
    ("an error reply", lambda c: c.execute("NONSENSE"), ReplyError),
    ("a method", lambda c: c.get("k"), None),
    ("a method that blocks on the server", lambda c: c.blpop("none", timeout=0.01), None),
    ("an error reply to a method", lambda c: c.evalsha("nonsense", 0), ReplyError),
    ("a timeout", lambda c: c.execute("BLPOP", "none", 1, timeout=0), CommandTimeoutError),
    ("an empty pipeline", lambda c: c.pipeline().run(), None),
    ("a block of nothing", leave_a_block_of_nothing, None),
    ("a block left by an error", leave_a_block_by_an_error, KeyError),
    ("transact", lambda c: c.transact(decide_for_nothing, "k"), None),
    ("a push that waits", take_what_waits, None),
    ("a push that does not come", lambda c: c.next_push(timeout=0), CommandTimeoutError),
    ("what is closed", use_what_is_closed, ConnectionClosedError),
]


@pytest.mark.parametrize(("call", "error"), [pytest.param(*case, id=name) for name, *case in CALLS])
@in_a_run
async def test_every_call_is_a_checkpoint(
    server: Server, call: Callable[[Connection], Awaitable[object]], error: type[Exception] | None
) -> None:
    connection = await connect(server.url)
    with trio.testing.assert_checkpoints():
        if error is None:
            await call(connection)
        else:
            with pytest.raises(error):
                await call(connection)
    with trio.testing.assert_checkpoints():
        await connection.close()


# What a program has got wrong is told before anything is submitted: no loop tries that again.
MISTAKES: Final[list[tuple[str, Callable[[Connection], Awaitable[object]], type[Exception]]]] = [
    ("a wrong argument", lambda c: c.execute("SET", "k", None), TypeError),  # type: ignore[call-overload]
    ("a wrong argument of a method", lambda c: c.get(None), TypeError),  # type: ignore[arg-type]
    ("something beside a command", lambda c: c.execute(Command("PING"), "x"), TypeError),  # type: ignore[call-overload]
    ("a wrong timeout", lambda c: c.execute("PING", timeout=-1), ValueError),
    ("a wrong encoding", lambda c: c.execute("PING", decode="nonsense"), ValueError),
    ("a command that is refused", lambda c: c.execute("CLIENT", "REPLY", "OFF"), LocalProtocolError),
    ("a pipeline run twice", run_twice, LocalProtocolError),
    ("a pipeline that is refused", send_what_is_refused, LocalProtocolError),
    ("transact on nothing", lambda c: c.transact(decide_for_nothing), ValueError),
    ("transact that is run too early", lambda c: c.transact(run_too_early, "k"), LocalProtocolError),
    ("a wrong timeout for a push", lambda c: c.next_push(timeout=-1), ValueError),
]


@pytest.mark.parametrize(("call", "error"), [pytest.param(*case, id=name) for name, *case in MISTAKES])
@in_a_run
async def test_a_mistake_is_told_whether_or_not_the_call_was_a_checkpoint(
    server: Server, call: Callable[[Connection], Awaitable[object]], error: type[Exception]
) -> None:
    async with connect(server.url) as connection:
        with pytest.raises(error):
            await call(connection)
        assert await connection.execute("PING") == "PONG"


async def send_by_a_pipeline(lender: Client | Pool) -> None:
    pipe = lender.pipeline()
    pipe.get("k")
    await pipe.run()


async def borrow(lender: Client | Pool) -> None:
    async with lender.acquire():
        pass


@pytest.mark.parametrize("strategy", [Client, Pool])
@in_a_run
async def test_a_loop_that_tries_again_what_is_closed_lets_the_others_run(
    server: Server, strategy: type[Client | Pool]
) -> None:
    async with strategy(server.url) as lender:
        async with lender.acquire() as connection:
            pass
        await lender.close()
        for call in (
            partial(lender.execute, "PING"),
            partial(lender.get, "k"),
            partial(send_by_a_pipeline, lender),
            partial(borrow, lender),
            partial(connection.execute, "PING"),
            connection.next_push,
        ):
            with trio.testing.assert_checkpoints(), pytest.raises(ConnectionClosedError):
                await call()
        for close in (connection.close, lender.close):
            with trio.testing.assert_checkpoints():
                await close()


@in_a_run
async def test_opening_is_a_checkpoint(server: Server) -> None:
    with trio.testing.assert_checkpoints(), pytest.raises(ConnectError):
        await connect("redis://127.0.0.1:1")
    with trio.testing.assert_checkpoints():
        connection = await connect(server.url)
    with trio.testing.assert_checkpoints():
        async with connection:
            pass


@in_a_run
async def test_a_write_that_fails_is_a_checkpoint(start_server: Callable[..., Server]) -> None:
    server = start_server()
    async with connect(server.url) as connection:
        server.kill()
        with trio.testing.assert_checkpoints(), pytest.raises((ConnectionLostError, ConnectionClosedError)):
            await connection.execute("PING")


# -- Cancelled before -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("others", [0, 1, 5])
@in_a_run
async def test_who_is_cancelled_already_sends_nothing(server: Server, others: int) -> None:
    """Alone, as the one who would send for others, and as one of those."""
    before = calls(server, "incr")
    async with connect(server.url) as connection, trio.open_nursery() as nursery:

        async def give_up(call: Callable[[], Awaitable[object]]) -> None:
            with trio.CancelScope() as scope:
                scope.cancel()
                await call()
            assert scope.cancelled_caught

        pipe, transaction = connection.pipeline(), connection.transaction()
        for batch in (pipe, transaction):
            batch.execute("INCR", "n")

        async def update(transaction: WatchedTransaction) -> None:
            transaction.execute("INCR", "n")

        for _ in range(20):
            for _ in range(others):
                nursery.start_soon(connection.execute, "PING")
            nursery.start_soon(give_up, lambda: connection.execute("INCR", "n"))
            await trio.lowlevel.checkpoint()
        for call in (pipe.run, transaction.run, lambda: connection.transact(update, "n"), connection.next_push):
            await give_up(call)
        await connection.execute("PING")
        assert calls(server, "incr") == before
        assert await connection.execute("EXISTS", "n") == 0


# -- Time -----------------------------------------------------------------------------------------------------------------------


def silent(wire: Wire) -> None:
    """A server that accepts, and says nothing more."""
    wire.welcome()
    wire.drain()


@in_a_run
async def test_cancel_scopes_cost_a_reply(server: Server) -> None:
    async with connect(server.url) as connection:
        with trio.move_on_after(0.05) as scope:
            await connection.execute("DEBUG", "SLEEP", 0.2)
        assert scope.cancelled_caught
        with pytest.raises(trio.TooSlowError), trio.fail_after(0):
            await connection.execute("PING")
        assert await connection.execute("ECHO", "mine") == b"mine"


@in_a_run
async def test_time_is_what_the_clock_of_trio_says(clock: trio.testing.MockClock) -> None:
    with Peer(silent) as peer:
        async with connect(peer.url, timeout=3600, silence_timeout=None) as connection, trio.open_nursery() as nursery:
            ended: list[tuple[str, Outcome]] = []

            async def ask(name: str, timeout: float | Default) -> None:
                with pytest.raises(CommandTimeoutError) as caught:
                    await connection.execute("GET", name, timeout=timeout)
                ended.append((name, caught.value.outcome))

            # The first leads; the last has less time than it.
            for name, timeout in (("as configured", DEFAULT), ("longest", 7200), ("shortest", 60)):
                nursery.start_soon(ask, name, timeout)
                await trio.testing.wait_all_tasks_blocked()
            for seconds, expected in ((59, 0), (1.5, 1), (3530, 1), (10, 2), (3590, 2), (10, 3)):
                clock.jump(seconds)
                await trio.testing.wait_all_tasks_blocked()
                assert len(ended) == expected
            assert [name for name, _ in ended] == ["shortest", "as configured", "longest"]
            assert {outcome for _, outcome in ended} == {Outcome.MAYBE_EXECUTED}


@in_a_run
async def test_nothing_happens_on_a_connection_while_no_task_calls(clock: trio.testing.MockClock) -> None:
    """No PING is sent, and nothing is timed; what calls after that has its time again."""
    heard: list[list[bytes]] = []

    def script(wire: Wire) -> None:
        wire.welcome()
        for words in wire.commands():
            heard.append(words)
            wire.send(b"+PONG\r\n")

    with Peer(script) as peer:
        async with (
            connect(peer.url, ping_interval=10, silence_timeout=20, timeout=5) as connection,
            trio.open_nursery() as nursery,
        ):
            for count in (1, 2, 3):
                assert await connection.execute("PING") == "PONG"
                for seconds in (4, 2, 5, 30, 1000):
                    clock.jump(seconds)
                    await trio.testing.wait_all_tasks_blocked()
                assert len(heard) == count
            ended: list[BaseException] = []

            async def listen() -> None:
                with pytest.raises(CommandTimeoutError) as caught:
                    await connection.next_push(timeout=8)
                ended.append(caught.value)

            nursery.start_soon(listen)
            await trio.testing.wait_all_tasks_blocked()
            clock.jump(7.5)
            await trio.testing.wait_all_tasks_blocked()
            assert not ended
            clock.jump(1)
            await trio.testing.wait_all_tasks_blocked()
            assert len(ended) == 1
            assert len(connection._driver.machine.links) == 1


@in_a_run
async def test_an_autojump_clock_takes_no_time(clock: trio.testing.MockClock) -> None:
    with Peer(silent) as peer:
        async with connect(peer.url, timeout=3600, silence_timeout=None) as connection:
            clock.autojump_threshold = 0.01
            with pytest.raises(CommandTimeoutError):
                await connection.execute("GET", "k")
            with pytest.raises(CommandTimeoutError):
                await connection.next_push(timeout=3600)
            with trio.move_on_after(3600) as scope:
                await connection.execute("GET", "k", timeout=None)
            assert scope.cancelled_caught
            assert trio.current_time() >= 3 * 3600


@in_a_run
async def test_silence_and_keep_alive_go_by_the_clock_of_trio(clock: trio.testing.MockClock) -> None:
    said: list[list[bytes]] = []

    def script(wire: Wire) -> None:
        wire.welcome()
        said.extend(wire.commands())

    with Peer(script) as peer:
        async with (
            connect(peer.url, ping_interval=60, silence_timeout=600) as connection,
            trio.open_nursery() as nursery,
        ):

            async def listen() -> None:
                with pytest.raises(ConnectionLostError, match="owes a reply and has been silent"):
                    await connection.next_push(timeout=None)

            nursery.start_soon(listen)
            for _ in range(2):  # one to find that something had come, one to find that nothing has
                await trio.testing.wait_all_tasks_blocked()
                clock.jump(61)
            await trio.testing.wait_all_tasks_blocked()
            assert not connection.closed
            clock.jump(601)
    assert said == [[b"PING"]]


# -- Nurseries ------------------------------------------------------------------------------------------------------------------


@in_a_run
async def test_a_nursery_may_outlive_the_connection(address: str, server: Server) -> None:
    told: list[type[BaseException]] = []

    async def work(connection: Connection) -> None:
        try:
            while True:
                await connection.execute("ECHO", "x" * 100)
        except (ConnectionLostError, ConnectionClosedError) as error:
            told.append(type(error))

    async with trio.open_nursery() as nursery:
        async with connect(address) as connection:
            for _ in range(20):
                nursery.start_soon(work, connection)
            nursery.start_soon(work_on_pushes, connection, told)
            await trio.sleep(0.02)
        assert connection.closed
        nursery.start_soon(work, connection)
    assert len(told) == 22


async def work_on_pushes(connection: Connection, told: list[type[BaseException]]) -> None:
    with pytest.raises(ConnectionLostError) as caught:
        await connection.next_push(timeout=None)
    told.append(caught.type)


async def both(*calls: Callable[[], Awaitable[object]]) -> None:
    async with trio.open_nursery() as nursery:
        for call in calls:
            nursery.start_soon(call)


@in_a_run
async def test_an_error_is_itself_and_cancels_what_its_nursery_started(server: Server) -> None:
    async with connect(server.url) as connection:
        await connection.execute("SET", "text", "abc")
        with pytest.raises(ReplyError, match="not an integer"):
            await connection.execute("INCR", "text")
        with pytest.raises(ExceptionGroup) as caught:  # the nursery's
            await both(lambda: connection.execute("INCR", "text"), connection.next_push)
        assert [type(error) for error in caught.value.exceptions] == [ReplyError]
        assert await connection.execute("ECHO", "mine") == b"mine"


@in_a_run
async def test_tasks_get_their_own_in_the_order_of_their_calls(address: str, server: Server) -> None:
    counted: dict[int, Any] = {}

    async with connect(address) as connection:

        async def count(name: int) -> None:
            for _ in range(20):
                before = counted.get(name, 0)
                counted[name] = await connection.execute("INCR", "n")
                assert counted[name] > before
                assert await connection.execute("ECHO", name) == b"%d" % name

        async with trio.open_nursery() as nursery:
            for name in range(100):
                nursery.start_soon(count, name)
        assert await connection.execute("GET", "n") == b"2000"


@in_a_run
async def test_pushes_are_read_while_others_wait_and_each_is_had_once(server: Server) -> None:
    had: list[bytes] = []

    async with connect(server.url) as connection, trio.open_nursery() as nursery:

        async def listen() -> None:
            while True:
                push = await connection.next_push(timeout=None)
                assert isinstance(push.items[-1], bytes)
                had.append(push.items[-1])

        await connection.execute("SUBSCRIBE", "news")
        for _ in range(3):
            nursery.start_soon(listen)
        for number in range(100):
            server.call("PUBLISH", "news", number)
            if number % 10 == 0:
                with trio.move_on_after(0):
                    await connection.next_push()
                await connection.execute("PING")
        await until(lambda: len(had) >= 100)
        assert sorted(had, key=int) == [b"%d" % number for number in range(100)]
        nursery.cancel_scope.cancel()


def test_a_call_that_is_late_as_it_is_to_read_for_all_leaves_that_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """It waited for a connection, is told to read what comes on the one that has opened, and its time is up before it runs."""
    appoint = Socket.appoint

    def appoint_too_late(self: Socket) -> None:
        free = self.leader is None
        appoint(self)
        if free and isinstance(late := self.leader, Slot) and "GET" in late.name and not isinstance(late.token, dict):
            monkeypatch.setattr(Socket, "appoint", appoint)
            self._machine.handle_timeout(late.deadline)
            self._driver.carry_out()

    def answering(wire: Wire) -> None:
        wire.welcome()
        for _ in wire.commands():
            wire.send(b"$1\r\nv\r\n")

    async def main() -> None:
        with Peer(answering) as peer:
            async with Pool(peer.url, max_size=1) as pool:
                monkeypatch.setattr(Socket, "appoint", appoint_too_late)
                with pytest.raises(CommandTimeoutError):
                    await pool.execute("GET", "k")
                assert await pool.execute("GET", "k", timeout=3.0) == b"v"
            assert peer.connections == 1

    trio.run(main)
