"""Many threads on one connection: each gets its own reply or its own error, in time, whoever reads and writes for whom."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from functools import partial
from math import inf
from typing import TYPE_CHECKING

import pytest

from adapters.peers import PATIENCE, Faults, Peer, Proxy, Wire, calls, eventually, statistic, together
from resp_sansio import CommandTimeoutError, ConnectError, ConnectionClosedError, ConnectionLostError, Outcome, Push
from resp_sansio.client import SLEEP, Party
from resp_sync import Client, Connection, connect
from resp_sync._driver import Driver

if TYPE_CHECKING:
    from resp_sansio.client import Job
    from servers import Server


def ask(connection: Connection, name: int, times: int) -> None:
    """Calls that nobody else makes, of several kinds: a wrong reply cannot be right by chance."""
    for index in range(times):
        token = f"{name}:{index}".encode()
        match index % 4:
            case 0:
                assert connection.execute("ECHO", token) == token
            case 1:
                with connection.pipeline() as pipe:
                    results = [pipe.execute("ECHO", token + b":%d" % part) for part in range(3)]
                assert [result.result() for result in results] == [token + b":%d" % part for part in range(3)]
            case 2:
                with connection.transaction() as both:
                    put, got = both.execute("SET", f"k{name}", token), both.execute("GET", f"k{name}")
                assert (put.result(), got.result()) == ("OK", token)
            case 3:
                large = token * 5000
                assert connection.execute("ECHO", large) == large


def test_many_threads_and_everyone_gets_their_own(server: Server) -> None:
    with connect(server.url) as connection:
        together(*(partial(ask, connection, name, 80) for name in range(16)))


def test_many_threads_where_the_network_cuts_at_random_places(server: Server) -> None:
    with (
        Proxy(server.port, up=Faults(split=1013), down=Faults(split=509)) as proxy,
        connect(proxy.url, timeout=PATIENCE) as connection,
    ):
        together(*(partial(ask, connection, name, 12) for name in range(8)))


@pytest.mark.parametrize("slow", [False, True])
def test_timeouts_at_random_cost_the_others_nothing(server: Server, slow: bool) -> None:
    """Some threads give up at random moments; nobody sees another's reply, and what did not run was not sent."""
    ran, unknown = [0], [0]
    count = threading.Lock()

    def hasty(connection: Connection, name: int) -> None:
        chance = random.Random(name)
        for index in range(150):
            token = f"{name}:{index}".encode()
            try:
                assert connection.execute("ECHO", token, timeout=chance.random() * 0.002) == token
                connection.execute("INCR", "n", timeout=chance.random() * 0.002)
                with count:
                    ran[0] += 1
            except CommandTimeoutError as error:
                if "INCR" in str(error) and error.outcome is Outcome.MAYBE_EXECUTED:
                    with count:
                        unknown[0] += 1

    faults = Faults(split=200, pause=0.0005) if slow else Faults()
    with Proxy(server.port, down=faults) as proxy, connect(proxy.url, timeout=PATIENCE) as connection:
        together(
            *(partial(hasty, connection, name) for name in range(6)),
            *(partial(ask, connection, name, 10) for name in range(6, 9)),
        )
        executed = connection.execute("INCRBY", "n", 0)
        assert isinstance(executed, int)
        assert ran[0] <= executed <= ran[0] + unknown[0]


def test_nobody_gets_anothers_reply_whatever_the_network_does(server: Server) -> None:
    """Cuts, stalls, resets and timeouts at random; whoever loses the connection opens the next one for all."""
    ended = threading.Event()
    dialling = threading.Lock()

    def redial(lost: Connection) -> None:
        with dialling:
            if current[0] is not lost:
                return
            lost.close()
            while current[0] is lost:
                time.sleep(0.005)
                with contextlib.suppress(ConnectError):
                    current[0] = connect(proxy.url, timeout=PATIENCE, connect_timeout=2.0)

    def work(name: int) -> None:
        chance = random.Random(name)
        number = 0
        while not ended.is_set():
            number += 1
            connection, token = current[0], b"%d:%d:" % (name, number) + b"x" * chance.choice([0, 0, 0, 3000, 100_000])
            timeout = chance.choice([None, 0, 0.001, 0.01, 0.1, PATIENCE])
            try:
                if chance.random() < 0.6:
                    assert connection.execute("ECHO", token, timeout=timeout) == token
                else:
                    batch = connection.pipeline if chance.random() < 0.5 else connection.transaction
                    with batch(timeout=timeout) as pipe:
                        results = [pipe.execute("ECHO", token + b"%d" % part) for part in range(4)]
                    assert [result.result() for result in results] == [token + b"%d" % part for part in range(4)]
            except CommandTimeoutError:
                pass
            except (ConnectionLostError, ConnectionClosedError):
                redial(connection)

    def disturb() -> None:
        chance = random.Random(server.port)

        def faults() -> Faults:
            after = chance.choice([None, chance.randrange(200_000)])
            return Faults(
                split=chance.choice([1000, 65536]), after=after, then=chance.choice(["close", "reset", "stall"])
            )

        for _ in range(12):
            proxy.arm(up=faults(), down=faults())
            time.sleep(0.12)
            proxy.arm()
            time.sleep(0.08)
        ended.set()

    with Proxy(server.port) as proxy:
        current = [connect(proxy.url, timeout=PATIENCE)]
        together(disturb, *(partial(work, name) for name in range(8)))
        current[0].close()


