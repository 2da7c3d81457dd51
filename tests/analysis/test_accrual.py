import numpy as np
import pytest
import xarray as xr
from scipy import stats

from simulator.analysis.accrual import accrual, most_likely
from simulator.errors import SimulatorError

N = 100_000
MEAN, SD = 2.0e6, 1.0e6


@pytest.fixture(scope="module")
def settlements():
    draws = np.random.default_rng(3).normal(MEAN, SD, (N, 1))
    shared = np.where(draws > 1.5e6, 0.5 * draws, 0.0)
    both = np.concatenate([draws, shared], axis=1)
    return xr.DataArray(both, {"contract": ["whole", "shared"]}, ("trial", "contract"))


def test_the_expected_value_and_what_is_reached_are_those_of_a_normal(settlements):
    said = accrual(settlements, 0.8).sel(contract="whole")
    assert abs(float(said.expected_usd) - MEAN) < 4.0 * float(said.expected_error_usd)
    reached = stats.norm.ppf(0.2, MEAN, SD)
    assert abs(float(said.exceeded_usd) - reached) < 4.0 * float(said.exceeded_error_usd)
    assert float(said.constrained_usd) == float(said.exceeded_usd)


def test_the_most_likely_amount_of_a_normal_is_near_its_mode(settlements):
    said = accrual(settlements, 0.8).sel(contract="whole")
    assert float(said.likely_usd) == pytest.approx(MEAN, abs=0.3 * SD)
    width = float(said.likely_high_usd - said.likely_low_usd)
    assert float(said.likely_share) == pytest.approx(width * stats.norm.pdf(0.0) / SD, rel=0.1)


def test_nothing_is_the_most_likely_amount_where_savings_often_miss(settlements):
    said = accrual(settlements, 0.8).sel(contract="shared")
    missed = stats.norm.cdf(1.5e6, MEAN, SD)
    assert float(said.likely_usd) == 0.0
    assert abs(float(said.likely_share) - missed) < 4.0 * float(said.likely_error_share)
    assert float(said.constrained_usd) == 0.0


def test_a_constant_is_its_own_most_likely_amount():
    assert most_likely(np.full(9, 4.0)) == (4.0, 4.0, 4.0, 0.0, 1.0, 0.0)


def test_a_single_trial_is_its_own_range():
    assert most_likely(np.array([3.0])).amount == 3.0


@pytest.mark.parametrize("confidence", [0.5, 1.0, 80.0])
def test_a_confidence_that_cannot_be_is_refused(settlements, confidence):
    with pytest.raises(SimulatorError, match=r"above 0\.5 and below 1"):
        accrual(settlements, confidence)
