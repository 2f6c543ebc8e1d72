"""A whole client as one machine, for those who write adapters: `Client` decides, and an adapter moves bytes and wakes callers."""

from .calls import ClientEvent, error_of
from .client import Client
from .links import Close, Dial, Drained, Granted, Leaked, Link, Look, Pushed, Refused, Share, Waiter
from .surface import (
    BorrowedBase,
    ClientBase,
    CommandsBase,
    ConnectingBase,
    ConnectionBase,
    LendingBase,
    PipelineBase,
    PoolBase,
)

__all__ = [
    "BorrowedBase", "Client", "ClientBase", "ClientEvent", "Close", "CommandsBase", "ConnectingBase", "ConnectionBase", "Dial",
    "Drained", "Granted", "Leaked", "LendingBase", "Link", "Look", "PipelineBase", "PoolBase", "Pushed", "Refused", "Share",
    "Waiter", "error_of",
]  # fmt: skip
