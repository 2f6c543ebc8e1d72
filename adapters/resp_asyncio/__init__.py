"""Redis for asyncio: any number of tasks share a connection, and one that is cancelled costs nothing but its reply.

from resp_asyncio import connect

async with connect("redis://localhost") as connection:
    await connection.execute("SET", "k", "v")
    async with connection.pipeline() as pipe:
        count = pipe.execute("INCR", "n")
    print(count.result())
"""

from resp_sansio import (
    Cache,
    CircuitOpenError,
    Command,
    CommandFailure,
    CommandTimeoutError,
    ConnectError,
    ConnectionClosedError,
    ConnectionLostError,
    CrossSlotError,
    Gap,
    ListItem,
    LocalProtocolError,
    Message,
    NoSuchKeyError,
    Outcome,
    PartialFailureError,
    PoolFullError,
    RemoteProtocolError,
    ReplyError,
    RespError,
    Retry,
    Script,
    StreamEntry,
    SubscriberTooSlowError,
    TornValueError,
    TransactionAbortedError,
    TransactionDiscardedError,
    TransactionRefusedError,
)
from resp_sansio.surface.tasks import (
    Commands,
    Consuming,
    Messages,
    Monitor,
    Node,
    Pipeline,
    Scan,
    ValueStream,
    WatchedTransaction,
)

from ._client import Client, Connecting, Connection, Pool, connect

__all__ = [
    "Cache", "CircuitOpenError", "Client", "Command", "CommandFailure", "CommandTimeoutError", "Commands", "ConnectError",
    "Connecting", "Connection", "ConnectionClosedError", "ConnectionLostError", "Consuming", "CrossSlotError", "Gap",
    "ListItem", "LocalProtocolError", "Message", "Messages", "Monitor", "NoSuchKeyError", "Node", "Outcome", "PartialFailureError",
    "Pipeline", "Pool", "PoolFullError", "RemoteProtocolError", "ReplyError", "RespError", "Retry", "Scan", "Script",
    "StreamEntry", "SubscriberTooSlowError", "TornValueError", "TransactionAbortedError", "TransactionDiscardedError",
    "TransactionRefusedError", "ValueStream", "WatchedTransaction", "connect",
]  # fmt: skip
