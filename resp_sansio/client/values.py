"""Large values, a chunk at a time: read as one value or not at all, written beside their key and moved there whole.

Reading asks for ranges of a key that is watched. EXEC at the end says whether the key was changed meanwhile: only then is the last
chunk handed out, so a caller that has them all has one value. Writing appends to a temporary key, which the server lets expire if
no more comes, and which takes the place of the key in one transaction.

A machine here says what to send and reads what came; it knows neither connections nor time, but what it is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import inf
from typing import Final, cast

from .._errors import (
    CommandTimeoutError,
    NoSuchKeyError,
    Outcome,
    ReplyError,
    RespError,
    TornValueError,
    TransactionAbortedError,
    TransactionDiscardedError,
    UnexpectedReplyError,
)
from ..commands.arguments import condition, exclusive, is_int
from ..commands.knowledge import prepare
from ..config.config import Config
from ..connection.slot import Batch, Slot
from ..connection.stateful import new_batch, new_slot
from ..wire.encoder import Argument, encode_command
from ..wire.values import Reply
from .batch import ATTEMPTS, read_transaction
from .call import Default, error_of, seconds_allowed
from .hash_slots import beside

__all__ = ["AHEAD", "CHUNK", "UNFINISHED", "Chunks", "TimeAllowed", "ValueReader", "ValueWriter", "not_written"]

CHUNK: Final = 1024 * 1024
"""Bytes that are asked for, or sent, at a time: fewer cost round trips, and more keep the server's other callers waiting."""

AHEAD: Final = 2
"""Chunks that are under way at a time."""

UNFINISHED: Final = 300.0
"""Seconds for which the server keeps a value of which no more is written, as after the end of a process."""

NO_TEXT: Final = "a value is written as bytes, and its source gave str: encode it, or open the file in binary mode"

ELSEWHERE: Final = frozenset({"ASK", "MOVED", "TRYAGAIN"})

MOST_MOVES: Final = 15
"""How often a value is begun anew because its hash slot went elsewhere."""

PAUSE: Final = 0.05
"""Seconds by which the pauses grow for which a slot is waited for that is on its way."""

HEAD: Final = len(b"*2\r\n$3\r\nGET\r\n")


class TimeAllowed:
    """How long the steps of a conversation may take: each what is configured, or all together what the caller gave."""

    __slots__ = ("_each", "_whole")

    def __init__(self, config: Config, timeout: float | None | Default, now: float) -> None:
        """Raises as `seconds_allowed`."""
        allowed = seconds_allowed(config, timeout)
        by_step = isinstance(timeout, Default)
        self._each = allowed if by_step else inf
        self._whole = inf if by_step else now + allowed

    def until(self, now: float) -> float:
        """Return the deadline of a step that begins now. Raises `CommandTimeoutError` if the time for all is up."""
        if now >= self._whole:
            raise CommandTimeoutError("the time for the whole value is up", outcome=Outcome.NOT_SENT)
        return min(self._whole, now + self._each)


