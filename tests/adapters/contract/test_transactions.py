"""The contract of transactions that do not run, or not wholly: why, and which command, is told by its position and its name.

A real server refuses: by its ACL, for want of memory, for the type of a key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from adapters.backends import Backend, contract
from adapters.peers import Faults, Proxy, calls
from resp_sansio import (
    Command,
    CommandFailure,
    ConnectionLostError,
    Outcome,
    ReplyError,
    RespError,
    Retry,
    TransactionAbortedError,
    TransactionDiscardedError,
    TransactionRefusedError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from servers import Server

NOT_SENT, REPLY = Outcome.NOT_SENT, Outcome.REPLY

KINDS = pytest.mark.parametrize("kind", ["connect", "pool", "client"])


@pytest.fixture
def user(server: Server, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of the server for a user who may do all but this."""
    server.call("ACL", "SETUSER", "ann", "reset", "on", ">sesame", "~*", "&*", "+@all", f"-{request.param}")
    yield server.url.replace("//", "//ann:sesame@")
    server.call("ACL", "DELUSER", "ann")


def without(command: str) -> pytest.MarkDecorator:
    """A test of a user who lacks this command."""
    return pytest.mark.parametrize("user", [command], indirect=True)


async def run(redis: Any, *lines: str) -> tuple[Any, list[Any]]:
    """Run a transaction of these commands, and return what it raised with what each result says."""
    both = redis.transaction()
    results = [both.execute(*line.split()) for line in lines]
    with pytest.raises(RespError) as caught:
        await both.run()
    assert "sesame" not in str(caught.value)
    return caught.value, [said(result) for result in results]


def said(result: Any) -> Any:
    """The reply, or the class of the error."""
    try:
        return result.result()
    except RespError as error:
        return type(error)


def places(failures: tuple[CommandFailure, ...]) -> list[tuple[int, str, str]]:
    """Position, name and code of each."""
    return [(position, name, getattr(error, "code", "")) for position, name, error in failures]


@without("getdel")
@KINDS
@contract
async def test_commands_that_are_refused_when_they_are_queued_are_told(
    backend: Backend, server: Server, user: str, kind: str
) -> None:
    async with getattr(backend, kind)(user) as redis:
        error, results = await run(redis, "SET k v", "GETDEL k", "INCR", "SET k w")
        assert isinstance(error, TransactionDiscardedError)
        assert str(error) == (
            "nothing was executed, because command 2 of 4, GETDEL (NOPERM), command 3 of 4, INCR (ERR) were refused"
        )
        assert places(error.failures) == [(1, "GETDEL", "NOPERM"), (2, "INCR", "ERR")]
        assert (error.reason.code, error.outcome) == ("EXECABORT", NOT_SENT)
        assert results == [TransactionDiscardedError, ReplyError, ReplyError, TransactionDiscardedError]
        assert await redis.execute("EXISTS", "k") == 0


@without("exec")
@KINDS
@contract
async def test_that_exec_itself_is_refused_is_told_from_that(
    backend: Backend, server: Server, user: str, kind: str
) -> None:
    async with getattr(backend, kind)(user) as redis:
        error, results = await run(redis, "SET k v", "GET k")
        assert isinstance(error, TransactionDiscardedError)
        assert str(error).startswith("nothing was executed, because EXEC was refused (EXECABORT ")
        assert "NOPERM" in error.reason.message
        assert (error.failures, error.outcome) == ((), NOT_SENT)
        assert results == [TransactionDiscardedError] * 2
        assert await redis.execute("EXISTS", "k") == 0  # and the connection is in no transaction


@without("multi")
@KINDS
@contract
async def test_that_multi_is_refused_is_told_with_what_became_of_each(
    backend: Backend, server: Server, user: str, kind: str
) -> None:
    async with getattr(backend, kind)(user) as redis:
        error, results = await run(redis, "SET k v", "INCR k", "GET k")
        assert isinstance(error, TransactionRefusedError)
        assert str(error).endswith("), so the commands ran singly, and 1 of 3 ended in an error")
        assert (error.reason.code, error.outcome) == ("NOPERM", REPLY)
        assert error.replies[::2] == ("OK", b"v")
        assert places(error.failures) == [(1, "INCR", "ERR")]
        assert results == [TransactionRefusedError] * 3


