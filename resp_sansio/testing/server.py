"""A small Redis: data that all connections share, what may be wrong with it, and the server's end of each connection.

Each command that matters carries a number of its own, as a key or as an element, so what ran, how often and for which call can be
read from the server afterwards. GET of a key that was never set returns the key's own name, so each reply shows whose it is.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any, Final, TypeAlias

from resp_sansio import Push, ReplyError

from .clock import Clock
from .keyspace import answer

__all__ = ["LARGE", "Server", "Session", "Words", "encode"]

Words: TypeAlias = tuple[bytes, ...]
"""A command as it came."""

OK: Final = "OK"
READONLY: Final = ReplyError("READONLY You can't write against a read only replica.")
WRITES: Final = frozenset(
    b"INCRBY SET RPUSH BLPOP BLMOVE LMOVE LREM APPEND RENAME UNLINK XREADGROUP XACK XAUTOCLAIM XCLAIM XGROUP".split()
)
OPENING: Final = frozenset({b"HELLO", b"AUTH", b"CLIENT", b"SELECT", b"PING", b"QUIT"})
NOT_QUEUED: Final = frozenset({b"MULTI", b"EXEC", b"DISCARD", b"WATCH", b"UNWATCH"})
SHARDED: Final = frozenset({b"SSUBSCRIBE", b"SUNSUBSCRIBE"})
PATTERNS: Final = frozenset({b"PSUBSCRIBE", b"PUNSUBSCRIBE"})
SUBSCRIPTIONS: Final = frozenset({b"SUBSCRIBE", b"UNSUBSCRIBE"}) | SHARDED | PATTERNS
SUBSCRIBED: Final = SUBSCRIPTIONS | {b"PING"}
RAW: Final = b"(abc\r\n"  # framed rightly, and no number
LARGE: Final = 5000
"""Bytes of a large reply, at most."""


def encode(value: Any, protocol: int) -> bytes:
    """Write a reply; not the library's own encoder, so that neither hides a fault of the other."""
    match value:
        case bytes():
            return b"$%d\r\n%b\r\n" % (len(value), value)
        case int():
            return b":%d\r\n" % value
        case str():
            return b"+%b\r\n" % value.encode()
        case None:
            return b"_\r\n" if protocol == 3 else b"$-1\r\n"
        case ReplyError():
            return b"-%b\r\n" % str(value).encode()
        case Push():
            parts = (value.kind.encode(), *value.items)
            return b"%b%d\r\n" % (b">" if protocol == 3 else b"*", len(parts)) + _all(parts, protocol)
        case dict():
            flat = [one for pair in value.items() for one in pair]
            head = b"%%%d\r\n" % len(value) if protocol == 3 else b"*%d\r\n" % len(flat)
            return head + _all(flat, protocol)
        case bytearray():
            return bytes(value)  # as it is
        case _:
            return b"*%d\r\n" % len(value) + _all(value, protocol)


def _all(values: Any, protocol: int) -> bytes:
    return b"".join([encode(one, protocol) for one in values])


