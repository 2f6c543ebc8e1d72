"""Subscriptions, as far as they neither await nor wait. What differs in colour is in `tasks_messages` and in `threads_messages`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final, Generic, TypeAlias, TypeVar

from .._errors import LocalProtocolError, UnexpectedReplyError
from ..client.call import Default, not_text, seconds_allowed
from ..client.client import Client
from ..client.feeds import Change
from ..client.messages import Gap, Message, Overflow, as_data
from ..client.subscriber import Kind, Subscriber, Wanted
from ..commands.decoding import RAW, S, Text
from .base import CommandsBase, Driver

__all__ = ["BUFFER", "BUFFER_BYTES", "Channel", "MessagesBase"]

D = TypeVar("D", bound=Driver)

Channel: TypeAlias = str | bytes
"""The name of a channel, or a pattern."""

BUFFER: Final = 50_000
"""Messages that wait for a subscriber, if it does not say how many."""

BUFFER_BYTES: Final = 32 * 1024 * 1024
"""The same in bytes of data: as much as a server keeps for a client that does not read."""

POLICIES: Final = ("drop_oldest", "drop_newest", "error")


class MessagesBase(Generic[D, S]):
    """The messages of one block."""

    __slots__ = (
        "_apart",
        "_bounds",
        "_config",
        "_driver",
        "_loan",
        "_names",
        "_raw",
        "_seconds",
        "_subscriber",
        "_text",
    )

    def __init__(
        self,
        commands: CommandsBase[D, Any],
        text: Text[S],
        names: list[Wanted],
        buffer: int,
        buffer_bytes: int,
        overflow: Overflow,
        seconds: float,
    ) -> None:
        for what, bound in (("buffer", buffer), ("buffer_bytes", buffer_bytes)):
            if isinstance(bound, bool) or not isinstance(bound, int):
                raise TypeError(f"{what} must be a whole number, not {type(bound).__name__}")
            if bound < 1:
                raise ValueError(f"{what} must be at least 1, and is {bound}")
        if overflow not in POLICIES:
            raise ValueError(f"overflow must be one of {', '.join(POLICIES)}; got {overflow!r}")
        self._config = commands._config
        self._driver = driver = commands._listens_by()
        self._apart = driver is not commands._driver  # it is of this block alone
        self._loan = commands._own_link
        self._text: Text[S] = text
        self._raw = text is RAW
        self._seconds = seconds
        self._names = names
        self._bounds = (buffer, buffer_bytes, overflow)
        self._subscriber: Subscriber | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self._subscriber or 'to be entered'}>"

    @property
    def lost(self) -> bool:
        """Is the connection away, or one of several? Then messages are missed, and a `Gap` will say so once it is there again."""
        return self._subscriber is not None and self._subscriber.misses

    def _enter(self) -> None:
        if self._subscriber is not None:
            raise LocalProtocolError("subscribe: this block has been entered before; ask for another one")
        self._subscriber = self._made(lambda machine, _: machine.subscriber(self._loan, *self._bounds))

    @property
    def _entered(self) -> Subscriber:
        if self._subscriber is None:
            raise LocalProtocolError("subscribe: enter the block first, by `with` or `async with`")
        return self._subscriber

    def _deadline(self, timeout: float | None | Default) -> float:
        return self._driver.now() + seconds_allowed(self._config, timeout)

    def _take(self, *, behind: bool = False) -> Message[S] | Gap[S] | None:
        """Return the next of what is ready, None if nothing is. `behind` others that a caller has, what is no text is left."""
        subscriber = self._subscriber or self._entered
        try:
            item: Any = subscriber.ready.popleft()  # in one step: other threads may take, too
        except IndexError:
            return None
        try:
            made: Message[S] | Gap[S] = item if self._raw else self._as_text(item)
        except UnexpectedReplyError:
            if not behind:
                raise
            subscriber.ready.appendleft(item)  # so that its error takes no others with it
            return None
        return made

    def _take_all(self) -> list[Message[S] | Gap[S]]:
        """Return all of it."""
        items: list[Message[S] | Gap[S]] = []
        while (item := self._take(behind=bool(items))) is not None:
            items.append(item)
        return items

    def _begin(self, names: list[Wanted] | None, *, joins: bool) -> Change:
        """Have the machine begin a change."""
        change = Client.subscribe if joins else Client.unsubscribe
        subscriber = self._entered
        made: Change = self._made(lambda machine, now: change(machine, subscriber, names, now))
        return made

    def _made(self, what: Callable[[Client, float], Any]) -> Any:
        made: list[Any] = []
        self._driver.change("subscribe", lambda machine, now: made.append(what(machine, now)))
        return made[0]

    def _cancel(self, change: Change) -> None:
        """The change is of no use to its caller."""
        self._driver.change("subscribe", lambda machine, now: machine.cancel(change, now))

    def _leave(self) -> Change | None:
        """The block has ended. Return what a connection waits for, before it is what it was; a client's is none of its callers'."""
        subscriber = self._subscriber
        if subscriber is None:
            return None
        change: Change | None = self._made(lambda machine, now: machine.leave(subscriber, now))
        return None if self._loan is None else change

    def _as_text(self, item: Message[bytes] | Gap[bytes]) -> Message[S] | Gap[S]:
        try:
            return as_data(item, self._text)
        except UnicodeDecodeError as error:
            told = not_text("message", error)
        raise told  # here, where no data is in the context


def names_of(
    channels: Iterable[Channel], patterns: Iterable[Channel], shards: Iterable[Channel], *, some: bool
) -> list[Wanted]:
    """Return what is to be subscribed to. Raises `TypeError` for what is no name, `ValueError` if `some` are needed and none is."""
    names: list[Wanted] = []
    for kind, what, given in (
        (Kind.CHANNEL, "channels", channels),
        (Kind.PATTERN, "patterns", patterns),
        (Kind.SHARD, "shards", shards),
    ):
        if isinstance(given, (str, bytes)):
            raise TypeError(f"{what} must be a list of names, not one {type(given).__name__}")
        names += map(partial(wanted, kind), given)
    if some and not names:
        raise ValueError("subscribe: name at least one channel or pattern")
    return list(dict.fromkeys(names))


def wanted(kind: Kind, name: Channel) -> Wanted:
    """Return one name as it is sent. Raises `TypeError` if it is none."""
    if isinstance(name, str):
        return kind, name.encode("utf-8", "surrogateescape")
    if isinstance(name, (bytes, bytearray, memoryview)):
        return kind, bytes(name)
    raise TypeError(f"a channel is named by str or bytes, not {type(name).__name__}")
