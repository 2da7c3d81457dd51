"""Monte Carlo standard errors: how far an estimate from this many trials may be off.

Each formula needs no shape of the distribution; point masses (nobody earns below the minimum
savings rate) are allowed. Trials are independent unless a coordinate `replicate` says which of
them were drawn together (mirrored pairs, Sobol' points): what is independent then are replicates.
"""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import special

from simulator.analysis import tail
from simulator.analysis.columns import PIECE, by_column, gathered

__all__ = ["REPLICATE", "Measure", "design_effect", "estimate", "powers", "standard_error"]

REPLICATE = "replicate"

Floats: TypeAlias = npt.NDArray[np.float64]
_Of: TypeAlias = Callable[[xr.DataArray, float, str], xr.DataArray]


class Measure(NamedTuple):
    """What is estimated: of `below`, `above` a level; of `quantile`, `tail` a share."""

    kind: Literal["mean", "sd", "below", "above", "quantile", "tail"]
    at: float = 0.0


def estimate(x: xr.DataArray, measure: Measure, dim: str = "trial") -> xr.DataArray:
    """Return `measure` of the trials; dims less `dim`, unit of `x` or share.

    >>> x = xr.DataArray([-8.0, 9.0, -2.0, 5.0], dims="trial")
    >>> float(estimate(x, Measure("mean"))), float(estimate(x, Measure("below")))
    (1.0, 0.5)
    """
    of = _FORMULAS[measure.kind].estimate
    return by_column(lambda column: of(column, measure.at, dim), x, dim)


def standard_error(x: xr.DataArray, measure: Measure, dim: str = "trial") -> xr.DataArray:
    """Return the standard error of `estimate(x, measure, dim)`; dims less `dim`, same unit.

    ========  =====================================================================
    mean      s / sqrt(n)
    sd        sqrt((m4 - s^4 (n - 3) / (n - 1)) / n) / (2 s), m4 the fourth moment
    below     sqrt(p (1 - p) / n), and so for above
    quantile  sd of the order statistic over all resamples of the trials: sum of
              w_i (x_(i) - m)^2, w_i the chance that trial i is the one (Maritz, Jarrett)
    tail      sd of q + min(x - q, 0) / share, over sqrt(n)
    ========  =====================================================================

    Where trials were drawn together it is that times `design_effect`.

    >>> x = xr.DataArray([-8.0, 9.0, -2.0, 5.0], dims="trial")
    >>> float(standard_error(x, Measure("below")))
    0.25
    >>> pairs = x.assign_coords(replicate=("trial", [0, 0, 1, 1]))
    >>> float(standard_error(pairs, Measure("below")))
    0.0
    """
    return by_column(lambda column: _error(column, measure, dim), x, dim)


def _error(x: xr.DataArray, measure: Measure, dim: str) -> xr.DataArray:
    error = _FORMULAS[measure.kind].error(x, measure.at, dim)
    return error * design_effect(x, measure, dim) if REPLICATE in x.coords else error


def design_effect(x: xr.DataArray, measure: Measure, dim: str = "trial") -> xr.DataArray:
    """Return the standard error over that of as many independent trials; dims less `dim`.

    The spread of the replicates' totals of the estimate's influence (of a quantile q, say,
    whether a trial lies at or below q), over the spread that independent trials would have.

    Raises KeyError where no `replicate` says which trials were drawn together.
    """
    influence = _influence(gathered(x), measure, dim).astype(np.float64)
    _, codes = np.unique(x.coords[REPLICATE].values, return_inverse=True)
    return xr.apply_ufunc(
        _effect, influence, input_core_dims=[[dim]], kwargs={"codes": codes.reshape(-1)}
    )


def _influence(x: xr.DataArray, measure: Measure, dim: str) -> xr.DataArray:
    """Return what a trial moves the estimate by, but for a constant factor and term."""
    if measure.kind == "sd":
        return (x - _mean(x, 0.0, dim)) ** 2
    if measure.kind == "quantile":
        return x <= tail.value_at_risk(x, measure.at, dim)
    if measure.kind == "tail":
        return tail.shortfall(x, measure.at, dim)
    marked = {"below": x < measure.at, "above": x > measure.at}
    return marked.get(measure.kind, x)


def _effect(y: Floats, codes: npt.NDArray[np.intp]) -> Floats:
    """Return the root of the ratio of variances of a mean, along the last axis."""
    n, groups = y.shape[-1], int(codes.max()) + 1
    deviations = y - y.mean(axis=-1, keepdims=True)
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(groups))
    totals = np.add.reduceat(deviations[..., order], starts, axis=-1)
    grouped = (totals**2).sum(axis=-1) / ((groups - 1) or np.nan) * groups
    alone = (deviations**2).sum(axis=-1) / ((n - 1) or np.nan) * n
    # A constant has no spread, however it is drawn: 0 over 0 is 0 here.
    return np.sqrt(grouped / (alone + (alone == 0.0)))


