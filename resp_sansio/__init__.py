"""A Redis client's protocol and the whole of its decisions, without I/O: the names for users.

Values and errors, commands, options and statistics are here; what adapters, servers and tools are written with is in the faces of
the folders: `resp_sansio.wire` (bytes to values and back), `.config` (options, addresses, TLS), `.connection` (one connection) and
`.client` (the whole client). Nothing in here opens a socket, reads a clock or starts a thread; `resp_sync`, `resp_asyncio` and
`resp_trio` do, and `docs/write-a-full-adapter.md` shows how to write another.
"""

from . import commands
from ._errors import (
    CircuitOpenError,
    CommandTimeoutError,
    ConnectError,
    ConnectionClosedError,
    ConnectionLostError,
    InvalidReplyError,
    LocalProtocolError,
    Outcome,
    PoolFullError,
    RemoteProtocolError,
    ReplyError,
    RespError,
    TransactionAbortedError,
    TransactionRefusedError,
    UnexpectedReplyError,
)
from ._facts import (
    CallBegan,
    CallEnded,
    CallRetried,
    ClientMade,
    DialFailed,
    LinkClosed,
    LinkOpened,
    Observer,
    PushesDropped,
    ReplyDropped,
    WaitEnded,
)
from ._log import Log, LogObserver
from ._stats import ClientStats, CloseReason, ConnectionStats, LaneStats, PoolStats, Stats
from .client.batch import Result
from .client.call import DEFAULT, Default
from .commands.command import Command
from .commands.decoding import Binary
from .commands.knowledge import Needs
from .commands.readers import Entry
from .commands.readers_acl import AclLogEntry, AclSelector, AclUser
from .commands.readers_connection import ClientInfo, TrackingInfo
from .commands.readers_geo import GeoMember, GeoPosition
from .commands.readers_server import MasterRole, ModuleInfo, ReplicaOffset, ReplicaRole, Role, SentinelRole
from .commands.readers_streams import (
    Autoclaimed,
    AutoclaimedIDs,
    ClaimedEntry,
    EntryDelivery,
    PendingEntry,
    PendingSummary,
    StreamConsumer,
    StreamConsumerDetails,
    StreamDetails,
    StreamGroup,
    StreamGroupDetails,
    StreamInfo,
)
from .commands.readers_strings import LcsMatch, LcsMatches
from .commands.readers_time_series import CompactionRule, LastSample, Sample, Series, TimeSeriesChunk, TimeSeriesInfo
from .commands.readers_vector_sets import RawVector, Similar, VectorSetInfo
from .config.config import VERSION as __version__
from .config.config import Config, CredentialProvider, Credentials, Options, TLSContext
from .config.retry import Retry
from .config.settings import ClientOptions, ClientSettings, PoolOptions, PoolSettings
from .connection.handshake import ServerInfo
from .wire.encoder import Argument
from .wire.narrowing import as_bytes, as_dict, as_float, as_int, as_list, as_str
from .wire.parser import Limits
from .wire.values import ArrayKey, Attributed, Items, MapKey, Pairs, Push, Reply, SetKey, Spoken, Verbatim, as_text

__all__ = [
    "DEFAULT",
    "AclLogEntry",
    "AclSelector",
    "AclUser",
    "Argument",
    "ArrayKey",
    "Attributed",
    "Autoclaimed",
    "AutoclaimedIDs",
    "Binary",
    "CallBegan",
    "CallEnded",
    "CallRetried",
    "CircuitOpenError",
    "ClaimedEntry",
    "ClientInfo",
    "ClientMade",
    "ClientOptions",
    "ClientSettings",
    "ClientStats",
    "CloseReason",
    "Command",
    "CommandTimeoutError",
    "CompactionRule",
    "Config",
    "ConnectError",
    "ConnectionClosedError",
    "ConnectionLostError",
    "ConnectionStats",
    "CredentialProvider",
    "Credentials",
    "Default",
    "DialFailed",
    "Entry",
    "EntryDelivery",
    "GeoMember",
    "GeoPosition",
    "InvalidReplyError",
    "Items",
    "LaneStats",
    "LastSample",
    "LcsMatch",
    "LcsMatches",
    "Limits",
    "LinkClosed",
    "LinkOpened",
    "LocalProtocolError",
    "Log",
    "LogObserver",
    "MapKey",
    "MasterRole",
    "ModuleInfo",
    "Needs",
    "Observer",
    "Options",
    "Outcome",
    "Pairs",
    "PendingEntry",
    "PendingSummary",
    "PoolFullError",
    "PoolOptions",
    "PoolSettings",
    "PoolStats",
    "Push",
    "PushesDropped",
    "RawVector",
    "RemoteProtocolError",
    "ReplicaOffset",
    "ReplicaRole",
    "Reply",
    "ReplyDropped",
    "ReplyError",
    "RespError",
    "Result",
    "Retry",
    "Role",
    "Sample",
    "SentinelRole",
    "Series",
    "ServerInfo",
    "SetKey",
    "Similar",
    "Spoken",
    "Stats",
    "StreamConsumer",
    "StreamConsumerDetails",
    "StreamDetails",
    "StreamGroup",
    "StreamGroupDetails",
    "StreamInfo",
    "TLSContext",
    "TimeSeriesChunk",
    "TimeSeriesInfo",
    "TrackingInfo",
    "TransactionAbortedError",
    "TransactionRefusedError",
    "UnexpectedReplyError",
    "VectorSetInfo",
    "Verbatim",
    "WaitEnded",
    "__version__",
    "as_bytes",
    "as_dict",
    "as_float",
    "as_int",
    "as_list",
    "as_str",
    "as_text",
    "commands",
]
