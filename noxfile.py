"""The project's chores, each in an environment of its own: `python -m nox -s tests` and so on; `-l` lists them.

nox passes over interpreters that it cannot find and still ends well, and under pyenv it finds only those that happen to be
selected. So every CPython that is here is looked for below and named by its path; where CI is set to `true`, one that is
here but cannot be run is an error.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import NamedTuple

import nox

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["tests", "typing", "lint", "package"]
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = True

ROOT = Path(__file__).parent
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
OLDEST = (3, 11)
PROBE = "import sys; print(sys.implementation.name, *sys.version_info[:2], sys.version_info[3], sys._base_executable)"


def interpreters() -> dict[str, str]:
    """The path of one released CPython for every minor version from 3.11 on: nox's own, then PATH's, then pyenv's newest."""
    on_path = [
        Path(folder) / name
        for folder in os.get_exec_path()
        if os.path.isdir(folder)
        for name in sorted(os.listdir(folder))
        if re.fullmatch(r"python(3(\.\d+)?)?(\.exe)?", name)
    ]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    installed = [
        (version, version.name.split(".")) for version in pyenv.glob("3.*") if re.fullmatch(r"[\d.]+", version.name)
    ]
    newest_first = sorted(installed, key=lambda found: [int(part) for part in found[1]], reverse=True)
    by_pyenv = [version / "bin" / f"python3.{parts[1]}" for version, parts in newest_first]

    found: dict[str, str] = {}
    failed: dict[str, Path] = {}
    for candidate in [Path(sys.executable), *on_path, *by_pyenv]:
        named = re.search(r"3\.(\d+)", candidate.name)
        if named and (f"3.{named[1]}" in found or int(named[1]) < OLDEST[1]):
            continue
        try:
            # Being there is not enough: a pyenv shim exists for every version installed, and runs only those selected.
            probe = subprocess.run([candidate, "-c", PROBE], capture_output=True, text=True, timeout=60, check=False)
            implementation, major, minor, level, path = probe.stdout.rstrip("\n").split(" ", 4)
        except (OSError, ValueError, subprocess.TimeoutExpired):
            if named:
                failed.setdefault(f"3.{named[1]}", candidate)
            continue
        if implementation == "cpython" and level == "final" and (int(major), int(minor)) >= OLDEST:
            found.setdefault(f"{major}.{minor}", path)
    skipped = {version: path for version, path in failed.items() if version not in found}
    if skipped and os.environ.get("CI") == "true":
        raise RuntimeError(f"these interpreters are here and cannot be run: {skipped}")
    return dict(sorted(found.items(), key=lambda one: int(one[0].split(".")[1])))


PYTHONS = interpreters()
every_python = nox.parametrize("python", [nox.param(path, id=version) for version, path in PYTHONS.items()])
# Types, and what is in a package, are no other in between.
first_and_last = nox.parametrize(
    "python", [nox.param(PYTHONS[version], id=version) for version in dict.fromkeys([*PYTHONS][:1] + [*PYTHONS][-1:])]
)
own_version = "{}.{}".format(*sys.version_info)
one_python = PYTHONS.get(own_version) or next(iter(PYTHONS.values()), None)
newest_python = next(reversed(PYTHONS.values()), None)

