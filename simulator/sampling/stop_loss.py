"""Person-level stop-loss: what layers pay of people's residuals, in step with the totals drawn.

The totals of a year come without people (`aggregate`). The k people above the split point are
found back from them: of sets of k people, ordered by what they spend in all, the one at the rank
of the excess drawn is taken and scaled to it. So payouts have the law of people drawn one by one,
and a year of high excess has the payouts of such a year. Those below the split point who may
still reach an attachment point are counted in step with the body.
"""

from collections.abc import Iterator
from functools import lru_cache
from math import erfc
from typing import NamedTuple

import numpy as np
import xarray as xr
from scipy import special

from simulator.sampling import aggregate, atlas, claims
from simulator.sampling.block import Arrays, Block
from simulator.sampling.lives import Reaching
from simulator.sampling.membership import Roster
from simulator.sampling.persons import Cell
from simulator.sampling.quantiles import PLACES, tabulated
from simulator.sampling.severity import Severity
from simulator.sampling.streams import Streams, compiled, philox, unit

__all__ = ["Address", "Layers", "Moved", "draw", "payouts"]

STREAM = "stop_loss"
_TABLES = Streams(20_261_124)  # what sets of people are tabulated from, the same in every run
_HELD, _MOST_SETS, _LEAST_SETS = 2**20, 2**14, 2**8
_ROOM = 1.5  # by which spending may outgrow expectation and still find all who attach
_NORMAL = special.ndtri(np.minimum(PLACES, 0.5))
_LEAST = float(PLACES[0])
_LOW, _WORD = np.uint64(0xFFFFFFFF), np.uint64(32)
_ZERO = np.uint64(0)
_RANK = 2**32 - 1  # the place, behind all people, of the draw that ranks a set


class Layers(NamedTuple):
    """Layers on a person's residual, and how people's predictions spread.

    attach : (layer,), attachment points, USD, rising
    rates : (layer,), paid of what lies between a point and the next
    spread : standard deviation of the logarithm of people's predictions
    correlation : of prediction and spending, in normal scores
    """

    attach: np.ndarray
    rates: np.ndarray
    spread: float
    correlation: float


class Moved(NamedTuple):
    """How a year differs from what was expected of it, (trial,) each.

    factor : spending over what was expected of like people
    predicted : mean prediction, USD per person-year
    beyond : what lies above the split point over what the severity leads to expect there
    """

    factor: np.ndarray
    predicted: np.ndarray
    beyond: float = 1.0


class Address(NamedTuple):
    """Where the draws of a year are found."""

    streams: Streams
    who: str
    trials: range


class _Sets(NamedTuple):
    """Sets of people in reach, by how many, each block ordered by what a set spends.

    `levels` (count,) says which block serves a count; `sizes`, `sets` and `starts` (block,) are
    people a set, sets, and where they begin in `spent` and `scores`, which hold what every person
    spends, USD, and its normal score among all people.
    """

    levels: np.ndarray
    sizes: np.ndarray
    sets: np.ndarray
    starts: np.ndarray
    spent: np.ndarray
    scores: np.ndarray


class _Reach(NamedTuple):
    """People between two amounts, those whom shares of `least` to `most` of all people exceed.

    `tail` holds what is exceeded at `PLACES` of the way between the shares.
    """

    least: float
    most: float
    tail: np.ndarray


class _People(NamedTuple):
    """Such people in each trial: how many, the normal score of what they spend, (trial,) each.

    They are scaled so that they exceed `point` by `totals`, (trial,), if that is given.
    """

    counts: np.ndarray
    ranks: np.ndarray
    fewest: int
    point: float
    totals: np.ndarray


def draw(
    block: Block, factor: np.ndarray, nation: np.ndarray, roster: Roster | None = None
) -> Arrays:
    """Return raw_stop_loss_payout_usd, (trial, year, aco): zero for an ACO that has elected none.

    Predictions move with the nation, as benchmarks do; of an ACO's own deviation and effect they
    know nothing. Where the roster is drawn, payouts are those of the people projected, in
    proportion. Years before the first performance year are not paid.

    Parameters
    ----------
    factor : (trial, year, aco), all that moves an ACO's spending, of the years drawn
    nation : (trial, year), what moves everybody's
    roster : who is there, if that is drawn
    """
    drawn, few = block.room(filled=0.0), claims.by_person(block)
    for i, law in _elected(block.people).items():
        one_by_one = block.acos[i] in few
        paid = _by_person if one_by_one else _by_group
        for (row, _, _), amounts in paid(block, roster, (i, law), (factor, nation)):
            if block.ahead[block.simulated][row]:
                drawn[:, row, i] += amounts
    zeros = np.zeros(block.people.persons.shape)
    dims = ("trial", "year", "aco")
    return {"raw_stop_loss_payout_usd": (dims, block.whole(zeros, drawn, block.ahead))}


