"""Drive one `resp_sansio.Connection` with a transport of asyncio's, for any number of tasks and without one of its own.

A call makes a slot and a future, and awaits the future. If nothing is in flight the command is written at once; otherwise it
goes out with all others of this turn of the loop. What comes is read in the transport's own callback, which resolves the futures.

Everything happens on the loop's thread and nothing of it awaits, so there is no lock. A task that is cancelled abandons its
slot: nothing of it is left in the connection but a place in the order of replies.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Awaitable, Callable, Generator
from inspect import isawaitable
from math import inf
from threading import get_ident
from time import monotonic
from typing import Any, Final, Literal, Self, TypeVar, Unpack, cast, overload
from warnings import warn
from weakref import WeakKeyDictionary, WeakSet

from resp_sansio import (
    ATTEMPTS,
    DEFAULT,
    Argument,
    Command,
    CommandBatch,
    CommandTimeoutError,
    Config,
    ConnectError,
    ConnectionClosedError,
    ConnectionLost,
    ConnectionLostError,
    Default,
    Event,
    LocalProtocolError,
    Opened,
    Options,
    Outcome,
    Push,
    PushReceived,
    Reply,
    RespError,
    Slot,
    SlotState,
    State,
    TimedOut,
    TransactionAbortedError,
    WatchLoop,
    block_time,
    command_alone,
    encoding_of,
    is_transient,
    new_slot,
    push_as_text,
    read_credentials,
    read_reply,
    seconds_allowed,
)
from resp_sansio import Connection as Machine

from ._transport import dial, until

__all__ = ["Connecting", "Connection", "Pipeline", "WatchedTransaction", "connect"]

T = TypeVar("T")

ANSWERED: Final = SlotState.ANSWERED
ABANDONED: Final = SlotState.ABANDONED

RECEIVE: Final = 256 * 1024
"""Bytes received at a time at most, into a buffer that all connections of a loop share: it is empty again before the next turn."""

HAND_OVER: Final = 64 * 1024
"""Bytes given to the transport at a time. What it keeps counts as sent, so it gets no more before that has gone."""


def connect(url: str = "redis://localhost", **options: Unpack[Options]) -> Connecting:
    """Open a connection: `await connect("redis://user:password@host:6379/0", timeout=2.0)`, or by `async with connect(...)`.

    For URLs and options see `resp_sansio.Config`; the same options can stand in the URL's query. `connect_timeout` covers all
    of it. Raises `ValueError` or `TypeError` for a wrong URL or option and, when awaited, `ConnectError` (its `transient` says
    whether the same may succeed later).
    """
    return Connecting(Config.from_url(url, **options))


class Connecting:
    """What `connect` returns: await it for a `Connection`, or let `async with` open and close one."""

    __slots__ = ("_config", "_connection")

    def __init__(self, config: Config) -> None:
        self._config = config

    def __repr__(self) -> str:
        return f"<{type(self).__name__} to {self._config.address}: to be awaited>"

    def __await__(self) -> Generator[Any, None, Connection]:
        return _open(self._config).__await__()

    async def __aenter__(self) -> Connection:
        self._connection = await self
        return self._connection

    async def __aexit__(self, *exception: object) -> None:
        await self._connection.close()


class Connection:
    """One connection to one server, for any number of tasks of one event loop; made by `connect`, ends for ever when it ends.

    Commands of all tasks share it in the order in which they were made; one that blocks (BLPOP) holds up the others. Close
    it, or use it as a context manager. It does not survive a fork: in the child it is closed.
    """

    __slots__ = ("__weakref__", "_config", "_driver", "_encoding", "_timeout")

    def __init__(self, config: Config, driver: Driver) -> None:
        self._config = config
        self._driver = driver
        self._timeout = inf if config.timeout is None else config.timeout
        self._encoding = config.encoding

    def __repr__(self) -> str:
        return f"<{type(self).__name__} to {self._config.address}: {self._driver.core.state.name}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    def __del__(self) -> None:
        driver = self._driver
        if driver.core.error is None:
            warn(f"{self!r} was not closed", ResourceWarning, source=self, stacklevel=2)
            driver.drop()

    # -- calls -------------------------------------------------------------------------------------------------------------

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
        encoding = self._encoding if decode is DEFAULT else encoding_of(self._config, decode)
        slot = new_slot(args, None, inf, info)
        allowed = self._timeout
        if timeout is not DEFAULT or slot.info.blocking is not None:
            allowed = seconds_allowed(self._config, timeout, block_time(args, slot.info))
        driver = self._driver
        waiter = driver.submit(slot, monotonic() + allowed)
        try:
            reply = await waiter
        except BaseException:
            driver.give_up(slot)
            raise
        if slot.state is not ANSWERED:
            raise slot.failure(reply) from reply.__cause__
        return read_reply(reply, command, driver.core.protocol, encoding)

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
        deadline = monotonic() + seconds_allowed(self._config, timeout)
        loop = WatchLoop(keys, attempts)
        while True:
            transaction = WatchedTransaction(self, loop, deadline, decode)
            try:
                return await transaction.attempt(update)
            except TransactionAbortedError:
                if not loop.again():
                    raise

    async def next_push(self, *, timeout: float | None | Default = DEFAULT) -> Push:
        """Wait for a push that answers no command: a message, an invalidation, a line of MONITOR; oldest first.

        Raises `CommandTimeoutError`, `ConnectionLostError`, and `ConnectionClosedError` once the connection has ended and all
        pushes that came before have been had.
        """
        allowed = seconds_allowed(self._config, timeout)
        driver = self._driver
        waiter = driver.listen()
        try:
            async with until(monotonic() + allowed):
                push = await waiter
        except TimeoutError:
            driver.take_back(waiter)
            raise CommandTimeoutError("next_push: nothing came in time", outcome=Outcome.NOT_SENT) from None
        except BaseException:
            driver.take_back(waiter)
            raise
        if isinstance(push, RespError):
            raise ConnectionLostError(f"next_push: {push}", outcome=Outcome.NOT_SENT) from push.__cause__
        driver.core.push_taken()
        return push_as_text(push, self._encoding)

    @property
    def closed(self) -> bool:
        """Has the connection ended? It may also be about to: only a call can tell."""
        return self._driver.core.error is not None

    @property
    def protocol(self) -> Literal[2, 3]:
        """The version of RESP spoken: it decides, for example, whether HGETALL gives a list or a map."""
        return self._driver.core.protocol

    async def close(self) -> None:
        """End the connection now. Calls under way in other tasks fail with `ConnectionLostError`. Idempotent."""
        await self._driver.close()


async def _open(config: Config) -> Connection:
    """Dial, and drive the handshake. Raises `ConnectError`."""
    deadline = inf if config.connect_timeout is None else monotonic() + config.connect_timeout
    credentials = None
    if config.credentials is not None:
        answer: object = config.credentials()
        if isawaitable(answer):
            try:
                async with until(deadline):
                    answer = await answer
            except TimeoutError as error:
                raise ConnectError(f"{config.address}: no credentials came in time", transient=True) from error
        credentials = read_credentials(answer)
    core = Machine.configured(config, credentials, now=monotonic(), open_by=deadline)
    driver = Driver(asyncio.get_running_loop(), core, config)
    try:
        await dial(config, lambda: driver, deadline)
        await driver.opened
    except BaseException:
        driver.end(ConnectionClosedError("it was given up while it opened"))
        raise
    if core.error is not None:
        transient = core.error.transient if isinstance(core.error, ConnectError) else False
        message = f"cannot open a connection to {config.address}: {core.error}"
        raise ConnectError(message, transient=transient) from core.error.__cause__
    return Connection(config, driver)


_buffers: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, memoryview]] = WeakKeyDictionary()
_drivers: Final[WeakSet[Driver]] = WeakSet()


class Driver(asyncio.BufferedProtocol):
    """What the loop knows of a connection: it moves bytes between transport and machine, and wakes those whom replies concern.

    Waiters are futures. They get what came, or the `RespError` that is why nothing will: results both, so that one whom nobody
    awaits any more is not missed. The `Connection` is an object of its own so that its going away is noticed.
    """

    __slots__ = (
        "__weakref__", "_armed", "_buffer", "_call_soon", "_closers", "_config", "_listeners", "_loop", "_paused", "_pushes",
        "_scheduled", "_thread", "_timer", "_transport", "_watched", "core", "opened",
    )  # fmt: skip

    def __init__(self, loop: asyncio.AbstractEventLoop, core: Machine, config: Config) -> None:
        self.core = core
        self.opened: asyncio.Future[None] = loop.create_future()
        self._config = config
        self._loop = loop
        self._thread = get_ident()
        self._call_soon = loop.call_soon
        if loop not in _buffers:
            _buffers[loop] = memoryview(bytearray(RECEIVE))
        self._buffer = _buffers[loop]
        self._transport: asyncio.Transport | None = None
        self._paused = True  # the transport takes no more for now
        self._scheduled = False  # `flush` will be called in this turn of the loop
        self._armed = inf  # when the timer goes off
        self._timer: asyncio.TimerHandle | None = None
        self._watched = config.ping_interval is not None or config.silence_timeout is not None
        self._pushes: deque[Push] = deque()
        self._listeners: deque[asyncio.Future[Push | RespError]] = deque()
        self._closers: list[asyncio.Future[None]] = []
        _drivers.add(self)

    # -- for calls ---------------------------------------------------------------------------------------------------------

    def submit(self, slot: Slot, deadline: float, enter: Callable[[Slot], None] | None = None) -> asyncio.Future[Any]:
        """Submit the slot (or `enter` it otherwise), and return the future of its reply.

        A caller that stops waiting says so by `give_up`. If the slot is not ANSWERED then, the result is the error that is why.
        """
        if get_ident() != self._thread or not self._loop.is_running():
            raise _elsewhere(slot.name)
        slot.deadline = deadline
        (enter or self.core.submit)(slot)
        waiter: asyncio.Future[Any] = asyncio.Future(loop=self._loop)  # faster than by `create_future`
        slot.token = waiter
        if deadline < self._armed:
            self._arm(deadline)
        if not self._scheduled:
            if self.core.in_flight:
                self._scheduled = True
                self._call_soon(self.flush)
            else:
                self.flush()
        return waiter

    def submit_and_forget(self, command: Command[Reply]) -> None:
        """Send a command whose reply nobody needs; what fails here fails for those who come after, too."""
        try:
            self.submit(new_slot(command.args), inf)
        except LocalProtocolError:
            pass

    def give_up(self, slot: Slot) -> None:
        """Nobody waits for this slot any more."""
        if self._loop.is_closed():
            return  # and its tasks are being thrown away
        self.core.abandon(slot)
        self._end_if_it_lingers(slot)
        self._report()

    def listen(self) -> asyncio.Future[Push | RespError]:
        """Return the future of the next push; a caller that stops waiting says so by `take_back`."""
        if get_ident() != self._thread or not self._loop.is_running():
            raise _elsewhere("next_push")
        if self.core.error is not None and not self._pushes:
            raise ConnectionClosedError(f"next_push: the connection has ended: {self.core.error}")
        waiter: asyncio.Future[Push | RespError] = self._loop.create_future()
        self._listeners.append(waiter)
        self._hand_out()
        return waiter

    def take_back(self, waiter: asyncio.Future[Push | RespError]) -> None:
        """Nobody waits for this push any more: it is the next one's."""
        if waiter in self._listeners:
            self._listeners.remove(waiter)
        elif not waiter.cancelled() and isinstance(push := waiter.result(), Push):
            self._pushes.appendleft(push)
            self._hand_out()

    async def close(self) -> None:
        """End now, and wait until the transport has closed its socket."""
        if self._transport is None:
            return
        if get_ident() != self._thread or not self._loop.is_running():
            raise _elsewhere("close")
        self.end(None)
        closer: asyncio.Future[None] = self._loop.create_future()
        self._closers.append(closer)
        await closer

    def end(self, error: RespError | None) -> None:
        """End now, for this reason."""
        self.core.abort(error)
        self._report()

    def drop(self) -> None:
        """The connection was thrown away without being closed, in whichever thread."""
        if self._transport is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._transport.abort)

    def forget(self) -> None:
        """In the child of a fork: the connection is the parent's."""
        self.core.abort(ConnectionClosedError("it was opened before a fork, and belongs to the parent process"))

    # -- for the loop ------------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        self._paused = False
        # It tells of every byte that it has to keep (at once, if TLS has some; that compares by >=), and when there are none.
        self._transport.set_write_buffer_limits(high=1, low=0)
        self.flush()
        self._arm(self.core.next_deadline())

    def get_buffer(self, _sizehint: int) -> memoryview:
        """Where to put what comes."""
        return self._buffer

    def buffer_updated(self, count: int) -> None:
        """Something has come."""
        core = self.core
        core.receive_data(bytes(self._buffer[:count]))
        events = core.events()
        for event in events:
            if isinstance(event, Slot):
                waiter: Any = event.token
                if not waiter.done():
                    waiter.set_result(event.reply)
            else:
                self._tell(event)
        # Several wake up now, and may well have more to ask: what they send goes out behind the last of them.
        if not self._scheduled and (len(events) > 1 or core.wants_to_send):
            self._scheduled = True
            self._call_soon(self.flush)

    def eof_received(self) -> None:
        """The peer sends no more."""
        self.core.receive_eof()
        self._report()

    def connection_lost(self, error: Exception | None) -> None:
        """The transport has ended; the socket is closed when this returns."""
        core = self.core
        if core.error is None:
            if core.state is State.OPENING and isinstance(error, OSError) and not is_transient(error):
                core.abort(ConnectError(f"the connection failed: {error}", transient=False))
            core.receive_eof(*([f"the connection failed: {error}"] if error else []))
        self._report()
        self._transport = None
        for closer in self._closers:
            if not closer.done():
                closer.set_result(None)

    def pause_writing(self) -> None:
        """The transport keeps bytes that the socket does not take."""
        self._paused = True

    def resume_writing(self) -> None:
        """The socket has taken them all."""
        if self.core.error is None:
            self._paused = False
            self.flush()

    def flush(self) -> None:
        """Hand over what is queued, as far as it goes."""
        self._scheduled = False
        core, transport = self.core, self._transport
        while not self._paused and transport is not None and (block := core.data_to_send()):
            if len(block) > HAND_OVER:
                if transport.is_closing():
                    break
                block = memoryview(block)[:HAND_OVER]
            core.sent(len(block))  # before, because `write` may call `resume_writing`
            transport.write(block)
        if self._watched:
            self._arm(core.next_deadline())

    # -- what follows ------------------------------------------------------------------------------------------------------

    def _report(self) -> None:
        """Hand out the machine's events."""
        for event in self.core.events():
            if isinstance(event, Slot):
                _wake(event, event.reply)
            else:
                self._tell(event)

    def _tell(self, event: Event) -> None:
        match event:
            case PushReceived():
                self._pushes.append(event.push)
                self._hand_out()
            case TimedOut():
                _wake(event.slot, CommandTimeoutError(f"{self._config.address} did not answer in time"))
                self._end_if_it_lingers(event.slot)
            case Opened():
                if not self.opened.done():
                    self.opened.set_result(None)
            case ConnectionLost():
                for slot in event.unanswered:
                    _wake(slot, event.error)
                self._clean_up()

    def _clean_up(self) -> None:
        """Once the machine has ended there is nothing to be sent, and nothing to wait for."""
        self._paused = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self.opened.done():
            self.opened.set_result(None)
        self._hand_out()
        if self._transport is not None:
            self._transport.abort()

    def _end_if_it_lingers(self, slot: Slot) -> None:
        """A command that blocks may still be acted on, for nobody, and holds up the others; the end of the connection ends it."""
        if slot.state is ABANDONED and slot.lingers and self.core.error is None:
            self.core.abort(ConnectionLostError(f"{slot.name} was given up while the server could still act on it"))
            self._report()

    def _hand_out(self) -> None:
        while self._listeners and (self._pushes or self.core.error is not None):
            waiter = self._listeners.popleft()
            if not waiter.done():
                error = self.core.error
                waiter.set_result(self._pushes.popleft() if self._pushes or error is None else error)

    # -- time --------------------------------------------------------------------------------------------------------------

    def _arm(self, deadline: float) -> None:
        """See that the timer goes off at this time or before."""
        if deadline >= self._armed or self.core.error is not None:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._armed = deadline
        self._timer = self._loop.call_later(max(deadline - monotonic(), 0.0), self._look_at_the_time)

    def _look_at_the_time(self) -> None:
        self._timer = None
        self._armed = inf
        self.core.handle_timeout(monotonic())
        self._report()
        self.flush()
        self._arm(self.core.next_deadline())


