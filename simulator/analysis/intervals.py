"""Intervals for estimates: they hold the truth as often as they say, in skewed tails too.

A standard error either side is enough where an estimate is nearly normal. A mean of the worst 1%
of some thousand trials rests on a few dozen of them and is skewed; a chance near zero is, too.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import special, stats

from simulator.analysis import tail
from simulator.analysis.columns import by_column, gathered
from simulator.analysis.convergence import (
    REPLICATE,
    Measure,
    design_effect,
    estimate,
    powers,
    standard_error,
)

__all__ = ["interval"]

Floats: TypeAlias = npt.NDArray[np.float64]
_Two: TypeAlias = tuple[Floats, Floats]

_MANY = 200  # replicates, from which on their spread is as good as known
_FLAT = 1e-9


def interval(
    x: xr.DataArray, measure: Measure, level: float = 0.95, dim: str = "trial"
) -> xr.Dataset:
    """Return what holds the truth with confidence `level`: `low` and `high`, dims less `dim`.

    ============  ===============================================================
    mean, tail    a t-interval corrected for the skewness of the trials (Hall 1992)
    below, above  the score interval of a share (Wilson 1927)
    quantile      between order statistics, by the binomial law of their ranks
    sd            standard errors either side
    ============  ===============================================================

    Where trials were drawn together these are stretched by the design effect; where they are few
    replicates, it is Student's t of as many either side.

    >>> x = xr.DataArray(np.arange(1.0, 1_001.0), dims="trial")
    >>> found = interval(x, Measure("quantile", 0.5))
    >>> round(float(found.low), 1), round(float(found.high), 1)
    (469.5, 531.5)
    """
    return by_column(lambda column: _interval(column, measure, level, dim), x, dim)


def _interval(x: xr.DataArray, measure: Measure, level: float, dim: str) -> xr.Dataset:
    score = float(special.ndtri(0.5 + level / 2.0))
    if REPLICATE not in x.coords:
        return _apart(x, measure, score, dim)
    replicates = len(np.unique(x.coords[REPLICATE].values))
    middle = estimate(x, measure, dim)
    if replicates < _MANY:
        reach = stats.t.ppf(0.5 + level / 2.0, replicates - 1) * standard_error(x, measure, dim)
        return xr.Dataset({"low": middle - reach, "high": middle + reach})
    ends = _apart(x.drop_vars(REPLICATE), measure, score, dim)
    return middle + design_effect(x, measure, dim) * (ends - middle)


def _apart(x: xr.DataArray, measure: Measure, score: float, dim: str) -> xr.Dataset:
    """Return the interval of independent trials."""
    n, middle = x.sizes[dim], estimate(x, measure, dim)
    if measure.kind in ("mean", "tail"):
        of = x if measure.kind == "mean" else tail.shortfall(x, measure.at, dim)
        return _ends(of, lambda values: _of_mean(values, score), dim)
    if measure.kind == "quantile":
        low, high = (_rank(n, measure.at, float(special.ndtr(end))) for end in (score, -score))
        return _ends(x, lambda values: _between(values, low, high), dim)
    if measure.kind == "sd":
        reach = score * standard_error(x, measure, dim)
        return xr.Dataset({"low": middle - reach, "high": middle + reach})
    return _of_share(middle, n, score)


def _of_share(middle: xr.DataArray, n: int, score: float) -> xr.Dataset:
    centre = (middle + score**2 / (2.0 * n)) / (1.0 + score**2 / n)
    squared = middle * (1.0 - middle) / n + score**2 / (4.0 * n**2)
    reach = score * np.sqrt(squared) / (1.0 + score**2 / n)
    return xr.Dataset({"low": centre - reach, "high": centre + reach})


def _ends(x: xr.DataArray, find: Callable[[Floats], _Two], dim: str) -> xr.Dataset:
    low, high = xr.apply_ufunc(
        find, gathered(x), input_core_dims=[[dim]], output_core_dims=[[], []]
    )
    return xr.Dataset({"low": low, "high": high})


def _of_mean(x: Floats, score: float) -> _Two:
    """Return the ends for a mean: Student's t bent by a cubic until it is normal, bent back."""
    n = x.shape[-1]
    mean = x.mean(axis=-1, dtype=np.float64)
    sd = np.sqrt(powers(x, 2) / ((n - 1) or np.nan))
    skewness = powers(x, 3) / n / (sd + (sd == 0.0)) ** 3 / np.sqrt(n)
    flat = np.abs(skewness) < _FLAT
    bent = skewness + flat

    def end(score: float) -> Floats:
        turned = 3.0 / bent * (np.cbrt(1.0 + bent * (score - bent / 6.0)) - 1.0)
        return mean - sd / np.sqrt(n) * (turned + flat * (score - turned))

    return end(score), end(-score)


def _between(x: Floats, low: float, high: float) -> _Two:
    ordered = np.sort(x, axis=-1)
    return _at(ordered, low), _at(ordered, high)


def _at(ordered: Floats, rank: float) -> Floats:
    """Return what stands at a rank, counted from one, on a line between two of them."""
    last = ordered.shape[-1]
    below = int(np.clip(np.floor(rank), 1, last))
    above = min(below + 1, last)
    way = float(np.clip(rank - below, 0.0, 1.0))
    return (1.0 - way) * ordered[..., below - 1] + way * ordered[..., above - 1]


def _rank(n: int, at: float, chance: float) -> float:
    """Return the rank whose order statistic lies at or below the quantile with a chance.

    That of rank k does with the chance that k of n trials or more do: I_at(k, n - k + 1).
    """
    ranks = np.linspace(_FLAT, n + 1.0 - _FLAT, 65)
    for _ in range(12):
        found = special.betainc(ranks, n - ranks + 1.0, at)
        place = int(np.clip(np.searchsorted(-found, -chance), 1, len(ranks) - 1))
        ranks = np.linspace(ranks[place - 1], ranks[place], 65)
    return float(ranks[0])
