"""What a pool and a client may do: their options, and how these are told from those of a connection."""

from __future__ import annotations

from typing import Any, get_type_hints

import pytest

from resp_sansio import (
    ClientOptions,
    ClientSettings,
    Config,
    Options,
    PoolOptions,
    PoolSettings,
    Retry,
    read_client_options,
    read_pool_options,
)
from resp_sansio._options import options_of
from resp_sansio._settings import divide_options


def test_options_are_divided_between_the_connection_and_the_pool() -> None:
    config, pool = read_pool_options("redis://db.example/2", {"timeout": 1.0, "max_size": 20, "breaker_failures": 3})
    assert config == Config(host="db.example", db=2, timeout=1.0)
    assert pool == PoolSettings(max_size=20, breaker_failures=3)
    breaker = pool.breaker()
    assert breaker is not None
    assert (breaker.failures, breaker.seconds) == (3, 5.0)
    assert PoolSettings().breaker() is None


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("max_sice", "max_size"), ("max_connections", "max_size"), ("time_out", "timeout"), ("socket_timeout", "timeout")],
)
def test_an_unknown_option_is_told_the_right_one(wrong: str, right: str) -> None:
    options: Any = {wrong: 1}
    with pytest.raises(TypeError, match=f"^Pool has no option '{wrong}'; did you mean '{right}'.$"):
        read_pool_options("redis://", options)


def test_options_can_be_divided_among_any_records() -> None:
    assert divide_options("it", {"attempts": 2, "db": 1}, Retry, Config, PoolSettings) == [
        {"attempts": 2},
        {"db": 1},
        {},
    ]
    with pytest.raises(TypeError, match="^it has no option 'xyz'$"):
        divide_options("it", {"xyz": 1}, Retry)


def test_the_typed_options_are_those_that_there_are() -> None:
    pool, client = options_of(PoolSettings).keys(), options_of(ClientSettings).keys()
    assert get_type_hints(PoolOptions).keys() == get_type_hints(Options).keys() | pool
    assert get_type_hints(ClientOptions).keys() == get_type_hints(Options).keys() | client | (
        pool - {"max_size", "min_size"}
    )
    for typed, settings in ((PoolOptions, PoolSettings), (ClientOptions, ClientSettings)):
        for name in options_of(settings):
            assert get_type_hints(typed)[name] == get_type_hints(settings)[name]


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"max_size": 0}, ValueError),
        ({"min_size": 11}, ValueError),
        ({"max_waiting": -1}, ValueError),
        ({"max_idle": 0}, ValueError),
        ({"max_lifetime": "1h"}, TypeError),
        ({"max_dials": None}, TypeError),
        ({"breaker_seconds": None}, TypeError),
        ({"breaker_failures": 0}, ValueError),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error, match=next(iter(wrong))):
        PoolSettings(**wrong)


def test_options_are_divided_among_those_they_concern() -> None:
    options: ClientOptions = {"db": 3, "max_connections": 5, "lanes": 2, "max_idle": 7.0, "retry": Retry(attempts=1)}
    config, client, pool = read_client_options("redis://example", options)
    assert (config.host, config.db) == ("example", 3)
    assert client == ClientSettings(max_connections=5, lanes=2, retry=Retry(attempts=1))
    assert pool == PoolSettings(max_size=3, max_idle=7.0, retry=Retry(attempts=1))
    assert client.leases == 3


def test_a_single_connection_leaves_none_to_lease() -> None:
    assert read_client_options("redis://example", {"max_connections": 1})[1].leases == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_conections": 3}, "Client has no option 'max_conections'; did you mean 'max_connections'?"),
        ({"max_size": 3}, "Client has no option 'max_size'; did you mean 'max_connections'?"),
        ({"retry": 3}, "retry must be a Retry; got int"),
    ],
)
def test_a_wrong_option_is_told(options: ClientOptions, message: str) -> None:
    with pytest.raises(TypeError) as caught:
        read_client_options("redis://example", options)
    assert str(caught.value) == message


def test_lanes_are_connections() -> None:
    with pytest.raises(ValueError, match="lanes must not be more than max_connections; got 3 and 2"):
        ClientSettings(lanes=3, max_connections=2)
