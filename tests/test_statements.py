"""Laws of every statement of every program, on drawn worlds."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import SimulatorError
from simulator.programs import contract
from tests.strategies import contracts, worlds

YEARS = (2019, 2020, 2021, 2022, 2023, 2024, 2025, 2026, 2027)
LEVELS = ("A", "B", "C", "D", "E", "ENHANCED")
CONTRACTS = st.sampled_from([(year, level) for year in YEARS for level in LEVELS])
STARTS = (2019, 2020, 2022, 2024, 2025, 2026)


@given(contracts("mssp", YEARS), st.data())
def test_every_statement_adds_up(chosen, data):
    year, option = chosen
    settled = contract("mssp", year, option)
    statement = settled.settle(data.draw(worlds(year=year, starts=STARTS)))
    for line, parts in settled.adds_up:
        np.testing.assert_allclose(statement[line], statement.eval(parts), rtol=0, atol=1e-4)


@given(contracts("mssp", YEARS), st.data())
def test_every_waterfall_stands_on_its_own_changes(chosen, data):
    year, option = chosen
    settled = contract("mssp", year, option)
    statement = settled.settle(data.draw(worlds(year=year, starts=STARTS)))
    standing = 0.0
    for step in settled.waterfall:
        bar = settled.evaluated(statement, step.usd)
        bar = bar.sum("segment") if "segment" in bar.dims else bar
        if step.kind == "level":
            np.testing.assert_allclose(bar, standing, rtol=0, atol=1e-3)
        else:
            standing = standing + bar


@given(contracts("mssp", YEARS), st.data())
def test_a_limit_either_costs_or_spares_the_aco(chosen, data):
    year, option = chosen
    settled = contract("mssp", year, option)
    statement = settled.settle(data.draw(worlds(year=year, starts=STARTS)))
    for limit in (one for one in settled.limits if one.of != "benchmark"):
        worth = settled.evaluated(statement, limit.usd).where(
            settled.evaluated(statement, limit.when) > 0, 0.0
        )
        assert bool((worth >= -1e-6).all() or (worth <= 1e-6).all()), limit.text


def test_a_line_that_is_lacking_is_named():
    settled = contract("mssp", 2024, "E")
    with pytest.raises(SimulatorError, match=r"mssp 2024 E: 'lost_usd': .*lost_usd"):
        settled.evaluated(xr.Dataset({"settlement_usd": 1.0}), "lost_usd")


@given(CONTRACTS, st.data(), st.floats(0.01, 5_000.0))
def test_a_dollar_less_spending_never_lowers_a_settlement(chosen, data, less):
    year, option = chosen
    settled, world = contract("mssp", year, option), data.draw(worlds(year=year, starts=STARTS))
    spent = world.truncated_expenditure_ppy
    cheaper = spent.where(spent.year < year, np.maximum(spent - less, 0.0))
    before = settled.settle(world).settlement_usd
    after = settled.settle(world.assign(truncated_expenditure_ppy=cheaper)).settlement_usd
    assert (after >= before - 1e-6).all()


@given(CONTRACTS, st.data(), st.sampled_from([0.5, 3.0]))
def test_scaling_every_dollar_scales_every_line(chosen, data, scale):
    year, option = chosen
    settled = contract("mssp", year, option)
    world = data.draw(worlds(year=year, starts=STARTS))
    before, after = settled.settle(world), settled.settle(_scaled(world, scale))
    for name, line in before.data_vars.items():
        factor = scale if name.endswith(("_usd", "_ppy")) else 1.0
        np.testing.assert_allclose(after[name], factor * line, rtol=1e-9, atol=1e-4)


@given(CONTRACTS, st.data())
def test_splitting_a_segment_changes_nothing(chosen, data):
    year, option = chosen
    settled = contract("mssp", year, option)
    world = data.draw(worlds(year=year, starts=STARTS))
    whole, split = settled.settle(world), settled.settle(_split(world))
    for name in ("benchmark_usd", "expenditure_usd", "settlement_usd"):
        np.testing.assert_allclose(split[name], whole[name], rtol=1e-9, atol=1e-4)


@given(st.data(), st.sampled_from(["truncated_expenditure_ppy", "person_years", "national_ppy"]))
def test_what_is_missing_of_one_type_is_missing_in_the_settlement(data, name):
    """Trap: a type without a figure left out of the sums, as if it had no people or no cost."""
    world = data.draw(worlds(year=2024, starts=(2024,)))
    last = (world.year == 2024) & (world.segment == "disabled")
    lacking = world.assign({name: world[name].where(~last)})
    settled = contract("mssp", 2024, "E").settle(lacking)
    assert settled.gross_savings_usd.isnull().all()


@given(st.data())
def test_a_one_sided_option_never_owes(data):
    world = data.draw(worlds(year=2024, starts=STARTS))
    assert (contract("mssp", 2024, "A").settle(world).settlement_usd >= 0).all()


@pytest.mark.parametrize("option", LEVELS)
@given(st.data())
def test_nobody_owes_in_2022(option, data):
    statement = contract("mssp", 2022, option).settle(data.draw(worlds()))
    assert (statement.settlement_usd >= -1e-6).all()


def _scaled(world, scale):
    money = [n for n in world.data_vars if str(n).endswith(("_ppy", "_usd"))]
    scaled = world.assign({name: world[name] * scale for name in money})
    return scaled.assign_coords(aip_balance_usd=world.aip_balance_usd * scale)


def _split(world):
    half = world.assign(person_years=world.person_years / 2)
    halves = [half, half.assign_coords(segment=[f"{s}_b" for s in world.segment.values])]
    by_segment = [n for n in half.data_vars if "segment" in half[n].dims]
    joined = xr.concat([h[by_segment] for h in halves], dim="segment")
    return joined.merge(world.drop_vars(by_segment).drop_vars(["segment", "entitlement"]))
