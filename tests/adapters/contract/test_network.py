"""The contract with the network at its worst: what ends a connection, what only delays it, and what each call is told."""

from __future__ import annotations

import socket
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import pytest

from adapters.backends import Backend, contract, contract_of_tasks, seeded, told
from adapters.peers import GARBAGE, PATIENCE, Faults, Peer, Proxy, Wire, calls, segments, statistic
from resp_sansio import (
    CommandTimeoutError,
    Config,
    ConnectionClosedError,
    ConnectionLostError,
    InvalidReplyError,
    Outcome,
    RemoteProtocolError,
)
from resp_sansio.config import socket_options

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from resp_asyncio import Connection
    from servers import Server

MIB = 1024 * 1024
UNKNOWN = "it may have been executed: its reply was not seen"


async def lost(connection: Connection, *args: Any) -> ConnectionLostError:
    """The error of a call that must lose its connection; after it the connection is closed for ever, and says why."""
    with pytest.raises(ConnectionLostError) as caught:
        await connection.execute(*args, timeout=None)
    error = caught.value
    assert connection.closed
    cause = told(error).removeprefix(f"{args[0]}: ").removesuffix(f"; {error.outcome.value}")
    with pytest.raises(ConnectionClosedError) as closed:
        await connection.execute("PING")
    assert told(closed.value).startswith("PING was not sent: the connection to 127.0.0.1:")
    assert told(closed.value).endswith(f" has ended: {cause}")
    return error


def after_one_command(then: Callable[[Wire], object]) -> Callable[[Wire], None]:
    """A peer that accepts the connection, reads one command and then does this."""

    def script(wire: Wire) -> None:
        wire.welcome()
        wire.command()
        then(wire)

    return script


# -- The end ------------------------------------------------------------------------------------------------------------------


@contract
async def test_the_end_of_the_stream(backend: Backend) -> None:
    with Peer(after_one_command(lambda wire: wire.close())) as peer:
        async with backend.connect(peer.url) as connection:
            error = await lost(connection, "INCR", "n")
    assert (type(error), error.outcome) == (ConnectionLostError, Outcome.MAYBE_EXECUTED)
    assert told(error) == f"INCR: the server closed the connection; {UNKNOWN}"


@contract
async def test_a_reset(backend: Backend) -> None:
    with Peer(after_one_command(lambda wire: wire.reset())) as peer:
        async with backend.connect(peer.url) as connection:
            error = await lost(connection, "INCR", "n")
    assert (type(error), error.outcome) == (ConnectionLostError, Outcome.MAYBE_EXECUTED)
    assert "Connection reset by peer" in str(error)


@pytest.mark.parametrize("kind", ["connect", "client"])
@pytest.mark.parametrize(("over", "end"), [("TCP", "close"), ("TCP", "reset"), ("unix", "close")])
@contract_of_tasks
async def test_a_reply_that_came_before_a_write_failed_is_told(
    backend: Backend, socket_folder: Path, over: str, end: str, kind: str
) -> None:
    """The server answers and ends, and nothing of it is read before the next command is written."""

    def script(wire: Wire) -> None:
        wire.welcome()
        for words in wire.commands():
            wire.send(b"+PONG\r\n" if words == [b"PING"] else b":1\r\n")
            if words != [b"PING"]:
                break
        getattr(wire, end)()

    with Peer(script, path=socket_folder / "peer" if over == "unix" else None) as peer:
        async with getattr(backend, kind)(peer.url, timeout=5) as asked:
            await asked.execute("PING")

            async def block() -> None:
                await backend.sleep(0)
                threading.Event().wait(0.05)

            one, _, other, _ = await backend.together(
                partial(asked.execute, "INCR", "n"), block, partial(asked.execute, "INCR", "m"), block
            )
    assert 1 in (one, other)  # whichever was sent first


