"""How a connection is made and kept: one immutable value, from a URL, from keywords or from both.

Every option is declared once, as a field of `Config` with its kind, default and meaning. The check of a value, the reading
of a URL's query, the representation without secrets and the page of options in the documentation all follow from that.

A URL is read strictly, by RFC 3986 and the IANA registration of `redis:`, and nothing that it says in its place or its
credentials is ever repeated in an error: a password with a forgotten `%40` can turn up in any part of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from typing import (
    Any,
    Final,
    Literal,
    NamedTuple,
    Protocol,
    Self,
    TypeAlias,
    TypedDict,
    TypeVar,
    Unpack,
    runtime_checkable,
)

from ._parser import Limits
from ._record import Record, field, fields

__all__ = [
    "VERSION",
    "Config",
    "CredentialProvider",
    "Credentials",
    "Options",
    "TLSContext",
    "options_table",
    "read_credentials",
]

VERSION: Final = "0.1.0"

Credentials: TypeAlias = str | bytes | tuple[str | None, str | bytes]
"""A password, or a user name and a password. Redis takes any bytes as a password; a `str` is sent as UTF-8."""

CredentialProvider: TypeAlias = Callable[[], Credentials | Awaitable[Credentials]]
"""Asked at each dial, so that tokens may change. A blocking adapter takes no awaitable."""


@runtime_checkable
class TLSContext(Protocol):
    """What the core knows of an `ssl.SSLContext`, without importing `ssl`. Adapters take the real class only."""

    def wrap_bio(self, incoming: Any, outgoing: Any, server_side: bool = ..., server_hostname: str | None = ...) -> Any:
        """Begin TLS over two memory buffers."""


# --- Kinds: what an option may be, and how a URL says it ---------------------------------------------------------------

_UNREADABLE: Final = object()  # what a reader returns instead of raising: an exception would carry the text
_WORDS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
# poll(2) takes its milliseconds as a C int: 24 days. Beyond that None says it better.
_LONGEST: Final = 2_147_483
_UNRESERVED: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"  # RFC 3986
_HEX: Final = frozenset("0123456789abcdefABCDEF")
# Outside brackets a host can hold none of RFC 3986's delimiters of a URL, and no escape.
_NOT_IN_HOSTS: Final = frozenset(' /?#@[]\\%"<>^`{|}')


class _Kind(NamedTuple):
    allowed: str
    types: tuple[Any, ...]
    fits: Callable[[Any], bool] = lambda _: True
    read: Callable[[str], object] | None = str
    """From the text of a URL; None: a URL cannot say it."""
    written: str = "text"

    def or_none(self, word: str | None) -> _Kind:
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


def _read_integer(text: str) -> object:
    plain = text.isascii() and text.isdigit() and len(text) < 20  # `int` would take "1_0", " 1" and Arabic digits
    return int(text) if plain and (text == "0" or not text.startswith("0")) else _UNREADABLE


def _read_number(text: str) -> object:
    return float(text) if text.isascii() and text.replace(".", "", 1).isdigit() else _UNREADABLE


def _read_bool(text: str) -> object:
    return _WORDS.get(text.lower(), _UNREADABLE)


def _is_text(value: str | bytes) -> bool:
    """A `str` with lone surrogates has no UTF-8."""
    return isinstance(value, bytes) or value.isascii() or not any("\ud800" <= char <= "\udfff" for char in value)


def _is_host(text: str) -> bool:
    address, percent, zone = text.partition("%")
    if ":" in address:
        from ipaddress import IPv6Address  # costs milliseconds, and most hosts are names

        try:
            IPv6Address(address)
        except ValueError:
            return False
        return not percent or (zone != "" and zone.isprintable() and _NOT_IN_HOSTS.isdisjoint(zone))
    if not text.isprintable() or not _NOT_IN_HOSTS.isdisjoint(text):
        return False
    try:  # what Python's name resolution does to other names, and where it raises an error of its own
        name = text if text.isascii() else text.encode("idna").decode()
    except UnicodeError:
        return False
    return all(0 < len(label) < 64 for label in name.removesuffix(".").split("."))  # RFC 1035


def _is_encoding(value: bool | str) -> bool:
    try:
        return isinstance(value, bool) or bool("a".encode(value))
    except (LookupError, ValueError):
        return False


def _integer(least: int, most: int) -> _Kind:
    def fits(value: int) -> bool:
        return least <= value <= most

    return _Kind(f"an integer from {least} to {most}", (int,), fits, _read_integer, "digits, no leading zeros")


_BOOL: Final = _Kind("True or False", (bool,), read=_read_bool, written="true, false, yes, no, 1 or 0")
_SECONDS: Final = _Kind(
    f"seconds above 0 and up to {_LONGEST}",
    (int, float),
    lambda value: 0 < value <= _LONGEST,
    _read_number,
    "a decimal number",
).or_none("none")
_HOST: Final = _Kind("a host name or IP address, IPv6 without brackets", (str,), _is_host)
_NAME: Final = _Kind("text that is not empty", (str,), lambda text: text != "" and _is_text(text)).or_none(None)
_PASSWORD: Final = _Kind("text or bytes", (str, bytes), _is_text).or_none(None)
_FILE: Final = _Kind("a path as str", (str,), lambda text: text != "" and "\0" not in text and _is_text(text)).or_none(
    None
)
# A NUL as the first character makes a name in Linux's abstract namespace, unix(7).
_PATH: Final = _FILE._replace(fits=lambda text: _FILE.fits(text.removeprefix("\0")))
# networking.c, validateClientAttr: CLIENT LIST separates by spaces.
_WORD: Final = _Kind(
    "printable ASCII without spaces", (str,), lambda text: text != "" and all("!" <= char <= "~" for char in text)
)
_PROTOCOL: Final = _Kind("3 or 2", (int,), lambda value: value in (2, 3), _read_integer, "3 or 2")
_DECODE: Final = _Kind(
    "True (UTF-8), False, or the name of a text encoding",
    (bool, str),
    _is_encoding,
    lambda text: _WORDS.get(text.lower(), text),
    "true, false, or an encoding",
)
_PROVIDER: Final = _Kind("a callable without arguments", (Callable,), read=None).or_none(None)
_CONTEXT: Final = _Kind("an ssl.SSLContext", (TLSContext,), read=None).or_none(None)
_LIMIT: Final = _integer(1, 2**63 - 1)._replace(allowed="an integer from 1 to 2**63 - 1")

_T = TypeVar("_T")


def _option(default: _T, kind: _Kind, meaning: str, *, secret: bool = False) -> _T:
    return field(default, kind=kind, meaning=meaning, secret=secret)


# --- The options -------------------------------------------------------------------------------------------------------

_LIMITS: Final = Limits()
# About what Redis keeps for a subscriber that does not read: 32 MiB (client-output-buffer-limit), in pushes of 3 KiB.
MAX_PUSHES: Final = 10_000


class Config(Record):
    """Where the server is, who asks, and what a connection to it may do. Immutable, checked, compared by value.

    `Config(**options)` and `Config.from_url(url, **options)` take the same options, which `options_table()` describes. Raises
    `TypeError` for an unknown option (with the nearest name) or a value of the wrong type, `ValueError` for a value that is
    not allowed or that contradicts another. User names, passwords and their providers show in no `repr`, no error and no
    pickle: a configuration that holds a secret cannot be pickled.
    """

    host: str = _option("localhost", _HOST, "Where the server listens.")
    port: int = _option(6379, _integer(1, 65535), "TCP port.")
    path: str | None = _option(None, _PATH, "Unix socket to use instead of `host` and `port`.")
    db: int = _option(0, _integer(0, 2**31 - 1), "Database that the handshake selects.")
    username: str | None = _option(None, _NAME, "ACL user; without it the server's default user.", secret=True)
    password: str | bytes | None = _option(None, _PASSWORD, "Password of the user.", secret=True)
    credentials: CredentialProvider | None = _option(
        None,
        _PROVIDER,
        "Asked at each dial; returns a password or `(username, password)`. In async adapters it may be async.",
        secret=True,
    )
    protocol: Literal[2, 3] = _option(3, _PROTOCOL, "RESP version: 3 falls back to 2 on old servers, 2 never asks.")
    client_name: str | None = _option(None, _WORD.or_none(None), "Shown by CLIENT LIST (CLIENT SETNAME).")
    lib_name: str | None = _option("resp-sansio", _WORD.or_none("none"), "CLIENT SETINFO LIB-NAME; None sends none.")
    lib_version: str | None = _option(VERSION, _WORD.or_none("none"), "CLIENT SETINFO LIB-VER; None sends none.")
    # Callers wait for seconds, not minutes; 5 s is what redis-py 8 and StackExchange.Redis give a call.
    timeout: float | None = _option(
        5.0, _SECONDS, "For a whole call, retries included; a blocking command adds its own. None: no limit."
    )
    # go-redis's DialTimeout.
    connect_timeout: float | None = _option(
        5.0, _SECONDS, "For a dial: name resolution, connecting, TLS and handshake. None: no limit."
    )
    # redis.conf's tcp-keepalive and go-redis use the same 300 s; an AWS load balancer forgets a flow after 350 s.
    keepalive: int | None = _option(
        300,
        _integer(1, 32767).or_none("none"),  # TCP_KEEPIDLE's largest, tcp(7)
        "Seconds of silence before TCP keep-alive probes. None: no probes.",
    )
    ping_interval: float | None = _option(None, _SECONDS, "Send PING after this long without traffic. None: never.")
    silence_timeout: float | None = _option(
        None,
        _SECONDS,
        "A connection that owes replies and reads nothing for this long is lost (blocking commands excepted). None: never.",
    )
    decode: bool | str = _option(False, _DECODE, "Give bulk replies as text.")
    lenient_push: bool = _option(False, _BOOL, "Accept pushes inside aggregates, which Redis 6 sends.")
    max_pushes: int = _option(
        MAX_PUSHES, _LIMIT, "Pushes kept for a reader that does not come; one more ends the connection."
    )
    limit_depth: int = _option(_LIMITS.depth, _LIMIT, "Nesting of a reply.")
    limit_bulk: int = _option(_LIMITS.bulk, _LIMIT, "Bytes of one bulk.")
    limit_line: int = _option(_LIMITS.line, _LIMIT, "Bytes of one line.")
    limit_elements: int = _option(_LIMITS.elements, _LIMIT, "Elements of one aggregate.")
    limit_reply: int = _option(_LIMITS.reply, _LIMIT, "Bytes of one reply.")
    tls: bool = _option(False, _BOOL, "Speak TLS; `rediss://` and `valkeys://` say so.")
    tls_ca_file: str | None = _option(None, _FILE, "Certificates to trust (PEM) instead of the system's.")
    tls_ca_path: str | None = _option(None, _FILE, "Directory of certificates to trust instead of the system's.")
    tls_cert_file: str | None = _option(None, _FILE, "Client certificate (PEM).")
    tls_key_file: str | None = _option(None, _FILE, "Its key, if not in the same file.")
    tls_key_password: str | bytes | None = _option(None, _PASSWORD, "Password of the key.", secret=True)
    tls_verify: bool = _option(True, _BOOL, "Check the server's certificate. False checks nothing, the name included.")
    tls_check_hostname: bool = _option(True, _BOOL, "Check that the certificate names the host.")
    tls_server_name: str | None = _option(None, _HOST.or_none(None), "Name to ask for and to check instead of `host`.")
    ssl_context: TLSContext | None = _option(None, _CONTEXT, "Used as it is, instead of the `tls_` options above.")

    def __new__(cls, *args: object, **options: object) -> Self:
        """Name the nearest option if one is unknown, which the generated `__init__` would not."""
        if args:
            raise TypeError(f"{cls.__name__} takes keywords only; to read a URL, call {cls.__name__}.from_url")
        _refuse_unknown(cls, options)
        return object.__new__(cls)

    def __post_init__(self) -> None:
        for option in fields(self):
            if (value := getattr(self, option.name)) is not option.default:
                _check(option.name, value, option.metadata)
        _check_together(self._changed())

    @classmethod
    def from_url(cls, url: str, /, **options: Unpack[Options]) -> Self:
        """Read `redis://`, `rediss://`, `valkey://`, `valkeys://` or `unix://`; a keyword wins over what the URL says.

            redis://[[username]:password@][host][:port][/db][?option=value&...]       rediss: the same over TLS
            unix://[[username]:password@]/path/to/socket[?db=0&option=value&...]

        Only the use of TLS cannot be changed by a keyword: a URL that promises it keeps its promise. What a URL says twice and
        differently is an error. Escapes are decoded once, as UTF-8; `+` is a plus sign.
        """
        said = _read_url(url, {option.name: option.metadata for option in fields(cls)})
        if options.get("tls") is (not said["tls"]):
            raise ValueError("tls contradicts the URL's scheme: rediss:// and valkeys:// mean TLS, the others none")
        return cls(**{**said, **options})

    def replace(self, **options: Unpack[Options]) -> Self:
        """Return a configuration that differs in these options."""
        return type(self)(**{**self._changed(), **options})

    @property
    def address(self) -> str:
        """For messages: `localhost:6379`, `[::1]:6379`, `unix:/run/redis.sock`, `unix:@abstract`."""
        if self.path is not None:
            return "unix:" + self.path.replace("\0", "@")
        return f"{_in_brackets(self.host)}:{self.port}"

    @property
    def url(self) -> str:
        """For logs: where the server is, with `***` in place of all credentials and without further options."""
        user = "***@" if self._changed().keys() & {"username", "password", "credentials"} else ""
        if self.path is not None:
            return f"unix://{user}{_escape(self.path)}?db={self.db}"
        host = _in_brackets(_escape(self.host, ":"))
        return f"redis{'s' * self.tls}://{user}{host}:{self.port}/{self.db}"

    @property
    def limits(self) -> Limits:
        """The parser's limits."""
        return Limits(
            depth=self.limit_depth,
            bulk=self.limit_bulk,
            line=self.limit_line,
            elements=self.limit_elements,
            reply=self.limit_reply,
        )

    @property
    def encoding(self) -> str | None:
        """The encoding that `decode` asks for, None for bytes."""
        return ("utf-8" if self.decode else None) if isinstance(self.decode, bool) else self.decode

    def _changed(self) -> dict[str, Any]:
        """Return the options that differ from their defaults, in the order of declaration."""
        values = ((option, getattr(self, option.name)) for option in fields(self))
        return {option.name: value for option, value in values if value != option.default}

    def __repr__(self) -> str:
        secrets = _secrets(self)
        shown = (f"{name}={'***' if name in secrets else repr(value)}" for name, value in self._changed().items())
        return f"{type(self).__name__}({', '.join(shown)})"

    def __reduce__(self) -> tuple[object, ...]:
        changed = self._changed()
        if held := [name for name in changed if name in _secrets(self)]:
            raise TypeError(
                f"a {type(self).__name__} with {_listed(held)} cannot be pickled, because a pickle would show secrets: "
                "pickle it without, and call replace() where it is read"
            )
        return _restore, (type(self), changed)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


