"""A block of trials: whose futures are drawn, from what, and the random walks they share."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import NamedTuple, TypeAlias

import numpy as np
import xarray as xr
from scipy.special import ndtr, ndtri

from simulator.sampling.streams import Streams
from simulator.scenario.schema import Experience
from simulator.units import Ratio

__all__ = ["Arrays", "Block", "Walk", "mean_one", "persisting", "room", "total", "walked"]

Arrays: TypeAlias = dict[Hashable, tuple[tuple[str, ...], np.ndarray]]

# Both generations of benchmarks start from the three calendar years before the agreement.
_BASE_YEARS = 3
_FAINT = 1e-2  # what weighs less is forgotten, so that a year looks back a fixed number of years
_LEAST = 2.0**-54


class Walk(NamedTuple):
    """A random walk away from the last year given: sums of scores, and of how many scores each.

    `scores` is (trial, year), of the years drawn; `counts` is (year,).
    """

    scores: np.ndarray
    counts: np.ndarray


@dataclass(frozen=True, eq=False)
class Block:
    """The people of a case, what could happen to them, and the trials to draw."""

    people: xr.Dataset
    experience: Experience
    streams: Streams
    trials: range

    @cached_property
    def ahead(self) -> np.ndarray:
        """Return which years lie at or after the first performance year: (year,)."""
        return np.maximum.accumulate(self.people.performance.values)

    @cached_property
    def after_base(self) -> np.ndarray:
        """Return which years are carried from those given of an ACO: (year, aco)."""
        return self._elapsed >= 0

    def ramp(self, years: float) -> np.ndarray:
        """Return how far each year is on a straight way from the last one given: (year, aco).

        It is 1 from `years` years after that one on, and 0 in the years given and before.
        """
        return np.clip((self._elapsed + 1.0) / max(years, 1.0), 0.0, 1.0)

    @cached_property
    def based(self) -> np.ndarray:
        """Return which base years are drawn, for which ACOs: (year, aco)."""
        if self.experience.base_years == "given":
            return np.zeros(self._elapsed.shape, dtype=bool)
        based = (self._elapsed >= -_BASE_YEARS) | self.people.given.values
        return based & (self._elapsed < 0)

    @cached_property
    def drawn(self) -> np.ndarray:
        """Return which years are drawn, for which ACOs: (year, aco).

        All from the first performance year on; base years where they are simulated; and years
        between them that an agreement can have as base years that starts after the first
        performance year. No contract reads the others.
        """
        before = int(self.ahead.argmax()) - np.arange(len(self.ahead))
        renews = np.count_nonzero(self.people.performance.values) > 1
        between = renews & (before < _BASE_YEARS)[:, None] & self.after_base
        return self.ahead[:, None] | between | self.based

    @cached_property
    def simulated(self) -> np.ndarray:
        """Return which years are drawn for any ACO: (year,)."""
        return np.logical_or.reduce(self.drawn, axis=1)

    @cached_property
    def years(self) -> tuple[int, ...]:
        """Return the years that are drawn for any ACO."""
        return tuple(self.people.year.values[self.simulated].tolist())

    @cached_property
    def acos(self) -> tuple[str, ...]:
        """Return the ACOs' ids."""
        return tuple(self.people.aco.values.tolist())

    @cached_property
    def segments(self) -> tuple[str, ...]:
        """Return the segments' names."""
        return tuple(self.people.segment.values.tolist())

    @cached_property
    def entitlements(self) -> tuple[str, ...]:
        """Return each segment's enrolment type."""
        return tuple(self.people.entitlement.values.tolist())

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return the lengths of (trial, year, aco), years drawn only."""
        return len(self.trials), len(self.years), len(self.acos)

    @property
    def _elapsed(self) -> np.ndarray:
        return self.people.year.values[:, None] - self.people.origin.values

    def room(self, *more: int, filled: float | None = None) -> np.ndarray:
        """Return an array of the years drawn to fill, (trial, year, aco, *more), or `filled`."""
        out = room(self.trials, (*self.shape[1:], *more))
        if filled is not None:
            out[:] = filled
        return out

    def expected(self, name: str) -> np.ndarray:
        """Return a variable of the years drawn, as projected: (year, …)."""
        return self.people[name].values[self.simulated]

    def walk(self, stream: str, who: str, aco: int) -> Walk:
        """Return a walk away from an ACO's last given year: on after it, and back before it."""
        start = int(self.people.origin.values[aco])
        turns = [sorted((start, year + 1)) for year in self.years]
        spans = [range(first, last) for first, last in turns]
        signs = np.array([1.0 if year >= start else -1.0 for year in self.years])
        scores = signs * walked(self, stream, who, spans)
        return Walk(scores, np.array([len(span) for span in spans]))

    def whole(self, given: np.ndarray, drawn: np.ndarray, where: np.ndarray) -> np.ndarray:
        """Return all years, (trial, year, …): `drawn` where it holds, else `given`.

        Parameters
        ----------
        given : (year, …)
        drawn : (trial, year, …), of the years drawn
        where : (year,) or (year, aco)
        """
        out = room(self.trials, given.shape)
        out[:] = given
        wide = where.reshape(*where.shape, *[1] * (given.ndim - where.ndim))
        for row, year in enumerate(np.flatnonzero(self.simulated)):
            np.copyto(out[:, year], drawn[:, row], where=wide[year])
        return out


