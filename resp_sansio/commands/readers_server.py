"""What the server says of itself: its role, and its modules."""

from __future__ import annotations

from typing import Final, NamedTuple, NotRequired, TypeAlias, TypedDict

from ..wire.values import Reply
from .readers import items, unexpected
from .readers_own import Record, integer, own, owns

__all__ = ["BackupStatus", "MasterRole", "ModuleInfo", "ReplicaOffset", "ReplicaRole", "Role", "SentinelRole"]


class ModuleInfo(TypedDict):
    """A module that is loaded. A field that this version does not know is kept as it came."""

    name: str
    ver: int
    path: NotRequired[str]
    """(Redis 7.0)"""
    args: NotRequired[list[str]]


MODULE: Final = Record(ModuleInfo)


def module_infos(reply: Reply, _text: object = None) -> list[ModuleInfo]:
    """The modules."""
    return MODULE.each(reply)


class BackupStatus(TypedDict):
    """How far a backup has come: `state` is `idle`, `pending`, `snapshotting`, `incrementing`, `sealed` or `failed`.

    Times are Unix times, 0 if it has not come to that. A field that this version does not know is kept as it came.
    """

    state: str
    error: NotRequired[str]
    start_time: NotRequired[int]
    end_time: NotRequired[int]


BACKUP: Final = Record(BackupStatus)


def backup_state(reply: Reply, _text: object = None) -> BackupStatus:
    """The state of a backup."""
    return BACKUP(reply)


class ReplicaOffset(NamedTuple):
    """A replica, and how far it has read what its master wrote."""

    host: str
    port: int
    offset: int


class MasterRole(NamedTuple):
    """A server that copies none: how much it has written, and its replicas."""

    role: str
    offset: int
    replicas: list[ReplicaOffset]


class ReplicaRole(NamedTuple):
    """A server that copies another: which, how far the connection to it has come, and how much has been read."""

    role: str
    host: str
    port: int
    state: str
    offset: int


class SentinelRole(NamedTuple):
    """A Sentinel, and the names of the masters that it watches."""

    role: str
    masters: list[str]


Role: TypeAlias = MasterRole | ReplicaRole | SentinelRole


def role_of_server(reply: Reply, _text: object = None) -> Role:
    """Any of the three."""
    name, *rest = items(reply) or [None]
    match own(name), len(rest):
        case "master", 2:
            return MasterRole("master", integer(rest[0]), [_replica(each) for each in items(rest[1])])
        case "slave", 4:
            host, port, state, offset = rest
            return ReplicaRole("slave", own(host), integer(port), own(state), integer(offset))
        case "sentinel", 1:
            return SentinelRole("sentinel", owns(rest[0]))
    raise unexpected("the role of a server", reply)


def _replica(reply: Reply) -> ReplicaOffset:
    host, port, offset = items(reply, 3)
    return ReplicaOffset(own(host), integer(port), integer(offset))
