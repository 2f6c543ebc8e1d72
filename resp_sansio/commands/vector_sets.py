"""Commands on vector sets: elements, each with a vector, to be found by how similar these are."""

from __future__ import annotations

from ..wire.encoder import Argument
from .arguments import exclusive, given, integers, named
from .arguments_modules import Vector, similar_to, similarity, vector_words
from .command import Command
from .readers import bulks, maybe_bulk, truth, whole
from .readers_vector_sets import (
    RawVector,
    Similar,
    VectorSetInfo,
    maybe_levels,
    maybe_levels_scored,
    maybe_raw_vector,
    maybe_vector,
    maybe_vector_set,
    similar,
    similar_attributed,
    similar_scored,
)


def vadd(
    key: Argument,
    vector: Vector,
    element: Argument,
    *,
    reduce: int | None = None,
    cas: bool = False,
    noquant: bool = False,
    q8: bool = False,
    bin: bool = False,
    ef: int | None = None,
    setattr: Argument | None = None,
    m: int | None = None,
) -> Command[bool]:
    """Add an element with its vector, or change its vector; return whether it is new (Redis 8.0).

    `reduce` projects the vector to fewer dimensions. `noquant`, `q8` and `bin` say how exactly a new set keeps vectors, `m` how
    many links each element has in it, `ef` how carefully to look for them. `cas` does that work in a thread of its own.
    `setattr` are attributes as JSON.
    """
    words = *integers("VADD", reduce=reduce), *vector_words("VADD", vector)
    kept = *given("VADD", cas=cas), *exclusive("VADD", noquant=noquant, q8=q8, bin=bin)
    options = *integers("VADD", ef=ef), *named(setattr=setattr), *integers("VADD", m=m)
    return Command("VADD", key, *words, element, *kept, *options, read=truth)


def vrem(key: Argument, element: Argument) -> Command[bool]:
    """Remove an element; return whether it was there (Redis 8.0)."""
    return Command("VREM", key, element, read=truth)


def vcard(key: Argument) -> Command[int]:
    """Return the number of elements (Redis 8.0)."""
    return Command("VCARD", key, read=whole)


def vdim(key: Argument) -> Command[int]:
    """Return the number of dimensions of the vectors; a key that does not exist is an error (Redis 8.0)."""
    return Command("VDIM", key, read=whole)


def vemb(key: Argument, element: Argument) -> Command[list[float] | None]:
    """Return an element's vector, as exactly as the set keeps it; None if there is none (Redis 8.0)."""
    return Command("VEMB", key, element, read=maybe_vector)


def vemb_raw(key: Argument, element: Argument) -> Command[RawVector | None]:
    """Return an element's vector as the set keeps it, None if there is none (Redis 8.0)."""
    return Command("VEMB", key, element, "RAW", read=maybe_raw_vector)


def vgetattr(key: Argument, element: Argument) -> Command[bytes | None]:
    """Return an element's attributes as JSON, None if there are none (Redis 8.0)."""
    return Command("VGETATTR", key, element, read=maybe_bulk)


def vsetattr(key: Argument, element: Argument, json: Argument) -> Command[bool]:
    """Set an element's attributes, or remove them if `json` is empty; return whether the element is there (Redis 8.0)."""
    return Command("VSETATTR", key, element, json, read=truth)


def vinfo(key: Argument) -> Command[VectorSetInfo | None]:
    """Return how a vector set is made and kept, None if there is none (Redis 8.0)."""
    return Command("VINFO", key, read=maybe_vector_set)


def vismember(key: Argument, element: Argument) -> Command[bool]:
    """Is this an element? (Redis 8.2)"""
    return Command("VISMEMBER", key, element, read=truth)


def vlinks(key: Argument, element: Argument) -> Command[list[list[bytes]] | None]:
    """Return the elements that one is linked to, for each level of the graph; None if it is no element (Redis 8.0)."""
    return Command("VLINKS", key, element, read=maybe_levels)


