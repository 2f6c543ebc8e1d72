"""A process forks again and again while callers are in mid-call, and each child uses what it got: LIBRARY, URL, `Client` or `Pool`.

In the child everything begins anew, and what was lent to a block of the parent's is refused; the parent goes on as if nothing had
been. Neither may get what is the other's: each caller asks for what no other asks for, in replies of one byte up to 200 kB.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import sys
import threading
import time
import traceback
import warnings
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import trio
import uvloop

import resp_asyncio
import resp_sync
import resp_trio
from resp_sansio import ClientStats, ConnectionClosedError, LocalProtocolError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    Call: TypeAlias = Callable[[], Coroutine[Any, Any, None]]

library, url, strategy = sys.argv[1:]
module: Any = {"threads": resp_sync, "trio": resp_trio, "asyncio": resp_asyncio, "uvloop": resp_asyncio}[library]
warnings.filterwarnings("ignore", message=".*fork.*", category=DeprecationWarning)

FORKS = 8
ended = threading.Event()


async def answer(asked: Any) -> Any:
    """Of a call that blocks, or that is awaited."""
    return await asked if inspect.isawaitable(asked) else asked


@asynccontextmanager
async def entered(block: Any) -> AsyncIterator[Any]:
    if hasattr(block, "__aenter__"):
        async with block as given:
            yield given
    else:
        with block as given:
            yield given


async def sleep(seconds: float) -> None:
    match library:
        case "threads":
            time.sleep(seconds)  # noqa: ASYNC251  # there is no loop
        case "trio":
            await trio.sleep(seconds)
        case _:
            await asyncio.sleep(seconds)


async def together(*calls: Call) -> None:
    match library:
        case "threads":
            threads = [threading.Thread(target=drive, args=(call,)) for call in calls]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        case "trio":
            async with trio.open_nursery() as nursery:
                for call in calls:
                    nursery.start_soon(call)
        case _:
            async with asyncio.TaskGroup() as group:
                for call in calls:
                    group.create_task(call())


def run(call: Call) -> None:
    match library:
        case "threads":
            drive(call)
        case "trio":
            trio.run(call)
        case "uvloop":
            uvloop.run(call())
        case _:
            asyncio.run(call())


def drive(call: Call) -> None:
    """Run what never waits but in calls that block."""
    try:
        call().send(None)
    except StopIteration:
        return
    raise AssertionError("it waits")


def borrowed(asked: Any, name: str) -> Any:
    """A client of a cluster lends a connection to the server of a key."""
    return asked.acquire(key=name) if strategy == "Client" else asked.acquire()


async def ask(asked: Any, name: str, turns: float) -> None:
    turn = 0
    while turn < turns and not ended.is_set():
        turn += 1
        token = f"{name}:{turn}:".encode() * (1, 1, 700, 20_000)[turn % 4]
        if turn % 7 == 0:
            async with entered(borrowed(asked, name)) as connection:
                assert await answer(connection.execute("ECHO", token)) == token
        elif turn % 10 == 0:
            assert await answer(asked.execute("BLPOP", f"nothing:{name}", 0.005)) is None
        else:
            assert await answer(asked.execute("ECHO", token)) == token
        await sleep(0)


async def use(asked: Any, lent: Any) -> None:
    """What a child does."""
    stats = asked.stats()
    pool: Any = stats.leases if isinstance(stats, ClientStats) else stats
    assert (pool.created, pool.size, pool.waiting) == (0, 0, 0), pool
    async with AsyncExitStack() as stack:
        if library == "trio":
            await stack.enter_async_context(asked)
        await together(*[partial(ask, asked, f"child {name}", 10) for name in range(4)])
        if lent is not None:
            try:
                await answer(lent.execute("ECHO", "the parent's"))
            except (ConnectionClosedError, LocalProtocolError):
                pass
            else:
                raise AssertionError("the child may use what its parent had borrowed")
        await answer(asked.execute("INCR", "children"))
        await answer(asked.close())


def be_a_child(asked: Any, lent: Any) -> None:
    """On a thread of its own, where no event loop runs."""
    failed = 1
    try:
        run(partial(use, asked, lent))
        failed = 0
    except BaseException:  # noqa: BLE001  # told, and the process ends
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(failed)


async def fork_again_and_again(asked: Any) -> None:
    try:
        for turn in range(FORKS):
            await sleep(0.002 * turn)
            async with AsyncExitStack() as stack:
                lent = await stack.enter_async_context(entered(borrowed(asked, str(turn)))) if turn % 2 else None
                process = os.fork()
                if process == 0:
                    child = threading.Thread(target=be_a_child, args=(asked, lent))
                    child.start()
                    child.join()
                while (said := os.waitpid(process, os.WNOHANG)) == (0, 0):
                    await sleep(0.002)
                assert said == (process, 0)
                if lent is not None:
                    assert await answer(lent.execute("ECHO", "mine")) == b"mine"
    finally:
        ended.set()


async def main() -> None:
    async with entered(getattr(module, strategy)(url)) as asked:
        calls = [partial(ask, asked, str(name), float("inf")) for name in range(6)]
        await together(partial(fork_again_and_again, asked), *calls)
        print(await answer(asked.execute("GET", "children")))


run(main)
