"""Handle entries of a stream, say of each which it is, and hang in the third: `consume_and_hang.py URL`."""

from __future__ import annotations

import sys
import time

from resp_sync import Client

with Client(sys.argv[1], decode=True) as client, client.consume("s", group="g", consumer="gone") as entries:
    for number, entry in enumerate(entries, 1):
        with entry:
            print(entry.fields["n"], flush=True)
            if number == 3:
                time.sleep(60)
