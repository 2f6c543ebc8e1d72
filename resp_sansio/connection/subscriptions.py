"""What a connection is subscribed to, and how one (un)subscription is answered.

Redis answers with a push for each channel, not with a reply; a refused command is answered by one error. With one exception, the
pushes can be counted. A cluster that moves the slot of a shard channel unsubscribes its clients on its own, and tells each with
the same push that confirms a SUNSUBSCRIBE; one that was under way is then refused (MOVED) behind that push: a push and an error
for one command (https://github.com/valkey-io/valkey/issues/1066). So a PING follows each SUNSUBSCRIBE. Whatever comes before the
reply to it belongs to the SUNSUBSCRIBE, and nothing behind it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from .._errors import RemoteProtocolError, ReplyError, shown_code
from ..wire.encoder import encode_command
from ..wire.values import Push, Reply

__all__ = ["FENCE", "FENCED", "Confirmations", "Subscriptions"]

FENCED: Final = "SUNSUBSCRIBE"
FENCE: Final = encode_command(("PING",))
# On RESP2 a subscribed client is answered the second one.
PONGS: Final[tuple[Reply, ...]] = ("PONG", [b"pong", b""])

# cluster.c, getNodeByQuery: a command with channels is refused so, and a PING never is.
REDIRECTED: Final = frozenset({"ASK", "CLUSTERDOWN", "CROSSSLOT", "MOVED", "TRYAGAIN"})
# server.c, processCommand: these refuse a PING, and never a command that is about subscriptions.
NOT_NOW: Final = frozenset({"LOADING", "MASTERDOWN"})
# acl.c and server.c: a PING that this user may not send, or that was renamed.
NO_PING: Final = ("'ping' command", "command 'ping'")


class Subscriptions(dict[str, set[Reply]]):
    """What this connection is subscribed to, by what that is: nothing is here by a kind of which there is none.

    The server counts, but only in total, and an UNSUBSCRIBE of all needs the parts.
    """

    __slots__ = ()

    # The push that confirms -> whose set it changes, and how.
    KINDS: ClassVar = {
        "subscribe": ("channels", True),
        "unsubscribe": ("channels", False),
        "psubscribe": ("patterns", True),
        "punsubscribe": ("patterns", False),
        "ssubscribe": ("shard channels", True),
        "sunsubscribe": ("shard channels", False),
    }

    @classmethod
    def well_formed(cls, push: Push) -> bool:
        """Is this a channel or pattern (null if there was none to leave) and a count?"""
        match push.items:
            case (bytes() | str(), int()):
                return True
            case (None, int()):
                return not cls.KINDS[push.kind][1]
        return False

    def count(self, kind: str) -> int:
        """How many subscriptions there are of the kind that this push speaks of."""
        return len(self.get(self.KINDS[kind][0], ()))

    def take_in(self, push: Push) -> bool:
        """Take in a confirmation. Does it change anything?"""
        (kind, added), name = self.KINDS[push.kind], push.items[0]
        there = self.get(kind)
        if there is None:
            if added:
                self[kind] = {name}
            return added
        changes = (name in there) is not added
        if added:
            there.add(name)
        elif changes and len(there) == 1:
            del self[kind]
        else:
            there.discard(name)
        return changes


class Confirmations:
    """The answer to one (un)subscription, as far as it has come. `channels` are those that the command names, perhaps none."""

    __slots__ = ("_count", "_idle", "_name", "_named", "_pushes", "_refusal", "unasked")

    def __init__(self, name: str, channels: Sequence[bytes]) -> None:
        self._name = name
        self._count = len(channels)
        self._idle = 0  # confirmations that changed nothing
        self._named = frozenset(channels)  # a command may name thousands, and each is confirmed
        self._pushes: list[Reply] = []
        self._refusal: ReplyError | None = None
        self.unasked: list[Push] = []  # taken for confirmations at first; the server told them on its own

    def awaits(self, push: str) -> bool:
        """May a push of this kind still be a confirmation?"""
        return self._name == push.upper() and self._refusal is None

    def names(self, channel: Reply) -> bool:
        """Does the command speak of this channel, by its name or by naming none?"""
        name = channel.encode("utf-8", "surrogateescape") if isinstance(channel, str) else channel
        return not self._named or (isinstance(name, bytes) and name in self._named)

    def pushed(self, push: Push, subscriptions: Subscriptions) -> list[Reply] | None:
        """Take a push that `awaits` and `names` speak for into the `subscriptions`, and return all of them if it was the last.

        One comes for each channel named; if none is, one for each subscription of that kind, and one if there are none. Raises
        `RemoteProtocolError` if more come, which would never end.
        """
        if not subscriptions.take_in(push):
            self._idle += 1
            if self._idle > max(self._count, 1):
                raise RemoteProtocolError(f"more confirmations of {self._name} came than it asks for")
        self._pushes.append(push)
        if self._name == FENCED:
            return None
        last = len(self._pushes) == self._count if self._count else subscriptions.count(push.kind) == 0
        return self._pushes if last else None

    def answered(self, reply: Reply) -> Reply | list[Reply]:
        """Take what is no push, and return what the command is answered: its refusal, its confirmations, or None for not yet.

        Raises `RemoteProtocolError` if it can't be an answer.
        """
        if self._name == FENCED:
            return self._answered_with_fence(reply)
        if not isinstance(reply, ReplyError):
            raise RemoteProtocolError(f"expected the confirmation of {self._name}, got a {type(reply).__name__}")
        if self._pushes:
            raise RemoteProtocolError(f"an error came between the confirmations of {self._name}")
        return reply

    def _answered_with_fence(self, reply: Reply) -> Reply | list[Reply]:
        if isinstance(reply, ReplyError):
            if self._refusal is None and self._is_refusal(reply):
                self._refusal = reply
                self.unasked += [push for push in self._pushes if isinstance(push, Push)]
                return None
        elif reply not in PONGS:
            raise RemoteProtocolError(f"expected the answer to a PING behind {FENCED}, got a {type(reply).__name__}")
        if self._refusal is not None:
            return self._refusal
        if len(self._pushes) < max(self._count, 1):
            raise RemoteProtocolError(f"{FENCED} was neither confirmed nor refused")
        return self._own()

    def _is_refusal(self, error: ReplyError) -> bool:
        """Does this error refuse the command, not the PING behind it?

        Each channel is confirmed, or none is: while confirmations are missing, it is the command that was refused. Raises
        `RemoteProtocolError` where the answers do not tell: to guess wrongly would give each later caller the reply of another.
        """
        if len(self._pushes) < max(self._count, 1) or error.code in REDIRECTED:
            return True
        text = str(error).lower()
        if error.code in NOT_NOW or any(words in text for words in NO_PING):
            return False
        raise RemoteProtocolError(
            f"an error ({shown_code(error)}) refuses either {FENCED} or the PING behind it: which, is unknown"
        )

    def _own(self) -> list[Reply]:
        """Return the confirmations: they come last, for the server has nothing to tell of a channel behind its own."""
        pushes, own = self._pushes, self._count
        if not own:  # a null is the only answer to a command that finds nothing to leave
            own = 1 if isinstance(pushes[-1], Push) and pushes[-1].items[0] is None else len(pushes)
        self.unasked += [push for push in pushes[:-own] if isinstance(push, Push)]
        return pushes[-own:]
