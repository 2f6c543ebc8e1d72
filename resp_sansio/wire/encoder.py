"""Values to bytes: commands as clients send them, replies as servers do.

A command is an array of bulk strings, so all that varies is its arguments. Its head (`*3`, then the name as a bulk) is the
same for every call and comes from a bounded cache; one template or one join makes the rest, in one copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal, TypeAlias

from .._errors import InvalidReplyError, ReplyError
from .values import Attributed, Items, MapKey, Pairs, Push, Reply, Verbatim

__all__ = ["UNCOPIED", "Argument", "encode_command", "encode_reply"]

Argument: TypeAlias = bytes | bytearray | memoryview | str | int | float
"""What an argument of a command can be. `bool` and `None` are refused: what they should mean is for the caller to say."""

UNCOPIED: Final = 32 * 1024
"""An exact `bytes` argument of this many bytes or more is handed on as it is. Below it, copying is cheaper than a second buffer."""

# What ends one argument and begins the next, by the length of that; longer ones are written as needed.
_LENGTHS: Final = [b"\r\n$%d\r\n" % length for length in range(1025)]

# The array header and the name's words, up to the last line break, by number of arguments and name. Names come from programs,
# so few are ever seen (Redis 7.0 has 240 commands and 140 subcommands); one that takes them from elsewhere must not grow this.
_HEADS: Final[list[dict[object, bytes]]] = [{} for _ in range(16)]
_HEADS_OF_TWO, _HEADS_OF_THREE = _HEADS[2:4]  # looked up once: of a name and a key, and perhaps a value
_MOST_HEADS: Final = 512
_LONGEST_NAME: Final = 64


def encode_command(args: Sequence[Argument]) -> bytes | list[bytes]:
    """Return the command `args` (its name first) as bytes to send.

    The name may hold several words: `("CONFIG GET", "maxmemory")` is the same as `("CONFIG", "GET", "maxmemory")`. `str` is sent
    as UTF-8 (with surrogateescape, so that what was received as text can be sent again), `int` in decimal, `float` in the
    shortest form that reads back, and of other buffers a copy is taken now. If an exact `bytes` of at least `UNCOPIED` bytes
    is among the arguments, the result is a list of buffers to send one after the other, of which that very object is one.

    Raises `TypeError` naming the command's first word, the position and the type of an argument of another type, `ValueError`
    for an empty name or an `int` of more digits than `sys.set_int_max_str_digits()` allows; no value is in the message.
    """
    try:
        if len(args) == 2:
            name, first = args
            if type(first) is str:
                first = first.encode()
            if type(first) is bytes:
                return b"".join((_HEADS_OF_TWO[name], _LENGTHS[len(first)], first, b"\r\n"))
        elif len(args) == 3:
            name, first, second = args
            if type(first) is str:
                first = first.encode()
            if type(second) is str:
                second = second.encode()
            elif type(second) is int:
                second = b"%d" % second
            if type(first) is bytes and type(second) is bytes:
                return b"".join(
                    (_HEADS_OF_THREE[name], _LENGTHS[len(first)], first, _LENGTHS[len(second)], second, b"\r\n")
                )
        else:
            count = len(args)
            parts = [_HEADS[count][args[0]] if count < len(_HEADS) else _head(args)]
            for argument in args[1:]:
                if type(argument) is str:
                    argument = argument.encode()
                elif type(argument) is int:
                    argument = b"%d" % argument
                elif type(argument) is not bytes:
                    return _encode(args)
                parts += _LENGTHS[len(argument)], argument
            parts.append(b"\r\n")
            return b"".join(parts)
    except (KeyError, IndexError, TypeError, UnicodeEncodeError):  # a new name, a long argument, or a mistake
        pass
    return _encode(args)


def _encode(args: Sequence[Argument]) -> bytes | list[bytes]:
    """Encode any command."""
    buffers: list[bytes] = []
    parts = [_head(args)]
    for position in range(1, len(args)):
        argument = args[position]
        if type(argument) is str and argument.isascii():
            argument = argument.encode()
        elif type(argument) is not bytes:
            argument = _argument(argument, args, position)
        elif len(argument) >= UNCOPIED:
            parts.append(b"\r\n$%d\r\n" % len(argument))
            buffers += (b"".join(parts), argument)
            parts = []
            continue
        length = len(argument)
        parts += (_LENGTHS[length] if length < len(_LENGTHS) else b"\r\n$%d\r\n" % length, argument)
    parts.append(b"\r\n")
    block = b"".join(parts)
    return [*buffers, block] if buffers else block


def _head(args: Sequence[Argument]) -> bytes:
    """Return the array header and the words of the command's name, from the cache if they are in it."""
    count = len(args)
    if not count:
        raise ValueError("a command needs a name: encode_command() was given no arguments")
    name = args[0]
    if not isinstance(name, (str, bytes)):
        raise TypeError(f"a command's name must be str or bytes, not {type(name).__name__}")
    cache = _HEADS[count] if count < len(_HEADS) and len(name) <= _LONGEST_NAME else {}
    head = cache.get(name)
    if head is None:
        words = (_utf8(name, "a command's name") if isinstance(name, str) else bytes(name)).split()
        if not words:
            raise ValueError("a command needs a name, not an empty one")
        lengths = b"".join([b"\r\n$%d\r\n%b" % (len(word), word) for word in words])
        head = b"*%d%b" % (count - 1 + len(words), lengths)
        if len(cache) >= _MOST_HEADS:
            cache.clear()
        cache[name] = head
    return head


