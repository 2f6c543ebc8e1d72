"""`resp-sansio watch`: figures from two snapshots, alone and on a real server; how they look in a terminal and in a file."""

from __future__ import annotations

import http.server
import io
import json
import math
import re
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import start_http_server
from rich.console import Console

import resp_sync
from adapters.cli.terminal import Terminal, environment
from adapters.peers import Peer, Wire, eventually
from resp_cli import main
from resp_cli._histogram import quantile
from resp_cli._watch.figures import figures
from resp_cli._watch.frames import frame as frame_of
from resp_cli._watch.scrape import Scrape, figures_of_metrics, metrics_table, read_scrape
from resp_cli._watch.snapshot import QUESTIONS, Snapshot, read_snapshot
from resp_cli._words import age, duration, per_second, rate, share
from resp_otel import OpenTelemetryObserver
from resp_sansio import ReplyError
from resp_sansio.testing import replies
from sentinels import Sentinels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clusters import Cluster
    from servers import Server

CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
CTRL_C: Final = b"\x03"


# --- figures ------------------------------------------------------------------------------------------------------------------


def snapshot(at: float, clients: str = "", **info: object) -> Snapshot:
    fields = {"run_id": "r", "total_connections_received": 0, **info}
    text = "".join(f"{name}:{value}\r\n" for name, value in fields.items())
    return read_snapshot({"info": text.encode(), "clients": clients.encode()}, at=at, round_trip=0.001, own=1)


def test_rates_are_what_was_between_two_snapshots() -> None:
    before = snapshot(10, total_commands_processed=100, keyspace_hits=10, keyspace_misses=0, used_cpu_user=1.0)
    after = snapshot(
        12,
        total_commands_processed=300,
        keyspace_hits=40,
        keyspace_misses=10,
        used_cpu_user=1.5,
        used_cpu_sys=0.5,
        total_connections_received=4,
        db0="keys=3,expires=0",
        db7="keys=2,expires=0",
    )
    found = figures(before, after)
    assert (found.seconds, found.operations, found.hit_rate, found.opened, found.cpu) == (2, 100, 0.75, 2, 0.5)
    assert found.keys == 5


def test_the_first_snapshot_has_no_rates() -> None:
    found = figures(None, snapshot(10, total_commands_processed=100, keyspace_hits=3))
    assert (found.seconds, found.operations, found.hit_rate, found.commands, found.errors) == (None, None, None, [], {})


@pytest.mark.parametrize(
    "after",
    [
        snapshot(12, run_id="another", total_commands_processed=900, total_connections_received=9),
        snapshot(12, total_commands_processed=900, total_connections_received=4),  # CONFIG RESETSTAT
        snapshot(10, total_commands_processed=900, total_connections_received=9),
    ],
)
def test_counters_that_began_anew_give_no_rates(after: Snapshot) -> None:
    before = snapshot(10, total_commands_processed=100, total_connections_received=5)
    found = figures(before, after)
    assert (found.seconds, found.operations, found.opened, found.commands) == (None, None, None, [])


def test_a_look_up_that_did_not_happen_has_no_hit_rate() -> None:
    assert figures(snapshot(1, keyspace_hits=5), snapshot(2, keyspace_hits=5)).hit_rate is None


def test_commands_stand_in_the_order_of_their_time() -> None:
    before = snapshot(0, cmdstat_get="calls=10,usec=10", cmdstat_ping="calls=5,usec=5")
    after = snapshot(
        2,
        cmdstat_get="calls=30,usec=50,rejected_calls=0,failed_calls=4",
        cmdstat_ping="calls=5,usec=5",
        cmdstat_keys="calls=2,usec=160",
        cmdstat_acl="calls=0,usec=0,rejected_calls=2,failed_calls=0",
        latency_percentiles_usec_get="p50=1.003,p99=2.007,p99.9=3",
    )
    keys, get, acl = figures(before, after).commands
    assert (keys.name, keys.calls, keys.microseconds, keys.share) == ("keys", 1, 80, 0.8)
    assert (get.name, get.calls, get.microseconds, get.share, get.failed) == ("get", 10, 2, 0.2, 2)
    assert (get.p50, get.p99, keys.p99) == (1.003, 2.007, None)
    assert (acl.name, acl.calls, acl.microseconds, acl.failed) == ("acl", 0, None, 1)


