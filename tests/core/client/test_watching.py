"""Whether a watched transaction is tried anew at another server of a cluster."""

from __future__ import annotations

import pytest

from resp_sansio import (
    CommandTimeoutError,
    ConnectionClosedError,
    ConnectionLostError,
    Outcome,
    ReplyError,
    RespError,
    TransactionDiscardedError,
)
from resp_sansio._errors import CommandFailure
from resp_sansio.client.watching import AT_ONCE, LATER, tried_anew

MOVED, OTHER = ReplyError("MOVED 7 10.0.0.2:7000"), ReplyError("MOVED 8 10.0.0.2:7000")
ABORT = ReplyError("EXECABORT Transaction discarded because of previous errors.")


def discarded(*errors: Exception, reason: ReplyError = ABORT) -> TransactionDiscardedError:
    failures = [CommandFailure(index, "SET", error) for index, error in enumerate(errors)]
    return TransactionDiscardedError("none ran", reason=reason, failures=failures)


@pytest.mark.parametrize(
    ("error", "harmless", "when"),
    [
        (MOVED, True, AT_ONCE),
        (MOVED, False, AT_ONCE),
        (OTHER, True, None),  # of another slot: the caller's, or made up by a script
        (ReplyError("MOVED"), True, None),
        (ReplyError("ASK 7 10.0.0.2:7000"), True, LATER),
        (ReplyError("ASK 8 10.0.0.2:7000"), True, None),
        (ReplyError("TRYAGAIN later"), True, LATER),
        (ReplyError("CLUSTERDOWN the cluster is down"), True, LATER),
        (ReplyError("READONLY in the middle of a script"), True, None),
        (ReplyError("ERR no"), True, None),
        (discarded(MOVED), False, AT_ONCE),
        (discarded(reason=MOVED), False, AT_ONCE),
        (discarded(OTHER), False, None),
        (discarded(ReplyError("READONLY a replica")), False, LATER),
        (discarded(ReplyError("ERR no"), MOVED, ReplyError("TRYAGAIN later")), False, AT_ONCE),
        (discarded(ValueError("no reply")), False, None),
        (ConnectionLostError("lost", outcome=Outcome.NOT_SENT), False, AT_ONCE),
        (ConnectionLostError("lost"), False, None),
        (ConnectionLostError("lost"), True, AT_ONCE),
        (ConnectionClosedError("given back"), False, AT_ONCE),
        (CommandTimeoutError("late"), True, None),
    ],
)
def test_it_is_if_nothing_was_executed(error: RespError, harmless: bool, when: str | None) -> None:
    assert tried_anew(error, 7, harmless=harmless) == when
