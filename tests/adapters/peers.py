"""Peers that misbehave on purpose, on loopback: a scripted server, a proxy with faults; and guards against tests that hang.

A `Peer` plays a script of its own for every connection: what no real server can be made to do. A `Proxy` stands between a client
and a real server and cuts, splits, delays, stalls. Neither uses the library: what checks it must not share its bugs. Everything
runs on daemon threads, and every wait is bounded, so a test that goes wrong fails and says where its threads were.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import textwrap
import threading
import time
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeVar
from urllib.parse import quote

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

    from servers import Server

__all__ = [
    "ALLOWED",
    "GARBAGE",
    "PATIENCE",
    "PROGRAMS",
    "Faults",
    "Frames",
    "Peer",
    "Proxy",
    "Restarting",
    "Wire",
    "calls",
    "eventually",
    "listed",
    "run_program",
    "segments",
    "statistic",
    "together",
]

PATIENCE = 60.0
"""Seconds until a test counts as hanging: nothing here takes one tenth of that on a slow machine."""

ALLOWED: Final = (0.1, 0.5, 2.0, 10.0)
"""Seconds after which something is to fail that has to come some way before: more if the machine is too slow for that now."""

T = TypeVar("T")


def reset(connection: socket.socket) -> None:
    """Close with RST instead of FIN: what was not read yet is lost to the other side."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class Wire:
    """One accepted connection, in the hands of a script."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(PATIENCE)
        if connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = connection
        self._reader = connection.makefile("rb")

    def command(self) -> list[bytes]:
        """Read one command; [] at the end of the connection."""
        head = self._reader.readline()
        if not head.endswith(b"\r\n"):
            return []
        assert head[:1] == b"*", head
        return [self._bulk() for _ in range(int(head[1:]))]

    def _bulk(self) -> bytes:
        head = self._reader.readline()
        assert head[:1] == b"$", head
        return self._reader.read(int(head[1:]) + 2)[:-2]

    def commands(self) -> Iterator[list[bytes]]:
        """Read commands until the connection ends."""
        while words := self.command():
            yield words

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self.socket.sendall(data)

    def welcome(self) -> None:
        """Accept the handshake of a connection with default options: HELLO 3, and CLIENT SETINFO twice."""
        assert self.command()[:2] == [b"HELLO", b"3"]
        self.send(b"%1\r\n$5\r\nproto\r\n:3\r\n")
        for _ in range(2):
            assert self.command()[:2] == [b"CLIENT", b"SETINFO"]
            self.send(b"+OK\r\n")

    def drain(self) -> bytes:
        """Read until the other side closes, and return what came."""
        with contextlib.suppress(ConnectionError):
            return self._reader.read()
        return b""

    def reset(self) -> None:
        """Close with RST."""
        self._reader.close()
        reset(self.socket)

    def close(self) -> None:
        """Close with FIN."""
        self._reader.close()
        self.socket.close()


class Peer:
    """A server of one's own: `script(wire)` plays each connection, one after the other; the last script plays all that follow.

    A script's failure fails the test, on leaving the block. With a small `receive_buffer` the line is full when a script stops
    reading, as far as the client's own buffer goes (4 MiB at most on Linux, tcp(7)). It listens at `path`, or on TCP.
    """

    def __init__(
        self, *scripts: Callable[[Wire], None], receive_buffer: int | None = None, path: Path | None = None
    ) -> None:
        self.connections = 0
        self._scripts = scripts
        self._failures: list[BaseException] = []
        self._path = path
        if path is None:
            self._listener = socket.create_server(("127.0.0.1", 0))
        else:
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(str(path))
            self._listener.listen()
        if receive_buffer is not None:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self.port: int = 0 if path is not None else self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"redis://127.0.0.1:{self.port}" if self._path is None else f"unix://{quote(str(self._path))}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE if kind is None else 0)  # a test that has failed may leave its script waiting
        self._listener.close()
        if kind is None and self._failures:
            raise self._failures[0]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            script = self._scripts[min(self.connections, len(self._scripts) - 1)]
            self.connections += 1
            thread = threading.Thread(target=self._play, args=(script, Wire(connection)), daemon=True)
            thread.start()  # before it is one of those that the end waits for
            self._threads.append(thread)

    def _play(self, script: Callable[[Wire], None], wire: Wire) -> None:
        try:
            script(wire)
        except ConnectionError:
            pass  # the client has gone; what that means is for the test's own side to say
        except BaseException as error:  # noqa: BLE001 (told on leaving the block)
            self._failures.append(error)
        finally:
            wire.close()


@dataclass(frozen=True, kw_only=True)
class Faults:
    """What happens to the bytes of one direction: at most `split` at a time, `pause` seconds in between; `then`, after `after`.

    With `values` it happens after so many whole values instead: requests up, replies and pushes down, of all connections together.
    With `chance` both are random, up to these. A half-close ends this direction and leaves the other; garbage stands between
    what goes on before and after it. Faults that happen `once` happen to one connection, before bytes that come; the others, and
    those to come, are spared. What is to be done `first` is called as they happen, and waited for.
    """

    split: int = 65536
    pause: float = 0.0
    after: int | None = None
    values: int | None = None
    then: Literal["close", "half-close", "reset", "stall", "garbage"] = "close"
    chance: random.Random | None = None
    once: bool = False
    first: Callable[[], object] = object

    def next_split(self) -> int:
        """How many bytes may pass next."""
        return self.chance.randint(1, self.split) if self.chance else self.split

    def next_pause(self) -> float:
        """How long to wait after them, in seconds."""
        return self.chance.random() * self.pause if self.chance else self.pause


class Frames:
    """Where whole values end in the bytes of one direction of a connection; all of them are to be shown to it."""

    def __init__(self) -> None:
        self._line = b""  # as far as one has come
        self._bulk = 0  # how many bytes of one are to come
        self._open: list[int] = []  # how many elements of each aggregate are

    def take(self, data: bytes, most: float = inf) -> tuple[int, int]:
        """Return how many of these bytes there are until so many values have ended, and how many have. It goes on behind them."""
        at = ended = 0
        while at < len(data) and ended < most:
            if self._bulk:
                step = min(self._bulk, len(data) - at)
                at += step
                self._bulk -= step
                ended += 0 if self._bulk else self._ends()
                continue
            line, end, _ = data[at:].partition(b"\n")
            at += len(line) + len(end)
            self._line += line + end
            if end:
                line, self._line = self._line, b""
                ended += self._begins(line[:1], line[1:-2])
        return at, ended

    def _begins(self, kind: bytes, text: bytes) -> int:
        """Something begins with this line; return how many values end with it."""
        if kind in b"$=!" and text != b"-1":
            self._bulk = int(text) + 2
            return 0
        if kind in b"*~>%|" and text != b"-1":
            elements = int(text) * (2 if kind in b"%|" else 1) + (kind == b"|")  # attributes are in front of a value
            if elements:
                self._open.append(elements)
                return 0
        return self._ends()

    def _ends(self) -> int:
        while self._open:
            self._open[-1] -= 1
            if self._open[-1]:
                return 0
            self._open.pop()
        return 1


GARBAGE: Final = b"\r\nnot RESP\r\n"


class Proxy:
    """Between a client and a server: `up` is done to what the client says, `down` to what the server says.

    `arm` changes the faults under way; bytes and values are counted from there, values only if it `counts`. `struck`: one of them
    has happened since. `holds`: what was stalled has not all gone on. `receive_buffer` is as for a `Peer`. Used with `with`.
    """

    def __init__(
        self,
        port: int,
        *,
        up: Faults | None = None,
        down: Faults | None = None,
        receive_buffer: int | None = None,
        counts: bool = False,
    ) -> None:
        self._counts = counts
        self._held: set[socket.socket] = set()
        self.arm(up=up, down=down)
        self._server = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        if receive_buffer is not None:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._open: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"redis://127.0.0.1:{self.port}"

    @property
    def passed(self) -> list[int]:
        """How many bytes have passed since then, up and down."""
        return [*self._passed]

    @property
    def holds(self) -> bool:
        """Is there anything that was stalled, and has not gone on?"""
        return bool(self._held)

    def arm(self, *, up: Faults | None = None, down: Faults | None = None) -> None:
        """From now on, these faults."""
        self._passed, self._values = [0, 0], [0, 0]  # first: what a pump sees is faults that begin here
        self.struck = False
        self._faults = (up or Faults(), down or Faults())

    def leads_to(self, port: int) -> None:
        """From now on, new connections lead to another server."""
        self._server = port

    def _replace(self, way: Literal[0, 1], faults: Faults) -> None:
        up, down = self._faults
        self._faults = (faults, down) if way == 0 else (up, faults)

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *exception: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.arm()
        for connection in list(self._open):
            reset(connection)
        for thread in self._threads:
            thread.join(PATIENCE)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                server = socket.create_connection(("127.0.0.1", self._server))
            except ConnectionError:  # it is down for a moment, or goes down
                reset(client)
                continue
            self._open += (client, server)
            ended: list[int] = []
            for one, other, way in ((client, server, 0), (server, client, 1)):
                thread = threading.Thread(target=self._pump, args=(one, other, way, ended), daemon=True)
                thread.start()
                self._threads.append(thread)

    def _pump(self, source: socket.socket, sink: socket.socket, way: Literal[0, 1], ended: list[int]) -> None:
        end = "close"
        frames = Frames()
        try:
            while True:
                # Not for long: while one thread waits for a socket, another cannot really close it.
                if not select.select([source], [], [], 0.02)[0]:
                    continue
                faults = self._faults[way]
                left = faults.next_split()
                if faults.after is not None:
                    left = min(left, faults.after - self._passed[way])
                most: float = inf
                if faults.values is not None:
                    most = faults.values - self._values[way]
                    left = left if most > 0 else 0
                if left <= 0:
                    if (faults.once or faults.then == "garbage") and not source.recv(1, socket.MSG_PEEK):
                        break  # it has ended: the one fault is another's
                    if faults.then == "stall":
                        self._held.add(source)  # before it is known
                    self.struck = True
                    if faults.once:
                        self._replace(way, Faults())
                    faults.first()
                    if faults.then == "half-close":
                        sink.shutdown(socket.SHUT_WR)
                        return
                    if faults.then == "garbage":
                        self._replace(way, replace(faults, after=None))
                        sink.sendall(GARBAGE)
                        continue
                    if faults.then != "stall":
                        end = faults.then
                        break
                    time.sleep(0.005)
                    continue
                if self._counts:
                    left, ended_now = frames.take(source.recv(left, socket.MSG_PEEK), most)
                    self._values[way] += ended_now
                data = source.recv(left)
                if not data:
                    break
                self._passed[way] += len(data)  # before it is seen, and the next faults are armed
                sink.sendall(data)
                if self._held and not select.select([source], [], [], 0)[0]:
                    self._held.discard(source)
                if faults.pause:
                    time.sleep(faults.next_pause())
        except (OSError, ValueError):
            pass  # the other pump has closed them
        self._held.discard(source)
        ended.append(way)
        for connection in (source, sink):
            if end == "reset":
                reset(connection)
            elif len(ended) == 2:
                connection.close()
            else:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


class Restarting:
    """A server that is ended and started again at the same addresses while it is asked: what asks it by `call` waits meanwhile.

    It is started with `OPTIONS`, and has an append-only file. `restarts`: how often it was, since it was armed; `forgot`: without
    that file.
    """

    OPTIONS: Final = ("--appendonly", "yes", "--appendfsync", "no", "--hz", "500")
    """Each write is in the file before it is answered, and only the machine's end would lose it; SIGTERM is heard at once."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.port = server.port
        self._lock = threading.RLock()
        self._spared = True
        self.restarts = 0
        self.forgot = False

    def call(self, *words: str | bytes | int) -> Any:
        """Run one command, see `Server.call`."""
        with self._lock:
            return self.server.call(*words)

    def arm(self) -> None:
        """From now on it may be restarted."""
        self.restarts, self.forgot, self._spared = 0, False, False

    def spare(self) -> None:
        """From now on it is left alone. If it is being restarted, wait for that."""
        with self._lock:
            self._spared = True

    def restart(self, how: Literal["kill", "stop"], *, forgets: bool, then: Callable[[], object]) -> None:
        """End it like that, and start it again, with nothing of what it had if it `forgets`. Behind that `then` is called."""
        with self._lock:
            if self._spared:
                return
            self.restarts += 1
            self.forgot = forgets
            getattr(self.server, how)()
            if forgets:
                for file in self.server.folder.glob("appendonly*"):
                    (shutil.rmtree if file.is_dir() else os.remove)(file)
            self.server.start()
            then()


