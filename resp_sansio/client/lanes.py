"""Which commands ride together on a connection, and which get one of their own.

A lane is a connection that many callers share: their commands go out together, and replies are paired by position, so it
serves any number of them. A lease is a connection for one caller. A command that blocks would hold up all others on a
lane, and one that changes the connection (its user, its database, its watched keys) would change it for all: these get a lease.
One that makes sense only beside its neighbours, or only for as long as its caller listens, is refused, with the remedy.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Hashable, Sequence
from typing import Final, Generic, TypeVar

from .._errors import LocalProtocolError
from ..commands.knowledge import CommandInfo, Needs, Replies
from ..connection.slot import Batch, Slot
from .retry import FRAME

__all__ = ["Lanes", "Route", "route"]

L = TypeVar("L")


# -- Lane or lease -----------------------------------------------------------------------------------------------------------


class Route(enum.Enum):
    """Where a command goes."""

    LANE = "a connection that it shares"
    LEASE = "a connection of its own, for as long as it takes"


LANE: Final = Needs.LANE


def route(slot: Slot, *, leases: bool = True) -> Route:
    """Return where this slot is to go. Raises `LocalProtocolError`, with the remedy, for what a client can't carry out.

    A transaction shares a lane as a whole: Redis runs it in one piece, and inside it nothing blocks. Where there are no leases,
    what blocks goes by a lane as well, and holds up the others there; what would change the lane for them is refused.
    """
    if not isinstance(slot, Batch) or len(slot.infos) == 1:
        if slot.info.needs is LANE:
            return Route.LANE
        _refuse_alone(slot.info)
        found = Route.LEASE
    else:
        found = _route_batch(slot.infos)
    if found is Route.LANE or leases:
        return found
    for info in slot.infos if isinstance(slot, Batch) else ():
        if info.changes and info.name not in FRAME:
            raise LocalProtocolError(f"{info.name} was not sent: it changes a connection that all share; use connect()")
    return Route.LANE


def _route_batch(infos: Sequence[CommandInfo]) -> Route:
    if all([info.needs is LANE for info in infos]):
        return Route.LANE
    found, in_transaction = Route.LANE, False
    for index, info in enumerate(infos):
        if info.name in FRAME:
            in_transaction = info.name == "MULTI"
        elif info.needs is not LANE and not (in_transaction and info.blocking is not None):
            _refuse_anywhere(info)
            if info.needs is Needs.NEIGHBOURS and index == 0 and info.blocking is not None:
                _refuse_alone(info)
            found = Route.LEASE
    return found


def _refuse_anywhere(info: CommandInfo) -> None:
    """Refuse what lasts longer than a call."""
    if info.needs is Needs.PUBSUB or info.replies is Replies.STREAM:
        method = "monitor" if info.name == "MONITOR" else "subscribe"
        raise LocalProtocolError(
            f"{info.name} was not sent: its answers come later, one by one; use {method}(), or connect() and next_push() there"
        )


def _refuse_alone(info: CommandInfo) -> None:
    """Refuse what would be forgotten, or would mean nothing, as soon as it is answered."""
    _refuse_anywhere(info)
    if info.needs is Needs.NEIGHBOURS:
        raise LocalProtocolError(
            f"{info.name} was not sent: it speaks of other commands on the same connection; put it into a pipeline behind them, or"
            " use acquire() or connect()"
        )
    if info.name == "WATCH":
        raise LocalProtocolError(
            "WATCH was not sent: it holds on one connection, and the next command may go by another; use transact(), which watches,"
            " reads and writes in one go, or acquire() or connect()"
        )
    if info.changes:
        raise LocalProtocolError(
            f"{info.name} was not sent: it changes one connection, and the next command may go by another; use acquire(), connect()"
            " or an option of the client"
        )


# -- Lanes -----------------------------------------------------------------------------------------------------------------------


class Lanes(Generic[L]):
    """Several lanes: a caller (a task, a thread) keeps to one while it has commands under way, for the sake of their order.

    A caller that has none takes the lane that is least loaded, by `load`. With one lane there is nothing to choose, nor to keep.
    """

    __slots__ = ("_kept", "_lanes", "_load")

    def __init__(self, lanes: Sequence[L], load: Callable[[L], int]) -> None:
        self._lanes: Final = lanes
        self._load: Final = load
        self._kept: dict[Hashable, tuple[L, int]] = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self._lanes)}, {len(self._kept)} callers on them>"

    def find(self, caller: Hashable) -> L:
        """Return the lane that `take` would, and change nothing."""
        kept = self._kept.get(caller)
        return min(self._lanes, key=self._load) if kept is None else kept[0]

    def take(self, caller: Hashable) -> L:
        """Return the lane for this caller's next command; `leave` when that has ended."""
        lane, count = self._kept.get(caller) or (min(self._lanes, key=self._load), 0)
        self._kept[caller] = lane, count + 1
        return lane

    def leave(self, caller: Hashable) -> None:
        """One of this caller's commands has ended."""
        lane, count = self._kept[caller]
        if count > 1:
            self._kept[caller] = lane, count - 1
        else:
            del self._kept[caller]
