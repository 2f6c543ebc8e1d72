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

from resp_sansio import CallEnded, ClientStats, ConnectionStats, NodeStats, PoolStats, __version__

from ._attributes import ADDRESS, Attributes, Bounded, operation_of, server_of
from ._guarded import Guarded
from ._instruments import BATCH_SIZE, BUCKETS, COUNTERS, DURATIONS, GAUGES, OF_CALLS, SUMS, TOTALS, Instrument

if TYPE_CHECKING:
    from opentelemetry.metrics import Counter, Histogram

__all__ = ["Measures", "Sums", "measures_of"]

OPERATIONS: Final = 300  # commands that servers have, and room for those of modules
ERRORS: Final = 50
SERVERS: Final = 1000  # the largest clusters have as many; their addresses may change with each start
# Of what counts states, the attribute that tells them apart.
STATES: Final = {
    "requests": "redis.client.csc.result",
    "evictions": "redis.client.csc.reason",
    "messages": "redis.client.pubsub.message.direction",
}

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
        self._sources: dict[Source, tuple[str, Callable[[str], str]]] = {}
        self._totals: dict[Source, Counted] = {}  # as they were last told
        self._past: dict[tuple[str, tuple[str, str]], int] = {}  # of clients that are no more
        self._buckets_are_counted = False
        self.alone: Final[dict[tuple[str, int, str, tuple[str, ...]], Sums]] = {}
        self.operation_name: Final[Bounded] = Bounded(OPERATIONS)
        self.error_name: Final[Bounded] = Bounded(ERRORS)
        self.address: Final[Bounded] = Bounded(SERVERS, ADDRESS)
        self.durations: Final[dict[str, Histogram]] = {key: self._histogram(each) for key, each in DURATIONS.items()}
        self.batch_size: Final[Histogram] = self._histogram(BATCH_SIZE)
        self.counters: Final[dict[str, Counter]] = {
            key: meter.create_counter(each.name, each.unit, each.meaning) for key, each in COUNTERS.items()
        }
        for key, each in GAUGES.items():
            gauge = partial(self._gauges, key)
            meter.create_observable_up_down_counter(each.name, [gauge], each.unit, each.meaning)
        for key, each in TOTALS.items():
            meter.create_observable_counter(each.name, [partial(self._counted, key)], each.unit, each.meaning)
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
        address = self.address(call.address)
        place = (address, call.database, operation)
        sums = self._sums.get(place)
        if sums is None:
            database: Attributes = {"db.namespace": str(call.database), "db.operation.name": operation}
            with self.lock:
                sums = self._sums.setdefault(place, Sums({**server_of(address), **database}))
        return sums

    def ask(self, source: Source, name: str, of_node: Callable[[str], str]) -> None:
        """Ask this client for its counts, whose connections have this name, until it is no more.

        `of_node` names those to one server of a cluster.
        """
        with self.lock:
            self._sources[source] = name, of_node

    # -- at each collection --------------------------------------------------------------------------------------------------

    def _asked(self) -> Iterable[tuple[Source, ClientStats | PoolStats | ConnectionStats]]:
        """Return what each client says of itself. Those that are no more are not asked again."""
        with self.lock:
            sources = list(self._sources.items())
        for source, (name, _) in sources:
            stats = source()
            if stats is not None:
                yield source, stats
                continue
            with self.lock:
                self._sources.pop(source, None)
                for what, number in self._totals.pop(source, {}).items():
                    self._past[name, what] = self._past.get((name, what), 0) + number

    def _gauges(self, key: str, _options: CallbackOptions) -> Iterable[Observation]:
        """Return the numbers of one instrument: of clients whose connections have the same name, together."""
        found: dict[tuple[str, str], int] = {}
        for source, stats in self._asked():
            for name, counts in self._named(source, stats):
                for (measured, state), number in counts.items():
                    if measured == key:
                        found[name, state] = found.get((name, state), 0) + number
        for (name, state), number in found.items():
            yield Observation(number, pool_named(name, "db.client.connection.state", state))

    def _named(self, source: Source, stats: ClientStats | PoolStats | ConnectionStats) -> Iterable[tuple[str, Counted]]:
        """Return what a client has at this moment, by the name of its connections; those of a cluster have one for each server."""
        with self.lock:
            name, of_node = self._sources.get(source, ("", str))  # another collection may have found that it is no more
        nodes = stats.nodes if isinstance(stats, ClientStats) else {}
        if nodes:
            yield name, kept(stats)
            for address, node in nodes.items():
                yield of_node(address), counts_of(node)
        else:
            yield name, counts_of(stats) | kept(stats)

    def _counted(self, key: str, _options: CallbackOptions) -> Iterable[Observation]:
        """Return what clients have counted of one instrument, those that are no more included, up to when they were last asked."""
        for source, stats in self._asked():
            totals = totals_of(stats)
            with self.lock:
                if source in self._sources:  # another collection may have found that it is no more
                    self._totals[source] = totals
        with self.lock:
            found = dict(self._past)
            for source, totals in self._totals.items():
                for what, number in totals.items():
                    place = self._sources[source][0], what
                    found[place] = found.get(place, 0) + number
        for (name, (measured, state)), number in found.items():
            if measured == key:
                yield Observation(number, pool_named(name, STATES.get(key, ""), state))

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


def pool_named(name: str, key: str, state: str) -> Attributes:
    """Return the attributes of connections of this name, and of what state there is."""
    named: Attributes = {"db.system.name": "redis", "db.client.connection.pool.name": name}
    return {**named, key: state} if state else named


def totals_of(stats: ClientStats | PoolStats | ConnectionStats) -> Counted:
    """Return what the cache of a client or a connection has counted, and its subscriptions, if it has any."""
    cache = None if isinstance(stats, PoolStats) else stats.cache
    messages = stats.messages
    counted: Counted = {}
    if cache is not None:
        counted["requests", "hit"] = cache.hits
        counted["requests", "miss"] = cache.misses
        counted["requests", "joined"] = cache.joined
        counted["evictions", "full"] = cache.evictions
    if messages is not None:
        counted["messages", "receive"] = messages.messages
        counted["dropped", ""] = messages.dropped
        counted["gaps", ""] = messages.gaps
    return counted


def kept(stats: ClientStats | PoolStats | ConnectionStats) -> Counted:
    """Return what the cache of a client or a connection keeps at this moment, and what waits for its subscribers, if it has any."""
    cache = None if isinstance(stats, PoolStats) else stats.cache
    counted: Counted = {}
    if cache is not None:
        counted["items", ""] = cache.entries
        counted["size", ""] = cache.size
    if stats.messages is not None:
        counted["unread", ""] = stats.messages.waiting
    return counted


def counts_of(stats: ClientStats | NodeStats | PoolStats | ConnectionStats) -> Counted:
    """Return what the instruments of the moment show of connections: of a client, a server, a pool or a single one."""
    counted = {("count", "idle"): 0, ("count", "used"): 0, ("max", ""): 0, ("idle_min", ""): 0, ("pending", ""): 0}
    counted |= {("in_flight", ""): 0, ("owed", ""): 0}
    shared: list[ConnectionStats | None] = []
    leases: PoolStats | None = None
    match stats:
        case ConnectionStats():
            shared = [stats]
        case PoolStats():
            leases = stats
        case ClientStats() | NodeStats():
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
