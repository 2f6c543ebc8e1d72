"""The pushes that came on a link, and the callers that wait for one: both first come, first served.

A push that was handed to a listener which then does not want it goes back to its place, and to the next that asks. Once the link
has ended and its pushes are used up, each that waits is told so.
"""

from __future__ import annotations

from bisect import insort
from math import inf
from typing import Any, Final

from .._errors import CommandTimeoutError, ConnectionClosedError, ConnectionLostError, Outcome
from ..connection.connection import Connection
from ..connection.slot import SlotState
from ..wire.values import Push
from .timers import Timer

__all__ = ["Listener", "Pushes"]

QUEUED: Final = SlotState.QUEUED
ANSWERED: Final = SlotState.ANSWERED
LOST: Final = SlotState.LOST
WITHDRAWN: Final = SlotState.WITHDRAWN


class Listener:
    """A caller that is to wait for a push, see `Client.listen`. `loan` is its right to the link, `token` the adapter's own.

    It is QUEUED until it is ANSWERED, LOST (it has its `error`) or WITHDRAWN. `result` is for the first two.
    """

    __slots__ = ("deadline", "entry", "error", "loan", "state", "timer", "token")

    def __init__(self, loan: Any, token: object = None, *, deadline: float = inf) -> None:
        self.token: Any = token
        self.loan: Final[Any] = loan
        self.deadline: Final[float] = deadline
        self.state: SlotState = QUEUED
        self.entry: tuple[int, Push] | None = None  # the push, behind its number
        self.error: Exception | None = None
        self.timer: Timer | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.state.name}>"

    @property
    def link(self) -> Any:
        """The link that it listens on."""
        return self.loan.connection

    def result(self) -> Push:
        """Return the push; raise why there is none."""
        if self.entry is None:
            assert self.error is not None
            raise self.error
        return self.entry[1]

    def fail(self, error: Exception) -> None:
        """There will be no push for it."""
        self.error = error
        self.state = LOST


class Pushes:
    """The pushes of one connection that no caller has, oldest first, and its `listeners`.

    Pushes that a listener was given do not count against the connection's `max_pushes`. A method may be cut short anywhere, and
    the next one goes on: nothing is lost, nothing given twice.
    """

    __slots__ = ("_core", "_number", "came", "listeners")

    def __init__(self, core: Connection) -> None:
        self._core = core
        self._number = 0
        # Mostly empty, and an empty deque is ten times as large.
        self.came: list[tuple[int, Push]] = []
        self.listeners: list[Listener] = []

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self.came)} came, {len(self.listeners)} listeners>"

    def put(self, push: Push) -> None:
        """A push has come."""
        self._number += 1
        self.came.append((self._number, push))

    def listen(self, listener: Listener) -> None:
        """Wait for the next push. Raises `ConnectionClosedError` if there will be none."""
        if self._core.error is not None and not self.came:
            raise ConnectionClosedError(f"next_push: the connection has ended: {self._core.error}")
        self.listeners.append(listener)

    def hand_out(self) -> Listener | None:
        """Return the first listener, with its push or why there is none; None if there is no listener, or nothing for it yet."""
        if not self.listeners:
            return None
        listener, came = self.listeners[0], self.came
        if listener.state is QUEUED:
            if came:
                listener.entry = came[0]
            elif (error := self._core.error) is not None:
                lost = ConnectionLostError(f"next_push: {error}", outcome=Outcome.NOT_SENT)
                lost.__cause__ = error.__cause__
                listener.fail(lost)
            else:
                return None
        if listener.entry is not None:
            listener.state = ANSWERED
            if came and came[0] is listener.entry:
                del came[0]
                self._core.push_taken()
        del self.listeners[0]
        return listener

    def late(self, listener: Listener) -> None:
        """No push came in time for this one."""
        if listener in self.listeners:
            self.listeners.remove(listener)
        listener.fail(CommandTimeoutError("next_push: nothing came in time", outcome=Outcome.NOT_SENT))

    def leave(self, listener: Listener) -> None:
        """A listener has gone. The push that it was given is the next one's, unless its right to the link is over. Idempotent."""
        if listener.state is ANSWERED and not listener.loan.ended:
            assert listener.entry is not None
            if listener.entry not in self.came:
                self._core.push_put_back()
                insort(self.came, listener.entry, key=number_of)
        listener.state = WITHDRAWN
        if listener in self.listeners:
            self.listeners.remove(listener)


def number_of(entry: tuple[int, Push]) -> int:
    """The number of a push."""
    return entry[0]
