"""A client of resp_asyncio is thrown away as its loop ends, amid a call: URL, class, how it is collected. It makes no noise.

But for the warning that it was not closed, and the loop's own about its transport.
"""

import asyncio
import gc
import sys
import warnings

import resp_asyncio

_, url, kind, collected = sys.argv


async def main() -> None:
    client = getattr(resp_asyncio, kind)(url)
    await client.execute("PING")
    call = asyncio.create_task(client.execute("BLPOP", "nothing", 0))
    await asyncio.sleep(0)
    if collected == "by the collector":
        cycle = [client, call]
        cycle.append(cycle)


warnings.simplefilter("ignore", ResourceWarning)
asyncio.run(main())
gc.collect()
