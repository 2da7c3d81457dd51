"""What may be booked before a year settles: variable consideration under ASC 606-10-32."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr

from simulator.analysis.columns import by_column
from simulator.analysis.convergence import Measure, estimate, standard_error
from simulator.errors import SimulatorError

__all__ = ["BUCKETS", "Likely", "accrual", "most_likely"]

BUCKETS = 40


class Likely(NamedTuple):
    """The most likely amount: the fullest of equal ranges, or one amount of its own."""

    low: float
    high: float
    amount: float
    amount_error: float
    chance: float
    error: float


def accrual(settlement: xr.DataArray, confidence: float, dim: str = "trial") -> xr.Dataset:
    """Return what ASC 606-10-32-8 to 32-13 ask for, by contract; dims less `dim`.

    ========================  =============================================================
    expected_usd              the expected value
    likely_usd                the most likely amount: the mean of the fullest of forty equal
                              ranges, or a single amount (nothing is often one) that is likelier;
                              `likely_share` is its chance
    exceeded_usd              what the settlement reaches with the `confidence` asked for
    constrained_usd           the expected value, no more of it than is reached with that
                              confidence: so much is probably not taken back
    constrained_likely_usd    the same for the most likely amount
    ========================  =============================================================

    Raises SimulatorError for a confidence that is not above 0.5 and below 1.
    """
    if not 0.5 < confidence < 1.0:
        raise SimulatorError(f"confidence is {confidence!r}; it is above 0.5 and below 1")
    return by_column(lambda column: _booked(column, confidence, dim), settlement, dim)


def _booked(settlement: xr.DataArray, confidence: float, dim: str) -> xr.Dataset:
    reached = Measure("quantile", 1.0 - confidence)
    said = xr.Dataset()
    for name, measure in {"expected": Measure("mean"), "exceeded": reached}.items():
        said[f"{name}_usd"] = estimate(settlement, measure, dim)
        said[f"{name}_error_usd"] = standard_error(settlement, measure, dim)
    found = xr.apply_ufunc(
        most_likely,
        settlement.astype(np.float64, copy=False),
        input_core_dims=[[dim]],
        output_core_dims=[[] for _ in Likely._fields],
        vectorize=True,
    )
    names = ("low_usd", "high_usd", "usd", "error_usd", "share", "error_share")
    said = said.assign({f"likely_{name}": x for name, x in zip(names, found, strict=True)})
    said["constrained_usd"] = np.minimum(said["expected_usd"], said["exceeded_usd"])
    said["constrained_likely_usd"] = np.minimum(said["likely_usd"], said["exceeded_usd"])
    said["constrained_error_usd"] = said["exceeded_error_usd"].where(
        said["exceeded_usd"] < said["expected_usd"], said["expected_error_usd"]
    )
    return said


def most_likely(draws: npt.NDArray[np.float64]) -> Likely:
    """Return the most likely amount of some draws.

    >>> most_likely(np.array([0.0, 0.0, 0.0, 5.0, 6.0])).amount
    0.0
    """
    single, often = _most_often(draws)
    rest = draws[draws != single] if often > 1 else draws
    counts, edges = np.histogram(rest, BUCKETS) if len(rest) else (np.zeros(1), np.zeros(2))
    place = int(counts.argmax())
    low, high, full = float(edges[place]), float(edges[place + 1]), int(counts[place])
    # An amount that keeps coming back stands alone; other draws are spread over ranges.
    alone = often > 1 and often >= full
    chance = max(often if often > 1 else 0, full) / len(draws)
    error = float(np.sqrt(chance * (1.0 - chance) / len(draws)))
    if alone:
        return Likely(single, single, single, 0.0, chance, error)
    inside = rest[(rest >= low) & (rest <= high)]
    spread = float(inside.std() / np.sqrt(len(inside)))
    return Likely(low, high, float(inside.mean()), spread, chance, error)


def _most_often(draws: npt.NDArray[np.float64]) -> tuple[float, int]:
    """Return the amount that comes most often, the lowest of several, and how often."""
    ordered = np.sort(draws)
    lowest, tied = float(ordered[0]), ordered[1:][ordered[1:] == ordered[:-1]]
    del ordered
    if not len(tied):
        return lowest, 1
    firsts = np.flatnonzero(np.append(True, tied[1:] != tied[:-1]))
    times = np.diff(firsts, append=len(tied))
    return float(tied[firsts[times.argmax()]]), int(times.max()) + 1
