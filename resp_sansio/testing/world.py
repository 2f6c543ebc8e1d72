"""A world for a client: virtual time, a simulated server, the network in between, and what goes wrong with them.

All that happens follows from the seed and from what the client does, so the same seed is the same history for ever.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from math import inf
from random import Random
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias, get_args

from .checks import Checks
from .clock import Clock
from .network import FIRST, Socket
from .server import Server

__all__ = ["FAULTS", "PHASES", "Fault", "Phase", "World"]

Phase: TypeAlias = Literal["away", "crashed", "silent", "hangs_up", "loading", "busy", "full", "vanished", "denied"]
"""What may be wrong with the server for some time."""

Fault: TypeAlias = Literal[
    "failover", "cut", "half_close", "reset", "midway", "stall", "garbage", "publish", "touch", "supply"
]
"""What may happen to it, or to one of its connections."""

PHASES: Final[tuple[Phase, ...]] = get_args(Phase)
"""All phases, to draw from."""
FAULTS: Final[tuple[Fault, ...]] = get_args(Fault)
"""All other faults, to draw from."""

LEFT: Final[Mapping[str, float]] = MappingProxyType(
    {"silent": 12.0, "vanished": 12.0, "cut": 12.0, "stall": 3.0, "hangs_up": 2.0, "midway": 6.0}
)
"""Seconds until a client has got over it; 1.5 where it does not say."""


class World:
    """Time, server and network for one history.

    `noise` is how much the network makes of what it carries, from 0.0; with `trace`, a list, what happens is told there. `troubled`
    is the time until which something is wrong, or is to be got over: from then on a caller may expect to be served.
    """

    def __init__(
        self,
        seed: int,
        *,
        server: str = "new",
        password: bool = False,
        database: int = 0,
        noise: float = 0.0,
        trace: list[str] | None = None,
    ) -> None:
        self.trace: list[str] | None = trace
        self.noise: float = noise
        self.clock: Clock = Clock()
        self.random: Random = Random(seed ^ 0x5EED)
        self.server: Server = Server(self.clock, kind=server, password=password, database=database)
        self.server.refuses = noise * 0.1
        self.checks: Checks = Checks(self)
        self.sockets: list[Socket] = []
        self.troubled: float = 0.0
        self.paused: bool = False  # did the server say that it is not well? Then calls pause, and overtake each other
        self.touched: int = 0  # how often another client has changed "w"
        self._supplied = 0

    def tell(self, text: str, *about: Any) -> None:
        """Note what happens, for a reader of a failed history."""
        if self.trace is not None:
            self.trace.append(f"{self.clock.now:8.4f}  {text.format(*about)}")

    def socket(self) -> Socket:
        """Return a socket that is not connected yet."""
        made = Socket(self.server, self.random, self.noise, len(self.sockets))
        self.sockets.append(made)
        return made

    def find(self, descriptor: int) -> Socket | None:
        """Return the socket of this number, None if it is none of this world's, or closed."""
        at = descriptor - FIRST
        return self.sockets[at] if 0 <= at < len(self.sockets) and not self.sockets[at].closed else None

    def step(self, until: float = inf) -> bool:
        """Go to what happens next, or to this time if nothing happens before; is it that which happened next?"""
        if self.clock.next <= until and self.clock.next < inf:
            self.clock.step()
            return True
        assert until < inf, "nothing will ever happen again, and something is waited for"
        self.clock.now = max(self.clock.now, until)
        return False

    # -- what goes wrong --------------------------------------------------------------------------------------------------------

    def trouble(self, seconds: float) -> None:
        """Something is wrong, and the client needs so long to get over it."""
        self.troubled = max(self.troubled, self.clock.now + seconds)

    def go_wrong(self, what: Phase | Fault, seconds: float = 0.0, chance: float = 0.0) -> None:
        """This happens now, for so long; `chance`, from 0.0 to 1.0, says which of the connections it concerns."""
        self.tell("fault: {}", what)
        if what in PHASES:
            self._phase(what, seconds)
        else:
            getattr(self, f"_{what}")(seconds, chance)

    def _phase(self, what: Phase, seconds: float) -> None:
        self.server.wrong[what] += 1
        self.paused = True
        self.server.restarts += what == "crashed"
        self.trouble(seconds + LEFT.get(what, 1.5))
        for socket in list(self.sockets):
            if what == "vanished":
                socket.vanish()
            elif what == "crashed" and socket.opened:
                socket.hang_up()
        self.clock.after(seconds, self._relief, what)

    def _relief(self, what: Phase) -> None:
        self.server.wrong[what] -= 1
        self.tell("{} is over", what)

    def pick(self, chance: float) -> Socket | None:
        """Return one of the connections there are."""
        alive = [socket for socket in self.sockets if socket.alive]
        return alive[int(chance * len(alive))] if alive else None

    def _strike(self, what: str, chance: float, seconds: float = 0.0) -> Socket | None:
        """Return the connection to which something happens."""
        socket = self.pick(chance)
        if socket is not None:
            self.trouble(seconds + LEFT.get(what, 1.5))
        return socket

    def _failover(self, _seconds: float, _chance: float) -> None:
        """The server becomes a replica, for those who are connected."""
        self.server.generation += 1
        self.paused = True
        self.trouble(1.5)
        for socket in list(self.sockets):
            socket.session.become_replica()

    def _cut(self, _seconds: float, chance: float) -> None:
        if (socket := self._strike("cut", chance)) is not None:
            socket.vanish()

    def _half_close(self, _seconds: float, chance: float) -> None:
        if (socket := self._strike("half_close", chance)) is not None:
            socket.half_close()

    def _reset(self, _seconds: float, chance: float) -> None:
        if (socket := self._strike("reset", chance)) is not None:
            error = ConnectionResetError(errno.ECONNRESET, "Connection reset by the simulated network")
            socket.hang_up(error if chance < 0.5 else None)

    def _midway(self, _seconds: float, chance: float) -> None:
        """The server ends in the middle of a pipeline."""
        if (socket := self._strike("midway", chance)) is not None:
            socket.dies = True

    def _stall(self, seconds: float, chance: float) -> None:
        if (socket := self._strike("stall", chance, seconds)) is not None:
            socket.stall(seconds)

    def _garbage(self, _seconds: float, chance: float) -> None:
        if (socket := self._strike("garbage", chance)) is not None:
            socket.garbage()

    def _publish(self, _seconds: float, _chance: float) -> None:
        for channel in list(self.server.channels):
            self.server.publish(channel)

    def _touch(self, _seconds: float, _chance: float) -> None:
        """Another client changes the counter "w", which callers may watch."""
        self.touched += 1
        self.server.change(b"w", self.server.data[b"w"] + 1)
        self.server.tell_changes()

    def _supply(self, _seconds: float, chance: float) -> None:
        """Another client brings an element for "q0" or "q1"."""
        self._supplied += 1
        self.server.push(b"q%d" % int(chance * 2), b"x%d" % self._supplied)

    def heal(self) -> None:
        """All is well from now on, as far as what has been begun is concerned."""
        self.server.refuses = 0.0
        for socket in self.sockets:
            socket.dies = False
