"""One run: what is to be done, what is counted of it, and what comes out. The three I/O libraries count here alike."""

from __future__ import annotations

import itertools
import time
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeVar

from resp_sansio import ClientStats, CommandTimeoutError, Config, CrossSlotError, PoolStats, ReplyError
from resp_sansio.client import Result

from .._findings import printable
from .arrivals import schedule
from .workload import Load, Operation

__all__ = [
    "CLIENT_NAME",
    "FAILURES",
    "LIBRARIES",
    "OF_CLUSTERS",
    "PATIENCE",
    "STRATEGIES",
    "WARM_UP",
    "Case",
    "Job",
    "Meter",
    "Run",
    "connections_of",
    "server_counts",
]

Shared = TypeVar("Shared")
Single = TypeVar("Single")
Lent = TypeVar("Lent")

STRATEGIES: Final = ("pool", "connection", "pipeline", "client")
OF_CLUSTERS: Final = ("pipeline", "client")
"""Those that there are on a cluster: a pool and a single connection are for one server."""

LIBRARIES: Final = ("threads", "asyncio", "trio")

CLIENT_NAME: Final = "resp-sansio-compare"
"""By which CLIENT LIST shows the connections."""

FAILURES: Final = (ReplyError, CommandTimeoutError, CrossSlotError)
"""Errors of one operation, behind which the next may go well."""

PATIENCE: Final = 60.0
"""Seconds that the server has to tell its own figures: it is as busy as it can be."""

WARM_UP: Final = 0.05
"""Seconds of asking without a pause before anything is counted: connections are opened in them."""


