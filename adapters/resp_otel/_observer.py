"""Metrics and traces by one observer, so that a duration's exemplar is the span of the same call."""

from __future__ import annotations

from typing import Literal

from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import TracerProvider, set_span_in_context

from resp_sansio import (
    CallBegan,
    CallEnded,
    CallRedirected,
    CallRetried,
    ClientMade,
    DialFailed,
    KeysInvalidated,
    LinkClosed,
    LinkOpened,
    MapRefreshed,
    Observer,
    PushesDropped,
    ReplyDropped,
    UseEnded,
    WaitEnded,
)

from ._metrics import OpenTelemetryMetrics
from ._traces import OpenTelemetryTraces, Started

__all__ = ["OpenTelemetryObserver"]


class OpenTelemetryObserver(Observer):
    """Makes metrics and traces of what clients do; `OpenTelemetryMetrics` and `OpenTelemetryTraces` make one of both.

    ```python
    client = Client("redis://localhost", observers=[OpenTelemetryObserver()])
    ```

    The providers are the global ones unless others are given. `pool_name` and `durations` are those of `OpenTelemetryMetrics`,
    `query_text` that of `OpenTelemetryTraces`. One observer may serve any number of clients, in any threads.
    """

    def __init__(
        self,
        meter_provider: MeterProvider | None = None,
        tracer_provider: TracerProvider | None = None,
        *,
        pool_name: str | None = None,
        durations: Literal["histogram", "counters"] = "histogram",
        query_text: bool = False,
    ) -> None:
        self._metrics = OpenTelemetryMetrics(meter_provider, pool_name=pool_name, durations=durations)
        self._traces = OpenTelemetryTraces(tracer_provider, query_text=query_text)

    def call_began(self, call: CallBegan) -> Started:
        """Begin its span."""
        return self._traces.call_began(call)

    def call_retried(self, retry: CallRetried, token: object) -> None:
        """Count it, and note it in the span."""
        self._metrics.call_retried(retry, token)
        self._traces.call_retried(retry, token)

    def call_redirected(self, redirect: CallRedirected, token: object) -> None:
        """Count it, and note it in the span."""
        self._metrics.call_redirected(redirect, token)
        self._traces.call_redirected(redirect, token)

    def call_ended(self, call: CallEnded, token: object) -> None:
        """Record it, and end its span."""
        assert isinstance(token, Started)
        recording = token.span.is_recording()
        self._metrics.call_ended(call, token, set_span_in_context(token.span) if recording else None)
        self._traces.call_ended(call, token)

    def client_made(self, client: ClientMade) -> None:
        """As of metrics."""
        self._metrics.client_made(client)

    def wait_ended(self, wait: WaitEnded) -> None:
        """As of metrics."""
        self._metrics.wait_ended(wait)

    def use_ended(self, use: UseEnded) -> None:
        """As of metrics."""
        self._metrics.use_ended(use)

    def link_opened(self, link: LinkOpened) -> None:
        """As of metrics."""
        self._metrics.link_opened(link)

    def dial_failed(self, dial: DialFailed) -> None:
        """As of metrics."""
        self._metrics.dial_failed(dial)

    def link_closed(self, link: LinkClosed) -> None:
        """As of metrics."""
        self._metrics.link_closed(link)

    def map_refreshed(self, refresh: MapRefreshed) -> None:
        """As of metrics."""
        self._metrics.map_refreshed(refresh)

    def reply_dropped(self, reply: ReplyDropped) -> None:
        """As of metrics."""
        self._metrics.reply_dropped(reply)

    def pushes_dropped(self, pushes: PushesDropped) -> None:
        """As of metrics."""
        self._metrics.pushes_dropped(pushes)

    def keys_invalidated(self, told: KeysInvalidated) -> None:
        """As of metrics."""
        self._metrics.keys_invalidated(told)
