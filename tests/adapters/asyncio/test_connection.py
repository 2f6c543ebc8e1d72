"""What is resp_asyncio's own, beside the contract: its idioms, its loop, what it hands to transports, what it leaves behind."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import threading
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import ref

import pytest

from adapters.loops import LOOPS, everywhere, open_sockets, until
from adapters.peers import PATIENCE, PROGRAMS, Peer, Wire, run_program
from resp_asyncio import Client, Connection, Pool, connect
from resp_sansio import (
    ConnectError,
    ConnectionClosedError,
    ConnectionLostError,
    LocalProtocolError,
    Outcome,
    Retry,
)
from servers import Certificates

if TYPE_CHECKING:
    from collections.abc import Callable

    from resp_sansio import Credentials
    from servers import Server

MIB = 1024 * 1024


# -- Opening --------------------------------------------------------------------------------------------------------------------


@everywhere
async def test_connect_is_awaited_or_entered(server: Server) -> None:
    connecting = connect(server.url, decode=True)
    assert repr(connecting) == f"<Connecting to 127.0.0.1:{server.port}: to be awaited>"
    connection = await connecting
    async with connection as same:
        assert same is connection
        assert await connection.execute("ECHO", "é") == "é"
    with pytest.raises(ConnectionClosedError, match="PING was not sent"):
        await connection.execute("PING")
    await connection.close()


@everywhere
async def test_a_socket_that_ends_as_the_loop_gets_it_is_closed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """uvloop closes its descriptor; a socket object that still had the number would close what has it next."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.close()

    async def dial(*_: object) -> socket.socket:
        return ours

    monkeypatch.setattr("resp_asyncio._driver.dial", dial)
    with pytest.raises(ConnectError):
        await connect()
    assert ours.fileno() == -1


@everywhere
async def test_the_connect_timeout_covers_credentials(server: Server) -> None:
    async def never() -> str:
        await asyncio.sleep(3600)
        return "secret"

    with pytest.raises(ConnectError, match="no credentials came in time") as caught:
        await connect(server.url, credentials=never, connect_timeout=0.05)
    assert caught.value.transient


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


@everywhere
async def test_a_dial_that_is_cancelled_leaves_no_socket(address: str, server: Server) -> None:
    before = open_sockets()
    for turns in range(20):
        dialling = asyncio.ensure_future(connect(address).__aenter__())
        for _ in range(turns):
            await asyncio.sleep(0)
        dialling.cancel()
        await asyncio.wait([dialling])
        if not dialling.cancelled():  # it was faster
            await dialling.result().close()
    await until(lambda: open_sockets() <= before)


@everywhere
async def test_a_surplus_reply_is_not_the_next_ones_behind_a_call_that_was_given_up() -> None:
    """All in one turn of the loop: it comes, a call waits until it is read and is cancelled, and another one is made."""
    going, said = threading.Event(), threading.Event()

    def script(wire: Wire) -> None:
        wire.welcome()
        wire.command()
        wire.send(b"+first\r\n")
        if not said.is_set():
            assert going.wait(PATIENCE)
            wire.send(b"+surplus\r\n")
            said.set()
        for _ in wire.commands():
            wire.send(b"+second\r\n")

    def hold_up() -> None:
        going.set()
        said.wait(PATIENCE)
        threading.Event().wait(0.01)

    with Peer(script) as peer:
        async with Pool(peer.url, max_size=1, timeout=10) as pool:
            assert await pool.execute("GET", "k") == "first"

            async def give_up_and_ask() -> asyncio.Task[object]:
                given_up.cancel()
                return asyncio.create_task(pool.execute("GET", "k"))

            asyncio.get_running_loop().call_soon(hold_up)
            given_up = asyncio.create_task(pool.execute("GET", "k"))
            assert await (await asyncio.create_task(give_up_and_ask())) == "first"  # of another connection


# -- Ending ---------------------------------------------------------------------------------------------------------------------


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


