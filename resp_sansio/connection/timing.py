"""What time does to a connection: deadlines of its handshake and of callers, silence of the peer, and PINGs while it is quiet."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from itertools import chain
from math import inf
from typing import Final

from .._errors import ConnectError, Outcome, RespError
from .deadlines import after
from .events import TimedOut
from .pairing import SlotDeadlines
from .sending import Sending
from .slot import Slot, SlotState
from .state import State
from .stateful import new_slot

__all__ = ["Timing"]

HANDED: Final = SlotState.HANDED
ABANDONED: Final = SlotState.ABANDONED
READY: Final = State.READY


class Timing(Sending):
    """The times at which something is to be given up, or asked for: `Connection` says which they are."""

    __slots__ = ("_open_by", "_ping_interval", "_pings", "_quiet_since", "_sent_before", "_silence", "peer")

    _open_by: float
    _ping_interval: float
    _silence: float
    _quiet_since: float
    _sent_before: float  # bytes, when it was last looked, if the first in line was leaving then; else infinite
    _pings: int
    peer: str

    @abstractmethod
    def abandon(self, slot: Slot) -> Sequence[Outcome]:
        """The caller of this slot has gone."""

    @abstractmethod
    def _ended(self, why: str) -> RespError:
        """Why the connection has ended, as an error."""

    def next_deadline(self) -> float:
        """When `handle_timeout` wants to be called, `math.inf` for never. It may be in the past, and calling early is harmless.

        Called at that time, `handle_timeout` deals with what is due, and the next deadline is a later one.
        """
        if self._lost is not None:
            return inf
        opening = self._open_by if self.state is State.OPENING else inf
        return min(self._earliest, opening, self._quiet_until)

    def handle_timeout(self, now: float) -> None:
        """The time is `now`: give up what has taken too long, and see whether the peer is still there."""
        if self._lost is not None:
            return
        if self.state is State.OPENING and now >= self._open_by:
            self._lose(ConnectError("the handshake did not finish in time", transient=True))
            return
        if now >= self._earliest:
            self._expire(now)
        self._listen(now)

    def owes_for(self, now: float) -> float:
        """Return for how long the peer has been silent though it owes a reply, as of the last `handle_timeout`.

        0 if it owes none, or may hold it back on purpose.
        """
        return now - self._quiet_since if self._flying and not self._flying[0].blocks else 0.0

    def _expire(self, now: float) -> None:
        """Abandon each slot whose deadline has passed."""
        self._note_deadlines()
        deadlines = self._deadlines
        if deadlines is None:
            self._earliest = inf
            return
        for slot in deadlines.take(now):
            self._events.append(TimedOut(slot=slot))
            self.abandon(slot)
        self._earliest = deadlines.next()

    def _note_deadlines(self) -> None:
        """Take note of the deadlines of all slots that are under way.

        Not before one has passed, or was withdrawn: slots come and go all the time, deadlines rarely pass. New slots are at the
        end of their queues, so each is looked at once, however often this is called.
        """
        if self._deadlines is None:
            if not (self._flying or self._waiting):
                return
            self._deadlines = SlotDeadlines()
        deadlines, new = self._deadlines, []
        for slot in chain(reversed(self._waiting), reversed(self._flying)):
            if deadlines.knows(slot):
                break
            slot.noted = deadlines
            new.append(slot)
        for slot in reversed(new):
            deadlines.add(slot, slot.deadline)

    def _forget_ended(self) -> None:
        if not (self._flying or self._waiting):
            self._deadlines = None  # an idle connection has no use for it
        else:
            assert self._deadlines is not None
            self._deadlines.trim(self._queued + len(self._flying) - self._abandoned)

    @property
    def _quiet_until(self) -> float:
        """How long the peer may be silent, or left alone."""
        return after(self._quiet_since, self._silence if self._flying else self._ping_interval)

    @property
    def _is_leaving(self) -> bool:
        """Has the first command in line not left as a whole?"""
        return bool(self._flying) and self._flying[0].end > self._sent

    def _listen(self, now: float) -> None:
        before, self._sent_before = self._sent_before, self._sent if self._is_leaving else inf
        # While a command is on its way to the peer, silence is not the peer's, as long as more of it is taken: it is known where
        # that stood only once it was looked at. A command that has left since counts as taken, too.
        taken = before < self._sent or (before == inf and self._is_leaving)
        if self._heard or not self.wants_to_receive or taken:  # while nothing is read, silence is not the peer's either
            self._heard = False
            self._quiet_since = now
        if now < self._quiet_until:
            return
        quiet, self._quiet_since = now - self._quiet_since, now
        if self._flying:
            first = self._flying[0]
            # A caller that gave a deadline has said how long it waits, whatever the others think of the silence.
            if not first.blocks and not (first.state is HANDED and now < first.deadline < inf):
                self._lose(self._ended(f"{self.peer} owes a reply and has been silent for {quiet:.3g} s"))
        elif self.state is READY or self.state is State.SUBSCRIBED:
            # A command that no caller waits for: its reply is skipped like that of any other.
            self._ping = new_slot(("PING",))
            self._send_first(self._ping)
            self._ping.settle(ABANDONED, inf)
            self._abandoned += 1
            self._pings += 1
