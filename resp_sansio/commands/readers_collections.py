"""The results that only commands on hashes and lists have."""

from __future__ import annotations

from ..wire.values import Reply
from .decoding import S, Text
from .readers import bulk, bulks, items, pairs, unpaired


def paired(reply: Reply, text: Text[S]) -> list[tuple[S, S]]:
    """Fields with their values, of which one may come more than once: in turn on RESP2, in pairs on RESP3."""
    return pairs(unpaired(reply), text)


def popped(reply: Reply, text: Text[S]) -> tuple[S, list[S]] | None:
    """Elements after the key that they were taken from; or null."""
    if reply is None:
        return None
    source, found = items(reply, 2)
    return bulk(source, text), bulks(found, text)
