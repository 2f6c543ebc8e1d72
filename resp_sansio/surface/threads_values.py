"""Large values for threads: read and written a chunk at a time, some chunks ahead, on a link of one's own. The text of
`tasks_values` in another colour.

What is sent, and what is made of the replies, is decided in `client.values`. Here it is carried out: a chunk is begun ahead, and
has its time from when it is waited for, so a slow caller costs no call its time.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeAlias

from .._errors import (
    ConnectionClosedError,
    ConnectionLostError,
    LocalProtocolError,
    Outcome,
    ReplyError,
    RespError,
    TransactionAbortedError,
)
from ..client.call import DEFAULT, Default, error_of
from ..commands.decoding import S
from ..connection.slot import Batch, Slot
from ..connection.stateful import new_slot
from ..wire.encoder import Argument
from ..wire.values import Reply
from .base import ANSWERED, CommandsBase, ConnectionBase
from .threads_driver import Driver

if TYPE_CHECKING:
    from ..client.values import Chunks, TimeAllowed, ValueReader, ValueWriter

__all__ = ["Piece", "Readable", "Source", "ValueStream", "Values"]

Piece: TypeAlias = bytes | bytearray | memoryview
"""Some bytes of a value."""


class Readable(Protocol):
    """A file of bytes."""

    @abstractmethod
    def read(self, size: int, /) -> Piece:
        """Read so many bytes at most; none at the end."""


Source: TypeAlias = Piece | Readable | Iterable[Piece]
"""Where the bytes of a value come from."""


class Values(CommandsBase[Driver, S]):
    """What can read and write large values."""

    __slots__ = ()

    @abstractmethod
    def _alone(self, deadline: float, at: Any) -> AbstractContextManager[ConnectionBase[Any, Any]]:
        """Return a connection on which a WATCH holds, for the length of a block; where that is to be, `_at` says."""

    def _find(self, key: Argument, time: TimeAllowed) -> None:
        """Of several servers, learn which one has the key now: what follows on its connection is sent nowhere else."""
        if self._routed:
            slot = new_slot(("EXISTS", key), None, time.until(self._driver.now()))
            self._calls.call(slot, self._lease)

    def read_value(
        self, key: Argument, *, chunk_size: int = 1048576, ahead: int = 2, timeout: float | None | Default = DEFAULT
    ) -> AbstractContextManager[ValueStream]:
        """Read a value without having it in memory whole: a `with` block, in which a `for` gets its chunks.

        They are of `chunk_size` bytes, the last one excepted, and up to `ahead` of them are under way. The last one comes only
        once it is known that all are of one value. `timeout` covers the whole; if it is not given, each step has the client's.

        Entering the block raises `NoSuchKeyError`, the server's `ReplyError` (WRONGTYPE), and as `execute`; the iteration
        `TornValueError` if the key was changed meanwhile.
        """
        from ..client.values import TimeAllowed, ValueReader

        reader = ValueReader(key, chunk_size, ahead)
        return self._reading(reader, key, TimeAllowed(self._config, timeout, self._driver.now()))

    @contextmanager
    def _reading(self, reader: ValueReader, key: Argument, time: TimeAllowed) -> Iterator[ValueStream]:
        from ..client.values import MOST_MOVES, is_elsewhere, pause_after

        moves = 0
        while True:
            self._find(key, time)
            with self._alone(time.until(self._driver.now()), self._at((key,))) as connection:
                stream = ValueStream(Talk(connection, time), reader)
                try:
                    try:
                        stream._open()
                    except ReplyError as error:
                        moves += 1
                        if not self._routed or moves > MOST_MOVES or not is_elsewhere(error):
                            raise
                    else:
                        yield stream
                        return
                finally:
                    stream._close()
            self._driver.pause(pause_after(moves))  # the slot was moved since it was found

    def write_value(
        self,
        key: Argument,
        source: Source,
        *,
        ex: int | None = None,
        px: int | None = None,
        nx: bool = False,
        xx: bool = False,
        keepttl: bool = False,
        chunk_size: int = 1048576,
        ahead: int = 2,
        unfinished: float = 300.0,
        timeout: float | None | Default = DEFAULT,
    ) -> bool:
        """Write a value without having it in memory whole, and return whether it was written; options are as for `set`.

        `source` is bytes, a file of bytes, or an iterable of bytes. The value is written to a temporary
        key, `ahead` chunks of `chunk_size` at a time, and takes the place of `key` at the end, whole and at once. If this process
        ends before, the server removes the temporary key `unfinished` seconds after the last chunk.

        `timeout` covers the whole; if it is not given, each step has the client's. Raises what the source raises, `TornValueError`
        if the server has lost what was written, and as `execute`; the key is as it was then, unless `outcome` is MAYBE_EXECUTED.
        """
        from ..client.values import (
            MOST_MOVES,
            Chunks,
            TimeAllowed,
            ValueWriter,
            at_least_one,
            is_elsewhere,
            pause_after,
            went_elsewhere,
        )

        time = TimeAllowed(self._config, timeout, self._driver.now())
        at_least_one("ahead", ahead)
        moves = 0
        while True:
            token = self._driver.machine.token()
            writer = ValueWriter(key, token, ex=ex, px=px, nx=nx, xx=xx, keepttl=keepttl, unfinished=unfinished)
            chunks = Chunks(chunk_size)
            self._find(key, time)
            with self._alone(time.until(self._driver.now()), self._at((key,))) as connection:
                upload = Upload(Talk(connection, time), writer, chunks, ahead)
                try:
                    return upload.run(source, chunk_size)
                except Exception as error:
                    upload.remove()
                    if not self._routed or not is_elsewhere(error):
                        raise
                    moves += 1
                    self._remove(writer, time)
                    again = not upload.taken or isinstance(source, (bytes, bytearray, memoryview))
                    if moves > MOST_MOVES or not again:
                        raise went_elsewhere() from error
                finally:
                    upload.close()
            self._driver.pause(pause_after(moves))

    def _remove(self, writer: ValueWriter, time: TimeAllowed) -> None:
        """Remove what was written, wherever it is now; if that can't be, it expires."""
        with suppress(RespError):
            slot = writer.removal()
            slot.deadline = time.until(self._driver.now())
            self._calls.call(slot, self._lease)


