"""The contract of what a client and a pool promise, whatever happens: each promise by a test that can fail.

The storms give every call a token of its own; a call that gets a reply gets the one to what it asked.
"""

from __future__ import annotations

import select
import socket
import time
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from adapters import facade
from adapters.backends import CANCELLED, Backend, contract, contract_of_tasks, seeded
from adapters.peers import (
    PATIENCE,
    PROGRAMS,
    Faults,
    Peer,
    Proxy,
    Wire,
    calls,
    listed,
    run_program,
    segments,
    statistic,
)
from resp_sansio import (
    CloseReason,
    Command,
    CommandTimeoutError,
    ConnectError,
    ConnectionLostError,
    LocalProtocolError,
    Outcome,
    Retry,
    commands,
)

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from resp_asyncio import Client, Pool
    from servers import Server

    Asked: TypeAlias = Client | Pool

pytestmark = pytest.mark.usefixtures("nothing_is_left")
on_both = pytest.mark.parametrize("strategy", ["client", "pool"])


def opened(backend: Backend, strategy: str, url: str, **options: Any) -> AbstractAsyncContextManager[Asked]:
    return backend.client(url, **options) if strategy == "client" else backend.pool(url, **options)


SWALLOW = Faults(after=0, then="close", once=True)
"""The next reply is not seen: the connection ends instead."""

LISTENS = "its answers come later, one by one; use {}(), or connect() and next_push() there"
CHANGES = "it changes one connection, and the next command may go by another; use acquire(), connect() or an option of the client"
WATCHES = (
    "it holds on one connection, and the next command may go by another; use transact(), which watches, reads and writes in one go,"
    " or acquire() or connect()"
)
NEIGHBOURS = "it speaks of other commands on the same connection; put it into a pipeline behind them, or use acquire() or connect()"
REFUSED = {
    "SUBSCRIBE news": LISTENS.format("subscribe"),
    "PSUBSCRIBE *": LISTENS.format("subscribe"),
    "MONITOR": LISTENS.format("monitor"),
    "SELECT 1": CHANGES,
    "AUTH secret": CHANGES,
    "WATCH k": WATCHES,
    "WAIT 1 0": NEIGHBOURS,
    "ASKING": NEIGHBOURS,
}


# -- 1, 2: no caller gets what another asked for, nothing outlives its deadline -------------------------------------------------


async def storm(backend: Backend, asked: Asked, callers: int, chance: random.Random) -> int:
    """Many callers, each with tokens of its own; some give up. Returns how many replies were seen, each the right one."""
    seen = 0

    async def ask(token: str, timeout: float | None) -> None:
        nonlocal seen
        begun = time.monotonic()
        try:
            match chance.choice(["one", "pipeline", "transaction", "own"]):
                case "one":
                    assert await asked.execute("ECHO", token, timeout=timeout, decode=True) == token
                case "own":
                    pair = await asked.execute(
                        "EVAL", "return {ARGV[1], redis.call('ECHO', ARGV[1])}", 0, token, timeout=timeout, decode=True
                    )
                    assert pair == [token, token]
                case kind:
                    batch = (asked.pipeline if kind == "pipeline" else asked.transaction)(timeout=timeout, decode=True)
                    results = [batch.execute("ECHO", f"{token}:{part}") for part in range(3)]
                    assert await batch.run() == [f"{token}:{part}" for part in range(3)]
                    assert results[1].result() == f"{token}:1"
            seen += 1
        except CommandTimeoutError:
            assert timeout is not None
            assert time.monotonic() - begun < timeout + PATIENCE / 2
        except ConnectionLostError:
            pass

    async def work(name: int) -> None:
        for turn in range(3):
            token = f"{name}:{turn}:" + "x" * chance.choice([0, 0, 0, 1000])
            if chance.random() < 0.4 and "cancel" in backend.ways_out:
                async with backend.cancelled(partial(ask, token, None)) as ended:
                    await backend.sleep(chance.choice([0, 0, 0.001, 0.02]) * chance.random())
                assert ended.outcome in (None, CANCELLED)
            else:
                await ask(token, chance.choice([None, None, 0.0, 0.001, 0.02]))

    await backend.together(*[partial(work, name) for name in range(callers)])
    return seen


