"""What a server says of itself at one moment, read out of its replies. Pure: replies in, a snapshot out.

What a user may not ask is None, and `refused` says by which error. A slow command's arguments are counted, never kept: they are
other programs' data, and may be secrets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from resp_sansio import Reply, ReplyError

from .._findings import printable
from .._info import MOST, count, read_info

__all__ = ["QUESTIONS", "Event", "Session", "Slow", "Snapshot", "read_snapshot"]

SLOWEST: Final = 8
"""So many entries of the slow log are asked for, the newest first."""

QUESTIONS: Final[Mapping[str, Sequence[str]]] = {
    "info": ("INFO", "all"),
    "clients": ("CLIENT", "LIST"),
    "slow": ("SLOWLOG", "GET", str(SLOWEST)),
    "latency": ("LATENCY", "LATEST"),
}
"""What is asked for one snapshot, in one pipeline."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """One connection of the server's: its number, its client's library, and what it does. `idle` and `age` in seconds."""

    id: int
    library: str
    idle: int = 0
    age: int = 0
    memory: int = 0
    blocked: bool = False
    subscribed: bool = False


@dataclass(frozen=True, kw_only=True)
class Slow:
    """An entry of the slow log: how long it ran, when (in seconds since 1970), and the name of its client, if it has one."""

    id: int
    at: int
    seconds: float
    command: str
    arguments: int
    client: str = ""


@dataclass(frozen=True, kw_only=True)
class Event:
    """An event of the latency monitor, its latest and its longest, in seconds."""

    name: str
    at: int
    latest: float
    longest: float


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A server at one moment: `at` by a clock that only goes forward, `round_trip` how long asking took; both in seconds."""

    at: float
    round_trip: float
    info: Mapping[str, str] = field(default_factory=dict)
    sessions: Sequence[Session] | None = None
    slow: Sequence[Slow] | None = None
    events: Sequence[Event] | None = None
    refused: Mapping[str, str] = field(default_factory=dict)


def read_snapshot(
    replies: Mapping[str, Reply | ReplyError], *, at: float, round_trip: float, own: int | None
) -> Snapshot:
    """Read the answers to `QUESTIONS`, of which some may be errors; the session with the number `own` is left out."""
    refused = {name: printable(reply.code) for name, reply in replies.items() if isinstance(reply, ReplyError)}
    info = read_info(_text(replies.get("info")))
    sessions: list[Session] | None = None
    slow: list[Slow] | None = None
    events: list[Event] | None = None
    if isinstance(listed := replies.get("clients"), bytes):
        sessions = [_session(line) for line in _text(listed).split("\n") if line]
        sessions = [session for session in sessions if session.id != own]
    if isinstance(entries := replies.get("slow"), list):
        slow = [read for entry in entries if (read := _slow(entry)) is not None]
    if isinstance(entries := replies.get("latency"), list):
        events = [one for entry in entries if (one := _event(entry)) is not None]
    return Snapshot(
        at=at, round_trip=round_trip, info=info, sessions=sessions, slow=slow, events=events, refused=refused
    )


def _text(reply: Reply | ReplyError) -> str:
    return reply.decode("utf-8", "replace") if isinstance(reply, bytes) else ""


def _session(line: str) -> Session:
    fields = dict(word.partition("=")[::2] for word in line.split(" "))
    library = f"{fields.get('lib-name', '')} {fields.get('lib-ver', '')}".strip()
    flags = fields.get("flags", "")
    subscriptions = sum(count(fields, name) for name in ("sub", "psub", "ssub"))
    replica = "S" in flags or "M" in flags
    return Session(
        id=count(fields, "id"),
        library="(replication)" if replica else printable(library) or "(says nothing)",
        idle=count(fields, "idle"),
        age=count(fields, "age"),
        memory=count(fields, "tot-mem"),
        blocked="b" in flags,
        subscribed=subscriptions > 0,
    )


def _slow(entry: Reply) -> Slow | None:
    match entry:
        case [int(number), int(at), int(microseconds), [bytes(command), *arguments], *rest] if abs(microseconds) < MOST:
            client = _text(rest[1]) if len(rest) > 1 else ""
            return Slow(
                id=number,
                at=at,
                seconds=microseconds / 1e6,
                command=printable(_text(command)).upper(),
                arguments=len(arguments),
                client=printable(client),
            )
    return None


def _event(entry: Reply) -> Event | None:
    match entry:
        case [bytes(name), int(at), int(latest), int(longest), *_] if max(abs(latest), abs(longest)) < MOST:
            return Event(name=printable(_text(name)), at=at, latest=latest / 1000, longest=longest / 1000)
    return None
