"""Whose reply is this: the side of a connection that listens.

A reply belongs to the first slot in flight: that is the whole of pairing. While all slots are plain and awaited, replies are
handed out by the run; one that is abandoned, a subscription or a transaction makes for a closer look. Whatever does not fit
ends the connection, because nothing behind it could be paired.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from itertools import islice, takewhile
from operator import itemgetter
from typing import Any, Final, Literal, NoReturn, TypeAlias

from .._errors import LocalProtocolError, RemoteProtocolError, ReplyError, RespError
from ..wire.parser import Parser
from ..wire.values import Push, Reply
from .deadlines import Deadlines
from .events import ConnectionLost, Event, PushReceived
from .handshake import NOTHING_SAID, Accepted, ServerInfo
from .slot import Batch, Slot, SlotState
from .state import Input, State
from .stateful import StatefulBatch
from .subscriptions import Subscriptions

__all__ = ["Pairing"]

ENDS_WATCH: Final = frozenset({"EXEC", "DISCARD", "UNWATCH", "RESET"})
QUEUED: Final = SlotState.QUEUED
HANDED: Final = SlotState.HANDED
ABANDONED: Final = SlotState.ABANDONED
ANSWERED: Final = SlotState.ANSWERED
READY: Final = State.READY

# What RESP2 sends as arrays where RESP3 has pushes.
MESSAGES: Final = frozenset({"message", "pmessage", "smessage", *Subscriptions.KINDS})

# What comes in great numbers: as the first item on RESP2, as the kind of a push on RESP3.
PLAIN: Final = frozenset({b"message", b"pmessage", b"smessage", "message", "pmessage", "smessage"})
FIRST: Final = itemgetter(0)

Collected: TypeAlias = Push | list[Reply]
"""A message as it came: on RESP2 it may be an array."""


SKIPPED_AT_ONCE: Final = 64
"""So many slots that no caller waits for are looked at for each piece that comes, in which may be the replies to a few."""

NO_SUBSCRIPTIONS: Final = Subscriptions()
"""Of all connections that have none, as most."""

PAUSE_PUSHES: Final = 1000
"""So many pushes that were not taken make reading pause: enough for a reader that is late, little beside what TCP holds."""


class Pairing(ABC):
    """What is in flight, and the stream of replies to it. `Connection` is this and the side that speaks."""

    __slots__ = (
        "_abandoned", "_answered", "_collects", "_deadlines", "_dropped", "_events", "_flying", "_full", "_heard",
        "_keep_pushes", "_lenient_push", "_lost", "_max_pushes", "_opening", "_parser", "_pushes", "_scripts", "_session_changed",
        "_watching", "collected", "held_back", "protocol", "server", "state", "subscriptions", "tracking",
    )  # fmt: skip

    def __init__(
        self,
        parser: Parser,
        protocol: Literal[2, 3],
        state: State,
        max_pushes: int,
        *,
        keep_pushes: bool,
        lenient_push: bool,
    ) -> None:
        self.protocol: Literal[2, 3] = protocol
        self.state: State = state
        self.server: ServerInfo = NOTHING_SAID  # what HELLO said of it; empty until then
        self.subscriptions: Subscriptions = NO_SUBSCRIPTIONS
        self.tracking: bool = (
            False  # does the server tell of changes? Such pushes are always handed out, and need not be taken
        )
        self._session_changed: bool = False  # a command was sent behind which the connection is not what it was
        self._watching: bool = False  # a WATCH was sent, and nothing that is known to have ended it
        self._parser = parser
        self._lenient_push = lenient_push
        self._flying: list[Slot] = []  # HANDED and ABANDONED, in the order of their replies
        self._deadlines: SlotDeadlines | None = None  # of the slots under way, once one has passed or was withdrawn
        self._answered = 0  # of all bytes ever handed over, how many belong to slots that have their replies
        self._events: list[Event] = []
        self._lost: ConnectionLost | None = None
        self._opening: Batch | None = None
        # Why a reply may need a closer look; while both are zero, and the state is READY, replies are paired by the run.
        self._abandoned = 0
        self._scripts = 0
        self._heard = False
        self._pushes = 0  # handed out, and not taken
        self._max_pushes = max_pushes
        self._full = False  # were as many waiting as may, before the data came that is being read?
        self._keep_pushes = keep_pushes
        self._dropped = 0
        self._collects: bool = False
        self.collected: list[Collected] | None = (
            None  # pushes, for whom they are taken by the run; None: there are none
        )
        self.held_back: bool = False  # by whom they are for, who has enough of them for now

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"a {type(self).__name__} cannot be pickled: its peer stays where it is, and it may hold a secret"
        )

    @abstractmethod
    def _lose(self, error: RespError) -> None:
        """End, for this reason."""

    @abstractmethod
    def _move(self, what: Input) -> None:
        """Go where the table of transitions says."""

    @abstractmethod
    def _end_if_idle(self) -> None:
        """A connection that is closing ends with the last reply."""

    @abstractmethod
    def _follow_abandonment(self, slot: Slot) -> None:
        """End if what is left of an abandoned slot may be acted on later."""

    @abstractmethod
    def _forget_ended(self) -> None:
        """Keep hold of few deadlines of what has ended."""

    @abstractmethod
    def _read_handshake(self) -> None:
        """All answers to a batch of the handshake are there."""

    @property
    def needed(self) -> int:
        """How many more bytes complete the bulk that is being received, 0 if unknown: a hint for the size of the next read."""
        return self._parser.needed

    @property
    def wants_to_receive(self) -> bool:
        """Is more to be read? While it is not, a driver leaves what comes to TCP, which makes the server wait.

        False while 1000 pushes (or `max_pushes`, if that is less) wait to be taken and no caller waits for a reply; and, though
        callers wait, while `max_pushes` do: then their replies come once some were taken. Ask again after `push_taken` and
        `submit`. Of a driver that reads on all the same, the connection ends with the next push beyond `max_pushes`.

        While it is `held_back`, nothing is read but the replies that callers wait for.
        """
        if self.held_back:
            return len(self._flying) > self._abandoned
        pushes = self._pushes
        return (pushes < PAUSE_PUSHES and pushes < self._max_pushes) or (
            pushes < self._max_pushes and len(self._flying) > self._abandoned
        )

    def push_taken(self) -> None:
        """One of the pushes handed out has been dealt with, and does not count against `max_pushes` any more.

        Raises `LocalProtocolError` if all of them have been.
        """
        if not self._pushes:
            raise LocalProtocolError("push_taken() was called more often than pushes were handed out")
        self._pushes -= 1

    def push_put_back(self) -> None:
        """One of those that counted as dealt with is to be dealt with after all."""
        self._pushes += 1

    def receive_data(self, data: bytes | bytearray | memoryview) -> None:
        """Take in what the peer sent; `bytes` are kept, other buffers are copied."""
        answered = self.receive_replies(data)
        if answered is not None:
            self._events += answered

    def receive_replies(self, data: bytes | bytearray | memoryview) -> list[Slot] | None:
        """As `receive_data`, and return the slots that have their replies now, if there is nothing else to tell.

        None if there may be: then `events` has all of it.
        """
        lost = self._lost
        if lost is not None:
            return None
        if type(data) is not bytes:
            data = bytes(data)
        self._heard = True
        parser, flying = self._parser, self._flying
        answered: list[Slot] | None = None
        if self._collects and not flying:
            replies = parser.feed(data)
            if parser.attributes or not self._collect(replies):
                self._pair_each(replies)
        elif self._scripts or self._abandoned or self.state is not READY:
            self._receive_with_care(data)
            answered = None if self.collected else []  # replies that were skipped are nothing to tell
        else:
            replies = parser.feed(data)
            if parser.pushes or parser.attributes:
                self._full = self._pushes >= self._max_pushes
                self._pair_each(replies)
            elif len(replies) == 1 == len(flying) and type(slot := flying[0]) is Slot:
                slot.reply = replies[0]
                slot.state = ANSWERED
                self._answered = slot.end
                answered = [slot]
                flying.clear()
            else:
                answered = self._pair_run(replies)
        if parser.error is not None:
            self._lose(parser.error)
        elif not (parser.quiet or flying) and self.state is READY and parser.begins_reply:
            # Else the next caller's reply would end up inside it, and every later one at the wrong caller.
            self._lose(RemoteProtocolError("a reply begins that no command asked for"))
        if self._deadlines is not None:
            self._forget_ended()
        if self._lost is None and not self._events:
            return answered
        if answered is not None:
            self._events += answered
        return None

    def add_collected(self, messages: Iterable[Collected]) -> None:
        """Keep these with those that were `collected`."""
        if self.collected is None:
            self.collected = [*messages]
        else:
            self.collected += messages

    def _collect(self, replies: list[Reply]) -> bool:
        """Take a run of messages; false to decline, if there is anything else among them."""
        spoken: type[object] = Push if self.protocol == 3 else list
        messages: list[Any] = replies
        try:
            if not {spoken}.issuperset(map(type, messages)) or not PLAIN.issuperset(map(FIRST, messages)):
                return False
        except (IndexError, TypeError):  # an empty array, or one that begins with an array
            return False
        self.add_collected(messages)
        return True

    def _pair_run(self, replies: list[Reply]) -> list[Slot]:
        """Give each reply to the slot whose turn it is, and return the slots that have theirs.

        All slots are plain, and a caller waits for each.
        """
        flying = self._flying
        index, done, total = 0, 0, len(replies)
        for slot in flying:
            if index == total:
                break
            if not isinstance(slot, Batch):
                slot.reply = replies[index]
                index += 1
            else:
                part = replies[index : index + slot.missing]
                index += len(part)
                slot.missing -= len(part)
                slot.replies += part
                if slot.missing:
                    break
                slot.reply = slot.replies
            slot.state = ANSWERED
            done += 1
        answered = flying[:done]
        if done:
            self._answered = answered[-1].end
            del flying[:done]
        if index < total:
            self._surplus(replies[index])
        return answered

    def _receive_with_care(self, data: bytes) -> None:
        """Read no further than the next reply that is to be skipped, and look at each value."""
        parser = self._parser
        self._full = self._pushes >= self._max_pushes
        while self._lost is None:
            head = self._flying[0] if self._flying else None
            if head is not None and head.plain and head.state is ABANDONED and not self._mixed:
                whole = self._skip(data)
                if not parser.quiet:
                    # The pushes met meanwhile, and those right behind: they may confirm what comes next.
                    self._pair_each(parser.feed(b"", 0))
                if not whole:
                    break
                self._end_if_idle()
                if parser.quiet:
                    break  # nothing is left to read
            else:
                most = self._until_skipped()
                outlined = head is not None and head.state is ABANDONED and most == 1 and head.takes_outline
                replies = parser.outline(data) if outlined else parser.feed(data, most)
                self._pair_each(replies)
                if most < 0 or len(replies) - parser.pushes < most:
                    break
            data = b""

    def _skip(self, data: bytes) -> bool:
        """Read past replies that no caller waits for, as far as these are the next ones; false if more of them is to come."""
        flying = self._flying
        run: list[Slot] = []
        missing = done = 0
        # A push belongs to the slot whose turn it is: where one may wait for a push, each has its turn.
        for slot in islice(flying, 1 if self._scripts else SKIPPED_AT_ONCE):
            if slot.state is not ABANDONED:
                break
            run.append(slot)
            missing += slot.missing
        left = skipped = self._parser.skip(data, missing)
        for slot in run:
            if left < slot.missing:
                if isinstance(slot, Batch):
                    slot.missing -= left
                break
            left -= slot.missing
            done += 1
        if done:
            self._answered = run[done - 1].end
            del flying[:done]
            self._abandoned -= done
        return skipped == missing

    def _until_skipped(self) -> int:
        """How many replies may be read before one that is to be skipped; -1 for any number."""
        if not self._abandoned or self._mixed:
            return -1
        if isinstance(self._flying[0], StatefulBatch):
            return 1
        awaited = takewhile(lambda slot: slot.plain and slot.state is not ABANDONED, self._flying)
        return sum([slot.missing for slot in awaited])

    @property
    def _mixed(self) -> bool:
        """On RESP2, messages look like replies: each has to be looked at, so none can be skipped unread."""
        return self.protocol == 2 and bool(self.subscriptions)

    def _pair_each(self, replies: list[Reply]) -> None:
        """As `_pair_run`, with everything that can be special about a reply."""
        attributes, opening = self._parser.attributes, self._opening
        for index, reply in enumerate(replies):
            if self._lost is not None:
                return
            push = reply if isinstance(reply, Push) else self._as_push(reply)
            if push is not None:
                self._take_push(push, in_band=push is not reply)
                continue
            # A second batch of the handshake, made of the answers to the first, cannot be answered by what came with those.
            if not self._flying or (self._opening is not None and self._opening is not opening):
                self._surplus(reply)
                return
            slot = self._flying[0]
            if attributes and index in attributes:
                slot.describe(attributes[index])
            if isinstance(slot, StatefulBatch):
                self._take_scripted(slot, reply)
            elif isinstance(slot, Batch):
                slot.missing -= 1  # first: an interrupt may strike once the other has returned
                slot.replies.append(reply)
                slot.reply = slot.replies
                if not slot.missing:
                    self._finish(slot)
            else:
                slot.reply = reply
                self._finish(slot)

    def _take_scripted(self, slot: StatefulBatch, reply: Reply) -> None:
        try:
            info = slot.answer(reply)
        except RemoteProtocolError as error:
            self._lose(error)
            return
        if slot.unasked is not None:
            for push in slot.unasked:
                self._deliver(push)
            slot.unasked = None
        if not isinstance(reply, ReplyError):
            match info.name:
                case "HELLO":
                    self._follow_hello(Accepted.of(reply) or Accepted(protocol=2))
                    self._follow_subscriptions()
                case "RESET":
                    # Back to how a connection starts, which is RESP2.
                    self.protocol = 2
                    self.subscriptions = NO_SUBSCRIPTIONS
                    self._follow_subscriptions()
        elif info.name == "MULTI" and slot.state is ABANDONED:
            self._follow_abandonment(slot)  # what it was to hold back is run singly, and may block
        elif info.name == "MONITOR":
            self._forget_monitor()
        elif info.name in ENDS_WATCH:
            self._watching = True  # it may have failed to; UNWATCH costs less than to find out
            self._session_changed = self._session_changed or info.name == "UNWATCH"  # and nothing else ends it
        if not slot.missing:
            self._finish(slot)

    def _follow_hello(self, accepted: Accepted) -> None:
        """Speak as was agreed on."""
        self.protocol = accepted.protocol
        self.server = accepted.server
        self._parser.lenient_push = self._lenient_push or accepted.server.nests_pushes

    def _forget_monitor(self) -> None:
        """MONITOR was refused or withdrawn: the connection is what it was."""
        if self.state is State.MONITORING:
            self._move(Input.UNMONITORED)
            self._follow_subscriptions()

    def _as_push(self, reply: Reply) -> Push | None:
        """Return the push that this reply stands for in the modes that have no type of their own for it."""
        if self.state is State.MONITORING and not self._flying:
            return Push("monitor", (reply,))
        if self.protocol == 2 and isinstance(reply, list) and reply and isinstance(reply[0], bytes):
            kind = reply[0].decode("utf-8", "surrogateescape")
            if kind in MESSAGES and (self.subscriptions or self._awaiting(kind)):
                return Push(kind, tuple(reply[1:]))
        return None

    def _awaiting(self, kind: str) -> StatefulBatch | None:
        """Return the slot whose turn it is if it waits for a push of this kind."""
        slot = self._flying[0] if self._flying else None
        return slot if isinstance(slot, StatefulBatch) and slot.awaits(kind) else None

    def _take_push(self, push: Push, *, in_band: bool) -> None:
        if self.protocol == 2 and not in_band:
            self._lose(RemoteProtocolError("a push came on a connection that speaks RESP2"))
        elif push.kind not in Subscriptions.KINDS:
            self._deliver(push)
        elif not Subscriptions.well_formed(push):
            self._lose(RemoteProtocolError(f"expected a channel and a count in a push of kind {push.kind!r}"))
        elif (slot := self._awaiting(push.kind)) is not None and slot.names(push.items[0]):
            try:
                self.subscriptions = self.subscriptions or Subscriptions()
                slot.confirm(push, self.subscriptions)
            except RemoteProtocolError as error:
                self._lose(error)
                return
            self._follow_subscriptions()
            if not slot.missing:
                self._finish(slot)
        elif push.kind == "sunsubscribe":
            # The slot of a shard channel has moved to another node: no caller asked, and Redis is right to tell.
            self.subscriptions = self.subscriptions or Subscriptions()
            self.subscriptions.take_in(push)
            self._follow_subscriptions()
            self._deliver(push)
        else:
            self._lose(RemoteProtocolError(f"a push of kind {push.kind!r} confirms what no caller asked for"))

    def _deliver(self, push: Push) -> None:
        if self.tracking and push.kind == "invalidate":
            self._events.append(PushReceived(push=push))
        elif self._collects:
            self.add_collected((push,))
        elif not self._keep_pushes:
            self._dropped += 1
        elif self._full:
            self._lose(
                RemoteProtocolError(
                    f"{self._pushes} pushes wait to be taken, and more was read; stop reading while `wants_to_receive` is"
                    f" False, take them, or raise `max_pushes` ({self._max_pushes})"
                )
            )
        else:
            self._pushes += 1
            self._events.append(PushReceived(push=push))

    def _follow_subscriptions(self) -> None:
        """RESP2 has a mode for subscribers."""
        if self.state is READY and self._mixed:
            self._move(Input.SUBSCRIBED)
        elif self.state is State.SUBSCRIBED and not self._mixed:
            self._move(Input.UNSUBSCRIBED)

    def _finish(self, slot: Slot) -> None:
        """The first slot in flight has all its replies."""
        self._answered = slot.end
        del self._flying[0]
        if not slot.plain:
            self._scripts -= 1
        if slot.state is ABANDONED:
            self._abandoned -= 1
        elif slot is self._opening:
            self._read_handshake()
        else:
            slot.state = ANSWERED
            self._events.append(slot)
        self._end_if_idle()

    def _surplus(self, reply: Reply) -> None:
        # Not shown: it may well be the answer to somebody else's question.
        self._lose(RemoteProtocolError(f"a reply came that no command asked for (a {type(reply).__name__})"))


class SlotDeadlines(Deadlines[Slot]):
    """The deadlines of the slots whose `noted` this is: a slot that goes out again may be another connection's by then."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(_is_awaited)

    def knows(self, slot: Slot) -> bool:
        """Has note been taken of this one's?"""
        return getattr(slot, "noted", None) is self

    def is_due(self, item: Slot) -> object:
        """As of any deadlines."""
        return item.noted is self and super().is_due(item)


def _is_awaited(slot: Slot) -> bool:
    return slot.state is HANDED or slot.state is QUEUED
