"""Bytes, ends and places on resp_trio: what is counted, what waits for what, and where a connection does not belong."""

from __future__ import annotations

import gc
import random
import threading
from typing import TYPE_CHECKING, Any, Final

import pytest
import trio
import trio.testing

from adapters.loops import open_sockets
from adapters.peers import PATIENCE, Faults, Peer, Proxy, Wire, run_program
from adapters.runs import in_a_run, until
from resp_sansio import ConnectionClosedError, ConnectionLostError, LocalProtocolError, Outcome
from resp_trio import Connection, connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from servers import Server

MIB: Final = 1024 * 1024


class Counting:
    """A socket, and how often something was sent and received by it."""

    def __init__(self, io: Any) -> None:
        self.sends = self.receives = 0
        self._send, self._recv = io._send, io._recv
        io._send, io._recv = self.send, self.recv

    def send(self, data: bytes) -> Any:
        self.sends += 1
        return self._send(data)

    def recv(self, size: int) -> Any:
        self.receives += 1
        return self._recv(size)


def count(connection: Connection) -> Counting:
    return Counting(connection._link.io)


async def many(connection: Connection, tasks: int, each: int = 1) -> None:
    async def work(name: int) -> None:
        for _ in range(each):
            assert await connection.execute("ECHO", name) == b"%d" % name

    async with trio.open_nursery() as nursery:
        for name in range(tasks):
            nursery.start_soon(work, name)


# -- Sends and receives ---------------------------------------------------------------------------------------------------------


@in_a_run
async def test_three_hundred_calls_started_together_are_few_sends(address: str, server: Server) -> None:
    async with connect(address) as connection:
        counting = count(connection)
        await many(connection, 300)
        assert counting.sends <= 2
        for tasks, each in ((300, 20), (10, 100)):  # and so it stays: those who were answered together ask together
            before = counting.sends
            await many(connection, tasks, each)
            assert counting.sends - before <= each * 1.2


@in_a_run
async def test_one_task_alone_sends_at_once_and_receives_once(server: Server) -> None:
    async with connect(server.url) as connection:
        counting = count(connection)
        for _ in range(50):
            await connection.execute("PING")
        assert (counting.sends, counting.receives) == (50, 50)


@in_a_run
async def test_a_task_alone_after_a_crowd_is_served_as_before(server: Server) -> None:
    async with connect(server.url) as connection:
        await many(connection, 10)
        for _ in range(3):
            with trio.testing.assert_checkpoints():
                await connection.execute("PING")
        assert not connection._link.io.crowd


# -- Both ways ------------------------------------------------------------------------------------------------------------------


@in_a_run
async def test_a_task_alone_reads_while_its_own_write_waits() -> None:
    """The server wants to be rid of a large reply before it reads on."""
    value = random.randbytes(7 * MIB)

    def script(wire: Wire) -> None:
        wire.welcome()
        assert wire.command() == [b"GET", b"k"]
        wire.send(b"$%d\r\n%s\r\n" % (len(value), value))
        assert wire.command() == [b"SET", b"k", value]
        wire.send(b"+OK\r\n")
        wire.drain()

    with Peer(script, receive_buffer=4096) as peer:
        async with connect(peer.url) as connection:
            pipe = connection.pipeline()
            got, stored = pipe.execute("GET", "k"), pipe.execute("SET", "k", value)
            await pipe.run()
            assert got.result() == value
            assert stored.result() == "OK"


@in_a_run
async def test_who_leads_learns_that_a_write_waits() -> None:
    """A second task's command does not fit while the first one only reads: reading and writing both go on."""
    value = random.randbytes(7 * MIB)

    def script(wire: Wire) -> None:
        wire.welcome()
        assert wire.command() == [b"GET", b"k"]
        assert wire.command() == [b"SET", b"k", value]
        wire.send(b"$%d\r\n%s\r\n+OK\r\n" % (len(value), value))
        wire.drain()

    replies: list[object] = []
    with Peer(script, receive_buffer=4096) as peer:
        async with connect(peer.url, timeout=None) as connection, trio.open_nursery() as nursery:

            async def ask(*words: str | bytes) -> None:
                replies.append(await connection.execute(*words))

            nursery.start_soon(ask, "GET", "k")
            await trio.testing.wait_all_tasks_blocked()
            nursery.start_soon(ask, "SET", "k", value)
    assert sorted(replies, key=str) == [value, "OK"] or sorted(replies, key=str) == ["OK", value]


