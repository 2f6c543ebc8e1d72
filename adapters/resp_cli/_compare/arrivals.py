"""When operations arrive: at times that are settled beforehand, whether or not the earlier ones have been answered.

A caller that waits for its reply before it asks again asks less often the slower the replies are, and so leaves out of the
figures just those that would have waited (coordinated omission). Here another process writes a byte into a socket whenever an
operation is due, as a request comes into a server; a latency counts from the time at which the operation was due.
"""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import time
from bisect import bisect_right
from typing import Final

__all__ = ["begin", "pace", "schedule"]

START: Final = struct.Struct("!d")


def schedule(rate: float, seconds: float, seed: int) -> list[float]:
    """Draw the times, in seconds from the beginning, of arrivals that know nothing of one another: a Poisson process."""
    draw = random.Random(seed)
    due, times = draw.expovariate(rate), []
    while due < seconds:
        times.append(due)
        due += draw.expovariate(rate)
    return times


def begin(arrivals: socket.socket) -> float:
    """Tell the process at the other end to start; return the beginning by `time.perf_counter`, which all processes share."""
    start = time.perf_counter()
    arrivals.sendall(START.pack(start))
    return start


def pace(arrivals: socket.socket, rate: float, seconds: float, seed: int) -> None:
    """Write a byte for each arrival when it is due; the end of the socket is that of the schedule."""
    times = schedule(rate, seconds, seed)
    with arrivals, contextlib.suppress(OSError):  # the run may end first
        word = arrivals.recv(START.size, socket.MSG_WAITALL)
        if len(word) < START.size:
            return
        (start,) = START.unpack(word)
        done = 0
        while done < len(times):
            early = start + times[done] - time.perf_counter()
            if early > 0:
                time.sleep(early)
                continue
            due = bisect_right(times, time.perf_counter() - start)
            arrivals.sendall(bytes(due - done))
            done = due
