"""Opening, ending and the network at its worst, on resp_asyncio: what each call is told, what is counted, what is left behind."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
from typing import TYPE_CHECKING, Any

import pytest

from adapters.loops import everywhere, open_sockets, until
from adapters.peers import Faults, Peer, Proxy, Wire, run_program, statistic
from resp_asyncio import Connection, connect
from resp_sansio import (
    CommandTimeoutError,
    ConnectError,
    ConnectionClosedError,
    ConnectionLostError,
    LocalProtocolError,
    Outcome,
    RemoteProtocolError,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from resp_sansio import Credentials
    from servers import Server

MIB = 1024 * 1024


async def refused(url: str, **options: Any) -> ConnectError:
    """The error of a dial that must fail."""
    with pytest.raises(ConnectError) as caught:
        await connect(url, **options)
    return caught.value


# -- Opening --------------------------------------------------------------------------------------------------------------------


@everywhere
async def test_what_nobody_listens_on_says_so_and_may_come_back(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = await refused(f"redis://127.0.0.1:{port}")
    assert error.transient
    assert str(error) == f"cannot connect to 127.0.0.1:{port}: Connection refused"
    error = await refused(f"unix://{tmp_path}/missing")
    assert error.transient
    assert str(error) == f"cannot connect to unix:{tmp_path}/missing: No such file or directory"
    assert "cannot resolve 'no-such-host.invalid'" in str(await refused("redis://no-such-host.invalid"))


@everywhere
async def test_every_resolved_address_is_tried(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    dead, alive = ("127.0.0.1", 1), ("127.0.0.1", server.port)
    found: list[tuple[str, int]] = [dead, dead, alive]
    resolved = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in found]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: resolved)
    async with connect("redis://several.example") as connection:
        assert await connection.execute("PING") == "PONG"
    resolved.pop()
    error = await refused("redis://several.example")
    assert str(error) == "cannot connect to several.example:6379: Connection refused"


@everywhere
async def test_a_name_is_resolved(server: Server) -> None:
    async with connect(f"redis://localhost:{server.port}") as connection:
        assert await connection.execute("PING") == "PONG"


@everywhere
async def test_the_connect_timeout_covers_all_of_it(start_server: Callable[..., Server]) -> None:
    server = start_server()

    async def never() -> str:
        await asyncio.sleep(3600)
        return "secret"

    with server.paused():
        error = await refused(server.url, connect_timeout=0.3)
        assert error.transient
        assert "did not finish in time" in str(error)
        error = await refused(f"rediss://127.0.0.1:{server.port}", connect_timeout=0.3)
        assert (str(error), error.transient) == (f"127.0.0.1:{server.port}: TLS failed: timed out", True)
    error = await refused(server.url, credentials=never, connect_timeout=0.3)
    assert error.transient


@everywhere
async def test_credentials_may_be_awaited_for(start_server: Callable[..., Server]) -> None:
    server = start_server()
    server.call("ACL", "SETUSER", "bob", "on", ">one", "~*", "+@all")

    async def ask() -> Credentials:
        await asyncio.sleep(0)
        return "bob", "one"

    for provider in (ask, lambda: ("bob", "one")):
        async with connect(server.url, credentials=provider) as connection:
            assert await connection.execute("ACL", "WHOAMI") == b"bob"
    error = await refused(server.url, username="bob", password="wr0ng")
    assert not error.transient
    assert "(WRONGPASS)" in str(error)
    assert "wr0ng" not in str(error)


@everywhere
async def test_refused_dials_leave_no_socket(server: Server, tmp_path: Path) -> None:
    before = open_sockets()
    for _ in range(3):
        await refused(server.url + "/99")
        await refused(f"unix://{tmp_path}/missing")
        await refused("redis://127.0.0.1:1")
        await refused(f"rediss://localhost:{server.port}", connect_timeout=0.2)
    await until(lambda: open_sockets() <= before)


@pytest.mark.parametrize(
    "said", [b"-ERR max number of clients reached\r\n", b"-LOADING Redis is loading\r\n", b"HTTP/1.1 400\r\n"]
)
@everywhere
async def test_what_servers_say_before_they_close(said: bytes) -> None:
    def script(wire: Wire) -> None:
        wire.send(said)

    with Peer(script) as peer:
        error = await refused(peer.url)
    assert (b"HTTP" in said) is not error.transient


@pytest.mark.needs("tls")
@everywhere
async def test_tls_is_verified(server: Server) -> None:
    assert server.certificates
    error = await refused(server.tls_url)
    assert not error.transient
    assert "certificate was not accepted" in str(error)
    context = ssl.create_default_context(cafile=str(server.certificates.ca))
    ways: list[Any] = [{"tls_verify": False}, {"ssl_context": context}, {"tls_ca_file": str(server.certificates.ca)}]
    for options in ways:
        async with connect(server.tls_url, **options) as connection:
            assert await connection.execute("PING") == "PONG"
    assert "TLS failed" in str(await refused(f"rediss://localhost:{server.port}", connect_timeout=0.2))
    assert "cannot use the configured certificates" in str(await refused(server.tls_url, tls_ca_file="missing.pem"))


# -- Ending ---------------------------------------------------------------------------------------------------------------------


@everywhere
async def test_everyone_who_waits_is_told_of_the_end(start_server: Callable[..., Server]) -> None:
    server = start_server()
    connection = await connect(server.url)
    waiting = [asyncio.create_task(connection.execute("BLPOP", "k", 0)) for _ in range(20)]
    await until(lambda: statistic(server, "blocked_clients") > 0)
    server.kill()
    for task in waiting:
        with pytest.raises(ConnectionLostError) as caught:
            await task
        assert caught.value.outcome is Outcome.MAYBE_EXECUTED
    assert connection.closed
    with pytest.raises(ConnectionClosedError, match=r"^GET was not sent: .* has ended: "):
        await connection.execute("GET", "k")
    await connection.close()


@everywhere
async def test_what_was_not_handed_over_was_not_sent(start_server: Callable[..., Server]) -> None:
    server = start_server()
    connection = await connect(server.url)
    with server.paused():
        large = asyncio.create_task(connection.execute("SET", "k", bytes(16 * MIB)))
        await asyncio.sleep(0)
        small = asyncio.create_task(connection.execute("INCR", "n"))
        await asyncio.sleep(0)
        await connection.close()
    for task in (large, small):
        with pytest.raises(ConnectionLostError, match="the connection was closed") as caught:
            await task
        assert caught.value.outcome is Outcome.NOT_SENT


@pytest.mark.parametrize("end", ["close", "reset"])
@everywhere
async def test_a_connection_that_breaks_at_any_byte(server: Server, end: Any) -> None:
    server.call("SET", "k", "v" * 100)
    with Proxy(server.port) as proxy:
        for after in range(0, 108, 9):
            proxy.arm()
            connection = await connect(proxy.url)
            proxy.arm(down=Faults(after=after, then=end))
            with pytest.raises(ConnectionLostError) as caught:
                await connection.execute("GET", "k", timeout=None)
            assert caught.value.outcome is Outcome.MAYBE_EXECUTED
            await connection.close()


@everywhere
async def test_garbage_ends_the_connection_and_is_given_to_nobody() -> None:
    def script(wire: Wire) -> None:
        wire.welcome()
        wire.command()
        wire.send(b"+fine\r\n+surplus\r\n")
        wire.drain()

    with Peer(script) as peer:
        connection = await connect(peer.url)
        assert await connection.execute("GET", "k") == "fine"
        with pytest.raises(
            (ConnectionClosedError, RemoteProtocolError), match="a reply came that no command asked for"
        ):
            await connection.execute("GET", "k")
        await connection.close()


@everywhere
async def test_quit_ends_after_what_came_before_it(server: Server) -> None:
    connection = await connect(server.url)
    before, leaving = await asyncio.gather(connection.execute("ECHO", "x"), connection.execute("QUIT"))
    assert (before, leaving) == (b"x", "OK")
    await until(lambda: connection.closed)
    await connection.close()


@everywhere
async def test_silence_and_keep_alive(start_server: Callable[..., Server]) -> None:
    server = start_server()
    async with connect(server.url, ping_interval=0.02) as connection:
        before = statistic(server, "total_commands_processed")
        await until(lambda: statistic(server, "total_commands_processed") > before + 30)
        assert await connection.execute("PING") == "PONG"
    async with connect(server.url, silence_timeout=0.1) as connection:
        with server.paused(), pytest.raises(ConnectionLostError, match="owes a reply and has been silent"):
            await connection.execute("PING", timeout=None)


# -- Bytes ----------------------------------------------------------------------------------------------------------------------


class Counting:
    """A transport, and how often it was written to."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.writes = 0
        self._transport = transport

    def write(self, data: bytes) -> None:
        self.writes += 1
        self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


