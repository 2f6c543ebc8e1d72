"""The arguments of commands on time series as words: how samples are kept, and which are wanted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

from ..wire.encoder import Argument
from .arguments import Fields, given, in_turn, integers, is_int, is_number, named, require

__all__ = [
    "Aggregation",
    "Aggregations",
    "Aggregator",
    "Align",
    "Bounds",
    "BucketTime",
    "Encoding",
    "Grouping",
    "Ignore",
    "Labels",
    "NewSample",
    "Policy",
    "Times",
    "aggregated",
    "aggregated_each",
    "aggregated_in_turn",
    "by_filter",
    "chosen",
    "compacted",
    "filtered",
    "keeping",
    "labelled",
    "samples_in_turn",
    "shown",
    "waiting",
]

Encoding: TypeAlias = Literal["COMPRESSED", "UNCOMPRESSED"]

Policy: TypeAlias = Literal["BLOCK", "FIRST", "LAST", "MIN", "MAX", "SUM"]
"""What becomes of a sample for a time that has one: it is refused, or one of the two, or the sum, is kept."""

Ignore: TypeAlias = tuple[int, float]
"""A sample is ignored if it is at most so many milliseconds newer than the last one, and differs by at most so much."""

Times: TypeAlias = Sequence[int]

Bounds: TypeAlias = tuple[float, float]

Aggregator: TypeAlias = Literal[
    "avg", "sum", "min", "max", "range", "count", "first", "last", "std.p", "std.s", "var.p", "var.s", "twa",
    "countNaN", "countAll",
]  # fmt: skip

Reducer: TypeAlias = Literal[
    "avg", "sum", "min", "max", "range", "count", "std.p", "std.s", "var.p", "var.s", "countNaN", "countAll",
]  # fmt: skip

Aggregation: TypeAlias = tuple[Aggregator, int]
"""What is made of the samples of a bucket, and how many milliseconds a bucket has."""

Grouping: TypeAlias = tuple[str | bytes, Reducer]
"""A label, by whose value series become one, and what is made of their samples for the same time."""

Aggregations: TypeAlias = tuple[Sequence[Aggregator], int]
"""The same with several aggregators, for one series or one for each."""

Align: TypeAlias = int | Literal["-", "+", "start", "end"]
"""Where a bucket begins: at a time, or at an end of the range."""

BucketTime: TypeAlias = Literal["-", "~", "+", "start", "mid", "end"]
"""Which time of a bucket is said for it."""

Labels: TypeAlias = Sequence[Argument]

NewSample: TypeAlias = tuple[Argument, Argument, float]
"""A key, a timestamp or `*` for now, and a value."""


def _is_text(value: object) -> bool:
    return isinstance(value, (str, bytes))


def _pair(command: str, name: str, value: object, *right: Callable[[object], bool]) -> None:
    is_right = (
        isinstance(value, tuple)
        and len(value) == 2
        and all([test(part) for test, part in zip(right, value, strict=True)])
    )
    require(is_right, command, name, "a tuple of two, as its type says", value)


def keeping(
    command: str,
    retention: int | None,
    encoding: Encoding | None,
    chunk_size: int | None,
    duplicate_policy: Policy | None,
    ignore: Ignore | None,
) -> list[Argument]:
    """Return the words for how samples are kept."""
    words = integers(command, retention=retention) + named(encoding=encoding) + integers(command, chunk_size=chunk_size)
    words += named(duplicate_policy=duplicate_policy)
    if ignore is not None:
        _pair(command, "ignore", ignore, is_int, is_number)
        words += "IGNORE", *ignore
    return words


def labelled(command: str, labels: Fields | None) -> list[Argument]:
    """Return the words for the labels of a series: there are none behind them."""
    return [] if labels is None else ["LABELS", *in_turn(command, "labels", labels)]


def samples_in_turn(command: str, samples: Sequence[NewSample]) -> list[Argument]:
    """Return keys, timestamps and values in turn."""
    words: list[Argument] = []
    for sample in samples:
        one: object = sample
        right = isinstance(one, tuple) and len(one) == 3 and is_number(one[2])
        require(right, command, "every sample", "a tuple of a key, a timestamp and a number", sample)
        words += sample
    return words


def compacted(command: str, aggregation: Aggregation) -> list[Argument]:
    """Return the words for what is made of the samples of a bucket."""
    _pair(command, "aggregation", aggregation, _is_text, is_int)
    return ["AGGREGATION", *aggregation]


def chosen(
    command: str, latest: bool, filter_by_ts: Times | None, filter_by_value: Bounds | None, count: int | None
) -> list[Argument]:
    """Return the words for which samples to take: of these times, with values between these, no more than so many."""
    words = given(command, latest=latest)
    if filter_by_ts is not None:
        right = isinstance(filter_by_ts, (list, tuple)) and all(map(is_int, filter_by_ts))
        require(right, command, "filter_by_ts", "a list of ints", filter_by_ts)
        words += "FILTER_BY_TS", *filter_by_ts
    if filter_by_value is not None:
        _pair(command, "filter_by_value", filter_by_value, is_number, is_number)
        words += "FILTER_BY_VALUE", *filter_by_value
    return words + integers(command, count=count)


def aggregated(
    command: str,
    aggregation: Aggregation | None,
    align: Align | None,
    buckettimestamp: BucketTime | None,
    empty: bool,
) -> list[Argument]:
    """Return the words for what to make of the samples of each bucket; a server takes no notice of some without the others."""
    made = [] if aggregation is None else compacted(command, aggregation)
    return _bucketed(command, made, align, buckettimestamp, empty)


def aggregated_each(
    command: str,
    keys: int,
    aggregation: Aggregations | None,
    align: Align | None,
    buckettimestamp: BucketTime | None,
    empty: bool,
) -> list[Argument]:
    """As `aggregated`, for so many series."""
    made: list[Argument] = []
    if aggregation is not None:
        _pair(command, "aggregation", aggregation, lambda each: isinstance(each, (list, tuple)), is_int)
        each, duration = aggregation
        if len(each) != keys:
            raise ValueError(f"{command} has {keys} keys and {len(each)} aggregators: give one for each")
        made = ["AGGREGATION", *each, duration]
    return _bucketed(command, made, align, buckettimestamp, empty)


def aggregated_in_turn(
    command: str, aggregation: Aggregations, align: Align | None, buckettimestamp: BucketTime | None, empty: bool
) -> list[Argument]:
    """As `aggregated`, with several aggregators for one series."""
    _pair(command, "aggregation", aggregation, lambda each: isinstance(each, (list, tuple)) and bool(each), is_int)
    each, duration = aggregation
    for name in each:
        require(isinstance(name, str), command, "every aggregator", "a str", name)
    return _bucketed(command, ["AGGREGATION", ",".join(each), duration], align, buckettimestamp, empty)


def _bucketed(
    command: str, made: list[Argument], align: Align | None, buckettimestamp: BucketTime | None, empty: bool
) -> list[Argument]:
    more = named(buckettimestamp=buckettimestamp) + given(command, empty=empty)
    if made:
        return named(align=align) + made + more
    if align is not None or more:
        raise ValueError(f"align, buckettimestamp and empty of {command} go together with aggregation")
    return []


def waiting(command: str, block: int | None, min_count: int | None, max_count: int | None) -> list[Argument]:
    """Return the words for how long to wait for how many samples, and how many to return at most."""
    words = integers(command, block=block)
    least = integers(command, min_count=min_count)[1:]
    if least and not words:
        raise ValueError(f"min_count of {command} says what to wait for: give block, too")
    return [*words, *(least or [1] * bool(words)), *integers(command, max_count=max_count)]


def shown(command: str, withlabels: bool, selected_labels: Labels | None) -> list[Argument]:
    """Return the words for which labels to return. A server takes what follows for labels, unless it is FILTER or its like."""
    words = given(command, withlabels=withlabels)
    if selected_labels is None:
        return words
    if words:
        raise ValueError("withlabels and selected_labels exclude each other")
    right = isinstance(selected_labels, (list, tuple)) and bool(selected_labels)
    require(right, command, "selected_labels", "a list of labels", selected_labels)
    return ["SELECTED_LABELS", *selected_labels]


def by_filter(command: str, filters: Sequence[Argument], groupby: Grouping | None = None) -> list[Argument]:
    """Return the words for which series to take, and how to make one of several."""
    if groupby is None:
        return filtered(filters)
    _pair(command, "groupby", groupby, _is_text, _is_text)
    label, reducer = groupby
    return [*filtered(filters), "GROUPBY", label, "REDUCE", reducer]


def filtered(filters: Sequence[Argument]) -> list[Argument]:
    """Return the words of filters, none if there are none."""
    return ["FILTER", *filters] if filters else []
