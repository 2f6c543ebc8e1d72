"""The words of a command: its arguments, each word of its name one, and how a message shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from ..wire.encoder import Argument

__all__ = ["Words", "index_of", "shown_word", "shown_words", "text_of", "words_of"]

Words: TypeAlias = Sequence[Argument]

BUFFERS: Final = (bytes, bytearray, memoryview)


def words_of(args: Sequence[Argument]) -> Words:
    """Return the command's words as the encoder sends them: the first argument may hold several."""
    if not args:
        raise ValueError("a command needs a name: it was given no arguments")
    name = args[0]
    if not isinstance(name, (str, bytes)):
        raise TypeError(f"a command's name must be str or bytes, not {type(name).__name__}")
    # As bytes, because a str would be split at other characters too (U+0085, no-break spaces).
    data = name if isinstance(name, bytes) else name.encode("utf-8", "surrogateescape")
    words = data.split()
    if not words:
        raise ValueError("a command needs a name, not an empty one")
    if len(words[0]) == len(data):
        return args
    return [*(words if isinstance(name, bytes) else map(text_of, words)), *args[1:]]


def text_of(argument: object) -> str:
    """Return an argument as text; nothing for what is none, which the encoder refuses, or too large for any rule here."""
    if isinstance(argument, str):
        return argument
    if isinstance(argument, (int, float)):
        return "" if is_large(argument) else str(argument)
    return bytes(argument).decode("utf-8", "surrogateescape") if isinstance(argument, BUFFERS) else ""


def is_large(number: float) -> bool:
    """Tell whether it is an integer that Python may refuse to write in digits."""
    return isinstance(number, int) and number.bit_length() > 64


def index_of(words: Words, word: str, start: int) -> int:
    """Return where `word` stands, in any case, from `start` on; if nowhere, behind the end."""
    return next((index for index in range(start, len(words)) if text_of(words[index]).upper() == word), len(words))


def shown_words(words: Sequence[object], most: int = 8) -> list[str]:
    """Return the words as a message shows them: neither a megabyte of one nor thousands of them, and of what is none its type."""
    shown = [shown_word(word) for word in words[:most]]
    return [*shown, f"... {len(words) - most} more"] if len(words) > most else shown


def shown_word(word: object, longest: int = 40) -> str:
    """Return an argument, or a value of a reply, as a message shows it: short; of what is none, its type."""
    if isinstance(word, (str, *BUFFERS)):
        return repr(word) if len(word) <= longest else f"<{type(word).__name__} of {len(word)}>"
    if isinstance(word, (int, float)) and not is_large(word):
        return repr(word)
    return f"<{type(word).__name__}>"
