"""What the server says of its channels."""

from __future__ import annotations

from .._errors import UnexpectedReplyError
from ..wire.values import Reply
from .decoding import RAW, S, Text
from .readers import bulk, flat, whole


def counts(reply: Reply, text: Text[S]) -> dict[S, int]:
    """Numbers by name, in turn on both protocols. A name that was asked about twice is there twice."""
    parts = flat(reply)
    found = {bulk(name, RAW): whole(count) for name, count in zip(parts[::2], parts[1::2], strict=True)}
    made = dict(zip(text.many([*found]), found.values(), strict=True))
    if len(made) != len(found):
        raise UnexpectedReplyError("two channels are the same as text")
    return made
