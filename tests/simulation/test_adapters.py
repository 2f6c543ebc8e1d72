"""The adapters in simulated worlds: the same histories on each, through its public names, in virtual time.

`nox -s simulate` lives through many more of them.
"""

from __future__ import annotations

import gc
import warnings
from typing import TYPE_CHECKING, Final

import pytest

from simulation.adapters.faults import FAULTS, MOST, OfAdapter, seeds_needed
from simulation.adapters.lives import ADAPTERS, OF_CLUSTERS, drawn, explain, failure, history
from simulation.faults import planted
from simulation.script import draw

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulation.adapters.history import History

HISTORIES: Final = {
    "asyncio": 300, "trio": 200, "threads": 400, "cluster-asyncio": 100, "cluster-trio": 50, "cluster-threads": 100,
}  # fmt: skip
PART: Final = 50
FOUND: Final = (
    ("threads", 1959), ("threads", 2475), ("threads", 2_500_993), ("cluster-threads", 2068), ("cluster-threads", 2400),
)  # fmt: skip
"""Histories that have shown a fault: a dial that was told of twice; a socket that an interrupt left open as it was closed; a call
that outlived its deadline, while its thread waited for a socket that took no more; a thread that waited for a frozen server to open
its link, and left the other servers undialled and unread that could tell who has its slots now."""


@pytest.mark.parametrize(
    ("name", "first"), [(name, first) for name, number in HISTORIES.items() for first in range(0, number, PART)]
)
def test_an_adapter_keeps_the_promises(name: str, first: int) -> None:
    for seed in range(first, first + PART):
        if failure(name, drawn(name, seed)) is not None:
            pytest.fail(explain(name, seed))


@pytest.mark.parametrize(("name", "seed"), FOUND)
def test_what_was_found_is_mended(name: str, seed: int) -> None:
    if failure(name, drawn(name, seed)) is not None:
        pytest.fail(explain(name, seed))


@pytest.mark.parametrize("name", [*ADAPTERS, *OF_CLUSTERS])
@pytest.mark.parametrize("seed", [7, 8, 9])
def test_a_history_is_its_seed(name: str, seed: int) -> None:
    lived: list[History] = []
    for _ in range(2):
        lived.append(history(name, drawn(name, seed), []))
        lived[-1].run()
    one, same = lived
    assert one.trace == same.trace
    assert one.checks.answers == same.checks.answers


@pytest.mark.parametrize("seed", range(3, 100, 27))
def test_observers_change_nothing(seed: int) -> None:
    """On asyncio: elsewhere a turn more in one place has all that follows drawn otherwise."""
    lived: list[History] = []
    for observed in (True, False):
        lived.append(ADAPTERS["asyncio"](draw(seed), []))
        lived[-1].observers = lived[-1].observers if observed else []
        lived[-1].run()
    assert lived[0].observers
    assert lived[0].trace == lived[1].trace


@pytest.fixture
def left_open() -> Iterator[None]:
    """A history that fails ends where it stands, and its client is collected without having been closed."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* was not closed", ResourceWarning)
        yield
        gc.collect()


@pytest.mark.usefixtures("left_open")
@pytest.mark.exam
@pytest.mark.parametrize("planned", FAULTS, ids=lambda planned: planned.fault.name)
def test_a_fault_of_an_adapter_is_found(planned: OfAdapter) -> None:
    assert seeds_needed(planned) is not None, f"no history of {MOST} shows it"


@pytest.mark.usefixtures("left_open")
def test_a_history_that_fails_is_made_small_and_told() -> None:
    with planted(FAULTS[1].fault):
        seed = next(seed for seed in range(MOST) if failure("asyncio", draw(seed)) is not None)
        told = explain("asyncio", seed)
    assert f"seed {seed} of asyncio" in told
    assert "what happens:" in told
    assert explain("asyncio", seed) == ""