def rested(asked: object) -> bool:
    """Does no caller wait, or hold anything?

    What was given up may still be read, and with threads a connection may still open, by the next caller.
    """
    lender: Any = asked
    stats = lender.stats()
    pool = getattr(stats, "leases", stats)
    lanes = [lane for lane in getattr(stats, "lanes", ()) if lane.connection is not None]
    busy = [lane.waiting or lane.connection.in_flight > lane.connection.abandoned for lane in lanes]
    opening = 0 if isinstance(asked, facade.Lending) else pool.dialling
    return not (pool.leased or pool.waiting or opening or any(busy))


@on_both
@pytest.mark.parametrize("line", ["fast", "slow", "cut"])
@contract
async def test_1_nobody_gets_what_another_asked_for(backend: Backend, server: Server, strategy: str, line: str) -> None:
    chance = seeded()
    with Proxy(server.port) as proxy:
        if line == "slow":
            faults = Faults(split=20_000, pause=0.002, chance=chance)
            proxy.arm(up=faults, down=faults)
        async with opened(backend, strategy, proxy.url, timeout=None) as asked:

            async def cut() -> None:
                for _ in range(5 if line == "cut" else 0):
                    await backend.sleep(0.02)
                    proxy.arm(down=Faults(after=chance.randrange(500), then=chance.choice(["reset", "close"])))
                    await backend.sleep(0.01)
                    proxy.arm()

            seen, _ = await backend.together(partial(storm, backend, asked, min(backend.many, 100), chance), cut)
            await backend.until(partial(rested, asked))
            assert await asked.execute("ECHO", "after") == b"after"
            if strategy == "pool":
                stats: Any = asked.stats()
                assert stats.size <= stats.most_size <= 10
    assert seen > 0


@on_both
@contract
async def test_2_nothing_outlives_its_deadline(
    backend: Backend, start_server: Callable[..., Server], strategy: str
) -> None:
    """Dials, waiting, the network, retries: one deadline covers them all, and says how far the call had come."""
    server = start_server()
    async with opened(backend, strategy, server.url, timeout=0.1) as asked:
        for opens in (True, False):  # a dial that is not answered, then a command that is not
            with server.paused():
                begun = time.monotonic()
                for call in (
                    partial(asked.execute, "INCR", "n"),
                    partial(asked.execute, "GET", "n"),
                    partial(asked.execute, "BLPOP", "k", 0.1),
                ):
                    with pytest.raises(CommandTimeoutError) as late:
                        await call()
                    assert late.value.outcome is not Outcome.REPLY
                    if opens:
                        assert late.value.outcome is Outcome.NOT_SENT
                        assert late.value.stats is not None
                        assert str(late.value).endswith(f"[{late.value.stats}]")
                assert time.monotonic() - begun < PATIENCE / 2
            assert await asked.execute("PING", timeout=None) == "PONG"
        await backend.until(partial(rested, asked))
    server.stop()
    async with opened(backend, strategy, server.url, timeout=0.1, retry=Retry(attempts=1000)) as asked:
        begun = time.monotonic()
        with pytest.raises((CommandTimeoutError, ConnectError)) as away:
            await asked.execute("INCR", "n")
        assert away.value.outcome is Outcome.NOT_SENT
        assert time.monotonic() - begun < PATIENCE / 2
        await backend.until(partial(rested, asked))


# -- 3: nothing is run twice ----------------------------------------------------------------------------------------------------


