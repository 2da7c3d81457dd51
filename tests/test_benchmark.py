"""Laws of the arithmetic of what was expected."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from simulator import benchmark as expected
from tests.strategies import worlds

ratio = st.floats(0.5, 2.0)
share = st.floats(0.0, 1.0)


@given(worlds())
def test_pooling_keeps_people_and_dollars(world):
    pooled = expected.pool(world.assign_coords(kind=("segment", list("aabb"))), "kind")
    before = (world.truncated_expenditure_ppy * world.person_years).sum("segment")
    after = (pooled.truncated_expenditure_ppy * pooled.person_years).sum("segment")
    np.testing.assert_allclose(after, before, rtol=1e-12)
    np.testing.assert_allclose(pooled.person_years.sum(), world.person_years.sum(), rtol=1e-12)


def test_a_cell_without_people_is_never_divided():
    world = xr.Dataset(
        {
            "person_years": (("aco", "segment"), [[0.0, 0.0, 5.0]]),
            "risk_score": (("aco", "segment"), [[1.0, 1.2, 0.9]]),
        },
        {"segment": ["x", "y", "z"], "kind": ("segment", ["a", "a", "b"])},
    )
    pooled = expected.pool(world, "kind")
    assert pooled.risk_score.values.tolist() == [[1.1, 0.9]]


@given(ratio, ratio, share)
def test_a_blend_lies_between_its_parts(a, b, weight):
    low, high = min(a, b), max(a, b)
    assert low - 1e-12 <= expected.blended(a, b, weight) <= high + 1e-12
    assert low - 1e-12 <= expected.three_way(a, b, weight) <= high + 1e-12


@given(ratio, ratio)
def test_a_risk_cap_is_idempotent_and_never_raises(growth, allowed):
    once = expected.capped_growth(growth, allowed)
    assert once <= growth
    assert expected.capped_growth(once, allowed) == once


def test_each_aco_is_read_in_its_own_year():
    spent = xr.DataArray(
        [[1.0, 2.0], [3.0, 4.0]], {"year": [2018, 2019], "aco": ["x", "y"]}, ("year", "aco")
    )
    own = xr.DataArray([2018, 2019], {"aco": ["x", "y"]}, ("aco",))
    assert expected.in_year(spent, own).values.tolist() == [1.0, 4.0]


def test_a_year_that_is_not_there_is_named():
    spent = xr.DataArray([1.0], {"year": [2018]}, ("year",), name="national_ppy")
    with pytest.raises(KeyError, match="national_ppy in 2017"):
        expected.in_year(spent, 2017)
