"""What observers cost: CPU of a GET, by resp_sync and by resp_asyncio, in one run and in turns.

    PYTHONPATH=.:adapters:tests python tests/benchmarks/observe_cost.py

`observer`: one that does nothing. `counters`: metrics with durations by counters. Spans are thrown away where they would be sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from time import process_time
from typing import Any, Final

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

import resp_asyncio
import resp_sync
from resp_otel import OpenTelemetryMetrics, OpenTelemetryObserver, OpenTelemetryTraces
from resp_sansio import CallEnded, Observer
from servers import Server

CALLS: Final = 3000
ROUNDS: Final = 9


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


def threads(url: str) -> dict[str, float]:
    """The best round of each way."""
    clients = {name: resp_sync.Client(url, observers=make()) for name, make in WAYS.items()}
    best = dict.fromkeys(clients, float("inf"))
    for _ in range(ROUNDS):
        for name, client in clients.items():
            began = process_time()
            for _ in range(CALLS):
                client.get("k")
            best[name] = min(best[name], (process_time() - began) / CALLS)
    for client in clients.values():
        client.close()
    return best


async def tasks(url: str, number: int) -> dict[str, float]:
    """The same, by so many tasks."""
    clients = {name: resp_asyncio.Client(url, observers=make()) for name, make in WAYS.items()}
    best = dict.fromkeys(clients, float("inf"))

    async def repeat(get: Callable[[str], Awaitable[Any]]) -> None:
        for _ in range(CALLS // number):
            await get("k")

    for _ in range(ROUNDS):
        for name, client in clients.items():
            began = process_time()
            await asyncio.gather(*[repeat(client.get) for _ in range(number)])
            best[name] = min(best[name], (process_time() - began) / CALLS)
    for client in clients.values():
        await client.close()
    return best


def main() -> None:
    """Print microseconds of CPU per GET, and how much more that is than without an observer."""
    with Server() as server:
        rows = {
            "resp_sync": threads(server.url),
            "resp_asyncio, 1 task": asyncio.run(tasks(server.url, 1)),
            "resp_asyncio, 50 tasks": asyncio.run(tasks(server.url, 50)),
        }
    for name, best in rows.items():
        shown = [f"{way} {cost * 1e6:.1f} ({cost / best['none'] - 1:+.0%})" for way, cost in best.items()]
        print(f"{name}: {', '.join(shown)}")


if __name__ == "__main__":
    main()
