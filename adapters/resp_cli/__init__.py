"""The terminal's part: the command `resp-sansio`, which is also `python -m resp_cli`.

It stands on the public names of the adapters alone. The extra `cli` brings what it draws with, `plot` what its charts need.
"""

from ._main import main

__all__ = ["main"]
