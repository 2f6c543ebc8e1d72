"""Inputs that the fuzzer has found worth keeping, each read once more; `nox -s fuzz` looks for others."""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzz.targets import TARGETS

CORPORA = Path(__file__).parent / "corpus"


@pytest.mark.parametrize("name", TARGETS)
def test_what_the_fuzzer_has_kept(name: str) -> None:
    kept = sorted((CORPORA / name).iterdir())
    assert kept
    for path in kept:
        TARGETS[name](path.read_bytes())
