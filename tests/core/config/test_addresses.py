"""Where to connect, in which order, for how long each, and what is told if nothing came of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resp_sansio import (
    Addresses,
    Config,
    ConnectError,
    ConnectionClosedError,
    RemoteProtocolError,
    RespError,
    not_connected,
    not_opened,
    not_resolved,
    socket_options,
)

CONFIG = Config(host="db.example", port=7000)


@given(count=st.integers(1, 9), time=st.floats(0.01, 1e6), used=st.lists(st.floats(0, 1), min_size=9, max_size=9))
def test_each_address_gets_its_share_of_what_is_left(count: int, time: float, used: list[float]) -> None:
    addresses = Addresses(CONFIG, range(count), time)
    now, seen = 0.0, []
    for part in used[:count]:
        seen.append(addresses.next(now))
        share = (time - now) / (count - len(seen) + 1)
        assert addresses.deadline == pytest.approx(now + share)
        addresses.failed(TimeoutError())
        now += share * part
    assert seen == list(range(count))
    assert addresses.next(now) is None
    assert addresses.deadline <= time * 1.000001


def test_without_a_limit_no_address_has_one() -> None:
    addresses = Addresses(CONFIG, "ab", float("inf"))
    assert (addresses.next(3.0), addresses.deadline) == ("a", float("inf"))


def test_what_failed_is_told_once_for_each_way_in_which_it_did() -> None:
    addresses = Addresses(CONFIG, "abc", 1.0)
    refused = ConnectionRefusedError(111, "Connection refused")
    for error in (refused, TimeoutError(), refused):
        addresses.failed(error)
    told = addresses.error()
    assert str(told) == "cannot connect to db.example:7000: Connection refused; timed out"
    assert told.transient
    assert told.__cause__ is refused


def test_a_missing_permission_does_not_pass() -> None:
    told = not_connected(Config(path="/run/redis.sock"), PermissionError(13, "Permission denied"))
    assert (str(told), told.transient) == ("cannot connect to unix:/run/redis.sock: Permission denied", False)


def test_a_name_may_have_no_address() -> None:
    told = Addresses(CONFIG, (), 1.0).error()
    assert (str(told), told.__cause__) == ("cannot connect to db.example:7000: no address to try", None)
    told = not_resolved(CONFIG, OSError(-2, "Name or service not known"))
    assert (str(told), told.transient) == ("cannot resolve 'db.example': Name or service not known", True)


@pytest.mark.parametrize(
    ("seconds", "first", "next_ones"),
    [(60, 60, 20), (1, 1, 1)],
)
def test_probes_begin_after_the_silence_that_was_asked_for(seconds: int, first: int, next_ones: int) -> None:
    options = {name: value for _, name, value in socket_options(Config(keepalive=seconds))}
    assert options["SO_KEEPALIVE"] == 1
    assert options["TCP_KEEPIDLE"] == options["TCP_KEEPALIVE"] == first
    assert (options["TCP_KEEPINTVL"], options["TCP_KEEPCNT"]) == (next_ones, 3)


def test_without_probes_the_system_is_told_so() -> None:
    assert list(socket_options(Config(keepalive=None, tcp_user_timeout=None))) == [
        ("IPPROTO_TCP", "TCP_NODELAY", 1),
        ("SOL_SOCKET", "SO_KEEPALIVE", 0),
    ]


@pytest.mark.parametrize(("seconds", "milliseconds"), [(30.0, 30000), (0.0001, 1)])
def test_bytes_may_stay_unacknowledged_for_so_long(seconds: float, milliseconds: int) -> None:
    """Never for 0 ms, which would stand for the system's own time: tcp(7)."""
    assert ("IPPROTO_TCP", "TCP_USER_TIMEOUT", milliseconds) in socket_options(Config(tcp_user_timeout=seconds))


def test_the_defaults_outlive_no_load_balancer() -> None:
    """Azure's forgets an idle flow after four minutes, the first of the common ones."""
    options = {name: value for _, name, value in socket_options(Config())}
    assert options["TCP_KEEPIDLE"] < 240


def test_a_unix_path_that_python_refuses_stays_refused() -> None:
    config = Config(path="/run/redis.sock")
    refused = OSError("AF_UNIX path too long")
    error = not_connected(config, refused)
    assert (str(error), error.transient) == ("cannot connect to unix:/run/redis.sock: AF_UNIX path too long", False)
    assert error.__cause__ is refused
    assert not_connected(config, ConnectionRefusedError(111, "Connection refused")).transient
    assert not_connected(config, TimeoutError()).transient


HINT = "; does the server expect TLS on this port? (rediss:// is with)"


@pytest.mark.parametrize(
    ("why", "transient", "hint"),
    [
        (ConnectError("the server closed the connection during the handshake", transient=True), True, HINT),
        (RemoteProtocolError("expected a RESP type byte"), False, HINT),
        (ConnectError("the server cannot serve now: LOADING", transient=True), True, ""),
        (ConnectError("the server refused the database", transient=False), False, ""),
        (ConnectionClosedError("it was given up"), False, ""),
    ],
)
def test_a_connection_that_is_cut_off_while_it_opens_may_be_to_a_tls_port(
    why: RespError, transient: bool, hint: str
) -> None:
    failure = ConnectError(f"cannot open a connection: {why}", transient=transient)
    failure.__cause__ = OSError("below")
    error = not_opened(Config(port=7000), failure, why)
    assert str(error) == f"{failure}{hint}"
    assert (error.transient, error.__cause__) == (transient, failure.__cause__)
    for config in (Config(tls=True), Config(path="/run/redis.sock")):
        assert not_opened(config, failure, why) is failure


def test_what_another_handshake_may_cure_is_not_asked_about_tls() -> None:
    why = ConnectError("closed during the handshake, as proxies do", transient=True, plain_may_work=True)
    assert not_opened(Config(), why, why) is why
