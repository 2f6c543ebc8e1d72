"""A process forks while its threads use a client or a pool of resp_sync: URL, `Client` or `Pool`."""

from __future__ import annotations

import os
import sys
import threading
import time
import warnings
from typing import TypeAlias

from resp_sync import Client, Pool

Asked: TypeAlias = Client | Pool

warnings.filterwarnings("ignore", message=".*fork.*", category=DeprecationWarning)
finished: list[int] = []


def ask(asked: Asked, name: int, turns: int) -> None:
    for turn in range(turns):
        token = f"{name}:{turn}".encode()
        assert asked.execute("ECHO", token) == token
        if turn % 10 == 0:
            asked.execute("BLPOP", f"nothing:{name}", 0.005)
    finished.append(name)


def together(asked: Asked, names: range, turns: int) -> list[threading.Thread]:
    threads = [threading.Thread(target=ask, args=(asked, name, turns)) for name in names]
    for thread in threads:
        thread.start()
    return threads


def child(asked: Asked) -> None:
    pool = asked.stats().leases if isinstance(asked, Client) else asked.stats()
    assert pool is not None
    assert (pool.created, pool.size, pool.waiting) == (0, 0, 0), pool
    del finished[:]
    for thread in together(asked, range(100, 110), 20):
        thread.join()
    assert len(finished) == 10
    asked.execute("INCR", "children")
    asked.close()


with {"Client": Client, "Pool": Pool}[sys.argv[2]](sys.argv[1]) as asked:
    threads = together(asked, range(10), 100)
    for _ in range(3):
        time.sleep(0.02)
        process = os.fork()
        if process == 0:
            failed = 1
            try:
                child(asked)
                failed = 0
            finally:
                os._exit(failed)
        assert os.waitpid(process, 0)[1] == 0
    for thread in threads:
        thread.join()
    assert sorted(finished) == list(range(10))
    print(asked.execute("GET", "children"))
