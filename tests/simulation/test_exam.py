"""The exam of the simulation: faults that were made before, planted one at a time, are found within a bounded number of seeds.

Those of the parser and of pairing have an exam of their own, `tests/core/wire/test_planted_faults.py`.
"""

from __future__ import annotations

import pytest

from simulation.faults import FAULTS, MOST, Fault, seeds_needed


@pytest.mark.exam
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_found(fault: Fault) -> None:
    needed = seeds_needed(fault)
    assert needed is not None, f"no history of {MOST} shows it"
    print(f"{fault.name} ({fault.where}): {needed} seeds")
