"""The server before and after: nothing of its owner's is touched, and nothing of the comparison's stays.

All keys begin with a prefix of their own, and whatever ends the comparison, an error or Ctrl-C, they are looked for and removed.
"""

from __future__ import annotations

import contextlib
import secrets
import signal
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from resp_sansio import Config
from resp_sync import Client, ReplyError, RespError, connect

from .._findings import printable
from .._info import count, read_info, size
from .meter import CLIENT_NAME
from .workload import Load

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["ENDINGS", "KeysLeftError", "NotEmptyError", "NotWrittenError", "new_prefix", "prepared", "uninterrupted"]

NOT_EMPTY: Final = """\
The database is not empty: it has {0} keys. With --yes the comparison runs there all the same, on keys of its own, which it
removes; but the server will be as busy as it can be, and others will notice."""


ENDINGS: Final = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""What ends the command before its time: Ctrl-C, a request, and a terminal that is closed."""


class NotEmptyError(Exception):
    """The database has keys, and it was not said that this is right."""


class NotWrittenError(Exception):
    """No key was written: it could not be removed again, or others might have to go for it."""


def new_prefix() -> str:
    """Return a prefix that no other key has."""
    return f"resp-sansio:compare:{secrets.token_hex(4)}:"


class KeysLeftError(Exception):
    """The comparison's keys could not be removed; the message says how they begin."""


@contextlib.contextmanager
def prepared(url: str, load: Load, prefix: str, *, not_empty: bool) -> Iterator[str]:
    """Inside the block the load's keys are there; behind it, none of the prefix. Gives the server's name and version.

    Raises `NotEmptyError` if the database has keys and may not, and `NotWrittenError`, before anything is changed.
    """
    with _opened(url) as (connection, servers):
        there = sum(server.dbsize() for server in servers)
        if there and not not_empty:
            raise NotEmptyError(NOT_EMPTY.format(there))
        name = _name(servers[0]) + (f", a cluster of {len(servers)} masters" if connection not in servers else "")
        try:
            for server in servers:
                server.scan(match=f"{prefix}*", count=1)
            connection.unlink(prefix)  # which is not there
        except ReplyError as error:
            raise NotWrittenError(
                f"The keys of the comparison could not be removed again, so none was written: {error}"
            ) from error
        for server in servers:
            _check_room(server, load, len(servers))
        try:
            for words in _portions(load.before()):
                with connection.pipeline() as pipe:
                    results = [pipe.execute(*each) for each in words]
                for result in results:
                    result.result()
            yield name
        finally:
            with uninterrupted():
                _remove(url, prefix)


@contextlib.contextmanager
def _opened(url: str) -> Iterator[tuple[Any, Sequence[Any]]]:
    """Give what all commands are asked of, and the servers that have keys: of one server a connection is both."""
    named = f"{CLIENT_NAME}-keys"
    if Config.from_url(url).cluster:
        with Client(url, client_name=named) as client:
            yield client, [node for node in client.nodes() if node.is_master]
    else:
        with connect(url, client_name=named) as connection:
            yield connection, [connection]


def _portions(commands: Iterator[tuple[bytes, ...]]) -> Iterator[list[tuple[bytes, ...]]]:
    """Return the commands by the hundred, or by the megabyte."""
    portion, length = [], 0
    for words in commands:
        portion.append(words)
        length += sum(map(len, words))
        if len(portion) == 100 or length > 1_000_000:
            yield portion
            portion, length = [], 0
    if portion:
        yield portion


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Inside the block, Ctrl-C and the like do nothing: it is what removes the keys."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.signal(each, signal.SIG_IGN) for each in ENDINGS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _info(connection: Any, section: str) -> dict[str, str]:
    """Return a section of INFO, which may be forbidden."""
    try:
        said = connection.execute("INFO", section)
    except ReplyError:
        said = b""
    return read_info(said.decode(errors="replace")) if isinstance(said, bytes) else {}


def _check_room(connection: Any, load: Load, servers: int) -> None:
    """Raise `NotWrittenError` if a server that has a limit would evict keys, whosever they are, for its part of the load's."""
    told = _info(connection, "memory")
    limit, used = count(told, "maxmemory"), count(told, "used_memory")
    if not limit or told.get("maxmemory_policy", "noeviction") == "noeviction":
        return
    needed = sum(len(word) for words in load.before() for word in words) // servers
    if used + needed > limit:
        raise NotWrittenError(
            f"The keys of the comparison need {size(needed)}, and the server, which has {size(used)} of {size(limit)}, "
            "would evict others for them, so none was written. Smaller values (--size) or fewer keys (--keys) may fit."
        )


def _name(connection: Any) -> str:
    """Return `Redis 7.2.4`, as INFO says it, where Valkey tells its version under its own name."""
    told = _info(connection, "server")
    for name in ("valkey", "redis"):
        if version := told.get(f"{name}_version"):
            return f"{name.capitalize()} {printable(version)}"
    return "a server that does not tell its version"


def _remove(url: str, prefix: str) -> None:
    """Remove all keys of the prefix, once the connections of the comparison are gone: their last commands might make some."""
    try:
        with _opened(url) as (connection, servers):
            give_up = time.monotonic() + 2
            while any(map(_others, servers)) and time.monotonic() < give_up:
                time.sleep(0.02)
            for server in servers:
                while _remove_once(connection, server, prefix):
                    pass
    except (RespError, OSError) as error:
        raise KeysLeftError(f"Keys that begin with {prefix} may be left on the server: {error}") from error


def _others(connection: Any) -> bool:
    try:
        listed = connection.execute("CLIENT", "LIST")
    except RespError:  # it may be forbidden, and proxies don't know it
        return False
    return f" name={CLIENT_NAME} " in str(listed)


def _remove_once(connection: Any, server: Any, prefix: str) -> int:
    """Go over the keys of a server once; return how many were removed."""
    removed, cursor = 0, 0
    while True:
        cursor, keys = server.scan(cursor, match=f"{prefix}*", count=1000)
        with connection.pipeline() as pipe:
            results = [pipe.unlink(key) for key in keys]  # one by one: in a cluster they are in many hash slots
        for result in results:
            result.result()  # a server that refuses would refuse for ever
        removed += len(keys)
        if not cursor:
            return removed