@on_both
@contract
async def test_3_what_may_have_run_is_not_run_again(backend: Backend, server: Server, strategy: str) -> None:
    with Proxy(server.port) as proxy:
        async with opened(backend, strategy, proxy.url) as asked:
            await asked.execute("SET", "k", "v")
            proxy.arm(down=SWALLOW)
            with pytest.raises(ConnectionLostError) as lost:
                await asked.execute("INCR", "n")
            assert lost.value.outcome is Outcome.MAYBE_EXECUTED
            assert str(lost.value).endswith("; it may have been executed: its reply was not seen")
            assert asked.stats().retries == 0
            assert await asked.execute("GET", "n") == b"1"


@on_both
@contract
async def test_3_what_only_reads_is_read_again(backend: Backend, server: Server, strategy: str) -> None:
    with Proxy(server.port) as proxy:
        async with opened(backend, strategy, proxy.url) as asked:
            await asked.execute("SET", "k", "v")
            before = calls(server, "get")
            proxy.arm(down=SWALLOW)
            assert await asked.execute("GET", "k") == b"v"
            assert calls(server, "get") == before + 2
            assert asked.stats().retries == 1


@on_both
@pytest.mark.parametrize("protocol", [2, 3])
@contract
async def test_3_reading_from_now_on_is_not_begun_again(
    backend: Backend, server: Server, strategy: str, protocol: int
) -> None:
    """`$` is the last entry when the server reads it: sent again, it would skip the one whose delivery was lost."""
    with Proxy(server.port) as proxy:
        async with opened(backend, strategy, proxy.url, protocol=protocol) as asked:
            assert (
                await asked.execute("XREAD", "BLOCK", 1, "STREAMS", "s", "$") is None
            )  # on the connection that will end

            async def add(field: str) -> None:
                await backend.until(
                    lambda: any(one["cmd"] == "xread" and "b" in one["flags"] for one in listed(server))
                )
                proxy.arm(down=SWALLOW)
                server.call("XADD", "s", "*", field, "1")

            lost, _ = await backend.together(
                partial(asked.execute, "XREAD", "BLOCK", 0, "STREAMS", "s", "$"), partial(add, "first")
            )
            assert isinstance(lost, ConnectionLostError)
            assert lost.outcome is Outcome.MAYBE_EXECUTED
            assert asked.stats().retries == 0
            # Behind an ID that the caller names nothing can be skipped.
            assert await asked.execute("XREAD", "BLOCK", 1, "STREAMS", "s", "$") is None
            server.call("XADD", "s", "9999999999999-0", "second", "1")
            reading = partial(asked.execute, commands.xread({"s": "9999999999999-0"}, block=0))
            found, _ = await backend.together(reading, partial(add, "third"))
            assert [entry.pairs for entry in found[b"s"]] == [[(b"third", b"1")]]
            assert asked.stats().retries == 1


@on_both
@contract
async def test_3_unless_it_is_allowed_to(backend: Backend, server: Server, strategy: str) -> None:
    with Proxy(server.port) as proxy:
        async with opened(backend, strategy, proxy.url) as asked:
            assert await asked.execute("PING") == "PONG"
            proxy.arm(down=SWALLOW)
            assert await asked.execute(Command("INCR", "n", retry=True)) == 2
            assert asked.stats().retries == 1
        async with opened(backend, strategy, proxy.url, retry=Retry(maybe_executed=True)) as asked:
            assert await asked.execute("PING") == "PONG"
            proxy.arm(down=SWALLOW)
            assert await asked.execute("INCR", "n") == 4
            assert asked.stats().retries == 1
        async with opened(backend, strategy, proxy.url, retry=Retry(attempts=1)) as asked:
            assert await asked.execute("PING") == "PONG"
            proxy.arm(down=SWALLOW)
            with pytest.raises(ConnectionLostError):
                await asked.execute("GET", "n")


