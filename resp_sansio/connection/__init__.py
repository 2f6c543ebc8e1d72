"""One connection, without the connection: what is sent on it, its handshake, and whose reply is whose; for those who embed it."""

from .._errors import is_transient, reason_of
from ..commands.command import as_it_came
from ..commands.command_keys import KeySpec
from ..commands.knowledge import Blocking, CommandInfo, Replies, block_time, command_info, command_keys, prepare, redact
from .connection import Connection
from .events import ConnectionLost, Event, Opened, PushReceived, TimedOut
from .handshake import Accepted, Fallback, Handshake, Opening, ServerInfo
from .slot import Batch, Slot, SlotState
from .state import State
from .stateful import StatefulBatch, new_batch, new_slot

__all__ = [
    "Accepted", "Batch", "Blocking", "CommandInfo", "Connection", "ConnectionLost", "Event", "Fallback", "Handshake", "KeySpec",
    "Opened", "Opening", "PushReceived", "Replies", "ServerInfo", "Slot", "SlotState", "State", "StatefulBatch", "TimedOut",
    "as_it_came", "block_time", "command_info", "command_keys", "is_transient", "new_batch", "new_slot", "prepare", "reason_of",
    "redact",
]  # fmt: skip
