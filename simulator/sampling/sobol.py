"""Scrambled Sobol' points: one coordinate at a time, any trial, as many replicates as wanted.

Trial t is point ``t // replicates`` of replicate ``t % replicates``, so that more trials only add
points. A replicate is the Sobol' sequence scrambled anew by a random linear map of its binary
digits and a random shift (Matousek 1998), which has the variance of Owen's nested scrambling.
"""

from functools import lru_cache

import numpy as np
from scipy.stats import qmc

from simulator.errors import SimulatorError

__all__ = ["DIMENSIONS", "MOST_POINTS", "WORDS", "points"]

DIMENSIONS = 1_024
WORDS = 31  # that scramble one replicate of one coordinate: a shift, and a column a digit
_DIGITS, _KEPT = 30, 52  # of a direction number as scipy gives it, and of a point
_MOST_BITS = 20
MOST_POINTS = 2**_MOST_BITS


def points(dimension: int, words: np.ndarray, trials: range) -> np.ndarray:
    """Return one coordinate of scrambled Sobol' points: (trial,), in the open interval (0, 1).

    Parameters
    ----------
    dimension : of `DIMENSIONS`
    words : (replicate, WORDS) uniforms, which scramble each replicate
    trials : counted over the whole run
    """
    replicates = len(words)
    first, last = trials.start // replicates, -(-trials.stop // replicates)
    if last > MOST_POINTS:
        raise SimulatorError(
            f"streams: trial {trials.stop - 1} is point {last - 1} of a Sobol' replicate; allowed"
            f" is less than {MOST_POINTS:,}"
        )
    bits = max(int(last - 1).bit_length(), 1)
    columns = _scrambled(_directions(bits)[:, dimension], words)
    index = np.arange(first, last)[:, None]
    digits = np.broadcast_to(_whole(words[:, 0]), (last - first, replicates)).copy()
    for bit in range(bits):
        digits ^= (index >> bit & 1).astype(np.uint64) * columns[bit]
    shown = digits.ravel()[trials.start - first * replicates :][: len(trials)]
    return (shown + 0.5) * 2.0**-_KEPT


def _whole(words: np.ndarray) -> np.ndarray:
    return (words * 2.0**_KEPT).astype(np.uint64)


def _scrambled(directions: np.ndarray, words: np.ndarray) -> np.ndarray:
    """Return direction numbers under each replicate's lower triangular map: (bit, replicate)."""
    rows = np.arange(_DIGITS, dtype=np.uint64)
    unit = np.uint64(1) << (np.uint64(_KEPT - 1) - rows)
    # A digit stays itself and changes those below it at random.
    columns = unit | _whole(words[:, 1:]) & (unit - np.uint64(1))
    held = directions[:, None] >> (np.uint64(_DIGITS - 1) - rows) & np.uint64(1)
    return np.bitwise_xor.reduce(held[:, None, :] * columns, axis=2)


@lru_cache(maxsize=_MOST_BITS)
def _directions(bits: int) -> np.ndarray:
    """Return the direction numbers of every dimension: (bit, dimension), 30 digits each."""
    engine = qmc.Sobol(DIMENSIONS, scramble=False)
    found = []
    for bit in range(bits):
        # In Gray code, point 2**(bit + 1) - 1 is the direction number of that bit alone.
        engine.fast_forward(2 ** (bit + 1) - 1 - engine.num_generated)
        found.append(engine.random(1)[0] * 2.0**_DIGITS)
    return np.array(found).astype(np.uint64)
