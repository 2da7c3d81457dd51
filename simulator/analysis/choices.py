"""What contracts of several years are worth, and which of two is worth more on the same draws."""

from itertools import combinations

import numpy as np
import pandas as pd
import xarray as xr

from simulator.analysis.convergence import Measure, estimate, standard_error
from simulator.analysis.paired import advantage
from simulator.analysis.value import present_value, worst_position

__all__ = ["duels", "present", "worth"]

_MEASURES = {
    "mean_usd": Measure("mean"),
    "sd_usd": Measure("sd"),
    "p5_usd": Measure("quantile", 0.05),
    "p50_usd": Measure("quantile", 0.50),
    "p95_usd": Measure("quantile", 0.95),
    "gains_share": Measure("above"),
}
_WORST = {"worst_mean_usd": Measure("mean"), "worst_p5_usd": Measure("quantile", 0.05)}


def present(run: xr.Dataset) -> xr.DataArray:
    """Return present values of all ACOs together, USD: ``(trial, contract)``, first case."""
    return _first(present_value(run).sum("aco", skipna=False))


def worth(run: xr.Dataset) -> pd.DataFrame:
    """Return each contract's present value and its lowest cumulated position, with errors.

    A row a contract; for every measure ``x_usd`` (or ``_share``) there is ``x_error_usd``.
    """
    value, worst = (
        present(run),
        _first(worst_position(run.sum("aco", skipna=False, keep_attrs=True))),
    )
    told = [(name, value, measure) for name, measure in _MEASURES.items()]
    told += [(name, worst, measure) for name, measure in _WORST.items()]
    columns = {}
    for name, drawn, measure in told:
        what, unit = name.rsplit("_", 1)
        columns[name] = estimate(drawn, measure).to_series()
        columns[f"{what}_error_{unit}"] = standard_error(drawn, measure).to_series()
    return pd.DataFrame(columns)


def duels(run: xr.Dataset) -> pd.DataFrame:
    """Return every two contracts' difference in present value, and how often the first wins."""
    value = present(run)
    rows = []
    for a, b in combinations([str(label) for label in value["contract"].values], 2):
        gap = value.sel(contract=a, drop=True) - value.sel(contract=b, drop=True)
        said = advantage(gap)
        rows.append({"a": a, "b": b} | {str(n): float(v) for n, v in said.data_vars.items()})
    return pd.DataFrame(rows)


def _first(drawn: xr.DataArray) -> xr.DataArray:
    if "case" in drawn.dims:
        drawn = drawn.isel(case=0)
    extra = [n for n in drawn.coords if n not in ("trial", "contract", "replicate")]
    return drawn.drop_vars(extra).astype(np.float64)
