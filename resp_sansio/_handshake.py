"""The opening batch, and what each answer means.

HELLO (with AUTH and SETNAME inside), CLIENT SETINFO twice and SELECT go out in one write. Redis runs what follows a refused
step, as the wrong user or in the wrong database, so a connection sends nothing of its callers' until every answer has been
read and accepted here. A server, proxy or user that may not HELLO gets a second batch: the steps that did not succeed, in
RESP2. Which answer means what is the table at the end of this page.

No secret leaves this module but in the batch itself: an unknown-command error echoes arguments, so of any error only the code
is kept, with our own words for what was refused.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Final, Literal, NoReturn

from ._errors import ConnectError, ReplyError
from ._record import Record
from ._values import Pairs, Reply

__all__ = ["Accepted", "Handshake", "Step"]

TRANSIENT_CODES: Final = frozenset({"BUSY", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN"})
# networking.c, acceptCommonHandler: sent instead of an answer, and followed by a close.
MAX_CLIENTS: Final = "max number of clients"


class Step(enum.Enum):
    """What the opening has to achieve; the value is how an error speaks of it."""

    HELLO = "HELLO"
    AUTH = "AUTH"
    CLIENT_NAME = "the client name"
    LIBRARY_NAME = "the library name"
    LIBRARY_VERSION = "the library version"
    DATABASE = "the database"
    PING = "PING"


# CLIENT SETINFO is newer than most servers (7.2), and documented as one to send and forget.
OPTIONAL: Final = frozenset({Step.LIBRARY_NAME, Step.LIBRARY_VERSION})


class Accepted(Record):
    """The handshake is over: the protocol spoken from here on, and what HELLO said of the server (empty without HELLO)."""

    protocol: Literal[2, 3]
    server: dict[str, Reply]

    @classmethod
    def of(cls, hello: Reply) -> Accepted:
        """Read HELLO's answer: a map, or a flat array where the server agreed to HELLO but speaks RESP2."""
        pairs: list[tuple[Reply, Reply]] = []
        if isinstance(hello, dict):
            pairs = list(hello.items())
        elif isinstance(hello, Pairs):
            pairs = list(hello)
        elif isinstance(hello, list):
            pairs = list(zip(hello[0::2], hello[1::2], strict=False))
        # A server that doesn't say which protocol it speaks, but says it with a map, speaks RESP3.
        spoken = 3 if isinstance(hello, (dict, Pairs)) else 2
        server: dict[str, Reply] = {
            _text(key): _text(value) if isinstance(value, bytes) else value for key, value in pairs
        }
        return cls(protocol=3 if server.get("proto", spoken) == 3 else 2, server=server)


