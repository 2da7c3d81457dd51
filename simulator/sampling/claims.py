"""The noise of claims: what like people spend below and above the thresholds, year by year."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import NamedTuple, TypeAlias

import numpy as np

from simulator.errors import ScenarioError, SimulatorError
from simulator.sampling import aggregate, lives
from simulator.sampling.block import Block, persisting
from simulator.sampling.lives import Stays
from simulator.sampling.membership import Part, Roster, parts
from simulator.sampling.severity import (
    DEFAULTS,
    FAMILIES,
    Severity,
    empirical,
    gb2_tailed,
    lognormal_pareto,
    pooled,
)

__all__ = [
    "Claims",
    "Group",
    "beyond",
    "by_person",
    "draw",
    "groups",
    "means",
    "reaching",
    "whole",
]

_ByYear: TypeAlias = dict[int, tuple[np.ndarray, np.ndarray]]

_NEEDS = {
    "lognormal_pareto": ("tail_share", "tail_index"),
    "generalized_beta_second_kind": ("tail_index", "peak"),
}
_STEPS = 40  # of Newton's method, each of which doubles the digits


class Claims(NamedTuple):
    """Spending up to and above the thresholds: (trial, year, aco, segment), USD a person-year."""

    truncated: np.ndarray
    excess: np.ndarray


class _Cell(NamedTuple):
    """Like people of one ACO, through the years drawn.

    who : ACO and segment, between which the year stands in an address; then the part of the year
    like : their severity at a mean of one
    usual : people expected, (year,)
    counts : people, (year,), or (trial, year) where the roster is drawn
    scales, points : by year, USD; `stays` says how years correlate
    """

    who: tuple[str, str, str]
    like: Severity
    exposure: float
    usual: np.ndarray
    counts: np.ndarray
    scales: np.ndarray
    points: np.ndarray
    stays: Stays


def draw(block: Block, roster: Roster | None = None) -> Claims:
    """Return claims at the expected level, of the years drawn, whose mean is the expectation.

    As many persons as person-years, to the nearest one and at least one, or as the roster drawn
    says; their severity is scaled so that its mean, truncated at the threshold, is the expected
    truncated per capita. Where nobody is, nothing is spent above the threshold. Years correlate
    by the people who stay. The people of ACOs in `by_person` are drawn one by one.
    """
    people, level = block.expected("person_years"), block.expected("expenditure_ppy")
    lived = (people > 0.0) & block.drawn[block.simulated][..., None]
    mean = whole(block, block.people.expenditure_ppy.values)[block.simulated]
    above = (means(block)[block.simulated] - level) * lived
    found = Claims(*(_repeated(one, block.trials) for one in (level, above)))
    if not block.experience.severity.noise:
        return found
    more = beyond(block)[block.simulated]
    few = by_person(block)
    for j in range(len(block.segments)):
        for i in np.flatnonzero(lived[..., j].any(axis=0)).tolist():
            rows = np.flatnonzero(lived[:, i, j]).tolist()
            cells = _cells(block, roster, (i, j), mean[:, i, j])
            draw_one = _persons if block.acos[i] in few else _totals
            _fill(found, (i, j), cells, [draw_one(block, cell, rows) for cell in cells])
            found.excess[:, rows, i, j] *= more[rows, i, j]
    return found


class Group(NamedTuple):
    """Like people of one ACO in a year drawn, and the uniforms that drew their totals.

    `place` is (year drawn, ACO, segment), `who` their address; `cell` holds as many people as
    are projected, `counts` how many there are in a trial over that, (trial,) or (); `scores` is
    (trial, 3).
    """

    place: tuple[int, int, int]
    who: str
    cell: aggregate.Cell
    counts: np.ndarray
    scores: np.ndarray


def groups(block: Block, roster: Roster | None, aco: int) -> Iterator[Group]:
    """Yield the groups of an ACO's people whose totals are drawn without them."""
    for j, rows, cell, usual in _every(block, roster, aco):
        for row, score in zip(rows, _scores(block, cell, rows).values(), strict=True):
            people, who = (
                max(round(float(usual[row])), 1),
                f"{'/'.join(cell.who)}/{block.years[row]}",
            )
            counts = cell.counts[..., row] / people
            yield Group((row, aco, j), who, _in_year(cell, row, people), counts, score[:, 0])


def reaching(
    block: Block, roster: Roster | None, aco: int, least: float
) -> Iterator[tuple[tuple[int, int, int], str, float, lives.Reaching]]:
    """Yield those of an ACO drawn person by person who spend more than `least` USD in a year.

    Each with (year drawn, ACO, segment), their address, and the part of the year they are there.
    """
    for j, rows, cell, _ in _every(block, roster, aco):
        found = lives.reaching(_lives(block, cell, rows), least)
        for row in rows:
            who = f"{'/'.join(cell.who)}/{block.years[row]}"
            yield (row, aco, j), who, cell.exposure, found[block.years[row]]


