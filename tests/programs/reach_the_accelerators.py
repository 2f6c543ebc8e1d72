"""Run every generator of streams, and report which lines and branches of the accelerators were reached: FOLDER OF THE CORE, REPORT.

A process of its own: coverage must be there before what it looks at is imported, and may be there already.
"""

import sys

from coverage import Coverage

core, where = sys.argv[1:]
wire = ("fastpath", "frames", "grammar", "integers", "parser", "requests", "stream", "strides", "windows")
names = ("connection/pairing", *[f"wire/{name}" for name in wire])
coverage = Coverage(data_file=None, branch=True, config_file=False, include=[f"{core}/{name}.py" for name in names])
coverage.start()

from itertools import islice
from random import Random

from differential import check, check_pairing, check_requests, check_skips
from streams import GENERATORS, draw, requests

for name in GENERATORS:
    rng = Random(name)
    for stream in draw(name, rng, 10):
        check(stream, rng, 2)
rng = Random("skips")
for stream in draw("replies_that_come_one_by_one", rng, 100):
    check_skips(stream, rng)
rng = Random("requests")
for data in islice(requests(rng), 250):
    check_requests(data, rng, 1)
for _ in range(100):
    check_pairing(rng)
coverage.stop()
coverage.json_report(outfile=where)
