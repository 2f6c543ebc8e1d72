"""Commands on streams."""

from __future__ import annotations

from ..wire.encoder import Argument
from .arguments import (
    Fields,
    Nack,
    adding,
    claimed_ids,
    exclusive,
    given,
    in_turn,
    streams_in_turn,
    trimming,
)
from .command import Command
from .readers import Entry, bulk, bulks, by_stream, done, entries, maybe_bulk, truth, whole, wholes
from .readers_streams import (
    Autoclaimed,
    AutoclaimedIDs,
    ClaimedEntry,
    PendingEntry,
    PendingSummary,
    StreamConsumer,
    StreamDetails,
    StreamGroup,
    StreamInfo,
    claimed,
    claimed_by_stream,
    claimed_ids_only,
    consumer_infos,
    group_infos,
    pending,
    pending_summary,
    stream_details,
    stream_info,
)


def xadd(
    key: Argument,
    fields: Fields,
    *,
    id: Argument = "*",
    maxlen: int | None = None,
    minid: Argument | None = None,
    approximate: bool = True,
    limit: int | None = None,
    keepref: bool = False,
    delref: bool = False,
    acked: bool = False,
    idmpauto: Argument | None = None,
    idmp: tuple[Argument, Argument] | None = None,
) -> Command[bytes]:
    """Append an entry; return its ID. `maxlen` and the others up to `acked` trim the stream, as `xtrim` does.

    `idmp` are the IDs of a producer and of what it adds: if it adds that again, the server does not, and returns the ID that it
    returned before. `idmpauto` is the ID of a producer alone: what has the same fields is the same. Both are of Redis 8.6.
    An entry may have a field twice; such a one is sent by `execute("XADD", ...)`.
    """
    options = adding(maxlen, minid, approximate, limit, keepref, delref, acked, idmpauto, idmp, id)
    return Command("XADD", key, *options, *in_turn("XADD", "fields", fields), read=bulk)


def xadd_nomkstream(
    key: Argument,
    fields: Fields,
    *,
    id: Argument = "*",
    maxlen: int | None = None,
    minid: Argument | None = None,
    approximate: bool = True,
    limit: int | None = None,
    keepref: bool = False,
    delref: bool = False,
    acked: bool = False,
    idmpauto: Argument | None = None,
    idmp: tuple[Argument, Argument] | None = None,
) -> Command[bytes | None]:
    """As `xadd`, if there is such a stream; return None if there is none (Redis 6.2)."""
    options = adding(maxlen, minid, approximate, limit, keepref, delref, acked, idmpauto, idmp, id)
    return Command("XADD", key, "NOMKSTREAM", *options, *in_turn("XADD", "fields", fields), read=maybe_bulk)


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
    streams: Fields,
    *,
    count: int | None = None,
    maxcount: int | None = None,
    maxsize: int | None = None,
    block: int | None = None,
) -> Command[dict[bytes, list[Entry[bytes]]]]:
    """Return the entries behind these IDs by stream, as in `{"stream": "0"}`; a stream without any is left out.

    Returns up to `count` of each stream, up to `maxcount` of all, about `maxsize` bytes in all; the last two are of Redis 8.10.
    With `block`, waits on the server for one up to so many milliseconds, 0 for ever.
    """
    options = given("XREAD", count=count, maxcount=maxcount, maxsize=maxsize, block=block)
    return Command("XREAD", *options, *streams_in_turn("XREAD", streams), read=by_stream)


def xreadgroup(
    group: Argument,
    consumer: Argument,
    streams: Fields,
    *,
    count: int | None = None,
    maxcount: int | None = None,
    maxsize: int | None = None,
    block: int | None = None,
    noack: bool = False,
) -> Command[dict[bytes, list[Entry[bytes]]]]:
    """As `xread`, for a consumer of a group: `>` stands for what no consumer has had, an ID for what is pending behind it."""
    options = given("XREADGROUP", count=count, maxcount=maxcount, maxsize=maxsize, block=block, noack=noack)
    words = *options, *streams_in_turn("XREADGROUP", streams)
    return Command("XREADGROUP", "GROUP", group, consumer, *words, read=by_stream)


