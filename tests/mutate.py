"""Mutation check: small changes of the core's modules, each of which some test must notice. `nox -s mutate` runs it.

In a copy of the checkout, so that nothing of the work tree is touched. cosmic-ray makes the changes, of which a sample is drawn,
always the same one. Each is looked at in a fork of this process, which has imported all that is large, until something fails:
the nearest tests come first, which take seconds, then histories, then all tests of that part of the core.
"""

from __future__ import annotations

import asyncio
import compileall
import difflib
import os
import resource
import shlex
import shutil
import signal
import ssl
import sys
import time
from glob import glob
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import cosmic_ray.ast
import cosmic_ray.mutating
import cosmic_ray.plugins
import hypothesis.stateful
import pytest
import trio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["MODULES", "main"]

ROOT: Final = Path(__file__).parent.parent
IMPORTED: Final = (asyncio, hypothesis.stateful, ssl, trio)
"""What each fork has already."""
HISTORIES: Final = 300
OF_ADAPTERS: Final = 6
OF_CLUSTERS: Final = 100
OF_SENTINELS: Final = 40
PROOF: Final = "tests/core/wire/test_fastpath_proof.py -k 'agree or reference or paired'"
CORE: Final = {
    "client": "tests/core/client --ignore-glob=*/test_cluster*.py",
    "cluster": (
        "tests/core/client/test_cluster*.py tests/core/client/test_node.py tests/core/client/test_routing.py"
        " tests/core/client/test_across.py tests/core/client/test_splits.py tests/core/surface"
    ),
    "sentinels": (
        "tests/core/client/test_sentinel.py tests/core/client/test_replicated.py tests/core/client/test_client.py"
        " tests/simulation/test_sentinels.py"
    ),
    "connection": "tests/core/connection tests/core/test_stats.py",
    "wire": PROOF,
}
VALUES: Final = "tests/core/wire/test_grammar.py tests/core/wire/test_parser.py tests/core/wire/test_amplification.py"
MODULES: Final = {  # and the tests that are nearest to each, which fail first, if any does
    "wire/parser": "tests/core/wire/test_parser.py tests/core/wire/test_fastpath.py",
    "wire/frames": VALUES,
    "wire/grammar": VALUES,
    "wire/windows": VALUES,
    "wire/stream": VALUES,
    "wire/fastpath": "tests/core/wire/test_fastpath.py",
    "wire/strides": "tests/core/wire/test_fastpath.py",
    "wire/integers": "tests/core/wire/test_fastpath.py",
    "wire/scalars": "tests/core/wire/test_scalars.py tests/core/wire/test_grammar.py tests/core/wire/test_parser.py",
    "wire/limits": "tests/core/wire/test_requests.py tests/core/wire/test_grammar.py",
    "wire/narrowing": "tests/core/wire/test_narrowing.py",
    "wire/values": "tests/core/wire/test_values.py",
    "wire/encoder": "tests/core/wire/test_encoder.py",
    "wire/requests": "tests/core/wire/test_requests.py",
    "connection/connection": "tests/core/connection/test_connection.py tests/core/connection/test_state.py",
    "connection/pairing": "tests/core/connection/test_pairing.py",
    "connection/sending": "tests/core/connection/test_connection.py tests/core/connection/test_short_path.py",
    "connection/slot": "tests/core/connection/test_slot.py",
    "connection/state": "tests/core/connection/test_state.py",
    "connection/stateful": "tests/core/connection/test_slot.py tests/core/connection/test_connection.py",
    "connection/subscriptions": "tests/core/connection/test_subscriptions.py",
    "connection/deadlines": "tests/core/connection/test_deadlines.py",
    "connection/timing": "tests/core/connection/test_deadlines.py tests/core/connection/test_connection.py",
    "connection/handshake": "tests/core/connection/test_handshake.py",
    "client/across": "tests/core/client/test_across.py",
    "client/batch": "tests/core/client/test_batch.py",
    "client/cache": "tests/core/client/test_cache.py tests/core/client/test_cache_model.py",
    "client/call": "tests/core/client/test_call.py",
    "client/calls": "tests/core/client/test_client.py",
    "client/client": "tests/core/client/test_client.py",
    "client/cluster": "tests/core/client/test_cluster.py tests/core/client/test_cluster_face.py",
    "client/cluster_calls": "tests/core/client/test_cluster.py tests/core/client/test_cluster_reads.py",
    "client/cluster_map": "tests/core/client/test_cluster_map.py",
    "client/cluster_redirects": "tests/core/client/test_cluster_redirects.py tests/core/client/test_cluster_pauses.py",
    "client/cluster_scanning": "tests/core/client/test_cluster_scanning.py",
    "client/cluster_servers": "tests/core/client/test_cluster_servers.py",
    "client/cluster_subscriptions": "tests/core/client/test_cluster_subscriptions.py",
    "client/crew": "tests/core/client/test_crew.py",
    "client/dials": "tests/core/client/test_client.py",
    "client/feeds": "tests/core/client/test_subscriptions.py tests/core/client/test_listening.py",
    "client/forks": "tests/core/client/test_forks.py",
    "client/hash_slots": "tests/core/client/test_hash_slots.py",
    "client/lanes": "tests/core/client/test_lanes.py",
    "client/leases": "tests/core/client/test_pool.py",
    "client/links": "tests/core/client/test_client.py",
    "client/list_queues": "tests/core/client/test_list_queues.py",
    "client/listening": "tests/core/client/test_listening.py tests/core/client/test_subscriptions.py",
    "client/messages": "tests/core/client/test_subscriptions.py",
    "client/monitor": "tests/core/client/test_monitor.py",
    "client/news": "tests/core/client/test_sentinel.py",
    "client/node": "tests/core/client/test_node.py tests/core/client/test_cluster_told.py",
    "client/observed": "tests/core/client/test_observed.py tests/core/client/test_observed_clients.py",
    "client/observed_cluster": "tests/core/client/test_cluster_told.py",
    "client/observers": "tests/core/client/test_observed.py tests/core/client/test_observed_clients.py",
    "client/outage": "tests/core/client/test_outage.py tests/core/client/test_cluster_pauses.py",
    "client/pace": "tests/core/client/test_client.py",
    "client/places": "tests/core/client/test_pool.py",
    "client/pool": "tests/core/client/test_pool.py",
    "client/posts": "tests/core/client/test_crew.py",
    "client/pushes": "tests/core/client/test_pushes.py",
    "client/queues": "tests/core/client/test_list_queues.py tests/core/client/test_stream_queues.py",
    "client/refresher": "tests/core/client/test_refresher.py",
    "client/repair": "tests/core/client/test_repair.py",
    "client/replicated": "tests/core/client/test_replicated.py",
    "client/retry": "tests/core/client/test_retry.py",
    "client/routing": "tests/core/client/test_routing.py",
    "client/scanning": "tests/core/client/test_scanning.py",
    "client/scripts": "tests/core/client/test_scripts.py",
    "client/sentinel": "tests/core/client/test_sentinel.py",
    "client/shards": "tests/core/client/test_cluster_subscriptions.py",
    "client/sockets": "tests/core/client/test_client.py tests/core/client/test_cache.py",
    "client/splits": "tests/core/client/test_splits.py tests/core/client/test_across.py",
    "client/steps": "tests/core/client/test_steps.py",
    "client/stream_queues": "tests/core/client/test_stream_queues.py",
    "client/submitting": "tests/core/client/test_client.py",
    "client/subscriber": "tests/core/client/test_subscriptions.py tests/core/client/test_cluster_subscriptions.py",
    "client/subscriptions": "tests/core/client/test_subscriptions.py tests/core/client/test_listening.py",
    "client/timers": "tests/core/client/test_timers.py",
    "client/tls": "tests/core/client/test_tls.py",
    "client/values": "tests/core/client/test_values.py tests/core/client/test_values_model.py tests/core/surface/test_values.py",
    "client/watching": "tests/core/client/test_watching.py",
}

