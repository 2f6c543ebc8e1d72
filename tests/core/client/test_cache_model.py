"""A client's cache against a server that tells of changes: whatever happens in whichever order, what is given is what it promises.

Values are numbers that grow with each change, so each says how old it is. Bytes wait at both ends of each connection until a step
moves some of them, and a piece may end anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import Any, Final, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resp_sansio import Cache, ClientSettings, Config, PoolSettings, Push
from resp_sansio.client import CachedRead, Client, Close, Dial, Kept, Lease, Link, ReadCache, touched_by
from resp_sansio.commands.caching import EVERYTHING
from resp_sansio.connection import Slot, SlotState, new_slot
from resp_sansio.wire import Parser, encode_command, encode_reply

KEYS: Final = (b"a", b"b")
READS: Final = ((b"GET", b"a"), (b"GET", b"b"), (b"MGET", b"a", b"b"))

Versions: TypeAlias = dict[bytes, int]


@dataclass(slots=True, eq=False)
class Wire:
    """One connection, and what the server knows of it. `said` is on its way to the client, each with the changes it tells of."""

    link: Link
    server: Server
    parser: Parser = field(default_factory=Parser)
    asked: list[Any] = field(default_factory=list)
    said: list[tuple[bytes, Versions]] = field(default_factory=list)
    begun: int = 0  # so many bytes of the first have come
    tracks: bool = False
    broadcasts: bool = False
    caching: bool = False
    tracked: set[bytes] = field(default_factory=set)
    told: dict[bytes, None] = field(default_factory=dict)  # keys that changed in this turn, where all are told of

    def send(self) -> None:
        """The client's bytes come to the server."""
        core = self.link.core
        while block := core.data_to_send():
            core.sent(len(block))
            self.asked += self.parser.feed(bytes(block))

    def say(self, value: Any, told: Versions | None = None) -> None:
        self.said.append((encode_reply(value, 3), told or {}))

    def tell(self, *keys: bytes) -> None:
        self.say(Push("invalidate", ([*keys],)), {key: self.server.version[key] for key in keys})

    def run(self) -> None:
        """The server takes one command."""
        words, caching, self.caching = self.asked.pop(0), self.caching, False
        match words:
            case [b"HELLO", *_]:
                self.say({b"server": b"redis", b"version": b"8.0.0", b"proto": 3})
            case [b"CLIENT", b"TRACKING", *more]:
                self.tracks, self.broadcasts = True, b"BCAST" in more
                self.say("OK")
            case [b"CLIENT", b"CACHING", _]:
                self.caching = True
                self.say("OK")
            case [b"GET" | b"MGET", *keys]:
                self.tracked |= {*keys} if caching else set()
                values = [b"%d" % self.server.version[key] for key in keys]
                self.say(values if words[0] == b"MGET" else values[0])
            case [b"SET", key, _]:
                self.server.write(key, self)
            case [b"FLUSHALL"]:
                self.server.flush(self)
            case _:
                self.say("OK")
        self.server.end_turn()


class Server:
    def __init__(self) -> None:
        self.version: Versions = dict.fromkeys(KEYS, 1)
        self.wires: list[Wire] = []

    def write(self, key: bytes, by: Wire | None) -> None:
        """A key has its next value. The one who asked has the reply before what is told of it."""
        self.version[key] += 1
        if by is not None:
            by.say(self.version[key])
        for wire in self.wires:
            if wire.broadcasts:
                wire.told[key] = None
            elif key in wire.tracked:
                wire.tracked.remove(key)
                wire.tell(key)

    def flush(self, by: Wire | None) -> None:
        """All keys have another value. Redis 8.6 tells of it before it answers."""
        for key in KEYS:
            self.version[key] += 1
        for wire in self.wires:
            if wire.tracks:
                wire.tracked.clear()
                wire.say(Push("invalidate", (None,)), dict(self.version))
        if by is not None:
            by.say(min(self.version.values()))

    def end_turn(self) -> None:
        """Those who are told of all changes are told at the end of a turn, behind what else was said in it."""
        for wire in self.wires:
            if wire.told:
                wire.tell(*wire.told)
                wire.told.clear()


