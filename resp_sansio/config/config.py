"""How a connection is made and kept: one immutable value, from a URL, from keywords or from both.

Every option is declared once, as a field of `Config` with its kind, default and meaning. The check of a value, the reading
of a URL's query, the representation without secrets and the page of options in the documentation all follow from that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, Final, Literal, Protocol, Self, TypeAlias, TypedDict, Unpack, cast, runtime_checkable
from weakref import WeakValueDictionary

from .._facts import Observer
from .._record import Record, fields
from ..commands.decoding import RAW, Text, decoded
from ..wire.parser import Limits
from .cache import CACHE, Cache
from .credentials import CredentialProvider, Credentials, ask
from .options import (
    ADDRESS_MAP,
    BOOL,
    DECODE,
    DECODE_ERRORS,
    FILE,
    HOST,
    LIMIT,
    NAME,
    OWNERS,
    PASSWORD,
    PATH,
    PLACES,
    PORT,
    PROTOCOL,
    READ_FROM,
    SECONDS,
    SENTINEL_PORT,
    WORD,
    Kind,
    Option,
    Policy,
    ReadFrom,
    hint,
    integer,
    option,
    options_of,
    read_place,
    shown,
)
from .url import CLUSTER, SENTINEL, address_of, escape, in_brackets, read_url

__all__ = [
    "VERSION",
    "AddressMap",
    "Config",
    "Options",
    "TLSContext",
    "options_table",
]

VERSION: Final = "0.1.0"

AddressMap: TypeAlias = Callable[[tuple[str, int]], tuple[str, int]]
"""Given the host and port that a server of a cluster announces, returns those to dial."""


@runtime_checkable
class TLSContext(Protocol):
    """What the core knows of an `ssl.SSLContext`, without importing `ssl`. Adapters take the real class only."""

    def wrap_bio(self, incoming: Any, outgoing: Any, server_side: bool = ..., server_hostname: str | None = ...) -> Any:
        """Begin TLS over two memory buffers."""


# --- The options -------------------------------------------------------------------------------------------------------

PROVIDER: Final = Kind("a callable that is given nothing, or (host, port)", (Callable,), read=None).or_none(None)
CONTEXT: Final = Kind("an ssl.SSLContext", (TLSContext,), read=None).or_none(None)
OBSERVERS: Final = Kind(
    "a list of Observers", (list, tuple), lambda given: all([isinstance(one, Observer) for one in given]), read=None
)
LIMITS: Final = Limits()
# About what Redis keeps for a subscriber that does not read: 32 MiB (client-output-buffer-limit), in pushes of 3 KiB.
MAX_PUSHES: Final = 10_000


class Config(Record):
    """Where the server is, who asks, and what a connection to it may do. Immutable, checked, compared by value.

    `Config(**options)` and `Config.from_url(url, **options)` take the same options, which `options_table()` describes. Raises
    `TypeError` for an unknown option (with the nearest name) or a value of the wrong type, `ValueError` for a value that is
    not allowed or that contradicts another. User names, passwords and their providers show in no `repr`, no error and no
    pickle: a configuration that holds a secret cannot be pickled.
    """

    host: str = option("localhost", HOST, "Where the server listens.")
    port: int = option(6379, integer(1, 65535), "TCP port.")
    path: str | None = option(None, PATH, "Unix socket to use instead of `host` and `port`.")
    sentinels: Sequence[tuple[str, int] | str] = option(
        (), PLACES, "Sentinels that say where the server is, instead of `host` and `port`; their own port is 26379."
    )
    master_name: str | None = option(None, WORD.or_none(None), "What the sentinels call the server.")
    sentinel_username: str | None = option(
        None, NAME, "ACL user at the sentinels, which have users of their own.", secret=True
    )
    sentinel_password: str | bytes | None = option(None, PASSWORD, "Password at the sentinels.", secret=True)
    sentinel_tls: bool | None = option(
        None, BOOL.or_none(None), "Speak TLS to the sentinels, by the same `tls_` options. None: as to the server."
    )
    cluster: Sequence[tuple[str, int] | str] = option(
        (), PLACES, "Servers of a cluster, instead of `host` and `port`. One that answers tells of all others."
    )
    read_from: ReadFrom = option(
        "master", READ_FROM, "Which servers of a cluster, or behind sentinels, answer commands that only read."
    )
    address_map: AddressMap | None = option(
        None,
        ADDRESS_MAP,
        "Where to dial a server of a cluster that announces an address which leads nowhere from here.",
    )
    # redis-py and go-redis: 60 s.
    refresh_interval: float | None = option(
        60.0,
        SECONDS,
        "Ask a cluster after this long which server has what, or a sentinel which replicas there are, if nothing else has led to"
        " that. None: never.",
    )
    db: int = option(0, integer(0, 2**31 - 1), "Database that the handshake selects.")
    username: str | None = option(None, NAME, "ACL user; without it the server's default user.", secret=True)
    password: str | bytes | None = option(None, PASSWORD, "Password of the user.", secret=True)
    credentials: CredentialProvider | None = option(
        None,
        PROVIDER,
        "Asked at each dial; returns a password or `(username, password)`. In async adapters it may be async.",
        secret=True,
    )
    protocol: Literal[2, 3] = option(3, PROTOCOL, "RESP version: 3 falls back to 2 on old servers, 2 never asks.")
    client_name: str | None = option(None, WORD.or_none(None), "Shown by CLIENT LIST (CLIENT SETNAME).")
    lib_name: str | None = option("resp-sansio", WORD.or_none("none"), "CLIENT SETINFO LIB-NAME; None sends none.")
    lib_version: str | None = option(VERSION, WORD.or_none("none"), "CLIENT SETINFO LIB-VER; None sends none.")
    # Callers wait for seconds, not minutes; 5 s is what redis-py 8 and StackExchange.Redis give a call.
    timeout: float | None = option(
        5.0, SECONDS, "For a whole call, retries included; a blocking command adds its own. None: no limit."
    )
    # go-redis's DialTimeout.
    connect_timeout: float | None = option(
        5.0, SECONDS, "For a dial: name resolution, connecting, TLS and handshake. None: no limit."
    )
    # An Azure load balancer forgets a flow after 4 minutes, an AWS one after 350 s; redis-py 8 begins after 30 s.
    keepalive: int | None = option(
        60,
        integer(1, 32767).or_none("none"),  # TCP_KEEPIDLE's largest, tcp(7)
        "Seconds of silence before TCP keep-alive probes. None: no probes.",
    )
    # Linux alone would send again for 15 minutes (tcp_retries2, tcp(7)). A server whose buffers are full because it is busy does
    # not acknowledge either, so this is longer than `silence_timeout`.
    tcp_user_timeout: float | None = option(
        30.0,
        SECONDS,
        "TCP ends a connection whose bytes were not acknowledged for this long (Linux). None: as the system is configured.",
    )
    ping_interval: float | None = option(None, SECONDS, "Send PING after this long without traffic. None: never.")
    # Twice `timeout`, so that a call with the default timeout never ends because of it; redis-py 8 and go-redis close a
    # connection when one call times out, after 5 s and 3 s.
    silence_timeout: float | None = option(
        10.0,
        SECONDS,
        "A connection that owes replies and reads nothing for this long is lost: not while a blocking command, or a caller with a"
        " longer timeout, is first in line. None: never.",
    )
    decode: bool | str = option(
        False, DECODE, "Give data as text: what typed methods return, and bulk strings in replies."
    )
    decode_errors: Policy = option(
        "strict", DECODE_ERRORS, "Where data is no text: an error, or what `bytes.decode` does by that name."
    )
    lenient_push: bool = option(
        False, BOOL, "Accept pushes inside aggregates from any server, not only from Redis before 7.2."
    )
    max_pushes: int = option(
        MAX_PUSHES,
        LIMIT,
        "Pushes kept for a reader that does not come; the server waits with more, and replies behind them.",
    )
    limit_depth: int = option(LIMITS.depth, LIMIT, "Nesting of a reply.")
    limit_bulk: int = option(LIMITS.bulk, LIMIT, "Bytes of one bulk, or of one line of text.")
    limit_line: int = option(LIMITS.line, LIMIT, "Bytes of any other line.")
    limit_elements: int = option(LIMITS.elements, LIMIT, "Elements of one aggregate.")
    limit_reply: int = option(
        LIMITS.reply, LIMIT, "Bytes of one reply, and of the objects made of it where these take far more."
    )
    tls: bool = option(False, BOOL, "Speak TLS; `rediss://` and `valkeys://` say so.")
    tls_ca_file: str | None = option(None, FILE, "Certificates to trust (PEM) instead of the system's.")
    tls_ca_path: str | None = option(None, FILE, "Directory of certificates to trust instead of the system's.")
    tls_cert_file: str | None = option(None, FILE, "Client certificate (PEM).")
    tls_key_file: str | None = option(None, FILE, "Its key, if not in the same file.")
    tls_key_password: str | bytes | None = option(None, PASSWORD, "Password of the key.", secret=True)
    tls_verify: bool = option(True, BOOL, "Check the server's certificate. False checks nothing, the name included.")
    tls_check_hostname: bool = option(True, BOOL, "Check that the certificate names the host.")
    tls_server_name: str | None = option(None, HOST.or_none(None), "Name to ask for and to check instead of `host`.")
    ssl_context: TLSContext | None = option(None, CONTEXT, "Used as it is, instead of the `tls_` options above.")
    observers: Sequence[Observer] = option((), OBSERVERS, "Told of calls and connections, in this order.")
    cache: Cache | None = option(
        None, CACHE, "Keep what was read until the server says that it has changed. None: nothing is kept."
    )

    def __new__(cls, *args: object, **options: object) -> Self:
        """Name the nearest option if one is unknown, which `Record` would not."""
        if args:
            raise TypeError(f"{cls.__name__} takes keywords only; to read a URL, call {cls.__name__}.from_url")
        known = options_of(cls)
        if unknown := [name for name in options if name not in known]:
            raise TypeError(f"{cls.__name__} has no option {shown(unknown[0])}{hint(unknown[0], known)}")
        return object.__new__(cls)

    def __post_init__(self) -> None:
        options = options_of(self)
        for name, value in vars(self).items():  # those given: defaults are fine
            options[name].check(name, value)
        if self.observers:
            object.__setattr__(self, "observers", tuple(self.observers))
        for name, port in ("sentinels", SENTINEL_PORT), ("cluster", PORT):
            if (given := getattr(self, name)) != ():
                object.__setattr__(self, name, tuple([read_place(one, port) for one in given]))
        _check_together(self._changed())

    @classmethod
    def from_url(cls, url: str, /, **options: Unpack[AllOptions]) -> Self:
        """Read `redis://`, `rediss://`, `valkey://`, `valkeys://`, each also with `+sentinel` or `+cluster`, or `unix://`.

            redis://[[username]:password@][host][:port][/db][?option=value&...]       rediss: the same over TLS
            unix://[[username]:password@]/path/to/socket[?db=0&option=value&...]
            redis+sentinel://[[username]:password@]host[:port][,host[:port]...]/master_name[/db][?option=value&...]
            redis+cluster://[[username]:password@]host[:port][,host[:port]...][/0][?option=value&...]

        With `+sentinel` hosts are sentinels', user name and password the server's; `rediss+sentinel` speaks TLS to both.
        A keyword wins. Only the use of TLS cannot be changed by one: a URL that promises it keeps its promise. It is an error
        if a URL says something twice and differently. Escapes are decoded once, as UTF-8; `+` is a plus sign.
        """
        key = (cls, url, *[(name, type(value), value) for name, value in options.items()])
        plain = type(url) is str and PLAIN.issuperset(map(type, options.values()))
        if plain and (known := _known.get(key)) is not None:
            return cast("Self", known)
        said = _read(url, options_of(cls))
        if options.get("tls") is (not said["tls"]):
            raise ValueError("tls contradicts the URL's scheme: rediss:// and valkeys:// mean TLS, the others none")
        made = cls(**{**said, **options})
        if plain:
            _known[key] = made
        return made

    def replace(self, **options: Unpack[AllOptions]) -> Self:
        """Return a configuration that differs in these options."""
        return type(self)(**{**self._changed(), **options})

    def at(self, place: tuple[str, int]) -> Self:
        """Return the configuration for the one server at this host and port, which was found: as whom to come, and how.

        Nothing is left in it of the sentinels, or of the cluster, by which it was found.
        """
        host, port = place
        changed = {name: value for name, value in self._changed().items() if name not in OF_SEVERAL}
        if not self.tls:  # those options are for sentinels alone
            changed = {name: value for name, value in changed.items() if name not in TLS_OPTIONS}
        return type(self)(**{**changed, "host": host, "port": port})

    @property
    def has_replicas(self) -> bool:
        """Are replicas read from that sentinels tell of?"""
        return bool(self.sentinels) and self.read_from != "master"

    @cached_property
    def address(self) -> str:
        """For messages: `localhost:6379`, `[::1]:6379`, `unix:/run/redis.sock`, `mymaster (sentinels a:26379, b:26379)`.

        Of a cluster `cluster of a:6379, b:6379`.
        """
        if self.sentinels:
            return f"{self.master_name} (sentinels {', '.join(_told(self.sentinels))})"
        if self.cluster:
            return f"cluster of {', '.join(_told(self.cluster))}"
        if self.path is not None:
            return "unix:" + self.path.replace("\0", "@")
        return address_of((self.host, self.port))

    @property
    def url(self) -> str:
        """For logs: where the server is, with `***` in place of all credentials and without further options."""
        user = "***@" if self._changed().keys() & {"username", "password", "credentials"} else ""
        if self.path is not None:
            return f"unix://{user}{escape(self.path)}?db={self.db}"
        tls = "s" * self.tls
        if places := self.sentinels or self.cluster:
            listed = user + ",".join([escape(place, ":[]") for place in _told(places)])
            if self.cluster:
                return f"redis{tls}{CLUSTER}://{listed}"
            return f"redis{tls}{SENTINEL}://{listed}/{escape(self.master_name or '', '')}/{self.db}"
        host = in_brackets(escape(self.host, ":"))
        return f"redis{tls}://{user}{host}:{self.port}/{self.db}"

    def ask_for_credentials(self) -> Credentials | Awaitable[Credentials] | None:
        """Return what the provider answers, if there is one: it is asked of this server. Raises whatever it raises."""
        if self.credentials is None:
            return None
        return ask(self.credentials, (self.host, self.port) if self.path is None else (self.path, 0))

    @property
    def limits(self) -> Limits:
        """The parser's limits."""
        return _limits(self.limit_depth, self.limit_bulk, self.limit_line, self.limit_elements, self.limit_reply)

    @cached_property
    def text(self) -> Text[Any]:
        """What makes text of data, or leaves it bytes, as `decode` says."""
        return RAW if self.decode is False else self.text_by(self.decode)

    @property
    def as_text(self) -> Text[str]:
        """What makes text of data, whatever `decode` says: by its encoding, or UTF-8."""
        return decoded(self.decode if isinstance(self.decode, str) else "utf-8", self.decode_errors)

    def text_by(self, decode: bool | str) -> Text[Any]:
        """Return what makes text of data by this encoding (True: UTF-8), or leaves it bytes (False)."""
        if decode is False:
            return RAW
        return decoded("utf-8" if decode is True else decode, self.decode_errors)

    def _changed(self) -> dict[str, Any]:
        """Return the options that differ from their defaults, in the order of declaration."""
        given, known = vars(self), self.__fields__
        return {name: given[name] for name in filter(given.__contains__, known) if given[name] != known[name].default}

    def __repr__(self) -> str:
        options = options_of(self)
        parts = [f"{name}={'***' if options[name].secret else repr(value)}" for name, value in self._changed().items()]
        return f"{type(self).__name__}({', '.join(parts)})"

    def __reduce__(self) -> tuple[object, ...]:
        changed, options = self._changed(), options_of(self)
        if held := [name for name in changed if options[name].secret]:
            raise TypeError(
                f"a {type(self).__name__} with {' and '.join(held)} cannot be pickled, because a pickle would show secrets: "
                "pickle it without, and call replace() where it is read"
            )
        return _restore, (type(self), changed)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


