"""What observers cost: CPU of a GET, by resp_sync and by resp_asyncio, on one server and on a cluster, in one run and in turns.

    PYTHONPATH=.:adapters:tests python tests/benchmarks/observe_cost.py [ROUNDS]

`observer`: one that does nothing. `counters`: metrics with durations by counters. Spans are thrown away where they would be sent.
A way's cost is compared with that of no observer in the same round, as other programs slow both: so shown is the median of all
rounds, and between which bounds the middle half of them was.

The last line is the floor of `metrics`: what the SDK's histogram takes for a record, given attributes that are made already.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from statistics import quantiles
from time import process_time
from typing import Any, Final

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

import resp_asyncio
import resp_sync
from clusters import Cluster
from resp_otel import OpenTelemetryMetrics, OpenTelemetryObserver, OpenTelemetryTraces
from resp_sansio import CallEnded, Observer
from servers import Server

CALLS: Final = 1000
ROUNDS: Final = 41
ATTRIBUTES: Final[dict[str, str | int]] = {
    "db.system.name": "redis",
    "server.address": "127.0.0.1",
    "server.port": 6380,
    "db.namespace": "0",
    "db.operation.name": "GET",
}


class Nothing(Observer):
    """Is told of calls."""

    def call_ended(self, call: CallEnded, token: object) -> None:
        """Do nothing with it."""


class Nowhere(SpanExporter):
    """Throws spans away."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:  # noqa: ARG002
        """Say that they were sent."""
        return SpanExportResult.SUCCESS


def meters() -> MeterProvider:
    """A provider that keeps metrics in memory."""
    return MeterProvider(metric_readers=[InMemoryMetricReader()])


def tracers() -> TracerProvider:
    """A provider that sends all spans, in batches, to nowhere."""
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Nowhere()))
    return provider


WAYS: Final[dict[str, Callable[[], list[Observer]]]] = {
    "none": list,
    "observer": lambda: [Nothing()],
    "counters": lambda: [OpenTelemetryMetrics(meters(), durations="counters")],
    "metrics": lambda: [OpenTelemetryMetrics(meters())],
    "traces": lambda: [OpenTelemetryTraces(tracers())],
    "both": lambda: [OpenTelemetryObserver(meters(), tracers())],
}


Costs = dict[str, list[float]]
"""Seconds for each call, by the way it was observed, round by round."""


def threads(url: str, rounds: int) -> Costs:
    """Measure each way in each round, by one thread."""
    clients = {name: resp_sync.Client(url, observers=make()) for name, make in WAYS.items()}
    found: Costs = {name: [] for name in clients}
    for _ in range(rounds):
        for name, client in clients.items():
            began = process_time()
            for _ in range(CALLS):
                client.get("k")
            found[name].append((process_time() - began) / CALLS)
    for client in clients.values():
        client.close()
    return found


async def tasks(url: str, number: int, rounds: int) -> Costs:
    """The same, by so many tasks."""
    clients = {name: resp_asyncio.Client(url, observers=make()) for name, make in WAYS.items()}
    found: Costs = {name: [] for name in clients}

    async def repeat(get: Callable[[str], Awaitable[Any]]) -> None:
        for _ in range(CALLS // number):
            await get("k")

    for _ in range(rounds):
        for name, client in clients.items():
            began = process_time()
            await asyncio.gather(*[repeat(client.get) for _ in range(number)])
            found[name].append((process_time() - began) / CALLS)
    for client in clients.values():
        await client.close()
    return found


def show(place: str, found: Costs) -> None:
    """Print microseconds of CPU for each GET, and how much more that is than without an observer."""
    print(place)
    for way, costs in found.items():
        more = quantiles([cost / none - 1 for cost, none in zip(costs, found["none"], strict=True)])
        micros = quantiles([cost * 1e6 for cost in costs])[1]
        print(f"    {way:<9}{micros:7.1f} us  {more[1]:+6.0%}  ({more[0]:+.0%} to {more[2]:+.0%})")


def floor(rounds: int) -> None:
    """Print what a record in a histogram takes by itself."""
    histogram = meters().get_meter("floor").create_histogram("duration", "s")
    costs = []
    for _ in range(rounds):
        began = process_time()
        for _ in range(CALLS):
            histogram.record(0.0003, ATTRIBUTES)
        costs.append((process_time() - began) / CALLS * 1e6)
    low, middle, high = quantiles(costs)
    print(f"a record in a histogram{middle:6.1f} us  ({low:.1f} to {high:.1f})")


def main(rounds: int) -> None:
    """Measure all of it."""
    with Server() as server, Cluster(masters=3, replicas=0) as cluster:
        for place, url in (("", server.url), (", a cluster", cluster.url)):
            show(f"resp_sync{place}", threads(url, rounds))
            show(f"resp_asyncio, 1 task{place}", asyncio.run(tasks(url, 1, rounds)))
            show(f"resp_asyncio, 50 tasks{place}", asyncio.run(tasks(url, 50, rounds)))
    floor(rounds)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
