"""Commands on top lists, which keep the items that come most often. They are a module's, and part of Redis since 8.0."""

from __future__ import annotations

from ..wire.encoder import Argument
from .arguments_modules import Counts, counts_in_turn, dimensions
from .command import Command
from .readers import bulks, done, maybe_bulks, truths, wholes
from .readers_sketches import TopKInfo, items_counted, top_k_info


def topk_reserve(
    key: Argument, topk: int, *, width: int | None = None, depth: int | None = None, decay: float | None = None
) -> Command[None]:
    """Create a list of so many items, of `width` counters in `depth` rows, which `decay` when another item has them, too."""
    return Command("TOPK.RESERVE", key, topk, *dimensions("TOPK.RESERVE", width, depth, decay), read=done)


def topk_add(key: Argument, item: Argument, *items: Argument) -> Command[list[bytes | None]]:
    """Count items; return for each the one that has left the list for it, None if none has."""
    return Command("TOPK.ADD", key, item, *items, read=maybe_bulks)


def topk_incrby(key: Argument, counts: Counts) -> Command[list[bytes | None]]:
    """Count items more than once, as in `{"item": 5}`, at most 100,000 times; return as `topk_add` does.

    Another count is refused here: servers answer it with fewer replies than they have said there will be.
    """
    return Command("TOPK.INCRBY", key, *counts_in_turn("TOPK.INCRBY", counts, 100_000), read=maybe_bulks)


def topk_query(key: Argument, item: Argument, *items: Argument) -> Command[list[bool]]:
    """Which of these items are on the list?"""
    return Command("TOPK.QUERY", key, item, *items, read=truths)


def topk_count(key: Argument, item: Argument, *items: Argument) -> Command[list[int]]:
    """Return the counts of items, which may be too low. Deprecated: use `topk_list_withcount`."""
    return Command("TOPK.COUNT", key, item, *items, read=wholes)


def topk_list(key: Argument) -> Command[list[bytes]]:
    """Return the items on the list, the most frequent first."""
    return Command("TOPK.LIST", key, read=bulks)


def topk_list_withcount(key: Argument) -> Command[list[tuple[bytes, int]]]:
    """As `topk_list`, with their counts."""
    return Command("TOPK.LIST", key, "WITHCOUNT", read=items_counted)


def topk_info(key: Argument) -> Command[TopKInfo]:
    """Return how a list is made."""
    return Command("TOPK.INFO", key, read=top_k_info)
