"""What a type checker knows of the functions that make one type of a reply. Never run: mypy --strict and pyright read it."""

from __future__ import annotations

from typing import assert_type

from resp_sansio import Command, Reply, as_bytes, as_dict, as_float, as_int, as_list, as_str
from resp_sync import Client


def of_what_was_said(client: Client) -> None:
    assert_type(as_int(client.execute("BITCOUNT", "k")), int)
    assert_type(as_float(client.execute("ZSCORE", "k", "m")), float)
    assert_type(as_bytes(client.eval("return 'a'", 0)), bytes)
    assert_type(as_str(client.execute("TYPE", "k")), str)
    assert_type(as_list(client.execute("LRANGE", "k", 0, -1)), list[Reply])
    assert_type(as_dict(client.execute("HGETALL", "k")), dict[Reply, Reply])
    assert_type([as_str(each) for each in as_list(client.eval("return {}", 0))], list[str])


def as_readers(client: Client) -> None:
    assert_type(Command("BITCOUNT", "k", read=as_int), Command[int])
    assert_type(client.execute(Command("HGETALL", "k", read=as_dict)), dict[Reply, Reply])
    assert_type(client.pipeline().execute(Command("TYPE", "k", read=as_str)).result(), str)
