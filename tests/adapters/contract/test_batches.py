"""The contract of pipelines and transactions: each command its own reply or error; together or not at all where so promised."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from adapters.backends import Backend, contract, contract_of_tasks, told
from adapters.peers import PATIENCE, Faults, Peer, Proxy, Wire, calls, statistic
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
    TransactionDiscardedError,
    TransactionRefusedError,
)

if TYPE_CHECKING:
    from servers import Server

PROTOCOLS = pytest.mark.parametrize("protocol", [2, 3], ids=["RESP2", "RESP3"])


def number(reply: object) -> int:
    """What GET says of a counter; nothing counts as 0."""
    if reply is None:
        return 0
    assert isinstance(reply, bytes)
    return int(reply)


# -- Pipelines ----------------------------------------------------------------------------------------------------------------


@PROTOCOLS
@contract
async def test_a_pipeline_is_sent_when_its_block_is_left(backend: Backend, server: Server, protocol: int) -> None:
    async with backend.connect(server.url, protocol=protocol) as connection:
        async with connection.pipeline() as pipe:
            count, value, none = pipe.execute("INCR", "n"), pipe.execute("GET", "n"), pipe.execute("GET", "none")
            assert server.call("GET", "n") is None
            assert (len(pipe), repr(pipe)) == (3, "<pipeline of 3 commands, not run>")
            with pytest.raises(LocalProtocolError) as early:
                count.result()
        assert (count.result(), value.result(), none.result()) == (1, b"1", None)
    assert str(early.value) == "the pipeline has not been run: leave its block, or call run()"


@contract
async def test_an_error_stays_in_its_place_and_the_others_go_on(backend: Backend, address: str, server: Server) -> None:
    async with backend.connect(address) as connection:
        pipe = connection.pipeline()
        pipe.execute("SET", "k", "v")
        wrong = pipe.execute("LPUSH", "k", "x")
        last = pipe.execute(Command("GET", "k", read=lambda reply, _: [reply]))
        error = ReplyError("WRONGTYPE Operation against a key holding the wrong kind of value")
        assert await pipe.run() == ["OK", error, [b"v"]]
        assert last.result() == [b"v"]
        with pytest.raises(ReplyError, match="^WRONGTYPE"):
            wrong.result()
        with pytest.raises(LocalProtocolError, match="^this pipeline was run already; begin another$"):
            pipe.execute("GET", "k")
        with pytest.raises(LocalProtocolError, match="^this pipeline was run already; begin another$"):
            await pipe.run()
        assert await connection.pipeline().run() == []
        assert await connection.transaction().run() == []


@contract
async def test_an_exception_in_the_block_sends_nothing(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url) as connection:
        for batch in (connection.pipeline(), connection.transaction()):
            with pytest.raises(LookupError):  # noqa: PT012
                async with batch:
                    batch.execute("SET", "k", "v")
                    raise LookupError
        assert await connection.execute("GET", "k") is None


@contract
async def test_arguments_are_taken_when_they_are_given(backend: Backend, server: Server) -> None:
    buffer = bytearray(b"before")
    async with backend.connect(server.url) as connection, connection.pipeline() as pipe:
        result = pipe.execute("ECHO", buffer)
        buffer[:] = b"after!"
    assert result.result() == b"before"


@contract
async def test_a_large_pipeline(backend: Backend, address: str, server: Server) -> None:
    async with backend.connect(address, timeout=None) as connection:
        pipe = connection.pipeline()
        for index in range(10_000):
            pipe.execute("ECHO", index)
        assert await pipe.run() == [b"%d" % index for index in range(10_000)]


@contract
async def test_a_subscription_in_a_pipeline(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url) as connection:
        async with connection.pipeline() as pipe:
            before, both = pipe.execute("ECHO", "before"), pipe.execute("SUBSCRIBE", "a", "b")
            after, left = pipe.execute("ECHO", "after"), pipe.execute("UNSUBSCRIBE")
        assert (before.result(), after.result()) == (b"before", b"after")
        assert both.result() == [Push("subscribe", (b"a", 1)), Push("subscribe", (b"b", 2))]
        ended = left.result()
        assert isinstance(ended, list)
        assert [push.items[1] for push in ended if isinstance(push, Push)] == [1, 0]


def outcomes(results: list[Any]) -> list[object]:
    """What each result of a pipeline says: its reply, or how its command ended."""
    said: list[object] = []
    for result in results:
        try:
            said.append(result.result())
        except (CommandTimeoutError, ConnectionLostError) as error:
            said.append(error.outcome)
    return said


@contract
async def test_a_pipeline_that_times_out_tells_each_of_its_commands(backend: Backend) -> None:
    answer = threading.Event()

    def script(wire: Wire) -> None:
        wire.welcome()
        for _ in range(3):
            wire.command()
        wire.send(b":1\r\n")
        assert answer.wait(PATIENCE)
        wire.send(b":2\r\n:3\r\n")
        assert wire.command() == [b"GET", b"k"]
        wire.send(b"$4\r\nmine\r\n")
        wire.drain()

    with Peer(script) as peer:
        late = f"127.0.0.1:{peer.port} did not answer in time; it may have been executed: its reply was not seen"
        async with backend.connect(peer.url) as connection:
            pipe = connection.pipeline(timeout=0.2)
            results = [pipe.execute(name, "k") for name in ("INCR", "DECR", "INCR")]
            with pytest.raises(CommandTimeoutError) as caught:
                await pipe.run()
            assert told(caught.value) == f"DECR in a pipeline of 3 commands: {late}"
            assert outcomes(results) == [1, Outcome.MAYBE_EXECUTED, Outcome.MAYBE_EXECUTED]
            with pytest.raises(CommandTimeoutError, match=f"^INCR in a pipeline of 3 commands: {late}"):
                results[2].result()
            answer.set()
            assert await connection.execute("GET", "k") == b"mine"


@contract
async def test_a_pipeline_that_is_cut_tells_each_of_its_commands(backend: Backend, server: Server) -> None:
    """The server runs 100 INCRs; after 10 replies the line is cut."""
    with Proxy(server.port) as proxy:
        async with backend.connect(proxy.url) as connection:
            await connection.execute("SET", "n", 100)  # from here on each reply has six bytes
            proxy.arm(down=Faults(after=60))  # a reset could overtake what was not read yet
            pipe = connection.pipeline()
            results = [pipe.execute("INCR", "n") for _ in range(100)]
            with pytest.raises(ConnectionLostError) as caught:
                await pipe.run()
    ended = "INCR in a pipeline of 100 commands: the server closed the connection"
    assert told(caught.value) == f"{ended}; it may have been executed: its reply was not seen"
    assert outcomes(results) == [*range(101, 111), *[Outcome.MAYBE_EXECUTED] * 90]
    assert server.call("GET", "n") == b"200"


# -- Transactions -------------------------------------------------------------------------------------------------------------


@PROTOCOLS
@contract
async def test_a_transactions_commands_run_together(backend: Backend, server: Server, protocol: int) -> None:
    async with backend.connect(server.url, protocol=protocol) as connection:

        async def move(name: int) -> None:
            async with connection.transaction() as both:
                left, right = both.execute("DECR", "left"), both.execute("INCR", "right")
                token = both.execute(Command("ECHO", name, read=lambda reply, _: number(reply)))
            down, up = left.result(), right.result()
            assert isinstance(down, int)
            assert isinstance(up, int)
            assert (down + up, token.result()) == (0, name)

        await backend.together(*[partial(move, name) for name in range(backend.many // 2)])
        assert await connection.execute("GET", "right") == b"%d" % (backend.many // 2)


@contract
async def test_a_command_that_fails_when_it_runs_does_not_stop_the_others(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url) as connection:
        async with connection.transaction() as both:
            results = [both.execute("SET", "k", "v"), both.execute("LPUSH", "k", "x"), both.execute("GET", "k")]
        assert (results[0].result(), results[2].result()) == ("OK", b"v")
        with pytest.raises(ReplyError, match="^WRONGTYPE"):
            results[1].result()


@contract
async def test_one_that_is_refused_when_it_is_queued_stops_them_all(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url) as connection:
        both = connection.transaction()
        first, wrong = both.execute("INCR", "n"), both.execute("GET")
        with pytest.raises(
            TransactionDiscardedError, match=r"^nothing was .* command 2 of 2, GET \(ERR\) was refused$"
        ) as caught:
            await both.run()
        assert (caught.value.reason.code, caught.value.outcome) == ("EXECABORT", Outcome.NOT_SENT)
        with pytest.raises(TransactionDiscardedError):
            first.result()
        with pytest.raises(ReplyError, match="^ERR wrong number of arguments"):
            wrong.result()
        assert await connection.execute("EXISTS", "n") == 0


@contract
async def test_what_may_not_stand_in_a_transaction(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url) as connection:
        before = statistic(server, "total_commands_processed")
        for line in ("WATCH k", "MULTI", "SUBSCRIBE c", "MONITOR", "HELLO 2", "RESET", "QUIT", "AUTH x", "SELECT 1"):
            both = connection.transaction()
            both.execute("INCR", "n")
            both.execute(line)
            with pytest.raises(LocalProtocolError, match=f"^{line.split()[0]} ") as caught:
                await both.run()
            assert caught.value.outcome is Outcome.NOT_SENT
        assert statistic(server, "total_commands_processed") == before + 1


@contract
async def test_when_multi_itself_is_refused_the_commands_ran_singly(backend: Backend) -> None:
    def script(wire: Wire) -> None:
        wire.welcome()
        for _ in range(3):
            wire.command()
        wire.send(b"-NOPERM no multi for you\r\n:1\r\n-ERR EXEC without MULTI\r\n")
        wire.drain()

    with Peer(script) as peer:
        async with backend.connect(peer.url) as connection:
            both = connection.transaction()
            result = both.execute("INCR", "n")
            with pytest.raises(TransactionRefusedError) as caught:
                await both.run()
    said = "MULTI was refused (NOPERM no multi for you), so the commands ran singly, and none ended in an error"
    assert str(caught.value) == said
    assert (caught.value.replies, caught.value.outcome) == ((1,), Outcome.REPLY)
    with pytest.raises(TransactionRefusedError):
        result.result()


@contract
async def test_a_transaction_that_is_cut_after_exec_may_have_run(backend: Backend) -> None:
    def script(wire: Wire) -> None:
        wire.welcome()
        for _ in range(3):
            wire.command()
        wire.send(b"+OK\r\n+QUEUED\r\n")

    with Peer(script) as peer:
        async with backend.connect(peer.url) as connection:
            both = connection.transaction()
            result = both.execute("INCR", "n")
            with pytest.raises(ConnectionLostError) as caught:
                await both.run()
    ended = "the server closed the connection; it may have been executed: its reply was not seen"
    assert told(caught.value).endswith(ended)
    assert outcomes([result]) == [caught.value.outcome] == [Outcome.MAYBE_EXECUTED]


# -- Watching -----------------------------------------------------------------------------------------------------------------


async def increase(transaction: Any) -> Any:
    """INCR as it would have to be done without INCR."""
    count = number(await transaction.read("GET", "n"))
    return transaction.execute("SET", "n", count + 1)


@PROTOCOLS
@contract
async def test_read_decide_and_write(backend: Backend, server: Server, protocol: int) -> None:
    attempts: list[int] = []

    async def update(transaction: Any) -> Any:
        attempts.append(number(await transaction.read("GET", "n")))
        if len(attempts) < 3:
            server.call("INCRBY", "n", 10)  # the race is lost
        with pytest.raises(LocalProtocolError, match=r"^transact\(\) runs this transaction when your function returns"):
            await transaction.run()
        return await increase(transaction)

    async with backend.connect(server.url, protocol=protocol) as connection:
        assert (await connection.transact(update, "n")).result() == "OK"
        assert await connection.execute("GET", "n") == b"21"
    assert attempts == [0, 10, 20]


@contract
async def test_when_each_attempt_meets_a_change_nothing_is_done(backend: Backend, server: Server) -> None:
    async def update(transaction: Any) -> Any:
        server.call("INCR", "n")
        return transaction.execute("SET", "n", "ours")

    async with backend.connect(server.url) as connection:
        with pytest.raises(TransactionAbortedError) as aborted:
            await connection.transact(update, "n", attempts=4)
        assert str(aborted.value) == "a watched key changed, so nothing was executed; try again"
        assert aborted.value.outcome is Outcome.NOT_SENT
        assert server.call("GET", "n") == b"4"
        with pytest.raises(CommandTimeoutError):
            await connection.transact(update, "n", attempts=10**9, timeout=0.1)
        assert await connection.execute("ECHO", "usable") == b"usable"


@pytest.mark.parametrize("way", ["read", "execute"])
@contract
async def test_a_function_that_takes_too_long_changes_nothing(backend: Backend, server: Server, way: str) -> None:
    async def update(transaction: Any) -> None:
        begun.append(1)
        await backend.sleep(0.4)
        if way == "read":
            await transaction.read("SET", "n", "late")
        else:
            transaction.execute("SET", "n", "late")

    begun: list[int] = []
    async with backend.pool(server.url) as pool:
        assert await pool.execute("EXISTS", "n") == 0
        with pytest.raises(CommandTimeoutError) as late:
            await pool.transact(update, "n", timeout=0.3)
        assert begun == [1]
        assert late.value.outcome is Outcome.NOT_SENT
        assert str(late.value) == "transact: its time is up; its commands were not sent"
        assert await pool.execute("EXISTS", "n") == 0


@contract
async def test_no_update_is_lost(backend: Backend, server: Server) -> None:
    """WATCH belongs to the connection: a caller that ends it ends it for all, and that counts as a lost race."""
    async with backend.connect(server.url) as one, backend.connect(server.url) as other:

        async def disturb() -> None:
            for index in range(20):
                async with one.transaction() as pipe:
                    echo = pipe.execute("ECHO", index)
                assert echo.result() == b"%d" % index

        updates = [partial(connection.transact, increase, "n", attempts=10_000) for connection in [one, other] * 8]
        await backend.together(*updates, disturb)
        assert await one.execute("GET", "n") == b"16"


@contract
async def test_an_update_that_fails_or_decides_for_nothing_leaves_no_watch(backend: Backend, server: Server) -> None:
    async def fail(transaction: Any) -> None:
        transaction.execute("SET", "n", "ours")
        raise LookupError

    async def nothing(transaction: Any) -> object:
        return await transaction.read("GET", "n")

    async with backend.connect(server.url) as connection:
        before = calls(server, "unwatch")
        with pytest.raises(LookupError):
            await connection.transact(fail, "n")
        assert await connection.transact(nothing, "n") is None
        server.call("SET", "n", "theirs")
        async with connection.transaction() as both:  # is not aborted by that change
            result = both.execute("GET", "n")
        assert result.result() == b"theirs"
        assert calls(server, "unwatch") == before + 2
        wrong: list[tuple[tuple[Any, ...], dict[str, Any], type[Exception], str]] = [
            ((), {}, ValueError, "name at least one key to watch"),
            (("n",), {"attempts": 0}, ValueError, "attempts must be at least 1, not 0"),
            ((None,), {}, TypeError, "argument 1 of 'WATCH' must be"),
            (("n",), {"timeout": "1"}, TypeError, "timeout must be"),
            (("n",), {"decode": "no-such-encoding"}, ValueError, "decode must be"),
        ]
        for keys, options, error, why in wrong:
            with pytest.raises(error, match=why):
                await connection.transact(nothing, *keys, **options)


@contract
async def test_a_connection_that_ends_between_the_steps(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url) as connection:

        async def update(transaction: Any) -> Any:
            await connection.close()
            return transaction.execute("SET", "n", "ours")

        with pytest.raises(ConnectionClosedError) as caught:
            await connection.transact(update, "n")
        assert caught.value.outcome is Outcome.NOT_SENT
    assert server.call("GET", "n") is None


@contract
async def test_a_watched_transaction_that_exec_refuses_is_an_error_and_not_done(
    backend: Backend, server: Server
) -> None:
    async with backend.connect(server.url) as connection:

        async def update(transaction: Any) -> str:
            transaction.execute("INCR", "n")
            transaction.execute("GET")  # lacks a key
            return "done"

        with pytest.raises(TransactionDiscardedError, match="command 2 of 2, GET"):
            await connection.transact(update, "n")
        assert await connection.execute("EXISTS", "n") == 0
        assert not connection.closed


# -- Said so that the next step is clear ----------------------------------------------------------------------------------------


@contract
async def test_an_error_says_which_command_of_the_pipeline_it_answered(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url) as connection:
        async with connection.pipeline() as pipe:
            pipe.execute("SET", "k", "v")
            wrong = pipe.execute("INCR", "k")
        with pytest.raises(ReplyError) as caught:
            wrong.result()
        assert str(caught.value) == "ERR value is not an integer or out of range"
        assert caught.value.__notes__ == ["command 2 of 2 in the pipeline: INCR"]


@contract
async def test_what_does_not_send_a_pipeline_says_what_does(backend: Backend, server: Server) -> None:
    async with backend.client(server.url) as client:
        async with client.pipeline() as pipe:
            with pytest.raises(ValueError, match=r"call run\(\)"):
                pipe.execute()  # type: ignore[call-overload]
        with pytest.raises(LocalProtocolError, match=r"use transact\(\)"):
            await client.execute("WATCH", "k")


@pytest.mark.over_a_cluster
@contract_of_tasks
@pytest.mark.parametrize("kind", ["connect", "pool", "client"])
async def test_transact_takes_an_async_function(backend: Backend, server: Server, kind: str) -> None:
    def plain(transaction: Any) -> None:
        transaction.execute("SET", "k", "v")

    before = calls(server, "unwatch")
    async with getattr(backend, kind)(server.url) as caller:
        with pytest.raises(TypeError, match=r"^transact\(\) takes an async function here; .* returned NoneType$"):
            await caller.transact(plain, "k")
        assert await caller.execute("EXISTS", "k") == 0
        await backend.until(lambda: calls(server, "unwatch") == before + 1)
