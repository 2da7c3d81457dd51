import json
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from simulator import results
from simulator.engine.run import run
from simulator.errors import ResultsError, SimulatorError
from simulator.results.manifest import entries
from tests.runs import small


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    run(small(), tmp_path_factory.mktemp("made"), block=100)
    return next(tmp_path_factory.getbasetemp().glob("made*/quickstart-*"))


@pytest.fixture
def folder(made, tmp_path):
    return shutil.copytree(made, tmp_path / made.name)


def chunk(folder, number=1):
    return folder / f"trials.zarr/enhanced/settlement_usd/c/0/{number}/0/0"


def test_a_run_opens_with_its_lines_side_by_side_and_what_it_rests_on(folder):
    opened = results.open_run(folder)
    assert opened.settlement_usd.dims == ("trial", "year", "aco", "contract")
    assert dict(opened.sizes) == {"trial": 300, "year": 1, "aco": 1, "contract": 2}
    assert opened.contract.values.tolist() == ["level_e", "enhanced"]
    assert opened.program.values.tolist() == ["mssp", "mssp"]
    assert opened.option.values.tolist() == [["E"], ["ENHANCED"]]
    assert opened.settlement_usd.dtype == np.float32
    assert not opened.isnull().any().to_array().any()
    assert json.loads(opened.attrs["observed"])[0]["contract"] == "level_e"


def test_a_run_opens_lazily(folder):
    assert results.open_run(folder).settlement_usd.chunks is not None


def test_one_altered_value_is_seen(folder):
    values = np.fromfile(chunk(folder), "<f4")
    values[41] = np.nextafter(values[41], np.float32(np.inf))
    values.tofile(chunk(folder))
    with pytest.raises(ResultsError, match=r"block 1 of case 0 \(trials 100 to 199\) is altered"):
        results.open_run(folder)


@pytest.mark.parametrize("damage", ["truncated", "deleted", "swapped", "duplicated"])
def test_a_damaged_chunk_is_seen(folder, damage):
    one, two = chunk(folder, 1), chunk(folder, 2)
    held = one.read_bytes()
    if damage == "truncated":
        one.write_bytes(held[:-3])
    elif damage == "deleted":
        one.unlink()
    else:
        one.write_bytes(two.read_bytes())
        two.write_bytes(held if damage == "swapped" else two.read_bytes())
    with pytest.raises(ResultsError, match="is altered"):
        results.open_run(folder)


def test_a_run_opened_in_pieces_is_the_same_run(folder):
    whole, pieces = results.open_run(folder), results.open_run(folder, piece=150)
    xr.testing.assert_identical(whole, pieces)
    assert len(whole.chunksizes["trial"]) == 1
    assert max(pieces.chunksizes["trial"]) == 150
    assert max(results.open_run(folder, piece=7).chunksizes["trial"]) == 100  # a block
    # A number for each of a million trials would be 8 MB.
    assert isinstance(whole.indexes["trial"], pd.RangeIndex)


def test_a_missing_block_is_refused_unless_a_part_will_do(folder):
    """Trap: trials of a block that nobody wrote, counted as trials of the run."""
    manifest = folder / "manifest.jsonl"
    lines = manifest.read_text().splitlines(keepends=True)
    manifest.write_text("".join(line for line in lines if '"number": 1,' not in line))
    with pytest.raises(ResultsError, match=r"manifest.jsonl is altered"):
        results.open_run(folder)
    (folder / "run.json").unlink()
    with pytest.raises(
        ResultsError, match=r"block 1 of case 0 .* is missing; to complete it: acosim"
    ):
        results.open_run(folder)
    part = results.open_run(folder, partial=True)
    assert part.trial.values.tolist() == [*range(100), *range(200, 300)]


def test_what_is_not_yet_written_reads_as_no_number(folder):
    """Trap: an unwritten chunk read as zeros, a settlement like any other."""
    chunk(folder).unlink()
    raw = xr.open_zarr(folder / "trials.zarr", group="enhanced", consolidated=False)
    gone = raw.settlement_usd.isnull().isel(case=0).all(["year", "aco"]).values
    assert np.flatnonzero(gone).tolist() == [*range(100, 200)]


