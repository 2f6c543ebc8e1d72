"""resp_sync at moments that a real server and a real clock rarely meet: each is brought about by hand."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from resp_sync import ConnectionLostError, LocalProtocolError, Outcome, connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from servers import Server


class Replaced:
    """A transport with some of its methods replaced."""

    def __init__(self, transport: Any, **methods: Any) -> None:
        self._transport = transport
        self._methods = methods

    def __getattr__(self, name: str) -> Any:
        return self._methods[name] if name in self._methods else getattr(self._transport, name)


def test_an_interrupt_on_the_way_back_from_sending_leaves_what_was_sent_uncertain(server: Server) -> None:
    """The bytes of another thread's command are among those that left, and nobody was told."""
    connection: Any = connect(server.url)
    real = connection._driver._transport
    failures: list[ConnectionLostError] = []
    left = threading.Event()

    def leave_it_to_others() -> bool:
        left.set()
        return threading.current_thread() is not threading.main_thread()

    def increment() -> None:
        with pytest.raises(ConnectionLostError) as raised:
            connection.execute("INCR", "n")
        failures.append(raised.value)

    def send(block: bytes) -> int:
        real.send(block)
        raise KeyboardInterrupt

    type(connection._driver)._others_wake, original = (
        lambda _: leave_it_to_others(),
        type(connection._driver)._others_wake,
    )
    try:
        connection._driver._waking[object()] = (
            None  # somebody is on the way, so the other thread leaves its command to them
        )
        other = threading.Thread(target=increment)
        other.start()
        assert left.wait(30)
        connection._driver._transport = Replaced(real, send=send)
        with pytest.raises(KeyboardInterrupt):
            connection.execute("INCR", "m")
        other.join(30)
    finally:
        type(connection._driver)._others_wake = original
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
        driver._transport = Replaced(driver._transport, recv=recv, pending=True)
        driver._receive()
        assert len(taken) == 1


@pytest.mark.parametrize("moment", ["_listen", "_hand_out_pushes"])
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
        assert not listening._listeners
        connection.execute("SUBSCRIBE", "channel")
        server.call("PUBLISH", "channel", "text")
        assert connection.next_push(timeout=30.0).items == (b"channel", b"text")


def test_an_interrupted_pipeline_cannot_be_run_again(server: Server) -> None:
    with connect(server.url) as connection:
        pipe = connection.pipeline()
        result = pipe.execute("INCR", "n")
        machine: Any = connection
        real = machine._driver._transport

        def send(block: bytes) -> int:
            real.send(block)
            raise KeyboardInterrupt

        machine._driver._transport = Replaced(real, send=send)
        with pytest.raises(KeyboardInterrupt):
            pipe.run()
        with pytest.raises(LocalProtocolError, match="run already"):
            pipe.run()
        with pytest.raises(ConnectionLostError) as raised:
            result.result()
        assert raised.value.outcome is Outcome.MAYBE_EXECUTED
