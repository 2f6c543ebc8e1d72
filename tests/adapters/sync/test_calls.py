"""Wrong calls: each says what was attempted and what to do instead, nothing is sent, and the connection goes on.

And what must never show (secrets), what must not be left behind (descriptors, warnings), and what objects say of themselves.
"""

from __future__ import annotations

import copy
import gc
import math
import os
import pickle
import traceback
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from adapters.peers import Peer, Wire, statistic
from resp_sansio import (
    Command,
    CommandTimeoutError,
    ConnectError,
    ConnectionClosedError,
    LocalProtocolError,
    Outcome,
    ReplyError,
    RespError,
)
from resp_sync import Client, Connection, connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from servers import Server

# -- Wrong arguments ----------------------------------------------------------------------------------------------------------


class Wrong(NamedTuple):
    """A call that must be refused, how, and what the error must speak of."""

    args: tuple[Any, ...]
    error: type[Exception]
    told: str
    options: dict[str, Any] = {}  # noqa: RUF012 (never changed)


WRONG = {
    "nothing": Wrong((), ValueError, "needs a name"),
    "empty name": Wrong(("",), ValueError, "needs a name"),
    "spaces": Wrong(("  ",), ValueError, "needs a name"),
    "a number as name": Wrong((1, "k"), TypeError, "name must be"),
    "a list as name": Wrong((["GET", "k"],), TypeError, "name must be"),
    "None as name": Wrong((None,), TypeError, "name must be"),
    "None": Wrong(("SET", "k", None), TypeError, "SET.*NoneType"),
    "a bool": Wrong(("SET", "k", True), TypeError, "SET.*bool"),
    "a list": Wrong(("LPUSH", "k", ["a", "b"]), TypeError, "LPUSH.*list"),
    "a dict": Wrong(("HSET", "k", {"a": 1}), TypeError, "HSET.*dict"),
    "a tuple": Wrong(("DEL", ("a", "b")), TypeError, "DEL.*tuple"),
    "an object": Wrong(("SET", "k", object()), TypeError, "SET.*object"),
    "a complex number": Wrong(("SET", "k", 1j), TypeError, "SET.*complex"),
    "text that has no UTF-8": Wrong(("SET", "k", "\ud800"), TypeError, "argument 2 of 'SET'"),
    "a Command and more": Wrong((Command("GET", "k"), "more"), TypeError, "nothing beside it"),
    "a timeout as text": Wrong(
        ("GET", "k"), TypeError, "timeout must be a number of seconds or None", {"timeout": "5"}
    ),
    "a timeout as bool": Wrong(("GET", "k"), TypeError, "timeout must be", {"timeout": True}),
    "a negative timeout": Wrong(("GET", "k"), ValueError, "timeout must not be negative", {"timeout": -1}),
    "a timeout that is no number": Wrong(("GET", "k"), ValueError, "timeout must", {"timeout": float("nan")}),
    "an unknown encoding": Wrong(
        ("GET", "k"), ValueError, "decode must be .* 'no-such-encoding'", {"decode": "no-such-encoding"}
    ),
    "an encoding that is no text encoding": Wrong(
        ("GET", "k"), ValueError, "decode must be .* 'hex'", {"decode": "hex"}
    ),
    "an encoding of a wrong type": Wrong(("GET", "k"), TypeError, "decode must be", {"decode": 5}),
    "no encoding at all": Wrong(("GET", "k"), TypeError, "decode must be", {"decode": None}),
    "an unknown option": Wrong(("GET", "k"), TypeError, "timeuot", {"timeuot": 5}),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_wrong_call_is_refused_and_nothing_is_sent(server: Server, wrong: Wrong) -> None:
    with connect(server.url) as connection:
        before = statistic(server, "total_commands_processed")
        with pytest.raises(wrong.error, match=wrong.told):
            connection.execute(*wrong.args, **wrong.options)
        assert statistic(server, "total_commands_processed") == before + 1  # the question before
        assert connection.execute("PING") == "PONG"


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("kind", ["pipeline", "transaction"])
def test_a_wrong_call_in_a_pipeline_is_refused_at_once_and_nothing_is_sent(
    server: Server, wrong: Wrong, kind: str
) -> None:
    with connect(server.url) as connection:
        before = statistic(server, "total_commands_processed")

        def run() -> None:
            with getattr(connection, kind)(**wrong.options) as pipe:
                pipe.execute("INCR", "n")
                pipe.execute(*wrong.args)
                pipe.execute("INCR", "n")

        with pytest.raises(wrong.error, match=wrong.told):
            run()
        assert statistic(server, "total_commands_processed") == before + 1
        assert connection.execute("GET", "n") is None


def test_the_position_of_a_wrong_argument_is_told(server: Server) -> None:
    with connect(server.url) as connection, pytest.raises(TypeError, match="argument 4 of 'MSET' must be"):
        connection.execute("MSET", "a", 1, "b", None)  # type: ignore[call-overload]


def test_what_the_server_refuses_is_an_error_with_its_code(server: Server) -> None:
    with connect(server.url) as connection:
        connection.execute("SET", "k", "v")
        refused: list[tuple[tuple[Any, ...], str]] = [
            (("LPUSH", "k", "x"), "WRONGTYPE"),
            (("NO-SUCH-COMMAND",), "ERR"),
            (("GET",), "ERR"),
            (("EVALSHA", "0" * 40, 0), "NOSCRIPT"),
        ]
        for args, code in refused:
            with pytest.raises(ReplyError) as caught:
                connection.execute(*args)
            assert caught.value.code == code
            assert caught.value.outcome is Outcome.REPLY
            assert str(caught.value).startswith(code + " ")
        assert connection.execute("GET", "k") == b"v"


# -- Wrong states -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("CLIENT", "REPLY", "OFF"), "CLIENT REPLY is refused"),
        (("client reply", "skip"), "CLIENT REPLY is refused"),
        (("SYNC",), "SYNC is refused"),
        (("PSYNC", "?", -1), "PSYNC is refused"),
        (("MULTI",), r"MULTI without EXEC.*use transaction\(\)"),
        (("EXEC",), r"EXEC without MULTI.*use transaction\(\)"),
        (("DISCARD",), r"DISCARD without MULTI.*use transaction\(\)"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
def test_commands_that_would_make_replies_lie(server: Server, args: tuple[Any, ...], told: str) -> None:
    with connect(server.url) as connection:
        before = statistic(server, "total_commands_processed")
        with pytest.raises(LocalProtocolError, match=told) as caught:
            connection.execute(*args)
        assert caught.value.outcome is Outcome.NOT_SENT
        pipe = connection.pipeline()
        pipe.execute("INCR", "n")
        pipe.execute(*args)
        with pytest.raises(LocalProtocolError, match=told):
            pipe.run()
        assert statistic(server, "total_commands_processed") == before + 1
        assert connection.execute("GET", "n") is None


@pytest.mark.parametrize(
    "line",
    [
        "WATCH k",
        "MULTI",
        "SUBSCRIBE c",
        "UNSUBSCRIBE",
        "MONITOR",
        "HELLO 2",
        "RESET",
        "QUIT",
        "AUTH x",
        "SELECT 1",
        "CLIENT TRACKING ON",
        "CLIENT REPLY OFF",
    ],
)
def test_what_may_not_stand_in_a_transaction(server: Server, line: str) -> None:
    with connect(server.url) as connection:
        before = statistic(server, "total_commands_processed")
        both = connection.transaction()
        both.execute("INCR", "n")
        both.execute(*line.split())
        with pytest.raises(LocalProtocolError, match=line.split(maxsplit=1)[0]):
            both.run()
        assert statistic(server, "total_commands_processed") == before + 1
        assert connection.execute("GET", "n") is None


def test_a_closed_connection_says_so_whatever_is_tried(server: Server) -> None:
    connection = connect(server.url)
    pipe = connection.pipeline()
    pipe.execute("INCR", "n")
    connection.close()
    connection.close()
    tries: list[tuple[Callable[[], object], str]] = [
        (lambda: connection.execute("INCR", "n"), "INCR was not sent"),
        (pipe.run, "INCR was not sent"),
        (lambda: connection.transact(lambda both: both.execute("INCR", "n"), "n"), "WATCH was not sent"),
    ]
    for attempt, told in tries:
        with pytest.raises(ConnectionClosedError, match=f"{told}: .*127.0.0.1:{server.port}.* was closed") as caught:
            attempt()
        assert caught.value.outcome is Outcome.NOT_SENT
    with pytest.raises(ConnectionClosedError, match="next_push: .* was closed"):
        connection.next_push()
    assert "LOST" in repr(connection)
    assert server.call("GET", "n") is None


def test_after_quit_the_connection_ends_in_order(server: Server) -> None:
    connection = connect(server.url)
    with connection.pipeline() as pipe:
        first, last = pipe.execute("INCR", "n"), pipe.execute("QUIT")
    assert (first.result(), last.result()) == (1, "OK")
    with pytest.raises(ConnectionClosedError, match="INCR was not sent"):
        connection.execute("INCR", "n")
    connection.close()
    assert server.call("GET", "n") == b"1"


def test_a_result_before_the_pipeline_ran_and_a_pipeline_after_it(server: Server) -> None:
    with connect(server.url) as connection:
        pipe = connection.pipeline()
        result = pipe.execute("INCR", "n")
        with pytest.raises(LocalProtocolError, match=r"has not been run.*run\(\)"):
            result.result()
        assert pipe.run() == [1]
        assert result.result() == 1
        for again in (lambda: pipe.execute("INCR", "n"), pipe.run):
            with pytest.raises(LocalProtocolError, match="was run already; begin another"):
                again()
        assert connection.pipeline().run() == []
        assert connection.execute("GET", "n") == b"1"


# -- Wrong options ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "options", "told"),
    [
        ("redis://localhost", {"timeuot": 1}, "did you mean 'timeout'"),
        ("redis://localhost", {"socket_timeout": 1}, "did you mean 'timeout'"),
        ("redis://localhost", {"decode_responses": True}, "did you mean 'decode'"),
        ("redis://localhost?timeuot=1", {}, "did you mean 'timeout'"),
        ("redis://localhost", {"timeout": "1"}, "timeout must be"),
        ("redis://localhost", {"db": -1}, "db must be"),
        ("redis://localhost/one", {}, "db in a URL must be"),
        ("redis://localhost:port", {}, "port in a URL must be"),
        ("redis://localhost:6379:6380", {}, "host:port"),
        ("localhost:6379", {}, "redis://"),
        ("reddis://localhost", {}, "redis"),
        ("http://localhost", {}, "unknown URL scheme 'http'"),
        ("unix://relative/path", {}, "absolute path"),
        ("redis://localhost", {"tls": True}, "rediss://"),
        ("redis://localhost", {"tls_ca_file": "/ca.pem"}, "without tls"),
        ("rediss://localhost", {"ssl_context": object()}, "SSLContext"),
        ("redis://localhost", {"protocol": 4}, "protocol must be 3 or 2"),
        ("redis://localhost", {"client_name": "two words"}, "client_name"),
        (b"redis://localhost", {}, "a URL must be str"),
        ("redis://local host", {}, "must not contain spaces"),
    ],
)
def test_a_wrong_url_or_option_is_told_before_anything_is_dialled(url: Any, options: dict[str, Any], told: str) -> None:
    with pytest.raises((TypeError, ValueError), match=told):
        connect(url, **options)


# -- Secrets ----------------------------------------------------------------------------------------------------------------


def everything(error: BaseException) -> str:
    """All that a log could show of an error, its causes and contexts."""
    shown = "".join(traceback.format_exception(error))
    while error is not None:
        shown += f"{error!s}{error!r}{error.args!r}"
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return shown


SECRET = "hunter2-very-secret"


def test_a_password_shows_nowhere(start_server: Callable[..., Server]) -> None:
    server = start_server("--requirepass", "right")
    address = f"127.0.0.1:{server.port}"
    shown = []
    dials: list[Callable[[], Connection]] = [
        lambda: connect(f"redis://:{SECRET}@{address}"),
        lambda: connect(f"redis://bob:{SECRET}@{address}?protocol=2"),
        lambda: connect(f"redis://{address}", password=SECRET),
        lambda: connect(f"redis://{address}", password=SECRET.encode(), username="bob"),
        lambda: connect(f"redis://{address}", credentials=lambda: SECRET),
        lambda: connect(f"redis://:{SECRET}@{address}:6379:6379"),
        lambda: connect(f"redis://:{SECRET}@127.0.0.1:1"),
        lambda: connect(f"redis://:{SECRET}@{address}/db"),
        lambda: connect(f"redis://:pa/{SECRET}@{address}"),
        lambda: connect(f"redis://{address}?password={SECRET}&dbb=1"),
        lambda: connect(f"redis://{address}", password=SECRET, tls_key_password=SECRET),
    ]
    for dial in dials:
        with pytest.raises((ConnectError, ValueError, TypeError)) as caught:
            dial()
        # The source lines of this very test show it, of course.
        shown.append("".join(line for line in everything(caught.value).splitlines() if "lambda: connect" not in line))
    assert all(SECRET not in text for text in shown)


def test_an_old_server_that_echoes_what_it_does_not_know() -> None:
    def script(wire: Wire) -> None:
        for words in wire.commands():
            wire.send(b"-ERR unknown command '%s', with args beginning with: %s\r\n" % (words[0], b" ".join(words[1:])))

    with Peer(script) as peer:
        for protocol in (2, 3):
            with pytest.raises(ConnectError) as caught:
                connect(f"{peer.url}?protocol={protocol}", password=SECRET)
            assert SECRET not in everything(caught.value)


def silent(wire: Wire) -> None:
    wire.welcome()
    wire.drain()


def test_secret_arguments_of_commands_show_in_no_error_and_no_repr(server: Server) -> None:
    lines: list[tuple[Any, ...]] = [
        ("AUTH", SECRET),
        ("AUTH", "bob", SECRET),
        ("HELLO", 3, "AUTH", "bob", SECRET),
        ("ACL", "SETUSER", "bob", f">{SECRET}", "no-such-rule"),
        ("CONFIG", "SET", "requirepass", SECRET, "masterauth"),
        ("MIGRATE", "127.0.0.1", 1, "k", 0, "soon", "AUTH", SECRET),
    ]
    with connect(server.url) as connection:
        for line in lines:
            shown = [repr(Command(*line)), str(Command(*line))]
            pipe = connection.pipeline()
            shown += [repr(pipe), repr(pipe.execute(*line))]
            with pytest.raises(ReplyError) as caught:
                connection.execute(*line)
            shown.append(everything(caught.value))
            (reply,) = pipe.run()
            shown.append(everything(reply))
            with pytest.raises(TypeError) as wrong:
                connection.execute(*line, None)  # type: ignore[call-overload]
            shown.append(everything(wrong.value))
            assert not any(SECRET in text for text in shown), line
        connection.close()
        for line in lines:
            with pytest.raises(ConnectionClosedError) as closed:
                connection.execute(*line)
            assert SECRET not in everything(closed.value)
    with Peer(silent) as peer:
        for line in lines:
            with connect(peer.url) as connection, pytest.raises(CommandTimeoutError) as timed_out:
                connection.execute(*line, timeout=0)
            assert SECRET not in everything(timed_out.value)


def test_objects_say_what_they_are_and_nothing_secret(server: Server) -> None:
    with connect(f"redis://default:{SECRET}@127.0.0.1:{server.port}", username=None, password=None) as connection:
        assert repr(connection) == f"<Connection to 127.0.0.1:{server.port}: READY>"
    assert repr(connection) == f"<Connection to 127.0.0.1:{server.port}: LOST>"


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_connection_cannot_be_copied(server: Server, copied: Callable[[object], object]) -> None:
    with connect(server.url) as connection:
        with pytest.raises(TypeError):
            copied(connection)
        assert connection.execute("PING") == "PONG"


def test_errors_survive_a_pickle_with_what_they_carry(server: Server) -> None:
    with connect(server.url) as connection:
        errors: list[RespError] = []
        failing: list[tuple[Any, Any]] = [(("GET",), {}), (("BLPOP", "none", 1), {"timeout": 0})]
        for args, options in failing:
            with pytest.raises(RespError) as caught:
                connection.execute(*args, **options)
            errors.append(caught.value)
    with pytest.raises(ConnectionClosedError) as closed:
        connection.execute("PING")
    errors.append(closed.value)
    for error in errors:
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is type(error)
        assert (str(again), again.outcome) == (str(error), error.outcome)


# -- What is left behind ------------------------------------------------------------------------------------------------------


def test_an_unclosed_connection_warns_and_a_closed_one_does_not(server: Server) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        connection = connect(server.url)
        told = repr(connection)
        del connection
        gc.collect()
        assert f"{told} was not closed" in [str(warning.message) for warning in caught]
        assert {warning.category for warning in caught} == {ResourceWarning}
        caught.clear()  # a warning holds what it is about
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with connect(server.url):
            pass
        connection = connect(server.url)
        connection.close()
        del connection
        gc.collect()


def test_a_connection_is_gone_when_nobody_holds_it(server: Server) -> None:
    """Without the cycle collector: it is part of no cycle."""
    gc.disable()
    try:
        with connect(server.url) as connection:
            connection.execute("SUBSCRIBE", "c")
            with connection.pipeline() as pipe:
                pipe.execute("PING")
        before = len(os.listdir("/proc/self/fd"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for _ in range(5):
                connect(server.url).execute("PING")
        assert len(os.listdir("/proc/self/fd")) == before
    finally:
        gc.enable()


@pytest.mark.parametrize("kind", ["tcp", "unix", pytest.param("tls", marks=pytest.mark.needs("tls"))])
def test_no_descriptor_is_left(server: Server, kind: str) -> None:
    trusted: Any = {"tls_ca_file": str(server.certificates.ca)} if kind == "tls" and server.certificates else {}
    url = {"tcp": server.url, "unix": server.unix_url, "tls": server.tls_url}[kind]

    def use() -> None:
        with connect(url, **trusted) as connection:
            connection.execute("PING")
        with pytest.raises(ZeroDivisionError), connect(url, **trusted) as connection:
            _ = 1 / 0
        connection = connect(url, **trusted)
        server.call("CLIENT", "KILL", "ID", connection.execute("CLIENT", "ID"))  # type: ignore[arg-type]
        with pytest.raises(RespError):
            connection.execute("PING")
        assert connection._link.io.socket.fileno() == -1  # without a close()

    use()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        use()
    assert len(os.listdir("/proc/self/fd")) == before


# -- calls whose time is up ------------------------------------------------------------------------------------------------------


def test_a_late_reply_is_taken_in_by_the_next_call_on_its_short_path(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Client(server.url) as client:
        client.execute("PING")
        driver: Any = client._driver
        driver._look_at = math.inf
        (link,) = driver.machine.links
        monkeypatch.setattr(type(driver), "_begin", None)  # by which calls go otherwise
        for _ in range(3):
            with pytest.raises(CommandTimeoutError, match="1 in flight, 1 of them abandoned"):
                client.execute("ECHO", "late", timeout=0.0)
            assert link.io.poll(20_000)
        assert client.execute("ECHO", "next", timeout=20.0) == b"next"
        assert not driver.crew.owing
