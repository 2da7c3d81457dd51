"""When settlements change hands: what an ACO is paid or pays, by calendar quarter."""

from collections.abc import Mapping

import xarray as xr

from simulator.analysis.convergence import REPLICATE
from simulator.errors import SimulatorError
from simulator.programs.calendar import Payments

__all__ = ["by_quarter"]


def by_quarter(settlement: xr.DataArray, when: Mapping[str, Payments]) -> xr.DataArray:
    """Return what each contract is paid (plus) or pays; `quarter` takes the place of `year`.

    What a year earns and what it owes may move in unlike quarters; each trial's dollars are all
    there, in one of them.

    Parameters
    ----------
    settlement : DataArray (trial, year, ..., contract), USD
    when : each contract's calendar of payments

    Raises
    ------
    SimulatorError
        For a contract without a calendar.
    """
    other = [name for name in settlement.coords if name not in {*settlement.dims, REPLICATE}]
    settlement = settlement.drop_vars(other)
    labels = [str(label) for label in settlement["contract"].values]
    lacking = [label for label in labels if label not in when]
    if lacking:
        raise SimulatorError(f"contract {lacking[0]!r} has no calendar of payments")
    years = [int(year) for year in settlement["year"].values]
    quarters = sorted(
        {
            due.of(year)
            for label in labels
            for due in (when[label].earned, when[label].owed)
            for year in years
        }
    )
    by_contract = [
        _placed(settlement.sel(contract=label, drop=True), when[label], quarters)
        for label in labels
    ]
    return xr.concat(by_contract, dim="contract", coords="minimal").assign_coords(contract=labels)


def _placed(paid: xr.DataArray, when: Payments, quarters: list[str]) -> xr.DataArray:
    moved = []
    for quarter in quarters:
        earned = [year for year in paid["year"].values if when.earned.of(int(year)) == quarter]
        owed = [year for year in paid["year"].values if when.owed.of(int(year)) == quarter]
        moved.append(
            paid.sel(year=earned).clip(min=0.0).sum("year", skipna=False)
            + paid.sel(year=owed).clip(max=0.0).sum("year", skipna=False)
        )
    return xr.concat(moved, dim="quarter", coords="minimal").assign_coords(quarter=quarters)
