"""A block of trials: whose futures are drawn, from what, and the random walks they share."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import xarray as xr

from simulator.sampling.streams import Streams
from simulator.scenario.schema import Experience
from simulator.units import Ratio

__all__ = ["Arrays", "Block", "mean_one", "walked"]

Arrays: TypeAlias = dict[Hashable, tuple[tuple[str, ...], np.ndarray]]


@dataclass(frozen=True, eq=False)
class Block:
    """The people of a case, what could happen to them, and the trials to draw."""

    people: xr.Dataset
    experience: Experience
    streams: Streams
    trials: range

    @cached_property
    def performance(self) -> np.ndarray:
        """Return which years are simulated: (year,)."""
        return self.people.performance.values

    @cached_property
    def years(self) -> tuple[int, ...]:
        """Return the simulated years."""
        return tuple(self.people.year.values[self.performance].tolist())

    @cached_property
    def acos(self) -> tuple[str, ...]:
        """Return the ACOs' ids."""
        return tuple(self.people.aco.values.tolist())

    @cached_property
    def segments(self) -> tuple[str, ...]:
        """Return the segments' names."""
        return tuple(self.people.segment.values.tolist())

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return the lengths of (trial, year, aco), simulated years only."""
        return len(self.trials), len(self.years), len(self.acos)

    def expected(self, name: str) -> np.ndarray:
        """Return a variable of the simulated years, as projected: (year, …)."""
        return self.people[name].values[self.performance]

    def since_base(self, aco: int) -> tuple[range, ...]:
        """Return, by simulated year, the years from after the last base year up to it."""
        start = int(self.people.agreement_start.values[aco])
        return tuple(range(start, year + 1) for year in self.years)

    def whole(self, given: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        """Return all years: `given` (year, …) in base years, `drawn` (trial, year, …) after."""
        out = np.empty((len(self.trials), *given.shape))
        out[:, ~self.performance] = given[~self.performance]
        out[:, self.performance] = drawn
        return out


def walked(block: Block, stream: str, who: str, spans: Sequence[Iterable[int]]) -> np.ndarray:
    """Return the sum of one normal score a year over each span of years: (trial, span).

    A year's score is the same in every span, and whatever other years are asked for.
    """
    years = sorted({year for span in spans for year in span})
    scores = {year: block.streams.normal(stream, f"{who}/{year}", block.trials) for year in years}
    none = np.zeros(len(block.trials))
    return np.stack([sum((scores[year] for year in span), none) for span in spans], axis=1)


def mean_one(scores: Ratio, sd: Ratio, count: Ratio = 1.0) -> Ratio:
    """Return a lognormal factor whose mean is one: ``exp(s * scores - count * s**2 / 2)``.

    Here ``s**2 = log(1 + sd**2)``, so that one score makes a factor of that standard deviation;
    `scores` is a sum of `count` independent normal scores.

    >>> float(mean_one(0.7, 0.0)), round(float(mean_one(1.0, 0.1)), 6)
    (1.0, 1.099413)
    """
    variance = np.log1p(np.square(sd))
    return np.exp(np.sqrt(variance) * scores - count * variance / 2.0)
