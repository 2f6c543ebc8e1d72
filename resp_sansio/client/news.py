"""News of the sentinels: while a client has links to a master, it hears from two of them when the master is another one.

A master that was deposed may live on, and take writes that are lost: until a sentinel has made a replica of it, or for as long as
it is cut off from them. Its links do not end, so nothing would make the client ask. So more links lead to sentinels, and are
subscribed to what these tell, and asked where the master is when that begins. What they say is not believed either: the links to
the server are left, and the next dial asks.

The sentinel that leads a fail-over tells of `+promoted-slave` as soon as it has happened, and of `+switch-master` only when all
replicas have followed; the others tell of the latter at once. So one sentinel would be enough, whichever it is, but that it may be
cut off together with the old master, and hear of nothing. So two are heard, where there are two; and what the one answers that is
behind is no news, as its epoch says.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from ..commands.command import Command
from ..commands.knowledge import prepare
from ..connection.events import Opened
from ..connection.slot import Slot
from ..connection.stateful import new_batch, new_slot
from ..wire.values import Push
from .dials import Dials
from .links import Dial, Link
from .sentinel import Place, read_epoch, read_switch

__all__ = ["CHANNELS", "News", "place_of"]

CHANNELS: Final = ("+switch-master", "+promoted-slave")
SUBSCRIBE: Final = Command("SUBSCRIBE", *CHANNELS)

WHERE: Final = ("MASTER", "GET-MASTER-ADDR-BY-NAME")
"""What it is asked for: the epoch first, as in a handshake."""

HEARD: Final = 2
"""How many sentinels are heard at the same time."""

PAUSE: Final = 1.0
"""Seconds until another sentinel is tried, at least half of them: all clients have lost the same one. A dial gets no more time: in
`resp_sync` it takes that of callers."""


class News(Dials):
    """What keeps the links for news open, and draws the conclusions."""

    __slots__ = ()

    @property
    def news(self) -> list[Link]:
        """The links that bring news: an adapter reads on them although no caller waits."""
        return [source for source in self._news if isinstance(source, Link)]

    @property
    def _leads_to_a_server(self) -> bool:
        """Is there a link to a server? Without one the client has nothing that news could lead away."""
        return any([link.dial is None and link.news_from is None for link in self._links])

    @property
    def _channels(self) -> Command[Any]:
        """What sentinels are to tell of."""
        return SUBSCRIBE

    def _open_news(self, now: float) -> None:
        """Hear as many sentinels as there are to hear, if there is a link to a server."""
        directory = self.directory
        if directory is None or self.closed is not None or self.once:
            return
        if not self._leads_to_a_server:
            return  # the next link to a server asks for it again
        heard = [source.news_from if isinstance(source, Link) else place_of(source) for source in self._news]
        others = [place for place in directory.sentinels if place not in heard]
        while len(self._news) < HEARD and others:
            way = directory.way_to_sentinel(others.pop(self._news_tries % len(others)))
            dial = Dial(None, None, now, now + min(self._dial_time, PAUSE), self._generation, way, home=self)
            self._news = [*self._news, dial]
            self._events.append(dial)

    def _news_opened(self, link: Link, event: Opened, now: float) -> None:
        """A sentinel has answered, and is to tell more. It may know already what the client does not, or learn it just now."""
        dial, directory = link.dial, self.directory
        assert dial is not None and directory is not None
        self._news = [link if source is dial else source for source in self._news]
        link.news_from = place_of(dial)
        directory.learn(read_epoch(event.answers[0]))
        link.dial = None
        dial.way.opening.opened()
        asked = [prepare(("SENTINEL", what, directory.name)) for what in WHERE]
        slots: list[Slot] = [new_batch([payload for payload, _ in asked], [info for _, info in asked], link)]
        # On RESP2 a connection that has subscribed can ask nothing.
        slots.insert(0 if event.protocol == 3 else 1, new_slot(self._channels.args))
        for slot in slots:
            self._send_own(link, slot)
        self._events.append(link)
        self._watch(link, min(max(link.core.next_deadline(), now + 1e-6), now + self._quiet))

    def _news_told(self, slot: Slot, now: float) -> None:
        """A sentinel that is heard says where the master is. If that is news, the links to the old one are left."""
        link, answers = slot.token, slot.reply
        assert isinstance(link, Link) and isinstance(answers, list)
        assert self.directory is not None and link.news_from is not None
        if self.directory.answered(link.news_from, answers):
            self.retire(now)

    def _news_came(self, link: Link, now: float) -> None:
        """It tells of a fail-over."""
        while link.pushes.came:
            _, push = link.pushes.came.pop(0)
            link.core.push_taken()
            self._heard(link, push, now)

    def _heard(self, link: Link, push: Push, now: float) -> None:
        """Draw the conclusions from what a sentinel tells unasked."""
        assert self.directory is not None and link.news_from is not None
        master = read_switch(push, self.directory.name)
        if master is not None and self.directory.switched(link.news_from, master):
            self.retire(now)

    def _news_ended(self, source: Dial | Link, now: float) -> None:
        """This source of news is none, or none any more: try another sentinel, after a pause."""
        if source in self._news:
            self._news = [other for other in self._news if other is not source]
        self._news_tries += 1
        self._news_again(now + PAUSE * (1 + self._random()) / 2)

    def _news_again(self, due: float) -> None:
        if self.closed is None:
            self._timers.cancel(self._news_timer)
            self._news_timer = self._timers.set(due, self.directory)

    def _mend_news(self, told: Collection[Dial], now: float) -> None:
        """After an interrupt, forget the links that have ended and the dials that are not among those that were told of."""
        self._news = [
            source for source in self._news if (source in told if isinstance(source, Dial) else not source.ended)
        ]
        self._news_again(now)

    def _end_news(self, now: float) -> None:
        """The client ends: no more news."""
        self._timers.cancel(self._news_timer)
        for link in list(self._links):
            if link.news_from is not None or (link.dial is not None and link.dial.brings_news):
                self.abort(link, self.closed, now)
        self._news = ()


def place_of(dial: Dial) -> Place:
    """Return where a dial leads."""
    return dial.config.host, dial.config.port
