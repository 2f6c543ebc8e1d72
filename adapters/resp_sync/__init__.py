"""Redis over blocking sockets, for any number of threads, without a thread of its own.

from resp_sync import connect

with connect("redis://localhost") as connection:
    connection.execute("SET", "k", "v")
    with connection.pipeline() as pipe:
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
from resp_sansio.surface.threads import (
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

from ._client import Client, Connection, Pool, connect

__all__ = [
    "Cache", "CircuitOpenError", "Client", "Command", "CommandFailure", "CommandTimeoutError", "Commands", "ConnectError",
    "Connection", "ConnectionClosedError", "ConnectionLostError", "Consuming", "CrossSlotError", "Gap", "ListItem",
    "LocalProtocolError", "Message", "Messages", "Monitor", "NoSuchKeyError", "Node", "Outcome", "PartialFailureError", "Pipeline",
    "Pool", "PoolFullError", "RemoteProtocolError", "ReplyError", "RespError", "Retry", "Scan", "Script", "StreamEntry",
    "SubscriberTooSlowError", "TornValueError", "TransactionAbortedError", "TransactionDiscardedError",
    "TransactionRefusedError", "ValueStream", "WatchedTransaction", "connect",
]  # fmt: skip
