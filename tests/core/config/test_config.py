"""Configuration: what a URL and keywords may say, what they mean, and that no secret ever leaves it but by its own name."""

from __future__ import annotations

import copy
import gc
import pickle
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final, get_type_hints
from urllib.parse import quote
from weakref import ref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resp_sansio import Cache
from resp_sansio._record import Record
from resp_sansio.config.config import VERSION, AllOptions, Config, Options, options_table
from resp_sansio.config.options import LIMIT, option, options_of
from resp_sansio.config.retry import Retry
from resp_sansio.config.settings import ClientSettings, PoolSettings
from resp_sansio.wire.parser import Limits

ROOT: Final = Path(__file__).parents[3]

texts = st.text(st.characters(exclude_categories=["Cs"]))
names = texts.filter(bool)
hosts = st.sampled_from(["localhost", "db.example", "bücher.example", "127.0.0.1", "::1", "fe80::1%eth0"])
words = st.text("azAZ09.-_/%~", min_size=1)
files = names.filter(lambda text: "\0" not in text)
ports = st.integers(1, 65535)
databases = st.integers(0, 2**31 - 1)
seconds = st.none() | st.integers(1, 10**9).map(lambda thousandths: thousandths / 1000)

# Every option that a URL can say, and what it may be, as keyword and in the URL; test_options.py has more of each kind.
SAID: Final[dict[str, list[tuple[Any, str]]]] = {
    "host": [
        ("db.example", "db.example"),
        ("fe80::1%eth0", "fe80::1%25eth0"),
        ("bücher.example", "b%C3%BCcher.example"),
    ],
    "port": [(7000, "7000")],
    "path": [("/run/redis.sock", "/run/redis.sock"), ("\0abstract", "%00abstract")],
    "sentinels": [
        ((("a.example", 26379),), "a.example"),
        ((("a.example", 1), ("::1", 26379), ("fe80::1%eth0", 2)), "a.example:1,[::1],[fe80::1%25eth0]:2"),
    ],
    "master_name": [("mymaster", "mymaster")],
    "sentinel_username": [("watcher", "watcher")],
    "sentinel_password": [("", ""), ("p&=@ü", "p%26=%40%C3%BC")],
    "sentinel_tls": [(True, "yes"), (False, "no")],
    "cluster": [
        ((("a.example", 6379),), "a.example"),
        ((("a.example", 1), ("::1", 6379), ("fe80::1%eth0", 2)), "a.example:1,[::1],[fe80::1%25eth0]:2"),
    ],
    "read_from": [("replica", "replica"), ("any", "any")],
    "refresh_interval": [(0.5, ".5"), (None, "none")],
    "db": [(12, "12")],
    "username": [("app", "app")],
    "password": [("", ""), ("p&=@ü", "p%26=%40%C3%BC"), ("a+b=c:d", "a+b=c:d")],
    "protocol": [(2, "2")],
    "client_name": [("me", "me"), ("none", "none")],
    "lib_name": [("mine", "mine"), (None, "none")],
    "lib_version": [("2.0", "2.0"), (None, "none")],
    "timeout": [(0.5, ".5"), (2, "2"), (None, "NONE")],
    "connect_timeout": [(1.5, "1.5"), (None, "none")],
    "keepalive": [(60, "60"), (None, "none")],
    "tcp_user_timeout": [(10.0, "10.0"), (None, "none")],
    "ping_interval": [(10.0, "10.0"), (None, "none")],
    "silence_timeout": [(10.0, "10.0"), (None, "none")],
    "decode_errors": [("replace", "replace")],
    "lenient_push": [(True, "1")],
    "max_pushes": [(1, "1")],
    "limit_depth": [(1, "1")],
    "limit_bulk": [(1, "1")],
    "limit_line": [(1, "1")],
    "limit_elements": [(1, "1")],
    "limit_reply": [(2**63 - 1, "9223372036854775807")],
    "tls": [(True, "true")],
    "tls_ca_file": [("ca.pem", "ca.pem")],
    "tls_ca_path": [("/etc/ssl", "/etc/ssl")],
    "tls_cert_file": [("client.pem", "client.pem")],
    "tls_key_file": [("key.pem", "key.pem")],
    "tls_key_password": [("key", "key")],
    "tls_verify": [(False, "no")],
    "tls_check_hostname": [(False, "0")],
    "tls_server_name": [("db.example", "db.example")],
    "cache": [(Cache(max_bytes=1_000_000), "1000000")],
}
KEYWORD_ONLY: Final = {"address_map", "credentials", "decode", "ssl_context", "observers"}
BEHIND_SENTINELS: Final = {"sentinels": "s.example", "master_name": "m"}
NEEDED: Final = {
    "tls_key_file": {"tls_cert_file": "/client.pem"},
    "tls_key_password": {"tls_cert_file": "/client.pem"},
    "sentinels": {"master_name": "m"},
    "master_name": {"sentinels": "s.example"},
    "sentinel_username": BEHIND_SENTINELS,
    "sentinel_password": BEHIND_SENTINELS,
    "sentinel_tls": BEHIND_SENTINELS,
    "read_from": {"cluster": "a.example"},
    "refresh_interval": {"cluster": "a.example"},
}
SECRETS: Final = {"username", "password", "credentials", "tls_key_password", "sentinel_username", "sentinel_password"}


