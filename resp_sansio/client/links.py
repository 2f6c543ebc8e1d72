"""What a client is made of: links, lanes of links, calls and waiters; and what an adapter is told to do about them.

A link is one connection, from its socket's opening to its end. A lane is one link after another that callers share. A call is a
slot: while it is on a link, the link's connection knows of it; one that waits for a link, or pauses before another attempt, is
known by its `Call`. A waiter is a caller that wants a link for itself.

The machine says what is to be done with sockets by the events of this page, and which caller to wake by a `Slot`, `Granted`,
`Refused` or `Heard`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from math import inf
from types import ModuleType
from typing import Any, ClassVar, Final, NamedTuple

from .._errors import ConnectionClosedError
from .._stats import CloseReason, LaneStats
from ..config.addresses import Address, Race, not_resolved, of_the_system
from ..config.config import Config
from ..connection.connection import Connection
from ..connection.slot import Slot, SlotState
from ..wire.values import Reply
from .feeds import Feed
from .forks import between_forks
from .leases import Dial as PlaceDial
from .leases import Lease
from .leases import Waiter as PlaceWaiter
from .pushes import Listener, Pushes
from .retry import Attempts
from .sentinel import Place, Search, Way
from .subscriptions import Registry
from .timers import Timer
from .tls import TLSWire

__all__ = [
    "Call",
    "Close",
    "Dial",
    "Drained",
    "Granted",
    "Heard",
    "Lane",
    "Leaked",
    "Link",
    "Look",
    "Refused",
    "Report",
    "ServerFacts",
    "Share",
    "Waiter",
    "meant_for",
]


LAST_STEPS: Final = 4
"""Steps of a call between servers that an error tells of: the last ones."""


NO_CALLERS: Final[dict[Any, Any]] = {}
"""Stands for a dictionary of callers that wait, in which there are none, as in most: put one into `waiting = waiting or {}`."""

NONE_CLOSED: Final[Mapping[CloseReason, int]] = {}


# -- links and lanes ------------------------------------------------------------------------------------------------------


class Dial:
    """Open a socket to the server of `config` before the deadline, and say `connected` or `dial_failed`.

    `deadline` is in seconds of the adapter's clock, and holds for the handshake, too. `token` is the adapter's own.

    Where the server is to be found first, the same dial is told several times, and each time it leads elsewhere: by its `search`.

    The times are for observers: when it was wanted, when it was begun, when a socket was open, and when TLS had shaken hands.
    """

    __slots__ = (
        "_until", "begun_at", "connected_at", "deadline", "generation", "home", "lane", "place", "race", "search", "tls_at",
        "token", "wanted_at", "way",
    )  # fmt: skip

    def __init__(
        self,
        lane: Lane | None,
        place: PlaceDial[Link] | None,
        now: float,
        deadline: float,
        generation: int,
        way: Way,
        search: Search | None = None,
        home: Any = None,
    ) -> None:
        self.way: Way = way
        self.home: Final[Any] = home  # the machine that it is for
        self.search: Final[Search | None] = search
        self.lane: Final[Lane | None] = lane
        self.place: Final[PlaceDial[Link] | None] = place  # of the pool, for which it is if not for a lane
        self.deadline: float = deadline
        self._until = deadline  # for all that it takes
        self.generation: int = generation
        self.token: Any = None
        self.wanted_at: Final[float] = now
        self.begun_at: float | None = None
        self.race: Race | None = None  # between the addresses that were found
        self.connected_at: float | None = None
        self.tls_at: float | None = None

    @property
    def brings_news(self) -> bool:
        """Is it for no caller, but for news of a sentinel's?"""
        return self.lane is None and self.place is None

    @property
    def config(self) -> Config:
        """Where it leads, and as whom: of this dial alone."""
        return self.way.config

    def begin(self, now: float) -> None:
        """The addresses are looked up from now on; for a second socket, anew."""
        self.begun_at = now
        self.race = self.connected_at = self.tls_at = None
        if self.search is not None:
            self.deadline = now + self.search.share(self._until - now)

    def go_on(self, error: Exception, now: float) -> Exception | None:
        """This has failed. Return why the dial is over; None: it leads elsewhere now, and is to be told again."""
        return error if self.search is None else self._lead(self.search.failed(error, late=now >= self._until))

    def answered(self, answers: Sequence[Reply]) -> Exception | None:
        """A sentinel has answered. Returns the same."""
        assert self.search is not None
        return self._lead(self.search.answered(answers))

    def _lead(self, over: Exception | None) -> Exception | None:
        if over is None:
            assert self.search is not None
            self.way, self.deadline = self.search.way, self._until
        return over

    def addresses(self, socket: ModuleType) -> list[Address] | None:
        """Return the addresses if that takes no look-up: of a path, or of a host in digits. None for a name.

        `socket` is that module.
        """
        config = self.config
        if config.path is not None:
            return [(socket.AF_UNIX, socket.SOCK_STREAM, 0, "", config.path)]
        try:
            return self._found(socket, socket.AI_NUMERICHOST)
        except OSError as error:
            of_the_system(error)
            return None

    def look_up(self, socket: ModuleType) -> list[Address]:
        """Return the addresses of a name. It takes its time, and forks of the process wait for it.

        Raises `ConnectError`.
        """
        try:
            return between_forks(self._found, socket)
        except OSError as error:
            raise not_resolved(self.config, of_the_system(error)) from error

    def _found(self, socket: ModuleType, flags: int = 0) -> list[Address]:
        # Text is encoded by a codec that is imported then, and a thread that was interrupted may hold the import lock.
        config = self.config
        host, port = config.host, config.port
        found: list[Address] = socket.getaddrinfo(
            host.encode() if host.isascii() else host, port, type=socket.SOCK_STREAM, flags=flags
        )
        return found

    def begin_race(self, found: Sequence[Address]) -> Race:
        """These addresses were found: return the race between them."""
        self.race = race = self.way.addresses.race(found, self.deadline)
        return race

    @property
    def found_at(self) -> float | None:
        """When the race began."""
        return None if self.race is None else self.race.begun_at

    def __repr__(self) -> str:
        return f"<{type(self).__name__} for a {'lane' if self.place is None else 'lease'} until {self.deadline}>"


