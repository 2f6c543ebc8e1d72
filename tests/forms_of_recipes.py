"""Write the recipes for threads and for trio, `docs/examples/*_threads.py` and `*_trio.py`, out of those for asyncio.

    PYTHONPATH=. python tests/forms_of_recipes.py

Those for threads are the same text, where nothing is awaited. Those for trio give back in the shield of a scope of their own, for a
task that was cancelled awaits nothing otherwise. A test holds that the files in the tree are what this script writes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from examples import DOCS, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["RECIPES", "files", "for_threads", "for_trio"]

RECIPES: Final = [DOCS / "examples" / f"{name}.py" for name in ("lock", "rate_limit", "semaphore", "cache_aside")]

THREADS: Final = {
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
SHIELD: Final = "trio.move_on_after(1, shield=True), suppress(RespError)"
TRIO: Final = {
    "import asyncio\n": "",
    "\n\nfrom resp_sansio import": "\n\nimport trio\n\nfrom resp_sansio import",
    "import asynccontextmanager\n": "import asynccontextmanager, suppress\n",
    "asyncio.run(main(sys.argv[1]))": "trio.run(main, sys.argv[1])",
    "asyncio.sleep": "trio.sleep",
    "resp_asyncio": "resp_trio",
    "with suppress(RespError):": f"with {SHIELD}:",
    "        try:\n            return await self._run(GIVE_BACK)\n        except RespError:\n            return True": (
        f"        with {SHIELD}:\n            return await self._run(GIVE_BACK)\n        return True"
    ),
}


def for_threads(recipe: Path) -> str:
    """Return the text of a recipe for threads."""
    text = said(recipe, THREADS)
    return text if "time." in text else text.replace("import time\n", "")


def for_trio(recipe: Path) -> str:
    """Return the text of a recipe for trio."""
    return said(recipe, TRIO)


def said(recipe: Path, otherwise: dict[str, str]) -> str:
    """Return the text of a recipe with this said otherwise; adapters are imported behind the core."""
    text = re.sub(r"(from resp_asyncio .*\n)(from resp_sansio .*\n)", r"\2\1", read(recipe))
    for asyncios, others in otherwise.items():
        text = text.replace(asyncios, others)
    return text


FORMS: Final[dict[str, Callable[[Path], str]]] = {"threads": for_threads, "trio": for_trio}


def files() -> Iterator[tuple[Path, Path, str]]:
    """Each recipe, where another form of it stands, and what is to stand there."""
    for recipe in RECIPES:
        for name, form in FORMS.items():
            yield recipe, recipe.with_name(f"{recipe.stem}_{name}.py"), form(recipe)


if __name__ == "__main__":
    for _, beside, text in files():
        beside.write_text(text, encoding="utf-8")
