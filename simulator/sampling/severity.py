"""One person's year of spending: nothing with some probability, else a law with a heavy tail.

A law knows four things in closed form: its survival function, the inverse of it, its moments
above a point, and itself rescaled. Everything else, truncation included, follows from them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol, Self

import numpy as np
from scipy import special
from scipy.optimize import brentq

from simulator.errors import SimulatorError
from simulator.units import Ratio, Usd

__all__ = [
    "DEFAULTS",
    "FAMILIES",
    "Severity",
    "Split",
    "empirical",
    "gamma",
    "gb2",
    "gb2_tailed",
    "lognormal",
    "lognormal_mixture",
    "lognormal_pareto",
    "pooled",
    "standard",
]

_TINY = 1e-300
_HALVINGS = 64


class Law(Protocol):
    """A positive law of spending, with a scale of its own."""

    def survival(self, x: Usd) -> Ratio:
        """Return P(X > x)."""

    def exceeded(self, share: Ratio) -> Usd:
        """Return the amount that a share of people exceed: the inverse of `survival`."""

    def above(self, x: Usd, order: int) -> Ratio:
        """Return E[X**order; X > x]."""


@dataclass(frozen=True)
class Lognormal:
    """The lognormal law by its median and the standard deviation of its logarithm."""

    median: float
    sigma: float

    def survival(self, x: Usd) -> Ratio:
        """Return P(X > x)."""
        return self.above(x, 0)

    def exceeded(self, share: Ratio) -> Usd:
        """Return the amount that a share exceed."""
        return self.median * np.exp(-self.sigma * special.ndtri(share))

    def above(self, x: Usd, order: int) -> Ratio:
        """Return E[X**order; X > x]."""
        score = np.log(np.maximum(x, _TINY) / self.median) / self.sigma
        moment = self.median**order * np.exp((order * self.sigma) ** 2 / 2.0)
        return moment * special.ndtr(order * self.sigma - score)


@dataclass(frozen=True)
class Gamma:
    """The gamma law by its scale and shape."""

    scale: float
    shape: float

    def survival(self, x: Usd) -> Ratio:
        """Return P(X > x)."""
        return special.gammaincc(self.shape, np.maximum(x, 0.0) / self.scale)

    def exceeded(self, share: Ratio) -> Usd:
        """Return the amount that a share exceed."""
        return self.scale * special.gammainccinv(self.shape, share)

    def above(self, x: Usd, order: int) -> Ratio:
        """Return E[X**order; X > x]."""
        moment = self.scale**order * special.poch(self.shape, order)
        return moment * special.gammaincc(self.shape + order, np.maximum(x, 0.0) / self.scale)


@dataclass(frozen=True)
class Gb2:
    """The generalized beta law of the second kind; its upper tail has the index ``a * q``."""

    scale: float
    a: float
    p: float
    q: float

    def survival(self, x: Usd) -> Ratio:
        """Return P(X > x)."""
        return self.above(x, 0)

    def exceeded(self, share: Ratio) -> Usd:
        """Return the amount that a share exceed."""
        y = special.betaincinv(self.q, self.p, share)
        return self.scale * ((1.0 - y) / np.maximum(y, _TINY)) ** (1.0 / self.a)

    def above(self, x: Usd, order: int) -> Ratio:
        """Return E[X**order; X > x]."""
        p, q = self.p + order / self.a, self.q - order / self.a
        moment = self.scale**order * np.exp(special.betaln(p, q) - special.betaln(self.p, self.q))
        y = 1.0 / (1.0 + (np.maximum(x, 0.0) / self.scale) ** self.a)
        return moment * special.betainc(q, p, y)


@dataclass(frozen=True)
class ParetoTail:
    """A body up to a threshold, and a Pareto tail of the given index above it."""

    body: Lognormal
    threshold: float
    index: float

    def survival(self, x: Usd) -> Ratio:
        """Return P(X > x)."""
        return self.above(x, 0)

    def exceeded(self, share: Ratio) -> Usd:
        """Return the amount that a share exceed."""
        most = self.body.survival(self.threshold)
        reach = (np.minimum(share, most) / most) ** (-1.0 / self.index)
        return np.minimum(self.body.exceeded(share), self.threshold) * reach

    def above(self, x: Usd, order: int) -> Ratio:
        """Return E[X**order; X > x]."""
        low, high = np.minimum(x, self.threshold), np.maximum(x, self.threshold)
        body = self.body.above(low, order) - self.body.above(self.threshold, order)
        tail = self.body.survival(self.threshold) * (high / self.threshold) ** -self.index
        return body + tail * high**order * self.index / (self.index - order)


@dataclass(frozen=True, eq=False)
class Empirical:
    """People as they were: positive amounts in rising order, each with the same weight.

    `sums[r]` holds the sums of the r-th powers from each person upwards.
    """

    amounts: np.ndarray
    sums: np.ndarray = field(repr=False)

    def survival(self, x: Usd) -> Ratio:
        """Return the share of people above x."""
        return self.above(x, 0)

    def exceeded(self, share: Ratio) -> Usd:
        """Return the least amount that at most a share exceed."""
        count = len(self.amounts)
        rank = np.ceil(count * (1.0 - np.asarray(share))).astype(np.int64) - 1
        return self.amounts[np.clip(rank, 0, count - 1)]

    def above(self, x: Usd, order: int) -> Ratio:
        """Return the mean over all people of the amounts above x to a power."""
        first = np.searchsorted(self.amounts, x, side="right")
        return self.sums[order][first] / len(self.amounts)


class Split(NamedTuple):
    """What a truncation point does to one person: below it, above it, and how likely.

    `share` is P(X > point); `body_*` are the moments of X given X <= point, and `excess_*` those
    of X - point given X > point, in USD.
    """

    point: float
    share: float
    body_mean: float
    body_sd: float
    excess_mean: float
    excess_sd: float


@dataclass(frozen=True)
class Severity:
    """One person's year: `scale` times a mixture of laws, or nothing (what the weights lack).

    >>> one = lognormal(mean=10_000.0, cv=2.0, p_zero=0.05)
    >>> round(one.mean, 6), round(float(one.limited_mean(1e12)), 6), round(one.p_zero, 6)
    (10000.0, 10000.0, 0.05)
    >>> bool(one.quantile(0.04) == 0.0 < one.quantile(0.06))
    True
    """

    weights: tuple[float, ...]
    laws: tuple[Law, ...]
    scale: float = 1.0

    @property
    def mean(self) -> float:
        """Return the mean, people without spending included."""
        return float(self.above(0.0, 1))

    @property
    def sd(self) -> float:
        """Return the standard deviation, people without spending included."""
        return float(np.sqrt(self.above(0.0, 2) - self.mean**2))

    @property
    def p_zero(self) -> float:
        """Return the probability of no spending at all."""
        return 1.0 - float(self.survival(0.0))

    @property
    def unit(self) -> Self:
        """Return the same shape at scale one."""
        return replace(self, scale=1.0)

    @property
    def smooth(self) -> bool:
        """Return whether no part of it is a list of people."""
        return all(
            law.smooth if isinstance(law, Severity) else not isinstance(law, Empirical)
            for law in self.laws
        )

    def scaled_to(self, mean: float) -> Self:
        """Return the same shape with another mean.

        >>> round(gamma(2.0, cv=1.5).scaled_to(9_000.0).mean, 6)
        9000.0
        """
        return replace(self, scale=self.scale * mean / self.mean)

    def from_truncated_mean(self, truncated_mean: float, truncation: float) -> Self:
        """Return the same shape, scaled so that its mean truncated at `truncation` is as given.

        >>> shape = lognormal(1.0, cv=2.0)
        >>> one = shape.from_truncated_mean(9_500.0, 120_000.0)
        >>> round(float(one.limited_mean(120_000.0)), 6)
        9500.0
        """
        most = truncation * float(self.survival(0.0))
        if not 0.0 < truncated_mean < most:
            raise SimulatorError(
                f"severity: a mean of {truncated_mean!r} truncated at {truncation!r}; allowed is"
                f" more than 0 and less than {most!r}"
            )
        log_mean = brentq(
            lambda m: self.scaled_to(np.exp(m)).limited_mean(truncation) / truncated_mean - 1.0,
            np.log(truncated_mean) - 1e-9,
            np.log(truncated_mean) + 50.0,
            xtol=1e-14,
        )
        return self.scaled_to(float(np.exp(log_mean)))

    def survival(self, x: Usd) -> Ratio:
        """Return P(X > x) for x from 0 up."""
        return self.above(x, 0)

    def cdf(self, x: Usd) -> Ratio:
        """Return P(X <= x) for x from 0 up."""
        return 1.0 - self.survival(x)

    def above(self, x: Usd, order: int) -> Ratio:
        """Return E[X**order; X > x], from closed forms."""
        parts = zip(self.weights, self.laws, strict=True)
        unit = np.asarray(x) / self.scale
        return self.scale**order * sum(w * law.above(unit, order) for w, law in parts)

    def quantile(self, u: Ratio) -> Usd:
        """Return the amount that a share `u` of people do not exceed."""
        return self.exceeded(1.0 - np.asarray(u))

    def exceeded(self, share: Ratio) -> Usd:
        """Return the amount that a share of people exceed, exact far into the tail."""
        share = np.asarray(share)
        if len(self.laws) == 1:
            amount = self.laws[0].exceeded(np.minimum(share / self.weights[0], 1.0))
        else:
            amount = self._bisected(share)
        return self.scale * amount * (share < self.survival(0.0))

    def limited_mean(self, truncation: Usd) -> Usd:
        """Return E[min(X, truncation)]."""
        low = self.above(0.0, 1) - self.above(truncation, 1)
        return low + truncation * self.survival(truncation)

    def limited_second(self, truncation: Usd) -> Ratio:
        """Return E[min(X, truncation)**2]."""
        low = self.above(0.0, 2) - self.above(truncation, 2)
        return low + np.square(truncation) * self.survival(truncation)

    def split(self, point: float) -> Split:
        """Return the moments on either side of a truncation point."""
        share, first, second = (float(self.above(point, order)) for order in range(3))
        below = max(1.0 - share, _TINY)
        body = (self.above(0.0, 1) - first) / below
        body_second = (self.above(0.0, 2) - second) / below
        mean = first / share if share else point
        variance = second / share - mean**2 if share else 0.0
        body_sd, excess_sd = np.sqrt(np.maximum([body_second - body**2, variance], 0.0))
        return Split(point, share, float(body), float(body_sd), mean - point, float(excess_sd))

    def _bisected(self, share: Ratio) -> Usd:
        """Return the inverse of a mixture's survival, between those of its laws."""
        given = np.minimum(share / sum(self.weights), 1.0)
        ends = np.log(np.maximum([law.exceeded(given) for law in self.laws], _TINY))
        low, high = ends.min(axis=0), ends.max(axis=0)
        unit = self.unit
        for _ in range(_HALVINGS):
            middle = (low + high) / 2.0
            beyond = unit.survival(np.exp(middle)) > share
            low, high = low + beyond * (middle - low), high + ~beyond * (middle - high)
        return np.exp((low + high) / 2.0)


