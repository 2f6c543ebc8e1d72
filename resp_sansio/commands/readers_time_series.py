"""What is said of time series: samples, and how series are made. RESP2 says a value with a simple string."""

from __future__ import annotations

from typing import Final, Generic, NamedTuple, NotRequired, TypedDict, cast

from ..wire.narrowing import as_float
from ..wire.values import Reply
from .decoding import S, Text
from .readers import by_data, items, maybe_bulk, pairs_in_rows, unexpected, whole
from .readers_own import Record, in_lower_case, own

__all__ = [
    "CompactionRule",
    "LastSample",
    "Sample",
    "SampleRow",
    "Series",
    "SeriesRows",
    "TimeSeriesChunk",
    "TimeSeriesInfo",
]

GROUPED: Final = [[b"__reducer__"], [b"__source__"]]


class Sample(NamedTuple):
    """A value at a time, in milliseconds."""

    timestamp: int
    value: float


class SampleRow(NamedTuple):
    """Several values at a time: of each series, NaN for one that has none there, or by each aggregator."""

    timestamp: int
    values: list[float]


class Series(NamedTuple, Generic[S]):
    """Samples of a series, or of several that became one, with those labels that were asked for: None for what it has not."""

    labels: dict[S, S | None]
    samples: list[Sample]


class SeriesRows(NamedTuple, Generic[S]):
    """As `Series`, with a value by each aggregator."""

    labels: dict[S, S | None]
    rows: list[SampleRow]


class LastSample(NamedTuple, Generic[S]):
    """The last sample of a series, None if it has none, with those labels that were asked for: None for what it has not."""

    labels: dict[S, S | None]
    sample: Sample | None


class CompactionRule(NamedTuple):
    """What is made of each bucket of a series for another: of how many milliseconds, what, and where one begins."""

    bucket_duration: int
    aggregator: str
    align_timestamp: int


class TimeSeriesChunk(TypedDict):
    """A piece of memory with samples."""

    start_timestamp: int
    end_timestamp: int
    samples: int
    size: int
    bytes_per_sample: float


class TimeSeriesInfo(TypedDict, Generic[S]):
    """TS.INFO's fields, `totalSamples` as `total_samples`. What a newer server says beyond them is there as it came.

    `rules` are by the key of the series that is made by each. The last two are there with `debug`.
    """

    total_samples: int
    memory_usage: int
    first_timestamp: int
    last_timestamp: int
    retention_time: int
    chunk_count: int
    chunk_size: int
    chunk_type: str
    duplicate_policy: str | None
    labels: dict[S, S | None]
    source_key: S | None
    rules: dict[S, CompactionRule]
    ignore_max_time_diff: NotRequired[int]
    ignore_max_val_diff: NotRequired[float]
    key_self_name: NotRequired[S]
    chunks: NotRequired[list[TimeSeriesChunk]]


def value(reply: Reply, _text: object = None) -> float:
    """A double, or the text of one."""
    return as_float(reply)


def sample(reply: Reply, _text: object = None) -> Sample:
    """A time and a value."""
    time, found = items(reply, 2)
    return Sample(whole(time), value(found))


def maybe_sample(reply: Reply, _text: object = None) -> Sample | None:
    """A time and a value, or an empty array."""
    return sample(reply) if items(reply) else None


def samples(reply: Reply, _text: object = None) -> list[Sample]:
    """Times with values."""
    return [sample(one) for one in items(reply)]


def sample_rows(reply: Reply, _text: object = None) -> list[SampleRow]:
    """Times, each with an array of values."""
    rows = [items(row, 2) for row in items(reply)]
    return [SampleRow(whole(time), [value(one) for one in items(found)]) for time, found in rows]


def aggregates(reply: Reply, _text: object = None) -> list[SampleRow]:
    """Times, each with values behind it."""
    rows = [items(row) for row in items(reply)]
    if not all(len(row) > 1 for row in rows):
        raise unexpected("times with values", reply)
    return [SampleRow(whole(time), [value(one) for one in found]) for time, *found in rows]


def many_aggregates(reply: Reply, text: Text[S]) -> dict[S, SeriesRows[S]]:
    """Series by key, with a value by each aggregator."""
    rows = _rows(reply, 2, 3)
    return by_data(
        [(key, SeriesRows(_labels(labels, text), aggregates(values))) for key, (labels, *_, values) in rows], text
    )


def many_series(reply: Reply, text: Text[S]) -> dict[S, Series[S]]:
    """Series by key, or by a label's value where several became one.

    What was made of which is said by RESP3 between labels and samples, and by RESP2 as two more labels where all are asked for.
    """
    found: list[tuple[Reply, Series[S]]] = []
    for key, (labels, *_between, values) in _rows(reply, 2, 4):
        if type(labels) is list and [pair[:1] for pair in map(items, labels[-2:])] == GROUPED:
            labels = labels[:-2]
        found.append((key, Series(_labels(labels, text), samples(values))))
    return by_data(found, text)


def last_samples(reply: Reply, text: Text[S]) -> dict[S, LastSample[S]]:
    """The last sample of each series, by key."""
    rows = _rows(reply, 2, 2)
    return by_data(
        [(key, LastSample(_labels(labels, text), maybe_sample(found))) for key, (labels, found) in rows], text
    )


def time_series(reply: Reply, text: Text[S]) -> TimeSeriesInfo[S]:
    """A map of what is known of a series."""
    return cast("TimeSeriesInfo[S]", SERIES(reply, text))


def _rows(reply: Reply, least: int, most: int) -> list[tuple[Reply, list[Reply]]]:
    """Return what is said of each series, and its key before that: in one row on RESP2, in a map on RESP3."""
    rows = (
        [[key, *items(rest)] for key, rest in reply.items()] if isinstance(reply, dict) else [*map(items, items(reply))]
    )
    if not all(least < len(row) <= most + 1 for row in rows):
        raise unexpected("series with what is known of each", reply)
    return [(key, rest) for key, *rest in rows]


def _labels(reply: Reply, text: Text[S]) -> dict[S, S | None]:
    """Labels: pairs on RESP2, a map on RESP3."""
    return by_data([(label, maybe_bulk(found, text)) for label, found in pairs_in_rows(reply)], text)


def _rules(reply: Reply, text: Text[S]) -> dict[S, CompactionRule]:
    rows = _rows(reply, 3, 3)
    return by_data(
        [(key, CompactionRule(whole(time), own(made), whole(align))) for key, (time, made, align) in rows], text
    )


CHUNK: Final = Record(TimeSeriesChunk, in_lower_case, bytes_per_sample=value)
SERIES: Final = Record(
    TimeSeriesInfo, in_lower_case, labels=_labels, rules=_rules, ignore_max_val_diff=value, chunks=CHUNK.each
)
