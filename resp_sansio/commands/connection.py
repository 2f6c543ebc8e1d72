"""Commands about connections: the one that they are sent on, and those of others."""

from __future__ import annotations

from ..wire.encoder import Argument
from .arguments import NONE, Fields, given
from .arguments_server import counted, excluded, followed, on_or_off, skipping, valued, yes_no
from .command import Command
from .readers import bulk, done, truth, whole, word
from .readers_connection import ClientInfo, TrackingInfo, client_infos, one_client_info, pong, tracking_info
from .readers_own import maybe_own_text


def ping() -> Command[str]:
    """Return `PONG`."""
    return Command("PING", read=pong)


def echo(message: Argument) -> Command[bytes]:
    """Return the message."""
    return Command("ECHO", message, read=bulk)


def auth(password: Argument, *, username: Argument | None = None) -> Command[None]:
    """Become this user, or the default one, on this connection."""
    return Command("AUTH", *(() if username is None else (username,)), password, read=done)


def select(index: int) -> Command[None]:
    """Use another database on this connection."""
    return Command("SELECT", index, read=done)


def reset() -> Command[str]:
    """Make this connection what it was when it was opened, without a user; return `RESET` (Redis 6.2)."""
    return Command("RESET", read=word)


def quit() -> Command[None]:
    """Have the server close this connection."""
    return Command("QUIT", read=done)


def asking() -> Command[None]:
    """Let the next command on this connection use a slot that is being imported."""
    return Command("ASKING", read=done)


def readonly() -> Command[None]:
    """Let this connection read from a cluster's replica."""
    return Command("READONLY", read=done)


def readwrite() -> Command[None]:
    """Have a cluster's replica redirect reads on this connection again."""
    return Command("READWRITE", read=done)


def client_id() -> Command[int]:
    """Return the number of the connection that this is sent on."""
    return Command("CLIENT ID", read=whole)


def client_info() -> Command[ClientInfo]:
    """Return what the server knows of this connection (Redis 6.2)."""
    return Command("CLIENT INFO", read=one_client_info)


def client_list(
    *ids: int,
    type: Argument | None = None,
    user: Argument | None = None,
    addr: Argument | None = None,
    laddr: Argument | None = None,
    skipme: bool | None = None,
    maxage: int | None = None,
    name: Argument | None = None,
    idle: int | None = None,
    flags: Argument | None = None,
    lib_name: Argument | None = None,
    lib_ver: Argument | None = None,
    db: int | None = None,
    capa: Argument | None = None,
    ip: Argument | None = None,
    but_not: Fields = NONE,
) -> Command[list[ClientInfo]]:
    """Return what the server knows of its connections, or of those with these numbers and properties.

    `type` is `normal`, `master`, `replica` or `pubsub`. `user` to `maxage` are of Valkey 8.1, all after them of Valkey 9.0:
    `but_not={"name": "worker"}` leaves out those of that name.
    """
    texts = valued(type=type, user=user, addr=addr, laddr=laddr, name=name, flags=flags, lib_name=lib_name)
    more = [*texts, *valued(lib_ver=lib_ver, capa=capa, ip=ip), *skipping("CLIENT LIST", skipme)]
    numbers = counted("CLIENT LIST", maxage=maxage, idle=idle, db=db)
    found = [*more, *numbers, *excluded("CLIENT LIST", but_not), *followed("ID", ids)]
    return Command("CLIENT LIST", *found, read=client_infos)


def client_kill(
    *ids: int,
    type: Argument | None = None,
    user: Argument | None = None,
    addr: Argument | None = None,
    laddr: Argument | None = None,
    skipme: bool | None = None,
    maxage: int | None = None,
    name: Argument | None = None,
    idle: int | None = None,
    flags: Argument | None = None,
    lib_name: Argument | None = None,
    lib_ver: Argument | None = None,
    db: int | None = None,
    capa: Argument | None = None,
    ip: Argument | None = None,
    but_not: Fields = NONE,
) -> Command[int]:
    """Close the connections with these properties; return how many there were.

    This connection is not one of them, except with `skipme=False`. Several numbers at a time are of Valkey 8.1, `maxage`
    of Redis 7.4 and Valkey 8.0, all after it of Valkey 9.0: `but_not={"name": "worker"}` spares those of that name.
    """
    texts = valued(type=type, user=user, addr=addr, laddr=laddr, name=name, flags=flags, lib_name=lib_name)
    more = [*texts, *valued(lib_ver=lib_ver, capa=capa, ip=ip)]
    numbers = counted("CLIENT KILL", maxage=maxage, idle=idle, db=db)
    found = [*more, *numbers, *excluded("CLIENT KILL", but_not), *followed("ID", ids)]
    if not found:  # a server would close all
        raise ValueError("client_kill must be told which connections to close")
    return Command("CLIENT KILL", *skipping("CLIENT KILL", skipme), *found, read=whole)