def lognormal(mean: float, cv: float, p_zero: float = 0.0) -> Severity:
    """Return nothing with probability `p_zero`, else lognormal; `cv` counts the zeros in.

    >>> one = lognormal(10_500.0, cv=2.1, p_zero=0.06)
    >>> round(one.sd / one.mean, 9)
    2.1
    """
    sigma = float(np.sqrt(np.log1p(_positive_cv(cv, p_zero) ** 2)))
    return _scaled((1.0 - p_zero,), (Lognormal(1.0, sigma),), mean)


def gamma(mean: float, cv: float, p_zero: float = 0.0) -> Severity:
    """Return nothing with probability `p_zero`, else gamma; `cv` counts the zeros in.

    >>> one = gamma(10_500.0, cv=2.1, p_zero=0.06)
    >>> round(one.sd / one.mean, 9)
    2.1
    """
    return _scaled((1.0 - p_zero,), (Gamma(1.0, _positive_cv(cv, p_zero) ** -2.0),), mean)


# The default book: two lognormals whose means and spreads are common to all types, mixed by each
# type's coefficient of variation. Fitted to the concentration of fee-for-service spending
# (EClinicalMedicine 2021, 100873): the top 1, 5, 10, 20 and 50% of people and their shares.
_ORDINARY = Lognormal(float(np.exp(-(1.35**2) / 2.0)), 1.35)
_HIGH = Lognormal(8.0 * float(np.exp(-(0.70**2) / 2.0)), 0.70)


