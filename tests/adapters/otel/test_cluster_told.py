"""What metrics and spans say of a cluster: at which server a call ended, what each has, and where calls were sent on."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest

import resp_sync
from adapters.backends import Backend, contract
from adapters.otel.telemetry import Telemetry, attributes_of
from clusters import Cluster, key_in, slot_of
from resp_otel._attributes import server_of
from resp_sansio import Cache

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("nothing_is_left")

POOL = "db.client.connection.pool.name"
WHERE = ("server.address", "server.port")
numbers = count(1)


@pytest.fixture(scope="module")
def moving() -> Iterator[Cluster]:
    """A cluster whose slots are moved: two masters alone."""
    with Cluster(masters=2, replicas=0) as cluster:
        yield cluster


def test_a_cluster_has_no_port_and_a_server_of_one_has() -> None:
    assert server_of("cluster of a:1") == {"db.system.name": "redis", "server.address": "cluster of a:1"}
    assert server_of("a:1")["server.port"] == 1


@contract
async def test_a_call_is_counted_at_the_server_that_answered(backend: Backend, moving: Cluster) -> None:
    told = Telemetry()
    ports = [node.port for node in moving.nodes]
    keys = [key_in(moving.ranges[index]) for index in range(2)]
    async with backend.client(moving.url, observers=[told.observer]) as client:
        for key in [*keys, keys[1]]:
            await client.get(key)
        async with client.pipeline() as pipe:
            for key in keys:
                pipe.get(key)
    by = ("db.operation.name", "server.port")
    calls = told.numbers("redis.client.operation.calls", *by)
    assert calls == {("GET", ports[0]): 1, ("GET", ports[1]): 2, ("PIPELINE GET", None): 1}
    spans = [attributes_of(span) for span in told.spans()]
    assert [span.get("server.port") for span in spans] == [ports[0], ports[1], ports[1], None]
    assert [span["server.address"] for span in spans[:3]] == ["127.0.0.1"] * 3
    assert str(spans[3]["server.address"]).startswith("cluster of ")
    results = told.numbers("redis.client.cluster.refreshes", "redis.client.cluster.refresh.result")
    assert results.pop("changed") == 1
    assert {*results} <= {"unchanged"}  # on a machine that stops for a second, the map is asked for again


@contract
async def test_a_redirect_is_an_event_of_its_span_and_is_counted(backend: Backend, moving: Cluster) -> None:
    told = Telemetry()
    first, second = moving.nodes
    key = key_in(moving.ranges[0][next(numbers)])
    async with backend.client(moving.url, observers=[told.observer]) as client:
        await client.set(key, "v")
        moving.move(slot_of(key), 1)
        assert await client.get(key) == b"v"
    (event,) = told.spans()[-1].events
    assert (event.name, dict(event.attributes or {})) == (
        "redirect",
        {
            "redis.client.redirect.kind": "MOVED",
            "redis.client.redirect.from": f"127.0.0.1:{first.port}",
            "redis.client.redirect.to": f"127.0.0.1:{second.port}",
        },
    )
    assert attributes_of(told.spans()[-1])["server.port"] == second.port
    by = ("db.operation.name", "redis.client.redirect.kind", "server.port")
    assert told.numbers("redis.client.operation.redirects", *by) == {("GET", "MOVED", first.port): 1}


def test_connections_of_the_moment_are_those_of_each_server(moving: Cluster) -> None:
    told, named = Telemetry(), Telemetry(pool_name="shop")
    with resp_sync.Client(moving.url, observers=[told.observer, named.observer], max_connections=5) as client:
        for index in range(2):
            client.get(key_in(moving.ranges[index]))
        there = {f"127.0.0.1:{node.port}/0": 1 for node in moving.nodes}
        assert told.numbers("db.client.connection.count", POOL) == there
        assert told.numbers("db.client.connection.max", POOL) == dict.fromkeys(there, 5)
        assert named.numbers("db.client.connection.count", POOL) == {"shop": 2}
        assert named.numbers("db.client.connection.max", POOL) == {"shop": 10}


def test_a_connection_is_used_at_its_server(moving: Cluster) -> None:
    told = Telemetry()
    with resp_sync.Client(moving.url, observers=[told.observer]) as client:
        for index in (0, 1, 1):
            with client.acquire(key=key_in(moving.ranges[index])) as own:
                own.ping()
    first, second = [f"127.0.0.1:{node.port}/0" for node in moving.nodes]
    assert told.numbers("db.client.connection.use_time", POOL) == {first: 1, second: 2}


def test_the_cache_is_that_of_the_whole(moving: Cluster) -> None:
    told = Telemetry()
    with resp_sync.Client(moving.url, observers=[told.observer], cache=Cache()) as client:
        for _ in range(2):
            for index in range(2):
                client.get(key_in(moving.ranges[index], "kept"))
        assert list(told.numbers("redis.client.csc.items", POOL).values()) == [2]
        by = ("redis.client.csc.result",)
        assert told.numbers("redis.client.csc.requests", *by) == {"hit": 2, "miss": 2, "joined": 0}
        (name,) = told.numbers("redis.client.csc.items", POOL)
        assert name.startswith("cluster of ")
