"""The subcommands, by their names: each is a module that adds its arguments to a parser, and runs."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final, Protocol

from resp_sansio import __version__

from . import _compare, _doctor, _ping, _watch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console


class Subcommand(Protocol):
    """A module of this package. The first line of its docstring says in `--help` what it does."""

    __doc__: str | None

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add its arguments."""

    def run(self, arguments: argparse.Namespace, console: Console) -> int:
        """Do it, and return the exit code of the process."""


COMMANDS: Final[Mapping[str, Subcommand]] = {
    "compare": _compare,
    "doctor": _doctor,
    "ping": _ping,
    "watch": _watch,
}
"""In the order in which `--help` shows them."""


def parser() -> argparse.ArgumentParser:
    """Make the parser of the whole command line."""
    whole = argparse.ArgumentParser(prog="resp-sansio", description="Redis at the terminal, by the client resp-sansio.")
    whole.add_argument("--version", action="version", version=f"resp-sansio {__version__}")
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND", title="commands")
    for name, module in COMMANDS.items():
        text = (module.__doc__ or "").strip().splitlines()[0]
        one = commands.add_parser(
            name, help=text, description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        module.add_arguments(one)
    return whole
