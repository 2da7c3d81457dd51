"""Run-out: what claims that are not all in yet will come to, in expectation."""

from collections.abc import Mapping

import numpy as np

from simulator.errors import ScenarioError
from simulator.scenario.schema import RunOut
from simulator.units import Ratio, Share, UsdPpy

__all__ = ["completed", "completing", "completion_factor"]


def completion_factor(factors: Mapping[int, float], months: int) -> float:
    """Return the completion factor at a number of months observed, between those known.

    Logarithms lie on a line between two of them.

    >>> quarters = {3: 1.21, 6: 1.10, 12: 1.0}
    >>> completion_factor(quarters, 6), round(completion_factor(quarters, 9), 6)
    (1.1, 1.048809)
    """
    known = sorted(factors)
    if not known or not known[0] <= months <= known[-1]:
        allowed = f"{known[0]} to {known[-1]}" if known else "a mean, or factors by months"
        raise ScenarioError(
            f"experience.run_out.months_observed: is {months}; its completion factor is not known;"
            f" allowed is {allowed}"
        )
    logs = np.log([factors[month] for month in known])
    return float(np.exp(np.interp(months, known, logs)))


def completed(observed: UsdPpy, rest: UsdPpy, *, factor: Ratio, months_share: Share) -> UsdPpy:
    """Return the year that is expected: booked months completed, and the rest as projected.

    >>> float(completed(10_000.0, 11_000.0, factor=1.05, months_share=0.5))
    10750.0
    """
    return months_share * factor * observed + (1.0 - months_share) * rest


def completing(law: RunOut) -> RunOut:
    """Return an unfinished year with its completion factor: as given, else of its months."""
    if law.completion_factor.mean is not None:
        return law
    mean = completion_factor(law.factors, law.months_observed)
    factor = law.completion_factor.model_copy(update={"mean": mean})
    return law.model_copy(update={"completion_factor": factor})
