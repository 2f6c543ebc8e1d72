"""Signals, greenlets and forks: what strikes in the middle of a call costs that call its reply, and nobody a wrong one.

Most of these run in an interpreter of their own: signals reach only a main thread, patches cannot be taken back, and a test run
is not to be forked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.peers import run_program

if TYPE_CHECKING:
    from servers import Server

# -- Signals ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["tcp", pytest.param("tls", marks=pytest.mark.needs("tls"))])
def test_a_storm_of_keyboard_interrupts(server: Server, scheme: str) -> None:
    """They strike anywhere, thousands of times, beside threads that are not interrupted: no wrong reply, no hang, no leak."""
    url, ca = (
        (server.url, "") if scheme == "tcp" else (server.tls_url, str(server.certificates and server.certificates.ca))
    )
    printed = run_program(
        """
        import os, random, signal, sys, threading, time
        from resp_sansio import ConnectionClosedError, ConnectionLostError
        from resp_sync import connect

        def strike(number, frame):
            while frame is not None:
                if frame.f_code.co_name in ("__del__", "_remove"):
                    return  # Python itself ignores what is raised there, and complains
                frame = frame.f_back
            raise KeyboardInterrupt

        def dial():
            signal.setitimer(signal.ITIMER_REAL, 0)
            return connect(sys.argv[1], timeout=20.0, **({"tls_ca_file": sys.argv[2]} if sys.argv[2] else {}))

        class Beside(threading.Thread):
            # Others on the same connection: they may lose it, and are never told anything wrong, nor left to wait.
            def __init__(self, name):
                super().__init__(daemon=True)
                self.own, self.calls, self.failure = name, 0, None

            def run(self):
                while not ended.is_set():
                    token = f"{self.own}:{self.calls}".encode()
                    try:
                        assert connection.execute("ECHO", token) == token
                        self.calls += 1
                    except (ConnectionLostError, ConnectionClosedError):
                        time.sleep(0.001)
                    except BaseException as failure:
                        self.failure = failure
                        return

        def once(number):
            global connection, answered, lost
            token = b"main:%d:" % number + b"x" * chance.choice([0, 0, 0, 1000, 100_000])
            try:
                # A busy machine needs more time for a call: about half of them are to be answered.
                within = 0.001 * max(1.0, struck / (answered + 1))
                signal.setitimer(signal.ITIMER_REAL, chance.random() * within + 1e-6)
                if number % 3:
                    assert connection.execute("ECHO", token) == token
                else:
                    with connection.pipeline() as pipe:
                        results = [pipe.execute("ECHO", token + b"%d" % part) for part in range(3)]
                    assert [result.result() for result in results] == [token + b"%d" % part for part in range(3)]
                answered += 1
            except (ConnectionLostError, ConnectionClosedError):
                signal.setitimer(signal.ITIMER_REAL, 0)
                lost += 1
                connection.close()
                connection = dial()
            signal.setitimer(signal.ITIMER_REAL, 0)

        ended = threading.Event()
        chance = random.Random(sys.argv[4])
        connection = dial()
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
                once(number)
            except KeyboardInterrupt:
                struck += 1
        signal.setitimer(signal.ITIMER_REAL, 0)
        ended.set()
        for thread in beside:
            thread.join(30)
            assert not thread.is_alive(), "a thread hangs"
            assert thread.failure is None, thread.failure
            assert thread.calls > 20
        connection.close()
        assert struck > 200, (struck, answered, lost)
        assert answered > 200, (struck, answered, lost)
        print("done")
        """,
        url,
        ca,
        2.5,  # seconds
        "any seed",
    )
    assert printed == "done\n"


def test_an_interrupt_while_waiting_leaves_the_connection_usable(server: Server) -> None:
    printed = run_program(
        """
        import signal, sys
        from resp_sync import connect

        def strike(number, frame):
            raise KeyboardInterrupt

        signal.signal(signal.SIGALRM, strike)
        with connect(sys.argv[1], timeout=None) as connection:
            for index in range(5):
                signal.setitimer(signal.ITIMER_REAL, 0.05)
                try:
                    connection.execute("DEBUG", "SLEEP", 0.15)
                except KeyboardInterrupt:
                    pass
                else:
                    raise AssertionError("not interrupted")
                assert connection.execute("ECHO", index) == str(index).encode()
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            try:
                connection.next_push()
            except KeyboardInterrupt:
                print(connection.execute("PING"))
        """,
        server.url,
    )
    assert printed == "PONG\n"


def test_an_interrupt_between_a_byte_and_the_knowledge_of_it_ends_the_connection(server: Server) -> None:
    """Here it strikes exactly there: nobody could say whose reply comes next."""
    printed = run_program(
        """
        import sys
        from resp_sansio import ConnectionClosedError
        from resp_sync import connect

        for place in ("send", "recv"):
            with connect(sys.argv[1]) as connection:
                move = getattr(connection._link.io, place)

                def moved_and_struck(data):
                    move(data)
                    raise KeyboardInterrupt

                setattr(connection._link.io, place, moved_and_struck)
                try:
                    connection.execute("INCR", place)
                except KeyboardInterrupt:
                    print("struck")
                setattr(connection._link.io, place, move)
                try:
                    print(connection.execute("GET", place))
                except ConnectionClosedError as error:
                    print("interrupted while bytes were moving" in str(error))
        """,
        server.url,
    )
    assert printed == "struck\nTrue\n" * 2


def test_who_sleeps_while_another_is_struck_is_told_at_once(server: Server) -> None:
    """One thread is interrupted as it reads for all: the others do not sleep on."""
    printed = run_program(
        """
        import sys, threading, time
        from resp_sansio import ConnectionLostError
        from resp_sync import connect

        told = []

        def follow(index):
            try:
                connection.execute("ECHO", index, timeout=None)
            except ConnectionLostError as error:
                told.append(error)

        with connect(sys.argv[1], timeout=None) as connection:
            core = connection._link.core

            before = type(core)

            class Struck(before):
                __slots__ = ()

                def receive_replies(self, data):
                    core.__class__ = before
                    core._flying.clear()  # as if it had struck between the machine's queues
                    raise KeyboardInterrupt

            threads = [threading.Thread(target=follow, args=(index,), daemon=True) for index in range(5)]

            def in_flight(count):
                while connection.stats().in_flight < count:
                    time.sleep(0.001)

            def start():
                in_flight(1)
                for thread in threads:
                    thread.start()
                in_flight(6)
                core.__class__ = Struck
                with connect(sys.argv[1]) as other:
                    other.execute("RPUSH", "jobs", "x")

            threading.Thread(target=start).start()
            try:
                connection.execute("BLPOP", "jobs", 0)
            except KeyboardInterrupt:
                pass
            for thread in threads:
                thread.join(20)
            print(len(told))
        """,
        server.url,
    )
    assert printed == "5\n"


@pytest.mark.parametrize(
    "command", ["connection.execute('BLPOP', 'none', 0, timeout=0.5)", "connection.next_push(timeout=0.5)"]
)
def test_signals_do_not_stretch_a_deadline(server: Server, command: str) -> None:
    printed = run_program(
        f"""
        import signal, sys, time
        from resp_sansio import CommandTimeoutError
        from resp_sync import connect

        rang = []
        signal.signal(signal.SIGALRM, lambda number, frame: rang.append(number))
        with connect(sys.argv[1]) as connection:
            signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
            start = time.monotonic()
            try:
                {command}
            except CommandTimeoutError:
                took = time.monotonic() - start
            signal.setitimer(signal.ITIMER_REAL, 0)
            print(took > 0.49, len(rang) >= 1)  # each would begin the time anew, and it would never be over
        """,
        server.url,
    )
    assert printed == "True True\n"


def test_signals_do_not_stretch_a_dial(server: Server) -> None:
    printed = run_program(
        """
        import signal, socket, sys, time
        from resp_sansio import ConnectError
        from resp_sync import connect

        signal.signal(signal.SIGALRM, lambda number, frame: None)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)  # each would begin the time anew, and it would never be over
            start = time.monotonic()
            try:
                connect("redis://127.0.0.1:%d" % silent.getsockname()[1], connect_timeout=0.5)
            except ConnectError as error:
                print(error.transient, time.monotonic() - start > 0.49)
            signal.setitimer(signal.ITIMER_REAL, 0)
        """,
    )
    assert printed == "True True\n"


def test_a_handler_that_uses_the_connection_it_interrupts_is_told_so(server: Server) -> None:
    """While its thread waits for the socket, and in the middle of moving bytes; elsewhere, and on another connection, it may."""
    printed = run_program(
        """
        import signal, sys, time
        from resp_sansio import LocalProtocolError
        from resp_sync import connect

        said = []

        def handle(number, frame):
            assert other.execute("ECHO", "other") == b"other"
            start = time.monotonic()
            for use in (lambda: connection.execute("INCR", "n"), lambda: connection.next_push(timeout=40)):
                try:
                    use()
                except LocalProtocolError as error:
                    said.append(("already inside a call" in str(error), time.monotonic() - start < 20))

        signal.signal(signal.SIGALRM, handle)
        with connect(sys.argv[1]) as connection, connect(sys.argv[1]) as other:
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            assert connection.execute("BLPOP", "none", 0.2) is None
            print(said)
            said.clear()
            for place in ("send", "recv"):
                move = getattr(connection._link.io, place)

                def moved(data):
                    moved_now = move(data)
                    signal.raise_signal(signal.SIGALRM)
                    return moved_now

                setattr(connection._link.io, place, moved)
                assert connection.execute("ECHO", place) == place.encode()
                setattr(connection._link.io, place, move)
            print(said)
            print(connection.execute("GET", "n"))
        """,
        server.url,
    )
    assert printed == f"{[(True, True)] * 2}\n{[(True, True)] * 4}\nNone\n"


def test_a_handler_may_use_the_connection_when_its_thread_does_not(server: Server) -> None:
    """Other threads do, and one of them reads for all."""
    printed = run_program(
        """
        import signal, sys, threading
        from resp_sync import connect

        said = []

        def handle(number, frame):
            said.append(connection.execute("INCR", "n"))
            signal.setitimer(signal.ITIMER_REAL, 0 if ended else 0.001)

        ended = False
        signal.signal(signal.SIGALRM, handle)

        def use():
            for index in range(300):
                token = f"{threading.get_ident()}:{index}".encode()
                assert connection.execute("ECHO", token) == token

        with connect(sys.argv[1]) as connection:
            threads = [threading.Thread(target=use) for _ in range(3)]
            signal.setitimer(signal.ITIMER_REAL, 0.001)
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            ended = True
            signal.setitimer(signal.ITIMER_REAL, 0)
            assert len(said) > 2
            assert sorted(said) == list(range(1, len(said) + 1))
            print("done")
        """,
        server.url,
    )
    assert printed == "done\n"


def test_a_finaliser_may_close_a_connection_and_must_not_use_one_that_is_in_use(server: Server) -> None:
    printed = run_program(
        """
        import gc, sys
        from resp_sansio import LocalProtocolError
        from resp_sync import connect

        class Held:
            def __init__(self):
                self.myself = self

            def __del__(self):
                try:
                    connection.execute("PING")
                except LocalProtocolError as error:
                    print("already inside a call" in str(error))

        with connect(sys.argv[1]) as connection:
            move = connection._link.io.recv

            def collect(size):
                gc.collect()
                return move(size)

            Held()
            connection._link.io.recv = collect
            assert connection.execute("ECHO", "x") == b"x"
        """,
        server.url,
    )
    assert printed == "True\n"


# -- Greenlets --------------------------------------------------------------------------------------------------------------


def test_many_greenlets_on_one_connection(server: Server) -> None:
    printed = run_program(
        """
        import warnings
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from gevent import monkey
            monkey.patch_all()
        import random, sys, time
        import gevent
        from resp_sansio import CommandTimeoutError
        from resp_sync import connect

        def ask(name):
            for index in range(50):
                token = f"{name}:{index}".encode()
                assert connection.execute("ECHO", token) == token

        def hasty(name):
            chance = random.Random(name)
            for index in range(50):
                token = f"{name}:{index}".encode()
                try:
                    assert connection.execute("ECHO", token, timeout=chance.random() * 0.002) == token
                except CommandTimeoutError:
                    pass
                try:
                    with gevent.Timeout(chance.random() * 0.002 + 1e-6):
                        assert connection.execute("ECHO", token) == token
                except gevent.Timeout:
                    pass

        ticks = []

        def tick():
            while True:
                ticks.append(time.monotonic())
                gevent.sleep(0.01)

        with connect(sys.argv[1]) as connection:
            greenlets = [gevent.spawn(ask, name) for name in range(100)]
            greenlets += [gevent.spawn(hasty, name) for name in range(100, 120)]
            gevent.joinall(greenlets, timeout=50, raise_error=True)
            assert all(greenlet.successful() for greenlet in greenlets)
            beside = gevent.spawn(tick)
            start = time.monotonic()
            try:
                connection.execute("BLPOP", "none", 0, timeout=0.3)
            except CommandTimeoutError:
                assert time.monotonic() - start > 0.29
            assert len(ticks) > 1, "it blocked the other greenlets"
            beside.kill()
        with connect(sys.argv[1]) as connection:
            waiting = [gevent.spawn(connection.execute, "DEBUG", "SLEEP", 0.2)]
            waiting += [gevent.spawn(connection.execute, "BLPOP", "none", 0) for _ in range(4)]
            gevent.sleep(0.05)
            waiting[0].kill()  # the one that reads
            gevent.sleep(0.05)
            with connect(sys.argv[1]) as other:
                for _ in range(4):
                    other.execute("RPUSH", "none", "x")
            gevent.joinall(waiting, timeout=20)
            print([greenlet.value for greenlet in waiting[1:]] == [[b"none", b"x"]] * 4)
        """,
        server.url,
    )
    assert printed == "True\n"


# -- Forks ------------------------------------------------------------------------------------------------------------------


def test_a_fork_leaves_the_connection_to_the_parent(server: Server) -> None:
    """In mid-call of another thread, too; the child's end disturbs nobody, and it can dial for itself."""
    printed = run_program(
        """
        import os, sys, threading, traceback, warnings
        warnings.filterwarnings("ignore", message=".*fork.*", category=DeprecationWarning)
        from resp_sansio import ConnectionClosedError
        from resp_sync import connect

        def child(connection):
            failed = 1
            try:
                for use in (
                    lambda: connection.execute("INCR", "child"),
                    lambda: connection.transaction().run(),
                    connection.next_push,
                ):
                    try:
                        use()
                    except Exception as error:
                        assert "opened before a fork" in str(error), error
                try:
                    connection.execute("INCR", "child")
                except ConnectionClosedError:
                    pass
                with connect(sys.argv[1]) as own:
                    assert own.execute("INCR", "forks") > 0
                connection.close()
                failed = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                os._exit(failed)

        def use(name):
            for index in range(400):
                token = f"{name}:{index}".encode()
                assert connection.execute("ECHO", token) == token
            finished.append(name)

        finished = []
        closed = connect(sys.argv[1])
        closed.close()
        with connect(sys.argv[1]) as connection:
            threads = [threading.Thread(target=use, args=(name,)) for name in range(4)]
            for thread in threads:
                thread.start()
            for _ in range(10):
                process = os.fork()
                if process == 0:
                    child(connection)
                assert os.waitpid(process, 0)[1] == 0
                token = os.urandom(8)
                assert connection.execute("ECHO", token) == token
            for thread in threads:
                thread.join()
            assert sorted(finished) == [0, 1, 2, 3]
            print(connection.execute("MGET", "forks", "child"))
        """,
        server.url,
    )
    assert printed == "[b'10', None]\n"


