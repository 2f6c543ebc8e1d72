"""What is said of streams alone: pending entries, claimed ones, and what XINFO knows.

XINFO says things by name, and newer servers say more. The names are keys of a `TypedDict`, with `_` for `-`; what a server does not
say is not there, and what is not known here stays as it came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypedDict, cast

from ..wire.values import Reply
from .decoding import S, Text, own_words
from .readers import (
    Entry,
    bulk,
    bulks,
    digits,
    entries,
    flat,
    items,
    keyed,
    maybe_bulk,
    maybe_whole,
    pairs,
    unexpected,
    whole,
)

__all__ = [
    "Autoclaimed",
    "AutoclaimedIDs",
    "ClaimedEntry",
    "EntryDelivery",
    "PendingEntry",
    "PendingSummary",
    "StreamConsumer",
    "StreamConsumerDetails",
    "StreamDetails",
    "StreamGroup",
    "StreamGroupDetails",
    "StreamInfo",
]


# -- pending and claimed ------------------------------------------------------------------------------------------------------


class PendingSummary(NamedTuple, Generic[S]):
    """How many entries are pending in a group, the lowest and the highest ID of them, and how many each consumer has."""

    total: int
    lowest: S | None
    highest: S | None
    consumers: dict[S, int]


def pending_summary(reply: Reply, text: Text[S]) -> PendingSummary[S]:
    """XPENDING without a range: nulls if nothing is pending."""
    total, lowest, highest, consumers = items(reply, 4)
    each = [] if consumers is None else [items(consumer, 2) for consumer in items(consumers)]
    counts = keyed([(bulk(name, text), digits(pending)) for name, pending in each])
    return PendingSummary(whole(total), maybe_bulk(lowest, text), maybe_bulk(highest, text), counts)


class PendingEntry(NamedTuple, Generic[S]):
    """A pending entry: its ID and its consumer, how many milliseconds ago it was delivered, and how often.

    The time is -1 if it was given back (XNACK).
    """

    id: S
    consumer: S
    idle: int
    deliveries: int


def pending(reply: Reply, text: Text[S]) -> list[PendingEntry[S]]:
    """XPENDING with a range."""
    rows = [items(row, 4) for row in items(reply)]
    return [PendingEntry(bulk(id, text), bulk(name, text), whole(idle), whole(count)) for id, name, idle, count in rows]


class Autoclaimed(NamedTuple, Generic[S]):
    """Where XAUTOCLAIM is to go on, the entries that it claimed, and the IDs of pending ones that are deleted."""

    next: S
    entries: list[Entry[S]]
    deleted: list[S]


class AutoclaimedIDs(NamedTuple, Generic[S]):
    """Where XAUTOCLAIM is to go on, the IDs of the entries that it claimed, and those of pending ones that are deleted."""

    next: S
    ids: list[S]
    deleted: list[S]


def claimed(reply: Reply, text: Text[S]) -> Autoclaimed[S]:
    """XAUTOCLAIM."""
    start, found, deleted = _claimed(reply)
    return Autoclaimed(bulk(start, text), entries(found, text), bulks(deleted, text))


def claimed_ids_only(reply: Reply, text: Text[S]) -> AutoclaimedIDs[S]:
    """XAUTOCLAIM with JUSTID."""
    start, found, deleted = _claimed(reply)
    return AutoclaimedIDs(bulk(start, text), bulks(found, text), bulks(deleted, text))


def _claimed(reply: Reply) -> list[Reply]:
    parts = items(reply)
    return items([*parts, None] if len(parts) == 2 else parts, 3)  # Redis 6.2 does not say what is deleted


class ClaimedEntry(NamedTuple, Generic[S]):
    """An entry, how many milliseconds ago another consumer had it, and how often it was delivered; both 0 if never."""

    id: S
    pairs: list[tuple[S, S]]
    idle: int
    deliveries: int

    @property
    def fields(self) -> dict[S, S]:
        """The fields by name; of those with the same name, the last."""
        return dict(self.pairs)


def claimed_by_stream(reply: Reply, text: Text[S]) -> dict[S, list[ClaimedEntry[S]]]:
    """XREADGROUP with CLAIM: pairs on RESP2, a map on RESP3, null if there are none."""
    if reply is None:
        return {}
    parts = reply.items() if isinstance(reply, dict) else [items(part, 2) for part in items(reply)]
    return keyed(
        [(bulk(key, text), [_claimed_entry(items(row, 4), text) for row in items(rows)]) for key, rows in parts]
    )


def _claimed_entry(row: list[Reply], text: Text[S]) -> ClaimedEntry[S]:
    id, fields, idle, deliveries = row
    return ClaimedEntry(bulk(id, text), pairs(fields, text), whole(idle), whole(deliveries))


# -- XINFO --------------------------------------------------------------------------------------------------------------------


class _Stream(TypedDict, Generic[S], total=False):
    length: int
    radix_tree_keys: int
    radix_tree_nodes: int
    last_generated_id: S
    max_deleted_entry_id: S
    entries_added: int
    recorded_first_entry_id: S
    idmp_duration: int
    idmp_maxsize: int
    pids_tracked: int
    iids_tracked: int
    iids_added: int
    iids_duplicates: int


class StreamInfo(_Stream[S], total=False):
    """What the server knows of a stream."""

    groups: int
    first_entry: Entry[S] | None
    last_entry: Entry[S] | None


class StreamGroup(TypedDict, Generic[S], total=False):
    """What the server knows of a group. `entries_read` and `lag` are None if it can't tell."""

    name: S
    consumers: int
    pending: int
    last_delivered_id: S
    entries_read: int | None
    lag: int | None


