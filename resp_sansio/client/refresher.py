"""When the map of a cluster is asked for anew, and which servers are asked.

    IDLE --wanted--> DUE --begin--> ASKING --answered--> IDLE, or DUE if a reason is left
                                    ASKING --all silent--> ASKING others as well
                                    ASKING --all failed--> DUE

A reason is a MOVED, a server that can't be reached, a slot without an owner. It makes a refresh due, but a server knows no more
than it has heard: what it answers before the cluster has changed is the old map. So a refresh is due until the reasons are gone,
and reasons that come while servers are asked make it due again.

Thousands of clients have the same reason at the same moment. So each waits a random while before it asks, and longer between
refreshes the longer they bring nothing new; it asks servers that it chose by chance, two at a time, not all and not the first
of the map. If these are silent, it asks the next ones beside them: one that answers is enough. When all of those that it knows have
failed, it asks the seeds: every address may have changed.

Time and chance come as arguments.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from math import inf
from typing import Final

from .sentinel import Place

__all__ = ["Refresher"]

JITTER: Final = 0.001
"""Seconds for each server, within which clients that have the same reason at the same moment begin to ask. An answer costs as much
more as there are servers, and the more there are, the more clients they have."""

FEW: Final = 10
"""Servers from which on that time grows."""

GAPS: Final = (0.05, 0.25, 0.8, 1.0, 1.0, 1.0, 2.0, 5.0)
"""Seconds between refreshes, at most, at least a half: a fail-over takes seconds, and is to be seen soon after it has happened."""

CALM: Final = GAPS[-1]
"""Seconds without a refresh after which the gaps begin anew."""

MOST: Final = 4
"""Refreshes within a second, whatever comes back."""

AT_ONCE: Final = (2, 1)
"""Servers that are asked at the same time, by the refreshes since something was new. With two, one that does not answer costs no
time, and one that is behind can be told. The last number holds from there on: a fail-over takes long, and all clients wait for it.
"""

SILENT: Final = 1.0
"""Seconds without an answer after which others are asked as well: those that are silent may have the time of a dial, which is all
that a caller has."""

MANY: Final = 100
"""Servers from which on the answer is so long that the gaps grow with their number."""


class Refresher:
    """When to ask for the map, and which servers. Without an `interval`, only if there is a reason.

    `asking`: a round is under way. `out`: the servers that are asked and have not answered. `in_use`: to be set with each call:
    nothing is asked at intervals for a client that makes none.
    """

    __slots__ = (
        "_again", "_begun", "_due", "_ended", "_interval", "_known", "_more", "_nodes", "_not_before", "_periodic", "_random",
        "_scale", "_seeds", "_step", "_waits", "asking", "in_use", "out",
    )  # fmt: skip

    def __init__(self, interval: float | None = 60.0) -> None:
        self.asking: bool = False
        self.in_use: bool = False
        self.out: set[Place] = set()
        self._interval: float = inf if interval is None else interval
        self._known: list[Place] = []  # that may still be asked in this round
        self._seeds: list[Place] = []  # and these after them
        self._random: Callable[[], float] = float
        self._due = inf  # by a reason
        self._more = inf  # when others are asked beside those that are silent
        self._periodic = inf
        self._not_before = -inf
        self._ended = -inf
        self._begun: deque[float] = deque([-inf] * MOST, MOST)
        self._step = 0
        self._nodes = FEW
        self._scale = 1.0
        self._again = False  # a reason has come since this round began
        self._waits = False  # for a change that the last round did not bring

    def __repr__(self) -> str:
        state = f"asks {len(self.out)} servers" if self.asking else f"due at {self.next_deadline()}"
        return f"<{type(self).__name__}: {state}>"

    def wanted(self, now: float, random: float) -> None:
        """There is a reason to ask. `random` is from [0, 1); with 0 it is due at once, as for a first map."""
        if self.asking:
            self._again = True
        elif self._due == inf:
            if now >= self._ended + CALM * self._scale:
                self._step = 0
            self._due = max(now + JITTER * self._nodes * random, self._not_before)

    def next_deadline(self) -> float:
        """Return when `begin` has something to ask; while a round is under way, when `more` has."""
        if self.asking:
            return self._more if self._known or self._seeds else inf
        return min(self._due, self._periodic) if self.in_use else self._due

    def begin(
        self, now: float, candidates: Iterable[Place], seeds: Sequence[Place], random: Callable[[], float]
    ) -> list[Place]:
        """Begin a round if one is due. Return which servers are to be asked: of the candidates first, which are not suspected."""
        if self.asking or now < self.next_deadline():
            return []
        self.asking, self.in_use = True, False
        self._due, self._again = inf, False
        self._begun.append(now)
        self._random = random
        self._known = list(candidates)
        self._seeds = [seed for seed in dict.fromkeys(seeds) if seed not in self._known]
        return self._ask(now)

    def more(self, now: float) -> list[Place]:
        """Return which servers are to be asked beside those that are silent; none if it is not time yet, or none is left."""
        return self._ask(now) if self.asking and now >= self.next_deadline() else []

    def failed(self, place: Place, now: float) -> list[Place]:
        """This one gave no map that is believed. Return which are to be asked now; none if another still is, or none is left."""
        if place not in self.out:
            return []
        self.out.remove(place)
        return [] if self.out else self._ask(now)

    def answered(self, now: float, random: float, *, changed: bool, settled: bool, nodes: int) -> None:
        """A map has come, which ends the round. `settled`: no reason is left. `nodes`: how many servers it has."""
        if not self.asking:
            return
        self._nodes, self._scale = max(FEW, nodes), max(1.0, nodes / MANY)
        if changed and self._waits:
            self._step = 0  # what was waited for has come, and more may follow
        self._end(now, random, due=self._again or not settled)
        self._waits = not settled

    def reconcile(self, asked: Collection[Place], now: float) -> list[Place]:
        """An interrupt may have cut a step short. These are asked in truth: return which are to be asked now."""
        self.out.intersection_update(asked)
        return self._ask(now) if self.asking and not self.out else []

    def _ask(self, now: float) -> list[Place]:
        """Choose the next ones; if none is left, the round has failed."""
        left = self._known or self._seeds
        at_once = AT_ONCE[min(self._step, len(AT_ONCE) - 1)]
        chosen = [self._taken_from(left) for _ in range(min(at_once, len(left)))]
        self.out.update(chosen)
        self._more = now + SILENT
        if not chosen:
            self._end(now, self._random(), due=True)
            self._waits = True
        return chosen

    def _taken_from(self, left: list[Place]) -> Place:
        at = int(self._random() * len(left))
        left[at], left[-1] = left[-1], left[at]
        return left.pop()

    def _end(self, now: float, random: float, *, due: bool) -> None:
        self.out.clear()
        gap = GAPS[self._step] * self._scale * (1 + random) / 2
        self._step = min(self._step + 1, len(GAPS) - 1)
        self._not_before = max(now + gap, self._begun[0] + self._scale)
        self._due = self._not_before if due else inf
        self._periodic = now + self._interval * (3 + 2 * random) / 4
        self._ended = now
        self.asking = False