def test_a_fork_in_mid_call_of_the_forking_thread_itself(server: Server) -> None:
    printed = run_program(
        """
        import os, signal, sys, warnings
        warnings.filterwarnings("ignore", message=".*fork.*", category=DeprecationWarning)
        from resp_sansio import ConnectionLostError
        from resp_sync import connect

        children = []

        def fork(number, frame):
            children.append(os.fork())

        signal.signal(signal.SIGALRM, fork)
        with connect(sys.argv[1]) as connection:
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            try:
                reply = connection.execute("BLPOP", "none", 0.3)
                assert children != [0]
            except ConnectionLostError as error:
                os._exit(0 if children == [0] and "opened before a fork" in str(error) else 1)
            print(reply, os.waitpid(children[0], 0)[1], connection.execute("PING"))

            move = connection._link.io.send

            def moved(data):
                count = move(data)
                os.kill(os.getpid(), signal.SIGALRM)
                return count

            children.clear()
            connection._link.io.send = moved
            try:
                reply = connection.execute("ECHO", "x")
                assert children != [0]
            except ConnectionLostError as error:
                os._exit(0 if children == [0] and "opened before a fork" in str(error) else 1)
            connection._link.io.send = move
            print(reply, os.waitpid(children[0], 0)[1], connection.execute("PING"))
        """,
        server.url,
    )
    assert printed == "None 0 PONG\nb'x' 0 PONG\n"


