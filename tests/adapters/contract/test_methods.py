"""The typed methods: on every surface of every adapter the same, each gives what the command of its name gives by `execute`."""

from __future__ import annotations

import inspect
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import pytest

import resp_asyncio
import resp_sync
import resp_trio
from adapters.backends import CANCELLED, contract
from adapters.peers import Peer, Wire
from resp_sansio import (
    CommandTimeoutError,
    InvalidReplyError,
    Outcome,
    ReplyError,
    Result,
    UnexpectedReplyError,
    commands,
)
from resp_sansio.methods import AsyncMethods, BatchMethods, SyncMethods

if TYPE_CHECKING:
    from adapters.backends import Backend
    from servers import Server

BUILDERS = sorted({*dir(commands)} - {"text"})
SURFACES = [
    surface
    for adapter in (resp_sync, resp_asyncio, resp_trio)
    for surface in vars(adapter).values()
    if inspect.isclass(surface) and hasattr(surface, "execute")
]


@pytest.mark.parametrize("surface", SURFACES, ids=[f"{surface.__module__}.{surface.__name__}" for surface in SURFACES])
def test_every_surface_has_every_method_and_none_of_its_own_in_the_way(surface: Any) -> None:
    (kind,) = [each for each in (SyncMethods, AsyncMethods, BatchMethods) if issubclass(surface, each)]
    assert [name for name in BUILDERS if getattr(surface, name) is not vars(kind)[name]] == []


@contract
async def test_a_method_returns_what_the_command_of_its_name_does(backend: Backend, server: Server) -> None:
    for protocol in (2, 3):
        async with backend.connect(server.url, protocol=protocol) as connection:
            await connection.flushdb()
            assert await connection.hset("h", mapping={"a": 1, "b": 2}) == 2
            assert await connection.hgetall("h") == {b"a": b"1", b"b": b"2"}
            assert await connection.execute(commands.hgetall("h"), timeout=1) == {b"a": b"1", b"b": b"2"}
            async with connection.pipeline() as pipe:
                found, missing = pipe.hget("h", "a"), pipe.get("none")
            assert (found.result(), missing.result()) == (b"1", None)
            async with connection.transaction() as transaction:
                count = transaction.incr("n")
            assert count.result() == 1


@contract
async def test_each_strategy_has_the_methods(backend: Backend, server: Server) -> None:
    for opened in (backend.connect(server.url), backend.pool(server.url), backend.client(server.url)):
        async with opened as redis:
            assert await redis.set("k", "v", ex=9, xx=True) is False
            assert await redis.incr("n") == await redis.incrby("n", 0)
            assert await backend.together(*[partial(redis.echo, word) for word in "abc"]) == [b"a", b"b", b"c"]


@contract
async def test_data_is_text_where_that_is_asked_for(backend: Backend, server: Server) -> None:
    redis: Any  # the backends' types are those of bytes
    for opened in (backend.connect, backend.pool, backend.client):
        async with opened(server.url, decode=True) as redis:
            await redis.set("k", "é")
            assert await redis.execute("GET", "k") == "é"
            assert await redis.get("k") == "é"
            assert await redis.execute(commands.get("k")) == "é".encode()  # it says itself what it returns
            assert (await redis.raw.get("k"), await redis.text.get("k")) == ("é".encode(), "é")
            async with redis.pipeline() as pipe:
                results = [pipe.execute("GET", "k"), pipe.get("k"), pipe.execute(commands.get("k")), pipe.raw.get("k")]
            assert [one.result() for one in results] == ["é", "é", "é".encode(), "é".encode()]


@contract
async def test_data_is_bytes_unless_text_is_asked_for_and_a_call_can_ask(backend: Backend, server: Server) -> None:
    for opened in (backend.connect, backend.pool, backend.client):
        async with opened(server.url) as redis:
            await redis.hset("h", "ü", "é")
            assert (await redis.hgetall("h"), await redis.text.hgetall("h")) == (
                {"ü".encode(): "é".encode()},
                {"ü": "é"},
            )
            async with redis.transaction() as both:
                data, text = both.hkeys("h"), both.text.hkeys("h")
            assert (data.result(), text.result()) == (["ü".encode()], ["ü"])
            async with redis.pipeline(decode=True) as pipe:
                text = pipe.hvals("h")
            assert text.result() == ["é"]