class Options(TypedDict, total=False):
    """The options of `Config` as a type: `def connect(url: str, **options: Unpack[Options])` is checked by type checkers.

    All but `decode`, which decides on the types of what comes back: a function that takes it has an overload for each.
    """

    host: str
    port: int
    path: str | None
    sentinels: Sequence[tuple[str, int] | str]
    master_name: str | None
    sentinel_username: str | None
    sentinel_password: str | bytes | None
    sentinel_tls: bool | None
    cluster: Sequence[tuple[str, int] | str]
    read_from: ReadFrom
    address_map: AddressMap | None
    refresh_interval: float | None
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
    tcp_user_timeout: float | None
    ping_interval: float | None
    silence_timeout: float | None
    decode_errors: Policy
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
    observers: Sequence[Observer]
    cache: Cache | None


class AllOptions(Options, total=False):
    """Those of `Config`, and `decode`."""

    decode: bool | str


def _told(places: Sequence[tuple[str, int] | str]) -> list[str]:
    """Return places as text."""
    return [address_of(place) for place in cast("Sequence[tuple[str, int]]", places)]


# --- Checks ------------------------------------------------------------------------------------------------------------

TLS_FILES: Final = ("tls_ca_file", "tls_ca_path", "tls_cert_file", "tls_key_file", "tls_key_password")
TLS_OPTIONS: Final = (*TLS_FILES, "tls_verify", "tls_check_hostname", "tls_server_name", "ssl_context")
CLUSTER_OPTIONS: Final = ("read_from", "address_map", "refresh_interval")
SENTINEL_OPTIONS: Final = ("master_name", "sentinel_username", "sentinel_password", "sentinel_tls")
OF_SEVERAL: Final = ("sentinels", *SENTINEL_OPTIONS, "cluster", *CLUSTER_OPTIONS)
EXCLUDE: Final[tuple[tuple[str, tuple[str, ...], str], ...]] = (
    ("cache", ("protocol",), "servers tell of changes by RESP3 alone"),
    ("cache", ("read_from",), "what is kept must be no older than what the master has"),
    ("credentials", ("username", "password"), "the callable gives both"),
    ("path", ("host", "port", "tls"), "a unix socket has no address, and Redis offers no TLS on it"),
    ("sentinels", ("host", "port", "path"), "the sentinels say where the server is"),
    ("cluster", ("host", "port", "path", "sentinels"), "its servers say where the others are"),
    ("cluster", ("db",), "Redis has no other database than 0 in a cluster"),
    ("ssl_context", (*TLS_FILES, "tls_verify", "tls_check_hostname"), "the context has decided that"),
)
NEED: Final = (
    # Otherwise a user believes that an open connection is encrypted.
    (("tls",), TLS_OPTIONS),
    (("tls_cert_file",), ("tls_key_file", "tls_key_password")),
    (("sentinels",), SENTINEL_OPTIONS),
    (("cluster",), ("address_map",)),
    (("cluster", "sentinels"), ("read_from",)),
    (("cluster", "read_from"), ("refresh_interval",)),
    (("master_name",), ("sentinels",)),
)


