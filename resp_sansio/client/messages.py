"""What a subscriber is handed: messages, and the places where some may be missing."""

from __future__ import annotations

from typing import Any, Generic, Literal, NamedTuple, TypeAlias

from ..commands.decoding import S, Text
from ..wire.values import Reply

__all__ = ["Gap", "Message", "Overflow", "as_data"]

Overflow: TypeAlias = Literal["drop_oldest", "drop_newest", "error"]
"""What becomes of messages for which a subscriber has no room."""


class Message(NamedTuple, Generic[S]):
    """A message of a subscription.

    `pattern` is the one of the subscriber's that the channel fits, None if the channel itself is subscribed to; `sharded`: was it
    published by SPUBLISH?
    """

    channel: S
    data: S
    pattern: S | None = None
    sharded: bool = False


class Gap(NamedTuple, Generic[S]):
    """At this place among the messages some may be missing: of these channels and patterns, for this reason.

    `lost` is how many, None if no one can know: while the connection was away, the server published to others.
    """

    channels: tuple[S, ...]
    why: str
    lost: int | None = None


def as_data(item: Message[bytes] | Gap[bytes], text: Text[Any]) -> Message[Any] | Gap[Any]:
    """Return a message or a gap with its data as it is asked for. Raises `UnicodeDecodeError` if it is no text."""
    one = text.one
    if isinstance(item, Gap):
        return Gap(tuple(map(one, item.channels)), item.why, item.lost)
    channel, data, pattern, sharded = item
    made: Reply = one(data) if type(data) is bytes else text.anywhere(data)
    return Message[Any](one(channel), made, None if pattern is None else one(pattern), sharded)
