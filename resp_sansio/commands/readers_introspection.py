"""What the server says of its commands. RESP3 has sets for much of it, so what has no order there is put into one."""

from __future__ import annotations

import re
from typing import Final, Generic, NamedTuple, NotRequired, TypedDict

from ..wire.values import Reply
from .decoding import S, Text
from .readers import bulk, items, unexpected, whole
from .readers_own import Record, listed, own, own_set, pairs_of

__all__ = [
    "CommandArgument",
    "CommandDetails",
    "CommandDocs",
    "KeySearch",
    "KeySearchSpec",
    "KeySpecification",
    "KeyWithFlags",
]


class KeySearchSpec(TypedDict):
    """Where keys begin, or how they go on from there: which of these there are depends on the search's type."""

    index: NotRequired[int]
    keyword: NotRequired[str]
    startfrom: NotRequired[int]
    lastkey: NotRequired[int]
    keystep: NotRequired[int]
    limit: NotRequired[int]
    keynumidx: NotRequired[int]
    firstkey: NotRequired[int]


class KeySearch(TypedDict):
    """How to look for keys: `index`, `keyword`, `range`, `keynum` or `unknown`."""

    type: str
    spec: KeySearchSpec


class KeySpecification(TypedDict):
    """Where some keys of a command are, and what is done to them."""

    notes: NotRequired[str]
    flags: set[str]
    begin_search: KeySearch
    find_keys: KeySearch


class CommandDetails(NamedTuple):
    """What the server knows of a command. Its last four fields are of Redis 7.0."""

    name: str
    arity: int
    flags: set[str]
    first_key: int
    last_key: int
    step: int
    acl_categories: set[str]
    tips: set[str]
    key_specifications: list[KeySpecification]
    subcommands: list[CommandDetails]


class CommandArgument(TypedDict):
    """An argument of a command. A field that this version does not know is kept as it came."""

    name: str
    type: str
    display_text: NotRequired[str]
    key_spec_index: NotRequired[int]
    token: NotRequired[str]
    summary: NotRequired[str]
    since: NotRequired[str]
    deprecated_since: NotRequired[str]
    flags: NotRequired[set[str]]
    arguments: NotRequired[list[CommandArgument]]


class CommandDocs(TypedDict):
    """What is said of a command. A field that this version does not know is kept as it came."""

    summary: NotRequired[str]
    since: NotRequired[str]
    group: str
    complexity: NotRequired[str]
    module: NotRequired[str]
    doc_flags: NotRequired[set[str]]
    deprecated_since: NotRequired[str]
    replaced_by: NotRequired[str]
    history: NotRequired[list[tuple[str, str]]]
    """Versions, each with what it changed."""
    arguments: NotRequired[list[CommandArgument]]
    subcommands: NotRequired[dict[str, CommandDocs]]


class KeyWithFlags(NamedTuple, Generic[S]):
    """A key, and what a command does to it: `RW`, `access`, `delete` ..."""

    key: S
    flags: set[str]


# -- COMMAND INFO ----------------------------------------------------------------------------------------------------------------

WHERE: Final = Record(KeySearchSpec)
SEARCH: Final = Record(KeySearch, spec=WHERE)
SPECIFICATION: Final = Record(KeySpecification, begin_search=SEARCH, find_keys=SEARCH)


def command_details(reply: Reply, _text: object = None) -> list[CommandDetails | None]:
    """Commands, and null for each that is unknown."""
    try:
        return [None if each is None else _details(each) for each in items(reply)]
    except RecursionError:  # subcommands have subcommands, as deep as a limit lets them
        raise unexpected("what is known of commands", reply) from None


def _details(reply: Reply) -> CommandDetails:
    parts = listed(reply)
    if len(parts) < 6:
        raise unexpected("what is known of a command", reply)
    name, arity, flags, first, last, step, categories, tips, keys, subcommands = [*parts, [], [], [], []][:10]
    return CommandDetails(
        own(name), whole(arity), own_set(flags), whole(first), whole(last), whole(step), own_set(categories),
        own_set(tips), sorted(SPECIFICATION.each(keys), key=_place), sorted(map(_details, listed(subcommands)), key=_name),
    )  # fmt: skip


def _name(details: CommandDetails) -> str:
    return details.name


def _place(specification: KeySpecification) -> str:
    """What brings key specifications into an order: where the keys begin, and then the rest."""
    return f"{specification['begin_search']} {sorted(specification['flags'])} {specification}"


# -- COMMAND DOCS, COMMAND GETKEYSANDFLAGS -----------------------------------------------------------------------------------------


def _arguments(reply: Reply, _text: object = None) -> list[CommandArgument]:
    return ARGUMENT.each(reply)


def _history(reply: Reply, _text: object = None) -> list[tuple[str, str]]:
    """Versions with what they changed, the first one first."""
    changes = [listed(each) for each in listed(reply)]
    if any(len(change) != 2 for change in changes):
        raise unexpected("versions with what they changed", reply)
    found = [(own(version), own(change)) for version, change in changes]
    return sorted(found, key=lambda change: ([int(part) for part in re.findall("[0-9]{1,9}", change[0])], change))


ARGUMENT: Final = Record(CommandArgument, arguments=_arguments)


def _documents(reply: Reply, _text: object = None) -> dict[str, CommandDocs]:
    return {own(name): DOCUMENT(found) for name, found in pairs_of(reply)}


DOCUMENT: Final = Record(CommandDocs, history=_history, arguments=_arguments, subcommands=_documents)


def commands_docs(reply: Reply, _text: object = None) -> dict[str, CommandDocs]:
    """What is said of commands, by name."""
    try:
        return _documents(reply)
    except RecursionError:  # subcommands and arguments have more of them, as deep as a limit lets them
        raise unexpected("what is said of commands", reply) from None


def keys_with_flags(reply: Reply, text: Text[S]) -> list[KeyWithFlags[S]]:
    """Keys, each with its flags."""
    return [KeyWithFlags(bulk(key, text), own_set(flags)) for key, flags in (items(each, 2) for each in items(reply))]
