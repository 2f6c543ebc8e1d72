"""Commands on t-digests, which know how numbers are distributed. They are a module's, and part of Redis since 8.0.

Of a digest without numbers every number that is asked for is NaN.
"""

from __future__ import annotations

from ..wire.encoder import Argument
from .arguments import given, integers
from .command import Command
from .readers import done, number, wholes
from .readers_sketches import TDigestInfo, doubles, t_digest_info


def tdigest_create(key: Argument, *, compression: int | None = None) -> Command[None]:
    """Create a digest; the higher `compression` is, the more exact it is, and the larger."""
    return Command("TDIGEST.CREATE", key, *integers("TDIGEST.CREATE", compression=compression), read=done)


def tdigest_reset(key: Argument) -> Command[None]:
    """Forget all numbers of a digest."""
    return Command("TDIGEST.RESET", key, read=done)


def tdigest_add(key: Argument, value: float, *values: float) -> Command[None]:
    """Add numbers to a digest."""
    return Command("TDIGEST.ADD", key, value, *values, read=done)


def tdigest_merge(
    destination: Argument,
    source: Argument,
    *sources: Argument,
    compression: int | None = None,
    override: bool = False,
) -> Command[None]:
    """Add to a digest what others have, or make it anew of them (`override`)."""
    words = integers("TDIGEST.MERGE", compression=compression) + given("TDIGEST.MERGE", override=override)
    return Command("TDIGEST.MERGE", destination, 1 + len(sources), source, *sources, *words, read=done)


def tdigest_min(key: Argument) -> Command[float]:
    """Return the lowest number."""
    return Command("TDIGEST.MIN", key, read=number)


def tdigest_max(key: Argument) -> Command[float]:
    """Return the highest number."""
    return Command("TDIGEST.MAX", key, read=number)


def tdigest_quantile(key: Argument, quantile: float, *quantiles: float) -> Command[list[float]]:
    """Return the numbers that these parts of all numbers, from 0 to 1, are not above."""
    return Command("TDIGEST.QUANTILE", key, quantile, *quantiles, read=doubles)


def tdigest_cdf(key: Argument, value: float, *values: float) -> Command[list[float]]:
    """Return for each value the part of all numbers, from 0 to 1, that is not above it."""
    return Command("TDIGEST.CDF", key, value, *values, read=doubles)


def tdigest_rank(key: Argument, value: float, *values: float) -> Command[list[int]]:
    """Return for each value how many numbers are below it: -1 if it is below all, -2 if there are none."""
    return Command("TDIGEST.RANK", key, value, *values, read=wholes)


def tdigest_revrank(key: Argument, value: float, *values: float) -> Command[list[int]]:
    """Return for each value how many numbers are above it: -1 if it is above all, -2 if there are none."""
    return Command("TDIGEST.REVRANK", key, value, *values, read=wholes)


def tdigest_byrank(key: Argument, rank: int, *ranks: int) -> Command[list[float]]:
    """Return the number at each place from the lowest, 0 for the first; behind the last it is infinite."""
    return Command("TDIGEST.BYRANK", key, rank, *ranks, read=doubles)


def tdigest_byrevrank(key: Argument, reverse_rank: int, *reverse_ranks: int) -> Command[list[float]]:
    """Return the number at each place from the highest, 0 for the first; behind the last it is minus infinity."""
    return Command("TDIGEST.BYREVRANK", key, reverse_rank, *reverse_ranks, read=doubles)


def tdigest_trimmed_mean(key: Argument, low_cut_quantile: float, high_cut_quantile: float) -> Command[float]:
    """Return the mean of the numbers between two quantiles, from 0 to 1."""
    return Command("TDIGEST.TRIMMED_MEAN", key, low_cut_quantile, high_cut_quantile, read=number)


def tdigest_info(key: Argument) -> Command[TDigestInfo]:
    """Return how a digest is made and filled."""
    return Command("TDIGEST.INFO", key, read=t_digest_info)
