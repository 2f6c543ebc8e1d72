"""Slots whose commands are answered otherwise than by one reply each that changes nothing; and which shape a command's slot has.

A subscription ends with its own number of pushes, MULTI ... EXEC must add up, MONITOR and HELLO change what the connection is. What
would make the order of replies lie is refused before it gets a slot.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Final

from .._errors import LocalProtocolError, RemoteProtocolError, ReplyError, shown_code
from ..commands.caching import sent_words
from ..commands.knowledge import CommandInfo, Needs, Replies, command_info
from ..wire.encoder import Argument, encode_command
from ..wire.values import Attributed, Push, Reply
from .slot import AttributeMap, Batch, Payload, Slot, acts_later, join
from .subscriptions import FENCE, FENCED, Confirmations, Subscriptions

__all__ = ["StatefulBatch", "new_batch", "new_slot"]

LANE: Final = Needs.LANE
SUBSCRIPTION: Final = Replies.SUBSCRIPTION
FRAME: Final = frozenset({"MULTI", "EXEC", "DISCARD"})


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
                join((payload, FENCE)) if info.name == FENCED else payload
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
        return any([runs_by[index] == index and acts_later(self.infos[index]) for index in range(first, self.count)])

    @property
    def takes_outline(self) -> bool:
        # How a subscription is answered, and what HELLO says, is the connection's to know.
        return self.current.plain or self.current.name in FRAME

    @property
    def current(self) -> CommandInfo:
        """The command that the next reply answers."""
        return self.infos[len(self.replies)]

    @property
    def confirmations(self) -> Confirmations | None:
        """What the current command waits for, if it is an (un)subscription."""
        if self._confirmations is None and self.current.replies is SUBSCRIPTION:
            self._confirmations = Confirmations(self.current.name, sent_words(self.payloads[len(self.replies)])[1:])
        return self._confirmations

    def awaits(self, kind: str) -> bool:
        """May a push of this kind confirm the current command?"""
        return (confirmations := self.confirmations) is not None and confirmations.awaits(kind)

    def names(self, channel: Reply) -> bool:
        """Does the current (un)subscription speak of this channel?"""
        return (confirmations := self.confirmations) is not None and confirmations.names(channel)

    def confirm(self, push: Push, subscriptions: Subscriptions) -> None:
        """Take one confirmation of the current (un)subscription. Raises `RemoteProtocolError` for one too many."""
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
        payload = join(self.payloads)
        super().renew()
        # No call from here on, see there.
        self.begin = 0
        self.payload = payload
        self.missing = self.count
        self.replies = []
        self._confirmations = self._queued = None

    def _take(self, reply: Reply) -> None:
        self.missing -= 1  # first: an interrupt may strike once `append` has returned
        self._confirmations = None
        self.replies.append(reply)
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
    payloads: Sequence[Payload],
    infos: Sequence[CommandInfo],
    token: object = None,
    deadline: float = inf,
    *,
    starts: bool = False,
) -> Batch:
    """Return a slot for a pipeline of commands that `prepare` has encoded. Raises `ValueError` if there are none.

    With `starts` it may take the short path of calls, if each of its commands may: a caller's own, for whose answer a client has no
    other use than to hand it out.
    """
    if not infos:
        raise ValueError("a pipeline needs at least one command")
    kinds = set(infos)  # a long pipeline has few
    if all([info.plain for info in kinds]):
        batch = Batch(payloads, infos, token, deadline)
        batch.starts = starts and all([info.needs is LANE for info in kinds])
        return batch
    return StatefulBatch(payloads, infos, token, deadline, alone=False)


def _check(infos: Sequence[CommandInfo]) -> None:
    """Raise `LocalProtocolError` for commands that would make the order of replies lie."""
    multi = False
    for index, info in enumerate(infos):
        if info.replies is Replies.NONE:
            raise LocalProtocolError(f"{info.name} is refused: after it no caller could say whose reply comes next")
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
