"""Where a command without keys goes in a cluster, kept by hand; a key says for itself where its command goes.

Any server will do for what concerns none of them. What is kept on each (functions, scripts, settings) or adds up over all (how many
keys there are) is asked of each, and the replies become one. The rest speaks of one server or one connection, and no reply of a
cluster's would be true: it is refused. Servers say less of this (COMMAND's tips), and PING to all shards is not what callers mean.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from copy import copy
from typing import Final, NamedTuple

from .._errors import LocalProtocolError, ReplyError
from ..wire.values import Reply
from .knowledge import CommandInfo
from .table import TABLE

__all__ = ["POLICIES", "Policy", "Where", "combine", "policy_of", "refusal"]


class Where(enum.Enum):
    """Which servers a command without keys is sent to."""

    ANY = "any master"
    BESIDE = "to where the commands go that are sent with it"
    MASTERS = "every master"
    SERVERS = "every server that is used: the masters, and replicas where they are read from"
    REFUSED = "none: it is meant for one, and does not say for which"


class Policy(NamedTuple):
    """Where a command goes; `joined` makes one reply of several, of which none is an error; `reason` says why it is refused.

    An error with the code `ignored` counts for nothing if another server did what was asked.
    """

    where: Where
    joined: Callable[[Sequence[Reply]], Reply] | None = None
    reason: str = ""
    ignored: str = ""


# -- One reply of several. What is none of its kind is handed on as it came, for the command's reader to tell of. ---------------


def _first(replies: Sequence[Reply]) -> Reply:
    """All say the same."""
    return replies[0]


def _first_there(replies: Sequence[Reply]) -> Reply:
    """Null only if all say so."""
    return next((reply for reply in replies if reply is not None), None)


def _sum(replies: Sequence[Reply]) -> Reply:
    total = 0
    for reply in replies:
        if not isinstance(reply, int):
            return reply
        total += reply
    return total


def _all_items(replies: Sequence[Reply]) -> Reply:
    """Each once: a key that moves meanwhile is listed by two servers."""
    items: dict[Reply, None] = {}
    for reply in replies:
        if not (isinstance(reply, list) and all(isinstance(item, bytes) for item in reply)):
            return reply
        items |= dict.fromkeys(reply)
    return [*items]


def _least(replies: Sequence[Reply]) -> Reply:
    """Item by item: 1 where all say 1."""
    least: list[int] = []
    for reply in replies:
        items = [item for item in reply if isinstance(item, int)] if isinstance(reply, list) else []
        if items != reply or len(items) != len(least or items):
            return reply
        least = [*map(min, items, least or items)]
    return [*least]


# -- Kept by hand ------------------------------------------------------------------------------------------------------------


def names_in(text: str) -> list[str]:
    """Return full names: each word is one; behind a container's and a colon stand its subcommands, up to a semicolon."""
    names: list[str] = []
    for part in text.split(";"):
        container, _, words = part.rpartition(":")
        names += [f"{container.strip()} {word}".lstrip() for word in words.split()]
    return names


ANY: Final = Policy(Where.ANY)

# FT.* and TS.M*: the module that is asked asks the others that it knows of (TIMESERIES.REFRESHCLUSTER tells it of them).
ANYWHERE: Final = """
    COMMAND ECHO LOLWUT PFSELFTEST PING PSUBSCRIBE PUBLISH PUNSUBSCRIBE SUBSCRIBE TIME UNSUBSCRIBE
    FT.AGGREGATE FT.ALIASADD FT.ALIASDEL FT.ALIASLIST FT.ALIASUPDATE FT.ALTER FT.CREATE FT.DICTADD FT.DICTDEL FT.DICTDUMP
    FT.DROPINDEX FT.EXPLAIN FT.EXPLAINCLI FT.HYBRID FT.INFO FT.PROFILE FT.SEARCH FT.SPELLCHECK FT.SYNDUMP FT.SYNUPDATE FT.TAGVALS
    FT._LIST TS.MGET TS.MRANGE TS.MREVRANGE TS.QUERYINDEX TS.QUERYLABELS;
    ACL: CAT GENPASS; CLUSTER: INFO KEYSLOT NODES REPLICAS SHARDS SLAVES SLOTS;
    COMMAND: COUNT DOCS GETKEYS GETKEYSANDFLAGS INFO LIST
"""

EVERYWHERE: Final = {
    Policy(Where.MASTERS, _sum): "DBSIZE",
    Policy(Where.MASTERS, _all_items): "KEYS",
    Policy(Where.MASTERS, _first_there): "RANDOMKEY",
    Policy(Where.MASTERS, _first): "FLUSHALL FLUSHDB; FUNCTION: DELETE FLUSH LOAD RESTORE",
    Policy(Where.SERVERS, _first): "CONFIG: RESETSTAT REWRITE SET; MEMORY: PURGE; SCRIPT: FLUSH LOAD",
    Policy(Where.SERVERS, _least): "SCRIPT: EXISTS",
    Policy(Where.SERVERS, _first, ignored="NOTBUSY"): "FUNCTION: KILL; SCRIPT: KILL",
}