def test_fifty_timed_out_calls_leave_one_connection_and_no_further_handshake(server: Server) -> None:
    with connect(server.url) as connection:
        connections, hellos = statistic(server, "total_connections_received"), calls(server, "hello")
        for index in range(50):
            with pytest.raises(CommandTimeoutError):
                connection.execute("ECHO", index, timeout=0)
        assert connection.execute("ECHO", "the next one") == b"the next one"
        together(*(partial(time_out, connection, index) for index in range(50)))
        assert connection.execute("ECHO", "and this") == b"and this"
        mine = connection.execute("CLIENT", "ID")
        assert isinstance(mine, int)
        listed = server.call("CLIENT", "LIST")
        assert isinstance(listed, bytes)
        assert b"id=%d " % mine in listed
        # Of the test's own askers, each is a connection of its own.
        assert statistic(server, "total_connections_received") == connections + 3
        assert calls(server, "hello") == hellos


def time_out(connection: Connection, index: int) -> None:
    with contextlib.suppress(CommandTimeoutError):  # unless another thread has read its reply already
        assert connection.execute("ECHO", index, timeout=0) == b"%d" % index


def test_a_command_that_blocks_holds_up_those_behind_it_and_its_own_time_is_added(server: Server) -> None:
    with connect(server.url, timeout=0.5) as connection:
        order: list[str] = []

        def block() -> None:
            assert connection.execute("BLPOP", "queue", 0) == [b"queue", b"item"]
            order.append("BLPOP")

        def behind() -> None:
            eventually(lambda: blocked(server) == 1)
            assert connection.execute("ECHO", "x", timeout=PATIENCE) == b"x"
            order.append("ECHO")

        def push() -> None:
            eventually(lambda: blocked(server) == 1)
            time.sleep(0.7)  # longer than the connection's own timeout
            server.call("RPUSH", "queue", "item")

        together(block, behind, push)
        assert sorted(order) == ["BLPOP", "ECHO"]
        start = time.monotonic()
        assert connection.execute("BLPOP", "none", 0.8) is None  # the same, with a timeout of its own
        assert time.monotonic() - start > 0.6


def blocked(server: Server) -> int:
    return statistic(server, "blocked_clients")


def test_a_follower_leaves_at_its_deadline_while_another_reads(server: Server) -> None:
    with connect(server.url) as connection:

        def read() -> None:
            assert connection.execute("BLPOP", "queue", 0) == [b"queue", b"item"]

        def follow(index: int) -> None:
            eventually(lambda: blocked(server) == 1)
            start = time.monotonic()
            with pytest.raises(CommandTimeoutError) as caught:
                connection.execute("ECHO", index, timeout=0.1)
            assert 0.09 < time.monotonic() - start < 10
            assert caught.value.outcome is Outcome.MAYBE_EXECUTED

        def end() -> None:
            eventually(lambda: blocked(server) == 1)
            time.sleep(0.3)
            server.call("RPUSH", "queue", "item")

        together(read, end, *(partial(follow, index) for index in range(5)))
        assert connection.execute("ECHO", "in order") == b"in order"


def test_the_reader_leaves_and_another_takes_over() -> None:
    """The first has its reply at once, the second's deadline passes while it reads, the third waits on."""

    def script(wire: Wire) -> None:
        wire.welcome()
        names = [wire.command()[1] for _ in range(4)]
        assert sorted(names) == [b"a", b"b", b"c", b"d"]
        for name in names:
            time.sleep(0.15)
            wire.send(b"$1\r\n%s\r\n" % name)
        wire.drain()

    def get(key: str) -> None:
        assert connection.execute("GET", key, timeout=None) == key.encode()

    def give_up(key: str) -> None:
        with pytest.raises(CommandTimeoutError):
            connection.execute("GET", key, timeout=0.2)

    with Peer(script) as peer, connect(peer.url) as connection:
        together(partial(get, "a"), partial(give_up, "b"), partial(get, "c"), partial(get, "d"))