def test_a_fork_inside_a_thread_and_multiprocessing(server: Server) -> None:
    printed = run_program(
        """
        import multiprocessing, os, sys, threading, warnings
        warnings.filterwarnings("ignore", message=".*fork.*", category=DeprecationWarning)
        from resp_sansio import ConnectionClosedError
        from resp_sync import connect

        def work(index):
            try:
                connection.execute("INCR", "n")
            except ConnectionClosedError as error:
                assert "opened before a fork" in str(error)
                with connect(sys.argv[1]) as own:
                    return own.execute("INCR", "n")

        def in_thread():
            with multiprocessing.get_context("fork").Pool(2) as pool:
                results.extend(pool.map(work, range(6)))
                pool.close()
                pool.join()

        results = []
        with connect(sys.argv[1]) as connection:
            thread = threading.Thread(target=in_thread)
            thread.start()
            for index in range(200):
                assert connection.execute("ECHO", index) == str(index).encode()
            thread.join()
            print(sorted(results), connection.execute("PING"))
        """,
        server.url,
    )
    assert printed == "[1, 2, 3, 4, 5, 6] PONG\n"


@pytest.mark.needs("tls")
def test_a_fork_under_tls_says_nothing_to_the_server(server: Server) -> None:
    assert server.certificates is not None
    printed = run_program(
        """
        import os, sys, warnings
        warnings.filterwarnings("ignore", message=".*fork.*", category=DeprecationWarning)
        from resp_sync import connect

        with connect(sys.argv[1], tls_ca_file=sys.argv[2]) as connection:
            process = os.fork()
            if process == 0:
                connection.close()
                del connection
                sys.exit(0)  # with all that the interpreter does at its end
            print(os.waitpid(process, 0)[1], connection.execute("PING"))
        """,
        server.tls_url,
        server.certificates.ca,
    )
    assert printed == "0 PONG\n"


