"""A whole client as one machine, for those who write adapters: `Client` decides, and an adapter moves bytes and wakes callers."""

from .calls import ClientEvent, error_of, link_of
from .client import Client
from .crew import DONE, SLEEP, Crew, Job, Post, Sleep, Write
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
    "DONE", "SLEEP", "BorrowedBase", "Client", "ClientBase", "ClientEvent", "Close", "CommandsBase", "ConnectingBase",
    "ConnectionBase", "Crew", "Dial", "Drained", "Granted", "Job", "Leaked", "LendingBase", "Link", "Look", "PipelineBase",
    "PoolBase", "Post", "Pushed", "Refused", "Share", "Sleep", "Waiter", "Write", "error_of", "link_of",
]  # fmt: skip
