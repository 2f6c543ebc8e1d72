"""The hash slots of a cluster: which one a key has, and how to name another key in the same one."""

from __future__ import annotations

from binascii import crc_hqx  # CRC-16/XMODEM, which is Redis' own
from collections.abc import Sequence
from typing import Final

__all__ = ["BRACE", "SLOTS", "beside", "slot_of"]

SLOTS: Final = 16384
BRACE: Final = ord("{")  # to find a byte by its number takes a tenth of the time


def slot_of(key: bytes) -> int:
    """Return the hash slot of a key: of what stands between its first { and the next }, unless that is nothing."""
    if BRACE in key:
        tag, closed, _ = key.partition(b"{")[2].partition(b"}")
        if closed and tag:
            key = tag
    return crc_hqx(key, 0) % SLOTS


def beside(key: bytes, suffix: bytes) -> bytes:
    """Return the name of another key in the same hash slot: it begins with the key's name and the suffix, which has no braces."""
    slot, name = slot_of(key), key + suffix
    if slot_of(name) == slot:
        return name
    name += b"{"
    hashed, closed = name.partition(b"{")[2], b""
    if b"}" in hashed:
        hashed, closed = name, b"}"  # the first braces have nothing in them, so the whole name counts
    return name + tag_for(slot, crc_hqx(hashed, 0), closed) + b"}"


def tag_for(slot: int, before: int, behind: bytes) -> bytes:
    """Return what stands between what has this CRC and what comes behind, so that the whole has this hash slot.

    A CRC is linear: a bit that is flipped flips the same bits of it, whatever the others are. So it is solved, not searched for.
    """
    zeros = b"0" * 16
    crc = crc_hqx(zeros + behind, before)
    known: list[tuple[int, int]] = []  # which bits of the slot are flipped by which of the digits; by the highest bit
    for at in range(len(zeros)):
        flips, digits = crc ^ crc_hqx(zeros[:at] + b"1" + zeros[at + 1 :] + behind, before), 1 << at
        known = sorted([*known, reduced(flips % SLOTS, digits, known)], reverse=True)
    _, digits = reduced((crc ^ slot) % SLOTS, 0, known)
    return bytes(zeros[at] ^ (digits >> at & 1) for at in range(len(zeros)))


def reduced(flips: int, digits: int, known: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Undo what can be undone of these flips by what is known, and return what is left, with the digits that do it."""
    for other, by in known:
        if flips ^ other < flips:
            flips, digits = flips ^ other, digits ^ by
    return flips, digits
