"""Histories of which no author of tests would think: the client machine against simple servers, with every step in every order.

The model knows each call, what the servers ran of it, and what is still to be carried out: dials, looks, and bytes that lie on the
wires until hypothesis moves them. What must hold:

- each call ends once, with its own reply or one error; a caller that has gone hears nothing;
- NOT_SENT is never said of what a server ran, nor MAYBE_EXECUTED of what no network took whole; nothing runs twice but reads;
- who asks first is served first, by lanes and by leases; a caller's commands run in its order;
- no more connections than were allowed, and counts that add up;
- no call ends before its deadline for want of time, none outlives it, and none waits for it while the server is well;
- what is closed or drained comes to rest, with nothing left;
- observers are told of each call once that it began and once that it ended, as it did, and of each connection likewise; times are
  never negative, and add up.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from core.client.notes import Notes, begin, end
from resp_sansio import (
    CallBegan,
    CallEnded,
    CallRetried,
    ClientSettings,
    ClientStats,
    CloseReason,
    CommandTimeoutError,
    Config,
    ConnectError,
    ConnectionClosedError,
    LinkClosed,
    LinkOpened,
    Outcome,
    PoolFullError,
    PoolSettings,
    PoolStats,
    Reply,
    ReplyDropped,
    ReplyError,
    RespError,
    Retry,
    TransactionAbortedError,
)
from resp_sansio.client import (
    Client,
    Close,
    Dial,
    Drained,
    Granted,
    Heard,
    Leaked,
    Link,
    Look,
    ObservedClient,
    Observers,
    Refused,
    Report,
    Waiter,
    error_of,
)
from resp_sansio.connection import Batch, Slot, SlotState, new_batch, new_slot, prepare
from resp_sansio.testing import Peer
from resp_sansio.wire import CommandParser

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CONFIG: Final = Config.from_url(
    "redis://model", timeout=None, connect_timeout=2.0, ping_interval=20.0, silence_timeout=3.0
)
ENDS: Final = frozenset({SlotState.ANSWERED, SlotState.LOST, SlotState.ABANDONED, SlotState.WITHDRAWN})
PATIENCE: Final = 5.0
"""Seconds in which every caller is served once all is well: pauses are half a second at most."""

WHICH: Final = st.integers(0, 5)
AMOUNTS: Final = st.sampled_from([1, 7, 60, 10**6, 10**6])
TIMES: Final = st.sampled_from([inf, inf, 60.0, 60.0, 1.0, 0.05])
KINDS: Final = st.sampled_from(["GET", "GET", "INCR", "INCR", "BLPOP", "pipeline", "transaction"])
TROUBLES: Final = st.sampled_from(["loading", "replica", "refuses", "well", "well"])


@dataclass(eq=False)
class Call:
    """What a caller asked for: a slot, or a link of its own."""

    number: int
    caller: object
    deadline: float
    by_lane: bool
    keys: Sequence[str] = ()
    commands: Sequence[tuple[str, ...]] = ()
    slot: Slot | None = None
    waiter: Waiter | None = None
    lease: Any = None  # under which it was submitted
    live: bool = True
    unsure: bool = False  # more of it may have left than the network took by this model
    moved: bool = False  # it may have lost its place in the order: by another attempt, or a new generation

    def ask(self, *commands: tuple[str, ...]) -> None:
        """Make its slot, for one command or several."""
        self.commands = commands
        prepared = [prepare(words) for words in commands]
        if len(commands) == 1:
            self.slot = new_slot(commands[0], None, self.deadline)
        else:
            self.slot = new_batch(
                [payload for payload, _ in prepared], [info for _, info in prepared], None, self.deadline
            )


@dataclass(eq=False)
class Wire:
    """The network under one link, and the server's end of it."""

    link: Link
    peer: Peer
    taken: bytearray = field(default_factory=bytearray)  # of the client's bytes, by the network
    served: int = 0  # of them, by the server
    back: bytearray = field(default_factory=bytearray)  # what the server said, and the client has not read
    cut: bool = False


