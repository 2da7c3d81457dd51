"""ACO REACH settled by the simulator and by hand, on the same drawn worlds."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.benchmark import pool
from simulator.programs import contract
from tests.oracle.reach import YEARS, Cell, Input, settlement
from tests.strategies import reach_worlds

TIERS = ("top", "second", "third", "middle", "bottom")


def D(x):
    return Decimal(repr(float(x)))


def by_year(series):
    return {int(y): D(v) for y, v in zip(series.year.values, series.values, strict=True)}


def cells(world):
    """Return the cells of one ACO in one trial, pooled by person-years."""
    named = [
        f"{'esrd' if e == 'esrd' else 'aged_disabled'}_{c}"
        for e, c in zip(world.entitlement.values, world.channel.values, strict=True)
    ]
    pooled = pool(world.reset_coords().assign(cell_name=("segment", named)), "cell_name")
    year = int(pooled.year[-1])
    for name in pooled.segment.values:
        one = pooled.sel(segment=name).isel(aco=0)
        category = "esrd" if str(name).startswith("esrd") else "aged_disabled"
        yield Cell(
            category,
            str(name).removeprefix(f"{category}_"),
            by_year(one.person_years),
            by_year(one.expenditure_ppy),
            by_year(one.risk_score),
            by_year(one.demographic_score),
            D(one.rate_book_ppy.sel(year=year)),
            by_year(one.geographic_factor),
            by_year(one.uspcc_ppy),
            by_year(one.reference_ppy),
            D(one.coding_intensity_factor.sel(year=year)),
        )


@pytest.mark.parametrize("chosen", [(y, o) for y in YEARS for o in ("global", "professional")])
@settings(max_examples=3, deadline=None)
@given(st.data())
def test_reach_is_what_it_is_by_hand(chosen, data):
    year, option = chosen
    world = data.draw(reach_worlds(year=year, trials=2))
    found = contract("reach", year, option).settle(world)
    for i in range(world.sizes["aco"]):
        for t in range(world.sizes["trial"]):
            whole = world.isel(aco=[i])
            part = whole.isel(trial=t)
            one = part.isel(aco=0)
            by_hand = settlement(
                Input(
                    year,
                    option,
                    str(one.reach_type.values),
                    list(cells(part)),
                    D(one.total_quality_score.sel(year=year)),
                    D(one.reach_base_persons),
                    bool(one.retention_withheld == 1.0),
                    [D(one[f"equity_{tier}_share"]) for tier in TIERS],
                    D(one.high_performers_share),
                )
            )
            for line in ("benchmark_before_discount_usd", "benchmark_usd", "settlement_usd"):
                mine = float(found[line].isel(trial=t, aco=i))
                assert mine == pytest.approx(float(by_hand[line]), rel=1e-9, abs=0.005), line
