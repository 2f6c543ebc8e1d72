"""Commands on functions: scripts that the server keeps in libraries (Redis 7.0)."""

from __future__ import annotations

from ..wire.encoder import Argument
from ..wire.values import Reply
from .arguments import given
from .arguments_server import Restoring, sooner_or_later, valued
from .command import Command
from .decoding import Binary
from .readers import anything, done
from .readers_functions import FunctionStats, Library, binary, function_statistics, libraries
from .readers_own import own_text


def fcall(function: Argument, numkeys: int, *keys_and_args: Argument) -> Command[Reply]:
    """Run a function; return what it returns, as it comes (Redis 7.0)."""
    return Command("FCALL", function, numkeys, *keys_and_args, read=anything)


def fcall_ro(function: Argument, numkeys: int, *keys_and_args: Argument) -> Command[Reply]:
    """Run a function that changes nothing; return what it returns, as it comes (Redis 7.0)."""
    return Command("FCALL_RO", function, numkeys, *keys_and_args, read=anything)


def function_load(function_code: Argument, *, replace: bool = False) -> Command[str]:
    """Give the server a library, perhaps in place of the one of its name; return its name (Redis 7.0)."""
    return Command("FUNCTION LOAD", *given("FUNCTION LOAD", replace=replace), function_code, read=own_text)


def function_delete(library_name: Argument) -> Command[None]:
    """Delete a library with its functions (Redis 7.0)."""
    return Command("FUNCTION DELETE", library_name, read=done)


def function_list(*, libraryname: Argument | None = None, withcode: bool = False) -> Command[list[Library]]:
    """Return the libraries, or those whose name a pattern matches, with their code if asked (Redis 7.0)."""
    chosen = valued(libraryname=libraryname)
    return Command("FUNCTION LIST", *chosen, *given("FUNCTION LIST", withcode=withcode), read=libraries)


def function_dump() -> Command[Binary]:
    """Return all libraries, for `function_restore` (Redis 7.0)."""
    return Command("FUNCTION DUMP", read=binary)


def function_restore(serialized_value: Argument, policy: Restoring | None = None) -> Command[None]:
    """Add the libraries of a dump to those there are (`APPEND`), in place of the same (`REPLACE`) or of all (Redis 7.0)."""
    return Command("FUNCTION RESTORE", serialized_value, *(() if policy is None else (policy,)), read=done)


def function_flush(*, asynchronous: bool = False, sync: bool = False) -> Command[None]:
    """Delete all libraries; free their memory later, or at once (Redis 7.0)."""
    return Command("FUNCTION FLUSH", *sooner_or_later("FUNCTION FLUSH", asynchronous, sync), read=done)


def function_kill() -> Command[None]:
    """End the function that runs now, if it has changed nothing yet (Redis 7.0)."""
    return Command("FUNCTION KILL", read=done)


def function_stats() -> Command[FunctionStats]:
    """Return which function or script runs now, and how many functions there are (Redis 7.0)."""
    return Command("FUNCTION STATS", read=function_statistics)
