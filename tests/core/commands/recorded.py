"""Commands of modules, which the servers that tests run on lack: what each returns for replies that a server with them gave.

A recording is two files of `recordings`, by the group of its builders. In `GROUP.py`, `STEPS` are commands in their order, each
with what it returns on a server that was empty before the first of them: a value, whose type counts as well, or `Like` for what
is not the same each time. `SPECIFIED` has what no server at hand could be asked for: a command, its reply on RESP2 and on RESP3
as its documentation has them, and what it returns. In `GROUP.txt` is what the server said, as `tests/record_replies.py` wrote
it: a line that names it, and for each step three lines, its words and the bytes of its reply on RESP2 and on RESP3.
"""

from __future__ import annotations

from ast import literal_eval
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from adapters.typed.families import Like
from resp_sansio import Command, Reply
from resp_sansio.wire import Parser, encode_reply

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FOLDER", "GROUPS", "Case", "Like", "Said", "Specified", "Steps", "cases", "read_recording", "steps_of"]

Steps: TypeAlias = list[tuple[Command[Any], object]]
Specified: TypeAlias = list[tuple[Command[Any], Any, Any, object]]

FOLDER: Final = Path(__file__).parent / "recordings"
GROUPS: Final = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.py"))}
"""The modules' sources, by their groups."""


class Said(NamedTuple):
    """What a server said to a command on both protocols."""

    words: list[bytes]
    resp2: bytes
    resp3: bytes


class Case(NamedTuple):
    """A command, the replies to it on both protocols, and what it returns."""

    command: Command[Any]
    replies: tuple[Reply, Reply]
    expected: object


def steps_of(group: str) -> Steps:
    """Return the commands of a recording."""
    found: Steps = import_module(f"core.commands.recordings.{group}").STEPS
    return found


def read_recording(group: str) -> list[Said]:
    """Return what the server said."""
    _, *lines = (FOLDER / f"{group}.txt").read_text(encoding="ascii").splitlines()
    return [Said(*map(literal_eval, lines[at : at + 3])) for at in range(0, len(lines), 3)]


def cases(group: str) -> Iterator[Case]:
    """Return the commands of a group, recorded and specified."""
    for (command, expected), said in zip(steps_of(group), read_recording(group), strict=True):
        yield Case(command, (parsed(said.resp2), parsed(said.resp3)), expected)
    for command, resp2, resp3, expected in getattr(import_module(f"core.commands.recordings.{group}"), "SPECIFIED", []):
        yield Case(command, (parsed(encode_reply(resp2, 2)), parsed(encode_reply(resp3, 3))), expected)


def parsed(data: bytes | list[bytes]) -> Reply:
    """Return the one reply of these bytes."""
    (reply,) = Parser().feed(data if isinstance(data, bytes) else b"".join(data))
    return reply
