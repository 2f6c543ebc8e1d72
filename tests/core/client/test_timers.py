"""Moments in their order, and those that were cancelled."""

from __future__ import annotations

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from resp_sansio.client.timers import Soonest, Timers


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans())))
def test_those_that_were_not_cancelled_come_in_their_order(made: list[tuple[int, bool]]) -> None:
    timers = Timers()
    alive = []
    for number, (due, cancelled) in enumerate(made):
        timer = timers.set(due, (due, number))
        if cancelled:
            timers.cancel(timer)
            timers.cancel(timer)
        else:
            alive.append((due, number))
    assert timers.next() == min((due for due, _ in alive), default=inf)
    assert [timer.thing for timer in timers.take(10)] == sorted(entry for entry in alive if entry[0] <= 10)
    assert [timer.thing for timer in timers.take(inf)] == sorted(entry for entry in alive if entry[0] > 10)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 20), st.booleans())))
def test_nothing_of_several_is_before_what_they_share(steps: list[tuple[int, int, bool]]) -> None:
    soonest = Soonest()
    several = [Timers(soonest) for _ in range(3)]
    for which, due, cancelled in steps:
        timer = several[which].set(due, "thing")
        if cancelled:
            several[which].cancel(timer)
        assert soonest.due <= min(timers.next() for timers in several)


def test_never_is_no_moment() -> None:
    timers = Timers()
    timers.cancel(timers.set(inf, "never"))
    timers.cancel(None)
    assert timers.next() == inf


def test_cancelled_ones_take_no_room() -> None:
    timers = Timers()
    kept = timers.set(0.5, "kept")
    for number in range(10_000):
        timers.cancel(timers.set(1.0 + number, number))
    assert len(timers.entries) < 200
    assert [timer.thing for timer in timers.take(inf)] == ["kept"]
    timers.cancel(kept)
    assert timers.next() == inf


def test_cancelled_ones_take_no_room_beside_many_that_are_kept() -> None:
    timers = Timers()
    for number in range(300):
        timers.set(0.5, [number])
    for number in range(10_000):
        timers.cancel(timers.set(1.0 + number, number))
        assert len(timers.entries) < 1000
    assert len([*timers.take(inf)]) == 300


def test_many_that_are_set_stay() -> None:
    timers = Timers()
    for number in range(1000):
        timers.set(float(number), [number])
    assert [timer.thing for timer in timers.take(inf)] == [[number] for number in range(1000)]


def test_what_is_kept_is_seldom_looked_through() -> None:
    class Counted(Timers):
        trims = 0

        def trim(self, most: int) -> None:
            self.trims += 1
            super().trim(most)

    timers = Counted()
    for number in range(10_000):
        timers.set(float(number), [number])
    assert timers.trims <= 7
