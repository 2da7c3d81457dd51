"""Contracts of several years: present values side by side, and which wins."""

import numpy as np
import pytest
import xarray as xr

from simulator.analysis.choices import duels, present, worth

PAID = np.array([[[100.0, 50.0], [-300.0, 10.0]], [[20.0, 30.0], [40.0, 10.0]]])


@pytest.fixture
def run():
    """Return two trials of two years under two contracts, without discounting."""
    coords = {"year": [2027, 2028], "contract": ["a", "b"]}
    paid = xr.DataArray(PAID, coords, ("trial", "year", "contract")).expand_dims(aco=["x"])
    text = "valuation: {discount_rate: 0.0}"
    return xr.Dataset({"economic_result_usd": paid}, attrs={"scenario": text})


def test_years_and_acos_add_up(run):
    assert present(run).transpose("trial", "contract").values.tolist() == [
        [-200.0, 60.0],
        [60.0, 40.0],
    ]


def test_each_contract_has_its_value_and_its_worst_position(run):
    table = worth(run)
    assert table.mean_usd.tolist() == [-70.0, 50.0]
    assert table.worst_mean_usd.tolist() == [-100.0, 0.0]
    assert table.gains_share.tolist() == [0.5, 1.0]


def test_the_same_draws_are_compared(run):
    (duel,) = duels(run).itertuples()
    assert (duel.a, duel.b, duel.mean_usd, duel.wins_share) == ("a", "b", -120.0, 0.5)
    assert duel.mean_error_usd == pytest.approx(140.0)
