"""The contract of a pool: who gets which connection and when, what is closed and why, and what each caller is told."""

from __future__ import annotations

import os
import signal
import socket
import time
from contextlib import AsyncExitStack
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from adapters.backends import CANCELLED, Backend, contract, contract_of_tasks, told
from adapters.peers import PATIENCE, Peer, Wire, calls, listed, statistic
from resp_sansio import (
    CloseReason,
    CommandTimeoutError,
    ConnectError,
    ConnectionClosedError,
    ConnectionLostError,
    LocalProtocolError,
    Outcome,
    PoolFullError,
    PoolStats,
    Retry,
    TransactionAbortedError,
    commands,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from resp_asyncio import Client, Connection, Pool
    from servers import Server

pytestmark = pytest.mark.usefixtures("nothing_is_left")

ONCE = Retry(attempts=1)


async def identity(connection: Connection | Pool) -> int:
    """The server's number for a connection."""
    found = await connection.execute("CLIENT", "ID")
    assert isinstance(found, int)
    return found


def closed(pool: Pool) -> dict[CloseReason, int]:
    """How many connections were closed, and why."""
    return {reason: count for reason, count in pool.stats().closed.items() if count}


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


# -- Who is next --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["client", "pool"])
@contract
async def test_callers_who_never_wait_are_lent_what_their_asking_has_opened(
    backend: Backend, server: Server, kind: str
) -> None:
    redis: Any
    async with getattr(backend, kind)(server.url) as redis:
        while True:
            try:
                async with redis.acquire(timeout=0) as connection:
                    assert await connection.ping() == "PONG"
                    break
            except CommandTimeoutError:
                await backend.sleep(0.001)


@contract
async def test_first_come_first_served(backend: Backend, server: Server) -> None:
    served: list[int] = []
    async with backend.pool(server.url, max_size=1) as pool:

        async def hold() -> None:
            async with pool.acquire():
                await backend.until(lambda: pool.stats().waiting == 10)
                assert served == []

        async def stand(place: int) -> None:
            await backend.until(lambda: pool.stats().leased == 1 and pool.stats().waiting == place)
            async with pool.acquire() as connection:
                served.append(place)
                await connection.execute("PING")

        await backend.together(hold, *[partial(stand, place) for place in range(10)])
        assert served == list(range(10))
        stats = pool.stats()
        assert (stats.created, stats.granted, stats.most_waiting, stats.leased, stats.idle) == (1, 11, 10, 0, 1)


@contract
async def test_what_came_back_last_is_used_first(backend: Backend, server: Server) -> None:
    """So that those which are not needed grow old."""
    async with backend.pool(server.url) as pool:
        async with AsyncExitStack() as first, AsyncExitStack() as second, AsyncExitStack() as third:
            stacks = (first, second, third)
            one, two, three = [await identity(await stack.enter_async_context(pool.acquire())) for stack in stacks]
            for stack in stacks:
                await stack.aclose()
            again = [await identity(await stack.enter_async_context(pool.acquire())) for stack in stacks]
            assert again == [three, two, one]
        assert pool.stats().created == 3


@contract
@pytest.mark.parametrize("strategy", ["pool", "client"])
async def test_nobody_waits_behind_a_late_reply_while_another_connection_can_be_opened(
    backend: Backend, strategy: str
) -> None:
    released = Event()

    def late(wire: Wire) -> None:
        wire.welcome()
        for words in wire.commands():
            if words[0] == b"SLOW":
                released.wait(PATIENCE)
            wire.send(b"+%s\r\n" % words[-1])

    with Peer(late, late) as peer:
        borrow = backend.pool if strategy == "pool" else backend.client
        try:
            async with borrow(peer.url) as lender:
                with pytest.raises(CommandTimeoutError):
                    async with lender.acquire() as connection:
                        await connection.execute("SLOW", "reply", timeout=0.2)
                async with lender.acquire() as connection:
                    assert await connection.execute("ECHO", "mine") == "mine"
                released.set()
                for number in range(20):  # whichever it is, what comes late is dropped
                    async with lender.acquire() as connection:
                        assert await connection.execute("ECHO", number) == str(number)
                assert peer.connections == 2
        finally:
            released.set()


@contract
async def test_calls_on_the_pool_borrow_for_as_long_as_they_take(backend: Backend, server: Server) -> None:
    async with backend.pool(server.url, max_size=3) as pool:
        replies = await backend.together(*[partial(pool.execute, "ECHO", str(number)) for number in range(50)])
        assert replies == [b"%d" % number for number in range(50)]
        async with pool.pipeline() as pipe:
            results = [pipe.execute("INCR", "n") for _ in range(3)]
        async with pool.transaction() as both:
            results += [both.execute("INCR", "n") for _ in range(3)]
        assert [result.result() for result in results] == [1, 2, 3, 4, 5, 6]

        async def double(transaction: Any) -> None:
            transaction.execute("SET", "n", int(await transaction.read("GET", "n")) * 2)

        await pool.transact(double, "n")
        assert await pool.execute("GET", "n") == b"12"
        assert pool.stats().leased == 0
        assert pool.stats().most_size <= 3


@contract
async def test_a_caller_who_goes_while_its_connection_is_opened_leaves_it_to_the_next(
    backend: Backend, start_server: Callable[..., Server]
) -> None:
    """The dial is the pool's. (A thread's is its own, and ends with it.)"""
    server = start_server()
    async with backend.pool(server.url, max_size=1) as pool:
        with server.paused():
            async with backend.cancelled(partial(pool.execute, "PING")) as ended:
                await backend.until(lambda: pool.stats().dialling == 1)
            assert ended.outcome is CANCELLED
        assert await pool.execute("PING") == "PONG"
        assert pool.stats().created == 1
        assert pool.stats().withdrawn == 1


@contract
async def test_who_would_wait_behind_too_many_is_told_at_once(backend: Backend, server: Server) -> None:
    async with backend.pool(server.url, max_size=1, max_waiting=1) as pool:

        async def hold() -> None:
            async with pool.acquire():
                await backend.until(lambda: pool.stats().waiting == 1)
                for call in (partial(pool.execute, "INCR", "n"), lambda: pool.acquire().__aenter__()):
                    with pytest.raises(PoolFullError) as full:
                        await call()
                    assert full.value.outcome is Outcome.NOT_SENT
                    assert str(full.value) == (
                        "1 callers wait for a connection already (max_waiting=1);"
                        " <Pool OPEN: 1 of 1, 0 idle, 1 leased, 0 dialling, 1 waiting>"
                    )

        async def wait() -> Any:
            await backend.until(lambda: pool.stats().leased == 1)
            return await pool.execute("INCR", "n")

        assert await backend.together(hold, wait) == [None, 1]
        assert pool.stats().refused == 2


@contract
async def test_who_waits_for_too_long_is_told_what_the_pool_was_doing(backend: Backend, server: Server) -> None:
    async with backend.pool(server.url, max_size=1) as pool, pool.acquire():
        with pytest.raises(CommandTimeoutError) as late:
            async with pool.acquire(timeout=0.02):
                pass
        with pytest.raises(CommandTimeoutError) as later:
            await pool.execute("INCR", "n", timeout=0.02)
        free = f"no connection to 127.0.0.1:{server.port} became free in time"
        counts = "[1 connections, 0 idle, 1 leased, 0 dialling, 1 waiting]"
        assert str(late.value) == f"{free} {counts}"
        assert str(later.value) == f"INCR: {free}; the server cannot have executed it {counts}"
        for error in (late.value, later.value):
            assert error.outcome is Outcome.NOT_SENT
            assert isinstance(error.stats, PoolStats)
            assert (error.stats.leased, error.stats.waiting) == (1, 1)
        assert pool.stats().withdrawn + pool.stats().refused == 2
        assert pool.stats().waiting == 0


# -- What is kept -------------------------------------------------------------------------------------------------------------


@contract
async def test_as_many_as_asked_for_are_open_from_the_beginning(backend: Backend, server: Server) -> None:
    async with backend.pool(server.url, min_size=2) as pool:
        await backend.until(lambda: pool.stats().idle == 2)
        assert await pool.execute("PING") == "PONG"
        assert pool.stats().created == 2


@contract
async def test_nothing_is_opened_before_it_is_needed(backend: Backend) -> None:
    async with backend.pool(f"redis://127.0.0.1:{unused_port()}") as pool:
        await backend.sleep(0.01)
        assert pool.stats().created == pool.stats().dial_failures == 0


@contract
async def test_what_nobody_uses_is_closed_down_to_a_number(backend: Backend, server: Server) -> None:
    async with backend.pool(server.url, min_size=1, max_idle=0.05) as pool:
        async with pool.acquire(), pool.acquire(), pool.acquire():
            pass
        while pool.stats().size > 1:
            await backend.sleep(0.01)
            assert await pool.execute("PING") == "PONG"  # threads look at the time when they pass
        assert closed(pool) == {CloseReason.IDLE: 2}
        await backend.until(lambda: len(listed(server)) == 2)
        await backend.sleep(0.1)
        assert pool.stats().size == 1


@contract
async def test_an_old_one_is_replaced(backend: Backend, server: Server) -> None:
    async with backend.pool(server.url, max_lifetime=0.05) as pool:
        first = await identity(pool)
        await backend.sleep(0.06)
        assert await identity(pool) != first
        async with pool.acquire() as connection:
            await backend.sleep(0.06)
            assert await connection.execute("PING") == "PONG"  # not while it is used
        assert closed(pool)[CloseReason.MAX_LIFETIME] >= 2


@contract
async def test_retiring_lets_everything_go_that_is_open(backend: Backend, server: Server) -> None:
    async with backend.pool(server.url) as pool:
        async with pool.acquire() as lent:
            before = {await identity(lent), await identity(pool)}
            pool.retire()
            assert closed(pool) == {CloseReason.RETIRED: 1}
            assert await lent.execute("PING") == "PONG"
        assert closed(pool) == {CloseReason.RETIRED: 2}
        assert await identity(pool) not in before


@contract
async def test_its_bounds_can_be_changed_while_it_is_used(backend: Backend, server: Server) -> None:
    async with backend.pool(server.url, max_size=1) as pool:

        async def hold() -> None:
            async with pool.acquire():
                await backend.until(lambda: pool.stats().waiting == 2)
                pool.resize(3)
                await backend.until(lambda: pool.stats().most_leased == 3)
                pool.resize(1)

        async def wait() -> None:
            await backend.until(lambda: pool.stats().leased > 0)
            async with pool.acquire():
                await backend.until(lambda: pool.stats().most_leased == 3)

        await backend.together(hold, wait, wait)
        assert (pool.stats().size, closed(pool)) == (1, {CloseReason.SURPLUS: 2})
        with pytest.raises(ValueError, match="max_size must be"):
            pool.resize(0)
        await backend.until(lambda: len(listed(server)) == 2)


# -- What comes back ----------------------------------------------------------------------------------------------------------


@contract
async def test_one_that_was_changed_is_not_lent_again(backend: Backend, server: Server) -> None:
    async with backend.pool(server.url) as pool:
        for change in (["SELECT", 1], ["CLIENT", "NO-EVICT", "ON"], ["SUBSCRIBE", "news"]):
            async with pool.acquire() as connection:
                mine = await identity(connection)
                await connection.execute(*map(str, change))
            assert await identity(pool) != mine
        assert closed(pool) == {CloseReason.BROKEN: 3}
        await pool.execute("SET", "k", "v")
    assert server.call("GET", "k") == b"v"  # in database 0


@contract
async def test_a_watch_that_was_left_behind_is_ended(backend: Backend, server: Server) -> None:
    async with backend.pool(server.url) as pool:
        async with pool.acquire() as connection:
            mine = await identity(connection)
            await connection.execute("WATCH", "k")
        server.call("SET", "k", "changed")
        async with pool.acquire() as connection:
            assert await identity(connection) == mine
            async with connection.transaction() as both:
                result = both.execute("INCR", "n")
            assert result.result() == 1
    assert calls(server, "unwatch") > 0


@pytest.mark.parametrize("way", ["WATCH", "transact", "read_value"])
@contract
async def test_a_watch_that_the_server_does_not_end_is_no_other_borrowers(
    backend: Backend, start_server: Callable[..., Server], way: str
) -> None:
    async def update(_: Any) -> None:
        raise ZeroDivisionError

    server = start_server()  # its user is of no use to other tests
    server.call("SET", "k", "v")
    server.call("ACL", "SETUSER", "bound", "on", "nopass", "~*", "+@all", "-unwatch")
    async with backend.pool(server.url.replace("redis://", "redis://bound:x@", 1), max_size=1) as pool:
        if way == "WATCH":
            async with pool.acquire() as connection:
                await connection.execute("WATCH", "k")
        elif way == "transact":
            with pytest.raises(ZeroDivisionError):
                await pool.transact(update, "k")
        else:
            async with pool.read_value("k"):
                pass
        await pool.execute("PING")  # behind its answer to UNWATCH
        server.call("SET", "k", "changed")
        async with pool.acquire() as connection:
            async with connection.transaction() as both:
                result = both.execute("INCR", "n")
            assert result.result() == 1
        assert closed(pool) == {CloseReason.BROKEN: 1}


@contract
async def test_what_the_server_has_closed_meanwhile_is_not_lent(backend: Backend, server: Server) -> None:
    async with backend.pool(server.url) as pool:
        for borrowed in (False, True):
            mine = await identity(pool)
            server.call("CLIENT", "KILL", "ID", mine)
            await backend.sleep(0.02)
            if borrowed:
                async with pool.acquire() as connection:
                    assert await connection.execute("INCR", "n") == 2
            else:
                assert await pool.execute("INCR", "n") == 1
        assert closed(pool) == {CloseReason.LOST: 2}
        assert pool.stats().retries == 0


@contract
async def test_what_says_more_than_it_was_asked_is_not_lent(backend: Backend) -> None:
    def script(wire: Wire) -> None:
        wire.welcome()
        for words in wire.commands():
            wire.send(b"$%d\r\n%s\r\n" % (len(words[1]), words[1]))
            if words[1] == b"one":
                time.sleep(0.01)
                wire.send(b"+surplus\r\n")

    with Peer(script) as peer:
        async with backend.pool(peer.url) as pool:
            assert await pool.execute("ECHO", "one") == b"one"
            await backend.sleep(0.05)
            assert await pool.execute("ECHO", "two") == b"two"
            assert closed(pool) == {CloseReason.LOST: 1}
            assert pool.stats().retries == 0
        assert peer.connections == 2


@contract
async def test_one_that_does_not_answer_a_ping_is_not_lent(backend: Backend) -> None:
    """Its peer has gone without a word: the check takes no longer than opening another may."""

    def script(wire: Wire, *, answers: int) -> None:
        wire.welcome()
        for _ in range(answers):
            assert wire.command() == [b"PING"]
            wire.send(b"+PONG\r\n")
        wire.drain()

    with Peer(partial(script, answers=2), partial(script, answers=4)) as peer:
        async with backend.pool(peer.url, pre_ping=True, connect_timeout=0.2, timeout=None) as pool:
            assert await pool.execute("PING") == "PONG"
            assert await pool.execute("PING") == "PONG"
            assert closed(pool) == {CloseReason.FAILED_CHECK: 1}
            async with pool.acquire() as connection:
                assert await connection.execute("PING") == "PONG"
        assert peer.connections == 2


@contract
async def test_a_check_without_any_limit(backend: Backend, server: Server) -> None:
    async with backend.pool(server.url, pre_ping=True, connect_timeout=None, timeout=None) as pool:
        assert [await pool.execute("INCR", "n") for _ in range(3)] == [1, 2, 3]


@contract
async def test_who_keeps_one_for_long_is_reported_with_its_stack(backend: Backend, server: Server) -> None:
    async with backend.pool(server.url, leak_after=0.02) as pool:
        warned = pytest.warns(ResourceWarning, match=r"(?s)is out for long; it was borrowed here:\n.*acquire")
        async with pool.acquire():
            with warned:
                while not warned.list:
                    await backend.sleep(0.01)
                    await pool.execute("PING")  # threads look at the time when they pass
            await backend.sleep(0.05)
            await pool.execute("PING")  # told once: another warning would be an error


# -- Once the block has ended -------------------------------------------------------------------------------------------------


NEVER = ("select", "blpop", "unwatch")


async def kept(lender: Pool | Client) -> tuple[Connection, Any, Any, Any]:
    """Return a connection whose block has ended, and what was begun in it: a pipeline, a result of one that was run, a call."""
    async with lender.acquire() as connection:
        await connection.execute("SET", "k", "mine")
        async with connection.pipeline() as run:
            result = run.execute("GET", "k")
        unrun = connection.pipeline()
        unrun.execute("SELECT", 1)
    return connection, unrun, result, partial(connection.execute, "SELECT", 1)


async def refused(what: Any) -> None:
    """See that the call is refused, because its block has ended."""
    with pytest.raises(LocalProtocolError, match="its acquire.. block ended") as caught:
        await what
    assert caught.value.outcome is Outcome.NOT_SENT


async def read_and_write(transaction: Any) -> None:
    transaction.execute("SET", "k", await transaction.read("GET", "k"))


@contract
@pytest.mark.parametrize("kind", ["pool", "client"])
async def test_a_connection_is_of_no_use_once_its_block_has_ended(backend: Backend, server: Server, kind: str) -> None:
    size = {"max_size": 1} if kind == "pool" else {"max_connections": 2}
    server.call("CONFIG", "RESETSTAT")  # the server is that of other tests, too
    async with getattr(backend, kind)(server.url, **size) as lender:
        stale, unrun, result, call = await kept(lender)
        called = [calls(server, name) for name in NEVER]
        before = statistic(server, "total_commands_processed")

        async def try_everything() -> None:
            assert stale.closed
            assert "given back" in repr(stale)
            await refused(stale.execute("SELECT", 1))
            await refused(stale.execute(commands.get("k")))
            await refused(call())
            await refused(stale.execute("BLPOP", "none", 0))
            await refused(stale.next_push(timeout=5))
            await refused(stale.transact(read_and_write, "k"))
            for made in (stale.pipeline(), stale.transaction()):
                with pytest.raises(LocalProtocolError, match="block ended"):
                    async with made:
                        later = made.execute("INCR", "n")
                with pytest.raises(LocalProtocolError, match="block ended"):
                    later.result()
            await stale.close()
            assert result.result() == b"mine"

        await try_everything()
        await refused(unrun.run())
        assert statistic(server, "total_commands_processed") == before + 1  # INFO itself
        async with lender.acquire() as mine:  # the same connection, which another caller has now
            await mine.execute("WATCH", "k")
            await try_everything()
            async with mine.transaction() as both:
                both.execute("SET", "k", "yours")
            assert await mine.execute("GET", "k") == b"yours"
        stats = lender.stats()
        stats = stats if kind == "pool" else stats.leases
        assert (stats.created, stats.size) == (1, 1)
    assert [calls(server, name) for name in NEVER] == called


@contract
async def test_a_transaction_is_of_no_use_once_transact_has_returned(backend: Backend, server: Server) -> None:
    async with backend.pool(server.url, max_size=1) as pool:
        seen = []

        async def update(transaction: Any) -> None:
            seen.append(transaction)
            await read_and_write(transaction)

        await pool.execute("SET", "k", "v")
        await pool.transact(update, "k")
        await refused(seen[0].read("GET", "k"))


@contract
async def test_calls_under_way_when_their_block_ends_go_on(backend: Backend, server: Server) -> None:
    async with backend.pool(server.url, max_size=1) as pool:
        waits = []

        async def lend() -> None:
            async with pool.acquire() as connection:
                waits.append(connection)
                await backend.until(lambda: statistic(server, "blocked_clients") == 1)
            server.call("RPUSH", "q", "late")

        async def wait() -> Any:
            await backend.until(lambda: bool(waits))
            return await waits[0].execute("BLPOP", "q", 0, timeout=30)

        assert await backend.together(lend, wait) == [None, [b"q", b"late"]]
        assert await pool.execute("ECHO", "next") == b"next"
        assert pool.stats().created == 1


@contract
async def test_a_transaction_in_the_middle_when_its_block_ends_is_refused(backend: Backend, server: Server) -> None:
    async with backend.pool(server.url, max_size=1) as pool:
        watched: list[int] = []
        ended: list[int] = []

        async def update(transaction: Any) -> None:
            transaction.execute("SET", "k", await transaction.read("GET", "k") or "")
            watched.append(1)
            await backend.until(lambda: bool(ended))

        async def lend() -> None:
            async with pool.acquire() as connection:
                holder.append(connection)
                await backend.until(lambda: bool(watched))
            async with pool.acquire() as next_one:
                await next_one.execute("WATCH", "other")
                ended.append(1)
                await backend.until(lambda: len(ended) == 2)
                server.call("SET", "other", "changed")
                with pytest.raises(TransactionAbortedError):  # its own WATCH was not ended by the one before it
                    async with next_one.transaction() as both:
                        both.execute("SET", "k", "wrong")

        async def transact() -> None:
            await backend.until(lambda: bool(holder))
            await refused(holder[0].transact(update, "k"))
            ended.append(2)

        holder: list[Connection] = []
        await backend.together(lend, transact)
        assert await pool.execute("EXISTS", "k") == 0


@contract
async def test_one_who_still_waits_for_a_push_when_the_block_ends_takes_none_of_the_next(
    backend: Backend, server: Server
) -> None:
    async with backend.pool(server.url, max_size=1) as pool:
        lent: list[Connection] = []

        async def lend() -> None:
            async with pool.acquire() as connection:
                await connection.execute("PING")
                lent.append(connection)
                await backend.sleep(0.1)
            async with pool.acquire() as connection:
                await connection.execute("SUBSCRIBE", "news")
                server.call("PUBLISH", "news", "for the next one")
                assert (await connection.next_push()).items == (b"news", b"for the next one")

        async def listen() -> None:
            await backend.until(lambda: bool(lent))
            with pytest.raises((ConnectionLostError, LocalProtocolError)) as caught:
                await lent[0].next_push(timeout=30)
            assert caught.value.outcome is Outcome.NOT_SENT

        assert await backend.together(lend, listen) == [None, None]
        assert pool.stats().created == 2


@contract_of_tasks
async def test_a_block_is_entered_once(backend: Backend, server: Server) -> None:
    async with backend.pool(server.url) as pool:
        block = pool.acquire()
        async with block:
            pass
        with pytest.raises(LocalProtocolError, match="entered before"):
            async with block:
                pass


# -- Dials that fail ----------------------------------------------------------------------------------------------------------


@contract
async def test_a_dial_that_may_succeed_later_is_tried_again_for_as_often_as_asked(backend: Backend) -> None:
    port = unused_port()
    why = f"cannot connect to 127.0.0.1:{port}: Connection refused"
    url = f"redis://127.0.0.1:{port}"
    async with backend.pool(url, retry=Retry(attempts=3, base=0.001, cap=0.001)) as pool:
        with pytest.raises(ConnectError) as refused:
            await pool.execute("INCR", "n")
        assert told(refused.value) == f"INCR: {why}; 3 attempts were made; the server cannot have executed it"
        assert (refused.value.transient, refused.value.outcome) == (True, Outcome.NOT_SENT)
        assert (pool.stats().dial_failures, pool.stats().retries, pool.stats().waiting) == (3, 2, 0)
        with pytest.raises(ConnectError) as refused:
            async with pool.acquire():
                pass
        # An adapter that tries again for `acquire`, as for a call, says how often it has.
        assert str(refused.value) in (why, f"{why}; 3 attempts were made")
        assert refused.value.transient


@contract
async def test_a_wrong_password_is_told_to_all_who_wait_and_shows_nowhere(
    backend: Backend, start_server: Callable[..., Server]
) -> None:
    server = start_server("--requirepass", "right")
    secret = "hunter2-very-secret"
    async with backend.pool(server.url, password=secret, max_size=1) as pool:
        with server.paused():  # so that they wait together

            async def go_on() -> None:
                await backend.until(lambda: pool.stats().waiting == 10)
                os.kill(server.pid, signal.SIGCONT)

            errors = await backend.together(*[partial(pool.execute, "INCR", "n")] * 10, go_on)
        for error in errors[:-1]:
            assert isinstance(error, ConnectError)
            assert (error.transient, error.outcome) == (False, Outcome.NOT_SENT)
            assert "(WRONGPASS)" in str(error)
            assert secret not in repr(error) + repr(error.__context__) + repr(error.__cause__) + repr(pool)
        assert pool.stats().retries == 0
        assert pool.stats().dial_failures <= 2


@contract
async def test_what_a_provider_of_credentials_raises_is_raised(backend: Backend, server: Server) -> None:
    def shut() -> str:
        raise LookupError("the vault is shut")

    async with backend.pool(server.url, credentials=shut) as pool:
        with pytest.raises(LookupError, match="the vault is shut"):
            await pool.execute("PING")
        with pytest.raises(LookupError, match="the vault is shut"):
            async with pool.acquire():
                pass
        assert pool.stats().dialling == pool.stats().waiting == 0


@contract
async def test_a_breaker_fails_fast_while_the_server_is_away(
    backend: Backend, start_server: Callable[..., Server]
) -> None:
    server = start_server()
    server.stop()
    async with backend.pool(server.url, breaker_failures=2, breaker_seconds=60, retry=ONCE) as pool:
        for _ in range(2):
            with pytest.raises(ConnectError, match="Connection refused"):
                await pool.execute("PING")
        with pytest.raises(ConnectError, match="no dial was tried, because the last 2") as refused:
            await pool.execute("PING")
        assert refused.value.transient
        assert pool.stats().dial_failures == 2
    async with backend.pool(server.url, breaker_failures=2, breaker_seconds=0.5, retry=ONCE) as pool:
        for _ in range(2):
            with pytest.raises(ConnectError, match="Connection refused"):
                await pool.execute("PING")
        server.start()
        await backend.sleep(0.5)
        assert await pool.execute("PING") == "PONG"
        assert pool.stats().dial_failures == 2


# -- The end ------------------------------------------------------------------------------------------------------------------


@contract
async def test_closing_gracefully_lets_those_finish_who_are_in(backend: Backend, server: Server) -> None:
    async with backend.pool(server.url, max_size=1) as pool:

        async def hold() -> Any:
            async with pool.acquire() as connection:
                await backend.until(lambda: pool.closed)
                with pytest.raises(
                    ConnectionClosedError, match="the pool is DRAINING: it serves those who wait, and no others"
                ):
                    await pool.execute("INCR", "n")
                return await connection.execute("INCR", "n")

        async def wait() -> Any:
            await backend.until(lambda: pool.stats().leased == 1)
            return await pool.execute("INCR", "n")

        async def close() -> None:
            await backend.until(lambda: pool.stats().leased == pool.stats().waiting == 1)
            await pool.close(None)

        assert await backend.together(hold, wait, close) == [1, 2, None]
        assert closed(pool) == {CloseReason.DRAINED: 1}
        with pytest.raises(
            ConnectionClosedError, match="the pool is CLOSED: it has no connections, and never will; open another"
        ):
            await pool.execute("PING")


@contract
async def test_closing_waits_no_longer_than_told(backend: Backend, server: Server) -> None:
    async with backend.pool(server.url, max_size=1) as pool:

        async def close() -> None:
            await backend.until(lambda: statistic(server, "blocked_clients") == 1)
            begun = time.monotonic()
            await pool.close(0.05)
            assert time.monotonic() - begun > 0.04

        async def block() -> Any:
            async with pool.acquire() as connection:
                return await connection.execute("BLPOP", "nothing", 0)

        error, _ = await backend.together(block, close)
        assert (type(error), error.outcome) == (ConnectionLostError, Outcome.MAYBE_EXECUTED)
        assert closed(pool) == {CloseReason.CLOSED: 1}


@contract
async def test_closing_at_once_ends_what_is_under_way(backend: Backend, server: Server) -> None:
    async with backend.pool(server.url, max_size=1) as pool:

        async def wait() -> Any:
            await backend.until(lambda: pool.stats().leased == 1)
            return await pool.execute("INCR", "n")

        async def close() -> None:
            await backend.until(lambda: statistic(server, "blocked_clients") == 1)
            await backend.until(lambda: pool.stats().waiting == 1)  # not who blocks, who has waited for its dial
            await pool.close()
            await pool.close()

        under_way, waiting, _ = await backend.together(partial(pool.execute, "BLPOP", "nothing", 0), wait, close)
        assert (type(under_way), under_way.outcome) == (ConnectionLostError, Outcome.MAYBE_EXECUTED)
        assert isinstance(waiting, ConnectionClosedError | ConnectionLostError)
        assert waiting.outcome is Outcome.NOT_SENT
        assert "the pool was closed" in str(waiting)
        for call in (partial(pool.execute, "INCR", "n"), lambda: pool.acquire().__aenter__()):
            with pytest.raises(ConnectionClosedError, match="the pool is CLOSED"):
                await call()
        assert pool.closed
        assert (pool.stats().size, pool.stats().waiting) == (0, 0)
    assert server.call("EXISTS", "n") == 0


@contract
async def test_one_that_never_came_into_use_closes_in_silence(backend: Backend) -> None:
    async with backend.pool("redis://127.0.0.1:1") as pool:
        pass
    assert pool.closed
    assert pool.stats().created == 0


@contract
async def test_an_error_reply_answers_a_check_too(backend: Backend) -> None:
    def refuse(wire: Wire) -> None:
        wire.welcome()
        for words in wire.commands():
            wire.send(b"-NOPERM no permission to run 'ping'\r\n" if words == [b"PING"] else b":1\r\n")

    with Peer(refuse) as peer:
        async with backend.pool(peer.url, pre_ping=True) as pool:
            assert [await pool.execute("INCR", "n") for _ in range(2)] == [1, 1]
            assert pool.stats().created == 1


@contract
async def test_closing_twice_at_the_same_time_waits_for_the_same(backend: Backend, server: Server) -> None:
    async with backend.pool(server.url, max_size=1) as pool:
        closing: list[None] = []

        async def hold() -> None:
            async with pool.acquire():
                await backend.until(lambda: pool.closed and len(closing) == 2)
                await backend.sleep(0.02)

        async def close() -> None:
            await backend.until(lambda: pool.stats().leased == 1)
            closing.append(None)
            await pool.close(None)

        await backend.together(hold, close, close)
        assert (pool.stats().size, pool.closed) == (0, True)
