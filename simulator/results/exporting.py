"""A run's trials for other programs: parquet, CSV or netCDF, written whole or not at all."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, count
from math import prod
from pathlib import Path
from typing import Literal, TypeAlias
from unicodedata import normalize

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import xarray as xr

from simulator.errors import ResultsError
from simulator.loading import inert
from simulator.population.suppression import SUPPRESSED
from simulator.results.folder import run_scenario
from simulator.results.opening import found, open_run
from simulator.results.small_cells import few, refuse_what_tells, told, withheld
from simulator.scenario.sweep import cases

__all__ = ["Format", "export", "unfinished"]

Format: TypeAlias = Literal["netcdf", "parquet", "csv"]
_SUFFIX: Mapping[Format, str] = {"netcdf": ".nc", "parquet": ".parquet", "csv": ".csv"}
_ROWS = 250_000
_ORDER = ("case", "trial", "year", "aco", "contract")
_MOST_BYTES = 2**31
_NOTES = ("name", "seed", "version", "digest", "path", "suppressed")


def export(path: str | Path, to: Format, out: Path | None = None) -> Path:
    """Write a run's trials to a file and return its path, by default beside the run's folder.

    Parquet and CSV have one row for each case, trial, year, ACO and contract; netCDF has the
    dims themselves, with units. Of an ACO with a segment of 1 to 10 people nothing by segment is
    a number, as `suppressed` in parquet's and netCDF's metadata says. Raises ResultsError if the
    run cannot be opened, or is more than a netCDF file of this kind holds; SimulatorError if
    totals, too, would give such a count away.
    """
    run, target = _shown(path), _target(path, to, out)
    aside = unfinished(path, to, out)
    writers: Mapping[Format, Callable[[xr.Dataset, Path], None]] = {
        "netcdf": _netcdf,
        "parquet": _parquet,
        "csv": _csv,
    }
    try:
        writers[to](run, aside)
        aside.replace(target)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(target)) from error
    finally:
        aside.unlink(missing_ok=True)
    return target


def unfinished(path: str | Path, to: Format, out: Path | None = None) -> Path:
    """Return where an export is written before it is whole: beside its place, hidden."""
    target = _target(path, to, out)
    return target.with_name(f".{target.name}.part")


def _target(path: str | Path, to: Format, out: Path | None) -> Path:
    folder = found(path).resolve()
    return out or folder.with_name(folder.name + _SUFFIX[to])


def _shown(path: str | Path) -> xr.Dataset:
    """Return a run as it may be handed on."""
    run, every = open_run(path), cases(run_scenario(found(path)))
    names = few(every)
    if not names:
        return run
    refuse_what_tells(every, names)
    notes = {"suppressed": told(names), "scenario": SUPPRESSED, "observed": SUPPRESSED}
    return withheld(run, names).assign_attrs(notes)


def _parquet(run: xr.Dataset, path: Path) -> None:
    rows = _tables(run)
    first = next(rows)
    with pq.ParquetWriter(path, first.schema) as writer:
        writer.write_table(first)
        for table in rows:
            writer.write_table(table)


def _csv(run: xr.Dataset, path: Path) -> None:
    rows = _tables(run)
    first = next(rows)
    with pa_csv.CSVWriter(path, first.schema) as writer:
        writer.write_table(_inert(first))
        for table in rows:
            writer.write_table(_inert(table))


def _inert(table: pa.Table) -> pa.Table:
    """Return a table whose texts, the values of a sweep among them, start no formula."""
    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            column = table.column(place)
            words = {word: inert(word) for word in column.unique().to_pylist() if word}
            if any(word != safe for word, safe in words.items()):
                safe_column = [words.get(word, word) for word in column.to_pylist()]
                table = table.set_column(place, field, pa.array(safe_column, field.type))
    return table


def _tables(run: xr.Dataset) -> Iterator[pa.Table]:
    """Yield a run's rows, some trials at a time, so that it need not fit into memory."""
    notes = {key: str(run.attrs[key]) for key in _NOTES if key in run.attrs}
    each = max(_ROWS * run.sizes["trial"] // max(_rows(run), 1), 1)
    whole = run if "case" in run.dims else run.expand_dims("case")
    for case in range(whole.sizes["case"]):
        for first in range(0, run.sizes["trial"], each):
            some = whole.isel(case=slice(case, case + 1), trial=slice(first, first + each))
            frame = _frame(some if "case" in run.dims else some.isel(case=0, drop=True))
            table = pa.Table.from_pandas(frame, preserve_index=False)
            yield table.replace_schema_metadata(notes)


def _rows(run: xr.Dataset) -> int:
    """Return how many rows one case comes to."""
    return prod(size for dim, size in run.sizes.items() if dim not in ("case", "segment"))


def _frame(run: xr.Dataset) -> pd.DataFrame:
    """Return one row for each trial, year, ACO and contract; a column a line, or line.segment."""
    columns: dict[str, xr.DataArray] = {}
    for name, line in run.data_vars.items():
        if "segment" in line.dims:
            for segment in line["segment"].values:
                columns[f"{name}.{segment}"] = line.sel(segment=segment, drop=True)
        else:
            columns[str(name)] = line
    table = xr.Dataset(columns)
    order = [dim for dim in _ORDER if dim in table.dims]
    return table.to_dataframe(dim_order=order).reset_index()


def _netcdf(run: xr.Dataset, path: Path) -> None:
    """Write netCDF 3, which needs no library that a full disk brings down."""
    if run.nbytes >= _MOST_BYTES:
        raise ResultsError(
            f"{run.attrs['path']} has {run.nbytes / 1e9:,.1f} GB of trials; netCDF of this kind "
            "holds 2 GB: export it to parquet"
        )
    texts = {name: c.astype(str) for name, c in run.coords.items() if c.dtype.kind == "O"}
    named = _netcdf_names([str(name) for name in run.coords])
    # netCDF 3 has no whole numbers beyond 31 bits: the seed is written as text.
    notes = {"Conventions": "CF-1.11", "seed": str(run.attrs["seed"])}
    notes |= {"renamed": json.dumps(named)} if named else {}
    run.assign_coords(texts).rename(named).assign_attrs(notes).to_netcdf(
        path, engine="scipy", format="NETCDF3_64BIT"
    )


def _netcdf_names(names: Sequence[str]) -> dict[str, str]:
    """Return the names that netCDF cannot have, by what they become there.

    >>> _netcdf_names(["year", "counties.A/B.esrd", "counties.A_B.esrd"])
    {'counties.A/B.esrd': 'counties.A_B.esrd_2'}
    """
    found: dict[str, str] = {}
    taken = {*names}
    for name in names:
        plain = normalize("NFC", name.replace("/", "_"))
        if plain != name:
            rivals = (f"{plain}_{number}" for number in count(2))
            found[name] = next(one for one in chain([plain], rivals) if one not in taken)
            taken.add(found[name])
    return found
