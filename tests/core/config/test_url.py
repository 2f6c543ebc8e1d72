"""URLs: what one says is what was encoded, and no error repeats any of it."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resp_sansio import Config
from resp_sansio.config.url import Said, Text, escape, in_brackets, read_url

texts = st.text(st.characters(exclude_categories=["Cs"]))
names = texts.filter(bool)
pairs = st.lists(st.tuples(names, texts))


def encoded(text: str) -> str:
    return quote(text, safe="")


def asked(pairs: list[Text]) -> str:
    return "?" + "&".join(f"{encoded(name)}={encoded(text)}" for name, text in pairs)


def user(username: str, password: str | None) -> str:
    return encoded(username) + ("" if password is None else f":{encoded(password)}")


def said(**parts: str | None) -> list[Text]:
    """What is said, in the order of a URL."""
    return [(name, text) for name, text in parts.items() if text is not None]


@given(
    scheme=st.sampled_from(["redis", "rediss", "valkey", "valkeys", "REDIS", "Rediss"]),
    username=texts,
    password=st.none() | texts,
    host=texts | st.ip_addresses(v=6).map(str),
    port=st.none() | st.integers(0),
    db=st.none() | st.integers(0),
    query=pairs,
)
def test_percent_encoded_urls_say_what_was_encoded(
    scheme: str, username: str, password: str | None, host: str, port: int | None, db: int | None, query: list[Text]
) -> None:
    place = (f"[{host}]" if re.fullmatch("[0-9a-f:.]*:[0-9a-f:.]*", host) else encoded(host)) + (
        "" if port is None else f":{port}"
    )
    path = "" if db is None else f"/{db}"
    assert read_url(f"{scheme}://{user(username, password)}@{place}{path}{asked(query)}") == Said(
        said(
            tls="yes" if scheme.lower() in ("rediss", "valkeys") else "no",
            username=username or None,
            password=password,
            host=host or None,
            port=None if port is None else str(port),
            db=None if db is None else str(db),
        ),
        query,
    )


@given(username=names, password=texts, path=names, query=pairs)
def test_unix_urls_say_a_path(username: str, password: str, path: str, query: list[Text]) -> None:
    parts = said(tls="no", username=username, password=password, path="/" + path)
    assert read_url(f"unix://{user(username, password)}@/{quote(path)}{asked(query)}") == Said(parts, query)


@given(text=texts, safe=st.sampled_from(["", "/", ":"]))
def test_an_escaped_text_can_stand_in_a_url(text: str, safe: str) -> None:
    assert escape(text, safe) == quote(text, safe=safe)
    assert unquote(escape(text)) == text


def test_an_ipv6_address_stands_in_brackets() -> None:
    assert in_brackets("::1") == "[::1]"
    assert in_brackets("localhost") == "localhost"


@given(st.text() | st.text().map("redis://".__add__) | st.text("redis:/?#[]@!&=%:0aü ").map("redis://".__add__))
def test_any_text_is_a_url_or_a_value_error(text: str) -> None:
    try:
        read_url(text)
    except ValueError as refused:
        error = refused
    else:
        return
    assert error.__context__ is None


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("redis://", {}),
        ("redis:///", {}),
        ("redis://@", {}),
        ("redis://:", {}),
        ("redis://?", {}),
        ("redis://:@", {"password": ""}),
        ("redis://:7000/", {"port": "7000"}),
        ("redis://db.example/12", {"host": "db.example", "db": "12"}),
        ("redis://db.example/1/2", {"host": "db.example", "db": "1/2"}),
        ("redis://127.0.0.1:6380", {"host": "127.0.0.1", "port": "6380"}),
        ("redis://[::1]", {"host": "::1"}),
        ("redis://[fe80::1%25eth0]:6380/1", {"host": "fe80::1%eth0", "port": "6380", "db": "1"}),
        ("redis://app@", {"username": "app"}),
        ("redis://:a+b=c:d@", {"password": "a+b=c:d"}),
        ("redis://:p%40ss%2Fw%C3%B6rd@", {"password": "p@ss/wörd"}),
        ("redis://:%2525@", {"password": "%25"}),  # decoded once
        ("redis://:pässword@", {"password": "pässword"}),
        ("unix:///run/a%40b.sock", {"path": "/run/a@b.sock"}),
    ],
)
def test_urls(url: str, parts: dict[str, str]) -> None:
    assert read_url(url) == Said(said(tls="no", **parts), [])


def test_a_query_says_anything_in_its_order() -> None:
    url = "rediss://?db=1&password=a+b=c:d&path=%00abstract&db=&x%26=1"
    query = [("db", "1"), ("password", "a+b=c:d"), ("path", "\0abstract"), ("db", ""), ("x&", "1")]
    assert read_url(url) == Said([("tls", "yes")], query)


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
        ("redis://?db", "option=value"),
        ("redis://?db=1&", "option=value"),
        ("redis://?=1", "option=value"),
        ("redis://:%zz@", "two hexadecimal digits"),
        ("redis://:%a@", "two hexadecimal digits"),
        ("redis://:%ff@", "must be UTF-8"),
        ("unix://", "absolute path and no host"),
        ("unix:///", "absolute path and no host"),
        ("unix://run/redis.sock", "unix:///path/to/socket"),
    ],
)
def test_bad_urls(url: str, error: str) -> None:
    with pytest.raises(ValueError, match=re.escape(error)):
        read_url(url)


SECRET: Final = "hunter2"


@pytest.mark.parametrize(
    "url",
    [
        "{long}://localhost",
        "{long}",
        "redis://{long}:{long}",
        "redis://[{long}",
        "redis://h/{long}",
        "redis://h?{long}=1",
        "redis://h?{long}",
        "redis://h?db={long}",
        "redis://h?db=1&db={long}",
        "redis://h?timeout={long}",
        "redis://h?decode={long}",
        "redis://h?client_name=%20{long}",
        "redis://:hunter2@h?{long}=1",
        "redis://:hunter2@h:{long}",
        "redis://:hunter2@h/{long}",
        "{long}://:hunter2@h",
        "redis://h?password=hunter2&passwort={long}",
        "redis://h?password={long}hunter2&{long}=hunter2",
    ],
)
def test_an_error_about_a_url_is_short_and_tells_no_secret(url: str) -> None:
    for long in ("x" * 1_000_000, "1" * 1_000_000, "%C3%A9" * 100_000):
        with pytest.raises((ValueError, TypeError)) as refused:
            Config.from_url(url.format(long=long))
        assert len(str(refused.value)) < 500
        assert SECRET not in str(refused.value)


@pytest.mark.parametrize("url", [None, b"redis://localhost", 6379])
def test_a_url_is_text(url: Any) -> None:
    with pytest.raises(TypeError, match=f"a URL must be str; got {type(url).__name__}"):
        read_url(url)
