"""Streams and lists as queues, in both colours: what the machine says is sent, and what comes of it is told to the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.client.streams import Streams, number
from core.surface.driver import COLOURS, Tasks
from resp_sansio import (
    CommandTimeoutError,
    ConnectError,
    ConnectionClosedError,
    ConnectionLostError,
    LocalProtocolError,
    Outcome,
    ReplyError,
    Retry,
)

if TYPE_CHECKING:
    from core.surface.driver import Colour

pytestmark = pytest.mark.parametrize("colour", COLOURS, ids=repr)


def served(opened: Any, answer: Any) -> None:
    """Let all of its servers answer so."""
    stage = opened._driver.stage
    stage.answer = answer
    for peer in stage.peers.values():
        peer.answer = answer


def queue_of(client: Any, server: Streams, **options: Any) -> Any:
    served(client, server.run)
    return client.consume("s", group="g", consumer="me", **{"block": None, **options})


def next_of(colour: Colour, entries: Any) -> Any:
    return colour.do(entries.__anext__() if isinstance(colour, Tasks) else entries.__next__())


def all_of(colour: Colour, entries: Any) -> list[Any]:
    ended = StopAsyncIteration if isinstance(colour, Tasks) else StopIteration
    found = []
    assert (entries.__aiter__() if isinstance(colour, Tasks) else iter(entries)) is entries
    while True:
        try:
            found.append(next_of(colour, entries))
        except ended:
            return found


@pytest.mark.parametrize("kind", ["client", "pool", "connect"])
def test_each_entry_is_handed_over_and_what_is_done_is_acknowledged(colour: Colour, kind: str) -> None:
    server = Streams(b"s")
    opened = getattr(colour, kind)() if kind == "connect" else getattr(colour, kind)("redis://stage")
    with colour.block(opened) as redis:
        served(redis, server.run)
        for _ in range(3):
            server.add()
        with colour.block(redis.consume("s", group="g", consumer="me", block=None)) as entries:
            assert repr(entries) == "<Consuming <StreamQueue: 0 ready, 0 in hands>>"
            for entry in all_of(colour, entries):
                with entry:
                    assert entry.fields == {b"n": b"%d" % number(entry.id)}
            server.add()
            (last,) = all_of(colour, entries)
            assert [*server.streams[b"s"].pending] == [4]
            last.done()
        assert not server.streams[b"s"].pending


def test_it_is_text_for_a_client_of_text(colour: Colour) -> None:
    server = Streams(b"s")
    server.add()
    with colour.block(colour.client("redis://stage", decode=True)) as client:
        entries = queue_of(client, server)
        assert [(each.stream, each.id, each.fields) for each in all_of(colour, entries)] == [("s", "1-0", {"n": "1"})]


def test_a_view_hands_over_as_it_is_asked_for(colour: Colour) -> None:
    server = Streams(b"s")
    server.add()
    with colour.block(colour.client("redis://stage")) as client:
        served(client, server.run)
        (entry,) = all_of(colour, client.text.consume("s", group="g", consumer="me", block=None))
        assert (entry.stream, entry.fields) == ("s", {"n": "1"})
        served(client, lambda words: [b"\xc3\xa4"] if words[0] == b"LRANGE" else None)
        (item,) = all_of(colour, client.text.consume_list("q", working="w", block=None))
        assert item.value == "ä"
    with colour.block(colour.client("redis://stage", decode=True)) as client:
        served(client, server.run)
        (entry,) = all_of(colour, client.raw.consume("s", group="g", consumer="me", block=None))
        assert (entry.id, entry.fields) == (b"1-0", {b"n": b"1"})


def test_a_read_has_the_time_that_it_asks_the_server_for(colour: Colour) -> None:
    server = Streams(b"s")
    with colour.block(colour.client("redis://stage", timeout=3.0)) as client:
        entries = queue_of(client, server, block=5000)
        stage = client._driver.stage
        server.add()
        next_of(colour, entries)
        assert stage.ended[-1].deadline == 8.0


def test_a_loss_is_survived_and_the_entry_comes(colour: Colour) -> None:
    server = Streams(b"s")
    with colour.block(colour.client("redis://stage", retry=Retry(base=0.0))) as client:
        entries = queue_of(client, server)
        stage = client._driver.stage
        assert all_of(colour, entries) == []
        server.add()
        lost: list[Any] = []

        def answer_and_lose(words: Any) -> Any:
            reply = server.run(words)
            if not lost:
                lost.append(reply)
                stage.cut(next(link for link in stage.peers if not link.ended))
            return reply

        served(client, answer_and_lose)
        (entry,) = all_of(colour, entries)
        assert entry.again
        assert lost


def test_a_wait_that_is_cut_short_loses_nothing(colour: Colour) -> None:
    server = Streams(b"s")
    with colour.block(colour.client("redis://stage")) as client:
        entries = queue_of(client, server)
        assert all_of(colour, entries) == []
        stage = client._driver.stage
        server.add()
        stage.deaf.update(stage.peers)
        client._driver.strikes = KeyboardInterrupt()
        with pytest.raises(KeyboardInterrupt):
            next_of(colour, entries)
        stage.wake()  # the server takes what was sent, and no caller waits for it
        assert [entry.again for entry in all_of(colour, entries)] == [True]


@pytest.mark.parametrize("answers", [True, False])
def test_a_block_that_is_interrupted_sends_what_is_done_and_waits_for_nothing(colour: Colour, answers: bool) -> None:
    server = Streams(b"s")
    with colour.block(colour.client("redis://stage")) as client:
        entries = queue_of(client, server)
        stage = client._driver.stage
        server.add()

        def be_interrupted() -> None:
            with colour.block(entries):
                next_of(colour, entries).done()
                if not answers:
                    stage.deaf.update(stage.peers)
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            be_interrupted()
        owed = sum([link.core.stats().abandoned for link in stage.client.links])
        assert owed == (0 if answers else 1)
        stage.wake()
        assert not server.streams[b"s"].pending


def test_what_no_asking_again_helps_with_is_raised(colour: Colour) -> None:
    server = Streams()
    with colour.block(colour.client("redis://stage")) as client:
        entries = queue_of(client, server, create=False)
        with pytest.raises(ReplyError, match="NOGROUP"):
            next_of(colour, entries)
        colour.do(client.close())
        with pytest.raises(ConnectionClosedError):
            next_of(colour, entries)


def test_one_caller_at_a_time_asks_for_the_next(colour: Colour) -> None:
    server = Streams(b"s")
    with colour.block(colour.client("redis://stage")) as client:
        entries = queue_of(client, server)
        met: list[str] = []

        def answer(words: Any) -> Any:
            with pytest.raises(LocalProtocolError, match="another caller waits"):
                next_of(colour, entries)
            met.append("refused")
            return server.run(words)

        served(client, answer)
        assert all_of(colour, entries) == []
        assert met


def test_what_is_done_can_be_acknowledged_at_once(colour: Colour) -> None:
    server = Streams(b"s")
    with colour.block(colour.client("redis://stage")) as client:
        entries = queue_of(client, server)
        server.add()
        (entry,) = all_of(colour, entries)
        colour.do(entries.flush())
        assert server.sent.count("XACK") == 0
        entry.done()
        colour.do(entries.flush())
        assert not server.streams[b"s"].pending


def test_at_the_end_an_error_of_acknowledging_is_told_unless_another_ended_the_block(colour: Colour) -> None:
    server = Streams(b"s")
    with colour.block(colour.client("redis://stage")) as client:
        for ended_by in (None, ZeroDivisionError):
            entries = colour.enter(queue_of(client, server))
            server.add()
            all_of(colour, entries)[-1].done()
            served(client, lambda _: ReplyError("NOPERM no"))
            if ended_by is None:
                with pytest.raises(ReplyError, match="NOPERM"):
                    colour.leave(entries)
            else:
                colour.leave(entries, ended_by, ended_by(), None)
            served(client, server.run)


@pytest.mark.parametrize("done", [0, 1])
def test_a_block_that_is_cut_short_acknowledges_what_is_done_and_does_not_wait(colour: Colour, done: int) -> None:
    server = Streams(b"s")
    with colour.block(colour.client("redis://stage")) as client:
        entries = colour.enter(queue_of(client, server))
        server.add()
        (entry,) = all_of(colour, entries)
        if done:
            entry.done()
        stage = client._driver.stage
        stage.deaf.update(stage.peers)
        colour.leave(entries, KeyboardInterrupt, KeyboardInterrupt(), None)
        stage.wake()
        assert len(server.streams[b"s"].pending) == 1 - done


def test_what_was_sent_twice_may_have_been_delivered_before(colour: Colour) -> None:
    server = Streams(b"s")
    twice = Retry(base=0.0, maybe_executed=True)
    with colour.block(colour.client("redis://stage", retry=twice)) as client:
        entries = queue_of(client, server)
        stage = client._driver.stage
        assert all_of(colour, entries) == []
        server.add()
        lost: list[Any] = []

        def answer_and_lose(words: Any) -> Any:
            reply = server.run(words)
            if not lost:
                lost.append(reply)
                stage.cut(next(link for link in stage.peers if not link.ended))
            return reply

        served(client, answer_and_lose)
        assert [entry.again for entry in all_of(colour, entries)] == [True]


def test_elements_of_a_list(colour: Colour) -> None:
    lists: dict[bytes, list[bytes]] = {b"q": [b"1", b"2"], b"w": []}

    def answer(words: Any) -> Any:
        if words[0] == b"LRANGE":
            return [*lists[b"w"]]
        if words[0] == b"LREM":
            lists[b"w"].remove(words[-1])
            return 1
        if not lists[b"q"]:
            return None
        lists[b"w"].append(lists[b"q"].pop(0))
        return lists[b"w"][-1]

    with colour.block(colour.client("redis://stage", decode=True)) as client:
        served(client, answer)
        with colour.block(client.consume_list("q", working="w", block=None)) as items:
            for item in all_of(colour, items):
                with item:
                    assert item.value in "12"
        assert lists == {b"q": [], b"w": []}


@pytest.mark.parametrize(
    ("error", "goes_on"),
    [
        (ConnectionLostError("lost"), True),
        (ConnectError("refused", transient=True), True),
        (ConnectError("wrong password", transient=False), False),
        (CommandTimeoutError("no connection was free", outcome=Outcome.NOT_SENT), False),
    ],
    ids=str,
)
def test_a_server_that_is_away_is_asked_until_it_is_back(colour: Colour, error: Exception, goes_on: bool) -> None:
    server = Streams(b"s")
    with colour.block(colour.client("redis://stage")) as client:
        entries = queue_of(client, server)
        server.add()
        call, errors = client._driver.make_call, [error]

        def make_call(*args: Any) -> None:
            if errors:
                raise errors.pop()
            call(*args)

        client._driver.make_call = make_call
        if goes_on:
            assert len(all_of(colour, entries)) == 1
        else:
            with pytest.raises(type(error)):
                next_of(colour, entries)


def test_a_queue_that_is_stopped_hands_over_what_it_has_and_sends_nothing_more(colour: Colour) -> None:
    server = Streams(b"s")
    for _ in range(3):
        server.add()
    with colour.block(colour.client("redis://stage")) as client:
        with colour.block(queue_of(client, server, block=1000)) as entries:
            first = next_of(colour, entries)
            server.add()
            entries.stop()
            sent = len(client._driver.stage.ended)
            rest = all_of(colour, entries)
            assert [number(each.id) for each in (first, *rest)] == [1, 2, 3]
            assert all_of(colour, entries) == []
            assert len(client._driver.stage.ended) == sent
            for entry in (first, *rest):
                entry.done()
        assert not server.streams[b"s"].pending


def test_a_queue_that_is_stopped_waits_for_no_server(colour: Colour) -> None:
    """An acknowledgement is due in front of what it has: where that has no answer, it ends."""
    server = Streams(b"s")
    for _ in range(3):
        server.add()
    with colour.block(colour.client("redis://stage", retry=Retry(attempts=1))) as client:
        entries = queue_of(client, server, block=1000)
        next_of(colour, entries).done()
        entries.stop()
        stage, asked = client._driver.stage, []
        stage.now += 1.0

        def lose(words: Any) -> Any:
            asked.append(words[0])
            stage.cut(next(link for link in stage.peers if not link.ended))

        served(client, lose)
        assert all_of(colour, entries) == []
        assert asked == [b"XACK"]
