"""A client behind sentinels in simulated worlds: every history keeps the promises."""

from __future__ import annotations

import pytest

from simulation.faults import Fault, planted
from simulation.sentinel_faults import FAULTS, MOST, seeds_needed
from simulation.sentinels import explain, live, lives

HISTORIES = 60
PART = 20
FOUND = (63, 153, 225, 279)
"""Histories that have shown a fault: news came while an older answer was on its way; what one search was told of a later
fail-over, the next one did not know."""


@pytest.mark.parametrize("first", range(0, HISTORIES, PART))
def test_histories_keep_the_promises(first: int) -> None:
    for seed in range(first, first + PART):
        try:
            live(seed)
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise


@pytest.mark.parametrize("read_from", ["replica", "any"])
@pytest.mark.parametrize("first", range(0, HISTORIES, PART))
def test_histories_with_reads_at_replicas_keep_them_too(first: int, read_from: str) -> None:
    for seed in range(first, first + PART):
        try:
            live(seed, read_from)
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise


@pytest.mark.parametrize("seed", FOUND)
def test_what_was_found_is_mended(seed: int) -> None:
    live(seed)


@pytest.mark.exam
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_found(fault: Fault) -> None:
    assert seeds_needed(fault) is not None, f"no history of {MOST} shows it"


def test_a_history_that_fails_is_told() -> None:
    with planted(FAULTS[0]):
        _, failed = lives(0, 12)
        assert failed
        assert f"seed {failed[0]}" in explain(failed[0])


def test_a_history_is_its_seed() -> None:
    one, same = live(7), live(7)
    assert (one.now, one.ran, one.went) == (same.now, same.ran, same.went)
    assert len({place for places in one.ran.values() for place in places}) > 1  # there was a fail-over
