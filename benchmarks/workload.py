"""The workloads W1, W2 and W3, what a timing of them returns, and what is exact about them.

W1 is one ACO-year of 20,000 people in four enrolment types, 10,000 trials; W2 the same with
200,000 people; W3 100 ACOs in 5 years of 2,000 trials, each with its settlement. A person's year
is nothing with some probability, else lognormal, truncated at its type's 99th percentile.
It needs NumPy and SciPy alone: peers run it in an environment of their own.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from scipy import special

W1, W2 = 20_000, 200_000
TRIALS, YEARS = 10_000, 5
SEED = 20261122
TYPES = (  # share of people, mean in USD, cv with the zeros in, probability of nothing
    (0.01, 85_000.0, 1.2, 0.00),
    (0.13, 13_500.0, 2.0, 0.08),
    (0.08, 19_000.0, 1.8, 0.03),
    (0.78, 10_500.0, 2.1, 0.06),
)
Tasks: TypeAlias = Sequence[tuple[int, int]]  # lives and trials, an ACO each
Draw: TypeAlias = Callable[[int, int], tuple[np.ndarray | None, np.ndarray]]


class Timing(NamedTuple):
    """What one timing of some tasks returns: seconds, and by task what was found.

    Means are of the truncated total (None if it is not drawn), of the untruncated one and of the
    settlement, in USD.
    """

    seconds: float
    means: list[tuple[float | None, float, float | None]]


def counts(lives: int) -> list[int]:
    """Return the people of each type: rounded shares, the remainder to the last."""
    first = [round(lives * share) for share, *_ in TYPES[:-1]]
    return [*first, lives - sum(first)]


def laws() -> Iterator[tuple[float, float, float]]:
    """Yield mu and sigma of those who spend, and the probability of nothing, by type."""
    for _, mean, cv, zero in TYPES:
        variance = np.log((1.0 + cv**2) * (1.0 - zero))
        yield np.log(mean / (1.0 - zero)) - variance / 2.0, np.sqrt(variance), zero


def points() -> list[float]:
    """Return the truncation point of each type: what one in a hundred exceeds."""
    parts = ((mu, sigma, 0.01 / (1.0 - zero)) for mu, sigma, zero in laws())
    return [float(np.exp(mu - sigma * special.ndtri(share))) for mu, sigma, share in parts]


def sizes() -> list[int]:
    """Return the people of W3's ACOs: lognormal quantiles, clipped."""
    scores = special.ndtri((np.arange(100) + 0.5) / 100.0)
    return [int(n) for n in np.clip(15_000 * np.exp(0.85 * scores), 5_000, 200_000)]


def exact(lives: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return mean and sd of an ACO's truncated and untruncated total, in closed form."""
    people = np.array(counts(lives))
    limited = np.array([_limited(*each) for each in zip(laws(), points(), strict=True)])
    first, second = limited[..., 0], limited[..., 1]
    means, variances = people @ first, people @ (second - first**2)
    (truncated, whole), (low, high) = means, np.sqrt(variances)
    return (float(truncated), float(low)), (float(whole), float(high))


def _limited(law: tuple[float, float, float], point: float) -> list[list[float]]:
    """Return first and second moments of one person's year: truncated, then whole."""
    mu, sigma, zero = law
    score = (np.log(point) - mu) / sigma
    found = []
    for order in (1, 2):
        whole = np.exp(order * mu + (order * sigma) ** 2 / 2.0)
        below = whole * special.ndtr(score - order * sigma)
        found.append([below + point**order * special.ndtr(-score), whole])
    return ((1.0 - zero) * np.array(found).T).tolist()


def one_year(random: np.random.Generator, lives: int) -> tuple[float, float]:
    """Return one trial's truncated and untruncated totals, every person drawn in NumPy."""
    truncated = untruncated = 0.0
    for n, point, (mu, sigma, zero) in zip(counts(lives), points(), laws(), strict=True):
        spent = random.lognormal(mu, sigma, n) * (random.random(n) >= zero)
        truncated += np.minimum(spent, point).sum()
        untruncated += spent.sum()
    return truncated, untruncated


def settled(spent: np.ndarray, benchmark: float) -> np.ndarray:
    """Return what is shared: savings of 2.5% or more, at half, up to 10% of benchmark."""
    saved = benchmark - 0.98 * spent
    shared = 0.5 * saved * ((saved >= 0.025 * benchmark) & (saved > 0.0))
    return np.minimum(shared, 0.10 * benchmark)


def timed(draw: Draw, tasks: Tasks, *, settle: bool, repeats: int = 1) -> Timing:
    """Return how long it takes to draw (and settle) tasks one after another, and what came."""
    start = time.perf_counter()
    for _ in range(repeats):
        means = [_means(draw(lives, trials), lives, settle=settle) for lives, trials in tasks]
    return Timing((time.perf_counter() - start) / repeats, means)


def _means(
    drawn: tuple[np.ndarray | None, np.ndarray], lives: int, *, settle: bool
) -> tuple[float | None, float, float | None]:
    truncated, whole = drawn
    first = None if truncated is None else float(truncated.mean())
    if not settle:
        return first, float(whole.mean()), None
    known = exact(lives)
    spent, benchmark = (whole, known[1][0]) if truncated is None else (truncated, known[0][0])
    return first, float(whole.mean()), float(settled(spent, benchmark).mean())
