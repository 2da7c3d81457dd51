"""Tails and chances of a distribution of trials; the ACO's side, so the worst is the lowest."""

from collections.abc import Callable, Sequence
from operator import gt, lt
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import xarray as xr

from simulator.analysis.columns import by_column, gathered
from simulator.errors import SimulatorError

__all__ = [
    "chance_above",
    "chance_below",
    "quantiles",
    "shortfall",
    "tail_value_at_risk",
    "value_at_risk",
]

Floats: TypeAlias = npt.NDArray[np.float64]
_Meets: TypeAlias = Callable[[Floats, float], npt.NDArray[np.bool_]]


def quantiles(x: xr.DataArray, shares: Sequence[float], dim: str = "trial") -> xr.DataArray:
    """Return the quantiles at `shares`, along a new first dim `quantile`.

    All trials of a column are gathered, so they are exact: linear between order statistics, as
    Excel's PERCENTILE.INC has them.

    >>> x = xr.DataArray([3.0, 1.0, 2.0], dims="trial")
    >>> [float(q) for q in quantiles(x, [0.25, 0.5])]
    [1.5, 2.0]
    """
    wanted = [_checked(share) for share in shares]
    found = by_column(
        lambda column: xr.apply_ufunc(
            _quantiles,
            _gathered(column),
            input_core_dims=[[dim]],
            output_core_dims=[["quantile"]],
            kwargs={"shares": wanted},
        ),
        x,
        dim,
    )
    return found.assign_coords(quantile=wanted).transpose("quantile", ...)


def _quantiles(x: Floats, shares: Sequence[float]) -> Floats:
    return np.moveaxis(np.quantile(x, shares, axis=-1), 0, -1)


def value_at_risk(x: xr.DataArray, share: float, dim: str = "trial") -> xr.DataArray:
    """Return the value that the worst `share` of the trials fall below; dims less `dim`.

    >>> float(value_at_risk(xr.DataArray(np.arange(101.0), dims="trial"), 0.05))
    5.0

    Parameters
    ----------
    x : DataArray (trial, ...), in any unit, plus for the ACO
    share : above 0 and at most 1; 0.05 for the worst 5%

    Raises
    ------
    SimulatorError
        For another share.
    """
    return quantiles(x, [share], dim).isel(quantile=0, drop=True)


def tail_value_at_risk(x: xr.DataArray, share: float, dim: str = "trial") -> xr.DataArray:
    """Return the mean of the worst `share` of the trials; dims less `dim`.

    Where `share` of the trials is not a whole number, the last one counts for its part.

    >>> float(tail_value_at_risk(xr.DataArray([-8.0, 9.0, -2.0, 5.0], dims="trial"), 0.5))
    -5.0

    Parameters
    ----------
    x : DataArray (trial, ...), in any unit, plus for the ACO
    share : above 0 and at most 1; 0.05 for the worst 5%

    Raises
    ------
    SimulatorError
        For another share.
    """
    return by_column(lambda column: shortfall(column, share, dim).mean(dim, skipna=False), x, dim)


def shortfall(x: xr.DataArray, share: float, dim: str = "trial") -> xr.DataArray:
    """Return q + min(x - q, 0) / share by trial, q the quantile at `share`.

    Its mean is the tail value at risk; q maximises that mean, so an error of q does not enter
    to first order, and the standard error of the mean is that of the tail value at risk.
    """
    return xr.apply_ufunc(
        _shortfall,
        _gathered(x),
        input_core_dims=[[dim]],
        output_core_dims=[[dim]],
        kwargs={"share": _checked(share)},
    )


def _shortfall(x: Floats, share: float) -> Floats:
    q = np.quantile(x, share, axis=-1, method="inverted_cdf", keepdims=True)
    short = x - q
    np.minimum(short, 0.0, out=short)
    short /= share
    short += q
    return short


def chance_below(x: xr.DataArray, level: float, dim: str = "trial") -> xr.DataArray:
    """Return the share of the trials strictly below `level`; dims less `dim`.

    >>> float(chance_below(xr.DataArray([-1.0, 0.0, 0.0, 2.0], dims="trial"), 0.0))
    0.25
    """
    return by_column(lambda column: _chance(column, lt, level, dim), x, dim)


def chance_above(x: xr.DataArray, level: float, dim: str = "trial") -> xr.DataArray:
    """Return the share of the trials strictly above `level`; dims less `dim`.

    >>> float(chance_above(xr.DataArray([-1.0, 0.0, 0.0, 2.0], dims="trial"), 0.0))
    0.25
    """
    return by_column(lambda column: _chance(column, gt, level, dim), x, dim)


def _chance(x: xr.DataArray, meets: _Meets, level: float, dim: str) -> xr.DataArray:
    return xr.apply_ufunc(
        _share, _gathered(x), input_core_dims=[[dim]], kwargs={"meets": meets, "level": level}
    )


def _share(x: Floats, meets: _Meets, level: float) -> Floats:
    met = np.count_nonzero(meets(x, level), axis=-1) / x.shape[-1]
    # What is missing meets nothing: without this it would count as a trial that does not.
    return np.where(np.isnan(x).any(axis=-1), np.nan, met)


def _gathered(x: xr.DataArray) -> xr.DataArray:
    return gathered(x).astype(np.float64, copy=False)


def _checked(share: float) -> float:
    if not 0.0 < share <= 1.0:
        raise SimulatorError(f"share is {share!r}; it is above 0 and at most 1, 0.05 for 5%")
    return share