def vlinks_withscores(key: Argument, element: Argument) -> Command[list[list[tuple[bytes, float]]] | None]:
    """As `vlinks`, with how similar each is: from 0 to 1."""
    return Command("VLINKS", key, element, "WITHSCORES", read=maybe_levels_scored)


def vrandmember(key: Argument) -> Command[bytes | None]:
    """Return any element, None if there is none (Redis 8.0)."""
    return Command("VRANDMEMBER", key, read=maybe_bulk)


def vrandmember_count(key: Argument, count: int) -> Command[list[bytes]]:
    """Return any elements: up to `count` different ones, or exactly `-count` that may repeat (Redis 8.0)."""
    return Command("VRANDMEMBER", key, count, read=bulks)


def vrange(
    key: Argument, start: Argument = "-", end: Argument = "+", *, count: int | None = None
) -> Command[list[bytes]]:
    """Return elements in the order of their names: from `[a` on, or from what follows `(a`, up to `end` (Redis 8.4)."""
    return Command("VRANGE", key, start, end, *integers("VRANGE", count=count)[1:], read=bulks)


def vsim(
    key: Argument,
    vector: Vector | None = None,
    *,
    ele: Argument | None = None,
    count: int | None = None,
    epsilon: float | None = None,
    ef: int | None = None,
    filter: Argument | None = None,
    filter_ef: int | None = None,
    truth: bool = False,
    nothread: bool = False,
) -> Command[list[bytes]]:
    """Return the elements that are most similar to a vector, or to the element `ele`; the most similar first (Redis 8.0).

    `count` says how many, 10 if not given; `epsilon` how different they may be, from 0 to 1 (Redis 8.2); `filter` is an
    expression about their attributes. `ef` says how carefully to look, `filter_ef` how long to look for what the filter lets
    pass. `truth` compares all elements, `nothread` works in the server's main thread.
    """
    words = similarity("VSIM", count, epsilon, ef, filter, filter_ef, truth, nothread)
    return Command("VSIM", key, *similar_to("VSIM", vector, ele), *words, read=bulks)


def vsim_withscores(
    key: Argument,
    vector: Vector | None = None,
    *,
    ele: Argument | None = None,
    count: int | None = None,
    epsilon: float | None = None,
    ef: int | None = None,
    filter: Argument | None = None,
    filter_ef: int | None = None,
    truth: bool = False,
    nothread: bool = False,
) -> Command[list[tuple[bytes, float]]]:
    """As `vsim`, with how similar each element is: from 0 to 1."""
    words = similarity("VSIM", count, epsilon, ef, filter, filter_ef, truth, nothread)
    return Command("VSIM", key, *similar_to("VSIM", vector, ele), "WITHSCORES", *words, read=similar_scored)


def vsim_withattribs(
    key: Argument,
    vector: Vector | None = None,
    *,
    ele: Argument | None = None,
    count: int | None = None,
    epsilon: float | None = None,
    ef: int | None = None,
    filter: Argument | None = None,
    filter_ef: int | None = None,
    truth: bool = False,
    nothread: bool = False,
) -> Command[list[tuple[bytes, bytes | None]]]:
    """As `vsim`, with the attributes of each element as JSON, None if it has none (Redis 8.2)."""
    words = similarity("VSIM", count, epsilon, ef, filter, filter_ef, truth, nothread)
    return Command("VSIM", key, *similar_to("VSIM", vector, ele), "WITHATTRIBS", *words, read=similar_attributed)


def vsim_withscores_withattribs(
    key: Argument,
    vector: Vector | None = None,
    *,
    ele: Argument | None = None,
    count: int | None = None,
    epsilon: float | None = None,
    ef: int | None = None,
    filter: Argument | None = None,
    filter_ef: int | None = None,
    truth: bool = False,
    nothread: bool = False,
) -> Command[list[Similar[bytes]]]:
    """As `vsim`, with how similar each element is, and its attributes (Redis 8.2)."""
    words = similarity("VSIM", count, epsilon, ef, filter, filter_ef, truth, nothread)
    return Command("VSIM", key, *similar_to("VSIM", vector, ele), "WITHSCORES", "WITHATTRIBS", *words, read=similar)