@contract
async def test_a_connection_that_was_killed_while_idle(backend: Backend, server: Server) -> None:
    async with backend.connect(f"{server.url}?client_name=idle") as connection:
        mine = await connection.execute("CLIENT", "ID")
        assert isinstance(mine, int)
        server.call("CLIENT", "KILL", "ID", mine)
        await backend.sleep(0.02)
        with pytest.raises(ConnectionClosedError) as caught:
            await connection.execute("INCR", "n")
        ended = f"the connection to 127.0.0.1:{server.port} has ended: the server closed the connection"
        assert told(caught.value) == f"INCR was not sent: {ended}"
        assert caught.value.outcome is Outcome.NOT_SENT
    assert server.call("GET", "n") is None


@contract
async def test_everyone_who_waits_is_told(backend: Backend, start_server: Callable[..., Server]) -> None:
    server = start_server()
    async with backend.connect(server.url) as connection:

        async def crash() -> None:
            await backend.until(lambda: statistic(server, "blocked_clients") > 0)
            await backend.sleep(0.05)  # for the others to be behind it
            server.kill()

        *errors, _ = await backend.together(*[partial(connection.execute, "BLPOP", "k", 0)] * 20, crash)
        assert {(type(error), error.outcome) for error in errors} == {(ConnectionLostError, Outcome.MAYBE_EXECUTED)}
        assert len({str(error) for error in errors}) == 1


@contract
async def test_a_half_close_is_an_end(backend: Backend, server: Server) -> None:
    """The server says nothing more; what is asked of it then could never be answered."""
    with Proxy(server.port) as proxy:
        async with backend.connect(proxy.url) as connection:
            proxy.arm(down=Faults(after=0, then="half-close"))
            error = await lost(connection, "INCR", "n")
    assert told(error) == f"INCR: the server closed the connection; {UNKNOWN}"


@pytest.mark.parametrize("end", ["close", "half-close", "reset"])
@contract
async def test_a_line_that_is_cut_at_any_byte(
    backend: Backend, server: Server, end: Literal["close", "half-close", "reset"]
) -> None:
    server.call("SET", "k", "v" * 20)
    with Proxy(server.port) as proxy:
        for after in range(0, 27, 2):
            proxy.arm()
            async with backend.connect(proxy.url) as connection:
                proxy.arm(down=Faults(after=after, then=end))
                error = await lost(connection, "GET", "k")
                assert error.outcome is Outcome.MAYBE_EXECUTED
                if after and end != "reset":
                    assert "in the middle of a reply" in str(error)


@contract
async def test_a_value_that_makes_no_sense_fails_its_own_command_only(backend: Backend) -> None:
    def script(wire: Wire) -> None:
        wire.welcome()
        for said in (b":12x\r\n", b"(abc\r\n", b"*2\r\n:1\r\n,one\r\n", b":12\r\n"):
            wire.command()
            wire.send(said)
        wire.drain()

    with Peer(script) as peer:
        async with backend.connect(peer.url) as connection:
            for _ in range(2):
                with pytest.raises(InvalidReplyError) as caught:
                    await connection.execute("GET", "k")
                assert caught.value.outcome is Outcome.REPLY
            pair = await connection.execute("LRANGE", "k", 0, -1)
            assert isinstance(pair, list)
            assert [type(value) for value in pair] == [int, InvalidReplyError]
            assert await connection.execute("GET", "k") == 12
    assert peer.connections == 1


@contract
async def test_what_the_peer_may_not_say_ends_it_at_once_and_is_given_to_nobody(backend: Backend) -> None:
    breaches = [
        (b"$-5\r\n", "expected"),
        (b"*2x\r\n", "expected"),
        (b"hello\r\n", "expected"),
        (b">2\r\n$9\r\nsubscribe\r\n:1\r\n", "subscribe"),
        (b"*1\r\n" * 5000, "inside each other"),
    ]
    heard: list[bytes] = []

    def script(wire: Wire) -> None:
        said = breaches[peer.connections - 1][0]
        after_one_command(lambda wire: wire.send(said))(wire)
        heard.append(wire.drain())

    with Peer(script) as peer:
        for _, why in breaches:
            async with backend.connect(peer.url) as connection:
                error = await lost(connection, "GET", "k")
                assert type(error) is RemoteProtocolError
                assert error.outcome is Outcome.MAYBE_EXECUTED
                assert why in str(error)
        await backend.until(lambda: len(heard) == len(breaches))
    assert set(heard) == {b""}