class Link:
    """One connection of a client. `core` is its protocol, `io` the adapter's own.

    `wire` gives the bytes for the socket: by `data_to_send`, `sent` and `wants_to_send`, as a connection does. It is `core`, or
    the `tls` in front of it. `ended` is said once, by `Close`: what `wire` still has then (TLS may say why) is sent as far as the
    socket takes it at once; after that nothing is to be read or written.
    """

    __slots__ = (
        "__weakref__", "_pushes", "awaited", "core", "dial", "due", "ended", "feed", "generation", "home", "io", "lane", "left",
        "looking", "news_from", "of_use", "opened_at", "reason", "registry", "run_id", "slot", "timer", "tls", "trusted", "wire",
    )  # fmt: skip

    def __init__(self, core: Connection, dial: Dial, tls: TLSWire | None = None) -> None:
        self.core: Final[Connection] = core
        self.home: Final[Any] = dial.home  # the machine of its server, to which its bytes are given
        self.tls: Final[TLSWire | None] = tls
        self.wire: Final[Connection | TLSWire] = core if tls is None else tls
        self._pushes: Pushes | None = None
        self.registry: Registry | None = None  # of the subscriptions that it serves
        self.feed: Feed | None = None  # which of them
        self.lane: Final[Lane | None] = dial.lane
        self.generation: Final[int] = dial.generation
        self.dial: Dial | None = dial  # until the handshake is over
        self.ended: bool = False
        self.io: Any = None
        self.slot: Any = None  # the call that has it for itself
        self.looking: Waiter | None = None  # the caller that gets it once the adapter has `looked`
        self.due: float = inf  # when it is to be looked at, by `timer`
        self.timer: Timer | None = None
        self.opened_at: float = inf
        self.reason: CloseReason | None = None  # why it is not used any more
        self.left: bool = False  # by the client: that it ends says nothing of the server
        self.of_use: bool = False  # a call was answered on it
        self.run_id: bytes | None = None  # of its server, once that was asked; empty if it does not tell
        self.news_from: Place | None = None  # a sentinel that tells of switches: no caller uses it
        self.awaited: bool = False  # by the machine itself, for a reply that no caller waits for
        self.trusted: bool = False  # it has been of use for long enough to say that the server is well, see `Pace`

    @property
    def pushes(self) -> Pushes:
        """What comes unasked, and who waits for it: made at first need, for most links never have any of either."""
        if self._pushes is None:
            self._pushes = Pushes(self.core)
        return self._pushes

    def __repr__(self) -> str:
        return f"<{type(self).__name__}{' (ended)' if self.ended else ''} over {self.core!r}>"


