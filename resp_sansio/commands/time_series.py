"""Commands on time series: numbers by time, in milliseconds. They are a module's, and part of Redis since 8.0."""

from __future__ import annotations

from .._errors import ReplyError
from ..wire.encoder import Argument
from .arguments import Fields, given, integers, named
from .arguments_time_series import (
    Aggregation,
    Aggregations,
    Align,
    Bounds,
    BucketTime,
    Encoding,
    Grouping,
    Ignore,
    Labels,
    NewSample,
    Policy,
    Times,
    aggregated,
    aggregated_each,
    aggregated_in_turn,
    by_filter,
    chosen,
    compacted,
    filtered,
    keeping,
    labelled,
    samples_in_turn,
    shown,
    waiting,
)
from .command import Command
from .readers import Members, done, members, whole, wholes_or_errors
from .readers_time_series import (
    LastSample,
    Sample,
    SampleRow,
    Series,
    SeriesRows,
    TimeSeriesInfo,
    aggregates,
    last_samples,
    many_aggregates,
    many_series,
    maybe_sample,
    sample_rows,
    samples,
    time_series,
)


def ts_create(
    key: Argument,
    *,
    retention: int | None = None,
    encoding: Encoding | None = None,
    chunk_size: int | None = None,
    duplicate_policy: Policy | None = None,
    ignore: Ignore | None = None,
    labels: Fields | None = None,
) -> Command[None]:
    """Create a series. `retention` says for how many milliseconds samples are kept, and `ts_mrange` finds it by its labels."""
    words = keeping("TS.CREATE", retention, encoding, chunk_size, duplicate_policy, ignore)
    return Command("TS.CREATE", key, *words, *labelled("TS.CREATE", labels), read=done)


def ts_alter(
    key: Argument,
    *,
    retention: int | None = None,
    chunk_size: int | None = None,
    duplicate_policy: Policy | None = None,
    ignore: Ignore | None = None,
    labels: Fields | None = None,
) -> Command[None]:
    """Change how a series is kept, or give it these labels in place of all that it has."""
    words = keeping("TS.ALTER", retention, None, chunk_size, duplicate_policy, ignore)
    return Command("TS.ALTER", key, *words, *labelled("TS.ALTER", labels), read=done)


def ts_add(
    key: Argument,
    timestamp: Argument,
    value: float,
    *,
    retention: int | None = None,
    encoding: Encoding | None = None,
    chunk_size: int | None = None,
    duplicate_policy: Policy | None = None,
    on_duplicate: Policy | None = None,
    ignore: Ignore | None = None,
    labels: Fields | None = None,
) -> Command[int]:
    """Add a sample at a time, `*` for now; return the time. All options but `on_duplicate` are for a series that is new."""
    words = keeping("TS.ADD", retention, encoding, chunk_size, duplicate_policy, ignore)
    words += named(on_duplicate=on_duplicate) + labelled("TS.ADD", labels)
    return Command("TS.ADD", key, timestamp, value, *words, read=whole)


def ts_madd(sample: NewSample, *samples: NewSample) -> Command[list[int | ReplyError]]:
    """Add samples, each of them a key, a timestamp and a number; return the time of each, or the error that refused it."""
    return Command("TS.MADD", *samples_in_turn("TS.MADD", (sample, *samples)), read=wholes_or_errors)


def ts_incrby(
    key: Argument,
    addend: float,
    *,
    timestamp: Argument | None = None,
    retention: int | None = None,
    encoding: Encoding | None = None,
    chunk_size: int | None = None,
    duplicate_policy: Policy | None = None,
    ignore: Ignore | None = None,
    labels: Fields | None = None,
) -> Command[int]:
    """Add a sample that is the last one plus `addend`, now if no time is given; return the time.

    The time must not be before that of the last sample. The other options are for a series that is new.
    """
    words = named(timestamp=timestamp)
    words += keeping("TS.INCRBY", retention, encoding, chunk_size, duplicate_policy, ignore)
    return Command("TS.INCRBY", key, addend, *words, *labelled("TS.INCRBY", labels), read=whole)


def ts_decrby(
    key: Argument,
    subtrahend: float,
    *,
    timestamp: Argument | None = None,
    retention: int | None = None,
    encoding: Encoding | None = None,
    chunk_size: int | None = None,
    duplicate_policy: Policy | None = None,
    ignore: Ignore | None = None,
    labels: Fields | None = None,
) -> Command[int]:
    """As `ts_incrby`, with the last sample minus `subtrahend`."""
    words = named(timestamp=timestamp)
    words += keeping("TS.DECRBY", retention, encoding, chunk_size, duplicate_policy, ignore)
    return Command("TS.DECRBY", key, subtrahend, *words, *labelled("TS.DECRBY", labels), read=whole)


