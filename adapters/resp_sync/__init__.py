"""Redis over blocking sockets, for any number of threads, without a thread of its own.

from resp_sync import connect

with connect("redis://localhost") as connection:
    connection.execute("SET", "k", "v")
    with connection.pipeline() as pipe:
        count = pipe.execute("INCR", "n")
    print(count.result())
"""

from ._connection import Connection, Pipeline, WatchedTransaction, connect

__all__ = ["Connection", "Pipeline", "WatchedTransaction", "connect"]
