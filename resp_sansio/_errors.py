"""What can go wrong, and whether the command may have run.

Every error of this library is a `RespError`, and every `RespError` carries an `outcome`: the one thing a caller must know
before trying again. A reply, even an error reply, is an answer; NOT_SENT is always safe to repeat; MAYBE_EXECUTED is safe
only for commands that may run twice.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

from ._stats import Stats

__all__ = [
    "CircuitOpenError",
    "CommandFailure",
    "CommandTimeoutError",
    "ConnectError",
    "ConnectionClosedError",
    "ConnectionLostError",
    "CrossSlotError",
    "InvalidReplyError",
    "LocalProtocolError",
    "NoSuchKeyError",
    "Outcome",
    "PartialFailureError",
    "PoolFullError",
    "RemoteProtocolError",
    "ReplyError",
    "RespError",
    "SlotPart",
    "SubscriberTooSlowError",
    "TornValueError",
    "TransactionAbortedError",
    "TransactionDiscardedError",
    "TransactionRefusedError",
    "UnexpectedReplyError",
    "is_transient",
    "reason_of",
]


LONGEST_CODE: Final = 32  # characters of what a message shows as an error's code
LONGEST_WORDS: Final = 300  # and of what else it shows of a server's words


class Outcome(enum.Enum):
    """How a command ended: exactly one of these, always."""

    REPLY = "the server has answered it"
    NOT_SENT = "the server cannot have executed it"
    MAYBE_EXECUTED = "it may have been executed: its reply was not seen"


class RespError(Exception):
    """The base of every error that this library raises, except `TypeError` and `ValueError` for wrong arguments."""

    outcome: Outcome = Outcome.NOT_SENT


class ReplyError(RespError):
    """An error reply (`-CODE message` or `!`), a value like any other: nested ones stay in place, a top-level one is raised.

    `code` is the first word, which by the RESP specification names the kind of error; `message` is the rest, without the
    space between them. `str(error)` is the text as the server sent it. Two are equal when their texts are.
    """

    outcome: Outcome = Outcome.REPLY
    __match_args__: ClassVar[tuple[str, ...]] = ("code", "message")

    if TYPE_CHECKING:  # Python's own does it, and thousands may come in one reply

        def __init__(self, text: str) -> None: ...

    @property
    def code(self) -> str:
        """The first word."""
        return str(self.args[0]).partition(" ")[0]

    @property
    def message(self) -> str:
        """What follows the first word and a space."""
        return str(self.args[0]).partition(" ")[2]

    def __eq__(self, other: object) -> bool:
        return (
            type(other) is type(self) and other.args == self.args if isinstance(other, ReplyError) else NotImplemented
        )

    def __hash__(self) -> int:
        return hash(self.args)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.args[0]!r})"


class UnexpectedReplyError(RespError):
    """The server answered, and not what this command is answered with. The connection lives on; the command was executed.

    `execute` with the command's words instead of a `Command` returns such a reply as it came.
    """

    outcome: Outcome = Outcome.REPLY


class InvalidReplyError(UnexpectedReplyError):
    """A reply that is framed rightly and makes no sense as its type: `(abc`, `,x`, `#x`, a `:` beyond 64 bits, `=3` and `abc`.

    A value like an error reply: a nested one stays in place, a top-level one is raised, and the connection lives on, for what
    follows is where it should be (a script can make a real Redis send such a thing). `raw` is the type byte and the text as
    they came, a verbatim string's header between them; neither the message nor `repr` shows it. Two are equal when theirs are.
    """

    __slots__ = ("raw",)

    _KINDS: ClassVar[dict[bytes, str]] = {
        b":": "an integer of 64 bits",
        b"(": "a big number",
        b",": "a double",
        b"#": "a boolean",
        b"_": "a null",
        b"=": "a verbatim string",
    }

    def __init__(self, raw: bytes) -> None:
        self.args: tuple[Any, ...] = ()  # not even there
        self.raw: Final = raw

    def __str__(self) -> str:
        sign = self.raw[:1]
        kind = self._KINDS.get(sign, "a value of its type")
        return f"the server marked a value as {kind} (type byte {sign.decode('ascii', 'replace')!r}), and it is none"

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"

    def __eq__(self, other: object) -> bool:
        return (
            type(other) is type(self) and other.raw == self.raw
            if isinstance(other, InvalidReplyError)
            else NotImplemented
        )

    def __hash__(self) -> int:
        return hash(self.raw)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.raw,)


class CommandFailure(NamedTuple):
    """A command of a pipeline or transaction that failed: its position, counted from 0, its name, and its own error."""

    position: int
    name: str
    error: Exception


class TransactionAbortedError(RespError):
    """EXEC answered null: a watched key changed, and none of the commands ran. Always safe to try again.

    `outcome` is MAYBE_EXECUTED only where the call was tried again after a loss, and an attempt before this one may have run.
    """

    def __init__(self, message: str, *, outcome: Outcome = Outcome.NOT_SENT) -> None:
        super().__init__(message)
        self.outcome = outcome

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.args[0], {"outcome": self.outcome})


class TransactionDiscardedError(RespError):
    """EXEC was refused, and none of the commands ran: some were refused while they were queued, or EXEC itself was.

    `failures` has those that were refused, each with its own error; it is empty if EXEC itself was (no permission, no memory, a
    server that loads its data). `reason` is what EXEC was answered. `outcome` is as for `TransactionAbortedError`.
    """

    def __init__(
        self,
        message: str,
        *,
        reason: ReplyError,
        failures: Sequence[CommandFailure] = (),
        outcome: Outcome = Outcome.NOT_SENT,
    ) -> None:
        super().__init__(message)
        self.reason: Final = reason
        self.failures: Final = tuple(failures)
        self.outcome = outcome

    def __reduce__(self) -> tuple[object, ...]:
        keywords = {"reason": self.reason, "failures": self.failures, "outcome": self.outcome}
        return _rebuild, (type(self), self.args[0], keywords)


class TransactionRefusedError(RespError):
    """MULTI itself was refused, and Redis ran the commands singly: `replies` has what each was answered, errors among them.

    `failures` has those that were answered by an error. `reason` is what MULTI was answered.
    """

    outcome: Outcome = Outcome.REPLY

    def __init__(
        self, message: str, *, reason: ReplyError, replies: Sequence[object], failures: Sequence[CommandFailure] = ()
    ) -> None:
        super().__init__(message)
        self.reason: Final = reason
        self.replies: Final = tuple(replies)
        self.failures: Final = tuple(failures)

    def __reduce__(self) -> tuple[object, ...]:
        keywords = {"reason": self.reason, "replies": self.replies, "failures": self.failures}
        return _rebuild, (type(self), self.args[0], keywords)


class SlotPart(NamedTuple):
    """What one part of a command did that was split over hash slots: its slot, which keys it had, and its reply or its own error.

    `positions` are those of the keys among the command's, counted from 0.
    """

    slot: int
    positions: tuple[int, ...]
    result: object


class PartialFailureError(RespError):
    """A command was split over hash slots, and at least one part has failed. `parts` has what each part did.

    `outcome` is that of all parts if theirs is the same, else MAYBE_EXECUTED: ask each part.
    """

    def __init__(self, message: str, *, parts: Sequence[SlotPart], outcome: Outcome) -> None:
        super().__init__(message)
        self.parts: Final = tuple(parts)
        self.outcome = outcome

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.args[0], {"parts": self.parts, "outcome": self.outcome})


class NoSuchKeyError(RespError, LookupError):
    """There is no such key, and a value was to be read from it. Commands say so with None instead."""

    outcome: Outcome = Outcome.REPLY


class TornValueError(RespError):
    """A large value that was read in parts was changed meanwhile, or one that was written is not whole any more.

    What was read belongs to no one value: read it again. What was written does not stand under its key: NOT_SENT.
    """

    def __init__(self, message: str, *, outcome: Outcome = Outcome.REPLY) -> None:
        super().__init__(message)
        self.outcome = outcome

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.args[0], {"outcome": self.outcome})


class LocalProtocolError(RespError):
    """The caller asked for what the connection's state, or the protocol, does not allow. Nothing changed, nothing was sent."""