def ts_del(key: Argument, from_timestamp: int, to_timestamp: int) -> Command[int]:
    """Delete the samples from one time to another, both included; return how many."""
    return Command("TS.DEL", key, from_timestamp, to_timestamp, read=whole)


def ts_createrule(
    source_key: Argument, dest_key: Argument, aggregation: Aggregation, *, align_timestamp: int | None = None
) -> Command[None]:
    """Make of each new bucket of one series a sample of another, as in `("avg", 60_000)`.

    `align_timestamp` is a time at which a bucket begins.
    """
    align = integers("TS.CREATERULE", align_timestamp=align_timestamp)[1:]
    return Command("TS.CREATERULE", source_key, dest_key, *compacted("TS.CREATERULE", aggregation), *align, read=done)


def ts_deleterule(source_key: Argument, dest_key: Argument) -> Command[None]:
    """End that samples of one series are made of another's."""
    return Command("TS.DELETERULE", source_key, dest_key, read=done)


def ts_get(key: Argument, *, latest: bool = False) -> Command[Sample | None]:
    """Return the last sample, None if there is none; with `latest` that of a bucket that is not full yet."""
    return Command("TS.GET", key, *given("TS.GET", latest=latest), read=maybe_sample)


def ts_mget(
    filter: Argument,
    *filters: Argument,
    latest: bool = False,
    withlabels: bool = False,
    selected_labels: Labels | None = None,
) -> Command[dict[bytes, LastSample[bytes]]]:
    """Return the last sample of each series whose labels pass all filters, by its key; see `ts_mrange`."""
    words = given("TS.MGET", latest=latest) + shown("TS.MGET", withlabels, selected_labels)
    return Command("TS.MGET", *words, *by_filter("TS.MGET", (filter, *filters)), read=last_samples)


def ts_range(
    key: Argument,
    from_timestamp: Argument = "-",
    to_timestamp: Argument = "+",
    *,
    latest: bool = False,
    filter_by_ts: Times | None = None,
    filter_by_value: Bounds | None = None,
    count: int | None = None,
    align: Align | None = None,
    aggregation: Aggregation | None = None,
    buckettimestamp: BucketTime | None = None,
    empty: bool = False,
) -> Command[list[Sample]]:
    """Return samples from one time to another, both included, oldest first.

    `filter_by_ts` are times, `filter_by_value` the least value and the greatest one. `latest` also returns what a rule would
    make of a bucket that is not full yet. `aggregation` makes one sample of each bucket, as in `("avg", 60_000)`; `countNaN`
    and `countAll` are of Redis 8.6. `align` is a time at which one begins, `buckettimestamp` which of its times is said for
    it, and `empty` returns those without a sample, too.
    """
    words = chosen("TS.RANGE", latest, filter_by_ts, filter_by_value, count)
    words += aggregated("TS.RANGE", aggregation, align, buckettimestamp, empty)
    return Command("TS.RANGE", key, from_timestamp, to_timestamp, *words, read=samples)


def ts_revrange(
    key: Argument,
    from_timestamp: Argument = "-",
    to_timestamp: Argument = "+",
    *,
    latest: bool = False,
    filter_by_ts: Times | None = None,
    filter_by_value: Bounds | None = None,
    count: int | None = None,
    align: Align | None = None,
    aggregation: Aggregation | None = None,
    buckettimestamp: BucketTime | None = None,
    empty: bool = False,
) -> Command[list[Sample]]:
    """As `ts_range`, newest first."""
    words = chosen("TS.REVRANGE", latest, filter_by_ts, filter_by_value, count)
    words += aggregated("TS.REVRANGE", aggregation, align, buckettimestamp, empty)
    return Command("TS.REVRANGE", key, from_timestamp, to_timestamp, *words, read=samples)


def ts_range_aggregators(
    key: Argument,
    from_timestamp: Argument = "-",
    to_timestamp: Argument = "+",
    *,
    aggregation: Aggregations,
    latest: bool = False,
    filter_by_ts: Times | None = None,
    filter_by_value: Bounds | None = None,
    count: int | None = None,
    align: Align | None = None,
    buckettimestamp: BucketTime | None = None,
    empty: bool = False,
) -> Command[list[SampleRow]]:
    """As `ts_range`, with several aggregators, as in `(["min", "max"], 60_000)`: a row has a value by each (Redis 8.8)."""
    words = chosen("TS.RANGE", latest, filter_by_ts, filter_by_value, count)
    words += aggregated_in_turn("TS.RANGE", aggregation, align, buckettimestamp, empty)
    return Command("TS.RANGE", key, from_timestamp, to_timestamp, *words, read=aggregates)


