"""Pushes and those who wait for them: none is lost, none given twice, and both are served in their order."""

from __future__ import annotations

import sys
from collections import deque
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from machines import opened
from resp_sansio import (
    CommandTimeoutError,
    ConnectionClosedError,
    ConnectionLostError,
    LocalProtocolError,
    Outcome,
    Push,
)
from resp_sansio.client import Listener
from resp_sansio.client.pushes import Pushes
from resp_sansio.connection import PushReceived, SlotState

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

QUEUED, ANSWERED, LOST, WITHDRAWN = SlotState.QUEUED, SlotState.ANSWERED, SlotState.LOST, SlotState.WITHDRAWN


class Link:
    """A connection to which pushes come, one number after the other, and callers that listen."""

    def __init__(self) -> None:
        self.core, _ = opened()
        self.pushes = Pushes(self.core)
        self.loan: Any = SimpleNamespace(connection=self, ended=False)
        self.count = 0
        self.told: list[Listener] = []

    def come(self, count: int = 1) -> None:
        """So many come; the connection counts them."""
        for _ in range(count):
            self.core.receive_data(b">2\r\n+number\r\n:%d\r\n" % self.count)
            self.count += 1
            for event in self.core.events():
                assert isinstance(event, PushReceived)
                self.pushes.put(event.push)

    def listen(self) -> Listener:
        """A caller waits."""
        listener = Listener(self.loan)
        self.pushes.listen(listener)
        return listener

    def hand_out(self) -> None:
        """As the client does after each change."""
        while (listener := self.pushes.hand_out()) is not None:
            self.told.append(listener)

    @property
    def left(self) -> list[int]:
        """Those that no listener has."""
        return [number_in(push) for _, push in self.pushes.came]


def number_in(push: Push) -> int:
    (number,) = push.items
    assert isinstance(number, int)
    return number


class Listening(RuleBasedStateMachine):
    """Pushes come, callers listen, leave and are late, in any order; and at some time the link ends."""

    def __init__(self) -> None:
        super().__init__()
        self.link = Link()
        self.kept: deque[int] = deque()  # what is to be given next
        self.waiting: deque[Listener] = deque()
        self.given: dict[Listener, int] = {}  # and not had yet: its caller may still leave it
        self.had: list[int] = []
        self.ended = False

    def follow(self) -> None:
        """Hand out, and see that it was to the right ones."""
        before = len(self.link.told)
        self.link.hand_out()
        told = self.link.told[before:]
        while self.waiting and (self.kept or self.ended):
            listener = self.waiting.popleft()
            assert told.pop(0) is listener
            if self.kept:
                self.given[listener] = self.kept.popleft()
                assert number_in(listener.result()) == self.given[listener]
            else:
                with pytest.raises(
                    ConnectionLostError, match="^next_push: the server closed the connection$"
                ) as caught:
                    listener.result()
                assert caught.value.outcome is Outcome.NOT_SENT
        assert not told

    @precondition(lambda self: not self.ended)
    @rule(count=st.integers(1, 3))
    def come(self, count: int) -> None:
        self.kept.extend(range(self.link.count, self.link.count + count))
        self.link.come(count)
        self.follow()

    @rule()
    def listen(self) -> None:
        if self.ended and not self.kept:
            with pytest.raises(ConnectionClosedError, match="^next_push: the connection has ended: the server closed"):
                self.link.listen()
        else:
            self.waiting.append(self.link.listen())
            self.follow()

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        listener = data.draw(st.sampled_from(list(self.waiting)))
        self.waiting.remove(listener)
        for _ in range(2):
            self.link.pushes.leave(listener)
            self.follow()
        assert listener.state is WITHDRAWN

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def be_late(self, data: st.DataObject) -> None:
        listener = data.draw(st.sampled_from(list(self.waiting)))
        self.waiting.remove(listener)
        for _ in range(2):
            self.link.pushes.late(listener)
            self.follow()
        with pytest.raises(CommandTimeoutError, match="^next_push: nothing came in time$"):
            listener.result()

    @precondition(lambda self: self.given)
    @rule(data=st.data())
    def give_up_what_was_given(self, data: st.DataObject) -> None:
        listener = data.draw(st.sampled_from(list(self.given)))
        self.kept = deque(sorted([*self.kept, self.given.pop(listener)]))
        for _ in range(2):
            self.link.pushes.leave(listener)
            self.follow()

    @precondition(lambda self: self.given)
    @rule(data=st.data())
    def have(self, data: st.DataObject) -> None:
        listener = data.draw(st.sampled_from(list(self.given)))
        self.had.append(self.given.pop(listener))

    @precondition(lambda self: not self.ended)
    @rule()
    def end(self) -> None:
        self.link.core.receive_eof()
        self.ended = True
        self.follow()

    @invariant()
    def each_push_is_in_one_place(self) -> None:
        assert self.link.left == list(self.kept)
        assert sorted([*self.kept, *self.given.values(), *self.had]) == list(range(self.link.count))
        assert self.link.pushes.listeners == list(self.waiting)
        assert not (self.waiting and (self.kept or self.ended))
        if not self.ended:
            assert self.link.core.stats().unread_pushes == len(self.kept)


