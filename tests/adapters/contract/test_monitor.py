"""The contract of `monitor`: all that a server is asked, line by line, by a connection of the block's own."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from adapters.backends import CANCELLED, Backend, contract, contract_of_tasks
from adapters.peers import Faults, Proxy, listed
from resp_sansio import (
    CommandTimeoutError,
    ConnectError,
    ConnectionClosedError,
    ConnectionLostError,
    MonitorLine,
    RespError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from resp_asyncio import Client
    from servers import Server


def monitors(server: Server) -> int:
    """How many connections monitor."""
    return sum("O" in each["flags"] for each in listed(server))


@asynccontextmanager
async def dialled(backend: Backend, server: Server) -> AsyncIterator[Client]:
    """A client whose handshake is over, and in no line."""
    async with backend.client(server.url) as client:
        await client.ping()
        yield client


async def take(lines: Any, *names: bytes) -> list[MonitorLine[bytes]]:
    """Return the next line of each of these commands; others, such as the tests' own questions, are passed over."""
    found: list[MonitorLine[bytes]] = []
    async for line in lines:
        if line.words[0] == names[len(found)]:
            found.append(line)
        if len(found) == len(names):
            break
    return found


@contract
async def test_all_that_is_asked_comes_in_order(backend: Backend, server: Server) -> None:
    odd = b'\x00\r\n"\\\xff'
    async with backend.client(server.url) as client, client.monitor() as lines:
        await client.set("k", odd)
        await client.execute("EVAL", "return redis.call('GET', KEYS[1])", 1, "k")
        server.call("GET", "by another")
        setting, script, inside, getting = await take(lines, b"SET", b"EVAL", b"GET", b"GET")
    assert setting.words == (b"SET", b"k", odd)
    assert (setting.database, setting.address) == (0, script.address)
    assert (inside.address, inside.words) == ("lua", (b"GET", b"k"))
    assert getting.words == (b"GET", b"by another")
    assert setting.time <= inside.time <= getting.time
    assert monitors(server) == 0


@contract
async def test_whatever_executes_can_monitor_and_in_text(backend: Backend, server: Server) -> None:
    pool = backend.pool(server.url, decode=True)
    connection = backend.connect(server.url, decode=True, protocol=2)
    lines: Any
    async with pool as lending, connection as opened, lending.monitor() as one, opened.monitor() as other:
        assert monitors(server) == 2
        await opened.set("ключ", "é")
        for lines in (one, other):
            line = await lines.next()
            while line.words[0] != "SET":
                line = await lines.next()
            assert line.words == ("SET", "ключ", "é")


@pytest.mark.parametrize("protocol", [2, 3])
@contract
async def test_a_line_has_large_values_whole(backend: Backend, server: Server, protocol: int) -> None:
    """They stand in one line, several times as long as what a server takes for a line that is sent to it."""
    large = bytes(range(256)) * 1024
    async with backend.client(server.url, protocol=protocol) as client, client.monitor() as lines:
        await client.set("k", large)
        await client.echo("behind it")
        assert [line.words[-1] for line in await take(lines, b"SET", b"ECHO")] == [large, b"behind it"]


@contract
async def test_a_line_is_waited_for_as_long_as_is_said(backend: Backend, server: Server) -> None:
    async with dialled(backend, server) as client, client.monitor() as lines:
        with pytest.raises(CommandTimeoutError):
            await lines.next(timeout=0.01)
        async with backend.cancelled(partial(lines.next, timeout=None)) as ended:
            await backend.sleep(0.02)
        assert ended.outcome is CANCELLED
        await client.echo("still there")
        assert (await lines.next()).words == (b"ECHO", b"still there")


@contract_of_tasks
async def test_no_line_is_lost_to_a_wait_that_is_cancelled(backend: Backend, server: Server) -> None:
    async with dialled(backend, server) as client, client.monitor() as lines:
        for turns in range(10):
            async with backend.cancelled(partial(lines.next, timeout=None)) as ended:
                await backend.sleep(0)
                await client.execute("ECHO", turns)
                for _ in range(turns):  # at some of them the line is the waiter's, who does not run yet
                    await backend.sleep(0)
            line = await lines.next() if ended.outcome is CANCELLED else ended.outcome
            assert line.words == (b"ECHO", b"%d" % turns)


@contract
async def test_lines_end_with_the_connection_and_are_not_resumed(backend: Backend, server: Server) -> None:
    async with backend.client(server.url) as client, client.monitor() as lines:
        await client.echo("before")
        server.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        assert [line.words[1] for line in await take(lines, b"ECHO")] == [b"before"]
        with pytest.raises(ConnectionLostError):
            await take(lines, b"ECHO")
        with pytest.raises(ConnectionLostError):
            await lines.next()
    with pytest.raises(ConnectionClosedError):
        await lines.next()
    assert monitors(server) == 0


@contract
async def test_cut_at_any_byte_it_ends_and_leaves_nothing(backend: Backend, server: Server) -> None:
    """In the handshake, in MONITOR's own reply, in a line: whole lines are had, and no part of one."""
    with Proxy(server.port) as proxy:
        async with backend.client(proxy.url, connect_timeout=5, protocol=2, lib_name=None) as client:
            await client.ping()
            whole = 0
            for passed in range(0, 200, 9):
                proxy.arm(down=Faults(after=passed))
                with pytest.raises(RespError) as caught:  # noqa: PT012
                    async with client.monitor() as lines:
                        server.call("ECHO", "x")
                        async for line in lines:
                            assert line.words == (b"ECHO", b"x")
                            whole += 1
                            server.call("ECHO", "x")
                assert isinstance(caught.value, ConnectError | ConnectionLostError)
                proxy.arm()
            assert whole > 0
    assert monitors(server) == 0


@contract
async def test_a_server_that_starts_again_is_monitored_again(
    backend: Backend, start_server: Callable[..., Server]
) -> None:
    server = start_server()
    async with backend.client(server.url, protocol=2) as client:
        async with client.monitor() as lines:
            server.kill()
            with pytest.raises(ConnectionLostError):
                await lines.next(timeout=None)
        with pytest.raises(ConnectError):
            async with client.monitor():
                pass
        server.restart()
        async with client.monitor() as lines:
            server.call("ECHO", "again")
            assert [line.words[1] for line in await take(lines, b"ECHO")] == [b"again"]
