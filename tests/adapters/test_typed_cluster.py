"""Builders of commands on a cluster and for a Sentinel, on servers that are some."""

from __future__ import annotations

import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

import pytest

from adapters.typed import cluster as on_clusters
from adapters.typed import sentinel as on_sentinels
from adapters.typed.families import check
from resp_sansio import ConnectError
from resp_sync import connect
from servers import Cluster, Server, find_server, short_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from resp_sync import Connection

pytestmark = pytest.mark.needs("Redis 7.0")
PROTOCOLS = pytest.mark.parametrize("protocol", [2, 3], ids=["RESP2", "RESP3"])


def named(names: list[tuple[str, tuple[str, ...]]]) -> pytest.MarkDecorator:
    """The families by their places, each with what it needs."""
    places = [
        pytest.param(place, id=name, marks=pytest.mark.needs(*needs)) for place, (name, needs) in enumerate(names)
    ]
    return pytest.mark.parametrize("place", places)


def connected(url: str, protocol: Literal[2, 3]) -> Connection:
    """A connection, as soon as there is a server."""
    give_up = time.monotonic() + 30
    while True:
        try:
            return connect(url, protocol=protocol)
        except ConnectError:
            assert time.monotonic() < give_up
            time.sleep(0.02)


@pytest.fixture(scope="module")
def two_nodes() -> Iterator[Cluster]:
    with Cluster() as cluster:
        yield cluster


@pytest.mark.usefixtures("server")
@PROTOCOLS
@named(on_clusters.NAMES)
def test_a_node_of_a_cluster(two_nodes: Cluster, protocol: Literal[2, 3], place: int) -> None:
    mine, other = two_nodes.nodes
    with connect(mine.url, protocol=protocol) as connection, connect(other.url) as elsewhere:
        family = on_clusters.families(connection.cluster_myid(), elsewhere.cluster_myid(), mine.port)[place]
        # Until they have met, they have other names for each other, and know no address of their own.
        until(lambda: all(node.host and "handshake" not in node.flags for node in connection.cluster_nodes()))
        if family is on_clusters.SCANNED:
            until(lambda: connection.cluster_info()["cluster_state"] == "ok")
        check(connection, family)


@PROTOCOLS
def test_a_node_that_knows_no_other(start_server: Callable[..., Server], protocol: Literal[2, 3]) -> None:
    with connect(start_server("--cluster-enabled", "yes").url, protocol=protocol) as connection:
        check(connection, on_clusters.NEW)


def until(holds: Callable[[], bool]) -> None:
    """Wait until it holds."""
    give_up = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.02)


@pytest.fixture(scope="module")
def watched() -> Iterator[tuple[str, int]]:
    """A Sentinel, by its URL, and the port of the master that it watches."""
    folder = short_folder()
    socket, settings = folder / "sentinel.sock", folder / "sentinel.conf"
    with Server() as master:
        settings.write_text(f"port 0\nunixsocket {socket}\nsentinel monitor main 127.0.0.1 {master.port} 1\n")
        command = [str(find_server().absolute()), str(settings), "--sentinel"]
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
        try:
            yield f"unix://{quote(str(socket))}", master.port
        finally:
            process.kill()
            process.wait()
            shutil.rmtree(folder)


@pytest.mark.usefixtures("server")
@PROTOCOLS
@named(on_sentinels.NAMES)
def test_a_sentinel(watched: tuple[str, int], protocol: Literal[2, 3], place: int) -> None:
    url, port = watched
    with connected(url, protocol) as connection:
        # Until it has asked the master once, it takes it for one that can't be reached.
        until(lambda: connection.sentinel_master("main")["flags"] == {"master"})
        check(connection, on_sentinels.families(port)[place])
