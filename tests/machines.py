"""Connections without a network, for the tests of the core: opened ones, written ones, ended ones."""

from __future__ import annotations

import sys
from math import inf
from typing import TYPE_CHECKING, Any, Literal

from resp_sansio import Push
from resp_sansio.connection import Connection, ConnectionLost, Handshake, Opened, PushReceived, State
from resp_sansio.testing import Peer, talk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

    from resp_sansio.connection import Event


def opened(protocol: Literal[2, 3] = 3, **options: Any) -> tuple[Connection, Peer]:
    """A connection that is READY, and the server it is connected to."""
    connection, peer = Connection(Handshake(protocol=protocol), **options), Peer()
    assert [type(event) for event in talk(connection, peer)] == [Opened]
    return connection, peer


def write_all(connection: Connection) -> bytes:
    """Take everything that can be sent, and say that it was."""
    written = b""
    while block := connection.data_to_send():
        connection.sent(len(block))
        written += block
    return written


def state(connection: Connection) -> State:
    """The state now; a type checker believes that an attribute stays what it was asserted to be."""
    return connection.state


def protocol_of(connection: Connection) -> int:
    """The protocol now, see `state`."""
    return connection.protocol


def lost(connection: Connection) -> ConnectionLost:
    """How the connection ended; it says so for ever."""
    last = connection.events()[-1]
    assert isinstance(last, ConnectionLost)
    assert connection.events() == [last]
    assert state(connection) is State.LOST
    assert connection.error is last.error
    assert connection.next_deadline() == inf
    return last


def pushes(events: Sequence[Event]) -> list[Push]:
    """The pushes among the events."""
    return [event.push for event in events if isinstance(event, PushReceived)]


def opcodes(work: Callable[[], object]) -> int:
    """How many bytecodes of Python this takes: a measure of work that no other process changes."""
    count = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys._getframe().f_trace_opcodes = True  # since 3.12 `settrace` asks whether any frame wants them
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count
