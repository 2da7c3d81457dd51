"""The same people through the years, each drawn: for ACOs so small that every person counts.

A place on the roster holds one person until somebody else takes it. A person's normal score in a
year is a weighted sum of innovations since the person came: scores k years apart correlate by
``persistence**k``. A year looks back a fixed number of years, so that the years asked for change
no draw. Every place, year and trial has its own counter.
"""

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple, TypeAlias

import numpy as np
from scipy import special
from scipy.optimize import brentq

from simulator.sampling.persons import Cell
from simulator.sampling.quantiles import PLACES, tabulated
from simulator.sampling.severity import Severity
from simulator.sampling.streams import Streams, compiled, philox, unit

__all__ = ["Draws", "Reaching", "Stays", "reaching", "score_correlation", "totals"]

STREAM = "claims/lives"
_FAINT = 1e-2  # what weighs less is forgotten
_MOST_BACK = 40
_MOST_CORRELATION = 0.999
_ORDERS = 60
_WORD, _LOW = np.uint64(32), np.uint64(0xFFFFFFFF)
_NORMAL = special.ndtri(np.minimum(PLACES, 0.5))  # one half; the other is its mirror image
_LEAST = float(PLACES[0])
_ROOT = float(np.sqrt(0.5))


class Stays(NamedTuple):
    """Who stays and how alike a person's years are.

    persistence : of a person's normal scores in adjacent years
    churn : share of people replaced each year
    """

    persistence: float = 0.0
    churn: float = 0.0


def totals(
    cells: Mapping[int, Cell],
    counts: Mapping[int, np.ndarray],
    stays: Stays,
    streams: Streams,
    who: str,
    trials: range,
) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Return by year the truncated total and the excess over truncation: two (trial,), USD.

    Parameters
    ----------
    cells : by year, in order; how many people there are is in `counts`
    counts : by year, people in each trial, (trial,)
    stays : a persistence of zero draws every year anew
    """
    people, needed, place, law = _prepared(cells, counts, stays)
    out = np.zeros((2, len(cells), len(trials)))
    _people(out, people, (trials.start, *place), needed, streams.key(STREAM, who), law)
    exposures = [cell.exposure for cell in cells.values()]
    return {
        year: (out[0, row] * exposures[row], out[1, row] * exposures[row])
        for row, year in enumerate(cells)
    }


def _prepared(
    cells: Mapping[int, Cell], counts: Mapping[int, np.ndarray], stays: Stays
) -> "tuple[np.ndarray, np.ndarray, tuple[int, int], _Law]":
    """Return people (year, trial), which years are looked back on, from when, and the law."""
    years = list(cells)
    back = _back(stays.persistence)
    first = years[0] - back
    needed = np.zeros(years[-1] - first + 1, np.bool_)
    for year in years:
        needed[year - back - first : year - first + 1] = True
    people = np.stack([counts[year].astype(np.int64) for year in years])
    law = _Law(
        np.array(years) - first,
        np.stack([_amounts(cell.severity) for cell in cells.values()]),
        np.array([cell.truncation for cell in cells.values()]),
        stays.persistence,
        stays.churn if back else 0.0,
    )
    return people, needed, (first, back), law


Draws: TypeAlias = tuple[Mapping[int, Cell], Mapping[int, np.ndarray], Stays, Streams, str, range]


class Reaching(NamedTuple):
    """People who spend more than an amount: trial, what they spend, their uniform, (person,) each.

    `place` is a person's place on the roster.
    """

    trial: np.ndarray
    place: np.ndarray
    amount: np.ndarray
    uniform: np.ndarray


def reaching(draws: Draws, least: float) -> dict[int, Reaching]:
    """Return by year those of the people that `totals` adds up who spend more than `least` USD.

    draws : what `totals` takes
    """
    cells, counts, stays, streams, who, trials = draws
    people, needed, place, law = _prepared(cells, counts, stays)
    start, key = (trials.start, *place), streams.key(STREAM, who)
    found, number = np.empty((5, 1_024)), 1_025
    while number > found.shape[1]:
        found = np.empty((5, max(number, 1_024)))
        number = _reaching(found, people, start, needed, (key, least), law)
    row, trial, at, amount, uniform = found[:, :number]
    return {
        year: Reaching(
            trial[row == n].astype(np.int64),
            at[row == n].astype(np.int64),
            amount[row == n],
            uniform[row == n],
        )
        for n, year in enumerate(cells)
    }


class _Law(NamedTuple):
    """What the kernel draws from: by year, in order."""

    rows: np.ndarray
    amounts: np.ndarray
    truncations: np.ndarray
    persistence: float
    churn: float


@lru_cache(maxsize=256)
def _amounts(severity: Severity) -> np.ndarray:
    """Return the amounts that shares of people do not reach, and exceed: (2, place)."""
    half = np.minimum(PLACES, 0.5)
    return np.stack([severity.exceeded(1.0 - half), severity.exceeded(half)])


@compiled
def _people(
    out: np.ndarray,
    people: np.ndarray,
    place: tuple[int, int, int],
    needed: np.ndarray,
    key: np.ndarray,
    law: _Law,
) -> None:
    """Fill `out` (truncated or excess, year, trial)."""
    start, first, back = place
    pair = np.uint64(key[0]), np.uint64(key[1])
    news, comes = np.empty(len(needed)), np.empty(len(needed), np.bool_)
    for i in range(out.shape[2]):
        trial = np.uint64(start + i)
        for p in range(people[:, i].max()):
            _lived(news, comes, (trial, p, first, back), needed, pair, law.churn)
            for row in range(len(law.rows)):
                if p < people[row, i]:
                    u = _share(news, comes, law.rows[row], back, law.persistence)
                    amount = _amount(u, law.amounts[row])
                    out[0, row, i] += min(amount, law.truncations[row])
                    out[1, row, i] += max(amount - law.truncations[row], 0.0)


@compiled
def _lived(
    news: np.ndarray,
    comes: np.ndarray,
    place: tuple[np.uint64, int, int, int],
    needed: np.ndarray,
    pair: tuple[np.uint64, np.uint64],
    churn: float,
) -> None:
    """Fill in a place's news by year, and when somebody else takes it."""
    trial, p, first, back = place
    for year in range(len(needed)):
        if needed[year]:
            counter = trial & _LOW, trial >> _WORD, np.uint64(p), np.uint64(first + year)
            words = philox(counter, pair)
            fresh = unit(words[0], words[1])
            news[year] = _normal(fresh) if back else fresh
            comes[year] = unit(words[2], words[3]) < churn


