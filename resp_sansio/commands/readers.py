"""What a reply is to its caller: one exact type for each kind of answer, whatever the protocol said it with.

RESP2 has arrays and strings where RESP3 has maps, sets, doubles and pairs; a reader tells by what came, so it also reads a proxy
that speaks RESP3 outside and RESP2 behind. Nothing is guessed: what is not an answer of this kind, such as the QUEUED of a
MULTI that a caller sent by hand, is an `UnexpectedReplyError`. Data is `bytes` or `str`, as the caller's
`Text` has it; what the server says in its own words (a type's name, its settings) is `str`.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypeVar, cast

from .._errors import ReplyError, UnexpectedReplyError
from ..wire.values import Reply
from .decoding import RAW, S, Text, own_words

__all__ = ["Entry"]

K = TypeVar("K")
V = TypeVar("V")

# For annotations where a command is called `set`.
Members: TypeAlias = set[S]

BYTES: Final = frozenset({bytes})
INTS: Final = frozenset({int})
LISTS: Final = frozenset({list})
TWO: Final = frozenset({2})
BYTES_OR_NONE: Final = frozenset({bytes, type(None)})
INTS_OR_NONE: Final = frozenset({int, type(None)})


class Entry(NamedTuple, Generic[S]):
    """An entry of a stream: its ID and its fields, which may repeat a name.

    There are no fields if the entry was deleted while it was pending.
    """

    id: S
    pairs: list[tuple[S, S]]

    @property
    def fields(self) -> dict[S, S]:
        """The fields by name; of those with the same name, the last."""
        return dict(self.pairs)


def unexpected(wanted: str, reply: Reply) -> UnexpectedReplyError:
    """Return the error for a reply that is not what was wanted. Only a simple string is shown: it is no data."""
    came = f"the simple string {reply!r:.60}" if type(reply) is str else type(reply).__name__
    return UnexpectedReplyError(f"{wanted} was expected, and {came} came")


# -- one value ----------------------------------------------------------------------------------------------------------------


def anything(reply: Reply, text: Text[S]) -> Reply:
    """Whatever the server says."""
    return text.anywhere(reply)


def done(reply: Reply, _text: object = None) -> None:
    """OK, and nothing else there is to know."""
    if reply != "OK":
        raise unexpected("OK", reply)


def stored(reply: Reply, _text: object = None) -> bool:
    """OK or null: was it done?"""
    if reply == "OK":
        return True
    if reply is None:
        return False
    raise unexpected("OK or null", reply)


def word(reply: Reply, _text: object = None) -> str:
    """What the server says in its own words."""
    if type(reply) is str:
        return reply
    raise unexpected("a simple string", reply)


def bulk(reply: Reply, text: Text[S]) -> S:
    """A bulk string."""
    if type(reply) is bytes:
        return text.one(reply)
    raise unexpected("a bulk string", reply)


def maybe_bulk(reply: Reply, text: Text[S]) -> S | None:
    """A bulk string, or null."""
    if type(reply) is bytes:
        return text.one(reply)
    if reply is None:
        return None
    raise unexpected("a bulk string or null", reply)


def whole(reply: Reply, _text: object = None) -> int:
    """An integer."""
    if type(reply) is int:
        return reply
    raise unexpected("an integer", reply)


def maybe_whole(reply: Reply, _text: object = None) -> int | None:
    """An integer, or null."""
    if type(reply) is int or reply is None:
        return reply
    raise unexpected("an integer or null", reply)


AS_THEY_CAME: Final[dict[type, frozenset[object]]] = {
    bytes: frozenset({bulk, maybe_bulk}),
    int: frozenset({whole, maybe_whole}),
}
"""Who returns replies of this type as they came, but for data that is to be text: for many of them they need not be called."""


def truth(reply: Reply, _text: object = None) -> bool:
    """A boolean, which Redis says with 1 and 0 on both protocols."""
    if isinstance(reply, int) and 0 <= reply <= 1:
        return bool(reply)
    raise unexpected("1 or 0", reply)


def number(reply: Reply, _text: object = None) -> float:
    """A double, or the text of one."""
    if type(reply) is float:
        return reply
    if type(reply) is bytes and b"_" not in reply:  # for Python, `1_0` is ten
        try:
            return float(reply)
        except ValueError:
            pass
    raise unexpected("a double", reply)


def maybe_number(reply: Reply, _text: object = None) -> float | None:
    """A double, or null."""
    return None if reply is None else number(reply)


# -- many of them -------------------------------------------------------------------------------------------------------------


def items(reply: Reply, count: int | None = None) -> list[Reply]:
    """Return the array that `reply` is, of so many elements if that is known."""
    if type(reply) is list and count in (None, len(reply)):
        return cast("list[Reply]", reply)
    raise unexpected("an array" if count is None else f"an array of {count}", reply)


def bulks(reply: Reply, text: Text[S]) -> list[S]:
    """Bulk strings in their order. None at all is said with null by LPOP and its like."""
    if type(reply) is list and [*map(type, reply)].count(bytes) == len(reply):  # takes half the time of a set of types
        return text.many(cast("list[bytes]", reply))
    if reply is None:
        return []
    raise unexpected("an array of bulk strings", reply)


def maybe_bulks(reply: Reply, text: Text[S]) -> list[S | None]:
    """Bulk strings, with a null for each that is not there."""
    if type(reply) is list and BYTES_OR_NONE.issuperset(map(type, reply)):
        return text.maybe_many(cast("list[bytes | None]", reply))
    raise unexpected("an array of bulk strings and nulls", reply)


def wholes(reply: Reply, _text: object = None) -> list[int]:
    """Integers in their order."""
    if type(reply) is list and INTS.issuperset(map(type, reply)):
        return cast("list[int]", reply)
    raise unexpected("an array of integers", reply)


def maybe_wholes(reply: Reply, _text: object = None) -> list[int | None]:
    """Integers, with a null for each that is not there."""
    if type(reply) is list and INTS_OR_NONE.issuperset(map(type, reply)):
        return cast("list[int | None]", reply)
    raise unexpected("an array of integers and nulls", reply)


def two_wholes(reply: Reply, _text: object = None) -> tuple[int, int]:
    """Two integers."""
    first, second = items(reply, 2)
    return whole(first), whole(second)


def truths(reply: Reply, _text: object = None) -> list[bool]:
    """Booleans, one for each that was asked about."""
    return [truth(item) for item in items(reply)]


def wholes_or_errors(reply: Reply, _text: object = None) -> list[int | ReplyError]:
    """Integers, with an error for each part of a command that was refused."""
    return [one if isinstance(one, ReplyError) else whole(one) for one in items(reply)]


def members(reply: Reply, text: Text[S]) -> Members[S]:
    """Bulk strings without an order."""
    if type(reply) is set and BYTES.issuperset(map(type, reply)):
        return text.members(reply)
    if type(reply) is list and BYTES.issuperset(map(type, reply)):
        return text.members(set(cast("list[bytes]", reply)))
    raise unexpected("a set of bulk strings", reply)


def flat(reply: Reply) -> list[Reply]:
    """Return keys and values in turn: RESP2's map, or what RESP3's is made of."""
    if isinstance(reply, dict):
        return [part for pair in reply.items() for part in pair]
    if type(reply) is list and len(reply) % 2 == 0:
        return cast("list[Reply]", reply)
    raise unexpected("keys with values", reply)


def pairs_in_turn(reply: Reply) -> Iterable[tuple[Reply, Reply]]:
    """Return keys with their values, which RESP2 has in turn and RESP3 in a map."""
    parts = flat(reply)
    return zip(parts[::2], parts[1::2], strict=True)


def pairs_in_rows(reply: Reply) -> Iterable[tuple[Reply, Reply]]:
    """Return keys with their values, which RESP2 has in arrays of two and RESP3 in a map."""
    if isinstance(reply, dict):
        return reply.items()
    return [(key, value) for key, value in (items(row, 2) for row in items(reply))]


def unpaired(reply: Reply) -> list[Reply]:
    """Return the parts of pairs, which RESP2 has in turn and RESP3 in arrays of two."""
    parts = items(reply)
    if parts and type(parts[0]) is list:
        return [part for pair in parts for part in items(pair, 2)]
    return parts


def pairs(reply: Reply, text: Text[S]) -> list[tuple[S, S]]:
    """Return keys and values as bulk strings, in their order."""
    parts: Any = flat(reply)
    if not BYTES.issuperset(map(type, parts)):
        raise unexpected("a map of bulk strings", reply)
    made = iter(text.many(parts))
    return [*zip(made, made, strict=True)]


def table(reply: Reply, text: Text[S]) -> dict[S, S]:
    """A map of bulk strings."""
    if type(reply) is dict and BYTES.issuperset(map(type, reply)) and BYTES.issuperset(map(type, reply.values())):
        return text.table(reply)
    return text.table(dict(pairs(reply, RAW)))


def keyed(pairs: list[tuple[K, V]]) -> dict[K, V]:
    """Return a `dict` of pairs. Their keys are to be different, and two that a server sends may be the same as text."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise UnexpectedReplyError("different keys were expected, and two are the same")
    return made


