"""What modules say of their own: names with a value each. Each has a name that Python can have, and a reader."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from .._errors import ReplyError
from ..wire.values import Reply
from .decoding import S, Text
from .readers import items, pairs_in_turn, whole
from .readers_own import own

__all__ = ["Known", "described", "wholes_or_errors"]

Known: TypeAlias = Mapping[str, Callable[[Reply, Text[Any]], object]]
"""The reader of each name."""


def wholes_or_errors(reply: Reply, _text: object = None) -> list[int | ReplyError]:
    """Integers, with an error for each part of a command that was refused."""
    return [one if isinstance(one, ReplyError) else whole(one) for one in items(reply)]


def described(reply: Reply, text: Text[S], known: Known) -> dict[str, Any]:
    """Return a map by names in lower case and with underscores: what is known by its reader, the rest as it came."""
    found: dict[str, Any] = {}
    for said, value in pairs_in_turn(reply):
        name = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", own(said)).lower())
        read = known.get(name)
        found[name] = text.anywhere(value) if read is None else read(value, text)
    return found
