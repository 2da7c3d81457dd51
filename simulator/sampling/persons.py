"""The reference: every person drawn, one by one, in a compiled kernel.

A person's bits choose one of 8,192 bins of equal chance, and so an amount; in the top bins, which
hold everybody near or above the truncation point, a second draw of 53 bits gives the amount to
the dollar. Amounts are added as integers, so that no order of adding changes a bit.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np

from simulator.errors import SimulatorError
from simulator.sampling.quantiles import PLACES, tabulated
from simulator.sampling.severity import Severity, Split
from simulator.sampling.streams import Streams, compiled, philox, unit

__all__ = ["STREAM", "Cell", "totals"]

STREAM = "claims"
_BITS, _FINER = 13, 4  # a table that stays in the nearest cache; bins are means of finer ones
_BINS = 2**_BITS
_TOP = 0.01  # the share of people drawn a second time, at least
_NEVER = 1e-12
_CHUNK = 128  # counters at a time, of eight people each
_STEPS = 2**15 - 2  # amounts are counted in this part of the highest
_FLAG = 2**31  # marks one for the second draw; a chunk of amounts leaves it alone

_WORD, _LOW = np.uint64(32), np.uint64(0xFFFFFFFF)
_UPPER, _LOWER, _BIN = np.uint32(32 - _BITS), np.uint32(16 - _BITS), np.uint32(_BINS - 1)
_COUNT, _AMOUNT, _MORE = np.uint64(31), np.uint64(_FLAG - 1), np.uint64(2**63)
_SECOND = np.uint64(2**31)


@dataclass(frozen=True)
class Cell:
    """People of one enrolment type in one ACO and year.

    persons : how many
    severity : what one of them spends in the year
    truncation : the point up to which spending counts, USD; infinity truncates nobody
    exposure : the part of the year that each is there; severity and truncation are annualised,
        and what is spent is this part of them
    """

    persons: int
    severity: Severity
    truncation: float = np.inf
    exposure: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what has no law."""
        if self.persons < 0 or not self.truncation > 0.0:
            raise SimulatorError(
                f"cell: persons {self.persons!r}, truncation {self.truncation!r}; allowed are"
                " persons from 0 up and a truncation above 0"
            )

    @cached_property
    def truncates(self) -> bool:
        """Return whether anybody can be expected above the truncation, in any run."""
        return self.persons * float(self.severity.survival(self.truncation)) > _NEVER

    @cached_property
    def split(self) -> Split:
        """Return the moments below and above the truncation, or the 99th percentile if none."""
        point = self.truncation if self.truncates else float(self.severity.exceeded(_TOP))
        return self.severity.split(point)

    @property
    def means(self) -> tuple[float, float]:
        """Return the expected truncated total and excess, USD."""
        share, above = self.split.share, self.split.excess_mean
        lived = self.persons * self.exposure
        excess = lived * share * above * self.truncates
        return lived * self.severity.mean - excess, excess

    @property
    def sds(self) -> tuple[float, float]:
        """Return the standard deviations of the truncated total and of the excess, USD."""
        root = float(np.sqrt(self.persons)) * self.exposure
        if not self.truncates:
            return root * self.severity.sd, 0.0
        point, share, mean, sd, above, above_sd = self.split
        truncated = (1.0 - share) * (sd**2 + share * (point - mean) ** 2)
        excess = share * (above_sd**2 + (1.0 - share) * above**2)
        return root * float(np.sqrt(truncated)), root * float(np.sqrt(excess))


class _Draws(NamedTuple):
    """One severity, ready to draw: `amounts` (bin,) in steps, `tail` (place,) in USD."""

    amounts: np.ndarray
    step: float
    tail: np.ndarray


