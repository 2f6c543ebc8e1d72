"""The network and the server at their worst: what ends a connection, what only delays it, and what each call is told."""

from __future__ import annotations

import socket
import threading
import time
import tracemalloc
from functools import partial
from threading import Semaphore
from typing import TYPE_CHECKING, Any

import pytest

from adapters.peers import PATIENCE, Faults, Peer, Proxy, Wire, calls, eventually, run_program, together
from resp_sansio import (
    CommandTimeoutError,
    ConnectionClosedError,
    ConnectionLostError,
    Outcome,
    RemoteProtocolError,
)
from resp_sync import Connection, connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from servers import Server

MIB = 1024 * 1024
LARGE = b"large" * (64 * MIB // 5)


def lost(connection: Connection, *args: Any) -> ConnectionLostError:
    """The error of a call that must lose its connection; after it the connection is closed for ever, and says why."""
    with pytest.raises(ConnectionLostError) as caught:
        connection.execute(*args)
    with pytest.raises(ConnectionClosedError, match=r"^PING was not sent: .* has ended: "):
        connection.execute("PING")
    return caught.value


# -- The end ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_connection_that_was_killed_while_idle(server: Server, protocol: int) -> None:
    with connect(f"{server.url}?protocol={protocol}&client_name=idle") as connection:
        assert server.call("CLIENT", "KILL", "ID", number(connection)) == 1
        eventually(lambda: b"name=idle" not in clients(server))
        with pytest.raises(ConnectionClosedError, match="^INCR was not sent: .* the server closed the connection"):
            connection.execute("INCR", "n")
    assert server.call("GET", "n") is None


def number(connection: Connection) -> int:
    mine = connection.execute("CLIENT", "ID")
    assert isinstance(mine, int)
    return mine


def test_a_connection_that_is_killed_under_a_call(server: Server) -> None:
    with connect(server.url) as connection:
        mine = number(connection)

        def kill() -> None:
            eventually(lambda: b"cmd=blpop" in clients(server))
            server.call("CLIENT", "KILL", "ID", mine)

        def wait() -> None:
            error = lost(connection, "BLPOP", "k", 0)
            assert error.outcome is Outcome.MAYBE_EXECUTED
            assert "BLPOP: the server closed the connection" in str(error)

        together(wait, kill)


def clients(server: Server) -> bytes:
    listed = server.call("CLIENT", "LIST")
    assert isinstance(listed, bytes)
    return listed


def test_a_server_that_crashes_is_told_to_everyone_who_waits(start_server: Callable[..., Server]) -> None:
    server = start_server()
    with connect(server.url) as connection:

        def wait(key: str) -> None:
            with pytest.raises(ConnectionLostError) as caught:
                connection.execute("BLPOP", key, 0)
            assert caught.value.outcome is Outcome.MAYBE_EXECUTED

        def crash() -> None:
            eventually(lambda: b"cmd=blpop" in clients(server))
            time.sleep(0.05)  # for the others to be queued behind it
            server.kill()

        together(crash, *(lambda key=key: wait(key) for key in "abcdef"))
        with pytest.raises(ConnectionClosedError):
            connection.execute("GET", "k")


@pytest.mark.parametrize("reply", [b"$10\r\nhalf a", b"$536870912\r\n", b"*2\r\n:1\r\n", b"+O", b":1\r"])
def test_a_reply_that_ends_in_the_middle(reply: bytes) -> None:
    def script(wire: Wire) -> None:
        wire.welcome()
        wire.command()
        wire.send(reply)

    with Peer(script) as peer, connect(peer.url) as connection:
        error = lost(connection, "GET", "k")
    assert error.outcome is Outcome.MAYBE_EXECUTED
    assert "in the middle of a reply" in str(error)


def test_replies_before_the_end_are_delivered() -> None:
    def script(wire: Wire) -> None:
        wire.welcome()
        for _ in range(3):
            wire.command()
        wire.send(b":1\r\n:2\r\n$5\r\nhal")

    with Peer(script) as peer, connect(peer.url) as connection:
        with pytest.raises(ConnectionLostError), connection.pipeline() as pipe:
            one, two, three = pipe.execute("INCR", "n"), pipe.execute("INCR", "n"), pipe.execute("GET", "k")
        assert (one.result(), two.result()) == (1, 2)
        with pytest.raises(ConnectionLostError, match="GET") as caught:
            three.result()
        assert caught.value.outcome is Outcome.MAYBE_EXECUTED


def test_a_header_of_512_mib_and_a_close_costs_no_memory() -> None:
    def script(wire: Wire) -> None:
        wire.welcome()
        wire.command()
        wire.send(b"$536870912\r\n" + b"x" * 1000)

    with Peer(script) as peer, connect(peer.url) as connection:
        tracemalloc.start()
        try:
            error = lost(connection, "GET", "k")
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert "in the middle of a reply" in str(error)
    assert peak < 16 * MIB


def test_an_array_of_a_billion_elements_that_never_come_costs_no_memory() -> None:
    def script(wire: Wire) -> None:
        wire.welcome()
        wire.command()
        wire.send(b"*1000000000\r\n")

    with Peer(script) as peer, connect(peer.url) as connection:
        tracemalloc.start()
        try:
            lost(connection, "LRANGE", "k", 0, -1)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 16 * MIB


def test_a_reset(server: Server) -> None:
    def script(wire: Wire) -> None:
        wire.welcome()
        wire.command()
        wire.reset()

    with Peer(script) as peer, connect(peer.url) as connection:
        error = lost(connection, "INCR", "n")
    assert error.outcome is Outcome.MAYBE_EXECUTED
    assert "reset" in str(error)


def test_after_a_reset_while_idle_nothing_can_have_run() -> None:
    gone = threading.Event()

    def script(wire: Wire) -> None:
        wire.welcome()
        wire.reset()
        gone.set()

    with Peer(script) as peer, connect(peer.url) as connection:
        assert gone.wait(PATIENCE)
        with pytest.raises(ConnectionClosedError, match="INCR was not sent: .*reset") as caught:
            connection.execute("INCR", "n")
    assert caught.value.outcome is Outcome.NOT_SENT


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"$-5\r\n", "expected"),
        (b"*2x\r\n", "expected"),
        (b"hello\r\n", "expected"),
        (b"+one\r\n+two\r\n", "no command asked for"),
        (b">2\r\n$9\r\nsubscribe\r\n:1\r\n", "subscribe"),
        (b"*1\r\n" * 5000, "inside each other"),
    ],
    ids=["negative length", "not a count", "not RESP", "one too many", "unasked confirmation", "too deep"],
)
def test_a_peer_that_breaks_the_protocol_is_left_at_once_and_nobody_gets_what_it_said(said: bytes, told: str) -> None:
    heard: list[bytes] = []

    def script(wire: Wire) -> None:
        wire.welcome()
        wire.command()
        wire.send(said)
        heard.append(wire.drain())

    with Peer(script) as peer, connect(peer.url) as connection:
        if said.startswith(b"+one"):
            assert connection.execute("GET", "a") == "one"  # what came before the breach is an answer
        else:
            with pytest.raises(RemoteProtocolError, match=told) as caught:
                connection.execute("GET", "a")
            assert caught.value.outcome is Outcome.MAYBE_EXECUTED
        with pytest.raises(ConnectionClosedError, match=told):
            connection.execute("GET", "b")
    assert heard == [b""]


