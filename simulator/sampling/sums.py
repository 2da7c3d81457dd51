"""The law of what k people spend together, as quantiles by normal score.

A law is standardised (mean 0, standard deviation 1) and tabulated at `SCORES`; between them it is
a line. Up to 64 people it comes from a lattice and the fast Fourier transform, above that from
the characteristic function at the few frequencies where its k-th power has not died out.
"""

from functools import lru_cache

import numpy as np
from scipy import special

from simulator.sampling.severity import Severity
from simulator.sampling.streams import compiled

__all__ = ["LATTICE", "SCORES", "body", "excess"]

LATTICE = 64  # people; above it the characteristic function is the cheaper and no less exact
SCORES = np.linspace(-8.25, 8.25, 529)
_LOWER, _UPPER = special.ndtr(SCORES), special.ndtr(-SCORES)
_MIDDLE = len(SCORES) // 2
_FAINT = 1e-11  # probabilities below it drown in rounding
_RARE = 1e-7  # below it one person alone makes the excess of all
_MOST_STEPS = 16.0  # of a lattice, as a power of two
_LAST = int(np.searchsorted(-_UPPER, -_RARE))
_PER_SD = 32.0
_BINS = 400
_LOWEST = -12.0


def body(severity: Severity, point: float, count: int) -> np.ndarray:
    """Return the standardised quantiles of what `count` people up to `point` spend: (score,).

    >>> from simulator.sampling.severity import lognormal
    >>> law = body(lognormal(1.0, cv=2.0), 10.0, 10_000)
    >>> bool(abs(law[264] - SCORES[264]) < 0.01)  # almost normal
    True
    """
    below = float(severity.cdf(point))
    if count == 1:
        return _standardised(severity.exceeded(_UPPER * below + (1.0 - below)))
    if count <= LATTICE:
        return _standardised(_lattice_quantiles(*_body_lattice(severity, point), count))
    return _standardised(_fourier_quantiles(*_body_nodes(severity, point), count))


def excess(severity: Severity, point: float, count: int) -> np.ndarray:
    """Return the standardised quantiles of what `count` people spend above `point`: (score,).

    Where one person alone makes the tail, the tail is that person's.
    """
    share = float(severity.survival(point))
    if count == 1 or severity.split(point).excess_sd == 0.0:
        return _standardised(severity.exceeded(share * _UPPER))
    if count <= LATTICE:
        bulk, scale = _lattice_quantiles(*_excess_lattice(severity, point), count), 1.0
    else:
        values, weights = _excess_nodes(severity, point)
        bulk = _fourier_quantiles(values, weights, count)
        scale = 1.0 / np.sqrt(count * (weights @ np.square(values - weights @ values)))
    single = np.interp(np.log(share * _UPPER[_LAST:] / count), *_logarithms(severity))
    tail = bulk[_LAST] + scale * (np.exp(single[1:]) - np.exp(single[0]))
    return _standardised(np.concatenate([bulk[: _LAST + 1], tail]))


@lru_cache(maxsize=64)
def _logarithms(severity: Severity) -> tuple[np.ndarray, np.ndarray]:
    """Return the logarithms of shares of people and of the amounts that these shares exceed."""
    shares = np.linspace(-64.0, 0.0, 641)
    return shares, np.log(np.maximum(severity.exceeded(np.exp(shares)), 1e-300))


def _standardised(quantiles: np.ndarray) -> np.ndarray:
    """Return a table moved and scaled so that its line through `SCORES` has mean 0 and sd 1."""
    centred = quantiles - _WEIGHTS @ quantiles
    variance = _SQUARES @ np.square(centred) + 2.0 * _PRODUCTS @ (centred[1:] * centred[:-1])
    return centred / np.sqrt(variance) if variance > 0.0 else np.zeros_like(centred)


def _line_weights() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the normal expectations of the lines' hats, their squares and their overlaps."""
    at, weight = np.polynomial.legendre.leggauss(8)
    width = SCORES[1] - SCORES[0]
    right = (at + 1.0) / 2.0
    z = SCORES[:-1, None] + width * right
    density = np.exp(-np.square(z) / 2.0) / np.sqrt(2.0 * np.pi) * weight * width / 2.0
    hats, squares = np.zeros_like(SCORES), np.zeros_like(SCORES)
    for total, power in ((hats, 1), (squares, 2)):
        total[:-1] += density @ (1.0 - right) ** power
        total[1:] += density @ right**power
        total[0] += _LOWER[0]
        total[-1] += _UPPER[-1]
    return hats, squares, density @ (right * (1.0 - right))


_WEIGHTS, _SQUARES, _PRODUCTS = _line_weights()


@lru_cache(maxsize=64)
def _body_lattice(severity: Severity, point: float) -> tuple[float, np.ndarray]:
    """Return the step of a lattice and one person's chances upon it, transformed."""
    split = severity.split(point)
    if split.body_sd == 0.0:
        return 0.0, _transform(np.zeros(2))
    values, weights = _body_nodes(severity, point)
    most_sd = split.body_sd * np.sqrt(LATTICE)
    reach = _reach((values - split.body_mean) / most_sd, weights, LATTICE) * most_sd
    edges = _lattice(LATTICE * split.body_mean + reach, split.body_sd)
    below = severity.survival(np.minimum(edges, point)) - split.share
    return 2.0 * edges[0], _transform(below / (1.0 - split.share))


@lru_cache(maxsize=64)
def _excess_lattice(severity: Severity, point: float) -> tuple[float, np.ndarray]:
    """Return the step of a lattice and one person's chances upon it, transformed."""
    split = severity.split(point)
    if split.excess_sd == 0.0:
        return 0.0, _transform(np.zeros(2))
    most = float(severity.exceeded(split.share * _RARE / (4.0 * LATTICE))) - point
    reach = most + LATTICE * split.excess_mean + 12.0 * split.excess_sd
    edges = _lattice(reach, split.excess_sd)
    return 2.0 * edges[0], _transform(severity.survival(point + edges) / split.share)


