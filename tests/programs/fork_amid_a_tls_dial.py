"""A process forks while resp_asyncio opens a connection by TLS: kind of loop. The child keeps nothing of it alive."""

import asyncio
import os
import signal
import socket
import sys
from contextlib import suppress

import uvloop

from resp_asyncio import connect
from resp_sansio import ConnectError


async def main() -> None:
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        url = f"rediss://127.0.0.1:{listener.getsockname()[1]}"
        dialling = asyncio.create_task(connect(url, connect_timeout=60.0)._open())
        served, _ = await loop.sock_accept(listener)
        await loop.sock_recv(served, 1)  # the handshake is under way
        child = os.fork()
        if child == 0:
            signal.pause()
        dialling.cancel()
        with suppress(asyncio.CancelledError, ConnectError):
            await dialling
        try:
            while await loop.sock_recv(served, 65536):
                pass
            print("the server sees the end")
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            served.close()


with asyncio.Runner(loop_factory=uvloop.new_event_loop if sys.argv[1] == "uvloop" else None) as runner:
    runner.run(asyncio.wait_for(main(), 20))
