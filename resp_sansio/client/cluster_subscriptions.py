"""The subscriptions of a client of a cluster: which servers they come from, and what follows when a hash slot has another owner.

Channels and patterns come by a link of the cluster's machine, which leads to any server: each tells what is published at any other.
The channels of shards come by a link for each master that has any, which is that server's machine's. What its server refuses
because the slot is another's, or can't be had now, is asked for again, by the map of then; no caller hears of it. A server that
refuses to unsubscribe while the cluster is down goes on sending messages: it is asked again, as long as the link is there.
"""

from __future__ import annotations

from math import inf
from typing import Final

from .._errors import ConnectError, ConnectionLostError, ReplyError, RespError
from .._stats import CloseReason
from ..connection.events import ConnectionLost
from .cluster_redirects import AT_ONCE, ELSEWHERE, ClusterRedirects
from .cluster_servers import NOT_NOW
from .feeds import Asked, Change
from .hash_slots import slot_of
from .leases import Dial as PlaceDial
from .links import Dial, Lane, Link
from .listening import told_of_dial
from .node import NodeBase
from .repair import INTERRUPTED
from .sentinel import Place
from .shards import ShardedRegistry, ShardFeed
from .subscriber import Name
from .subscriptions import Registry

__all__ = ["ClusterSubscriptions"]

AGAIN: Final = ELSEWHERE | NOT_NOW
"""Codes of errors that are no reason to refuse a subscription."""


TIME_FOR_A_MAP: Final = 0.1
"""Seconds after which a channel whose slot was moved is asked for at its old server, which says where it is, if no map has come."""


