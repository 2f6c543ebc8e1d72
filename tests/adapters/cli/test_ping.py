"""`resp-sansio ping`: round trips, the connection that they go by, and exit codes that say what was met."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.cli.terminal import Terminal, environment
from adapters.peers import Peer, Wire
from resp_cli import main
from resp_cli._ping import Tally, percentile

if TYPE_CHECKING:
    from collections.abc import Callable

    from clusters import Cluster
    from servers import Server

FAST = ["--every", "0.01"]


def lines(capsys: pytest.CaptureFixture[str], code: int, *words: str) -> list[dict[str, Any]]:
    assert main(["ping", "--json", *FAST, *words]) == code
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_round_trips_and_the_connection(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    *trips, last = lines(capsys, 0, address, "--count", "3")
    assert [one["number"] for one in trips] == [1, 2, 3]
    assert all(0 < one["seconds"] < 60 for one in trips)
    opened = trips[0]["opened"]
    assert [one["opened"] for one in trips[1:]] == [None, None]  # all go by one connection
    assert opened["handshake"] > 0
    assert (opened["tls"] is not None) == address.startswith("rediss")
    assert opened["total"] >= opened["handshake"]
    summary = last["summary"]
    assert (summary["sent"], summary["answered"], summary["lost"]) == (3, 3, 0)
    assert summary["min"] <= summary["median"] <= summary["p99"] == summary["max"]


def test_people_see_a_line_for_each(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ping", server.url, "--count", "2", *FAST]) == 0
    first, *trips, title, counts, times = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"connected to 127\.0\.0\.1:\d+, RESP3, in .+: name .+, dial .+, handshake .+", first)
    assert [re.sub("=[^=]+s$", "=T", one) for one in trips] == [
        f"127.0.0.1:{server.port}: seq={n} time=T" for n in (1, 2)
    ]
    assert title == f"--- 127.0.0.1:{server.port} ---"
    assert counts == "2 sent, 2 answered, 0 lost (0.0 %)"
    assert re.fullmatch("min .+s, median .+s, p99 .+s, max .+s", times)


def test_a_server_that_is_away_is_asked_again(capsys: pytest.CaptureFixture[str]) -> None:
    *trips, last = lines(capsys, 1, "redis://127.0.0.1:1", "--count", "2")
    assert all("Connection refused" in one["error"] for one in trips)
    assert (last["summary"]["lost"], last["summary"]["median"]) == (2, None)


def test_a_server_that_refuses_is_asked_once(
    start_server: Callable[..., Server], capsys: pytest.CaptureFixture[str]
) -> None:
    server = start_server("--requirepass", "pw")
    assert main(["ping", server.url, *FAST]) == 1
    seen = capsys.readouterr().out
    assert "1 sent, 0 answered" in seen
    assert "resp-sansio doctor" in seen
    assert main(["ping", f"redis://:not-the-pw@127.0.0.1:{server.port}", *FAST]) == 1
    assert "not-the-pw" not in capsys.readouterr().out


def test_a_lost_connection_is_dialled_again(capsys: pytest.CaptureFixture[str]) -> None:
    def once(wire: Wire) -> None:
        wire.welcome()
        wire.command()
        wire.send(b"+PONG\r\n")
        wire.command()

    with Peer(once) as peer:
        *trips, last = lines(capsys, 1, peer.url, "--count", "4")
    assert [one["seconds"] is not None for one in trips] == [True, False, True, False]
    assert [one["opened"] is not None for one in trips] == [True, False, True, False]
    assert last["summary"]["lost"] == 2


def test_another_answer_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    def odd(wire: Wire) -> None:
        wire.welcome()
        for _ in wire.commands():
            wire.send(b"*0\r\n")

    with Peer(odd) as peer:
        trip, _ = lines(capsys, 1, peer.url, "--count", "1")
    assert trip["error"] == "the answer is not PONG"


def test_a_url_that_makes_no_sense(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ping", "redis://localhost?tiemout=3"]) == 2
    assert "did you mean 'timeout'?" in capsys.readouterr().err


def test_ctrl_c_ends_it_and_sums_up(server: Server) -> None:
    with Terminal("ping", server.url, "--every", "0.05") as terminal:
        terminal.until(lambda text: "seq=2" in text)
        terminal.press(b"\x03")
        assert terminal.end() == 0
        assert re.search(r"\d+ sent, \d+ answered, 0 lost", terminal.text)
        assert "Traceback" not in terminal.text


def test_into_a_file_goes_plain_text(server: Server) -> None:
    words = [sys.executable, "-m", "resp_cli", "ping", server.url, "--count", "1"]
    done = subprocess.run(words, capture_output=True, text=True, env=environment(), timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    assert len(done.stdout.splitlines()) == 5


@given(st.lists(st.floats(0, 10), min_size=1), st.floats(0.01, 1))
def test_percentiles(values: list[float], wanted: float) -> None:
    ordered = sorted(values)
    found = percentile(ordered, wanted)
    assert found is not None
    assert sum(value <= found for value in values) >= wanted * len(values) - 1e-9
    assert sum(value < found for value in values) < wanted * len(values)


def test_nothing_was_sent() -> None:
    assert Tally().as_dict() == {
        "sent": 0, "answered": 0, "lost": 0, "min": None, "median": None, "p99": None, "max": None,
    }  # fmt: skip


def test_each_server_of_a_cluster_is_asked_in_turn(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    cluster.list_replicas()
    told = lines(capsys, 0, cluster.url, "--count", "2")
    servers = {f"127.0.0.1:{node.port}" for node in cluster.nodes}
    trips, summaries = told[:-6], told[-6:]
    assert {one["address"] for one in summaries} == servers
    assert [one["summary"]["answered"] for one in summaries] == [2] * 6
    assert {one["address"]: one["number"] for one in trips} == dict.fromkeys(servers, 2)
    assert all(one["opened"] is not None for one in trips if one["number"] == 1)
    assert all(one["opened"] is None for one in trips if one["number"] == 2)
    assert main(["ping", cluster.url, "--count", "1", *FAST]) == 0
    seen = capsys.readouterr().out
    assert all(f"{server}: seq=1 time=" in seen and f"--- {server} ---" in seen for server in servers)


def test_a_server_of_a_cluster_that_is_away_is_lost_and_the_others_are_not(
    start_cluster: Callable[..., Cluster], capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = start_cluster(2, 0, cluster_require_full_coverage="no")
    cluster.nodes[1].kill()
    told = lines(capsys, 1, cluster.url, "--count", "2")
    by_address = {one["address"]: one["summary"] for one in told if "summary" in one}
    here, away = [by_address[f"127.0.0.1:{node.port}"] for node in cluster.nodes]
    assert (here["answered"], here["lost"]) == (2, 0)
    assert (away["answered"], away["lost"]) == (0, 2)


def test_a_cluster_that_is_away_is_asked_again(capsys: pytest.CaptureFixture[str]) -> None:
    *trips, last = lines(capsys, 1, "redis+cluster://127.0.0.1:1", "--count", "2")
    assert [one["address"] for one in trips] == ["cluster of 127.0.0.1:1"] * 2
    assert last["summary"]["lost"] == 2