@everywhere
async def test_three_hundred_gets_started_together_are_few_writes(address: str, server: Server) -> None:
    async with connect(address) as connection:
        driver: Any = connection._driver
        counting = driver._transport = Counting(driver._transport)
        await asyncio.gather(*[connection.execute("GET", number) for number in range(300)])
        assert counting.writes <= 2
        for _ in range(9):  # and so it stays: those who were answered together ask together
            await asyncio.gather(*[connection.execute("GET", number) for number in range(300)])
        assert counting.writes <= 20


@everywhere
async def test_a_large_value_each_way_at_once(address: str, server: Server) -> None:
    value = b"large" * (64 * MIB // 5)
    async with connect(address, timeout=None) as connection:
        assert await connection.execute("SET", "k", value) == "OK"
        replies = await asyncio.gather(
            *[
                connection.execute("GET", "k"),
                connection.execute("SET", "other", value),
                connection.execute("GET", "k"),
            ],
            *[connection.execute("ECHO", number) for number in range(100)],
        )
    assert replies[0] == replies[2] == value
    assert replies[1] == "OK"
    assert replies[3:] == [b"%d" % number for number in range(100)]


@everywhere
async def test_a_server_that_does_not_read_gets_no_more_than_the_buffers_hold(
    start_server: Callable[..., Server],
) -> None:
    server = start_server()
    async with connect(server.url, timeout=None) as connection:
        transport = connection._driver._transport
        assert transport is not None
        with server.paused():
            tasks = [asyncio.create_task(connection.execute("SET", "k", bytes(MIB))) for _ in range(50)]
            await asyncio.sleep(0.05)
            assert 0 < transport.get_write_buffer_size() <= 64 * 1024
        assert await asyncio.gather(*tasks) == ["OK"] * 50


@everywhere
async def test_more_than_may_be_in_flight_waits_its_turn(start_server: Callable[..., Server]) -> None:
    server = start_server()
    async with connect(server.url, timeout=None) as connection:
        core = connection._driver.core
        with server.paused():
            tasks = [asyncio.create_task(connection.execute("INCR", "n")) for _ in range(5000)]
            await asyncio.sleep(0.05)
            assert core.in_flight == 1024
        assert await asyncio.gather(*tasks) == list(range(1, 5001))


# -- Where it does not belong ---------------------------------------------------------------------------------------------------


@everywhere
async def test_another_thread_is_told_so(server: Server) -> None:
    async with connect(server.url) as connection:

        def elsewhere(call: Callable[[], Any]) -> None:
            with pytest.raises(LocalProtocolError, match="belongs to the event loop that it was opened in"):
                asyncio.run(call())

        for call in (lambda: connection.execute("INCR", "n"), connection.next_push, connection.close):
            await asyncio.to_thread(elsewhere, call)
        assert await connection.execute("EXISTS", "n") == 0


def test_another_loop_is_told_so(server: Server) -> None:
    with asyncio.Runner() as one, asyncio.Runner() as other:
        connection: Connection = one.run(connect(server.url).__aenter__())
        with pytest.raises(LocalProtocolError, match="EXISTS: this connection belongs to the event loop"):
            other.run(connection.execute("EXISTS", "n"))
        assert one.run(connection.execute("EXISTS", "n")) == 0
        one.run(connection.close())
        other.run(connection.close())  # it is closed, so this is nothing


@everywhere
async def test_one_that_is_dropped_warns_and_is_closed(server: Server) -> None:
    before = open_sockets()
    connection = await connect(server.url)
    await connection.execute("PING")
    with pytest.warns(ResourceWarning, match="<Connection to .*: READY> was not closed"):  # noqa: PT031
        del connection
        gc.collect()
    await until(lambda: open_sockets() <= before)


def test_the_child_of_a_fork_is_told_so(server: Server) -> None:
    program = """
    import asyncio, os, sys
    from resp_asyncio import connect
    from resp_sansio import ConnectionClosedError

    async def main():
        async with connect(sys.argv[1]) as connection:
            child = os.fork()
            if child == 0:
                try:
                    await connection.execute("INCR", "n")
                except ConnectionClosedError as error:
                    print(error, flush=True)
                os._exit(0)
            os.waitpid(child, 0)
            print(await connection.execute("INCR", "n"))

    asyncio.run(main())
    """
    told, count = run_program(program, server.url).splitlines()
    assert "it was opened before a fork, and belongs to the parent process" in told
    assert count == "1"


@everywhere
async def test_connections_leave_nothing_behind(address: str, server: Server) -> None:
    before = open_sockets()
    for _ in range(20):
        async with connect(address) as connection:
            await connection.execute("PING")
    with pytest.raises(CommandTimeoutError):
        async with connect(address) as connection:
            await connection.next_push(timeout=0)
    await until(lambda: open_sockets() <= before)
