"""The arithmetic of what is paid: pure, elementwise, the same on float, array and DataArray."""

import numpy as np

from simulator.units import Ratio, Share, Usd

__all__ = [
    "capped",
    "clears",
    "gains",
    "loss_limit",
    "losses",
    "reaches",
    "recouped",
    "sequestered",
]


def gains(gross: Usd) -> Usd:
    """Return gross savings where there are any, else zero.

    >>> float(gains(-3.0)), float(gains(3.0))
    (0.0, 3.0)
    """
    return np.maximum(gross, 0.0)


def losses(gross: Usd) -> Usd:
    """Return the size of losses where there are any, else zero.

    >>> float(losses(-3.0)), float(losses(3.0))
    (3.0, 0.0)
    """
    return np.maximum(-gross, 0.0)


def clears(amount: Usd, minimum: Usd) -> Ratio:
    """Return whether savings (or losses) are positive and meet their minimum.

    >>> bool(clears(2.0, 2.0)), bool(clears(0.0, 0.0))
    (True, False)
    """
    return (amount >= minimum) & (amount > 0.0)


def reaches(amount: Usd, minimum: Usd) -> Usd:
    """Return the whole amount once it meets its minimum, from the first dollar, else zero.

    >>> float(reaches(2.0, 2.0)), float(reaches(1.9, 2.0))
    (2.0, 0.0)
    """
    return amount * clears(amount, minimum)


def sequestered(amount: Usd, *, rate: Share) -> Usd:
    """Return the sequestration of an amount paid to the ACO: a negative line.

    >>> sequestered(100.0, rate=0.02)
    -2.0
    """
    return 0.0 - rate * amount


def capped(amount: Usd, limit: Usd) -> Usd:
    """Return what a limit cuts from an amount: a negative line, zero below the limit.

    >>> float(capped(120.0, 100.0)), float(capped(80.0, 100.0))
    (-20.0, 0.0)
    """
    return np.minimum(limit - amount, 0.0)


def loss_limit(
    revenue: Usd, benchmark: Usd, *, of_revenue: Share | None, of_benchmark: Share
) -> Usd:
    """Return the most an ACO repays: a share of revenue, at most a share of benchmark.

    >>> float(loss_limit(40.0, 100.0, of_revenue=0.08, of_benchmark=0.04))
    3.2
    >>> float(loss_limit(40.0, 100.0, of_revenue=None, of_benchmark=0.15))
    15.0
    """
    if of_revenue is None:
        return of_benchmark * benchmark
    return np.minimum(of_revenue * revenue, of_benchmark * benchmark)


def recouped(earned: Usd, balance: Usd) -> Usd:
    """Return what is taken from shared savings against a balance: a negative line.

    >>> float(recouped(100.0, 30.0)), float(recouped(-5.0, 30.0))
    (-30.0, 0.0)
    """
    return 0.0 - np.minimum(gains(earned), balance)
