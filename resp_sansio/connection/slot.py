"""A place in a connection's order: what it sends, what answers it, and how it ended.

Redis answers in the order of the commands, so a reply's position is all there is to say whose it is. A slot keeps that
position for as long as a reply may come, whether or not anybody still waits for it. There are three shapes:

- `Slot`: one command, one reply. Nearly all there is, so it is kept small.
- `Batch`: a pipeline of such commands: N replies, one token, one deadline.
- `StatefulBatch`: commands that are answered otherwise, alone or among others: a subscription ends with its own number of pushes,
  MULTI ... EXEC must add up, MONITOR and HELLO change what the connection is.

A slot is its own event: once answered, the connection hands it back with `reply` on it, and the caller's `token`.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Sequence
from math import inf
from typing import Any, ClassVar, Final, NoReturn, TypeAlias

from .._errors import (
    CommandTimeoutError,
    ConnectError,
    ConnectionClosedError,
    ConnectionLostError,
    LocalProtocolError,
    Outcome,
    RemoteProtocolError,
    ReplyError,
    RespError,
    shown_code,
)
from ..commands.knowledge import CommandInfo, Replies, command_info
from ..wire.encoder import Argument, encode_command
from ..wire.values import Attributed, Pairs, Push, Reply
from .subscriptions import FENCE, FENCED, Confirmations, Subscriptions

__all__ = ["AttributeMap", "Batch", "Payload", "Slot", "SlotState", "StatefulBatch", "new_batch", "new_slot"]

AttributeMap: TypeAlias = dict[Reply, Reply] | Pairs
"""What the server said about a reply, in an attribute before it."""

Payload: TypeAlias = bytes | list[bytes]
"""One encoded command: a block, or several buffers where a large argument travels uncopied."""


class SlotState(enum.Enum):
    """QUEUED and HANDED are under way; the others are ends."""

    QUEUED = "not one byte has left; it can be withdrawn"
    HANDED = "its first byte may have left; its reply will be read"
    ABANDONED = "handed, and nobody waits any more; its reply will be skipped"
    ANSWERED = "its reply is here"
    WITHDRAWN = "abandoned while queued; it was never sent"
    LOST = "the connection ended first"


# Looked up once: these names are read for every command.
QUEUED: Final = SlotState.QUEUED
SUBSCRIPTION: Final = Replies.SUBSCRIPTION
NOT_SENT: Final = Outcome.NOT_SENT


class Slot:
    """One command with one reply.

    `token` is the caller's own; `deadline` is absolute, in seconds of the caller's clock, `math.inf` for none. `end` is how
    many bytes the connection had handed over with this slot's last one. `outcomes` has an entry for each command and is
    there once the slot has ended without all of its replies. `attributes` is what the server said about the reply; of a pipeline,
    about each, by the index of the command. `noted` is unset until a connection has taken note of
    the deadline.
    """

    __slots__ = (
        "attributes", "call", "cause", "deadline", "end", "info", "link", "noted", "outcomes", "payload", "reply", "state",
        "token", "uncertain",
    )  # fmt: skip

    plain: ClassVar[bool] = True
    count = 1
    missing = 1
    end: int
    noted: object
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

        Who gives up such a slot ends its connection, or lets what the server takes from a list (BLPOP) be lost.
        """
        return _may_act_later(self.info)

    @property
    def exclusive(self) -> bool:
        """Has it to be the only one in flight, for its reply to be paired?

        A slot of this kind that is given up ends its connection: its reply may never come.
        """
        return False

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

    @property
    def may_have_run(self) -> bool:
        """May any of it have run, on this connection or another?"""
        return bool(self.uncertain)

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
            index = next((at for at, outcome in enumerate(self.outcomes) if outcome is not Outcome.REPLY), 0)
        outcome = self.outcomes[index]
        if (
            outcome is Outcome.REPLY
        ):  # an interrupt struck between the last reply and the end: the caller has not seen it
            outcome = Outcome.MAYBE_EXECUTED
        message = f"{self.called(index)}: {cause}; {outcome.value}"
        match cause:
            case ConnectError() if outcome is NOT_SENT:
                return type(cause)(message, transient=cause.transient)
            case CommandTimeoutError():
                return CommandTimeoutError(message, outcome=outcome, stats=cause.stats).counted()
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

    __slots__ = ("begin", "count", "infos", "missing", "payloads", "replies")
    payload: Payload
    outcomes: list[Outcome]
    attributes: AttributeMap | None

    def __init__(
        self, payloads: Sequence[Payload], infos: Sequence[CommandInfo], token: object, deadline: float
    ) -> None:
        super().__init__(_join(payloads), infos[0], token, deadline)
        self.payloads: Sequence[Payload] = payloads
        self.infos: Sequence[CommandInfo] = infos
        self.count: int = len(infos)
        self.missing: int = self.count
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
        return any([_may_act_later(info) for info in self.infos[self.count - self.missing :]])

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

    @property
    def may_have_run(self) -> bool:
        return bool(self.uncertain) or bool(self.replies)

    def renew(self) -> None:
        if self.state is SlotState.ANSWERED:
            self.replies = []
            self.attributes = None
            self.missing = self.count
        super().renew()
        self.begin = len(self.replies)
        self.payload = _join(self.payloads[self.begin :])

    def deciders(self) -> Sequence[int]:
        """Return for each command the index of the one that runs it: itself, or the EXEC behind it."""
        return range(self.count)


