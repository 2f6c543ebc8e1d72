"""Messages of 64 bytes of one channel, delivered to one subscriber: messages per second, and CPU time of the client for each.

    PYTHONPATH=.:adapters:tests python -m benchmarks.pubsub_bench
    PYTHONPATH=.:adapters:tests python -m benchmarks.pubsub_bench --fan-in 4 --rate 100000

The client is on one CPU, the server and the publisher on another. Where the publisher is slower than the client, the CPU time says
more than the rate. Clients take turns, each in a process of its own; the best round of each counts.

With `--fan-in` so many publishers each keep a part of the rate, and our own clients read: how many messages a second came, how many
were lost, and which part of one CPU that took.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
from time import perf_counter, process_time, sleep
from typing import TYPE_CHECKING, Any, Final

from servers import Server

if TYPE_CHECKING:
    from collections.abc import Callable

MESSAGES: Final = 200_000
ONE: Final = "for _ = 1, ARGV[1] do redis.call('PUBLISH', 'ch', ARGV[2]) end"


class Measured:
    """From the first message to the last."""

    def __init__(self) -> None:
        self.count = self.lost = 0
        self.began = (0.0, 0.0)

    def got(self, messages: int) -> bool:
        """So many more have come; were they the last?"""
        if not self.count:
            self.began = perf_counter(), process_time()
        self.count += messages
        return self.count >= MESSAGES

    def missing(self, messages: int) -> None:
        """So many are lost for good; the reader waits for the others."""
        self.lost += messages
        self.count += messages

    def result(self) -> tuple[float, float]:
        """Messages per second, and microseconds of CPU for each."""
        wall, cpu = perf_counter() - self.began[0], process_time() - self.began[1]
        return MESSAGES / wall, cpu / MESSAGES * 1e6


def publisher(url: str) -> subprocess.Popen[bytes]:
    """Publish all of them, a thousand by each script, on the other CPU."""
    words = [sys.executable, "-m", "benchmarks.pubsub_bench", "--publish", "--url", url]
    return subprocess.Popen(words)


def publish(url: str) -> None:
    """Do so."""
    import resp_sync

    os.sched_setaffinity(0, {0})
    with resp_sync.Client(url) as client:
        while not client.pubsub_numsub("ch")[b"ch"]:
            pass
        for _ in range(0, MESSAGES, 1000):
            client.execute("EVAL", ONE, 0, 1000, b"x" * 64)


def publish_at(url: str, rate: float, count: int) -> None:
    """Publish so many at this rate: a hundredth of a second's by each script, or all that are late."""
    import resp_sync

    with resp_sync.Client(url) as client:
        while not client.pubsub_numsub("ch")[b"ch"]:
            pass
        began, sent = perf_counter(), 0
        while sent < count:
            due = min(int((perf_counter() - began) * rate), count) - sent
            if due:
                client.execute("EVAL", ONE, 0, due, b"x" * 64)
                sent += due
            sleep(0.01)


def fan_in(name: str, url: str, publishers: int, rate: float) -> tuple[float, int, float]:
    """Messages per second, how many were lost, and which part of one CPU the client took."""
    each = MESSAGES // publishers
    words = [sys.executable, "-m", "benchmarks.pubsub_bench", "--publish", "--url", url]
    words += ["--rate", str(rate / publishers), "--count", str(each)]
    measured, running = Measured(), [subprocess.Popen(words) for _ in range(publishers)]
    try:
        FAN_IN[name](url, measured)
    finally:
        for one in running:
            one.wait()
    came, cpu = measured.result()
    return came, measured.lost, cpu * came / 1e6


def ours(url: str, measured: Measured) -> None:
    """By resp_sync."""
    import resp_sync

    with resp_sync.Client(url) as client, client.subscribe("ch") as messages, publisher(url):
        for _ in messages:
            if measured.got(1):
                break


def many_by_threads(url: str, measured: Measured) -> None:
    """All that is there at a time, by resp_sync."""
    import resp_sync

    with resp_sync.Client(url) as client, client.subscribe("ch") as messages:
        while not taken(messages.next_batch(timeout=60), measured):
            pass


async def many_by_tasks(client: Any, measured: Measured) -> None:
    """The same by resp_asyncio or resp_trio."""
    async with client, client.subscribe("ch") as messages:
        while not taken(await messages.next_batch(timeout=60), measured):
            pass


def taken(items: list[Any], measured: Measured) -> bool:
    """Count what came and what is lost; was that all?"""
    from resp_sansio import Gap

    gaps = [item for item in items if isinstance(item, Gap)]
    for gap in gaps:
        if gap.lost is None:
            raise RuntimeError(f"the connection was lost: {gap.why}")
        measured.missing(gap.lost)
    return measured.got(len(items) - len(gaps))


def many_by_asyncio(url: str, measured: Measured) -> None:
    """By resp_asyncio."""
    import resp_asyncio

    asyncio.run(many_by_tasks(resp_asyncio.Client(url), measured))