@everywhere
async def test_close_ends_while_others_call_and_when_it_is_cancelled_itself(address: str, server: Server) -> None:
    for _ in range(5):
        connection = await connect(address)

        async def load(connection: Connection = connection) -> None:
            while True:
                await connection.execute("ECHO", "x" * 1000)

        tasks = [asyncio.create_task(load()) for _ in range(50)]
        await asyncio.sleep(0.01)
        closing = [asyncio.create_task(connection.close()) for _ in range(3)]
        await asyncio.sleep(0)
        closing[0].cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(error, ConnectionLostError | ConnectionClosedError) for error in outcomes)
        await asyncio.gather(*closing, return_exceptions=True)
        await connection.close()


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
        socket: Any = connection._link.io
        counting = socket._transport = Counting(socket._transport)
        await asyncio.gather(*[connection.execute("GET", number) for number in range(300)])
        assert counting.writes <= 2
        for _ in range(9):  # and so it stays: those who were answered together ask together
            await asyncio.gather(*[connection.execute("GET", number) for number in range(300)])
        assert counting.writes <= 20


@everywhere
async def test_a_server_that_does_not_read_gets_no_more_than_the_buffers_hold(
    start_server: Callable[..., Server],
) -> None:
    server = start_server()
    async with connect(server.url, timeout=None) as connection:
        transport = connection._link.io._transport
        with server.paused():
            tasks = [asyncio.create_task(connection.execute("SET", "k", bytes(MIB))) for _ in range(50)]
            await asyncio.sleep(0.05)
            assert 0 < transport.get_write_buffer_size() <= 64 * 1024
        assert await asyncio.gather(*tasks) == ["OK"] * 50


@everywhere
async def test_commands_run_in_the_order_in_which_they_were_made(server: Server) -> None:
    async with connect(server.url) as connection:
        replies = await asyncio.gather(*[connection.execute("INCR", "n") for _ in range(2000)])
    assert replies == list(range(1, 2001))


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


def test_what_is_closed_may_be_closed_once_more_in_another_loop(server: Server) -> None:
    client = Client(server.url)

    async def use() -> None:
        await client.execute("PING")
        await client.close()

    asyncio.run(use())
    asyncio.run(client.close())


@pytest.mark.parametrize("kind", ["Client", "Pool"])
@pytest.mark.parametrize("collected", ["at once", "by the collector"])
def test_one_that_is_dropped_as_its_loop_ends_makes_no_noise(kind: str, collected: str, server: Server) -> None:
    assert run_program(PROGRAMS / "dropped_as_the_loop_ends.py", server.url, kind, collected) == ""


class Held:
    """What a caller holds in its context."""


@pytest.mark.parametrize("kind", ["Client", "Pool", "connect", "subscription"])
@everywhere
async def test_what_callers_hold_in_their_context_is_not_kept_by_a_client(kind: str, server: Server) -> None:
    """Nor by what it does beside their calls: dials, its timer, and what the loop does for its sockets."""
    held: ContextVar[Held] = ContextVar("held")

    async def open_and_use() -> tuple[Any, ref[Held]]:
        mine = Held()
        held.set(mine)
        opens: dict[str, Any] = {"Pool": Pool, "connect": connect}
        made = opens.get(kind, Client)(server.url, timeout=60, ping_interval=30)
        asked = await made if kind == "connect" else made
        await asked.execute("PING")
        await asked.execute("BLPOP", "nothing", 0.01)
        if kind == "subscription":
            async with asked.subscribe("channel"):
                pass
        return asked, ref(mine)

    asked, left = await asyncio.create_task(open_and_use())
    async with asked:
        await asyncio.sleep(0.01)  # the loop itself holds the task's for another turn
        gc.collect()
        assert left() is None


@pytest.mark.parametrize("loop", LOOPS)
def test_a_fork_keeps_no_connection_alive_that_was_being_opened(loop: str) -> None:
    assert run_program(PROGRAMS / "fork_amid_a_tls_dial.py", loop) == "the server sees the end\n"


def test_the_child_of_a_fork_is_told_so(server: Server) -> None:
    told, count = run_program(PROGRAMS / "fork_of_a_connection.py", server.url).splitlines()
    assert "it was opened before a fork, and belongs to the parent process" in told
    assert count == "1"


