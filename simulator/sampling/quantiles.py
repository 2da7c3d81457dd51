"""Inverse distribution functions by mean and spread, never by mu and sigma.

Every function is elementwise over floats, arrays and DataArrays and rises with the uniform `u`;
all but `beta` rise with the mean at a given spread. A spread of zero returns the mean itself.

Kernels take a quantile function as a table of its values at `PLACES`.
"""

import numpy as np
from scipy import special, stats

from simulator.errors import SimulatorError
from simulator.sampling.streams import compiled
from simulator.units import Ratio

__all__ = [
    "PLACES",
    "beta",
    "binomial",
    "gamma",
    "lognormal",
    "normal",
    "poisson",
    "tabulated",
]

# Each halving of the way to 0 in 128 parts: the first bits of a float number them in order.
_HALVINGS, _PARTS = 53, 128
PLACES = np.append(
    np.outer(2.0 ** np.arange(-_HALVINGS, 0), 1.0 + np.arange(_PARTS) / _PARTS), 1.0
)
_BASE = (1023 - _HALVINGS) * _PARTS
_NODE, _WAY, _PER_WAY = np.uint64(45), np.uint64(2**45 - 1), 2.0**-45

_LEAST = 1e-6  # spreads below it, relative to the mean, are drawn as none


def normal(u: Ratio, mean: Ratio, sd: Ratio) -> Ratio:
    """Return the normal quantile.

    >>> float(normal(0.5, 10.0, 2.0)), float(normal(0.9, 10.0, 0.0))
    (10.0, 10.0)
    """
    return mean + sd * special.ndtri(u)


def lognormal(u: Ratio, mean: Ratio, cv: Ratio) -> Ratio:
    """Return the lognormal quantile: ``mean * exp(s z - s**2 / 2)``, ``s**2 = log(1 + cv**2)``.

    >>> float(lognormal(0.3, 10.0, 0.0))
    10.0
    """
    variance = np.log1p(np.square(cv))
    return mean * np.exp(np.sqrt(variance) * special.ndtri(u) - variance / 2.0)


def gamma(u: Ratio, mean: Ratio, cv: Ratio) -> Ratio:
    """Return the gamma quantile; a `cv` of one is the exponential law.

    >>> round(float(gamma(1.0 - np.exp(-1.0), 10.0, 1.0)), 9), float(gamma(0.3, 10.0, 0.0))
    (10.0, 10.0)
    """
    square = np.square(np.maximum(cv, _LEAST))
    departure = square * special.gammaincinv(1.0 / square, u) - 1.0
    return mean * (1.0 + departure * (cv >= _LEAST))


def beta(u: Ratio, mean: Ratio, sd: Ratio) -> Ratio:
    """Return the quantile of a beta law on (0, 1).

    >>> round(float(beta(0.3, 0.5, 12**-0.5)), 9), float(beta(0.3, 0.8, 0.0))
    (0.3, 0.8)
    """
    most = mean * (1.0 - mean)
    if np.any((np.square(sd) >= most) & (sd > 0.0)):
        raise SimulatorError(f"beta: sd is {sd!r}; its square must lie below mean x (1 - mean)")
    spreads = sd >= _LEAST
    size = np.maximum(most, _LEAST) / np.square(np.maximum(sd, _LEAST)) - 1.0
    inside = np.minimum(np.maximum(mean, _LEAST), 1.0 - _LEAST)
    drawn = special.betaincinv(inside * size, (1.0 - inside) * size, u)
    return mean + (drawn - mean) * spreads


def poisson(u: Ratio, mean: Ratio) -> Ratio:
    """Return the Poisson quantile: the smallest count whose probability reaches `u`.

    >>> float(poisson(0.5, 0.0)), float(poisson(0.5, 2.0))
    (0.0, 2.0)
    """
    return stats.poisson.ppf(u, mean)


def binomial(u: Ratio, n: Ratio, p: Ratio) -> Ratio:
    """Return the binomial quantile: the smallest count out of `n` whose probability reaches `u`.

    >>> float(binomial(0.5, 10, 0.5)), float(binomial(0.5, 0, 0.5)), float(binomial(0.5, 10, 1.0))
    (5.0, 0.0, 10.0)
    """
    return stats.binom.ppf(u, n, p)


@compiled
def tabulated(u: float, table: np.ndarray) -> float:
    """Return a quantile from a table of the quantiles at `PLACES`: a line between two of them.

    >>> float(tabulated(0.3, PLACES))
    0.3
    """
    bits = np.float64(u).view(np.uint64)
    node = np.int64(bits >> _NODE) - _BASE
    way = np.int64(bits & _WAY) * _PER_WAY
    return table[node] + way * (table[node + 1] - table[node])