def refusal(url: str) -> ValueError | None:
    """The error that a URL meets, if any."""
    try:
        Config.from_url(url)
    except ValueError as error:
        return error
    return None


def provider() -> str:
    return "password"


class Context:
    """Enough of an `ssl.SSLContext`."""

    def wrap_bio(self, incoming: Any, outgoing: Any, server_side: bool = False, server_hostname: Any = None) -> Any:
        raise NotImplementedError


def bracketed(host: str) -> str:
    return f"[{host.replace('%', '%25')}]" if ":" in host else quote(host, safe="")


# --- A URL says where and who ------------------------------------------------------------------------------------------


@given(
    scheme=st.sampled_from(["redis", "rediss", "valkey", "valkeys", "REDIS", "Rediss"]),
    host=hosts,
    port=ports,
    db=databases,
    username=st.none() | names,
    password=st.none() | texts,
)
def test_percent_encoded_urls_say_what_was_encoded(
    scheme: str, host: str, port: int, db: int, username: str | None, password: str | None
) -> None:
    user = quote(username or "", safe="") + (f":{quote(password, safe='')}" if password is not None else "")
    config = Config.from_url(f"{scheme}://{user}@{bracketed(host)}:{port}/{db}")
    tls = scheme.lower() in ("rediss", "valkeys")
    assert config == Config(tls=tls, host=host, port=port, db=db, username=username, password=password)


@given(path=files, db=databases, username=names, password=texts)
def test_unix_urls_say_a_path(path: str, db: int, username: str, password: str) -> None:
    user = f"{quote(username, safe='')}:{quote(password, safe='')}"
    config = Config.from_url(f"unix://{user}@/{quote(path)}?db={db}")
    assert config == Config(path="/" + path, db=db, username=username, password=password)


@pytest.mark.parametrize(("name", "value", "text"), [(name, *pair) for name, pairs in SAID.items() for pair in pairs])
def test_query_and_keywords_say_the_same(name: str, value: object, text: str) -> None:
    needed: dict[str, str] = NEEDED.get(name, {})
    said = "&".join([f"{other}={file}" for other, file in needed.items()] + [f"{name}={text}"])
    scheme = "rediss" if name.startswith("tls") else "redis"
    options: dict[str, Any] = {**needed, name: value}
    options |= {places: [needed[places]] for places in ("sentinels", "cluster") if places in needed}
    assert Config.from_url(f"{scheme}://?{said}") == Config(**{"tls": scheme == "rediss", **options})
    assert Config.from_url(f"{scheme}://", **options) == Config(**{"tls": scheme == "rediss", **options})


def test_every_option_can_be_said_in_a_url_or_is_an_object() -> None:
    assert SAID.keys() | KEYWORD_ONLY == options_of(Config).keys()


