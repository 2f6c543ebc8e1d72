"""Live through histories of all kinds of clients, and report what of the core they reached: FOLDER OF THE CORE, REPORT.

A process of its own: coverage must be there before what it looks at is imported, and may be there already.
"""

import sys

from coverage import Coverage

core, where = sys.argv[1:]
names = ("client/client", "client/cluster_calls", "client/pool", "client/sockets", "connection/sending")
coverage = Coverage(data_file=None, branch=True, config_file=False, include=[f"{core}/{name}.py" for name in names])
coverage.start()

from random import Random

from core.client.twins import KINDS, live

for kind in KINDS:
    for seed in range(20):
        live(kind, Random(f"{kind}, {seed}"))
coverage.stop()
coverage.json_report(outfile=where)
