"""The noise of claims: what like people spend below and above the thresholds, year by year."""

from dataclasses import replace
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np

from simulator.errors import ScenarioError
from simulator.sampling import aggregate
from simulator.sampling.block import Block, persisting
from simulator.sampling.severity import DEFAULTS, FAMILIES, Severity, empirical

__all__ = ["Claims", "draw", "means", "whole"]

_STEPS = 40  # of Newton's method, each of which doubles the digits


class Claims(NamedTuple):
    """Spending up to and above the thresholds: (trial, year, aco, segment), USD a person-year."""

    truncated: np.ndarray
    excess: np.ndarray


class _Cells(NamedTuple):
    """One segment of one ACO: its people's shape, and by year drawn how many, scale and point."""

    shape: Severity
    persons: np.ndarray
    scales: np.ndarray
    points: np.ndarray


def draw(block: Block) -> Claims:
    """Return claims at the expected level, of the years drawn, whose mean is the expectation.

    As many persons as person-years, to the nearest one and at least one; their severity is scaled
    so that its mean, truncated at the threshold, is the expected truncated per capita. Where
    nobody is, nothing is spent above the threshold. Years correlate by the people who stay.
    """
    people, level = block.expected("person_years"), block.expected("expenditure_ppy")
    lived = (people > 0.0) & block.drawn[block.simulated][..., None]
    mean = means(block)[block.simulated]
    found = Claims(*(_repeated(one, block.trials) for one in (level, (mean - level) * lived)))
    if not block.experience.severity.noise:
        return found
    points, persons = _points(block)[block.simulated], np.maximum(np.rint(people), 1.0)
    for j in range(len(block.segments)):
        like = _shape(block, j)
        for i in np.flatnonzero(lived[..., j].any(axis=0)).tolist():
            scales = mean[:, i, j] * like.scale
            cells = _Cells(like, persons[:, i, j], scales, points[:, j])
            _fill(found, block, cells, (i, j), np.flatnonzero(lived[:, i, j]).tolist())
    return found


def _repeated(expected: np.ndarray, trials: range) -> np.ndarray:
    """Return what is expected in every trial, in memory the trials of one cell side by side."""
    repeated = np.repeat(expected[..., None], len(trials), axis=-1)
    return np.moveaxis(repeated, -1, 0)


def _fill(
    found: Claims, block: Block, cells: _Cells, place: tuple[int, int], rows: list[int]
) -> None:
    """Fill in the years, by row, of one segment of one ACO."""
    i, j = place
    stays = 1.0 - float(block.people.churn_share.values[i, j])
    correlation = block.experience.persistence.claims * stays
    uniforms = partial(_uniforms, block, block.acos[i], block.segments[j])
    scores = persisting(uniforms, [block.years[row] for row in rows], correlation)
    for row, score in zip(rows, scores.values(), strict=True):
        persons = int(cells.persons[row])
        severity = replace(cells.shape, scale=float(cells.scales[row]))
        cell = aggregate.Cell(persons, severity, float(cells.points[row]))
        below, above = aggregate.totals(aggregate.book([cell]), score)
        found.truncated[:, row, i, j] = below[:, 0] / persons
        found.excess[:, row, i, j] = above[:, 0] / persons


def _uniforms(block: Block, aco: str, segment: str, year: int) -> np.ndarray:
    # An address for each segment, so that another segment changes no draw.
    who = f"{aco}/{year}/{segment}"
    return block.streams.uniform(aggregate.STREAM, who, block.trials, (1, 3))


def means(block: Block) -> np.ndarray:
    """Return what is expected, with what lies above the thresholds: (year, aco, segment).

    What is above them is as given where the scenario knows it, in years to come in the same
    proportion to what the severity leads to expect; else as the severity leads to expect.
    """
    level = block.people.expenditure_ppy.values
    mean = whole(block, level)
    if "untruncated_expenditure_ppy" not in block.people:
        return mean
    known = block.people.untruncated_expenditure_ppy.values
    excess = np.where(mean > level, mean - level, 1.0)
    return level + _carried((known - level) / excess) * (mean - level)


