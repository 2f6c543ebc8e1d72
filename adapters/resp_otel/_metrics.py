"""Metrics: what is recorded of each call, connection and wait, and what is looked up when metrics are collected.

A call costs one record of a histogram, or an addition instead, and three more additions; the sets of attributes for that are made
once. How many connections
there are is not followed but asked: the observer is told of each client that is made, and keeps a way to its counts, not the
client. One that has been thrown away gives no more counts.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable
from functools import partial
from itertools import accumulate
from threading import Lock
from typing import TYPE_CHECKING, Final, Literal, TypeAlias
from weakref import WeakMethod

from opentelemetry.metrics import CallbackOptions, Meter, MeterProvider, Observation, get_meter_provider

from resp_sansio import (
    CallEnded,
    CallRetried,
    ClientMade,
    ClientStats,
    CloseReason,
    CommandTimeoutError,
    ConnectionStats,
    DialFailed,
    LinkClosed,
    LinkOpened,
    Observer,
    PoolStats,
    PushesDropped,
    ReplyDropped,
    WaitEnded,
    __version__,
)

from ._attributes import Attributes, Bounded, category_of, error_of, operation_of, pool_of, server_of
from ._instruments import BATCH_SIZE, BUCKETS, COUNTERS, DURATIONS, GAUGES, OF_CALLS, SUMS, Instrument

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.metrics import Counter, Histogram

__all__ = ["OpenTelemetryMetrics"]

OPERATIONS: Final = 300  # commands that servers have, and room for those of modules
ERRORS: Final = 50
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

Source: TypeAlias = Callable[[], ClientStats | PoolStats | ConnectionStats | None]
Counted: TypeAlias = dict[tuple[str, str], int]
"""Numbers, by the key of an instrument and the state that they count, if it counts states."""
Callback: TypeAlias = Callable[[str], Iterable[Observation]]


class Sums:
    """What was added up of the calls of one operation."""

    __slots__ = ("attributes", "buckets", "calls", "lock", "network", "queued")

    def __init__(self, attributes: Attributes) -> None:
        self.attributes: Final[Attributes] = attributes
        self.lock: Final = Lock()
        self.calls: int = 0
        self.buckets: Final = [0] * (len(OF_CALLS) + 1)
        self.queued: float = 0.0
        self.network: float = 0.0


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
        self._meter: Meter = (meter_provider or get_meter_provider()).get_meter("resp_sansio", __version__)
        self._pool_name = pool_name
        self._operation_name = Bounded(OPERATIONS)
        self._error_name = Bounded(ERRORS)
        self._lock = Lock()
        self._sums: dict[tuple[str, int, str], Sums] = {}
        self._alone: dict[tuple[str, int, str, tuple[str, ...]], Sums] = {}
        self._sources: dict[Source, str] = {}
        self._durations = {key: self._histogram(each) for key, each in DURATIONS.items()}
        self._record = self._durations["operation"].record if durations == "histogram" else None
        self._batch_size = self._histogram(BATCH_SIZE)
        self._counters: dict[str, Counter] = {
            key: self._meter.create_counter(each.name, each.unit, each.meaning) for key, each in COUNTERS.items()
        }
        # A meter keeps its callbacks for ever: they are not to keep this.
        gauges, sums = WeakMethod(self._gauges), WeakMethod(self._summed)
        for key, each in GAUGES.items():
            self._meter.create_observable_up_down_counter(
                each.name, [partial(_called, gauges, key)], each.unit, each.meaning
            )
        for key, each in SUMS.items():
            self._meter.create_observable_counter(each.name, [partial(_called, sums, key)], each.unit, each.meaning)
        if self._record is None:
            buckets = partial(_called, WeakMethod(self._in_buckets), "")
            self._meter.create_observable_counter(BUCKETS.name, [buckets], BUCKETS.unit, BUCKETS.meaning)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self._sources)} clients>"

    def _histogram(self, each: Instrument) -> Histogram:
        return self._meter.create_histogram(
            each.name, each.unit, each.meaning, explicit_bucket_boundaries_advisory=each.buckets
        )

    # -- calls ---------------------------------------------------------------------------------------------------------------

    def call_ended(self, call: CallEnded, token: object, context: Context | None = None) -> None:  # noqa: ARG002
        """Record it. `context` holds its span, if that is to be an exemplar of its duration."""
        error = call.error
        if error is None and call.batch_size == 1:
            sums = self._alone.get(call[:4])
            if sums is None:
                sums = self._sums_of(call)
                if len(self._alone) < KINDS:
                    self._alone[call[:4]] = sums
            attributes = sums.attributes
        else:
            sums = self._sums_of(call)
            attributes = sums.attributes if error is None else self._failed(call, error, sums.attributes)
        with sums.lock:
            sums.calls += 1
            sums.queued += call.queued
            if call.network is not None:
                sums.network += call.network
            if self._record is None:
                sums.buckets[bisect_left(OF_CALLS, call.total)] += 1
        if self._record is not None:
            self._record(call.total, attributes, context)
        if call.batch_size > 1:
            self._batch_size.record(call.batch_size, sums.attributes)

    def _sums_of(self, call: CallEnded) -> Sums:
        operation = self._operation_name(operation_of(call))
        place = (call.address, call.database, operation)
        sums = self._sums.get(place)
        if sums is None:
            database: Attributes = {"db.namespace": str(call.database), "db.operation.name": operation}
            with self._lock:
                sums = self._sums.setdefault(place, Sums({**server_of(call.address), **database}))
        return sums

    def _failed(self, call: CallEnded, error: BaseException, attributes: Attributes) -> Attributes:
        """Count the error, and return the attributes of the call's duration."""
        failed = self._error_name(error_of(error, call.error_code))
        if isinstance(error, Exception):
            self._count_error(call.address, error, failed, internal=False)
        if call.abandoned:
            self._counters["abandoned"].add(1, attributes)
        status: Attributes = {} if call.error_code is None else {"db.response.status_code": failed}
        return {**attributes, **status, "error.type": failed}

    def call_retried(self, retry: CallRetried, token: object) -> None:  # noqa: ARG002
        """Count it."""
        failed = self._error_name(error_of(retry.cause))
        operation: Attributes = {"db.operation.name": self._operation_name(retry.command), "error.type": failed}
        self._counters["retries"].add(1, {**server_of(retry.address), **operation})
        self._count_error(retry.address, retry.cause, failed, internal=True)

    def _count_error(
        self, address: str, error: BaseException, failed: str, *, internal: bool, step: str | None = None
    ) -> None:
        kind: Attributes = {
            "error.type": failed,
            "redis.client.errors.category": category_of(error, step),
            "redis.client.errors.internal": internal,
        }
        self._counters["errors"].add(1, {**server_of(address), **kind})

    def reply_dropped(self, reply: ReplyDropped) -> None:
        """Count it."""
        operation: Attributes = {"db.operation.name": self._operation_name(reply.command)}
        self._counters["dropped"].add(1, {**server_of(reply.address), **operation})

    def pushes_dropped(self, pushes: PushesDropped) -> None:
        """Count them."""
        self._counters["pushes"].add(pushes.pushes, server_of(pushes.address))

    # -- connections ---------------------------------------------------------------------------------------------------------

    def _pool(self, address: str, database: int, **more: str) -> Attributes:
        name = self._pool_name or pool_of(address, database)
        return {"db.system.name": "redis", "db.client.connection.pool.name": name, **more}

    def link_opened(self, link: LinkOpened) -> None:
        """Record how long it took, and each step."""
        pool = self._pool(link.address, link.database)
        self._durations["create"].record(link.total, pool)
        steps = {"name": link.name, "dial": link.dial, "tls": link.tls, "handshake": link.handshake}
        for step, seconds in steps.items():
            if seconds is not None:
                self._durations["step"].record(seconds, {**pool, "redis.client.connection.step": step})

    def dial_failed(self, dial: DialFailed) -> None:
        """Count it, unless it was given up."""
        if dial.error is not None:
            failed = self._error_name(error_of(dial.error))
            more = {"redis.client.connection.step": dial.step, "error.type": failed}
            self._counters["failed"].add(1, self._pool(dial.address, dial.database, **more))
            self._count_error(dial.address, dial.error, failed, internal=True, step=dial.step)

    def link_closed(self, link: LinkClosed) -> None:
        """Count it by its reason; one that was lost also by its error."""
        more = {"redis.client.connection.close.reason": REASONS[link.reason]}
        if REASONS[link.reason] == "error":
            more["error.type"] = self._error_name(error_of(link.error))
        self._counters["closed"].add(1, self._pool(link.address, link.database, **more))

    def wait_ended(self, wait: WaitEnded) -> None:
        """Record how long it was, or count that there was no connection in time."""
        pool = self._pool(wait.address, wait.database)
        if wait.ended == "granted":
            self._durations["wait"].record(wait.waited, pool)
        elif isinstance(wait.error, CommandTimeoutError):
            self._counters["timeouts"].add(1, pool)

    # -- at each collection --------------------------------------------------------------------------------------------------

    def client_made(self, client: ClientMade) -> None:
        """Ask it for its counts from now on."""
        with self._lock:
            self._sources[client.stats] = self._pool_name or pool_of(client.address, client.database)

    def _gauges(self, key: str) -> Iterable[Observation]:
        """Return the numbers of one instrument: of clients whose connections have the same name, together."""
        found: dict[tuple[str, str], int] = {}
        with self._lock:
            sources = list(self._sources.items())
        for source, name in sources:
            stats = source()
            if stats is None:
                with self._lock:
                    self._sources.pop(source, None)
                continue
            for (measured, state), number in counts_of(stats).items():
                if measured == key:
                    found[name, state] = found.get((name, state), 0) + number
        for (name, state), number in found.items():
            pool: Attributes = {"db.system.name": "redis", "db.client.connection.pool.name": name}
            if state:
                pool["db.client.connection.state"] = state
            yield Observation(number, pool)

    def _summed(self, key: str) -> Iterable[Observation]:
        with self._lock:
            every = list(self._sums.values())
        return [Observation(getattr(sums, key), sums.attributes) for sums in every]

    def _in_buckets(self, _key: str) -> Iterable[Observation]:
        with self._lock:
            every = list(self._sums.values())
        for sums in every:
            with sums.lock:
                counts = list(accumulate(sums.buckets))
            for bound, count in zip((*map(str, OF_CALLS), "+Inf"), counts, strict=True):
                yield Observation(count, {**sums.attributes, "le": bound})


