"""The commands: what `Connection`, `Pool` and `Client` have in common, and the pipelines that they make.

All of it rests on one step, `_call`: send this slot, wait for its end, say why it was not answered. The three differ in
which connection takes the step.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from inspect import iscoroutine
from math import inf
from random import random
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self, TypeVar, overload

from resp_sansio import (
    ATTEMPTS,
    DEFAULT,
    Argument,
    Attempts,
    Command,
    CommandBatch,
    Config,
    ConnectionLostError,
    Default,
    LocalProtocolError,
    Reply,
    ReplyError,
    RespError,
    Retry,
    Slot,
    SlotState,
    Spoken,
    TransactionAbortedError,
    WatchLoop,
    block_time,
    command_alone,
    encoding_of,
    error_reply,
    leads_elsewhere,
    new_slot,
    read_reply,
    read_typed,
    seconds_allowed,
)
from resp_sansio.methods import BatchMethods, Reader, SyncMethods, Words

from ._driver import check_not_patched

if TYPE_CHECKING:
    from ._connection import Connection

__all__ = ["Commands", "Pipeline", "Retrying", "WatchedTransaction"]

T = TypeVar("T")

ANSWERED: Final = SlotState.ANSWERED
ABANDONED: Final = SlotState.ABANDONED
WITHDRAWN: Final = SlotState.WITHDRAWN
LOST: Final = SlotState.LOST


class Commands(SyncMethods):
    """What can be asked of a server, whichever connection it goes by."""

    __slots__ = ("_config", "_encoding", "_timeout")

    def __init__(self, config: Config) -> None:
        check_not_patched()
        self._config = config
        self._timeout = inf if config.timeout is None else config.timeout
        self._encoding = config.encoding

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} can't be copied or pickled; open another one")

    @property
    @abstractmethod
    def protocol(self) -> Spoken:
        """The version of RESP spoken: it decides, for example, whether HGETALL gives a list or a map."""

    @abstractmethod
    def _call(self, slot: Slot, deadline: float, enter: Callable[[Slot], None] | None = None) -> RespError | None:
        """Send the slot (or `enter` it otherwise), wait for its end, and return why it was not answered: None if it was.

        Raises what `enter` raises. `deadline` is on `time.monotonic`.
        """

    @abstractmethod
    def _alone(self, deadline: float) -> AbstractContextManager[Connection]:
        """Return a connection on which a WATCH holds, for the length of a block."""

    @overload
    def execute(
        self, command: Command[T], /, *, timeout: float | None | Default = ..., decode: bool | str | Default = ...
    ) -> T: ...

    @overload
    def execute(
        self,
        name: str | bytes,
        /,
        *args: Argument,
        timeout: float | None | Default = ...,
        decode: bool | str | Default = ...,
    ) -> Reply: ...

    def execute(
        self, *args: Any, timeout: float | None | Default = DEFAULT, decode: bool | str | Default = DEFAULT
    ) -> Any:
        """Send a command, given by its words or as a `Command`, and return its reply.

        `timeout` is in seconds and covers the whole call, None for ever; if it is not given, the connection's own is extended by
        the time that a blocking command itself asks for. `decode` makes text of bulk strings: true for UTF-8, or an encoding.

        Raises the server's `ReplyError`, `CommandTimeoutError`, `ConnectionLostError`, `ConnectionClosedError`; `TypeError` or
        `ValueError` for wrong arguments and `LocalProtocolError` for what can't be sent now, before anything is sent.
        """
        command: Command[Any] | None = None
        info = None
        if args and isinstance(args[0], Command):
            command = command_alone(*args)
            args, info = command.args, command.info
        encoding = self._encoding if decode is DEFAULT else encoding_of(self._config, decode)
        slot = new_slot(args, None, inf, info)
        allowed = self._timeout
        if timeout is not DEFAULT or slot.info.blocking is not None:
            allowed = seconds_allowed(self._config, timeout, block_time(args, slot.info))
        failure = self._call(slot, monotonic() + allowed)
        if failure is not None:
            raise slot.failure(failure) from failure.__cause__
        return read_reply(slot.reply, command, self.protocol, encoding)

    def _do(self, words: Words, read: Reader[T]) -> T:
        slot = new_slot(words)
        allowed = self._timeout
        if slot.info.blocking is not None:
            allowed += block_time(words, slot.info)
        failure = self._call(slot, monotonic() + allowed)
        if failure is not None:
            raise slot.failure(failure) from failure.__cause__
        return read_typed(slot.reply, read, slot.info, self.protocol)

    def pipeline(
        self, *, timeout: float | None | Default = DEFAULT, decode: bool | str | Default = DEFAULT
    ) -> Pipeline:
        """Collect commands and send them at once, on leaving the `with` block or by `run`; options are as for `execute`."""
        return Pipeline(self, timeout=timeout, decode=decode)

    def transaction(
        self, *, timeout: float | None | Default = DEFAULT, decode: bool | str | Default = DEFAULT
    ) -> Pipeline:
        """As `pipeline`, between MULTI and EXEC: the commands run together, or not at all. For WATCH see `transact`."""
        return Pipeline(self, transaction=True, timeout=timeout, decode=decode)

    def transact(
        self,
        update: Callable[[WatchedTransaction], T],
        *keys: Argument,
        attempts: int = ATTEMPTS,
        timeout: float | None | Default = DEFAULT,
        decode: bool | str | Default = DEFAULT,
    ) -> T:
        """Change what is at `keys` depending on what is there, as if nobody else could: WATCH, read, MULTI ... EXEC.

        `update(transaction)` reads with `transaction.read(...)` and queues with `transaction.execute(...)`; it is called again if
        one of the keys was changed meanwhile, up to `attempts` times in all and within one `timeout`. Returns what it returned.

        Raises `TransactionAbortedError` if each attempt met a change, whatever `update` raises (nothing is changed then), and as
        `execute`.
        """
        deadline = monotonic() + seconds_allowed(self._config, timeout)
        loop = WatchLoop(keys, attempts)
        with self._alone(deadline) as connection:
            while True:
                transaction = WatchedTransaction(connection, loop, deadline, decode)
                try:
                    return transaction.attempt(update)
                except TransactionAbortedError:
                    if not loop.again():
                        raise


class Retrying(Commands):
    """Commands that go by one connection now and another then, and are tried again where the core says that it is safe."""

    __slots__ = ("_era", "_retries", "_retry")

    def __init__(self, config: Config, retry: Retry) -> None:
        super().__init__(config)
        self._retry = retry
        self._retries = 0
        self._era = 0  # how often the connections have been left for new ones

    @abstractmethod
    def _attempt(
        self, slot: Slot, deadline: float, enter: Callable[[Slot], None] | None = None, *, again: bool = False
    ) -> RespError | None:
        """As `_call`, once; a slot that no connection was found for is still QUEUED. `again`: it has been tried before."""

    @abstractmethod
    def _elsewhere(self) -> None:
        """The connections lead to a replica, where a master is wanted: use new ones."""

    def _paces(self, slot: Slot, cause: RespError, attempt: int) -> bool:  # noqa: ARG002  # for those that do
        """Does the next attempt wait of itself for as long as it should?"""
        return False

    def _leave_replica(self, era: int) -> None:
        """Leave the connections of this era, unless somebody has: who hears of it late has been on one of the old ones."""
        if era == self._era:
            self._era += 1
            self._elsewhere()

    def _call(self, slot: Slot, deadline: float, enter: Callable[[Slot], None] | None = None) -> RespError | None:
        era = self._era
        failure = self._attempt(slot, deadline, enter)
        if failure is None and type(slot.reply) is not ReplyError and (type(slot) is Slot or error_reply(slot) is None):
            if slot.count > 1 and leads_elsewhere(slot):
                self._leave_replica(era)
            return None
        return self._call_again(slot, deadline, failure, era)

    def _call_again(self, slot: Slot, deadline: float, failure: RespError | None, era: int) -> RespError | None:
        """The first attempt failed, or was answered with an error: go on as long as that may help."""
        attempts = Attempts(self._retry)
        while (cause := failure or error_reply(slot)) is not None:
            if failure is None and leads_elsewhere(slot):
                self._leave_replica(era)
            pause = attempts.after(cause, random(), slot, left=deadline - monotonic())
            if pause is None:
                break
            if not self._paces(slot, cause, attempts.made):
                sleep(pause)
            slot.renew()
            self._retries += 1
            era = self._era
            try:
                failure = self._attempt(slot, deadline, again=True)
            except RespError as error:
                if not slot.begun:
                    raise
                return error  # closed meanwhile, say: what went before is still so
        return failure and attempts.told(failure)


class Pipeline(CommandBatch, BatchMethods):
    """Commands sent at once, in one slot: made by `pipeline` and `transaction`.

    Each `execute` returns a `Result`; leaving the `with` block runs the pipeline, unless by an exception: then nothing is sent.
    """

    __slots__ = ("_by",)

    def __init__(
        self,
        commands: Commands,
        *,
        transaction: bool = False,
        timeout: float | None | Default = DEFAULT,
        decode: bool | str | Default = DEFAULT,
    ) -> None:
        super().__init__(commands._config, transaction=transaction, timeout=timeout, decode=decode)
        self._by = commands

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        if kind is None and self.replies is None:
            self.run()

    def run(self) -> list[Any]:
        """Send the commands, and return what each gave, in order, error replies as values; nothing is sent if there are none.

        Raises `CommandTimeoutError` or `ConnectionLostError` if not all were answered (each result then knows how its own command
        ended), in transactions also `TransactionAbortedError` and `TransactionRefusedError`, and otherwise as `execute`.
        """
        return self._run(monotonic() + self.seconds_allowed)

    def _run(self, deadline: float, enter: Callable[[Slot], None] | None = None) -> list[Any]:
        slot = self.slot(deadline)
        if slot is None:
            return []
        try:
            failure = self._by._call(slot, deadline, enter)
        except RespError as error:
            self.refused(error)
            raise
        except BaseException:
            # An interrupt may have come at any time: nothing is to be run again that may have run.
            interrupted = ConnectionLostError("the call was interrupted")
            if slot.state is ANSWERED:
                with suppress(RespError):
                    self.answered(slot, self._by.protocol)
            elif slot.state is ABANDONED or slot.state is WITHDRAWN or slot.state is LOST:
                self.lost(slot, interrupted, self._by.protocol)
            else:
                self.refused(interrupted)
            raise
        if failure is not None:
            raise self.lost(slot, failure, self._by.protocol) from failure.__cause__
        return self.answered(slot, self._by.protocol)


class WatchedTransaction(Pipeline):
    """One attempt of `transact`: reads go out at once, commands when the function that was given this returns."""

    __slots__ = ("_connection", "_deadline", "_decode", "_loop")

    def __init__(self, connection: Connection, loop: WatchLoop, deadline: float, decode: bool | str | Default) -> None:
        super().__init__(connection, transaction=True, decode=decode)
        self._connection = connection
        self._loop = loop
        self._deadline = deadline
        self._decode = decode

    @overload
    def read(self, command: Command[T], /) -> T: ...

    @overload
    def read(self, name: str | bytes, /, *args: Argument) -> Reply: ...

    def read(self, *args: Any) -> Any:
        """Execute a command now, ahead of the transaction, and return its reply.

        If one of the watched keys changes after this, the transaction is aborted. Raises as `execute`.
        """
        return self._connection.execute(*args, timeout=self._time_left(), decode=self._decode)

    def attempt(self, update: Callable[[WatchedTransaction], T]) -> T:
        """WATCH, let the caller read and decide, EXEC. Raises as `transact`."""
        connection, core = self._connection, self._connection._driver.core
        epoch = core.watch_epoch  # asked before WATCH goes out: early costs an attempt, late an update
        try:
            connection.execute(self._loop.watch, timeout=self._time_left())
            result = update(self)
            if iscoroutine(result):
                result.close()
                raise TypeError("transact() takes a plain function here, and was given an async one")
            if len(self):
                self._run(self._deadline, lambda slot: core.submit_watched(slot, epoch))
                if self.refusal is not None:
                    raise self.refusal
            else:
                connection._submit_and_forget(self._loop.unwatch)
        except BaseException as error:
            if self._loop.needs_unwatch(error, ended=core.watch_epoch != epoch):
                connection._submit_and_forget(self._loop.unwatch)
            raise
        return result

    def run(self) -> list[Any]:
        """Refused: the transaction runs when the function that was given it returns."""
        raise LocalProtocolError(
            "transact() runs this transaction when your function returns; use read() for what you need now"
        )

    def _time_left(self) -> float | None:
        return None if self._deadline == inf else max(self._deadline - monotonic(), 0.0)