@in_a_run
async def test_large_values_each_way_at_once(address: str, server: Server) -> None:
    value = b"large" * (16 * MIB // 5)
    async with connect(address, timeout=None) as connection:

        async def work(name: int) -> None:
            for _ in range(3):
                assert await connection.execute("SET", name, value) == "OK"
                assert await connection.execute("GET", name) == value
                assert await connection.execute("ECHO", name) == b"%d" % name

        async with trio.open_nursery() as nursery:
            for name in range(3):
                nursery.start_soon(work, name)


@in_a_run
async def test_others_have_their_turn_while_a_large_reply_comes(address: str, server: Server) -> None:
    server.call("SETRANGE", "value", 32 * MIB, "x")
    async with connect(address) as connection, trio.open_nursery() as nursery:
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                await trio.lowlevel.checkpoint()
                turns += 1

        nursery.start_soon(others)
        await connection.execute("GET", "value")
        assert turns >= 32
        nursery.cancel_scope.cancel()


@in_a_run
async def test_no_more_than_may_be_in_flight_is_handed_over(start_server: Callable[..., Server]) -> None:
    server = start_server()
    async with connect(server.url, timeout=None) as connection, trio.open_nursery() as nursery:
        with server.paused():
            for _ in range(3000):
                nursery.start_soon(connection.execute, "INCR", "n")
            await trio.testing.wait_all_tasks_blocked()
            assert connection._link.core.in_flight == 1024
    assert server.call("GET", "n") == b"3000"


# -- Ends -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["close", "reset"])
@in_a_run
async def test_everyone_who_waits_is_told_of_the_end(server: Server, end: Any) -> None:
    told: list[BaseException] = []
    with Proxy(server.port) as proxy:
        async with connect(proxy.url) as connection:
            proxy.arm(down=Faults(after=0, then=end))
            async with trio.open_nursery() as nursery:

                async def wait(call: Callable[[], Any]) -> None:
                    with pytest.raises(ConnectionLostError) as caught:
                        await call()
                    told.append(caught.value)

                for _ in range(10):
                    nursery.start_soon(wait, lambda: connection.execute("INCR", "n"))
                nursery.start_soon(wait, connection.next_push)
            assert connection.closed
            assert connection._link.io.connected.fileno() == -1
            with pytest.raises(ConnectionClosedError):
                await connection.execute("PING")
    assert len(told) == 11
    assert len(set(map(id, told))) == 11


@pytest.mark.parametrize("stuck", [False, True])
@in_a_run
async def test_close_wakes_whoever_waits(stuck: bool) -> None:
    release = threading.Event()

    def script(wire: Wire) -> None:
        wire.welcome()
        assert release.wait(PATIENCE)

    outcomes: list[Outcome] = []
    with Peer(script, receive_buffer=4096) as peer:
        connection = await connect(peer.url, timeout=None)
        async with trio.open_nursery() as nursery:

            async def wait(*words: str | bytes) -> None:
                with pytest.raises(ConnectionLostError, match="the connection was closed") as caught:
                    await connection.execute(*words)
                outcomes.append(caught.value.outcome)

            nursery.start_soon(wait, "SET", "k", bytes((16 * MIB) if stuck else 1))
            await until(lambda: connection._link.io.leader is not None)
            nursery.start_soon(wait, "INCR", "n")
            await trio.testing.wait_all_tasks_blocked()
            await connection.close()
        release.set()
    assert outcomes == [Outcome.NOT_SENT if stuck else Outcome.MAYBE_EXECUTED] * 2


@in_a_run
async def test_an_idle_connection_that_was_closed_is_noticed_before_the_next_call(server: Server) -> None:
    async with connect(server.url) as connection:
        number = await connection.execute("CLIENT", "ID")
        assert isinstance(number, int)
        server.call("CLIENT", "KILL", "ID", number)
        await trio.sleep(0.02)
        assert not connection.closed  # nobody was there to see it
        with pytest.raises(ConnectionClosedError, match="INCR was not sent: .* the server closed the connection"):
            await connection.execute("INCR", "n")


# -- Where it does not belong ---------------------------------------------------------------------------------------------------

BELONGS: Final = "this connection belongs to the run of trio that it was opened in"


@in_a_run
async def test_another_thread_is_told_so(server: Server) -> None:
    async with connect(server.url) as connection:

        def elsewhere(call: Callable[[], Any]) -> None:
            with pytest.raises(LocalProtocolError, match=BELONGS):
                trio.run(call)

        pipe = connection.pipeline()
        pipe.execute("INCR", "n")
        for call in (lambda: connection.execute("INCR", "n"), connection.next_push, connection.close, pipe.run):
            await trio.to_thread.run_sync(elsewhere, call)
        assert await connection.execute("EXISTS", "n") == 0


def test_another_run_is_told_so(server: Server) -> None:
    async def dial() -> Connection:
        return await connect(server.url)

    connection = trio.run(dial)
    with pytest.raises(LocalProtocolError, match=BELONGS):
        trio.run(connection.execute, "PING")
    with pytest.raises(RuntimeError, match="async context"):
        connection.execute("PING").send(None)
    connection._link.core.abort()
    connection._driver.drop()
    connection._link.ended = True  # or it would warn


@in_a_run
async def test_one_that_is_dropped_warns_and_is_closed(address: str, server: Server) -> None:
    before = open_sockets()
    connection = await connect(address)
    await connection.execute("PING")
    with pytest.warns(ResourceWarning, match="<Connection to .*: READY> was not closed"):  # noqa: PT031
        del connection
        gc.collect()
    await until(lambda: open_sockets() <= before)


def test_the_child_of_a_fork_is_told_so(server: Server) -> None:
    program = """
    import os, sys, trio
    from resp_trio import connect
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

    trio.run(main)
    """
    told, counted = run_program(program, server.url).splitlines()
    assert "it was opened before a fork, and belongs to the parent process" in told
    assert counted == "1"


@in_a_run
async def test_connections_leave_nothing_behind(address: str, server: Server) -> None:
    before = open_sockets()
    for _ in range(20):
        async with connect(address) as connection:
            await many(connection, 3)
    await until(lambda: open_sockets() <= before)
