"""What the server says of what takes its time and memory."""

from __future__ import annotations

from typing import Final, Generic, NamedTuple, NotRequired, TypedDict, cast

from ..wire.values import Reply
from .decoding import S, Text
from .readers import bulk, bulks, items, pairs_in_turn, unexpected, whole
from .readers_own import Record, integer, own, pairs_of

__all__ = [
    "DatabaseMemory",
    "HotKeys",
    "LatencyEvent",
    "LatencyHistogram",
    "LatencySample",
    "LoggedCommand",
    "MemoryStats",
]


class LoggedCommand(NamedTuple, Generic[S]):
    """A command of the log: `amount` is how many microseconds it took, or how many bytes its request or its reply had.

    `time` is Unix time. A command of many or large arguments has its last ones cut off.
    """

    id: int
    time: int
    amount: int
    arguments: list[S]
    client_address: str
    client_name: str


class LatencySample(NamedTuple):
    """An event: its Unix time, and how many milliseconds it took."""

    time: int
    latency: int


class LatencyEvent(NamedTuple):
    """A kind of event: the Unix time of the last one, how many milliseconds it took, and the longest.

    Valkey 8.1 also says how long they all took, and how many there were.
    """

    event: str
    time: int
    latest: int
    max: int
    total: int | None = None
    events: int | None = None


class LatencyHistogram(NamedTuple):
    """How often a command was called; `histogram_usec` says how often it took up to so many microseconds."""

    calls: int
    histogram_usec: dict[int, int]


def logged_commands(reply: Reply, text: Text[S]) -> list[LoggedCommand[S]]:
    """Entries of a log."""
    return [_logged(items(entry, 6), text) for entry in items(reply)]


def _logged(entry: list[Reply], text: Text[S]) -> LoggedCommand[S]:
    id, time, amount, arguments, address, name = entry
    return LoggedCommand(whole(id), whole(time), whole(amount), bulks(arguments, text), own(address), own(name))


def latency_samples(reply: Reply, _text: object = None) -> list[LatencySample]:
    """Events of one kind."""
    return [LatencySample(whole(time), whole(latency)) for time, latency in (items(each, 2) for each in items(reply))]


def latency_events(reply: Reply, _text: object = None) -> list[LatencyEvent]:
    """Kinds of events. One that says more than is known here is cut off."""
    return [_event(items(each)) for each in items(reply)]


def _event(entry: list[Reply]) -> LatencyEvent:
    if len(entry) < 4:
        raise unexpected("a kind of event", entry)
    return LatencyEvent(own(entry[0]), *map(whole, entry[1:6]))


def latency_histograms(reply: Reply, _text: object = None) -> dict[str, LatencyHistogram]:
    """Histograms by command."""
    return {own(name): _histogram(found) for name, found in pairs_of(reply)}


def _histogram(reply: Reply) -> LatencyHistogram:
    found = {own(name): value for name, value in pairs_of(reply)}
    if not found.keys() >= {"calls", "histogram_usec"}:
        raise unexpected("a histogram", reply)
    bars = {whole(upper): whole(count) for upper, count in pairs_of(found["histogram_usec"])}
    return LatencyHistogram(whole(found["calls"]), bars)


# -- memory ----------------------------------------------------------------------------------------------------------------------


class DatabaseMemory(TypedDict):
    """How many bytes a database takes for its tables."""

    overhead_hashtable_main: int
    overhead_hashtable_expires: int
    overhead_hashtable_slot_to_keys: NotRequired[int]