CLUSTER: Final = (
    *("across", "cluster", "cluster_calls", "cluster_map", "cluster_redirects", "cluster_scanning", "cluster_servers"),
    *(
        "cluster_subscriptions",
        "node",
        "observed_cluster",
        "outage",
        "refresher",
        "routing",
        "shards",
        "splits",
        "watching",
    ),
)
SENTINELS: Final = ("news", "replicated", "sentinel")

OPTIONS: Final = (
    "-x -q -p no:cacheprovider -p no:xdist -o addopts=--import-mode=importlib --hypothesis-profile=glance"
    " -W ignore::pytest.PytestAssertRewriteWarning"
)
# Equivalent changes: annotations are not evaluated, so a `|` in them may be anything; enums are equal if they are the same; no test
# makes an abstract class.
LEFT_OUT: Final = ("BinaryOperator_BitOr", "_Is_Eq", "_IsNot_NotEq", "_Eq_Is", "_NotEq_IsNot", "RemoveDecorator")


class Change(NamedTuple):
    """One of the places at which cosmic-ray changes a module, and how."""

    place: tuple[int, int]
    operator: str
    occurrence: int

    def of(self, source: str) -> str:
        """Return the module with this change."""
        changed: str = cosmic_ray.mutating.mutate_code(source, _operator(self.operator), self.occurrence)
        return changed


def _operator(name: str) -> Any:
    return cosmic_ray.plugins.get_operator(name)()