class Options(TypedDict, total=False):
    """The options of `Config` as a type: `def connect(url: str, **options: Unpack[Options])` is checked by type checkers."""

    host: str
    port: int
    path: str | None
    db: int
    username: str | None
    password: str | bytes | None
    credentials: CredentialProvider | None
    protocol: Literal[2, 3]
    client_name: str | None
    lib_name: str | None
    lib_version: str | None
    timeout: float | None
    connect_timeout: float | None
    keepalive: int | None
    ping_interval: float | None
    silence_timeout: float | None
    decode: bool | str
    lenient_push: bool
    max_pushes: int
    limit_depth: int
    limit_bulk: int
    limit_line: int
    limit_elements: int
    limit_reply: int
    tls: bool
    tls_ca_file: str | None
    tls_ca_path: str | None
    tls_cert_file: str | None
    tls_key_file: str | None
    tls_key_password: str | bytes | None
    tls_verify: bool
    tls_check_hostname: bool
    tls_server_name: str | None
    ssl_context: TLSContext | None


def read_credentials(answer: object) -> tuple[str | None, str | bytes]:
    """Return the user name, if any, and the password that a credential provider answered with.

    Raises `TypeError` for anything else, an awaitable included, and `ValueError` for text that no AUTH can carry; neither
    says what came.
    """
    username, password = answer if isinstance(answer, tuple) and len(answer) == 2 else (None, answer)
    if not isinstance(username, str | None) or not isinstance(password, str | bytes):
        came = f"{type(answer).__name__}: await it first" if isinstance(answer, Awaitable) else type(answer).__name__
        raise TypeError(f"credentials must return a password or (username, password); got {came}")
    if username == "" or not _is_text(username or "") or not _is_text(password):
        raise ValueError("credentials returned an empty user name, or text that UTF-8 cannot encode")
    return username, password


