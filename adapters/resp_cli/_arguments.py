"""The subcommands, by their names: each is a module that adds its arguments to a parser, and runs."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, Final, NoReturn, Protocol

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


URL: Final = re.compile(r"://(.*@)?\S*", re.DOTALL)


class Parser(argparse.ArgumentParser):
    """A parser whose errors repeat no URL, wherever it stands: there may be a password in it."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end the process."""
        super().error(URL.sub("://***", message))


def parser() -> argparse.ArgumentParser:
    """Make the parser of the whole command line."""
    whole = Parser(prog="resp-sansio", description="Redis at the terminal, by the client resp-sansio.")
    whole.add_argument("--version", action="version", version=f"resp-sansio {__version__}")
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND", title="commands")
    for name, module in COMMANDS.items():
        text = (module.__doc__ or "").strip().splitlines()[0]
        one = commands.add_parser(
            name, help=text, description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        module.add_arguments(one)
    return whole
