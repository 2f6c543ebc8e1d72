"""Throughput on a cluster of three masters: a hundred tasks that GET and SET small values in turn, the keys all over the slots.

    PYTHONPATH=.:adapters:tests python -m benchmarks.cluster_bench [--rounds 9] [--peers resp_asyncio coredis ...]
    PYTHONPATH=.:adapters:tests python -m benchmarks.cluster_bench --routing

The servers are on one CPU and the client on another. Clients take turns, each in a process of its own: quote ratios of one run,
nothing else. A round in which a call failed is left out. With `--routing`, a client of a cluster that has one master takes turns
with a plain client of the same server: what differs is what it costs to find the server of each call.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import logging
import os
import subprocess
import sys
import warnings
from math import nan
from statistics import median
from time import perf_counter, process_time
from typing import Final

from benchmarks.cluster_clients import OF_TASKS, OF_THREADS, TaskClient, ThreadClient
from benchmarks.peers_bench import pin, table
from clusters import Cluster

KEYS: Final = 3000
VALUE: Final = "v" * 32
TASKS: Final = 100
NODE_TIMEOUT: Final = 15_000  # ms, a server's default: on one CPU, nodes do not answer each other at once
CALLS: Final = 20_000  # in one round
ROUTING: Final = (("resp_sync", 1), ("resp_asyncio", 1), ("resp_asyncio", TASKS))


class Peer:
    """A client in a process of its own, on that CPU."""

    def __init__(self, name: str, url: str, cpu: int) -> None:
        words = [sys.executable, "-m", "benchmarks.cluster_bench", "--peer", name, "--url", url]
        self._process: Final = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.taken: Final[dict[int, list[tuple[float, float]]]] = {}
        pin(self._process.pid, cpu)

    def run(self, tasks: int, *, counts: bool) -> None:
        """Let it call, by so many tasks; keep the seconds and the CPU time for each call if this round counts."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{tasks}\n")
        self._process.stdin.flush()
        while not (line := self._process.stdout.readline()).startswith("["):  # what is logged stands between
            if not line:
                raise RuntimeError(f"{self._process.args!r} has ended")
        if counts and (taken := json.loads(line)):
            wall, cpu = taken
            self.taken.setdefault(tasks, []).append((wall, cpu))

    def microseconds(self, tasks: int) -> tuple[float, float]:
        """Return the medians over all rounds: how long a call took, and how much CPU time."""
        walls, cpus = zip(*self.taken.get(tasks, [(nan, nan)]), strict=True)
        return median(walls) * 1e6, median(cpus) * 1e6

    def least_cpu(self, tasks: int) -> float:
        """Return the least CPU time for a call, in microseconds: what others do on the machine only adds to it."""
        return min(cpu for _, cpu in self.taken[tasks]) * 1e6

    def end(self) -> None:
        """Wait until it has ended."""
        self._process.communicate()


