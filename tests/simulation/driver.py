"""The adapter of a history: it dials when told, moves bytes as the network lets it, and says what happened, as adapters do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from resp_sansio import ConnectError
from resp_sansio.client import Client, Dial, Link, ObservedClient, Observers, ReadCache
from resp_sansio.connection import Slot, SlotState
from resp_sansio.testing import Server, Session, Socket, World
from simulation.interrupts import Interrupt, Struck
from simulation.script import FAULTS
from simulation.watching import observers_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulation.script import Script

__all__ = ["NAP", "Driver", "ProviderError", "Wire"]

NAP: Final = 0.25  # seconds after which those who wait look whether they still wait for something, at the latest
HEALED: Final = 3.0  # seconds: no dial fails by chance after that


class ProviderError(Exception):
    """The provider of credentials has failed."""


class Wire(Socket):
    """The client's end of a connection, and the link that it is of."""

    def __init__(self, driver: Driver, link: Link, server: Server) -> None:
        super().__init__(server, driver.random, driver.noise, len(driver.sockets))
        self.link = link
        self.spoilt = b""  # what is to come behind the next reply after which nothing is owed
        self.on_readable = partial(driver.read, self)
        self.on_writable = partial(driver.flush, link)


class Driver(World, ABC):
    """The machine, and what it is connected to."""

    struck_anywhere: ClassVar[bool] = False
    """May an interrupt come in each of the machine's steps? Else in those that callers, replies and time have it take."""

    def __init__(self, script: Script, trace: list[str] | None) -> None:
        super().__init__(
            script.seed,
            server=script.server,
            password=script.password,
            database=script.database,
            noise=script.noise,
            trace=trace,
        )
        self.script = script
        self.watching = observers_of(script.seed)
        self.observers = self._observers() if self.watching else None
        self.cache = ReadCache(script.config.cache) if script.config.cache is not None else None
        self.client = self._make()
        self.wires: dict[Link, Wire] = {}
        self.lent_sockets = 0  # open, and for leases
        self.shared: set[Session] = set()  # the server's ends of lanes
        self.spoils_next = False  # is more to come behind the answers to the next handshake?
        self.interrupted: Wire | None = None  # a signal comes as its bytes move
        self.strike = Interrupt()  # one that comes within the machine
        self.torn = False  # has there been one?
        self.dials: set[Dial] = set()  # those under way
        self.strikes = any(act.kind == "struck" for act in script.acts)
        self._faulty = any(act.kind in FAULTS for act in script.acts)

    @abstractmethod
    def carry_out(self, event: Any) -> None:
        """Do what the machine says."""

    def _observers(self) -> Observers:
        made = Observers(self.script.config.replace(observers=self.watching), once=self.script.mode == "once")
        made.now = lambda: self.clock.now
        return made

    def _make(self) -> Client:
        script, once = self.script, self.script.mode == "once"
        settings = script.settings if script.mode in ("client", "lanes", "single") else None
        pool = script.pool if script.mode in ("client", "lanes", "pool") else None
        random, observers, cache = self.random.random, self.observers, self.cache
        if observers is None:
            return Client(script.config, settings, pool, random=random, once=once, cache=cache)
        return ObservedClient(script.config, settings, pool, random=random, once=once, observers=observers, cache=cache)

    def starts(self, slot: Slot, lease: Any = None) -> bool:
        """Take the short path, if this adapter does, and the machine does not decline."""
        if not self.script.short:
            return False
        client, now, lane = self.client, self.clock.now, self.client.lane
        loan = client.lend_to(slot, now) if lease is None and lane is None else lease
        link = loan.connection if loan is not None else None if lane is None else lane.link
        unread = link not in self.wires or self.wires[link].unread
        if not unread and self._starts(client, slot, loan):
            return True
        if loan is not lease:
            client.take_back(slot, now)
        return False

    def _starts(self, client: Client, slot: Slot, loan: Any) -> bool:
        payload = client.start(slot, self.clock.now, loan)
        if payload is None:
            return False
        link, wire = slot.link, self.wires[slot.link]
        if payload:
            try:
                size = wire.send(payload)
            except BlockingIOError:
                size = 0
            except ConnectionResetError as error:
                link.core.unsent(payload)
                self.clock.after(0.0, self._send_failed, wire, error)
                return True
            if size < len(payload):
                link.core.unsent(memoryview(payload)[size:])
        else:
            self.flush(link)
        return True

    def flush(self, link: Link) -> None:
        """Send what the link has to send. What came on an idle link is read first: it must not answer what is sent now."""
        wire = self.wires.get(link)
        if wire is None or link.ended:
            return
        if wire.unread and not link.core.in_flight:
            self.clock.after(0.0, self._read_and_flush, wire)
            return
        core = link.core
        while block := core.data_to_send():
            try:
                size = wire.send(block)
            except BlockingIOError:
                return
            except ConnectionResetError as error:
                self.clock.after(0.0, self._send_failed, wire, error)
                return
            if self.interrupted is wire:
                self.interrupted = None
                self.tell("{} is interrupted while sending", link)
                self.client.abort(link, None, self.clock.now, uncertain=True)
                return
            core.sent(size)
            if size < len(block):
                return

    def _read_and_flush(self, wire: Wire) -> None:
        self.read(wire)
        self.flush(wire.link)

    def _send_failed(self, wire: Wire, error: Exception) -> None:
        self.read(wire)  # the server may have said why
        if not wire.link.ended:
            self.may_strike(self.client.send_failed, wire.link, error, self.clock.now)

    def may_strike(self, step: Callable[..., Any], *arguments: Any, torn: Link | None = None) -> Any:
        """Take a step of the machine's, which may be cut short, and put in order what that leaves: then it returns None."""
        if not self.struck_anywhere:
            return step(*arguments)
        try:
            return self.strike.into(step, *arguments)
        except Struck:
            self.mend(*([] if torn is None else [torn]))
            return None

    def read(self, wire: Wire) -> None:
        """Take in what has come."""
        link, client = wire.link, self.client
        while wire.unread and not link.ended and not wire.closed:
            what = wire.unread.pop(0)
            if isinstance(what, bytes):
                if self.interrupted is wire:
                    self.interrupted = None
                    self.tell("{} is interrupted while receiving", link)
                    client.abort(link, None, self.clock.now, uncertain=True)
                    return
                spoilt = self._spoil(wire)
                try:
                    events = self._take_in(link, what + spoilt)
                except Struck:
                    self.mend(link)
                    return
                self.hand_out(events)
                assert not spoilt or link.ended, "a reply too many did not end the connection"
                self.flush(link)
            else:
                self.may_strike(client.receive_eof, link, self.clock.now, what, torn=link)
        self.hand_out(client.events())

    def _take_in(self, link: Link, data: bytes) -> list[Any]:
        if not self.script.short:
            events: list[Any] = self.strike.into(self.client.receive_data, link, data, self.clock.now)
            return events
        answered = self.strike.into(self.client.receive_replies, link, data, self.clock.now)
        return self.client.events() if answered is None else [*answered]

    def _spoil(self, wire: Wire) -> bytes:
        """Return what is to come behind this, if it is the last that the client waits for.

        Not while the last command is on its way: what comes then is a push, and the answer is still to come.
        """
        core, oldest = wire.link.core, wire.link.core.oldest
        spoilt, alone = (
            wire.spoilt,
            core.in_flight == 1 and not (core.wants_to_send or wire.unread or wire.session.owes),
        )
        if not spoilt or not alone or oldest is None or oldest.missing > 1 or not oldest.plain:
            return b""
        if wire.dark or not (wire.nothing_comes and wire.nothing_goes) or oldest.state is not SlotState.HANDED:
            return b""
        wire.spoilt = b""
        return spoilt

    def hand_out(self, events: list[Any]) -> None:
        """Carry out events, and those that follow from them."""
        while events:
            if self.strikes:
                self.dials.update([event for event in events if isinstance(event, Dial)])
            for event in events:
                self.carry_out(event)
            events = self.client.events()

    def server_of(self, _dial: Dial) -> Server:
        """Where this leads."""
        return self.server

    def dial(self, client: Client, dial: Dial) -> None:
        if client is not self.client:
            return  # it was the parent's
        self.dials.discard(dial)
        now, server = self.clock.now, self.server_of(dial)
        wrong = server.wrong
        chance = self.random.random() if self._faulty and self.script.noise and now < HEALED else 1.0
        if client.closed is not None and chance < 0.5:
            self.may_strike(client.dial_failed, dial, None, now)
        elif wrong["vanished"] and now < dial.deadline:
            self.dials.add(dial)
            self.clock.at(dial.deadline, self.dial, client, dial)
        elif now >= dial.deadline:
            self.may_strike(client.dial_failed, dial, ConnectError("nothing came in time", transient=True), now)
        elif wrong["away"] or wrong["crashed"] or chance < 0.05:
            self.trouble(1.0)
            self.may_strike(client.dial_failed, dial, ConnectError("refused", transient=True), now)
        elif chance < 0.08:
            self.trouble(1.0)
            self.may_strike(client.dial_failed, dial, None, now)
        elif chance < 0.1:
            self.trouble(1.0)
            self.may_strike(client.dial_failed, dial, ProviderError("it has failed"), now)
        else:
            link = self.may_strike(client.connected, dial, now)
            if link is None:
                return
            self.tell("{} is open", link)
            self.wires[link] = wire = Wire(self, link, server)
            self.sockets.append(wire)
            if link.lane is None:
                self.lent_sockets += 1
            else:
                self.shared.add(wire.session)
            if self.spoils_next:
                self.spoils_next = False
                wire.spoilt = b"+surplus\r\n"
            wire.accept()
            self.flush(link)

    def mend(self, *torn: Link) -> None:
        """Put in order what an interrupt has left; those who wait look a little later whether they still wait for something."""
        self.tell("an interrupt strikes in {}", self.strike.place)
        self.torn = self.paused = True
        self.trouble(6.0)
        unknown = [link for link in self.client.links if link not in self.wires]  # it came as a socket had opened
        self.client.reconcile(self.clock.now, self.is_there, list(self.dials), [*torn, *unknown])
        self.hand_out(self.client.events())
        self.clock.after(NAP, self.resume, self.client)

    @abstractmethod
    def is_there(self, entry: Any) -> bool:
        """Does a caller wait for this?"""

    @abstractmethod
    def resume(self, client: Client) -> None:
        """Those who wait look whether they still wait for something."""

    def look(self, client: Client, link: Link) -> None:
        if client is self.client:
            self.read(self.wires[link])
            self.may_strike(client.looked, link, self.clock.now)
