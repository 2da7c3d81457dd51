"""Print how often each branch was taken and how far apart: python -m tests.oracle [CASES]."""

import sys

from tests.oracle.comparing import compare, table

print(table(compare(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)))
