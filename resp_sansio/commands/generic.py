"""Commands on keys of any type."""

from __future__ import annotations

from ..wire.encoder import Argument
from .arguments import condition, credentials, exclusive, given, sorting
from .command import Command
from .decoding import Binary
from .readers import bulks, done, maybe_bulk, maybe_bulks, maybe_whole, scanned, truth, whole, word
from .readers_own import maybe_own_text
from .readers_strings import maybe_binary, migrated


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


def copy(source: Argument, destination: Argument, *, db: int | None = None, replace: bool = False) -> Command[bool]:
    """Copy a key, to database `db` if that is given; return whether it was done (Redis 6.2).

    If there is a `destination`, only with `replace`.
    """
    return Command("COPY", source, destination, *given("COPY", db=db, replace=replace), read=truth)


def move(key: Argument, db: int) -> Command[bool]:
    """Move `key` to another database; return whether it was done: there must be one here and none there."""
    return Command("MOVE", key, db, read=truth)


def randomkey() -> Command[bytes | None]:
    """Return any key, None if there is none."""
    return Command("RANDOMKEY", read=maybe_bulk)


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


def expiretime(key: Argument) -> Command[int]:
    """Return the Unix time in seconds at which `key` expires; -1 if it does not, -2 if there is none (Redis 7.0)."""
    return Command("EXPIRETIME", key, read=whole)


def pexpiretime(key: Argument) -> Command[int]:
    """As `expiretime`, in milliseconds (Redis 7.0)."""
    return Command("PEXPIRETIME", key, read=whole)


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


def dump(key: Argument) -> Command[Binary | None]:
    """Return the value of `key` in the server's own format, for `restore`; None if there is none."""
    return Command("DUMP", key, read=maybe_binary)


def restore(
    key: Argument,
    ttl: int,
    serialized_value: Argument,
    *,
    replace: bool = False,
    absttl: bool = False,
    idletime: int | None = None,
    freq: int | None = None,
) -> Command[None]:
    """Make `key` of what `dump` returned. If there is one, only with `replace`, else the server's error is `BUSYKEY`.

    It expires in `ttl` milliseconds, 0 for never; with `absttl` that is a Unix time. `idletime` and `freq` say what
    `object_idletime` or `object_freq` returned.
    """
    options = given("RESTORE", replace=replace, absttl=absttl)
    use = exclusive("RESTORE", idletime=idletime, freq=freq)
    return Command("RESTORE", key, ttl, serialized_value, *options, *use, read=done)


def migrate(
    host: Argument,
    port: int,
    key: Argument,
    destination_db: int,
    timeout: int,
    *keys: Argument,
    copy: bool = False,
    replace: bool = False,
    auth: Argument | None = None,
    auth2: tuple[Argument, Argument] | None = None,
) -> Command[bool]:
    """Move keys to another server; return False if there is none of them.

    The server here waits for the other one up to `timeout` milliseconds for each step. With `copy`, the keys stay here, too;
    with `replace`, those there are replaced. `auth` is the password there, `auth2` a user's name and password.
    """
    options = [*given("MIGRATE", copy=copy, replace=replace), *credentials("MIGRATE", auth, auth2)]
    if keys:
        return Command("MIGRATE", host, port, "", destination_db, timeout, *options, "KEYS", key, *keys, read=migrated)
    return Command("MIGRATE", host, port, key, destination_db, timeout, *options, read=migrated)


def object_encoding(key: Argument) -> Command[str | None]:
    """Return how the value of `key` is kept in memory, such as `embstr` or `listpack`; None if there is none."""
    return Command("OBJECT ENCODING", key, read=maybe_own_text)


def object_freq(key: Argument) -> Command[int | None]:
    """Return how often `key` was accessed, on a logarithmic scale; None if there is none. Needs an LFU `maxmemory-policy`."""
    return Command("OBJECT FREQ", key, read=maybe_whole)


def object_idletime(key: Argument) -> Command[int | None]:
    """Return for how many seconds `key` was not accessed; None if there is none. Needs another `maxmemory-policy` than LFU."""
    return Command("OBJECT IDLETIME", key, read=maybe_whole)


def object_refcount(key: Argument) -> Command[int | None]:
    """Return the number of references to the value of `key`; None if there is none."""
    return Command("OBJECT REFCOUNT", key, read=maybe_whole)


def sort(
    key: Argument,
    *,
    by: Argument | None = None,
    limit: tuple[int, int] | None = None,
    desc: bool = False,
    alpha: bool = False,
) -> Command[list[bytes]]:
    """Return the elements of a list, set or sorted set in their order as numbers, with `alpha` as text; with `desc` backwards.

    `by` names other keys to sort by, with a `*` for the element: `weight_*`, or `user_*->age` for a hash's field. Without a `*`
    nothing is sorted. `limit`, offset and count, takes a part.
    """
    return Command("SORT", key, *sorting("SORT", by, limit, (), desc, alpha), read=bulks)


def sort_get(
    key: Argument,
    pattern: Argument,
    *patterns: Argument,
    by: Argument | None = None,
    limit: tuple[int, int] | None = None,
    desc: bool = False,
    alpha: bool = False,
) -> Command[list[bytes | None]]:
    """As `sort`, and return for each element the values that the patterns name, one after the other; None if there is none.

    A pattern is as for `by`; `#` is the element itself.
    """
    return Command("SORT", key, *sorting("SORT", by, limit, (pattern, *patterns), desc, alpha), read=maybe_bulks)


def sort_store(
    key: Argument,
    destination: Argument,
    *patterns: Argument,
    by: Argument | None = None,
    limit: tuple[int, int] | None = None,
    desc: bool = False,
    alpha: bool = False,
) -> Command[int]:
    """Store in a list what `sort`, or with patterns `sort_get`, would return; return its length."""
    words = sorting("SORT", by, limit, patterns, desc, alpha)
    return Command("SORT", key, *words, "STORE", destination, read=whole)


def sort_ro(
    key: Argument,
    *,
    by: Argument | None = None,
    limit: tuple[int, int] | None = None,
    desc: bool = False,
    alpha: bool = False,
) -> Command[list[bytes]]:
    """As `sort`; a replica may answer it, and it may be tried again (Redis 7.0)."""
    return Command("SORT_RO", key, *sorting("SORT_RO", by, limit, (), desc, alpha), read=bulks)


def sort_ro_get(
    key: Argument,
    pattern: Argument,
    *patterns: Argument,
    by: Argument | None = None,
    limit: tuple[int, int] | None = None,
    desc: bool = False,
    alpha: bool = False,
) -> Command[list[bytes | None]]:
    """As `sort_get`; a replica may answer it, and it may be tried again (Redis 7.0)."""
    return Command("SORT_RO", key, *sorting("SORT_RO", by, limit, (pattern, *patterns), desc, alpha), read=maybe_bulks)
