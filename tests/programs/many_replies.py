"""Take so many MiB of replies, or of messages that nobody reads, by one of the libraries, and print by how many MiB it has grown.

The process, that is; from when the client was open.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any, Final

import trio

import resp_asyncio
import resp_sync
import resp_trio
from programs.large_value import MIB, at_rest, tell

ELEMENTS: Final = 10_000
BUFFER: Final = 4 * MIB
PUBLISH: Final = "for _ = 1, 8 do redis.call('PUBLISH', 'c', string.rep('x', ARGV[1])) end"


def by_threads(url: str, size: int, what: str) -> None:
    """With `resp_sync`."""
    with resp_sync.Client(url, timeout=30) as client:
        client.ping()
        before = at_rest()
        if what == "replies":
            for number in range(size):
                assert len(client.get("value") or b"") == MIB
                if number % 8 == 0:
                    assert len(client.lrange("list", 0, -1)) == ELEMENTS
        else:
            with client.subscribe("c", buffer_bytes=BUFFER):
                for _ in range(size // 8):
                    client.execute("EVAL", PUBLISH, 0, MIB)
    tell(before)


async def by_tasks(library: Any, url: str, size: int, what: str) -> None:
    """With one of the others."""
    async with library.Client(url, timeout=30) as client:
        await client.ping()
        before = at_rest()
        if what == "replies":
            for number in range(size):
                assert len(await client.get("value")) == MIB
                if number % 8 == 0:
                    assert len(await client.lrange("list", 0, -1)) == ELEMENTS
        else:
            async with client.subscribe("c", buffer_bytes=BUFFER):
                for _ in range(size // 8):
                    await client.execute("EVAL", PUBLISH, 0, MIB)
    tell(before)


def main(url: str, library: str, size: str, what: str) -> None:
    """Run it."""
    if library == "resp_sync":
        by_threads(url, int(size), what)
    elif library == "resp_asyncio":
        asyncio.run(by_tasks(resp_asyncio, url, int(size), what))
    else:
        trio.run(by_tasks, resp_trio, url, int(size), what)


if __name__ == "__main__":
    main(*sys.argv[1:])
