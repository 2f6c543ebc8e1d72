"""Commands on cuckoo filters, from which items can be taken out. They are a module's, and part of Redis since 8.0."""

from __future__ import annotations

from ..wire.encoder import Argument
from .arguments import integers
from .arguments_modules import filling
from .command import Command
from .decoding import Binary
from .readers import done, truth, truths, whole, wholes
from .readers_sketches import CuckooInfo, cuckoo_info, dumped, inserted


def cf_reserve(
    key: Argument,
    capacity: int,
    *,
    bucketsize: int | None = None,
    maxiterations: int | None = None,
    expansion: int | None = None,
) -> Command[None]:
    """Create a filter for so many items.

    `bucketsize` is the number of items with the same place, `maxiterations` how often items are moved to make room before the
    filter grows, and `expansion` by how much it does.
    """
    words = integers("CF.RESERVE", bucketsize=bucketsize, maxiterations=maxiterations, expansion=expansion)
    return Command("CF.RESERVE", key, capacity, *words, read=done)


def cf_add(key: Argument, item: Argument) -> Command[bool]:
    """Add an item, once more if it is there; return True. A full filter is an error."""
    return Command("CF.ADD", key, item, read=truth)


def cf_addnx(key: Argument, item: Argument) -> Command[bool]:
    """Add an item if it is not there; return whether it was added. A full filter is an error."""
    return Command("CF.ADDNX", key, item, read=truth)


def cf_insert(
    key: Argument, item: Argument, *items: Argument, capacity: int | None = None, nocreate: bool = False
) -> Command[list[bool]]:
    """Add items, once more if they are there, and create the filter if there is none; return for which there was room."""
    words = filling("CF.INSERT", capacity, None, None, nocreate, False)
    return Command("CF.INSERT", key, *words, "ITEMS", item, *items, read=inserted)


def cf_insertnx(
    key: Argument, item: Argument, *items: Argument, capacity: int | None = None, nocreate: bool = False
) -> Command[list[int]]:
    """Add those items that are not there, and create the filter if there is none.

    Return of each 1 if it was added, 0 if it is there, and -1 if there was no room for it.
    """
    words = filling("CF.INSERTNX", capacity, None, None, nocreate, False)
    return Command("CF.INSERTNX", key, *words, "ITEMS", item, *items, read=wholes)


def cf_exists(key: Argument, item: Argument) -> Command[bool]:
    """Is this item there? False is certain."""
    return Command("CF.EXISTS", key, item, read=truth)


def cf_mexists(key: Argument, item: Argument, *items: Argument) -> Command[list[bool]]:
    """Which of these items are there? False is certain."""
    return Command("CF.MEXISTS", key, item, *items, read=truths)


def cf_del(key: Argument, item: Argument) -> Command[bool]:
    """Take an item out once; return whether it was there. Only what was added may be taken out, or another item is lost."""
    return Command("CF.DEL", key, item, read=truth)


def cf_count(key: Argument, item: Argument) -> Command[int]:
    """Return how often an item was added, or some more."""
    return Command("CF.COUNT", key, item, read=whole)


def cf_info(key: Argument) -> Command[CuckooInfo]:
    """Return how a filter is made and filled."""
    return Command("CF.INFO", key, read=cuckoo_info)


def cf_scandump(key: Argument, iterator: int) -> Command[tuple[int, Binary]]:
    """Return a piece of a filter for `cf_loadchunk`, and the iterator to go on with; begin with 0, end when 0 comes back."""
    return Command("CF.SCANDUMP", key, iterator, read=dumped)


def cf_loadchunk(key: Argument, iterator: int, data: Argument) -> Command[None]:
    """Restore a piece of a filter, with the iterator that came with it."""
    return Command("CF.LOADCHUNK", key, iterator, data, read=done)
