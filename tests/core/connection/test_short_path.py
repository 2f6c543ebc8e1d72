"""The short path of a connection at rest: what it does is what the long way does, and where it can't, it declines."""

from __future__ import annotations

import sys
from math import inf
from random import Random
from typing import Any

import pytest

from resp_sansio import Command, LocalProtocolError, Outcome
from resp_sansio.connection import Connection, SlotState, sending
from resp_sansio.connection.slot import Slot
from resp_sansio.connection.stateful import new_batch, new_slot
from resp_sansio.wire.encoder import encode_command

REPLIES = [
    b"+OK\r\n",
    b":1\r\n",
    b"$3\r\nabc\r\n",
    b"$400\r\n" + b"x" * 400 + b"\r\n",
    b"_\r\n",
    b"-ERR no\r\n",
    b":not\r\n",
    b"*2\r\n$1\r\na\r\n:2\r\n",
]
UNASKED = [b">2\r\n+message\r\n+hi\r\n", b"|1\r\n+a\r\n:1\r\n", b"+surplus\r\n", b"?", b""]


def command(value: int) -> Slot:
    return new_slot(("GET", value), value, inf)


class Pair:
    """Two connections with the same history: one on the short path, one on the long way."""

    def __init__(self, protocol: Any) -> None:
        self.both = Connection(silence=3.0, ping_interval=5.0), Connection(silence=3.0, ping_interval=5.0)
        for one in self.both:
            one.protocol = protocol
        self.slots: list[tuple[Slot, Slot]] = []
        self.now = 0.0
        self.wire = [b"", b""]

    def start(self, slots: tuple[Slot, Slot], taken: int) -> None:
        """Submit to both, and let the network take so many bytes."""
        short, long = self.both
        if short.error is not None:
            return
        self.slots.append(slots)
        rest = not (short.in_flight or short.wants_to_send)
        payload = short.start(slots[0])
        if payload is None:
            short.submit(slots[0])
        elif payload:
            assert rest
            self.wire[0] += payload[:taken]
            if payload[taken:]:
                short.unsent(payload[taken:])
        long.submit(slots[1])
        if payload:
            block = long.data_to_send()
            assert block == payload
            self.wire[1] += block[:taken]
            long.sent(min(taken, len(block)))
            assert slots[0].end == slots[1].end
        self.compare([], [])

    def flush(self) -> None:
        for index, one in enumerate(self.both):
            while block := one.data_to_send():
                one.sent(len(block))
                self.wire[index] += block
        self.compare([], [])

    def receive(self, data: bytes) -> None:
        short, long = self.both
        answered = short.receive_replies(data)
        long.receive_data(data)
        self.compare(short.events() if answered is None else answered, long.events())
        assert answered is None or short.events() == []

    def abandon(self, index: int) -> None:
        for one, slot in zip(self.both, self.slots[index], strict=True):
            one.abandon(slot)
        self.compare(self.both[0].events(), self.both[1].events())

    def time(self, seconds: float) -> None:
        self.now += seconds
        for one in self.both:
            one.handle_timeout(self.now)
        self.compare(self.both[0].events(), self.both[1].events())

    def compare(self, one: Any, other: Any) -> None:
        short, long = self.both
        assert [self.told(event) for event in one] == [self.told(event) for event in other]
        assert self.wire[0] == self.wire[1]
        assert repr(short) == repr(long)
        assert short.stats() == long.stats()
        assert short.next_deadline() == long.next_deadline()
        assert short.wants_to_send == long.wants_to_send
        assert [slot.token for slot in short._flying] == [slot.token for slot in long._flying]
        for slots in self.slots:
            assert len({slot.state for slot in slots}) == 1
            assert len({repr(getattr(slot, "outcomes", None)) for slot in slots}) == 1

    @staticmethod
    def told(event: Any) -> str:
        return f"{event.token} {event.reply!r} {event.attributes}" if isinstance(event, Slot) else repr(event)


@pytest.mark.parametrize("seed", range(300))
def test_two_connections_with_one_history_tell_the_same(seed: int) -> None:
    random = Random(seed)
    pair = Pair(random.choice([2, 3, 3]))
    for number in range(60):
        deadline = random.choice([inf, pair.now + 1.0])
        match random.choice(["start"] * 5 + ["reply"] * 5 + ["flush", "batch", "abandon", "time", "unasked", "large"]):
            case "start":
                slots = new_slot(("GET", number), number, deadline), new_slot(("GET", number), number, deadline)
                pair.start(slots, random.choice([1000, 1000, 1000, 3, 0]))
            case "batch":
                payloads, info = [encode_command(("GET", number))] * 2, Command("GET", "k").info
                slots = new_batch(payloads, [info] * 2, number), new_batch(payloads, [info] * 2, number)
                pair.start(slots, 1000)
            case "large":
                value = random.choice([b"x" * 40_000, b"x" * 20_000])
                arguments: list[str | bytes] = ["MSET"]
                for key in range(4):
                    arguments += [f"k{key}", value]
                pair.start((new_slot(arguments, number), new_slot(arguments, number)), 10**6)
            case "reply" if pair.both[0].in_flight and not pair.both[0]._blocks:
                count = random.choice([1, 1, 1, pair.both[0].in_flight])
                data = b"".join(random.choices(REPLIES, k=count))
                cut = random.randrange(len(data)) if random.random() < 0.2 else 0
                pair.receive(data[:cut])
                pair.receive(data[cut:])
            case "unasked" if random.random() < 0.1:
                pair.receive(random.choice(UNASKED))
            case "flush":
                pair.flush()
            case "abandon" if pair.slots:
                pair.abandon(random.randrange(len(pair.slots)))
            case "time":
                pair.time(random.random() * 2)
    for one in pair.both:
        one.receive_eof()
    pair.compare(pair.both[0].events(), pair.both[1].events())


