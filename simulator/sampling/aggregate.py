"""The exact joint law of what an ACO's people spend below and above a truncation point.

For each cell of n like people, k of them, a binomial count, spend more than the point. What the
others spend is the *body*; what the k spend beyond the point is the *excess*. Given k the two are
independent sums with known laws, so three uniforms (count, body, excess) make a year, at a cost
that does not grow with n.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy import special

from simulator.errors import SimulatorError
from simulator.sampling import atlas, persons, sums
from simulator.sampling.persons import Cell
from simulator.sampling.quantiles import PLACES, tabulated
from simulator.sampling.streams import Streams, compiled

__all__ = [
    "FEW",
    "STREAM",
    "Book",
    "Cell",
    "beyond",
    "book",
    "draw",
    "expected",
    "spread",
    "totals",
]
__all__ += ["varied"]

STREAM = persons.STREAM
FEW = 1_000  # an ACO with fewer people is drawn person by person
_MANY = 256  # more people at or under the point have one law: a few more change nothing
_GUIDE = 2_048
_PER_OCTAVE = 8.0
_EXTREME = 2.0**-54

_NORMAL = special.ndtri(np.minimum(PLACES, 0.5))  # one half; the other is its mirror image
_LEAST = float(PLACES[0])
_LENGTH = len(sums.SCORES)
_CHUNK = 256  # trials at a time, so that what lies between the steps stays near
_FIRST_SCORE, _PER_SCORE = float(sums.SCORES[0]), 1.0 / float(sums.SCORES[1] - sums.SCORES[0])


class Tables(NamedTuple):
    """Cells, ready to draw: for each, rows by the count of people above the point, from the least.

    `chances` (row,) are cumulative within a cell and `guide` (cell, part) says from which row on
    to look. `amounts` (5, row) hold mean and sd, in USD, of truncated total and excess, then the
    most that the former can be. `body` and `excess` are their laws, end to end; `starts` (2, row)
    say where each row's law begins, and `blend` (row,) how far to go towards the next law of the
    excess.
    """

    chances: np.ndarray
    guide: np.ndarray
    amounts: np.ndarray
    starts: np.ndarray
    blend: np.ndarray
    body: np.ndarray
    excess: np.ndarray


@dataclass(frozen=True, eq=False)
class Book:
    """The cells of one ACO and their tables: the expensive part, done once."""

    cells: tuple[Cell, ...]
    tables: Tables

    @property
    def by_person(self) -> bool:
        """Return whether the people are so few that `draw` draws each."""
        return sum(cell.persons for cell in self.cells) < FEW


def book(cells: Sequence[Cell]) -> Book:
    """Return the tables of an ACO's cells; equal cells are tabulated once."""
    if not cells:
        raise SimulatorError("claims: an ACO has no cells; allowed is one or more")
    return _book(tuple(cells))


