"""What can be asked of a server, by threads, whichever connection it goes by. The text of `tasks_commands` in another colour."""

from __future__ import annotations

from _thread import RLock
from abc import abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from math import inf
from types import CoroutineType
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
from ..config.settings import of_one_server
from ..connection.stateful import new_slot
from ..methods.batch import BatchMethods
from ..methods.sync import SyncMethods
from ..wire.encoder import Argument
from ..wire.values import Push, Reply
from .base import ConnectionBase, read_command, read_reply, read_typed
from .batches import PipelineBase, WatchedBase
from .machines import maker
from .threads_cache import CachedReads, Caching
from .threads_driver import Driver, Observed
from .threads_messages import Subscribing
from .threads_monitor import Monitors
from .threads_queues import Queues
from .threads_scan import Scans
from .threads_values import Values

__all__ = ["Commands", "Connection", "Pipeline", "View", "WatchedTransaction", "open_connection"]

T = TypeVar("T")


class Commands(CachedReads[S], Subscribing[S], Scans[S], Monitors[S], Queues[S], Values[S], SyncMethods[S]):
    """What can be asked of a server, whichever connection it goes by."""

    __slots__ = ()

    _observed: ClassVar[type[Any]] = Observed
    _caching: ClassVar[type[Any]] = Caching
    _calls: Driver | Observed | Caching

    @property
    def text(self) -> View[str]:
        """The same commands, subscriptions and queues, whose data comes as text: `client.text.get("k")` is `str | None`."""
        return View(self, self._config.as_text)

    @property
    def raw(self) -> View[bytes]:
        """The same commands, subscriptions and queues, whose data comes as bytes: `client.raw.get("k")` is `bytes | None`."""
        return View(self, RAW)

    @property
    def _view(self) -> tuple[Self, Text[S]]:
        return self, self._text

    @abstractmethod
    def _alone(self, deadline: float, at: Any) -> AbstractContextManager[Connection[Any]]:
        """Return a connection on which a WATCH holds, for the length of a block; where that is to be, `_at` says."""

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
        text = self._text if decode is DEFAULT else text_of(self._config, decode)
        if (cache := self._cache) is not None:
            return read_reply(self._ask(cache, args, info, timeout), command, text)
        slot = new_slot(args, None, inf, info)
        allowed = self._timeout
        if timeout is not DEFAULT or slot.info.blocking is not None:
            allowed = seconds_allowed(self._config, timeout, block_time(args, slot.info))
        driver = self._driver
        slot.deadline = driver.now() + allowed
        self._calls.call(slot, self._lease)
        return read_reply(slot, command, text)

    def _do(self, words: Words, read: Reader[T, S]) -> T:
        if (cache := self._cache) is not None:
            return read_typed(self._ask(cache, words), read, self._text)
        driver = self._driver
        slot = new_slot(words, None, driver.now() + self._timeout)
        if slot.info.blocking is not None:
            slot.deadline += block_time(words, slot.info)
        self._calls.call(slot, self._lease)
        return read_typed(slot, read, self._text)

    def run(
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
        self._calls.call(slot, self._lease)
        if not lacks_script(slot):
            return read_command(slot, command, self._text)
        with_source = Pipeline(self)
        with_source.execute("SCRIPT LOAD", script.source)
        result = with_source.execute(script.command(keys, args))
        with_source._run(deadline)
        return result.result()

    def across_slots(self, command: Command[T], *, timeout: float | None | Default = DEFAULT) -> T:
        """Execute DEL, EXISTS, MGET, MSET, TOUCH or UNLINK on keys of several hash slots, and return what it returns.

            values = client.across_slots(commands.mget("a", "b", "c"))

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
            pipe.run()
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
        """Collect commands and send them at once, on leaving the `with` block or by `run`; options are as for `execute`."""
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
    def transact(
        self,
        update: Callable[[WatchedTransaction[S]], T],
        *keys: Argument,
        attempts: int = ...,
        timeout: float | None | Default = ...,
    ) -> T: ...
    @overload
    def transact(
        self,
        update: Callable[[WatchedTransaction[Any]], T],
        *keys: Argument,
        attempts: int = ...,
        timeout: float | None | Default = ...,
        decode: bool | str,
    ) -> T: ...
    def transact(
        self,
        update: Callable[[WatchedTransaction[Any]], T],
        *keys: Argument,
        attempts: int = ATTEMPTS,
        timeout: float | None | Default = DEFAULT,
        decode: bool | str | Default = DEFAULT,
    ) -> T:
        """Change what is at `keys` depending on what is there, as if nobody else could: WATCH, read, MULTI ... EXEC.

        `update(transaction)` reads with `transaction.read(...)` and queues with `transaction.execute(...)`; it is called
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
            with self._alone(deadline, at if loop.asks is None else loop.asks[1]) as connection:
                while True:
                    transaction = WatchedTransaction(connection, loop, deadline, decode, at)
                    try:
                        return transaction.attempt(update)
                    except TransactionAbortedError:
                        if not loop.again():
                            raise
                    except RespError as error:
                        pause = transaction.pause_after(error)
                        if pause is None:
                            raise
                        break
            self._driver.pause(pause or 0.0)


class View(Subscribing[S], Scans[S], Monitors[S], Queues[S], SyncMethods[S]):
    """The methods of a client, pool or connection, with data as it is asked for; subscriptions, iterations, queues, too."""

    __slots__ = ("_of", "_text")

    def __init__(self, of: Commands[Any], text: Text[S]) -> None:
        self._of = of
        self._text = text

    @property
    def _view(self) -> tuple[Commands[Any], Text[S]]:
        return self._of, self._text

    def _do(self, words: Words, read: Reader[T, S]) -> T:
        return self._of._do(words, read_as(self._text, read))


class Pipeline(PipelineBase[Commands[Any], S], BatchMethods[S]):
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
        ended), in transactions also `TransactionAbortedError`, `TransactionDiscardedError`, `TransactionRefusedError`, and
        otherwise as `execute`.
        """
        return self._run(self._by._driver.now() + self.seconds_allowed)

    def _run(self, deadline: float, epoch: int | None = None) -> list[Any]:
        slot = self.slot(deadline)
        if slot is None:
            return []
        try:
            self._by._calls.call(slot, self._by._lease if epoch is None else self._by._loan, epoch)
        except RespError as error:
            self.refused(error)
            raise
        except BaseException as error:
            self._left(slot, error, "the call was interrupted")
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
        if loop.asks is not None:
            self._turn = RLock()  # several threads may read at once

    @overload
    def read(self, command: Command[T], /) -> T: ...

    @overload
    def read(self, name: str | bytes, /, *args: Argument) -> Reply: ...

    def read(self, *args: Any) -> Any:
        """Execute a command now, ahead of the transaction, and return its reply.

        If one of the watched keys changes after this, the transaction is aborted. Raises as `execute`.
        """
        with self._turn:
            self._reads(args)
            try:
                return self._connection.execute(*args, timeout=self._time_left(), decode=self._decode)
            except RespError as error:
                self._failed = error
                raise

    def attempt(self, update: Callable[[WatchedTransaction[Any]], T]) -> T:
        """WATCH, let the caller read and decide, EXEC. Raises as `transact`."""
        connection, core = self._connection, self._connection._link.core
        epoch = core.watch_epoch  # asked before WATCH goes out: early costs an attempt, late an update
        try:
            self.read(self._loop.watch)
            result = update(self)
            if isinstance(result, CoroutineType):
                result.close()
                raise TypeError("transact() takes a plain function here, and was given an async one")
            if len(self):
                self._end(epoch)
            else:
                connection._unwatch()
        except BaseException as error:
            if self._loop.needs_unwatch(error, ended=core.watch_epoch != epoch):
                connection._unwatch()
            raise
        return result

    def _end(self, epoch: int) -> None:
        self._executes()
        try:
            self._run(self._deadline, epoch)
        except RespError as error:
            self._failed = error
            raise

    def run(self) -> list[Any]:
        """Refused: the transaction runs when the function that was given it returns."""
        raise LocalProtocolError(
            "transact() runs this transaction when your function returns; use read() for what you need now"
        )


class Connection(ConnectionBase[Driver, S], Commands[S]):
    """One connection to one server, which threads share, or which one of them has on loan."""

    __slots__ = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def next_push(self, *, timeout: float | None | Default = DEFAULT) -> Push:
        """Wait for a push that answers no command: a message, an invalidation, a line of MONITOR; oldest first.

        Raises `CommandTimeoutError`, `ConnectionLostError`, and `ConnectionClosedError` once the connection has ended and all
        pushes that came before have been had.
        """
        deadline = self._driver.now() + seconds_allowed(self._config, timeout)
        return push_as_text(self._driver.listen(self._loan, deadline), self._text)

    def close(self) -> None:
        """End the connection now. Calls under way in other threads fail with `ConnectionLostError`. Idempotent."""
        if self._lease is None:
            self._driver.close(0.0)
        else:
            self._abort()

    def _alone(self, deadline: float, at: Any) -> AbstractContextManager[Connection[Any]]:  # noqa: ARG002  # there is no waiting
        return nullcontext(self)

    def _another(self) -> Self:
        return open_connection(type(self), self._config)


C = TypeVar("C", bound=Connection[Any])


def open_connection(connection_type: type[C], config: Config) -> C:
    """Open a connection. Raises as `Client.acquire`, and `ValueError` if it is of a cluster."""
    driver = connection_type._driver_type(maker(of_one_server(config, "connect"), once=True), "connection")
    try:
        return connection_type(config, driver, driver.acquire(inf))
    except BaseException:
        driver.end()
        raise
