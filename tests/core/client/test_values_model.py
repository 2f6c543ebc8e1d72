"""Large values in a world where anything may come between any two commands: others' writes, expiry, and the end of the writer.

A model of a server, with a clock of its own, runs what the machines send one command after the other. Whatever comes between, what
was read is one value that stood there, what was written is whole or not there, and nothing stays for ever: but for what vanishes
between commands that were sent together, if these are cut off there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from hypothesis import example, given, settings
from hypothesis import strategies as st

from resp_sansio import NoSuchKeyError, Reply, ReplyError, TornValueError, TransactionAbortedError
from resp_sansio.client.values import ValueReader, ValueWriter
from resp_sansio.connection import Batch, Slot, SlotState

OURS: Final = bytes(range(65, 90))
OTHERS: Final = (b"x" * 30, b"y" * 30, b"w" * 30, b"z" * 12, b"")

MANY: Final = 600
EVENTS = st.sampled_from(["nothing", "nothing", "nothing", "set", "set", "delete", "expire", "late", "flush"])


class CutError(Exception):
    """The connection, or the process of the caller, has ended."""


class Server:
    """One key, others, and a client that may watch the key; `before` is called before each command that is run."""

    def __init__(self, before: Callable[[], None]) -> None:
        self.now = 0.0
        self.data: dict[bytes, bytes] = {}
        self.expiry: dict[bytes, float] = {}
        self.history: list[bytes | None] = [None]  # what has stood under the key, one after the other
        self.before = before
        self.first = True  # is it the first one of those that were sent together?
        self.vanished = False  # has anything vanished since that?
        self._dirty: bool | None = None  # of what is watched, if it is
        self._queued: list[list[bytes]] | None = None

    def put(self, key: bytes, value: bytes | None, expiry: float | None = None) -> None:
        """Change a key, whoever does."""
        if value is None:
            self.data.pop(key, None)
        else:
            self.data[key] = value
        self.expiry.pop(key, None)
        if value is not None and expiry is not None:
            self.expiry[key] = expiry
        if key == b"k":
            self.history.append(value)
            self._dirty = None if self._dirty is None else True

    def expire(self) -> None:
        """Remove what has expired."""
        for key in [key for key, expiry in self.expiry.items() if expiry <= self.now]:
            self.put(key, None)

    def run(self, slot: Slot) -> list[Reply]:
        """Run the commands of a slot, and return the replies."""
        payloads = slot.payloads if isinstance(slot, Batch) else [slot.payload]
        replies = []
        for index, payload in enumerate(payloads):
            self.first = not index
            self.vanished = self.vanished and bool(index)
            self.before()
            self.expire()
            data = payload if isinstance(payload, bytes) else b"".join(payload)
            replies.append(self._take(data.split(b"\r\n")[2::2]))
            self.check()
        self.vanished = False
        self.check()
        return replies

    def check(self) -> None:
        """What is not finished is to expire, wherever the writer ends."""
        assert self.vanished or all(key in self.expiry for key in self.data if key != b"k")

    def _take(self, words: list[bytes]) -> Reply:
        match words:
            case [b"MULTI"]:
                self._queued = []
                return "OK"
            case [b"EXEC"]:
                queued, self._queued = self._queued, None
                dirty, self._dirty = self._dirty, None
                assert queued is not None
                return None if dirty else [self._execute(*line) for line in queued]
            case _ if self._queued is not None:
                self._queued.append(words)
                return "QUEUED"
        return self._execute(*words)

    def _execute(self, name: bytes, key: bytes, *more: bytes) -> Reply:
        value = self.data.get(key)
        match name:
            case b"WATCH":
                self._dirty = bool(self._dirty)
                return "OK"
            case b"STRLEN":
                return len(value or b"")
            case b"EXISTS":
                return int(value is not None)
            case b"GETRANGE":
                return (value or b"")[int(more[0]) : int(more[1]) + 1]
            case b"SET" if b"NX" in more and value is not None:
                return None
            case b"SET":
                self.put(key, more[0], self.now + int(more[2]) / 1000)
                return "OK"
            case b"APPEND":
                self.data[key] = (value or b"") + more[0]
                return len(self.data[key])
            case b"PEXPIRE" | b"PERSIST" if value is None:
                return 0
            case b"PEXPIRE":
                self.expiry[key] = self.now + int(more[0]) / 1000
                return 1
            case b"PERSIST":
                return int(self.expiry.pop(key, None) is not None)
            case b"PTTL":
                left = round((self.expiry[key] - self.now) * 1000) if key in self.expiry else -1
                return -2 if value is None else left
            case b"RENAME" if value is None:
                return ReplyError("ERR no such key")
            case b"RENAME":
                expiry = self.expiry.get(key)
                self.put(key, None)
                self.put(more[0], value, expiry)
                return "OK"
        assert name == b"UNLINK"
        self.put(key, None)
        return int(value is not None)


def world(events: list[str], cut: int | None = None) -> Server:
    """A server to which these things happen, one before each command; before the so-many-th one the caller ends."""
    coming: Iterator[str] = iter(events)
    number = 0

    def before() -> None:
        nonlocal number
        number += 1
        if number == cut:
            raise CutError
        match next(coming, "nothing"):
            case "set":
                server.put(b"k", OTHERS[number % len(OTHERS)])
            case "delete" if b"k" in server.data:
                server.put(b"k", None)
            case "expire" if b"k" in server.data:
                server.put(b"k", server.data[b"k"], server.now + 1)
            case "late":
                server.vanished = not server.first
                server.now += 2
            case "flush":
                server.vanished = not server.first
                for key in [*server.data]:
                    server.put(key, None)

    server = Server(before)
    return server


@settings(max_examples=MANY)
@given(
    events=st.lists(EVENTS, max_size=30),
    chunk_size=st.integers(1, 31),
    ahead=st.integers(1, 3),
    first=st.sampled_from(OTHERS),
)
def test_what_is_read_is_one_value_or_torn(events: list[str], chunk_size: int, ahead: int, first: bytes) -> None:
    server = world(events)
    server.put(b"k", first)
    reader, under_way, came = ValueReader("k", chunk_size, ahead), [], b""
    try:
        reader.opened(server.run(reader.opening()))
        since = len(server.history)
        standing = server.data.get(b"k")
        while reader.position < reader.size:
            while (slot := reader.next()) is not None:
                under_way.append(slot)
            came += reader.came(server.run(under_way.pop(0))[0])
        reader.checked(server.run(reader.check()))
    except NoSuchKeyError:
        assert None in server.history[1:]
    except TornValueError:
        assert len(server.history) > 2
    else:
        assert came == standing
        assert len(server.history) == since or reader.size == 0 or server.history[since - 1] == standing


@example(events=["nothing"] * 4 + ["set"], cut=None, chunk_size=30, options={"nx": True}, exists=False)
@example(events=["nothing"] * 4 + ["delete"], cut=None, chunk_size=30, options={"xx": True}, exists=True)
@settings(max_examples=MANY)
@given(
    events=st.lists(EVENTS, max_size=40),
    cut=st.none() | st.integers(1, 40),
    chunk_size=st.integers(1, 30),
    options=st.sampled_from([{}, {"nx": True}, {"xx": True}, {"keepttl": True}, {"px": 500_000}]),
    exists=st.booleans(),
)
def test_what_is_written_is_whole_or_not_there_and_nothing_stays(
    events: list[str], cut: int | None, chunk_size: int, options: dict[str, Any], exists: bool
) -> None:
    server = world(events, cut)
    if exists:
        server.put(b"k", OTHERS[0], server.now + 1000)
    writer = ValueWriter("k", "token", unfinished=1.5, **options)
    end: object
    try:
        end = write(server, writer, chunk_size)
    except (CutError, TornValueError, TransactionAbortedError) as error:
        end = type(error)
    written = OURS in server.history
    assert {value for value in server.history if value is not None} <= {OURS, *OTHERS}
    assert written is (end is True)
    if end is True:
        at = server.history.index(OURS)
        before = server.history[at - 1]
        assert before is None or not options.get("nx")
        assert before is not None or not options.get("xx")
        if not options.get("keepttl"):
            assert (b"k" in server.expiry) is ("px" in options)
    if end is not CutError:
        assert [*server.data] in ([], [b"k"])
    server.now += 2
    server.expire()
    assert set(server.data) <= {b"k"} or (end is CutError and server.vanished)


def write(server: Server, writer: ValueWriter, chunk_size: int) -> bool:
    """As the surfaces do, one chunk at a time."""
    try:
        if (forecast := writer.forecast()) is not None and not writer.looked(server.run(forecast)):
            return False
        for at in range(0, len(OURS), chunk_size):
            writer.took(server.run(writer.chunk(OURS[at : at + chunk_size])))
        while True:
            if (look := writer.look()) is not None and not writer.looked(server.run(look)):
                return False
            slot = writer.publish()
            slot.replies[:], slot.state = server.run(slot), SlotState.ANSWERED
            if writer.published(slot):
                return True
    except CutError:
        writer.begun = False  # no caller is left
        raise
    finally:
        if writer.begun:
            server.before = lambda: None
            server.run(writer.removal())
