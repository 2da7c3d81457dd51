"""What an ACO keeps of what it saves: the gain in savings over the fall in spending, by year."""

import numpy as np
import xarray as xr

from simulator.analysis.columns import held
from simulator.analysis.convergence import Measure, estimate, standard_error
from simulator.errors import SimulatorError

__all__ = ["EFFECT", "kept"]

EFFECT = "experience.effect.mean"


def kept(run: xr.Dataset) -> xr.Dataset:
    """Return the share of an effect that still counts as savings: (year, aco, contract).

    The run sweeps the effect from zero; its last case is compared with its first on the same
    draws. One means that every dollar saved is a dollar of gross savings, as before any rebasing;
    a benchmark rebased on the lower spending takes its part away. `kept_error_share` is the Monte
    Carlo standard error (of a ratio of means, by the delta method).

    Raises SimulatorError for a run that does not sweep the effect from zero.
    """
    if EFFECT not in run.coords or float(run[EFFECT].values[0]) != 0.0:
        raise SimulatorError(f"the run does not sweep {EFFECT} from 0; sweep.grid can")
    lines = run[["gross_savings_usd", "expenditure_usd"]].astype(np.float64)
    first, last = lines.isel(case=0, drop=True), lines.isel(case=-1, drop=True)
    gained = held(last.gross_savings_usd - first.gross_savings_usd)
    saved = held(first.expenditure_usd - last.expenditure_usd)
    saved_mean = estimate(saved, Measure("mean"))
    share = estimate(gained, Measure("mean")) / saved_mean
    error = standard_error(gained - share * saved, Measure("mean")) / np.abs(saved_mean)
    return xr.Dataset({"kept_share": share, "kept_error_share": error})
