"""Bytes or text: what becomes of data, and of data that is no text."""

from __future__ import annotations

import pytest

from resp_sansio import UnexpectedReplyError, commands
from resp_sansio.commands.decoding import RAW, decoded, own_words

UTF8 = decoded("utf-8")
REPLACED = decoded("utf-8", "replace")


def test_bytes_are_handed_on_as_they_are() -> None:
    many, maybe_many, members, table = [b"a"], [b"a", None], {b"a"}, {b"a": b"1"}
    assert RAW.one(b"a") == b"a"
    assert RAW.many(many) is many
    assert RAW.maybe_many(maybe_many) is maybe_many
    assert RAW.members(members) is members
    assert RAW.table(table) is table
    assert RAW.anywhere([[b"a"], 1]) == [[b"a"], 1]


def test_text_is_made_of_all_data() -> None:
    data = "ü".encode()
    assert UTF8.one(data) == "ü"
    assert UTF8.many([data, b"a"]) == ["ü", "a"]
    assert UTF8.maybe_many([data, None]) == ["ü", None]
    assert UTF8.members({data, b"a"}) == {"ü", "a"}
    assert UTF8.table({data: b"1", b"a": data}) == {"ü": "1", "a": "ü"}
    assert UTF8.anywhere([data, {data: [1, None]}]) == ["ü", {"ü": [1, None]}]


def test_data_that_is_no_text() -> None:
    with pytest.raises(UnicodeDecodeError):
        UTF8.one(b"\xff")
    assert REPLACED.one(b"\xff") == "\ufffd"
    assert REPLACED.many([b"\xff", b"\xfe"]) == ["\ufffd"] * 2
    assert own_words(b"\xff") == "\udcff"


def test_what_is_kept_apart_stays_apart() -> None:
    with pytest.raises(UnexpectedReplyError, match="^two members are the same as text$"):
        REPLACED.members({b"\xff", b"\xfe"})
    with pytest.raises(UnexpectedReplyError, match="^two keys are the same as text$"):
        REPLACED.table({b"\xff": b"1", b"\xfe": b"2"})


@pytest.mark.parametrize("errors", ["no such", "xmlcharrefreplace"])
def test_what_no_bytes_can_be_decoded_by_is_refused_at_once(errors: str) -> None:
    with pytest.raises((LookupError, TypeError)):
        commands.text(commands.get("k"), errors=errors)


def test_it_shows_how_text_is_made() -> None:
    assert repr(REPLACED) == "<Text by utf-8, replace>"
    assert decoded("utf-8", "replace") is REPLACED
