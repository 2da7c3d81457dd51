"""The contestants that need no other package: NumPy, one way and another, and this engine."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from workload import SEED, TYPES, YEARS, counts, exact, laws, one_year, points, settled, sizes

from simulator.sampling import aggregate, persons
from simulator.sampling.severity import lognormal
from simulator.sampling.streams import Streams

Drawn = tuple[np.ndarray, np.ndarray]  # truncated and untruncated totals, (trial,), USD


def cells(lives: int) -> list[aggregate.Cell]:
    """Return an ACO's cells."""
    people = zip(counts(lives), TYPES, points(), strict=True)
    return [
        aggregate.Cell(n, lognormal(mean, cv, zero), point)
        for n, (_, mean, cv, zero), point in people
    ]


def in_aggregate(lives: int, trials: int, who: str = "w") -> Drawn:
    """Draw the exact joint law."""
    book = aggregate.book(cells(lives))
    truncated, excess = aggregate.draw(book, Streams(SEED), f"{who}{lives}", range(trials))
    below = truncated.sum(axis=1)
    return below, below + excess.sum(axis=1)


def by_person(lives: int, trials: int, workers: int = 1) -> Drawn:
    """Draw every person in the compiled kernel."""
    streams, who = Streams(SEED), f"w{lives}"
    drawn = persons.totals(cells(lives), streams, who, range(trials), workers=workers)
    below = drawn[0].sum(axis=1)
    return below, below + drawn[1].sum(axis=1)


def naive(lives: int, trials: int) -> Drawn:
    """Draw in a Python loop over trials."""
    random = np.random.default_rng([SEED, lives])
    truncated, untruncated = np.array([one_year(random, lives) for _ in range(trials)]).T
    return truncated, untruncated


def in_chunks(lives: int, trials: int, chunk: int = 4) -> Drawn:
    """Draw several trials at a time with NumPy's fastest generator."""
    random = np.random.Generator(np.random.SFC64([SEED, lives]))
    out = np.zeros((2, trials))
    for first in range(0, trials, chunk):
        here = min(chunk, trials - first)
        for n, point, (mu, sigma, zero) in zip(counts(lives), points(), laws(), strict=True):
            spent = random.standard_normal((here, n), dtype=np.float32)
            spent = np.exp(sigma * spent + mu) * (random.random((here, n), np.float32) >= zero)
            out[0, first : first + here] += np.minimum(spent, point).sum(axis=1)
            out[1, first : first + here] += spent.sum(axis=1)
    return out[0], out[1]


def one_aco(trials: int, place: int, lives: int) -> float:
    """Return one ACO's mean settlement over five years, which are drawn together."""
    book = aggregate.book(cells(lives) * YEARS)
    truncated, _ = aggregate.draw(book, Streams(SEED), str(place), range(trials))
    spent = truncated.T.reshape(YEARS, len(TYPES), trials).sum(axis=1)
    return float(settled(spent, exact(lives)[0][0]).mean())


def hundred_acos(trials: int, workers: int) -> list[float]:
    """Return the mean settlement of each of W3's ACOs, drawn on so many threads."""
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(partial(one_aco, trials), range(100), sizes()))
