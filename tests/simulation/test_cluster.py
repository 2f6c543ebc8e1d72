"""A cluster's client in simulated worlds: every history keeps the promises. `nox -s simulate` lives through many more of them."""

from __future__ import annotations

import re

import pytest

from simulation.cluster.faults import FAULTS, MOST, is_found
from simulation.cluster.lives import explain, failure
from simulation.cluster.script import ClusterScript, basis, draw
from simulation.cluster.world import ClusterWorld
from simulation.faults import Fault, planted

HISTORIES = 250
PART = 50
FOUND = (
    basis(21_105),  # a call that went on elsewhere ended by its deadline at the server that had sent it on, too
    draw(435),  # a subscriber waited for ever for what had come as an interrupt struck
    draw(61_092),  # who read behind ASK what was to be kept was given the answer to another command
    draw(82_492),  # who waited for another's read waited for ever when that had gone on behind ASK, and its caller left
    draw(20_184),  # a server that gave slots away, and was said to have them, kept their channels subscribed to
    draw(30_132),  # the same
    draw(20_919),  # an interrupt struck a subscriber that was told of a fork, and no thread looked at the client again
    draw(23_817),  # a call followed what one MOVED had said, and came there as another one had been heard
    draw(22_075),  # a server took the rest of what it had sent on in part, and that part had no time to come again
    draw(32_360),  # a server that a caller had named, and no map had, was kept, and dialled for ever
)
"""Histories that have shown a fault."""


@pytest.mark.parametrize("first", range(0, HISTORIES, PART))
def test_histories_keep_the_promises(first: int) -> None:
    for seed in range(first, first + PART):
        if failure(draw(seed)) is not None:
            pytest.fail(explain(seed))


@pytest.mark.parametrize("script", FOUND, ids=lambda script: script.seed)
def test_what_was_found_is_mended(script: ClusterScript) -> None:
    assert failure(script) is None


@pytest.mark.parametrize("seed", [7, 8, 9])
def test_a_history_is_its_seed(seed: int) -> None:
    lived = [ClusterWorld(draw(seed), trace=[]) for _ in range(2)]
    for world in lived:
        world.run()
    one, same = lived
    assert one.trace is not None
    assert same.trace is not None
    assert [without_ids(line) for line in one.trace] == [without_ids(line) for line in same.trace]


def without_ids(line: str) -> str:
    return re.sub(r" at 0x\w+", "", line)


@pytest.mark.exam
@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # of callers in histories that have failed
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_found(fault: Fault) -> None:
    assert is_found(fault), f"no history of {MOST} shows it"


def test_a_history_that_fails_is_made_small_and_told() -> None:
    with planted(FAULTS[0]):
        seed = next(seed for seed in range(MOST) if failure(draw(seed)) is not None)
        told = explain(seed)
    assert f"seed {seed}" in told
    assert "what happens:" in told
    assert explain(seed) == ""
