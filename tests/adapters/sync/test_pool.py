"""A pool of threads: what strikes or forks them, wherever they are, costs no place and delays nobody else for long.

What every pool does is said in the contract; here is what only threads have. Signals and forks are met in an interpreter of
their own.
"""

from __future__ import annotations

import gc
import random
import sys
import threading
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from adapters.peers import PATIENCE, Peer, Wire, eventually, run_program, statistic, together
from resp_sansio import CloseReason, ConnectionLostError, RespError
from resp_sync import Client, CommandTimeoutError, Connection, LocalProtocolError, Outcome, Pool

if TYPE_CHECKING:
    from servers import Server


def late(wire: Wire) -> None:
    """It takes its time over the handshake, as a server that loads its data might."""
    time.sleep(0.6)
    wire.welcome()
    while wire.command():
        wire.send(b"+PONG\r\n")


def closed(pool: Pool) -> dict[CloseReason, int]:
    return {reason: count for reason, count in pool.stats().closed.items() if count}


# -- Threads ----------------------------------------------------------------------------------------------------------------


def test_a_storm_of_threads_with_random_timeouts(server: Server) -> None:
    """Everyone gets their own reply or their own error; nothing is left, and there were never more connections than may be."""

    def use(pool: Pool, name: int) -> None:
        chance = random.Random(name)
        for index in range(30):
            token = f"{name}:{index}".encode()
            timeout = chance.choice([0.001, 0.01, PATIENCE])
            try:
                if index % 3:
                    assert pool.execute("ECHO", token, timeout=timeout) == token
                else:
                    with pool.acquire(timeout=timeout) as connection:
                        assert connection.execute("ECHO", token) == token
                        assert pool.stats().size <= 4
            except CommandTimeoutError:
                assert timeout < 1

    before = statistic(server, "connected_clients")
    with Pool(server.url, max_size=4, timeout=PATIENCE) as pool:
        together(*(partial(use, pool, name) for name in range(24)))
        stats = pool.stats()
        assert (stats.leased, stats.waiting, stats.dialling) == (0, 0, 0)
        assert stats.most_size <= 4
        assert stats.created == stats.size + sum(stats.closed.values())
    eventually(lambda: statistic(server, "connected_clients") == before)


def test_a_deadline_that_cuts_a_dial_short_is_no_failure_of_the_server() -> None:
    with Peer(late) as peer, Pool(peer.url, max_size=1, breaker_failures=1) as pool:
        with pytest.raises(CommandTimeoutError, match="became free in time") as raised:
            pool.execute("PING", timeout=0.05)
        assert raised.value.outcome is Outcome.NOT_SENT
        assert pool.stats().dial_failures == 0
        assert pool.execute("PING", timeout=PATIENCE) == "PONG"


def test_it_is_warmed_on_entering_and_as_callers_pass(server: Server) -> None:
    with Pool(server.url, min_size=3, max_size=5) as pool:
        assert pool.stats().idle == 3
        pool.retire()
        assert pool.stats().idle == 0

        def one_more() -> bool:
            pool.execute("PING")
            return pool.stats().idle >= 3

        eventually(one_more)


def test_a_link_that_is_open_is_its_callers(server: Server) -> None:
    """A thread that waits for the next one does not wait for its socket."""
    with Pool(server.url, max_size=3) as pool:
        for _ in range(3):
            pool.acquire().__enter__()
            driver: Any = pool._driver
            assert not driver.crew.common


def test_one_thread_closes_it_while_others_wait_dial_and_use_it(server: Server) -> None:
    pool = Pool(server.url, max_size=2, timeout=PATIENCE)
    ended: list[Any] = []

    def use() -> None:
        try:
            while True:
                pool.execute("BLPOP", "nothing", 0)
        except Exception as error:  # noqa: BLE001  # compared below
            ended.append(error)

    def close() -> None:
        eventually(lambda: pool.stats().leased == 2 and pool.stats().waiting == 4)
        pool.close()

    together(*[use] * 6, close)
    assert [type(error) for error in ended] == [ConnectionLostError] * 6
    assert [error.outcome for error in ended].count(Outcome.MAYBE_EXECUTED) == 2
    assert closed(pool) == {CloseReason.CLOSED: 2}


# -- Interrupts -------------------------------------------------------------------------------------------------------------

