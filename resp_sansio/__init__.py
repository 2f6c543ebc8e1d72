"""A Redis client's protocol and connection state, without I/O.

Bytes go in, events come out, and the other way round: `Connection` pairs replies with commands, performs the handshake, knows
deadlines and what a failure means for each command. Nothing in here opens a socket, reads a clock or starts a thread;
`resp_sync` is a driver for blocking sockets, and `docs/write-your-own-adapter.md` shows how to write another.
"""

from . import commands
from ._call import DEFAULT, Default, command_alone, encoding_of, push_as_text, read_reply, seconds_allowed
from ._commands import (
    Blocking,
    Command,
    CommandInfo,
    KeySpec,
    Needs,
    Replies,
    as_it_came,
    block_time,
    command_info,
    command_keys,
    prepare,
    redact,
)
from ._config import VERSION as __version__
from ._config import Config, CredentialProvider, Credentials, Options, TLSContext, read_credentials
from ._connection import Connection
from ._encoder import Argument, encode_command, encode_reply
from ._errors import (
    CommandTimeoutError,
    ConnectError,
    ConnectionClosedError,
    ConnectionLostError,
    LocalProtocolError,
    Outcome,
    RemoteProtocolError,
    ReplyError,
    RespError,
    TransactionAbortedError,
    TransactionRefusedError,
    is_transient,
    reason_of,
)
from ._events import ConnectionLost, Event, Opened, PushReceived, TimedOut
from ._exchange import ATTEMPTS, CommandBatch, Result, WatchLoop, read_transaction
from ._handshake import Accepted, Handshake
from ._methods import Methods
from ._parser import Chunk, Limits, Parser
from ._readers import Entry, UnexpectedReplyError
from ._requests import CommandParser
from ._slot import Batch, Script, Slot, SlotState, new_batch, new_slot
from ._state import State
from ._stats import ConnectionStats, Stats
from ._values import ArrayKey, Attributed, Items, MapKey, Pairs, Push, Reply, SetKey, Verbatim, as_text

__all__ = [
    "ATTEMPTS",
    "DEFAULT",
    "Accepted",
    "Argument",
    "ArrayKey",
    "Attributed",
    "Batch",
    "Blocking",
    "Chunk",
    "Command",
    "CommandBatch",
    "CommandInfo",
    "CommandParser",
    "CommandTimeoutError",
    "Config",
    "ConnectError",
    "Connection",
    "ConnectionClosedError",
    "ConnectionLost",
    "ConnectionLostError",
    "ConnectionStats",
    "CredentialProvider",
    "Credentials",
    "Default",
    "Entry",
    "Event",
    "Handshake",
    "Items",
    "KeySpec",
    "Limits",
    "LocalProtocolError",
    "MapKey",
    "Methods",
    "Needs",
    "Opened",
    "Options",
    "Outcome",
    "Pairs",
    "Parser",
    "Push",
    "PushReceived",
    "RemoteProtocolError",
    "Replies",
    "Reply",
    "ReplyError",
    "RespError",
    "Result",
    "Script",
    "SetKey",
    "Slot",
    "SlotState",
    "State",
    "Stats",
    "TLSContext",
    "TimedOut",
    "TransactionAbortedError",
    "TransactionRefusedError",
    "UnexpectedReplyError",
    "Verbatim",
    "WatchLoop",
    "__version__",
    "as_it_came",
    "as_text",
    "block_time",
    "command_alone",
    "command_info",
    "command_keys",
    "commands",
    "encode_command",
    "encode_reply",
    "encoding_of",
    "is_transient",
    "new_batch",
    "new_slot",
    "prepare",
    "push_as_text",
    "read_credentials",
    "read_reply",
    "read_transaction",
    "reason_of",
    "redact",
    "seconds_allowed",
]
