"""A place in a connection's order: what it sends, what answers it, and how it ended.

Redis answers in the order of the commands, so a reply's position is all there is to say whose it is. A slot keeps that
position for as long as a reply may come, whether or not a caller still waits for it. There are three shapes:

- `Slot`: one command, one reply. Nearly all there is, so it is kept small.
- `Batch`: a pipeline of such commands: N replies, one token, one deadline.
- `StatefulBatch`, see `stateful`: commands that are answered otherwise, alone or among others.

A slot is its own event: once answered, the connection hands it back with `reply` on it, and the caller's `token`.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Sequence
from typing import Any, ClassVar, Final, NoReturn, TypeAlias

from .._errors import (
    CommandTimeoutError,
    ConnectError,
    ConnectionClosedError,
    ConnectionLostError,
    LocalProtocolError,
    Outcome,
    RemoteProtocolError,
    RespError,
)
from ..commands.knowledge import CommandInfo
from ..wire.values import Pairs, Reply

__all__ = ["AttributeMap", "Batch", "Payload", "Slot", "SlotState", "acts_later", "join"]

AttributeMap: TypeAlias = dict[Reply, Reply] | Pairs
"""What the server said about a reply, in an attribute before it."""

Payload: TypeAlias = bytes | list[bytes]
"""One encoded command: a block, or several buffers where a large argument travels uncopied."""


class SlotState(enum.Enum):
    """QUEUED and HANDED are under way; the others are ends."""

    QUEUED = "not one byte has left; it can be withdrawn"
    HANDED = "its first byte may have left; its reply will be read"
    ABANDONED = "handed, and no caller waits any more; its reply will be skipped"
    ANSWERED = "its reply is here"
    WITHDRAWN = "abandoned while queued; it was never sent"
    LOST = "the connection ended first"


# Looked up once: these names are read for every command.
QUEUED: Final = SlotState.QUEUED
NOT_SENT: Final = Outcome.NOT_SENT
REPLY: Final = Outcome.REPLY


class Slot:
    """One command with one reply.

    `token` is the caller's own; `deadline` is absolute, in seconds of the caller's clock, `math.inf` for none. `end` is how
    many bytes the connection had handed over with this slot's last one. `outcomes` has an entry for each command and is
    there once the slot has ended without all of its replies. `attributes` is what the server said about the reply; of a pipeline,
    about each, by the index of the command. `noted` is unset until a connection has taken note of
    the deadline, `watch` (for observers) unless the call is observed.
    """

    __slots__ = (
        "attributes", "call", "cause", "deadline", "end", "info", "link", "noted", "outcomes", "payload", "reply", "state",
        "token", "uncertain", "watch",
    )  # fmt: skip

    plain: ClassVar[bool] = True
    starts = True  # may it be handed over at once, see `Connection.start`?
    count = 1
    missing = 1
    end: int
    noted: object
    watch: Any
    outcomes: Sequence[Outcome]
    reply: Reply

    def __init__(self, payload: Payload, info: CommandInfo, token: object, deadline: float) -> None:
        self.payload: Payload = payload
        self.info: CommandInfo = info
        self.token: object = token
        self.deadline: float = deadline
        self.state: SlotState = QUEUED
        self.attributes: AttributeMap | None = None
        self.uncertain: Collection[int] = ()  # which commands may have run on a connection before
        # A client's: which link it is on, what is known of the call beyond the slot, and why it ended without a reply.
        self.link: Any = None
        self.call: Any = None
        self.cause: Exception | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} {self.state.name}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} cannot be pickled: its connection cannot, and it may hold a secret")

    @property
    def name(self) -> str:
        """What was asked for, for messages: never an argument, which could be a secret."""
        return self.info.name

    @property
    def blocks(self) -> bool:
        """May the server hold back on purpose the reply that comes next?"""
        return self.info.blocking is not None

    @property
    def may_act_later(self) -> bool:
        """May the server put a command aside that is not answered yet, and act on it at any later time?

        To give up such a slot ends its connection; else what the server takes from a list (BLPOP) would be lost.
        """
        return acts_later(self.info)

    @property
    def exclusive(self) -> bool:
        """Has it to be the only one in flight, for its reply to be paired?

        A slot of this kind that is given up ends its connection: its reply may never come.
        """
        return False

    @property
    def takes_outline(self) -> bool:
        """Is no more than the outline of the reply that comes next of any use, once no caller waits for it?"""
        return True

    def settle(self, state: SlotState, accepted: float) -> None:
        """End without a reply: of the connection's bytes, `accepted` were taken by the network."""
        sent = (self.state is not QUEUED and self.end <= accepted) or bool(self.uncertain)
        self.outcomes = (Outcome.MAYBE_EXECUTED if sent else NOT_SENT,)
        self.state = state

    def renew(self) -> None:
        """Be QUEUED again, for another connection or, after an error reply, for another time. What was answered stays answered.

        What may have run before may have run, however the next attempt ends. Raises `LocalProtocolError` for a slot that is still
        on a connection, or was given up.
        """
        if self.state is SlotState.LOST:
            sent = [index for index, outcome in enumerate(self.outcomes) if outcome is not NOT_SENT]
            self.uncertain = {*self.uncertain, *sent}
        elif self.state is not SlotState.ANSWERED and self.state is not QUEUED:
            raise LocalProtocolError(f"{self.name} cannot go out again: its slot is {self.state.name}")
        self.state = QUEUED
        self.noted = None  # it may go out again on the connection that knows its deadline, and has forgotten it

    def describe(self, attributes: AttributeMap) -> None:
        """The reply that comes next has these attributes."""
        self.attributes = attributes

    def called(self, _index: int) -> str:
        """What one of the commands is, for messages."""
        return self.name

    def failure(self, cause: RespError, index: int | None = None) -> RespError:
        """Return the error for the caller of command `index`, if not given the first that was not answered.

        A new one each time, for a traceback belongs to one caller. A slot that is still QUEUED was never submitted.
        """
        if self.state is QUEUED:
            self.settle(SlotState.WITHDRAWN, 0)
        if index is None:
            unanswered = [at for at, outcome in enumerate(self.outcomes) if outcome is not REPLY]
            index = unanswered[0] if unanswered else 0
        outcome = self.outcomes[index]
        if outcome is REPLY:  # an interrupt struck between the last reply and the end: the caller has not seen it
            outcome = Outcome.MAYBE_EXECUTED
        message = f"{self.called(index)}: {cause}; {outcome.value}"
        match cause:
            case ConnectError() if outcome is NOT_SENT:
                return type(cause)(message, transient=cause.transient)
            case CommandTimeoutError():
                return cause.counted(message, outcome)
            case RemoteProtocolError():
                return RemoteProtocolError(message, outcome=outcome)
            case ConnectionClosedError():
                lost = ConnectionLostError(message, outcome=outcome)
                lost.__cause__ = cause  # `may_repeat` looks for it
                return lost
            case _:
                return ConnectionLostError(message, outcome=outcome)


