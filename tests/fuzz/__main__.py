"""Fuzz one target, following coverage: `python -m fuzz parser -max_total_time=60`; what follows is libFuzzer's."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["resp_sansio"]):
    import differential
    from fuzz.targets import TARGETS


def main() -> None:
    """Fuzz the target that is named first. New inputs go to a folder of their own, if one is given before the options."""
    name, *options = sys.argv[1:]
    corpus = Path(__file__).parent / "corpus" / name
    folders = [option for option in options if not option.startswith("-")]
    others = [option for option in options if option.startswith("-")]
    # What follows coverage takes steps itself; a parse that never ends is found by libFuzzer's own -timeout.
    differential.steps = lambda _budget: nullcontext()  # type: ignore[assignment,return-value]
    atheris.Setup([sys.argv[0], *folders, str(corpus), *others], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