# The wheel is tested, not the checkout: the folder that Python starts in stays off the path, and so do the two that
# pyproject.toml adds for a bare checkout.
ISOLATED = {"PYTHONSAFEPATH": "1", "PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": "1"}
PYTEST = ["python", "-m", "pytest", "-o", "pythonpath=tests"]
# A process for each processor, up to four, and four more for tests that wait more than they work. Each has a server of its own.
IN_PARALLEL = ["--numprocesses=auto", "--maxprocesses=4"]
WAITING = [f"--numprocesses={min(6, (os.cpu_count() or 1) + 4)}"]
# All but the exams of the tests themselves, for which one Python is enough.
OF_THE_LIBRARY = ["-m", "not exam"]
# These look for faults in what the others reach as well, and take three times as long while coverage follows them.
SEARCHES = [
    *(f"tests/core/wire/test_{name}.py" for name in ("amplification", "planted_faults")),
    *(f"tests/simulation/test_{name}.py" for name in ("adapters", "cluster", "exam")),
]
# Of these, `simulate` lives through a hundred times as many, on the newest Python.
HISTORIES = [f"--ignore-glob=*/simulation/test_{name}.py" for name in ("adapters", "cluster", "histories")]
# What takes long, and has never said of a Python what those before and behind it do not say.
SLOW = ("simulation/*", "test_amplification.py", "test_completion.py", "test_fastpath_proof.py")
# What one Python says for all: the adapters do no more there than elsewhere.
ONCE = [
    f"--ignore-glob=*/{name}"
    for name in ("test_compare_*.py", "test_conversations.py", "test_doctor_several.py", "test_sentinel_replicas.py")
]
# Of a second server, and of calls that take no short path, uvloop says what asyncio says.
NO_UVLOOP = ["-k", "not uvloop"]
BETWEEN = [*NO_UVLOOP, *[f"--ignore-glob=*/{name}" for name in SLOW], "--ignore=tests/adapters/cli"]
BETWEEN += [f"--ignore-glob=*/contract/test_{name}.py" for name in ("cluster*", "network", "outage", "pace")]
# A machine that stops for seconds fails a test now and then that waits for what others do: it has another run, alone, which is to
# be told at the end. Nothing is tried twice where all is simulated.
AGAIN = ["--last-failed", "--last-failed-no-failures=none", "--numprocesses=0"]
COVERAGE = ["--cov", "--cov-report=term-missing:skip-covered", "--cov-fail-under=100"]
RESULTS = ROOT / ".nox" / "results"


def install(session: nox.Session, *groups: str, wheel: bool = False) -> None:
    """Install dependency groups and, if asked for, the project as its users get it: built, not linked."""
    requirements = nox.project.dependency_groups(PROJECT, *groups) if groups else ()
    session.install(*requirements, *(["."] if wheel else []))


@nox.session
@every_python
def tests(session: nox.Session) -> None:
    """The suite against the built wheel.

    On the oldest Python, the core's own tests must reach each of its branches and find the faults that are planted in it, and the
    contract of the adapters holds without the short path of a connection at rest, too. A Python that is neither the oldest nor the
    newest is spared what takes long.
    """
    install(session, "test", wheel=True)
    where = "import resp_sansio, sys; sys.exit(not resp_sansio.__file__.startswith(sys.prefix))"
    session.run("python", "-c", where, env=ISOLATED)
    if session.posargs:
        session.run(*PYTEST, *session.posargs, env=ISOLATED)
        return
    name = re.sub(r"\W+", "-", session.name).strip("-")
    core = [*PYTEST, *IN_PARALLEL, "tests/core", "tests/simulation"]
    oldest, *between = PYTHONS.values()
    if session.python != oldest:
        again = [*OF_THE_LIBRARY, *ONCE, *(BETWEEN if session.python in between[:-1] else HISTORIES)]
        run_all(session, Run(f"{name}-core", [*core, *again], {}), rest(f"{name}-rest", *again))
        return
    traced = [*core, *OF_THE_LIBRARY, *COVERAGE, *(f"--ignore={path}" for path in SEARCHES)]
    # Calls that go by several servers have no short path of their own.
    spared = ["--ignore-glob=*/test_cluster*.py", "--ignore-glob=*/test_sentinel*.py"]
    # Nor does a server that was restarted find a connection at rest.
    which = ["-k", "not uvloop and not the_server_restarted"]
    long = [*PYTEST, *WAITING, *which, *spared, "tests/adapters/contract"]
    run_all(
        session,
        Run(f"{name}-core", traced, {"COVERAGE_FILE": str(RESULTS / f"{name}.coverage")}),
        Run(f"{name}-searches", [*PYTEST, *IN_PARALLEL, *SEARCHES], {}),
        rest(f"{name}-rest"),
        Run(f"{name}-long", long, {"RESP_LONG_PATH": "1"}, again=True),
    )


@nox.session(python=one_python, default=False)
def newest(session: nox.Session) -> None:
    """All but the core's own tests once more: on the newest Redis and the newest Valkey that can be had."""
    install(session, "test", wheel=True)
    folder = ROOT / ".nox" / "servers"
    shutil.rmtree(folder, ignore_errors=True)
    session.run("python", "tests/newest_servers.py", str(folder))
    servers = sorted(folder.glob("*/*-server"))
    # These measure and watch the client, read what is written of it, or are about the tests: they ask nothing of a server that all
    # do not know.
    names = (
        *("otel", "logging", "sync", "asyncio", "trio", "cli/test_inside.py"),
        *(f"contract/test_{name}.py" for name in ("ahead", "cancel", "conversations", "network", "outage", "pace")),
        "contract/test_promises.py",
        *("test_completion.py", "test_docs_examples.py", "test_from_redis_py.py", "test_recipes.py", "test_soak.py"),
    )
    globs = ("*/test_compare_*.py", "tests/test_*.py")
    spared = [f"--ignore-glob={glob}" for glob in globs] + [f"--ignore=tests/adapters/{name}" for name in names]
    runs = []
    for index, server in enumerate(servers):
        runs.append(rest(server.parent.name, *spared, *(NO_UVLOOP if index else []), REDIS_SERVER=str(server)))
    run_all(session, *runs)


