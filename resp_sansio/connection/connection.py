"""One connection, without the connection: bytes in, events out, bytes out, deadlines.

The machine keeps two queues of slots: what waits to be sent, and what was handed over and waits for its reply, in the order of
the bytes. A reply belongs to the first slot of the second queue: that is the whole of pairing, and everything else here serves
to keep it true. Whatever does not fit ends the connection, because nothing behind it could be paired.

The law for drivers: after every call that changes the machine, send what `data_to_send` gives (and say so with `sent`), take
`events`, and re-arm the timer for `next_deadline`. No call here blocks, reads a clock, or raises on what the peer sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import inf
from typing import Final, Self

from .._errors import (
    CommandTimeoutError,
    ConnectError,
    ConnectionClosedError,
    ConnectionLostError,
    LocalProtocolError,
    Outcome,
    RespError,
    TransactionAbortedError,
)
from .._stats import CloseReason, ConnectionStats
from ..commands.command import Command
from ..commands.knowledge import prepare
from ..config.config import MAX_PUSHES, Config
from ..wire.encoder import Argument, encode_command
from ..wire.parser import Limits, Parser
from .events import ConnectionLost, Event, Opened
from .handshake import Accepted, Handshake
from .pairing import ENDS_WATCH
from .slot import Batch, Slot, SlotState
from .state import Input, State, move
from .stateful import StatefulBatch, new_batch, new_slot
from .timing import Timing

__all__ = ["Connection"]


QUEUED: Final = SlotState.QUEUED
HANDED: Final = SlotState.HANDED
ANSWERED: Final = SlotState.ANSWERED
ABANDONED: Final = SlotState.ABANDONED
OPENING: Final = State.OPENING
READY: Final = State.READY

MAX_IN_FLIGHT: Final = 1024
"""Slots; the size of rueidis' ring of commands in flight."""

MAX_IN_FLIGHT_BYTES: Final = 8 * 1024 * 1024
"""What a caller may have to wait for behind others is bounded, and so is what a failure leaves uncertain."""

_prepare_once = lru_cache(maxsize=64)(prepare)
"""For a handshake's commands, which are the same at each dial: all but those with a secret."""

# server.c, processCommand: the commands that RESP2 allows once a client has subscribed.
SUBSCRIBED_COMMANDS: Final = frozenset(
    {"SUBSCRIBE", "UNSUBSCRIBE", "PSUBSCRIBE", "PUNSUBSCRIBE", "SSUBSCRIBE", "SUNSUBSCRIBE", "PING", "QUIT", "RESET"}
)


