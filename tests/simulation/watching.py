"""Observers in histories: what they are told agrees with what callers were told, and with what the client counted.

One history in some has them. It is else the same as without, and that is checked as well: an observer changes nothing, and one
that raises is dropped.
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from resp_sansio import (
    CallBegan,
    CallEnded,
    CallRetried,
    ClientStats,
    LinkClosed,
    LinkOpened,
    Observer,
    Outcome,
    PoolStats,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from resp_sansio.testing import Told

__all__ = ["Raises", "Watching", "asking", "observers_of", "quiet"]

SHARE: Final = 3
"""One history in so many has an observer, and every other one of these another one, which raises."""

asking: ContextVar[tuple[int, ...]] = ContextVar("asking", default=())
"""The numbers of the commands of the call that this caller is about to make; none if they are not followed."""


class Watched:
    """What was told of one call."""

    def __init__(self, call: CallBegan) -> None:
        self.call = call
        self.numbers = asking.get()
        self.retries: list[CallRetried] = []
        self.ended: list[CallEnded] = []


class Watching(Observer):
    """Keeps what it is told, and looks at it at the end: what it raises before would be an observer's own affair."""

    def __init__(self) -> None:
        self.calls: list[Watched] = []
        self.opened: list[LinkOpened] = []
        self.closed: list[LinkClosed] = []

    def call_began(self, call: CallBegan) -> object:
        self.calls.append(Watched(call))
        return self.calls[-1]

    def call_retried(self, retry: CallRetried, token: Any) -> None:
        token.retries.append(retry)

    def call_ended(self, call: CallEnded, token: Any) -> None:
        token.ended.append(call)

    def link_opened(self, link: LinkOpened) -> None:
        self.opened.append(link)

    def link_closed(self, link: LinkClosed) -> None:
        self.closed.append(link)

    def agree(self, told: Mapping[int, Told], *, strikes: int = 0, torn: bool = False, uncounted: bool = False) -> None:
        """Each call ended once, as its caller was told. Each of the strikes may have cost the telling of one end.

        `torn`: an interrupt may have struck in the midst of a retry, and cost the telling of that. `uncounted`: there may be more
        retries than the policy counts.
        """
        unheard = [watched for watched in self.calls if not watched.ended]
        assert len(unheard) <= strikes, f"the end of {unheard[0].call} was told 0 times"
        for watched in self.calls:
            if not watched.ended:
                continue
            assert len(watched.ended) == 1, f"the end of {watched.call} was told {len(watched.ended)} times"
            end = watched.ended[0]
            assert (end.command, end.commands) == (watched.call.command, watched.call.commands)
            retried = end.attempts - 1
            times = len(watched.retries)
            told_all = times == retried or (torn and times < retried) or (uncounted and times > retried)
            assert told_all, f"{end}: {times} retries were told"
            network = (
                0.0 if uncounted or end.network is None else end.network
            )  # of a call in parts, it is that of several
            assert 0 <= end.queued <= end.total >= end.total - end.queued >= network - 1e-9 >= -1e-9, end
            assert (end.network is None) == (end.bytes_sent is None), end
            outcomes = [told[number].outcome for number in watched.numbers if number in told]
            if outcomes and None not in outcomes:  # else the caller has gone, and was told nothing
                worst = next((outcome for outcome in outcomes if outcome is not Outcome.REPLY), Outcome.REPLY)
                unsent = end.command == "MULTI" and worst is Outcome.NOT_SENT  # without EXEC nothing runs
                cut = torn and end.outcome is Outcome.MAYBE_EXECUTED  # when all of its replies had come
                assert end.outcome is worst or unsent or cut, f"{end} is told, and {worst} to its caller"

    def counts(self, stats: object, *, more: bool = False) -> None:
        """At the end each connection was opened once, and closed once; and these are the client's own counts.

        `more`: there were calls that no caller waited for, and no observer was told of.
        """
        opened, closed = [[link.number for link in links] for links in (self.opened, self.closed)]
        assert sorted(opened) == sorted(closed), f"opened: {opened}, closed: {closed}"
        assert len(set(opened)) == len(opened), opened
        if isinstance(stats, ClientStats | PoolStats):
            retries = sum([len(watched.retries) for watched in self.calls])
            same = retries == stats.retries or (more and retries < stats.retries)
            assert same, f"{retries} retries were told, and {stats.retries} made"
            leases = stats if isinstance(stats, PoolStats) else stats.leases
            lanes = stats.lanes if isinstance(stats, ClientStats) else ()
            created = sum([lane.created for lane in lanes]) + (0 if leases is None else leases.created)
            created += 0 if stats.subscriptions is None else stats.subscriptions.created
            assert len(opened) == created, f"{len(opened)} connections were told, and {created} opened"

    def forget(self) -> None:
        """The callers of those that are under way are not there any more, as in the child of a fork."""
        self.calls = [watched for watched in self.calls if watched.ended]


class Raises(Observer):
    """Raises at the so-many-th fact, and is to be told nothing more."""

    def __init__(self, after: int) -> None:
        self.left = after

    def _tell(self, *_: object) -> None:
        self.left -= 1
        assert self.left > 0, "from an observer"

    def __getattribute__(self, name: str) -> Any:
        return self._tell if hasattr(Observer, name) and not name.startswith("_") else super().__getattribute__(name)


@contextmanager
def quiet() -> Iterator[None]:
    """Be silent about those that raise."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*from an observer$", RuntimeWarning)
        yield


def observers_of(seed: int) -> list[Observer]:
    """Return the observers of this history: the one that watches first, if there are any."""
    if seed % SHARE:
        return []
    return [Watching(), Raises(1 + seed // SHARE % 50)] if seed // SHARE % 2 else [Watching()]