def xreadgroup_claim(
    group: Argument,
    consumer: Argument,
    min_idle_time: int,
    key: Argument,
    *keys: Argument,
    count: int | None = None,
    maxcount: int | None = None,
    maxsize: int | None = None,
    block: int | None = None,
    noack: bool = False,
) -> Command[dict[bytes, list[ClaimedEntry[bytes]]]]:
    """As `xreadgroup` with `>` for each stream; entries that are pending for so many milliseconds come first (Redis 8.4).

    They are the consumer's from then on. Each entry says how long it was pending and how often it was delivered: 0 if never.
    """
    options = given("XREADGROUP", count=count, maxcount=maxcount, maxsize=maxsize, block=block, noack=noack)
    words = "CLAIM", min_idle_time, *options, "STREAMS", key, *keys, ">", *[">"] * len(keys)
    return Command("XREADGROUP", "GROUP", group, consumer, *words, read=claimed_by_stream)


def xgroup_create(
    key: Argument, group: Argument, id: Argument = "$", *, mkstream: bool = False, entriesread: int | None = None
) -> Command[None]:
    """Create a group that reads what comes behind `id`; `mkstream` creates the stream if there is none.

    `entriesread` says how many entries there were up to `id`, from which the server counts the lag (Redis 7.0).
    """
    options = given("XGROUP CREATE", mkstream=mkstream, entriesread=entriesread)
    return Command("XGROUP CREATE", key, group, id, *options, read=done)


def xgroup_setid(key: Argument, group: Argument, id: Argument, *, entriesread: int | None = None) -> Command[None]:
    """Let a group go on behind `id`. `entriesread` is that of `xgroup_create` (Redis 7.0)."""
    return Command("XGROUP SETID", key, group, id, *given("XGROUP SETID", entriesread=entriesread), read=done)


def xgroup_destroy(key: Argument, group: Argument) -> Command[bool]:
    """Remove a group; return whether there was one."""
    return Command("XGROUP DESTROY", key, group, read=truth)


def xgroup_createconsumer(key: Argument, group: Argument, consumer: Argument) -> Command[bool]:
    """Create a consumer of a group; return whether it is new (Redis 6.2)."""
    return Command("XGROUP CREATECONSUMER", key, group, consumer, read=truth)


def xgroup_delconsumer(key: Argument, group: Argument, consumer: Argument) -> Command[int]:
    """Remove a consumer of a group; return how many entries were pending for it: these are lost to the group."""
    return Command("XGROUP DELCONSUMER", key, group, consumer, read=whole)


def xack(key: Argument, group: Argument, id: Argument, *ids: Argument) -> Command[int]:
    """Say that these entries are done with; return how many were pending."""
    return Command("XACK", key, group, id, *ids, read=whole)


def xackdel(
    key: Argument,
    group: Argument,
    id: Argument,
    *ids: Argument,
    keepref: bool = False,
    delref: bool = False,
    acked: bool = False,
) -> Command[list[int]]:
    """Say that these entries are done with, and delete them; return of each what `xdelex` does (Redis 8.2)."""
    options = exclusive("XACKDEL", keepref=keepref, delref=delref, acked=acked)
    return Command("XACKDEL", key, group, *options, "IDS", 1 + len(ids), id, *ids, read=wholes)


def xnack(
    key: Argument,
    group: Argument,
    mode: Nack,
    id: Argument,
    *ids: Argument,
    retrycount: int | None = None,
    force: bool = False,
) -> Command[int]:
    """Give pending entries back to the group, for any consumer to claim at once; return how many were pending (Redis 8.8).

    `SILENT` takes the delivery out of the count of them, `FAIL` leaves that as it is, `FATAL` makes it as high as can be, and
    `retrycount` makes it this number. `force` makes entries pending that were not.
    """
    options = given("XNACK", retrycount=retrycount, force=force)
    return Command("XNACK", key, group, mode, "IDS", 1 + len(ids), id, *ids, *options, read=whole)


