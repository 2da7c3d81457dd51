"""Intervals hold the truth as often as they say: settlements with point masses, skewed tails."""

import functools

import numpy as np
import pytest
import xarray as xr
from scipy import special

from simulator.analysis.convergence import Measure, estimate, standard_error
from simulator.analysis.intervals import interval

TRIALS = 10_000
MEASURES = {
    "mean": Measure("mean"),
    "P(owes)": Measure("below"),
    "1st percentile": Measure("quantile", 0.01),
    "worst 1%": Measure("tail", 0.01),
}


def settled(score):
    """Return what half of savings or losses beyond 2.5% comes to, savings up to 10%."""
    gross = 100.0 - 98.0 * np.exp(0.04 * score - 0.04**2 / 2.0)
    return np.minimum(0.5 * gross * (np.abs(gross) >= 2.5), 10.0)


def skewed(score):
    """Return a loss that has no limit and a long tail."""
    return 3.0 - np.exp(0.8 * score)


@functools.cache
def truths(law):
    """Return each measure of the law itself, by its quantiles at four million equal parts."""
    values = np.sort(law(special.ndtri((np.arange(4_000_000) + 0.5) / 4e6)))
    tail = values[:40_000]
    return dict(
        zip(MEASURES, (values.mean(), (values < 0).mean(), tail[-1], tail.mean()), strict=True)
    )


def coverage(law, name, runs, trials=TRIALS):
    """Return how often the interval holds the truth, over independent runs."""
    rng, held, truth = np.random.default_rng(20_261_122), 0, truths(law)[name]
    for _ in range(runs // 100):
        x = xr.DataArray(law(rng.normal(size=(100, trials))), dims=("run", "trial"))
        found = interval(x, MEASURES[name])
        held += int(((found.low <= truth) & (truth <= found.high)).sum())
    return held / runs


@pytest.mark.parametrize("law", [settled, skewed])
@pytest.mark.parametrize("name", MEASURES)
def test_intervals_hold_the_truth(law, name):
    assert abs(coverage(law, name, 500) - 0.95) < 4.0 * np.sqrt(0.05 * 0.95 / 500)


@pytest.mark.slow
@pytest.mark.parametrize("law", [settled, skewed])
@pytest.mark.parametrize("name", MEASURES)
def test_intervals_hold_the_truth_in_94_to_96_of_100_of_2000_runs(proof, law, name):
    found = coverage(law, name, 2_000)
    proof(f"95% intervals of {TRIALS:,} trials, {law.__name__}", f"{name}: {found:.2%} of 2,000")
    assert 0.94 <= found <= 0.96


def test_a_standard_error_either_side_would_hold_the_tail_too_seldom():
    law, name = skewed, "worst 1%"
    x = xr.DataArray(
        law(np.random.default_rng(1).normal(size=(2_000, 2_000))), dims=("r", "trial")
    )
    off = abs(estimate(x, MEASURES[name]) - truths(law)[name])
    naive = float((off < 1.96 * standard_error(x, MEASURES[name])).mean())
    assert naive < 0.90 < coverage(law, name, 500, 2_000)


def test_an_interval_widens_with_confidence():
    x = xr.DataArray(np.random.default_rng(1).normal(size=1_000), dims="trial")
    for measure in (*MEASURES.values(), Measure("sd"), Measure("above", 1.0)):
        narrow, wide = (interval(x, measure, level) for level in (0.5, 0.99))
        assert bool(
            (wide.low < narrow.low) & (narrow.low < narrow.high) & (narrow.high < wide.high)
        )


def test_mirrored_pairs_narrow_the_interval_of_what_they_cancel():
    z = np.random.default_rng(1).normal(size=2_000)
    x = xr.DataArray(np.stack([z, 0.1 - z], axis=1).ravel(), dims="trial")
    pairs = x.assign_coords(replicate=("trial", np.arange(4_000) // 2))
    width = [
        float(found.high - found.low)
        for found in (interval(y, Measure("mean")) for y in (x, pairs))
    ]
    assert width[1] < 1e-9 < width[0]


def test_a_constant_has_no_width():
    x = xr.DataArray(np.full(500, 3.0), dims="trial")
    for name in ("mean", "1st percentile", "worst 1%"):
        found = interval(x, MEASURES[name])
        assert float(found.low) == float(found.high) == 3.0
