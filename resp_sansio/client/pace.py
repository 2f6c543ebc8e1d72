"""When the next connection may be dialled: one pace for every reason to dial.

A server that is away, or wrong, must not be met by a storm of dials, whatever they are for: a lane, a lease, or `min_size`. So the
pause before the next dial grows with each dial that failed, and with each new connection that was no better. Only a connection
that was of use for a while resets it. While dials fail, one is tried at a time.

Time and chance come as arguments.
"""

from __future__ import annotations

from ..config.retry import Retry

__all__ = ["Pace"]


class Pace:
    """The pace of dialling. Pauses follow `policy`: random, up to a bound that doubles from `base` to `cap`.

    `failures`: dials in a row that came to nothing. `not_before`: no dial begins earlier. `last_error`: why the last one failed.
    """

    __slots__ = ("_policy", "_under_way", "failures", "last_error", "not_before")

    def __init__(self, policy: Retry) -> None:
        self._policy = policy
        self._under_way = 0
        self.failures: int = 0
        self.not_before: float = 0.0
        self.last_error: Exception | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.failures} failures in a row, no dial before {self.not_before}>"

    def ready(self, now: float) -> bool:
        """May a dial begin? While dials fail, only if no other is under way."""
        return now >= self.not_before and not (self.failures and self._under_way)

    @property
    def is_awaited(self) -> bool:
        """Is a dial under way, or put off because of those that came to nothing?"""
        return self._under_way > 0 or self.failures > 0

    def begun(self) -> None:
        """A dial has begun. It ends with one of `opened`, `failed` and `gave_up`."""
        self._under_way += 1

    def recount(self, under_way: int) -> None:
        """So many dials are under way: after an interrupt, the count may be wrong."""
        self._under_way = under_way

    def opened(self) -> None:
        """The dial gave a connection. Whether it is any better than the last one, its use will tell."""
        self._under_way -= 1

    def failed(self, error: Exception, now: float, random: float) -> None:
        """The dial failed with this error. `random` is from [0, 1)."""
        self._under_way -= 1
        self.last_error = error
        self._slow_down(now, random)

    def gave_up(self, now: float) -> None:
        """The dial's caller gave it up: that says nothing of the server, and yet the next dial does not follow at once."""
        self._under_way -= 1
        self.not_before = max(self.not_before, now + self._policy.base)

    def wasted(self, now: float, random: float) -> None:
        """A new connection was of no use: it ended at once, or leads to a replica."""
        self._slow_down(now, random)

    def proved(self, now: float, opened_at: float) -> bool:
        """A connection opened at that time is of use. Return whether it has been for long enough to trust it.

        Short use proves nothing while dials fail: a server that answers once and hangs up would be dialled without a pause.
        """
        if self.failures and now < opened_at + self._policy.cap:
            return False
        self.failures = 0
        self.not_before = 0.0
        self.last_error = None
        return True

    def _slow_down(self, now: float, random: float) -> None:
        self.failures += 1
        self.not_before = max(self.not_before, now + self._policy.pause(self.failures, random))
