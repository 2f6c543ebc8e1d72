"""A soak: each adapter for a long time, on a real server, through a network that ends, resets and stalls connections.

    python -m soak 600 asyncio trio threads

Callers use a client and a pool for all that these can do, and check each reply. Memory must stay flat. When the callers have gone,
no more descriptors and tasks (or threads) may be left than when they came, except one descriptor for each connection that client
and pool tell of. Nothing may be said twice: no warning, no leak report, no log line. Each adapter is a process of its own, and so
is the network.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import random
import re
import socket
import struct
import subprocess
import sys
import threading
import time
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from operator import gt
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from resp_sansio import Outcome, RespError
from servers import Server

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["ADAPTERS", "Rest", "soak", "wrongs"]

ADAPTERS: Final = ("asyncio", "trio", "threads")
SECONDS: Final = 600.0
CALLERS: Final = 8
PAUSE: Final = 0.002  # seconds between two things that a caller does: this is no race
SAMPLES: Final = 40  # at least, in a run
MEMORY: Final = 4.0  # MiB by which it may have grown between the second and the last quarter
REST: Final = 10.0  # seconds at most until what has ended is closed, and what is dialled has opened, or not
OPTIONS: Final[dict[str, Any]] = {"timeout": 3.0, "silence_timeout": 1.0, "connect_timeout": 1.0}


# -- the network --------------------------------------------------------------------------------------------------------------


class Relay:
    """Between clients and the server: each connection lives some seconds, and then ends, is reset, or says nothing more."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._random = random.Random(1)

    async def serve(self) -> None:
        """Say at which port, and relay for as long as this process lives."""
        server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        async with server:
            await server.serve_forever()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_connection("127.0.0.1", self._port)
        copies = [asyncio.create_task(self._copy(reader, outer)), asyncio.create_task(self._copy(inner, writer))]
        await asyncio.wait(copies, timeout=0.5 + self._random.random() * 8, return_when=asyncio.FIRST_COMPLETED)
        for copy in copies:
            copy.cancel()
        how = self._random.random()
        if how < 0.3:
            await asyncio.sleep(2.0)  # nothing arrives any more
        elif how < 0.6:
            connected = writer.get_extra_info("socket")
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # end by a reset
        for each in (writer, outer):
            each.close()

    @staticmethod
    async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                target.write(data)
                await target.drain()


# -- callers ------------------------------------------------------------------------------------------------------------------


class Callers:
    """What callers do, written once for the three adapters: with resp_sync, what is awaited blocks its thread."""

    def __init__(self, client: Any, pool: Any, seconds: float) -> None:
        self.client, self.pool = client, pool
        self.until = time.monotonic() + seconds
        self.calls = 0
        self.failed: Counter[str] = Counter()
        self.surely: Counter[int] = Counter()  # what was answered, by caller
        self.perhaps: Counter[int] = Counter()

    async def live(self, number: int, pause: Callable[[], Awaitable[None]]) -> None:
        """Do one thing after the other until the time is up."""
        chance = random.Random(number)
        acts = [self.add, self.ask, self.pipeline, self.transaction, self.borrow, self.pop, self.subscribe, self.hurry]
        while time.monotonic() < self.until:
            try:
                await chance.choice(acts)(number, chance.choice([self.client, self.pool]))
            except RespError as error:
                self.failed[type(error).__name__] += 1
            self.calls += 1
            await pause()

    async def add(self, number: int, to: Any) -> None:
        """What must not run twice."""
        try:
            await to.execute("INCR", f"count:{number}")
        except RespError as error:
            self.perhaps[number] += error.outcome is Outcome.MAYBE_EXECUTED
            raise
        self.surely[number] += 1

    async def ask(self, number: int, to: Any) -> None:
        """What is one's own."""
        word = f"{number}:{self.calls}".encode()
        assert await to.execute("ECHO", word) == word

    async def pipeline(self, number: int, to: Any) -> None:
        """Several at once."""
        pipe = to.pipeline()
        words = [f"{number}:{self.calls}:{part}".encode() for part in range(20)]
        for word in words:
            pipe.execute("ECHO", word)
        assert await pipe.run() == words

    async def transaction(self, number: int, to: Any) -> None:
        """All or none."""
        pipe = to.transaction()
        pipe.execute("SET", f"own:{number}", number)
        pipe.execute("GET", f"own:{number}")
        assert await pipe.run() == ["OK", str(number).encode()]

    async def borrow(self, number: int, _: Any) -> None:
        """A connection of one's own, that is changed."""
        async with self.pool.acquire() as connection:
            await connection.execute("SELECT", 1)
            assert await connection.execute("ECHO", number) == str(number).encode()

    async def pop(self, number: int, to: Any) -> None:
        """Wait for what does not come."""
        assert await to.execute("BLPOP", f"none:{number}", "0.01") is None

    async def subscribe(self, number: int, _: Any) -> None:
        """Listen for a moment."""
        async with self.pool.acquire() as connection:
            await connection.execute("SUBSCRIBE", f"channel:{number}")
            await self.client.execute("PUBLISH", f"channel:{number}", "said")  # all of the pool's may be lent
            assert (await connection.next_push(timeout=1.0)).items[-1] == b"said"

    async def hurry(self, number: int, to: Any) -> None:
        """A reply that comes too late."""
        await to.execute("BLPOP", f"none:{number}", "0.05", timeout=0.001)