@given(host=hosts, port=ports, db=databases, path=st.none() | files, secret=st.booleans())
def test_the_url_for_logs_leads_to_the_same_place(
    host: str, port: int, db: int, path: str | None, secret: bool
) -> None:
    place: dict[str, Any] = {"host": host, "port": port} if path is None else {"path": "/" + path}
    config = Config(db=db, **place, password="hunter2" if secret else None)
    url = config.url.replace("***@", "")
    assert ("***@" in config.url) == secret
    assert Config.from_url(url) == Config(db=db, **place)


@given(places=st.lists(st.tuples(hosts, ports), min_size=1), name=words, db=databases, secret=st.booleans())
def test_the_url_for_logs_leads_to_the_same_master(
    places: list[tuple[str, int]], name: str, db: int, secret: bool
) -> None:
    config = Config(sentinels=places, master_name=name, db=db, sentinel_password="hunter2" if secret else None)
    assert "hunter2" not in config.url
    assert Config.from_url(config.url) == Config(sentinels=places, master_name=name, db=db)


@given(places=st.lists(st.tuples(hosts, ports), min_size=1), tls=st.booleans(), secret=st.booleans())
def test_the_url_for_logs_leads_to_the_same_cluster(places: list[tuple[str, int]], tls: bool, secret: bool) -> None:
    config = Config(cluster=places, tls=tls, username="hunter2" if secret else None)
    url = config.url.replace("***@", "")
    assert "hunter2" not in f"{config.url} {config.address} {config!r}"
    assert ("***@" in config.url) == secret
    assert Config.from_url(url) == Config(cluster=places, tls=tls)


