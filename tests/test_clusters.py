"""The throw-away clusters themselves: what the tests of clusters stand on."""

from __future__ import annotations

import os
import socket
import ssl
from typing import TYPE_CHECKING

import pytest

from clusters import LATE, SLOTS, Cluster, key_in, slot_of
from servers import ServerError, find_server

if TYPE_CHECKING:
    from collections.abc import Callable

    from clusters import Node

    Start = Callable[..., Cluster]

pytestmark = pytest.mark.exam  # of the tests: one Python is enough


def error_of(said: object) -> str:
    assert isinstance(said, ServerError), said
    return str(said)


def test_each_master_has_a_third_of_the_slots_and_a_replica_that_all_list(cluster: Cluster) -> None:
    ids = [node.id for node in cluster.nodes]
    rows = [(slots, [ids[index], ids[index + 3]]) for index, slots in enumerate(cluster.ranges)]
    assert [node.slots() for node in cluster.nodes] == [rows] * 6
    assert sum(map(len, cluster.ranges)) == SLOTS
    assert [node.is_master for node in cluster.nodes] == [True] * 3 + [False] * 3
    assert [cluster.replicas_of(index) for index in range(3)] == [[3], [4], [5]]
    assert all(len(node.knows()) == 6 for node in cluster.nodes)  # and none knows of a node that is not there


def test_the_shared_cluster_answers_and_is_empty(cluster: Cluster) -> None:
    for slots in cluster.ranges:
        node = cluster.node_of(key := key_in(slots))
        assert node.call("DBSIZE") == 0
        assert node.call("SET", key, "left behind") == b"OK"


def test_and_is_empty_again_for_the_next_test(cluster: Cluster) -> None:
    assert [node.call("DBSIZE") for node in cluster.nodes[:3]] == [0, 0, 0]


def test_slots_of_keys_are_those_of_the_server(cluster: Cluster) -> None:
    for key in ("", "a", "{a}b", "b{a}", "{}a", "a{b", "a}b{c}", "{a}{b}", "ключ"):
        assert cluster.nodes[0].call("CLUSTER", "KEYSLOT", key) == slot_of(key)
    assert slot_of(key_in(5000, "mine")) == 5000
    assert key_in(range(10, 20), "mine").startswith("mine{")


def test_another_node_says_who_has_the_key(cluster: Cluster) -> None:
    key = key_in(0)
    assert error_of(cluster.nodes[1].call("GET", key)) == f"MOVED 0 127.0.0.1:{cluster.nodes[0].port}"
    assert cluster.nodes[3].calls(["READONLY"], ["GET", key]) == [b"OK", None]
    assert cluster.url.startswith(f"redis+cluster://127.0.0.1:{cluster.nodes[0].port},127.0.0.1:")


def test_a_slot_is_moved_with_its_keys(start_cluster: Start) -> None:
    two = start_cluster(2, 0)
    first, second = two.nodes
    key, other = key_in(7, "a"), key_in(7, "b")
    for each in (key, other):
        assert first.call("SET", each, each) == b"OK"
    assert two.begin_move(7, 1) == 0
    assert two.move_keys(7, 1, most=1) == 1
    said = {each: first.call("GET", each) for each in (key, other)}
    (gone,) = [each for each, value in said.items() if isinstance(value, ServerError)]
    assert error_of(said[gone]) == f"ASK 7 127.0.0.1:{second.port}"
    assert second.calls(["ASKING"], ["GET", gone]) == [b"OK", gone.encode()]
    assert two.move_keys(7, 1) == 1
    two.end_move(7, 1)
    two.wait_until_owned(7, 1)
    assert [second.call("GET", each) for each in (key, other)] == [key.encode(), other.encode()]
    assert two.owner(7) == 1
    two.move(8, 1)
    assert two.owner(8) == 1


def test_a_replica_takes_over(start_cluster: Start) -> None:
    mine = start_cluster()
    mine.take_over(4)
    assert [mine.owner(slots[0]) for slots in mine.ranges] == [0, 4, 2]
    mine.fail_over(1)
    mine.wait_until_owned(mine.ranges[1][0], 1)
    mine.wait_until_settled()


