"""What a check says: what was looked at, what was found, what is allowed, and how it ended."""

import math
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["Check", "Outcome", "Report", "judged", "near", "not_done"]

Outcome = Literal["passed", "failed", "not done"]
SURE = 4.0  # standard errors: passed by chance alone 99.99 times of 100


class Check(NamedTuple):
    """One check: its group, what was looked at, the figure, what is allowed, how it ended."""

    group: str
    what: str
    figure: str
    limit: str
    outcome: Outcome


Report: TypeAlias = Iterator[Check]
Group: TypeAlias = Callable[[], Report]


def judged(group: str, what: str, figure: str, limit: str, *, met: bool) -> Check:
    """Return a check that was done.

    >>> judged("tables", "a rate", "3.9%", "3.9%", met=True).outcome
    'passed'
    """
    return Check(group, what, figure, limit, "passed" if met else "failed")


def not_done(group: str, what: str, why: str, limit: str) -> Check:
    """Return a check that could not be done; it counts neither as passed nor as failed."""
    return Check(group, what, why, limit, "not done")


def near(group: str, what: str, found: npt.ArrayLike, expected: float) -> Check:
    """Return whether the mean of independent draws is what it should be, to its own noise.

    found : (trial,), draws
    """
    draws = np.asarray(found, np.float64)
    error = float(draws.std(ddof=1) / np.sqrt(len(draws)))
    away = float(draws.mean() - expected) / error if error > 0.0 else np.inf
    digits = max(1 - math.floor(math.log10(error)), 0) if error > 0.0 else 2
    figure = (
        f"{draws.mean():,.{digits}f} ±{error:,.{digits}f} where {expected:,.{digits}f} is exact, "
        f"{away:+.1f} standard errors off"
    )
    limit = f"at most {SURE:g} standard errors"
    return judged(group, what, figure, limit, met=abs(away) <= SURE)
