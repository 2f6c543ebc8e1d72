"""End to end: what Prometheus scrapes over HTTP, and the dashboard, each of whose queries it must answer."""

from __future__ import annotations

import json
from contextlib import ExitStack, suppress
from itertools import combinations
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

import resp_sync
from adapters.peers import Peer, Wire
from clusters import Cluster, slot_of
from dashboard import DASHBOARD, Endpoint, Prometheus, names_in, panels
from resp_otel import OpenTelemetryMetrics
from resp_sansio import Cache, CommandTimeoutError, ConnectError, Gap, ReplyError, RespError, Retry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from servers import Server

pytestmark = pytest.mark.usefixtures("nothing_is_left")


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    serving = Endpoint()
    yield serving
    serving.close()


def test_a_scrape_has_the_calls_of_a_client(endpoint: Endpoint, server: Server) -> None:
    with resp_sync.Client(server.url, observers=[OpenTelemetryMetrics(endpoint.meters)]) as client:
        client.set("k", "v")
        for _ in range(10):
            client.get("k")
        with client.acquire():
            pass
        page = endpoint.scrape()
    store = Prometheus()
    store.add(0.0, page)
    by_name = {
        dict(labels).get("db_operation_name"): value
        for labels, value in store.ask("db_client_operation_duration_seconds_count", 0).items()
    }
    assert by_name == {"SET": 1, "GET": 10}
    state = store.ask("sum by (db_client_connection_state) (db_client_connection_count)", 0)
    assert {dict(labels)["db_client_connection_state"]: value for labels, value in state.items()} == {
        "idle": 2,
        "used": 0,
    }
    assert list(store.ask("db_client_connection_use_time_seconds_count", 0).values()) == [1]
    assert "# TYPE db_client_operation_duration_seconds histogram" in page
    assert "# TYPE db_client_connection_use_time_seconds histogram" in page
    assert "# TYPE redis_client_operation_queue_time_seconds_total counter" in page


def loading(wire: Wire) -> None:
    wire.welcome()
    for number, _ in enumerate(wire.commands()):
        wire.send(b"$1\r\nv\r\n" if number % 2 else b"-LOADING not now\r\n")


def pushes(wire: Wire) -> None:
    wire.welcome()
    for _ in wire.commands():
        wire.send(b">2\r\n+odd\r\n+news\r\n$1\r\nv\r\n")


def live_through_everything(server: Server, gone: Server, peer: Peer, observers: list[OpenTelemetryMetrics]) -> None:
    """Whatever the dashboard has a line for."""
    once = Retry(attempts=1)
    with resp_sync.Client(server.url, observers=observers) as client:
        client.set("k", "v")
        with pytest.raises(ReplyError):
            client.lpush("k", "v")
        with client.pipeline() as pipe:
            pipe.get("k")
            pipe.get("k")
        asleep = Thread(target=server.call, args=("DEBUG", "SLEEP", "0.3"))
        asleep.start()
        while asleep.is_alive():
            with suppress(CommandTimeoutError):
                client.execute("GET", "k", timeout=0.02)
        client.get("k")  # behind the replies that come too late
    with resp_sync.Client(peer.url, retry=Retry(base=0.001, cap=0.001), observers=observers) as client:
        client.get("k")
    with resp_sync.Client(gone.url, retry=once, observers=observers) as client, pytest.raises(ConnectError):
        client.get("k")
    with (
        resp_sync.Pool(server.url, max_size=1, observers=observers) as pool,
        pool.acquire(),
        pytest.raises(RespError),
        pool.acquire(timeout=0.01),
    ):
        pass
    with resp_sync.Client(server.url, cache=Cache(max_bytes=4000), observers=observers) as client:
        for number in range(20):
            client.get(f"kept:{number}")
        server.call("SET", "kept:19", "v")
        while (cache := client.stats().cache) is not None and cache.invalidations == 0:
            client.ping()
    with (
        resp_sync.Client(server.url, observers=observers) as client,
        client.subscribe("news", buffer=1, overflow="drop_newest") as messages,
    ):
        for number in range(3):
            server.call("PUBLISH", "news", number)
        messages.next_batch()
        server.call("CLIENT", "KILL", "TYPE", "pubsub")
        while not isinstance(messages.next(), Gap):
            pass
    with Peer(pushes) as pushing, resp_sync.Client(pushing.url, observers=observers) as client:
        client.get("k")


