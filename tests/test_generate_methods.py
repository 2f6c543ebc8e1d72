"""The generator of the methods: it takes over what builders are, and refuses what is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from generate_methods import GROUPS, KINDS, Source, methods, read_builders, read_origins, words, written

IMPORTS = """
from ..wire.encoder import Argument
from .arguments import exclusive
from .knowledge import Command
from .readers import whole
"""
ONE = '''

def get(key: Argument, *keys: Argument, nx: bool = False) -> Command[int]:
    """Get.

    And more.
    """
    if nx is False:
        return Command("GET", key, *keys, read=whole)
    options = exclusive("GET", nx=nx)
    return Command(
        "GET",
        *options,
        read=whole,
    )
'''


def test_a_builder_of_several_statements_becomes_a_function_and_three_methods() -> None:
    """What it sees to first is a part of each method."""
    source = Source(IMPORTS + ONE)
    builders, origins = read_builders(source, "strings"), read_origins(source)
    made = words(builders, origins)
    assert made.endswith("""

from ..commands.arguments import exclusive
from ..commands.words import Words
from ..wire.encoder import Argument


def get(key: Argument, *keys: Argument, nx: bool) -> Words:
    options = exclusive("GET", nx=nx)
    return "GET", *options
""")
    text = [methods(builders, kind, origins) for kind in KINDS]
    assert text[1].endswith('''
    # strings

    async def get(self, key: Argument, *keys: Argument, nx: bool = False) -> int:
        """Get.

        And more.
        """
        if nx is False:
            return await self._do(("GET", key, *keys), whole)
        return await self._do(_words.get(key, *keys, nx=nx), whole)
''')
    for made in text[0], text[2]:
        assert made.endswith("""
        if nx is False:
            return self._do(("GET", key, *keys), whole)
        return self._do(_words.get(key, *keys, nx=nx), whole)
""")


@pytest.mark.parametrize(
    "wrong",
    [
        'def get(key: Argument) -> Command[int]:\n    return Command("GET", key, read=whole)',
        'def get(key: Argument) -> Command[int]:\n    """Get."""\n    return Command("GET", key)',
        'def get(key: Argument) -> Command[int]:\n    """Get."""\n    return Command("GET", key, read=whole, readonly=True)',
        'def get(key: Argument) -> Command[int]:\n    """Get."""\n    return other(key)',
        'def get() -> Command[int]:\n    """Get."""\n    return Command("GET", read=a)\n    return Command("GET", read=b)',
        'def get(key: Argument, /) -> Command[int]:\n    """Get."""\n    return Command("GET", key, read=whole)',
        'def get(**keys: Argument) -> Command[int]:\n    """Get."""\n    return Command("GET", read=whole)',
        'def get(key: Argument) -> Command:\n    """Get."""\n    return Command("GET", key, read=whole)',
        'def get(key: Argument) -> Reader[int]:\n    """Get."""\n    return Command("GET", key, read=whole)',
        '@cached\ndef get(key: Argument) -> Command[int]:\n    """Get."""\n    return Command("GET", key, read=whole)',
    ],
)
def test_what_is_no_builder_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="^get is no builder"):
        read_builders(Source(f"{IMPORTS}\n{wrong}\n"), "strings")


def test_a_name_that_two_modules_have_is_refused(tmp_path: Path) -> None:
    """Methods of all groups are in one module."""
    for group in GROUPS:
        (tmp_path / f"{group}.py").write_text(IMPORTS + ONE, encoding="utf-8")
    (tmp_path / "lists.py").write_text(IMPORTS.replace(".readers", ".readers_lists") + ONE, encoding="utf-8")
    with pytest.raises(ValueError, match=r"^whole is in \.\.commands\.readers and in \.\.commands\.readers_lists: "):
        written(tmp_path)
