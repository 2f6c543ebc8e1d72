"""The calls of resp_asyncio, each by itself and side by side: replies, pipelines, transactions, pushes, deadlines."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from adapters.loops import everywhere, until
from adapters.peers import calls
from resp_asyncio import Connection, connect
from resp_sansio import (
    Command,
    CommandTimeoutError,
    ConnectionClosedError,
    ConnectionLostError,
    LocalProtocolError,
    Outcome,
    Push,
    ReplyError,
    TransactionAbortedError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from resp_asyncio import WatchedTransaction
    from servers import Server

MIB = 1024 * 1024


def reply_as_int(reply: object, _protocol: int) -> int:
    assert isinstance(reply, int)
    return reply


# -- Replies --------------------------------------------------------------------------------------------------------------------


@everywhere
async def test_execute(address: str, server: Server) -> None:
    async with connect(address) as connection:
        assert await connection.execute("SET", "k", b"\x00\xff") == "OK"
        assert await connection.execute("GET", "k") == b"\x00\xff"
        assert await connection.execute("GET", "nothing") is None
        assert await connection.execute("HSET", "h", "f", 1) == 1
        assert await connection.execute("HGETALL", "h") == {b"f": b"1"}
        assert await connection.execute("HGETALL", "h", decode=True) == {"f": "1"}
        assert await connection.execute(Command("INCR", "n", read=reply_as_int)) == 1
        with pytest.raises(ReplyError, match="WRONGTYPE") as caught:
            await connection.execute("LPUSH", "k", "x")
        assert caught.value.outcome is Outcome.REPLY
        assert repr(connection).endswith(": READY>")
    assert repr(connection).endswith(": LOST>")


@everywhere
async def test_connect_is_awaited_or_entered(server: Server) -> None:
    connecting = connect(server.url, decode=True)
    assert repr(connecting) == f"<Connecting to 127.0.0.1:{server.port}: to be awaited>"
    connection = await connecting
    async with connection as same:
        assert same is connection
        assert await connection.execute("ECHO", "é") == "é"
    with pytest.raises(ConnectionClosedError, match="PING was not sent"):
        await connection.execute("PING")
    await connection.close()


@everywhere
async def test_mistakes_are_told_before_anything_is_sent(server: Server) -> None:
    async with connect(server.url) as connection:
        wrong: list[tuple[tuple[Any, ...], dict[str, Any], type[Exception]]] = [
            (("SET", "k", None), {}, TypeError),
            ((Command("GET", "k"), "k"), {}, TypeError),
            (("GET", "k"), {"timeout": "1"}, TypeError),
            (("GET", "k"), {"timeout": -1}, ValueError),
            (("GET", "k"), {"decode": "no such"}, ValueError),
            (("CLIENT", "REPLY", "OFF"), {}, LocalProtocolError),
        ]
        for args, options, error in wrong:
            with pytest.raises(error):
                await connection.execute(*args, **options)
        assert await connection.execute("PING") == "PONG"
    with pytest.raises(TypeError, match="did you mean 'timeout'"):
        connect(server.url, tiemout=1)  # type: ignore[call-arg]


@everywhere
async def test_replies_of_any_size_and_shape(address: str, server: Server) -> None:
    async with connect(address, timeout=None) as connection:
        for size in (0, 1, 32 * 1024, 256 * 1024, 3 * MIB + 1):
            assert await connection.execute("SET", "k", b"v" * size) == "OK"
            assert await connection.execute("GET", "k") == b"v" * size
        await connection.execute("RPUSH", "l", *range(10_000))
        assert await connection.execute("LRANGE", "l", 0, -1) == [b"%d" % number for number in range(10_000)]


@everywhere
async def test_a_thousand_tasks_each_get_their_own(address: str, server: Server) -> None:
    async with connect(address) as connection, asyncio.TaskGroup() as group:
        tasks = [group.create_task(connection.execute("ECHO", number)) for number in range(3000)]
    assert [task.result() for task in tasks] == [b"%d" % number for number in range(3000)]


@everywhere
async def test_commands_run_in_the_order_in_which_they_were_made(server: Server) -> None:
    async with connect(server.url) as connection:
        replies = await asyncio.gather(*[connection.execute("INCR", "n") for _ in range(2000)])
    assert replies == list(range(1, 2001))


# -- Pipelines and transactions -------------------------------------------------------------------------------------------------


@everywhere
async def test_a_pipeline_has_a_result_for_each_command(address: str, server: Server) -> None:
    async with connect(address) as connection:
        async with connection.pipeline(decode=True) as pipe:
            one, wrong, two = pipe.execute("SET", "k", "v"), pipe.execute("INCR", "k"), pipe.execute("GET", "k")
        assert (one.result(), two.result()) == ("OK", "v")
        with pytest.raises(ReplyError, match="not an integer"):
            wrong.result()
        pipe = connection.pipeline()
        numbers = [pipe.execute(Command("INCR", "n", read=reply_as_int)) for _ in range(2000)]
        assert await pipe.run() == list(range(1, 2001)) == [number.result() for number in numbers]
        with pytest.raises(LocalProtocolError, match="run already"):
            await pipe.run()
        assert await connection.pipeline().run() == []


@everywhere
async def test_an_exception_in_the_block_sends_nothing(server: Server) -> None:
    async with connect(server.url) as connection:
        with pytest.raises(LookupError):  # noqa: PT012
            async with connection.pipeline() as pipe:
                pipe.execute("SET", "k", "v")
                raise LookupError
        assert await connection.execute("GET", "k") is None


@everywhere
async def test_a_pipeline_that_was_refused_tells_each_of_its_commands(server: Server) -> None:
    connection = await connect(server.url)
    await connection.close()
    pipe = connection.pipeline()
    result = pipe.execute("GET", "k")
    with pytest.raises(ConnectionClosedError):
        await pipe.run()
    with pytest.raises(ConnectionClosedError):
        result.result()


@everywhere
async def test_transactions_of_many_tasks_do_not_mix(server: Server) -> None:
    async with connect(server.url) as connection:

        async def move(number: int) -> None:
            async with connection.transaction() as both:
                first, second = both.execute("INCR", "n"), both.execute("INCR", "n")
            before, after = first.result(), second.result()
            assert isinstance(before, int)
            assert after == before + 1, number

        await asyncio.gather(*[move(number) for number in range(200)])
        assert await connection.execute("GET", "n") == b"400"


@everywhere
async def test_a_refused_command_stops_its_transaction(server: Server) -> None:
    async with connect(server.url) as connection:
        both = connection.transaction()
        fine = both.execute("SET", "k", "v")
        both.execute("NO.SUCH.COMMAND")
        first, second = await both.run()
        assert (first.code, second.code) == ("EXECABORT", "ERR")
        with pytest.raises(ReplyError):
            fine.result()
        assert await connection.execute("EXISTS", "k") == 0


@everywhere
async def test_transact_never_loses_an_update(server: Server) -> None:
    async def add(transaction: WatchedTransaction) -> None:
        value = await transaction.read("GET", "n")
        assert value is None or isinstance(value, bytes)
        transaction.execute("SET", "n", int(value or 0) + 1)

    async with connect(server.url) as one, connect(server.url) as other:
        await asyncio.gather(*[connection.transact(add, "n", attempts=500) for connection in [one, other] * 20])
        assert await one.execute("GET", "n") == b"40"


@everywhere
async def test_transact_gives_up_at_last_and_after_an_error(server: Server) -> None:
    async with connect(server.url) as connection:

        async def meddle(transaction: WatchedTransaction) -> None:
            server.call("INCR", "k")
            transaction.execute("SET", "k", "mine")

        with pytest.raises(TransactionAbortedError):
            await connection.transact(meddle, "k", attempts=3)
        assert server.call("GET", "k") == b"3"

        async def fail(transaction: WatchedTransaction) -> None:
            transaction.execute("SET", "k", "mine")
            raise LookupError

        with pytest.raises(LookupError):
            await connection.transact(fail, "k")

        async def nothing(transaction: WatchedTransaction) -> object:
            return await transaction.read("GET", "k")

        assert await connection.transact(nothing, "k") == b"3"
        assert await connection.execute("PING") == "PONG"
        await until(lambda: calls(server, "unwatch") >= 2)


# -- Pushes ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [2, 3])
@everywhere
async def test_pushes_come_in_order(server: Server, protocol: int) -> None:
    async with connect(f"{server.url}?protocol={protocol}") as connection:
        assert await connection.execute("SUBSCRIBE", "news") == [Push("subscribe", (b"news", 1))]
        waiting = asyncio.create_task(connection.next_push(timeout=None))
        await asyncio.sleep(0)
        for word in ("a", "b", "c"):
            server.call("PUBLISH", "news", word)
        assert await waiting == Push("message", (b"news", b"a"))
        assert await connection.next_push() == Push("message", (b"news", b"b"))
        assert (await connection.next_push()).items == (b"news", b"c")
        with pytest.raises(CommandTimeoutError) as caught:
            await connection.next_push(timeout=0.02)
        assert caught.value.outcome is Outcome.NOT_SENT


@everywhere
async def test_a_push_is_not_lost_with_a_task_that_was_about_to_get_it(server: Server) -> None:
    async with connect(server.url, decode=True) as connection:
        await connection.execute("SUBSCRIBE", "news")
        driver = connection._driver
        for word in range(20):
            waiting = asyncio.create_task(connection.next_push())
            await until(lambda: bool(driver._listeners))
            server.call("PUBLISH", "news", word)
            # Neither waiting any more nor awake yet: the message is in the future.
            while driver._listeners:  # noqa: ASYNC110
                await asyncio.sleep(0)
            waiting.cancel()
            try:
                got = await waiting
            except asyncio.CancelledError:
                got = await connection.next_push(timeout=None)
            assert got == Push("message", ("news", str(word)))


@everywhere
async def test_those_who_wait_for_pushes_learn_of_the_end(server: Server) -> None:
    connection = await connect(server.url)
    await connection.execute("SUBSCRIBE", "news")
    waiting = asyncio.create_task(connection.next_push(timeout=None))
    await asyncio.sleep(0)
    await connection.close()
    with pytest.raises(ConnectionLostError, match="next_push: the connection was closed"):
        await waiting
    with pytest.raises(ConnectionClosedError, match="next_push"):
        await connection.next_push()


# -- Deadlines ------------------------------------------------------------------------------------------------------------------


@everywhere
async def test_a_timeout_costs_one_reply(start_server: Callable[..., Server]) -> None:
    server = start_server()
    async with connect(server.url) as connection:
        with server.paused():
            with pytest.raises(CommandTimeoutError, match=r"^GET: 127.* did not answer in time; it may") as caught:
                await connection.execute("GET", "k", timeout=0.05)
            assert caught.value.outcome is Outcome.MAYBE_EXECUTED
            with pytest.raises(CommandTimeoutError):
                await connection.execute("GET", "k", timeout=0)
            async with asyncio.TaskGroup() as group:
                slow = group.create_task(connection.execute("ECHO", "slow", timeout=None))
                for _ in range(10):
                    group.create_task(times_out(connection))
                await asyncio.sleep(0.1)
                assert not slow.done()
                os.kill(server.pid, signal.SIGCONT)
        assert slow.result() == b"slow"
        assert await connection.execute("ECHO", "mine") == b"mine"


async def times_out(connection: Connection) -> None:
    with pytest.raises(CommandTimeoutError):
        await connection.execute("GET", "k", timeout=0.02)


@everywhere
async def test_one_timer_serves_the_earliest_deadline(start_server: Callable[..., Server]) -> None:
    server = start_server()
    loop = asyncio.get_running_loop()
    async with connect(server.url, timeout=3600) as connection:
        with server.paused():
            tasks = {
                late: asyncio.create_task(connection.execute("ECHO", late, timeout=late))
                for late in (0.3, 0.2, 0.1, 60)
            }
            begun = loop.time()
            for late in (0.1, 0.2, 0.3):
                with pytest.raises(CommandTimeoutError):
                    await tasks[late]
                assert loop.time() - begun >= late - 0.01
        assert await tasks[60] == b"60"


@everywhere
async def test_the_default_is_extended_by_what_a_command_asks_for(server: Server) -> None:
    async with connect(server.url, timeout=0.5) as connection:
        assert await connection.execute("BLPOP", "k", 0.6) is None
        async with connection.pipeline() as pipe:
            result = pipe.execute("BLPOP", "k", 0.6)
        assert result.result() is None


@everywhere
async def test_a_pipeline_that_times_out_tells_each_of_its_commands(start_server: Callable[..., Server]) -> None:
    server = start_server()
    async with connect(server.url) as connection:
        pipe = connection.pipeline(timeout=0.05)
        result = pipe.execute("GET", "k")
        with server.paused(), pytest.raises(CommandTimeoutError):
            await pipe.run()
        with pytest.raises(CommandTimeoutError):
            result.result()
        assert await connection.execute("PING") == "PONG"
