"""A load out of a recording: what MONITOR printed, or the slow log as redis-cli prints it.

The commands are replayed in their order, on keys of the comparison's own: each key gets the comparison's prefix. A command is left
out if it could do more than that: if it names no key, blocks, changes its connection, runs a script or reaches another database.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from resp_sansio.client import read_monitor_line
from resp_sansio.connection import command_info, command_keys
from resp_sansio.wire import split_inline

from .._findings import printable
from .workload import Operation

__all__ = ["Recording", "read_recording"]

# An entry of the slow log has its command fourth, word by word; what stands further left than these is of the entry again.
FIRST_WORD: Final = re.compile(r'^ *(4\)) +1\) ("(?:[^"\\]|\\.)*")$')
NEXT_WORD: Final = re.compile(r'^ +(\d+\)) ("(?:[^"\\]|\\.)*")$')

REACHES_FURTHER: Final = frozenset("COPY EVAL EVALSHA EVALSHA_RO EVAL_RO FCALL FCALL_RO MIGRATE MOVE".split())
"""They have keys, and may touch others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Recorded commands that can be replayed, and how many of those left out there were of each name."""

    name: str
    commands: tuple[tuple[bytes, ...], ...]
    left_out: tuple[tuple[str, int], ...]

    def before(self) -> Iterator[tuple[bytes, ...]]:
        """Return nothing: what the recording reads it must have written."""
        return iter(())

    def operations(self) -> list[Operation]:
        """Return the recording."""
        return [Operation(words, False) for words in self.commands]

    def describe(self) -> str:
        """Say in a line what it is, and what of it is left out."""
        names = Counter(words[0].decode(errors="replace").lower() for words in self.commands)
        mix = ", ".join(f"{name} {count:,}" for name, count in names.most_common(5))
        others = f" and {len(names) - 5} more" if len(names) > 5 else ""
        left = ", ".join(f"{printable(name.lower())} {count:,}" for name, count in self.left_out[:10])
        return f"{len(self.commands):,} commands of {self.name}: {mix}{others}" + (
            f"; left out: {left}" if left else ""
        )

    @property
    def spread(self) -> float:
        """Not known of a recording: MONITOR shows no replies."""
        return 1.0


def read_recording(path: Path, prefix: str) -> Recording:
    """Read a file that `redis-cli monitor` or `redis-cli slowlog get` wrote. `ValueError` if there is nothing to replay."""
    kept, left_out = [], Counter[str]()
    for words in _commands(path.read_text("latin-1").splitlines()):
        name, keys = _understood(words)
        if keys:
            own = prefix.encode()
            kept.append(tuple(own + word if index in keys else word for index, word in enumerate(words)))
        else:
            left_out[name] += 1
    if not kept:
        raise ValueError(
            f"{path.name} has no command that can be replayed; MONITOR's lines or a slow log were expected"
        )
    return Recording(name=path.name, commands=tuple(kept), left_out=tuple(left_out.most_common()))


def _understood(words: tuple[bytes, ...]) -> tuple[str, set[int]]:
    """Return the command's name, and where its keys are if it can be replayed."""
    try:
        info = command_info(words)
        keys = set(command_keys(words))
    except (TypeError, ValueError):
        return words[0].decode(errors="replace").upper(), set()
    harmless = info.plain and info.since and info.blocking is None and info.name not in REACHES_FURTHER
    return info.name, keys if harmless else set()


def _commands(lines: list[str]) -> Iterator[tuple[bytes, ...]]:
    """Return the words of each command in the order in which they were run; a slow log begins with its latest."""
    slow: list[list[bytes]] = []
    column = 0
    for line in lines:
        if told := read_monitor_line(line.removeprefix("+").encode("latin-1")):
            yield told.words
        elif found := FIRST_WORD.match(line):
            column = found.start(1)
            slow.append(_unquoted(found[2]))
        elif slow and (found := NEXT_WORD.match(line)) and found.start(1) > column + 2:
            slow[-1] += _unquoted(found[2])
    yield from map(tuple, reversed(slow))


def _unquoted(word: str) -> list[bytes]:
    """Undo what redis-cli does to bytes that do not print, as a server does in the lines of MONITOR."""
    return split_inline(word.encode("latin-1")) or []
