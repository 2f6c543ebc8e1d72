"""Faults of adapters, and of what only they drive: planted one at a time, for the histories of one adapter to find.

`python -m simulation.adapters.faults` prints how many seeds each took.
"""

from __future__ import annotations

from itertools import count, islice
from typing import TYPE_CHECKING, Final, NamedTuple

import resp_asyncio._driver as on_asyncio
import resp_trio._driver as on_trio
import resp_trio._socket as trios
from resp_sansio.client.cache import ReadCache
from resp_sansio.client.crew import Crew
from resp_sansio.client.dials import Dials
from resp_sansio.client.repair import Repair
from simulation.adapters.lives import failure
from simulation.faults import OURS, Fault, planted
from simulation.script import draw

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulation.script import Script

__all__ = ["FAULTS", "MOST", "OfAdapter", "seeds_needed"]

MOST: Final = 500  # histories in which each fault must be found


class OfAdapter(NamedTuple):
    """A fault, and the adapter whose histories are to find it; `kept`: those of clients that keep what they read."""

    adapter: str
    fault: Fault
    kept: bool = False

    def scripts(self) -> Iterator[Script]:
        """Draw the histories that may show it."""
        drawn = map(draw, count())
        return (script for script in drawn if script.cached) if self.kept else drawn


FAULTS: Final = (
    OfAdapter("asyncio", Fault(
        "a cancelled call is not given up", OURS, on_asyncio.Driver, "give_up",
        "self.machine.abandon(slot, monotonic())", "pass",
    )),
    OfAdapter("asyncio", Fault(
        "a timer that has gone off is not set again", OURS, on_asyncio.Driver, "_look_at_the_time",
        "self.armed = inf", "pass",
    )),
    OfAdapter("trio", Fault(
        "no other caller reads where the one that did has left", OURS, trios.Socket, "appoint",
        "wake(successor)\n        successor.token = self", "pass",
    )),
    OfAdapter("trio", Fault(
        "a caller that leaves as it waits for a link keeps it", "coredis's lost slot", on_trio.Driver, "acquire",
        "self.machine.withdraw(waiter, current_time())", "pass",
    )),
    OfAdapter("asyncio", Fault(
        "what is kept outlives the connection that was to tell of its changes", "many a cache", Dials, "_end_link",
        "self.cache.clear()", "pass",
    ), kept=True),
    OfAdapter("trio", Fault(
        "a hit never looks whether the server has told of a change", OURS, ReadCache, "find",
        "if now >= self._look_at:", "if False:",
    ), kept=True),
    OfAdapter("threads", Fault(
        "one's own writes leave what is kept of their keys", "many a cache", ReadCache, "wrote",
        "cell.stands = False", "pass",
    ), kept=True),
    OfAdapter("threads", Fault(
        "a thread that is to do what another has left is not woken", OURS, Crew, "_call_for",
        "self._call(caller, post)", "pass",
    )),
    OfAdapter("threads", Fault(
        "those who sleep are not told that a dial is to be made", OURS, Crew, "settle",
        "if free > 0:", "if False:",
    )),
    OfAdapter("threads", Fault(
        "an interrupt as bytes move costs no link", OURS, Repair, "reconcile",
        "if link in torn or", "if",
    )),
)  # fmt: skip


def seeds_needed(planned: OfAdapter, most: int = MOST) -> int | None:
    """Return in the how manieth history the fault is found, None if it is not."""
    with planted(planned.fault):
        lived = enumerate(islice(planned.scripts(), most), 1)
        return next((number for number, script in lived if failure(planned.adapter, script) is not None), None)


if __name__ == "__main__":
    for one in FAULTS:
        print(f"| {one.fault.name} | {one.adapter} | {seeds_needed(one)} |", flush=True)
