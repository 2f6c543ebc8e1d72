"""What the server says of its channels."""

from __future__ import annotations

from ..wire.values import Reply
from .decoding import S, Text
from .readers import by_data, pairs_in_turn, whole


def counts(reply: Reply, text: Text[S]) -> dict[S, int]:
    """Numbers by name, in turn on both protocols. A name that was asked about twice is there twice."""
    return by_data([(name, whole(count)) for name, count in pairs_in_turn(reply)], text)