@KINDS
@contract
async def test_want_of_memory_stops_the_whole_and_says_at_which_command(
    backend: Backend, start_server: Callable[..., Server], kind: str
) -> None:
    server = start_server("--maxmemory", "1", "--maxmemory-policy", "noeviction")
    async with getattr(backend, kind)(server.url) as redis:
        error, results = await run(redis, "GET k", "SET k v")
        assert isinstance(error, TransactionDiscardedError)
        assert places(error.failures)[-1] == (1, "SET", "OOM")  # nothing at all is queued then, on Redis 7 and Valkey
        assert results[1] is ReplyError


@pytest.mark.over_a_cluster
@contract
async def test_those_that_fail_when_they_run_are_told_and_the_others_ran(backend: Backend, server: Server) -> None:
    async with backend.client(server.url) as client:
        async with client.transaction() as both:
            results = [both.set("k", "v"), both.lpush("k", "x"), both.get("k"), both.incr("k")]
        assert [said(result) for result in results] == [True, ReplyError, b"v", ReplyError]
        assert places(both.failures) == [(1, "LPUSH", "WRONGTYPE"), (3, "INCR", "ERR")]
        async with client.transaction() as both:
            both.get("k")
        assert both.failures == ()


@contract
async def test_a_lost_race_names_no_command(backend: Backend, server: Server) -> None:
    async def update(transaction: Any) -> None:
        server.call("SET", "k", "theirs")
        transaction.set("k", "ours")

    async with backend.client(server.url) as client:
        with pytest.raises(TransactionAbortedError) as caught:
            await client.transact(update, "k", attempts=2)
    assert caught.value.outcome is NOT_SENT
    assert server.call("GET", "k") == b"theirs"


@without("exec")
@contract
async def test_a_watched_transaction_says_the_same(backend: Backend, server: Server, user: str) -> None:
    async def update(transaction: Any) -> None:
        transaction.set("k", "v")

    async with backend.client(user) as client:
        with pytest.raises(TransactionDiscardedError, match="EXEC was refused"):
            await client.transact(update, "k")
        assert calls(server, "exec") > 0
        assert await client.get("k") is None


@contract
async def test_one_that_was_lost_and_is_then_refused_may_have_run(backend: Backend, server: Server) -> None:
    """The reply to the first attempt is lost, and the second finds no memory."""
    server.call("CONFIG", "SET", "maxmemory", "0")
    try:
        with Proxy(server.port) as proxy:
            async with backend.client(proxy.url, retry=Retry(base=0.01)) as client:
                await client.ping()
                both = client.transaction()
                both.execute(Command("SET", "k", "v", retry=True))
                both.execute(Command("CONFIG SET", "maxmemory", "1", retry=True))
                proxy.arm(down=Faults(after=0, then="close", once=True))
                with pytest.raises(TransactionDiscardedError) as caught:
                    await both.run()
        assert caught.value.outcome is Outcome.MAYBE_EXECUTED
        assert places(caught.value.failures)[0] == (0, "SET", "OOM")
        assert server.call("GET", "k") == b"v"
    finally:
        server.call("CONFIG", "SET", "maxmemory", "0")


@contract
async def test_one_that_is_lost_tells_no_more_than_is_known(backend: Backend, server: Server) -> None:
    with Proxy(server.port) as proxy:
        async with backend.connect(proxy.url) as connection:
            await connection.ping()
            both = connection.transaction()
            both.incr("n")
            proxy.arm(down=Faults(after=0, then="close", once=True))
            with pytest.raises(ConnectionLostError) as caught:
                await both.run()
            assert caught.value.outcome is Outcome.MAYBE_EXECUTED
            assert [(position, name) for position, name, _ in both.failures] == [(0, "INCR")]