def lognormal_mixture(mean: float, cv: float, p_zero: float = 0.0) -> Severity:
    """Return nothing with probability `p_zero`, else an ordinary or a high lognormal year.

    The two years' shapes are fixed, one eight times the other on average; the weight of the high
    one follows from `cv`, which counts the zeros in.

    >>> one = lognormal_mixture(10_500.0, cv=2.1, p_zero=0.06)
    >>> round(one.sd / one.mean, 6), round(one.weights[1], 3)
    (2.1, 0.132)
    """

    def excess_cv(high: float) -> float:
        return _mixed(high, p_zero).sd / _mixed(high, p_zero).mean - cv

    least, most = (excess_cv(high) + cv for high in (1.0, 0.01))
    if not least <= cv <= most:
        raise SimulatorError(
            f"lognormal_mixture: cv is {cv!r}; allowed is {least:.2f} to {most:.2f}"
        )
    return _mixed(float(brentq(excess_cv, 0.01, 1.0, xtol=1e-13)), p_zero).scaled_to(mean)


def lognormal_pareto(
    mean: float, cv: float, p_zero: float = 0.0, *, tail_share: float, tail_index: float
) -> Severity:
    """Return a lognormal whose top `tail_share` (of those who spend) is a Pareto tail.

    `cv` is that of the whole law, its tail and the zeros included.

    >>> one = lognormal_pareto(10_000.0, cv=2.0, tail_share=0.01, tail_index=2.5)
    >>> round(float(one.survival(2.0 * one.exceeded(0.01))) / 0.01 * 2.0**2.5, 9)
    1.0
    >>> round(one.sd / one.mean, 9)
    2.0
    """
    _heavier("lognormal_pareto", tail_index)

    def tailed(sigma: float) -> Severity:
        body = Lognormal(1.0, sigma)
        law = ParetoTail(body, float(body.exceeded(tail_share)), tail_index)
        return Severity((1.0 - p_zero,), (law,))

    return _matching("lognormal_pareto", tailed, cv, (0.05, 4.0)).scaled_to(mean)