def test_a_command_goes_out_at_once_where_nothing_else_is_under_way() -> None:
    core = Connection()
    first, second = command(1), command(2)
    assert core.start(first) == b"*2\r\n$3\r\nGET\r\n$1\r\n1\r\n"
    assert first.state is SlotState.HANDED
    assert core.data_to_send() == b""
    assert core.start(second) == b""  # behind the first
    assert second.state is SlotState.QUEUED
    assert core.receive_replies(b"+one\r\n") == [first]
    assert core.start(command(3)) == b""  # behind the second
    assert core.data_to_send() == b"*2\r\n$3\r\nGET\r\n$1\r\n2\r\n*2\r\n$3\r\nGET\r\n$1\r\n3\r\n"


def test_what_is_not_taken_comes_next_and_does_not_count_as_sent() -> None:
    core = Connection()
    slot = command(1)
    payload = core.start(slot)
    assert payload is not None
    core.unsent(payload[4:])
    assert core.data_to_send() == payload[4:]
    core.send_failed("the network is down")
    assert slot.outcomes == (Outcome.NOT_SENT,)


def test_what_is_taken_counts_as_sent() -> None:
    core = Connection()
    slot = command(1)
    core.start(slot)
    core.receive_eof()
    assert slot.outcomes == (Outcome.MAYBE_EXECUTED,)


def test_unsent_is_for_the_end_of_what_start_returned() -> None:
    core = Connection()
    with pytest.raises(LocalProtocolError, match="not the end of what"):
        core.unsent(b"x")
    payload = core.start(command(1))
    assert payload is not None
    core.unsent(payload[4:])
    with pytest.raises(LocalProtocolError, match="not the end of what"):
        core.unsent(payload[4:])


def test_it_declines_what_the_state_or_the_command_does_not_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    core = Connection()
    assert core.start(new_slot(("SUBSCRIBE", "a"))) is None
    info = Command("GET", "k").info
    assert core.start(new_batch([b"x"], [info])) is None
    sent = command(1)
    core.submit(sent)
    core.abandon(sent)
    assert core.start(sent) is None
    monkeypatch.setattr(sending, "SHORT_PATH", False)
    assert core.start(command(1)) is None
    monkeypatch.undo()
    core.close()
    assert core.start(command(1)) is None
    assert core.stats().sent == 0


def test_a_large_command_waits_for_data_to_send() -> None:
    core = Connection()
    for value in (b"x" * 70_000, "x" * 70_000):
        assert core.start(new_slot(("SET", "k", value))) == b""
    assert core.data_to_send()


def test_a_reply_that_begins_unasked_behind_an_answer_ends_the_connection() -> None:
    core = Connection()
    slot = command(1)
    core.start(slot)
    assert core.receive_replies(b"+one\r\n$5\r\nsur") is None
    answered, lost = core.events()
    assert answered is slot
    assert "a reply begins that no command asked for" in str(lost)


def test_nothing_is_told_of_a_connection_that_has_ended() -> None:
    core = Connection()
    core.receive_eof()
    [lost] = core.events()
    assert core.receive_replies(b"+one\r\n") is None
    assert core.events() == [lost]


def test_replies_come_behind_what_was_not_told_yet() -> None:
    core = Connection()
    core.protocol = 3
    first, second = command(1), command(2)
    core.start(first)
    core.start(second)
    core.sent(len(core.data_to_send()))
    core.receive_data(b"+one\r\n")
    assert core.receive_replies(b"+two\r\n") is None
    assert core.events() == [first, second]


@pytest.mark.parametrize("line", range(20))
def test_a_start_that_is_interrupted_leaves_what_can_be_ended(line: int) -> None:
    """A signal handler raises at this line of it: the connection is ended then, as uncertain, and each slot knows how."""
    one = Connection()
    slot = command(1)
    lines = iter(range(100))

    def strike(frame: Any, event: str, _: Any) -> Any:
        if frame.f_code is not Connection.start.__code__:
            return None
        if event == "line" and next(lines) == line:
            raise KeyboardInterrupt
        return strike

    before = sys.gettrace()
    sys.settrace(strike)
    try:
        one.start(slot)
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(before)
    one.abort(uncertain=True)
    one.abandon(slot)
    assert Outcome.REPLY not in slot.outcomes
