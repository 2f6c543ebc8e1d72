"""What a server may send, as hypothesis strategies: values, their encodings (there are many), and how these arrive.

`replies()` draws exactly what a parser can return, so `Parser().feed(encode_reply(value)) == [value]` for each of them, type for
type; `exact()` is how to compare, since Python has `1 == True` and `nan != nan`. `encodings(value)` draws other bytes that mean the
same: streamed strings and aggregates, RESP2's nulls, attributes. `splits(data)` cuts bytes as networks do.
"""

from __future__ import annotations

from typing import Literal

from hypothesis import strategies as st

from .._errors import InvalidReplyError, ReplyError
from ..wire.encoder import encode_reply
from ..wire.values import Attributed, MapKey, Pairs, Push, Reply, SetKey, Verbatim, make_map, make_set

__all__ = ["encodings", "exact", "mutations", "pushes", "replies", "scalars", "splits"]


def texts(*, lines: bool = False) -> st.SearchStrategy[str]:
    """Any bytes as text, the way the parser decodes them; without line breaks unless `lines`."""
    data = st.binary(max_size=40) | st.text(max_size=20).map(lambda text: text.encode("utf-8", "replace"))
    if not lines:
        data = data.map(lambda some: some.replace(b"\r", b"").replace(b"\n", b""))
    return data.map(lambda some: some.decode("utf-8", "surrogateescape"))


def bulks() -> st.SearchStrategy[bytes]:
    """Bulk strings: mostly short, some that look like RESP or are full of line breaks, now and then long ones."""
    awkward = st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b"$1", b":1", b"*2", b"+OK", b"x"]), max_size=8).map(
        b"".join
    )
    long = st.tuples(st.binary(min_size=1, max_size=3), st.integers(300, 1500)).map(lambda pair: pair[0] * pair[1])
    return st.one_of(st.binary(max_size=20), awkward, st.binary(min_size=60, max_size=70), long)


def scalars(protocol: Literal[2, 3] = 3) -> st.SearchStrategy[Reply]:
    """Values that hold no others, as far as the protocol has them."""
    small = st.integers(-20, 1100)
    common: list[st.SearchStrategy[Reply]] = [
        st.sampled_from(["OK", "QUEUED", "PONG"]),
        texts(),
        bulks(),
        small | st.integers(-(2**63), 2**63 - 1),
        st.none(),
        texts(lines=protocol == 3).map(ReplyError),
        st.sampled_from([b":", b":x", b":9223372036854775808"]).map(InvalidReplyError),
    ]
    if protocol == 2:
        return st.one_of(common)
    formats = st.sampled_from(["txt", "mkd"]) | st.binary(min_size=3, max_size=3).map(
        lambda data: data.decode("utf-8", "surrogateescape")
    )
    return st.one_of(
        *common,
        st.integers(-(10**80), 10**80),
        st.floats() | st.integers(-5, 5).map(float),
        st.booleans(),
        st.builds(Verbatim, bulks(), formats),
        st.sampled_from([b"(x", b",x", b"#x", b"_x", b"=3\r\nabc"]).map(InvalidReplyError),
    )


def replies(protocol: Literal[2, 3] = 3, *, max_leaves: int = 25) -> st.SearchStrategy[Reply]:
    """Replies of any type and nesting that a parser returns for what this protocol can say."""

    def extend(inner: st.SearchStrategy[Reply]) -> st.SearchStrategy[Reply]:
        lists = st.lists(inner, max_size=8)
        if protocol == 2:
            return lists | _tables(inner)
        pairs = st.lists(st.tuples(inner, inner), max_size=5).map(lambda some: [part for pair in some for part in pair])
        return st.one_of(lists, _tables(inner), pairs.map(make_map), lists.map(make_set))

    return st.recursive(scalars(protocol), extend, max_leaves=max_leaves)


def _tables(inner: st.SearchStrategy[Reply]) -> st.SearchStrategy[list[Reply]]:
    """Arrays of arrays of one shape, as XRANGE and ZRANGE WITHSCORES return them."""
    return st.integers(1, 3).flatmap(
        lambda width: st.lists(st.lists(inner, min_size=width, max_size=width), max_size=8)
    )


