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


def test_what_the_base_lacks_is_to_be_added(public_data: Path) -> None:
    later = initial("mssp", public_data / "mssp_puf_2022.csv", "A5022")
    assert later.tree["extends"] == "base/mssp_2022.yaml"
    (said,) = later.warnings
    assert said.startswith(
        "to be added before it runs: market.national_ppy lacks 2019, 2020, 2021"
    )
    earlier = initial("mssp", public_data / "mssp_puf_2021.csv", "A1001")
    assert earlier.tree["extends"] == "base/experience.yaml"
    assert earlier.tree["contracts"] == {"enhanced": {"program": "mssp", "option": "ENHANCED"}}
    assert earlier.warnings == (
        "to be added before it runs: market.national_ppy, USD per person-year by enrolment type, "
        "for base years 2016, 2017, 2018 and for 2021",
    )
    assert earlier.text().startswith("# to be added before it runs: market.national_ppy")


def test_with_what_is_to_be_added_it_runs(public_data: Path, tmp_path: Path) -> None:
    text = initial("mssp", public_data / "mssp_puf_2021.csv", "A1001").text()
    level = "{2016: 10_000, 2017: 10_200, 2018: 10_400, 2021: 11_400}"
    kinds = ("esrd", "disabled", "aged_dual", "aged_nondual")
    market = "".join(f"    {kind}: {level}\n" for kind in kinds)
    scenario = resolved(tmp_path, f"{text}\nmarket:\n  national_ppy:\n{market}")
    assert set(scenario.contracts) == {"enhanced"}


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
