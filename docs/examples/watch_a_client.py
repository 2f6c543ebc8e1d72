"""A client that is watched while the program uses it; `python watch_a_client.py redis://localhost`."""

import sys

from resp_cli import Watcher, watch
from resp_sync import Client


def main(url: str) -> None:
    watcher = Watcher()
    with Client(url, observers=[watcher]) as client, watch(client, watcher):
        for number in range(2000):
            client.set(f"key:{number}", number)
            client.get(f"key:{number}")
            with client.pipeline() as pipe:
                pipe.incr("count")
                pipe.expire("count", 60)


if __name__ == "__main__":
    main(sys.argv[1])