class Run(NamedTuple):
    """A command, its environment, and the name by which it reports."""

    name: str
    command: list[str]
    environment: dict[str, str]
    again: bool = False  # what fails is tried once more

    def carry_out(self, session: nox.Session, *options: str, suffix: str = "") -> bool:
        """Return whether all was well."""
        report = f"--junitxml={RESULTS / self.name}{suffix}.xml"
        try:
            session.run(*self.command, report, *options, env=ISOLATED | self.environment)
        except nox.command.CommandFailed:
            return False
        return True


def rest(name: str, *options: str, **environment: str) -> Run:
    """All but the core's own tests."""
    ignored = ["--ignore=tests/core", "--ignore=tests/simulation"]
    return Run(name, [*PYTEST, *WAITING, *ignored, *options, "tests"], environment, again=True)


def run_all(session: nox.Session, *runs: Run) -> None:
    """Carry out each, even if one has failed: one session is to show all that is wrong."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    failed = [
        run.name
        for run in runs
        if not (run.carry_out(session) or (run.again and run.carry_out(session, *AGAIN, suffix="-again")))
    ]
    if failed:
        session.error(", ".join(failed))


@nox.session
@first_and_last
def typing(session: nox.Session) -> None:
    """Mypy, strict, over everything; pyright over what users see, and both over what the pages show, as seen by each Python."""
    install(session, "typing")
    version = str(session.run("python", "-c", "import sys; print('%d.%d' % sys.version_info[:2])", silent=True)).strip()
    mypy = ["mypy", f"--python-version={version}", f"--cache-dir={session.create_tmp()}"]
    pyright = ["pyright", f"--pythonversion={version}", f"--pythonpath={session.bin}/python"]
    session.run(*mypy, *session.posargs)
    session.run(*pyright)
    pages = Path(session.create_tmp()).resolve() / "pages"
    shutil.rmtree(pages, ignore_errors=True)
    session.run("python", "tests/examples.py", str(pages))
    with session.chdir(pages):
        session.run(*mypy, f"--config-file={ROOT / 'pyproject.toml'}", ".")
        session.run(*pyright)


@nox.session(python=one_python)
def lint(session: nox.Session) -> None:
    """Ruff's rules and layout, and the walls."""
    install(session, "lint", "test")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("python", "-m", "pytest", "-q", "tests/core/test_walls.py")


