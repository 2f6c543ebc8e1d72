"""What a reply can be: one Python value for every RESP2 and RESP3 type, chosen so that encoding it again gives the same bytes.

| RESP                               | Python                | notes                                                        |
|------------------------------------|-----------------------|--------------------------------------------------------------|
| simple string `+`                  | `str`                 | UTF-8 with surrogateescape, so any byte survives             |
| bulk string `$`                    | `bytes`               |                                                              |
| integer `:` and big number `(`     | `int`                 | an `int` outside 64 bits is a big number                     |
| double `,`                         | `float`               |                                                              |
| boolean `#`                        | `bool`                |                                                              |
| null `_`, `$-1`, `*-1`             | `None`                |                                                              |
| array `*`                          | `list`                | as a map key or set member: `ArrayKey`                       |
| map `%`                            | `dict`                | as a map key or set member: `MapKey`; keys collide: `Pairs`  |
| set `~`                            | `set`                 | as a map key or set member: `SetKey`; members collide: `Items` |
| verbatim string `=`                | `Verbatim`            | `bytes` with a `.format`                                     |
| error `-`, `!`                     | `ReplyError`          | a value; nested ones stay in place                           |
| what makes no sense as its type    | `InvalidReplyError`   | the same: `(abc`, `,x`, a `:` beyond 64 bits                  |
| push `>`                           | `Push`                | answers no command                                           |
| attribute before a nested reply    | `Attributed`          | only when asked for; otherwise read and left out             |

Python says `1 == 1.0 == True` and `Verbatim(b"x") == b"x"`; RESP does not. A map or set that would lose an element by that
comes back as `Pairs` or `Items`, which keep every element as it came, in the order of arrival. So does one with a key that
has no hashable twin: `Items`, `Attributed`, or an aggregate nested deeper than `KEY_DEPTH`. And so does one of whose keys or
members more than `GUESSABLE_KEYS` are neither strings nor errors: a server can choose numbers, and arrays of them, that
hash alike or meet in a `dict` all the same, and then thousands of them take a time that grows with the square of their number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Self, TypeAlias, Union, cast

from .._errors import InvalidReplyError, ReplyError

__all__ = [
    "GUESSABLE_KEYS",
    "KEY_DEPTH",
    "ArrayKey",
    "Attributed",
    "Items",
    "MapKey",
    "Pairs",
    "Push",
    "Reply",
    "SetKey",
    "Spoken",
    "Verbatim",
    "as_text",
    "hashable",
    "make_map",
    "make_set",
    "merge",
]

Reply: TypeAlias = Union[
    str,
    bytes,
    int,
    float,
    bool,
    None,
    ReplyError,
    InvalidReplyError,
    "Push",
    "Attributed",
    "Pairs",
    list[Any],
    dict[Any, Any],
    set[Any],
    tuple[Any, ...],
    frozenset[Any],
]
"""Any value that a reply can be. `Verbatim`, `Pairs` and `Items` are `bytes` and `list` subclasses.

A reply nested in another is a `Reply`, too, but is called `Any` here: editors that complete by jedi, IPython among them, end in a
RecursionError on a type that speaks of itself.
"""

if TYPE_CHECKING:
    Spoken: TypeAlias = Literal[2, 3]
    """A version of RESP."""
else:
    # jedi, by which IPython completes, completes nothing on an object that has a property of a `Literal` type.
    Spoken = int


class Verbatim(bytes):
    """A verbatim string: bytes and the three-letter format the server gave them (`txt`, `mkd`)."""

    format: str

    def __new__(cls, data: bytes = b"", format: str = "txt") -> Self:
        """Return these bytes, with their format."""
        self = super().__new__(cls, data)
        self.format = format
        return self

    def __repr__(self) -> str:
        return f"Verbatim({bytes(self)!r}, {self.format!r})"

    def __reduce__(self) -> tuple[type[Verbatim], tuple[bytes, str]]:
        return Verbatim, (bytes(self), self.format)


class Push(NamedTuple):
    """An out-of-band message: its kind (`message`, `invalidate`, `subscribe` ...) and what came with it."""

    kind: str
    items: tuple[Reply, ...]


class Attributed(NamedTuple):
    """A nested reply with the attribute that stood before it (several attributes in a row are merged, the last one wins)."""

    value: Reply
    attributes: dict[Reply, Reply] | Pairs


class ArrayKey(tuple[Reply, ...]):
    """An array as a map key or set member: hashable, and remembers that it was an array."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"ArrayKey({tuple(self)!r})"


