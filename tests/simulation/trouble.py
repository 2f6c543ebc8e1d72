"""What goes wrong in a history: with the server, with one connection, or by a call of the client's own methods."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Final, cast

from simulation.driver import Driver, Wire
from simulation.script import OWN

if TYPE_CHECKING:
    from resp_sansio.testing import Fault
    from simulation.script import Act, Script

__all__ = ["Trouble"]

MORNING: Final = 10_000  # number of the first of those callers


class Trouble(Driver):
    """The faults, by their names in a script."""

    def __init__(self, script: Script, trace: list[str] | None) -> None:
        super().__init__(script, trace)
        self.capacity = script.pool.max_size
        self.late = False  # is all well again, so that the last callers come?

    @abstractmethod
    def _act(self, act: Act) -> None:
        """A caller comes, or a fault happens."""

    def happens(self, act: Act) -> None:
        """This fault happens."""
        if act.kind in OWN:
            self.tell("fault {}: {}", act.number, act.kind)
            getattr(self, f"_{act.kind}")(act)
        else:
            self.go_wrong(cast("Fault", act.kind), act.seconds, act.chance)

    def _wire(self, act: Act) -> Wire | None:
        return cast("Wire | None", self.pick(act.chance))

    def _surplus(self, act: Act, data: bytes = b"+surplus\r\n") -> None:
        """A reply that answers nothing, while nothing is asked: it ends the connection, and reaches no caller."""
        wire = self._wire(act)
        if wire is not None and wire.link.dial is None and not self._is_busy(wire):
            self.trouble(1.5)
            self.hand_out(self.client.receive_data(wire.link, data, self.clock.now))
            assert wire.link.ended, "a reply that no command asked for did not end the connection"

    def _begun(self, act: Act) -> None:
        """Half of such a reply."""
        self._surplus(act, b"$9\r\nsur")

    def _idle_out(self, act: Act) -> None:
        """The server has closed what was idle, as after a night; and the first callers of the morning come."""
        self.trouble(1.5)
        for wire in self.wires.values():
            if wire.alive and not self._is_busy(wire):
                wire.session.end()
                wire.unread.append(None)
                self.clock.after(0.005, self.read, wire)  # by then they have come
        for number in range(3):
            self.clock.after(0.0, self._act, act._replace(kind="borrow", seconds=8.0, number=MORNING + number))

    def _surplus_behind(self, act: Act) -> None:
        """Such a reply right behind one that was asked for, or behind the answers to the next handshake."""
        self.trouble(6.0)
        if act.chance < 0.3:
            self.spoils_next = True
        elif (wire := self._wire(act)) is not None:
            wire.spoilt = b"+surplus\r\n"

    @staticmethod
    def _is_busy(wire: Wire) -> bool:
        core = wire.link.core
        listens = core.protocol == 2 and core.subscriptions  # what comes there may be a message
        amid = not core._parser.idle  # half of a message has come, and what follows is part of it
        return bool(core.in_flight or core.wants_to_send or wire.unread or wire.session.owes or listens or amid)

    def _interrupt(self, act: Act) -> None:
        """A signal comes between bytes that move and the machine's hearing of it."""
        self.interrupted = self._wire(act)
        self.trouble(6.0)

    def _struck(self, act: Act) -> None:
        """A signal comes while a step of the machine's is taken."""
        opens = self.script.mode == "once" and not any(link.dial is None and not link.ended for link in self.wires)
        if not self.late and not opens:  # `connect` gives no connection before it is open
            self.strike.comes(act.chance)

    def _retire(self, _: Act) -> None:
        if self.script.mode != "once":
            self.client.retire(self.clock.now)

    def _resize(self, act: Act) -> None:
        if self.client.pool is not None:
            size = 1 + int(act.chance * 4)
            self.capacity = max(self.capacity, size)
            self.client.resize(self.clock.now, max_size=size, min_size=0)