# What they are told by stays what it is, and is equal to nothing of another type that the key does not tell apart.
PLAIN: Final = frozenset({str, bytes, bool, int, float, type(None)})

_known: Final[WeakValueDictionary[Any, Config]] = WeakValueDictionary()
"""Those that URLs have said and that are in use, by the URL and the options: so a thousand connections have one."""


@lru_cache(maxsize=16)
def _limits(depth: int, bulk: int, line: int, elements: int, reply: int) -> Limits:
    """The same for all connections of these limits."""
    return Limits(depth=depth, bulk=bulk, line=line, elements=elements, reply=reply)


def _check_together(given: Mapping[str, object]) -> None:
    for name, others, why in EXCLUDE:
        if name in given and (both := [other for other in others if other in given]):
            raise ValueError(f"{name} excludes {' and '.join(both)}: {why}")
    names = given.keys()
    for needed, others in NEED:
        if names.isdisjoint(others) or not names.isdisjoint(needed):
            continue
        if "tls" in needed and given.get("sentinel_tls"):
            continue  # they serve there
        vain = " and ".join([other for other in others if other in given])
        raise ValueError(f"{vain} would do nothing without {' or '.join(needed)}")


def _restore(cls: type[Config], options: dict[str, Any]) -> Config:
    """Unpickle: with every check, because a pickle may be older than the options are."""
    return cls(**options)


