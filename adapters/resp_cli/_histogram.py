"""Times as counts in buckets: little memory for any number of them, and quantiles of what came between two moments."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from typing import Final

__all__ = ["Histogram", "quantile"]

SHORTEST: Final = 1e-6
PER_DOUBLING: Final = 8
"""Buckets from one time to its double: a quantile is right to within 9 %."""
BUCKETS: Final = 30 * PER_DOUBLING  # up to 1,074 s
FACTOR: Final = PER_DOUBLING / math.log(2)


class Histogram:
    """How many times were how long, in seconds: in buckets that grow by 9 % each."""

    __slots__ = ("counts", "sum")

    def __init__(self) -> None:
        self.counts: array[int] = array("q", bytes(8 * BUCKETS))
        self.sum: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        place = math.ceil(math.log(seconds / SHORTEST) * FACTOR) if seconds > SHORTEST else 0
        self.counts[place if place < BUCKETS else BUCKETS - 1] += 1
        self.sum += seconds

    def copy(self) -> Histogram:
        """Return what it is now."""
        copied = Histogram()
        copied.counts, copied.sum = self.counts[:], self.sum
        return copied

    def since(self, before: Histogram | None) -> Histogram:
        """Return what came since it was that."""
        if before is None:
            return self.copy()
        grown = Histogram()
        grown.counts = array("q", (now - then for now, then in zip(self.counts, before.counts, strict=True)))
        grown.sum = self.sum - before.sum
        return grown

    def __len__(self) -> int:
        return sum(self.counts)

    @property
    def mean(self) -> float | None:
        """The mean, None if there is nothing."""
        count = len(self)
        return self.sum / count if count else None

    def quantile(self, wanted: float) -> float | None:
        """Return a quantile, None if there is nothing."""
        below = 0
        steps = []
        for place, count in enumerate(self.counts):
            below += count
            steps.append((SHORTEST * 2 ** (place / PER_DOUBLING), float(below)))
        return quantile(steps, wanted)


def quantile(buckets: Sequence[tuple[float, float]], wanted: float) -> float | None:
    """Return a quantile of a histogram, given as upper bounds with how many are at or below each; None if it is empty.

    Within a bucket values are taken to be spread evenly; what is beyond the last bound is at the last bound.
    """
    if not buckets or not buckets[-1][1] > 0:
        return None
    rank = wanted * buckets[-1][1]
    lower = below = 0.0
    for bound, upto in buckets:
        if upto >= rank and upto > below:
            return lower if math.isinf(bound) else lower + (bound - lower) * (rank - below) / (upto - below)
        lower, below = bound, upto
    return lower
