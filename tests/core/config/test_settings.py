"""What a pool and a client may do: their options, and how these are told from those of a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast, get_type_hints

import pytest

from resp_sansio import ClientOptions, ClientSettings, Config, Options, PoolOptions, PoolSettings, Retry
from resp_sansio.config import read_client_options, read_pool_options
from resp_sansio.config.options import CALLED_HERE, OWNERS, options_of
from resp_sansio.config.settings import divide_options

if TYPE_CHECKING:
    from collections.abc import Callable


def pool_of(url: str, **options: Any) -> object:
    """How a pool reads what it is given."""
    return read_pool_options(url, cast("Any", options))


def client_of(url: str, **options: Any) -> object:
    """How a client reads it."""
    return read_client_options(url, cast("Any", options))


def test_a_pool_leads_to_one_server_and_takes_no_cluster() -> None:
    with pytest.raises(ValueError, match="^Pool is for one server, not for a cluster of a:1: give it the URL"):
        pool_of("redis+cluster://a:1")


def test_a_pool_leads_to_the_master_and_reads_from_no_replica() -> None:
    with pytest.raises(ValueError, match="^read_from is no option of Pool, which leads to the master; use Client$"):
        pool_of("redis+sentinel://a/m", read_from="any")
    config, _, _ = read_client_options("redis+sentinel://a/m?read_from=any", {})
    assert config.has_replicas


def test_a_client_takes_a_cluster() -> None:
    config, _, _ = read_client_options("redis+cluster://a:1", {})
    assert config.cluster == (("a", 1),)


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
    [("max_sice", "max_size"), ("pool_size", "max_size"), ("time_out", "timeout"), ("socket_timeout", "timeout")],
)
def test_an_unknown_option_is_told_the_right_one(wrong: str, right: str) -> None:
    options: Any = {wrong: 1}
    with pytest.raises(TypeError, match=f"^Pool has no option '{wrong}'; did you mean '{right}'.$"):
        read_pool_options("redis://", options)


@pytest.mark.parametrize(
    ("read", "option", "message"),
    [
        (Config.from_url, "max_size", "Config has no option 'max_size': it is an option of Pool"),
        (Config.from_url, "max_connections", "Config has no option 'max_connections': it is an option of Client"),
        (Config.from_url, "pre_ping", "Config has no option 'pre_ping': it is an option of Pool and Client"),
        (
            Config.from_url,
            "retry_on_timeout",
            "Config has no option 'retry_on_timeout': it is called 'retry' here, and is an option of Pool and Client",
        ),
        (pool_of, "lanes", "Pool has no option 'lanes': it is an option of Client"),
        (
            pool_of,
            "max_connections",
            "Pool has no option 'max_connections': it is an option of Client; did you mean 'max_size'?",
        ),
        (
            client_of,
            "min_size",
            "Client has no option 'min_size': it is an option of Pool; did you mean 'max_connections'?",
        ),
        (client_of, "retry_on_timeout", "Client has no option 'retry_on_timeout'; did you mean 'retry'?"),
        (client_of, "x" * 1_000_000, f"Client has no option '{'x' * 56}..."),
    ],
    ids=lambda value: None if callable(value) else value[:40],
)
def test_an_option_of_another_class_is_told_whose_it_is(read: Callable[..., Any], option: str, message: str) -> None:
    with pytest.raises(TypeError) as caught:
        read("redis://", **{option: 3})
    assert str(caught.value) == message


def test_a_url_says_no_option_of_another_class() -> None:
    for read in (Config.from_url, pool_of, client_of):
        with pytest.raises(ValueError, match="^the URL gives an unknown option") as caught:
            read("redis://h?max_connections=10")
        assert str(caught.value).endswith(" 'max_connections': it is an option of Client, given by keyword")
        with pytest.raises(ValueError, match="; did you mean 'timeout'.$"):
            read("redis://h?socket_timeout=10")


def test_whose_an_option_is_is_known_of_each() -> None:
    """The tables for messages name options that there are, and all that are no connection's."""
    pool, client = {*options_of(PoolSettings)}, {*options_of(ClientSettings)}
    pool_by_client = pool - {"max_size", "min_size"}
    assert {
        **dict.fromkeys(pool - pool_by_client, "Pool"),
        **dict.fromkeys(client - pool, "Client"),
        **dict.fromkeys(pool_by_client, "Pool and Client"),
    } == OWNERS
    assert {*CALLED_HERE.values()} <= {*options_of(Config), *OWNERS}


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
        ({"max_size": 3}, "Client has no option 'max_size': it is an option of Pool; did you mean 'max_connections'?"),
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
