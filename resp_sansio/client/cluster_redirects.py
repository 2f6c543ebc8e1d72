"""Where a call of a cluster goes on when a server says that it is another's, or that it can't be made now.

What was sent elsewhere (MOVED, ASK), or is to come again (TRYAGAIN, CLUSTERDOWN), was not executed. So it goes on, whatever it is,
until its deadline: the first times at once, then behind growing pauses, for two servers may each say that a slot is the other's. Of
a pipeline only what was not executed goes out again, and those commands of one hash slot together, in their order.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from typing import Final, cast

from .._errors import ReplyError
from ..config.url import address_of
from ..connection.slot import Batch, Slot
from .cache import CachedRead
from .cluster_calls import ClusterCalls, number_of
from .cluster_map import NotMappedError, Redirect, read_redirect
from .cluster_servers import NOT_NOW
from .node import NodeBase
from .outage import tells_down
from .retry import ERRORS, FRAME, was_refused
from .splits import Part, Split, is_pipeline, part_of
from .submitting import PINNED

__all__ = ["AT_ONCE", "ELSEWHERE", "ClusterRedirects"]

AT_ONCE: Final = 5
"""How often a call may be sent elsewhere before it pauses each time."""

MOST_HOPS: Final = 16
"""How often, for a call without a deadline."""

ELSEWHERE: Final = frozenset({"MOVED", "ASK"})
ABORTED: Final = "EXECABORT"


class ClusterRedirects(ClusterCalls):
    """What a cluster's machine does with calls that are to go on."""

    moves: int

    def leads_elsewhere(self, node: NodeBase, slot: Slot, now: float) -> bool:
        """A call was answered by this server. Does an answer say that it is another's? Then it goes on there.

        Not one that was meant for this server.
        """
        if slot.call is not None and slot.call.fixed and not (type(slot.token) is Part and slot.token.asking):
            return False
        if is_pipeline(slot):
            return self._goes_on_in_parts(node, cast("Batch", slot), now)
        redirect = self._redirect(node, slot, now)
        if slot.call is PINNED or (redirect is None and not self._rests(node, slot)):
            return False
        call = node.call_of(slot)
        pause = self._pause(call.hops + 1, slot.deadline, now)
        if pause is None:
            return False
        call.hops += 1
        node.answered(slot, now)
        if redirect is None:
            call.went(node.address, cast("ReplyError", slot.reply).code)
        else:
            self._redirected(node, slot, redirect, pause, now)
        slot.renew()
        slot.link = None
        self.moves += 1
        if redirect is not None and redirect.asks:
            node.let_go(slot, now)
            if type(slot) is CachedRead:
                slot.give_up_keeping()  # no other command may stand between ASKING and the read
            call.split = split = Split(slot, whole=True)  # of what is left to be sent
            part = split.part(range(slot.count), self.node_at(self.map.visit(redirect.place)), asking=True)
            part.call.home.begin(part, now, pause=pause)
            self._complete(split, now)
        elif pause:
            node.rest(slot, pause, now)
        else:
            self.place(slot, now, at=node)
        return True

    def _redirected(self, node: NodeBase, slot: Slot, redirect: Redirect, pause: float, now: float) -> None:  # noqa: ARG002
        """A call, or a part of one, was sent on by this server. `pause` and `now` are for a client that keeps account of it."""
        slot.call.went(node.address, f"{'ASK' if redirect.asks else 'MOVED'} to {address_of(redirect.place)}")

    def _rests(self, node: NodeBase, slot: Slot) -> bool:
        """Is this the answer of a replica that can't be read from now? Then the call goes on at another server."""
        reply = slot.reply
        node.rests = type(reply) is ReplyError and reply.code in NOT_NOW and self.is_replica(node)
        return node.rests

    def _redirect(self, node: NodeBase, slot: Slot, now: float) -> Redirect | None:
        """Return where an answer leads, if one does that its server can have given; a script can make one up."""
        for error in deciding(slot):
            if error.code in ELSEWHERE and (redirect := self._read(node, error)) is not None:
                number = number_of(slot)
                if redirect.slot == number:
                    self._learn(redirect, node, now)
                    return redirect
        return None

    def _read(self, node: NodeBase, error: ReplyError) -> Redirect | None:
        try:
            redirect = read_redirect(error, node.place, self.config.address_map)
        except NotMappedError:
            return None  # its caller sees where it was to go
        return redirect if redirect is None or self.map.may_lead_to(redirect.place) else None

    def _learn(self, redirect: Redirect, node: NodeBase, now: float) -> None:
        for machine in (self, node):
            machine.asked += redirect.asks
            machine.moved += not redirect.asks
        shard, owner = self.map.shard_of(node.place), self.map.owner(redirect.slot)
        owns = owner is not None and owner.place == node.place  # as a MOVED has said since the last view
        if redirect.asks:
            self._moving[redirect.slot] = owner  # a replica may have lost the key, and not say so
            self.want_map(now)
        elif owns or shard is None or node.place == shard.master.place or self.map.find(redirect.place) != shard.master:
            if self.map.learn(redirect.slot, redirect.place, now):
                self.forget_read()
            self._homes[redirect.slot] = None
            self.want_map(now)

    def _pause(self, hops: int, deadline: float, now: float) -> float | None:
        """Return how long a call waits that was sent elsewhere so often; None if it has ended with that."""
        if hops <= AT_ONCE:
            return 0.0
        pause = self._retry.pause(hops - AT_ONCE, self._random())
        return None if pause >= deadline - now or (deadline == inf and hops > MOST_HOPS) else pause

    def _goes_on_in_parts(self, node: NodeBase, slot: Batch, now: float) -> bool:
        """As `leads_elsewhere`, for a pipeline: what was answered is, and what was not executed goes out again.

        All of those that speak of one hash slot go together, in their order.
        """
        if ERRORS.isdisjoint(map(type, slot.replies)):
            return False
        token = slot.token if type(slot.token) is Part else None
        again = self._not_executed(node, slot, now)
        if not again or slot.call is PINNED:
            return False
        call = node.call_of(slot)
        hops = call.hops + 1
        pause = self._pause(hops, slot.deadline, now)
        if pause is None:
            return False
        node.answered(slot, now)
        node.let_go(slot, now)
        errors = {index: error for its in again.values() for index, error in its.items()}
        if token is None:
            split = Split(slot)
            for index, reply in enumerate(slot.replies):
                if index not in errors:
                    split.heard(index, reply)
            call.home, call.split = self, split
            slot.renew()
            slot.link = None
        else:
            split = token.split
            split.take(slot, None, again=errors)
        self.moves += 1
        for target, redirect, waits, some in self._ways(node, again, now):
            wait = max(pause, self._retry.pause(hops, self._random())) if waits else pause
            if wait >= slot.deadline - now:
                for index in some:
                    split.heard(index, errors[index])
                continue
            asking = redirect is not None and redirect.asks
            part = split.part(some, target, asking=asking)
            part.call.hops, part.call.trail = hops, call.trail
            if redirect is not None:
                self._redirected(node, part, redirect, wait, now)
            else:
                part.call.went(node.address, "which could not answer")
            if target is not None:
                target.begin(part, now, pause=wait)
                if target is node and waits and any([tells_down(errors[index]) for index in some]):
                    target.await_turn(part, now)
            else:
                self._await_map(part, None, now)
        self._complete(split, now)
        return True

    def _not_executed(self, node: NodeBase, slot: Batch, now: float) -> dict[int, dict[int, ReplyError]]:
        """Return the errors that say a command of a pipeline was not executed: by hash slot, by its index in the whole."""
        token = slot.token if type(slot.token) is Part else None
        own = range(slot.count) if token is None else token.indices
        step, first = (2, 1) if token is not None and token.asking else (1, 0)
        again: dict[int, dict[int, ReplyError]] = {}
        for index, place in zip(own, range(first, slot.count, step), strict=True):
            error, info = slot.replies[place], slot.infos[place]
            if type(error) is not ReplyError or error.code not in (ELSEWHERE | NOT_NOW):
                continue
            number = self._slot_of(slot.payloads[place], info)
            redirect = self._read(node, error) if error.code in ELSEWHERE else None
            if redirect is not None and redirect.slot == number:
                self._learn(redirect, node, now)
                again.setdefault(redirect.slot, {})[index] = error
            elif number is not None and error.code in NOT_NOW and self.tries_again and was_refused(error, info):
                again.setdefault(number, {})[index] = error
        return again

    def _ways(
        self, node: NodeBase, again: dict[int, dict[int, ReplyError]], now: float
    ) -> Iterable[tuple[NodeBase | None, Redirect | None, bool, list[int]]]:
        """Return to which servers commands go again, as which redirect says, whether after a pause, and which."""
        ways: dict[tuple[NodeBase | None, bool, bool], tuple[Redirect | None, list[int]]] = {}
        for number, errors in again.items():
            told = [self._read(node, error) for error in errors.values() if error.code in ELSEWHERE]
            redirects = [redirect for redirect in told if redirect is not None]
            waits = len(redirects) < len(errors)
            asks = not waits and redirects[-1].asks
            if waits:
                self.want_map(now)
            target = self.node_at(self.map.visit(redirects[-1].place)) if asks else self._owner(number)
            redirect = None if waits else redirects[-1]
            ways.setdefault((target, asks, waits), (redirect, []))[1].extend(errors)
        return [(way[0], redirect, way[2], sorted(indices)) for way, (redirect, indices) in ways.items()]

    def without_asking(self, node: NodeBase, part: Slot, now: float) -> Slot:
        """A part behind ASKING has failed at this server: return what has failed with it, which may go on at the slot's owner."""
        bare = part_of(part).split.without_asking(cast("Batch", part))
        call = node.have(bare)
        call.hops, call.trail, call.attempts = part.call.hops, part.call.trail, part.call.attempts
        node.let_go(part, now)
        return bare


def deciding(slot: Slot) -> list[ReplyError]:
    """Return the errors that say why nothing of a call was executed, which goes to one server as a whole."""
    if not isinstance(slot, Batch):
        return [slot.reply] if type(slot.reply) is ReplyError else []
    last = slot.replies[-1]
    if type(last) is not ReplyError or (type(slot) is not CachedRead and not is_framed(slot)):
        return []  # something was executed, or may have been
    if last.code == ABORTED:
        return [reply for reply in slot.replies[:-1] if type(reply) is ReplyError]
    return [last] if last.code in ELSEWHERE else []


def is_framed(slot: Batch) -> bool:
    """Is it one command, or one transaction and nothing beside it?"""
    names = [info.name for info in slot.infos]
    return slot.count == 1 or (names[0] == "MULTI" and FRAME.isdisjoint(names[1:-1]))