@contract
async def test_a_surplus_reply_is_given_to_nobody(backend: Backend) -> None:
    """It comes with the reply before it, or while no caller asks."""

    def script(wire: Wire) -> None:
        wire.welcome()
        wire.command()
        wire.send(b"$4\r\nmine\r\n" if late else b"$4\r\nmine\r\n$5\r\nstray\r\n")
        if late:
            assert said.wait(PATIENCE)
            wire.send(b"$5\r\nstray\r\n")
        sent.set()
        wire.drain()

    for late in (False, True):  # noqa: B007 (the script's)
        said, sent = threading.Event(), threading.Event()
        with Peer(script) as peer:
            async with backend.connect(peer.url) as connection:
                assert await connection.execute("GET", "a") == b"mine"
                said.set()
                await backend.until(sent.is_set)
                await backend.sleep(0.01)
                with pytest.raises(ConnectionClosedError, match="a reply came that no command asked for"):
                    await connection.execute("GET", "b")


@pytest.mark.parametrize("blocking", [1, 2])
@contract_of_tasks
async def test_a_surplus_reply_that_comes_before_the_next_turn_is_given_to_nobody(
    backend: Backend, blocking: int
) -> None:
    """Two callers are woken together and ask again. It comes before their commands are written, while one holds up the others."""
    answered, said = threading.Event(), threading.Event()

    def script(wire: Wire) -> None:
        wire.welcome()
        for _ in range(2):
            wire.command()
        wire.send(b"+mine\r\n" * 2)
        assert answered.wait(PATIENCE)
        wire.send(b"+surplus\r\n")
        said.set()
        for _ in wire.commands():
            wire.send(b"+mine\r\n")

    woken: list[str] = []

    async def ask_twice(name: str) -> None:
        assert await connection.execute("GET", name) == "mine"
        woken.append(name)
        if len(woken) == blocking:
            answered.set()
            said.wait(PATIENCE)
            threading.Event().wait(0.01)
        with pytest.raises((RemoteProtocolError, ConnectionClosedError), match="a reply came that no command asked"):
            await connection.execute("GET", name)

    with Peer(script) as peer:
        async with backend.connect(peer.url, timeout=10) as connection:
            assert await backend.together(partial(ask_twice, "a"), partial(ask_twice, "b")) == [None, None]


@pytest.mark.parametrize("lanes", [1, 2])
@contract
async def test_a_server_that_never_stops_talking_holds_up_no_call_beyond_its_deadline(
    backend: Backend, lanes: int
) -> None:
    """What has come on an idle connection is read before it is used; and there is always more of it."""
    enough = threading.Event()

    def script(wire: Wire) -> None:
        wire.welcome()
        for words in wire.commands():
            assert words == [b"PING"]
            wire.send(b"+PONG\r\n")
            while not enough.is_set():
                wire.send(b">2\r\n$7\r\nmessage\r\n$2000\r\n%b\r\n" % bytes(2000) * 100)

    with Peer(script) as peer:
        try:
            async with backend.client(peer.url, lanes=lanes, max_connections=4, timeout=5) as client:
                assert await client.execute("PING") == "PONG"
                await backend.sleep(0.05)
                begun = time.monotonic()
                with pytest.raises(CommandTimeoutError):
                    await client.execute("PING", timeout=0.1)
                assert time.monotonic() - begun < PATIENCE / 2
        finally:
            enough.set()


