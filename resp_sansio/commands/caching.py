"""What a client-side cache has to know of commands: which replies may be kept, and which keys a command may change.

Read-only is not enough for the first: TTL and OBJECT IDLETIME change by themselves, SRANDMEMBER differs each time, and SORT reads
keys that it does not name. For the second, what is not known counts as a change: of a command that was never heard of, every
argument is taken for a key, and a script that names no key may have changed all of them.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Sequence
from typing import Final, TypeAlias

from ..wire.encoder import Argument, encode_command
from .knowledge import CommandInfo, command_keys
from .table import TABLE

__all__ = ["CACHEABLE", "EVERYTHING", "Everything", "Touched", "keys_of", "keys_touched", "sent_words"]


class Everything(enum.Enum):
    """The type of `EVERYTHING`."""

    EVERYTHING = "any key there is"


EVERYTHING: Final = Everything.EVERYTHING

Touched: TypeAlias = Collection[bytes] | Everything
"""The keys that a command may change."""

# The reply depends on the values of the named keys and on nothing else, and a server that tracks keys tells of each change.
CACHEABLE: Final = frozenset(
    "BITCOUNT BITFIELD_RO BITPOS EXISTS GEODIST GEOHASH GEOPOS GEORADIUSBYMEMBER_RO GEORADIUS_RO GEOSEARCH GET GETBIT"
    " GETRANGE HEXISTS HGET HGETALL HKEYS HLEN HMGET HSTRLEN HVALS LCS LINDEX LLEN LPOS LRANGE MGET SCARD SDIFF SINTER"
    " SINTERCARD SISMEMBER SMEMBERS SMISMEMBER STRLEN SUBSTR SUNION TYPE XLEN XRANGE XREVRANGE ZCARD ZCOUNT ZDIFF ZINTER"
    " ZINTERCARD ZLEXCOUNT ZMSCORE ZRANGE ZRANGEBYLEX ZRANGEBYSCORE ZRANK ZREVRANGE ZREVRANGEBYLEX ZREVRANGEBYSCORE ZREVRANK"
    " ZSCORE ZUNION".split()
)

# They may put other data in the place of all, or run what an argument says, without the server calling them writes.
CHANGES_ALL: Final = frozenset({"DEBUG", "EVAL", "EVALSHA", "FAILOVER", "FCALL", "REPLICAOF", "SLAVEOF"})


def keys_of(words: Sequence[Argument], info: CommandInfo) -> list[bytes]:
    """Return the keys of a command whose reply may be kept, given its words."""
    if info.one_key and words[0] == info.name:
        key = words[1] if len(words) > 1 else None
        if type(key) is str:
            return [key.encode("utf-8", "surrogateescape")]
        if type(key) is bytes:
            return [key]
    words = sent_words(encode_command(words))
    return [words[index] for index in command_keys(words)]


def keys_touched(payload: bytes | list[bytes], info: CommandInfo) -> Touched:
    """Return the keys that an encoded command may change."""
    if info.readonly:
        return ()
    words = sent_words(payload)
    known = TABLE.get(info.name)
    if known is None:
        return words[1:]
    keys = [words[index] for index in command_keys(words)]
    if not keys and (known.startswith("w") or info.name.partition(" ")[0] in CHANGES_ALL):
        return EVERYTHING
    return keys


def sent_words(payload: bytes | list[bytes]) -> list[bytes]:
    """Read an encoded command back: its words, the first of its name. Of a list, every other buffer is one large argument."""
    if isinstance(payload, bytes):
        lines = payload.split(b"\r\n")
        if len(lines) == 2 * int(lines[0][1:]) + 2:  # no word has a line break in it, and nothing follows the command
            return lines[2::2]
    blocks = [payload] if isinstance(payload, bytes) else payload
    words: list[bytes] = []
    at = blocks[0].index(b"\n") + 1
    count = int(blocks[0][1 : at - 2])  # something else may follow the command
    for index in range(0, len(blocks), 2):
        block = blocks[index]
        while at < len(block) and len(words) < count:
            start = block.index(b"\n", at) + 1
            if start == len(block):
                words.append(blocks[index + 1])
                break
            end = start + int(block[at + 1 : start - 2])
            words.append(block[start:end])
            at = end + 2
        at = 2  # behind the line break that ends the large argument
    return words
