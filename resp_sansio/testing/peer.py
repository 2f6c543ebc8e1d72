"""A server without a network: takes a client's bytes, runs them as Redis would, and says what it would say.

All that belongs to a connection is modelled: handshake, protocols, transactions, subscriptions, RESP2's subscribed mode,
MONITOR, and that after a refusal Redis goes on with what follows. Data are not: `answer` says what any other command is
answered. Nothing here moves on its own, so a test decides at which byte anything happens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from resp_sansio import Push, Reply, ReplyError
from resp_sansio.connection import Connection, Event
from resp_sansio.wire import Parser, encode_reply

__all__ = ["Answer", "Peer", "echo", "talk"]

Words: TypeAlias = tuple[bytes, ...]

SUBSCRIBED_COMMANDS: Final = frozenset(
    "SUBSCRIBE UNSUBSCRIBE PSUBSCRIBE PUNSUBSCRIBE SSUBSCRIBE SUNSUBSCRIBE PING QUIT RESET".split()
)
# Before a password was given.
OPEN_COMMANDS: Final = frozenset({"HELLO", "AUTH", "QUIT", "RESET"})
# Inside MULTI they are not held back.
NOT_QUEUED: Final = frozenset({"EXEC", "DISCARD", "MULTI", "WATCH", "QUIT", "RESET"})
# Which set of subscriptions a command changes.
SUBSCRIPTIONS: Final = {
    "SUBSCRIBE": "channels",
    "PSUBSCRIBE": "patterns",
    "SSUBSCRIBE": "shard channels",
    "UNSUBSCRIBE": "channels",
    "PUNSUBSCRIBE": "patterns",
    "SUNSUBSCRIBE": "shard channels",
}
# How many words these commands have at least; their answers look at them.
ARITY: Final = {"AUTH": 2, "CLIENT": 2, "CLIENT SETNAME": 3, "SELECT": 2}
NOTHING_REFUSED: Final[Mapping[str, ReplyError]] = MappingProxyType({})


def _no_subscriptions() -> dict[str, dict[bytes, None]]:
    return {"channels": {}, "patterns": {}, "shard channels": {}}


def _text(words: Words) -> str:
    """Return the words in capitals, as text."""
    return b" ".join(words).upper().decode("utf-8", "replace")


def echo(words: Words) -> Reply:
    """Answer a command with its last word: what a test needs to see whose reply is whose."""
    return words[-1]


@dataclass(frozen=True, slots=True)
class Answer:
    """One command as it came, what it was answered, each part as it was sent, and in which protocol."""

    words: Words
    parts: tuple[Reply, ...]
    protocol: Literal[2, 3]


@dataclass(slots=True, kw_only=True)
class Peer:
    """The server's end of one connection.

    `answer` replies to every command that is not about the connection. `refused` maps names in capitals to the error that a
    command gets instead of being run. With a `password`, `user` has to authenticate. Without `hello` the server is one that does
    not know the command. `received` has every command with its answer, in order, `executed` those that ran: the ones held
    back by MULTI when EXEC ran them. While `moved`, the slots of all shard channels are another node's (see `move_slots`).
    If `mute`, a refused AUTH is left unanswered behind other answers, as Redis 7.2 to 8.6 do. With a `role`, HELLO and ROLE say
    it.
    """

    answer: Callable[[Words], Reply] = echo
    refused: Mapping[str, ReplyError] = field(default_factory=lambda: NOTHING_REFUSED)
    hello: bool = True
    user: bytes = b"default"
    password: bytes | None = None
    databases: int = 16
    protocol: Literal[2, 3] = 2
    authenticated: bool = False
    database: int = 0
    name: bytes = b""
    closed: bool = False
    monitoring: bool = False
    touched: bool = False
    moved: bool = False
    mute: bool = False
    role: Literal["master", "replica"] | None = None
    received: list[Answer] = field(default_factory=list)
    executed: list[Words] = field(default_factory=list)
    subscriptions: dict[str, dict[bytes, None]] = field(default_factory=_no_subscriptions)
    _queued: list[Words] | None = None
    _refused_in_multi: bool = False
    _watching: bool = False
    _parser: Parser = field(default_factory=Parser)
    _said: bool = False

    def receive(self, data: bytes) -> list[bytes]:
        """Take a client's bytes, run the commands that they complete, and return what is said to that, whole replies each.

        After QUIT, or bytes that are no command, `closed` is true and nothing is run or said any more.
        """
        said = []
        for command in self._parser.feed(data):
            if self.closed:
                break
            if not isinstance(command, list) or not command or not all(type(word) is bytes for word in command):
                said.append(self._break())
                break
            self._said = bool(said)
            said += self._take(tuple(word for word in command if isinstance(word, bytes)))
        if self._parser.error is not None and not self.closed:
            said.append(self._break())
        return said

    def push(self, kind: str, *items: Reply) -> bytes:
        """Return a push as this connection would get it: an array where it speaks RESP2."""
        return encode_reply(Push(kind, items), self.protocol)

    def publish(self, channel: bytes, message: bytes) -> list[Push]:
        """Return the pushes that a message on `channel` brings to this connection (every pattern matches)."""
        found = [Push("message", (channel, message))] if channel in self.subscriptions["channels"] else []
        return [*found, *(Push("pmessage", (pattern, channel, message)) for pattern in self.subscriptions["patterns"])]

    def move_slots(self) -> list[Push]:
        """Give the slots of all shard channels to another node, and return the pushes that this brings to this connection."""
        self.moved = True
        left = [*self.subscriptions["shard channels"]]
        self.subscriptions["shard channels"].clear()
        return [Push("sunsubscribe", (channel, len(left) - index)) for index, channel in enumerate(left, 1)]

    def touch(self) -> None:
        """Another client changes what this connection watches, if it watches anything."""
        self.touched = self.touched or self._watching

    @property
    def subscribed(self) -> int:
        """How many subscriptions there are in all."""
        return sum(map(len, self.subscriptions.values()))

    def _break(self) -> bytes:
        self.closed = True
        return b"-ERR Protocol error\r\n"

    def _take(self, words: Words) -> list[bytes]:
        name = _text(words[:1])
        before = self.protocol
        if name in SUBSCRIPTIONS and self._refusal(name, words) is None:
            parts: list[Reply] = self._subscribe(name, words[1:])
        else:
            parts = [self._reply(name, words)]
        if self.mute and self._said and isinstance(parts[0], ReplyError) and parts[0].code == "WRONGPASS":
            parts = []
        # HELLO answers in the new protocol, RESET in the old one.
        protocol = before if name == "RESET" else self.protocol
        self.received.append(Answer(words, tuple(parts), protocol))
        return [encode_reply(part, protocol) for part in parts]

    def _refusal(self, name: str, words: Words) -> ReplyError | None:
        """Return the error that keeps the command from being run, or held back."""
        refusal: ReplyError | None = None
        if name == "HELLO" and not self.hello:
            refusal = ReplyError("ERR unknown command 'HELLO', with args beginning with: ...")
        elif self.password is not None and not self.authenticated and name not in OPEN_COMMANDS:
            refusal = ReplyError("NOAUTH Authentication required.")
        elif name in self.refused:
            refusal = self.refused[name]
        elif len(words) < max(ARITY.get(name, 1), ARITY.get(f"{name} {_text(words[1:2])}", 1)):
            refusal = ReplyError(f"ERR wrong number of arguments for '{name.lower()}' command")
        elif self.moved and SUBSCRIPTIONS.get(name) == "shard channels" and len(words) > 1:
            refusal = ReplyError("MOVED 0 127.0.0.1:7000")
        elif self.protocol == 2 and self.subscribed and name not in SUBSCRIBED_COMMANDS:
            refusal = ReplyError(f"ERR Can't execute '{name.lower()}': only (P|S)SUBSCRIBE and such are allowed")
        elif self.monitoring and name not in ("PING", "QUIT", "RESET"):
            refusal = ReplyError("ERR Replica can't interact with the keyspace")
        if refusal is not None and self._queued is not None:
            self._refused_in_multi = True
        return refusal

    def _reply(self, name: str, words: Words) -> Reply:
        if (refusal := self._refusal(name, words)) is not None:
            return refusal
        if self._queued is not None and name not in NOT_QUEUED:
            self._queued.append(words)
            return "QUEUED"
        match name:
            case "HELLO":
                return self._hello(words)
            case "AUTH":
                return self._auth(b"default" if len(words) == 2 else words[1], words[-1])
            case "SELECT":
                return self._select(words[1])
            case "MULTI" | "WATCH" if self._queued is not None:
                return ReplyError(f"ERR {name} calls can not be nested")
            case "MULTI" if len(words) > 1:
                return ReplyError("ERR wrong number of arguments for 'multi' command")
            case "MULTI":
                self._queued, self._refused_in_multi = [], False
                return "OK"
            case "EXEC":
                return self._exec()
            case "DISCARD" | "UNWATCH" | "WATCH":
                return self._watch(name)
            case "MONITOR":
                self.monitoring = True
                return "OK"
            case "QUIT":
                self.closed = True
                return "OK"
            case "RESET":
                self._reset()
                return "RESET"
            case "PING" if self.protocol == 2 and self.subscribed:
                return [b"pong", words[1] if len(words) > 1 else b""]
            case "PING":
                return words[1] if len(words) > 1 else "PONG"
            case "CLIENT":
                return self._set_name(words[2]) if words[1].upper() == b"SETNAME" else "OK"
            case "ROLE" if self.role is not None:
                return [b"master", 0, []] if self.role == "master" else [b"slave", b"10.0.0.1", 6379, b"connected", 0]
            case _:
                self.executed.append(words)
                return self.answer(words)

    def _hello(self, words: Words) -> Reply:
        arguments = list(words[2:])
        if words[1:2] not in ((b"2",), (b"3",), ()):
            return ReplyError("NOPROTO unsupported protocol version")
        while arguments:
            match arguments:
                case [b"AUTH", user, password, *arguments]:
                    if isinstance(refusal := self._auth(user, password), ReplyError):
                        return refusal
                case [b"SETNAME", name, *arguments]:
                    if isinstance(refusal := self._set_name(name), ReplyError):
                        return refusal
                case _:
                    return ReplyError("ERR Syntax error in HELLO option")
        if self.password is not None and not self.authenticated:
            return ReplyError("NOAUTH HELLO must be called with the client already authenticated")
        if len(words) > 1:
            self.protocol = 3 if words[1] == b"3" else 2
        role: dict[Reply, Reply] = {} if self.role is None else {b"role": self.role.encode()}
        return {b"server": b"redis", b"version": b"7.0.0", b"proto": self.protocol, b"modules": [], **role}

    def _auth(self, user: bytes, password: bytes) -> Reply:
        if self.password is None and user == b"default":
            return "OK"
        if user != self.user or password != self.password:
            return ReplyError("WRONGPASS invalid username-password pair or user is disabled.")
        self.authenticated = True
        return "OK"

    def _select(self, database: bytes) -> Reply:
        if not database.isdigit() or int(database) >= self.databases:
            return ReplyError("ERR DB index is out of range")
        self.database = int(database)
        return "OK"

    def _set_name(self, name: bytes) -> Reply:
        if b" " in name:
            return ReplyError("ERR Client names cannot contain spaces, newlines or special characters.")
        self.name = name
        return "OK"

    def _exec(self) -> Reply:
        if self._queued is None:
            return ReplyError("ERR EXEC without MULTI")
        queued, touched = self._queued, self.touched
        self._queued, self._watching, self.touched = None, False, False
        if self._refused_in_multi:
            return ReplyError("EXECABORT Transaction discarded because of previous errors.")
        if touched:
            return None
        return [self._reply(_text(words[:1]), words) for words in queued]

    def _watch(self, name: str) -> Reply:
        if name == "WATCH":
            self._watching = True
            return "OK"
        if name == "DISCARD" and self._queued is None:
            return ReplyError("ERR DISCARD without MULTI")
        self._queued, self._watching, self.touched = None, False, False
        return "OK"

    def _subscribe(self, name: str, channels: Words) -> list[Reply]:
        mine = self.subscriptions[SUBSCRIPTIONS[name]]
        kind = name.lower()
        if "UN" not in name:
            if not channels:
                return [ReplyError(f"ERR wrong number of arguments for '{kind}' command")]
            pushes: list[Reply] = []
            for channel in channels:
                mine[channel] = None
                pushes.append(Push(kind, (channel, self.subscribed)))
            return pushes
        pushes = []
        for channel in channels or tuple(mine):
            mine.pop(channel, None)
            pushes.append(Push(kind, (channel, self.subscribed)))
        return pushes or [Push(kind, (None, self.subscribed))]

    def _reset(self) -> None:
        self.protocol, self.authenticated, self.database, self.name = 2, False, 0, b""
        self.monitoring = self.touched = self._watching = False
        self._queued = None
        self.subscriptions = _no_subscriptions()


def talk(connection: Connection, peer: Peer) -> list[Event]:
    """Carry bytes both ways until neither side has any more, and return what happened: a driver, less the network."""
    while block := connection.data_to_send():
        connection.sent(len(block))
        for said in peer.receive(bytes(block)):
            connection.receive_data(said)
    if peer.closed:
        connection.receive_eof()
    return connection.events()
