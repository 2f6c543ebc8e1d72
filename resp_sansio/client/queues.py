"""Streams and lists as queues: what a server hands over stays its own until it is told that this is done.

A `Queue` is a conversation: it says what to send (`step`), is told what came of it (`answered`, `lost`), and hands over what it has
(`take`). So it decides everything, and what carries it out only sends and waits. These are its rules, for streams and lists alike:

- what was handed over is acknowledged once its handler says `done`, and else stays pending, for this consumer or for others;
- acknowledgements go out together: in front of the next read, or at once if the last ones went out a while ago;
- what a server has handed over and no handler has got (a reply that was lost, a wait that was cancelled) is asked for again, and
  nothing is handed over twice that is still in a handler's hands;
- a server may not know yet that a connection is lost, and hand something over to a read that waits there: so it is asked again once
  no such read can wait any more, and that is why none waits for ever.

So each is handled at least once. Time comes in as an argument, in seconds.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from math import inf
from typing import Any, Final, Generic, Self, TypeAlias, TypeVar

from .._errors import (
    CircuitOpenError,
    CommandTimeoutError,
    ConnectError,
    ConnectionClosedError,
    ConnectionLostError,
    Outcome,
    RemoteProtocolError,
    ReplyError,
    RespError,
)
from ..commands.command import Command
from ..commands.decoding import S, Text
from .retry import Meaning, meaning

__all__ = ["ACK_WITHIN", "Delivery", "ListItem", "Queue", "StreamEntry", "name_of", "number_of", "survives"]

ACK_WITHIN: Final = 0.1
"""For how many seconds acknowledgements wait for others, while a handler asks for the next."""

LONGEST: Final = 60_000
"""For how many milliseconds one read waits at most: one that is to wait for ever is followed by others."""

LATE: Final = 1.0
"""So many seconds after a read was to end it has ended, as seen from here: servers end one up to 0.1 s late."""


# -- what a handler gets ------------------------------------------------------------------------------------------------------


class Delivery:
    """What a queue has handed over. `with` says `done` of it if the block ends, and `failed` if an exception ends it.

    One that is thrown away has failed. `again`: it may have been handed over before.
    """

    __slots__ = ("_key", "_queue", "again")

    def __init__(self, queue: Queue[Any], key: Hashable, again: bool) -> None:
        self._queue: Queue[Any] | None = queue
        self._key = key
        self.again: bool = again

    def done(self) -> None:
        """It is handled: the server may forget it. Any thread may say so. Once `done` or `failed` was said, neither has effect."""
        if self._queue is not None:
            self._queue._done.append(self._key)
            self._queue = None

    def failed(self) -> None:
        """It is not handled: it stays pending on the server, and will be handed over again. See `done`."""
        if self._queue is not None:
            self._queue._failed.append(self._key)
            self._queue = None

    def __del__(self) -> None:
        # An interrupt may have thrown it away before any handler had it.
        if getattr(self, "_queue", None) is not None:
            self.failed()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        if kind is None:
            self.done()
        else:
            self.failed()


class StreamEntry(Delivery, Generic[S]):
    """An entry of a stream, handed over by `consume`: its stream, its ID, and its fields, which may repeat a name.

    `deliveries`: how often the server has handed it over, this time included.
    """

    __slots__ = ("deliveries", "id", "pairs", "stream")

    def __init__(
        self,
        queue: Queue[Any],
        key: Hashable,
        again: bool,
        stream: S,
        id: S,
        pairs: list[tuple[S, S]],
        deliveries: int,
    ) -> None:
        self._queue = queue  # as the one above it does, without another call for each entry
        self._key = key
        self.again = again
        self.stream: S = stream
        self.id: S = id
        self.pairs: list[tuple[S, S]] = pairs
        self.deliveries: int = deliveries

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id!r} of {self.stream!r}, delivery {self.deliveries}>"

    @property
    def fields(self) -> dict[S, S]:
        """The fields by name; of those with the same name, the last."""
        return dict(self.pairs)


class ListItem(Delivery, Generic[S]):
    """An element of a list, handed over by `consume_list`."""

    __slots__ = ("value",)

    def __init__(self, queue: Queue[Any], key: Hashable, again: bool, value: S) -> None:
        super().__init__(queue, key, again)
        self.value: S = value

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self.value)}{', again' if self.again else ''}>"


# -- what decides -------------------------------------------------------------------------------------------------------------

E = TypeVar("E", bound=Delivery)

Then: TypeAlias = Callable[[Any, float], None]
"""What is done with the reply to a command, at what time."""

Step: TypeAlias = list[tuple[Command[Any], Then]]
"""What is to be sent in one write."""


class Queue(ABC, Generic[E]):
    """A queue as one of its consumers sees it. `over`: there was nothing left, and it is not to wait; to be unset by who ends then.
    `stopped`, to be set by others: it is to hand over what it has, and to read no more.

    `patient`: a server that can't serve yet (LOADING) is asked again, for the client has made pauses already. One caller at a time
    takes and steps; others may `flush` meanwhile.
    """

    _ready: deque[Any]  # to be handed over

    def __init__(self, text: Text[Any], block: int | None, *, patient: bool = True) -> None:
        self.over: bool = False
        self.stopped: bool = False
        self._block = None if block is None else min(number_of("block", block, 0) or LONGEST, LONGEST)
        self._text = text
        self._patient = patient
        self._done: deque[Any] = deque()  # said by handlers, of whichever thread
        self._failed: deque[Any] = deque()
        self._acked_at = -inf
        self._anew = False
        self._again_at = (
            -inf
        )  # when no read of a connection that was lost waits any more; at first, of one that was before this

    @abstractmethod
    def take(self, now: float) -> E | None:
        """Hand over the next; None if a step is due first. Raises `UnexpectedReplyError` for one that is no text."""

    @property
    def ends(self) -> bool:
        """Is there nothing to take, and nothing to ask for?"""
        return self.over or (self.stopped and not self._ready)

    def step(self, now: float) -> Step:
        """Return what is to be sent now: acknowledgements, and what asks for more if there is nothing to take."""
        self.over = False
        if self._again_at == -inf:
            self._may_wait(now)
        if self._anew or now >= self._again_at:
            self._anew = False
            if now >= self._again_at:
                self._again_at = inf
            self._begin()
        step: Step = []
        self._acked_at = now
        self._acknowledge(step, apart=False)
        self._ask(step, now)
        return step

    def take_or_step(self, now: float) -> tuple[E | None, Step | None]:
        """Hand over the next, if it is there; else return what is to be sent, None at the end. Raises as `take`."""
        delivery = self.take(now)
        return delivery, None if delivery is not None or self.ends else self.step(now)

    def flush(self, now: float) -> Step:
        """Return what is to be sent to acknowledge all that is done; nothing, if there is nothing."""
        step: Step = []
        self._acked_at = now
        self._acknowledge(step, apart=True)
        return step

    def answered(self, step: Step, replies: Sequence[object], now: float, uncertain: bool = False) -> None:
        """Take in the replies to a step. Raises the first error that asking again does not help with.

        `uncertain`: it was sent twice, as the client is configured.
        """
        if uncertain:
            self.recover()
        told: Exception | None = None
        for (command, then), reply in zip(step, replies, strict=True):
            if not isinstance(reply, Exception):
                then(reply, now)
            elif not self._helped(reply, command):
                told = told or reply
        if told is not None:
            self.recover()  # if it is about a reply that no reader can read, that was handed over, too
            raise told

    def lost(self, step: Step, now: float) -> None:  # noqa: ARG002
        """Not all of a step was answered: the server may have handed over what never came, or may yet."""
        self._may_wait(now)
        self.recover()

    def _may_wait(self, now: float) -> None:
        """A read may wait for this consumer, on a connection that nothing comes from any more."""
        self._again_at = inf if self._block is None else now + self._block / 1000 + LATE

    def recover(self) -> None:
        """The server may have handed over what never came: see to that next."""
        self._anew = True

    @abstractmethod
    def _begin(self) -> None:
        """See first what the server has handed over to this consumer."""

    @abstractmethod
    def _acknowledge(self, step: Step, *, apart: bool) -> None:
        """Add what acknowledges all that is done: in front of what asks for more, or `apart`, while that may be under way."""

    @abstractmethod
    def _ask(self, step: Step, now: float) -> None:
        """Add what keeps hold of what is in hands, and what asks for more if there is nothing to take."""

    def _helped(self, error: Exception, command: Command[Any]) -> bool:
        """A command was answered by an error: does asking again help?"""
        if not isinstance(error, ReplyError):
            return False
        # Redis 7.0 says so to a reader whose stream is gone, and says what is wrong when it is asked again.
        return error.code == "UNBLOCKED" or (self._patient and meaning(error, command.info) is not Meaning.ANSWER)

    @property
    def _acks_due(self) -> float:
        return self._acked_at + ACK_WITHIN if self._done else inf


def survives(error: RespError) -> bool:
    """What was sent has no answer for this reason: may it be sent again, for as long as it takes?

    Not if the client was closed, or can't be opened as it is configured, or has no connection free; nor if it has a breaker, whose
    callers want to be told; nor if what came makes no sense.
    """
    match error:
        case CircuitOpenError() | ConnectionClosedError() | RemoteProtocolError():
            return False
        case ConnectError():
            return error.transient
        case ConnectionLostError():
            return not isinstance(error.__cause__, ConnectionClosedError)
        case CommandTimeoutError():
            return error.outcome is not Outcome.NOT_SENT or error.__cause__ is not None
    return False


def name_of(what: str, name: object) -> bytes:
    """Return the name of a key, a group or a consumer as bytes, as replies have it. Raises `TypeError` and `ValueError`."""
    if not isinstance(name, (str, bytes)):
        raise TypeError(f"{what} must be str or bytes, not {type(name).__name__}")
    if not name:
        raise ValueError(f"{what} must not be empty")
    return name.encode("utf-8", "surrogateescape") if isinstance(name, str) else name


def number_of(what: str, number: object, least: int) -> int:
    """Return a number that is whole and not too small. Raises `TypeError` and `ValueError`."""
    if type(number) is not int:
        raise TypeError(f"{what} must be an int, not {type(number).__name__}")
    if number < least:
        raise ValueError(f"{what} must be at least {least}, not {number}")
    return number
