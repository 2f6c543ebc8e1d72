"""The arguments of the typed builders as words: each option in one way, and of each the types that it may have.

An option that is no number where it must be one, or a flag that is neither True nor False, raises `TypeError` here; options that
exclude each other raise `ValueError`. Text is taken for data alone: where a server looks for options, a number is required.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

from ..wire.encoder import Argument

__all__ = [
    "NONE",
    "Aggregate",
    "BitGet",
    "BitOperation",
    "BitUnit",
    "Bitwise",
    "End",
    "Fields",
    "Nack",
    "Ordering",
    "Scores",
    "Side",
    "Weights",
    "Where",
    "adding",
    "bit_operations",
    "bit_range",
    "claimed_ids",
    "comparison",
    "condition",
    "credentials",
    "entry_id",
    "exclusive",
    "expiring",
    "given",
    "in_turn",
    "integers",
    "is_int",
    "is_number",
    "limiting",
    "named",
    "numbers",
    "require",
    "scores_in_turn",
    "sorting",
    "streams_in_turn",
    "trimming",
    "weighing",
    "wrong_type",
]

Side: TypeAlias = Literal["LEFT", "RIGHT"]

Ordering: TypeAlias = Literal["OBO", "BULK"]

Where: TypeAlias = Literal["BEFORE", "AFTER"]

Bitwise: TypeAlias = Literal["AND", "OR", "XOR", "NOT", "DIFF", "DIFF1", "ANDOR", "ONE"]

BitUnit: TypeAlias = Literal["BYTE", "BIT"]

BitGet: TypeAlias = tuple[Literal["GET"], str, int | str]
"""Read an integer: its type, such as `u8` or `i5`, and where it is, in bits or by its number (`#2`)."""

BitOperation: TypeAlias = (
    BitGet
    | tuple[Literal["SET", "INCRBY"], str, int | str, int]
    | tuple[Literal["OVERFLOW"], Literal["WRAP", "SAT", "FAIL"]]
)
"""Read an integer, change it, or say what becomes of one that has too many bits."""

End: TypeAlias = Literal["MIN", "MAX"]

Aggregate: TypeAlias = Literal["SUM", "MIN", "MAX", "COUNT"]

Nack: TypeAlias = Literal["SILENT", "FAIL", "FATAL"]

Fields: TypeAlias = Mapping[Any, Argument]
"""Names with values. Names are arguments like the values, but `Mapping` is invariant in them, so that no other type fits."""

Scores: TypeAlias = Mapping[Any, float]
"""Members with scores: numbers, because text could be read as an option."""

Weights: TypeAlias = Sequence[float]
"""A number for each key, by which the scores there are multiplied."""

NONE: Final[Fields] = {}

BIT_WORDS: Final = {"GET": 3, "SET": 4, "INCRBY": 4, "OVERFLOW": 2}
"""How many words each operation of BITFIELD has."""

DATA: Final = {"auth", "by", "ifdeq", "ifdne", "ifeq", "ifne", "lastid", "match", "maxdeletedid", "minid", "type"}
INTS: Final = {
    "block", "byint", "count", "db", "entriesadded", "entriesread", "ex", "exactly", "exat", "freq", "idle",
    "idletime", "idmp-duration", "idmp-maxsize", "lbound", "limit", "maxcount", "maxlen", "maxsize", "minmatchlen",
    "px", "pxat", "rank", "retrycount", "time", "ubound",
}  # fmt: skip
VALUED: Final = DATA | INTS  # the other ones are flags


NUMBERS: Final = frozenset({int, float})


def wrong_type(command: str, name: str, wanted: str, value: object) -> TypeError:
    """Return the error for an argument of a wrong type: it says of which command, and what is wanted."""
    return TypeError(f"{name} of {command} must be {wanted}, not {value.__class__.__name__}")


def is_int(value: object) -> bool:
    """Tell whether it is an int, and no flag."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    """Tell whether it is an int or a float."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def given(command: str, /, **options: Argument | None) -> list[Argument]:
    """Return the words of the options that are given: the name of a flag, the name and the value of all else."""
    return _words(command, options)


def exclusive(command: str, /, **options: Argument | None) -> list[Argument]:
    """As `given`, and raise `ValueError` if there is more than one."""
    words = _words(command, options)
    if len(words) > 2 or (len(words) == 2 and words[1].__class__ is not int):  # one with a number is two words
        names = [name for name, value in options.items() if value is not None and value is not False]
        if len(names) > 1:
            raise ValueError(f"{' and '.join(names)} exclude each other")
    return words


def _words(command: str, options: Mapping[str, Argument | None]) -> list[Argument]:
    words: list[Argument] = []
    for name, value in options.items():
        if name in VALUED:
            if value is None:
                continue
            if value.__class__ is not int and name not in DATA and not is_int(value):
                raise wrong_type(command, name, "an int", value)
            words += name.upper(), value
        elif value is True:
            words.append(name.upper())
        elif value is not False:
            raise wrong_type(command, name, "True or False", value)
    return words


