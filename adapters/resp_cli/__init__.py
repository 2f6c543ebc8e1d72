"""The terminal's part: the command `resp-sansio`, which is also `python -m resp_cli`; and `watch`, for clients in this process.

It stands on the public names of the adapters alone. The extra `cli` brings what it draws with, `plot` what its charts need.
"""

from ._inside import Watchable, watch
from ._inside.watcher import Watcher
from ._main import main

__all__ = ["Watchable", "Watcher", "main", "watch"]
