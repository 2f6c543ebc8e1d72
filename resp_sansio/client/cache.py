"""What a client has read and may give again without asking: kept until the server says that it has changed.

One key is read by several commands, and one command may read several keys. So a reply is kept by its command, as it is encoded,
and found by its keys. When a command is sent there is a `Cell` for it, which stands until one of its keys is changed, by this
client or another, or the connection ends that was to tell of it. A cell that has fallen never stands again: its readers get
their reply, and no later one does. That is the whole of the fence: what a link says is taken in the order in which it came, so
a reply that is kept was not overtaken by the word that it is out of date.

The machine of the client calls most of it, one method at a time. `find` and `wrote` any thread may call at any time: the first only
reads, and all that the second does is to make cells fall.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Sequence
from copy import copy, deepcopy
from math import inf
from sys import getsizeof
from typing import Any, ClassVar, Final

from .._record import replace
from .._stats import CacheStats
from ..commands.caching import CACHEABLE, EVERYTHING, Touched, keys_of, keys_touched
from ..commands.knowledge import CommandInfo, Needs, prepare
from ..config.cache import Cache
from ..connection.connection import Connection
from ..connection.slot import AttributeMap, Batch, Payload, Slot, SlotState
from ..wire.encoder import Argument
from ..wire.values import Reply

__all__ = ["LOOK", "CachedRead", "Kept", "ReadCache", "touched_by"]

ANSWERED: Final = SlotState.ANSWERED

FRESH: Final = 0.001
"""Seconds for which a caller may take what is kept without a look at what has come. A look costs ten times what a hit does."""

BYTES: Final = getsizeof(b"")
"""What a bytes object costs beside its bytes."""

# Measured: what a cell costs beside its keys, its reply and the bytes of its command, with its places in two dictionaries.
CELL: Final = 350 + BYTES

_caching, _caching_info = prepare(("CLIENT", "CACHING", "YES"))
assert isinstance(_caching, bytes)
CACHING: Final[bytes] = _caching
# Right in front of a read, as one unit with it, it changes nothing for others, and may go out again with that.
CACHING_INFO: Final = replace(_caching_info, readonly=True, retryable=True, needs=Needs.LANE, changes=False, plain=True)


class Look(enum.Enum):
    """The type of `LOOK`."""

    LOOK = "there is something, once what has come is taken in"


LOOK: Final = Look.LOOK


class Pending(enum.Enum):
    """The type of `PENDING`."""

    PENDING = "no reply yet"


PENDING: Final = Pending.PENDING


class Kept:
    """A reply that was kept: to its reader, what a slot is that was answered."""

    __slots__ = ("info", "reply")

    state: ClassVar[SlotState] = ANSWERED

    def __init__(self, reply: Any, info: CommandInfo) -> None:
        self.reply: Any = reply
        self.info: CommandInfo = info


class Cell(Kept):
    """What is known of one command: that it is being read, or its reply. `readers` wait for the same reply."""

    __slots__ = ("keys", "payload", "readers", "shared", "size", "stands", "until", "used")

    def __init__(self, payload: bytes, keys: Sequence[bytes], info: CommandInfo) -> None:
        # Not by the constructor above: there is one of these for each miss.
        self.reply: Any = PENDING
        self.info: CommandInfo = info
        self.payload: Final[bytes] = payload
        self.keys: Final[Sequence[bytes]] = keys
        self.readers: list[CachedRead] | None = None
        self.stands: bool = True  # never again, once it does not
        self.shared: bool = False  # nothing in the reply can be changed, so all may have the same
        self.used: bool = False  # since it was last looked at for eviction
        self.size: int = 0
        self.until: float = inf

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.info.name}{'' if self.stands else ', fallen'}>"


class CachedRead(Batch):
    """The slot of a read whose reply may be kept; with `caching`, behind the command that asks the server to tell of changes.

    Those two are one unit, for CLIENT CACHING is about whatever command comes next on the connection.
    """

    __slots__ = ("_asks", "cell", "keys", "read")

    starts: bool = True
    reply: Reply
    payload: Payload
    payloads: Sequence[Payload]
    infos: Sequence[CommandInfo]
    count: int
    missing: int

    def __init__(
        self, read: bytes, info: CommandInfo, keys: Sequence[bytes], deadline: float, *, caching: bool
    ) -> None:
        # By none of the constructors above, which take as long as all of this.
        self.read: bytes = read
        self.keys: Sequence[bytes] = keys
        self.cell: Cell | None = None  # as long as it is this call that reads it
        self._asks = caching
        self.info: CommandInfo = info
        self.token: object = None
        self.attributes: AttributeMap | None = None
        self.link: Any = None
        self.call: Any = None
        self.cause: Exception | None = None
        self.deadline: float = deadline
        self.state: SlotState = SlotState.QUEUED
        self.uncertain: Collection[int] = ()
        self.begin: int = 0
        self.replies: list[Reply] = []
        if caching:
            self.payload, self.payloads, self.infos = CACHING + read, (CACHING, read), (CACHING_INFO, info)
            self.count = self.missing = 2
        else:
            self.payload, self.payloads, self.infos = read, (read,), (info,)
            self.count = self.missing = 1

    @property
    def name(self) -> str:
        """That of the read."""
        return self.info.name

    def called(self, index: int) -> str:  # noqa: ARG002  # it is that of one of the two
        """Both are called as the read is."""
        return self.info.name

    def answer_as(self, other: CachedRead) -> None:
        """Be answered as the call was that has read the same."""
        reply = other.reply
        self.reply = copy(reply) if isinstance(reply, Exception) else copied(reply)
        self.replies, self.infos = [self.reply], (self.info,)
        self.attributes = other.attributes
        self.state = ANSWERED

    def give_up_keeping(self) -> None:
        """The reply is not to be kept: the read goes out alone, and no server is asked to tell of changes."""
        if self.cell is not None:
            self.cell.stands = False
        self._asks = False
        self.payload, self.payloads, self.infos = self.read, (self.read,), (self.info,)
        self.count = self.missing = 1
        self.begin, self.replies = 0, []

    def renew(self) -> None:
        """As for any slot, but both go out again: the server has to be asked on each connection."""
        super().renew()
        # No call from here on, see there.
        if self._asks:
            self.payload, self.payloads, self.infos = (
                CACHING + self.read,
                (CACHING, self.read),
                (CACHING_INFO, self.info),
            )
        else:
            self.payload, self.payloads, self.infos = self.read, (self.read,), (self.info,)
        self.count = self.missing = 2 if self._asks else 1
        self.begin, self.replies = 0, []


class Table:
    """All cells, by command and by key. It is replaced as a whole to make all of them fall at once."""

    __slots__ = ("by_key", "cells", "size")

    def __init__(self) -> None:
        self.cells: dict[Payload, Cell] = {}
        # One as a rule, but of a hash as many as fields are read.
        self.by_key: dict[bytes, Cell | dict[Cell, None]] = {}
        self.size: int = 0

    def of(self, key: bytes) -> Sequence[Cell]:
        """Return those that read this key: in one step, for another thread may change them."""
        found = self.by_key.get(key)
        return [*found] if isinstance(found, dict) else () if found is None else (found,)

    def add(self, cell: Cell) -> None:
        for key in cell.keys:
            found = self.by_key.setdefault(key, cell)
            if isinstance(found, dict):
                found[cell] = None
            elif found is not cell:
                self.by_key[key] = {found: None, cell: None}
        self.cells[cell.payload] = cell  # last: once it can be found, it can be made to fall

    def drop(self, cell: Cell) -> None:
        cell.stands = False
        if self.cells.get(cell.payload) is cell:
            del self.cells[cell.payload]
        self.size -= cell.size
        cell.size = 0
        for key in cell.keys:
            found = self.by_key.get(key)
            if isinstance(found, dict):
                found.pop(cell, None)
            if found == {} or found is cell:
                del self.by_key[key]


class ReadCache:
    """What one client keeps. `active` is whether its server tells of changes: None until a connection has said so."""

    __slots__ = ("_look_at", "_table", "active", "evictions", "hits", "invalidations", "joined", "misses", "options")

    def __init__(self, options: Cache) -> None:
        self.options: Final[Cache] = options
        self._look_at = -inf
        self.begin_anew()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.stats()}>"

    def stats(self) -> CacheStats:
        """Return what was counted."""
        table = self._table
        return CacheStats(
            active=bool(self.active),
            entries=len(table.cells),
            size=table.size,
            hits=self.hits,
            misses=self.misses,
            joined=self.joined,
            invalidations=self.invalidations,
            evictions=self.evictions,
        )

    # -- for callers: in any thread, at any time ---------------------------------------------------------------------------------

    def find(self, command: Payload, now: float) -> Kept | Look | None:
        """Return the reply to an encoded command that is kept, None if there is none.

        `LOOK` if there may be one: then take in what has come, say `looked`, and ask again.
        """
        cell = self._table.cells.get(command) if type(command) is bytes else None
        if cell is None or not cell.stands or cell.reply is PENDING or now >= cell.until:
            return None
        if now >= self._look_at:
            return LOOK
        cell.used = True
        self.hits += 1
        return cell if cell.shared else Kept(copied(cell.reply), cell.info)

    def looked(self, now: float) -> None:
        """All that had come at this time was taken in."""
        self._look_at = now + FRESH

    def reading(
        self, command: Payload, words: Sequence[Argument], info: CommandInfo, deadline: float
    ) -> CachedRead | None:
        """Return the slot by which to read what was not found, None if its reply is not to be kept."""
        if self.active is False or type(command) is not bytes or info.name not in CACHEABLE or not info.readonly:
            return None
        keys, prefixes = keys_of(words, info), self.options.prefixes
        if not keys or (prefixes and not all([key.startswith(prefixes) for key in keys])):  # type: ignore[arg-type]
            return None
        return CachedRead(command, info, keys, deadline, caching=not prefixes)

    def wrote(self, touched: Touched) -> None:
        """What a command of one's own may change is not what it was: to be said when it is sent, and again when it is done."""
        if touched is EVERYTHING:
            self.clear()
            return
        table = self._table
        for key in touched:
            for cell in table.of(key):
                cell.stands = False

    def begin_anew(self) -> None:
        """No connection is open, and none has said yet whether its server tells of changes."""
        self.active: bool | None = None
        self.hits: int = 0
        self.misses: int = 0
        self.joined: int = 0
        self.invalidations: int = 0
        self.evictions: int = 0
        self.clear()

    def forsake(self) -> None:
        """The connection by which all is read is not what it was: until there is another, nothing is kept."""
        self.active = False
        self.clear()

    def clear(self) -> None:
        """Nothing is kept any more, nor is what is being read."""
        self._table = Table()

    # -- for the machine -----------------------------------------------------------------------------------------------------------

    def opened(self, *, tracking: bool) -> None:
        """A connection for reads has opened. Will its server tell of changes?"""
        self.active = tracking

    def is_read(self, slot: CachedRead) -> bool:
        """Is the same being read by another call, for which to wait?"""
        cell = self._table.cells.get(slot.read)
        return cell is not None and cell.stands and cell.reply is PENDING and cell is not slot.cell

    def begin(self, slot: CachedRead) -> Cell | None:
        """A read is about to be sent. Return the cell to wait for if the same is being read; else it is this slot that reads."""
        if slot.cell is not None:
            return None
        table = self._table
        cell = table.cells.get(slot.read)
        if cell is not None:
            if cell.stands and cell.reply is PENDING:
                return cell
            table.drop(cell)
        self.misses += 1
        slot.cell = cell = Cell(slot.read, slot.keys, slot.info)
        table.add(cell)
        return None

    def answered(self, slot: CachedRead, core: Connection, now: float) -> None:
        """A reply has come, behind all that came before it on its connection: keep it, if its cell still stands.

        From here on the slot is that of the read alone.
        """
        told = core.tracking and self.active is True and (slot.count == 1 or slot.replies[0] == "OK")
        slot.replies = replies = slot.replies[-1:]
        slot.infos = (slot.info,)
        slot.reply = reply = replies[0]
        cell, table = slot.cell, self._table
        if cell is None or not cell.stands or not told or table.cells.get(cell.payload) is not cell:
            return
        plain = type(reply) in PLAIN
        size = getsizeof(reply) if plain else size_of(reply)
        if size is None or slot.attributes is not None:
            return
        size += CELL + len(cell.payload) + sum(map(len, cell.keys)) + BYTES * len(cell.keys)
        most = self.options.max_bytes
        if size > most:
            return  # rather than all the others
        cell.size = size
        cell.shared = plain
        if self.options.ttl is not None:
            cell.until = now + self.options.ttl
        table.size += size
        cell.reply = reply if plain else copied(reply)  # last: from here on it is found
        if table.size > most:
            self._evict(table)

    def ended(self, slot: CachedRead) -> Sequence[CachedRead]:
        """The call has ended that was to read: if its reply is not kept, the next one reads anew. Return those that wait for it."""
        cell, slot.cell = slot.cell, None
        assert cell is not None
        if cell.reply is PENDING:
            self._table.drop(cell)
        return cell.readers or ()

    def invalidated(self, keys: Reply) -> None:
        """The server says that these keys have changed; None: all of them."""
        if not isinstance(keys, list):
            self.invalidations += 1
            self.clear()
            return
        table = self._table
        for key in keys:
            self.invalidations += 1
            if isinstance(key, bytes):
                for cell in table.of(key):
                    table.drop(cell)

    def _evict(self, table: Table) -> None:
        """Make room: of the oldest, those that were not read since this last came by them."""
        cells = table.cells
        while table.size > self.options.max_bytes:
            cell = next(iter(cells.values()))
            if cell.stands and (cell.used or cell.reply is PENDING):
                cell.used = False
                cells[cell.payload] = cells.pop(cell.payload)
            else:
                self.evictions += cell.stands
                table.drop(cell)


