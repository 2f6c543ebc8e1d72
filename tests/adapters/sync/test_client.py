"""A client of threads: who opens a lane and who waits for that, and what strikes or forks them meanwhile.

What every client does is said in the contract. Interrupts anywhere at all are in test_pool.py, for clients as well.
"""

from __future__ import annotations

import contextlib
import random
import signal
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from adapters.peers import PATIENCE, Peer, Wire, eventually, run_program, statistic, together
from resp_sansio import CloseReason
from resp_sync import (
    Client,
    CommandTimeoutError,
    ConnectError,
    ConnectionClosedError,
    LocalProtocolError,
    Outcome,
    Pool,
    RespError,
    Retry,
)

if TYPE_CHECKING:
    from servers import Server

ONCE = Retry(attempts=1)


def late(wire: Wire) -> None:
    """It takes its time over the handshake, as a server that loads its data might."""
    time.sleep(0.6)
    answering(wire)


def answering(wire: Wire) -> None:
    wire.welcome()
    while wire.command():
        wire.send(b"+PONG\r\n")


# -- Who opens a lane ---------------------------------------------------------------------------------------------------------


def test_one_opens_the_lane_for_all(server: Server) -> None:
    with Client(server.url, timeout=PATIENCE) as client:
        together(*[partial(client.execute, "INCR", "n")] * 30)
        assert client.execute("GET", "n") == b"30"
        assert client.stats().lanes[0].created == 1


def test_who_waited_while_a_dial_failed_is_told_so() -> None:
    """Each call has attempts of its own, and that was one of them: they do not dial one after the other."""
    told: list[RespError] = []

    def refuse(wire: Wire) -> None:
        eventually(lambda: client.stats().lanes[0].waiting == 8)
        wire.close()

    def use() -> None:
        with pytest.raises(ConnectError) as raised:
            client.execute("INCR", "n")
        told.append(raised.value)

    with Peer(refuse) as peer, Client(peer.url, timeout=PATIENCE, retry=ONCE) as client:
        together(*[use] * 8)
        assert client.stats().lanes[0].dial_failures == 1
        assert peer.connections == 2  # the second without HELLO, for one that hangs up on it
    assert len({id(error) for error in told}) == 8


def test_a_dial_that_its_callers_own_deadline_cuts_short_is_passed_on() -> None:
    """That says nothing of the server, and no other caller is told: the next one goes on with it."""
    hasty: list[CommandTimeoutError] = []

    def hurry() -> None:
        with pytest.raises(CommandTimeoutError, match="could not be reached in time") as raised:
            client.execute("PING", timeout=0.2)
        hasty.append(raised.value)

    def wait() -> None:
        eventually(lambda: client.stats().lanes[0].waiting == 1)
        assert client.execute("PING", timeout=PATIENCE) == "PONG"

    with Peer(late) as peer, Client(peer.url, breaker_failures=1) as client:
        together(hurry, wait)
        assert peer.connections == 1
        assert hasty[0].outcome is Outcome.NOT_SENT
        assert client.stats().lanes[0].dial_failures == 0


def test_the_end_of_a_lane_is_noticed_before_anything_is_sent(server: Server) -> None:
    with Client(server.url) as client:
        mine = client.execute("CLIENT", "ID")
        assert isinstance(mine, int)
        server.call("CLIENT", "KILL", "ID", mine)
        assert client.execute("INCR", "n") == 1
        assert client.stats().retries == 0
        assert client.stats().lanes[0].closed == {CloseReason.LOST: 1}


def test_a_provider_of_credentials_must_not_use_the_client_that_asks_it(server: Server) -> None:
    """Its thread is the one that opens the lane, so it would wait for itself; as the handler of a signal might."""

    def ask() -> str:
        return str(client.execute("GET", "user"))

    with Client(server.url, credentials=lambda: (ask(), "secret")) as client:
        with pytest.raises(LocalProtocolError, match="already opening a connection of this client"):
            client.execute("PING", timeout=PATIENCE)
        assert client.stats().lanes[0].waiting == 0


def test_a_storm_of_threads_whose_connections_are_cut_at_random(server: Server) -> None:
    """Everyone gets their own reply, or an error that says what became of the command; INCR never runs twice."""
    count = threading.Lock()
    certain = perhaps = 0

    def use(client: Client, name: int) -> None:
        nonlocal certain, perhaps
        chance = random.Random(name)
        for index in range(40):
            token = f"{name}:{index}".encode()
            assert client.execute("ECHO", token) == token  # may be repeated, and so succeeds
            try:
                client.execute("INCR", "n")
                with count:
                    certain += 1
            except RespError as error:
                if error.outcome is Outcome.MAYBE_EXECUTED:
                    with count:
                        perhaps += 1
            if chance.random() < 0.05:
                with contextlib.suppress(ConnectionError):  # another may do the same, and cut this off
                    server.call("CLIENT", "KILL", "TYPE", "normal")

    before = statistic(server, "connected_clients")
    with Client(server.url, lanes=2, max_connections=4, timeout=PATIENCE) as client:
        together(*(partial(use, client, name) for name in range(8)))
        lanes = client.stats().lanes
        assert sum(lane.created for lane in lanes) > 2
        for lane in lanes:
            assert lane.waiting == 0
            assert lane.created == sum(lane.closed.values()) + (lane.connection is not None)
    ran = server.call("GET", "n")
    assert isinstance(ran, bytes)
    assert certain <= int(ran) <= certain + perhaps
    eventually(lambda: statistic(server, "connected_clients") == before)