def test_a_surplus_reply_is_never_handed_to_the_next_caller() -> None:
    """It may come while nobody is there to see it."""
    sent = threading.Event()

    def script(wire: Wire) -> None:
        wire.welcome()
        wire.command()
        wire.send(b"$4\r\nmine\r\n")
        time.sleep(0.05)
        wire.send(b"$6\r\nstray1\r\n")
        sent.set()
        wire.command()
        wire.send(b"$6\r\nreally\r\n")
        wire.drain()

    with Peer(script) as peer, connect(peer.url) as connection:
        assert connection.execute("GET", "a") == b"mine"
        assert sent.wait(PATIENCE)
        with pytest.raises(ConnectionClosedError, match="no command asked for"):
            connection.execute("GET", "b")


# -- Only slow ----------------------------------------------------------------------------------------------------------------


def test_a_peer_that_speaks_byte_by_byte(server: Server) -> None:
    faults = Faults(split=1)
    with Proxy(server.port, up=faults, down=faults) as proxy, connect(f"{proxy.url}/1") as connection:
        connection.execute("SET", "k", b"\r\n" * 20)
        assert connection.execute("GET", "k") == b"\r\n" * 20
        assert connection.execute("HGETALL", "none") == {}
        with connection.transaction() as both:
            first, second = both.execute("INCR", "n"), both.execute("INCR", "n")
        assert (first.result(), second.result()) == (1, 2)


