"""The code that the pages show, as the programs that it is: run by a test on a real server, and read by type checkers.

Each block of the first page is a program. On the other pages each section is one, behind the blocks that stand before the first
section and open what the examples use; where the page's code stands in a coroutine, so does the program's.

    python -m examples FOLDER

writes them to a folder, a file each, with what pyright has to know of it.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DOCS", "ROOT", "Program", "blocks", "programs", "read", "write"]

ROOT: Final = Path(__file__).parents[1]
DOCS: Final = ROOT / "docs"
OPENS: Final = re.compile(r"^(\w+) = (?:await )?(?:connect|Pool|Client)\(", re.MULTILINE)

# The library in whose coroutine a page's code stands, None where it stands in none. The page of the adapter is a file of its own.
PAGES: Final = {
    "sync.md": None,
    "commands.md": None,
    "search.md": None,
    "from-redis-py.md": None,
    "servers.md": None,
    "simulate.md": None,
    "observe.md": None,
    "asyncio.md": "asyncio",
    "trio.md": "trio",
    "choosing.md": "asyncio",
    "client.md": "asyncio",
    "pool.md": "asyncio",
    "scripts.md": None,
    "pubsub.md": None,
    "streams.md": None,
    "caching.md": None,
    "monitor.md": None,
    "iterators.md": None,
    "large-values.md": None,
    "cluster.md": None,
}
RUNS: Final = {"asyncio": "asyncio.run(main())", "trio": "trio.run(main)"}


class Program(NamedTuple):
    """A piece of documentation that can be run: where it stands, and its code."""

    title: str
    code: str


def read(path: Path) -> str:
    """Return the text of a file."""
    return path.read_text(encoding="utf-8")


def blocks(page: str) -> list[str]:
    """Return the blocks of Python on a page."""
    return re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)


def sections(page: str) -> Iterator[tuple[str, str]]:
    """Return the title and the code of each section that has some, between what opens the page's objects and what closes them."""
    opening, *rest = re.split(r"^## ", read(DOCS / page), flags=re.MULTILINE)
    before = blocks(opening)
    closing = [f"{name}.close()\n" for name in OPENS.findall("".join(before))]
    for section in rest:
        if code := blocks(section):
            yield f"{page}: {section.splitlines()[0]}", "\n".join([*before, *code, *closing])


def in_a_coroutine(code: str, library: str) -> str:
    """Return a program that runs the code in a coroutine."""
    body = indent(re.sub(r"^(\w+\.close\(\))$", r"await \1", code, flags=re.MULTILINE), "    ")
    return f"import {library}\n\n\nasync def main() -> None:\n{body}\n\n{RUNS[library]}\n"


def programs() -> Iterator[Program]:
    """Return every piece of documentation that can be run."""
    for number, block in enumerate(blocks(read(ROOT / "README.md"))):
        yield Program(f"README {number}", block)
    for page, library in PAGES.items():
        for title, code in sections(page):
            yield Program(title, in_a_coroutine(code, library) if library else code)


def write(folder: Path) -> None:
    """Write each program to a file in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for title, code in programs():
        (folder / f"{re.sub(r'[^a-z0-9]+', '_', title.lower()).strip('_')}.py").write_text(code, encoding="utf-8")
    settings = {
        "include": ["."],
        "extraPaths": [str(ROOT), str(ROOT / "adapters")],
        "typeCheckingMode": "strict",
        "reportUnusedImport": False,  # a page imports once what only some of its sections use
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
