"""What crowds cost: a thousand calls that are given up, thousands of callers that wait for few connections, a pool of a thousand.

Each crowd runs in a process of its own, pinned to the server's CPU, and what counts is the least CPU of several rounds, for the
machine can only add to it. Another checkout takes turns with this one if it is named (`--than`): then quote the ratios.
Nothing here is asserted beyond that the crowd was served.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

__all__ = ["CROWDS", "crowds"]

GIVEN_UP: Final = 1000
WAITERS: Final = 10_000
THREADS: Final = 1000  # that wait: each has a stack of its own
PLACES: Final = 10
LARGE: Final = 1000
KEY: Final = "bench:crowd"


# -- the crowds ----------------------------------------------------------------------------------------------------------


class Threads:
    """On `resp_sync`. A call is given up there when its time is up."""

    def __init__(self) -> None:
        self.lib: Any = import_module("resp_sync")

    def given_up(self, url: str) -> float:
        late = self.lib.CommandTimeoutError
        with self.lib.Client(url) as client:
            client.execute("PING")
            start = time.process_time()
            for _ in range(GIVEN_UP):
                try:
                    client.execute("GET", KEY, timeout=0.0)
                except late:
                    pass
            assert client.execute("PING") == "PONG"
            return time.process_time() - start

    def waiters(self, url: str) -> float:
        served: list[object] = []
        with self.lib.Pool(url, max_size=PLACES) as pool:
            crowd = [
                threading.Thread(target=lambda: served.append(pool.execute("GET", KEY, timeout=60.0)))
                for _ in range(THREADS)
            ]
            start = time.process_time()
            for one in crowd:
                one.start()
            for one in crowd:
                one.join()
            spent = time.process_time() - start
        assert len(served) == THREADS, len(served)
        return spent

    def large(self, url: str) -> float:
        start = time.process_time()
        with self.lib.Pool(url, max_size=LARGE) as pool, ExitStack() as loans:
            for _ in range(LARGE):
                assert loans.enter_context(pool.acquire()).execute("PING") == "PONG"
        return time.process_time() - start


class Tasks:
    """On `resp_asyncio` and `resp_trio`, which differ in how a crowd is started and given up."""

    def __init__(self, name: str) -> None:
        self.lib: Any = import_module(name)
        self.run: Callable[[Callable[[], Awaitable[float]]], float] = self._asyncio
        self.crowd: Callable[[Sequence[Callable[[], Awaitable[object]]], bool], Awaitable[None]] = self._tasks
        if name == "resp_trio":
            self.run, self.crowd = import_module("trio").run, self._nursery

    @staticmethod
    def _asyncio(main: Callable[[], Awaitable[float]]) -> float:
        async def run() -> float:
            return await main()

        return asyncio.run(run())

    @staticmethod
    async def _tasks(works: Sequence[Callable[[], Awaitable[object]]], give_up: bool) -> None:
        async def one(work: Callable[[], Awaitable[object]]) -> None:
            await work()

        tasks = [asyncio.ensure_future(one(work)) for work in works]
        if give_up:
            await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=give_up)

    @staticmethod
    async def _nursery(works: Sequence[Callable[[], Awaitable[object]]], give_up: bool) -> None:
        trio = import_module("trio")

        async def one(work: Callable[[], Awaitable[object]]) -> None:
            await work()

        async with trio.open_nursery() as nursery:
            for work in works:
                nursery.start_soon(one, work)
            if give_up:
                await trio.lowlevel.checkpoint()
                nursery.cancel_scope.cancel()

    def given_up(self, url: str) -> float:
        async def main() -> float:
            async with self.lib.Client(url) as client:
                await client.execute("PING")
                start = time.process_time()
                await self.crowd([lambda: client.execute("GET", KEY)] * GIVEN_UP, True)
                assert await client.execute("PING") == "PONG"
                return time.process_time() - start

        return self.run(main)

    def waiters(self, url: str) -> float:
        async def main() -> float:
            async with self.lib.Pool(url, max_size=PLACES) as pool:
                start = time.process_time()
                await self.crowd([lambda: pool.execute("GET", KEY, timeout=60.0)] * WAITERS, False)
                return time.process_time() - start

        return self.run(main)

    def large(self, url: str) -> float:
        async def main() -> float:
            start = time.process_time()
            async with self.lib.Pool(url, max_size=LARGE) as pool:
                there, all_there = (
                    0,
                    asyncio.Event() if self.lib.__name__ == "resp_asyncio" else import_module("trio").Event(),
                )

                async def hold() -> None:
                    nonlocal there
                    async with pool.acquire(timeout=60.0) as connection:
                        assert await connection.execute("PING") == "PONG"
                        there += 1
                        if there == LARGE:
                            all_there.set()
                        await all_there.wait()

                await self.crowd([hold] * LARGE, False)
            return time.process_time() - start

        return self.run(main)


CROWDS: Final = {
    f"{adapter}, {label}": (adapter, crowd, count)
    for adapter in ("resp_sync", "resp_asyncio", "resp_trio")
    for label, crowd, count in (
        (f"{GIVEN_UP} calls given up", "given_up", GIVEN_UP),
        (f"{THREADS if adapter == 'resp_sync' else WAITERS} callers for {PLACES} connections", "waiters",
         THREADS if adapter == "resp_sync" else WAITERS),
        (f"a pool of {LARGE}, opened and closed", "large", LARGE),
    )
}  # fmt: skip


# -- measuring them --------------------------------------------------------------------------------------------------------


def crowds(url: str, labels: Sequence[str], rounds: int, cpu: int, than: Path | None) -> dict[str, dict[str, float]]:
    """Microseconds of CPU per caller, of this checkout and the other one: the least of the rounds."""
    here = Path(__file__).parents[2]
    trees = {"this one": here} | ({} if than is None else {str(than): than})
    figures: dict[str, dict[str, float]] = {}
    for label in labels:
        adapter, crowd, count = CROWDS[label]
        print(f"  {label} ...", file=sys.stderr, flush=True)
        for _ in range(rounds):
            for name, tree in trees.items():
                path = os.pathsep.join(map(str, (tree, tree / "adapters", here / "tests")))
                done = subprocess.run(
                    [sys.executable, "-m", "benchmarks.crowd_bench", adapter, crowd, url, str(cpu)],
                    env={**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"},
                    stdout=subprocess.PIPE,
                    text=True,
                    check=True,
                )
                each = json.loads(done.stdout) / count * 1e6
                row = figures.setdefault(label, {})
                row[name] = min(each, row.get(name, each))
    return figures


def main(adapter: str, crowd: str, url: str, cpu: str) -> None:
    """Be one crowd, and print the seconds of CPU that it took."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(cpu)})
    found = Threads() if adapter == "resp_sync" else Tasks(adapter)
    gc.collect()  # else it is chance whether all that was imported is looked through while the crowd is measured
    gc.freeze()
    print(json.dumps(getattr(found, crowd)(url)))


if __name__ == "__main__":
    main(*sys.argv[1:])
