"""The subscriptions of a client: one link of its own for all of them, and who waits for what comes by it.

That link is dialled when something is wanted, at the pace of all dials, and again after a loss; it ends as soon as nothing is. On a
connection of one's own, or on loan, subscriptions use that connection, and end with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from math import inf
from typing import Any, Final

from .._errors import (
    ConnectError,
    ConnectionClosedError,
    ConnectionLostError,
    LocalProtocolError,
    Outcome,
    RemoteProtocolError,
    ReplyError,
    RespError,
    in_one_line,
)
from .._stats import CloseReason
from ..connection.events import ConnectionLost
from ..connection.slot import Slot, SlotState
from ..connection.stateful import new_slot
from .feeds import Asked, Change, Feed
from .leases import Lease
from .links import Heard, Lane, Link, Share
from .messages import Overflow
from .news import News
from .pushes import Listener, Pushes
from .retry import Attempts
from .submitting import ASKS
from .subscriber import Subscriber
from .subscriptions import Registry

__all__ = ["KEEP_ALIVE", "Listening", "SubscriptionLane", "told_of_dial"]

QUEUED: Final = SlotState.QUEUED

KEEP_ALIVE: Final = 15.0
"""Seconds without a byte after which a link of subscriptions is asked whether it is there, if no `ping_interval` says otherwise."""


class SubscriptionLane(Lane):
    """The lane of subscriptions: its link is wanted as long as a name is."""

    __slots__ = ("feed",)

    def __init__(self, feed: Feed) -> None:
        super().__init__()
        self.feed: Final[Feed] = feed

    @property
    def registry(self) -> Registry:
        """What is subscribed to, by this lane among others."""
        registry: Registry = self.feed.registry
        return registry

    @property
    def waiting(self) -> int:
        """How many names are to be asked for on the next link."""
        return len(self.feed.wanted)


class Listening(News):
    """The subscriptions of a client, and the callers that listen."""

    __slots__ = ()

    # -- for callers -----------------------------------------------------------------------------------------------------

    def subscriber(
        self, loan: Lease[Link] | Share | None, most: int, most_bytes: int, overflow: Overflow
    ) -> Subscriber:
        """Return a new subscriber: by the client's link for all of them, or by this one of its own.

        Raises `ConnectionClosedError` if that has ended, or the client is closed.
        """
        if loan is None:
            if self.closed is not None:
                raise ConnectionClosedError(f"subscribe: {self.closed}")
            if self._subscriptions is None:
                self._subscriptions = SubscriptionLane(self._new_registry())
            lane: SubscriptionLane = self._subscriptions
            return lane.registry.subscriber(most, most_bytes, overflow)
        loan.check("SUBSCRIBE")
        link = loan.connection
        if link.core.error is not None:
            raise ConnectionClosedError(f"subscribe: the connection has ended: {link.core.error}")
        if link.registry is None:
            link.registry = link.feed = Registry(lasting=False)
            link.registry.opened(link)
        return link.registry.subscriber(most, most_bytes, overflow)

    def _new_registry(self) -> Registry:
        return Registry(lasting=True)

    def subscribe(self, subscriber: Subscriber, names: Any, now: float) -> Change:
        """It wants these names as well: `listen` to the change that is returned. Raises why the subscription has ended."""
        self._check_own(subscriber)
        registry: Registry = subscriber.registry
        registry.busy = True
        change = registry.want(subscriber, names)
        self._advance(registry, now)
        return change

    def unsubscribe(self, subscriber: Subscriber, names: Any, now: float) -> Change:
        """It does not want these names any more, None: all. As `subscribe`."""
        self._check_own(subscriber)
        registry: Registry = subscriber.registry
        registry.busy = True
        change = registry.unwant(subscriber, names)
        self._advance(registry, now)
        return change

    def cancel(self, change: Change, now: float) -> None:
        """The caller that waits for a change has gone: what it added is not wanted any more. Idempotent."""
        registry = change.registry
        registry.busy = True
        registry.cancel(change)
        self._advance(registry, now)

    def leave(self, subscriber: Subscriber, now: float) -> Change | None:
        """Its block has ended: what no other wants is left, and nothing of it is kept. Idempotent.

        Return what tells when the server has confirmed that; None if the subscription had ended before.
        """
        registry: Registry = subscriber.registry
        registry.busy = True
        change = registry.unwant(subscriber, None) if subscriber.error is None else None
        registry.end(subscriber, ConnectionClosedError("the block of this subscription has ended"))
        self._advance(registry, now)
        subscriber.ready.clear()
        subscriber.incoming.clear()
        return change

    def _check_own(self, subscriber: Subscriber) -> None:
        """A child of a fork has a client that knows nothing of the parent's subscriptions."""
        lane, registry = self._subscriptions, subscriber.registry
        own = (lane is not None and lane.registry is registry) or registry.link in self.links
        if not own and subscriber.error is None:
            raise ConnectionClosedError("this subscription was opened before a fork, and belongs to the parent process")

    def disown(self) -> None:
        """In the child of a fork: what waits for a reader of messages is for the one in the parent."""
        registries = [link.registry for link in self.links if link.registry is not None]
        if self._subscriptions is not None:
            registries.append(self._subscriptions.registry)  # though it has no link now
        for registry in registries:
            registry.disown()

    def listen(self, listener: Listener) -> None:
        """Wait for what comes unasked; an adapter first takes in what has come. The listener may have it at once.

        Raises `ConnectionClosedError` if the link was given back, or has ended and all pushes that came before have been had.
        """
        source = listener.source
        if isinstance(source, Pushes):
            listener.what.check("next_push")
            source.listen(listener)
            self._hand_out(listener.link)
        else:
            what: Subscriber | Change = listener.what
            self._check_own(what if isinstance(what, Subscriber) else what.subscriber)
            what.registry.listens(listener)
            self._tell_subscribers(what.registry)
        if listener.error is None and listener.state is QUEUED:
            listener.timer = self._timers.set(listener.deadline, listener)

    def stop_listening(self, listener: Listener) -> None:
        """The caller does not wait any more; a push that it was handed meanwhile is the next one's. Idempotent."""
        self._timers.cancel(listener.timer)
        source = listener.source
        if isinstance(source, Pushes):
            source.leave(listener)
            self._hand_out(listener.link)
        else:
            registry = listener.what.registry
            registry.leaves(listener)
            self._tell_subscribers(registry)

    def _listened_for_long(self, listener: Listener) -> None:
        """Nothing came in time for this listener."""
        source = listener.source
        source.late(listener)
        if isinstance(source, Change) and source.unsent and source.registry.lasting:
            listener.fail(self._late(self._why_unsent(source)))
        self._timers.cancel(listener.timer)
        self._events.append(Heard(listener))

    def _why_unsent(self, change: Change) -> RespError | None:
        """Return why no server was asked for what it waits for, as far as that is known."""
        return change.why

    # -- what follows ----------------------------------------------------------------------------------------------------

    def _advance(self, registry: Registry, now: float) -> None:
        """Send what is to be asked, see to the link, and tell those who wait. An interrupt before the end shows in `busy`."""
        self._attend(registry, now)
        self._tell_subscribers(registry)
        registry.busy = False

    def _attend(self, feed: Feed, now: float) -> None:
        """See that there is a link as long as it is wanted, and send what is to be asked."""
        link, lane = feed.link, self._subscriptions
        if link is not None and not link.ended:
            if not (feed.lasting and not feed.wanted):
                self._ask(feed, link, now)
            else:
                self._leave_subscriptions(CloseReason.SURPLUS, now)
        elif feed.lasting and lane is not None and lane.feed is feed:
            self._see_to(lane, now)

    def _ask(self, feed: Feed, link: Link, now: float) -> None:
        for asked in feed.asks():
            slot = new_slot(asked.words, asked)
            slot.call = ASKS
            try:
                link.core.submit(slot)
            except LocalProtocolError as error:
                if not feed.lasting:
                    feed.give_up(error)
                return  # else there will be another link
            self._on(link, slot, now)
        if link.wire.wants_to_send:
            self._events.append(link)

    def _tell_subscribers(self, registry: Registry) -> None:
        for source in registry.told():
            while (listener := source.hand_out()) is not None:
                self._timers.cancel(listener.timer)
                self._events.append(Heard(listener))
        link, enough = registry.link, registry.has_enough
        if link is not None and link.core.held_back is not enough:
            self._hold_back(link, enough)

    def _hold_back(self, link: Link, enough: bool) -> None:
        """Leave what comes by this link to TCP from now on, or read on."""
        link.core.held_back = enough
        if not enough and not link.ended:
            self._events.append(link)

    # -- what the link says ----------------------------------------------------------------------------------------------

    def _collected(self, link: Link, now: float) -> None:
        """Messages have come."""
        core, registry, feed = link.core, link.registry, link.feed
        collected, core.collected = core.collected, None
        if registry is None or feed is None or collected is None:
            return  # nothing was asked for
        registry.busy = True
        try:
            feed.heard(collected)
        except RemoteProtocolError as error:
            self._advance(registry, now)
            self.abort(link, error, now)
            return
        self._advance(registry, now)

    def _asked(self, slot: Slot, failure: RespError | None, now: float) -> None:
        """A command of ours about subscriptions has ended: with its connection, or it was answered."""
        asked: Any = slot.token
        assert isinstance(asked, Asked)
        registry, link = asked.feed.registry, slot.link
        if failure is not None or asked.feed.link is not link:
            return  # the end of the link is told by itself
        registry.busy = True
        error = slot.reply if isinstance(slot.reply, ReplyError) else None
        useless = registry.answered(asked, error)
        if error is None:
            self._proved(link, now)
        self._advance(registry, now)
        if useless:
            why = f"subscribing again was refused: {in_one_line(str(error))}"
            self.abort(link, ConnectionLostError(why), now)

    def _subscriptions_opened(self, link: Link, now: float) -> None:
        """There is a link for the client's subscriptions."""
        assert self._subscriptions is not None
        feed: Feed = self._subscriptions.feed
        registry = feed.registry
        link.registry, link.feed = registry, feed
        registry.busy = True
        feed.opened(link)
        self._advance(registry, now)

    def _subscriptions_not_opened(self, error: Exception | None, now: float) -> None:
        """A dial for the client's subscriptions came to nothing. Those that have been live are dialled for again."""
        assert self._subscriptions is not None
        feed: Feed = self._subscriptions.feed
        if error is None:
            return
        feed.registry.busy = True
        told = told_of_dial(error)
        self._put_off(feed.waiting, told)
        if not told.transient:
            feed.give_up(told)
        self._advance(feed.registry, now)

    def _put_off(self, changes: Iterable[Change], error: RespError) -> None:
        """These can't be had now, for this reason: they fail if they have waited for as long as they may."""
        for change in changes:
            change.why = error
            if change.attempts is None:
                change.attempts = Attempts(self._retry)
            deadline = max([listener.deadline for listener in change.listeners], default=inf)
            counts = self._counts(error, deadline)
            another = (
                change.attempts.another if isinstance(error, ReplyError) else partial(change.attempts.after, error)
            )
            if another(self._random(), counts=counts) is None:
                change.registry.fail(change, change.attempts.told(error))

    def _subscriptions_lost(self, link: Link, event: ConnectionLost, now: float) -> None:
        """A link has ended that had subscriptions."""
        registry, feed = link.registry, link.feed
        if registry is None or feed is None:
            return  # it was not opened
        registry.busy = True
        if feed.lasting:
            if not link.left and now < link.opened_at + self._retry.cap:
                self._pace.wasted(
                    now, self._random()
                )  # a server that hangs up at once is not to be dialled without a pause
                self._await_pace()
        else:
            why = f"the connection of the subscription has ended: {event.error}"
            lost = ConnectionLostError(why, outcome=Outcome.NOT_SENT)
            lost.__cause__ = event.error
            registry.end_all(lost)
        feed.ended(str(event.error))
        self._advance(registry, now)

    def _leave_subscriptions(self, reason: CloseReason, now: float) -> None:
        """End the link of subscriptions now, if there is one; if names are still wanted, another follows."""
        lane: SubscriptionLane | None = self._subscriptions
        link = None if lane is None else lane.link
        if lane is not None and link is not None:
            lane.left(reason)
            link.left = True
            self.abort(link, self.closed, now)

    def _end_subscriptions(self, now: float) -> None:
        """The client is closed."""
        lane = self._subscriptions
        if lane is None:
            return
        assert self.closed is not None
        lane.dial = None
        lane.registry.end_all(ConnectionClosedError(str(self.closed)))
        self._leave_subscriptions(CloseReason.CLOSED, now)
        self._tell_subscribers(lane.registry)


def told_of_dial(error: Exception) -> ConnectError:
    """Return as an error of ours what a provider of credentials has raised."""
    if isinstance(error, ConnectError):
        return error
    told = ConnectError(f"no connection for subscriptions came about: {type(error).__name__}", transient=False)
    told.__cause__ = error
    return told