@given(st.text() | st.text().map("redis://".__add__) | st.text("redis:/?#[]@!&=%:0aü ").map("redis://".__add__))
def test_any_text_is_a_configuration_or_a_value_error(text: str) -> None:
    error = refusal(text)
    assert error is None or error.__context__ is None


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("redis://", {}),
        ("redis://db.example/12", {"host": "db.example", "db": 12}),
        ("redis://db.example/12?db=12", {"host": "db.example", "db": 12}),
        ("redis://[fe80::1%25eth0]:6380/1", {"host": "fe80::1%eth0", "port": 6380, "db": 1}),
        ("redis://app@?password=p", {"username": "app", "password": "p"}),
        ("rediss://?tls=true", {"tls": True}),
        ("unix:///run/a%40b.sock?db=1", {"path": "/run/a@b.sock", "db": 1}),
        ("redis://?timeout=NONE&protocol=2", {"timeout": None, "protocol": 2}),
        ("redis+sentinel://a.example/m", {"sentinels": ["a.example"], "master_name": "m"}),
        (
            "rediss+sentinel://u:p@a.example:1,[::1]/m/3",
            {
                "tls": True,
                "username": "u",
                "password": "p",
                "sentinels": [("a.example", 1), "[::1]"],
                "master_name": "m",
                "db": 3,
            },
        ),
        ("redis+cluster://a.example", {"cluster": [("a.example", 6379)]}),
        ("redis+cluster://a.example/", {"cluster": ["a.example:6379"]}),
        (
            "rediss+cluster://u:p@a.example:1,[::1]/0?read_from=any&db=0",
            {"tls": True, "username": "u", "password": "p", "cluster": [("a.example", 1), "[::1]"], "read_from": "any"},
        ),
        ("valkey+cluster://a.example?cluster=a.example", {"cluster": ["a.example"]}),
        ("VALKEYS+cluster://:p@a", {"tls": True, "password": "p", "cluster": ["a"]}),
        ("VALKEY+sentinel://a.example?master_name=m", {"sentinels": ("a.example:26379",), "master_name": "m"}),
    ],
)
def test_urls(url: str, options: dict[str, Any]) -> None:
    assert Config.from_url(url) == Config(**options)


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("redis://a%20b", "host must be a host name or IP address, IPv6 without brackets"),
        ("redis://[fe80::1%25]", "host must be"),
        ("redis://localhost:port", "port in a URL must be digits"),
        ("redis://localhost:0", "port must be an integer from 1 to 65535"),
        ("redis://localhost/01", "db in a URL must be digits, no leading zeros"),
        ("redis://localhost/1/", "db in a URL must be digits"),
        ("redis://localhost/0?db=1", "contradicts the rest of it on db"),
        ("redis://:a@?password=b", "contradicts the rest of it on password"),
        ("redis://?tls=true", "contradicts the rest of it on tls"),
        ("redis://?db=1&db=1", "db more than once"),
        ("redis://?tiemout=1", "unknown option 'tiemout'; did you mean 'timeout'?"),
        ("redis://?socket_timeout=1", "did you mean 'timeout'?"),
        ("redis://?zzz=1", "unknown option 'zzz'"),
        ("redis://?credentials=x", "credentials cannot be given in a URL; give it as a keyword"),
        ("redis://?timeout=soon", "timeout in a URL must be a decimal number, or none; got 'soon'"),
        ("redis://?client_name=a%20b", "client_name must be printable ASCII without spaces, or None; got 'a b'"),
        ("unix:///run/redis.sock?tls=1", "contradicts"),
        ("redis+sentinel:///m", "must say where a sentinel listens"),
        ("redis+sentinel://a.example", "sentinels would do nothing without master_name"),
        ("redis+sentinel://a.example,/m", "sentinels must be a list of `host:port` or (host, port)"),
        ("redis+sentinel://a.example:0/m", "sentinels must be"),
        ("redis+sentinel://[a.example]:1/m", "sentinels must be"),
        ("redis+sentinel://::1/m", "sentinels must be"),
        ("redis+sentinel://a.example/m/x", "db in a URL must be digits"),
        ("unix+sentinel:///run/s.sock", "unknown URL scheme"),
        ("redis+cluster://", "must say where a server listens: redis+cluster://host:6379"),
        ("redis+cluster:///0", "must say where a server listens"),
        ("redis+cluster://a.example,", "cluster must be a list of `host:port` or (host, port)"),
        ("redis+cluster://a.example:0", "cluster must be"),
        ("redis+cluster://::1", "cluster must be"),
        ("redis+cluster://a.example/1", "cluster excludes db: Redis has no other database than 0 in a cluster"),
        ("redis+cluster://a.example?db=1", "cluster excludes db"),
        ("redis+cluster://a.example/0/1", "db in a URL must be digits"),
        ("redis+cluster://a.example?host=b", "cluster excludes host: its servers say where the others are"),
        ("redis+cluster://a.example?cluster=b", "contradicts the rest of it on cluster"),
        ("redis+cluster://a.example?read_from=nearest", "read_from must be master or replica or any; got 'nearest'"),
        ("redis+cluster://a.example?address_map=f", "address_map cannot be given in a URL; give it as a keyword"),
        ("redis://a.example?read_from=any", "read_from would do nothing without cluster or sentinels"),
        ("redis+sentinel://a/m?refresh_interval=1", "refresh_interval would do nothing without cluster or read_from"),
        ("unix+cluster:///run/s.sock", "unknown URL scheme"),
        ("redis-cluster://a.example", "did you mean 'redis+cluster'"),
    ],
)
def test_bad_urls(url: str, error: str) -> None:
    with pytest.raises(ValueError, match=re.escape(error)):
        Config.from_url(url)


def test_who_says_the_same_has_the_same_for_as_long_as_it_is_in_use() -> None:
    url = "redis://user:secret@a.example:1/1"
    config = Config.from_url(url, timeout=1.0, client_name="me")
    assert Config.from_url(url, timeout=1.0, client_name="me") is config
    for other in (Config.from_url(url, timeout=1.0), Config.from_url(url, timeout=1, client_name="me")):
        assert other is not config
    with pytest.raises(TypeError, match="db must be"):
        Config.from_url(url, db=True)  # though 1 is equal to it

    class Own(Config):
        pass

    assert type(Own.from_url(url, timeout=1.0, client_name="me")) is Own
    places = [("a.example", 1)]
    first = Config.from_url("redis://", cluster=places)
    places.append(("b.example", 2))
    assert len(Config.from_url("redis://", cluster=places).cluster) == 2
    assert len(first.cluster) == 1
    gone = ref(config)
    del config
    gc.collect()
    assert gone() is None


