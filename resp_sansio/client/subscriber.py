"""Subscribers, and the names that they want.

What is read for a subscriber is `incoming`, and only the machine touches it. When its caller is to have it, the whole
becomes `ready`, from which that takes one after the other without asking the machine: a read of thousands wakes it once.

After a loss, what the next connection brings is `held` until all names are confirmed again. Then there is one `Gap`, and what was
held behind it: what a caller reads elsewhere on hearing of the gap is no older than the messages that follow.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable
from copy import copy
from typing import Any, Final, TypeAlias

from .._errors import CommandTimeoutError, ConnectionClosedError, Outcome, RespError, SubscriberTooSlowError
from ..connection.slot import SlotState
from .messages import Gap, Message, Overflow
from .pushes import Listener, Source

__all__ = ["OVERFLOWED", "Item", "Kind", "Name", "State", "Subscriber", "Wanted", "again"]

Item: TypeAlias = Message[bytes] | Gap[bytes]

QUEUED: Final = SlotState.QUEUED
ANSWERED: Final = SlotState.ANSWERED

OVERFLOWED: Final = "the subscriber did not take its messages in time, and its buffer was full"


class Kind(enum.Enum):
    """What a name is of: the commands that ask for it and that leave it."""

    CHANNEL = ("SUBSCRIBE", "UNSUBSCRIBE")
    PATTERN = ("PSUBSCRIBE", "PUNSUBSCRIBE")
    SHARD = ("SSUBSCRIBE", "SUNSUBSCRIBE")


Wanted: TypeAlias = tuple[Kind, bytes]
"""A name, and of which kind it is."""


class State(enum.Enum):
    """What the present connection has of a name."""

    WANTED = "nothing was sent"
    ASKED = "the command that asks for it was sent"
    LIVE = "the server has confirmed it"
    LEAVING = "the command that leaves it was sent"


class Name:
    """A channel, or a pattern, with those who want it."""

    __slots__ = ("asked", "changes", "feed", "hops", "kind", "state", "subscribers", "word")

    def __init__(self, kind: Kind, word: bytes, feed: Any) -> None:
        self.kind: Final[Kind] = kind
        self.word: Final[bytes] = word
        self.feed: Any = feed  # by which link it comes
        self.state: State = State.WANTED
        self.asked: Any = None  # the last command about it
        self.subscribers: dict[Subscriber, None] = {}
        self.changes: dict[Any, None] = {}  # that wait for it
        self.hops: int = 0  # in a cluster: how often it was put off, or sent elsewhere, since it was confirmed

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of a {self.kind.name} {self.state.name}: {len(self.subscribers)} subscribers>"


class Subscriber(Source):
    """What one block is subscribed to.

    At most `most` messages with `most_bytes` of data wait for it, and what one read brought; what becomes of more, `overflow` says.
    `names` are those that it wants: was the subscription to it confirmed?
    """

    __slots__ = (
        "_away", "_gaps", "_overflow", "broken", "error", "held", "incoming", "missing", "most", "most_bytes", "names",
        "ready", "registry", "size", "tail",
    )  # fmt: skip

    def __init__(self, registry: Any, most: int, most_bytes: int, overflow: Overflow) -> None:
        super().__init__()
        self.registry: Final[Any] = registry
        self.most: Final[int] = most
        self.most_bytes: Final[int] = most_bytes
        self._overflow: Final[Overflow] = overflow
        self.names: dict[Name, bool] = {}
        self.ready: deque[Item] = deque()
        self.incoming: deque[Item] = deque()
        self.held: deque[Item] = deque()
        self._gaps = 0  # among them
        self.size: int = 0  # bytes of data in `incoming` and `held`
        self.tail: deque[Item] = self.incoming  # where what comes is put
        self.broken: str | None = None  # why messages may be missing from here on
        self.missing: int = 0  # names that were confirmed, and are not on this connection
        self._away: dict[Name, str] | None = None  # the same of other connections, and why
        self.error: RespError | None = None  # nothing comes any more, for this reason

    def __repr__(self) -> str:
        state = "ended" if self.error is not None else "away" if self.broken is not None else "subscribed"
        return f"<{type(self).__name__} {state}: {len(self.names)} names, {len(self.incoming) + len(self.held)} wait>"

    @property
    def connection(self) -> Any:
        """The link by which its messages come, None if there is none now, or if there are several."""
        return self.registry.read_by

    @property
    def misses(self) -> bool:
        """Is anything away that it was subscribed to?"""
        return self.broken is not None or bool(self._away)

    @property
    def waiting(self) -> int:
        """How many messages and gaps no caller has taken yet."""
        return len(self.ready) + len(self.incoming) + len(self.held)

    @property
    def full(self) -> bool:
        """Is it better to leave the rest to TCP, if no other subscriber wants to have it?"""
        return 2 * (len(self.incoming) + len(self.held)) >= self.most or 2 * self.size >= self.most_bytes

    # -- what comes --------------------------------------------------------------------------------------------------------

    def trim(self) -> RespError | None:
        """Keep to the bounds; return why this subscriber is to end, if it is."""
        if not self._over():
            return None
        if self._overflow == "error":
            return SubscriberTooSlowError(OVERFLOWED)
        dropped: list[Item] = []
        if self._overflow == "drop_newest":
            while self._over() and self.tail:
                dropped.append(self._dropped(self.tail.pop()))
            if self.tail and type(last := self.tail[-1]) is Gap and last.lost is not None:
                dropped.append(self._dropped(self.tail.pop()))  # there are more behind those that it stands for
            self._gap(self.tail.append, dropped[::-1])
            return None
        for queue in (self.incoming, self.held):
            dropped = []
            while self._over() and queue:
                dropped.append(self._dropped(queue.popleft()))
            self._gap(queue.appendleft, dropped)
        return None

    def _over(self) -> bool:
        return len(self.incoming) + len(self.held) - self._gaps > self.most or self.size > self.most_bytes

    def _dropped(self, item: Item) -> Item:
        self.size -= size_of(item)
        if type(item) is Gap:
            self._gaps -= 1
        else:
            self.registry.dropped += 1
        return item

    def _gap(self, put: Callable[[Item], None], dropped: list[Item]) -> None:
        """Put a gap in the place of what was dropped."""
        if dropped:
            put(gap_of(dropped))
            self._gaps += 1

    # -- losses ------------------------------------------------------------------------------------------------------------

    def breaks(self, why: str, names: int) -> None:
        """So many more of the names that were confirmed are not any more."""
        self.missing += names
        if self.broken is None:
            self.broken = why
            self.tail = self.held
        elif self.held and not is_of_loss(self.held[-1]):  # others are missing behind what came meanwhile
            self._lost(self.held, why)

    def mends(self) -> None:
        """If all names are there again, say what may be missing, and go on."""
        if self.broken is None or self.missing:
            return
        self._lost(self.incoming, self.broken)
        self._release_held()
        self.broken = None

    def _release_held(self) -> None:
        """What was held is to be had, and so is what comes."""
        nothing: deque[Item] = deque()
        # No call from here on: an interrupt strikes behind one, and what was held would come twice.
        self.incoming += self.held
        self.held, self.tail = nothing, self.incoming

    def _lost(self, items: deque[Item], why: str) -> None:
        """Say behind these that more may be missing, no one knows how many."""
        feed = self.registry  # of several links, that one
        items.append(Gap(tuple([name.word for name, has in self.names.items() if has and name.feed is feed]), why))
        self._gaps += 1

    # -- losses of one name among others, which come by other links ----------------------------------------------------------

    def loses(self, name: Name, why: str) -> None:
        """This name is not live any more, for this reason."""
        if self._away is None:
            self._away = {}
        self._away.setdefault(name, why)

    def forgoes(self, name: Name) -> bool:
        """If it has lost this one, it does not want it any more."""
        return self._away is not None and self._away.pop(name, None) is not None

    def finds(self, name: Name) -> None:
        """If it has lost this one, it has it again: say in its place that messages may be missing."""
        why = None if self._away is None else self._away.pop(name, None)
        if why is None:
            return
        tail = self.tail
        if tail and type(last := tail[-1]) is Gap and last.lost is None and last.why == why:
            tail[-1] = Gap((*last.channels, name.word), why)
        else:
            tail.append(Gap((name.word,), why))
            self._gaps += 1

    # -- who waits ---------------------------------------------------------------------------------------------------------

    def hand_out(self) -> Listener | None:
        """Return the first listener, once something is `ready` or nothing comes any more; None if there is none."""
        if not self.listeners:
            return None
        if not self.ready and self.incoming:
            size = sum(map(size_of, self.held))
            gaps = sum([type(item) is Gap for item in self.held])
            self.ready, self.incoming = self.incoming, deque()
            self.registry.gaps += self._gaps - gaps
            self.size, self._gaps = size, gaps
            if self.broken is None:
                self.tail = self.incoming
        listener = self.listeners[0]
        if listener.state is QUEUED:
            if self.ready:
                listener.state = ANSWERED
            elif self.error is not None:
                listener.fail(again(self.error))
            else:
                return None
        del self.listeners[0]
        return listener

    def too_late(self) -> Exception:
        """What a listener is told for which nothing came in time."""
        return CommandTimeoutError("no message came in time", outcome=Outcome.NOT_SENT)

    def ends(self, error: RespError) -> None:
        """Nothing comes any more, for this reason; what has come is still to be had."""
        if self.broken is not None and self.held:
            self._lost(self.incoming, self.broken)
        self._release_held()
        self.broken = self._away = None
        if self.error is None:
            self.error = error

    def check(self) -> None:
        """Raise why this subscription has ended, if it has."""
        if self.error is not None:
            if isinstance(self.error, ConnectionClosedError):
                raise again(self.error)
            raise ConnectionClosedError(f"the subscription has ended: {self.error}")


def size_of(item: Item) -> int:
    """How many bytes of data wait with it. `__redis__:invalidate` has a null where all keys are gone."""
    return len(item[1] or b"") if type(item) is Message else 0


def is_of_loss(item: Item) -> bool:
    """Is it a gap that says of no number how many are missing?"""
    return type(item) is Gap and item.lost is None


def gap_of(dropped: list[Item]) -> Gap[bytes]:
    """Return what stands for items that were dropped."""
    channels: dict[bytes, None] = {}
    lost: int | None = 0
    for item in dropped:
        if isinstance(item, Gap):
            channels.update(dict.fromkeys(item.channels))
            lost = None if lost is None or item.lost is None else lost + item.lost
        else:
            channels[item.channel if item.pattern is None else item.pattern] = None
            lost = None if lost is None else lost + 1
    return Gap(tuple(channels), OVERFLOWED, lost)


def again(error: RespError) -> RespError:
    """Return the same error for another caller: a traceback belongs to one."""
    told = copy(error)
    told.__cause__ = error.__cause__
    return told
