"""Where an iteration over a server's keys is: which page goes on, which does not, and that no key is left out."""

from __future__ import annotations

from math import inf
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resp_sansio import ConnectionLostError, ReplyError, UnexpectedReplyError, commands
from resp_sansio.client import ScanCursor
from resp_sansio.commands.decoding import RAW, decoded
from resp_sansio.commands.readers import bulks, pairs
from resp_sansio.connection import Slot, SlotState
from resp_sansio.connection.slot import Batch

NOPERM = ReplyError("NOPERM no")


def link(run_id: bytes | None = None) -> Any:
    return SimpleNamespace(run_id=run_id)


def cursor(**options: Any) -> ScanCursor[bytes]:
    return ScanCursor(commands.scan(match="*", count=3), 1, bulks, RAW, **options)


def answered(slot: Slot, reply: Any, by: Any, info: Any = None) -> Slot:
    """The call has ended: with this reply, and if it was asked, this of INFO."""
    if isinstance(slot, Batch):
        slot.replies = [reply, info]
    else:
        slot.reply = reply
    slot.link, slot.state = by, SlotState.ANSWERED
    return slot


def who(run_id: bytes) -> bytes:
    return b"# Server\r\nredis_version:7.0.15\r\nrun_id:%b\r\ntcp_port:6379\r\n" % run_id


def words(slot: Slot) -> bytes:
    assert isinstance(slot.payload, bytes)
    return slot.payload


# -- pages -----------------------------------------------------------------------------------------------------------------------


def test_pages_follow_each_other_until_the_cursor_is_0() -> None:
    pages, by = cursor(fixed=True), link()
    found = []
    for asked, given_back, keys in ((b"0", b"17", [b"a"]), (b"17", b"3", []), (b"3", b"0", [b"b", b"c"])):
        assert not pages.ended
        slot = pages.ask(7.0)
        assert slot.deadline == 7.0
        assert type(slot) is Slot
        assert words(
            slot
        ) == b"*6\r\n$4\r\nSCAN\r\n$%d\r\n%b\r\n$5\r\nMATCH\r\n$1\r\n*\r\n$5\r\nCOUNT\r\n$1\r\n3\r\n" % (
            len(asked),
            asked,
        )
        pages.take(answered(slot, [given_back, keys], by))
        found += [*pages.page]
    assert (found, pages.ended, pages.restarts) == ([b"a", b"b", b"c"], True, 0)
    assert repr(pages) == "<ScanCursor of SCAN: ended, 0 restarts>"


def test_a_cursor_may_be_of_any_length() -> None:
    pages = cursor(fixed=True)
    for given_back in (b"18446744073709551615", b"9" * 40, b"00"):
        pages.take(answered(pages.ask(inf), [given_back, []], link()))
        assert b"\r\n%b\r\n" % given_back in words(pages.ask(inf))
        assert not pages.ended
    assert repr(pages) == "<ScanCursor of SCAN: under way, 0 restarts>"


def test_what_is_found_is_read_as_it_is_asked_for() -> None:
    fields = ScanCursor(commands.hscan("h"), 2, pairs, decoded("utf-8"), fixed=True)
    slot = fields.ask(inf)
    assert words(slot) == b"*3\r\n$5\r\nHSCAN\r\n$1\r\nh\r\n$1\r\n0\r\n"
    fields.take(answered(slot, [b"0", [b"f", "é".encode()]], link()))
    assert [*fields.page] == [("f", "é")]


