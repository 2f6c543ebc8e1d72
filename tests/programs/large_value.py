"""Write a value of so many MiB and read it, by one of the libraries, and print by how many MiB this process has grown."""

from __future__ import annotations

import asyncio
import resource
import sys
from typing import TYPE_CHECKING, Any

import trio

import resp_asyncio
import resp_sync
import resp_trio

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB = 1024 * 1024


def grown() -> float:
    """The most memory that this process has had at a time, in MiB: what the system counts, not what Python does."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (MIB if sys.platform == "darwin" else 1024)


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


def by_threads(url: str, size: int) -> None:
    """With `resp_sync`."""
    with resp_sync.Client(url, timeout=30) as client:
        client.ping()
        before = grown()
        assert client.write_value("large", pieces(size))
        written = grown()
        with client.read_value("large") as value:
            assert value.size == size * MIB
            for number, chunk in enumerate(value):
                check(chunk, number)
        client.delete("large")
    tell(before, written)


async def by_tasks(library: Any, url: str, size: int) -> None:
    """With one of the others."""
    async with library.Client(url, timeout=30) as client:
        await client.ping()
        before = grown()
        assert await client.write_value("large", pieces(size))
        written, number = grown(), 0
        async with client.read_value("large") as value:
            assert value.size == size * MIB
            async for chunk in value:
                check(chunk, number)
                number += 1
        await client.delete("large")
    tell(before, written)


def tell(before: float, written: float) -> None:
    """Print it."""
    print(f"before {before:.0f}, written {written:.0f}, read {grown():.0f}; grown by {grown() - before:.0f}")


def main(url: str, library: str, size: str) -> None:
    """Run it."""
    if library == "resp_sync":
        by_threads(url, int(size))
    elif library == "resp_asyncio":
        asyncio.run(by_tasks(resp_asyncio, url, int(size)))
    else:
        trio.run(by_tasks, resp_trio, url, int(size))


if __name__ == "__main__":
    main(*sys.argv[1:])
