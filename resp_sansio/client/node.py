"""The machine of one server of a cluster: a client's own lanes, leases, dials and pace, whose calls may go on elsewhere.

Where an attempt ends, and another is to follow, the cluster says at which server. What is told of a call's end to callers, the
cluster is told first of those that it has made itself: parts of calls, and questions for the map.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from math import inf
from typing import Any, Final

from .._errors import ConnectError, ReplyError, RespError
from .._stats import CloseReason, NodeStats
from ..config.config import Config
from ..config.tls import NO_TLS
from ..connection.events import ConnectionLost, Opened
from ..connection.slot import Batch, Slot, SlotState
from .cache import ReadCache
from .client import Client
from .lanes import Route, route
from .links import Call, Dial, Lane, Link, Waiter
from .listening import SubscriptionLane
from .outage import NEXT, Outage, says_down, waits_for_turn
from .retry import ERRORS
from .sentinel import Place, Way
from .shards import ShardedRegistry, ShardFeed
from .splits import REPLIES, Part
from .submitting import ASKS, OWN, Check
from .subscriptions import Registry
from .timers import Soonest, Timer

__all__ = ["Node", "NodeBase", "Probe"]

STALE: Final = frozenset({"CLUSTERDOWN", "MASTERDOWN", "READONLY", "LOADING", "UNBLOCKED"})
"""Codes of errors after which the map may not be what it was."""


SILENT: Final = 1.0
"""Seconds of silence of a server that owes a reply, after which the map is asked for, and again each time."""


class Probe:
    """The token of a question for the map. `asked_at`: when it was made."""

    __slots__ = ("asked_at",)

    def __init__(self, asked_at: float) -> None:
        self.asked_at: Final[float] = asked_at


class NodeBase(Client):
    """What makes a client's machine one of a cluster's. (With slots it could not be observed as well.)"""

    address: str
    asked: int
    cache: ReadCache | None
    cluster: Any
    moved: int
    place: Place
    suspect: bool
    rests: bool

    def __init__(self, cluster: Any, place: Place) -> None:
        self.cluster = cluster
        self.place = place
        config, observed = self._config_of_server(), cluster.observers
        super().__init__(config, cluster.settings, cluster.leases, random=cluster.random, observers=observed)
        self.cache: ReadCache | None = cluster.cache  # one for all servers, or none
        self.address = config.address
        self.moved = 0  # answers that sent a command elsewhere, for good
        self.asked = 0  # and for once
        self.suspect = False  # it could not be reached since a link to it last opened
        self.rests = False  # it is a replica that can't be read from now
        self._quiet = min(self._quiet, SILENT)
        self._opening: list[Dial] = []  # dials that were under way when it was last looked
        self._slow: Timer | None = None  # when it is looked next
        self._outage = Outage(self, self._retry)
        self._events = cluster.shared_events

    def _new_soonest(self) -> Soonest:
        soonest: Soonest = self.cluster.soonest
        return soonest

    def _config_of_server(self) -> Config:
        """Return how to connect to this server."""
        config: Config = self.cluster.config.at(self.place)
        return config

    def node_stats(self) -> NodeStats:
        """Return what was counted, and what the map says of this server."""
        known = self.cluster.knows(self)
        return NodeStats(
            role=None if not known else "replica" if self.cluster.is_replica(self) else "master",
            slots=self.cluster.map.sizes[self.place],
            lanes=[lane.stats() for lane in self._lanes],
            leases=None if self._pool is None else self._pool.stats(self.retries),
            retries=self.retries,
            moved=self.moved,
            asked=self.asked,
            subscriptions=None if self._subscriptions is None else self._subscriptions.stats(),
        )

    # -- for the cluster -----------------------------------------------------------------------------------------------------

    def begin(self, slot: Slot, now: float, caller: Hashable = None, *, pause: float = 0.0) -> None:
        """As `submit`, for a slot of the cluster's own making: it has no caller for which to raise anything."""
        self.have(slot, caller)
        if self.closed is not None:
            self._finish(slot, self.closed, now)
        elif pause:
            self.rest(slot, pause, now)
        elif slot.call.lane is not None:
            self._events += self._one(self._enter(slot, slot.call.lane, now))
        else:
            self._events += self._one(self._borrow(slot, now, again=True))

    def _new_call(self) -> Call:
        call = Call()
        call.home = self
        return call

    def have(self, slot: Slot, caller: Hashable = None) -> Call:
        """A call is this server's now, and goes by a lane or by a lease."""
        call: Call | None = slot.call
        if call is None:
            slot.call = call = Call()
        call.home, call.lane = self, None
        if self._lanes and route(slot, leases=self._pool is not None) is Route.LANE:
            call.lane = self.lane
            if call.lane is None:
                call.lane = self._shares.take(caller)
                call.caller = (caller,)
        return call

    def go_here(self, slot: Slot, now: float, *, turn: float = inf) -> None:
        """Begin another attempt, at this server."""
        if slot.call.lane is None:
            self.have(slot)  # an interrupt may have come before that was decided
        super()._go(slot, now, turn=turn)

    def rest(self, slot: Slot, pause: float, now: float) -> None:
        """Begin another attempt behind a pause."""
        slot.call.timer = self._timers.set(now + pause, slot)
        self._pausing = self._pausing or {}
        self._pausing[slot] = None

    def await_turn(self, slot: Slot, now: float) -> None:
        """A call pauses because the cluster is down: it waits for its turn, and tries by itself only near its deadline."""
        outage, call = self._outage, slot.call
        if slot not in self._pausing or not waits_for_turn(slot):
            return
        outage.refused(slot, now)
        call.outage = outage
        before, left = call.timer, slot.deadline - now
        pause = before.due - now
        call.timer = self._timers.set(now + max(pause, left - pause), slot)
        self._timers.cancel(before)
        self._time_turn(now)

    def _time_turn(self, now: float) -> None:
        """See that the next one that waits has its turn."""
        outage = self._outage
        if outage.timer is None and outage.any_waits:
            outage.timer = self._timers.set(now + outage.pause(now, self._random()), outage)

    def _let_go_on(self, count: int, now: float) -> None:
        """So many of those that wait for their turn have it."""
        for _ in range(count):
            slot = self._outage.first(self._pausing)
            if slot is not None:
                self._timers.cancel(slot.call.timer)
                self._slot_due(slot, now)

    def got_through(self, now: float) -> None:
        """A call has got through that was refused while the cluster was down: others may as well."""
        self._outage.over()
        self._let_go_on(NEXT, now)

    def wants(self, waiter: Waiter, now: float) -> None:
        """This caller wants a link to this server."""
        waiter.home = self
        if self.closed is not None:
            self._refuse(waiter, self.closed)
        elif self._pool is not None:
            self._acquire(waiter, now, again=True)
        else:
            self._await_lane(waiter, now)

    def let_go(self, entry: Slot | Waiter, now: float) -> None:
        """The call, which is on no link, or the caller that wants one, goes on elsewhere."""
        if isinstance(entry, Waiter):
            super().withdraw(entry, now)
            return
        slot, call = entry, entry.call
        self._leave(slot, now)
        self._end_call(call, now)

    def end(self, entry: Slot | Waiter, error: ConnectError, now: float) -> None:
        """The call, or the caller that wants a link, has waited in vain, for this reason."""
        error.__cause__ = self._pace.last_error
        self._tell(entry, error, now)

    def take_in(self, slot: Slot, now: float) -> None:
        """A call that was at another server goes on here."""
        self.have(slot)
        self.go_here(slot, now)

    def waiting(self, *, pausing: bool) -> list[Slot | Waiter]:
        """Return the calls, and those who want a link, that wait for one; with those behind a pause, if they are asked for."""
        entries = [entry for lane in self._lanes for entry in lane.entries]
        if self._pool is not None:
            entries += self._pool.owners
        return [*entries, *self._pausing] if pausing else entries

    def call_of(self, slot: Slot) -> Call:
        """Return what is known of a call that has been on a link of this server."""
        call: Call | None = slot.call
        if call is None:
            slot.call = call = self._new_call()
            call.lane = slot.link.lane
        call.home = self
        return call

    def answered(self, slot: Slot, now: float) -> None:
        """Its link has brought an answer, if only one that leads elsewhere, and is not the call's any more."""
        if not slot.link.trusted:
            self._proved(slot.link, now)
        lease, slot.call.lease = slot.call.lease, None
        if lease is not None:
            self.release(lease, now)

    def feed(self, registry: ShardedRegistry) -> ShardFeed:
        """Return what comes of the cluster's subscriptions by a link to this server."""
        lane: SubscriptionLane | None = self._subscriptions
        if lane is None:
            self._subscriptions = lane = SubscriptionLane(ShardFeed(registry, self))
        assert isinstance(lane.feed, ShardFeed)
        registry.feeds[lane.feed] = None
        return lane.feed

    # -- what differs from a client --------------------------------------------------------------------------------------------

    def _settle(self, slot: Slot, failure: RespError | None, now: float) -> None:
        token, call = slot.token, slot.call
        if isinstance(token, Check) or call is OWN or call is ASKS:
            super()._settle(slot, failure, now)
        elif type(token) is Probe or (type(token) is Part and token.asking and token.split.whole):
            self._finish(slot, failure, now)  # the cluster sees to what follows
        elif type(token) is Part and token.asking and failure is not None:
            # All of its replies had come, and an interrupt struck before that was told.
            if slot.state is SlotState.LOST and REPLIES.issuperset(slot.outcomes):
                self._finish(slot, failure, now)
                return
            super()._settle(self.cluster.without_asking(self, slot, now), failure, now)
        else:
            outage, through = None, failure is None
            if call is not None and call.outage is not None:
                outage, call.outage = call.outage, None
                through = through and not says_down(slot)
            if failure is not None or not self.cluster.leads_elsewhere(self, slot, now):
                if failure is None:
                    self._sign(slot)
                if failure is None and tells_of_change(slot):
                    self.cluster.want_map(now)
                super()._settle(slot, failure, now)
            if outage is not None and through:
                outage.home.got_through(now)

    def _try_again(self, slot: Slot, call: Call, failure: RespError | None, cause: RespError, now: float) -> None:
        down = failure is None and says_down(slot)
        super()._try_again(slot, call, failure, cause, now)
        if down:
            self.await_turn(slot, now)

    def _due(self, thing: object, now: float) -> None:
        if thing is self._outage:  # else it was cancelled, for it was due at the same moment
            self._outage.timer = None
            self._let_go_on(1, now)
            self._time_turn(now)

    def _sign(self, slot: Slot) -> None:
        """Note on errors with which a call was answered by which server, and how it came there."""
        replies = slot.replies if isinstance(slot, Batch) else (slot.reply,)
        if ERRORS.isdisjoint(map(type, replies)):
            return
        note = f"answered by {self.address}"
        if slot.call is not None and slot.call.trail:
            note += f": {slot.call.way}"
        for reply in replies:
            if type(reply) is ReplyError:
                reply.add_note(note)

    def _advance(self, registry: Registry, now: float) -> None:
        if registry.lasting:
            self.cluster._advance(registry, now)
        else:
            super()._advance(registry, now)

    def _asked(self, slot: Slot, failure: RespError | None, now: float) -> None:
        asked: Any = slot.token
        refused = failure is None and type(slot.reply) is ReplyError and asked.feed.link is slot.link
        if not (refused and self.cluster.puts_off(self, asked, slot.reply, now)):
            super()._asked(slot, failure, now)

    def _subscriptions_opened(self, link: Link, now: float) -> None:
        link.awaited = True
        super()._subscriptions_opened(link, now)

    def _end_subscriptions(self, now: float) -> None:
        """This server is left, or all are: what was subscribed to here is the cluster's."""
        if self._subscriptions is not None:
            self._subscriptions.dial = None
            self._leave_subscriptions(CloseReason.CLOSED, now)

    @property
    def _registries(self) -> list[Registry]:
        return [registry for registry in super()._registries if not registry.lasting]

    def _go(self, slot: Slot, now: float, *, turn: float = inf) -> None:
        self.cluster.place(slot, now, at=self, turn=turn)

    def _searches(self, cause: Exception) -> bool:
        return isinstance(cause, (ConnectError, ReplyError))  # the map may be another one then

    def _repeats(self, slot: Slot, cause: RespError, pause: float, now: float) -> None:
        self.cluster.moves += 1
        self.cluster.retries += 1
        super()._repeats(slot, cause, pause, now)
        if self.closed is not None and self.cluster.closed is None:
            self._draining = True  # it has left, and may have been drained with the link of this call
            self.cluster.node_stays(self)
        if type(slot.token) is Part:
            self.cluster.relink(slot.token.split)

    def _on(self, link: Link, slot: Slot, now: float) -> None:
        super()._on(link, slot, now)
        token = slot.token
        if type(token) is Part:
            self.cluster.relink(token.split)
        elif type(token) is Probe:
            link.awaited = True

    def _tell_end(self, slot: Slot, now: float) -> None:
        token = slot.token
        if type(token) is Part:
            self.cluster.part_ended(self, slot, now)
        elif type(token) is Probe:
            self.cluster.probe_ended(self, slot, now)
        else:
            super()._tell_end(slot, now)

    def _way(self) -> Way:
        return super()._way()._replace(reads_replica=self.cluster.spreads)

    def _machine_of(self, slot: Slot) -> Client:
        home: Client = slot.call.home
        return home

    def _leave_replica(self, link: Link, now: float) -> None:  # noqa: ARG002  # the link may be right for reads
        self.cluster.want_map(now)

    def _opened(self, link: Link, event: Opened, now: float) -> None:
        self.suspect = False
        super()._opened(link, event, now)

    def _dial_over(self, dial: Dial, error: Exception | None, now: float) -> None:
        if error is not None:
            self.suspect = True
            self.cluster.want_map(now)
        super()._dial_over(dial, error, now)

    def _tls_failed(self, link: Link, dial: Dial) -> ConnectError:
        failure = super()._tls_failed(link, dial)
        if self.place in self.cluster.config.cluster or NO_TLS not in str(failure):
            return failure
        why = f"{failure}; its cluster names this port, and names those that speak TLS if its servers have `tls-cluster yes`"
        return ConnectError(why, transient=failure.transient)

    def _lost(self, link: Link, event: ConnectionLost, now: float) -> None:
        if link.dial is None and not link.left:
            self.cluster.want_map(now)
        super()._lost(link, event, now)

    def _look_at_time(self, link: Link, now: float) -> None:
        super()._look_at_time(link, now)
        quiet = 0.0 if link.ended else link.core.owes_for(now)
        if quiet >= SILENT:
            self.cluster.want_map(now)  # another may have taken its place: nothing else would tell
            if quiet >= (self.config.silence_timeout or inf) / 2 and not self.cluster.knows(self):
                gone = f"and is none of the {self.cluster.whole}'s any more"
                why = f"{self.address} owes a reply, has been silent for {quiet:.3g} s, {gone}"
                link.core.receive_eof(why)
                self._follow(link, link.core.events(), now)

    def _new_dial(self, lane: Lane | None, place: Any, now: float) -> Dial:
        dial = super()._new_dial(lane, place, now)
        self._opening.append(dial)
        if self._slow is None:
            self._slow = self._timers.set(now + SILENT, self)
        return dial

    def _see_to_dials(self, now: float) -> None:
        super()._see_to_dials(now)
        if self._slow is not None and self._slow.due <= now:
            self._opening = [dial for dial in self._opening if self._is_opening(dial)]
            due = min([dial.wanted_at for dial in self._opening], default=inf) + SILENT
            if due <= now:  # another may have taken its place
                self.cluster.want_map(now)
                due = now + SILENT
            self._slow = self._timers.set(due, self) if self._opening else None

    def _is_opening(self, dial: Dial) -> bool:
        if dial.lane is not None:
            return dial.lane.dial is dial
        return self._pool is not None and dial.place in self._pool.dials

    def _end_waiting(self, now: float, reason: str | None) -> None:
        super()._end_waiting(now, reason)
        self._timers.cancel(self._slow)
        self._timers.cancel(self._outage.timer)
        self._opening, self._slow, self._outage.timer = [], None, None

    def _set_timers_anew(self, now: float, is_alive: Callable[[Slot | Waiter], bool]) -> None:
        super()._set_timers_anew(now, is_alive)
        if self._slow is not None:
            self._slow = self._timers.set(now + SILENT, self)
        outage = self._outage
        outage.timer = None
        for slot in self._pausing:
            if slot.call.outage is outage:
                outage.wait_anew(slot)
        self._time_turn(now)

    def _leave(self, slot: Slot, now: float) -> None:
        super()._leave(slot, now)
        self._end_drain()

    def _drained(self) -> bool:
        if self._pausing:
            return False  # they go on elsewhere, each behind its pause
        self.cluster.node_drained(self)
        return True


def tells_of_change(slot: Slot) -> bool:
    """Does an answer say that the map may not be what it was?"""
    replies = slot.replies if isinstance(slot, Batch) else (slot.reply,)
    return any([type(reply) is ReplyError and reply.code in STALE for reply in replies])


class Node(NodeBase):
    """The machine of one server of a cluster."""
