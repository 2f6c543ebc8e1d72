"""The commands: what `Connection`, `Pool` and `Client` have in common, and the pipelines that they make.

All of it rests on one step: submit a slot to the client machine, and wait for its end.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from inspect import iscoroutine
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, overload

from resp_sansio import (
    DEFAULT,
    Argument,
    Command,
    Default,
    LocalProtocolError,
    Reply,
    RespError,
    TransactionAbortedError,
)
from resp_sansio.client import (
    ATTEMPTS,
    CommandsBase,
    Link,
    PipelineBase,
    WatchLoop,
    command_alone,
    encoding_of,
    error_of,
    read_reply,
    read_typed,
    seconds_allowed,
)
from resp_sansio.connection import SlotState, block_time, new_slot
from resp_sansio.methods import BatchMethods, Reader, SyncMethods, Words

from ._driver import Driver

if TYPE_CHECKING:
    from ._client import Connection

__all__ = ["Commands", "Pipeline", "WatchedTransaction"]

T = TypeVar("T")

ANSWERED: Final = SlotState.ANSWERED


class Commands(CommandsBase[Driver], SyncMethods):
    """What can be asked of a server, whichever connection it goes by."""

    __slots__ = ()

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
        slot.deadline = monotonic() + allowed
        self._driver.call(slot, self._lease)
        if slot.state is not ANSWERED:
            raise error_of(slot)
        link: Link = slot.link
        return read_reply(slot.reply, command, link.core.protocol, encoding)

    def _do(self, words: Words, read: Reader[T]) -> T:
        slot = new_slot(words, None, monotonic() + self._timeout)
        if slot.info.blocking is not None:
            slot.deadline += block_time(words, slot.info)
        self._driver.call(slot, self._lease)
        if slot.state is not ANSWERED:
            raise error_of(slot)
        link: Link = slot.link
        return read_typed(slot.reply, read, slot.info, link.core.protocol)

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

        `update(transaction)` reads with `transaction.read(...)` and queues with `transaction.execute(...)`; it is called
        again if one of the keys was changed meanwhile, up to `attempts` times in all and within one `timeout`. Returns what it
        returned.

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


class Pipeline(PipelineBase[Commands], BatchMethods):
    """Commands sent at once, in one slot: made by `pipeline` and `transaction`.

    Each `execute` returns a `Result`; leaving the `with` block runs the pipeline, unless by an exception: then nothing is
    sent.
    """

    __slots__ = ()

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

    def _run(self, deadline: float, epoch: int | None = None) -> list[Any]:
        slot = self.slot(deadline)
        if slot is None:
            return []
        try:
            self._by._driver.call(slot, self._by._lease if epoch is None else self._by._loan, epoch)
        except RespError as error:
            self.refused(error)
            raise
        except BaseException as error:
            self._left(slot, error, "the call was interrupted")
            raise
        return self._ended(slot)


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
        connection, core = self._connection, self._connection._link.core
        epoch = core.watch_epoch  # asked before WATCH goes out: early costs an attempt, late an update
        try:
            connection.execute(self._loop.watch, timeout=self._time_left())
            result = update(self)
            if iscoroutine(result):
                result.close()
                raise TypeError("transact() takes a plain function here, and was given an async one")
            if len(self):
                self._run(self._deadline, epoch)
                if self.refusal is not None:
                    raise self.refusal
            else:
                connection._unwatch()
        except BaseException as error:
            if self._loop.needs_unwatch(error, ended=core.watch_epoch != epoch):
                connection._unwatch()
            raise
        return result

    def run(self) -> list[Any]:
        """Refused: the transaction runs when the function that was given it returns."""
        raise LocalProtocolError(
            "transact() runs this transaction when your function returns; use read() for what you need now"
        )

    def _time_left(self) -> float | None:
        return None if self._deadline == inf else max(self._deadline - monotonic(), 0.0)
