"""Bytes to values: incremental at every byte, strict, limited, and iterative.

The grammar is `Grammar`'s; this is what a connection sees of it: replies in lists, as many as it wants at a time, skipped or in
parts where it says so. A feed that is one small reply, as in request and response, takes a short cut past all of that.

Nothing that the peer sends raises: the replies before a bad byte are returned, and the error is kept for the caller that asks.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from .._errors import LocalProtocolError, RemoteProtocolError
from .fastpath import COUNTS, LARGE, LENGTHS, SCALARS, few, several, whole
from .frames import ATTRIBUTE, DESCRIBED, PUSH, STRING, TOP, Attributes
from .limits import Limits
from .scalars import gather
from .values import Push, Reply
from .windows import Windows

__all__ = ["Chunk", "Limits", "Parser"]

_LIMITS: Final = Limits()
_SMALL: Final = 8192  # bytes of a feed that is read at once if it is whole
_COLON, _DOLLAR, _SEMICOLON = b":$;"


class Chunk(NamedTuple):
    """A part of a top-level bulk string, and whether it was the last one (which may be empty)."""

    data: bytes
    last: bool


class Parser(Windows):
    """One direction of one connection's bytes, as values.

    `lenient_push` lets a push stand inside an aggregate (Redis 6 with CLIENT TRACKING sent some); it is returned before the reply
    that it interrupts. `nested_attributes` has values inside an aggregate that an attribute describes returned as `Attributed`;
    otherwise such attributes are read and left out. Those of top-level replies are always in `attributes`.

    Of the list that was returned last, `pushes` says how many `Push` values are in it, and `attributes` holds those of its members
    by index.
    """

    __slots__ = ("_held", "quiet", "_unfinished", "error")
    pushes: int
    attributes: dict[int, Attributes]

    quiet: bool

    def __init__(
        self, limits: Limits = _LIMITS, *, lenient_push: bool = False, nested_attributes: bool = False
    ) -> None:
        super().__init__(limits, lenient_push=lenient_push, nested_attributes=nested_attributes)
        self.error: RemoteProtocolError | None = None
        """Set when the stream is broken. Replies that were complete before the bad byte are returned; then nothing, ever."""
        self.quiet = self._fast  # whether the next feed may take the short cut
        self._unfinished = ""  # what skip() or chunks() began and must end
        self._held: list[Reply] = []  # pushes met while skipping

    def feed(self, data: bytes, most: int = -1) -> list[Reply]:
        """Return the replies that `data` completes, in order, pushes in their place among them.

        At most `most` of them are not pushes (-1: no such limit). The rest stays unread, except pushes (but one that an
        attribute describes): `feed(b"", n)` goes on with it. Never raises on what the peer sent: see `error`. `data` must be
        `bytes`, which is kept, not copied.

        Raises `LocalProtocolError` if `skip` or `chunks` has begun a reply that it has not ended; `feed(b"", 0)`, which reads none,
        may be called even then.
        """
        if self.quiet and most:
            size = len(data)
            self._base += size
            if size < LARGE or (size < _SMALL and data[0] != _DOLLAR):
                tokens = data.split(b"\r\n")
                head, parts = tokens[0], len(tokens)
                if parts == 3 and LENGTHS.get(head) == len(tokens[1]) and not tokens[2]:
                    return [tokens[1]]
                if parts == 2 and not tokens[1]:
                    if head in SCALARS:
                        return [SCALARS[head]]
                    digits = head[1:]
                    if digits.isdigit() and head[0] == _COLON and size < 22:
                        return [int(digits)]
                elif head in SCALARS:
                    if (found := few(tokens, most)) is not None:
                        return found
                elif (count := COUNTS.get(head)) is not None and parts == 2 * count + 2 and not tokens[-1]:
                    bodies = tokens[2:-1:2]
                    at = 1
                    for body in bodies:
                        if LENGTHS.get(tokens[at]) != len(body):
                            break
                        at += 2
                    else:
                        return [bodies]
                read = several(tokens, most, self._limits.depth)
            elif data[0] == _DOLLAR and (bulk := whole(data, self._limits.bulk)) is not None:
                return [bulk]
            else:
                read = several(data.split(b"\r\n"), most, self._limits.depth) if size < _SMALL else None
            if read is not None:
                replies, self.pushes = read
                self.quiet = not self.pushes
                return replies
            self._base -= size
        elif self.pushes or self.attributes:
            self.pushes, self.attributes = 0, {}
            self.quiet = self._may_hurry()
            return self.feed(data, most)
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
        self.quiet = self._may_hurry()
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
        self.pushes = len(out)
        self.attributes = {}
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
        self.quiet = self._may_hurry()

    def _may_hurry(self) -> bool:
        """Whether the next feed may take the short cut: nothing is unread, unfinished, held back, or to be reset."""
        pending = self._window or self._stack or self._need or self._line or self._held
        seen = self.pushes or self.attributes
        return self._fast and self.error is None and not (pending or seen)

    def _in_push(self) -> bool:
        return (self._stack[1][2] if len(self._stack) > 1 else self._kind) == PUSH