def _every(
    block: Block, roster: Roster | None, aco: int
) -> Iterator[tuple[int, list[int], _Cell, np.ndarray]]:
    """Yield an ACO's cells: segment, years drawn in which people live, cell, people projected."""
    people = block.expected("person_years")
    lived = (people > 0.0) & block.drawn[block.simulated][..., None]
    mean = whole(block, block.people.expenditure_ppy.values)[block.simulated]
    for j in np.flatnonzero(lived[:, aco].any(axis=0)).tolist():
        held = [part for part in parts(block, j) if part.share > 0.0]
        months = sum(part.share * part.exposure for part in held)
        rows = np.flatnonzero(lived[:, aco, j]).tolist()
        cells = _cells(block, roster, (aco, j), mean[:, aco, j])
        for part, cell in zip(held, cells, strict=True):
            yield j, rows, cell, people[:, aco, j] * part.share / months


def by_person(block: Block) -> frozenset[str]:
    """Return the ACOs that have fewer than 1,000 people in every year drawn."""
    people = block.expected("person_years") * block.drawn[block.simulated][..., None]
    few = people.sum(axis=-1).max(axis=0) < aggregate.FEW
    return frozenset(aco for aco, small in zip(block.acos, few.tolist(), strict=True) if small)


def _repeated(expected: np.ndarray, trials: range) -> np.ndarray:
    """Return what is expected in every trial, in memory the trials of one cell side by side."""
    repeated = np.repeat(expected[..., None], len(trials), axis=-1)
    return np.moveaxis(repeated, -1, 0)


def _cells(
    block: Block, roster: Roster | None, place: tuple[int, int], mean: np.ndarray
) -> list[_Cell]:
    """Return one segment of one ACO, by the part of the year that its people are there."""
    i, j = place
    churn = float(block.people.churn_share.values[i, j])
    points, like = _points(block)[block.simulated][:, j], _full_year(block, j)
    held = parts(block, j)
    usual = _usual(held)
    months = sum(part.share * part.exposure for part in held)
    lived = block.expected("person_years")[:, i, j]
    people = np.maximum(np.rint(lived / months), 1.0)
    return [
        _Cell(
            (block.acos[i], block.segments[j], part.name),
            like,
            part.exposure,
            np.maximum(np.rint(lived * part.share / months), 1.0),
            people if roster is None else roster.counts[place_in_year][:, :, i, j],
            mean * like.scale * part.spending / usual,
            points,
            # Who dies or leaves is not there the year after.
            Stays(0.0 if part.name else block.experience.persistence.claims, churn),
        )
        for place_in_year, part in enumerate(held)
        if part.share > 0.0
    ]


def _usual(held: Sequence[Part]) -> float:
    """Return what a person-year costs against one of people who are there all year."""
    lived = [part.share * part.exposure for part in held]
    spent = sum(part.spending * months for part, months in zip(held, lived, strict=True))
    return spent / sum(lived)


def _fill(
    found: Claims, place: tuple[int, int], cells: Sequence[_Cell], drawn: Sequence[_ByYear]
) -> None:
    """Fill in, per capita, what the parts of one segment of one ACO spend together."""
    i, j = place
    for row in drawn[0]:
        months = sum(cell.exposure * cell.counts[..., row] for cell in cells)
        for target, which in ((found.truncated, 0), (found.excess, 1)):
            spent = sum(by_year[row][which] for by_year in drawn)
            target[:, row, i, j] = spent / months


def _totals(block: Block, cell: _Cell, rows: Sequence[int]) -> _ByYear:
    """Return by row of a year drawn what its people spend together, below and above."""
    found: _ByYear = {}
    for row, score in zip(rows, _scores(block, cell, rows).values(), strict=True):
        counts = cell.counts[..., row]
        if counts.ndim:
            one = _in_year(cell, row, int(cell.usual[row]))
            found[row] = aggregate.varied(one, counts, score[:, 0])
        else:
            book = aggregate.book([_in_year(cell, row, int(counts))])
            below, above = aggregate.totals(book, score)
            found[row] = below[:, 0], above[:, 0]
    return found


def _scores(block: Block, cell: _Cell, rows: Sequence[int]) -> dict[int, np.ndarray]:
    """Return the uniforms of a cell's years: (trial, 1, 3) each."""
    correlation = cell.stays.persistence * (1.0 - cell.stays.churn)
    uniforms = partial(_uniforms, block, *cell.who)
    return persisting(uniforms, [block.years[row] for row in rows], correlation)


def _persons(block: Block, cell: _Cell, rows: Sequence[int]) -> _ByYear:
    """Return the same, every person drawn."""
    found = lives.totals(*_lives(block, cell, rows))
    return {row: found[block.years[row]] for row in rows}


