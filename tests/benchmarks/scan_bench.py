"""All of 300,000 keys by `scan_iter`, a thousand to a page, with about a microsecond of work for each: keys per second.

    PYTHONPATH=.:adapters:tests python -m benchmarks.scan_bench

The server is on one CPU and the client on another, for what is measured is how much of the one's time passes during the other's.
Clients take turns, each in a process of its own; on a busy machine the best round of each says most.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterable
from hashlib import sha1
from statistics import median
from time import perf_counter, process_time
from typing import Any, Final

from servers import Server

KEYS: Final = 300_000
COUNT: Final = 1000


def work(key: bytes) -> object:
    """What a program does with a key."""
    for _ in range(3):
        key = sha1(key, usedforsecurity=False).digest()
    return key


def nothing(key: bytes) -> object:
    """Only that it is there."""
    return key


def each(keys: Iterable[bytes], do: Any) -> int:
    """Do it for each key."""
    count = 0
    for key in keys:
        do(key)
        count += 1
    return count


async def each_of(keys: Any, do: Any) -> int:
    """The same for tasks."""
    count = 0
    async for key in keys:
        do(key)
        count += 1
    return count


def ours(url: str, do: Any) -> int:
    """By resp_sync."""
    import resp_sync

    with resp_sync.Client(url) as client:
        return each(client.scan_iter(count=COUNT), do)


def redis_py(url: str, do: Any) -> int:
    """By redis-py, with hiredis if that is there."""
    import redis

    with redis.Redis.from_url(url) as client:
        return each(client.scan_iter(count=COUNT), do)


async def ours_of_tasks(url: str, do: Any) -> int:
    """By resp_asyncio."""
    import resp_asyncio

    async with resp_asyncio.Client(url) as client:
        return await each_of(client.scan_iter(count=COUNT), do)


async def redis_py_of_tasks(url: str, do: Any) -> int:
    """By redis-py's asyncio."""
    import redis.asyncio

    async with redis.asyncio.Redis.from_url(url) as client:
        return await each_of(client.scan_iter(count=COUNT), do)


def by_asyncio(run: Callable[[str, Any], Coroutine[Any, Any, int]]) -> Callable[[str, Any], int]:
    """Return what runs it."""
    return lambda url, do: asyncio.run(run(url, do))


def ours_of_trio(url: str, do: Any) -> int:
    """By resp_trio."""
    import trio

    import resp_trio

    async def run() -> int:
        async with resp_trio.Client(url) as client:
            return await each_of(client.scan_iter(count=COUNT), do)

    return trio.run(run)


PEERS: Final[dict[str, Callable[[str, Any], int]]] = {
    "resp_sync": ours,
    "redis-py": redis_py,
    "resp_asyncio": by_asyncio(ours_of_tasks),
    "redis-py asyncio": by_asyncio(redis_py_of_tasks),
    "resp_trio": ours_of_trio,
}
THAN: Final = {"resp_sync": "redis-py", "resp_asyncio": "redis-py asyncio"}


def be_a_peer(name: str, url: str) -> None:
    """Iterate whenever a line says what is to be done with each key, and say how long that took."""
    for line in sys.stdin:
        do = work if line.strip() == "work" else nothing
        began, used = perf_counter(), process_time()
        count = PEERS[name](url, do)
        figures = ((perf_counter() - began) / count, (process_time() - used) / count)
        print(json.dumps([count, *figures]), flush=True)


def peer(name: str, url: str, cpu: int) -> subprocess.Popen[str]:
    """Return a process that is one, on that CPU."""
    words = [sys.executable, "-m", "benchmarks.scan_bench", "--peer", name, "--url", url]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    os.sched_setaffinity(process.pid, {cpu})
    return process


def ask(process: subprocess.Popen[str], what: str) -> tuple[int, float, float]:
    """Return how many keys came, and the seconds and the CPU time for each."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{what}\n")
    process.stdin.flush()
    count, wall, cpu = json.loads(process.stdout.readline())
    return count, wall, cpu


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="scan_bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=[*PEERS])
    parser.add_argument("--peer", choices=PEERS, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        be_a_peer(options.peer, options.url)
        return
    for_server, for_clients = sorted(os.sched_getaffinity(0))[:2]
    with Server() as server:
        os.sched_setaffinity(server.pid, {for_server})
        for first in range(0, KEYS, 1000):
            keys = [f"key:{number}" for number in range(first, first + 1000)]
            server.call("MSET", *[word for key in keys for word in (key, "v")])
        peers = {name: peer(name, server.url, for_clients) for name in options.peers}
        runs: dict[tuple[str, str], list[tuple[float, float]]] = {}
        for number in range(options.rounds + 1):
            for what in ("work", "nothing"):
                for name, process in peers.items():
                    count, wall, cpu = ask(process, what)
                    assert count == KEYS
                    if number:  # the first one imports
                        runs.setdefault((name, what), []).append((wall, cpu))
        for process in peers.values():
            process.communicate()
    print(f"keys/s: best (median), µs of CPU for each; {options.rounds} rounds")
    for (name, what), taken in runs.items():
        best, middle = min(wall for wall, _ in taken), median(wall for wall, _ in taken)
        line = (
            f"{name:17} {what:8} {1e-3 / best:6.0f}k ({1e-3 / middle:.0f}k) {min(cpu for _, cpu in taken) * 1e6:5.2f}"
        )
        if THAN.get(name) in options.peers:
            others = runs[THAN[name], what]
            times = [min(wall for wall, _ in others) / best, median(wall for wall, _ in others) / middle]
            line += f"   {times[0]:.2f} ({times[1]:.2f}) times {THAN[name]}'s"
        print(line)


if __name__ == "__main__":
    main()
