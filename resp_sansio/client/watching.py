"""Watched transactions on a cluster: whether one that has failed is tried anew, because what it watches is at another server.

Nothing was executed where a server says that the slot is another's, at WATCH, at a read or at EXEC; nor where a connection was lost
before EXEC went out. A script can say the same as a server, so MOVED and ASK count only for the slot that is watched.
"""

from __future__ import annotations

from typing import Final

from .._errors import (
    ConnectionClosedError,
    ConnectionLostError,
    Outcome,
    ReplyError,
    RespError,
    TransactionDiscardedError,
)

__all__ = ["LATER", "tried_anew"]

AT_ONCE: Final = "at once"
LATER: Final = "later"

NOT_NOW: Final = frozenset({"ASK", "TRYAGAIN", "CLUSTERDOWN", "LOADING", "MASTERDOWN"})
"""Codes of errors that say that it is not the time. A slot that is on its way (ASK) will have arrived."""


def tried_anew(error: RespError, slot: int, *, harmless: bool) -> str | None:
    """Say when a transaction may be tried anew that watched keys of this slot, and failed so; None if it is not to be.

    `harmless`: what was under way changes nothing.
    """
    if isinstance(error, (ConnectionLostError, ConnectionClosedError)):
        return AT_ONCE if harmless or error.outcome is Outcome.NOT_SENT else None
    if isinstance(error, TransactionDiscardedError):
        said = [error.reason, *[failure.error for failure in error.failures]]
        return _soonest([one for one in said if isinstance(one, ReplyError)], slot, refused=True)
    return _soonest([error], slot, refused=False) if isinstance(error, ReplyError) else None


def _soonest(said: list[ReplyError], slot: int, *, refused: bool) -> str | None:
    codes = {error.code for error in said if error.code not in ("MOVED", "ASK") or _is_about(error, slot)}
    if "MOVED" in codes:
        return AT_ONCE
    return LATER if codes & NOT_NOW or (refused and "READONLY" in codes) else None


def _is_about(error: ReplyError, slot: int) -> bool:
    return str(error.args[0]).split(" ")[1:2] == [str(slot)]