_Paid = Iterator[tuple[tuple[int, int, int], np.ndarray]]


def _by_group(
    block: Block,
    roster: Roster | None,
    elected: tuple[int, Layers],
    by_trial: tuple[np.ndarray, np.ndarray],
) -> _Paid:
    """Yield what is paid for people whose totals are drawn without them: (trial,) each."""
    (i, law), (factor, nation), predicted = elected, by_trial, _predicted(block)
    beyond = claims.beyond(block)[block.simulated]
    for place, who, cell, counts, scores in claims.groups(block, roster, i):
        row, months = place[0], cell.exposure
        moved = Moved(
            months * factor[:, row, i], months * predicted[place] * nation[:, row], beyond[place]
        )
        address = Address(block.streams, who, block.trials)
        yield place, counts * payouts(cell, scores, law, moved, address)


def _by_person(
    block: Block,
    roster: Roster | None,
    elected: tuple[int, Layers],
    by_trial: tuple[np.ndarray, np.ndarray],
) -> _Paid:
    """Yield what is paid for people who are drawn one by one: (trial,) each."""
    (i, law), (factor, nation), predicted = elected, by_trial, _predicted(block)
    least = float(law.attach[0]) / max(float(factor[:, :, i].max(initial=1.0)), 1.0)
    for place, who, months, found in claims.reaching(block, roster, i, least):
        row, out = place[0], np.zeros(len(block.trials))
        moved = Moved(months * factor[:, row, i], months * predicted[place] * nation[:, row])
        key = block.streams.key(STREAM, who)
        _each(out, found, (moved, law), (block.trials.start, key))
        yield place, out


def _elected(people: xr.Dataset) -> dict[int, Layers]:
    """Return the layers of each ACO that has elected stop-loss, by its place."""
    if "stop_loss_attachment_usd" not in people:
        return {}
    found = {}
    for i in range(people.sizes["aco"]):
        one = people.isel(aco=i)
        attach = one.stop_loss_attachment_usd.values
        held = np.isfinite(attach)
        spread = float(np.sqrt(np.log1p(float(one.prediction_cv) ** 2)))
        rates, correlation = one.stop_loss_payout_share.values, float(one.prediction_correlation)
        if held.any():
            found[i] = Layers(attach[held], rates[held], spread, correlation)
    return found


def _predicted(block: Block) -> np.ndarray:
    """Return mean predictions, (year drawn, aco, segment): as given, else what is expected."""
    given = block.expected("predicted_ppy")
    return np.where(np.isfinite(given), given, claims.means(block)[block.simulated])


def payouts(
    cell: Cell, scores: np.ndarray, layers: Layers, moved: Moved, address: Address
) -> np.ndarray:
    """Return what the layers pay for a cell's people: (trial,), USD.

    scores : (trial, 3), the uniforms of count, body and excess that drew the cell's totals
    """
    split = cell.split
    count, excess = aggregate.beyond(cell, scores)
    out, ranks = np.zeros(len(scores)), special.ndtri(scores[:, 2])
    above = _reach(cell.severity, 0.0, split.share)
    totals = moved.beyond * excess / cell.exposure
    high = _People(count, ranks, _fewest(count), split.point, totals)
    _add(out, above, high, (moved, layers), address)
    least = min(float(layers.attach[0]) / _ROOM, split.point)
    most = float(cell.severity.survival(least))
    if most > split.share:
        below = _reach(cell.severity, split.share, most)
        _add(
            out, below, _below(cell, below, count, scores[:, 1], address), (moved, layers), address
        )
    return out


