"""Cancelling on resp_trio, at every moment of a call: as the one who leads, who sends, who sleeps; and what is left to whom."""

from __future__ import annotations

import random
import signal
import threading
from typing import TYPE_CHECKING, Any, Final

import pytest
import trio
import trio.testing

import resp_trio
from adapters.loops import open_sockets
from adapters.peers import PATIENCE, Peer, Wire, statistic
from adapters.runs import in_a_run, until
from resp_sansio import CommandTimeoutError, ConnectionClosedError, ConnectionLostError, Outcome, Push
from resp_trio import Client, Commands, Connection, connect

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from servers import Server

MIB: Final = 1024 * 1024


async def cancel(call: Callable[[], Awaitable[object]], turns: int = 1) -> None:
    """Start a call, let the others turn some times, cancel it."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(call)
        for _ in range(turns):
            await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()


async def ask(connection: Commands, name: str, replies: dict[str, Any]) -> None:
    replies[name] = await connection.execute("ECHO", name, decode=True)


def is_idle(connection: Connection) -> bool:
    """Nobody has a role, or sleeps."""
    io = connection._link.io
    return io.leader is None and not (io.parked or io.due or io.link.pushes.listeners)


# -- Who leads ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["cancelled", "timed out"])
@in_a_run
async def test_who_leads_passes_the_role_on(start_server: Callable[..., Server], how: str) -> None:
    server = start_server()
    replies: dict[str, Any] = {}
    async with connect(server.url) as connection:
        io = connection._link.io
        async with trio.open_nursery() as nursery:
            scope = trio.CancelScope()

            async def lead() -> None:
                if how == "timed out":
                    with pytest.raises(CommandTimeoutError):
                        await connection.execute("ECHO", "gone", timeout=0.05)
                else:
                    with scope:
                        await connection.execute("ECHO", "gone")

            with server.paused():
                nursery.start_soon(lead)
                await trio.testing.wait_all_tasks_blocked()
                leader = io.leader
                assert leader is not None
                for name in "abc":
                    nursery.start_soon(ask, connection, name, replies)
                await until(lambda: len(io.parked) == 3)
                scope.cancel()
                await until(lambda: len(io.parked) == 2)
                assert io.leader not in (None, leader)
        assert replies == {name: name for name in "abc"}
        assert is_idle(connection)


@in_a_run
async def test_everyone_who_leads_is_cancelled_in_turn(start_server: Callable[..., Server]) -> None:
    """One after the other is appointed and cancelled, some before they know of either; the last gets its reply."""
    server = start_server()
    replies: dict[str, Any] = {}
    scopes = [trio.CancelScope() for _ in range(20)]
    async with connect(server.url) as connection, trio.open_nursery() as nursery:

        async def one(number: int) -> None:
            with scopes[number]:
                await ask(connection, str(number), replies)

        with server.paused():
            for number in range(20):
                nursery.start_soon(one, number)
            await until(lambda: len(connection._link.io.parked) == 19)
            for number in random.sample(range(1, 20), 19):
                scopes[number].cancel()
                if number % 3 == 0:
                    await trio.lowlevel.checkpoint()
        await until(lambda: replies == {"0": "0"})


@in_a_run
async def test_a_reply_that_has_come_wins_over_a_cancellation() -> None:
    """Whose task is cancelled when its reply was read already, but before it runs, gets the reply."""

    def script(wire: Wire) -> None:
        wire.welcome()
        asked = [wire.command()[1] for _ in range(5)]
        wire.send(b"".join([b"+%s\r\n" % name for name in asked]))
        wire.drain()

    replies: dict[str, Any] = {}
    scopes = [trio.CancelScope() for _ in range(5)]
    with Peer(script) as peer:
        async with connect(peer.url) as connection:

            async def one(number: int) -> None:
                with scopes[number]:
                    await ask(connection, str(number), replies)
                    for scope in scopes:  # in one step with the reading, by the one who reads
                        scope.cancel()

            async with trio.open_nursery() as nursery:
                for number in range(5):
                    nursery.start_soon(one, number)
    assert replies == {str(number): str(number) for number in range(5)}
    assert not any(scope.cancelled_caught for scope in scopes)


@in_a_run
async def test_a_connection_is_left_to_finish(start_server: Callable[..., Server]) -> None:
    server = start_server()
    replies: dict[str, Any] = {}
    async with Client(server.url) as client, trio.open_nursery() as nursery:
        await client.execute("PING")
        with server.paused():
            for name in "abc":
                nursery.start_soon(ask, client, name, replies)
            await trio.testing.wait_all_tasks_blocked()
            nursery.start_soon(client.close, 60)
            await trio.testing.wait_all_tasks_blocked()
            with pytest.raises(ConnectionClosedError):
                await client.execute("PING")
    assert replies == {name: name for name in "abc"}
    assert client.closed
    async with Client(server.url) as client:
        await client.execute("PING")
        with server.paused():
            async with trio.open_nursery() as nursery:

                async def wait() -> None:
                    with pytest.raises(ConnectionLostError):
                        await client.execute("INCR", "n")

                nursery.start_soon(wait)
                await trio.testing.wait_all_tasks_blocked()
                await client.close(0.05)
        assert client.closed


# -- Who sends ------------------------------------------------------------------------------------------------------------------


@in_a_run
async def test_who_was_to_send_for_others_does_so_when_cancelled(server: Server) -> None:
    replies: dict[str, Any] = {}
    async with connect(server.url) as connection:
        for _ in range(20):
            replies.clear()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(connection.execute, "PING")
                await trio.lowlevel.checkpoint()
                scope = trio.CancelScope()

                async def first(scope: trio.CancelScope = scope) -> None:
                    with scope:
                        await connection.execute("INCR", "n")

                nursery.start_soon(first)
                while not connection._link.io.due:
                    await trio.lowlevel.checkpoint()
                    if not connection._link.core.in_flight:
                        break  # it was alone, and has sent its own
                for name in "abc":
                    nursery.start_soon(ask, connection, name, replies)
                scope.cancel()
            assert set(replies) == set("abc")
            assert not connection._link.io.due


@in_a_run
async def test_what_a_cancelled_writer_leaves_goes_out_with_the_next_call() -> None:
    """And nothing before that: there is no task of the connection's own."""
    begin = threading.Event()
    seen: list[bytes] = []
    value = random.randbytes(16 * MIB)

    def script(wire: Wire) -> None:
        wire.welcome()
        assert begin.wait(PATIENCE)
        for words in wire.commands():
            seen.append(words[-1])
            wire.send(b"+OK\r\n")

    with Peer(script, receive_buffer=4096) as peer:
        async with connect(peer.url) as connection:
            io = connection._link.io
            with trio.move_on_after(0.05):
                await connection.execute("SET", "k", value)
            assert io.stuck
            with trio.move_on_after(0.01):
                await connection.execute("SET", "k", "withdrawn")
            with pytest.raises(CommandTimeoutError) as caught:
                await connection.execute("SET", "k", "withdrawn", timeout=0.01)
            assert caught.value.outcome is Outcome.NOT_SENT
            begin.set()
            await trio.sleep(0.05)
            assert seen == []
            assert await connection.execute("ECHO", "mine") == "OK"
            assert not io.stuck
    assert seen == [value, b"mine"]


