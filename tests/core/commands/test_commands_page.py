"""No command that servers know is without a builder or a reason, and the page that lists them is current."""

from __future__ import annotations

import generate_commands_page
from generate_commands_page import PAGE, all_builders, command_of, is_command, names_in, reasons, written
from resp_sansio.commands.table import TABLE

COVERED = {command_of(builder) for builder in all_builders()}


def test_every_command_has_a_builder_or_a_reason() -> None:
    assert {name for name in TABLE if is_command(name)} - COVERED - reasons().keys() == set()


def test_reasons_are_of_commands_without_a_builder() -> None:
    named = [name for names in generate_commands_page.REASONS.values() for name in names_in(names)]
    assert len(named) == len({*named})
    assert reasons().keys() <= {name for name in TABLE if is_command(name)} - COVERED


def test_builders_are_of_commands_that_servers_know() -> None:
    assert TABLE.keys() >= COVERED


def test_the_page_is_current() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page.endswith(written()), "run PYTHONPATH=. python tests/generate_commands_page.py"
