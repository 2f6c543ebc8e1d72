"""The clients that are compared, each as a few callables, and the process that runs one of them on command.

Every client is used as its own documentation shows it and with its own defaults. Each lives in a process of its own
(`python -m benchmarks.peers NAME`), because one of them must not see a package that another one needs, and because memory and
garbage of one must not weigh on the next. `floor` is a bare socket that sends what was encoded beforehand and counts the bytes
that come back: what no client can beat. `hiredis` is the same socket with the C library's encoder and parser, and no client.
"""

from __future__ import annotations

import abc
import contextlib
import gc
import json
import os
import socket
import sys
import threading
import time
import tracemalloc
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.async_peers import AsyncPeer

Work: TypeAlias = "Callable[[], object]"

KEY: Final = "bench:64"
SCRATCH: Final = "bench:scratch"
VALUE: Final = "v" * 64
THREADS: Final = 8
EACH: Final = 250  # GETs by each thread: long enough that starting the threads does not matter
IDLE: Final = 300
RECEIVE: Final = 64 * 1024


class Peer(abc.ABC):
    """One client, and what it is measured by. `open` returns what the other methods take as `client`."""

    imports: ClassVar[str]
    hidden: ClassVar[tuple[str, ...]] = ()

    @abc.abstractmethod
    def open(self, url: str) -> Any:
        """A client at `url`, as its documentation makes one, ready to be used."""

    @abc.abstractmethod
    def command(self, client: Any, *words: str | int) -> Work:
        """One command by its method, where the client has any: because that is what users call. One reply."""

    def words(self, client: Any, *words: str | int) -> Work:
        """One command by its words, one reply."""
        return self.command(client, *words)

    @abc.abstractmethod
    def pipeline(self, client: Any, count: int, *, writes: bool = False) -> Work:
        """`count` GETs at once, every reply looked at; every other one is a SET, if it also `writes`."""

    @abc.abstractmethod
    def threads(self, url: str) -> Work:
        """`THREADS` threads with one client, `EACH` GETs by each of them."""

    @abc.abstractmethod
    def visit(self, url: str) -> None:
        """Connect, PING, close."""

    @abc.abstractmethod
    def idle(self, url: str, count: int) -> object:
        """Open `count` connections, use each once, and return what keeps them open."""

    def borrow(self, client: Any) -> Work:
        """Take a connection out of a pool that has one, and put it back."""
        raise NotImplementedError(f"{type(self).__name__} of {client!r} has no pool")


def run_threads(work: Sequence[Callable[[], object]]) -> None:
    def repeat(one: Callable[[], object]) -> None:
        for _ in range(EACH):
            one()

    running = [threading.Thread(target=repeat, args=(one,)) for one in work]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()


def open_socket(url: str) -> socket.socket:
    parts = urlsplit(url)
    if parts.scheme == "unix":
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(parts.path)
        return connection
    connection = socket.create_connection((parts.hostname or "localhost", parts.port or 6379))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def encode(*words: str | int) -> bytes:
    encoded = [str(word).encode() for word in words]
    return b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)


def reply_size(client: socket.socket, request: bytes) -> int:
    """Learn how long the reply is by waiting for silence."""
    client.sendall(request)
    size = len(client.recv(RECEIVE))
    client.settimeout(0.5)
    with contextlib.suppress(TimeoutError):
        while data := client.recv(1 << 20):
            size += len(data)
    client.settimeout(None)
    return size


