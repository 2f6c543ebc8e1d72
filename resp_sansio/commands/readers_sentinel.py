"""What a Sentinel says of the servers that it watches."""

from __future__ import annotations

from typing import Final, NamedTuple, NotRequired, TypedDict

from ..wire.values import Reply
from .readers import facts, items, pairs_in_turn, truth, whole
from .readers_own import Record, integer, own, own_text

__all__ = ["CachedInfo", "MasterDown", "PendingScript", "SentinelInstance"]


class SentinelInstance(TypedDict):
    """A master, a replica or another Sentinel; times are in milliseconds.

    What belongs to another kind of server, or to a state that it is not in, is not there. A field that this version does not know
    is kept as it came.
    """

    name: str
    ip: str
    port: int
    runid: str
    flags: set[str]
    link_pending_commands: int
    link_refcount: int
    last_ping_sent: int
    last_ok_ping_reply: int
    last_ping_reply: int
    s_down_time: NotRequired[int]
    o_down_time: NotRequired[int]
    down_after_milliseconds: int
    info_refresh: NotRequired[int]
    role_reported: NotRequired[str]
    role_reported_time: NotRequired[int]
    config_epoch: NotRequired[int]
    num_slaves: NotRequired[int]
    num_other_sentinels: NotRequired[int]
    quorum: NotRequired[int]
    failover_timeout: NotRequired[int]
    failover_state: NotRequired[str]
    parallel_syncs: NotRequired[int]
    client_reconfig_script: NotRequired[str]
    notification_script: NotRequired[str]
    master_link_down_time: NotRequired[int]
    master_link_status: NotRequired[str]
    master_host: NotRequired[str]
    master_port: NotRequired[int]
    slave_priority: NotRequired[int]
    slave_repl_offset: NotRequired[int]
    replica_announced: NotRequired[int]
    last_hello_message: NotRequired[int]
    voted_leader: NotRequired[str]
    voted_leader_epoch: NotRequired[int]


class MasterDown(NamedTuple):
    """Whether a master has failed, and whom this Sentinel has voted for in which epoch: `*` is none."""

    down: bool
    leader_runid: str
    leader_epoch: int


class CachedInfo(NamedTuple):
    """What INFO of a server said, and how many milliseconds ago; there is nothing if it was never asked."""

    age: int
    info: dict[str, str]


class PendingScript(TypedDict):
    """A script that runs or is to run. A field that this version does not know is kept as it came."""

    argv: list[str]
    flags: str
    pid: int
    run_time: NotRequired[int]
    run_delay: NotRequired[int]
    retry_num: int


def _flags(reply: Reply, _text: object = None) -> set[str]:
    return {*own(reply).split(",")}


INSTANCE: Final = Record(SentinelInstance, flags=_flags)
SCRIPT: Final = Record(PendingScript)


def one_instance(reply: Reply, _text: object = None) -> SentinelInstance:
    """A server."""
    return INSTANCE(reply)


def several_instances(reply: Reply, _text: object = None) -> list[SentinelInstance]:
    """Servers."""
    return INSTANCE.each(reply)


def pending_scripts(reply: Reply, _text: object = None) -> list[PendingScript]:
    """Scripts."""
    return SCRIPT.each(reply)


def address(reply: Reply, _text: object = None) -> tuple[str, int] | None:
    """Host and port, or null."""
    if reply is None:
        return None
    host, port = items(reply, 2)
    return own_text(host), integer(port)


def is_down(reply: Reply, _text: object = None) -> MasterDown:
    """Whether a master is down, and the vote."""
    down, leader, epoch = items(reply, 3)
    return MasterDown(truth(down), own(leader), whole(epoch))


def cached_infos(reply: Reply, _text: object = None) -> dict[str, list[CachedInfo]]:
    """Masters, each with what was said by it and its replicas."""
    return {own(name): [_cached(items(each, 2)) for each in items(found)] for name, found in pairs_in_turn(reply)}


def _cached(parts: list[Reply]) -> CachedInfo:
    age, info = parts
    return CachedInfo(whole(age), {} if info is None else facts(info))