def test_the_role_is_passed_on_at_once() -> None:
    """A sleeper that nobody woke would look for itself only now and then: here a dozen times, one after the other."""

    def script(wire: Wire) -> None:
        wire.welcome()
        for words in wire.commands():
            for name in (words[1], wire.command()[1]):
                time.sleep(0.01)
                wire.send(b"$%d\r\n%s\r\n" % (len(name), name))

    def get(key: int) -> None:
        assert connection.execute("GET", key, timeout=PATIENCE) == b"%d" % key

    with Peer(script) as peer, connect(peer.url) as connection:
        start = time.monotonic()
        for key in range(0, 24, 2):
            together(partial(get, key), partial(get, key + 1))
        assert time.monotonic() - start < 2  # a sixth of a second, if nothing else runs


def test_close_ends_the_calls_of_all_threads(server: Server) -> None:
    connection = connect(server.url)
    listening = threading.Event()

    def wait(key: str) -> None:
        with pytest.raises((ConnectionLostError, ConnectionClosedError), match="the connection was closed"):
            connection.execute("BLPOP", key, 0)

    def listen() -> None:
        listening.set()
        with pytest.raises(ConnectionLostError, match="next_push: the connection was closed"):
            connection.next_push(timeout=None)

    def close() -> None:
        assert listening.wait(PATIENCE)
        eventually(lambda: blocked(server) == 1)
        time.sleep(0.05)
        connection.close()
        connection.close()

    together(close, listen, *(partial(wait, key) for key in "abcd"))
    with pytest.raises(ConnectionClosedError, match="PING was not sent: .* the connection was closed"):
        connection.execute("PING")
    with pytest.raises(ConnectionClosedError, match="next_push: .* the connection was closed"):
        connection.next_push(timeout=0)


def test_connections_closed_by_others_while_used_leave_no_descriptor_behind(server: Server) -> None:
    """Whoever closes, the socket is only given up when nobody waits for it: its number may be used anew at once."""

    def use(connection: Connection) -> None:
        try:
            while True:
                assert connection.execute("ECHO", "x") == b"x"
        except (ConnectionLostError, ConnectionClosedError):
            pass

    def close(connection: Connection) -> None:
        time.sleep(0.005)
        connection.close()

    for _ in range(10):
        connection = connect(server.url)
        together(*[partial(use, connection)] * 4, partial(close, connection))
        assert connection._link.io.socket.fileno() == -1


def test_threads_that_come_and_go(server: Server) -> None:
    """One call for each thread: no role may be left with one that is gone."""
    with connect(server.url) as connection:

        def once(index: int) -> None:
            assert connection.execute("ECHO", index) == str(index).encode()

        for _ in range(5):
            together(*(partial(once, index) for index in range(40)))


def test_listeners_and_callers_share_a_connection(server: Server) -> None:
    with connect(server.url) as connection:
        connection.execute("SUBSCRIBE", "news")
        heard: list[Push] = []

        def listen() -> None:
            heard.extend(connection.next_push(timeout=PATIENCE) for _ in range(50))

        def publish() -> None:
            for index in range(100):
                server.call("PUBLISH", "news", index)

        together(listen, listen, publish, *(partial(ask, connection, name, 40) for name in range(4)))
    assert sorted(int(bytes(push.items[1])) for push in heard) == list(range(100))  # type: ignore[arg-type]


def test_a_listener_alone_leaves_reading_to_the_next(server: Server) -> None:
    with connect(server.url) as connection:
        connection.execute("SUBSCRIBE", "news")

        def impatient() -> None:
            with pytest.raises(CommandTimeoutError, match="next_push: nothing came in time"):
                connection.next_push(timeout=0.1)

        def patient() -> None:
            time.sleep(0.05)
            assert connection.next_push(timeout=None) == Push("message", (b"news", b"late"))

        def publish() -> None:
            time.sleep(0.3)
            server.call("PUBLISH", "news", "late")

        together(impatient, patient, publish)


def test_each_thread_its_commands_in_order(server: Server) -> None:
    with connect(server.url) as connection:

        def count(name: int) -> None:
            for index in range(200):
                connection.execute("RPUSH", f"list:{name}", index)

        together(*(partial(count, name) for name in range(6)))
        for name in range(6):
            assert connection.execute("LRANGE", f"list:{name}", 0, -1) == [b"%d" % index for index in range(200)]


def test_a_call_that_is_woken_in_vain_a_hundred_times_waits_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each nap is longer than the one before, and still a time that the system can wait for."""
    naps: list[float] = []

    def sleep(_driver: Driver, _caller: Party, nap: float) -> bool:
        naps.append(nap)
        return True

    def turn(_driver: Driver, _caller: Party, _job: Job, _ready: bool) -> Job | None:
        return SLEEP if len(naps) < 100 else None

    monkeypatch.setattr(Driver, "_sleep", sleep)
    monkeypatch.setattr(Driver, "_turn", turn)
    with Client("redis://localhost") as client:
        driver = client._driver
        assert isinstance(driver, Driver)
        driver._work(Party(inf), SLEEP)
    assert len(naps) == 100
    assert naps[0] < naps[1]
    assert max(naps) <= threading.TIMEOUT_MAX