@contract
async def test_garbage_between_replies(backend: Backend, server: Server) -> None:
    with Proxy(server.port) as proxy:
        async with backend.connect(proxy.url) as connection:
            proxy.arm(down=Faults(after=2 * len(b"+PONG\r\n"), then="garbage"))
            assert await connection.execute("PING") == await connection.execute("PING") == "PONG"
            with pytest.raises((ConnectionLostError, ConnectionClosedError), match="no command asked for|expected"):
                await connection.execute("PING")
    assert GARBAGE


# -- Only slow ----------------------------------------------------------------------------------------------------------------


@contract
async def test_a_server_that_stops_and_goes_on(backend: Backend, start_server: Callable[..., Server]) -> None:
    server = start_server()
    async with backend.connect(server.url) as connection:
        with server.paused():
            for index in range(3):
                with pytest.raises(CommandTimeoutError):
                    await connection.execute("ECHO", index, timeout=0.01)
        assert await connection.execute("ECHO", "mine") == b"mine"


@contract
async def test_delays_and_splits_at_random(backend: Backend, server: Server) -> None:
    chance = seeded()
    slow = Faults(split=300, pause=0.002, chance=chance)
    with Proxy(server.port, up=slow, down=slow) as proxy:
        async with backend.connect(proxy.url, timeout=None) as connection:
            names = [b"%d" % name * chance.randrange(1, 30) for name in range(50)]
            assert await backend.together(*[partial(connection.execute, "ECHO", name) for name in names]) == names


@contract
async def test_silence_where_a_reply_is_owed_is_an_end(backend: Backend, server: Server) -> None:
    with Proxy(server.port) as proxy:
        async with backend.connect(proxy.url, silence_timeout=0.6, timeout=None) as connection:
            assert await connection.execute("PING") == "PONG"
            await backend.sleep(0.7)  # nothing is owed
            assert await connection.execute("BLPOP", "none", 0.7) is None  # may be silent
            proxy.arm(down=Faults(after=0, then="stall"))
            error = await lost(connection, "GET", "k")
    assert type(error) is ConnectionLostError
    assert told(error).startswith(f"GET: 127.0.0.1:{proxy.port} owes a reply and has been silent for ")
    assert told(error).endswith(f" s; {UNKNOWN}")


def silent(wire: Wire) -> None:
    """A machine that has vanished, as seen from behind a proxy that has not: it takes everything, and says nothing."""
    wire.welcome()
    wire.drain()


def answering(wire: Wire) -> None:
    wire.welcome()
    for _ in wire.commands():
        wire.send(b"$1\r\nv\r\n")


@contract
@pytest.mark.parametrize("kind", ["client", "pool"])
async def test_a_server_that_has_vanished_is_left(backend: Backend, kind: str) -> None:
    size = {"max_size": 1} if kind == "pool" else {}
    with Peer(silent, answering) as peer:
        async with getattr(backend, kind)(peer.url, timeout=0.05, silence_timeout=0.5, **size) as caller:
            failed = 0
            with pytest.raises(CommandTimeoutError):
                await caller.execute("GET", "k")
            while (reply := (await backend.together(partial(caller.execute, "GET", "k")))[0]) != b"v":
                assert isinstance(reply, (CommandTimeoutError, ConnectionLostError))
                failed += 1
                assert failed < 50
        assert peer.connections == 2


@contract
@pytest.mark.parametrize("kind", ["client", "pool"])
async def test_who_waits_for_any_time_hears_of_a_server_that_has_vanished(backend: Backend, kind: str) -> None:
    with Peer(silent, answering) as peer:
        async with getattr(backend, kind)(peer.url, timeout=None, silence_timeout=0.4) as caller:
            assert await caller.execute("GET", "k") == b"v"  # once more, on another connection
            assert caller.stats().retries == 1
    with Peer(silent, answering) as peer:
        async with getattr(backend, kind)(peer.url, timeout=None, silence_timeout=0.4) as caller:
            with pytest.raises(ConnectionLostError, match="silent") as caught:
                await caller.execute("INCR", "n")
            assert caught.value.outcome is Outcome.MAYBE_EXECUTED
            assert await caller.execute("GET", "k") == b"v"


