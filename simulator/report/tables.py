"""The table of a run: every estimate with its Monte Carlo standard error."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from simulator.analysis.columns import by_column, gathered, held
from simulator.analysis.convergence import REPLICATE, Measure, estimate, standard_error
from simulator.report.rounding import Figure, figure, scale

__all__ = ["KEYS", "MEASURES", "TOTAL", "Panel", "Row", "Table", "as_json", "as_records"]
__all__ += ["added", "observed", "slices", "summary", "tables", "unsettled"]

TOTAL = "(total)"
KEYS = ("case", "year", "aco", "contract")

MEASURES: Mapping[str, Measure] = {
    "mean_usd": Measure("mean"),
    "sd_usd": Measure("sd"),
    "p1_usd": Measure("quantile", 0.01),
    "p5_usd": Measure("quantile", 0.05),
    "p25_usd": Measure("quantile", 0.25),
    "p50_usd": Measure("quantile", 0.50),
    "p75_usd": Measure("quantile", 0.75),
    "p95_usd": Measure("quantile", 0.95),
    "p99_usd": Measure("quantile", 0.99),
    "earns_share": Measure("above"),
    "owes_share": Measure("below"),
    "tail95_usd": Measure("tail", 0.05),
    "tail99_usd": Measure("tail", 0.01),
}
_LABELS = {
    "earns_share": "P(earns) %",
    "owes_share": "P(owes) %",
    "tail95_usd": "worst 5%",
    "tail99_usd": "worst 1%",
}
# Settlements of several ACOs in memory at once, so that a store is not read for each of them.
_HELD = 4_000_000
_STATUSES = ("assumed", "reported", "proposed", "disputed")
_OBSERVED = ("year", "aco", "contract")


def summary(run: xr.Dataset) -> pd.DataFrame:
    """Return what each contract's settlement looks like, with standard errors.

    Indexed by case, year, aco and contract; the total of several years or ACOs is ``(total)``.
    For every measure ``x_usd`` (or ``_share``) there is ``x_error_usd``; ``tail95_usd`` is the
    mean of the worst 5% for the ACO. Then the counts of the terms behind the contract by status,
    and of those that are disputed.

    Parameters
    ----------
    run : Dataset (case, trial, year, aco, contract), with `settlement_usd` in USD
    """
    parts = (_estimates(x) for x in slices(run["settlement_usd"]))
    order = ["aco", "contract"]
    table = pd.concat([part.to_dataframe(order) for part in parts]).reset_index()
    return table.set_index(list(KEYS)).join(unsettled(run), on="contract")


def observed(run: xr.Dataset) -> pd.DataFrame:
    """Return what was published beside each case's distribution of the actual contract.

    ``percentile_share`` is the share of trials below it, ties counted by half; not a number
    where the run does not hold that year or contract.
    """
    rows = json.loads(run.attrs.get("observed", "[]"))
    cases = _complete(run["settlement_usd"]).transpose("case", ...)
    drawn = [(int(case["case"]), _drawn(case, rows)) for case in cases] if rows else []
    found = [
        {"case": case, **row, **_percentile(draws.get(place), row)}
        for place, row in enumerate(rows)
        for case, draws in drawn
    ]
    return pd.DataFrame(found)


def as_json(
    run: xr.Dataset, known: pd.DataFrame | None = None, seen: pd.DataFrame | None = None
) -> dict[str, object]:
    """Return the summary and the observed results with all their digits, ready for `json`.

    Parameters
    ----------
    known, seen : the summary and what was observed, where they are worked out already
    """
    told = ("name", "about", "seed", "trials", "scheme", "version")
    identity = {key: run.attrs.get(key) for key in told}
    return {
        **identity,
        "settlements": as_records((summary(run) if known is None else known).reset_index()),
        "observed": as_records(observed(run) if seen is None else seen),
    }


class Row(NamedTuple):
    """A line of a table: its label, a figure (or a count) for each contract, and its kind."""

    label: str
    cells: tuple[Figure | int, ...]
    kind: str = ""


class Panel(NamedTuple):
    """A table for reading: its title and unit, what its columns are, and its rows."""

    title: str
    unit: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


class Table(NamedTuple):
    """One case, year and ACO for reading: statistics down, contracts across."""

    case: int
    year: str
    aco: str
    unit: str
    contracts: tuple[str, ...]
    rows: tuple[Row, ...]


def tables(table: pd.DataFrame) -> Iterator[Table]:
    """Return the tables of a summary for reading, one a case, year and ACO, as they stand."""
    for (case, year, aco), part in table.groupby(list(KEYS[:3]), sort=False):
        yield _table(part.droplevel(list(KEYS[:3])), int(str(case)), str(year), str(aco))


def slices(settlement: xr.DataArray) -> Iterator[xr.DataArray]:
    """Return one case and year after another, totals first: ``(aco, contract, trial)``.

    Of many ACOs some at a time are in memory: as many trials of them as are held at once. What is
    too long for that is lazy, to be taken by column.
    """
    for case in _complete(settlement).transpose("case", ...):
        if case.size <= _HELD or case.sizes["aco"] == 1:
            yield from _years(_with_total(_loaded(case), "aco"))
            continue
        yield from _years(added(case).expand_dims(aco=np.array([TOTAL], object)))
        for portion in _portions(case):
            yield from _years(portion)


def added(settlement: xr.DataArray) -> xr.DataArray:
    """Return a settlement with its ACOs added, some of them in memory at a time; less `aco`.

    It is lazy where one ACO alone is too long to be held.
    """
    total = None
    for portion in _portions(settlement):
        alone = portion.sizes["aco"] == 1
        part = portion.isel(aco=0, drop=True) if alone else portion.sum("aco", skipna=False)
        total = part if total is None else total + part
    return xr.DataArray(total)


def _portions(settlement: xr.DataArray) -> Iterator[xr.DataArray]:
    """Yield so many ACOs at a time as are held in memory at once."""
    acos = settlement.sizes["aco"]
    some = max(_HELD // (settlement.size // acos or 1), 1)
    for first in range(0, acos, some):
        yield _loaded(settlement.isel(aco=slice(first, first + some)))


def _loaded(settlement: xr.DataArray) -> xr.DataArray:
    """Return a settlement as float64: in memory, or lazy if it is too long for that."""
    loaded = settlement.astype(np.float64)
    return held(loaded) if loaded.sizes["aco"] == 1 or loaded.size > _HELD else gathered(loaded)


def _years(loaded: xr.DataArray) -> Iterator[xr.DataArray]:
    for year in _with_total(loaded, "year").transpose("year", ...):
        yield year.transpose("aco", "contract", "trial").drop_vars("trial", errors="ignore")


def _complete(settlement: xr.DataArray) -> xr.DataArray:
    """Return a settlement with the dims case, year and aco, years and ACOs as text."""
    for dim in KEYS[:3]:
        if dim not in settlement.dims:
            settlement = settlement.expand_dims(dim)
        if dim not in settlement.coords:
            settlement = settlement.assign_coords({dim: range(settlement.sizes[dim])})
    names = {dim: [str(label) for label in settlement[dim].values] for dim in ("year", "aco")}
    keep = [*settlement.dims, REPLICATE]
    bare = settlement.drop_vars([name for name in settlement.coords if name not in keep])
    return bare.assign_coords({dim: np.array(labels, object) for dim, labels in names.items()})


def _with_total(x: xr.DataArray, dim: str) -> xr.DataArray:
    if x.sizes[dim] == 1:
        return x
    total = x.sum(dim, skipna=False).expand_dims({dim: np.array([TOTAL], object)})
    return xr.concat([total, x], dim=dim)


def _estimates(x: xr.DataArray) -> xr.Dataset:
    return by_column(_measured, x)


def _measured(x: xr.DataArray) -> xr.Dataset:
    said = {}
    for name, measure in MEASURES.items():
        said[name] = estimate(x, measure)
        said[_error(name)] = standard_error(x, measure)
    return xr.Dataset(said)


def _error(name: str) -> str:
    """Return the name of a measure's standard error.

    >>> _error("p5_usd")
    'p5_error_usd'
    """
    what, unit = name.rsplit("_", 1)
    return f"{what}_error_{unit}"


def unsettled(run: xr.Dataset) -> pd.DataFrame:
    """Return the number of terms behind each contract by status, and of those disputed."""
    counts: Counter[tuple[str, str]] = Counter()
    for row in json.loads(run.attrs.get("terms", "[]")):
        counts[row["contract"], row["status"]] += 1
        counts[row["contract"], "disputed"] += bool(row.get("also"))
    contracts = [str(label) for label in run["contract"].values]
    columns = {kind: [counts[label, kind] for label in contracts] for kind in _STATUSES}
    return pd.DataFrame(columns, index=pd.Index(contracts, name="contract"))


def _drawn(
    case: xr.DataArray, rows: Sequence[Mapping[str, str | float]]
) -> Mapping[int, xr.DataArray]:
    """Return the trials of each row that a case holds, by its place; all are read together."""
    labels = {dim: {str(label) for label in case[dim].values} for dim in _OBSERVED}
    known = [
        place
        for place, row in enumerate(rows)
        if all(str(row[dim]) in labels[dim] for dim in _OBSERVED)
    ]
    if not known:
        return {}
    at = {
        dim: xr.DataArray(np.array([str(rows[place][dim]) for place in known], object), dims="row")
        for dim in _OBSERVED
    }
    found = gathered(case.sel(at).transpose("row", ...))
    return {place: found.isel(row=n) for n, place in enumerate(known)}


def _percentile(draws: xr.DataArray | None, row: Mapping[str, str | float]) -> dict[str, float]:
    if draws is None:
        return {"percentile_share": float("nan"), "percentile_error_share": float("nan")}
    # Draws are stored as float32, and so must be what is to tie with them.
    level = float(np.float32(row["settlement_usd"]))
    # Mid-rank: half of the ties lie below.
    half = np.float32(0.5) * (np.float32(1.0) + (draws < level) - (draws > level))
    return {
        "percentile_share": float(estimate(half, Measure("mean"))),
        "percentile_error_share": float(standard_error(half, Measure("mean"))),
    }


def as_records(table: pd.DataFrame) -> list[dict[str, object]]:
    """Return rows as plain values; what is not a number is null."""
    return json.loads(table.to_json(orient="records", double_precision=15))


def _table(part: pd.DataFrame, case: int, year: str, aco: str) -> Table:
    in_dollars = [name for name in MEASURES if name.endswith("_usd")]
    unit = scale(np.nanmax(np.abs(part[in_dollars].to_numpy())))
    rows = [_row(part, name, unit.size) for name in MEASURES]
    counts = [Row(name, tuple(int(n) for n in part[name])) for name in _STATUSES]
    contracts = tuple(str(label) for label in part.index)
    return Table(case, year, aco, f"$ {unit.name}".strip(), contracts, (*rows, *counts))


def _row(part: pd.DataFrame, name: str, size: float) -> Row:
    dollars = name.endswith("_usd")
    unit = size if dollars else 0.01
    errors = part[_error(name)]
    if dollars:  # beside a point mass: known to the dollar
        errors = errors.mask(errors < 1.0, 0.0)
    pairs: Sequence[tuple[float, float]] = list(zip(part[name], errors, strict=True))
    label = _LABELS.get(name, name.removesuffix("_usd"))
    return Row(label, tuple(figure(value, error, unit) for value, error in pairs))
