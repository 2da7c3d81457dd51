import sys

import pytest

from simulator import results
from simulator.engine.plan import plan
from simulator.engine.run import run
from tests.runs import small


@pytest.fixture
def folder(tmp_path):
    run(small(60, ["level_e"]), tmp_path, block=25)
    return next(tmp_path.iterdir())


def test_a_run_is_finished_running_or_stopped(folder):
    one = results.standing(folder)
    assert (one.state, one.done, one.blocks) == ("finished", 3, 3)
    with results.held(folder):
        assert results.standing(folder).state == "running"
    manifest = folder / "manifest.jsonl"
    manifest.write_text("".join(manifest.read_text().splitlines(keepends=True)[:2]))
    (folder / "run.json").unlink()
    one = results.standing(folder)
    assert (one.state, one.done, one.blocks) == ("stopped", 2, 3)
    assert one.next == f"acosim run {folder}/scenario.yaml --out {folder.parent}"


def test_every_run_of_a_folder_is_told_also_one_that_cannot_be_read(folder):
    other = folder.with_name("other")
    other.mkdir()
    (other / "scenario.yaml").write_text("name: [")
    found = {one.run: one.state for one in results.standings(folder.parent)}
    assert found == {str(folder): "finished", str(other): "unreadable"}
    assert list(results.standings(folder / "nowhere")) == []


@pytest.fixture
def older(folder, monkeypatch):
    """Return a finished run, and the plan of its scenario by another version of acosim."""
    for module in ("simulator.results", "simulator.results.standing"):
        monkeypatch.setattr(sys.modules[module], "code_version", lambda: "9.9.9+00000000")
    return folder, plan(small(60, ["level_e"]), folder.parent)


def test_a_run_of_the_same_scenario_by_another_version_is_told_of(older):
    folder, planned = older
    assert planned.folder != folder
    assert [one.run for one in results.others(planned.folder, planned.scenario)] == [str(folder)]
    edited = planned.scenario.model_copy(update={"seed": 7})
    assert not [*results.others(planned.folder, edited)]
    planned.folder.mkdir()
    assert not [*results.others(planned.folder, planned.scenario)]


def test_a_run_stopped_under_another_version_is_told_of_and_not_promised_to_go_on(older):
    folder, planned = older
    (folder / "run.json").unlink()
    edited = planned.scenario.model_copy(update={"seed": 7})
    assert [one.run for one in results.others(planned.folder, edited)] == [str(folder)]
    assert results.standing(folder).next.startswith("with acosim ")
    assert results.standing(folder).next.endswith("(acosim 9.9.9+00000000 makes another run)")


def test_an_edited_scenario_of_this_version_is_not_told_of(folder):
    edited = small(60, ["level_e"]).model_copy(update={"seed": 7})
    assert not [*results.others(plan(edited, folder.parent).folder, edited)]
