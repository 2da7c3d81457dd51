import numpy as np
import pytest
from scipy import special, stats

from simulator.sampling import severity, sums
from simulator.sampling.aggregate import Cell, book, totals
from simulator.sampling.streams import Streams

SEVERITY = severity.standard("aged_nondual", 10_500.0)
POINT = float(SEVERITY.exceeded(0.01))
MIDDLE = np.abs(sums.SCORES) < 4.0


@pytest.mark.parametrize("count", [1, 2, 64, 65, 1_000, 1_000_000])
@pytest.mark.parametrize("law", [sums.body, sums.excess])
def test_a_law_is_standardised_and_rises(law, count):
    quantiles = law(SEVERITY, POINT, count)
    z = special.ndtri((np.arange(1_000_000) + 0.5) / 1_000_000)
    drawn = np.interp(z, sums.SCORES, quantiles)
    assert drawn.mean() == pytest.approx(0.0, abs=1e-3)
    assert drawn.std() == pytest.approx(1.0, abs=0.02)
    assert np.all(np.diff(quantiles) >= 0.0)


@pytest.mark.parametrize("law", [sums.body, sums.excess])
def test_lattice_and_frequencies_meet(law, monkeypatch):
    lattice = law(SEVERITY, POINT, 64)
    monkeypatch.setattr(sums, "LATTICE", 63)
    assert law(SEVERITY, POINT, 64)[MIDDLE] == pytest.approx(lattice[MIDDLE], abs=2e-3)


@pytest.mark.parametrize("count", [2, 30, 64, 100])
def test_sums_of_exponentials_are_gamma(count):
    quantiles = sums.excess(severity.gamma(1.0, cv=1.0), 2.0, count)
    exact = stats.gamma.ppf(special.ndtr(sums.SCORES), count)
    exact = (exact - count) / np.sqrt(count)
    half_a_step = 0.5 / 32.0 / np.sqrt(count)
    assert quantiles[MIDDLE] == pytest.approx(exact[MIDDLE], abs=half_a_step)


@pytest.mark.parametrize("lives", [200, 200_000, 1_000_000])
def test_truncated_totals_follow_the_inverted_distribution(lives):
    trials = 200_000
    people = book([Cell(lives, SEVERITY, POINT)])
    drawn = totals(people, Streams(3).uniform("a", "b", range(trials), (1, 3)))[0][:, 0]
    edges = np.append(0.0, np.geomspace(1.0, POINT, 3_000))
    mass, first = (-np.diff(SEVERITY.above(edges, order)) for order in (0, 1))
    values = np.concatenate([[0.0, POINT], first / mass])
    weights = np.concatenate([[SEVERITY.p_zero, SEVERITY.survival(POINT)], mass])
    mean, sd = weights @ values, np.sqrt(weights @ values**2 - (weights @ values) ** 2)
    x = np.linspace(-9.0, 9.0, 4_001)
    cdf = sums._distribution((values - mean) / (sd * np.sqrt(lives)), weights, lives, x)
    standard = (drawn - lives * mean) / (sd * np.sqrt(lives))
    assert stats.kstest(np.interp(standard, x, cdf), "uniform").pvalue > 0.001
