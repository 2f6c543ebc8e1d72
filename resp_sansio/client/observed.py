"""A client with observers: the same machine, which notes in passing what they are to be told.

A client without observers has none of this in its way. What is noted of a call is on its `Watch`; what happens to links becomes a
`Report`, for the adapter to carry out when it holds no lock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from math import inf
from typing import ClassVar, Final

from .._errors import Outcome, ReplyError, RespError, shown_code
from .._facts import (
    CallEnded,
    CallRetried,
    DialFailed,
    LinkClosed,
    LinkOpened,
    PushesDropped,
    ReplyDropped,
    Route,
    Step,
    WaitEnded,
)
from .._record import Record, made
from .._stats import CloseReason
from ..config.config import Config
from ..config.settings import ClientSettings, PoolSettings
from ..connection.connection import Connection
from ..connection.events import ConnectionLost, Opened
from ..connection.slot import Batch, Slot, SlotState
from .calls import error_of
from .client import Client
from .leases import Lease
from .links import Dial, Lane, Link, Report, Share
from .observers import Observers, Told
from .tls import TLSWire

__all__ = ["ObservedClient", "Wait", "Watch"]

ANSWERED: Final = SlotState.ANSWERED
ABANDONED: Final = SlotState.ABANDONED


# -- a call, from its beginning to its end -----------------------------------------------------------------------------------


class Watch:
    """What is noted of a call. `begin` and `end` tell of it: its caller says so, where no lock is held.

    `handed_at`: when its last attempt was handed over to the network, `heard_at`: when that had its reply, or ended otherwise; both
    None until then. `received`: bytes of its reply, if that is known.
    """

    __slots__ = (
        "_fact", "_kind", "_observers", "_size", "_slot", "_told", "began_at", "handed_at", "heard_at", "received", "retries",
    )  # fmt: skip

    def __init__(self, observers: Observers, slot: Slot) -> None:
        payload = slot.payload
        self._observers = observers
        self._slot = slot
        self._kind = observers.kind(slot)
        self._size = len(payload) if isinstance(payload, bytes) else sum(map(len, payload))
        self._told: Told = []
        self._fact: CallEnded | None = None
        self.handed_at: float | None = None
        self.heard_at: float | None = None
        self.received: int | None = None
        self.retries: list[CallRetried] = []
        self.began_at: float = observers.now()
        slot.watch = self

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._slot!r}>"

    def begin(self) -> None:
        """Tell that it begins."""
        self._observers.began(self._kind, self._told)

    def end(self, error: BaseException | None, *, held: bool) -> None:
        """Tell that it has ended: by this error, if its caller was not told in another way. Each is told once.

        `held`: it went by a link that its caller had.
        """
        fact = self._fact
        if fact is None:
            self._fact = fact = self._ended(error, held=held)
        self._observers.ended(self._told, self.retries, fact)

    def again(self, cause: RespError, attempt: int, pause: float, now: float) -> None:
        """An attempt has failed, and another follows."""
        self.anew()
        self.retries.append(
            self._observers.fact(
                CallRetried,
                command=self._kind.command,
                attempt=attempt,
                cause=cause,
                pause=pause,
                after=now - self.began_at,
            )
        )

    def anew(self) -> None:
        """Nothing of the next attempt has been handed over."""
        self.handed_at = self.heard_at = self.received = None

    def dropped(self, now: float) -> ReplyDropped:
        """Return what is told of its reply that came too late."""
        late = 0.0 if self.heard_at is None else now - self.heard_at
        return self._observers.fact(ReplyDropped, command=self._kind.command, late=late)  # type: ignore[no-any-return]

    def _ended(self, error: BaseException | None, *, held: bool) -> CallEnded:
        slot, observers, handed_at = self._slot, self._observers, self.handed_at
        call, now = slot.call, observers.now()
        total = now - self.began_at
        if slot.state is ANSWERED:
            outcome, found = Outcome.REPLY, error_in(slot)
        else:
            outcome, found = self._outcome(), None if error is not None else error_of(slot)
        told = found if error is None else error
        return made(
            CallEnded,
            {
                **vars(self._kind),
                "outcome": outcome,
                "error": told,
                "error_code": shown_code(found) if isinstance(found, ReplyError) else None,
                "abandoned": slot.state is ABANDONED,
                "attempts": 1 if call is None or call.attempts is None else call.attempts.made,
                "route": "connection" if held or observers.once else route_of(slot),
                "total": total,
                "queued": total if handed_at is None else handed_at - self.began_at,
                "network": None if handed_at is None else (now if self.heard_at is None else self.heard_at) - handed_at,
                "bytes_sent": None if handed_at is None else self._size,
                "bytes_received": self.received,
            },
        )

    def _outcome(self) -> Outcome:
        """How a call ended that was not answered. One that was refused, or never begun, has nothing to say of it."""
        outcomes: Sequence[Outcome] = getattr(self._slot, "outcomes", ())
        unknown = Outcome.NOT_SENT if self.handed_at is None else Outcome.MAYBE_EXECUTED
        return next((outcome for outcome in outcomes if outcome is not Outcome.REPLY), unknown)


def error_in(slot: Slot) -> BaseException | None:
    """Return the error that a call was answered with; of several commands, the first one."""
    if type(slot) is Slot:
        return slot.reply if isinstance(slot.reply, Exception) else None
    assert isinstance(slot, Batch)
    found = [*slot.replies]
    if slot.replies and type(slot.replies[-1]) is list and slot.infos[-1].name == "EXEC":
        found += slot.replies[-1]
    return next((reply for reply in found if isinstance(reply, Exception)), None)


def route_of(slot: Slot) -> Route:
    """Return by what a call went, or was to go, that was not lent a link."""
    by_lane = slot.link.lane if slot.link is not None else None if slot.call is None else slot.call.lane
    return "lease" if by_lane is None else "lane"


class Wait:
    """A caller that waits for a link of its own."""

    __slots__ = ("_began_at", "_observers")

    def __init__(self, observers: Observers) -> None:
        self._observers = observers
        self._began_at = observers.now()

    def end(self, error: BaseException | None) -> None:
        """Tell that it has it, or why not."""
        observers = self._observers
        ended = "granted" if error is None else "refused" if isinstance(error, Exception) else "withdrawn"
        waited = observers.now() - self._began_at
        observers.tell("wait_ended", observers.fact(WaitEnded, waited=waited, ended=ended, error=error))


# -- the machine -------------------------------------------------------------------------------------------------------------


def watch_of(slot: Slot) -> Watch | None:
    """Return what is noted of this call; None of one that no caller made."""
    return getattr(slot, "watch", None)


class ObservedConnection(Connection):
    """It notes when commands are handed over."""

    __slots__ = ("number", "observers", "unclaimed", "unclaimed_slots")

    observers: Observers
    number: int  # of its link
    unclaimed: int  # bytes that came since nothing was in flight
    unclaimed_slots: int  # calls that were answered since

    def _hand_over(self) -> None:
        flying = self._flying
        flew = len(flying)
        super()._hand_over()
        if len(flying) > flew:
            now = self.observers.now()
            for slot in islice(flying, flew, None):
                watch = watch_of(slot)
                if watch is not None:
                    watch.handed_at = now


class ObservedClient(Client):
    """A client with observers."""

    __slots__ = ("_number", "_observers")

    _connection_type: ClassVar[type[Connection]] = ObservedConnection

    def __init__(
        self,
        config: Config,
        settings: ClientSettings | None = None,
        pool: PoolSettings | None = None,
        *,
        random: Callable[[], float],
        observers: Observers,
        once: bool = False,
    ) -> None:
        super().__init__(config, settings, pool, random=random, once=once)
        self.observers = self._observers = observers
        self._number = 0  # of the last link that was opened

    # -- calls ---------------------------------------------------------------------------------------------------------------

    def start(
        self, slot: Slot, now: float, lease: Lease[Link] | Share | None = None, hold: bool = False
    ) -> bytes | None:
        """As of a client."""
        payload = Client.start(self, slot, now, lease, hold)
        if payload and (watch := watch_of(slot)) is not None:
            watch.handed_at = now
        return payload

    def abandon(self, slot: Slot, now: float) -> None:
        """As of a client."""
        watch = watch_of(slot)
        if watch is not None and watch.heard_at is None:
            watch.heard_at = now
        super().abandon(slot, now)

    def _repeats(self, slot: Slot, cause: RespError, pause: float, now: float) -> None:
        watch = watch_of(slot)
        if watch is not None:
            watch.again(cause, slot.call.attempts.made - 1, pause, now)

    def _go(self, slot: Slot, now: float, *, turn: float = inf) -> None:
        watch = watch_of(slot)
        if watch is not None:
            watch.anew()  # also where the link that it was lent had ended before
        super()._go(slot, now, turn=turn)

    def _finish(self, slot: Slot, failure: Exception | None, now: float) -> None:
        watch = watch_of(slot)
        if watch is not None:
            watch.heard_at = now
        super()._finish(slot, failure, now)

    def receive_replies(self, link: Link, data: bytes, now: float) -> list[Slot] | None:
        """As of a client."""
        core = link.core
        assert isinstance(core, ObservedConnection)
        owed = [slot for slot in core._flying if slot.state is ABANDONED] if core._abandoned else ()
        dropped, before = core._dropped, len(self._events)
        answered = Client.receive_replies(self, link, data, now)
        ended = [event for event in self._events[before:] if isinstance(event, Slot)] if answered is None else answered
        core.unclaimed += len(data)
        core.unclaimed_slots += len(ended)
        for slot in ended:
            if (watch := watch_of(slot)) is not None:
                watch.heard_at = now
                if not core._flying and core.unclaimed_slots == 1 and link.tls is None and slot.state is ANSWERED:
                    watch.received = core.unclaimed
        if not core._flying:
            core.unclaimed = core.unclaimed_slots = 0
        if link.dial is not None:
            self._note_tls(link, now)
        elif owed or core._dropped > dropped:
            self._tell_of_dropped(core, owed, core._dropped - dropped, now)
            if answered:
                self._events += answered
            return None
        return answered

    def _tell_of_dropped(self, core: Connection, owed: Sequence[Slot], pushes: int, now: float) -> None:
        """Tell of replies that came and that no caller waited for, and of pushes for which none can."""
        for slot in owed:
            watch = watch_of(slot)
            if watch is not None and core.error is None and slot not in core._flying:
                self._report("reply_dropped", watch.dropped(now))
        if pushes:
            self._report("pushes_dropped", self._observers.fact(PushesDropped, count=pushes))

    # -- links ---------------------------------------------------------------------------------------------------------------

    def connected(
        self,
        dial: Dial,
        now: float,
        credentials: tuple[str | None, str | bytes] | None = None,
        tls: TLSWire | None = None,
    ) -> Link:
        """As of a client."""
        dial.connected_at = now
        link = super().connected(dial, now, credentials, tls)
        assert isinstance(link.core, ObservedConnection)
        link.core.observers = self._observers
        link.core.unclaimed = link.core.unclaimed_slots = 0
        return link

    def dial_failed(self, dial: Dial, error: Exception | None, now: float) -> None:
        """As of a client."""
        total = now - dial.wanted_at
        fact = self._observers.fact(
            DialFailed, route=self._route(dial.lane), error=error, step=self._step(dial), total=total
        )
        self._report("dial_failed", fact)
        super().dial_failed(dial, error, now)

    def _opened(self, link: Link, event: Opened, now: float) -> None:
        dial, core = link.dial, link.core
        assert dial is not None and isinstance(core, ObservedConnection)
        core.number = self._number = self._number + 1
        connected_at, shook_at = dial.connected_at, dial.tls_at
        fact = self._observers.fact(
            LinkOpened,
            number=core.number,
            route=self._route(link.lane),
            peer=None if dial.race is None else dial.race.peer,
            protocol=event.protocol,
            name=_between(dial.begun_at, dial.found_at),
            dial=_between(dial.found_at, connected_at),
            tls=_between(connected_at, shook_at),
            handshake=_between(connected_at if shook_at is None else shook_at, now),
            total=now - dial.wanted_at,
        )
        self._report("link_opened", fact)
        super()._opened(link, event, now)

    def _lost(self, link: Link, event: ConnectionLost, now: float) -> None:
        opened = link.dial is None
        self._note_tls(link, now)
        super()._lost(link, event, now)
        if opened:
            assert isinstance(link.core, ObservedConnection)
            fact = self._observers.fact(
                LinkClosed,
                number=link.core.number,
                route=self._route(link.lane),
                reason=link.reason or CloseReason.CLOSED,
                error=event.error,
                age=now - link.opened_at,
                commands=link.core.stats().sent,
            )
            self._report("link_closed", fact)

    @staticmethod
    def _note_tls(link: Link, now: float) -> None:
        if link.dial is not None and link.dial.tls_at is None and link.tls is not None and link.tls.open:
            link.dial.tls_at = now

    def _step(self, dial: Dial) -> Step:
        if dial.connected_at is not None:
            return "tls" if self.config.tls and dial.tls_at is None else "handshake"
        return "dial" if dial.found_at is not None else "name" if dial.begun_at is not None else "credentials"

    def _route(self, lane: Lane | None) -> Route:
        return "connection" if self.once else "lease" if lane is None else "lane"

    def _report(self, name: str, fact: Record) -> None:
        self._events.append(Report(partial(self._observers.tell, name, fact)))


def _between(begun_at: float | None, ended_at: float | None) -> float | None:
    return None if begun_at is None or ended_at is None else ended_at - begun_at
