import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from simulator import results
from simulator.cli.verbs import app
from simulator.engine.checking import check
from simulator.engine.run import run
from simulator.errors import ResultsError
from simulator.results import verifying
from simulator.results.folder import LAYOUT
from simulator.scenario import reading
from tests.runs import small


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("made")
    run(small(60, ["level_e"]), out, block=25)
    return next(out.glob("quickstart-*"))


@pytest.fixture
def folder(made, tmp_path):
    return shutil.copytree(made, tmp_path / made.name)


def flawed(folder):
    return [flaw.file for flaw in results.verify(folder).flaws]


def test_a_run_as_it_was_written_has_no_flaws(folder):
    found = results.verify(folder)
    assert (found.flaws, found.blocks) == ((), 3)
    assert found.sha256 == results.digest(folder)


@pytest.mark.parametrize(
    "name",
    [
        "scenario.yaml",
        "rules.yaml",
        "manifest.jsonl",
        "run.json",
        "trials.zarr/zarr.json",
        "trials.zarr/level_e/zarr.json",
        "trials.zarr/level_e/aco/c/0",
        "trials.zarr/level_e/benchmark_usd/zarr.json",
        "trials.zarr/level_e/settlement_usd/c/0/2/0/0",
    ],
)
def test_one_bit_flipped_is_found_and_named_and_nothing_is_shown(folder, name):
    path = folder / name
    held = bytearray(path.read_bytes())
    held[len(held) // 2] ^= 4
    path.write_bytes(held)
    assert name in flawed(folder)
    with pytest.raises(ResultsError, match=name):
        results.open_run(folder)


def test_a_file_put_into_the_trials_is_found(folder):
    chunk = folder / "trials.zarr/level_e/settlement_usd/c/0/2/0/0"
    other = chunk.parents[2] / "3/0/0"
    other.parent.mkdir(parents=True)
    shutil.copy(chunk, other)
    assert flawed(folder) == ["trials.zarr/level_e/settlement_usd/c/0/3/0/0"]
    with pytest.raises(ResultsError, match="is not of this run"):
        results.open_run(folder)


def test_what_shows_a_run_is_checked_too_and_does_not_keep_it_from_opening(folder):
    (folder / "report.html").write_text("<p>$ 1</p>")
    results.record(folder)
    assert not flawed(folder)
    (folder / "report.html").write_text("<p>$ 2</p>")
    assert flawed(folder) == ["report.html"]
    assert results.open_run(folder).sizes["trial"] == 60


def test_a_seal_that_was_made_anew_does_not_hide_another_scenario(folder):
    path, facts = folder / "scenario.yaml", json.loads((folder / "run.json").read_text())
    path.write_text(path.read_text().replace("seed: 20220101", "seed: 20220102"))
    del facts["seal"]
    results.seal(folder, facts)
    assert "scenario or rules" in str(results.verify(folder).flaws[0])


def test_a_run_without_its_last_file_is_not_finished(folder):
    (folder / "run.json").unlink()
    with pytest.raises(ResultsError, match=r"not finished: it holds no run\.json"):
        results.verify(folder)
    with pytest.raises(ResultsError, match=r"it is not finished; to complete it: acosim run"):
        results.open_run(folder)
    assert results.open_run(folder, partial=True).sizes["trial"] == 60


def test_running_again_mends_what_only_describes_a_run(folder):
    digest = results.digest(folder)
    for name in ("trials.zarr/level_e/aco/c/0", "rules.yaml", "manifest.jsonl"):
        (folder / name).write_bytes(b"?")
    (folder / "trials.zarr/level_e/zarr.json").unlink()
    run(small(60, ["level_e"]), folder.parent)
    assert not flawed(folder)
    assert results.digest(folder) == digest


def test_what_killed_processes_left_is_swept_away(folder):
    left = folder / "trials.zarr/level_e/settlement_usd/c/0/2/0/.0.0123456789abcdef"
    left.write_bytes(b"half")
    (folder / ".rules.yaml.0123456789abcdef").write_bytes(b"half")
    (folder / "run.json").unlink()
    run(small(60, ["level_e"]), folder.parent)
    assert not left.exists()
    assert not flawed(folder)


def test_a_run_laid_out_by_an_older_acosim_is_refused_in_words(folder):
    path = folder / "trials.zarr/zarr.json"
    path.write_text(path.read_text().replace(f'"layout": {LAYOUT}', '"layout": 1'))
    (folder / "run.json").unlink()
    with pytest.raises(ResultsError, match=r"was laid out by acosim .* in its way 1; .* run "):
        results.open_run(folder)
    assert results.standing(folder).state == "unreadable"


@pytest.fixture
def later(monkeypatch):
    """Let the schema have gained a field since, with a default."""
    plain = reading._plain
    monkeypatch.setattr(reading, "_plain", lambda one: {**plain(one), "gained_since": 0.0})


def test_a_run_of_an_older_schema_is_sound_and_says_that_it_reads_otherwise(folder, later):
    found = results.verify(folder)
    assert found.flaws == ()
    assert (found.made_by, found.reads_same) == (results.code_version(), False)
    assert results.open_run(folder).sizes["trial"] == 60
    told = CliRunner().invoke(app, ["verify", str(folder)])
    assert told.exit_code == 0
    assert "its scenario reads differently under this one" in told.stdout


def test_a_run_of_an_older_schema_that_was_altered_is_refused_all_the_same(folder, later):
    path, facts = folder / "scenario.yaml", json.loads((folder / "run.json").read_text())
    path.write_text(path.read_text().replace("seed: 20220101", "seed: 20220102"))
    del facts["seal"]
    results.seal(folder, facts)
    told = CliRunner().invoke(app, ["verify", str(folder)])
    assert told.exit_code == 7
    assert "scenario or rules that are not what was run" in told.stderr


def test_a_run_of_another_version_says_so_and_that_its_scenario_reads_the_same(
    folder, monkeypatch
):
    monkeypatch.setattr(verifying, "code_version", lambda: "9.9.9+00000000")
    told = CliRunner().invoke(app, ["verify", str(folder)])
    assert told.exit_code == 0
    assert f"made by acosim {results.code_version()}; its scenario reads the same" in told.stdout


@pytest.mark.parametrize("path", sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml")))
def test_a_resolved_scenario_has_the_digest_of_its_file(path, tmp_path):
    scenario = check(path)
    reading.write(scenario, tmp_path / "scenario.yaml")
    assert reading.recorded(tmp_path / "scenario.yaml") == reading.digest(scenario)