async def on_asyncio(seconds: float, url: str) -> dict[str, Any]:
    import resp_asyncio

    async def pause() -> None:
        await asyncio.sleep(PAUSE)

    async def cancelled(callers: Callers) -> None:
        while time.monotonic() < callers.until:
            with contextlib.suppress(TimeoutError, RespError):
                async with asyncio.timeout(0.01):
                    await callers.client.execute("BLPOP", "none", 1)
            await pause()

    asyncio.get_running_loop().set_exception_handler(lambda _, context: say(context.get("message")))
    async with resp_asyncio.Client(url, **OPTIONS) as client, resp_asyncio.Pool(url, max_size=4, **OPTIONS) as pool:
        callers = Callers(client, pool, seconds)
        memory, rest = Memory(seconds), Rest(client, pool, lambda: len(asyncio.all_tasks()))
        await asyncio.gather(*[callers.live(number, pause) for number in range(CALLERS)], cancelled(callers))
        await rest.look(pause)
    await rest.look(pause)
    return result(callers, memory, rest)


async def on_trio(seconds: float, url: str) -> dict[str, Any]:
    import trio

    import resp_trio

    async def pause() -> None:
        await trio.sleep(PAUSE)

    async def cancelled(callers: Callers) -> None:
        while time.monotonic() < callers.until:
            with contextlib.suppress(RespError), trio.move_on_after(0.01):
                await callers.client.execute("BLPOP", "none", 1)
            await pause()

    async def live(callers: Callers) -> None:
        async with trio.open_nursery() as nursery:
            for number in range(CALLERS):
                nursery.start_soon(callers.live, number, pause)
            nursery.start_soon(cancelled, callers)

    async with resp_trio.Client(url, **OPTIONS) as client, resp_trio.Pool(url, max_size=4, **OPTIONS) as pool:
        callers = Callers(client, pool, seconds)
        memory, rest = Memory(seconds), Rest(client, pool, lambda: trio.lowlevel.current_statistics().tasks_living)
        await live(callers)
        await rest.look(pause)
    await rest.look(pause)
    return result(callers, memory, rest)


def on_threads(seconds: float, url: str) -> dict[str, Any]:
    import resp_sync
    from simulation.adapters.on_threads import Blocking, drive

    async def pause() -> None:
        time.sleep(PAUSE)  # noqa: ASYNC251  # this thread is the caller's own

    async def come_by() -> None:
        """A dial that a thread has left under way is ended by one that comes later."""
        for each in (client, pool):
            with contextlib.suppress(RespError):
                each.execute("PING")
        await pause()

    with resp_sync.Client(url, **OPTIONS) as client, resp_sync.Pool(url, max_size=4, **OPTIONS) as pool:
        callers = Callers(Blocking(client), Blocking(pool), seconds)
        memory, rest = Memory(seconds), Rest(client, pool, threading.active_count)
        with ThreadPoolExecutor(CALLERS) as threads:
            list(threads.map(drive, [callers.live(number, pause) for number in range(CALLERS)]))
        drive(rest.look(come_by))
    drive(rest.look(come_by))
    return result(callers, memory, rest)


# -- what is measured ---------------------------------------------------------------------------------------------------------

SAID: Final[Counter[str]] = Counter()
"""What was said, and how often; without what differs from one time to the next."""


def say(text: object) -> None:
    """Note what was said."""
    SAID[re.sub(r"0x[0-9a-f]+|\d+", "N", str(text))[:300]] += 1


class Listener(logging.Handler):
    """Log lines are said."""

    def emit(self, record: logging.LogRecord) -> None:
        say(record.getMessage())


def listen() -> None:
    """From now on, whatever is said is noted."""
    warnings.simplefilter("always")
    warnings.showwarning = lambda message, *_, **__: say(message)
    logging.getLogger().addHandler(Listener(logging.DEBUG))
    sys.unraisablehook = lambda failure: say(failure.exc_value)
    threading.excepthook = lambda failure: say(repr(failure.exc_value))


class Memory:
    """Memory in MiB, every so often."""

    def __init__(self, seconds: float) -> None:
        self._taken: list[float] = []
        self._every = min(1.0, seconds / SAMPLES)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._take, daemon=True)
        self._thread.start()

    def _take(self) -> None:
        while not self._over.wait(self._every):
            pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
            self._taken.append(pages * os.sysconf("SC_PAGE_SIZE") / 2**20)

    def end(self) -> list[float]:
        """Return how high it was in the second quarter and in the last: the first is for warming up."""
        self._over.set()
        self._thread.join()
        quarter = len(self._taken) // 4
        return [max(part) for part in (self._taken[quarter : 2 * quarter], self._taken[-quarter:])]


