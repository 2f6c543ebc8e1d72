"""What is subscribed to in a cluster: channels and patterns by a link to any server, channels of shards by links to their masters.

A name knows by which link it comes, its `feed`. It goes to another one when its hash slot has another owner: it is left at the old
one and asked for at the new one. What is missing in between is told of this name alone, in its place: the others are where they
were. So nothing is held back, as it is where all names are lost at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from .._errors import RespError
from ..connection.pairing import Collected
from ..wire.values import Push
from .feeds import Asked, Change, Feed
from .hash_slots import slot_of
from .subscriber import Kind, Name, State, Subscriber
from .subscriptions import MOVED, SHARD, Registry

__all__ = ["ShardFeed", "ShardedRegistry"]

OF_ONE_SHARD: Final = frozenset({"smessage", b"smessage", "sunsubscribe"})


class ShardFeed(Feed):
    """What one master's link has of the channels of shards. `home` is its server's machine; None: no server is known for these."""

    __slots__ = ("_all", "home", "lost")

    def __init__(self, registry: ShardedRegistry, home: Any) -> None:
        super().__init__(registry, lasting=True)
        self._all = registry
        self.home: Final[Any] = home
        self.lost: bool = False  # its link was, and there is no other yet

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self.wanted)} names>"

    @property
    def waiting(self) -> list[Change]:
        """As of any feed."""
        return self._all.waiting_for(self)

    def heard(self, pushes: Iterable[Collected]) -> None:
        """As of any feed."""
        self._all.heard([push for push in pushes if self._all.comes_by(push, self)])

    def give_up(self, error: RespError) -> None:
        """As of any feed."""
        self._all.end_those(self, error)

    def ended(self, why: str) -> None:
        """As of any feed."""
        self._all.lost(self, why)

    def opened(self, link: Any) -> None:
        """As of any feed."""
        self.lost = False
        super().opened(link)

    def _ask(self, asked: list[Asked], names: list[Name], *, joins: bool) -> None:
        """All names of a command have to be of one hash slot."""
        slots: dict[int, list[Name]] = {}
        for name in names:
            slots.setdefault(slot_of(name.word), []).append(name)
        for some in slots.values():
            super()._ask(asked, some, joins=joins)


class ShardedRegistry(Registry):
    """The subscriptions of a client of a cluster. `owner` says which feed a hash slot has now, None if that is not known.

    `later`: names that were put off, and when they are to be asked for, or left, again. `ended_names`: those that a server has just
    ended.
    """

    __slots__ = ("_owner", "ended_names", "feeds", "later", "room")

    def __init__(self, owner: Callable[[int], ShardFeed | None]) -> None:
        super().__init__(lasting=True)
        self._owner = owner
        self.room: Final[ShardFeed] = ShardFeed(self, None)
        self.feeds: dict[ShardFeed, None] = {self.room: None}
        self.later: dict[Name, float] = {}
        self.ended_names: list[Name] = []

    # -- by which link -----------------------------------------------------------------------------------------------------

    def feed_for(self, kind: Kind, word: bytes) -> Feed:
        """As of any registry."""
        return self if kind is not SHARD else self._owner(slot_of(word)) or self.room

    @property
    def read_by(self) -> Any:
        """As of any registry."""
        return None  # by several

    @property
    def links(self) -> list[Any]:
        """As of any registry."""
        return [feed.link for feed in (self, *self.feeds) if feed.link is not None]

    @property
    def waiting(self) -> list[Change]:
        """As of any feed."""
        return self.waiting_for(self)

    def waiting_for(self, feed: Feed) -> list[Change]:
        """Return the changes that wait for this one."""
        return [change for change in self.changes if any([name.feed is feed for name in change.pending])]

    def comes_by(self, push: Collected, feed: Feed) -> bool:
        """Is this no message, or one of a name that comes by this link?"""
        kind, items = push if type(push) is Push else (push[0], push[1:])
        if kind not in OF_ONE_SHARD or not items or type(items[0]) is not bytes:
            return True
        name = self._names[SHARD].get(items[0])
        if name is None or name.feed is not feed:
            return False
        if name.state is State.ASKED and kind != "sunsubscribe":
            for subscriber in name.subscribers:  # the confirmation has come with it, and is told behind it
                subscriber.finds(name)
        return True

    @property
    def wants_map(self) -> bool:
        """Is there a name that may be elsewhere, or that no server is known for?"""
        return bool(self.later or self.room.wanted) or any([feed.lost and feed.wanted for feed in self.feeds])

    @property
    def has_enough(self) -> bool:
        """As of any registry."""
        return any([feed.wanted for feed in (self, *self.feeds)]) and all(
            [subscriber.full or not subscriber.names for subscriber in self.subscribers]
        )

    def place(self, by: float, *, gone: Callable[[ShardFeed], bool]) -> None:
        """Each name goes where its hash slot is now, and all are asked for that were put off until then, or for less long."""
        later = {name: due for name, due in self.later.items() if due > by}
        for feed in [*self.feeds]:
            for name in [name for name in feed.wanted if name not in later]:
                owner = self._owner(slot_of(name.word))
                if owner is None and gone(feed):
                    owner = self.room
                if owner is not None and owner is not feed:
                    self.move(name, owner)
        again, self.later = self.later, later
        for name in again:
            if name not in later and (name.subscribers or self._is_left_over(name)):
                name.feed.todo[name] = None

    def _is_left_over(self, name: Name) -> bool:
        """Does its server have it still, where no one wants it?"""
        now = self._names[SHARD].get(name.word)
        return name.state is State.LIVE and (now is None or now is name or now.feed is not name.feed)

    def move(self, name: Name, feed: ShardFeed) -> None:
        """This name goes by another link from now on."""
        old: Feed = name.feed
        old.wanted.pop(name, None)
        old.todo.pop(name, None)
        if old.link is not None and name.state in (State.ASKED, State.LIVE):
            left = Name(name.kind, name.word, old)
            left.state = name.state
            old.todo[left] = None
        for other in [other for other in feed.todo if other.word == name.word]:
            del feed.todo[other]  # it was to be left there, and is wanted there again
        self._misses(name, MOVED)
        name.feed = feed
        feed.wants(name)

    def put_off(self, asked: Asked) -> list[Name]:
        """A command has come to nothing, for now. Return its names: when they are asked for again is still to be said."""
        names = [name for name in asked.names if name.asked is asked]
        for name in names:
            name.state, name.asked = State.WANTED, None
            name.hops += 1
        return names

    def not_left(self, asked: Asked) -> list[Name]:
        """A server has refused to leave these, for now, and has them still. Return those that no one wants there.

        They are to be left later. Callers do not wait for that: what comes meanwhile is for none of them.
        """
        over: list[Name] = []
        for name in asked.names:
            for change in [change for change in name.changes if not change.joins]:
                self._confirm(change, name)
            if name.asked is not asked:  # it was wanted again, and has moved
                if name.feed is not asked.feed:
                    over.append(Name(name.kind, name.word, asked.feed))
            elif name.subscribers:  # it was wanted again
                self._is_live(name)
            else:
                over.append(name)
        for name in over:
            name.state, name.asked = State.LIVE, None
            name.hops += 1
        return over

    # -- losses --------------------------------------------------------------------------------------------------------------

    def ended(self, why: str) -> None:
        """As of any feed."""
        self.lost(self, why)

    def lost(self, feed: Feed, why: str) -> None:
        """There is no link any more by which these came."""
        feed.empty()
        if isinstance(feed, ShardFeed):
            feed.lost = True
        for names in self._names.values():
            for name in [name for name in names.values() if name.feed is feed]:
                if feed is not self:
                    self._misses(name, why)
                name.state, name.asked = State.WANTED, None
                for change in [change for change in name.changes if not change.joins]:
                    self._confirm(change, name)  # there is nothing to be left any more
                if not name.subscribers:
                    self._forget(name)
        self.later = {name: due for name, due in self.later.items() if name.subscribers or name.feed is not feed}
        if feed is self:
            for subscriber in self.subscribers:
                if lost := sum([has for name, has in subscriber.names.items() if name.feed is self]):
                    subscriber.missing = 0
                    subscriber.breaks(why, lost)

    def begin_anew(self, why: str) -> None:
        """After an interrupt: what each subscriber wants is all that stands."""
        self._names = {kind: {} for kind in Kind}
        self.later, self.ended_names = {}, []
        feeds = (self, *self.feeds)
        for feed in feeds:
            feed.wanted = {}
        for subscriber in self.subscribers:
            for name in subscriber.names:
                name.subscribers = {}
        for subscriber in self.subscribers:
            for name in subscriber.names:
                name.subscribers[subscriber] = None
                self._names[name.kind][name.word] = name
                name.feed.wanted[name] = None
                if name.feed is not self and subscriber.names[name]:
                    subscriber.loses(name, why)
        for change in [*self.changes]:
            if not change.joins:
                for name in [*change.pending]:
                    self._confirm(change, name)
        for feed in feeds:
            self.lost(feed, why)

    def end_those(self, feed: Feed, error: RespError) -> None:
        """There will be no link by which these come."""
        for subscriber in [*self.subscribers]:
            if any([name.feed is feed for name in subscriber.names]):
                self.end(subscriber, error)

    def give_up(self, error: RespError) -> None:
        """As of any feed."""
        self.end_those(self, error)

    def _misses(self, name: Name, why: str) -> None:
        """It is not live any more."""
        for subscriber in name.subscribers:
            if subscriber.names[name]:
                subscriber.loses(name, why)
        name.state, name.asked = State.WANTED, None

    def _has_again(self, subscriber: Subscriber, name: Name) -> None:
        if name.feed is self:
            super()._has_again(subscriber, name)
        else:
            subscriber.finds(name)
            self._note(subscriber)

    def _is_live(self, name: Name) -> None:
        name.hops = 0
        super()._is_live(name)

    def _told_otherwise(self, kind: object, items: Any) -> None:
        name = self._names[SHARD].get(items[0]) if kind == "sunsubscribe" else None
        if name is not None and name.state is State.LIVE:
            self._misses(name, MOVED)
            if name.subscribers:
                self.ended_names.append(name)
            else:
                self._forget(name)