def totals(
    cells: Sequence[Cell], streams: Streams, who: str, trials: range, *, workers: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Return the truncated total and the excess over truncation: two (trial, cell), USD.

    >>> from simulator.sampling.severity import standard
    >>> cells = [Cell(300, standard("esrd", 85_000.0), truncation=400_000.0)]
    >>> truncated, excess = totals(cells, Streams(1), "lakeshore", range(50))
    >>> truncated.shape, bool((excess >= 0.0).all())
    ((50, 1), True)
    """
    key = streams.key(STREAM, who)
    out = np.zeros((2, len(trials), len(cells)))
    ends = [len(trials) * i // workers for i in range(workers + 1)]

    def fill(first: int, last: int) -> None:
        for j, cell in enumerate(cells):
            place, draws = (trials.start + first, j + 1), _draws(cell.severity, cell.split.point)
            _people(out[:, first:last, j], cell.persons, cell.truncation, place, key, draws)
            out[:, first:last, j] *= cell.exposure

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(fill, ends[:-1], ends[1:]))
    return out[0], out[1]


@lru_cache(maxsize=256)
def _draws(severity: Severity, point: float) -> _Draws:
    """Return the tables of a severity: quantiles of equal chance, and the tail by octaves."""
    bins = max(0, int(_BINS * (1.0 - max(1.02 * float(severity.survival(point)), _TOP))))
    middles = (np.arange(bins * _FINER) + 0.5) / (_BINS * _FINER)
    body = severity.quantile(middles).reshape(bins, _FINER).mean(axis=1)
    step = max(body.max(initial=0.0), 1.0) / _STEPS
    amounts = np.full(_BINS, _FLAG, np.uint32)
    rounded_sums = np.rint(np.cumsum(body / step))
    amounts[:bins] = np.diff(rounded_sums, prepend=0.0)
    return _Draws(amounts, step, severity.exceeded(PLACES * (1.0 - bins / _BINS)))


@compiled
def _people(
    out: np.ndarray,
    persons: int,
    truncation: float,
    place: tuple[int, int],
    key: np.ndarray,
    draws: _Draws,
) -> None:
    """Fill the totals of one cell: `out` (truncated or excess, trial)."""
    words = np.empty((4, _CHUNK), np.uint32)
    pair, lane = (np.uint64(key[0]), np.uint64(key[1])), np.uint64(place[1])
    for i in range(out.shape[1]):
        trial = np.uint64(place[0] + i)
        steps, tops = _body(words, persons, (trial, lane), pair, draws.amounts)
        below, above = _tail(words, tops, truncation, (trial, lane + _SECOND), pair, draws.tail)
        out[0, i] = steps * draws.step + below
        out[1, i] = above


@compiled
def _words(
    words: np.ndarray,
    first: int,
    count: int,
    address: tuple[np.uint64, np.uint64],
    pair: tuple[np.uint64, np.uint64],
) -> None:
    trial, lane = address
    for b in range(count):
        counter = trial & _LOW, trial >> _WORD, np.uint64(first + b), lane
        words[0, b], words[1, b], words[2, b], words[3, b] = philox(counter, pair)


@compiled
def _body(
    words: np.ndarray,
    persons: int,
    address: tuple[np.uint64, np.uint64],
    pair: tuple[np.uint64, np.uint64],
    amounts: np.ndarray,
) -> tuple[int, int]:
    """Return the steps of those drawn once, and how many people are to be drawn again."""
    steps, tops = np.int64(0), np.int64(0)
    counters = (persons + 7) // 8
    for first in range(0, counters, _CHUNK):
        count = min(_CHUNK, counters - first)
        _words(words, first, count, address, pair)
        part = _added(words[:, :count], amounts)
        steps, tops = steps + np.int64(part & _AMOUNT), tops + np.int64(part >> _COUNT)
    for p in range(persons, 8 * counters):  # the last counter's people who are not there
        word = words[p % 8 // 2, p // 8 % _CHUNK] >> (_UPPER if p % 2 else _LOWER)
        part = np.uint64(amounts[word & _BIN])
        steps, tops = steps - np.int64(part & _AMOUNT), tops - np.int64(part >> _COUNT)
    return int(steps), int(tops)


@compiled
def _added(words: np.ndarray, amounts: np.ndarray) -> np.uint64:
    """Return the sum of the amounts, and flags, of eight people a counter."""
    part = np.uint64(0)
    for i in range(words.shape[1]):
        part += _two(words[0, i], amounts) + _two(words[1, i], amounts)
        part += _two(words[2, i], amounts) + _two(words[3, i], amounts)
        # Never so: but a loop that may end early is not made of vectors, whose look-ups are slow.
        if part >= _MORE:
            break
    return part


@compiled
def _two(word: np.uint32, amounts: np.ndarray) -> np.uint64:
    return np.uint64(amounts[word >> _LOWER & _BIN]) + np.uint64(amounts[word >> _UPPER])


@compiled
def _tail(
    words: np.ndarray,
    tops: int,
    truncation: float,
    address: tuple[np.uint64, np.uint64],
    pair: tuple[np.uint64, np.uint64],
    tail: np.ndarray,
) -> tuple[float, float]:
    """Return what those drawn again spend below and above the truncation, USD."""
    below, above = 0.0, 0.0
    for first in range(0, tops, 2 * _CHUNK):
        _words(words, first // 2, min(_CHUNK, (tops - first + 1) // 2), address, pair)
        for p in range(min(2 * _CHUNK, tops - first)):
            row = p % 2 * 2
            share = unit(np.uint64(words[row, p // 2]), np.uint64(words[row + 1, p // 2]))
            amount = tabulated(share, tail)
            below, above = below + min(amount, truncation), above + max(amount - truncation, 0.0)
    return below, above
