"""Conversations that no author would think of: the connection machine against a simple server, at every byte and in every order.

The model is a list of what was sent and what must have become of it. The server is `resp_sansio.testing.Peer`; between the two
lie two wires that stop wherever hypothesis likes. These must hold:

- each call gets its own reply or one failure, once, and by position: the n-th command that left is the n-th that was answered;
- NOT_SENT is never said of what the server ran, even if it gets to read all that the network took;
- MAYBE_EXECUTED is not said, at the end, of what the network did not take to its last byte;
- no byte of a caller's leaves before the handshake is accepted;
- what was received whole is told at once, replies and pushes alike, in their order;
- the end is the last event, and again ever after; a local mistake raises and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from resp_sansio import (
    Command,
    ConnectionClosedError,
    LocalProtocolError,
    Outcome,
    Push,
    RemoteProtocolError,
    Reply,
    ReplyError,
    Verbatim,
)
from resp_sansio.connection import (
    Batch,
    Connection,
    ConnectionLost,
    Handshake,
    Opened,
    PushReceived,
    Slot,
    SlotState,
    State,
    TimedOut,
)
from resp_sansio.connection.stateful import new_slot
from resp_sansio.testing import Peer
from resp_sansio.wire import Parser, encode_command, encode_reply

if TYPE_CHECKING:
    from collections.abc import Sequence

REPLY, NOT_SENT, MAYBE = Outcome.REPLY, Outcome.NOT_SENT, Outcome.MAYBE_EXECUTED
Words: TypeAlias = tuple[bytes, ...]

# In every argument of a caller's, so that one byte of theirs is known when it is seen too early.
MARK: Final = b"caller:"

# What commands are answered: of every kind, and some that look like something else.
VALUES: Final[tuple[Reply, ...]] = (
    b"",
    b"bulk",
    "OK",
    "QUEUED",
    0,
    None,
    ReplyError("ERR no"),
    [],
    [b"message", b"a", b"not a message"],
    [b"unsubscribe", None, 0],
    [1, [None, {b"k": 1.5}], True],
    {b"a": {b"b"}},
    Verbatim(b"text \r\n", "txt"),
    2**70,
    b"x" * 3000,
)
AMOUNTS: Final = st.sampled_from([0, 1, 5, 40, 10**6, 10**6, 10**6])
SILENCE: Final = 30.0
RARELY: Final = st.sampled_from([False] * 9 + [True])
CHANNELS: Final = st.lists(st.sampled_from([b"a", b"b", b"c"]), min_size=1, max_size=3)
KINDS: Final = (
    *["GET"] * 8, "large", "BLPOP", "SUBSCRIBE", "PSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "UNWATCH",
)  # fmt: skip
GARBAGE: Final = st.sampled_from(
    [b"@", b"HTTP/1.1 400 Bad Request\r\n", b"$x\r\n", b"$\r\n", b"\r\n", b"*-2\r\n", b"$1\r\nabc"]
)
PING: Final = (b"PING",)  # only the connection itself sends it here, to keep itself alive
REFUSALS: Final = {
    "BUSY": {"SELECT": ReplyError("BUSY Redis is busy running a script.")},
    "LOADING": {"HELLO": ReplyError("LOADING Redis is loading the dataset in memory")},
    "NOPERM": {"SELECT": ReplyError("NOPERM this user has no permissions to run the 'select' command")},
}


Moves: TypeAlias = list[tuple[str, int]]
MOVES: Final = st.lists(st.tuples(st.sampled_from(["write", "serve", "read"] * 2 + ["publish"]), AMOUNTS), max_size=8)
Request: TypeAlias = list[tuple[str, Reply, list[bytes]]]


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """One command, several, or a transaction: (kind, what it is answered if it runs, channels) each."""

    def some(kinds: Sequence[str], least: int, most: int) -> Request:
        return draw(
            st.lists(
                st.tuples(st.sampled_from(kinds), st.sampled_from(VALUES), CHANNELS), min_size=least, max_size=most
            )
        )

    how = draw(
        st.sampled_from(["one", "one", "one", "several", "plain", "EXEC", "DISCARD", "refused", "touched", "HELLO"])
    )
    match how:
        case "one":
            return some((*KINDS, "AUTH default wrong"), 1, 1)
        case "several":
            return some(KINDS, 2, 5)
        case "plain":
            return some(("GET", "GET", "BLPOP", "large"), 2, 5)
        case "HELLO":
            return some(("HELLO 2", "HELLO 3", "HELLO 3 AUTH default wrong"), 1, 1)
    queued = some(("GET", "GET", "GET", "large", "BLPOP", "UNWATCH", *(["NOSUCH"] * (how == "refused"))), 0, 3)
    begin = some(("MULTI", "MULTI", "MULTI refused"), 1, 1)
    if how == "touched":
        begin = [("WATCH k", None, []), ("TOUCH", "touched", []), *begin]
    end: Request = [("DISCARD" if how == "DISCARD" else "EXEC", None, [])]
    return [*some(("GET",), 0, 1), *begin, *queued, *end, *some(("GET",), 0, 1)]


@dataclass(eq=False)
class Call:
    """What a caller asked for, and how it ended."""

    slot: Slot
    commands: list[Command[Reply]]
    deadline: float
    outcomes: list[Outcome] | None = None
    reply_seen: bool = False

    @property
    def sent_or_queued(self) -> bool:
        return self.slot.state in (SlotState.QUEUED, SlotState.HANDED, SlotState.ABANDONED)

    @property
    def waiting(self) -> bool:
        return self.outcomes is None and not self.reply_seen


@dataclass
class Wire:
    """Bytes on their way; `ends` says where the pushes and replies among them end."""

    data: bytearray = field(default_factory=bytearray)
    put: int = 0
    taken: int = 0

    def write(self, data: bytes) -> int:
        self.data += data
        self.put += len(data)
        return self.put

    def read(self, count: int) -> bytes:
        part = bytes(self.data[:count])
        del self.data[:count]
        self.taken += len(part)
        return part


def flat(payload: bytes | list[bytes]) -> bytes:
    return payload if isinstance(payload, bytes) else b"".join(payload)


def seen(value: Reply, protocol: Literal[2, 3]) -> Reply:
    """What a client reads when a server means `value`."""
    return Parser().feed(encode_reply(value, protocol))[0]


def same(one: Reply, other: Reply) -> bool:
    """Equal, type for type."""
    return encode_reply(one) == encode_reply(other)


class Conversation(RuleBasedStateMachine):
    """One connection, one server, and whatever may happen between them."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self.to_server, self.to_client = Wire(), Wire()
        self.accepted = bytearray()  # what the network took
        self.promised: list[tuple[int, Push | None]] = []  # where in to_client messages end, and what they are
        self.pushes: list[Push] = []
        self.opened = False
        self.opening = 0  # how many commands the handshake took
        self.lost: ConnectionLost | None = None
        self.now = 0.0
        self.number = 0
        self.untaken = 0
        self.mad = False  # the server, which then says no more
        self.surplus = False
        self.heard_at = self.owed_at = 0.0
        self.answers: dict[bytes, Reply] = {}

    # -- the beginning ---------------------------------------------------------------------------------------------------------

    @initialize(
        protocol=st.sampled_from([None, 2, 3, 3, 3]),
        hello=st.sampled_from([True, True, False]),
        password=st.sampled_from([None, "right", "wrong"]),
        database=st.sampled_from([0, 3, 99]),
        name=st.sampled_from([None, "name", "bad name"]),
        refusal=st.sampled_from([None, None, None, None, *REFUSALS]),
        timers=st.booleans(),
        sane=st.sampled_from([True, True, True, False]),
        at_once=st.sampled_from([True, True, False]),
        most=st.sampled_from([1024, 1024, 3]),
        short=st.booleans(),
    )
    def begin(
        self,
        protocol: Literal[2, 3] | None,
        hello: bool,
        password: str | None,
        database: int,
        name: str | None,
        refusal: str | None,
        timers: bool,
        sane: bool,
        at_once: bool,
        most: int,
        short: bool,
    ) -> None:
        self.short = short
        if sane:
            database, refusal = database % 9, None
            name = name and "name"
            password = password and "right"
        self.peer = Peer(answer=self.answer, hello=hello, password=b"right" if password else None, mute=True)
        self.peer.refused = {"NOSUCH": ReplyError("ERR unknown command"), **REFUSALS.get(refusal or "", {})}
        handshake = None
        if protocol is not None:
            handshake = Handshake(
                protocol=protocol, password=password, client_name=name, library_name="it", database=database
            )
        else:
            self.opened = True
            self.peer.password = None
        self.connection = Connection(
            handshake,
            open_by=50.0,
            ping_interval=20.0 if timers else inf,
            silence=SILENCE if timers else inf,
            max_pushes=1000,
            max_in_flight=most,
            max_in_flight_bytes=100_000 * most,
        )
        self.most = most
        if at_once:
            self.everything_flows(3)

    def answer(self, words: Words) -> Reply:
        if words[0] == b"TOUCH":
            self.peer.touch()
        return self.answers.get(words[-1], ReplyError("ERR unknown command"))

    # -- what callers do -------------------------------------------------------------------------------------------------------

    def mark(self, value: Reply) -> bytes:
        """An argument that no other call has, and what the server will say to it."""
        self.number += 1
        mark = b"%b%d" % (MARK, self.number)
        self.answers[mark] = value
        return mark

    def submit(self, commands: Sequence[Command[Reply]], deadline: float) -> None:
        """Send, unless the connection has to refuse: then it changes nothing."""
        connection, before = self.connection, repr(self.connection)
        names = {command.info.name for command in commands}
        refused: type[Exception] | None = None
        if connection.state in (State.LOST, State.CLOSING):
            refused = ConnectionClosedError
        elif connection.state is State.MONITORING or (connection.state is State.OPENING and "MONITOR" in names):
            refused = LocalProtocolError
        elif connection.state is State.SUBSCRIBED:
            allowed = {"SUBSCRIBE", "UNSUBSCRIBE", "PSUBSCRIBE", "PUNSUBSCRIBE", "PING", "QUIT", "RESET"}
            refused = None if names <= allowed else LocalProtocolError
        if refused is not None:
            with pytest.raises(refused):
                self.send(commands, deadline)
            assert repr(connection) == before
        else:
            slot = self.send(commands, deadline)
            assert slot.token is commands
            self.calls.append(Call(slot, list(commands), deadline))

    def send(self, commands: Sequence[Command[Reply]], deadline: float) -> Slot:
        if len(commands) == 1 and self.short:
            return self.start(commands, deadline)
        if len(commands) == 1:
            return self.connection.send(commands[0], commands, deadline=deadline)
        return self.connection.send_many(commands, commands, deadline=deadline)

    def start(self, commands: Sequence[Command[Reply]], deadline: float) -> Slot:
        """Send by the short path, if it takes this; the network may not take all of it."""
        slot = new_slot(commands[0].args, commands, deadline, commands[0].info)
        owed = self.in_flight
        payload = self.connection.start(slot)
        if payload is None:
            self.connection.submit(slot)
        elif payload:
            assert self.opened
            assert not owed
            self.owed_at = self.now
            part = payload[: 7 * self.number % 97]
            self.accepted += part
            self.to_server.write(part)
            if len(part) < len(payload):
                self.connection.unsent(payload[len(part) :])
        return slot

    @rule(
        wanted=st.lists(requests(), min_size=1, max_size=3),
        deadline=st.sampled_from([inf, inf, 1.0, 10.0, 60.0]),
        moves=MOVES,
    )
    def send_something(self, wanted: list[Request], deadline: float, moves: Moves) -> None:
        for request in wanted:
            self.submit([self.command(*one) for one in request], self.now + deadline)
        self.move(moves)

    def command(self, kind: str, value: Reply, channels: list[bytes]) -> Command[Reply]:
        match kind:
            case "GET" | "TOUCH" | "NOSUCH" | "MULTI refused":
                return Command(kind.removesuffix(" refused"), self.mark(value))
            case "BLPOP":
                return Command("BLPOP", "k", self.mark(value))  # a timeout that only this server understands
            case "large":
                return Command("SET", b"k" * 30_000, b"k" * 10_000, b"v" * 40_000, self.mark(value))
            case "SUBSCRIBE" | "PSUBSCRIBE":
                return Command(kind, *channels)
            case _:
                return Command(*kind.split())

    @precondition(lambda self: self.number > 5)
    @rule(name=st.sampled_from(["MONITOR", "QUIT", "RESET", "close", "abort", "EOF", "failed write"]), really=RARELY)
    def end_or_change(self, name: str, really: bool) -> None:
        if not really:
            return
        match name:
            case "close":
                self.connection.close()
            case "abort":
                self.connection.abort()
            case "EOF":
                self.connection.receive_eof()
            case "failed write":
                self.connection.send_failed("broken pipe")
            case _:
                self.submit([Command(name)], inf)
        assert self.connection.state is State.LOST or name not in ("abort", "EOF", "failed write")

    @precondition(lambda self: self.calls)
    @rule(which=st.integers(0, 11), again=st.booleans(), moves=MOVES)
    def abandon(self, which: int, again: bool, moves: Moves) -> None:
        recent = self.calls[-12:]
        call = recent[which % len(recent)]
        state, answered = call.slot.state, call.slot.replies[:] if isinstance(call.slot, Batch) else []
        outcomes = list(self.connection.abandon(call.slot))
        if again:
            assert list(self.connection.abandon(call.slot)) == outcomes
        if call.reply_seen or state is SlotState.ANSWERED:
            assert outcomes == [REPLY] * len(call.commands)
        elif call.waiting and state is SlotState.QUEUED:
            assert outcomes == [NOT_SENT] * len(call.commands)
            call.outcomes = outcomes
        elif call.waiting and state is SlotState.HANDED:
            assert NOT_SENT not in outcomes
            assert outcomes.count(REPLY) <= len(answered)
            call.outcomes = outcomes
        elif call.outcomes is not None:
            assert outcomes == call.outcomes
        self.move(moves)

    mistakes = st.sampled_from(
        [
            lambda connection: connection.send(Command("EXEC")),
            lambda connection: connection.send_many([Command("MULTI"), Command("GET", "k")]),
            lambda connection: connection.send_many([Command("MULTI"), Command("SUBSCRIBE", "a"), Command("EXEC")]),
            lambda connection: connection.send_many([Command("PING"), Command("MONITOR")]),
            lambda connection: connection.send_many([]),
            lambda connection: connection.send(Command("CLIENT", "REPLY", "SKIP")),
            lambda connection: connection.send(Command("SET", "k", None)),  # type: ignore[call-overload]
            lambda connection: connection.sent(10**9),
            lambda connection: connection.sent(-1),
        ]
    )

    @rule(mistake=mistakes)
    def make_a_mistake(self, mistake: Any) -> None:
        before = repr(self.connection), self.connection.next_deadline(), self.connection.watch_epoch
        with pytest.raises((TypeError, ValueError, LocalProtocolError)):
            mistake(self.connection)
        assert (repr(self.connection), self.connection.next_deadline(), self.connection.watch_epoch) == before

    @precondition(lambda self: self.untaken)
    @rule()
    def take_push(self) -> None:
        self.connection.push_taken()
        self.untaken -= 1

    # -- what the network does ---------------------------------------------------------------------------------------------------

    @rule(moves=MOVES)
    def bytes_move(self, moves: Moves) -> None:
        self.move(moves)

    def move(self, moves: Moves) -> None:
        for move, count in moves:
            match move:
                case "write":
                    self.write(count)
                case "serve":
                    self.server_reads(count)
                case "publish":
                    self.publish(b"a", b"hi" * (count % 2))
                case _:
                    self.client_reads(count)

    def write(self, count: int) -> None:
        owed = self.in_flight
        block = self.connection.data_to_send()
        self.owed_at = self.owed_at if owed else self.now
        part = bytes(block[:count])
        assert self.opened or MARK not in block
        assert self.lost is None or not block
        self.accepted += part
        self.connection.sent(len(part))
        self.to_server.write(part)

    def server_reads(self, count: int) -> None:
        if self.mad:
            return
        for said in self.peer.receive(self.to_server.read(count)):
            self.say(said, None)

    def say(self, data: bytes, push: Push | None) -> None:
        self.promised.append((self.to_client.write(data), push))

    def client_reads(self, count: int) -> None:
        data = self.to_client.read(count)
        self.heard_at = self.now if data else self.heard_at
        if self.short:
            for slot in self.connection.receive_replies(data) or ():
                self.check_reply(self.call_of(slot))
        else:
            self.connection.receive_data(data)
        self.listen()
        if self.lost is None:
            told = [push for end, push in self.promised if push is not None and end <= self.to_client.taken]
            assert self.pushes == told

    def everything_flows(self, times: int) -> None:
        for _ in range(times):
            self.write(10**6)
            self.server_reads(10**6)
            self.client_reads(10**6)

    @rule(seconds=st.sampled_from([0.0, 0.5, 0.5, 5.0, 25.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        connection = self.connection
        due = [call for call in self.calls if call.waiting and call.deadline <= self.now]
        assert (
            connection.next_deadline() <= min([call.deadline for call in self.calls if call.waiting], default=inf)
            or self.lost
        )
        connection.handle_timeout(self.now)
        assert connection.next_deadline() > self.now
        self.listen(due)

    # -- what the server does unasked ------------------------------------------------------------------------------------------

    @rule(channel=st.sampled_from([b"a", b"b"]), message=st.sampled_from([b"", b"hi", b"\r\n" * 20]))
    def publish(self, channel: bytes, message: bytes) -> None:
        if self.mad or self.peer.closed:
            return
        if self.peer.monitoring:
            self.say(encode_reply(f"1.0 [0 x] {channel!r}"), Push("monitor", (f"1.0 [0 x] {channel!r}",)))
        for push in self.peer.publish(channel, message):
            self.say(self.peer.push(push.kind, *push.items), push)
        if self.peer.protocol == 3 and message:
            push = Push("invalidate", ([channel, message],))
            self.say(b"|1\r\n+why\r\n*0\r\n" * (message == b"hi") + encode_reply(push), push)

    @rule()
    def describe(self) -> None:
        """An attribute, on whatever comes next."""
        if self.peer.protocol == 3 and not (self.mad or self.peer.closed):
            self.to_client.write(b"|1\r\n+why\r\n%1\r\n*1\r\n:1\r\n$3\r\n+++\r\n")

    @precondition(lambda self: self.number > 8 and self.lost is None)
    @rule(garbage=GARBAGE, really=RARELY)
    def server_goes_mad(self, garbage: bytes, really: bool) -> None:
        if not really or self.mad or self.peer.closed:
            return
        self.to_client.write(garbage)
        self.mad = True

    @precondition(lambda self: self.number > 3 and self.lost is None and self.connection.state is State.READY)
    @rule(really=RARELY)
    def server_answers_nobody(self, really: bool) -> None:
        settled = not (self.to_server.data or self.to_client.data or self.in_flight)
        if not really or not settled or self.peer.subscribed:
            return
        self.surplus = True
        self.connection.receive_data(b"+surplus\r\n")
        self.listen()
        assert self.lost is not None
        assert isinstance(self.lost.error, RemoteProtocolError)

    @property
    def in_flight(self) -> int:
        return len(self.connection._flying)

    # -- what the connection tells ---------------------------------------------------------------------------------------------

    def listen(self, due: Sequence[Call] = ()) -> None:
        """Take the events in, and hold each against the model."""
        timed_out = []
        for event in self.connection.events():
            assert self.lost is None or event is self.lost
            match event:
                case Opened():
                    assert not self.opened
                    self.opened = True
                    self.check_opened(event)
                case TimedOut(slot=slot):
                    call = self.call_of(slot)
                    call.outcomes = list(slot.outcomes)
                    timed_out.append(call)
                case PushReceived(push=push):
                    self.pushes.append(push)
                    self.untaken += 1
                case ConnectionLost() if self.lost is None:
                    self.lost = event
                    self.check_end(event)
                case ConnectionLost():
                    pass
                case slot:
                    self.check_reply(self.call_of(slot))
        assert set(timed_out) == set(due) or self.lost is not None

    def call_of(self, slot: Slot) -> Call:
        [call] = [call for call in self.calls if call.slot is slot]
        assert call.waiting
        return call

    def check_opened(self, event: Opened) -> None:
        assert event.protocol == self.connection.protocol
        assert MARK not in self.accepted
        assert self.peer.password is None or self.peer.authenticated
        self.opening = len(self.peer.received)

    def check_reply(self, call: Call) -> None:
        assert call.slot.state is SlotState.ANSWERED
        call.reply_seen = True
        said = self.said_to(call)
        replies = [call.slot.reply] if len(call.commands) == 1 else call.slot.reply
        assert isinstance(replies, list)
        assert len(replies) == len(said) == len(call.commands)
        for command, reply, (words, expected) in zip(call.commands, replies, said, strict=True):
            assert flat(encode_command(command.args)) == flat(encode_command(words))
            if command.info.secret and isinstance(expected, ReplyError):
                assert isinstance(reply, ReplyError)
                assert reply.code == expected.code
            else:
                assert same(reply, expected), (command, reply, expected)

    def said_to(self, call: Call) -> list[tuple[Words, Reply]]:
        """What the server answered to the commands of this call, by their position alone."""
        start = sum(len(one.commands) for one in self.before(call))
        answers = [answer for answer in self.peer.received[self.opening :] if answer.words != PING]
        said: list[tuple[Words, Reply]] = []
        for answer in answers[start : start + len(call.commands)]:
            if isinstance(answer.parts[0], Push):
                said.append((answer.words, list(answer.parts)))
            else:
                said.append((answer.words, seen(answer.parts[0], answer.protocol)))
        return said

    def before(self, call: Call) -> list[Call]:
        """The calls whose bytes left before this one's."""
        ahead = self.calls[: self.calls.index(call)]
        return [one for one in ahead if one.slot.state is not SlotState.WITHDRAWN]

    def check_end(self, event: ConnectionLost) -> None:
        assert event.unanswered == [call.slot for call in self.calls if call.waiting]
        for call in self.calls:
            if call.waiting:
                call.outcomes = list(call.slot.outcomes)
                failure = call.slot.failure(event.error, len(call.commands) - 1)
                assert failure.outcome is call.outcomes[-1]
                self.check_accepted(call)
        if isinstance(event.error, RemoteProtocolError):
            assert self.mad or self.surplus, "a server that behaves was taken for one that does not"
        if "silent" in str(event.error):
            assert self.now - max(self.heard_at, self.owed_at) >= SILENCE
        if not self.opened:
            assert all(set(call.outcomes or ()) <= {NOT_SENT} for call in self.calls)

    def check_accepted(self, call: Call) -> None:
        """At the end, what may have run was taken by the network to its last byte."""
        whole = [command for command in Parser().feed(bytes(self.accepted))[self.opening :] if command != list(PING)]
        first = sum(len(one.commands) for one in self.before(call))
        assert call.outcomes is not None
        for index, outcome in enumerate(call.outcomes, first):
            assert outcome is not MAYBE or index < len(whole)

    # -- what holds at any time ------------------------------------------------------------------------------------------------

    @invariant()
    def nothing_is_lost(self) -> None:
        if not hasattr(self, "connection"):
            return
        self.listen()
        connection = self.connection
        if self.lost is not None:
            assert connection.events() == [self.lost]
            assert connection.state is State.LOST
            assert connection.data_to_send() == b""
            assert not [call for call in self.calls if call.waiting]
        flying = connection._flying
        assert connection._abandoned == sum(slot.state is SlotState.ABANDONED for slot in flying)
        assert connection._scripts == sum(not slot.plain for slot in flying)
        assert connection._pushes == self.untaken
        assert len(flying) <= self.most
        if connection.is_as_new:
            assert connection.close_reason is None
            assert not connection.watching
            assert connection.oldest is None
        if connection.state is State.CLOSING:
            assert flying or any(call.slot.state is SlotState.QUEUED for call in self.calls)
        if connection.state is State.MONITORING:
            assert self.peer.monitoring or [
                call for call in self.calls if call.slot.name == "MONITOR" and call.sent_or_queued
            ]

    def teardown(self) -> None:
        if not hasattr(self, "connection"):
            return
        moved = -1
        while moved != (moved := self.to_server.put + self.to_client.put + self.to_server.taken + self.to_client.taken):
            self.everything_flows(1)
        if self.lost is None:
            assert not self.mad, "the server said what has no meaning, and the connection goes on"
            assert not [call for call in self.calls if call.waiting], "everything was read, and a caller still waits"
        # At worst, the server reads all that the network took after the client has gone.
        self.peer.receive(self.to_server.read(10**9))
        marks = [words[-1] for words in self.peer.executed]
        assert len(set(marks)) == len(marks), "something ran twice"
        for call in self.calls:
            for command, outcome in zip(call.commands, call.outcomes or (), strict=False):
                assert outcome is not NOT_SENT or command.args[-1] not in marks, "said not to be sent, and ran"


TestConversation = Conversation.TestCase
TestConversation.settings = settings(max_examples=100, stateful_step_count=80)
