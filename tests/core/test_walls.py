"""The walls of the house: what each part may import, shown on the source and in a fresh interpreter.

The core is worth having because it can be tested without sockets and clocks and embedded in anything. One careless import
ends that, and some do it by the back door: `logging` loads threading, `tempfile` loads random, `http` loads socket.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

import resp_sansio
import resp_sansio.client
import resp_sansio.config
import resp_sansio.connection
import resp_sansio.methods
import resp_sansio.surface.tasks
import resp_sansio.surface.threads
import resp_sansio.wire
from house import CORE, FOLDERS, ORDER, core_modules, folder_of, imports, picture, taken_by

ROOT: Final = Path(__file__).parents[2]

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

# Where the core's public names are: for users, and for those who write adapters.
ROOMS: Final = {
    room.__name__: room.__all__
    for room in (
        resp_sansio,
        resp_sansio.wire,
        resp_sansio.config,
        resp_sansio.connection,
        resp_sansio.client,
        resp_sansio.methods,
        resp_sansio.surface.tasks,
        resp_sansio.surface.threads,
    )
}

# Those that are taken by their module's name.
BY_MODULE: Final = {name.rpartition(".")[2]: ROOMS[name] for name in (*ROOMS,) if name.count(".") != 1}

# No I/O, no clock, no thread, no task, no randomness, and nothing that loads such a thing (the last test looks). `_thread` tells
# which thread one is in.
PURE: Final = frozenset(
    "__future__ _thread abc binascii bisect collections contextlib copy difflib enum functools hashlib heapq importlib"
    " inspect ipaddress itertools json math operator re string struct sys traceback types typing urllib.parse"
    " warnings weakref".split()
) | {"typing_extensions"}  # type checkers have it: at run time nothing takes it, as the last test sees

IMPURE: Final = frozenset(
    "anyio asyncio concurrent http logging multiprocessing queue random secrets select selectors signal socket"
    " socketserver ssl subprocess tempfile threading trio".split()
)

# Which I/O each adapter stands on. The standard library is for all, except for another adapter's part of it.
ADAPTERS: Final = {
    "resp_sync": (frozenset[str](), frozenset({"asyncio", "concurrent"})),
    "resp_asyncio": (frozenset[str](), frozenset({"concurrent"})),
    "resp_trio": (frozenset({"trio"}), frozenset({"asyncio", "concurrent", "threading"})),
    "resp_logging": (frozenset[str](), frozenset({"asyncio", "concurrent", "threading"})),
    "resp_otel": (frozenset({"opentelemetry"}), frozenset({"asyncio", "concurrent"})),
}

# What stands on the adapters, by their public names, and what else it is drawn and run with.
ON_ADAPTERS: Final = {"resp_cli": frozenset({"matplotlib", "prometheus_client", "rich", "trio"})}


def modules(package: Path) -> dict[str, ast.Module]:
    paths = sorted(package.rglob("*.py"))
    return {str(path.relative_to(package)): ast.parse(path.read_text(encoding="utf-8"), str(path)) for path in paths}


def adapters() -> list[str]:
    found = [path.parent.name for path in sorted((ROOT / "adapters").glob("*/__init__.py"))]
    return [name for name in found if name in ADAPTERS]


@pytest.mark.parametrize("name", sorted(core_modules()))
def test_core_module_imports_pure_standard_library_and_earlier_modules(name: str) -> None:
    assert name in ORDER, f"give {name} its place in the order"
    path = core_modules()[name]
    for module, _ in imports(ast.parse(path.read_text(encoding="utf-8"))):
        assert module.startswith(".") or {module, module.split(".")[0]} & PURE, f"{name} imports {module}"
    late = set(taken_by(name, path)) - set(ORDER[: ORDER.index(name)])
    assert not late, f"{name} imports what comes after it"


def test_the_modules_of_a_folder_stand_together_in_the_order() -> None:
    folders = [folder_of(name) for name in ORDER]
    assert [folder for folder, before in zip(folders, ["", *folders], strict=False) if folder != before] == list(
        FOLDERS
    )


def test_the_page_on_the_architecture_shows_the_order_and_what_the_imports_are() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert picture() in page
    listed = page[page.index("    resp_sansio/\n") : page.index("    adapters/\n")]
    written = re.findall(r"^    ( +)(\w+)(/|\.py) ", listed, re.MULTILINE)
    folder, modules = "", []
    for indent, name, kind in written:
        folder = folder if len(indent) > 2 else name if kind == "/" else ""
        modules += [f"{folder}.{name}" if folder else name] if kind == ".py" else []
    assert modules == [name for name in ORDER if name not in FOLDERS]


@pytest.mark.parametrize("package", ["resp_sansio", *adapters(), *ON_ADAPTERS])
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
            if module == "resp_sansio.surface":
                assert {f"{module}.{colour}" for colour in names} <= ROOMS.keys()
            elif module in ROOMS:
                assert set(names) <= set(ROOMS[module]), f"{package}.{name} takes {names} from {module}"
            elif not module.startswith("."):
                assert top != "resp_sansio", f"{package}.{name} imports {module}"
                assert top in own or (top in sys.stdlib_module_names and top not in not_its), f"{name} imports {module}"
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in BY_MODULE:
                assert node.attr in BY_MODULE[node.value.id], f"{package}.{name} uses {node.value.id}.{node.attr}"


@pytest.mark.parametrize("package", ON_ADAPTERS)
def test_what_stands_on_adapters_takes_only_their_public_names(package: str) -> None:
    for name, tree in modules(package_folder(package)).items():
        for module, names in imports(tree):
            if module in ADAPTERS or module in ROOMS:
                assert set(names) <= set(importlib.import_module(module).__all__), f"{package}.{name}: {module}"
            elif not module.startswith("."):
                top = module.split(".")[0]
                assert top in ON_ADAPTERS[package] or top in sys.stdlib_module_names, f"{name} imports {module}"


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


def test_what_the_methods_do_without_is_loaded_when_it_is_asked_for() -> None:
    program = (
        "import sys; import resp_sansio.surface.threads; before = set(sys.modules);"
        "from resp_sansio.commands import get; from resp_sansio.methods import AsyncMethods, SyncMethods;"
        "print(*set(sys.modules) - before)"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {str(CORE.parent)!r}); {program}"],
        capture_output=True,
        text=True,
        check=True,
    )
    late = {name for name in done.stdout.split() if name.startswith("resp_sansio")}
    assert late == {"resp_sansio.commands.strings", "resp_sansio.methods.tasks"}


@pytest.mark.parametrize("room", [resp_sansio.commands, resp_sansio.methods])
def test_a_name_that_is_loaded_late_is_a_name_as_others_are(room: ModuleType) -> None:
    assert not {path.stem for path in package_folder(room.__name__).glob("*.py")} & set(room.__all__)
    assert {name for name, _ in inspect.getmembers(room)} >= set(room.__all__)
    with pytest.raises(AttributeError, match=f"^module '{room.__name__}' has no attribute 'nothing'$"):
        _ = room.nothing
    with pytest.raises(ImportError, match="cannot import name 'nothing'"):
        exec(f"from {room.__name__} import nothing")


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
