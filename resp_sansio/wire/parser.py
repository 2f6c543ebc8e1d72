"""Bytes to values: incremental at every byte, strict, limited, and iterative.

The grammar is `Grammar`'s; this is what a connection sees of it: replies in lists, as many as it wants at a time, skipped or in
parts where it says so. A feed that is one small reply, as in request and response, takes a short cut past all of that.

Nothing that the peer sends raises: the replies before a bad byte are returned, and the error is kept for the caller that asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .._errors import RemoteProtocolError
from .fastpath import COUNTS, LARGE, LENGTHS, SCALARS, SHORT, SPAN, alone, few, several, whole
from .frames import Attributes
from .limits import Limits
from .stream import Chunk, Stream
from .values import Reply

__all__ = ["Chunk", "Limits", "Parser"]

_LIMITS: Final = Limits()
_SMALL: Final = 8192  # bytes of a feed that is read at once if it is whole
_COLON, _DOLLAR = b":$"
NO_ATTRIBUTES: Final[Mapping[int, Attributes]] = {}


class Parser:
    """One direction of one connection's bytes, as values.

    `lenient_push` lets a push stand inside an aggregate (Redis 6 with CLIENT TRACKING sent some); it is returned before the reply
    that it interrupts. `nested_attributes` has values inside an aggregate that an attribute describes returned as `Attributed`;
    otherwise such attributes are read and left out. Those of top-level replies are always in `attributes`.

    Of the list that was returned last, `pushes` says how many `Push` values are in it, and `attributes` holds those of its members
    by index.
    """

    __slots__ = (
        "_fast", "_limits", "_nested", "_stream", "_taken",
        "attributes", "error", "lenient_push", "pushes", "quiet",
    )  # fmt: skip

    def __init__(
        self, limits: Limits = _LIMITS, *, lenient_push: bool = False, nested_attributes: bool = False
    ) -> None:
        self._limits = limits
        self.lenient_push: bool = lenient_push
        self._nested = nested_attributes
        self.pushes: int = 0
        self.attributes: Mapping[int, Attributes] = NO_ATTRIBUTES
        self.error: RemoteProtocolError | None = None
        """Set when the stream is broken. Replies that were complete before the bad byte are returned; then nothing, ever."""
        # The accelerators know nothing of limits, so they need room for the largest that they read.
        self._fast = min(limits.bulk, limits.line, limits.elements // 2) >= SHORT and limits.reply >= SPAN
        self.quiet: bool = self._fast  # whether the next feed may take the short cut
        self._stream: Stream | None = None  # made for what can't take it
        self._taken = 0  # bytes that took it since then

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
            self._taken += size
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
            self._taken -= size
        elif self.pushes or self.attributes:
            self.pushes, self.attributes = 0, NO_ATTRIBUTES
            self.quiet = self._fast and self.error is None and self.idle
            return self.feed(data, most)
        stream = self._go_on()
        out = stream.feed(data, most)
        self._take_note(stream)
        return out

    def drop(self) -> None:
        """Let go of what has come of the reply that is being read, if one is: no caller waits for it, and `skip` is to end it."""
        self._go_on().drop()

    def outline(self, data: bytes) -> list[Reply]:
        """As `feed(data, 1)`, for a reply that no caller waits for: of an array only the number of its elements, each as None.

        Scalars are as they came, but for bulks, and texts that are large; of other aggregates nothing is said but that they came.
        Go on with `outline`, or `skip`, until it is whole.
        """
        stream = self._go_on()
        out = stream.outline(data)
        self._take_note(stream)
        return out

    def skip(self, data: bytes, count: int) -> int:
        """Read and drop `count` replies without building them; return how many of them were completed now.

        As long as that is fewer than asked for, go on with `skip`. Pushes are not dropped and do not count: those met meanwhile are
        returned by the next `feed` or `chunks`, before what these read (`feed(b"", 0)` returns them without reading a reply). What
        describes them is dropped.
        """
        if self.quiet and count == 1 and alone(data):
            self._taken += len(data)
            return 1
        stream = self._go_on()
        completed = stream.skip(data, count)
        self._take_note(stream)
        return completed

    def chunks(self, data: bytes) -> list[Chunk | Reply]:
        """Read one reply: a bulk string in the parts that have come, anything else whole, and pushes that stand around it.

        A part is a `Chunk`; go on until one says that it is the last (or another value came). The rest stays unread.

        Raises `LocalProtocolError` if `skip` has begun a reply that it has not ended.
        """
        stream = self._go_on()
        found = stream.chunks(data)
        self._take_note(stream)
        return found

    @property
    def needed(self) -> int:
        """How many more bytes complete the bulk that is being read, its line break included; 0 if none is."""
        return 0 if self._stream is None else self._stream.needed

    @property
    def idle(self) -> bool:
        """Whether everything that came was read and returned: nothing is unread, incomplete, or held back."""
        return self._stream is None or self._stream.idle

    @property
    def begins_reply(self) -> bool:
        """Whether the beginning of a reply has come: of anything but a push, or of an attribute that may describe one."""
        return self._stream is not None and self._stream.begins_reply

    def _go_on(self) -> Stream:
        """Return the stream, as far as it has come."""
        stream = self._stream
        if stream is None:
            stream = self._stream = Stream(
                self._limits, lenient_push=self.lenient_push, nested_attributes=self._nested, fast=self._fast
            )
        stream.lenient_push = self.lenient_push
        stream._base += self._taken
        self._taken = 0
        return stream

    def _take_note(self, stream: Stream) -> None:
        """Say what came of the stream, and whether the next feed may take the short cut: nothing is left, nor to be reset."""
        self.pushes, self.attributes, self.error = stream.pushes, stream.attributes, stream.error
        self.quiet = self._fast and self.error is None and stream.idle and not (self.pushes or self.attributes)
