"""What tests of adapters may ask for besides servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.loops import open_sockets
from adapters.peers import eventually, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from servers import Server


@pytest.fixture
def nothing_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """After the test there are no more sockets than before, and shared servers have no connection but the one that asks."""
    asked = request.getfixturevalue("server") if "server" in request.fixturenames else None
    servers: list[Server] = [] if asked is None else getattr(asked, "nodes", [asked])
    before = open_sockets()
    yield
    eventually(lambda: open_sockets() <= before)
    eventually(lambda: all(len([one for one in listed(server) if one["flags"] != "S"]) == 1 for server in servers))
