"""What must hold in every history of a client: asked of what its callers were told, and of what the server really did.

Each command that is to be followed has a number of its own: `GET e7`, `INCRBY n7 7`, `RPUSH q0 7`, `BLPOP q0 b7 0.2`,
`RENAME temporary v` of a value that begins with `7:`. An `AssertionError` says which promise was broken, and by which call.
"""

from __future__ import annotations

from collections import Counter
from math import inf
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

from resp_sansio import Outcome, ReplyError

if TYPE_CHECKING:
    from .world import World

__all__ = ["PATIENCE", "Checks", "Told"]

PATIENCE: Final = 6.0
"""Seconds in which a server that is well has served every caller of a history."""
LATE: Final = 1.0
"""Seconds after which a socket that was closed is closed at the server's end, too."""
ERRORS: Final = frozenset({"LOADING", "BUSY", "READONLY", "EXECABORT", "UNBLOCKED"})
"""What the server says of itself."""
RAN: Final = {"INCRBY": b"n%d", "RPUSH": b"%d", "RENAME": b"v%d"}
"""Commands that must not run twice, and by what the server counts them."""


class Told(NamedTuple):
    """How a command has ended for its caller. `outcome` is None where the caller cannot know; `left` is when it gave up."""

    name: str
    outcome: Outcome | None
    reply: Any = None
    who: object = "the caller"
    left: float = inf


class Checks:
    """The promises, for one history. `told` has commands by their number, `answers` counts how they ended.

    `errors` are the codes by which servers may say that they are not well.
    """

    errors: ClassVar[frozenset[str]] = ERRORS

    def __init__(self, world: World) -> None:
        self.world: World = world
        self.told: dict[int, Told] = {}
        self.answers: Counter[str] = Counter()
        self._number = 0

    def number(self) -> int:
        """Return a number that no other command has."""
        self._number += 1
        return self._number

    @property
    def latest(self) -> int:
        """The last of these numbers."""
        return self._number

    def tell(self, number: int, name: str, outcome: Outcome | None, reply: Any, who: object, left: float = inf) -> None:
        """Note how a command has ended for its caller."""
        self.told[number] = Told(name, outcome, reply, who, left)

    def own(self, who: object, reply: Any, expected: Any) -> None:
        """The reply is that caller's own, or the server's word that it is not well."""
        if isinstance(reply, ReplyError):
            assert reply.code in self.errors, f"{who} was answered {reply!r}"
        else:
            assert reply == expected, f"{who} was answered {reply!r:.80}, and {expected!r:.80} is its own"

    def popped(self, who: object, reply: Any, number: int) -> None:
        """What BLPOP got is what the server took out for it."""
        if isinstance(reply, list):
            assert len(reply) == 2, reply
            whose, _ = self.world.server.taken.get(reply[1], (b"no caller", 0.0))
            assert whose == b"b%d" % number, f"{who} got {reply[1]!r}, which was taken out for {whose!r}"
        else:
            self.own(who, reply, None)

    def punctual(self, who: object, since: float) -> None:
        """A caller whose server was well all the time does not wait for long."""
        assert self.world.clock.now - max(since, self.world.troubled) < PATIENCE, f"{who} waited, and all was well"

    def agree(self) -> None:
        """At the end: what each caller was told agrees with what the server did."""
        for number, told in self.told.items():
            self._agrees(number, told)
        for element, (whose, when) in self.world.server.taken.items():
            told_of_it = self.told.get(int(whose[1:]))
            if told_of_it is not None:
                self._took(element, when, told_of_it)

    def _agrees(self, number: int, told: Told) -> None:
        name, outcome, reply, who, _ = told
        ran = self.world.server.ran
        if name == "GET":
            times = ran[b"e%d" % number] + ran[b"large:%d" % number] + ran[b"odd:%d" % number]
            assert outcome is not Outcome.NOT_SENT or times == 0, f"GET {number} was NOT_SENT, and ran"
            return
        if name not in RAN:
            return
        times = ran[RAN[name] % number]
        self.answers["unknown" if outcome is None else outcome.name] += 1
        assert times <= 1, f"{name} {number} of {who} ran {times} times"
        if outcome is Outcome.REPLY:
            right = 0 if isinstance(reply, ReplyError) or reply is None else 1
            assert times == right, f"{name} {number} of {who} was answered {reply!r}, and ran {times} times"
        elif outcome is Outcome.NOT_SENT:
            assert times == 0, f"{name} {number} of {who} was NOT_SENT, and ran"

    def _took(self, element: bytes, when: float, told: Told) -> None:
        """No element is lost but for a caller that was told so, or had gone before."""
        if told.outcome is Outcome.REPLY and told.name == "BLPOP":
            assert told.reply is not None, f"{element!r} was taken out for {told.who}, who was told that there is none"
            assert not isinstance(told.reply, ReplyError)
            assert told.reply[1] == element
        else:
            assert told.outcome is not Outcome.NOT_SENT, f"{element!r} was taken out by a command that was NOT_SENT"
            late = when > max(told.left, self.world.troubled) + LATE
            assert not late, f"{element!r} was taken out for {told.who}, who had gone long before"

    def rest(self) -> None:
        """The client was closed, and so are its sockets."""
        left = [socket for socket in self.world.sockets if not socket.closed]
        assert not left, f"sockets were left open: {left}"
