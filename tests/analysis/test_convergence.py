import functools

import numpy as np
import pytest
import xarray as xr

from simulator.analysis import tail
from simulator.analysis.convergence import Measure, estimate, standard_error

TRIALS, REPLICATES = 4_000, 1_500
MEASURES = [
    Measure("mean"),
    Measure("sd"),
    Measure("below"),
    Measure("above", 1.0),
    Measure("quantile", 0.01),
    Measure("quantile", 0.05),
    Measure("quantile", 0.95),
    Measure("quantile", 0.99),
    Measure("tail", 0.05),
    Measure("tail", 0.01),
]


def normal(rng):
    return rng.normal(size=(REPLICATES, TRIALS))


def settlement_like(rng):
    """Return draws with nothing between -1 and 2 but a mass at zero, and skewed gains."""
    z = rng.normal(size=(REPLICATES, TRIALS))
    kind = rng.uniform(size=z.shape)
    gain, loss = 2.0 + np.exp(0.5 * z), -1.0 - np.abs(z)
    return gain * (kind > 0.7) + loss * (kind < 0.2)


@functools.cache
def replicates(draw):
    return xr.DataArray(draw(np.random.default_rng(20_261_122)), dims=("replicate", "trial"))


def disagreement(stated, estimates):
    """Return the mean stated error over the spread of the estimates, less one, and its error."""
    spread = float(estimates.std("replicate", ddof=1))
    kurtosis = float(((estimates - estimates.mean()) ** 4).mean()) / spread**4
    own_error = ((kurtosis - 1.0) / REPLICATES) ** 0.5 / 2.0
    return float(stated.mean("replicate")) / spread - 1.0, own_error


@pytest.mark.parametrize("measure", MEASURES, ids=lambda m: f"{m.kind}-{m.at}")
@pytest.mark.parametrize("draw", [normal, settlement_like])
def test_the_stated_error_is_the_spread_of_the_estimates(draw, measure):
    x = replicates(draw)
    off, own_error = disagreement(standard_error(x, measure), estimate(x, measure))
    assert abs(off) < 3.5 * own_error
    assert own_error < 0.03


@pytest.mark.parametrize("draw", [normal, settlement_like])
def test_the_error_of_a_mean_of_the_tail_alone_would_be_caught(draw):
    x, share = replicates(draw), 0.05
    worst = np.sort(x.values, axis=1)[:, : int(TRIALS * share)]
    naive = xr.DataArray(worst.std(axis=1) / worst.shape[1] ** 0.5, dims="replicate")
    off, own_error = disagreement(naive, tail.tail_value_at_risk(x, share))
    assert off < -3.5 * own_error


def test_estimates_of_the_normal_meet_their_closed_forms():
    x = xr.DataArray(replicates(normal).values.ravel(), dims="trial")
    known = {
        Measure("mean"): 0.0,
        Measure("sd"): 1.0,
        Measure("quantile", 0.05): -1.644854,
        Measure("tail", 0.05): -2.062713,
        Measure("below", -1.0): 0.158655,
    }
    for measure, truth in known.items():
        off = float(estimate(x, measure)) - truth
        assert abs(off) < 3.5 * float(standard_error(x, measure)), measure


def test_a_quantile_inside_a_point_mass_has_no_error():
    median = Measure("quantile", 0.5)
    assert float(np.abs(estimate(replicates(settlement_like), median)).max()) == 0.0
    assert float(standard_error(replicates(settlement_like), median).max()) == 0.0


def test_a_constant_has_no_error_at_all():
    x = xr.DataArray(np.full(100, 3.0), dims="trial")
    assert [float(standard_error(x, measure)) for measure in MEASURES] == [0.0] * len(MEASURES)


def test_a_single_trial_has_no_known_error():
    x = xr.DataArray([3.0], dims="trial")
    assert np.isnan(float(standard_error(x, Measure("mean"))))
    assert np.isnan(float(standard_error(x, Measure("sd"))))


def test_the_error_of_a_quantile_needs_no_order_of_the_trials():
    x = replicates(normal).isel(replicate=0)
    turned = xr.DataArray(x.values[::-1].copy(), dims="trial")
    q = Measure("quantile", 0.05)
    assert float(standard_error(x, q)) == float(standard_error(turned, q))


def test_four_times_the_trials_halve_the_error():
    few = xr.DataArray(np.arange(1_000.0), dims="trial")
    many = xr.DataArray(np.repeat(np.arange(1_000.0), 4), dims="trial")
    for measure in (MEASURES[0], MEASURES[1], MEASURES[5], MEASURES[8]):
        ratio = float(standard_error(few, measure)) / float(standard_error(many, measure))
        assert ratio == pytest.approx(2.0, rel=0.01), measure


def test_the_stated_error_of_pairs_is_the_spread_of_the_estimates():
    z = np.random.default_rng(3).normal(size=(REPLICATES, TRIALS // 2))
    x = xr.DataArray(
        np.exp(np.stack([z, -z], axis=-1).reshape(REPLICATES, -1)), dims=("replicate_", "trial")
    )
    x = x.rename(replicate_="replicate").rename(replicate="run")
    pairs = x.assign_coords(replicate=("trial", np.arange(TRIALS) // 2))
    for measure in (
        Measure("mean"),
        Measure("quantile", 0.05),
        Measure("tail", 0.05),
        Measure("sd"),
    ):
        estimates = estimate(pairs, measure).rename(run="replicate")
        stated = standard_error(pairs, measure).rename(run="replicate")
        off, own_error = disagreement(stated, estimates)
        assert abs(off) < 4.0 * own_error, measure