def _mean(x: xr.DataArray, at: float, dim: str) -> xr.DataArray:
    return x.mean(dim, dtype=np.float64, skipna=False)


def _mean_error(x: xr.DataArray, at: float, dim: str) -> xr.DataArray:
    return _sd(x, at, dim) / np.sqrt(x.sizes[dim])


def _sd(x: xr.DataArray, at: float, dim: str) -> xr.DataArray:
    return xr.apply_ufunc(_spread, gathered(x), input_core_dims=[[dim]])


def _spread(x: Floats) -> Floats:
    """Return the sample standard deviation along the last axis; none for a single trial."""
    return np.sqrt(powers(x, 2) / ((x.shape[-1] - 1) or np.nan))


def powers(x: Floats, power: int) -> Floats:
    """Return the sum of the deviations from the mean, to a power, along the last axis."""
    mean = x.mean(axis=-1, keepdims=True, dtype=np.float64)
    pieces = (x[..., first : first + PIECE] for first in range(0, x.shape[-1], PIECE))
    return np.asarray(sum(((piece - mean) ** power).sum(axis=-1) for piece in pieces))


def _sd_error(x: xr.DataArray, at: float, dim: str) -> xr.DataArray:
    return xr.apply_ufunc(_spread_error, gathered(x), input_core_dims=[[dim]])


def _spread_error(x: Floats) -> Floats:
    n, sd = x.shape[-1], _spread(x)
    fourth = powers(x, 4) / n
    of_variance = np.sqrt(np.maximum(fourth - sd**4 * (n - 3) / max(n - 1, 1), 0.0) / n)
    # A constant has no spread to be wrong about: 0 over 0 is 0 here.
    return of_variance / (2.0 * sd + (sd == 0.0))


def _share_error(share: xr.DataArray, n: int) -> xr.DataArray:
    return (share * (1.0 - share) / n) ** 0.5


def _below_error(x: xr.DataArray, at: float, dim: str) -> xr.DataArray:
    return _share_error(tail.chance_below(x, at, dim), x.sizes[dim])


def _above_error(x: xr.DataArray, at: float, dim: str) -> xr.DataArray:
    return _share_error(tail.chance_above(x, at, dim), x.sizes[dim])


def _quantile_error(x: xr.DataArray, at: float, dim: str) -> xr.DataArray:
    return xr.apply_ufunc(
        _resampled_sd, gathered(x), input_core_dims=[[dim]], kwargs={"share": at}
    )


def _resampled_sd(x: Floats, share: float) -> Floats:
    """Return the sd over resamples of the order statistic at `share`, along the last axis."""
    first, weights = _weights(x.shape[-1], share)
    near = np.sort(x, axis=-1)[..., first : first + len(weights)].astype(np.float64)
    # Counted from the first, so that a point mass gives zero and not a rounding error.
    near -= near[..., :1]
    deviations = near - (near @ weights)[..., None]
    return np.sqrt(deviations**2 @ weights)


def _weights(n: int, share: float) -> tuple[int, Floats]:
    """Return the first rank that matters and each rank's chance to be the order statistic.

    The one at rank r of a resample is at most x_(i) with chance I_{i/n}(r, n - r + 1).
    """
    rank = 1.0 + (n - 1) * share
    centre = rank / (n + 1)
    reach = 20.0 * np.sqrt(centre * (1.0 - centre) / (n + 2))
    first, last = int(max(n * (centre - reach), 0)), int(min(n * (centre + reach) + 2, n))
    up_to = special.betainc(rank, n - rank + 1.0, np.arange(first, last + 1) / n)
    weights = np.diff(up_to)
    return first, weights / weights.sum()


def _tail_error(x: xr.DataArray, at: float, dim: str) -> xr.DataArray:
    return _mean_error(tail.shortfall(x, at, dim), at, dim)


class _Formula(NamedTuple):
    estimate: _Of
    error: _Of


_FORMULAS: Mapping[str, _Formula] = {
    "mean": _Formula(_mean, _mean_error),
    "sd": _Formula(_sd, _sd_error),
    "below": _Formula(tail.chance_below, _below_error),
    "above": _Formula(tail.chance_above, _above_error),
    "quantile": _Formula(tail.value_at_risk, _quantile_error),
    "tail": _Formula(tail.tail_value_at_risk, _tail_error),
}
