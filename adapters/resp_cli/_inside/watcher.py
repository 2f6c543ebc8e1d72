"""What a client in this process does: counted and timed as it tells an observer, and compared between two moments.

`Watcher` is the observer; `client_figures` is pure: what was counted at two moments in, rates and times out.
"""

from __future__ import annotations

import os
import weakref
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

from resp_sansio import (
    CallEnded,
    ClientStats,
    ConnectionStats,
    DialFailed,
    LaneStats,
    LinkClosed,
    LinkOpened,
    Observer,
    PoolStats,
    ReplyDropped,
    Stats,
    WaitEnded,
)

from .._histogram import Histogram

if TYPE_CHECKING:
    from typing import Self

__all__ = ["CallFigures", "ClientFigures", "Counted", "Watcher", "client_figures", "counted_by_itself"]

KINDS = 200
"""So many commands are counted by their names; the rest together."""
REST = "(others)"


class Calls:
    """The calls of one command."""

    __slots__ = ("errors", "network", "queued", "retries", "total")

    def __init__(self) -> None:
        self.total: Histogram = Histogram()
        self.queued: float = 0.0
        self.network: float = 0.0
        self.errors: int = 0
        self.retries: int = 0

    def copy(self) -> Calls:
        """Return what it is now."""
        copied = Calls()
        copied.total = self.total.copy()
        copied.queued, copied.network, copied.errors, copied.retries = (
            self.queued,
            self.network,
            self.errors,
            self.retries,
        )
        return copied


class Counted:
    """All that was counted up to one moment."""

    def __init__(self) -> None:
        self.calls: dict[str, Calls] = {}
        self.waits: Histogram = Histogram()
        self.opened: int = 0
        self.failed_dials: int = 0
        self.late_replies: int = 0
        self.closed: Counter[str] = Counter()
        self.last_opened: LinkOpened | None = None

    def copy(self) -> Self:
        """Return what it is now."""
        copied = type(self)()
        copied.calls = {name: calls.copy() for name, calls in self.calls.items()}
        copied.waits = self.waits.copy()
        copied.opened, copied.failed_dials, copied.late_replies = self.opened, self.failed_dials, self.late_replies
        copied.closed, copied.last_opened = self.closed.copy(), self.last_opened
        return copied


class Watcher(Observer):
    """Counts and times the calls and connections of a client, for `watch`: give it to both.

    ```python
    watcher = Watcher()
    with Client("redis://localhost", observers=[watcher]) as client, watch(client, watcher):
        ...
    ```

    It may be given to several clients, of any adapter and from any threads; then it counts them together.
    """

    def __init__(self) -> None:
        self._counted = Counted()
        self._lock = Lock()
        if hasattr(os, "register_at_fork"):
            # In the child of a fork the lock may be held for ever, by a thread that is not there.
            own = weakref.ref(self)
            os.register_at_fork(after_in_child=lambda: _unlock(own()))

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self._counted.calls)} kinds of calls>"

    def counted(self) -> Counted:
        """Return a copy of what was counted so far."""
        with self._lock:
            return self._counted.copy()

    def call_ended(self, call: CallEnded, token: object) -> None:  # noqa: ARG002
        """Count it, by its command."""
        with self._lock:
            known = self._counted.calls
            calls = known.get(call.command)
            if calls is None:
                calls = known.setdefault(call.command if len(known) < KINDS else REST, Calls())
            calls.total.add(call.total)
            calls.queued += call.queued
            calls.network += call.network or 0.0
            calls.errors += call.error is not None
            calls.retries += call.attempts - 1

    def wait_ended(self, wait: WaitEnded) -> None:
        """Count it."""
        with self._lock:
            self._counted.waits.add(wait.waited)

    def link_opened(self, link: LinkOpened) -> None:
        """Count it, and keep the last one's times."""
        with self._lock:
            self._counted.opened += 1
            self._counted.last_opened = link

    def dial_failed(self, dial: DialFailed) -> None:  # noqa: ARG002
        """Count it."""
        with self._lock:
            self._counted.failed_dials += 1

    def link_closed(self, link: LinkClosed) -> None:
        """Count it, by its reason."""
        with self._lock:
            self._counted.closed[link.reason.name] += 1

    def reply_dropped(self, reply: ReplyDropped) -> None:  # noqa: ARG002
        """Count it."""
        with self._lock:
            self._counted.late_replies += 1


