"""When the map of a cluster is asked for, and which servers are asked. Virtual time, no sockets."""

from __future__ import annotations

import random
from collections import Counter
from itertools import repeat
from math import inf
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.refresh_storm import storm
from resp_sansio.client.refresher import CALM, GAPS, MOST, SILENT, Refresher

if TYPE_CHECKING:
    from collections.abc import Callable

Place = tuple[str, int]


def places(number: int, host: str = "node") -> list[Place]:
    return [(host, 7000 + each) for each in range(number)]


NODES: Final = places(5)
SEEDS: Final = places(3, "seed")


def chance(seed: int = 1) -> Callable[[], float]:
    return random.Random(seed).random


def due(refresher: Refresher, now: float = 0.0) -> list[Place]:
    """Give a reason, and begin."""
    refresher.wanted(now, 0.0)
    return refresher.begin(now, NODES, SEEDS, chance())


def answer(refresher: Refresher, now: float, *, changed: bool = False, settled: bool = True, nodes: int = 5) -> float:
    """The longest pause that follows."""
    refresher.answered(now, 1.0, changed=changed, settled=settled, nodes=nodes)
    return refresher.next_deadline() - now


# -- a round -----------------------------------------------------------------------------------------------------------------


def test_without_a_reason_nothing_is_asked() -> None:
    refresher = Refresher()
    assert refresher.next_deadline() == inf
    assert refresher.begin(5.0, NODES, SEEDS, chance()) == []
    assert repr(refresher) == "<Refresher: due at inf>"


def test_a_reason_makes_a_round_due_after_a_random_while() -> None:
    refresher = Refresher()
    refresher.wanted(1.0, 0.5)
    assert refresher.next_deadline() == 1.005
    refresher.wanted(1.001, 0.0)  # the same one
    assert refresher.next_deadline() == 1.005
    assert refresher.begin(1.004, NODES, SEEDS, chance()) == []
    assert len(set(refresher.begin(1.005, NODES, SEEDS, chance()))) == 2


def test_the_more_servers_the_longer_that_while() -> None:
    refresher = Refresher()
    due(refresher)
    answer(refresher, 0.0, nodes=70)
    refresher.wanted(100.0, 1.0)
    assert refresher.next_deadline() == pytest.approx(100.07)


def test_one_round_at_a_time() -> None:
    refresher = Refresher()
    asked = due(refresher)
    assert refresher.out == set(asked)
    assert repr(refresher) == "<Refresher: asks 2 servers>"
    assert refresher.begin(9.0, NODES, SEEDS, chance()) == []


def test_others_are_asked_beside_those_that_are_silent() -> None:
    refresher = Refresher()
    asked = due(refresher)
    assert refresher.next_deadline() == SILENT
    assert refresher.more(SILENT / 2) == []
    more = refresher.more(SILENT)
    assert len(more) == 2
    assert refresher.out == {*asked, *more}
    assert refresher.failed(more[0], SILENT) == []  # the others may still answer
    assert refresher.next_deadline() == 2 * SILENT
    (last,) = refresher.more(2 * SILENT)
    assert {*asked, *more, last} == set(NODES)
    assert len(refresher.more(3 * SILENT)) == 2
    assert len(refresher.more(4 * SILENT)) == 1
    assert refresher.out >= set(SEEDS)
    assert refresher.next_deadline() == inf  # none is left
    assert refresher.more(9.0) == []
    assert refresher.asking
    answer(refresher, 9.0)
    assert refresher.more(99.0) == []


def test_a_map_ends_the_round() -> None:
    refresher = Refresher()
    one, other = due(refresher)
    assert answer(refresher, 0.1) == inf
    assert not refresher.asking
    assert refresher.failed(one, 0.2) == refresher.failed(other, 0.2) == []  # they come too late
    answer(refresher, 0.2, settled=False)
    assert refresher.next_deadline() == inf


def test_a_reason_that_comes_while_servers_are_asked_makes_it_due_again() -> None:
    refresher = Refresher()
    due(refresher)
    refresher.wanted(0.05, 0.0)
    assert answer(refresher, 0.1) == pytest.approx(GAPS[0])
    refresher.begin(0.2, NODES, SEEDS, chance())
    assert answer(refresher, 0.3) == inf  # that one is dealt with


def test_as_long_as_the_reason_is_not_gone_it_is_due_again() -> None:
    refresher = Refresher()
    due(refresher)
    assert answer(refresher, 0.1, settled=False) == pytest.approx(GAPS[0])