def test_what_fails_can_be_asked_for_again() -> None:
    pages, by = cursor(fixed=True), link()
    pages.take(answered(pages.ask(inf), [b"5", [b"a"]], by))
    asked = words(pages.ask(inf))
    lost = pages.ask(inf)
    lost.end = 0
    lost.settle(SlotState.LOST, 0)
    lost.cause = ConnectionLostError("reset")
    for slot, error in (
        (lost, ConnectionLostError),
        (answered(pages.ask(inf), NOPERM, by), ReplyError),
        (answered(pages.ask(inf), [b"0"], by), UnexpectedReplyError),
        (answered(pages.ask(inf), [0, []], by), UnexpectedReplyError),
        (answered(pages.ask(inf), [b"0", [1]], by), UnexpectedReplyError),
    ):
        with pytest.raises(error, match="SCAN|NOPERM"):
            pages.take(slot)
        assert words(pages.ask(inf)) == asked
    text = ScanCursor(commands.scan(), 1, bulks, decoded("utf-8"), fixed=True)
    with pytest.raises(UnexpectedReplyError, match="SCAN: the data is no utf-8") as caught:
        text.take(answered(text.ask(inf), [b"0", [b"\xff"]], by))
    assert caught.value.__context__ is None


def test_one_that_is_closed_has_no_more() -> None:
    pages = cursor(fixed=True)
    pages.take(answered(pages.ask(inf), [b"5", [b"a"]], link()))
    pages.close()
    assert ([*pages.page], pages.ended) == ([], True)


def test_nothing_comes_twice_if_that_is_asked_for() -> None:
    pages, by = cursor(fixed=True, distinct=True), link()
    found = []
    for keys in ([b"a", b"b", b"a"], [b"b", b"c"], [b"c"]):
        pages.take(answered(pages.ask(inf), [b"5", keys], by))
        found += [*pages.page]
    assert found == [b"a", b"b", b"c"]
    fields = ScanCursor(commands.hscan("h"), 2, pairs, RAW, fixed=True, distinct=True, named=True)
    fields.take(answered(fields.ask(inf), [b"5", [b"f", b"1", b"g", b"1"]], by))
    assert [*fields.page] == [(b"f", b"1"), (b"g", b"1")]
    fields.take(answered(fields.ask(inf), [b"0", [b"f", b"2", b"h", b"1"]], by))
    assert [*fields.page] == [(b"h", b"1")]


# -- servers ---------------------------------------------------------------------------------------------------------------------


def test_a_connection_is_asked_once_to_which_server_it_leads() -> None:
    pages, by = cursor(), link()
    slot = pages.ask(inf)
    assert isinstance(slot, Batch)
    assert slot.name == "pipeline of 2 commands"
    assert b"$4\r\nINFO\r\n$6\r\nserver\r\n" in words(slot)
    pages.take(answered(slot, [b"5", [b"a"]], by, who(b"one")))
    assert by.run_id == b"one"
    assert type(pages.ask(inf)) is Slot
    assert type(pages.ask(inf, by)) is Slot
    assert type(pages.ask(inf, link())) is Batch
    assert type(cursor().ask(inf, by)) is Slot  # another iteration


@pytest.mark.parametrize("info", [NOPERM, b"redis_version:7\r\n", None])
def test_one_that_does_not_tell_is_taken_to_be_the_same(info: Any) -> None:
    pages = cursor()
    for _ in range(3):
        by = link()
        pages.take(answered(pages.ask(inf, by), [b"5", [b"a"]], by, info))
        assert [*pages.page] == [b"a"]
        assert by.run_id == b""
    assert pages.restarts == 0


def test_a_page_by_another_connection_to_the_same_server_goes_on() -> None:
    pages, first, second, third = cursor(), link(), link(), link(b"one")
    pages.take(answered(pages.ask(inf), [b"5", [b"a"]], first, who(b"one")))
    assert [*pages.page] == [b"a"]
    pages.take(answered(pages.ask(inf), [b"6", [b"b"]], second))  # it was expected by the first, and is asked for again
    assert [*pages.page] == []
    slot = pages.ask(inf)
    assert isinstance(slot, Batch)
    pages.take(answered(slot, [b"6", [b"b"]], second, who(b"one")))
    assert [*pages.page] == [b"b"]
    pages.take(answered(pages.ask(inf), [b"0", [b"c"]], third))
    assert ([*pages.page], pages.ended, pages.restarts) == ([b"c"], True, 0)


