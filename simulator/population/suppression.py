"""Small cells: counts of 1 to 10 people that CMS lets nobody show, nor derive from what is shown.

CMS's cell size suppression policy: no cell of 1 to 10 may be shown, nor may it follow from totals
or complements; a zero may be shown.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from simulator.units import LEAST_SHOWN

__all__ = ["LEAST", "SUPPRESSED", "betrays", "hidden", "small"]

LEAST = LEAST_SHOWN
SUPPRESSED = "suppressed"


def small(count: float) -> bool:
    """Return whether a count may not be shown: more than none, fewer than 11.

    >>> small(0.0), small(0.5), small(10.9), small(11.0)
    (False, True, True, False)
    """
    return 0.0 < count < LEAST


def hidden(counts: np.ndarray) -> np.ndarray:
    """Return which cells of a table, (row, column), are not shown, its sums being shown.

    Small cells are hidden, and with them the smallest other ones, until the hidden cells of every
    row and column are none, or two or more that together count 11 or more.

    >>> hidden(np.array([[3, 40, 50], [30, 20, 60]])).tolist()
    [[True, True, False], [True, True, False]]
    >>> hidden(np.array([[0, 40], [12, 60]])).any()
    np.False_
    """
    out = (counts > 0) & (counts < LEAST)
    while True:
        bare = next(_bare(counts, out), None)
        if bare is None:
            return out
        out[bare] = True


def betrays(counts: Sequence[float]) -> bool:
    """Return whether the sum of counts would give a small one away, whatever else is hidden.

    It does where nothing is left to hide beside a small count.

    >>> betrays([5, 0, 0]), betrays([5, 3]), betrays([5, 40, 900]), betrays([40, 900])
    (True, True, False, False)
    """
    line = np.array([counts], dtype=float)
    unseen = hidden(line)
    return bool(unseen.any() and (unseen.sum() < 2 or line[unseen].sum() < LEAST))


def _bare(counts: np.ndarray, out: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield cells to hide besides: one for each line whose hidden cells can be derived."""
    for turned in (False, True):
        table, held = (counts.T, out.T) if turned else (counts, out)
        for row in range(len(table)):
            known = held[row]
            enough = known.sum() >= 2 and table[row][known].sum() >= LEAST
            free = np.flatnonzero(~known & (table[row] > 0))
            if known.any() and not enough and free.size:
                column = int(free[np.argmin(table[row][free])])
                yield (column, row) if turned else (row, column)
