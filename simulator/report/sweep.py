"""What a sweep says: each case against the first on the same draws, contract by contract."""

from collections.abc import Iterator

import pandas as pd
import xarray as xr

from simulator.analysis.paired import advantage
from simulator.report.rounding import figure, scale
from simulator.report.tables import Panel, Row, added

__all__ = ["bars", "cut", "effects", "panels", "swept"]

_MOST, _FEW = 24, 6


def swept(run: xr.Dataset) -> list[str]:
    """Return the paths that a run's sweep sets, in order."""
    if "case" not in run.dims or run.sizes["case"] == 1:
        return []
    return [str(name) for name, x in run.coords.items() if x.dims == ("case",) and name != "case"]


def effects(run: xr.Dataset) -> pd.DataFrame:
    """Return what each case pays more than the first, years and ACOs added, with errors.

    Rows of case, contract, `mean_usd` and its error, the chances to pay more and less, and a
    column for each swept path.
    """
    paths = swept(run)
    if not paths:
        return pd.DataFrame()
    rows = list(_effects(run, paths))
    return pd.DataFrame(rows)


def _effects(run: xr.Dataset, paths: list[str]) -> Iterator[dict[str, object]]:
    first = _total(run, 0)
    for place in range(1, run.sizes["case"]):
        case = _total(run, place)
        at = {path: run[path].values[place] for path in paths}
        for label in run["contract"].values:
            said = advantage((case - first).sel(contract=label, drop=True))
            figures = {str(name): float(x) for name, x in said.data_vars.items()}
            yield {"case": int(run["case"].values[place]), "contract": str(label), **at, **figures}


def _total(run: xr.Dataset, case: int) -> xr.DataArray:
    """Return a case's settlement, (trial, contract), years and ACOs added."""
    return added(run["settlement_usd"].isel(case=case, drop=True)).sum("year", skipna=False)


def bars(run: xr.Dataset, table: pd.DataFrame) -> pd.DataFrame:
    """Return the effects of each case as a tornado has them: the largest first, at most 24.

    Rows of name, contract, mean and error, in dollars; `table` is what `effects` gives.
    """
    if table.empty:
        return table
    named = [
        ", ".join(f"{path} {row[path]}" for path in swept(run)) for _, row in table.iterrows()
    ]
    found = pd.DataFrame(
        {
            "name": named,
            "contract": table["contract"],
            "mean": table["mean_usd"],
            "error": table["mean_error_usd"],
        }
    )
    reach = found["mean"].abs().groupby(found["name"]).max().sort_values(ascending=False)
    shown = list(reach.index[:_MOST])
    found = found[found["name"].isin(shown)]
    return found.sort_values("name", key=lambda names: names.map(shown.index), kind="stable")


def panels(run: xr.Dataset, table: pd.DataFrame, best: str) -> tuple[Panel, ...]:
    """Return the effects of a sweep for reading, contracts across; nothing if there are none.

    Of more than 24 cases only the few that pay the contract `best` most, then least, on average.
    """
    if table.empty:
        return ()
    labels = [str(label) for label in run["contract"].values]
    unit = scale(float(table["mean_usd"].abs().max()) or 1.0)
    rows = []
    for case in _shown(table, best):
        part = table[table["case"] == case]
        cells = [
            figure(row["mean_usd"], row["mean_error_usd"], unit.size)
            for row in part.to_dict("records")
        ]
        named = ", ".join(f"{path} {part[path].iloc[0]}" for path in swept(run))
        hidden = (part["mean_usd"].abs() <= 2.0 * part["mean_error_usd"]).all()
        rows.append(Row(named, tuple(cells), "noise" if hidden else ""))
    base = ", ".join(f"{path} {run[path].values[0]}" for path in swept(run))
    return (Panel(f"Against {base}", f"$ {unit.name}".strip(), tuple(labels), tuple(rows)),)


def cut(table: pd.DataFrame, best: str) -> str:
    """Return how many cases `panels` leaves out and where they are; nothing if it shows all."""
    cases = 0 if table.empty else table["case"].nunique()
    if cases <= _MOST:
        return ""
    return (
        f"Of {cases:,} cases set against the first, the {_FEW} in which {best} pays most on "
        f"average and, below them, the {_FEW} in which it pays least. All {cases:,} are in the "
        "sheet Sensitivity of report.xlsx."
    )


def _shown(table: pd.DataFrame, best: str) -> list[int]:
    """Return the cases to show: all as they stand, or the few best, then the few worst."""
    cases = [int(case) for case in table["case"].unique()]
    if len(cases) <= _MOST:
        return cases
    # Less the same first case: the order of changes is that of mean settlements.
    own = table[table["contract"] == best].sort_values("mean_usd", ascending=False, kind="stable")
    ranked = [int(case) for case in own["case"]]
    return ranked[:_FEW] + ranked[-_FEW:]
