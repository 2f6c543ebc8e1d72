"""resp_sync at moments that a real server and a real clock rarely meet: each is brought about by hand."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from adapters.peers import Peer, Wire, together
from resp_sansio import RespError
from resp_sansio.client import Crew, Post
from resp_sansio.connection import new_slot
from resp_sync import Client, ConnectError, ConnectionLostError, LocalProtocolError, Outcome, Retry, connect
from resp_sync._transport import Opening

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from servers import Server


def test_an_interrupt_on_the_way_back_from_sending_leaves_what_was_sent_uncertain(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bytes of another thread's command are among those that left, and nobody was told."""
    connection: Any = connect(server.url)
    real = connection._link.io.send
    failures: list[ConnectionLostError] = []
    left = threading.Event()

    def leave_it_to_others(_: Crew, post: Post, now: float) -> bool:
        post.deferred = now
        left.set()
        return threading.current_thread() is not threading.main_thread()

    def increment() -> None:
        with pytest.raises(ConnectionLostError) as raised:
            connection.execute("INCR", "n")
        failures.append(raised.value)

    def send(block: bytes) -> int:
        real(block)
        raise KeyboardInterrupt

    monkeypatch.setattr(Crew, "defers", leave_it_to_others)
    try:
        # One is on the way, so the other thread leaves its command to it.
        connection._link.io.waking[new_slot(("PING",))] = None
        other = threading.Thread(target=increment)
        other.start()
        assert left.wait(30)
        connection._link.io.send = send
        with pytest.raises(KeyboardInterrupt):
            connection.execute("INCR", "m")
        other.join(30)
    finally:
        connection.close()
    assert [failure.outcome for failure in failures] == [Outcome.MAYBE_EXECUTED]
    assert server.call("GET", "n") == b"1"


def test_a_turn_takes_one_piece_however_much_there_is(server: Server) -> None:
    """Between two pieces the clock is looked at, and others get the lock."""
    taken: list[int] = []

    def recv(size: int) -> bytes:
        taken.append(size)
        return b"$100000000\r\n" if len(taken) == 1 else b"x" * size

    with connect(server.url) as connection:
        driver: Any = connection._driver
        io: Any = connection._link.io
        io.recv = recv
        driver._receive(io)
        assert len(taken) == 1


def test_a_surplus_reply_that_a_listener_has_not_read_yet_is_given_to_nobody() -> None:
    """The thread that listens knows that something has come, and another one asks before it has the lock."""
    listening, said, asked = threading.Event(), threading.Event(), threading.Event()

    def script(wire: Wire) -> None:
        wire.welcome()
        assert listening.wait(30)
        wire.send(b"+surplus\r\n")
        for _ in wire.commands():
            wire.send(b"+mine\r\n")

    with Peer(script) as peer, connect(peer.url, timeout=30) as connection:
        io: Any = connection._link.io
        real = io.poll

        def poll(milliseconds: float) -> Any:
            if not milliseconds:
                return real(0)
            listening.set()
            found = real(milliseconds)
            said.set()
            asked.wait(0.5)
            return found

        io.poll = poll

        def listen() -> None:
            with pytest.raises(RespError, match="a reply came that no command asked for"):
                connection.next_push(timeout=30)

        def ask() -> None:
            assert said.wait(30)
            try:
                with pytest.raises(RespError, match="a reply came that no command asked for"):
                    connection.execute("GET", "k")
            finally:
                asked.set()

        together(listen, ask)


@pytest.mark.parametrize("moment", ["_listen", "_carry_out"])
def test_an_interrupted_listener_costs_nothing_but_its_push(server: Server, moment: str) -> None:
    with connect(server.url) as connection:
        listening: Any = connection._driver
        real: Callable[..., None] = getattr(listening, moment)

        class Interrupted(type(listening)):  # type: ignore[misc]
            __slots__ = ()

        def strike(self: Any, *args: Any) -> None:
            real(*args)
            raise KeyboardInterrupt

        setattr(Interrupted, moment, strike)
        listening.__class__, before = Interrupted, listening.__class__
        with pytest.raises(KeyboardInterrupt):
            connection.next_push(timeout=30.0)
        listening.__class__ = before
        assert not connection._link.pushes.listeners
        connection.execute("SUBSCRIBE", "channel")
        server.call("PUBLISH", "channel", "text")
        assert connection.next_push(timeout=30.0).items == (b"channel", b"text")


def test_an_interrupted_pipeline_cannot_be_run_again(server: Server) -> None:
    with connect(server.url) as connection:
        pipe = connection.pipeline()
        result = pipe.execute("INCR", "n")
        machine: Any = connection
        real = machine._link.io.send

        def send(block: bytes) -> int:
            real(block)
            raise KeyboardInterrupt

        machine._link.io.send = send
        with pytest.raises(KeyboardInterrupt):
            pipe.run()
        with pytest.raises(LocalProtocolError, match="run already"):
            pipe.run()
        with pytest.raises(ConnectionLostError) as raised:
            result.result()
        assert raised.value.outcome is Outcome.MAYBE_EXECUTED


def test_why_a_server_ends_a_connection_is_told_though_a_write_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says so, and closes, before the first byte of the handshake is written."""
    done = threading.Event()
    path = tmp_path / "socket"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def serve() -> None:
        connected = listener.accept()[0]
        connected.sendall(b"-ERR max number of clients reached\r\n")
        connected.close()
        done.set()

    real = Opening.go_on

    def go_on(opening: Opening, until: float) -> Any:
        is_open = real(opening, until)
        assert not is_open or done.wait(30)
        return is_open

    monkeypatch.setattr(Opening, "go_on", go_on)
    serving = threading.Thread(target=serve)
    serving.start()
    with listener, pytest.raises(ConnectError, match="max number of clients"):
        connect(f"unix://{path}")
    serving.join()


@pytest.mark.parametrize("kind", [connect, Client])
def test_a_reply_that_came_before_another_threads_write_failed_is_told(
    kind: Any, socket_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server answers the one and ends, while the other is about to write."""
    armed, writing, ended = threading.Event(), threading.Event(), threading.Event()

    class Late(socket.socket):
        def send(self, data: Any, *flags: int) -> int:
            if armed.is_set() and not writing.is_set():
                writing.set()
                assert ended.wait(30)
            return super().send(data, *flags)

    def script(wire: Wire) -> None:
        wire.welcome()
        assert wire.command() == [b"INCR", b"first"]
        armed.set()
        assert writing.wait(30)
        wire.send(b":1\r\n")
        wire.close()
        ended.set()

    replies: list[Any] = []
    with Peer(script, path=socket_folder / "peer") as peer:
        monkeypatch.setattr(socket, "socket", Late)
        with kind(peer.url, timeout=60, **({} if kind is connect else {"retry": Retry(attempts=1)})) as asked:
            thread = threading.Thread(target=lambda: replies.append(asked.execute("INCR", "first")))
            thread.start()
            assert armed.wait(30)
            with pytest.raises(ConnectionLostError) as caught:
                asked.execute("INCR", "second")
            thread.join()
    assert replies == [1]
    assert caught.value.outcome is Outcome.NOT_SENT


def test_names_of_ascii_are_resolved_without_an_import(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of a codec: a thread that was interrupted may hold its lock, and a dial would wait for it."""
    asked: list[object] = []

    def resolve(host: object, *_: object, **__: object) -> Any:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    for host in ("cache.example", "bücher.example"):
        with pytest.raises(ConnectError, match="cannot resolve"):
            connect(f"redis://{host}")
    assert asked == [b"cache.example"] * 2 + ["bücher.example"] * 2  # each in vain as digits first
