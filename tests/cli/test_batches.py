import json
import sys

import pytest

from tests.test_cli import QUICKSTART, acosim

OTHER = QUICKSTART.with_name("without_relief.yaml")


@pytest.fixture
def wrong(tmp_path):
    file = tmp_path / "wrong.yaml"
    file.write_text("name: wrong\ntrials: many\n")
    return file


def test_several_scenarios_run_as_one_batch(tmp_path):
    answer = acosim("run", QUICKSTART, OTHER, "--trials", 40, "--out", tmp_path)
    assert answer.exit_code == 0
    assert len([line for line in answer.stdout.splitlines() if "covenant" in line]) == 12
    assert len([*tmp_path.glob("*/report.html")]) == 2
    again = acosim("run", QUICKSTART, OTHER, "--trials", 40, "--out", tmp_path, "--json")
    assert [one["trials"] for one in json.loads(again.stdout)["runs"]] == [40, 40]


def test_one_wrong_scenario_stops_a_batch_before_anything_is_computed(wrong, tmp_path):
    answer = acosim("run", QUICKSTART, wrong, "--set", "seed=1", "--out", tmp_path / "out")
    assert answer.exit_code == 3
    assert "wrong.yaml:2: trials" in answer.stderr
    assert not (tmp_path / "out").exists()


def test_keep_going_runs_the_others_and_says_so_with_exit_four(wrong, tmp_path):
    words = ("run", wrong, QUICKSTART, "--set", "seed=1", "--out", tmp_path / "out")
    answer = acosim(*words, "--block", 5_000, "--keep-going")
    assert answer.exit_code == 4
    assert "covenant" in answer.stdout
    assert answer.stderr.splitlines()[-1] == "1 of 2 were run"


def test_a_scenario_named_twice_is_refused(tmp_path):
    answer = acosim("run", QUICKSTART, QUICKSTART, "--out", tmp_path)
    assert answer.exit_code == 3
    assert "as another's is" in answer.stderr


def test_a_dry_run_of_a_batch_is_its_plan(tmp_path, monkeypatch):
    monkeypatch.setattr("simulator.engine.plan._measured", lambda planned, trials: (1e6, 0.1))
    words = (QUICKSTART, OTHER, "--trials", 40, "--out", tmp_path)
    assert "together: 2 blocks to do" in acosim("run", *words, "--dry-run").stdout
    assert len(json.loads(acosim("plan", *words, "--json").stdout)) == 2
    assert not [*tmp_path.iterdir()]


def test_a_dry_run_that_keeps_going_says_what_cannot_be_run(wrong, tmp_path, monkeypatch):
    monkeypatch.setattr("simulator.engine.plan._measured", lambda planned, trials: (1e6, 0.1))
    words = ("run", QUICKSTART, wrong, "--set", "seed=1", "--out", tmp_path / "out")
    answer = acosim(*words, "--dry-run", "--keep-going")
    assert answer.exit_code == 4
    assert "wrong.yaml:2: trials" in answer.stderr
    assert answer.stderr.splitlines()[-1] == "1 of 2 can be run"


def test_a_run_refused_among_several_ends_as_it_does_alone(tmp_path):
    words = ("--trials", 40, "--out", tmp_path)
    assert acosim("run", QUICKSTART, *words).exit_code == 0
    for files in ((QUICKSTART,), (QUICKSTART, OTHER)):
        answer = acosim("run", *files, *words, "--block", 20)
        assert answer.exit_code == 7
        assert "trials, not 20; leave --block out" in answer.stderr


def test_a_run_by_another_version_is_told_of_before_another_is_begun(tmp_path, monkeypatch):
    monkeypatch.setattr("simulator.engine.plan._measured", lambda planned, trials: (1e6, 0.1))
    words = (QUICKSTART, "--trials", 40, "--out", tmp_path)
    assert acosim("run", *words).exit_code == 0
    for module in ("simulator.results", "simulator.results.standing"):
        monkeypatch.setattr(sys.modules[module], "code_version", lambda: "9.9.9+00000000")
    answer = acosim("plan", *words, "--json")
    assert "has 1 of 1 blocks; this is another run" in answer.stderr
    first = next(tmp_path.iterdir())
    assert json.loads(answer.stdout)["others"][0]["run"] == str(first)
