"""Drive one `resp_sansio.Connection` with a socket, from any number of threads and without one of its own.

A caller who is alone encodes, sends and receives on its own thread. Where several share the connection, one of those who wait
reads for all, and wakes whom it concerns. While some of these are still on their way, commands are left for the last of them
to send: under one interpreter lock, a system call for each would cost more than it hastens.

The lock is the law, and is never held while anything waits: bytes move between socket and machine only under it, so they can't
get out of order, whoever moves them. The roles of reader and writer are hints about who waits for the socket while the others
sleep; a role whose holder has gone is free.

Interrupts may strike anywhere. Between a byte's move and the machine's learning of it they end the connection, since nobody
could say any more whose reply is next; everywhere else they cost the interrupted call its reply, and nothing else.
"""

from __future__ import annotations

import os
import select
from collections import deque
from collections.abc import Callable
from math import inf
from threading import Lock, RLock, get_ident
from time import monotonic
from typing import Any, Final, Literal, NoReturn, Self, TypeVar, Unpack, overload
from warnings import warn
from weakref import WeakSet

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
    LocalProtocolError,
    Options,
    Outcome,
    Push,
    PushReceived,
    Reply,
    RespError,
    Slot,
    SlotState,
    State,
    TransactionAbortedError,
    WatchLoop,
    block_time,
    command_alone,
    command_info,
    encoding_of,
    new_slot,
    push_as_text,
    read_credentials,
    read_reply,
    seconds_allowed,
)
from resp_sansio import Connection as Machine

from ._transport import LONGEST, dial, is_transient, wait

__all__ = ["Connection", "Pipeline", "WatchedTransaction", "connect"]

T = TypeVar("T")

QUEUED: Final = SlotState.QUEUED
HANDED: Final = SlotState.HANDED
ANSWERED: Final = SlotState.ANSWERED
LOST: Final = SlotState.LOST
LISTENING: Final = command_info(("next_push",))

# What a caller waits for: to be woken, or the socket.
SLEEP: Final = 0
READ: Final = 1
WRITE: Final = 2

RECEIVE: Final = 64 * 1024
"""Bytes asked of the socket at a time: enough for a thousand small replies. In a fresh process, blocks of more than 128 KiB are
mapped and unmapped by the C library each time, at more than they save on large values."""

NAP: Final = 0.25
"""Seconds after which a sleeping caller looks whether its waker still exists: a second interrupt can catch the first one's
cleaning up, and then nobody wakes anybody."""


PATIENCE: Final = 100e-6
"""Seconds for which commands may be left for the last one to wake up; after that the next one to wake sends them. Eight
threads that do nothing else take 50 microseconds for a round."""


def connect(url: str = "redis://localhost", **options: Unpack[Options]) -> Connection:
    """Open a connection: `connect("redis://user:password@host:6379/0", timeout=2.0)`.

    For URLs and options see `resp_sansio.Config`; the same options can stand in the URL's query. `connect_timeout` covers all
    of it, name resolution excepted. Raises `ConnectError` (its `transient` says whether the same may succeed later),
    `ValueError` or `TypeError` for a wrong URL or option.
    """
    config = Config.from_url(url, **options)
    return Connection(config)


