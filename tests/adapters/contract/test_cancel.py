"""The contract of giving up: a call that is cancelled, or whose time is up, costs its reply and nothing else.

In threads a KeyboardInterrupt stands for cancellation. The storms give every call a token of its own and stop calls at random
points: a call that gets a reply gets the one to what it asked.
"""

from __future__ import annotations

import random
import threading
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from adapters.backends import CANCELLED, Backend, contract, seeded, told
from adapters.loops import open_sockets
from adapters.peers import ALLOWED, PATIENCE, Faults, Peer, Proxy, Wire, calls, statistic
from resp_sansio import (
    CommandTimeoutError,
    ConnectionClosedError,
    ConnectionLostError,
    Outcome,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from resp_asyncio import Connection
    from servers import Server

MIB = 1024 * 1024
LARGE = bytes(16 * MIB)


class Echo:
    """A peer that notes what it is asked, and answers with the first argument; nothing while it is held."""

    def __init__(self) -> None:
        self.heard: list[list[bytes]] = []
        self._goes_on = threading.Event()

    def __call__(self, wire: Wire) -> None:
        wire.welcome()
        for words in wire.commands():
            self.heard.append(words)
            assert self._goes_on.wait(PATIENCE)
            wire.send(b"$%d\r\n%s\r\n" % (len(words[1]), words[1]))

    def go_on(self) -> None:
        self._goes_on.set()


class Deaf(Echo):
    """The same, but it reads nothing while it is held: large commands get stuck half way, and others wait behind them."""

    def __call__(self, wire: Wire) -> None:
        wire.welcome()
        assert self._goes_on.wait(PATIENCE)
        for words in wire.commands():
            self.heard.append(words)
            wire.send(b"$%d\r\n%s\r\n" % (len(words[1]), words[1]))


# -- Where the command is when it is given up ---------------------------------------------------------------------------------


@contract
async def test_before_its_first_byte_has_left_it_is_withdrawn(backend: Backend) -> None:
    """Whatever kind of call: it was not sent, and the server never sees it."""
    deaf = Deaf()
    with Peer(deaf, receive_buffer=4096) as peer:
        async with backend.connect(peer.url, timeout=None) as connection:
            pipe, both = connection.pipeline(), connection.transaction()
            results = [pipe.execute("INCR", "withdrawn"), both.execute("INCR", "withdrawn")]

            async def put() -> None:
                assert await connection.execute("SET", "large", LARGE) == b"large"

            async def give_up() -> None:
                await backend.until(lambda: connection.stats().sent == 1)  # the large one is stuck
                for call in (
                    partial(connection.execute, "INCR", "withdrawn"),
                    partial(connection.execute, "BLPOP", "withdrawn", 0),
                    pipe.run,
                    both.run,
                ):
                    async with backend.cancelled(call) as ended:
                        await backend.until(lambda: connection.stats().queued == 1)
                    assert ended.outcome is CANCELLED
                for result in results:
                    with pytest.raises(ConnectionLostError) as lost:
                        result.result()
                    assert lost.value.outcome is Outcome.NOT_SENT
                with pytest.raises(CommandTimeoutError) as late:
                    await connection.execute("INCR", "withdrawn", timeout=0.01)
                assert late.value.outcome is Outcome.NOT_SENT
                deaf.go_on()

            await backend.together(put, give_up)
            assert await connection.execute("GET", "k") == b"k"
    assert [words[:2] for words in deaf.heard] == [[b"SET", b"large"], [b"GET", b"k"]]


@contract
async def test_after_that_its_reply_is_given_to_nobody_and_the_connection_lives_on(backend: Backend) -> None:
    echo = Echo()
    with Peer(echo) as peer:
        async with backend.connect(peer.url) as connection:
            async with backend.cancelled(partial(connection.execute, "GET", "gone")) as ended:
                await backend.until(lambda: len(echo.heard) == 1)
            assert ended.outcome is CANCELLED
            echo.go_on()
            assert await connection.execute("GET", "mine") == b"mine"
        assert peer.connections == 1
    assert echo.heard == [[b"GET", b"gone"], [b"GET", b"mine"]]


@pytest.mark.parametrize("way", ["cancelled", "timed out"])
@contract
async def test_half_written_it_is_finished_by_the_next(backend: Backend, way: str) -> None:
    deaf = Deaf()
    with Peer(deaf, receive_buffer=4096) as peer:
        async with backend.connect(peer.url) as connection:
            if way == "cancelled":
                async with backend.cancelled(partial(connection.execute, "SET", "half", LARGE)) as ended:
                    await backend.until(lambda: connection.stats().sent == 1)
                assert ended.outcome is CANCELLED
            else:
                with pytest.raises(CommandTimeoutError) as late:
                    await connection.execute("SET", "half", LARGE, timeout=0.3)
                assert late.value.outcome is Outcome.MAYBE_EXECUTED  # the rest of it will still be sent
            with pytest.raises(CommandTimeoutError) as late:
                await connection.execute("SET", "withdrawn", "x", timeout=0.02)
            assert late.value.outcome is Outcome.NOT_SENT
            deaf.go_on()
            assert await connection.execute("GET", "mine", timeout=None) == b"mine"
    assert [words[:2] for words in deaf.heard] == [[b"SET", b"half"], [b"GET", b"mine"]]
    assert deaf.heard[0][2] == LARGE


@contract
async def test_with_its_reply_here_already_it_loses_only_that(backend: Backend, server: Server) -> None:
    """At one of these turns the reply has come, and the task does not run yet."""
    async with backend.connect(server.url) as connection:
        for turns in range(8):
            async with backend.cancelled(partial(connection.execute, "ECHO", turns)) as ended:
                await backend.sleep(0)
                server.call("PING")  # no other task has a turn while the server answers both
                for _ in range(turns):
                    await backend.sleep(0)
            assert ended.outcome in (CANCELLED, b"%d" % turns)
            assert await connection.execute("ECHO", "mine") == b"mine"


# -- Each kind of call --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["pipeline", "transaction"])
@contract
async def test_a_batch_that_has_left_runs_whole(backend: Backend, kind: str) -> None:
    heard = threading.Event()

    def script(wire: Wire) -> None:
        wire.welcome()
        words = [wire.command()[0] for _ in range(3 if kind == "pipeline" else 5)]
        assert words[-4:-1] == [b"INCR"] * 3 or words == [b"INCR"] * 3
        if kind == "pipeline":
            wire.send(b":1\r\n")
        heard.set()
        assert wire.command() == [b"GET", b"mine"]
        wire.send(
            b":2\r\n:3\r\n" if kind == "pipeline" else b"+OK\r\n" + b"+QUEUED\r\n" * 3 + b"*3\r\n:1\r\n:2\r\n:3\r\n"
        )
        wire.send(b"$4\r\nmine\r\n")
        wire.drain()

    with Peer(script) as peer:
        async with backend.connect(peer.url) as connection:
            batch = connection.pipeline() if kind == "pipeline" else connection.transaction()
            results = [batch.execute("INCR", "n") for _ in range(3)]
            async with backend.cancelled(batch.run) as ended:
                await backend.until(heard.is_set)
                await backend.sleep(0.1)  # for the first reply to arrive
            assert ended.outcome is CANCELLED
            if kind == "pipeline":
                assert results.pop(0).result() == 1
            for result in results:
                with pytest.raises(ConnectionLostError, match="^INCR in a ") as lost:
                    result.result()
                assert lost.value.outcome is Outcome.MAYBE_EXECUTED
            assert await connection.execute("GET", "mine") == b"mine"


@contract
async def test_a_transaction_is_cancelled_before_its_exec_has_left(backend: Backend, server: Server) -> None:
    """One that has begun to leave is sent to its end: it runs whole, or, if the connection ends before EXEC is sent, not at all."""
    for reset in (False, True):
        with Proxy(server.port, receive_buffer=65536) as proxy:
            async with backend.connect(proxy.url) as connection:
                both = connection.transaction()
                results = [both.execute("INCR", "n"), both.execute("SET", "half", LARGE)]
                proxy.arm(up=Faults(after=MIB, then="stall"))
                async with backend.cancelled(both.run) as ended:
                    await backend.until(lambda: connection.stats().sent == 1)
                assert ended.outcome is CANCELLED
                for result in results:
                    with pytest.raises(ConnectionLostError, match="^(INCR|SET) in a "):
                        result.result()
                if reset:
                    proxy.arm(up=Faults(after=0, then="reset"))
                    with pytest.raises((ConnectionLostError, ConnectionClosedError)):
                        await connection.execute("GET", "n", timeout=None)
                else:
                    proxy.arm()
                    assert await connection.execute("GET", "n", timeout=None) == b"1"
                    assert await connection.execute("STRLEN", "half") == len(LARGE)
    assert server.call("GET", "n") == b"1"


@contract
async def test_a_transaction_whose_exec_was_not_sent_cannot_have_run(backend: Backend, server: Server) -> None:
    with Proxy(server.port, receive_buffer=65536) as proxy:
        async with backend.connect(proxy.url, timeout=None) as connection:
            await connection.execute("SUBSCRIBE", "news")
            before = calls(server, "multi")
            both = connection.transaction()
            results = [both.execute("INCR", "n"), both.execute("SET", "half", LARGE)]
            proxy.arm(up=Faults(after=MIB, then="stall"))

            async def cut() -> None:
                """MULTI has been accepted, and the client knows: behind the answer came a message. Else the others ran singly."""
                await backend.until(lambda: calls(server, "multi") == before + 1)
                server.call("PUBLISH", "news", "read")
                assert (await connection.next_push()).items[-1] == b"read"
                proxy.arm(up=Faults(after=0, then="reset"))

            error, _ = await backend.together(both.run, cut)
            assert (type(error), error.outcome) == (ConnectionLostError, Outcome.NOT_SENT)
            for result in results:
                with pytest.raises(ConnectionLostError) as lost:
                    result.result()
                assert lost.value.outcome is Outcome.NOT_SENT
    assert server.call("EXISTS", "n") == 0


@contract
async def test_transact_unwatches(backend: Backend, server: Server) -> None:
    thinking = threading.Event()
    async with backend.connect(server.url) as connection:

        async def think(transaction: Any) -> None:
            transaction.execute("SET", "k", "v")
            thinking.set()
            await backend.sleep(3600)

        before = calls(server, "unwatch")
        async with backend.cancelled(partial(connection.transact, think, "k")) as ended:
            await backend.until(thinking.is_set)
        assert ended.outcome is CANCELLED
        await backend.until(lambda: calls(server, "unwatch") == before + 1)
        assert await connection.execute("EXISTS", "k") == 0


@pytest.mark.parametrize("way", ["cancelled", "timed out", "in a pipeline"])
@contract
async def test_a_blocking_command_takes_the_connection_with_it(backend: Backend, server: Server, way: str) -> None:
    """An element that the server takes from the list would reach no caller, and it would hold up all others until then."""

    async def give_up(connection: Any, seconds: float) -> None:
        pipe = connection.pipeline()
        pipe.execute("PING")
        pipe.execute("BLPOP", "jobs", 0)
        if way == "timed out":
            with pytest.raises(CommandTimeoutError) as late:
                await connection.execute("BLPOP", "jobs", 0, timeout=seconds)
            assert late.value.outcome is Outcome.MAYBE_EXECUTED
        else:
            call = partial(connection.execute, "BLPOP", "jobs", 0) if way == "cancelled" else pipe.run
            async with backend.cancelled(call) as ended:
                await backend.until(lambda: connection.stats().queued + connection.stats().in_flight > 1)
            assert ended.outcome is CANCELLED

    async def behind(connection: Any) -> Any:
        await backend.until(lambda: statistic(server, "blocked_clients") > 0 or connection.closed)
        return await connection.execute("INCR", "n")

    error: Any = None
    for seconds in ALLOWED:
        async with backend.connect(server.url) as connection:
            _, error = await backend.together(partial(give_up, connection, seconds), partial(behind, connection))
            with pytest.raises(ConnectionClosedError, match="was given up while the server could still act on it"):
                await connection.execute("PING")
        if type(error) is not ConnectionClosedError:
            break  # else it came when all was over
    assert type(error) is ConnectionLostError
    what = "pipeline of 2 commands" if way == "in a pipeline" else "BLPOP"
    assert str(error).startswith(f"INCR: {what} was given up while the server could still act on it")
    await backend.until(lambda: statistic(server, "blocked_clients") == 0)
    server.call("RPUSH", "jobs", "one")
    assert server.call("LLEN", "jobs") == 1


@contract
async def test_a_blocking_command_that_has_not_left_is_withdrawn_like_any_other(backend: Backend) -> None:
    deaf = Deaf()
    with Peer(deaf, receive_buffer=4096) as peer:
        async with backend.connect(peer.url) as connection:
            with pytest.raises(CommandTimeoutError):
                await connection.execute("SET", "large", LARGE, timeout=0.3)
            with pytest.raises(CommandTimeoutError) as late:
                await connection.execute("BLPOP", "jobs", 0, timeout=0.02)
            assert late.value.outcome is Outcome.NOT_SENT
            deaf.go_on()
            assert await connection.execute("GET", "mine", timeout=None) == b"mine"


# -- Dials, and the end -------------------------------------------------------------------------------------------------------


@contract
async def test_a_dial_that_is_cancelled_leaves_nothing(backend: Backend, start_server: Callable[..., Server]) -> None:
    server = start_server()
    before = open_sockets()

    async def dial() -> None:
        async with backend.connect(server.url):
            raise AssertionError("it was not to come to that")

    with server.paused():
        for seconds in (0, 0.001, 0.02):
            async with backend.cancelled(dial) as ended:
                await backend.sleep(seconds)
            assert ended.outcome is CANCELLED
        await backend.until(lambda: open_sockets() <= before)


@contract
async def test_close_ends_the_calls_of_all(backend: Backend, address: str, server: Server) -> None:
    async with backend.connect(address) as connection:

        async def load() -> None:
            while True:
                await connection.execute("ECHO", "x" * 1000)

        async def close() -> None:
            await backend.sleep(0.02)
            await connection.close()

        *errors, _, _, push = await backend.together(
            *[load] * 20, close, close, partial(connection.next_push, timeout=None)
        )
        assert {type(error) for error in errors} <= {ConnectionLostError, ConnectionClosedError}
        assert all("the connection was closed" in str(error) for error in errors)
        assert "the connection was closed" in told(push)  # whether it had begun to wait or not


# -- Storms -------------------------------------------------------------------------------------------------------------------


async def storm(backend: Backend, connection: Connection, callers: int, chance: random.Random) -> int:
    """So many callers, each with tokens of its own, of which many are stopped somewhere; return how many replies were seen."""
    seen = 0

    async def ask(token: str, timeout: float | None) -> None:
        nonlocal seen
        begun = time.monotonic()
        try:
            if chance.random() < 0.6:
                assert await connection.execute("ECHO", token, timeout=timeout, decode=True) == token
            else:
                batch = connection.pipeline if chance.random() < 0.5 else connection.transaction
                pipe = batch(timeout=timeout, decode=True)
                results = [pipe.execute("ECHO", f"{token}:{part}") for part in range(3)]
                assert await pipe.run() == [f"{token}:{part}" for part in range(3)]
                assert results[1].result() == f"{token}:1"
            seen += 1
        except CommandTimeoutError:
            assert timeout is not None
            assert time.monotonic() - begun < timeout + PATIENCE / 2

    async def work(name: int) -> None:
        for turn in range(3):
            token = f"{name}:{turn}:" + "x" * chance.choice([0, 0, 0, 0, 1000])
            if "cancel" in backend.ways_out and chance.random() < 0.4:
                async with backend.cancelled(partial(ask, token, None)) as ended:
                    await backend.sleep(chance.choice([0, 0, 0.001, 0.02]) * chance.random())
                assert ended.outcome in (None, CANCELLED)
            else:
                await ask(token, chance.choice([None, None, 0.0, 0.001, 0.02]))

    await backend.together(*[partial(work, name) for name in range(callers)])
    return seen


@pytest.mark.parametrize("line", ["fast", "slow", "byte by byte"])
@contract
async def test_nobody_gets_what_another_asked_for(backend: Backend, server: Server, line: str) -> None:
    chance = seeded()
    faults = {
        "fast": Faults(),
        "slow": Faults(split=20_000, pause=0.002, chance=chance),
        "byte by byte": Faults(split=1),
    }
    with Proxy(server.port, up=faults[line] if line == "slow" else None, down=faults[line]) as proxy:
        before, hellos = statistic(server, "total_connections_received"), calls(server, "hello")
        async with backend.connect(proxy.url, timeout=None) as connection:
            seen = await storm(backend, connection, 50 if line == "byte by byte" else backend.many, chance)
            assert await connection.execute("ECHO", "after") == b"after"
        # One through the proxy, and those that count.
        assert statistic(server, "total_connections_received") == before + 3
        assert calls(server, "hello") == hellos + 1
    assert seen > 0


@contract
async def test_whatever_the_network_does(backend: Backend, server: Server) -> None:
    """Splits, delays, garbage and ends at random: each call ends with its own reply or an error, and in time."""
    chance = seeded()
    lost = 0

    async def ask(connection: Connection, name: int) -> None:
        nonlocal lost
        for turn in range(5):
            token = b"%d:%d:" % (name, turn) + b"x" * chance.choice([0, 0, 5000])
            try:
                assert await connection.execute("ECHO", token, timeout=0.1) == token
            except CommandTimeoutError:
                pass
            except (ConnectionLostError, ConnectionClosedError):
                lost += 1
                return

    for end in ("close", "half-close", "reset", "stall", "garbage") * 2:
        with Proxy(server.port) as proxy:
            async with backend.connect(proxy.url) as connection:
                after = chance.randrange(20_000)
                faults = Faults(split=5000, pause=0.0005, after=after, then=end, chance=chance)
                # Garbage on the way up would be commands, whose replies could not be told from others.
                proxy.arm(**{"down" if end == "garbage" else chance.choice(["up", "down"]): faults})
                await backend.together(*[partial(ask, connection, name) for name in range(10)])
    assert lost > 0


@contract
async def test_fifty_that_are_given_up_leave_one_connection_and_no_further_handshake(
    backend: Backend, start_server: Callable[..., Server]
) -> None:
    server = start_server()
    async with backend.connect(server.url) as connection:
        mine = await connection.execute("CLIENT", "ID")
        server.call("CONFIG", "RESETSTAT")
        for turn in range(50):
            if "cancel" in backend.ways_out:
                async with backend.cancelled(partial(connection.execute, "ECHO", "x" * 10_000)):
                    await backend.sleep(0.001 * (turn % 2))
            with suppress(CommandTimeoutError):  # unless the reply was faster
                assert await connection.execute("ECHO", turn, timeout=0) == b"%d" % turn
        assert await connection.execute("ECHO", "mine") == b"mine"
        assert await connection.execute("CLIENT", "ID") == mine
        for command in ("hello", "auth", "select", "client|setinfo", "client|setname"):
            assert calls(server, command) == 0
        # Those that count here.
        assert statistic(server, "total_connections_received") <= 7
        listed = server.call("CLIENT", "LIST")
        assert isinstance(listed, bytes)
        assert len(listed.splitlines()) == 2  # this connection, and the one that asks