class World:
    """A client with a cache, its callers, its server, and the network."""

    def __init__(self, cache: Cache, lanes: int) -> None:
        config = Config(cache=cache, timeout=None, ping_interval=None, silence_timeout=None)
        self.cache = ReadCache(cache)
        self.client = Client(config, ClientSettings(lanes=lanes), PoolSettings(), random=lambda: 0.5, cache=self.cache)
        self.server = Server()
        self.now = 0.0
        self.callers = 0
        self.reads: dict[Slot, Versions] = {}  # under way, and how old what they read may be
        self.writes: dict[Slot, Any] = {}
        self.done: Versions = dict.fromkeys(KEYS, 0)  # versions of own writes that are done
        self.heard: Versions = dict.fromkeys(KEYS, 0)  # of changes that the client was told of
        self.lease: Lease[Link] | None = None

    # -- callers -----------------------------------------------------------------------------------------------------------------

    def read(self, words: tuple[bytes, ...]) -> None:
        self.now += 1.0
        self.cache.looked(self.now)
        command, slot = encode_command(words), new_slot(words)
        kept = self.cache.find(command, self.now)
        assert kept is None or isinstance(kept, Kept)
        if kept is not None:
            self.check(words[1:], kept.reply, {key: max(self.done[key], self.heard[key]) for key in KEYS})
        else:
            read = self.cache.reading(command, words, slot.info, slot.deadline)
            assert isinstance(read, CachedRead)
            self.reads[read] = dict(self.done)
            self.submit(read)

    def write(self, *words: bytes, leased: bool = False) -> None:
        if leased and (self.lease is None or self.lease.ended or not self.lease.active):
            waiter = self.client.acquire(None, self.now)
            self.carry_out()
            while not isinstance(waiter.lease, Lease):
                self.pass_time()
            self.lease = waiter.lease
        slot = new_slot(words)
        self.writes[slot] = touched = touched_by(slot)
        self.cache.wrote(touched)
        self.submit(slot, self.lease if leased else None)

    def submit(self, slot: Slot, lease: Lease[Link] | None = None) -> None:
        self.callers += 1
        if self.client.start(slot, self.now, lease, hold=True) is None:
            self.client.submit(slot, self.now, caller=self.callers, lease=lease)
        self.carry_out()

    def give_up(self) -> None:
        """The caller of the oldest read goes."""
        if self.reads:
            slot = next(iter(self.reads))
            del self.reads[slot]
            self.client.abandon(slot, self.now)
            self.carry_out()

    def ended(self, slot: Slot) -> None:
        reply: Any = slot.reply if slot.state is SlotState.ANSWERED else None
        if slot in self.writes:
            touched = self.writes.pop(slot)
            self.cache.wrote(touched)
            for key in KEYS if touched is EVERYTHING else touched:
                self.done[key] = max(self.done[key], reply or 0)
        elif slot in self.reads:
            floor = self.reads.pop(slot)
            assert isinstance(slot, CachedRead)
            assert reply is not None
            self.check(slot.keys, reply, floor)

    @staticmethod
    def check(keys: Any, reply: Any, floor: Versions) -> None:
        """What was read is no older than this."""
        for key, value in zip(keys, reply if isinstance(reply, list) else [reply], strict=True):
            assert int(value) >= floor[key]

    # -- the network ---------------------------------------------------------------------------------------------------------------

    def carry_out(self) -> None:
        while events := self.client.events():
            for event in events:
                match event:
                    case Slot():
                        self.ended(event)
                    case Dial():
                        wire = Wire(self.client.connected(event, self.now), self.server)
                        self.server.wires.append(wire)
                        self.catch_up(wire)
                    case Close(link):
                        self.server.wires = [wire for wire in self.server.wires if wire.link is not link]
        for wire in self.server.wires:
            wire.send()

    def catch_up(self, wire: Wire) -> None:
        """Nothing is on its way on this connection any more."""
        wire.send()
        while wire.asked:
            wire.run()
        self.deliver(wire, len(wire.said))

    def deliver(self, wire: Wire, whole: int, more: int = 0) -> None:
        """So many replies and pushes come, and some bytes of the next."""
        data, told = b"", list[Versions]()
        for _ in range(min(whole, len(wire.said))):
            frame, changes = wire.said.pop(0)
            data, wire.begun = data + frame[wire.begun :], 0
            told.append(changes)
        if wire.said and not wire.begun and more < len(wire.said[0][0]):
            data, wire.begun = data + wire.said[0][0][:more], more
        if data:
            answered = self.client.receive_replies(wire.link, data, self.now)
            for changes in told:
                self.heard |= {key: max(version, self.heard[key]) for key, version in changes.items()}
            for slot in answered or ():
                self.ended(slot)
        self.carry_out()

    def pass_time(self) -> None:
        """What is due next is done."""
        if (due := self.client.next_deadline()) < inf:
            self.now = max(self.now, due)
            self.client.handle_timeout(self.now)
            self.carry_out()

    def cut(self, wire: Wire) -> None:
        """The connection is lost; what was read by it is not given any more."""
        by_a_lane = wire.link.lane is not None
        self.client.receive_eof(wire.link, self.now)
        if by_a_lane:
            assert not any(self.find(words) for words in READS)
        self.carry_out()

    def find(self, words: tuple[bytes, ...]) -> Any:
        self.cache.looked(self.now)
        return self.cache.find(encode_command(words), self.now)

    def step(self, what: str, which: int, more: int) -> None:
        wires = self.server.wires
        wire = wires[which % len(wires)] if wires else None
        match what:
            case "read":
                self.read(READS[which % 3])
            case "write":
                self.write(b"SET", KEYS[which % 2], b"x")
            case "write by a lease":
                self.write(b"SET", KEYS[which % 2], b"x", leased=True)
            case "flush":
                self.write(b"FLUSHALL")
            case "another writes":
                self.server.write(KEYS[which % 2], None)
                if more % 2:
                    self.server.end_turn()
            case "another flushes":
                self.server.flush(None)
            case "run" if wire is not None and wire.asked:
                wire.run()
            case "deliver" if wire is not None:
                self.deliver(wire, more % 4, more)
            case "cut" if wire is not None:
                self.cut(wire)
            case "give up":
                self.give_up()

    def settle(self) -> None:
        """All that is on its way arrives, and what is to be tried again is."""
        self.server.end_turn()
        while self.reads or any(wire.asked or wire.said for wire in self.server.wires):
            for wire in list(self.server.wires):
                self.catch_up(wire)
            self.pass_time()

    def check_all(self) -> None:
        """Every call has ended, and what is kept is what the server has."""
        assert not self.reads
        for words in READS:
            if (kept := self.find(words)) is not None:
                values = [b"%d" % self.server.version[key] for key in words[1:]]
                assert kept.reply == (values if len(values) > 1 else values[0])


