"""Where a command's keys are: by the table's key specifications, and by hand where none of these finds them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from .words import Words, index_of, text_of

__all__ = ["KEYS", "KeySpec", "key_spec", "positions"]


class KeySpec(NamedTuple):
    """Where some of a command's keys are, by index (the name's words count).

    If `word` is given the search begins behind it, which is looked for from `start`. Then every `step`-th argument up to `last`
    is a key; `last` counts from the beginning of the search, or from the end of the command if negative. `share` 2 means that
    only the first half of them are keys. If `last` is None, the first argument is the number of keys that follow.
    """

    start: int
    last: int | None = 0
    step: int = 1
    share: int = 1
    word: str = ""


def key_spec(text: str) -> KeySpec:
    """Read the table's notation."""
    word, _, text = text.rstrip("!").rpartition("@")
    text, _, share = text.partition("/")
    start, counted, step = text.partition("#")
    if counted:
        return KeySpec(int(start), None, int(step), word=word)
    start, last, step = [*text.split(":"), "0", "1"][:3]
    return KeySpec(int(start), int(last), int(step), int(share or 1), word)


def positions(spec: KeySpec, words: Words) -> range:
    """Return the indices of the keys that a specification finds."""
    first = index_of(words, spec.word, spec.start) + 1 if spec.word else spec.start
    if first >= len(words):
        return range(0)
    if spec.last is None:
        number = text_of(words[first])
        # More digits than any command has arguments: int() is quadratic in them, and the server refuses it.
        count = int(number) if number.isascii() and number.isdigit() and len(number) < 10 else len(words)
        after = first + 1 + count * spec.step
        return range(first + 1, after, spec.step) if after <= len(words) else range(0)
    after = first + spec.last + 1 if spec.last >= 0 else first + (len(words) + spec.last + 1 - first) // spec.share
    return range(first, min(after, len(words)), spec.step)


# -- Kept by hand: keys that no key specification finds -----------------------------------------------------------------------


def _options(words: Words, start: int, takes: dict[str, int]) -> Iterator[tuple[str, int]]:
    """Go from option to option, each with its index: what one takes may be called like another."""
    while start < len(words):
        word = text_of(words[start]).upper()
        yield word, start
        start += 1 + takes.get(word, 0)


def _sort_keys(words: Words) -> Sequence[int]:
    """SORT key ... [STORE destination]: the last STORE counts."""
    takes = {"BY": 1, "GET": 1, "LIMIT": 2, "STORE": 1}
    return [1, *[index + 1 for word, index in _options(words, 2, takes) if word == "STORE"][-1:]]


def _migrate_keys(words: Words) -> Sequence[int]:
    """MIGRATE host port key ..., or an empty one and ... KEYS key ... to the end."""
    if len(words) > 3 and text_of(words[3]):
        return [3]
    behind = (index + 1 for word, index in _options(words, 6, {"AUTH": 1, "AUTH2": 2}) if word == "KEYS")
    return range(next(behind, len(words)), len(words))


KEYS: Final = {"MIGRATE": _migrate_keys, "SORT": _sort_keys}
