"""From two snapshots of a server to what it did in between: rates, shares, and times per command. Pure, and apart from drawing.

A server that was restarted, or whose counters were reset, has no rates until the next snapshot: they would be wrong.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from .._findings import printable
from .._info import count, mode_of, number, read_fields
from .snapshot import Event, Session, Slow, Snapshot

__all__ = ["CommandFigures", "Figures", "LibraryFigures", "figures"]

COMMAND: Final = "cmdstat_"
PERCENTILES: Final = "latency_percentiles_usec_"
ERROR: Final = "errorstat_"


@dataclass(frozen=True, kw_only=True)
class CommandFigures:
    """One command: how often per second, microseconds of the server's for each, its share of the time of all commands.

    `p50` and `p99` are the server's own, in microseconds, since it began to count.
    """

    name: str
    calls: float
    microseconds: float | None
    share: float
    failed: float
    p50: float | None
    p99: float | None


@dataclass(frozen=True, kw_only=True)
class LibraryFigures:
    """The connections of one client library: how many there are, and how many of them were opened per second.

    `memory` in bytes; `newest` is the age of the youngest, `idle` the longest silence, in seconds.
    """

    name: str
    connections: int
    opened: float | None
    blocked: int
    subscribed: int
    memory: int
    newest: int
    idle: int


@dataclass(frozen=True, kw_only=True)
class Figures:
    """A server, and what it did for `seconds`. Rates are per second, None where there is nothing to compare with.

    Sizes are in bytes, times in seconds, shares from 0 to 1. `opened` counts connections of clients; `cpu` is 1 for one processor.
    """

    server: str
    version: str
    mode: str
    role: str
    uptime: int
    seconds: float | None
    round_trip: float
    operations: float | None
    hit_rate: float | None
    opened: float | None
    rejected: float | None
    clients: int
    max_clients: int
    blocked: int
    memory: int
    memory_limit: int
    resident: int
    keys: int
    expired: float | None
    evicted: float | None
    received: float | None
    sent: float | None
    cpu: float | None
    commands: Sequence[CommandFigures] = ()
    errors: Mapping[str, float] = field(default_factory=dict)
    libraries: Sequence[LibraryFigures] | None = None
    slow: Sequence[Slow] | None = None
    events: Sequence[Event] | None = None
    refused: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return it as `json.dumps` takes it."""
        return asdict(self)


class Change:
    """How fields changed from one snapshot to the next, per second."""

    def __init__(self, before: Snapshot | None, after: Snapshot) -> None:
        self._after = after.info
        comparable = before is not None and _same_run(before.info, after.info) and after.at > before.at
        self._before: Mapping[str, str] | None = before.info if before is not None and comparable else None
        self.seconds: float | None = after.at - before.at if before is not None and comparable else None

    def of(self, *names: str) -> float | None:
        """Return how much these fields grew in all."""
        if self._before is None:
            return None
        grown = sum((number(self._after, name) or 0) - (number(self._before, name) or 0) for name in names)
        return grown if grown >= 0 else None

    def rate(self, *names: str) -> float | None:
        """Return the same per second."""
        grown = self.of(*names)
        return grown / self.seconds if grown is not None and self.seconds else None

    def parts(self, name: str) -> Mapping[str, float]:
        """Return how much each number grew in a value such as `calls=3,usec=7`; nothing if one became less."""
        if self._before is None:
            return {}
        before, after = (read_fields(info.get(name, "")) for info in (self._before, self._after))
        grown = {part: (number(after, part) or 0) - (number(before, part) or 0) for part in after}
        return grown if grown.get("calls", grown.get("count", 0)) >= 0 else {}

    @property
    def reset(self) -> bool:
        """Did a counter become less that only grows?"""
        return self._before is not None and self.of("total_connections_received") is None


