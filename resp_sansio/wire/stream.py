"""The part of a parser that most connections never need: for replies that are large, come in pieces, or are read by the piece.

Nothing that the peer sends raises: the replies before a bad byte are returned, and the error is kept for the caller that asks.
"""

from __future__ import annotations

from typing import NamedTuple

from .._errors import LocalProtocolError, RemoteProtocolError
from .frames import ATTRIBUTE, DESCRIBED, PUSH, STRING, TOP, Attributes
from .limits import Limits
from .scalars import gather
from .values import Push, Reply
from .windows import Windows

__all__ = ["Chunk", "Stream"]

_DOLLAR, _SEMICOLON = b"$;"


class Chunk(NamedTuple):
    """A part of a top-level bulk string, and whether it was the last one (which may be empty)."""

    data: bytes
    last: bool


class Stream(Windows):
    """What is read of one direction of one connection's bytes, and what is left unread: as `Parser` says, without its short cut."""

    __slots__ = ("_held", "_unfinished", "error")

    def __init__(self, limits: Limits, *, lenient_push: bool, nested_attributes: bool, fast: bool) -> None:
        super().__init__(limits, lenient_push=lenient_push, nested_attributes=nested_attributes, fast=fast)
        self.error: RemoteProtocolError | None = None
        self._unfinished = ""  # what skip() or chunks() began and must end
        self._held: list[Reply] = []  # pushes met while skipping

    def feed(self, data: bytes, most: int) -> list[Reply]:
        """As `Parser.feed`."""
        if self._unfinished and (data or most):
            raise LocalProtocolError(
                f"feed() in the middle of a reply that {self._unfinished} has begun: go on with that"
            )
        self._read(data, most)
        out, self._out = self._out, []  # not kept: an idle connection would hold its last large reply
        if self._items is out:
            self._items = self._out
        return out

    def drop(self) -> None:
        """Let go of what has come of the reply that is being read, if one is: no caller waits for it, and `skip` is to end it."""
        if self._stack or self._need:
            self._empty_frames()
            self._unfinished = "skip()"
        if self._line:
            self._shorten_line()
            if self._is_short:
                self._unfinished = "skip()"

    def outline(self, data: bytes) -> list[Reply]:
        """As `feed(data, 1)`, for a reply that no caller waits for: of an array only the number of its elements, each as None.

        Scalars are as they came, but for bulks, and texts that are large; of other aggregates nothing is said but that they came.
        Go on with `outline`, or `skip`, until it is whole.
        """
        self.drop()
        self._dropping = self._outlines = True
        self._read(data, 1)
        self._dropping = self._outlines = False
        out, self._out = self._out, []
        whole = len(out) > self.pushes  # what has begun behind it, if anything, is a push
        self._unfinished = "skip()" if not whole and (self._stack or self._need or self._is_short) else ""
        return out

    def skip(self, data: bytes, count: int) -> int:
        """Read and drop `count` replies without building them; return how many of them were completed now.

        As long as that is fewer than asked for, go on with `skip`. Pushes are not dropped and do not count: those met meanwhile are
        returned by the next `feed` or `chunks`, before what these read (`feed(b"", 0)` returns them without reading a reply). What
        describes them is dropped.
        """
        self.drop()
        held, self._held = self._held, []  # else each call would go through all of them again
        self._dropping = True
        self._read(data, count)
        self._dropping = False
        out, self._out = self._out, []
        pushes = [value for value in out if type(value) is Push]
        held += pushes
        self._held, self.pushes = held, 0
        completed = len(out) - len(pushes)
        self._unfinished = "skip()" if completed < count and (self._stack or self._need or self._is_short) else ""
        return completed

    def chunks(self, data: bytes) -> list[Chunk | Reply]:
        """Read one reply: a bulk string in the parts that have come, anything else whole, and pushes that stand around it.

        A part is a `Chunk`; go on until one says that it is the last (or another value came). The rest stays unread.

        Raises `LocalProtocolError` if `skip` has begun a reply that it has not ended.
        """
        if self._unfinished == "skip()":
            raise LocalProtocolError("chunks() in the middle of a reply that skip() has begun: go on with that")
        self._read(data, 1)
        result: list[Chunk | Reply] = list(self._out)
        for index, value in enumerate(self._out):
            if type(value) is not Push:
                if type(value) is bytes:
                    result[index] = Chunk(value, True)
                self._unfinished = ""
                return result
        if parts := self._take_parts():
            result += [Chunk(part, False) for part in parts]
            self._unfinished = "chunks()"
        return result

    def _take_parts(self) -> list[bytes]:
        """Return what has come of a top-level bulk string, and forget it."""
        parts: list[bytes] = []
        if {self._kind, *[kind for _, _, kind, _ in self._stack]} <= {TOP, DESCRIBED, STRING}:
            if self._kind == STRING:
                parts += [part for part in self._items if type(part) is bytes]
                self._items.clear()
            if self._bulk in (_DOLLAR, _SEMICOLON):
                parts += map(bytes, self._chunks)
                self._chunks.clear()
        return parts

    @property
    def _is_short(self) -> bool:
        """Is no more kept of an unfinished line than what says whether it is right?"""
        return len(self._line) == 1 and len(self._line[0]) < self._line_size

    @property
    def needed(self) -> int:
        """How many more bytes complete the bulk that is being read, its line break included; 0 if none is."""
        return self._need

    @property
    def idle(self) -> bool:
        """Whether everything that came was read and returned: nothing is unread, incomplete, or held back."""
        return not (self._window or self._line or self._need or self._stack or self._held)

    @property
    def begins_reply(self) -> bool:
        """Whether the beginning of a reply has come: of anything but a push, or of an attribute that may describe one."""
        if self._stack:
            return (self._stack[1][2] if len(self._stack) > 1 else self._kind) not in (PUSH, ATTRIBUTE, DESCRIBED)
        return bool(self._need or (self._line and self._line[0][0] not in b">|"))

    def _read(self, data: bytes, most: int) -> None:
        """Read `data`, after what is still unread, into a new `_out`."""
        out, self._held = self._held, []
        self._out = out
        self.pushes: int = len(out)
        self.attributes: dict[int, Attributes] = {}
        if self.error is not None:
            return
        if self._window:
            gather(self._later, data)
        else:
            self._window = data
        if self._stack:
            self._stack[0] = (out, most, TOP, None)
        else:
            self._items, self._left = out, most
        if most != 0 or not (self._stack or self._need) or self._in_push():
            try:
                self._read_windows()
            except RemoteProtocolError as error:
                self.error = error
                self._window, self._later, self._line, self._chunks, self._stack = b"", [], [], [], []
                self._need, self._unfinished = 0, ""

    def _in_push(self) -> bool:
        return (self._stack[1][2] if len(self._stack) > 1 else self._kind) == PUSH
