"""What the small Redis knows of conversations, which take many commands: SCAN, lists as queues, strings in parts.

A cursor of SCAN means something to the server that gave it alone, as it runs now: another one has its keys in another order.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

if TYPE_CHECKING:
    from .server import Server, Words

__all__ = ["KEYS", "answer"]

KEYS: Final = tuple([b"s%d" % number for number in range(40)])
"""What SCAN finds: keys that are there all the time."""


def answer(server: Server, run_id: bytes, words: Words) -> Any:
    """Return the reply to a command of a conversation. `run_id`: of the server that has the connection, as it ran then."""
    lists, strings = server.lists, server.strings
    match words:
        case (b"INFO", _):
            return b"# Server\r\nrun_id:%b\r\n" % run_id
        case (b"SCAN", cursor, b"COUNT", count):
            first, start, end = crc32(run_id) % len(KEYS), int(cursor), int(cursor) + int(count)
            ordered = KEYS[first:] + KEYS[:first]
            return [b"0" if end >= len(KEYS) else b"%d" % end, [*ordered[start:end]]]
        case (b"LMOVE", source, working, b"LEFT", b"RIGHT") | (b"BLMOVE", source, working, b"LEFT", b"RIGHT", _):
            if not lists[source]:
                return None
            lists[working].append(lists[source].popleft())
            return lists[working][-1]
        case (b"LRANGE", key, b"0", b"-1"):
            return [*lists[key]]
        case (b"LREM", key, b"1", element):
            before, lists[key] = (
                len(lists[key]),
                deque([one for one in lists[key] if one != element]),
            )  # there are no equal ones
            return before - len(lists[key])
        case (b"EXISTS" | b"PERSIST", key) | (b"PEXPIRE", key, _):
            return int(key in strings)
        case (b"STRLEN", key):
            return len(strings[key])
        case (b"GETRANGE", key, start, last):
            return strings[key][int(start) : int(last) + 1]
        case (b"SET", key, data, b"PX", _):
            strings[key] = data
            return "OK"
        case (b"SET", key, data, b"PX", _, b"NX"):
            return None if strings.setdefault(key, data) else "OK"
        case (b"APPEND", key, data):
            strings[key] += data
            return len(strings[key])
        case (b"RENAME", old, key):
            server.version[key] += 1
            strings[key] = strings.pop(old)
            server.ran[key + strings[key].partition(b":")[0]] += 1
            return "OK"
        case (b"UNLINK", key):
            return int(strings.pop(key, None) is not None)
    return server.more(words)