def client_getname() -> Command[str | None]:
    """Return the name of this connection, None if it has none."""
    return Command("CLIENT GETNAME", read=maybe_own_text)


def client_setname(connection_name: Argument) -> Command[None]:
    """Give this connection a name. Clients give each of theirs the option `client_name`."""
    return Command("CLIENT SETNAME", connection_name, read=done)


def client_setinfo(attr: Argument, value: Argument) -> Command[None]:
    """Tell the server about the library of this connection: `lib-name` or `lib-ver` (Redis 7.2).

    Connections tell it when they are opened.
    """
    return Command("CLIENT SETINFO", attr, value, read=done)


def client_no_evict(enabled: bool) -> Command[None]:
    """Spare this connection, or not, when connections are closed for want of memory (Redis 7.0)."""
    return Command("CLIENT NO-EVICT", on_or_off("CLIENT NO-EVICT", enabled), read=done)


def client_no_touch(enabled: bool) -> Command[None]:
    """Let commands on this connection leave alone, or not, when keys were last used (Redis 7.2)."""
    return Command("CLIENT NO-TOUCH", on_or_off("CLIENT NO-TOUCH", enabled), read=done)


def client_pause(timeout: int, *, write: bool = False) -> Command[None]:
    """Let the commands of all clients wait for so many milliseconds, or those alone that may write (Redis 6.2)."""
    return Command("CLIENT PAUSE", timeout, *given("CLIENT PAUSE", write=write), read=done)


def client_unpause() -> Command[None]:
    """Let all clients go on (Redis 6.2)."""
    return Command("CLIENT UNPAUSE", read=done)


def client_unblock(client_id: int, *, error: bool = False) -> Command[bool]:
    """End what another connection waits for, as if its time was over or with an error; was it waiting?"""
    return Command("CLIENT UNBLOCK", client_id, *given("CLIENT UNBLOCK", error=error), read=truth)


def client_getredir() -> Command[int]:
    """Return which connection is told of keys that change: -1 if tracking is off, 0 for this one."""
    return Command("CLIENT GETREDIR", read=whole)


def client_tracking(
    enabled: bool,
    *prefixes: Argument,
    redirect: int | None = None,
    bcast: bool = False,
    optin: bool = False,
    optout: bool = False,
    noloop: bool = False,
) -> Command[None]:
    """Have this connection be told, or not, when keys change that it has read, or all with these prefixes (`bcast`)."""
    options = given("CLIENT TRACKING", bcast=bcast, optin=optin, optout=optout, noloop=noloop)
    if optin and optout:
        raise ValueError("optin and optout exclude each other")
    to = counted("CLIENT TRACKING", redirect=redirect)
    each = [part for prefix in prefixes for part in ("PREFIX", prefix)]
    return Command("CLIENT TRACKING", on_or_off("CLIENT TRACKING", enabled), *to, *each, *options, read=done)


def client_trackinginfo() -> Command[TrackingInfo]:
    """Return what this connection is told of keys that change (Redis 6.2)."""
    return Command("CLIENT TRACKINGINFO", read=tracking_info)


def client_caching(enabled: bool) -> Command[None]:
    """Have the keys of the next command on this connection be tracked, or not, with `optin` or `optout`."""
    return Command("CLIENT CACHING", yes_no("CLIENT CACHING", "enabled", enabled), read=done)


def client_capa(capability: Argument, *capabilities: Argument) -> Command[None]:
    """Tell the server what this connection can do, such as `redirect` (Valkey 8.0)."""
    return Command("CLIENT CAPA", capability, *capabilities, read=done)


def client_import_source(enabled: bool) -> Command[None]:
    """Mark this connection, or not, as one that brings data from another server (Valkey 8.1)."""
    return Command("CLIENT IMPORT-SOURCE", on_or_off("CLIENT IMPORT-SOURCE", enabled), read=done)
