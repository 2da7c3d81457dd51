"""The same values whatever the processor, threads, hash seed, locale and time zone of a process.

`ACOSIM_OTHER_PYTHON` names a Python with acosim and other versions of what it needs, to try too.

NumPy's exp, log and power differ in their last bit between kinds of processors, and so may a
draw in float64. Results are stored as float32, which that bit reaches once in some 10^8 values.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy._core import _multiarray_umath as core

ROOT = Path(__file__).parents[2]
WITHIN = 1e-12
# Every kind of code beyond the oldest that NumPy has and this processor runs.
KINDS = [name for name in core.__cpu_dispatch__ if core.__cpu_features__[name]]
PLAIN = {
    "PYTHONHASHSEED": "0",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
WAYS = {
    "hash seed 1": {"PYTHONHASHSEED": "1"},
    "LC_ALL=C": {"LC_ALL": "C"},
    "TZ=Asia/Tokyo": {"TZ": "Asia/Tokyo"},
    "two threads of BLAS": {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"},
    "numba's code for any x86-64": {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""},
}
MADE = """
import json, sys
from pathlib import Path

import numpy as np

from simulator import results
from simulator.engine.checking import check
from simulator.engine.run import run
from simulator.engine.simulate import simulate
from simulator.engine.tracks import tracks
from simulator.scenario.sweep import cases

out, trials, *names = sys.argv[1:]
digests, owed, spent = {}, [], []
for name in names:
    scenario = check(Path("scenarios") / f"{name}.yaml", [f"trials={trials}"])
    digests[name] = results.digest(run(scenario, Path(out)).attrs["path"])
    for case in cases(scenario):
        for made in simulate(case, tracks(case), range(int(trials))).values():
            owed.append(np.ravel(made.settlement_usd))
            spent.append(np.ravel(made.expenditure_usd))
np.savez(Path(out) / "usd.npz", owed=np.concatenate(owed), spent=np.concatenate(spent))
print(json.dumps(digests))
"""


def made(out, trials, names, python=sys.executable, **changes):
    """Return the digests of scenarios run in a process of their own, what is owed and spent."""
    out.mkdir()
    done = subprocess.run(
        [python, "-c", MADE, str(out), str(trials), *names],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **PLAIN, **changes},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    held = np.load(out / "usd.npz")
    return json.loads(done.stdout), held["owed"], held["spent"]


def apart(one, other):
    """Return the largest difference of two sets of amounts, each as a share of itself."""
    return float((np.abs(one - other) / np.maximum(np.abs(one), 1.0)).max())


@pytest.mark.skipif(not KINDS, reason="NumPy has nothing beyond the oldest code here")
def test_a_digest_is_the_same_without_the_newest_code_in_another_locale_and_zone(tmp_path):
    plain = made(tmp_path / "plain", 40, ["quickstart"])
    other = {key: value for way in list(WAYS.values())[:4] for key, value in way.items()}
    elsewhere = made(
        tmp_path / "other", 40, ["quickstart"], NPY_DISABLE_CPU_FEATURES=" ".join(KINDS), **other
    )
    assert elsewhere[0] == plain[0]


@pytest.mark.slow
def test_one_digest_over_processors_threads_hash_seeds_locales_and_time_zones(tmp_path, proof):
    names = ("quickstart", "reach_2026_tightening", "stress_lead")
    plain = made(tmp_path / "plain", 2_000, names)
    ways = {**WAYS}
    for n in range(len(KINDS)):
        off = " ".join(KINDS[n:])
        ways[f"NumPy without {off}"] = {"NPY_DISABLE_CPU_FEATURES": off}
    found = {
        way: made(tmp_path / str(n), 2_000, names, **changes)
        for n, (way, changes) in enumerate(ways.items())
    }
    if other := os.environ.get("ACOSIM_OTHER_PYTHON"):
        found[other] = made(tmp_path / "python", 2_000, names, other)
    moved = {way: apart(plain[2], one[2]) for way, one in found.items()}
    others = [way for way, one in found.items() if one[0] != plain[0]]
    bits = [way for way in found if moved[way] > 0.0]
    proof(
        "The same sha256 in another environment: " + "; ".join(found),
        f"{len(others)} of {len(found)} environments differ as stored (float32), "
        f"{len(bits)} in float64, expenditure by at most {max(moved.values()):.1e} of itself",
    )
    assert others == []
    assert max(moved.values()) <= WITHIN
    # The same minimum, band and limit was met: what is owed leaps where another is.
    assert all(np.array_equal(np.sign(one[1]), np.sign(plain[1])) for one in found.values())
