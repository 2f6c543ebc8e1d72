"""Options: what each kind allows, how a URL says it, and what an error tells of what came."""

from __future__ import annotations

import encodings.aliases
import re
import warnings
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from resp_sansio._record import Record
from resp_sansio.config.options import (
    BOOL,
    DECODE,
    DECODE_ERRORS,
    FILE,
    HOST,
    LIMIT,
    NAME,
    PASSWORD,
    PATH,
    PROTOCOL,
    SECONDS,
    WORD,
    Kind,
    Option,
    integer,
    is_encoding,
    is_text,
    option,
    options_of,
    shown,
    suggestion,
)
from resp_sansio.wire.encoder import encode_command
from resp_sansio.wire.values import as_text

texts = st.text(st.characters(exclude_categories=["Cs"]))
names = texts.filter(bool)
files = names.filter(lambda text: "\0" not in text)
words = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1)
labels = st.from_regex(r"[a-z0-9_]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
hosts = st.one_of(
    st.lists(labels, min_size=1, max_size=4).map(".".join),
    st.ip_addresses(v=4).map(str),
    st.builds("{}{}".format, st.ip_addresses(v=6), st.sampled_from(["", "%eth0", "%1", "%en0.100"])),
    st.sampled_from(["bücher.example", "localhost.", "例え.テスト"]),
)

OBJECT: Final = Kind("an object", (object,), read=None)
SMALL: Final = integer(-3, 3)

# What each kind allows and a URL can say.
ALLOWED: Final[dict[str, tuple[Kind, st.SearchStrategy[Any]]]] = {
    "bool": (BOOL, st.booleans()),
    "decode_errors": (DECODE_ERRORS, st.sampled_from(["strict", "replace", "surrogateescape"])),
    "file": (FILE, files),
    "host": (HOST, hosts),
    "limit": (LIMIT, st.integers(1, 2**63 - 1)),
    "name": (NAME, names),
    "password": (PASSWORD, texts),
    "path": (PATH, files | files.map("\0".__add__)),
    "protocol": (PROTOCOL, st.sampled_from([2, 3])),
    "seconds": (SECONDS, st.none() | st.integers(1, 10**9).map(lambda thousandths: thousandths / 1000)),
    "small": (SMALL, st.integers(0, 3)),
    "word": (WORD, words),
    "word or none": (WORD.or_none("none"), st.none() | words.filter(lambda word: word.lower() != "none")),
}


def spelled(value: object) -> str:
    """How a URL says a value."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)


def reads(kind: Kind, text: str, *, hidden: bool = False, secret: bool = False) -> object:
    return Option(kind, "", secret).read("it", text, hidden=hidden)


def takes(kind: Kind, value: object, *, hidden: bool = False, secret: bool = False) -> None:
    Option(kind, "", secret).check("it", value, hidden=hidden)


# --- Kinds -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALLOWED)
@given(data=st.data())
def test_a_url_can_say_every_value_that_is_allowed(name: str, data: st.DataObject) -> None:
    kind, values = ALLOWED[name]
    value = data.draw(values)
    takes(kind, value)
    assert reads(kind, spelled(value)) == value
    takes(kind.or_none(None), None)


@pytest.mark.parametrize("name", ALLOWED)
@given(text=st.text() | st.text("0123456789.-+_eE:%[]/ "))
def test_any_text_is_an_allowed_value_or_a_value_error(name: str, text: str) -> None:
    kind, _ = ALLOWED[name]
    try:
        value = reads(kind, text)
    except ValueError as refused:
        error = refused
    else:
        takes(kind, value)
        return
    assert error.__context__ is None


@given(host=hosts)
def test_a_host_ends_where_a_url_says_so(host: str) -> None:
    assume("%" not in host)
    place = f"[{host}]" if ":" in host else host
    assert urlsplit(f"redis://{place}:1/2?a=b#c").hostname == host.lower()


@pytest.mark.parametrize("kind", [SECONDS, SMALL, LIMIT, PROTOCOL])
def test_a_bool_is_no_number(kind: Kind) -> None:
    with pytest.raises(TypeError, match="it must be .*; got bool"):
        takes(kind, True)


@pytest.mark.parametrize(
    ("kind", "value", "error"),
    [
        (SMALL, -4, "it must be an integer from -3 to 3; got -4"),
        (SMALL, 4, "got 4"),
        (LIMIT, 0, "it must be an integer from 1 to 2**63 - 1; got 0"),
        (SECONDS, 0, "it must be seconds above 0 and up to 2147483, or None; got 0"),
        (SECONDS, 2_147_484, "got 2147484"),
        (SECONDS, float("nan"), "got nan"),
        (SECONDS, float("inf"), "got inf"),
        (HOST, "", "it must be a host name or IP address"),
        (HOST, ".", "it must be a host name or IP address"),
        (HOST, "a..b", "it must be a host name or IP address"),
        (HOST, "1:2", "got '1:2'"),
        (HOST, "a" * 64, "got 'aaa"),
        (HOST, "ü." + "ü" * 80, "got 'ü.üüü"),
        (HOST, "[::1]", "IPv6 without brackets; got '[::1]'"),
        (HOST, "localhost:6379", "got 'localhost:6379'"),
        (HOST, "a\nb", "got 'a\\nb'"),
        (HOST, "a b", "got 'a b'"),
        (HOST, "fe80::1%", "got 'fe80::1%'"),
        (HOST, "fe80::1%a b", "got 'fe80::1%a b'"),
        (HOST, "fe80::1%a\nb", "got 'fe80::1%a\\nb'"),
        (HOST, "redis://:hunter2@localhost", "got text with an '@'"),
        (NAME, "", "it must be text that is not empty, or None; got ''"),
        (NAME, "\udcff", "it must be text that is not empty"),
        (PASSWORD, "\udcff", "it must be text or bytes, or None"),
        (FILE, "", "it must be a path as str, or None; got ''"),
        (FILE, "\0ca.pem", "it must be a path"),
        (PATH, "\0", "it must be a path"),
        (PATH, "/run/\0", "it must be a path"),
        (WORD, "", "it must be printable ASCII without spaces; got ''"),
        (WORD, "a b", "got 'a b'"),
        (WORD, "1\n2", "got '1\\n2'"),
        (WORD, "ü" * 99, "got '" + "ü" * 56 + "..."),
        (PROTOCOL, 1, "it must be 3 or 2; got 1"),
        (
            DECODE,
            "klingon",
            "it must be True (UTF-8), False, or a name of UTF-8 or ASCII, because text is sent as UTF-8; got 'klingon'",
        ),
        (DECODE, "hex", "got 'hex'"),
        (DECODE, "a\0b", "got 'a\\x00b'"),
    ],
)
def test_values_that_are_not_allowed(kind: Kind, value: object, error: str) -> None:
    with pytest.raises(ValueError, match=re.escape(error)):
        takes(kind, value)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (BOOL, "YES", True),
        (BOOL, "0", False),
        (SECONDS, "NONE", None),
        (SECONDS, ".5", 0.5),
        (SECONDS, "2", 2),
        (WORD, "none", "none"),
        (WORD.or_none(None), "none", "none"),
        (PATH, "\0abstract", "\0abstract"),
    ],
)
def test_texts(kind: Kind, text: str, value: object) -> None:
    assert reads(kind, text) == value


@pytest.mark.parametrize(
    ("kind", "text", "error"),
    [
        (BOOL, "maybe", "it in a URL must be true, false, yes, no, 1 or 0; got 'maybe'"),
        (SECONDS, "soon", "it in a URL must be a decimal number, or none; got 'soon'"),
        (SECONDS, "1e3", "a decimal number"),
        (SECONDS, "", "a decimal number"),
        (SECONDS, "0", "it must be seconds above 0"),
        (SECONDS, "9" * 500, "it must be seconds above 0"),
        (SMALL, "03", "it in a URL must be digits, no leading zeros; got '03'"),
        (SMALL, "-1", "must be digits"),
        (SMALL, "1_0", "must be digits"),
        (SMALL, "٦", "must be digits"),
        (SMALL, "9" * 5000, "must be digits"),
        (SMALL, "4", "it must be an integer from -3 to 3; got 4"),
        (PROTOCOL, "4", "it must be 3 or 2; got 4"),
        (OBJECT, "x", "it cannot be given in a URL; give it as a keyword"),
        (OBJECT.or_none("none"), "none", "it cannot be given in a URL; give it as a keyword"),
    ],
)
def test_texts_that_are_not_allowed(kind: Kind, text: str, error: str) -> None:
    with pytest.raises(ValueError, match=re.escape(error)):
        reads(kind, text)


@given(text=st.text(st.characters()))
def test_text_is_what_utf_8_can_say(text: str) -> None:
    assert is_text(text) == (text.encode(errors="ignore").decode() == text)
    assert is_text(text.encode(errors="surrogatepass"))


# --- Declared options --------------------------------------------------------------------------------------------------


class Base(Record):
    size: int = option(1, SMALL, "Of a thing.")


class Wider(Base):
    key: str | None = option(None, NAME, "To it.", secret=True)


def test_options_are_declared_as_fields() -> None:
    assert (Wider().size, Wider(key="k").key) == (1, "k")
    assert options_of(Base) == {"size": Option(SMALL, "Of a thing.", secret=False)}
    assert options_of(Wider()) == {**options_of(Base), "key": Option(NAME, "To it.", secret=True)}


@pytest.mark.parametrize(("hidden", "secret"), [(True, False), (False, True), (True, True)])
def test_no_error_shows_what_is_secret_or_hidden(hidden: bool, secret: bool) -> None:
    with pytest.raises(ValueError, match="^it must be printable ASCII without spaces$"):
        takes(WORD, "hunter 2", hidden=hidden, secret=secret)
    with pytest.raises(ValueError, match="^it in a URL must be digits, no leading zeros$"):
        reads(SMALL, "hunter2", hidden=hidden, secret=secret)
    with pytest.raises(TypeError, match="^it must be an integer from -3 to 3; got str$"):
        takes(SMALL, "hunter2", hidden=hidden, secret=secret)


# --- Words for messages ------------------------------------------------------------------------------------------------


def test_the_nearest_name_is_suggested() -> None:
    assert suggestion("tiemout", {"timeout": 1, "db": 2}) == "; did you mean 'timeout'?"
    assert suggestion("db", ["timeout", "db"]) == "; did you mean 'db'?"
    assert suggestion("zzz", ["timeout", "db"]) == ""


@given(st.text() | st.integers() | st.binary() | st.floats())
def test_a_shown_value_is_short_and_no_url_with_credentials(value: object) -> None:
    assert len(shown(value)) <= 60
    assert "@" not in shown(value) or shown(value) == "text with an '@'"


def test_an_integer_too_long_to_be_written_is_told_as_such() -> None:
    assert shown(10**5000) == "a larger one"


@pytest.mark.parametrize("name", ["utf-8", "UTF8", "u8", "utf_8", "ascii", "US-ASCII"])
@given(data=st.binary())
def test_what_is_read_in_an_encoding_is_sent_again_as_it_came(name: str, data: bytes) -> None:
    assert is_encoding(name)
    text = as_text(data, name)
    assert isinstance(text, str)
    assert encode_command(("ECHO", text)) == encode_command(("ECHO", data))


# Every encoding that Python has, by https://docs.python.org/3/library/codecs.html#standard-encodings and its own list.
ENCODINGS: Final = sorted(
    {*encodings.aliases.aliases.values(), "nope", "", "a\0b", "idna", "punycode", "raw_unicode_escape"}
)


@pytest.mark.parametrize("name", [name for name in ENCODINGS if name not in ("utf_8", "ascii")])
def test_all_others_are_refused(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not is_encoding(name)