def test_errors_by_their_codes() -> None:
    before = snapshot(0, errorstat_ERR="count=1", errorstat_OOM="count=3")
    after = snapshot(2, errorstat_ERR="count=2", errorstat_OOM="count=9", errorstat_WRONGTYPE="count=1")
    assert figures(before, after).errors == {"OOM": 3, "ERR": 0.5, "WRONGTYPE": 0.5}


def test_connections_by_library() -> None:
    before = snapshot(0, "id=2 lib-name=a lib-ver=1 idle=3 age=9\nid=3 lib-name=a lib-ver=1")
    lines = [
        "id=1 lib-name=own lib-ver=1",
        "id=2 lib-name=a lib-ver=1 idle=5 age=11 tot-mem=10 flags=b",
        "id=4 lib-name=a lib-ver=1 idle=0 age=1 tot-mem=20 flags=P sub=1",
        "id=5 name=x lib-name= lib-ver=",
        "id=6 lib-name=a lib-ver=2",
        "id=7 flags=S lib-name= lib-ver=",
    ]
    found = figures(before, snapshot(2, "\n".join(lines))).libraries
    assert found is not None
    assert [one.name for one in found] == ["a 1", "(replication)", "(says nothing)", "a 2"]
    first = found[0]
    assert (first.connections, first.opened, first.blocked, first.subscribed) == (2, 0.5, 1, 1)
    assert (first.memory, first.idle, first.newest) == (30, 5, 1)


def test_what_is_refused_is_unknown() -> None:
    replies: dict[str, Any] = dict.fromkeys(("info", "clients", "slow", "latency"), ReplyError("NOPERM no"))
    found = figures(None, read_snapshot(replies, at=1, round_trip=1, own=None))
    assert (found.libraries, found.slow, found.events, found.version) == (None, None, None, "?")
    assert set(found.refused.values()) == {"NOPERM"}


def test_the_slow_log_keeps_no_arguments() -> None:
    entry = [7, 1000, 1500, [b"auth\x1b", b"wilma", b"secret"], b"1.2.3.4:5", b"web"]
    events = [[b"fork", 1000, 5, 7]]
    reply: dict[str, Any] = {"slow": [entry, [1], "odd"], "latency": [*events, []]}
    found = read_snapshot(reply, at=0, round_trip=0, own=None)
    assert found.slow is not None
    (slow,) = found.slow
    assert (slow.command, slow.arguments, slow.seconds, slow.client) == ("AUTH?", 2, 0.0015, "web")
    assert "secret" not in repr(found)
    assert found.events is not None
    assert [(one.name, one.latest, one.longest) for one in found.events] == [("fork", 0.005, 0.007)]


def test_numbers_that_no_server_has_are_none() -> None:
    entries: list[Any] = [[1, at, 5, [b"get"], b"", b""] for at in (2**62, -(2**62), 10**400)]
    entries += [[1, 0, odd, [b"get"], b"", b""] for odd in (10**400, -(10**400))]
    events: list[Any] = [[b"fork", 0, 10**400, 1], [b"fork", 0, 1, -(10**400)], [b"aof", 0, 1, 1]]
    found = read_snapshot({"slow": entries, "latency": events}, at=0, round_trip=0, own=None)
    assert found.slow is not None
    assert len(found.slow) == 3
    assert found.events is not None
    assert [one.name for one in found.events] == ["aof"]
    on = Console(file=io.StringIO())
    on.print(frame_of(figures(None, found), "h:1", 80, None))


