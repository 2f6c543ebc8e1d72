"""The contract once more, over a cluster.

A test that is marked so has one server as its `server`, and then a healthy cluster:

    @pytest.mark.over_a_cluster
    @contract
    async def test_each_gets_values_of_its_own(backend: Backend, server: Server) -> None: ...

Not marked are those that are about one server: its connections, its CLIENT LIST, a network in front of it that fails; and those of
messages, which servers of a cluster pass on to each other, so that one may come after the next test has begun. Of a test that is
about connections and pools too, the client's part is run. What only a cluster does is in test_cluster*.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from adapters.masters import Masters

if TYPE_CHECKING:
    from clusters import Cluster
    from servers import Server

ONE: Final = "server"
ALL: Final = "masters"
OF_ONE_SERVER: Final = frozenset({"connect", "pool"})


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.definition.get_closest_marker("over_a_cluster") is not None:
        both = [ONE, pytest.param(ALL, marks=pytest.mark.needs("Redis 7.0"))]
        metafunc.parametrize("server", both, indirect=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = [item for item in items if not is_of_one_server(item)]


def is_of_one_server(item: pytest.Item) -> bool:
    """Would it open a connection, or a pool, to a cluster?"""
    given = getattr(item, "callspec", None)
    return given is not None and given.params.get("server") == ALL and not OF_ONE_SERVER.isdisjoint(names_in(given))


def names_in(given: Any) -> set[str]:
    return {value for value in given.params.values() if isinstance(value, str)}


@pytest.fixture
def server(request: pytest.FixtureRequest, server: Server) -> Server | Masters:
    """One server for the whole run, or one cluster."""
    if getattr(request, "param", ONE) == ONE:
        return server
    cluster: Cluster = request.getfixturevalue("cluster")
    cluster.flush()
    return Masters(cluster)
