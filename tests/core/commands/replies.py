"""How the readers of one group are tested: with a reply as each protocol says it, and with all that goes wrong near it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from resp_sansio import Pairs, ReplyError, UnexpectedReplyError, Verbatim
from resp_sansio.commands.decoding import RAW, decoded
from resp_sansio.wire import Parser, encode_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["STRANGE", "exact", "hostile", "in_text", "reads"]

UTF8: Final = decoded("utf-8")

STRANGE: Final[list[Any]] = [
    None, "QUEUED", "", 2, -1, 2**70, 1.5, True, b"", b"no number", b"-1", Verbatim(b"text", "txt"), [], [None], [b"odd"],
    [[b"1"]], [b"1", b"2", b"3", b"4", b"5"], {}, {b"key": 1}, {1: b"value"}, Pairs([(b"key", b"1"), (b"key", b"2")]), {1, 2},
    ReplyError("ERR nested"), [ReplyError("ERR nested")],
]  # fmt: skip
"""What may stand in a reply where something else was due."""


def exact(value: object) -> object:
    """A value with its types: `True == 1` proves nothing."""
    match value:
        case dict():
            return dict, frozenset((exact(key), exact(item)) for key, item in value.items())
        case list() | tuple():
            return type(value), tuple(map(exact, value))
        case _:
            return type(value), value


def in_text(value: Any) -> Any:
    """The same value with text in place of all data in it."""
    match value:
        case bytes():
            return value.decode()
        case dict():
            return {in_text(key): in_text(item) for key, item in value.items()}
        case list():
            return [*map(in_text, value)]
        case tuple():
            made = map(in_text, value)
            return type(value)(*made) if hasattr(value, "_fields") else tuple(made)
        case _:
            return value


def reads(read: Callable[[Any, Any], object], resp2: Any, resp3: Any, result: object) -> None:
    """Hold that it reads what each protocol says as the same value of the same type, as bytes and as text."""
    for reply in (*Parser().feed(encode_reply(resp2, 2)), *Parser().feed(encode_reply(resp3, 3))):
        assert exact(read(reply, RAW)) == exact(result)
        assert exact(read(reply, UTF8)) == exact(in_text(result))


def hostile(read: Callable[[Any, Any], object], *replies: Any) -> None:
    """Hold that whatever stands in place of any part of a reply, `UnexpectedReplyError` is the only error that comes of it."""
    refused: list[str] = []
    for reply in replies:
        for wrong in spoilt(reply):
            try:
                read(wrong, UTF8)
            except UnexpectedReplyError as error:
                refused.append(str(error))
    assert len(refused) > len(STRANGE) / 2
    assert all("expected, and " in message for message in refused)


def spoilt(reply: Any) -> Iterator[Any]:
    """The reply with something strange in place of one part of it, or of all; and with a part more or less."""
    yield from STRANGE
    if isinstance(reply, list):
        yield [*reply, *reply]
        for index, part in enumerate(reply):
            yield [*reply[:index], *reply[index + 1 :]]
            yield from [[*reply[:index], wrong, *reply[index + 1 :]] for wrong in spoilt(part)]
    elif isinstance(reply, dict):
        for key, part in reply.items():
            yield {other: value for other, value in reply.items() if other != key}
            yield {(2 if other == key else other): value for other, value in reply.items()}
            yield from [reply | {key: wrong} for wrong in spoilt(part)]