def _add(
    out: np.ndarray,
    reach: _Reach,
    people: _People,
    terms: tuple[Moved, Layers],
    address: Address,
) -> None:
    key = address.streams.key(STREAM, f"{address.who}/{'below' if reach.least else 'above'}")
    most = int(people.counts.max(initial=0))
    sets = _sets(reach.tail.tobytes(), reach.least, reach.most, (people.fewest, most))
    _fill(out, reach, people, sets, terms, (address.trials.start, key))


def _fewest(counts: np.ndarray) -> int:
    return int(counts.min(initial=np.iinfo(np.int64).max)) if len(counts) else 0


def _below(
    cell: Cell, reach: _Reach, above: np.ndarray, body: np.ndarray, address: Address
) -> _People:
    """Return those below the split point who may attach, in step with the body.

    Their number and what they spend correlate with the body as they do in law.
    """
    split, severity = cell.split, cell.severity
    rest, least = 1.0 - split.share, float(reach.tail[-1])
    chance = (reach.most - reach.least) / rest
    first, second = (
        float(severity.above(least, n) - severity.above(split.point, n)) / rest for n in (1, 2)
    )
    mean, odd = first / chance, np.sqrt(chance * (1.0 - chance))
    own = np.sqrt(max(second / chance - mean**2, 0.0) * chance)
    counted = np.clip((first - chance * split.body_mean) / (odd * split.body_sd), 0.0, 1.0)
    left = (second - first * split.body_mean) / split.body_sd - mean * odd * counted
    spent = np.clip(left / own, 0.0, 1.0) if own else 0.0
    score = special.ndtri(body)
    mixed = [
        part * score
        + np.sqrt(1.0 - part**2)
        * address.streams.normal(STREAM, f"{address.who}/{name}", address.trials)
        for part, name in ((counted, "count"), (spent, "spent"))
    ]
    persons = cell.persons - above
    found = np.ceil(special.bdtrik(special.ndtr(mixed[0]), persons, chance))
    counts = np.clip(np.nan_to_num(found), 0, persons).astype(np.int64)
    return _People(counts, mixed[1], _fewest(counts), 0.0, np.empty(0))


@lru_cache(maxsize=64)
def _reach(severity: Severity, least: float, most: float) -> _Reach:
    return _Reach(least, most, severity.exceeded(least + PLACES * (most - least)))


@lru_cache(maxsize=16)
def _sets(held: bytes, least: float, most: float, counts: tuple[int, int]) -> _Sets:
    """Return sets of people in reach that serve counts from the least to the most."""
    reach = _Reach(least, most, np.frombuffer(held))
    levels = atlas.level(np.arange(counts[0], counts[1] + 1))[0]
    sizes = atlas.COUNTS[np.arange(levels[0], levels[-1] + 1)]
    parts = [_ordered(int(size), reach) for size in sizes]
    starts = np.cumsum([0, *(spent.size for spent, _ in parts)])[:-1]
    spent, scores = (np.concatenate([part[n].ravel() for part in parts]) for n in (0, 1))
    sets = np.array([len(part[0]) for part in parts])
    return _Sets(levels - levels[0], sizes, sets, starts, spent, scores)


def _ordered(size: int, reach: _Reach) -> tuple[np.ndarray, np.ndarray]:
    """Return sets of people, (set, person), by rising total: spending and its normal score."""
    uniforms = _uniforms(size)
    spent, scores = np.empty_like(uniforms), np.empty_like(uniforms)
    _people(spent, scores, uniforms, reach)
    order = np.argsort(spent.sum(axis=1, dtype=np.float64), kind="stable")
    return spent[order], scores[order]


