"""What a reader makes of a reply: one value of one exact type, whichever protocol said it, and an error for anything else."""

from __future__ import annotations

import math
import pickle
import re
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resp_sansio import Outcome, Pairs, Reply, ReplyError, UnexpectedReplyError, Verbatim
from resp_sansio.commands import readers
from resp_sansio.commands.decoding import RAW, decoded
from resp_sansio.commands.readers import Entry
from resp_sansio.wire import Parser, encode_reply

if TYPE_CHECKING:
    from collections.abc import Callable

# A reply as RESP2 and as RESP3 says it, and what it is to its caller.
Case = tuple[Any, Any, Any]

UTF8: Final = decoded("utf-8")

names = st.binary(max_size=5) | st.text(max_size=3).map(str.encode)
scores = st.floats(allow_nan=False)
labels = st.text(st.characters(codec="ascii", exclude_characters="\r\n:#"), min_size=1, max_size=5)
both = st.tuples(names, names)
maps = st.dictionaries(names, names, max_size=4)

ENTRIES: Final[list[Any]] = [
    [b"1-0", []],
    [b"1-0", [b"a", b"1"]],
    [b"1-1", [b"a", b"1", b"b", b"2", b"a", b"3"]],
    [b"2-0", None],
]
NO_ENTRIES: Final[list[Any]] = [
    None,
    b"1-0",
    [b"1-0"],
    (b"1-0", [b"a", b"1"]),
    [b"1-0", [b"a"]],
    [b"1-0", [b"a", 1]],
    [b"1-0", [b"a", "1"]],
    [b"1-0", (b"a", b"1")],
    [b"1-0", {b"a": b"1"}, 3],
    ["1-0", [b"a", b"1"]],
]


def same(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Case]:
    """What both protocols say alike, and means itself."""
    return values.map(lambda value: (value, value, value))


def turns(pairs: Any) -> list[Any]:
    """RESP2's way with pairs: one after the other, doubles as text."""
    return [part if isinstance(part, bytes) else b"%r" % part for pair in pairs for part in pair]


def lists(pairs: Any) -> list[Any]:
    return [list(pair) for pair in pairs]


def facts(sections: dict[str, str]) -> Case:
    text = "# Server\r\n" + "".join(f"{name}:{value}\r\n" for name, value in sections.items())
    return text.encode(), Verbatim(text.encode()), sections


entries = st.lists(st.builds(Entry, names, st.lists(both, max_size=3)), max_size=3)
scored = st.lists(st.tuples(names, scores), max_size=3)


def entry_replies(found: list[Entry]) -> list[Any]:
    return [[entry.id, turns(entry.pairs) or None] for entry in found]


READERS: dict[str, st.SearchStrategy[Case]] = {
    "anything": same(st.none() | names | st.lists(st.integers(-9, 9) | names)),
    "done": st.just(("OK", "OK", None)),
    "stored": st.sampled_from([("OK", "OK", True), (None, None, False)]),
    "word": same(st.text("abc", max_size=5)),
    "bulk": same(names),
    "maybe_bulk": same(st.none() | names),
    "whole": same(st.integers(-(2**63), 2**63 - 1)),
    "maybe_whole": same(st.none() | st.integers(-(2**63), 2**63 - 1)),
    "truth": st.booleans().flatmap(
        lambda truth: st.tuples(st.just(int(truth)), st.sampled_from([truth, int(truth)]), st.just(truth))
    ),
    "number": scores.map(lambda score: (b"%r" % score, score, score)),
    "maybe_number": st.just((None, None, None)) | scores.map(lambda score: (b"%r" % score, score, score)),
    "bulks": same(st.lists(names)) | st.just((None, None, [])),
    "maybe_bulks": same(st.lists(st.none() | names)),
    "wholes": same(st.lists(st.integers(-(2**63), 2**63 - 1))),
    "maybe_wholes": same(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1))),
    "truths": st.lists(st.booleans()).map(lambda truths: ([*map(int, truths)], truths, truths)),
    "members": st.sets(names).map(lambda members: ([*members], members, members)),
    "table": maps.map(lambda table: (turns(table.items()), table, table)),
    "source_and_value": st.just((None, None, None)) | both.map(lambda pair: ([*pair], [*pair], pair)),
    "scored": scored.map(lambda pairs: (turns(pairs), lists(pairs), pairs)),
    "first_scored": st.just(([], [], None)) | st.tuples(names, scores).map(lambda pair: (turns([pair]), [*pair], pair)),
    "entries": entries.map(lambda found: (entry_replies(found), entry_replies(found), found)),
    "by_stream": st.just((None, None, {}))
    | st.dictionaries(names, entries, min_size=1, max_size=3).map(
        lambda found: (
            [[key, entry_replies(value)] for key, value in found.items()],
            {key: entry_replies(value) for key, value in found.items()},
            found,
        )
    ),
    "scanned": st.tuples(st.integers(0, 2**64 - 1), st.lists(names)).map(
        lambda case: ([b"%d" % case[0], case[1]], [b"%d" % case[0], case[1]], case)
    ),
    "scanned_table": maps.map(lambda table: ([b"0", turns(table.items())], [b"0", turns(table.items())], (0, table))),
    "scanned_scores": scored.map(lambda pairs: ([b"7", turns(pairs)], [b"7", turns(pairs)], (7, pairs))),
    "moment": st.tuples(st.integers(0, 2**40), st.integers(0, 999_999)).map(
        lambda time: ([b"%d" % part for part in time], [b"%d" % part for part in time], time)
    ),
    "settings": st.dictionaries(labels, labels).map(
        lambda found: (
            turns((name.encode(), value.encode()) for name, value in found.items()),
            {name.encode(): value.encode() for name, value in found.items()},
            found,
        )
    ),
    "facts": st.dictionaries(labels, labels).map(facts),
}


