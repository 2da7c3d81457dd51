import numpy as np
import pytest
import xarray as xr
from scipy import stats

from simulator.analysis.capital import LEVELS, Layer, at_risk, ceded, layer_price
from simulator.errors import SimulatorError

N = 200_000
MEAN, SD = 1.0e6, 4.0e6
LOSS = stats.norm(-MEAN, SD)


@pytest.fixture(scope="module")
def savings():
    """Return normal savings, all shared: positive is earned."""
    draws = np.random.default_rng(7).normal(MEAN, SD, N)
    return xr.DataArray(draws, dims="trial")


def _expected_layer(attachment, limit):
    """Return E[(L - a)+] - E[(L - a - l)+] of a normal loss."""
    return _beyond(attachment) - _beyond(attachment + limit)


def _beyond(point):
    z = (point + MEAN) / SD
    return SD * stats.norm.pdf(z) - (MEAN + point) * stats.norm.sf(z)


@pytest.mark.parametrize("level", LEVELS)
def test_value_at_risk_of_normal_savings_is_its_quantile(savings, level):
    said = at_risk(savings).sel(level=level)
    off = float(said.value_at_risk_usd) - LOSS.ppf(level)
    assert abs(off) < 4.0 * float(said.value_at_risk_error_usd)
    assert 0.0 < float(said.value_at_risk_error_usd) < 0.02 * SD


@pytest.mark.parametrize("level", LEVELS)
def test_tail_value_at_risk_of_normal_savings_is_its_closed_form(savings, level):
    said = at_risk(savings).sel(level=level)
    expected = -MEAN + SD * stats.norm.pdf(stats.norm.ppf(level)) / (1.0 - level)
    off = float(said.tail_value_at_risk_usd) - expected
    assert abs(off) < 4.0 * float(said.tail_value_at_risk_error_usd)


def test_a_layer_on_normal_savings_has_its_closed_price(savings):
    layer = Layer(2.0e6, 3.0e6, 5.0e5)
    said = layer_price(savings, layer)
    assert abs(float(said.ceded_usd) - _expected_layer(2.0e6, 3.0e6)) < 4.0 * float(
        said.ceded_error_usd
    )
    for name, point in (("attaches", 2.0e6), ("exhausts", 5.0e6)):
        error = float(said[f"{name}_error_share"])
        assert abs(float(said[f"{name}_share"]) - LOSS.sf(point)) < 4.0 * error
    net = MEAN + _expected_layer(2.0e6, 3.0e6) - 5.0e5
    assert abs(float(said.net_usd) - net) < 4.0 * float(said.net_error_usd)
    assert float(said.rate_on_line_share) == pytest.approx(1.0 / 6.0)
    assert float(said.loss_ratio_share) == pytest.approx(float(said.ceded_usd) / 5.0e5)


def test_a_layer_is_exhausted_as_often_in_single_precision():
    owed = xr.DataArray(np.float32([-1e9, -9e8, 5.0, 0.0]), dims="trial")
    said = layer_price(owed, Layer(0.0, 16_777_217.0, 0.0))
    assert float(said.exhausts_share) == 0.5


def test_adjoining_layers_cede_what_one_does(savings):
    both = ceded(savings, Layer(1e6, 2e6, 0.0)) + ceded(savings, Layer(3e6, 4e6, 0.0))
    np.testing.assert_allclose(both, ceded(savings, Layer(1e6, 6e6, 0.0)), atol=1e-6)


def test_a_layer_never_leaves_less_than_the_loss_less_what_it_pays(savings):
    layer = Layer(2.0e6, 3.0e6, 0.0)
    net = savings + ceded(savings, layer)
    assert bool((net >= savings).all())
    assert bool((net.where(savings < -5.0e6, 0.0) <= 0.0).all())


@pytest.mark.parametrize("layer", [Layer(-1.0, 1.0, 0.0), Layer(0.0, 0.0, 0.0)])
def test_a_layer_that_cannot_be_is_refused(savings, layer):
    with pytest.raises(SimulatorError, match="_usd is "):
        layer_price(savings, layer)
