"""The memory that a run takes does not grow with its trials."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from simulator.engine import ledger
from simulator.scenario.schema import Sampling
from tests.runs import QUICKSTART

ROOT = QUICKSTART.parents[1]
TRIALS = (10_000, 100_000, 1_000_000)
# Not getrusage: its peak is that of the process which started this one, if that held more.
_PEAK = """
import re, sys
from pathlib import Path
from simulator.cli.main import main
try:
    main()
finally:
    status = Path("/proc/self/status").read_text()
    print(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1], file=sys.stderr)
"""


def peak(trials, out):
    """Return the most memory, in MB, that a run of the quickstart held, and its pages written."""
    words = ["run", str(QUICKSTART), "--trials", str(trials), "--out", str(out), "--workers", "2"]
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stderr.split()[-1]) / 1_024


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peaks are read from /proc")
def test_the_memory_of_a_run_does_not_grow_with_its_trials(proof, tmp_path):
    found = {trials: peak(trials, tmp_path / str(trials)) for trials in TRIALS}
    told = ", ".join(f"{trials:,} trials: {most:,.0f} MB" for trials, most in found.items())
    proof("The most memory of `acosim run` of the quickstart, its page and workbook too", told)
    # One column of a million trials, in order beside itself, is 16 MB of some 400.
    assert max(found.values()) < 1.1 * found[TRIALS[0]]


def test_what_a_ledger_keeps_of_a_block_is_not_the_block():
    values = np.random.default_rng(1).normal(size=(1_000, 2, 3))
    for scheme in ("independent", "antithetic", "sobol"):
        kept = ledger._moments(values, Sampling(scheme=scheme, replicates=4))
        assert all(part.base is None for part in kept if isinstance(part, np.ndarray))
