"""What links and the pool say, and what follows from it: the next dial, the end of a link, the turn of a waiting call."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from math import inf
from typing import Any, Final, Literal

from .._errors import CommandTimeoutError, ConnectError, ConnectionClosedError, LocalProtocolError, RespError
from .._stats import CloseReason
from ..config.addresses import not_opened
from ..connection.events import ConnectionLost, Event, Opened, PushReceived, TimedOut
from ..connection.handshake import Fallback
from ..connection.slot import Slot
from .calls import Calls
from .leases import Close as PlaceClose
from .leases import Dial as PlaceDial
from .leases import Granted as PlaceGranted
from .leases import Lease, PoolState
from .leases import Refused as PlaceRefused
from .links import Close, Dial, Heard, Lane, Leaked, Link, Share, Waiter
from .retry import Attempts
from .sentinel import Search, Way

__all__ = ["Dials"]

SPENT: Final = Fallback()  # of connections that never dial again


class Dials(Calls):
    """The dials of a client, and the conclusions from what its links and its pool say."""

    __slots__ = ()

    closed: ConnectionClosedError | None
    protocol: Literal[2, 3]

    @abstractmethod
    def dial_failed(self, dial: Dial, error: Exception | None, now: float) -> None:
        """No socket came of it."""

    @abstractmethod
    def _dial_over(self, dial: Dial, error: Exception | None, now: float) -> None:
        """It has failed, and is not told of again."""

    @abstractmethod
    def _open_news(self, now: float) -> None:
        """See that a sentinel is heard, where there are any."""

    @abstractmethod
    def _news_opened(self, link: Link, event: Opened, now: float) -> None:
        """A sentinel has answered that is to tell more."""

    @abstractmethod
    def _news_came(self, link: Link, now: float) -> None:
        """It has told something."""

    @abstractmethod
    def _news_ended(self, source: Dial | Link, now: float) -> None:
        """It is heard no more."""

    @abstractmethod
    def _is_wanted(self, dial: Dial) -> bool:
        """Does anything wait for it?"""

    @abstractmethod
    def _end_drain(self) -> None:
        """Tell when nothing is left of a client that was drained."""

    @abstractmethod
    def retire(self, now: float, keep: Dial | None = None) -> None:
        """Let all links go, but the one that this dial has opened."""

    @abstractmethod
    def abort(self, link: Link, error: RespError | None, now: float, *, uncertain: bool = False) -> None:
        """End this link now."""

    @abstractmethod
    def _collected(self, link: Link, now: float) -> None:
        """Messages have come for subscribers."""

    @abstractmethod
    def _subscriptions_opened(self, link: Link, now: float) -> None:
        """There is a link for the client's subscriptions."""

    @abstractmethod
    def _subscriptions_not_opened(self, error: Exception | None, now: float) -> None:
        """A dial for them came to nothing."""

    @abstractmethod
    def _subscriptions_lost(self, link: Link, event: ConnectionLost, now: float) -> None:
        """A link has ended that had subscriptions, or was to have them."""

    # -- what a link says ------------------------------------------------------------------------------------------------

    def _follow(self, link: Link, events: Sequence[Event], now: float) -> None:
        """Draw the conclusions from what a connection says."""
        if link.core.collected:
            self._collected(link, now)
        for event in events:
            if isinstance(event, Slot):
                self._settle(event, None, now)
            elif isinstance(event, TimedOut):
                self._settle(event.slot, link.core.timed_out(), now)
            elif isinstance(event, PushReceived) and link.core.tracking and event.push.kind == "invalidate":
                assert self.cache is not None
                self.cache.invalidated(event.push.items[0] if event.push.items else None)
            elif isinstance(event, PushReceived):
                if link.registry is not None and link.registry.takes(event.push):
                    link.core.push_taken()
                    link.core.add_collected((event.push,))
                    continue
                link.pushes.put(event.push)
                if link.news_from is not None:
                    self._news_came(link, now)
                self._hand_out(link)
            elif isinstance(event, Opened):
                if link.core.error is not None:
                    pass  # more came behind the handshake, and ended it
                elif event.answers and link.dial is not None and link.dial.brings_news:
                    self._news_opened(link, event, now)
                elif event.answers:
                    self._told(link, event, now)
                else:
                    self._opened(link, event, now)
            elif not link.ended:
                if link.core.collected:
                    self._collected(link, now)
                self._lost(link, event, now)
        if link.core.collected:
            self._collected(link, now)

    def _hand_out(self, link: Link) -> None:
        """Give what has come to the callers that listen on this link; and, once nothing more comes, tell them so."""
        pushes = link._pushes
        if pushes is None or not pushes.listeners:
            return
        paused = not link.core.wants_to_receive
        while (listener := pushes.hand_out()) is not None:
            self._timers.cancel(listener.timer)
            self._events.append(Heard(listener))
        if paused and not link.ended and link.core.wants_to_receive:
            self._events.append(link)

    def _told(self, link: Link, event: Opened, now: float) -> None:
        """A sentinel has answered, which is all that this link was for: its dial goes on."""
        dial = self._open_no_more(link)
        self._go_on(dial, dial.answered(event.answers), now)

    def _open_no_more(self, link: Link) -> Dial:
        """The handshake is over, and the link of no use. Return its dial."""
        dial = link.dial
        assert dial is not None
        link.core.abort()
        self._end_link(link)
        link.dial = None
        dial.way.opening.opened()
        return dial

    def _go_on(self, dial: Dial, over: Exception | None, now: float) -> None:
        """Tell of this dial again, which leads elsewhere now; unless it is over, or not wanted any more."""
        if over is not None or not self._is_wanted(dial):
            self._dial_over(dial, over, now)
        else:
            self._events.append(dial)

    def _opened(self, link: Link, event: Opened, now: float) -> None:
        dial = link.dial
        assert dial is not None
        if dial.search is not None and not self._found_master(link, dial.search, now):
            return
        link.dial = None
        link.opened_at = now
        if self.once:
            self._only = link
            self.addresses.forget()  # no other dial follows
            self._fallback = SPENT
        self.protocol = event.protocol
        dial.way.opening.opened()
        self._pace.opened()
        lane = dial.lane
        if lane is None:
            assert self._pool is not None and dial.place is not None
            self._pool.opened(dial.place, link, now, self._random())
            self._carry_out(now)
        else:
            if self._breaker is not None and lane is not self._subscriptions:
                self._breaker.succeeded()
            lane.dial = None
            lane.created += 1
            lane.link = link
            if self.cache is not None and lane is not self._subscriptions:
                self.cache.opened(tracking=link.core.tracking)
            retired = dial.generation != self._generation  # while it opened
            for entry in lane.empty():
                if isinstance(entry, Waiter) and retired:
                    lane.enter(entry, again=True)  # it would be lent a link that is to end
                elif isinstance(entry, Waiter):
                    self._grant(entry, Share(link))
                else:
                    self._timers.cancel(entry.call.timer)
                    link.core.submit(entry)
                    self._on(link, entry, now)
            self._events.append(link)
            if retired:  # good for the calls that have waited for it
                lane.left(CloseReason.RETIRED)
                link.left = True
                link.core.close()
                self._follow(link, link.core.events(), now)
            elif lane is self._subscriptions:
                self._subscriptions_opened(link, now)
        if not link.ended:  # as it is if the client is being drained
            self._watch(link, min(max(link.core.next_deadline(), now + 1e-6), now + self._quiet))
        self._see_to_dials(now)
        self._open_news(now)

    def _found_master(self, link: Link, search: Search, now: float) -> bool:
        """This dial has led to the master. If that was another one before, the links that lead there are left.

        It goes on instead, and this returns False, if the client has learnt meanwhile that this one was deposed.
        """
        assert self.directory is not None and link.dial is not None
        if search.is_outdated:
            deposed = ConnectError(f"{link.dial.way.addresses.peer} was deposed meanwhile", transient=True)
            self.dial_failed(self._open_no_more(link), deposed, now)
            return False
        if self.directory.found(search):
            self._master_moved(link.dial, now)
            self.directory.settle(search)
        self._master_found(now)
        return True

    def _master_moved(self, dial: Dial, now: float) -> None:
        """This dial has led to another master than the last one did."""
        self.retire(now, keep=dial)

    def _master_found(self, now: float) -> None:
        """A dial has led to the master: for a client that has more to do with it."""

    def _end_link(self, link: Link) -> None:
        link.ended = True
        if link in self._links:  # else an interrupt has taken it out already
            self._links.remove(link)
        self._timers.cancel(link.timer)
        self._events.append(Close(link))
        if self.cache is not None and link.core.tracking:
            self.cache.clear()  # no server tells of changes to what was read by it

    def _lost(self, link: Link, event: ConnectionLost, now: float) -> None:
        self._end_link(link)
        self._hand_out(link)
        dial = link.dial
        if dial is not None:
            link.dial = None
            self._not_opened(dial, link, now)
        elif link.news_from is not None:
            self._news_ended(link, now)
        else:
            if not (link.of_use or link.left) and self.closed is None:
                self._pace.wasted(now, self._random())
                self._await_pace()
            if link.lane is None:
                assert self._pool is not None
                self._pool.lost(link, now)
            elif link.lane.link is link:
                link.lane.left(CloseReason.LOST)
            if self.once and self.closed is None:
                self.closed = ConnectionClosedError(f"the connection to {self.config.address} has ended: {event.error}")
        for slot in event.unanswered:
            self._settle(slot, event.error, now)
        if link.registry is not None or (link.lane is not None and link.lane is self._subscriptions):
            self._subscriptions_lost(link, event, now)
        self._carry_out(now)
        self._end_drain()

    def _not_opened(self, dial: Dial, link: Link, now: float) -> None:
        """The handshake of a dial did not end well; or the client itself ended it."""
        failure = link.core.not_opened()
        if failure is None or link.left or link.core.error is self.closed:
            self.dial_failed(dial, None, now)
        elif link.tls is not None and not link.tls.open:
            self.dial_failed(dial, self._tls_failed(link, dial), now)
        elif dial.way.opening.again(failure):
            self._events.append(dial)  # another socket at once, with what is left of the time
        else:
            self.dial_failed(dial, not_opened(dial.config, failure, link.core.error), now)

    def _proved(self, link: Link, now: float) -> None:
        """A call was answered on this link."""
        link.of_use = True
        link.trusted = self._pace.proved(now, link.opened_at)

    # -- dials -----------------------------------------------------------------------------------------------------------

    def _dial_told(self, entry: Slot | Waiter, error: Exception, now: float) -> None:
        """A dial failed for which this has waited: is it worth another attempt?"""
        if not isinstance(error, RespError) or type(error) is LocalProtocolError:
            self._tell(entry, error, now)  # a provider of credentials may raise anything
        elif isinstance(entry, Waiter):
            self._wait_again(entry, error, now)
        else:
            self._settle(entry, error, now)

    def _wait_again(self, waiter: Waiter, error: Exception, now: float) -> None:
        """No connection came about for this waiter: try again, as a call does."""
        self._timers.cancel(waiter.timer)
        if waiter.attempts is None:
            waiter.attempts = Attempts(self._retry)
        left = self._dial_fits(waiter.deadline, now)
        again = isinstance(error, RespError) and (
            waiter.attempts.after(error, self._random(), left=left, counts=self._counts(error, waiter.deadline))
            is not None
        )
        if self.closed is not None or not again:
            told = waiter.attempts.told(error) if isinstance(error, RespError) else error
            self._refuse(waiter, self.closed or told)
        elif self._pool is not None:
            self._acquire(waiter, now, again=True)
        else:
            self._await_lane(waiter, now, again=True)

    @property
    def _all_lanes(self) -> list[Lane]:
        """All lanes, that of subscriptions included."""
        return self._lanes if self._subscriptions is None else [*self._lanes, self._subscriptions]

    def _see_to_dials(self, now: float) -> None:
        """Dial wherever a link is missing and the pace allows it."""
        for lane in self._all_lanes:
            self._see_to(lane, now)
        if self._pool is not None:
            self._pool.advance(now)
            self._carry_out(now)

    def _see_to(self, lane: Lane, now: float) -> None:
        if lane.dial is not None or lane.link is not None or not lane.waiting or self.closed is not None:
            return
        breaker = None if lane is self._subscriptions else self._breaker  # no caller is to be told at once
        if breaker is not None and breaker.refuses(now):
            refusal = breaker.refusal()
            for entry in lane.empty():
                self._tell(entry, refusal, now)
            return
        if not self._pace.ready(now):
            return  # its time comes, or the dial that is under way ends
        if breaker is not None:
            breaker.allows(now)
        self._pace.begun()
        lane.dial = self._new_dial(lane, None, now)
        self._events.append(lane.dial)

    def _await_pace(self) -> None:
        """No dial may begin before a time: look again then."""
        self._timers.cancel(self._dial_timer)
        if self.closed is None or (self._pool is not None and self._pool.state is not PoolState.CLOSED):
            self._dial_timer = self._timers.set(self._pace.not_before, self)

    def _leave_replica(self, link: Link, now: float) -> None:
        """An answer says that this link leads to a replica: leave it and all others, once for all that hear of it.

        Links that were opened behind a `retire()` of the caller's are left as well: nothing says that they lead elsewhere.
        """
        if not self.once and link.generation >= self._since_replica:
            self._pace.wasted(now, self._random())
            self._await_pace()
            self.retire(now)
            self._since_replica = self._generation

    # -- the pool, and the time of a link --------------------------------------------------------------------------------

    def _carry_out(self, now: float) -> None:
        """Do what the pool says."""
        if self._pool is None:
            return
        for event in self._pool.events() if self._pool.untold else ():
            match event:
                case PlaceGranted(place):
                    assert place.lease is not None
                    self._place_granted(place.token, place.lease, now)
                case PlaceRefused(place):
                    assert place.error is not None
                    self._place_refused(place.token, place.error, now)
                case PlaceDial():
                    self._announce(event, now)
                case PlaceClose(link, reason):
                    link.reason = reason
                    if not link.ended:
                        link.left = True
                        self.abort(link, self.closed, now)
                case _:
                    self._events.append(Leaked(event.lease))
        if self._draining:
            self._end_drain()

    def _announce(self, place: PlaceDial[Link], now: float) -> Dial:
        dial = self._new_dial(None, place, now)
        self._events.append(dial)
        return dial

    def _new_dial(self, lane: Lane | None, place: PlaceDial[Link] | None, now: float) -> Dial:
        search = None if self.directory is None else self.directory.search()
        way = search.way if search is not None else self._way()
        return Dial(lane, place, now, now + self._dial_time, self._generation, way, search, self)

    def _way(self) -> Way:
        """The way to the server, where there are no sentinels to ask."""
        return Way(self.config, self.addresses, self._fallback.opening())

    def _place_granted(self, owner: Any, lease: Lease[Link], now: float) -> None:
        """A turn has come. An interrupt finds either the place, which has the turn, or the lease."""
        if isinstance(owner, Waiter):
            if lease.active:
                self._hold(owner, lease)
                owner.place = None
            else:  # it ended before this was told, as after an interrupt
                self._acquire(owner, now, turn=lease.turn)
            return
        call = owner.call
        call.waiter, call.lease = None, lease
        if lease.active:
            self._events += self._one(self._lend(owner, lease, now))
        else:
            call.lease = None
            self._go(owner, now, turn=lease.turn)

    def _place_refused(self, owner: Any, error: Exception, now: float) -> None:
        if isinstance(error, CommandTimeoutError):
            error = self._with_reason(error)
        if isinstance(owner, Waiter):
            owner.place = None
            self._wait_again(owner, error, now)
        else:
            owner.call.waiter = None
            self._dial_told(owner, error, now)

    def _watch(self, link: Link, due: float) -> None:
        """Look at this link at that time."""
        self._timers.cancel(link.timer)
        link.due = due
        link.timer = self._timers.set(due, link)

    def _look_at_time(self, link: Link, now: float) -> None:
        link.due = inf
        link.core.handle_timeout(now)
        self._follow(link, link.core.events(), now)
        if not link.ended:
            if link.wire.wants_to_send:
                self._events.append(link)
            self._watch(link, min(max(link.core.next_deadline(), now + 1e-6), now + self._quiet))