class ServerFacts(NamedTuple):
    """What is known of one server of several; its `id` is empty if that is not known."""

    id: str
    replica: bool
    slots: tuple[range, ...]


class Lane:
    """The state of one lane. `link` is the present one, while it takes calls; `dial` the one under way for the next."""

    __slots__ = ("_closed", "_returned", "_waiting", "created", "dial", "dial_failures", "link")

    def __init__(self) -> None:
        self.link: Link | None = None
        self.dial: Dial | None = None
        self.created: int = 0
        self.dial_failures: int = 0
        self._closed: Mapping[CloseReason, int] = NONE_CLOSED
        self._returned: dict[Slot | Waiter, None] = NO_CALLERS
        self._waiting: dict[Slot | Waiter, None] = NO_CALLERS

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.waiting} waiting, {self.created} links created>"

    @property
    def waiting(self) -> int:
        """How many wait for the next link."""
        return len(self._returned) + len(self._waiting)

    @property
    def load(self) -> int:
        """How many calls wait for a reply, or for a link."""
        return self.waiting if self.link is None else self.link.core.in_flight

    def enter(self, entry: Slot | Waiter, *, again: bool = False) -> None:
        """Wait for the next link; `again`: this call was on the one before, so it goes ahead of those that were not."""
        if again:
            self._returned = self._returned or {}
            self._returned[entry] = None
        else:
            self._waiting = self._waiting or {}
            self._waiting[entry] = None

    @property
    def entries(self) -> list[Slot | Waiter]:
        """What waits, in the order in which it is to go out."""
        return [*self._returned, *self._waiting]

    def holds(self, entry: Slot | Waiter) -> bool:
        """Does it wait here?"""
        return entry in self._returned or entry in self._waiting

    def leave(self, entry: Slot | Waiter) -> None:
        """Wait no more. Idempotent."""
        self._returned.pop(entry, None)
        self._waiting.pop(entry, None)

    def empty(self) -> list[Slot | Waiter]:
        """Return what waits, in the order in which it is to go out; nothing waits any more."""
        entries = self.entries
        self._returned = self._waiting = NO_CALLERS
        return entries

    def left(self, reason: CloseReason) -> None:
        """The present link has ended, or takes no more calls."""
        assert self.link is not None
        self.link.reason = reason
        closed = {**self._closed, reason: self._closed.get(reason, 0) + 1}
        # Both or none: no interrupt strikes between two assignments.
        self._closed = closed
        self.link = None

    def stats(self) -> LaneStats:
        """Return what was counted."""
        return LaneStats(
            created=self.created,
            closed=dict(self._closed),
            dial_failures=self.dial_failures,
            waiting=self.waiting,
            connection=None if self.link is None else self.link.core.stats(),
        )


# -- calls and waiters ----------------------------------------------------------------------------------------------------


class Call:
    """What is known of a call beyond its slot. A call that goes by a lane and is answered there at once has none of it."""

    __slots__ = (
        "at", "attempts", "caller", "check", "fixed", "home", "hops", "lane", "lease", "outage", "pinned", "split", "timer",
        "trail", "waiter",
    )  # fmt: skip

    def __init__(self, *, pinned: bool = False) -> None:
        self.pinned: Final[bool] = pinned  # to a link that its caller was lent: it ends with that link
        self.lane: Lane | None = None  # by which it goes, if it does not go by a lease
        self.caller: tuple[Hashable] | None = None  # which keeps to that lane while it has calls under way
        self.lease: Lease[Link] | None = None
        self.waiter: PlaceWaiter[Link] | None = None  # its place in the pool's queue
        self.check: Slot | None = None  # the PING that its lease has to answer first
        self.attempts: Attempts | None = None
        self.timer: Timer | None = None
        # Of a cluster: the machine of the server that it is made at, may it be made at another, how often it was sent elsewhere,
        # the first step of that and the last ones, its parts, and the `Outage` for whose end it waits, or goes to see.
        self.home: Any = None
        self.fixed: bool = False
        self.at: Any = (
            None  # if it was so from the beginning: at which server, or that of which hash slot; see `meant_for`
        )
        self.hops: int = 0
        self.trail: tuple[str, ...] = ()
        self.split: Any = None
        self.outage: Any = None

    def __repr__(self) -> str:
        where = "pinned" if self.pinned else "waiting" if self.waiter else "under way"
        return f"<{type(self).__name__} {where}>"

    def went(self, first: str, step: str) -> None:
        """It was sent elsewhere: from the server at `first`, if it was sent nowhere before, by this step."""
        trail = self.trail or (f"sent to {first}",)
        self.trail = trail[0], *trail[1:][1 - LAST_STEPS :], step

    @property
    def way(self) -> str:
        """Where it was sent, for its errors."""
        left_out = self.hops + 1 - len(self.trail)
        steps = [*self.trail]
        if left_out > 0:
            steps.insert(1, f"elsewhere {left_out} times")
        return ", ".join(steps)