@pytest.mark.parametrize("amid", ["the credentials", "the look-up", "the handshake"])
@pytest.mark.parametrize("kind", [Client, Pool])
@everywhere
async def test_a_clean_up_is_served_where_all_tasks_are_cancelled_amid_a_dial(
    kind: type[Client | Pool], amid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `asyncio.run` does at its end: the client's own task is cancelled with the others, and the client is open."""
    begun, over = threading.Event(), threading.Event()
    stages: list[str] = [amid]

    async def ask() -> str:
        if stages == ["the credentials"]:
            stages.clear()
            begun.set()
            await asyncio.sleep(PATIENCE)
        return "secret"

    def look_up(*arguments: Any, **options: Any) -> Any:
        if stages == ["the look-up"] and not options["flags"]:  # in a thread of its own
            stages.clear()
            begun.set()
            over.wait(PATIENCE)
        return real(*arguments, **options)

    def script(wire: Wire) -> None:
        if stages == ["the handshake"]:
            stages.clear()
            begun.set()
            over.wait(PATIENCE)
        wire.welcome()
        for _ in wire.commands():
            wire.send(b"+PONG\r\n")

    real = socket.getaddrinfo
    replies: list[Any] = []

    async def work() -> None:
        try:
            await asked.execute("PING")
        finally:
            replies.append(await asked.execute("PING"))

    with Peer(script) as peer:
        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        async with kind(f"redis://localhost:{peer.port}", credentials=ask) as asked:
            task = asyncio.create_task(work())
            await until(begun.is_set)
            for each in asyncio.all_tasks() - {asyncio.current_task()}:
                each.cancel()
            if amid != "the look-up":
                over.set()
            await asyncio.wait([task])
            over.set()
    assert task.cancelled()
    assert replies == ["PONG"]


@everywhere
async def test_a_pipeline_whose_task_is_cancelled_as_it_is_answered_has_its_results(server: Server) -> None:
    async with connect(server.url) as connection:
        pipe = connection.pipeline()
        results = [pipe.execute("INCR", "n"), pipe.execute("INCR", "n")]
        socket: Any = connection._link.io
        task = asyncio.ensure_future(pipe.run())
        await asyncio.sleep(0)

        class Reporting:
            """The machine; once it has told of the answer, the task is cancelled before it runs."""

            def __getattr__(self, name: str) -> Any:
                return getattr(machine, name)

            def receive_data(self, *arguments: Any) -> Any:
                told = machine.receive_data(*arguments)
                asyncio.get_running_loop().call_soon(task.cancel)
                return told

        machine, socket._machine = socket._machine, Reporting()
        await asyncio.wait([task])
        socket._machine = machine
        assert [result.result() for result in results] == [1, 2]
        with pytest.raises(LocalProtocolError, match="run already"):
            await pipe.run()


# -- The end --------------------------------------------------------------------------------------------------------------------


class AnswersOnce:
    """A server of one connection: it answers one command when told to, and resets the connection."""

    def __init__(self, listener: socket.socket, certificates: Certificates | None) -> None:
        self.asked, self._go, self._done = threading.Event(), threading.Event(), threading.Event()
        self._listener = listener
        self._certificates = certificates
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        connection = self._listener.accept()[0]
        if self._certificates is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._certificates.server_certificate, self._certificates.server_key)
            connection = context.wrap_socket(connection, server_side=True)
        wire = Wire(connection)
        wire.welcome()
        wire.command()
        self.asked.set()
        self._go.wait(PATIENCE)
        wire.send(b":1\r\n")
        wire.reset()
        self._done.set()

    def answer(self) -> None:
        """Have it answer, and wait until all of that has happened."""
        self._go.set()
        assert self._done.wait(PATIENCE)


@pytest.mark.parametrize("kind", ["connect", "Client"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
@everywhere
async def test_what_has_come_is_told_though_a_write_fails_before_it_was_read(
    tls: bool, kind: str, tmp_path: Path
) -> None:
    certificates = Certificates.make(tmp_path, ["127.0.0.1"]) if tls else None
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = AnswersOnce(listener, certificates)
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        url = f"redis://{address}" if certificates is None else f"rediss://{address}?tls_ca_file={certificates.ca}"
        open_ = connect(url) if kind == "connect" else Client(url, retry=Retry(attempts=1))
        async with open_ as it:
            first = asyncio.create_task(it.execute("INCR", "first"))
            await until(server.asked.is_set)
            second = asyncio.create_task(it.execute("INCR", "second"))
            await asyncio.sleep(0)  # it is queued, to go out in the next turn of the loop
            server.answer()  # the loop is busy; meanwhile the answer and the end come
            replies = await asyncio.gather(first, second, return_exceptions=True)
    assert replies[0] == 1
    assert isinstance(replies[1], ConnectionLostError)