class StatefulBatch(Batch):
    """Commands of which at least one is not answered by exactly one reply that changes nothing.

    `reply` is that of the only command if `alone`, else the list. A subscription's reply is the list of its confirmations.
    """

    __slots__ = ("_confirmations", "_queued", "alone", "unasked")
    payload: Payload
    attributes: AttributeMap | None
    missing: int
    replies: list[Reply]
    reply: Reply

    plain = False

    def __init__(
        self, payloads: Sequence[Payload], infos: Sequence[CommandInfo], token: object, deadline: float, *, alone: bool
    ) -> None:
        _check(infos)
        if FENCED in [info.name for info in infos]:
            payloads = [
                _join((payload, FENCE)) if info.name == FENCED else payload
                for payload, info in zip(payloads, infos, strict=True)
            ]
        super().__init__(payloads, infos, token, deadline)
        self.alone: bool = alone
        self._confirmations: Confirmations | None = None  # of the current (un)subscription, once that was asked
        self._queued: list[CommandInfo] | None = None  # what MULTI holds back; None outside of it
        self.unasked: list[Push] | None = None  # pushes that turned out to confirm nothing, for `Pairing` to tell

    @property
    def name(self) -> str:
        framed = self.infos[0].name == "MULTI" and self.infos[-1].name == "EXEC"
        return f"transaction of {self.count - 2} commands" if framed else super().name

    def describe(self, attributes: AttributeMap) -> None:
        if self.alone:
            self.attributes = attributes
        else:
            super().describe(attributes)

    @property
    def exclusive(self) -> bool:
        return _authenticates(self.info)

    @property
    def blocks(self) -> bool:
        index = self.count - self.missing
        return self._runs_by(guess=True)[index] == index and super().blocks

    @property
    def may_act_later(self) -> bool:
        runs_by, first = self._runs_by(guess=True), self.count - self.missing
        return any(
            [runs_by[index] == index and _may_act_later(self.infos[index]) for index in range(first, self.count)]
        )

    @property
    def current(self) -> CommandInfo:
        """The command that the next reply answers."""
        return self.infos[len(self.replies)]

    @property
    def confirmations(self) -> Confirmations | None:
        """What the current command waits for, if it is an (un)subscription."""
        if self._confirmations is None and self.current.replies is SUBSCRIPTION:
            self._confirmations = Confirmations(self.current.name, _words(self.payloads[len(self.replies)])[1:])
        return self._confirmations

    def awaits(self, kind: str) -> bool:
        """May a push of this kind confirm the current command?"""
        return (confirmations := self.confirmations) is not None and confirmations.awaits(kind)

    def names(self, channel: Reply) -> bool:
        """Does the current (un)subscription speak of this channel?"""
        return (confirmations := self.confirmations) is not None and confirmations.names(channel)

    def confirm(self, push: Push, subscriptions: Subscriptions) -> None:
        """Take one confirmation of the current (un)subscription."""
        assert self.confirmations is not None
        if (all_of_them := self.confirmations.pushed(push, subscriptions)) is not None:
            self._take(all_of_them)

    def answer(self, reply: Reply) -> CommandInfo:
        """Take a reply that is not a push, and return the command it answered. Raises `RemoteProtocolError` if it can't be one."""
        info = self.current
        if (confirmations := self.confirmations if info.replies is SUBSCRIPTION else None) is not None:
            if (result := confirmations.answered(reply)) is not None:
                self._take(result)
            self.unasked, confirmations.unasked = confirmations.unasked, []
            return info
        if isinstance(reply, ReplyError):
            reply = _withheld(info, reply)
        elif self._queued is not None:
            reply = self._in_transaction(info, reply, self._queued)
        elif info.name == "MULTI":
            if reply != "OK":
                raise RemoteProtocolError(f"expected OK for MULTI, got a {type(reply).__name__}")
            self._queued = []
        if info.name in ("EXEC", "DISCARD"):
            self._queued = None
        self._take(reply)
        return info

    def _in_transaction(self, info: CommandInfo, reply: Reply, queued: list[CommandInfo]) -> Reply:
        """Return the reply to a command behind MULTI, without what may repeat a secret, if it can be one."""
        if info.name == "EXEC":
            if reply is None:
                return None
            if type(reply) is not list or len(reply) != len(queued):
                raise RemoteProtocolError(f"EXEC did not answer each of the {len(queued)} queued commands")
            return [_withheld(each, item) for each, item in zip(queued, reply, strict=True)]
        if info.name != "DISCARD":
            if reply != "QUEUED":
                raise RemoteProtocolError(f"expected QUEUED for {info.name} inside MULTI, got a {type(reply).__name__}")
            queued.append(info)
        return reply

    def renew(self) -> None:
        """As for any slot; a transaction, or what changes the connection, goes out again as a whole."""
        super().renew()
        self.begin = 0
        self.payload = _join(self.payloads)
        self.missing = self.count
        self.replies = []
        self._confirmations = self._queued = None

    def _take(self, reply: Reply) -> None:
        self.replies.append(reply)
        self._confirmations = None
        self.missing -= 1
        self.reply = self.replies[0] if self.alone else self.replies

    def deciders(self) -> Sequence[int]:
        # Redis runs singly what follows a refused MULTI, so until MULTI is known to be accepted nothing is held back.
        return self._runs_by(guess=False)

    def _runs_by(self, *, guess: bool) -> list[int]:
        """Return what `deciders` does; `guess`: will a MULTI be accepted that is not answered yet?

        What MULTI holds back never blocks: EXEC runs it at once.
        """
        deciders = list(range(self.count))
        start: int | None = None
        for index, info in enumerate(self.infos):
            if info.name == "MULTI":
                accepted = not isinstance(self.replies[index], ReplyError) if index < len(self.replies) else guess
                start = index if accepted else None
            elif start is not None and info.name in ("EXEC", "DISCARD"):
                deciders[start:index] = [index] * (index - start)
                start = None
        return deciders


