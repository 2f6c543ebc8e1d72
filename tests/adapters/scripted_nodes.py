"""Nodes of a cluster that say what they are told to: stale maps, hosts that are none, redirects without end.

Each node is a `Peer` that answers HELLO 3 and CLUSTER SLOTS as any server does, and every other command by `answer`. A test may
change both under way. What came is kept with the number of its connection, so that order on a connection can be asserted.
"""

from __future__ import annotations

import contextlib
import itertools
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self, TypeAlias

from adapters.peers import Peer, Wire
from clusters import SLOTS, slot_of
from resp_sansio import ReplyError
from resp_sansio.testing.server import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

__all__ = ["Came", "Row", "ScriptedNode", "ScriptedNodes", "ask", "echo", "moved"]

Answer: TypeAlias = "Callable[[list[bytes]], Any]"
OPENING: Final = frozenset({b"CLIENT", b"READONLY", b"READWRITE", b"ASKING", b"SELECT"})


class Came(NamedTuple):
    """A command, and the number of its connection among those to this node."""

    connection: int
    words: list[bytes]


class Row(NamedTuple):
    """A range of CLUSTER SLOTS with its master: the host may be none, "" or "?", and `ip` stands in what follows the id."""

    slots: range
    port: int
    host: str | None = "127.0.0.1"
    ip: str = ""
    replicas: tuple[int, ...] = ()

    @property
    def reply(self) -> list[Any]:
        """The range as a server says it."""
        nodes = [self._node(port) for port in (self.port, *self.replicas)]
        return [self.slots[0], self.slots[-1], *nodes]

    def _node(self, port: int) -> list[Any]:
        host = None if self.host is None else self.host.encode()
        return [host, port, b"%040x" % port, {b"ip": self.ip.encode()} if self.ip else {}]


class ScriptedNode:
    """One of them. `rows` is the map that it tells, `answer` what it says to all that is not of the handshake or CLUSTER.

    While it is `mute` it accepts connections, takes in what comes, and says nothing.
    """

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.answer: Answer = echo
        self.came: list[Came] = []
        self.mute = False
        self._connections = itertools.count()
        self.peer: Final = Peer(self._script)
        self.port: Final = self.peer.port

    def asked(self, *name: bytes) -> list[Came]:
        """Return the commands that began so."""
        return [one for one in self.came if one.words[: len(name)] == [*name]]

    def _script(self, wire: Wire) -> None:
        connection, protocol = next(self._connections), 2
        for words in wire.commands():
            self.came.append(Came(connection, words))
            if words[:2] == [b"HELLO", b"3"]:
                protocol = 3
            if not self.mute:
                wire.send(encode(self._said(words), protocol))

    def _said(self, words: list[bytes]) -> Any:
        name = words[0].upper()
        if name == b"HELLO":
            return {b"proto": int(words[1]), b"server": b"redis", b"version": b"7.4.0", b"mode": b"cluster"}
        if name == b"PING":
            return "PONG"
        if name == b"CLUSTER":
            return (
                [row.reply for row in self.rows]
                if words[1].upper() == b"SLOTS"
                else ReplyError("ERR unknown subcommand")
            )
        return "OK" if name in OPENING else self.answer(words)


class ScriptedNodes:
    """Some of them, each master of its share of the slots until they are told something else."""

    def __init__(self, count: int = 2) -> None:
        self.nodes: Final = [ScriptedNode() for _ in range(count)]
        self._stack: Final = contextlib.ExitStack()
        self.tell(self.map())

    def __enter__(self) -> Self:
        for node in self.nodes:
            self._stack.enter_context(node.peer)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, traceback)

    @property
    def url(self) -> str:
        """All of them."""
        return f"redis+cluster://{','.join([f'127.0.0.1:{node.port}' for node in self.nodes])}"

    def map(self, *, host: str | None = "127.0.0.1", ip: str = "") -> list[Row]:
        """Return the map that gives each node its share, by this host. A server that says `?` says the `ip` behind it."""
        count = len(self.nodes)
        return [
            Row(range(SLOTS * number // count, SLOTS * (number + 1) // count), node.port, host, ip)
            for number, node in enumerate(self.nodes)
        ]

    def all_by(self, index: int) -> list[Row]:
        """Return the map by which this node has all slots."""
        return [Row(range(SLOTS), self.nodes[index].port)]

    def tell(self, rows: Sequence[Row], *, by: int | None = None) -> None:
        """Let all nodes tell this map from now on, or one of them: then the others' are stale, or it is."""
        for node in self.nodes if by is None else [self.nodes[by]]:
            node.rows = [*rows]

    def answer(self, answer: Answer, *, by: int | None = None) -> None:
        """Let all nodes, or one, answer so from now on."""
        for node in self.nodes if by is None else [self.nodes[by]]:
            node.answer = answer

    def move_in_circles(self) -> None:
        """Let each node name the next one as who has the slot of any key."""
        for number, node in enumerate(self.nodes):
            node.answer = moved(self.nodes[(number + 1) % len(self.nodes)].port)


def echo(words: list[bytes]) -> Any:
    """Answer with the last word: so each reply shows whose it is."""
    return words[-1]


def moved(port: int, host: str = "127.0.0.1", *, slot: int | None = None) -> Answer:
    """Say that the slot of the key, or this one, is the node's at this port. The host may be "" or "?", as servers say."""
    return lambda words: ReplyError(f"MOVED {_slot(words) if slot is None else slot} {host}:{port}")


def ask(port: int, host: str = "127.0.0.1") -> Answer:
    """Say that this command alone is to go to the node at this port, behind ASKING."""
    return lambda words: ReplyError(f"ASK {_slot(words)} {host}:{port}")


def _slot(words: list[bytes]) -> int:
    return slot_of(words[1].decode())
