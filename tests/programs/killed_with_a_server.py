"""A process starts a server, says where, and is killed."""

import os
import signal

from servers import Server

server = Server()
print(server.port, server.folder, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
