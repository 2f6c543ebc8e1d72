"""The network under one link: bytes arrive late, in pieces, or not at all; and either side may end it, in one way or another.

What has come waits in a buffer until the driver reads it, as in a kernel; the order of bytes is kept, and nothing is doubled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from simulation.server import Session

if TYPE_CHECKING:
    from random import Random

    from resp_sansio.client import Link
    from simulation.clock import Clock
    from simulation.server import Server

__all__ = ["Driver", "Wire"]

DELAY: Final = 0.004  # seconds at most, in each direction, where there is no noise


class Driver(Protocol):
    """What reads and writes for the client."""

    def read(self, wire: Wire) -> None:
        """Something has come."""

    def writable(self, link: Link) -> None:
        """The network takes bytes again."""


class Wire:
    """Two directions, the server's end, and the buffer at the client's. `driver` is told when there is something to read."""

    def __init__(self, link: Link, server: Server, clock: Clock, random: Random, noise: float, driver: Driver) -> None:
        self.link = link
        self.clock = clock
        self.random = random
        self.noise = noise
        self.driver = driver
        self.server = server
        self.session = Session(server, self._say, self.hang_up, shared=link.lane is not None)
        self.unread: list[bytes | Exception | None] = []  # what has come; None: the server has closed its side
        self.closed = False  # by the client
        self.foreign = False  # the parent's, in the child of a fork
        self.dark = False  # nothing arrives any more, and neither side is told
        self.reset = False  # sending fails
        self.full = False  # the network takes nothing for now
        self.dies = False  # the server ends as soon as it has answered a part of what it was asked
        self.spoilt = b""  # what is to come behind the next reply after which nothing is owed
        self._coming = 0  # parts of what the server has said that have not arrived
        self._outward = self._inward = clock.now  # when the last bytes arrive: none overtake others
        self.session.begin()

    @property
    def nothing_comes(self) -> bool:
        """Has all arrived that the server has said?"""
        return not (self._coming or self.unread)

    # -- the client's side ------------------------------------------------------------------------------------------------------

    def send(self, data: bytes) -> int:
        """Take bytes of the client's, perhaps not all. Raises `ConnectionResetError`."""
        assert not self.closed, "bytes were written to a socket that was closed"
        assert not self.foreign, "the child of a fork wrote to its parent's socket"
        if self.reset:
            raise ConnectionResetError("the simulated network")
        if self.full:
            return 0
        size = len(data)
        if self.noise and self.random.random() < self.noise:
            size = self.random.randint(0, size)
            self.full = True
            self.clock.after(0.01, self._make_room)
        if size and not self.dark:
            self._outward = max(self._outward, self.clock.now + self._delay())
            self.clock.at(self._outward, self._arrive, data[:size])
        return size

    def _make_room(self) -> None:
        self.full = False
        self.driver.writable(self.link)

    def close(self, *, shut_down: bool = True) -> None:
        """The client closes its socket; a child of a fork does so without shutting it down, which would be felt by the parent."""
        self.closed = True
        self.unread.clear()
        if shut_down and not self.foreign:
            self._outward = max(self._outward, self.clock.now + self._delay())
            self.clock.at(self._outward, self._end_session)

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

    # -- the server's side ------------------------------------------------------------------------------------------------------

    def _say(self, data: bytes) -> None:
        random = self.random
        while data:
            size = random.randint(1, len(data)) if self.noise and random.random() < self.noise else len(data)
            self._come(data[:size])
            data = data[size:]
        if self.dies and self.session.held:
            self.hang_up()

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
            self.clock.after(self.random.random() * 0.002, self.driver.read, self)
        else:
            self.driver.read(self)

    # -- what may go wrong ------------------------------------------------------------------------------------------------------

    def stall(self, seconds: float) -> None:
        """Nothing arrives for so long, in either direction."""
        self._outward = max(self._outward, self.clock.now + seconds)
        self._inward = max(self._inward, self.clock.now + seconds)

    def vanish(self) -> None:
        """No byte arrives any more, and neither side is told."""
        self.dark = True
