"""Commands on time series, with what each returns."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

from core.commands.recorded import Like, Specified, Steps
from resp_sansio import (
    CompactionRule,
    LastSample,
    ReplyError,
    Sample,
    SampleRow,
    Series,
    SeriesRows,
    TimeSeriesInfo,
    commands,
)

Known: TypeAlias = dict[bytes, bytes | None]

ONE: Known = {b"place": b"a", b"kind": b"one"}
TWO: Known = {b"place": b"b"}


def as_made(found: TimeSeriesInfo[bytes]) -> bool:
    """What is known of a series, but for the memory that it takes."""
    known = dict(found)
    memory = known.pop("memory_usage")
    return type(memory) is int and known == {
        "total_samples": 3,
        "first_timestamp": 1000,
        "last_timestamp": 2000,
        "retention_time": 60_000,
        "chunk_count": 1,
        "chunk_size": 128,
        "chunk_type": "uncompressed",
        "duplicate_policy": "last",
        "labels": ONE,
        "source_key": None,
        "rules": {b"made": CompactionRule(1000, "MAX", 0), b"aligned": CompactionRule(1000, "TWA", 500)},
        "ignore_max_time_diff": 5,
        "ignore_max_val_diff": 0.5,
    }


def with_chunks(found: TimeSeriesInfo[bytes]) -> bool:
    """The same with what is known of each piece of memory."""
    (chunk,) = found["chunks"]
    return (
        found["key_self_name"] == b"t"
        and [chunk["start_timestamp"], chunk["end_timestamp"], chunk["samples"]] == [1000, 2000, 3]
        and type(chunk["size"]) is int
        and type(chunk["bytes_per_sample"]) is float
    )


STEPS: Steps = [
    (
        commands.ts_create(
            "t",
            retention=50_000,
            encoding="UNCOMPRESSED",
            chunk_size=128,
            duplicate_policy="LAST",
            ignore=(5, 0.5),
            labels={"place": "a", "kind": b"one"},
        ),
        None,
    ),
    (commands.ts_alter("t", retention=60_000), None),
    (commands.ts_create("empty", labels={}), None),
    (commands.ts_create("made", labels={"place": "a"}), None),
    (commands.ts_create("aligned"), None),
    (commands.ts_createrule("t", "made", ("max", 1000)), None),
    (commands.ts_createrule("t", "aligned", ("twa", 1000), align_timestamp=500), None),
    (commands.ts_add("t", 1000, 1.5), 1000),
    (commands.ts_add("t", 1000, 2, on_duplicate="SUM"), 1000),
    (commands.ts_add("u", 1500, -0.25, labels={"place": "b"}), 1500),
    (commands.ts_madd(("t", 1500, 1), ("u", 2500, 0.5)), [1500, 2500]),
    (
        commands.ts_madd(("t", 2000, 9.0), ("none", 1, 1)),
        Like(list, lambda found: found[0] == 2000 and type(found[1]) is ReplyError),
    ),
    (commands.ts_info("t"), Like(dict, as_made)),
    (commands.ts_info("t", debug=True), Like(dict, with_chunks)),
    (commands.ts_info("made"), Like(dict, lambda found: (found["source_key"], found["rules"]) == (b"t", {}))),
    (commands.ts_get("t"), Sample(2000, 9.0)),
    (commands.ts_get("empty"), None),
    (commands.ts_get("made"), Sample(1000, 3.5)),
    (commands.ts_get("made", latest=True), Sample(2000, 9.0)),
    (commands.ts_range("t"), [Sample(1000, 3.5), Sample(1500, 1.0), Sample(2000, 9.0)]),
    (commands.ts_range("empty"), []),
    (commands.ts_range("t", 1200, 2000, count=1), [Sample(1500, 1.0)]),
    (commands.ts_range("t", filter_by_ts=[1000, 2000], filter_by_value=(5, 10)), [Sample(2000, 9.0)]),
    (commands.ts_range("t", aggregation=("avg", 1000)), [Sample(1000, 2.25), Sample(2000, 9.0)]),
    (
        commands.ts_range("u", 1500, 2500, aggregation=("sum", 500), align="-", buckettimestamp="~", empty=True),
        [Sample(1750, -0.25), Sample(2250, 0.0), Sample(2750, 0.5)],
    ),
    (commands.ts_range("made", latest=True), [Sample(1000, 3.5), Sample(2000, 9.0)]),
    (commands.ts_revrange("t", aggregation=("count", 1000)), [Sample(2000, 1.0), Sample(1000, 2.0)]),
    (
        commands.ts_nrange("t", "u"),
        [
            SampleRow(1000, [3.5, math.nan]),
            SampleRow(1500, [1.0, -0.25]),
            SampleRow(2000, [9.0, math.nan]),
            SampleRow(2500, [math.nan, 0.5]),
        ],
    ),
    (
        commands.ts_nrevrange("t", "u", to_timestamp=1999, aggregation=(["max", "count"], 1000)),
        [SampleRow(1000, [3.5, 1.0])],
    ),
    (commands.ts_nrange("empty"), []),
    (
        commands.ts_range_aggregators("t", aggregation=(["min", "max", "count"], 1000)),
        [SampleRow(1000, [1.0, 3.5, 2.0]), SampleRow(2000, [9.0, 9.0, 1.0])],
    ),
    (commands.ts_range_aggregators("empty", aggregation=(["min", "max"], 1000)), []),
    (commands.ts_revrange_aggregators("t", count=1, aggregation=(["avg"], 1000)), [SampleRow(2000, [9.0])]),
    (
        commands.ts_mrange_aggregators("-", "+", "place=b", aggregation=(["min", "max"], 5000), withlabels=True),
        {b"u": SeriesRows(TWO, [SampleRow(0, [-0.25, 0.5])])},
    ),
    (
        commands.ts_mrevrange_aggregators("-", "+", "place=b", aggregation=(["sum", "count"], 1000)),
        {b"u": SeriesRows({}, [SampleRow(2000, [0.5, 1.0]), SampleRow(1000, [-0.25, 1.0])])},
    ),
    (commands.ts_read("t", "-", max_count=1), [Sample(1000, 3.5)]),
    (commands.ts_read("t", "+"), [Sample(2000, 9.0)]),
    (commands.ts_read("t", "$"), []),
    (commands.ts_read("t", "$", block=1), []),
    (commands.ts_read("t", 1500, block=0, min_count=2), [Sample(1500, 1.0), Sample(2000, 9.0)]),
    (commands.ts_querylabels_labels(), {b"place", b"kind"}),
    (commands.ts_querylabels_labels("place=b"), {b"place"}),
    (commands.ts_querylabels_values("place"), {b"a", b"b"}),
    (commands.ts_querylabels_values("place", "kind=none"), set()),
    (commands.ts_queryindex("place=b"), {b"u"}),
    (commands.ts_queryindex("place=none"), set()),
    (commands.ts_mget("place=b"), {b"u": LastSample({}, Sample(2500, 0.5))}),
    (
        commands.ts_mget("place=a", withlabels=True),
        {b"made": LastSample({b"place": b"a"}, Sample(1000, 3.5)), b"t": LastSample(ONE, Sample(2000, 9.0))},
    ),
    (commands.ts_mget("place=a", "kind!=one", latest=True), {b"made": LastSample({}, Sample(2000, 9.0))}),
    (
        commands.ts_mget("place=b", selected_labels=["kind", "place"]),
        {b"u": LastSample({b"kind": None, b"place": b"b"}, Sample(2500, 0.5))},
    ),
    (commands.ts_mget("place=none"), {}),
    (
        commands.ts_mrange("-", "+", "place=a"),
        {
            b"made": Series({}, [Sample(1000, 3.5)]),
            b"t": Series({}, [Sample(1000, 3.5), Sample(1500, 1.0), Sample(2000, 9.0)]),
        },
    ),
    (
        commands.ts_mrange("-", "+", "place=(a,b)", "kind=", withlabels=True, aggregation=("last", 5000)),
        {b"made": Series({b"place": b"a"}, [Sample(0, 3.5)]), b"u": Series(TWO, [Sample(0, 0.5)])},
    ),
    (commands.ts_mrange("-", "+", "place=none"), {}),
    (
        commands.ts_mrange(1500, 1500, "place=(a,b)", groupby=("place", "sum")),
        {b"place=a": Series({}, [Sample(1500, 1.0)]), b"place=b": Series({}, [Sample(1500, -0.25)])},
    ),
    (
        commands.ts_mrange(1000, 1000, "place=a", withlabels=True, groupby=("place", "std.p")),
        {b"place=a": Series({b"place": b"a"}, [Sample(1000, 0.0)])},
    ),
    (
        commands.ts_mrange(1500, "+", "place=b", selected_labels=["kind"], count=1),
        {b"u": Series({b"kind": None}, [Sample(1500, -0.25)])},
    ),
    (
        commands.ts_mrevrange("-", "+", "place=b", aggregation=("min", 1000), buckettimestamp="end"),
        {b"u": Series({}, [Sample(3000, 0.5), Sample(2000, -0.25)])},
    ),
    (commands.ts_incrby("n", 2, timestamp=1000, labels={"place": "c"}), 1000),
    (commands.ts_incrby("n", 0.5, timestamp=1000), 1000),
    (commands.ts_decrby("n", 0.25, timestamp=2000), 2000),
    (commands.ts_range("n"), [Sample(1000, 2.5), Sample(2000, 2.25)]),
    (commands.ts_deleterule("t", "aligned"), None),
    (commands.ts_del("t", 1000, 1500), 2),
    (commands.ts_del("t", 1000, 1500), 0),
    (commands.ts_add("x", "*", 1), Like(int)),
]

SAID: Any = {
    "totalSamples": 3, "memoryUsage": 500, "firstTimestamp": 1, "lastTimestamp": 9, "retentionTime": 0, "chunkCount": 1,
    "chunkSize": 4096, "chunkType": "compressed", "duplicatePolicy": None, "labels": [], "sourceKey": None, "rules": [],
}  # fmt: skip
OWN = {
    "total_samples": 3, "memory_usage": 500, "first_timestamp": 1, "last_timestamp": 9, "retention_time": 0,
    "chunk_count": 1, "chunk_size": 4096, "chunk_type": "compressed", "duplicate_policy": None, "labels": {},
    "source_key": None, "rules": {},
}  # fmt: skip


def turns(found: Any) -> list[Any]:
    """RESP2's way with a map."""
    return [part for pair in found.items() for part in pair]


SPECIFIED: Specified = [
    # A null where a series has no policy of its own, as older ones say; and what a newer one may say.
    (commands.ts_info("t"), turns(SAID), SAID, OWN),
    (
        commands.ts_info("t"),
        turns({**SAID, "newField": [b"x"]}),
        {**SAID, "newField": [b"x"]},
        {**OWN, "new_field": [b"x"]},
    ),
]