STORM = """
    import random, signal, sys, threading, time, traceback, warnings
    from resp_sansio import RespError
    from resp_sync import Client, Pool

    def strike(number, frame):
        while frame is not None:
            if frame.f_code.co_name in ("__del__", "_remove"):
                return  # Python itself ignores what is raised there, and complains
            frame = frame.f_back
        raise KeyboardInterrupt

    class Beside(threading.Thread):
        # Others on the same connections: they may lose them, and are never told anything wrong, nor left to wait.
        def __init__(self, name):
            super().__init__(daemon=True)
            self.own, self.calls, self.failure = name, 0, None

        def run(self):
            while not ended.is_set():
                token = f"{self.own}:{self.calls}".encode()
                try:
                    assert target.execute("ECHO", token, timeout=20.0) == token
                except RespError as error:
                    if "in time" in str(error):
                        self.failure = traceback.format_exc()
                        return
                except BaseException:
                    self.failure = traceback.format_exc()
                    return
                self.calls += 1

    def once(number):
        token = b"main:%d:" % number + b"x" * chance.choice([0, 0, 0, 1000])
        # A busy machine needs more time for a call: about half of them are to be answered.
        within = 0.001 * max(1.0, struck / (answered + 1))
        signal.setitimer(signal.ITIMER_REAL, chance.random() * within + 1e-6)
        match number % 3:
            case 0:
                assert target.execute("ECHO", token, timeout=20.0) == token
            case 1:
                with target.acquire(timeout=20.0) as connection:
                    assert connection.execute("ECHO", token, timeout=20.0) == token
            case 2:
                with target.pipeline(timeout=20.0) as pipe:
                    results = [pipe.execute("ECHO", token + b"%d" % part) for part in range(3)]
                assert [result.result() for result in results] == [token + b"%d" % part for part in range(3)]

    # What was just made, and nobody has got hold of when a dial is struck, Python itself closes. (Others would miss in the counts.)
    warnings.filterwarnings("ignore", "unclosed <socket|<Connection to .* was not closed", ResourceWarning)
    ended = threading.Event()
    chance = random.Random(sys.argv[4])
    target = Pool(sys.argv[1], max_size=2) if sys.argv[2] == "pool" else Client(sys.argv[1], max_connections=3)
    beside = [Beside(name) for name in range(2)]
    for thread in beside:
        thread.start()
    signal.signal(signal.SIGALRM, strike)
    struck = answered = lost = number = 0

    def goes_on():
        enough = min(struck, answered) > 200 and all(thread.calls > 20 or thread.failure for thread in beside)
        return time.monotonic() - begun < (float(sys.argv[3]) if enough else 40)

    begun = time.monotonic()
    while goes_on():
        number += 1
        try:
            try:
                once(number)
                answered += 1
            except RespError:
                lost += 1
            signal.setitimer(signal.ITIMER_REAL, 0)
        except KeyboardInterrupt:
            struck += 1
    signal.setitimer(signal.ITIMER_REAL, 0)
    ended.set()
    for thread in beside:
        thread.join(30)
        assert not thread.is_alive(), "a thread hangs"
        assert thread.failure is None, thread.failure
        assert thread.calls > 20
    assert struck > 200, (struck, answered, lost)
    assert answered > 200, (struck, answered, lost)
    # All places are there, at once.
    with target.acquire(timeout=20.0) as one, target.acquire(timeout=20.0) as two:
        assert one.execute("PING") == two.execute("PING") == "PONG"
    stats = target.stats() if sys.argv[2] == "pool" else target.stats().leases
    assert (stats.leased, stats.waiting, stats.dialling) == (0, 0, 0), stats
    assert stats.created == stats.size + sum(stats.closed.values()), stats
    target.close()
    print("done")
"""


@pytest.mark.parametrize("target", ["pool", "client"])
def test_a_storm_of_keyboard_interrupts(server: Server, target: str) -> None:
    """They strike anywhere, thousands of times, beside threads that are not interrupted: no wrong reply, no hang, no place lost."""
    assert run_program(STORM, server.url, target, 3.0, "any seed") == "done\n"


def test_an_interrupt_while_waiting_for_a_connection_passes_the_turn_on(server: Server) -> None:
    printed = run_program(
        """
        import signal, sys, threading, time
        from resp_sync import Pool

        def strike(number, frame):
            raise KeyboardInterrupt

        def use():
            told.append(pool.execute("PING", timeout=30.0))

        told = []
        signal.signal(signal.SIGALRM, strike)
        with Pool(sys.argv[1], max_size=1) as pool:
            with pool.acquire():
                thread = threading.Timer(0.05, use)
                thread.start()
                signal.setitimer(signal.ITIMER_REAL, 0.1)
                try:
                    pool.execute("PING", timeout=30.0)
                except KeyboardInterrupt:
                    print(pool.stats().waiting, pool.stats().withdrawn)
            thread.join(30)
            print(told, pool.stats().created)
        """,
        server.url,
    )
    assert printed == "1 1\n['PONG'] 1\n"