@contract
async def test_who_waits_longer_than_the_silence_lasts_is_left_to_wait(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url, silence_timeout=0.3) as connection:
        assert await connection.execute("DEBUG", "SLEEP", 0.6, timeout=30) == "OK"


@contract
async def test_bytes_that_nobody_takes_end_a_connection(backend: Backend) -> None:
    """The system's own word (tcp(7)), where no silence is counted: the peer takes nothing, and its window stays closed."""
    done = threading.Event()

    def script(wire: Wire) -> None:
        wire.welcome()
        done.wait(PATIENCE)

    options: dict[str, Any] = {"timeout": None, "silence_timeout": None, "tcp_user_timeout": 0.5}
    with Peer(script, receive_buffer=4096) as peer:
        async with backend.connect(peer.url, **options) as connection:
            with pytest.raises(ConnectionLostError):
                await connection.execute("SET", "k", bytes(16 * MIB))
        done.set()


@contract
async def test_what_is_asked_of_tcp(backend: Backend) -> None:
    asked: list[Any] = []
    real = socket.socket.setsockopt

    def noted(self: socket.socket, *arguments: Any) -> None:
        asked.append(arguments)
        real(self, *arguments)

    with Peer(answering) as peer, pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "setsockopt", noted)
        async with backend.connect(peer.url, keepalive=77, tcp_user_timeout=12.5) as connection:
            await connection.execute("PING")
    assert {*socket_options(Config(keepalive=77, tcp_user_timeout=12.5), socket)} <= {*asked}
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        assert (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 12500) in asked


@contract
async def test_who_waits_for_pushes_keeps_the_connection_alive(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url, ping_interval=0.02) as connection:
        before = calls(server, "ping")
        while calls(server, "ping") <= before + 1:  # most often once is enough
            with pytest.raises(CommandTimeoutError):
                await connection.next_push(timeout=0.2)
        assert await connection.execute("PING") == "PONG"


# -- Much ---------------------------------------------------------------------------------------------------------------------


