"""A world for the client machine: a clock, a network and a server that exist in memory only, and callers who use them.

One seed makes one history. The world drives the machine as an adapter does: it dials when told, moves bytes, and says what
happened. Callers come at random moments, give up, time out and borrow links; the network splits, delays and loses bytes; the
server goes away, comes back, loads its data or becomes a replica. Nothing here waits: time jumps from one event to the next.

What must hold is checked where it can be seen: each call ends once; its outcome agrees with what the server ran; no reply is
another call's; no call waits in vain while the server is well; at the end nothing is left.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from math import inf
from random import Random
from typing import TYPE_CHECKING, Any, Final

from resp_sansio import (
    ClientSettings,
    CommandParser,
    CommandTimeoutError,
    Config,
    ConnectError,
    ConnectionClosedError,
    Outcome,
    PoolFullError,
    PoolSettings,
    ReplyError,
    Retry,
    Slot,
    SlotState,
    encode_command,
    encode_reply,
    new_batch,
    new_slot,
    prepare,
)
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
    Waiter,
    error_of,
)
from resp_sansio.testing import Peer

if TYPE_CHECKING:
    from collections.abc import Callable

    from resp_sansio import Reply

CONFIG: Final = Config.from_url("redis://simulated", ping_interval=5.0, silence_timeout=3.0, connect_timeout=2.0)
ENDS: Final = frozenset({SlotState.ANSWERED, SlotState.LOST, SlotState.ABANDONED, SlotState.WITHDRAWN})
SETTLED: Final = 100.0  # seconds after a call: by then every byte has arrived somewhere
PATIENCE: Final = 8.0  # seconds in which a server that is well serves every caller of a history
END_OF_TIME: Final = 400.0


class Server:
    """What all connections share: data, and what is wrong with the server."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.executed: Counter[bytes] = Counter()
        self.away = False  # refuses dials
        self.silent = False  # accepts, and says nothing
        self.hangs_up = False  # accepts, shakes hands, and closes
        self.loading = False
        self.replica = False

    @property
    def well(self) -> bool:
        """Is nothing wrong with it?"""
        return not (self.away or self.silent or self.hangs_up or self.loading or self.replica)

    def answer(self, words: tuple[bytes, ...]) -> Reply:
        """Run a command that is not about its connection."""
        name = words[0].upper()
        if self.loading:
            return ReplyError("LOADING Redis is loading the dataset in memory")
        if name == b"INCR":
            if self.replica:
                return ReplyError("READONLY You can't write against a read only replica.")
            self.executed[words[1]] += 1
            return self.executed[words[1]]
        return words[-1]


class Wire:
    """The network under one link, and the server's end of it."""

    def __init__(self, world: World, link: Link) -> None:
        self.world = world
        self.link = link
        self.peer = Peer(answer=world.server.answer)
        self.commands = CommandParser()
        self.held: list[tuple[bytes, ...]] = []  # behind a command that blocks
        self.cut = False  # nothing gets to the client any more
        self.deaf = False  # nothing gets to the server any more
        self.outward = self.inward = world.now  # when the last bytes arrive: bytes do not overtake each other

    def send(self, data: bytes) -> None:
        """The client's bytes leave."""
        self.outward = max(self.outward, self.world.now + self.world.random.random() * 0.01)
        self.world.at(self.outward, self._arrive, data)

    def _arrive(self, data: bytes) -> None:
        self.deaf = self.deaf or self.world.server.silent
        if not self.deaf:
            self.held += [tuple(words) for words in self.commands.feed(data)]
            self._work()

    def _work(self) -> None:
        """Run what is there, up to a command that blocks."""
        server = self.world.server
        while self.held:
            words = self.held.pop(0)
            if words[0] == b"BLPOP" and not words[1].startswith(b"full"):
                self.held.insert(0, (b"UNBLOCKED", *words[1:]))
                self.world.after(0.2, self._work)
                return
            if words[0] == b"UNBLOCKED":
                self.say(encode_reply(None, self.peer.protocol))
                continue
            command = encode_command(words)
            assert isinstance(command, bytes)
            for said in self.peer.receive(command):
                self.say(said)
            if words[0] in (b"HELLO", b"PING") and server.hangs_up:
                self.world.after(0.02, self.end)

    def say(self, data: bytes) -> None:
        """The server's bytes come, in pieces."""
        random = self.world.random
        delay = 0.0 if random.random() < 0.9 else random.random()
        while data:
            size = random.randint(1, len(data)) if random.random() < 0.3 else len(data)
            self.inward = max(self.inward, self.world.now + delay + random.random() * 0.01)
            self.world.at(self.inward, self._receive, data[:size])
            data = data[size:]

    def _receive(self, data: bytes) -> None:
        if not self.cut and not self.link.ended:
            client = self.world.client
            if self.world.short:
                answered: list[Any] | None = client.receive_replies(self.link, data, self.world.now)
                self.world.hand_out(client.events() if answered is None else answered)
            else:
                self.world.hand_out(client.receive_data(self.link, data, self.world.now))
            self.world.flush(self.link)

    def end(self) -> None:
        """The connection is gone, and the client hears of it."""
        self.cut = True
        if not self.link.ended:
            self.world.client.receive_eof(self.link, self.world.now)


