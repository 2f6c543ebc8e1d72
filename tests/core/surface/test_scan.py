"""What SCAN and its like find, to iterate over, in both colours: a page is asked for while the one before is read."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pytest

from core.client.notes import Notes
from core.surface.driver import COLOURS, Tasks
from resp_sansio import CallEnded, ConnectionClosedError, ConnectionLostError, LocalProtocolError, Outcome, ReplyError
from resp_sansio.connection import SlotState

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.surface.driver import Colour

pytestmark = pytest.mark.parametrize("colour", COLOURS, ids=repr)

MAKERS: dict[str, Callable[..., Any]] = {
    "client": lambda colour, **options: colour.client("redis://stage", **options),
    "pool": lambda colour, **options: colour.pool("redis://stage", **options),
    "connection": lambda colour, **options: colour.connect(**options),
}
MADE = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)

PAGES: dict[bytes, Any] = {b"0": [b"7", [b"a", b"b"]], b"7": [b"9", []], b"9": [b"0", [b"c", b"d"]]}


class Asked(list[bytes]):
    """A server that answers with pages, and notes the cursors that it was asked with."""

    def __call__(self, words: Any) -> Any:
        name = bytes(words[0])
        if name == b"INFO":
            return b"run_id:one\r\n"
        if not name.endswith(b"SCAN"):
            return bytes(words[-1])
        self.append(bytes(words[1 if name == b"SCAN" else 2]))
        return PAGES[self[-1]]


def serve(opened: Any) -> Asked:
    """Have its server answer so."""
    stage, asked = opened._driver.stage, Asked()
    stage.answer = asked
    for peer in stage.peers.values():
        peer.answer = asked
    return asked


def following(colour: Colour, scan: Any) -> Any:
    """The next one; None at the end."""
    try:
        return colour.do(scan.__anext__()) if isinstance(colour, Tasks) else next(scan)
    except (StopIteration, StopAsyncIteration):
        return None


def everything(colour: Colour, scan: Any) -> list[Any]:
    """All that is left."""
    found = []
    while (item := following(colour, scan)) is not None:
        found.append(item)
    return found


@MADE
def test_a_page_is_asked_for_when_the_one_before_is_here_and_none_beyond(colour: Colour, make: Any) -> None:
    with colour.block(make(colour)) as opened:
        asked = serve(opened)
        scan = opened.scan_iter()
        assert (scan.__aiter__() if isinstance(colour, Tasks) else iter(scan)) is scan
        assert asked == []
        assert following(colour, scan) == b"a"
        assert asked == [b"0", b"7"]
        assert following(colour, scan) == b"b"
        assert asked == [b"0", b"7"]
        assert everything(colour, scan) == [b"c", b"d"]
        assert asked == [b"0", b"7", b"9"]
        assert following(colour, scan) is None
        assert (scan.restarts, repr(scan)) == (0, "<Scan <ScanCursor of SCAN: ended, 0 restarts>>")


@MADE
def test_all_four_are_asked_for_in_bytes_or_text(colour: Colour, make: Any) -> None:
    with colour.block(make(colour, decode=True)) as opened:
        serve(opened)
        assert everything(colour, opened.scan_iter("*", 10, "string")) == ["a", "b", "c", "d"]
        assert everything(colour, opened.raw.scan_iter(distinct=True)) == [b"a", b"b", b"c", b"d"]
        assert everything(colour, opened.text.sscan_iter("k", "*", None)) == ["a", "b", "c", "d"]
        assert everything(colour, opened.hscan_iter("k")) == [("a", "b"), ("c", "d")]
        assert everything(colour, opened.raw.hscan_iter("k", no_values=True)) == [b"a", b"b", b"c", b"d"]
        PAGES[b"0"][1], PAGES[b"9"][1] = [b"a", b"1"], [b"c", b"2.5"]
        try:
            assert everything(colour, opened.zscan_iter("k")) == [("a", 1.0), ("c", 2.5)]
        finally:
            PAGES[b"0"][1], PAGES[b"9"][1] = [b"a", b"b"], [b"c", b"d"]
        with pytest.raises(TypeError):
            opened.scan_iter(match=object())
    said = [words for words in opened._driver.stage.executed() if words[0].endswith(b"SCAN")]
    assert said[0] == (b"SCAN", b"0", b"MATCH", b"*", b"COUNT", b"10", b"TYPE", b"string")
    assert (b"SSCAN", b"k", b"0", b"MATCH", b"*") in said
    assert (b"HSCAN", b"k", b"7", b"COUNT", b"1000", b"NOVALUES") in said


def test_what_was_lost_ahead_is_asked_for_again(colour: Colour) -> None:
    with colour.block(colour.client("redis://stage", timeout=3.0)) as client:
        asked = serve(client)
        scan = client.scan_iter()
        assert following(colour, scan) == b"a"
        slot = scan._slot
        client._driver.stage.now = 2.0
        slot.state = SlotState.QUEUED
        slot.settle(SlotState.LOST, 0)
        assert everything(colour, scan) == [b"b", b"c", b"d"]
        assert asked == [b"0", b"7", b"7", b"9"]
        assert client._driver.stage.ended[-2].deadline == 5.0  # it has all of its time


def test_what_fails_is_told_and_may_be_gone_on_with(colour: Colour) -> None:
    with colour.block(colour.client("redis://stage")) as client:
        serve(client)
        scan = client.scan_iter()
        assert [following(colour, scan), following(colour, scan)] == [b"a", b"b"]
        before = PAGES[b"9"]
        PAGES[b"9"] = ReplyError("NOPERM no")
        try:
            with pytest.raises(ReplyError, match="NOPERM"):
                following(colour, scan)
        finally:
            PAGES[b"9"] = before
        assert everything(colour, scan) == [b"c", b"d"]


def test_a_caller_that_is_struck_loses_nothing(colour: Colour) -> None:
    with colour.block(colour.client("redis://stage")) as client:
        serve(client)
        stage = client._driver.stage
        scan = client.scan_iter()
        colour.do(client.echo("k"))
        stage.deaf.update(stage.peers)
        client._driver.strikes = KeyboardInterrupt()
        with pytest.raises(KeyboardInterrupt):
            following(colour, scan)
        stage.wake()
        assert following(colour, scan) == b"a"
        slot = scan._slot
        stage.ended.remove(slot)
        with pytest.raises(KeyboardInterrupt):
            [following(colour, scan) for _ in range(2)]
        assert everything(colour, scan) == [b"c", b"d"]


def test_the_end_of_its_client_is_told_behind_what_has_come(colour: Colour) -> None:
    with colour.block(colour.client("redis://stage")) as client:
        serve(client)
        scan, other = client.scan_iter(), client.scan_iter()
        assert following(colour, scan) == b"a"
    assert following(colour, scan) == b"b"
    for _ in range(2):
        with pytest.raises((ConnectionClosedError, ConnectionLostError)):
            following(colour, scan)
    with pytest.raises(ConnectionClosedError):
        following(colour, other)


def test_one_on_a_connection_that_was_lent_goes_by_that(colour: Colour) -> None:
    with colour.block(colour.pool("redis://stage")) as pool:
        serve(pool)
        with colour.block(pool.acquire()) as connection:
            scan = connection.scan_iter()
            assert following(colour, scan) == b"a"
        assert following(colour, scan) == b"b"
        with pytest.raises(ConnectionClosedError):
            everything(colour, scan)
    assert b"INFO" not in [words[0] for words in pool._driver.stage.executed()]


def test_left_by_its_block_it_gives_up_what_it_has_asked_for(colour: Colour) -> None:
    notes = Notes()
    with colour.block(colour.client("redis://stage", observers=[notes])) as client:
        asked, stage = serve(client), client._driver.stage
        colour.do(client.echo("k"))
        stage.answer = stage.peers[stage.link].answer = lambda words: stage.deaf.update(stage.peers) or asked(words)
        with colour.block(client.scan_iter()) as scan:
            assert following(colour, scan) == b"a"
            slot = scan._slot
            assert len(notes.under_way) == 1
        stage.answer = stage.peers[stage.link].answer = asked
        stage.wake()
        assert slot.state is SlotState.ABANDONED
        assert not notes.under_way
        assert following(colour, scan) is None
        colour.do(scan.close())
        with colour.block(client.scan_iter()):
            pass
        assert everything(colour, client.scan_iter()) == [b"a", b"b", b"c", b"d"]


@pytest.mark.parametrize("observed", [True, False])
def test_thrown_away_it_is_told_with_the_next_end(colour: Colour, *, observed: bool) -> None:
    notes = Notes()
    with colour.block(colour.client("redis://stage", observers=[notes] if observed else [])) as client:
        serve(client)
        for _ in range(2):
            scan = client.scan_iter()
            assert following(colour, scan) == b"a"
            del scan
            gc.collect()
        assert len(notes.under_way) == observed
        colour.do(client.echo("k"))
        assert not notes.under_way
    if observed:
        told = [call for call in notes.of(CallEnded) if isinstance(call.error, GeneratorExit)]
        assert [(call.command, call.outcome) for call in told] == [("SCAN", Outcome.REPLY)] * 2


def test_tasks_do_not_share_one(colour: Colour) -> None:
    with colour.block(colour.client("redis://stage")) as client:
        serve(client)
        scan = client.scan_iter()
        if isinstance(colour, Tasks):
            with scan._turn, pytest.raises(LocalProtocolError, match="another task waits"):
                following(colour, scan)
        assert everything(colour, scan) == [b"a", b"b", b"c", b"d"]


def test_one_that_was_never_made_is_thrown_away_in_silence(colour: Colour) -> None:
    with colour.block(colour.client("redis://stage")) as client:
        scan_type: Any = type(client.scan_iter())
    scan_type.__new__(scan_type).__del__()
