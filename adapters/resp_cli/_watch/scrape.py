"""A client's own metrics, as its Prometheus endpoint gives them: fetched, read, and compared with those of the time before.

The text is read by prometheus_client, which is not a requirement of the command: without it `Metrics` says what to install.
"""

from __future__ import annotations

import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import SplitResult, urlsplit

from .._findings import printable
from .._histogram import quantile
from .._info import size
from .._words import duration, rate

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = [
    "MetricFigures",
    "Metrics",
    "MetricsError",
    "MetricsFigures",
    "Scrape",
    "figures_of_metrics",
    "metrics_table",
]

LARGEST: Final = 16 * 1024 * 1024
PATIENCE: Final = 5.0
OWN: Final = ("db_client", "redis", "resp")
"""How the names of a client's metrics begin. If an endpoint has none, all of it is shown but what is about Python itself."""
NOT_OWN: Final = ("python_", "process_", "target_info", "otel_")

Labels: TypeAlias = tuple[tuple[str, str], ...]


class MetricsError(Exception):
    """Metrics can't be asked for at all."""


@dataclass(frozen=True, kw_only=True)
class Scrape:
    """What an endpoint said at one moment: the values of each family's samples, by what stands behind its name and by labels."""

    at: float
    kinds: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[tuple[str, Labels], float]] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class MetricFigures:
    """One metric of one set of labels. `per_second` of what counts; `p50` and `p99` of what is measured, in its own unit."""

    name: str
    labels: Mapping[str, str]
    value: float | None = None
    per_second: float | None = None
    p50: float | None = None
    p99: float | None = None


@dataclass(frozen=True, kw_only=True)
class MetricsFigures:
    """A client's metrics, or why there are none."""

    metrics: Sequence[MetricFigures] = ()
    error: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as `json.dumps` takes it."""
        return asdict(self)


class Metrics:
    """An endpoint. Raises `MetricsError` if it can't be asked, whatever it would say."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or "@" in parts.netloc or not readable(parts):
            raise MetricsError(
                "--metrics takes the http:// or https:// URL of a Prometheus endpoint, without a user name or a password"
            )
        try:
            from prometheus_client.parser import text_string_to_metric_families
        except ImportError:
            raise MetricsError("--metrics needs prometheus-client: python -m pip install prometheus-client") from None
        self._url = url
        self._parse = text_string_to_metric_families

    def scrape(self) -> Scrape:
        """Ask once. What goes wrong is in the result."""
        try:
            with urllib.request.urlopen(self._url, timeout=PATIENCE) as response:
                text = response.read(LARGEST).decode("utf-8", "replace")
            return read_scrape(self._parse(text), time.monotonic())
        except HTTPException as error:  # an OSError, if the endpoint has hung up
            why = error if isinstance(error, OSError) else f"no answer by HTTP ({type(error).__name__})"
            return Scrape(at=time.monotonic(), error=printable(f"no metrics: {why}"))
        except (OSError, LookupError, ValueError) as error:  # the parser raises the last two
            return Scrape(at=time.monotonic(), error=printable(f"no metrics: {error}"))


def readable(parts: SplitResult) -> bool:
    """Is there a port that is a number, or none? (What Python says of another one repeats it, be it half of a password.)"""
    try:
        return parts.port != 0
    except ValueError:
        return False


def read_scrape(families: Iterable[Any], at: float) -> Scrape:
    """Read what the parser gives."""
    kinds: dict[str, str] = {}
    values: dict[str, dict[tuple[str, Labels], float]] = {}
    for family in families:
        kinds[family.name] = family.type
        read = values.setdefault(family.name, {})
        for sample in family.samples:
            part = sample.name.removeprefix(family.name)
            read[part, tuple(sorted(sample.labels.items()))] = sample.value
    return Scrape(at=at, kinds=kinds, values=values)