def test_two_are_asked_then_the_next_two_and_the_seeds_at_last() -> None:
    refresher = Refresher()
    one, other = due(refresher)
    asked = {one, other}
    for _ in range(2):
        assert refresher.failed(one, 0.1) == []  # the other one may still answer
        assert refresher.failed(one, 0.1) == []
        more = refresher.failed(other, 0.1)
        assert not asked & set(more)
        asked |= set(more)
        one, other = more[0], more[-1]
    assert asked == set(NODES)
    first, second = refresher.failed(other, 0.1)
    refresher.failed(first, 0.2)
    assert {first, second, *refresher.failed(second, 0.2)} == set(SEEDS)


def test_a_seed_that_is_known_is_asked_once_a_round() -> None:
    refresher = Refresher()
    refresher.wanted(0.0, 0.0)
    (one,) = refresher.begin(0.0, SEEDS[:1], [*SEEDS[:2], SEEDS[1]], chance())
    assert one == SEEDS[0]
    assert refresher.failed(one, 0.1) == [SEEDS[1]]
    assert refresher.failed(SEEDS[1], 0.1) == []
    assert not refresher.asking


def test_when_all_have_failed_the_round_is_over_and_the_next_one_due_after_a_gap() -> None:
    refresher = Refresher()
    refresher.wanted(0.0, 0.0)
    (one,) = refresher.begin(0.0, [], SEEDS[:1], lambda: 0.0)
    assert refresher.failed(one, 1.0) == []
    assert refresher.next_deadline() == 1.0 + GAPS[0] / 2
    assert refresher.begin(1.025, [], SEEDS[:1], lambda: 0.0) == [one]  # the seed is dialled anew
    assert refresher.failed(one, 2.0) == []
    assert refresher.next_deadline() == 2.0 + GAPS[1] / 2


def test_with_no_server_to_ask_the_round_has_failed() -> None:
    refresher = Refresher()
    refresher.wanted(0.0, 0.0)
    assert refresher.begin(0.0, [], [], chance()) == []
    assert not refresher.asking
    assert refresher.next_deadline() > 0.0


# -- the gaps ----------------------------------------------------------------------------------------------------------------


def test_while_nothing_changes_the_gaps_grow() -> None:
    refresher, now, gaps = Refresher(), 0.0, []
    due(refresher)
    for _ in range(10):
        gaps.append(round(answer(refresher, now, settled=False), 3))
        now = refresher.next_deadline()
        refresher.begin(now, NODES, SEEDS, chance())
    assert gaps == [0.05, 0.25, 0.8, 1.0, 1.0, 1.0, 2.0, 5.0, 5.0, 5.0] == [*GAPS, 5.0, 5.0]


def test_a_gap_is_random_from_a_half_of_its_length() -> None:
    refresher = Refresher()
    due(refresher)
    refresher.answered(0.0, 0.0, changed=False, settled=False, nodes=5)
    assert refresher.next_deadline() == GAPS[0] / 2


def test_a_reason_that_comes_within_the_gap_waits_for_its_end() -> None:
    refresher = Refresher()
    due(refresher)
    answer(refresher, 0.1)
    refresher.wanted(0.11, 0.0)
    assert refresher.next_deadline() == pytest.approx(0.15)


def grown(rounds: int, *, settled: bool = False) -> tuple[Refresher, float]:
    """After so many rounds that brought nothing, one more is under way."""
    refresher, now = Refresher(), 0.0
    due(refresher)
    for _ in range(rounds):
        answer(refresher, now, settled=settled)
        refresher.wanted(now, 0.0)
        now = refresher.next_deadline()
        refresher.begin(now, NODES, SEEDS, chance())
    return refresher, now


def test_a_change_that_was_waited_for_lets_the_gaps_begin_anew() -> None:
    refresher, now = grown(4)
    assert answer(refresher, now, changed=True, settled=False) == pytest.approx(GAPS[0])


def test_so_does_the_first_map_after_a_round_that_failed() -> None:
    refresher, now = grown(4, settled=True)
    while refresher.out:
        refresher.failed(min(refresher.out), now)
    now = refresher.next_deadline()
    assert refresher.begin(now, NODES, SEEDS, chance())
    assert answer(refresher, now, changed=True, settled=False) == pytest.approx(GAPS[0])


def test_changes_one_after_the_other_do_not() -> None:
    """Slots that are moved: each MOVED is a reason, each map brings something new, and each slot is known by its MOVED already."""
    refresher, now = grown(4, settled=True)
    for gap in GAPS[4:]:
        answer(refresher, now, changed=True)
        refresher.wanted(now, 0.0)
        assert refresher.next_deadline() == pytest.approx(now + gap)
        now = refresher.next_deadline()
        refresher.begin(now, NODES, SEEDS, chance())


def test_after_a_calm_the_gaps_begin_anew() -> None:
    refresher, now = grown(4, settled=True)
    answer(refresher, now)
    due(refresher, now + CALM)
    assert answer(refresher, now + CALM, settled=False) == pytest.approx(GAPS[0])


