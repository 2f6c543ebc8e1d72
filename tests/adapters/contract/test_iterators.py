"""The contract of iterations over keys, and over what is in one: each that is there all the time comes, whatever is lost."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pytest

from adapters.backends import CANCELLED, Backend, contract, contract_of_tasks, seeded
from adapters.peers import Faults, Proxy, calls, statistic
from resp_sansio import ConnectionClosedError, ConnectionLostError, LocalProtocolError, ReplyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from servers import Server

pytestmark = pytest.mark.usefixtures("nothing_is_left")

PROTOCOLS = pytest.mark.parametrize("protocol", [2, 3], ids=["RESP2", "RESP3"])
OPENED = pytest.mark.parametrize("opened", ["connect", "client", "pool"])
LENDS = pytest.mark.parametrize("opened", ["client", "pool"])

CUT: Final = Faults(after=0, then="close", once=True)


def fill(server: Server, count: int) -> set[bytes]:
    """Let a server have so many keys."""
    keys = [b"key:%d" % number for number in range(count)]
    for first in range(0, count, 1000):
        server.call("MSET", *[word for key in keys[first : first + 1000] for word in (key, b"v")])
    return set(keys)


async def rest(scan: Any) -> list[Any]:
    """All that is left of an iteration."""
    found: list[Any] = await scan.rest() if hasattr(scan, "rest") else [item async for item in scan]
    return found


# -- all of it -----------------------------------------------------------------------------------------------------------------


@OPENED
@PROTOCOLS
@contract
async def test_every_key_comes(backend: Backend, server: Server, protocol: int, opened: str) -> None:
    keys = fill(server, 10_000)
    async with getattr(backend, opened)(server.url, protocol=protocol) as redis:
        for options in ({}, {"count": None, "match": "key:9*"}, {"count": 3000, "distinct": True}):
            scan = redis.scan_iter(**options)
            found = await rest(scan)
            assert set(found) == {key for key in keys if "match" not in options or key.startswith(b"key:9")}
            assert len(found) == len(set(found))
            assert scan.restarts == 0
            assert await rest(scan) == []


@OPENED
@PROTOCOLS
@contract
async def test_all_that_is_in_one_comes_as_data_does(
    backend: Backend, server: Server, protocol: int, opened: str
) -> None:
    numbers = range(1200)
    server.call("HSET", "hash", *[word for number in numbers for word in (number, -number)])
    server.call("SADD", "set", "é", *numbers)
    server.call("ZADD", "zset", *[word for number in numbers for word in (str(number / 2), number)])
    async with getattr(backend, opened)(server.url, protocol=protocol, decode=True) as redis:
        assert dict(await rest(redis.hscan_iter("hash"))) == {str(number): str(-number) for number in numbers}
        assert set(await rest(redis.sscan_iter("set", "1*", 50))) == {str(n) for n in numbers if str(n)[0] == "1"}
        assert "é".encode() in await rest(redis.raw.sscan_iter("set"))
        assert dict(await rest(redis.zscan_iter("zset"))) == {str(number): number / 2 for number in numbers}
        assert set(await rest(redis.text.scan_iter(_type="hash"))) == {"hash"}
        for nothing in (
            redis.scan_iter("none"),
            redis.hscan_iter("none"),
            redis.sscan_iter("x"),
            redis.zscan_iter("x"),
        ):
            assert await rest(nothing) == []
        with pytest.raises(ReplyError, match="WRONGTYPE"):
            await anext(redis.sscan_iter("hash"))
        if server.has("Redis 7.4 or Valkey 8.0"):
            fields = await rest(redis.hscan_iter("hash", no_values=True))
            assert set(fields) == {str(number) for number in numbers}


@OPENED
@contract
async def test_pages_may_be_empty_before_the_end(backend: Backend, server: Server, opened: str) -> None:
    fill(server, 2000)
    async with getattr(backend, opened)(server.url) as redis:
        assert await rest(redis.scan_iter("key:1234", 10)) == [b"key:1234"]


@LENDS
@contract
async def test_every_key_comes_while_others_come_and_go(backend: Backend, server: Server, opened: str) -> None:
    """The server rearranges its keys meanwhile, for there are many more of them, and fewer again."""
    keys = fill(server, 500)
    async with getattr(backend, opened)(server.url) as redis, backend.client(server.url) as other:
        scan, found = redis.scan_iter(count=20), set()
        for turn in range(10):
            found |= {await anext(scan) for _ in range(20)}
            async with other.pipeline() as pipe:
                for number in range(1000):
                    if turn < 5:
                        pipe.execute("SET", f"other:{turn}:{number}", "v")
                    else:
                        pipe.execute("DEL", f"other:{turn - 5}:{number}")
        found |= set(await rest(scan))
        assert keys <= found


# -- ahead -----------------------------------------------------------------------------------------------------------------------


@OPENED
@contract
async def test_one_page_is_asked_for_ahead_and_no_more(backend: Backend, server: Server, opened: str) -> None:
    fill(server, 1000)
    async with getattr(backend, opened)(server.url) as redis:
        server.call("CONFIG", "RESETSTAT")
        scan = redis.scan_iter(count=100)
        await backend.sleep(0.01)
        assert calls(server, "scan") == 0
        await anext(scan)
        await backend.until(lambda: calls(server, "scan") == 2)
        for _ in range(80):
            await anext(scan)
        await backend.sleep(0.01)
        assert calls(server, "scan") == 2
        for _ in range(80):  # pages are of about as many as were asked for
            await anext(scan)
        await backend.until(lambda: calls(server, "scan") == 3)
        assert calls(server, "info") - 4 <= 1  # this test asks, too


@OPENED
@contract
async def test_a_loop_may_be_left_at_any_time(backend: Backend, server: Server, opened: str) -> None:
    fill(server, 300)
    before = statistic(server, "total_connections_received")
    options: dict[str, Any] = {"max_size": 1} if opened == "pool" else {}
    async with getattr(backend, opened)(server.url, **options) as redis:
        for turn in range(50):
            scan = redis.scan_iter(count=100)
            if turn % 2:
                async with scan:
                    async for _ in scan:
                        break
                assert await rest(scan) == []
            else:
                async for _ in scan:
                    break
            del scan
        assert await redis.echo("mine") == b"mine"
        assert statistic(server, "total_connections_received") - before <= 1 + 2  # those of this test
        assert len(await rest(redis.scan_iter())) == 300


@contract
async def test_keys_are_read_in_the_loop_with_one_connection(backend: Backend, server: Server) -> None:
    keys = fill(server, 30)
    async with backend.pool(server.url, max_size=1) as pool:
        found = set()
        async for key in pool.scan_iter(count=10):
            assert await pool.get(key) == b"v"
            found.add(key)
        assert found == keys
        assert pool.stats().created == 1


# -- lost ------------------------------------------------------------------------------------------------------------------------


@LENDS
@pytest.mark.parametrize("then", ["close", "reset"])
@contract
async def test_a_connection_that_is_lost_costs_nothing(
    backend: Backend, server: Server, opened: str, then: Any
) -> None:
    """Wherever it ends: it is the same server that is asked again."""
    keys = fill(server, 200)
    with Proxy(server.port) as proxy:
        async with getattr(backend, opened)(proxy.url) as redis:
            for after in (0, 1, 60, 500, 1000, 2000, 3500):
                proxy.arm(down=Faults(after=after, then=then, once=True))
                scan = redis.scan_iter(count=20)
                assert set(await rest(scan)) == keys
                assert scan.restarts == 0
            for after in (0, 30, 200):
                proxy.arm(up=Faults(after=after, then=then, once=True))
                scan = redis.scan_iter(count=20)
                assert set(await rest(scan)) == keys
                assert scan.restarts == 0


@LENDS
@contract
async def test_a_connection_that_is_lost_while_a_page_is_read(backend: Backend, server: Server, opened: str) -> None:
    keys = fill(server, 100)
    async with getattr(backend, opened)(server.url) as redis:
        scan, found = redis.scan_iter(count=10), []
        for _ in range(10):
            found += [await anext(scan) for _ in range(5)]
            server.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            await backend.sleep(0.005)
        found += await rest(scan)
        assert (len(found), set(found), scan.restarts) == (100, keys, 0)


@LENDS
@contract
async def test_a_server_that_was_restarted_is_asked_from_the_beginning(
    backend: Backend, start_server: Callable[..., Server], opened: str
) -> None:
    """Its hash table has another order now, and a cursor of before would skip keys."""
    server = start_server()
    keys = fill(server, 200)
    async with getattr(backend, opened)(server.url) as redis:
        scan = redis.scan_iter(count=20)
        found = [await anext(scan) for _ in range(50)]
        server.restart()
        fill(server, 200)
        found += await rest(scan)
        assert (set(found), scan.restarts) == (keys, 1)
        scan = redis.scan_iter(count=20, distinct=True)
        found = [await anext(scan) for _ in range(50)]
        server.restart()
        fill(server, 200)
        found += await rest(scan)
        assert (len(found), set(found), scan.restarts) == (200, keys, 1)


@LENDS
@contract
async def test_another_server_is_asked_from_the_beginning(
    backend: Backend, start_server: Callable[..., Server], server: Server, opened: str
) -> None:
    """One that stands at the same address now: behind a proxy, a name."""
    other = start_server()
    keys = fill(server, 200)
    fill(other, 200)
    with Proxy(server.port) as proxy:
        async with getattr(backend, opened)(proxy.url) as redis:
            scan = redis.scan_iter(count=20)
            found = [await anext(scan) for _ in range(50)]
            proxy._server = other.port
            proxy.arm(down=CUT)
            found += await rest(scan)
            assert (set(found), scan.restarts) == (keys, 1)
            assert len(found) > 200  # those that had come, came once more


@contract
async def test_a_single_connection_that_is_lost_ends_it_with_an_error(backend: Backend, server: Server) -> None:
    fill(server, 100)
    async with backend.connect(server.url) as connection:
        scan = connection.scan_iter(count=10)
        assert calls(server, "info") >= 0
        await anext(scan)
        server.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        with pytest.raises((ConnectionLostError, ConnectionClosedError)):
            await rest(scan)
        with pytest.raises(ConnectionClosedError):
            await anext(scan)


@contract
async def test_a_connection_that_was_given_back_ends_it_with_an_error(backend: Backend, server: Server) -> None:
    fill(server, 100)
    async with backend.pool(server.url) as pool:
        async with pool.acquire() as connection:
            scan = connection.scan_iter(count=10)
            await anext(scan)
        with pytest.raises(ConnectionClosedError):
            await rest(scan)
        assert len(await rest(pool.scan_iter())) == 100


@LENDS
@contract
async def test_a_user_who_may_not_ask_who_it_is_gets_every_key(backend: Backend, server: Server, opened: str) -> None:
    keys = fill(server, 100)
    server.call("ACL", "SETUSER", "scanner", "on", ">secret", "~*", "+scan", "+hello", "+client", "+ping")
    try:
        async with getattr(backend, opened)(server.url, username="scanner", password="secret") as redis:
            scan = redis.scan_iter(count=10)
            assert set(await rest(scan)) == keys
            assert scan.restarts == 0
    finally:
        server.call("ACL", "DELUSER", "scanner")


# -- given up ----------------------------------------------------------------------------------------------------------------------


@OPENED
@contract
async def test_a_caller_that_is_cancelled_takes_nothing_with_it(
    backend: Backend, start_server: Callable[..., Server], opened: str
) -> None:
    server = start_server()
    keys = fill(server, 200)
    async with getattr(backend, opened)(server.url) as redis:
        await redis.ping()
        scan, found = redis.scan_iter(count=3), []
        for pulls in (0, 10, 30):
            found += [await anext(scan) for _ in range(pulls)]
            with server.paused():
                while True:  # until one has to wait
                    async with backend.cancelled(partial(anext, scan)) as ended:
                        await backend.sleep(0.01)
                    if ended.outcome is CANCELLED:
                        break
                    found.append(ended.outcome)
        found += await rest(scan)
        assert (len(found), set(found)) == (200, keys)


@LENDS
@contract_of_tasks
async def test_a_storm_of_cancellations_takes_nothing_with_it(backend: Backend, server: Server, opened: str) -> None:
    random, keys = seeded(), fill(server, 60)
    async with getattr(backend, opened)(server.url) as redis:
        scan, found = redis.scan_iter(count=2), []
        for _ in range(40):
            async with backend.cancelled(partial(anext, scan)) as ended:
                await backend.sleep(random.random() * 0.001)
            if ended.outcome is not CANCELLED:
                found.append(ended.outcome)
        found += await rest(scan)
        assert (len(found), set(found), scan.restarts) == (60, keys, 0)


@contract
async def test_one_is_not_for_two_at_a_time_unless_they_are_threads(
    backend: Backend, start_server: Callable[..., Server]
) -> None:
    server = start_server()
    keys = fill(server, 40)
    async with backend.client(server.url) as client:
        scan = client.scan_iter(count=10)
        found = await backend.together(*[partial(rest, scan) for _ in range(4)])
        if backend.name == "threads":
            assert sorted(key for part in found for key in part) == sorted(keys)
        else:
            (whole,) = [part for part in found if not isinstance(part, LocalProtocolError)]
            assert set(whole) == keys
