"""A consumer of a group: what is asked of a stream's group, in which order, and what is handed over.

    its own pending entries, page by page  ->  those of others that have waited for too long  <->  new ones, waiting for them

It begins with its own pending entries, and begins anew there whenever a reply may have been lost: an entry that the server has
delivered is pending until it is acknowledged, so nothing is lost but time. They are asked for behind the last one that came:
behind 0 the same would come again and again, and never wait.

With `min_idle`, entries that were delivered to any consumer so long ago, and are pending still, are claimed from time to time. So
that others do not claim what is in hands here, the server is told of it when a third of this time is over and this consumer asks
for anything. Once all of it is over, what waits here unhandled may be another's, and is asked for anew.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from functools import partial
from math import ceil, inf
from typing import Any, Final, NamedTuple

from ..commands.command import Command, Reader
from ..commands.decoding import S, Text
from ..commands.readers import Entry, items
from ..commands.readers_streams import Autoclaimed, PendingEntry, claimed
from ..commands.streams import xclaim_justid, xgroup_create, xpending_range, xreadgroup
from ..wire.values import Reply
from .call import unreadable
from .queues import LONGEST, Queue, Step, StreamEntry, name_of, number_of

__all__ = ["StreamQueue"]

Key = tuple[bytes, bytes]
"""A stream and the ID of one of its entries."""

FIRST: Final = b"0-0"
MOST: Final = 1000
"""So many IDs stand in one command."""


class Ready(NamedTuple):
    """An entry that is to be handed over."""

    key: Key
    pairs: list[tuple[bytes, bytes]]
    deliveries: int
    again: bool


class StreamQueue(Queue[StreamEntry[S]]):
    """The state of a consumer. Raises `TypeError` and `ValueError` for wrong options.

    `deleted`: how many entries were deleted from the stream while they were pending: they are acknowledged, and not handed over.
    """

    def __init__(
        self,
        streams: Sequence[str | bytes],
        group: str | bytes,
        consumer: str | bytes,
        *,
        text: Text[S],
        count: int = 10,
        block: int | None = 5000,
        min_idle: int | None = None,
        create: bool = True,
        patient: bool = True,
    ) -> None:
        super().__init__(text, block, patient=patient)
        self._streams = [name_of("a stream", stream) for stream in streams]
        if not streams or len({*self._streams}) < len(streams):
            raise ValueError("name at least one stream, and none twice")
        self._group = name_of("group", group)
        self._consumer = name_of("consumer", consumer)
        self._count = number_of("count", count, 1)
        self._min_idle = None if min_idle is None else number_of("min_idle", min_idle, 1)
        self._create = create
        self.deleted: int = 0
        self._ready: deque[Ready] = deque()
        self._held: set[Key] = set()  # ready, in a handler's hands, or done and not yet acknowledged
        self._settled: list[Key] = []  # known to be acknowledged, but a page that was made before may be on its way
        self._acks: dict[bytes, dict[bytes, None]] = {}  # done, and perhaps sent
        self._unread = dict.fromkeys(
            self._streams, FIRST
        )  # where own pending entries are to be asked for, behind which ID
        self._unclaimed: dict[bytes, bytes] = {}  # where those of others are, from which ID on
        self._uncounted: list[tuple[bytes, Entry[bytes]]] = []  # claimed, and not known how often delivered
        self._claim_at = inf if min_idle is None else -inf
        self._fresh_at = -inf  # when the server was told last that entries are in hands here
        self._missing = self._created = False  # a group; created: and nothing has shown yet that it is there

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self._ready)} ready, {len(self._held)} in hands>"

    # -- what is handed over -------------------------------------------------------------------------------------------------

    def take(self, now: float) -> StreamEntry[S] | None:
        """See `Queue.take`."""
        if not self._ready or now >= self._acks_due or now >= self._beat_due:
            return None
        ready = self._ready[0]
        try:
            made = self._made(ready)
        except UnicodeDecodeError as error:
            told = unreadable(error, READ)
        else:
            self._ready.popleft()
            return made
        self._ready.popleft()
        self._held.discard(ready.key)  # it stays pending
        raise told  # here, where no data is in the context

    def _made(self, ready: Ready) -> StreamEntry[S]:
        key, pairs, deliveries, again = ready
        one = self._text.one
        stream, id = one(key[0]), one(key[1])
        return StreamEntry(self, key, again, stream, id, [(one(name), one(value)) for name, value in pairs], deliveries)

    def _found(self, stream: bytes, entry: Entry[bytes], deliveries: int, now: float, *, again: bool) -> None:
        """An entry is this consumer's: hand it over, unless that was done."""
        id, pairs = entry
        key = stream, id
        if key in self._held:
            return
        if pairs:
            self._ready.append(Ready(key, pairs, deliveries, again))
        else:
            self.deleted += 1
            self._done.append(key)
        if not self._held:
            self._fresh_at = now
        self._held.add(key)

    # -- what is acknowledged ------------------------------------------------------------------------------------------------

    def _take_note(self) -> None:
        """Take note of what handlers have said."""
        while self._failed:
            self._held.discard(self._failed.popleft())

    def _acknowledge(self, step: Step, *, apart: bool) -> None:
        self._take_note()
        while self._done:
            stream, id = self._done.popleft()
            self._acks.setdefault(stream, {})[id] = None
        for stream, ids in self._acks.items():
            for part in _parts([*ids]):
                command = Command("XACK", stream, self._group, *part, retry=True)  # twice is no more than once
                step.append((command, partial(self._acknowledged, stream, part, apart)))

    def _acknowledged(self, stream: bytes, ids: list[bytes], apart: bool, _count: object, _now: float) -> None:
        acks = self._acks.get(stream, {})
        for id in ids:
            acks.pop(id, None)  # another answer may have been faster
        settled = [(stream, id) for id in ids]
        if apart:
            self._settled += settled
        else:
            self._held.difference_update(settled)
        if not acks:
            self._acks.pop(stream, None)

    @property
    def _in_hands(self) -> set[Key]:
        """What others are not to claim."""
        return self._held - {(stream, id) for stream, ids in self._acks.items() for id in ids}

    @property
    def _beat_due(self) -> float:
        return inf if self._min_idle is None or not self._held else self._fresh_at + self._min_idle / 3000

    def _keep(self, step: Step, now: float) -> None:
        """Tell the server that entries are in hands; or, if that is too late, see which of them are this consumer's still."""
        if self._min_idle is not None and now >= self._fresh_at + self._min_idle / 1000:
            self._held.difference_update([ready.key for ready in self._ready])
            self._ready.clear()
            self._fresh_at = now
            self._begin()
            return
        by_stream: dict[bytes, list[bytes]] = {}
        for stream, id in sorted(self._in_hands):
            by_stream.setdefault(stream, []).append(id)
        for stream, ids in by_stream.items():
            for sent in _parts(ids):
                command = xclaim_justid(stream, self._group, self._consumer, 0, *sent)
                step.append((command, self._kept))

    def _kept(self, _ids: object, now: float) -> None:
        self._fresh_at = now

    # -- what is asked for ---------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._unread = dict.fromkeys(self._streams, FIRST)

    def _ask(self, step: Step, now: float) -> None:
        self._held.difference_update(self._settled)
        self._settled.clear()
        if now >= self._beat_due:
            self._keep(step, now)
        if self._ready:
            return
        if now >= self._claim_at:
            assert self._min_idle is not None
            self._unclaimed = self._unclaimed or dict.fromkeys(self._streams, FIRST)
            self._claim_at = now + self._min_idle / 1000
        if self._missing:
            for stream in self._streams:
                step.append((xgroup_create(stream, self._group, "0", mkstream=True), self._made_group))
        elif self._uncounted:
            for stream, entry in self._uncounted:
                command = xpending_range(stream, self._group, entry.id, entry.id, 1, self._consumer)
                step.append((command, partial(self._counted, stream, entry)))
        elif self._unread:
            self._ask_for_own(step)
        elif self._unclaimed:
            for stream, start in self._unclaimed.items():
                words = stream, self._group, self._consumer, self._min_idle or 0, start, "COUNT", self._count
                step.append((Command("XAUTOCLAIM", *words, read=CLAIMED), partial(self._claimed, stream)))
        else:
            self._ask_for_new(step, now)

    def _ask_for_own(self, step: Step) -> None:
        """One page of each stream; and how often each of it was delivered, which only XPENDING says."""
        command = xreadgroup(self._group, self._consumer, self._unread, count=self._count)
        page: list[dict[bytes, list[Entry[bytes]]]] = []  # one, unless it is refused
        step.append((command, partial(self._own_page, page)))
        for stream, last in self._unread.items():
            behind = xpending_range(stream, self._group, b"(" + last, "+", self._count, self._consumer)
            step.append((behind, partial(self._own, stream, page)))

    def _own_page(
        self, page: list[dict[bytes, list[Entry[bytes]]]], found: dict[bytes, list[Entry[bytes]]], _now: float
    ) -> None:
        page.append(found)
        self._created = False

    def _own(
        self, stream: bytes, page: list[dict[bytes, list[Entry[bytes]]]], pending: list[PendingEntry[bytes]], now: float
    ) -> None:
        if not page:
            return  # another stream has no group yet: all are asked for again
        entries, deliveries = page[0].get(stream, []), {each.id: each.deliveries for each in pending}
        for entry in entries:
            if entry.id in deliveries:  # else another has claimed it meanwhile
                self._found(stream, entry, deliveries[entry.id], now, again=True)
        if len(entries) < self._count:
            del self._unread[stream]
        else:
            self._unread[stream] = entries[-1].id

    def _claimed(self, stream: bytes, claimed: Autoclaimed[bytes], _now: float) -> None:
        self.deleted += len(claimed.deleted)
        if claimed.next == FIRST:
            del self._unclaimed[stream]
        else:
            self._unclaimed[stream] = claimed.next
        self._uncounted += [(stream, entry) for entry in claimed.entries]

    def _counted(self, stream: bytes, entry: Entry[bytes], pending: list[PendingEntry[bytes]], now: float) -> None:
        self._uncounted.remove((stream, entry))
        for each in pending:  # none, if another has claimed it since
            self._found(stream, entry, each.deliveries, now, again=True)

    def _ask_for_new(self, step: Step, now: float) -> None:
        streams = dict.fromkeys(self._streams, b">")
        block = None if self._block is None else min(self._block, self._time_left(now))
        command = xreadgroup(self._group, self._consumer, streams, count=self._count, block=block)
        step.append((command, self._new))

    def _time_left(self, now: float) -> int:
        """In milliseconds, until there is something else to do."""
        until = min(self._again_at, self._claim_at, self._beat_due if self._in_hands else inf)
        return LONGEST if until == inf else max(ceil((until - now) * 1000), 1)

    def _new(self, found: dict[bytes, list[Entry[bytes]]], now: float) -> None:
        for stream, entries in found.items():
            for entry in entries:
                self._found(stream, entry, 1, now, again=False)
        self.over: bool = self._block is None and not any(found.values()) and not self._anew

    # -- a group that is not there -------------------------------------------------------------------------------------------

    def lost(self, step: Step, now: float) -> None:
        """See `Queue.lost`. The server may have been started again, with nothing of what it had."""
        super().lost(step, now)
        self._created = False

    def _helped(self, error: Exception, command: Command[Any]) -> bool:
        code = getattr(error, "code", "")
        if code == "NOGROUP" and self._create and not self._created:
            self._missing = True
            return True
        if code == "BUSYGROUP" and command.info.name == "XGROUP CREATE":
            self._made_group(None, 0.0)  # this one was there, or another consumer was faster
            return True
        return super()._helped(error, command)

    def _made_group(self, _reply: object, _now: float) -> None:
        self._missing, self._created = False, True
        self._begin()  # a read that does not wait shows that it is there


def _claimed(reply: Reply, text: Text[S]) -> Autoclaimed[S]:
    """XAUTOCLAIM; Redis 6.2 has a null in place of an entry that was deleted."""
    start, found, *deleted = items(reply)
    return claimed([start, [entry for entry in items(found) if entry is not None], *deleted], text)


def _parts(ids: list[bytes]) -> Iterator[list[bytes]]:
    for at in range(0, len(ids), MOST):
        yield ids[at : at + MOST]


CLAIMED: Final[Reader[Autoclaimed[bytes], bytes]] = _claimed
READ: Final = xreadgroup("g", "c", {"s": ">"}).info