def test_above_a_hundred_servers_gaps_grow_with_their_number() -> None:
    refresher = Refresher()
    due(refresher)
    assert answer(refresher, 0.0, settled=False, nodes=300) == 3 * GAPS[0]


# -- at intervals ------------------------------------------------------------------------------------------------------------


def test_while_calls_are_made_the_map_is_asked_for_at_intervals() -> None:
    refresher = Refresher(60.0)
    due(refresher)
    assert answer(refresher, 0.0) == inf
    refresher.in_use = True
    assert refresher.next_deadline() == 75.0
    refresher.wanted(10.0, 0.0)
    assert refresher.next_deadline() == 10.0
    assert refresher.begin(10.0, NODES, SEEDS, chance())
    refresher.answered(10.0, 0.0, changed=False, settled=True, nodes=5)
    assert refresher.next_deadline() == inf  # no call since
    refresher.in_use = True
    assert refresher.next_deadline() == 55.0
    assert refresher.begin(55.0, NODES, SEEDS, chance())


def test_without_an_interval_only_reasons_count() -> None:
    refresher = Refresher(None)
    due(refresher)
    answer(refresher, 0.0)
    refresher.in_use = True
    assert refresher.next_deadline() == inf


# -- after an interrupt ------------------------------------------------------------------------------------------------------


def test_after_an_interrupt_the_round_goes_on_with_what_is_asked_in_truth() -> None:
    refresher = Refresher()
    one, other = due(refresher)
    assert refresher.reconcile({one, other}, 0.1) == []
    assert refresher.reconcile({one}, 0.1) == []
    assert refresher.out == {one}
    more = refresher.reconcile(set(), 0.1)
    assert len(more) == 2
    assert refresher.out == set(more)
    answer(refresher, 0.2)
    assert refresher.reconcile(set(), 0.3) == []


# -- no storm ----------------------------------------------------------------------------------------------------------------

ROUNDS: Final = st.lists(
    st.tuples(
        st.sampled_from(["changed", "same", "failed"]),
        st.booleans(),  # settled
        st.floats(0.0, 1.0, exclude_max=True),  # randomness
        st.sampled_from([0.0, 0.0, 0.001, 0.3, CALM]),  # how long the answer takes
    ),
    max_size=30,
)


@given(ROUNDS)
def test_there_are_four_rounds_in_a_second_at_most_whatever_comes_back(rounds: list[tuple[Any, ...]]) -> None:
    refresher, now, begun = Refresher(None), 0.0, []
    for result, settled, randomness, takes in rounds:
        refresher.wanted(now, randomness)  # there is always a reason
        now = refresher.next_deadline()
        assert refresher.begin(now, NODES[:1], [], repeat(randomness).__next__) == NODES[:1]
        begun.append(now)
        now += takes
        if result == "failed":
            refresher.failed(NODES[0], now)
        else:
            refresher.answered(now, randomness, changed=result == "changed", settled=settled, nodes=5)
    for first, fifth in zip(begun, begun[MOST:], strict=False):
        assert fifth >= first + 1.0


@pytest.mark.parametrize("calls", [1, 10, 1000])
def test_a_second_of_failing_calls_causes_four_refreshes_at_most(calls: int) -> None:
    refresher, randomness, rounds, answers = Refresher(), chance(), 0, inf
    for call in range(calls):
        now = call / calls
        if now >= answers:
            refresher.answered(answers, randomness(), changed=False, settled=False, nodes=6)
            answers = inf
        refresher.wanted(now, randomness())
        if refresher.begin(now, NODES, SEEDS, randomness):
            rounds, answers = rounds + 1, now + 0.001
    assert rounds <= 4
    assert rounds >= min(calls, 2) - 1


def test_a_thousand_clients_do_not_ask_the_same_server() -> None:
    nodes, asked = places(100), Counter[Place]()
    for client in range(1000):
        refresher = Refresher()
        refresher.wanted(0.0, 0.0)
        asked.update(refresher.begin(0.0, nodes, SEEDS, chance(client)))
    assert asked.total() == 2000
    assert set(asked) == set(nodes)
    assert max(asked.values()) <= 40  # of 20 on average
    assert min(asked.values()) >= 5


def test_when_a_master_dies_a_thousand_clients_make_no_storm() -> None:
    found = storm(1000, 100, 2.0, 1)
    assert max(found.rounds) <= 10
    assert max(found.seen) < 2.0 + 1.0 + 0.1  # the longest gap by then, and the time that servers need to agree
    seconds = Counter(int(at) for at, _ in found.asked)
    assert max(seconds.values()) <= 1000 * MOST * 2
    each = Counter((int(at), server) for at, server in found.asked)
    assert max(each.values()) <= 1000 * MOST * 2 / 99 * 1.5
