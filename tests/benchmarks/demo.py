"""The main job, shown: one connection to a throw-away Redis, used in every way that `resp_sync` offers, with timings."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from typing import TYPE_CHECKING

from resp_sync import connect
from servers import Server, ServerError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from resp_sync import Connection

COMMANDS = 5_000
BATCH = 1_000
THREADS = 16
EACH = 500


@contextlib.contextmanager
def timed(what: str, count: int) -> Iterator[None]:
    """Print what was done, how often, how long all of it took, and each."""
    start = time.perf_counter()
    yield
    spent = time.perf_counter() - start
    print(f"  {count:6d} x {what:<50s} {spent * 1e3:8.1f} ms {spent / count * 1e6:8.1f} µs each")


def commands(connection: Connection) -> None:
    with timed("SET, one after the other", COMMANDS):
        for number in range(COMMANDS):
            connection.execute("SET", f"key:{number}", number, timeout=5.0)
    with timed("GET, one after the other", COMMANDS):
        for number in range(COMMANDS):
            assert connection.execute("GET", f"key:{number}", timeout=5.0) == str(number).encode()


def pipeline(connection: Connection) -> None:
    with timed("GET, in pipelines of a thousand", 10 * BATCH):
        for _ in range(10):
            with connection.pipeline() as pipe:
                replies = [pipe.execute("GET", f"key:{number}") for number in range(BATCH)]
            assert [reply.result() for reply in replies] == [str(number).encode() for number in range(BATCH)]


def threads(connection: Connection) -> None:
    def work(name: int) -> None:
        for number in range(EACH):
            connection.execute("INCR", "all", timeout=5.0)
            connection.execute("SET", f"thread:{name}", number, timeout=5.0)
            assert connection.execute("GET", f"thread:{name}", timeout=5.0) == str(number).encode()

    workers = [threading.Thread(target=work, args=(name,)) for name in range(THREADS)]
    with timed(f"INCR, SET, GET by {THREADS} threads on one connection", 3 * THREADS * EACH):
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert connection.execute("GET", "all") == str(THREADS * EACH).encode()


def transaction(connection: Connection) -> None:
    def transfer() -> tuple[object, object]:
        with connection.transaction() as both:
            left = both.execute("DECRBY", "from", 1)
            arrived = both.execute("INCRBY", "to", 1)
        return left.result(), arrived.result()

    connection.execute("MSET", "from", 100, "to", 0)
    with timed("MULTI, DECRBY, INCRBY, EXEC", 100):
        balances = [transfer() for _ in range(100)]
    assert balances == [(99 - done, 1 + done) for done in range(100)]


def main() -> int:
    """Run the show; the exit code says whether there was a server to run it on."""
    try:
        server = Server()
    except ServerError as error:
        print(error, file=sys.stderr)
        return 1
    with server:
        print(
            f"{server.product} {'.'.join(map(str, server.version))} ({server.executable}), throw-away, at {server.url}"
        )
        print(f"CPython {sys.version.split()[0]}; every call over one connection, each with its own deadline of 5 s\n")
        for name, url in (("TCP", server.url), ("unix socket", server.unix_url)):
            print(f"{name}:")
            with connect(url) as connection:
                for step in (commands, pipeline, threads, transaction):
                    step(connection)
            server.call("FLUSHALL")
    print("\nEvery reply was checked. The server is gone.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
