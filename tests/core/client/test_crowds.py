"""What a call costs beside all those that have died: as much as the first one, whichever way they ended and wherever they waited.

Work is counted in bytecodes, which no other process changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

import pytest

from core.client.stage import LANES, Stage
from core.client.town import A, B, C, Town, key
from machines import opcodes
from resp_sansio import PoolSettings, ReplyError
from resp_sansio.client.hash_slots import slot_of
from resp_sansio.connection import Slot, new_slot

if TYPE_CHECKING:
    from collections.abc import Callable

KEY: Final = key(A)  # on one server it is a key like any other
DOWN: Final = ReplyError("CLUSTERDOWN The cluster is down")


# -- where they wait -------------------------------------------------------------------------------------------------------------


def no_link() -> Stage:
    """For a connection that does not come about."""
    return Stage(LANES, PoolSettings(max_size=2), dials_at_once=False, connect_timeout=None)


def hung() -> Stage:
    """For a server that reads nothing."""
    stage = Stage(LANES, PoolSettings(max_size=2), connect_timeout=None)
    stage.call("GET", KEY)
    stage.deaf.add(stage.link)
    return stage


def full() -> Stage:
    """For those who have all connections of a pool."""
    stage = Stage(None, PoolSettings(max_size=1), connect_timeout=None)
    stage.lease()
    return stage


def no_map() -> Stage:
    """For a cluster of which no server says anything."""
    town = Town(LANES, PoolSettings(max_size=2), refresh_interval=None)
    for place in (A, B, C):
        town[place].deaf = True
    return town


def down() -> Stage:
    """For a cluster that says that it is down."""
    town = Town(LANES, PoolSettings(max_size=2), refresh_interval=None)
    town.call("GET", KEY)
    for place in (A, B, C):
        town[place].refuses_with = lambda words: DOWN if KEY.encode() in words else None
    return town


class Caller:
    """Of whom nothing is to be kept once it has gone."""


CALLERS: Final[WeakSet[Caller]] = WeakSet()  # of whose calls something is still kept


def call(stage: Stage, *words: str, deadline: float) -> Slot:
    caller = Caller()
    CALLERS.add(caller)
    return stage.submit(new_slot(words, caller, deadline))


# -- how they end ----------------------------------------------------------------------------------------------------------------


def late(stage: Stage, number: int) -> None:
    call(stage, "GET", KEY, deadline=stage.now + 0.5)
    stage.pass_time(1.0)


def late_in_reverse(stage: Stage, number: int) -> None:
    """Pairs, of which the later is due first."""
    call(stage, "GET", KEY, deadline=stage.now + 0.9)
    call(stage, "GET", KEY, deadline=stage.now + 0.5)
    stage.pass_time(1.0)


def blocked(stage: Stage, number: int) -> None:
    call(stage, "BLPOP", KEY, "0", deadline=stage.now + 0.5)
    stage.pass_time(1.0)


def given_up(stage: Stage, number: int) -> None:
    """They had much time left, each less than the one before."""
    stage.abandon(call(stage, "GET", KEY, deadline=1e9 - number))
    stage.pass_time(1.0)


def borrows_in_vain(stage: Stage, number: int) -> None:
    stage.acquire(deadline=stage.now + 0.5, **at(stage))
    stage.pass_time(1.0)


def leaves(stage: Stage, number: int) -> None:
    waiter = stage.acquire(deadline=1e9 - number, **at(stage))
    stage.client.withdraw(waiter, stage.now)
    stage.run()
    stage.pass_time(1.0)


def at(stage: Stage) -> dict[str, int]:
    return {"at": slot_of(KEY.encode())} if isinstance(stage, Town) else {}


BORROWERS: Final = (borrows_in_vain, leaves)


@pytest.mark.parametrize("way", [late, late_in_reverse, blocked, given_up, *BORROWERS], ids=lambda way: way.__name__)
@pytest.mark.parametrize("where", [no_link, hung, full, no_map, down], ids=lambda where: where.__name__)
def test_a_call_costs_no_more_because_others_have_died(
    where: Callable[[], Stage], way: Callable[[Stage, int], None]
) -> None:
    stage: Any = where()
    CALLERS.clear()

    def repeat(numbers: range) -> None:
        for number in numbers:
            way(stage, number)
        stage.ended.clear()
        stage.woken.clear()

    repeat(range(50))
    few = opcodes(lambda: repeat(range(50, 100)))
    repeat(range(100, 900))
    many = opcodes(lambda: repeat(range(900, 950)))
    assert many < 1.2 * few
    assert len(CALLERS) < 100 or where is hung, (
        "calls are kept whose callers have gone"
    )  # in flight each keeps its place
