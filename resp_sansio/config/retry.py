"""How often a call is tried, and when it fails at once instead: what users choose, and the breaker that it may ask for.

Time and chance come as arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from typing import Final

from .._errors import CircuitOpenError
from .._record import Record
from .options import BOOL, LONGEST, Kind, integer, option, options_of

__all__ = ["RETRY", "Breaker", "Retry"]

PAUSE: Final = Kind(f"seconds from 0 to {LONGEST}", (int, float), lambda value: 0 <= value <= LONGEST)


class Retry(Record):
    """How often a call is tried, and how long it waits in between. Raises `TypeError` or `ValueError` for wrong values.

    The pause before another attempt is random, up to a bound that doubles from `base` to `cap` ("full jitter"): callers who
    failed together do not come back together. A call's deadline ends it whatever the policy says.
    """

    # Backoff from go-redis: 8 to 512 ms. redis-py 8 makes 11 attempts; 10 last for a second or so, in which a server can restart.
    attempts: int = option(10, integer(1, 1000), "How often in all; 1: never again.")
    base: float = option(0.008, PAUSE, "Bound of the first pause, in seconds; each next one is twice as long.")
    cap: float = option(0.512, PAUSE, "Bound of every pause, in seconds.")
    maybe_executed: bool = option(
        False, BOOL, "Send again what may have run, whatever it is: it may then run more than once."
    )

    def __post_init__(self) -> None:
        for name, one in options_of(self).items():
            one.check(name, getattr(self, name))
        if self.cap < self.base:
            raise ValueError(f"cap must not be less than base; got {self.cap} and {self.base}")

    def pause(self, attempt: int, random: float) -> float:
        """Return for how many seconds to wait behind the attempt of this number, from 1; `random` is from [0, 1)."""
        return random * min(self.cap, self.base * 2.0 ** min(attempt - 1, 1000))  # a float ends at 2 ** 1023


RETRY: Final = Kind("a Retry", (Retry,))
"""An option that is such a policy."""


class Breaker:
    """Fails fast while a server is away: after `failures` dials in a row that failed, none is tried for `seconds`.

    Then one is let through: if it succeeds all are again, if not the time begins anew. A caller that asks `allows` and is
    told yes dials, and says how that ended; if it does not, the next may try after the same time.
    """

    __slots__ = ("_in_a_row", "_trying", "failures", "seconds", "until")

    def __init__(self, failures: int, seconds: float) -> None:
        """Raises `ValueError` for fewer than one failure or no time."""
        if failures < 1 or not seconds > 0:
            raise ValueError(f"a breaker needs at least 1 failure and some time; got {failures} and {seconds}")
        self.failures: Final = failures
        self.seconds: Final = seconds
        self.until: float = -inf  # no dial before
        self._in_a_row = 0
        self._trying = False

    def __repr__(self) -> str:
        state = "closed" if not self.broken else "half-open" if self._trying else f"open until {self.until}"
        return f"<{type(self).__name__}: {state}, {self._in_a_row} failures in a row>"

    @property
    def broken(self) -> bool:
        """Have as many dials failed as it takes?"""
        return self._in_a_row >= self.failures

    def allows(self, now: float) -> bool:
        """May a dial begin? While broken, a yes is one for one."""
        if not self.broken:
            return True
        if now < self.until:
            return False
        self.until = now + self.seconds
        self._trying = True
        return True

    def refuses(self, now: float) -> bool:
        """Is it too early for a dial? Unlike `allows`, asking changes nothing."""
        return self.broken and now < self.until

    def refusal(self) -> CircuitOpenError:
        """Return the error for who is not allowed to dial."""
        return CircuitOpenError(f"no dial was tried, because the last {self._in_a_row} had failed", transient=True)

    def check(self, now: float) -> None:
        """Raise `CircuitOpenError` unless a dial may begin, see `allows`."""
        if not self.allows(now):
            raise self.refusal()

    @contextmanager
    def dial(self, clock: Callable[[], float]) -> Iterator[None]:
        """Dial in the block: whether that may be is asked before it, and how it ended is noted. Raises as `check`."""
        self.check(clock())
        try:
            yield
        except Exception:
            self.failed(clock())
            raise
        except BaseException:
            self.gave_up(clock())
            raise
        self.succeeded()

    def failed(self, now: float) -> None:
        """A dial failed."""
        self._in_a_row += 1
        self._trying = False
        self.until = now + self.seconds

    def succeeded(self) -> None:
        """A dial succeeded."""
        self._in_a_row = 0
        self._trying = False

    def gave_up(self, now: float) -> None:
        """A dial was given up before it told anything: the next may try at once, if it was the one let through."""
        if self._trying:
            self._trying = False
            self.until = now
