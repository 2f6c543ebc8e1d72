"""What calls wait for while a server says that its cluster is down: one of them goes again now and then, for all of them.

All servers say so, of every key, from when a master is missed until another is elected. A call is sent as soon as it is made. If it
is refused so, it waits for its turn, behind those that wait already: every now and then the first one goes. One that gets through
lets two more go, each of which lets two more go. So a server that is down is asked by one call at a time, however many wait. When
it is well again, all have gone within a few round trips. A server that only seems to be well is not stormed.

Time and chance come as arguments.
"""

from __future__ import annotations

from collections.abc import Container
from math import inf
from typing import Any, Final

from .._errors import ReplyError
from ..config.retry import Retry
from ..connection.slot import Batch, Slot
from .timers import Timer

__all__ = ["NEXT", "Outage", "says_down", "tells_down", "waits_for_turn"]

# cluster.c, clusterRedirectClient: of all keys, not of one slot only that no server has.
DOWN: Final = frozenset(
    {"CLUSTERDOWN The cluster is down", "CLUSTERDOWN The cluster is down and only accepts read commands"}
)

LEAST: Final = 0.02
"""Seconds between two turns, at most, at least a half: so long at first."""

SHARE: Final = 1 / 32
"""And how they grow: with the time for which the server has been down. So calls go on late by three in a hundred of it at most."""

BREAK: Final = 2.0
"""Seconds without a refusal after which the next one begins another outage."""

NEXT: Final = 2
"""How many calls go behind one that got through."""


class Outage:
    """The calls that wait for one server, in their order. `home` is its machine, `timer` that of the next turn."""

    __slots__ = ("_policy", "_refused_at", "_since", "_waiting", "home", "timer")

    def __init__(self, home: Any, policy: Retry) -> None:
        self.home: Final[Any] = home
        self._policy: Final = policy
        self._since = self._refused_at = -inf
        self._waiting: dict[Slot, None] = {}
        self.timer: Timer | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} since {self._since}: {len(self._waiting)} calls wait>"

    @property
    def any_waits(self) -> bool:
        """Does any call wait? Calls that have gone elsewhere meanwhile may be among them."""
        return bool(self._waiting)

    def refused(self, slot: Slot, now: float) -> None:
        """This call was refused, and waits."""
        if now > self._refused_at + BREAK:
            self._since = now
        self._refused_at = now
        self._waiting[slot] = None

    def wait_anew(self, slot: Slot) -> None:
        """This call waits for its turn: an interrupt may have taken it out of the order."""
        self._waiting[slot] = None

    def over(self) -> None:
        """A call has got through: what is refused from now on is so for another reason."""
        self._refused_at = -inf

    def pause(self, now: float, random: float) -> float:
        """Return for how many seconds no call is to have its turn; `random` is from [0, 1)."""
        least = max(LEAST, self._policy.base, (now - self._since) * SHARE)
        return min(self._policy.cap, least) * (1 + random) / 2

    def first(self, pausing: Container[Slot]) -> Slot | None:
        """Take out the call whose turn it is: the first of those that still wait, which are among `pausing`. None if none does."""
        while self._waiting:
            slot = next(iter(self._waiting))
            del self._waiting[slot]
            if slot in pausing and slot.call.outage is self:
                return slot
        return None


def tells_down(error: ReplyError) -> bool:
    """Does a server say by this that its cluster is down?"""
    return str(error) in DOWN


def says_down(slot: Slot) -> bool:
    """Is a call answered so?"""
    replies = slot.replies if isinstance(slot, Batch) else (slot.reply,)
    return any([type(reply) is ReplyError and tells_down(reply) for reply in replies])


def waits_for_turn(slot: Slot) -> bool:
    """Does a call that is refused so wait for its turn? Not if it is answered late on purpose: none could go behind it.

    Nor if it has no deadline: it has as many attempts as the policy says.
    """
    infos = slot.infos if isinstance(slot, Batch) else (slot.info,)
    return slot.deadline < inf and all([info.blocking is None for info in infos])