class ConnectionClosedError(LocalProtocolError):
    """The connection, pool or client was closed, or had ended before this call was made."""


class CrossSlotError(LocalProtocolError):
    """Keys that must be together are in different hash slots of a cluster, which no server accepts. Nothing was sent.

    `keys` are the first two that are apart, and `slots` theirs. The message says which arguments they are, and shows neither.
    """

    def __init__(self, message: str, *, keys: tuple[bytes, bytes], slots: tuple[int, int]) -> None:
        super().__init__(message)
        self.keys: Final = keys
        self.slots: Final = slots

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.args[0], {"keys": self.keys, "slots": self.slots})


class SubscriberTooSlowError(RespError):
    """A subscriber that is to end when its buffer is full has not taken its messages in time (see `overflow`)."""


class PoolFullError(RespError):
    """As many callers wait for a connection as `max_waiting` allows. Nothing was sent."""


class ConnectError(RespError, ConnectionError):
    """No usable connection came about: the dial, TLS or the handshake failed.

    `transient` tells whether the same attempt may succeed later (refused, LOADING, BUSY, max number of clients) or whether
    something has to be changed first (a wrong password, database, name or certificate). `plain_may_work`: the connection ended
    in the handshake as if a proxy did not know one of its commands, so one with fewer may be accepted (see `Fallback`).
    """

    def __init__(self, message: str, *, transient: bool, plain_may_work: bool = False) -> None:
        super().__init__(message)
        self.transient: Final = transient
        self.plain_may_work: Final = plain_may_work

    def __reduce__(self) -> tuple[object, ...]:
        keywords = {"transient": self.transient, "plain_may_work": self.plain_may_work}
        return _rebuild, (type(self), self.args[0], keywords)