def gb2(mean: float, *, a: float, p: float, q: float, p_zero: float = 0.0) -> Severity:
    """Return nothing with probability `p_zero`, else generalized beta of the second kind.

    >>> round(gb2(10_000.0, a=1.2, p=0.8, q=2.5, p_zero=0.05).mean, 6)
    10000.0
    """
    _heavier("gb2", a * q)
    return _scaled((1.0 - p_zero,), (Gb2(1.0, a, p, q),), mean)


def gb2_tailed(
    mean: float, cv: float, p_zero: float = 0.0, *, peak: float, tail_index: float
) -> Severity:
    """Return the generalized beta law of a coefficient of variation, zeros included.

    `peak` is its parameter a; q is ``tail_index / peak``, and p follows from `cv`.

    >>> one = gb2_tailed(10_000.0, cv=2.1, p_zero=0.06, peak=1.0, tail_index=4.0)
    >>> round(one.sd / one.mean, 9)
    2.1
    """
    _heavier("gb2", tail_index)
    q = tail_index / peak

    def shaped(p: float) -> Severity:
        return Severity((1.0 - p_zero,), (Gb2(1.0, peak, p, q),))

    return _matching("gb2", shaped, cv, (0.02 / peak, 500.0 / peak)).scaled_to(mean)


def _matching(
    family: str, shape: Callable[[float], Severity], cv: float, ends: tuple[float, float]
) -> Severity:
    """Return the shape, between two ends of its parameter, that has the cv."""

    def beyond(logarithm: float) -> float:
        one = shape(float(np.exp(logarithm)))
        return one.sd / one.mean - cv

    found = sorted(beyond(np.log(end)) + cv for end in ends)
    if not found[0] <= cv <= found[1]:
        raise SimulatorError(
            f"{family}: cv is {cv!r}; allowed is {found[0]:.2f} to {found[1]:.2f} with this tail"
        )
    return shape(float(np.exp(brentq(beyond, *np.log(ends), xtol=1e-13))))