class ValueReader:
    """Reads one value: send `opening`, then what `next` returns while it returns something, then `check`."""

    __slots__ = ("_ahead", "_asked", "_chunk_size", "_key", "_under_way", "position", "size")

    size: int

    def __init__(self, key: Argument, chunk_size: int, ahead: int) -> None:
        """Raises `TypeError` or `ValueError` for wrong arguments."""
        self._key = sent_as(key)
        self._chunk_size = at_least_one("chunk_size", chunk_size)
        self._ahead = at_least_one("ahead", ahead)
        self._asked = 0  # bytes that were asked for
        self._under_way: list[int] = []  # how many each reply that is to come will have
        self.position: int = 0  # bytes that came

    def opening(self) -> Batch:
        """Return what is sent first: the key is watched from here on."""
        return batch(("WATCH", self._key), ("STRLEN", self._key), ("EXISTS", self._key))

    def opened(self, replies: Sequence[Reply]) -> None:
        """Take its replies. Raises the server's `ReplyError`, `NoSuchKeyError` if there is no such key."""
        watched, size, exists = raised(replies)
        if watched != "OK" or not isinstance(size, int) or not isinstance(exists, int):
            raise UnexpectedReplyError("read_value: the server answered WATCH, STRLEN and EXISTS as no server does")
        if not exists:
            raise NoSuchKeyError("read_value: there is no such key")
        self.size = size

    def next(self) -> Slot | None:
        """Return the next range to ask for; None while enough are under way, and when all were asked for."""
        length = min(self._chunk_size, self.size - self._asked)
        if not length or len(self._under_way) >= self._ahead:
            return None
        slot = new_slot(("GETRANGE", self._key, self._asked, self._asked + length - 1))
        self._asked += length
        self._under_way.append(length)
        return slot

    def came(self, chunk: Reply) -> bytes:
        """Take the oldest range under way. Raises `TornValueError` if it is no part of what was there at the beginning."""
        length = self._under_way.pop(0)
        if isinstance(chunk, ReplyError) and is_elsewhere(chunk):
            raise TornValueError(
                f"the hash slot of the value went to another server while it was read: {self.position} of {self.size} bytes had"
                " come; read it again"
            ) from chunk
        if isinstance(chunk, ReplyError) and chunk.code != "WRONGTYPE":
            raise chunk
        if not isinstance(chunk, bytes) or len(chunk) != length:
            raise self.torn()
        self.position += length
        return chunk

    @staticmethod
    def check() -> Batch:
        """Return what is sent when all came, while the WATCH stands: an EXEC that does nothing."""
        return batch(("MULTI",), ("EXEC",))

    def checked(self, replies: Sequence[Reply]) -> None:
        """Take its replies. Raises `TornValueError` if the key was changed meanwhile, and as `read_transaction`."""
        try:
            read_transaction(replies, ())
        except TransactionAbortedError:
            torn = self.torn()
        else:
            return
        raise torn

    def torn(self) -> TornValueError:
        """Return what is told of a value that is not one."""
        return TornValueError(
            f"the value was changed while it was read: {self.position} of {self.size} bytes had come; read it again"
        )


