"""A scenario to start from, against the one typed by hand and the year's other rows."""

from pathlib import Path

import pytest
import xarray as xr

from simulator.engine.initial import initial, initials
from simulator.errors import ScenarioError
from simulator.population import project
from simulator.programs import contract
from simulator.sampling.streams import Streams
from simulator.sampling.world import draw
from simulator.scenario import reading
from simulator.scenario.schema import Aco, Scenario

QUICKSTART = Path(__file__).parents[2] / "scenarios" / "quickstart.yaml"


def resolved(folder: Path, text: str) -> Scenario:
    path = folder / "initial.yaml"
    path.write_text(text, encoding="utf-8")
    return reading.read(path)


def people(scenario: Scenario) -> xr.Dataset:
    trend = scenario.experience.trend.mean
    return project(scenario.population, scenario.market, scenario.years, trend)


def only(scenario: Scenario) -> Aco:
    (aco,) = scenario.population.values()
    return aco


def test_the_quickstart_is_what_its_row_gives(public_data: Path, tmp_path: Path) -> None:
    made = initial("mssp", public_data / "mssp_puf_2022.csv", "A2021")
    assert made.warnings == ()
    mine, typed = resolved(tmp_path, made.text()), reading.read(QUICKSTART)
    unsaid = {"prior_savings_ppy": {}, "reconciled_person_years": {}}
    bare = {name: aco.model_copy(update=unsaid) for name, aco in mine.population.items()}
    mine = mine.model_copy(update={"population": bare})
    assert mine.experience == typed.experience
    assert mine.market == typed.market
    assert mine.contracts == typed.contracts
    # The row does not say that its regional adjustments began with its second agreement.
    apart = {"aco": ["it"], "region": ("aco", ["it"]), "regional_agreement_number": ("aco", [2])}
    alike = [people(scenario).assign_coords(apart) for scenario in (mine, typed)]
    xr.testing.assert_identical(*alike)
    needs = contract("mssp", 2022, "E").needs
    streams = Streams(typed.seed)
    worlds = [draw(each, typed.experience, streams, range(4), needs) for each in alike]
    xr.testing.assert_identical(*worlds)
    given = only(typed).model_dump(exclude={"about", "region", "agreement", "observed"})
    assert only(mine).model_dump(include=set(given)) == given
    seen = only(typed).observed.model_dump(exclude={"source"})
    assert only(mine).observed.model_dump(exclude={"source"}) == seen


def test_the_expected_benchmark_is_the_published_one(public_data: Path, tmp_path: Path) -> None:
    file = public_data / "mssp_puf_2022.csv"
    for aco_id in ("A1001", "A1006", "A1023"):
        scenario = resolved(tmp_path, initial("mssp", file, aco_id).text())
        world = people(scenario)
        settled = contract("mssp", 2022, "E").settle(
            world.rename(expenditure_ppy="truncated_expenditure_ppy").assign(
                quality_score=world.persons * 0.0 + 1.0,
                outcome_quality_met=world.persons * 0.0,
                circumstances_share=world.persons * 0.0,
            )
        )
        published = only(scenario).observed.updated_benchmark_ppy
        assert abs(settled.total_updated_benchmark_ppy.item() - published) < 1.0


def test_a_score_at_the_threshold_is_not_taken_for_the_acos_own_unsaid(public_data: Path) -> None:
    """Trap: 39 of PY2022's 482 scores are the floor to which circumstances lift."""
    file = public_data / "mssp_puf_2022.csv"
    (said,) = initial("mssp", file, "A1023").warnings
    assert said.startswith("experience.quality.mean is 0.7063, the threshold itself")
    assert initial("mssp", file, "A1001").warnings == ()


def test_levels_that_no_base_has_are_the_acos_own_growth(
    public_data: Path, tmp_path: Path
) -> None:
    later = initial("mssp", public_data / "mssp_puf_2022.csv", "A5022")
    assert later.tree["extends"] == "base/mssp_2022.yaml"
    assert later.warnings == ()
    levels = later.tree["market"]["national_ppy"]
    assert set(levels["aged_nondual"]) == {2019, 2020, 2021}
    # 2018 as published, carried with the 3.6% that the ACOs of 2020 cost more from 2018 to 2019
    assert levels["aged_nondual"][2019] == pytest.approx(10_531.27 * 1.036, rel=1e-3)
    said = [later.tree["sources"][f"market.national_ppy.*.{year}"] for year in (2019, 2020, 2021)]
    assert all(text.startswith("Assumed: CMS's level of the nearest year") for text in said)
    assert resolved(tmp_path, later.text()).market.national_ppy["esrd"][2018] == 85_900.98


@pytest.mark.parametrize("year", [2023, 2024])
def test_a_year_without_a_base_of_its_own_is_ready_to_run(
    public_data: Path, tmp_path: Path, year: int
) -> None:
    made = initial("mssp", public_data / "mssp_puf_2022.csv", "A1392", year)
    assert made.tree["extends"] == [
        "base/market_2022.yaml",
        "base/market_2027.yaml",
        "base/experience.yaml",
    ]
    assert made.tree["contracts"] == {"enhanced": {"program": "mssp", "option": "ENHANCED"}}
    assert made.warnings == ()
    assert set(resolved(tmp_path, made.text()).contracts) == {"enhanced"}


def test_the_years_own_savings_are_there_for_a_renewal(public_data: Path) -> None:
    made = initial("mssp", public_data / "mssp_puf_2022.csv", "A1392")
    (aco,) = made.tree["population"].values()
    savings = (87_627_692 - 81_523_932) / 7_106
    assert aco["prior_savings_ppy"] == {2022: pytest.approx(savings, abs=0.005)}
    assert aco["reconciled_person_years"] == {2022: 7_106}


def test_years_that_are_only_replayed_are_refused(public_data: Path) -> None:
    with pytest.raises(ScenarioError, match="mssp 2018 can be replayed, not simulated"):
        initial("mssp", public_data / "mssp_puf_2018.csv", "A1001")


def test_every_aco_of_a_file_has_a_scenario_or_a_reason(public_data: Path, tmp_path: Path) -> None:
    path = tmp_path / "py2022.csv"
    header, *rows = (public_data / "mssp_puf_2022.csv").read_text("utf-8-sig").splitlines()
    spoilt = rows[2].replace("07/01/2019", "soon")
    path.write_text("\n".join([header, *rows[:2], spoilt, rows[3], rows[3]]), encoding="utf-8")
    first, second, third, fourth = initials("mssp", path)
    assert first.draft.aco_id == first.aco_id == "A1001"
    assert resolved(tmp_path, second.draft.text()).name == "a1006-2022"
    assert third.draft is None
    assert "Current_Start_Date is 'soon'; a date is needed" in third.mistakes[0]
    assert fourth.draft is None
    assert "is on lines 5, 6; one row is needed" in fourth.mistakes[0]
