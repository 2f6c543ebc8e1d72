"""What commands on streams return on a real server."""

from __future__ import annotations

from typing import Any

from adapters.typed.families import Family, Like
from resp_sansio import (
    Autoclaimed,
    AutoclaimedIDs,
    ClaimedEntry,
    Command,
    Entry,
    EntryDelivery,
    PendingEntry,
    PendingSummary,
    commands,
)

ONE, TWO, THREE = [Entry(b"%d-0" % n, [(b"f", b"%d" % n)]) for n in (1, 2, 3)]

STREAM = {
    "length": 2,
    "radix_tree_keys": 1,
    "radix_tree_nodes": 2,
    "last_generated_id": b"2-0",
    "max_deleted_entry_id": b"0-0",
    "entries_added": 2,
    "recorded_first_entry_id": b"1-0",
    "groups": 1,
    "first_entry": ONE,
    "last_entry": TWO,
}


def is_full(info: dict[str, Any]) -> bool:
    """Whether it says of STREAM what is in it, of a group that has read one of two entries."""
    (group,) = info["groups"]
    (consumer,) = group["consumers"]
    (delivery,) = consumer["pending"]
    assert delivery == EntryDelivery(b"1-0", consumer["seen_time"], 1)
    assert group["pending"] == [(b"c", delivery)]
    assert (consumer["name"], consumer["pel_count"]) == (b"c", 1)
    counted = {"name": b"g", "last_delivered_id": b"1-0", "entries_read": 1, "lag": 1, "pel_count": 1}
    return bool(info["entries"] == [ONE, TWO] and group.items() >= counted.items())


def in_pairs(found: list[Any]) -> list[Entry]:
    """Entries of redis-py, which has a `dict` of the fields."""
    return [Entry(id, [*fields.items()]) for id, fields in found]


def claimed(start: bytes, found: list[Any], deleted: list[bytes]) -> Autoclaimed:
    """What redis-py makes of XAUTOCLAIM."""
    return Autoclaimed(start, in_pairs(found), deleted)