@lru_cache(maxsize=40)
def _uniforms(size: int) -> np.ndarray:
    """Return shares, (set, person), each person's evenly spread over the sets."""
    sets = int(np.clip(_HELD // max(size, 1), _LEAST_SETS, _MOST_SETS))
    out = np.empty((sets, size), np.float32)
    for person in range(size):
        who, trials = f"{size}/{person}", range(sets)
        mixed, within = _TABLES.uniform("stop_loss/sets", who, trials, (2,)).T
        out[:, person] = (np.argsort(mixed, kind="stable") + within) / sets
    return np.clip(out, 1e-9, 1.0 - 1e-7)


@compiled
def _people(spent: np.ndarray, scores: np.ndarray, uniforms: np.ndarray, reach: _Reach) -> None:
    for s in range(len(uniforms)):
        for p in range(uniforms.shape[1]):
            spent[s, p], scores[s, p] = _person(np.float64(uniforms[s, p]), reach)


@compiled
def _person(u: float, reach: _Reach) -> tuple[float, float]:
    """Return what a person spends, and the normal score of it among all people."""
    return tabulated(u, reach.tail), -_score(reach.least + u * (reach.most - reach.least))


@compiled
def _score(u: float) -> float:
    score = tabulated(max(min(u, 1.0 - u), _LEAST), _NORMAL)
    return score if u < 0.5 else -score


@compiled
def _words(trial: int, person: int, key: np.ndarray) -> tuple[float, float]:
    """Return two uniforms of a person in a trial."""
    at = np.uint64(trial)
    counter = at & _LOW, at >> _WORD, np.uint64(person), _ZERO
    a, b, c, d = philox(counter, (np.uint64(key[0]), np.uint64(key[1])))
    return unit(a, b), unit(c, d)


@compiled
def _paid(spent: float, predicted: float, score: float, noise: float, layers: Layers) -> float:
    """Return what the layers pay of one person's residual."""
    r = layers.correlation
    mixed = r * score + np.sqrt(1.0 - r * r) * noise
    own = predicted * np.exp(layers.spread * mixed - layers.spread * layers.spread / 2.0)
    residual, paid = spent - own, 0.0
    for b in range(len(layers.attach)):
        over = residual - layers.attach[b]
        if over <= 0.0:
            break
        if b + 1 < len(layers.attach):
            over = min(over, layers.attach[b + 1] - layers.attach[b])
        paid += layers.rates[b] * over
    return paid


@compiled
def _fill(
    out: np.ndarray,
    reach: _Reach,
    people: _People,
    sets: _Sets,
    terms: tuple[Moved, Layers],
    place: tuple[int, np.ndarray],
) -> None:
    """Add what the people of each trial are paid."""
    (moved, layers), (start, key) = terms, place
    most = people.counts.max() if len(out) else 0
    spent, scores = np.empty(most), np.empty(most)
    for i in range(len(out)):
        total = _found_back(spent, scores, i, reach, (people, sets), (start + i, key))
        scale, point = 1.0, people.point
        if len(people.totals):
            scale = people.totals[i] / total if total > 0.0 else 0.0
        for p in range(people.counts[i]):
            amount = moved.factor[i] * (point + scale * (spent[p] - point))
            if amount > layers.attach[0]:
                noise = _score(_words(start + i, p, key)[1])
                out[i] += _paid(amount, moved.predicted[i], scores[p], noise, layers)


@compiled
def _each(
    out: np.ndarray, found: Reaching, terms: tuple[Moved, Layers], place: tuple[int, np.ndarray]
) -> None:
    """Add what each person found is paid."""
    (moved, layers), (start, key) = terms, place
    for n in range(len(found.trial)):
        i = found.trial[n]
        amount = moved.factor[i] * found.amount[n]
        noise = _score(_words(start + i, found.place[n], key)[1])
        score = _score(found.uniform[n])
        out[i] += _paid(amount, moved.predicted[i], score, noise, layers)


@compiled
def _found_back(
    spent: np.ndarray,
    scores: np.ndarray,
    i: int,
    reach: _Reach,
    held: tuple[_People, _Sets],
    place: tuple[int, np.ndarray],
) -> float:
    """Fill in the people of a trial, and return what they exceed the point by in all.

    A count between two that are kept is made up with people drawn anew.
    """
    (people, sets), (trial, key), count = held, place, held[0].counts[i]
    level = sets.levels[count - people.fewest]
    size, number = sets.sizes[level], sets.sets[level]
    alike = np.sqrt(size / max(count, 1))
    own = _score(_words(trial, _RANK, key)[0])
    score = alike * people.ranks[i] + np.sqrt(1.0 - alike * alike) * own
    rank = np.int64(0.5 * erfc(-score / np.sqrt(2.0)) * number)
    first, total = sets.starts[level] + size * min(rank, number - 1), 0.0
    for p in range(count):
        if p < size:
            spent[p], scores[p] = sets.spent[first + p], sets.scores[first + p]
        else:
            spent[p], scores[p] = _person(_words(trial, p, key)[0], reach)
        total += spent[p] - people.point
    return total
