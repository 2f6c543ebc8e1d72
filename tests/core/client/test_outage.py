"""Which call goes again while a server says that its cluster is down, and when the others. Virtual time, no sockets."""

from __future__ import annotations

from collections import deque
from math import inf
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.client.stage import LANES
from core.client.town import A, B, Town, key
from resp_sansio import ClientSettings, PoolSettings, ReplyError, Retry
from resp_sansio.client.links import Call
from resp_sansio.client.outage import BREAK, LEAST, SHARE, Outage
from resp_sansio.connection import Slot, SlotState, new_slot

if TYPE_CHECKING:
    from collections.abc import Sequence

DOWN: Final = "CLUSTERDOWN The cluster is down"
READS: Final = "CLUSTERDOWN The cluster is down and only accepts read commands"


# -- turns -------------------------------------------------------------------------------------------------------------------


@given(st.floats(0, 1), st.floats(0, 10), st.floats(0, 100), st.floats(0, 1, exclude_max=True), st.floats(-1e9, 1e9))
def test_turns_come_the_less_often_the_longer_it_lasts(
    base: float, cap: float, elapsed: float, chance: float, began: float
) -> None:
    policy = Retry(base=base, cap=max(base, cap))
    outage = Outage(None, policy)
    outage.refused(new_slot(("GET", "k")), began)
    pauses = [outage.pause(began + elapsed * share, chance) for share in (0, 0.5, 1)]
    assert pauses == sorted(pauses)
    assert all(pause <= policy.cap for pause in pauses)
    assert all(pause >= min(policy.cap, LEAST) / 2 for pause in pauses)
    assert pauses[2] <= max(LEAST, policy.base, elapsed * SHARE * (1 + 1e-6) + 1e-6)


def test_behind_a_break_it_is_another_outage() -> None:
    outage = Outage(None, Retry())
    outage.refused(new_slot(("GET", "k")), 0.0)
    assert outage.pause(1.0, 1.0) == 1 / 32
    outage.refused(new_slot(("GET", "k")), BREAK)
    assert outage.pause(BREAK, 1.0) == BREAK / 32
    later = 2 * BREAK + 0.1
    outage.refused(new_slot(("GET", "k")), later)
    assert outage.pause(later, 1.0) == LEAST
    assert repr(outage) == "<Outage since 4.1: 3 calls wait>"


def test_a_call_that_does_not_wait_any_more_is_passed_over() -> None:
    outage, slots = Outage(None, Retry()), [new_slot(("GET", "k")) for _ in range(4)]
    for slot in slots:
        slot.call = Call()
        slot.call.outage = outage
        outage.refused(slot, 0.0)
    slots[1].call.outage = None
    assert outage.any_waits
    assert outage.first(slots[1:]) is slots[2]
    assert outage.first(slots) is slots[3]
    assert outage.first(slots) is None
    assert not outage.any_waits


# -- a client's calls --------------------------------------------------------------------------------------------------------


