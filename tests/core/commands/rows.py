"""What is said of the builders, a module of `sent` for each group, in tables that one test each goes through.

`SENT`: at least one command of every builder, with its words; `~` stands for a space in one of them. `REFUSED`: calls that raise
`ValueError`, with the message. `BESIDE`: of a builder that takes nothing for an answer, what a test is to give beside the
parameter that it is about.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TypeAlias

from resp_sansio import Command

__all__ = ["BESIDE", "GROUPS", "REFUSED", "SENT", "Beside", "Refused", "Sent"]

Sent: TypeAlias = list[tuple[Command[Any], str]]
Refused: TypeAlias = list[tuple[Callable[[], object], str]]
Beside: TypeAlias = dict[object, dict[str, Any]]

FOLDER: Final = Path(__file__).parent / "sent"
GROUPS: Final = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.py"))}
"""The modules' sources, by their groups."""

SENT: Final[Sent] = []
REFUSED: Final[Refused] = []
BESIDE: Final[Beside] = {}

for group in GROUPS:
    rows = import_module(f"core.commands.sent.{group}")
    SENT.extend(rows.SENT)
    REFUSED.extend(getattr(rows, "REFUSED", []))
    BESIDE.update(getattr(rows, "BESIDE", {}))