def test_a_page_of_another_server_does_not_and_all_begins_again() -> None:
    pages, first, second = cursor(), link(b"one"), link(b"two")
    pages.take(answered(pages.ask(inf, first), [b"5", [b"a"]], first))
    assert [*pages.page] == [b"a"]
    pages.take(answered(pages.ask(inf), [b"0", [b"z"]], second))
    assert ([*pages.page], pages.ended, pages.restarts) == ([], False, 1)
    pages.take(answered(pages.ask(inf), [b"0", [b"a", b"b"]], second))
    assert ([*pages.page], pages.ended, pages.restarts) == ([b"a", b"b"], True, 1)


def test_the_first_page_is_of_whichever_server() -> None:
    pages, first, second = cursor(), link(b"one"), link(b"two")
    pages.take(answered(pages.ask(inf, first), [b"5", [b"a"]], first))
    pages.take(answered(pages.ask(inf), [b"6", []], second))
    pages.take(answered(pages.ask(inf), [b"6", [b"a"]], first))
    assert ([*pages.page], pages.restarts) == ([b"a"], 1)


def test_what_was_answered_on_two_connections_proves_nothing() -> None:
    """The page came on the one that was lost, who it was on the next."""
    pages, by = cursor(), link()
    slot = pages.ask(inf)
    assert isinstance(slot, Batch)
    slot.begin = 1
    pages.take(answered(slot, [b"5", [b"a"]], by, who(b"two")))
    assert ([*pages.page], by.run_id) == ([], None)


def test_servers_in_turn_are_told_at_last() -> None:
    pages = cursor(distinct=True)
    with pytest.raises(UnexpectedReplyError, match="SCAN: its pages come from different servers; use acquire"):  # noqa: PT012
        for _ in range(100):
            for name in (b"one", b"two"):
                pages.take(answered(pages.ask(inf, link(name)), [b"5", [b"a"]], link(name)))
    assert pages.restarts == 11


class Server:
    """Keys in an order that is this server's own, as it runs now. A cursor speaks of a place in that order."""

    def __init__(self, seed: int, keys: list[bytes]) -> None:
        self.run_id = b"%d" % seed
        self.random = Random(seed)
        self.order: dict[bytes, int] = {}
        for key in keys:
            self.add(key)

    def add(self, key: bytes) -> None:
        self.order[key] = self.random.getrandbits(90)

    def page(self, cursor: bytes, count: int) -> list[Any]:
        there = sorted((at, key) for key, at in self.order.items() if at > int(cursor))
        last = len(there) <= count
        return [b"0" if last else b"%d" % there[count - 1][0], [key for _, key in there[:count]]]


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["known", "new", "torn", "lost", "add"])), max_size=30))
def test_no_key_that_is_there_all_the_time_is_left_out(steps: list[tuple[int, str]]) -> None:
    """Whichever of four servers answers, by a known connection or a new one, whatever is lost, and added meanwhile."""
    keys = [b"%d" % number for number in range(20)]
    servers = [Server(number, keys) for number in range(4)]
    known = [link() for _ in servers]
    pages = cursor()
    found: list[bytes] = []
    answering = {0}
    for number, how in [*steps, *[(0, "known")] * 40]:
        if pages.ended:
            break
        server, by = servers[number], known[number] if how == "known" else link()
        if how == "add":
            server.add(b"new %d" % len(server.order))
            continue
        slot = pages.ask(inf, by if len(found) % 2 else None)
        if how == "lost":
            continue
        if isinstance(slot, Batch) and how == "torn":
            slot.begin = 1
        asked = words(slot).split(b"\r\n")[4]
        answering.add(number)
        try:
            pages.take(answered(slot, server.page(asked, 3), by, who(server.run_id)))
        except UnexpectedReplyError:
            return  # it gave up, and says so
        found += [*pages.page]
    assert pages.ended
    assert set(keys) <= set(found)
    if answering == {0}:
        assert pages.restarts == 0
        assert len(found) == len(set(found))