class ClusterSubscriptions(ClusterRedirects):
    """What a cluster's machine does with subscriptions."""

    _listens_at: Place | None = None  # where channels and patterns come from
    _shunned: Place | None = None  # where they came from before, or a dial for them failed
    _names_due: float = inf  # when channels of shards are to be asked for again that can't be had now

    @property
    def _sharded(self) -> ShardedRegistry | None:
        lane = self._subscriptions
        registry: ShardedRegistry | None = None if lane is None else lane.registry
        return registry

    def _new_registry(self) -> Registry:
        return ShardedRegistry(self._feed_of)

    def _feed_of(self, number: int) -> ShardFeed | None:
        """Return what comes by the link to the master of this slot, None if the map does not say which that is."""
        node, registry = self._owner(number), self._sharded
        assert registry is not None
        return None if node is None else node.feed(registry)

    def _advance(self, registry: Registry, now: float) -> None:
        if not isinstance(registry, ShardedRegistry):  # that of a link which its caller was lent
            machine = self if registry.link is None else registry.link.home
            (super()._advance if machine is self else machine._advance)(registry, now)
            return
        self._attend(registry, now)
        for feed in [*registry.feeds]:
            if feed.home is not None:
                feed.home._attend(feed, now)
        if registry.ended_names:
            self._later(registry, registry.ended_names, now + TIME_FOR_A_MAP)
            registry.ended_names = []
        if registry.wants_map:
            self.want_map(now, at_once=not self.map.masters)
        self._tell_subscribers(registry)
        registry.busy = False

    def _tell_subscribers(self, registry: Registry) -> None:
        super()._tell_subscribers(registry)
        enough = registry.has_enough
        for link in registry.links:
            if link.core.held_back is not enough:
                self._hold_back(link, enough)

    # -- by which server -----------------------------------------------------------------------------------------------------

    def _new_dial(self, lane: Lane | None, place: PlaceDial[Link] | None, now: float) -> Dial:
        """For channels and patterns: to any server, another one than the last that was lost, or could not be reached."""
        masters = [server.place for server in self.map.masters] or [*self._seeds]
        well = [at for at in masters if at not in self._nodes or not self._nodes[at].suspect]
        at = self._pick([at for at in well if at != self._shunned] or well or masters)
        assert at is not None
        self._listens_at = at
        return Dial(lane, place, now, now + self._dial_time, self._generation, self.node_at(at)._way(), home=self)

    def _dial_over(self, dial: Dial, error: Exception | None, now: float) -> None:
        if error is not None:
            self._shuns(now)
        super()._dial_over(dial, error, now)

    def _lost(self, link: Link, event: ConnectionLost, now: float) -> None:
        if link.dial is None and not link.left and self.closed is None:
            self._shuns(now)
        super()._lost(link, event, now)

    def _shuns(self, now: float) -> None:
        self._shunned = self._listens_at
        self.want_map(now)

    def _subscriptions_opened(self, link: Link, now: float) -> None:
        link.awaited = True  # by no caller of its own: each waits for several links
        super()._subscriptions_opened(link, now)

    def _leave_gone(self, now: float) -> None:
        lane = self._subscriptions
        if lane is not None:
            if lane.link is not None and self._listens_at in self.map.gone:
                self._leave_subscriptions(CloseReason.RETIRED, now)
            self._place_names(now)
        super()._leave_gone(now)

    # -- channels of shards --------------------------------------------------------------------------------------------------

    def _place_names(self, now: float, by: float = inf) -> None:
        """There is a new map, or it is time: channels go where their slots are now, and are asked for again.

        Those that were put off until after `by` are not.
        """
        self._names_due = inf
        registry = self._sharded
        if registry is not None:
            registry.busy = True
            registry.place(by, gone=lambda feed: feed.home is not None and self._is_gone(feed.home.place))
            self._names_due = min(registry.later.values(), default=inf)
            self._advance(registry, now)

    def _later(self, registry: ShardedRegistry, names: list[Name], due: float) -> None:
        """These can't be had now, and are asked for again then."""
        registry.later.update(dict.fromkeys(names, due))
        self._names_due = min(self._names_due, due)

    def puts_off(self, node: NodeBase, asked: Asked, error: ReplyError, now: float) -> bool:
        """This server has refused a command about channels of shards. Is that no reason to tell their subscribers?"""
        registry = asked.feed.registry
        if error.code not in AGAIN or not isinstance(registry, ShardedRegistry):
            return False
        registry.busy = True
        if not asked.joins:
            if error.code in ELSEWHERE:
                registry.answered(asked, None)  # it had ended the subscription before it said so
            else:
                over = registry.not_left(asked)
                pause = self._retry.pause(max([name.hops for name in over], default=1), self._random())
                self._later(registry, over, now + pause)
            self._advance(registry, now)
            return True
        names = registry.put_off(asked)
        hops = max([name.hops for name in names], default=1)
        redirect = self._read(node, error) if error.code in ELSEWHERE else None
        if redirect is not None and not redirect.asks and redirect.slot == slot_of(asked.names[0].word):
            self._learn(redirect, node, now)
            hops -= AT_ONCE
            if hops <= 0:
                self._later(registry, names, now)
                self._place_names(now, now)
                return True
        self._later(registry, names, now + self._retry.pause(hops, self._random()))
        self.want_map(now)
        self._put_off({change: None for name in names for change in name.changes}, error)
        self._advance(registry, now)
        return True

    def _not_found(self, now: float) -> None:
        super()._not_found(now)
        registry, error = self._sharded, self._last
        if registry is not None and error is not None:
            registry.busy = True
            self._put_off(registry.room.waiting, told_of_dial(error))
            self._advance(registry, now)

    def _why_unsent(self, change: Change) -> RespError | None:
        """As of a client; or that the map names no server of a channel."""
        lost = [name.word for name in change.pending if self._sharded is not None and name.feed is self._sharded.room]
        if change.why is not None or not lost or not self.map.masters:
            return change.why
        return ConnectError(f"no server has hash slot {slot_of(lost[0])} by the map", transient=True)

    # -- time, and interrupts ------------------------------------------------------------------------------------------------

    def next_deadline(self) -> float:
        """As of a client."""
        due = super().next_deadline()
        return due if self.closed is not None else min(due, self._names_due)

    def handle_timeout(self, now: float) -> None:
        """As of a client."""
        super().handle_timeout(now)
        if self._names_due <= now:
            self._place_names(now, now)

    def _mend_subscriptions(self, now: float) -> None:
        registry = self._sharded
        if registry is not None and registry.busy:
            for link in registry.links:
                link.left = True
                link.home.abort(link, ConnectionLostError(INTERRUPTED), now)
            registry.begin_anew(INTERRUPTED)
            registry.busy = False
        super()._mend_subscriptions(now)
