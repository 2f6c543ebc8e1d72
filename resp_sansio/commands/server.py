"""Commands about the server itself: its state, its settings, its copies on disk and on other servers, its modules."""

from __future__ import annotations

from ..wire.encoder import Argument
from .arguments import NONE, Fields, given, in_turn
from .arguments_server import configured, counted, followed, sooner_or_later
from .command import Command
from .readers import done, facts, moment, settings, two_wholes, whole, word
from .readers_own import own_text, own_texts
from .readers_server import BackupStatus, ModuleInfo, Role, backup_state, module_infos, role_of_server


def time() -> Command[tuple[int, int]]:
    """Return the server's Unix time: seconds, and microseconds on top."""
    return Command("TIME", read=moment)


def info(*sections: Argument) -> Command[dict[str, str]]:
    """Return what the server says of itself, by name; several sections at a time are of Redis 7.0.

    Where several lines have one name (`module`), its value has a line for each.
    """
    return Command("INFO", *sections, read=facts)


def dbsize() -> Command[int]:
    """Return the number of keys."""
    return Command("DBSIZE", read=whole)


def flushdb(*, asynchronous: bool = False, sync: bool = False) -> Command[None]:
    """Delete all keys of this database; free their memory later, or at once (`sync`, Redis 6.2)."""
    return Command("FLUSHDB", *sooner_or_later("FLUSHDB", asynchronous, sync), read=done)


def flushall(*, asynchronous: bool = False, sync: bool = False) -> Command[None]:
    """Delete all keys of all databases; free their memory later, or at once (`sync`, Redis 6.2)."""
    return Command("FLUSHALL", *sooner_or_later("FLUSHALL", asynchronous, sync), read=done)


def swapdb(index1: int, index2: int) -> Command[None]:
    """Have two databases change places: each connection finds in its own what was in the other."""
    return Command("SWAPDB", index1, index2, read=done)


def lolwut(*, version: int | None = None) -> Command[str]:
    """Return a picture, or a text, and the server's version."""
    return Command("LOLWUT", *counted("LOLWUT", version=version), read=own_text)


# -- settings -------------------------------------------------------------------------------------------------------------------


def config_get(parameter: Argument, *parameters: Argument) -> Command[dict[str, str]]:
    """Return the settings that these patterns match; several at a time are of Redis 7.0."""
    return Command("CONFIG GET", parameter, *parameters, read=settings)


def config_set(
    parameter: Argument | None = None, value: Argument | None = None, *, mapping: Fields = NONE
) -> Command[None]:
    """Change a setting until the server ends, or several, all or none of them (`mapping`, Redis 7.0)."""
    if parameter is None and value is None:
        if not mapping:
            raise ValueError("config_set must be given parameter and value, or a mapping")
        return Command("CONFIG SET", *in_turn("CONFIG SET", "mapping", mapping), read=done)
    if parameter is None or value is None:
        raise ValueError("parameter and value go together")
    return Command("CONFIG SET", parameter, value, *in_turn("CONFIG SET", "mapping", mapping), read=done)


def config_resetstat() -> Command[None]:
    """Set the counters that INFO shows back to zero."""
    return Command("CONFIG RESETSTAT", read=done)


def config_rewrite() -> Command[None]:
    """Write the settings as they are to the file that the server was started with."""
    return Command("CONFIG REWRITE", read=done)


# -- copies on disk, and the server's end ------------------------------------------------------------------------------------


def save() -> Command[None]:
    """Write all data to disk; no other command is executed meanwhile."""
    return Command("SAVE", read=done)


def bgsave(*, schedule: bool = False) -> Command[str]:
    """Begin to write all data to disk, or as soon as it can be done (`schedule`); return what the server says of it."""
    return Command("BGSAVE", *given("BGSAVE", schedule=schedule), read=word)


def bgsave_cancel() -> Command[str]:
    """Give up what BGSAVE has begun or is to begin; return what the server says of it (Valkey 8.1)."""
    return Command("BGSAVE", "CANCEL", read=word)


def bgrewriteaof() -> Command[str]:
    """Begin to write the append-only file anew; return what the server says of it."""
    return Command("BGREWRITEAOF", read=word)


def lastsave() -> Command[int]:
    """Return the Unix time at which all data was on disk."""
    return Command("LASTSAVE", read=whole)


