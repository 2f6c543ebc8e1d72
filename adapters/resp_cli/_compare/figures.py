"""What a comparison has found: the figures of each case, and all that must be known to read them. JSON, and back."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from .meter import Case, Run

__all__ = ["PERCENTILES", "Comparison", "Figures", "figures_of", "percentile"]

PERCENTILES: Final = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "p99.9": 0.999}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Medians of the rounds of one case. Times in seconds, None where there is nothing to say.

    `throughput` in operations a second; `noise` is how far its rounds lay from the median, as a part of it. `client_cpu` and
    `server_cpu` are for one operation. `per_write`: commands that the server found in one read of a socket. `latency` is at
    `rate` operations a second, `small` that of the operations with a value of the smallest size, where there are others.
    `unsteady`: how many times as high as in the best round the p99 was in the worst.
    """

    library: str
    strategy: str
    callers: int
    throughput: float
    noise: float
    connections: int
    client_cpu: float
    server_cpu: float | None
    per_write: float | None
    rate: float
    latency: Mapping[str, float | None]
    small: Mapping[str, float | None]
    unsteady: float
    unserved: int
    errors: int
    error: str

    @property
    def case(self) -> Case:
        """What these are the figures of."""
        return Case(self.library, self.strategy, self.callers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All that was found. `load` says what was asked, `spread` how many times as large as the smallest value the largest is.

    There were `rounds`, in which each case ran for some `seconds`, and as many for its latencies. `share`: the arrivals' part of
    the slowest strategy's throughput, 0 if the rate was given. `foreign`: the part of the server's commands that others sent.
    """

    load: str
    spread: float
    server: str
    client: str
    pool_size: int
    batch: int
    rounds: int
    seconds: float
    share: float
    foreign: float
    figures: Sequence[Figures]

    def of(self, library: str, callers: int) -> dict[str, Figures]:
        """Return the figures of one library and number of callers, by the name of the strategy."""
        return {one.strategy: one for one in self.figures if (one.library, one.callers) == (library, callers)}

    @property
    def groups(self) -> list[tuple[str, int]]:
        """Libraries and numbers of callers, in the order of the figures."""
        return list(dict.fromkeys((one.library, one.callers) for one in self.figures))

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as what `json.dumps` takes."""
        return {"format": 1, **asdict(self)}

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> Comparison:
        """Read what `as_dict` returned."""
        fields = {name: value for name, value in said.items() if name != "format"}
        return cls(**{**fields, "figures": [Figures(**one) for one in fields["figures"]]})


def figures_of(case: Case, rate: float, runs: Sequence[Run], timed: Sequence[Run], *, sizes: bool = False) -> Figures:
    """Put the rounds of a case together: those of asking without a pause, and those in which latencies were measured.

    `sizes`: there are small values and others.
    """
    throughput = [run.operations / run.seconds for run in runs]
    middle = statistics.median(throughput)
    both = (*runs, *timed)
    return Figures(
        library=case.library,
        strategy=case.strategy,
        callers=case.callers,
        throughput=middle,
        noise=max(abs(one - middle) for one in throughput) / middle if middle else 0.0,
        connections=round(statistics.median(run.connections for run in both)),
        client_cpu=_median(_ratio(run.cpu, run.operations) for run in runs) or 0.0,
        server_cpu=_median(_ratio(run.server_cpu, run.operations) for run in runs),
        per_write=_median(_ratio(run.server_commands, run.server_reads) for run in runs),
        rate=rate,
        latency=_percentiles([run.latencies for run in timed]),
        small=_percentiles([run.small for run in timed]) if sizes else {},
        unsteady=_unsteady([percentile(sorted(run.latencies), 0.99) for run in timed]),
        unserved=sum(run.unserved for run in timed),
        errors=sum(run.errors for run in both),
        error=next((run.error for run in both if run.error), ""),
    )


def percentile(ordered: Sequence[float], part: float) -> float | None:
    """Return the smallest value that so large a part does not exceed; None if there are not two values beyond it."""
    if len(ordered) * (1 - part) < 2:
        return None
    return ordered[math.ceil(len(ordered) * part) - 1]


def _percentiles(rounds: Sequence[Sequence[float]]) -> dict[str, float | None]:
    """The median of the rounds' own; where a round alone has too few values for one, that of all of them together."""
    ordered = [sorted(each) for each in rounds]
    together = sorted(value for each in rounds for value in each)
    found: dict[str, float | None] = {}
    for name, part in PERCENTILES.items():
        each = [percentile(one, part) for one in ordered]
        found[name] = _median(each) if None not in each else percentile(together, part)
    return found


def _unsteady(rounds: Sequence[float | None]) -> float:
    known = [value for value in rounds if value]
    return max(known) / min(known) if known else 1.0


def _ratio(above: float | None, below: float | None) -> float | None:
    return above / below if above is not None and below else None


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None