@on_both
@contract
async def test_3_a_pipeline_of_writes_that_is_cut_runs_none_of_them_twice(
    backend: Backend, server: Server, strategy: str
) -> None:
    with Proxy(server.port) as proxy:
        async with opened(backend, strategy, proxy.url) as asked:
            assert await asked.execute("PING") == "PONG"
            pipe = asked.pipeline()
            results = [pipe.execute("INCR", "n") for _ in range(100)]
            proxy.arm(down=Faults(after=len(b":1\r\n" * 9 + b":10\r\n"), then="close", once=True))
            with pytest.raises(ConnectionLostError) as lost:
                await pipe.run()
            assert lost.value.outcome is Outcome.MAYBE_EXECUTED
            assert [result.result() for result in results[:10]] == list(range(1, 11))
            for result in results[10:]:
                with pytest.raises(ConnectionLostError) as lost:
                    result.result()
                assert lost.value.outcome is Outcome.MAYBE_EXECUTED
            assert asked.stats().retries == 0
            assert await asked.execute("GET", "n") == b"100"


@on_both
@contract
async def test_3_a_pipeline_of_reads_that_is_cut_continues(backend: Backend, server: Server, strategy: str) -> None:
    with Proxy(server.port) as proxy:
        async with opened(backend, strategy, proxy.url) as asked:
            for number in range(100):
                server.call("SET", f"k{number:02}", f"{number:02}")
            before = calls(server, "get")
            assert await asked.execute("PING") == "PONG"
            pipe = asked.pipeline(decode=True)
            results = [pipe.execute("GET", f"k{number:02}") for number in range(100)]
            proxy.arm(down=Faults(after=len(b"$2\r\n00\r\n") * 10, then="close", once=True))
            replies = await pipe.run()
            assert replies == [result.result() for result in results] == [f"{number:02}" for number in range(100)]
            assert calls(server, "get") == before + 190  # what was answered is not asked for again
            assert asked.stats().retries == 1


@on_both
@contract
async def test_3_a_transaction_that_is_cut_is_not_repeated(backend: Backend, server: Server, strategy: str) -> None:
    with Proxy(server.port) as proxy:
        async with opened(backend, strategy, proxy.url) as asked:
            for after in (0, len(b"+OK\r\n+QUEUED\r\n")):
                assert await asked.execute("PING") == "PONG"
                both = asked.transaction()
                results = [both.execute("INCR", "n"), both.execute("INCR", "n")]
                proxy.arm(down=Faults(after=after, then="close", once=True))
                with pytest.raises(ConnectionLostError) as lost:
                    await both.run()
                assert lost.value.outcome is Outcome.MAYBE_EXECUTED
                for result in results:
                    with pytest.raises(ConnectionLostError) as lost:
                        result.result()
                    assert lost.value.outcome is Outcome.MAYBE_EXECUTED
            assert asked.stats().retries == 0
            assert await asked.execute("GET", "n") == b"4"


# -- 4, 5: how many connections -------------------------------------------------------------------------------------------------


@on_both
@contract
async def test_4_fifty_that_are_given_up_leave_one_connection_and_no_further_handshake(
    backend: Backend, start_server: Callable[..., Server], strategy: str
) -> None:
    server = start_server()
    async with opened(backend, strategy, server.url) as asked:
        assert await asked.execute("PING") == "PONG"
        server.call("CONFIG", "RESETSTAT")
        for turn in range(50):
            if "cancel" in backend.ways_out:
                async with backend.cancelled(partial(asked.execute, "ECHO", "x" * 10_000)):
                    await backend.sleep(0.001 * (turn % 2))
            else:
                with suppress(CommandTimeoutError):  # unless the reply was faster
                    assert await asked.execute("ECHO", turn, timeout=0) == b"%d" % turn
        assert await asked.execute("ECHO", "mine") == b"mine"
        assert calls(server, "hello") == 0
        assert len(listed(server)) == 2  # this connection, and the one that asks


