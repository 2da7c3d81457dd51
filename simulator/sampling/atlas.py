"""Laws of sums kept by number of people and truncation point, and blended between those kept.

Laws change slowly: with the logarithm of the point, and with one over the root of the count. So
ACOs whose means differ share what is costly to compute.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache

import numpy as np

from simulator.sampling import sums
from simulator.sampling.severity import Severity

__all__ = ["COUNTS", "Law", "laws", "laws_of", "level"]

Law = Callable[[Severity, float, int], np.ndarray]

# Every count to 32, then a fourth of an octave apart; computed together, an octave at a time.
COUNTS = np.append(np.arange(32), np.rint(2.0 ** np.arange(5.0, 31.0, 0.25))).astype(np.int64)
_ROOTS = 1.0 / np.sqrt(np.maximum(COUNTS, 1))
_FIRST, _OCTAVE = 33, 4
_POINTS = 0.1  # points lie this far apart, in logarithms


def level(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which of `COUNTS` lies at or below each count, and the way from it to the next.

    >>> levels, way = level(np.array([0, 3, 32, 35]))
    >>> levels.tolist(), way.round(2).tolist()
    ([0, 3, 32, 32], [0.0, 0.0, 0.0, 0.53])
    """
    levels = np.searchsorted(COUNTS, counts, side="right") - 1
    steps = _ROOTS[levels] - _ROOTS[levels + 1]
    gone = _ROOTS[levels] - 1.0 / np.sqrt(np.maximum(counts, 1))
    return levels, gone / np.maximum(steps, 1e-12)


def laws(law: Law, severity: Severity, point: float, levels: range) -> np.ndarray:
    """Return laws at some of the kept counts: (level, score).

    law : `sums.body` or `sums.excess`
    """
    if not severity.survival(point) and law is sums.excess:
        return np.zeros((len(levels), len(sums.SCORES)))
    shape, unit_point = severity.unit, point / severity.scale
    if not shape.smooth:
        return _kept(law, shape, unit_point, levels)
    place = np.log(unit_point) / _POINTS
    low, part = np.floor(place), place - np.floor(place)
    ends = (_kept(law, shape, float(np.exp(_POINTS * at)), levels) for at in (low, low + 1.0))
    return next(ends) * (1.0 - part) + next(ends) * part


def laws_of(law: Law, severity: Severity, point: float, counts: np.ndarray) -> np.ndarray:
    """Return the law of each count, blended between those kept: (count, score)."""
    levels, way = level(counts)
    near = levels - levels.min()
    kept = laws(law, severity, point, range(int(levels.min()), int(levels.max()) + 2))
    return kept[near] + way[:, None] * (kept[near + 1] - kept[near])


def _kept(law: Law, shape: Severity, point: float, levels: range) -> np.ndarray:
    first, last = _octave(levels[0]), _octave(levels[-1])
    begin = 0 if first == 0 else _FIRST + _OCTAVE * (first - 1)
    octaves = [_laws_of_octave(law, shape, point, i) for i in range(first, last + 1)]
    return np.concatenate(octaves)[levels[0] - begin : levels[-1] + 1 - begin]


def _octave(level: int) -> int:
    return max(0, (level - _FIRST) // _OCTAVE + 1)


@lru_cache(maxsize=2048)
def _laws_of_octave(law: Law, shape: Severity, point: float, octave: int) -> np.ndarray:
    end = _FIRST + _OCTAVE * octave
    counts: Iterable[int] = COUNTS[(end - _OCTAVE if octave else 0) : end].tolist()
    nobody = np.zeros_like(sums.SCORES)
    return np.stack([law(shape, point, n) if n else nobody for n in counts]).astype(np.float32)
