"""Configuration: what a URL and keywords may say, what they mean, and that no secret ever leaves it but by its own name."""

from __future__ import annotations

import copy
import pickle
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final, get_type_hints
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resp_sansio._config import _LIMIT, VERSION, Config, Options, _option, options_table, read_credentials
from resp_sansio._parser import Limits
from resp_sansio._record import fields

ROOT: Final = Path(__file__).parents[2]

texts = st.text(st.characters(exclude_categories=["Cs"]))
names = texts.filter(bool)
words = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1)
files = names.filter(lambda text: "\0" not in text)
labels = st.from_regex(r"[a-z0-9_]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
zones = st.sampled_from(["", "%eth0", "%1", "%en0.100"])
hosts = st.one_of(
    st.lists(labels, min_size=1, max_size=4).map(".".join),
    st.ip_addresses(v=4).map(str),
    st.builds("{}{}".format, st.ip_addresses(v=6), zones),
    st.sampled_from(["bücher.example", "localhost.", "例え.テスト"]),
)
ports = st.integers(1, 65535)
databases = st.integers(0, 2**31 - 1)
seconds = st.none() | st.integers(1, 10**9).map(lambda thousandths: thousandths / 1000)
sizes = st.integers(1, 2**63 - 1)

# Every option that a URL can say, and what it may be.
VALUES: Final[dict[str, st.SearchStrategy[Any]]] = {
    "host": hosts,
    "port": ports,
    "path": files,
    "db": databases,
    "username": names,
    "password": texts,
    "protocol": st.sampled_from([2, 3]),
    "client_name": words,
    "lib_name": st.none() | words.filter(lambda word: word.lower() != "none"),
    "lib_version": st.none() | words.filter(lambda word: word.lower() != "none"),
    "timeout": seconds,
    "connect_timeout": seconds,
    "keepalive": st.none() | st.integers(1, 32767),
    "ping_interval": seconds,
    "silence_timeout": seconds,
    "decode": st.booleans() | st.sampled_from(["utf-8", "latin-1", "UTF-16", "ascii"]),
    "lenient_push": st.booleans(),
    "max_pushes": sizes,
    "limit_depth": sizes,
    "limit_bulk": sizes,
    "limit_line": sizes,
    "limit_elements": sizes,
    "limit_reply": sizes,
    "tls": st.just(True),
    "tls_ca_file": files,
    "tls_ca_path": files,
    "tls_cert_file": files,
    "tls_key_file": files,
    "tls_key_password": texts,
    "tls_verify": st.booleans(),
    "tls_check_hostname": st.booleans(),
    "tls_server_name": hosts,
}
KEYWORD_ONLY: Final = {"credentials", "ssl_context"}
SECRETS: Final = {"username", "password", "credentials", "tls_key_password"}


def spelled(value: object) -> str:
    """How a URL's query says a value."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case _:
            return quote(str(value), safe="")


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


@pytest.mark.parametrize("name", VALUES)
@given(data=st.data())
def test_query_and_keywords_say_the_same(name: str, data: st.DataObject) -> None:
    value = data.draw(VALUES[name])
    needed: dict[str, Any] = {"tls": True} if name.startswith("tls") else {}
    if name.startswith("tls_key"):
        needed["tls_cert_file"] = "/client.pem"
    said = "".join(f"&{option}={spelled(given)}" for option, given in {**needed, name: value}.items())
    url = f"{'rediss' if needed else 'redis'}://?{said[1:]}"
    assert Config.from_url(url) == Config(**{**needed, name: value})
    assert Config.from_url(url.partition("?")[0], **{**needed, name: value}) == Config(**{**needed, name: value})


def test_every_option_can_be_said_in_a_url_or_is_an_object() -> None:
    assert VALUES.keys() | KEYWORD_ONLY == {option.name for option in fields(Config)}


@given(host=hosts, port=ports, db=databases, path=st.none() | files, secret=st.booleans())
def test_the_url_for_logs_leads_to_the_same_place(
    host: str, port: int, db: int, path: str | None, secret: bool
) -> None:
    place: dict[str, Any] = {"host": host, "port": port} if path is None else {"path": "/" + path}
    config = Config(db=db, **place, password="hunter2" if secret else None)
    url = config.url.replace("***@", "")
    assert ("***@" in config.url) == secret
    assert Config.from_url(url) == Config(db=db, **place)


@given(st.text() | st.text().map("redis://".__add__) | st.text("redis:/?#[]@!&=%:0aü ").map("redis://".__add__))
def test_any_text_is_a_configuration_or_a_value_error(text: str) -> None:
    error = refusal(text)
    assert error is None or error.__context__ is None


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("redis://", {}),
        ("redis:///", {}),
        ("redis://@", {}),
        ("redis://:", {}),
        ("redis://?", {}),
        ("redis://:@", {"password": ""}),
        ("redis://:7000/", {"port": 7000}),
        ("redis://db.example/12", {"host": "db.example", "db": 12}),
        ("redis://db.example?db=12", {"host": "db.example", "db": 12}),
        ("redis://db.example/12?db=12", {"host": "db.example", "db": 12}),
        ("redis://127.0.0.1:6380", {"host": "127.0.0.1", "port": 6380}),
        ("redis://[::1]", {"host": "::1"}),
        ("redis://[fe80::1%25eth0]:6380/1", {"host": "fe80::1%eth0", "port": 6380, "db": 1}),
        ("redis://app@", {"username": "app"}),
        ("redis://app@?password=p", {"username": "app", "password": "p"}),
        ("redis://:a+b=c:d@", {"password": "a+b=c:d"}),
        ("redis://?password=a+b=c:d", {"password": "a+b=c:d"}),
        ("redis://:p%40ss%2Fw%C3%B6rd@", {"password": "p@ss/wörd"}),
        ("redis://:%2525@", {"password": "%25"}),  # decoded once
        ("redis://:pässword@", {"password": "pässword"}),
        ("rediss://db.example", {"tls": True, "host": "db.example"}),
        ("rediss://?tls=true", {"tls": True}),
        ("unix:///run/redis.sock", {"path": "/run/redis.sock"}),
        ("unix:///run/a%40b.sock?db=1", {"path": "/run/a@b.sock", "db": 1}),
        ("redis://?path=%00abstract", {"path": "\0abstract"}),
        ("redis://?timeout=NONE&decode=Yes&protocol=2", {"timeout": None, "decode": True, "protocol": 2}),
        ("redis://?timeout=.5&connect_timeout=2", {"timeout": 0.5, "connect_timeout": 2}),
    ],
)
def test_urls(url: str, options: dict[str, Any]) -> None:
    assert Config.from_url(url) == Config(**options)


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("", "must begin with redis://"),
        ("localhost:6379", "must begin with redis://"),
        ("http://localhost", "unknown URL scheme 'http': it must be redis://, rediss:// (TLS), valkey://"),
        ("redsi://localhost", "did you mean 'redis'?"),
        ("redsi://user:password@localhost", "unknown URL scheme: it must be"),
        ("valkeyss://localhost", "did you mean 'valkeys'?"),
        ("redis+unix:///run/redis.sock", "did you mean 'unix'?"),
        ("redis-socket:///run/redis.sock", "did you mean 'unix'?"),
        ("ssl://localhost", "it must be redis://"),
        ("redis://localhost\n", "control characters"),
        ("redis://local host", "spaces"),
        ("redis://\udcff", "control characters"),
        ("redis://localhost#1", "fragment; write a '#' as %23"),
        ("redis://a@b@c", "at most one '@'"),
        ("redis://:a/b@c", "%2F for '/'"),
        ("redis://:a?b@c", "%3F for '?'"),
        ("redis://::1", "IPv6 addresses must be in brackets"),
        ("redis://[::1", "in brackets, with the port behind them"),
        ("redis://[::1]6379", "in brackets, with the port behind them"),
        ("redis://[localhost]", "in brackets"),
        ("redis://[fe80::1%eth0]", "%25 (RFC 6874)"),
        ("redis://[fe80::1%25]", "host must be"),
        ("redis://[1:2]", "host must be"),
        ("redis://a..b", "host must be"),
        ("redis://a%20b", "host must be"),
        ("redis://" + "a" * 64, "host must be"),
        ("redis://%C3%BC." + "%C3%BC" * 80, "host must be"),
        ("redis://localhost:port", "port in a URL must be digits"),
        ("redis://localhost:0", "port must be an integer from 1 to 65535"),
        ("redis://localhost:06379", "port in a URL must be digits, no leading zeros"),
        ("redis://localhost/x", "db in a URL must be digits"),
        ("redis://localhost/01", "db in a URL must be digits, no leading zeros"),
        ("redis://localhost/1/", "db in a URL must be digits"),
        ("redis://localhost/" + "9" * 5000, "db in a URL must be digits"),
        ("redis://localhost/0?db=1", "contradicts the rest of it on db"),
        ("redis://:a@?password=b", "contradicts the rest of it on password"),
        ("redis://?tls=true", "contradicts the rest of it on tls"),
        ("redis://?db=1&db=1", "db more than once"),
        ("redis://?db", "option=value"),
        ("redis://?db=1&", "option=value"),
        ("redis://?=1", "option=value"),
        ("redis://?tiemout=1", "unknown option 'tiemout'; did you mean 'timeout'?"),
        ("redis://?socket_timeout=1", "did you mean 'timeout'?"),
        ("redis://?zzz=1", "unknown option 'zzz'"),
        ("redis://?credentials=x", "credentials cannot be given in a URL; give it as a keyword"),
        ("redis://?timeout=soon", "timeout in a URL must be a decimal number, or none; got 'soon'"),
        ("redis://?timeout=1e3", "timeout in a URL must be a decimal number"),
        ("redis://?timeout=", "timeout in a URL must be a decimal number"),
        ("redis://?timeout=0", "timeout must be seconds above 0"),
        ("redis://?timeout=" + "9" * 500, "timeout must be seconds above 0"),
        ("redis://?port=6_379", "port in a URL must be digits"),
        ("redis://?port=٦", "port in a URL must be digits"),
        ("redis://?protocol=4", "protocol must be 3 or 2; got 4"),
        ("redis://?lenient_push=maybe", "lenient_push in a URL must be true, false, yes, no, 1 or 0; got 'maybe'"),
        ("redis://?client_name=a%20b", "client_name must be printable ASCII without spaces, or None; got 'a b'"),
        ("redis://?client_name=" + "ü" * 99, "got '" + "ü" * 56 + "..."),
        ("redis://:%zz@", "two hexadecimal digits"),
        ("redis://:%a@", "two hexadecimal digits"),
        ("redis://:%ff@", "must be UTF-8"),
        ("unix://", "absolute path and no host"),
        ("unix:///", "absolute path and no host"),
        ("unix://run/redis.sock", "unix:///path/to/socket"),
        ("unix:///run/redis.sock?tls=1", "contradicts"),
    ],
)
def test_bad_urls(url: str, error: str) -> None:
    with pytest.raises(ValueError, match=re.escape(error)):
        Config.from_url(url)


@pytest.mark.parametrize("url", [None, b"redis://localhost", 6379])
def test_a_url_is_text(url: Any) -> None:
    with pytest.raises(TypeError, match=f"a URL must be str; got {type(url).__name__}"):
        Config.from_url(url)


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


@pytest.mark.parametrize("name", [option.name for option in fields(Config)])
def test_every_option_refuses_another_type_by_its_name(name: str) -> None:
    for value in (object(), [], 1j, ...):
        options: dict[str, Any] = {"tls": True, name: value}
        with pytest.raises(TypeError, match=f"^{name} must be .*; got {type(value).__name__}$"):
            Config(**options)


@pytest.mark.parametrize("name", ["port", "db", "timeout", "keepalive", "limit_bulk", "protocol"])
def test_a_bool_is_no_number(name: str) -> None:
    options: dict[str, Any] = {name: True}
    with pytest.raises(TypeError, match=f"{name} must be .*; got bool"):
        Config(**options)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"port": 0}, "port must be an integer from 1 to 65535; got 0"),
        ({"port": 65536}, "got 65536"),
        ({"port": 10**5000}, "got a larger one"),
        ({"db": -1}, "db must be an integer from 0"),
        ({"timeout": 0}, "timeout must be seconds above 0 and up to 2147483, or None; got 0"),
        ({"timeout": float("nan")}, "got nan"),
        ({"timeout": float("inf")}, "got inf"),
        ({"keepalive": 0}, "keepalive must be an integer from 1 to 32767, or None; got 0"),
        ({"host": ""}, "host must be a host name or IP address"),
        ({"host": "."}, "host must be a host name or IP address"),
        ({"host": "[::1]"}, "IPv6 without brackets; got '[::1]'"),
        ({"host": "localhost:6379"}, "got 'localhost:6379'"),
        ({"host": "a\nb"}, "got 'a\\nb'"),
        ({"host": "fe80::1%a b"}, "got 'fe80::1%a b'"),
        ({"host": "redis://:hunter2@localhost"}, "got text with an '@'"),
        ({"path": "\0"}, "path must be a path"),
        ({"path": "/run/\0"}, "path must be a path"),
        ({"tls": True, "tls_ca_file": "\0ca.pem"}, "tls_ca_file must be a path"),
        ({"username": ""}, "username must be text that is not empty"),
        ({"password": "\udcff"}, "password must be text or bytes, or None"),
        ({"client_name": "a b"}, "client_name must be printable ASCII"),
        ({"lib_name": ""}, "lib_name must be printable ASCII"),
        ({"lib_version": "1\n2"}, "lib_version must be printable ASCII"),
        ({"protocol": 1}, "protocol must be 3 or 2; got 1"),
        ({"decode": "klingon"}, "decode must be True (UTF-8), False, or the name of a text encoding; got 'klingon'"),
        ({"decode": "hex"}, "got 'hex'"),
        ({"decode": "a\0b"}, "got 'a\\x00b'"),
        ({"credentials": provider, "password": "p"}, "credentials excludes password"),
        ({"credentials": provider, "username": "u", "password": "p"}, "credentials excludes username and password"),
        ({"path": "/run/redis.sock", "port": 1}, "path excludes port: a unix socket has no address"),
        ({"path": "/run/redis.sock", "tls": True}, "path excludes tls"),
        ({"tls_verify": False}, "tls_verify would do nothing without tls"),
        ({"ssl_context": Context()}, "ssl_context would do nothing without tls"),
        ({"tls": True, "tls_key_file": "k", "tls_key_password": "p"}, "would do nothing without tls_cert_file"),
        ({"tls": True, "ssl_context": Context(), "tls_ca_file": "f"}, "ssl_context excludes tls_ca_file"),
    ],
)
def test_bad_options(options: dict[str, Any], error: str) -> None:
    with pytest.raises(ValueError, match=re.escape(error)) as caught:
        Config(**options)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("tiemout", "timeout"), ("passwort", "password"), ("decode_responses", "decode"), ("ssl", "tls")],
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
    assert Config().url == "redis://localhost:6379/0"
    assert Config(tls=True, db=2).url == "rediss://localhost:6379/2"
    assert Config(credentials=provider).url == "redis://***@localhost:6379/0"
    assert [Config(decode=decode).encoding for decode in (False, True, "latin-1")] == [None, "utf-8", "latin-1"]
    assert Config().limits == Limits()
    one_each = Config(limit_depth=1, limit_bulk=2, limit_line=3, limit_elements=4, limit_reply=5)
    assert one_each.limits == Limits(depth=1, bulk=2, line=3, elements=4, reply=5)


def test_a_subclass_adds_options() -> None:
    class Wider(Config):
        lanes: int = _option(1, _LIMIT, "Connections to share.")

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
    with pytest.raises((AttributeError, TypeError)):
        config.other = 1  # type: ignore[attr-defined]


def test_a_repr_shows_what_is_not_default() -> None:
    assert repr(Config()) == "Config()"
    assert repr(Config(db=1, timeout=None)) == "Config(db=1, timeout=None)"
    assert repr(Config(username="u", password="p", db=1)) == "Config(db=1, username=***, password=***)"


@given(host=hosts, db=databases, timeout=seconds)
def test_without_secrets_it_can_be_pickled(host: str, db: int, timeout: float | None) -> None:
    config = Config(host=host, db=db, timeout=timeout)
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
    for url in (f"redis://{user}@{place}?{query}", f"unix://{user}@/{place}?{query}", f"{user}@{place}"):
        if error := refusal(url):
            assert SECRET not in shows(error)


VALID: Final = (
    f"redis://app:{SECRET}@localhost:6379/1?timeout=3",
    f"rediss://:{SECRET}@[::1]:6379?db=0&client_name=x",
    f"redis://{SECRET}@localhost",
    f"unix://app:{SECRET}@/run/redis.sock?db=1",
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
    assert {option.name for option in fields(Config) if option.metadata["secret"]} == SECRETS


# --- Credentials that a callable gives ---------------------------------------------------------------------------------


@given(username=st.none() | names, password=texts | st.binary())
def test_credentials_are_a_password_or_a_pair(username: str | None, password: str | bytes) -> None:
    assert read_credentials((username, password)) == (username, password)
    assert read_credentials(password) == (None, password)


async def later() -> str:
    return SECRET


@pytest.mark.parametrize("answer", [None, 1, (SECRET,), (1, SECRET), [None, SECRET], ("u", None), {SECRET: SECRET}])
def test_other_answers_are_refused_without_being_shown(answer: object) -> None:
    with pytest.raises(
        TypeError, match=rf"a password or \(username, password\); got {type(answer).__name__}"
    ) as caught:
        read_credentials(answer)
    assert SECRET not in shows(caught.value)


def test_an_awaitable_answer_says_so() -> None:
    coroutine = later()
    with pytest.raises(TypeError, match="got coroutine: await it first"):
        read_credentials(coroutine)
    coroutine.close()


@pytest.mark.parametrize("answer", [("", SECRET), (SECRET + "\udcff", "p"), SECRET + "\udcff"])
def test_answers_that_no_server_can_be_sent(answer: object) -> None:
    with pytest.raises(ValueError, match="credentials returned") as caught:
        read_credentials(answer)
    assert SECRET not in shows(caught.value)


# --- One declaration, told in four places ------------------------------------------------------------------------------


def test_type_checkers_know_the_same_options() -> None:
    hints = get_type_hints(Config)
    assert get_type_hints(Options) == {option.name: hints[option.name] for option in fields(Config)}


def test_the_documentation_has_the_current_table() -> None:
    page = (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
    assert options_table() in page, "put what options_table() returns into docs/options.md"


def test_the_version_told_to_servers_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == VERSION


def test_importing_it_loads_neither_what_only_errors_need_nor_any_io() -> None:
    loaded = "import sys, resp_sansio._config; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {loaded}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {"difflib", "ipaddress", "socket", "ssl", "threading", "urllib"} & set(done.stdout.split())
