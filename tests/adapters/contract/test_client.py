"""The contract of a client: what shares, what gets a connection of its own, and what happens to what is lost."""

from __future__ import annotations

import os
import signal
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from adapters.backends import Backend, contract, contract_of_tasks, told
from adapters.peers import PATIENCE, Peer, Wire, listed, statistic
from resp_sansio import (
    ClientStats,
    CloseReason,
    CommandTimeoutError,
    ConnectError,
    ConnectionClosedError,
    ConnectionLostError,
    LocalProtocolError,
    Outcome,
    PoolFullError,
    ReplyError,
    Retry,
    TransactionAbortedError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from resp_asyncio import Client
    from servers import Server

pytestmark = pytest.mark.usefixtures("nothing_is_left")

LARGE = bytes(16 * 1024 * 1024)


async def identity(client: Client) -> int:
    """The server's number for the connection that a command goes by."""
    found = await client.execute("CLIENT", "ID")
    assert isinstance(found, int)
    return found


# -- Lanes and leases -----------------------------------------------------------------------------------------------------------


@contract
async def test_all_that_can_share_goes_by_one_connection(backend: Backend, server: Server) -> None:
    async with backend.client(server.url) as client:
        mine = await identity(client)
        async with client.pipeline() as pipe:
            piped = pipe.execute("CLIENT", "ID")
        async with client.transaction() as both:
            exchanged = both.execute("CLIENT", "ID")
        assert piped.result() == exchanged.result() == mine
        assert await backend.together(*[partial(identity, client)] * 20) == [mine] * 20
        assert (client.stats().lanes[0].created, client.stats().retries) == (1, 0)
        assert len(listed(server)) == 2


@contract
async def test_what_cannot_share_gets_a_connection_of_its_own(backend: Backend, server: Server) -> None:
    async with backend.client(server.url) as client:
        shared = await identity(client)
        async with client.acquire() as own:
            assert await own.execute("CLIENT", "ID") != shared
            await own.execute("SELECT", 1)
            await own.execute("SET", "k", "elsewhere")
        assert await client.execute("GET", "k") is None
        async with client.pipeline() as pipe:
            blocking = pipe.execute("BLPOP", "nothing", 0.01), pipe.execute("CLIENT", "ID")
        assert blocking[0].result() is None
        assert blocking[1].result() != shared

        async def double(transaction: Any) -> int:
            number = int(await transaction.read("GET", "n") or 1) * 2
            transaction.execute("SET", "n", number)
            return number

        assert [await client.transact(double, "n") for _ in range(3)] == [2, 4, 8]
        assert await identity(client) == shared
        stats = client.stats()
        assert stats.leases is not None
        assert (stats.leases.leased, stats.lanes[0].created) == (0, 1)


@pytest.mark.over_a_cluster
@contract
async def test_a_watched_key_that_changes_aborts_and_another_attempt_is_made(backend: Backend, server: Server) -> None:
    async with backend.client(server.url) as client:
        seen: list[object] = []

        async def update(transaction: Any) -> None:
            seen.append(await transaction.read("GET", "k"))
            if len(seen) < 3:
                await client.execute("SET", "k", len(seen))  # by the lane, meanwhile
            transaction.execute("SET", "k", "mine")

        await client.transact(update, "k")
        assert seen == [None, b"1", b"2"]
        assert await client.execute("GET", "k") == b"mine"

        async def hopeless(transaction: Any) -> None:
            await client.execute("INCR", "m")
            transaction.execute("SET", "m", "mine")

        with pytest.raises(TransactionAbortedError):
            await client.transact(hopeless, "m", attempts=3)
        assert await client.execute("GET", "m") == b"3"


@contract
async def test_connections_are_bounded_all_in_all(backend: Backend, server: Server) -> None:
    async with backend.client(server.url, max_connections=4, lanes=2, max_waiting=2) as client:

        async def others() -> None:
            await backend.until(lambda: statistic(server, "blocked_clients") == 2)
            await backend.until(lambda: client.stats().leases.waiting == 2)  # type: ignore[union-attr]
            with pytest.raises(PoolFullError):
                await client.execute("BLPOP", "jobs", 0)
            assert await backend.together(*[partial(client.execute, "PING")] * 20) == ["PONG"] * 20
            assert len(listed(server)) <= 4 + 1
            await client.execute("RPUSH", "jobs", *"abcd")

        *jobs, _ = await backend.together(*[partial(client.execute, "BLPOP", "jobs", 0)] * 4, others)
        assert sorted(job[1] for job in jobs) == [b"a", b"b", b"c", b"d"]
        stats = client.stats()
        assert stats.leases is not None
        assert stats.leases.most_size == 2


async def fill_lanes(backend: Backend, client: Client) -> None:
    """See that each lane has a connection."""
    while not all(lane.created > sum(lane.closed.values()) for lane in client.stats().lanes):
        await backend.together(*[partial(client.execute, "PING")] * 6)


@contract
async def test_idle_lanes_that_have_ended_cost_no_call(backend: Backend, server: Server) -> None:
    """What they have to say is read before one of them is used again: by whichever of them a call goes."""
    async with backend.client(server.url, lanes=2, max_connections=4, retry=Retry(attempts=1)) as client:
        for _ in range(4):
            await fill_lanes(backend, client)
            server.call("CLIENT", "KILL", "TYPE", "normal")
            assert await client.execute("PING") == "PONG"
            assert await client.execute("PING") == "PONG"
            await fill_lanes(backend, client)
            server.call("CLIENT", "KILL", "TYPE", "normal")
            assert await backend.together(*[partial(client.execute, "PING")] * 6) == ["PONG"] * 6
        assert client.stats().retries == 0


@contract
async def test_idle_links_of_leases_that_have_ended_cost_no_call(
    backend: Backend, server: Server, address: str
) -> None:
    """The same of links that one caller has at a time: a call's, a block's, a transaction's, and those of a pool."""

    async def set_it(watched: Any) -> Any:
        return watched.execute("SET", "k", "v")

    async def block(asked: Any) -> None:
        async with asked.acquire() as connection:
            assert await connection.execute("INCR", "n") > 0

    async def pipeline(asked: Any) -> None:
        async with asked.pipeline() as pipe:
            pipe.execute("INCR", "n")
            blocked = pipe.execute("BLPOP", "list", 0)
        assert blocked.result() == [b"list", b"element"]

    async def transact(asked: Any) -> None:
        assert (await asked.transact(set_it, "k")).result() == "OK"

    async def call(asked: Any) -> None:
        assert await asked.execute("BLPOP", "list", 0) == [b"list", b"element"]

    for opened in (backend.client, backend.pool):
        async with opened(address, retry=Retry(attempts=1), timeout=30) as asked:
            for use in (call, block, pipeline, transact, call):
                server.call("RPUSH", "list", "element")
                await use(asked)
                server.call("DEL", "list")
                server.call("RPUSH", "list", "element")
                server.call("CLIENT", "KILL", "TYPE", "normal")
                await use(asked)
                server.call("DEL", "list")
            assert asked.stats().retries == 0


@contract
async def test_a_single_connection_for_everything(backend: Backend, server: Server) -> None:
    async with backend.client(server.url, max_connections=1) as client:
        mine = await identity(client)
        order: list[str] = []

        async def block() -> None:
            assert await client.execute("BLPOP", "jobs", 0) == [b"jobs", b"one"]
            order.append("BLPOP")

        async def behind() -> None:
            await backend.until(lambda: statistic(server, "blocked_clients") == 1)
            assert await client.execute("GET", "k") is None
            order.append("GET")

        async def push() -> None:
            await backend.until(lambda: statistic(server, "blocked_clients") == 1)
            await backend.sleep(0.05)
            assert order == []
            server.call("RPUSH", "jobs", "one")

        await backend.together(block, behind, push)
        assert order == ["BLPOP", "GET"]

        async def add(transaction: Any) -> int:
            number = int(await transaction.read("GET", "n") or 0) + 1
            transaction.execute("SET", "n", number)
            return number

        assert sorted(await backend.together(*[partial(client.transact, add, "n", attempts=100)] * 5)) == [
            1,
            2,
            3,
            4,
            5,
        ]
        assert await identity(client) == mine
        assert client.stats().leases is None
        assert len(listed(server)) == 2
        with pytest.raises(LocalProtocolError) as refused:
            async with client.acquire():
                pass
        assert str(refused.value) == (
            "acquire: this client keeps no connections to lend; raise max_connections, or use connect()"
        )


@contract
async def test_several_lanes_share_the_callers_among_them(
    backend: Backend, start_server: Callable[..., Server]
) -> None:
    server = start_server()
    async with backend.client(server.url, lanes=3) as client:

        async def go_on() -> None:
            await backend.sleep(0.1)  # for them to come together
            os.kill(server.pid, signal.SIGCONT)

        with server.paused():
            await backend.together(*[partial(client.execute, "PING")] * 30, go_on)
        assert [lane.created for lane in client.stats().lanes] == [1, 1, 1]
        assert len(listed(server)) == 4

        async def one_after_another(name: int) -> None:
            for number in range(20):
                assert await client.execute("RPUSH", f"list:{name}", number) == number + 1

        await backend.together(*[partial(one_after_another, name) for name in range(9)])
        expected = [b"%d" % number for number in range(20)]
        for name in range(9):
            assert await client.execute("LRANGE", f"list:{name}", 0, -1) == expected


# -- What is lost ---------------------------------------------------------------------------------------------------------------


@contract
async def test_a_lane_that_was_closed_meanwhile_is_opened_again(backend: Backend, server: Server) -> None:
    async with backend.client(server.url) as client:
        for number in range(1, 4):
            before = await identity(client)
            server.call("CLIENT", "KILL", "ID", before)
            await backend.sleep(0.02)
            assert await client.execute("INCR", "n") == number
            assert await identity(client) != before
        lane = client.stats().lanes[0]
        assert (lane.created, lane.closed[CloseReason.LOST], lane.dial_failures) == (4, 3, 0)


@contract
async def test_what_was_not_sent_goes_first_and_in_its_order(backend: Backend) -> None:
    """The first connection takes half of a large command and no more; then it ends. Nothing of them can have been executed."""
    cut, accepted = threading.Event(), threading.Event()
    heard: list[bytes] = []

    def stuck(wire: Wire) -> None:
        wire.welcome()
        assert wire.command() == [b"PING"]
        wire.send(b"+PONG\r\n")
        assert cut.wait(PATIENCE)
        wire.reset()

    def other(wire: Wire) -> None:
        assert accepted.wait(PATIENCE)
        wire.welcome()
        for words in wire.commands():
            heard.append(words[1])
            wire.send(b"+OK\r\n")

    with Peer(stuck, other, receive_buffer=4096) as peer:
        async with backend.client(peer.url, timeout=None) as client:
            assert await client.execute("PING") == "PONG"

            def submitted() -> int:
                lane = client.stats().lanes[0].connection
                assert lane is not None
                return lane.in_flight + lane.queued

            async def write(place: int) -> None:
                await backend.until(lambda: submitted() == place)
                await client.execute("SET", f"unsent {place}", LARGE if place == 0 else b"")

            async def newcomer() -> None:
                await backend.until(lambda: peer.connections == 2)
                await backend.until(lambda: client.stats().lanes[0].waiting == 10)
                await client.execute("SET", "newcomer", "")

            async def end() -> None:
                await backend.until(lambda: submitted() == 10)
                cut.set()
                await backend.until(lambda: client.stats().lanes[0].waiting == 11)
                accepted.set()

            await backend.together(*[partial(write, place) for place in range(10)], newcomer, end)
            assert client.stats().retries == 10
    assert heard == [*[b"unsent %d" % place for place in range(10)], b"newcomer"]


@contract
async def test_a_server_that_is_busy_is_asked_again_on_the_same_connection(backend: Backend) -> None:
    busy = (b"LOADING", b"BUSY", b"TRYAGAIN", b"CLUSTERDOWN", b"MASTERDOWN", b"NOREPLICAS")
    asked: list[bytes] = []

    def script(wire: Wire) -> None:
        wire.welcome()
        replies = iter([*[b"-%s not now\r\n" % code for code in busy], b":1\r\n", b"-BUSY my own error\r\n"])
        for words in wire.commands():
            asked.append(words[0])
            wire.send(next(replies))

    with Peer(script) as peer:
        async with backend.client(peer.url, retry=Retry(base=0.001, cap=0.001)) as client:
            assert await client.execute("INCR", "n") == 1
            assert client.stats().retries == len(busy)
            with pytest.raises(ReplyError, match="^BUSY my own error$"):
                await client.execute("EVALSHA", "0" * 40, 0)  # a script can have said so, half way
        assert peer.connections == 1
    assert asked == [b"INCR"] * (len(busy) + 1) + [b"EVALSHA"]


@contract
async def test_a_server_that_stays_busy_is_told_as_it_says(backend: Backend) -> None:
    def script(wire: Wire) -> None:
        wire.welcome()
        for _ in wire.commands():
            wire.send(b"-LOADING dataset in memory\r\n")

    with Peer(script) as peer:
        async with backend.client(peer.url, retry=Retry(attempts=3, base=0.001, cap=0.001)) as client:
            with pytest.raises(ReplyError, match="^LOADING dataset in memory$") as error:
                await client.execute("INCR", "n")
            assert error.value.outcome is Outcome.REPLY
            assert client.stats().retries == 2


@contract
async def test_what_turned_out_to_be_a_replica_is_left(backend: Backend, start_server: Callable[..., Server]) -> None:
    """A new connection is made for the same command; when it leads to a master again, it is answered."""
    master, replica = start_server(), start_server()
    async with backend.client(replica.url, retry=Retry(attempts=1000, base=0.005, cap=0.005)) as client:
        before = await identity(client)
        replica.call("REPLICAOF", "127.0.0.1", master.port)

        async def promote() -> None:
            await backend.until(lambda: client.stats().retries >= 2)
            replica.call("REPLICAOF", "NO", "ONE")

        number, _ = await backend.together(partial(client.execute, "INCR", "n"), promote)
        assert number == 1
        assert await identity(client) != before
        lane = client.stats().lanes[0]
        assert lane.closed[CloseReason.RETIRED] >= 2
        assert lane.created == lane.closed[CloseReason.RETIRED] + 1
        await backend.until(lambda: len([each for each in listed(replica) if each["flags"] == "N"]) == 2)
    assert replica.call("GET", "n") == b"1"


@contract
async def test_a_replica_is_left_by_leases_as_well(backend: Backend, start_server: Callable[..., Server]) -> None:
    master, replica = start_server(), start_server()
    async with backend.client(replica.url, retry=Retry(attempts=1000, base=0.005, cap=0.005)) as client:
        assert await client.execute("BLPOP", "jobs", 0.01) is None
        replica.call("REPLICAOF", "127.0.0.1", master.port)

        async def promote() -> None:
            await backend.until(lambda: client.stats().leases.closed[CloseReason.RETIRED] >= 2)  # type: ignore[union-attr]
            replica.call("REPLICAOF", "NO", "ONE")
            replica.call("RPUSH", "jobs", "one")

        job, _ = await backend.together(partial(client.execute, "BLPOP", "jobs", 0), promote)
        assert job == [b"jobs", b"one"]


@contract
async def test_what_waited_on_a_master_waits_on_the_next(backend: Backend, start_server: Callable[..., Server]) -> None:
    """A server that becomes a replica unblocks what waits. That took nothing, so it is begun again, unless it reads from now on."""
    master, replica = start_server(), start_server()
    async with backend.client(replica.url, retry=Retry(attempts=1000, base=0.005, cap=0.005)) as client:

        async def fail_over() -> None:
            await backend.until(lambda: sum("b" in each["flags"] for each in listed(replica)) == 3)
            replica.call("REPLICAOF", "127.0.0.1", master.port)
            await backend.until(lambda: client.stats().retries >= 3)
            replica.call("REPLICAOF", "NO", "ONE")
            replica.call("RPUSH", "jobs", "one")
            replica.call("XADD", "log", "1-1", "f", "v")

        job, entries, from_now, _ = await backend.together(
            partial(client.execute, "BLPOP", "jobs", 0),
            partial(client.execute, "XREAD", "BLOCK", 0, "STREAMS", "log", "0"),
            partial(client.execute, "XREAD", "BLOCK", 0, "STREAMS", "log", "$"),
            fail_over,
        )
        assert job == [b"jobs", b"one"]
        assert entries == {b"log": [[b"1-1", [b"f", b"v"]]]}
        assert isinstance(from_now, ReplyError)
        assert from_now.code == "UNBLOCKED"


# -- Dials that fail --------------------------------------------------------------------------------------------------------------


@contract
async def test_a_server_that_is_away_is_told_after_so_many_attempts(
    backend: Backend, start_server: Callable[..., Server]
) -> None:
    server = start_server()
    server.stop()
    why = f"cannot connect to 127.0.0.1:{server.port}: Connection refused"
    async with backend.client(server.url, retry=Retry(attempts=3, base=0.001, cap=0.001)) as client:
        for name in ("INCR", "BLPOP"):
            with pytest.raises(ConnectError) as refused:
                await client.execute(name, "k", *([1] if name == "BLPOP" else []))
            assert told(refused.value) == f"{name}: {why}; 3 attempts were made; the server cannot have executed it"
            assert (refused.value.transient, refused.value.outcome) == (True, Outcome.NOT_SENT)
        stats = client.stats()
        assert stats.leases is not None
        assert (stats.lanes[0].dial_failures, stats.leases.dial_failures, client.stats().retries) == (3, 3, 4)
        server.start()
        assert await client.execute("PING") == "PONG"


@contract
async def test_a_wrong_password_is_not_tried_again_and_shows_nowhere(
    backend: Backend, start_server: Callable[..., Server]
) -> None:
    server = start_server("--requirepass", "right")
    secret = "hunter2-very-secret"
    async with backend.client(server.url, password=secret) as client:
        errors = await backend.together(
            *[partial(client.execute, "INCR", "n")] * 10, *[partial(client.execute, "BLPOP", "k", 1)] * 3
        )
        for error in errors:
            assert isinstance(error, ConnectError)
            assert (error.transient, error.outcome) == (False, Outcome.NOT_SENT)
            assert "(WRONGPASS)" in str(error)
            assert secret not in repr(error) + repr(error.__cause__) + repr(error.__context__) + repr(client)
        assert client.stats().retries == 0


@contract
async def test_a_breaker_is_one_for_lanes_and_leases(backend: Backend, start_server: Callable[..., Server]) -> None:
    server = start_server()
    server.stop()
    once = Retry(attempts=1)
    async with backend.client(server.url, breaker_failures=2, breaker_seconds=60, retry=once) as client:
        for words in (["PING"], ["BLPOP", "k", "1"]):
            with pytest.raises(ConnectError, match="Connection refused"):
                await client.execute(*words)
        for words in (["PING"], ["BLPOP", "k", "1"]):
            with pytest.raises(ConnectError, match="no dial was tried, because the last 2"):
                await client.execute(*words)
    async with backend.client(server.url, breaker_failures=2, breaker_seconds=0.5, retry=once) as client:
        for words in (["PING"], ["BLPOP", "k", "1"]):
            with pytest.raises(ConnectError, match="Connection refused"):
                await client.execute(*words)
        server.start()
        await backend.sleep(0.5)
        assert await client.execute("PING") == "PONG"


# -- The end, and what is known of it ---------------------------------------------------------------------------------------------


@contract
async def test_closing_ends_everything_that_is_under_way(backend: Backend, server: Server) -> None:
    async with backend.client(server.url, max_connections=2) as client:

        async def close() -> None:
            await backend.until(lambda: statistic(server, "blocked_clients") == 1)
            await backend.until(lambda: client.stats().leases.waiting == 1)  # type: ignore[union-attr]
            assert await client.execute("PING") == "PONG"
            await client.close()
            await client.close()

        *errors, _ = await backend.together(*[partial(client.execute, "BLPOP", "nothing", 0)] * 2, close)
        assert sorted(error.outcome.name for error in errors) == ["MAYBE_EXECUTED", "NOT_SENT"]
        assert client.closed
        pipe = client.pipeline()
        pipe.execute("INCR", "n")
        for call in (partial(client.execute, "INCR", "n"), partial(client.execute, "BLPOP", "nothing", 1), pipe.run):
            with pytest.raises(ConnectionClosedError) as closed:
                await call()
            assert closed.value.outcome is Outcome.NOT_SENT
            assert str(closed.value).endswith("was not sent: the client was closed")
        with pytest.raises(ConnectionClosedError):
            async with client.acquire():
                pass
        assert repr(client) == f"<{type(client).__name__} to 127.0.0.1:{server.port}: closed>" or "closed" in repr(
            client
        )
    assert server.call("EXISTS", "n") == 0


@pytest.mark.over_a_cluster
@contract
async def test_closing_gracefully_lets_those_finish_who_are_in(backend: Backend, server: Server) -> None:
    async with backend.client(server.url) as client:

        async def close() -> None:
            await backend.until(lambda: statistic(server, "blocked_clients") == 1)
            await client.close(None)

        async def push() -> None:
            await backend.until(lambda: client.closed)
            with pytest.raises(ConnectionClosedError):
                await client.execute("INCR", "n")
            server.call("RPUSH", "jobs", "one")

        job, *_ = await backend.together(partial(client.execute, "BLPOP", "jobs", 0), close, push)
        assert job == [b"jobs", b"one"]


@contract
async def test_closing_tells_whom_the_first_dial_served_that_their_commands_were_sent(backend: Backend) -> None:
    heard = threading.Event()

    def script(wire: Wire) -> None:
        wire.welcome()
        wire.command()
        heard.set()
        wire.drain()

    with Peer(script) as peer:
        async with backend.client(peer.url) as client:

            async def close() -> None:
                await backend.until(heard.is_set)
                await client.close()

            error, _ = await backend.together(partial(client.execute, "INCR", "n"), close)
            assert (type(error), error.outcome) == (ConnectionLostError, Outcome.MAYBE_EXECUTED)


@contract
async def test_closing_while_a_dial_is_under_way(backend: Backend, start_server: Callable[..., Server]) -> None:
    server = start_server()
    with server.paused():
        async with backend.client(server.url) as client:

            async def close() -> None:
                await backend.until(lambda: client.stats().lanes[0].waiting == 3)
                await client.close()

            *errors, _ = await backend.together(*[partial(client.execute, "INCR", "n")] * 3, close)
            for error in errors:
                assert isinstance(error, ConnectionClosedError | ConnectionLostError)
                assert error.outcome is Outcome.NOT_SENT


@contract
async def test_counters_say_what_has_happened(backend: Backend, server: Server) -> None:
    async with backend.client(server.url) as client:
        assert str(client.stats()) == "lanes: no connection, 0 waiting for one; leases: " + str(client.stats().leases)
        await client.execute("PING")
        assert await client.execute("BLPOP", "nothing", 0.01) is None
        with pytest.raises(CommandTimeoutError) as late:
            await client.execute("BLPOP", "nothing", 0, timeout=0.02)
        assert str(late.value).startswith("BLPOP: ")
        stats = client.stats()
        assert isinstance(stats, ClientStats)
        connection = stats.lanes[0].connection
        assert connection is not None
        assert (connection.sent, connection.in_flight, stats.lanes[0].created) == (1, 0, 1)
        assert stats.leases is not None
        assert (stats.leases.created, stats.leases.granted) == (1, 2)
        assert client.protocol == 3


@pytest.mark.over_a_cluster
@contract_of_tasks
async def test_a_close_that_is_cancelled_has_closed(backend: Backend, server: Server) -> None:
    async with backend.client(server.url) as client:

        async def block() -> None:
            with pytest.raises(ConnectionLostError):
                await client.execute("BLPOP", "nothing", 0)

        async def close() -> None:
            await backend.until(lambda: "1 leased" in str(client.stats()))
            await client.execute("PING")
            async with backend.cancelled(partial(client.close, None)):
                await backend.sleep(0.01)

        await backend.together(block, close)
        assert client.closed
        assert client.stats().lanes[0].connection is None
        assert "leases: 0 connections" in str(client.stats())


@contract
async def test_what_the_old_connections_say_late_does_not_cost_new_ones(backend: Backend) -> None:
    """A failover: a hundred callers hear of it one after the other, and the first of them has done what is to be done."""
    connections = 0

    def one_of_them_leads_to_a_replica(wire: Wire) -> None:
        nonlocal connections
        connections += 1
        replica = connections == 1
        wire.welcome()
        for _ in wire.commands():
            if replica:
                time.sleep(0.002)
            wire.send(b"-READONLY You can't write against a read only replica.\r\n" if replica else b"+OK\r\n")

    with Peer(one_of_them_leads_to_a_replica) as peer:
        async with backend.client(peer.url, timeout=PATIENCE) as client:
            calls = [partial(client.execute, "SET", f"k{index}", "v") for index in range(100)]
            assert await backend.together(*calls) == ["OK"] * 100
            assert client.stats().lanes[0].created == connections <= 3
