"""The contract of client-side caching: a read that is kept costs no command, and nothing that is out of date stays."""

from __future__ import annotations

import random
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from adapters.backends import Backend, contract
from adapters.peers import Faults, Proxy, calls
from core.client.notes import Notes
from resp_sansio import Cache, CacheStats, CallEnded, CommandTimeoutError, KeysInvalidated, ReplyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from resp_asyncio import Client
    from servers import Server


def counted(client: Client[Any]) -> CacheStats:
    stats = client.stats().cache
    assert stats is not None
    return stats


async def heard(backend: Backend, client: Client[Any], count: int) -> None:
    """Wait until the server's word of so many changes has come."""
    while counted(client).invalidations < count:
        await client.execute("PING")
        await backend.sleep(0.001)


MODES = pytest.mark.parametrize("prefixes", [(), ("k",)], ids=["asked for", "all are told"])


@MODES
@contract
async def test_what_was_read_is_given_until_another_changes_it(
    backend: Backend, server: Server, prefixes: tuple[str, ...]
) -> None:
    server.call("FLUSHALL")
    server.call("SET", "k", "1")
    async with backend.client(server.url, cache=Cache(prefixes=prefixes)) as client:
        assert await client.get("k") == b"1"
        server.call("CONFIG", "RESETSTAT")
        for _ in range(20):
            assert await client.get("k") == b"1"
        assert calls(server, "get") == 0
        for value in (b"2", b"3"):
            before = counted(client).invalidations
            server.call("SET", "k", value)
            await heard(backend, client, before + 1)
            assert [await client.get("k") for _ in range(3)] == [value] * 3
        server.call("DEL", "k")
        await heard(backend, client, 3)
        assert [await client.get("k") for _ in range(2)] == [None] * 2
        assert counted(client).hits == 20 + 2 * 2 + 1


@pytest.mark.over_a_cluster
@contract
async def test_a_loop_of_hits_sees_changes(backend: Backend, server: Server) -> None:
    server.call("SET", "k", "1")
    async with backend.client(server.url, cache=Cache()) as client:
        assert await client.get("k") == b"1"
        server.call("SET", "k", "2")
        while await client.get("k") == b"1":
            pass
        assert await client.get("k") == b"2"


@contract
async def test_ones_own_writes_are_always_seen(backend: Backend, server: Server) -> None:
    server.call("FLUSHALL")
    async with backend.client(server.url, cache=Cache()) as client:
        for number in range(60):
            await client.get("k")
            match number % 4:
                case 0:
                    await client.set("k", number)
                case 1:
                    async with client.pipeline() as pipe:
                        pipe.set("k", number)
                case 2:
                    async with client.transaction() as both:
                        both.set("k", number)
                case _:
                    async with client.acquire() as connection:
                        await connection.set("k", number)
            assert await client.get("k") == b"%d" % number
        await client.flushall()
        assert await client.get("k") is None


@pytest.mark.over_a_cluster
@contract
async def test_many_readers_of_one_key_send_one_command(backend: Backend, server: Server) -> None:
    server.call("SET", "k", "v")
    async with backend.client(server.url, cache=Cache()) as client:
        await client.execute("PING")
        server.call("CONFIG", "RESETSTAT")
        server.call("CLIENT", "PAUSE", "60", "ALL")
        found = await backend.together(*[partial(client.get, "k")] * 20)
        assert found == [b"v"] * 20
        assert calls(server, "get") == 1
        assert counted(client).joined + counted(client).hits == 19


@pytest.mark.over_a_cluster
@contract
async def test_a_reader_that_is_cancelled_leaves_the_others_their_reply(backend: Backend, server: Server) -> None:
    server.call("SET", "k", "v")
    async with backend.client(server.url, cache=Cache()) as client:
        await client.execute("PING")
        found: list[Any] = []

        async def read() -> None:
            found.append(await client.get("k"))

        async def cancel_the_first() -> None:
            async with backend.cancelled(partial(client.get, "k")):
                await backend.until(lambda: counted(client).misses == 1)
                await backend.until(lambda: counted(client).joined >= 3)

        async def join() -> None:
            await backend.until(lambda: counted(client).misses == 1)
            await read()

        server.call("CLIENT", "PAUSE", "200", "ALL")
        await backend.together(cancel_the_first, join, join, join)
        assert found == [b"v"] * 3
        assert await client.get("k") == b"v"