def _lattice(reach: float, sd: float) -> np.ndarray:
    """Return the upper edges of a lattice's steps: a 32nd of `sd`, if that many are enough."""
    size = min(max(np.ceil(np.log2(_PER_SD * reach / sd)), 10.0), _MOST_STEPS)
    return max(sd / _PER_SD, reach / 2.0**size) * (np.arange(2 ** int(size)) + 0.5)


def _transform(survival: np.ndarray) -> np.ndarray:
    return np.fft.rfft(-np.diff(survival, prepend=1.0))


def _lattice_quantiles(step: float, transform: np.ndarray, count: int) -> np.ndarray:
    """Return the quantiles at `SCORES` of the `count`-fold sum on a lattice, in USD."""
    chances = np.maximum(np.fft.irfft(transform**count), 0.0)
    edges = step * (np.arange(len(chances) + 1) - 0.5)
    lower = np.interp(np.maximum(_LOWER, _FAINT), np.append(0.0, np.cumsum(chances)), edges)
    rising = np.append(0.0, np.cumsum(chances[::-1]))
    upper = np.interp(np.maximum(_UPPER, _FAINT), rising, edges[::-1])
    return np.maximum(np.concatenate([lower[:_MIDDLE], upper[_MIDDLE:]]), 0.0)


def _inverted(x: np.ndarray, lower: np.ndarray, upper: np.ndarray, faint: float) -> np.ndarray:
    """Return the x at `SCORES`, given P(X <= x) and P(X > x); flat where these are faint."""
    seen = (lower > faint) & (upper > faint)
    scores = special.ndtri(lower[seen]), -special.ndtri(upper[seen])
    rising = np.maximum.accumulate(np.minimum(scores[0], 0.0) + np.maximum(scores[1], 0.0))
    return np.interp(SCORES, rising, x[seen])


@lru_cache(maxsize=64)
def _body_nodes(severity: Severity, point: float) -> tuple[np.ndarray, np.ndarray]:
    """Return amounts and weights that stand for one person at or under `point`."""
    edges = np.append(0.0, np.geomspace(1e-6 * point, point, _BINS))
    values, masses = _nodes(severity, edges, 0.0)
    return np.append(values, 0.0), np.append(masses, severity.p_zero) / severity.cdf(point)


@lru_cache(maxsize=64)
def _excess_nodes(severity: Severity, point: float) -> tuple[np.ndarray, np.ndarray]:
    """Return amounts and weights that stand for one person's excess over `point`."""
    share = float(severity.survival(point))
    most = float(severity.exceeded(share * _FAINT)) - point
    edges = point + np.concatenate([[0.0], np.geomspace(1e-4 * most, most, _BINS)])
    values, masses = _nodes(severity, edges, point)
    return values, masses / masses.sum()


def _nodes(severity: Severity, edges: np.ndarray, origin: float) -> tuple[np.ndarray, np.ndarray]:
    """Return two nodes a bin, which have the bin's probability, mean and variance together."""
    mass, first, second = (-np.diff(severity.above(edges, order)) for order in range(3))
    held = mass > 0.0
    mean = first[held] / mass[held]
    width = np.diff(edges)[held]
    variance = np.clip(second[held] / mass[held] - np.square(mean), 0.0, np.square(width) / 4.0)
    values = np.concatenate([mean - np.sqrt(variance), mean + np.sqrt(variance)]) - origin
    return values, np.tile(mass[held] / 2.0, 2)


def _fourier_quantiles(values: np.ndarray, weights: np.ndarray, count: int) -> np.ndarray:
    """Return the quantiles at `SCORES` of the standardised `count`-fold sum."""
    mean = weights @ values
    sd = np.sqrt(weights @ np.square(values - mean))
    if sd == 0.0:
        return np.zeros_like(SCORES)
    unit = (values - mean) / (sd * np.sqrt(count))
    high = _reach(unit, weights, count)
    far = np.geomspace(12.0, high, 200)[1:] if high > 12.0 else np.array([])
    x = np.concatenate([np.arange(_LOWEST, min(high, 12.0), 1.0 / 32.0), far])
    lower = _distribution(unit, weights, count, x)
    faint = _FAINT * max(1.0, count / 1e4)  # rounding grows with the power
    return _inverted(x, lower, 1.0 - lower, faint)


def _reach(unit: np.ndarray, weights: np.ndarray, count: int) -> float:
    """Return a point that the sum passes with probability less than exp(-30), after Chernoff."""
    tilt = np.geomspace(0.01, 30.0, 40)
    peak = unit.max() * tilt
    generated = weights @ np.exp(np.multiply.outer(unit, tilt) - peak)
    return float(np.min((count * (np.log(generated) + peak) + 30.0) / tilt))


@compiled
def _distribution(unit: np.ndarray, weights: np.ndarray, count: int, x: np.ndarray) -> np.ndarray:
    """Return P(sum <= x) of `count` people, each `unit` with `weights`, over one period."""
    low, period = x[0], x[-1] - x[0]
    spacing = 2.0 * np.pi / period
    turn, angle = np.exp(1j * spacing * unit), np.exp(-1j * spacing * (x - low))
    person, place = weights.astype(np.complex128), np.ones_like(angle)
    total = (x - low) / period
    for j in range(1, 100_000):
        person *= turn
        place *= angle
        power = person.sum() ** count
        step = power * np.exp(-1j * spacing * j * low) / (-1j * np.pi * j)
        total += (step * (place - 1.0)).real
        if abs(power) < 1e-17:
            break
    return total
