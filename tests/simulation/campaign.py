"""Many histories, on all processors: `python -m simulation.campaign 100000`. Says how fast it went, and which seeds fail.

A part of them is lived through on each adapter, too.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from simulation.adapters.lives import ADAPTERS, OF_CLUSTERS
from simulation.adapters.lives import explain as explain_adapter
from simulation.adapters.lives import lives as adapter_lives
from simulation.cluster.lives import explain as explain_cluster
from simulation.cluster.script import draw as draw_cluster
from simulation.cluster.world import ClusterWorld
from simulation.script import draw
from simulation.sentinels import explain as explain_sentinels
from simulation.sentinels import lives as sentinel_lives
from simulation.shrink import explain
from simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from simulation.script import Script

__all__ = ["Tally", "campaign", "lives"]

PART: Final = 500
MOST: Final = 3  # failures told in full
SHARE: Final = 50  # of so many histories of the machine, one is lived through on each adapter, too
CLUSTERS: Final = 250  # and for so many one of a cluster's client, which takes longer
BOTH: Final = 1000  # and for so many one of a cluster's client on each adapter
SENTINELS: Final = 250  # and for so many one of a client behind sentinels


class Tally(NamedTuple):
    """What so many histories came to. `failed` has seeds, in their order."""

    histories: int
    calls: int
    steps: int
    seconds: float  # of one processor
    outcomes: Counter[str]
    failed: list[int]


def lives(first: int, last: int, draw: Callable[[int], Script] = draw, world: type[World] = World) -> Tally:
    """Live through the histories of these seeds, the last one excluded."""
    calls = steps = 0
    outcomes: Counter[str] = Counter()
    failed = []
    begun = time.process_time()
    for seed in range(first, last):
        try:
            lived = world(draw(seed))
            lived.run()
        except Exception:  # noqa: BLE001  # a fault of the client may show in any way
            failed.append(seed)
        else:
            calls += lived.calls
            steps += lived.steps
            outcomes += lived.checks.answers
    return Tally(last - first, calls, steps, time.process_time() - begun, outcomes, failed)


cluster_lives: Final = partial(lives, draw=draw_cluster, world=ClusterWorld)
"""The same for a cluster's client."""


def campaign(first: int, number: int, processes: int, lives: Callable[[int, int], Tally] = lives) -> Tally:
    """The same for so many histories in so many processes."""
    starts = range(first, first + number, PART)
    ends = [min(start + PART, first + number) for start in starts]
    done = 0
    parts = []
    with ProcessPoolExecutor(processes) as pool:
        for part in pool.map(lives, starts, ends):
            parts.append(part)
            done += part.histories
            if done % (PART * 40) == 0:
                print(f"{done} histories, failed: {[seed for one in parts for seed in one.failed]}", flush=True)
    return Tally(
        done,
        sum(part.calls for part in parts),
        sum(part.steps for part in parts),
        sum(part.seconds for part in parts),
        sum((part.outcomes for part in parts), Counter()),
        [seed for part in parts for seed in part.failed],
    )


def adapters(first: int, number: int, processes: int, names: Iterable[str] = ADAPTERS) -> dict[str, list[int]]:
    """Live through so many histories on each of these, say how fast that went, and return the seeds that fail."""
    failed = {}
    size = min(PART, -(-number // processes))
    starts = range(first, first + number, size)
    ends = [min(start + size, first + number) for start in starts]
    with ProcessPoolExecutor(processes) as pool:
        for name in names:
            parts = list(pool.map(adapter_lives, [name] * len(ends), starts, ends))
            callers, seconds = sum(part[0] for part in parts), sum(part[1] for part in parts)
            failed[name] = [seed for part in parts for seed in part[2]]
            rate = number / seconds
            print(
                f"{name}: {number} histories, {callers} callers, {rate:.0f} per second of CPU; failed: {failed[name]}"
            )
    return failed


def behind_sentinels(first: int, number: int, processes: int) -> list[int]:
    """Live through so many histories of a client behind sentinels, say how fast that went, and return the seeds that fail."""
    size = min(PART, -(-number // processes))
    starts = range(first, first + number, size)
    ends = [min(start + size, first + number) for start in starts]
    with ProcessPoolExecutor(processes) as pool:
        parts = list(pool.map(sentinel_lives, starts, ends))
    failed = [seed for _, seeds in parts for seed in seeds]
    rate = number / sum(seconds for seconds, _ in parts)
    print(f"behind sentinels: {number} histories, {rate:.0f} per second of CPU; failed: {failed}")
    return failed


def tell(first: int, processes: int, tally: Tally, begun: float, explain: Callable[[int], str]) -> None:
    """Say how fast these histories went, and how some of them failed."""
    print(
        f"seeds {first} to {first + tally.histories - 1}: {tally.histories} histories, {tally.calls} callers, {tally.steps} steps"
    )
    print(f"commands that must not run twice: {dict(tally.outcomes)}")
    passed, rates = time.monotonic() - begun, [tally.histories / tally.seconds, tally.steps / tally.seconds]
    print(
        f"{passed:.0f} s on {processes} processes; on one: {rates[0]:.0f} histories and {rates[1]:.0f} steps per second of CPU"
    )
    for seed in tally.failed[:MOST]:
        print(explain(seed))
    print(f"{len(tally.failed)} failed: {tally.failed[:20]}")


def main() -> int:
    """Run as many as asked for, from seed 0 or the one that is given second."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    processes = int(sys.argv[3]) if len(sys.argv) > 3 else os.cpu_count() or 1
    begun = time.monotonic()
    tally = campaign(first, number, processes)
    tell(first, processes, tally, begun, explain)
    failed = adapters(first, max(number // SHARE, 1), processes)
    failed |= adapters(first, max(number // BOTH, 1), processes, OF_CLUSTERS)
    for name, seeds in failed.items():
        for seed in seeds[:MOST]:
            print(explain_adapter(name, seed))
    print("clients of clusters:")
    begun = time.monotonic()
    of_clusters = campaign(first, max(number // CLUSTERS, 1), processes, cluster_lives)
    tell(first, processes, of_clusters, begun, explain_cluster)
    sentinels = behind_sentinels(first, max(number // SENTINELS, 1), processes)
    for seed in sentinels[:MOST]:
        print(explain_sentinels(seed))
    return bool(tally.failed or any(failed.values()) or of_clusters.failed or sentinels)


if __name__ == "__main__":
    sys.exit(main())
