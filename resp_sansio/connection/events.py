"""What a connection tells its driver.

An answered `Slot` is an event by itself, the one there are most of; the others are on this page.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from .._errors import RespError
from .._record import Record
from ..wire.values import Push, Reply
from .handshake import ServerInfo
from .slot import Slot

__all__ = ["ConnectionLost", "Event", "Opened", "PushReceived", "TimedOut"]


class Opened(Record):
    """The server accepted the handshake: commands go out from here on.

    `server` is what HELLO said of it, `answers` what a sentinel said that was asked, see `Handshake`.
    """

    protocol: Literal[2, 3]
    server: ServerInfo
    answers: Sequence[Reply] = ()


class TimedOut(Record):
    """A slot's deadline passed; it is abandoned, and its `outcomes` say whether its commands may have run."""

    slot: Slot


class PushReceived(Record):
    """The server said something that answers no command. A driver that has dealt with it calls `push_taken`."""

    push: Push


class ConnectionLost(Record):
    """The connection has ended; always the last event, and the only one ever after.

    `unanswered` are the slots that callers still waited for, in order, with their `outcomes`; `slot.failure(error)` makes the
    error for each of their callers.
    """

    error: RespError
    unanswered: Sequence[Slot]


Event: TypeAlias = Opened | Slot | TimedOut | PushReceived | ConnectionLost
"""What `events` returns. A `Slot` is its own event: it was answered, and `slot.reply` is the reply."""
