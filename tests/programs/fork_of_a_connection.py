"""A process forks while it has a connection of resp_asyncio: URL. The child is told so, and the parent goes on."""

import asyncio
import os
import sys

from resp_asyncio import connect
from resp_sansio import ConnectionClosedError


async def main() -> None:
    async with connect(sys.argv[1]) as connection:
        child = os.fork()
        if child == 0:
            try:
                await connection.execute("INCR", "n")
            except ConnectionClosedError as error:
                print(error, flush=True)
            await connection.close()  # and the parent's loop, whose selector they share, hears on
            os._exit(0)
        os.waitpid(child, 0)
        print(await connection.execute("INCR", "n"))


asyncio.run(main())
