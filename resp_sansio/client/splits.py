"""A call that a cluster's machine makes in parts: what each part is of, and how the call ends once all of them have.

A part is a slot of the machine's own. Its commands go to one server. There are three reasons for parts: the commands of a pipeline
belong to several servers, or are sent elsewhere one by one; a command is asked for behind ASKING, which tells a server to answer
for a slot that is being moved to it; a command goes to all masters.

A part has ended when no attempt of it follows. The call has when all parts have.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

from .._errors import ConnectionClosedError, Outcome, RespError
from .._record import replace
from ..commands.knowledge import CommandInfo, Needs, prepare
from ..connection.slot import Batch, Payload, Slot, SlotState
from ..connection.stateful import StatefulBatch, new_batch
from ..wire.values import Reply
from .cache import CachedRead
from .links import Call
from .retry import reworded

__all__ = ["Part", "Split", "is_pipeline", "part_of", "under_way"]

QUEUED: Final = SlotState.QUEUED
HANDED: Final = SlotState.HANDED
ANSWERED: Final = SlotState.ANSWERED
NEVER: Final = frozenset({Outcome.NOT_SENT})
REPLIES: Final = frozenset({Outcome.REPLY})

_asking, _asking_info = prepare(("ASKING",))
# Right in front of a command, as one unit with it, it changes nothing for others.
ASKING: Final = (
    _asking,
    replace(_asking_info, readonly=True, retryable=True, needs=Needs.LANE, changes=False, plain=True),
)


class Part:
    """The token of a part: of which call, and of which of its commands. `asking`: each stands behind an ASKING of its own.

    `number`: of a part for one master, a hash slot that this one had.
    """

    __slots__ = ("asking", "ended", "indices", "number", "split")

    def __init__(
        self, split: Split, indices: Sequence[int], *, asking: bool = False, number: int | None = None
    ) -> None:
        self.split: Final[Split] = split
        self.indices: Final[Sequence[int]] = indices
        self.asking: Final[bool] = asking
        self.number: Final[int | None] = number
        self.ended: bool = False


class Split:
    """What is known of a call in parts. `slot` is the call's own, on which the machine tells how it has ended.

    `combine` makes one reply of those of all masters, `count` of them; None for a call whose commands have a reply each.
    """

    __slots__ = ("_causes", "_count", "_outcomes", "_replies", "combine", "parts", "slot", "whole")

    def __init__(
        self,
        slot: Slot,
        *,
        whole: bool = False,
        combine: Callable[[Sequence[Reply]], Reply] | None = None,
        count: int | None = None,
    ) -> None:
        self.slot: Final[Slot] = slot
        self.whole: Final[bool] = whole  # each attempt of it has one part, with all that is to be sent
        self.combine: Final[Callable[[Sequence[Reply]], Reply] | None] = combine
        self.parts: list[Batch] = []  # in the order in which they were made
        self._count = slot.count if count is None else count
        self._causes: dict[int, Exception] = {}
        self._replies: dict[int, Reply] = {}
        self._outcomes: dict[int, Outcome] = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.slot!r}: {len(self.under_way)} of {len(self.parts)} parts under way>"

    @property
    def under_way(self) -> list[Batch]:
        """The parts that have not ended."""
        return [part for part in self.parts if not part_of(part).ended]

    @property
    def lost(self) -> list[int]:
        """The commands of which nothing is known: an interrupt came before there was a part of them."""
        known = {*self._outcomes, *[index for part in self.under_way for index in part_of(part).indices]}
        return [index for index in range(self._count) if index not in known]

    def part(self, indices: Sequence[int], home: Any = None, *, asking: bool = False) -> Batch:
        """Make a part of these commands, which is to be made by this machine of a server's."""
        self.parts.append(part := self._make(indices, Part(self, indices, asking=asking), home))
        return part

    def for_a_master(self, home: Any, number: int | None = None) -> Batch:
        """Make a part for one master, which has this hash slot, of a command that goes to all of them."""
        part = self._make([0], Part(self, [len(self.parts)], number=number), home)
        part.call.fixed = True
        self.parts.append(part)
        return part

    def _make(self, commands: Sequence[int], token: Part, home: Any) -> Batch:
        payloads, infos = commands_of(self.slot)
        sent: list[tuple[Payload, CommandInfo]] = []
        for index in commands:
            if token.asking and not (self.whole and sent):
                sent.append(ASKING)
            sent.append((payloads[index], infos[index]))
        part = new_batch([one[0] for one in sent], [one[1] for one in sent], token, self.slot.deadline)
        part.call = Call()
        part.call.home, part.call.fixed = home, token.asking
        watch = getattr(self.slot, "watch", None)
        if watch is not None:  # what is noted of a part is noted of the call
            part.watch = watch
        return part

    def without_asking(self, part: Batch) -> Batch:
        """A part behind ASKING has failed. Return another, that has as well: those of its commands that were not answered."""
        token = part_of(part)
        if part.state is QUEUED:
            part.settle(SlotState.WITHDRAWN, 0)
        left = {}
        for index, at in zip(token.indices, range(1, part.count, 2), strict=True):
            if part.outcomes[at] is Outcome.REPLY:
                self.heard(index, part.replies[at])
            else:
                left[index] = part.outcomes[at]
        bare = self._make([*left], Part(self, [*left]), None)
        bare.outcomes, bare.state = [*left.values()], SlotState.LOST
        self.parts.append(bare)
        token.ended = (
            True  # last, here and below: an interrupt must not make a command one of none, and then it is sent anew
        )
        return bare

    # -- how it ends -------------------------------------------------------------------------------------------------------

    def heard(self, index: int, reply: Reply) -> None:
        """This is the reply to one command."""
        self._replies[index] = reply
        self._outcomes[index] = Outcome.REPLY

    def take(self, part: Batch, failure: Exception | None, *, again: Collection[int] = ()) -> None:
        """A part has ended, with a failure if not all was answered. The commands `again` go out once more, in another part."""
        token = part_of(part)
        for at, index in enumerate(token.indices):
            place = at if not token.asking else at + 1 if self.whole else 2 * at + 1
            if place < len(part.replies) and (part.state is ANSWERED or part.outcomes[place] is Outcome.REPLY):
                if index not in again:
                    self.heard(index, part.replies[place])
            else:
                self._outcomes[index] = part.outcomes[place]
                self._causes[index] = failure or ConnectionClosedError("it was given up")
        token.ended = True

    @property
    def failure(self) -> Exception | None:
        """Why not all was answered, if it was not."""
        cause = self._causes[min(self._causes)] if self._causes else None
        if self.combine is None or not self._replies or not isinstance(cause, RespError):
            return cause
        return reworded(cause, f"{cause}; {len(self._replies)} of {self._count} masters have answered")

    def end(self) -> None:
        """All parts have ended: so has the call."""
        slot, outcomes = self.slot, [self._outcomes[index] for index in range(len(self._outcomes))]
        one = len(outcomes) == 1 and not isinstance(slot, Batch)
        slot.cause = self.failure
        slot.outcomes = outcomes if isinstance(slot, Batch) or one else (outcome_of(outcomes),)
        slot.state = SlotState.LOST if self._causes else ANSWERED
        if isinstance(slot, Batch):
            slot.replies = [self._reply(index) for index in range(len(outcomes))]
            alone = isinstance(slot, CachedRead) or (isinstance(slot, StatefulBatch) and slot.alone)
            slot.reply = slot.replies[0] if alone else slot.replies
            slot.missing = 0
        elif not self._causes:
            replies = [self._replies[index] for index in range(len(outcomes))]
            slot.reply = replies[0] if self.combine is None else self.combine(replies)

    def _reply(self, index: int) -> Any:
        """Return the reply to a command of a batch; where there is none, what its caller is to be told."""
        cause = self._causes.get(index)
        if cause is None:
            return self._replies[index]
        return self.slot.failure(cause, index) if isinstance(cause, RespError) else cause

    def give_up(self) -> None:
        """The caller has gone, and with it all parts: say how each command ended."""
        slot = self.slot
        for part in self.under_way:
            if part.state is QUEUED:
                part.settle(SlotState.WITHDRAWN, 0)
            self.take(part, None)
        count = max(slot.count, len(self._outcomes))
        outcomes = [self._outcomes.get(index, Outcome.NOT_SENT) for index in range(count)]
        slot.outcomes = outcomes if isinstance(slot, Batch) else (outcome_of(outcomes),)
        if isinstance(slot, Batch):
            slot.replies = []
        slot.state = SlotState.WITHDRAWN if NEVER.issuperset(outcomes) else SlotState.ABANDONED


def part_of(slot: Slot) -> Part:
    """Return the token of a part."""
    token = slot.token
    assert isinstance(token, Part)
    return token


def commands_of(slot: Slot) -> tuple[Sequence[Payload], Sequence[CommandInfo]]:
    """Return the commands of a call."""
    return (slot.payloads, slot.infos) if isinstance(slot, Batch) else ((slot.payload,), (slot.info,))


def is_pipeline(slot: Slot) -> bool:
    """Does each of its commands go to its own server?"""
    return type(slot) is Batch


def under_way(slot: Slot) -> bool:
    """Has it not ended?"""
    return slot.state is QUEUED or slot.state is HANDED


def outcome_of(outcomes: Sequence[Outcome]) -> Outcome:
    """Return how a command ended that went to several servers: it may have run if it may have anywhere."""
    if REPLIES.issuperset(outcomes):
        return Outcome.REPLY
    return Outcome.NOT_SENT if NEVER.issuperset(outcomes) else Outcome.MAYBE_EXECUTED
