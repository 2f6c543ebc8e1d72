"""One command on many keys, split by their hash slots: only for those who ask, because the parts are not one command any more.

A server takes a command only if all of its keys are in one slot. DEL, EXISTS, MGET, MSET, TOUCH and UNLINK can be said slot by
slot: each part is sent by itself, and the replies become one, in the order of the caller's keys. Other callers may come in between,
and a part may fail while others are done, which the error then tells. A command that must change all keys together has no parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Generic, TypeVar

from .._errors import (
    LocalProtocolError,
    Outcome,
    PartialFailureError,
    ReplyError,
    RespError,
    SlotPart,
    UnexpectedReplyError,
    shown_code,
)
from ..commands.caching import sent_words
from ..commands.command import Command
from ..commands.decoding import RAW
from ..commands.knowledge import CommandInfo
from ..wire.encoder import encode_command
from ..wire.values import Reply
from .call import unreadable
from .hash_slots import slot_of
from .routing import REMEDY

__all__ = ["Across", "across_slots", "split"]

T_co = TypeVar("T_co", covariant=True)

WIDTHS: Final = {"DEL": 1, "EXISTS": 1, "MGET": 1, "MSET": 2, "TOUCH": 1, "UNLINK": 1}
"""What may be split, and how many words belong to each key, itself among them."""

WHOLE: Final = {
    "JSON.MSET": "it sets all of its values at once",
    "MSETEX": "it sets all of its keys or none",
    "MSETNX": "it sets all of its keys or none",
}


class Across(Generic[T_co]):
    """A command in parts: send `commands` in one pipeline, which need not be a transaction, and give `combine` their results."""

    __slots__ = ("_command", "_positions", "_slots", "commands")

    commands: Final[Sequence[Command[Reply]]]

    def __init__(self, command: Command[T_co]) -> None:
        words = sent_words(encode_command(command.args))
        parts = split(words, command.info)
        self._command: Final = command
        self._slots: Final = [slot for slot, _, _ in parts]
        self._positions: Final = [positions for _, _, positions in parts]
        self.commands = [_part_of(command.info, its) for _, its, _ in parts]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._command.info.name} in {len(self.commands)} parts>"

    def combine(self, results: Sequence[object]) -> T_co:
        """Return what the command returns, given what each part was answered, or its own error.

        Raises the error of the only part; of several, if any has failed, `PartialFailureError`. Raises `UnexpectedReplyError` for
        replies that are none to this command.
        """
        name = self._command.info.name
        failed = [result for result in results if isinstance(result, Exception)]
        if failed and len(results) == 1:
            raise failed[0]
        if failed:
            first = failed[0]
            why = shown_code(first) if isinstance(first, ReplyError) else type(first).__name__
            parts = [SlotPart(*part) for part in zip(self._slots, self._positions, results, strict=True)]
            raise PartialFailureError(
                f"{len(failed)} of the {len(parts)} parts of {name} failed, the first with {why}; `parts` has what each did",
                parts=parts,
                outcome=_outcome(results),
            ) from first
        try:
            reply = _joined(name, results, self._positions)
            return self._command.read(reply, RAW)
        except (UnexpectedReplyError, UnicodeDecodeError) as error:
            told = unreadable(error, self._command.info)
        raise told  # here, where no data is in the context


def across_slots(command: Command[T_co]) -> Across[T_co]:
    """Return a command in parts, one for each hash slot that its keys are in.

    Raises `LocalProtocolError` for a command whose keys must be together, `TypeError` or `ValueError` for what can't be sent.
    """
    return Across(command)


def split(words: Sequence[bytes], info: CommandInfo) -> list[tuple[int, list[bytes], tuple[int, ...]]]:
    """Return the parts of a command, given its words: of each its hash slot, its words, and the positions of its keys, from 0.

    Words that make no sense stay together, for a server to say so. Raises as `across_slots`.
    """
    width = WIDTHS.get(info.name)
    if width is None:
        reason = WHOLE.get(info.name, f"only {', '.join(WIDTHS)} are; {REMEDY}")
        raise LocalProtocolError(f"{info.name} is not split over hash slots: {reason}")
    if len(words) < 2 or (len(words) - 1) % width:
        return [(slot_of(words[1]) if len(words) > 1 else 0, [*words], ())]
    parts: dict[int, tuple[list[bytes], list[int]]] = {}
    for position, at in enumerate(range(1, len(words), width)):
        its, positions = parts.setdefault(slot_of(words[at]), ([words[0]], []))
        its += words[at : at + width]
        positions.append(position)
    return [(slot, its, tuple(positions)) for slot, (its, positions) in parts.items()]


def _part_of(info: CommandInfo, words: Sequence[bytes]) -> Command[Reply]:
    return Command(*words, read=_untouched, readonly=info.readonly, retry=info.retryable, needs=info.needs)


def _untouched(reply: Reply, _text: object = None) -> Reply:
    """Bytes on a client of text too: the reader of the whole command decides."""
    return reply


def _joined(name: str, results: Sequence[object], positions: Sequence[Sequence[int]]) -> Reply:
    """Return the reply that the replies of all parts make. Raises `UnexpectedReplyError` if they make none."""
    if name == "MSET" and all(result == "OK" for result in results):
        return "OK"
    if name == "MGET" and all(
        isinstance(one, list) and len(one) == len(its) for one, its in zip(results, positions, strict=True)
    ):
        values: dict[int, Reply] = {}
        for result, its in zip(results, positions, strict=True):
            values |= zip(its, result, strict=True)  # type: ignore[call-overload]  # a list, see above
        return [values[position] for position in range(len(values))]
    counts = [result for result in results if type(result) is int]
    if name not in ("MGET", "MSET") and len(counts) == len(results):
        return sum(counts)
    kinds = ", ".join(sorted({type(result).__name__ for result in results}))
    raise UnexpectedReplyError(f"the replies to its parts make no reply to it ({kinds})")


def _outcome(results: Sequence[object]) -> Outcome:
    """Return how the command ended as a whole: as all of its parts did, else it may have been executed, of which parts say more."""
    outcomes = {_outcome_of_part(result) for result in results}
    return outcomes.pop() if len(outcomes) == 1 else Outcome.MAYBE_EXECUTED


def _outcome_of_part(result: object) -> Outcome:
    if isinstance(result, RespError):
        return result.outcome
    return Outcome.MAYBE_EXECUTED if isinstance(result, Exception) else Outcome.REPLY
