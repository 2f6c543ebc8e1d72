"""What is due when: nothing due is missed, a deadline that has come is dealt with or moves, and the dead cost nothing."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nextafter
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from machines import opcodes, write_all
from resp_sansio import Command, ConnectError, Retry
from resp_sansio.client.pace import Pace
from resp_sansio.config import Breaker
from resp_sansio.connection import Connection, Handshake, Slot, SlotState
from resp_sansio.connection.deadlines import Deadlines, after

if TYPE_CHECKING:
    from collections.abc import Callable

GET: Final = Command("GET", "key")
BLOCKING: Final = Command("BLPOP", "key", 0)
TIMES: Final = st.floats(allow_nan=False, allow_infinity=False)
INTERVALS: Final = st.one_of(st.just(inf), st.floats(0, inf, exclude_min=True), st.floats(1e-3, 100), st.just(5e-324))


@dataclass
class Item:
    """Something that is due, unless it has ended."""

    deadline: float
    ended: bool = False


@given(st.lists(st.tuples(st.sampled_from(["add", "end", "take", "trim"]), st.integers(0, 20))))
def test_what_has_not_ended_is_taken_when_it_is_due_the_earliest_first(steps: list[tuple[str, int]]) -> None:
    deadlines: Deadlines[Item] = Deadlines(lambda item: not item.ended)
    left: list[Item] = []
    for step, number in steps:
        match step:
            case "add":
                left.append(Item(number if number < 20 else inf))
                deadlines.add(left[-1], left[-1].deadline)
            case "end" if left:
                left.pop(number % len(left)).ended = True
            case "take":
                due = sorted([item for item in left if item.deadline <= number], key=lambda item: item.deadline)
                assert list(map(id, deadlines.take(number))) == list(map(id, due))
                left = [item for item in left if item.deadline > number]
            case _:
                deadlines.trim(len(left))
                assert len(deadlines.entries) <= 2 * len(left)
        assert deadlines.next() == min([item.deadline for item in left], default=inf)
        assert repr(deadlines) == f"<Deadlines: {len(deadlines.entries)} entries>"


@given(TIMES, INTERVALS)
def test_a_time_that_is_later_is_later(since: float, seconds: float) -> None:
    assert after(since, seconds) > since
    assert after(since, seconds) >= since + seconds


@given(TIMES, st.floats(0, exclude_min=True), st.floats(0, 1, exclude_max=True))
def test_what_puts_off_a_dial_allows_it_at_the_time_that_it_says(now: float, seconds: float, random: float) -> None:
    breaker = Breaker(1, seconds)
    breaker.failed(now)
    assert breaker.until >= now
    assert breaker.allows(breaker.until)
    pace = Pace(Retry())
    pace.begun()
    pace.failed(ConnectError("refused", transient=True), now, random)
    assert pace.not_before >= now
    assert pace.ready(pace.not_before)


def settle(connection: Connection) -> None:
    """Come to every deadline of this moment: each is dealt with, or moves, or this is the end."""
    for _ in range(200):
        due = connection.next_deadline()
        if due == inf or connection.error is not None:
            return
        connection.handle_timeout(due)
        connection.events()
        assert connection.next_deadline() > due or connection.error is not None


@given(
    now=TIMES,
    opening=st.booleans(),
    open_by=TIMES | st.just(inf),
    ping_interval=INTERVALS,
    silence=INTERVALS,
    most=st.integers(1, 3),
    steps=st.lists(
        st.tuples(st.sampled_from(["send", "block", "abandon", "write", "read", "time", "due", "close"]), TIMES),
        max_size=12,
    ),
)
@settings(max_examples=200)
def test_a_deadline_that_has_come_is_dealt_with_or_moves(
    now: float,
    opening: bool,
    open_by: float,
    ping_interval: float,
    silence: float,
    most: int,
    steps: list[tuple[str, float]],
) -> None:
    connection = Connection(
        Handshake() if opening else None,
        now=now,
        open_by=open_by,
        ping_interval=ping_interval,
        silence=silence,
        max_in_flight=most,
    )
    slots: list[Slot] = []
    owed = 0
    for what, number in steps:
        match what:
            case "send" | "block" if connection.state.name in ("READY", "OPENING"):
                slots.append(connection.send(GET if what == "send" else BLOCKING, deadline=number))
            case "abandon" if slots:
                connection.abandon(slots.pop(0))
            case "write":
                write_all(connection)
            case "read" if (owed := connection.in_flight) and not opening:
                connection.receive_data(b"$1\r\nv\r\n" * min(owed, 2))
            case "time":
                connection.handle_timeout(number)
            case "due" if connection.next_deadline() < inf:
                due = connection.next_deadline()
                connection.handle_timeout(due)
                assert connection.next_deadline() > due
            case "close":
                connection.close()
            case _:
                pass
        connection.events()
    settle(connection)


def test_a_silent_server_is_given_up_in_virtual_time() -> None:
    """The clock stands still but for the deadlines themselves."""
    connection = Connection(now=0.1, ping_interval=0.7, silence=0.3)
    times = []
    while connection.error is None:
        times.append(connection.next_deadline())
        connection.handle_timeout(times[-1])
        write_all(connection)
    assert len(times) == 2
    assert times == sorted(times)


# -- what the dead cost ----------------------------------------------------------------------------------------------------


class Token:
    """A caller, of whom nothing is to be kept once it has gone."""


class Crowd:
    """A server that has hung, and callers who come and go: `alive` are those of whom something is still kept."""

    def __init__(self, **options: Any) -> None:
        self.connection = Connection(now=0.0, **options)
        self.alive: WeakSet[Token] = WeakSet()
        self.last: Slot | None = None

    def send(self, deadline: float = inf) -> Slot:
        token = Token()
        self.alive.add(token)
        slot = self.connection.send(GET, token, deadline=deadline)
        self.flush()
        return slot

    def flush(self) -> None:
        write_all(self.connection)
        self.connection.events()

    def drop(self, slot: Slot) -> None:
        self.connection.abandon(slot)
        self.flush()

    def look(self) -> None:
        """Count, as each timeout does for its message."""
        str(self.connection.stats())
        str(self.connection.timed_out())


def withdrawn(crowd: Crowd, number: int) -> None:
    crowd.drop(crowd.send(number + 0.5))
    crowd.look()


def withdrawn_late(crowd: Crowd, number: int) -> None:
    """The one before goes when the next has come, so there is always one in the queue."""
    slot = crowd.send(1e6 - number)
    if crowd.last is not None:
        crowd.drop(crowd.last)
    crowd.last = slot
    crowd.look()


def timed_out(crowd: Crowd, number: int) -> None:
    crowd.send(number + 0.5)
    crowd.connection.handle_timeout(crowd.connection.next_deadline())
    crowd.flush()
    crowd.look()


def timed_out_in_reverse(crowd: Crowd, number: int) -> None:
    """Pairs, of which the later is due first."""
    crowd.send(number + 0.9)
    crowd.send(number + 0.5)
    for _ in range(2):
        crowd.connection.handle_timeout(crowd.connection.next_deadline())
        crowd.flush()


def withdrawn_and_timed_out(crowd: Crowd, number: int) -> None:
    (withdrawn if number % 2 else timed_out)(crowd, number)


WAYS: Final = [withdrawn, withdrawn_late, timed_out, timed_out_in_reverse, withdrawn_and_timed_out]


def repeat(crowd: Crowd, way: Callable[[Crowd, int], None], numbers: range) -> None:
    for number in numbers:
        way(crowd, number)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("most", [1, 100_000])
def test_a_call_costs_no_more_because_others_have_died(most: int, way: Callable[[Crowd, int], None]) -> None:
    """With `most` in flight at a time they die in the queue, else in flight, where they keep their places."""
    crowd = Crowd(max_in_flight=most)
    crowd.send()
    crowd.send()
    first = opcodes(lambda: repeat(crowd, way, range(100)))
    repeat(crowd, way, range(100, 5_000))
    last = opcodes(lambda: repeat(crowd, way, range(5_000, 5_100)))
    assert last < 1.2 * first
    stats = crowd.connection.stats()
    assert 0 <= 5_100 * (2 if way is timed_out_in_reverse else 1) - stats.given_up <= 1
    if most == 1:
        assert len(crowd.alive) < 10, "the queue keeps calls that have gone"
        assert stats.queued <= 2


def test_the_timers_of_calls_that_are_all_pending_cost_the_same_each() -> None:
    def each(count: int) -> float:
        crowd = Crowd(max_in_flight=count // 2)
        for number in range(count):
            crowd.send(1 + number * 1e-4)
        connection = crowd.connection

        def expire() -> None:
            while (due := connection.next_deadline()) < inf:
                connection.handle_timeout(due)
                connection.events()

        return opcodes(expire) / count

    assert each(2_000) < 1.2 * each(200)


def test_nothing_is_kept_of_calls_that_were_answered() -> None:
    """Not even beside one that was not answered, once a timeout has made the connection look at all deadlines."""
    crowd = Crowd()
    connection = crowd.connection
    for number in range(100):
        crowd.send(1000.0 + number)
    crowd.send(1.0)
    connection.handle_timeout(1.0)
    connection.events()
    connection.receive_data(b"$1\r\nv\r\n" * 99)
    assert len([event for event in connection.events() if isinstance(event, Slot)]) == 99
    assert len(crowd.alive) <= 3


def test_a_slot_that_goes_out_again_is_timed_on_its_new_connection() -> None:
    first, second = Connection(), Connection()
    slot = first.send(GET, deadline=5.0)
    first.abandon(first.send(GET))  # which makes it take note of all deadlines
    first.receive_eof()
    slot.renew()
    second.submit(slot)
    second.handle_timeout(second.next_deadline())
    assert slot.state is SlotState.WITHDRAWN


def test_abandoning_what_was_never_submitted_here_counts_for_nothing() -> None:
    first, second = Connection(), Connection()
    slot = first.send(GET)
    second.send(GET)
    second.abandon(slot)
    assert (second.stats().queued, second.stats().given_up) == (1, 0)


def test_deadlines_in_the_past_are_due_at_once() -> None:
    connection = Connection(now=10.0)
    slot = connection.send(GET, deadline=-inf)
    assert connection.next_deadline() == -inf
    connection.handle_timeout(nextafter(-inf, 0))
    assert slot.state is SlotState.WITHDRAWN
    assert connection.next_deadline() == inf


def test_no_more_is_kept_than_may_come_due() -> None:
    kept: Deadlines[int] = Deadlines(lambda number: number < 0)
    kept.add(-1, inf)
    assert not kept.entries
    for number in (-1, *range(10)):
        kept.add(number, 1.0 + number)
    kept.trim(1)
    assert [item for _, _, item in kept.entries] == [-1]
