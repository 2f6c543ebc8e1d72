"""Commands that run scripts."""

from __future__ import annotations

from ..wire.encoder import Argument
from ..wire.values import Reply
from .arguments_server import sooner_or_later
from .command import Command
from .readers import anything, bulk, done, truths


def eval(script: Argument, numkeys: int, *keys_and_args: Argument) -> Command[Reply]:
    """Run a script; return what it returns, as it comes."""
    return Command("EVAL", script, numkeys, *keys_and_args, read=anything)


def eval_ro(script: Argument, numkeys: int, *keys_and_args: Argument) -> Command[Reply]:
    """Run a script that changes nothing; return what it returns, as it comes (Redis 7.0)."""
    return Command("EVAL_RO", script, numkeys, *keys_and_args, read=anything)


def evalsha(sha1: Argument, numkeys: int, *keys_and_args: Argument) -> Command[Reply]:
    """Run a script that the server has; return what it returns, as it comes."""
    return Command("EVALSHA", sha1, numkeys, *keys_and_args, read=anything)


def evalsha_ro(sha1: Argument, numkeys: int, *keys_and_args: Argument) -> Command[Reply]:
    """Run a script that the server has and that changes nothing; return what it returns, as it comes (Redis 7.0)."""
    return Command("EVALSHA_RO", sha1, numkeys, *keys_and_args, read=anything)


def script_load(script: Argument) -> Command[bytes]:
    """Give the server a script to keep; return its digest for `evalsha`."""
    return Command("SCRIPT LOAD", script, read=bulk)


def script_exists(sha1: Argument, *sha1s: Argument) -> Command[list[bool]]:
    """Which of these scripts does the server have?"""
    return Command("SCRIPT EXISTS", sha1, *sha1s, read=truths)


def script_show(sha1: Argument) -> Command[bytes]:
    """Return the script of this digest (Valkey 8.0)."""
    return Command("SCRIPT SHOW", sha1, read=bulk)


def script_flush(*, asynchronous: bool = False, sync: bool = False) -> Command[None]:
    """Forget all scripts; free their memory later, or at once (Redis 6.2)."""
    return Command("SCRIPT FLUSH", *sooner_or_later("SCRIPT FLUSH", asynchronous, sync), read=done)


def script_kill() -> Command[None]:
    """End the script that runs now, if it has changed nothing yet."""
    return Command("SCRIPT KILL", read=done)