# --- Keywords beside a URL ---------------------------------------------------------------------------------------------


def test_a_keyword_wins_over_the_url() -> None:
    url = "redis://app:old@a.example:1/2?timeout=3"
    config = Config.from_url(url, host="b.example", password="new", timeout=None)
    assert config == Config(host="b.example", port=1, db=2, username="app", password="new", timeout=None)


def test_no_keyword_takes_away_the_tls_that_a_url_promises() -> None:
    assert Config.from_url("rediss://", tls=True).tls
    with pytest.raises(ValueError, match="tls contradicts the URL's scheme"):
        Config.from_url("rediss://", tls=False)
    with pytest.raises(ValueError, match="tls contradicts the URL's scheme"):
        Config.from_url("redis://", tls=True)
    with pytest.raises(TypeError, match="tls must be True or False; got str"):
        Config.from_url("rediss://", tls="no")  # type: ignore[arg-type]


# --- Options -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", options_of(Config))
def test_every_option_refuses_another_type_by_its_name(name: str) -> None:
    for value in (object(), {}, 1j, ...):
        options: dict[str, Any] = {"tls": True, name: value}
        with pytest.raises(TypeError, match=f"^{name} must be .*; got {type(value).__name__}$"):
            Config(**options)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"port": 0}, "port must be an integer from 1 to 65535; got 0"),
        ({"port": 65536}, "got 65536"),
        ({"db": -1}, "db must be an integer from 0"),
        ({"keepalive": 0}, "keepalive must be an integer from 1 to 32767, or None; got 0"),
        ({"host": "redis://:hunter2@localhost"}, "got text with an '@'"),
        ({"tls": True, "tls_ca_file": "\0ca.pem"}, "tls_ca_file must be a path"),
        ({"username": ""}, "username must be text that is not empty"),
        ({"credentials": provider, "password": "p"}, "credentials excludes password"),
        ({"credentials": provider, "username": "u", "password": "p"}, "credentials excludes username and password"),
        ({"path": "/run/redis.sock", "port": 1}, "path excludes port: a unix socket has no address"),
        ({"path": "/run/redis.sock", "tls": True}, "path excludes tls"),
        ({"tls_verify": False}, "tls_verify would do nothing without tls"),
        ({"ssl_context": Context()}, "ssl_context would do nothing without tls"),
        ({"tls": True, "tls_key_file": "k", "tls_key_password": "p"}, "would do nothing without tls_cert_file"),
        ({"tls": True, "ssl_context": Context(), "tls_ca_file": "f"}, "ssl_context excludes tls_ca_file"),
        ({"sentinels": ["a"], "master_name": "m", "host": "b", "port": 1}, "sentinels excludes host and port"),
        ({"sentinels": ["a", ("b", True)], "master_name": "m"}, "sentinels must be a list"),
        ({"sentinels": [("a", 1, 2)], "master_name": "m"}, "sentinels must be a list"),
        ({"sentinels": [None], "master_name": "m"}, "sentinels must be a list"),
        ({"master_name": "m"}, "master_name would do nothing without sentinels"),
        ({"sentinel_tls": True}, "sentinel_tls would do nothing without sentinels"),
        ({"sentinels": ["a"], "master_name": "m", "tls_verify": False}, "would do nothing without tls"),
        (
            {"cluster": ["a"], "host": "b", "port": 1},
            "cluster excludes host and port: its servers say where the others",
        ),
        ({"cluster": ["a"], "path": "/run/redis.sock"}, "cluster excludes path"),
        ({"cluster": ["a"], "sentinels": ["a"], "master_name": "m"}, "cluster excludes sentinels"),
        ({"cluster": ["a"], "db": 1}, "cluster excludes db: Redis has no other database than 0 in a cluster"),
        ({"cluster": ["a"], "tls_verify": False}, "would do nothing without tls"),
        ({"cluster": ["a", ("b", True)]}, "cluster must be a list"),
        ({"cluster": [], "read_from": "any"}, "read_from would do nothing without cluster or sentinels"),
        ({"address_map": tuple}, "address_map would do nothing without cluster"),
        ({"refresh_interval": 1.0}, "refresh_interval would do nothing without cluster"),
        (
            {"sentinels": ["a"], "master_name": "m", "address_map": tuple},
            "address_map would do nothing without cluster",
        ),
        ({"sentinels": ["a"], "master_name": "m", "read_from": "any", "cache": Cache()}, "cache excludes read_from"),
    ],
)
def test_bad_options(options: dict[str, Any], error: str) -> None:
    with pytest.raises(ValueError, match=re.escape(error)) as caught:
        Config(**options)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("tiemout", "timeout"),
        ("passwort", "password"),
        ("decode_responses", "decode"),
        ("ssl", "tls"),
        ("startup_nodes", "cluster"),
        ("cluster_mode", "cluster"),
        ("read_from_replicas", "read_from"),
        ("address_remap", "address_map"),
    ],
)
def test_an_unknown_option_suggests_the_nearest(wrong: str, right: str) -> None:
    wrong_option: dict[str, Any] = {wrong: 1}
    for call in (Config, Config().replace, lambda **options: Config.from_url("redis://", **options)):
        with pytest.raises(TypeError, match=f"Config has no option '{wrong}'; did you mean '{right}'"):
            call(**wrong_option)
    with pytest.raises(TypeError, match=r"Config has no option 'zzz'$"):
        Config(zzz=1)  # type: ignore[call-arg]