@in_a_run
async def test_who_leads_takes_over_when_a_writer_is_cancelled() -> None:
    begin = threading.Event()
    value = bytes(7 * MIB)  # more than buffers hold, and not so large that it waits for those before it

    def script(wire: Wire) -> None:
        wire.welcome()
        assert wire.command() == [b"GET", b"first"]
        assert begin.wait(PATIENCE)
        assert wire.command()[2] == value
        wire.send(b"$5\r\nfirst\r\n+OK\r\n")
        wire.drain()

    replies: list[object] = []
    with Peer(script, receive_buffer=4096) as peer:
        async with connect(peer.url) as connection:

            async def first() -> None:
                replies.append(await connection.execute("GET", "first"))

            async with trio.open_nursery() as nursery:
                nursery.start_soon(first)
                await trio.testing.wait_all_tasks_blocked()
                await cancel(lambda: connection.execute("SET", "k", value), turns=5)
                assert connection._link.io.stuck
                begin.set()
            assert replies == [b"first"]


@in_a_run
async def test_a_cancellation_while_both_ways_are_waited_for_is_no_group() -> None:
    release = threading.Event()

    def script(wire: Wire) -> None:
        wire.welcome()
        assert release.wait(PATIENCE)

    with Peer(script, receive_buffer=4096) as peer:
        async with connect(peer.url) as connection:
            raised: list[type[BaseException]] = []
            with trio.move_on_after(0.05):
                try:
                    await connection.execute("SET", "k", bytes(16 * MIB))
                except BaseException as error:
                    raised.append(type(error))
                    raise
            assert raised == [trio.Cancelled]
            with pytest.raises(CommandTimeoutError):
                await connection.execute("PING", timeout=0.05)
            async with trio.open_nursery() as nursery:  # nor is the end

                async def wait() -> None:
                    with pytest.raises(ConnectionLostError):
                        await connection.execute("PING")

                nursery.start_soon(wait)
                await trio.testing.wait_all_tasks_blocked()
                await connection.close()
            release.set()