class Floor(Peer):
    """Requests encoded beforehand, replies counted: the price of the system calls alone."""

    imports = "import socket"

    def open(self, url: str) -> socket.socket:
        return open_socket(url)

    def exchange(self, client: socket.socket, request: bytes) -> Work:
        size = reply_size(client, request)
        most = max(RECEIVE, min(size, 1 << 20))

        def exchange() -> None:
            client.sendall(request)
            missing = size
            while missing:
                missing -= len(client.recv(most))

        return exchange

    def command(self, client: socket.socket, *words: str | int) -> Work:
        return self.exchange(client, encode(*words))

    def pipeline(self, client: socket.socket, count: int, *, writes: bool = False) -> Work:
        if writes:
            return self.exchange(client, (encode("SET", SCRATCH, VALUE) + encode("GET", KEY)) * (count // 2))
        return self.exchange(client, encode("GET", KEY) * count)

    def threads(self, url: str) -> Work:
        """Without a client there is nothing to share: a socket for each thread."""
        work = [self.command(self.open(url), "GET", KEY) for _ in range(THREADS)]
        return lambda: run_threads(work)

    def visit(self, url: str) -> None:
        with self.open(url) as client:
            client.sendall(b"PING\r\n")
            client.recv(RECEIVE)

    def idle(self, url: str, count: int) -> object:
        clients = [self.open(url) for _ in range(count)]
        for client in clients:
            client.sendall(b"PING\r\n")
            client.recv(RECEIVE)
        return clients

    def borrow(self, client: socket.socket) -> Work:
        """What no pool for threads goes without: a lock, twice, and a container."""
        lock, free = threading.Lock(), deque([client])

        def borrow() -> None:
            with lock:
                taken = free.pop()
            with lock:
                free.append(taken)

        return borrow


class Hiredis(Floor):
    """The C library's encoder and parser around the same bare socket."""

    imports = "import socket, hiredis"

    def command(self, client: socket.socket, *words: str | int) -> Work:
        import hiredis

        reader = hiredis.Reader()
        pack: Any = hiredis.pack_command  # its stub knows tuples of one word only

        def command() -> object:
            client.sendall(pack(words))
            while (reply := reader.gets()) is False:
                reader.feed(client.recv(RECEIVE))  # it gets slower with bigger pieces
            return reply

        return command

    def pipeline(self, client: socket.socket, count: int, *, writes: bool = False) -> Work:
        import hiredis

        reader = hiredis.Reader()
        pack: Any = hiredis.pack_command  # its stub knows tuples of one word only
        commands: list[tuple[str, ...]] = [("GET", KEY)] * count
        if writes:
            commands[::2] = [("SET", SCRATCH, VALUE)] * (count // 2)

        def pipeline() -> object:
            client.sendall(b"".join([pack(words) for words in commands]))
            replies: list[object] = []
            while len(replies) < count:
                reader.feed(client.recv(RECEIVE))
                while (reply := reader.gets()) is not False:
                    replies.append(reply)
            return replies

        return pipeline


def by_method(client: Any, *words: str | int) -> Work:
    """Return a call of the method that a command has."""
    name, *rest = words
    call = getattr(client, str(name).lower())
    return lambda: call(*rest)


class RedisPy(Peer):
    """redis-py with hiredis, and its like: a pool of connections, one for each command in flight."""

    imports = "import redis"
    module = "redis"
    client = "Redis"

    def __init__(self) -> None:
        module = __import__(self.module)
        self.make: Callable[..., Any] = getattr(module, self.client)

    def open(self, url: str) -> Any:
        return getattr(self.make, "from_url")(url)  # noqa: B009 - its type is not known here

    def command(self, client: Any, *words: str | int) -> Work:
        return by_method(client, *words)

    def words(self, client: Any, *words: str | int) -> Work:
        return lambda: client.execute_command(*words)

    def pipeline(self, client: Any, count: int, *, writes: bool = False) -> Work:
        def pipeline() -> None:
            pipe = client.pipeline(transaction=False)
            for _ in range(count // 2 if writes else count):
                if writes:
                    pipe.set(SCRATCH, VALUE)
                pipe.get(KEY)
            assert len(pipe.execute()) == count

        return pipeline

    def threads(self, url: str) -> Work:
        client = self.open(url)
        return lambda: run_threads([lambda: client.get(KEY)] * THREADS)

    def visit(self, url: str) -> None:
        client = self.open(url)
        client.ping()
        client.close()

    def lease(self, pool: Any) -> Any:
        return pool.get_connection()

    def idle(self, url: str, count: int) -> object:
        pool = self.open(url).connection_pool
        pool.max_connections = count
        connections = [self.lease(pool) for _ in range(count)]
        for connection in connections:
            connection.send_command("PING")
            connection.read_response()
        for connection in connections:
            pool.release(connection)
        return pool

    def borrow(self, client: Any) -> Work:
        pool = client.connection_pool
        return lambda: pool.release(pool.get_connection())


class RedisPyPure(RedisPy):
    """The same without hiredis: what users have who did not ask for it."""

    hidden = ("hiredis",)


class ValkeyPy(RedisPy):
    """redis-py's sister with the C library libvalkey."""

    imports = "import valkey"
    module = "valkey"
    client = "Valkey"

    def __init__(self) -> None:
        __import__("libvalkey")  # without it, it would quietly be something else
        super().__init__()

    def lease(self, pool: Any) -> Any:
        return pool.get_connection("PING")


class Ours(Peer):
    """resp_sync as most take it: a client, and its methods; one lane for all commands here, a deadline of 5 s for each."""

    imports = "import resp_sync"
    kind = "Client"

    def __init__(self) -> None:
        import resp_sync

        self.connect: Callable[[str], Any] = getattr(resp_sync, self.kind)

    def open(self, url: str) -> Any:
        return self.connect(url)

    def command(self, client: Any, *words: str | int) -> Work:
        return by_method(client, *words)

    def words(self, client: Any, *words: str | int) -> Work:
        return lambda: client.execute(*words)

    def pipeline(self, client: Any, count: int, *, writes: bool = False) -> Work:
        def pipeline() -> None:
            with client.pipeline() as pipe:
                replies = collect(pipe, count, writes=writes)
            assert len([reply.result() for reply in replies]) == count

        return pipeline

    def threads(self, url: str) -> Work:
        client = self.open(url)
        return lambda: run_threads([self.command(client, "GET", KEY)] * THREADS)

    def visit(self, url: str) -> None:
        with self.connect(url) as client:
            client.ping()

    def idle(self, url: str, count: int) -> object:
        clients = [self.connect(url) for _ in range(count)]
        for client in clients:
            client.ping()
        return clients


def collect(pipe: Any, count: int, *, writes: bool) -> list[Any]:
    """Add the commands of a pipeline to one of ours, by its methods."""
    if not writes:
        return [pipe.get(KEY) for _ in range(count)]
    return [result for _ in range(count // 2) for result in (pipe.set(SCRATCH, VALUE), pipe.get(KEY))]


def collect_words(pipe: Any, count: int, *, writes: bool) -> list[Any]:
    """The same by their words."""
    execute = pipe.execute
    if not writes:
        return [execute("GET", KEY) for _ in range(count)]
    return [result for _ in range(count // 2) for result in (execute("SET", SCRATCH, VALUE), execute("GET", KEY))]


class OurWords(Ours):
    """The same client by words: what the methods cost, or spare."""

    def command(self, client: Any, *words: str | int) -> Work:
        return self.words(client, *words)

    def pipeline(self, client: Any, count: int, *, writes: bool = False) -> Work:
        def pipeline() -> None:
            with client.pipeline() as pipe:
                replies = collect_words(pipe, count, writes=writes)
            assert len([reply.result() for reply in replies]) == count

        return pipeline


class OurConnection(Ours):
    """resp_sync with one connection, which ends when it ends."""

    kind = "connect"


class OurPool(Ours):
    """resp_sync with a pool: a connection for each command in flight."""

    kind = "Pool"

    def borrow(self, client: Any) -> Work:
        def borrow() -> None:
            with client.acquire():
                pass

        client.ping()
        return borrow


PEERS: Final[dict[str, type[Peer]]] = {
    "floor": Floor,
    "hiredis": Hiredis,
    "redis-py": RedisPyPure,
    "redis-py+hiredis": RedisPy,
    "valkey-py+libvalkey": ValkeyPy,
    "resp-sansio": Ours,
    "resp-sansio words": OurWords,
    "resp-sansio Connection": OurConnection,
    "resp-sansio Pool": OurPool,
}


def find_peer(name: str) -> type[Peer | AsyncPeer]:
    """The peer of this name, of whichever kind."""
    if name.startswith("asyncio "):
        from benchmarks.async_peers import ASYNC_PEERS

        return ASYNC_PEERS[name]
    if name.startswith("trio "):
        from benchmarks.trio_peers import TRIO_PEERS

        return TRIO_PEERS[name]
    return PEERS[name]


def make_work(peer: Peer | AsyncPeer, workload: str, url: str) -> tuple[Work, int]:
    """The callable for a workload, and how many operations one call of it is."""
    if not isinstance(peer, Peer):
        return peer.make_work(workload, url)
    kind, *words = workload.split()
    match kind:
        case "command":
            return peer.command(peer.open(url), *words), 1
        case "words":
            return peer.words(peer.open(url), *words), 1
        case "pipeline":
            return peer.pipeline(peer.open(url), int(words[0])), int(words[0])
        case "writes":
            return peer.pipeline(peer.open(url), int(words[0]), writes=True), int(words[0])
        case "threads":
            return peer.threads(url), THREADS * EACH
        case "borrow":
            return peer.borrow(peer.open(url)), 1
        case "visit":
            return lambda: peer.visit(url), 1
    raise ValueError(f"no such workload: {workload!r}")


def resident() -> int:
    """This process's resident memory in bytes (Linux)."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Worker:
    """Runs one peer's workloads as it is told; what was set up, and how often to repeat it, is kept from round to round."""

    def __init__(self, name: str) -> None:
        self.type = find_peer(name)
        for module in self.type.hidden:
            sys.modules[module] = None  # type: ignore[assignment]
        self.peer = self.type()
        self.ready: dict[tuple[str, str], tuple[Work, int, int]] = {}

    def run(self, workload: str, url: str, seconds: float) -> dict[str, float]:
        """Seconds of wall clock and of CPU (all threads) per operation, over about `seconds` in all."""
        if (workload, url) not in self.ready:
            work, size = make_work(self.peer, workload, url)
            self.ready[workload, url] = work, size, self.calibrate(work, seconds)
        work, size, count = self.ready[workload, url]
        gc.collect()
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(count):
            work()
        return {
            "wall": (time.perf_counter() - wall) / count / size,
            "cpu": (time.process_time() - cpu) / count / size,
        }

    def calibrate(self, work: Work, seconds: float) -> int:
        """How many calls fill `seconds`, judged by some that also warm everything up."""
        work()
        start = time.perf_counter()
        done = 0
        while (spent := time.perf_counter() - start) < seconds / 2:
            work()
            done += 1
        return max(1, round(done * seconds / spent))

    def repeat(self, workload: str, url: str, count: int) -> dict[str, float]:
        """Just do it, for a watcher outside."""
        work, _ = make_work(self.peer, workload, url)
        for _ in range(count):
            work()
        return {}

    def memory(self, url: str, traced: bool) -> dict[str, float]:
        """Bytes per idle connection: as resident memory, or as what Python itself allocated."""
        idle = self.peer.idle if isinstance(self.peer, Peer) else partial(self.peer.run, self.peer.idle)
        warm = idle(url, 10)
        gc.collect()
        if traced:
            tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0] if traced else resident()
        kept = idle(url, IDLE)
        gc.collect()
        after = tracemalloc.get_traced_memory()[0] if traced else resident()
        del warm, kept
        return {"bytes": (after - before) / IDLE}


def main() -> None:
    """Take orders as JSON, a line each, and answer likewise."""
    worker = Worker(sys.argv[1])
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(getattr(worker, order.pop("do"))(**order)), flush=True)
    # Connections that are still open are no concern of the measurement: do not wait for them, and do not warn.
    os._exit(0)


if __name__ == "__main__":
    main()
