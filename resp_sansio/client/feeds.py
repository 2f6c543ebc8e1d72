"""What one link has of the subscriptions: which names are to come by it, and the commands that see to that.

A caller that changes what it is subscribed to waits for a `Change`, until the server has confirmed each of its names.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, Final

from .._errors import CommandTimeoutError, Outcome, RespError
from ..connection.pairing import Collected
from ..connection.slot import SlotState
from .pushes import Listener, Source
from .retry import Attempts
from .subscriber import Kind, Name, State, Subscriber, again

__all__ = ["MOST_NAMES", "Asked", "Change", "Feed"]

ANSWERED: Final = SlotState.ANSWERED

MOST_NAMES: Final = 500
"""So many names are asked for by one command: a message that comes in between is read soon, and a refusal is about few."""


class Asked:
    """One command: it asks for these names, or leaves them."""

    __slots__ = ("feed", "joins", "names")

    def __init__(self, feed: Feed, names: Sequence[Name], *, joins: bool) -> None:
        self.feed: Final[Feed] = feed
        self.names: Final[Sequence[Name]] = names
        self.joins: Final[bool] = joins

    @property
    def words(self) -> tuple[str | bytes, ...]:
        """The command."""
        ask, leave = self.names[0].kind.value
        return (ask if self.joins else leave, *[name.word for name in self.names])


class Change(Source):
    """Names that a subscriber wants from now on, or does not want any more, and the caller that waits until the server says so."""

    __slots__ = ("added", "attempts", "error", "joins", "pending", "registry", "subscriber", "why")

    def __init__(self, subscriber: Subscriber, *, joins: bool) -> None:
        super().__init__()
        self.subscriber: Final[Subscriber] = subscriber
        self.registry: Final[Any] = subscriber.registry
        self.joins: Final[bool] = joins
        self.added: list[Name] = []
        self.pending: dict[Name, None] = {}
        self.attempts: Attempts | None = None
        self.error: RespError | None = None
        self.why: RespError | None = None  # no server could be asked yet

    @property
    def connection(self) -> Any:
        """The link by which it is confirmed, None if there is none now, or if there are several."""
        return self.registry.read_by

    @property
    def over(self) -> bool:
        """Is there nothing left to wait for?"""
        return self.error is not None or not self.pending

    @property
    def unsent(self) -> bool:
        """Was no server asked for what it waits for?"""
        return all([name.state is State.WANTED for name in self.pending])

    def wait_for(self, name: Name) -> None:
        """It is over only when this is."""
        self.pending[name] = None
        name.changes[self] = None

    def confirmed(self, name: Name) -> None:
        """One of its names is."""
        self.pending.pop(name, None)
        name.changes.pop(self, None)

    def fail(self, error: RespError) -> None:
        """One of them was refused, or none can be had."""
        if not self.over:
            self.error = error
        for name in self.pending:
            name.changes.pop(self, None)
        self.pending.clear()

    def hand_out(self) -> Listener | None:
        """Return the first listener, once it is over; None if there is none."""
        if not self.listeners or not self.over:
            return None
        listener = self.listeners.pop(0)
        if self.error is not None:
            listener.fail(again(self.error))
        else:
            listener.state = ANSWERED
        return listener

    def too_late(self) -> Exception:
        """What a listener is told for which nothing came in time."""
        return CommandTimeoutError(
            "the server did not confirm the subscription in time", outcome=Outcome.MAYBE_EXECUTED
        )


class Feed(ABC):
    """What one link has of the subscriptions of a `registry`: which names are `wanted` by it, and what is to be sent.

    `lasting`: is there another link after a loss?
    """

    __slots__ = ("halves", "lasting", "link", "registry", "todo", "wanted")

    def __init__(self, registry: Any, *, lasting: bool) -> None:
        self.registry: Final[Any] = registry
        self.lasting: Final[bool] = lasting
        self.link: Any = None
        self.wanted: dict[Name, None] = {}
        self.todo: dict[Name, None] = {}
        self.halves: list[list[Name]] = []  # of commands that were refused as a whole

    @property
    @abstractmethod
    def waiting(self) -> list[Change]:
        """The changes that wait for it."""

    @abstractmethod
    def heard(self, pushes: Iterable[Collected]) -> None:
        """These have come. Raises `RemoteProtocolError` if one of them is none that a server sends."""

    @abstractmethod
    def give_up(self, error: RespError) -> None:
        """There will be no link, for this reason."""

    @abstractmethod
    def ended(self, why: str) -> None:
        """There is no link any more, for this reason."""

    def opened(self, link: Any) -> None:
        """There is a link, which has none of the subscriptions yet."""
        self.link = link
        self.todo = dict(self.wanted)

    def empty(self) -> None:
        """There is no link, and so nothing to be sent."""
        self.link = None
        self.halves, self.todo = [], {}

    def wants(self, name: Name) -> None:
        """This is to be asked for by it."""
        self.wanted[name] = self.todo[name] = None

    def asks(self) -> list[Asked]:
        """Return the commands that are to be sent now."""
        if not (self.todo or self.halves):
            return []
        halves, self.halves = self.halves, []
        todo, self.todo = self.todo, {}
        asked: list[Asked] = []
        for half in halves:
            again = [name for name in half if name.subscribers and name.state is State.WANTED and name.feed is self]
            self._ask(asked, again, joins=True)
        for kind in Kind:
            mine = [name for name in todo if name.kind is kind]
            joins = [name for name in mine if name.subscribers and name.state is State.WANTED]
            leaves = [name for name in mine if not name.subscribers and name.state in (State.ASKED, State.LIVE)]
            self._ask(asked, joins, joins=True)
            self._ask(asked, leaves, joins=False)
        return asked

    def _ask(self, asked: list[Asked], names: list[Name], *, joins: bool) -> None:
        for start in range(0, len(names), MOST_NAMES):
            command = Asked(self, names[start : start + MOST_NAMES], joins=joins)
            asked.append(command)
            for name in command.names:
                name.asked = command
                name.state = State.ASKED if joins else State.LEAVING
