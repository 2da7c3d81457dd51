"""One trial of a run, settled again in full: what happened, line by line."""

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from simulator import results
from simulator.engine import AddressError
from simulator.engine.simulate import simulate
from simulator.engine.tracks import tracks
from simulator.errors import ResultsError
from simulator.programs.worksheet import Row, rows
from simulator.scenario.sweep import cases

__all__ = ["Replay", "Where", "explain", "replay", "replays"]


class Where(NamedTuple):
    """The address of one statement in a run; what is None is the only one there is."""

    trial: int
    contract: str
    aco: str | None = None
    year: int | None = None
    case: int = 0


class Replay(NamedTuple):
    """A statement settled again: what it is, its figures, and its lines as arrays.

    Of an ACO with a segment of 1 to 10 people no figure by segment is a number.
    """

    title: str
    rows: tuple[Row, ...]
    statement: xr.Dataset


def replay(path: Path | str, where: Where) -> Replay:
    """Return one trial's statement in float64; what the run stored of it is the same.

    Raises AddressError for what the run does not have, ResultsError if what it stored differs.
    """
    run = results.open_run(path)
    aco = _one("ACO", where.aco, [str(name) for name in run["aco"].values])
    year = int(_one("year", where.year, [str(name) for name in run["year"].values]))
    label = _one("contract", where.contract, [str(name) for name in run["contract"].values])
    if where.trial >= run.sizes["trial"]:
        raise AddressError(f"trial {where.trial} is not in the run; it has {run.sizes['trial']:,}")
    every = cases(results.run_scenario(Path(path)))
    if where.case >= len(every):
        raise AddressError(f"case {where.case} is not in the run; it has {len(every)}")
    case = every[where.case]
    whole = {track.name: track for track in tracks(case)}
    statements = simulate(case, list(whole.values()), range(where.trial, where.trial + 1))
    found = statements[label].sel(aco=aco, year=year)
    stored = run.isel(case=where.case) if "case" in run.dims else run
    _same(found, stored.sel(trial=where.trial, aco=aco, year=year, contract=label))
    contract = next(c for c in whole[label].contracts if c.year == year)
    lines = list(rows(contract, found))
    if aco in (names := results.few(every)):
        lines = [line._replace(value=np.nan) if line.segment else line for line in lines]
        found = results.withheld(found, names)
    title = f"{run.attrs['name']}: {aco} in {year} under {label}, trial {where.trial}"
    return Replay(title, tuple(lines), found)


def replays(path: Path | str, where: Where) -> tuple[Replay, ...]:
    """Return one trial's statements of the year asked for, or of every year in turn."""
    years = [where.year] if where.year is not None else results.open_run(path)["year"].values
    return tuple(replay(path, where._replace(year=int(year))) for year in years)


def explain(
    run: xr.Dataset,
    trial: int,
    contract: str,
    *,
    aco: str | None = None,
    year: int | None = None,
    case: int = 0,
) -> pd.DataFrame:
    """Return one trial's statement as a table, one figure a row, settled again in float64.

    Its columns are line, segment, value, unit, text and cites, in the order of the worksheet.
    The unit of a value is beside it: USD, USD per person-year, share, score. Of an ACO with a
    segment of 1 to 10 people no value by segment is a number.

    Parameters
    ----------
    run : Dataset, as `open_run` gives it: its attrs say where its folder is
    trial : counted from 0
    contract : label of a contract of the run
    aco, year : may be left out where there is one only
    case : of a sweep, counted from 0

    Raises
    ------
    AddressError
        For a trial, contract, ACO, year or case that the run does not have.
    ResultsError
        If what the run stored of the trial differs.
    """
    found = replay(str(run.attrs["path"]), Where(trial, contract, aco, year, case))
    return pd.DataFrame(found.rows, columns=list(Row._fields))


def _one(kind: str, asked: str | int | None, known: Sequence[str]) -> str:
    """Return the name asked for, or the only one there is."""
    if asked is None and len(known) == 1:
        return known[0]
    if str(asked) in known:
        return str(asked)
    close = get_close_matches(str(asked), known, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    said = "is not said" if asked is None else f"{asked!r} is not in the run"
    raise AddressError(f"{kind} {said}; there are {', '.join(known)}{hint}")


def _same(found: xr.Dataset, stored: xr.Dataset) -> None:
    for name, line in stored.data_vars.items():
        again = np.float32(found[name].values)
        if not np.array_equal(np.ravel(again), np.ravel(line.values)):
            raise ResultsError(
                f"{name} is {again} again, {line.values} in the run, which was made by acosim "
                f"{stored.attrs['version']}; this is {results.code_version()}"
            )