def reader(name: str) -> Callable[..., object]:
    found: Callable[..., object] = getattr(readers, name)
    return found


def exact(value: object) -> object:
    """A value with its types: `True == 1` and `Verbatim(b"") == b""` prove nothing."""
    match value:
        case dict():
            return type(value), frozenset([(exact(key), exact(item)) for key, item in value.items()])
        case list() | tuple():
            return type(value), tuple(map(exact, value))
        case set():
            return type(value), frozenset(map(exact, value))
        case float():
            return float, math.copysign(1, value), value
        case _:
            return type(value), value


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=40)
@given(data=st.data())
def test_both_protocols_give_the_same_value_of_the_same_type(name: str, data: st.DataObject) -> None:
    resp2, resp3, result = data.draw(READERS[name])
    (said2,), (said3,) = Parser().feed(encode_reply(resp2, 2)), Parser().feed(encode_reply(resp3, 3))
    assert exact(reader(name)(said2, RAW)) == exact(result)
    assert exact(reader(name)(said3, RAW)) == exact(result)


# What none of these commands is answered with, although it looks near enough to some answer.
STRANGE: list[Reply] = [
    "QUEUED",
    "",
    2,
    -1,
    1.5,
    2**70,
    b"no number",
    b"-1",
    Verbatim(b"text"),
    [b"odd"],
    [b"1", 2],
    [1, 2, 3],
    ["a", "b"],
    [[b"1"]],
    [[b"1", b"2", b"3"]],
    [b"1", [b"odd"]],
    [b"1" * 21, []],
    {b"key": 1},
    {1: b"value"},
    Pairs([(b"key", b"1"), (b"key", b"2")]),
    {1, 2},
    ReplyError("ERR nested"),
    [ReplyError("ERR nested")],
]

# And which of it they may well be.
FINE: dict[str, list[Reply]] = {
    "word": ["QUEUED", ""],
    "bulk": [b"no number", b"-1"],
    "maybe_bulk": [b"no number", b"-1"],
    "whole": [2, -1, 2**70],
    "maybe_whole": [2, -1, 2**70],
    "number": [1.5, b"-1"],
    "maybe_number": [1.5, b"-1"],
    "bulks": [[b"odd"]],
    "maybe_bulks": [[b"odd"]],
    "wholes": [[1, 2, 3]],
    "maybe_wholes": [[1, 2, 3]],
    "members": [[b"odd"]],
    "scanned": [[b"1", [b"odd"]]],
    "facts": [b"no number", b"-1", Verbatim(b"text")],
}


@pytest.mark.parametrize("name", sorted(READERS.keys() - {"anything"}))
def test_anything_else_is_an_error_and_no_wrong_value(name: str) -> None:
    for reply in STRANGE:
        if any(exact(reply) == exact(fine) for fine in FINE.get(name, [])):
            reader(name)(reply, RAW)
        else:
            with pytest.raises(UnexpectedReplyError, match="expected, and .* came"):
                reader(name)(reply, RAW)


