"""`python -m simulator` is `acosim`."""

import signal
import sys
from pathlib import Path

if Path(sys.argv[0]).stem in ("acosim", "__main__"):
    # Until the command line is imported and says more, Ctrl-C ends us without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from simulator.cli.main import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
