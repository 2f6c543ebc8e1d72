"""How calls of a cluster's client end, in every state that they can be in: given up, late, or with the client."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import pytest

from core.client.notes import Notes
from core.client.test_cluster import LEASES, opened
from core.client.town import A, B, C, D, Town, key
from resp_sansio import (
    CallBegan,
    CallEnded,
    CircuitOpenError,
    ClientSettings,
    CommandTimeoutError,
    ConnectError,
    ConnectionClosedError,
    ConnectionLostError,
    LocalProtocolError,
    Outcome,
    PoolSettings,
    ReplyError,
    Retry,
)
from resp_sansio.client import Waiter, error_of
from resp_sansio.client.hash_slots import slot_of
from resp_sansio.connection import Slot, SlotState

NAME = key(A)
SLOT = slot_of(NAME.encode())
Entry = Slot | Waiter


# -- every state of a call ---------------------------------------------------------------------------------------------------


def unplaced(deadline: float) -> tuple[Town, list[Entry]]:
    """No map is there, and no server can be reached."""
    town = Town(pool=LEASES, dials_at_once=False)
    calls: list[Entry] = [town.call("INCR", NAME, deadline=deadline), town.call("DBSIZE", deadline=deadline)]
    calls += [town.batch(("INCR", NAME), ("INCR", key(B)), deadline=deadline), town.acquire(at=SLOT, deadline=deadline)]
    return town, calls


def probing(deadline: float) -> tuple[Town, list[Entry]]:
    """The servers that are asked for the map do not answer."""
    town = Town(pool=LEASES)
    town[A].deaf = town[B].deaf = True
    return town, [town.call("INCR", NAME, deadline=deadline), town.acquire(at=SLOT, deadline=deadline)]


def in_a_lane(deadline: float) -> tuple[Town, list[Entry]]:
    """They wait for a link that is dialled."""
    town = opened(B)
    town.dials_at_once = False
    town.kill(A)
    town.kill(C)
    for place in A, C:
        town[place].away = False
    calls: list[Entry] = [town.call("INCR", key(C), deadline=deadline), town.call("DBSIZE", deadline=deadline)]
    return town, [*calls, town.batch(("INCR", key(C)), ("INCR", key(B)), deadline=deadline)]


def pausing(deadline: float) -> tuple[Town, list[Entry]]:
    town = opened(half=0.99)
    town[A].refuses_with = lambda words: ReplyError("TRYAGAIN later") if words[0] == b"INCR" else None
    town.now = 1.0
    calls: list[Entry] = [town.call("INCR", NAME, deadline=deadline)]
    calls.append(town.batch(("INCR", NAME), ("INCR", key(B)), deadline=deadline))
    return town, [*calls, town.batch(("MULTI",), ("INCR", NAME), ("EXEC",), deadline=deadline)]


def on_links(deadline: float) -> tuple[Town, list[Entry]]:
    town = opened(pool=LEASES)
    for place in A, B, C:
        town[place].deaf = True
    calls: list[Entry] = [town.call("INCR", NAME, deadline=deadline), town.call("DBSIZE", deadline=deadline)]
    calls.append(town.batch(("INCR", NAME), ("INCR", key(B)), ("INCR", key(C)), deadline=deadline))
    return town, [*calls, town.batch(("MULTI",), ("INCR", NAME), ("EXEC",), deadline=deadline)]


def half_answered(deadline: float) -> tuple[Town, list[Entry]]:
    """One part was answered, another not."""
    town = opened()
    town[B].deaf = True
    return town, [
        town.batch(("INCR", NAME), ("INCR", key(B)), deadline=deadline),
        town.call("DBSIZE", deadline=deadline),
    ]


def behind_ask(deadline: float) -> tuple[Town, list[Entry]]:
    town = opened()
    town.begin_move(NAME, D)
    town.call("INCR", NAME)
    town[D].deaf = True
    calls: list[Entry] = [town.call("INCR", NAME, deadline=deadline)]
    calls.append(town.batch(("INCR", NAME), ("INCR", key(B)), deadline=deadline))
    return town, [*calls, town.batch(("MULTI",), ("INCR", NAME), ("EXEC",), deadline=deadline)]


def asked_and_not_dialled(deadline: float) -> tuple[Town, list[Entry]]:
    town = opened()
    town.begin_move(NAME, D)
    town.dials_at_once = False
    calls: list[Entry] = [town.call("INCR", NAME, deadline=deadline)]
    return town, [*calls, town.batch(("INCR", NAME), ("INCR", key(B)), deadline=deadline)]


def in_the_pool(deadline: float) -> tuple[Town, list[Entry]]:
    """All links that are lent are out."""
    town = opened(pool=PoolSettings(max_size=1))
    town.acquire(at=SLOT)
    calls: list[Entry] = [town.call("BLPOP", NAME, "0", deadline=deadline), town.acquire(at=SLOT, deadline=deadline)]
    return town, [*calls, town.acquire(at=A, deadline=deadline)]


def blocked(deadline: float) -> tuple[Town, list[Entry]]:
    town = opened(pool=LEASES)
    town.release(town.lease(at=SLOT))
    town[A].deaf = True
    return town, [town.call("BLPOP", NAME, "0", deadline=deadline)]


STATES: list[Callable[[float], tuple[Town, list[Entry]]]] = [
    unplaced, probing, in_a_lane, pausing, on_links, half_answered, behind_ask, asked_and_not_dialled, in_the_pool, blocked,
]  # fmt: skip


def has_ended(town: Town, entry: Entry) -> bool:
    return entry in town.ended if isinstance(entry, Slot) else entry in town.woken


def goes_on(town: Town) -> None:
    """Let the world be well, and what was left come."""
    for server in town.servers.values():
        server.deaf = server.away = False
        server.refuses_with = lambda _: None
    town.dials_at_once = True
    for _ in range(3):
        while town.dials:
            town.connect()
        town.wake()
        town.pass_time(1.0)
    for waiter in town.woken:  # each has its turn
        if waiter.lease is not None:
            town.release(waiter.lease)


@pytest.mark.parametrize("state", STATES)
def test_a_call_that_is_given_up_leaves_nothing(state: Any) -> None:
    town, calls = state(inf)
    for entry in calls:
        assert not has_ended(town, entry)
        if isinstance(entry, Slot):
            town.abandon(entry)
        else:
            town.client.withdraw(entry, town.now)
            town.run()
    goes_on(town)
    assert not any([has_ended(town, entry) for entry in calls])
    for entry in calls:
        if isinstance(entry, Slot):
            assert entry.state in (SlotState.ABANDONED, SlotState.WITHDRAWN)
            sent = [Outcome.MAYBE_EXECUTED, Outcome.REPLY] if entry.state is SlotState.ABANDONED else [Outcome.NOT_SENT]
            assert any(outcome in sent for outcome in entry.outcomes)
    assert town.told(town.call("GET", NAME)) == NAME.encode()
    town.is_at_rest()


@pytest.mark.parametrize("state", STATES)
def test_a_call_ends_at_its_deadline(state: Any) -> None:
    town, calls = state(1.003)
    town.pass_time(1.003 - town.now + 0.001)
    for entry in calls:
        assert has_ended(town, entry), entry
        if isinstance(entry, Waiter):
            assert isinstance(entry.error, (CommandTimeoutError, ConnectError))
        elif entry.state is not SlotState.ANSWERED:
            assert isinstance(error_of(entry), (CommandTimeoutError, ConnectError))
    ended = len(town.ended)
    goes_on(town)
    assert len(town.ended) == ended
    assert town.told(town.call("GET", NAME)) == NAME.encode()
    town.is_at_rest()


@pytest.mark.parametrize("drains", [False, True])
@pytest.mark.parametrize("state", STATES)
def test_a_client_that_ends_ends_its_calls_and_dials_no_more(state: Any, drains: bool) -> None:
    town, calls = state(inf)
    town.dials.clear() if not drains else None
    dialled = town.dialled
    if drains:
        town.client.drain(town.now)
        town.run()
        goes_on(town)
    else:
        town.client.close(town.now, "the end")
        town.run()
    for entry in calls:
        assert has_ended(town, entry), entry
    town.pass_time(100)
    assert town.dialled - dialled <= (3 if state is in_the_pool else 0)
    assert town.drained == drains
    assert not town.client.links
    assert not town.client._probes
    assert town.client.next_deadline() == inf
    with pytest.raises(ConnectionClosedError):
        town.call("GET", NAME)
    with pytest.raises(ConnectionClosedError):
        town.acquire(at=SLOT)
    assert "closed" in repr(town.client)
    town.client.close(town.now)
    town.run()


@pytest.mark.parametrize("state", STATES)
def test_links_that_are_left_cost_no_call(state: Any) -> None:
    town, calls = state(inf)
    town.client.retire(town.now)
    town.run()
    goes_on(town)
    goes_on(town)
    for entry in calls:
        assert has_ended(town, entry), entry
        if isinstance(entry, Slot):
            assert entry.state is SlotState.ANSWERED, (entry, entry.cause)
        else:
            assert entry.lease is not None
    town.is_at_rest()


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("dead", [False, True])
def test_an_interrupt_elsewhere_changes_nothing(state: Any, dead: bool) -> None:
    """The machine is put in order while calls are in every state, whose callers are there, or are not."""
    town, calls = state(inf)
    town.client.reconcile(town.now, lambda entry: not dead and entry in calls, town.dials)
    town.run()
    for entry in calls:
        if not dead and not has_ended(town, entry):
            town.client.resume(entry, town.now)
            town.run()
        if dead and isinstance(entry, Slot):
            town.abandon(entry)
        elif dead:
            town.client.withdraw(entry, town.now)
            town.run()
    goes_on(town)
    goes_on(town)
    for entry in calls:
        assert dead or has_ended(town, entry), entry
    runs = [words for words in town.executed() if words[0] == b"INCR"]
    assert len(runs) <= 2 + 3 * len(calls)
    town.is_at_rest(torn=True)


# -- parts that are lost -----------------------------------------------------------------------------------------------------


def test_each_command_of_a_pipeline_says_how_it_ended() -> None:
    town = opened(settings=ClientSettings(retry=Retry(attempts=1)))
    town[B].deaf = True
    town.kill(C)
    town[C].away = True
    slot = town.batch(("INCR", NAME), ("INCR", key(B)), ("INCR", key(C)), ("GET", key(B)), deadline=town.now + 5)
    town.cut(town.link_to(B))
    town.pass_time(6)
    assert slot.state is SlotState.LOST
    assert [*slot.outcomes] == [Outcome.REPLY, Outcome.MAYBE_EXECUTED, Outcome.NOT_SENT, Outcome.MAYBE_EXECUTED]
    error = error_of(slot)
    assert isinstance(error, ConnectionLostError)
    assert "INCR in a pipeline of 4 commands" in str(error)
    assert slot.replies[0] == NAME.encode()  # type: ignore[attr-defined]
    kinds = [type(reply) for reply in slot.replies[1:]]  # type: ignore[attr-defined]
    assert kinds == [ConnectionLostError, ConnectError, ConnectionLostError]
    town.is_at_rest()


def test_a_call_in_parts_that_is_late_says_what_was_done() -> None:
    town = opened()
    town[B].deaf = town[C].deaf = True
    slot = town.batch(("INCR", NAME), ("INCR", key(B)), ("INCR", key(C)), deadline=town.now + 1)
    town.pass_time(2)
    assert [*slot.outcomes] == [Outcome.REPLY, Outcome.MAYBE_EXECUTED, Outcome.MAYBE_EXECUTED]
    assert town.told(slot)[0] is CommandTimeoutError
    town.is_at_rest()


def test_a_part_that_is_lost_goes_out_again_at_the_new_owner() -> None:
    town = opened()
    town[B].deaf = True
    slot = town.batch(("GET", NAME), ("GET", key(B)), ("GET", key(B, 1)), deadline=town.now + 9)
    link = town.link_to(B)
    town.say(link, b"$1\r\nx\r\n")  # the first of the two
    town.move(key(B), D)
    town.give_all(B, C)
    town.kill(B)
    town.pass_time(3)
    assert town.told(slot) == [NAME.encode(), b"x", key(B, 1).encode()]
    town.is_at_rest()


# -- to all masters ----------------------------------------------------------------------------------------------------------


def test_what_goes_to_all_masters_is_one_answer() -> None:
    town = opened()

    def says(count: int) -> Callable[[tuple[bytes, ...]], Any]:
        return lambda words: count if words == (b"DBSIZE",) else None

    for number, place in enumerate((A, B, C), 1):
        town[place].says = says(number)
    assert town.told(town.call("DBSIZE")) == 6
    town.is_at_rest()


def test_one_master_that_refuses_is_told_with_its_name() -> None:
    town = opened()
    town[B].says = lambda words: ReplyError("ERR no") if words == (b"FLUSHALL",) else None
    error = town.told(town.call("FLUSHALL"))
    assert (error.message, error.__notes__[-1]) == ("no", "10.0.0.2:7000 said so; of 3 servers 2 did it")


def test_one_master_that_is_lost_is_told() -> None:
    town = opened()
    town[B].deaf = True
    slot = town.call("FLUSHALL", deadline=town.now + 5)
    town.cut(town.link_to(B))
    town.pass_time(6)
    assert [*slot.outcomes] == [Outcome.MAYBE_EXECUTED]
    assert town.told(slot)[0] is ConnectionLostError


def test_one_master_that_is_away_is_waited_for() -> None:
    town = opened()
    town.kill(B)
    slot = town.call("DBSIZE", deadline=town.now + 5)
    other = town.call("FLUSHALL", deadline=town.now + 1)
    town.pass_time(2)
    assert slot not in town.ended
    kind, text = town.told(other)
    assert kind is ConnectionLostError
    assert "; 2 of 3 masters have answered; " in text
    assert [*other.outcomes] == [Outcome.MAYBE_EXECUTED]  # by the others it was
    town[B].says = lambda words: 1 if words == (b"DBSIZE",) else None
    town[A].says = town[C].says = town[B].says
    town[B].away = False
    town.pass_time(3)
    assert slot.state is SlotState.ANSWERED
    town.is_at_rest()


def test_a_map_that_comes_meanwhile_changes_nothing_of_what_goes_to_all() -> None:
    town = opened()
    town[B].deaf = True
    slot = town.call("FLUSHALL", deadline=town.now + 5)
    town.give_all(C, D)
    town.client.want_map(town.now, at_once=True)
    town.run()
    town.pass_time(2)
    assert slot not in town.ended
    town[B].deaf = False
    town.wake()
    assert slot.state is SlotState.ANSWERED
    town.is_at_rest()


# -- links of callers' own ---------------------------------------------------------------------------------------------------


def test_who_waits_for_a_link_moves_with_the_map() -> None:
    town = opened(pool=PoolSettings(max_size=1))
    lease = town.lease(at=SLOT)
    waiter, call = town.acquire(at=SLOT), town.call("BLPOP", NAME, "0")
    fixed = town.acquire(at=A)
    town.move(NAME, B)
    town.client.want_map(town.now, at_once=True)
    town.run()
    town.pass_time(2)
    assert waiter.lease is not None
    assert waiter.lease.connection in town.links_to(B)
    town.release(waiter.lease)
    assert town.told(call) == b"0"
    assert fixed.lease is None
    town.release(lease)
    assert fixed.lease is not None
    town.release(fixed.lease)
    town.is_at_rest()


def test_a_link_is_of_a_key_or_of_a_server() -> None:
    town = opened(pool=LEASES)
    with pytest.raises(LocalProtocolError, match="several servers"):
        town.acquire()
    lease = town.lease(at=C)
    assert lease.connection in town.links_to(C)
    town.release(lease)
    lent = town.client.lend(town.now, at=C)
    assert lent is not None
    waiter = town.client.acquire(None, town.now, held=lent, at=C)
    town.run()
    assert waiter.lease is lent
    town.release(lent)
    assert town.client.lend(town.now) is None
    town.is_at_rest()


def test_without_a_pool_the_lane_of_its_server_is_lent() -> None:
    town = opened()
    share = town.lease(at=SLOT)
    assert share.connection is town.link_to(A)
    assert town.told(town.call("GET", NAME, lease=share)) == NAME.encode()
    town.release(share)


def test_a_link_that_is_out_is_closed_when_its_server_has_gone() -> None:
    town = opened(pool=LEASES)
    lease = town.lease(at=SLOT)
    town.give_all(A, D)
    for _ in range(3):
        town.client.want_map(town.now, at_once=True)
        town.pass_time(10)
    assert town.links_to(A) == [lease.connection]
    town.release(lease)
    assert town.links_to(A) == []
    town.pass_time(1)
    assert A not in town.client._nodes
    assert not town.client._leaving


# -- the breaker -------------------------------------------------------------------------------------------------------------


def test_a_breaker_is_of_one_server() -> None:
    town = opened(pool=PoolSettings(max_size=2, breaker_failures=2, breaker_seconds=30.0))
    town.kill(A)
    for _ in range(3):
        town.call("GET", NAME, deadline=town.now + 0.5)
        town.pass_time(1)
    slot = town.call("GET", NAME, deadline=town.now + 5)
    assert town.told(slot)[0] is CircuitOpenError
    piped = town.batch(("INCR", NAME), ("INCR", key(B)), deadline=town.now + 5)
    assert town.told(piped)[0] is CircuitOpenError
    assert [*piped.outcomes] == [Outcome.NOT_SENT, Outcome.REPLY]
    leased = town.call("BLPOP", NAME, "0", deadline=town.now + 5)
    assert town.told(leased)[0] is CircuitOpenError
    assert town.told(town.call("GET", key(B))) == key(B).encode()
    town.is_at_rest()


# -- for ever ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["away", "down", "no map", "loading"])
def test_a_call_without_a_deadline_ends_after_so_many_attempts(how: str) -> None:
    town = opened() if how != "no map" else Town()
    match how:
        case "away":
            town.kill(A)
        case "no map":
            town.away = True
        case _:
            said = "CLUSTERDOWN The cluster is down" if how == "down" else "LOADING it"
            town[A].refuses_with = lambda words: ReplyError(said) if words[0] != b"CLUSTER" else None
    calls = [town.call("INCR", NAME), town.batch(("INCR", NAME), ("INCR", key(B)))]
    town.pass_time(200)
    for slot in calls:
        assert slot in town.ended, slot
    assert town.at(A) == []
    town.is_at_rest()


# -- observers ---------------------------------------------------------------------------------------------------------------


def test_observers_are_told_of_each_call_once_whatever_its_way() -> None:
    notes = Notes()
    town = opened(observers=[notes], pool=LEASES)
    town.move(NAME, B)
    town.begin_move(key(A, 1), D)
    count = [0]

    def refuses(words: Any) -> Any:
        count[0] += words[0] == b"SET"
        return ReplyError("TRYAGAIN later") if words[0] == b"SET" and count[0] == 1 else None

    town[A].refuses_with = refuses
    town.call("INCR", NAME)
    town.call("INCR", key(A, 1))
    town.batch(("INCR", key(A)), ("INCR", key(A, 1)), ("INCR", key(C)))
    town.batch(("MULTI",), ("INCR", key(A, 1)), ("EXEC",))
    town.call("SET", key(A, 2), "x", deadline=town.now + 2)
    town.call("DBSIZE")
    town.call("BLPOP", key(A, 1), "0")
    town.abandon(town.batch(("BLPOP", key(A, 3), "1"), ("INCR", key(C))))
    town.pass_time(3)
    town.kill(C)
    town.call("INCR", key(C), deadline=town.now + 1)
    town.pass_time(3)
    town[C].away = False
    town.pass_time(3)
    assert not notes.under_way
    assert len(notes.of(CallBegan)) == len(notes.of(CallEnded)) == 3 + 9
    town.is_at_rest()
    town.client.close(town.now)
    town.run()
