"""A client with observers: the same machine, which notes in passing what they are to be told.

A client without observers has none of this in its way. What is noted of a call is on its `Watch`; what happens to links becomes a
`Report`, for the adapter to carry out when it holds no lock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import count, islice
from math import inf
from typing import Any, ClassVar, Final
from weakref import ref

from .._errors import RespError
from .._facts import (
    CallRetried,
    ClientMade,
    DialFailed,
    KeysInvalidated,
    LinkClosed,
    LinkOpened,
    PushesDropped,
    ReplyDropped,
    Route,
    Step,
)
from .._stats import ClientStats, CloseReason, ConnectionStats, PoolStats
from ..config.config import Config
from ..config.settings import ClientSettings, PoolSettings
from ..connection.connection import Connection
from ..connection.events import ConnectionLost, Opened
from ..connection.slot import Slot, SlotState
from .cache import ReadCache
from .client import Client
from .leases import Lease
from .links import Dial, Lane, Link, Report, Share
from .observers import Observers, Watch
from .tls import TLSWire

__all__ = ["ObservedClient"]

ANSWERED: Final = SlotState.ANSWERED
ABANDONED: Final = SlotState.ABANDONED
# Looked up once: these are called for every command.
_start: Final = Client.start
_receive_replies: Final = Client.receive_replies

writes: Final = count(1)
"""Numbers for what is handed over together; no two clients of an observer have the same."""


def watch_of(slot: Slot) -> Watch | None:
    """Return what is noted of this call; None of one that no caller made."""
    return getattr(slot, "watch", None)


class ObservedConnection(Connection):
    """It notes when commands are handed over."""

    __slots__ = ("address", "alone", "number", "observers", "received")

    address: str
    observers: Observers
    number: int  # of its link
    alone: Slot | None  # what was handed over while nothing was in flight, if nothing has been since
    received: int  # bytes, since then

    def _hand_over(self) -> None:
        flying = self._flying
        flew = len(flying)
        super()._hand_over()
        if len(flying) > flew:
            now = self.observers.now()
            write = next(writes) if len(flying) > flew + 1 else None
            for slot in islice(flying, flew, None):
                watch = getattr(slot, "watch", None)  # as `watch_of`, which costs a call for each
                if watch is not None:
                    watch.handed_at = now
                    watch.write = write
            self.alone = flying[0] if len(flying) == 1 else None
            self.received = 0


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
        cache: ReadCache | None = None,
    ) -> None:
        super().__init__(config, settings, pool, random=random, once=once, observers=observers, cache=cache)
        self._observers: Final[Observers] = observers
        self._number = 0  # of the last link that was opened
        self._made()

    def _made(self) -> None:
        observers, stats = self._observers, partial(_stats_of, ref(self))
        observers.tell("client_made", ClientMade(observers.address, observers.database, stats))

    # -- calls ---------------------------------------------------------------------------------------------------------------

    def start(
        self, slot: Slot, now: float, lease: Lease[Link] | Share | None = None, hold: bool = False
    ) -> bytes | None:
        """As of a client."""
        payload = _start(self, slot, now, lease, hold)
        if payload and (watch := getattr(slot, "watch", None)) is not None:
            watch.handed_at = now
            core = slot.link.core
            core.alone, core.received = slot, 0
        return payload

    def abandon(self, slot: Slot, now: float) -> None:
        """As of a client."""
        watch = watch_of(slot)
        if watch is not None and watch.heard_at is None:
            watch.heard_at = now
        super().abandon(slot, now)

    def _repeats(self, slot: Slot, cause: RespError, pause: float, now: float) -> None:
        watch, told = watch_of(slot), self._observers
        if watch is not None:
            watch.anew()
            watch.retried += 1
            watch.steps += (
                CallRetried(
                    self._address,
                    told.database,
                    command=told.kind(self._call_of(slot)).command,
                    attempt=watch.retried,
                    cause=cause,
                    pause=pause,
                    after=now - watch.began_at,
                ),
            )

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
        core: Any = link.core
        owed = [slot for slot in core._flying if slot.state is ABANDONED] if core._abandoned else None
        dropped, before, cache = core._dropped, len(self._events), self.cache
        invalidated = 0 if cache is None else cache.invalidations
        answered = _receive_replies(self, link, data, now)
        core.received += len(data)
        for slot in [*self._events[before:]] if answered is None else answered:
            watch = getattr(slot, "watch", None)  # other events have none
            if watch is not None:
                watch.heard_at = now
                if slot is core.alone and slot.state is ANSWERED and link.tls is None:
                    watch.received = core.received
        if link.dial is not None:
            self._note_tls(link, now)
        elif owed is not None or core._dropped != dropped:
            assert not answered
            self._tell_of_dropped(core, owed or (), core._dropped - dropped, now)
            answered = None  # so the events are taken
        if cache is not None and cache.invalidations != invalidated:
            assert answered is None
            database, keys = self._observers.database, cache.invalidations - invalidated
            self._report("keys_invalidated", KeysInvalidated(core.address, database, keys))
        return answered

    def _tell_of_dropped(self, core: ObservedConnection, owed: Sequence[Slot], pushes: int, now: float) -> None:
        """Tell of replies that came and that no caller waited for, and of pushes for which none can."""
        told, address = self._observers, core.address
        for slot in owed:
            watch = watch_of(slot)
            if watch is not None and core.error is None and slot not in core._flying:
                late = 0.0 if watch.heard_at is None else now - watch.heard_at
                name = told.kind(self._call_of(slot)).command
                self._report("reply_dropped", ReplyDropped(address, told.database, name, late))
        if pushes:
            self._report("pushes_dropped", PushesDropped(address, told.database, pushes))

    # -- where: of one server ------------------------------------------------------------------------------------------------

    @property
    def _address(self) -> str:
        """The server that this machine is of."""
        return self._observers.address

    def _leads_to(self, dial: Dial) -> str:
        """A link was opened: return to which server."""
        self._observers.leads_to(dial.config.address)
        return dial.config.address

    def _led_to(self, dial: Dial) -> str:  # noqa: ARG002  # which may have led to a sentinel
        """No link was opened: return to which server one was to lead."""
        return self._observers.address

    def _call_of(self, slot: Slot) -> Slot:
        """Return the call that this is an attempt of."""
        return slot

    def count_link(self) -> int:
        """A link was opened: return its number."""
        self._number += 1
        return self._number

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
        link.core.alone, link.core.received = None, 0
        return link

    def _dial_over(self, dial: Dial, error: Exception | None, now: float) -> None:
        told, total = self._observers, now - dial.wanted_at
        if not dial.brings_news:
            fact = DialFailed(self._led_to(dial), told.database, self._route(dial.lane), error, self._step(dial), total)
            self._report("dial_failed", fact)
        super()._dial_over(dial, error, now)

    def _opened(self, link: Link, event: Opened, now: float) -> None:
        dial, core = link.dial, link.core
        assert dial is not None and isinstance(core, ObservedConnection)
        core.number = self.count_link()
        connected_at, shook_at, told = dial.connected_at, dial.tls_at, self._observers
        assert connected_at is not None
        core.address = self._leads_to(dial)
        fact = LinkOpened(
            core.address,
            told.database,
            number=core.number,
            route=self._route(link.lane),
            peer=None if dial.race is None else dial.race.peer,
            protocol=event.protocol,
            name=_between(dial.begun_at, dial.found_at),
            dial=_between(dial.found_at, connected_at),
            tls=_between(connected_at, shook_at),
            handshake=now - (connected_at if shook_at is None else shook_at),
            total=now - dial.wanted_at,
        )
        self._report("link_opened", fact)
        super()._opened(link, event, now)

    def _lost(self, link: Link, event: ConnectionLost, now: float) -> None:
        opened = link.dial is None and link.news_from is None
        self._note_tls(link, now)
        super()._lost(link, event, now)
        if opened:
            assert isinstance(link.core, ObservedConnection)
            told = self._observers
            fact = LinkClosed(
                link.core.address,
                told.database,
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
            return "tls" if dial.config.tls and dial.tls_at is None else "handshake"
        return "dial" if dial.found_at is not None else "name" if dial.begun_at is not None else "credentials"

    def _route(self, lane: Lane | None) -> Route:
        return "connection" if self.once else "lease" if lane is None else "lane"

    def _report(self, name: str, fact: object) -> None:
        self._events.append(Report(partial(self._observers.tell, name, fact)))


def _stats_of(client: ref[ObservedClient]) -> ClientStats | PoolStats | ConnectionStats | None:
    there = client()
    return None if there is None or (there.once and there.closed is not None) else there.stats()


def _between(begun_at: float | None, ended_at: float | None) -> float | None:
    return None if begun_at is None or ended_at is None else ended_at - begun_at