@nox.session
@first_and_last
def package(session: nox.Session) -> None:
    """The sdist, the wheel made from it, and what is in them: all that is written, and nothing else."""
    install(session, "package")
    folder = Path(session.create_tmp()).resolve()
    shutil.rmtree(folder)
    session.run("python", "-m", "build", f"--outdir={folder}", silent=True)
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    packages = [ROOT / path for path in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]]
    names = [path.name for path in packages]
    session.run("check-wheel-contents", f"--toplevel={','.join(names)}", str(wheel))

    written = {
        path.relative_to(folder.parent).as_posix()
        for folder in packages
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        shipped = {name for name in archive.namelist() if ".dist-info/" not in name}
    if shipped != written:
        session.error(f"wheel and checkout differ in {sorted(shipped ^ written)}")
    with tarfile.open(sdist) as archive:
        sources = {name.partition("/")[2] for name in archive.getnames()}
    if absent := {"LICENSE", "README.md", "CHANGELOG.md", "noxfile.py", "tests/conftest.py", ".ci/run"} - sources:
        session.error(f"the sdist lacks {sorted(absent)}")

    session.install(f"{wheel}[trio,cli,otel]")
    session.run("python", "-I", "-c", f"import {', '.join(names)}")
    session.run("resp-sansio", "--version")
    # A user's type checker must find the types in what was installed: without the project's own settings, which lead to its source.
    (folder / "consumer.py").write_text(f"import {', '.join(names)}\nreveal_type(resp_sansio.Outcome.NOT_SENT)\n")
    with session.chdir(folder):
        seen = session.run("python", "-P", "-m", "mypy", "--config-file=", "--strict", "consumer.py", silent=True)
    if "resp_sansio._errors.Outcome" not in str(seen):
        session.error(f"the installed types are not seen: {seen}")
    # Nor may it have to guess one: each public name has a type that all checkers read alike.
    for name in names:
        with session.chdir(folder):
            session.run("pyright", "--verifytypes", name, "--ignoreexternal", silent=True)


@nox.session(python=newest_python, default=False)
def simulate(session: nox.Session) -> None:
    """Histories of the whole client in simulated worlds, on all processors: 100,000 (`-- 50000 7000`: so many, from that seed)."""
    install(session, "test", wheel=True)
    session.run(
        "python", "-m", "simulation.campaign", *session.posargs, env=ISOLATED | {"PYTHONPATH": str(ROOT / "tests")}
    )


@nox.session(python=one_python, default=False)
def soak(session: nox.Session) -> None:
    """Each adapter on a real server through a faulty network, for ten minutes each (`-- 60 trio`: so many seconds, this one)."""
    install(session, "test", wheel=True)
    session.run("python", "-m", "soak", *session.posargs, env=ISOLATED | {"PYTHONPATH": str(ROOT / "tests")})


@nox.session(python=one_python, default=False)
def fuzz(session: nox.Session) -> None:
    """Fuzzing that follows coverage, a minute for each target (`-- 600 parser`: so many seconds, this one)."""
    install(session, "test", "fuzz", wheel=True)
    seconds, *names = session.posargs or ["60"]
    folder = Path(session.create_tmp()).resolve()
    for name in names or ["parser", "requests", "connection", "handshake", "url"]:
        (folder / name).mkdir(exist_ok=True)  # what is found, and worth keeping
        options = [
            str(folder / name),
            f"-max_total_time={seconds}",
            "-max_len=1000",
            f"-artifact_prefix={folder}/{name}-",
        ]
        session.run("python", "-m", "fuzz", name, *options, env=ISOLATED | {"PYTHONPATH": str(ROOT / "tests")})


@nox.session(python=one_python, default=False)
def mutate(session: nox.Session) -> None:
    """Small changes of the core that some test must notice, 30 in each module (`-- 100 client/pool`: so many, in this one)."""
    install(session, "test", "mutate")
    number, *modules = session.posargs or ["30"]
    session.run("python", "tests/mutate.py", f"{session.create_tmp()}/tree", number, *modules)


@nox.session(python=one_python, default=False)
def proof(session: nox.Session) -> None:
    """The proof of the parser's accelerators, ten times as long as in the suite (`-- 100` for a hundred times)."""
    install(session, "test", wheel=True)
    times = session.posargs[0] if session.posargs else "10"
    files = [f"tests/core/wire/test_{name}.py" for name in ("fastpath_proof", "planted_faults")]
    environment = ISOLATED | {"RESP_PROOF": times}
    session.run("python", "-m", "pytest", "-o", "pythonpath=tests", "-o", "timeout=0", *files, env=environment)


@nox.session(python=one_python, default=False)
def demo(session: nox.Session) -> None:
    """Which strategy suits a load? Within a minute: tables, advice and a chart, on a throw-away server (`-- --help` for more)."""
    session.install(".[cli,plot]")
    # Where there is no server on the machine, one comes out of a wheel.
    server = "import servers; print(servers.find_server())"
    found = session.run("python", "-c", server, env=ISOLATED | {"PYTHONPATH": str(ROOT / "tests")}, silent=True)
    chart = ROOT / ".nox" / "compare.png"
    words = ["--io", "asyncio", "--duration", "45", "--png", str(chart), *session.posargs]
    session.run("resp-sansio", "compare", *words, env=ISOLATED | {"REDIS_SERVER": str(found).strip()})


@nox.session(default=False)
@every_python
def bench(session: nox.Session) -> None:
    """This library beside others, in one run for each Python, as tables and as JSON (`-- --help` for the choices)."""
    install(session, "bench", wheel=True)
    environment = ISOLATED | {"PYTHONPATH": str(ROOT / "tests")}
    session.run("python", "-m", "benchmarks.peers_bench", *session.posargs, env=environment)