def empirical(amounts: Sequence[float] | np.ndarray) -> Severity:
    """Return the law of a person drawn from a file of people; amounts below 0 count as 0.

    >>> file = empirical([0.0, 100.0, 300.0, 0.0])
    >>> file.mean, file.p_zero, float(file.limited_mean(150.0))
    (100.0, 0.5, 62.5)
    """
    spent = np.sort(np.asarray(amounts, dtype=np.float64))
    positive = spent[spent > 0.0]
    if not np.isfinite(spent).all() or len(np.unique(positive)) < 2:
        raise SimulatorError("empirical: amounts are equal or not finite; two unlike are needed")
    powers = [np.append(np.cumsum(positive[::-1] ** r)[::-1], 0.0) for r in range(3)]
    return Severity((len(positive) / len(spent),), (Empirical(positive, np.stack(powers)),))


def pooled(shares: Sequence[float], severities: Sequence[Severity]) -> Severity:
    """Return the law of a person drawn from several groups, in the given shares.

    >>> round(pooled([0.1, 0.9], [gamma(50.0, cv=1.0), gamma(10.0, cv=1.0)]).mean, 9)
    14.0
    """
    return Severity(tuple(shares), tuple(severities))


FAMILIES = {"gamma": gamma, "lognormal": lognormal, "lognormal_mixture": lognormal_mixture}


class Shape(NamedTuple):
    """What tells the enrolment types apart, means aside."""

    cv: float
    p_zero: float


DEFAULTS: Mapping[str, Shape] = {
    "esrd": Shape(cv=1.2, p_zero=0.0),
    "disabled": Shape(cv=2.0, p_zero=0.08),
    "aged_dual": Shape(cv=1.8, p_zero=0.03),
    "aged_nondual": Shape(cv=2.1, p_zero=0.06),
    "high_needs": Shape(cv=1.4, p_zero=0.0),
}


def standard(enrolment_type: str, mean: float = 1.0) -> Severity:
    """Return the default severity of an enrolment type, scaled to a mean.

    >>> round(standard("esrd", 85_000.0).mean, 6)
    85000.0
    """
    if enrolment_type not in DEFAULTS:
        known = ", ".join(DEFAULTS)
        raise SimulatorError(f"severity: {enrolment_type!r} is not a type; known are {known}")
    shape = DEFAULTS[enrolment_type]
    return lognormal_mixture(mean, cv=shape.cv, p_zero=shape.p_zero)


def _scaled(weights: tuple[float, ...], laws: tuple[Law, ...], mean: float) -> Severity:
    return Severity(weights, laws).scaled_to(mean)


def _mixed(high: float, p_zero: float) -> Severity:
    positive = 1.0 - p_zero
    return Severity((positive * (1.0 - high), positive * high), (_ORDINARY, _HIGH))


def _positive_cv(cv: float, p_zero: float) -> float:
    """Return the coefficient of variation of those who spend, given that of everybody."""
    square = (1.0 + cv**2) * (1.0 - p_zero) - 1.0
    if not square > 0.0:
        raise SimulatorError(
            f"severity: cv {cv!r} is not more than what p_zero {p_zero!r} alone makes it"
        )
    return float(np.sqrt(square))


def _heavier(family: str, index: float) -> None:
    if not index > 2.0:
        raise SimulatorError(f"{family}: tail index is {index!r}; allowed is more than 2")