@pytest.mark.parametrize("strategy", ["Client", "Pool", "connect"])
def test_what_is_given_up_takes_no_element_though_a_child_of_a_fork_lives(server: Server, strategy: str) -> None:
    """The child holds the socket, so its closing alone would tell the server nothing."""
    printed = run_program(
        """
        import os, signal, sys, threading, time, warnings
        import resp_sync

        warnings.filterwarnings("ignore", message=".*fork.*", category=DeprecationWarning)

        def wait():
            try:
                asked.execute("BLPOP", "jobs", 0, timeout=0.5)
            except resp_sync.CommandTimeoutError:
                pass

        with getattr(resp_sync, sys.argv[2])(sys.argv[1]) as asked, resp_sync.connect(sys.argv[1]) as other:
            thread = threading.Thread(target=wait)
            thread.start()
            while not b"cmd=blpop" in other.execute("CLIENT", "LIST"):
                time.sleep(0.01)
            child = os.fork()
            if child == 0:
                signal.pause()
            thread.join()
            other.execute("RPUSH", "jobs", "precious")
            print(other.execute("LRANGE", "jobs", 0, -1))
            os.kill(child, signal.SIGKILL)
        """,
        server.url,
        strategy,
    )
    assert printed == "[b'precious']\n"


@pytest.mark.parametrize("strategy", ["Client", "Pool"])
def test_what_was_being_opened_at_a_fork_ends_with_the_parent(strategy: str) -> None:
    """A TLS handshake that is given up: the server sees the end of it, whatever the child does; the child holds none of it."""
    printed = run_program(
        """
        import os, signal, socket, sys, threading, time, warnings
        import resp_sync

        warnings.filterwarnings("ignore", message=".*fork.*", category=DeprecationWarning)

        def accept():
            connected, _ = listener.accept()
            with connected:
                while data := connected.recv(65536):
                    seen.append(data)

        def ask():
            try:
                asked.execute("PING", timeout=0.5)
            except resp_sync.CommandTimeoutError:
                pass

        def sockets():
            opened = os.listdir("/proc/self/fd")[:-1]
            return sum(os.readlink(f"/proc/self/fd/{name}").startswith("socket:") for name in opened)

        seen = []
        none = sockets()
        listener = socket.create_server(("127.0.0.1", 0))
        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        url = f"rediss://127.0.0.1:{listener.getsockname()[1]}"
        with getattr(resp_sync, sys.argv[1])(url, retry=resp_sync.Retry(attempts=1)) as asked:
            asking = threading.Thread(target=ask)
            asking.start()
            while not seen:
                time.sleep(0.01)
            child = os.fork()
            if child == 0:
                print(sockets() - none, flush=True)  # the listener, and the accepted one
                signal.pause()
            asking.join()
        accepting.join(20)
        print("it goes on" if accepting.is_alive() else "it ended")
        os.kill(child, signal.SIGKILL)
        listener.close()
        """,
        strategy,
    )
    assert sorted(printed.splitlines()) == ["2", "it ended"]


def test_the_child_of_a_fork_holds_no_descriptor_of_its_parents(server: Server) -> None:
    printed = run_program(
        """
        import os, sys
        import resp_sync

        def sockets():
            opened = os.listdir("/proc/self/fd")[:-1]
            return sum(os.readlink(f"/proc/self/fd/{name}").startswith("socket:") for name in opened)

        none = sockets()
        with resp_sync.Client(sys.argv[1]) as client, resp_sync.connect(sys.argv[1]) as connection:
            client.execute("PING")
            client.execute("BLPOP", "none", 0.01)
            assert sockets() == none + 3
            child = os.fork()
            if child == 0:
                print(sockets() - none, flush=True)
                os._exit(0)
            os.waitpid(child, 0)
            print(client.execute("PING"), connection.execute("PING"))
        """,
        server.url,
    )
    assert printed == "0\nPONG PONG\n"
