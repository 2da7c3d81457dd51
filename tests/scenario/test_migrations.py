"""Scenarios of every version load for ever; a newer one is refused in a sentence."""

from functools import partial
from pathlib import Path

import pytest

from simulator.engine.checking import check
from simulator.errors import ScenarioError
from simulator.loading import Document, assign, at, parse_text
from simulator.scenario import reading
from simulator.scenario.migrations import CURRENT, STEPS, migrated, moved
from simulator.scenario.reading import canonical, read
from simulator.scenario.schema import Scenario
from tests.files import SCENARIO

GOLDEN = sorted((Path(__file__).parents[1] / "golden" / "scenarios").glob("*_v*.yaml"))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_scenario_of_an_earlier_version_loads_for_ever(path: Path, tmp_path: Path) -> None:
    scenario = check(path)
    assert scenario.schema_version == CURRENT
    again = tmp_path / "again.yaml"
    again.write_text(canonical(scenario), encoding="utf-8")
    assert read(again) == scenario


def test_every_version_has_its_golden_scenarios_and_its_step() -> None:
    kept = {int(path.stem.rpartition("_v")[2]) for path in GOLDEN}
    assert kept >= set(range(1, CURRENT + 1))
    assert set(STEPS) == set(range(1, CURRENT))
    assert Scenario.model_fields["schema_version"].default == CURRENT


@pytest.mark.parametrize("version", [2, 7, 10**20])
def test_a_newer_version_is_refused_in_a_sentence_and_nothing_else_is_judged(
    files, version: int
) -> None:
    files.put("x.yaml", f"schema_version: {version}\nnobody_knows: 1\n{SCENARIO}")
    assert files.lines() == [
        f"x.yaml:1: schema_version is {version}; this acosim reads versions up to 1: a newer "
        "acosim wrote this scenario and is needed to read it"
    ]


def test_a_newer_base_is_refused_at_its_own_line(files) -> None:
    files.put("base/market.yaml", f"schema_version: 2\n{files.market}")
    assert files.lines()[0].startswith("base/market.yaml:1: schema_version is 2; this acosim")


@pytest.mark.parametrize("version", ["0", "-1", "one", "1.5", "[1]"])
def test_what_is_no_version_is_a_mistake(files, version: str) -> None:
    files.put("x.yaml", f"schema_version: {version}\n{SCENARIO}")
    assert any(line.startswith("x.yaml:1: schema_version is ") for line in files.lines())


# A migration as one would be written: version 1 of a test schema says `risk` and gives a share in
# percent; version 2 says `risk_score`; version 3 gives a fraction.
def renamed(document: Document) -> Document:
    return moved(document, "population.*.risk", "population.*.risk_score")


def fractions(document: Document) -> Document:
    percent = at(document.value, ("share",))
    if not isinstance(percent, int | float):
        return document
    return assign(document, "share", percent / 100.0, document.place(("share",)))


OLD = "share: 3\npopulation:\n  a: {risk: 1.1}\n  b: {other: 2}\n"


def test_an_old_document_is_brought_up_step_by_step() -> None:
    steps = {1: renamed, 2: fractions}
    found = migrated(parse_text(OLD, "x.yaml"), steps, current=3)
    assert found.value == {
        "share": 0.03,
        "population": {"a": {"risk_score": 1.1}, "b": {"other": 2}},
    }
    later = migrated(parse_text(f"schema_version: 2\n{OLD}", "x.yaml"), steps, current=3)
    assert later.value == {
        "schema_version": 3,
        "share": 0.03,
        "population": {"a": {"risk": 1.1}, "b": {"other": 2}},
    }


def test_an_older_version_that_no_step_leads_from_is_refused_in_a_sentence() -> None:
    found = migrated(parse_text(f"schema_version: 1\n{OLD}", "x.yaml"), {2: fractions}, current=3)
    assert list(map(str, found.mistakes)) == [
        "x.yaml:1: schema_version is 1; this acosim has no step from version 1 to the next: "
        "read it with an acosim of its time, and write it as version 3"
    ]


def test_a_value_that_moved_keeps_its_line() -> None:
    found = migrated(parse_text(OLD, "x.yaml"), {1: renamed}, current=2)
    place = found.place(("population", "a", "risk_score"))
    assert place is not None
    assert str(place) == "x.yaml:3"


def test_a_current_document_is_itself() -> None:
    document = parse_text(f"schema_version: 1\n{OLD}", "x.yaml")
    assert migrated(document) is document


def test_an_unreadable_version_is_left_to_the_schema() -> None:
    with pytest.raises(ScenarioError):
        parse_text("schema_version: *a\n", "x.yaml")


OLD_NAME = SCENARIO.replace("churn_share: 0.2", "turnover: 0.2").replace("seed: 7", "seed: x")


def test_a_file_of_an_earlier_version_is_judged_as_it_is_now_at_the_lines_it_has(
    files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An invented step, from the file to its mistakes: only what is wrong is told, where it is."""

    def step(document: Document) -> Document:
        at_all = "population.*.segments.*"
        return moved(document, f"{at_all}.turnover", f"{at_all}.churn_share")

    files.put("x.yaml", OLD_NAME)
    assert any("turnover" in line for line in files.lines())
    monkeypatch.setattr(reading, "migrated", partial(migrated, steps={1: step}, current=2))
    (told,) = files.lines()
    assert told.startswith("x.yaml:3: seed is 'x'")
    wrong = OLD_NAME.replace("turnover: 0.2", "turnover: 20").replace("seed: x", "seed: 7")
    files.put("x.yaml", wrong)
    line = wrong.splitlines().index("        turnover: 20") + 1
    (told,) = files.lines()
    assert told.startswith(f"x.yaml:{line}: population.lakeshore.segments.esrd.churn_share is 20")
