"""The unit that everything accepts: a command, what is known of it, and how its reply is read."""

from __future__ import annotations

import functools
from typing import Any, Final, Generic, Protocol, TypeVar, overload

from .._record import replace
from ..wire.encoder import Argument
from ..wire.values import Reply
from .decoding import S, Text, decoded
from .knowledge import CommandInfo, Needs, command_info, redact
from .words import shown_words

__all__ = ["Command", "Reader", "as_it_came", "read_as", "text"]

T_co = TypeVar("T_co", covariant=True)


class Reader(Protocol[T_co, S]):
    """Makes a result of a reply, and has a `Text` for the data in it. RESP2 says with an array what RESP3 says with a map."""

    def __call__(self, reply: Reply, text: Text[S], /) -> T_co:
        """Raises `UnexpectedReplyError` for what is no answer of this kind."""


def as_it_came(reply: Reply, _text: object = None) -> Reply:
    """Return the reply: the reader of a command without one."""
    return reply


class Command(Generic[T_co]):
    """A command: its arguments (the name first), what is known of it, and how its reply is read.

        Command("GET", "key")                                            # Command[Reply]: what the server said
        Command("INCR", "n", read=lambda reply, text: int(reply))    # Command[int]
        Command("MY.LOOKUP", "key", readonly=True)                       # a module's command that changes nothing

    `readonly`, `retry` and `needs` overrule what is known: `retry` says that it may run twice, `needs` what kind of connection a
    client is to give it (a large reply does not belong on one that others share). Two commands are equal if their arguments
    are. Not to be changed once made. `repr` shows no secret and shortens long arguments; a pickle holds them all. Raises as
    `command_info` does.
    """

    __slots__ = ("args", "info", "read")

    args: Final[tuple[Argument, ...]]
    info: Final[CommandInfo]
    read: Reader[T_co, bytes]

    @overload
    def __init__(
        self: Command[Reply],
        *args: Argument,
        readonly: bool | None = None,
        retry: bool | None = None,
        needs: Needs | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self,
        *args: Argument,
        read: Reader[T_co, bytes],
        readonly: bool | None = None,
        retry: bool | None = None,
        needs: Needs | None = None,
    ) -> None: ...

    def __init__(
        self,
        *args: Argument,
        read: Reader[Any, bytes] = as_it_came,  # the overloads say that T is Reply then
        readonly: bool | None = None,
        retry: bool | None = None,
        needs: Needs | None = None,
    ) -> None:
        info = command_info(args)
        if readonly is not None or retry is not None or needs is not None:
            twice = retry if retry is not None else readonly if readonly is not None else info.retryable
            info = _overruled(info, info.readonly if readonly is None else readonly, twice, needs or info.needs)
        self.args = args
        self.info = info
        self.read = read

    def __eq__(self, other: object) -> bool:
        return self.args == other.args if isinstance(other, Command) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.args)

    def __repr__(self) -> str:
        return f"Command({', '.join(shown_words(redact(self.args)))})"

    def __reduce__(self) -> tuple[object, ...]:
        return _restored, (self.args, self.read, self.info.readonly, self.info.retryable, self.info.needs)


def _restored(
    args: tuple[Argument, ...], read: Reader[T_co, bytes], readonly: bool, retry: bool, needs: Needs
) -> Command[T_co]:
    return Command(*args, read=read, readonly=readonly, retry=retry, needs=needs)


@functools.lru_cache(1024)
def _overruled(info: CommandInfo, readonly: bool, retryable: bool, needs: Needs) -> CommandInfo:
    return replace(info, readonly=readonly, retryable=retryable, needs=needs)


@overload
def text(command: Command[bytes], *, errors: str = ...) -> Command[str]: ...
@overload
def text(command: Command[bytes | None], *, errors: str = ...) -> Command[str | None]: ...
@overload
def text(command: Command[list[bytes]], *, errors: str = ...) -> Command[list[str]]: ...
@overload
def text(command: Command[list[bytes | None]], *, errors: str = ...) -> Command[list[str | None]]: ...
@overload
def text(command: Command[set[bytes]], *, errors: str = ...) -> Command[set[str]]: ...
@overload
def text(command: Command[dict[bytes, bytes]], *, errors: str = ...) -> Command[dict[str, str]]: ...
@overload
def text(command: Command[list[tuple[bytes, float]]], *, errors: str = ...) -> Command[list[tuple[str, float]]]: ...
@overload
def text(command: Command[tuple[int, list[bytes]]], *, errors: str = ...) -> Command[tuple[int, list[str]]]: ...
def text(command: Command[Any], *, errors: str = "strict") -> Command[Any]:
    """Return a command of a builder with the same arguments, whose data is text: UTF-8.

    `text(get("key"))` is a `Command[str | None]`. What is done with other bytes is said by `errors`, as for `bytes.decode`.
    """
    read_any: Any = command.read  # a builder's readers take any `Text`
    read = read_as(decoded("utf-8", errors), read_any)
    info = command.info
    return Command(*command.args, read=read, readonly=info.readonly, retry=info.retryable, needs=info.needs)


def read_as(text: Text[S], read: Reader[T_co, S]) -> Reader[T_co, Any]:
    """Return a reader that has this `Text`, whichever it is given."""
    return functools.partial(_read_as, text, read)


def _read_as(text: Text[S], read: Reader[T_co, S], reply: Reply, _text: object = None) -> T_co:
    return read(reply, text)
