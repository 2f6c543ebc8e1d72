"""What the replies of JSON.* are to their caller: a list with one thing for each value that the path found.

A null stands for a value that is not of the kind that the command is about. RESP2 gives numbers as the text of a JSON array, and
RESP3 puts types into one array more; the result is the same.
"""

from __future__ import annotations

import re
from typing import Final

from ..wire.values import Reply
from .decoding import RAW, S, Text, own_words
from .readers import bulks, items, truth, unexpected

NUMBER: Final = re.compile(rb"-?\d{1,40}(\.\d+)?([eE][-+]?\d+)?")


def json_numbers(reply: Reply, _text: object = None) -> list[int | float | None]:
    """Numbers, integers apart from others."""
    if type(reply) is not bytes:
        return [_number(item) for item in items(reply)]
    if reply[:1] != b"[" or reply[-1:] != b"]":
        raise unexpected("a JSON array of numbers", reply)
    return [_number_of(part.strip()) for part in reply[1:-1].split(b",")] if reply[1:-1].strip() else []


def _number(reply: Reply) -> int | float | None:
    if type(reply) is int or type(reply) is float or reply is None:
        return reply
    raise unexpected("a number or null", reply)


def _number_of(part: bytes) -> int | float | None:
    if part == b"null":
        return None
    found = NUMBER.fullmatch(part)
    if found is None:
        raise unexpected("a JSON array of numbers", part)
    return float(part) if found[1] or found[2] else int(part)


def json_types(reply: Reply, _text: object = None) -> list[str] | None:
    """Types of values; null if there is no such key."""
    if type(reply) is list and len(reply) == 1 and (reply[0] is None or type(reply[0]) is list):
        reply = reply[0]
    return None if reply is None else [own_words(name) for name in bulks(reply, RAW)]


def json_truths(reply: Reply, _text: object = None) -> list[bool | None]:
    """Booleans, which come as 1 and 0."""
    return [None if item is None else truth(item) for item in items(reply)]


def json_names(reply: Reply, text: Text[S]) -> list[list[S] | None]:
    """The names of each object's members."""
    return [None if item is None else bulks(item, text) for item in items(reply)]