def condition(command: str, nx: bool, xx: bool, gt: bool = False, lt: bool = False) -> list[Argument]:
    """Return the words for when to set a value, an expiry or a score: `nx` excludes all others, `gt` excludes `lt`."""
    if nx is False and xx is False and gt is False and lt is False:
        return []
    words = given(command, nx=nx, xx=xx, gt=gt, lt=lt)
    if len(words) > 1:
        exclusive(command, nx=nx, xx=xx)
        exclusive(command, nx=nx, gt=gt, lt=lt)
    return words


def comparison(
    command: str,
    ifeq: Argument | None,
    ifne: Argument | None,
    ifdeq: Argument | None,
    ifdne: Argument | None,
    nx: bool = False,
    xx: bool = False,
) -> list[Argument]:
    """Return the words for which value there must be: none or any, this one or another, one with this digest or another."""
    if ifeq is None and ifne is None and ifdeq is None and ifdne is None and nx is False and xx is False:
        return []
    return exclusive(command, nx=nx, xx=xx, ifeq=ifeq, ifne=ifne, ifdeq=ifdeq, ifdne=ifdne)


def expiring(
    command: str,
    ex: int | None,
    px: int | None,
    exat: int | None,
    pxat: int | None,
    persist: bool,
    enx: bool,
) -> list[Argument]:
    """Return the words for when a key expires, if it does not already."""
    words = exclusive(command, ex=ex, px=px, exat=exat, pxat=pxat, persist=persist)
    if given(command, enx=enx):
        if len(words) < 2:
            raise ValueError("enx says when to set an expiry: give ex, px, exat or pxat, too")
        words.append("ENX")
    return words


def trimming(
    command: str, maxlen: int | None, minid: Argument | None, approximate: bool, limit: int | None
) -> list[Argument]:
    """Return the words for how to trim a stream."""
    if maxlen is None and minid is None and limit is None and approximate is True:
        return []
    words, most = exclusive(command, maxlen=maxlen, minid=minid), given(command, limit=limit)
    sign = "~" if given(command, approximate=approximate) else "="
    if words:
        return [words[0], sign, words[1], *most]
    if most:
        raise ValueError("limit says how much to trim at most: give maxlen or minid, too")
    return []


def adding(
    maxlen: int | None,
    minid: Argument | None,
    approximate: bool,
    limit: int | None,
    keepref: bool,
    delref: bool,
    acked: bool,
    idmpauto: Argument | None,
    idmp: tuple[Argument, Argument] | None,
    id: Argument,
) -> list[Argument]:
    """Return the words for how to add an entry to a stream: all options, and the ID."""
    words = trimming("XADD", maxlen, minid, approximate, limit)
    if not (keepref is False and delref is False and acked is False):
        words += exclusive("XADD", keepref=keepref, delref=delref, acked=acked)
    if idmp is not None:
        both: object = idmp
        if not isinstance(both, tuple) or len(both) != 2:
            raise wrong_type("XADD", "idmp", "two IDs, of producer and entry", idmp)
        if idmpauto is not None:
            raise ValueError("idmpauto and idmp exclude each other")
        words += "IDMP", *idmp
    elif idmpauto is not None:
        words += "IDMPAUTO", idmpauto
    words.append(entry_id(id))
    return words


def limiting(command: str, limit: tuple[int, int] | None) -> tuple[Argument, ...]:
    """Return the words for which part to take of what was found: offset and count."""
    if limit is None:
        return ()
    both: object = limit
    if not isinstance(both, tuple) or [*map(is_int, both)] != [True, True]:
        raise wrong_type(command, "limit", "two ints, offset and count", limit)
    return ("LIMIT", *limit)


def bit_range(
    command: str, start: int | None, end: int | None, unit: BitUnit, last: int | None = None
) -> list[Argument]:
    """Return the words for which part of a value to look at; if no end is given, up to `last`."""
    for name, value in ("start", start), ("end", end):
        if value is not None and not is_int(value):
            raise wrong_type(command, name, "an int", value)
    if start is None and end is None:
        return []
    stop = last if end is None else end
    words: list[Argument] = [0 if start is None else start] if stop is None else [0 if start is None else start, stop]
    if unit != "BYTE":
        if stop is None:
            raise ValueError("unit says what start and end count: give end, too")
        words.append(unit)
    return words


def bit_operations(command: str, operations: Iterable[tuple[Argument, ...]]) -> list[Argument]:
    """Return the words of operations on integers, each of which is checked to be one: else words of the next would be its own."""
    words: list[Argument] = []
    for operation in operations:
        one: object = operation
        if not isinstance(one, tuple):
            raise wrong_type(command, "every operation", "a tuple", operation)
        name = operation[0] if operation else ""
        if not isinstance(name, str) or BIT_WORDS.get(name) != len(operation):
            raise ValueError(
                f"an operation of {command} is ('GET', type, offset) or another that its documentation lists"
            )
        words += operation
    return words