@dataclass(eq=False)
class Held:
    """A link that a caller has for itself."""

    lease: Any
    epoch: int | None = None


class Histories(RuleBasedStateMachine):
    """One client, its callers and its servers."""

    # -- the beginning -----------------------------------------------------------------------------------------------------

    @initialize(
        mode=st.sampled_from(["client", "client", "lanes", "lanes", "pool", "pool", "single", "once"]),
        size=st.integers(1, 3),
        least=st.sampled_from([0, 0, 0, 1]),
        attempts=st.sampled_from([1, 2, 10]),
        pre_ping=st.sampled_from([False, False, False, True]),
        max_waiting=st.sampled_from([None, None, None, 2]),
        breaker=st.sampled_from([None, None, None, 2]),
        max_idle=st.sampled_from([None, None, 0.5]),
        chance=st.sampled_from([0.1, 0.5, 0.99]),
        recovers=st.booleans(),
        trouble=st.sampled_from(["well", "well", "loading"]),
        observed=st.booleans(),
    )
    def begin(
        self,
        mode: str,
        size: int,
        least: int,
        attempts: int,
        pre_ping: bool,
        max_waiting: int | None,
        breaker: int | None,
        max_idle: float | None,
        chance: float,
        recovers: bool,
        trouble: str,
        observed: bool,
    ) -> None:
        retry = Retry(attempts=attempts)
        pool = PoolSettings(
            max_size=size, min_size=min(least, size), retry=retry, pre_ping=pre_ping, max_waiting=max_waiting,
            breaker_failures=breaker, breaker_seconds=0.5, max_idle=max_idle, leak_after=30.0,
        )  # fmt: skip
        lanes = ClientSettings(lanes=2 if mode == "lanes" else 1, retry=retry)
        self.mode = mode
        self.recovers = recovers  # before the end
        self.once = mode == "once"
        self.now = 0.0
        self.notes = Notes()
        self.observers = Observers(CONFIG.replace(observers=[self.notes]), once=self.once) if observed else None
        settings = None if mode in ("pool", "once") else lanes, None if mode in ("single", "once") else pool
        self.client: Client
        if self.observers is None:
            self.client = Client(CONFIG, *settings, random=lambda: chance, once=self.once)
        else:
            self.observers.now = lambda: self.now
            self.client = ObservedClient(
                CONFIG, *settings, random=lambda: chance, once=self.once, observers=self.observers
            )
        self.told = 0  # calls that observers were to be told of
        self.reports: list[Callable[[], None]] = []
        self.trouble = trouble
        self.calls: list[Call] = []
        self.of: dict[object, Call] = {}  # by slot or waiter
        self.owner: dict[bytes, Call] = {}  # by key
        self.ran: Counter[bytes] = Counter()
        self.queue: list[Call] = []  # those that wait for a lease, in the order in which they asked
        self.wires: dict[Link, Wire] = {}
        self.announced: set[Link] = set()  # they have something to send
        self.dials: list[Dial] = []
        self.looks: list[Link] = []
        self.held: list[Held] = []
        self.given_back: list[Any] = []
        self.leaked: list[Any] = []
        self.drained = self.drains = 0
        self.ends = False  # drained or closed
        self.most = size
        self.places = 0
        self.client.open(self.now)
        if self.once:
            self.acquire(inf, 0)
        self.carry_out()

    # -- callers -----------------------------------------------------------------------------------------------------------

    def _live(self) -> list[Call]:
        return [call for call in self.calls if call.live]

    def _new(self, caller: int, time: float, keys: int, *, by_lane: bool) -> Call:
        number = len(self.calls)
        # With several lanes, a caller's own order is all that is promised.
        whose = caller % 3 if self.mode == "lanes" else None
        call = Call(number, whose, self.now + time, by_lane, [f"{number}.{index}" for index in range(keys)])
        for key in call.keys:
            self.owner[key.encode()] = call
        return call

    def _make(self, kind: str, time: float, caller: int) -> Call:
        by_lane = self.mode != "pool" and (kind != "BLPOP" or self.mode in ("single", "once"))
        count = {"pipeline": 3, "transaction": 2}.get(kind, 1)
        call = self._new(caller, time, count, by_lane=by_lane)
        keys = call.keys
        match kind:
            case "pipeline":
                commands: list[tuple[str, ...]] = [("INCR", keys[0]), ("GET", keys[1]), ("INCR", keys[2])]
            case "transaction":
                commands = [("MULTI",), ("INCR", keys[0]), ("GET", keys[1]), ("EXEC",)]
            case "BLPOP":
                commands = [("BLPOP", keys[0], "1")]
            case _:
                commands = [(kind, keys[0])]
        call.ask(*commands)
        return call

    def _submit(self, call: Call, **options: Any) -> None:
        slot = call.slot
        assert slot is not None
        before = (slot.state, slot.call)
        begin(self.observers, slot)
        self.told += 1
        try:
            link = self.client.submit(slot, self.now, caller=call.caller, **options)
        except (ConnectionClosedError, PoolFullError, TransactionAbortedError) as error:
            if isinstance(error, ConnectionClosedError) and not (self.ends or self.client.closed or options):
                raise
            call.live = False
            assert (slot.state, slot.call) == before, "refused, and changed"
            end(self.observers, slot, error, held=call.lease is not None)
            self.carry_out()
            return
        self.calls.append(call)
        self.of[slot] = call
        if not call.by_lane and call.lease is None:
            self.queue.append(call)
        if link is not None:
            assert slot.link is link
            self.announced.add(link)
        self.carry_out()

    @rule(kind=KINDS, time=TIMES, caller=WHICH)
    def submit(self, kind: str, time: float, caller: int) -> None:
        self._submit(self._make(kind, time, caller))

    @rule(time=TIMES, caller=WHICH)
    def acquire(self, time: float, caller: int) -> None:
        call = self._new(caller, time, 0, by_lane=False)
        try:
            waiter = self.client.acquire(None, self.now, deadline=call.deadline, borrower="here")
        except (ConnectionClosedError, PoolFullError) as error:
            if isinstance(error, ConnectionClosedError) and not (self.ends or self.client.closed):
                raise
            self.carry_out()
            return
        call.waiter = waiter
        self.calls.append(call)
        self.of[waiter] = call
        self.queue.append(call)
        self.carry_out()

    @rule(time=TIMES, kind=st.sampled_from(["GET", "WATCH", "EXEC", "SELECT"]))
    def borrow(self, time: float, kind: str) -> None:
        """A link is lent while all goes well, and used."""
        self.acquire(time, 0)
        for _ in range(3):
            self._flow()
        if self.held:
            self.use(-1, kind, time)

    @precondition(lambda self: self.calls)
    @rule(which=WHICH)
    def goes(self, which: int) -> None:
        """A caller does not wait any more; of one whose call has ended this changes nothing."""
        call = self.calls[-1 - which % len(self.calls)]
        if call.waiter is not None:
            if call.live or call.waiter.error is not None:
                self.client.withdraw(call.waiter, self.now)
        elif call.slot is not None:
            state = call.slot.state
            self.client.abandon(call.slot, self.now)
            assert call.slot.state in ENDS
            assert call.live or call.slot.state is state
            if call.live:
                end(self.observers, call.slot, KeyboardInterrupt(), held=call.lease is not None)
        call.live = False
        self.carry_out()

    @precondition(lambda self: self.held)
    @rule(which=WHICH, kind=st.sampled_from(["GET", "WATCH", "EXEC", "SELECT"]), time=TIMES)
    def use(self, which: int, kind: str, time: float) -> None:
        """A borrower uses its link."""
        held = pick(self.held, which)
        call = self._new(0, time, 1, by_lane=False)
        call.lease = held.lease
        options: dict[str, Any] = {"lease": held.lease}
        match kind:
            case "WATCH":
                call.ask(("WATCH", call.keys[0]))
            case "EXEC":
                call.ask(("MULTI",), ("INCR", call.keys[0]), ("EXEC",))
                if held.epoch is not None:
                    options["epoch"] = held.epoch
            case "SELECT" if not self.once and self.client.pool is not None:
                call.ask(("SELECT", "3"))
            case _:
                call.ask(("GET", call.keys[0]))
        ended = held.lease.connection.ended
        self._submit(call, **options)
        assert not (ended and call.live), "a call by a link that has ended"
        if kind == "WATCH":
            held.epoch = held.lease.connection.core.watch_epoch

    @precondition(lambda self: self.held)
    @rule(which=WHICH)
    def give_back(self, which: int) -> None:
        held = pick(self.held, which)
        self.held.remove(held)
        self.client.release(held.lease, self.now)
        self.given_back.append(held.lease)
        self.carry_out()

    @precondition(lambda self: self.given_back)
    @rule(which=WHICH)
    def use_after_the_block(self, which: int) -> None:
        slot = new_slot(("SELECT", 1))
        with pytest.raises(ConnectionClosedError):
            self.client.submit(slot, self.now, lease=pick(self.given_back, which))

    # -- servers and networks ----------------------------------------------------------------------------------------------

    def answer(self, peer: Peer, words: tuple[bytes, ...]) -> Reply:
        """A server runs a command that is not about its connection."""
        key, call = words[1], self.owner[words[1]]
        if self.client.pool is not None and call.lease is None:
            assert (peer._watching, peer.database) == (False, 0), "another caller has changed this connection"
        if self.trouble == "loading":
            call.moved = True
            return ReplyError("LOADING Redis is loading the dataset in memory")
        if words[0] == b"INCR" and self.trouble == "replica":
            for call in self._live():
                call.moved = True  # this ends a generation
            return ReplyError("READONLY You can't write against a read only replica.")
        self.ran[key] += 1
        if call.live and not call.moved and call.by_lane:
            for other in self.calls[: call.number]:
                if other.live and other.by_lane and not other.moved and other.caller == call.caller:
                    assert self.ran[other.keys[-1].encode()], f"{call.slot} overtook {other.slot}"
        return self.ran[key] if words[0] == b"INCR" else key

    @precondition(lambda self: self.announced)
    @rule(which=WHICH, amount=AMOUNTS)
    def write(self, which: int, amount: int) -> None:
        """The network takes some bytes of a link that said it had any."""
        self._write(pick(sorted(self.announced, key=list(self.wires).index), which), amount)

    def _write(self, link: Link, amount: int) -> None:
        wire = self.wires[link]
        block = b"" if link.ended else link.core.data_to_send()
        part = bytes(block[:amount])
        wire.taken += part
        link.core.sent(len(part))
        if not part:
            self.announced.discard(link)

    @precondition(lambda self: self.wires)
    @rule(which=WHICH, amount=AMOUNTS)
    def serve(self, which: int, amount: int) -> None:
        """A server reads, runs and answers."""
        self._serve(self._wire(which), amount)

    def _serve(self, wire: Wire, amount: int) -> None:
        data = bytes(wire.taken[wire.served :][:amount])
        if wire.cut:
            return
        wire.served += len(data)
        for said in wire.peer.receive(data):
            wire.back += said

    @precondition(lambda self: self.wires)
    @rule(which=WHICH, amount=AMOUNTS)
    def read(self, which: int, amount: int) -> None:
        """Bytes come to the client."""
        self._read(self._wire(which), amount)

    def _read(self, wire: Wire, amount: int) -> None:
        data, link = bytes(wire.back[:amount]), wire.link
        del wire.back[:amount]
        if data and not link.ended:
            self.carry_out(self.client.receive_data(link, data, self.now))
            self.announced.add(link)

    @rule(rounds=st.integers(1, 4))
    def flow(self, rounds: int) -> None:
        """Everything moves."""
        for _ in range(rounds):
            self._flow()

    def _flow(self) -> bool:
        moved = bool(self.dials or self.looks)
        for _ in self.dials[:]:
            self.connect(0)
        while self.looks:
            self.look(0)
        for wire in list(self.wires.values()):
            link, before = wire.link, (len(wire.taken), wire.served)
            while link in self.announced:
                self._write(link, 10**6)
            self._serve(wire, 10**6)
            moved = moved or bool(wire.back) or before != (len(wire.taken), wire.served)
            self._read(wire, 10**6)
        return moved

    @precondition(lambda self: self.dials)
    @rule(which=WHICH)
    def connect(self, which: int) -> None:
        """A dial is carried out."""
        dial = self._take(which)
        if self.trouble == "refuses":
            self._disturb()
            self.client.dial_failed(dial, ConnectError("refused", transient=True), self.now)
        else:
            link = self.client.connected(dial, self.now)
            self.wires[link] = Wire(link, peer := Peer())
            peer.answer = lambda words: self.answer(peer, words)
            self.announced.add(link)
        self.carry_out()

    @precondition(lambda self: self.dials)
    @rule(which=WHICH, why=st.sampled_from([None, True, False]))
    def dial_fails(self, which: int, why: bool | None) -> None:
        """It fails, for now or for good, or is given up."""
        self._disturb()
        error = None if why is None else ConnectError("no way", transient=why)
        self.client.dial_failed(self._take(which), error, self.now)
        self.carry_out()

    def _take(self, which: int) -> Dial:
        dial: Dial = pick(self.dials, which)
        self.dials.remove(dial)
        return dial

    @precondition(lambda self: self.looks)
    @rule(which=WHICH)
    def look(self, which: int) -> None:
        """What has come on a link is read, and the adapter says so."""
        link = pick(self.looks, which)
        self.looks.remove(link)
        self._read(self.wires[link], 10**6)
        self.client.looked(link, self.now)
        self.carry_out()

    @precondition(lambda self: self.wires)
    @rule(which=WHICH, how=st.sampled_from(["closed", "reset", "cannot send", "aborted", "interrupted"]))
    def ends_a_link(self, which: int, how: str) -> None:
        """A connection ends, and the client hears of it."""
        wire = self._wire(which)
        link = wire.link
        if link.ended:
            return
        self._disturb()
        match how:
            case "closed":
                self.client.receive_eof(link, self.now)
            case "reset":
                self.client.receive_eof(link, self.now, ConnectionResetError(104, "reset by peer"))
            case "cannot send":
                self.client.send_failed(link, BrokenPipeError(32, "broken pipe"), self.now)
            case "aborted":
                self.client.abort(link, None, self.now)
            case _:
                for call in self._live():
                    call.unsure = True
                self.client.abort(link, None, self.now, uncertain=True)
        self.carry_out()
        assert link.ended

    @precondition(lambda self: self.wires)
    @rule(which=WHICH)
    def vanish(self, which: int) -> None:
        """A server is gone, and its client does not hear of it."""
        self._wire(which).cut = True

    @rule(trouble=TROUBLES)
    def change(self, trouble: str) -> None:
        """The server gets into trouble, or out of it."""
        self.trouble = trouble

    def _wire(self, which: int) -> Wire:
        """One of the newest."""
        return list(self.wires.values())[-1 - which % min(3, len(self.wires))]

    def _disturb(self) -> None:
        """Calls may be tried again from now on, in another place than they had."""
        for call in self._live():
            call.moved = True
        self.queue.clear()

    # -- time, and the client as a whole -----------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([0.01, 0.1, 0.6, 2.0, 7.0, 40.0]))
    def pass_time(self, seconds: float) -> None:
        self._pass_time(self.now + seconds)

    def _pass_time(self, end: float) -> None:
        for _ in range(1000):
            while self.looks:
                self.look(0)  # an adapter does not wait with it
            due = self.client.next_deadline()
            if due > end:
                break
            self.now = max(self.now, due)
            for call in self._live():  # it may time out while it is on its way, and its link may end with it
                call.moved = call.moved or call.deadline <= self.now
            if any(not wire.link.ended for wire in self.wires.values()):
                self._disturb()  # a silent link is left, or a check fails
            self.client.handle_timeout(self.now)
            self.carry_out()
        else:
            pytest.fail("time stands still")
        self.now = end
        late = [call for call in self._live() if call.deadline < self.now]
        assert not late, f"{late} outlived their deadlines"

    @rule(what=st.sampled_from([*["retire"] * 5, *["resize"] * 5, "drain", "close"]), size=st.integers(1, 4))
    def change_the_client(self, what: str, size: int) -> None:
        if what in ("drain", "close") and (self.ends or len(self.calls) < 5):
            return
        if what == "close":
            self._close()
            return
        if what == "retire" and not self.once:
            self._disturb()
            self.client.retire(self.now)
        elif what == "drain":
            self.ends = True
            self.drains = 1
            self._disturb()
            self.client.drain(self.now)
        elif what == "resize" and self.client.pool is not None:
            self.most = size
            self.client.resize(self.now, max_size=size, min_size=min(size, 1))
        self.carry_out()

    def _close(self) -> None:
        self.ends = True
        self.client.close(self.now)
        self.carry_out()
        while self.looks:
            self.look(0)
        assert not self._live(), "the client is closed, and a call goes on"
        assert not self.client.links
        assert all(wire.link.ended for wire in self.wires.values())
        for _ in range(10):  # what is timed still finds nothing to do
            if (due := self.client.next_deadline()) < inf:
                self.client.handle_timeout(due)
        assert self.client.next_deadline() == inf
        assert not self.client.events()

    # -- the adapter -------------------------------------------------------------------------------------------------------

    def carry_out(self, events: list[Any] | None = None) -> None:
        """Take all events there are, and check each."""
        if events is None:
            events = self.client.events()
        while events:
            for event in events:
                match event:
                    case Slot():
                        self._ended(event)
                    case Link():
                        assert event in self.wires
                        self.announced.add(event)
                    case Dial():
                        assert event not in self.dials
                        self.dials.append(event)
                    case Look(link):
                        self.looks.append(link)
                    case Granted(waiter):
                        call = self._woken(waiter)
                        assert waiter.lease is not None
                        assert waiter.error is None
                        assert not waiter.lease.connection.ended, "lent, and ended"
                        assert waiter.lease not in [held.lease for held in self.held]
                        call.lease = waiter.lease
                        self.held.append(Held(waiter.lease))
                    case Refused(waiter):
                        self._check_error(self._woken(waiter), waiter.error)
                    case Close(link):
                        assert link.ended
                        if link in self.wires:  # else it ended as it was connected
                            assert not self.wires[link].cut or not self.wires[link].peer.closed
                            self.wires[link].peer.closed = True
                    case Leaked(lease):
                        assert lease not in self.leaked
                        self.leaked.append(lease)
                    case Drained():
                        self.drained += 1
                    case Report(report):
                        self.reports.append(report)
                    case Heard():
                        pytest.fail("no server says anything unasked")
            events = self.client.events()
        while self.reports:
            self.reports.pop(0)()
        self._check_turns()

    def _woken(self, waiter: Waiter) -> Call:
        call = self.of[waiter]
        assert call.live, "woken twice, or after it had gone"
        call.live = False
        return call

    def _ended(self, slot: Slot) -> None:
        call = self.of[slot]
        assert call.live, f"{slot} ended twice, or after its caller had gone"
        call.live = False
        assert slot.state in ENDS
        if self.observers is not None:
            end(self.observers, slot, held=call.lease is not None)
            self._check_fact(call, slot)
        if slot.state is SlotState.ANSWERED:
            self._check_reply(call, slot)
        else:
            self._check_error(call, error_of(slot))

    # -- what must hold ----------------------------------------------------------------------------------------------------

    def _check_reply(self, call: Call, slot: Slot) -> None:
        replies: Any = slot.reply if isinstance(slot, Batch) and slot.count > 1 else [slot.reply]
        if slot.info.name in ("WATCH", "SELECT"):
            assert replies == ["OK"]
            return
        if slot.info.name == "MULTI" and isinstance(replies[-1], list):
            replies = replies[-1]
        if len(replies) != len(call.keys):  # a transaction that was refused
            assert isinstance(replies[-1], ReplyError)
            assert not any(self.ran[key.encode()] for key in call.keys)
            return
        for key, reply in zip(call.keys, replies, strict=True):
            if isinstance(reply, ReplyError):
                assert reply.code in ("LOADING", "READONLY"), reply
                assert not self.ran[key.encode()] or slot.info.name in ("GET", "BLPOP")
            else:
                assert reply in (1, key.encode()), f"{slot} got another call's reply"
                assert self.ran[key.encode()]

    def _check_error(self, call: Call, error: Exception | None) -> None:
        assert isinstance(error, RespError)
        if isinstance(error, CommandTimeoutError):
            assert self.now >= call.deadline, f"{error} came early"

    @invariant()
    def all_is_in_order(self) -> None:
        if not hasattr(self, "client"):
            return
        assert not self.client.events()
        # The links there are, and how many there may be.
        alive = [wire.link for wire in self.wires.values() if not wire.link.ended]
        assert alive == self.client.links
        pool = self.client.pool
        if pool is not None:
            stats = pool.stats()
            assert stats.created == stats.size + sum(stats.closed.values())
            assert stats.size == sum(link.lane is None and link.dial is None for link in alive)
            dialling = sum(dial.lane is None for dial in (*self.dials, *(link.dial for link in alive if link.dial)))
            if not self.ends:
                assert stats.dialling == dialling
                assert stats.size + dialling <= max(self.most, self.places), "too many connections"
            self.places = stats.size + dialling
            assert stats.leased >= len([held for held in self.held if held.lease.active])
            assert stats.waiting <= len(self._live())
        lanes = [dial.lane for dial in self.dials if dial.lane is not None and dial.lane.dial is dial]
        assert len(set(lanes)) == len(lanes), "two dials for a lane"
        for lane in getattr(self.client.stats(), "lanes", ()):
            assert lane.created == sum(lane.closed.values()) + (lane.connection is not None)
        for link in alive:
            counts = link.core.stats()
            assert counts.abandoned <= counts.in_flight <= counts.sent
            assert counts.answered >= 0

    def _check_turns(self) -> None:
        """Those that wait for a lease are behind all that have got one."""
        waiting = False
        for call in list(self.queue):
            if not call.live or not self._waits(call):
                assert not waiting or not call.live, f"{call} was served before others that came before it"
                self.queue.remove(call)
            else:
                waiting = True

    @staticmethod
    def _waits(call: Call) -> bool:
        """Has it no link yet?"""
        if call.waiter is not None:
            return call.waiter.lease is None and call.waiter.held is None
        assert call.slot is not None
        return call.slot.link is None and (call.slot.call is None or call.slot.call.lease is None)

    @rule()
    def recover(self) -> None:
        """All is well again, borrowers give back what they have, and every call that is there is served."""
        start = self.now
        self.trouble = "well"
        for wire in self.wires.values():
            if wire.cut and not wire.link.ended:
                self._disturb()
                self.client.receive_eof(wire.link, self.now)
                self.carry_out()
        waiting = self._live()
        while True:
            while self._flow() or self.held:
                while self.held:
                    self.give_back(0)
            due = self.client.next_deadline()
            if not self._live() or due > start + PATIENCE:
                break
            self._pass_time(due)
        assert not self._live(), "all is well, and a call waits"
        for call in waiting:
            error = call.waiter.error if call.waiter is not None else call.slot.cause if call.slot is not None else None
            if isinstance(error, CommandTimeoutError):
                assert call.deadline <= start + PATIENCE, f"{call} was left to its deadline"
        pool = self.client.pool
        assert pool is None or (pool.stats().leased, pool.stats().waiting) == (0, 0), "lent, and not in use"
        if self.ends:
            assert not self.client.links, "what was drained has not ended"
            assert self.drained == self.drains

    def teardown(self) -> None:
        if not hasattr(self, "client"):
            return
        if self.recovers:
            self.recover()
        self._close()
        assert self.drained == self.drains
        self._check_notes()
        self._check_outcomes()

    def _check_fact(self, call: Call, slot: Slot) -> None:
        """Observers were told how this call ended."""
        fact = self.notes.all[-1]
        assert isinstance(fact, CallEnded)
        answered = slot.state is SlotState.ANSWERED
        assert fact.outcome is (Outcome.REPLY if answered else error_of(slot).outcome)  # type: ignore[attr-defined]
        assert answered or type(fact.error) is type(error_of(slot))
        assert fact.abandoned == (slot.state is SlotState.ABANDONED)
        assert fact.batch_size == len([words for words in call.commands if len(words) > 1])
        own = call.lease is not None or self.once
        assert fact.route == ("connection" if own else "lane" if call.by_lane else "lease")
        assert fact.bytes_received is None or answered

    def _check_notes(self) -> None:
        """Observers were told what the machine has counted."""
        notes, stats = self.notes, self.client.stats()
        if self.observers is None:
            return
        assert not notes.under_way
        assert len(notes.of(CallBegan)) == len(notes.of(CallEnded)) == self.told
        assert len(notes.of(CallRetried)) == self.client.retries
        assert sum(call.attempts - 1 for call in notes.of(CallEnded)) == self.client.retries
        closed = Counter(link.reason for link in notes.of(LinkClosed))
        assert closed.total() == len(notes.of(LinkOpened))
        counted: Counter[CloseReason] = Counter()
        if isinstance(stats, ClientStats):
            for each in (*stats.lanes, *([stats.leases] if stats.leases else ())):
                counted.update(each.closed)
        elif isinstance(stats, PoolStats):
            counted.update(stats.closed)
        else:
            return
        assert +counted == closed
        assert len(notes.of(ReplyDropped)) <= sum(call.abandoned for call in notes.of(CallEnded))

    def _check_outcomes(self) -> None:
        """At worst, servers read all that the network took after the client has gone."""
        self.trouble = "well"
        accepted: set[bytes] = set()
        for wire in self.wires.values():
            wire.peer.closed = wire.cut = False
            self._serve(wire, 10**9)
            accepted.update(word for words in CommandParser().feed(bytes(wire.taken)) for word in words)
        for call in self.calls:
            slot = call.slot
            if slot is None or slot.info.name in ("WATCH", "SELECT"):
                continue
            writes = [words[1].encode() for words in call.commands if words[0] == "INCR"]
            assert all(self.ran[key] <= 1 for key in writes), f"{slot} ran twice"
            if slot.state is SlotState.ANSWERED:
                continue
            unsure = call.unsure or slot.state is SlotState.ABANDONED  # its bytes may be still to come
            for words, outcome in zip(call.commands, slot.outcomes, strict=True):
                if len(words) > 1:
                    key = words[1].encode()
                    assert outcome is not Outcome.NOT_SENT or not self.ran[key], f"{slot}: not sent, and ran"
                    assert outcome is not Outcome.MAYBE_EXECUTED or unsure or key in accepted


def pick(things: Sequence[Any], which: int) -> Any:
    """One of them."""
    return things[which % len(things)]


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=700, stateful_step_count=50)
