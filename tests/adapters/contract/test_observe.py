"""The contract of observers: what they are told, where, and in which order; and that nothing they do harms a call."""

from __future__ import annotations

import os
import socket
import textwrap
import threading
import time
from asyncio import CancelledError
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import trio

import resp_sync
from adapters.backends import Backend, contract, contract_of_tasks
from adapters.peers import PATIENCE, Peer, Wire, run_program, together
from core.client.notes import Notes
from resp_sansio import (
    CallBegan,
    CallEnded,
    CallRetried,
    CloseReason,
    CommandTimeoutError,
    ConnectError,
    ConnectionStats,
    DialFailed,
    LinkClosed,
    LinkOpened,
    Observer,
    Outcome,
    PoolFullError,
    PushesDropped,
    ReplyDropped,
    ReplyError,
    RespError,
    Retry,
    UseEnded,
    WaitEnded,
)

if TYPE_CHECKING:
    from resp_asyncio import Client
    from servers import Server

pytestmark = pytest.mark.usefixtures("nothing_is_left")

PROTOCOLS = pytest.mark.parametrize("protocol", [2, 3], ids=["RESP2", "RESP3"])


@PROTOCOLS
@contract
async def test_calls_of_a_client_are_told_with_what_they_took(
    backend: Backend, server: Server, address: str, protocol: Any
) -> None:
    notes = Notes()
    async with backend.client(address, observers=[notes], protocol=protocol) as client:
        await client.set("k", "v")
        assert await client.get("k") == b"v"
        with pytest.raises(ReplyError):
            await client.lpush("k", "v")
        async with client.pipeline() as pipe:
            pipe.get("k")
            pipe.get("missing")
        async with client.transaction() as both:
            both.get("k")
            both.lpush("k", "v")
        await client.execute("BLPOP", "nothing", 0.01)
        async with client.acquire() as own:
            await own.get("k")
    ended = notes.of(CallEnded)
    assert not notes.under_way
    assert [(call.command, call.commands, call.batch_size, call.route, call.error_code) for call in ended] == [
        ("SET", ("SET",), 1, "lane", None),
        ("GET", ("GET",), 1, "lane", None),
        ("LPUSH", ("LPUSH",), 1, "lane", "WRONGTYPE"),
        ("PIPELINE", ("GET", "GET"), 2, "lane", None),
        ("MULTI", ("GET", "LPUSH"), 2, "lane", "WRONGTYPE"),
        ("BLPOP", ("BLPOP",), 1, "lease", None),
        ("GET", ("GET",), 1, "connection", None),
    ]
    for call in ended:
        assert (call.outcome, call.attempts, call.abandoned) == (Outcome.REPLY, 1, False)
        assert call.network is not None
        assert call.database == 0
    tls = address.startswith("rediss")
    assert [call.bytes_received for call in ended[1:3]] == ([None, None] if tls else [7, 68])
    assert ended[1].bytes_sent == len(b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n")
    assert [(wait.ended, wait.error) for wait in notes.of(WaitEnded)] == [("granted", None)]
    await backend.until(lambda: len(notes.of(LinkClosed)) == 2)  # it is told in a later turn
    opened = notes.of(LinkOpened)
    assert [(link.number, link.route, link.protocol) for link in opened] == [
        (1, "lane", protocol),
        (2, "lease", protocol),
    ]
    for link in opened:
        assert (link.tls is not None) == tls
        assert link.name is not None
        assert link.dial is not None
        assert link.peer is not None
    closed = sorted(notes.of(LinkClosed), key=lambda link: link.number)
    assert [(link.number, link.reason, link.commands) for link in closed] == [
        (1, CloseReason.CLOSED, 5),
        (2, CloseReason.CLOSED, 2),
    ]


@contract
async def test_calls_of_a_pool_and_of_a_connection_are_told(backend: Backend, server: Server) -> None:
    notes = Notes()
    async with backend.pool(server.url, observers=[notes]) as pool:
        await pool.set("k", "v")
        await backend.together(*[lambda: pool.get("k")] * 5)
    assert {call.route for call in notes.of(CallEnded)} == {"lease"}
    assert len(notes.of(CallEnded)) == 6
    await backend.until(lambda: len(notes.of(LinkOpened)) == len(notes.of(LinkClosed)))
    notes = Notes()
    async with backend.connect(server.url, observers=[notes]) as connection:
        await backend.together(*[lambda: connection.get("k")] * 5)
    assert [call.route for call in notes.of(CallEnded)] == ["connection"] * 5
    await backend.until(lambda: [link.reason for link in notes.of(LinkClosed)] == [CloseReason.CLOSED])
    assert not notes.under_way


class Raises(Observer):
    """It raises at the call of this number."""

    def __init__(self, method: str) -> None:
        self.told = 0
        self.method = method

    def call_began(self, call: CallBegan) -> object:  # noqa: ARG002
        self._tell("began")
        return None

    def call_ended(self, call: CallEnded, token: object) -> None:  # noqa: ARG002
        self._tell("ended")

    def link_closed(self, link: LinkClosed) -> None:  # noqa: ARG002
        self._tell("closed")

    def _tell(self, method: str) -> None:
        self.told += 1
        if method == self.method:
            raise ValueError(f"from {method}")


@pytest.mark.parametrize("method", ["began", "ended", "closed"])
@contract
async def test_an_observer_that_raises_is_dropped_and_harms_no_call(
    backend: Backend, server: Server, method: str
) -> None:
    raises, notes = Raises(method), Notes()

    async def use() -> None:
        async with backend.client(server.url, observers=[raises, notes]) as client:
            await client.set("k", "v")
            assert await client.get("k") == b"v"
        await backend.until(lambda: len(notes.of(LinkClosed)) == 1)

    with pytest.warns(RuntimeWarning, match=f"Raises raised ValueError .*nothing more: from {method}"):
        await use()
    assert raises.told == {"began": 1, "ended": 2, "closed": 5}[method]
    assert [call.command for call in notes.of(CallEnded)] == ["SET", "GET"]


@contract_of_tasks
async def test_an_observer_of_connections_ends_no_loop_whatever_it_raises(backend: Backend, server: Server) -> None:
    class OddError(BaseException):
        pass

    class Odd(Observer):
        def link_opened(self, link: LinkOpened) -> None:  # noqa: ARG002
            raise OddError

    with pytest.warns(RuntimeWarning, match="Odd raised OddError in link_opened, and is told nothing more"):  # noqa: PT031
        async with backend.client(server.url, observers=[Odd()]) as client:
            await client.set("k", "v")
            assert await client.get("k") == b"v"
            await backend.sleep(0.01)  # it is told soon


def lane(client: Client) -> ConnectionStats:
    """What the lane's connection has counted."""
    counts = client.stats().lanes[0].connection
    assert counts is not None
    return counts


def kill_all(server: Server) -> None:
    """End all connections of clients."""
    with resp_sync.connect(server.url) as connection:
        connection.execute("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


# -- what went wrong -------------------------------------------------------------------------------------------------------------


@contract
async def test_an_attempt_that_is_repeated_is_told_with_its_cause(backend: Backend) -> None:
    def serve(wire: Wire) -> None:
        wire.welcome()
        assert wire.command() == [b"GET", b"k"]
        wire.send(b"-LOADING Redis is loading the dataset in memory\r\n")
        assert wire.command() == [b"GET", b"k"]
        wire.send(b"$1\r\nv\r\n")
        wire.drain()

    notes = Notes()
    with Peer(serve) as peer:
        async with backend.client(peer.url, observers=[notes]) as client:
            assert await client.get("k") == b"v"
            assert client.stats().retries == 1
    retry, ended = notes.of(CallRetried)[0], notes.of(CallEnded)[0]
    assert notes.all.index(ended) == notes.all.index(retry) + 1
    assert isinstance(retry.cause, ReplyError)
    assert (retry.command, retry.attempt, ended.attempts, ended.error) == ("GET", 1, 2, None)
    assert retry.after <= ended.queued


@contract
async def test_calls_that_are_not_waited_for_are_told_and_their_replies_when_they_come(backend: Backend) -> None:
    goes_on = threading.Event()

    def serve(wire: Wire) -> None:
        wire.welcome()
        assert wire.command() == [b"GET", b"k"]
        assert wire.command() == [b"GET", b"l"]
        goes_on.wait(PATIENCE)
        wire.send(b"$1\r\nv\r\n$1\r\nw\r\n")
        assert wire.command() == [b"GET", b"m"]
        wire.send(b"$1\r\nx\r\n")
        wire.drain()

    notes = Notes()
    with Peer(serve) as peer:
        async with backend.client(peer.url, observers=[notes]) as client:
            with pytest.raises(CommandTimeoutError):
                await client.execute("GET", "k", timeout=0.2)
            async with backend.cancelled(partial(client.get, "l")):
                await backend.until(lambda: lane(client).in_flight == 2)
            goes_on.set()
            await backend.until(lambda: len(notes.of(CallEnded)) == 2)
            assert await client.get("m") == b"x"
            await backend.until(lambda: len(notes.of(ReplyDropped)) == 2)
    late, gone, last = notes.of(CallEnded)
    assert (late.abandoned, late.outcome, type(late.error)) == (True, Outcome.MAYBE_EXECUTED, CommandTimeoutError)
    assert (gone.abandoned, gone.outcome) == (True, Outcome.MAYBE_EXECUTED)
    assert isinstance(gone.error, (CancelledError, trio.Cancelled, KeyboardInterrupt))
    assert (last.abandoned, last.outcome, last.error) == (False, Outcome.REPLY, None)
    assert [reply.command for reply in notes.of(ReplyDropped)] == ["GET", "GET"]


@contract
async def test_a_dial_that_fails_is_told_with_the_step_that_failed(backend: Backend, server: Server) -> None:
    def fails() -> str:
        raise LookupError("no secret")

    def refuses(wire: Wire) -> None:
        wire.send(b"-ERR this is no TLS\r\n")
        wire.drain()

    ways: list[tuple[str, dict[str, Any], str]] = [
        (server.url, {"credentials": fails}, "credentials"),
        (server.url, {"username": "nobody", "password": "hunter2"}, "handshake"),
    ]
    with Peer(refuses) as peer, socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # and does not listen: no other gets this port meanwhile
        ways.append((f"redis://127.0.0.1:{deaf.getsockname()[1]}", {}, "dial"))
        ways.append((peer.url.replace("redis", "rediss"), {}, "tls"))
        for way in ways:
            await _fail(backend, *way)


async def _fail(backend: Backend, url: str, options: dict[str, Any], step: str) -> None:
    """A dial fails at this step."""
    notes = Notes()
    async with backend.client(url, observers=[notes], retry=Retry(attempts=1), **options) as client:
        with pytest.raises((ConnectError, LookupError)):
            await client.get("k")
        await backend.until(lambda: bool(notes.of(DialFailed)))
    failed, ended = notes.of(DialFailed)[0], notes.of(CallEnded)[0]
    assert (failed.step, failed.route) == (step, "lane")
    assert failed.error is not None
    assert "hunter2" not in str(failed.error)
    assert (ended.outcome, ended.network, ended.route) == (Outcome.NOT_SENT, None, "lane")
    assert type(ended.error) is type(failed.error)


@contract
async def test_a_connection_that_ends_is_told_with_its_reason(backend: Backend, server: Server) -> None:
    notes = Notes()
    async with backend.client(server.url, observers=[notes]) as client:
        await client.get("k")
        kill_all(server)
        await client.get("k")
        await backend.until(lambda: len(notes.of(LinkClosed)) == 1)
        assert [link.reason for link in notes.of(LinkClosed)] == [CloseReason.LOST]
        assert [link.number for link in notes.of(LinkOpened)] == [1, 2]


@contract
async def test_pushes_that_no_caller_can_hear_are_told(backend: Backend) -> None:
    def serve(wire: Wire) -> None:
        wire.welcome()
        wire.command()
        wire.send(b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n" * 3 + b"$1\r\nv\r\n")
        wire.drain()

    notes = Notes()
    with Peer(serve) as peer:
        async with backend.client(peer.url, observers=[notes]) as client:
            assert await client.get("k") == b"v"
            await backend.until(lambda: sum(dropped.pushes for dropped in notes.of(PushesDropped)) == 3)
            assert lane(client).dropped_pushes == 3


@contract
async def test_waits_for_a_connection_are_told_however_they_end(backend: Backend, server: Server) -> None:
    notes = Notes()
    async with backend.pool(server.url, max_size=1, max_waiting=1, observers=[notes]) as pool:

        async def borrow(timeout: float | None = None) -> None:
            async with pool.acquire(timeout=timeout):
                pass

        async with pool.acquire():
            with pytest.raises(CommandTimeoutError):
                await borrow(0.05)
            async with backend.cancelled(borrow):
                await backend.until(lambda: pool.stats().waiting == 1)
                with pytest.raises(PoolFullError):
                    await borrow()
    granted, late, full, gone = notes.of(WaitEnded)
    assert [wait.ended for wait in (granted, late, full, gone)] == ["granted", "refused", "refused", "withdrawn"]
    assert [type(wait.error) for wait in (late, full)] == [CommandTimeoutError, PoolFullError]
    assert late.waited >= 0.04
    (use,) = notes.of(UseEnded)
    assert (use.address, use.number) == (f"127.0.0.1:{server.port}", 1)
    assert use.used >= late.waited


@contract
async def test_a_use_is_told_by_its_borrower_however_the_connection_ends(backend: Backend, server: Server) -> None:
    notes = Notes()
    async with backend.client(server.url, observers=[notes]) as client:
        async with client.acquire() as own:
            await own.ping()
        async with client.acquire() as own:
            kill_all(server)
            with pytest.raises(RespError):
                await own.ping()
        await client.execute("BLPOP", "nothing", 0.01)  # what is lent for a call alone is no use of a caller's
    assert [use.number for use in notes.of(UseEnded)] == [1, 1]
    assert len(notes.of(WaitEnded)) == 2


# -- where they are told ---------------------------------------------------------------------------------------------------------


whose: ContextVar[str] = ContextVar("whose", default="no caller's")


class Sees(Observer):
    """It notes in whose context it is told."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, object]] = []

    def call_began(self, call: CallBegan) -> object:
        self.seen.append((whose.get(), call.command))
        return whose.get()

    def call_ended(self, call: CallEnded, token: object) -> None:  # noqa: ARG002
        self.seen.append((whose.get(), token))


@contract_of_tasks
async def test_a_call_is_told_in_its_callers_context_though_all_share_a_write(backend: Backend, server: Server) -> None:
    sees = Sees()
    async with backend.client(server.url, observers=[sees]) as client:
        await client.get("k")
        sees.seen.clear()

        async def call(name: str) -> None:
            whose.set(name)
            await client.get("k")

        await backend.together(*[partial(call, name) for name in "abc"])
    assert sorted(sees.seen[:3]) == [("a", "GET"), ("b", "GET"), ("c", "GET")]
    assert sorted(sees.seen[3:]) == [("a", "a"), ("b", "b"), ("c", "c")]


@contract
async def test_several_observers_are_told_in_their_order_and_each_has_its_own_token(
    backend: Backend, server: Server
) -> None:
    told: list[object] = []

    class Named(Observer):
        def __init__(self, name: str) -> None:
            self.name = name

        def call_began(self, call: CallBegan) -> object:
            told.append((self.name, call.command))
            return self.name

        def call_ended(self, call: CallEnded, token: object) -> None:
            told.append((self.name, call.command, token))

    async with backend.client(server.url, observers=[Named("a"), Named("b")]) as client:
        await client.get("k")
    assert told == [("a", "GET"), ("b", "GET"), ("a", "GET", "a"), ("b", "GET", "b")]


def test_an_observer_of_threads_may_be_slow_and_call_back_and_nothing_waits_for_ever(server: Server) -> None:
    """Each of its calls is told as well: it makes one at a time."""
    seen: list[object] = []
    inside: ContextVar[bool] = ContextVar("inside", default=False)

    class Calls(Observer):
        def _call(self) -> None:
            time.sleep(0.005)
            if not inside.get():
                inside.set(True)
                seen.append(client.get("k"))
                inside.set(False)

        def call_began(self, call: CallBegan) -> object:  # noqa: ARG002
            self._call()
            return None

        def call_ended(self, call: CallEnded, token: object) -> None:  # noqa: ARG002
            self._call()

        def link_closed(self, link: LinkClosed) -> None:  # noqa: ARG002
            if not client.closed:
                self._call()

    with resp_sync.Client(server.url, observers=[Calls()]) as client:
        client.set("k", "v")

        def work() -> None:
            for _ in range(5):
                assert client.get("k") == b"v"

        together(*[work] * 4, partial(kill_all, server))
    assert len(seen) >= 40
    assert set(seen) <= {b"v", None}


def test_a_call_of_threads_is_told_in_its_callers_thread(server: Server) -> None:
    seen: list[tuple[int, object]] = []

    class Threads(Observer):
        def call_began(self, call: CallBegan) -> object:  # noqa: ARG002
            return threading.get_ident()

        def call_ended(self, call: CallEnded, token: object) -> None:  # noqa: ARG002
            seen.append((threading.get_ident(), token))

    with resp_sync.Client(server.url, observers=[Threads()]) as client:

        def work() -> None:
            for _ in range(50):
                client.get("k")

        together(*[work] * 4)
    assert all(one == other for one, other in seen)
    assert len({one for one, _ in seen}) == 4


FORKS = """
    import os, sys
    from resp_sansio import Observer
    import {adapter} as adapter
    {imports}
    class Counts(Observer):
        def __init__(self):
            self.told = []
        def call_ended(self, call, token):
            self.told.append((call.command, call.error))
        def link_opened(self, link):
            self.told.append(link.number)
        def use_ended(self, use):
            self.told.append("use")
    counts = Counts()
    {use}
"""
THREADS = """
    client = adapter.Client(sys.argv[1], observers=[counts])
    client.ping()
    counts.told.clear()
    child = os.fork()
    client.ping()
    client.close()
    assert counts.told == ([1] if child == 0 else []) + [("PING", None)], counts.told
    if child == 0:
        os._exit(7)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
LENT = """
    client = adapter.Client(sys.argv[1], observers=[counts])
    with client.acquire():
        child = os.fork()
    assert counts.told == [1] + [[], ["use"]][child > 0], counts.told
    client.close()
    if child == 0:
        os._exit(7)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
TASKS = """
    client = adapter.Client(sys.argv[1], observers=[counts])
    async def use():
        await client.ping()
        await client.close()
    async def main():
        await client.ping()
        counts.told.clear()
        child = os.fork()
        if child == 0:
            asyncio.run(use())
            os._exit(7 if counts.told == [1, ("PING", None)] else 8)
        await use()
        assert counts.told == [("PING", None)], counts.told
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    asyncio.run(main())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize(
    ("adapter", "imports", "use"),
    [("resp_sync", "", THREADS), ("resp_sync", "", LENT), ("resp_asyncio", "import asyncio", TASKS)],
)
def test_after_a_fork_the_child_tells_its_own_copies_of_the_same_observers(
    server: Server, adapter: str, imports: str, use: str
) -> None:
    program = textwrap.dedent(FORKS).format(adapter=adapter, imports=imports, use=textwrap.dedent(use).strip("\n"))
    assert run_program(program, server.url) == "7\n"
