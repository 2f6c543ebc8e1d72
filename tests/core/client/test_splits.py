"""A call in parts: what each part is of, and how the call ends."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest

from core.client.test_cluster import opened
from core.client.town import A, B, C, D, NodePeer, key
from resp_sansio import ClientSettings, ConnectError, ConnectionLostError, Outcome, Retry
from resp_sansio.client.splits import Part, Split, outcome_of, part_of
from resp_sansio.connection import Slot, SlotState, new_batch, new_slot, prepare

NAME, OTHER = key(A), key(A, 1)
LOST = ConnectionLostError("lost", outcome=Outcome.NOT_SENT)


def batch(*commands: tuple[str, ...]) -> Any:
    prepared = [prepare(words) for words in commands]
    return new_batch([one[0] for one in prepared], [one[1] for one in prepared], None, inf)


def answer(part: Any, *replies: Any) -> None:
    part.replies, part.state, part.missing = [*replies], SlotState.ANSWERED, 0


def lose(part: Any, *outcomes: Outcome) -> None:
    part.state, part.outcomes = SlotState.LOST, [*outcomes]


# -- the pure part -----------------------------------------------------------------------------------------------------------


def test_replies_come_together_in_the_order_of_the_commands() -> None:
    slot = batch(("GET", "a"), ("GET", "b"), ("GET", "c"))
    split = Split(slot)
    first, second = split.part([0, 2]), split.part([1])
    assert [part_of(part).indices for part in split.under_way] == [[0, 2], [1]]
    assert "2 of 2 parts under way" in repr(split)
    answer(second, b"b")
    split.take(second, None)
    assert (split.under_way, split.lost) == ([first], [])
    answer(first, b"a", b"c")
    split.take(first, None)
    split.end()
    assert (slot.reply, slot.state, slot.cause) == ([b"a", b"b", b"c"], SlotState.ANSWERED, None)


def test_each_asked_command_has_its_own_asking_and_a_whole_has_one() -> None:
    commands = [("GET", "a"), ("GET", "b")]
    asked = Split(batch(*commands)).part([0, 1], asking=True)
    assert [info.name for info in asked.infos] == ["ASKING", "GET", "ASKING", "GET"]
    whole = Split(batch(("MULTI",), *commands, ("EXEC",)), whole=True)
    assert [info.name for info in whole.part(range(4), asking=True).infos] == ["ASKING", "MULTI", "GET", "GET", "EXEC"]
    alone = Split(new_slot(("GET", "a"), None, inf), whole=True)
    assert [info.name for info in alone.part([0], asking=True).infos] == ["ASKING", "GET"]


@pytest.mark.parametrize("asking", [False, True])
def test_what_was_answered_of_a_lost_part_is_kept(asking: bool) -> None:
    slot = batch(("INCR", "a"), ("INCR", "b"), ("INCR", "c"))
    split = Split(slot)
    part = split.part([0, 1, 2], asking=asking)
    part.replies = ["OK", 1, "OK"] if asking else [1]
    one = [Outcome.REPLY, Outcome.MAYBE_EXECUTED, Outcome.NOT_SENT]
    lose(part, *[outcome for outcome in one for _ in range(2 if asking else 1)])
    split.take(part, LOST)
    split.end()
    assert slot.outcomes == one
    assert slot.state is SlotState.LOST
    assert slot.replies[0] == 1
    assert [reply.outcome for reply in slot.replies[1:]] == one[1:]


def test_a_failure_that_is_not_ours_is_told_as_it_is() -> None:
    slot = batch(("INCR", "a"), ("INCR", "b"))
    split, error = Split(slot), KeyError("vault")
    split.heard(0, 1)
    part = split.part([1])
    lose(part, Outcome.NOT_SENT)
    split.take(part, error)
    split.end()
    assert slot.replies == [1, error]
    assert split.failure is error


def test_a_part_behind_asking_that_failed_leaves_what_was_not_answered() -> None:
    split = Split(batch(("INCR", "a"), ("INCR", "b"), ("INCR", "c")))
    part = split.part([0, 2], asking=True)
    part.replies = ["OK", 1, "OK"]
    lose(part, Outcome.REPLY, Outcome.REPLY, Outcome.REPLY, Outcome.MAYBE_EXECUTED)
    bare = split.without_asking(part)
    assert part_of(part).ended
    assert (part_of(bare).indices, bare.outcomes, bare.state) == ([2], [Outcome.MAYBE_EXECUTED], SlotState.LOST)
    assert not part_of(bare).asking
    assert split.lost == [1]


def test_what_goes_to_all_masters_ends_as_one() -> None:
    slot = new_slot(("FLUSHALL",), None, inf)
    split = Split(slot, combine=len, count=2)
    assert split.lost == [0, 1]
    parts = [split.for_a_master(None) for _ in range(2)]
    assert [part.call.fixed for part in parts] == [True, True]
    answer(parts[0], "OK")
    split.take(parts[0], None)
    lose(parts[1], Outcome.NOT_SENT)
    split.take(parts[1], LOST)
    split.end()
    assert [*slot.outcomes] == [Outcome.MAYBE_EXECUTED]
    assert str(slot.cause) == "lost; 1 of 2 masters have answered"


@pytest.mark.parametrize(
    ("outcomes", "told"),
    [
        ([Outcome.REPLY, Outcome.REPLY], Outcome.REPLY),
        ([Outcome.NOT_SENT, Outcome.NOT_SENT], Outcome.NOT_SENT),
        ([Outcome.NOT_SENT, Outcome.REPLY], Outcome.MAYBE_EXECUTED),
        ([Outcome.MAYBE_EXECUTED, Outcome.REPLY], Outcome.MAYBE_EXECUTED),
    ],
)
def test_a_command_may_have_run_if_it_may_have_anywhere(outcomes: list[Outcome], told: Outcome) -> None:
    assert outcome_of(outcomes) is told


@pytest.mark.parametrize("sent", [False, True])
def test_a_call_that_is_given_up_says_what_was_done(sent: bool) -> None:
    slot = batch(("INCR", "a"), ("INCR", "b"))
    split = Split(slot)
    part = split.part([0])
    if sent:
        lose(part, Outcome.MAYBE_EXECUTED)
    split.give_up()
    assert slot.outcomes == [Outcome.MAYBE_EXECUTED if sent else Outcome.NOT_SENT, Outcome.NOT_SENT]
    assert slot.state is (SlotState.ABANDONED if sent else SlotState.WITHDRAWN)
    assert slot.replies == []


# -- within a cluster's machine ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("in_parts", [False, True])
def test_a_pipeline_that_was_half_answered_goes_on_at_several_servers(in_parts: bool) -> None:
    """One link is lost after the first answer, and the slots of the rest are elsewhere by then."""
    town = opened()
    town[A].deaf = True
    more = [("GET", key(B))] if in_parts else []
    slot = town.batch(("GET", NAME), ("GET", NAME), ("GET", OTHER), ("GET", key(A, 2)), *more, deadline=town.now + 9)
    town.say(town.link_to(A), b"$1\r\nx\r\n")
    town.move(NAME, B)
    town.move(OTHER, C)
    town.client.want_map(town.now, at_once=True)
    town.pass_time(1)
    town.dials_at_once = False
    town.kill(A)
    town[A].away = town[A].deaf = False
    town.dials_at_once = True
    while town.dials:
        town.connect()
    town.pass_time(3)
    assert town.told(slot)[:4] == [b"x", NAME.encode(), OTHER.encode(), key(A, 2).encode()]
    town.is_at_rest()


def test_asked_commands_whose_link_is_lost_go_on_from_the_first_that_was_not_answered() -> None:
    town = opened()
    for name in (NAME, OTHER):
        town.begin_move(name, D)
    town.call("GET", NAME)
    town[D].deaf = True
    slot = town.batch(("GET", NAME), ("GET", OTHER), ("GET", key(B)), deadline=town.now + 9)
    link = town.link_to(D)
    town.say(link, b"+OK\r\n$1\r\nx\r\n")
    town[D].deaf = False
    town.cut(link)
    town.pass_time(3)
    assert town.told(slot) == [b"x", OTHER.encode(), key(B).encode()]
    peers = [peer for peer in town.peers.values() if isinstance(peer, NodePeer) and peer.server is town[D]]
    assert sum(peer.executed.count((b"GET", NAME.encode())) for peer in peers) == 1
    town.is_at_rest()


def test_an_asked_command_that_may_have_run_is_not_sent_again() -> None:
    town = opened()
    for name in (NAME, OTHER):
        town.begin_move(name, D)
    town.call("GET", NAME)
    town[D].deaf = True
    slot = town.batch(("INCR", NAME), ("INCR", OTHER), ("GET", key(B)), deadline=town.now + 9)
    town.cut(town.link_to(D))
    town[D].deaf = False
    town.pass_time(3)
    assert town.told(slot)[0] is ConnectionLostError
    assert [*slot.outcomes] == [Outcome.MAYBE_EXECUTED, Outcome.MAYBE_EXECUTED, Outcome.REPLY]
    assert not [words for words in town.at(D) if words[0] == b"INCR"]
    town.is_at_rest()


@pytest.mark.parametrize("piped", [False, True])
def test_credentials_that_fail_behind_ask_are_told(piped: bool) -> None:
    town = opened()
    town.begin_move(NAME, D)
    town.dials_at_once = False
    commands = [("INCR", NAME), ("INCR", key(B))]
    slot = town.batch(*commands, deadline=9.0) if piped else town.call(*commands[0], deadline=9.0)
    (dial,) = town.dials
    town.dials.clear()
    town.client.dial_failed(dial, KeyError("vault"), town.now)
    town.run()
    assert town.told(slot)[0] is KeyError
    town.is_at_rest()


def test_the_end_of_a_part_counts_once() -> None:
    town = opened()
    town[B].deaf = True
    slot = town.batch(("INCR", NAME), ("INCR", key(B)))
    done = next(part for part in slot.call.split.parts if part_of(part).ended)
    town.client.part_ended(None, done, town.now)
    assert slot not in town.ended
    town[B].deaf = False
    town.wake()
    assert town.told(slot) == [NAME.encode(), key(B).encode()]


def test_a_part_knows_its_call() -> None:
    split = Split(batch(("INCR", "a")))
    token = split.part([0]).token
    assert isinstance(token, Part)
    assert token.split is split


def test_a_part_that_no_dial_reaches_ends_with_why() -> None:
    town = opened(settings=ClientSettings(retry=Retry(attempts=2)))
    town.kill(B)
    slot: Slot = town.batch(("INCR", NAME), ("INCR", key(B)))
    town.pass_time(5)
    assert [*slot.outcomes] == [Outcome.REPLY, Outcome.NOT_SENT]
    assert town.told(slot)[0] is ConnectError