def test_a_name_that_a_script_has_made_up_begins_no_line() -> None:
    """A server keeps `:` and line ends out of the codes of errors that it counts, and no others of Python's ends of lines."""
    found = snapshot(1, maxmemory=7, **{"errorstat_A\u2028maxmemory": "count=1", "errorstat_B\x1cmaxmemory": "count=1"})
    assert found.info["maxmemory"] == "7"


@given(
    st.dictionaries(st.from_regex("[a-z_]{1,20}", fullmatch=True), st.text(st.characters(codec="utf-8"), max_size=30))
)
def test_any_info_can_be_read(fields: dict[str, str]) -> None:
    names = ("used_memory", "cmdstat_get", "db0", "errorstat_ERR", "connected_clients", "role")
    odd = {**fields, **dict(zip(names, fields.values(), strict=False))}
    text = "".join(f"{name}:{value}\r\n" for name, value in odd.items()).encode()
    first, second = (read_snapshot({"info": text}, at=at, round_trip=0, own=None) for at in (1.0, 2.0))
    json.dumps(figures(first, second).as_dict(), allow_nan=False)


@pytest.mark.parametrize("value", ["inf", "-inf", "nan", "1e999", "", "-1", "1e300", "1.7e308", "9" * 400])
def test_a_number_that_makes_no_sense_is_none(value: str) -> None:
    fields = dict.fromkeys(("used_memory", "total_commands_processed", "connected_clients", "used_cpu_user"), value)
    parts = ("cmdstat_get", "cmdstat_set")
    before = {**{name: f"-{each}" for name, each in fields.items()}, **dict.fromkeys(parts, f"calls=1,usec=-{value}")}
    found = figures(
        snapshot(1, **before), snapshot(1.01, **fields, **dict.fromkeys(parts, f"calls={value},usec={value}"))
    )
    json.dumps(found.as_dict(), allow_nan=False)
    Console(file=io.StringIO()).print(frame_of(found, "h:1", 80, None))


@settings(max_examples=25)
@given(st.fixed_dictionaries(dict.fromkeys(QUESTIONS, st.lists(replies(), max_size=2))))
def test_any_reply_makes_a_snapshot(answers: dict[str, Any]) -> None:
    found = figures(None, read_snapshot(answers, at=0, round_trip=0, own=None))
    json.dumps(found.as_dict(), allow_nan=False)
    on = Console(file=io.StringIO())
    on.print(frame_of(found, "h:1", 80, None))
    assert not CONTROLS.search(on.file.getvalue())  # type: ignore[attr-defined]


# --- metrics ------------------------------------------------------------------------------------------------------------------

METRICS: Final = """\
# TYPE db_client_operation_duration_seconds histogram
db_client_operation_duration_seconds_bucket{op="GET",le="0.001",host="h"} 90.0
db_client_operation_duration_seconds_bucket{op="GET",le="0.01",host="h"} 99.0
db_client_operation_duration_seconds_bucket{op="GET",le="+Inf",host="h"} 100.0
db_client_operation_duration_seconds_count{op="GET",host="h"} 100.0
db_client_operation_duration_seconds_sum{op="GET",host="h"} 0.2
# TYPE redis_client_dials_total counter
redis_client_dials_total{host="h"} %d
# TYPE db_client_connection_count gauge
db_client_connection_count{host="h"} 3.0
# TYPE python_info gauge
python_info{version="3"} 1.0
"""


def scrape(text: str, at: float) -> Scrape:
    from prometheus_client.parser import text_string_to_metric_families

    return read_scrape(text_string_to_metric_families(text), at)