@pytest.mark.over_a_cluster
@contract
async def test_each_gets_values_of_its_own(backend: Backend, server: Server) -> None:
    server.call("DEL", "l", "h")
    server.call("RPUSH", "l", "a", "b")
    server.call("HSET", "h", "f", "v")
    async with backend.client(server.url, cache=Cache(), decode=True) as client:
        for _ in range(3):
            elements: Any = await client.lrange("l", 0, -1)
            fields: Any = await client.hgetall("h")
            assert (elements, fields) == (["a", "b"], {"f": "v"})
            elements.append("c")
            fields["g"] = "w"
            reply: Any = await client.execute("LRANGE", "l", 0, -1)
            assert reply == ["a", "b"]
            reply.clear()
        assert counted(client).hits == 7


@contract
async def test_after_a_loss_nothing_of_before_is_given(backend: Backend, server: Server) -> None:
    server.call("SET", "k", "1")
    with Proxy(server.port) as proxy:
        async with backend.client(proxy.url, cache=Cache()) as client:
            assert [await client.get("k") for _ in range(2)] == [b"1", b"1"]
            proxy.arm(down=Faults(after=0, then="close", once=True))
            server.call("SET", "k", "2")  # the server says so, and the connection ends instead
            while await client.get("k") == b"1":
                await backend.sleep(0.001)
            assert [await client.get("k") for _ in range(3)] == [b"2"] * 3


@contract
async def test_after_a_kill_nothing_of_before_is_given(backend: Backend, server: Server) -> None:
    server.call("SET", "k", "1")
    async with backend.client(server.url, cache=Cache()) as client:
        number = await client.client_id()
        assert [await client.get("k") for _ in range(2)] == [b"1", b"1"]
        server.call("CLIENT", "KILL", "ID", str(number))
        server.call("SET", "k", "2")
        assert await client.execute("PING") == "PONG"
        assert [await client.get("k") for _ in range(3)] == [b"2"] * 3


@contract
async def test_a_loop_of_hits_finds_out_that_the_server_has_vanished(
    backend: Backend, start_server: Callable[..., Server]
) -> None:
    """No word of changes comes from one that is silent, and no call but hits is made."""
    server = start_server()
    server.call("SET", "k", "1")
    async with backend.client(server.url, cache=Cache(), ping_interval=0.01, silence_timeout=0.1) as client:
        assert await client.get("k") == b"1"
        with server.paused(), suppress(CommandTimeoutError):
            while counted(client).entries:
                assert await client.execute("GET", "k", timeout=0.05) == b"1"  # the one that finds out is no hit
                await backend.sleep(0.001)
        assert counted(client).entries == 0
        assert await client.get("k") == b"1"


@contract
async def test_a_flush_and_an_expiry_are_changes(backend: Backend, server: Server) -> None:
    server.call("SET", "k", "1")
    async with backend.client(server.url, cache=Cache()) as client:
        assert [await client.get("k") for _ in range(2)] == [b"1", b"1"]
        server.call("FLUSHALL")
        await heard(backend, client, 1)
        assert await client.get("k") is None
        kept: list[bytes | None] = []
        for milliseconds in (50, 1000, 20_000):
            told = counted(client).invalidations
            server.call("SET", "k", "1", "PX", milliseconds)
            await heard(backend, client, told + 1)
            kept = [await client.get("k") for _ in range(2)]
            if kept == [b"1", b"1"]:
                break  # else it had expired before that
        assert kept == [b"1", b"1"]
        while await client.get("k") is not None:
            await backend.sleep(0.001)


@contract
async def test_where_the_server_does_not_tell_nothing_is_kept(
    backend: Backend, start_server: Callable[..., Server]
) -> None:
    server = start_server()  # its user is of no use to other tests
    server.call("SET", "k", "v")
    server.call("ACL", "SETUSER", "deaf", "on", "nopass", "~*", "+@all", "-client|tracking")
    url = server.url.replace("redis://", "redis://deaf:x@", 1)
    async with backend.client(url, cache=Cache()) as client:
        assert [await client.get("k") for _ in range(3)] == [b"v"] * 3
        stats = counted(client)
        assert (stats.active, stats.hits, stats.entries) == (False, 0, 0)


