"""What is measured by one provider of meters: its instruments, the sums of calls, and the clients that are asked for their counts.

There is one of these for each provider, whichever number of observers it has: an SDK that is asked a second time for an instrument
returns the first, and with it the first one's callbacks. It lives as long as the provider, as what was counted once stays counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING, Final, TypeAlias
from weakref import WeakKeyDictionary

from opentelemetry.metrics import CallbackOptions, Meter, MeterProvider, Observation, get_meter_provider

from resp_sansio import CallEnded, ClientStats, ConnectionStats, PoolStats, __version__

from ._attributes import Attributes, Bounded, operation_of, server_of
from ._guarded import Guarded
from ._instruments import BATCH_SIZE, BUCKETS, COUNTERS, DURATIONS, GAUGES, OF_CALLS, SUMS, Instrument

if TYPE_CHECKING:
    from opentelemetry.metrics import Counter, Histogram

__all__ = ["Measures", "Sums", "measures_of"]

OPERATIONS: Final = 300  # commands that servers have, and room for those of modules
ERRORS: Final = 50

Source: TypeAlias = Callable[[], ClientStats | PoolStats | ConnectionStats | None]
Counted: TypeAlias = dict[tuple[str, str], int]
"""Numbers, by the key of an instrument and the state that they count, if it counts states."""


class Sums:
    """What was added up of the calls of one operation."""

    __slots__ = ("attributes", "buckets", "calls", "network", "queued")

    def __init__(self, attributes: Attributes) -> None:
        self.attributes: Final[Attributes] = attributes
        self.calls: int = 0
        self.buckets: Final[list[int]] = [0] * (len(OF_CALLS) + 1)
        self.queued: float = 0.0
        self.network: float = 0.0


class Measures(Guarded):
    """The instruments of a meter. `alone`: the sums of calls of one command, by the first four fields of what is told of them."""

    def __init__(self, meter: Meter) -> None:
        super().__init__()
        self._meter = meter
        self._sums: dict[tuple[str, int, str], Sums] = {}
        self._sources: dict[Source, str] = {}
        self._buckets_are_counted = False
        self.alone: Final[dict[tuple[str, int, str, tuple[str, ...]], Sums]] = {}
        self.operation_name: Final[Bounded] = Bounded(OPERATIONS)
        self.error_name: Final[Bounded] = Bounded(ERRORS)
        self.durations: Final[dict[str, Histogram]] = {key: self._histogram(each) for key, each in DURATIONS.items()}
        self.batch_size: Final[Histogram] = self._histogram(BATCH_SIZE)
        self.counters: Final[dict[str, Counter]] = {
            key: meter.create_counter(each.name, each.unit, each.meaning) for key, each in COUNTERS.items()
        }
        for key, each in GAUGES.items():
            gauge = partial(self._gauges, key)
            meter.create_observable_up_down_counter(each.name, [gauge], each.unit, each.meaning)
        for key, each in SUMS.items():
            meter.create_observable_counter(each.name, [partial(self._summed, key)], each.unit, each.meaning)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self._sums)} operations and {len(self._sources)} clients>"

    def _histogram(self, each: Instrument) -> Histogram:
        return self._meter.create_histogram(
            each.name, each.unit, each.meaning, explicit_bucket_boundaries_advisory=each.buckets
        )

    def count_buckets(self) -> None:
        """Calls' durations go to counters: from now on these are there."""
        with self.lock:
            there, self._buckets_are_counted = self._buckets_are_counted, True
        if not there:
            self._meter.create_observable_counter(BUCKETS.name, [self._in_buckets], BUCKETS.unit, BUCKETS.meaning)

    def sums_of(self, call: CallEnded) -> Sums:
        """Return where to add up what calls like this take."""
        operation = self.operation_name(operation_of(call))
        place = (call.address, call.database, operation)
        sums = self._sums.get(place)
        if sums is None:
            database: Attributes = {"db.namespace": str(call.database), "db.operation.name": operation}
            with self.lock:
                sums = self._sums.setdefault(place, Sums({**server_of(call.address), **database}))
        return sums

    def ask(self, source: Source, name: str) -> None:
        """Ask this client for its counts, whose connections have this name, until it is no more."""
        with self.lock:
            self._sources[source] = name

    # -- at each collection --------------------------------------------------------------------------------------------------

    def _gauges(self, key: str, _options: CallbackOptions) -> Iterable[Observation]:
        """Return the numbers of one instrument: of clients whose connections have the same name, together."""
        found: dict[tuple[str, str], int] = {}
        with self.lock:
            sources = list(self._sources.items())
        for source, name in sources:
            stats = source()
            if stats is None:
                with self.lock:
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

    def _summed(self, key: str, _options: CallbackOptions) -> Iterable[Observation]:
        with self.lock:
            every = list(self._sums.values())
        return [Observation(getattr(sums, key), sums.attributes) for sums in every]

    def _in_buckets(self, _options: CallbackOptions) -> Iterable[Observation]:
        with self.lock:
            every = list(self._sums.values())
        for sums in every:
            counts = list(accumulate(sums.buckets))
            for bound, count in zip((*map(str, OF_CALLS), "+Inf"), counts, strict=True):
                yield Observation(count, {**sums.attributes, "le": bound})


class Known(Guarded):
    """The measures of each provider; those of the global one apart, which may be set only when there are observers already."""

    def __init__(self) -> None:
        super().__init__()
        self._by_provider: WeakKeyDictionary[MeterProvider, Measures] = WeakKeyDictionary()
        self._global: Measures | None = None

    def of(self, provider: MeterProvider | None) -> Measures:
        """Return those of this provider, or of the global one."""
        with self.lock:
            measures = self._global if provider is None else self._by_provider.get(provider)
            if measures is None:
                measures = Measures((provider or get_meter_provider()).get_meter("resp_sansio", __version__))
                if provider is None:
                    self._global = measures
                else:
                    self._by_provider[provider] = measures
        return measures


measures_of: Final[Callable[[MeterProvider | None], Measures]] = Known().of


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