def xpending(key: Argument, group: Argument) -> Command[PendingSummary[bytes]]:
    """Return how many entries are pending in a group, their lowest and highest ID, and how many each consumer has."""
    return Command("XPENDING", key, group, read=pending_summary)


def xpending_range(
    key: Argument,
    group: Argument,
    start: Argument,
    end: Argument,
    count: int,
    consumer: Argument | None = None,
    *,
    idle: int | None = None,
) -> Command[list[PendingEntry[bytes]]]:
    """Return up to `count` pending entries from one ID to another, of one consumer or of all.

    `idle` asks for those that were delivered so many milliseconds ago or earlier (Redis 6.2).
    """
    only = () if consumer is None else (consumer,)
    return Command("XPENDING", key, group, *given("XPENDING", idle=idle), start, end, count, *only, read=pending)


def xclaim(
    key: Argument,
    group: Argument,
    consumer: Argument,
    min_idle_time: int,
    id: Argument,
    *ids: Argument,
    idle: int | None = None,
    time: int | None = None,
    retrycount: int | None = None,
    force: bool = False,
    lastid: Argument | None = None,
) -> Command[list[Entry[bytes]]]:
    """Make pending entries those of a consumer, if they were delivered so many milliseconds ago or earlier; return them.

    Each counts as delivered now, `idle` milliseconds ago or at `time`, Unix milliseconds; and once more, or `retrycount` times.
    `force` makes entries pending that were not; `lastid` is what the group has read up to, if it is higher.
    """
    options = given("XCLAIM", idle=idle, time=time, retrycount=retrycount, force=force, lastid=lastid)
    return Command("XCLAIM", key, group, consumer, min_idle_time, *claimed_ids(id, ids), *options, read=entries)


def xclaim_justid(
    key: Argument,
    group: Argument,
    consumer: Argument,
    min_idle_time: int,
    id: Argument,
    *ids: Argument,
    idle: int | None = None,
    time: int | None = None,
    retrycount: int | None = None,
    force: bool = False,
    lastid: Argument | None = None,
) -> Command[list[bytes]]:
    """As `xclaim`, but return IDs, and do not count it as a delivery."""
    options = given("XCLAIM", idle=idle, time=time, retrycount=retrycount, force=force, lastid=lastid)
    words = *claimed_ids(id, ids), *options
    return Command("XCLAIM", key, group, consumer, min_idle_time, *words, "JUSTID", read=bulks)


def xautoclaim(
    key: Argument,
    group: Argument,
    consumer: Argument,
    min_idle_time: int,
    start: Argument = "0-0",
    *,
    count: int | None = None,
) -> Command[Autoclaimed[bytes]]:
    """Make up to `count` pending entries from `start` on those of a consumer, as `xclaim` does (Redis 6.2).

    Returns where to go on, `0-0` if that was all, the entries, and the IDs of pending ones that are deleted (Redis 7.0).
    """
    options = given("XAUTOCLAIM", count=count)
    return Command("XAUTOCLAIM", key, group, consumer, min_idle_time, start, *options, read=claimed)


def xautoclaim_justid(
    key: Argument,
    group: Argument,
    consumer: Argument,
    min_idle_time: int,
    start: Argument = "0-0",
    *,
    count: int | None = None,
) -> Command[AutoclaimedIDs[bytes]]:
    """As `xautoclaim`, but return IDs in place of entries, and do not count it as a delivery (Redis 6.2)."""
    options = *given("XAUTOCLAIM", count=count), "JUSTID"
    return Command("XAUTOCLAIM", key, group, consumer, min_idle_time, start, *options, read=claimed_ids_only)


def xdel(key: Argument, id: Argument, *ids: Argument) -> Command[int]:
    """Delete entries; return how many there were."""
    return Command("XDEL", key, id, *ids, read=whole)