@contract
async def test_5_three_hundred_at_once_need_few_connections(backend: Backend, server: Server) -> None:
    server.call("SET", "k", "v")
    for strategy, most in (("client", 4), ("pool", 10)):
        before = statistic(server, "total_connections_received")
        async with opened(backend, strategy, server.url) as asked:
            assert await backend.together(*[partial(asked.execute, "GET", "k")] * 300) == [b"v"] * 300
            assert statistic(server, "total_connections_received") - before - 1 <= most
            assert asked.stats().retries == 0


@contract_of_tasks
async def test_5_what_is_asked_together_goes_out_together(backend: Backend) -> None:
    """(Threads are not together: each writes as soon as it may.)"""
    writes: list[int] = []

    def script(wire: Wire) -> None:
        wire.welcome()
        assert wire.command() == [b"PING"]
        wire.send(b"+PONG\r\n")
        before = segments(wire.socket)
        for _ in range(300):
            assert wire.command() == [b"GET", b"k"]
        writes.append(segments(wire.socket) - before)
        wire.send(b"$1\r\nv\r\n" * 300)
        wire.drain()

    with Peer(script) as peer:
        async with backend.client(peer.url) as client:
            assert await client.execute("PING") == "PONG"
            assert await backend.together(*[partial(client.execute, "GET", "k")] * 300) == [b"v"] * 300
        assert peer.connections == 1
    assert writes[0] <= 10


# -- 6: what blocks -------------------------------------------------------------------------------------------------------------


@contract
async def test_6_what_blocks_delays_nobody(backend: Backend, server: Server) -> None:
    async with backend.client(server.url) as client:

        async def others() -> None:
            await backend.until(lambda: statistic(server, "blocked_clients") == 3)
            begun = time.monotonic()
            assert await client.execute("GET", "k") is None
            async with client.pipeline() as pipe:
                pipe.execute("INCR", "n")
            assert time.monotonic() - begun < 5
            assert client.stats().leases.leased == 3  # type: ignore[union-attr]
            await client.execute("RPUSH", "jobs", "1", "2", "3")

        blocked = [partial(client.execute, "BLPOP", "jobs", 60)] * 3
        *jobs, _ = await backend.together(*blocked, others)
        assert sorted(job[1] for job in jobs) == [b"1", b"2", b"3"]


@on_both
@contract
async def test_6_what_blocks_may_take_longer_than_the_clients_timeout(
    backend: Backend, server: Server, strategy: str
) -> None:
    async with opened(backend, strategy, server.url, timeout=0.3) as asked:
        begun = time.monotonic()
        assert await asked.execute("BRPOP", "nothing", 0.5) is None
        assert time.monotonic() - begun > 0.4

        async def push() -> None:
            await backend.until(lambda: statistic(server, "blocked_clients") == 1)
            await backend.sleep(0.4)
            server.call("RPUSH", "jobs", "late")

        job, _ = await backend.together(partial(asked.execute, "BRPOP", "jobs", 0), push)
        assert job == [b"jobs", b"late"]


@contract
async def test_6_what_blocks_and_is_given_up_takes_nothing_from_the_list(backend: Backend, server: Server) -> None:
    async with backend.client(server.url) as client:
        assert await client.execute("BLPOP", "jobs", 0.01) is None  # dialling takes as long as it takes
        with pytest.raises(CommandTimeoutError) as late:
            await client.execute("BLPOP", "jobs", 0, timeout=0.1)
        assert late.value.outcome is Outcome.MAYBE_EXECUTED
        if "cancel" in backend.ways_out:
            async with backend.cancelled(partial(client.execute, "BLPOP", "jobs", 0)) as ended:
                await backend.until(lambda: statistic(server, "blocked_clients") == 1)
            assert ended.outcome is CANCELLED
        await backend.until(lambda: statistic(server, "blocked_clients") == 0)
        assert await client.execute("RPUSH", "jobs", "one") == 1
        assert await client.execute("BLPOP", "jobs", 0) == [b"jobs", b"one"]


