"""What a type checker knows of observers. Never run: mypy --strict reads it, and an ignore that is not needed fails."""

from __future__ import annotations

from typing import assert_type

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider

import resp_asyncio
import resp_sync
import resp_trio
from resp_logging import LoggingObserver
from resp_otel import OpenTelemetryMetrics, OpenTelemetryObserver, OpenTelemetryTraces
from resp_sansio import CallEnded, ClientMade, ClientStats, ConnectionStats, LogObserver, Observer, PoolStats


def log(level: int, area: str, text: str, /, *values: object) -> None:
    print(level, area, text % values)


class Mine(Observer):
    def call_ended(self, call: CallEnded, token: object) -> None:  # noqa: ARG002
        assert_type(call.total, float)
        assert_type(call.network, float | None)
        assert_type(call.write, int | None)
        assert_type(call.commands, tuple[str, ...])

    def client_made(self, client: ClientMade) -> None:
        assert_type(client.stats(), ClientStats | PoolStats | ConnectionStats | None)


def observers_of_all_kinds() -> None:
    meters, tracers = MeterProvider(), TracerProvider()
    every: list[Observer] = [
        Mine(),
        LogObserver(log),
        LoggingObserver(),
        OpenTelemetryObserver(),
        OpenTelemetryObserver(meters, tracers, pool_name="sessions", durations="counters", query_text=True),
        OpenTelemetryMetrics(meters, durations="histogram"),
        OpenTelemetryTraces(tracers, query_text=True),
    ]
    resp_sync.Client("redis://localhost", observers=every)
    resp_asyncio.Pool("redis://localhost", observers=every)
    resp_trio.connect("redis://localhost", observers=[*every])


def mistakes() -> None:
    OpenTelemetryMetrics(durations="none")  # type: ignore[arg-type]
    OpenTelemetryTraces(MeterProvider())  # type: ignore[arg-type]
    LogObserver(print)
    LogObserver(lambda: None)  # type: ignore[arg-type]
