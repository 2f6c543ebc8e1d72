"""A soak: each adapter for a long time, on a real server, through a network that ends, resets and stalls connections.

    python -m soak 600 asyncio trio threads

Callers use a client and a pool for all that these can do, and check each reply. Memory, descriptors and tasks (or threads) must
stay flat, and nothing may be said twice: no warning, no leak report, no log line. Each adapter is a process of its own, and so is
the network.
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
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from resp_sansio import Outcome, RespError
from servers import Server

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

__all__ = ["ADAPTERS", "soak", "wrongs"]

ADAPTERS: Final = ("asyncio", "trio", "threads")
SECONDS: Final = 600.0
CALLERS: Final = 8
PAUSE: Final = 0.002  # seconds between two things that a caller does: this is no race
SAMPLES: Final = 40  # at least, in a run
MEMORY: Final = 4.0  # MiB by which it may have grown between the second and the last quarter
MORE: Final = 4  # descriptors, tasks and threads by which there may be more
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

    def __init__(self, seconds: float) -> None:
        self.until = time.monotonic() + seconds
        self.calls = 0
        self.failed: Counter[str] = Counter()
        self.surely: Counter[int] = Counter()  # what was answered, by caller
        self.perhaps: Counter[int] = Counter()

    async def live(self, number: int, client: Any, pool: Any, pause: Callable[[], Awaitable[None]]) -> None:
        """Do one thing after the other until the time is up."""
        chance = random.Random(number)
        acts = [self.add, self.ask, self.pipeline, self.transaction, self.borrow, self.pop, self.subscribe, self.hurry]
        while time.monotonic() < self.until:
            try:
                await chance.choice(acts)(number, chance.choice([client, pool]), pool)
            except RespError as error:
                self.failed[type(error).__name__] += 1
            self.calls += 1
            await pause()

    async def add(self, number: int, to: Any, _: Any) -> None:
        """What must not run twice."""
        try:
            await to.execute("INCR", f"count:{number}")
        except RespError as error:
            self.perhaps[number] += error.outcome is Outcome.MAYBE_EXECUTED
            raise
        self.surely[number] += 1

    async def ask(self, number: int, to: Any, _: Any) -> None:
        """What is one's own."""
        word = f"{number}:{self.calls}".encode()
        assert await to.execute("ECHO", word) == word

    async def pipeline(self, number: int, to: Any, _: Any) -> None:
        """Several at once."""
        pipe = to.pipeline()
        words = [f"{number}:{self.calls}:{part}".encode() for part in range(20)]
        for word in words:
            pipe.execute("ECHO", word)
        assert await pipe.run() == words

    async def transaction(self, number: int, to: Any, _: Any) -> None:
        """All or none."""
        pipe = to.transaction()
        pipe.execute("SET", f"own:{number}", number)
        pipe.execute("GET", f"own:{number}")
        assert await pipe.run() == ["OK", str(number).encode()]

    async def borrow(self, number: int, _: Any, pool: Any) -> None:
        """A connection of one's own, that is changed."""
        async with pool.acquire() as connection:
            await connection.execute("SELECT", 1)
            assert await connection.execute("ECHO", number) == str(number).encode()

    async def pop(self, number: int, to: Any, _: Any) -> None:
        """Wait for what does not come."""
        assert await to.execute("BLPOP", f"none:{number}", "0.01") is None

    async def subscribe(self, number: int, _: Any, pool: Any) -> None:
        """Listen for a moment."""
        async with pool.acquire() as connection:
            await connection.execute("SUBSCRIBE", f"channel:{number}")
            await pool.execute("PUBLISH", f"channel:{number}", "said")
            assert (await connection.next_push(timeout=1.0)).items[-1] == b"said"

    async def hurry(self, number: int, to: Any, _: Any) -> None:
        """A reply that comes too late."""
        await to.execute("BLPOP", f"none:{number}", "0.05", timeout=0.001)


async def on_asyncio(callers: Callers, url: str) -> None:
    import resp_asyncio

    async def pause() -> None:
        await asyncio.sleep(PAUSE)

    async def cancelled(client: Any) -> None:
        while time.monotonic() < callers.until:
            with contextlib.suppress(TimeoutError, RespError):
                async with asyncio.timeout(0.01):
                    await client.execute("BLPOP", "none", 1)
            await pause()

    LOOPS.append(asyncio.get_running_loop())
    LOOPS[0].set_exception_handler(lambda _, context: say(context.get("message")))
    async with resp_asyncio.Client(url, **OPTIONS) as client, resp_asyncio.Pool(url, max_size=4, **OPTIONS) as pool:
        lives = [callers.live(number, client, pool, pause) for number in range(CALLERS)]
        await asyncio.gather(*lives, cancelled(client))


