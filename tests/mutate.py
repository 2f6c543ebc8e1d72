"""Mutation check: small changes of the core's modules, each of which some test must notice. `nox -s mutate` runs it.

In a copy of the checkout, so that nothing of the work tree is touched. Takes long: each change costs a run of the tests that are
meant for its module, until the first of them fails. A sample of so many for each module is drawn, always the same one.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Final

__all__ = ["MODULES", "main"]

ROOT: Final = Path(__file__).parent.parent
SIMULATION: Final = "timeout 60 python -m simulation.campaign 300 0 1"
PROOF: Final = "tests/core/wire/test_fastpath_proof.py -k 'agree or reference or paired'"
CORE: Final = {"client": "tests/core/client", "connection": "tests/core/connection tests/core/test_stats.py"}
OWN: Final = {  # what fails first, if something does; for other modules a file of tests named after them
    "wire/parser": "tests/core/wire/test_fastpath.py tests/core/wire/test_parser.py",
    "wire/strides": "tests/core/wire/test_fastpath.py",
    "wire/grammar": "tests/core/wire/test_grammar.py tests/core/wire/test_parser.py tests/core/wire/test_amplification.py",
    "wire/scalars": "tests/core/wire/test_grammar.py tests/core/wire/test_parser.py tests/core/wire/test_amplification.py",
}
MODULES: Final = (
    "wire/parser", "wire/grammar", "wire/fastpath", "wire/strides", "wire/scalars", "wire/values", "wire/encoder", "wire/requests",
    "connection/connection", "connection/pairing", "connection/slot", "connection/sending", "connection/timing",
    "client/pool", "client/places", "client/lanes", "client/client", "client/calls", "client/dials", "client/links",
    "client/retry", "client/crew",
)  # fmt: skip
OPTIONS: Final = "-x -q -n 0 -p no:cacheprovider -o addopts=--import-mode=importlib"
# Equivalent changes: annotations are not evaluated, so a `|` in them may be anything; enums are equal if they are the same; no test
# makes an abstract class.
LEFT_OUT: Final = ("%BinaryOperator_BitOr%", "%_Is_Eq", "%_IsNot_NotEq", "%_Eq_Is", "%_NotEq_IsNot", "%RemoveDecorator")


def tests_of(module: str) -> list[str]:
    """What may notice a change of this module, the quickest first."""
    area, name = module.split("/")
    named = f"tests/core/{area}/test_{name}.py"
    own = OWN.get(module) or (named if (ROOT / named).exists() else CORE[area])
    tests = [own, PROOF] if area == "wire" else [own, CORE[area]]
    runs = [f"python -m pytest {OPTIONS} {chosen}" for chosen in dict.fromkeys(tests)]
    return runs if area == "wire" else [SIMULATION, *runs]


def script(module: str) -> str:
    """What to run for a module, up to the first failure. A change may make an endless loop, or fill the memory."""
    return "\n".join(
        ["set -e", "ulimit -t 100 -v 4000000", "export PYTHONPATH=.:adapters:tests", *tests_of(module), ""]
    )


def sample(session: Path, number: int) -> None:
    """Keep so many of the changes."""
    with sqlite3.connect(session) as database:
        for pattern in LEFT_OUT:
            database.execute("DELETE FROM mutation_specs WHERE operator_name LIKE ?", (pattern,))
        places = list(
            database.execute("SELECT job_id FROM mutation_specs ORDER BY start_pos_row, start_pos_col, operator_name")
        )
        kept = {job for (job,) in Random(1).sample(places, min(number, len(places)))}
        for table in ("mutation_specs", "work_items"):
            every = [job for (job,) in database.execute(f"SELECT job_id FROM {table}")]
            database.executemany(f"DELETE FROM {table} WHERE job_id = ?", [(job,) for job in every if job not in kept])


def check(tree: Path, module: str, number: int) -> tuple[int, int, list[str]]:
    """Return how many changes of a module were tried, how many were noticed, and what the others were."""
    config, session = tree / "mutate.toml", tree / "mutate.sqlite"
    session.unlink(missing_ok=True)
    config.write_text(
        f'[cosmic-ray]\nmodule-path = "resp_sansio/{module}.py"\ntimeout = 900.0\nexcluded-modules = []\n'
        'test-command = "bash mutate.sh"\n[cosmic-ray.distributor]\nname = "local"\n'
    )
    (tree / "mutate.sh").write_text(script(module))
    subprocess.run(["bash", "mutate.sh"], cwd=tree, check=True, stdout=subprocess.DEVNULL)  # else all would fail
    for words in (["init", str(config), str(session)], ["exec", str(config), str(session)]):
        subprocess.run(["cosmic-ray", *words], cwd=tree, check=True)
        if words[0] == "init":
            sample(session, number)
    with sqlite3.connect(session) as database:
        rows = list(
            database.execute(
                "SELECT r.test_outcome, r.diff FROM work_results r JOIN mutation_specs m ON m.job_id = r.job_id"
                " ORDER BY m.start_pos_row"
            )
        )
    alive = [diff for outcome, diff in rows if "SURVIVED" in str(outcome)]
    return len(rows), len(rows) - len(alive), alive


def main() -> None:
    """`FOLDER NUMBER [MODULE ...]`: so many changes of each of these modules, in a copy there."""
    tree, number = Path(sys.argv[1]).resolve(), int(sys.argv[2])
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".git", ".nox", "__pycache__", ".*_cache"))
    for module in sys.argv[3:] or MODULES:
        tried, noticed, alive = check(tree, module, number)
        for diff in alive:
            print("\n".join(line for line in diff.splitlines() if line[:1] in "+-@"))
        print(f"{module}: {noticed} of {tried} changes were noticed", flush=True)


if __name__ == "__main__":
    main()
