"""SCAN over all masters of a cluster, one after the other, and over what is in a key that may move.

A cursor is bound to the server that gave it, and to its run: once a replica has taken over, that part begins again. Keys may come
twice then, and none is left out that was there all the time, as far as the client knows: a slot counts as walked if one server had
it from the first page to the last; the rest is walked again. One that has moved may be left out, if the client has not heard of it.

Which server a link leads to is asked once, on another call: a page of a link that has ended meanwhile does not count.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from ..commands.command import Command, Reader
from ..commands.decoding import Text
from ..connection.slot import Slot, SlotState
from ..connection.stateful import new_slot
from .call import error_of
from .hash_slots import SLOTS
from .links import Link, meant_for
from .scanning import START, WHO_WORDS, ScanCursor, run_id_of
from .sentinel import Place

__all__ = ["ClusterScan"]

T = TypeVar("T")

LEFT: Final = b"\1"


class ClusterScan(ScanCursor[T]):
    """Where one iteration is: over all keys, or if `keyed` over what is in one. `machine` returns that of the cluster."""

    __slots__ = ("_from", "_held", "_keyed", "_left", "_machine", "_number", "_version")

    def __init__(
        self,
        command: Command[Any],
        at: int,
        read: Reader[list[T], Any],
        text: Text[Any],
        machine: Callable[[], Any],
        *,
        keyed: bool,
        distinct: bool = False,
        named: bool = False,
    ) -> None:
        super().__init__(command, at, read, text, distinct=distinct, named=named)
        self._machine: Final = machine
        self._keyed: Final = keyed
        self._held: Slot | None = None  # a page of a link of which it is asked where it leads
        self._left = bytearray(LEFT * SLOTS)  # the slots that were not walked
        self._number = int(
            machine().random() * SLOTS
        )  # the slot whose server is walked; clients begin with different ones
        self._from: tuple[Place, frozenset[int]] | None = None  # that server, and what it has had since its walk began
        self._version = -1  # of the map, as it was last looked at

    @property
    def asks_who(self) -> bool:
        """Has a page come by a link of which the next call asks where it leads?"""
        return self._held is not None and not self._held.link.ended

    def ask(self, deadline: float, link: Link | None = None) -> Slot:  # noqa: ARG002  # it is known where they have answered
        """Return the call for the next page, or for what a link leads to."""
        held = self._held
        if self.asks_who and held is not None:
            slot = new_slot(WHO_WORDS, None, deadline)
            meant_for(slot, held.link.home.place if self._keyed else self._number)
            return slot
        self._held = None
        slot = new_slot(self._words(), None, deadline, self._command.info)
        if not self._keyed:
            if self._cursor == START:
                self._begin()
            meant_for(slot, self._number)
        return slot

    def take(self, slot: Slot) -> None:
        """As of any cursor."""
        if slot.state is not SlotState.ANSWERED:
            raise error_of(slot)
        held, self._held = self._held, None
        if held is None:
            if isinstance(slot.reply, Exception):
                raise slot.reply
            if slot.link.run_id is None:
                self._held = slot
            else:
                self._take_page(slot)
        elif slot.link.home is held.link.home and not held.link.ended:
            held.link.run_id = run_id_of(slot.reply)
            self._take_page(held)

    def _take_page(self, slot: Slot) -> None:
        place: Place = slot.link.home.place
        begins = self._cursor == START
        if not self._is_of((place, slot.link.run_id), slot):
            return
        if self._keyed:
            self._read_page(slot.reply, slot)
            return
        if begins and (self._from is None or self._from[0] != place):
            self._from = place, self._slots_of(place)
        assert self._from is not None
        if self._version != self._machine().map.version:
            self._from = place, self._from[1] & self._slots_of(place)
        self._read_page(slot.reply, slot)
        if self.ended:
            self._walked(slot, self._from[1])

    def _begin(self) -> None:
        """A server is walked from its first page on: that of the slot that is next."""
        owner = self._machine().map.owner(self._number)
        self._from = None if owner is None else (owner.place, self._slots_of(owner.place))

    def _walked(self, slot: Slot, slots: frozenset[int]) -> None:
        """All pages of one server have come, which had these slots all the time."""
        for number in slots:
            self._left[number] = 0
        if self._left[self._number]:
            self._restarted(slot)
        self._run = None
        owner = self._machine().map.owner
        left = [number for number, is_left in enumerate(self._left) if is_left and owner(number) is not None]
        self.ended: bool = not left
        if left:
            self._number = next((number for number in left if number > self._number), left[0])

    def _slots_of(self, place: Place) -> frozenset[int]:
        map = self._machine().map
        self._version = map.version
        return frozenset(map.slots_of(place))
