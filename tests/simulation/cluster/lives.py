"""Histories of a cluster's client: whether they fail, and how."""

from __future__ import annotations

from functools import partial
from typing import Final

from simulation import shrink
from simulation.cluster.script import draw
from simulation.cluster.world import ClusterWorld

__all__ = ["explain", "failure"]

failure: Final = partial(shrink.failure, world=ClusterWorld)
"""As of a client of one server."""
explain: Final = partial(shrink.explain, draw=draw, world=ClusterWorld)
"""As of a client of one server."""

if __name__ == "__main__":
    import sys

    for given in sys.argv[1:]:
        print(explain(int(given)) or f"seed {given} keeps the promises")
