"""Commands as a server or proxy reads them: arrays of bulk strings, and the inline commands that people type into telnet.

The other direction of the protocol is a smaller language than replies are (nothing nests, nothing but bulk strings), with one
addition: a line that does not begin with `*` is a command whose words are separated by spaces and may be quoted.
"""

from __future__ import annotations

import re
from typing import Final, NoReturn

from .._errors import RemoteProtocolError
from .limits import Limits, refused
from .scalars import gather

__all__ = ["CommandParser", "split_inline"]

_LIMITS: Final = Limits(
    elements=1024 * 1024
)  # what Redis takes in one command (a smaller bulk limit is for the server to say)


class CommandParser:
    """One client's bytes, as commands. Of `limits`, `bulk`, `line` and `elements` count."""

    __slots__ = ("_args", "_base", "_chunks", "_limits", "_line", "_line_size", "_missing", "_need", "error")

    def __init__(self, limits: Limits = _LIMITS) -> None:
        self._limits = limits
        self.error: RemoteProtocolError | None = None
        """Set when the stream is broken. Commands that were complete before the bad byte are returned; then nothing, ever."""
        self._base = 0  # where in the stream the window starts
        self._line: list[bytes | bytearray | memoryview] = []  # an unfinished line
        self._line_size = 0
        self._args: list[bytes] = []  # an unfinished command, and how many bulks it lacks
        self._missing = 0
        self._chunks: list[
            bytes | bytearray | memoryview
        ] = []  # an unfinished bulk, and how many bytes it lacks with its line break
        self._need = 0

    @property
    def idle(self) -> bool:
        """Whether everything that came was read and returned."""
        return not (self._line or self._missing)

    def feed(self, data: bytes) -> list[list[bytes]]:
        """Return the commands that `data` completes, in order; empty lines and empty arrays are none. Never raises."""
        commands: list[list[bytes]] = []
        if self.error is None:
            try:
                self._read(data, commands)
            except RemoteProtocolError as error:
                self.error = error
                self._line, self._args, self._chunks, self._missing = [], [], [], 0
        return commands

    def _read(self, data: bytes, commands: list[list[bytes]]) -> None:
        if self._line:
            if b"\n" not in data:
                self._keep_line(data, 0)
                self._base += len(data)
                return
            self._base -= self._line_size
            data = b"".join([*self._line, data])
            self._line, self._line_size = [], 0
        i = 0
        while i < len(data):
            if self._need:
                i = self._read_bulk(data, i)
            else:
                end = data.find(b"\n", i)
                if end < 0:
                    self._keep_line(data, i)
                    break
                if end - i > self._limits.line + 1:
                    self._fail(f"a line of at most {self._limits.line} bytes (Limits.line)", b"", i)
                if self._missing or data[i] == 42:  # "*"
                    self._read_header(data, i, end)
                elif words := self._inline(data, i, end):
                    commands.append(words)
                i = end + 1
            if self._args and not self._missing:
                commands.append(self._args)
                self._args = []
        self._base += len(data)

    def _keep_line(self, data: bytes, i: int) -> None:
        part = data[i:]
        gather(self._line, part)
        self._line_size += len(part)
        if self._line_size > self._limits.line + 1:
            self._fail(f"a line of at most {self._limits.line} bytes (Limits.line)", b"", i)

    def _inline(self, data: bytes, i: int, end: int) -> list[bytes]:
        words = split_inline(data[i:end])
        if words is None:
            self._fail("an inline command with balanced quotes", b"", i)
        return words

    def _read_header(self, data: bytes, i: int, end: int) -> None:
        """Read the array header that begins a command, or the header of its next bulk."""
        line = data[i + 1 : end - 1]
        announced = (line.isdigit() and len(line) < 20) or (line == b"-1" and not self._missing)
        if data[end - 1 : end] != b"\r" or not announced:
            self._fail("a length in decimal digits", data, i)
        length = int(line)
        if not self._missing:
            if length > self._limits.elements:
                self._fail(f"at most {self._limits.elements} arguments (Limits.elements)", data, i)
            self._missing = max(0, length)
        elif data[i] != 36:  # "$"
            self._fail("a bulk string ($)", data, i)
        elif length > self._limits.bulk:
            self._fail(f"a bulk of at most {self._limits.bulk} bytes (Limits.bulk)", data, i)
        else:
            self._need = length + 2

    def _read_bulk(self, data: bytes, i: int) -> int:
        """Read what the bulk still lacks from index `i` on; return where that ends."""
        end = i + self._need
        part = data[i:end]
        gather(self._chunks, part)
        self._need -= len(part)
        if self._need == 0:
            body = b"".join(self._chunks)
            if not body.endswith(b"\r\n"):
                self._fail("the line break that ends a bulk", b"", max(0, end - 2))
            self._args.append(body[:-2])
            self._missing -= 1
            self._chunks = []
        return i + len(part)

    def _fail(self, expected: str, data: bytes, i: int) -> NoReturn:
        """Give up the stream, see `refused`; `data` is empty where what came may be a secret."""
        raise refused(expected, data, i, self._base)


# One word of an inline command, as Redis' own sdssplitargs() reads it: quotes may begin in the middle of a word, and end it.
_WORD: Final = re.compile(
    rb"""
    [ \t\n\v\f\r]*+ ([^ \t\n\r"']*+)
    (?: "((?:[^"\\]|\\.)*)" (?!\S) | '((?:[^'\\]|\\'|\\(?!'))*)' (?!\S) | (?=[ \t\n\r]|\Z) )
    """,
    re.VERBOSE | re.DOTALL,
).match
_ESCAPE: Final = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|(.))", re.DOTALL).sub
_MEANING: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"a": b"\a"}


def split_inline(line: bytes) -> list[bytes] | None:
    """Return the words of an inline command, None if its quotes are not balanced.

    In double quotes `\\xff`, `\\n`, `\\r`, `\\t`, `\\b`, `\\a` have their usual meaning, and a backslash makes any other byte
    itself; in single quotes it does so for the single quote alone. The line ends at a zero byte, if there is one.
    """
    line = line.partition(b"\0")[0]
    words, at = [], 0
    while at < len(line):
        word = _WORD(line, at)
        if word is None:
            return None
        plain, double, single = word.groups()
        if double is not None:
            plain += _ESCAPE(_unescaped, double)
        elif single is not None:
            plain += single.replace(b"\\'", b"'")
        if plain or word.end() > word.end(1):
            words.append(plain)
        at = word.end()
    return words


def _unescaped(escape: re.Match[bytes]) -> bytes:
    code, byte = escape.groups()
    return bytes.fromhex(code.decode()) if code else _MEANING.get(byte, byte)
