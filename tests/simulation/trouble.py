"""What goes wrong in a history: with the server, with one connection, or by a call of the client's own methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulation.driver import Driver
from simulation.script import PHASES

if TYPE_CHECKING:
    from simulation.network import Wire
    from simulation.script import Act, Script

__all__ = ["Trouble"]

# Seconds until a client has got over it.
LEFT: Final = {"silent": 12.0, "vanished": 12.0, "stall": 3.0, "hangs_up": 2.0}


class Trouble(Driver):
    """The faults, by their names in a script."""

    def __init__(self, script: Script, trace: list[str] | None) -> None:
        super().__init__(script, trace)
        self.capacity = script.pool.max_size
        self.touched = 0  # how often another client has changed what callers watch
        self.paused = False  # did the server say that it is not well? Then calls pause, and overtake each other

    def go_wrong(self, act: Act) -> None:
        """This fault happens."""
        self.tell("fault {}: {}", act.number, act.kind)
        if act.kind in PHASES:
            self._phase(act)
        else:
            getattr(self, f"_{act.kind}")(act)

    def _phase(self, act: Act) -> None:
        self.server.wrong[act.kind] += 1
        self.paused = True
        self.trouble(act.seconds + LEFT.get(act.kind, 1.5))
        if act.kind == "vanished":
            for wire in self.wires.values():
                wire.vanish()
        elif act.kind == "crashed":
            for wire in list(self.wires.values()):
                wire.hang_up()
        self.clock.after(act.seconds, self._relief, act.kind)

    def _relief(self, kind: str) -> None:
        self.server.wrong[kind] -= 1
        self.tell("{} is over", kind)

    def _failover(self, _: Act) -> None:
        self.server.generation += 1
        self.paused = True
        self.trouble(1.5)
        for wire in list(self.wires.values()):
            wire.session.become_replica()

    def _some(self, act: Act) -> Wire | None:
        """One of the connections there are."""
        alive = [
            wire for wire in self.wires.values() if not (wire.closed or wire.dark or wire.session.dead or wire.foreign)
        ]
        return alive[int(act.chance * len(alive))] if alive else None

    def _cut(self, act: Act) -> None:
        if (wire := self._some(act)) is not None:
            self.trouble(LEFT["vanished"])
            wire.vanish()

    def _half_close(self, act: Act) -> None:
        if (wire := self._some(act)) is not None:
            self.trouble(1.5)
            wire.half_close()

    def _reset(self, act: Act) -> None:
        if (wire := self._some(act)) is not None:
            self.trouble(1.5)
            wire.hang_up(ConnectionResetError("the simulated network") if act.chance < 0.5 else None)

    def _midway(self, act: Act) -> None:
        """The server ends in the middle of a pipeline."""
        if (wire := self._some(act)) is not None:
            self.trouble(6.0)
            wire.dies = True

    def _stall(self, act: Act) -> None:
        if (wire := self._some(act)) is not None:
            self.trouble(act.seconds + LEFT["stall"])
            wire.stall(act.seconds)

    def _garbage(self, act: Act) -> None:
        if (wire := self._some(act)) is not None:
            self.trouble(1.5)
            wire.garbage()

    def _surplus(self, act: Act, data: bytes = b"+surplus\r\n") -> None:
        """A reply that answers nothing, while nothing is asked: it ends the connection, and reaches no caller."""
        wire = self._some(act)
        if wire is not None and wire.link.dial is None and not self._is_busy(wire):
            self.trouble(1.5)
            self.hand_out(self.client.receive_data(wire.link, data, self.clock.now))
            assert wire.link.ended, "a reply that no command asked for did not end the connection"

    def _begun(self, act: Act) -> None:
        """Half of such a reply."""
        self._surplus(act, b"$9\r\nsur")

    def _surplus_behind(self, act: Act) -> None:
        """Such a reply right behind one that was asked for, or behind the answers to the next handshake."""
        self.trouble(6.0)
        if act.chance < 0.3:
            self.spoils_next = True
        elif (wire := self._some(act)) is not None:
            wire.spoilt = b"+surplus\r\n"

    @staticmethod
    def _is_busy(wire: Wire) -> bool:
        core = wire.link.core
        listens = core.protocol == 2 and core.subscriptions  # what comes there may be a message
        return bool(core.in_flight or core.wants_to_send or wire.unread or wire.session.owes or listens)

    def _interrupt(self, act: Act) -> None:
        """A signal comes between bytes that move and the machine's hearing of it."""
        self.interrupted = self._some(act)
        self.trouble(6.0)

    def _publish(self, _: Act) -> None:
        for channel in list(self.server.channels):
            self.server.publish(channel)

    def _touch(self, _: Act) -> None:
        """Another client changes what callers watch."""
        self.touched += 1
        self.server.data[b"w"] += 1
        self.server.version[b"w"] += 1

    def _supply(self, act: Act) -> None:
        """Another client brings an element."""
        self.server.push(b"q%d" % int(act.chance * 2), b"x%d" % act.number)

    def _retire(self, _: Act) -> None:
        if self.script.mode != "once":
            self.client.retire(self.clock.now)

    def _resize(self, act: Act) -> None:
        if self.client.pool is not None:
            size = 1 + int(act.chance * 4)
            self.capacity = max(self.capacity, size)
            self.client.resize(self.clock.now, max_size=size, min_size=0)