def test_a_null_is_no_integer() -> None:
    with pytest.raises(UnexpectedReplyError, match="^an array of integers was expected"):
        readers.wholes([1, None])


def test_the_error_shows_what_the_server_said_in_its_own_words_and_no_data() -> None:
    with pytest.raises(UnexpectedReplyError) as caught:
        readers.maybe_bulk("QUEUED", RAW)
    assert str(caught.value) == "a bulk string or null was expected, and the simple string 'QUEUED' came"
    assert caught.value.outcome is Outcome.REPLY
    assert pickle.loads(pickle.dumps(caught.value)).outcome is Outcome.REPLY
    with pytest.raises(UnexpectedReplyError) as caught:
        readers.whole(b"confidential")
    assert str(caught.value) == "an integer was expected, and bytes came"


def test_an_entry_keeps_every_field() -> None:
    (entry,) = readers.entries([[b"1-0", [b"a", b"1", b"b", b"2", b"a", b"3"]]], RAW)
    assert entry == (b"1-0", [(b"a", b"1"), (b"b", b"2"), (b"a", b"3")])
    assert entry.fields == {b"a": b"3", b"b": b"2"}
    assert readers.entries([[b"1-0", None]], RAW) == [Entry(b"1-0", [])]


@given(st.lists(st.sampled_from([*ENTRIES, *NO_ENTRIES]), max_size=3), st.lists(st.sampled_from(ENTRIES), max_size=3))
def test_entries_read_by_column_are_those_read_one_by_one(found: list[Any], more: list[Any]) -> None:
    reply = [*more, *found, *more]
    try:
        singly = [readers._entry(readers.items(entry, 2), RAW) for entry in reply]
    except UnexpectedReplyError as error:
        with pytest.raises(UnexpectedReplyError, match=re.escape(str(error))):
            readers.entries(reply, RAW)
        assert readers._entries_by_column(reply, RAW) is None
    else:
        assert readers.entries(reply, RAW) == singly
        assert all(type(entry) is Entry for entry in readers.entries(reply, RAW))
        by_column = readers._entries_by_column(reply, RAW)
        assert by_column == (None if [b"2-0", None] in reply else singly)


def test_facts_of_one_name_are_lines_of_one_value() -> None:
    said = b"# Modules\r\nmodule:name=a\r\nmodule:name=b\r\n\r\n# CPU\r\nused_cpu_sys:0.1\r\nno fact\r\n"
    assert readers.facts(said) == {"module": "name=a\nname=b", "used_cpu_sys": "0.1"}


def in_text(value: object) -> object:
    """The same value with text in place of all data in it."""
    match value:
        case bytes():
            return value.decode()
        case dict():
            return {in_text(key): in_text(item) for key, item in value.items()}
        case tuple() if hasattr(value, "_make"):  # a named one
            return value._make(map(in_text, value))
        case list() | tuple() | set():
            return type(value)(map(in_text, value))
        case _:
            return value


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=40)
@given(data=st.data())
def test_a_reader_makes_text_of_all_data_if_it_is_asked_to(name: str, data: st.DataObject) -> None:
    resp2, resp3, result = data.draw(READERS[name])
    try:
        wanted = in_text(result)
    except UnicodeDecodeError:
        with pytest.raises(UnicodeDecodeError):
            reader(name)(resp2, UTF8)
        with pytest.raises(UnicodeDecodeError):
            reader(name)(resp3, UTF8)
    else:
        assert exact(reader(name)(resp2, UTF8)) == exact(wanted)
        assert exact(reader(name)(resp3, UTF8)) == exact(wanted)


def test_no_key_and_no_member_is_lost_where_two_are_the_same_as_text() -> None:
    blurred = decoded("utf-8", "replace")
    assert readers.table({b"\xff": b"\xfe", b"a": b""}, blurred) == {"\ufffd": "\ufffd", "a": ""}
    with pytest.raises(UnexpectedReplyError, match="two keys are the same as text"):
        readers.table({b"\xff": b"1", b"\xfe": b"2"}, blurred)
    with pytest.raises(UnexpectedReplyError, match="two members are the same as text"):
        readers.members([b"\xff", b"\xfe"], blurred)
