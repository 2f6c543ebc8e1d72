"""One history: the client machine between callers and a server that exist in memory only, driven as an adapter drives it.

The world dials when told, moves bytes, says what happened, and wakes callers. Time jumps from one event to the next, and all that
happens follows from the script, so the same seed is the same history for ever.
"""

from __future__ import annotations

from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING, Any, ClassVar, Final

from core.client.notes import begin, end
from resp_sansio import ConnectionClosedError, RespError
from resp_sansio.client import (
    CachedRead,
    Client,
    Close,
    Dial,
    Drained,
    Granted,
    Heard,
    Kept,
    Leaked,
    Link,
    Listener,
    Look,
    Refused,
    Report,
    Share,
    Waiter,
    WatchLoop,
    touched_by,
)
from resp_sansio.connection import Slot, new_slot
from resp_sansio.testing import PATIENCE
from resp_sansio.wire import encode_command
from simulation.callers import Caller, Cancelled, Messages, Nap
from simulation.checks import ENDS, Call, Checks
from simulation.driver import NAP
from simulation.interrupts import Struck
from simulation.script import FAULTS, SPAN, Act, Script, draw
from simulation.trouble import Trouble
from simulation.watching import Watching, asking, quiet

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["World", "live"]

MANY: Final = 20_000  # steps: no history takes so many
LATE: Final = ("add", "borrow", "add")  # the last callers
LEASES: Final = frozenset({"borrow", "change", "keep", "shard", "subscribe"})
SAMPLED: Final = 8  # one history in so many is looked through for what its client keeps


