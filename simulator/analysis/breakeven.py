"""Break-even: the value of a parameter at which an answer meets a goal, on the same draws.

An answer is a function from a value to a DataArray (trial,) that is drawn alike at every value.
A chance on fixed draws is a step function of the value; so are its crossings, one step wide.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import NamedTuple, TypeAlias

import numpy as np
import xarray as xr

from simulator.analysis.convergence import Measure, estimate, standard_error
from simulator.errors import SimulatorError

__all__ = ["Goal", "Root", "Solution", "Tried", "scan", "solve"]

Ask: TypeAlias = Callable[[float], xr.DataArray]

_FINE = 0.01  # of the standard error: how close a crossing is looked for
_FINEST = 1e-9  # of the interval, where there is no error
_WIDE, _NEAR = 2.0, 1e-4  # standard errors, or of the interval: where the slope is taken


class Goal(NamedTuple):
    """What of the answer is to be met (its mean, a chance, a quantile), and at which amount."""

    measure: Measure
    target: float


class Tried(NamedTuple):
    """A value, what the measure is there, and its standard error."""

    value: float
    found: float
    error: float


class Root(NamedTuple):
    """A value at which the goal is met, and its Monte Carlo standard error.

    ========  ==================================================================================
    crosses   the measure goes through the goal; `error` is that of the measure over its slope
    jumps     the measure leaps over the goal, from below `value` to above: no value meets it
    holds     the measure is the goal to the bit at every value tried from `low` to `high`
    ========  ==================================================================================

    `vague` says that the measure hardly moves there: the error is wider than the interval, or the
    slope within its noise.
    """

    value: float
    error: float
    kind: str
    low: float
    high: float
    slope: float = float("nan")
    vague: bool = False


class Solution(NamedTuple):
    """What was tried on the way, in order of the values, and every root that was found."""

    tried: tuple[Tried, ...]
    roots: tuple[Root, ...]


@dataclass
class _Search:
    """A goal, and each answer that was asked for, so that no value is asked for twice."""

    ask: Ask
    goal: Goal
    interval: tuple[float, float]
    known: dict[float, xr.DataArray] = field(default_factory=dict)

    def answer(self, value: float) -> xr.DataArray:
        if value not in self.known:
            self.known[value] = self.ask(value)
        return self.known[value]

    def gap(self, value: float) -> float:
        return float(estimate(self.answer(value), self.goal.measure)) - self.goal.target

    def error(self, value: float) -> float:
        return float(standard_error(self.answer(value), self.goal.measure))

    def tried(self, value: float) -> Tried:
        return Tried(value, self.gap(value) + self.goal.target, self.error(value))


def scan(ask: Ask, goal: Goal, values: Sequence[float]) -> tuple[Tried, ...]:
    """Return the measure at each of some values, in their order."""
    search = _Search(ask, goal, (min(values), max(values)))
    return tuple(search.tried(value) for value in values)


def solve(ask: Ask, goal: Goal, low: float, high: float, steps: int = 8) -> Solution:
    """Return every value between two at which the goal is met, as far as a scan shows them.

    The interval is scanned in equal steps; where the measure changes sides between two of them, a
    bracketing search (Alefeld, Potra and Shi 1995) goes on to a hundredth of the standard error.
    Two crossings within one step go unseen.

    Parameters
    ----------
    ask : the answer at a value, drawn alike at every value
    low, high : ends of the interval, both included
    steps : how many parts are looked at

    Raises
    ------
    SimulatorError
        If the measure stays on one side of the goal, with what it is at both ends.
    """
    if not low < high:
        raise SimulatorError(f"the interval from {low:g} to {high:g} is empty")
    search = _Search(ask, goal, (low, high))
    grid = [float(x) for x in np.linspace(low, high, steps + 1)]
    gaps = [search.gap(value) for value in grid]
    roots = [*_met(search, grid, gaps)]
    roots += [
        _crossing(search, *cell)
        for cell, (one, other) in zip(pairwise(grid), pairwise(gaps), strict=True)
        if one * other < 0.0
    ]
    if not roots:
        raise SimulatorError(_missed(search, gaps))
    tried = tuple(search.tried(value) for value in grid)
    return Solution(tried, tuple(sorted(roots, key=lambda root: root.value)))


def _met(search: _Search, grid: Sequence[float], gaps: Sequence[float]) -> Iterator[Root]:
    """Yield each run of values on which the goal is met to the bit."""
    for met, run in groupby(range(len(grid)), lambda at: gaps[at] == 0.0):
        places = [*run]
        low, high = grid[places[0]], grid[places[-1]]
        if met and low < high:
            yield Root((low + high) / 2.0, high - low, "holds", low, high)
        elif met:
            around = (grid[max(places[0] - 1, 0)], grid[min(places[0] + 1, len(grid) - 1)])
            yield _sloped(search, low, _rough(search, *around))


def _missed(search: _Search, gaps: Sequence[float]) -> str:
    low, high = (search.tried(value) for value in search.interval)
    side = "below" if gaps[0] < 0.0 else "above"
    return (
        f"no value from {low.value:g} to {high.value:g} meets the goal, {search.goal.target:,g}: "
        f"it is {_told(low)} and {_told(high)}, and {side} it at {len(gaps) - 2} values between"
    )


def _told(at: Tried) -> str:
    return f"{at.found:,.6g} (±{at.error:,.2g}) at {at.value:g}"


def _crossing(search: _Search, low: float, high: float) -> Root:
    """Return where the measure goes through the goal between two values on either side of it."""
    from scipy.optimize import toms748  # noqa: PLC0415  # takes longer than all else here

    change, rough = search.gap(high) - search.gap(low), _rough(search, low, high)
    close = max(_FINE * rough, _FINEST * (search.interval[1] - search.interval[0]))
    found: float = toms748(search.gap, low, high, xtol=close, rtol=4.0 * np.finfo(float).eps)
    value = float(found)
    below, above = _clipped(search, value - close), _clipped(search, value + close)
    leap, noise = search.gap(above) - search.gap(below), search.error(value)
    if abs(leap) > max(noise, 0.01 * abs(change)):
        return Root(value, above - below, "jumps", below, above)
    return _sloped(search, value, rough)


def _rough(search: _Search, low: float, high: float) -> float:
    """Return about the standard error of a crossing between two values, at most their distance."""
    change = abs(search.gap(high) - search.gap(low))
    error = max(search.error(low), search.error(high))
    return (high - low) * min(error / change if change else 1.0, 1.0)


def _sloped(search: _Search, value: float, rough: float) -> Root:
    """Return a crossing with its error: that of the measure over the slope around it."""
    width = search.interval[1] - search.interval[0]
    reach = max(_WIDE * rough, _NEAR * width)
    below, above = (_clipped(search, value + side * reach) for side in (-1.0, 1.0))
    slope = (search.gap(above) - search.gap(below)) / (above - below)
    error = search.error(value) / abs(slope) if slope else np.inf
    vague = bool(error > width) or _within_noise(search, below, above)
    return Root(value, float(error), "crosses", below, above, slope, vague)


def _within_noise(search: _Search, below: float, above: float) -> bool:
    """Return whether a mean or chance changes by two standard errors or less between values."""
    measure = search.goal.measure
    if measure.kind not in ("mean", "below", "above"):
        return False
    moved = _marked(search.answer(above), measure) - _marked(search.answer(below), measure)
    mean = Measure("mean")
    return abs(float(estimate(moved, mean))) <= 2.0 * float(standard_error(moved, mean))


def _marked(x: xr.DataArray, measure: Measure) -> xr.DataArray:
    """Return what the measure is the mean of."""
    marks = {"mean": x, "below": x < measure.at, "above": x > measure.at}
    return marks[measure.kind].astype(np.float64)


def _clipped(search: _Search, value: float) -> float:
    return float(np.clip(value, *search.interval))