@contract
async def test_64_mib_each_way_at_once(backend: Backend, address: str, server: Server) -> None:
    large = b"large" * (64 * MIB // 5)
    async with backend.connect(address, timeout=None) as connection:
        assert await connection.execute("SET", "there", large) == "OK"
        got, put, *small = await backend.together(
            partial(connection.execute, "GET", "there"),
            partial(connection.execute, "SET", "here", large),
            *[partial(connection.execute, "ECHO", index) for index in range(50)],
        )
        assert got == large
        assert (put, small) == ("OK", [b"%d" % index for index in range(50)])
        assert await connection.execute("STRLEN", "here") == len(large)


@contract
async def test_a_peer_that_waits_to_be_read_while_it_is_written_to(backend: Backend) -> None:
    """It reads nothing until its own reply has been taken: a client that only writes would wait for ever."""
    size = 16 * MIB

    def script(wire: Wire) -> None:
        wire.welcome()
        wire.command()
        wire.send(b"$%d\r\n%s\r\n" % (size, b"x" * size))
        assert len(wire.command()[2]) == size
        wire.send(b"+OK\r\n")
        wire.drain()

    with Peer(script) as peer:
        async with backend.connect(peer.url, timeout=None) as connection:
            async with connection.pipeline() as pipe:
                got, put = pipe.execute("GET", "k"), pipe.execute("SET", "k", b"y" * size)
            assert (got.result(), put.result()) == (b"x" * size, "OK")


class Withholding:
    """A peer that answers nothing before it is told to; then each command with its key, or OK if it has more than that."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        """The keys that it was asked for."""
        self._lock = threading.Lock()
        self._owed: list[tuple[Wire, bytes]] = []
        self._released = False

    def __call__(self, wire: Wire) -> None:
        wire.welcome()
        for words in wire.commands():
            with self._lock:
                self.heard.append(words[1])
                self._owed.append(
                    (wire, b"+OK\r\n" if len(words) > 2 else b"$%d\r\n%s\r\n" % (len(words[1]), words[1]))
                )
                self._answer()

    def release(self) -> None:
        """Answer, from now on."""
        with self._lock:
            self._released = True
            self._answer()

    def _answer(self) -> None:
        while self._released and self._owed:
            wire, reply = self._owed.pop(0)
            wire.send(reply)


@contract
async def test_more_than_may_be_under_way_waits_in_order_and_can_be_withdrawn(backend: Backend) -> None:
    """1024 commands; a reply that no caller waits for any more counts until it has come."""
    withholding = Withholding()
    with Peer(withholding) as peer:
        async with backend.connect(peer.url, timeout=None) as connection:
            for index in range(1024):
                with pytest.raises(CommandTimeoutError) as caught:
                    await connection.execute("GET", index, timeout=0)
                assert caught.value.outcome is Outcome.MAYBE_EXECUTED
            with pytest.raises(CommandTimeoutError) as caught:
                await connection.execute("GET", "withdrawn", timeout=0.02)
            assert caught.value.outcome is Outcome.NOT_SENT
            assert told(caught.value).endswith("did not answer in time; the server cannot have executed it")

            async def ask(name: bytes) -> None:
                assert await connection.execute("GET", name) == name

            async def release() -> None:
                await backend.until(lambda: len(withholding.heard) == 1024)
                await backend.sleep(0.05)
                assert len(withholding.heard) == 1024
                withholding.release()

            patient = [b"patient %d" % index for index in range(20)]
            await backend.together(*[partial(ask, name) for name in patient], release)
    assert withholding.heard[:1024] == [b"%d" % index for index in range(1024)]
    assert sorted(withholding.heard[1024:]) == sorted(patient)


@contract
async def test_what_is_too_large_to_fly_beside_others_goes_alone(backend: Backend) -> None:
    """8 MiB are under way at a time; what is larger waits for all before it, and others wait for it."""
    withholding = Withholding()
    with Peer(withholding) as peer:
        async with backend.connect(peer.url, timeout=None) as connection:

            async def put(name: str, size: int) -> None:
                assert await connection.execute("SET", name, bytes(size)) == "OK"

            async def direct() -> None:
                await backend.until(lambda: len(withholding.heard) == 7)
                with pytest.raises(CommandTimeoutError) as caught:
                    await connection.execute("SET", "huge", bytes(16 * MIB), timeout=0.05)
                assert caught.value.outcome is Outcome.NOT_SENT
                assert len(withholding.heard) == 7  # 7 MiB; with the next it would be more than 8
                withholding.release()
                await put("huge", 16 * MIB)

            await backend.together(*[partial(put, f"{index}", MIB) for index in range(20)], direct)
    assert len(withholding.heard) == 21


@contract_of_tasks
async def test_what_is_started_together_goes_out_together(backend: Backend) -> None:
    """300 GETs are at most ten writes, by the segments that arrive: as many small writes of their own would be dozens."""
    count: list[int] = []

    def script(wire: Wire) -> None:
        wire.welcome()
        before = segments(wire.socket)
        for _ in range(300):
            words = wire.command()
            wire.send(b"$%d\r\n%s\r\n" % (len(words[1]), words[1]))
        count.append(segments(wire.socket) - before)
        wire.drain()

    with Peer(script) as peer:
        async with backend.connect(peer.url) as connection:
            replies = await backend.together(*[partial(connection.execute, "GET", index) for index in range(300)])
    assert replies == [b"%d" % index for index in range(300)]
    assert count[0] <= 10