@compiled
def _reaching(
    out: np.ndarray,
    people: np.ndarray,
    place: tuple[int, int, int],
    needed: np.ndarray,
    bound: tuple[np.ndarray, float],
    law: _Law,
) -> int:
    """Fill `out` (row, trial, place, amount, uniform; person), and return how many there are."""
    (start, first, back), (key, least) = place, bound
    pair, found = (np.uint64(key[0]), np.uint64(key[1])), 0
    news, comes = np.empty(len(needed)), np.empty(len(needed), np.bool_)
    for i in range(people.shape[1]):
        trial = np.uint64(start + i)
        for p in range(people[:, i].max()):
            _lived(news, comes, (trial, p, first, back), needed, pair, law.churn)
            for row in range(len(law.rows)):
                if p < people[row, i]:
                    u = _share(news, comes, law.rows[row], back, law.persistence)
                    amount = _amount(u, law.amounts[row])
                    if amount > least and found < out.shape[1]:
                        out[0, found], out[1, found], out[2, found] = row, i, p
                        out[3, found], out[4, found] = amount, u
                    found += amount > least
    return found


@compiled
def _share(news: np.ndarray, comes: np.ndarray, at: int, back: int, persistence: float) -> float:
    """Return a person's uniform in a year, from the news since the person came."""
    if back == 0:
        return news[at]
    score, weight = 0.0, 1.0
    lasting = np.sqrt(1.0 - persistence * persistence)
    for k in range(back + 1):
        if comes[at - k] or k == back:
            score += weight * news[at - k]
            break
        score += weight * lasting * news[at - k]
        weight *= persistence
    return min(max(0.5 * math.erfc(-score * _ROOT), _LEAST), 1.0 - _LEAST)


@compiled
def _normal(u: float) -> float:
    score = tabulated(max(min(u, 1.0 - u), _LEAST), _NORMAL)
    return score if u < 0.5 else -score


@compiled
def _amount(u: float, amounts: np.ndarray) -> float:
    return tabulated(u, amounts[0]) if u < 0.5 else tabulated(1.0 - u, amounts[1])


def score_correlation(severity: Severity, truncation: float, correlation: float) -> float:
    """Return how normal scores correlate where what is spent up to `truncation` does by so much.

    After Mehler: of spending's coefficients h in Hermite polynomials, the correlation is
    ``sum(h[k]**2 * rho**k) / sum(h[k]**2)`` over k from 1 up.

    >>> from simulator.sampling.severity import standard
    >>> round(score_correlation(standard("aged_nondual", 10_500.0), 110_000.0, 0.6), 2)
    0.71
    """
    if correlation <= 0.0:
        return 0.0
    powers = _hermite_powers(severity, truncation)

    def beyond(rho: float) -> float:
        return float(powers @ rho ** np.arange(1, len(powers) + 1)) - correlation

    return float(brentq(beyond, 0.0, 1.0)) if beyond(_MOST_CORRELATION) > 0 else _MOST_CORRELATION


@lru_cache(maxsize=256)
def _hermite_powers(severity: Severity, truncation: float) -> np.ndarray:
    """Return the shares of the variance of spending by order of Hermite polynomial."""
    z = np.linspace(-8.5, 8.5, 6_801)
    weight = np.exp(-np.square(z) / 2.0) * (z[1] - z[0]) / np.sqrt(2.0 * np.pi)
    spent = np.minimum(severity.exceeded(special.ndtr(-z)), truncation)
    before, now, found = np.zeros_like(z), np.ones_like(z), []
    for order in range(1, _ORDERS + 1):
        # Normalised: h_n = (z h_(n-1) - sqrt(n - 1) h_(n-2)) / sqrt(n).
        before, now = now, (z * now - np.sqrt(order - 1.0) * before) / np.sqrt(float(order))
        found.append(float(np.square(np.sum(weight * spent * now))))
    return np.array(found) / sum(found)


def _back(persistence: float) -> int:
    """Return how many years before its own matter to a year."""
    if persistence == 0.0:
        return 0
    return min(int(np.log(_FAINT) / np.log(persistence)) + 1, _MOST_BACK)