# --- Checks ------------------------------------------------------------------------------------------------------------

_TLS_FILES: Final = ("tls_ca_file", "tls_ca_path", "tls_cert_file", "tls_key_file", "tls_key_password")
_EXCLUDE: Final[tuple[tuple[str, tuple[str, ...], str], ...]] = (
    ("credentials", ("username", "password"), "the callable gives both"),
    ("path", ("host", "port", "tls"), "a unix socket has no address, and Redis offers no TLS on it"),
    ("ssl_context", (*_TLS_FILES, "tls_verify", "tls_check_hostname"), "the context has decided that"),
)
_NEED: Final = (
    # Otherwise somebody believes that an open connection is encrypted.
    ("tls", (*_TLS_FILES, "tls_verify", "tls_check_hostname", "tls_server_name", "ssl_context")),
    ("tls_cert_file", ("tls_key_file", "tls_key_password")),
)
# What redis-py calls them.
_ELSEWHERE: Final = {
    "credential_provider": "credentials",
    "decode_responses": "decode",
    "health_check_interval": "ping_interval",
    "socket_connect_timeout": "connect_timeout",
    "socket_keepalive": "keepalive",
    "socket_timeout": "timeout",
    "ssl": "tls",
    "ssl_ca_certs": "tls_ca_file",
    "unix_socket_path": "path",
}


