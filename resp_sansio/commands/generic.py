"""Commands on keys of any type."""

from __future__ import annotations

from ..wire.encoder import Argument
from .arguments import condition, given
from .command import Command
from .readers import bulks, done, scanned, truth, whole, word


def delete(key: Argument, *keys: Argument) -> Command[int]:
    """Delete the keys (DEL); return how many there were."""
    return Command("DEL", key, *keys, read=whole)


def unlink(key: Argument, *keys: Argument) -> Command[int]:
    """Delete the keys, and free their memory later; return how many there were."""
    return Command("UNLINK", key, *keys, read=whole)


def exists(key: Argument, *keys: Argument) -> Command[int]:
    """Return how many of the keys exist; one that is named twice counts twice."""
    return Command("EXISTS", key, *keys, read=whole)


def touch(key: Argument, *keys: Argument) -> Command[int]:
    """Count as an access to the keys; return how many there are."""
    return Command("TOUCH", key, *keys, read=whole)


def expire(
    key: Argument, seconds: int, *, nx: bool = False, xx: bool = False, gt: bool = False, lt: bool = False
) -> Command[bool]:
    """Let `key` expire in so many seconds; return whether that was set.

    Only if it has no expiry (`nx`), has one (`xx`), has an earlier one (`gt`), has a later one or none (`lt`): Redis 7.0.
    """
    return Command("EXPIRE", key, seconds, *condition("EXPIRE", nx, xx, gt, lt), read=truth)


def pexpire(
    key: Argument, milliseconds: int, *, nx: bool = False, xx: bool = False, gt: bool = False, lt: bool = False
) -> Command[bool]:
    """As `expire`, in milliseconds."""
    return Command("PEXPIRE", key, milliseconds, *condition("PEXPIRE", nx, xx, gt, lt), read=truth)


def expireat(
    key: Argument, unix_time_seconds: int, *, nx: bool = False, xx: bool = False, gt: bool = False, lt: bool = False
) -> Command[bool]:
    """As `expire`, at a Unix time in seconds."""
    return Command("EXPIREAT", key, unix_time_seconds, *condition("EXPIREAT", nx, xx, gt, lt), read=truth)


def pexpireat(
    key: Argument,
    unix_time_milliseconds: int,
    *,
    nx: bool = False,
    xx: bool = False,
    gt: bool = False,
    lt: bool = False,
) -> Command[bool]:
    """As `expire`, at a Unix time in milliseconds."""
    return Command("PEXPIREAT", key, unix_time_milliseconds, *condition("PEXPIREAT", nx, xx, gt, lt), read=truth)


def persist(key: Argument) -> Command[bool]:
    """Let `key` not expire; return whether it would have."""
    return Command("PERSIST", key, read=truth)


def ttl(key: Argument) -> Command[int]:
    """Return in how many seconds `key` expires; -1 if it does not, -2 if there is none."""
    return Command("TTL", key, read=whole)


def pttl(key: Argument) -> Command[int]:
    """As `ttl`, in milliseconds."""
    return Command("PTTL", key, read=whole)


def type(key: Argument) -> Command[str]:
    """Return what `key` holds: `string`, `list`, `set`, `zset`, `hash`, `stream`, a module's type, or `none`."""
    return Command("TYPE", key, read=word)


def rename(key: Argument, newkey: Argument) -> Command[None]:
    """Rename `key`; what `newkey` held is lost."""
    return Command("RENAME", key, newkey, read=done)


def renamenx(key: Argument, newkey: Argument) -> Command[bool]:
    """Rename `key` if there is no `newkey`; return whether it was done."""
    return Command("RENAMENX", key, newkey, read=truth)


def keys(pattern: Argument) -> Command[list[bytes]]:
    """Return all keys that match; on a large database the server does nothing else meanwhile, so use `scan`."""
    return Command("KEYS", pattern, read=bulks)


def scan(
    cursor: int = 0, *, match: Argument | None = None, count: int | None = None, type: Argument | None = None
) -> Command[tuple[int, list[bytes]]]:
    """Return where to go on, 0 if that was all, and some keys; one may come more than once."""
    return Command("SCAN", cursor, *given("SCAN", match=match, count=count, type=type), read=scanned)
