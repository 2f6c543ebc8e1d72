"""One history: the client machine between callers and a server that exist in memory only, driven as an adapter drives it.

The world dials when told, moves bytes, says what happened, and wakes callers. Time jumps from one event to the next, and all that
happens follows from the script, so the same seed is the same history for ever.
"""

from __future__ import annotations

from math import inf
from random import Random
from typing import Any, Final

from resp_sansio import ConnectError, ConnectionClosedError, RespError, Slot, WatchLoop, new_slot
from resp_sansio.client import (
    Client,
    Close,
    Dial,
    Drained,
    Granted,
    Leaked,
    Link,
    Look,
    Pushed,
    Refused,
    Share,
    Waiter,
)
from simulation.callers import Caller, Messages, ProviderError
from simulation.checks import ENDS, PATIENCE, Call, Checks
from simulation.clock import Clock
from simulation.network import Wire
from simulation.script import FAULTS, PHASES, SPAN, Act, Script, draw
from simulation.server import Server

__all__ = ["World", "live"]

MANY: Final = 20_000  # steps: no history takes so many
LEFT: Final = {
    "silent": 12.0,
    "vanished": 12.0,
    "stall": 3.0,
    "hangs_up": 2.0,
}  # seconds until a client has got over it
LEASES: Final = frozenset({"borrow", "change", "keep", "subscribe"})
SAMPLED: Final = 8  # one history in so many is looked through for what its client keeps
HEALED: Final = 3.0  # seconds: no dial fails by chance after that