def test_a_replica_is_elected_when_its_master_dies_and_the_old_one_comes_back_as_its_replica(
    start_cluster: Start,
) -> None:
    mine = start_cluster()
    mine.nodes[0].kill()
    mine.wait_until_owned(0, 3)
    assert mine.replicas_of(3) == []
    mine.nodes[0].start()
    mine.wait_until_settled()
    assert mine.replicas_of(3) == [0]


def test_a_frozen_node_answers_once_it_is_thawed(start_cluster: Start) -> None:
    node: Node = start_cluster(1, 0).nodes[0]
    node.freeze()
    with socket.create_connection(("127.0.0.1", node.port), timeout=0.05) as connection:
        connection.sendall(b"PING\r\n")
        with pytest.raises(TimeoutError):
            connection.recv(100)
        node.thaw()
        connection.settimeout(30)
        assert connection.recv(100) == b"+PONG\r\n"


def test_nodes_announce_names_and_take_any_directive(start_cluster: Start) -> None:
    named = start_cluster(2, 0, names=True, cluster_require_full_coverage="no")
    assert error_of(named.nodes[1].call("GET", key_in(0))) == f"MOVED 0 node0.example:{named.nodes[0].port}"
    assert (
        named.on_all("CONFIG", "GET", "cluster-require-full-coverage")
        == [[b"cluster-require-full-coverage", b"no"]] * 2
    )


def test_nodes_ask_for_a_password_and_give_it_to_each_other(start_cluster: Start) -> None:
    mine = start_cluster(2, 1, password="hunter2")
    with socket.create_connection(("127.0.0.1", mine.nodes[0].port), timeout=30) as connection:
        connection.sendall(b"PING\r\n")
        assert connection.recv(100).startswith(b"-NOAUTH")
    assert mine.nodes[0].call("SET", key := key_in(3), 1) == b"OK"
    mine.move(3, 1)
    assert mine.nodes[1].call("GET", key) == b"1"
    assert "hunter2" not in mine.url + repr(mine.nodes)


@pytest.mark.needs("tls")
def test_nodes_speak_tls_among_themselves_and_name_such_ports_to_who_does(start_cluster: Start) -> None:
    mine = start_cluster(2, 0, tls=True)
    assert mine.certificates
    context = ssl.create_default_context(cafile=str(mine.certificates.ca))
    host, port = mine.places[1]
    with (
        socket.create_connection((host, port), timeout=30) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        secure.sendall(f"GET {key_in(0)}\r\n".encode())
        assert secure.recv(100) == f"-MOVED 0 127.0.0.1:{mine.nodes[0].tls_port}\r\n".encode()
    assert mine.nodes[0].call("SET", key := key_in(3), 1) == b"OK"
    mine.move(3, 1)
    assert mine.nodes[1].call("GET", key) == b"1"


@pytest.mark.usefixtures("start_cluster")
@pytest.mark.parametrize("reason", [LATE, "bind: Address already in use"])
def test_it_is_formed_anew_where_the_machine_was_in_the_way(reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    take_over = Cluster._take_over
    pids: list[int] = []

    def fail_once(cluster: Cluster) -> None:
        if not pids:
            pids.extend(node.pid for node in cluster.nodes)
            raise ServerError(reason)
        take_over(cluster)

    monkeypatch.setattr(Cluster, "_take_over", fail_once)
    with Cluster(2, 0) as mine:
        assert len(pids) == len(mine.nodes) == 2
        assert not any(map(lives, pids))
        assert mine.owner(0) == 0


@pytest.mark.usefixtures("start_cluster")
def test_its_servers_end_with_it_and_when_it_cannot_be_made() -> None:
    with Cluster(2, 0) as mine:
        pids = [node.pid for node in mine.nodes]
        folders = [mine.folder, *(node.folder for node in mine.nodes)]
    assert not any(map(lives, pids))
    assert not any(folder.exists() for folder in folders)
    with pytest.raises(ServerError, match="did not start"):
        Cluster(2, 0, no_such_directive="at all", executable=find_server(), cluster_node_timeout="never")


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