class ValueWriter:
    """Writes one value: `chunk` by `chunk`, each answer to `took`; then `look` and `publish` until that was done.

    `token` makes the name of the temporary key a name of its own. While something of it is on the server it is
    `begun`: when it is given up then, `removal` is sent.
    """

    __slots__ = (
        "_asked", "_attempt", "_conditions", "_expiry", "_keeps", "_key", "_kept", "_lengths", "_unfinished", "begun",
        "temporary",
    )  # fmt: skip

    def __init__(
        self,
        key: Argument,
        token: str,
        *,
        ex: int | None = None,
        px: int | None = None,
        nx: bool = False,
        xx: bool = False,
        keepttl: bool = False,
        unfinished: float = UNFINISHED,
    ) -> None:
        """Raises `TypeError` or `ValueError` for wrong arguments."""
        self._key = sent_as(key)
        expiry = exclusive("write_value", ex=ex, px=px, keepttl=keepttl)
        self._keeps = expiry == ["KEEPTTL"]
        self._expiry: tuple[Argument, ...] = ()
        if expiry and not self._keeps:
            at_least_one(str(expiry[0]).lower(), expiry[1])
            self._expiry = ("EXPIRE" if expiry[0] == "EX" else "PEXPIRE", expiry[1])
        self._conditions = condition("write_value", nx, xx)
        if isinstance(unfinished, bool) or not isinstance(unfinished, (int, float)):
            raise TypeError(f"unfinished must be a number of seconds, not {type(unfinished).__name__}")
        if not 0.001 <= unfinished <= 1e9:
            raise ValueError(f"unfinished must be between a millisecond and a billion seconds, and is {unfinished!r}")
        self._unfinished = unfinished
        self._asked = 0  # bytes that were sent
        self._lengths: list[int] = []  # how many there will be after each reply that is to come
        self._kept: Reply = None  # PTTL of the key, as it was last looked at
        self._attempt = 0
        self.begun: bool = False
        self.temporary: bytes = beside(self._key, f".unfinished-{token}".encode())

    # -- the chunks ------------------------------------------------------------------------------------------------------

    def chunk(self, data: bytes) -> Batch:
        """Return what sends the next chunk. Wherever it is cut off, what is there expires, even if the chunks before it have.

        Unless they vanish between two of these commands, and it is cut off there.
        """
        self._asked += len(data)
        self._lengths.append(self._asked)
        key, expiry = self.temporary, round(self._unfinished * 1000)
        if not self.begun:
            self.begun = True
            return batch(("SET", key, data, "PX", expiry))
        return batch(("SET", key, b"", "PX", expiry, "NX"), ("APPEND", key, data), ("PEXPIRE", key, expiry))

    def took(self, replies: Sequence[Reply]) -> None:
        """Take the replies to the oldest chunk under way. Raises the server's `ReplyError`, `TornValueError` if others are gone."""
        length = self._lengths.pop(0)
        first, *more = raised(replies)
        if more[0] != length if more else first != "OK":
            raise self._vanished()

    def _vanished(self) -> TornValueError:
        return TornValueError(
            f"the server has lost what was written of the value, {self._asked} bytes: it was evicted, flushed, or has expired"
            f" because no more was written for {self._unfinished:g} s (see unfinished); its key was not touched",
            outcome=Outcome.NOT_SENT,
        )

    # -- the end -----------------------------------------------------------------------------------------------------------

    def forecast(self) -> Batch | None:
        """Return what asks, before anything is sent, whether the value may be written at all; None if it always may."""
        return batch(("PTTL", self._key)) if self._conditions else None

    def look(self) -> Batch | None:
        """Return what asks for all that is to be known of the key, and watches it; None if nothing is to be known."""
        return batch(("WATCH", self._key), ("PTTL", self._key)) if self._conditions or self._keeps else None

    def looked(self, replies: Sequence[Reply]) -> bool:
        """Take its replies: may the value be written? Raises the server's `ReplyError`."""
        *_, self._kept = raised(replies)
        exists = self._kept != -2
        return exists if self._conditions == ["XX"] else not exists if self._conditions else True

    def publish(self) -> Batch:
        """Return what puts the value under its key, whole and at once, with its expiry."""
        expiry = self._expiry
        if self._keeps and isinstance(self._kept, int) and self._kept >= 0:
            expiry = ("PEXPIRE", max(self._kept, 1))
        first = (expiry[0], self.temporary, expiry[1]) if expiry else ("PERSIST", self.temporary)
        return batch(("MULTI",), first, ("RENAME", self.temporary, self._key), ("EXEC",))

    def published(self, slot: Batch) -> bool:
        """Take its end: was it done? False if the key was changed since `look`, which is to be tried again.

        Raises as `read_transaction`, `TransactionAbortedError` after many attempts, and the server's `ReplyError`.
        """
        try:
            _, renamed = read_transaction(slot.replies, slot.infos[1:-1])
        except TransactionAbortedError:
            self.lost_race()
            return False
        if isinstance(renamed, ReplyError) and "no such key" in renamed.message:
            raise self._vanished()
        if isinstance(renamed, ReplyError):
            raise renamed
        self.begun = False
        return True

    def lost_race(self) -> None:
        """The key was changed since `look`. Raises `TransactionAbortedError` if that happened too often."""
        self._attempt += 1
        if self._attempt >= ATTEMPTS:
            raise TransactionAbortedError(f"the key was changed each time it was looked at, {ATTEMPTS} times")

    def removal(self) -> Slot:
        """Return what removes all that was written."""
        return new_slot(("UNLINK", self.temporary))


