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
    """After the test there are no more sockets than before, and the shared server has no connection but the one that asks."""
    before = open_sockets()
    yield
    eventually(lambda: open_sockets() <= before)
    if "server" in request.fixturenames:
        server: Server = request.getfixturevalue("server")
        eventually(lambda: len(listed(server)) == 1)
