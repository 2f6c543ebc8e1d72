"""Commands that run scripts."""

from __future__ import annotations

from ..wire.encoder import Argument
from ..wire.values import Reply
from .command import Command
from .readers import anything, bulk, truths


def eval(script: Argument, numkeys: int, *keys_and_args: Argument) -> Command[Reply]:
    """Run a script; return what it returns, as it comes."""
    return Command("EVAL", script, numkeys, *keys_and_args, read=anything)


def evalsha(sha1: Argument, numkeys: int, *keys_and_args: Argument) -> Command[Reply]:
    """Run a script that the server has; return what it returns, as it comes."""
    return Command("EVALSHA", sha1, numkeys, *keys_and_args, read=anything)


def script_load(script: Argument) -> Command[bytes]:
    """Give the server a script to keep; return its digest for `evalsha`."""
    return Command("SCRIPT LOAD", script, read=bulk)


def script_exists(sha1: Argument, *sha1s: Argument) -> Command[list[bool]]:
    """Which of these scripts does the server have?"""
    return Command("SCRIPT EXISTS", sha1, *sha1s, read=truths)
