"""A process forks again and again while other threads shake hands by TLS, and each child does so, too: LIBRARY, URL.

OpenSSL has locks of its own. One that another thread holds as the process forks would be locked in the child for ever: so no thread
may be inside of it then. They are slow in there, on purpose.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import ssl
import sys
import threading
import time
import traceback
import warnings
from functools import wraps
from typing import TYPE_CHECKING, Any

import trio

import resp_asyncio
import resp_sync
import resp_trio

if TYPE_CHECKING:
    from collections.abc import Callable

library, url = sys.argv[1:]
warnings.filterwarnings("ignore", message=".*fork.*", category=DeprecationWarning)

THREADS = 4
FORKS = 20
ended = threading.Event()
inside: list[str] = []
importlib.import_module(
    "concurrent.futures.thread"
)  # else it comes amid a fork, perhaps, and is told the second half of that


def slowly(function: Callable[..., Any]) -> Callable[..., Any]:
    """Note for how long a thread is in there."""

    @wraps(function)
    def noted(*args: Any, **options: Any) -> Any:
        inside.append(function.__name__)
        try:
            time.sleep(0.001)
            return function(*args, **options)
        finally:
            inside.remove(function.__name__)

    return noted


class Slow(ssl.SSLObject):
    do_handshake = slowly(ssl.SSLObject.do_handshake)
    read = slowly(ssl.SSLObject.read)
    write = slowly(ssl.SSLObject.write)


ssl.SSLContext.sslobject_class = Slow
ssl.create_default_context = slowly(ssl.create_default_context)


def ask() -> None:
    """Open a connection, and use it."""
    match library:
        case "threads":
            with resp_sync.connect(url) as connection:
                assert connection.execute("PING") == "PONG"
        case "trio":
            trio.run(ask_in_a_loop, resp_trio)
        case _:
            asyncio.run(ask_in_a_loop(resp_asyncio))


async def ask_in_a_loop(module: Any) -> None:
    async with module.connect(url) as connection:
        assert await connection.execute("PING") == "PONG"


def ask_on() -> None:
    while not ended.is_set():
        ask()


def fork() -> None:
    process = os.fork()
    if process == 0:
        failed = 1
        try:
            assert not inside, inside
            ask()
            failed = 0
        except BaseException:  # noqa: BLE001  # told, and the process ends
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(failed)
    assert os.waitpid(process, 0) == (process, 0)


threads = [threading.Thread(target=ask_on) for _ in range(THREADS)]
for thread in threads:
    thread.start()
try:
    for _ in range(FORKS):
        fork()
finally:
    ended.set()
    for thread in threads:
        thread.join()
print("each child was answered")
