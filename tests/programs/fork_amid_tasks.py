"""A process forks while its tasks use a client or a pool of resp_asyncio: URL, `Client` or `Pool`."""

from __future__ import annotations

import asyncio
import os
import sys
import warnings
from typing import TypeAlias

from resp_asyncio import Client, Pool

Asked: TypeAlias = Client | Pool

warnings.filterwarnings("ignore", message=".*fork.*", category=DeprecationWarning)


async def ask(asked: Asked, name: str, turns: int) -> None:
    for turn in range(turns):
        token = f"{name}:{turn}".encode()
        assert await asked.execute("ECHO", token) == token
        if turn % 10 == 0:
            await asked.execute("BLPOP", f"nothing:{name}", 0.005)


async def child(asked: Asked) -> None:
    pool = asked.stats().leases if isinstance(asked, Client) else asked.stats()
    assert pool is not None
    assert (pool.created, pool.size, pool.waiting) == (0, 0, 0), pool
    await asyncio.gather(*[ask(asked, f"child {name}", 20) for name in range(10)])
    await asked.execute("INCR", "children")
    await asked.close()


async def main() -> None:
    async with {"Client": Client, "Pool": Pool}[sys.argv[2]](sys.argv[1]) as asked:
        running = [asyncio.create_task(ask(asked, str(name), 100)) for name in range(10)]
        for _ in range(3):
            await asyncio.sleep(0.02)
            process = os.fork()
            if process == 0:
                failed = 1
                try:
                    asyncio.run(child(asked))
                    failed = 0
                finally:
                    os._exit(failed)
            loop = asyncio.get_running_loop()
            _, status = await loop.run_in_executor(None, os.waitpid, process, 0)
            assert status == 0
        await asyncio.gather(*running)
        print(await asked.execute("GET", "children"))


asyncio.run(main())
