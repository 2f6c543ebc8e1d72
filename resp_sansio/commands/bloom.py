"""Commands on Bloom filters, which know for certain what was never added. They are a module's, and part of Redis since 8.0."""

from __future__ import annotations

from .._errors import ReplyError
from ..wire.encoder import Argument
from .arguments import integers, numbers
from .arguments_modules import filling
from .command import Command
from .decoding import Binary
from .readers import done, truth, truths, whole
from .readers_sketches import BloomInfo, added, bloom_info, dumped


def bf_reserve(
    key: Argument, error_rate: float, capacity: int, *, expansion: int | None = None, nonscaling: bool = False
) -> Command[None]:
    """Create a filter for so many items, with this rate of wrong answers, from 0 to 1.

    When it is full, one of `expansion` times the size is added to it, or with `nonscaling` nothing more.
    """
    words = filling("BF.RESERVE", None, None, expansion, False, nonscaling)
    return Command("BF.RESERVE", key, error_rate, capacity, *words, read=done)


def bf_add(key: Argument, item: Argument) -> Command[bool]:
    """Add an item; return whether it is new, which may be wrong if it is not."""
    return Command("BF.ADD", key, item, read=truth)


def bf_madd(key: Argument, item: Argument, *items: Argument) -> Command[list[bool | ReplyError]]:
    """As `bf_add` for each item. If one is refused, an error stands in its place, and the ones behind it are missing."""
    return Command("BF.MADD", key, item, *items, read=added)


def bf_insert(
    key: Argument,
    item: Argument,
    *items: Argument,
    capacity: int | None = None,
    error: float | None = None,
    expansion: int | None = None,
    nocreate: bool = False,
    nonscaling: bool = False,
    tightening: float | None = None,
    validatescaleto: int | None = None,
) -> Command[list[bool | ReplyError]]:
    """As `bf_madd`, and create the filter as `bf_reserve` does if there is none, or not with `nocreate`.

    Of Valkey's module alone: `tightening` is how much rarer wrong answers are in each filter that is added, and a filter that
    could never hold `validatescaleto` items is refused.
    """
    words = filling("BF.INSERT", capacity, error, expansion, nocreate, nonscaling)
    words += numbers("BF.INSERT", tightening=tightening) + integers("BF.INSERT", validatescaleto=validatescaleto)
    return Command("BF.INSERT", key, *words, "ITEMS", item, *items, read=added)


def bf_exists(key: Argument, item: Argument) -> Command[bool]:
    """Was this item added? False is certain."""
    return Command("BF.EXISTS", key, item, read=truth)


def bf_mexists(key: Argument, item: Argument, *items: Argument) -> Command[list[bool]]:
    """Which of these items were added? False is certain."""
    return Command("BF.MEXISTS", key, item, *items, read=truths)


def bf_card(key: Argument) -> Command[int]:
    """Return how many items were new when they were added."""
    return Command("BF.CARD", key, read=whole)


def bf_info(key: Argument) -> Command[BloomInfo]:
    """Return how a filter is made and filled."""
    return Command("BF.INFO", key, read=bloom_info)


def bf_scandump(key: Argument, iterator: int) -> Command[tuple[int, Binary]]:
    """Return a piece of a filter for `bf_loadchunk`, and the iterator to go on with; begin with 0, end when 0 comes back."""
    return Command("BF.SCANDUMP", key, iterator, read=dumped)


def bf_loadchunk(key: Argument, iterator: int, data: Argument) -> Command[None]:
    """Restore a piece of a filter, with the iterator that came with it."""
    return Command("BF.LOADCHUNK", key, iterator, data, read=done)
