"""What the server says of its connections: CLIENT LIST's lines, and what CLIENT TRACKING has been told."""

from __future__ import annotations

import re
from typing import Final, NotRequired, TypedDict

from ..wire.values import Reply
from .readers import unexpected
from .readers_own import Record, own

__all__ = ["ClientInfo", "TrackingInfo"]


class ClientInfo(TypedDict):
    """A connection, as its server knows it; times are in seconds, sizes in bytes.

    Servers of different age say different things; a field that this version does not know is kept as it came.
    """

    id: int
    addr: str
    laddr: NotRequired[str]
    fd: int
    name: str
    age: int
    idle: int
    flags: str
    capa: NotRequired[str]
    """(Valkey 8.0)"""
    db: int
    sub: int
    psub: int
    ssub: NotRequired[int]
    multi: int
    watch: NotRequired[int]
    qbuf: int
    qbuf_free: int
    argv_mem: NotRequired[int]
    multi_mem: NotRequired[int]
    rbs: NotRequired[int]
    rbp: NotRequired[int]
    obl: int
    oll: int
    omem: int
    tot_mem: NotRequired[int]
    events: str
    cmd: str
    user: str
    redir: NotRequired[int]
    resp: NotRequired[int]
    lib_name: NotRequired[str]
    lib_ver: NotRequired[str]
    io_thread: NotRequired[int]
    """(Redis 8.0)"""
    tot_net_in: NotRequired[int]
    tot_net_out: NotRequired[int]
    tot_cmds: NotRequired[int]


class TrackingInfo(TypedDict):
    """What a connection is told of keys that change. A field that this version does not know is kept as it came."""

    flags: set[str]
    redirect: int
    prefixes: list[str]


CLIENT: Final = Record(ClientInfo)
TRACKING: Final = Record(TrackingInfo)


def _client_info(line: str) -> ClientInfo:
    """Return one connection. Only the path of a unix socket may have a space in it."""
    words = [word.partition("=") for word in re.split(r" (?=[a-z][a-z-]*=)", line)]
    return CLIENT.read([(name, value) for name, _, value in words])


def one_client_info(reply: Reply, _text: object = None) -> ClientInfo:
    """The line of one connection."""
    found = client_infos(reply)
    if len(found) != 1:
        raise unexpected("a line about one connection", reply)
    return found[0]


def client_infos(reply: Reply, _text: object = None) -> list[ClientInfo]:
    """A line for each connection."""
    if not isinstance(reply, bytes):
        raise unexpected("lines about connections", reply)
    return [_client_info(line) for line in own(reply).split("\n") if line]


def tracking_info(reply: Reply, _text: object = None) -> TrackingInfo:
    """What a connection is told."""
    return TRACKING(reply)


def pong(reply: Reply, _text: object = None) -> str:
    """PONG, which a connection with subscriptions says in an array on RESP2."""
    if reply in ("PONG", [b"pong", b""]):
        return "PONG"
    raise unexpected("PONG", reply)
