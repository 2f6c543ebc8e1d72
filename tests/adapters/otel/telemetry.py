"""Metrics and traces in memory, and what a test asks of them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler
from opentelemetry.trace import SpanKind, StatusCode

from resp_otel import OpenTelemetryObserver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.trace import ReadableSpan

__all__ = ["Telemetry", "attributes_of"]


def attributes_of(point: Any) -> dict[str, Any]:
    """The attributes of a span or a point, as a dict."""
    return dict(point.attributes or {})


class Telemetry:
    """An observer whose metrics and spans are kept in memory."""

    def __init__(self, sampler: Sampler = ALWAYS_ON, **options: Any) -> None:
        self._reader = InMemoryMetricReader()
        self._exporter = InMemorySpanExporter()
        self.meters = MeterProvider(metric_readers=[self._reader])
        self.tracers = TracerProvider(sampler)
        self.tracers.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.observer = OpenTelemetryObserver(self.meters, self.tracers, **options)
        self.tracer = self.tracers.get_tracer("test")

    def metrics(self) -> dict[str, list[Any]]:
        """The points of each metric there is now."""
        data = self._reader.get_metrics_data()
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics] if data else []
        return {metric.name: list(metric.data.data_points) for scope in scopes for metric in scope.metrics}

    def points(self, name: str) -> list[Any]:
        """The points of one metric, none if nothing was measured."""
        return self.metrics().get(name, [])

    def numbers(self, name: str, *by: str) -> dict[Any, Any]:
        """How many a counter or a gauge says, or how many times a histogram was told, by these attributes."""
        found: dict[Any, Any] = {}
        for point in self.points(name):
            values = tuple(attributes_of(point).get(key) for key in by)
            key = values[0] if len(values) == 1 else values
            number = point.count if hasattr(point, "count") else point.value
            found[key] = found.get(key, 0) + number
        return found

    def spans(self) -> list[ReadableSpan]:
        """The spans of calls, in the order of their ends."""
        return [span for span in self._exporter.get_finished_spans() if span.kind is SpanKind.CLIENT]

    def failed(self) -> dict[str, str | None]:
        """What the status of each span says that has failed, by its name."""
        return {
            span.name: span.status.description for span in self.spans() if span.status.status_code is StatusCode.ERROR
        }

    def all_texts(self) -> list[str]:
        """Everything that would leave the process, as texts."""
        points = [str(attributes_of(point)) for every in self.metrics().values() for point in every]
        return [*points, *(span.to_json() for span in self.spans())]

    @contextmanager
    def parent(self, name: str) -> Iterator[int]:
        """What is going on in a caller; gives its span's number."""
        with self.tracer.start_as_current_span(name) as span:
            yield span.get_span_context().span_id