def _withheld(info: CommandInfo, reply: Reply) -> Reply:
    """Return a reply, of an error to a command with a secret no more than its code: it may well echo the arguments."""
    if not info.secret:
        return reply
    if isinstance(reply, Attributed):
        return Attributed(_withheld(info, reply.value), reply.attributes)
    if isinstance(reply, ReplyError):
        return ReplyError(f"{shown_code(reply)} (the rest of this error is withheld: it may repeat a secret)")
    return reply


def _may_act_later(info: CommandInfo) -> bool:
    # Those that can't block for ever (DEBUG SLEEP, MIGRATE) block the server itself, with or without a connection.
    return info.blocking is not None and info.blocking.forever


def _authenticates(info: CommandInfo) -> bool:
    """Is it AUTH, or HELLO with AUTH?

    Redis 7.2 to 8.6 and Valkey 7.2 to 8.1 leave a refused one without any answer if the client still has others to come: acl.c,
    addAuthErrReply (https://github.com/redis/redis/issues/15640).
    """
    return info.secret and info.name in ("AUTH", "HELLO")


def new_slot(
    args: Sequence[Argument], token: object = None, deadline: float = inf, info: CommandInfo | None = None
) -> Slot:
    """Return a slot for one command (its name first). Needs no connection, and changes none.

    `info` is what is known of the command, if the caller knows better. Raises `TypeError` or `ValueError` for arguments that
    can't be sent, `LocalProtocolError` for commands that never may be.
    """
    payload = encode_command(args)
    if info is None:
        info = command_info(args)
    if info.plain:
        return Slot(payload, info, token, deadline)
    return StatefulBatch((payload,), (info,), token, deadline, alone=True)


