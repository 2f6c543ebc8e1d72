"""What can be asked of a server, by tasks, whichever connection it goes by: commands, pipelines, scripts, watched transactions."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from math import inf
from typing import Any, ClassVar, Literal, Self, TypeVar, overload

from .._errors import LocalProtocolError, RespError, TransactionAbortedError
from ..client.across import Across
from ..client.batch import ATTEMPTS, WatchLoop
from ..client.call import DEFAULT, Default, command_alone, push_as_text, seconds_allowed, text_of
from ..client.scripts import Script, lacks_script
from ..commands.command import Command, Reader, read_as
from ..commands.decoding import RAW, S, Text
from ..commands.knowledge import block_time
from ..commands.words import Words
from ..config.config import Config
from ..connection.stateful import new_slot
from ..methods.batch import BatchMethods
from ..methods.tasks import AsyncMethods
from ..wire.encoder import Argument
from ..wire.values import Push, Reply
from .base import ConnectionBase, read_command, read_reply, read_typed
from .batches import PipelineBase, WatchedBase
from .machines import maker
from .tasks_cache import CachedReads, Caching
from .tasks_driver import Driver, Observed
from .tasks_messages import Subscribing
from .tasks_monitor import Monitors
from .tasks_queues import Queues
from .tasks_scan import Scans
from .tasks_values import Values

__all__ = ["Commands", "Connection", "Pipeline", "View", "WatchedTransaction", "open_connection"]

T = TypeVar("T")


class Commands(CachedReads[S], Subscribing[S], Scans[S], Monitors[S], Queues[S], Values[S], AsyncMethods[S]):
    """What can be asked of a server, whichever connection it goes by."""

    __slots__ = ()

    _observed: ClassVar[type[Any]] = Observed
    _caching: ClassVar[type[Any]] = Caching
    _calls: Driver | Observed | Caching

    @property
    def text(self) -> View[str]:
        """The same commands, subscriptions and queues, whose data comes as text: `await client.text.get("k")` is `str | None`."""
        return View(self, self._config.as_text)

    @property
    def raw(self) -> View[bytes]:
        """The same commands, subscriptions and queues, whose data comes as bytes: `await client.raw.get("k")` is `bytes | None`."""
        return View(self, RAW)

    @property
    def _view(self) -> tuple[Self, Text[S]]:
        return self, self._text

    @abstractmethod
    def _alone(self, deadline: float, at: Any) -> AbstractAsyncContextManager[Connection[Any]]:
        """Return a connection on which a WATCH holds, for the length of a block; where that is to be, `_at` says."""

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

    async def execute(
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
        text = self._text if decode is DEFAULT else text_of(self._config, decode)
        if (cache := self._cache) is not None:
            return read_reply(await self._ask(cache, args, info, timeout), command, text)
        slot = new_slot(args, None, inf, info)
        allowed = self._timeout
        if timeout is not DEFAULT or slot.info.blocking is not None:
            allowed = seconds_allowed(self._config, timeout, block_time(args, slot.info))
        driver = self._driver
        slot.deadline = driver.now() + allowed
        await self._calls.call(slot, self._lease)
        return read_reply(slot, command, text)

    async def _do(self, words: Words, read: Reader[T, S]) -> T:
        if (cache := self._cache) is not None:
            return read_typed(await self._ask(cache, words), read, self._text)
        driver = self._driver
        slot = new_slot(words, None, driver.now() + self._timeout)
        if slot.info.blocking is not None:
            slot.deadline += block_time(words, slot.info)
        await self._calls.call(slot, self._lease)
        return read_typed(slot, read, self._text)

    async def run(
        self,
        script: Script[T],
        keys: Sequence[Argument] = (),
        args: Sequence[Argument] = (),
        *,
        timeout: float | None | Default = DEFAULT,
    ) -> T:
        """Run a script by its digest, and by its source if the server has not got it; return what it returns.

        `timeout` covers both. Raises as `execute`.
        """
        if not isinstance(script, Script):
            raise TypeError(f"run takes a Script, not {type(script).__name__}; Script(source) makes one")
        deadline = self._driver.now() + seconds_allowed(self._config, timeout)
        command = script.by_digest(keys, args)
        slot = new_slot(command.args, None, deadline, command.info)
        await self._calls.call(slot, self._lease)
        if not lacks_script(slot):
            return read_command(slot, command, self._text)
        with_source = Pipeline(self)
        with_source.execute("SCRIPT LOAD", script.source)
        result = with_source.execute(script.command(keys, args))
        await with_source._run(deadline)
        return result.result()

    async def across_slots(self, command: Command[T], *, timeout: float | None | Default = DEFAULT) -> T:
        """Execute DEL, EXISTS, MGET, MSET, TOUCH or UNLINK on keys of several hash slots, and return what it returns.

            values = await client.across_slots(commands.mget("a", "b", "c"))

        A cluster takes a command on keys of one slot only. So this one is sent in parts, all at once, and they are no single
        command any more: what others do may come in between, and some of it may be done where the rest fails. A server that is
        none of a cluster's is sent the same parts.

        Raises `PartialFailureError`, which has what each part did, if some have failed; `LocalProtocolError` for a command whose
        keys must be together, and as `execute`.
        """
        parts = Across(command)
        pipe: Pipeline[bytes] = Pipeline(self, timeout=timeout, decode=False)
        for part in parts.commands:
            pipe.execute(part)
        try:
            await pipe.run()
        except RespError as error:
            results = pipe.replies or ()
            if [*results].count(error) == len(results):
                raise  # nothing was sent
        return parts.combine(pipe.replies or ())

    @overload
    def pipeline(self, *, timeout: float | None | Default = ...) -> Pipeline[S]: ...
    @overload
    def pipeline(self, *, timeout: float | None | Default = ..., decode: Literal[False]) -> Pipeline[bytes]: ...
    @overload
    def pipeline(self, *, timeout: float | None | Default = ..., decode: Literal[True] | str) -> Pipeline[str]: ...
    @overload
    def pipeline(self, *, timeout: float | None | Default = ..., decode: bool | str) -> Pipeline[Any]: ...
    def pipeline(
        self, *, timeout: float | None | Default = DEFAULT, decode: bool | str | Default = DEFAULT
    ) -> Pipeline[Any]:
        """Collect commands and send them at once, on leaving the `async with` block or by `run`; options are as for `execute`."""
        return Pipeline(self, timeout=timeout, decode=decode)

    @overload
    def transaction(self, *, timeout: float | None | Default = ...) -> Pipeline[S]: ...
    @overload
    def transaction(self, *, timeout: float | None | Default = ..., decode: Literal[False]) -> Pipeline[bytes]: ...
    @overload
    def transaction(self, *, timeout: float | None | Default = ..., decode: Literal[True] | str) -> Pipeline[str]: ...
    @overload
    def transaction(self, *, timeout: float | None | Default = ..., decode: bool | str) -> Pipeline[Any]: ...
    def transaction(
        self, *, timeout: float | None | Default = DEFAULT, decode: bool | str | Default = DEFAULT
    ) -> Pipeline[Any]:
        """As `pipeline`, between MULTI and EXEC: the commands run together, or not at all. For WATCH see `transact`."""
        return Pipeline(self, transaction=True, timeout=timeout, decode=decode)

    @overload
    async def transact(
        self,
        update: Callable[[WatchedTransaction[S]], Awaitable[T]],
        *keys: Argument,
        attempts: int = ...,
        timeout: float | None | Default = ...,
    ) -> T: ...
    @overload
    async def transact(
        self,
        update: Callable[[WatchedTransaction[Any]], Awaitable[T]],
        *keys: Argument,
        attempts: int = ...,
        timeout: float | None | Default = ...,
        decode: bool | str,
    ) -> T: ...
    async def transact(
        self,
        update: Callable[[WatchedTransaction[Any]], Awaitable[T]],
        *keys: Argument,
        attempts: int = ATTEMPTS,
        timeout: float | None | Default = DEFAULT,
        decode: bool | str | Default = DEFAULT,
    ) -> T:
        """Change what is at `keys` depending on what is there, as if nobody else could: WATCH, read, MULTI ... EXEC.

        `update(transaction)` reads with `await transaction.read(...)` and queues with `transaction.execute(...)`; it is called
        again if one of the keys was changed meanwhile, up to `attempts` times in all and within one `timeout`. Returns what it
        returned.

        On a cluster the keys have to be in one hash slot, and so have those that are read and queued. If the slot moves meanwhile,
        or its server is lost, another attempt is made at the one that has it then, and does not count. While the slot is half-way,
        a transaction that reads and writes only what it watches goes on where its keys are; any other waits.

        Raises `TransactionAbortedError` if each attempt met a change, whatever `update` raises (nothing is changed then), and as
        `execute`; `CrossSlotError` on a cluster.
        """
        deadline = self._driver.now() + seconds_allowed(self._config, timeout)
        loop = WatchLoop(keys, attempts)
        at = self._at(keys)
        pause: float | None = None
        while True:
            async with self._alone(deadline, at if loop.asks is None else loop.asks[1]) as connection:
                while True:
                    transaction = WatchedTransaction(connection, loop, deadline, decode, at)
                    try:
                        return await transaction.attempt(update)
                    except TransactionAbortedError:
                        if not loop.again():
                            raise
                    except RespError as error:
                        pause = transaction.pause_after(error)
                        if pause is None:
                            raise
                        break
            await self._driver.pause(pause or 0.0)


class View(Subscribing[S], Scans[S], Monitors[S], Queues[S], AsyncMethods[S]):
    """The methods of a client, pool or connection, with data as it is asked for; subscriptions, iterations, queues, too."""

    __slots__ = ("_of", "_text")

    def __init__(self, of: Commands[Any], text: Text[S]) -> None:
        self._of = of
        self._text = text

    @property
    def _view(self) -> tuple[Commands[Any], Text[S]]:
        return self._of, self._text

    async def _do(self, words: Words, read: Reader[T, S]) -> T:
        return await self._of._do(words, read_as(self._text, read))


class Pipeline(PipelineBase[Commands[Any], S], BatchMethods[S]):
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
            await self._by._driver.checkpoint()

    async def run(self) -> list[Any]:
        """Send the commands, and return what each gave, in order, error replies as values; nothing is sent if there are none.

        Raises `CommandTimeoutError` or `ConnectionLostError` if not all were answered (each result then knows how its own command
        ended), in transactions also `TransactionAbortedError`, `TransactionDiscardedError`, `TransactionRefusedError`, and
        otherwise as `execute`.
        """
        return await self._run(self._by._driver.now() + self.seconds_allowed)

    async def _run(self, deadline: float, epoch: int | None = None) -> list[Any]:
        driver = self._by._driver
        slot = self.slot(deadline)
        if slot is None:
            await driver.checkpoint()
            return []
        try:
            await self._by._calls.call(slot, self._by._lease if epoch is None else self._by._loan, epoch)
        except RespError as error:
            self.refused(error)
            raise
        except BaseException as error:
            self._left(slot, error, "the task was cancelled")
            raise
        return self._ended(slot)


class WatchedTransaction(WatchedBase[Commands[Any], S], Pipeline[S]):
    """One attempt of `transact`: reads go out at once, commands when the function that was given this returns."""

    __slots__ = ("_connection", "_decode")

    def __init__(
        self, connection: Connection[Any], loop: WatchLoop, deadline: float, decode: bool | str | Default, at: Any
    ) -> None:
        super().__init__(connection, loop, deadline, decode, at)
        self._connection = connection
        self._decode = decode

    @overload
    async def read(self, command: Command[T], /) -> T: ...

    @overload
    async def read(self, name: str | bytes, /, *args: Argument) -> Reply: ...

    async def read(self, *args: Any) -> Any:
        """Execute a command now, ahead of the transaction, and return its reply.

        If one of the watched keys changes after this, the transaction is aborted. Raises as `execute`.
        """
        with self._turn:
            self._reads(args)
            try:
                return await self._connection.execute(*args, timeout=self._time_left(), decode=self._decode)
            except RespError as error:
                self._failed = error
                raise

    async def attempt(self, update: Callable[[WatchedTransaction[Any]], Awaitable[T]]) -> T:
        """WATCH, let the caller read and decide, EXEC. Raises as `transact`."""
        connection, core = self._connection, self._connection._link.core
        epoch = core.watch_epoch  # asked before WATCH goes out: early costs an attempt, late an update
        try:
            await self.read(self._loop.watch)
            coming = update(self)
            if not isinstance(coming, Awaitable):
                raise TypeError(
                    f"transact() takes an async function here; the one that it was given returned {type(coming).__name__}"
                )
            result = await coming
            if len(self):
                await self._end(epoch)
            else:
                connection._unwatch()
        except BaseException as error:
            if self._loop.needs_unwatch(error, ended=core.watch_epoch != epoch):
                connection._unwatch()
            raise
        return result

    async def _end(self, epoch: int) -> None:
        self._executes()
        try:
            await self._run(self._deadline, epoch)
        except RespError as error:
            self._failed = error
            raise

    async def run(self) -> list[Any]:
        """Refused: the transaction runs when the function that was given it returns."""
        raise LocalProtocolError(
            "transact() runs this transaction when your function returns; use read() for what you need now"
        )


class Connection(ConnectionBase[Driver, S], Commands[S]):
    """One connection to one server, which tasks share, or which one of them has on loan."""

    __slots__ = ()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def next_push(self, *, timeout: float | None | Default = DEFAULT) -> Push:
        """Wait for a push that answers no command: a message, an invalidation, a line of MONITOR; oldest first.

        Raises `CommandTimeoutError`, `ConnectionLostError`, and `ConnectionClosedError` once the connection has ended and all
        pushes that came before have been had.
        """
        deadline = self._driver.now() + seconds_allowed(self._config, timeout)
        return push_as_text(await self._driver.listen(self._loan, deadline), self._text)

    async def close(self) -> None:
        """End the connection now. Calls under way in other tasks fail with `ConnectionLostError`. Idempotent."""
        if self._lease is None:
            await self._driver.close(0.0)
        else:
            self._abort()
            await self._driver.checkpoint()

    def _alone(self, deadline: float, at: Any) -> AbstractAsyncContextManager[Connection[Any]]:  # noqa: ARG002  # there is no waiting
        return nullcontext(self)

    async def _another(self) -> Self:
        return await open_connection(type(self), self._config)


C = TypeVar("C", bound=Connection[Any])


async def open_connection(connection_type: type[C], config: Config) -> C:
    """Open a connection. Raises as `Client.acquire`."""
    driver = connection_type._driver_type(maker(config, once=True), "connection")
    await driver.open()
    try:
        try:
            loan = await driver.acquire(inf)
        finally:
            await driver.leave()  # once it is open, nothing is done beside the calls
    except BaseException:
        driver.end()
        raise
    return connection_type(config, driver, loan)
