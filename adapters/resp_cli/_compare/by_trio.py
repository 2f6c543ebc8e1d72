"""A run with trio: a task for each caller, in one nursery."""

from __future__ import annotations

import math
import socket
from typing import Any, TypeAlias

import trio

from resp_trio import Client, Connection, Pool, connect

from .arrivals import begin
from .meter import FAILURES, PATIENCE, WARM_UP, Job, Meter, Run, Snapshot, connections_of, server_counts
from .workload import Operation

__all__ = ["run"]

Target: TypeAlias = Client | Connection | Pool


def run(job: Job, arrivals: socket.socket | None) -> Run:
    """Do the job: callers that ask without a pause, or callers that ask when operations arrive."""
    return trio.run(_run, job, arrivals)


async def _run(job: Job, arrivals: socket.socket | None) -> Run:
    meter = Meter(job)
    callers = range(job.case.callers)
    async with job.made_by(Client[bytes], connect, Pool[bytes]) as target:
        async with trio.open_nursery() as nursery:
            for caller in callers:
                nursery.start_soon(_ask_without_pause, target, meter, caller)
            await trio.sleep(WARM_UP)
            before = after = await _snapshot(target, meter)
            if not arrivals:
                await trio.sleep(job.seconds)
                after = await _snapshot(target, meter)
            meter.stopped = True
        if arrivals:
            source = trio.socket.from_stdlib_socket(arrivals)
            sender, receiver = trio.open_memory_channel[None](math.inf)
            meter.start = begin(arrivals)
            async with trio.open_nursery() as nursery:
                for caller in callers:
                    nursery.start_soon(_ask_when_due, target, meter, caller, receiver)
                with sender:
                    while arrived := await source.recv(65536):
                        for _ in arrived:
                            sender.send_nowait(None)
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


async def _ask_when_due(target: Target, meter: Meter, caller: int, arrivals: trio.MemoryReceiveChannel[None]) -> None:
    async for _ in arrivals:
        arrived = 1
        try:
            while arrived < meter.job.at_a_time:
                arrivals.receive_nowait()
                arrived += 1
        except (trio.WouldBlock, trio.EndOfChannel):
            pass
        times = meter.due(arrived)
        if not meter.hopeless(caller, times):
            asked = meter.next(caller, arrived)
            await _ask(target, meter, caller, asked)
            meter.answered(caller, times, asked)


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
