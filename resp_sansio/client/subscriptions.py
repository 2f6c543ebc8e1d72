"""What is subscribed to: which subscriber wants which names, and what of that the present connection has.

The registry is the truth, and a connection follows it. The first subscriber of a name has it asked for, the last one has it left;
after a loss all is asked for again. Confirmations are never counted: a command is answered as a whole, and what it says counts for
each of its names about which no later command was sent.

A name that is wanted again while it is being left is asked for once it was left: what comes until then is of the former
subscription, and some is missing behind it.

A subscriber that is given up leaves nothing: its names are left, and messages for names that no subscriber wants are dropped.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from .._errors import ConnectionClosedError, RemoteProtocolError, ReplyError, RespError
from .._stats import MessageStats
from ..connection.pairing import Collected
from ..connection.slot import SlotState
from ..wire.values import Push
from .feeds import Asked, Change, Feed
from .messages import Message, Overflow
from .pushes import Listener, Source
from .retry import CODES, Meaning
from .subscriber import Kind, Name, State, Subscriber, Wanted

__all__ = ["MOVED", "SHARD", "Registry"]

QUEUED: Final = SlotState.QUEUED
ANSWERED: Final = SlotState.ANSWERED
LEAVING: Final = State.LEAVING

MOVED: Final = "the server moved the shard of a channel, and ended its subscription"


class Registry(Feed):
    """The subscriptions of one client, or of one connection: of a client of one server, and by its one link.

    After each method, `asks` says what is to be sent on the `link`, `told` what has something for its listeners, and `has_enough`
    whether more is to be read.
    """

    __slots__ = ("_names", "_told", "busy", "changes", "dropped", "gaps", "messages", "subscribers")

    def __init__(self, *, lasting: bool) -> None:
        super().__init__(self, lasting=lasting)
        self.subscribers: dict[Subscriber, None] = {}
        self.changes: dict[Change, None] = {}  # for which a caller waits
        self.busy: bool = False  # true on entering a method: an interrupt has cut one short
        self.messages: int = 0
        self.dropped: int = 0
        self.gaps: int = 0
        self._names: dict[Kind, dict[bytes, Name]] = {kind: {} for kind in Kind}
        self._told: dict[Source, None] = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self.subscribers)} subscribers of {len(self.wanted)} names>"

    # -- callers -----------------------------------------------------------------------------------------------------------

    def subscriber(self, most: int, most_bytes: int, overflow: Overflow) -> Subscriber:
        """Return a new subscriber, which wants nothing yet."""
        subscriber = Subscriber(self, most, most_bytes, overflow)
        self.subscribers[subscriber] = None
        return subscriber

    def want(self, subscriber: Subscriber, names: Iterable[Wanted]) -> Change:
        """It wants these as well. Raises why the subscription has ended, if it has."""
        subscriber.check()
        change = Change(subscriber, joins=True)
        for kind, word in names:
            name = self._names[kind].get(word)
            if name is None:
                name = self._names[kind][word] = Name(kind, word, self.feed_for(kind, word))
            if subscriber not in name.subscribers:
                change.added.append(name)
                subscriber.names[name] = name.state is State.LIVE
                name.subscribers[subscriber] = None
                name.feed.wants(name)
            if name.state is not State.LIVE:
                change.wait_for(name)
        self._begin(change)
        return change

    def unwant(self, subscriber: Subscriber, names: Iterable[Wanted] | None) -> Change:
        """It does not want these any more; None: all of them. Raises why the subscription has ended, if it has."""
        subscriber.check()
        change = Change(subscriber, joins=False)
        found = [*subscriber.names] if names is None else [self._names[kind].get(word) for kind, word in names]
        for name in found:
            if name is not None and name in subscriber.names:
                self._drop(subscriber, name)
                if not name.subscribers and name.state is not State.WANTED:
                    change.wait_for(name)
        self._begin(change)
        self._note(subscriber)
        return change

    def cancel(self, change: Change) -> None:
        """Its caller has gone, or it failed: what it added is not wanted any more. Idempotent."""
        change.fail(ConnectionClosedError("the change of a subscription was given up"))
        self.changes.pop(change, None)
        for name in change.added:
            if name in change.subscriber.names:
                self._drop(change.subscriber, name)
        change.added.clear()
        self._note(change.subscriber)

    def end(self, subscriber: Subscriber, error: RespError) -> None:
        """This one gets no more, for this reason. Idempotent."""
        subscriber.ends(error)
        for change in [change for change in self.changes if change.joins and change.subscriber is subscriber]:
            self.fail(change, error)
        for name in [*subscriber.names]:
            self._drop(subscriber, name)
        self.subscribers.pop(subscriber, None)
        self._note(subscriber)

    def end_all(self, error: RespError) -> None:
        """None of them gets any more."""
        for subscriber in [*self.subscribers]:
            self.end(subscriber, error)

    def disown(self) -> None:
        """In the child of a fork: what waits is for the readers in the parent."""
        for subscriber in self.subscribers:
            for items in (subscriber.ready, subscriber.incoming, subscriber.held):
                items.clear()

    def feed_for(self, kind: Kind, word: bytes) -> Feed:  # noqa: ARG002  # of use where there are several
        """Return by which link this name is to come."""
        return self

    @property
    def read_by(self) -> Any:
        """The only link, None if there is none now, or if there are several."""
        return self.link

    @property
    def links(self) -> list[Any]:
        """Those that there are."""
        return [] if self.link is None else [self.link]

    @property
    def waiting(self) -> list[Change]:
        """All changes: they wait for the one link."""
        return [*self.changes]

    def give_up(self, error: RespError) -> None:
        """There will be no link, for this reason."""
        self.end_all(error)

    def _begin(self, change: Change) -> None:
        if not change.over:
            self.changes[change] = None

    def _drop(self, subscriber: Subscriber, name: Name) -> None:
        """It does not want this name any more."""
        confirmed = subscriber.names.pop(name)
        name.subscribers.pop(subscriber, None)
        for change in [change for change in name.changes if change.joins and change.subscriber is subscriber]:
            self._confirm(change, name)  # there is nothing to wait for
        if not name.subscribers:
            name.feed.wanted.pop(name, None)
            if name.state is State.WANTED:
                self._forget(name)
            else:
                name.feed.todo[name] = None
        if confirmed and name.state is not State.LIVE and not subscriber.forgoes(name) and subscriber.missing:
            subscriber.missing -= 1
            subscriber.mends()

    def _forget(self, name: Name) -> None:
        if self._names[name.kind].get(name.word) is name:
            del self._names[name.kind][name.word]
        name.feed.todo.pop(name, None)

    def fail(self, change: Change, error: RespError) -> None:
        """A change is refused, or can't be had."""
        change.fail(error)
        self.cancel(change)
        self._note(change)

    def _note(self, source: Source) -> None:
        self._told[source] = None

    # -- the connection ----------------------------------------------------------------------------------------------------

    def ended(self, why: str) -> None:
        """There is no link any more, for this reason. What each subscriber wants is all that stands."""
        self.empty()
        self._names = {kind: {} for kind in Kind}
        self.wanted.clear()
        for subscriber in self.subscribers:
            for name in subscriber.names:
                name.subscribers, name.state, name.asked = {}, State.WANTED, None
        for subscriber in self.subscribers:
            for name in subscriber.names:
                name.subscribers[subscriber] = None
                self._names[name.kind][name.word] = name
                self.wanted[name] = None
            if confirmed := sum(subscriber.names.values()):
                subscriber.missing = 0
                subscriber.breaks(why, confirmed)
        for change in [*self.changes]:
            if not change.joins:  # there is nothing to be left any more
                for name in [*change.pending]:
                    self._confirm(change, name)

    def answered(self, asked: Asked, error: ReplyError | None) -> bool:
        """A command was confirmed, or refused as a whole. Is the link of no use? Then another may be."""
        names = [name for name in asked.names if name.asked is asked]
        if not asked.joins:
            self._left(asked, names, error)
        elif error is None:
            for name in names:
                self._is_live(name)
        elif len(asked.names) > 1:  # which of them was refused, is to be found out
            middle = (len(names) + 1) // 2
            asked.feed.halves += [half for half in (names[:middle], names[middle:]) if half]
            for name in names:
                name.state, name.asked = State.WANTED, None
        elif names:
            return self._refused(names[0], error)
        return False

    def _is_live(self, name: Name) -> None:
        name.state = State.LIVE
        for subscriber in name.subscribers:
            if not subscriber.names[name]:
                subscriber.names[name] = True
            else:
                self._has_again(subscriber, name)
        for change in [*name.changes]:
            self._confirm(change, name)

    def _has_again(self, subscriber: Subscriber, name: Name) -> None:  # noqa: ARG002  # of use where there are several links
        """A name is live again that it had lost."""
        subscriber.missing -= 1
        subscriber.mends()
        self._note(subscriber)

    def _left(self, asked: Asked, names: list[Name], error: ReplyError | None) -> None:
        for name in names:
            if name.subscribers:  # it was wanted again meanwhile
                name.state, name.asked = State.WANTED, None
                name.feed.todo[name] = None
            else:
                self._forget(name)
        for name in asked.names:
            for change in [change for change in name.changes if not change.joins]:
                if error is None:
                    self._confirm(change, name)
                else:
                    self.fail(change, error)

    def _confirm(self, change: Change, name: Name) -> None:
        change.confirmed(name)
        if change.over:
            self.changes.pop(change, None)
            self._note(change)

    def _refused(self, name: Name, error: ReplyError) -> bool:
        name.state, name.asked = State.WANTED, None
        confirmed = [subscriber for subscriber in name.subscribers if subscriber.names[name]]
        if confirmed and self.lasting and CODES.get(error.code) is Meaning.LATER:
            return True
        for change in [change for change in name.changes if change.joins]:
            self.fail(change, error)
        for subscriber in confirmed:
            self.end(subscriber, error)
        return False

    # -- messages ----------------------------------------------------------------------------------------------------------

    def heard(self, pushes: Iterable[Collected]) -> None:
        """These have come. Raises `RemoteProtocolError` if one of them is none that a server sends."""
        channels, patterns, shards = self._names.values()
        touched: dict[Subscriber, None] = {}
        came = 0
        read_on = self.has_enough  # though all have enough: for a reply that a caller waits for
        items: Any
        try:
            for push in pushes:
                kind, items = push if type(push) is Push else (push[0], push[1:])
                if kind in {"message", b"message"}:
                    name = channels.get(items[0])
                    channel, data = items
                    message = new(Message, (channel, data, None, False))
                elif kind in {"pmessage", b"pmessage"}:
                    name = patterns.get(items[0])
                    pattern, channel, data = items
                    if not isinstance(channel, bytes):
                        raise TypeError
                    message = new(Message, (channel, data, pattern, False))
                elif kind in {"smessage", b"smessage"}:
                    name = shards.get(items[0])
                    channel, data = items
                    message = new(Message, (channel, data, None, True))
                else:
                    self._told_otherwise(kind, items)
                    continue
                if name is not None and name.state is not LEAVING:
                    size = 0 if data is None else len(data)  # first: what has no size is no message
                    for subscriber in name.subscribers:
                        subscriber.tail.append(message)
                        subscriber.size += size
                        touched[subscriber] = None
                        came += 1
        except (IndexError, TypeError, ValueError):
            raise RemoteProtocolError("a message came that has no channel, or no data") from None
        finally:
            self.messages += came
            for subscriber in touched:
                self._note(subscriber)
        if any([subscriber.full for subscriber in touched]) and (read_on or not self.has_enough):
            self._trim(touched)

    def _trim(self, touched: Iterable[Subscriber]) -> None:
        """Keep to the bounds: the link is read on, for others."""
        for subscriber in touched:
            error = subscriber.trim()
            if error is not None:
                self.end(subscriber, error)

    @property
    def has_enough(self) -> bool:
        """Have all subscribers as much as they take, so that it is better to leave the rest to TCP?"""
        return bool(self.wanted) and all([subscriber.full or not subscriber.names for subscriber in self.subscribers])

    def takes(self, push: Push) -> bool:
        """Is this a message for a subscriber, or about a name of theirs?"""
        match push:
            case Push("message" | "pmessage" | "smessage" | "sunsubscribe" as kind, (bytes() as word, *_)):
                return word in self._names[OF_PUSH[kind]]
        return False

    def _told_otherwise(self, kind: object, items: Any) -> None:
        name = self._names[SHARD].get(items[0]) if kind == "sunsubscribe" else None
        if name is not None and name.state is State.LIVE:
            name.state, name.asked = State.WANTED, None
            self.todo[name] = None
            for subscriber in name.subscribers:
                subscriber.breaks(MOVED, 1)

    def told(self) -> list[Source]:
        """Return what may have something for its listeners."""
        told, self._told = self._told, {}
        return [*told]

    def listens(self, listener: Listener) -> None:
        """A caller waits for a subscriber's messages, or for a change. Idempotent."""
        source = listener.source
        if listener not in source.listeners:
            source.listen(listener)
        self._note(source)

    def leaves(self, listener: Listener) -> None:
        """It does not wait any more; what had come for it is the next one's."""
        source = listener.source
        source.leave(listener)
        self._note(source)

    def stats(self) -> MessageStats:
        """A snapshot of its counters."""
        subscribers = [*self.subscribers]
        return MessageStats(
            subscribers=len(subscribers),
            names=sum([len(names) for names in self._names.values()]),
            waiting=sum([one.waiting for one in subscribers]),
            messages=self.messages,
            dropped=self.dropped,
            gaps=self.gaps,
        )

    @property
    def listeners(self) -> list[Listener]:
        """All callers that wait."""
        return [listener for source in (*self.subscribers, *self.changes) for listener in source.listeners]


new: Final[Any] = tuple.__new__  # half of what it takes to make one is to call the class

CHANNEL, PATTERN, SHARD = Kind
OF_PUSH: Final = {"message": CHANNEL, "pmessage": PATTERN, "smessage": SHARD, "sunsubscribe": SHARD}
