"""Conversations of several steps, as small state objects: they say what to send and read what came, and move no bytes.

A transaction is one slot, MULTI ... EXEC, whose replies `read_transaction` takes apart. With WATCH before it, it is the
optimistic lock of Redis: read, decide, write if nothing that was read has changed; else again. `WatchLoop` is that loop.

WATCH belongs to the connection, not to the caller: any EXEC, DISCARD, UNWATCH or RESET on it ends every WATCH. Where callers
share a connection that is noticed (`resp_sansio.Connection.watch_epoch`) and treated like any other lost race.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ._encoder import Argument
from ._errors import ReplyError, TransactionAbortedError, TransactionRefusedError
from ._values import Reply

__all__ = ["ATTEMPTS", "WatchLoop", "read_transaction"]

ATTEMPTS: Final = 16
"""How often a watched transaction is tried by default; with one writer in the way each time, more would not help."""


def read_transaction(replies: Sequence[Reply]) -> list[Reply]:
    """Return what each command between MULTI and EXEC was answered, given the replies to all of them.

    A command that was refused while being queued keeps its own error, and the others get EXEC's (EXECABORT): none ran. Raises
    `TransactionAbortedError` if a watched key had changed (none ran), and `TransactionRefusedError` if MULTI itself was refused:
    Redis then runs the commands singly, and the error has their replies.
    """
    multi, *queued, executed = replies
    if isinstance(multi, ReplyError):
        raise TransactionRefusedError(f"MULTI was refused ({multi}), so the commands ran singly", replies=queued)
    if executed is None:
        raise TransactionAbortedError("a watched key changed, so nothing was executed; try again")
    if isinstance(executed, list):
        return list(executed)
    return [reply if isinstance(reply, ReplyError) else executed for reply in queued]


class WatchLoop:
    """Watch, decide, execute; again if the race was lost.

    Drive it so: send `watch`, let the caller read and decide, send MULTI ... EXEC; when that ends with a
    `TransactionAbortedError`, ask `again`. A caller who decides for nothing, or fails, sends `unwatch`.
    """

    unwatch: Final = ("UNWATCH",)

    def __init__(self, keys: Sequence[Argument], attempts: int = ATTEMPTS) -> None:
        """Raises `ValueError` if there is nothing to watch, or nothing to be done."""
        if not keys:
            raise ValueError("name at least one key to watch; without one, a plain transaction() does")
        if attempts < 1:
            raise ValueError(f"attempts must be at least 1, not {attempts!r}")
        self.watch: Final = ("WATCH", *keys)
        self.attempts: Final = attempts
        self.attempt = 1

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: attempt {self.attempt} of {self.attempts}>"

    def again(self) -> bool:
        """The race was lost: is there another attempt?"""
        self.attempt += 1
        return self.attempt <= self.attempts
