"""Where to connect, in which order, for how long each, and what is told if nothing came of it."""

from __future__ import annotations

import re
from math import inf
from types import ModuleType
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resp_sansio import Config, ConnectError, ConnectionClosedError, RemoteProtocolError, RespError
from resp_sansio.config import Addresses, Race, not_opened, not_resolved, socket_options

CONFIG = Config(host="db.example", port=7000)


DEAD, ALIVE = ("10.0.0.1", 7000), ("10.0.0.2", 7000)


def address(name: object, family: str = "v4") -> tuple[str, str, int, str, object]:
    """What `socket.getaddrinfo` says of an address."""
    return family, "stream", 6, "", name


def race(*names: object, deadline: float = inf) -> Race:
    return Addresses(CONFIG).race([address(name) for name in names], deadline)


def refused_by_unix(error: OSError) -> ConnectError:
    """What is told if this is how the only attempt ends."""
    only = Addresses(Config(path="/run/redis.sock")).race([address("/run/redis.sock", "unix")], inf)
    begun(only, 0.0)
    only.failed(error)
    with pytest.raises(ConnectError) as caught:
        only.next(0.0)
    return caught.value


def begun(race: Race, now: float) -> list[object]:
    """The addresses that are to be tried now."""
    found = []
    while (one := race.next(now)) is not None:
        found.append(one[4])
    return found


def test_an_address_that_does_not_answer_is_not_waited_for() -> None:
    one = race("a", "b", "c", deadline=9.0)
    assert (begun(one, 1.0), one.wake) == (["a"], 1.25)
    assert begun(one, 1.2) == []
    assert (begun(one, 1.25), one.wake) == (["b"], 1.5)
    assert (begun(one, 1.6), one.wake) == (["c"], 9.0)
    assert begun(one, 8.0) == []


def test_behind_a_failure_the_next_is_tried_at_once() -> None:
    one = race("a", "b", "c")
    assert begun(one, 1.0) == ["a"]
    one.failed(ConnectionRefusedError(111, "Connection refused"))
    assert one.wake == -inf
    assert (begun(one, 1.0), one.wake) == (["b"], 1.25)


def test_beside_an_only_address_none_is_tried() -> None:
    only, first = race("a"), race("a", "b")
    assert only.is_alone
    assert not first.is_alone
    for one in (only, first):
        begun(one, 1.0)
        assert not one.is_alone


def test_the_race_is_over_when_its_time_is_up() -> None:
    one = race("a", "b", deadline=0.2)
    assert (begun(one, 0.0), one.wake) == (["a"], 0.2)
    with pytest.raises(ConnectError, match=r"^cannot connect to db\.example:7000: timed out$") as caught:
        one.next(0.2)
    assert caught.value.transient
    assert isinstance(caught.value.__cause__, TimeoutError)


def test_families_take_turns() -> None:
    found = [address(name, "v6") for name in (1, 2, 3)] + [address(name, "v4") for name in (4, 5)]
    one = Addresses(CONFIG).race(found, inf)
    assert [begun(one, float(time)) for time in range(5)] == [[1], [4], [2], [5], [3]]


def test_the_address_that_worked_is_tried_first() -> None:
    addresses = Addresses(CONFIG)
    found = [address(DEAD), address(ALIVE)]
    first = addresses.race(found, inf)
    assert [begun(first, 0.0), begun(first, 1.0)] == [[DEAD], [ALIVE]]
    first.connected(address(ALIVE))
    assert begun(addresses.race(found, inf), 2.0) == [ALIVE]
    assert begun(addresses.race([address(DEAD)], inf), 3.0) == [DEAD]  # it is found no more
    assert repr(addresses) == "<Addresses of db.example:7000>"


@given(st.lists(st.sampled_from(["v4", "v6"]), min_size=1, max_size=6), st.data())
def test_each_address_is_tried_once_and_in_time(families: list[str], data: st.DataObject) -> None:
    found = [address(number, family) for number, family in enumerate(families)]
    one = Addresses(CONFIG).race(found, 10.0)
    tried: list[object] = []

    def run() -> None:
        now, last, failed = 0.0, -inf, 0
        while True:
            new = begun(one, now)
            assert len(new) <= 1
            tried.extend(new)
            if new:
                last = now
            if failed < len(tried) and data.draw(st.booleans()):
                failed += 1
                one.failed(OSError(failed, f"reason {failed}"))
                continue
            assert one.wake == (min(last + 0.25, 10.0) if len(tried) < len(found) else 10.0)
            now = one.wake

    with pytest.raises(ConnectError):
        run()
    assert sorted(map(str, tried)) == [str(number) for number in range(len(found))]
    assert re.fullmatch(r"<Race: \d under way, \d left, \d failed>", repr(one))


