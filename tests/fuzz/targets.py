"""What a fuzzer is let loose on: functions that take any bytes, and raise if something does not hold.

Each turns bytes into input of its own kind. The first bytes choose settings, so that a fuzzer that follows coverage finds its
way to each of them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from random import Random
from typing import Any, Final

from differential import Difference, check, check_requests
from resp_sansio import Command, Config, ConnectError, ConnectionClosedError, LocalProtocolError, ReplyError
from resp_sansio.connection import (
    Connection,
    ConnectionLost,
    Handshake,
    Opened,
    PushReceived,
    Slot,
    SlotState,
    TimedOut,
    new_batch,
    new_slot,
    prepare,
)
from resp_sansio.wire import Parser
from streams import Wire

Reader: Any = None
with suppress(ImportError):  # it is compared with where it is there
    Reader = import_module("hiredis").Reader

__all__ = ["TARGETS"]

MOST: Final = 4096  # bytes; what is longer is slower, and no different
ENDS: Final = frozenset({SlotState.ANSWERED, SlotState.LOST, SlotState.ABANDONED, SlotState.WITHDRAWN})
RESP3: Final = frozenset(b"_,#!=(%~>|.;?")  # signs that RESP2 has not, be it in data
SECRET: Final = "s3cret"


class Program:
    """Bytes, read as a list of choices."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def choice(self, most: int) -> int:
        """Return a number below `most`."""
        self._at += 1
        return self._data[self._at - 1] % most if self._at <= len(self._data) else 0

    def part(self) -> bytes:
        """Return a few of the bytes that follow."""
        size = self.choice(256)
        self._at += size
        return self._data[self._at - size : self._at]


def parser(data: bytes) -> None:
    """Replies: with accelerators, without, and by the reference; and as hiredis reads what both know."""
    seed, settings, stream = data[:1], data[1:2] or b"\0", data[2:MOST]
    flags = settings[0]
    wire = Wire(stream, lenient=bool(flags & 1), nested=bool(flags & 2))
    if flags & 4:
        wire = wire._replace(depth=3, bulk=1024 * 1024, line=64 * 1024, elements=2**20)
    if stream.count(b"|") > 1:
        wire = wire._replace(reply=2**30)  # of attributes in a row, `Pairs` keep more than the reference does
    check(wire, Random(seed), 0)
    if Reader is not None and not flags & 7:
        _compare(stream)


def _compare(data: bytes) -> None:
    """Raise `Difference` where hiredis reads whole RESP2 replies otherwise."""
    if not RESP3.isdisjoint(data):
        return  # big numbers, for one, are bytes there
    ours = Parser()
    values = ours.feed(data)
    if ours.error is not None or not ours.idle or not all(map(_is_plain, values)):
        return
    reader = Reader(replyError=str, protocolError=ValueError)
    reader.feed(data)
    theirs = []
    try:
        while (value := reader.gets()) is not False:
            theirs.append(value)
    except ValueError:
        return  # it takes less: signs, long lines
    if theirs != [_as_theirs(value) for value in values]:
        raise Difference(f"{values!r:.300}, and hiredis reads {theirs!r:.300}")


def _is_plain(value: Any) -> bool:
    if type(value) is list:
        return all(map(_is_plain, value))
    # Of what is no text it makes a mark, and we what can be sent again.
    return value is None or type(value) in (bytes, int) or (type(value) in (str, ReplyError) and str(value).isascii())


def _as_theirs(value: Any) -> Any:
    if type(value) is list:
        return [_as_theirs(one) for one in value]
    return value.encode() if type(value) is str else str(value) if type(value) is ReplyError else value


def requests(data: bytes) -> None:
    """Commands, as a server reads them."""
    check_requests(data[1:MOST], Random(data[:1]), 2)


def push(kind: str, *items: bytes) -> bytes:
    """A push of RESP3."""
    return b">%d\r\n+%b\r\n" % (1 + len(items), kind.encode()) + b"".join(items)


