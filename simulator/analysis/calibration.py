"""Severities fitted to people: what they spent in the months that they were there.

Spending is annualised, and a person weighs as many months as the person was there. The positive
part of a family is fitted by the likelihood of spending in narrow bins, by its mean and its
coefficient of variation together, each with its standard error; with uniform ranges for the two,
the likelihood is a posterior, from which `posterior` draws.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import special

from simulator.errors import SimulatorError
from simulator.sampling.severity import FAMILIES, Severity

__all__ = ["Estimate", "Family", "Fit", "Ranges", "best", "fit", "fits", "posterior"]

Floats: TypeAlias = npt.NDArray[np.float64]
Family: TypeAlias = Literal["lognormal_mixture", "lognormal", "gamma"]

_MONTHS = 12.0
_FEWEST = 50
_TOP = 0.01
_STEP = 0.02  # of bins, in logarithms of spending
_PLACES = np.arange(-18.0, 9.0, _STEP / 2.0)  # of spending over its mean, in logarithms
_FAINT = 9.0  # spending by so much less than the mean, in logarithms, is one bin
_SIZES, _CV_NODES = (25, 25, 25, 25, 61), 401
_REACH = 6.0  # standard errors either side that a posterior is tabulated for
_TINY = 1e-300


class Estimate(NamedTuple):
    """A figure and its standard error."""

    value: float
    error: float


class Ranges(NamedTuple):
    """Where mean and coefficient of variation of those who spend may lie, each evenly in logs."""

    mean: tuple[float, float]
    cv: tuple[float, float]


@dataclass(frozen=True)
class Fit:
    """A severity fitted to people, and how sure each figure of it is.

    zero_share : of the people, who spent nothing
    mean_ppy : USD per person-year, by weight of months, whatever the family
    cv : of annualised spending, zeros included, by the family
    observed_cv : the same of the people themselves, whatever the family
    top_percentile_usd : what one in a hundred exceeds, whatever the family
    tail_index : the power by which chances fall in the top percent (Hill), whatever the family
    log_likelihood : of the binned spending of those who spend; higher is better
    """

    family: Family
    persons: int
    person_years: float
    zero_share: Estimate
    mean_ppy: Estimate
    cv: Estimate
    observed_cv: Estimate
    top_percentile_usd: Estimate
    tail_index: Estimate
    log_likelihood: float
    severity: Severity

    @property
    def scenario(self) -> dict[str, object]:
        """Return `experience.severity` for one enrolment type: family, cv and zero_share."""
        return {
            "family": self.family,
            "cv": round(self.cv.value, 4),
            "zero_share": round(self.zero_share.value, 4),
        }


def fit(paid_usd: Sequence[float], months: Sequence[float], family: Family) -> Fit:
    """Return a family fitted to people of one enrolment type.

    Parameters
    ----------
    paid_usd : (person,), what was paid in the year; below zero counts as nothing
    months : (person,), above 0 and up to 12, that each was there

    Raises
    ------
    SimulatorError
        If the people are fewer than 50 who spend, or a figure is none.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> paid = 9_000.0 * rng.gamma(0.5, 2.0, 4_000)
    >>> found = fit(paid, np.full(4_000, 12.0), "gamma")
    >>> bool(abs(found.mean_ppy.value - 9_000.0) < 4.0 * found.mean_ppy.error)
    True
    """
    spent, weight = _annualised(paid_usd, months)
    law = _fitted(spent, weight, family)
    zero = _zero_share(spent, weight)
    mean = _mean(spent, weight)
    severity = FAMILIES[family](mean.value, _whole_cv(law.cv, zero.value), zero.value)
    return Fit(
        family=family,
        persons=len(spent),
        person_years=float(weight.sum()),
        zero_share=zero,
        mean_ppy=mean,
        cv=_cv(law, zero),
        observed_cv=_observed_cv(spent, weight),
        top_percentile_usd=_top_percentile(spent, weight),
        tail_index=_tail_index(spent, weight),
        log_likelihood=law.log_likelihood,
        severity=severity,
    )


def fits(
    paid_usd: Sequence[float], months: Sequence[float], kinds: Sequence[str], family: Family
) -> dict[str, Fit]:
    """Return a family fitted to each enrolment type's people apart, by its name."""
    paid, there, kind = np.asarray(paid_usd), np.asarray(months), np.asarray(kinds)
    return {
        str(name): fit(paid[kind == name], there[kind == name], family) for name in np.unique(kind)
    }


