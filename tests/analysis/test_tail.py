import numpy as np
import pytest
import xarray as xr

from simulator.analysis import tail
from simulator.analysis.convergence import Measure, estimate
from simulator.errors import SimulatorError


def by_trial(values):
    return xr.DataArray(np.asarray(values, dtype=np.float64), dims="trial")


def draws(n=1_000, contracts=3):
    values = np.random.default_rng(7).normal(size=(n, contracts))
    return xr.DataArray(values, dims=("trial", "contract"))


@pytest.mark.parametrize(
    "measure",
    [
        lambda x: tail.value_at_risk(x, 0.05),
        lambda x: tail.tail_value_at_risk(x, 0.05),
        lambda x: tail.chance_below(x, 0.0),
        lambda x: tail.chance_above(x, 0.0),
    ],
)
def test_every_measure_returns_the_dims_less_the_trials(measure):
    assert measure(draws()).dims == ("contract",)


def test_quantiles_equal_those_of_numpy_on_all_trials():
    """Trap: dask's percentiles, which are medians of chunks put together."""
    x = draws()
    expected = np.quantile(x.values, [0.01, 0.5, 0.99], axis=0)
    np.testing.assert_allclose(tail.quantiles(x, [0.01, 0.5, 0.99]).values, expected)


def test_quantiles_of_stored_halves_are_exact_across_blocks():
    """Trap: dask's percentiles, of lazy blocks."""
    x = draws()
    blocks = x.chunk({"trial": 64})
    xr.testing.assert_equal(tail.quantiles(blocks, [0.01]), tail.quantiles(x, [0.01]))


def test_the_tail_is_the_mean_of_the_worst():
    assert float(tail.tail_value_at_risk(by_trial(np.arange(200.0)), 0.05)) == 4.5


def test_a_tail_that_ends_within_a_trial_counts_it_in_part():
    # 2.5 trials of ten: (0 + 1 + 2 / 2) / 2.5
    assert float(tail.tail_value_at_risk(by_trial(np.arange(10.0)), 0.25)) == pytest.approx(0.8)


def test_a_tail_inside_a_point_mass_is_that_point():
    x = by_trial([0.0] * 90 + [5.0] * 10)
    assert float(tail.tail_value_at_risk(x, 0.05)) == 0.0


def test_the_tail_of_all_trials_is_the_mean():
    x = draws()
    xr.testing.assert_allclose(tail.tail_value_at_risk(x, 1.0), x.mean("trial"))


def test_the_tail_lies_below_the_value_at_risk():
    x = draws()
    assert (tail.tail_value_at_risk(x, 0.05) < tail.value_at_risk(x, 0.05)).all()


def test_chances_below_above_and_at_add_to_one():
    x = draws().round(1)
    at = (x == 0.3).mean("trial")
    total = tail.chance_below(x, 0.3) + at + tail.chance_above(x, 0.3)
    np.testing.assert_allclose(total, 1.0)


@pytest.mark.parametrize("kind", ["mean", "sd", "below", "above", "quantile", "tail"])
def test_a_trial_that_is_missing_makes_every_measure_unknown(kind):
    """Trap: a mean that passes over NaN, and so hides blocks that were never written."""
    x = draws().where(draws().trial != 700)
    measure = Measure(kind, 0.0 if kind in ("below", "above") else 0.05)
    assert np.isnan(estimate(x, measure)).all()


@pytest.mark.parametrize("share", [95, 0.0, -0.05])
def test_a_share_in_percent_is_refused_with_the_right_form(share):
    with pytest.raises(SimulatorError, match=r"0\.05 for 5%"):
        tail.tail_value_at_risk(by_trial([1.0, 2.0]), share)
