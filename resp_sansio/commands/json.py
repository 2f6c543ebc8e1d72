"""Commands on JSON documents, which Redis 8 has and the module RedisJSON brings to older servers.

Values go in as JSON text and come out as JSON text: `json.dumps` and `json.loads` are the other half. A path is a JSONPath: `$`
for the whole document, or one that begins with `$.` or `$[`. It may find any number of values, so results are lists. Paths of the
older kind (`.a.b`), which find one value, change what comes back: the builders refuse them, `execute` sends them.
"""

from __future__ import annotations

from ..wire.encoder import Argument
from ..wire.values import Reply
from .arguments import condition, named
from .arguments_json import FloatType, JsonPath, Triplet, json_path, json_triplets
from .command import Command
from .readers import anything, maybe_bulk, maybe_bulks, maybe_wholes, stored, whole, wholes
from .readers_json import json_names, json_numbers, json_truths, json_types


def json_set(
    key: Argument,
    path: JsonPath,
    value: Argument,
    *,
    nx: bool = False,
    xx: bool = False,
    fpha: FloatType | None = None,
) -> Command[bool]:
    """Set the values at a path, or a new document at `$`, to this JSON text; return whether they were set.

    `nx` sets what is not there yet, `xx` only what is. `fpha` is how arrays of floating-point numbers are kept (Redis 8.8).
    """
    options = [*condition("JSON.SET", nx, xx), *named(fpha=fpha)]
    return Command("JSON.SET", key, json_path("JSON.SET", path), value, *options, read=stored)


def json_get(
    key: Argument,
    *paths: JsonPath,
    indent: Argument | None = None,
    newline: Argument | None = None,
    space: Argument | None = None,
) -> Command[bytes | None]:
    """Return JSON text, None if there is no such key.

    Without a path it is the document. With one it is an array of the values found; with several, an object that has such an
    array for each path. `indent`, `newline` and `space` are put in to make it readable.
    """
    options = named(indent=indent, newline=newline, space=space)
    return Command("JSON.GET", key, *options, *[json_path("JSON.GET", path) for path in paths], read=maybe_bulk)


def json_mget(key: Argument, *keys: Argument, path: JsonPath) -> Command[list[bytes | None]]:
    """Return of each key a JSON array of the values at a path, None for each that does not exist."""
    return Command("JSON.MGET", key, *keys, json_path("JSON.MGET", path), read=maybe_bulks)


def json_mset(triplet: Triplet, *triplets: Triplet) -> Command[bool]:
    """Set values as `json_set`, each with its key and path: `("key", "$", "1")`; return whether all were set."""
    return Command("JSON.MSET", *json_triplets(triplet, *triplets), read=stored)


def json_merge(key: Argument, path: JsonPath, value: Argument) -> Command[bool]:
    """Merge JSON text into the values at a path: null deletes a member; return whether anything was there to change."""
    return Command("JSON.MERGE", key, json_path("JSON.MERGE", path), value, read=stored)


def json_del(key: Argument, path: JsonPath = "$") -> Command[int]:
    """Delete the values at a path, or the document; return how many there were."""
    return Command("JSON.DEL", key, json_path("JSON.DEL", path), read=whole)


def json_forget(key: Argument, path: JsonPath = "$") -> Command[int]:
    """As `json_del`, by its older name."""
    return Command("JSON.FORGET", key, json_path("JSON.FORGET", path), read=whole)


def json_clear(key: Argument, path: JsonPath = "$") -> Command[int]:
    """Empty the arrays and objects at a path, and set numbers to 0; return how many were changed."""
    return Command("JSON.CLEAR", key, json_path("JSON.CLEAR", path), read=whole)


def json_type(key: Argument, path: JsonPath = "$") -> Command[list[str] | None]:
    """Return the types of the values at a path, such as "integer" or "object"; None if there is no such key."""
    return Command("JSON.TYPE", key, json_path("JSON.TYPE", path), read=json_types)


def json_toggle(key: Argument, path: JsonPath) -> Command[list[bool | None]]:
    """Turn true into false and false into true; return the results, None for each value that is neither."""
    return Command("JSON.TOGGLE", key, json_path("JSON.TOGGLE", path), read=json_truths)


def json_numincrby(key: Argument, path: JsonPath, value: float) -> Command[list[int | float | None]]:
    """Add to the numbers at a path; return the results, None for each value that is no number."""
    return Command("JSON.NUMINCRBY", key, json_path("JSON.NUMINCRBY", path), value, read=json_numbers)