def _lives(block: Block, cell: _Cell, rows: Sequence[int]) -> lives.Draws:
    """Return what draws a cell's people one by one."""
    years = {block.years[row]: row for row in rows}
    everybody = {year: _in_year(cell, row, 1) for year, row in years.items()}
    trials = len(block.trials)
    counts = {year: np.broadcast_to(cell.counts[..., row], trials) for year, row in years.items()}
    one = everybody[min(years)]
    alike = lives.score_correlation(one.severity, one.truncation, cell.stays.persistence)
    stays = cell.stays._replace(persistence=alike)
    who = "/".join(filter(None, cell.who))
    return everybody, counts, stays, block.streams, who, block.trials


def _in_year(cell: _Cell, row: int, persons: int) -> aggregate.Cell:
    severity = replace(cell.like, scale=float(cell.scales[row]))
    return aggregate.Cell(persons, severity, float(cell.points[row]), cell.exposure)


def _uniforms(block: Block, aco: str, segment: str, part: str, year: int) -> np.ndarray:
    # An address for each segment, so that another segment changes no draw.
    who = f"{aco}/{year}/{segment}/{part}" if part else f"{aco}/{year}/{segment}"
    return block.streams.uniform(aggregate.STREAM, who, block.trials, (1, 3))


def means(block: Block) -> np.ndarray:
    """Return what is expected, with what lies above the thresholds: (year, aco, segment).

    Spending before truncation is as given where the scenario knows it; in other years what lies
    above the thresholds is in the proportion last known to what the severity leads to expect.
    """
    level = block.people.expenditure_ppy.values
    expected = level + beyond(block) * (whole(block, level) - level)
    if "untruncated_expenditure_ppy" not in block.people:
        return expected
    known = block.people.untruncated_expenditure_ppy.values
    return np.where(np.isfinite(known), known, expected)


def beyond(block: Block) -> np.ndarray:
    """Return what lies above the thresholds over what the severity leads to expect there.

    It is learnt where spending is given both truncated and not.
    """
    level = block.people.expenditure_ppy.values
    if "untruncated_expenditure_ppy" not in block.people:
        return np.ones(level.shape)
    excess = whole(block, level) - level
    known = block.people.untruncated_expenditure_ppy.values - level
    learnt = block.people.both_given.values & (excess > 0.0)
    return _carried(np.where(learnt, known / np.where(learnt, excess, 1.0), np.nan))


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
    """Return what a segment spends by person-year, at mean one: all parts of the year together."""
    like, held = _full_year(block, segment), parts(block, segment)
    if len(held) == 1:
        return like
    return _mixed_parts(like, held)


@lru_cache(maxsize=256)
def _mixed_parts(like: Severity, held: tuple[Part, ...]) -> Severity:
    lived = [part.share * part.exposure for part in held]
    shares = [months / sum(lived) for months in lived]
    return pooled(shares, [like.scaled_to(part.spending) for part in held]).scaled_to(1.0)


def _full_year(block: Block, segment: int) -> Severity:
    """Return the severity of who is there all year, at mean one, as given or the default."""
    law = block.experience.severity
    kind = block.entitlements[segment]
    people = {str(name): (one.persons, one.mean_usd) for name, one in law.groups.items()}
    if law.family == "empirical" and kind in people:
        return _empirical(*people[kind])
    usual = DEFAULTS["high_needs" if block.people.high_needs.values[segment] else kind]
    by_kind = {str(name): cv for name, cv in law.cv.items()}
    zeros = {str(name): share for name, share in law.zero_share.items()}
    cv, p_zero = by_kind.get(kind, usual.cv), zeros.get(kind, usual.p_zero)
    tail = tuple(getattr(law, name) for name in _NEEDS.get(law.family, ()))
    if None in tail:
        raise ScenarioError(
            f"experience.severity: {law.family} needs {' and '.join(_NEEDS[law.family])}"
        )
    try:
        return _standard(law.family, cv, p_zero, tail)
    except SimulatorError as wrong:
        raise ScenarioError(f"experience.severity: {kind}: {wrong}") from wrong


@lru_cache(maxsize=256)
def _empirical(persons: tuple[int, ...], mean_usd: tuple[float, ...]) -> Severity:
    return empirical(np.repeat(mean_usd, persons)).scaled_to(1.0)


@lru_cache(maxsize=256)
def _standard(family: str, cv: float, p_zero: float, tail: tuple[float, ...]) -> Severity:
    if family == "lognormal_pareto":
        share, index = tail
        return lognormal_pareto(1.0, cv, p_zero, tail_share=share, tail_index=index)
    if family == "generalized_beta_second_kind":
        index, peak = tail
        return gb2_tailed(1.0, cv, p_zero, peak=peak, tail_index=index)
    return FAMILIES["lognormal_mixture" if family == "empirical" else family](1.0, cv, p_zero)