def figures(before: Snapshot | None, after: Snapshot) -> Figures:
    """Return what can be said of a server, given what it said of itself earlier and now."""
    change = Change(before, after)
    if change.reset:
        change = Change(None, after)
    info = after.info
    hits, misses = change.of("keyspace_hits"), change.of("keyspace_misses")
    looked_up = (hits or 0) + (misses or 0)
    return Figures(
        server=printable(info.get("server_name", "valkey" if "valkey_version" in info else "redis")),
        version=printable(info.get("valkey_version", info.get("redis_version", "?"))),
        mode=printable(mode_of(info)),
        role={"slave": "replica"}.get(info.get("role", "?"), printable(info.get("role", "?"))),
        uptime=count(info, "uptime_in_seconds"),
        seconds=change.seconds,
        round_trip=after.round_trip,
        operations=change.rate("total_commands_processed"),
        hit_rate=(hits or 0) / looked_up if looked_up else None,
        opened=change.rate("total_connections_received"),
        rejected=change.rate("rejected_connections"),
        clients=count(info, "connected_clients"),
        max_clients=count(info, "maxclients"),
        blocked=count(info, "blocked_clients"),
        memory=count(info, "used_memory"),
        memory_limit=count(info, "maxmemory"),
        resident=count(info, "used_memory_rss"),
        keys=sum(count(read_fields(value), "keys") for name, value in info.items() if name.startswith("db")),
        expired=change.rate("expired_keys"),
        evicted=change.rate("evicted_keys"),
        received=change.rate("total_net_input_bytes"),
        sent=change.rate("total_net_output_bytes"),
        cpu=change.rate("used_cpu_sys", "used_cpu_user"),
        commands=_commands(info, change),
        errors=_errors(info, change),
        libraries=_libraries(before, after, change.seconds) if after.sessions is not None else None,
        slow=after.slow,
        events=after.events,
        refused=after.refused,
    )


def _same_run(before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    return before.get("run_id") == after.get("run_id")


def _commands(info: Mapping[str, str], change: Change) -> list[CommandFigures]:
    """Return the commands that were called in between, those first that took the most time."""
    if not change.seconds:
        return []
    grown = {name: change.parts(name) for name in info if name.startswith(COMMAND)}
    time = sum(parts.get("usec", 0) for parts in grown.values()) or 1
    found = []
    for name, parts in grown.items():
        calls, refused = parts.get("calls", 0), parts.get("rejected_calls", 0)
        if calls <= 0 and refused <= 0:
            continue
        short = name.removeprefix(COMMAND)
        percentiles = read_fields(info.get(PERCENTILES + short, ""))
        found.append(
            CommandFigures(
                name=printable(short),
                calls=calls / change.seconds,
                microseconds=parts.get("usec", 0) / calls if calls > 0 else None,
                share=parts.get("usec", 0) / time,
                failed=(parts.get("failed_calls", 0) + refused) / change.seconds,
                p50=number(percentiles, "p50"),
                p99=number(percentiles, "p99"),
            )
        )
    return sorted(found, key=lambda one: (-one.share, -one.calls, one.name))


def _errors(info: Mapping[str, str], change: Change) -> dict[str, float]:
    """Return the errors that were answered in between, by their codes, per second."""
    if not change.seconds:
        return {}
    names = [name for name in info if name.startswith(ERROR)]
    grown = {printable(name.removeprefix(ERROR)): change.parts(name).get("count", 0) / change.seconds for name in names}
    return {name: rate for name, rate in sorted(grown.items(), key=lambda one: -one[1]) if rate > 0}


def _libraries(before: Snapshot | None, after: Snapshot, seconds: float | None) -> list[LibraryFigures]:
    """Return the connections by library, those with the most first."""
    by_name: dict[str, list[Session]] = defaultdict(list)
    for session in after.sessions or ():
        by_name[session.library].append(session)
    known = {session.id for session in before.sessions or ()} if before is not None else set[int]()
    comparable = seconds and before is not None and before.sessions is not None
    found = [
        LibraryFigures(
            name=name,
            connections=len(sessions),
            opened=_count(session.id not in known for session in sessions) / seconds
            if comparable and seconds
            else None,
            blocked=_count(session.blocked for session in sessions),
            subscribed=_count(session.subscribed for session in sessions),
            memory=sum(session.memory for session in sessions),
            newest=min(session.age for session in sessions),
            idle=max(session.idle for session in sessions),
        )
        for name, sessions in by_name.items()
    ]
    return sorted(found, key=lambda one: (-one.connections, one.name))


def _count(true: Iterable[bool]) -> int:
    return sum(true)