def best(paid_usd: Sequence[float], months: Sequence[float]) -> Fit:
    """Return the fit of the likeliest family; all have as many parameters."""
    found = [fit(paid_usd, months, family) for family in _FAMILIES]
    return max(found, key=lambda one: one.log_likelihood)


def posterior(
    paid_usd: Sequence[float],
    months: Sequence[float],
    family: Family,
    ranges: Ranges,
    uniforms: Floats,
) -> dict[str, Floats]:
    """Return draws of what the people leave to believe: mean_ppy, cv and zero_share, (draw,).

    Before, mean and coefficient of variation of those who spend lie evenly in `ranges`, the
    share of zeros evenly from 0 to 1.

    uniforms : (draw, 3), in (0, 1), from which the draws are made
    """
    spent, weight = _annualised(paid_usd, months)
    positive, of_positive = spent[spent > 0.0], weight[spent > 0.0]
    nodes = _nodes(positive, of_positive, family, ranges)
    density = np.exp(nodes.log_likelihood - nodes.log_likelihood.max())
    mean, cv = _drawn(nodes, density, uniforms[:, :2])
    zeros = float(weight[spent <= 0.0].sum())
    zero = special.betaincinv(1.0 + zeros, 1.0 + float(of_positive.sum()), uniforms[:, 2])
    return {
        "mean_ppy": (1.0 - zero) * mean,
        "cv": np.sqrt((1.0 + np.square(cv)) / (1.0 - zero) - 1.0),
        "zero_share": zero,
    }


_FAMILIES: tuple[Family, ...] = ("lognormal_mixture", "lognormal", "gamma")


class _Law(NamedTuple):
    """The likeliest law of those who spend, and the standard error of its cv."""

    mean: float
    cv: float
    cv_error: float
    log_likelihood: float


class _Nodes(NamedTuple):
    """Logarithms of means and cvs, and the log likelihood at each: (mean, cv)."""

    means: Floats
    cvs: Floats
    log_likelihood: Floats


def _annualised(paid_usd: Sequence[float], months: Sequence[float]) -> tuple[Floats, Floats]:
    """Return annualised spending and the part of the year that each person was there."""
    paid = np.asarray(paid_usd, dtype=np.float64)
    weight = np.asarray(months, dtype=np.float64) / _MONTHS
    if paid.shape != weight.shape or not (np.isfinite(paid).all() and np.isfinite(weight).all()):
        raise SimulatorError(
            f"calibration: {paid.size} payments and {weight.size} months; allowed are as many, all"
            " of them numbers"
        )
    if weight.size and not (weight.min() > 0.0 and weight.max() <= 1.0):
        raise SimulatorError("calibration: months go beyond 0 to 12; allowed is above 0 up to 12")
    spent = np.maximum(paid, 0.0) / np.where(weight > 0.0, weight, 1.0)
    if (count := len(np.unique(spent[spent > 0.0]))) < _FEWEST:
        raise SimulatorError(
            f"calibration: {count} unlike amounts are above 0; allowed is {_FEWEST} or more"
        )
    return spent, weight


def _zero_share(spent: Floats, weight: Floats) -> Estimate:
    return _weighted((spent <= 0.0).astype(np.float64), weight)


def _mean(spent: Floats, weight: Floats) -> Estimate:
    return _weighted(spent, weight)


def _weighted(values: Floats, weight: Floats) -> Estimate:
    """Return a weighted mean, a ratio of sums, with its standard error."""
    mean = float(np.average(values, weights=weight))
    influence = weight * (values - mean) / weight.sum()
    return Estimate(mean, float(np.sqrt(np.square(influence).sum())))


