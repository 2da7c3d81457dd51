"""How sure a run's figures are: standard errors against trials, and intervals."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
import xarray as xr

from simulator.analysis.columns import gathered
from simulator.analysis.convergence import Measure, estimate, standard_error
from simulator.analysis.intervals import interval
from simulator.report.rounding import Figure, figure, scale
from simulator.report.tables import Panel, Row

__all__ = ["errors", "intervals", "panel"]

_LEAST = 64  # trials, from which on a standard error says something
_MEASURES: Mapping[str, Measure] = {
    "mean_usd": Measure("mean"),
    "p5_usd": Measure("quantile", 0.05),
    "owes_share": Measure("below"),
    "tail95_usd": Measure("tail", 0.05),
}
_ENDS = ("low", "high")
_SAID = {
    "mean_usd": "Mean",
    "p5_usd": "5th percentile",
    "owes_share": "Chance of owing, %",
    "tail95_usd": "Mean of the worst 5%",
}


def errors(total: xr.DataArray) -> pd.DataFrame:
    """Return the mean and its standard error after the first trials, halved again and again.

    Rows of trials, contract, `mean_usd` and `mean_error_usd`, the fewest trials first.

    Parameters
    ----------
    total : DataArray (trial, contract), USD
    """
    halves = _halves(total.sizes["trial"])
    rows = [row for one in _columns(total) for trials in halves for row in _first(one, trials)]
    return pd.DataFrame(rows).sort_values("trials", kind="stable", ignore_index=True)


def _columns(total: xr.DataArray) -> Iterator[xr.DataArray]:
    """Yield each contract's trials, in memory one at a time."""
    for label in total["contract"].values:
        yield gathered(total.sel(contract=[label]))


def _halves(trials: int) -> list[int]:
    """Return a number of trials and its halves, down to some dozens.

    >>> _halves(500)
    [125, 250, 500]
    """
    found = [trials]
    while found[-1] % 2 == 0 and found[-1] // 2 >= _LEAST:
        found.append(found[-1] // 2)
    return found[::-1]


def _first(total: xr.DataArray, trials: int) -> Iterator[dict[str, object]]:
    held = total.isel(trial=slice(trials))
    mean, error = (of(held, Measure("mean")) for of in (estimate, standard_error))
    for label in total["contract"].values:
        yield {
            "trials": trials,
            "contract": str(label),
            "mean_usd": float(mean.sel(contract=label)),
            "mean_error_usd": float(error.sel(contract=label)),
        }


def intervals(total: xr.DataArray, level: float = 0.95) -> pd.DataFrame:
    """Return what holds the figure of endlessly many trials with a confidence, by contract.

    Rows of measure, contract, `estimate`, `low` and `high`, in USD or shares as the measure says.
    """
    found = [
        {
            "measure": name,
            "contract": str(one["contract"].item()),
            "estimate": estimate(one, measure).item(),
            "low": ends.low.item(),
            "high": ends.high.item(),
        }
        for one in _columns(total)
        for name, measure in _MEASURES.items()
        for ends in [interval(one, measure, level)]
    ]
    order = list(_MEASURES).index
    return pd.DataFrame(sorted(found, key=lambda row: order(str(row["measure"]))))


def panel(table: pd.DataFrame) -> Panel:
    """Return intervals for reading: measures down, contracts across."""
    money = table[table["measure"].str.endswith("_usd")]
    unit = scale(float(np.nanmax(money[["low", "high"]].abs().to_numpy())) or 1.0)
    labels = tuple(dict.fromkeys(table["contract"]))
    rows = []
    for name in _MEASURES:
        part = table[table["measure"] == name].set_index("contract")
        size = unit.size if name.endswith("_usd") else 0.01
        cells = tuple(_ends(part.loc[label].to_dict(), size) for label in labels)
        rows.append(Row(_SAID[name], cells))
    title = "What holds the figure of endlessly many trials, 19 times of 20"
    return Panel(title, f"$ {unit.name}".strip(), labels, tuple(rows))


def _ends(row: Mapping[str, float], size: float) -> Figure:
    """Return an interval, its ends to the digits that its width leaves them."""
    error = (row["high"] - row["low"]) / 3.92
    low, high = (figure(row[end], error, size).value if row[end] else "0" for end in _ENDS)
    return Figure(low if low == high else f"{low} to {high}", "")
