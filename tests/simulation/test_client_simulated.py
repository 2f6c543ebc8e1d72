"""The whole client in simulated worlds: every history keeps the promises, and faults that are planted are found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from resp_sansio import LocalProtocolError, Slot, SlotState
from resp_sansio.client import Client, Link
from resp_sansio.client.links import Lane
from resp_sansio.client.pool import Pool
from simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

HISTORIES = 1000
PART = 100
ENOUGH = 600  # histories in which each planted fault must be found


def live(seed: int) -> None:
    world = World(seed)
    try:
        world.run()
    except AssertionError as error:
        error.add_note(f"seed {seed}, mode {world.mode}, at {world.now:.3f} s")
        raise


@pytest.mark.parametrize("first", range(0, HISTORIES, PART))
def test_histories_keep_the_promises(first: int) -> None:
    for seed in range(first, first + PART):
        live(seed)


def test_a_history_is_its_seed() -> None:
    one, same = World(7), World(7)
    one.run()
    same.run()
    assert (one.steps, one.now, len(one.ended)) == (same.steps, same.now, len(same.ended))


# -- planted faults ----------------------------------------------------------------------------------------------------------

EMPTY, ABANDON, FINISH = Lane.empty, Client.abandon, Client._finish


def goes_on_while_it_pauses(self: Client, slot: Slot, now: float) -> None:
    """A call that pauses is abandoned, and tried again all the same."""
    if slot in self._pausing:
        slot.settle(SlotState.WITHDRAWN, 0)
    else:
        ABANDON(self, slot, now)


def never_dials_again(self: Client) -> None:
    """No dial follows one that was given up or failed."""


def loses_those_who_wait(self: Lane) -> list[Any]:
    """Of those who waited for a lane, the fourth and all others are forgotten when it opens."""
    return EMPTY(self)[:3]


def keeps_the_lease(self: Client, slot: Slot, failure: Exception | None, now: float) -> None:
    """A call that times out keeps its lease."""
    if failure is not None and slot.call is not None:
        slot.call.lease = None
    FINISH(self, slot, failure, now)


def forgets_a_waiter(self: Pool[Any], waiter: Any, now: float) -> None:
    """A waiter that goes stays in the queue."""


def never_looks_at_the_time(self: Client, link: Link, due: float) -> None:
    """A link's deadlines are forgotten."""


def wakes_no_call(self: Client, slot: Slot, now: float) -> None:
    """A pause that ends is forgotten."""


PLANTED: dict[str, tuple[type, str, Callable[..., Any]]] = {
    "goes on while it pauses": (Client, "abandon", goes_on_while_it_pauses),
    "never dials again": (Client, "_await_pace", never_dials_again),
    "loses those who wait": (Lane, "empty", loses_those_who_wait),
    "keeps the lease": (Client, "_finish", keeps_the_lease),
    "forgets a waiter": (Pool, "withdraw", forgets_a_waiter),
    "never looks at the time": (Client, "_watch", never_looks_at_the_time),
    "wakes no call": (Client, "_slot_due", wakes_no_call),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_found(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, name, planted = PLANTED[fault]
    monkeypatch.setattr(owner, name, planted)
    for seed in range(ENOUGH):
        try:
            World(seed).run()
        except (AssertionError, LocalProtocolError):  # what does not hold, or what the fault itself brings about
            return
    pytest.fail(f"no history of {ENOUGH} showed it")


def test_what_may_have_run_is_not_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resp_sansio.client.retry.may_resend", lambda _slot, **_: True)
    with pytest.raises(AssertionError, match="ran 2 times"):
        live_all()


def live_all() -> None:
    for seed in range(ENOUGH):
        World(seed).run()