def figures_of_metrics(before: Scrape | None, after: Scrape) -> MetricsFigures:
    """Return what a client's metrics say of the time in between; of all its time if there is nothing to compare with."""
    if after.error is not None:
        return MetricsFigures(error=after.error)
    names = [name for name in after.values if name.startswith(OWN)]
    names = names or [name for name in after.values if not name.startswith(NOT_OWN)]
    seconds = after.at - before.at if before is not None and before.error is None else None
    found: list[tuple[str, Labels, MetricFigures]] = []
    for name in names:
        was = before.values.get(name, {}) if before is not None and seconds else {}
        found += [
            (name, labels, one) for labels, one in _of_family(after.kinds[name], was, after.values[name], seconds, name)
        ]
    told = _telling([labels for _, labels, _ in found])
    return MetricsFigures(
        metrics=[
            MetricFigures(
                name=printable(name),
                labels={label: printable(value) for label, value in labels if label in told},
                value=one.value,
                per_second=one.per_second,
                p50=one.p50,
                p99=one.p99,
            )
            for name, labels, one in found
        ]
    )


def _of_family(
    kind: str,
    before: Mapping[tuple[str, Labels], float],
    after: Mapping[tuple[str, Labels], float],
    seconds: float | None,
    name: str,
) -> Iterable[tuple[Labels, MetricFigures]]:
    def grown(part: str, labels: Labels) -> float:
        now = after.get((part, labels), 0.0)
        earlier = before.get((part, labels), 0.0)
        return now - earlier if now >= earlier else now  # a process that began anew

    if kind in {"histogram", "summary"}:
        buckets: dict[Labels, list[tuple[float, float]]] = defaultdict(list)
        for part, labels in after:
            bound = _bound(dict(labels).get("le")) if part == "_bucket" else None
            if bound is not None:
                rest = tuple(label for label in labels if label[0] != "le")
                buckets[rest].append((bound, grown(part, labels)))
        for part, labels in after:
            if part == "_count":
                per_second = grown(part, labels) / seconds if seconds else None
                steps = sorted(buckets[labels])
                yield (
                    labels,
                    MetricFigures(
                        name=name, labels={}, per_second=per_second, p50=quantile(steps, 0.5), p99=quantile(steps, 0.99)
                    ),
                )
        return
    for (part, labels), value in after.items():
        if kind == "counter" and part == "_total":
            per_second = grown(part, labels) / seconds if seconds else None
            yield labels, MetricFigures(name=name, labels={}, value=value, per_second=per_second)
        elif kind in {"gauge", "unknown"} and not part:
            yield labels, MetricFigures(name=name, labels={}, value=value)


def _bound(text: str | None) -> float | None:
    """Return up to where a bucket goes, None if that is no number."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _telling(labels: Sequence[Labels]) -> set[str]:
    """Return the labels that tell metrics apart: those that are the same in all say nothing."""
    values: dict[str, set[str | None]] = defaultdict(set)
    for name in {label for one in labels for label, _ in one}:
        values[name] = {dict(one).get(name) for one in labels}
    return {name for name, seen in values.items() if len(seen - {None}) > 1}


def metrics_table(figures: MetricsFigures, most: int | None) -> RenderableType:
    """Draw a client's metrics."""
    from rich.text import Text

    from .frames import table

    if figures.error is not None:
        return Text.assemble("\n", ("Metrics of the client", "bold"), (f": {figures.error}", "red"))
    rows = []
    for one in figures.metrics:
        shown = _unit(one.name)
        labels = " ".join(dict.fromkeys(filter(None, one.labels.values())))
        rows.append(
            [
                one.name.removeprefix("db_client_").removeprefix("redis_client_").removesuffix("_seconds"),
                labels,
                rate(one.per_second),
                shown(one.value),
                shown(one.p50),
                shown(one.p99),
            ]
        )
    heads = ["metric", "of", "per s", "value", "p50", "p99"]
    return table("Metrics of the client", heads, rows, most, "none", texts=2)


def _unit(name: str) -> Any:
    if name.endswith("_seconds"):
        return duration
    if name.endswith("_bytes"):
        return lambda value: "-" if value is None else size(value)
    return lambda value: "-" if value is None else rate(value)
