"""The commands: what `Connection`, `Pool` and `Client` have in common, and the pipelines that they make.

All of it rests on one step: submit a slot to the client machine, and await its end. Every coroutine here is a checkpoint,
whichever way it ends.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from math import inf
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, overload

from trio import current_time
from trio.lowlevel import cancel_shielded_checkpoint, checkpoint, checkpoint_if_cancelled, enable_ki_protection

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
from resp_sansio.methods import AsyncMethods, BatchMethods, Reader, Words

from ._driver import Driver, checkpointed

if TYPE_CHECKING:
    from ._client import Connection

__all__ = ["Commands", "Pipeline", "WatchedTransaction"]

T = TypeVar("T")

ANSWERED: Final = SlotState.ANSWERED


class Commands(CommandsBase[Driver], AsyncMethods):
    """What can be asked of a server, whichever connection it goes by."""

    __slots__ = ()

    @abstractmethod
    def _alone(self, deadline: float) -> AbstractAsyncContextManager[Connection]:
        """Return a connection on which a WATCH holds, for the length of a block."""

    @overload
    async def execute(
        self, command: Command[T], /, *, timeout: float | None | Default = ..., decode: bool | str | Default = ...
    ) -> T: ...

    @overload
    async def execute(
        self,
        name: str | bytes,
        /,
        *args: Argument,
        timeout: float | None | Default = ...,
        decode: bool | str | Default = ...,
    ) -> Reply: ...

    @enable_ki_protection
    async def execute(
        self, *args: Any, timeout: float | None | Default = DEFAULT, decode: bool | str | Default = DEFAULT
    ) -> Any:
        """Send a command, given by its words or as a `Command`, and return its reply.

        `timeout` is in seconds and covers the whole call, None for ever; if it is not given, the connection's own is extended by
        the time that a blocking command itself asks for. `decode` makes text of bulk strings: true for UTF-8, or an encoding.

        Raises the server's `ReplyError`, `CommandTimeoutError`, `ConnectionLostError`, `ConnectionClosedError`; `TypeError` or
        `ValueError` for wrong arguments and `LocalProtocolError` for what can't be sent now, before anything is sent.
        """
        await checkpoint_if_cancelled()
        command: Command[Any] | None = None
        info = None
        try:
            if args and isinstance(args[0], Command):
                command = command_alone(*args)
                args, info = command.args, command.info
            encoding = self._encoding if decode is DEFAULT else encoding_of(self._config, decode)
            slot = new_slot(args, None, inf, info)
            allowed = self._timeout
            if timeout is not DEFAULT or slot.info.blocking is not None:
                allowed = seconds_allowed(self._config, timeout, block_time(args, slot.info))
            slot.deadline = current_time() + allowed
            driver = self._driver
            waiter = driver.submit(slot, self._lease)
        except Exception:
            await cancel_shielded_checkpoint()
            raise
        try:
            await waiter
        except BaseException:
            driver.give_up(slot)
            raise
        if slot.state is not ANSWERED:
            raise error_of(slot)
        link: Link = slot.link
        return read_reply(slot.reply, command, link.core.protocol, encoding)

    @enable_ki_protection
    async def _do(self, words: Words, read: Reader[T]) -> T:
        await checkpoint_if_cancelled()
        try:
            slot = new_slot(words, None, current_time() + self._timeout)
            if slot.info.blocking is not None:
                slot.deadline += block_time(words, slot.info)
            driver = self._driver
            waiter = driver.submit(slot, self._lease)
        except Exception:
            await cancel_shielded_checkpoint()
            raise
        try:
            await waiter
        except BaseException:
            driver.give_up(slot)
            raise
        if slot.state is not ANSWERED:
            raise error_of(slot)
        link: Link = slot.link
        return read_typed(slot.reply, read, slot.info, link.core.protocol)

    def pipeline(
        self, *, timeout: float | None | Default = DEFAULT, decode: bool | str | Default = DEFAULT
    ) -> Pipeline:
        """Collect commands and send them at once, on leaving the `async with` block or by `run`; options are as for `execute`."""
        return Pipeline(self, timeout=timeout, decode=decode)

    def transaction(
        self, *, timeout: float | None | Default = DEFAULT, decode: bool | str | Default = DEFAULT
    ) -> Pipeline:
        """As `pipeline`, between MULTI and EXEC: the commands run together, or not at all. For WATCH see `transact`."""
        return Pipeline(self, transaction=True, timeout=timeout, decode=decode)

    @checkpointed
    async def transact(
        self,
        update: Callable[[WatchedTransaction], Awaitable[T]],
        *keys: Argument,
        attempts: int = ATTEMPTS,
        timeout: float | None | Default = DEFAULT,
        decode: bool | str | Default = DEFAULT,
    ) -> T:
        """Change what is at `keys` depending on what is there, as if nobody else could: WATCH, read, MULTI ... EXEC.

        `update(transaction)` reads with `await transaction.read(...)` and queues with `transaction.execute(...)`; it is called
        again if one of the keys was changed meanwhile, up to `attempts` times in all and within one `timeout`. Returns what it
        returned.

        Raises `TransactionAbortedError` if each attempt met a change, whatever `update` raises (nothing is changed then), and as
        `execute`.
        """
        deadline = current_time() + seconds_allowed(self._config, timeout)
        loop = WatchLoop(keys, attempts)
        async with self._alone(deadline) as connection:
            while True:
                transaction = WatchedTransaction(connection, loop, deadline, decode)
                try:
                    return await transaction.attempt(update)
                except TransactionAbortedError:
                    if not loop.again():
                        raise


class Pipeline(PipelineBase[Commands], BatchMethods):
    """Commands sent at once, in one slot: made by `pipeline` and `transaction`.

    Each `execute` returns a `Result`; leaving the `async with` block runs the pipeline, unless by an exception: then nothing is
    sent.
    """

    __slots__ = ()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        if kind is None and self.replies is None:
            await self.run()
        else:
            await checkpoint()

    async def run(self) -> list[Any]:
        """Send the commands, and return what each gave, in order, error replies as values; nothing is sent if there are none.

        Raises `CommandTimeoutError` or `ConnectionLostError` if not all were answered (each result then knows how its own command
        ended), in transactions also `TransactionAbortedError` and `TransactionRefusedError`, and otherwise as `execute`.
        """
        return await self._run(current_time() + self.seconds_allowed)

    @checkpointed
    @enable_ki_protection
    async def _run(self, deadline: float, epoch: int | None = None) -> list[Any]:
        slot = self.slot(deadline)
        if slot is None:
            await checkpoint()
            return []
        driver = self._by._driver
        try:
            waiter = driver.submit(slot, self._by._lease if epoch is None else self._by._loan, epoch)
        except RespError as error:
            self.refused(error)
            raise
        try:
            await waiter
        except BaseException as error:
            driver.give_up(slot)
            self._left(slot, error, "the task was cancelled")
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
    async def read(self, command: Command[T], /) -> T: ...

    @overload
    async def read(self, name: str | bytes, /, *args: Argument) -> Reply: ...

    async def read(self, *args: Any) -> Any:
        """Execute a command now, ahead of the transaction, and return its reply.

        If one of the watched keys changes after this, the transaction is aborted. Raises as `execute`.
        """
        return await self._connection.execute(*args, timeout=self._time_left(), decode=self._decode)

    async def attempt(self, update: Callable[[WatchedTransaction], Awaitable[T]]) -> T:
        """WATCH, let the caller read and decide, EXEC. Raises as `transact`."""
        connection, core = self._connection, self._connection._link.core
        epoch = core.watch_epoch  # asked before WATCH goes out: early costs an attempt, late an update
        try:
            await connection.execute(self._loop.watch, timeout=self._time_left())
            coming = update(self)
            if not isinstance(coming, Awaitable):
                raise TypeError(
                    f"transact() takes an async function here; the one that it was given returned {type(coming).__name__}"
                )
            result = await coming
            if len(self):
                await self._run(self._deadline, epoch)
                if self.refusal is not None:
                    raise self.refusal
            else:
                connection._unwatch()
        except BaseException as error:
            if self._loop.needs_unwatch(error, ended=core.watch_epoch != epoch):
                connection._unwatch()
            raise
        return result

    @checkpointed
    async def run(self) -> list[Any]:
        """Refused: the transaction runs when the function that was given it returns."""
        raise LocalProtocolError(
            "transact() runs this transaction when your function returns; use read() for what you need now"
        )

    def _time_left(self) -> float | None:
        return None if self._deadline == inf else max(self._deadline - current_time(), 0.0)
