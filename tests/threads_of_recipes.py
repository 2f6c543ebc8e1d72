"""Write the recipes for threads, `docs/examples/*_threads.py`, out of those for tasks: the same text, where nothing is awaited.

    PYTHONPATH=. python tests/threads_of_recipes.py

A test holds that the files in the tree are what this script writes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from examples import DOCS, read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["files", "for_threads"]

RECIPES: Final = [DOCS / "examples" / f"{name}.py" for name in ("lock", "rate_limit", "semaphore", "cache_aside")]

SAID_OTHERWISE: Final = {
    "from collections.abc import Awaitable, Callable\n": "from collections.abc import Callable\n",
    "from time import monotonic\n": "",
    "import asyncio\nimport sys\n": "import sys\nimport time\n",
    "monotonic()": "time.monotonic()",
    "time.time.monotonic()": "time.monotonic()",
    "asyncio.run(main(sys.argv[1]))": "main(sys.argv[1])",
    "asyncio.sleep": "time.sleep",
    "asynccontextmanager": "contextmanager",
    "AsyncIterator": "Iterator",
    "Awaitable[bytes]": "bytes",
    "resp_asyncio": "resp_sync",
    "(\n    client: Commands[Any], name: str, *, seconds: float = 30.0, patience: float = inf\n)": (
        "(client: Commands[Any], name: str, *, seconds: float = 30.0, patience: float = inf)"  # one line takes it
    ),
    "async def": "def",
    "async with": "with",
    "await ": "",
}


def for_threads(recipe: Path) -> str:
    """Return the text of a recipe for threads."""
    text = re.sub(r"(from resp_asyncio .*\n)(from resp_sansio .*\n)", r"\2\1", read(recipe))
    for tasks, threads in SAID_OTHERWISE.items():
        text = text.replace(tasks, threads)
    return text if "time." in text else text.replace("import time\n", "")


def files() -> Iterator[tuple[Path, Path]]:
    """Each recipe, and where that for threads stands."""
    for recipe in RECIPES:
        yield recipe, recipe.with_name(f"{recipe.stem}_threads.py")


if __name__ == "__main__":
    for recipe, beside in files():
        beside.write_text(for_threads(recipe), encoding="utf-8")
