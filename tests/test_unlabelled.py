import operator

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from simulator.unlabelled import Bare, BareWorld, bare

SIZES = {"trial": 3, "year": 2, "segment": 4}
DIMS = st.lists(st.sampled_from(sorted(SIZES)), unique=True)
BINARY = [operator.add, operator.sub, operator.mul, operator.truediv, operator.ge, np.minimum]


def plain(dims, seed=0):
    values = np.random.default_rng(seed).normal(size=[SIZES[dim] for dim in dims])
    return xr.DataArray(values, dims=dims)


@given(DIMS, DIMS, st.sampled_from(BINARY))
def test_two_bare_arrays_make_what_xarray_makes(first, second, operation):
    one, two = plain(first), plain(second, seed=1)
    for left, right in ((bare(one), bare(two)), (one, bare(two)), (bare(one), two)):
        found = operation(left, right)
        assert isinstance(found, Bare)
        assert found.identical(operation(one, two))


@given(DIMS, DIMS, DIMS)
def test_where_makes_what_xarray_makes(values, condition, other):
    one, holds, rest = plain(values), plain(condition, 1) > 0.0, plain(other, 2)
    assert bare(one).where(bare(holds), bare(rest)).identical(one.where(holds, rest))
    assert bare(one).where(bare(holds), 0.0).identical(one.where(holds, 0.0))
    assert bare(one).where(bare(holds)).identical(one.where(holds))


@given(DIMS.filter(bool), st.booleans())
def test_a_sum_is_what_xarray_makes_of_it_and_missing_where_a_part_is(dims, lacks):
    """Trap: xarray sums over what is missing; an enrolment type then settles as if it cost 0."""
    one = plain(dims)
    one[dict.fromkeys(dims, 0)] = np.nan if lacks else 1.0
    for dim in (dims[0], dims):
        assert bare(one).sum(dim).identical(one.sum(dim, skipna=False))


@pytest.mark.parametrize("operation", [operator.add, np.maximum])
def test_sizes_must_agree_though_one_is_a_single_value(operation):
    with pytest.raises(ValueError, match="aco has 1 and 3"):
        operation(bare(xr.DataArray(np.ones(3), dims="aco")), xr.DataArray([1.0], dims="aco"))


def test_labels_are_aligned_as_ever():
    labelled = xr.DataArray([1.0, 2.0], {"year": [2024, 2025]}, "year")
    assert bare(labelled) is labelled
    found = bare(plain(["segment"])) * labelled
    assert not isinstance(found, Bare)
    assert found.year.values.tolist() == [2024, 2025]
    with_label = bare(plain(["year"])).assign_coords(year=[2025, 2026]) + labelled
    assert with_label.year.values.tolist() == [2025]


def test_a_world_gives_bare_variables_and_keeps_words_and_labels():
    kinds = {"kind": ("aco", ["a", "b"]), "spent": (("year", "aco"), np.ones((2, 2)))}
    world = BareWorld({**kinds, "people": ("aco", [1.0, 2.0]), "year": [2024, 2025]})
    assert isinstance(world.people, Bare)
    assert isinstance(world["people"] + 1.0, Bare)
    assert not isinstance(world.kind, Bare)
    assert not isinstance(world.spent, Bare)
    assert isinstance(world.assign(people=2.0 * world.people), BareWorld)


@pytest.mark.parametrize("cells", [4, 12])
def test_no_layout_in_memory_changes_a_bit_of_a_sum(cells):
    values = np.random.default_rng(1).lognormal(size=(5, cells))
    by_trial, by_cell = (
        bare(xr.DataArray(held, dims=("trial", "segment"))) for held in (values, values.T.copy().T)
    )
    alone = bare(xr.DataArray(values[:1], dims=("trial", "segment")))
    assert np.array_equal(by_trial.sum("segment"), by_cell.sum("segment"))
    assert np.array_equal(by_trial.sum("segment")[:1], alone.sum("segment"))
