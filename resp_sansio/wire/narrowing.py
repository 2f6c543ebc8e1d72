"""One type made of a reply that may have any: for what is asked for in words, and for what scripts return.

Each function returns the reply as the type that it is named after, and raises `UnexpectedReplyError` for a reply that is no such
thing. It bridges what the protocols and `decode` say differently, and guesses nothing: 1 is no text, and null is nothing at all.
The second parameter is there so that each is also a reader: `Command("BITCOUNT", "flags", read=as_int)`.
"""

from __future__ import annotations

from typing import cast

from .._errors import UnexpectedReplyError
from .values import Pairs, Reply, make_map

__all__ = ["as_bytes", "as_dict", "as_float", "as_int", "as_list", "as_str"]


def as_int(reply: Reply, _: object = None) -> int:
    """Return the integer that a reply is."""
    if type(reply) is int:
        return reply
    raise _unexpected("an integer", reply)


def as_float(reply: Reply, _: object = None) -> float:
    """Return the double that a reply is: RESP2 says it as text."""
    if type(reply) is float:
        return reply
    if isinstance(reply, bytes | str) and "_" not in as_str(reply):  # for Python, `1_0` is ten
        try:
            return float(reply)
        except ValueError:
            pass  # raised below, where no data is in the context
    raise _unexpected("a double", reply)


def as_bytes(reply: Reply, _: object = None) -> bytes:
    """Return the bulk or verbatim string that a reply is."""
    if isinstance(reply, bytes):
        return reply
    raise _unexpected("a bulk string", reply)


def as_str(reply: Reply, _: object = None) -> str:
    """Return the text that a reply is. Bulk and verbatim strings are read as UTF-8, with surrogates for other bytes."""
    if isinstance(reply, bytes):
        return reply.decode("utf-8", "surrogateescape")
    if isinstance(reply, str):
        return reply
    raise _unexpected("a string", reply)


def as_list(reply: Reply, _: object = None) -> list[Reply]:
    """Return the array that a reply is."""
    if type(reply) is list:
        return cast("list[Reply]", reply)
    raise _unexpected("an array", reply)


def as_dict(reply: Reply, _: object = None) -> dict[Reply, Reply]:
    """Return the map that a reply is: RESP2 says it as an array of keys and values in turn."""
    made = reply
    if type(reply) is list and len(reply) % 2 == 0:
        made = make_map(cast("list[Reply]", reply))
    if isinstance(made, dict):
        return cast("dict[Reply, Reply]", made)
    raise _unexpected("a map whose keys differ" if isinstance(made, Pairs) else "a map", reply)


def _unexpected(wanted: str, reply: Reply) -> UnexpectedReplyError:
    """Return the error for a reply of another type. It shows no data."""
    return UnexpectedReplyError(f"{wanted} was expected, and {type(reply).__name__} came")
