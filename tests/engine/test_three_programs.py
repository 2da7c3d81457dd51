"""The six laws of randomness with MSSP, REACH and LEAD in one scenario."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from simulator.engine.checking import check
from simulator.engine.simulate import simulate
from simulator.engine.tracks import tracks
from simulator.scenario.schema import ContractChoice, Scenario
from simulator.scenario.sweep import cases

SCENARIO = Path(__file__).parents[2] / "scenarios" / "lead_or_mssp.yaml"
TRIALS = range(12)
LINES = ("benchmark_usd", "expenditure_usd", "settlement_usd")
SEGMENTS = {
    "esrd": 80_000,
    "disabled": 11_500,
    "aged_dual": 14_000,
    "aged_dual_high_needs": 33_000,
    "aged_nondual": 7_700,
    "aged_nondual_high_needs": 29_500,
    "aged_nondual_voluntary": 7_700,
}


def _history() -> list[str]:
    """Return what REACH reads of 2017 to 2019, and 2022, as a scenario's own words."""
    said = ["population.leaver.reach={type: standard, first_year: 2023}"]
    for name, level in SEGMENTS.items():
        at = f"population.leaver.segments.{name}"
        for year in (2017, 2018, 2019):
            said.append(f"{at}.expenditure_ppy.{year}={level}")
        for year in (2017, 2018, 2019, 2022, 2023):
            said += [f"{at}.risk_score.{year}=1.0", f"{at}.person_years.{year}=1000"]
    for category, level in (("aged_disabled", 9_000), ("high_needs", 31_000), ("esrd", 85_000)):
        for year in (2017, 2018, 2019, 2022, 2023):
            said.append(f"market.uspcc_ppy.{category}.{year}={level}")
    return said


BOTH = ("years=[2027, 2028]", *_history(), "contracts.enhanced=~")
# REACH has no rules for these years: a what-if, those of its last year.
REACH = ContractChoice(program="reach", option="global", rules_year=2026)


@cache
def scenario(*overrides: str) -> Scenario:
    one = check(SCENARIO, (*BOTH, *overrides))
    return one.model_copy(update={"contracts": {**one.contracts, "reach": REACH}})


def settled(one: Scenario, trials: range = TRIALS) -> dict[str, object]:
    (case, *_) = cases(one)
    return simulate(case, tracks(case), trials)


@pytest.fixture(scope="module")
def whole() -> dict[str, object]:
    return settled(scenario())


def same(some, whole, years=(2027, 2028), trials=TRIALS) -> None:
    """Assert that every line of every contract of `some` is in `whole`, bit by bit."""
    for label, statement in some.items():
        for name in LINES:
            part = statement[name].sel(year=list(years), aco="leaver")
            held = whole[label][name].sel(year=list(years), aco="leaver", trial=list(trials))
            assert np.array_equal(part, held), f"{label} {name}"


def test_three_programs_share_one_world(whole) -> None:
    """Trap: a shock drawn anew for each program; all settle the same futures."""
    assert set(whole) == {"lead_global", "lead_professional", "level_e", "reach"}
    spent = [whole[label].claims_usd for label in ("lead_global", "lead_professional")]
    assert np.array_equal(spent[0], spent[1])


@pytest.mark.parametrize("left", ["lead_global", "level_e", "reach"])
def test_a_contract_alone_draws_what_it_draws_among_others(whole, left) -> None:
    one = scenario()
    alone = one.model_copy(update={"contracts": {left: one.contracts[left]}})
    same(settled(alone), whole)


def test_another_aco_changes_no_draw(whole) -> None:
    one = scenario()
    both = {**one.population, "other": one.population["leaver"]}
    more = settled(one.model_copy(update={"population": both}))
    same({k: s.sel(aco=["leaver"]) for k, s in more.items()}, whole)


def test_another_year_changes_no_draw(whole) -> None:
    same(settled(scenario("years=[2027, 2028, 2029]")), whole)
    same(settled(scenario("years=[2027]")), whole, years=(2027,))


def test_a_block_of_trials_is_the_same_alone_and_among_others(whole) -> None:
    same(settled(scenario(), range(5, 9)), whole, trials=range(5, 9))
    more = {k: s.isel(trial=slice(0, 12)) for k, s in settled(scenario(), range(20)).items()}
    same(more, whole)


def test_a_case_of_a_sweep_changes_only_what_it_sweeps(whole) -> None:
    swept = scenario("sweep={grid: {market.rate_book_phase: [0.0, 1.0]}}")
    same(settled(swept), whole)
