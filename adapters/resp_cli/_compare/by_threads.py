"""A run with threads and blocking sockets: a thread for each caller."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

from resp_sync import Client, Connection, Pool, connect

from .arrivals import begin
from .meter import FAILURES, PATIENCE, WARM_UP, Job, Meter, Run, Snapshot, connections_of, server_counts
from .workload import Operation

__all__ = ["run"]

Target: TypeAlias = Client | Connection | Pool


def run(job: Job, arrivals: socket.socket | None) -> Run:
    """Do the job: callers that ask without a pause, or callers that ask when operations arrive."""
    meter = Meter(job)
    callers = range(job.case.callers)
    with job.made_by(Client[bytes], connect, Pool[bytes]) as target, ThreadPoolExecutor(job.case.callers) as threads:
        busy = [threads.submit(_ask_without_pause, target, meter, caller) for caller in callers]
        try:
            time.sleep(WARM_UP)
            before = after = _snapshot(target, meter)
            if not arrivals:
                time.sleep(job.seconds)
                after = _snapshot(target, meter)
        finally:
            meter.stopped = True
        for each in busy:
            each.result()
        if arrivals:
            meter.start = begin(arrivals)
            for each in [threads.submit(_ask_when_due, target, meter, caller, arrivals) for caller in callers]:
                each.result()
        return meter.run(before, after, connections_of(target.stats()))


def _snapshot(target: Target, meter: Meter) -> Snapshot:
    servers: list[Any] = [target]
    if isinstance(target, Client) and meter.job.of_cluster:
        servers = [node for node in target.nodes() if node.is_master]
    told = [one.execute("INFO", section, timeout=PATIENCE) for one in servers for section in ("cpu", "stats")]
    return meter.snapshot(server_counts(*told))


def _ask_without_pause(target: Target, meter: Meter, caller: int) -> None:
    count = meter.job.at_a_time
    while not meter.stopped:
        _ask(target, meter, caller, meter.next(caller, count))
        meter.done[caller] += count


def _ask_when_due(target: Target, meter: Meter, caller: int, arrivals: socket.socket) -> None:
    while arrived := arrivals.recv(meter.job.at_a_time):
        times = meter.due(len(arrived))
        if not meter.hopeless(caller, times):
            asked = meter.next(caller, len(times))
            _ask(target, meter, caller, asked)
            meter.answered(caller, times, asked)


def _ask(target: Target, meter: Meter, caller: int, asked: list[Operation]) -> None:
    try:
        if meter.job.at_a_time == 1:
            target.execute(*asked[0].words)
            return
        with target.pipeline() as pipe:
            results = [pipe.execute(*operation.words) for operation in asked]
    except FAILURES as error:
        meter.failed(caller, error)
        return
    meter.read(caller, results)