def live_in_a_cluster(cluster: Cluster, key: str, observers: list[OpenTelemetryMetrics]) -> None:
    """Calls of a client that does not know yet where a slot has gone."""
    with resp_sync.Client(cluster.url, observers=observers) as client:
        client.set(key, "v")
        owner = cluster.owner(slot_of(key))
        assert owner is not None
        cluster.move(slot_of(key), 1 - owner)
        client.get(key)


def test_each_query_of_the_dashboard_is_answered(
    endpoint: Endpoint, server: Server, start_server: Callable[..., Server]
) -> None:
    gone = start_server()
    gone.close()
    observers = [OpenTelemetryMetrics(endpoint.meters), OpenTelemetryMetrics(endpoint.meters, durations="counters")]
    store = Prometheus()
    with (
        Peer(loading) as peer,
        Cluster(masters=2, replicas=0) as cluster,
        resp_sync.Client(server.url, cache=Cache(), observers=observers) as there,
        ExitStack() as stack,
    ):
        there.get("k")  # the gauges are of clients that are there when they are asked
        stack.enter_context(there.subscribe("nothing"))
        for at, key in ((0.0, "one"), (1.0, "other")):
            live_through_everything(server, gone, peer, observers)
            live_in_a_cluster(cluster, key, observers)
            store.add(at, endpoint.scrape())
    queries = [target["expr"] for panel in panels() for target in panel["targets"]]
    assert len(queries) > 20
    for query in queries:
        assert names_in(query)
        assert names_in(query) <= store.names, query
        assert store.ask(query, 1), query


def test_the_names_in_each_legend_are_labels_of_its_answers() -> None:
    for panel in panels():
        for target in panel["targets"]:
            by = target["expr"].partition("sum by (")[2].partition(")")[0].replace(",", " ").split()
            legend = target["legendFormat"]
            assert all(f"{{{{{label}}}}}" in legend for label in by if label != "le"), legend
            assert legend.count("{{") == len([label for label in by if label != "le"])


def test_the_dashboard_is_such_as_grafana_reads() -> None:
    dashboard: dict[str, Any] = json.loads(DASHBOARD.read_text("utf-8"))
    assert dashboard["title"]
    assert dashboard["schemaVersion"] >= 36
    assert {"time", "templating", "annotations", "refresh", "uid", "panels"} <= dashboard.keys()
    (source,) = dashboard["templating"]["list"]
    assert (source["type"], source["query"]) == ("datasource", "prometheus")
    every = dashboard["panels"]
    assert sorted(panel["id"] for panel in every) == list(range(1, len(every) + 1))
    places = []
    for panel in every:
        assert panel["type"] == "timeseries"
        assert panel["title"]
        assert panel["description"]
        assert panel["fieldConfig"]["defaults"]["unit"] in {"s", "ops", "short", "bytes"}
        assert panel["datasource"] == {"type": "prometheus", "uid": f"${{{source['name']}}}"}
        assert [target["refId"] for target in panel["targets"]] == list("ABCD")[: len(panel["targets"])]
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        places.append((place["x"], place["y"], place["x"] + place["w"], place["y"] + place["h"]))
    assert not [pair for pair in combinations(places, 2) if overlap(*pair)]


def overlap(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def test_queries_are_answered_as_prometheus_does() -> None:
    store = Prometheus(window=10)
    for at, count in ((0.0, 0), (10.0, 100)):
        store.add(
            at,
            "# TYPE t histogram\n"
            f't_bucket{{c="a",le="1.0"}} {count}\n'
            f't_bucket{{c="a",le="2.0"}} {count * 2}\n'
            f't_bucket{{c="a",le="+Inf"}} {count * 2}\n'
            f't_count{{c="a"}} {count * 2}\nt_sum{{c="a"}} {count * 3}\n',
        )
    assert store.ask("sum(rate(t_count[$__rate_interval]))", 1) == {frozenset(): 20.0}
    assert store.ask("sum by (c) (t_count)", 1) == {frozenset({("c", "a")}): 200.0}
    assert store.ask("sum(rate(t_sum[$__rate_interval])) / sum(rate(t_count[$__rate_interval]))", 1) == {
        frozenset(): 1.5
    }
    assert store.ask("t_count or t_sum or nothing", 1) == {frozenset({("c", "a")}): 200.0}
    assert store.ask("t_count + t_sum", 1) == {frozenset({("c", "a")}): 500.0}
    for quantile, value in ((0.25, 0.5), (0.5, 1.0), (0.75, 1.5), (1.0, 2.0)):
        query = f"histogram_quantile({quantile}, sum by (le) (rate(t_bucket[$__rate_interval])))"
        assert store.ask(query, 1) == {frozenset(): value}
