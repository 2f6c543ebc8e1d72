"""What every test may ask for, and what a run must say of the tests that it left out.

A test that talks to a server takes one of these fixtures:

- `server`: one for the whole run, emptied before each such test;
- `address`: the same one by URL; the test is run over TCP, over the unix socket and over TLS;
- `start_server`: servers of the test's own, to configure, pause, kill;
- `cluster`: one Redis Cluster for the whole run, emptied before each such test, whose slots and masters stay where they are;
- `start_cluster`: clusters of the test's own, to do anything to.

What it needs beyond a plain old Redis it states:

    @pytest.mark.needs("tls", "FUNCTION")
    @pytest.mark.needs("Redis 8.4 or Valkey 8.1")

and where the server found does not offer that, it is not run: the end of the run says how many were not, and why. With
`--require-all`, or where CI is set to `true`, that is a failure; skipped tests count as not run. A caller who runs the suite
on several servers gives each run `--unmet=FOLDER`: tests whose needs this server does not meet are written there instead, and
the caller sees to it that each is run on one of the servers.

With `RESP_LONG_PATH` in the environment no connection takes the short path of one that is at rest.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, Phase, settings

from clusters import Cluster
from resp_sansio.connection import sending
from servers import Server, ServerError, find_server, offers_tls, short_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytest_plugins = ["pytester"]

# No deadline: nothing timed is asserted, and a shared machine may stop for a second. For CI the same examples each time, so
# that a red run is about the change; everywhere else new ones, so that the property is searched.
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("search"), derandomize=True, database=None, print_blob=True)
# For those who only ask whether something fails: what does is not made smaller.
settings.register_profile("glance", parent=settings.get_profile("ci"), phases=(Phase.explicit, Phase.generate))
sending.SHORT_PATH = not os.environ.get("RESP_LONG_PATH")
settings.load_profile("ci" if os.environ.get("CI") == "true" else "search")

NEEDS = (
    "needs(*what): what the test needs of the server: 'tls', names of commands in capitals ('CLIENT SETINFO'), "
    "or a version ('Redis 8.4 or Valkey 8.1')"
)
CLUSTERED = frozenset({"cluster", "start_cluster"})
NEED_OF_CLUSTERS = "Redis 7.0"
the_server = pytest.StashKey[Server]()
the_cluster = pytest.StashKey[Cluster]()
no_server = pytest.StashKey[str]()
unmet = pytest.StashKey[list[tuple[str, str]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--require-all", action="store_true", help="fail if a test could not be run (implied by CI=true)")
    parser.addoption("--unmet", metavar="FOLDER", help="write there which tests need what the server does not offer")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", NEEDS)
    config.addinivalue_line("markers", "over_a_cluster: its server is one server, and then a cluster; of the contract")
    config.addinivalue_line(
        "markers", "exam: are planted faults found? It says nothing of the library: one Python is enough"
    )
    config.stash[no_server] = ""
    config.stash[unmet] = []


def pytest_unconfigure(config: pytest.Config) -> None:
    if the_server in config.stash:
        config.stash[the_server].close()
    if the_cluster in config.stash:
        config.stash[the_cluster].close()


def shared_server(config: pytest.Config) -> Server:
    """The run's one server, started when first asked for, with all that its build can do."""
    if the_server not in config.stash:
        config.stash[the_server] = Server(tls=offers_tls(find_server()))
    return config.stash[the_server]


