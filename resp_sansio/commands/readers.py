"""What a reply is to its caller: one exact type for each kind of answer, whatever the protocol said it with.

RESP2 has arrays and strings where RESP3 has maps, sets, doubles and pairs; a reader tells by what came, so it also reads a proxy
that speaks RESP3 outside and RESP2 behind. Nothing is guessed: what is not an answer of this kind, such as the QUEUED of a
MULTI that a caller sent by hand, is an `UnexpectedReplyError`. Data is `bytes`, whatever text the connection makes of untyped
replies; what the server says in its own words (a type's name, its settings) is `str`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar, cast

from .._errors import UnexpectedReplyError
from ..wire.values import Reply, Spoken

__all__ = ["Entry"]

T = TypeVar("T")

# For annotations where a command is called `set`.
Members: TypeAlias = set[bytes]
TextMembers: TypeAlias = set[str]

BYTES: Final = frozenset({bytes})
LISTS: Final = frozenset({list})
TWO: Final = frozenset({2})
BYTES_OR_NONE: Final = frozenset({bytes, type(None)})


class Entry(NamedTuple):
    """An entry of a stream: its ID and its fields, which may repeat a name.

    There are no fields if the entry was deleted while it was pending.
    """

    id: bytes
    pairs: list[tuple[bytes, bytes]]

    @property
    def fields(self) -> dict[bytes, bytes]:
        """The fields by name; of those with the same name, the last."""
        return dict(self.pairs)


def unexpected(wanted: str, reply: Reply) -> UnexpectedReplyError:
    """Return the error for a reply that is not what was wanted. Only a simple string is shown: it is no data."""
    came = f"the simple string {reply!r:.60}" if type(reply) is str else type(reply).__name__
    return UnexpectedReplyError(f"{wanted} was expected, and {came} came")


# -- one value ----------------------------------------------------------------------------------------------------------------


def anything(reply: Reply, _protocol: Spoken = 3) -> Reply:
    """Return the reply. Another function than `as_it_came`, whose replies become text where text is asked for."""
    return reply


def done(reply: Reply, _protocol: Spoken = 3) -> None:
    """OK, and nothing else there is to know."""
    if reply != "OK":
        raise unexpected("OK", reply)


def stored(reply: Reply, _protocol: Spoken = 3) -> bool:
    """OK or null: was it done?"""
    if reply == "OK":
        return True
    if reply is None:
        return False
    raise unexpected("OK or null", reply)


def word(reply: Reply, _protocol: Spoken = 3) -> str:
    """What the server says in its own words."""
    if type(reply) is str:
        return reply
    raise unexpected("a simple string", reply)


def bulk(reply: Reply, _protocol: Spoken = 3) -> bytes:
    """A bulk string."""
    if type(reply) is bytes:
        return reply
    raise unexpected("a bulk string", reply)


def maybe_bulk(reply: Reply, _protocol: Spoken = 3) -> bytes | None:
    """A bulk string, or null."""
    if type(reply) is bytes or reply is None:
        return reply
    raise unexpected("a bulk string or null", reply)


def whole(reply: Reply, _protocol: Spoken = 3) -> int:
    """An integer."""
    if type(reply) is int:
        return reply
    raise unexpected("an integer", reply)


def maybe_whole(reply: Reply, _protocol: Spoken = 3) -> int | None:
    """An integer, or null."""
    if type(reply) is int or reply is None:
        return reply
    raise unexpected("an integer or null", reply)


def truth(reply: Reply, _protocol: Spoken = 3) -> bool:
    """A boolean, which Redis says with 1 and 0 on both protocols."""
    if isinstance(reply, int) and 0 <= reply <= 1:
        return bool(reply)
    raise unexpected("1 or 0", reply)


def number(reply: Reply, _protocol: Spoken = 3) -> float:
    """A double, or the text of one."""
    if type(reply) is float:
        return reply
    if type(reply) is bytes:
        try:
            return float(reply)
        except ValueError:
            pass
    raise unexpected("a double", reply)


def maybe_number(reply: Reply, _protocol: Spoken = 3) -> float | None:
    """A double, or null."""
    return None if reply is None else number(reply)


# -- many of them -------------------------------------------------------------------------------------------------------------


def items(reply: Reply, count: int | None = None) -> list[Reply]:
    """Return the array that `reply` is, of so many elements if that is known."""
    if type(reply) is list and count in (None, len(reply)):
        return cast("list[Reply]", reply)
    raise unexpected("an array" if count is None else f"an array of {count}", reply)


def bulks(reply: Reply, _protocol: Spoken = 3) -> list[bytes]:
    """Bulk strings in their order. None at all is said with null by LPOP and its like."""
    if type(reply) is list and BYTES.issuperset(map(type, reply)):
        return cast("list[bytes]", reply)
    if reply is None:
        return []
    raise unexpected("an array of bulk strings", reply)


def maybe_bulks(reply: Reply, _protocol: Spoken = 3) -> list[bytes | None]:
    """Bulk strings, with a null for each that is not there."""
    if type(reply) is list and BYTES_OR_NONE.issuperset(map(type, reply)):
        return cast("list[bytes | None]", reply)
    raise unexpected("an array of bulk strings and nulls", reply)


def truths(reply: Reply, _protocol: Spoken = 3) -> list[bool]:
    """Booleans, one for each that was asked about."""
    return [truth(item) for item in items(reply)]


def members(reply: Reply, _protocol: Spoken = 3) -> Members:
    """Bulk strings without an order."""
    if type(reply) is set and BYTES.issuperset(map(type, reply)):
        return cast("Members", reply)
    if type(reply) is list and BYTES.issuperset(map(type, reply)):
        return set(cast("list[bytes]", reply))
    raise unexpected("a set of bulk strings", reply)


def flat(reply: Reply) -> list[Reply]:
    """Return keys and values in turn: RESP2's map, or what RESP3's is made of."""
    if isinstance(reply, dict):
        return [part for pair in reply.items() for part in pair]
    if type(reply) is list and len(reply) % 2 == 0:
        return cast("list[Reply]", reply)
    raise unexpected("keys with values", reply)


def pairs(reply: Reply) -> list[tuple[bytes, bytes]]:
    """Return keys and values as bulk strings, in their order."""
    parts = flat(reply)
    if not BYTES.issuperset(map(type, parts)):
        raise unexpected("a map of bulk strings", reply)
    return cast("list[tuple[bytes, bytes]]", list(zip(parts[::2], parts[1::2], strict=True)))


def table(reply: Reply, _protocol: Spoken = 3) -> dict[bytes, bytes]:
    """A map of bulk strings."""
    if type(reply) is dict and BYTES.issuperset(map(type, reply)) and BYTES.issuperset(map(type, reply.values())):
        return cast("dict[bytes, bytes]", reply)
    return dict(pairs(reply))


def source_and_value(reply: Reply, _protocol: Spoken = 3) -> tuple[bytes, bytes] | None:
    """What a blocking command took, after where it took it from; or null."""
    if reply is None:
        return None
    source, value = items(reply, 2)
    return bulk(source), bulk(value)


def scored(reply: Reply, _protocol: Spoken = 3) -> list[tuple[bytes, float]]:
    """Members of a sorted set with their scores: in turn on RESP2, in pairs on RESP3."""
    parts = items(reply)
    if parts and type(parts[0]) is list:
        parts = [part for pair in parts for part in items(pair, 2)]
    parts = flat(parts)
    return [(bulk(member), number(score)) for member, score in zip(parts[::2], parts[1::2], strict=True)]


def first_scored(reply: Reply, _protocol: Spoken = 3) -> tuple[bytes, float] | None:
    """A member with its score, or an empty array."""
    return next(iter(scored(reply)), None)


def entries(reply: Reply, _protocol: Spoken = 3) -> list[Entry]:
    """Entries of a stream; of one that was deleted while it was pending there is a null for its fields."""
    parts = items(reply)
    return _entries_by_column(parts) or [_entry(*items(entry, 2)) for entry in parts]


def _entries_by_column(parts: list[Reply]) -> list[Entry] | None:
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
    in_turn = map(iter, found)
    return [make(Entry, (id, [*zip(each, each)])) for id, each in zip(ids, in_turn)]  # noqa: B905  # `strict` costs as much again


def _entry(id: Reply, fields: Reply) -> Entry:
    return Entry(bulk(id), [] if fields is None else pairs(fields))


def by_stream(reply: Reply, _protocol: Spoken = 3) -> dict[bytes, list[Entry]]:
    """Entries by stream: pairs on RESP2, a map on RESP3, null if there are none."""
    if reply is None:
        return {}
    parts = reply.items() if isinstance(reply, dict) else (items(part, 2) for part in items(reply))
    return {bulk(key): entries(found) for key, found in parts}


# -- SCAN and its like: where to go on, and what was found --------------------------------------------------------------------


def _scan(reply: Reply, read: Callable[[Reply], T]) -> tuple[int, T]:
    cursor, found = items(reply, 2)
    return _digits(cursor), read(found)


def scanned(reply: Reply, _protocol: Spoken = 3) -> tuple[int, list[bytes]]:
    """The next cursor, 0 at the end, and keys or members."""
    return _scan(reply, bulks)


def scanned_table(reply: Reply, _protocol: Spoken = 3) -> tuple[int, dict[bytes, bytes]]:
    """The next cursor, 0 at the end, and fields with their values."""
    return _scan(reply, table)


def scanned_scores(reply: Reply, _protocol: Spoken = 3) -> tuple[int, list[tuple[bytes, float]]]:
    """The next cursor, 0 at the end, and members with their scores."""
    return _scan(reply, scored)


# -- what the server says of itself -------------------------------------------------------------------------------------------


def _digits(reply: Reply) -> int:
    text = bulk(reply)
    if text.isdigit() and len(text) < 21:  # 64 bits
        return int(text)
    raise unexpected("a number in digits", reply)


def moment(reply: Reply, _protocol: Spoken = 3) -> tuple[int, int]:
    """Seconds and microseconds."""
    seconds, microseconds = items(reply, 2)
    return _digits(seconds), _digits(microseconds)


def settings(reply: Reply, _protocol: Spoken = 3) -> dict[str, str]:
    """Settings by name."""
    return {_text(name): _text(value) for name, value in pairs(reply)}


def facts(reply: Reply, _protocol: Spoken = 3) -> dict[str, str]:
    """INFO's lines by name. Where several have the same name (`module`), each has a line of the value."""
    if not isinstance(reply, bytes):  # RESP3 has a verbatim string
        raise unexpected("a text", reply)
    found: dict[str, str] = {}
    for line in _text(reply).split("\r\n"):
        name, colon, value = line.partition(":")
        if colon and not name.startswith("#"):
            found[name] = f"{found[name]}\n{value}" if name in found else value
    return found


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


# -- text, where it is asked for ----------------------------------------------------------------------------------------------


def read_text(read: Callable[[Reply, Spoken], object], reply: Reply, protocol: Spoken) -> Any:
    """Read a reply, and then make text of all bytes in what was read."""
    return _in_text(read(reply, protocol))


def _in_text(value: object) -> object:
    match value:
        case bytes():
            return _text(value)
        case dict():
            return dict(zip(_each(value), _each(value.values()), strict=True))
        case list():
            return list(_each(value))
        case tuple():
            return tuple(_each(value))
        case set():
            return set(_each(value))
        case _:
            return value


def _each(values: Iterable[object]) -> Iterable[object]:
    return map(_in_text, values)
