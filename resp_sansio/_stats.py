"""What the machines have counted: snapshots, for a caller who wonders, for a monitor, and for the text of a timeout.

Everything here is a count that a machine keeps anyway or adds up where it costs nothing; no clock is read for it. Counts that
end in a noun say how many there are now, `most_...` how many there were at the worst moment, the others how many there have
been since the beginning.
"""

from __future__ import annotations

from ._record import Record

__all__ = ["ConnectionStats", "Stats"]


class Stats(Record):
    """The base of all snapshots; `str` is one line that fits into a message."""


class ConnectionStats(Stats):
    """One connection. A slot is a command, or a pipeline.

    `queued`: slots that wait to be sent. `in_flight`: sent, and not answered yet; `abandoned`: those of them whose callers have
    gone. `sent`: slots sent so far, in `batches` blocks; `given_up`: how many of all were abandoned. `unread_pushes`: pushes that
    nobody has taken.
    """

    queued: int
    in_flight: int
    abandoned: int
    most_in_flight: int
    sent: int
    batches: int
    given_up: int
    unread_pushes: int

    def __str__(self) -> str:
        return f"{self.queued} queued, {self.in_flight} in flight, {self.abandoned} of them abandoned"