class Connection(Timing):
    """The state of one connection to one server: see the module's page for how to drive it.

    `handshake` says what to agree on first (None: nothing; commands go out at once). `now` and all deadlines are seconds of one
    monotonic clock, whichever. `open_by` is the deadline of the handshake. After `ping_interval` seconds without a byte and
    with nothing in flight a PING goes out, so that dead peers and idle timeouts of proxies show; a connection that owes a
    reply (to a command that does not block) and stays silent for `silence` seconds counts as dead. `max_pushes` bounds the
    pushes that were handed out and not `push_taken`, see `wants_to_receive`; without `keep_pushes` all are dropped and counted,
    for a connection without a listener; one that `collects` them keeps them in `collected`, without an event for each, and without
    that bound. `lenient_push` takes pushes inside other replies from any server, not only
    from one that may write them or does not say (see `ServerInfo.nests_pushes`). At most `max_in_flight` slots with
    `max_in_flight_bytes` are handed over and not yet answered (a larger slot goes alone): the others stay queued, in their
    order, and can be withdrawn. `peer` names the server in messages.
    """

    __slots__ = ("_final", "_given_up", "_handshake", "_never_sent", "watch_epoch")
    state: State
    tracking: bool

    def __init__(
        self,
        handshake: Handshake | None = None,
        *,
        now: float = 0.0,
        open_by: float = inf,
        limits: Limits | None = None,
        lenient_push: bool = False,
        nested_attributes: bool = False,
        max_pushes: int = MAX_PUSHES,
        keep_pushes: bool = True,
        collects: bool = False,
        max_in_flight: int = MAX_IN_FLIGHT,
        max_in_flight_bytes: int = MAX_IN_FLIGHT_BYTES,
        ping_interval: float = inf,
        silence: float = inf,
        peer: str = "the server",
    ) -> None:
        super().__init__(
            Parser(limits or Limits(), lenient_push=True, nested_attributes=nested_attributes),
            # Every connection starts in RESP2; an answer to HELLO 3 may already be the first of RESP3.
            protocol=2 if handshake is None else handshake.protocol,
            state=READY if handshake is None else OPENING,
            max_pushes=max_pushes,
            lenient_push=lenient_push,
            keep_pushes=keep_pushes,
            max_in_flight=max_in_flight,
            max_in_flight_bytes=max_in_flight_bytes,
        )
        self.peer = peer
        self._collects = collects
        self.watch_epoch: int = 0  # counts what ends every WATCH on this connection, whichever caller sent it
        self._given_up = self._never_sent = self._pings = 0
        self._final: ConnectionStats | None = None
        self._open_by = open_by
        self._ping_interval = ping_interval
        self._silence = silence
        self._quiet_since = now
        self._sent_before = inf
        self._handshake = handshake
        if handshake is not None:
            self._send_handshake(handshake.first_batch())

    @classmethod
    def configured(
        cls,
        config: Config,
        credentials: tuple[str | None, str | bytes] | None = None,
        *,
        now: float,
        open_by: float = inf,
        plain: bool = False,
        keep_pushes: bool = True,
        needs_master: bool = False,
        master_name: str | None = None,
        peer: str | None = None,
        tracking: tuple[Argument, ...] = (),
        collects: bool = False,
        ping_interval: float = inf,
        reads_replica: bool = False,
        needs_replica: bool = False,
        lists_replicas: bool = False,
    ) -> Self:
        """Return the connection that `config` asks for, with what its provider of credentials said (see `read_credentials`).

        `plain` leaves out what some proxies hang up on, see `Fallback`; for `needs_master`, `master_name`, `reads_replica`,
        `needs_replica` and `lists_replicas` see `Handshake`.
        `peer` names the server in messages; None: by its address. By the command `tracking` the server is asked to tell of changes;
        whether it does, the attribute of that name says. `ping_interval` is for a `config` without one.
        """
        username, password = credentials or (config.username, config.password)
        handshake = Handshake(
            protocol=2 if plain else config.protocol,
            username=username,
            password=password,
            client_name=None if plain else config.client_name,
            library_name=None if plain else config.lib_name,
            library_version=None if plain else config.lib_version,
            database=config.db,
            needs_master=needs_master,
            master_name=master_name,
            tracking=() if plain else tracking,
            reads_replica=reads_replica,
            needs_replica=needs_replica,
            lists_replicas=lists_replicas,
        )
        return cls(
            handshake,
            now=now,
            open_by=open_by,
            limits=config.limits,
            lenient_push=config.lenient_push,
            max_pushes=config.max_pushes,
            keep_pushes=keep_pushes,
            collects=collects,
            ping_interval=ping_interval if config.ping_interval is None else config.ping_interval,
            silence=inf if config.silence_timeout is None else config.silence_timeout,
            peer=peer or config.address,
        )

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} to {self.peer}: {self.state.name}, RESP{self.protocol}, {self._queued} queued,"
            f" {len(self._flying)} in flight ({self._abandoned} abandoned)>"
        )

    @property
    def error(self) -> RespError | None:
        """Why the connection has ended; None while it has not."""
        return None if self._lost is None else self._lost.error

    @property
    def is_as_new(self) -> bool:
        """May a next borrower have it as it is? If so it has no `close_reason`, is not `watching`, and owes no reply.

        One look for each loan, where three cost five calls.
        """
        return not (
            self._flying
            or self._waiting
            or self._watching
            or self._session_changed
            or self.state is not READY
            or self._lost is not None
            or self.subscriptions
        )

    @property
    def close_reason(self) -> CloseReason | None:
        """Why a next borrower can't have it, None if it is as good as new: behind an UNWATCH, if it is `watching`."""
        if self._lost is not None:
            return CloseReason.LOST
        changed = self._session_changed or (self._waiting and self.session_changed) or self.subscriptions
        return CloseReason.BROKEN if changed or self.state is not READY else None

    def stats(self) -> ConnectionStats:
        """Count what is under way, or was when the connection ended, and what has been."""
        if self._final is not None:
            return self._final
        own = self._own_in_flight
        in_flight = len(self._flying) - own
        abandoned = self._abandoned - (own if self._opening is None else 0)
        skipped = self._given_up - self._never_sent - abandoned
        return ConnectionStats(
            queued=self._queued,
            in_flight=in_flight,
            abandoned=abandoned,
            most_in_flight=self._most_in_flight,
            sent=self._sent_slots,
            answered=self._sent_slots - in_flight - skipped,
            batches=self._batches,
            given_up=self._given_up,
            pings=self._pings,
            unread_pushes=self._pushes,
            dropped_pushes=self._dropped,
        )

    def not_opened(self) -> ConnectError | None:
        """Return why there is no usable connection, once the handshake has ended; None if there is one."""
        error = self.error
        if error is None:
            return None
        told = error if isinstance(error, ConnectError) else ConnectError("", transient=False)
        message = f"cannot open a connection to {self.peer}: {error}"
        made = ConnectError(message, transient=told.transient, plain_may_work=told.plain_may_work)
        made.__cause__ = error.__cause__
        return made

    def timed_out(self) -> CommandTimeoutError:
        """Return why a call whose deadline has passed fails, with the counts of this moment; see `Slot.failure`."""
        full = f": {self._pushes} pushes wait to be taken before more is read" if not self.wants_to_receive else ""
        return CommandTimeoutError(f"{self.peer} did not answer in time{full}", stats=self.stats())

    # -- commands --------------------------------------------------------------------------------------------------------

    def send(self, command: Command[object], token: object = None, *, deadline: float = inf) -> Slot:
        """Queue one command, and return its slot. Raises what `new_slot` and `submit` raise, and then nothing has changed."""
        if not isinstance(command, Command):
            raise TypeError(f"send() takes a Command, not {type(command).__name__}: send(Command('GET', key))")
        slot = new_slot(command.args, token, deadline, command.info)
        self.submit(slot)
        return slot

    def send_many(self, commands: Sequence[Command[object]], token: object = None, *, deadline: float = inf) -> Slot:
        """Queue a pipeline: one slot, whose `reply` is the list of all replies. Raises what `new_batch` and `submit` raise."""
        for command in commands:
            if not isinstance(command, Command):
                kind = type(command).__name__
                raise TypeError(f"send_many() takes Commands, not {kind}: send_many([Command('GET', key), ...])")
        payloads = [encode_command(command.args) for command in commands]
        slot = new_batch(payloads, [command.info for command in commands], token, deadline)
        self.submit(slot)
        return slot

    def submit(self, slot: Slot) -> None:
        """Queue a slot made by `new_slot` or `new_batch`: making one needs no connection, so it can be done outside a lock.

        Raises `ConnectionClosedError` or `LocalProtocolError` if the state allows no such command; nothing has changed then.
        """
        if self.state is not READY or slot.state is not QUEUED:
            self._check_allowed(slot)
        self._waiting.append(slot)
        if slot.deadline < self._earliest:
            self._earliest = slot.deadline
        if not slot.plain and isinstance(slot, StatefulBatch):
            names = {info.name for info in slot.infos}
            if names & ENDS_WATCH:
                self.watch_epoch += 1
            if slot.info.secret and slot.exclusive:
                self._exclusive = True
            if "QUIT" in names:
                self.close()
            if "MONITOR" in names:
                self._move(Input.MONITORED)

    def submit_watched(self, slot: Slot, epoch: int) -> None:
        """Queue a MULTI ... EXEC that relies on a WATCH sent when `watch_epoch` was `epoch`.

        Raises `TransactionAbortedError` if another caller's EXEC, DISCARD, UNWATCH or RESET has ended that WATCH since: the server
        would no longer notice a change. Else as `submit`.
        """
        if epoch != self.watch_epoch:
            raise TransactionAbortedError("another transaction on this connection ended the WATCH; try again")
        self.submit(slot)

    def limit(self, slot: Slot, deadline: float) -> None:
        """Give a slot that is under way an earlier deadline than it had."""
        slot.deadline = deadline
        if self._deadlines is not None and self._deadlines.knows(slot):  # with the one that it had
            self._deadlines.add(slot, deadline)
        self._earliest = min(self._earliest, deadline)

    def abandon(self, slot: Slot) -> Sequence[Outcome]:
        """Nobody waits for this slot any more: say how its commands ended. Legal at any time, and as often as wanted.

        A queued slot is withdrawn: NOT_SENT. A handed one keeps its place, the rest of it is still sent, and its reply is
        skipped when it comes. Only if the server may put it aside and act on it later (BLPOP) does the connection end: it
        would take an element that is lost then, and hold up the others until then. So it does for AUTH, whose reply may never come.
        """
        if slot.state is QUEUED:
            self._note_deadlines()
            slot.settle(SlotState.WITHDRAWN, 0)
            slot.payload = b""
            if self._deadlines is not None and self._deadlines.knows(slot):  # else it was never submitted
                self._given_up += 1
                self._never_sent += 1
                self._follow_withdrawal(slot)
        elif slot.state is HANDED:
            slot.settle(ABANDONED, inf)
            self._given_up += 1
            self._abandoned += 1
            if not self._parser.quiet and slot is self.oldest and slot.takes_outline and not self._mixed:
                self._parser.drop()
            self._follow_abandonment(slot)
        elif slot.state is ANSWERED:
            return (Outcome.REPLY,) * slot.count
        return slot.outcomes

    def reconcile(self) -> None:
        """Put in order what an interrupt has left that cut a method short in which no bytes moved. May be cut short itself."""
        self._recount()
        if self._final is not None:
            self._lose(ConnectionLostError("a call was interrupted as the connection ended"))
        for slot in [slot for slot in self._flying if slot.state is ABANDONED]:
            self._follow_abandonment(slot)  # it was counted, and the connection had not ended yet
        self._end_if_idle()

    def _recount(self) -> None:
        """Count anew what is under way: a slot may have changed and the count not, or the reverse."""
        if self._ping is not None and self._ping.state is HANDED:
            self._ping.settle(ABANDONED, inf)
        self._abandoned = self._scripts = self._withdrawn = 0
        for slot in self._flying:
            self._abandoned += slot.state is ABANDONED
            self._scripts += not slot.plain
        for slot in self._waiting:
            self._withdrawn += slot.state is SlotState.WITHDRAWN
        self._given_up = max(self._given_up, self._never_sent + self._abandoned - self._own_in_flight)

    def _follow_abandonment(self, slot: Slot) -> None:
        """End where a reply may be acted on later, or never come."""
        if slot.exclusive:
            self._lose(ConnectionLostError(f"{slot.name} was given up, and a server may leave it unanswered"))
        elif slot.may_act_later:
            self._lose(ConnectionLostError(f"{slot.name} was given up while the server could still act on it"))

    def _follow_withdrawal(self, slot: Slot) -> None:
        """A slot that was not sent may have been what the state stood for, or waited for."""
        self._withdrawn += 1
        if 2 * self._withdrawn > len(self._waiting):
            self._waiting = [waiting for waiting in self._waiting if waiting.state is QUEUED]
            self._withdrawn = 0
            self._forget_ended()
        if self.state is not READY:
            if slot.info.name == "MONITOR":
                self._forget_monitor()
            self._end_if_idle()

    def _check_allowed(self, slot: Slot) -> None:
        """Raise unless the state takes this slot; READY, and OPENING where commands wait, take (almost) any."""
        if slot.state is not QUEUED:
            raise LocalProtocolError(
                f"{slot.name} was not sent: a slot is submitted once, and this one is {slot.state.name}"
            )
        if self._lost is not None:
            raise ConnectionClosedError(
                f"{slot.name} was not sent: the connection to {self.peer} has ended: {self._lost.error}"
            ) from self._lost.error  # `may_repeat` looks for it
        if self.state is State.CLOSING:
            raise ConnectionClosedError(f"{slot.name} was not sent: the connection to {self.peer} is closing")
        if self.state is State.MONITORING:
            raise LocalProtocolError(
                f"{slot.name} was not sent: after MONITOR a connection only listens; use another one"
            )
        if self.state is OPENING and slot.info.name == "MONITOR":
            raise LocalProtocolError(
                "MONITOR was not sent: nothing could wait behind it; send it once the connection is open"
            )
        if self.state is State.SUBSCRIBED:
            for info in slot.infos if isinstance(slot, Batch) else (slot.info,):
                if info.name not in SUBSCRIBED_COMMANDS:
                    raise LocalProtocolError(
                        f"{info.name} was not sent: on RESP2 a subscribed connection takes only (un)subscribe commands, PING, QUIT"
                        " and RESET; unsubscribe first, or use RESP3 or another connection"
                    )

    # -- opening ---------------------------------------------------------------------------------------------------------

    def _send_handshake(self, commands: Sequence[tuple[Argument, ...]]) -> None:
        """Send a batch of the handshake, past whatever waits."""
        prepared = [(prepare if "AUTH" in command else _prepare_once)(command) for command in commands]
        self._opening = Batch([payload for payload, _ in prepared], [info for _, info in prepared], None, inf)
        self._send_first(self._opening)

    def _read_handshake(self) -> None:
        assert self._handshake is not None and self._opening is not None
        try:
            result = self._handshake.answered(self._opening.replies)
        except ConnectError as error:
            self._lose(error)
            return
        if isinstance(result, Accepted):
            self._opening = self._handshake = None
            self._follow_hello(result)
            self.tracking = result.tracking
            self._move(Input.ACCEPTED)
            self._events.append(Opened(protocol=result.protocol, server=result.server, answers=result.answers))
        else:
            self._send_handshake(result)

    # -- events, and the end ---------------------------------------------------------------------------------------------

    def events(self) -> list[Event]:
        """Return what has happened since the last call, in order. `ConnectionLost` comes last, and again at every later call."""
        events = self._events
        self._events = []
        if self._deadlines is not None:
            self._forget_ended()
        if self._lost is not None:
            events.append(self._lost)
        return events

    def close(self) -> None:
        """Accept no more commands; the connection ends when what it has accepted is answered. Idempotent."""
        self._move(Input.CLOSE)
        if self.state is State.LOST:
            self._lose(ConnectionClosedError("the connection was closed before it opened"))
        self._end_if_idle()

    def abort(self, error: RespError | None = None, *, uncertain: bool = False) -> None:
        """End now, whatever is under way. Idempotent.

        `uncertain`: bytes may have left that `sent` was not told of, so whatever was handed over counts as sent.
        """
        if uncertain:
            self._sent = self._handed
        self._lose(error or ConnectionClosedError("the connection was closed"))

    def receive_eof(self, why: str = "the server closed the connection") -> None:
        """Nothing more will come: the peer closed its side, or reading failed (`why` then says how)."""
        self._lose(self._ended(why))

    def send_failed(self, error: Exception | str) -> None:
        """Writing is no longer possible. A driver reads what is left to read first: the server may have said why."""
        self._lose(self._ended(f"sending failed: {error}"))

    def _move(self, what: Input) -> None:
        self.state = move(self.state, what)

    def _end_if_idle(self) -> None:
        if self.state is State.CLOSING and not self._flying and not self._queued:
            self._lose(ConnectionClosedError("the connection was closed"))

    def _ended(self, why: str) -> RespError:
        if self.state is State.OPENING and self._handshake is not None and self._opening is not None:
            return self._handshake.interrupted(self._opening.replies, why)
        where = "" if self._parser.idle else " in the middle of a reply"
        return ConnectionLostError(f"{why}{where}")

    def _lose(self, error: RespError) -> None:
        if self._lost is not None:
            return
        self._recount()
        self._final = self.stats()
        self._move(Input.ENDED)
        unanswered = []
        for slot in (*self._flying, *self._waiting):
            if slot.state is QUEUED or (slot.state is HANDED and slot is not self._opening):
                slot.settle(SlotState.LOST, self._sent)
                unanswered.append(slot)
        self._flying.clear()
        self._waiting.clear()
        self._blocks.clear()
        self._deadlines = None
        self._abandoned = self._scripts = self._withdrawn = 0
        self._lost = ConnectionLost(error=error, unanswered=unanswered)