def _wake(slot: Slot, result: Reply | RespError) -> None:
    waiter = slot.token
    if isinstance(waiter, asyncio.Future) and not waiter.done():
        waiter.set_result(result)


def _elsewhere(what: str) -> LocalProtocolError:
    return LocalProtocolError(
        f"{what}: this connection belongs to the event loop that it was opened in; elsewhere, or in another thread, open another"
    )


def _after_fork() -> None:
    for driver in list(_drivers):
        driver.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class Pipeline(CommandBatch):
    """Commands sent at once, in one slot: made by `Connection.pipeline` and `Connection.transaction`.

    Each `execute` returns a `Result`; leaving the `async with` block runs the pipeline, unless by an exception: then nothing is
    sent.
    """

    __slots__ = ("_connection", "_decode", "_encoding", "_timeout")

    def __init__(
        self,
        connection: Connection,
        *,
        transaction: bool = False,
        timeout: float | None | Default,
        decode: bool | str | Default,
    ) -> None:
        super().__init__(transaction=transaction)
        self._connection = connection
        self._timeout = timeout
        self._decode = decode
        self._encoding = encoding_of(connection._config, decode)  # a wrong one is told now, before anything is sent

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        if kind is None and self.replies is None:
            await self.run()

    async def run(self) -> list[Any]:
        """Send the commands, and return what each gave, in order, error replies as values; nothing is sent if there are none.

        Raises `CommandTimeoutError` or `ConnectionLostError` if not all were answered (each result then knows how its own command
        ended), in transactions also `TransactionAbortedError` and `TransactionRefusedError`, and otherwise as `Connection.execute`.
        """
        config = self._connection._config
        return await self._run(monotonic() + seconds_allowed(config, self._timeout, self.block_time))

    async def _run(self, deadline: float, enter: Callable[[Slot], None] | None = None) -> list[Any]:
        driver = self._connection._driver
        slot = self.slot(deadline)
        if slot is None:
            return []
        try:
            waiter = driver.submit(slot, deadline, enter)
        except RespError as error:
            self.refused(error)
            raise
        try:
            reply = await waiter
        except BaseException:
            driver.give_up(slot)
            if slot.state is not ANSWERED:
                self.lost(slot, ConnectionLostError("the task was cancelled"), driver.core.protocol, self._encoding)
            raise
        if slot.state is not ANSWERED:
            raise self.lost(slot, reply, driver.core.protocol, self._encoding) from reply.__cause__
        return self.answered(slot, driver.core.protocol, self._encoding)