def touched_by(slot: Slot) -> Touched:
    """Return the keys that a call may change."""
    if not isinstance(slot, Batch):
        return keys_touched(slot.payload, slot.info)
    found: set[bytes] = set()
    for payload, info in zip(slot.payloads, slot.infos, strict=True):
        touched = keys_touched(payload, info)
        if touched is EVERYTHING:
            return EVERYTHING
        found.update(touched)
    return found


# -- Values ----------------------------------------------------------------------------------------------------------------------

CONTAINERS: Final = frozenset({list, set, dict})
PLAIN: Final = frozenset({bytes, str, int, float, bool, type(None)})


def copied(value: Any) -> Any:
    """Return a value that its reader may change."""
    kind = type(value)
    if kind in PLAIN:
        return value
    if kind is list:
        return [one if type(one) in PLAIN else copied(one) for one in value]
    return {*value} if kind is set else deepcopy(value)


def size_of(value: Any) -> int | None:
    """Return how many bytes of memory a reply takes, None for one that is not kept: what is none of the usual ones."""
    kind = type(value)
    if kind in PLAIN:
        return getsizeof(value)
    if kind not in CONTAINERS:
        return None
    parts = [size_of(one) for one in value]
    if kind is dict:
        parts += [size_of(one) for one in value.values()]
    return None if None in parts else getsizeof(value) + sum(filter(None, parts))