def json_nummultby(key: Argument, path: JsonPath, value: float) -> Command[list[int | float | None]]:
    """Multiply the numbers at a path; return the results, None for each value that is no number."""
    return Command("JSON.NUMMULTBY", key, json_path("JSON.NUMMULTBY", path), value, read=json_numbers)


def json_strappend(key: Argument, path: JsonPath, value: Argument) -> Command[list[int | None]]:
    """Append to the strings at a path what a JSON string holds; return their lengths, None for each value that is no string."""
    return Command("JSON.STRAPPEND", key, json_path("JSON.STRAPPEND", path), value, read=maybe_wholes)


def json_strlen(key: Argument, path: JsonPath = "$") -> Command[list[int | None]]:
    """Return the lengths in bytes of the strings at a path, None for each value that is no string."""
    return Command("JSON.STRLEN", key, json_path("JSON.STRLEN", path), read=maybe_wholes)


def json_arrappend(key: Argument, path: JsonPath, value: Argument, *values: Argument) -> Command[list[int | None]]:
    """Append JSON values to the arrays at a path; return their lengths, None for each value that is no array."""
    return Command("JSON.ARRAPPEND", key, json_path("JSON.ARRAPPEND", path), value, *values, read=maybe_wholes)


def json_arrindex(
    key: Argument, path: JsonPath, value: Argument, start: int = 0, stop: int = 0
) -> Command[list[int | None]]:
    """Return where a JSON value first stands in the arrays at a path, -1 if nowhere, None for each value that is no array.

    It is looked for from index `start` up to `stop`, which is excluded; 0 stands for the end.
    """
    return Command("JSON.ARRINDEX", key, json_path("JSON.ARRINDEX", path), value, start, stop, read=maybe_wholes)


def json_arrinsert(
    key: Argument, path: JsonPath, index: int, value: Argument, *values: Argument
) -> Command[list[int | None]]:
    """Insert JSON values into the arrays at a path; return their lengths, None for each value that is no array."""
    return Command("JSON.ARRINSERT", key, json_path("JSON.ARRINSERT", path), index, value, *values, read=maybe_wholes)


def json_arrlen(key: Argument, path: JsonPath = "$") -> Command[list[int | None]]:
    """Return the lengths of the arrays at a path, None for each value that is no array."""
    return Command("JSON.ARRLEN", key, json_path("JSON.ARRLEN", path), read=maybe_wholes)


def json_arrpop(key: Argument, path: JsonPath = "$", index: int = -1) -> Command[list[bytes | None]]:
    """Take an element, the last by default, out of each array at a path; return them as JSON text.

    None stands for each array that is empty and each value that is no array.
    """
    return Command("JSON.ARRPOP", key, json_path("JSON.ARRPOP", path), index, read=maybe_bulks)


def json_arrtrim(key: Argument, path: JsonPath, start: int, stop: int) -> Command[list[int | None]]:
    """Keep what is from `start` to `stop` of the arrays at a path; return their lengths, None for each that is no array."""
    return Command("JSON.ARRTRIM", key, json_path("JSON.ARRTRIM", path), start, stop, read=maybe_wholes)


def json_objkeys(key: Argument, path: JsonPath = "$") -> Command[list[list[bytes] | None]]:
    """Return the names of the members of the objects at a path, None for each value that is no object."""
    return Command("JSON.OBJKEYS", key, json_path("JSON.OBJKEYS", path), read=json_names)


def json_objlen(key: Argument, path: JsonPath = "$") -> Command[list[int | None]]:
    """Return the numbers of members of the objects at a path, None for each value that is no object."""
    return Command("JSON.OBJLEN", key, json_path("JSON.OBJLEN", path), read=maybe_wholes)


def json_resp(key: Argument, path: JsonPath = "$") -> Command[Reply]:
    """Return the values at a path as replies of their own: an array begins with `[`, an object with `{`; None without a key.

    On RESP2 a number with a fraction comes as the text that a string would come as: nothing tells them apart.
    """
    return Command("JSON.RESP", key, json_path("JSON.RESP", path), read=anything)


def json_debug_memory(key: Argument, path: JsonPath = "$") -> Command[list[int]]:
    """Return how many bytes of memory each value at a path takes."""
    return Command("JSON.DEBUG MEMORY", key, json_path("JSON.DEBUG MEMORY", path), read=wholes)
