"""Laws of persistence: margins stay, years correlate as stated, and each has its own address."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from simulator.sampling.block import persisting
from simulator.sampling.streams import Streams

TRIALS = 40_000


def uniforms(who: str = "a") -> Callable[[int], np.ndarray]:
    return lambda year: Streams(3).uniform("claims", f"{who}/{year}", range(TRIALS), (1, 3))


@pytest.mark.parametrize("correlation", [0.2, 0.5, 0.9])
def test_scores_correlate_by_a_power_of_the_years_between(correlation: float) -> None:
    years = (2020, 2021, 2023)
    drawn = persisting(uniforms(), years, correlation)
    scores = stats.norm.ppf(np.stack([drawn[year][:, 0, 1] for year in years]))
    expected = [correlation, correlation**3]
    # What weighs less than a hundredth is forgotten, which takes less than that off.
    assert np.corrcoef(scores)[0, 1:] == pytest.approx(expected, abs=4 / np.sqrt(TRIALS) + 2e-3)


@pytest.mark.parametrize("correlation", [0.2, 0.5, 0.9])
def test_persistence_leaves_each_year_uniform(correlation: float) -> None:
    drawn = persisting(uniforms(), (2020,), correlation)[2020]
    assert 0.0 < drawn.min() < drawn.max() < 1.0
    for position in range(3):
        assert stats.kstest(drawn[:, 0, position], "uniform").pvalue > 1e-3


def test_a_year_is_the_same_whatever_other_years_are_drawn() -> None:
    few = persisting(uniforms(), (2022,), 0.6)
    many = persisting(uniforms(), (2016, 2018, 2022, 2030), 0.6)
    assert np.array_equal(few[2022], many[2022])


def test_without_persistence_the_uniforms_are_the_years_own() -> None:
    assert np.array_equal(persisting(uniforms(), (2022,), 0.0)[2022], uniforms()(2022))
