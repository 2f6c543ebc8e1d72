"""Mutation check: small changes of the core's modules, each of which some test must notice. `nox -s mutate` runs it.

In a copy of the checkout, so that nothing of the work tree is touched. Takes long: each change costs a run of the tests that are
meant for its module, until the first of them fails. A sample of so many for each module is drawn, always the same one.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from functools import cache
from pathlib import Path
from random import Random
from typing import Final

__all__ = ["MODULES", "main"]

ROOT: Final = Path(__file__).parent.parent
SIMULATION: Final = "python -m simulation.campaign 300 0 1"
PROOF: Final = "tests/core/wire/test_fastpath_proof.py -k 'agree or reference or paired'"
CORE: Final = {"client": "tests/core/client", "connection": "tests/core/connection tests/core/test_stats.py"}
VALUES: Final = "tests/core/wire/test_grammar.py tests/core/wire/test_parser.py tests/core/wire/test_amplification.py"
MODULES: Final = {  # and the tests that are nearest to each, which fail first, if any does
    "wire/parser": "tests/core/wire/test_fastpath.py tests/core/wire/test_parser.py",
    "wire/grammar": VALUES,
    "wire/fastpath": "tests/core/wire/test_fastpath.py",
    "wire/strides": "tests/core/wire/test_fastpath.py",
    "wire/scalars": VALUES,
    "wire/values": "tests/core/wire/test_values.py",
    "wire/encoder": "tests/core/wire/test_encoder.py",
    "wire/requests": "tests/core/wire/test_requests.py",
    "connection/connection": "tests/core/connection/test_connection.py tests/core/connection/test_state.py",
    "connection/pairing": "tests/core/connection/test_pairing.py",
    "connection/sending": "tests/core/connection/test_connection.py tests/core/connection/test_short_path.py",
    "connection/slot": "tests/core/connection/test_slot.py",
    "connection/state": "tests/core/connection/test_state.py",
    "connection/stateful": "tests/core/connection/test_connection.py tests/core/connection/test_state.py",
    "connection/subscriptions": "tests/core/connection/test_subscriptions.py",
    "connection/deadlines": "tests/core/connection/test_deadlines.py",
    "connection/timing": "tests/core/connection/test_deadlines.py",
    "connection/handshake": "tests/core/connection/test_handshake.py",
    "client/batch": "tests/core/client/test_batch.py",
    "client/call": "tests/core/client/test_call.py",
    "client/calls": "tests/core/client/test_client.py",
    "client/client": "tests/core/client/test_client.py",
    "client/crew": "tests/core/client/test_crew.py",
    "client/dials": "tests/core/client/test_client.py",
    "client/lanes": "tests/core/client/test_lanes.py",
    "client/leases": "tests/core/client/test_pool.py",
    "client/links": "tests/core/client/test_client.py",
    "client/pace": "tests/core/client/test_client.py",
    "client/places": "tests/core/client/test_pool.py",
    "client/pool": "tests/core/client/test_pool.py",
    "client/pushes": "tests/core/client/test_pushes.py",
    "client/repair": "tests/core/client/test_repair.py",
    "client/retry": "tests/core/client/test_retry.py",
    "client/timers": "tests/core/client/test_timers.py",
    "client/tls": "tests/core/client/test_tls.py",
}
OPTIONS: Final = "-x -q -p no:cacheprovider -p no:xdist -o addopts=--import-mode=importlib"
# Equivalent changes: annotations are not evaluated, so a `|` in them may be anything; enums are equal if they are the same; no test
# makes an abstract class.
LEFT_OUT: Final = ("%BinaryOperator_BitOr%", "%_Is_Eq", "%_IsNot_NotEq", "%_Eq_Is", "%_NotEq_IsNot", "%RemoveDecorator")


def commands(module: str) -> list[str]:
    """What to run for a module, the quickest first, up to the first failure. A change may loop for ever."""
    area = module.partition("/")[0]
    tests = [MODULES[module], PROOF if area == "wire" else CORE[area]]
    runs = [f"ulimit -t 80; python -m pytest {OPTIONS} {chosen}" for chosen in tests]
    return runs if area == "wire" else [f"ulimit -t 20; {SIMULATION}", *runs]


def script(commands: list[str]) -> str:
    """The same for a shell. A change may fill the memory."""
    lines = ["set -e", "ulimit -v 4000000", "export PYTHONPATH=.:adapters:tests", *[f"({one})" for one in commands], ""]
    return "\n".join(lines)


@cache
def passes(tree: Path, command: str) -> None:
    """Without a change nothing fails. Raises `CalledProcessError`."""
    (tree / "mutate.sh").write_text(script([command]))
    subprocess.run(["bash", "mutate.sh"], cwd=tree, check=True, stdout=subprocess.DEVNULL)


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
    for command in commands(module):
        passes(tree, command)
    (tree / "mutate.sh").write_text(script(commands(module)))
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