REFUSED: Final = {
    "it speaks of one server, and there are several": """
        INFO LASTSAVE ROLE; ACL: DRYRUN GETUSER LIST LOG USERS; BACKUP: LIST STATUS;
        CLUSTER: COUNT-FAILURE-REPORTS COUNTKEYSINSLOT GETKEYSINSLOT GETSLOTMIGRATIONS LINKS MYID MYSHARDID SLOT-STATS;
        COMMANDLOG: GET LEN; CONFIG: GET; FT.CONFIG: GET; FUNCTION: DUMP LIST STATS; HOTKEYS: GET;
        LATENCY: DOCTOR GRAPH HISTOGRAM HISTORY LATEST; MEMORY: DOCTOR MALLOC-STATS STATS; MODULE: LIST;
        PUBSUB: CHANNELS NUMPAT NUMSUB SHARDCHANNELS SHARDNUMSUB; SCRIPT: SHOW; SLOWLOG: GET LEN
    """,
    "it acts on one server, and there are several": """
        BGREWRITEAOF BGSAVE DEBUG FAILOVER REPLICAOF SAVE SHUTDOWN SLAVEOF TRIMSLOTS; ACL: DELUSER LOAD SAVE SETUSER;
        BACKUP: ABORT CLEANUP SEAL START; CLIENT: KILL LIST PAUSE UNBLOCK UNPAUSE;
        CLUSTER: ADDSLOTS ADDSLOTSRANGE BUMPEPOCH CANCELSLOTMIGRATIONS DELSLOTS DELSLOTSRANGE FAILOVER FLUSHSLOT FLUSHSLOTS FORGET
        MEET MIGRATESLOTS MIGRATION REPLICATE RESET SAVECONFIG SET-CONFIG-EPOCH SETSLOT;
        COMMANDLOG: RESET; FT.CONFIG: SET; HOTKEYS: RESET START STOP; LATENCY: RESET; MODULE: LOAD LOADEX UNLOAD; SLOWLOG: RESET
    """,
    "it is a server's own listening or replication": "MONITOR PSYNC REPLCONF SYNC; CLUSTER: SYNCSLOTS",
    "its cursor is one server's": "SCAN; FT.CURSOR: DEL READ",
    "a cluster has no databases": "SELECT SWAPDB",
    "the client sends it itself where it is needed": "ASKING READONLY READWRITE",
    "it speaks of one connection, and there are several": """
        AUTH HELLO QUIT RESET; CLIENT: CACHING CAPA GETNAME GETREDIR ID IMPORT-SOURCE INFO MAINT_NOTIFICATIONS NO-EVICT NO-TOUCH
        REPLY SETINFO SETNAME TRACKING TRACKINGINFO; ACL: WHOAMI; HIMPORT: DISCARD DISCARDALL PREPARE; SCRIPT: DEBUG
    """,
    "it is for sentinels, and these are servers": """
        SENTINEL: CKQUORUM CONFIG DEBUG FAILOVER FLUSHCONFIG GET-MASTER-ADDR-BY-NAME GET-PRIMARY-ADDR-BY-NAME INFO-CACHE
        IS-MASTER-DOWN-BY-ADDR IS-PRIMARY-DOWN-BY-ADDR MASTER MASTERS MONITOR MYID PENDING-SCRIPTS PRIMARIES PRIMARY REMOVE REPLICAS
        RESET SENTINELS SET SIMULATE-FAILURE SLAVES
    """,
}  # fmt: skip

LISTS: Final = [
    (ANY, ANYWHERE),
    (Policy(Where.BESIDE), "DISCARD EXEC MULTI UNWATCH WAIT WAITAOF"),
    *EVERYWHERE.items(),
    *[(Policy(Where.REFUSED, reason=reason), names) for reason, names in REFUSED.items()],
]

POLICIES: Final[dict[str, Policy]] = {
    # Of a container, what has no other name is a subcommand that is not known. COMMAND alone is a command.
    **{
        name: Policy(Where.REFUSED, reason="its subcommand is not known")
        for name in TABLE
        if TABLE[name].startswith("c")
    },
    **{name: ANY for name in TABLE if name.endswith(" HELP")},
    **{name: policy for policy, text in LISTS for name in names_in(text)},
}


def policy_of(info: CommandInfo) -> Policy:
    """Return where a command goes that was given no keys: to any master if it may have some (EVAL), or was never heard of."""
    return POLICIES.get(info.name, ANY)


def refusal(info: CommandInfo) -> LocalProtocolError:
    """Return the error for a command that is refused, with the remedy."""
    reason = policy_of(info).reason or "it makes sense only beside other commands, in a pipeline"
    return LocalProtocolError(
        f"{info.name} was not sent to a cluster: {reason}; `client.nodes()` has each of them, with all commands"
    )


def combine(policy: Policy, replies: Sequence[Reply], servers: Sequence[str]) -> Reply:
    """Return the one reply that several servers' make; the names of the servers are for messages.

    An error of any server's is the reply, with a note that says whose it is and how many others did what was asked.
    """
    assert policy.joined is not None
    errors = [(reply, server) for reply, server in zip(replies, servers, strict=True) if isinstance(reply, Exception)]
    errors.sort(key=lambda pair: _counts_for_nothing(pair[0], policy))  # those that count come first
    done = [reply for reply in replies if not isinstance(reply, Exception)]
    if not errors or (done and _counts_for_nothing(errors[0][0], policy)):
        return policy.joined(done)
    error, server = copy(errors[0][0]), errors[0][1]  # a note belongs to one caller
    error.add_note(f"{server} said so; of {len(replies)} servers {len(done)} did it")
    return error


def _counts_for_nothing(error: Exception, policy: Policy) -> bool:
    return isinstance(error, ReplyError) and error.code == policy.ignored
