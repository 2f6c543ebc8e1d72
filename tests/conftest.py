"""What every test may ask for, and what a run must say of the tests that it left out.

A test that talks to a server takes one of these fixtures:

- `server`: one for the whole run, emptied before each such test;
- `address`: the same one by URL; the test is run over TCP, over the unix socket and over TLS;
- `start_server`: servers of the test's own, to configure, pause, kill.

What it needs beyond a plain old Redis it states:

    @pytest.mark.needs("tls", "FUNCTION")

and where the server found does not offer that, it is not run and is listed, with the reason, at the end of the run. With
`--require-all`, or where CI is set to `true`, a list that is not empty is a failure; skipped tests count as not run.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, settings

from servers import Server, ServerNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytest_plugins = ["pytester"]

# No deadline: nothing timed is asserted, and a shared machine may stop for a second. For CI the same examples each time, so
# that a red run is about the change; everywhere else new ones, so that the property is searched.
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("search"), derandomize=True, database=None, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "search")

NEEDS = "needs(*what): what the test needs of the server: 'tls', or names of commands in capitals ('CLIENT SETINFO')"
the_server = pytest.StashKey[Server]()
not_run = pytest.StashKey[list[tuple[str, str]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--require-all", action="store_true", help="fail if a test could not be run (implied by CI=true)")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", NEEDS)
    config.stash[not_run] = []


def pytest_unconfigure(config: pytest.Config) -> None:
    if the_server in config.stash:
        config.stash[the_server].close()


def shared_server(config: pytest.Config) -> Server:
    """The run's one server, started when first asked for, with all that its build can do."""
    if the_server not in config.stash:
        plain = Server()
        if plain.has("tls"):
            plain.close()
            plain = Server(tls=True)
        config.stash[the_server] = plain
    return config.stash[the_server]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take out the tests whose needs are not met. Without any server there is nothing to choose from: say so, once."""
    if not any({"server", "start_server"} & set(getattr(item, "fixturenames", ())) for item in items):
        return
    try:
        server = shared_server(config)
    except ServerNotFoundError as error:
        raise pytest.UsageError(str(error)) from None
    kept: list[pytest.Item] = []
    dropped: list[pytest.Item] = []
    for item in items:
        needs = [need for mark in item.iter_markers("needs") for need in mark.args]
        missing = [need for need in needs if not server.has(need)]
        if missing:
            version = ".".join(map(str, server.version))
            reason = f"needs {', '.join(missing)}; {server.product} {version} at {server.executable} has not"
            config.stash[not_run].append((item.nodeid, reason))
        (dropped if missing else kept).append(item)
    config.hook.pytest_deselected(items=dropped)
    items[:] = kept


def left_out(config: pytest.Config) -> list[tuple[str, str]]:
    """Every test that was not run, with the reason: needs that were not met, and whatever skipped itself."""
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    return config.stash[not_run] + [(report.nodeid, str(report.longrepr)) for report in skipped]


def pytest_sessionfinish(session: pytest.Session) -> None:
    required = session.config.getoption("--require-all") or os.environ.get("CI") == "true"
    if required and left_out(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for test, reason in left_out(config):
        terminalreporter.write_line(f"not run: {test}: {reason}")


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