# --- URLs --------------------------------------------------------------------------------------------------------------


def _read(url: str, options: Mapping[str, Option]) -> dict[str, Any]:
    """Return the options that a URL gives."""
    parts, query = read_url(url)
    said = {name: options[name].read(name, text, hidden=True) for name, text in parts}
    if not query:
        return said
    names = [name for name, _ in query]
    # A '&' too many makes a name, or a value, of the rest of a password, and one too few puts it behind another's value.
    secrets = [name for name, option in options.items() if option.secret]
    hidden = any(sign in part for pair in query for part in pair for sign in (*secrets, "=", "&", "?"))
    for name, text in query:
        if name not in options:
            keyword = ", given by keyword" if name in OWNERS else ""
            unknown = "" if hidden else f" {shown(name)}{hint(name, options)}{keyword}"
            raise ValueError(f"the URL gives an unknown option{unknown}")
        if names.count(name) > 1:
            raise ValueError(f"the URL gives {name} more than once")
        value = options[name].read(name, text, hidden=hidden)
        if said.setdefault(name, value) != value:
            raise ValueError(f"the query of the URL contradicts the rest of it on {name}")
    return said


# --- Documentation -----------------------------------------------------------------------------------------------------


def options_table(record: type[Record] = Config) -> str:
    """Return the table of options that the documentation shows (Markdown). A URL can say those of a `Config` only."""
    rows = [["Option", "Allowed", "Default", "In a URL", "Meaning"], ["---"] * 5]
    for one in fields(record):
        kind, meaning, secret = options_of(record)[one.name]
        written = "keyword only" if kind.read is None else kind.written
        meaning += " Secret." if secret else ""
        rows.append([f"`{one.name}`", kind.allowed, f"`{one.default!r}`", written, meaning])
    if not issubclass(record, Config):
        rows = [[*row[:3], row[4]] for row in rows]
    return "".join([f"| {' | '.join(row)} |\n" for row in rows]).replace(" --- ", "---")
