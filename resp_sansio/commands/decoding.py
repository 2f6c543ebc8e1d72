"""What makes text of the data that a command returns."""

from __future__ import annotations

import functools
from typing import Any, overload

from .command import Command
from .readers import Members, TextMembers, read_text


@overload
def text(command: Command[bytes]) -> Command[str]: ...
@overload
def text(command: Command[bytes | None]) -> Command[str | None]: ...
@overload
def text(command: Command[list[bytes]]) -> Command[list[str]]: ...
@overload
def text(command: Command[list[bytes | None]]) -> Command[list[str | None]]: ...
@overload
def text(command: Command[Members]) -> Command[TextMembers]: ...
@overload
def text(command: Command[dict[bytes, bytes]]) -> Command[dict[str, str]]: ...
@overload
def text(command: Command[list[tuple[bytes, float]]]) -> Command[list[tuple[str, float]]]: ...
@overload
def text(command: Command[tuple[int, list[bytes]]]) -> Command[tuple[int, list[str]]]: ...
def text(command: Command[Any]) -> Command[Any]:
    """Return a command with the same arguments whose result is text: UTF-8, other bytes as surrogates.

    `text(get("key"))` is a `Command[str | None]`.
    """
    read = functools.partial(read_text, command.read)
    info = command.info
    return Command(*command.args, read=read, readonly=info.readonly, retry=info.retryable, needs=info.needs)