# -- 7: places and turns --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", ["client", "pool"])
@contract
async def test_7_connections_that_die_while_leased_do_not_shrink_the_pool(
    backend: Backend, server: Server, strategy: str
) -> None:
    limit = {"client": {"max_connections": 3}, "pool": {"max_size": 2}}[strategy]
    async with opened(backend, strategy, server.url, **limit) as asked:
        for round_ in range(1, 4):

            async def cut() -> None:
                await backend.until(lambda: statistic(server, "blocked_clients") == 2)
                server.call("CLIENT", "KILL", "TYPE", "normal")

            blocked = partial(asked.execute, "BLPOP", "nothing", 0)
            *errors, _ = await backend.together(blocked, blocked, cut)
            for error in errors:
                assert (type(error), error.outcome) == (ConnectionLostError, Outcome.MAYBE_EXECUTED)
            assert await asked.execute("GET", "k") is None
            assert await asked.execute("BLPOP", "nothing", 0.01) is None
            stats: Any = asked.stats()
            pool = stats if strategy == "pool" else stats.leases
            assert pool.leased == 0
            assert pool.closed[CloseReason.LOST] >= 2 * round_
            assert pool.most_size <= 2


@pytest.mark.parametrize("way", ["timeout", "cancel", "cancel as it is handed over"])
@contract
async def test_7_a_waiter_that_goes_does_not_delay_the_next(backend: Backend, server: Server, way: str) -> None:
    async with backend.pool(server.url, max_size=1) as pool:

        async def give_up() -> None:
            if way == "timeout" or "cancel" not in backend.ways_out:
                with pytest.raises(CommandTimeoutError):
                    await pool.execute("PING", timeout=0.05)
                return
            async with backend.cancelled(partial(pool.execute, "PING")) as ended:
                await backend.until(lambda: pool.stats().waiting == 2)  # it, and the next
                if way == "cancel as it is handed over":
                    await borrowed.aclose()
            assert ended.outcome is CANCELLED

        async def be_next() -> Any:
            await backend.until(lambda: pool.stats().waiting == 1)
            return await pool.execute("INCR", "n")

        async def give_back() -> None:
            await backend.until(lambda: pool.stats().withdrawn + pool.stats().refused == 1 or pool.stats().granted > 1)
            if pool.stats().leased == 1 and pool.stats().waiting == 1:
                await borrowed.aclose()
                assert pool.stats().granted == 2  # by the very release

        async with AsyncExitStack() as borrowed:
            await borrowed.enter_async_context(pool.acquire())
            assert await backend.together(give_up, be_next, give_back) == [None, 1, None]
        stats = pool.stats()
        assert (stats.created, stats.leased, stats.waiting) == (1, 0, 0)


# -- 10: the handshake ------------------------------------------------------------------------------------------------------------


@on_both
@contract
async def test_10_nothing_is_sent_before_the_handshake_is_accepted(backend: Backend, strategy: str) -> None:
    """One write and one round trip; as many times as there are connections, lanes and leases alike."""
    heard: list[bytes] = []

    def script(wire: Wire) -> None:
        if not (hello := wire.command()):
            return  # given up: all calls were served before it was open
        assert hello == [b"HELLO", b"3", b"AUTH", b"default", b"secret"]
        for _ in range(2):
            assert wire.command()[:2] == [b"CLIENT", b"SETINFO"]
        assert wire.command() == [b"SELECT", b"3"]
        time.sleep(0.02)  # for whatever would be too early
        assert segments(wire.socket) == 1
        with suppress(ConnectionError):  # it is not needed any more
            if select.select([wire.socket], [], [], 0)[0]:
                assert wire.socket.recv(1, socket.MSG_PEEK) == b""
            wire.send(b"%1\r\n$5\r\nproto\r\n:3\r\n" + b"+OK\r\n" * 3)
            for words in wire.commands():
                heard.append(words[0])
                wire.send(b"_\r\n")

    with Peer(script) as peer:
        async with opened(backend, strategy, f"redis://:secret@127.0.0.1:{peer.port}/3") as asked:
            calls = [partial(asked.execute, "GET", "k")] * 5 + [partial(asked.execute, "BLPOP", "k", 1)] * 2
            assert await backend.together(*calls) == [None] * 7
            connections = peer.connections
    assert sorted(heard) == [b"BLPOP"] * 2 + [b"GET"] * 5
    assert connections <= (3 if strategy == "client" else 7)


