"""What cancelling means on a shared connection: a reply that nobody gets, and nothing else.

The storms give every call a token of its own and cancel or time out at random points: whoever still gets a reply must get the
one to what it asked.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from adapters.loops import everywhere, open_sockets, until
from adapters.peers import Faults, Proxy, calls, statistic
from resp_asyncio import Connection, connect
from resp_sansio import CommandTimeoutError, ConnectionClosedError, ConnectionLostError, Outcome, Push

if TYPE_CHECKING:
    from collections.abc import Callable

    from resp_asyncio import WatchedTransaction
    from servers import Server

MIB = 1024 * 1024


async def cancelled(call: Any, turns: int = 1) -> None:
    """Start a call, let the loop turn some times, cancel it."""
    task = asyncio.ensure_future(call)
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


# -- Storms ---------------------------------------------------------------------------------------------------------------------


async def storm(connection: Connection, tasks: int, seed: int) -> int:
    """So many tasks, each with tokens of its own, of which many are stopped somewhere; return how many replies were seen."""
    chance = random.Random(seed)
    seen = 0

    async def ask(name: int) -> None:
        nonlocal seen
        for turn in range(5):
            token = f"{name}:{turn}"
            timeout = chance.choice([None, None, 0.0, 0.001, 0.01])
            if chance.random() < 0.7:
                assert await connection.execute("ECHO", token, timeout=timeout, decode=True) == token
            else:
                pipe = connection.pipeline(timeout=timeout, decode=True)
                for part in range(3):
                    pipe.execute("ECHO", f"{token}:{part}")
                assert await pipe.run() == [f"{token}:{part}" for part in range(3)]
            seen += 1

    async def stop(task: asyncio.Task[None]) -> None:
        for _ in range(chance.randrange(20)):
            await asyncio.sleep(0)
        if chance.random() < 0.5:
            await asyncio.sleep(chance.random() * 0.02)
        if chance.random() < 0.7:
            task.cancel()

    running = [asyncio.create_task(ask(name)) for name in range(tasks)]
    await asyncio.gather(*[stop(task) for task in running])
    for outcome in await asyncio.gather(*running, return_exceptions=True):
        assert outcome is None or isinstance(outcome, asyncio.CancelledError | CommandTimeoutError), outcome
    return seen


@pytest.mark.parametrize("split", [1, 7, 4096])
@everywhere
async def test_nobody_gets_what_another_asked_for(server: Server, split: int) -> None:
    seed = random.randrange(1 << 30)
    print("seed", seed)
    with Proxy(server.port, up=Faults(split=4096), down=Faults(split=split)) as proxy:
        before = statistic(server, "total_connections_received")
        async with connect(proxy.url) as connection:
            seen = await storm(connection, 100 if split < 100 else 1000, seed)
            assert await connection.execute("ECHO", "after", timeout=None) == b"after"
        # One through the proxy, and the INFO that counts.
        assert statistic(server, "total_connections_received") == before + 2
    assert seen > 0


@everywhere
async def test_fifty_cancellations_leave_one_connection_and_one_handshake(start_server: Callable[..., Server]) -> None:
    server = start_server()
    async with connect(server.url) as connection:
        before = statistic(server, "total_connections_received")
        server.call("CONFIG", "RESETSTAT")
        for turns in range(50):
            await cancelled(connection.execute("GET", "k"), turns=turns % 2)
            await asyncio.gather(
                cancelled(connection.execute("ECHO", "x" * 100_000)), connection.execute("PING"), return_exceptions=True
            )
        assert await connection.execute("ECHO", "mine") == b"mine"
        for command in ("hello", "auth", "select", "client|setinfo"):
            assert calls(server, command) == 0
        assert before > 0
        assert statistic(server, "total_connections_received") <= 7  # the counting's own


# -- Each kind of call ----------------------------------------------------------------------------------------------------------


@everywhere
async def test_what_has_not_left_is_withdrawn(start_server: Callable[..., Server]) -> None:
    """Commands wait while the socket takes no more: whatever kind they are, cancelling one leaves no trace of it."""
    server = start_server()
    async with connect(server.url) as connection:
        transaction = connection.transaction()
        result = transaction.execute("INCR", "n")
        with server.paused():
            large = asyncio.create_task(connection.execute("SET", "large", bytes(16 * MIB), timeout=None))
            await asyncio.sleep(0)
            await cancelled(connection.execute("INCR", "n"))
            await cancelled(connection.execute("BLPOP", "jobs", 0))
            await cancelled(transaction.run())
            with pytest.raises(CommandTimeoutError) as error:
                await connection.execute("INCR", "n", timeout=0.01)
            assert error.value.outcome is Outcome.NOT_SENT
        assert await large == "OK"
        assert await connection.execute("EXISTS", "n") == 0
    with pytest.raises(ConnectionLostError) as lost:
        result.result()
    assert lost.value.outcome is Outcome.NOT_SENT


@everywhere
async def test_what_has_left_is_answered_to_nobody(server: Server) -> None:
    async with connect(server.url) as connection:
        await cancelled(connection.execute("SET", "k", "v"), turns=1)
        assert await connection.execute("GET", "k") == b"v"


@everywhere
async def test_a_task_that_is_cancelled_with_its_reply_in_hand_loses_only_that(server: Server) -> None:
    async with connect(server.url) as connection:
        task = asyncio.create_task(connection.execute("ECHO", "gone"))
        await asyncio.sleep(0)
        core = connection._driver.core
        await until(lambda: not core.in_flight)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert await connection.execute("ECHO", "mine") == b"mine"


@everywhere
async def test_a_half_written_command_is_finished(start_server: Callable[..., Server]) -> None:
    server = start_server()
    value = bytes(16 * MIB)
    async with connect(server.url) as connection:
        with server.paused():
            await cancelled(connection.execute("SET", "k", value), turns=5)
            await cancelled(connection.execute("SET", "other", value), turns=5)
        assert await connection.execute("STRLEN", "k", timeout=None) == len(value)
        assert await connection.execute("EXISTS", "other") == 0  # it waited behind the first, and was withdrawn


@everywhere
async def test_a_pipeline_that_is_cancelled_half_way_goes_on_without_us(start_server: Callable[..., Server]) -> None:
    server = start_server()
    async with connect(server.url) as connection:
        pipe = connection.pipeline()
        results = [pipe.execute("INCR", "n") for _ in range(10)]
        with server.paused():
            await cancelled(pipe.run())
        with pytest.raises(
            ConnectionLostError, match="INCR in a pipeline of 10 commands: the task was cancelled"
        ) as error:
            results[-1].result()
        assert error.value.outcome is Outcome.MAYBE_EXECUTED
        assert await connection.execute("GET", "n", timeout=None) == b"10"


@everywhere
async def test_a_transaction_that_has_left_runs_whole(start_server: Callable[..., Server]) -> None:
    server = start_server()
    async with connect(server.url) as connection:
        transaction = connection.transaction()
        results = [transaction.execute("INCR", "n") for _ in range(2)]
        with server.paused():
            await cancelled(transaction.run())
        for result in results:
            with pytest.raises(ConnectionLostError) as error:
                result.result()
            assert error.value.outcome is Outcome.MAYBE_EXECUTED
        assert await connection.execute("GET", "n", timeout=None) == b"2"


@everywhere
async def test_transact_unwatches_when_it_is_cancelled(server: Server) -> None:
    async with connect(server.url) as connection:

        async def think(transaction: WatchedTransaction) -> None:
            transaction.execute("SET", "k", "v")
            await asyncio.sleep(3600)

        await cancelled(connection.transact(think, "k"), turns=3)
        await until(lambda: calls(server, "unwatch") > 0)
        assert await connection.execute("EXISTS", "k") == 0


@pytest.mark.parametrize("how", ["cancelled", "timed out", "in a pipeline"])
@everywhere
async def test_a_blocking_command_that_is_given_up_ends_the_connection(server: Server, how: str) -> None:
    """The server would give to nobody what it takes from the list, and hold up all others until then."""
    connection = await connect(server.url)
    behind = None
    if how == "timed out":
        with pytest.raises(CommandTimeoutError):
            await connection.execute("BLPOP", "jobs", 0, timeout=0.05)
    else:
        pipe = connection.pipeline()
        pipe.execute("PING")
        pipe.execute("BLPOP", "jobs", 0)
        call = connection.execute("BLPOP", "jobs", 0) if how == "cancelled" else pipe.run()
        waiting: asyncio.Future[Any] = asyncio.ensure_future(call)
        await asyncio.sleep(0)
        behind = asyncio.create_task(connection.execute("INCR", "n"))
        await until(lambda: statistic(server, "blocked_clients") > 0)
        waiting.cancel()
        await asyncio.wait([waiting])
    if behind is not None:
        with pytest.raises(ConnectionLostError, match="INCR: .* was given up while the server could still act on it"):
            await behind
    with pytest.raises(ConnectionClosedError):
        await connection.execute("PING")
    await connection.close()
    await until(lambda: statistic(server, "blocked_clients") == 0)
    server.call("RPUSH", "jobs", "one")
    assert server.call("LLEN", "jobs") == 1


@everywhere
async def test_a_subscription_stays_when_nobody_waits_for_its_confirmation(server: Server) -> None:
    async with connect(server.url) as connection:
        await cancelled(connection.execute("SUBSCRIBE", "news"))
        await connection.execute("PING")
        server.call("PUBLISH", "news", "hello")
        assert await connection.next_push() == Push("message", (b"news", b"hello"))


# -- Dials, and the end ---------------------------------------------------------------------------------------------------------


@everywhere
async def test_a_dial_that_is_cancelled_leaves_no_socket(address: str, server: Server) -> None:
    before = open_sockets()
    for turns in range(20):
        dialling = asyncio.ensure_future(connect(address).__aenter__())
        for _ in range(turns):
            await asyncio.sleep(0)
        dialling.cancel()
        await asyncio.wait([dialling])
        if not dialling.cancelled():  # it was faster
            await dialling.result().close()
    await until(lambda: open_sockets() <= before)


@everywhere
async def test_close_ends_while_others_call_and_when_it_is_cancelled_itself(address: str, server: Server) -> None:
    for _ in range(5):
        connection = await connect(address)

        async def load(connection: Connection = connection) -> None:
            while True:
                await connection.execute("ECHO", "x" * 1000)

        tasks = [asyncio.create_task(load()) for _ in range(50)]
        await asyncio.sleep(0.01)
        closing = [asyncio.create_task(connection.close()) for _ in range(3)]
        await asyncio.sleep(0)
        closing[0].cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(error, ConnectionLostError | ConnectionClosedError) for error in outcomes)
        await asyncio.gather(*closing, return_exceptions=True)
        await connection.close()
