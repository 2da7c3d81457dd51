"""Every ACO of a file in one scenario: each settles there as in a scenario of its own."""

from pathlib import Path

import pytest

from simulator.engine import combining
from simulator.engine.checking import check
from simulator.engine.combining import combined
from simulator.engine.initial import Initial
from simulator.errors import ScenarioError
from simulator.population import project
from simulator.population.draft import Draft
from simulator.programs import contract
from simulator.scenario.schema import Scenario

SOME = 40


def some(public_data: Path, folder: Path) -> Path:
    """Return a file with every twelfth row of PY2022: of all agreement starts."""
    header, *rows = (public_data / "mssp_puf_2022.csv").read_text("utf-8-sig").splitlines()
    file = folder / "mssp_py2022.csv"
    file.write_text("\n".join([header, *rows[::12][:SOME]]), encoding="utf-8")
    return file


def whole(file: Path, folder: Path) -> Scenario:
    found = combined("mssp", file)
    for name, text in found.files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return check(folder / [*found.files][-1])


def test_every_acos_expected_benchmark_is_the_published_one(
    public_data: Path, tmp_path: Path
) -> None:
    scenario = whole(some(public_data, tmp_path), tmp_path)
    starts = {aco.agreement.start for aco in scenario.population.values()}
    assert len(starts) > 2
    people = project(
        scenario.population, scenario.market, scenario.years, scenario.experience.trend.mean
    )
    settled = contract("mssp", 2022, "E").settle(
        people.rename(expenditure_ppy="truncated_expenditure_ppy").assign(
            quality_score=people.persons * 0.0 + 1.0,
            outcome_quality_met=people.persons * 0.0,
            circumstances_share=people.persons * 0.0,
        )
    )
    for name, aco in scenario.population.items():
        made = float(settled.total_updated_benchmark_ppy.sel(aco=name))
        assert abs(made - aco.observed.updated_benchmark_ppy) < 1.0, name


def test_the_acos_lie_in_parts_that_can_be_read(
    public_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(combining, "LARGEST", 20_000)
    found = combined("mssp", some(public_data, tmp_path))
    assert len(found.files) > 3
    assert all(len(text) < 20_000 for text in found.files.values())


def draft(aco_id: str, level: float) -> Initial:
    tree = {
        "extends": "base/mssp_2022.yaml",
        "years": [2022],
        "population": {aco_id.lower(): {"persons": {2022: 9_000}}},
        "market": {"national_ppy": {"esrd": {2019: level}}},
        "experience": {"quality": {"mean": 0.8}},
        "sources": {},
    }
    return Initial(aco_id, Draft(aco_id, tree, {}, ()), ())


def test_drafts_that_say_different_things_of_a_level_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(combining, "initials", lambda *_: [draft("A1", 1.0), draft("A2", 2.0)])
    with pytest.raises(ScenarioError, match=r"A2: market\.national_ppy\.esrd\.2019 is 2\.0, of"):
        combined("mssp", "any.csv")