FAMILIES = [
    Family(
        "streams",
        [
            (commands.xadd("x", {"f": 1}, id="1-1"), b"1-1"),
            (Command("XADD", "x", "2-0", "f", 1, "f", 2, read=commands.xadd("x", {}).read), b"2-0"),
            (commands.xadd("x", {"f": 3}, maxlen=100), Like(bytes, lambda id: b"-" in id)),
            (commands.xlen("x"), 3),
            (commands.xrange("x", count=1), [Entry(b"1-1", [(b"f", b"1")])]),
            (commands.xrange("x", 2, 2), [Entry(b"2-0", [(b"f", b"1"), (b"f", b"2")])]),
            (commands.xrevrange("x", 1), [Entry(b"1-1", [(b"f", b"1")])]),
            (commands.xrange("none"), []),
            (commands.xread({"x": 0, "none": 0}, count=1), {b"x": [Entry(b"1-1", [(b"f", b"1")])]}),
            (commands.xread({"x": "$"}, block=1), {}),
            (commands.xgroup_create("x", "g", 0), None),
            (commands.xgroup_create("y", "g", mkstream=True), None),
            (commands.xreadgroup("g", "c", {"x": ">"}, count=1), {b"x": [Entry(b"1-1", [(b"f", b"1")])]}),
            (commands.xreadgroup("g", "c", {"y": ">"}), {}),
            (commands.xdel("x", "1-1", "9-9"), 1),
            (commands.xreadgroup("g", "c", {"x": 0}), {b"x": [Entry(b"1-1", [])]}),  # deleted while it was pending
            (commands.xack("x", "g", "1-1", "9-9"), 1),
            (commands.xtrim("x", maxlen=1, approximate=False), 1),
            (commands.xgroup_destroy("x", "g"), True),
            (commands.xgroup_destroy("x", "g"), False),
        ],
    ),
    Family(
        "streams since Redis 6.2",
        [
            (commands.xadd("x", {"f": 1}, id="1-0"), b"1-0"),
            (commands.xtrim("x", minid=5, approximate=False), 1),
            (commands.xtrim("x", maxlen=5, limit=10), 0),
        ],
        needs=("Redis 6.2",),
    ),
    Family(
        "groups of streams",
        [
            (commands.xadd("x", {"f": 1}, id="1-0"), b"1-0"),
            (commands.xadd("x", {"f": 2}, id="2-0"), b"2-0"),
            (commands.xadd("x", {"f": 3}, id="3-0"), b"3-0"),
            (commands.xgroup_create("x", "g", 0), None),
            (commands.xpending("x", "g"), PendingSummary(0, None, None, {})),
            (commands.xpending_range("x", "g", "-", "+", 9), []),
            (commands.xreadgroup("g", "a", {"x": ">"}, count=2), {b"x": [ONE, TWO]}),
            (commands.xreadgroup("g", "b", {"x": ">"}), {b"x": [THREE]}),
            (commands.xpending("x", "g"), PendingSummary(3, b"1-0", b"3-0", {b"a": 2, b"b": 1})),
            (
                commands.xpending_range("x", "g", "-", "+", 9, "b"),
                Like(
                    list, lambda found: found == [PendingEntry(b"3-0", b"b", found[0].idle, 1)] and found[0].idle >= 0
                ),
            ),
            (
                commands.xpending_range("x", "g", 2, 3, 1),
                Like(list, lambda found: found == [PendingEntry(b"2-0", b"a", found[0].idle, 1)]),
            ),
            (
                commands.xclaim("x", "g", "b", 0, "1-0", "3-0", "9-9", retrycount=5, idle=100),
                [ONE, THREE],
                lambda redis: in_pairs(redis.xclaim("x", "g", "b", 0, ["1-0", "3-0", "9-9"], retrycount=5, idle=100)),
            ),
            (
                commands.xpending_range("x", "g", 1, 1, 1),
                Like(
                    list, lambda found: found == [PendingEntry(b"1-0", b"b", found[0].idle, 5)] and found[0].idle >= 100
                ),
            ),
            (commands.xclaim_justid("x", "g", "a", 60_000, "1-0"), []),
            (
                commands.xclaim_justid("x", "g", "a", 0, "1-0", time=1, force=True, lastid=2),
                [b"1-0"],
                lambda redis: redis.xclaim("x", "g", "a", 0, ["1-0"], time=1, force=True, justid=True),
            ),
            (commands.xgroup_setid("x", "g", 1), None),
            (commands.xreadgroup("g", "a", {"x": ">"}, count=1, noack=True), {b"x": [TWO]}),
            (commands.xgroup_delconsumer("x", "g", "b"), 1, lambda redis: redis.xgroup_delconsumer("x", "g", "b")),
            (commands.xgroup_delconsumer("x", "g", "none"), 0),
            (commands.xsetid("x", "9-0"), None),
            (commands.xadd("x", {"f": 4}, id="9-1"), b"9-1"),
        ],
    ),
    Family(
        "groups of streams since Redis 6.2",
        [
            (commands.xadd_nomkstream("x", {"f": 1}), None, lambda redis: redis.xadd("x", {"f": 1}, nomkstream=True)),
            (commands.xadd("x", {"f": 1}, id="1-0"), b"1-0"),
            (commands.xadd_nomkstream("x", {"f": 2}, id="2-0", maxlen=9), b"2-0"),
            (commands.xgroup_create("x", "g", 0), None),
            (commands.xgroup_createconsumer("x", "g", "a"), True),
            (
                commands.xgroup_createconsumer("x", "g", "a"),
                False,
                lambda redis: redis.xgroup_createconsumer("x", "g", "a"),
            ),
            (commands.xreadgroup("g", "a", {"x": ">"}), {b"x": [ONE, TWO]}),
            (commands.xpending_range("x", "g", "-", "+", 9, idle=60_000), []),
        ],
        needs=("Redis 6.2",),
    ),
    Family(
        "groups of streams since Redis 7.0",
        [
            (commands.xadd("x", {"f": 1}, id="1-0"), b"1-0"),
            (commands.xadd("x", {"f": 2}, id="2-0"), b"2-0"),
            (commands.xadd("x", {"f": 3}, id="3-0"), b"3-0"),
            (commands.xgroup_create("x", "g", 0, entriesread=0), None),
            (commands.xreadgroup("g", "a", {"x": ">"}), {b"x": [ONE, TWO, THREE]}),
            (commands.xautoclaim("x", "g", "b", 60_000), Autoclaimed(b"0-0", [], [])),
            (
                commands.xautoclaim("x", "g", "b", 0, count=1),
                Autoclaimed(b"2-0", [ONE], []),
                lambda redis: claimed(*redis.xautoclaim("x", "g", "b", 0, count=1)),
            ),
            (commands.xdel("x", "2-0"), 1),
            (commands.xautoclaim("x", "g", "b", 0, "2-0"), Autoclaimed(b"0-0", [THREE], [b"2-0"])),
            (commands.xautoclaim_justid("x", "g", "a", 0, count=1), AutoclaimedIDs(b"3-0", [b"1-0"], [])),
            (commands.xsetid("x", "9-0", entriesadded=90, maxdeletedid="8-0"), None),
            (commands.xgroup_setid("x", "g", "$", entriesread=80), None),
            (
                commands.xinfo_groups("x"),
                [
                    {
                        "name": b"g",
                        "consumers": 2,
                        "pending": 2,
                        "last_delivered_id": b"9-0",
                        "entries_read": 80,
                        "lag": 10,
                    }
                ],
            ),
        ],
        needs=("Redis 7.0",),
    ),
    Family(
        "what the server knows of streams",
        [
            (commands.xgroup_create("x", "g", 0, mkstream=True), None),
            (commands.xinfo_consumers("x", "g"), []),
            (
                commands.xinfo_stream("x"),
                Like(dict, lambda info: (info["length"], info["first_entry"], info["last_entry"]) == (0, None, None)),
            ),
            (commands.xadd("x", {"f": 1}, id="1-0"), b"1-0"),
            (commands.xadd("x", {"f": 2}, id="2-0"), b"2-0"),
            (commands.xreadgroup("g", "c", {"x": ">"}, count=1), {b"x": [ONE]}),
            (commands.xinfo_stream("x"), Like(dict, lambda info: info.items() >= STREAM.items())),
            (
                commands.xinfo_stream_full("x", count=1),
                Like(dict, lambda info: info["entries"] == [ONE] and info["length"] == 2),
            ),
            (commands.xinfo_stream_full("x"), Like(dict, is_full)),
            (
                commands.xinfo_consumers("x", "g"),
                Like(
                    list, lambda found: found[0]["name"] == b"c" and found[0]["pending"] == 1 and found[0]["idle"] >= 0
                ),
            ),
        ],
        needs=("Redis 7.0",),
    ),
    Family(
        "streams that say what becomes of references",
        [
            (commands.xadd("x", {"f": 1}, id="1-0"), b"1-0"),
            (commands.xadd("x", {"f": 2}, id="2-0"), b"2-0"),
            (commands.xadd("x", {"f": 3}, id="3-0", keepref=True), b"3-0"),
            (commands.xgroup_create("x", "g", 0), None),
            (commands.xreadgroup("g", "c", {"x": ">"}), {b"x": [ONE, TWO, THREE]}),
            (commands.xtrim("x", maxlen=2, approximate=False, acked=True), 0),
            (
                commands.xdelex("x", "1-0", "0-5", acked=True),
                [2, -1],
                lambda redis: redis.xdelex("x", "1-0", "0-5", ref_policy="ACKED"),
            ),
            (commands.xackdel("x", "g", "1-0", "9-9", acked=True), [1, -1]),
            (commands.xdelex("x", "2-0", delref=True), [1]),
            (commands.xpending("x", "g"), PendingSummary(1, b"3-0", b"3-0", {b"c": 1})),
            (commands.xackdel("x", "g", "3-0"), [1]),
            (commands.xlen("x"), 0),
        ],
        needs=("Redis 8.2",),
    ),
    Family(
        "entries that others left pending",
        [
            (commands.xadd("x", {"f": 1}, id="1-0"), b"1-0"),
            (commands.xadd("x", {"f": 2}, id="2-0"), b"2-0"),
            (commands.xgroup_create("x", "g", 0), None),
            (commands.xgroup_create("y", "g", mkstream=True), None),
            (commands.xreadgroup("g", "a", {"x": ">"}, count=1), {b"x": [ONE]}),
            (
                commands.xclaim_justid("x", "g", "a", 0, "1-0", idle=1000, retrycount=1),
                [b"1-0"],
            ),
            (
                commands.xreadgroup_claim("g", "b", 1000, "x", "y"),
                Like(
                    dict,
                    lambda found: (
                        found == {b"x": [ClaimedEntry(*ONE, found[b"x"][0].idle, 1), ClaimedEntry(*TWO, 0, 0)]}
                        and 1000 <= found[b"x"][0].idle < 60_000
                    ),
                ),
            ),
            (commands.xreadgroup_claim("g", "b", 60_000, "x", block=1), {}),
        ],
        needs=("Redis 8.4",),
    ),
    Family(
        "entries that are added once",
        [
            (commands.xadd("x", {"f": 0}, id="1-0"), b"1-0"),
            (commands.xcfgset("x", idmp_duration=60, idmp_maxsize=50), None),
            (commands.xidmprecord("x", "p", "first", "1-0"), None),
            (commands.xadd("x", {"f": 1}, idmp=("p", "first")), b"1-0"),
            (commands.xadd("x", {"f": 2}, idmp=("p", "second")), Like(bytes)),
            (commands.xadd("x", {"f": 2}, idmp=("p", "second")), Like(bytes)),
            (commands.xadd("x", {"f": 3}, idmpauto="q"), Like(bytes)),
            (commands.xadd("x", {"f": 3}, idmpauto="q"), Like(bytes)),
            (
                commands.xinfo_stream("x"),
                Like(
                    dict,
                    lambda info: (
                        info["length"] == 3
                        and (info["idmp_duration"], info["idmp_maxsize"], info["iids_duplicates"]) == (60, 50, 3)
                    ),
                ),
            ),
        ],
        needs=("XIDMPRECORD",),
    ),
]
