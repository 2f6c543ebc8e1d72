"""Streams as queues, against a model of what a server keeps: whatever is lost, each entry comes until it is acknowledged."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from core.client.streams import Stream, Streams, number
from resp_sansio import ReplyError, StreamEntry, UnexpectedReplyError
from resp_sansio.client.queues import ACK_WITHIN, LATE
from resp_sansio.client.stream_queues import StreamQueue
from resp_sansio.commands.decoding import RAW, decoded


class Consumer:
    """A queue and its server."""

    def __init__(self, server: Streams, name: str = "me", **options: Any) -> None:
        self.server = server
        streams = options.pop("streams", ["s"])
        options = {"text": RAW, "block": None, **options}
        self.queue: StreamQueue[Any] = StreamQueue(streams, "g", name, **options)

    def step(self, *, lost: str = "") -> None:
        """Make a step, which is lost on the way there (`before`) or back (`after`)."""
        queue, server = self.queue, self.server
        step = queue.step(server.now)
        assert step, "nothing would be sent, again and again"
        replies = [] if lost == "before" else [run(server, command) for command, _ in step]
        if lost:
            queue.lost(step, server.now)
        else:
            queue.answered(step, replies, server.now)

    def next(self) -> StreamEntry[Any] | None:
        """What the loop does, until the queue would wait."""
        while (entry := self.queue.take(self.server.now)) is None:
            if self.queue.over:
                self.queue.over = False
                return None
            self.step()
        return entry

    def all(self) -> list[StreamEntry[Any]]:
        return [*iter(self.next, None)]


def run(server: Streams, command: Any) -> Any:
    reply = server.run(command.args)
    return reply if isinstance(reply, Exception) else command.read(reply, RAW)


def ids(entries: list[StreamEntry[Any]]) -> list[int]:
    return [number(entry.id) for entry in entries]


def test_what_is_new_is_handed_over_once_and_acknowledged_in_front_of_the_next_read() -> None:
    server = Streams(b"s")
    consumer = Consumer(server)
    for _ in range(3):
        server.add()
    entries = consumer.all()
    assert ids(entries) == [1, 2, 3]
    assert [(entry.stream, entry.fields, entry.deliveries, entry.again) for entry in entries[:1]] == [
        (b"s", {b"n": b"1"}, 1, False)
    ]
    for entry in entries:
        with entry:
            pass
    server.sent.clear()
    assert consumer.all() == []
    assert server.sent[:2] == ["XACK", "XREADGROUP"]
    assert not server.streams[b"s"].pending


def test_what_ended_by_an_exception_stays_pending_and_comes_again_to_who_begins_anew() -> None:
    server = Streams(b"s")
    server.add()
    (entry,) = Consumer(server).all()
    with pytest.raises(ZeroDivisionError), entry:
        raise ZeroDivisionError
    entry.done()  # has no effect any more
    anew = Consumer(server)
    (entry,) = anew.all()
    assert (entry.again, entry.deliveries) == (True, 2)
    entry.done()
    entry.failed()
    assert anew.all() == []
    assert not server.streams[b"s"].pending


def test_own_pending_entries_are_asked_for_page_by_page_and_not_from_the_first_again() -> None:
    server = Streams(b"s")
    for _ in range(25):
        server.add()
    assert len(Consumer(server, count=100).all()) == 25
    anew = Consumer(server)
    entries = anew.all()
    assert ids(entries) == [*range(1, 26)]
    assert {(entry.again, entry.deliveries) for entry in entries} == {(True, 2)}
    assert server.sent.count("XREADGROUP") == 3 + 3 + 1


@pytest.mark.parametrize("lost", ["before", "after"])
def test_what_was_delivered_and_lost_is_asked_for_again(lost: str) -> None:
    server = Streams(b"s")
    consumer = Consumer(server)
    assert consumer.next() is None
    server.add()
    consumer.step(lost=lost)
    assert [(number(entry.id), entry.again) for entry in consumer.all()] == [(1, lost == "after")]


@pytest.mark.parametrize("since", ["a loss", "the beginning"])
def test_what_is_delivered_to_a_read_that_still_waits_on_a_lost_connection_is_asked_for_later(since: str) -> None:
    """A server may not know for long that a connection is lost: of this consumer, or of one of that name before it."""
    server = Streams(b"s")
    consumer = Consumer(server, block=5000)
    consumer.step()
    if since == "a loss":
        server.now += 100
        consumer.step()
    read = consumer.queue.step(server.now)
    if since == "a loss":
        consumer.queue.lost(read, server.now)
        consumer.step()
    server.add()
    run(server, read[-1][0])
    assert "BLOCK" in read[-1][0].args
    for _ in range(3):
        consumer.step()
        assert consumer.queue.take(server.now) is None
    server.now += 4
    left: Any = consumer.queue.step(server.now)[-1][0].args
    server.now += 1.1 + LATE
    consumer.step()
    entry = consumer.queue.take(server.now)
    assert entry is not None
    assert (number(entry.id), entry.again) == (1, True)
    assert left[left.index("BLOCK") + 1] == 2000


def test_what_is_in_hands_does_not_come_again_after_a_loss() -> None:
    server = Streams(b"s")
    consumer = Consumer(server, count=2)
    for _ in range(3):
        server.add()
    first = consumer.next()
    assert first is not None
    consumer.queue.recover()
    others = consumer.all()
    assert ids(others) == [2, 3]
    first.done()
    consumer.step(lost="before")
    assert consumer.all() == []
    assert [*server.streams[b"s"].pending] == [2, 3]
    del others
    assert consumer.all() == []
    consumer.queue.recover()
    assert ids(consumer.all()) == [2, 3]


def test_one_that_is_thrown_away_has_failed() -> None:
    server = Streams(b"s")
    server.add()
    consumer = Consumer(server, min_idle=1000)
    assert ids(consumer.all()) == [1]
    server.now += 0.999
    assert consumer.all() == []
    server.now += 0.001
    assert ids(consumer.all()) == [1]
    assert "XCLAIM" not in server.sent


def test_acknowledgements_wait_for_others_unless_the_last_went_out_a_while_ago() -> None:
    server = Streams(b"s")
    consumer = Consumer(server)
    for _ in range(4):
        server.add()
    one, two = consumer.next(), consumer.next()
    assert one is not None
    assert two is not None
    one.done()
    assert consumer.queue.take(server.now) is not None
    two.done()
    server.now += ACK_WITHIN
    server.sent.clear()
    assert consumer.queue.take(server.now) is None
    consumer.step()
    assert server.sent == ["XACK"]
    assert consumer.queue.take(server.now) is not None
    assert repr(consumer.queue) == "<StreamQueue: 0 ready, 1 in hands>"


def test_one_that_waits_for_the_next_is_told_what_was_acknowledged_meanwhile() -> None:
    """A page that the server made before it took an acknowledgement does not bring that entry again."""
    server = Streams(b"s")
    consumer = Consumer(server)
    server.add()
    (entry,) = consumer.all()
    consumer.queue.recover()
    step = consumer.queue.step(server.now)
    page = [run(server, command) for command, _ in step]
    entry.done()
    flush = consumer.queue.flush(server.now)
    consumer.queue.answered(flush, [run(server, command) for command, _ in flush], server.now)
    consumer.queue.answered(step, page, server.now)
    assert consumer.all() == []
    assert consumer.queue.flush(server.now) == []
    assert repr(consumer.queue) == "<StreamQueue: 0 ready, 0 in hands>"


def test_two_answers_may_say_that_one_is_acknowledged() -> None:
    server = Streams(b"s")
    consumer = Consumer(server)
    server.add()
    (entry,) = consumer.all()
    entry.done()
    steps = [consumer.queue.flush(server.now), consumer.queue.step(server.now)]
    for step in steps:
        consumer.queue.answered(step, [run(server, command) for command, _ in step], server.now)
    assert server.sent.count("XACK") == 2
    assert consumer.all() == []


def test_thousands_are_acknowledged_by_several_commands() -> None:
    server = Streams(b"s")
    consumer = Consumer(server, count=3000)
    for _ in range(2500):
        server.add()
    for entry in consumer.all():
        entry.done()
    assert consumer.all() == []
    assert server.sent.count("XACK") == 3
    assert not server.streams[b"s"].pending


def test_what_was_deleted_while_it_was_pending_is_acknowledged_and_not_handed_over() -> None:
    server = Streams(b"s")
    for _ in range(3):
        server.add()
    Consumer(server).all()
    del server.streams[b"s"].entries[2]
    anew = Consumer(server)
    assert ids(anew.all()) == [1, 3]
    assert anew.queue.deleted == 1
    assert [*server.streams[b"s"].pending] == [1, 3]


def test_several_streams_are_read_at_once() -> None:
    server = Streams(b"s", b"t")
    server.add(b"s")
    server.add(b"t")
    first = Consumer(server, streams=["s", b"t"])
    assert sorted((entry.stream, number(entry.id)) for entry in first.all()) == [(b"s", 1), (b"t", 1)]
    anew = Consumer(server, streams=["t", "s"], count=1)
    entries = anew.all()
    assert sorted((entry.stream, entry.again) for entry in entries) == [(b"s", True), (b"t", True)]
    for entry in entries:
        entry.done()
    assert anew.all() == []
    assert not server.streams[b"s"].pending
    assert not server.streams[b"t"].pending


# -- what others have had for too long -----------------------------------------------------------------------------------------


def test_what_others_have_had_for_too_long_is_claimed_at_first_and_from_time_to_time() -> None:
    server = Streams(b"s")
    for _ in range(3):
        server.add()
    Consumer(server, "gone").all()
    server.now += 1
    mine = Consumer(server, min_idle=1000, count=2)
    entries = mine.all()
    assert [(number(entry.id), entry.again, entry.deliveries) for entry in entries] == [
        (1, True, 2), (2, True, 2), (3, True, 2),
    ]  # fmt: skip
    for entry in entries:
        entry.done()
    server.add()
    (late,) = Consumer(server, "slow").all()
    server.now += 0.999
    assert mine.all() == []
    server.now += 0.001
    (entry,) = mine.all()
    assert (entry.id, entry.again) == (late.id, True)


def test_what_failed_is_claimed_again_by_oneself() -> None:
    server = Streams(b"s")
    server.add()
    consumer = Consumer(server, min_idle=1000)
    (entry,) = consumer.all()
    entry.failed()
    assert consumer.all() == []
    server.now += 1
    (entry,) = consumer.all()
    assert (entry.again, entry.deliveries) == (True, 2)


def test_one_that_another_claims_before_it_is_counted_is_not_handed_over() -> None:
    server = Streams(b"s")
    server.add()
    Consumer(server, "gone").all()
    server.now += 1
    mine = Consumer(server, min_idle=1000)
    while "XAUTOCLAIM" not in server.sent:
        mine.step()
    server.streams[b"s"].pending[1].consumer = b"other"
    assert mine.all() == []


def test_one_that_another_claims_between_page_and_count_is_not_handed_over() -> None:
    server = Streams(b"s")
    server.add()
    Consumer(server).all()
    mine = Consumer(server)
    step = mine.queue.step(server.now)
    page = run(server, step[0][0])
    server.streams[b"s"].pending[1].consumer = b"other"
    mine.queue.answered(step, [page, run(server, step[1][0])], server.now)
    assert mine.all() == []


def test_a_loss_while_they_are_counted_loses_none() -> None:
    server = Streams(b"s")
    server.add()
    Consumer(server, "gone").all()
    server.now += 1
    mine = Consumer(server, min_idle=1000)
    while "XAUTOCLAIM" not in server.sent:
        mine.step()
    mine.step(lost="after")
    assert ids(mine.all()) == [1]


def test_what_is_in_hands_is_kept_before_others_may_claim_it() -> None:
    server = Streams(b"s")
    for _ in range(4):
        server.add()
    slow, other = Consumer(server, min_idle=3000), Consumer(server, "other", min_idle=3000)
    handled = []
    while (entry := slow.next()) is not None:
        server.now += 1
        handled.append((number(entry.id), entry.deliveries))
        assert other.all() == []
        entry.done()
    assert handled == [(1, 1), (2, 1), (3, 1), (4, 1)]
    assert "XCLAIM" in server.sent


def test_the_oldest_in_hands_decides_when_all_of_it_is_kept() -> None:
    server = Streams(b"s")
    server.add()
    slow = Consumer(server, min_idle=3000)
    (first,) = slow.all()
    server.now += 0.9
    server.add()
    (second,) = slow.all()
    server.now += 0.1
    assert slow.all() == []
    assert "XCLAIM" in server.sent
    assert {pending.since for pending in server.streams[b"s"].pending.values()} == {1.0}
    assert first.id < second.id


def test_one_that_comes_after_a_long_wait_has_not_waited_itself() -> None:
    server = Streams(b"s")
    server.add()
    consumer = Consumer(server, min_idle=3000, block=5000)
    while (entry := consumer.queue.take(server.now)) is None:
        consumer.step()
    entry.done()
    step = consumer.queue.step(server.now)
    server.now += 4
    server.add()
    consumer.queue.answered(step, [run(server, command) for command, _ in step], server.now)
    second = consumer.queue.take(server.now)
    assert second is not None
    assert (second.again, second.deliveries) == (False, 1)


def test_what_waited_for_too_long_is_asked_for_anew_for_it_may_be_anothers() -> None:
    server = Streams(b"s")
    for _ in range(3):
        server.add()
    slow, other = Consumer(server, min_idle=3000), Consumer(server, "other", min_idle=3000)
    first = slow.next()
    assert first is not None
    server.now += 3
    claimed = other.next()
    assert claimed is not None
    assert slow.all() == []
    assert ids([claimed, *other.all()]) == [1, 2, 3]


def test_a_read_waits_until_something_else_is_to_be_done() -> None:
    def blocks(*, done: bool = False, **options: Any) -> list[Any]:
        server = Streams(b"s")
        consumer = Consumer(server, **options)
        found: list[Any] = []
        hands: list[Any] = []
        for _ in range(6):
            step = consumer.queue.step(server.now)
            words = step[-1][0].args
            if "BLOCK" in words:
                found.append(words[words.index("BLOCK") + 1])
                if len(found) == 1:
                    server.add()
            consumer.queue.answered(step, [run(server, command) for command, _ in step], server.now)
            hands.append(consumer.queue.take(server.now))
            if done and hands[-1] is not None:
                hands[-1].done()
        return found[:2]

    assert blocks(block=5000) == [5000, 5000]
    assert blocks(block=0) == [60000, 60000]
    assert blocks(block=100_000) == [60000, 60000]
    assert blocks(block=5000, min_idle=900) == [900, 300]
    assert blocks(block=0, min_idle=900) == [900, 300]
    assert blocks(block=200, min_idle=900) == [200, 200]
    assert blocks(block=5000, min_idle=900, done=True) == [900, 900]


# -- what servers say ----------------------------------------------------------------------------------------------------------


def test_a_group_that_is_not_there_is_created_and_begins_with_the_first_entry() -> None:
    server = Streams()
    consumer = Consumer(server, streams=["s", "t"])
    assert consumer.all() == []
    assert server.streams.keys() == {b"s", b"t"}
    server.add()
    assert ids(consumer.all()) == [1]
    del server.streams[b"s"]
    assert consumer.all() == []
    assert server.streams.keys() == {b"s", b"t"}


def test_what_is_pending_in_a_group_beside_one_that_is_not_there_is_asked_for_all_the_same() -> None:
    server = Streams(b"s")
    server.add()
    assert ids(Consumer(server).all()) == [1]
    (entry,) = Consumer(server, streams=["s", "t"]).all()
    assert (entry.id, entry.again) == (b"1-0", True)
    assert server.streams.keys() == {b"s", b"t"}


def test_or_not_if_that_is_not_wanted() -> None:
    consumer = Consumer(Streams(), create=False)
    with pytest.raises(ReplyError, match="NOGROUP"):
        consumer.all()
    consumer.server.streams[b"s"] = Stream()
    assert consumer.all() == []


def test_a_group_that_is_gone_as_soon_as_it_is_created_is_told() -> None:
    server = Streams()
    consumer = Consumer(server)
    consumer.step()
    consumer.step()
    del server.streams[b"s"]
    with pytest.raises(ReplyError, match="NOGROUP"):
        consumer.step()


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize("step", ["own", "own, lost", "counts", "new", "new, lost"])
def test_a_group_that_goes_before_anything_came_of_it_is_created_again(step: str, *, create: bool) -> None:
    """A server that starts again without its data; the one that had created the group may have been this consumer."""
    server = Streams(*[] if create else [b"s"])
    consumer = Consumer(server)
    for _ in range(2 if create else 0):
        consumer.step()  # there is none, and then there is
    if step.startswith("new"):
        consumer.step()  # nothing is pending
    asked = consumer.queue.step(server.now)
    replies = [run(server, command) for command, _ in asked]
    del server.streams[b"s"]
    if "lost" in step:
        consumer.queue.lost(asked, server.now)
    elif step == "counts":
        replies[1:] = [run(server, command) for command, _ in asked[1:]]
        assert isinstance(replies[1], ReplyError)
        consumer.queue.answered(asked, replies, server.now)
    elif step == "own":
        consumer.queue.answered(asked, replies, server.now)
    else:
        error = ReplyError("NOGROUP the consumer group this client was blocked on no longer exists")
        consumer.queue.answered(asked, [error], server.now)
    assert consumer.all() == []
    server.add()
    assert ids(consumer.all()) == [1]


@pytest.mark.parametrize(
    ("error", "told", "patient"),
    [
        ("UNBLOCKED the stream key no longer exists", False, True),
        ("LOADING Redis is loading the dataset in memory", False, True),
        ("LOADING Redis is loading the dataset in memory", True, False),
        ("WRONGTYPE Operation against a key holding the wrong kind of value", True, True),
        ("BUSYGROUP odd", True, True),
    ],
)
def test_an_error_that_asking_again_helps_with_is_not_told(error: str, told: bool, patient: bool) -> None:
    server = Streams(b"s")
    server.add()
    consumer = Consumer(server, patient=patient)
    step = consumer.queue.step(server.now)
    if told:
        with pytest.raises(ReplyError, match=error):
            consumer.queue.answered(step, [ReplyError(error)] * len(step), server.now)
    else:
        consumer.queue.answered(step, [ReplyError(error)] * len(step), server.now)
    assert ids(consumer.all()) == [1]


def test_what_no_reader_can_read_is_told() -> None:
    server = Streams(b"s")
    consumer = Consumer(server)
    step = consumer.queue.step(server.now)
    with pytest.raises(UnexpectedReplyError, match="odd"):
        consumer.queue.answered(step, [UnexpectedReplyError("odd")] * len(step), server.now)
    assert consumer.all() == []
    server.add()
    step = consumer.queue.step(server.now)
    run(server, step[0][0])
    with pytest.raises(UnexpectedReplyError, match="odd"):
        consumer.queue.answered(step, [UnexpectedReplyError("odd")], server.now)
    assert [entry.again for entry in consumer.all()] == [True]


def test_an_acknowledgement_that_is_refused_goes_out_again() -> None:
    server = Streams(b"s")
    server.add()
    consumer = Consumer(server)
    for entry in consumer.all():
        entry.done()
    step = consumer.queue.flush(server.now)
    with pytest.raises(ReplyError, match="NOPERM"):
        consumer.queue.answered(step, [ReplyError("NOPERM no")], server.now)
    assert consumer.all() == []
    assert not server.streams[b"s"].pending


def test_data_is_text_if_the_client_is_of_text_and_what_is_none_stays_pending() -> None:
    server = Streams(b"s")
    server.add(b"s", b"k", "é".encode())
    server.add(b"s", b"k", b"\xff")
    server.add()
    consumer = Consumer(server, text=decoded("utf-8"))
    first = consumer.next()
    assert first is not None
    assert (first.stream, first.id, first.pairs, first.fields) == ("s", "1-0", [("k", "é")], {"k": "é"})
    assert repr(first) == "<StreamEntry '1-0' of 's', delivery 1>"
    with pytest.raises(UnexpectedReplyError, match=r"^XREADGROUP: the data is no utf-8 text") as told:
        consumer.next()
    assert told.value.__context__ is None
    assert [entry.id for entry in consumer.all()] == ["3-0"]
    assert [*server.streams[b"s"].pending] == [1, 2, 3]
    assert repr(consumer.queue) == "<StreamQueue: 0 ready, 2 in hands>"


def test_an_older_server_has_a_null_for_what_was_deleted() -> None:
    server = Streams(b"s")
    consumer = Consumer(server, min_idle=1)
    consumer.step()
    step = consumer.queue.step(server.now)
    ((command, _),) = step
    reply: Any = [b"0-0", [None, [b"1-0", [b"k", b"v"]]]]
    claimed = command.read(reply, RAW)
    assert ([entry.id for entry in claimed.entries], claimed.deleted) == ([b"1-0"], [])


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"streams": []}, ValueError),
        ({"streams": ["s", b"s"]}, ValueError),
        ({"streams": [1]}, TypeError),
        ({"streams": [""]}, ValueError),
        ({"name": 5}, TypeError),
        ({"count": 0}, ValueError),
        ({"count": True}, TypeError),
        ({"block": -1}, ValueError),
        ({"block": 0.5}, TypeError),
        ({"min_idle": 0}, ValueError),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        Consumer(Streams(b"s"), **options)


# -- whatever happens ----------------------------------------------------------------------------------------------------------

LOST = st.sampled_from(["", "", "", "before", "after"])


class EachEntryComesUntilItIsDone(RuleBasedStateMachine):
    """Two consumers of a group whose steps are lost at any point, and whose handlers take any time."""

    @initialize(idle=st.sampled_from([None, 3000]), count=st.integers(1, 4))
    def begin(self, idle: int | None, count: int) -> None:
        self.server = Streams(b"s")
        self.options: dict[str, Any] = {"min_idle": idle, "count": count}
        self.consumers = [Consumer(self.server, name, **self.options) for name in ("a", "b")]
        self.hands: list[list[StreamEntry[Any]]] = [[], []]
        self.done: set[int] = set()
        self.first: list[int] = []
        self.stalled = False

    @rule(count=st.integers(1, 5))
    def add(self, count: int) -> None:
        for _ in range(count):
            self.server.add()

    @rule(which=st.integers(0, 1), lost=LOST)
    def step(self, which: int, lost: str) -> None:
        consumer = self.consumers[which]
        entry = consumer.queue.take(self.server.now)
        if entry is None:
            consumer.step(lost=lost)
            return
        assert number(entry.id) not in ids(self.hands[which])
        assert number(entry.id) not in self.done or self.options["min_idle"] or entry.again
        if not entry.again:
            self.first.append(number(entry.id))
        self.hands[which].append(entry)

    @rule(which=st.integers(0, 1), well=st.booleans(), data=st.data())
    def handle(self, which: int, well: bool, data: st.DataObject) -> None:
        if self.hands[which]:
            entry = self.hands[which].pop(data.draw(st.integers(0, len(self.hands[which]) - 1)))
            if well:
                entry.done()
                self.done.add(number(entry.id))
            else:
                entry.failed()

    @rule(which=st.integers(0, 1))
    def flush(self, which: int) -> None:
        queue, server = self.consumers[which].queue, self.server
        step = queue.flush(server.now)
        queue.answered(step, [run(server, command) for command, _ in step], server.now)

    @rule(seconds=st.sampled_from([0.05, 0.5, 1.0, 4.0]))
    def pass_time(self, seconds: float) -> None:
        self.server.now += seconds

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        entries = self.server.streams[b"s"].entries
        if entries:
            del entries[data.draw(st.sampled_from(sorted(entries)))]

    @rule(which=st.integers(0, 1))
    def die(self, which: int) -> None:
        self.consumers[which] = Consumer(self.server, "ab"[which], **self.options)
        self.hands[which].clear()

    @invariant()
    def each_is_new_once(self) -> None:
        assert len(self.first) == len({*self.first})

    def teardown(self) -> None:
        if not hasattr(self, "server"):
            return
        for which, hands in enumerate(self.hands):
            for entry in hands:
                entry.failed()
            consumer = Consumer(self.server, "ab"[which], **self.options)
            while (left := consumer.next()) is not None:
                self.done.add(number(left.id))
                left.done()
        stream = self.server.streams[b"s"]
        assert not stream.pending
        assert self.done >= stream.entries.keys()


TestEachEntryComesUntilItIsDone = EachEntryComesUntilItIsDone.TestCase
TestEachEntryComesUntilItIsDone.settings = settings(max_examples=100, stateful_step_count=60)