class WatchedTransaction(Pipeline):
    """One attempt of `Connection.transact`: reads go out at once, commands when the function that was given this returns."""

    __slots__ = ("_deadline", "_loop")

    def __init__(self, connection: Connection, loop: WatchLoop, deadline: float, decode: bool | str | Default) -> None:
        super().__init__(connection, transaction=True, timeout=None, decode=decode)
        self._loop = loop
        self._deadline = deadline

    @overload
    async def read(self, command: Command[T], /) -> T: ...

    @overload
    async def read(self, name: str | bytes, /, *args: Argument) -> Reply: ...

    async def read(self, *args: Any) -> Any:
        """Execute a command now, ahead of the transaction, and return its reply.

        If one of the watched keys changes after this, the transaction is aborted. Raises as `Connection.execute`.
        """
        return await self._connection.execute(*args, timeout=self._time_left(), decode=self._decode)

    async def attempt(self, update: Callable[[WatchedTransaction], Awaitable[T]]) -> T:
        """WATCH, let the caller read and decide, EXEC. Raises as `Connection.transact`."""
        connection, driver, core = self._connection, self._connection._driver, self._connection._driver.core
        epoch = core.watch_epoch  # asked before WATCH goes out: early costs an attempt, late an update
        try:
            await connection.execute(self._loop.watch, timeout=self._time_left())
            result = await update(self)
            if len(self):
                await self._run(self._deadline, lambda slot: core.submit_watched(slot, epoch))
            else:
                driver.submit_and_forget(self._loop.unwatch)
        except BaseException as error:
            if self._loop.needs_unwatch(error, ended=core.watch_epoch != epoch):
                driver.submit_and_forget(self._loop.unwatch)
            raise
        return result

    async def run(self) -> list[Any]:
        """Refused: the transaction runs when the function that was given it returns."""
        raise LocalProtocolError(
            "transact() runs this transaction when your function returns; use read() for what you need now"
        )

    def _time_left(self) -> float | None:
        return None if self._deadline == inf else max(self._deadline - monotonic(), 0.0)