def _check(name: str, value: object, option: Mapping[str, Any], *, hidden: bool = False) -> None:
    kind: _Kind = option["kind"]
    # True is an int in Python, but no port and no number of seconds.
    if not isinstance(value, kind.types) or (isinstance(value, bool) and bool not in kind.types):
        raise TypeError(f"{name} must be {kind.allowed}; got {type(value).__name__}")
    if value is not None and not kind.fits(value):
        came = "" if hidden or option["secret"] else f"; got {_shown(value)}"
        raise ValueError(f"{name} must be {kind.allowed}{came}")


def _check_together(given: Mapping[str, object]) -> None:
    for name, others, why in _EXCLUDE:
        if name in given and (both := [other for other in others if other in given]):
            raise ValueError(f"{name} excludes {_listed(both)}: {why}")
    for name, others in _NEED:
        if name not in given and (vain := [other for other in others if other in given]):
            raise ValueError(f"{_listed(vain)} would do nothing without {name}")


def _refuse_unknown(cls: type[Config], names: Iterable[str]) -> None:
    known = [option.name for option in fields(cls)]
    for name in names:
        if name not in known:
            raise TypeError(f"{cls.__name__} has no option {name!r}{_suggestion(name, known)}")


def _suggestion(name: str, known: Collection[str]) -> str:
    from difflib import get_close_matches  # only ever needed for this sentence

    near = [_ELSEWHERE[name]] if _ELSEWHERE.get(name) in known else get_close_matches(name, known, 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _secrets(config: Config) -> set[str]:
    return {option.name for option in fields(config) if option.metadata["secret"]}


def _restore(cls: type[Config], options: dict[str, Any]) -> Config:
    """Unpickle: with every check, because a pickle may be older than the options are."""
    return cls(**options)


def _listed(names: Iterable[str]) -> str:
    return " and ".join(names)


def _shown(value: object) -> str:
    if isinstance(value, int) and value.bit_length() > 64:  # `repr` refuses to write a very long one
        return "a larger one"
    text = repr(value)
    if "@" in text:  # a whole URL, where something else was asked for
        return "text with an '@'"
    return text if len(text) <= 60 else text[:57] + "..."


# --- URLs --------------------------------------------------------------------------------------------------------------

_SCHEMES: Final = {"redis": False, "rediss": True, "valkey": False, "valkeys": True, "unix": False}  # speaks TLS?
_ALLOWED: Final = "redis://, rediss:// (TLS), valkey://, valkeys:// (TLS) or unix://"


def _read_url(url: str, options: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the options that a URL gives."""
    scheme, authority, path, query = _split(url)
    user, _, place = authority.rpartition("@")
    said: dict[str, Any] = {"tls": _SCHEMES[scheme]}
    found = _read_socket(place, path) if scheme == "unix" else _read_address(place, path)
    for name, text in (*_read_user(user), *found):
        said[name] = _read(name, text, options[name], hidden=True)
    for name, value in _read_query(query, options):
        if said.setdefault(name, value) != value:
            raise ValueError(f"the query of the URL contradicts the rest of it on {name}")
    return said


def _split(url: str) -> tuple[str, str, str, str]:
    """Return scheme, authority, path and query, sure that credentials can only be before the one '@', or be query options."""
    if not isinstance(url, str):
        raise TypeError(f"a URL must be str; got {type(url).__name__}")
    if any(char <= " " or char == "\x7f" for char in url) or not _is_text(url):
        raise ValueError("a URL must not contain spaces, line ends or control characters; write them as %20, %0A ...")
    scheme, found, rest = url.partition("://")
    if not found:
        raise ValueError(f"a URL must begin with {_ALLOWED}")
    scheme = scheme.lower()
    if scheme not in _SCHEMES:
        # Without an '@' in what follows, this cannot be a password that holds "://" itself.
        shown = f" {scheme!r}" if "@" not in rest and scheme.replace("+", "").replace("-", "").isalnum() else ""
        near = "; did you mean 'unix'?" if "unix" in scheme or "sock" in scheme else _suggestion(scheme, _SCHEMES)
        raise ValueError(f"unknown URL scheme{shown}: it must be {_ALLOWED}{near}")
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


def _read_user(user: str) -> Iterator[tuple[str, str]]:
    username, colon, password = user.partition(":")
    if username:
        yield "username", _unescape(username)
    if colon:
        yield "password", _unescape(password)


def _read_socket(place: str, path: str) -> Iterator[tuple[str, str]]:
    if place or len(path) < 2:
        raise ValueError("a unix:// URL must give an absolute path and no host: unix:///path/to/socket")
    yield "path", _unescape(path)


def _read_address(place: str, path: str) -> Iterator[tuple[str, str]]:
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


def _read_query(query: str, options: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, object]]:
    pairs = [pair.partition("=") for pair in query.split("&")] if query else []
    texts = [(_unescape(name), _unescape(text)) for name, equals, text in pairs if name and equals]
    names = [name for name, _ in texts]
    # A '&' too many makes a name, or a value, of the rest of a password, and one too few puts it behind another's value.
    secrets = [name for name, option in options.items() if option["secret"]]
    hidden = any(secret in part for pair in texts for part in pair for secret in secrets)
    if len(texts) < len(pairs):
        raise ValueError("the query of a URL must be option=value, joined by '&'")
    for name, text in texts:
        if name not in options:
            unknown = "" if hidden else f" {_shown(name)}{_suggestion(name, options)}"
            raise ValueError(f"the URL gives an unknown option{unknown}")
        if names.count(name) > 1:
            raise ValueError(f"the URL gives {name} more than once")
        yield name, _read(name, text, options[name], hidden=hidden)


def _read(name: str, text: str, option: Mapping[str, Any], *, hidden: bool) -> object:
    """Return the value that a text in a URL stands for."""
    kind: _Kind = option["kind"]
    if kind.read is None:
        raise ValueError(f"{name} cannot be given in a URL; give it as a keyword")
    value = kind.read(text)
    if value is _UNREADABLE:
        raise ValueError(f"{name} in a URL must be {kind.written}" + ("" if hidden else f"; got {_shown(text)}"))
    _check(name, value, option, hidden=hidden)
    return value


def _unescape(text: str) -> str:
    """Decode escapes once. Python's own decoder would let a broken escape through, and its error would quote the text."""
    first, *rest = text.split("%")
    data = bytearray(first.encode())
    for piece in rest:
        if len(piece) < 2 or not _HEX.issuperset(piece[:2]):
            raise ValueError("a '%' in a URL must be followed by two hexadecimal digits; write a '%' itself as %25")
        data += bytes.fromhex(piece[:2]) + piece[2:].encode()
    try:
        return data.decode()
    except UnicodeDecodeError:
        pass  # raised below instead, without this error as its context
    raise ValueError("the escapes in a URL must be UTF-8; give a password of other bytes as a keyword")


def _escape(text: str, safe: str = "/") -> str:
    plain = frozenset(_UNRESERVED + safe.encode())
    return "".join(chr(byte) if byte in plain else f"%{byte:02X}" for byte in text.encode())


def _in_brackets(host: str) -> str:
    return f"[{host}]" if ":" in host else host


# --- Documentation -----------------------------------------------------------------------------------------------------


def options_table(cls: type[Config] = Config) -> str:
    """Return the table of options that the documentation shows (Markdown)."""
    rows = ["| Option | Allowed | Default | In a URL | Meaning |", "|---|---|---|---|---|"]
    for option in fields(cls):
        kind: _Kind = option.metadata["kind"]
        written = "keyword only" if kind.read is None else kind.written
        meaning = option.metadata["meaning"] + (" Secret." if option.metadata["secret"] else "")
        rows.append(f"| `{option.name}` | {kind.allowed} | `{option.default!r}` | {written} | {meaning} |")
    return "\n".join(rows) + "\n"