class World:
    """A history under way. `troubled`: until when something was wrong, or the client had to get over it."""

    def __init__(self, script: Script, *, trace: list[str] | None = None) -> None:
        self.script = script
        self.trace = trace
        self.clock = Clock()
        self.random = Random(script.seed ^ 0x5EED)
        self.server = Server(self.clock, kind=script.server, password=script.password, database=script.database)
        self.checks = Checks(self)
        self.server.arrived = self.checks.arrives
        self.client = self._make()
        self.wires: dict[Link, Wire] = {}
        self.live: dict[Slot, Call] = {}
        self.waiting: dict[Waiter, tuple[Caller, float]] = {}
        self.parked: dict[Any, Caller] = {}
        self.listeners: dict[Link, dict[bytes, Messages]] = {}
        self.heard: dict[tuple[Link, bytes], int] = {}
        self.tried: list[Slot] = []
        self.unheard: set[Slot] = set()
        self.watched: list[int] = []
        self.troubled = 0.0
        self.touched = self.steps = self.lent_sockets = self.calls = 0
        self.capacity = script.pool.max_size
        self.paused = False  # did the server say that it is not well? Then calls pause, and overtake each other
        self.connection: Waiter | None = None  # what `connect` gave
        self.drained = False
        self.wants_drain = False
        self.forked = self.spoils_next = False
        self._number = 0
        self._faulty = any(act.kind in FAULTS for act in script.acts)
        self._interrupted: Wire | None = None
        if script.mode == "once":
            self._connect()
        for act in script.acts:
            self.clock.at(act.at, self._act, act)
        self.clock.at(SPAN + 2.0, self._finish)

    def _make(self) -> Client:
        script, random = self.script, self.random.random
        match script.mode:
            case "pool":
                return Client(script.config, None, script.pool, random=random)
            case "once":
                return Client(script.config, random=random, once=True)
            case "single":
                return Client(script.config, script.settings, random=random)
        return Client(script.config, script.settings, script.pool, random=random)

    def tell(self, text: str, *about: Any) -> None:
        """Note what happens, for a reader of a failed history."""
        if self.trace is not None:
            self.trace.append(f"{self.clock.now:8.4f}  {text.format(*about)}")

    def run(self) -> None:
        """Live through it; raises `AssertionError` where something does not hold."""
        clock = self.clock
        while True:
            due = self.client.next_deadline()
            if clock.next <= due:
                if due == clock.next == inf:
                    break
                clock.step()
            else:
                clock.now = max(clock.now, due)
                self.client.handle_timeout(clock.now)
            self.hand_out(self.client.events())
            self.checks.capacity()
            self.steps += 1
            assert self.steps < MANY, "the history does not come to rest"
        self.checks.rest()
        self.checks.agree()
        if self.script.seed % SAMPLED == 0:  # takes as long as all the rest
            self.checks.let_go(self.client)

    # -- acts -------------------------------------------------------------------------------------------------------------------

    def _act(self, act: Act) -> None:
        if act.kind in FAULTS:
            self.tell("fault {}: {}", act.number, act.kind)
            if act.kind in PHASES:
                self._phase(act)
            else:
                getattr(self, f"_{act.kind}")(act)
            return
        listens = act.kind == "subscribe" and self.script.mode == "once"
        if act.kind in LEASES and self.client.pool is None and not listens:
            act = act._replace(kind="pipeline")
        caller = Caller(self, act)
        self.calls += 1
        self.tell("{} comes, for {} s", caller, act.seconds)
        caller.run()
        if act.leaves < inf:
            self.clock.after(act.leaves, caller.leave)

    def trouble(self, seconds: float) -> None:
        """Something is wrong, and the client needs so long to get over it."""
        self.troubled = max(self.troubled, self.clock.now + seconds)

    def _phase(self, act: Act) -> None:
        self.server.wrong[act.kind] += 1
        self.paused = True
        self.trouble(act.seconds + LEFT.get(act.kind, 1.5))
        if act.kind == "vanished":
            for wire in self.wires.values():
                wire.vanish()
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
        self._interrupted = self._some(act)
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

    def _drain(self, act: Act) -> None:
        if act.chance < 0.3:
            self.wants_drain = True
            self.client.drain(self.clock.now)

    def _close(self, act: Act) -> None:
        if act.chance < 0.3:
            self.client.close(self.clock.now)

    def _fork(self, act: Act) -> None:
        """This is the child from here on: every socket is the parent's, and every call, too."""
        if self.forked or act.chance > 0.5:
            return
        self.forked = True
        for wire in self.wires.values():
            wire.foreign = True
        for call in self.live.values():
            call.foreign = True
        before = self.client
        before.close(self.clock.now, "it was opened before a fork")
        if act.chance < 0.25:  # threads do not live on in a child; tasks do, and are told
            self.live.clear()
            self.waiting.clear()
            self.parked.clear()
            self.checks.queue.clear()
            before.events()
            for wire in self.wires.values():
                wire.close(shut_down=False)
        self.hand_out(before.events())
        self.checks.rest()
        self.lent_sockets = 0
        if self.script.mode != "once":
            self.tried.clear()
            self.client = self._make()
            self.capacity = self.script.pool.max_size

    def _finish(self) -> None:
        now = self.clock.now
        if (self.live or self.waiting or self.parked) and now < max(self.troubled, SPAN) + 2 * PATIENCE:
            self.clock.after(2.0, self._finish)
            return
        self.checks.quiet()
        assert self.drained or not self.wants_drain or self.forked, "what was drained has not ended"
        if self.random.random() < 0.5:
            self.client.drain(now)
            self.clock.after(3.0, self._end)
        else:
            self._end()

    def _end(self) -> None:
        self.client.close(self.clock.now)

    # -- callers ----------------------------------------------------------------------------------------------------------------

    def fresh(self, caller: Caller) -> int:
        """A number that no other command has."""
        self._number += 1
        if caller.act.kind == "watch":
            self.watched.append(self._number)
        self.checks.by_number[self._number] = self._latest = Call(_NONE, caller, (), self.clock.now)
        return self._number

    def submit(self, caller: Caller, slot: Slot, numbers: tuple[int, ...], lease: Any, epoch: int | None) -> None:
        """A caller begins a call."""
        now = self.clock.now
        call = Call(slot, caller, numbers, now)
        for number in numbers:
            self.checks.by_number[number] = call
        self.live[slot] = call
        self.checks.calls.append(call)
        if lease is None and self._starts(slot):
            self.tried.append(slot)
            return
        try:
            link = self.client.submit(slot, now, caller=caller.act.caller, lease=lease, epoch=epoch)
        except RespError:
            del self.live[slot]
            self.checks.calls.pop()
            raise
        self.tried.append(slot)
        if slot.call is not None and slot.call.waiter is not None:
            self.checks.queue[slot] = slot.call.waiter
        if link is not None:
            self.flush(link)

    def _starts(self, slot: Slot) -> bool:
        """Take the short path, if this adapter does, and the machine does not decline."""
        lane = self.client.lane
        if not self.script.short or lane is None or lane.link is None or self.wires[lane.link].unread:
            return False
        payload = self.client.start(slot, self.clock.now)
        if payload is None:
            return False
        link, wire = slot.link, self.wires[slot.link]
        if payload:
            try:
                size = wire.send(payload)
            except ConnectionResetError as error:
                link.core.unsent(payload)
                self.clock.after(0.0, self._send_failed, wire, error)
                return True
            if size < len(payload):
                link.core.unsent(memoryview(payload)[size:])
        else:
            self.flush(link)
        return True

    def is_over(self, slot: Slot) -> bool:
        """Has this call ended?"""
        return slot not in self.live

    def abandon(self, slot: Slot) -> None:
        """The caller of this slot has gone; it may be over by now."""
        call = self.live.pop(slot, None)
        self.parked.pop(slot, None)
        if call is not None and slot.state in ENDS:
            self.unheard.add(slot)  # its end is still to be told
        self.client.abandon(slot, self.clock.now)
        if call is not None:
            call.left = self.clock.now
            self.checks.queue.pop(slot, None)
            assert slot.state in ENDS, f"{slot} was abandoned"

    def acquire(self, caller: Caller, deadline: float) -> Waiter:
        """A caller asks for a link of its own."""
        if self.script.mode == "once":
            if self.connection is None or self.connection.lease is None:
                raise ConnectionClosedError("there is no connection")
            return self.connection
        waiter = self.client.acquire(caller, self.clock.now, deadline=deadline, borrower="here")
        self.waiting[waiter] = caller, self.clock.now
        self.checks.queue[waiter] = waiter.place
        return waiter

    def withdraw(self, waiter: Waiter) -> None:
        """It does not wait any more."""
        self.waiting.pop(waiter, None)
        self.parked.pop(waiter, None)
        self.checks.queue.pop(waiter, None)
        self.client.withdraw(waiter, self.clock.now)

    def granted(self, caller: Caller, lease: Any) -> None:
        """A caller has a link."""
        self.tell("{} has {}", caller, lease)

    def shares(self, lease: Any) -> bool:
        """Is this the link of all callers?"""
        return self.script.mode == "once" and isinstance(lease, Share)

    def release(self, lease: Any) -> None:
        """A caller gives its link back."""
        if self.script.mode != "once":
            self.listeners.pop(lease.connection, None)
            self.client.release(lease, self.clock.now)

    def unwatch(self, lease: Any) -> None:
        """End a WATCH; nobody waits for the answer."""
        slot = new_slot(WatchLoop.unwatch.args)
        try:
            link = self.client.submit(slot, self.clock.now, lease=lease)
        except RespError:
            return
        self.live[slot] = Call(slot, None, (), self.clock.now)
        assert link is not None
        self.flush(link)

    def listen(self, caller: Caller, link: Link, channel: bytes) -> Messages:
        """A caller wants the pushes of this channel, which comes by this link."""
        messages = Messages(channel)
        self.listeners.setdefault(link, {})[channel] = messages
        for number in range(3):
            self.clock.after(0.05 + number * caller.act.chance * 0.2, self.server.publish, channel)
        return messages

    @staticmethod
    def can_listen(link: Link) -> bool:
        """Can more come by this link?"""
        return not link.ended

    def park(self, caller: Caller, waits: Any) -> None:
        """A caller waits for this."""
        self.parked[waits] = caller
        if isinstance(waits, Messages):
            self.clock.after(0.5, self._wake, waits)

    def _wake(self, waits: Any) -> None:
        caller = self.parked.pop(waits, None)
        if caller is None:
            return
        if self.script.noise and self.random.random() < 0.2:
            self.clock.after(self.random.random() * 0.002, self._resume, caller, waits)
        else:
            self._resume(caller, waits)

    @staticmethod
    def _resume(caller: Caller, waits: Any) -> None:
        if caller.waits is waits:
            caller.run()

    def _connect(self) -> None:
        self.connection = self.client.acquire("the connection", 0.0)

    # -- the adapter ------------------------------------------------------------------------------------------------------------

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
                size = wire.send(bytes(block))
            except ConnectionResetError as error:
                self.clock.after(0.0, self._send_failed, wire, error)
                return
            if self._interrupted is wire and size:
                self._interrupted = None
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
            self.client.send_failed(wire.link, error, self.clock.now)

    def writable(self, link: Link) -> None:
        """The network takes bytes again."""
        self.flush(link)

    def read(self, wire: Wire) -> None:
        """Take in what has come."""
        link, client = wire.link, self.client
        while wire.unread and not link.ended and not wire.closed:
            what = wire.unread.pop(0)
            if isinstance(what, bytes):
                if self._interrupted is wire:
                    self._interrupted = None
                    self.tell("{} is interrupted while receiving", link)
                    client.abort(link, None, self.clock.now, uncertain=True)
                    return
                spoilt = self._spoil(wire)
                self.hand_out(self._take_in(link, what + spoilt))
                assert not spoilt or link.ended, "a reply too many did not end the connection"
                self.flush(link)
            else:
                client.receive_eof(link, self.clock.now, what)
        self.hand_out(client.events())

    def _take_in(self, link: Link, data: bytes) -> list[Any]:
        if not self.script.short:
            return self.client.receive_data(link, data, self.clock.now)
        answered = self.client.receive_replies(link, data, self.clock.now)
        return self.client.events() if answered is None else [*answered]

    def _spoil(self, wire: Wire) -> bytes:
        """Return what is to come behind this, if it is the last that the client waits for."""
        core, oldest = wire.link.core, wire.link.core.oldest
        spoilt, alone = (
            wire.spoilt,
            core.in_flight == 1 and not (core.wants_to_send or wire.unread or wire.session.owes),
        )
        if not spoilt or not alone or oldest is None or oldest.missing > 1 or not oldest.plain:
            return b""
        if wire.noise or oldest.state.name != "HANDED":
            return b""  # there may be more to come
        wire.spoilt = b""
        return spoilt

    def hand_out(self, events: list[Any]) -> None:
        """Carry out events, and those that follow from them."""
        while events:
            for event in events:
                self._carry_out(event)
            events = self.client.events()

    def _carry_out(self, event: Any) -> None:
        match event:
            case Slot():
                self._over(event)
            case Link():
                self.flush(event)
            case Dial():
                self.clock.after(self.random.random() * 0.01, self._dial, self.client, event)
            case Look(link):
                self.clock.after(0.0, self._look, self.client, link)
            case Granted(waiter):
                self.waiting.pop(waiter, None)
                self.checks.granted(waiter)
                self._wake(waiter)
            case Refused(waiter):
                if waiter in self.waiting:
                    self.checks.refused(waiter, *self.waiting.pop(waiter))
                self._wake(waiter)
            case Close(link):
                self._closed(link)
            case Pushed(link, push):
                self._pushed(link, push.push)
                link.core.push_taken()
            case Drained():
                self.drained = True
            case Leaked(lease):
                assert self.clock.now - lease.since >= 0.499

    def _over(self, slot: Slot) -> None:
        call = self.live.pop(slot, None)
        if slot in self.unheard:
            self.unheard.remove(slot)
            return
        assert call is not None, f"{slot} ended twice, or nobody waited for it"
        if call.caller is not None:
            self.tell("{} of {} is over", slot, call.caller)
            self.checks.ended(call)
        self._wake(slot)

    def _closed(self, link: Link) -> None:
        wire = self.wires[link]
        assert not wire.closed, "a socket was closed twice"
        self.tell("{} is closed", link)
        wire.close()
        if link.lane is None and not wire.foreign:
            self.lent_sockets -= 1
        for messages in self.listeners.pop(link, {}).values():
            self._wake(messages)

    def _pushed(self, link: Link, push: Any) -> None:
        assert push.kind == "message", push
        channel, message = push.items
        messages = self.listeners.get(link, {}).get(channel)
        last = self.heard.get((link, channel))
        assert last is None or int(message) == last + 1, f"{channel!r}: {message!r} came behind {last}"
        self.heard[link, channel] = int(message)
        if messages is not None:
            messages.came.append(push)
            self._wake(messages)

    def _dial(self, client: Client, dial: Dial) -> None:
        if client is not self.client:
            return  # it was the parent's
        now, wrong = self.clock.now, self.server.wrong
        chance = self.random.random() if self._faulty and self.script.noise and now < HEALED else 1.0
        if client.closed is not None and chance < 0.5:
            client.dial_failed(dial, None, now)
        elif wrong["vanished"] and now < dial.deadline:
            self.clock.at(dial.deadline, self._dial, client, dial)
        elif now >= dial.deadline:
            client.dial_failed(dial, ConnectError("nothing came in time", transient=True), now)
        elif wrong["away"] or chance < 0.05:
            self.trouble(1.0)
            client.dial_failed(dial, ConnectError("refused", transient=True), now)
        elif chance < 0.08:
            self.trouble(1.0)
            client.dial_failed(dial, None, now)
        elif chance < 0.1:
            self.trouble(1.0)
            client.dial_failed(dial, ProviderError("it has failed"), now)
        else:
            link = client.connected(dial, now)
            self.tell("{} is open", link)
            if link.lane is None:
                self.lent_sockets += 1
            self.wires[link] = Wire(link, self.server, self.clock, self.random, self.script.noise, self)
            if self.spoils_next:
                self.spoils_next = False
                self.wires[link].spoilt = b"+surplus\r\n"
            self.flush(link)

    def _look(self, client: Client, link: Link) -> None:
        if client is self.client:
            self.read(self.wires[link])
            client.looked(link, self.clock.now)


_NONE: Final[Any] = None


def live(seed: int) -> World:
    """Live through the history of this seed."""
    world = World(draw(seed))
    world.run()
    return world