class World(Trouble):
    """A history under way: callers, what they wait for, and what has ended."""

    checks_type: ClassVar[type[Checks]] = Checks
    caller_type: ClassVar[type[Caller]] = Caller
    faults: ClassVar[Collection[str]] = FAULTS

    def __init__(self, script: Script, *, trace: list[str] | None = None) -> None:
        super().__init__(script, trace)
        self.checks: Checks = self.checks_type(self)
        self.server.data[b"w"] = 0
        self.server.changed = self._changed
        self.server.arrived = self.checks.arrives
        self.live: dict[Slot, Call] = {}
        self.waiting: dict[Waiter, tuple[Caller, float]] = {}
        self.parked: dict[Any, Caller] = {}
        self.listeners: dict[Link, dict[bytes, Messages]] = {}
        self.hearing: dict[Link, Listener] = {}
        self.heard: dict[tuple[Link, bytes], int] = {}
        self.tried: list[Slot] = []
        self.unheard: set[Slot] = set()
        self.watched: list[int] = []
        self.struck: set[Any] = set()  # callers that have gone, as they asked for a link or waited for one
        self.steps = self.calls = 0
        self.connection: Waiter | None = None  # what `connect` gave
        self.drained = False
        self.wants_drain = False
        self.forked = False
        if script.mode == "once":
            self._connect()
        for act in script.acts:
            self.clock.at(act.at, self._act, act)
        self.clock.at(SPAN + 2.0, self._finish)

    def run(self) -> None:
        """Live through it; raises `AssertionError` where something does not hold."""
        with quiet():
            self._run()

    def _run(self) -> None:
        clock = self.clock
        while True:
            due = self.client.next_deadline()
            if clock.next <= due:
                if due == clock.next == inf:
                    break
                clock.step()
            else:
                clock.now = max(clock.now, due)
                try:
                    self.strike.into(self.client.handle_timeout, clock.now)
                except Struck:
                    self.mend()
            self.hand_out(self.client.events())
            self.checks.capacity()
            self.checks.in_order()
            self.steps += 1
            assert self.steps < MANY, "the history does not come to rest"
        self.checks.rest()
        self.checks.agree()
        self.checks.observed()
        if self.script.seed % SAMPLED == 0:  # takes as long as all the rest
            self.checks.let_go(self.client)

    # -- acts -------------------------------------------------------------------------------------------------------------------

    def _act(self, act: Act) -> None:
        if act.kind in self.faults:
            self.happens(act)
            return
        listens = act.kind == "subscribe" and self.script.mode == "once"
        if act.kind in LEASES and not self.client.lends and not listens:
            act = act._replace(kind="pipeline")
        caller = self.caller_type(self, act)
        self.calls += 1
        self.tell("{} comes, for {} s", caller, act.seconds)
        caller.run()
        if act.leaves < inf:
            self.clock.after(act.leaves, caller.leave)

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
        if self.torn:
            self.resume(before)
        before.close(self.clock.now, "it was opened before a fork")
        if act.chance < 0.25:  # threads do not live on in a child; tasks do, and are told
            for observer in self.watching:
                if isinstance(observer, Watching):
                    observer.forget()
            self.live.clear()
            self.waiting.clear()
            self.parked.clear()
            self.checks.queue.clear()
            before.events()
            for wire in self.wires.values():
                wire.close(shut_down=False)
        events = before.events()
        for link in [event.link for event in events if isinstance(event, Look)]:
            before.looked(link, self.clock.now)  # at once: there is nothing to be read on a socket of the parent's
        self.hand_out([*events, *before.events()])
        if self.torn:  # an interrupt may have struck one that was told so
            self.resume(before)
            self.hand_out(before.events())
        self.dials.clear()
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
        if not self.late and now <= self.troubled:
            self.clock.at(self.troubled + 0.01, self._finish)
            return
        if not self.late:
            self._come_late()
            return
        self.checks.quiet()
        assert self.drained or not self.wants_drain or self.forked, "what was drained has not ended"
        if self.random.random() < 0.5:
            self.client.drain(now)
            self.clock.after(3.0, self._end)
        else:
            self._end()

    def _come_late(self) -> None:
        """All is well again, so the last callers are served."""
        self.late = True
        self.interrupted, self.spoils_next, self.strike.left = None, False, 0
        self.heal()
        for wire in self.wires.values():
            wire.spoilt = b""
        for number, kind in enumerate(LATE):  # one by one: a breaker lets one through, and refuses the others meanwhile
            act = Act(self.clock.now + number * 0.5, kind, len(self.script.acts) + number, 0, inf, inf, 0.5)
            self.clock.at(act.at, self._act, act)
        self.clock.after(2.0, self._finish)

    def _end(self) -> None:
        self.client.close(self.clock.now)

    # -- callers ----------------------------------------------------------------------------------------------------------------

    def fresh(self, caller: Caller) -> int:
        """A number that no other command has."""
        number = self.checks.number()
        if caller.act.kind == "watch":
            self.watched.append(number)
        self.checks.by_number[number] = Call(None, caller, (), self.clock.now)
        return number

    def submit(self, caller: Caller, slot: Slot, numbers: tuple[int, ...], lease: Any, epoch: int | None) -> None:
        """A caller begins a call."""
        now = self.clock.now
        call = Call(slot, caller, numbers, now)
        for number in numbers:
            self.checks.by_number[number] = call
        self.live[slot] = call
        self.checks.calls.append(call)
        self.checks.comes(slot)
        self._begins(slot, numbers)
        self.changes(slot)
        if epoch is None and self.starts(slot, lease):
            self.tried.append(slot)
            return
        try:
            link = self.strike.into(self.client.submit, slot, now, caller=caller.act.caller, lease=lease, epoch=epoch)
        except RespError as error:
            del self.live[slot]
            self.checks.calls.pop()
            self._ends(slot, error)
            raise
        except Struck as struck:
            del self.live[slot]
            self.mend()
            self.client.abandon(slot, now)
            call.left = now
            self._ends(slot, struck)
            raise Cancelled from None
        self.tried.append(slot)
        if self.client.several_lanes:
            self.checks.keeps_its_lane(call)
        if slot.call is not None and slot.call.waiter is not None:
            self.checks.queue[slot] = slot.call.waiter
        if link is not None:
            self.flush(link)

    def _begins(self, slot: Slot, numbers: tuple[int, ...]) -> None:
        if self.observers is not None:
            asking.set(numbers)
            begin(self.observers, slot)
            asking.set(())

    def _ends(self, slot: Slot, error: BaseException | None = None) -> None:
        if getattr(slot, "watch", None) is not None:
            end(self.observers, slot, error)

    def changes(self, slot: Slot) -> None:
        """What a call may change falls from the cache: when it begins, and again when it is over."""
        if self.cache is not None and slot.payload and not isinstance(slot, CachedRead):
            self.cache.wrote(touched_by(slot))

    def kept(self, key: str = "w") -> int | None:
        """What the client keeps of this key."""
        if self.cache is None:
            return None
        self.cache.looked(self.clock.now)
        found = self.cache.find(encode_command(("GET", key)), self.clock.now)
        return int(found.reply) if isinstance(found, Kept) else None

    def _changed(self, key: bytes, value: int) -> None:
        if key == b"w":
            self.checks.values.append((self.clock.now, value))

    def is_over(self, slot: Slot) -> bool:
        """Has this call ended?"""
        return slot not in self.live

    def abandon(self, slot: Slot) -> None:
        """The caller of this slot has gone; it may be over by now."""
        call = self.live.pop(slot, None)
        self.parked.pop(slot, None)
        if call is not None and slot.state in ENDS:
            self.unheard.add(slot)  # its end is still to be told
        if self.may_strike(self._gives_up, slot) is None:
            self.client.abandon(slot, self.clock.now)
        self.changes(slot)
        if call is not None:
            call.left = self.clock.now
            self._ends(slot, Cancelled())
            self.checks.queue.pop(slot, None)
            assert slot.state in ENDS, f"{slot} was abandoned"

    def _gives_up(self, entry: Slot | Waiter) -> bool:
        if isinstance(entry, Slot):
            self.client.abandon(entry, self.clock.now)
        else:
            self.client.withdraw(entry, self.clock.now)
        return True

    def acquire(self, caller: Caller, deadline: float) -> Waiter:
        """A caller asks for a link of its own."""
        if self.script.mode == "once":
            if self.connection is None or self.connection.lease is None:
                raise ConnectionClosedError("there is no connection")
            return self.connection
        where = self.where(caller)
        lease = self.client.lend(self.clock.now, "here", **where) if self.script.short and not self.strikes else None
        try:
            waiter: Waiter = self.strike.into(
                self.client.acquire, caller, self.clock.now, deadline=deadline, borrower="here", held=lease, **where
            )
        except Struck:
            self.struck.add(caller)
            self.mend()
            raise Cancelled from None
        self.waiting[waiter] = caller, self.clock.now
        self.checks.comes(waiter)
        self.checks.queue[waiter] = waiter.place
        return waiter

    def where(self, _caller: Caller) -> dict[str, Any]:
        """To which server a link of one's own is to lead."""
        return {}

    def withdraw(self, waiter: Waiter) -> None:
        """It does not wait any more."""
        self.waiting.pop(waiter, None)
        self.parked.pop(waiter, None)
        self.checks.queue.pop(waiter, None)
        self.struck.add(waiter.token)
        if self.may_strike(self._gives_up, waiter) is None:
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
            if (listener := self.hearing.pop(lease.connection, None)) is not None:
                self.client.stop_listening(listener)
            self.client.release(lease, self.clock.now)

    def unwatch(self, lease: Any) -> None:
        """End a WATCH; no caller waits for the answer."""
        with suppress(RespError):
            self.send_ahead(new_slot(WatchLoop.unwatch.args), lease)

    def send_ahead(self, slot: Slot, lease: Any) -> None:
        """Begin a call on a lease; no caller waits for the answer. Raises `RespError`."""
        link = self.client.submit(slot, self.clock.now, lease=lease)
        self.live[slot] = Call(slot, None, (), self.clock.now)
        assert link is not None
        self.flush(link)

    def listen(self, caller: Caller, loan: Any, channel: bytes) -> Messages:
        """A caller wants the pushes of this channel, which comes by its link."""
        messages, link = Messages(channel), loan.connection
        if link not in self.hearing and not link.ended:
            self.hear(loan)
        self.listeners.setdefault(link, {})[channel] = messages
        for number in range(3):
            self.clock.after(0.05 + number * caller.act.chance * 0.2, self.server.publish, channel)
        return messages

    def hear(self, loan: Any) -> None:
        """Wait for the next push on this link."""
        self.hearing[loan.connection] = listener = Listener(loan)
        try:
            self.client.listen(listener)
        except ConnectionClosedError:  # an interrupt has ended it
            assert self.torn
            del self.hearing[loan.connection]

    @staticmethod
    def can_listen(link: Link) -> bool:
        """Can more come by this link?"""
        return not link.ended

    def park(self, caller: Caller, waits: Any) -> None:
        """A caller waits for this."""
        self.parked[waits] = caller
        if isinstance(waits, Messages):
            self.clock.after(0.5, self._wake, waits)
        elif isinstance(waits, Nap):
            self.clock.after(waits.seconds, self._wake, waits)

    def _wake(self, waits: Any) -> None:
        caller = self.parked.pop(waits, None)
        if caller is None:
            return
        if self.script.noise and self.random.random() < 0.2:
            self.clock.after(self.random.random() * 0.02, self._resume, caller, waits)
        else:
            self._resume(caller, waits)

    @staticmethod
    def _resume(caller: Caller, waits: Any) -> None:
        if caller.waits is waits:
            caller.run()

    def _connect(self) -> None:
        self.connection = self.client.acquire("the connection", 0.0)

    # -- after an interrupt -----------------------------------------------------------------------------------------------------

    def is_there(self, entry: Any) -> bool:
        """Does a caller wait for this?"""
        if isinstance(entry, Slot):
            return entry in self.live
        if isinstance(entry, Listener):
            return entry in self.hearing.values()
        return entry.token not in self.struck and not getattr(entry.token, "gone", False)

    def mend(self, *torn: Link) -> None:
        """As of the driver. From here on it is not known in which order callers are served."""
        self.checks.queue.clear()
        super().mend(*torn)
        self.close_ended()
        waiting: list[Slot | Waiter] = [*self.live, *self.waiting]
        for when in {entry.deadline for entry in waiting}:
            if when < self.clock.now + NAP:
                self.clock.at(when, self.resume, self.client)

    def resume(self, client: Client) -> None:
        """Those who wait look whether they still wait for something."""
        if client is self.client:
            waiting: list[Slot | Waiter | Listener] = [*self.live, *self.waiting, *self.hearing.values()]
            for entry in waiting:
                client.resume(entry, self.clock.now)
            client.handle_timeout(self.clock.now)
            self.close_ended()

    def close_ended(self) -> None:
        """Close the sockets of links that have ended without a word."""
        for link, wire in self.wires.items():
            if link.ended and not wire.closed:
                self._closed(link)

    # -- the adapter ------------------------------------------------------------------------------------------------------------

    def carry_out(self, event: Any) -> None:
        """Do what the machine says, and wake those who wait."""
        match event:
            case Slot():
                self._over(event)
            case Link():
                self.flush(event)
            case Dial():
                self.clock.after(self.random.random() * 0.01, self.dial, self.client, event)
            case Look(link):
                self.clock.after(0.0, self.look, self.client, link)
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
            case Heard(listener):
                if self.hearing.get(listener.link) is listener and listener.error is None:
                    self.hear(listener.what)  # before its caller, which may leave
                    self._pushed(listener.link, listener.result())
            case Drained():
                self.drained = True
            case Report(report):
                report()
            case Leaked(lease):
                assert self.clock.now - lease.since >= 0.499

    def _over(self, slot: Slot) -> None:
        self.changes(slot)
        call = self.live.pop(slot, None)
        if slot in self.unheard:
            self.unheard.remove(slot)
            return
        if call is None and self.torn:
            return  # told once more
        assert call is not None, f"{slot} ended twice, or no caller waited for it"
        if call.caller is not None:
            self.tell("{} of {} is over", slot, call.caller)
            self.checks.ended(call)
            self._ends(slot)
        self._wake(slot)

    def _closed(self, link: Link) -> None:
        if self.torn and (link not in self.wires or self.wires[link].closed):
            return
        wire = self.wires[link]
        assert not wire.closed, "a socket was closed twice"
        self.tell("{} is closed", link)
        wire.close()
        if link.lane is None and not wire.foreign:
            self.lent_sockets -= 1
        for messages in self.listeners.pop(link, {}).values():
            self._wake(messages)

    def _pushed(self, link: Link, push: Any) -> None:
        if push.kind == "sunsubscribe":
            return  # its slot has moved
        assert push.kind in ("message", "smessage"), push
        channel, message = push.items
        messages = self.listeners.get(link, {}).get(channel)
        if self.torn and link.ended:
            return  # its caller has been told of the end
        last = self.heard.get((link, channel))
        assert last is None or int(message) == last + 1, f"{channel!r}: {message!r} came behind {last}"
        self.heard[link, channel] = int(message)
        assert messages is not None, f"{channel!r} came on a link where no caller listens"
        messages.came.append(push)
        self._wake(messages)


def live(seed: int) -> World:
    """Live through the history of this seed."""
    world = World(draw(seed))
    world.run()
    return world