# -- At every moment ------------------------------------------------------------------------------------------------------------

WAYS: Final[dict[str, Callable[[Connection], Awaitable[object]]]] = {
    "command": lambda connection: connection.execute("INCR", "n"),
    "large command": lambda connection: connection.execute("SET", "large", bytes(4 * MIB)),
    "large reply": lambda connection: connection.execute("GETRANGE", "value", 0, -1),
    "pipeline": lambda connection: run(connection.pipeline()),
    "transaction": lambda connection: run(connection.transaction()),
    "transact": lambda connection: connection.transact(update, "n"),
    "push": lambda connection: connection.next_push(),
}


async def run(pipe: Any) -> None:
    for _ in range(10):
        pipe.execute("INCR", "n")
    await pipe.run()


async def update(transaction: Any) -> None:
    await transaction.read("GET", "n")
    transaction.execute("INCR", "n")


@pytest.mark.parametrize("others", [0, 3])
@pytest.mark.parametrize("way", WAYS)
@in_a_run
async def test_a_call_that_is_cancelled_at_any_turn_harms_nobody(
    address: str, server: Server, way: str, others: int
) -> None:
    server.call("SETRANGE", "value", 4 * MIB, "x")
    replies: dict[str, Any] = {}
    async with connect(address) as connection:
        for turns in (*range(12), 20, 30, 50):
            async with trio.open_nursery() as nursery:
                for other in range(others):
                    nursery.start_soon(ask, connection, f"{turns}:{other}", replies)
                await cancel(lambda: WAYS[way](connection), turns)
            await ask(connection, str(turns), replies)
        assert is_idle(connection)
    assert all(name == reply for name, reply in replies.items())
    assert len(replies) == 15 * (others + 1)


@in_a_run
async def test_no_push_is_lost_with_a_listener(server: Server) -> None:
    async with connect(server.url, max_pushes=45) as connection:
        await connection.execute("SUBSCRIBE", "news")
        had: list[Push] = []

        async def listen() -> None:
            had.append(await connection.next_push())

        for number in range(50):
            server.call("PUBLISH", "news", number)
            await cancel(listen, turns=number % 7)
        assert len(had) > 5
        while len(had) < 50:
            await listen()
        assert had == [Push("message", (b"news", b"%d" % number)) for number in range(50)]


@in_a_run
async def test_a_blocking_command_that_is_cancelled_frees_the_server(server: Server) -> None:
    connection = await connect(server.url)
    async with trio.open_nursery() as nursery:

        async def behind() -> None:
            with pytest.raises(ConnectionLostError, match="was given up while the server could still act on it"):
                await connection.execute("INCR", "n")

        async with trio.open_nursery() as inner:
            inner.start_soon(connection.execute, "BLPOP", "jobs", 0)
            await until(lambda: statistic(server, "blocked_clients") == 1)
            nursery.start_soon(behind)
            await trio.testing.wait_all_tasks_blocked()
            inner.cancel_scope.cancel()
    assert connection.closed
    await connection.close()


@in_a_run
async def test_a_dial_that_is_cancelled_leaves_no_socket(address: str, server: Server) -> None:
    before = open_sockets()

    async def dial() -> None:
        async with connect(address) as connection:
            await connection.execute("PING")

    for turns in range(30):
        await cancel(dial, turns)
    await until(lambda: open_sockets() <= before)


@in_a_run
async def test_a_pipeline_of_a_task_that_was_cancelled_before_is_not_sent(server: Server) -> None:
    async with connect(server.url) as connection:
        pipe = connection.pipeline()
        result = pipe.incr("n")
        with trio.CancelScope() as scope:
            scope.cancel()
            await pipe.run()
        assert scope.cancelled_caught
        with pytest.raises(ConnectionLostError) as caught:
            result.result()
        assert caught.value.outcome is Outcome.NOT_SENT
        assert await connection.exists("n") == 0


@in_a_run
async def test_close_closes_when_it_is_cancelled(server: Server) -> None:
    connection = await connect(server.url)
    with trio.CancelScope() as scope:
        scope.cancel()
        await connection.close()
    assert scope.cancelled_caught
    assert connection.closed
    assert connection._link.io.connected.fileno() == -1


