"""What goes out on a connection, in which order, and how far the writing has got.

Slots wait until they are handed over: joined into blocks for the network, from which moment their places are taken. At rest
(nothing waits, is in flight or unsent) a single command takes a shorter path, `start`, with the same bookkeeping.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Final, Literal

from .._errors import LocalProtocolError
from ..wire.encoder import UNCOPIED
from ..wire.parser import Parser
from .pairing import ENDS_WATCH, Pairing
from .slot import Slot, SlotState
from .state import State
from .stateful import StatefulBatch

__all__ = ["Sending", "changes_session"]

QUEUED: Final = SlotState.QUEUED
HANDED: Final = SlotState.HANDED
OPENING: Final = State.OPENING
READY: Final = State.READY

WRITE_BLOCK: Final = 64 * 1024
"""Commands are joined into blocks of about this many bytes; in go-redis' measurements larger ones gained nothing."""

SHORT_PATH: bool = True
"""May `start` do at once what `submit`, `data_to_send` and `sent` do? Tests that compare the two switch it off."""

# They change a connection for no longer than a transaction lasts.
PASSES: Final = frozenset({"WATCH", "MULTI", "EXEC", "DISCARD", "UNWATCH"})


class Sending(Pairing):
    """The slots that are to be sent, and the bytes that are on their way out."""

    __slots__ = (
        "_batches", "_blocks", "_earliest", "_exclusive", "_handed", "_max_in_flight", "_max_in_flight_bytes", "_most_in_flight",
        "_ping", "_sent", "_sent_slots", "_waiting", "_withdrawn",
    )  # fmt: skip

    def __init__(
        self,
        parser: Parser,
        protocol: Literal[2, 3],
        state: State,
        *,
        max_pushes: int,
        lenient_push: bool,
        keep_pushes: bool,
        max_in_flight: int,
        max_in_flight_bytes: int,
    ) -> None:
        super().__init__(
            parser, protocol, state, max_pushes=max_pushes, lenient_push=lenient_push, keep_pushes=keep_pushes
        )
        self._waiting: list[Slot] = []  # QUEUED, and WITHDRAWN ones that are passed over
        self._withdrawn = 0  # how many of them are
        self._earliest = inf  # no slot's deadline is before this
        # Handed over, and not yet taken by the network; the last one goes first.
        self._blocks: list[bytes | memoryview] = []
        # Of all bytes ever: how many were handed over, and how many of them the network has taken.
        self._handed = 0
        self._sent = 0
        self._max_in_flight = max_in_flight
        self._max_in_flight_bytes = max_in_flight_bytes
        self._exclusive = False  # was a slot submitted that must be the only one in flight?
        self._ping: Slot | None = None  # the last one of its own
        self._most_in_flight = self._sent_slots = self._batches = 0

    @property
    def session_changed(self) -> bool:
        """Was a command sent, or is one to be, behind which the connection is not what it was? Then no other caller may have it.

        Nor where the server has refused an UNWATCH: the WATCH would be the next borrower's.
        """
        return self._session_changed or (
            bool(self._waiting) and any([slot.state is QUEUED and changes_session(slot) for slot in self._waiting])
        )

    @property
    def watching(self) -> bool:
        """Was a WATCH sent, or is one to be, behind which nothing is known to end it?"""
        watching = self._watching
        for slot in self._waiting:
            if slot.state is QUEUED:
                watching = _watches(slot, watching)
        return watching

    # -- what is under way -----------------------------------------------------------------------------------------------

    @property
    def wants_to_send(self) -> bool:
        """Is something queued, or handed over and not sent? (It may have to wait for replies, or for the handshake.)"""
        return bool(self._blocks) or len(self._waiting) > self._withdrawn

    @property
    def _queued(self) -> int:
        return len(self._waiting) - self._withdrawn

    @property
    def in_flight(self) -> int:
        """How many slots were handed over and have not all of their replies, abandoned ones included."""
        return len(self._flying)

    @property
    def slots(self) -> list[Slot]:
        """Those that are under way, in the order of their replies."""
        return [slot for slot in (*self._flying, *self._waiting) if slot.state is HANDED or slot.state is QUEUED]

    @property
    def oldest(self) -> Slot | None:
        """The slot in flight whose reply is next, None if nothing is in flight."""
        return self._flying[0] if self._flying else None

    @property
    def _own_in_flight(self) -> int:
        """1 if what is in flight is the connection's own: a batch of the handshake, or a PING, which goes out alone; else 0."""
        head = self.oldest
        return int(head is not None and (head is self._opening or head is self._ping))

    # -- bytes out -------------------------------------------------------------------------------------------------------

    def start(self, slot: Slot, hold: bool = False) -> bytes | None:
        """Submit a command, or a pipeline, and hand it over if the connection is at rest.

        Returns its bytes, which count as sent, see `unsent`. Empty if the connection is not at rest, or with `hold`: the slot
        waits, and comes with `data_to_send`. None to decline, and then nothing has changed: `submit` it. An adapter that may find
        the connection at rest has seen just before that there is nothing to read.
        """
        if (
            (type(slot) is not Slot and not slot.starts)
            or self.state is not READY
            or slot.state is not QUEUED
            or not SHORT_PATH
        ):
            return None
        if slot.deadline < self._earliest:
            self._earliest = slot.deadline
        payload = slot.payload
        if (
            self._flying
            or self._waiting
            or hold
            or self._blocks
            or type(payload) is not bytes
            or len(payload) > WRITE_BLOCK
        ):
            self._waiting.append(slot)
            return b""
        self._heard = True  # nothing was owed until now, so silence counts from here
        slot.end = end = self._handed + len(payload)
        slot.state = HANDED
        self._flying.append(slot)
        self._sent = self._handed = end
        self._batches += 1
        self._sent_slots += 1
        if not self._most_in_flight:
            self._most_in_flight = 1
        return payload

    def unsent(self, rest: bytes | memoryview) -> None:
        """The network did not take this end of what `start` returned: it does not count as sent, and comes next.

        Raises `LocalProtocolError`, and changes nothing, if that can't be.
        """
        if self._blocks or len(rest) > self._handed - self._answered:
            raise LocalProtocolError(f"unsent() of {len(rest)} bytes, which are not the end of what start() returned")
        self._sent -= len(rest)
        self._blocks.append(rest)

    def data_to_send(self) -> bytes | memoryview:
        """Return the next block to send, empty if there is none. The slots in it count as handed over.

        What the network did not take, as told by `sent`, comes again first.
        """
        blocks = self._blocks
        if not blocks:
            if not self._waiting or self.state is OPENING:
                return b""
            self._hand_over()
            if not blocks:
                return b""
        return blocks[-1]

    def sent(self, count: int) -> None:
        """The network took this many more bytes of what `data_to_send` gave, in that order.

        A driver tells before it tells of the end (`receive_eof`, `send_failed`), for that is when outcomes are decided. Raises
        `LocalProtocolError`, and changes nothing, if so many can't have been sent.
        """
        blocks = self._blocks
        if not 0 <= count <= self._handed - self._sent:
            raise LocalProtocolError(
                f"sent({count}): only {self._handed - self._sent} bytes were handed over and not yet sent"
            )
        self._sent += count
        while blocks and count >= len(blocks[-1]):
            count -= len(blocks.pop())
        if count and blocks:
            blocks[-1] = memoryview(blocks[-1])[count:]

    def _hand_over(self) -> None:
        """Make blocks of what waits: a slot's first byte may leave from now on, so its place is taken."""
        if not self._flying:
            self._heard = True  # nothing was owed until now, so silence counts from here
        flying, handed, exclusive = self._flying, self._handed, self._exclusive
        flew = len(flying)
        room = self._max_in_flight - flew
        room_in_bytes = self._max_in_flight_bytes - (handed - self._answered)
        joined: list[bytes] = []
        size = taken = 0
        waiting = self._waiting
        for slot in waiting:
            if slot.state is QUEUED:
                payload = slot.payload
                length = len(payload) if isinstance(payload, bytes) else sum(map(len, payload))
                if exclusive and flying and (slot.exclusive or flying[0].exclusive):
                    break
                # What does not fit waits for replies; what would never fit goes alone.
                if size >= WRITE_BLOCK or (flying and (room <= 0 or size + length > room_in_bytes)):
                    break
                size += length
                room -= 1
                if isinstance(payload, bytes):
                    joined.append(payload)
                else:
                    joined = self._set_large_apart(joined, payload)
                slot.state = HANDED
                slot.end = handed + size
                flying.append(slot)
                if not slot.plain:
                    self._scripts += 1
                    self._session_changed = self._session_changed or changes_session(slot)
                    self._watching = _watches(slot, self._watching)
            else:
                self._withdrawn -= 1
            taken += 1
        if taken == len(waiting):
            waiting.clear()
            self._withdrawn = 0  # it may have been wrong, if an interrupt kept it from being counted
        else:
            del waiting[:taken]
        if size:
            self._handed = handed + size
            self._batches += 1
            self._sent_slots += len(flying) - flew
            if len(flying) > self._most_in_flight:
                self._most_in_flight = max(self._most_in_flight, len(flying) - self._own_in_flight)
        if joined:
            self._blocks.append(joined[0] if len(joined) == 1 else b"".join(joined))
        if len(self._blocks) > 1:
            self._blocks.reverse()

    def _set_large_apart(self, joined: list[bytes], buffers: Sequence[bytes]) -> list[bytes]:
        """Make blocks of what is joined so far and of these buffers, none of which is copied if it is large; return the rest."""
        for buffer in buffers:
            if len(buffer) < UNCOPIED:
                joined.append(buffer)
            else:
                self._blocks += (b"".join(joined), buffer) if joined else (buffer,)
                joined = []
        return joined

    def _send_first(self, slot: Slot) -> None:
        block = slot.payload if isinstance(slot.payload, bytes) else b"".join(slot.payload)
        # The place before the bytes: a driver that is interrupted in between must not send what nothing waits for.
        slot.end = self._handed + len(block)
        slot.state = HANDED
        self._flying.append(slot)
        self._handed = slot.end
        self._blocks.insert(0, block)


def changes_session(slot: Slot) -> bool:
    """Is the connection behind this slot not what it was?"""
    return isinstance(slot, StatefulBatch) and any([info.changes and info.name not in PASSES for info in slot.infos])


def _watches(slot: Slot, before: bool) -> bool:
    """Is anything watched behind this slot? `before`: was it?"""
    if not isinstance(slot, StatefulBatch):
        return before
    names = {info.name for info in slot.infos}
    return "WATCH" in names or (before and not names & ENDS_WATCH)