def ts_revrange_aggregators(
    key: Argument,
    from_timestamp: Argument = "-",
    to_timestamp: Argument = "+",
    *,
    aggregation: Aggregations,
    latest: bool = False,
    filter_by_ts: Times | None = None,
    filter_by_value: Bounds | None = None,
    count: int | None = None,
    align: Align | None = None,
    buckettimestamp: BucketTime | None = None,
    empty: bool = False,
) -> Command[list[SampleRow]]:
    """As `ts_range_aggregators`, newest first (Redis 8.8)."""
    words = chosen("TS.REVRANGE", latest, filter_by_ts, filter_by_value, count)
    words += aggregated_in_turn("TS.REVRANGE", aggregation, align, buckettimestamp, empty)
    return Command("TS.REVRANGE", key, from_timestamp, to_timestamp, *words, read=aggregates)


def ts_nrange(
    key: Argument,
    *keys: Argument,
    from_timestamp: Argument = "-",
    to_timestamp: Argument = "+",
    latest: bool = False,
    filter_by_ts: Times | None = None,
    filter_by_value: Bounds | None = None,
    count: int | None = None,
    align: Align | None = None,
    aggregation: Aggregations | None = None,
    buckettimestamp: BucketTime | None = None,
    empty: bool = False,
) -> Command[list[SampleRow]]:
    """Return the samples of several series by time, oldest first (Redis 8.10).

    `aggregation` has an aggregator for each series, as in `(["min", "max"], 60_000)`. All else is as in `ts_range`.
    """
    words = chosen("TS.NRANGE", latest, filter_by_ts, filter_by_value, count)
    words += aggregated_each("TS.NRANGE", 1 + len(keys), aggregation, align, buckettimestamp, empty)
    return Command("TS.NRANGE", 1 + len(keys), key, *keys, from_timestamp, to_timestamp, *words, read=sample_rows)


def ts_nrevrange(
    key: Argument,
    *keys: Argument,
    from_timestamp: Argument = "-",
    to_timestamp: Argument = "+",
    latest: bool = False,
    filter_by_ts: Times | None = None,
    filter_by_value: Bounds | None = None,
    count: int | None = None,
    align: Align | None = None,
    aggregation: Aggregations | None = None,
    buckettimestamp: BucketTime | None = None,
    empty: bool = False,
) -> Command[list[SampleRow]]:
    """As `ts_nrange`, newest first (Redis 8.10)."""
    words = chosen("TS.NREVRANGE", latest, filter_by_ts, filter_by_value, count)
    words += aggregated_each("TS.NREVRANGE", 1 + len(keys), aggregation, align, buckettimestamp, empty)
    return Command("TS.NREVRANGE", 1 + len(keys), key, *keys, from_timestamp, to_timestamp, *words, read=sample_rows)


def ts_read(
    key: Argument,
    timestamp: Argument,
    *,
    block: int | None = None,
    min_count: int | None = None,
    max_count: int | None = None,
) -> Command[list[Sample]]:
    """Return samples from a time on, oldest first; `-` is the first of them, `+` the last, `$` what comes next (Redis 8.10).

    With `block`, waits on the server for `min_count` of them, 1 if not given, up to so many milliseconds, 0 for ever.
    """
    return Command("TS.READ", key, timestamp, *waiting("TS.READ", block, min_count, max_count), read=samples)


def ts_mrange(
    from_timestamp: Argument,
    to_timestamp: Argument,
    filter: Argument,
    *filters: Argument,
    latest: bool = False,
    filter_by_ts: Times | None = None,
    filter_by_value: Bounds | None = None,
    withlabels: bool = False,
    selected_labels: Labels | None = None,
    count: int | None = None,
    align: Align | None = None,
    aggregation: Aggregation | None = None,
    buckettimestamp: BucketTime | None = None,
    empty: bool = False,
    groupby: Grouping | None = None,
) -> Command[dict[bytes, Series[bytes]]]:
    """Return samples of all series whose labels pass all filters, by key, oldest first.

    A filter is `label=value`, `label!=value`, `label=(a,b)`, `label=` for series without the label, `label!=` for those with
    it; one at least must ask for a value. `withlabels` returns all labels of each series, `selected_labels` these. `groupby`
    makes one series of those with the same value of a label, as in `("region", "max")`: its key is `region=value` then. All
    else is as in `ts_range`.
    """
    words = chosen("TS.MRANGE", latest, filter_by_ts, filter_by_value, count)
    words += aggregated("TS.MRANGE", aggregation, align, buckettimestamp, empty)
    words += shown("TS.MRANGE", withlabels, selected_labels) + by_filter("TS.MRANGE", (filter, *filters), groupby)
    return Command("TS.MRANGE", from_timestamp, to_timestamp, *words, read=many_series)


