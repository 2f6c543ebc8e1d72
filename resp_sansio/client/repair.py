"""How a client is put in order after an interrupt: for callers that can be cut short anywhere, as threads by signals.

A method that is cut short leaves a call between two queues, a lease without an owner, a dial that no event told of. The facts of
each call are on its slot, and those of each link on its connection; from these the rest is built anew.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from math import inf
from typing import Final

from .._errors import ConnectionLostError
from .._stats import CloseReason
from ..connection.slot import Slot, SlotState
from .links import Call, Dial, Granted, Heard, Link, Look, Refused, Waiter
from .listening import Listening
from .pushes import Listener, Pushes
from .submitting import OWN, PINNED, Check
from .subscriptions import Registry
from .timers import Timers

__all__ = ["INTERRUPTED", "Repair"]

INTERRUPTED: Final = "a change of subscriptions was interrupted"


class Repair(Listening):
    """What puts a client in order that was cut short."""

    __slots__ = ()

    def reconcile(
        self,
        now: float,
        is_alive: Callable[[Slot | Waiter], bool],
        dials: Collection[Dial],
        torn: Collection[Link] = (),
    ) -> None:
        """Put everything in order after a method was cut short, wherever it was, or after a caller has gone without a word.

        `is_alive` says whether a caller is there, of a slot or a waiter; `dials` are those that the adapter knows of; `torn`
        are the links whose bytes may have moved without the machine's knowledge. What a caller waits for that is alive, `resume`
        looks after. May be cut short itself, and repeated.
        """
        if self.cache is not None:
            self.cache.clear()  # what a server said of changes may have been lost
        self._joined.clear()  # each goes on by itself, see `resume`
        for link in list(self._links):
            if link in torn or (link.due == inf and self.config.ping_interval is not None):  # it may be writing a PING
                link.left = True
                link.core.abort(ConnectionLostError("a call was interrupted while bytes were moving"), uncertain=True)
            self._forget_gone(link, is_alive)
            link.core.reconcile()
            for slot in link.core.slots:
                slot.link = link
            link.ended = False  # else it was about to end
            self._follow(link, link.core.events(), now)
            self._hand_out(link)
        if self._pool is not None:
            for link in self._pool.connections:
                if link.ended:
                    self._pool.lost(link, now)
            self._carry_out(now)
            self._pool.reconcile(now, lambda owner: self._holds(owner, is_alive))
        self._mend_subscriptions(now)
        self._set_timers_anew(now, is_alive)
        for link in list(self._links):
            if (
                not link.ended
                and link.dial is None
                and link.lane is None
                and not self._is_kept(link)
                and link not in self._news
            ):
                link.left = True
                self.abort(link, self.closed, now)
            elif not link.ended and link.dial is None and link.lane is not None and link.lane.link is not link:
                link.left = True  # by its lane: it ends when its calls are answered
                link.core.close()
                self._follow(link, link.core.events(), now)
        for lane in self._all_lanes:
            if lane.link is not None and lane.link.ended:
                lane.left(CloseReason.LOST)
        self._carry_out(now)  # first: the pool may be about to tell of a dial
        self._announce_anew(now, dials)
        self._see_to_dials(now)
        if self.directory is not None and self.directory.master is None and self._leads_to_a_server:
            self.retire(now)  # the master is another one, and not all links to the old one are left
        self._end_drain()

    @staticmethod
    def _forget_gone(link: Link, is_alive: Callable[[Slot | Waiter], bool]) -> None:
        """A link is looked at, or asked for an answer, for a caller that has gone: else it would get another one when that ends.

        A caller that is there is to know of this: it may go before the answer comes.
        """
        if link.looking is not None and not is_alive(link.looking):
            link.looking = None
        for slot in link.core.slots:
            if isinstance(slot.token, Check):
                owner = slot.token.owner
                if not is_alive(owner):
                    slot.token, slot.call = None, OWN
                elif isinstance(owner, Waiter):
                    owner.check = slot
                else:
                    owner.call.check = slot

    def resume(self, entry: Slot | Waiter | Listener, now: float) -> None:
        """See that this caller, which is there and waits, waits for something: what was lost of its way is done anew."""
        if isinstance(entry, Listener):
            self._resume_listener(entry, now)
            return
        if isinstance(entry, Waiter):
            self._resume_waiter(entry, now)
            return
        call, link = entry.call, entry.link
        if entry.state is SlotState.ANSWERED:
            self._settle(entry, None, now)
        elif entry.state is not SlotState.QUEUED and entry.state is not SlotState.HANDED:
            why = entry.cause or (None if link is None else link.core.error) or self.closed
            why = why or ConnectionLostError("the call was interrupted")
            if isinstance(entry.token, Check):
                self._checked(entry.token, now, answered=False)  # its owner goes on
            else:
                self._finish(entry, why, now)
        elif link is not None:
            if link.ended or entry not in link.core.slots:
                entry.end = 0
                entry.settle(SlotState.LOST, 0)
                self._settle(entry, link.core.error or ConnectionLostError("the call was interrupted"), now)
        elif call is not None and call.check is not None:
            self.resume(call.check, now)
        elif call is not None and call.waiter is not None and call.waiter.lease is not None:
            self._place_granted(entry, call.waiter.lease, now)
        elif call is not None and call.waiter is not None and call.waiter.error is not None:
            self._place_refused(entry, call.waiter.error, now)
        elif not self._waits(entry):
            turn: float = 0
            if call is not None and call.lease is not None:
                lease, call.lease = call.lease, None
                turn = lease.turn
                self.release(lease, now)
            if call is None or call is PINNED or (call.lane is not None and call.lane not in self._lanes):
                entry.call = Call()
                entry.call.lane = self._lanes[0] if self._lanes else None
            self._go(entry, now, turn=turn)

    def gone(self, entry: Slot | Waiter | Listener, now: float) -> None:
        """This caller has gone, whatever it waits for. Legal in any state and at any time; idempotent."""
        if isinstance(entry, Listener):
            self.stop_listening(entry)
        elif isinstance(entry, Waiter):
            self.withdraw(entry, now)
        else:
            self.abandon(entry, now)

    def _resume_waiter(self, waiter: Waiter, now: float) -> None:
        place, held = waiter.place, waiter.held
        if waiter.lease is not None:
            self._events.append(Granted(waiter))
        elif waiter.error is not None:
            self._events.append(Refused(waiter))
        elif waiter.check is not None:
            self.resume(waiter.check, now)
        elif held is not None:
            held.connection.looking = waiter
            self._events.append(Look(held.connection))
        elif place is not None and place.lease is not None:
            self._place_granted(waiter, place.lease, now)
        elif place is not None and place.error is not None:
            self._place_refused(waiter, place.error, now)
        elif not self._waits(waiter):
            if self.closed is not None:
                self._refuse(waiter, self.closed)
            elif self._pool is not None:
                self._acquire(waiter, now, turn=waiter.turn)
            else:
                self._await_lane(waiter, now, again=True)

    def _resume_listener(self, listener: Listener, now: float) -> None:
        if isinstance(listener.source, Pushes):
            self._hand_out(listener.link)
        else:
            registry = listener.what.registry
            if listener.state is SlotState.QUEUED:
                registry.listens(listener)  # again: what is to be told may not have been noted
            self._tell_subscribers(registry)
        if listener.state is not SlotState.QUEUED:
            self._events.append(Heard(listener))
        elif now >= listener.deadline:
            self._listened_for_long(listener)

    @property
    def _registries(self) -> list[Registry]:
        registries = {link.registry: None for link in self._links if link.registry is not None}
        if self._subscriptions is not None:
            registries[self._subscriptions.registry] = None
        return [*registries]

    def _mend_subscriptions(self, now: float) -> None:
        """Where a change to a registry was cut short, begin anew with what each subscriber wants, on another link."""
        for registry in self._registries:
            lost = registry.link is not None and registry.link.ended  # without a word to it
            if registry.busy and registry.link is not None and not lost:
                registry.link.left = True
                self.abort(registry.link, ConnectionLostError(INTERRUPTED), now)
            if registry.busy or lost:
                registry.ended(INTERRUPTED)
                registry.busy = False
            self._tell_subscribers(registry)

    def _waits(self, entry: Slot | Waiter) -> bool:
        """Is it in a queue, or behind a pause?"""
        place = entry.place if isinstance(entry, Waiter) else entry.call.waiter if entry.call is not None else None
        return (
            any(lane.holds(entry) for lane in self._lanes)
            or (isinstance(entry, Slot) and (entry in self._pausing or entry in self._joined))
            or (place is not None and self._pool is not None and self._pool.holds(place))
        )

    @staticmethod
    def _holds(owner: Slot | Waiter, is_alive: Callable[[Slot | Waiter], bool]) -> bool:
        """Is this owner of a lease, or of a place in the queue, there, and does it know of what it has?"""
        if owner is None:
            return True  # lent at once, to a call or a block that gives it back itself
        if isinstance(owner, Waiter):
            has = (owner.lease, owner.held, owner.place)
        else:
            has = (None, None, None) if owner.call is None else (owner.call.lease, owner.call.waiter, owner.call.check)
        return is_alive(owner) and has != (None, None, None)

    def _is_kept(self, link: Link) -> bool:
        return self._pool is not None and any(link is kept for kept in self._pool.connections)

    def _set_timers_anew(self, now: float, is_alive: Callable[[Slot | Waiter], bool]) -> None:
        """Look at everything when it is due, as far as its caller is there."""
        self._timers = Timers(self._soonest)
        self._dial_timer = self._timers.set(self._pace.not_before, self)
        for registry in self._registries:
            for listener in registry.listeners:
                listener.timer = self._timers.set(listener.deadline, listener)
        for link in self._links:
            for listener in () if link._pushes is None else link._pushes.listeners:
                listener.timer = self._timers.set(listener.deadline, listener)
            link.due = min(max(link.core.next_deadline(), now + 1e-6), now + self._quiet)
            link.timer = self._timers.set(link.due, link)
        for lane in self._lanes:
            for entry in lane.entries:
                if is_alive(entry):
                    timed = entry if isinstance(entry, Waiter) else entry.call
                    timed.timer = self._timers.set(entry.deadline, entry)
                else:
                    lane.leave(entry)
        for slot in list(self._pausing):
            if is_alive(slot):
                due = now if slot.call.timer is None else slot.call.timer.due
                slot.call.timer = self._timers.set(due, slot)
            else:
                del self._pausing[slot]

    def _announce_anew(self, now: float, dials: Collection[Dial]) -> None:
        """Tell of the dials that no event has told of."""
        told = {*dials, *[event for event in self._events if isinstance(event, Dial) and event.home is self]}
        told |= {link.dial for link in self._links if link.dial is not None}
        for lane in self._all_lanes:
            if lane.dial is not None and lane.dial not in told:
                told.add(lane.dial)
                self._events.append(lane.dial)
        if self._pool is not None:
            places = {dial.place for dial in told}
            for place in self._pool.dials:
                if place not in places:
                    told.add(self._announce(place, now))
        self._pace.recount(len([dial for dial in told if not dial.brings_news]))
        if self.directory is not None:
            self._mend_news(told, now)
