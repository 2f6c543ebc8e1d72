"""What a server says of itself, in its own words: texts, and records whose fields have a name and a type each.

A record is a `TypedDict`: a name of the server's, with `_` for each sign that no name in Python may have, is its field. The field's
annotation says how it is read. A field that this library does not know is kept as it came.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final, Generic, TypeAlias, TypeVar, cast

from ..wire.values import ArrayKey, MapKey, Pairs, Reply, SetKey
from .decoding import own_words
from .readers import flat, number, unexpected

__all__ = ["Record"]

T = TypeVar("T")

Field: TypeAlias = Callable[[Reply], object]
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


def as_came(reply: Reply) -> Reply:
    """What another reader is still to read."""
    return reply


def maybe_own(reply: Reply, _text: object = None) -> str | None:
    """A text of the server's, or null."""
    return None if reply is None else own(reply)


def listed(reply: Reply) -> list[Reply]:
    """What an array or a set has, in the order in which it came. Some servers say a set with an array, on either protocol."""
    if isinstance(reply, ARRAYS) and not isinstance(reply, Pairs):
        return [*reply]
    raise unexpected("an array or a set", reply)


def owns(reply: Reply) -> list[str]:
    """Texts of the server's."""
    return [*map(own, listed(reply))]


def own_set(reply: Reply) -> set[str]:
    """Texts of the server's without an order: flags, categories."""
    return {*map(own, listed(reply))}


def integer(reply: Reply) -> int:
    """An integer, or the integer of one, perhaps with a sign."""
    if type(reply) is int:
        return reply
    text = own(reply)
    if re.fullmatch(r"-?[0-9]{1,20}", text, re.ASCII):
        return int(text)
    raise unexpected("an integer or its integer", reply)


def truth_or_word(reply: Reply) -> bool:
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
    "float": number,
    "bool": truth_or_word,
    "list[str]": owns,
    "set[str]": own_set,
}
"""How a field is read, by its annotation."""


class Record(Generic[T]):
    """Reads a map as a `TypedDict` of this kind; `others` are the fields whose annotation does not say how they are read."""

    __slots__ = ("_fields", "_kind", "_others")

    def __init__(self, kind: type[T], **others: Field) -> None:
        self._kind: Final = kind
        self._others: Final = others
        self._fields: dict[str, Field] | None = None

    @property
    def fields(self) -> dict[str, Field]:
        """How each field is read."""
        if self._fields is None:  # most programs never ask
            written = {name: each.__forward_arg__ for name, each in self._kind.__annotations__.items()}
            self._fields = {name: self._others.get(name) or FIELDS[text] for name, text in written.items()}
        return self._fields

    def __call__(self, reply: Reply) -> T:
        """Return the map as a record."""
        return self.read(pairs_of(reply))

    def read(self, pairs: Iterable[tuple[Reply, Reply]]) -> T:
        """Return these names and values as a record."""
        fields = self.fields
        made: dict[str, Any] = {}
        for name, value in pairs:
            field = re.sub(r"\W", "_", own(name))
            made[field] = fields[field](value) if field in fields else value
        return cast("T", made)

    def each(self, reply: Reply) -> list[T]:
        """Return an array of maps as records."""
        return [self(each) for each in listed(reply)]
