"""What an option may be, and how a URL says it.

Each option is of a kind: it tells in words what is allowed, checks a value and reads one from the text of a URL. The errors
here name the option and what came, unless that is a secret or could be a part of one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple, TypeAlias, TypeVar, get_args

from .._record import Record, field, fields

__all__ = [
    "ADDRESS_MAP",
    "BOOL",
    "DECODE",
    "DECODE_ERRORS",
    "FILE",
    "HOST",
    "LIMIT",
    "NAME",
    "PASSWORD",
    "PATH",
    "PLACES",
    "PORT",
    "PROTOCOL",
    "READ_FROM",
    "SECONDS",
    "SENTINEL_PORT",
    "WORD",
    "Kind",
    "Option",
    "Policy",
    "ReadFrom",
    "hint",
    "integer",
    "is_encoding",
    "is_text",
    "option",
    "options_of",
    "read_place",
    "shown",
    "suggestion",
]

T = TypeVar("T")

UNREADABLE: Final = object()  # what a reader returns instead of raising: an exception would carry the text
BOOLS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
# poll(2) takes its milliseconds as a C int: 24 days. Beyond that None says it better.
LONGEST: Final = 2_147_483
LONGEST_NAME: Final = 64  # of an encoding, and of an option or scheme that something near is looked for
# Outside brackets a host can hold none of RFC 3986's delimiters of a URL, and no escape.
NOT_IN_HOSTS: Final = frozenset(' /?#@[]\\%"<>^`{|}&=')


class Kind(NamedTuple):
    """What values of an option are allowed."""

    allowed: str
    """In words; `written` is the same for the text of a URL."""
    types: tuple[Any, ...]
    fits: Callable[[Any], bool] = lambda _: True
    """Whether a value of one of the types, not None, is allowed."""
    read: Callable[[str], object] | None = str
    """From the text of a URL, or `UNREADABLE`; None: a URL cannot say it."""
    written: str = "text"

    def or_none(self, word: str | None) -> Kind:
        """Return the kind that may be None as well, which a URL says by `word`; without one, by leaving the option out."""
        allowed, types = f"{self.allowed}, or None", (*self.types, type(None))
        if word is None or (read := self.read) is None:
            return self._replace(allowed=allowed, types=types)
        return self._replace(
            allowed=allowed,
            types=types,
            read=lambda text: None if text.lower() == word else read(text),
            written=f"{self.written}, or {word}",
        )


# --- Options -----------------------------------------------------------------------------------------------------------


class Option(NamedTuple):
    """What is declared of an option besides its name and default."""

    kind: Kind
    meaning: str
    secret: bool

    def check(self, name: str, value: object, *, hidden: bool = False) -> None:
        """Raise `TypeError` or `ValueError` for a value that is not allowed; the latter shows it unless it is `hidden`."""
        # True is an int in Python, but no port and no number of seconds.
        if not isinstance(value, self.kind.types) or (isinstance(value, bool) and bool not in self.kind.types):
            raise TypeError(f"{name} must be {self.kind.allowed}; got {type(value).__name__}")
        if value is not None and not self.kind.fits(value):
            raise ValueError(f"{name} must be {self.kind.allowed}{self._came(value, hidden)}")

    def read(self, name: str, text: str, *, hidden: bool) -> object:
        """Return the value that a text in a URL stands for, checked."""
        if self.kind.read is None:
            raise ValueError(f"{name} cannot be given in a URL; give it as a keyword")
        value = self.kind.read(text)
        if value is UNREADABLE:
            raise ValueError(f"{name} in a URL must be {self.kind.written}{self._came(text, hidden)}")
        self.check(name, value, hidden=hidden)
        return value

    def _came(self, value: object, hidden: bool) -> str:
        return "" if hidden or self.secret else f"; got {shown(value)}"


def option(default: T, kind: Kind, meaning: str, *, secret: bool = False) -> T:
    """Declare an option, as a field of a `Record`."""
    return field(default, option=Option(kind, meaning, secret))


DECLARED: Final[dict[type[Record], Mapping[str, Option]]] = {}  # made at the first question


def options_of(record: Record | type[Record]) -> Mapping[str, Option]:
    """Return the options that a record declares, by name."""
    kind = record if isinstance(record, type) else type(record)
    if (declared := DECLARED.get(kind)) is None:
        DECLARED[kind] = declared = {one.name: one.metadata["option"] for one in fields(kind)}
    return declared


# Options that a connection has not: keywords of these classes, which no URL can say.
OWNERS: Final = {
    **dict.fromkeys(("max_size", "min_size"), "Pool"),
    **dict.fromkeys(("lanes", "max_connections"), "Client"),
    **dict.fromkeys(
        ("breaker_failures", "breaker_seconds", "leak_after", "max_dials", "max_idle", "max_lifetime", "max_waiting"),
        "Pool and Client",
    ),
    **dict.fromkeys(("pre_ping", "retry"), "Pool and Client"),
}
# What others call them: redis-py and coredis, then aioredis, SQLAlchemy and go-redis.
CALLED_HERE: Final = {
    "address_remap": "address_map",
    "charset": "decode",
    "cluster_mode": "cluster",
    "credential_provider": "credentials",
    "decode_responses": "decode",
    "driver_info": "lib_name",
    "encoding": "decode",
    "encoding_errors": "decode_errors",
    "event_dispatcher": "observers",
    "health_check_interval": "ping_interval",
    "max_connections": "max_size",
    "max_idle_time": "max_idle",
    "retry_on_error": "retry",
    "retry_on_timeout": "retry",
    "sentinel_kwargs": "sentinel_password",
    "read_from_replicas": "read_from",
    "service_name": "master_name",
    "single_connection_client": "max_connections",
    "socket_connect_timeout": "connect_timeout",
    "socket_keepalive": "keepalive",
    "socket_keepalive_options": "keepalive",
    "socket_timeout": "timeout",
    "ssl": "tls",
    "ssl_ca_certs": "tls_ca_file",
    "ssl_ca_data": "ssl_context",
    "ssl_ca_path": "tls_ca_path",
    "ssl_cert_reqs": "tls_verify",
    "ssl_certfile": "tls_cert_file",
    "ssl_check_hostname": "tls_check_hostname",
    "ssl_ciphers": "ssl_context",
    "ssl_exclude_verify_flags": "ssl_context",
    "ssl_include_verify_flags": "ssl_context",
    "ssl_keyfile": "tls_key_file",
    "ssl_min_version": "ssl_context",
    "ssl_password": "tls_key_password",
    "startup_nodes": "cluster",
    "unix_socket_path": "path",
    "min_idle_conns": "min_size",
    "pool_recycle": "max_lifetime",
    "pool_size": "max_size",
}

# --- Words for messages ------------------------------------------------------------------------------------------------


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return the end of a message about an unknown name: the nearest one that is known, if any is near."""
    if len(name) > LONGEST_NAME:
        return ""
    from difflib import get_close_matches  # only ever needed for this sentence

    near = get_close_matches(name, list(known), 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def hint(name: str, known: Collection[str]) -> str:
    """Return the end of a message about an unknown option: whose it is, or what it is called here."""
    ours = CALLED_HERE.get(name, name)
    if name in OWNERS:
        return f": it is an option of {OWNERS[name]}{suggestion(ours, known) if ours in known else ''}"
    if ours in OWNERS and ours not in known:
        return f": it is called {ours!r} here, and is an option of {OWNERS[ours]}"
    return suggestion(ours, known)


def shown(value: object) -> str:
    """Return a value as a message shows it."""
    if isinstance(value, int) and value.bit_length() > 64:  # `repr` refuses to write a very long one
        return "a larger one"
    text = repr(value)
    if "@" in text:  # a whole URL, where something else was asked for
        return "text with an '@'"
    return text if len(text) <= 60 else text[:57] + "..."


# --- Kinds -------------------------------------------------------------------------------------------------------------


def _read_integer(text: str) -> object:
    plain = text.isascii() and text.isdigit() and len(text) < 20  # `int` would take "1_0", " 1" and Arabic digits
    return int(text) if plain and (text == "0" or not text.startswith("0")) else UNREADABLE


def _read_number(text: str) -> object:
    return float(text) if text.isascii() and text.replace(".", "", 1).isdigit() else UNREADABLE


def is_text(value: str | bytes) -> bool:
    """Tell whether UTF-8 can say it: a `str` with lone surrogates has none."""
    return isinstance(value, bytes) or value.isascii() or not any("\ud800" <= char <= "\udfff" for char in value)


@lru_cache(maxsize=64)  # each is asked for twice as a URL is read
def _is_host(text: str) -> bool:
    address, percent, zone = text.partition("%")
    if ":" in address:
        from ipaddress import IPv6Address  # costs milliseconds, and most hosts are names

        try:
            IPv6Address(address)
        except ValueError:
            return False
        return not percent or (zone != "" and zone.isprintable() and NOT_IN_HOSTS.isdisjoint(zone))
    if not text.isprintable() or not NOT_IN_HOSTS.isdisjoint(text):
        return False
    try:  # what Python's name resolution does to other names, and where it raises an error of its own
        name = text if text.isascii() else text.encode("idna").decode()
    except UnicodeError:
        return False
    return all([0 < len(label) < 64 for label in name.removesuffix(".").split(".")])  # RFC 1035


@lru_cache(maxsize=64)  # asked for each call that names one
def is_encoding(name: str) -> bool:
    """Tell whether text that is read in this encoding is sent again as the bytes that it came as: UTF-8 does that, and ASCII.

    Text is always sent as UTF-8. A key read as Latin-1 would not be found again, and some encodings cannot read all bytes.
    """
    # A mark at the beginning, escapes of several encodings (Python warns of unknown ones), characters, and every byte.
    probe = b"\xef\xbb\xbf\\u0041\\x41+AEE-\x1b$B!!" + "\xe9\u20ac\U0001f600".encode() + bytes(range(256))
    try:
        return probe.decode(name, "surrogateescape").encode("utf-8", "surrogateescape") == probe
    except (LookupError, ValueError):
        return False


def integer(least: int, most: int) -> Kind:
    """Return the kind of integers between two, both included."""
    return Kind(
        f"an integer from {least} to {most}",
        (int,),
        lambda value: least <= value <= most,
        _read_integer,
        "digits, no leading zeros",
    )


BOOL: Final = Kind(
    "True or False",
    (bool,),
    read=lambda text: BOOLS.get(text.lower(), UNREADABLE),
    written="true, false, yes, no, 1 or 0",
)
SECONDS: Final = Kind(
    f"seconds above 0 and up to {LONGEST}",
    (int, float),
    lambda value: 0 < value <= LONGEST,
    _read_number,
    "a decimal number",
).or_none("none")
HOST: Final = Kind("a host name or IP address, IPv6 without brackets", (str,), _is_host)
PORT: Final = 6379  # server.h, CONFIG_DEFAULT_SERVER_PORT
SENTINEL_PORT: Final = 26379  # sentinel.c, REDIS_SENTINEL_PORT


def read_place(given: object, port_if_none: int = PORT) -> tuple[str, int] | None:
    """Return host and port of `"host:port"`, `"host"`, `"[::1]:port"` or a pair of both; None if it is no such thing."""
    if isinstance(given, str):
        host, colon, port = given.rpartition(":")
        if not colon or given.endswith("]"):
            host, port = given, str(port_if_none)
        bracketed = host.startswith("[") and host.endswith("]")
        if bracketed != (":" in host):
            return None
        given = (host[1:-1] if bracketed else host, _read_integer(port))
    match given:
        case (str(host), int(number)) if type(number) is int and 1 <= number <= 65535 and HOST.fits(host):
            return host, number
        case _:
            return None


PLACES: Final = Kind(
    "a list of `host:port` or (host, port)",
    (list, tuple),
    lambda given: all([read_place(one) is not None for one in given]),
    lambda text: text.split(","),
    "host:port, joined by commas",
)
ADDRESS_MAP: Final = Kind("a callable that is given (host, port) and returns one", (Callable,), read=None).or_none(None)
NAME: Final = Kind("text that is not empty", (str,), lambda text: text != "" and is_text(text)).or_none(None)
PASSWORD: Final = Kind("text or bytes", (str, bytes), is_text).or_none(None)
FILE: Final = Kind("a path as str", (str,), lambda text: "\0" not in text and NAME.fits(text)).or_none(None)
# A NUL as the first character makes a name in Linux's abstract namespace, unix(7).
PATH: Final = FILE._replace(fits=lambda text: FILE.fits(text.removeprefix("\0")))
# networking.c, validateClientAttr: CLIENT LIST separates by spaces.
WORD: Final = Kind(
    "printable ASCII without spaces", (str,), lambda text: text != "" and all("!" <= char <= "~" for char in text)
)
PROTOCOL: Final = Kind("3 or 2", (int,), lambda value: value in (2, 3), _read_integer, "3 or 2")
DECODE: Final = Kind(
    "True (UTF-8), False, or a name of UTF-8 or ASCII, because text is sent as UTF-8",
    (bool, str),
    lambda value: isinstance(value, bool) or (len(value) <= LONGEST_NAME and is_encoding(value)),
    None,  # a type checker knows by the keyword whether data is bytes or text, and reads no URL
)
Policy: TypeAlias = Literal["strict", "surrogateescape", "replace", "backslashreplace", "ignore"]
"""What is done with data that is no text: see `bytes.decode`."""

DECODE_ERRORS: Final = Kind(" or ".join(get_args(Policy)), (str,), lambda name: name in get_args(Policy))
ReadFrom: TypeAlias = Literal["master", "replica", "any"]
"""Which servers of a cluster are read from."""

READ_FROM: Final = Kind(" or ".join(get_args(ReadFrom)), (str,), lambda name: name in get_args(ReadFrom))
LIMIT: Final = integer(1, 2**63 - 1)._replace(allowed="an integer from 1 to 2**63 - 1")
