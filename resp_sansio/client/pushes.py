"""What comes unasked, and who waits for it; of most links the pushes, which are served first come, first served, as listeners are.

A push that was handed to a listener which then does not want it goes back to its place, and to the next that asks. Once the link
has ended and its pushes are used up, each that waits is told so.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import insort
from math import inf
from typing import Any, Final

from .._errors import CommandTimeoutError, ConnectionClosedError, ConnectionLostError, Outcome
from ..connection.connection import Connection
from ..connection.slot import SlotState
from ..wire.values import Push
from .timers import Timer

__all__ = ["Listener", "Pushes", "Source"]

QUEUED: Final = SlotState.QUEUED
ANSWERED: Final = SlotState.ANSWERED
LOST: Final = SlotState.LOST
WITHDRAWN: Final = SlotState.WITHDRAWN


class Listener:
    """A caller that is to wait for what comes unasked, see `Client.listen`. `token` is the adapter's own.

    `what` it listens to is a `Source`, or its right to a link, of which it is to have the next push. It is QUEUED until it is
    ANSWERED, LOST (it has its `error`) or WITHDRAWN. `result` is for the first two.
    """

    __slots__ = ("deadline", "entry", "error", "state", "timer", "token", "what")

    def __init__(self, what: Any, token: object = None, *, deadline: float = inf) -> None:
        self.token: Any = token
        self.what: Final[Any] = what
        self.deadline: Final[float] = deadline
        self.state: SlotState = QUEUED
        self.entry: tuple[int, Push] | None = None  # the push, behind its number
        self.error: Exception | None = None
        self.timer: Timer | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.state.name}>"

    @property
    def link(self) -> Any:
        """The link by which it is to come, None if there is none now."""
        return self.what.connection

    @property
    def source(self) -> Source:
        """What it is to come from."""
        what = self.what
        source: Source = what if isinstance(what, Source) else what.connection.pushes
        return source

    def result(self) -> Any:
        """Return the push, None if it is not for a push; raise why nothing comes."""
        if self.error is not None:
            raise self.error
        return None if self.entry is None else self.entry[1]

    def fail(self, error: Exception) -> None:
        """Nothing comes for it."""
        self.error = error
        self.state = LOST


class Source(ABC):
    """Something that comes unasked, and the callers that wait for it: first come, first served."""

    __slots__ = ("listeners",)

    def __init__(self) -> None:
        self.listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Wait for what comes next. Raises `ConnectionClosedError` if nothing will."""
        self.listeners.append(listener)

    @abstractmethod
    def hand_out(self) -> Listener | None:
        """Return the first listener, which has what it waits for; None if there is no listener, or nothing for it yet."""

    @abstractmethod
    def too_late(self) -> Exception:
        """What a listener is told for which nothing came in time."""

    def late(self, listener: Listener) -> None:
        """Nothing came in time for this one."""
        if listener in self.listeners:
            self.listeners.remove(listener)
        listener.fail(self.too_late())

    def leave(self, listener: Listener) -> None:
        """A listener has gone. Idempotent."""
        listener.state = WITHDRAWN
        if listener in self.listeners:
            self.listeners.remove(listener)


class Pushes(Source):
    """The pushes of one connection that no caller has, oldest first, and its `listeners`.

    Pushes that a listener was given do not count against the connection's `max_pushes`. A method may be cut short anywhere, and
    the next one goes on: nothing is lost, nothing given twice.
    """

    __slots__ = ("_core", "_number", "came")

    def __init__(self, core: Connection) -> None:
        super().__init__()  # both are mostly empty, and an empty deque is ten times as large as a list
        self._core = core
        self._number = 0
        self.came: list[tuple[int, Push]] = []

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

    def too_late(self) -> Exception:
        """What a listener is told for which nothing came in time."""
        return CommandTimeoutError("next_push: nothing came in time", outcome=Outcome.NOT_SENT)

    def leave(self, listener: Listener) -> None:
        """A listener has gone. The push that it was given is the next one's, unless its right to the link is over. Idempotent."""
        if listener.state is ANSWERED and not listener.what.ended:
            assert listener.entry is not None
            if listener.entry not in self.came:
                self._core.push_put_back()
                insort(self.came, listener.entry, key=number_of)
        super().leave(listener)


def number_of(entry: tuple[int, Push]) -> int:
    """The number of a push."""
    return entry[0]
