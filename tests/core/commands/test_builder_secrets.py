"""A builder that is given a secret makes a command that shows none, and whose errors keep only their code."""

from __future__ import annotations

from typing import Any

import pytest

from resp_sansio import Command, commands

SECRET = "hunter2-and-more"


@pytest.mark.parametrize(
    "command",
    [
        commands.auth(SECRET),
        commands.auth(SECRET, username="ada"),
        commands.acl_setuser("ada", "on", f">{SECRET}", "+@all"),
        commands.config_set("requirepass", SECRET),
        commands.config_set(mapping={"maxmemory": 0, "masterauth": SECRET}),
        commands.module_loadex("m.so", config={"m.password": SECRET}),
        commands.sentinel_set("main", {"auth-pass": SECRET}),
        commands.sentinel_config_set("sentinel-pass", SECRET),
    ],
)
def test_no_secret_is_shown(command: Command[Any]) -> None:
    assert SECRET in str(command.args)
    assert SECRET not in repr(command)
    assert command.info.secret