@pytest.mark.over_a_cluster
@contract
async def test_an_error_is_each_callers_own(backend: Backend, server: Server) -> None:
    server.call("DEL", "l")
    server.call("RPUSH", "l", "a")
    async with backend.client(server.url, cache=Cache()) as client:
        await client.execute("PING")
        server.call("CLIENT", "PAUSE", "40", "ALL")
        errors = await backend.together(*[partial(client.get, "l")] * 5)
        assert {type(error) for error in errors} == {ReplyError}
        assert len({id(error) for error in errors}) == 5


@contract
async def test_a_connection_keeps_what_it_reads_until_it_is_changed(backend: Backend, server: Server) -> None:
    server.call("SET", "k", "v")
    async with backend.connect(server.url, cache=Cache()) as connection:
        assert await connection.get("k") == b"v"
        server.call("CONFIG", "RESETSTAT")
        assert [await connection.get("k") for _ in range(5)] == [b"v"] * 5
        assert calls(server, "get") == 0
        await connection.execute("SELECT", 1)
        assert await connection.get("k") is None
        await connection.execute("SELECT", 0)
        assert [await connection.get("k") for _ in range(2)] == [b"v"] * 2
        assert calls(server, "get") == 3


@MODES
@pytest.mark.parametrize("lanes", [1, 2])
@contract
async def test_after_a_storm_what_is_kept_is_what_is_there(
    backend: Backend, server: Server, prefixes: tuple[str, ...], lanes: int
) -> None:
    """Writers and readers of few keys at once; once all has come, no read differs from the server's."""
    server.call("FLUSHALL")
    keys, chance = [f"k{number}" for number in range(4)], random.Random(lanes)
    async with (
        backend.client(server.url, cache=Cache(prefixes=prefixes), lanes=lanes) as client,
        backend.client(server.url) as other,
    ):

        async def read(by: random.Random) -> None:
            for _ in range(40):
                await client.get(by.choice(keys))
                await client.mget(*by.sample(keys, 2))

        async def write(by: random.Random) -> None:
            for number in range(30):
                writer = client if by.random() < 0.3 else other
                await writer.set(by.choice(keys), number)
                if by.random() < 0.05:
                    await other.flushall()

        for _ in range(3):
            seeds = [random.Random(chance.random()) for _ in range(7)]
            both = [partial(read, by) for by in seeds[:4]] + [partial(write, by) for by in seeds[4:]]
            assert await backend.together(*both) == [None] * 7
            await backend.sleep(0.02)
            await client.execute("PING")
            there = [server.call("GET", key) for key in keys]
            assert [await client.get(key) for key in keys] == there
            assert [await client.get(key) for key in keys] == there
            assert await client.mget(*keys) == there
        assert counted(client).hits


@MODES
@contract
async def test_observers_are_told_of_changes_and_a_connections_cache_is_counted(
    backend: Backend, server: Server, prefixes: tuple[str, ...]
) -> None:
    notes = Notes()
    async with backend.connect(server.url, cache=Cache(prefixes=prefixes), observers=[notes]) as connection:
        assert [await connection.get("k") for _ in range(3)] == [None] * 3
        assert not notes.of(KeysInvalidated)
        server.call("SET", "k", "v")
        while not notes.of(KeysInvalidated):
            await connection.ping()
            await backend.sleep(0.001)
        assert await connection.get("k") == b"v"
        server.call("FLUSHALL")
        while len(notes.of(KeysInvalidated)) < 2:
            await connection.ping()
            await backend.sleep(0.001)
        counted = connection.stats().cache
        assert counted is not None
        assert (counted.hits, counted.misses, counted.invalidations) == (2, 2, 2)
    assert [told.keys for told in notes.of(KeysInvalidated)] == [1, 1]
    assert [told.command for told in notes.of(CallEnded)].count("GET") == 2
