"""What a client may keep of what it has read: the options of a client-side cache."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .._record import Record
from ..wire.encoder import Argument
from .options import SECONDS, UNREADABLE, Kind, integer, is_text, option, options_of

__all__ = ["CACHE", "Cache"]

MOST: Final = 2**40


def _are_prefixes(given: Sequence[object]) -> bool:
    return all([isinstance(one, (str, bytes)) and one and is_text(one) for one in given])


PREFIXES: Final = Kind("a list of texts or bytes that are not empty", (list, tuple), _are_prefixes, read=None)


class Cache(Record):
    """What a client may keep of what it has read, see `docs/caching.md`. Raises `TypeError` or `ValueError` for wrong values."""

    # rueidis: 128 MiB for each connection.
    max_bytes: int = option(64 * 1024 * 1024, integer(1, MOST), "Bytes of memory at most.")
    prefixes: Sequence[str | bytes] = option(
        (),
        PREFIXES,
        "Keep only what is read of keys that begin so; the server then tells of each change to any of these. Empty: keep what is"
        " read of any key; the server tells of changes to what was read.",
    )
    ttl: float | None = option(
        None, SECONDS, "Seconds after which a value is read again, changed or not. None: any time."
    )

    def __post_init__(self) -> None:
        for name, declared in options_of(self).items():
            declared.check(name, getattr(self, name))
        prefixes = tuple([prefix.encode() if isinstance(prefix, str) else prefix for prefix in self.prefixes])
        for index, one in enumerate(prefixes):
            for other in prefixes[:index]:
                if one.startswith(other) or other.startswith(one):
                    raise ValueError("prefixes must not overlap: none may begin with another")
        object.__setattr__(self, "prefixes", prefixes)

    @property
    def tracking(self) -> tuple[Argument, ...]:
        """The command by which a server is asked to tell of changes."""
        mode: list[Argument] = ["OPTIN"]
        if self.prefixes:
            mode = ["BCAST", *[word for prefix in self.prefixes for word in ("PREFIX", prefix)]]
        return ("CLIENT", "TRACKING", "ON", *mode)


def _read(text: str) -> object:
    plain = text.isascii() and text.isdigit() and len(text) < 14 and not text.startswith("0")
    return Cache(max_bytes=int(text)) if plain and int(text) <= MOST else UNREADABLE


CACHE: Final = Kind("a Cache", (Cache,), read=_read, written=f"its max_bytes: digits, up to {MOST}").or_none(None)
"""An option that is such a cache, or None."""