def waits_for(words: Words) -> tuple[Words, float]:
    """Return the keys for which a command waits that blocks, and for how many seconds (0: for ever); no key if it does not."""
    match words:
        case (b"BLPOP", *keys, seconds):
            return tuple(keys), float(seconds)
        case (b"BLMOVE", key, *_, seconds):
            return (key,), float(seconds)
        case (b"XREADGROUP", *_) if b"BLOCK" in words:
            names = words[words.index(b"STREAMS") + 1 :]
            return names[: len(names) // 2], int(words[words.index(b"BLOCK") + 1]) / 1000
    return (), 0.0


def unknown(words: Words) -> Any:
    """Answer a command that the server does not know."""
    raise AssertionError(f"no caller sends {words!r}")


class Server:
    """Data, who waits for it, and what is wrong.

    `kind` is "new", "old" (without HELLO) or "proxy" (hangs up on what it does not know). With `password`, callers authenticate by
    "secret". `ran` counts what was executed: GET and INCRBY by their key, RPUSH by its element, RENAME by its new
    key and the number that the value begins with. `taken` says for each element that BLPOP took out the last key of that call, and
    when. `arrived` is called with each command that comes, `changed` with each key that has another value, and with that. `more`
    answers commands that the server does not know.
    """

    def __init__(self, clock: Clock, *, kind: str = "new", password: bool = False, database: int = 0) -> None:
        self.clock: Clock = clock
        self.kind: str = kind
        self.password: bool = password
        self.database: int = database  # in which commands are to come
        self.wrong: Counter[str] = Counter()  # phases, and how many acts hold each
        self.refuses: float = 0.0  # the chance that it refuses a connection, though nothing is wrong
        self.generation: int = 0  # of those that were connected before a fail-over
        self.restarts: int = 0
        self.data: dict[bytes, int] = defaultdict(int)
        self.version: Counter[bytes] = Counter()
        self.lists: dict[bytes, deque[bytes]] = defaultdict(deque)
        self.strings: dict[bytes, bytes] = {}
        self.blocked: dict[bytes, list[Session]] = defaultdict(list)
        self.channels: dict[bytes, dict[Session, None]] = defaultdict(dict)
        self.patterns: dict[bytes, dict[Session, None]] = defaultdict(dict)
        self.messages: Counter[bytes] = Counter()
        self.moved: set[bytes] = set()  # shard channels that are another node's
        self.trackers: dict[bytes, dict[Session, None]] = defaultdict(dict)  # those who are to be told of a change
        self._changed: list[bytes] = []
        self.changed: Callable[[bytes, int], None] = lambda _key, _value: None
        self.more: Callable[[Words], Any] = unknown
        self.ran: Counter[bytes] = Counter()
        self.arrived: Callable[[Session, Words], None] = lambda _session, _words: None
        self.taken: dict[bytes, tuple[bytes, float]] = {}  # element: for which call, and when

    def session(self, send: Callable[[bytes], None], hang_up: Callable[[], None]) -> Session:
        """Return the server's end of a new connection."""
        return Session(self, send, hang_up)

    def change(self, key: bytes, value: int) -> None:
        """A key has another value. Those who track it are told behind the reply to the command that has changed it."""
        self.version[key] += 1
        self.data[key] = value
        self._changed.append(key)
        self.changed(key, value)

    def tell_changes(self) -> None:
        """Tell those who track what was changed, once each: they are told again if they have read it again."""
        changed, self._changed = self._changed, []
        for key in changed:
            for session in self.trackers.pop(key, ()):
                if session.protocol == 3:  # RESP2 has no word for it
                    session.say(Push("invalidate", ([key],)))

    def publish(self, channel: bytes) -> None:
        """A caller of the server sends a message: its number in this channel."""
        self.messages[channel] += 1
        self.deliver(channel, b"%d" % self.messages[channel])

    def deliver(self, channel: bytes, message: bytes, *, sharded: bool | None = None) -> None:
        """Those who listen to a channel have this message; `sharded`: only to one of a shard, or only to one that is none.

        Patterns match no channel of a shard.
        """
        for session in list(self.channels[channel]):
            if sharded in (None, session.shards(channel)):
                session.say(Push("smessage" if session.shards(channel) else "message", (channel, message)))
        for pattern, sessions in [] if sharded else list(self.patterns.items()):
            if fnmatchcase(channel.decode("latin-1"), pattern.decode("latin-1")):
                for session in list(sessions):
                    session.say(Push("pmessage", (pattern, channel, message)))

    def move(self, channel: bytes) -> None:
        """The slot of a shard channel moves to another node: those who listen are told so, and refused from now on."""
        self.moved.add(channel)
        for session in list(self.channels[channel]):
            session.leave(b"SUNSUBSCRIBE", channel)

    def push(self, key: bytes, element: bytes) -> int:
        """Append to a list, and serve who waits for it."""
        self.lists[key].append(element)
        size = len(self.lists[key])
        self.wake(key)
        return size

    def wake(self, key: bytes) -> None:
        """More has come by this key: serve those who wait for it, in the order in which they came."""
        for session in list(self.blocked[key]):
            session.wake()

    def take(self, key: bytes, words: Words) -> list[bytes]:
        """Take the first element for this BLPOP, whose last key is its number."""
        element = self.lists[key].popleft()
        assert element not in self.taken
        self.taken[element] = words[-2], self.clock.now
        return [key, element]


class Session:
    """The server's end of one connection: `send` says something to the client, `hang_up` ends it."""

    def __init__(self, server: Server, send: Callable[[bytes], None], hang_up: Callable[[], None]) -> None:
        self.server: Server = server
        self.send: Callable[[bytes], None] = send
        self.hang_up: Callable[[], None] = hang_up
        self.generation: int = server.generation
        self.run_id: bytes = b""
        self.protocol: int = 2
        self.authenticated: bool = not server.password
        self.database: int = 0
        self.dead: bool = False
        self.held: deque[Words] = deque()  # behind a command that blocks
        self.waits: Words = ()  # that command
        self.unread: bytes = b""
        self._queued: list[Words] | None = None
        self._refused = False
        self._watched: dict[bytes, int] = {}
        self._channels: dict[bytes, bool] = {}  # those it listens to, and whether they are shard channels
        self._patterns: dict[bytes, None] = {}
        self._turn = 0  # tells one wait from the next
        self._tracks = self._caching = False

    def begin(self) -> None:
        """A connection was accepted."""
        self.generation = self.server.generation
        self.run_id = b"%d.%d" % (self.generation, self.server.restarts)
        if self.server.wrong["full"]:
            self.say(ReplyError("ERR max number of clients reached"))
            self.hang_up()

    def receive(self, data: bytes) -> None:
        """Bytes of the client's have come."""
        if self.dead:
            return
        parts = (self.unread + data).split(b"\r\n")
        at, last = 0, len(parts) - 1
        while at < last:
            assert parts[at][:1] == b"*", f"no command begins with {parts[at]!r}"
            end = at + 1 + 2 * int(parts[at][1:])
            if end > last:
                break
            self.held.append(tuple(parts[at + 2 : end : 2]))
            at = end
        self.unread = b"\r\n".join(parts[at:])
        self._work()

    def end(self) -> None:
        """The connection has ended."""
        self.dead = True
        self._stop_waiting()
        for channel in self._channels:
            self.server.channels[channel].pop(self, None)
        for pattern in self._patterns:
            self.server.patterns[pattern].pop(self, None)
        for tracking in self.server.trackers.values():
            tracking.pop(self, None)

    def say(self, value: Any) -> None:
        """Say this."""
        if not self.dead:
            self.send(encode(value, self.protocol))

    @property
    def owes(self) -> bool:
        """Is there a command that it has not answered?"""
        return bool(self.held or self.waits or self.unread)

    # -- commands that block --------------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Is there an answer by now to the command that blocks?"""
        if self.waits and (reply := self._run(self.waits[0], self.waits)) is not None:
            self.unblock(reply)

    def unblock(self, value: Any) -> None:
        """End the wait of the command that blocks, with this answer."""
        self._stop_waiting()
        self.say(value)
        self._work()

    def _stop_waiting(self) -> None:
        for key in waits_for(self.waits)[0]:
            if self in self.server.blocked[key]:
                self.server.blocked[key].remove(self)
        self.waits = ()
        self._turn += 1

    def _time_is_up(self, turn: int) -> None:
        if self._turn == turn and self.waits:
            self.unblock(None)

    def _block(self, words: Words) -> None:
        self.waits = words
        keys, seconds = waits_for(words)
        for key in keys:
            self.server.blocked[key].append(self)
        if seconds:
            self.server.clock.after(seconds, self._time_is_up, self._turn)

    # -- commands --------------------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while self.held and not self.waits and not self.dead:
            words = self.held.popleft()
            self._take(words)

    def _take(self, words: Words) -> None:
        server, name = self.server, words[0]
        server.arrived(self, words)
        if server.kind == "proxy" and name in (b"HELLO", b"CLIENT"):
            self.hang_up()
            return
        if (refusal := self._refusal(name)) is not None:
            if name == b"EXEC":
                refusal = ReplyError(f"EXECABORT Transaction discarded because of: {refusal}")
                self._queued = None
            self._refused = True
            self.say(refusal)
        elif self._queued is not None and name not in NOT_QUEUED:
            self._queued.append(words)
            self.say("QUEUED")
        elif name in SUBSCRIPTIONS:
            self._subscribe(name, words[1:])
        else:
            reply = self._run(name, words)
            if reply is None and waits_for(words)[0]:
                self._block(words)
            else:
                self.say(reply)
            self._caching = words[1:2] == (b"CACHING",)
            server.tell_changes()
        if name in (b"HELLO", b"PING") and server.wrong["hangs_up"]:
            self.hang_up()

    def _refusal(self, name: bytes) -> ReplyError | None:
        server, refusal = self.server, None
        if not self.authenticated and name not in (b"HELLO", b"AUTH"):
            refusal = ReplyError("NOAUTH Authentication required.")
        elif name in OPENING or name in NOT_QUEUED:
            if name == b"SELECT" and server.wrong["busy"]:
                refusal = ReplyError("BUSY Redis is busy running a script.")
            elif name == b"EXEC" and self._queued and not self._refused and self._is_replica:
                refusal = READONLY if any(words[0] in WRITES for words in self._queued) else None
        elif server.wrong["loading"] and name not in SUBSCRIPTIONS:
            refusal = ReplyError("LOADING Redis is loading the dataset in memory")
        elif server.wrong["busy"]:
            refusal = ReplyError("BUSY Redis is busy running a script.")
        elif self._is_replica and name in WRITES:
            refusal = READONLY
        elif self.protocol == 2 and self.listens:
            assert name in SUBSCRIBED, f"{name!r} was sent by a subscriber that speaks RESP2"
        return refusal

    @property
    def _is_replica(self) -> bool:
        return self.generation != self.server.generation

    def become_replica(self) -> None:
        """A fail-over: who waits for an element is told so."""
        if self.waits:
            self.unblock(
                ReplyError(
                    "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)"
                )
            )

    def _run(self, name: bytes, words: Words) -> Any:
        server = self.server
        match name:
            case b"GET":
                server.ran[words[1]] += 1
                if self._caching:
                    server.trackers[words[1]][self] = None
                return self._get(words[1])
            case b"INCRBY":
                server.ran[words[1]] += 1
                server.change(words[1], server.data[words[1]] + int(words[2]))
                return server.data[words[1]]
            case b"SET" if len(words) == 3:
                server.change(words[1], int(words[2]))
                return OK
            case b"RPUSH":
                server.ran[words[2]] += 1
                return server.push(words[1], words[2])
            case b"BLPOP":
                found = [key for key in words[1:-1] if server.lists[key]]
                return server.take(found[0], words) if found else None
            case b"HELLO":
                return self._hello(words)
            case b"AUTH":
                return self._auth(words[-1])
            case b"SELECT":
                self.database = int(words[1])
                return OK
            case b"PING":
                return [b"pong", b""] if self.protocol == 2 and self.listens else "PONG"
            case b"CLIENT":
                self._tracks = self._tracks or words[1] == b"TRACKING"
                refused = words[1] == b"CACHING" and not self._tracks
                return ReplyError("ERR CLIENT CACHING can be called only when tracking is on") if refused else OK
            case b"MULTI":
                self._queued, self._refused = [], False
                return OK
            case b"EXEC":
                return self._exec()
            case b"WATCH":
                self._watched |= {key: server.version[key] for key in words[1:] if key not in self._watched}
                return OK
            case b"UNWATCH":
                self._watched = {}
                return OK
        return answer(server, self.run_id, words)

    def _get(self, key: bytes) -> Any:
        """What a key has: its own name, unless it is a counter, large, or odd."""
        if key in self.server.data:
            return b"%d" % self.server.data[key]
        if key[:4] == b"odd:":
            return bytearray(RAW)
        return key * (LARGE // len(key)) if key[:6] == b"large:" else key

    def _exec(self) -> Any:
        queued, self._queued = self._queued, None
        watched, self._watched = self._watched, {}
        assert queued is not None, "EXEC without MULTI"
        if self._refused:
            return ReplyError("EXECABORT Transaction discarded because of previous errors.")
        if any(self.server.version[key] != version for key, version in watched.items()):
            return None
        return [self._run(words[0], words) for words in queued]

    def _hello(self, words: Words) -> Any:
        if self.server.kind == "old":
            return ReplyError("ERR unknown command 'HELLO'")
        if b"AUTH" in words and (refusal := self._auth(words[words.index(b"AUTH") + 2])) != OK:
            return refusal
        if not self.authenticated:
            return ReplyError("NOAUTH HELLO must be called with the client already authenticated")
        self.protocol = int(words[1])
        return {b"server": b"redis", b"version": b"7.4.0", b"proto": self.protocol}

    def _auth(self, password: bytes) -> Any:
        if self.server.password and (password != b"secret" or self.server.wrong["denied"]):
            return ReplyError("WRONGPASS invalid username-password pair or user is disabled.")
        self.authenticated = True
        return OK

    def _subscribe(self, name: bytes, channels: Words) -> None:
        if name in SHARDED and not self.server.moved.isdisjoint(channels):
            self.say(ReplyError("MOVED 1 elsewhere:6379"))
            return
        for channel in channels:
            if name in (b"SUBSCRIBE", b"SSUBSCRIBE"):
                self._channels[channel] = name in SHARDED
                self.server.channels[channel][self] = None
                self._tell(name, channel)
            elif name == b"PSUBSCRIBE":
                self._patterns[channel] = self.server.patterns[channel][self] = None
                self._tell(name, channel)
            else:
                self.leave(name, channel)

    def leave(self, name: bytes, channel: bytes) -> None:
        """It listens to this channel, or pattern, no more, and is told so."""
        own, all_of = (
            (self._patterns, self.server.patterns) if name in PATTERNS else (self._channels, self.server.channels)
        )
        own.pop(channel, None)
        all_of[channel].pop(self, None)
        self._tell(name, channel)

    def _tell(self, name: bytes, channel: bytes) -> None:
        left = [sharded for sharded in self._channels.values() if sharded is (name in SHARDED)]
        patterns = 0 if name in SHARDED else len(self._patterns)
        self.say(Push(name.decode().lower(), (channel, len(left) + patterns)))

    @property
    def names(self) -> set[tuple[str, bytes]]:
        """What it listens to: each CHANNEL, PATTERN or SHARD, and its name."""
        channels = {("SHARD" if sharded else "CHANNEL", name) for name, sharded in self._channels.items()}
        return channels | {("PATTERN", name) for name in self._patterns}

    @property
    def listens(self) -> bool:
        """Is there a channel, or a pattern, that it listens to?"""
        return bool(self._channels or self._patterns)

    def shards(self, channel: bytes) -> bool:
        """Is it a shard channel that it listens to?"""
        return self._channels[channel]
