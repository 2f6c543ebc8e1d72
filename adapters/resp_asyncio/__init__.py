"""Redis for asyncio: any number of tasks share a connection, and one that is cancelled costs nothing but its reply.

from resp_asyncio import connect

async with connect("redis://localhost") as connection:
    await connection.execute("SET", "k", "v")
    async with connection.pipeline() as pipe:
        count = pipe.execute("INCR", "n")
    print(count.result())
"""

from ._connection import Connecting, Connection, Pipeline, WatchedTransaction, connect

__all__ = ["Connecting", "Connection", "Pipeline", "WatchedTransaction", "connect"]
