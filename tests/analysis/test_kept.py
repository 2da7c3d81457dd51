"""What is left of an effect: a ratio of paired means, with its error."""

import numpy as np
import pytest
import xarray as xr

from simulator.analysis.kept import EFFECT, kept
from simulator.errors import SimulatorError
from simulator.report import plots


def _run(trials=400, left=0.4):
    rng = np.random.default_rng(5)
    spent = 100e6 * (1.0 + 0.03 * rng.standard_normal((trials, 2, 1, 1)))
    saved = 0.05 * spent
    gained = left * saved + 1e4 * rng.standard_normal(saved.shape)
    dims = ("case", "trial", "year", "aco", "contract")
    return xr.Dataset(
        {
            "expenditure_usd": (dims, np.stack([spent, spent - saved])),
            "gross_savings_usd": (dims, np.stack([0.0 * gained, gained])),
        },
        {"case": [0, 1], "year": [2029, 2030], "aco": ["x"], "contract": ["e"]}
        | {EFFECT: ("case", ["0.0", "0.05"])},
    )


def test_what_is_left_is_within_its_error():
    found = kept(_run())
    off = np.abs(found.kept_share - 0.4) / found.kept_error_share
    assert float(off.max()) < 4.0
    assert float(found.kept_error_share.max()) < 0.001


def test_a_run_without_the_sweep_is_refused():
    with pytest.raises(SimulatorError, match="does not sweep"):
        kept(_run().drop_vars(EFFECT))


def test_the_picture_has_a_line_a_contract():
    assert len(plots.kept(kept(_run())).get_lines()) >= 1
