"""Write a value of so many MiB, or read it, by one of the libraries, and print by how many MiB this process has grown."""

from __future__ import annotations

import asyncio
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trio

import resp_asyncio
import resp_sync
import resp_trio

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

MIB = 1024 * 1024


def most() -> float:
    """The most memory that this process has had at a time, in MiB: what the system counts, not what Python does."""
    if sys.platform == "linux":  # there `ru_maxrss` begins with what the parent had
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (MIB if sys.platform == "darwin" else 1024)


def at_rest() -> float:
    """Forget what there was at most so far, if that can be done, and return what there is."""
    if sys.platform == "linux":
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return most()


def pieces(size: int) -> Iterator[bytes]:
    """A value, in pieces that are no chunks: each MiB is another."""
    for number in range(size):
        piece = bytes([number % 251]) * (MIB // 2)
        yield piece
        yield piece


def check(chunk: bytes, number: int) -> None:
    """Is it the chunk of this number?"""
    assert len(chunk) == MIB
    assert chunk.count(number % 251) == MIB, f"chunk {number} is another"


def by_threads(url: str, size: int, what: str) -> None:
    """With `resp_sync`."""
    with resp_sync.Client(url, timeout=30) as client:
        client.ping()
        before = at_rest()
        if what != "read":
            assert client.write_value("large", pieces(size))
        if what != "write":
            with client.read_value("large") as value:
                assert value.size == size * MIB
                for number, chunk in enumerate(value):
                    check(chunk, number)
    tell(before)


async def by_tasks(library: Any, url: str, size: int, what: str) -> None:
    """With one of the others."""
    async with library.Client(url, timeout=30) as client:
        await client.ping()
        before = at_rest()
        if what != "read":
            assert await client.write_value("large", pieces(size))
        if what != "write":
            number = 0
            async with client.read_value("large") as value:
                assert value.size == size * MIB
                async for chunk in value:
                    check(chunk, number)
                    number += 1
    tell(before)


def tell(before: float) -> None:
    """Print it."""
    print(f"{before:.1f} MiB before, {most():.1f} at most; grown by {most() - before:.1f}")


def run(
    by_threads: Callable[[str, int, str], None], by_tasks: Callable[[Any, str, int, str], Coroutine[Any, Any, None]]
) -> None:
    """Run the one for the library that the command line names: URL, LIBRARY, SIZE, WHAT."""
    url, library, size, what = sys.argv[1:]
    if library == "resp_sync":
        by_threads(url, int(size), what)
    elif library == "resp_asyncio":
        asyncio.run(by_tasks(resp_asyncio, url, int(size), what))
    else:
        trio.run(by_tasks, resp_trio, url, int(size), what)


if __name__ == "__main__":
    run(by_threads, by_tasks)
