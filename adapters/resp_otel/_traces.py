"""Traces: a client span for each call, a child of what was going on where the call was made.

A span begins in the caller's own context, so its parent is the caller's, whichever thread or task carries the command afterwards.
Calls that go to the server in one write are not part of each other: their spans are not nested, but each is linked to the first of
them that ended.

A span holds no argument and no text of an error; the text of the query, if asked for, is the commands' names with `?` behind.
"""

from __future__ import annotations

from collections import OrderedDict
from time import time_ns
from typing import Final, NamedTuple

from opentelemetry.trace import (
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    Tracer,
    TracerProvider,
    get_tracer_provider,
)

from resp_sansio import CallBegan, CallEnded, CallRedirected, CallRetried, Observer, __version__

from ._attributes import Attributes, Bounded, error_of, operation_of, server_of
from ._guarded import Guarded

__all__ = ["OpenTelemetryTraces", "Started"]

KINDS: Final = 1000  # sets of attributes that are kept
WRITES: Final = 1000  # of which it is known which span was the first
NAMES: Final = 10_000  # distinct commands and errors; spans may have more than metrics
LONGEST: Final = 100  # commands of a batch that the query's text names


class Started(NamedTuple):
    """A span, when it began, in nanoseconds since the epoch, and the address that it was given."""

    span: Span
    at: int
    address: str


class OpenTelemetryTraces(Guarded, Observer):
    """Makes a span of each call. `tracer_provider`: None for the global one.

    `query_text` gives spans the commands' names as `db.query.text`, with a `?` for their arguments, whatever these are.
    """

    def __init__(self, tracer_provider: TracerProvider | None = None, *, query_text: bool = False) -> None:
        super().__init__()
        self._tracer: Tracer = (tracer_provider or get_tracer_provider()).get_tracer("resp_sansio", __version__)
        self._query_text = query_text
        self._name = Bounded(NAMES)
        self._kinds: dict[tuple[str, int, str], tuple[str, Attributes]] = {}
        self._first: OrderedDict[int, SpanContext] = OrderedDict()

    def call_began(self, call: CallBegan) -> Started:
        """Begin its span, as a child of the caller's."""
        alone = call.batch_size == 1 and call.command != "MULTI"
        key = (call.address, call.database, call.command)
        kind = self._kinds.get(key) if alone else None
        if kind is None:
            kind = self._kind(call)
            if alone and len(self._kinds) < KINDS:
                self._kinds[key] = kind
        name, attributes = kind
        now = time_ns()
        span = self._tracer.start_span(name, kind=SpanKind.CLIENT, attributes=attributes, start_time=now)
        return Started(span, now, call.address)

    def _kind(self, call: CallBegan) -> tuple[str, Attributes]:
        name = self._name(operation_of(call))
        attributes: Attributes = {
            **server_of(call.address),
            "db.namespace": str(call.database),
            "db.operation.name": name,
        }
        if call.batch_size != 1:  # as the conventions want it: 0, or 2 and more
            attributes["db.operation.batch.size"] = call.batch_size
        if self._query_text:
            attributes["db.query.text"] = "; ".join(f"{self._name(each)} ?" for each in call.commands[:LONGEST])
        return name, attributes

    def call_retried(self, retry: CallRetried, token: object) -> None:
        """Note it as an event at its time."""
        assert isinstance(token, Started)
        why: Attributes = {"redis.client.attempt": retry.attempt, "error.type": self._name(error_of(retry.cause))}
        token.span.add_event(
            "retry", {**why, "redis.client.pause": retry.pause}, timestamp=token.at + int(retry.after * 1e9)
        )

    def call_redirected(self, redirect: CallRedirected, token: object) -> None:
        """Note it as an event at its time."""
        assert isinstance(token, Started)
        where: Attributes = {
            "redis.client.redirect.kind": redirect.kind,
            "redis.client.redirect.from": redirect.address,
            "redis.client.redirect.to": redirect.to,
        }
        token.span.add_event("redirect", where, timestamp=token.at + int(redirect.after * 1e9))

    def call_ended(self, call: CallEnded, token: object) -> None:
        """End its span."""
        assert isinstance(token, Started)
        span = token.span
        if span.is_recording():
            more: dict[str, str | int | float | bool] = {
                "redis.client.operation.queue_time": call.queued,
                "redis.client.route": call.route,
            }
            if call.address != token.address:  # the server of a cluster that it ended at
                more.update(server_of(call.address))
            if call.network is not None:
                more["redis.client.operation.network_time"] = call.network
            if call.attempts > 1:
                more["redis.client.operation.retry_attempts"] = call.attempts - 1
            if call.abandoned:
                more["redis.client.operation.abandoned"] = True
            if call.error is not None:
                failed = more["error.type"] = self._name(error_of(call.error, call.error_code))
                if call.error_code is not None:
                    more["db.response.status_code"] = failed
                span.set_status(StatusCode.ERROR, failed)
            span.set_attributes(more)
            if call.write is not None:
                self._link(span, call.write)
        span.end()

    def _link(self, span: Span, write: int) -> None:
        """Link a span to the first one that ended of those that went out together; or it is that."""
        context = span.get_span_context()
        with self.lock:
            first = self._first.setdefault(write, context)
            if first is context and len(self._first) > WRITES:
                self._first.popitem(last=False)
        if first is not context:
            span.add_link(first, {"redis.client.link": "write"})
