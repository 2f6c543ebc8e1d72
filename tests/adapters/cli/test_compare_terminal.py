"""What a comparison looks like in a real terminal: a pseudo-terminal, and an emulator that reads what comes out of it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pyte
import pytest

WORDS = ("compare", "--io", "asyncio", "--concurrency", "2", "--duration", "1", "--rounds", "1", "--keys", "50")


def seen(columns: int, *words: str, **environment: str) -> tuple[list[str], bytes]:
    """Run the command in a terminal of so many columns; return its lines at the end, and all bytes that came."""
    near, far = pty.openpty()
    fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 100, columns, 0, 0))
    names = {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TERM", "CI"}
    kept = {name: value for name, value in os.environ.items() if name not in names}
    process = subprocess.Popen(
        [sys.executable, "-m", "resp_cli", *words],
        stdin=far,
        stdout=far,
        stderr=far,
        env={**kept, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "TERM": "xterm-256color", **environment},
    )
    os.close(far)
    came = b""
    try:
        while some := os.read(near, 65536):
            came += some
    except OSError:  # Linux: the other end is closed
        pass
    os.close(near)
    assert process.wait(60) == 0, came.decode()
    screen = pyte.Screen(columns, 100)
    pyte.ByteStream(screen).feed(came)
    return [line.rstrip() for line in screen.display], came


@pytest.mark.parametrize("columns", [80, 200])
def test_it_looks_right_in_a_terminal(columns: int) -> None:
    lines, came = seen(columns, *WORDS, **({"NO_COLOR": "1"} if columns == 200 else {}))
    assert "asyncio, 2 callers; latencies at" in "\n".join(lines)
    rows = [line for line in lines if re.match(r"(pool|connection|pipeline|client) +\d", line)]
    assert len(rows) == 4
    assert len({len(line) for line in rows}) == 1, "each row ends in the same column"
    assert {len(line.split()) for line in rows} == {10 if columns == 80 else 11}
    heads = next(line for line in lines if line.startswith("strategy"))
    assert heads.split()[-1] == "write"
    assert len(heads) <= len(rows[0]), "no heading is cut"
    assert "…" not in "".join(lines)
    assert b"\x1b[?25l" in came, "the progress bar hides the cursor"
    assert came.rindex(b"\x1b[?25h") > came.rindex(b"\x1b[?25l"), "and shows it again"
    assert not any("━" in line for line in lines), "the bar is gone at the end"
    codes = {code for found in re.findall(rb"\x1b\[([\d;]*)m", came) for code in found.split(b";")}
    plain = codes <= {b"", b"0", b"1", b"2"}
    assert plain == (columns == 200), "colours, and none where NO_COLOR is set"


def test_help_is_there() -> None:
    lines, _ = seen(80, "compare", "--help")
    assert any("--concurrency" in line for line in lines)
