"""A whole client without I/O: which link a call goes by, what it waits for, what is tried again, what is opened and closed.

A call is a slot. It is submitted once and ends once. What lies in between (a dial, a lease, a pause, another attempt on another
link) is the machine's, and no caller is woken for it. An adapter opens and closes sockets when told, moves the bytes of links,
calls `handle_timeout` at `next_deadline`, and parks callers until their slot is among the events.

The law for adapters: after each call that changes the machine, carry out `events()`, in their order. A `Slot` has ended for good:
`error_of` says how. A `Link` has something to send, or may be read on. For the others see `links`. No method blocks, reads a
clock, or raises on what a peer sent. One method runs at a time.
"""

from __future__ import annotations

from collections.abc import Hashable
from math import inf
from typing import Final

from .._errors import ConnectionClosedError, RespError
from .._record import replace
from .._stats import ClientStats, CloseReason, ConnectionStats, PoolStats
from ..commands.knowledge import Needs
from ..connection.connection import Connection
from ..connection.slot import Slot, SlotState
from ..connection.state import State
from ..connection.stateful import new_slot
from .batch import WatchLoop
from .cache import CachedRead
from .lanes import Route, route
from .leases import Lease, PoolState
from .links import Call, Dial, Drained, Lane, Link, Share, Waiter
from .pool import Pool
from .pushes import Listener
from .sentinel import Place
from .sockets import Sockets
from .submitting import PINNED

__all__ = ["Client"]

LANE: Final = Needs.LANE
READY: Final = State.READY
QUEUED: Final = SlotState.QUEUED
HANDED: Final = SlotState.HANDED
WITHDRAWN: Final = SlotState.WITHDRAWN