class Talk:
    """Calls on one connection: some are begun ahead, and waited for in their order."""

    __slots__ = ("_by", "_time", "driver", "under_way")

    def __init__(self, by: ConnectionBase[Any, Any], time: TimeAllowed) -> None:
        self._by = by
        self._time = time
        self.driver: Driver = by._driver
        self.under_way: list[Slot] = []

    @property
    def now(self) -> float:
        """The time."""
        return self.driver.now()

    @property
    def epoch(self) -> int:
        """What ends a WATCH on this connection changes this."""
        return self._by._link.core.watch_epoch

    def unwatch(self) -> None:
        """End a WATCH."""
        self._by._unwatch()

    def begin(self, slot: Slot) -> None:
        """Begin a call; its time begins when it is waited for."""
        self._time.until(self.now)
        self.under_way.append(slot)
        try:
            self._by._calls.ahead(slot, self._by._lease)
        except ConnectionClosedError as error:
            raise lost_between(error) from error.__cause__

    def end(self) -> Slot:
        """Wait for the end of the call that was begun first."""
        slot, deadline = self.under_way[0], self._time.until(self.now)
        if slot.state is not ANSWERED:
            self.driver.change("values", lambda machine, now: machine.limit(slot, deadline, now))
        self._by._calls.finish(slot)
        del self.under_way[0]
        return slot

    def ask(self, slot: Slot, epoch: int | None = None) -> None:
        """Make a call that others do not go along with."""
        slot.deadline = self._time.until(self.now)
        try:
            self._by._calls.call(slot, self._by._lease if epoch is None else self._by._loan, epoch)
        except ConnectionClosedError as error:
            raise lost_between(error) from error.__cause__

    def leave_behind(self, slot: Slot) -> None:
        """Begin a call that no caller waits for; if the connection has ended, there is none."""
        with suppress(RespError):
            self.driver.ahead(slot, self._by._loan)

    def leave(self) -> None:
        """Wait for none of them any more."""
        for slot in self.under_way:
            self._by._calls.give_up(slot)
        self.under_way.clear()