class Chunks:
    """Pieces of any length, cut and joined to chunks of one length."""

    __slots__ = ("_rest", "_size")

    def __init__(self, size: int) -> None:
        """Raises `TypeError` or `ValueError` for what is no size."""
        self._size = at_least_one("chunk_size", size)
        self._rest = bytearray()

    def feed(self, piece: object) -> Iterator[bytes]:
        """Take a piece, and go through the chunks that are full now: nothing is kept of it afterwards.

        Raises `TypeError` for what is no bytes.
        """
        if isinstance(piece, bytes) and len(piece) == self._size and not self._rest:
            yield piece
            return
        if isinstance(piece, str):
            raise TypeError(NO_TEXT)
        with memoryview(cast("bytes", piece)) as given, given.cast("B") as view:
            at = 0
            while at < len(view):
                end = at + self._size - len(self._rest)
                self._rest += view[at:end]
                at = end
                if len(self._rest) == self._size:
                    full = bytes(self._rest)
                    self._rest.clear()
                    yield full

    def rest(self) -> bytes:
        """Return what is left over."""
        return bytes(self._rest)


def pieces_of(source: object) -> Iterable[object]:
    """Return what to write, piece by piece: bytes are one. Raises `TypeError` for what is no source."""
    if isinstance(source, str):
        raise TypeError(NO_TEXT)
    try:
        memoryview(cast("bytes", source)).release()
    except TypeError:
        if isinstance(source, Iterable):
            return source
        what = f"a value is written from bytes, a file, or an iterable of bytes, not from {type(source).__name__}"
    else:
        return (source,)
    raise TypeError(what)


def ended(piece: object) -> bool:
    """Is this what a file reads at its end?"""
    return isinstance(piece, (bytes, bytearray, memoryview)) and not piece


def batch(*commands: Sequence[Argument]) -> Batch:
    """Return a slot for commands that are sent together."""
    prepared = [prepare(words) for words in commands]
    return new_batch([payload for payload, _ in prepared], [info for _, info in prepared])


def raised(replies: Sequence[Reply]) -> Sequence[Reply]:
    """Return the replies, or raise the first that is an error."""
    for reply in replies:
        if isinstance(reply, ReplyError):
            raise reply
    return replies


def is_elsewhere(error: Exception) -> bool:
    """Does a server say so that the hash slot of the key is another's, or on its way there? Nothing was done then."""
    if isinstance(error, TransactionDiscardedError):
        return any([is_elsewhere(one) for one in (error.reason, *[failure.error for failure in error.failures])])
    return isinstance(error, ReplyError) and error.code in ELSEWHERE


def pause_after(moves: int) -> float:
    """Return how many seconds to wait after so many moves: a slot that is on its way is to arrive."""
    return PAUSE * (moves - 1)


def went_elsewhere() -> TornValueError:
    """Return what is told of a value whose hash slot went to another server while it was written."""
    return TornValueError(
        "the hash slot of the key went to another server while the value was written; nothing was written under the key: write it"
        " again",
        outcome=Outcome.NOT_SENT,
    )


def not_written(slot: Slot) -> Exception:
    """Return what is told of a step that was lost before anything could stand under the key: the value was not written."""
    error = error_of(slot)
    if isinstance(error, RespError):
        error.outcome = Outcome.NOT_SENT
        error.args = (f"write_value: {slot.cause}; nothing was written under the key",)
    return error


def sent_as(key: Argument) -> bytes:
    """Return a key as the encoder sends it. Raises `TypeError` as that does."""
    payload = encode_command(("GET", key))
    data = payload if isinstance(payload, bytes) else b"".join(payload)
    return data[data.index(b"\n", HEAD) + 1 : -2]


def at_least_one(name: str, value: object) -> int:
    """Return it, if it is a number of things. Raises `TypeError` or `ValueError`."""
    if not is_int(value):
        raise TypeError(f"{name} must be an int, not {type(value).__name__}")
    number = cast("int", value)
    if number < 1:
        raise ValueError(f"{name} must be at least 1, and is {number}")
    return number