A: Final = b"$1\r\na\r\n"
ONE, NONE = b":1\r\n", b":0\r\n"
REPLIES: Final = (
    b"+OK\r\n", b"+QUEUED\r\n", ONE, A, b"*1\r\n:1\r\n", b"*2\r\n:1\r\n+x\r\n", b"_\r\n", b"*-1\r\n", b"-ERR no\r\n", b"+PONG\r\n",
    b"+RESET\r\n", b"-MOVED 1 a:1\r\n", b"|1\r\n+a\r\n+b\r\n", b"(abc\r\n", b"-LOADING\r\n", b"-WRONGPASS\r\n", b"-NOAUTH\r\n",
    b"%1\r\n+proto\r\n:3\r\n", push("subscribe", A, ONE), push("unsubscribe", A, NONE), push("message", A, A),
    push("sunsubscribe", A, NONE), push("psubscribe", b"$2\r\na*\r\n", ONE), push("invalidate", b"_\r\n"),
    b"*3\r\n$9\r\nsubscribe\r\n" + A + ONE, b"*3\r\n$11\r\nunsubscribe\r\n" + A + NONE,
    b"*3\r\n$12\r\nsunsubscribe\r\n" + A + NONE, b"*3\r\n$7\r\nmessage\r\n" + A + A,
)  # fmt: skip
COMMANDS: Final = (
    ("GET", "a"), ("INCR", "a"), ("BLPOP", "a", 0), ("SUBSCRIBE", "a"), ("UNSUBSCRIBE", "a"), ("UNSUBSCRIBE",), ("SSUBSCRIBE", "a"),
    ("SUNSUBSCRIBE", "a"), ("HELLO", 3), ("HELLO", 2), ("RESET",), ("MONITOR",), ("WATCH", "a"), ("UNWATCH",), ("QUIT",),
    ("SELECT", 1), ("AUTH", "x"), ("PSUBSCRIBE", "a*"), ("PING",), ("CLIENT", "REPLY", "OFF"),
)  # fmt: skip
BATCHES: Final = (
    (("GET", "a"), ("GET", "b"), ("INCR", "c")),
    (("MULTI",), ("GET", "a"), ("INCR", "b"), ("EXEC",)),
    (("GET", "a"), ("MULTI",), ("BLPOP", "a", 0), ("EXEC",), ("GET", "b")),
    (("MULTI",), ("DISCARD",)),
    (("SUBSCRIBE", "a", "b"), ("PING",), ("UNSUBSCRIBE", "a")),
)


class Watched:
    """A connection whose slots must end once each, as one of its callers would see it."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.slots: list[Slot] = []
        self.over: set[Slot] = set()
        self.opened = False
        self.lost = False

    def submit(self, program: Program) -> None:
        """Send something; what can't be sent now changes nothing."""
        chosen = program.choice(len(COMMANDS) + len(BATCHES))
        deadline = float(program.choice(200))
        try:
            if chosen < len(COMMANDS):
                slot = new_slot(COMMANDS[chosen], None, deadline)
            else:
                prepared = [prepare(words) for words in BATCHES[chosen - len(COMMANDS)]]
                slot = new_batch([payload for payload, _ in prepared], [info for _, info in prepared], None, deadline)
            self.connection.submit(slot)
        except (LocalProtocolError, ConnectionClosedError):
            return
        self.slots.append(slot)

    def write(self, program: Program) -> None:
        """Send, all or a part."""
        if block := self.connection.data_to_send():
            self.connection.sent(len(block) if program.choice(3) else program.choice(len(block) + 1))

    def look(self) -> None:
        """Take the events."""
        if self.lost:
            return
        for event in self.connection.events():
            assert not self.lost, "something was told behind the end"
            match event:
                case Slot():
                    assert event.state is SlotState.ANSWERED
                    self._end(event)
                case TimedOut():
                    self._end(event.slot)
                case ConnectionLost():
                    self.lost = True
                    assert str(event.error)
                    for slot in event.unanswered:
                        assert len(slot.outcomes) == slot.count
                        assert str(slot.failure(event.error))
                        self._end(slot)
                case PushReceived():
                    self.connection.push_taken()
                case Opened():
                    assert not self.opened
                    self.opened = True

    def _end(self, slot: Slot) -> None:
        assert slot in self.slots
        assert slot not in self.over, f"{slot} ended twice"
        assert slot.state in ENDS
        self.over.add(slot)

    def finish(self) -> None:
        """At the end, all have ended."""
        self.connection.receive_eof()
        self.look()
        assert self.lost
        assert all(slot.state in ENDS for slot in self.slots)
        stats = self.connection.stats()
        assert stats.sent >= stats.answered >= 0
        assert stats.in_flight >= stats.abandoned >= 0