async def on_trio(callers: Callers, url: str) -> None:
    import trio

    import resp_trio

    async def pause() -> None:
        await trio.sleep(PAUSE)

    async def cancelled(client: Any) -> None:
        while time.monotonic() < callers.until:
            with contextlib.suppress(RespError), trio.move_on_after(0.01):
                await client.execute("BLPOP", "none", 1)
            await pause()

    async def live(client: Any, pool: Any) -> None:
        async with trio.open_nursery() as nursery:
            for number in range(CALLERS):
                nursery.start_soon(callers.live, number, client, pool, pause)
            nursery.start_soon(cancelled, client)

    async with resp_trio.Client(url, **OPTIONS) as client, resp_trio.Pool(url, max_size=4, **OPTIONS) as pool:
        await live(client, pool)


def on_threads(callers: Callers, url: str) -> None:
    import resp_sync
    from simulation.adapters.on_threads import Blocking, drive

    async def pause() -> None:
        time.sleep(PAUSE)  # noqa: ASYNC251  # this thread is the caller's own

    def run(work: Coroutine[Any, Any, None]) -> None:
        drive(work)

    with resp_sync.Client(url, **OPTIONS) as client, resp_sync.Pool(url, max_size=4, **OPTIONS) as pool:
        lives = [callers.live(number, Blocking(client), Blocking(pool), pause) for number in range(CALLERS)]
        threads = [threading.Thread(target=run, args=(life,)) for life in lives]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


# -- what is measured ---------------------------------------------------------------------------------------------------------

SAID: Final[Counter[str]] = Counter()
"""What was said, and how often; without what differs from one time to the next."""


LOOPS: Final[list[asyncio.AbstractEventLoop]] = []
"""The loop that asyncio's callers run on."""


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


class Samples:
    """Memory in MiB, descriptors, and tasks or threads, every so often."""

    def __init__(self, seconds: float, tasks: Callable[[], int]) -> None:
        self.taken: list[tuple[float, int, int]] = []
        self._every = min(1.0, seconds / SAMPLES)
        self._tasks = tasks
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._take, daemon=True)
        self._thread.start()

    def _take(self) -> None:
        while not self._over.wait(self._every):
            pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
            memory = pages * os.sysconf("SC_PAGE_SIZE") / 2**20
            self.taken.append((memory, len(os.listdir("/proc/self/fd")), self._tasks()))

    def end(self) -> dict[str, list[float]]:
        """Return how high each was in the second quarter and in the last: the first is for warming up."""
        self._over.set()
        self._thread.join()
        quarter = len(self.taken) // 4
        second, last = self.taken[quarter : 2 * quarter], self.taken[-quarter:]
        names = ("memory", "descriptors", "tasks")
        return {name: [max(one[at] for one in part) for part in (second, last)] for at, name in enumerate(names)}


def tasks_of(name: str) -> Callable[[], int]:
    """How many tasks there are, or threads: counted from another thread, so by what the collector knows of."""
    if name == "threads":
        return threading.active_count
    if name == "asyncio":
        return lambda: sum(len(asyncio.all_tasks(loop)) for loop in LOOPS)
    import gc

    import trio

    return lambda: sum(isinstance(one, trio.lowlevel.Task) for one in gc.get_objects())


def one(name: str, seconds: float, url: str) -> dict[str, Any]:
    """Soak one adapter, in this process; return what came of it."""
    listen()
    callers = Callers(seconds)
    samples = Samples(seconds, tasks_of(name))
    if name == "asyncio":
        asyncio.run(on_asyncio(callers, url))
    elif name == "trio":
        import trio

        trio.run(on_trio, callers, url)
    else:
        on_threads(callers, url)
    measured = samples.end()
    return {
        "calls": callers.calls,
        "failed": dict(callers.failed),
        "surely": dict(callers.surely),
        "perhaps": dict(callers.perhaps),
        "said": dict(SAID),
        **measured,
    }


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
    for what, more in (("memory", MEMORY), ("descriptors", MORE), ("tasks", MORE)):
        before, after = came[what]
        if after > before + more:
            wrong.append(f"{what} rose from {before} to {after}")
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
            told = [f"{came[what][0]:.0f} to {came[what][1]:.0f}" for what in ("memory", "descriptors", "tasks")]
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