@contract
async def test_data_that_is_no_text_is_an_error_that_names_the_command_and_of_no_other(
    backend: Backend, server: Server
) -> None:
    """It shows no data, and the connection lives on."""
    async with backend.client(server.url, decode=True) as client:
        await client.mset({"odd": b"SECRET\xff", "even": "é"})
        for call in (client.get, partial(client.execute, "GET")):
            with pytest.raises(UnexpectedReplyError, match="^GET: the data is no utf-8 text; ask for bytes") as caught:
                await call("odd")
            assert "SECRET" not in repr(caught.value)
            assert caught.value.__cause__ is caught.value.__context__ is None
        async with client.pipeline() as pipe:
            results = [pipe.get("even"), pipe.get("odd"), pipe.execute("GET", "odd"), pipe.raw.get("odd")]
        assert results[0].result() == "é"
        for result in results[1:3]:
            with pytest.raises(UnexpectedReplyError, match="^GET: the data is no utf-8 text"):
                result.result()
        assert results[3].result() == b"SECRET\xff"
        assert client.stats().lanes[0].closed == {}


@pytest.mark.over_a_cluster
@contract
async def test_what_is_done_with_data_that_is_no_text_is_an_option(backend: Backend, server: Server) -> None:
    for errors, text in (("surrogateescape", "\udcff"), ("replace", "\ufffd"), ("ignore", "")):
        async with backend.client(server.url, decode=True, decode_errors=errors) as client:
            await client.set("k", b"\xff")
            assert [await client.get("k"), await client.execute("GET", "k")] == [text, text]


@contract
async def test_a_method_raises_what_the_server_says(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url) as connection:
        await connection.rpush("l", 1)
        with pytest.raises(ReplyError, match="^WRONGTYPE"):
            await connection.get("l")
        assert await connection.llen("l") == 1


@contract
async def test_a_reply_that_its_reader_cannot_take_fails_a_method_alone(backend: Backend) -> None:
    def answers(wire: Wire) -> None:
        wire.welcome()
        for words in wire.commands():
            wire.send({b"INCR": b"+QUEUED\r\n", b"GET": b":(5\r\n"}.get(words[0], b"+PONG\r\n"))

    with Peer(answers) as peer:
        async with backend.connect(peer.url) as connection:
            with pytest.raises(
                UnexpectedReplyError, match="^INCR: an integer was expected, and the simple string 'QUEUED' came$"
            ):
                await connection.incr("n")
            with pytest.raises(InvalidReplyError):
                await connection.get("k")
            assert await connection.ping() == "PONG"


@contract
async def test_a_wrong_argument_of_a_method_is_refused_and_nothing_is_sent(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url) as connection:
        wrong: Any = connection
        with pytest.raises(TypeError, match="argument 1 of 'GET' must be bytes"):
            await wrong.get(None)
        with pytest.raises(TypeError, match="ex of SET must be an int"):
            await wrong.set("k", "v", ex="1")
        with pytest.raises(ValueError, match="nx and xx exclude each other"):
            await wrong.set("k", "v", nx=True, xx=True)
        with pytest.raises(TypeError, match="missing 1 required positional argument"):
            await wrong.set("k")
        assert await connection.dbsize() == 0


@contract
async def test_a_method_that_blocks_on_the_server_has_the_time_that_it_asks_for(
    backend: Backend, server: Server
) -> None:
    async with backend.client(server.url, timeout=0.5) as client:
        assert await client.blpop("none", timeout=0.75) is None
        assert await client.xread({"none": "$"}, block=750) == {}


@contract
async def test_a_method_whose_time_is_up_says_how_its_command_ended(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url, timeout=0.2) as connection:
        server.call("CLIENT", "PAUSE", "600", "WRITE")
        with pytest.raises(CommandTimeoutError) as caught:
            await connection.incr("n")
        assert caught.value.outcome is Outcome.MAYBE_EXECUTED
        await backend.sleep(0.7)
        assert await connection.echo("still here") == b"still here"


@contract
async def test_giving_up_a_method_costs_no_more_than_its_reply(backend: Backend, server: Server) -> None:
    async with backend.client(server.url) as client:
        number = await client.client_id()
        server.call("CLIENT", "PAUSE", "200", "WRITE")
        async with backend.cancelled(partial(client.incr, "n")) as ended:
            await backend.sleep(0.05)
        assert ended.outcome == CANCELLED
        assert await client.echo("next") == b"next"
        assert await client.client_id() == number


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_transaction_reads_typed_commands_and_queues_methods(server: Server, protocol: Literal[2, 3]) -> None:
    with resp_sync.connect(server.url, protocol=protocol) as connection:

        def add(transaction: resp_sync.WatchedTransaction) -> Result[int]:
            count = int(transaction.read(commands.get("n")) or 0)
            return transaction.incrby("n", count + 1)

        assert [connection.transact(add, "n").result() for _ in range(3)] == [1, 3, 7]