class Handshake:
    """What to agree on with the server before the first command; one object for one dial.

    `protocol` 3 falls back to 2 where the server has no HELLO; 2 never asks. `username` without `password` authenticates
    with an empty password. `database` is selected unless it is 0, where every connection starts.
    """

    __slots__ = (
        "_done", "_password", "_steps", "client_name", "database", "library_name", "library_version", "protocol", "username",
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
    ) -> None:
        self.protocol = protocol
        self.username: str | None = username
        self._password = password
        self.client_name: str | None = client_name
        self.library_name: str | None = library_name
        self.library_version: str | None = library_version
        self.database: int = database
        self._steps: list[Step] = []
        self._done: set[Step] = set()

    def __repr__(self) -> str:
        waits = ", ".join(step.name for step in self._steps if step not in self._done)
        return f"<{type(self).__name__} for RESP{self.protocol}, waiting for {waits or 'nothing'}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} cannot be pickled, because a pickle would show the password")

    def first_batch(self) -> list[tuple[str | bytes | int, ...]]:
        """Return the commands of the first batch, to be sent in one write. Never empty."""
        return self._batch([Step.HELLO] if self.protocol == 3 else [Step.AUTH, Step.CLIENT_NAME])

    def answered(self, replies: Sequence[Reply]) -> Accepted | list[tuple[str | bytes | int, ...]]:
        """Read the answers of a whole batch: the handshake is accepted, or goes on with the batch that is returned.

        Raises `ConnectError` if the server refused; nothing may be sent after that.
        """
        hello = replies[0] if self._steps[0] is Step.HELLO else None
        # What was refused for want of HELLO's AUTH is asked again behind the AUTH of the second batch.
        again = isinstance(hello, ReplyError) and self._authenticates
        for step, reply in zip(self._steps, replies, strict=True):
            if not isinstance(reply, ReplyError):
                self._done.add(step)
            elif _ends(step, reply) and (step is Step.HELLO or not again):
                raise _refusal(step, reply)
        if isinstance(hello, ReplyError):
            return self._batch([Step.AUTH, Step.CLIENT_NAME])
        if self._steps[0] is Step.HELLO and not isinstance(hello, (dict, list)):
            raise ConnectError(f"the server answered HELLO with a {type(hello).__name__}, not a map", transient=False)
        return Accepted.of(hello)

    def interrupted(self, replies: Sequence[Reply], why: str) -> ConnectError:
        """Return the error for a connection that ended inside a batch, after these replies to it.

        A server that is full, or that protects itself, says so and closes without reading what was sent.
        """
        for step, reply in zip(self._steps, replies, strict=False):
            if isinstance(reply, ReplyError) and step not in OPTIONAL:
                return _refusal(step, reply)
        return ConnectError(f"{why} during the handshake", transient=True)

    def _batch(self, opening: list[Step]) -> list[tuple[str | bytes | int, ...]]:
        wanted = [*opening, Step.LIBRARY_NAME, Step.LIBRARY_VERSION, Step.DATABASE]
        batch = [(step, arguments) for step in wanted if step not in self._done and (arguments := self._command(step))]
        # Nothing follows from a refused optional step, so something else has to come first: a PING tells a server that is
        # full, or wants a password, from one that serves.
        if not batch or batch[0][0] in OPTIONAL:
            batch.insert(0, (Step.PING, ("PING",)))
        self._steps = [step for step, _ in batch]
        return [arguments for _, arguments in batch]

    def _command(self, step: Step) -> tuple[str | bytes | int, ...]:
        """Return the command that achieves a step, or () if this handshake does not ask for it."""
        match step:
            case Step.HELLO:
                name = ("SETNAME", self.client_name) if self.client_name is not None else ()
                # HELLO knows only the form with a user; the user of a bare password is called default (Redis 6 ACL).
                auth = ("AUTH", self.username or "default", self._password or "") if self._authenticates else ()
                return ("HELLO", 3, *auth, *name)
            case Step.AUTH if self._authenticates:
                user = () if self.username is None else (self.username,)
                return ("AUTH", *user, self._password or "")
            case Step.CLIENT_NAME if self.client_name is not None:
                return ("CLIENT", "SETNAME", self.client_name)
            case Step.LIBRARY_NAME if self.library_name is not None:
                return ("CLIENT", "SETINFO", "LIB-NAME", self.library_name)
            case Step.LIBRARY_VERSION if self.library_version is not None:
                return ("CLIENT", "SETINFO", "LIB-VER", self.library_version)
            case Step.DATABASE if self.database:
                return ("SELECT", self.database)
            case _:
                return ()

    @property
    def _authenticates(self) -> bool:
        return self.username is not None or self._password is not None


def _is_transient(reply: ReplyError) -> bool:
    return reply.code in TRANSIENT_CODES or MAX_CLIENTS in reply.message


def _ends(step: Step, reply: ReplyError) -> bool:
    """Does this error end the handshake? HELLO's own may only mean that there is no HELLO: the second batch will tell."""
    if step is Step.HELLO:
        return reply.code in ("WRONGPASS", "NOAUTH") or _is_transient(reply)
    return step not in OPTIONAL or reply.code == "NOAUTH"


def _refusal(step: Step, reply: ReplyError) -> ConnectError:
    if reply.code == "NOAUTH":  # told by whichever step meets it first
        return ConnectError("the server requires a password (NOAUTH); configure `password`", transient=False)
    if _is_transient(reply):
        # These texts are the server's own and older than any argument of ours, except behind HELLO and AUTH.
        said = MAX_CLIENTS + " reached" if MAX_CLIENTS in reply.message else reply.code
        return ConnectError(f"the server cannot serve now: {said}", transient=True)
    # networking.c, clientAcceptHandler: said before anything is read, and followed by a close.
    if reply.code == "DENIED":
        return ConnectError("the server is in protected mode and refuses other hosts (DENIED)", transient=False)
    match step:
        case Step.HELLO if reply.code != "WRONGPASS":
            return ConnectError(f"the server refused HELLO ({reply.code})", transient=False)
        case Step.HELLO | Step.AUTH:
            return ConnectError(f"the server refused the user name or password ({reply.code})", transient=False)
        case _:
            return ConnectError(f"the server refused {step.value} ({reply.code})", transient=False)


def _text(value: Reply) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)