# -- Interrupts -----------------------------------------------------------------------------------------------------------------


def test_an_interrupt_while_opening_a_lane_leaves_that_to_the_next() -> None:
    with Peer(late) as peer:
        printed = run_program(
            """
            import signal, sys, threading
            from resp_sync import Client

            def strike(number, frame):
                raise KeyboardInterrupt

            def use():
                told.append(client.execute("PING", timeout=30.0))

            told = []
            signal.signal(signal.SIGALRM, strike)
            with Client(sys.argv[1], connect_timeout=30.0) as client:
                thread = threading.Timer(0.1, use)
                thread.start()
                signal.setitimer(signal.ITIMER_REAL, 0.3)
                try:
                    client.execute("PING", timeout=30.0)
                except KeyboardInterrupt:
                    thread.join(30)
                print(told, client.stats().lanes[0].dial_failures)
            """,
            peer.url,
        )
        assert peer.connections == 1
    assert printed == "['PONG'] 0\n"


def test_an_interrupt_while_waiting_for_a_lane_costs_that_call_alone(server: Server) -> None:
    """Also where it waits until a lane may be dialled again."""
    printed = run_program(
        """
        import signal, socket, sys, time
        from resp_sync import Client, Retry

        def strike(number, frame):
            raise KeyboardInterrupt

        signal.signal(signal.SIGALRM, strike)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        with Client(f"redis://127.0.0.1:{port}", timeout=30.0, retry=Retry(base=30.0, cap=30.0)) as client:
            for _ in range(3):
                signal.setitimer(signal.ITIMER_REAL, 0.1)
                try:
                    client.execute("PING")
                except KeyboardInterrupt:
                    print("struck", client.stats().lanes[0].waiting)
        """,
    )
    assert printed == "struck 0\n" * 3


# -- Forks, greenlets -----------------------------------------------------------------------------------------------------------


def test_a_child_of_a_fork_begins_with_a_new_client(server: Server) -> None:
    """It forks beside threads that are using and opening lanes and leases; each process goes on by its own connections."""
    printed = run_program(
        """
        import os, sys, threading, warnings
        from resp_sync import Client

        # Python warns of forks beside threads, which is what this is about.
        warnings.filterwarnings("ignore", message=".*fork.*", category=DeprecationWarning)

        def use(*command):
            while not ended.is_set():
                client.execute(*command)
                if command[0] == "BLPOP":
                    client._driver.change("retire", type(client._driver.machine).retire)  # there is a lane to open, now and then

        ended = threading.Event()
        with Client(sys.argv[1], max_connections=4) as client:
            client.execute("PING")  # Python looks up names by a module that it imports, and must not be forked then
            commands = ("ECHO", "parent"), ("GET", "k"), ("BLPOP", "nothing", 0.01)
            threads = [threading.Thread(target=use, args=command) for command in commands]
            for thread in threads:
                thread.start()
            for _ in range(20):
                child = os.fork()
                if child == 0:
                    assert client.stats().lanes[0].created == 0
                    assert client.execute("ECHO", "child", timeout=30.0) == b"child"
                    assert client.execute("BLPOP", "nothing", 0.01, timeout=30.0) is None
                    client.close()
                    os._exit(0)
                assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            ended.set()
            for thread in threads:
                thread.join(30)
            print(client.execute("ECHO", "parent"))
        """,
        server.url,
    )
    assert printed == "b'parent'\n"


def test_greenlets_share_a_client(server: Server) -> None:
    printed = run_program(
        """
        from gevent import monkey
        monkey.patch_all()
        import sys
        import gevent
        from resp_sync import Client

        def use(index):
            assert client.execute("ECHO", index) == str(index).encode()
            assert client.execute("BLPOP", "nothing", 0.02) is None

        with Client(sys.argv[1], max_connections=5) as client:
            jobs = [gevent.spawn(use, index) for index in range(20)]
            gevent.joinall(jobs, raise_error=True, timeout=30)
            stats = client.stats()
            print(all(job.successful() for job in jobs), stats.lanes[0].created, stats.leases.most_size)
        """,
        server.url,
    )
    assert printed == "True 1 4\n"


@pytest.mark.parametrize("kind", [Pool, Client])
def test_an_error_out_of_a_signal_handler_is_not_taken_for_the_connections(kind: type[Pool | Client]) -> None:
    """It says "closed", but of something else, and the command is under way."""
    seen: list[list[bytes]] = []

    def slow(wire: Wire) -> None:
        wire.welcome()
        for words in wire.commands():
            seen.append(words)
            time.sleep(0.2 if len(seen) == 1 else 0)
            wire.send(b":%d\r\n" % len(seen))

    def strike(*_: object) -> None:
        raise ConnectionClosedError("something else was closed")

    before = signal.signal(signal.SIGALRM, strike)
    try:
        with Peer(slow) as peer, kind(peer.url, timeout=PATIENCE) as asked:
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            with pytest.raises(ConnectionClosedError, match="something else"):
                asked.execute("INCR", "n")
            assert asked.execute("GET", "k") == 2
        assert seen == [[b"INCR", b"n"], [b"GET", b"k"]]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
