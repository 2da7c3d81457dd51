"""A scenario filled in stands alone: nothing in it names a file, and every mistake is told."""

from pathlib import Path

import pytest

from simulator.errors import ScenarioError
from simulator.population import filled
from simulator.scenario.reading import canonical, read
from simulator.scenario.schema import Scenario

QUICKSTART = Path(__file__).parents[2] / "scenarios" / "quickstart.yaml"
BENCHMARKS = "app_plus_py2026_quality_benchmarks.csv"
COUNTY = {"Alabama/Baldwin": {"aged_nondual": 4_000.0, "aged_dual": 100.0}}


def scenario(measures: dict[str, float], county: object = COUNTY) -> Scenario:
    plain = read(QUICKSTART).model_dump(exclude_none=True)
    plain["market"]["counties"] = ("mssp_county_ffs_2018.csv",)
    plain["population"]["covenant"]["counties"] = county
    plain["experience"]["quality"] |= {"measures": measures, "benchmarks": BENCHMARKS}
    plain["experience"]["run_out"] = {
        "year": 2022,
        "months_observed": 9,
        "observed_ppy": {"covenant": {"esrd": 80_000.0}},
        "factors": {6: 1.154, 12: 1.072},
    }
    return Scenario.model_validate(plain)


def test_what_is_filled_in_stands_alone(public_data: Path, tmp_path: Path) -> None:
    found = filled(scenario({"236SSP": 70.15}), public_data)
    segments = found.population["covenant"].segments
    # CMS 2018: 9,459.36 at a score of 1.01092, 4,000 of 18,916.17 assignable
    assert segments["aged_nondual"].regional_ppy[2018] == pytest.approx(9_459.36 / 1.01092)
    assert segments["aged_nondual"].assigned_share[2018] == 0.05  # as typed in
    assert segments["esrd"].regional_ppy == {}
    assert found.experience.quality.mean == pytest.approx(0.5)
    assert found.experience.run_out is not None
    assert found.experience.run_out.completion_factor.mean == pytest.approx((1.154 * 1.072) ** 0.5)
    (tmp_path / "x.yaml").write_text(canonical(found), encoding="utf-8")
    again = read(tmp_path / "x.yaml")
    assert filled(again, tmp_path) == again == found


def test_a_scenario_that_names_nothing_is_itself(tmp_path: Path) -> None:
    plain = read(QUICKSTART)
    assert filled(plain, tmp_path) == plain


def test_every_mistake_is_told_at_once(public_data: Path) -> None:
    wrong = scenario({"236SSB": 70.15}, {"Alabama/Baldwyn": {"aged_nondual": 1.0}})
    with pytest.raises(ScenarioError) as caught:
        filled(wrong, public_data)
    paths = [message.split(":")[0] for message in caught.value.messages]
    assert paths == [
        "population.covenant.counties.Alabama/Baldwyn",
        "experience.quality.measures.236SSB",
    ]