def _unlock(watcher: Watcher | None) -> None:
    if watcher is not None:
        watcher._lock = Lock()


@dataclass(frozen=True, kw_only=True)
class CallFigures:
    """The calls of one command in a time: how many per second, and in seconds how long they took, and waited for what."""

    command: str
    calls: float
    errors: float
    retries: float
    p50: float | None
    p99: float | None
    queued: float | None
    network: float | None


@dataclass(frozen=True, kw_only=True)
class ClientFigures:
    """What a client did for `seconds`. Rates are per second; times are in seconds; `total` and the rest count since the beginning.

    `opening` has the seconds that each step of the last connection's opening took. `shared` has a line for each connection that
    callers share, `lent` one for those that are lent.
    """

    seconds: float
    calls: float
    errors: float
    retries: float
    late_replies: float
    opened: float
    opened_total: int
    failed_dials: float
    closed: Mapping[str, int] = field(default_factory=dict)
    opening: Mapping[str, float] = field(default_factory=dict)
    waits: float = 0.0
    wait_p99: float | None = None
    commands: Sequence[CallFigures] = ()
    shared: Sequence[str] = ()
    lent: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as `json.dumps` takes it."""
        return asdict(self)


def counted_by_itself(stats: Stats | None) -> Counted:
    """Return what a client counts of its connections without an observer."""
    counted = Counted()
    parts: list[LaneStats | PoolStats] = []
    if isinstance(stats, ClientStats):
        parts = [*stats.lanes, *([stats.leases] if stats.leases is not None else [])]
    elif isinstance(stats, PoolStats):
        parts = [stats]
    for part in parts:
        counted.opened += part.created
        counted.failed_dials += part.dial_failures
        counted.closed.update({reason.name: count for reason, count in part.closed.items()})
    return counted


def client_figures(before: Counted, after: Counted, seconds: float, stats: Stats | None) -> ClientFigures:
    """Return what a client did between two moments that are so many seconds apart, and what it counts of itself."""
    commands = [
        one
        for name, calls in after.calls.items()
        if (one := _of_command(name, before.calls.get(name, Calls()), calls, seconds)) is not None
    ]
    waits = after.waits.since(before.waits)
    opening = after.last_opened
    return ClientFigures(
        seconds=seconds,
        calls=sum(one.calls for one in commands),
        errors=sum(one.errors for one in commands),
        retries=sum(one.retries for one in commands),
        late_replies=(after.late_replies - before.late_replies) / seconds,
        opened=(after.opened - before.opened) / seconds,
        opened_total=after.opened,
        failed_dials=(after.failed_dials - before.failed_dials) / seconds,
        closed=dict(after.closed),
        opening=_steps(opening) if opening is not None else {},
        waits=len(waits) / seconds,
        wait_p99=waits.quantile(0.99),
        commands=sorted(commands, key=lambda one: (-one.calls, one.command)),
        shared=[str(lane) for lane in _shared(stats)],
        lent=_lent(stats),
    )


def _of_command(name: str, before: Calls, after: Calls, seconds: float) -> CallFigures | None:
    total = after.total.since(before.total)
    count = len(total)
    if not count:
        return None
    return CallFigures(
        command=name,
        calls=count / seconds,
        errors=(after.errors - before.errors) / seconds,
        retries=(after.retries - before.retries) / seconds,
        p50=total.quantile(0.5),
        p99=total.quantile(0.99),
        queued=(after.queued - before.queued) / count,
        network=(after.network - before.network) / count,
    )


def _steps(link: LinkOpened) -> dict[str, float]:
    told = {name: getattr(link, name) for name in ("name", "dial", "tls", "handshake", "total")}
    return {name: value for name, value in told.items() if value is not None}


def _shared(stats: Stats | None) -> Sequence[LaneStats | ConnectionStats]:
    if isinstance(stats, ClientStats):
        return stats.lanes
    return [stats] if isinstance(stats, ConnectionStats) else []


def _lent(stats: Stats | None) -> str | None:
    if isinstance(stats, PoolStats):
        return str(stats)
    return str(stats.leases) if isinstance(stats, ClientStats) and stats.leases is not None else None