def test_a_url_is_not_read_by_the_constructor() -> None:
    with pytest.raises(TypeError, match=r"keywords only; to read a URL, call Config\.from_url"):
        Config("redis://localhost")  # type: ignore[call-arg]


def test_derived_values() -> None:
    assert Config().address == "localhost:6379"
    assert Config(host="::1", port=1).address == "[::1]:1"
    assert Config(path="/run/redis.sock").address == "unix:/run/redis.sock"
    assert Config(path="\0redis").address == "unix:@redis"
    behind = Config(sentinels=["a", ("::1", 2)], master_name="m/1")
    assert behind.address == "m/1 (sentinels a:26379, [::1]:2)"
    assert behind.url == "redis+sentinel://a:26379,[::1]:2/m%2F1/0"
    assert behind.replace(tls=True, password="p").url == "rediss+sentinel://***@a:26379,[::1]:2/m%2F1/0"
    assert behind.replace(sentinel_tls=True, tls_verify=False).tls_verify is False  # they serve there
    cluster = Config(cluster=["a", ("::1", 2)])
    assert cluster.cluster == (("a", 6379), ("::1", 2))
    assert cluster.address == "cluster of a:6379, [::1]:2"
    assert cluster.url == "redis+cluster://a:6379,[::1]:2"
    assert cluster.replace(tls=True, credentials=provider).url == "rediss+cluster://***@a:6379,[::1]:2"
    assert Config().url == "redis://localhost:6379/0"
    assert Config(tls=True, db=2).url == "rediss://localhost:6379/2"
    assert Config(credentials=provider).url == "redis://***@localhost:6379/0"
    assert [Config(decode=decode).text.encoding for decode in (False, True, "UTF8")] == [None, "utf-8", "UTF8"]
    assert Config().limits == Limits()
    one_each = Config(limit_depth=1, limit_bulk=2, limit_line=3, limit_elements=4, limit_reply=5)
    assert one_each.limits == Limits(depth=1, bulk=2, line=3, elements=4, reply=5)


def elsewhere(place: tuple[str, int]) -> tuple[str, int]:
    return "127.0.0.1", place[1]