def shared_cluster(config: pytest.Config) -> Cluster:
    """The run's one cluster, started when first asked for."""
    if the_cluster not in config.stash:
        config.stash[the_cluster] = Cluster(listed=True, node_timeout=15_000)  # no master is to be deposed
    return config.stash[the_cluster]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take out the tests whose needs are not met. Without any server there is nothing to choose from: run nothing."""
    if not any({"server", "start_server", *CLUSTERED} & set(getattr(item, "fixturenames", ())) for item in items):
        return
    try:
        server = shared_server(config)
    except ServerError as error:
        config.stash[no_server] = str(error)
        items.clear()
        return
    version = ".".join(map(str, server.version))
    kept: list[pytest.Item] = []
    dropped: list[pytest.Item] = []
    for item in items:
        needs = [need for mark in item.iter_markers("needs") for need in mark.args]
        needs += [NEED_OF_CLUSTERS] if CLUSTERED & set(getattr(item, "fixturenames", ())) else []
        missing = [need for need in needs if not server.has(need)]
        if missing:
            reason = f"needs {', '.join(missing)}; {server.product} {version} at {server.executable} has not"
            config.stash[unmet].append((item.nodeid, reason))
        (dropped if missing else kept).append(item)
    config.hook.pytest_deselected(items=dropped)
    items[:] = kept
    if folder := config.getoption("--unmet"):
        # One file for each server, whichever Python and worker asks it: the same tests in the same order.
        report = Path(folder) / f"{server.product}-{version}.unmet"
        report.parent.mkdir(parents=True, exist_ok=True)
        with report.open("a", encoding="utf-8") as lines:
            lines.writelines(f"{test}\n" for test, _ in config.stash[unmet])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker of pytest-xdist found out; all of them collect the same tests."""
    if output := getattr(node, "workeroutput", None):
        node.config.stash[no_server], found = output["servers"]
        node.config.stash[unmet] = [tuple(one) for one in found]


def pytest_sessionfinish(session: pytest.Session) -> None:
    config: Any = session.config
    if hasattr(config, "workeroutput"):
        config.workeroutput["servers"] = config.stash[no_server], config.stash[unmet]
        return
    required = config.getoption("--require-all") or os.environ.get("CI") == "true"
    missed = skipped(config) + ([] if config.getoption("--unmet") else config.stash[unmet])
    if config.stash[no_server]:
        session.exitstatus = pytest.ExitCode.USAGE_ERROR
    elif required and missed and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def skipped(config: pytest.Config) -> list[tuple[str, str]]:
    """Every test that skipped itself, with its reason."""
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    reports = reporter.stats.get("skipped", []) if reporter else []
    return [(report.nodeid, str(report.longrepr[2])) for report in reports]


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    reasons = Counter(reason for _, reason in config.stash[unmet] + skipped(config))
    for reason, count in reasons.items():
        terminalreporter.write_line(f"not run: {count} {'test' if count == 1 else 'tests'}: {reason}")
    if message := config.stash[no_server]:
        terminalreporter.write_line(message)


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Server:
    """One server for the whole run: TCP, a unix socket, TLS if its build can. Not to be paused, killed or reconfigured."""
    return shared_server(request.config)


@pytest.fixture(params=["tcp", "unix", pytest.param("tls", marks=pytest.mark.needs("tls"))])
def address(request: pytest.FixtureRequest, server: Server) -> str:
    """A URL that the shared server is reached at: the test runs over TCP, over the unix socket and over TLS."""
    if request.param == "tls":
        assert server.certificates
        return f"{server.tls_url}?tls_ca_file={quote(str(server.certificates.ca))}"
    return server.url if request.param == "tcp" else server.unix_url


@pytest.fixture(autouse=True)
def _clean_server(request: pytest.FixtureRequest) -> None:
    if "server" in request.fixturenames:
        shared_server(request.config).call("FLUSHALL")
    if "cluster" in request.fixturenames:
        shared_cluster(request.config).flush()


@pytest.fixture
def start_server() -> Iterator[Callable[..., Server]]:
    """Start servers of the test's own: `start_server("--maxclients", "5", tls=True)`. They end with the test."""
    started: list[Server] = []

    def start(*arguments: str, **options: Any) -> Server:
        started.append(Server(*arguments, **options))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """One healthy cluster for the whole run: three masters, a replica of each. Its nodes and slots are to be left alone."""
    return shared_cluster(request.config)


@pytest.fixture
def start_cluster() -> Iterator[Callable[..., Cluster]]:
    """Start clusters of the test's own: `start_cluster(replicas=0, password="secret")`. They end with the test."""
    started: list[Cluster] = []

    def start(*sizes: int, **options: Any) -> Cluster:
        started.append(Cluster(*sizes, **options))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def socket_folder() -> Iterator[Path]:
    """An empty folder in which a unix socket has room, however long the path of pytest's own is."""
    folder = short_folder()
    yield folder
    shutil.rmtree(folder)