def ts_mrevrange(
    from_timestamp: Argument,
    to_timestamp: Argument,
    filter: Argument,
    *filters: Argument,
    latest: bool = False,
    filter_by_ts: Times | None = None,
    filter_by_value: Bounds | None = None,
    withlabels: bool = False,
    selected_labels: Labels | None = None,
    count: int | None = None,
    align: Align | None = None,
    aggregation: Aggregation | None = None,
    buckettimestamp: BucketTime | None = None,
    empty: bool = False,
    groupby: Grouping | None = None,
) -> Command[dict[bytes, Series[bytes]]]:
    """As `ts_mrange`, newest first."""
    words = chosen("TS.MREVRANGE", latest, filter_by_ts, filter_by_value, count)
    words += aggregated("TS.MREVRANGE", aggregation, align, buckettimestamp, empty)
    words += shown("TS.MREVRANGE", withlabels, selected_labels) + by_filter("TS.MREVRANGE", (filter, *filters), groupby)
    return Command("TS.MREVRANGE", from_timestamp, to_timestamp, *words, read=many_series)


def ts_mrange_aggregators(
    from_timestamp: Argument,
    to_timestamp: Argument,
    filter: Argument,
    *filters: Argument,
    aggregation: Aggregations,
    latest: bool = False,
    filter_by_ts: Times | None = None,
    filter_by_value: Bounds | None = None,
    withlabels: bool = False,
    selected_labels: Labels | None = None,
    count: int | None = None,
    align: Align | None = None,
    buckettimestamp: BucketTime | None = None,
    empty: bool = False,
) -> Command[dict[bytes, SeriesRows[bytes]]]:
    """As `ts_mrange`, with several aggregators, as in `(["min", "max"], 60_000)`: a row has a value by each (Redis 8.8)."""
    words = chosen("TS.MRANGE", latest, filter_by_ts, filter_by_value, count)
    words += aggregated_in_turn("TS.MRANGE", aggregation, align, buckettimestamp, empty)
    words += shown("TS.MRANGE", withlabels, selected_labels) + by_filter("TS.MRANGE", (filter, *filters))
    return Command("TS.MRANGE", from_timestamp, to_timestamp, *words, read=many_aggregates)


def ts_mrevrange_aggregators(
    from_timestamp: Argument,
    to_timestamp: Argument,
    filter: Argument,
    *filters: Argument,
    aggregation: Aggregations,
    latest: bool = False,
    filter_by_ts: Times | None = None,
    filter_by_value: Bounds | None = None,
    withlabels: bool = False,
    selected_labels: Labels | None = None,
    count: int | None = None,
    align: Align | None = None,
    buckettimestamp: BucketTime | None = None,
    empty: bool = False,
) -> Command[dict[bytes, SeriesRows[bytes]]]:
    """As `ts_mrange_aggregators`, newest first (Redis 8.8)."""
    words = chosen("TS.MREVRANGE", latest, filter_by_ts, filter_by_value, count)
    words += aggregated_in_turn("TS.MREVRANGE", aggregation, align, buckettimestamp, empty)
    words += shown("TS.MREVRANGE", withlabels, selected_labels) + by_filter("TS.MREVRANGE", (filter, *filters))
    return Command("TS.MREVRANGE", from_timestamp, to_timestamp, *words, read=many_aggregates)


def ts_queryindex(filter: Argument, *filters: Argument) -> Command[Members[bytes]]:
    """Return the keys of the series whose labels pass all filters; see `ts_mrange`."""
    return Command("TS.QUERYINDEX", filter, *filters, read=members)


def ts_querylabels_labels(*filters: Argument) -> Command[Members[bytes]]:
    """Return the names of all labels, or of those of the series that pass all filters (Redis 8.10); see `ts_mrange`."""
    return Command("TS.QUERYLABELS", "LABELS", *filtered(filters), read=members)


def ts_querylabels_values(label: Argument, *filters: Argument) -> Command[Members[bytes]]:
    """Return the values that a label has, or has in the series that pass all filters (Redis 8.10); see `ts_mrange`."""
    return Command("TS.QUERYLABELS", "VALUES", label, *filtered(filters), read=members)


def ts_info(key: Argument, *, debug: bool = False) -> Command[TimeSeriesInfo[bytes]]:
    """Return how a series is made and kept, with `debug` its chunks as well."""
    return Command("TS.INFO", key, *given("TS.INFO", debug=debug), read=time_series)