def sorting(
    command: str,
    by: Argument | None,
    limit: tuple[int, int] | None,
    patterns: Sequence[Argument],
    desc: bool,
    alpha: bool,
) -> list[Argument]:
    """Return the words for what to sort by, which part to take, what to return, and in which order."""
    returned: list[Argument] = [word for pattern in patterns for word in ("GET", pattern)]
    return [*given(command, by=by), *limiting(command, limit), *returned, *given(command, desc=desc, alpha=alpha)]


def credentials(command: str, auth: Argument | None, auth2: tuple[Argument, Argument] | None) -> tuple[Argument, ...]:
    """Return the words for logging in elsewhere: with a password, or with a user's name and password."""
    if auth2 is None:
        return (*given(command, auth=auth),)
    both: object = auth2
    if not isinstance(both, tuple) or len(both) != 2:
        raise wrong_type(command, "auth2", "a user's name and password", auth2)
    if auth is not None:
        raise ValueError("auth and auth2 exclude each other")
    return ("AUTH2", *auth2)


def moving(command: str, count: int | None, exactly: int | None, ordering: Ordering | None) -> list[Argument]:
    """Return the words for how many elements of a list to move, and in which order they are then."""
    words = exclusive(command, count=count, exactly=exactly)
    if (ordering is None) is bool(words):
        raise ValueError("ordering and one of count and exactly go together")
    return words if ordering is None else [*words, ordering]


def in_turn(command: str, name: str, fields: Fields) -> list[Argument]:
    """Return names and values in turn."""
    if fields.__class__ is not dict and not isinstance(fields, Mapping):
        raise wrong_type(command, name, "a mapping", fields)
    return [part for pair in fields.items() for part in pair]


def scores_in_turn(scores: Scores) -> list[Argument]:
    """Return scores and members in turn. ZADD takes text in front of the first score for an option."""
    parts = in_turn("ZADD", "scores", scores)
    if not NUMBERS.issuperset(map(type, parts[1::2])):
        for score in parts[1::2]:
            if not is_number(score):
                raise wrong_type("ZADD", "every score", "an int or float", score)
    parts[::2], parts[1::2] = parts[1::2], parts[::2]
    return parts


def weighing(command: str, keys: int, weights: Weights | None, aggregate: Aggregate | None) -> list[Argument]:
    """Return the words for how much the scores of each key count, and for what becomes of the scores of one member."""
    words: list[Argument] = []
    if weights is not None:
        if not isinstance(weights, (list, tuple)) or not all([is_number(weight) for weight in weights]):
            raise wrong_type(command, "weights", "a list of numbers", weights)
        if len(weights) != keys:
            raise ValueError(f"{command} has {keys} keys and {len(weights)} weights: give one for each")
        words += "WEIGHTS", *weights
    if aggregate is not None:
        words += "AGGREGATE", aggregate
    return words


def entry_id(id: Argument) -> Argument:
    """Return the ID of an entry to add. XADD takes a word in its place for an option."""
    if (id[:1] if isinstance(id, str) else _first_letter(id)) not in "*0123456789":
        raise ValueError("id of XADD must be '*' or begin with a digit")
    return id


def claimed_ids(id: Argument, ids: tuple[Argument, ...]) -> tuple[Argument, ...]:
    """Return the IDs of entries to claim. XCLAIM takes a word in place of one for an option."""
    for each in (id, *ids):
        if _first_letter(each) not in "0123456789":
            raise ValueError("every id of XCLAIM must begin with a digit")
    return id, *ids


def _first_letter(id: Argument) -> str:
    """Return nothing for a number, or for what the encoder refuses."""
    if isinstance(id, (bytes, bytearray, memoryview)):
        return bytes(id)[:1].decode("latin-1")
    return id[:1] if isinstance(id, str) else ""


def streams_in_turn(command: str, streams: Fields) -> tuple[Argument, ...]:
    """Return the words for which streams to read: all of the names, and then all of the IDs."""
    parts = in_turn(command, "streams", streams)
    return "STREAMS", *parts[::2], *parts[1::2]


def named(**options: Argument | None) -> list[Argument]:
    """Return the words of the options that are given: of each the name and the value, which may be any data."""
    return [word for name, value in options.items() if value is not None for word in (name.upper(), value)]


def integers(command: str, /, **options: int | None) -> list[Argument]:
    """Return the words of the options that are given: of each the name and the value, an int."""
    return _checked(command, options, is_int, "an int")


def numbers(command: str, /, **options: float | None) -> list[Argument]:
    """Return the words of the options that are given: of each the name and the value, a number."""
    return _checked(command, options, is_number, "an int or float")


def _checked(
    command: str, options: Mapping[str, float | None], is_right: Callable[[object], bool], wanted: str
) -> list[Argument]:
    for name, value in options.items():
        require(value is None or is_right(value), command, name, wanted, value)
    return named(**options)


def require(right: bool, command: str, name: str, wanted: str, value: object) -> None:
    """Raise `TypeError` for an argument that is not right."""
    if not right:
        raise wrong_type(command, name, wanted, value)
