"""The network under one connection: bytes arrive late, in pieces, or not at all; and either side may end it, in one way or another.

A `Socket` is the client's end, and never blocks. What has come waits in it until it is read, as in a kernel; the order of bytes is
kept, and nothing is doubled.
"""

from __future__ import annotations

import errno
import os
import socket as sockets
from collections.abc import Callable, Iterable
from random import Random
from typing import Any, Final

from .clock import Clock
from .server import Server, Session

__all__ = ["FIRST", "Socket"]

DELAY: Final = 0.004  # seconds at most, in each direction, where there is no noise
CONNECTS: Final = 0.01  # and until a connection is open, or refused
FIRST: Final = 1 << 20  # the number of the first descriptor: no real one is so high


class Socket:
    """The client's end of a connection to a simulated server; its methods are a socket's, as far as clients need them.

    `noise` is how much the network makes of what it carries: 0.0 for whole messages. `on_readable` is called when something has
    come, or ended; `on_writable` when the network takes bytes again, or the connection is open or refused. They may be set later.
    """

    family: Any = sockets.AF_UNIX
    type: Any = sockets.SOCK_STREAM
    proto: int = 0

    def __init__(self, server: Server, random: Random, noise: float = 0.0, number: int = 0) -> None:
        self.server: Server = server
        self.clock: Clock = server.clock
        self.random: Random = random
        self.noise: float = noise
        self.on_readable: Callable[[], None] | None = None
        self.on_writable: Callable[[], None] | None = None
        self.session: Session = server.session(self._say, self.hang_up)
        self.unread: list[bytes | Exception | None] = []  # what has come; None: the server has closed its side
        self.opened: bool = False
        self.refused: bool = False
        self.closed: bool = False  # by the client
        self.shut: bool = False  # by the client; it is still to be closed
        self.foreign: bool = False  # the parent's, in the child of a fork
        self.dark: bool = False  # nothing arrives any more, and neither side is told
        self.reset: bool = False  # sending fails
        self.full: bool = False  # the network takes nothing for now
        self.dies: bool = False  # the server ends as soon as it has answered a part of what it was asked
        self._number = FIRST + number
        self._coming = 0  # parts of what the server has said that have not arrived
        self._outward = self._inward = self.clock.now  # when the last bytes arrive: none overtake others

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._number - FIRST}{', closed' * self.closed}>"

    @property
    def nothing_comes(self) -> bool:
        """Has all arrived that the server has said?"""
        return not (self._coming or self.unread)

    @property
    def nothing_goes(self) -> bool:
        """Has all arrived that the client has sent?"""
        return self._outward < self.clock.now

    @property
    def alive(self) -> bool:
        """Do both ends think that they are connected?"""
        return self.opened and not (self.closed or self.shut or self.dark or self.session.dead or self.foreign)

    # -- for clients ------------------------------------------------------------------------------------------------------------

    @property
    def readable(self) -> bool:
        """Would `recv` do something?"""
        return self.refused or bool(self.unread)

    @property
    def writable(self) -> bool:
        """Would `send` do something, or is connecting over?"""
        return self.refused or self.reset or (self.opened and not self.full)

    def connect_ex(self, _address: object = None) -> int:
        """Begin to connect, and say that it is under way. It is over once the socket is `writable`; then `SO_ERROR` says how."""
        self.clock.after(self.random.random() * CONNECTS, self._connect)
        return errno.EINPROGRESS

    def _connect(self) -> None:
        wrong = self.server.wrong
        if self.closed or wrong["vanished"]:
            return  # no one answers
        if wrong["away"] or wrong["crashed"] or self.random.random() < self.server.refuses:
            self.refused = True
        else:
            self.accept()
        if self.on_writable is not None:
            self.on_writable()
        if self.refused:
            self._tell_readable()

    def accept(self) -> None:
        """The server accepts the connection, now."""
        self.opened = True
        self.session.begin()

    def getsockopt(self, _level: int, _name: int) -> int:
        """How connecting has ended, if it is that which is asked."""
        return errno.ECONNREFUSED if self.refused else 0

    def send(self, data: bytes | bytearray | memoryview) -> int:
        """Take bytes, perhaps not all. Raises `BlockingIOError` if it takes none, else `ConnectionError` as a real one does."""
        assert not self.closed, "bytes were written to a socket that was closed"
        assert not self.foreign, "the child of a fork wrote to its parent's socket"
        self._check()
        assert self.opened, "bytes were written to a socket that is not connected"
        if self.reset:
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
        if self.full:
            raise BlockingIOError
        size = len(data)
        if self.noise and self.random.random() < self.noise:
            size = self.random.randint(0, size)
            self.full = True
            self.clock.after(0.01, self._make_room)
        if size == 0 and self.full:
            raise BlockingIOError
        if size and not self.dark:
            self._outward = max(self._outward, self.clock.now + self._delay())
            self.clock.at(self._outward, self._arrive, bytes(data[:size]))
        return size

    def _check(self) -> None:
        """Raises `ConnectionRefusedError` where the server has refused the connection."""
        if self.refused:
            raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))

    def sendmsg(self, buffers: Iterable[bytes | memoryview]) -> int:
        """As `send`, for several at once."""
        return self.send(b"".join(buffers))

    def recv(self, size: int) -> bytes:
        """Return what has come, b"" at the end. Raises as `send`: `BlockingIOError` if nothing has."""
        assert not self.closed, "a socket was read that was closed"
        self._check()
        if not self.unread:
            raise BlockingIOError
        what = self.unread[0]
        if what is None:
            return b""  # again and again
        if isinstance(what, Exception):
            raise what.with_traceback(None)
        if len(what) > size:
            self.unread[0] = what[size:]
        else:
            del self.unread[0]
        return what[:size]

    def recv_into(self, buffer: Any) -> int:
        """As `recv`, into this."""
        data = self.recv(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self, *, shut_down: bool = True) -> None:
        """Close it. A child of a fork does so without shutting it down, which would be felt by the parent."""
        if self.closed:
            return
        self.closed = True
        self.unread.clear()
        if shut_down and not self.foreign:
            self._outward = max(self._outward, self.clock.now + self._delay())
            self.clock.at(self._outward, self._end_session)

    def shutdown(self, _how: int) -> None:
        """Nothing is sent or read any more; `close` follows. Raises `OSError` where it is not connected any more."""
        if not self.opened or self.closed:
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        self.unread[:] = [None]
        self.reset = self.shut = True
        self._outward = max(self._outward, self.clock.now + self._delay())
        self.clock.at(self._outward, self._end_session)
        self._tell_readable()

    def fileno(self) -> int:
        """A number that no file has; -1 once it is closed."""
        return -1 if self.closed else self._number

    def setblocking(self, blocking: bool) -> None:
        """It never blocks."""

    def setsockopt(self, level: int, name: int, value: int) -> None:
        """It has no options."""

    def gettimeout(self) -> float:
        """It never blocks."""
        return 0.0

    def getsockname(self) -> str:
        """It has no name."""
        return ""

    def getpeername(self) -> str:
        """Nor has the server. Raises `OSError` where it is not connected."""
        if not self.opened:
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        return "simulated"

    # -- what goes by -----------------------------------------------------------------------------------------------------------

    def _make_room(self) -> None:
        self.full = False
        if self.on_writable is not None and not self.closed:
            self.on_writable()

    def _end_session(self) -> None:
        if not self.dark:
            self.session.end()

    def _delay(self) -> float:
        random = self.random.random
        return random() * (DELAY if random() >= self.noise * 0.1 else 0.3)

    def _arrive(self, data: bytes) -> None:
        if not self.dark:
            if self.server.wrong["silent"]:
                self.dark = True
            else:
                self.session.receive(data)

    def _say(self, data: bytes) -> None:
        random = self.random
        while data:
            size = random.randint(1, len(data)) if self.noise and random.random() < self.noise else len(data)
            self._come(data[:size])
            data = data[size:]
        if self.dies and self.session.held:
            self.hang_up()

    def _come(self, what: bytes | Exception | None) -> None:
        self._inward = max(self._inward, self.clock.now + self._delay())
        self._coming += 1
        self.clock.at(self._inward, self._arrives, what)

    def _arrives(self, what: bytes | Exception | None) -> None:
        self._coming -= 1
        if self.dark or self.closed or self.foreign:
            return
        self.unread.append(what)
        if isinstance(what, Exception):
            self.reset = True
        if self.noise and self.random.random() < 0.3:
            self.clock.after(self.random.random() * 0.002, self._tell_readable)
        else:
            self._tell_readable()

    def _tell_readable(self) -> None:
        if self.on_readable is not None:
            self.on_readable()

    # -- what may go wrong ------------------------------------------------------------------------------------------------------

    def hang_up(self, error: Exception | None = None) -> None:
        """The server closes, or resets, the connection: the client hears of it behind what was said."""
        if not self.session.dead:
            self.session.end()
            self._come(error)

    def half_close(self) -> None:
        """The server says nothing more, and still does what it is asked."""
        self._come(None)
        self.session.send = lambda _: None

    def garbage(self) -> None:
        """Between two replies something comes that is no RESP."""
        self._come(b"?!\r\n")

    def stall(self, seconds: float) -> None:
        """Nothing arrives for so long, in either direction."""
        self._outward = max(self._outward, self.clock.now + seconds)
        self._inward = max(self._inward, self.clock.now + seconds)

    def vanish(self) -> None:
        """No byte arrives any more, and neither side is told."""
        self.dark = True
