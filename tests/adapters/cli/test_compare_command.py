"""The subcommand `compare` as a process: what it does to the server, what it prints, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from adapters.peers import eventually
from clusters import key_in
from resp_cli import main

if TYPE_CHECKING:
    from collections.abc import Callable

    from clusters import Cluster
    from servers import Server

SHORT: Final = ("--io", "asyncio", "--concurrency", "2", "--duration", "1", "--rounds", "1", "--keys", "50")


def start(*words: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "resp_cli", "compare", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **environment},
    )


def run(*words: str, **environment: str) -> tuple[int, str, str]:
    process = start(*words, **environment)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def test_it_compares_on_a_server_of_its_own_and_that_is_gone_then(tmp_path: Path) -> None:
    code, out, err = run(*SHORT, "--svg", str(tmp_path / "a.svg"), "--png", str(tmp_path / "a.png"), COLUMNS="80")
    assert (code, err) == (0, "")
    assert [
        line.split()[0] for line in out.splitlines() if re.match(r"(pool|connection|pipeline|client) +\d", line)
    ] == [
        *("pool", "connection", "pipeline", "client"),
    ]
    assert "asyncio, 2 callers" in out
    assert re.search(r"With asyncio \(2 callers\): take a (Client|Pool)\.", out)
    assert f"Chart: {tmp_path / 'a.svg'}" in out
    assert "throw-away" in out
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", out), "no control bytes in a file"
    assert max(len(line) for line in out.splitlines() if not line.startswith("Chart: ")) <= 80
    assert "client" in (tmp_path / "a.svg").read_text()
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_all_figures_come_as_json_and_show_no_secret(start_server: Callable[..., Server], tmp_path: Path) -> None:
    server = start_server("--requirepass", "geheim")
    url = f"redis://:geheim@127.0.0.1:{server.port}"
    chart = tmp_path / "a.svg"
    code, out, err = run("-", *SHORT, "--json", "--svg", str(chart), REDIS_URL=url)
    assert code == 0
    said: dict[str, Any] = json.loads(out)
    assert len(said["figures"]) == 4
    assert "geheim" not in out + err + chart.read_text()
    assert server.call("DBSIZE") == 0


def test_a_database_that_is_not_empty_is_left_alone_unless_told_otherwise(server: Server) -> None:
    server.call("SET", "theirs", "1")
    code, out, err = run(server.url, *SHORT)
    assert (code, out) == (1, "")
    assert "--yes" in err
    assert server.call("DBSIZE") == 1
    code, out, err = run(server.url, *SHORT, "--yes", "--mix", "set,hset,sadd,zadd,incr")
    assert (code, err) == (0, "")
    assert server.call("KEYS", "*") == [b"theirs"]


@pytest.mark.parametrize("forbidden", ["scan", "unlink"])
def test_without_the_right_to_remove_keys_none_is_written(forbidden: str, start_server: Callable[..., Server]) -> None:
    server = start_server()
    server.call("ACL", "SETUSER", "some", "on", ">geheim", "~*", "&*", "+@all", f"-{forbidden}")
    code, out, err = run("-", *SHORT, REDIS_URL=f"redis://some:geheim@127.0.0.1:{server.port}")
    assert (code, out) == (1, "")
    assert "none was written: NOPERM" in " ".join(err.split())
    assert server.call("DBSIZE") == 0


def test_no_key_is_evicted_for_those_of_the_comparison(start_server: Callable[..., Server]) -> None:
    server = start_server("--maxmemory", "8mb", "--maxmemory-policy", "allkeys-lru")
    server.call("SET", "theirs", "1")
    code, out, err = run(server.url, *SHORT, "--yes", "--size", "1000000")
    assert (code, out) == (1, "")
    assert "would evict others for them, so none was written" in " ".join(err.split())
    assert server.call("KEYS", "*") == [b"theirs"]


@pytest.mark.parametrize("place", ["nowhere/a.svg", "."])
def test_a_chart_for_which_there_is_no_place_is_refused_before_anything_is_done(place: str, tmp_path: Path) -> None:
    code, out, err = run("redis://127.0.0.1:1", "--svg", str(tmp_path / place))
    assert (code, out) == (1, "")
    assert "A chart can't be written to" in err


def test_the_figures_are_told_also_if_the_chart_cannot_be_written(server: Server, tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.symlink_to("/dev/full")
    code, out, err = run(server.url, *SHORT, "--svg", str(full))
    assert code == 1
    assert "take a" in out
    assert "No space left" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_keys_go_also_when_it_is_ended(how: signal.Signals, server: Server) -> None:
    process = start(server.url, "--io", "threads,asyncio", "--duration", "60", "--mix", "set,hset")
    eventually(lambda: b"name=resp-sansio-compare " in listed(server))
    time.sleep(0.3)  # in the middle of a run
    process.send_signal(how)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "")
    assert server.call("DBSIZE") == 0
    assert b"name=resp-sansio-compare " not in listed(server)


def listed(server: Server) -> bytes:
    found = server.call("CLIENT", "LIST")
    assert isinstance(found, bytes)
    return found


def test_a_server_that_goes_away_is_told_and_so_are_the_keys_that_may_be_left(
    start_server: Callable[..., Server],
) -> None:
    server = start_server()
    process = start(server.url, "--io", "asyncio", "--duration", "60")
    eventually(lambda: b"name=resp-sansio-compare " in listed(server))
    server.kill()
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert "Keys that begin with resp-sansio:compare:" in err
    assert "Traceback" not in err


def test_keys_that_a_server_refuses_to_remove_are_told(start_server: Callable[..., Server]) -> None:
    server = start_server()
    process = start(server.url, "--io", "asyncio", "--duration", "60")
    eventually(lambda: b"name=resp-sansio-compare " in listed(server))
    server.call("CONFIG", "SET", "min-replicas-to-write", "1")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    said = " ".join(err.split())
    assert "Keys that begin with resp-sansio:compare:" in said
    assert "NOREPLICAS" in said


def test_without_a_server_it_says_what_to_do() -> None:
    code, out, err = run(*SHORT, PATH="", REDIS_SERVER="")
    if code == 0:  # a package that carries one is installed
        pytest.skip("there is a server that is not on PATH")
    assert (code, out) == (1, "")
    assert "give the URL of a server" in err
    assert "Traceback" not in err


def test_a_server_that_cannot_be_reached_is_told_in_a_sentence() -> None:
    code, out, err = run("redis://127.0.0.1:1", *SHORT)
    assert (code, out) == (1, "")
    assert "127.0.0.1:1" in err
    assert len(err.splitlines()) <= 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["http://x"], "http"),
        (["redis://:geheim@localhost:x"], "port"),
        (["-"], "REDIS_URL"),
        (["--mix", "get:0"], "get:0"),
        (["--io", "curio"], "curio"),
        (["--concurrency", "0"], "'0'"),
        (["--duration", "-1"], "-1"),
    ],
)
def test_words_that_make_no_sense_are_refused_before_anything_is_done(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", "")
    with pytest.raises(SystemExit) as raised:
        main(["compare", *words])
    assert raised.value.code == 2
    seen = capsys.readouterr()
    assert said in seen.err.splitlines()[-1]
    assert "geheim" not in seen.err + seen.out


def test_a_recording_is_replayed(server: Server, tmp_path: Path) -> None:
    recorded = tmp_path / "monitor.txt"
    recorded.write_text('1795884501.6 [0 127.0.0.1:1] "incr" "n"\n1795884501.7 [0 127.0.0.1:1] "flushall"\n')
    code, out, err = run(server.url, *SHORT, "--replay", str(recorded))
    assert (code, err) == (0, "")
    assert "1 commands of monitor.txt: incr 1; left out: flushall 1" in out
    assert server.call("DBSIZE") == 0


def test_on_a_cluster_multiplexing_and_pipelines_are_compared(cluster: Cluster) -> None:
    cluster.flush()
    code, out, err = run(cluster.url, *SHORT, "--json", "--mix", "get:80,mget:20")
    assert (code, "Error" in err) == (0, False), err
    found = json.loads(out)
    assert [one["strategy"] for one in found["figures"]] == ["pipeline", "client"]
    assert ", a cluster of 3 masters" in found["server"]
    assert all(one["server_cpu"] is not None for one in found["figures"])
    assert [node.call("DBSIZE") for node in cluster.nodes[:3]] == [0] * 3
    told = [one for one in found["figures"] if one["strategy"] == "client"]
    assert all(one["errors"] > 0 and "MGET" in one["error"] for one in told)  # its keys are in many hash slots


def test_on_a_cluster_that_is_not_empty_nothing_is_done(cluster: Cluster) -> None:
    cluster.flush()
    cluster.nodes[0].call("SET", key_in(cluster.ranges[0]), "v")
    try:
        code, out, err = run(cluster.url, *SHORT)
        assert (code, out) == (1, "")
        assert "has 1 keys" in " ".join(err.split())
    finally:
        cluster.flush()