def segments(connection: socket.socket) -> int:
    """How many segments with data have come in: as many as the other side's small writes, without Nagle's algorithm (Linux)."""
    information = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192)
    (count,) = struct.unpack_from("I", information, 152)  # struct tcp_info, tcpi_data_segs_in
    return int(count)


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until it holds; fail if it never does."""
    give_up = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < give_up, "it never came true"
        time.sleep(0.002)


def together(*functions: Callable[[], object]) -> None:
    """Run each on a thread of its own, and raise the first failure. If one hangs: fail, and show where every thread is."""
    failures: list[BaseException] = []

    def run(function: Callable[[], object]) -> None:
        try:
            function()
        except BaseException as error:  # noqa: BLE001 (raised again below)
            failures.append(error)

    threads = [threading.Thread(target=run, args=(function,), daemon=True) for function in functions]
    for thread in threads:
        thread.start()
    give_up = time.monotonic() + PATIENCE
    for thread in threads:
        thread.join(max(give_up - time.monotonic(), 0))
    if failures:
        raise failures[0]
    if any(thread.is_alive() for thread in threads):
        faulthandler.dump_traceback()
        raise AssertionError("a thread hangs; see the stacks above")


PROGRAMS: Final = Path(__file__).parents[1] / "programs"


def run_program(program: Path | str, *arguments: object) -> str:
    """Run a program in a fresh interpreter, warnings being errors, and return what it printed. It must end well and in silence.

    It is a file, or text if it comes out of a page.

    If it hangs it is ended, with all that it has forked, and its stacks are in the failure.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    source = [str(program)] if isinstance(program, Path) else ["-c", textwrap.dedent(program)]
    with subprocess.Popen(
        [sys.executable, "-X", "faulthandler", "-W", "error", *source, *map(str, arguments)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            printed, complaints = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGABRT)  # faulthandler then writes the stacks
            printed, complaints = process.communicate()
    assert (process.returncode, complaints) == (0, ""), f"exit {process.returncode}\n{printed}\n{complaints}"
    return printed


def statistic(server: Server, name: str) -> int:
    """Return a number that the server counts, from INFO: `total_connections_received`, `connected_clients` ..."""
    information = server.call("INFO", "everything")
    assert isinstance(information, bytes)
    found = [line.partition(b":")[2] for line in information.splitlines() if line.startswith(name.encode() + b":")]
    assert found
    return sum(map(int, found))  # of a cluster, of all masters


def listed(server: Server | Restarting) -> list[dict[str, str]]:
    """Return what CLIENT LIST says of each connection, of the one that asks as well."""
    lines = server.call("CLIENT", "LIST")
    assert isinstance(lines, bytes)
    return [dict(word.partition("=")[::2] for word in line.split()) for line in lines.decode().splitlines()]


def calls(server: Server | Restarting, command: str) -> int:
    """How often the server was asked for a command (`get`, `client|setinfo`), refused ones included."""
    information = server.call("INFO", "commandstats")
    assert isinstance(information, bytes)
    count = 0
    for line in information.decode().splitlines():
        name, _, counts = line.removeprefix("cmdstat_").partition(":")
        if name == command:
            numbers = dict(one.split("=") for one in counts.split(","))
            count += int(numbers["calls"]) + int(numbers.get("rejected_calls", 0))
    return count