def counts_of(stats: ClientStats | PoolStats | ConnectionStats) -> Counted:
    """Return what the instruments of the moment show of a client, a pool or a connection."""
    counted = {("count", "idle"): 0, ("count", "used"): 0, ("max", ""): 0, ("idle_min", ""): 0, ("pending", ""): 0}
    counted |= {("in_flight", ""): 0, ("owed", ""): 0}
    shared: list[ConnectionStats | None] = []
    leases: PoolStats | None = None
    match stats:
        case ConnectionStats():
            shared = [stats]
        case PoolStats():
            leases = stats
        case ClientStats():
            shared = [lane.connection for lane in stats.lanes]
            leases = stats.leases
            counted["pending", ""] += sum(lane.waiting for lane in stats.lanes)
    counted["max", ""] += len(shared)
    for connection in shared:
        if connection is not None:
            busy = connection.queued + connection.in_flight
            counted["count", "used" if busy else "idle"] += 1
            counted["in_flight", ""] += connection.in_flight
            counted["owed", ""] += connection.abandoned
    if leases is not None:
        counted["count", "idle"] += leases.idle
        counted["count", "used"] += leases.leased
        counted["max", ""] += leases.max_size
        counted["idle_min", ""] += leases.min_size
        counted["pending", ""] += leases.waiting
    return counted


def _called(method: Callable[[], Callback | None], key: str, _options: CallbackOptions) -> Iterable[Observation]:
    there = method()
    return () if there is None else there(key)