def test_what_failed_is_told_once_for_each_way_in_which_it_did() -> None:
    one = race("a", "b", "c")
    refused = ConnectionRefusedError(111, "Connection refused")
    for error in (refused, TimeoutError(), refused):
        begun(one, 0.0)
        one.failed(error)
    with pytest.raises(ConnectError) as caught:
        one.next(0.0)
    assert str(caught.value) == "cannot connect to db.example:7000: Connection refused; timed out"
    assert caught.value.transient
    assert caught.value.__cause__ is refused


def test_a_missing_permission_does_not_pass() -> None:
    told = refused_by_unix(PermissionError(13, "Permission denied"))
    assert (str(told), told.transient) == ("cannot connect to unix:/run/redis.sock: Permission denied", False)


def test_a_name_may_have_no_address() -> None:
    with pytest.raises(ConnectError) as caught:
        race().next(0.0)
    told = caught.value
    assert (str(told), told.__cause__) == ("cannot connect to db.example:7000: no address to try", None)
    told = not_resolved(CONFIG, OSError(-2, "Name or service not known"))
    assert (str(told), told.transient) == ("cannot resolve 'db.example': Name or service not known", True)


ALL: Final = ("TCP_KEEPIDLE", "TCP_KEEPALIVE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")


def options_of(config: Config, *names: str) -> list[Any]:
    """What a socket is told where the module knows these names, or all; here each is its own number."""
    known = ("IPPROTO_TCP", "SOL_SOCKET", "TCP_NODELAY", "SO_KEEPALIVE", *(names or ALL))
    module = ModuleType("socket")
    vars(module).update({name: name for name in known})
    return [*socket_options(config, module)]


def test_a_unix_socket_is_left_as_it_is() -> None:
    assert not options_of(Config(path="/run/redis.sock"))


def test_what_a_system_lacks_it_is_not_told() -> None:
    options = {name: value for _, name, value in options_of(Config(keepalive=60), "TCP_KEEPALIVE")}
    assert options == {"TCP_NODELAY": 1, "SO_KEEPALIVE": 1, "TCP_KEEPALIVE": 60}


@pytest.mark.parametrize(
    ("seconds", "first", "next_ones"),
    [(60, 60, 20), (1, 1, 1)],
)
def test_probes_begin_after_the_silence_that_was_asked_for(seconds: int, first: int, next_ones: int) -> None:
    options = {name: value for _, name, value in options_of(Config(keepalive=seconds))}
    assert options["SO_KEEPALIVE"] == 1
    assert options["TCP_KEEPIDLE"] == options["TCP_KEEPALIVE"] == first
    assert (options["TCP_KEEPINTVL"], options["TCP_KEEPCNT"]) == (next_ones, 3)


def test_without_probes_the_system_is_told_so() -> None:
    assert list(options_of(Config(keepalive=None, tcp_user_timeout=None))) == [
        ("IPPROTO_TCP", "TCP_NODELAY", 1),
        ("SOL_SOCKET", "SO_KEEPALIVE", 0),
    ]


@pytest.mark.parametrize(("seconds", "milliseconds"), [(30.0, 30000), (0.0001, 1)])
def test_bytes_may_stay_unacknowledged_for_so_long(seconds: float, milliseconds: int) -> None:
    """Never for 0 ms, which would stand for the system's own time: tcp(7)."""
    options = options_of(Config(tcp_user_timeout=seconds))
    assert ("IPPROTO_TCP", "TCP_USER_TIMEOUT", milliseconds) in options


def test_the_defaults_outlive_no_load_balancer() -> None:
    """Azure's forgets an idle flow after four minutes, the first of the common ones."""
    options = {name: value for _, name, value in options_of(Config())}
    assert options["TCP_KEEPIDLE"] < 240


def test_a_unix_path_that_python_refuses_stays_refused() -> None:
    refused = OSError("AF_UNIX path too long")
    error = refused_by_unix(refused)
    assert (str(error), error.transient) == ("cannot connect to unix:/run/redis.sock: AF_UNIX path too long", False)
    assert error.__cause__ is refused
    assert refused_by_unix(ConnectionRefusedError(111, "Connection refused")).transient
    assert refused_by_unix(TimeoutError()).transient


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
