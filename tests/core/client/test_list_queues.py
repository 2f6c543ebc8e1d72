"""Lists as queues, against a model of two lists: whatever is lost, each element comes until it is done."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from resp_sansio import (
    CircuitOpenError,
    CommandTimeoutError,
    ConnectError,
    ConnectionClosedError,
    ConnectionLostError,
    ListItem,
    Outcome,
    RemoteProtocolError,
    ReplyError,
    RespError,
    UnexpectedReplyError,
)
from resp_sansio.client.list_queues import ListQueue
from resp_sansio.client.queues import ACK_WITHIN, LATE, survives
from resp_sansio.commands.decoding import RAW, decoded


class Lists:
    """The commands that a queue sends, on a server that keeps lists."""

    def __init__(self) -> None:
        self.now = 0.0
        self.lists: dict[bytes, list[bytes]] = {b"q": [], b"w": []}
        self.sent: list[str] = []

    def run(self, command: Any) -> Any:
        name, *words = command.args
        self.sent.append(name)
        return command.read(getattr(self, name.lower())(*words), RAW)

    def lrange(self, name: bytes, _start: int, _stop: int) -> Any:
        return [*self.lists[name]]

    def lrem(self, name: bytes, count: int, element: bytes) -> Any:
        assert count == 1
        if element in self.lists[name]:
            self.lists[name].remove(element)
            return 1
        return 0

    def lmove(self, source: bytes, destination: bytes, *ends: str) -> Any:
        assert ends == ("LEFT", "RIGHT")
        if not self.lists[source]:
            return None
        self.lists[destination].append(self.lists[source].pop(0))
        return self.lists[destination][-1]

    def blmove(self, source: bytes, destination: bytes, *ends: Any) -> Any:
        return self.lmove(source, destination, *ends[:-1])


class Consumer:
    """A queue and its server."""

    def __init__(self, server: Lists, working: str = "w", **options: Any) -> None:
        self.server = server
        options = {"text": RAW, "block": None, **options}
        self.queue: ListQueue[Any] = ListQueue(options.pop("source", "q"), working, **options)

    def step(self, *, lost: str = "") -> None:
        """Make a step, which is lost on the way there (`before`) or back (`after`)."""
        step = self.queue.step(self.server.now)
        assert step, "nothing would be sent, again and again"
        replies = [] if lost == "before" else [self.server.run(command) for command, _ in step]
        if lost:
            self.queue.lost(step, self.server.now)
        else:
            self.queue.answered(step, replies, self.server.now)

    def next(self) -> ListItem[Any] | None:
        """What the loop does, until the queue would wait."""
        while (item := self.queue.take(self.server.now)) is None:
            if self.queue.over:
                self.queue.over = False
                return None
            self.step()
        return item

    def all(self) -> list[ListItem[Any]]:
        return [*iter(self.next, None)]


def values(items: list[ListItem[Any]]) -> list[tuple[bytes, bool]]:
    return [(item.value, item.again) for item in items]


def test_elements_come_from_the_left_and_are_removed_in_front_of_the_next_read() -> None:
    server = Lists()
    server.lists[b"q"] = [b"1", b"2"]
    consumer = Consumer(server)
    item = consumer.next()
    assert item is not None
    with item:
        assert repr(item) == "<ListItem of 1>"
        assert server.lists == {b"q": [b"2"], b"w": [b"1"]}
    server.sent.clear()
    assert values(consumer.all()) == [(b"2", False)]
    assert server.sent[:2] == ["LREM", "LMOVE"]
    assert server.lists == {b"q": [], b"w": [b"2"]}


def test_one_is_done_once() -> None:
    server = Lists()
    server.lists[b"w"] = [b"1", b"1"]
    consumer = Consumer(server)
    one, other = consumer.all()
    one.done()
    one.done()
    assert consumer.all() == []
    assert server.lists[b"w"] == [b"1"]
    other.done()


def test_what_is_left_in_the_working_list_comes_first_and_again() -> None:
    server = Lists()
    server.lists = {b"q": [b"3"], b"w": [b"1", b"2", b"1"]}
    consumer = Consumer(server)
    items = consumer.all()
    assert values(items) == [(b"1", True), (b"2", True), (b"1", True), (b"3", False)]
    assert repr(items[0]) == "<ListItem of 1, again>"
    for item in items:
        item.done()
    assert consumer.all() == []
    assert server.lists[b"w"] == []


@pytest.mark.parametrize("failed", range(5))
def test_of_equal_elements_as_many_come_again_as_failed(failed: int) -> None:
    server = Lists()
    server.lists[b"q"] = [b"1"] * 4
    consumer = Consumer(server)
    items = consumer.all()
    for item in items[:failed]:
        item.failed()
    consumer.queue.recover()
    assert values(consumer.all()) == [(b"1", True)] * failed


def test_what_failed_stays_and_comes_again_after_a_loss_or_a_new_beginning() -> None:
    server = Lists()
    server.lists[b"q"] = [b"1", b"1"]
    consumer = Consumer(server)
    one, other = consumer.all()
    one.failed()
    assert consumer.all() == []
    consumer.queue.recover()
    assert values(consumer.all()) == [(b"1", True)]
    other.failed()
    assert values(Consumer(server).all()) == [(b"1", True)] * 2


@pytest.mark.parametrize(("lost", "come"), [("before", [(b"1", True), (b"1", False)]), ("after", [(b"1", True)])])
def test_a_removal_that_may_be_lost_never_takes_an_equal_element_that_no_handler_has_had(
    lost: str, come: list[tuple[bytes, bool]]
) -> None:
    server = Lists()
    server.lists[b"q"] = [b"1", b"1"]
    consumer = Consumer(server)
    first = consumer.next()
    assert first is not None
    first.done()
    consumer.step(lost=lost)
    assert values(consumer.all()) == come


def test_a_removal_that_is_refused_goes_out_again() -> None:
    server = Lists()
    server.lists[b"q"] = [b"1"]
    consumer = Consumer(server)
    (item,) = consumer.all()
    item.done()
    step = consumer.queue.flush(server.now)
    with pytest.raises(ReplyError, match="NOPERM"):
        consumer.queue.answered(step, [ReplyError("NOPERM no")], server.now)
    assert consumer.all() == []
    assert server.lists[b"w"] == []


def test_a_server_that_is_not_ready_is_asked_again() -> None:
    server = Lists()
    server.lists[b"w"] = [b"1"]
    consumer = Consumer(server)
    consumer.queue.answered(consumer.queue.step(server.now), [ReplyError("LOADING it is")], server.now)
    assert values(consumer.all()) == [(b"1", True)]


def test_removals_wait_for_others_unless_the_last_went_out_a_while_ago() -> None:
    server = Lists()
    server.lists[b"w"] = [b"1", b"2", b"3"]
    consumer = Consumer(server)
    item = consumer.next()
    assert item is not None
    item.done()
    assert consumer.queue.take(server.now) is not None
    server.now += ACK_WITHIN
    assert consumer.queue.take(server.now) is None
    assert consumer.queue.take(server.now + ACK_WITHIN) is None
    consumer.step()
    assert server.lists[b"w"] == [b"2", b"3"]
    assert consumer.queue.take(server.now) is not None


def test_a_read_waits_as_long_as_it_is_told() -> None:
    for block, seconds in ((5000, 5), (50, 0.05), (0, 60)):
        consumer = Consumer(Lists(), block=block)
        consumer.step()
        ((command, _),) = consumer.queue.step(0.0)
        assert command.args == ("BLMOVE", b"q", b"w", "LEFT", "RIGHT", seconds)
        consumer.step()
        assert not consumer.queue.over


def test_what_is_moved_for_a_read_that_still_waits_on_a_lost_connection_comes_later() -> None:
    server = Lists()
    consumer = Consumer(server, block=5000)
    consumer.step()
    server.now += 10
    consumer.step()
    read = consumer.queue.step(server.now)
    consumer.queue.lost(read, server.now)
    consumer.step()
    server.lists[b"q"] = [b"1"]
    server.run(read[-1][0])
    consumer.step()
    assert consumer.queue.take(server.now) is None
    server.now += 4
    assert consumer.queue.step(server.now)[-1][0].args[-1] == 2
    assert consumer.queue.step(server.now + 1.5)[-1][0].args[-1] == 0.5
    server.now += 1 + LATE
    consumer.step()
    item = consumer.queue.take(server.now)
    assert item is not None
    assert (item.value, item.again) == (b"1", True)
    item.done()
    assert [command.args[0] for command, _ in consumer.queue.step(server.now)] == ["LREM", "BLMOVE"]  # seen to once


def test_text_is_text_and_what_is_none_stays() -> None:
    server = Lists()
    server.lists[b"q"] = ["é".encode(), b"\xff"]
    consumer = Consumer(server, text=decoded("utf-8"))
    item = consumer.next()
    assert item is not None
    assert item.value == "é"
    with pytest.raises(UnexpectedReplyError, match=r"^LMOVE: the data is no utf-8 text"):
        consumer.next()
    assert consumer.all() == []
    assert repr(consumer.queue) == "<ListQueue: 0 ready, 1 in hands>"
    assert len(server.lists[b"w"]) == 2


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"working": "q"}, ValueError),
        ({"working": ""}, ValueError),
        ({"source": 5}, TypeError),
        ({"block": -1}, ValueError),
        ({"block": 1.5}, TypeError),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        Consumer(Lists(), **options)


class EachElementComesUntilItIsDone(RuleBasedStateMachine):
    """A consumer whose steps are lost at any point, that dies, and whose handlers take any time; some elements are equal."""

    @initialize()
    def begin(self) -> None:
        self.server = Lists()
        self.consumer = Consumer(self.server)
        self.hands: list[ListItem[Any]] = []
        self.added: Counter[bytes] = Counter()
        self.done: Counter[bytes] = Counter()

    @rule(value=st.sampled_from([b"1", b"2", b"3"]))
    def add(self, value: bytes) -> None:
        self.server.lists[b"q"].append(value)
        self.added[value] += 1

    @rule(lost=st.sampled_from(["", "", "", "before", "after"]))
    def step(self, lost: str) -> None:
        item = self.consumer.queue.take(self.server.now)
        if item is None:
            self.consumer.step(lost=lost)
        else:
            self.hands.append(item)

    @rule(well=st.booleans(), data=st.data())
    def handle(self, well: bool, data: st.DataObject) -> None:
        if self.hands:
            item = self.hands.pop(data.draw(st.integers(0, len(self.hands) - 1)))
            if well:
                item.done()
                self.done[item.value] += 1
            else:
                item.failed()

    @rule(lost=st.sampled_from(["", "before", "after"]))
    def flush(self, lost: str) -> None:
        step = self.consumer.queue.flush(self.server.now)
        replies = [] if lost == "before" else [self.server.run(command) for command, _ in step]
        if lost:
            self.consumer.queue.lost(step, self.server.now)
        else:
            self.consumer.queue.answered(step, replies, self.server.now)

    @rule(seconds=st.sampled_from([0.05, 1.0]))
    def pass_time(self, seconds: float) -> None:
        self.server.now += seconds

    @rule()
    def die(self) -> None:
        self.consumer = Consumer(self.server)
        self.hands.clear()

    def teardown(self) -> None:
        if not hasattr(self, "server"):
            return
        self.die()
        while (item := self.consumer.next()) is not None:
            self.done[item.value] += 1
            item.done()
        assert self.server.lists == {b"q": [], b"w": []}
        assert self.done >= self.added


TestEachElementComesUntilItIsDone = EachElementComesUntilItIsDone.TestCase
TestEachElementComesUntilItIsDone.settings = settings(max_examples=100, stateful_step_count=60)


@pytest.mark.parametrize(("source", "working"), [("a", "b"), ("b", "a")])
def test_the_working_list_is_any_other(source: str, working: str) -> None:
    Consumer(Lists(), working, source=source)
    with pytest.raises(ValueError, match="working must be another list"):
        Consumer(Lists(), source, source=source)


def caused(error: RespError, cause: Exception) -> RespError:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (CommandTimeoutError("x", outcome=Outcome.MAYBE_EXECUTED), True),
        (CommandTimeoutError("x", outcome=Outcome.NOT_SENT), False),  # no connection was free
        (caused(CommandTimeoutError("x", outcome=Outcome.NOT_SENT), OSError()), True),  # none came about
        (caused(CommandTimeoutError("x", outcome=Outcome.MAYBE_EXECUTED), OSError()), True),
        (ConnectError("x", transient=True), True),
        (ConnectError("x", transient=False), False),
        (CircuitOpenError("x", transient=True), False),
        (ConnectionLostError("x"), True),
        (caused(ConnectionLostError("x"), ConnectionClosedError("x")), False),
        (RemoteProtocolError("x"), False),
        (ConnectionClosedError("x"), False),
        (ReplyError("ERR x"), False),
    ],
    ids=repr,
)
def test_after_what_a_queue_goes_on(error: RespError, again: bool) -> None:
    assert survives(error) is again
