"""News of the sentinels: while a client has links to a master, it hears from one of them when the master is another one.

A master that was deposed may live on, and take writes that are lost: until a sentinel has made a replica of it, or for as long as
it is cut off from them. Its links do not end, so nothing would make the client ask. So one more link leads to a sentinel, which is
subscribed to what sentinels tell. What they say is not believed either: the links to the server are left, and the next dial asks.

The sentinel that leads a fail-over tells of `+promoted-slave` as soon as it has happened, and of `+switch-master` only when all
replicas have followed; the others tell of the latter at once. So one sentinel is enough, whichever it is.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from ..commands.command import Command
from ..connection.events import Opened
from .calls import OWN
from .dials import Dials
from .links import Dial, Link
from .sentinel import Place, read_pair, read_switch

__all__ = ["News"]

SUBSCRIBE: Final = Command("SUBSCRIBE", "+switch-master", "+promoted-slave")

PAUSE: Final = 1.0
"""Seconds until another sentinel is tried, at least half of them: all clients have lost the same one. A dial gets no more time: in
`resp_sync` it takes that of callers."""


class News(Dials):
    """What keeps a link for news open, and draws the conclusions."""

    __slots__ = ()

    @property
    def news(self) -> Link | None:
        """The link that brings news, if there is one: an adapter reads on it although no caller waits."""
        return self._news if isinstance(self._news, Link) else None

    def _open_news(self, now: float) -> None:
        directory = self.directory
        if directory is None or self._news is not None or self.closed is not None or self.once:
            return
        if not any([link.dial is None for link in self._links]):
            return  # the next link to a server asks for it again
        sentinels = directory.sentinels
        way = directory.way_to_sentinel(sentinels[self._news_tries % len(sentinels)])
        self._news = Dial(None, None, now, now + min(self._dial_time, PAUSE), self._generation, way, home=self)
        self._events.append(self._news)

    def _news_opened(self, link: Link, event: Opened, now: float) -> None:
        """A sentinel has answered, and is to tell more. It may know already what the client does not."""
        dial = link.dial
        assert dial is not None and self.directory is not None
        self._news = link
        link.news_from = dial.config.host, dial.config.port
        link.dial = None
        dial.way.opening.opened()
        link.core.send(SUBSCRIBE).call = OWN
        self._events.append(link)
        self._watch(link, min(max(link.core.next_deadline(), now + 1e-6), now + self._quiet))
        master = read_pair(event.answers[0])
        if master is not None:
            self._told_of(master, link, now)

    def _news_came(self, link: Link, now: float) -> None:
        """A sentinel has told something."""
        assert self.directory is not None
        while link.pushes.came:
            _, push = link.pushes.came.pop(0)
            link.core.push_taken()
            master = read_switch(push, self.directory.name)
            if master is not None:
                self._told_of(master, link, now)

    def _told_of(self, master: Place, link: Link, now: float) -> None:
        """This sentinel says that this is the master. If it is news, the links to the other one are left."""
        assert self.directory is not None and link.news_from is not None
        if master != self.directory.master:
            self.directory.ask_first(link.news_from)
            self.retire(now)

    def _news_ended(self, now: float) -> None:
        """There is no link for news, or no more: try another sentinel, after a pause."""
        self._news = None
        self._news_tries += 1
        if self.closed is None:
            self._news_timer = self._timers.set(now + PAUSE * (1 + self._random()) / 2, self.directory)

    def _mend_news(self, told: Collection[Dial], now: float) -> None:
        """Begin anew after an interrupt if the link for news has ended, or if its dial is not among those that were told of."""
        news = self._news
        if (news not in told) if isinstance(news, Dial) else (news is None or news.ended):
            self._news = None
            self._news_timer = self._timers.set(now, self.directory)

    def _end_news(self, now: float) -> None:
        """The client ends: no more news."""
        self._timers.cancel(self._news_timer)
        for link in list(self._links):
            if link.news_from is not None or (link.dial is not None and link.dial.brings_news):
                self.abort(link, self.closed, now)
        self._news = None