class World:
    """One history."""

    def __init__(self, seed: int, *, calls: int = 50) -> None:
        self.random = random = Random(seed)
        self.short = seed % 2 == 0  # the adapter starts calls at rest, and takes their replies, in one call each
        self.now = 0.0
        self.server = Server(random)
        self.troubled = 0.0  # until when something was wrong
        self.mode = random.choice(["client", "client", "lanes", "pool", "pool", "single", "once"])
        self.client = self._client()
        self.wires: dict[Link, Wire] = {}
        self.live: dict[Slot, tuple[str, float]] = {}  # which end is still to come: the key, and when it began
        self.waiting: dict[Waiter, float] = {}
        self.gone: set[Slot] = set()
        self.ended: list[Slot] = []
        self.steps = 0
        self.dials = 0
        self.drained = False
        self._events: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._number = itertools.count()
        self._leases: dict[Slot, Any] = {}
        self._faults = random.random() < 0.85
        if self.mode == "once":
            self.after(0.0, self._acquire, "the connection")
        for number in range(calls):
            self.after(random.random() * 4, self._call, number)
        if self._faults:
            for fault in ("away", "silent", "hangs_up", "loading", "replica"):
                for _ in range(random.randrange(2)):
                    self.after(random.random() * 3, self._trouble, fault)
            for _ in range(random.randrange(10)):
                self.after(random.random() * 4, self._cut)
            if random.random() < 0.2:
                self.after(random.random() * 4, self._retire)
        self._drains = random.random() < 0.1
        if self._drains:
            self.after(random.random() * 4, self._drain)
        self.at(30.0, self._finish)

    def _client(self) -> Client:
        random = self.random
        retry = Retry(attempts=random.choice([1, 3, 10]))
        pool = PoolSettings(
            max_size=random.choice([1, 2, 5]),
            min_size=random.choice([0, 0, 1]),
            max_idle=random.choice([None, 0.5]),
            max_waiting=random.choice([None, None, 20]),
            pre_ping=random.random() < 0.2,
            retry=retry,
            breaker_failures=random.choice([None, None, None, 3]),
            breaker_seconds=0.5,
        )
        lanes = 2 if self.mode == "lanes" else 1
        settings = ClientSettings(max_connections=8, lanes=lanes, retry=retry)
        match self.mode:
            case "pool":
                return Client(CONFIG, None, pool, random=random.random)
            case "once":
                return Client(CONFIG, random=random.random, once=True)
            case "single":
                return Client(CONFIG, settings, random=random.random)
        return Client(CONFIG, settings, pool, random=random.random)

    # -- time ----------------------------------------------------------------------------------------------------------------

    def at(self, when: float, what: Callable[..., None], *arguments: Any) -> None:
        """Do this at that time."""
        heapq.heappush(self._events, (when, next(self._number), what, arguments))

    def after(self, seconds: float, what: Callable[..., None], *arguments: Any) -> None:
        """Do this in so many seconds."""
        self.at(self.now + seconds, what, *arguments)

    def run(self) -> None:
        """Live through the history; raises `AssertionError` where something does not hold."""
        while True:
            due = self.client.next_deadline()
            if not self._events and due == inf:
                break
            if self._events and self._events[0][0] <= due:
                self.now, _, what, arguments = heapq.heappop(self._events)
                what(*arguments)
            else:
                self.now = max(self.now, due)
                self.client.handle_timeout(self.now)
            self.hand_out(self.client.events())
            self.steps += 1
            assert self.steps < 100_000, "the history does not come to rest"
        self._check_rest()

    # -- trouble -------------------------------------------------------------------------------------------------------------

    def _trouble(self, kind: str) -> None:
        seconds = self.random.random() * 2
        setattr(self.server, kind, True)
        # A link that owes a reply is left after 3 s; but a first caller in line with a longer time is waited for.
        left = 16.0 if kind == "silent" else 4.0
        self.troubled = max(self.troubled, self.now + seconds + left)
        self.after(seconds, self._relief, kind)

    def _relief(self, kind: str) -> None:
        setattr(self.server, kind, False)

    def _cut(self) -> None:
        alive = [wire for wire in self.wires.values() if not wire.cut and not wire.link.ended]
        if alive:
            wire = self.random.choice(alive)
            wire.cut = True
            wire.deaf = self.random.random() < 0.5
            # Without a FIN it is for the client to find out.
            seen = self.random.random() < 0.7
            self.troubled = max(self.troubled, self.now + (1.0 if seen else 16.0))
            if seen:
                self.after(self.random.random() * 0.05, wire.end)

    def _retire(self) -> None:
        if self.mode != "once":
            self.client.retire(self.now)

    def _drain(self) -> None:
        self.client.drain(self.now)

    def _finish(self) -> None:
        self._check_quiet()
        assert self.drained or not self._drains, "what was drained has not ended"
        if self.random.random() < 0.5:
            self.client.drain(self.now)
            self.after(5.0, self._close)
        else:
            self._close()

    def _close(self) -> None:
        self.client.close(self.now)

    # -- callers -------------------------------------------------------------------------------------------------------------

    def _call(self, number: int) -> None:
        random = self.random
        key = f"id{number}"
        # A first caller in line with a longer time is not undercut by `silence_timeout`.
        deadline = self.now + random.choice([0.05, 0.5, 5.0, 12.0])
        slot: Slot
        match random.choice(["incr", "incr", "get", "get", "blpop", "batch", "transaction", "acquire", "acquire"]):
            case "incr":
                slot = new_slot(("INCR", key), None, deadline)
            case "get":
                slot = new_slot(("GET", key), None, deadline)
            case "blpop":
                # A server may be silent for as long as a command blocks, so a lost link shows by the deadline only.
                slot = new_slot(("BLPOP", key, 1), None, min(deadline, self.now + 5.0))
            case "batch":
                slot = self._batch(("INCR", key), ("GET", key), ("INCR", f"{key}b"), deadline=deadline)
            case "transaction":
                slot = self._batch(("MULTI",), ("INCR", key), ("GET", key), ("EXEC",), deadline=deadline)
            case _:
                self._acquire(key, deadline)
                return
        self._submit(slot, key)
        if random.random() < 0.15:
            self.after(random.random() * 0.3, self._abandon, slot)

    @staticmethod
    def _batch(*commands: tuple[str, ...], deadline: float) -> Slot:
        prepared = [prepare(words) for words in commands]
        return new_batch([payload for payload, _ in prepared], [info for _, info in prepared], None, deadline)

    def _submit(self, slot: Slot, key: str, lease: Any = None) -> bool:
        if lease is None and self.short and (payload := self.client.start(slot, self.now)) is not None:
            self.live[slot] = (key, self.now)
            self._send(slot.link, payload)
            return True
        try:
            link = self.client.submit(slot, self.now, caller=key, lease=lease)
        except (ConnectionClosedError, PoolFullError):
            return False
        self.live[slot] = (key, self.now)
        if link is not None:
            self.flush(link)
        return True

    def _acquire(self, key: str, deadline: float = inf) -> None:
        try:
            waiter = self.client.acquire(key, self.now, deadline=deadline)
        except (ConnectionClosedError, PoolFullError):
            return
        self.waiting[waiter] = self.now
        if self.random.random() < 0.1:
            self.after(self.random.random() * 0.3, self._withdraw, waiter)

    def _withdraw(self, waiter: Waiter) -> None:
        if self.waiting.pop(waiter, None) is not None:
            self.client.withdraw(waiter, self.now)

    def _borrowed(self, waiter: Waiter) -> None:
        if self.waiting.pop(waiter, None) is None:
            return  # withdrawn: the lease goes back by itself
        assert waiter.lease is not None
        slot = new_slot(("INCR", f"{waiter.token}own"), None, self.now + 1.0)
        self._leases[slot] = waiter.lease
        if not self._submit(slot, f"{waiter.token}own", waiter.lease):
            self._give_back(slot)

    def _give_back(self, slot: Slot) -> None:
        self.client.release(self._leases.pop(slot), self.now)

    def _abandon(self, slot: Slot) -> None:
        if slot in self.live:
            key, _ = self.live.pop(slot)
            self.gone.add(slot)
            self.client.abandon(slot, self.now)
            assert slot.state in ENDS, f"{slot} was abandoned"
            self.after(SETTLED, self._check_outcome, slot, key)

    # -- the adapter -----------------------------------------------------------------------------------------------------------

    def _send(self, link: Link, payload: bytes) -> None:
        """Send a command that was started at rest, or what waits; sometimes the network takes a part of it only."""
        size = self.random.randint(1, len(payload)) if payload and self.random.random() < 0.1 else len(payload)
        if payload:
            self.wires[link].send(payload[:size])
        if size < len(payload):
            link.core.unsent(payload[size:])
        self.flush(link)

    def flush(self, link: Link) -> None:
        """Send what the link has to send; sometimes the network takes a part of it only."""
        wire = self.wires.get(link)
        while wire is not None and not link.ended and (block := link.core.data_to_send()):
            partial = self.random.random() < 0.1
            size = self.random.randint(1, len(block)) if partial else len(block)
            wire.send(bytes(block[:size]))
            link.core.sent(size)
            if size < len(block) and self.random.random() < 0.5:
                self.after(0.02, self.flush, link)
                return

    def hand_out(self, events: list[Any]) -> None:
        """Carry out events, and those that follow from it."""
        while events:
            for event in events:
                self._carry_out(event)
            events = self.client.events()

    def _carry_out(self, event: Any) -> None:
        match event:
            case Slot():
                self._end(event)
            case Link():
                self.flush(event)
            case Dial():
                self.dials += 1
                self.after(self.random.random() * 0.02, self._dial, event)
            case Look(link):
                self.after(0.0, self._look, link)
            case Granted(waiter):
                self._borrowed(waiter)
            case Refused(waiter):
                self._refused(waiter)
            case Close(link):
                self.wires[link].cut = True
            case Drained():
                self.drained = True
            case Pushed() | Leaked():
                pass

    def _dial(self, dial: Dial) -> None:
        chance = self.random.random()
        if self.server.away or (self._faults and self.now < 10 and chance < 0.1):
            self.troubled = max(self.troubled, self.now + 1.0)
            self.client.dial_failed(dial, ConnectError("refused", transient=True), self.now)
        elif self._faults and self.now < 10 and chance < 0.13:
            self.client.dial_failed(dial, None, self.now)
        else:
            link = self.client.connected(dial, self.now)
            self.wires[link] = Wire(self, link)
            self.flush(link)

    def _look(self, link: Link) -> None:
        self.client.looked(link, self.now)

    def _end(self, slot: Slot) -> None:
        assert slot not in self.gone, f"{slot} ended after it was abandoned"
        assert slot in self.live, f"{slot} ended twice"
        assert slot.state in ENDS, f"{slot} ended, and is {slot.state}"
        key, since = self.live.pop(slot)
        self.ended.append(slot)
        assert self.now <= slot.deadline + 0.001, f"{slot} of {key} outlived its deadline"
        error = None if _answered(slot) else error_of(slot)
        if isinstance(error, CommandTimeoutError):
            self._check_punctual(f"{slot} of {key}", since)
        self.after(SETTLED, self._check_outcome, slot, key)
        if slot in self._leases:
            self._give_back(slot)

    def _refused(self, waiter: Waiter) -> None:
        since = self.waiting.pop(waiter, None)
        if since is not None and isinstance(waiter.error, CommandTimeoutError):
            self._check_punctual(f"{waiter} for {waiter.token}", since)

    # -- what must hold --------------------------------------------------------------------------------------------------------

    def _check_punctual(self, who: str, since: float) -> None:
        """A caller whose server was well all the time is not left to its deadline."""
        assert self.now - max(since, self.troubled) < PATIENCE, f"{who} waited for its deadline, and all was well"

    def _check_quiet(self) -> None:
        """Long after the last call and the last trouble, no call is left, and no link is lent."""
        assert self.now - self.troubled > PATIENCE
        assert not self.live, f"still under way: {self.live}"
        assert not self.waiting, f"still waiting: {self.waiting}"
        pool = self.client.pool
        assert pool is None or (pool.stats().leased, pool.stats().waiting) == (0, 0), pool

    def _check_outcome(self, slot: Slot, key: str) -> None:
        """What the caller was told agrees with what the server ran."""
        ran = self.server.executed[key.encode()]
        assert ran <= 1, f"{slot} of {key} ran {ran} times"
        if slot.info.name not in ("INCR", "MULTI"):
            return
        replies: list[Any] = getattr(slot, "replies", []) if slot.count > 1 else [slot.reply] if _answered(slot) else []
        if slot.info.name == "MULTI":
            told: bool | None = _transaction_ran(replies)
            outcome = None if _answered(slot) or slot.state is SlotState.ABANDONED else slot.outcomes[1]
        else:
            told = not isinstance(replies[0], ReplyError) if replies else None
            outcome = None if _answered(slot) else slot.outcomes[0]
        if _answered(slot):
            assert ran == told, f"{slot} of {key} was answered {replies}, and ran {ran} times"
        elif outcome is Outcome.NOT_SENT:
            assert ran == 0, f"{slot} of {key} was NOT_SENT, and ran"

    def _check_rest(self) -> None:
        """At the end every call has ended, and nothing is left."""
        assert not self.live, f"never ended: {self.live}"
        assert not self.waiting, f"never woken: {self.waiting}"
        assert not self.client.links, f"links are left: {self.client.links}"
        assert self.client.next_deadline() == inf
        assert all(wire.cut for wire in self.wires.values()), "a socket was left open"
        pool = self.client.pool
        if pool is not None:
            stats = pool.stats()
            assert stats.leased == stats.waiting == stats.dialling == stats.size == 0, stats
            assert stats.created == sum(stats.closed.values())
            assert stats.most_size <= pool.settings.max_size


def _answered(slot: Slot) -> bool:
    return slot.state is SlotState.ANSWERED


def _transaction_ran(replies: list[Any]) -> bool:
    executed = replies[-1] if len(replies) == 4 else None
    if isinstance(executed, list):
        return not isinstance(executed[0], ReplyError)
    return bool(len(replies) > 1 and isinstance(replies[0], ReplyError) and not isinstance(replies[1], ReplyError))