def by_data(pairs: Iterable[tuple[Reply, V]], text: Text[S]) -> dict[S, V]:
    """Return what each key of a map has. One that came twice has the last; two that are the same as text are an error."""
    found = {bulk(key, RAW): value for key, value in pairs}
    made = dict(zip(text.many([*found]), found.values(), strict=True))
    if len(made) != len(found):
        raise UnexpectedReplyError("two keys are the same as text")
    return made


def source_and_value(reply: Reply, text: Text[S]) -> tuple[S, S] | None:
    """What a blocking command took, after where it took it from; or null."""
    if reply is None:
        return None
    source, value = items(reply, 2)
    return bulk(source, text), bulk(value, text)


def scored(reply: Reply, text: Text[S]) -> list[tuple[S, float]]:
    """Members of a sorted set with their scores: in turn on RESP2, in pairs on RESP3."""
    return [(bulk(member, text), number(score)) for member, score in pairs_in_turn(unpaired(reply))]


def first_scored(reply: Reply, text: Text[S]) -> tuple[S, float] | None:
    """A member with its score, or an empty array."""
    return next(iter(scored(reply, text)), None)


def entries(reply: Reply, text: Text[S]) -> list[Entry[S]]:
    """Entries of a stream; of one that was deleted while it was pending there is a null for its fields."""
    parts = items(reply)
    return _entries_by_column(parts, text) or [_entry(items(entry, 2), text) for entry in parts]


