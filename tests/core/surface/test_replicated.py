"""A client that reads from replicas behind sentinels, in both colours: what it is made of, and its servers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from core.client.notes import Notes
from core.surface.driver import COLOURS
from resp_sansio import CallEnded, LocalProtocolError, ReplyError
from resp_sansio.testing import Peer

if TYPE_CHECKING:
    from core.surface.driver import Colour
    from resp_sansio.client import Link

pytestmark = pytest.mark.parametrize("colour", COLOURS, ids=repr)

SENTINEL, MASTER, REPLICA = 1, 2, 3
URL: Final = f"redis+sentinel://stage:{SENTINEL}/m?read_from=replica"


class Servers:
    """A sentinel, a master and a replica, each at a port of its own."""

    def __init__(self, client: Any) -> None:
        self.stage: Any = client._driver.stage
        self.stage.connect = self.connect
        self.asked: list[tuple[int, tuple[bytes, ...]]] = []

    def connect(self) -> Link:
        """As of a stage; each server knows its port."""
        dial = self.stage.dials.pop(0)
        dial.begin(self.stage.now)
        port = dial.config.port
        link: Link = self.stage.client.connected(dial, self.stage.now)
        roles: dict[int, Any] = {MASTER: "master", REPLICA: "replica"}
        self.stage.peers[link] = Peer(answer=lambda words: self.answer(port, words), role=roles.get(port))
        self.stage.flush(link)
        self.stage.run()
        return link

    def answer(self, port: int, words: tuple[bytes, ...]) -> Any:
        """Answer one command."""
        if words[0] != b"SENTINEL":
            self.asked.append((port, words))
            return ReplyError("NOPERM no") if words == (b"EXISTS", b"") else port
        if words[1] == b"REPLICAS":
            well = {b"flags": b"slave", b"master-link-status": b"ok"}
            return [{b"ip": b"stage", b"port": b"%d" % REPLICA, **well}]
        return [b"stage", b"%d" % MASTER] if words[1] == b"GET-MASTER-ADDR-BY-NAME" else []


def test_reads_and_writes_go_each_to_their_server(colour: Colour) -> None:
    client = colour.client(URL)
    servers = Servers(client)
    with colour.block(client):
        assert colour.do(client.execute("GET", "k")) == REPLICA
        assert colour.do(client.execute("SET", "k", "v")) == MASTER
        assert [port for port, _ in servers.asked] == [REPLICA, MASTER]


def test_nodes_are_the_master_and_its_replicas(colour: Colour) -> None:
    client = colour.client(URL)  # which is not entered, and has asked no sentinel yet
    servers = Servers(client)
    nodes = colour.do(client.nodes())
    assert servers.asked == [(REPLICA, (b"EXISTS", b""))]  # which may not be allowed, and says no less
    assert [(node.address, node.is_master) for node in nodes] == [("stage:2", True), ("stage:3", False)]
    assert colour.do(nodes[1].execute("SET", "k", "v")) == REPLICA
    assert colour.do(client.node("stage:2").execute("GET", "k")) == MASTER
    with colour.block(client.acquire(node="stage:3")) as connection:
        assert colour.do(connection.execute("GET", "k")) == REPLICA
    with colour.block(client.acquire()) as connection:
        assert colour.do(connection.execute("GET", "k")) == MASTER
    with pytest.raises(LocalProtocolError, match="this client has several"), colour.block(client.monitor()):
        pass
    colour.do(client.close())


def test_observers_are_told_of_each_server(colour: Colour) -> None:
    notes = Notes()
    client = colour.client(URL, observers=[notes])
    Servers(client)
    with colour.block(client):
        colour.do(client.execute("GET", "k"))
        colour.do(client.execute("SET", "k", "v"))
    assert [fact.address for fact in notes.of(CallEnded)] == ["stage:3", "stage:2"]
