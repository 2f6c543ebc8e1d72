"""How much a peer may make us read and hold, and what is said of a stream that is refused."""

from __future__ import annotations

import re
from typing import Final

from .._errors import RemoteProtocolError
from .._record import Record

__all__ = ["Limits", "refused"]

_SHOWN: Final = re.compile(
    rb"[$*%~>|!=;][0-9?+-]{0,20}|[\x00-\xff]"
).match  # of what came: the type byte and the length, never data


class Limits(Record):
    """What a peer may make us read and hold. Beyond any of these: `RemoteProtocolError`."""

    depth: int = 128
    """How many aggregates may be open at a time (an attribute counts as one). redis-rs stops at 100, Lua replies at about 190."""

    bulk: int = 512 * 1024 * 1024
    """Bytes of one bulk, verbatim or error string, streamed ones included, and of a line that carries text (simple strings, errors;
    a script may say anything in one): Redis' own `proto-max-bulk-len`."""

    line: int = 64 * 1024
    """Bytes of any other line (numbers, headers): Redis' `PROTO_INLINE_MAX_SIZE`."""

    elements: int = 2**32 - 1
    """Elements of one aggregate (keys and values count singly): hiredis' `REDIS_READER_MAX_ARRAY_ELEMENTS`."""

    reply: int = 1024 * 1024 * 1024
    """Bytes of one top-level aggregate with all that it holds, and of the objects that it is made of as far as these take much
    more than came (a set of one byte takes 200): what Redis takes from its clients (`client-query-buffer-limit`)."""


def refused(expected: str, data: bytes, i: int, base: int) -> RemoteProtocolError:
    """Return the error for a stream in which at index `i` of `data` stands something else than what was `expected`.

    Only a type byte and a length are shown of what came, because messages go to logs; nothing if it came before `data`.
    """
    came = _SHOWN(data, i) if i >= 0 else None
    got = "something else" if came is None else repr(came[0])
    return RemoteProtocolError(f"expected {expected}, got {got} at byte {base + i} of the stream")