class Client(Sockets):
    """The state of a client, a pool or a single connection: one machine over other settings.

    `settings` alone: lanes that all calls share. `pool` alone: a lease for each call. Both: lanes for what can share, leases for
    the rest. `once`: one link, opened by the first `acquire`; the client ends when it ends. `random` gives numbers from [0, 1).
    Times and deadlines are seconds of one monotonic clock, whichever.
    """

    __slots__ = ()

    closed: ConnectionClosedError | None

    def __repr__(self) -> str:
        state = "closed" if self.closed else f"{len(self._links)} links, {len(self._pausing)} calls pausing"
        return f"<{type(self).__name__} to {self.config.address}: {state}>"

    @property
    def pool(self) -> Pool[Link] | None:
        """The pool of leases, None if there are none."""
        return self._pool

    @property
    def kind(self) -> str:
        """What it is for its callers, for messages."""
        return "connection" if self.once else "client" if self._lanes else "pool"

    @property
    def several_lanes(self) -> bool:
        """Does `submit` need to know whose call it is?"""
        return len(self._lanes) > 1

    @property
    def tries_again(self) -> bool:
        """Is a call that may succeed later made more than once, with pauses?"""
        return self._retry.attempts > 1

    @property
    def links(self) -> list[Link]:
        """All links that have not ended, those included whose handshake is under way."""
        return list(self._links)

    @property
    def lane_links(self) -> list[Link]:
        """The links that all callers share, as far as they take calls."""
        return [lane.link for lane in self._lanes if lane.link is not None]

    @property
    def lends(self) -> bool:
        """Are there links to lend to blocks?"""
        return self._pool is not None

    def way_of(self, slot: Slot, now: float) -> tuple[Lease[Link] | None, Lane | None]:
        """Return by what a call may start where not all go by one lane: an idle link, lent to it, or the lane to its server."""
        return self.lend_to(slot, now), None

    def lane_of(self, slot: Slot) -> Lane | None:  # noqa: ARG002  # of use where there are several servers
        """Return the only lane by which this call could go, None if there are several, or none."""
        return self.lane

    def idle_link(self, caller: Hashable = None, slot: Slot | None = None) -> Link | None:  # noqa: ARG002  # as above
        """Return the link of the lane that this call of the caller's would go by, if no reply is due there.

        What its socket has to say is to be read before the call is submitted: the link may have ended, and then ask again.
        """
        if not self._lanes:
            return None
        link = (self.lane or self._shares.find(caller)).link
        return None if link is None or link.core.in_flight else link

    def stats(self) -> ClientStats | PoolStats | ConnectionStats:
        """Return what was counted: a client's, a pool's or a connection's counts."""
        if self.once:
            only = self._only
            stats = Connection().stats() if only is None else only.core.stats()
            registry = None if only is None else only.registry
            if self.cache is None and registry is None:
                return stats
            cache = None if self.cache is None else self.cache.stats()
            return replace(stats, cache=cache, messages=None if registry is None else registry.stats())
        lane = self._subscriptions
        subscriptions = None if lane is None else lane.stats()
        messages = None if lane is None else lane.registry.stats()
        leases = None if self._pool is None else self._pool.stats(self.retries)
        if leases is not None and not self._lanes:
            return leases if lane is None else replace(leases, subscriptions=subscriptions, messages=messages)
        cache = None if self.cache is None else self.cache.stats()
        return ClientStats(
            lanes=[lane.stats() for lane in self._lanes],
            leases=leases,
            retries=self.retries,
            cache=cache,
            subscriptions=subscriptions,
            messages=messages,
        )

    # -- calls -----------------------------------------------------------------------------------------------------------

    def submit(
        self,
        slot: Slot,
        now: float,
        *,
        caller: Hashable = None,
        lease: Lease[Link] | Share | None = None,
        epoch: int | None = None,
    ) -> Link | None:
        """Begin a call. Returns the link that it is on, which has something to send; None if it waits.

        `caller` keeps to one lane while it has calls under way. With `lease` the call goes by that link and ends with it; `epoch`
        is that of its WATCH, see `Connection.submit_watched`. Raises `LocalProtocolError`, `ConnectionClosedError` and
        `PoolFullError`, and then nothing has changed.
        """
        lane = self.lane
        if lane is not None and lease is None and slot.info.needs is LANE and type(slot) is Slot:
            link = lane.link
            if link is not None and link.core.state is READY:
                link.core.submit(slot)
                self._on(link, slot, now)
                return link
        if lease is not None:
            return self._submit_leased(slot, lease, epoch, now)
        if self.closed is not None and self._lanes:
            if self._only is not None:
                self._only.core.submit(slot)  # raises, and says how the connection ended
            raise ConnectionClosedError(f"{slot.name} was not sent: {self.closed}")
        # One connection takes everything, and says itself what its state does not allow.
        by_lane = self.once or route(slot, leases=self._pool is not None) is Route.LANE
        if not self._lanes or not by_lane:
            return self._borrow(slot, now)
        before, slot.call = slot.call, self._new_call()
        if lane is None:
            lane = self._shares.take(caller)
            slot.call.caller = (caller,)
        slot.call.lane = lane
        try:
            return self._enter(slot, lane, now)
        except RespError:
            self._end_call(slot.call, now)
            slot.call = before
            if type(slot) is CachedRead and slot.cell is not None:
                self._end_read(slot, None, now)
            raise

    def start(
        self,
        slot: Slot,
        now: float,
        lease: Lease[Link] | Share | None = None,
        hold: bool = False,
    ) -> bytes | None:
        """Begin a call by the only lane, or by a lease: return what is to be sent at once on its link, see `Connection.start`.

        Empty if the call waits on that link, which then has something to send; with `hold` it always does. None to decline, and
        then nothing has changed: `submit` it.
        """
        if lease is not None:
            link = None if lease.ended else lease.connection
        elif type(slot) is CachedRead and self.cache is not None and self.cache.is_read(slot):
            return None  # by another call
        else:
            link = None if self.lane is None or slot.info.needs is not LANE else self.lane.link
        payload = None if link is None else link.wire.start(slot, hold)
        if payload is None or link is None:
            return None
        slot.link = link
        if type(slot) is CachedRead and self.cache is not None and lease is None:
            self.cache.begin(slot)
        if lease is not None and slot.call is None:
            slot.call = PINNED
        due = now + self._quiet
        if slot.deadline < due:
            due = slot.deadline
        if due < link.due:
            self._watch(link, due)
        return payload

    def limit(self, slot: Slot, deadline: float, now: float) -> None:
        """Give a call that was begun ahead, on a link of its caller's, an earlier deadline: its time begins when it is awaited."""
        link = slot.link
        if (slot.state is QUEUED or slot.state is HANDED) and link is not None and not link.ended:
            link.core.limit(slot, deadline)
            self._on(link, slot, now)

    def abandon(self, slot: Slot, now: float) -> None:
        """The caller has gone. Legal in any state and at any time; `slot.outcomes` says how its commands ended."""
        call = slot.call
        reads = type(slot) is CachedRead and slot.cell is not None
        if slot.state is QUEUED or slot.state is HANDED:
            link = slot.link
            if link is not None:
                link.core.abandon(slot)
                self._follow(link, link.core.events(), now)
            else:
                if call is not None:
                    self._leave(slot, now)
                slot.settle(WITHDRAWN, 0)
        if call is not None:
            self._end_call(call, now)
        if reads:
            assert type(slot) is CachedRead
            self._end_read(slot, None, now)

    def token(self) -> str:
        """Return what no other has: for the name of something of one's own."""
        return "".join([f"{int(self._random() * 2**52):013x}" for _ in range(2)])

    # -- links of one's own ----------------------------------------------------------------------------------------------

    def lend(
        self,
        now: float,
        borrower: str | None = None,
        owner: Slot | Waiter | None = None,
        at: int | Place | None = None,  # noqa: ARG002  # of use where there are several servers
    ) -> Lease[Link] | None:
        """Lend an idle link at once; None if there is none, or it is to show first that it is alive: then `acquire` one.

        Its caller may have it if there is nothing to read on it. An adapter that finds something hands it to `acquire`. `owner` is
        the call or the waiter that it is for, see `reconcile`.
        """
        if self._pool is None or self._pre_ping or self.closed is not None:
            return None
        lease = self._pool.lend(now, owner, borrower)
        if self._pool.untold:
            self._carry_out(now)
        return lease

    def lend_to(self, slot: Slot, now: float) -> Lease[Link] | None:
        """Lend an idle link to a call, where each has one of its own, for as long as the call lasts: `start` it by that.

        None to decline, see `lend`, and where no call starts so: with TLS. An adapter that finds something to read on the link
        says `take_back`.
        """
        if self._lanes or self.config.tls or slot.info.needs is not LANE or not slot.starts:
            return None
        lease = self.lend(now, None, slot)
        if lease is not None:
            slot.call = call = Call()
            call.lease = lease
            lease.connection.slot = slot
        return lease

    def take_back(self, slot: Slot, now: float) -> None:
        """The call was not started by the link that was lent to it: `submit` it."""
        assert self._pool is not None
        call, slot.call = slot.call, None
        self._pool.uncount(call.lease)
        self._end_call(call, now)

    def acquire(
        self,
        token: object,
        now: float,
        *,
        deadline: float = inf,
        borrower: str | None = None,
        held: Lease[Link] | None = None,
        at: int | Place | None = None,  # noqa: ARG002  # as above
    ) -> Waiter:
        """Ask for a link of one's own; a client without leases lends its only lane's link, which others share.

        The waiter may have its `lease` or its `error` at once, or after the events are carried out. `borrower` is for the report if
        it keeps the link for too long, `held` a lease that `lend` gave and that is to be looked at first. Raises
        `ConnectionClosedError` and `PoolFullError`.
        """
        waiter = Waiter(token, deadline, borrower)
        if held is not None:
            held.token = waiter
            self._look(waiter, held)
            return waiter
        if self.closed is not None and self._lanes:
            raise ConnectionClosedError(f"acquire: {self.closed}")
        if self._pool is not None:
            self._acquire(waiter, now)
        else:
            self._await_lane(waiter, now)
        return waiter

    def withdraw(self, waiter: Waiter, now: float) -> None:
        """The caller does not wait any more; what it was handed meanwhile goes back. Idempotent."""
        self._timers.cancel(waiter.timer)
        for lane in self._lanes:
            lane.leave(waiter)
        if waiter.check is not None:
            check, waiter.check = waiter.check, None
            self.abandon(check, now)
        held, waiter.held = waiter.held, None
        lease, waiter.lease = waiter.lease, None
        if held is not None:
            held.connection.looking = None
            self.release(held, now)
        if lease is not None:
            self.release(lease, now)
        if waiter.place is not None:
            assert self._pool is not None
            place, waiter.place = waiter.place, None
            self._pool.withdraw(place, now)
            self._carry_out(now)

    def looked(self, link: Link, now: float) -> None:
        """What had come on this link was taken in: answers `Look`."""
        waiter, link.looking = link.looking, None
        if waiter is None or waiter.held is None:
            return
        lease, waiter.held = waiter.held, None
        if not lease.active:
            self._acquire(waiter, now, turn=lease.turn)  # it had ended, and the next one may not have
        elif self._pre_ping:
            waiter.held = lease
            waiter.check = self._check(lease, waiter, waiter.deadline, now)
        else:
            self._grant(waiter, lease)

    def has(self, link: Link) -> bool:
        """Is or was this link one of this client's, and not of the one in the parent of a fork?"""
        return link.home is self

    def release(self, lease: Lease[Link] | Share, now: float) -> bool:
        """Give a link back, in whatever state it is. No other gets it while its caller listens on it, or has left pushes.

        Returns whether a reply is still to come on it.
        """
        if isinstance(lease, Share):
            lease.ended = True
            return bool(lease.connection.core.in_flight)
        assert self._pool is not None
        link = lease.connection
        core, pushes, oldest = link.core, link._pushes, None
        left = pushes is not None and (pushes.came or pushes.listeners)
        if link.registry is not None:
            link.registry.end_all(ConnectionClosedError("the connection of this subscription was given back"))
            self._tell_subscribers(link.registry)
        if core.is_as_new and not left:
            self._pool.release(lease, now)
        else:
            reason, oldest = CloseReason.BROKEN if left else core.close_reason, core.oldest
            owes = oldest
            if reason is None and core.watching and lease.active:  # else the WATCH is the next borrower's
                ends_watch = new_slot(WatchLoop.unwatch.args)
                self._send_own(link, ends_watch)
                owes = oldest or ends_watch
                self._events.append(link)
            self._pool.release(lease, now, reason=reason, owes=owes)
        if self._pool.untold or self._draining:
            self._carry_out(now)
        return oldest is not None

    # -- time ------------------------------------------------------------------------------------------------------------

    def next_deadline(self) -> float:
        """When to call `handle_timeout`, `math.inf` for never. Calling early is harmless."""
        due = self._timers.next()
        if self._pool is not None and (look := self._pool.next_deadline()) < due:
            return look
        return due

    def handle_timeout(self, now: float) -> None:
        """The time is `now`."""
        for timer in list(self._timers.take(now)):
            thing = timer.thing
            if isinstance(thing, Link):
                self._look_at_time(thing, now)
            elif isinstance(thing, Slot):
                if thing.call.timer is timer:  # else an interrupt has left it behind
                    self._slot_due(thing, now)
            elif isinstance(thing, Listener):
                self._listened_for_long(thing)
            elif isinstance(thing, Waiter):
                for lane in self._lanes:
                    lane.leave(thing)
                self._refuse(thing, self._late())
            elif thing is self:
                self._see_to_dials(now)
            else:
                self._due(thing, now)
        if self._pool is not None and self._pool.next_deadline() <= now:
            self._pool.handle_timeout(now)
            self._carry_out(now)

    def _due(self, thing: object, now: float) -> None:  # noqa: ARG002  # of use where there are more such things
        """Something that is no call, no caller and no link is due: the directory."""
        self._open_news(now)

    # -- the client as a whole -------------------------------------------------------------------------------------------

    def open(self, now: float) -> None:
        """Warm up: dial for `min_size`."""
        self._see_to_dials(now)

    def retire(self, now: float, keep: Dial | None = None) -> None:
        """Let all links go that are open now: lanes' when their calls are answered, leased ones when they come back.

        For when credentials have changed, or the links lead to a server that is not the right one any more. What `keep` has opened
        is as good as what is dialled from now on.
        """
        self._generation += 1
        if keep is not None:
            keep.generation = self._generation
        self._leave_subscriptions(CloseReason.RETIRED, now)
        for lane in self._lanes:
            link = lane.link
            if link is not None:
                lane.left(CloseReason.RETIRED)
                link.left = True
                link.core.close()
                self._follow(link, link.core.events(), now)
        if self._pool is not None:
            self._pool.retire(now, None if keep is None else keep.place)
            self._carry_out(now)
        self._see_to_dials(now)

    def resize(self, now: float, *, max_size: int, min_size: int | None = None) -> None:
        """Change the bounds of the pool. Raises as `PoolSettings` does."""
        assert self._pool is not None
        self._pool.resize(now, max_size=max_size, min_size=min_size)
        self._carry_out(now)

    def drain(self, now: float) -> None:
        """Take no new calls. Those on a link are answered, and callers in the pool's queue served; then `Drained` says so."""
        self._draining = True
        self._end_waiting(now, None)
        for lane in self._lanes:
            link = lane.link
            if link is not None:
                lane.left(CloseReason.CLOSED)
                link.core.close()
                self._follow(link, link.core.events(), now)
        for link in [link for link in self._links if link.lane is not None and link.dial is not None]:
            self.abort(link, self.closed, now)  # no call is left for what it would open
        if self._pool is not None:
            self._pool.drain(now)
            self._carry_out(now)
        self._end_drain()

    def close(self, now: float, reason: str | None = None) -> None:
        """End everything now, for this reason: calls, links, dials. Idempotent."""
        self._end_waiting(now, reason)
        self._timers.cancel(self._dial_timer)
        if self._pool is not None:
            self._pool.close(now)
            self._carry_out(now)
        for lane in self._lanes:
            if lane.link is not None:
                lane.left(CloseReason.CLOSED)
        for link in list(self._links):
            self.abort(link, self.closed, now)
        self._end_drain()

    def _end_waiting(self, now: float, reason: str | None) -> None:
        if self.closed is None:
            self.closed = ConnectionClosedError(reason or f"the {self.kind} was closed")
        self._end_subscriptions(now)
        for lane in self._lanes:
            lane.dial = None
            for entry in lane.empty():
                self._tell(entry, self.closed, now)
        for slot in list(self._pausing):
            self._finish(slot, self.closed, now)
        self._end_news(now)

    def _end_drain(self) -> None:
        if self._draining and not self._links and (self._pool is None or self._pool.state is PoolState.CLOSED):
            self._draining = not self._drained()  # last: an interrupt may come before it is told

    def _drained(self) -> bool:
        """Nothing is left of the client: is that all?"""
        self._events.append(Drained())
        return True
