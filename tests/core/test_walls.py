"""The walls of the house: what each part may import, shown on the source and in a fresh interpreter.

The core is worth having because it can be tested without sockets and clocks and embedded in anything. One careless import
ends that, and some do it by the back door: `logging` loads threading, `tempfile` loads random, `http` loads socket.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

import resp_sansio
import resp_sansio.client

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[2]
CORE: Final = Path(resp_sansio.__file__).parent

# A core module imports only those before it. The parser runs the accelerators, which know nothing of it: so they come first.
ORDER: Final = (
    "_record",
    "_stats",
    "_errors",
    "_values",
    "_scalars",
    "_encoder",
    "_fastpath",
    "_machine",
    "_parser",
    "_requests",
    "_command_table",
    "_commands",
    "_options",
    "_url",
    "_config",
    "_dialling",
    "_tls",
    "_deadlines",
    "_state",
    "_handshake",
    "_subscriptions",
    "_slot",
    "_events",
    "_pairing",
    "_connection",
    "_readers",
    "_call",
    "_exchange",
    "commands",
    "_methods",
    "_retry",
    "_pace",
    "_settings",
    "_pool",
    "_sharing",
    "client.timers",
    "client.links",
    "client.calls",
    "client.dials",
    "client.client",
    "client.__init__",
    "__init__",
)

# Where the core's public names are: for users, and for those who write adapters.
ROOMS: Final = {"resp_sansio": resp_sansio.__all__, "resp_sansio.client": resp_sansio.client.__all__}

# No I/O, no clock, no thread, no task, no randomness, and nothing that loads such a thing (the last test looks).
PURE: Final = frozenset(
    "__future__ abc bisect collections contextlib copy difflib enum functools heapq ipaddress itertools math operator"
    " re string struct sys types typing urllib.parse warnings weakref".split()
)

IMPURE: Final = frozenset(
    "anyio asyncio concurrent http logging multiprocessing queue random secrets select selectors signal socket"
    " socketserver ssl subprocess tempfile threading trio".split()
)

# Which I/O each adapter stands on. The standard library is everybody's, except for another adapter's part of it.
ADAPTERS: Final = {
    "resp_sync": (frozenset[str](), frozenset({"asyncio", "concurrent"})),
    "resp_asyncio": (frozenset[str](), frozenset({"concurrent"})),
    "resp_trio": (frozenset({"trio"}), frozenset({"asyncio", "concurrent", "threading"})),
}


def modules(package: Path) -> dict[str, ast.Module]:
    return {path.stem: ast.parse(path.read_text(encoding="utf-8"), str(path)) for path in sorted(package.glob("*.py"))}


def imports(tree: ast.Module) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every import, wherever it stands, as (module with its leading dots, names taken from it)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or ""), tuple(alias.name for alias in node.names)


def adapters() -> list[str]:
    found = [path.parent.name for path in sorted((ROOT / "adapters").glob("*/__init__.py"))]
    return [name for name in found if name in ADAPTERS]


def core_modules() -> dict[str, ast.Module]:
    """The core's modules, those in folders by their dotted names; `testing` is outside the walls."""
    inside = {f"client.{name}": tree for name, tree in modules(CORE / "client").items()}
    return {**modules(CORE), **inside}


@pytest.mark.parametrize("name", sorted(core_modules()))
def test_core_module_imports_pure_standard_library_and_earlier_modules(name: str) -> None:
    assert name in ORDER, f"give {name} its place in the order"
    earlier = ORDER[: ORDER.index(name)]
    folder = "client." if name.startswith("client.") else ""
    for module, names in imports(core_modules()[name]):
        # One dot is the module's own folder, two are the core's.
        own = folder if module.startswith(".") and not module.startswith("..") else ""
        if not module.startswith("."):
            assert module in PURE or module.split(".")[0] in PURE, f"{name} imports {module}"
        elif not module.strip("."):
            assert {own + taken for taken in names} <= set(earlier), f"{name} imports {names}"
        else:
            assert own + module.lstrip(".") in earlier, f"{name} imports {module}, which comes after it"


@pytest.mark.parametrize("package", ["resp_sansio", *adapters()])
def test_module_says_its_idea_first(package: str) -> None:
    for name, tree in modules(package_folder(package)).items():
        assert ast.get_docstring(tree), f"{package}.{name} has no docstring"
        future = any(module == "__future__" for module, _ in imports(tree))
        assert future or not any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in ast.walk(tree)), name


@pytest.mark.parametrize("package", adapters())
def test_adapter_imports_its_own_io_and_public_names_of_the_core(package: str) -> None:
    own, not_its = ADAPTERS[package]
    for name, tree in modules(package_folder(package)).items():
        for module, names in imports(tree):
            top = module.split(".")[0]
            if module in ROOMS:
                assert set(names) <= set(ROOMS[module]), f"{package}.{name} takes {names} from {module}"
            elif not module.startswith("."):
                assert top != "resp_sansio", f"{package}.{name} imports {module}"
                assert top in own or (top in sys.stdlib_module_names and top not in not_its), f"{name} imports {module}"
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "resp_sansio":
                assert node.attr in resp_sansio.__all__, f"{package}.{name} uses resp_sansio.{node.attr}"


def test_every_public_name_is_there_once() -> None:
    assert len(set(resp_sansio.__all__)) == len(resp_sansio.__all__)
    assert all(hasattr(resp_sansio, name) for name in resp_sansio.__all__)
    assert not [name for name in resp_sansio.__all__ if name.startswith("_") and not name.startswith("__")]


def test_importing_the_core_loads_nothing_impure() -> None:
    program = "import sys; before = set(sys.modules); import resp_sansio; print(*set(sys.modules) - before)"
    # -S: what site-packages' own start-up files load is not ours to judge.
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {str(CORE.parent)!r}); {program}"],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stdout.split())
    assert "resp_sansio" in loaded
    assert not {name for name in loaded if name.split(".")[0] in IMPURE}


def test_every_package_is_shipped_and_says_that_it_is_typed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    shipped = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    written = ["resp_sansio", *(f"adapters/{path.parent.name}" for path in (ROOT / "adapters").glob("*/__init__.py"))]
    assert set(written) <= set(shipped), "a package that exists is not in the wheel"
    assert all((ROOT / package / "py.typed").exists() for package in shipped)
    assert all((package_folder(Path(package).name) / "py.typed").exists() for package in written)
    assert project["project"]["dependencies"] == []


def test_files_speak_of_no_machine() -> None:
    # Written in halves, so that this file does not find itself.
    folders = "/" + "(home|Users|root|work)/"
    hosts = "pypi" + r"\.org|python" + "hosted"
    machine = re.compile(f"{folders}|{hosts}")
    found = [(path.name, match[0]) for path in project_files() if (match := machine.search(path.read_text("utf-8")))]
    assert not found


def project_files() -> Iterator[Path]:
    folders = ("resp_sansio", "adapters", "tests", "docs", ".ci")
    for path in [*ROOT.iterdir(), *(path for folder in folders for path in (ROOT / folder).rglob("*"))]:
        if path.suffix in {".py", ".md", ".toml", ".txt", ".json", ".typed"} or path.parent.name == ".ci":
            yield path


def package_folder(package: str) -> Path:
    """Where the package is imported from: the installed wheel, if that is what is being tested."""
    spec = importlib.util.find_spec(package)
    assert spec
    assert spec.origin
    return Path(spec.origin).parent
