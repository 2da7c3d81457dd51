import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import ndtri

from simulator.errors import SimulatorError
from simulator.sampling import quantiles

MIDPOINTS = (np.arange(200_000) + 0.5) / 200_000
U = st.floats(1e-9, 1 - 1e-9)
BY_CV = [quantiles.lognormal, quantiles.gamma]


@pytest.mark.parametrize("draw", [quantiles.normal, *BY_CV])
def test_mean_and_spread_are_those_asked_for(draw):
    spread = 0.8 * 50.0 if draw is quantiles.normal else 0.8
    x = draw(MIDPOINTS, 50.0, spread)
    assert (x.mean(), x.std()) == pytest.approx((50.0, 40.0), rel=2e-3)


def test_beta_has_the_mean_and_sd_asked_for():
    x = quantiles.beta(MIDPOINTS, 0.82, 0.06)
    assert (x.mean(), x.std()) == pytest.approx((0.82, 0.06), rel=1e-4)


@settings(deadline=None)
@pytest.mark.parametrize("draw", BY_CV)
@given(u=U, v=U, mean=st.floats(0.1, 1e6), cv=st.floats(0.0, 3.0))
def test_quantiles_by_cv_rise_with_u_and_mean(draw, u, v, mean, cv):
    low, high = sorted([u, v])
    assert draw(low, mean, cv) <= draw(high, mean, cv)
    assert draw(u, mean, cv) <= draw(u, 1.01 * mean, cv)


@settings(deadline=None)
@given(u=U, v=U, mean=st.floats(0.05, 0.95), sd=st.floats(0.0, 0.2))
def test_beta_rises_with_u_and_stays_inside(u, v, mean, sd):
    low, high = sorted([u, v])
    first, second = (quantiles.beta(w, mean, sd) for w in (low, high))
    assert 0.0 <= first <= second + 1e-12 <= 1.0 + 1e-12


@settings(deadline=None)
@given(u=U, mean=st.floats(0.0, 1e4), more=st.floats(0.0, 10.0))
def test_poisson_is_the_smallest_count_and_rises_with_the_mean(u, mean, more):
    count = quantiles.poisson(u, mean)
    assert stats.poisson.cdf(count, mean) >= u * (1 - 1e-9)
    assert count == 0 or stats.poisson.cdf(count - 1, mean) < u * (1 + 1e-9)
    assert count <= quantiles.poisson(u, mean + more)


@settings(deadline=None)
@given(u=U, n=st.integers(0, 100_000), p=st.floats(0.0, 1.0))
def test_binomial_rises_with_n_and_p(u, n, p):
    count = quantiles.binomial(u, n, p)
    assert 0 <= count <= quantiles.binomial(u, n + 1, p) <= n + 1
    assert count <= quantiles.binomial(u, n, min(1.0, p + 0.01))


@pytest.mark.parametrize("draw", [quantiles.normal, *BY_CV])
def test_no_spread_returns_the_mean_to_the_bit(draw):
    mean = np.array([3.0, 1e7, 0.1])
    assert np.array_equal(draw(0.77, mean, 0.0), mean)


def test_a_beta_without_spread_returns_the_mean_even_at_the_ends():
    mean = np.array([0.0, 0.3, 1.0])
    assert np.array_equal(quantiles.beta(0.77, mean, 0.0), mean)


def test_a_beta_with_too_much_spread_is_refused():
    with pytest.raises(SimulatorError, match=r"sd is 0\.5"):
        quantiles.beta(0.5, 0.5, 0.5)


@pytest.mark.parametrize("draw", [quantiles.normal, *BY_CV])
def test_labels_are_kept(draw):
    u = xr.DataArray([0.2, 0.8], dims="trial")
    assert draw(u, 10.0, 0.5).dims == ("trial",)


@settings(deadline=None)
@given(U)
def test_a_tabulated_quantile_is_near_the_function(u):
    table = ndtri(np.minimum(quantiles.PLACES, 0.5))
    assert quantiles.tabulated(min(u, 0.5), table) == pytest.approx(ndtri(min(u, 0.5)), abs=1e-5)


def test_every_place_gives_the_value_kept_there():
    table = np.arange(len(quantiles.PLACES), dtype=float)
    found = [quantiles.tabulated(u, table) for u in quantiles.PLACES[:-1].tolist()]
    assert found == table[:-1].tolist()
