"""The contract of calls that are begun ahead: what a caller has begun it may wait for later, or give up, or never think of again.

No caller reads while none waits, where threads call: what answers such a call lies in the socket until a thread comes by.
"""

from __future__ import annotations

import os
import textwrap
import threading
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any

import pytest

from adapters.backends import CANCELLED, Backend, contract, seeded
from adapters.peers import PATIENCE, Faults, Peer, Proxy, Wire, run_program, statistic
from core.client.notes import Notes
from resp_sansio import (
    CallEnded,
    CommandTimeoutError,
    ConnectionClosedError,
    ConnectionLostError,
    LinkOpened,
    LocalProtocolError,
    Outcome,
    PoolFullError,
    ReplyDropped,
)
from resp_sansio.connection import Slot, new_slot
from resp_sansio.methods import RAW
from resp_sansio.surface.base import read_reply

if TYPE_CHECKING:
    from servers import Server

pytestmark = pytest.mark.usefixtures("nothing_is_left")

PROTOCOLS = pytest.mark.parametrize("protocol", [2, 3], ids=["RESP2", "RESP3"])
OPENED = pytest.mark.parametrize("opened", ["connect", "client", "pool"])
LENDS = pytest.mark.parametrize("opened", ["client", "pool"])


class Ahead:
    """What begins the calls of a client ahead."""

    def __init__(self, client: Any) -> None:
        self._workers = client._workers if hasattr(client, "_blocking") else None
        made = client._blocking if hasattr(client, "_blocking") else client
        self.calls, self._now, self._loan = made._calls, made._driver.now, made._lease

    def begin(self, *words: Any, timeout: float = inf) -> Slot:
        slot = new_slot(words, None, self._now() + timeout)
        self.calls.ahead(slot, self._loan)
        return slot

    async def end(self, slot: Slot) -> Any:
        if self._workers is None:
            await self.calls.finish(slot)
        else:
            await self._workers.call(self.calls.finish, slot)
        return read_reply(slot, None, RAW)


class Echo:
    """A peer that notes what it is asked, and answers with the first argument; nothing while it is held."""

    def __init__(self) -> None:
        self.heard: list[list[bytes]] = []
        self.goes_on = threading.Event()

    def __call__(self, wire: Wire) -> None:
        wire.welcome()
        for words in wire.commands():
            self.heard.append(words)
            assert self.goes_on.wait(PATIENCE)
            wire.send(b"$%d\r\n%s\r\n" % (len(words[1]), words[1]))


# -- to the end ----------------------------------------------------------------------------------------------------------------


@pytest.mark.over_a_cluster
@OPENED
@PROTOCOLS
@contract
async def test_each_is_waited_for_when_its_caller_likes(
    backend: Backend, server: Server, protocol: int, opened: str
) -> None:
    async with getattr(backend, opened)(server.url, protocol=protocol) as redis:
        ahead = Ahead(redis)
        unopened = ahead.begin("ECHO", "unopened")
        assert await ahead.end(unopened) == b"unopened"
        begun = [ahead.begin("ECHO", number) for number in range(10)]
        assert await redis.echo("mine") == b"mine"
        await backend.sleep(0.01)
        for number in (9, 0, 5):
            assert await ahead.end(begun[number]) == b"%d" % number
            assert await redis.echo("mine") == b"mine"
        others = [partial(ahead.end, begun[number]) for number in (1, 2, 3, 4, 6, 7, 8)]
        replies = await backend.together(*others)
        assert replies == [b"1", b"2", b"3", b"4", b"6", b"7", b"8"]


@OPENED
@contract
async def test_it_is_sent_at_once_and_no_caller_waits(backend: Backend, opened: str) -> None:
    echo = Echo()
    echo.goes_on.set()
    with Peer(echo) as peer:
        async with getattr(backend, opened)(peer.url) as redis:
            ahead = Ahead(redis)
            assert await redis.execute("GET", "first") == b"first"
            echo.goes_on.clear()
            slot = ahead.begin("GET", "ahead")
            await backend.until(lambda: len(echo.heard) == 2)
            echo.goes_on.set()
            assert await ahead.end(slot) == b"ahead"