class Batch(Slot):
    """Several commands in one place, with one token and one deadline. `reply` is the list of their replies, errors among them."""

    __slots__ = ("begin", "count", "infos", "missing", "payloads", "replies", "starts")
    payload: Payload
    outcomes: list[Outcome]
    attributes: AttributeMap | None

    def __init__(
        self, payloads: Sequence[Payload], infos: Sequence[CommandInfo], token: object, deadline: float
    ) -> None:
        super().__init__(join(payloads), infos[0], token, deadline)
        self.payloads: Sequence[Payload] = payloads
        self.infos: Sequence[CommandInfo] = infos
        self.count: int = len(infos)
        self.missing: int = self.count
        self.starts: bool = False
        self.begin: int = 0  # the index of the first command in `payload`: not 0 once it goes on, on another connection
        self.replies: list[Reply] = []

    @property
    def name(self) -> str:
        return self.info.name if self.count == 1 else f"pipeline of {self.count} commands"

    def called(self, index: int) -> str:
        return f"{self.infos[index].name} in a {self.name}" if self.count > 1 else self.name

    @property
    def blocks(self) -> bool:
        return self.infos[self.count - self.missing].blocking is not None

    @property
    def may_act_later(self) -> bool:
        return any([acts_later(info) for info in self.infos[self.count - self.missing :]])

    def settle(self, state: SlotState, accepted: float) -> None:
        offset = self.end - _size(self.payload) if self.state is not QUEUED else 0
        sent = [True] * self.begin
        for payload in self.payloads[self.begin :]:
            offset += _size(payload)
            sent.append(self.state is not QUEUED and offset <= accepted)
        answered = len(self.replies)
        self.outcomes = [
            Outcome.REPLY
            if index < answered and decider < answered
            else Outcome.MAYBE_EXECUTED
            if sent[decider] or index in self.uncertain
            else NOT_SENT
            for index, decider in enumerate(self.deciders())
        ]
        self.state = state

    def describe(self, attributes: AttributeMap) -> None:
        described = self.attributes if isinstance(self.attributes, dict) else {}
        described[len(self.replies)] = attributes
        self.attributes = described

    def renew(self) -> None:
        answered = self.state is SlotState.ANSWERED
        replies: list[Reply] = [] if answered else self.replies
        begin = len(replies)
        payload = join(self.payloads[begin:])
        super().renew()
        # No call from here on: an interrupt finds the slot as it was, or all of this done.
        if answered:
            self.attributes = None
            self.missing = self.count
        self.replies, self.begin, self.payload = replies, begin, payload

    def deciders(self) -> Sequence[int]:
        """Return for each command the index of the one that runs it: itself, or the EXEC behind it."""
        return range(self.count)


def acts_later(info: CommandInfo) -> bool:
    """May the server put this command aside, and act on it at any later time?"""
    # Those that can't block for ever (DEBUG SLEEP, MIGRATE) block the server itself, with or without a connection.
    return info.blocking is not None and info.blocking.forever


def join(payloads: Sequence[Payload]) -> Payload:
    """One block to send, or a list of buffers if any of the commands has large ones."""
    try:
        return b"".join(payloads)  # type: ignore[arg-type]  # nearly always; a list among them is refused
    except TypeError:
        pass
    return [buffer for payload in payloads for buffer in ([payload] if isinstance(payload, bytes) else payload)]


def _size(payload: Payload) -> int:
    return len(payload) if isinstance(payload, bytes) else sum(map(len, payload))
