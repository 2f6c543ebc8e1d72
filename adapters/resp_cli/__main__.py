"""`python -m resp_cli` is the command `resp-sansio`."""

import sys

from ._main import main

if __name__ == "__main__":
    sys.exit(main())
