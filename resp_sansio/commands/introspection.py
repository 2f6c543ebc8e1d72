"""Commands about commands: COMMAND and its subcommands."""

from __future__ import annotations

from ..wire.encoder import Argument
from .arguments_server import valued
from .command import Command
from .readers import bulks, whole
from .readers_introspection import (
    CommandDetails,
    CommandDocs,
    KeyWithFlags,
    command_details,
    commands_docs,
    keys_with_flags,
)
from .readers_own import own_texts


def command_count() -> Command[int]:
    """Return how many commands the server knows."""
    return Command("COMMAND COUNT", read=whole)


def command_docs(*command_names: Argument) -> Command[dict[str, CommandDocs]]:
    """Return what is said of these commands, or of all, by name; there is nothing of one that is unknown (Redis 7.0)."""
    return Command("COMMAND DOCS", *command_names, read=commands_docs)


def command_getkeys(command: Argument, *args: Argument) -> Command[list[bytes]]:
    """Return the keys of a command with its arguments."""
    return Command("COMMAND GETKEYS", command, *args, read=bulks)


def command_getkeysandflags(command: Argument, *args: Argument) -> Command[list[KeyWithFlags[bytes]]]:
    """Return the keys of a command with its arguments, and what is done to each (Redis 7.0)."""
    return Command("COMMAND GETKEYSANDFLAGS", command, *args, read=keys_with_flags)


def command_info(*command_names: Argument) -> Command[list[CommandDetails | None]]:
    """Return what the server knows of these commands, or of all; None for one that is unknown."""
    return Command("COMMAND INFO", *command_names, read=command_details)


def command_list(
    *, module: Argument | None = None, aclcat: Argument | None = None, pattern: Argument | None = None
) -> Command[list[str]]:
    """Return the names of all commands, or those of a module, of a category, or that a pattern matches (Redis 7.0)."""
    chosen = valued(module=module, aclcat=aclcat, pattern=pattern)
    if len(chosen) > 2:
        raise ValueError("module, aclcat and pattern exclude each other")
    return Command("COMMAND LIST", *(("FILTERBY", *chosen) if chosen else ()), read=own_texts)