def room(trials: range, shape: Sequence[int]) -> np.ndarray:
    """Return an array to fill, (trial, *shape), in memory the trials of one cell side by side.

    Whatever is done to it elementwise then runs along the trials, and so does what comes of it.
    """
    return np.moveaxis(np.empty((*shape, len(trials))), -1, 0)


def total(parts: np.ndarray) -> np.ndarray:
    """Return the sum along the last axis, first to last, so that no layout changes a bit."""
    return np.asarray(reduce(np.add, np.moveaxis(parts, -1, 0)))


def walked(block: Block, stream: str, who: str, spans: Sequence[Iterable[int]]) -> np.ndarray:
    """Return the sum of one normal score a year over each span of years: (trial, span).

    A year's score is the same in every span, and whatever other years are asked for.
    """
    years = sorted({year for span in spans for year in span})
    scores = {year: block.streams.normal(stream, f"{who}/{year}", block.trials) for year in years}
    none = np.zeros(len(block.trials))
    return np.stack([sum((scores[year] for year in span), none) for span in spans]).T


def persisting(
    uniforms: Callable[[int], np.ndarray], years: Sequence[int], correlation: float
) -> dict[int, np.ndarray]:
    """Return uniforms by year whose normal scores correlate by ``correlation**k``, k years apart.

    A year's score is a weighted sum of the independent scores of that year and of those before
    it, as far back as they weigh anything: which other years are asked for changes nothing.
    Without correlation they are `uniforms` themselves.
    """
    if correlation == 0.0:
        return {year: uniforms(year) for year in years}
    weights = correlation ** np.arange(np.log(_FAINT) // np.log(correlation) + 1.0)
    weights /= np.sqrt(np.square(weights).sum())
    back = {year - k for year in years for k in range(len(weights))}
    scores = {year: ndtri(uniforms(year)) for year in sorted(back)}
    found = {}
    for year in years:
        total = sum(weight * scores[year - k] for k, weight in enumerate(weights))
        found[year] = np.clip(ndtr(total), _LEAST, 1.0 - 2.0 * _LEAST)
    return found


def mean_one(scores: Ratio, sd: Ratio, count: Ratio = 1.0) -> Ratio:
    """Return a lognormal factor whose mean is one: ``exp(s * scores - count * s**2 / 2)``.

    Here ``s**2 = log(1 + sd**2)``, so that one score makes a factor of that standard deviation;
    `scores` is a sum of `count` independent normal scores.

    >>> float(mean_one(0.7, 0.0)), round(float(mean_one(1.0, 0.1)), 6)
    (1.0, 1.099413)
    """
    variance = np.log1p(np.square(sd))
    return np.exp(np.sqrt(variance) * scores - count * variance / 2.0)