class ValueStream:
    """A large value, as chunks to iterate over, once, within a `with` block: made by `read_value`."""

    __slots__ = ("_epoch", "_reader", "_talk", "_usable", "_whole")

    def __init__(self, talk: Talk, reader: ValueReader) -> None:
        self._talk = talk
        self._reader = reader
        self._epoch = (
            talk.epoch
        )  # asked before WATCH goes out: early costs an attempt, late a change that no one notices
        self._usable = True
        self._whole = False  # have all chunks come, and are they known to be of one value?

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.position} of {self.size} bytes>"

    @property
    def size(self) -> int:
        """How many bytes the value has."""
        return self._reader.size

    @property
    def position(self) -> int:
        """How many of them have come."""
        return self._reader.position

    def _open(self) -> None:
        slot = self._reader.opening()
        self._talk.ask(slot)
        self._reader.opened(answer_of(slot))
        self._whole = not self.size

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        reader = self._reader
        if self._whole:
            raise StopIteration
        if not self._usable:
            raise LocalProtocolError("this value can't be read any further: an error, or its block, has ended that")
        self._usable = False
        self._fill()
        slot = self._talk.end()
        if slot.state is not ANSWERED:
            raise error_of(slot)
        chunk = reader.came(slot.reply)
        self._fill()  # while the caller has this one
        if reader.position == reader.size:
            self._check()
            self._whole = True
        self._usable = True
        return chunk

    def _fill(self) -> None:
        while (slot := self._reader.next()) is not None:
            self._talk.begin(slot)

    def _check(self) -> None:
        slot = self._reader.check()
        try:
            self._talk.ask(slot, self._epoch)
        except TransactionAbortedError as error:  # another caller of this connection has ended the WATCH
            raise self._reader.torn() from error
        self._reader.checked(answer_of(slot))

    def _close(self) -> None:
        self._usable = False
        self._talk.leave()
        if self._talk.epoch == self._epoch:
            self._talk.unwatch()


class Upload:
    """A large value that is being written."""

    __slots__ = ("_ahead", "_chunks", "_epoch", "_talk", "_writer", "taken")

    def __init__(self, talk: Talk, writer: ValueWriter, chunks: Chunks, ahead: int) -> None:
        self._talk = talk
        self._writer = writer
        self._chunks = chunks
        self._ahead = ahead
        self._epoch: int | None = None  # that of a WATCH
        self.taken: bool = False  # something of the source was

    def run(self, source: Source, chunk_size: int) -> bool:
        """Write it. Raises as `write_value`."""
        writer = self._writer
        forecast = writer.forecast()
        if forecast is not None and not writer.looked(self._ask(forecast)):
            return False
        self.taken = True
        self._take_all(source, chunk_size)
        rest = self._chunks.rest()
        if rest or not writer.begun:
            self._send(rest)
        while self._talk.under_way:
            self._took()
        return self._publish()

    def _take_all(self, source: Any, chunk_size: int) -> None:
        from ..client.values import ended, pieces_of

        if hasattr(source, "read"):
            while True:
                piece = source.read(chunk_size)
                if ended(piece):
                    break
                self._take(piece)
        else:
            for piece in pieces_of(source):
                self._take(piece)

    def _take(self, piece: object) -> None:
        for chunk in self._chunks.feed(piece):
            self._send(chunk)

    def _send(self, chunk: bytes) -> None:
        if len(self._talk.under_way) >= self._ahead:
            self._took()
        self._talk.begin(self._writer.chunk(chunk))

    def _took(self) -> None:
        slot = self._talk.end()
        self._writer.took(self._answer(slot))

    def _ask(self, slot: Batch) -> list[Reply]:
        self._talk.ask(slot)
        return self._answer(slot)

    @staticmethod
    def _answer(slot: Slot) -> list[Reply]:
        from ..client.values import not_written

        if slot.state is not ANSWERED:
            raise not_written(slot)
        assert isinstance(slot, Batch)
        return slot.replies

    def _publish(self) -> bool:
        writer = self._writer
        while True:
            look = writer.look()
            if look is not None:
                self._epoch = self._talk.epoch
                if not writer.looked(self._ask(look)):
                    self.remove()
                    return False
            slot = writer.publish()
            try:
                self._talk.ask(slot, self._epoch)
            except TransactionAbortedError:  # another caller of this connection has ended the WATCH
                writer.lost_race()
                continue
            answer_of(slot)
            if writer.published(slot):
                return True

    def remove(self) -> None:
        """Remove what was written; if that can't be, it expires."""
        self._talk.leave()
        if self._writer.begun:
            with suppress(RespError):
                self._talk.begin(self._writer.removal())
                self._writer.begun = self._talk.end().state is not ANSWERED

    def close(self) -> None:
        """Leave nothing behind, without waiting for it."""
        self._talk.leave()
        if self._writer.begun:
            self._talk.leave_behind(self._writer.removal())
        if self._epoch is not None and self._epoch == self._talk.epoch:
            self._talk.unwatch()


def lost_between(error: ConnectionClosedError) -> RespError:
    """Return what is told of a step that was not sent because the connection had been lost since the one before it."""
    lost = isinstance(error.__cause__, ConnectionLostError)
    return ConnectionLostError(str(error), outcome=Outcome.NOT_SENT) if lost else error


def answer_of(slot: Batch) -> list[Reply]:
    """Return what the commands were answered. Raises why they were not."""
    if slot.state is not ANSWERED:
        raise error_of(slot)
    return slot.replies