@contract
async def test_it_is_refused_as_a_call_is(backend: Backend, server: Server) -> None:
    async with backend.client(server.url, max_connections=1) as client, backend.pool(server.url, max_size=1) as pool:
        for refused in ("SUBSCRIBE", "WATCH"):
            with pytest.raises(LocalProtocolError):
                Ahead(client).begin(refused, "k")
        async with pool.acquire() as connection:
            ahead = Ahead(connection)
            assert await ahead.end(ahead.begin("ECHO", "k")) == b"k"
        with pytest.raises(ConnectionClosedError):
            ahead.begin("ECHO", "k")
    for closed in (client, pool):
        with pytest.raises(ConnectionClosedError):
            Ahead(closed).begin("ECHO", "k")
    async with backend.pool(server.url, max_size=1, max_waiting=0) as pool, pool.acquire():
        with pytest.raises(PoolFullError):
            Ahead(pool).begin("ECHO", "k")


@contract
async def test_what_is_too_large_for_the_socket_goes_on_when_its_caller_waits(backend: Backend, server: Server) -> None:
    large = bytes(16 * 1024 * 1024)
    async with backend.client(server.url) as client:
        await client.ping()
        ahead = Ahead(client)
        slot = ahead.begin("SET", "large", large)
        behind = ahead.begin("STRLEN", "large")
        assert await ahead.end(behind) == len(large)
        assert await ahead.end(slot) == "OK"


@LENDS
@contract
async def test_over_tls(backend: Backend, start_server: Any, opened: str) -> None:
    server = start_server(tls=True)
    async with getattr(backend, opened)(f"{server.tls_url}?tls_ca_file={server.certificates.ca}") as redis:
        ahead = Ahead(redis)
        begun = [ahead.begin("ECHO", number) for number in range(3)]
        assert [await ahead.end(slot) for slot in begun] == [b"0", b"1", b"2"]
        slot = ahead.begin("ECHO", "k")
        await backend.sleep(0.01)
        assert await ahead.end(slot) == b"k"


# -- time ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.over_a_cluster
@OPENED
@contract
async def test_a_reply_that_came_in_time_counts_however_late_it_is_read(
    backend: Backend, server: Server, opened: str
) -> None:
    """Also where others look at the time meanwhile, on this link or on another."""
    async with getattr(backend, opened)(server.url) as redis, backend.client(server.url) as other:
        ahead = Ahead(redis)
        await redis.ping()
        slot = ahead.begin("ECHO", "k", timeout=0.2)
        await backend.sleep(0.25)
        assert await ahead.end(slot) == b"k"
        slot = ahead.begin("ECHO", "k", timeout=0.2)
        for _ in range(5):
            await backend.sleep(0.05)
            assert await other.echo("theirs") == b"theirs"
            if opened == "pool":  # by a link of its own
                assert await redis.echo("mine") == b"mine"
        assert await ahead.end(slot) == b"k"


@contract
async def test_one_that_is_not_answered_in_time_is_told_so(backend: Backend) -> None:
    echo = Echo()
    with Peer(echo) as peer:
        async with backend.client(peer.url) as client:
            ahead = Ahead(client)
            slot = ahead.begin("INCR", "n", timeout=0.05)
            with pytest.raises(CommandTimeoutError):
                await ahead.end(slot)
            slot = ahead.begin("INCR", "n", timeout=0.05)
            await backend.sleep(0.1)
            with pytest.raises(CommandTimeoutError):
                await ahead.end(slot)
            echo.goes_on.set()
            assert await client.execute("GET", "mine") == b"mine"
        assert peer.connections == 1


@contract
async def test_it_keeps_no_connection_from_those_who_wait_for_one(backend: Backend, server: Server) -> None:
    """Its reply is here, and its caller is busy: one who waits for a connection reads it."""
    async with backend.pool(server.url, max_size=1, timeout=None) as pool:
        ahead = Ahead(pool)
        await pool.ping()
        for _ in range(3):
            slot = ahead.begin("ECHO", "k")
            assert await pool.echo("mine") == b"mine"
            async with pool.acquire() as connection:
                assert await connection.echo("mine") == b"mine"
            assert await ahead.end(slot) == b"k"
        slot = ahead.begin("BLPOP", "none", 0.02)  # its reply is yet to come
        both = await backend.together(partial(pool.blpop, "none", timeout=0.02), partial(pool.echo, "mine"))
        assert both == [None, b"mine"]
        assert await ahead.end(slot) is None
        assert pool.stats().created == 1


# -- given up ----------------------------------------------------------------------------------------------------------------------


