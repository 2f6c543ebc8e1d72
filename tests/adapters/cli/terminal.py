"""The command in a terminal that is none: a process behind a pseudo-terminal, and the screen that its bytes make."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING, Final, Self

import pyte

from adapters.peers import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Terminal", "environment"]


def environment(**changes: str) -> dict[str, str]:
    """Return the environment of a command that finds what these tests find, and no settings of the terminal they run in."""
    left_out = {"COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"}
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "TERM": "xterm-256color",
        **changes,
    }


OWN_TERMINAL: Final = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
"""Makes the terminal that of the process: Ctrl-C is a signal to it then."""

COMMAND: Final = "import sys; from resp_cli import main; sys.exit(main())\n"


class Terminal:
    """A run of the command, or of another program, with these words, on a screen of this size."""

    def __init__(self, *words: str, columns: int = 80, lines: int = 40, program: str = "", **changes: str) -> None:
        self.screen = pyte.Screen(columns, lines)
        self.raw = b""
        self._stream = pyte.ByteStream(self.screen)
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        run = [sys.executable, "-c", OWN_TERMINAL + (program or COMMAND), *words]
        self.process = subprocess.Popen(
            run,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment(**changes),
            start_new_session=True,
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()

    def press(self, keys: bytes) -> None:
        """Press keys: b"\\x03" is Ctrl-C."""
        os.write(self._master, keys)

    def until(self, holds: Callable[[str], object]) -> str:
        """Read until this holds of the screen's text, and return it."""
        give_up = time.monotonic() + PATIENCE
        while not holds(self.text):
            assert time.monotonic() < give_up, self.text
            assert self._read(1.0) or not self._ended, self.text
        return self.text

    def end(self) -> int:
        """Read until the process has ended, and return its exit code."""
        give_up = time.monotonic() + PATIENCE
        while self._read(1.0) or not self._ended:
            assert time.monotonic() < give_up, self.text
        return self.process.wait(PATIENCE)

    @property
    def _ended(self) -> bool:
        return self.process.poll() is not None

    def _read(self, patience: float) -> bool:
        if not select.select([self._master], [], [], patience)[0]:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:  # the other end has gone
            return False
        self.raw += data
        self._stream.feed(data)
        return bool(data)
