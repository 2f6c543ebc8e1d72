"""What is said of streams alone: pending entries, claimed ones, and what XINFO knows.

XINFO says things by name, and newer servers say more. The names are keys of a `TypedDict`, with `_` for `-`. What all servers say
is there, so that type checkers let a program ask for it; what newer ones say may be missing; what is not known here is as it came.
"""

from __future__ import annotations

from typing import Final, Generic, NamedTuple, NotRequired, TypedDict, cast

from ..wire.values import Reply
from .decoding import S, Text
from .readers import (
    Entry,
    bulk,
    bulks,
    digits,
    entries,
    items,
    keyed,
    maybe_bulk,
    pairs,
    pairs_in_rows,
    whole,
)
from .readers_own import Record

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
    return keyed(
        [
            (bulk(key, text), [_claimed_entry(items(row, 4), text) for row in items(found)])
            for key, found in pairs_in_rows(reply)
        ]
    )


def _claimed_entry(row: list[Reply], text: Text[S]) -> ClaimedEntry[S]:
    id, fields, idle, deliveries = row
    return ClaimedEntry(bulk(id, text), pairs(fields, text), whole(idle), whole(deliveries))


# -- XINFO --------------------------------------------------------------------------------------------------------------------


class _Stream(TypedDict, Generic[S]):
    length: int
    last_generated_id: S
    radix_tree_keys: NotRequired[int]  # of how Redis and Valkey keep a stream
    radix_tree_nodes: NotRequired[int]
    max_deleted_entry_id: NotRequired[S]  # (Redis 7.0)
    entries_added: NotRequired[int]
    recorded_first_entry_id: NotRequired[S]
    idmp_duration: NotRequired[int]  # (Redis 8.6)
    idmp_maxsize: NotRequired[int]
    pids_tracked: NotRequired[int]
    iids_tracked: NotRequired[int]
    iids_added: NotRequired[int]
    iids_duplicates: NotRequired[int]


class StreamInfo(_Stream[S]):
    """What the server knows of a stream."""

    groups: int
    first_entry: Entry[S] | None
    last_entry: Entry[S] | None


class _Group(TypedDict, Generic[S]):
    name: S
    last_delivered_id: S
    entries_read: NotRequired[int | None]
    lag: NotRequired[int | None]


class StreamGroup(_Group[S]):
    """What the server knows of a group. `entries_read` and `lag` are None if it can't tell (Redis 7.0)."""

    consumers: int
    pending: int


class StreamConsumer(TypedDict, Generic[S]):
    """What the server knows of a consumer: for how many milliseconds it has not asked (`idle`), and has got no entry (`inactive`).

    `inactive` is -1 if it never got one (Redis 7.2).
    """

    name: S
    pending: int
    idle: int
    inactive: NotRequired[int]


class EntryDelivery(NamedTuple, Generic[S]):
    """A pending entry: its ID, when it was delivered, in Unix milliseconds, and how often."""

    id: S
    time: int
    deliveries: int


class StreamConsumerDetails(TypedDict, Generic[S]):
    """A consumer and what is pending for it: when it asked last (`seen_time`), and when it got an entry last (`active_time`).

    Both are Unix milliseconds. `active_time` is -1 if it never got one (Redis 7.2).
    """

    name: S
    seen_time: int
    pel_count: int
    pending: list[EntryDelivery[S]]
    active_time: NotRequired[int]


class StreamGroupDetails(_Group[S]):
    """A group, its consumers, and what is pending in it: of each entry with the name of its consumer."""

    pel_count: int
    pending: list[tuple[S, EntryDelivery[S]]]
    consumers: list[StreamConsumerDetails[S]]
    nacked_count: NotRequired[int]  # (Redis 8.8)


class StreamDetails(_Stream[S]):
    """What the server knows of a stream, with entries and groups."""

    entries: list[Entry[S]]
    groups: list[StreamGroupDetails[S]]


def _maybe_entry(reply: Reply, text: Text[S]) -> Entry[S] | None:
    return None if reply is None else entries([reply], text)[0]


def _deliveries(reply: Reply, text: Text[S]) -> list[EntryDelivery[S]]:
    return [_delivery(items(row, 3), text) for row in items(reply)]


def _deliveries_by_consumer(reply: Reply, text: Text[S]) -> list[tuple[S, EntryDelivery[S]]]:
    rows = [items(row, 4) for row in items(reply)]
    return [(bulk(consumer, text), _delivery([id, *rest], text)) for id, consumer, *rest in rows]


def _delivery(row: list[Reply], text: Text[S]) -> EntryDelivery[S]:
    id, time, deliveries = row
    return EntryDelivery(bulk(id, text), whole(time), whole(deliveries))


STREAM: Final = Record(StreamInfo, first_entry=_maybe_entry, last_entry=_maybe_entry)
GROUP: Final = Record(StreamGroup)
CONSUMER: Final = Record(StreamConsumer)
CONSUMER_DETAILS: Final = Record(StreamConsumerDetails, pending=_deliveries)
GROUP_DETAILS: Final = Record(StreamGroupDetails, pending=_deliveries_by_consumer, consumers=CONSUMER_DETAILS.each)
DETAILS: Final = Record(StreamDetails, entries=entries, groups=GROUP_DETAILS.each)


def stream_info(reply: Reply, text: Text[S]) -> StreamInfo[S]:
    """XINFO STREAM."""
    return cast("StreamInfo[S]", STREAM(reply, text))


def stream_details(reply: Reply, text: Text[S]) -> StreamDetails[S]:
    """XINFO STREAM with FULL."""
    return cast("StreamDetails[S]", DETAILS(reply, text))


def group_infos(reply: Reply, text: Text[S]) -> list[StreamGroup[S]]:
    """XINFO GROUPS."""
    return cast("list[StreamGroup[S]]", GROUP.each(reply, text))


def consumer_infos(reply: Reply, text: Text[S]) -> list[StreamConsumer[S]]:
    """XINFO CONSUMERS."""
    return cast("list[StreamConsumer[S]]", CONSUMER.each(reply, text))
