"""Take so many MiB of replies, or of messages that nobody reads, by one of the libraries, and print by how many MiB it has grown.

The process, that is; from when the client was open.
"""

from __future__ import annotations

from typing import Any, Final

import resp_sync
from programs.large_value import MIB, at_rest, run, tell

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


if __name__ == "__main__":
    run(by_threads, by_tasks)
