"""A thread is struck again and again in mid-call, beside others, while slots of a cluster move: URL, SECONDS.

Each call has keys of its own, on all servers: it may be lost, and never gets what is another's, nor waits for ever.
"""

from __future__ import annotations

import random
import signal
import sys
import threading
import time
import warnings
from types import FrameType

from resp_sansio import ConnectionLostError, Outcome
from resp_sync import Client

url, seconds = sys.argv[1], float(sys.argv[2])
ENOUGH = 100
TAGS = 20
ended = threading.Event()


def strike(_number: int, frame: FrameType | None) -> None:
    while frame is not None:
        if frame.f_code.co_name in ("__del__", "_remove"):
            return  # Python itself ignores what is raised there, and complains
        frame = frame.f_back
    raise KeyboardInterrupt


class Caller:
    """Each call writes a text of its own to keys of its own, and reads it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.calls = 0
        self.failure: BaseException | None = None

    def once(self, client: Client[bytes], number: int) -> None:
        text = f"{self.name}:{number}".encode()
        keys = [f"{{{(number + at) % TAGS}}}:{text.decode()}:{at}" for at in range(3)]
        if number % 3:
            assert client.execute("SET", keys[0], text) == "OK"
            assert client.execute("GET", keys[0]) == text
        else:
            with client.pipeline() as pipe:
                written = [pipe.execute("SET", key, text) for key in keys]
                read = [pipe.execute("GET", key) for key in keys]
            assert [one.result() for one in written] == ["OK"] * 3
            assert [one.result() for one in read] == [text] * 3
        self.calls += 1

    def run(self, client: Client[bytes]) -> None:
        number = 0
        while not ended.is_set():
            number += 1
            try:
                self.once(client, number)
            except BaseException as failure:  # noqa: BLE001  # told below
                if not is_of_an_interrupt(failure):
                    self.failure = failure
                    return


def is_of_an_interrupt(failure: BaseException) -> bool:
    """Has another caller been struck as it moved these bytes?"""
    return isinstance(failure, ConnectionLostError) and failure.outcome is Outcome.MAYBE_EXECUTED


def main() -> None:
    # A thread may be struck between the making of a socket and its first name: Python closes it at once, and complains.
    warnings.filterwarnings("ignore", "unclosed <socket", ResourceWarning)
    chance = random.Random()
    mine, beside = Caller("main"), [Caller(f"beside {number}") for number in range(2)]
    struck = number = 0
    with Client(url, timeout=20.0) as client:
        threads = [threading.Thread(target=caller.run, args=(client,), daemon=True) for caller in beside]
        for thread in threads:
            thread.start()
        signal.signal(signal.SIGALRM, strike)
        begun = time.monotonic()
        while time.monotonic() - begun < (seconds if min(struck, mine.calls) > ENOUGH else 40.0):
            number += 1
            try:
                # A busy machine needs more time for a call: about half of them are to be answered.
                within = 0.002 * max(1.0, struck / (mine.calls + 1))
                signal.setitimer(signal.ITIMER_REAL, chance.random() * within + 1e-6)
                try:
                    mine.once(client, number)
                finally:
                    signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:
                struck += 1
            except ConnectionLostError as failure:
                if not is_of_an_interrupt(failure):
                    raise
        ended.set()
        for thread in threads:
            thread.join(30)
        for caller, thread in zip(beside, threads, strict=True):
            assert not thread.is_alive(), "a thread hangs"
            assert caller.failure is None, repr(caller.failure)
            assert caller.calls > 0
        for last in range(TAGS):
            mine.once(client, number + 1 + last)
    assert struck > ENOUGH < mine.calls, (struck, mine.calls)
    print("done")


main()