def test_a_server_that_pauses_and_goes_on(server: Server) -> None:
    with connect(server.url) as connection:
        connection.execute("SET", "k", "v")
        connection.execute("CLIENT", "PAUSE", 1500, "ALL")
        with pytest.raises(CommandTimeoutError) as caught:
            connection.execute("GET", "k", timeout=0.05)
        assert caught.value.outcome is Outcome.MAYBE_EXECUTED
        assert str(caught.value).startswith(f"GET: 127.0.0.1:{server.port} did not answer in time; ")
        assert connection.execute("ECHO", "its own reply") == b"its own reply"


def test_a_server_that_stops_and_goes_on(start_server: Callable[..., Server]) -> None:
    server = start_server()
    with connect(server.url) as connection:
        with server.paused():
            for index in range(5):
                with pytest.raises(CommandTimeoutError):
                    connection.execute("ECHO", index, timeout=0.02)
            with pytest.raises(CommandTimeoutError), connection.pipeline(timeout=0.02) as pipe:
                results = [pipe.execute("INCR", "n") for _ in range(3)]
            for result in results:
                with pytest.raises(CommandTimeoutError, match="INCR"):
                    result.result()
        assert connection.execute("ECHO", "mine") == b"mine"
        assert connection.execute("GET", "n") == b"3"


def test_a_timeout_of_zero_sends_and_does_not_wait(server: Server) -> None:
    with connect(server.url) as connection:
        with pytest.raises(CommandTimeoutError):
            connection.execute("SET", "k", "v", timeout=0)
        assert connection.execute("GET", "k") == b"v"


@pytest.mark.parametrize("timeout", [1e7, 1e12, 1e300, float("inf")])
def test_any_positive_timeout_will_do(server: Server, timeout: float) -> None:
    with connect(server.url) as connection:
        assert connection.execute("DEBUG", "SLEEP", 0.01, timeout=timeout) == "OK"
        assert connection.execute("BLPOP", "none", 0.01, timeout=timeout) is None
        server.call("RPUSH", "queue", "item")
        assert connection.execute("BLPOP", "queue", 0, timeout=timeout) == [b"queue", b"item"]


def test_large_values_both_ways_at_once_by_two_threads(server: Server) -> None:
    with connect(server.url, timeout=PATIENCE) as connection:
        assert connection.execute("SET", "there", LARGE) == "OK"

        def get() -> None:
            assert connection.execute("GET", "there") == LARGE

        def put() -> None:
            assert connection.execute("SET", "here", LARGE) == "OK"

        together(get, put, get, put)
        assert connection.execute("STRLEN", "here") == len(LARGE)


def test_large_values_both_ways_at_once_in_a_pipeline(server: Server) -> None:
    with connect(server.unix_url, timeout=PATIENCE) as connection:
        connection.execute("SET", "there", LARGE)

        def exchange() -> None:
            with connection.pipeline() as pipe:
                came = [pipe.execute("GET", "there"), pipe.execute("SET", "here", LARGE), pipe.execute("GET", "here")]
            assert [len(str(result.result())) > 0 for result in came[1:2]] == [True]
            assert came[0].result() == came[2].result() == LARGE

        together(exchange)


def test_a_peer_that_sends_and_waits_to_be_read_while_it_is_written_to() -> None:
    """It reads nothing until its own reply has been taken: a client that only writes would wait for ever."""
    size = 32 * MIB

    def script(wire: Wire) -> None:
        wire.welcome()
        wire.command()
        wire.send(b"$%d\r\n" % size)
        for _ in range(32):
            wire.send(b"x" * MIB)
        wire.send(b"\r\n")
        assert len(wire.command()[2]) == size
        wire.send(b"+OK\r\n")
        wire.drain()

    with Peer(script) as peer, connect(peer.url, timeout=PATIENCE) as connection:
        with connection.pipeline() as pipe:
            got, put = pipe.execute("GET", "k"), pipe.execute("SET", "k", b"y" * size)
        assert got.result() == b"x" * size
        assert put.result() == "OK"


# -- A peer that stops reading ------------------------------------------------------------------------------------------------


def deaf(release: threading.Event, heard: list[list[bytes]]) -> Callable[[Wire], None]:
    """After the handshake it reads nothing until `release`; then it answers every command with its number of words."""

    def script(wire: Wire) -> None:
        wire.welcome()
        assert release.wait(PATIENCE)
        for words in wire.commands():
            heard.append(words)
            wire.send(b"$%d\r\n%s\r\n" % (len(words[1]), words[1]))

    return script


