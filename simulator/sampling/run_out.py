"""An unfinished year: what is booked of it moves only as claims come in; the rest is simulated."""

from typing import NamedTuple

import numpy as np

from simulator.errors import ScenarioError
from simulator.sampling import claims
from simulator.sampling.block import Block, mean_one
from simulator.sampling.claims import Claims
from simulator.scenario.schema import RunOut

__all__ = ["split"]

_MONTHS = 12.0


class _Booked(NamedTuple):
    """The booked months: where, (year, aco, segment), their share of the year, per capita."""

    where: np.ndarray
    share: float
    observed: np.ndarray


def split(block: Block, drawn: Claims) -> tuple[Claims, Claims]:
    """Return claims still to come and claims that are booked, completed, which add up to the year.

    Of the months to come, the expectation is in proportion and the noise to the square root; what
    lies above the thresholds in booked months is as expected.
    """
    law = block.experience.run_out
    if law is None:
        return drawn, Claims(np.zeros(()), np.zeros(()))
    booked = _booked(block, law)
    level = block.expected("expenditure_ppy")
    excess = claims.means(block)[block.simulated] - level
    ahead = Claims(
        _to_come(drawn.truncated, level, booked), _to_come(drawn.excess, excess, booked)
    )
    completed = _completion(block, law)[:, None, :, None] * booked.observed
    done = Claims(booked.share * completed, booked.share * excess * booked.where)
    return ahead, done


def _booked(block: Block, law: RunOut) -> _Booked:
    observed = np.full((len(block.years), len(block.acos), len(block.segments)), np.nan)
    for aco, by_segment in law.observed_ppy.items():
        for segment, amount in by_segment.items():
            place = block.acos.index(aco), block.segments.index(segment)
            observed[(block.years.index(law.year), *place)] = amount
    return _Booked(np.isfinite(observed), law.months_observed / _MONTHS, np.nan_to_num(observed))


def _to_come(drawn: np.ndarray, level: np.ndarray, booked: _Booked) -> np.ndarray:
    left = 1.0 - booked.share * booked.where
    return left * level + np.sqrt(left) * (drawn - level)


def _completion(block: Block, law: RunOut) -> np.ndarray:
    """Return what booked claims grow to, one draw an ACO: (trial, aco)."""
    mean, sd = law.completion_factor.mean, law.completion_factor.sd
    if mean is None:
        raise ScenarioError(
            "experience.run_out.completion_factor.mean: is not given; allowed is a number, or a"
            " scenario filled in from `factors`"
        )
    who = [f"{aco}/{law.year}" for aco in block.acos]
    scores = [block.streams.normal("completion", one, block.trials) for one in who]
    return mean * mean_one(np.stack(scores, axis=1), sd / mean)