class CircuitOpenError(ConnectError):
    """No dial was tried, because too many in a row had failed, and not enough time has passed (see `Breaker`)."""


class ConnectionLostError(RespError, ConnectionError):
    """The connection ended before the reply came. `outcome` says whether the command may have run."""

    def __init__(self, message: str, *, outcome: Outcome = Outcome.MAYBE_EXECUTED) -> None:
        super().__init__(message)
        self.outcome = outcome

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.args[0], {"outcome": self.outcome})


class RemoteProtocolError(ConnectionLostError):
    """The peer sent what RESP does not allow, what exceeds a limit, or a reply that no command asked for.

    The connection is broken for ever, because nothing that follows can be paired with a command.
    """


class CommandTimeoutError(RespError, TimeoutError):
    """The call's deadline passed. `outcome` says whether the command may have run; the connection lives on.

    `stats` is what the connection, pool or client had counted at that moment, if it was one that waits.
    """

    def __init__(self, message: str, *, outcome: Outcome = Outcome.MAYBE_EXECUTED, stats: Stats | None = None) -> None:
        super().__init__(message)
        self.outcome = outcome
        self.stats = stats

    def counted(self, message: str | None = None, outcome: Outcome | None = None) -> CommandTimeoutError:
        """Return the same error, cause included, with the counts in its message or in another one, or with another outcome."""
        told = message or self.args[0]
        if self.stats is not None:
            told = f"{told} [{self.stats}]"
        error = CommandTimeoutError(told, outcome=outcome or self.outcome, stats=self.stats)
        error.__cause__ = self.__cause__
        return error

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.args[0], {"outcome": self.outcome, "stats": self.stats})


def is_transient(error: OSError) -> bool:
    """May what failed for this reason succeed later?

    Refused, unreachable and timed out may pass; a missing permission won't, nor what the two sides of TLS disagree on.
    """
    reason = getattr(error, "reason", None)  # OpenSSL's; to be cut off is no disagreement
    return not isinstance(error, PermissionError) and (reason is None or "EOF" in reason)


def shown_code(error: ReplyError, *secrets: str | None) -> str:
    """Return an error's code for a message of ours: capital letters, as servers' codes are, that are no part of a secret; else ERR.

    Another first word may be anything, a password that a proxy repeats included.
    """
    code = error.code
    fits = len(code) <= LONGEST_CODE and code.isascii() and code.replace("_", "").isalpha() and code.isupper()
    return code if fits and not any(secret and (secret in code or code in secret) for secret in secrets) else "ERR"


def in_one_line(said: str) -> str:
    """Return a server's words for a message of ours: they begin no line of a log, steer no terminal, and are not too long."""
    shown = "".join([char if char.isprintable() else "?" for char in said[:LONGEST_WORDS]])
    return shown if len(said) <= LONGEST_WORDS else f"{shown} ..."


def reason_of(error: Exception) -> str:
    """Return what an error of Python's says, without the number in front: for messages of ours."""
    if isinstance(error, TimeoutError) and not error.args:
        return "timed out"  # a timer's, which says nothing
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__


def _rebuild(cls: type[RespError], message: str, keywords: dict[str, object]) -> RespError:
    """Unpickle an error whose constructor takes keywords, which `Exception.__reduce__` does not know of."""
    return cls(message, **keywords)
