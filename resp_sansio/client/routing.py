"""To which hash slot a command goes, as its bytes say: to that of its keys, which must all be in one.

Nearly every command has one key, behind its name: that is read out of the bytes in place. Any other is read back into words, and
its keys are looked up. Keys that are apart are told here, before anything is sent, because every server refuses them. Of a command
that was never heard of, the first argument is taken for its key: most have it there, and where it is none any server will do.
"""

from __future__ import annotations

import re
from binascii import crc_hqx
from collections.abc import Sequence
from typing import Final, NamedTuple

from .._errors import CrossSlotError
from ..commands.caching import sent_words
from ..commands.command_keys import KEYS
from ..commands.knowledge import CommandInfo, keys_in
from ..commands.table import TABLE
from ..connection.slot import Payload
from .hash_slots import BRACE, SLOTS, slot_of

__all__ = ["names_key", "names_only", "slot_of_payload", "slot_of_transaction"]

REMEDY: Final = (
    "keys that belong together share a slot if they have the same text in braces: {user:7}:name and {user:7}:mail"
)


# The head of a command whose name is one word, and its first argument. The time of a match does not grow with what follows.
KEY: Final = re.compile(rb"\*\d+\r\n\$\d+\r\n[^\r]*\r\n\$(\d+)\r\n([^\r]*)\r\n").match
SIZES: Final = {b"%d" % size: size for size in range(1025)}  # half the time of `int`


class Place(NamedTuple):
    """A key, its hash slot, and where it stands, for messages."""

    key: bytes
    slot: int
    where: str


def slot_of_payload(payload: Payload, info: CommandInfo) -> int | None:
    """Return the hash slot of one encoded command's keys, None if it has none. Raises `CrossSlotError` if they are in several."""
    if info.one_key and isinstance(payload, bytes):
        found = KEY(payload)
        if found is not None:
            size, key = found.groups()
            if SIZES.get(size) == len(key):  # else there is a line break in it, or it is longer
                return slot_of(key) if BRACE in key else crc_hqx(key, 0) % SLOTS
        try:
            # The name ends at or behind where this begins to look, and has no line break in it.
            at = payload.index(b"\r\n$", len(info.name) + 8) + 3
        except ValueError:
            return None  # without its key: the server will say so
        begin = payload.index(b"\n", at) + 1
        return slot_of(payload[begin : begin + int(payload[at : begin - 2])])
    words, keys = _keys(payload, info)
    if not keys:
        return None
    slot = slot_of(words[keys[0]])
    for at in keys[1:]:
        if slot_of(words[at]) != slot:
            raise _apart(info.name, [_place(f"argument {at}", words[at]) for at in keys])
    return slot


def names_key(payload: Payload, info: CommandInfo) -> bool:
    """Does one encoded command name a key, or several?"""
    if info.one_key and isinstance(payload, bytes):
        return slot_of_payload(payload, info) is not None
    return bool(_keys(payload, info)[1])


def slot_of_transaction(payloads: Sequence[Payload], infos: Sequence[CommandInfo]) -> int | None:
    """Return the hash slot of a transaction, MULTI and EXEC among its commands or not; None if no command in it has a key.

    Raises `CrossSlotError` if there are keys of several. What is only taken for a key decides if there is nothing else.
    """
    slot, guess = None, None
    for payload, info in zip(payloads, infos, strict=True):
        its = slot_of_payload(payload, info)
        if info.name not in TABLE:
            guess = its if guess is None else guess
        elif slot is None:
            slot = its
        elif its not in (None, slot):
            raise _apart("a transaction", _places(payloads, infos))
    return guess if slot is None else slot


def names_only(watch: Payload, payload: Payload, info: CommandInfo) -> bool:
    """Is it certain that a command is about no keys but those that this WATCH names?

    Not if no key is found where some are to be: a script without keys may use any.
    """
    if not (info.keys or info.name in KEYS):
        return info.name in TABLE
    words, keys = _keys(payload, info)
    watched = sent_words(watch)[1:]
    return bool(keys) and all([words[at] in watched for at in keys])


def _keys(payload: Payload, info: CommandInfo) -> tuple[list[bytes], Sequence[int]]:
    """Return the words of a command, if any may be a key, and the indices of those that are."""
    if info.keys or info.name in KEYS:
        words = sent_words(payload)
        return words, keys_in(words, info)
    if info.name in TABLE:
        return [], ()
    words = sent_words(payload)
    return words, range(1, len(words))[:1]


def _place(where: str, key: bytes) -> Place:
    return Place(key, slot_of(key), where)


def _places(payloads: Sequence[Payload], infos: Sequence[CommandInfo]) -> list[Place]:
    """Return the first key of each command that is known to have one; callers do not count MULTI."""
    first = 0 if infos[0].name == "MULTI" else 1
    return [
        _place(f"command {at}, {info.name}", words[keys[0]])
        for at, (payload, info) in enumerate(zip(payloads, infos, strict=True), first)
        for words, keys in [_keys(payload, info)]
        if keys and info.name in TABLE
    ]


def _apart(what: str, places: Sequence[Place]) -> CrossSlotError:
    """Return the error about the first two keys that are apart, without them: any key may hold what is not for a log."""
    one = places[0]
    other = next(place for place in places if place.slot != one.slot)
    return CrossSlotError(
        f"the keys of {what} must be in one hash slot; that of {one.where} is in slot {one.slot}, that of {other.where} in"
        f" {other.slot}: {REMEDY}",
        keys=(one.key, other.key),
        slots=(one.slot, other.slot),
    )
