"""What only threads do with an iteration: share it, be interrupted anywhere, fork in the midst of it."""

from __future__ import annotations

import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

import resp_sync
from adapters.backends import seeded
from adapters.peers import run_program, together

if TYPE_CHECKING:
    from servers import Server

pytestmark = pytest.mark.usefixtures("nothing_is_left")

OPENED = pytest.mark.parametrize("opened", [resp_sync.Client, resp_sync.Pool, resp_sync.connect])


def fill(server: Server, count: int) -> set[bytes]:
    keys = [b"key:%d" % number for number in range(count)]
    server.call("MSET", *[word for key in keys for word in (key, b"v")])
    return set(keys)


@OPENED
def test_threads_share_one_and_each_key_comes_once(server: Server, opened: Any) -> None:
    keys, found = fill(server, 2000), []
    with opened(server.url) as redis:
        scan = redis.scan_iter(count=50)

        def read() -> None:
            for key in scan:
                assert redis.get(key) == b"v"
                found.append(key)

        together(*[read] * 4)
    assert sorted(found) == sorted(keys)


@OPENED
@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # a socket is made, and struck before it is kept
def test_interrupts_anywhere_leave_it_in_order(server: Server, opened: Any) -> None:
    """What an interrupt strikes on its way to the program's own hands is lost there, as with any iterator, and no more."""
    random, keys = seeded(), fill(server, 500)

    def strike(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, strike)
    try:
        with opened(server.url) as redis:
            strikes, found = 0, []
            scan = redis.scan_iter(count=7)
            for _ in range(150):
                try:
                    try:
                        signal.setitimer(signal.ITIMER_REAL, random.random() * 0.0003 + 1e-6)
                        found.append(next(scan))
                        found.append(next(scan))
                    finally:
                        signal.setitimer(signal.ITIMER_REAL, 0)  # it strikes once, here at the latest
                except KeyboardInterrupt:
                    strikes += 1
                except resp_sync.RespError:
                    if opened is not resp_sync.connect:
                        raise
                    break  # an interrupt while bytes move ends a connection
                except StopIteration:
                    break
            with suppress(resp_sync.RespError):
                found += scan
                assert len(keys - set(found)) <= strikes
            assert set(found) <= keys
            if opened is not resp_sync.connect:
                assert redis.echo("mine") == b"mine"
                assert set(redis.scan_iter()) == keys
    finally:
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("opened", ["Client", "Pool"])
def test_the_child_of_a_fork_goes_on_for_itself(server: Server, opened: str) -> None:
    fill(server, 200)
    program = f"""
    import os
    import resp_sync

    with resp_sync.{opened}({server.url!r}) as redis:
        scan = redis.scan_iter(count=20)
        found = [next(scan) for _ in range(30)]
        child = os.fork()
        found += scan
        assert len(found) == len(set(found)) == 200, len(found)
        assert scan.restarts == 0
        if not child:
            redis.close()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    print("well")
    """
    assert run_program(program) == "well\n"
