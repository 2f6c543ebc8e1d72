"""From the words of a command line to its exit code: 0 done, 1 it failed, 2 the words are wrong, 130 the user ended it.

What is drawn goes to the standard output, and what went wrong, in a sentence and without a traceback, to the standard error.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from resp_sansio import RespError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

INTERRUPTED = 130
"""What a shell expects of a program that Ctrl-C has ended."""


def main(words: Sequence[str] | None = None) -> int:
    """Run the command with these words, those of the process if there are none; return the exit code.

    Words that make no sense end the process, as with any `argparse` command: `SystemExit(2)`.
    """
    try:
        return _run(words)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader has all that it wants, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left would be written at the end
        return 1


def _run(words: Sequence[str] | None) -> int:
    try:
        from rich.console import Console

        from ._arguments import COMMANDS, parser
        from ._findings import harmless
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "rich":
            raise
        print("resp-sansio needs rich for this: python -m pip install 'resp-sansio[cli]'", file=sys.stderr)
        return 1
    arguments = parser().parse_args(words)
    console = Console(highlight=False)
    try:
        code = COMMANDS[arguments.command].run(arguments, console)
        console.file.flush()
        return code
    except BrokenPipeError:
        raise
    except (RespError, OSError) as error:
        Console(stderr=True, highlight=False).print(harmless(str(error)), style="red", markup=False)
        return 1
