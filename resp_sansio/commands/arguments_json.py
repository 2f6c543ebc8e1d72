"""The arguments of commands on JSON documents: which paths they take."""

from __future__ import annotations

from typing import Literal, TypeAlias

from ..wire.encoder import Argument
from .arguments import wrong_type

__all__ = ["FloatType", "JsonPath", "Triplet", "json_path", "json_triplets"]

FloatType: TypeAlias = Literal["FP16", "BF16", "FP32", "FP64"]

JsonPath: TypeAlias = str | bytes
"""A JSONPath: `$`, or one that begins with `$.` or `$[`."""

Triplet: TypeAlias = tuple[Argument, JsonPath, Argument]
"""A key, a path in its document, and a value as JSON text."""


def json_path(command: str, path: JsonPath) -> JsonPath:
    """Return a path that is a JSONPath. For another the server's reply has another shape, or it is an option."""
    given: object = path
    text = given.decode("latin-1") if isinstance(given, bytes) else given
    if not isinstance(text, str):
        raise wrong_type(command, "path", "str or bytes", path)
    if text != "$" and not text.startswith(("$.", "$[")):
        raise ValueError(f"path of {command} must be '$', or begin with '$.' or '$['")
    return path


def json_triplets(*triplets: Triplet) -> list[Argument]:
    """Return keys, paths and values in turn."""
    words: list[Argument] = []
    for triplet in triplets:
        given: object = triplet
        if not isinstance(given, tuple) or len(given) != 3:
            raise wrong_type("JSON.MSET", "every triplet", "a key, a path and a value", triplet)
        key, path, value = triplet
        words += key, json_path("JSON.MSET", path), value
    return words