def shutdown(*, nosave: bool = False, save: bool = False, now: bool = False, force: bool = False) -> Command[None]:
    """Have the server end. It answers only if it does not, with an error; if it does, its connections are lost.

    `now` and `force` are of Redis 7.0.
    """
    if nosave and save:
        raise ValueError("nosave and save exclude each other")
    return Command("SHUTDOWN", *given("SHUTDOWN", nosave=nosave, save=save, now=now, force=force), read=done)


def shutdown_abort() -> Command[None]:
    """Give up a SHUTDOWN that waits for replicas (Redis 7.0)."""
    return Command("SHUTDOWN", "ABORT", read=done)


# -- backups ----------------------------------------------------------------------------------------------------------------


def backup_start() -> Command[None]:
    """Begin a backup in the folder that the setting `backupdirname` names (Redis 8.10)."""
    return Command("BACKUP START", read=done)


def backup_seal() -> Command[None]:
    """End a backup: what is in it is all that was written until now (Redis 8.10)."""
    return Command("BACKUP SEAL", read=done)


def backup_abort() -> Command[None]:
    """Give up a backup that is not sealed (Redis 8.10)."""
    return Command("BACKUP ABORT", read=done)


def backup_cleanup() -> Command[None]:
    """Delete the files of a backup that is sealed or has failed (Redis 8.10)."""
    return Command("BACKUP CLEANUP", read=done)


def backup_list() -> Command[list[str]]:
    """Return the paths of the files that are finished (Redis 8.10)."""
    return Command("BACKUP LIST", read=own_texts)


def backup_status() -> Command[BackupStatus]:
    """Return how far a backup has come (Redis 8.10)."""
    return Command("BACKUP STATUS", read=backup_state)


# -- copies on other servers ---------------------------------------------------------------------------------------------------


def role() -> Command[Role]:
    """Return what the server is, and what it knows of those that it copies, or that copy it."""
    return Command("ROLE", read=role_of_server)


def replicaof(host: Argument, port: int) -> Command[None]:
    """Make the server a copy of another one: what it has is lost."""
    return Command("REPLICAOF", host, port, read=done)


def replicaof_no_one() -> Command[None]:
    """Have the server keep what it has, and copy no other any more."""
    return Command("REPLICAOF", "NO", "ONE", read=done)


def failover(
    *, host: Argument | None = None, port: int | None = None, force: bool = False, timeout: int | None = None
) -> Command[None]:
    """Begin to change places with a replica: this one, or the first that has all data (Redis 6.2).

    After `timeout` milliseconds it is given up, or done all the same (`force`).
    """
    if (host is None) != (port is None):
        raise ValueError("host and port go together")
    forced, limit = given("FAILOVER", force=force), counted("FAILOVER", timeout=timeout)
    if forced and (host is None or not limit):
        raise ValueError("force goes with host, port and timeout")
    to = () if host is None else ("TO", host, *counted("FAILOVER", port=port)[1:])
    return Command("FAILOVER", *to, *forced, *limit, read=done)


def failover_abort() -> Command[None]:
    """Give up a FAILOVER (Redis 6.2)."""
    return Command("FAILOVER", "ABORT", read=done)


def wait(numreplicas: int, timeout: int) -> Command[int]:
    """Wait until replicas have what was written before on this connection; return how many have.

    Up to `timeout` milliseconds, 0 for ever.
    """
    return Command("WAIT", numreplicas, timeout, read=whole)


def waitaof(numlocal: int, numreplicas: int, timeout: int) -> Command[tuple[int, int]]:
    """Wait until what was written before on this connection is on disk here (`numlocal` 1), and at replicas (Redis 7.2).

    Up to `timeout` milliseconds, 0 for ever. Return how many have it: 0 or 1, and the number of replicas.
    """
    return Command("WAITAOF", numlocal, numreplicas, timeout, read=two_wholes)


# -- modules ---------------------------------------------------------------------------------------------------------------------


def module_list() -> Command[list[ModuleInfo]]:
    """Return the modules that are loaded."""
    return Command("MODULE LIST", read=module_infos)


def module_load(path: Argument, *args: Argument) -> Command[None]:
    """Load a module from a file, with its arguments."""
    return Command("MODULE LOAD", path, *args, read=done)


def module_loadex(path: Argument, *args: Argument, config: Fields = NONE) -> Command[None]:
    """Load a module from a file, with its settings and its arguments (Redis 7.0)."""
    configuration = configured("MODULE LOADEX", config)
    return Command("MODULE LOADEX", path, *configuration, *followed("ARGS", args), read=done)


def module_unload(name: Argument) -> Command[None]:
    """Unload a module."""
    return Command("MODULE UNLOAD", name, read=done)
