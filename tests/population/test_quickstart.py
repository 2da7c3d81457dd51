"""The quickstart's ACO: its expectation meets what CMS published about it."""

import csv
from pathlib import Path

import pytest

from simulator.population import project
from simulator.programs import contract
from simulator.scenario.reading import read
from simulator.scenario.schema import Scenario

SCENARIO = Path(__file__).parents[2] / "scenarios" / "quickstart.yaml"
COLUMNS = {"esrd": "ESRD", "disabled": "DIS", "aged_dual": "AGDU", "aged_nondual": "AGND"}
COUNTS = {"AGDU": "AGED_Dual", "AGND": "AGED_NonDual"}


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return read(SCENARIO)


@pytest.fixture
def row(public_data: Path) -> dict[str, float]:
    with open(public_data / "mssp_puf_2022.csv", encoding="utf-8-sig") as file:
        found = next(row for row in csv.DictReader(file) if row["ACO_ID"] == "A2021")
    return {k: float(v) for k, v in found.items() if v.replace(".", "").replace("-", "").isdigit()}


def test_the_expected_updated_benchmark_is_the_published_one(scenario: Scenario) -> None:
    people = project(scenario.population, scenario.market, scenario.years, 0.0)
    settled = people.persons * 0.0
    world = people.rename(expenditure_ppy="truncated_expenditure_ppy").assign(
        quality_score=settled + 1.0, outcome_quality_met=settled + 1.0, circumstances_share=settled
    )
    statement = contract("mssp", 2022, "E").settle(world)
    observed = scenario.population["covenant"].observed
    assert observed is not None
    assert observed.updated_benchmark_ppy == 12_915
    assert float(statement.total_historical_benchmark_ppy.item()) == pytest.approx(12_416)
    assert abs(float(statement.total_updated_benchmark_ppy.item()) - 12_915) < 0.5


def test_every_figure_is_that_of_the_published_row(
    scenario: Scenario, row: dict[str, float]
) -> None:
    aco = scenario.population["covenant"]
    years = {"BY1": 2016, "BY2": 2017, "BY3": 2018, "PY": 2022}
    for name, column in COLUMNS.items():
        segment = aco.segments[name]
        for suffix, year in years.items():
            assert segment.risk_score[year] == row[f"CMS_HCC_RiskScore_{column}_{suffix}"]
            spent = (
                aco.observed.expenditure_ppy[name]
                if year == 2022
                else segment.expenditure_ppy[year]
            )
            assert spent == row[f"Per_Capita_Exp_ALL_{column}_{suffix}"]
        counted = COUNTS.get(column, column)
        assert segment.person_years[2018] == row[f"N_AB_Year_{counted}_BY3"]
        assert segment.person_years[2022] == row[f"N_AB_Year_{counted}_PY"]


def test_the_published_result_is_that_of_the_row(
    scenario: Scenario, row: dict[str, float]
) -> None:
    aco = scenario.population["covenant"]
    assert aco.persons[2022] == row["N_AB"]
    assert aco.historical_benchmark_ppy == row["HistBnchmk"]
    assert aco.observed.settlement_usd == row["EarnSaveLoss"]
    assert aco.observed.benchmark_usd == row["ABtotBnchmk"]
    assert aco.observed.expenditure_usd == row["ABtotExp"]
    assert aco.observed.updated_benchmark_ppy == row["UpdatedBnchmk"]


def test_the_model_is_not_told_what_was_spent_in_the_simulated_year(scenario: Scenario) -> None:
    aco = scenario.population["covenant"]
    assert all(2022 not in segment.expenditure_ppy for segment in aco.segments.values())


def test_every_default_that_was_fitted_or_assumed_has_a_source(scenario: Scenario) -> None:
    experience = scenario.experience.model_dump()
    groups = {name: fields for name, fields in experience.items() if isinstance(fields, dict)}
    for group, fields in groups.items():
        for field in fields:
            paths = {f"experience.{group}", f"experience.{group}.{field}"}
            neutral = fields[field] in (0.0, 1.0, True, None, {})
            assert neutral or paths & scenario.sources.keys(), (group, field)
