"""What is said of streams alone, as both protocols say it."""

from __future__ import annotations

from typing import Any, Final

import pytest

from core.commands.replies import hostile, in_text, reads
from resp_sansio import (
    Autoclaimed,
    AutoclaimedIDs,
    ClaimedEntry,
    Entry,
    EntryDelivery,
    PendingEntry,
    PendingSummary,
    UnexpectedReplyError,
)
from resp_sansio.commands import readers_streams as readers
from resp_sansio.commands.decoding import RAW, decoded
from resp_sansio.commands.readers import by_stream

ONE: Final[list[Any]] = [b"1-0", [b"f", b"1", b"f", b"2"]]
FIRST: Final = Entry(b"1-0", [(b"f", b"1"), (b"f", b"2")])

STREAM: Final[dict[Any, Any]] = {
    b"length": 1,
    b"radix-tree-keys": 1,
    b"radix-tree-nodes": 2,
    b"last-generated-id": b"1-0",
    b"max-deleted-entry-id": b"0-0",
    b"entries-added": 1,
    b"recorded-first-entry-id": b"1-0",
    b"idmp-duration": 100,
    b"idmp-maxsize": 90,
    b"pids-tracked": 1,
    b"iids-tracked": 2,
    b"iids-added": 3,
    b"iids-duplicates": 4,
}
STREAM_READ: Final = {
    "length": 1,
    "radix_tree_keys": 1,
    "radix_tree_nodes": 2,
    "last_generated_id": b"1-0",
    "max_deleted_entry_id": b"0-0",
    "entries_added": 1,
    "recorded_first_entry_id": b"1-0",
    "idmp_duration": 100,
    "idmp_maxsize": 90,
    "pids_tracked": 1,
    "iids_tracked": 2,
    "iids_added": 3,
    "iids_duplicates": 4,
}
GROUP: Final[dict[Any, Any]] = {b"name": b"g", b"last-delivered-id": b"1-0", b"entries-read": 1, b"lag": None}
GROUP_READ: Final = {"name": b"g", "last_delivered_id": b"1-0", "entries_read": 1, "lag": None}
CONSUMER_INFO: Final[dict[Any, Any]] = {b"name": b"c", b"pending": 1, b"idle": 5}
CONSUMER_INFO_READ: Final = {"name": b"c", "pending": 1, "idle": 5}
CONSUMER: Final[dict[Any, Any]] = {
    b"name": b"c",
    b"seen-time": 1_700_000_000_000,
    b"active-time": -1,
    b"pel-count": 1,
    b"pending": [[b"1-0", 1_700_000_000_000, 2]],
}
CONSUMER_READ: Final = {
    "name": b"c",
    "seen_time": 1_700_000_000_000,
    "active_time": -1,
    "pel_count": 1,
    "pending": [EntryDelivery(b"1-0", 1_700_000_000_000, 2)],
}
DETAILS: Final[dict[Any, Any]] = {
    **STREAM,
    b"entries": [ONE],
    b"groups": [
        GROUP | {b"pel-count": 1, b"nacked-count": 0, b"pending": [[b"1-0", b"c", 5, 2]], b"consumers": [CONSUMER]}
    ],
}
DETAILS_READ: Final = {
    **STREAM_READ,
    "entries": [FIRST],
    "groups": [
        GROUP_READ
        | {
            "pel_count": 1,
            "nacked_count": 0,
            "pending": [(b"c", EntryDelivery(b"1-0", 5, 2))],
            "consumers": [CONSUMER_READ],
        }
    ],
}


def turns(value: Any) -> Any:
    """RESP2's way with maps: keys and values in turn."""
    if isinstance(value, dict):
        return [turns(part) for pair in value.items() for part in pair]
    return [*map(turns, value)] if isinstance(value, list) else value


def same(read: Any, reply: Any, result: Any) -> tuple[Any, Any, Any, Any]:
    """What RESP2 says in turn, and RESP3 with maps."""
    return read, turns(reply), reply, result