class Case(NamedTuple):
    """What is compared with what: a strategy of so many callers with an I/O library."""

    library: str
    strategy: str
    callers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a process is given to do for `seconds`: to ask without a pause, or `rate` operations a second if that is not 0."""

    case: Case
    url: str
    load: Load
    pool_size: int
    batch: int
    seconds: float
    rate: float = 0.0
    seed: int = 0

    @property
    def at_a_time(self) -> int:
        """How many operations a caller puts into a pipeline; 1 where it uses none."""
        return self.batch if self.case.strategy == "pipeline" else 1

    @property
    def of_cluster(self) -> bool:
        """Is it done on a cluster?"""
        return bool(Config.from_url(self.url).cluster)

    @property
    def connections(self) -> int:
        """How many connections a pool may have: one for each caller, if that is not more than allowed."""
        return min(self.case.callers, self.pool_size)

    def made_by(
        self, client: Callable[..., Shared], connect: Callable[..., Single], pool: Callable[..., Lent]
    ) -> Shared | Single | Lent:
        """Make what the strategy is, by the names of an adapter. Calls on it are the same, whichever it is."""
        if self.case.strategy == "client" or self.of_cluster:
            return client(self.url, client_name=CLIENT_NAME)
        if self.case.strategy == "connection":
            return connect(self.url, client_name=CLIENT_NAME)
        return pool(self.url, max_size=self.connections, client_name=CLIENT_NAME)


@dataclass(slots=True, kw_only=True)
class Run:
    """What comes out of a process. Times in seconds; the server's figures are None where it does not tell them.

    `latencies` are of all operations that had a time to begin at, `small` of those among them with one of the smallest values.
    `unserved`: those of them that were given up, because they would have begun far too late.
    """

    operations: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    server_cpu: float | None = None
    server_commands: float | None = None
    server_reads: float | None = None
    connections: int = 0
    latencies: array[float] = field(default_factory=lambda: array("d"))
    small: array[float] = field(default_factory=lambda: array("d"))
    unserved: int = 0
    errors: int = 0
    error: str = ""


class Snapshot(NamedTuple):
    """All that counts, at one moment."""

    operations: int
    at: float
    cpu: float
    server: dict[str, float]


class Meter:
    """What the callers of one run do and have done. With threads, each of them writes only where no other does."""

    def __init__(self, job: Job) -> None:
        self.job: Final = job
        callers = job.case.callers
        self.streams: Final = _streams(job.load.operations(), callers)
        self.done: Final = [0] * callers
        self.errors: Final = [0] * callers
        self.error = ""
        self.stopped = False
        self.schedule: Final = schedule(job.rate, job.seconds, job.seed) if job.rate else []
        self.numbers: Final = itertools.count()
        self.late: Final = [(array("d"), array("d")) for _ in range(callers)]
        self.unserved: Final = [0] * callers
        self.start = 0.0

    def next(self, caller: int, count: int) -> list[Operation]:
        """Return the next operations of a caller."""
        stream = self.streams[caller]
        return [next(stream)] if count == 1 else list(itertools.islice(stream, count))

    def read(self, caller: int, results: Iterable[Result[Any]]) -> None:
        """Look at the results of a pipeline, of which each may be an error."""
        for result in results:
            try:
                result.result()
            except FAILURES as error:
                self.failed(caller, error)

    def failed(self, caller: int, error: ReplyError | CommandTimeoutError | CrossSlotError) -> None:
        """Count an operation that the server refused or did not answer in time. Any other error ends the run."""
        self.errors[caller] += 1
        self.error = self.error or printable(str(error))

    def due(self, count: int) -> list[float]:
        """Return the times of so many arrivals, in the order of the schedule, whichever callers take them."""
        numbers = itertools.islice(self.numbers, count)
        return [self.start + self.schedule[number] for number in numbers if number < len(self.schedule)]

    def hopeless(self, caller: int, times: list[float]) -> bool:
        """Whether these come far too late, so that they are given up and the run ends: they count with the time until now."""
        now = time.perf_counter()
        if now < self.start + 2 * self.job.seconds + 1:
            return False
        self.unserved[caller] += len(times)
        self.late[caller][0].extend(now - due for due in times)
        return True

    def answered(self, caller: int, times: list[float], asked: list[Operation]) -> None:
        """Note how long after they were due these operations were answered."""
        now = time.perf_counter()
        every, small = self.late[caller]
        for due, operation in zip(times, asked, strict=True):
            every.append(now - due)
            if operation.small:
                small.append(now - due)

    def snapshot(self, server: dict[str, float]) -> Snapshot:
        """Note all that counts, right after the server has told its part."""
        return Snapshot(sum(self.done), time.perf_counter(), time.process_time(), server)

    def run(self, before: Snapshot, after: Snapshot, connections: int) -> Run:
        """Return what has come out."""
        told = {name: after.server[name] - before.server[name] for name in before.server.keys() & after.server.keys()}
        run = Run(
            operations=after.operations - before.operations,
            seconds=after.at - before.at,
            cpu=after.cpu - before.cpu,
            server_cpu=told.get("cpu"),
            server_commands=told.get("commands"),
            server_reads=told.get("reads"),
            connections=connections,
            unserved=sum(self.unserved),
            errors=sum(self.errors),
            error=self.error,
        )
        for every, small in self.late:
            run.latencies.extend(every)
            run.small.extend(small)
        return run


def _streams(operations: list[Operation], callers: int) -> list[Iterator[Operation]]:
    """Return the operations for each caller, from another place on, again and again."""
    places = [len(operations) * caller // callers for caller in range(callers)]
    return [itertools.cycle(operations[place:] + operations[:place]) for place in places]


COUNTED: Final = {
    "used_cpu_user": "cpu",
    "used_cpu_sys": "cpu",
    "total_commands_processed": "commands",
    "total_reads_processed": "reads",
}


def server_counts(*information: object) -> dict[str, float]:
    """Return what INFO says of CPU seconds, commands and reads from sockets; nothing where it says nothing."""
    found: dict[str, float] = {}
    for text in information:
        for line in text.decode(errors="replace").splitlines() if isinstance(text, bytes) else ():
            name, _, value = line.partition(":")
            if name in COUNTED:
                found[COUNTED[name]] = found.get(COUNTED[name], 0.0) + float(value)
    return found


def connections_of(stats: object) -> int:
    """Return how many connections were opened, by what a client or a pool has counted; a single connection is one."""
    if isinstance(stats, PoolStats):
        return stats.created
    if isinstance(stats, ClientStats):
        return sum(lane.created for lane in stats.lanes) + (stats.leases.created if stats.leases else 0)
    return 1
