"""Scrambled Sobol' points: evenly spread, uniform, and as much better as the method promises."""

import numpy as np
import pytest
import xarray as xr
from scipy import special, stats

from simulator.analysis.convergence import Measure, estimate, standard_error
from simulator.analysis.intervals import interval
from simulator.errors import SimulatorError
from simulator.sampling import sobol
from simulator.sampling.streams import Streams

NAMES = [f"coordinate {d}" for d in range(10)]
DIMENSIONS = {(name, "x"): d for d, name in enumerate(NAMES)}


def drawn(count, scheme="sobol", replicates=16, width=10, seed=5):
    """Return uniforms of `count` trials in the first coordinates: (trial, coordinate)."""
    streams = Streams(seed, scheme, replicates, DIMENSIONS)
    return np.stack([streams.uniform(n, "x", range(count)) for n in NAMES[:width]], axis=1)


def replicated(values, replicates=16):
    trial = np.arange(values.shape[-1])
    return xr.DataArray(values, dims="trial", coords={"replicate": ("trial", trial % replicates)})


def shared(benchmark, spent):
    """Return a two-sided settlement: half of what is saved or lost beyond 2.5%, within 10%."""
    gross = benchmark - spent
    return np.clip(0.5 * gross * (np.abs(gross) >= 0.025 * benchmark), -0.1, 0.1)


def one_year(u):
    return shared(1.0, 0.98 * np.exp(0.03 * special.ndtri(u[:, 0])))


def five_years(u):
    """Return five years' settlement of ten scores: the nation's growth, and the ACO's claims."""
    z = special.ndtri(u)
    growth = np.cumsum(0.016 * z[:, :5], axis=1)
    return sum(shared(1.0, 0.98 * np.exp(growth[:, y] + 0.02 * z[:, 5 + y])) for y in range(5))


def error(payoff, measure, count, scheme, truth):
    """Return the mean squared error over 64 replicates of `count` points each."""
    values = payoff(drawn(count * 64, scheme, 64, 1 if payoff is one_year else 10))
    each = xr.DataArray(values.reshape(count, 64), dims=("trial", "replicate"))
    return float(np.square(estimate(each, measure) - truth).mean())


def test_each_replicate_puts_one_point_in_each_part():
    u = drawn(1_024 * 4, replicates=4)
    for replicate in range(4):
        parts = np.sort((u[replicate::4] * 1_024).astype(int), axis=0)
        assert np.array_equal(parts, np.tile(np.arange(1_024)[:, None], 10))


@pytest.mark.parametrize("halvings", range(11))
def test_the_first_two_coordinates_are_a_net(halvings):
    u = drawn(1_024 * 4, replicates=4)[1::4, :2]
    across = (u[:, 0] * 2**halvings).astype(int)
    down = (u[:, 1] * 2 ** (10 - halvings)).astype(int)
    assert len(np.unique(across * 1_024 + down)) == 1_024


def test_a_point_is_uniform_over_scramblings():
    words = Streams(5).uniform("words", "x", range(20_000), (sobol.WORDS,))
    for dimension, trial in ((0, 0), (3, 5), (700, 77)):
        start = trial * len(words)
        u = sobol.points(dimension, words, range(start, start + len(words)))
        assert stats.kstest(u, "uniform").pvalue > 0.001


def test_replicates_are_independent():
    first = drawn(16 * 8_192, width=1)[:, 0].reshape(8_192, 16)[0:8]
    words = [drawn(16, width=1, seed=seed)[:, 0] for seed in range(4_000)]
    correlations = np.corrcoef(np.array(words), rowvar=False)[np.triu_indices(16, 1)]
    assert first.shape == (8, 16)
    assert np.abs(correlations).max() < 4.5 / np.sqrt(4_000)


def test_more_points_than_there_are_is_refused():
    with pytest.raises(SimulatorError, match="allowed is less than 1,048,576"):
        Streams(1, "sobol", 1, {("a", "b"): 0}).uniform("a", "b", range(2**20, 2**20 + 1))


# The method is known to cut the mean squared error 500 times at 256 points and 3,500 times at
# 1,024, that of the tail 16 times, and 30 to 130 times in ten dimensions.
CASES = {
    "one year, mean, 256 points": (one_year, Measure("mean"), 256, 250.0),
    "one year, mean, 1,024 points": (one_year, Measure("mean"), 1_024, 1_500.0),
    "one year, worst 1%, 1,024 points": (one_year, Measure("tail", 0.01), 1_024, 8.0),
    "five years, mean, 1,024 points": (five_years, Measure("mean"), 1_024, 15.0),
    "five years, mean, 8,192 points": (five_years, Measure("mean"), 8_192, 30.0),
}


@pytest.mark.parametrize("name", CASES)
def test_sobol_points_cut_the_error_as_the_method_promises(proof, name):
    payoff, measure, count, least = CASES[name]
    width = 1 if payoff is one_year else 10
    truth = float(estimate(replicated(payoff(drawn(2**20, width=width, seed=6))), measure))
    independent = error(payoff, measure, count, "independent", truth)
    ratio = independent / error(payoff, measure, count, "sobol", truth)
    proof("Sobol' points cut the mean squared error", f"{name}: {ratio:,.0f} times")
    assert ratio > least


@pytest.mark.parametrize("measure", [Measure("mean"), Measure("below"), Measure("tail", 0.05)])
def test_the_interval_from_replicates_holds_the_truth(proof, measure):
    runs, truth = 600, estimate(replicated(five_years(drawn(2**20, seed=9))), measure)
    held = 0
    for seed in range(runs):
        found = interval(replicated(five_years(drawn(16 * 64, seed=100 + seed))), measure)
        held += bool(found.low <= truth <= found.high)
    proof(f"95% intervals from Sobol' replicates, {measure.kind}", f"{held / runs:.1%} of {runs}")
    assert abs(held / runs - 0.95) < 4.0 * np.sqrt(0.05 * 0.95 / runs)


def test_trials_taken_for_independent_would_overstate_the_error():
    values = five_years(drawn(16 * 1_024))
    alone = xr.DataArray(values, dims="trial")
    together = replicated(values)
    mean = Measure("mean")
    assert float(standard_error(together, mean)) < 0.4 * float(standard_error(alone, mean))