def test_the_timeout_holds_and_the_next_writer_finishes_the_half_written_command() -> None:
    release, heard = threading.Event(), list[list[bytes]]()
    with Peer(deaf(release, heard)) as peer, connect(peer.url) as connection:
        with pytest.raises(CommandTimeoutError) as caught:
            connection.execute("SET", "half", LARGE, timeout=0.1)
        assert caught.value.outcome is Outcome.MAYBE_EXECUTED  # the rest of it will still be sent
        with pytest.raises(CommandTimeoutError) as caught:
            connection.execute("SET", "never", "x", timeout=0.05)
        assert caught.value.outcome is Outcome.NOT_SENT
        release.set()
        assert connection.execute("GET", "mine", timeout=PATIENCE) == b"mine"
    assert [words[:2] for words in heard] == [[b"SET", b"half"], [b"GET", b"mine"]]
    assert heard[0][2] == LARGE


def test_while_the_writer_is_stuck_others_wait_their_turn_or_their_time() -> None:
    release, heard = threading.Event(), list[list[bytes]]()
    with Peer(deaf(release, heard)) as peer, connect(peer.url) as connection:
        hasty = Semaphore(0)

        def put() -> None:
            with pytest.raises(CommandTimeoutError):
                connection.execute("SET", "half", LARGE, timeout=0.3)
            hasty.release()

        def impatient(index: int) -> None:
            eventually(lambda: connection.stats().sent == 1)
            with pytest.raises(CommandTimeoutError):
                connection.execute("GET", f"impatient {index}", timeout=0.05)
            hasty.release()

        def patient(index: int) -> None:
            eventually(lambda: connection.stats().sent == 1)
            assert connection.execute("GET", f"patient {index}", timeout=None) == f"patient {index}".encode()

        def later() -> None:
            for _ in range(5):
                assert hasty.acquire(timeout=PATIENCE)
            release.set()

        together(put, later, *(partial(work, index) for work in (impatient, patient) for index in range(4)))
    assert not any(words[1].startswith(b"impatient") for words in heard)


def test_the_timeout_holds_of_one_that_waits_to_write_while_another_reads() -> None:
    """The reader began to wait before the other came, and knows nothing of its deadline."""
    reads, release = threading.Event(), threading.Event()

    def script(wire: Wire) -> None:
        wire.welcome()
        assert wire.command() == [b"GET", b"k"]
        reads.set()
        assert release.wait(PATIENCE)

    with Peer(script, receive_buffer=4096) as peer, connect(peer.url, timeout=None) as connection:

        def wait() -> None:
            with pytest.raises(ConnectionLostError):
                connection.execute("GET", "k")

        def put() -> None:
            assert reads.wait(PATIENCE)
            begun, used = time.monotonic(), time.thread_time()
            try:
                with pytest.raises(CommandTimeoutError):
                    connection.execute("SET", "half", b"x" * 7 * MIB, timeout=0.5)
                assert time.monotonic() - begun < 5
                assert time.thread_time() - used < 0.45, "it asked again and again"
            finally:
                release.set()

        together(wait, put)


def test_a_reader_takes_over_writing_when_the_writer_gives_up() -> None:
    """One waits for a reply, another is stuck writing, a third is queued behind it; then the first two go, one by one."""
    said, release, gone = threading.Event(), threading.Event(), threading.Event()

    def script(wire: Wire) -> None:
        wire.welcome()
        assert wire.command() == [b"BLPOP", b"first", b"0"]
        assert said.wait(PATIENCE)
        wire.send(b"_\r\n")
        assert release.wait(PATIENCE)
        for words in wire.commands():
            wire.send(b"$%d\r\n%s\r\n" % (len(words[1]), words[1]))

    with Peer(script, receive_buffer=4096) as peer, connect(peer.url) as connection:

        def first() -> None:
            assert connection.execute("BLPOP", "first", 0) is None

        def second() -> None:
            eventually(lambda: connection.stats().sent == 1)
            with pytest.raises(CommandTimeoutError):
                connection.execute("SET", "second", b"x" * 7 * MIB, timeout=0.4)
            gone.set()

        def third() -> None:
            eventually(lambda: connection.stats().sent == 2)
            assert connection.execute("GET", "third", timeout=None) == b"third"

        def direct() -> None:
            eventually(lambda: connection.stats().queued == 1 or gone.is_set())
            said.set()  # the first goes, and the third reads for all
            assert gone.wait(PATIENCE)
            release.set()  # the second has gone, and its half-written command is in the way of the third's

        together(first, second, third, direct)