def test_metrics_of_the_time_in_between() -> None:
    before, after = scrape(METRICS % 4, 0.0), scrape(METRICS.replace("} 90.0", "} 100.0") % 10, 2.0)
    first = {one.name: one for one in figures_of_metrics(None, before).metrics}
    assert first["db_client_operation_duration_seconds"].p99 == pytest.approx(0.01)
    assert first["db_client_operation_duration_seconds"].per_second is None
    assert "python_info" not in first
    assert first["db_client_connection_count"].labels == {"op": None} or not first["db_client_connection_count"].labels
    later = {one.name: one for one in figures_of_metrics(before, after).metrics}
    assert later["redis_client_dials"].per_second == 3
    assert later["redis_client_dials"].value == 10
    assert later["db_client_connection_count"].value == 3
    json.dumps(figures_of_metrics(before, after).as_dict())


def test_figures_are_never_shortened() -> None:
    long = METRICS.replace("operation_duration", "operation_of_a_very_long_name_that_does_not_fit_duration")
    long = (
        long.replace('"GET"', '"THE_NAME_OF_A_COMMAND_THAT_NO_SERVER_HAS"')
        + long.replace("python_info", "x").partition("# TYPE r")[0]
    )
    found = figures_of_metrics(scrape(long % 4, 0.0), scrape(long.replace("} 90.0", "} 1234567.0") % 10, 2.0))
    on = Console(file=io.StringIO(), width=80)
    on.print(metrics_table(found, None))
    lines = on.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert lines[2].split() == ["metric", "of", "per", "s", "value", "p50", "p99"]
    assert all(len(line) <= 80 for line in lines)
    assert any("…" in line for line in lines)
    assert len(lines[4:]) == len(found.metrics)
    for line, metric in zip(lines[4:], found.metrics, strict=True):
        shown = [rate(metric.per_second), rate(metric.value), duration(metric.p50), duration(metric.p99)]
        assert " ".join(line.split()).endswith(" ".join(shown))


def test_metrics_of_a_process_that_began_anew() -> None:
    before, after = scrape(METRICS % 400, 0.0), scrape(METRICS % 2, 1.0)
    later = {one.name: one for one in figures_of_metrics(before, after).metrics}
    assert later["redis_client_dials"].per_second == 2


def test_an_endpoint_without_metrics_of_a_client_shows_its_others() -> None:
    found = figures_of_metrics(None, scrape("# TYPE http_requests_total counter\nhttp_requests_total 7\n", 0.0))
    assert [(one.name, one.value) for one in found.metrics] == [("http_requests", 7)]


@pytest.mark.parametrize(
    ("buckets", "wanted", "value"),
    [
        ([], 0.5, None),
        ([(1, 0), (math.inf, 0)], 0.5, None),
        ([(1, 10), (2, 20), (math.inf, 20)], 0.5, 1),
        ([(1, 10), (2, 20), (math.inf, 20)], 0.75, 1.5),
        ([(1, 10), (2, 20), (math.inf, 40)], 0.99, 2),
    ],
)
def test_quantiles(buckets: list[tuple[float, float]], wanted: float, value: float | None) -> None:
    assert quantile(buckets, wanted) == value


@contextmanager
def endpoint(text: str) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/metrics" else 404)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *args: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/metrics"
        server.shutdown()
        thread.join()


# --- on a real server ---------------------------------------------------------------------------------------------------------


@contextmanager
def load(server: Server) -> Iterator[None]:
    """Callers that read, write, fail and wait."""
    over = threading.Event()

    def work() -> None:
        with resp_sync.Client(server.url) as client:
            while not over.is_set():
                client.set("k", "v")
                client.get("k")
                client.get("none")
                with pytest.raises(ReplyError):
                    client.lpush("k", "x")
                time.sleep(0.001)

    def wait() -> None:
        with resp_sync.Client(server.url) as client:
            while not over.is_set():
                client.execute("BLPOP", "empty", 0.2)

    threads = [threading.Thread(target=one, daemon=True) for one in (work, wait)]
    for thread in threads:
        thread.start()
    eventually(lambda: server.call("EXISTS", "k") == 1)
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join(60)


