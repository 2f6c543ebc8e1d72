"""What a server says of itself, in its own words: texts, and records whose fields have a name and a type each.

A record is a `TypedDict`: a name of the server's, with `_` for each sign that no name in Python may have, is its field. The field's
annotation says how it is read. What all servers say is there, so that type checkers let a program ask for it; what only some say is
`NotRequired`. A field that this library does not know is kept as it came.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeAlias, TypeVar, cast

from .._errors import UnexpectedReplyError
from ..wire.values import ArrayKey, MapKey, Pairs, Reply, SetKey
from .decoding import RAW, Text, own_words
from .readers import bulk, flat, maybe_bulk, maybe_whole, number, unexpected

__all__ = ["Record"]

T = TypeVar("T")

Field: TypeAlias = Callable[[Reply, Text[Any]], object]
"""Reads the value of a field."""

# What may stand for an array: also a set, and inside of a set the twins of both that can be hashed.
ARRAYS: Final = (list, set, ArrayKey, SetKey)


def own(reply: Reply, _text: object = None) -> str:
    """A text of the server's, simple, bulk or verbatim."""
    if isinstance(reply, bytes):
        return own_words(reply)
    if type(reply) is str:
        return reply
    raise unexpected("a text", reply)


def maybe_own(reply: Reply, _text: object = None) -> str | None:
    """A text of the server's, or null."""
    return None if reply is None else own(reply)


def listed(reply: Reply) -> list[Reply]:
    """What an array or a set has, in the order in which it came. Some servers say a set with an array, on either protocol."""
    if isinstance(reply, ARRAYS) and not isinstance(reply, Pairs):
        return [*reply]
    raise unexpected("an array or a set", reply)


def owns(reply: Reply, _text: object = None) -> list[str]:
    """Texts of the server's."""
    return [*map(own, listed(reply))]


def own_set(reply: Reply, _text: object = None) -> set[str]:
    """Texts of the server's without an order: flags, categories."""
    return {*map(own, listed(reply))}


def integer(reply: Reply, _text: object = None) -> int:
    """An integer, or the integer of one, perhaps with a sign."""
    if type(reply) is int:
        return reply
    text = own(reply)
    if re.fullmatch(r"-?[0-9]{1,20}", text, re.ASCII):
        return int(text)
    raise unexpected("an integer or its integer", reply)


def truth_or_word(reply: Reply, _text: object = None) -> bool:
    """A boolean, as a number, a boolean or a word."""
    if isinstance(reply, int) and 0 <= reply <= 1:
        return bool(reply)
    text = own(reply)
    if text in ("yes", "no"):
        return text == "yes"
    raise unexpected("yes or no", reply)


def parts_of(reply: Reply) -> list[Reply]:
    """Keys and values in turn, of a map of either protocol, wherever it stands."""
    if isinstance(reply, (MapKey, Pairs)):
        return [part for pair in reply for part in pair]
    if isinstance(reply, ArrayKey):
        return flat([*reply])
    return flat(reply)


def pairs_of(reply: Reply) -> list[tuple[Reply, Reply]]:
    """The pairs of a map of either protocol."""
    parts = parts_of(reply)
    return [*zip(parts[::2], parts[1::2], strict=True)]


# -- readers of commands ------------------------------------------------------------------------------------------------------


def own_text(reply: Reply, _text: object = None) -> str:
    """A text of the server's, which is no simple string: QUEUED is none."""
    if isinstance(reply, bytes):
        return own(reply)
    raise unexpected("a text", reply)


def maybe_own_text(reply: Reply, _text: object = None) -> str | None:
    """A text of the server's, or null."""
    return None if reply is None else own_text(reply)


def own_texts(reply: Reply, _text: object = None) -> list[str]:
    """Texts of the server's."""
    return owns(reply)


# -- records ------------------------------------------------------------------------------------------------------------------

FIELDS: Final[dict[str, Field]] = {
    "str": own,
    "str | None": maybe_own,
    "int": integer,
    "int | None": maybe_whole,
    "float": number,
    "bool": truth_or_word,
    "list[str]": owns,
    "set[str]": own_set,
    "S": bulk,
    "S | None": maybe_bulk,
}
"""How a field is read, by its annotation."""

NOT_REQUIRED: Final = "NotRequired["


def as_said(name: str) -> str:
    """Return the server's name, with `_` for each sign that no name in Python may have."""
    return re.sub(r"\W", "_", name)


def in_lower_case(name: str) -> str:
    """Return a module's name as Python writes names: `Number of filters` and `totalSamples` are two of a module's."""
    return as_said(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)).lower()


class Record(Generic[T]):
    """Reads a map as a `TypedDict` of this kind, of which nothing is missing that all servers say.

    `named` makes a field's name of the server's; `others` are the fields whose annotation does not say how they are read.
    """

    __slots__ = ("_fields", "_kind", "_named", "_others", "_required")

    def __init__(self, kind: type[T], named: Callable[[str], str] = as_said, /, **others: Field) -> None:
        self._kind: Final = kind
        self._named: Final = named
        self._others: Final = others
        self._fields: dict[str, Field] | None = None
        self._required: frozenset[str] = frozenset()

    @property
    def fields(self) -> dict[str, Field]:
        """How each field is read."""
        if self._fields is None:  # most programs never ask
            written: dict[str, str] = {name: each.__forward_arg__ for name, each in self._kind.__annotations__.items()}
            types = {name: text.removeprefix(NOT_REQUIRED) for name, text in written.items()}
            self._required = frozenset(name for name in written if types[name] == written[name])
            self._fields = {
                name: self._others.get(name) or FIELDS[text if name in self._required else text[:-1]]
                for name, text in types.items()
            }
        return self._fields

    @property
    def required(self) -> frozenset[str]:
        """The fields that all servers say. (`TypedDict` itself knows them only if annotations are no strings.)"""
        return self._required if self.fields else frozenset()

    def __call__(self, reply: Reply, text: Text[Any] = RAW) -> T:
        """Return the map as a record."""
        return self.read(pairs_of(reply), text)

    def read(self, pairs: Sequence[tuple[Reply, Reply]], text: Text[Any] = RAW) -> T:
        """Return these names and values as a record."""
        fields = self.fields
        made: dict[str, Any] = {}
        for said, value in pairs:
            name = self._named(own(said))
            made[name] = fields[name](value, text) if name in fields else text.anywhere(value)
        if missing := self._required - made.keys():
            raise UnexpectedReplyError(f"a map with {min(missing)} was expected, and one without it came")
        return cast("T", made)

    def each(self, reply: Reply, text: Text[Any] = RAW) -> list[T]:
        """Return an array of maps as records."""
        return [self(each, text) for each in listed(reply)]