@pytest.mark.parametrize("finished", [True, False])
def test_an_altered_block_is_refused_in_part_too(folder, finished):
    """Trap: a block whose file is gone, opened as NaN because a part will do."""
    if not finished:
        (folder / "run.json").unlink()
    chunk(folder).unlink()
    with pytest.raises(ResultsError, match="altered"):
        results.open_run(folder, partial=True)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("scenario.yaml", "seed: 20220101", "seed: 20220102"),
        ("rules.yaml", "value: 0.75", "value: 0.57"),
    ],
)
def test_a_changed_scenario_or_rule_is_seen(folder, file, old, new):
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))
    with pytest.raises(ResultsError, match="altered"):
        results.open_run(folder)


@pytest.mark.parametrize("gone", ["scenario.yaml", "rules.yaml", "manifest.jsonl", "trials.zarr"])
def test_a_folder_that_lacks_something_is_refused(folder, gone):
    target = folder / gone
    shutil.rmtree(target) if target.is_dir() else target.unlink()
    with pytest.raises(ResultsError):
        results.open_run(folder)


def test_a_misspelt_run_is_answered_with_the_nearest_one(folder):
    with pytest.raises(ResultsError, match=r"did you mean .*quickstart-"):
        results.open_run(folder.with_name("quikstart-1234"))


def test_a_line_of_the_manifest_that_was_cut_short_was_never_committed(folder):
    committed = entries(folder)
    with (folder / "manifest.jsonl").open("a") as file:
        file.write('{"case": 0, "number": 3, "first": 300')
    assert entries(folder) == committed


def test_the_name_of_a_run_holds_all_that_decides_its_numbers_but_trials():
    first, more = small(10), small(20)
    other = first.model_copy(update={"seed": 2})
    assert results.identity(first, "r", "c") == results.identity(more, "r", "c")
    names = {results.identity(*x) for x in [(first, "r", "c"), (other, "r", "c")]}
    names |= {results.identity(first, "s", "c"), results.identity(first, "r", "d")}
    assert len(names) == 4


def test_run_json_says_what_made_the_run(folder):
    facts = json.loads((folder / "run.json").read_text())
    assert facts["sha256"] == results.digest(folder)
    assert facts["terms"]["enhanced"]["published"] > 20
    assert facts["trials"] == 300
    assert facts["versions"]["numpy"] == np.__version__


def test_assumptions_are_the_terms_that_cms_does_not_settle(folder):
    table = results.assumptions(results.open_run(folder))
    assert set(table["status"]) <= {"assumed", "reported", "proposed", "published"}
    assert (table["status"] == "assumed").any()


def test_what_is_stored_has_every_dim_even_where_nothing_is_random():
    line = xr.DataArray([1.0, 2.0], {"aco": ["a", "b"]}, ["aco"]).expand_dims(year=[2022])
    kept = results.kept(xr.Dataset({"settlement_usd": line}), ["benchmark_usd"], range(5, 8))
    assert kept.settlement_usd.dims == ("trial", "year", "aco")
    assert kept.trial.values.tolist() == [5, 6, 7]


def test_a_line_that_is_no_number_is_never_stored():
    """Trap: NaN that was computed, taken for NaN that marks what is not yet written."""
    line = xr.DataArray([[[1.0], [np.nan]]], dims=("year", "trial", "aco"))
    whole = xr.Dataset({"settlement_usd": line}, {"year": [2022], "aco": ["a"]})
    with pytest.raises(SimulatorError, match="settlement_usd is not a finite number"):
        results.kept(whole, [], range(2))


def test_a_second_process_is_refused_while_one_writes(tmp_path):
    with results.held(tmp_path / "run"):
        code = (
            "import sys; from pathlib import Path; from simulator import results\n"
            "with results.held(Path(sys.argv[1])): pass"
        )
        words = [sys.executable, "-c", code, str(tmp_path / "run")]
        other = subprocess.run(words, capture_output=True, text=True, check=False)
    assert "is being written by another process" in other.stderr
    assert subprocess.run(words, check=False).returncode == 0
