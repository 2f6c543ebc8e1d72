"""Dials and time: what is no call's own, and is done by threads that wait, or come by.

A dial is made step by step. A thread that has its own to do again, or whose time is up, leaves it to another.
"""

from __future__ import annotations

from threading import Lock
from time import monotonic
from typing import Final, TypeAlias

from resp_sansio import ConnectError
from resp_sansio.client import DONE, SLEEP, Client, Dial, Job, Party, Sleep, entry_of
from resp_sansio.connection import Slot

from ._guards import Guarded, check_not_patched
from ._links import Socket
from ._transport import Opening

__all__ = ["NAP", "Caller", "Dials"]

NAP: Final = 0.25
"""Seconds after which a thread that waits for others, or for what is not its own, looks whether it has something better to do."""

TURN: Final = 0.05
"""Seconds for which a thread waits for a dial while others are to be made, before the next one has its turn."""

LOOK: Final = 0.1
"""Seconds between looks at what is due, by whichever caller comes by."""

Caller: TypeAlias = Slot | Party


class Dials(Guarded):
    """Carries out dials, sees to the time, and says what a thread does next."""

    __slots__ = ()

    def _next(self, caller: Caller, job: Job | None) -> Job | None:
        """Return the next job of a thread that is here."""
        if self._moves != self.machine.moves:
            self._moves = self.machine.moves
            self.crew.unsettled = True  # calls may have left a link, and no thread was told
        job = self.crew.next(caller, job)
        return self._park(caller) if job is SLEEP else job

    def _park(self, caller: Caller) -> Job:
        waker = Lock()
        waker.acquire()
        self.crew.sleepers[caller] = waker
        return SLEEP

    # -- dials ---------------------------------------------------------------------------------------------------------------------

    def _dial(self, caller: Caller, dial: Dial) -> Job | None:
        """Open a socket on this thread, without the lock, as far as there is time; return the thread's next job."""
        check_not_patched()
        machine, crew, opening = self.machine, self.crew, self._openings.get(dial)
        result: Exception | Sleep | None = None  # as if an interrupt strikes: it is given up, and another begins anew
        try:
            if opening is None:
                try:
                    self._openings[dial] = opening = Opening(dial)
                except Exception as error:  # noqa: BLE001  # a provider may raise anything, and its callers are to know
                    result = error
            while (
                opening is not None
                and result is None
                and not opening.go_on(min(caller.deadline, monotonic() + (TURN if crew.dials else NAP)))
            ):
                self._locked(self._look_around, caller)
                if caller.token == DONE or crew.where(caller) is not None or crew.dials:
                    result = SLEEP  # it has its own to do, or another dial, and whoever is free goes on
        except ConnectError as error:
            result = error
        finally:
            job = self._locked(self._dialled, machine, caller, dial, opening, result)
        return job

    def _look_around(self, caller: Caller) -> None:
        """A dial takes its time: see to what no other thread may see to."""
        self._take_in((*self.crew.listening, *self.crew.common))
        self._pass_time(caller, monotonic())

    def _dialled(
        self, machine: Client, caller: Caller, dial: Dial, opening: Opening | None, result: Exception | Sleep | None
    ) -> Job | None:
        """A thread is back from a dial."""
        now = monotonic()
        if machine is not self.machine:  # forked meanwhile
            if opening is not None:
                opening.close()
            return self._next(caller, SLEEP)
        self.crew.dialled(dial)
        if opening is not None and opening.connected is not None:
            self._connected(dial, opening, now)
        elif result is SLEEP and machine.closed is None:
            self.crew.wanted(dial)
            return self._next(caller, SLEEP)
        else:
            self._drop_opening(dial)
            machine.dial_failed(dial, result if isinstance(result, Exception) else None, now)
        self._carry_out()
        self._pass_time(caller, now)
        return self._next(caller, SLEEP)

    def _connected(self, dial: Dial, opening: Opening, now: float) -> None:
        """A socket is open: begin the handshake."""
        machine, connected = self.machine, opening.connected
        assert connected is not None
        try:
            link = machine.connected(dial, now, opening.credentials, opening.tls)
        except (TypeError, ValueError) as error:
            if any(link.io is None for link in machine.links):
                raise  # an interrupt's, that has left a link behind
            self._drop_opening(dial)
            machine.dial_failed(dial, error, now)  # credentials that can't be sent: those who wait are to know
            return
        link.io = io = Socket(link, connected)
        self._forget_opening(dial)  # only now: until then, those who mend close it
        if link.ended:
            self._close(io)
        else:
            self.crew.opens(io)
            self._send(io)

    # -- time ----------------------------------------------------------------------------------------------------------------------

    def _look(self, now: float) -> None:
        """Do what is due, whatever the caller wants that comes by."""
        crew = self.crew
        if crew.owing or crew.common:
            self._take_in((*crew.owing, *crew.common))
        if now >= self._look_at:
            self._look_at = now + LOOK
            self._take_in([link.io for link in self.machine.news])
            self._see_to_time(now)

    def _pass_time(self, caller: Caller, now: float) -> None:
        """A thread has waited for as long as it was to."""
        entry = entry_of(caller)
        self._see_to_time(now)
        if caller.token != DONE and entry is not None:
            self.machine.resume(entry, now)
        elif entry is None and now >= caller.deadline:
            self.crew.ended(caller)
        self._carry_out()

    def _see_to_time(self, now: float) -> None:
        self._take_up_lost_dials()
        for dial in self.crew.late_dials(now):
            self._drop_opening(dial)
            self.machine.dial_failed(dial, None, now)
        if self.machine.next_deadline() <= now:
            self._take_in(self.crew.owed)
        self.machine.handle_timeout(now)
        self._carry_out()
