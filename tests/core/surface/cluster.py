"""A client of a cluster on a stage: two masters, which have half of the slots each, and a replica of the first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from core.client.stage import Stage
from resp_sansio import ReplyError
from resp_sansio.client import Link
from resp_sansio.testing import Peer

__all__ = ["HALF", "OF_A", "OF_B", "URL", "A", "B", "R", "Servers"]

A, B, R = 7001, 7002, 7003
HALF: Final = 8192
URL: Final = f"redis+cluster://stage:{A}"
OF_A, OF_B = "b", "a"  # keys, whose slots they have
"""Keys: the slot of the first is A's, that of the second B's."""


class Node(Peer):
    """One connection of a server, which may refuse a command, within MULTI too."""

    def __init__(self, servers: Servers, port: int) -> None:
        super().__init__(answer=lambda words: servers.answer(port, words))
        self.servers = servers
        self.port = port

    def _refusal(self, name: str, words: tuple[bytes, ...]) -> ReplyError | None:
        refusal = super()._refusal(name, words) or self.servers.refuses(self.port, words)
        if refusal is not None and self._queued is not None:
            self._refused_in_multi = name != "EXEC"
            self._queued = None if name == "EXEC" else self._queued
        return refusal


class Servers:
    """What the servers of a client say, by `says(port, words)`; without it each answers with the last word, and knows the map."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.stage: Any = client._driver.stage
        self.stage.connect = self.connect
        self.asked: list[tuple[int, tuple[bytes, ...]]] = []
        self.maps = 0  # how often one was asked for
        self.refuses: Callable[[int, tuple[bytes, ...]], ReplyError | None] = lambda *_: None
        self.owners = [A, B]
        self.says: Callable[[int, tuple[bytes, ...]], Any] = lambda _port, words: words[-1]

    def connect(self) -> Link:
        """As of a stage; each server knows its port."""
        stage: Stage = self.stage
        dial = stage.dials.pop(0)
        port = dial.config.port
        link = stage.client.connected(dial, stage.now)
        stage.peers[link] = Node(self, port)
        stage.flush(link)
        stage.run()
        return link

    def answer(self, port: int, words: tuple[bytes, ...]) -> Any:
        """Answer one command."""
        if words == (b"CLUSTER", b"SLOTS"):
            self.maps += 1
            return [self.row(0, self.owners[0], R), self.row(HALF, self.owners[1])]
        self.asked.append((port, words))
        return self.says(port, words)

    def cut(self) -> None:
        """All connections end, and what is being answered is not any more."""
        for link in [*self.stage.peers]:
            if not link.ended:
                self.stage.cut(link)

    @staticmethod
    def row(first: int, *ports: int) -> list[Any]:
        """Return one line of the map."""
        return [first, first + HALF - 1, *[[b"stage", port, b"id of %d" % port] for port in ports]]