def _observed_cv(spent: Floats, weight: Floats) -> Estimate:
    """Return sd over mean by weight; its error by the delta method."""
    mean, second = (float(np.average(spent**power, weights=weight)) for power in (1, 2))
    cv = float(np.sqrt(second / mean**2 - 1.0))
    moved = (spent**2 - second) / mean**2 - 2.0 * second * (spent - mean) / mean**3
    influence = weight * moved / weight.sum() / (2.0 * cv)
    return Estimate(cv, float(np.sqrt(np.square(influence).sum())))


def _top_percentile(spent: Floats, weight: Floats) -> Estimate:
    """Return what a hundredth of person-years exceed.

    Its error is that of the share, by how amounts fall over four errors of rank, or from half a
    percent to two where that is more: few amounts next to each other are not steady.
    """
    order = np.argsort(spent)
    share = np.cumsum(weight[order]) / weight.sum()
    middle = float(np.interp(1.0 - _TOP, share, spent[order]))
    spread = float(np.sqrt(np.square(weight * ((spent > middle) - _TOP)).sum()) / weight.sum())
    near, far = 2.0 * spread * np.array([1.0, -1.0]), _TOP * np.array([1.0, -0.5])
    high, low = (np.interp(1.0 - _TOP - ends, share, spent[order]) for ends in (near, far))
    by_rank = np.abs(np.diff(high))[0] / 4.0
    by_slope = spread / _TOP * middle * np.log(low[1] / max(low[0], _TINY)) / np.log(4.0)
    return Estimate(middle, float(max(by_rank, by_slope)))


def _tail_index(spent: Floats, weight: Floats) -> Estimate:
    """Return Hill's estimate over the top percent."""
    threshold = _top_percentile(spent, weight).value
    above = spent > threshold
    logs, held = np.log(spent[above] / threshold), weight[above]
    index = float(held.sum() / np.maximum(held @ logs, _TINY))
    return Estimate(index, index * float(np.sqrt(np.square(held).sum()) / held.sum()))


def _whole_cv(cv: float, zero_share: float) -> float:
    """Return the coefficient of variation with zeros, of that without."""
    return float(np.sqrt((1.0 + cv**2) / (1.0 - zero_share) - 1.0))


def _cv(law: _Law, zero: Estimate) -> Estimate:
    """Return the coefficient of variation with zeros; the errors of both parts enter."""
    whole = _whole_cv(law.cv, zero.value)
    by_cv = law.cv * law.cv_error / (1.0 - zero.value)
    by_zero = (1.0 + law.cv**2) / (1.0 - zero.value) ** 2 * zero.error / 2.0
    return Estimate(whole, float(np.hypot(by_cv, by_zero) / whole))


def _fitted(spent: Floats, weight: Floats, family: Family) -> _Law:
    """Return the likeliest law of those who spend."""
    positive, of_positive = spent[spent > 0.0], weight[spent > 0.0]
    mean = float(np.average(positive, weights=of_positive))
    ranges = Ranges((mean / 20.0, mean * 20.0), _CVS[family])
    nodes = _nodes(positive, of_positive, family, ranges)
    density = np.exp(nodes.log_likelihood - nodes.log_likelihood.max())
    # A person who was there for a part of the year tells as much as the part.
    shrunk = float(np.sqrt(np.square(of_positive).sum() / of_positive.sum()))
    of_cv = density.sum(axis=0) / density.sum()
    centre = float(of_cv @ nodes.cvs)
    sd = float(np.sqrt(of_cv @ np.square(nodes.cvs - centre)))
    place = np.unravel_index(np.argmax(density), density.shape)
    at_mean, at_cv = nodes.means[place[0]], nodes.cvs[place[1]]
    likelihood = float(nodes.log_likelihood.max())
    return _Law(
        float(np.exp(at_mean)),
        float(np.exp(at_cv)),
        float(np.exp(at_cv)) * sd * shrunk,
        likelihood,
    )


# What each family can be, without zeros.
_CVS: Mapping[Family, tuple[float, float]] = {
    "lognormal_mixture": (0.80, 2.28),
    "lognormal": (0.2, 20.0),
    "gamma": (0.2, 10.0),
}