@on_both
@contract
async def test_10_two_round_trips_where_the_server_does_not_know_hello(backend: Backend, strategy: str) -> None:
    def script(wire: Wire) -> None:
        assert wire.command()[:2] == [b"HELLO", b"3"]
        for _ in range(2):
            assert wire.command()[:2] == [b"CLIENT", b"SETINFO"]
        wire.send(b"-ERR unknown command `HELLO`\r\n" * 3)
        words = wire.command()
        while words[0] != b"GET":
            wire.send(b"+PONG\r\n" if words == [b"PING"] else b"+OK\r\n")
            words = wire.command()
        wire.send(b"$-1\r\n")
        wire.drain()

    with Peer(script) as peer:
        async with opened(backend, strategy, peer.url) as asked:
            assert await asked.execute("GET", "k") is None
            assert asked.protocol == 2
        assert peer.connections == 1


@on_both
@contract
async def test_10_nothing_is_sent_where_it_is_refused(
    backend: Backend, start_server: Callable[..., Server], strategy: str
) -> None:
    server = start_server("--databases", "4")
    async with opened(backend, strategy, f"{server.url}/9") as asked:
        for call in (partial(asked.execute, "INCR", "n"), partial(asked.execute, "BLPOP", "k", 1)):
            with pytest.raises(
                ConnectError, match="the server refused database 9: ERR DB index is out of range"
            ) as refused:
                await call()
            assert (refused.value.transient, refused.value.outcome) == (False, Outcome.NOT_SENT)
        assert asked.stats().retries == 0
    assert calls(server, "incr") == calls(server, "blpop") == 0


# -- 11: the same errors, the same names: all of these tests; and, word for word, what is refused -----


@pytest.mark.parametrize(("words", "why"), REFUSED.items())
@contract
async def test_11_what_cannot_share_is_refused_with_the_remedy(
    backend: Backend, server: Server, words: str, why: str
) -> None:
    for strategy in ("client", "pool"):
        async with opened(backend, strategy, server.url) as asked:
            with pytest.raises(LocalProtocolError) as refused:
                await asked.execute(*words.split())
            name = words.partition(" ")[0]
            assert str(refused.value) == f"{name} was not sent: {why}"
            assert refused.value.outcome is Outcome.NOT_SENT
            assert rested(asked)


@on_both
@contract
async def test_11_what_speaks_of_its_neighbours_goes_behind_them(
    backend: Backend, server: Server, strategy: str
) -> None:
    async with opened(backend, strategy, server.url) as asked:
        async with asked.pipeline() as pipe:
            written, waited = pipe.execute("INCR", "n"), pipe.execute("WAIT", 0, 10)
        assert (written.result(), waited.result()) == (1, 0)
        async with asked.acquire() as connection:
            assert await connection.execute("WAIT", 0, 10) == 0


# -- memory -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("library", ["resp_sync", "resp_asyncio", "resp_trio"])
@pytest.mark.parametrize(("what", "size"), [("replies", 1024), ("messages", 64)])
def test_memory_stays_flat_whatever_has_come(server: Server, library: str, what: str, size: int) -> None:
    """Over a gigabyte of replies, large ones and lists of many; and over messages of which nobody reads any."""
    server.call("SET", "value", bytes(1024 * 1024))
    server.call("RPUSH", "list", *[bytes(96)] * 10_000)
    told = run_program(PROGRAMS / "many_replies.py", server.url, library, size, what)
    assert float(told.rpartition(" ")[2]) < 24, told
