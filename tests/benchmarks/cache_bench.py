"""Reads that are kept, and reads that are not: beside plain reads, and beside redis-py and its cache.

    PYTHONPATH=.:adapters:tests python -m benchmarks.cache_bench

Each way of reading is a client of one process, pinned to one CPU, the server to another; they take turns, a thousand reads
each, and the median of the rounds counts. A hit costs CPU alone; a miss, which reads a key that was never read, is compared
with a plain GET. redis-py's cache wants Redis 7.4 or newer: REDIS_SERVER says where one is.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from contextlib import ExitStack, suppress
from itertools import count
from statistics import median
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any, Final

import resp_asyncio
import resp_sync
from resp_sansio import Cache
from servers import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

READS: Final = 1000

Figures = dict[str, list[tuple[float, float]]]


def timed(read: Callable[[], object]) -> tuple[float, float]:
    """Microseconds of wall and of CPU that one read takes, of a thousand."""
    wall, cpu = perf_counter(), process_time()
    for _ in range(READS):
        read()
    return (perf_counter() - wall) / READS * 1e6, (process_time() - cpu) / READS * 1e6


def of_threads(url: str, rounds: int) -> Figures:
    """resp_sync, and redis-py if it is there and can."""
    with ExitStack() as stack:
        enter = stack.enter_context
        keys = map("bench:{}".format, count())
        plain = enter(resp_sync.Client(url))
        kept = enter(resp_sync.Client(url, cache=Cache()))
        told = enter(resp_sync.Client(url, cache=Cache(prefixes=["bench:"])))
        ways: dict[str, Callable[[], object]] = {
            "resp_sync, plain GET": lambda: plain.get(next(keys)),
            "resp_sync, miss": lambda: kept.get(next(keys)),
            "resp_sync, miss with prefixes": lambda: told.get(next(keys)),
            "resp_sync, hit": lambda: kept.get("bench:key"),
        }
        ways |= dict(redis_py(url, keys))
        return turns(ways, rounds)


def turns(ways: dict[str, Callable[[], object]], rounds: int) -> Figures:
    """All of them take turns."""
    figures: Figures = {name: [] for name in ways}
    for _ in range(rounds + 1):
        for name, read in ways.items():
            figures[name].append(timed(read))
    return {name: of_one[1:] for name, of_one in figures.items()}


def redis_py(url: str, keys: Iterator[str]) -> Iterator[tuple[str, Callable[[], object]]]:
    with suppress(ImportError):
        import redis
        from redis.cache import CacheConfig

        plain: Any = redis.Redis.from_url(url, protocol=3)
        yield "redis-py, plain GET", lambda: plain.get(next(keys))
        with suppress(redis.ConnectionError):  # it refuses older servers
            kept: Any = redis.Redis.from_url(url, protocol=3, cache_config=CacheConfig(max_size=1_000_000))
            kept.get("bench:key")
            yield "redis-py, miss", lambda: kept.get(next(keys))
            yield "redis-py, hit", lambda: kept.get("bench:key")


async def of_tasks(url: str, rounds: int) -> Figures:
    """resp_asyncio."""
    keys = map("bench:{}".format, count(10**9))
    async with resp_asyncio.Client(url) as plain, resp_asyncio.Client(url, cache=Cache()) as kept:
        ways: dict[str, Callable[[], Any]] = {
            "resp_asyncio, plain GET": lambda: plain.get(next(keys)),
            "resp_asyncio, miss": lambda: kept.get(next(keys)),
            "resp_asyncio, hit": lambda: kept.get("bench:key"),
        }
        figures: Figures = {name: [] for name in ways}
        for _ in range(rounds + 1):
            for name, read in ways.items():
                wall, cpu = perf_counter(), process_time()
                for _ in range(READS):
                    await read()
                figures[name].append(((perf_counter() - wall) / READS * 1e6, (process_time() - cpu) / READS * 1e6))
    return {name: of_one[1:] for name, of_one in figures.items()}


def show(figures: Figures) -> None:
    """One line for each way, and how it is to a plain GET of the same library, round by round."""
    for name, rounds in figures.items():
        wall, cpu = (median(one[what] for one in rounds) for what in (0, 1))
        plain = figures[f"{name.partition(',')[0]}, plain GET"]
        ratio = median(one[0] / other[0] for one, other in zip(rounds, plain, strict=True))
        print(f"  {name:30} {wall:8.2f} us  {cpu:8.2f} us of CPU   {ratio:5.2f} of a plain GET")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=21)
    rounds = parser.parse_args().rounds
    cpus = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cpus[0]})
    with Server() as server:
        os.sched_setaffinity(0, {cpus[-1]})
        server.call("SET", "bench:key", os.urandom(32).hex())
        print(f"{server.product} {'.'.join(map(str, server.version))}, {rounds} rounds of {READS} reads, medians")
        show(of_threads(server.url, rounds))
        show(asyncio.run(of_tasks(server.url, rounds)))


if __name__ == "__main__":
    main()