def draw(
    book: Book, streams: Streams, who: str, trials: range, scores: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the truncated total and the excess over truncation: two (trial, cell), USD.

    Parameters
    ----------
    scores : (trial, cell, 3), uniforms for count, body and excess that take the place of the
        streams' own, so that years correlate. Without them an ACO of fewer than 1,000 people is
        drawn person by person.

    Examples
    --------
    >>> from simulator.sampling.severity import standard
    >>> people = book([Cell(9_400, standard("aged_nondual", 11_000.0), truncation=110_000.0)])
    >>> truncated, excess = draw(people, Streams(1), "lakeshore", range(1000))
    >>> truncated.shape, bool((excess >= 0.0).all())
    ((1000, 1), True)
    """
    if scores is not None:
        return totals(book, scores)
    if book.by_person:
        return persons.totals(book.cells, streams, who, trials)
    return _totals(book, streams.uniform(STREAM, who, trials, (len(book.cells), 3)))


def totals(book: Book, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the truncated total and the excess over truncation: two (trial, cell), USD.

    scores : (trial, cell, 3), in (0, 1), for count, body and excess; both totals rise with each.
    """
    if scores.shape[1:] != (len(book.cells), 3):
        raise SimulatorError(
            f"claims: scores are {scores.shape!r}; allowed is (trials, {len(book.cells)}, 3)"
        )
    if scores.size and not (scores.min() > 0.0 and scores.max() < 1.0):
        raise SimulatorError("claims: scores reach 0 or 1, or are missing; allowed is between")
    return _totals(book, scores)


def varied(cell: Cell, counts: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the totals of one cell whose people differ in number by trial: two (trial,), USD.

    Mean and variance are those of each trial's number; the shape of the law is that of the
    nearest number tabulated, to which the scores apply: every number up to 64, else eight an
    octave around ``cell.persons``, what is expected.

    Parameters
    ----------
    counts : (trial,), people in each trial
    scores : (trial, 3), in (0, 1), for count, body and excess
    """
    found = np.zeros((2, len(counts)))
    levels = _tabulated_counts(counts, cell.persons)
    for level in np.unique(levels[levels > 0]).tolist():
        at = levels == level
        like = book([replace(cell, persons=level)])
        drawn, means = totals(like, scores[at][:, None, :]), expected(like)
        for total, one, mean in zip(found, drawn, means, strict=True):
            each = float(mean[0]) / level
            stretch = np.sqrt(counts[at] / level)
            total[at] = counts[at] * each + stretch * (one[:, 0] - level * each)
    return found[0], found[1]


def beyond(cell: Cell, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how many of a cell exceed its split point, and by how much in all: (trial,) each.

    scores : (trial, 3), as for `totals`, of which it is a part whether or not the cell truncates
    """
    tables, least = _tables(cell), _counts(cell.persons, cell.split.share)[0]
    by_score = np.ascontiguousarray(scores.T)[None]
    count, drawn = np.empty(len(scores), np.int64), np.empty((1, 2, len(scores)))
    _count(count, by_score[0, 0], tables.chances, tables.guide[0])
    _fill(drawn, by_score, tables)
    return least + count, drawn[0, 1]


def _tabulated_counts(counts: np.ndarray, usual: int) -> np.ndarray:
    """Return the number nearest to each count for which laws are tabulated.

    >>> _tabulated_counts(np.array([0, 5, 64, 99, 101, 140]), 100).tolist()
    [0, 5, 64, 100, 100, 141]
    """
    people, around = counts.astype(np.int64), max(usual, 1)
    steps = np.rint(_PER_OCTAVE * np.log2(np.maximum(people, 1) / around))
    near = np.rint(around * 2.0 ** (steps / _PER_OCTAVE)).astype(np.int64)
    return np.where(people > sums.LATTICE, near, people)


def expected(book: Book) -> tuple[np.ndarray, np.ndarray]:
    """Return the exact means of the truncated total and of the excess: two (cell,), USD.

    >>> from simulator.sampling.severity import gamma
    >>> people = book([Cell(1_000, gamma(10_000.0, cv=2.0), truncation=100_000.0)])
    >>> float(sum(expected(people))[0])
    10000000.0
    """
    truncated, excess = np.reshape([cell.means for cell in book.cells], (-1, 2)).T
    return truncated, excess


def spread(book: Book) -> tuple[np.ndarray, np.ndarray]:
    """Return the exact sds of the truncated total and of the excess: two (cell,), USD."""
    truncated, excess = np.reshape([cell.sds for cell in book.cells], (-1, 2)).T
    return truncated, excess


@lru_cache(maxsize=256)
def _book(cells: tuple[Cell, ...]) -> Book:
    return Book(cells, _tables(cells[0]) if len(cells) == 1 else _joined(cells))


def _joined(cells: tuple[Cell, ...]) -> Tables:
    """Return the tables of several cells end to end, those of equal cells once."""
    unlike = list(dict.fromkeys(cells))
    parts = [_tables(cell) for cell in unlike]
    rows, bodies, excesses = (
        np.cumsum([0, *(len(held) for held in lengths)])
        for lengths in zip(*((p.chances, p.body, p.excess) for p in parts), strict=True)
    )
    guide = [part.guide[0] + first for part, first in zip(parts, rows, strict=False)]
    ends = zip(parts, bodies, excesses, strict=False)
    return Tables(
        np.concatenate([part.chances for part in parts]),
        np.stack([guide[unlike.index(cell)] for cell in cells]),
        np.concatenate([part.amounts for part in parts], axis=1),
        np.concatenate([p.starts + np.array([[b], [e]]) for p, b, e in ends], axis=1),
        np.concatenate([part.blend for part in parts]),
        np.concatenate([part.body for part in parts]),
        np.concatenate([part.excess for part in parts]),
    )


@lru_cache(maxsize=32_768)
def _tables(cell: Cell) -> Tables:
    """Return a cell's tables; its moments are exact whatever its laws are rounded to."""
    least, chances = _counts(cell.persons, cell.split.share)
    above = least + np.arange(len(chances))
    body, body_rows = _body_laws(cell, above)
    excess, excess_rows, blend = _excess_laws(cell, above)
    return Tables(
        chances,
        np.searchsorted(chances, np.arange(_GUIDE) / _GUIDE)[None],
        _amounts(cell, above),
        len(sums.SCORES) * np.stack([body_rows, excess_rows]),
        blend,
        body.astype(np.float32).ravel(),
        excess.astype(np.float32).ravel(),
    )


def _counts(n: int, share: float) -> tuple[int, np.ndarray]:
    """Return the least count that matters and the cumulative chances from it up."""
    mean, sd = n * share, np.sqrt(n * share * (1.0 - share))
    low, high = max(0, int(mean - 9.0 * sd)), min(n, int(mean + 10.0 * sd + 30.0))
    chances = special.bdtr(np.arange(low, high + 1), n, share)
    first, last = np.searchsorted(chances, [_EXTREME, 1.0 - _EXTREME])
    chances = chances[first : last + 1].copy()
    chances[-1] = 1.0
    return low + int(first), chances


def _amounts(cell: Cell, above: np.ndarray) -> np.ndarray:
    """Return mean and sd of truncated total and excess, and the most of the former: (5, count)."""
    split, below = cell.split, cell.persons - above
    body = below * split.body_mean + above * split.point, np.sqrt(below) * split.body_sd
    excess = above * split.excess_mean, np.sqrt(above) * split.excess_sd
    most = np.full(len(above), cell.persons * split.point if cell.persons else 0.0)
    return np.stack([*body, *excess, most]) * cell.exposure


def _body_laws(cell: Cell, above: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the laws of the body, and which one each count takes."""
    below = cell.persons - above
    if below[-1] > _MANY:
        typical = np.array([round(cell.persons * (1.0 - cell.split.share))])
        law = atlas.laws_of(sums.body, cell.severity, cell.split.point, typical)
        return law, np.zeros_like(above)
    laws = atlas.laws_of(sums.body, cell.severity, cell.split.point, below)
    return laws, np.arange(len(above))


def _excess_laws(cell: Cell, above: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the laws of the excess, which one each count takes, and how much of the next."""
    levels, way = atlas.level(above)
    kept = range(int(levels[0]), int(levels[-1]) + 2)
    return atlas.laws(sums.excess, cell.severity, cell.split.point, kept), levels - levels[0], way


def _totals(book: Book, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    by_cell = np.ascontiguousarray(np.moveaxis(scores, 0, -1))
    out = np.empty((len(book.cells), 2, len(scores)))
    _fill(out, by_cell, book.tables)
    for drawn, cell in zip(out, book.cells, strict=True):
        if not cell.truncates:
            drawn[0] += drawn[1]
            drawn[1] = 0.0
    return out[:, 0].T, out[:, 1].T


@compiled
def _fill(out: np.ndarray, scores: np.ndarray, tables: Tables) -> None:
    """Fill `out` (cell, truncated or excess, trial) from `scores` (cell, 3, trial)."""
    count, place = np.empty(_CHUNK, np.int64), np.empty(_CHUNK)
    cells, _, trials = out.shape
    for j in range(cells):
        for first in range(0, trials, _CHUNK):
            last = min(first + _CHUNK, trials)
            _count(count, scores[j, 0, first:last], tables.chances, tables.guide[j])
            _place(place, scores[j, 1, first:last])
            _truncated(out[j, 0, first:last], count, place, tables)
            _place(place, scores[j, 2, first:last])
            _excess(out[j, 1, first:last], count, place, tables)


@compiled
def _count(out: np.ndarray, u: np.ndarray, chances: np.ndarray, guide: np.ndarray) -> None:
    for i in range(len(u)):
        k = guide[int(u[i] * _GUIDE)]
        while chances[k] < u[i]:
            k += 1
        out[i] = k


@compiled
def _place(out: np.ndarray, u: np.ndarray) -> None:
    """Fill `out` with where the normal scores of uniforms lie among `SCORES`, in steps."""
    for i in range(len(u)):
        score = tabulated(max(min(u[i], 1.0 - u[i]), _LEAST), _NORMAL)
        out[i] = ((score if u[i] < 0.5 else -score) - _FIRST_SCORE) * _PER_SCORE


@compiled
def _truncated(out: np.ndarray, count: np.ndarray, place: np.ndarray, tables: Tables) -> None:
    starts, mean, sd, law = tables.starts[0], tables.amounts[0], tables.amounts[1], tables.body
    most = tables.amounts[4]
    for i in range(len(out)):
        k, node = count[i], np.int64(place[i])
        at, part = starts[k] + node, place[i] - node
        total = mean[k] + sd[k] * (law[at] + part * (law[at + 1] - law[at]))
        # Between two nodes a law may stray a few dollars beyond what its people can cost.
        out[i] = min(max(total, 0.0), most[k])


@compiled
def _excess(out: np.ndarray, count: np.ndarray, place: np.ndarray, tables: Tables) -> None:
    starts, mean, sd, law = tables.starts[1], tables.amounts[2], tables.amounts[3], tables.excess
    for i in range(len(out)):
        k, node = count[i], np.int64(place[i])
        at, part = starts[k] + node, place[i] - node
        near = law[at] + part * (law[at + 1] - law[at])
        at += _LENGTH
        far = law[at] + part * (law[at + 1] - law[at])
        out[i] = max(mean[k] + sd[k] * (near + tables.blend[k] * (far - near)), 0.0)
