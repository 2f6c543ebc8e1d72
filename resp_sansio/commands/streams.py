"""Commands on streams."""

from __future__ import annotations

from ..wire.encoder import Argument
from .arguments import Fields, entry_id, given, in_turn, streams_in_turn, trimming
from .command import Command
from .readers import Entry, bulk, by_stream, done, entries, truth, whole


def xadd(
    key: Argument,
    fields: Fields,
    *,
    id: Argument = "*",
    maxlen: int | None = None,
    minid: Argument | None = None,
    approximate: bool = True,
    limit: int | None = None,
) -> Command[bytes]:
    """Append an entry; return its ID. `maxlen` and the others trim the stream, as `xtrim` does.

    An entry may have a field twice; such a one is sent by `execute("XADD", ...)`.
    """
    words = trimming("XADD", maxlen, minid, approximate, limit)
    return Command("XADD", key, *words, entry_id(id), *in_turn("XADD", "fields", fields), read=bulk)


def xlen(key: Argument) -> Command[int]:
    """Return the number of entries."""
    return Command("XLEN", key, read=whole)


def xrange(
    key: Argument, start: Argument = "-", end: Argument = "+", *, count: int | None = None
) -> Command[list[Entry[bytes]]]:
    """Return the entries from one ID to another, both included, oldest first."""
    return Command("XRANGE", key, start, end, *given("XRANGE", count=count), read=entries)


def xrevrange(
    key: Argument, end: Argument = "+", start: Argument = "-", *, count: int | None = None
) -> Command[list[Entry[bytes]]]:
    """Return the entries from one ID back to another, both included, newest first."""
    return Command("XREVRANGE", key, end, start, *given("XREVRANGE", count=count), read=entries)


def xread(
    streams: Fields, *, count: int | None = None, block: int | None = None
) -> Command[dict[bytes, list[Entry[bytes]]]]:
    """Return the entries behind these IDs by stream, as in `{"stream": "0"}`; a stream without any is left out.

    With `block`, waits on the server for one up to so many milliseconds, 0 for ever.
    """
    return Command(
        "XREAD", *given("XREAD", count=count, block=block), *streams_in_turn("XREAD", streams), read=by_stream
    )


def xreadgroup(
    group: Argument,
    consumer: Argument,
    streams: Fields,
    *,
    count: int | None = None,
    block: int | None = None,
    noack: bool = False,
) -> Command[dict[bytes, list[Entry[bytes]]]]:
    """As `xread`, for a consumer of a group: `>` stands for what no consumer has had, an ID for what is pending behind it."""
    options = given("XREADGROUP", count=count, block=block, noack=noack)
    return Command(
        "XREADGROUP", "GROUP", group, consumer, *options, *streams_in_turn("XREADGROUP", streams), read=by_stream
    )


def xgroup_create(key: Argument, group: Argument, id: Argument = "$", *, mkstream: bool = False) -> Command[None]:
    """Create a group that reads what comes behind `id`; `mkstream` creates the stream if there is none."""
    return Command("XGROUP CREATE", key, group, id, *given("XGROUP CREATE", mkstream=mkstream), read=done)


def xgroup_destroy(key: Argument, group: Argument) -> Command[bool]:
    """Remove a group; return whether there was one."""
    return Command("XGROUP DESTROY", key, group, read=truth)


def xack(key: Argument, group: Argument, id: Argument, *ids: Argument) -> Command[int]:
    """Say that these entries are done with; return how many were pending."""
    return Command("XACK", key, group, id, *ids, read=whole)


def xdel(key: Argument, id: Argument, *ids: Argument) -> Command[int]:
    """Delete entries; return how many there were."""
    return Command("XDEL", key, id, *ids, read=whole)


def xtrim(
    key: Argument,
    *,
    maxlen: int | None = None,
    minid: Argument | None = None,
    approximate: bool = True,
    limit: int | None = None,
) -> Command[int]:
    """Delete the oldest entries beyond `maxlen`, or those before `minid` (Redis 6.2); return how many.

    `approximate` leaves some more where that is cheaper, and deletes up to `limit` of them (Redis 6.2).
    """
    words = trimming("XTRIM", maxlen, minid, approximate, limit)
    if not words:
        raise ValueError("give maxlen or minid")
    return Command("XTRIM", key, *words, read=whole)
