"""Functions that make one type of any reply: what each takes, on both protocols and decoded; what each refuses, and shows of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import pytest

import resp_sansio
from resp_sansio import (
    Attributed,
    InvalidReplyError,
    Items,
    Outcome,
    Pairs,
    Push,
    ReplyError,
    UnexpectedReplyError,
    Verbatim,
    as_bytes,
    as_dict,
    as_float,
    as_int,
    as_list,
    as_str,
)
from resp_sansio.wire import narrowing

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET: Final = b"hunter2"
# A reply of each type that there is.
REPLIES: Final[list[Any]] = [
    None,
    True,
    7,
    1.5,
    "OK",
    SECRET,
    Verbatim(SECRET),
    [SECRET],
    {SECRET: SECRET},
    {SECRET},
    Pairs([(1, SECRET), (True, SECRET)]),
    Items([1, True, SECRET]),
    ReplyError("ERR hunter2"),
    InvalidReplyError(b"(hunter2"),
    Push("message", (SECRET,)),
    Attributed([SECRET], {}),
]
TAKES: Final[list[tuple[Callable[..., Any], list[tuple[Any, Any]]]]] = [
    (as_int, [(7, 7), (-(2**70), -(2**70))]),
    (as_float, [(1.5, 1.5), (b"1.5", 1.5), ("-inf", -math.inf), (Verbatim(b"2"), 2.0)]),
    (as_bytes, [(SECRET, SECRET), (b"", b""), (Verbatim(b"x"), b"x")]),
    (as_str, [("OK", "OK"), (b"caf\xc3\xa9", "café"), (b"\xff", "\udcff"), (Verbatim(b"x"), "x")]),
    (as_list, [([], []), ([1, None], [1, None])]),
    (as_dict, [({b"a": 1}, {b"a": 1}), ([b"a", 1, "b", None], {b"a": 1, "b": None}), ([], {}), ({}, {})]),
]


@pytest.mark.parametrize(("narrow", "reply", "wanted"), [(each, *case) for each, cases in TAKES for case in cases])
def test_what_is_of_the_type_is_returned(narrow: Callable[..., Any], reply: Any, wanted: Any) -> None:
    made = narrow(reply)
    assert (made, type(made) in (type(wanted), Verbatim)) == (wanted, True)
    assert narrow(reply, "what readers are told") == wanted


@pytest.mark.parametrize("narrow", [each for each, _ in TAKES])
@pytest.mark.parametrize("reply", REPLIES, ids=lambda reply: type(reply).__name__)
def test_all_else_is_refused_without_its_data(narrow: Callable[..., Any], reply: Any) -> None:
    taken: dict[object, set[type]] = {
        as_int: {int},
        as_float: {float},
        as_bytes: {bytes, Verbatim},
        as_str: {str, bytes, Verbatim},
        as_list: {list},
        as_dict: {dict},
    }
    if type(reply) in taken[narrow]:
        assert narrow(reply) == (reply.decode() if narrow is as_str and isinstance(reply, bytes) else reply)
        return
    with pytest.raises(UnexpectedReplyError, match=f"was expected, and {type(reply).__name__} came") as raised:
        narrow(reply)
    assert raised.value.outcome is Outcome.REPLY
    assert "hunter2" not in repr(raised.value) + str(raised.value) + repr(raised.value.__context__)


@pytest.mark.parametrize("keys", [[1, 0, True, 0], [1, 0, 1, 0], [Items([1, True]), 0], [b"odd"]])
def test_no_element_of_a_map_is_lost(keys: list[Any]) -> None:
    with pytest.raises(UnexpectedReplyError, match="a map"):
        as_dict(keys)


def test_a_list_that_nests_too_deep_for_a_key_is_no_map() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(UnexpectedReplyError, match="a map whose keys differ was expected"):
        as_dict([deep, 1])


def test_all_of_them_are_public() -> None:
    assert {*narrowing.__all__} == {"as_int", "as_float", "as_bytes", "as_str", "as_list", "as_dict"}
    assert {*narrowing.__all__} <= {*resp_sansio.__all__}
