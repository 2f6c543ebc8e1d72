"""Conversations of several steps, as small state objects: they say what to send and read what came, and move no bytes.

A transaction is one slot, MULTI ... EXEC, whose replies `read_transaction` takes apart. With WATCH before it, it is the
optimistic lock of Redis: read, decide, write if nothing that was read has changed; else again. `WatchLoop` is that loop.

WATCH belongs to the connection, not to the caller: any EXEC, DISCARD, UNWATCH or RESET on it ends every WATCH. Where callers
share a connection that is noticed (`resp_sansio.Connection.watch_epoch`) and treated like any other lost race.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any, Final, Generic, TypeVar, cast, overload

from .._errors import (
    CommandFailure,
    LocalProtocolError,
    Outcome,
    ReplyError,
    RespError,
    TransactionAbortedError,
    TransactionDiscardedError,
    TransactionRefusedError,
    in_one_line,
    shown_code,
)
from ..commands.command import Command, Reader, as_it_came, read_as
from ..commands.decoding import RAW, S, Text
from ..commands.knowledge import KNOWN, CommandInfo, block_time, command_info, prepare
from ..commands.readers import AS_THEY_CAME, anything
from ..commands.words import Words, shown_word
from ..config.config import Config
from ..connection.slot import Batch, Payload
from ..connection.stateful import new_batch
from ..wire.encoder import Argument, encode_command
from ..wire.values import Reply
from .call import DEFAULT, Default, command_alone, seconds_allowed, text_of, unreadable

__all__ = ["ATTEMPTS", "CommandBatch", "Result", "WatchLoop", "read_transaction"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

MULTI: Final = prepare(("MULTI",))
EXEC: Final = prepare(("EXEC",))

NOT_RUN: Final = "the pipeline has not been run: leave its block, or call run()"
MOST_SHOWN: Final = 3  # commands that one message names
NO_READERS: Final[frozenset[object]] = frozenset()

ATTEMPTS: Final = 16
"""How often a watched transaction is tried by default; with one writer in the way each time, more would not help."""


def read_transaction(replies: Sequence[Reply], infos: Sequence[CommandInfo], *, maybe: bool = False) -> list[Reply]:
    """Return what each command between MULTI and EXEC was answered, given the replies to all of them, and what each was.

    Raises `TransactionAbortedError` if a watched key had changed, `TransactionDiscardedError` if a command was refused while it was
    queued, or EXEC was (in both cases none ran), and `TransactionRefusedError` if MULTI itself was refused: Redis then runs the
    commands singly, and the error has their replies. `maybe`: an attempt before this one may have run.
    """
    multi, *queued, executed = replies
    failures = [
        CommandFailure(index, info.name, reply)
        for index, (info, reply) in enumerate(zip(infos, queued, strict=True))
        if isinstance(reply, ReplyError)
    ]
    if isinstance(multi, ReplyError):
        how = f"{len(failures)} of {len(queued)} ended in an error" if failures else "none ended in an error"
        raise TransactionRefusedError(
            f"MULTI was refused ({in_one_line(str(multi))}), so the commands ran singly, and {how}",
            reason=multi,
            replies=queued,
            failures=failures,
        )
    outcome, before = Outcome.NOT_SENT, ""
    if maybe:
        outcome, before = Outcome.MAYBE_EXECUTED, "; an attempt before this one was lost, and may have been executed"
    if executed is None:
        raise TransactionAbortedError(
            f"a watched key changed, so nothing was executed; try again{before}", outcome=outcome
        )
    if isinstance(executed, ReplyError):
        why = _why_discarded(failures, len(queued), executed)
        message = f"nothing was executed, because {why}{before}"
        raise TransactionDiscardedError(message, reason=executed, failures=failures, outcome=outcome)
    # Servers before Redis 2.6.5 execute the others when one was refused.
    results = iter(cast("list[Reply]", executed))
    return [reply if isinstance(reply, ReplyError) else next(results) for reply in queued]


def _why_discarded(failures: Sequence[CommandFailure], count: int, executed: ReplyError) -> str:
    """Say which commands were refused, each error by its code: what else it says may repeat arguments. EXEC has none."""
    if not failures:
        return f"EXEC was refused ({in_one_line(str(executed))})"
    shown = [
        f"command {position + 1} of {count}, {name} ({shown_code(error)})"
        for position, name, error in failures[:MOST_SHOWN]
        if isinstance(error, ReplyError)
    ]
    more = f" and {len(failures) - MOST_SHOWN} more" if len(failures) > MOST_SHOWN else ""
    return f"{', '.join(shown)}{more} {'was' if len(failures) == 1 else 'were'} refused"


class Result(Generic[T_co]):
    """What one command of a pipeline or transaction will have been answered."""

    __slots__ = ("_batch", "_index")

    _batch: CommandBatch[Any]
    _index: int

    def __repr__(self) -> str:
        replies = self._batch.replies
        value = "" if replies is None else f": {_shown_result(replies[self._index])}"
        return f"<Result {self._index} of {self._batch!r}{value}>"

    def result(self) -> T_co:
        """Return the reply, or raise this command's own error: its error reply, or how it was lost.

        Raises `LocalProtocolError` before the pipeline was run.
        """
        replies: Sequence[Any] | None = self._batch.replies
        if replies is None:
            raise LocalProtocolError(NOT_RUN)
        reply: T_co = replies[self._index]  # the reader of the Command[T] made it
        if isinstance(reply, Exception):
            raise self._batch.failure(self._index, reply)
        return reply


def _shown_result(value: object) -> str:
    """Return a result as its `repr` shows it: of what holds many values, how many; of an error, its class and code."""
    if isinstance(value, ReplyError):
        return f"<ReplyError {shown_word(value.code)}>"
    if isinstance(value, (list, dict, set, tuple)):
        return f"<{type(value).__name__} of {len(value)}>"
    return repr(value) if value is None else shown_word(value)


class CommandBatch(Generic[S]):
    """Commands collected to be sent at once, as one slot: the part of a pipeline that needs no connection.

    Arguments are encoded as they are added, so a wrong one is told at once, and later changes to a buffer change nothing.
    `timeout` and `decode` are as for a single call, see `seconds_allowed` and `text_of`. Raises as these two do, for a wrong
    `timeout` not before it is asked for.
    """

    __slots__ = (
        "_block_time", "_config", "_text", "_infos", "_payloads", "_readers", "_running", "_timeout", "_transaction",
        "replies",
    )  # fmt: skip

    def __init__(
        self,
        config: Config,
        *,
        transaction: bool = False,
        timeout: float | None | Default = DEFAULT,
        decode: bool | str | Default = DEFAULT,
    ) -> None:
        self.replies: Sequence[object] | None = None
        self._running = False
        self._config = config
        self._timeout = timeout
        self._text: Text[S] = text_of(config, decode)
        self._block_time = 0.0  # how long the server may take on purpose, in seconds
        self._payloads: list[Payload] = []
        self._infos: list[CommandInfo] = []
        self._readers: list[Reader[object, S] | None] = []  # None leaves the reply as it comes
        self._transaction = transaction

    def __len__(self) -> int:
        return len(self._infos)

    @property
    def seconds_allowed(self) -> float:
        """How long sending it, and waiting for all of the replies, may take."""
        return seconds_allowed(self._config, self._timeout, self._block_time)

    def __repr__(self) -> str:
        what = "transaction" if self._transaction else "pipeline"
        return f"<{what} of {len(self)} commands, {'not run' if self.replies is None else 'run'}>"

    @overload
    def execute(self, command: Command[T], /) -> Result[T]: ...

    @overload
    def execute(self, name: str | bytes, /, *args: Argument) -> Result[Reply]: ...

    def execute(self, *args: Any) -> Result[Any]:
        """Add a command, given by its words or as a `Command`, to be sent with the others; its reply will be on the result.

        Raises `TypeError` or `ValueError` for wrong arguments, `LocalProtocolError` once the pipeline was run.
        """
        if not args:
            raise ValueError("a command needs a name; to send those that this pipeline has, call run()")
        if isinstance(args[0], Command):
            command = command_alone(*args)
            read: Reader[Any, Any] = command.read
            if self._text is not RAW and read is not as_it_came:
                read = read_as(RAW, read)  # it says itself what it returns
            return self._do(command.args, read, command.info)
        return self._do(args, as_it_came)

    def _do(self, words: Words, read: Reader[T, S], info: CommandInfo | None = None) -> Result[T]:
        """Add a command, given by its words, with how to read its reply. Raises as `execute`."""
        if self.replies is not None or self._running:
            self._check_not_run()
        payload = encode_command(words)
        if info is None:
            try:
                info = KNOWN[words[0]]
            except KeyError:
                info = command_info(words)
        if info.blocking is not None and not self._in_multi():
            self._block_time += block_time(words, info)
        infos = self._infos
        result: Result[T] = Result()  # filled here: a constructor of Python's costs as much again
        result._batch, result._index = self, len(infos)
        self._payloads.append(payload)
        infos.append(info)
        self._readers.append(read if read is not as_it_came else None if self._text is RAW else anything)
        return result

    def _in_multi(self) -> bool:
        """Would the next command stand between MULTI and EXEC, where nothing blocks?"""
        frames = (info.name for info in reversed(self._infos) if info.name in ("MULTI", "EXEC", "DISCARD"))
        return self._transaction or next(frames, "") == "MULTI"

    @property
    def failures(self) -> tuple[CommandFailure, ...]:
        """The commands whose `result()` raises, in their order: which, and what. Raises `LocalProtocolError` before the run."""
        if self.replies is None:
            raise LocalProtocolError(NOT_RUN)
        return tuple(
            CommandFailure(index, self._infos[index].name, reply)
            for index, reply in enumerate(self.replies)
            if isinstance(reply, Exception)
        )

    def failure(self, index: int, error: Exception) -> Exception:
        """Return what the result of a command raises that ended in this error."""
        if isinstance(error, ReplyError):
            error = ReplyError(*error.args)  # one that a script has made may stand in several places
            error.add_note(self.place(index))
        return error

    def place(self, index: int) -> str:
        """Say which command this is: `command 3 of 5 in the pipeline: INCR`."""
        what = "transaction" if self._transaction else "pipeline"
        return f"command {index + 1} of {len(self)} in the {what}: {self._infos[index].name}"

    def slot(self, deadline: float) -> Batch | None:
        """Return the slot to send, None if there is nothing to be sent.

        Raises `LocalProtocolError` for commands that may not be sent together, or were sent already.
        """
        self._check_not_run()
        if not self._infos:
            self.replies = ()
            return None
        payloads, infos = [*self._payloads], [*self._infos]
        if self._transaction:
            payloads = [MULTI[0], *payloads, EXEC[0]]
            infos = [MULTI[1], *infos, EXEC[1]]
        slot = new_batch(payloads, infos, None, deadline, starts=True)
        self._running = True
        return slot

    def answered(self, slot: Batch) -> list[object]:
        """Take the replies in and return what each command gave, error replies as values. Raises as `read_transaction` does.

        Bulk replies become text if that is asked for, except where a command's reader sees to its reply; what a reader or a
        decoder raises is that command's result.
        """
        replies: Sequence[Reply] = slot.replies
        if self._transaction:
            maybe = max(slot.uncertain, default=0) > 0  # more than MULTI went out
            try:
                replies = read_transaction(slot.replies, self._infos, maybe=maybe)
            except RespError as error:
                self._ended_by(error)
                raise
        self.replies = results = self._read(replies)
        return results

    def lost(self, slot: Batch, cause: RespError) -> RespError:
        """The slot ended without all of its replies: read those that came, give each other command its own error.

        Returns the error of the first of them.
        """
        answered, first = slot.replies, 0
        if self._transaction:
            # Commands that MULTI held back were not answered yet; if it was refused, the commands were answered one by one.
            answered, first = (answered[1:] if answered and isinstance(answered[0], ReplyError) else []), 1
        failures = [slot.failure(cause, index + first) for index in range(len(answered), len(self))]
        for index, failure in enumerate(failures, len(answered)):
            failure.add_note(self.place(index))
        self.replies = [*self._read(answered[: len(self)]), *failures]
        return slot.failure(cause)

    def _read(self, replies: Sequence[Reply]) -> list[object]:
        """Return what the first commands gave, as these replies to them say."""
        readers, text = self._readers, self._text
        if not any(readers):
            return [*replies]
        kinds = {*map(type, replies)}
        if len(kinds) == 1 and AS_THEY_CAME.get(type(replies[0]), NO_READERS).issuperset(readers):
            alike: list[Any] = [*replies]
            try:
                if bytes in kinds:
                    alike = cast("list[Any]", text.many(alike))
            except UnicodeDecodeError:  # of some, which say so each
                pass
            else:
                return alike
        results: list[object] = []
        add, pairs = results.append, zip(replies, readers, strict=False)
        failed = any([issubclass(kind, Exception) for kind in kinds])
        while True:
            try:
                for reply, read in pairs:
                    if read is None:
                        add(reply)
                    elif failed and isinstance(reply, Exception):
                        add(reply if isinstance(reply, ReplyError) else self._noted(reply, len(results)))
                    else:
                        add(read(reply, text))
            except Exception as raised:  # noqa: BLE001  # the other commands ran, and have their results
                index = len(results)
                add(self._noted(unreadable(raised, self._infos[index]), index))
            else:
                return results

    def _noted(self, error: Exception, index: int) -> Exception:
        error.add_note(self.place(index))
        return error

    def refused(self, error: RespError) -> None:
        """Nothing was sent, for this reason: each result will say so."""
        self.replies = [error] * len(self)

    def _ended_by(self, error: RespError) -> None:
        """The transaction ended so as a whole: each result says so, but those of commands that were refused, which say why."""
        results: list[object] = []
        for index in range(len(self)):
            told = copy(error)  # a traceback belongs to one caller
            told.add_note(self.place(index))
            results.append(told)
        if isinstance(error, TransactionDiscardedError):
            for failure in error.failures:
                results[failure.position] = failure.error
        self.replies = results

    def _check_not_run(self) -> None:
        if self._running and self.replies is None:
            raise LocalProtocolError("this pipeline is being run; begin another")
        if self.replies is not None:
            raise LocalProtocolError("this pipeline was run already; begin another")


class WatchLoop:
    """Watch, decide, execute; again if the race was lost.

    Drive it so: send `watch`, let the caller read and decide, send MULTI ... EXEC; when that ends with a
    `TransactionAbortedError`, ask `again`. A caller who decides for nothing, or fails, sends `unwatch`.
    """

    unwatch: Final = Command("UNWATCH")

    def __init__(self, keys: Sequence[Argument], attempts: int = ATTEMPTS) -> None:
        """Raises `ValueError` if nothing is to be watched or done, `TypeError` for what can't be a key or a number."""
        if not keys:
            raise ValueError("name at least one key to watch; without one, a plain transaction() does")
        if type(attempts) is not int:
            raise TypeError(f"attempts must be an int, not {type(attempts).__name__}")
        if attempts < 1:
            raise ValueError(f"attempts must be at least 1, not {attempts!r}")
        self.watch: Final = Command("WATCH", *keys)
        encode_command(self.watch.args)  # told now: of a WATCH that fails later it is not known whether it was sent
        self.attempts: Final = attempts
        self.attempt: int = 1
        # On a cluster: how often it went on at another server, which is no attempt; an ASK that the next attempt follows, and where
        # that leads; and a command because of which none is followed any more.
        self.moves: int = 0
        self.asks: tuple[RespError, tuple[str, int]] | None = None
        self.unwatched: str = ""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: attempt {self.attempt} of {self.attempts}>"

    @staticmethod
    def needs_unwatch(error: BaseException, *, ended: bool) -> bool:
        """An attempt failed: is UNWATCH to be sent? `ended`: has the connection's `watch_epoch` moved since WATCH?

        Where an EXEC has ended this WATCH already, it would only end those of others.
        """
        told = (TransactionAbortedError, TransactionDiscardedError, ReplyError)
        return not (ended and isinstance(error, told))

    def again(self) -> bool:
        """The race was lost: is there another attempt?"""
        self.attempt += 1
        return self.attempt <= self.attempts