def pushes(*, max_leaves: int = 8) -> st.SearchStrategy[Push]:
    """Out-of-band messages."""
    kinds = st.sampled_from(["message", "invalidate", "subscribe"]) | texts(lines=True)
    return st.builds(Push, kinds, st.lists(replies(max_leaves=max_leaves), max_size=4).map(tuple))


@st.composite
def encodings(draw: st.DrawFn, value: Reply, *, streamed: bool = True, attributes: bool = True) -> bytes:
    """Bytes of RESP3 that mean `value`: as `encode_reply` writes it, or streamed, with RESP2's nulls, with attributes in between.

    Nothing here is what Redis sends today, and all of it is what a client must understand.
    """
    prefix = b""
    if attributes and draw(st.integers(0, 9)) == 9:
        names: st.SearchStrategy[Reply] = st.sampled_from(["ttl", "key-popularity", b"x"])
        about = draw(st.dictionaries(names, scalars(), max_size=2))
        prefix = b"|%d\r\n" % len(about) + b"".join(
            [encode_reply(key) + encode_reply(item) for key, item in about.items()]
        )
    if isinstance(value, bytes) and not isinstance(value, Verbatim) and streamed and draw(st.integers(0, 4)) == 4:
        parts = draw(splits(value))
        return prefix + b"$?\r\n" + b"".join(b";%d\r\n%b\r\n" % (len(part), part) for part in parts) + b";0\r\n"
    if value is None:
        return prefix + draw(st.sampled_from([b"_\r\n", b"$-1\r\n", b"*-1\r\n"]))
    if not isinstance(value, (list, tuple, dict, set, frozenset)):
        return prefix + encode_reply(value)
    inner: list[Reply]
    if isinstance(value, Push):
        kind = value.kind.encode("utf-8", "surrogateescape")
        simple = not (b"\r" in kind or b"\n" in kind) and draw(st.booleans())
        inner = [value.kind if simple else kind, *value.items]
    elif isinstance(value, (dict, Pairs, MapKey)):
        inner = [part for pair in (value.items() if isinstance(value, dict) else value) for part in pair]
    else:
        inner = list(value)
    if isinstance(value, (set, frozenset)):  # nan is hashed by its address: in another order each time
        inner.sort(key=lambda member: repr(exact(member)))
    header = encode_reply(value).partition(b"\r\n")[0] + b"\r\n"
    body = b"".join([draw(encodings(part, streamed=streamed, attributes=attributes)) for part in inner])
    if streamed and header[:1] != b">" and draw(st.integers(0, 4)) == 4:
        return prefix + header[:1] + b"?\r\n" + body + b".\r\n"
    return prefix + header + body


@st.composite
def splits(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """The parts in which `data` may arrive: all at once, byte by byte, in equal parts, or cut anywhere; none of them is empty."""
    size = draw(st.sampled_from([0, 1, 2, 3, 7, 64]) | st.integers(1, max(1, len(data))))
    if size:
        return [data[at : at + size] for at in range(0, len(data), size)]
    cuts = sorted(draw(st.sets(st.integers(0, len(data)), max_size=6)))
    parts = [data[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    return [part for part in parts if part]


@st.composite
def mutations(draw: st.DrawFn, data: bytes) -> bytes:
    """`data` with a few bytes changed, lost, repeated or added: mostly not RESP any more."""
    changed = bytearray(data)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(changed)))
        new = draw(
            st.sampled_from(
                [b"", b"\r", b"\n", b"\r\n", b"$", b"*", b"-1", b"?", b"0", b"9", b".", b";0\r\n", b">", b"|", b"_"]
            )
        )
        changed[at : at + draw(st.integers(0, 2))] = new
    return bytes(changed)


def exact(value: Reply) -> object:
    """Return something hashable that is equal for two replies only if they are the same in value and type, all the way down."""
    kind = type(value).__name__
    match value:
        case Verbatim():
            return kind, bytes(value), value.format
        case Push():
            return kind, value.kind, tuple(map(exact, value.items))
        case Attributed():
            return kind, exact(value.value), exact(value.attributes)
        case dict():
            return kind, tuple((exact(key), exact(item)) for key, item in value.items())
        case set() | SetKey():
            return kind, tuple(sorted(map(exact, value), key=repr))
        case list() | tuple():
            return kind, tuple(map(exact, value))
        case float():
            return kind, repr(value)
        case InvalidReplyError():
            return kind, value.raw  # its repr shows nothing of it, so sets of several could not be sorted
        case _:
            return kind, value
