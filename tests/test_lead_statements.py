"""Laws of every statement of LEAD, every year and option, on drawn worlds."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.programs import contract
from tests.oracle.lead_cases import PAIRS, drawn

CONTRACTS = st.sampled_from(PAIRS)
SEEDS = st.integers(0, 2**32 - 1)
FEW = settings(max_examples=6)
PAYMENTS = ("benchmark_usd", "expenditure_usd", "settlement_usd", "payment_usd")


@pytest.mark.parametrize(("year", "option"), PAIRS)
def test_every_statement_adds_up(year, option):
    one = contract("lead", year, option)
    statement = one.settle(drawn(year, year, 4))
    for line, parts in one.adds_up:
        np.testing.assert_allclose(statement[line], statement.eval(parts), rtol=0, atol=1e-4)


@pytest.mark.parametrize(("year", "option"), PAIRS)
def test_every_waterfall_stands_on_its_own_changes(year, option):
    one = contract("lead", year, option)
    statement, standing = one.settle(drawn(year, year, 4)), 0.0
    for step in one.waterfall:
        bar = one.evaluated(statement, step.usd)
        bar = bar.sum("segment") if "segment" in bar.dims else bar
        if step.kind == "level":
            np.testing.assert_allclose(bar, standing, rtol=0, atol=1e-3)
        else:
            standing = standing + bar


@FEW
@given(CONTRACTS, SEEDS)
def test_every_limit_can_be_told(chosen, seed):
    one = contract("lead", *chosen)
    statement = one.settle(drawn(seed, chosen[0], 4))
    for limit in one.limits:
        worth = one.evaluated(statement, limit.usd)
        bound = worth.where(one.evaluated(statement, limit.when) > 0, 0.0)
        assert np.isfinite(bound).all()


@FEW
@given(CONTRACTS, SEEDS, st.floats(0.01, 5_000.0))
def test_a_dollar_less_spending_never_lowers_a_settlement(chosen, seed, less):
    year, option = chosen
    world = drawn(seed, year, 4)
    spent = world.expenditure_ppy
    cheaper = spent.where(spent.year < year, np.maximum(spent - less, 0.0))
    before = contract("lead", year, option).settle(world)
    after = contract("lead", year, option).settle(world.assign(expenditure_ppy=cheaper))
    kept = world.participation_share.sel(year=year) == 1.0
    gained = (after.settlement_usd - before.settlement_usd).where(kept, 0.0)
    # An ACO that leaves within the year loses its savings, and only there a dollar may cost.
    assert (gained >= -1e-4).all()


@FEW
@given(CONTRACTS, SEEDS, st.sampled_from([0.5, 3.0]))
def test_scaling_every_dollar_scales_every_line(chosen, seed, scale):
    world = drawn(seed, chosen[0], 4)
    before = contract("lead", *chosen).settle(world)
    after = contract("lead", *chosen).settle(_scaled(world, scale))
    for name, line in before.data_vars.items():
        factor = scale if name.endswith(("_usd", "_ppy")) else 1.0
        np.testing.assert_allclose(after[name], factor * line, rtol=1e-8, atol=1e-3)


@FEW
@given(CONTRACTS, SEEDS)
def test_splitting_a_segment_changes_nothing(chosen, seed):
    atoms = _atoms(drawn(seed, chosen[0], 4))
    whole = contract("lead", *chosen).settle(atoms)
    split = contract("lead", *chosen).settle(_split(atoms))
    for name in PAYMENTS:
        np.testing.assert_allclose(split[name], whole[name], rtol=1e-9, atol=1e-4)


def _scaled(world, scale):
    money = [n for n in world.reset_coords().data_vars if str(n).endswith(("_ppy", "_usd"))]
    plain = world.reset_coords()
    return plain.assign({n: plain[n] * scale for n in money})


def _atoms(world):
    kinds = ["aged_nondual", "disabled", "esrd", "aged_nondual", "esrd"]
    channels = ["claims"] * 3 + ["voluntary"] * 2
    return world.assign_coords(
        segment=["a", "b", "c", "d", "e"],
        entitlement=("segment", kinds),
        high_needs=("segment", [False, True, False, False, False]),
        channel=("segment", channels),
    )


def _split(world):
    half = world.assign(person_years=world.person_years / 2)
    halves = [half, half.assign_coords(segment=[f"{s}_2" for s in world.segment.values])]
    by_segment = [n for n in half.data_vars if "segment" in half[n].dims]
    joined = xr.concat([h[by_segment] for h in halves], dim="segment")
    rest = [n for n in half.data_vars if n not in by_segment]
    plain = ["segment", "entitlement", "high_needs", "channel"]
    return joined.merge(world[rest].drop_vars(plain, errors="ignore"))
