"""Contracts side by side on the same draws: every pair's difference, and how often one wins."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from simulator.analysis.columns import gathered
from simulator.analysis.convergence import Measure, estimate
from simulator.analysis.paired import advantage
from simulator.errors import ResultsError
from simulator.report.rounding import figure, scale
from simulator.report.tables import Panel, Row, as_records, slices

__all__ = ["across", "against", "as_json", "compared", "pairs", "panel", "ranked"]

_KEYS = ["case", "year", "aco", "a", "b"]
_FIGURES = [
    f"{what}_{end}"
    for what, unit in (("mean", "usd"), ("wins", "share"), ("loses", "share"))
    for end in (unit, f"error_{unit}")
]


def pairs(run: xr.Dataset) -> pd.DataFrame:
    """Return what each contract pays more than each other one, trial by trial, with errors.

    Indexed by case, year, aco, a and b; the total of several years or ACOs is ``(total)``.
    `wins_share` is the chance that `a` pays strictly more, `loses_share` that `b` does.
    """
    return pd.concat([_pairs(x, _labels(run)) for x in slices(run["settlement_usd"])])


def compared(run: xr.Dataset, a: str, b: str) -> pd.DataFrame:
    """Return the differences of two contracts, `a` less `b`, by case, year and ACO.

    Raises ResultsError for a contract that the run does not have.
    """
    for label in (a, b):
        if label not in _labels(run):
            known = ", ".join(_labels(run))
            raise ResultsError(f"contract {label!r} is not in the run; it has {known}")
    return pd.concat([_pairs(x, [a, b], [b]) for x in slices(run["settlement_usd"])]).query(
        "a == @a"
    )


def against(settlement: xr.DataArray, a: str) -> pd.DataFrame:
    """Return what contract `a` pays more than each other one, with errors: a row for each.

    Parameters
    ----------
    settlement : DataArray (trial, contract), USD
    """
    of_a = settlement.sel(contract=a, drop=True)
    others = [label for label in map(str, settlement["contract"].values) if label != a]
    rows = [_figures(of_a - settlement.sel(contract=b, drop=True)) for b in others]
    return pd.DataFrame(rows, index=pd.Index(others, dtype=object), columns=_FIGURES)


def across(one: xr.Dataset, other: xr.Dataset) -> pd.DataFrame:
    """Return what the first run pays more than the second, contract by contract, on its draws.

    The runs are paired trial by trial, which makes sense only where both drew the same futures:
    the same seed and scheme. Raises ResultsError for runs that cannot be paired.
    """
    for name in ("seed", "scheme", "replicates"):
        if one.attrs.get(name) != other.attrs.get(name):
            raise ResultsError(
                f"the runs are of {name} {one.attrs.get(name)} and {other.attrs.get(name)}; "
                "differences are of the same draws"
            )
    parts = [_complete(run["settlement_usd"]) for run in (one, other)]
    for dim in ("case", "year", "aco", "contract"):
        if list(parts[0][dim].values) != list(parts[1][dim].values):
            raise ResultsError(
                f"the runs have unlike {dim}s: {', '.join(map(str, parts[0][dim].values))} and "
                f"{', '.join(map(str, parts[1][dim].values))}"
            )
    trials = min(part.sizes["trial"] for part in parts)
    first, second = (part.isel(trial=slice(trials)).astype(np.float64) for part in parts)
    found = [_between(x) for x in slices(first - second)]
    return pd.concat(found)


def as_json(table: pd.DataFrame) -> list[dict[str, object]]:
    """Return a table of differences with all its digits, ready for `json`."""
    return as_records(table.reset_index())


def ranked(settlement: xr.DataArray) -> list[str]:
    """Return contracts from the highest mean, equal ones as the run has them."""
    means = estimate(settlement, Measure("mean"))
    return [
        str(x) for x in settlement["contract"].values[np.argsort(-means.values, kind="stable")]
    ]


def panel(rows: pd.DataFrame, title: str) -> Panel:
    """Return differences for reading: what is compared down, its figures across."""
    unit = scale(float(np.nanmax(np.abs(rows["mean_usd"]))) if len(rows) else 1.0)
    held = []
    for label, row in zip(rows.index, rows.to_dict("records"), strict=True):
        cells = (
            figure(row["mean_usd"], row["mean_error_usd"], unit.size),
            figure(row["wins_share"], row["wins_error_share"], 0.01),
            figure(row["loses_share"], row["loses_error_share"], 0.01),
        )
        held.append(Row(str(label), cells))
    columns = (f"More on average, $ {unit.name}".strip(), "Pays more, % of trials", "Pays less, %")
    return Panel(title, "", columns, tuple(held))


def _labels(run: xr.Dataset) -> list[str]:
    return [str(label) for label in run["contract"].values]


def _complete(settlement: xr.DataArray) -> xr.DataArray:
    return settlement if "case" in settlement.dims else settlement.expand_dims(case=[0])


def _pairs(x: xr.DataArray, labels: Sequence[str], others: Sequence[str] = ()) -> pd.DataFrame:
    found = pd.DataFrame(
        list(_differences(x, labels, others or labels)), columns=[*_KEYS, *_FIGURES]
    )
    return found.set_index(_KEYS)


def _differences(
    x: xr.DataArray, labels: Sequence[str], others: Sequence[str]
) -> Iterator[dict[str, object]]:
    """Yield the difference of each pair of a slice (aco, contract, trial)."""
    for aco in x["aco"].values:
        here = x.sel(aco=aco)
        at = {"case": int(x["case"]), "year": str(x["year"].values), "aco": str(aco)}
        for a in labels:
            for b in (label for label in others if label != a):
                gap = here.sel(contract=a, drop=True) - here.sel(contract=b, drop=True)
                yield {**at, "a": a, "b": b, **_figures(gap)}


def _between(gap: xr.DataArray) -> pd.DataFrame:
    rows = [
        {
            "case": int(gap["case"]),
            "year": str(gap["year"].values),
            "aco": str(aco),
            "contract": str(label),
            **_figures(gap.sel(aco=aco, contract=label)),
        }
        for aco in gap["aco"].values
        for label in gap["contract"].values
    ]
    return pd.DataFrame(rows).set_index(["case", "year", "aco", "contract"])


def _figures(gap: xr.DataArray) -> dict[str, float]:
    said = advantage(gathered(gap))
    return {str(name): float(value) for name, value in said.data_vars.items()}