def frames(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    assert main(["watch", "--json", *words]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_json_has_a_frame_a_line(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    with load(server):
        found = frames(capsys, server.url, "--every", "0.5", "--count", "2")
    assert len(found) == 2
    for frame in found:
        told = frame["server"]
        assert told["version"] == ".".join(map(str, server.version))
        assert told["server"] == server.product
        assert told["operations"] > 10
        assert 0 < told["hit_rate"] < 1
        commands = {one["name"]: one for one in told["commands"]}
        assert commands["get"]["calls"] >= commands["set"]["calls"] > 1
        assert commands["lpush"]["failed"] > 1
        assert told["errors"]["WRONGTYPE"] > 1
        assert told["clients"] >= 3


@pytest.mark.needs("CLIENT SETINFO")
def test_connections_are_told_by_library(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    with load(server):
        (frame,) = frames(capsys, server.url, "--every", "0.2", "--once")
    libraries = {one["name"]: one for one in frame["server"]["libraries"]}
    assert libraries["resp-sansio 0.1.0"]["connections"] == 2  # without the command's own


def test_a_user_who_may_not_ask_sees_why(
    start_server: Callable[..., Server], capsys: pytest.CaptureFixture[str]
) -> None:
    server = start_server()
    server.call("ACL", "SETUSER", "wilma", "on", ">pw-of-wilma", "+info", "+client|id")
    assert main(["watch", "--once", "--every", "0.1", f"redis://wilma:pw-of-wilma@127.0.0.1:{server.port}"]) == 0
    seen = " ".join(capsys.readouterr().out.split())
    assert "refused (NOPERM); ACL SETUSER <user> +client|list allows it" in seen
    assert "+slowlog|get" in seen
    assert "wilma" not in seen


def test_a_sentinel_has_not_all_commands_and_that_is_no_right_of_a_user(capsys: pytest.CaptureFixture[str]) -> None:
    with Sentinels(replicas=0) as sentinels:
        host, port = sentinels.places[0]
        assert main(["watch", "--once", "--every", "0.1", f"redis://{host}:{port}"]) == 0
    seen = capsys.readouterr().out
    assert "Slow log, newest first: not offered by this server (ERR)" in seen
    assert "Latency events: not offered by this server (ERR)" in seen
    assert "ACL" not in seen


def test_a_server_that_does_not_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", "--once", "--every", "0.1", "redis://:hidden@127.0.0.1:1"]) == 1
    seen = capsys.readouterr().out
    assert "127.0.0.1:1: no answer" in seen
    assert "hidden" not in seen


def test_each_server_of_a_cluster_is_a_line(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    cluster.list_replicas()
    (seen,) = frames(capsys, cluster.url, "--once", "--every", "0.1")
    assert {*seen["servers"]} == {f"127.0.0.1:{node.port}" for node in cluster.nodes}
    assert seen["error"] is None
    roles = [one["server"]["role"] for one in seen["servers"].values()]
    assert sorted(roles) == ["master"] * 3 + ["replica"] * 3
    assert all(one["server"]["operations"] > 0 for one in seen["servers"].values())
    assert main(["watch", cluster.url, "--once", "--every", "0.1"]) == 0
    shown = capsys.readouterr().out
    assert all(re.search(rf"^127.0.0.1:{node.port} +(master|replica) ", shown, re.MULTILINE) for node in cluster.nodes)


def test_a_server_of_a_cluster_that_does_not_answer(
    start_cluster: Callable[..., Cluster], capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = start_cluster(2, 0, cluster_require_full_coverage="no")
    cluster.nodes[1].kill()
    assert main(["watch", "--json", "--once", "--every", "0.1", cluster.url]) == 1
    seen = json.loads(capsys.readouterr().out)
    here, away = [seen["servers"][f"127.0.0.1:{node.port}"] for node in cluster.nodes]
    assert (here["error"], away["server"]) == (None, None)
    assert "Connection refused" in away["error"]
    assert main(["watch", "--once", "--every", "0.1", cluster.url]) == 1
    shown = capsys.readouterr().out
    port = cluster.nodes[1].port
    assert re.search(rf"^127.0.0.1:{port} +no answer ", shown, re.MULTILINE)
    assert re.search(rf"^127.0.0.1:{port}: .*Connection\s+refused", shown, re.MULTILINE | re.DOTALL)
    assert main(["watch", "--once", "--every", "0.1", "redis+cluster://127.0.0.1:1"]) == 1
    assert "cluster of 127.0.0.1:1: no answer: " in " ".join(capsys.readouterr().out.split())


def test_a_server_that_comes_back_is_watched_again(start_server: Callable[..., Server]) -> None:
    server = start_server()
    with subprocess.Popen(
        [sys.executable, "-m", "resp_cli", "watch", "--json", "--every", "0.1", server.url],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as watching:
        assert watching.stdout
        lines = iter(watching.stdout)
        assert json.loads(next(lines))["server"]
        server.kill()
        while json.loads(next(lines))["server"]:
            pass
        server.start()
        while not json.loads(next(lines))["server"]:
            pass
        watching.kill()


def test_metrics_stand_beside_it(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    with endpoint(METRICS % 5) as url:
        assert main(["watch", "--once", "--every", "0.1", "--metrics", url, server.url]) == 0
        seen = capsys.readouterr().out
        assert "operation_duration " in seen
        (frame,) = frames(capsys, server.url, "--every", "0.1", "--once", "--metrics", url)
        assert frame["metrics"]["error"] is None
        (frame,) = frames(capsys, server.url, "--every", "0.1", "--once", "--metrics", url + "/not")
        assert "404" in frame["metrics"]["error"]


def test_metrics_of_a_client_that_is_observed_by_opentelemetry(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    meters = MeterProvider(metric_readers=[PrometheusMetricReader()])
    observer = OpenTelemetryObserver(meter_provider=meters)
    serving, thread = start_http_server(0, "127.0.0.1")
    try:
        with resp_sync.Client(server.url, observers=[observer]) as client:
            client.set("k", "v")
            url = f"http://127.0.0.1:{serving.server_port}/metrics"
            (frame,) = frames(capsys, server.url, "--every", "0.1", "--once", "--metrics", url)
    finally:
        serving.shutdown()
        thread.join()
        serving.server_close()
        meters.shutdown()  # and its reader with it, which can be shut down once
    assert "db_client_operation_duration_seconds" in {one["name"] for one in frame["metrics"]["metrics"]}


def test_metrics_without_the_library_that_reads_them(
    server: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client.parser", None)
    assert main(["watch", "--once", "--metrics", "http://localhost:1", server.url]) == 1
    assert "python -m pip install prometheus-client" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["abc", "99999", "0"])
def test_an_endpoint_that_can_be_none_is_refused_and_what_may_be_a_password_not_repeated(
    port: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for url in (
        f"http://localhost:{port}/metrics",
        "http://ann:geheim@localhost/metrics",
        "http://geheim:geheim",
        "ftp://h",
    ):
        assert main(["watch", "--once", "--metrics", url, "redis://localhost:1"]) == 1
        said = capsys.readouterr()
        assert "--metrics takes the http:// or https:// URL" in said.err
        assert "geheim" not in said.out + said.err


def test_an_endpoint_that_speaks_no_http_or_makes_no_sense(capsys: pytest.CaptureFixture[str]) -> None:
    def other(wire: Wire) -> None:
        wire.socket.recv(1000)
        wire.send(b"-ERR unknown command 'GET'\r\n")
        wire.close()

    def hangs_up(wire: Wire) -> None:
        wire.socket.recv(1000)
        wire.close()

    def scraped(url: str) -> Any:
        main(["watch", "--json", "redis://127.0.0.1:1", "--every", "0.01", "--once", "--metrics", url])
        return json.loads(capsys.readouterr().out)["metrics"]

    for script, why in ((other, "no answer by HTTP (BadStatusLine)"), (hangs_up, "Remote end closed connection")):
        with Peer(script) as peer:
            assert why in scraped(f"http://127.0.0.1:{peer.port}/metrics")["error"]
    for text in (METRICS.replace('le="0.001"', 'le="x"'), METRICS.replace('le="0.01",', ""), 'a{b="c'):
        with endpoint(text) as url:
            scraped(url)


@pytest.mark.parametrize(
    "words",
    [
        ["--every", "0"],
        ["--every", "x"],
        ["--count", "0"],
        ["redis://localhost?tiemout=1"],
    ],
)
def test_words_that_make_no_sense(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code: object = main(["watch", *words])
    except SystemExit as ended:
        code = ended.code
    assert code == 2
    assert capsys.readouterr().err


# --- in a terminal, and not -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [80, 200])
def test_it_is_renewed_in_place_until_ctrl_c(server: Server, columns: int) -> None:
    with load(server), Terminal("watch", server.url, "--every", "0.2", columns=columns) as terminal:
        seen = terminal.until(lambda text: re.search(r"^get +[\d.,]+ .*Latency events", text, re.MULTILINE | re.DOTALL))
        assert seen.startswith(f"{server.product} ")
        assert "Connections by library" in seen
        assert all(len(line) <= columns for line in seen.splitlines())
        assert b"\x1b[?1049h" in terminal.raw  # a screen of its own
        terminal.press(CTRL_C)
        assert terminal.end() == 0
        assert b"\x1b[?1049l" in terminal.raw
        assert "Traceback" not in terminal.text
    side_by_side = [line for line in seen.splitlines() if "Commands" in line and "Connections by library" in line]
    assert bool(side_by_side) == (columns == 200)


def test_a_low_screen_is_not_scrolled(server: Server) -> None:
    with load(server), Terminal("watch", server.url, "--every", "0.2", lines=24) as terminal:
        seen = terminal.until(lambda text: "Slow log" in text)
        assert seen.startswith(f"{server.product} ")
        terminal.press(CTRL_C)
        assert terminal.end() == 0


def test_without_colours(server: Server) -> None:
    with Terminal("watch", server.url, "--once", "--every", "0.1", NO_COLOR="1") as terminal:
        assert terminal.end() == 0
        assert "Connections by library" in terminal.text
        assert not re.search(rb"\x1b\[[0-9;]*(3[0-7]|4[0-7]|9[0-7])m", terminal.raw)


def test_into_a_file_goes_plain_text(server: Server) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "resp_cli", "watch", server.url, "--every", "0.1", "--count", "2"],
        capture_output=True,
        text=True,
        env=environment(COLUMNS="100"),
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert not CONTROLS.search(done.stdout)
    assert done.stdout.count("Connections by library") == 2
    assert not re.search(r" $", done.stdout, re.MULTILINE)


# --- words --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (0, "0 µs"),
        (1.234e-6, "1.2 µs"),
        (99.4e-6, "99.4 µs"),
        (99.6e-6, "100 µs"),
        (0.000_999_6, "1.0 ms"),
        (0.9996, "1.0 s"),
        (61.25, "61.2 s"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_other_figures() -> None:
    assert [rate(one) for one in (None, 0, 0.012, 0.25, 7.0, 99.96, 12345.6)] == [
        "-", "0", "0.012", "0.2", "7", "100.0", "12,346",
    ]  # fmt: skip
    assert (per_second(None), per_second(1.0)) == ("-", "1/s")
    assert (share(None), share(0.5)) == ("-", "50.0 %")
    assert [age(one) for one in (0, 59, 61, 3700, 90000)] == ["0 s", "59 s", "1 min 1 s", "1 h 1 min", "1 d 1 h"]