# -- Control-C ------------------------------------------------------------------------------------------------------------------


# It may well strike between the making of a coroutine and its first step, in code that is not ours to protect.
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
# Or in a weak reference's callback, where Python cannot raise it.
@pytest.mark.filterwarnings("ignore:Exception ignored in.*_remove:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("strategy", ["connect", "Client", "Pool"])
def test_a_keyboard_interrupt_never_strikes_where_bytes_move(server: Server, strategy: str) -> None:
    """Whatever it hits, the others' replies stay theirs, and the connection is what it was."""
    seen = 0

    async def work(connection: Commands, number: int) -> None:
        nonlocal seen
        while True:
            assert await connection.execute("ECHO", number) == b"%d" % number
            seen += 1

    async def be_interrupted(connection: Commands, milliseconds: int) -> None:
        async with trio.open_nursery() as nursery:
            for number in range(50):
                nursery.start_soon(work, connection, number)
            # Again and again: one that strikes where Python cannot raise is lost.
            signal.setitimer(signal.ITIMER_REAL, milliseconds / 1000, 5.0)
            await trio.sleep_forever()

    async def main(milliseconds: int) -> None:
        async with getattr(resp_trio, strategy)(server.url) as connection:
            with pytest.raises((KeyboardInterrupt, BaseExceptionGroup)) as caught:
                await be_interrupted(connection, milliseconds)
            signal.setitimer(signal.ITIMER_REAL, 0)
            assert caught.type is KeyboardInterrupt or caught.group_contains(KeyboardInterrupt)
            for turn in range(3):
                assert await connection.execute("ECHO", turn) == b"%d" % turn

    before = signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        for milliseconds in range(1, 40):
            trio.run(main, milliseconds)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert seen > 0


def test_a_keyboard_interrupt_strikes_in_no_step_of_the_adapters_own_or_one_that_it_inherits(server: Server) -> None:
    protected = trio.lowlevel.currently_ki_protected

    async def main() -> None:
        async with Client(server.url) as client:
            driver: Any = client._driver
            seen: list[bool] = []
            assert not protected()
            driver.change("ask", lambda *_: seen.append(protected()))
            driver.work.start(ask_there, seen)
            await until(lambda: len(seen) == 2)
            assert seen == [True, True]

    async def ask_there(seen: list[bool]) -> None:
        seen.append(protected())

    trio.run(main)


@pytest.mark.parametrize("strategy", ["connect", "Client"])
def test_a_keyboard_interrupt_while_a_nursery_ends_comes_out_as_it_is(server: Server, strategy: str) -> None:
    """In no group, though it strikes where the tasks of a dial are waited for; and nothing is left open."""

    scope = trio.CancelScope()

    async def credentials() -> tuple[None, str]:
        with trio.CancelScope(shield=True):
            scope.cancel()
            await trio.testing.wait_all_tasks_blocked()
            signal.raise_signal(signal.SIGINT)  # for the main task, which waits for this one
            await trio.sleep(0.01)
        return None, ""

    async def main() -> None:
        if strategy == "connect":
            with scope:
                await connect(server.url, credentials=credentials)
        else:
            async with Client(server.url, credentials=credentials) as client:
                with scope:
                    await client.execute("PING")
        pytest.fail("it was not interrupted")

    before = open_sockets()
    with pytest.raises(KeyboardInterrupt):
        trio.run(main)
    assert open_sockets() == before


@pytest.mark.parametrize("strategy", ["connect", "Client", "Pool"])
def test_a_keyboard_interrupt_of_a_call_that_can_neither_send_nor_receive_comes_out_as_it_is(strategy: str) -> None:
    """In no group, though such a call waits by two tasks."""
    enough = threading.Event()

    def deaf(wire: Wire) -> None:
        wire.welcome()
        signal.setitimer(signal.ITIMER_REAL, 0.5, 5.0)  # not while a client still dials
        enough.wait(PATIENCE)

    async def main(url: str) -> None:
        async with getattr(resp_trio, strategy)(url) as connection:
            try:
                await connection.execute("SET", "k", b"x" * 32 * MIB, timeout=None)
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)

    before = signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        with Peer(deaf) as peer:
            with pytest.raises(KeyboardInterrupt):
                trio.run(main, peer.url)
            enough.set()
    finally:
        signal.signal(signal.SIGALRM, before)
