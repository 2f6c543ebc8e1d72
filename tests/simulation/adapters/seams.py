"""Where an adapter meets what is not its own: the names by which its modules reach the operating system, the clock and chance.

For a history these names stand for the world's. Nothing in the adapter knows.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Instead", "exchanged"]


class Instead:
    """A module, but for some names."""

    def __init__(self, module: Any, **names: Any) -> None:
        self.__dict__.update(names)
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


@contextmanager
def exchanged(package: str, names: dict[str, Any]) -> Iterator[None]:
    """In the block, these names mean something else in all modules of a package, wherever it has them."""
    modules = [module for name, module in sys.modules.items() if name == package or name.startswith(package + ".")]
    before = [(module, name, vars(module)[name]) for module in modules for name in names if name in vars(module)]
    missing = names.keys() - {name for _, name, _ in before}
    assert not missing, f"{package} has no {missing}, and would go by the system's"
    for module, name, _ in before:
        setattr(module, name, names[name])
    try:
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)
