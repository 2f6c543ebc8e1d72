"""The whole client in simulated worlds: every history keeps the promises. `nox -s simulate` lives through many more of them."""

from __future__ import annotations

import re

import pytest

from resp_sansio import Observer
from resp_sansio.client import Observers
from resp_sansio.client.client import Client
from simulation.script import draw
from simulation.shrink import explain, failure, shrunk
from simulation.watching import observers_of
from simulation.world import World, live

HISTORIES = 2000
PART = 100
FOUND = (70_236, 95_276, 6_813_932, 4_345_482, 4_517_916)
"""Histories that have shown a fault: two whose links were dead and one was interrupted changed places; a caller whose check had
ended unheard waited for ever; a cached read that was interrupted as it was made ready to go out again had half of what it needs.
In the last two it was the world's: a reply too many stood in front of the one that was asked for."""


@pytest.mark.parametrize("first", range(0, HISTORIES, PART))
def test_histories_keep_the_promises(first: int) -> None:
    for seed in range(first, first + PART):
        if failure(draw(seed)) is not None:
            pytest.fail(explain(seed))


@pytest.mark.parametrize("seed", FOUND)
def test_what_was_found_is_mended(seed: int) -> None:
    if failure(draw(seed)) is not None:
        pytest.fail(explain(seed))


@pytest.mark.parametrize("seed", [7, 8, 9])
def test_a_history_is_its_seed(seed: int) -> None:
    one, same = live(seed), live(seed)
    assert (one.steps, one.clock.now, one.checks.answers) == (same.steps, same.clock.now, same.checks.answers)


@pytest.mark.parametrize("seed", range(3, 200, 27))
def test_observers_change_nothing(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    told: list[list[str]] = []
    for observers in (observers_of, no_observers):
        monkeypatch.setattr("simulation.driver.observers_of", observers)
        told.append([])
        World(draw(seed), trace=told[-1]).run()
    assert observers_of(seed)
    one, same = [[re.sub(r"Observed(?=Conn)| at 0x\w+", "", line) for line in lines] for lines in told]
    assert one == same


def no_observers(_: int) -> list[Observer]:
    return []


@pytest.mark.parametrize("method", ["ended", "tell"])
def test_what_an_observer_is_not_told_is_found(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    monkeypatch.setattr(Observers, method, lambda *_, **__: None)
    failures = [str(failure(draw(seed))) for seed in range(0, 200, 3)]
    assert any("was told 0 times" if method == "ended" else "connections were told" in told for told in failures)


def test_leaving_out_an_act_changes_no_other() -> None:
    script = draw(7)
    left_out = script.acts[3].number
    assert script.without({left_out}).acts == tuple(act for act in script.acts if act.number != left_out)


def test_a_history_that_fails_is_made_small_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Client, "withdraw", lambda *_: None)
    seed = next(seed for seed in range(1000) if failure(draw(seed)) is not None)
    script = shrunk(draw(seed))
    assert len(script.acts) < len(draw(seed).acts)
    assert failure(script) is not None
    told = explain(seed)
    assert f"seed {seed}" in told
    assert "what happens" in told


def test_a_history_without_a_trace_tells_nothing() -> None:
    world = World(draw(3))
    world.run()
    assert world.trace is None
    assert explain(3) == ""
