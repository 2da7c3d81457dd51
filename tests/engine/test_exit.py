"""Leaving a contract: for good, by what is settled, and with nothing afterwards."""

from pathlib import Path

import numpy as np
import pytest

from simulator.engine.checking import check
from simulator.engine.simulate import simulate
from simulator.engine.tracks import tracks
from simulator.errors import ScenarioError
from simulator.scenario.sweep import cases

SCENARIO = Path(__file__).parents[2] / "scenarios" / "lead_or_mssp.yaml"
YEARS = "years=[2027, 2028, 2029, 2030]"


def settled(*overrides):
    (case,) = cases(check(SCENARIO, (YEARS, *overrides)))
    return simulate(case, tracks(case), range(200))["lead_global"].isel(aco=0)


@pytest.fixture(scope="module")
def free():
    return settled()


@pytest.fixture(scope="module")
def leaving():
    return settled("contracts.lead_global.exit={losses_in_a_row: 1, settled_after_years: 1}")


def test_an_aco_leaves_after_a_loss_that_it_knows_of(free, leaving):
    owed = free.settlement_usd < 0.0
    for year in (2029, 2030):
        before = owed.sel(year=slice(None, year - 2)).any("year")
        there = leaving.participates.sel(year=year) > 0.0
        assert np.array_equal(there, ~before)
        assert 0 < int(before.sum()) < 200


def test_nothing_is_settled_after_leaving_and_all_else_is_the_same(free, leaving):
    there = leaving.participates > 0.0
    for name in ("benchmark_usd", "expenditure_usd", "settlement_usd", "payment_usd"):
        assert np.array_equal(leaving[name], free[name].where(there, 0.0)), name


def test_what_comes_later_changes_no_decision(leaving):
    longer = "contracts.lead_global.exit={losses_in_a_row: 1, settled_after_years: 1}"
    shorter = settled(longer, "years=[2027, 2028, 2029]")
    assert np.array_equal(shorter.participates, leaving.participates.sel(year=slice(None, 2029)))


def test_a_lead_contract_asks_for_what_the_aco_enters_with():
    with pytest.raises(ScenarioError, match="leaver lacks lead; lead contracts need it"):
        check(SCENARIO, ("population.leaver.lead=~",))


def test_base_years_that_are_not_given_are_named():
    with pytest.raises(ScenarioError, match="gives all base years 2023, 2024, 2025"):
        check(SCENARIO, ("population.leaver.lead.start=2026",))