def changes(source: str) -> Iterator[Change]:
    """All that cosmic-ray would change, but for what is left out."""
    nodes = list(cosmic_ray.ast.ast_nodes(cosmic_ray.ast.get_ast(source)))
    for name in cosmic_ray.plugins.operator_names():
        if any(part in name for part in LEFT_OUT) or name in ("core/VariableReplacer", "core/VariableInserter"):
            continue
        places = [place for node in nodes for place, _ in _operator(name).mutation_positions(node)]
        for occurrence, place in enumerate(places):
            yield Change(place, name, occurrence)


def area_of(module: str) -> str:
    """Which of the tests and histories look for a change of this module."""
    folder, _, name = module.partition("/")
    return "cluster" if name in CLUSTER else "sentinels" if name in SENTINELS else folder


def look(module: str) -> bool:
    """Does anything fail? For a process of its own, as everything is imported anew. A change may loop for ever."""
    area = area_of(module)
    return look_nearby(module) or fails_in_histories(area) or fails_in(CORE[area])


def fails_in_histories(area: str) -> bool:
    """Does a history of what this part of the core is for?"""
    if area == "wire":
        return False
    allow(30)
    if area == "sentinels":
        from simulation.sentinels import live

        for seed in range(OF_SENTINELS):
            live(seed)  # raises
        return False
    from simulation.adapters.lives import ADAPTERS
    from simulation.adapters.lives import failure as adapter_failure
    from simulation.cluster.lives import failure as cluster_failure
    from simulation.cluster.script import draw as draw_cluster
    from simulation.script import draw
    from simulation.shrink import failure

    if area == "cluster":
        return any(cluster_failure(draw_cluster(seed)) is not None for seed in range(OF_CLUSTERS))
    if any(failure(draw(seed)) is not None for seed in range(HISTORIES)):
        return True
    allow(30)
    return any(adapter_failure(name, draw(seed)) is not None for name in ADAPTERS for seed in range(OF_ADAPTERS))


def look_nearby(module: str) -> bool:
    """Does any of the nearest tests fail?"""
    return fails_in(MODULES[module], 120)


def fails_in(tests: str, seconds: int = 300) -> bool:
    """Does one of these tests?"""
    allow(seconds)
    words = [
        name for word in shlex.split(tests) for name in (sorted(glob(word)) if word.startswith("tests/") else [word])
    ]
    return bool(pytest.main([*OPTIONS.split(), *words]))


def allow(seconds: int) -> None:
    """This process may work for so long from now on."""
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + seconds, 1200))


def fails(tree: Path, look: Callable[[str], bool], module: str, *, changed: bool) -> bool:
    """Does anything fail in this tree? A change may wait for ever, or fill the memory."""
    child = os.fork()
    if child:
        return bool(os.waitpid(child, 0)[1])
    try:
        os.chdir(tree)
        sys.path[:0] = [str(tree / name) for name in ("", "adapters", "tests")]
        sys.dont_write_bytecode = changed
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
        signal.alarm(1800)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        os._exit(look(module))
    finally:
        os._exit(1)


def check(tree: Path, module: str, number: int, look_first: Callable[[str], bool]) -> tuple[int, int]:
    """Try so many changes of a module; return how many there were, and how many were noticed. Says what the others are.

    `look_first`: what must find nothing without a change.
    """
    path = tree / "resp_sansio" / f"{module}.py"
    source = path.read_text()
    assert not fails(tree, look_first, module, changed=False), f"{module}: something fails without a change"
    every = sorted(changes(source))
    chosen = sorted(Random(1).sample(every, min(number, len(every))))
    noticed = 0
    try:
        for change in chosen:
            changed = change.of(source)
            path.write_text(changed)
            if fails(tree, look, module, changed=True):
                noticed += 1
            else:
                lines = difflib.unified_diff(
                    source.splitlines(), changed.splitlines(), module, module, lineterm="", n=1
                )
                print(change.operator, *lines, sep="\n", flush=True)
    finally:
        path.write_text(source)
    return len(chosen), noticed


def main() -> None:
    """`FOLDER NUMBER [MODULE ...]`: so many changes of each of these modules, in a copy there."""
    tree, number = Path(sys.argv[1]).resolve(), int(sys.argv[2])
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".git", ".nox", "__pycache__", ".*_cache"))
    compileall.compile_dir(tree, quiet=1)
    areas: set[str] = set()
    for module in sys.argv[3:] or MODULES:
        tried, noticed = check(tree, module, number, look_nearby if area_of(module) in areas else look)
        areas.add(area_of(module))
        print(f"{module}: {noticed} of {tried} changes were noticed", flush=True)


if __name__ == "__main__":
    main()
