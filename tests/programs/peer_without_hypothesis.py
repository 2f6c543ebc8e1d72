"""The scripted server of `resp_sansio.testing`, as if hypothesis were not installed."""

import sys

sys.modules["hypothesis"] = None  # type: ignore[assignment]

from resp_sansio.testing import Peer

assert Peer().receive(b"*1\r\n$4\r\nPING\r\n") == [b"+PONG\r\n"]
try:
    from resp_sansio.testing import replies
except ModuleNotFoundError as missing:
    print(missing)
else:
    print(replies)
