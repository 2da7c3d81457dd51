import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import xarray as xr

from simulator import results
from simulator.engine.run import run
from simulator.errors import ResultsError
from simulator.results import exporting
from tests.runs import small

KEYS = ["case", "trial", "year", "aco", "contract"]


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    sweep = {"grid": {"experience.effect.mean": [0.0, 0.02]}}
    scenario = small(40).model_validate({**small(40).model_dump(), "sweep": sweep})
    return run(scenario, tmp_path_factory.mktemp("swept"), block=25)


@pytest.fixture(params=["parquet", "csv"])
def table(request, swept, tmp_path, monkeypatch):
    """Return an exported table, written in several pieces."""
    monkeypatch.setattr("simulator.results.exporting._ROWS", 30)
    file = results.export(swept.attrs["path"], request.param, tmp_path / "out")
    return pd.read_parquet(file) if request.param == "parquet" else pd.read_csv(file)


def test_a_table_has_a_row_for_each_case_trial_year_aco_and_contract(table, swept):
    assert table.columns[:5].tolist() == KEYS
    assert len(table) == 2 * 40 * 1 * 1 * 2
    assert not table[KEYS].duplicated().any()
    for _, row in table.sample(20, random_state=1).iterrows():
        where = {key: row[key] for key in KEYS}
        assert np.float32(row["settlement_usd"]) == swept.settlement_usd.sel(where).values


def test_parquet_says_where_it_is_from(swept, tmp_path):
    file = results.export(swept.attrs["path"], "parquet", tmp_path / "x.parquet")
    notes = pq.read_schema(file).metadata
    assert notes[b"digest"].decode() == swept.attrs["digest"]
    assert notes[b"seed"] == b"20220101"


def test_netcdf_reads_back_as_the_run_with_units(swept, tmp_path):
    file = results.export(swept.attrs["path"], "netcdf", tmp_path / "x.nc")
    back = xr.open_dataset(file, engine="scipy")
    assert back.settlement_usd.dims == swept.settlement_usd.dims
    assert (back.settlement_usd.values == swept.settlement_usd.values).all()
    assert back.settlement_usd.attrs["units"] == "USD"
    assert back.contract.values.astype(str).tolist() == ["level_e", "enhanced"]
    assert back.attrs["digest"] == swept.attrs["digest"]


def test_an_export_lies_beside_the_run_and_leaves_it_as_it_was(swept):
    file = results.export(swept.attrs["path"], "csv")
    assert file.name == f"{swept.attrs['path'].rsplit('/', 1)[-1]}.csv"
    assert not results.verify(swept.attrs["path"]).flaws


def test_more_than_netcdf_holds_is_refused(swept, tmp_path, monkeypatch):
    monkeypatch.setattr("simulator.results.exporting._MOST_BYTES", 1_000)
    with pytest.raises(ResultsError, match="export it to parquet"):
        results.export(swept.attrs["path"], "netcdf", tmp_path / "x.nc")
    assert not [*tmp_path.iterdir()]


@pytest.fixture(scope="module")
def two_options(tmp_path_factory):
    sweep = {"list": {"base": {}, "dear": {"contracts.level_e.option": "ENHANCED"}}}
    base = small(20, ["level_e", "enhanced"]).model_dump()
    scenario = small(20).model_validate({**base, "sweep": sweep})
    return run(scenario, tmp_path_factory.mktemp("options"), block=10)


def test_a_swept_option_is_that_of_its_case(two_options):
    options = two_options.option.sel(contract="level_e", year=2022)
    assert options.values.tolist() == ["E", "ENHANCED"]
    assert two_options.program.dims == ("contract",)


@pytest.mark.parametrize("to", ["parquet", "csv"])
def test_a_row_has_the_option_of_its_case(two_options, tmp_path, to):
    file = results.export(two_options.attrs["path"], to, tmp_path / "out")
    table = pd.read_parquet(file) if to == "parquet" else pd.read_csv(file)
    found = table[table.contract == "level_e"].groupby("case")["option"].unique()
    assert [list(one) for one in found] == [["E"], ["ENHANCED"]]


def test_netcdf_has_the_option_of_each_case(two_options, tmp_path):
    file = results.export(two_options.attrs["path"], "netcdf", tmp_path / "out")
    option = xr.open_dataset(file, engine="scipy").option
    assert option.dims == ("case", "contract", "year")
    assert option.values[:, 0, 0].astype(str).tolist() == ["E", "ENHANCED"]


def test_netcdf_keeps_every_seed(tmp_path):
    scenario = small(20, ["level_e"]).model_copy(update={"seed": 2**62 + 1})
    made = run(scenario, tmp_path, block=10)
    file = results.export(made.attrs["path"], "netcdf", tmp_path / "x.nc")
    assert int(xr.open_dataset(file, engine="scipy").attrs["seed"]) == 2**62 + 1


def test_netcdf_renames_a_path_with_a_stroke_and_says_so(swept, tmp_path):
    paths = {"a/b": ("case", ["1", "2"]), "a_b": ("case", ["3", "4"])}
    exporting._netcdf(swept.assign_coords(paths), tmp_path / "x.nc")
    back = xr.open_dataset(tmp_path / "x.nc", engine="scipy")
    assert json.loads(back.attrs["renamed"]) == {"a/b": "a_b_2"}
    assert back["a_b_2"].values.astype(str).tolist() == ["1", "2"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError])
def test_what_ends_an_export_leaves_no_part_of_it(swept, tmp_path, monkeypatch, error):
    def ends(_, path):
        path.write_bytes(b"half")
        raise error

    monkeypatch.setattr(exporting, "_netcdf", ends)
    with pytest.raises(error):
        results.export(swept.attrs["path"], "netcdf", tmp_path / "x.nc")
    assert not [*tmp_path.iterdir()]


EXPORTED = """
import sys
from pathlib import Path
from simulator import results
from simulator.engine.run import run
from tests.runs import small

out, block = Path(sys.argv[1]), int(sys.argv[2])
made = run(small(40), out, block=block).attrs["path"]
results.export(made, "parquet", out / "x.parquet")
results.export(made, "netcdf", out / "x.nc")
"""


def test_exports_of_other_processes_and_blocks_have_the_same_values(tmp_path):
    for name, block in (("one", 40), ("two", 40), ("three", 15)):
        (tmp_path / name).mkdir()
        told = [sys.executable, "-c", EXPORTED, str(tmp_path / name), str(block)]
        subprocess.run(told, check=True, capture_output=True)
    tables = [pd.read_parquet(f) for f in sorted(tmp_path.glob("*/x.parquet"))]
    files = [xr.open_dataset(f, engine="scipy") for f in sorted(tmp_path.glob("*/x.nc"))]
    assert len(tables) == len(files) == 3
    for table, file in zip(tables[1:], files[1:], strict=True):
        pd.testing.assert_frame_equal(table, tables[0], check_exact=True)
        assert file.drop_attrs().identical(files[0].drop_attrs())
