"""What a pool hands out, and what it tells: leases, the callers that wait for one, and the news for its owner.

A place is a connection that is the pool's, for as long as it is. A lease is the use of a place by one caller.
"""

from __future__ import annotations

import enum
import sys
from math import inf
from typing import Final, Generic, NamedTuple, TypeAlias, TypeVar
from warnings import warn

from .._errors import ConnectionClosedError
from .._stats import CloseReason
from .timers import Timer

__all__ = [
    "Close",
    "Dial",
    "Granted",
    "Leaked",
    "Lease",
    "Place",
    "PoolEvent",
    "PoolState",
    "Refused",
    "Waiter",
    "WaiterState",
]

C = TypeVar("C")

NEVER: Final = -inf


# -- What callers hold -----------------------------------------------------------------------------------------------------


class PoolState(enum.Enum):
    """What a pool does for callers."""

    OPEN = "it serves"
    DRAINING = "it serves those who wait, and no others"
    CLOSED = "it has no connections, and never will"


class WaiterState(enum.Enum):
    """WAITING is under way; the others are ends."""

    WAITING = "in the queue"
    GRANTED = "it has its lease"
    REFUSED = "it has its error"
    WITHDRAWN = "it has gone"


class Place(Generic[C]):
    """A connection of the pool's. Idle until `deadline`; not used any more from `expires`, which is -inf once it is retired.

    `noted`: when the pool looks at it next, by `timer`: too early perhaps, but not too late. `owes`: the oldest reply that it
    owed when it was last asked, and `owes_since` when, at the earliest.
    """

    __slots__ = ("connection", "deadline", "expires", "fresh", "lease", "noted", "owes", "owes_since", "timer")

    def __init__(self, connection: C, expires: float) -> None:
        self.connection: Final = connection
        self.expires: float = expires
        self.deadline: float = expires
        self.fresh: bool = True
        self.lease: Lease[C] | None = None
        self.noted: float = inf
        self.timer: Timer | None = None
        self.owes: object = None
        self.owes_since: float = NEVER

    @property
    def due(self) -> float:
        """When there is something to close or to report."""
        return self.deadline if self.lease is None else self.lease._report_at


class Lease(Generic[C]):
    """Exclusive use of a connection, since a time. Over once released, or once the connection left the pool.

    `fresh`: no caller had it before. `token` is the adapter's own; see `Pool.reconcile`. `ended`: the borrower's block is over,
    so a handle that the borrower kept refuses every call (`check`); the connection may be another borrower's by now. `turn`: the
    number of this lease among all of the pool's, or that of the caller's first one, if that was of no use.
    """

    __slots__ = ("_place", "_report_at", "borrower", "connection", "ended", "fresh", "since", "token", "turn")

    def __init__(self, place: Place[C], since: float, borrower: str | None, token: object) -> None:
        self.connection: C = place.connection
        self.fresh: bool = place.fresh
        self.since: float = since
        self.borrower: str | None = borrower
        self.token: object = token
        self.ended: bool = False
        self.turn: float = 0
        self._place = place
        self._report_at = inf

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.connection!r}{'' if self.active else ', over'}>"

    @property
    def active(self) -> bool:
        """Is the connection still this caller's?"""
        return self._place.lease is self

    def end(self) -> None:
        """Refuse every call from now on: an adapter says so when the block ends, before it looks at what was done in there.

        `Pool.release` says so as well. Idempotent.
        """
        self.ended = True

    def check(self, name: str) -> None:
        """Raise `ConnectionClosedError` if the block has ended. `name` is what was called, for the message.

        A connection that ended while the block lasts is not refused here: it says itself why it has ended.
        """
        if self.ended:
            raise ConnectionClosedError(
                f"{name} was not sent: this connection was given back when its acquire() block ended; call acquire() again"
            )

    def report(self) -> None:
        """Warn that this is out for long, and say where it was borrowed: an adapter does so once all else is carried out.

        Where warnings are errors it is shown as one that was not caught. It is another caller's, so this one goes on.
        """
        try:
            warn(f"a connection is out for long; it was borrowed here:\n{self.borrower}", ResourceWarning, stacklevel=1)
        except ResourceWarning as error:
            sys.excepthook(type(error), error, error.__traceback__)


class Waiter(Generic[C]):
    """A caller that waits. `token` is the adapter's own, to wake it by; `lease` or `error` tells what it was woken for.

    `turn` is that of the lease that it had before, `math.inf` if it had none.
    """

    __slots__ = ("_noted", "borrower", "deadline", "error", "lease", "state", "token", "turn")

    def __init__(self, token: object, borrower: str | None, deadline: float, turn: float = inf) -> None:
        self.token: object = token
        self.borrower: str | None = borrower
        self.deadline: float = deadline
        self.turn: Final[float] = turn
        self._noted = False  # has the pool taken note of the deadline?
        self.state: WaiterState = WaiterState.WAITING
        self.lease: Lease[C] | None = None
        self.error: Exception | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.state.name}>"


# -- What the adapter is to do ---------------------------------------------------------------------------------------------


class Dial(Generic[C]):
    """Open a connection, and say how that ended with `opened` or `dial_failed`. It is for the first in the queue by then."""

    __slots__ = ("_generation",)

    def __init__(self, generation: int) -> None:
        self._generation: int = generation

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of generation {self._generation}>"


class Granted(NamedTuple, Generic[C]):
    """Wake this waiter: it has its lease."""

    waiter: Waiter[C]


class Refused(NamedTuple, Generic[C]):
    """Wake this waiter: it has its error."""

    waiter: Waiter[C]


class Close(NamedTuple, Generic[C]):
    """Close this connection, which is not the pool's any more. Each that was opened is told so exactly once."""

    connection: C
    reason: CloseReason


class Leaked(NamedTuple, Generic[C]):
    """Report that this lease is out for longer than `leak_after`. Told once."""

    lease: Lease[C]


PoolEvent: TypeAlias = Dial[C] | Granted[C] | Refused[C] | Close[C] | Leaked[C]
