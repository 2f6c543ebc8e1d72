"""What a server says by name: a record has all that every server says, and may have the rest."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any, Final

import pytest

from resp_sansio import UnexpectedReplyError, commands
from resp_sansio.commands.readers_own import Record

RECORDS: Final[dict[str, Record[Any]]] = {
    f"{module.name} {name}": value
    for module in pkgutil.iter_modules(commands.__path__)
    if module.name.startswith("readers_")
    for name, value in vars(importlib.import_module(f"resp_sansio.commands.{module.name}")).items()
    if isinstance(value, Record)
}

ERRORS: Final = {b"indexing_failures": 0, b"last_indexing_error": b"N/A", b"last_indexing_error_key": b"N/A"}
SEARCH: Final = {b"type": b"unknown", b"spec": {}}
PARTS: Final[dict[str, Any]] = {
    "begin_search": SEARCH,
    "find_keys": SEARCH,
    "index_definition": {b"key_type": b"HASH", b"prefixes": [], b"default_score": b"1"},
    "Index_Errors": ERRORS,
    "first_entry": None,
    "last_entry": None,
    "running_script": None,
    "bytes_per_sample": b"0.5",
}


def values(record: Record[Any]) -> list[Any]:
    """For each field that all servers say, what one may say there, in the order of names."""
    made: list[Any] = []
    for name in sorted(record.required):
        for value in (PARTS.get(name, []), b"1", 1):
            try:
                record.fields[name](value, commands.decoding.RAW)
            except UnexpectedReplyError:
                continue
            made.append(value)
            break
    return made


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_a_record_without_what_all_servers_say_is_refused(record: Record[Any]) -> None:
    said: dict[Any, Any] = dict(zip(map(str.encode, sorted(record.required)), values(record), strict=True))
    assert record(said).keys() == record.required
    for name in said:
        with pytest.raises(UnexpectedReplyError, match=f"a map with {name.decode()} was expected"):
            record({other: value for other, value in said.items() if other != name})


def test_all_say_some_of_a_record_but_where_to_look_for_keys() -> None:
    assert len(RECORDS) > 30
    assert [name for name, record in RECORDS.items() if not record.required] == ["readers_introspection WHERE"]


def test_what_is_required_is_what_a_type_checker_takes_it_for() -> None:
    record = RECORDS["readers_connection CLIENT"]
    assert {"id", "addr", "name", "user"} <= record.required < record.fields.keys()
    assert "lib_name" not in record.required