def new_batch(
    payloads: Sequence[Payload], infos: Sequence[CommandInfo], token: object = None, deadline: float = inf
) -> Batch:
    """Return a slot for a pipeline of commands that `prepare` has encoded. Raises `ValueError` if there are none."""
    if not infos:
        raise ValueError("a pipeline needs at least one command")
    if all([info.plain for info in infos]):
        return Batch(payloads, infos, token, deadline)
    return StatefulBatch(payloads, infos, token, deadline, alone=False)


def _check(infos: Sequence[CommandInfo]) -> None:
    """Raise `LocalProtocolError` for commands that would make the order of replies lie."""
    multi = False
    for index, info in enumerate(infos):
        if info.replies is Replies.NONE:
            raise LocalProtocolError(f"{info.name} is refused: after it nobody could say whose reply comes next")
        if info.name == "MONITOR" and len(infos) > 1:
            raise LocalProtocolError("MONITOR must be sent alone: after it the connection only listens")
        if multi and info.denied_in_multi:
            raise LocalProtocolError(f"{info.name} is refused between MULTI and EXEC: EXEC's array would not add up")
        if info.name == "QUIT" and index < len(infos) - 1:
            raise LocalProtocolError("QUIT must come last: the server answers nothing behind it")
        if info.secret and len(infos) > 1 and _authenticates(info):
            raise LocalProtocolError(
                f"{info.name} with a password must be sent alone, not in a pipeline: call it before the pipeline, because some"
                " servers leave a refused one unanswered among others"
            )
        if info.name == "MULTI":
            multi = True
        elif info.name in ("EXEC", "DISCARD"):
            if not multi:
                raise LocalProtocolError(f"{info.name} without MULTI in the same pipeline; use transaction()")
            multi = False
    if multi:
        raise LocalProtocolError("MULTI without EXEC or DISCARD in the same pipeline; use transaction()")


def _join(payloads: Sequence[Payload]) -> Payload:
    """One block to send, or a list of buffers if any of the commands has large ones."""
    if list not in set(map(type, payloads)):
        return b"".join(payloads)  # type: ignore[arg-type]  # the line above says so, at the speed of C
    return [buffer for payload in payloads for buffer in ([payload] if isinstance(payload, bytes) else payload)]


def _words(payload: Payload) -> list[bytes]:
    """Read back a command, its name included. (Something may follow it, see `FENCE`.)"""
    data = payload if isinstance(payload, bytes) else b"".join(payload)
    words, at = [], data.index(b"\n") + 1
    for _ in range(int(data[1 : at - 2])):
        start = data.index(b"\n", at) + 1
        end = start + int(data[at + 1 : start - 2])
        words.append(data[start:end])
        at = end + 2
    return words


def _size(payload: Payload) -> int:
    return len(payload) if isinstance(payload, bytes) else sum(map(len, payload))