def test_what_is_asked_of_several_servers_is_not_asked_of_one_of_them() -> None:
    same: dict[str, Any] = {
        "tls": True,
        "tls_ca_file": "ca.pem",
        "credentials": provider,
        "timeout": 1.0,
        "decode": True,
    }
    cluster = Config(cluster=["a"], read_from="any", address_map=elsewhere, refresh_interval=None, **same)
    behind = Config(
        sentinels=["a"],
        master_name="m",
        sentinel_username="u",
        sentinel_password="p",
        sentinel_tls=False,
        read_from="replica",
        refresh_interval=1.0,
        **same,
    )
    plain = behind.replace(read_from="master", refresh_interval=60.0)
    assert [config.has_replicas for config in (behind, plain, cluster)] == [True, False, False]
    alone = Config(host="c", port=2, **same)
    assert cluster.at(("c", 2)) == behind.at(("c", 2)) == alone
    assert alone.at(("d", 3)) == alone.replace(host="d", port=3)


def test_an_empty_list_of_servers_is_none() -> None:
    assert Config(cluster=[], sentinels=[], host="a") == Config(host="a")
    assert hash(Config(cluster=[])) == hash(Config())


def test_a_subclass_adds_options() -> None:
    class Wider(Config):
        lanes: int = option(1, LIMIT, "Connections to share.")

    config = Wider.from_url("redis://a.example?lanes=3")
    assert repr(config) == "Wider(host='a.example', lanes=3)"
    assert config == Wider(host="a.example", lanes=3)
    with pytest.raises(TypeError, match="Wider has no option 'lane'; did you mean 'lanes'"):
        Wider(lane=3)  # type: ignore[call-arg]
    assert "| `lanes` |" in options_table(Wider)


# --- A value -----------------------------------------------------------------------------------------------------------


def test_a_configuration_is_an_immutable_value() -> None:
    config = Config.from_url("redis://localhost/1")
    assert config == Config(db=1) != Config(db=2)
    assert hash(config) == hash(Config(db=1))
    assert config.replace(db=2) == Config(db=2)
    assert copy.copy(config) is config
    assert copy.deepcopy(config) is config
    with pytest.raises(AttributeError):
        config.db = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        config.other = 1  # type: ignore[attr-defined]


def test_a_repr_shows_what_is_not_default() -> None:
    assert repr(Config()) == "Config()"
    assert repr(Config(db=1, timeout=None)) == "Config(db=1, timeout=None)"
    assert repr(Config(username="u", password="p", db=1)) == "Config(db=1, username=***, password=***)"


@given(host=hosts, db=databases, timeout=seconds)
def test_without_secrets_it_can_be_pickled(host: str, db: int, timeout: float | None) -> None:
    for config in Config(host=host, db=db, timeout=timeout), Config(cluster=[(host, 1)], address_map=elsewhere):
        assert pickle.loads(pickle.dumps(config)) == config


# --- Secrets -----------------------------------------------------------------------------------------------------------

SECRET: Final = "hunter2"
# What surrounds a secret in the wild, encoded or not.
AROUND: Final = st.text("abAB01:/?#[]@!$&'()*+,;=%-._~ \n\\ü", max_size=5)
secrets = st.builds("{}{}{}".format, AROUND, st.just(SECRET), AROUND)


def shows(error: BaseException) -> str:
    """Everything that may be logged, or sent to another process, of an error."""
    assert error.__cause__ is None
    assert error.__context__ is None
    return f"{error} {error!r} {pickle.dumps(error)!r}"


@given(username=secrets, password=secrets, key_password=secrets)
def test_secrets_show_in_no_repr_text_url_or_pickle(username: str, password: str, key_password: str) -> None:
    configs = [
        Config(username=username, password=password),
        Config(password=password.encode()),
        Config(tls=True, tls_cert_file="client.pem", tls_key_password=key_password),
        Config(credentials=lambda: (username, password)),
    ]
    for config in configs:
        assert SECRET not in f"{config} {config!r} {config.url} {config.address} {[config]}"
        with pytest.raises(TypeError, match="cannot be pickled, because a pickle would show secrets") as caught:
            pickle.dumps(config)
        assert SECRET not in str(caught.value)


