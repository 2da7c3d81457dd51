"""The scenarios that we ship keep what their comments promise."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from simulator.engine.checking import check
from simulator.engine.simulate import simulate
from simulator.engine.tracks import tracks
from simulator.population import project
from simulator.scenario.schema import Scenario
from simulator.scenario.sweep import cases

FOLDER = Path(__file__).parents[2] / "scenarios"
STILL = (
    "experience.trend.sd=0.0",
    "experience.trend.regional_sd=0.0",
    "experience.deviation.sd=0.0",
    "experience.deviation.change_sd=0.0",
    "experience.severity.noise=false",
    "experience.risk_scores.sd={}",
    "experience.quality.sd=0.0",
)


def rebasing(*overrides: str) -> Scenario:
    return check(FOLDER / "rebasing.yaml", overrides)


def settled(scenario: Scenario, trials: range, label: str = "level_e") -> list[xr.Dataset]:
    """Return the statements of one contract without the effect and with it."""
    made = [simulate(case, tracks(case), trials)[label].isel(aco=0) for case in cases(scenario)]
    return [statement.mean("trial") for statement in made]


def kept(without: xr.Dataset, effect: xr.Dataset) -> xr.DataArray:
    gained = effect.gross_savings_usd - without.gross_savings_usd
    return gained / (without.expenditure_usd - effect.expenditure_usd)


@pytest.mark.parametrize("label", ["level_e", "enhanced"])
def test_in_expectation_rebasing_leaves_half_of_a_sustained_gain(label: str) -> None:
    left = kept(*settled(rebasing(*STILL), range(2), label))
    assert left.sel(year=slice(2025, 2028)).values == pytest.approx(np.ones(4))
    for renewal in (2029, 2034):
        assert float(left.sel(year=renewal)) == pytest.approx(0.506, abs=0.001)
    assert left.sel(year=slice(2029, 2033)).max() < 0.54


def test_over_all_futures_each_renewal_leaves_less_of_the_gain() -> None:
    left = kept(*settled(rebasing(), range(500)))
    assert float(left.sel(year=2028)) > float(left.sel(year=2029)) > float(left.sel(year=2034)) > 0


def test_the_gain_is_there_in_every_year() -> None:
    without, effect = settled(rebasing(), range(100))
    ratio = effect.expenditure_usd / without.expenditure_usd
    assert ratio.values == pytest.approx(0.95 * np.ones(10))


def test_the_aco_costs_what_its_region_costs_at_its_risk() -> None:
    scenario = rebasing()
    people = project(scenario.population, scenario.market, scenario.years, 0.04)
    ratio = people.expenditure_ppy / (people.regional_ppy * people.risk_score)
    assert ratio.values == pytest.approx(np.ones(ratio.shape), rel=1e-4)


def test_every_level_that_is_not_published_has_its_source() -> None:
    scenario = rebasing()
    for path in ("market.national_ppy", "market.prospective_factor", "population.typical"):
        assert "ssumed" in scenario.sources[path] or "public-use" in scenario.sources[path]
    assert scenario.experience.persistence.claims == 0.6
    assert "Derived" in scenario.sources["experience.persistence.claims"]


def test_revenue_stays_its_share_of_expenditure_over_ten_years() -> None:
    scenario = rebasing()
    people = project(scenario.population, scenario.market, scenario.years, 0.04)
    spent = (people.person_years * people.expenditure_ppy).sum("segment")
    part = (people.revenue_usd / spent).sel(year=slice(2025, 2034))
    assert np.ptp(part.values) < 1e-9
    assert part.max() < 0.35