def connection(data: bytes) -> None:
    """Any server, any calls, in any order."""
    program = Program(data[:MOST])
    flags = program.choice(8)
    tested = Connection(None, ping_interval=50.0, silence=80.0, max_in_flight=1 + 3 * (flags & 1), max_pushes=5)
    tested.protocol = 3 if flags & 2 else 2
    drive(Watched(tested), program)


def drive(watched: Watched, program: Program) -> None:
    """Do what the program says, and look after each step."""
    tested, now = watched.connection, 0.0
    while program:
        match program.choice(12):
            case 0 | 1 | 2:
                tested.receive_data(REPLIES[program.choice(len(REPLIES))])
            case 3:
                tested.receive_data(program.part())
            case 4 | 5:
                watched.submit(program)
            case 6 | 7:
                watched.write(program)
            case 8 if watched.slots:
                slot = watched.slots[program.choice(len(watched.slots))]
                if slot not in watched.over:
                    tested.abandon(slot)
                    assert (
                        len(slot.outcomes if slot.state is not SlotState.ANSWERED else [1] * slot.count) == slot.count
                    )
            case 9:
                now += program.choice(30)
                tested.handle_timeout(now)
                assert tested.next_deadline() > now
            case 10:
                whole = REPLIES[program.choice(len(REPLIES))]
                tested.receive_data(whole[: program.choice(len(whole))])
            case 11 if program.choice(8) == 0:
                tested.close()
        watched.look()
    watched.finish()


def handshake(data: bytes) -> None:
    """Any answers to a handshake: nothing of the user's goes out before all is accepted, and no secret is shown."""
    program = Program(data[:MOST])
    flags = program.choice(16)
    tested = Connection(
        Handshake(
            protocol=3 if flags & 1 else 2,
            password=SECRET if flags & 2 else None,
            client_name="name" if flags & 4 else None,
            database=7 if flags & 8 else 0,
        )
    )
    watched = Watched(tested)
    slot = tested.send(Command("GET", "of the user"), deadline=1000.0)
    watched.slots.append(slot)
    while program and not watched.lost:
        while block := tested.data_to_send():
            assert watched.opened or b"of the user" not in bytes(block), (
                "a command went out before the handshake was over"
            )
            tested.sent(len(block))
        if program.choice(2):
            tested.receive_data(REPLIES[program.choice(len(REPLIES))])
        else:
            tested.receive_data(program.part())
        watched.look()
    if tested.error is not None and not watched.opened:
        failure = tested.not_opened()
        assert isinstance(failure, ConnectError)
        assert SECRET not in str(failure)
    watched.finish()


def url(data: bytes) -> None:
    """Any text as a URL: a configuration that can be written down, or a `ValueError` that is short and shows no password."""
    text = data[:MOST].decode("utf-8", "surrogateescape")
    config = Config()
    try:
        config = Config.from_url(text)
    except (ValueError, TypeError) as error:
        told = str(error)
    else:
        told = ""
    assert len(told) < 2000
    if told:
        return
    assert "\n" not in repr(config) or "\n" in text
    with suppress(ValueError):  # what a host or a path may be, a URL can't always say
        assert Config.from_url(config.url).address == config.address
    if config.password and len(str(config.password)) > 8:
        assert str(config.password) not in repr(config).replace(config.host, "")


TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    target.__name__: target for target in (parser, requests, connection, handshake, url)
}
