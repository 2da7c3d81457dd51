"""The arithmetic of what is paid: pure, elementwise, the same on float, array and DataArray."""

import numpy as np

from simulator.terms import Bands
from simulator.units import Ratio, Share, Usd

__all__ = [
    "capped",
    "clears",
    "corridor",
    "corridor_bands",
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


def corridor(gross: Usd, benchmark: Usd, on_savings: Bands, on_losses: Bands) -> Usd:
    """Return the ACO's part of savings (plus) or losses (minus), each side by its own bands.

    >>> bands = Bands(edges=(0.0, 0.05), rates=(0.5, 0.35))
    >>> [round(float(corridor(gross, 100.0, bands, bands)), 9) for gross in (7.0, -7.0)]
    [3.2, -3.2]
    """
    return sum(corridor_bands(gross, benchmark, on_savings, on_losses))


def corridor_bands(
    gross: Usd, benchmark: Usd, on_savings: Bands, on_losses: Bands
) -> tuple[Usd, ...]:
    """Return what each band of a corridor gives (plus) or takes (minus), lowest band first.

    Edges are shares of the benchmark, rates marginal; there is no minimum to meet.

    >>> bands = Bands(edges=(0.0, 0.05), rates=(0.5, 0.25))
    >>> [float(part) for part in corridor_bands(9.0, 100.0, bands, bands)]
    [2.5, 1.0]
    """
    earned = on_savings.parts(gains(gross), of=benchmark)
    owed = on_losses.parts(losses(gross), of=benchmark)
    return tuple(plus - minus for plus, minus in zip(earned, owed, strict=True))


def recouped(earned: Usd, balance: Usd) -> Usd:
    """Return what is taken from shared savings against a balance: a negative line.

    >>> float(recouped(100.0, 30.0)), float(recouped(-5.0, 30.0))
    (-30.0, 0.0)
    """
    return 0.0 - np.minimum(gains(earned), balance)
