"""The contract of scripts: each call runs one once, whatever the server has forgotten."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pytest

from adapters.backends import Backend, contract
from adapters.peers import PATIENCE, Faults, Proxy, calls
from resp_sansio import CommandTimeoutError, ConnectionLostError, Outcome, Retry, Script, as_bytes, as_int, as_list

if TYPE_CHECKING:
    from servers import Server

PROTOCOLS = pytest.mark.parametrize("protocol", [2, 3], ids=["RESP2", "RESP3"])

SWALLOW = Faults(after=0, then="close", once=True)

ADD: Final = Script("return redis.call('INCRBY', KEYS[1], ARGV[1])", read=as_int)
ECHO: Final = Script("return ARGV[1]")


@PROTOCOLS
@contract
async def test_a_script_is_sent_whole_only_where_it_is_not_known(
    backend: Backend, server: Server, protocol: int
) -> None:
    server.call("SCRIPT", "FLUSH")
    for opened in (backend.connect, backend.pool, backend.client):
        async with opened(server.url, protocol=protocol) as redis:
            server.call("DEL", "n")
            assert [await redis.run(ADD, ["n"], [2]), await redis.run(ADD, keys=["n"], args=[3])] == [2, 5]
            assert await redis.run(ECHO, args=["é"]) == "é".encode()
    assert server.call("SCRIPT", "EXISTS", ADD.digest, ECHO.digest) == [1, 1]


@PROTOCOLS
@contract
async def test_on_a_client_of_text_a_script_returns_text_unless_it_says_otherwise(
    backend: Backend, server: Server, protocol: int
) -> None:
    pair = Script("return {'a', ARGV[1]}", read=as_list)
    for opened in (backend.connect, backend.pool, backend.client):
        async with opened(server.url, protocol=protocol, decode=True) as redis:
            assert await redis.run(ECHO, args=["é"]) == "é"
            assert await redis.run(pair, args=["é"]) == [b"a", "é".encode()]


@contract
async def test_what_is_no_script_is_refused_with_the_remedy(backend: Backend, server: Server) -> None:
    not_a_script: Any = "return 1"
    for opened in (backend.connect, backend.pool, backend.client):
        async with opened(server.url) as redis:
            with pytest.raises(TypeError, match=r"^run takes a Script, not str; Script\(source\) makes one$"):
                await redis.run(not_a_script)


@pytest.mark.over_a_cluster
@contract
async def test_its_source_is_sent_once_to_a_server(backend: Backend, server: Server) -> None:
    server.call("SCRIPT", "FLUSH")
    server.call("CONFIG", "RESETSTAT")
    async with backend.client(server.url) as client:
        for _ in range(5):
            assert await client.run(ADD, ["n"], [0]) == 0
    assert [calls(server, name) for name in ("eval", "evalsha", "script|load")] == [1, 5, 1]


@pytest.mark.over_a_cluster
@contract
async def test_a_script_that_came_is_kept_though_others_come_by_eval(backend: Backend, server: Server) -> None:
    """Redis 8 forgets scripts that came by EVAL alone after 500 others."""
    server.call("SCRIPT", "FLUSH")
    async with backend.client(server.url) as client:
        assert await client.run(ADD, ["n"], [1]) == 1
        async with client.pipeline() as pipe:
            for turn in range(600):
                pipe.execute("EVAL", f"return {turn}", 0)
        assert server.call("SCRIPT", "EXISTS", ADD.digest) == [1]


@pytest.mark.over_a_cluster
@contract
async def test_each_call_runs_its_script_once_while_another_makes_the_server_forget(
    backend: Backend, server: Server
) -> None:
    ended = threading.Event()

    def forget_again_and_again() -> None:
        while not ended.is_set():
            server.call("SCRIPT", "FLUSH")

    flusher = threading.Thread(target=forget_again_and_again)
    flusher.start()
    try:
        async with backend.client(server.url) as client:
            for _ in range(20):
                await backend.together(*[partial(client.run, ADD, ["n"], [1]) for _ in range(10)])
            async with client.pipeline() as pipe:
                sent = [pipe.execute(ADD.command(["n"], [1])) for _ in range(100)]
            async with client.transaction() as both:
                sent += [both.execute(ADD.command(["n"], [1])) for _ in range(100)]
            assert [result.result() for result in sent] == [*range(201, 401)]
    finally:
        ended.set()
        flusher.join()
    assert server.call("GET", "n") == b"400"


@pytest.mark.over_a_cluster
@contract
async def test_text_and_types_are_as_for_any_command(backend: Backend, server: Server) -> None:
    redis: Any  # the backends' types are those of bytes
    async with backend.client(server.url, decode=True) as redis:
        assert await redis.run(ECHO, args=["é"]) == "é"
        assert await redis.run(Script("return ARGV[1]", read=as_bytes), args=["é"]) == "é".encode()
        async with redis.pipeline() as pipe:
            result = pipe.execute(ECHO.command(args=["é"]))
        assert result.result() == "é"


@pytest.mark.over_a_cluster
@contract
async def test_a_script_ends_in_an_error_of_its_own(backend: Backend, server: Server) -> None:
    """Even in one that looks like the server's: it has run."""
    own = Script("redis.call('INCR', KEYS[1]); return redis.error_reply('NOSCRIPT my own')")
    async with backend.client(server.url) as client:
        for turn in (1, 2):
            with pytest.raises(Exception, match="^NOSCRIPT my own"):
                await client.run(own, ["n"])
            assert server.call("GET", "n") == b"%d" % turn


@pytest.mark.needs("EVAL_RO")
@contract
async def test_one_that_changes_nothing_is_run_again_after_a_loss_and_no_other_is(
    backend: Backend, server: Server
) -> None:
    look = Script("return redis.call('GET', KEYS[1])", readonly=True)
    with Proxy(server.port) as proxy:
        async with backend.client(proxy.url, retry=Retry(base=0.01)) as client:
            await client.set("k", "v")
            assert await client.run(look, ["k"]) == b"v"
            proxy.arm(down=SWALLOW)
            assert await client.run(look, ["k"]) == b"v"
            assert await client.run(ADD, ["n"], [1]) == 1
            proxy.arm(down=SWALLOW)
            with pytest.raises(ConnectionLostError) as lost:
                await client.run(ADD, ["n"], [1])
            assert lost.value.outcome is Outcome.MAYBE_EXECUTED
            assert await client.get("n") == b"2"


@contract
async def test_one_timeout_covers_it_whole(backend: Backend, server: Server) -> None:
    """Even where the server has got the script only just now."""
    busy = Script(
        "for _ = 1, 1e8 do end"
    )  # by count: for a script of newer servers, time stands still for five seconds
    async with backend.client(server.url, timeout=PATIENCE) as client:
        for _ in range(2):
            with pytest.raises(CommandTimeoutError) as late:
                await client.run(busy, timeout=0.05)
            assert late.value.outcome is Outcome.MAYBE_EXECUTED
            assert await client.ping() == "PONG"
