"""How many trials a wanted standard error takes: a run goes on until its means are as sure.

Stopping by what was seen biases a mean a little, towards runs whose spread came out small. So it
is looked at a few times only: after the first trials, whose spread says how many more it takes.
"""

import math
from typing import NamedTuple

import numpy as np
import xarray as xr

from simulator.analysis.columns import gathered
from simulator.analysis.convergence import Measure, estimate, standard_error
from simulator.errors import ResultsError, SimulatorError

__all__ = ["Reached", "Target", "further", "reached", "target"]

_ROOM = 1.03  # so that the spread of the next trials hardly ever asks for a third look
_MEAN = Measure("mean")


class Target(NamedTuple):
    """The largest standard error of a mean settlement, years and ACOs added.

    error : USD, or a share of the mean's size if `relative`
    of : a contract, or all of them
    most : trials that are never exceeded
    """

    error: float
    relative: bool = False
    of: str | None = None
    most: int = 1_000_000


class Reached(NamedTuple):
    """The mean that is least sure beside what is asked: its contract, error and allowance, USD."""

    contract: str
    error_usd: float
    allowed_usd: float

    @property
    def met(self) -> bool:
        """Return whether the error is small enough."""
        return self.error_usd <= self.allowed_usd


def target(said: str, of: str | None = None, most: int = 1_000_000) -> Target:
    """Return what is asked by an amount of dollars or a share of the mean.

    Raises SimulatorError for what is neither.

    >>> target("50,000").error, target("0.5%")[:2]
    (50000.0, (0.005, True))
    """
    bare = said.strip().removesuffix("%").replace(",", "").replace("_", "").removeprefix("$")
    try:
        error = float(bare)
    except ValueError:
        error = math.nan
    if not (error > 0.0 and math.isfinite(error)):
        raise SimulatorError(f"--target-se {said!r} is no dollars above 0, nor a share such as 1%")
    relative = said.strip().endswith("%")
    return Target(error / 100.0 if relative else error, relative, of, most)


def reached(run: xr.Dataset, asked: Target) -> Reached:
    """Return the mean settlement that is furthest from what is asked, over cases and contracts.

    Raises ResultsError for a contract that the run does not have.
    """
    labels = [str(label) for label in run["contract"].values]
    if asked.of is not None and asked.of not in labels:
        raise ResultsError(f"contract {asked.of!r} is not in the run; it has {', '.join(labels)}")
    found = [_reached(run, label, asked) for label in labels if asked.of in (None, label)]
    return max(found, key=lambda one: one.error_usd / max(one.allowed_usd, 1e-300))


def _reached(run: xr.Dataset, label: str, asked: Target) -> Reached:
    paid = run["settlement_usd"].sel(contract=label, drop=True).astype(np.float64)
    total = gathered(paid.sum(["year", "aco"], skipna=False))
    errors = np.atleast_1d(standard_error(total, _MEAN).values)
    means = np.atleast_1d(estimate(total, _MEAN).values)
    allowed = asked.error * np.abs(means) if asked.relative else np.full_like(means, asked.error)
    worst = int(np.argmax(errors / np.maximum(allowed, 1e-300)))
    return Reached(label, float(errors[worst]), float(allowed[worst]))


def further(now: int, seen: Reached, asked: Target, block: int, scheme: str) -> int:
    """Return to how many trials a run goes on; as many as it has if it need not, or may not.

    As many as the spread seen says, in whole blocks; twice as many for Sobol' points, which are
    in balance at powers of two alone.

    >>> further(1_000, Reached("a", 2.0, 1.0), Target(1.0), 500, "independent")
    4500
    """
    if seen.met:
        return now
    if scheme == "sobol":
        return 2 * now if 2 * now <= asked.most else now
    wanted = now * (seen.error_usd / max(seen.allowed_usd, 1e-300)) ** 2 * _ROOM
    blocks = math.ceil(min(wanted, float(asked.most)) / block)
    most = asked.most - asked.most % 2 if scheme == "antithetic" else asked.most
    more = min(max(blocks * block, now + 1), most)
    more += more % 2 if scheme == "antithetic" else 0
    return max(min(more, most), now)