def whole(block: Block, levels: np.ndarray) -> np.ndarray:
    """Return truncated levels with what lies above the thresholds: (year, …, segment)."""
    points, out = _points(block), np.empty(levels.shape)
    for j in range(len(block.segments)):
        level = np.ascontiguousarray(levels[..., j])
        point = points[:, j].reshape(-1, *[1] * (level.ndim - 1))
        cut = np.ascontiguousarray(np.broadcast_to(point, level.shape))
        mean = _untruncated(_shape(block, j), level.tobytes(), cut.tobytes())
        out[..., j] = mean.reshape(level.shape)
    return out


def _carried(ratio: np.ndarray) -> np.ndarray:
    """Return ratios with gaps filled by the last one before, else the first; 1 where none is."""
    years = np.arange(len(ratio))[:, None, None] * np.isfinite(ratio)
    first = np.argmax(np.isfinite(ratio), axis=0)
    at = np.maximum(np.maximum.accumulate(years, axis=0), first)
    return np.nan_to_num(np.take_along_axis(ratio, at, axis=0), nan=1.0)


def _points(block: Block) -> np.ndarray:
    """Return the truncation points: (year, segment), USD; infinity where nothing is cut."""
    points = block.people.truncation_usd.values
    return points if block.experience.severity.truncated else np.full(points.shape, np.inf)


@lru_cache(maxsize=256)
def _untruncated(shape: Severity, levels: bytes, points: bytes) -> np.ndarray:
    """Return the means whose people, truncated at `points`, spend `levels` on average.

    By Newton's method from below, where it cannot pass the root; always as many steps, so that no
    figure depends on another.
    """
    level, point = np.frombuffer(levels), np.frombuffer(points)
    most = point * float(shape.survival(0.0))
    if (wrong := level >= most).any():
        raise ScenarioError(
            f"expenditure_ppy: is {level[wrong][0]:,.2f}; allowed is less than people can spend"
            f" up to the truncation point, {most[wrong][0]:,.2f}"
        )
    cut = np.isfinite(point) & (level > 0.0)
    mean, level, point = level.copy(), level[cut], point[cut]
    guess = level
    for _ in range(_STEPS):
        above, share = (shape.above(point / guess, order) for order in (1, 0))
        guess = (level - point * share) / (1.0 - above)
    mean[cut] = guess
    return mean


def _shape(block: Block, segment: int) -> Severity:
    """Return the severity of a segment at mean one: as the scenario says, else the default."""
    law = block.experience.severity
    kind = block.entitlements[segment]
    usual = DEFAULTS["high_needs" if block.people.high_needs.values[segment] else kind]
    people = {str(name): (one.persons, one.mean_usd) for name, one in law.groups.items()}
    if law.family == "empirical" and kind in people:
        return _empirical(*people[kind])
    by_kind = {str(name): cv for name, cv in law.cv.items()}
    zeros = {str(name): share for name, share in law.zero_share.items()}
    return _standard(law.family, by_kind.get(kind, usual.cv), zeros.get(kind, usual.p_zero))


@lru_cache(maxsize=256)
def _empirical(persons: tuple[int, ...], mean_usd: tuple[float, ...]) -> Severity:
    return empirical(np.repeat(mean_usd, persons)).scaled_to(1.0)


@lru_cache(maxsize=256)
def _standard(family: str, cv: float, p_zero: float) -> Severity:
    family = "lognormal_mixture" if family == "empirical" else family
    if family not in FAMILIES:
        allowed = ", ".join(sorted(FAMILIES))
        raise ScenarioError(f"experience.severity.family: is {family!r}; allowed is {allowed}")
    return FAMILIES[family](1.0, cv, p_zero)
