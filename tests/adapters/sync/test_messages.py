"""Subscriptions where threads come and go, are interrupted, and fork."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

import resp_sync
from adapters.peers import run_program
from resp_sansio import ConnectionClosedError, Gap, Message, RespError

if TYPE_CHECKING:
    from servers import Server


def test_threads_that_read_one_block_share_its_messages(server: Server) -> None:
    many = 2000
    got: list[Message[bytes] | Gap[bytes]] = []
    with resp_sync.Client(server.url) as client, client.subscribe("news") as messages:

        def read() -> None:
            try:
                got.extend(messages)
            except ConnectionClosedError:
                pass

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for start in range(0, many, 100):
            with client.pipeline() as pipe:
                for number in range(start, start + 100):
                    pipe.publish("news", number)
        while len(got) < many:
            time.sleep(0.001)
        client.close()
        for thread in threads:
            thread.join()
    numbers = [int(message.data) for message in got if isinstance(message, Message)]
    assert sorted(numbers) == [*range(many)]


def test_each_thread_has_its_block_though_the_connection_is_killed(server: Server) -> None:
    failures: list[object] = []
    with resp_sync.Client(server.url, retry=resp_sync.Retry(base=0.001, cap=0.01)) as client:

        def follow(name: str) -> None:
            try:
                with client.subscribe(name) as messages:
                    gaps = 0
                    while gaps < 5:
                        gaps += isinstance(messages.next(timeout=20), Gap)
                    while True:
                        client.publish(name, "last")
                        if isinstance(messages.next(timeout=20), Message):
                            break
            except (RespError, AssertionError) as error:
                failures.append(error)

        threads = [threading.Thread(target=follow, args=(f"c{number}",)) for number in range(6)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            server.call("CLIENT", "KILL", "TYPE", "pubsub")
            time.sleep(0.02)
        for thread in threads:
            thread.join()
        assert failures == []
        stats = client.stats().subscriptions
        assert stats is not None
        assert stats.connection is None


def test_while_no_thread_reads_what_comes_waits_outside(server: Server) -> None:
    with resp_sync.Client(server.url) as client, client.subscribe("news") as messages:
        for number in range(200):
            client.publish("news", number)
        stats = client.stats().subscriptions
        assert stats is not None
        assert "0 wait" in repr(messages)
        assert [int(item.data) for item in messages.next_batch() if isinstance(item, Message)][:3] == [0, 1, 2]
        server.call("CLIENT", "KILL", "TYPE", "pubsub")
        messages.subscribe("more")  # the loss is found out
        assert any(isinstance(item, Gap) for item in messages.next_batch())


@pytest.mark.parametrize("protocol", [2, 3])
def test_interrupts_cost_no_message_but_the_one_in_hand(server: Server, protocol: int) -> None:
    """They strike anywhere in a loop that reads, subscribes and leaves: each hole but one for each strike has a gap."""
    printed = run_program(
        """
        import random, signal, sys, threading, time, warnings
        warnings.simplefilter("ignore", ResourceWarning)  # a socket that is struck as it is made
        from resp_sansio import Gap, Retry
        from resp_sync import Client

        def strike(number, frame):
            while frame is not None:
                if frame.f_code.co_name in ("__del__", "_remove"):
                    return  # Python itself ignores what is raised there, and complains
                frame = frame.f_back
            raise KeyboardInterrupt

        def publish():
            with Client(sys.argv[1]) as other:
                number = 0
                while not over:
                    with other.pipeline() as pipe:
                        for _ in range(20):
                            pipe.publish("news", number)
                            number += 1
                    time.sleep(0.001)

        over = []
        publisher = threading.Thread(target=publish, daemon=True)
        publisher.start()
        chance = random.Random(7)
        signal.signal(signal.SIGALRM, strike)
        with Client(sys.argv[1], protocol=int(sys.argv[2]), retry=Retry(base=0.001, cap=0.01)) as client:
            last, strikes, excused, seen = None, 0, False, 0
            messages = client.subscribe("news")
            messages.__enter__()
            end = time.monotonic() + 2.0
            def read_on():
                # A function of its own: CPython 3.12 looks for signals where a loop turns, and no `try` around it sees what comes.
                global last, excused, seen
                signal.setitimer(signal.ITIMER_REAL, chance.random() * 0.004 + 1e-5)
                while True:
                    item = messages.next(timeout=5)
                    if isinstance(item, Gap):
                        excused = True
                        continue
                    number = int(item.data)
                    assert last is None or excused or number in (last + 1, last + 2), (last, number)
                    assert last is None or number > last, (last, number)
                    last, excused = number, False
                    seen += 1
                    if seen % 50 == 0:
                        with client.subscribe("other"):
                            pass

            while time.monotonic() < end:
                try:
                    read_on()
                except KeyboardInterrupt:
                    strikes += 1
            messages.next(timeout=5)
            messages.__exit__(None, None, None)
            over.append(True)
            publisher.join()
            assert client.execute("ECHO", "x") == b"x"
        print("done" if strikes > 50 and seen > 100 else (strikes, seen))
        """,
        server.url,
        protocol,
    )
    assert printed == "done\n"


def test_a_child_of_a_fork_begins_anew(server: Server) -> None:
    printed = run_program(
        """
        import os, sys, traceback, warnings
        warnings.filterwarnings("ignore", message=".*fork.*", category=DeprecationWarning)
        from resp_sansio import ConnectionClosedError
        from resp_sync import Client

        with Client(sys.argv[1]) as client, client.subscribe("news") as messages:
            with client.pipeline() as pipe:
                for number in range(100):
                    pipe.publish("news", number)
            client.ping()
            assert messages.next().data == b"0"  # the others wait for the parent
            process = os.fork()
            if process == 0:
                failed = 1
                try:
                    for use in (lambda: messages.next(timeout=1), lambda: messages.subscribe("more")):
                        try:
                            use()
                        except ConnectionClosedError as error:
                            assert "before a fork" in str(error), error
                        else:
                            raise AssertionError("the parent's")
                    messages.__exit__(None, None, None)
                    with client.subscribe("own") as own:
                        client.publish("own", "x")
                        assert own.next(timeout=5).data == b"x"
                    failed = 0
                except BaseException:
                    traceback.print_exc()
                finally:
                    sys.stdout.flush()
                    os._exit(failed)
            assert os.waitpid(process, 0)[1] == 0
            client.publish("news", "y")
            print(*[messages.next(timeout=5).data for _ in range(100)][-2:])
        """,
        server.url,
    )
    assert printed == "b'99' b'y'\n"