@OPENED
@pytest.mark.parametrize("way", ["given up", "thrown away", "given up late"])
@contract
async def test_those_that_are_not_wanted_any_more_cost_no_connection(
    backend: Backend, server: Server, opened: str, way: str
) -> None:
    before = statistic(server, "total_connections_received")
    options: dict[str, Any] = {"max_size": 1} if opened == "pool" else {}
    async with getattr(backend, opened)(server.url, **options) as redis:
        ahead = Ahead(redis)
        for number in range(50):
            slot = ahead.begin("ECHO", number)
            if way == "given up late":
                await redis.echo("mine")
                await ahead.end(slot)
            if way != "thrown away":
                ahead.calls.give_up(slot)
                ahead.calls.give_up(slot)
            del slot
        assert await redis.echo("mine") == b"mine"
        probes = 2  # of this test
        assert statistic(server, "total_connections_received") - before <= 1 + probes


@OPENED
@contract
async def test_one_that_is_given_up_is_not_sent_if_it_was_not(backend: Backend, opened: str) -> None:
    echo = Echo()
    echo.goes_on.set()
    with Peer(echo) as peer:
        async with getattr(backend, opened)(peer.url) as redis:
            ahead = Ahead(redis)
            slot = ahead.begin("INCR", "withdrawn") if opened != "connect" else None
            if slot is not None:  # no connection is open
                ahead.calls.give_up(slot)
                assert slot.outcomes == (Outcome.NOT_SENT,)
            assert await redis.execute("GET", "mine") == b"mine"
    assert [words[1] for words in echo.heard] == [b"mine"]


@OPENED
@contract
async def test_a_wait_that_is_cancelled_gives_it_up(backend: Backend, opened: str) -> None:
    echo = Echo()
    with Peer(echo) as peer:
        async with getattr(backend, opened)(peer.url) as redis:
            ahead = Ahead(redis)
            slot = ahead.begin("GET", "gone")
            async with backend.cancelled(partial(ahead.end, slot)) as ended:
                await backend.until(lambda: len(echo.heard) == 1)
                await backend.sleep(0.02)  # for the wait to have begun
            assert ended.outcome is CANCELLED
            assert slot.outcomes == (Outcome.MAYBE_EXECUTED,)
            echo.goes_on.set()
            assert await redis.execute("GET", "mine") == b"mine"


@pytest.mark.over_a_cluster
@LENDS
@contract
async def test_a_storm_of_them_leaves_each_with_its_own(backend: Backend, server: Server, opened: str) -> None:
    random = seeded()
    async with getattr(backend, opened)(server.url) as redis:
        ahead = Ahead(redis)
        for number in range(30):
            slots = {name: ahead.begin("ECHO", name) for name in range(number * 10, number * 10 + random.randint(1, 4))}
            for name, slot in slots.items():
                fate = random.randrange(4)
                if fate == 0:
                    ahead.calls.give_up(slot)
                elif fate == 1:
                    async with backend.cancelled(partial(ahead.end, slot)) as ended:
                        await backend.sleep(random.random() * 0.002)
                    assert ended.outcome in (CANCELLED, b"%d" % name)
                elif fate == 2:
                    assert await ahead.end(slot) == b"%d" % name
            assert await redis.echo(f"mine {number}") == b"mine %d" % number


# -- lost --------------------------------------------------------------------------------------------------------------------------


@LENDS
@contract
async def test_a_loss_between_is_as_a_loss_in_a_call(backend: Backend, server: Server, opened: str) -> None:
    swallow = Faults(after=0, then="close", once=True)
    with Proxy(server.port) as proxy:
        async with getattr(backend, opened)(proxy.url) as redis:
            ahead = Ahead(redis)
            for pause in (0.0, 0.1):
                await redis.set("k", "v")
                proxy.arm(down=swallow)
                slot = ahead.begin("GET", "k")
                await backend.sleep(pause)
                assert await ahead.end(slot) == b"v"  # it was asked for again
                proxy.arm(down=swallow)
                slot = ahead.begin("INCR", "n")
                await backend.sleep(pause)
                with pytest.raises(ConnectionLostError) as lost:
                    await ahead.end(slot)
                assert lost.value.outcome is Outcome.MAYBE_EXECUTED
        assert server.call("GET", "n") == b"2"


@contract
async def test_a_loss_ends_what_is_begun_on_a_single_connection(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url) as connection:
        ahead = Ahead(connection)
        slots = [ahead.begin("BLPOP", "none", 0), ahead.begin("INCR", "n")]
        await backend.sleep(0.01)
        server.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        for slot in slots:
            with pytest.raises(ConnectionLostError):
                await ahead.end(slot)
        with pytest.raises(ConnectionClosedError):
            ahead.begin("ECHO", "k")


