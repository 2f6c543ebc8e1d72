"""The nursery of a client: what is done in it lasts as long as the block, whatever is cancelled around it. And forks."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

import pytest
import trio
import trio.testing

import resp_trio
from adapters.peers import PATIENCE, Peer, Wire, listed, run_program
from adapters.runs import in_a_run, until
from resp_sansio import CommandTimeoutError, LocalProtocolError
from resp_trio import Client, connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from servers import Server

pytestmark = pytest.mark.usefixtures("nothing_is_left")
on_both = pytest.mark.parametrize("strategy", ["Client", "Pool"])
WAYS: Final = ("execute", "pipeline", "BLPOP", "acquire", "transact")


async def call(asked: Any, way: str) -> Any:
    """Execute something in this way."""
    if way == "execute":
        return await asked.execute("ECHO", "mine", timeout=5)
    if way == "BLPOP":
        return await asked.execute("BLPOP", "none", 0.01, timeout=5) or b"mine"
    if way == "pipeline":
        async with asked.pipeline(timeout=5) as pipe:
            result = pipe.execute("ECHO", "mine")
        return result.result()
    if way == "acquire":
        async with asked.acquire(timeout=5) as connection:
            return await connection.execute("ECHO", "mine")

    async def update(transaction: Any) -> Any:
        return transaction.execute("ECHO", "mine")

    return (await asked.transact(update, "k", timeout=5)).result()


# -- Cancelled around the block -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", ["nothing open", "open", "cut off"])
@pytest.mark.parametrize("way", WAYS)
@on_both
@in_a_run
async def test_a_shielded_clean_up_is_served_where_all_around_is_cancelled(
    server: Server, strategy: str, way: str, before: str
) -> None:
    """To release a lock in `finally` is the usual way to stop: dials and the clock go on for it, and nothing spins."""
    replies: list[Any] = []
    spent = 0.0
    with trio.CancelScope() as scope:
        async with getattr(resp_trio, strategy)(server.url) as asked:
            if before != "nothing open":
                await call(asked, way)
            try:
                scope.cancel()
                await trio.sleep_forever()
            finally:
                if before == "cut off":
                    server.call("CLIENT", "KILL", "TYPE", "normal")
                with trio.CancelScope(shield=True):
                    spent = time.process_time()
                    replies.append(await call(asked, way))
                    spent = time.process_time() - spent
    assert replies == [b"mine"]
    assert spent < 2


@on_both
@in_a_run
async def test_time_goes_on_where_all_around_is_cancelled(start_server: Callable[..., Server], strategy: str) -> None:
    server = start_server()
    with trio.CancelScope() as scope:
        async with getattr(resp_trio, strategy)(server.url) as asked:
            await asked.execute("PING")
            scope.cancel()
            with trio.CancelScope(shield=True), server.paused(), pytest.raises(CommandTimeoutError):
                await asked.execute("PING", timeout=0.05)


@on_both
@in_a_run
async def test_a_dial_goes_on_when_all_around_is_cancelled(strategy: str) -> None:
    """It serves the next caller: the client is open, and says nothing else."""
    waits = trio.Event()
    token = trio.lowlevel.current_trio_token()

    def script(wire: Wire) -> None:
        token.run_sync_soon(waits.set)
        time.sleep(0.1)
        wire.welcome()
        for _ in wire.commands():
            wire.send(b"+PONG\r\n")

    replies: list[Any] = []
    with Peer(script) as peer:
        with trio.CancelScope() as scope:
            async with getattr(resp_trio, strategy)(peer.url) as asked, trio.open_nursery() as nursery:
                try:
                    nursery.start_soon(asked.execute, "PING")
                    await waits.wait()
                    scope.cancel()
                    await trio.lowlevel.checkpoint()
                finally:
                    with trio.CancelScope(shield=True):
                        replies.append(await asked.execute("PING"))
        assert replies == ["PONG"]
        assert peer.connections == 1


@on_both
@in_a_run
async def test_entered_by_a_task_that_is_cancelled_already(server: Server, strategy: str) -> None:
    replies: list[Any] = []
    with trio.CancelScope() as scope:
        scope.cancel()
        async with getattr(resp_trio, strategy)(server.url) as asked:
            with trio.CancelScope(shield=True):
                replies.append(await asked.execute("PING"))
    assert replies == ["PONG"]


@in_a_run
async def test_a_block_is_entered_once(server: Server) -> None:
    async with Client(server.url) as client:
        with trio.testing.assert_checkpoints(), pytest.raises(LocalProtocolError, match="a Client is entered once"):
            await client.__aenter__()
        assert await client.execute("PING") == "PONG"


# -- What no caller waits for ---------------------------------------------------------------------------------------------------


@on_both
@in_a_run
async def test_what_is_owed_to_callers_that_have_gone_is_read_without_them(server: Server, strategy: str) -> None:
    """So a link that is given back owes nothing for long, and the next caller needs no other."""
    async with getattr(resp_trio, strategy)(server.url) as asked:
        await asked.execute("PING")
        for _ in range(5):
            with trio.move_on_after(0.01):
                await asked.execute("DEBUG", "SLEEP", 0.05)
            await until(lambda: all(not link.core.in_flight for link in asked._driver.machine.links))
            assert await asked.execute("ECHO", "mine") == b"mine"
        assert len(listed(server)) == (3 if strategy == "Client" else 2)  # with the one that asks


@in_a_run
async def test_a_server_that_owes_a_reply_and_is_silent_is_left_though_the_caller_has_gone() -> None:
    asked = threading.Event()

    def deaf(wire: Wire) -> None:
        wire.welcome()
        assert wire.command() == [b"PING"]
        asked.set()
        wire.drain()

    def script(wire: Wire) -> None:
        wire.welcome()
        for _ in wire.commands():
            wire.send(b"+PONG\r\n")

    with Peer(deaf, script) as peer:
        async with Client(peer.url, silence_timeout=0.1) as client:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(client.execute, "PING")
                await until(asked.is_set)
                nursery.cancel_scope.cancel()
            await until(lambda: not client._driver.machine.links)
            assert await client.execute("PING") == "PONG"
        assert peer.connections == 2


@in_a_run
async def test_a_client_is_drained_though_its_callers_have_gone(start_server: Callable[..., Server]) -> None:
    server = start_server()
    async with Client(server.url) as client:
        await client.execute("PING")
        with trio.move_on_after(0.01):
            await client.execute("DEBUG", "SLEEP", 0.1)
        await client.close(60)
        assert trio.current_effective_deadline() - trio.current_time() > PATIENCE - 30
        assert client.closed


# -- Forks ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("adapter", ["asyncio", "uvloop", "trio"])
@pytest.mark.parametrize("strategy", ["Client", "Pool", "connect"])
def test_what_is_given_up_takes_no_element_though_a_child_of_a_fork_lives(
    server: Server, adapter: str, strategy: str
) -> None:
    """The child holds the socket, so its closing alone tells the server nothing."""
    program = """
    import asyncio, os, signal, sys, trio, uvloop
    import resp_asyncio, resp_trio

    url, adapter, strategy = sys.argv[1:]

    def fork():
        child = os.fork()
        if child == 0:
            signal.pause()
        return child

    async def on_asyncio():
        async with getattr(resp_asyncio, strategy)(url) as asked:
            task = asyncio.create_task(asked.execute("BLPOP", "jobs", 0))
            await asyncio.sleep(0.1)
            child = fork()
            task.cancel()
            await asyncio.wait([task])
            await push(resp_asyncio)
            os.kill(child, signal.SIGKILL)

    async def on_trio():
        async with getattr(resp_trio, strategy)(url) as asked:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(asked.execute, "BLPOP", "jobs", 0)
                await trio.sleep(0.1)
                child = fork()
                nursery.cancel_scope.cancel()
            await push(resp_trio)
            os.kill(child, signal.SIGKILL)

    async def push(library):
        async with library.connect(url) as connection:
            await connection.execute("RPUSH", "jobs", "precious")
            print(await connection.execute("LRANGE", "jobs", 0, -1))

    match adapter:
        case "asyncio":
            asyncio.run(on_asyncio())
        case "uvloop":
            uvloop.run(on_asyncio())
        case _:
            trio.run(on_trio)
    """
    assert run_program(program, server.url, adapter, strategy) == "[b'precious']\n"


@on_both
def test_what_was_being_opened_at_a_fork_ends_with_the_parent(strategy: str) -> None:
    """A TLS handshake that is given up: the server sees the end of it, whatever the child does."""
    program = """
    import os, signal, socket, sys, threading, trio, warnings
    import resp_trio

    warnings.filterwarnings("ignore", message=".*fork.*", category=DeprecationWarning)
    listener = socket.create_server(("127.0.0.1", 0))
    seen = []

    def accept():
        connected, _ = listener.accept()
        with connected:
            while data := connected.recv(65536):
                seen.append(data)

    async def main():
        async with getattr(resp_trio, sys.argv[1])(f"rediss://127.0.0.1:{listener.getsockname()[1]}") as asked:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(asked.execute, "PING")
                while not seen:
                    await trio.sleep(0.01)
                child = os.fork()
                if child == 0:
                    signal.pause()
                nursery.cancel_scope.cancel()
        accepting.join(30)
        print("it ended" if not accepting.is_alive() else "it goes on")
        os.kill(child, signal.SIGKILL)

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    trio.run(main)
    listener.close()
    """
    assert run_program(program, strategy) == "it ended\n"


def test_the_child_of_a_fork_holds_no_descriptor_of_its_parents(server: Server) -> None:
    program = """
    import os, sys, trio
    import resp_trio

    def sockets():
        return sum(os.readlink(f"/proc/self/fd/{name}").startswith("socket:") for name in os.listdir("/proc/self/fd")[:-1])

    async def main():
        none = sockets()
        async with resp_trio.Client(sys.argv[1]) as client, resp_trio.connect(sys.argv[1]) as connection:
            await client.execute("PING")
            await client.execute("BLPOP", "none", 0.01)
            assert sockets() == none + 3
            child = os.fork()
            if child == 0:
                print(sockets() - none, flush=True)
                os._exit(0)
            os.waitpid(child, 0)
            print(await client.execute("PING"), await connection.execute("PING"))

    trio.run(main)
    """
    assert run_program(program, server.url) == "0\nPONG PONG\n"


# -- A connection has none ------------------------------------------------------------------------------------------------------


@in_a_run
async def test_a_connection_may_be_held_by_any_task_and_outlive_the_one_that_opened_it(server: Server) -> None:
    held: list[Any] = []

    async def dial() -> None:
        held.append(await connect(server.url))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(dial)
    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(held[0].execute, "PING")
    await held[0].close()