REPLIES: Final[list[tuple[Any, Any, Any, Any]]] = [
    same(readers.pending_summary, [0, None, None, None], PendingSummary(0, None, None, {})),
    same(
        readers.pending_summary,
        [3, b"1-0", b"3-0", [[b"a", b"2"], [b"b", b"1"]]],
        PendingSummary(3, b"1-0", b"3-0", {b"a": 2, b"b": 1}),
    ),
    same(readers.pending, [], []),
    same(readers.pending, [[b"1-0", b"c", 500, 2]], [PendingEntry(b"1-0", b"c", 500, 2)]),
    same(readers.pending, [[b"1-0", b"", -1, 2**63 - 1]], [PendingEntry(b"1-0", b"", -1, 2**63 - 1)]),  # given back
    same(readers.claimed, [b"0-0", [ONE], [b"2-0"]], Autoclaimed(b"0-0", [FIRST], [b"2-0"])),
    same(readers.claimed, [b"0-0", [ONE]], Autoclaimed(b"0-0", [FIRST], [])),
    same(readers.claimed_ids_only, [b"2-0", [b"1-0"], []], AutoclaimedIDs(b"2-0", [b"1-0"], [])),
    same(readers.claimed_by_stream, None, {}),
    (
        readers.claimed_by_stream,
        [[b"x", [[*ONE, 500, 2], [b"2-0", [], 0, 0]]], [b"y", []]],
        {b"x": [[*ONE, 500, 2], [b"2-0", [], 0, 0]], b"y": []},
        {b"x": [ClaimedEntry(b"1-0", FIRST.pairs, 500, 2), ClaimedEntry(b"2-0", [], 0, 0)], b"y": []},
    ),
    same(
        readers.stream_info,
        {**STREAM, b"groups": 2, b"first-entry": ONE, b"last-entry": None},
        {**STREAM_READ, "groups": 2, "first_entry": FIRST, "last_entry": None},
    ),
    same(readers.stream_details, DETAILS, DETAILS_READ),
    same(readers.group_infos, [], []),
    same(
        readers.group_infos,
        [GROUP | {b"consumers": 2, b"pending": 3}],
        [GROUP_READ | {"consumers": 2, "pending": 3}],
    ),
    same(
        readers.consumer_infos,
        [CONSUMER_INFO | {b"inactive": -1}, CONSUMER_INFO],
        [CONSUMER_INFO_READ | {"inactive": -1}, CONSUMER_INFO_READ],
    ),
]


@pytest.mark.parametrize(("read", "resp2", "resp3", "result"), REPLIES)
def test_both_protocols_give_the_same_value(read: Any, resp2: Any, resp3: Any, result: Any) -> None:
    reads(read, resp2, resp3, result)


@pytest.mark.parametrize(("read", "resp2", "resp3", "_result"), REPLIES)
def test_no_other_reply_raises_anything_else(read: Any, resp2: Any, resp3: Any, _result: Any) -> None:
    hostile(read, resp2, resp3)


def test_what_is_not_known_stays_as_it_came() -> None:
    newer: Any = [CONSUMER_INFO | {b"some-thing": [b"new", 5]}]
    assert readers.consumer_infos(newer, RAW)[0] == CONSUMER_INFO_READ | {"some_thing": [b"new", 5]}
    assert readers.consumer_infos(newer, decoded("utf-8"))[0] == in_text(CONSUMER_INFO_READ) | {
        "some_thing": ["new", 5]
    }


def test_what_all_servers_say_is_there() -> None:
    for name in CONSUMER_INFO:
        reply = {other: value for other, value in CONSUMER_INFO.items() if other != name}
        with pytest.raises(
            UnexpectedReplyError, match=f"a map with {name.decode()} was expected, and one without it came"
        ):
            readers.consumer_infos([reply], RAW)


def test_a_name_is_a_text() -> None:
    with pytest.raises(UnexpectedReplyError, match="a text was expected, and int came"):
        readers.stream_info([1, b"length"], RAW)


def test_nothing_is_lost_where_two_are_the_same_as_text() -> None:
    blurred = decoded("utf-8", "replace")
    replies: list[Any] = [{b"\xff": [], b"\xfe": []}, [[b"x", []], [b"x", []]]]
    for reply in replies:
        for read in (by_stream, readers.claimed_by_stream):
            with pytest.raises(UnexpectedReplyError, match="different keys were expected, and two are the same"):
                read(reply, blurred)
    with pytest.raises(UnexpectedReplyError, match="different keys were expected, and two are the same"):
        readers.pending_summary([2, b"1-0", b"2-0", [[b"\xff", b"1"], [b"\xfe", b"1"]]], blurred)


def test_a_claimed_entry_has_its_fields_by_name() -> None:
    assert ClaimedEntry(b"1-0", FIRST.pairs, 0, 0).fields == {b"f": b"2"} == FIRST.fields
