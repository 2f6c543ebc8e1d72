r"""What MONITOR tells: when, from where and in which database a server was asked what.

Each command is a line, whose words are in quotes as those of an inline command may be:

    1339518083.107412 [0 127.0.0.1:60866] "SET" "k" "\x00\n"
"""

from __future__ import annotations

import re
from typing import Final, Generic, NamedTuple

from .._errors import UnexpectedReplyError
from ..commands.decoding import S, Text
from ..wire.requests import split_inline
from ..wire.values import Push
from .call import not_text

__all__ = ["MonitorLine", "line_of", "read_monitor_line"]

HEAD: Final = rb"([0-9]{1,20}\.[0-9]{1,9}) \[([0-9]{1,10}) "  # few ever need it: `re` compiles it then, and keeps it

# The path of a Unix socket has at most 108 bytes (unix(7)), whichever they are; any other address has fewer.
LONGEST_ADDRESS: Final = 128


class MonitorLine(NamedTuple, Generic[S]):
    """A command that a server was asked, as MONITOR tells it.

    `time` is the server's, in seconds since 1970. `address` is that of the client, `unix:` and a path if that is how it came, or
    `lua` for a script. A password among the `words` is `(redacted)`.
    """

    time: float
    database: int
    address: str
    words: tuple[S, ...]


def read_monitor_line(line: bytes) -> MonitorLine[bytes] | None:
    """Read a line of MONITOR's; return None if it is none."""
    head = re.match(HEAD, line)
    if head is None:
        return None
    begin = head.end()
    end = line.find(b'] "', begin, begin + LONGEST_ADDRESS)
    while end >= 0:
        words = split_inline(line[end + 2 :])
        if words:
            address = line[begin:end].decode("utf-8", "surrogateescape")
            return MonitorLine(float(head[1]), int(head[2]), address, tuple(words))
        end = line.find(b'] "', end + 1, begin + LONGEST_ADDRESS)  # that was within a path
    return None


def line_of(push: Push, text: Text[S]) -> MonitorLine[S]:
    """Return the line that a push is. Raises `UnexpectedReplyError` if it is none, or its words are no text."""
    item = push.items[0] if push.items else None
    line = read_monitor_line(item.encode("utf-8", "surrogateescape")) if isinstance(item, str) else None
    if line is None:
        raise UnexpectedReplyError("MONITOR: what came is no line that tells of a command")
    try:
        return MonitorLine(line.time, line.database, line.address, tuple(text.many([*line.words])))
    except UnicodeDecodeError as error:
        told = not_text("MONITOR", error)
    raise told  # here, where no data is in the context
