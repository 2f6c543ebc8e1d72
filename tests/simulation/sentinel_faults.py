"""Faults of a client behind sentinels, each as a small change of one function; to be planted one at a time: `simulation.faults`."""

from __future__ import annotations

from typing import Final

from resp_sansio.client.news import News
from resp_sansio.client.sentinel import Search
from simulation.faults import OURS, Fault, planted
from simulation.sentinels import failure

__all__ = ["FAULTS", "MOST", "seeds_needed"]

MOST: Final = 300  # histories in which each fault must be found

FAULTS: Final = (
    Fault(
        "a sentinel that is behind is believed", "many a client",
        Search, "answered", "if is_lower(said.epoch, self._directory.epoch) or self._is_contradicted(said):", "if False:",
    ),
    Fault(
        "a master that was deposed while its answer was on its way is used", OURS,
        Search, "is_outdated", "return switched or is_lower(self._bar, known.epoch)", "return False",
    ),
    Fault(
        "a switch that a sentinel tells of leaves the links to the old master", "many a client",
        News, "_heard", "self.retire(now)", "pass",
    ),
    Fault(
        "what a sentinel knows as it is heard first is passed over", OURS,
        News, "_news_told", "self.retire(now)", "pass",
    ),
    Fault(
        "a sentinel that is lost is not replaced by another", OURS,
        News, "_news_ended", "if source in self._news:", "if False:",
    ),
)  # fmt: skip


def seeds_needed(fault: Fault, most: int = MOST) -> int | None:
    """Return in the how manieth history the fault is found, None if it is not."""
    with planted(fault):
        return next((seed + 1 for seed in range(most) if failure(seed) is not None), None)


if __name__ == "__main__":
    for one in FAULTS:
        print(f"| {one.name} | {one.where} | {seeds_needed(one)} |", flush=True)
