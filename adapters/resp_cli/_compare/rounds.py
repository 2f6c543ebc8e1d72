"""The order of the runs: how much each case can do, then its latencies, each in rounds in which all cases have their turn.

A shared machine is faster at one minute than at the next. So a round goes through all cases, and what is compared was measured
within one round; the figures are medians of the rounds.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from resp_sansio import __version__

from .figures import Comparison, figures_of
from .meter import Case, Job, Run
from .processes import run_apart
from .workload import Load

__all__ = ["Settings", "compare"]

START: Final = 0.2
"""Seconds that the processes of a run take to start and to end, roughly."""

SHORTEST: Final = 0.15
"""Seconds below which a run says little: rather fewer rounds."""

LONGEST: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What to compare, how, and in which time. `rate` in operations a second, 0 for `share` of what the slowest can do."""

    url: str
    load: Load
    cases: Sequence[Case]
    pool_size: int
    batch: int
    duration: float
    rounds: int
    rate: float
    share: float


Progress: TypeAlias = Callable[[str, int, int], None]
"""Is told what begins, its number, and of how many."""


def compare(settings: Settings, server: str, progress: Progress) -> Comparison:
    """Run all of it, in about `settings.duration` seconds: the rounds without a pause first, for the rates of the others."""
    rounds = _rounds(settings)
    clock = Clock(settings.duration, 2 * rounds * len(settings.cases))
    without_pause = _run(settings, rounds, {}, clock, 0.5, progress)
    slowest = {case: _slowest(without_pause, case) for case in settings.cases}
    rates = {case: settings.rate or max(1.0, settings.share * slowest[case]) for case in settings.cases}
    timed = _run(settings, rounds, rates, clock, 1.0, progress)
    return Comparison(
        load=settings.load.describe(),
        spread=settings.load.spread,
        server=server,
        client=f"resp-sansio {__version__}, {platform.python_implementation()} {platform.python_version()}",
        pool_size=settings.pool_size,
        batch=settings.batch,
        rounds=min(len(runs) for each in (without_pause, timed) for runs in each.values()),
        seconds=clock.average,
        share=0.0 if settings.rate else settings.share,
        foreign=_foreign(without_pause),
        figures=[
            figures_of(case, rates[case], without_pause[case], timed[case], sizes=settings.load.spread > 1)
            for case in settings.cases
        ],
    )


class Clock:
    """How long a run may take so that all of them end in time: it learns how long a process takes to start and to end."""

    def __init__(self, duration: float, runs: int) -> None:
        self.runs: Final = runs
        self.done = 0
        self.measured = 0.0
        self._begin: Final = time.monotonic()
        self._duration: Final = duration

    def seconds(self) -> float:
        """Return the length of each run of the next round."""
        spent = time.monotonic() - self._begin
        start = (spent - self.measured) / self.done if self.done else START
        return min(LONGEST, max(SHORTEST, (self._duration - spent) / max(1, self.runs - self.done) - start))

    def count(self, seconds: float) -> None:
        """Count a run of this length."""
        self.done += 1
        self.measured += seconds

    @property
    def spent(self) -> float:
        """Which part of the time has gone."""
        return (time.monotonic() - self._begin) / self._duration

    @property
    def average(self) -> float:
        """How long the runs were."""
        return self.measured / self.done


def _run(
    settings: Settings, rounds: int, rates: Mapping[Case, float], clock: Clock, share: float, progress: Progress
) -> dict[Case, list[Run]]:
    """Give each case its turn in each round, at its rate if it has one. Each round begins with another case.

    No round begins after so large a share of the time: on a busy machine processes take longer to start than was thought.
    """
    cases = settings.cases
    runs: dict[Case, list[Run]] = {case: [] for case in cases}
    for turn in range(rounds):
        if turn and clock.spent > share:
            break
        seconds = clock.seconds()
        for place in range(len(cases)):
            case = cases[(place + turn) % len(cases)]
            progress(f"{case.library}, {case.strategy}, {case.callers} callers", clock.done, clock.runs)
            job = Job(
                case=case,
                url=settings.url,
                load=settings.load,
                pool_size=settings.pool_size,
                batch=settings.batch,
                seconds=seconds,
                rate=rates.get(case, 0.0),
                seed=turn,
            )
            runs[case].append(run_apart(job))
            clock.count(seconds)
    return runs


def _rounds(settings: Settings) -> int:
    """Return how many rounds fit into the time."""
    each = 2 * len(settings.cases) * (START + SHORTEST)
    return max(1, min(settings.rounds, int(settings.duration / each)))


def _slowest(runs: Mapping[Case, Sequence[Run]], case: Case) -> float:
    """Return the throughput of the slowest round of the slowest strategy of the same library and callers."""
    alike = [each for one, each in runs.items() if (one.library, one.callers) == (case.library, case.callers)]
    return min(run.operations / run.seconds for each in alike for run in each)


def _foreign(runs: Mapping[Case, Sequence[Run]]) -> float:
    """Return the part of the server's commands that others sent, as far as the server counts commands."""
    every = [run for each in runs.values() for run in each if run.server_commands]
    processed = sum(run.server_commands or 0.0 for run in every)
    return max(0.0, 1 - sum(run.operations for run in every) / processed) if processed else 0.0