TestListening = Listening.TestCase


# -- one by one ------------------------------------------------------------------------------------------------------------


def test_two_that_leave_put_their_pushes_back_in_their_order() -> None:
    link = Link()
    first, second = link.listen(), link.listen()
    link.come(3)
    link.hand_out()
    link.pushes.leave(first)
    link.pushes.leave(second)
    assert link.left == [0, 1, 2]
    assert repr(link.pushes) == "<Pushes: 3 came, 0 listeners>"
    assert [repr(listener) for listener in (first, link.listen())] == ["<Listener WITHDRAWN>", "<Listener QUEUED>"]


def test_a_push_whose_listener_leaves_after_its_loan_is_the_next_borrowers_no_more() -> None:
    link = Link()
    listener = link.listen()
    assert listener.link is link
    link.come()
    link.hand_out()
    link.loan.ended = True
    link.pushes.leave(listener)
    assert (link.left, listener.state) == ([], WITHDRAWN)


def test_pushes_that_wait_pause_the_reading_and_those_that_were_given_do_not() -> None:
    link = Link()
    link.come(1000)
    assert not link.core.wants_to_receive
    listener = link.listen()
    link.hand_out()
    reading = [link.core.wants_to_receive]
    link.pushes.leave(listener)
    reading.append(link.core.wants_to_receive)
    assert reading == [True, False]
    with pytest.raises(LocalProtocolError):
        opened()[0].push_taken()


# -- interrupted -----------------------------------------------------------------------------------------------------------


class Interrupt(BaseException):
    """What a signal raises, wherever it strikes."""


def interrupted(function: Callable[[], object], after: int) -> bool:
    """Run, and raise once so many bytecodes of the module's own have run; false if there were fewer."""
    code, left = Pushes.put.__code__.co_filename, after

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal left
        if frame.f_code.co_filename != code:
            return None
        frame.f_trace_opcodes = True
        left -= event == "opcode"
        if left < 0:
            raise Interrupt
        return trace

    before = sys.gettrace()
    sys._getframe().f_trace_opcodes = True  # since 3.12 `settrace` asks whether any frame wants them
    sys.settrace(trace)
    try:
        function()
    except Interrupt:
        return True
    finally:
        sys.settrace(before)
    return False


@pytest.mark.parametrize("what", ["hand out", "leave", "leave what was given"])
def test_wherever_it_is_cut_short_nothing_is_lost_nor_given_twice(what: str) -> None:
    after = 0
    while True:
        link = Link()
        first, second, third = link.listen(), link.listen(), link.listen()
        step: Callable[[], object]
        if what == "hand out":
            step, leaves = link.hand_out, None
        elif what == "leave":
            step, leaves = partial(link.pushes.leave, second), second
        else:
            link.come()
            link.hand_out()
            step, leaves = partial(link.pushes.leave, first), first
        link.come(4 - link.count)
        cut = interrupted(step, after)
        if leaves is not None:
            link.pushes.leave(leaves)
        link.hand_out()
        given = [number_in(listener.result()) for listener in (first, second, third) if listener.state is ANSWERED]
        assert len(given) == (3 if leaves is None else 2)
        assert [*given, *link.left] == [0, 1, 2, 3], after
        assert link.pushes.listeners == []
        assert link.core.stats().unread_pushes in (len(link.left), len(link.left) + 1)
        if not cut:
            break
        after += 1
    assert after > 10  # 3.12 and later have fewer places