def xdelex(
    key: Argument,
    id: Argument,
    *ids: Argument,
    keepref: bool = False,
    delref: bool = False,
    acked: bool = False,
) -> Command[list[int]]:
    """Delete entries; return of each 1 if it is deleted, -1 if there is none, 2 if it is still needed (Redis 8.2).

    What is pending in groups stays so (`keepref`, as without any option), or not (`delref`). `acked` deletes no entry that a
    group has yet to read or to acknowledge.
    """
    options = exclusive("XDELEX", keepref=keepref, delref=delref, acked=acked)
    return Command("XDELEX", key, *options, "IDS", 1 + len(ids), id, *ids, read=wholes)


def xtrim(
    key: Argument,
    *,
    maxlen: int | None = None,
    minid: Argument | None = None,
    approximate: bool = True,
    limit: int | None = None,
    keepref: bool = False,
    delref: bool = False,
    acked: bool = False,
) -> Command[int]:
    """Delete the oldest entries beyond `maxlen`, or those before `minid` (Redis 6.2); return how many.

    `approximate` leaves some more where that is cheaper, and deletes up to `limit` of them (Redis 6.2). `keepref`, `delref` and
    `acked` are those of `xdelex` (Redis 8.2).
    """
    words = trimming("XTRIM", maxlen, minid, approximate, limit)
    if not words:
        raise ValueError("give maxlen or minid")
    references = exclusive("XTRIM", keepref=keepref, delref=delref, acked=acked)
    return Command("XTRIM", key, *words, *references, read=whole)


def xsetid(
    key: Argument, last_id: Argument, *, entriesadded: int | None = None, maxdeletedid: Argument | None = None
) -> Command[None]:
    """Make `last_id` the last ID of a stream: the next entry has a higher one.

    `entriesadded` makes it a stream that ever had so many entries, `maxdeletedid` one that had this as the highest deleted ID;
    both are of Redis 7.0.
    """
    options = given("XSETID", entriesadded=entriesadded, maxdeletedid=maxdeletedid)
    return Command("XSETID", key, last_id, *options, read=done)


def xcfgset(key: Argument, *, idmp_duration: int | None = None, idmp_maxsize: int | None = None) -> Command[None]:
    """Set for how many seconds a stream keeps the IDs in `idmp` of `xadd`, and how many of each producer (Redis 8.6)."""
    options = given("XCFGSET", **{"idmp-duration": idmp_duration, "idmp-maxsize": idmp_maxsize})
    if not options:
        raise ValueError("give idmp_duration or idmp_maxsize")
    return Command("XCFGSET", key, *options, read=done)


def xidmprecord(key: Argument, pid: Argument, iid: Argument, stream_id: Argument) -> Command[None]:
    """Say that the entry `stream_id` is what `xadd` made for the IDs `pid` and `iid`, those of its `idmp` (Redis 8.6.2)."""
    return Command("XIDMPRECORD", key, pid, iid, stream_id, read=done)


def xinfo_stream(key: Argument) -> Command[StreamInfo[bytes]]:
    """Return what the server knows of a stream."""
    return Command("XINFO STREAM", key, read=stream_info)


def xinfo_stream_full(key: Argument, *, count: int | None = None) -> Command[StreamDetails[bytes]]:
    """As `xinfo_stream`, with entries, groups and what is pending: up to `count` of each, 10 if not given, 0 for all."""
    return Command("XINFO STREAM", key, "FULL", *given("XINFO STREAM", count=count), read=stream_details)


def xinfo_groups(key: Argument) -> Command[list[StreamGroup[bytes]]]:
    """Return what the server knows of the groups of a stream."""
    return Command("XINFO GROUPS", key, read=group_infos)


def xinfo_consumers(key: Argument, group: Argument) -> Command[list[StreamConsumer[bytes]]]:
    """Return what the server knows of the consumers of a group."""
    return Command("XINFO CONSUMERS", key, group, read=consumer_infos)
