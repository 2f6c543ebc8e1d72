"""May this be tried again, and when: decided by what is known of how it ended, never by hope.

A command that cannot have been executed is repeated; one that may have been, only if it may run twice. Three things are known:

- how a slot ended with its connection: the outcome of each of its commands (`may_resend`);
- what an error reply says of the server rather than of the command (`meaning`): the table is here, and nowhere else;
- that no connection came about: nothing was sent.

`Attempts` puts them together for one call. Time and chance come as arguments.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from math import inf
from typing import Final

from .._errors import (
    CircuitOpenError,
    CommandTimeoutError,
    ConnectError,
    ConnectionClosedError,
    ConnectionLostError,
    Outcome,
    ReplyError,
    RespError,
)
from ..commands.knowledge import CommandInfo, Needs
from ..config.retry import Retry
from ..connection.slot import Batch, Slot
from ..connection.stateful import StatefulBatch

__all__ = [
    "Attempts", "Meaning", "error_reply", "may_repeat", "may_resend", "meaning", "meaning_of_all", "points_to_replica",
    "reworded", "was_refused",
]  # fmt: skip

# -- What an error reply says ----------------------------------------------------------------------------------------------


class Meaning(enum.Enum):
    """What an error reply says of trying again."""

    ANSWER = "the command was answered, and would be answered so again"
    LATER = "it was not executed, and may be later on the same connection"
    REPLICA = "it was not executed, and will not be on this connection, which leads to a replica"


# server.c, processCommand: each is said instead of executing a command. Others would come again (NOAUTH, OOM,
# MISCONF), tell where to go (MOVED, ASK) or ended a command on purpose (the UNBLOCKED of CLIENT UNBLOCK).
CODES: Final[Mapping[str, Meaning]] = {
    "BUSY": Meaning.LATER,  # a script or function has been running for long
    "CLUSTERDOWN": Meaning.LATER,
    "LOADING": Meaning.LATER,
    "MASTERDOWN": Meaning.LATER,  # a replica without its master, told not to serve what it has
    "NOREPLICAS": Meaning.LATER,  # fewer than min-replicas-to-write; checked before writing
    "TRYAGAIN": Meaning.LATER,  # keys that are being moved, some here, some there
    "READONLY": Meaning.REPLICA,
}
# Their errors may be those of something they did half-way: a script can even make one up. CLUSTER SETSLOT waits for replicas.
OWN_ERRORS: Final = frozenset({"CLUSTER SETSLOT", "EVAL", "EVALSHA", "FCALL"})
# cluster.c, clusterRedirectClient: said before anything is run, whatever it is. Within a script a server says it in other words.
REFUSALS: Final = frozenset(
    {
        "CLUSTERDOWN The cluster is down",
        "CLUSTERDOWN The cluster is down and only accepts read commands",
        "CLUSTERDOWN Hash slot not served",
        "TRYAGAIN Multiple keys request during rehashing of slot",
    }
)
ABORTED: Final = "EXECABORT"
# blocked.c, disconnectAllBlockedClients: the server became a replica while the command waited.
UNBLOCKED: Final = "UNBLOCKED"
STATE_CHANGED: Final = "instance state changed"
BECAUSE: Final = "because of: "  # server.c, execCommandAbort: EXEC itself was refused, for the reason behind this


def meaning(reply: object, info: CommandInfo) -> Meaning:
    """Return what the reply to one command says of trying again: anything but one of a few errors is an answer."""
    return meaning_of_all((reply,), (info,))


def meaning_of_all(replies: Iterable[object], infos: Iterable[CommandInfo]) -> Meaning:
    """Return what all replies of a pipeline, or results of a transaction, say: trying again is for when none was executed.

    A single command of a pipeline is never tried again: the ones behind it have run, and the order would be lost.
    """
    meanings = set()
    certain = says_the_server
    refused = True  # in the words of a server that runs nothing
    for reply in replies:
        if not isinstance(reply, ReplyError):
            return Meaning.ANSWER
        reason = _reason(reply)
        if reason:  # else another command's reply says why EXEC aborted
            meanings.add(CODES.get(reason, Meaning.ANSWER))
        if reply.code == UNBLOCKED:
            certain = _may_wait_anew
        refused = refused and str(reply) in REFUSALS
    if not meanings or Meaning.ANSWER in meanings:
        return Meaning.ANSWER
    if not (refused or all([certain(info) for info in infos])):
        return Meaning.ANSWER
    return Meaning.REPLICA if Meaning.REPLICA in meanings else Meaning.LATER


ERRORS: Final = frozenset({ReplyError})


def error_reply(slot: Slot) -> ReplyError | None:
    """Return the error that a command was answered with, or that says why none of a pipeline or transaction was executed.

    None for any other answer: a pipeline in which something was executed is answered.
    """
    if not isinstance(slot, Batch):
        return slot.reply if isinstance(slot.reply, ReplyError) else None
    first, last = slot.replies[0], slot.replies[-1]
    if not isinstance(last, ReplyError) or meaning_of_all(*_answers(slot)) is Meaning.ANSWER:
        return None
    return first if isinstance(first, ReplyError) else last


def _answers(slot: Batch) -> tuple[Sequence[object], Sequence[CommandInfo]]:
    """Return what each command was answered, and what is known of it; of a transaction, what is between MULTI and EXEC."""
    frame = [index for index, info in enumerate(slot.infos) if info.name in FRAME]
    if frame != [0, slot.count - 1]:
        return slot.replies, slot.infos
    executed = slot.replies[-1]
    return [executed if one == "QUEUED" else one for one in slot.replies[1:-1]], slot.infos[1:-1]


def points_to_replica(slot: Slot) -> bool:
    """Does an answer to this slot say that its connection leads to a replica? For the master another is needed.

    Taken at its word, be it a script's: a new connection costs little, and staying on this one costs every write.
    """
    found = [*slot.replies] if isinstance(slot, Batch) else [slot.reply]
    found += [one for reply in found if type(reply) is list for one in reply] if isinstance(slot, StatefulBatch) else []
    if ERRORS.isdisjoint(map(type, found)):  # said at the speed of C: it is so nearly always
        return False
    return any([type(one) is ReplyError and CODES.get(_reason(one)) is Meaning.REPLICA for one in found])


def _reason(error: ReplyError) -> str:
    """Return the code that counts: of an aborted transaction that of its reason, "" if another reply has it."""
    if error.code == ABORTED:
        return error.message.partition(BECAUSE)[2].partition(" ")[0]
    return "READONLY" if error.code == UNBLOCKED and STATE_CHANGED in error.message else error.code


def was_refused(error: ReplyError, info: CommandInfo) -> bool:
    """Has the server said this error, one of `CODES`, instead of executing the command?"""
    return says_the_server(info) or str(error) in REFUSALS


def says_the_server(info: CommandInfo) -> bool:
    """Are errors with these codes the server's own, said instead of executing the command?

    Those of a script may not be, nor those of a module, whose commands have a dot in their names.
    """
    return info.retryable or (info.since != "" and "." not in info.name and info.name not in OWN_ERRORS)


def _may_wait_anew(info: CommandInfo) -> bool:
    """The command waited in vain: is nothing lost if it begins to wait again, on another connection?

    XREAD with `$` would skip what came meanwhile; WAIT would speak of other writes.
    """
    reads_from_now = info.readonly and not info.retryable
    return says_the_server(info) and not reads_from_now and info.needs is not Needs.NEIGHBOURS


# -- How a slot ended ------------------------------------------------------------------------------------------------------

FRAME: Final = frozenset({"MULTI", "EXEC", "DISCARD"})  # they do nothing themselves; what stands between them counts


def may_resend(slot: Slot, *, maybe_executed: bool = False) -> bool:
    """A connection ended with this slot on it: may what was not answered be sent again, on another one?

    A pipeline then continues behind its last reply, in its order. A `StatefulBatch` (a transaction, or commands that change the
    connection) is sent again whole, so what was answered counts too. With `maybe_executed` the caller allows what may have run.

    For commands that stand on what their connection was before (WATCH, SELECT) the answer is void: those are not to be moved.
    """
    whole = isinstance(slot, StatefulBatch)
    infos = slot.infos if isinstance(slot, Batch) else (slot.info,)
    rest = infos[len(slot.replies) :] if isinstance(slot, Batch) and slot.replies and not whole else ()
    if any([info.needs is Needs.NEIGHBOURS for info in rest]):
        return False  # WAIT would speak of writes that the other connection has not seen
    for outcome, info in zip(slot.outcomes, infos, strict=True):
        if outcome is Outcome.NOT_SENT or info.retryable or (whole and info.name in FRAME):
            continue
        if whole if outcome is Outcome.REPLY else not maybe_executed:
            return False
    return True


def may_repeat(failure: RespError, slot: Slot | None, policy: Retry) -> bool:
    """May a call that failed so be tried again? `slot` is its own, None if none was made.

    A timeout is the end of the call, and closing is the caller's own wish: neither is tried again. A connection that had ended by
    itself before this command was submitted is another matter: nothing was sent. `__cause__` tells which of the two it was.
    """
    match failure:
        case ConnectionLostError(__cause__=ConnectionClosedError()):
            return False
        case ConnectionClosedError(__cause__=ConnectionLostError()):
            return True
        case ConnectionClosedError(__cause__=ConnectError() as cause):
            return cause.transient
        case CircuitOpenError():
            return False  # a caller that has a breaker wants to be told at once
        case ConnectError():
            return failure.transient
        case ConnectionLostError():
            if slot is None:
                return failure.outcome is Outcome.NOT_SENT
            return may_resend(slot, maybe_executed=policy.maybe_executed)
        case ReplyError():
            if isinstance(slot, Batch):
                return meaning_of_all(*_answers(slot)) is not Meaning.ANSWER
            return slot is not None and meaning(failure, slot.info) is not Meaning.ANSWER
    return False


class Attempts:
    """The attempts of one call, of which the first is under way."""

    __slots__ = ("_free", "_no_connection", "made", "policy")

    def __init__(self, policy: Retry) -> None:
        self.policy: Retry = policy
        self.made: int = 1
        self._free = 0  # those that did not count: the pauses grow with them as well
        self._no_connection: ConnectError | None = None  # why the last dial failed

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.made} of {self.policy.attempts}>"

    def after(
        self,
        failure: RespError,
        random: float,
        slot: Slot | None = None,
        *,
        left: float = inf,
        counts: bool = True,
    ) -> float | None:
        """The attempt failed: return for how many seconds to wait before the next, None to give up.

        `left` is for how many seconds the call may go on: the next attempt begins before, or is not made. If the next one does not
        count, `left` alone bounds it.
        """
        if isinstance(failure, ConnectError):
            self._no_connection = failure
        return self.another(random, left=left, counts=counts) if may_repeat(failure, slot, self.policy) else None

    def another(self, random: float, *, left: float = inf, counts: bool = True) -> float | None:
        """The same, for a failure that may be repeated."""
        tried = self.made + self._free
        if (counts and self.made >= self.policy.attempts) or (pause := self.policy.pause(tried, random)) >= left:
            return None
        self.made += counts
        self._free += not counts
        return pause

    def told(self, failure: RespError) -> RespError:
        """Return the failure that ends the call, which says how many attempts were made if there was more than one."""
        if self.made == 1:
            return failure
        message = f"{failure}; {self.made} attempts were made"
        if self._no_connection is not None and not isinstance(failure, ConnectError):
            message += f"; the last dial that failed: {self._no_connection}"
        return reworded(failure, message)


def reworded(failure: RespError, message: str) -> RespError:
    """Return the same failure of a call with another message."""
    match failure:
        case ConnectError():
            told: RespError = type(failure)(message, transient=failure.transient)
        case CommandTimeoutError():
            told = CommandTimeoutError(message, outcome=failure.outcome, stats=failure.stats)
        case ConnectionLostError():
            told = type(failure)(message, outcome=failure.outcome)
        case _:
            return failure
    told.__cause__ = failure.__cause__
    return told