class SetKey(frozenset[Reply]):
    """A set as a map key or set member."""

    __slots__ = ()


class MapKey(tuple[tuple[Reply, Reply], ...]):
    """A map as a map key or set member: its pairs in the order of arrival."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"MapKey({tuple(self)!r})"


class Pairs(list[tuple[Reply, Reply]]):
    """A map some of whose keys are equal in Python: every pair, in the order of arrival."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Pairs({super().__repr__()})"


class Items(list[Reply]):
    """A set some of whose members are equal in Python: every member, in the order of arrival."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Items({super().__repr__()})"


KEY_DEPTH: Final = 4
"""How deep an aggregate may nest and still become a map key or set member; Python hashes and compares tuples recursively."""

GUESSABLE_KEYS: Final = 128
"""How many keys of a `dict` or members of a `set` may be something else than strings and errors; see above."""

# Their hashes depend on a secret of the process (unless PYTHONHASHSEED takes it away, here as in any program).
_SECRETLY_HASHED: Final = frozenset({str, bytes, Verbatim, ReplyError, InvalidReplyError})


def hashable(value: Reply, depth: int = KEY_DEPTH) -> Reply:
    """Return `value`, or its hashable twin if it is an aggregate.

    Raises `ValueError` for what has no twin: `Items`, `Attributed`, `Push`, and whatever nests deeper than `depth`.
    """
    if not isinstance(value, (list, dict, set, tuple, frozenset)):
        return value
    if depth == 0 or isinstance(value, (Items, Attributed, Push)):
        raise ValueError(f"{type(value).__name__} nested too deep, or of a kind that cannot be a key")
    if isinstance(value, (dict, Pairs, MapKey)):
        pairs = value.items() if isinstance(value, dict) else value
        return MapKey((hashable(key, depth - 1), hashable(item, depth - 1)) for key, item in pairs)
    members = [hashable(item, depth - 1) for item in value]
    return SetKey(members) if isinstance(value, (set, frozenset)) else ArrayKey(members)


def _is_guessable(keys: Sequence[Reply]) -> bool:
    """Tell whether more than `GUESSABLE_KEYS` of these keys have hashes that the server could work out."""
    if len(keys) <= GUESSABLE_KEYS:
        return False
    kinds, most = list(map(type, keys)), len(keys) - GUESSABLE_KEYS
    return kinds.count(bytes) < most and sum([kinds.count(kind) for kind in _SECRETLY_HASHED]) < most


def make_map(flat: Sequence[Reply]) -> dict[Reply, Reply] | Pairs:
    """Make a map of keys and values that stand in turn in `flat`: a `dict`, or `Pairs` where that would lose a key or be slow."""
    if not flat:
        return {}
    keys, items = flat[::2], flat[1::2]
    if _is_guessable(keys):
        return Pairs(zip(keys, items, strict=True))
    try:
        made = dict(zip(keys, items, strict=True))
    except TypeError:  # some key is an aggregate
        try:
            made = dict(zip(map(hashable, keys), items, strict=True))
        except ValueError:
            return Pairs(zip(keys, items, strict=True))
    return made if len(made) == len(keys) else Pairs(zip(keys, items, strict=True))


def merge(before: dict[Reply, Reply] | Pairs, after: dict[Reply, Reply] | Pairs) -> dict[Reply, Reply] | Pairs:
    """Return both maps in one, of which the first is used up: a peer may send thousands of them in a row. The last value wins.

    Keys that are equal in Python and not the same, such as 1 and True, make it `Pairs`, with all there were.
    """
    few = len(before) + len(after) <= GUESSABLE_KEYS
    if isinstance(before, dict) and isinstance(after, dict) and (few or _SECRETLY_HASHED.issuperset(map(type, after))):
        # Of more keys, only strings and errors can be in both; those that are equal say the same.
        shared = before.keys() & after.keys() if few else set()
        if not shared or _written(before, shared) == _written(after, shared):
            before.update(after)
            return before
    merged = Pairs(before.items()) if isinstance(before, dict) else before
    merged += after.items() if isinstance(after, dict) else after
    return merged


def _written(keys: Iterable[Reply], wanted: set[Reply]) -> dict[Reply, str]:
    """Return how each wanted key is written here: equal keys may differ in that."""
    return {key: repr(key) for key in keys if key in wanted}


def make_set(members: Sequence[Reply]) -> set[Reply] | Items:
    """Make a set of `members`: a `set`, or `Items` where that would lose one or be slow."""
    if _is_guessable(members):
        return Items(members)
    try:
        made = set(members)
    except TypeError:  # some member is an aggregate
        try:
            made = set(map(hashable, members))
        except ValueError:
            return Items(members)
    return made if len(made) == len(members) else Items(members)


def as_text(value: Reply, encoding: str = "utf-8", errors: str = "surrogateescape") -> Reply:
    """Return `value` with every bulk and verbatim string in it as `str`, whatever it is nested in and however deep.

    With `errors` as it is, bytes that `encoding` does not know survive as surrogates, as in simple strings, and are sent again as
    they came; for its other values see `bytes.decode`. Raises `UnicodeDecodeError` if these bytes are an error.
    """
    if isinstance(value, bytes):
        return value.decode(encoding, errors)
    if not isinstance(value, AGGREGATES):
        return value
    # Not recursive: a limit may let a reply nest deeper than Python calls functions.
    whole: Reply = value
    rest: Iterator[Reply] = iter(_parts(value))
    text: list[Reply] = []
    waiting: list[tuple[Reply, Iterator[Reply], list[Reply]]] = []
    while True:
        for part in rest:
            if isinstance(part, bytes):
                text.append(part.decode(encoding, errors))
            elif isinstance(part, AGGREGATES):
                waiting.append((whole, rest, text))
                whole, rest, text = part, iter(part if type(part) is list else _parts(part)), []
                break
            else:
                text.append(part)
        else:
            made = text if type(whole) is list else _made_of(whole, text)
            if not waiting:
                return made
            whole, rest, text = waiting.pop()
            text.append(made)


AGGREGATES: Final = (list, dict, set, tuple, frozenset)


def _parts(value: Any) -> Iterable[Reply]:
    """Return what an aggregate holds, of a map keys and values in turn."""
    match value:
        case Push():
            return value.items
        case Attributed():
            return (value.value,)
        case dict():
            return [part for pair in value.items() for part in pair]
        case Pairs() | MapKey():
            return [part for pair in value for part in pair]
        case _:
            return cast("Iterable[Reply]", value)


def _made_of(whole: Reply, parts: list[Reply]) -> Reply:
    """Return an aggregate of the kind of `whole` that holds these parts; itself, if it is of no kind that replies have."""
    match whole:
        case Push():
            return Push(whole.kind, tuple(parts))
        case Attributed():
            return Attributed(parts[0], whole.attributes)
        case dict() | Pairs():
            return make_map(parts)
        case MapKey():
            return MapKey(zip(parts[::2], parts[1::2], strict=True))
        case Items() | set():
            return make_set(parts)
        case ArrayKey():
            return ArrayKey(parts)
        case SetKey():
            text = SetKey(parts)
            return text if len(text) == len(whole) else whole  # never shortened
        case _:
            return whole