def many_by_trio(url: str, measured: Measured) -> None:
    """By resp_trio."""
    import trio

    import resp_trio

    trio.run(many_by_tasks, resp_trio.Client(url), measured)


async def with_tasks(client: Any, url: str, measured: Measured) -> None:
    """By resp_asyncio or resp_trio."""
    async with client, client.subscribe("ch") as messages:
        with publisher(url):
            async for _ in messages:
                if measured.got(1):
                    break


def ours_asyncio(url: str, measured: Measured) -> None:
    """By resp_asyncio."""
    import resp_asyncio

    asyncio.run(with_tasks(resp_asyncio.Client(url), url, measured))


def ours_trio(url: str, measured: Measured) -> None:
    """By resp_trio."""
    import trio

    import resp_trio

    trio.run(with_tasks, resp_trio.Client(url), url, measured)


def redis_py(url: str, measured: Measured) -> None:
    """By redis-py with hiredis, on RESP2, where it is faster."""
    import redis

    client: Any = redis.Redis.from_url(url, protocol=2)
    subscribed = client.pubsub()
    subscribed.subscribe("ch")
    with publisher(url):
        for message in subscribed.listen():
            if message["type"] == "message" and measured.got(1):
                break


def redis_py_asyncio(url: str, measured: Measured) -> None:
    """The same by its asyncio."""
    import redis.asyncio

    async def listen() -> None:
        client: Any = redis.asyncio.Redis.from_url(url, protocol=2)
        subscribed = client.pubsub()
        await subscribed.subscribe("ch")
        with publisher(url):
            async for message in subscribed.listen():
                if message["type"] == "message" and measured.got(1):
                    break

    asyncio.run(listen())


def coredis_trio(url: str, measured: Measured) -> None:
    """By coredis on trio."""
    import coredis
    import trio

    async def listen() -> None:
        client: Any = coredis.Redis.from_url(url)
        async with client, client.pubsub(channels=["ch"]) as subscribed:
            with publisher(url):
                async for message in subscribed:
                    if message["type"] == "message" and measured.got(1):
                        break

    trio.run(listen)


PEERS: Final[dict[str, Callable[[str, Measured], None]]] = {
    "resp_asyncio": ours_asyncio,
    "redis-py asyncio": redis_py_asyncio,
    "resp_sync": ours,
    "redis-py": redis_py,
    "resp_trio": ours_trio,
    "coredis trio": coredis_trio,
}


FAN_IN: Final[dict[str, Callable[[str, Measured], None]]] = {
    "resp_asyncio": many_by_asyncio,
    "resp_sync": many_by_threads,
    "resp_trio": many_by_trio,
}


def run(name: str, url: str, *more: object) -> list[float]:
    """One round of a client, in a process of its own."""
    words = [sys.executable, "-m", "benchmarks.pubsub_bench", "--peer", name, "--url", url, *map(str, more)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    figures: list[float] = json.loads(done.stdout)
    return figures


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="pubsub_bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer", choices=PEERS)
    parser.add_argument("--publish", action="store_true")
    parser.add_argument("--url", default="")
    parser.add_argument("--fan-in", type=int, default=0, help="so many publishers")
    parser.add_argument("--rate", type=float, default=0.0, help="of all of them, in messages per second")
    parser.add_argument("--count", type=int, default=0)
    given = parser.parse_args()
    if given.count:
        os.sched_setaffinity(0, {0})
        publish_at(given.url, given.rate, given.count)
    elif given.publish:
        publish(given.url)
    elif given.peer and given.fan_in:
        os.sched_setaffinity(0, {1})
        print(json.dumps(fan_in(given.peer, given.url, given.fan_in, given.rate)))
    elif given.peer:
        os.sched_setaffinity(0, {1})
        measured = Measured()
        PEERS[given.peer](given.url, measured)
        print(json.dumps(measured.result()))
    elif given.fan_in:
        with Server("--client-output-buffer-limit", "pubsub 0 0 0") as server:
            os.sched_setaffinity(server.pid, {0})
            for _ in range(given.rounds):
                for name in FAN_IN:
                    rate, lost, part = run(name, server.url, "--fan-in", given.fan_in, "--rate", given.rate)
                    print(f"{name:18} {rate:10,.0f}/s, {lost:,.0f} lost, {part:4.0%} of a CPU")
    else:
        with Server("--client-output-buffer-limit", "pubsub 0 0 0") as server:
            os.sched_setaffinity(server.pid, {0})
            rounds = [{name: run(name, server.url) for name in PEERS} for _ in range(given.rounds)]
        for name in PEERS:
            rate = max(one[name][0] for one in rounds)
            cpu = min(one[name][1] for one in rounds)
            print(f"{name:18} {rate:10,.0f}/s {cpu:8.2f} us of CPU")


if __name__ == "__main__":
    main()