def meant_for(slot: Slot, at: int | Place) -> None:
    """Say, before it is submitted to a cluster's machine, that a call is for the server at this place, or of this hash slot.

    It goes there whatever its keys are, and is answered what that server says, be it MOVED.
    """
    slot.call = call = Call()
    call.fixed, call.at = True, at


class Share:
    """The use of a link by a caller among others, where there are no leases; it is given back like one."""

    __slots__ = ("connection", "ended")

    def __init__(self, link: Link) -> None:
        self.connection: Final[Link] = link
        self.ended: bool = False

    def check(self, name: str) -> None:
        """Raise `ConnectionClosedError` if it was given back."""
        if self.ended:
            raise ConnectionClosedError(f"{name} was not sent: this connection was given back")


class Waiter:
    """A caller that waits for a link of its own. `token` is the adapter's own, to wake it by.

    It ends with a `lease` or with an `error`, and then one of `Granted` and `Refused` says so; or it is withdrawn.
    """

    __slots__ = (
        "at",
        "attempts",
        "borrower",
        "check",
        "deadline",
        "error",
        "held",
        "home",
        "lease",
        "place",
        "timer",
        "token",
        "turn",
    )

    link: ClassVar[None] = None  # it waits on none

    def __init__(self, token: object, deadline: float, borrower: str | None) -> None:
        self.token: object = token
        self.deadline: Final[float] = deadline
        self.borrower: Final[str | None] = borrower
        self.lease: Lease[Link] | Share | None = None
        self.error: Exception | None = None
        self.attempts: Attempts | None = None
        self.place: PlaceWaiter[Link] | None = None  # in the pool's queue
        self.held: Lease[Link] | None = None  # a lease that is looked at before it is handed over
        self.turn: float = 0  # that of the last one
        self.check: Slot | None = None  # the PING that its link has to answer
        self.timer: Timer | None = None
        self.at: Any = None  # of a cluster: for which hash slot, or at which server; and the machine of that server
        self.home: Any = None

    def __repr__(self) -> str:
        state = "has its lease" if self.lease else "has its error" if self.error else "waits"
        return f"<{type(self).__name__} {state}>"

    @property
    def state(self) -> SlotState:
        """As of a call: QUEUED, ANSWERED with a lease, or LOST with an error."""
        if self.lease is not None:
            return SlotState.ANSWERED
        return SlotState.QUEUED if self.error is None else SlotState.LOST

    def result(self) -> Lease[Link] | Share:
        """Return the lease; raise why there is none."""
        if self.lease is None:
            assert self.error is not None
            raise self.error
        return self.lease


# -- what the adapter is to do ---------------------------------------------------------------------------------------------


class Close(NamedTuple):
    """Send what `link.wire` has, as far as the socket takes it at once, shut the socket down, and close it.

    A child of a fork may hold it open.
    """

    link: Link


class Look(NamedTuple):
    """Take in what has come on this link, without waiting for more, and say `looked`."""

    link: Link


class Granted(NamedTuple):
    """Wake this waiter: it has its lease."""

    waiter: Waiter


class Refused(NamedTuple):
    """Wake this waiter: it has its error."""

    waiter: Waiter


class Heard(NamedTuple):
    """Wake this listener: it has its push, or its error."""

    listener: Listener


class Leaked(NamedTuple):
    """Report that this lease is out for longer than `leak_after`. Told once."""

    lease: Lease[Link]


class Report(NamedTuple):
    """Call this, in the order of these events, once all else is carried out, and while no lock is held: it tells the observers."""

    report: Callable[[], None]


class Drained(NamedTuple):
    """The client was drained: it is closed, and nothing of it is left."""
