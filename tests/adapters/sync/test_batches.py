"""Pipelines and transactions: every command its own reply or error, in its place; together or not at all where that is promised."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from adapters.peers import Peer, Wire, calls, statistic, together
from resp_sansio import (
    Command,
    CommandTimeoutError,
    ConnectionClosedError,
    LocalProtocolError,
    Outcome,
    Push,
    ReplyError,
    TransactionAbortedError,
    TransactionDiscardedError,
    TransactionRefusedError,
)
from resp_sync import Connection, Pipeline, WatchedTransaction, connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from servers import Server


@pytest.fixture(params=[2, 3], ids=["RESP2", "RESP3"])
def connection(server: Server, request: pytest.FixtureRequest) -> Iterator[Connection]:
    with connect(server.url, protocol=request.param) as connection:
        yield connection


def number(reply: object) -> int:
    """What GET says of a counter; nothing counts as 0."""
    if reply is None:
        return 0
    assert isinstance(reply, bytes)
    return int(reply)


# -- Pipelines --------------------------------------------------------------------------------------------------------------


def test_a_pipeline_is_sent_when_its_block_is_left(connection: Connection, server: Server) -> None:
    with connection.pipeline() as pipe:
        count, value, none = pipe.execute("INCR", "n"), pipe.execute("GET", "n"), pipe.execute("GET", "none")
        assert server.call("GET", "n") is None
        assert len(pipe) == 3
    assert (count.result(), value.result(), none.result()) == (1, b"1", None)
    assert count.result() == 1


def test_an_error_stays_in_its_place_and_the_others_go_on(connection: Connection) -> None:
    with connection.pipeline() as pipe:
        good = pipe.execute("SET", "k", "v")
        bad = pipe.execute("LPUSH", "k", "x")
        unknown = pipe.execute("NO-SUCH-COMMAND", "x")
        last = pipe.execute("GET", "k")
    assert (good.result(), last.result()) == ("OK", b"v")
    for _ in range(2):
        with pytest.raises(ReplyError, match="WRONGTYPE"):
            bad.result()
    with pytest.raises(ReplyError, match="unknown command"):
        unknown.result()
    assert [type(reply) for reply in pipe.replies or ()] == [str, ReplyError, ReplyError, bytes]


def test_run_returns_everything_errors_as_values(connection: Connection) -> None:
    pipe = connection.pipeline()
    pipe.execute("SET", "k", "v")
    pipe.execute("LPUSH", "k", "x")
    pipe.execute(Command("GET", "k", read=lambda reply, _: [reply]))
    assert pipe.run() == ["OK", ReplyError("WRONGTYPE Operation against a key holding the wrong kind of value"), [b"v"]]


def test_an_exception_in_the_block_sends_nothing(connection: Connection, server: Server) -> None:
    before = calls(server, "incr")

    def interrupted(batch: Pipeline) -> None:
        with batch:
            batch.execute("INCR", "n")
            raise ZeroDivisionError

    for batch in (connection.pipeline(), connection.transaction()):
        with pytest.raises(ZeroDivisionError):
            interrupted(batch)
    assert calls(server, "incr") == before


def test_arguments_are_taken_when_they_are_given(connection: Connection) -> None:
    buffer = bytearray(b"before")
    with connection.pipeline() as pipe:
        result = pipe.execute("ECHO", buffer)
        buffer[:] = b"after!"
    assert result.result() == b"before"


def test_a_large_pipeline(connection: Connection) -> None:
    with connection.pipeline(timeout=60.0) as pipe:
        results = [pipe.execute("ECHO", index) for index in range(50_000)]
    assert all(result.result() == b"%d" % index for index, result in enumerate(results))


def test_a_blocking_command_in_a_pipeline_has_its_own_time(server: Server) -> None:
    with connect(server.url, timeout=0.3) as connection, connection.pipeline() as pipe:
        first, second = pipe.execute("BLPOP", "none", 0.4), pipe.execute("BLPOP", "none", 0.4)
    assert (first.result(), second.result()) == (None, None)


def test_a_pipeline_that_times_out_tells_each_command_so(server: Server) -> None:
    with connect(server.url) as connection:
        pipe = connection.pipeline(timeout=0.05)
        results = [pipe.execute("INCR", "n"), pipe.execute("BLPOP", "none", 0.3), pipe.execute("INCR", "n")]
        with pytest.raises(CommandTimeoutError) as caught:
            pipe.run()
        assert caught.value.outcome is Outcome.MAYBE_EXECUTED
        assert results[0].result() == 1  # its reply had come
        for result, name in zip(results[1:], ("BLPOP", "INCR"), strict=True):
            with pytest.raises(CommandTimeoutError, match=f"^{name} in a pipeline of 3 commands: "):
                result.result()
        assert connection.closed  # or the server would take an element for nobody
    with connect(server.url) as connection:
        assert connection.execute("GET", "n") == b"1"


def test_a_subscription_in_a_pipeline(server: Server) -> None:
    with connect(server.url) as connection:
        with connection.pipeline() as pipe:
            before, both = pipe.execute("ECHO", "before"), pipe.execute("SUBSCRIBE", "a", "b")
            after, left = pipe.execute("ECHO", "after"), pipe.execute("UNSUBSCRIBE")
        assert (before.result(), after.result()) == (b"before", b"after")
        confirmed, ended = both.result(), left.result()
        assert confirmed == [Push("subscribe", (b"a", 1)), Push("subscribe", (b"b", 2))]
        assert isinstance(ended, list)
        assert [push.items[1] for push in ended if isinstance(push, Push)] == [1, 0]


# -- Transactions -----------------------------------------------------------------------------------------------------------


def test_a_transactions_commands_run_together(connection: Connection, server: Server) -> None:
    with connection.transaction() as both:
        first, second = both.execute("INCR", "n"), both.execute("HGETALL", "none")
        last = both.execute(Command("GET", "n", read=lambda reply, _: number(reply)))
    assert first.result() == 1
    assert second.result() in ({}, [])
    assert last.result() == 1
    assert connection.transaction().run() == []
    assert calls(server, "multi") > 0


def test_a_command_that_fails_when_it_runs_does_not_stop_the_others(connection: Connection) -> None:
    with connection.transaction() as both:
        first = both.execute("SET", "k", "v")
        wrong = both.execute("LPUSH", "k", "x")
        last = both.execute("GET", "k")
    assert (first.result(), last.result()) == ("OK", b"v")
    with pytest.raises(ReplyError, match="WRONGTYPE"):
        wrong.result()


def test_a_command_that_is_refused_when_it_is_queued_stops_them_all(connection: Connection) -> None:
    with pytest.raises(TransactionDiscardedError) as caught, connection.transaction() as both:
        first, wrong, last = both.execute("INCR", "n"), both.execute("GET"), both.execute("NO-SUCH-COMMAND")
    assert [(index, name) for index, name, _ in caught.value.failures] == [(1, "GET"), (2, "NO-SUCH-COMMAND")]
    with pytest.raises(TransactionDiscardedError):
        first.result()
    with pytest.raises(ReplyError, match="^ERR wrong number of arguments"):
        wrong.result()
    with pytest.raises(ReplyError, match="^ERR unknown command"):
        last.result()
    assert connection.execute("GET", "n") is None


def test_threads_and_their_transactions_share_a_connection(server: Server) -> None:
    with connect(server.url) as connection:

        def transfer(name: int) -> None:
            for _ in range(50):
                with connection.transaction() as both:
                    left, right = both.execute("DECR", "left"), both.execute("INCR", "right")
                    token = both.execute("ECHO", name)
                down, up = left.result(), right.result()
                assert isinstance(down, int)
                assert isinstance(up, int)
                assert down + up == 0
                assert token.result() == b"%d" % name

        together(*(partial(transfer, name) for name in range(8)))
        assert connection.execute("MGET", "left", "right") == [b"-400", b"400"]


def test_when_multi_itself_is_refused_the_commands_ran_singly() -> None:
    def script(wire: Wire) -> None:
        wire.welcome()
        for _ in range(3):
            wire.command()
        wire.send(b"-NOPERM no multi for you\r\n:1\r\n-ERR EXEC without MULTI\r\n")
        wire.drain()

    with Peer(script) as peer, connect(peer.url) as connection:
        both = connection.transaction()
        result = both.execute("INCR", "n")
        with pytest.raises(TransactionRefusedError, match="NOPERM.*ran singly") as caught:
            both.run()
        assert caught.value.replies == (1,)
        with pytest.raises(TransactionRefusedError):
            result.result()


# -- Watching ---------------------------------------------------------------------------------------------------------------


def increase(transaction: WatchedTransaction, key: str = "n") -> Any:
    """INCR as it would have to be done without INCR."""
    count = number(transaction.read("GET", key))
    return transaction.execute("SET", key, count + 1)


def test_read_decide_and_write(connection: Connection) -> None:
    assert connection.transact(increase, "n").result() == "OK"
    assert connection.execute("GET", "n") == b"1"


def test_a_change_by_another_connection_means_another_attempt(connection: Connection, server: Server) -> None:
    attempts = []

    def update(transaction: WatchedTransaction) -> Any:
        attempts.append(number(transaction.read("GET", "n")))
        if len(attempts) < 3:
            server.call("INCRBY", "n", 10)
        return increase(transaction)

    assert connection.transact(update, "n").result() == "OK"
    assert attempts == [0, 10, 20]
    assert connection.execute("GET", "n") == b"21"


def test_when_each_attempt_meets_a_change_nothing_is_done(connection: Connection, server: Server) -> None:
    attempts = []

    def update(transaction: WatchedTransaction) -> Any:
        attempts.append(transaction)
        server.call("SET", "n", len(attempts))
        return transaction.execute("SET", "n", "ours")

    with pytest.raises(TransactionAbortedError, match="changed.*nothing was executed") as caught:
        connection.transact(update, "n", attempts=4)
    assert len(attempts) == 4
    assert caught.value.outcome is Outcome.NOT_SENT
    assert server.call("GET", "n") == b"4"


def test_many_connections_increase_one_counter(server: Server) -> None:
    def work() -> None:
        with connect(server.url) as connection:
            for _ in range(20):
                connection.transact(increase, "n", attempts=10_000)

    together(*[work] * 6)
    assert server.call("GET", "n") == b"120"


def test_many_threads_on_one_connection_increase_one_counter(server: Server) -> None:
    """WATCH belongs to the connection: whoever ends it ends it for all, and that counts as a lost race."""
    with connect(server.url) as connection:

        def work() -> None:
            for _ in range(20):
                connection.transact(increase, "n", attempts=10_000)

        def disturb(name: int) -> None:
            for index in range(100):
                with connection.transaction() as other:
                    echo = other.execute("ECHO", f"{name}:{index}")
                assert echo.result() == f"{name}:{index}".encode()

        together(*[work] * 5, *(partial(disturb, name) for name in range(2)))
        assert connection.execute("GET", "n") == b"100"


def test_an_update_that_fails_changes_nothing_and_leaves_no_watch(connection: Connection, server: Server) -> None:
    def update(transaction: WatchedTransaction) -> None:
        transaction.execute("SET", "n", "ours")
        raise ZeroDivisionError

    before = calls(server, "exec")
    with pytest.raises(ZeroDivisionError):
        connection.transact(update, "n")
    assert calls(server, "exec") == before
    assert server.call("GET", "n") is None
    server.call("SET", "n", "theirs")
    # The next transaction on this connection is not aborted by that change.
    with connection.transaction() as both:
        result = both.execute("GET", "n")
    assert result.result() == b"theirs"


def test_an_update_that_decides_for_nothing_leaves_no_watch(connection: Connection, server: Server) -> None:
    before = calls(server, "unwatch")
    assert connection.transact(lambda transaction: transaction.read("GET", "n"), "n") is None
    assert connection.execute("PING") == "PONG"
    assert calls(server, "unwatch") == before + 1


def test_reads_of_a_watched_transaction_fail_by_themselves(connection: Connection) -> None:
    connection.execute("SET", "k", "v")

    def update(transaction: WatchedTransaction) -> Any:
        with pytest.raises(ReplyError, match="WRONGTYPE"):
            transaction.read("LRANGE", "k", 0, -1)
        assert transaction.read(Command("GET", "k", read=lambda reply, _: [reply])) == [b"v"]
        with pytest.raises(LocalProtocolError, match=r"transact\(\) runs this"):
            transaction.run()
        return transaction.execute("APPEND", "k", "w")

    assert connection.transact(update, "k").result() == 2


def test_one_timeout_covers_all_attempts(connection: Connection, server: Server) -> None:
    def update(transaction: WatchedTransaction) -> Any:
        server.call("INCR", "n")
        return transaction.execute("SET", "n", "ours")

    with pytest.raises(CommandTimeoutError):
        connection.transact(update, "n", attempts=10**9, timeout=0.1)
    assert connection.execute("ECHO", "usable") == b"usable"


@pytest.mark.parametrize(
    ("keys", "options", "error", "told"),
    [
        ((), {}, ValueError, "name at least one key to watch"),
        (("n",), {"attempts": 0}, ValueError, "attempts must be at least 1"),
        ((None,), {}, TypeError, "WATCH"),
        (("n",), {"timeout": "1"}, TypeError, "timeout must be"),
        (("n",), {"decode": "no-such-encoding"}, ValueError, "decode must be"),
    ],
)
def test_what_cannot_be_watched(
    connection: Connection, server: Server, keys: Any, options: Any, error: type[Exception], told: str
) -> None:
    before = statistic(server, "total_commands_processed")
    with pytest.raises(error, match=told):
        connection.transact(increase, *keys, **options)
    assert statistic(server, "total_commands_processed") == before + 1


def test_a_transaction_on_a_connection_that_ended_between_its_steps(server: Server) -> None:
    connection = connect(server.url)

    def update(transaction: WatchedTransaction) -> Any:
        connection.close()
        return transaction.execute("SET", "n", "ours")

    with pytest.raises(ConnectionClosedError) as caught:
        connection.transact(update, "n")
    assert caught.value.outcome is Outcome.NOT_SENT
    assert server.call("GET", "n") is None


def test_transact_takes_a_plain_function(server: Server) -> None:
    """What an async one returns is never awaited: nothing would be done, and nobody would know."""

    async def update(transaction: WatchedTransaction) -> None:
        transaction.execute("SET", "k", "v")

    wrong: Any = update
    before = calls(server, "unwatch")
    with connect(server.url) as connection:
        with pytest.raises(TypeError, match=r"^transact\(\) takes a plain function here"):
            connection.transact(wrong, "k")
        assert connection.execute("EXISTS", "k") == 0
    assert calls(server, "unwatch") == before + 1
