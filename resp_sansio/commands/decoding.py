"""Bytes or text: how the data in a reply is given to its caller.

A server sends data as bytes. A client of bytes (`RAW`) hands it on as it came; a client of text decodes it (`decoded`). A reader is
written once for both: it is given a `Text[S]` and returns data as `S`, which is `bytes` or `str`. Only data becomes text: a dump is
`Binary` for all, and what a server says in its own words is `str` for all.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Generic, TypeAlias

from .._errors import UnexpectedReplyError
from ..wire.values import Reply, as_text

if TYPE_CHECKING:
    from typing_extensions import TypeVar  # type checkers have it themselves; this library needs no default at run time

    S = TypeVar("S", bound=bytes | str, default=bytes)
else:
    from typing import TypeVar

    S = TypeVar("S", bound=bytes | str)

__all__ = ["RAW", "Binary", "S", "Text", "decoded", "own_words"]

Binary: TypeAlias = bytes
"""Data that is never text, whatever the client is of: the dump of a value."""


class Text(Generic[S]):
    """What makes `S`, which is `bytes` or `str`, of the data in a reply.

    Each method raises `UnicodeDecodeError` for data that is no text, and those that keep keys or members apart raise
    `UnexpectedReplyError` if two of them are the same as text.
    """

    __slots__ = ("encoding", "errors", "one")

    one: Callable[[bytes], S]
    """Make it of one piece of data."""

    def __init__(self, one: Callable[[bytes], S], encoding: str | None = None, errors: str = "strict") -> None:
        self.one = one
        self.encoding: Final = encoding
        self.errors: Final = errors

    def __repr__(self) -> str:
        return f"<{type(self).__name__} by {self.encoding}, {self.errors}>"

    def many(self, data: list[bytes]) -> list[S]:
        """Make it of each piece."""
        return [*map(self.one, data)]

    def maybe_many(self, data: list[bytes | None]) -> list[S | None]:
        """Make it of each piece that is there."""
        one = self.one
        return [None if piece is None else one(piece) for piece in data]

    def members(self, data: set[bytes]) -> set[S]:
        """Make it of each member of a set."""
        made = {*map(self.one, data)}
        if len(made) != len(data):
            raise UnexpectedReplyError("two members are the same as text")
        return made

    def table(self, data: dict[bytes, bytes]) -> dict[S, S]:
        """Make it of each key and each value."""
        made = dict(zip(map(self.one, data), map(self.one, data.values()), strict=True))
        if len(made) != len(data):
            raise UnexpectedReplyError("two keys are the same as text")
        return made

    def anywhere(self, reply: Reply) -> Reply:
        """Make it of all data in a reply, whatever it is nested in."""
        return reply if self.encoding is None else as_text(reply, self.encoding, self.errors)


class _Raw(Text[bytes]):
    """Bytes stay bytes: aggregates of them are handed on as they are."""

    __slots__ = ()

    def many(self, data: list[bytes]) -> list[bytes]:
        return data

    def maybe_many(self, data: list[bytes | None]) -> list[bytes | None]:
        return data

    def members(self, data: set[bytes]) -> set[bytes]:
        return data

    def table(self, data: dict[bytes, bytes]) -> dict[bytes, bytes]:
        return data


RAW: Final[Text[bytes]] = _Raw(bytes.__bytes__)
"""Data as it came: returns the very bytes that it is given, as `bytes` does when called, and takes a fifth of the time."""


@functools.lru_cache(64)
def decoded(encoding: str, errors: str = "strict") -> Text[str]:
    """Return what makes text of data: by this encoding, and what is done with other bytes as `bytes.decode` knows it.

    Raises `LookupError` or `TypeError` if it knows no such thing.
    """
    with suppress(UnicodeDecodeError):
        str(b"\xff", encoding, errors)  # told now: else each reply that has such bytes would be lost
    return Text(functools.partial(str, encoding=encoding, errors=errors), encoding, errors)


def own_words(data: bytes) -> str:
    """Return what a server says in its own words as text. Bytes that are no UTF-8 survive as surrogates."""
    return data.decode("utf-8", "surrogateescape")
