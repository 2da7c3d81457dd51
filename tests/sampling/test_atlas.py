import numpy as np
import pytest

from simulator.sampling import atlas, severity, sums

SEVERITY = severity.standard("aged_nondual", 10_500.0)
POINT = float(SEVERITY.exceeded(0.01))
MIDDLE = np.abs(sums.SCORES) < 3.5
LAWS = [sums.body, sums.excess]


def worst(law, one, point, count):
    """Return by how much a blended law departs from the one computed for itself."""
    blended = atlas.laws_of(law, one, point, np.array([count]))[0]
    return np.abs(blended - law(one, point, count))[MIDDLE].max()


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("count", [1, 7, 31, 35, 100, 290, 1_000, 40_000])
def test_a_blended_law_is_near_the_law_itself(law, count):
    assert worst(law, SEVERITY, POINT, count) < 5e-3


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("scale", [0.5, 0.8, 1.3, 2.0])
def test_it_is_as_near_whatever_the_mean(law, scale):
    assert worst(law, SEVERITY.scaled_to(scale * 10_500.0), POINT, 20) < 5e-3


def test_people_of_a_file_are_not_blended_over_points():
    one = severity.empirical(np.random.default_rng(1).lognormal(8.0, 1.5, 5_000))
    point = float(one.exceeded(0.01))
    assert worst(sums.excess, one, point, 12) < 1e-6


def test_any_range_of_levels_is_part_of_all():
    everything = atlas.laws(sums.excess, SEVERITY, POINT, range(60))
    for first, last in [(0, 2), (30, 34), (33, 40), (36, 59), (41, 42)]:
        part = atlas.laws(sums.excess, SEVERITY, POINT, range(first, last))
        assert np.array_equal(part, everything[first:last])


def test_kept_counts_are_their_own_level():
    levels, way = atlas.level(atlas.COUNTS[:80])
    assert np.array_equal(levels, np.arange(80))
    assert not way.any()


def test_nobody_has_no_law():
    assert not atlas.laws_of(sums.body, SEVERITY, POINT, np.array([0])).any()