class Rest:
    """What there is where all is at rest: descriptors beyond those of connections, and tasks or threads."""

    def __init__(self, client: Any, pool: Any, tasks: Callable[[], int]) -> None:
        self._client, self._pool, self._tasks = client, pool, tasks
        self.seen = [self._now()]

    def _now(self) -> tuple[int, int]:
        client, pool = self._client.stats(), self._pool.stats()
        connections = sum(lane.connection is not None for lane in client.lanes) + client.leases.size + pool.size
        return len(os.listdir("/proc/self/fd")) - connections, self._tasks()

    async def look(self, pause: Callable[[], Awaitable[None]]) -> None:
        """Wait until there is no more than at first, though not for long; note what there is then."""
        give_up = time.monotonic() + REST
        while any(map(gt, now := self._now(), self.seen[0])) and time.monotonic() < give_up:
            await pause()
        self.seen.append(now)


def result(callers: Callers, memory: Memory, rest: Rest) -> dict[str, Any]:
    """What came of it all."""
    told = {name: getattr(callers, name) for name in ("calls", "failed", "surely", "perhaps")}
    descriptors, tasks = zip(*rest.seen, strict=True)
    return told | {"memory": memory.end(), "descriptors": descriptors, "tasks": tasks, "said": SAID}


def one(name: str, seconds: float, url: str) -> dict[str, Any]:
    """Soak one adapter, in this process; return what came of it."""
    listen()
    if name == "asyncio":
        return asyncio.run(on_asyncio(seconds, url))
    if name == "trio":
        import trio

        return trio.run(on_trio, seconds, url)
    return on_threads(seconds, url)


# -- the soak -----------------------------------------------------------------------------------------------------------------


def soak(name: str, seconds: float) -> tuple[dict[str, Any], list[str]]:
    """Soak one adapter, in a process of its own; return what came of it, and what is wrong with that."""
    with Server() as server:
        port = int(server.url.rpartition(":")[2])
        paths = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        python = [sys.executable, "-m", "soak"]
        with subprocess.Popen([*python, "relay", str(port)], stdout=subprocess.PIPE, env=paths) as relay:
            try:
                assert relay.stdout is not None
                url = f"redis://127.0.0.1:{int(relay.stdout.readline())}"
                command, bound = [*python, "one", name, str(seconds), url], seconds * 1.5 + 60
                done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=bound, env=paths)
            finally:
                relay.terminate()
        if done.returncode or done.stderr:
            return {}, [f"it ended by {done.returncode}: {done.stderr[-2000:]}"]
        came: dict[str, Any] = json.loads(done.stdout)
        answers = {number: server.call("GET", f"count:{number}") for number in came["surely"]}
    counted = {number: int(answer) for number, answer in answers.items() if isinstance(answer, bytes)}
    return came, wrongs(came, counted)


def wrongs(came: dict[str, Any], counted: dict[str, int]) -> list[str]:
    """What is wrong with what came of a soak, and with the increments that the server has counted for each caller."""
    wrong = [f"said {times} times: {text}" for text, times in came["said"].items() if times > 1]
    for number, count in counted.items():
        surely, perhaps = came["surely"][number], came["perhaps"].get(number, 0)
        if not surely <= count <= surely + perhaps:
            wrong.append(f"{surely} to {surely + perhaps} increments were told, and {count} made")
    before, after = came["memory"]
    if after > before + MEMORY:
        wrong.append(f"memory rose from {before} to {after}")
    for what in ("descriptors", "tasks"):
        before, *later = came[what]
        for when, count in zip(("open", "closed"), later, strict=True):
            if count > before:
                wrong.append(f"{count} {what} where there were {before} at first, with the clients {when}")
    return wrong


def main() -> int:
    """Soak each of the adapters that are named, for so many seconds; print a table."""
    seconds, *names = sys.argv[1:] or [str(SECONDS)]
    print("| Adapter | Seconds | Calls | Failed | Memory, MiB | Descriptors | Tasks or threads | Said |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    wrong = []
    for name in names or ADAPTERS:
        came, faults = soak(name, float(seconds))
        wrong += [f"{name}: {fault}" for fault in faults]
        if came:
            told = [
                " to ".join(f"{number:.0f}" for number in came[what]) for what in ("memory", "descriptors", "tasks")
            ]
            cells = [name, seconds, came["calls"], sum(came["failed"].values()), *told, sum(came["said"].values())]
            print(f"| {' | '.join(map(str, cells))} |", flush=True)
    print("\n".join(wrong) or "All stayed flat, and nothing was said twice.")
    return bool(wrong)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["relay", port]:
            with contextlib.suppress(KeyboardInterrupt):
                asyncio.run(Relay(int(port)).serve())
        case ["one", name, seconds, url]:
            print(json.dumps(one(name, float(seconds), url)))
        case _:
            sys.exit(main())
