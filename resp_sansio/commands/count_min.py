"""Commands on count-min sketches, which count items and never too low. They are a module's, and part of Redis since 8.0."""

from __future__ import annotations

from .._errors import ReplyError
from ..wire.encoder import Argument
from .arguments import Weights, weighing
from .arguments_modules import Counts, counts_in_turn
from .command import Command
from .readers import done, wholes, wholes_or_errors
from .readers_sketches import CountMinInfo, count_min_info


def cms_initbydim(key: Argument, width: int, depth: int) -> Command[None]:
    """Create a sketch of so many counters in so many rows: more in a row make less error, more rows make it rarer."""
    return Command("CMS.INITBYDIM", key, width, depth, read=done)


def cms_initbyprob(key: Argument, error: float, probability: float) -> Command[None]:
    """Create a sketch by how much too high a count may be, as a part of all counts, and how probable more than that may be."""
    return Command("CMS.INITBYPROB", key, error, probability, read=done)


def cms_incrby(key: Argument, counts: Counts) -> Command[list[int | ReplyError]]:
    """Add to the counts of items, as in `{"item": 5}`; return the result of each, or the error that says it is too high."""
    return Command("CMS.INCRBY", key, *counts_in_turn("CMS.INCRBY", counts), read=wholes_or_errors)


def cms_query(key: Argument, item: Argument, *items: Argument) -> Command[list[int]]:
    """Return the counts of items, which may be too high."""
    return Command("CMS.QUERY", key, item, *items, read=wholes)


def cms_merge(
    destination: Argument, source: Argument, *sources: Argument, weights: Weights | None = None
) -> Command[None]:
    """Make of a sketch the sum of others of the same size, each multiplied by its weight, a whole number."""
    words = weighing("CMS.MERGE", 1 + len(sources), weights, None)
    return Command("CMS.MERGE", destination, 1 + len(sources), source, *sources, *words, read=done)


def cms_info(key: Argument) -> Command[CountMinInfo]:
    """Return the size of a sketch, and the sum of all counts."""
    return Command("CMS.INFO", key, read=count_min_info)