class StreamConsumer(TypedDict, Generic[S], total=False):
    """What the server knows of a consumer: when it was seen and when it had an entry last, in milliseconds ago, -1 for never."""

    name: S
    pending: int
    idle: int
    inactive: int


class EntryDelivery(NamedTuple, Generic[S]):
    """A pending entry: its ID, when it was delivered, in Unix milliseconds, and how often."""

    id: S
    time: int
    deliveries: int


class StreamConsumerDetails(TypedDict, Generic[S], total=False):
    """A consumer and what is pending for it: when it was seen and when it had an entry last, in Unix milliseconds, -1 for never."""

    name: S
    seen_time: int
    active_time: int
    pel_count: int
    pending: list[EntryDelivery[S]]


class StreamGroupDetails(TypedDict, Generic[S], total=False):
    """A group, what is pending in it, of each entry with the consumer's name, and its consumers."""

    name: S
    last_delivered_id: S
    entries_read: int | None
    lag: int | None
    pel_count: int
    nacked_count: int
    pending: list[tuple[S, EntryDelivery[S]]]
    consumers: list[StreamConsumerDetails[S]]


class StreamDetails(_Stream[S], total=False):
    """What the server knows of a stream, with entries and groups."""

    entries: list[Entry[S]]
    groups: list[StreamGroupDetails[S]]


Fields: TypeAlias = Mapping[str, Callable[[Reply, Text[Any]], object]]


def described(reply: Reply, text: Text[S], known: Fields) -> dict[str, object]:
    """Return what a map says, each by the reader of its name."""
    parts = iter(flat(reply))
    found: dict[str, object] = {}
    for name, value in zip(parts, parts, strict=True):
        if type(name) is not bytes:
            raise unexpected("a name", name)
        key = own_words(name).replace("-", "_")
        read = known.get(key)
        found[key] = text.anywhere(value) if read is None else read(value, text)
    return found


def _maybe_entry(reply: Reply, text: Text[S]) -> Entry[S] | None:
    return None if reply is None else entries([reply], text)[0]


def _deliveries(reply: Reply, text: Text[S]) -> list[EntryDelivery[S]]:
    rows = [items(row, 3) for row in items(reply)]
    return [EntryDelivery(bulk(id, text), whole(time), whole(count)) for id, time, count in rows]


def _group_deliveries(reply: Reply, text: Text[S]) -> list[tuple[S, EntryDelivery[S]]]:
    rows = [items(row, 4) for row in items(reply)]
    return [
        (bulk(name, text), EntryDelivery(bulk(id, text), whole(time), whole(count))) for id, name, time, count in rows
    ]


def _consumers(reply: Reply, text: Text[S]) -> list[dict[str, object]]:
    return [described(consumer, text, CONSUMER) for consumer in items(reply)]


def _groups(reply: Reply, text: Text[S]) -> list[dict[str, object]]:
    return [described(group, text, GROUP) for group in items(reply)]


COUNTS: Final = (
    "length", "radix_tree_keys", "radix_tree_nodes", "entries_added", "idmp_duration", "idmp_maxsize", "pids_tracked",
    "iids_tracked", "iids_added", "iids_duplicates", "pending", "idle", "inactive", "pel_count", "nacked_count",
    "seen_time", "active_time",
)  # fmt: skip
IDS: Final = ("name", "last_generated_id", "max_deleted_entry_id", "recorded_first_entry_id", "last_delivered_id")

KNOWN: Final[Fields] = {
    **dict.fromkeys(COUNTS, whole),
    **dict.fromkeys(IDS, bulk),
    "entries_read": maybe_whole,
    "lag": maybe_whole,
}
"""What means the same wherever it is said."""

STREAM: Final[Fields] = {**KNOWN, "groups": whole, "first_entry": _maybe_entry, "last_entry": _maybe_entry}
CONSUMER: Final[Fields] = {**KNOWN, "pending": _deliveries}
GROUP: Final[Fields] = {**KNOWN, "pending": _group_deliveries, "consumers": _consumers}
DETAILS: Final[Fields] = {**KNOWN, "entries": entries, "groups": _groups}


def stream_info(reply: Reply, text: Text[S]) -> StreamInfo[S]:
    """XINFO STREAM."""
    return cast("StreamInfo[S]", described(reply, text, STREAM))


def stream_details(reply: Reply, text: Text[S]) -> StreamDetails[S]:
    """XINFO STREAM with FULL."""
    return cast("StreamDetails[S]", described(reply, text, DETAILS))


def group_infos(reply: Reply, text: Text[S]) -> list[StreamGroup[S]]:
    """XINFO GROUPS."""
    known = {**KNOWN, "consumers": whole}
    return cast("list[StreamGroup[S]]", [described(group, text, known) for group in items(reply)])


def consumer_infos(reply: Reply, text: Text[S]) -> list[StreamConsumer[S]]:
    """XINFO CONSUMERS."""
    return cast("list[StreamConsumer[S]]", [described(consumer, text, KNOWN) for consumer in items(reply)])
