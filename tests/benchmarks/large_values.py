"""A large value through a small process: how much memory it takes, how long, and how long another's PING waits meanwhile.

The process that writes and reads may not have more than so much data (RLIMIT_DATA: heap and private mappings, on Linux), and
tells how much it had at most as the system counts (VmHWM, which has Python and its libraries in it). A thread here asks another
connection for PING all the time. For comparison it does so at rest, and while another process moves a value whole, by SET and
GET. Nothing here is asserted.

    python -m benchmarks.large_values --mib 1024 --limit 128
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from resp_sync import connect
from servers import Server

if TYPE_CHECKING:
    from collections.abc import Callable

PROGRAM: Final = Path(__file__).parents[1] / "programs" / "large_value.py"
LIBRARIES: Final = ("resp_sync", "resp_asyncio", "resp_trio")
MIB: Final = 1024 * 1024


class Pinger:
    """Asks for PING all the time, in a thread of its own, and tells how long it waited."""

    def __init__(self, url: str) -> None:
        self._connection = connect(url, timeout=None, silence_timeout=None)
        self._ended = threading.Event()
        self._waits: list[float] = []
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        self._thread.join()
        self._connection.close()

    def _run(self) -> None:
        while not self._ended.wait(0.0005):
            begun = time.perf_counter()
            self._connection.ping()
            self._waits.append(time.perf_counter() - begun)

    def __str__(self) -> str:
        waits = sorted(self._waits)
        middle, most = waits[len(waits) // 2], waits[-1]
        late = waits[int(len(waits) * 0.99)]
        return f"PING: median {middle * 1e3:.2f} ms, 99 % {late * 1e3:.1f} ms, at most {most * 1e3:.1f} ms, of {len(waits)}"


WHOLE: Final = """
import sys
from resp_sync import connect

with connect(sys.argv[1], timeout=None, silence_timeout=None) as connection:
    connection.set("whole", bytes(int(sys.argv[2]))) if sys.argv[3] == "SET" else connection.get("whole")
"""


def limited(mebibytes: int) -> Callable[[], None]:
    """Return what limits a process before it begins."""
    return lambda: resource.setrlimit(resource.RLIMIT_DATA, (mebibytes * MIB, mebibytes * MIB))


def measure(what: str, server: Server, *arguments: object, limit: int | None = None) -> None:
    """Run a program in a process of its own, and say how long it took, what it printed, and how long PING waited."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with Pinger(server.url) as pinger:
        begun = time.perf_counter()
        done = subprocess.run(
            [sys.executable, *map(str, arguments)],
            env=environment,
            preexec_fn=None if limit is None else limited(limit),
            capture_output=True,
            text=True,
            check=False,
        )
        took = time.perf_counter() - begun
    said = done.stdout.strip() or done.stderr.strip().rpartition("\n")[2]
    print(f"{what}: {took:.1f} s; {f'{said}; ' if said else ''}{pinger}")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--limit", type=int, default=128, help="MiB of data that the process may have")
    parser.add_argument("--whole", type=int, default=256, help="MiB to move by one command each, for comparison")
    given = parser.parse_args()
    with Server("--proto-max-bulk-len", "4gb") as server:
        print(server)
        with Pinger(server.url) as pinger:
            time.sleep(1)
        print(f"at rest: {pinger}")
        for name in ("SET", "GET"):
            measure(f"{name} of {given.whole} MiB", server, "-c", WHOLE, server.url, given.whole * MIB, name)
        server.call("DEL", "whole")
        for library in LIBRARIES:
            for step in ("write", "read"):
                what = f"{library}, {step} {given.mib} MiB, the process has {given.limit} MiB of data at most"
                measure(what, server, PROGRAM, server.url, library, given.mib, step, limit=given.limit)
            server.call("DEL", "large")  # which keeps others waiting, too


if __name__ == "__main__":
    main()
