"""What every call has in common, whatever moves the bytes: what it is given, how long it may take, how its reply is read."""

from __future__ import annotations

from enum import Enum
from math import inf
from typing import Any, Final, TypeVar

from .._errors import LocalProtocolError, RespError, UnexpectedReplyError
from ..commands.command import Command
from ..commands.decoding import RAW, Text
from ..commands.knowledge import CommandInfo
from ..config.config import Config
from ..config.options import DECODE, shown
from ..connection.slot import Slot
from ..wire.values import Push

__all__ = [
    "DEFAULT",
    "Default",
    "command_alone",
    "error_of",
    "not_text",
    "push_as_text",
    "seconds_allowed",
    "text_of",
    "unreadable",
]

T = TypeVar("T")


class Default(Enum):
    """The type of `DEFAULT`, which stands for what the connection was configured with."""

    DEFAULT = "as configured"


DEFAULT: Final = Default.DEFAULT


def seconds_allowed(config: Config, timeout: float | None | Default = DEFAULT, blocking: float = 0.0) -> float:
    """Return how many seconds a call may take, `math.inf` for any time.

    A timeout that is given covers the whole call. The configured one is extended by `blocking`, the time that the server may
    hold the reply back on purpose (see `block_time`). Raises `TypeError` or `ValueError` if `timeout` is not a length of time.
    """
    if isinstance(timeout, Default):
        return inf if config.timeout is None else config.timeout + blocking
    if timeout is None:
        return inf
    if isinstance(timeout, bool) or not isinstance(timeout, int | float):
        raise TypeError(f"timeout must be a number of seconds or None, not {type(timeout).__name__}")
    if not timeout >= 0:
        raise ValueError(f"timeout must not be negative, and is {timeout!r}")
    try:
        return float(timeout)
    except OverflowError:
        raise ValueError("timeout must be a number of seconds that a float can hold, or None for any time") from None


def text_of(config: Config, decode: bool | str | Default = DEFAULT) -> Text[Any]:
    """Return what makes text of data in the reply to a call, or leaves it bytes.

    Raises `TypeError` or `ValueError`, before anything is sent, if `decode` is none of what the option of that name may be.
    """
    if isinstance(decode, Default):
        return config.text
    if not isinstance(decode, (bool, str)):
        raise TypeError(f"decode must be {DECODE.allowed}; got {type(decode).__name__}")
    if not DECODE.fits(decode):
        raise ValueError(f"decode must be {DECODE.allowed}; got {shown(decode)}")
    return config.text_by(decode)


def error_of(slot: Slot) -> Exception:
    """Return what the caller of a slot is to be told that has ended and is not ANSWERED.

    A new error each time, for a traceback belongs to one caller. Its `__cause__` is why the last dial failed, if that is why.
    """
    cause = slot.cause
    if not isinstance(cause, RespError) or type(cause) is LocalProtocolError:
        assert cause is not None
        return cause
    error = slot.failure(cause)
    error.__cause__ = cause.__cause__
    return error


def push_as_text(push: Push, text: Text[Any]) -> Push:
    """Return a push with its bulk strings as text, if text is asked for. Raises `UnexpectedReplyError` if one is no text."""
    if text is RAW:
        return push
    try:
        return Push(push.kind, tuple(map(text.anywhere, push.items)))
    except UnicodeDecodeError as error:
        told = not_text(push.kind, error)
    raise told  # here, where no data is in the context


def command_alone(command: Command[T], *more: object) -> Command[T]:
    """Return the `Command` that a call was given; raise `TypeError` if there was anything beside it."""
    if more:
        raise TypeError(f"{command!r} has all of its arguments in it; give nothing beside it")
    return command


def unreadable(error: Exception, info: CommandInfo) -> Exception:
    """Return what is told of what a reader has raised: the name of the command if that is about its reply, and no data."""
    if isinstance(error, UnicodeDecodeError):
        return not_text(info.name, error)
    return UnexpectedReplyError(f"{info.name}: {error}") if isinstance(error, UnexpectedReplyError) else error


def not_text(whose: str, error: UnicodeDecodeError) -> UnexpectedReplyError:
    """Return what is told of data that is no text. It shows none of it, which the error has with it."""
    return UnexpectedReplyError(f"{whose}: the data is no {error.encoding} text; ask for bytes (see decode)")