@pytest.mark.over_a_cluster
@LENDS
@contract
async def test_the_end_of_the_client_is_the_end_of_what_was_begun(
    backend: Backend, server: Server, opened: str
) -> None:
    async with getattr(backend, opened)(server.url) as redis:
        ahead = Ahead(redis)
        await redis.ping()
        slot = ahead.begin("BLPOP", "none", 0)
        await backend.sleep(0.01)
        last = ahead.begin("ECHO", "k") if opened == "client" else None
        await redis.close(timeout=0.05)
        with pytest.raises(ConnectionLostError):
            await ahead.end(slot)
        if last is not None:
            assert await ahead.end(last) == b"k"  # it was answered while the client was closing


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_a_child_of_a_fork_is_told_that_it_was_the_parents(server: Server) -> None:
    program = f"""
    import os
    import resp_sync
    from resp_sansio.connection import new_slot
    from resp_sansio.surface.base import read_reply
    from resp_sansio.methods import RAW

    def end(slot):
        driver.finish(slot)
        return read_reply(slot, None, RAW)

    for redis in (resp_sync.Client({server.url!r}), resp_sync.Pool({server.url!r}), resp_sync.connect({server.url!r})):
        with redis:
            redis.blpop("none", timeout=0.01)
            driver = redis._driver
            slots = [new_slot(("BLPOP", name, 0.2), None, driver.now() + 5) for name in "abc"]
            for slot in slots:
                driver.ahead(slot)
            child = os.fork()
            if not child:
                try:
                    end(slots[0])
                except resp_sync.ConnectionLostError:
                    pass
                else:
                    os._exit(1)
                driver.give_up(slots[1])
                if not redis.closed and redis.echo("child") != b"child":
                    os._exit(2)
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
            assert [end(slot) for slot in slots] == [None, None, None]
            assert redis.echo("parent") == b"parent"
    print("well")
    """
    assert run_program(textwrap.dedent(program)) == "well\n"


# -- observers ---------------------------------------------------------------------------------------------------------------------


@OPENED
@contract
async def test_observers_are_told_of_them_as_of_others(backend: Backend, server: Server, opened: str) -> None:
    notes = Notes()
    async with getattr(backend, opened)(server.url, observers=[notes]) as redis:
        ahead = Ahead(redis)
        await redis.ping()
        slot = ahead.begin("ECHO", "k")
        assert [began.command for began in notes.under_way.values()] == ["ECHO"]
        await backend.sleep(0.02)
        assert await ahead.end(slot) == b"k"
        told = notes.of(CallEnded)[-1]
        assert (told.command, told.outcome, told.error, told.attempts) == ("ECHO", Outcome.REPLY, None, 1)
        assert told.route == {"connect": "connection", "client": "lane", "pool": "lease"}[opened]
        assert told.total > 0.01
        slot = ahead.begin("BLPOP", "none", 0.02)
        await backend.sleep(0.005)
        ahead.calls.give_up(slot)
        told = notes.of(CallEnded)[-1]
        assert (told.command, type(told.error), told.abandoned) == ("BLPOP", GeneratorExit, told.network is not None)
        assert not notes.under_way
    assert notes.of(LinkOpened)
    with pytest.raises(ConnectionClosedError) as caught:
        ahead.begin("ECHO", "k")
    assert notes.of(CallEnded)[-1].error is caught.value


@contract
async def test_what_answers_one_that_was_given_up_is_told(backend: Backend) -> None:
    notes, echo = Notes(), Echo()
    with Peer(echo) as peer:
        async with backend.client(peer.url, observers=[notes]) as client:
            ahead = Ahead(client)
            slot = ahead.begin("GET", "gone")
            if not echo.heard:  # where threads call, a thread that comes by opens the connection
                echo.goes_on.set()
                await client.execute("GET", "first")
                echo.goes_on.clear()
                ahead.calls.give_up(slot)
                slot = ahead.begin("GET", "gone")
            await backend.until(lambda: echo.heard[-1] == [b"GET", b"gone"])
            ahead.calls.give_up(slot)
            echo.goes_on.set()
            assert await client.execute("GET", "mine") == b"mine"
    assert [dropped.command for dropped in notes.of(ReplyDropped)] == ["GET"]
