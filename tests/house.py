"""The core as a house: the order of its modules, what each imports, and the picture of it that the docs show."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Final

import resp_sansio

if TYPE_CHECKING:
    from collections.abc import Iterator

CORE: Final = Path(resp_sansio.__file__).parent

# A folder imports only folders above it, a module only modules above it; a folder's face stands behind its modules. The parser
# runs the accelerators, which know nothing of it: so they come first.
ORDER: Final = """
_record _stats _errors _facts _log
wire.values wire.narrowing wire.scalars wire.encoder wire.limits wire.fastpath wire.integers wire.strides wire.frames wire.grammar
wire.windows wire.stream wire.parser wire.requests wire
commands.table commands.words commands.command_keys commands.knowledge commands.cluster_policy commands.caching commands.decoding
commands.command commands.arguments
commands.readers
commands.readers_strings
commands.readers_sorted_sets
commands.readers_collections
commands.readers_own commands.readers_streams
commands.strings commands.bitmaps commands.hyperloglog
commands.generic commands.hashes commands.lists commands.sets commands.sorted_sets
commands.streams
commands.arguments_server commands.readers_functions commands.readers_pubsub
commands.readers_connection commands.readers_server commands.readers_diagnostics commands.readers_introspection
commands.readers_acl commands.readers_cluster commands.readers_sentinel
commands.readers_arrays commands.arrays
commands.scripting commands.functions commands.pubsub commands.connection commands.server commands.diagnostics
commands.introspection commands.acl commands.cluster commands.sentinel
commands.arguments_geo commands.readers_geo commands.geo
commands.arguments_json commands.readers_json commands.json
commands.arguments_search commands.arguments_queries commands.readers_index commands.readers_search
commands.search commands.search_queries
commands.arguments_modules commands.readers_vector_sets commands.vector_sets
commands.arguments_time_series commands.readers_time_series commands.time_series
commands.readers_sketches commands.bloom commands.cuckoo commands.count_min commands.top_k commands.t_digest
commands
config.options config.url config.cache config.credentials config.config config.retry config.settings
config.addresses config.tls config
connection.deadlines connection.state connection.handshake connection.subscriptions connection.slot connection.stateful
connection.events connection.pairing connection.sending connection.timing connection.connection connection
client.cache client.call client.batch client.scripts client.retry client.queues client.stream_queues client.list_queues
client.hash_slots client.routing client.across client.values
client.pace client.timers client.leases client.places client.pool client.lanes
client.pushes client.messages client.subscriber client.feeds client.subscriptions client.shards client.monitor
client.forks client.tls client.sentinel
client.cluster_map client.refresher client.watching client.outage
client.links client.scanning client.cluster_scanning client.observers client.submitting client.calls
client.posts client.crew client.dials client.news client.listening client.repair client.sockets client.client client.steps
client.observed
client.splits client.node client.cluster_servers client.cluster_calls client.cluster_redirects
client.cluster_subscriptions client.cluster client.replicated
client.observed_cluster client.observed_replicated client
methods._words methods.batch methods.sync methods.tasks methods
surface.machines surface.base surface.batches surface.messages surface.nodes surface.polls surface.driver
surface.tasks_driver surface.tasks_cache surface.tasks_messages
surface.tasks_monitor surface.tasks_queues surface.tasks_scan surface.tasks_values surface.tasks_commands
surface.threads_driver surface.threads_cache surface.threads_messages
surface.threads_monitor surface.threads_queues surface.threads_scan surface.threads_values surface.threads_commands
surface.tasks surface.threads surface
resp_sansio
""".split()

# From the ground up, as the picture names them.
FOLDERS: Final = {
    "ground": "records, errors, statistics, facts for observers",
    "wire": "bytes to values and back",
    "commands": "what is known of commands, and typed commands",
    "config": "options, URLs, addresses, TLS",
    "connection": "one connection: slots, pairing, handshake, deadlines",
    "client": "the whole client: lanes, leases, dials, attempts",
    "methods": "typed commands as methods of what executes",
    "surface": "what callers hold: clients, pools, connections, pipelines",
    "resp_sansio": "names for users",
}


def imports(tree: ast.Module) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every import, wherever it stands, as (module with its leading dots, names taken from it)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or ""), tuple(alias.name for alias in node.names)


def core_modules() -> dict[str, Path]:
    """The core's modules by their dotted names; `testing` is outside the walls."""
    found = [path.relative_to(CORE) for path in sorted(CORE.rglob("*.py")) if path.parent != CORE / "testing"]
    return {dotted(path): CORE / path for path in found}


def dotted(path: Path) -> str:
    """The name of a module within the core; a folder's face has the folder's name, and the core's own is `resp_sansio`."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts) or "resp_sansio"


def taken_by(name: str, path: Path) -> Iterator[str]:
    """The modules of the core that a module imports, by their dotted names; those of its packages where it takes a name."""
    package = [] if name == "resp_sansio" else name.split(".")
    for module, names in imports(ast.parse(path.read_text(encoding="utf-8"))):
        if module.startswith("."):
            dots = len(module) - len(module.lstrip("."))
            up = dots - 1 if path.name == "__init__.py" else dots
            base = [*package[: len(package) - up], *filter(None, module.lstrip(".").split("."))]
            yield from [".".join(base)] if module.strip(".") else [".".join([*base, taken]) for taken in names]


def folder_of(name: str) -> str:
    """The folder of a module; the modules that are in none are the ground."""
    return "ground" if name.startswith("_") else name.partition(".")[0]


def picture() -> str:
    """The folders from the top down, and which imports which: only the arrows that others do not imply."""
    above: dict[str, set[str]] = {folder: set() for folder in FOLDERS}
    for name, path in core_modules().items():
        above[folder_of(name)] |= {folder_of(taken) for taken in taken_by(name, path)} - {folder_of(name)}
    lines = [f'    {folder}["{folder}: {text}"]' for folder, text in reversed(FOLDERS.items())]
    for folder, below in reversed(above.items()):
        implied = {deeper for one in below for deeper in reached(one, above)}
        lines += [f"    {folder} --> {one}" for one in FOLDERS if one in below - implied]
    return "\n".join(["```mermaid", "flowchart TB", *lines, "```"])


def reached(folder: str, above: dict[str, set[str]]) -> set[str]:
    """All folders that a folder imports, directly or not."""
    return above[folder] | {deeper for one in above[folder] for deeper in reached(one, above)}