def _entries_by_column(parts: list[Reply], text: Text[S]) -> list[Entry[S]] | None:
    """Return the same if each has fields, all checked at once, which is twice as fast; None to decline."""
    rows: Any = parts
    if not (LISTS.issuperset(map(type, rows)) and TWO.issuperset(map(len, rows))):
        return None
    ids, found = [row[0] for row in rows], [row[1] for row in rows]
    if not (BYTES.issuperset(map(type, ids)) and LISTS.issuperset(map(type, found))):
        return None
    if not BYTES.issuperset(map(type, chain.from_iterable(found))) or any([len(fields) & 1 for fields in found]):
        return None
    make = tuple.__new__  # which a named tuple's own calls
    in_turn = map(iter, map(text.many, found))
    in_order = zip(text.many(ids), in_turn)  # noqa: B905  # `strict` costs as much again
    return [make(Entry, (id, [*zip(each, each)])) for id, each in in_order]  # noqa: B905


def _entry(entry: list[Reply], text: Text[S]) -> Entry[S]:
    id, fields = entry
    return Entry(bulk(id, text), [] if fields is None else pairs(fields, text))


def by_stream(reply: Reply, text: Text[S]) -> dict[S, list[Entry[S]]]:
    """Entries by stream: pairs on RESP2, a map on RESP3, null if there are none."""
    if reply is None:
        return {}
    return keyed([(bulk(key, text), entries(found, text)) for key, found in pairs_in_rows(reply)])


# -- SCAN and its like: where to go on, and what was found --------------------------------------------------------------------


def scanned(reply: Reply, text: Text[S]) -> tuple[int, list[S]]:
    """The next cursor, 0 at the end, and keys or members."""
    cursor, found = items(reply, 2)
    return digits(cursor), bulks(found, text)


def scanned_table(reply: Reply, text: Text[S]) -> tuple[int, dict[S, S]]:
    """The next cursor, 0 at the end, and fields with their values."""
    cursor, found = items(reply, 2)
    return digits(cursor), table(found, text)


def scanned_scores(reply: Reply, text: Text[S]) -> tuple[int, list[tuple[S, float]]]:
    """The next cursor, 0 at the end, and members with their scores."""
    cursor, found = items(reply, 2)
    return digits(cursor), scored(found, text)


# -- what the server says of itself -------------------------------------------------------------------------------------------


def digits(reply: Reply, _text: object = None) -> int:
    """A whole number, as the digits of a bulk string."""
    text = bulk(reply, RAW)
    if text.isdigit() and len(text) < 21:  # 64 bits
        return int(text)
    raise unexpected("a number in digits", reply)


def moment(reply: Reply, _text: object = None) -> tuple[int, int]:
    """Seconds and microseconds."""
    seconds, microseconds = items(reply, 2)
    return digits(seconds), digits(microseconds)


def settings(reply: Reply, _text: object = None) -> dict[str, str]:
    """Settings by name."""
    return {own_words(name): own_words(value) for name, value in pairs(reply, RAW)}


def facts(reply: Reply, _text: object = None) -> dict[str, str]:
    """INFO's lines by name. Where several have the same name (`module`), each has a line of the value."""
    if not isinstance(reply, bytes):  # RESP3 has a verbatim string
        raise unexpected("a text", reply)
    found: dict[str, list[str]] = {}
    for line in own_words(reply).split("\r\n"):
        name, colon, value = line.partition(":")
        if colon and not name.startswith("#"):
            found.setdefault(name, []).append(value)  # joined once: else a name on every line takes quadratic time
    return {name: "\n".join(values) for name, values in found.items()}