@given(user=secrets, place=st.sampled_from(["localhost", "[::1]:6379/1", "a.example:x/01", ""]), query=AROUND)
def test_no_error_shows_credentials_that_somebody_forgot_to_encode(user: str, place: str, query: str) -> None:
    for url in (
        f"redis://{user}@{place}?{query}",
        f"unix://{user}@/{place}?{query}",
        f"{user}@{place}",
        f"redis+cluster://{user}@{place},b",
    ):
        if error := refusal(url):
            assert SECRET not in shows(error)


VALID: Final = (
    f"redis://app:{SECRET}@localhost:6379/1?timeout=3",
    f"rediss://:{SECRET}@[::1]:6379?db=0&client_name=x",
    f"redis://{SECRET}@localhost",
    f"unix://app:{SECRET}@/run/redis.sock?db=1",
    f"rediss+cluster://app:{SECRET}@a.example:7000,[::1]/0?read_from=any",
    f"redis+sentinel://:{SECRET}@a.example,b.example:1/mymaster/1?timeout=3",
    f"redis://localhost?db=1&password={SECRET}&timeout=3",
    f"redis://localhost?timeout=3&password={SECRET}",
    f"redis://localhost?username={SECRET}&password={SECRET}",
)


@given(url=st.sampled_from(VALID), data=st.data())
def test_no_error_shows_the_credentials_of_a_url_with_a_slip(url: str, data: st.DataObject) -> None:
    first, _, last = url.rpartition(SECRET)
    at = data.draw(st.integers(0, len(first)) | st.integers(len(url) - len(last), len(url)))
    gone = data.draw(st.integers(0, 1))
    slip = data.draw(st.sampled_from(["", *":/?#[]@&=%xü \n"]))
    mangled = url[:at] + slip + url[at + gone :]
    if error := refusal(mangled):
        assert SECRET not in shows(error)


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_no_error_shows_a_secret_of_the_wrong_type_or_value(name: str) -> None:
    for value in ((SECRET,), {SECRET: SECRET}, SECRET + "\udcff"):
        options: dict[str, Any] = {"tls": True, "tls_cert_file": "client.pem", name: value}
        with pytest.raises((TypeError, ValueError), match=name) as caught:
            Config(**options)
        assert SECRET not in shows(caught.value)


def test_every_secret_is_known_as_one() -> None:
    assert {name for name, option in options_of(Config).items() if option.secret} == SECRETS


# --- One declaration, told in four places ------------------------------------------------------------------------------


def test_type_checkers_know_the_same_options() -> None:
    hints = get_type_hints(Config)
    assert get_type_hints(AllOptions) == {name: hints[name] for name in options_of(Config)}
    assert get_type_hints(AllOptions).keys() - get_type_hints(Options).keys() == {"decode"}


@pytest.mark.parametrize("record", [Config, PoolSettings, ClientSettings, Retry, Cache])
def test_the_documentation_has_the_current_table(record: type[Record]) -> None:
    page = (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
    assert f"\n\n{options_table(record)}" in page, (
        f"put what options_table({record.__name__}) returns into docs/options.md"
    )


def test_a_table_speaks_of_urls_only_where_they_can_say_something() -> None:
    class Small(Record):
        lanes: int = option(1, LIMIT, "Connections to share.")

    assert options_table(Small) == (
        "| Option | Allowed | Default | Meaning |\n"
        "|---|---|---|---|\n"
        f"| `lanes` | {LIMIT.allowed} | `1` | Connections to share. |\n"
    )


def test_the_version_told_to_servers_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == VERSION


def test_importing_it_loads_neither_what_only_errors_need_nor_any_io() -> None:
    loaded = "import sys, resp_sansio.config.config; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {loaded}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {"difflib", "ipaddress", "socket", "ssl", "threading", "urllib"} & set(done.stdout.split())


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost&db=1&password=hunter2",  # '&' for '?'
        "redis://localhost?db=1=pas?word=hunter2",
        "redis://localhost?db=19passxword=hunter2",
        "redis://localhost?nonsense=1&db=x&y?=hunter2",
    ],
)
def test_a_slip_of_the_pen_shows_no_secret(url: str) -> None:
    with pytest.raises(ValueError, match=r"URL|host|db") as raised:
        Config.from_url(url)
    assert "hunter2" not in str(raised.value)
