"""Readers of what strings return: RESP2 and RESP3 give the same value of the same type, and anything else is an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from resp_sansio import LcsMatch, LcsMatches, ReplyError, UnexpectedReplyError
from resp_sansio.commands import readers_strings
from resp_sansio.wire import Parser, encode_reply

if TYPE_CHECKING:
    from collections.abc import Callable

MATCHES: Final = [[[4, 7], [5, 8]], [[2, 3], [0, 1]]]
FOUND: Final = LcsMatches([LcsMatch((4, 7), (5, 8)), LcsMatch((2, 3), (0, 1))], 6)

# By reader: a reply as RESP2 and as RESP3 says it, and what it is to its caller.
SAID: Final[dict[str, list[tuple[Any, Any, object]]]] = {
    "lcs_matches": [
        ([b"matches", MATCHES, b"len", 6], {b"matches": MATCHES, b"len": 6}, FOUND),
        ([b"matches", [], b"len", 0], {b"matches": [], b"len": 0}, LcsMatches([], 0)),
    ],
    "maybe_binary": [(None, None, None), (b"\xff", b"\xff", b"\xff")],
    "migrated": [("OK", "OK", True), ("NOKEY", "NOKEY", False)],
}

ODD_MATCHES: Final[list[Any]] = [
    None,
    b"x",
    [None],
    [[]],
    [[[1, 2]]],
    [[[1, 2], [3]]],
    [[[1, 2], [3, None]]],
    [[[1, 2], [3, b"4"]]],
    [[[1, 2], [3, 4], 5]],
    {b"k": 1},
]
STRANGE: Final[list[Any]] = [
    "QUEUED",
    "",
    7,
    1.5,
    True,
    [True],
    [1.5],
    [b"odd"],
    [[1]],
    ["a"],
    {1: 2},
    {1, 2},
    ReplyError("ERR nested"),
    [ReplyError("ERR nested")],
    [b"len", 6, b"matches", []],
    [b"matches", [], b"len", None],
    [b"matches", [], b"len"],
    [[b"matches"], [], b"len", 1],
    {b"matches": []},
    *[{b"matches": matches, b"len": 1} for matches in ODD_MATCHES],
]


def reader(name: str) -> Callable[[Any], object]:
    found: Callable[[Any], object] = getattr(readers_strings, name)
    return found


@pytest.mark.parametrize("name", SAID)
def test_both_protocols_give_the_same_value_of_the_same_type(name: str) -> None:
    for resp2, resp3, result in SAID[name]:
        for said, protocol in ((resp2, 2), (resp3, 3)):
            (reply,) = Parser().feed(encode_reply(said, 2 if protocol == 2 else 3))
            read = reader(name)(reply)
            assert read == result
            assert repr(read) == repr(result)  # which shows types, too


@pytest.mark.parametrize("name", SAID)
def test_anything_else_is_an_error_and_no_wrong_value(name: str) -> None:
    for reply in STRANGE:
        with pytest.raises(UnexpectedReplyError, match="expected, and .* came"):
            reader(name)(reply)


def test_a_match_knows_its_length() -> None:
    assert [match.len for match in FOUND.matches] == [4, 2]
    assert FOUND.len == 6