def _nodes(spent: Floats, weight: Floats, family: Family, ranges: Ranges) -> _Nodes:
    """Return the likelihood around where it is highest, finer each time."""
    logs = np.log(spent)
    least = max(logs.min() - _STEP, float(np.log(np.average(spent, weights=weight))) - _FAINT)
    edges = np.arange(least, logs.max() + 2.0 * _STEP, _STEP)
    counts, _ = np.histogram(np.maximum(logs, least), edges, weights=weight)
    limits = np.log(np.array([ranges.mean, ranges.cv]))
    ends = limits
    for size in _SIZES:
        means, cvs = (np.linspace(low, high, size) for low, high in ends)
        by_cv = [_log_likelihood(edges, counts, family, float(cv), means) for cv in cvs]
        found = _Nodes(means, cvs, np.stack(by_cv, axis=1))
        ends = _narrowed(found, limits)
    return found


def _log_likelihood(
    edges: Floats, counts: Floats, family: Family, cv: float, means: Floats
) -> Floats:
    """Return the log likelihood at each mean, all in logarithms: (mean,)."""
    held = counts > 0.0
    above = np.interp(edges[None, :] - means[:, None], _PLACES, _survival(family, cv))
    above[:, 0] = 1.0  # who spends less is in the first bin
    chances = np.maximum(above[:, :-1] - above[:, 1:], _TINY)
    return np.asarray(np.log(chances[:, held]) @ counts[held])


def _survival(family: Family, cv: float) -> Floats:
    """Return the chance to spend more than `_PLACES`, by a line between tabulated cvs."""
    cvs, table = _tabulated(family)
    row = int(np.clip(np.searchsorted(cvs, cv), 1, len(cvs) - 1))
    way = (cv - cvs[row - 1]) / (cvs[row] - cvs[row - 1])
    return np.asarray((1.0 - way) * table[row - 1] + way * table[row])


@lru_cache(maxsize=8)
def _tabulated(family: Family) -> tuple[Floats, Floats]:
    """Return logarithms of cvs, and a family's chance to spend more than `_PLACES` at each."""
    low, high = np.log(_CVS[family])
    cvs = np.linspace(low, high, _CV_NODES)
    laws = [FAMILIES[family](1.0, float(np.exp(cv))) for cv in cvs]
    return cvs, np.stack([law.survival(np.exp(_PLACES)) for law in laws])


def _narrowed(nodes: _Nodes, limits: Floats) -> Floats:
    """Return the ends, within limits, between which the likelihood is not faint: (2, 2)."""
    ends = []
    for axis, places in enumerate((nodes.means, nodes.cvs)):
        profile = nodes.log_likelihood.max(axis=1 - axis)
        near = np.flatnonzero(profile > profile.max() - _REACH**2 / 2.0)
        first, last = max(near[0] - 1, 0), min(near[-1] + 1, len(places) - 1)
        ends.append(np.clip([places[first], places[last]], *limits[axis]))
    return np.array(ends)


def _drawn(nodes: _Nodes, density: Floats, uniforms: Floats) -> tuple[Floats, Floats]:
    """Return means and cvs drawn from a density: the cv first, then the mean given it."""
    by_cv = density.sum(axis=0)
    cvs = _inverted(nodes.cvs, by_cv, uniforms[:, 1])
    columns = np.clip(np.searchsorted(nodes.cvs, cvs), 1, len(nodes.cvs) - 1)
    way = (cvs - nodes.cvs[columns - 1]) / (nodes.cvs[columns] - nodes.cvs[columns - 1])
    mixed = (1.0 - way) * density[:, columns - 1] + way * density[:, columns]
    pairs = zip(mixed.T, uniforms[:, 0], strict=True)
    means = np.array([float(_inverted(nodes.means, column, u)) for column, u in pairs])
    return np.exp(means), np.exp(cvs)


def _inverted(nodes: Floats, density: Floats, u: Floats) -> Floats:
    """Return quantiles of a density that is a line between nodes."""
    width = np.diff(nodes)
    below = np.append(0.0, np.cumsum((density[1:] + density[:-1]) / 2.0 * width))
    return np.asarray(np.interp(u, below / below[-1], nodes))
