"""The results that only commands on hashes and lists have: one of both protocols' replies, an error for any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from resp_sansio import UnexpectedReplyError
from resp_sansio.commands.decoding import RAW, decoded
from resp_sansio.commands.readers_collections import paired, popped

if TYPE_CHECKING:
    from resp_sansio import Reply

TEXT = decoded("utf-8")


@pytest.mark.parametrize("reply", [[b"f", b"v", b"f", b"v"], [[b"f", b"v"], [b"f", b"v"]]], ids=["RESP2", "RESP3"])
def test_fields_with_values_may_come_again(reply: Reply) -> None:
    assert paired(reply, RAW) == [(b"f", b"v")] * 2
    assert paired(reply, TEXT) == [("f", "v")] * 2
    assert paired([], RAW) == []


@pytest.mark.parametrize(
    "reply",
    [None, 1, "OK", {b"f": b"v"}, [b"f"], [[b"f"]], [[b"f", b"v"], b"g"], [[b"f", 1]], [b"f", None], [[]], [1, []]],
)
def test_what_is_no_list_of_fields_with_values(reply: Reply) -> None:
    with pytest.raises(UnexpectedReplyError):
        paired(reply, RAW)


def test_elements_come_after_the_key_that_they_were_taken_from() -> None:
    assert popped(None, RAW) is None
    assert popped([b"l", [b"a", b"b"]], RAW) == (b"l", [b"a", b"b"])
    assert popped([b"l", [b"a"]], TEXT) == ("l", ["a"])


@pytest.mark.parametrize("reply", [1, "OK", [], [b"l"], [b"l", b"a"], [None, [b"a"]], [b"l", [1]], {b"l": [b"a"]}])
def test_what_is_no_key_with_elements(reply: Reply) -> None:
    with pytest.raises(UnexpectedReplyError):
        popped(reply, RAW)