class DownTown(Town):
    """A cluster that may be down: what server A was asked then, and when."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.asked: list[float] = []
        self.error: str | None = None
        for place in (A, B):
            assert self.told(self.call("GET", key(place))) == key(place).encode()
        self[A].refuses_with = self.refuses
        self[A].executed.clear()

    def refuses(self, words: Sequence[bytes]) -> ReplyError | None:
        if self.error is None or len(words) < 2 or words[1] != key(A).encode():
            return None
        self.asked.append(self.now)
        return ReplyError(self.error)

    def calls(self, count: int, deadline: float = 60.0) -> list[Slot]:
        return [self.call("INCR", key(A), deadline=deadline) for _ in range(count)]

    def since(self, when: float) -> int:
        return len([at for at in self.asked if at > when])


@pytest.mark.parametrize("error", [DOWN, READS])
@pytest.mark.parametrize("callers", [1, 7, 300])
def test_a_server_that_is_down_is_asked_for_all_by_one_at_a_time(callers: int, error: str) -> None:
    town = DownTown()
    town.error = error
    slots = town.calls(callers)
    assert len(town.asked) == callers
    began = town.now
    for second, most in ((0.5, 50), (1.0, 50), (2.0, 64), (4.0, 64), (8.0, 64), (16.0, 64), (32.0, 96)):
        before = len(town.asked)
        town.pass_time(began + second - town.now)
        assert 0 < len(town.asked) - before <= most
    assert not set(slots) & set(town.ended)
    town.error = None
    town.pass_time(Retry().cap)
    assert set(slots) <= set(town.ended)
    assert [slot.reply for slot in slots] == [key(A).encode()] * callers
    assert len(town.at(A)) == callers
    town.is_at_rest()


@pytest.mark.parametrize("lasts", [0.1, 0.8, 1.5, 3.0, 10.0])
@pytest.mark.parametrize("callers", [1, 7, 300])
def test_calls_are_late_by_three_in_a_hundred_of_the_time_at_most(callers: int, lasts: float) -> None:
    for half in (0.0, 0.5, 0.999):
        town = DownTown(half=half)
        town.error = DOWN
        slots = town.calls(callers)
        town.pass_time(lasts)
        assert not set(slots) & set(town.ended)
        town.error = None
        town.pass_time(max(LEAST, lasts * SHARE / (1 - SHARE)))
        assert set(slots) <= set(town.ended)
        town.is_at_rest()


def test_new_calls_are_sent_at_once_and_wait_behind_the_others() -> None:
    town = DownTown()
    town.error = DOWN
    first = town.calls(5)
    town.pass_time(1.0)
    before = len(town.asked)
    more = town.calls(5)
    assert len(town.asked) == before + 5
    town.error = None
    town.pass_time(0.04)
    ends = [slot for slot in town.ended if slot in first or slot in more]
    assert {*ends} == {*first, *more}
    assert max(map(ends.index, first)) < max(map(ends.index, more))


def test_a_server_that_lets_one_through_now_and_then_is_not_stormed() -> None:
    """Each call that gets through lets two more try, and no others."""
    town = DownTown()
    town.error = DOWN
    slots = town.calls(200)
    words: deque[str | None] = deque()

    def refuses(given: Sequence[bytes]) -> ReplyError | None:
        town.error = DOWN if len(words) % 3 else None
        words.append(town.error)
        return DownTown.refuses(town, given)

    town[A].refuses_with = refuses
    town.pass_time(1.0)
    through = words.count(None)
    refused = len(words) - through
    assert 0 < through < 200
    assert refused <= 2 * through + 101
    town[A].refuses_with = lambda _: None
    town.pass_time(1.0)
    assert set(slots) <= set(town.ended)
    town.is_at_rest()


@pytest.mark.parametrize("words", [("INCR", key(A)), ("BLPOP", key(A), "0")])
def test_what_has_no_deadline_or_blocks_pauses_as_the_policy_says(words: tuple[str, ...]) -> None:
    town = DownTown(LANES, PoolSettings(max_size=2))
    town.error = DOWN
    slot = town.call(*words, deadline=inf if words[0] == "INCR" else 60.0)
    town.pass_time(1.0)
    assert 5 < len(town.asked) < 12
    if words[0] == "INCR":
        town.pass_time(2.0)
        assert str(town.told(slot)) == DOWN
        assert len(town.asked) == Retry().attempts
    else:
        town.error = None
        town.pass_time(0.6)
        assert slot in town.ended
    town.is_at_rest()


def test_a_call_that_has_waited_in_vain_is_told_so_near_its_deadline() -> None:
    town = DownTown()
    town.error = DOWN
    slots = town.calls(20, deadline=3.0)
    town.pass_time(2.0)
    assert not set(slots) & set(town.ended)
    town.pass_time(1.0)
    assert set(slots) <= set(town.ended)
    assert {str(slot.reply) for slot in slots} == {DOWN}
    assert all(slot.state is SlotState.ANSWERED for slot in slots)
    assert len(town.asked) <= 20 + 130 + 3 * 20
    town.is_at_rest()


def test_a_turn_that_comes_with_the_last_attempt_is_the_same_one() -> None:
    town = DownTown()
    town.error = DOWN
    slots = town.calls(9, deadline=3.0)
    town.now = 2.999
    town.client.handle_timeout(town.now)
    town.run()
    assert len(town.asked) == 2 * 9
    assert set(slots) <= set(town.ended)


@pytest.mark.parametrize("attempts", [1, 2])
def test_one_attempt_is_one(attempts: int) -> None:
    town = DownTown(ClientSettings(retry=Retry(attempts=attempts)))
    town.error = DOWN
    (slot,) = town.calls(1)
    town.pass_time(0.2)
    assert (slot in town.ended) is (attempts == 1)


@pytest.mark.parametrize("framed", [False, True])
def test_pipelines_and_transactions_wait_as_calls_do(framed: bool) -> None:
    town = DownTown()
    town.error = DOWN
    commands = [("INCR", key(A)), ("INCR", key(A))]
    if framed:
        commands = [("MULTI",), *commands, ("EXEC",)]  # type: ignore[list-item]
    else:
        commands.append(("INCR", key(B)))
    slots = [town.batch(*commands, deadline=60.0) for _ in range(50)]
    began = town.now
    assert len(town.asked) == 100
    town.pass_time(1.0)
    assert 2 * 10 < town.since(began) <= 2 * 100
    town.error = None
    town.pass_time(0.04)
    assert set(slots) <= set(town.ended)
    assert len(town.at(A)) == 100
    town.is_at_rest()


def test_what_waits_goes_where_the_map_says_by_then() -> None:
    town = DownTown()
    town.error = DOWN
    slots = town.calls(100)
    town.pass_time(1.0)
    town.give_all(A, B)
    town.pass_time(0.5)
    town.error = None
    town.pass_time(0.1)
    assert set(slots) <= set(town.ended)
    assert len(town.at(B)) == 101
    assert town.at(A) == []
    town.is_at_rest()


def test_callers_that_go_leave_the_turn_to_others() -> None:
    town = DownTown()
    town.error = DOWN
    slots = town.calls(9)
    for slot in slots[:8]:
        town.abandon(slot)
    town.error = None
    town.pass_time(LEAST)
    assert [slot for slot in town.ended if slot in slots] == [slots[8]]
    town.is_at_rest()


def test_a_turn_that_is_lost_with_its_link_is_not_the_end() -> None:
    town = DownTown()
    town.error = DOWN
    slots = town.calls(9)
    town[A].deaf = True
    town.pass_time(0.1)
    town[A].deaf, town.error = False, None
    town.cut(town.link_to(A))
    town.pass_time(1.0)
    ended = [slot for slot in town.ended if slot in slots]
    assert len(ended) == 9
    town.is_at_rest()


@pytest.mark.parametrize("how", ["close", "drain"])
def test_what_waits_ends_with_the_client(how: str) -> None:
    town = DownTown()
    town.error = DOWN
    slots = town.calls(9)
    getattr(town.client, how)(town.now)
    town.run()
    assert set(slots) <= set(town.ended)
    town.pass_time(10.0)
    town.is_at_rest()


def test_an_interrupt_leaves_nobody_without_a_turn() -> None:
    town = DownTown()
    town.error = DOWN
    slots = town.calls(9)
    (node,) = [node for node in town.client.nodes if node.place == A]
    assert node._outage.first(node._pausing) is slots[0]  # and there the interrupt struck
    town.client.reconcile(town.now, lambda entry: entry not in town.ended, [])
    town.run()
    town.error = None
    town.pass_time(LEAST)
    assert set(slots) <= set(town.ended)
    town.is_at_rest()
