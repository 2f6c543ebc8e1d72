"""What the server says of its channels."""

from __future__ import annotations

from ..wire.values import Reply
from .decoding import S, Text
from .readers import by_data, flat, whole


def counts(reply: Reply, text: Text[S]) -> dict[S, int]:
    """Numbers by name, in turn on both protocols. A name that was asked about twice is there twice."""
    parts = flat(reply)
    return by_data(zip(parts[::2], map(whole, parts[1::2]), strict=True), text)
