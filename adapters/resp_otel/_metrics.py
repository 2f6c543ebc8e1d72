"""Metrics: what is recorded of each call, connection and wait.

A call costs one record of a histogram, or an addition instead, and three more additions; the sets of attributes for that are made
once. How many connections there are is not followed but asked: the observer is told of each client that is made, and keeps a way to
its counts, not the client.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal

from opentelemetry.metrics import MeterProvider

from resp_sansio import (
    CallEnded,
    CallRedirected,
    CallRetried,
    ClientMade,
    CloseReason,
    CommandTimeoutError,
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

from ._attributes import Attributes, category_of, error_of, pool_of, server_of
from ._instruments import OF_CALLS
from ._measures import measures_of

if TYPE_CHECKING:
    from opentelemetry.context import Context

__all__ = ["OpenTelemetryMetrics"]

KINDS: Final = 1000  # of calls of one command, for which the sums are found at once

# redis-py's three words for why a connection was closed, and more where it has none.
REASONS: Final = {
    CloseReason.CLOSED: "application_close",
    CloseReason.DRAINED: "application_close",
    CloseReason.LOST: "error",
    CloseReason.BROKEN: "error",
    CloseReason.FAILED_CHECK: "healthcheck_failed",
    CloseReason.INTERRUPTED: "interrupted",
    CloseReason.IDLE: "idle",
    CloseReason.MAX_LIFETIME: "max_lifetime",
    CloseReason.RETIRED: "retired",
    CloseReason.SURPLUS: "surplus",
}


class OpenTelemetryMetrics(Observer):
    """Makes metrics of what clients do. `meter_provider`: None for the global one. `pool_name`: None for address and database.

    `durations`: where calls' durations go. `"histogram"`: to the one that the conventions ask for, which is most of what metrics
    cost. `"counters"`: to counters of its buckets, by the attribute `le` as in histograms of Prometheus, at a tenth of that.
    """

    def __init__(
        self,
        meter_provider: MeterProvider | None = None,
        *,
        pool_name: str | None = None,
        durations: Literal["histogram", "counters"] = "histogram",
    ) -> None:
        self._measures = measures_of(meter_provider)
        self._pool_name = pool_name
        self._record = self._measures.durations["operation"].record if durations == "histogram" else None
        if self._record is None:
            self._measures.count_buckets()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} by {self._measures!r}>"

    def _server(self, address: str) -> Attributes:
        return server_of(self._measures.address(address))

    def _name_of(self, address: str, database: int) -> str:
        return pool_of(self._measures.address(address), database)

    # -- calls ---------------------------------------------------------------------------------------------------------------

    def call_ended(self, call: CallEnded, token: object, context: Context | None = None) -> None:  # noqa: ARG002
        """Record it. `context` holds its span, if that is to be an exemplar of its duration."""
        error, measures = call.error, self._measures
        if error is None and call.batch_size == 1:
            sums = measures.alone.get(call[:4])
            if sums is None:
                sums = measures.sums_of(call)
                if len(measures.alone) < KINDS:
                    measures.alone[call[:4]] = sums
            attributes = sums.attributes
        else:
            sums = measures.sums_of(call)
            attributes = sums.attributes if error is None else self._failed(call, error, sums.attributes)
        with measures.lock:
            sums.calls += 1
            sums.queued += call.queued
            if call.network is not None:
                sums.network += call.network
            if self._record is None:
                sums.buckets[bisect_left(OF_CALLS, call.total)] += 1
        if self._record is not None:
            self._record(call.total, attributes, context)
        if call.batch_size > 1:
            measures.batch_size.record(call.batch_size, sums.attributes)

    def _failed(self, call: CallEnded, error: BaseException, attributes: Attributes) -> Attributes:
        """Count the error, and return the attributes of the call's duration."""
        failed = self._measures.error_name(error_of(error, call.error_code))
        if isinstance(error, Exception):
            self._count_error(call.address, error, failed, internal=False)
        if call.abandoned:
            self._measures.counters["abandoned"].add(1, attributes)
        status: Attributes = {} if call.error_code is None else {"db.response.status_code": failed}
        return {**attributes, **status, "error.type": failed}

    def call_retried(self, retry: CallRetried, token: object) -> None:  # noqa: ARG002
        """Count it."""
        failed = self._measures.error_name(error_of(retry.cause))
        operation: Attributes = {
            "db.operation.name": self._measures.operation_name(retry.command),
            "error.type": failed,
        }
        self._measures.counters["retries"].add(1, {**self._server(retry.address), **operation})
        self._count_error(retry.address, retry.cause, failed, internal=True)

    def call_redirected(self, redirect: CallRedirected, token: object) -> None:  # noqa: ARG002
        """Count it, at the server that sent it on."""
        operation: Attributes = {
            "db.operation.name": self._measures.operation_name(redirect.command),
            "redis.client.redirect.kind": redirect.kind,
        }
        self._measures.counters["redirects"].add(1, {**self._server(redirect.address), **operation})

    def map_refreshed(self, refresh: MapRefreshed) -> None:
        """Count it, at the server that has answered."""
        result = "failed" if refresh.error is not None else "changed" if refresh.changed else "unchanged"
        where = self._server(refresh.address)
        self._measures.counters["refreshes"].add(1, {**where, "redis.client.cluster.refresh.result": result})

    def _count_error(
        self, address: str, error: BaseException, failed: str, *, internal: bool, step: str | None = None
    ) -> None:
        kind: Attributes = {
            "error.type": failed,
            "redis.client.errors.category": category_of(error, step),
            "redis.client.errors.internal": internal,
        }
        self._measures.counters["errors"].add(1, {**self._server(address), **kind})

    def reply_dropped(self, reply: ReplyDropped) -> None:
        """Count it."""
        operation: Attributes = {"db.operation.name": self._measures.operation_name(reply.command)}
        self._measures.counters["dropped"].add(1, {**self._server(reply.address), **operation})

    def pushes_dropped(self, pushes: PushesDropped) -> None:
        """Count them."""
        self._measures.counters["pushes"].add(pushes.pushes, self._server(pushes.address))

    def keys_invalidated(self, told: KeysInvalidated) -> None:
        """Count them."""
        self._measures.counters["invalidated"].add(told.keys, self._pool(told.address, told.database))

    # -- connections ---------------------------------------------------------------------------------------------------------

    def _pool(self, address: str, database: int, **more: str) -> Attributes:
        name = self._pool_name or self._name_of(address, database)
        return {"db.system.name": "redis", "db.client.connection.pool.name": name, **more}

    def link_opened(self, link: LinkOpened) -> None:
        """Record how long it took, and each step."""
        pool = self._pool(link.address, link.database)
        self._measures.durations["create"].record(link.total, pool)
        steps = {"name": link.name, "dial": link.dial, "tls": link.tls, "handshake": link.handshake}
        for step, seconds in steps.items():
            if seconds is not None:
                self._measures.durations["step"].record(seconds, {**pool, "redis.client.connection.step": step})

    def dial_failed(self, dial: DialFailed) -> None:
        """Count it, unless it was given up."""
        if dial.error is not None:
            failed = self._measures.error_name(error_of(dial.error))
            more = {"redis.client.connection.step": dial.step, "error.type": failed}
            self._measures.counters["failed"].add(1, self._pool(dial.address, dial.database, **more))
            self._count_error(dial.address, dial.error, failed, internal=True, step=dial.step)

    def link_closed(self, link: LinkClosed) -> None:
        """Count it by its reason; one that was lost also by its error."""
        more = {"redis.client.connection.close.reason": REASONS[link.reason]}
        if REASONS[link.reason] == "error":
            more["error.type"] = self._measures.error_name(error_of(link.error))
        self._measures.counters["closed"].add(1, self._pool(link.address, link.database, **more))

    def wait_ended(self, wait: WaitEnded) -> None:
        """Record how long it was, or count that there was no connection in time."""
        pool = self._pool(wait.address, wait.database)
        if wait.ended == "granted":
            self._measures.durations["wait"].record(wait.waited, pool)
        elif isinstance(wait.error, CommandTimeoutError):
            self._measures.counters["timeouts"].add(1, pool)

    def use_ended(self, use: UseEnded) -> None:
        """Record how long it was."""
        self._measures.durations["use"].record(use.used, self._pool(use.address, use.database))

    def client_made(self, client: ClientMade) -> None:
        """Ask it for its counts from now on."""
        self._measures.ask(
            client.stats, self._pool_name or self._name_of(client.address, client.database), self._of_node(client)
        )

    def _of_node(self, client: ClientMade) -> Callable[[str], str]:
        """Return what names the connections to one server of a cluster, given its address."""
        given, database, bounded = self._pool_name, client.database, self._measures.address
        return lambda address: given or pool_of(bounded(address), database)
