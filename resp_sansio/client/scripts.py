"""Scripts: sent as a digest of 40 bytes, and whole only to a server that has not got them.

A server that does not know a digest says NOSCRIPT, and has run nothing: so it may always be asked again. That is done once, with
the source: a server may forget all of its scripts between any two commands (SCRIPT FLUSH, a restart, a fail-over), but not within
one. The source is loaded in front, in the same write: Redis 8 forgets what came by EVAL alone after 500 others.

In a pipeline NOSCRIPT would be known too late: the commands behind it have run by then. There a script is sent whole (`command`).
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha1
from typing import Any, Final, Generic, TypeVar, overload

from .._errors import ReplyError
from ..commands.command import Command, Reader, as_it_came
from ..connection.slot import Slot, SlotState
from ..wire.encoder import Argument
from ..wire.values import Reply

__all__ = ["Script", "lacks_script"]

T_co = TypeVar("T_co", covariant=True)

UNKNOWN: Final = "No matching script"
"""How a server's own NOSCRIPT goes on. A script may end in an error with that code, too, and has run then."""


class Script(Generic[T_co]):
    """A Lua script, to be run by `client.run(script, keys=[...], args=[...])`, or by `command` in a pipeline or transaction.

        add = Script("return redis.call('INCRBY', KEYS[1], ARGV[1])", read=as_int)      # Script[int]

    Without `read` it returns what the script does. A `readonly` one runs by EVALSHA_RO (Redis 7.0): on replicas, too, and once more
    if its reply is lost, which is not done to others. Raises `TypeError` if the source is neither text nor bytes.
    """

    __slots__ = ("_read", "digest", "readonly", "source")

    @overload
    def __init__(self: Script[Reply], source: str | bytes, *, readonly: bool = ...) -> None: ...

    @overload
    def __init__(self, source: str | bytes, *, read: Reader[T_co, bytes], readonly: bool = ...) -> None: ...

    def __init__(
        self,
        source: str | bytes,
        *,
        read: Reader[Any, bytes] = as_it_came,  # the overloads say that T is Reply then
        readonly: bool = False,
    ) -> None:
        if not isinstance(source, (str, bytes)):
            raise TypeError(f"the source of a script must be str or bytes, not {type(source).__name__}")
        self.source: Final[bytes] = source.encode("utf-8", "surrogateescape") if isinstance(source, str) else source
        self.digest: Final[str] = sha1(self.source, usedforsecurity=False).hexdigest()
        self.readonly: Final = readonly
        self._read = read

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.digest}>"

    def command(self, keys: Sequence[Argument] = (), args: Sequence[Argument] = ()) -> Command[T_co]:
        """Return the command that runs it by its source, wherever that is sent: EVAL, or EVAL_RO."""
        return self._command("EVAL", self.source, keys, args)

    def by_digest(self, keys: Sequence[Argument] = (), args: Sequence[Argument] = ()) -> Command[T_co]:
        """Return the command that runs it where it is known: EVALSHA, or EVALSHA_RO. See `lacks_script`."""
        return self._command("EVALSHA", self.digest, keys, args)

    def _command(self, name: str, which: Argument, keys: Sequence[Argument], args: Sequence[Argument]) -> Command[T_co]:
        for what, given in (("keys", keys), ("args", args)):
            if not isinstance(given, (list, tuple)):  # each character of a text would be one, and each key of a mapping
                raise TypeError(f"{what} of a script must be a list or tuple, not {type(given).__name__}")
        if self.readonly:
            name += "_RO"
        return Command(name, which, len(keys), *keys, *args, read=self._read)


def lacks_script(slot: Slot) -> bool:
    """Was a call by digest answered by a server that has not got the script, and has run nothing?"""
    reply = slot.reply if slot.state is SlotState.ANSWERED else None
    return isinstance(reply, ReplyError) and reply.code == "NOSCRIPT" and reply.message.startswith(UNKNOWN)
