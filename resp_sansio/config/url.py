"""A URL as a list of what it says: options by name, each as a text.

It is read strictly, by RFC 3986 and the IANA registration of `redis:`, and nothing that it says in its place or its
credentials is ever repeated in an error: a password with a forgotten `%40` can turn up in any part of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias

from .options import is_text, shown, suggestion

__all__ = ["Said", "Text", "address_of", "escape", "in_brackets", "read_url"]

SENTINEL: Final = "+sentinel"
CLUSTER: Final = "+cluster"
SCHEMES: Final = {  # speaks TLS?
    "redis": "no", "rediss": "yes", "valkey": "no", "valkeys": "yes", "unix": "no",
    "redis+sentinel": "no", "rediss+sentinel": "yes", "valkey+sentinel": "no", "valkeys+sentinel": "yes",
    "redis+cluster": "no", "rediss+cluster": "yes", "valkey+cluster": "no", "valkeys+cluster": "yes",
}  # fmt: skip
ALLOWED: Final = "redis://, rediss:// (TLS), valkey://, valkeys:// (TLS), one of these with +sentinel or +cluster before ://, or unix://"
UNRESERVED: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"  # RFC 3986
# Spaces, line ends and control characters.
FORBIDDEN: Final = frozenset(map(chr, (*range(0x21), 0x7F)))
HEX: Final = frozenset("0123456789abcdefABCDEF")

Text: TypeAlias = tuple[str, str]
"""The name of an option, and the text that stands for its value."""


class Said(NamedTuple):
    """What a URL says, escapes decoded."""

    parts: list[Text]
    """By its scheme, credentials and place: each option once."""
    query: list[Text]
    """By its query: any name, any number of times."""


def read_url(url: str) -> Said:
    """Take a URL apart. Raises `TypeError` for what is no `str`, `ValueError` for what is no URL of a server."""
    scheme, authority, path, query = _split(url)
    user, _, place = authority.rpartition("@")
    _, plus, kind = scheme.partition("+")
    read = READ_PLACES[kind] if plus else _read_socket if scheme == "unix" else _read_address
    return Said([("tls", SCHEMES[scheme]), *_read_user(user), *read(place, path)], [*_read_query(query)])


def _split(url: str) -> tuple[str, str, str, str]:
    """Return scheme, authority, path and query, sure that credentials can only be before the one '@', or be query options."""
    if not isinstance(url, str):
        raise TypeError(f"a URL must be str; got {type(url).__name__}")
    if not FORBIDDEN.isdisjoint(url) or not is_text(url):
        raise ValueError("a URL must not contain spaces, line ends or control characters; write them as %20, %0A ...")
    scheme, found, rest = url.partition("://")
    if not found:
        raise ValueError(f"a URL must begin with {ALLOWED}")
    scheme = scheme.lower()
    if scheme not in SCHEMES:
        # Without an '@' in what follows, this cannot be a password that holds "://" itself.
        named = f" {shown(scheme)}" if "@" not in rest and scheme.replace("+", "").replace("-", "").isalnum() else ""
        near = "; did you mean 'unix'?" if "unix" in scheme or "sock" in scheme else suggestion(scheme, SCHEMES)
        raise ValueError(f"unknown URL scheme{named}: it must be {ALLOWED}{near}")
    if "#" in rest:
        raise ValueError("a URL must not have a fragment; write a '#' as %23")
    rest, _, query = rest.partition("?")
    authority, slash, path = rest.partition("/")
    if "@" in path or "@" in query or authority.count("@") > 1:
        raise ValueError(
            "a URL has at most one '@', after the credentials; elsewhere write %40, and within credentials "
            "%2F for '/', %3F for '?', %23 for '#'"
        )
    return scheme, authority, slash + path, query


def _read_user(user: str) -> Iterator[Text]:
    username, colon, password = user.partition(":")
    if username:
        yield "username", _unescape(username)
    if colon:
        yield "password", _unescape(password)


def _read_socket(place: str, path: str) -> Iterator[Text]:
    if place or len(path) < 2:
        raise ValueError("a unix:// URL must give an absolute path and no host: unix:///path/to/socket")
    yield "path", _unescape(path)


def _read_sentinels(place: str, path: str) -> Iterator[Text]:
    if not place:
        raise ValueError("a +sentinel:// URL must say where a sentinel listens: redis+sentinel://host:26379/mymaster")
    yield "sentinels", _unescape(place)
    name, _, db = path[1:].partition("/")
    if name:
        yield "master_name", _unescape(name)
    if db:
        yield "db", db


def _read_cluster(place: str, path: str) -> Iterator[Text]:
    if not place:
        raise ValueError("a +cluster:// URL must say where a server listens: redis+cluster://host:6379")
    yield "cluster", _unescape(place)
    if len(path) > 1:
        yield "db", path[1:]


def _read_address(place: str, path: str) -> Iterator[Text]:
    if place.startswith("["):
        host, bracket, port = place[1:].partition("]")
        if not bracket or ":" not in host or port[:1] not in ("", ":"):
            raise ValueError("an IPv6 address in a URL must be in brackets, with the port behind them: [::1]:6379")
        if "%" in host and "%25" not in host:
            raise ValueError("the zone of an IPv6 address in a URL must follow %25 (RFC 6874): [fe80::1%25eth0]")
        port = port[1:]
    else:
        host, _, port = place.partition(":")
        if ":" in port:
            raise ValueError("the place in a URL must be host:port; IPv6 addresses must be in brackets")
    if host:
        yield "host", _unescape(host)
    if port:
        yield "port", port
    if len(path) > 1:
        yield "db", path[1:]


READ_PLACES: Final = {"sentinel": _read_sentinels, "cluster": _read_cluster}


def _read_query(query: str) -> Iterator[Text]:
    for pair in query.split("&") if query else ():
        name, equals, text = pair.partition("=")
        if not name or not equals:
            raise ValueError("the query of a URL must be option=value, joined by '&'")
        yield _unescape(name), _unescape(text)


def _unescape(text: str) -> str:
    """Decode escapes once. Python's own decoder would let a broken escape through, and its error would quote the text."""
    first, *rest = text.split("%")
    data = bytearray(first.encode())
    for piece in rest:
        if len(piece) < 2 or not HEX.issuperset(piece[:2]):
            raise ValueError("a '%' in a URL must be followed by two hexadecimal digits; write a '%' itself as %25")
        data += bytes.fromhex(piece[:2]) + piece[2:].encode()
    try:
        return data.decode()
    except UnicodeDecodeError:
        pass  # raised below instead, without this error as its context
    raise ValueError("the escapes in a URL must be UTF-8; give a password of other bytes as a keyword")


def escape(text: str, safe: str = "/") -> str:
    """Write a text as a URL can hold it, as UTF-8."""
    plain = frozenset(UNRESERVED + safe.encode())
    return "".join(chr(byte) if byte in plain else f"%{byte:02X}" for byte in text.encode())


def in_brackets(host: str) -> str:
    """Put an IPv6 address in the brackets that a port needs before it."""
    return f"[{host}]" if ":" in host else host


def address_of(place: tuple[str, int]) -> str:
    """Return a host and a port as text."""
    return f"{in_brackets(place[0])}:{place[1]}"
