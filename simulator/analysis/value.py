"""What several years are worth together: present values, and the worst position on the way."""

import numpy as np
import xarray as xr

from simulator.analysis.columns import held
from simulator.errors import SimulatorError
from simulator.results import written
from simulator.scenario.schema import Valuation

__all__ = ["cumulative", "discounted", "present_value", "results", "worst_position"]

_RESULT = "economic_result_usd"


def results(run: xr.Dataset) -> xr.DataArray:
    """Return what each year is worth: dims of the run's settlement.

    That is the economic result where the run holds it (every run with a `valuation` does), else
    the settlement.
    """
    found = run[_RESULT if _RESULT in run else "settlement_usd"].astype(np.float64)
    return held(found)


def present_value(run: xr.Dataset) -> xr.DataArray:
    """Return the present value of all years at the start of the first, USD; dims less ``year``.

    A year's result is paid `paid_after_years` after its end: ``sum of result / (1 + rate) ** (1 +
    elapsed + paid_after_years)``. Raises SimulatorError for a run without a `valuation`.
    """
    return discounted(results(run), _valuation(run))


def discounted(paid: xr.DataArray, valuation: Valuation) -> xr.DataArray:
    """Return yearly results, USD, as one value at the start of the first year; dims less ``year``.

    >>> paid = xr.DataArray([110.0, 121.0], {"year": [2027, 2028]}, "year")
    >>> round(float(discounted(paid, Valuation(discount_rate=0.1, paid_after_years=0.0))), 9)
    200.0
    """
    elapsed = paid.year - paid.year[0] + 1.0 + valuation.paid_after_years
    return (paid / (1.0 + valuation.discount_rate) ** elapsed).sum("year", skipna=False)


def cumulative(run: xr.Dataset) -> xr.DataArray:
    """Return what has been earned less what has been owed so far, USD, by year; not discounted."""
    return results(run).cumsum("year", skipna=False).assign_coords(year=run.year)


def worst_position(run: xr.Dataset) -> xr.DataArray:
    """Return the lowest that cumulated results ever stand at, at most zero; dims less ``year``."""
    return cumulative(run).min("year", skipna=False).clip(max=0.0)


def _valuation(run: xr.Dataset) -> Valuation:
    held = written(run.attrs["scenario"]).get("valuation")
    if not isinstance(held, dict):
        raise SimulatorError("the run has no valuation; valuation.discount_rate asks for one")
    return Valuation.model_validate(held)
