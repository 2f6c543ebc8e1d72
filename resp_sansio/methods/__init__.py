"""The commands as methods, to be had by inheriting: for what returns results, for what is awaited, for what collects.

Each class needs one method, `_do(words, read)`: how a command is executed, and its reply read, where the class is inherited. What
`read` makes of data is said by a `Text`: `RAW` leaves it bytes, `decoded("utf-8")` makes text of it.
All else in this folder is written by `tests/generate_methods.py` from the builders of `resp_sansio.commands`.
"""

from ..commands.command import Reader
from ..commands.decoding import RAW, S, Text, decoded
from ..commands.words import Words
from .batch import BatchMethods
from .sync import SyncMethods
from .tasks import AsyncMethods

__all__ = ["RAW", "AsyncMethods", "BatchMethods", "Reader", "S", "SyncMethods", "Text", "Words", "decoded"]
