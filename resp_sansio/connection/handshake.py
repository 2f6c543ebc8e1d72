"""The opening batch, and what each answer means.

HELLO (with AUTH and SETNAME inside), CLIENT SETINFO twice and SELECT go out in one write, and with them what is to be known of
the server: is it a master? If it is a sentinel, where is the master? Redis runs what follows a refused
step, as the wrong user or in the wrong database, so a connection sends nothing of its callers' until every answer has been
read and accepted here. A server, proxy or user that may not HELLO gets a second batch: the steps that did not succeed, in
RESP2. Which answer means what is the table at the end of this page.

Some proxies hang up on a command that they do not know, instead of refusing it. So a dial that ends before any answer is tried once
more with nothing but what was configured and every proxy knows: AUTH, SELECT, PING, in RESP2. `Fallback` keeps that in mind.

No secret leaves this module but in the batch itself: an unknown-command error echoes arguments, so of an error that answers
HELLO or AUTH only the code is kept, with our own words for what was refused.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, NoReturn

from .._errors import ConnectError, InvalidReplyError, ReplyError, in_one_line, shown_code
from .._record import Record, replace
from ..wire.encoder import Argument
from ..wire.values import Pairs, Reply

__all__ = ["Accepted", "Fallback", "Handshake", "Opening", "ServerInfo", "Step"]

TRANSIENT_CODES: Final = frozenset({"BUSY", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN"})
# networking.c, acceptCommonHandler: sent instead of an answer, and followed by a close.
MAX_CLIENTS: Final = "max number of clients"


class Step(enum.Enum):
    """What the opening has to achieve; the value is how an error speaks of it."""

    if not TYPE_CHECKING:  # pragma: no branch
        __hash__ = object.__hash__  # as of `State`

    HELLO = "HELLO"
    AUTH = "AUTH"
    CLIENT_NAME = "the client name"
    LIBRARY_NAME = "the library name"
    LIBRARY_VERSION = "the library version"
    DATABASE = "database"
    READONLY = "READONLY"
    ROLE = "ROLE"
    EPOCH = "SENTINEL MASTER"
    MASTER = "SENTINEL GET-MASTER-ADDR-BY-NAME"
    SENTINELS = "SENTINEL SENTINELS"
    REPLICAS = "SENTINEL REPLICAS"
    TRACKING = "tracking"
    PING = "PING"


# CLIENT SETINFO is newer than most servers (7.2), and documented as one to send and forget.
# A sentinel that knows no master of that name says so to each question, but for one by an error.
OPTIONAL: Final = frozenset(
    {Step.LIBRARY_NAME, Step.LIBRARY_VERSION, Step.EPOCH, Step.SENTINELS, Step.REPLICAS, Step.TRACKING}
)
# Where HELLO has said it, only a replica is asked by ROLE, for the state of its link; not every user may ask.
OPTIONAL_BEHIND_HELLO: Final = OPTIONAL | {Step.ROLE}
QUESTIONS: Final = (Step.EPOCH, Step.MASTER, Step.SENTINELS, Step.REPLICAS)


# What is left of a handshake that is to be plain: whatever is not here, some proxies hang up on.
PLAIN: Final = frozenset({Step.AUTH, Step.DATABASE, Step.READONLY, Step.ROLE, *QUESTIONS, Step.PING})


SAID: Final = (
    ("server", "name"),
    ("version", "version"),
    ("mode", "mode"),
    ("role", "role"),
    ("availability_zone", "zone"),
)

MOST_SHARED: Final = 200  # bytes or characters: what is longer is no server's usual answer, and is not kept for others


class ServerInfo(Record):
    """What the server says of itself in its answer to HELLO; a field that it does not say, or a server without HELLO, is None.

    `name` is `redis`, `valkey` or what else there is; `mode` standalone, cluster or sentinel; `role` master or replica; `zone`
    the availability zone, of Valkey since 8.1 if it is configured.
    """

    name: str | None = None
    version: str | None = None
    mode: str | None = None
    role: str | None = None
    zone: str | None = None

    @classmethod
    def of(cls, said: Mapping[str, Reply]) -> ServerInfo:
        """Read what HELLO said."""
        values = [value if isinstance(value := said.get(key), (bytes, str)) else "" for key, _ in SAID]
        return _server_of(*values) if sum(map(len, values)) <= MOST_SHARED else _server_of.__wrapped__(*values)

    @property
    def nests_pushes(self) -> bool:
        """May it write a push inside another reply? Redis before 7.2 does, in arrays that it writes while keys expire."""
        parts = (self.version or "").split(".")[:2]
        return self.name != "valkey" and [int(part) for part in parts if part.isdecimal() and len(part) < 9] < [7, 2]


@lru_cache(maxsize=16)
def _server_of(*values: bytes | str) -> ServerInfo:
    """Return the record of these values: the same one for all connections to alike servers, which stay open for long."""
    return ServerInfo(**{field: _text(value) for (_, field), value in zip(SAID, values, strict=True) if value})


NOTHING_SAID: Final = ServerInfo()


class Accepted(Record):
    """The handshake is over: the protocol spoken from here on, what HELLO said of the server, and a sentinel its answers.

    `tracking`: will the server tell of changes?
    """

    protocol: Literal[2, 3]
    server: ServerInfo = NOTHING_SAID
    answers: Sequence[Reply] = ()
    tracking: bool = False

    @classmethod
    def of(cls, hello: Reply) -> Accepted | None:
        """Read HELLO's answer; None if it is no such thing.

        It is a map, or a flat array with a protocol in it, where the server agreed to HELLO but speaks RESP2.
        """
        pairs: list[tuple[Reply, Reply]]
        if isinstance(hello, dict):
            pairs = list(hello.items())
        elif isinstance(hello, Pairs):
            pairs = list(hello)
        elif isinstance(hello, list):
            pairs = list(zip(hello[0::2], hello[1::2], strict=False))
        else:
            return None
        said = {key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key): value for key, value in pairs}
        # A server that doesn't say which protocol it speaks, but says it with a map, speaks RESP3.
        spoken = 3 if isinstance(hello, (dict, Pairs)) else None
        protocol = said.get("proto", spoken)
        if protocol is None:
            return None
        return cls(protocol=3 if protocol == 3 else 2, server=ServerInfo.of(said))


class Handshake:
    """What to agree on with the server before the first command; one object for one dial.

    `protocol` 3 falls back to 2 where the server has no HELLO; 2 never asks. `username` without `password` authenticates
    with an empty password. `database` is selected unless it is 0, where every connection starts.

    With `reads_replica` a server of a cluster is told that a replica may answer what only reads.

    With `needs_master` a replica is refused; with `needs_replica` a master is, and so is a replica whose link to its master is
    down. With `master_name` the server is a sentinel, which is asked what it knows of the master of this name, where that is, which
    other sentinels there are, and with `lists_replicas` which replicas: its `answers`, in this order.
    """

    __slots__ = (
        "_answers", "_done", "_password", "_steps", "client_name", "database", "library_name", "library_version",
        "lists_replicas", "master_name", "needs_master", "needs_replica", "protocol", "reads_replica", "tracking", "username",
    )  # fmt: skip

    def __init__(
        self,
        *,
        protocol: Literal[2, 3] = 3,
        username: str | None = None,
        password: str | bytes | None = None,
        client_name: str | None = None,
        library_name: str | None = None,
        library_version: str | None = None,
        database: int = 0,
        needs_master: bool = False,
        master_name: str | None = None,
        tracking: tuple[Argument, ...] = (),
        reads_replica: bool = False,
        needs_replica: bool = False,
        lists_replicas: bool = False,
    ) -> None:
        self.protocol = protocol
        self.reads_replica: bool = reads_replica
        self.username: str | None = username
        self._password = password
        self.client_name: str | None = client_name
        self.library_name: str | None = library_name
        self.library_version: str | None = library_version
        self.database: int = database
        self.needs_master: bool = needs_master
        self.needs_replica: bool = needs_replica
        self.lists_replicas: bool = lists_replicas
        self.master_name: str | None = master_name
        self.tracking: tuple[Argument, ...] = tracking  # the command by which to ask for it, if it is wanted
        self._steps: list[Step] = []
        self._done: set[Step] = set()
        self._answers: dict[Step, Reply] = {}

    def __repr__(self) -> str:
        waits = ", ".join(step.name for step in self._steps if step not in self._done)
        return f"<{type(self).__name__} for RESP{self.protocol}, waiting for {waits or 'nothing'}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} cannot be pickled, because a pickle would show the password")

    def first_batch(self) -> list[tuple[Argument, ...]]:
        """Return the commands of the first batch, to be sent in one write. Never empty."""
        return self._batch(hello=self.protocol == 3)

    def answered(self, replies: Sequence[Reply]) -> Accepted | list[tuple[Argument, ...]]:
        """Read the answers of a whole batch: the handshake is accepted, or goes on with the batch that is returned.

        Raises `ConnectError` if the server refused; nothing may be sent after that.
        """
        asked = self._steps[0] is Step.HELLO
        accepted = Accepted.of(replies[0]) if asked else Accepted(protocol=2)
        # A step that was refused for want of HELLO's AUTH is asked again behind the AUTH of the second batch.
        again = accepted is None and self._authenticates
        says_role = accepted is not None and accepted.server.role is not None
        optional = OPTIONAL_BEHIND_HELLO if says_role else OPTIONAL
        for step, reply in zip(self._steps, replies, strict=True):
            if step is Step.HELLO and accepted is None:
                if isinstance(reply, ReplyError) and self._ends_at_hello(reply):
                    raise self._refusal(step, reply)
            elif not isinstance(reply, (ReplyError, InvalidReplyError)):
                self._done.add(step)
                self._answers[step] = reply
            elif (step not in optional or _code(reply) == "NOAUTH") and not again:
                raise self._refusal(step, reply)
        if accepted is None:
            return self._batch(hello=False)
        if self.needs_master or self.needs_replica:
            self._check_role(accepted.server.role)
        if self.master_name is not None:
            asked_for = QUESTIONS if self.lists_replicas else QUESTIONS[:-1]
            accepted = replace(accepted, answers=[self._answers.get(step) for step in asked_for])
        if self.tracking:
            accepted = replace(accepted, tracking=accepted.protocol == 3 and Step.TRACKING in self._done)
        return accepted

    def _check_role(self, said: str | None) -> None:
        """Refuse a server of the other role. HELLO has `said` it, for which no user needs leave, or ROLE was asked."""
        role = self._answers.get(Step.ROLE)
        link = None
        if isinstance(role, list) and role:
            said = _text(role[0])
            link = _text(role[3]) if len(role) > 3 else None
        if said is None:
            unsaid = "the server does not say in its answer to HELLO whether it is a master; protocol=2 asks by ROLE"
            raise ConnectError(unsaid, transient=False)
        is_replica = said in ("slave", "replica")
        if self.needs_replica and not is_replica:
            raise ConnectError("the server is no replica", transient=True)
        if self.needs_replica and link not in (None, "connected"):
            raise ConnectError(f"the replica's link to its master is down ({in_one_line(str(link))})", transient=True)
        if self.needs_master and said != "master":
            raise ConnectError(f"the server is {'a replica' if is_replica else 'no master'}", transient=True)

    def _ends_at_hello(self, reply: ReplyError) -> bool:
        """Does this answer to HELLO end the handshake? Others may only mean that there is no HELLO: the second batch will tell.

        Valkey 9.1 answers NOAUTH to a HELLO that it does not have, or that the default user may not send.
        """
        return reply.code == "WRONGPASS" or (reply.code == "NOAUTH" and not self._authenticates) or _is_transient(reply)

    def interrupted(self, replies: Sequence[Reply], why: str) -> ConnectError:
        """Return the error for a connection that ended inside a batch, after these replies to it.

        A server that is full, or that protects itself, says so and closes without reading what was sent. A proxy may close because
        it does not know a command; then `plain_may_work`.
        """
        for step, reply in zip(self._steps, replies, strict=False):
            if isinstance(reply, (ReplyError, InvalidReplyError)) and step not in OPTIONAL:
                return self._refusal(step, reply)
        message = f"{why} during the handshake"
        plain_may_work = PLAIN.issuperset(self._steps[: len(replies)]) and not PLAIN.issuperset(self._steps)
        if plain_may_work:
            wanted = {
                "protocol=2": self.protocol == 3,
                "client_name=None": self.client_name is not None,
                "lib_name=None": self.library_name is not None,
                "lib_version=None": self.library_version is not None,
                "cache=None": bool(self.tracking),
            }
            options = ", ".join([option for option, given in wanted.items() if given])
            message += f", as proxies do that do not know each of its commands: {options} leaves them out"
        return ConnectError(message, transient=True, plain_may_work=plain_may_work)

    def _batch(self, *, hello: bool) -> list[tuple[Argument, ...]]:
        """Return the commands of the steps that are still to be achieved, with or without HELLO."""
        asked: dict[Step, tuple[Argument, ...]] = {}
        user, password, name, master = self.username, self._password or "", self.client_name, self.master_name
        if hello:
            # HELLO knows only the form with a user; the user of a bare password is called default (Redis 6 ACL).
            auth = ("AUTH", user or "default", password) if self._authenticates else ()
            asked[Step.HELLO] = ("HELLO", 3, *auth, *(() if name is None else ("SETNAME", name)))
        else:
            if self._authenticates:
                asked[Step.AUTH] = ("AUTH", password) if user is None else ("AUTH", user, password)
            if name is not None:
                asked[Step.CLIENT_NAME] = ("CLIENT", "SETNAME", name)
        if self.needs_replica or (self.needs_master and not hello):
            asked[Step.ROLE] = ("ROLE",)
        if self.library_name is not None:
            asked[Step.LIBRARY_NAME] = ("CLIENT", "SETINFO", "LIB-NAME", self.library_name)
        if self.library_version is not None:
            asked[Step.LIBRARY_VERSION] = ("CLIENT", "SETINFO", "LIB-VER", self.library_version)
        if self.database:
            asked[Step.DATABASE] = ("SELECT", self.database)
        if self.reads_replica:
            asked[Step.READONLY] = ("READONLY",)
        if master is not None:
            # The epoch comes first: after a fail-over between two answers a new master goes with the old epoch, which does no harm.
            asked[Step.EPOCH] = ("SENTINEL", "MASTER", master)
            asked[Step.MASTER] = ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", master)
            asked[Step.SENTINELS] = ("SENTINEL", "SENTINELS", master)
            if self.lists_replicas:
                asked[Step.REPLICAS] = ("SENTINEL", "REPLICAS", master)
        if self.tracking and hello:  # on RESP2 it would be accepted, and never be heard of
            asked[Step.TRACKING] = self.tracking
        for step in self._done:
            asked.pop(step, None)
        # Nothing follows from a refused optional step, so something else has to come first: a PING tells a server that is
        # full, or wants a password, from one that serves.
        if OPTIONAL.issuperset([*asked][:1]):
            asked = {Step.PING: ("PING",), **asked}
        self._steps = [*asked]
        return [*asked.values()]

    @property
    def _authenticates(self) -> bool:
        return self.username is not None or self._password is not None

    def _refusal(self, step: Step, reply: ReplyError | InvalidReplyError) -> ConnectError:
        if isinstance(reply, InvalidReplyError):
            return ConnectError(f"the answer to {step.value} makes no sense: {reply}", transient=False)
        if reply.code == "NOAUTH":  # told by whichever step meets it first
            option = "password" if self.master_name is None else "sentinel_password"
            return ConnectError(f"the server requires a password (NOAUTH); configure `{option}`", transient=False)
        if _is_transient(reply):
            said = MAX_CLIENTS + " reached" if MAX_CLIENTS in reply.message else reply.code
            return ConnectError(f"the server cannot serve now: {said}", transient=True)
        # networking.c, clientAcceptHandler: said before anything is read, and followed by a close.
        if reply.code == "DENIED":
            return ConnectError("the server is in protected mode and refuses other hosts (DENIED)", transient=False)
        match step:
            case Step.HELLO if reply.code != "WRONGPASS":
                return ConnectError(f"the server refused HELLO ({self._code(reply)})", transient=False)
            case Step.HELLO | Step.AUTH:
                return ConnectError(
                    f"the server refused the user name or password ({self._code(reply)})", transient=False
                )
            case Step.DATABASE:
                return ConnectError(f"the server refused database {self.database}{self._said(reply)}", transient=False)
            case _:
                return ConnectError(f"the server refused {step.value}{self._said(reply)}", transient=False)

    def _said(self, reply: ReplyError) -> str:
        """What the server said to a step without secrets: its own words, unless it speaks of the secret of another step."""
        if any(secret and secret in str(reply) for secret in self._secrets):
            return f" ({self._code(reply)})"
        return f": {in_one_line(str(reply))}"

    def _code(self, reply: ReplyError) -> str:
        return shown_code(reply, *self._secrets)

    @property
    def _secrets(self) -> tuple[str | None, str | None]:
        password = (
            self._password.decode("utf-8", "surrogateescape") if isinstance(self._password, bytes) else self._password
        )
        return password, self.username


# A single close may be a server that ends just then; the next dial asks in full again.
TWICE: Final = 2

AGAIN: Final = 16
"""After so many dials that asked plainly, one asks in full: it may have been the network that ended the others."""

SURELY: Final = 4
"""So many dials in a row are ended in a full handshake before one asks plainly, where a full one was accepted before."""


class Fallback:
    """How the dials of one client open: in full, or plainly, because what is there hangs up on a full handshake.

    One object for a client, a pool or a single connection; `opening` gives one for each dial.
    """

    __slots__ = ("_accepted", "_ended", "_plainly", "_times")

    def __init__(self) -> None:
        self._times = 0  # in a row, a dial was ended in a full handshake, and accepted in a plain one
        self._plainly = 0  # dials in a row that asked plainly from the beginning
        self._ended = 0  # dials in a row that were ended in a full handshake
        self._accepted = False  # a full handshake was, once

    def opening(self) -> Opening:
        """Return how the next dial opens."""
        plain = self._times >= TWICE and self._plainly < AGAIN
        self._plainly = self._plainly + 1 if plain else 0
        return Opening(self, plain=plain)

    def _hung_up(self) -> bool:
        """What is there hung up on a full handshake: may it be that it knows no such?"""
        self._ended += 1
        return not self._accepted or self._ended >= SURELY

    def _opened(self, *, fell_back: bool) -> None:
        self._times = self._times + 1 if fell_back else 0
        if not fell_back:
            self._ended, self._accepted = 0, True


class Opening:
    """One dial: open by `plain`; if that fails, ask `again`, which changes it; else tell `opened`."""

    __slots__ = ("_fallback", "_fell_back", "plain")

    def __init__(self, fallback: Fallback, *, plain: bool) -> None:
        self.plain: bool = plain
        self._fallback = fallback
        self._fell_back = False

    def again(self, error: Exception | None) -> bool:
        """The handshake failed: is another connection to be opened at once, with what is left of the time?"""
        if self.plain or not (isinstance(error, ConnectError) and error.plain_may_work and self._fallback._hung_up()):
            return False
        self.plain = self._fell_back = True
        return True

    def opened(self) -> None:
        """The handshake was accepted."""
        if self._fell_back or not self.plain:
            self._fallback._opened(fell_back=self._fell_back)


def _code(reply: ReplyError | InvalidReplyError) -> str:
    return reply.code if isinstance(reply, ReplyError) else ""


def _is_transient(reply: ReplyError) -> bool:
    return reply.code in TRANSIENT_CODES or MAX_CLIENTS in reply.message


def _text(value: Reply) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)
