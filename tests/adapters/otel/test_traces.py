"""What spans say of calls, whose children they are, and which of them are linked."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import StatusCode

import resp_sync
from adapters.backends import Backend, contract, contract_of_tasks
from adapters.otel.telemetry import Telemetry, attributes_of
from adapters.peers import Peer, Wire, together
from resp_sansio import CommandTimeoutError, ReplyError, Retry

if TYPE_CHECKING:
    from servers import Server

pytestmark = pytest.mark.usefixtures("nothing_is_left")


@contract
async def test_a_span_says_what_was_asked_of_which_server(backend: Backend, server: Server) -> None:
    told = Telemetry()
    async with backend.client(f"{server.url}/2", observers=[told.observer]) as client:
        await client.get("k")
        async with client.pipeline() as pipe:
            pipe.get("k")
            pipe.incr("n")
        async with client.transaction() as one:
            one.get("k")
    get, batch, framed = told.spans()
    said = attributes_of(get)
    assert said.pop("redis.client.operation.queue_time") >= 0
    assert said.pop("redis.client.operation.network_time") > 0
    assert said == {
        "db.system.name": "redis",
        "db.namespace": "2",
        "db.operation.name": "GET",
        "server.address": "127.0.0.1",
        "server.port": server.port,
        "redis.client.route": "lane",
    }
    assert (get.name, get.status.status_code, get.parent) == ("GET", StatusCode.UNSET, None)
    assert (batch.name, attributes_of(batch)["db.operation.batch.size"]) == ("PIPELINE", 2)
    assert framed.name == "MULTI GET"
    assert "db.operation.batch.size" not in attributes_of(framed)
    assert "db.query.text" not in attributes_of(batch)


def test_the_text_of_a_query_is_its_commands_if_asked_for(server: Server) -> None:
    told = Telemetry(query_text=True)
    with resp_sync.Client(server.url, observers=[told.observer]) as client:
        client.set("k", "v")
        with client.pipeline() as pipe:
            pipe.get("k")
            pipe.incr("n")
    assert [attributes_of(span)["db.query.text"] for span in told.spans()] == ["SET ?", "GET ?; INCR ?"]


@contract
async def test_a_span_of_a_failed_call_says_which_error_and_not_its_text(backend: Backend, server: Server) -> None:
    told = Telemetry()
    async with backend.client(server.url, observers=[told.observer]) as client:
        await client.set("k", "v")
        with pytest.raises(ReplyError):
            await client.lpush("k", "v")
        async with client.acquire():
            pass  # the connection is there: what comes late is the reply
        with pytest.raises(CommandTimeoutError):
            await client.execute("BLPOP", "nothing", 0, timeout=0.1)
    assert told.failed() == {"LPUSH": "WRONGTYPE", "BLPOP": "CommandTimeoutError"}
    push, pop = told.spans()[1:]
    assert attributes_of(push)["error.type"] == attributes_of(push)["db.response.status_code"] == "WRONGTYPE"
    assert attributes_of(pop)["error.type"] == "CommandTimeoutError"
    assert attributes_of(pop)["redis.client.operation.abandoned"] is True
    assert not push.events


@contract
async def test_a_span_of_a_cancelled_call_ends(backend: Backend, server: Server) -> None:
    told = Telemetry()
    async with backend.client(server.url, observers=[told.observer]) as client:
        await client.ping()
        async with backend.cancelled(partial(client.execute, "BLPOP", "nothing", 0)):
            await backend.until(lambda: "blocked_clients:1" in str(server.call("INFO", "clients")))
    assert [span.name for span in told.spans()] == ["PING", "BLPOP"]
    assert told.failed().keys() == {"BLPOP"}


@contract
async def test_attempts_are_events_of_one_span(backend: Backend) -> None:
    def script(wire: Wire) -> None:
        wire.welcome()
        replies = iter([b"-LOADING not now\r\n", b"$1\r\nv\r\n"])
        for _ in wire.commands():
            wire.send(next(replies))

    told = Telemetry()
    with Peer(script) as peer:
        async with backend.client(peer.url, retry=Retry(base=0.001, cap=0.001), observers=[told.observer]) as client:
            assert await client.get("k") == b"v"
    (span,) = told.spans()
    assert attributes_of(span)["redis.client.operation.retry_attempts"] == 1
    (event,) = span.events
    assert (event.name, attributes_of(event)["error.type"]) == ("retry", "LOADING")
    assert span.start_time is not None
    assert span.end_time is not None
    assert span.start_time <= event.timestamp <= span.end_time


@contract_of_tasks
async def test_each_task_is_the_parent_of_its_own_calls(backend: Backend, server: Server) -> None:
    told = Telemetry()
    parents: dict[str, int] = {}
    async with backend.client(server.url, observers=[told.observer]) as client:
        await client.ping()

        async def work(number: int) -> None:
            with told.parent(f"work {number}") as span:
                parents[f"ECHO {number}"] = span
                await backend.sleep(0)
                await client.echo(str(number))
                await backend.sleep(0)
                async with client.pipeline() as pipe:
                    pipe.get("k")
                    pipe.incr("n")

        await backend.together(*[partial(work, number) for number in range(20)])
    spans = [span for span in told.spans() if span.name != "PING"]
    assert len(spans) == 40
    by_parent = [span.parent.span_id if span.parent else 0 for span in spans]
    assert sorted(parents.values()) == sorted({*by_parent})
    assert all(by_parent.count(parent) == 2 for parent in parents.values())


def test_each_thread_is_the_parent_of_its_own_calls(server: Server) -> None:
    told = Telemetry()
    parents: list[int] = []
    with resp_sync.Client(server.url, observers=[told.observer]) as client:

        def work() -> None:
            with told.parent("work") as span:
                parents.append(span)
                for _ in range(10):
                    client.get("k")

        together(*[work] * 8)
    by_parent = [span.parent.span_id if span.parent else 0 for span in told.spans()]
    assert sorted(by_parent) == sorted(parents * 10)


@contract_of_tasks
async def test_spans_of_calls_that_share_a_write_are_linked_and_not_nested(backend: Backend, server: Server) -> None:
    told = Telemetry()
    async with backend.client(server.url, observers=[told.observer]) as client:
        await client.ping()
        await backend.together(*[partial(client.get, "k")] * 10)
    alone, *spans = told.spans()
    assert not alone.links
    assert not [span for span in spans if span.parent]
    links = [
        (span.context.span_id if span.context else 0, link.context.span_id) for span in spans for link in span.links
    ]
    firsts = {first for _, first in links}
    assert len(links) >= 6  # all but the first of each write, and a call or two that went alone
    assert len(firsts) <= 3
    assert not firsts & {span for span, _ in links}
    assert firsts <= {span.context.span_id for span in spans if span.context}


def test_which_span_was_the_first_of_a_write_is_not_kept_for_ever(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resp_otel._traces.WRITES", 0)
    told = Telemetry()
    with resp_sync.Client(server.url, observers=[told.observer]) as client:
        together(*[lambda: [client.get("k") for _ in range(50)]] * 8)
    assert len(told.spans()) == 400
    assert not [link for span in told.spans() for link in span.links]


def test_spans_that_are_not_recorded_cost_nothing_more_and_metrics_stay(server: Server) -> None:
    told = Telemetry(ALWAYS_OFF)
    with resp_sync.Client(server.url, observers=[told.observer]) as client:
        client.get("k")
    assert not told.spans()
    assert told.numbers("db.client.operation.duration", "db.operation.name") == {"GET": 1}


@contract
async def test_a_duration_has_its_span_as_an_exemplar(backend: Backend, server: Server) -> None:
    told = Telemetry()
    async with backend.client(server.url, observers=[told.observer]) as client:
        await client.get("k")
    (span,) = told.spans()
    (point,) = told.points("db.client.operation.duration")
    assert [exemplar.span_id for exemplar in point.exemplars] == [span.context.span_id if span.context else 0]