def test_an_interrupt_while_dialling_passes_the_turn_on() -> None:
    with Peer(late) as peer:
        printed = run_program(
            """
            import signal, sys, threading
            from resp_sync import Pool

            def strike(number, frame):
                raise KeyboardInterrupt

            def use():
                told.append(pool.execute("PING", timeout=30.0))

            told = []
            signal.signal(signal.SIGALRM, strike)
            with Pool(sys.argv[1], max_size=1, connect_timeout=30.0) as pool:
                thread = threading.Timer(0.1, use)
                thread.start()
                signal.setitimer(signal.ITIMER_REAL, 0.3)
                try:
                    pool.execute("PING", timeout=30.0)
                except KeyboardInterrupt:
                    thread.join(30)
                stats = pool.stats()
                print(told, stats.dial_failures, stats.withdrawn, stats.dialling)
            """,
            peer.url,
        )
    assert printed == "['PONG'] 0 1 0\n"


def test_what_an_interrupt_kept_from_being_given_back_is_taken_back(server: Server) -> None:
    """It struck on the way out of the block, so nobody holds the loan any more; a waiter gets the place."""
    with Pool(server.url, max_size=1, timeout=PATIENCE) as pool:
        loan = pool.acquire()
        loan.__enter__()
        del loan
        gc.collect()
        assert pool.execute("PING") == "PONG"
        assert closed(pool) == {CloseReason.INTERRUPTED: 1}


@pytest.mark.parametrize("method", ["lend", "acquire", "release", "opened", "advance", "close"])
def test_an_interrupt_within_the_machine_costs_no_place(server: Server, method: str) -> None:
    """It is put in order at once: the next caller need not wait for anybody to pass by."""
    with Pool(server.url, max_size=1, min_size=1, timeout=PATIENCE) as pool:
        machine: Any = pool._driver.machine.pool

        class Struck(type(machine)):  # type: ignore[misc]
            __slots__ = ()

        def strike(self: Any, *args: Any, **options: Any) -> None:
            machine.__class__ = before
            getattr(self, method)(*args, **options)
            raise KeyboardInterrupt

        setattr(Struck, method, strike)
        if method in ("acquire", "opened", "advance"):  # else a connection is idle, and lent at once
            pool.retire()
            time.sleep(0.15)
        machine.__class__, before = Struck, type(machine)
        with pytest.raises(KeyboardInterrupt):
            pool.close() if method == "close" else pool.execute("PING")
        if method == "close":
            assert pool.closed
        else:
            assert pool.execute("PING") == "PONG"
            assert pool.stats().size == 1


def test_a_pool_that_is_used_beneath_itself_says_so(server: Server) -> None:
    """As by the handler of a signal that strikes while its thread holds the lock: it would wait for itself."""
    with Pool(server.url, max_size=1) as pool:
        machine: Any = pool._driver.machine.pool

        class Struck(type(machine)):  # type: ignore[misc]
            __slots__ = ()

            def acquire(self, *args: Any, **options: Any) -> Any:
                for use in (partial(pool.execute, "PING"), pool.retire, pool.close):
                    with pytest.raises(LocalProtocolError, match="already inside a call on this pool"):
                        use()
                return super().acquire(*args, **options)

        machine.__class__, before = Struck, type(machine)
        assert pool.execute("PING") == "PONG"
        machine.__class__ = before
        assert pool.execute("PING") == "PONG"


# -- Forks, greenlets -------------------------------------------------------------------------------------------------------


def test_a_child_of_a_fork_begins_with_an_empty_pool(server: Server) -> None:
    """It forks in the middle of a block, while other threads use the pool; each process goes on by its own connections."""
    printed = run_program(
        """
        import os, sys, threading, warnings
        from resp_sansio import ConnectionClosedError
        from resp_sync import Pool

        # Python warns of forks beside threads, which is what this is about.
        warnings.filterwarnings("ignore", message=".*fork.*", category=DeprecationWarning)

        def use():
            while not ended.is_set():
                assert pool.execute("ECHO", "parent") == b"parent"

        ended = threading.Event()
        with Pool(sys.argv[1], max_size=4) as pool:
            threads = [threading.Thread(target=use) for _ in range(2)]
            for thread in threads:
                thread.start()
            for _ in range(10):
                with pool.acquire() as connection:
                    mine = connection.execute("CLIENT", "ID")
                    child = os.fork()
                    if child == 0:
                        try:
                            connection.execute("PING")
                        except ConnectionClosedError as error:
                            assert "before a fork" in str(error)
                    else:
                        assert connection.execute("CLIENT", "ID") == mine
                if child == 0:
                    assert (pool.stats().size, pool.stats().created) == (0, 0)
                    assert pool.execute("CLIENT", "ID") > mine
                    assert pool.stats().size == 1
                    pool.close()
                    os._exit(0)
                assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            ended.set()
            for thread in threads:
                thread.join(30)
            print(pool.stats().leased, pool.stats().created <= 4)
        """,
        server.url,
    )
    assert printed == "0 True\n"