class Connection:
    """One connection to one server, for any number of threads; made by `connect`, ends for ever when it ends.

    Commands of all threads share it in the order in which they were made; one that blocks (BLPOP) holds up the others. Close
    it, or use it as a context manager. It does not survive a fork: in the child it is closed.
    """

    __slots__ = (
        "__weakref__", "_config", "_core", "_deferred", "_encoding", "_inside", "_listeners", "_lock", "_parked", "_poller",
        "_pushes", "_reader", "_stuck", "_timeout", "_transport", "_waking", "_watched",
        "_writer",
    )  # fmt: skip

    def __init__(self, config: Config) -> None:
        deadline = inf if config.connect_timeout is None else monotonic() + config.connect_timeout
        credentials = None if config.credentials is None else read_credentials(config.credentials())
        self._config = config
        self._timeout = inf if config.timeout is None else config.timeout
        self._encoding = config.encoding
        self._lock = RLock()
        self._inside = False  # true on entering the lock means that this very thread was interrupted in there
        self._reader: Slot | None = None
        self._writer: Slot | None = None
        self._watched = config.ping_interval is not None or config.silence_timeout is not None
        self._stuck = False  # the socket takes no more for now
        self._deferred = 0.0  # since when something queued was left for another to send; 0.0 if nothing is
        self._parked: dict[Slot, Lock] = {}  # who sleeps until woken, in the order of going to sleep
        self._waking: dict[Slot, None] = {}  # who was woken and does not run yet
        self._pushes: deque[Push] | None = None  # made for the first one, as most connections see none
        self._listeners: list[Slot] = []  # who waits for a push: slots that were never submitted
        self._transport = dial(config, deadline)
        self._core = Machine.configured(config, credentials, now=monotonic(), open_by=deadline)
        self._poller = select.poll() if hasattr(select, "poll") else None
        if self._poller is not None:
            self._poller.register(self._transport.fileno, select.POLLIN)
        _connections.add(self)
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def __repr__(self) -> str:
        return f"<{type(self).__name__} to {self._config.address}: {self._core.state.name}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Connection can't be copied or pickled; open another one")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __del__(self) -> None:
        core = getattr(self, "_core", None)
        if core is not None and core.error is None:
            warn(f"{self!r} was not closed", ResourceWarning, source=self, stacklevel=2)

    # -- calls -------------------------------------------------------------------------------------------------------------

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
        if args and isinstance(args[0], Command):
            command = command_alone(*args)
            args = command.args
        encoding = self._encoding if decode is DEFAULT else encoding_of(self._config, decode)
        slot = new_slot(args, None, inf, None if command is None else command.info)
        if timeout is DEFAULT and slot.info.blocking is None:
            deadline = monotonic() + self._timeout
        else:
            deadline = monotonic() + seconds_allowed(self._config, timeout, block_time(args, slot.info))
        failure = self._call(slot, deadline)
        if failure is not None:
            raise slot.failure(failure) from failure.__cause__
        return read_reply(slot.reply, command, self._core.protocol, encoding)

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
        while True:
            transaction = WatchedTransaction(self, loop, deadline, decode)
            try:
                return transaction.attempt(update)
            except TransactionAbortedError:
                if not loop.again():
                    raise

    def next_push(self, *, timeout: float | None | Default = DEFAULT) -> Push:
        """Wait for a push that answers no command: a message, an invalidation, a line of MONITOR; oldest first.

        Raises `CommandTimeoutError`, `ConnectionLostError`, and `ConnectionClosedError` once the connection has ended and all
        pushes that came before have been had.
        """
        listener = Slot(b"", LISTENING, None, inf)  # never submitted
        deadline = monotonic() + seconds_allowed(self._config, timeout)
        failure = self._call(listener, deadline, self._listen)
        if isinstance(failure, CommandTimeoutError):
            raise CommandTimeoutError("next_push: nothing came in time", outcome=Outcome.NOT_SENT)
        if failure is not None:
            raise ConnectionLostError(f"next_push: {failure}", outcome=Outcome.NOT_SENT) from failure.__cause__
        push = listener.reply
        assert isinstance(push, Push)
        return push_as_text(push, self._encoding)

    @property
    def closed(self) -> bool:
        """Has the connection ended? It may also be about to: only a call can tell."""
        return self._core.error is not None

    @property
    def protocol(self) -> Literal[2, 3]:
        """The version of RESP spoken: it decides, for example, whether HGETALL gives a list or a map."""
        return self._core.protocol

    def close(self) -> None:
        """End the connection now. Calls under way in other threads fail with `ConnectionLostError`. Idempotent."""
        with self._lock:
            if self._inside:
                raise _reentered()
            self._core.abort()
            self._report()
            self._close_if_unused()

    # -- how a call goes ---------------------------------------------------------------------------------------------------

    def _call(self, slot: Slot, deadline: float, enter: Callable[[Slot], None] | None = None) -> RespError | None:
        """Submit the slot (or `enter` it otherwise), wait for its end, and return why it was not answered: None if it was.

        What `enter` raises is raised, as are interrupts. In every case neither a role nor a waiting slot is left behind.
        """
        slot.token = get_ident()  # somebody is here for this slot
        try:
            role = self._turn(slot, enter or self._core.submit)
            if slot.state is HANDED or slot.state is QUEUED:
                self._await(slot, role, deadline)
        except BaseException:
            self._give_up(slot)
            raise
        finally:
            # One store, which no interrupt can split: from here on, roles that this slot still holds are free.
            slot.token = None
        if slot.state is ANSWERED:
            return None
        if slot.state is LOST:
            return self._core.error
        return CommandTimeoutError(f"{self._config.address} did not answer in time")

    def _await(self, slot: Slot, role: int, deadline: float) -> None:
        """Wait for the slot's end, or give it up at its deadline.

        A function of its own: CPython 3.12 and 3.13 look for signals where a loop turns, and no `try` around it sees what comes.
        """
        while slot.state is HANDED or slot.state is QUEUED:
            left = deadline - monotonic()
            if left <= 0:
                self._give_up(slot)
                return
            if role != SLEEP:
                role = self._turn(slot, None, self._wait(role, left))
            elif not self._sleep(slot, left):
                role = self._turn(slot)

    def _turn(self, slot: Slot, enter: Callable[[Slot], None] | None = None, readable: bool = False) -> int:
        """Move what can be moved now, and return what this caller is to wait for next."""
        with self._lock:
            if self._inside:
                raise _reentered()
            self._inside = True
            try:
                if enter is None:
                    self._move(readable)
                else:
                    self._look(slot)
                    enter(slot)
                    if self._waking and not self._deferred:
                        # Said before it is asked, so that the last of those who wake sees it, or is seen to have gone.
                        self._deferred = monotonic()
                    if not self._deferred or not self._others_wake():
                        self._move(False)
                if slot.state is HANDED or slot.state is QUEUED:
                    if self._core.error is None:
                        return self._take_role(slot)
                    # An interrupt caught it between the machine's queues, so the connection ended without it.
                    slot.end = 0
                    slot.settle(LOST, 0)
                self._leave(slot)
                return SLEEP
            finally:
                self._inside = False

    def _look(self, slot: Slot) -> None:
        """Before a new slot: is this thread beneath itself, and has something come, or ended, while nobody was here?

        What nobody asked for must not answer the next command. Raises `LocalProtocolError` in a handler of a signal that came
        while this very thread was waiting for others: they, and the handler, would wait for ever.
        """
        reader, writer = self._reader, self._writer
        if (reader is not None and reader.token == slot.token) or (writer is not None and writer.token == slot.token):
            raise _reentered()
        if reader is not None or self._poller is None:
            return
        # Not once the connection has ended: after a fork, a thread of the parent's may still seem to be in the poller.
        while self._core.error is None and (self._transport.pending or self._poller.poll(0)):
            self._move(True)

    def _give_up(self, slot: Slot) -> None:
        """Nobody waits for this slot any more. Safe to repeat."""
        with self._lock:
            if self._inside:
                return  # a call that was refused at the door
            self._inside = True
            try:
                if slot.info is LISTENING:
                    self._listeners = [listener for listener in self._listeners if listener is not slot]
                elif slot.state is HANDED or slot.state is QUEUED:
                    self._core.abandon(slot)
                self._leave(slot)
                if self._deferred:
                    self._move(False)
            finally:
                self._inside = False

    def _submit_and_forget(self, command: Command[Reply]) -> None:
        """Send a command whose reply nobody needs; what fails here fails for those who come after, too."""
        with self._lock:
            if self._inside or self._core.error is not None:
                return
            self._inside = True
            try:
                self._core.send(command)
                self._move(False)
            finally:
                self._inside = False

    def _take_role(self, slot: Slot) -> int:
        """Decide who waits for the socket: this caller, for what nobody else waits for; otherwise it sleeps until woken."""
        role = SLEEP
        if self._reader is None or self._reader is slot or self._reader.token is None:
            self._reader = slot
            role |= READ
        if self._stuck and (self._writer is None or self._writer is slot or self._writer.token is None):
            self._writer = slot
            role |= WRITE
        elif self._stuck and role == READ:
            role |= WRITE  # nobody could wake a reader if the writer left before this caller's own bytes
        if role == SLEEP:
            self._parked[slot] = bed = Lock()
            bed.acquire()
        return role

    def _leave(self, slot: Slot) -> None:
        """Give up roles, and wake one sleeper if there is one to be taken. The last one out of an ended connection closes it."""
        if self._parked:
            self._parked.pop(slot, None)
        if self._waking:
            self._waking.pop(slot, None)
        if self._reader is slot:
            self._reader = None
        if self._writer is slot:
            self._writer = None
        if self._parked and (self._reader is None or (self._stuck and self._writer is None)):
            self._wake(next(iter(self._parked)))
        if self._core.error is not None:
            self._close_if_unused()

    def _wake(self, slot: Slot) -> None:
        bed = self._parked.pop(slot, None)
        if bed is not None:
            self._waking[slot] = None
            bed.release()

    def _sleep(self, slot: Slot, left: float) -> bool:
        """Sleep until woken; is the slot answered, and nothing left to do for this caller?"""
        bed = self._parked.get(slot)
        if bed is not None:
            bed.acquire(timeout=min(left, NAP))
        self._waking.pop(slot, None)
        if self._deferred and (not self._waking or monotonic() > self._deferred + PATIENCE):
            return False  # what others left unsent is for this caller to send
        return slot.state is ANSWERED

    def _others_wake(self) -> bool:
        """Is a caller about to come by here, woken and not yet running? Those who were interrupted on the way never will."""
        return any(slot.token is not None for slot in list(self._waking))

    def _wait(self, role: int, left: float) -> bool:
        """Wait, without the lock, for the socket; is there something to receive?"""
        if self._transport.pending:
            return True
        if self._deferred:
            left = min(left, NAP)
        if self._watched:
            left = min(left, max(self._core.next_deadline() - monotonic(), 0.0))
        if left > LONGEST:
            left = LONGEST
        if role == READ and self._poller is not None:
            return bool(self._poller.poll(int(left * 1000) + 1))
        wait(self._transport.fileno, left, read=bool(role & READ), write=bool(role & WRITE))
        return bool(role & READ)

    # -- under the lock: bytes, and what they mean -------------------------------------------------------------------------

    def _move(self, readable: bool) -> None:
        """Receive what is there, and send what is queued: by those who submit, or what others could not send."""
        core = self._core
        try:
            if readable:
                self._receive()
                if not self._stuck and not core.wants_to_send and not self._transport.unsent:
                    return
            elif self._watched:
                core.handle_timeout(monotonic())
                self._report()
            self._send()
        except BaseException:
            # Bytes may have moved that the machine does not know of.
            core.abort(ConnectionLostError("a call was interrupted while bytes were moving"), uncertain=True)
            self._report()
            raise

    def _receive(self) -> None:
        """Take in one piece of what has come. If there is more, the next turn finds it, after a look at the clock."""
        core = self._core
        try:
            data = self._transport.recv(RECEIVE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            if core.state is State.OPENING and not is_transient(error):
                core.abort(ConnectError(f"reading failed: {error}", transient=False))
            core.receive_eof(f"reading failed: {error}")
        else:
            if data:
                core.receive_data(data)
            else:
                core.receive_eof()
        self._report()

    def _send(self) -> None:
        core, transport = self._core, self._transport
        self._stuck = False
        self._deferred = 0.0
        try:
            while block := core.data_to_send():
                core.sent(transport.send(block))
            if transport.unsent:
                transport.flush()
        except (BlockingIOError, InterruptedError):
            self._stuck = True
        except OSError as error:
            self._receive()  # the server may have said why, before it closed
            core.send_failed(error)
            self._report()

    def _report(self) -> None:
        """Hand out the machine's events."""
        parked = self._parked
        for event in self._core.events():
            if isinstance(event, Slot):
                if parked:
                    self._wake(event)
            elif isinstance(event, PushReceived):
                self._pushes = self._pushes or deque()
                self._pushes.append(event.push)
                self._hand_out_pushes()
            elif isinstance(event, ConnectionLost):
                for listener in self._listeners:
                    listener.state = LOST
                self._listeners = []
                for slot in list(parked):
                    self._wake(slot)

    def _listen(self, listener: Slot) -> None:
        """Enter a slot that waits for a push: it is never sent."""
        listener.state = HANDED
        if self._core.error is not None and not self._pushes:
            listener.state = LOST
            raise ConnectionClosedError(f"next_push: the connection has ended: {self._core.error}")
        self._listeners.append(listener)
        self._hand_out_pushes()

    def _hand_out_pushes(self) -> None:
        while self._pushes and self._listeners:
            listener = self._listeners[0]
            if listener.token is None:
                del self._listeners[0]  # it went without a word: an interrupt caught the cleaning up of another
                continue
            listener.reply = self._pushes[0]
            listener.state = ANSWERED
            del self._listeners[0]
            del self._pushes[0]
            self._core.push_taken()
            self._wake(listener)

    def _close_if_unused(self) -> None:
        """Close the socket of an ended connection, but never under somebody who waits for it: its number could be given anew."""
        for role in (self._reader, self._writer):
            if role is not None and role.token is not None:
                self._transport.shut_down()
                return
        self._transport.close()

    # -- beginning and end -------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        """Drive the handshake. Raises `ConnectError`."""
        core = self._core
        self._move(False)
        while core.state is State.OPENING:
            left = core.next_deadline() - monotonic()
            if not self._transport.pending and not wait(self._transport.fileno, left, read=True, write=self._stuck):
                core.handle_timeout(monotonic())
            self._move(True)
            self._move(False)
        if core.error is not None:
            transient = core.error.transient if isinstance(core.error, ConnectError) else False
            message = f"cannot open a connection to {self._config.address}: {core.error}"
            raise ConnectError(message, transient=transient) from core.error.__cause__

    def _forget(self) -> None:
        """In the child of a fork: the connection is the parent's, and its locks may be held by threads that do not exist here."""
        self._lock = RLock()
        self._inside = False
        self._parked.clear()
        self._core.abort(ConnectionClosedError("it was opened before a fork, and belongs to the parent process"))
        self._transport.forget()


_connections: Final[WeakSet[Connection]] = WeakSet()


def _after_fork() -> None:
    for connection in list(_connections):
        connection._forget()
    _connections.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class Pipeline(CommandBatch):
    """Commands sent at once, in one slot: made by `Connection.pipeline` and `Connection.transaction`.

    Each `execute` returns a `Result`; leaving the `with` block runs the pipeline, unless by an exception: then nothing is sent.
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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        if kind is None and self.replies is None:
            self.run()

    def run(self) -> list[Any]:
        """Send the commands, and return what each gave, in order, error replies as values; nothing is sent if there are none.

        Raises `CommandTimeoutError` or `ConnectionLostError` if not all were answered (each result then knows how its own command
        ended), in transactions also `TransactionAbortedError` and `TransactionRefusedError`, and otherwise as `Connection.execute`.
        """
        config = self._connection._config
        return self._run(monotonic() + seconds_allowed(config, self._timeout, self.block_time))

    def _run(self, deadline: float, enter: Callable[[Slot], None] | None = None) -> list[Any]:
        connection = self._connection
        slot = self.slot(deadline)
        if slot is None:
            return []
        try:
            failure = connection._call(slot, deadline, enter)
        except BaseException as error:
            # An interrupt may have come at any time: nothing is to be run again that may have run.
            self.refused(error if isinstance(error, RespError) else ConnectionLostError("the call was interrupted"))
            raise
        if failure is not None:
            raise self.lost(slot, failure, connection._core.protocol, self._encoding) from failure.__cause__
        return self.answered(slot, connection._core.protocol, self._encoding)


class WatchedTransaction(Pipeline):
    """One attempt of `Connection.transact`: reads go out at once, commands when the function that was given this returns."""

    __slots__ = ("_deadline", "_loop")

    def __init__(self, connection: Connection, loop: WatchLoop, deadline: float, decode: bool | str | Default) -> None:
        super().__init__(connection, transaction=True, timeout=None, decode=decode)
        self._loop = loop
        self._deadline = deadline

    @overload
    def read(self, command: Command[T], /) -> T: ...

    @overload
    def read(self, name: str | bytes, /, *args: Argument) -> Reply: ...

    def read(self, *args: Any) -> Any:
        """Execute a command now, ahead of the transaction, and return its reply.

        If one of the watched keys changes after this, the transaction is aborted. Raises as `Connection.execute`.
        """
        return self._connection.execute(*args, timeout=self._time_left(), decode=self._decode)

    def attempt(self, update: Callable[[WatchedTransaction], T]) -> T:
        """WATCH, let the caller read and decide, EXEC. Raises as `Connection.transact`."""
        connection, core = self._connection, self._connection._core
        epoch = core.watch_epoch  # asked before WATCH goes out: early costs an attempt, late an update
        try:
            connection.execute(self._loop.watch, timeout=self._time_left())
            result = update(self)
            if len(self):
                self._run(self._deadline, lambda slot: core.submit_watched(slot, epoch))
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


def _reentered() -> LocalProtocolError:
    return LocalProtocolError(
        "this thread is already inside a call on this connection: a signal handler or finaliser must not use it"
    )
