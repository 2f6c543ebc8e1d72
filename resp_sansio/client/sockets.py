"""What adapters say of a client's sockets: that one is open, or could not be opened; what came by it; that it has ended.

Each of these is told to the connection of its link, and the client draws the conclusions. The plain path, replies to calls that
have no more to them than their slot, touches its own link only.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import ClassVar

from .._errors import ConnectError, ReplyError, RespError, is_transient, reason_of
from ..connection.connection import Connection
from ..connection.slot import Batch, Slot
from .cache import CachedRead
from .leases import PoolState
from .links import Dial, Link
from .listening import KEEP_ALIVE
from .repair import Repair
from .submitting import PINNED, ClientEvent
from .tls import TLSWire

__all__ = ["Sockets"]


class Sockets(Repair):
    """What a client makes of what its adapter says."""

    __slots__ = ()

    _connection_type: ClassVar[type[Connection]] = Connection

    @property
    def untold(self) -> Sequence[ClientEvent]:
        """What `events` would return: the same list for as long as there is this machine, so that a look into it costs no call."""
        return self._events

    def events(self) -> list[ClientEvent]:
        """Return what has happened, and what is to be done, since the last call."""
        events = self._events[:]
        self._events.clear()  # the list stays the same: machines of one cluster share it
        return events

    def connected(
        self,
        dial: Dial,
        now: float,
        credentials: tuple[str | None, str | bytes] | None = None,
        tls: TLSWire | None = None,
    ) -> Link:
        """A socket is open: return its link, which has something to send. The handshake is the machine's, that of TLS included.

        `tls` was made for this dial; None for a link without TLS.
        """
        asks = dial.way.master_name is not None  # a sentinel, whose link has no other use
        subscribes = dial.lane is not None and dial.lane is self._subscriptions and not asks
        cache = None if dial.lane is None or subscribes or asks else self.cache
        core = self._connection_type.configured(
            dial.config,
            credentials,
            now=now,
            open_by=dial.deadline,
            plain=dial.way.opening.plain,
            needs_master=dial.way.needs_master,
            master_name=dial.way.master_name,
            reads_replica=dial.way.reads_replica,
            needs_replica=dial.way.needs_replica,
            lists_replicas=dial.way.lists_replicas,
            peer=dial.way.addresses.peer,
            keep_pushes=dial.lane is None or self.once,  # on a lane no caller listens
            tracking=() if cache is None else cache.options.tracking,
            collects=subscribes,
            ping_interval=KEEP_ALIVE if subscribes else inf,
        )
        link = Link(core, dial, tls)
        self._links.append(link)
        self._watch(link, dial.deadline)
        if tls is not None:
            tls.begin(core)
            if tls.ended:
                self.receive_eof(link, now, tls.error)
        if not self._is_wanted(dial):
            self.abort(link, self.closed, now)
        return link

    def _is_wanted(self, dial: Dial) -> bool:
        if dial.brings_news:
            return dial in self._news
        if dial.lane is not None:
            return dial.lane.dial is dial
        return self._pool is not None and self._pool.state is not PoolState.CLOSED

    def dial_failed(self, dial: Dial, error: Exception | None, now: float) -> None:
        """No socket came of it. None: its caller gave it up."""
        if error is None:
            self._dial_over(dial, None, now)
        else:
            self._go_on(dial, dial.go_on(error, now), now)

    def _dial_over(self, dial: Dial, error: Exception | None, now: float) -> None:
        if dial.brings_news:
            self._news_ended(dial, now)
            return
        lane = dial.lane
        if error is None:
            self._pace.gave_up(now)
        else:
            self._pace.failed(error, now, self._random())
        self._await_pace()
        if lane is not None:
            if self._breaker is not None and lane is not self._subscriptions:
                if error is None:
                    self._breaker.gave_up(now)
                else:
                    self._breaker.failed(now)
            if lane.dial is dial:
                lane.dial = None
                if error is not None:
                    lane.dial_failures += 1
                    for entry in lane.empty():
                        self._dial_told(entry, error, now)
                if lane is self._subscriptions:
                    self._subscriptions_not_opened(error, now)
        else:
            assert self._pool is not None and dial.place is not None
            self._pool.dial_failed(dial.place, error, now)
            self._carry_out(now)
        self._see_to_dials(now)

    def receive_data(self, link: Link, data: bytes, now: float) -> list[ClientEvent]:
        """Bytes came on this link, as its socket gave them. Returns the events, as `events` does.

        The plain path touches its own link only.
        """
        answered = self.receive_replies(link, data, now)
        return self.events() if answered is None else [*answered]

    def receive_replies(self, link: Link, data: bytes, now: float) -> list[Slot] | None:
        """As `receive_data`, and return the calls that ended, if there is nothing else to tell, to do or to wait for.

        None if there may be: then take `events()`, and ask `next_deadline()`.
        """
        answered = link.wire.receive_replies(data)
        if answered is None:
            if link.tls is not None and link.tls.ended:
                self.receive_eof(link, now, link.tls.error)
            else:
                self._follow(link, link.core.events(), now)
            return None
        lease, reads = None, None
        for slot in answered:
            call = slot.call
            if call is not None and call is not PINNED and len(answered) == 1 and call.attempts is None:
                lease = call.lease  # at the first attempt, so there is no more to it
            alone = call is None or (type(slot) is not CachedRead and (call is PINNED or lease is not None))
            if type(slot) is CachedRead:
                reads = [slot] if reads is None else [*reads, slot]
                alone = alone and type(slot.replies[-1]) is not ReplyError
                alone = alone and slot.cell is not None and slot.cell.readers is None
            elif type(slot) is Batch:
                alone = alone and slot.starts and ReplyError not in {*map(type, slot.replies)}
            if not alone or type(slot.reply) is ReplyError:
                self._follow(link, answered, now)
                return None
        if reads is not None and self.cache is not None:
            for read in reads:
                self.cache.answered(read, link.core, now)
                self.cache.ended(read)
        if not link.trusted and answered:
            self._proved(link, now)
        told, pool, sooner = len(self._events), self._pool, False
        if lease is not None and pool is not None:
            answered[0].call.lease, due = None, pool._look_at
            self.release(lease, now)
            sooner = pool._look_at < due
        if self._events or sooner:
            self._events[told:told] = answered
            return None
        return answered

    def receive_eof(self, link: Link, now: float, error: Exception | None = None) -> None:
        """Nothing more will come on this link: the server closed it, or reading failed with this error."""
        if link.tls is not None:
            link.tls.end(error)
        if error is None:
            link.core.receive_eof()
        elif link.dial is not None and isinstance(error, OSError) and not is_transient(error):
            link.core.abort(ConnectError(f"the connection failed: {reason_of(error)}", transient=False))
        else:
            link.core.receive_eof(f"the connection failed: {reason_of(error)}")
        self._follow(link, link.core.events(), now)

    def send_failed(self, link: Link, error: Exception, now: float) -> None:
        """Nothing more can be sent on this link. An adapter takes in what has come first: the server may have said why."""
        if link.tls is not None:
            link.tls.end(error)
        link.core.send_failed(error)
        self._follow(link, link.core.events(), now)

    def abort(self, link: Link, error: RespError | None, now: float, *, uncertain: bool = False) -> None:
        """End this link now. `uncertain`: bytes may have left that `sent` was not told of."""
        link.core.abort(error, uncertain=uncertain)
        self._follow(link, link.core.events(), now)
