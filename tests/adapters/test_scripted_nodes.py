"""The scripted nodes themselves: they say in the same bytes what a real cluster says."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from adapters.scripted_nodes import Came, Row, ScriptedNode, ScriptedNodes, ask, moved
from clusters import Cluster, key_in
from resp_sansio import ReplyError
from resp_sansio.wire import Parser, encode_command


def said(port: int, *commands: tuple[str, ...]) -> list[Any]:
    """What is answered to these commands on one connection."""
    replies: list[Any] = []
    parser = Parser()
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        for command in commands:
            request = encode_command(command)
            assert isinstance(request, bytes)
            connection.sendall(request)
        while len(replies) < len(commands):
            data = connection.recv(65536)
            assert data
            replies += parser.feed(data)
    return replies


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_map_has_the_form_that_a_real_one_has(cluster: Cluster, protocol: int) -> None:
    with ScriptedNodes(3) as nodes:
        asked = [("HELLO", str(protocol)), ("CLUSTER", "SLOTS")]
        _, real = said(cluster.nodes[0].port, *asked)
        _, ours = said(nodes.nodes[0].port, *asked)
    assert isinstance(real, list)
    assert isinstance(ours, list)
    assert len(real) == len(ours) == 3
    for each, scripted in zip(sorted(real), ours, strict=True):
        assert [type(part) for part in each[:3]] == [type(part) for part in scripted[:3]]
        assert [type(part) for part in each[2]] == [type(part) for part in scripted[2]]
        assert len(each[2][2]) == len(scripted[2][2])


def test_a_redirect_has_the_text_that_a_real_one_has(cluster: Cluster) -> None:
    key = key_in(0)
    (real,) = said(cluster.nodes[1].port, ("GET", key))
    with ScriptedNodes() as nodes:
        nodes.answer(moved(cluster.nodes[0].port), by=1)
        assert said(nodes.nodes[1].port, ("GET", key)) == [real]
        nodes.answer(ask(1))
        assert said(nodes.nodes[0].port, ("GET", key)) == [ReplyError("ASK 0 127.0.0.1:1")]
        nodes.answer(moved(1, "?", slot=7))
        assert said(nodes.nodes[0].port, ("GET", key)) == [ReplyError("MOVED 7 ?:1")]


def test_nodes_can_be_made_to_name_each_other() -> None:
    with ScriptedNodes() as nodes:
        nodes.move_in_circles()
        first, second = nodes.nodes
        assert said(first.port, ("GET", key_in(5))) == [ReplyError(f"MOVED 5 127.0.0.1:{second.port}")]
        assert said(second.port, ("GET", key_in(5))) == [ReplyError(f"MOVED 5 127.0.0.1:{first.port}")]


@pytest.mark.parametrize("host", [None, "", "?", "a.example"])
def test_a_map_can_call_hosts_anything(host: str | None) -> None:
    with ScriptedNodes() as nodes:
        nodes.tell(nodes.map(host=host, ip="127.0.0.1"))
        _, rows = said(nodes.nodes[0].port, ("HELLO", "3"), ("CLUSTER", "SLOTS"))
        assert isinstance(rows, list)
        assert [row[2][0] for row in rows] == [None if host is None else host.encode()] * 2
        assert [row[2][3] for row in rows] == [{b"ip": b"127.0.0.1"}] * 2


def test_one_node_can_be_behind_and_lists_replicas() -> None:
    with ScriptedNodes() as nodes:
        first, second = nodes.nodes
        nodes.tell(nodes.all_by(1), by=1)
        assert len(rows(first)) == 2
        assert [row[:2] for row in rows(second)] == [[0, 16383]]
        nodes.tell([Row(range(10), first.port, replicas=(second.port,))])
        assert [node[1] for node in rows(second)[0][2:]] == [first.port, second.port]
        nodes.tell([])
        assert rows(first) == []


def test_what_came_is_kept_by_connection() -> None:
    with ScriptedNodes(1) as nodes:
        (node,) = nodes.nodes
        assert said(node.port, ("ASKING",), ("GET", "a")) == ["OK", b"a"]
        assert said(node.port, ("PING",)) == ["PONG"]
        assert node.came == [Came(0, [b"ASKING"]), Came(0, [b"GET", b"a"]), Came(1, [b"PING"])]
        assert node.asked(b"GET") == [Came(0, [b"GET", b"a"])]
        assert nodes.url == f"redis+cluster://127.0.0.1:{node.port}"


def rows(node: ScriptedNode) -> list[list[Any]]:
    (told,) = said(node.port, ("CLUSTER", "SLOTS"))
    assert isinstance(told, list)
    return told