class MemoryStats(TypedDict):
    """What the server's memory is used for, in bytes where nothing else is said.

    Servers of different age say different things; a field that this version does not know is kept as it came.
    """

    peak_allocated: int
    total_allocated: int
    startup_allocated: int
    replication_backlog: int
    replica_fullsync_buffer: NotRequired[int]
    replicas_repl_buffer: NotRequired[int]
    clients_slaves: int
    clients_normal: int
    cluster_links: NotRequired[int]
    cluster_slot_import: NotRequired[int]
    cluster_slot_export: NotRequired[int]
    aof_buffer: int
    lua_caches: int
    functions_caches: NotRequired[int]
    script_VMs: NotRequired[int]
    db: dict[int, DatabaseMemory]
    """Databases by number; those without keys are not there."""
    overhead_db_hashtable_lut: NotRequired[int]
    overhead_db_hashtable_rehashing: NotRequired[int]
    overhead_total: int
    db_dict_rehashing_count: NotRequired[int]
    keys_count: int
    keys_bytes_per_key: int
    dataset_bytes: int
    dataset_percentage: float
    peak_percentage: float
    allocator_allocated: int
    allocator_active: int
    allocator_resident: int
    allocator_muzzy: NotRequired[int]
    allocator_fragmentation_ratio: float
    allocator_fragmentation_bytes: int
    allocator_rss_ratio: float
    allocator_rss_bytes: int
    rss_overhead_ratio: float
    rss_overhead_bytes: int
    fragmentation: float
    fragmentation_bytes: int


def _databases(reply: Reply, _text: object = None) -> dict[int, DatabaseMemory]:
    return {integer(number): DATABASE(found) for number, found in pairs_of(reply)}


DATABASE: Final = Record(DatabaseMemory)
MEMORY: Final = Record(MemoryStats, db=_databases)


def memory_report(reply: Reply, _text: object = None) -> MemoryStats:
    """What memory is used for. Each database has a name of its own there: `db.0`."""
    databases: list[Reply] = []
    others: list[tuple[Reply, Reply]] = []
    for name, value in pairs_of(reply):
        database, _, number = own(name).partition(".")
        if database == "db" and number.isdecimal():
            databases += [number, value]
        else:
            others.append((name, value))
    return MEMORY.read([*others, ("db", databases)])


# -- keys that are asked for most ----------------------------------------------------------------------------------------------


class HotKeys(TypedDict, Generic[S]):
    """Which keys took most, the first one most: keys with microseconds, and with bytes.

    What belongs to a metric that was not asked for is not there. A field that this version does not know is kept as it came.
    """

    tracking_active: bool
    sample_ratio: int
    selected_slots: list[tuple[int, int]]
    """The first and the last slot of each range."""
    sampled_commands_selected_slots_us: NotRequired[int]
    all_commands_selected_slots_us: NotRequired[int]
    all_commands_all_slots_us: int
    net_bytes_sampled_commands_selected_slots: NotRequired[int]
    net_bytes_all_commands_selected_slots: NotRequired[int]
    net_bytes_all_commands_all_slots: int
    collection_start_time_unix_ms: int
    collection_duration_ms: int
    total_cpu_time_user_ms: NotRequired[int]
    total_cpu_time_sys_ms: NotRequired[int]
    total_net_bytes: NotRequired[int]
    by_cpu_time_us: NotRequired[list[tuple[S, int]]]
    by_net_bytes: NotRequired[list[tuple[S, int]]]


def _ranges(reply: Reply, _text: object = None) -> list[tuple[int, int]]:
    """Ranges of slots; a slot alone is both ends of its range."""
    ranges = [items(each) for each in items(reply)]
    if not all(0 < len(each) < 3 for each in ranges):
        raise unexpected("ranges of slots", reply)
    return [(whole(each[0]), whole(each[-1])) for each in ranges]


def _ranking(reply: Reply, text: Text[S]) -> list[tuple[S, int]]:
    return [(bulk(key, text), whole(count)) for key, count in pairs_in_turn(reply)]


HOT_KEYS: Final = Record(HotKeys, selected_slots=_ranges, by_cpu_time_us=_ranking, by_net_bytes=_ranking)


def hot_keys(reply: Reply, text: Text[S]) -> HotKeys[S] | None:
    """A report in an array of its own, or null."""
    if reply is None:
        return None
    (report,) = items(reply, 1)
    return cast("HotKeys[S]", HOT_KEYS(report, text))