def test_greenlets_share_a_pool(server: Server) -> None:
    printed = run_program(
        """
        from gevent import monkey
        monkey.patch_all()
        import sys
        import gevent
        from resp_sync import Client, CommandTimeoutError, Pool

        def use(index):
            assert pool.execute("ECHO", index) == str(index).encode()
            with pool.acquire() as connection:
                assert connection.execute("BLPOP", "nothing", 0.02) is None

        with Pool(sys.argv[1], max_size=3) as pool:
            jobs = [gevent.spawn(use, index) for index in range(20)]
            gevent.joinall(jobs, raise_error=True, timeout=30)
            print(all(job.successful() for job in jobs), pool.stats().most_size, pool.stats().leased)
            with pool.acquire(), pool.acquire(), pool.acquire():
                try:
                    pool.execute("PING", timeout=0.05)
                except CommandTimeoutError:
                    print("late")
        """,
        server.url,
    )
    assert printed == "True 3 0\nlate\n"


def test_a_thread_that_keeps_a_loan_never_reaches_the_next_borrower(server: Server) -> None:
    """The block ends at any moment of a call: either the call is known of, and the connection not lent again, or it is refused."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    in_time = 0
    try:
        with Pool(server.url, max_size=1) as pool:
            for index in range(500):
                lent: list[Connection] = []
                entered = threading.Event()

                def change(lent: list[Connection] = lent, entered: threading.Event = entered) -> None:
                    nonlocal in_time
                    entered.wait()
                    while not lent[0].closed:
                        with suppress(RespError):
                            lent[0].execute("CLIENT", "SETNAME", "stale")
                            in_time += 1

                thread = threading.Thread(target=change)
                thread.start()
                with pool.acquire() as connection:
                    lent.append(connection)
                    entered.set()
                    time.sleep(index % 10 * 5e-5)
                with pool.acquire() as connection:
                    assert connection.execute("CLIENT", "GETNAME") in (None, b"")
                thread.join()
    finally:
        sys.setswitchinterval(before)
    assert in_time > 0


@pytest.mark.parametrize("kind", ["connect", "Pool", "Client"])
def test_a_patch_that_comes_after_the_import_is_told(server: Server, kind: str) -> None:
    """gevent's: greenlets would wait for locks that know nothing of greenlets."""
    printed = run_program(
        """
        import sys
        import resp_sync
        early = [resp_sync.Pool(sys.argv[1]), resp_sync.Client(sys.argv[1])]
        from gevent import monkey
        monkey.patch_all()
        for use in [lambda: getattr(resp_sync, sys.argv[2])(sys.argv[1]), *[lambda it=it: it.execute("PING") for it in early]]:
            try:
                use()
            except RuntimeError as error:
                print(error)
        """,
        server.url,
        kind,
    )
    assert printed.count("patch first, then import\n") == 3


def test_a_loan_is_entered_once(server: Server) -> None:
    with Pool(server.url) as pool:
        loan = pool.acquire()
        with loan as connection:
            assert isinstance(connection, Connection)
            with pytest.raises(LocalProtocolError, match="entered before"):
                loan.__enter__()
        assert pool.stats().leased == 0


@pytest.mark.parametrize("kind", [Pool, Client])
def test_a_report_of_a_leak_ends_where_the_borrower_stands(server: Server, kind: type[Pool | Client]) -> None:
    warned = pytest.warns(ResourceWarning, match="is out for long")
    with kind(server.url, leak_after=0.02) as lender, lender.acquire(), warned:
        while not warned.list:
            time.sleep(0.01)
            lender.execute("PING")  # threads look at the time when they pass
    *_, place, line = str(warned.list[0].message).rstrip().splitlines()
    assert __file__ in place
    assert "lender.acquire()" in line