STEPS: Final = (
    *("read",) * 8, *("run",) * 8, *("deliver",) * 8, "write", "write by a lease", *("another writes",) * 3, "another flushes",
    "flush", "cut", "give up",
)  # fmt: skip


@pytest.mark.parametrize("lanes", [1, 2])
@pytest.mark.parametrize("prefixes", [(), ("a", "b")], ids=["asked for", "all are told"])
@settings(max_examples=80)
@given(steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 5), st.integers(0, 12)), max_size=80))
def test_nothing_stale_is_kept_and_every_reader_is_answered(
    lanes: int, prefixes: tuple[str, ...], steps: list[tuple[str, int, int]]
) -> None:
    world = World(Cache(prefixes=prefixes), lanes)
    for step in steps:
        world.step(*step)
    world.settle()
    world.check_all()
    for words in READS * 2:  # and it keeps something
        world.read(words)
        world.settle()
    assert all(world.find(words) for words in READS)
    world.check_all()


def test_the_model_finds_a_cache_that_does_not_follow_the_wire(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ReadCache, "invalidated", lambda *_: None)
    world = World(Cache(), 1)
    world.read(READS[0])
    world.settle()
    world.server.write(b"a", None)
    world.settle()
    with pytest.raises(AssertionError):
        world.check_all()
