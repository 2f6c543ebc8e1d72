"""One connection, without the connection: its states, its handshake, and whose reply is whose; for those who embed it."""

from .connection import Connection
from .events import ConnectionLost, Event, Opened, PushReceived, TimedOut
from .handshake import Accepted, Fallback, Handshake, Opening, ServerInfo
from .slot import Batch, Slot, SlotState, StatefulBatch, new_batch, new_slot
from .state import State

__all__ = [
    "Accepted",
    "Batch",
    "Connection",
    "ConnectionLost",
    "Event",
    "Fallback",
    "Handshake",
    "Opened",
    "Opening",
    "PushReceived",
    "ServerInfo",
    "Slot",
    "SlotState",
    "State",
    "StatefulBatch",
    "TimedOut",
    "new_batch",
    "new_slot",
]  # fmt: skip
