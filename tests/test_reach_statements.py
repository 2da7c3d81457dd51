"""Laws of every statement of ACO REACH, on drawn worlds; and what its years did to one another."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator import settlement as paid
from simulator.programs import contract
from tests.strategies import contracts, reach_worlds

YEARS = (2021, 2022, 2023, 2024, 2025, 2026)
CONTRACTS = contracts("reach", YEARS)
FEW = settings(max_examples=8)
WITHHOLDS = {2025: 0.02, 2026: 0.05}


def settled(chosen, world, **terms):
    year, option = chosen
    overrides = [(name, value, "law") for name, value in terms.items()]
    return contract("reach", year, option, overrides=overrides).settle(world)


@FEW
@given(CONTRACTS, st.data())
def test_every_statement_adds_up(chosen, data):
    one = contract("reach", *chosen)
    statement = one.settle(data.draw(reach_worlds(year=chosen[0])))
    for line, parts in one.adds_up:
        np.testing.assert_allclose(statement[line], statement.eval(parts), rtol=0, atol=1e-4)


@FEW
@given(CONTRACTS, st.data())
def test_every_waterfall_stands_on_its_own_changes(chosen, data):
    one = contract("reach", *chosen)
    statement, standing = one.settle(data.draw(reach_worlds(year=chosen[0]))), 0.0
    for step in one.waterfall:
        bar = one.evaluated(statement, step.usd)
        bar = bar.sum("segment") if "segment" in bar.dims else bar
        if step.kind == "level":
            np.testing.assert_allclose(bar, standing, rtol=0, atol=1e-3)
        else:
            standing = standing + bar


@FEW
@given(CONTRACTS, st.data())
def test_every_limit_can_be_told(chosen, data):
    one = contract("reach", *chosen)
    statement = one.settle(data.draw(reach_worlds(year=chosen[0])))
    for limit in one.limits:
        worth = one.evaluated(statement, limit.usd)
        bound = worth.where(one.evaluated(statement, limit.when) > 0, 0.0)
        assert np.isfinite(bound).all()
        if limit.of == "settlement":
            assert bool((bound >= -1e-6).all() or (bound <= 1e-6).all()), limit.text


@FEW
@given(CONTRACTS, st.data(), st.floats(0.01, 5_000.0))
def test_a_dollar_less_spending_never_lowers_a_settlement(chosen, data, less):
    world = data.draw(reach_worlds(year=chosen[0]))
    spent = world.expenditure_ppy
    cheaper = spent.where(spent.year < chosen[0], np.maximum(spent - less, 0.0))
    before = settled(chosen, world).settlement_usd
    after = settled(chosen, world.assign(expenditure_ppy=cheaper)).settlement_usd
    assert (after >= before - 1e-6).all()


@FEW
@given(CONTRACTS, st.data(), st.sampled_from([0.5, 3.0]))
def test_scaling_every_dollar_scales_every_line(chosen, data, scale):
    world = data.draw(reach_worlds(year=chosen[0]))
    before, after = settled(chosen, world), settled(chosen, _scaled(world, scale))
    for name, line in before.data_vars.items():
        factor = scale if name.endswith(("_usd", "_ppy")) else 1.0
        np.testing.assert_allclose(after[name], factor * line, rtol=1e-9, atol=1e-4)


@FEW
@given(CONTRACTS, st.data())
def test_splitting_a_segment_changes_nothing(chosen, data):
    world = data.draw(reach_worlds(year=chosen[0]))
    whole, split = settled(chosen, world), settled(chosen, _split(world))
    for name in whole.data_vars:
        np.testing.assert_allclose(split[name], whole[name], rtol=1e-9, atol=1e-4, err_msg=name)


@FEW
@given(CONTRACTS, st.data())
def test_people_of_no_months_change_nothing(chosen, data):
    world = data.draw(reach_worlds(year=chosen[0]))
    empty = world.channel != "claims"
    none = world.assign(person_years=world.person_years.where(~empty, 0.0))
    only = none.isel(segment=np.flatnonzero(~empty.values))
    for name in ("benchmark_usd", "expenditure_usd", "settlement_usd"):
        some, all_ = settled(chosen, only)[name], settled(chosen, none)[name]
        np.testing.assert_allclose(all_, some, rtol=1e-9, atol=1e-4)


@FEW
@given(CONTRACTS, st.data())
def test_what_is_advanced_changes_no_result(chosen, data):
    world = data.draw(reach_worlds(year=chosen[0]))
    without = world.assign_coords(
        {n: world[n] * 0.0 for n in ("enhanced_pcc_share", "provisional_settlement")}
    )
    plain, cash = settled(chosen, without), settled(chosen, world)
    np.testing.assert_allclose(cash.settlement_usd, plain.settlement_usd)
    paid_in_all = cash.payment_usd + cash.enhanced_pcc_usd + cash.provisional_payment_usd
    np.testing.assert_allclose(paid_in_all, plain.payment_usd, rtol=0, atol=1e-4)


# ------------------------------------------------ section 10 of the digest: PY2025 to PY2026


@FEW
@given(st.sampled_from(["global", "professional"]), st.data())
def test_less_regional_weight_lowers_a_benchmark_only_where_the_region_is_dearer(option, data):
    world = data.draw(reach_worlds()).isel(aco=[0])
    world = world.isel(segment=np.flatnonzero(world.channel == "claims"))
    old, new = (settled((2026, option), world, regional_weight_standard=w) for w in (0.45, 0.40))
    change = new.blended_benchmark_ppy - old.blended_benchmark_ppy
    gap = new.regional_rate_ppy - new.historical_benchmark_ppy
    assert (change * np.sign(gap) <= 1e-9).all()
    inside = new.regional_adjustment_ppy == new.uncapped_regional_adjustment_ppy
    both = inside & (old.regional_adjustment_ppy == old.uncapped_regional_adjustment_ppy)
    missed = (change + 0.05 * gap).where(both, 0.0)
    assert (abs(missed) <= 1e-6).all()


@FEW
@given(st.sampled_from(["global", "professional"]), st.data())
def test_the_larger_withhold_costs_what_quality_does_not_earn(option, data):
    world = data.draw(reach_worlds())
    old, new = (settled((2026, option), world, quality_withhold=w) for w in WITHHOLDS.values())
    base = new.benchmark_before_discount_usd + new.discount_usd
    lost = 0.03 * (1.0 - new.performance_quality_share) * base
    np.testing.assert_allclose(old.benchmark_usd - new.benchmark_usd, lost, atol=1e-4)


@FEW
@given(st.data())
def test_the_narrow_corridor_costs_half_of_what_lies_above_a_tenth(data):
    world = data.draw(reach_worlds(spread=0.05))
    wide = {"edges": [0.0, 0.25, 0.35, 0.5], "rates": [1.0, 0.5, 0.25, 0.1]}
    old = settled((2026, "global"), world, savings_bands=wide, loss_bands=wide)
    new = settled((2026, "global"), world)
    gross, benchmark = new.gross_savings_usd, new.benchmark_usd
    beyond = 0.5 * paid.gains(abs(gross) - 0.10 * benchmark)
    within = abs(gross) <= 0.25 * benchmark
    shared = [x.shared_savings_usd + x.shared_losses_usd for x in (old, new)]
    cost = (shared[0] - shared[1]).where(within, 0.0)
    np.testing.assert_allclose(cost, (np.sign(gross) * beyond).where(within, 0.0), atol=1e-4)


@FEW
@given(st.sampled_from(["global", "professional"]), st.data())
def test_the_second_cap_only_lowers_and_only_standard_and_newly_aligned(option, data):
    world = data.draw(reach_worlds())
    without = settled((2026, option), world, second_cap="none", high_needs_second_cap="none")
    with_it = settled((2026, option), world)
    fall = without.benchmark_risk_score - with_it.benchmark_risk_score
    assert (fall >= 0.0).all()
    new = [str(s).endswith("newly_voluntary") for s in fall.segment.values]
    assert (fall.sel(aco="new_entrant") == 0.0).all()
    assert (fall.sel(aco="high_needs").isel(segment=np.flatnonzero(~np.array(new))) == 0.0).all()
    assert (fall.sel(aco="standard").isel(segment=np.flatnonzero(new)) == 0.0).all()


@pytest.mark.parametrize("chosen", [(y, o) for y in YEARS for o in ("global", "professional")])
@FEW
@given(st.floats(-0.9, 0.9), st.floats(-0.9, 0.9))
def test_a_corridor_is_odd_monotone_and_never_more_than_a_dollar_a_dollar(chosen, one, other):
    terms = contract("reach", *chosen)
    assert terms.savings_bands == terms.loss_bands
    bands = (terms.savings_bands, terms.loss_bands)
    low, high = sorted((one, other))
    step = paid.corridor(high, 1.0, *bands) - paid.corridor(low, 1.0, *bands)
    assert -1e-12 <= step <= high - low + 1e-12
    assert paid.corridor(-one, 1.0, *bands) == -paid.corridor(one, 1.0, *bands)


@pytest.mark.parametrize("chosen", [(y, o) for y in YEARS for o in ("global", "professional")])
def test_a_corridor_is_continuous_at_every_edge(chosen):
    terms = contract("reach", *chosen)
    for edge in terms.savings_bands.edges:
        for at in (edge, -edge):
            near = [
                paid.corridor(at + d, 1.0, terms.savings_bands, terms.loss_bands)
                for d in (-1e-9, 1e-9)
            ]
            assert abs(near[1] - near[0]) <= 2.1e-9


def _scaled(world, scale):
    money = [n for n in world.data_vars if str(n).endswith("_ppy")]
    tiers = [n for n in world.coords if str(n).startswith("equity_")]
    scaled = world.assign({name: world[name] * scale for name in money})
    return scaled.assign_coords({name: world[name] * scale for name in tiers})


def _split(world):
    half = world.assign(person_years=world.person_years / 2)
    halves = [half, half.assign_coords(segment=[f"{s}_b" for s in world.segment.values])]
    by_segment = [n for n in half.data_vars if "segment" in half[n].dims]
    joined = xr.concat([h[by_segment] for h in halves], dim="segment")
    rest = world.drop_vars(by_segment).drop_vars(["segment", "entitlement", "channel"])
    return joined.merge(rest)
