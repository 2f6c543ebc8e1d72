"""`resp-sansio doctor` on several servers: those of a real cluster, and sentinels with the master that they name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from adapters.peers import Peer, Wire
from clusters import SLOTS, Cluster, wait_until
from resp_cli import main
from sentinels import Sentinels
from servers import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from servers import Server

pytestmark = pytest.mark.usefixtures("nothing_is_left")

SECRET = "s3cret-w0rd"


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """Examine, and return the report, with the causes of what is wrong and of all else."""

    def examine(url: str, *options: str) -> dict[str, Any]:
        code = main(["doctor", "--json", *options, url])
        printed = capsys.readouterr()
        assert not printed.err
        assert SECRET not in printed.out
        report: dict[str, Any] = json.loads(printed.out)
        assert code == (0 if report["fine"] else 1)
        report["causes"] = {one["cause"]: one for one in report["diagnoses"]}
        report["wrong"] = {one["cause"] for one in report["diagnoses"] if one["level"] == "wrong"}
        assert "(unknown" not in printed.out
        return report

    return examine


Doctor = Any


def address(cluster: Cluster, index: int) -> str:
    return f"127.0.0.1:{cluster.nodes[index].port}"


def test_a_healthy_cluster(doctor: Doctor, cluster: Cluster) -> None:
    cluster.list_replicas()
    report = doctor(cluster.url)
    assert report["wrong"] == set()
    assert {one["server"] for one in report["findings"]} == {None, *(address(cluster, index) for index in range(6))}
    for server in range(6):
        steps = [one["step"] for one in report["findings"] if one["server"] == address(cluster, server)]
        write = ["write"] * (server < 3)
        assert steps == ["url", "name", "connect", "hello", "auth", "read", *write, "role", "limits", "memory", "disk"]
    assert [one["code"] for one in report["findings"]] == [None] * len(report["findings"])
    said = {one["step"]: one["said"] for one in report["findings"] if one["server"] is None}
    assert said["map"] == f"3 masters, 3 replicas, {SLOTS} of {SLOTS} slots"
    assert said["library"] == "connects to all 6 servers"
    assert report["causes"].keys().isdisjoint({"cluster-node", "replica-read", "master-alone", "role-unlike"})


def test_people_see_the_same(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", cluster.url]) == 0
    seen = capsys.readouterr().out
    for index in range(3):
        assert f"\n{address(cluster, index)}\n" in seen
    assert "\ntogether\n" in seen
    assert "Nothing is wrong" in seen


def test_what_is_wrong_with_some(doctor: Doctor, start_cluster: Callable[..., Cluster]) -> None:
    cluster = start_cluster(2, 0, cluster_require_full_coverage="no", password=SECRET)
    url = cluster.url.replace("://", f"://:{SECRET}@")
    cluster.nodes[0].calls(["AUTH", SECRET], ["CONFIG", "SET", "maxmemory", "100mb"])
    report = doctor(url)
    assert report["wrong"] == set()
    assert report["causes"]["master-alone"]["says"].endswith(f"{address(cluster, 0)}, {address(cluster, 1)}.")
    assert f"100.0 MiB, noeviction at {address(cluster, 0)}" in report["causes"]["settings-unlike"]["says"]
    assert report["causes"]["not-saved"]["servers"] == [address(cluster, 0), address(cluster, 1)]
    cluster.nodes[1].kill()
    report = doctor(url)
    assert report["wrong"] == {"announced"}
    assert report["causes"]["announced"]["servers"] == [address(cluster, 1)]
    refused = doctor(url.replace(SECRET, "not-it"))
    assert refused["wrong"] == {"password-wrong", "no-map", "port"}


def test_a_server_of_the_url_that_the_cluster_can_do_without(doctor: Doctor, cluster: Cluster) -> None:
    port = free_port()
    for url in (f"{cluster.url},127.0.0.1:{port}", cluster.url.replace("//", f"//127.0.0.1:{port},")):
        report = doctor(url)
        assert report["wrong"] == set()
        assert report["causes"]["seed"]["servers"] == [f"127.0.0.1:{port}"]
        assert report["causes"]["seed"]["level"] == "warning"
        assert report["findings"][-1]["said"] == "connects to all 6 servers"


def test_a_server_with_a_password_of_its_own(doctor: Doctor, start_cluster: Callable[..., Cluster]) -> None:
    cluster = start_cluster(2, 0)
    first, second = cluster.nodes
    second.call("CONFIG", "SET", "requirepass", SECRET)
    report = doctor(f"redis+cluster://127.0.0.1:{first.port}")
    assert report["wrong"] == {"password-unlike"}
    assert report["causes"]["password-unlike"]["servers"] == [address(cluster, 1)]
    first.call("CONFIG", "SET", "requirepass", "another")
    for one, other in ((SECRET, first), ("another", second)):
        seed = second if other is first else first
        report = doctor(f"redis+cluster://:{one}@127.0.0.1:{seed.port}")
        assert report["wrong"] == {"password-unlike"}
        assert report["causes"]["password-unlike"]["servers"] == [f"127.0.0.1:{other.port}"]


def test_an_address_that_leads_nowhere(doctor: Doctor, start_cluster: Callable[..., Cluster]) -> None:
    cluster = start_cluster(2, 0)
    first, second = cluster.nodes
    second.call("CONFIG", "SET", "cluster-announce-ip", "127.0.0.9")
    second.call("CONFIG", "SET", "cluster-announce-port", port := free_port())
    wait_until(lambda: f"127.0.0.9:{port}" in str(first.call("CLUSTER", "NODES")))
    report = doctor(f"redis+cluster://127.0.0.1:{first.port}")
    assert report["wrong"] == {"announced"}
    assert f"at 127.0.0.9:{port}" in report["causes"]["announced"]["says"]


def test_tls_where_there_is_none(doctor: Doctor, cluster: Cluster) -> None:
    report = doctor(f"rediss+cluster://127.0.0.1:{cluster.nodes[0].port}")
    assert report["wrong"] == {"tls-to-plain", "no-map"}
    assert "`redis` instead of `rediss`" in str(report["causes"]["tls-to-plain"]["remedies"])


def test_a_url_for_one_server_that_leads_to_a_cluster(doctor: Doctor, cluster: Cluster) -> None:
    first = cluster.nodes[0]
    report = doctor(f"redis://127.0.0.1:{first.port}")
    assert f"redis+cluster://127.0.0.1:{first.port}" in str(report["diagnoses"])


def test_slots_without_a_server(doctor: Doctor, start_cluster: Callable[..., Cluster]) -> None:
    cluster = start_cluster(2, 0, cluster_require_full_coverage="no")
    for node in cluster.nodes:
        node.call("CLUSTER", "DELSLOTS", 0, 1, 2)
    report = doctor(cluster.url)
    assert report["wrong"] == {"slots-uncovered"}
    assert "No server has 3 of the" in report["causes"]["slots-uncovered"]["says"]


def test_servers_that_do_not_agree(doctor: Doctor, start_cluster: Callable[..., Cluster]) -> None:
    cluster = start_cluster(2, 0, cluster_require_full_coverage="no")
    cluster.nodes[1].call("CLUSTER", "DELSLOTS", 0)
    report = doctor(cluster.url)
    assert report["causes"]["map-disputed"]["says"].endswith(f"hash slots: {address(cluster, 1)}.")


def test_a_server_that_is_none_of_a_cluster(doctor: Doctor, server: Server) -> None:
    report = doctor(f"redis+cluster://127.0.0.1:{server.port}")
    assert report["wrong"] == {"no-cluster"}


def test_no_server_at_all(doctor: Doctor) -> None:
    port = free_port()
    report = doctor(f"redis+cluster://127.0.0.1:{port}")
    assert report["wrong"] == {"port", "no-map"}


def test_a_server_without_slots(doctor: Doctor, start_server: Callable[..., Server]) -> None:
    server = start_server("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
    report = doctor(f"redis+cluster://127.0.0.1:{server.port}")
    assert report["wrong"] == {"no-map"}
    assert "knows of no server with slots" in report["causes"]["no-map"]["says"]


def test_sentinels(doctor: Doctor) -> None:
    with Sentinels(password=SECRET, sentinel_password=f"{SECRET}-2") as sentinels:
        url = sentinels.url.replace("://", f"://:{SECRET}@") + f"?sentinel_password={SECRET}-2"
        report = doctor(url)
        assert report["wrong"] == set()
        named = [one for one in report["findings"] if one["step"] == "sentinel"]
        assert [one["code"] for one in named] == [None] * 4
        assert report["findings"][-1]["step"] == "library"
        assert doctor(f"{url}&read_from=any&refresh_interval=5")["wrong"] == set()
        assert doctor(url.replace("/mymaster", "/nothing"))["wrong"] == {"sentinel-name", "sentinels"}
        place = url.partition("@")[2].partition(",")[0]
        one = url.partition("@")[0] + f"@{place}/mymaster?sentinel_password={SECRET}-2"
        assert doctor(one.replace("redis+", "rediss+"))["wrong"] == {"sentinel-tls", "sentinels"}
        plain = doctor(f"redis://:{SECRET}-2@{place}")
        assert plain["wrong"] == {"sentinel"}
        assert f"redis+sentinel://{place}/<name>" in str(plain["causes"]["sentinel"]["remedies"])
        sentinels.sentinels[0].kill()
        report = doctor(url)
        assert report["wrong"] == set()
        assert report["causes"]["sentinel-fails"]["level"] == "warning"


def test_a_sentinel_that_is_none(doctor: Doctor, server: Server) -> None:
    report = doctor(f"redis+sentinel://127.0.0.1:{server.port}/mymaster")
    assert report["wrong"] == {"no-sentinel", "sentinels"}


# --- servers that make no sense -------------------------------------------------------------------------------------------------


def bulk(data: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(data), data)


def row(first: int, last: int, host: bytes, port: int) -> bytes:
    """A range of CLUSTER SLOTS."""
    return b"*3\r\n:%d\r\n:%d\r\n*3\r\n%b:%d\r\n%b" % (first, last, bulk(host), port, bulk(b"id"))


def peer_that_says(mode: bytes, **answers: bytes) -> Peer:
    """A server that answers HELLO, and commands by their first words."""
    hello = b"%%3\r\n+proto\r\n:3\r\n+mode\r\n+%b\r\n+role\r\n+master\r\n" % mode

    def script(wire: Wire) -> None:
        for words in wire.commands():
            name = words[0].decode()
            wire.send(
                hello if name == "HELLO" else answers.get(name, b"_\r\n" if name in {"GET", "SET"} else b"+OK\r\n")
            )

    return Peer(script)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (row(0, SLOTS - 1, b"a b", 7000), "it names a server at 'a b', port 7000"),
        (row(0, SLOTS - 1, b"h", 99999), "it names a server at 'h', port 99999"),
        (row(0, SLOTS - 1, b"\x1b[31m", 1), "it names a server at '\\x1b[31m', port 1"),
        (row(-(2**63), 2**63 - 1, b"h", 1), f"it tells of hash slots from {-(2**63)} to {2**63 - 1}"),
        (row(5, 4, b"h", 1), "it tells of hash slots from 5 to 4"),
    ],
)
def test_a_map_that_makes_no_sense_is_told(doctor: Doctor, answer: bytes, said: str) -> None:
    with peer_that_says(b"cluster", CLUSTER=b"*1\r\n" + answer) as peer:
        report = doctor(peer.url.replace("redis://", "redis+cluster://"))
    assert report["wrong"] == {"no-map"}
    assert said in report["causes"]["no-map"]["says"]


@pytest.mark.parametrize("answer", [(b"h", b"99999"), (b"", b"6379"), (b"h", b"1_0"), (b"a b", b"1")])
def test_a_sentinel_that_names_no_place_is_told(doctor: Doctor, answer: tuple[bytes, bytes]) -> None:
    with peer_that_says(b"sentinel", SENTINEL=b"*2\r\n" + b"".join(map(bulk, answer))) as peer:
        report = doctor(peer.url.replace("redis://", "redis+sentinel://") + "/mymaster")
    assert report["wrong"] == {"sentinels"}
    assert "sentinel-fails" in report["causes"]


def test_what_a_server_says_of_its_role_steers_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    said = bulk(b"role:\x1b[31mking\x07\r\n")
    with peer_that_says(b"cluster", INFO=said, CONFIG=b"*0\r\n", CLUSTER=b"*1\r\n" + row(0, SLOTS - 1, b"", 1)) as peer:
        answer = b"*1\r\n" + row(0, SLOTS - 1, b"", peer.port)
        with peer_that_says(b"cluster", INFO=said, CONFIG=b"*0\r\n", CLUSTER=answer) as other:
            main(["doctor", other.url.replace("redis://", "redis+cluster://")])
    shown = capsys.readouterr().out
    assert "?[31mking" in shown
    assert not {"\x1b", "\x07"} & {*shown}
