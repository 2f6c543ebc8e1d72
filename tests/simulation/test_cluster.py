"""A cluster's client in simulated worlds: every history keeps the promises. `nox -s simulate` lives through many more of them."""

from __future__ import annotations

import pytest

from simulation.cluster.lives import explain, failure
from simulation.cluster.script import draw

HISTORIES = 400
PART = 50


@pytest.mark.parametrize("first", range(0, HISTORIES, PART))
def test_histories_keep_the_promises(first: int) -> None:
    for seed in range(first, first + PART):
        if failure(draw(seed)) is not None:
            pytest.fail(explain(seed))
