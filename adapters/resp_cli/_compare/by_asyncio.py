"""A run with asyncio: a task for each caller, on one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any, TypeAlias

from resp_asyncio import Client, Connection, Pool, connect

from .arrivals import begin
from .meter import FAILURES, PATIENCE, WARM_UP, Job, Meter, Run, Snapshot, connections_of, server_counts
from .workload import Operation

__all__ = ["run"]

Target: TypeAlias = Client | Connection | Pool
Arrivals: TypeAlias = "asyncio.Queue[None]"


def run(job: Job, arrivals: socket.socket | None) -> Run:
    """Do the job: callers that ask without a pause, or callers that ask when operations arrive."""
    return asyncio.run(_run(job, arrivals))


async def _run(job: Job, arrivals: socket.socket | None) -> Run:
    meter = Meter(job)
    callers = range(job.case.callers)
    async with job.made_by(Client[bytes], connect, Pool[bytes]) as target:
        async with asyncio.TaskGroup() as group:
            for caller in callers:
                group.create_task(_ask_without_pause(target, meter, caller))
            await asyncio.sleep(WARM_UP)
            before = after = await _snapshot(target, meter)
            if not arrivals:
                await asyncio.sleep(job.seconds)
                after = await _snapshot(target, meter)
            meter.stopped = True
        if arrivals:
            arrivals.setblocking(False)
            queue: Arrivals = asyncio.Queue()
            meter.start = begin(arrivals)
            async with asyncio.TaskGroup() as group:
                waiting = [group.create_task(_ask_when_due(target, meter, caller, queue)) for caller in callers]
                while arrived := await asyncio.get_running_loop().sock_recv(arrivals, 65536):
                    for _ in arrived:
                        queue.put_nowait(None)
                await queue.join()
                for task in waiting:
                    task.cancel()
        return meter.run(before, after, connections_of(target.stats()))


async def _snapshot(target: Target, meter: Meter) -> Snapshot:
    servers: list[Any] = [target]
    if isinstance(target, Client) and meter.job.of_cluster:
        servers = [node for node in await target.nodes() if node.is_master]
    told = [await one.execute("INFO", section, timeout=PATIENCE) for one in servers for section in ("cpu", "stats")]
    return meter.snapshot(server_counts(*told))


async def _ask_without_pause(target: Target, meter: Meter, caller: int) -> None:
    count = meter.job.at_a_time
    while not meter.stopped:
        await _ask(target, meter, caller, meter.next(caller, count))
        meter.done[caller] += count


async def _ask_when_due(target: Target, meter: Meter, caller: int, queue: Arrivals) -> None:
    while True:
        await queue.get()
        arrived = 1
        with contextlib.suppress(asyncio.QueueEmpty):
            while arrived < meter.job.at_a_time:
                queue.get_nowait()
                arrived += 1
        times = meter.due(arrived)
        if not meter.hopeless(caller, times):
            asked = meter.next(caller, arrived)
            await _ask(target, meter, caller, asked)
            meter.answered(caller, times, asked)
        for _ in times:
            queue.task_done()


async def _ask(target: Target, meter: Meter, caller: int, asked: list[Operation]) -> None:
    try:
        if meter.job.at_a_time == 1:
            await target.execute(*asked[0].words)
            return
        async with target.pipeline() as pipe:
            results = [pipe.execute(*operation.words) for operation in asked]
    except FAILURES as error:
        meter.failed(caller, error)
        return
    meter.read(caller, results)