def test_what_is_too_large_to_fly_beside_others_waits_and_can_be_withdrawn(server: Server) -> None:
    with connect(server.url) as connection:

        def block() -> None:
            assert connection.execute("BLPOP", "queue", 0) == [b"queue", b"item"]

        def put() -> None:
            eventually(lambda: b"cmd=blpop" in clients(server))
            with pytest.raises(CommandTimeoutError) as caught:
                connection.execute("SET", "large", LARGE, timeout=0.1)
            assert caught.value.outcome is Outcome.NOT_SENT
            server.call("RPUSH", "queue", "item")

        def put_later() -> None:
            eventually(lambda: b"cmd=blpop" in clients(server))
            assert connection.execute("SET", "later", LARGE, timeout=PATIENCE) == "OK"

        together(block, put, put_later)
        assert connection.execute("EXISTS", "large", "later") == 1


@pytest.mark.needs("tls")
def test_over_tls_what_was_not_encrypted_is_not_sent(server: Server) -> None:
    assert server.certificates is not None
    with (
        Proxy(server.tls_port) as proxy,
        connect(f"rediss://localhost:{proxy.port}", tls_ca_file=str(server.certificates.ca)) as connection,
    ):
        proxy.arm(up=Faults(after=0, then="stall"))
        with pytest.raises(CommandTimeoutError) as caught:
            connection.execute("SET", "half", LARGE, timeout=0.1)
        assert caught.value.outcome is Outcome.MAYBE_EXECUTED
        with pytest.raises(CommandTimeoutError) as caught:
            connection.execute("INCR", "n", timeout=0.05)
        assert caught.value.outcome is Outcome.NOT_SENT
        proxy.arm()
        assert connection.execute("GET", "n", timeout=PATIENCE) is None
        assert connection.execute("STRLEN", "half") == len(LARGE)


# -- Outcomes -----------------------------------------------------------------------------------------------------------------


def test_a_pipeline_that_is_cut_tells_each_command_its_own_outcome(server: Server) -> None:
    """The server runs 100 INCRs; after 10 replies the line is cut."""
    with Proxy(server.port) as proxy, connect(proxy.url) as connection:
        connection.execute("SET", "n", 100)  # from here on each reply has six bytes
        proxy.arm(down=Faults(after=60))  # a reset could overtake what was not read yet
        with pytest.raises(ConnectionLostError), connection.pipeline() as pipe:
            results = [pipe.execute("INCR", "n") for _ in range(100)]
        assert [result.result() for result in results[:10]] == list(range(101, 111))
        for result in results[10:]:
            with pytest.raises(ConnectionLostError, match="INCR") as caught:
                result.result()
            assert caught.value.outcome is Outcome.MAYBE_EXECUTED
    assert server.call("GET", "n") == b"200"
    assert calls(server, "incr") >= 100


def test_outcomes_by_position_where_the_end_was_not_even_sent() -> None:
    """Two replies came, two large commands were sent and not answered, and the line fills up in the middle of the last one."""

    def script(wire: Wire) -> None:
        wire.welcome()
        for _ in range(4):
            wire.command()
        wire.send(b":1\r\n:2\r\n")
        time.sleep(0.3)  # a reset could overtake what was not read yet
        wire.reset()

    with Peer(script) as peer, connect(peer.url) as connection:
        pipe = connection.pipeline(timeout=PATIENCE)
        results = [pipe.execute("INCR", "n"), pipe.execute("INCR", "n")]
        results += [pipe.execute("SET", "k", b"x" * 40_000), pipe.execute("SET", "k", b"x" * 40_000)]
        results += [pipe.execute("SET", "huge", LARGE), pipe.execute("INCR", "never")]

        with pytest.raises(ConnectionLostError) as lost_all:
            pipe.run()
        outcomes = []
        for result in results:
            try:
                result.result()
            except ConnectionLostError as error:
                outcomes.append(error.outcome)
            else:
                outcomes.append(Outcome.REPLY)
    assert outcomes == [Outcome.REPLY] * 2 + [Outcome.MAYBE_EXECUTED] * 2 + [Outcome.NOT_SENT] * 2
    assert lost_all.value.outcome is Outcome.MAYBE_EXECUTED