def _argument(value: Argument, args: Sequence[Argument], position: int) -> bytes:
    """Return an argument's bytes, whatever its type."""
    if isinstance(value, str):
        return _utf8(value, _place(args, position))
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return b"%d" % value
    if isinstance(value, float):
        return _double(value)
    wrong: type[object] = type(value)
    several = "; give its elements one by one" if issubclass(wrong, (list, tuple, set, frozenset)) else ""
    raise TypeError(
        f"{_place(args, position)} must be bytes, bytearray, memoryview, str, int or float, not {wrong.__name__}{several}"
    )


def _place(args: Sequence[Argument], position: int) -> str:
    """Return what an error may say of an argument: any value could be a secret, and so could what follows the first word."""
    name = args[0]
    assert isinstance(name, (str, bytes))  # the head was made of it
    return f"argument {position} of {name.split()[0]!r:.80}"


def _utf8(text: str, what: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        where = error.start
    # Raised out here, because an error in its context would hold the text.
    raise TypeError(f"{what} cannot be sent as UTF-8: there is half a surrogate pair at index {where} of it")


def _double(value: float) -> bytes:
    """Return the shortest text that reads back as `value`; Redis writes whole numbers without a fraction, and so do we."""
    return repr(float(value)).removesuffix(".0").encode()


def encode_reply(value: Reply, protocol: Literal[2, 3] = 3) -> bytes:
    """Return `value` as a server would send it in this protocol: the inverse of parsing.

    What RESP2 cannot say is converted as Redis does for its RESP2 clients: a map becomes the array of its keys and values, a set or
    push an array, a double or big number or verbatim string a bulk string, a boolean 1 or 0, an attribute is left out.
    An error's line breaks, which only RESP3's bulk error can carry, become spaces. An `InvalidReplyError` goes out as it came,
    whatever the protocol: it is no value that could be said otherwise.

    Raises `TypeError` for what is not a `Reply`, `ValueError` for a simple string with a line break or for a verbatim string
    whose format is not three bytes long.
    """
    parts: list[bytes] = []
    waiting: list[Iterator[Reply]] = []
    todo: Iterator[Reply] = iter((value,))
    while True:
        for item in todo:
            if isinstance(item, (list, tuple, dict, set, frozenset)):
                waiting.append(todo)
                todo = iter(_open(item, protocol, parts))
                break
            parts.append(_scalar(item, protocol))
        else:
            if not waiting:
                return b"".join(parts)
            todo = waiting.pop()


def _open(value: Reply, protocol: Literal[2, 3], parts: list[bytes]) -> Iterable[Reply]:
    """Append the header of an aggregate, and return what it holds."""
    items: Iterable[Reply]
    if isinstance(value, Attributed):
        if protocol == 2:
            return (value.value,)
        sign, count, items = b"|", len(value.attributes), (*_flat(value.attributes), value.value)
    elif isinstance(value, Push):
        kind = value.kind.encode("utf-8", "surrogateescape")
        sign, count, items = b">", 1 + len(value.items), (kind, *value.items)
    elif isinstance(value, (dict, Pairs, MapKey)):
        sign, count, items = b"%", len(value), _flat(value)
        if protocol == 2:
            count *= 2
    elif isinstance(value, (set, frozenset, Items)):
        sign, count, items = b"~", len(value), value
    else:
        assert isinstance(value, (list, tuple))
        assert not isinstance(value, Attributed)
        sign, count, items = b"*", len(value), value
    parts.append(b"%b%d\r\n" % (sign if protocol == 3 else b"*", count))
    return items


def _flat(pairs: dict[Reply, Reply] | Pairs | MapKey) -> list[Reply]:
    return [part for pair in (pairs.items() if isinstance(pairs, dict) else pairs) for part in pair]


def _scalar(value: Reply, protocol: Literal[2, 3]) -> bytes:
    match value:
        case Verbatim() if protocol == 3:
            form = value.format.encode("utf-8", "surrogateescape")
            if len(form) != 3:
                raise ValueError(f"a verbatim string's format is three bytes long, not {value.format!r}")
            return b"=%d\r\n%b:%b\r\n" % (len(value) + 4, form, value)
        case bytes():
            return b"$%d\r\n%b\r\n" % (len(value), value)
        case str():
            return b"+%b\r\n" % _line(value)
        case None:
            return b"_\r\n" if protocol == 3 else b"$-1\r\n"
        case bool():
            return (b"#t\r\n" if value else b"#f\r\n") if protocol == 3 else b":%d\r\n" % value
        case int():
            digits = b"%d" % value
            if -(2**63) <= value < 2**63:
                return b":%b\r\n" % digits
            return b"(%b\r\n" % digits if protocol == 3 else b"$%d\r\n%b\r\n" % (len(digits), digits)
        case float():
            digits = _double(value)
            return b",%b\r\n" % digits if protocol == 3 else b"$%d\r\n%b\r\n" % (len(digits), digits)
        case ReplyError():
            return _error(value, protocol)
        case InvalidReplyError():
            return value.raw + b"\r\n"
        case _:
            raise TypeError(f"{type(value).__name__} is not a reply: {value!r:.80}")


def _line(text: str) -> bytes:
    if "\r" in text or "\n" in text:
        raise ValueError(f"a simple string cannot hold a line break, a bulk string (bytes) can: {text!r:.80}")
    return text.encode("utf-8", "surrogateescape")


def _error(error: ReplyError, protocol: Literal[2, 3]) -> bytes:
    text: str = error.args[0]
    if protocol == 3 and ("\r" in text or "\n" in text):
        data = text.encode("utf-8", "surrogateescape")
        return b"!%d\r\n%b\r\n" % (len(data), data)
    return b"-%b\r\n" % _line(text.replace("\r", " ").replace("\n", " "))