async def call_by_tasks(client: TaskClient, tasks: int) -> None:
    """Share the calls among tasks."""
    numbers = iter(range(CALLS // 2))

    async def work() -> None:
        for number in numbers:
            key = f"key:{number % KEYS}"
            await client.set(key, VALUE)
            await client.get(key)

    async with asyncio.TaskGroup() as group:
        for _ in range(tasks):
            group.create_task(work())


def call_by_thread(client: ThreadClient) -> None:
    """Make all calls, one after another."""
    for number in range(CALLS // 2):
        key = f"key:{number % KEYS}"
        client.set(key, VALUE)
        client.get(key)


async def be_of_tasks(client: TaskClient, url: str) -> None:
    """Make all calls whenever a line says by how many tasks."""
    await client.open(url)
    while line := await asyncio.to_thread(sys.stdin.readline):
        began = perf_counter(), process_time()
        try:
            await call_by_tasks(client, int(line))
        except Exception as error:  # noqa: BLE001 (a peer whose default timeout is short may fail on a busy machine)
            print(error.exceptions[0] if isinstance(error, ExceptionGroup) else error, file=sys.stderr)
            print("[]", flush=True)
        else:
            report(*began)
    await client.close()


def be_of_threads(client: ThreadClient, url: str) -> None:
    """Make all calls whenever there is a line."""
    client.open(url)
    for _ in sys.stdin:
        began = perf_counter(), process_time()
        call_by_thread(client)
        report(*began)
    client.close()


def report(began: float, used: float) -> None:
    """Say how long a call took."""
    print(json.dumps([(perf_counter() - began) / CALLS, (process_time() - used) / CALLS]), flush=True)


def be_a_peer(name: str, url: str) -> None:
    """Do what lines say, and say how long one call took."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    if name in OF_TASKS:
        asyncio.run(be_of_tasks(OF_TASKS[name](), url))
    else:
        be_of_threads(OF_THREADS[name](), url)


def measure(peers: list[Peer], tasks: int, rounds: int) -> None:
    """Let them take turns. The first round of each opens connections, and does not count."""
    for number, peer in itertools.product(range(rounds + 1), peers):
        peer.run(tasks, counts=number > 0)


def throughput(names: list[str], rounds: int) -> None:
    """Compare clients."""
    for_servers, for_clients = two_cpus()
    with Cluster(3, 0) as cluster:
        cluster.on_all("CONFIG", "SET", "cluster-node-timeout", NODE_TIMEOUT)
        for node in cluster.nodes:
            pin(node.pid, for_servers)
        peers = {name: Peer(name, cluster.url, for_clients) for name in names}
        measure(list(peers.values()), TASKS, rounds)
        for peer in peers.values():
            peer.end()
    figures = {name: peer.microseconds(TASKS) for name, peer in peers.items()}
    columns = ["1000 calls/s", "µs of CPU each", "rounds"]
    rows = {
        name: dict(
            zip(columns, (f"{1e3 / wall:.1f}", f"{cpu:.1f}", str(len(peers[name].taken.get(TASKS, [])))), strict=True)
        )
        for name, (wall, cpu) in figures.items()
    }
    if (ours := figures.get("resp_asyncio")) is not None:
        columns.append("resp_asyncio is faster by")
        for name, (wall, _) in figures.items():
            rows[name][columns[-1]] = f"{wall / ours[0]:.2f}"
    table(f"{TASKS} tasks", rows, columns)


def routing(rounds: int) -> None:
    """Compare this library's client of a cluster with its plain one."""
    for_servers, for_clients = two_cpus()
    rows: dict[str, dict[str, str]] = {}
    with Cluster(1, 0) as cluster:
        pin(cluster.nodes[0].pid, for_servers)
        for name, tasks in ROUTING:
            peers = [Peer(name, url, for_clients) for url in (cluster.nodes[0].url, cluster.url)]
            measure(peers, tasks, rounds)
            plain, routed = (peer.least_cpu(tasks) for peer in peers)
            for peer in peers:
                peer.end()
            rows[f"{name}, one at a time" if tasks == 1 else f"{name}, {tasks} tasks"] = {
                "plain": f"{plain:.2f}",
                "cluster": f"{routed:.2f}",
                "more": f"{routed - plain:.2f}",
            }
    table("µs of CPU for each call", rows, ["plain", "cluster", "more"])


def two_cpus() -> tuple[int, int]:
    """Return one for the servers and one for the clients."""
    first, second = sorted(os.sched_getaffinity(0))[:2]
    return first, second


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(
        prog="cluster_bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--peers", nargs="+", choices=OF_TASKS, default=[*OF_TASKS])
    parser.add_argument(
        "--routing", action="store_true", help="what a call of this library's costs more than on one server"
    )
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        be_a_peer(options.peer, options.url)
    elif options.routing:
        routing(options.rounds)
    else:
        throughput(options.peers, options.rounds)


if __name__ == "__main__":
    main()