def test_a_transaction_that_is_cut_before_exec_has_left_cannot_have_run() -> None:
    def script(wire: Wire) -> None:
        wire.welcome()
        wire.command()
        wire.command()
        wire.send(b"+OK\r\n+QUEUED\r\n")
        time.sleep(0.1)
        wire.reset()

    with Peer(script) as peer, connect(peer.url) as connection:
        with pytest.raises(ConnectionLostError) as caught, connection.transaction() as both:
            results = [both.execute("INCR", "n"), both.execute("SET", "k", LARGE)]
        assert caught.value.outcome is Outcome.NOT_SENT
        for result in results:
            with pytest.raises(ConnectionLostError) as caught:
                result.result()
            assert caught.value.outcome is Outcome.NOT_SENT


def test_a_transaction_that_is_cut_after_exec_may_have_run() -> None:
    def script(wire: Wire) -> None:
        wire.welcome()
        for _ in range(3):
            wire.command()
        wire.send(b"+OK\r\n+QUEUED\r\n")

    with Peer(script) as peer, connect(peer.url) as connection:
        with pytest.raises(ConnectionLostError) as caught, connection.transaction() as one:
            result = one.execute("INCR", "n")
        assert caught.value.outcome is Outcome.MAYBE_EXECUTED
        with pytest.raises(ConnectionLostError):
            result.result()


# -- Silence ------------------------------------------------------------------------------------------------------------------


def test_a_connection_that_owes_a_reply_and_is_silent_counts_as_lost() -> None:
    def script(wire: Wire) -> None:
        wire.welcome()
        wire.drain()

    with Peer(script) as peer, connect(peer.url, silence_timeout=0.2, timeout=None) as connection:

        def wait() -> None:
            with pytest.raises(ConnectionLostError, match="silent"):
                connection.execute("GET", "k")

        together(wait, wait)


def test_silence_begins_when_there_is_something_to_be_silent_about(server: Server) -> None:
    with connect(server.url, silence_timeout=0.8, timeout=None) as connection:
        assert connection.execute("DEBUG", "SLEEP", 0.01) == "OK"
        time.sleep(1)
        assert connection.execute("BLPOP", "none", 1) is None
        time.sleep(1)
        assert connection.execute("PING") == "PONG"


def test_a_command_that_blocks_may_be_silent(server: Server) -> None:
    with connect(server.url, silence_timeout=0.8, timeout=None) as connection:

        def push() -> None:
            eventually(lambda: b"cmd=blpop" in clients(server))
            time.sleep(1)
            server.call("RPUSH", "queue", "item")

        together(push, lambda: connection.execute("BLPOP", "queue", 0))
        assert connection.execute("PING") == "PONG"


def test_who_waits_for_pushes_keeps_the_connection_alive(server: Server) -> None:
    with connect(server.url, ping_interval=0.05) as connection:
        before = calls(server, "ping")
        while calls(server, "ping") <= before + 1:  # most often once is enough
            with pytest.raises(CommandTimeoutError):
                connection.next_push(timeout=0.5)


# -- Memory -------------------------------------------------------------------------------------------------------------------


def test_large_values_are_not_copied_more_than_they_must_be(server: Server) -> None:
    """A process whose address space has room for three copies of 64 MiB beside the interpreter, but not for six."""
    printed = run_program(
        """
        import resource, sys
        from resp_sync import connect
        size = 64 * 1024 * 1024
        with connect(sys.argv[1], timeout=60.0) as connection:
            value = bytes(size)
            with open("/proc/self/statm") as pages:
                used = int(pages.read().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + 3 * size, used + 3 * size))
            assert connection.execute("SET", "k", value) == "OK"
            assert connection.execute("GET", "k") == value
            print("done")
        """,
        server.url,
    )
    assert printed == "done\n"


def test_the_sockets_options() -> None:
    """Nothing waits for Nagle's algorithm, and TCP itself asks after a peer that has been silent for long."""

    def script(wire: Wire) -> None:
        wire.welcome()
        wire.drain()

    with Peer(script) as peer, connect(peer.url, keepalive=77) as connection:
        opened = connection._link.io.socket
        assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert opened.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        if hasattr(socket, "TCP_KEEPIDLE"):
            assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 77
