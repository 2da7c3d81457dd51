"""The quality score, and the circumstances that lift it or the losses."""

from functools import lru_cache, partial

import numpy as np
from scipy import special

from simulator.errors import ScenarioError
from simulator.sampling.block import Arrays, Block, persisting
from simulator.sampling.quantiles import beta

__all__ = ["NAMES", "circumstances", "draw"]

NAMES = ("quality_score", "outcome_quality_met")
_DIMS = ("trial", "year", "aco")
_SCORES = np.linspace(-8.3, 8.3, 4_001)


def draw(block: Block) -> Arrays:
    """Return quality_score, a beta share of full marks, and outcome_quality_met, 1 or 0.

    Years before the first performance year hold the mean, and a standard that is met.
    """
    law = block.experience.quality
    if law.measures:
        raise ScenarioError(
            "experience.quality.measures: are not read; allowed is a scenario filled in"
        )
    if law.sd > 0.0 and law.sd**2 >= law.mean * (1.0 - law.mean):
        raise ScenarioError(
            f"experience.quality.sd: is {law.sd!r}; with a mean of {law.mean!r} it must be less "
            f"than {np.sqrt(law.mean * (1.0 - law.mean)):.4f}"
        )
    quantiles = _quantiles(law.mean, law.sd)
    score, met = np.empty(block.shape), np.empty(block.shape)
    for i, aco in enumerate(block.acos):
        uniforms = partial(_uniforms, block, "quality", aco)
        for y, uniform in enumerate(persisting(uniforms, block.years, law.persistence).values()):
            score[:, y, i] = np.interp(special.ndtri(uniform), _SCORES, quantiles)
            outcome = _uniforms(block, "quality/outcome", aco, block.years[y])
            met[:, y, i] = outcome < law.outcome_met_share
    base = np.ones(block.people.persons.shape)
    return {
        "quality_score": (_DIMS, block.whole(base * law.mean, score, block.ahead)),
        "outcome_quality_met": (_DIMS, block.whole(base, met, block.ahead)),
    }


@lru_cache(maxsize=64)
def _quantiles(mean: float, sd: float) -> np.ndarray:
    """Return the beta quantiles at `_SCORES`, between which they are a line to seven digits."""
    return beta(special.ndtr(_SCORES), mean, sd)


def _uniforms(block: Block, stream: str, aco: str, year: int) -> np.ndarray:
    return block.streams.uniform(stream, f"{aco}/{year}", block.trials)


def circumstances(block: Block) -> Arrays:
    """Return circumstances_share: affected people times months, one draw a region and year."""
    law = block.experience.circumstances
    drawn = np.empty(block.shape)
    for y, i in np.ndindex(block.shape[1:]):
        who = f"{block.people.region.values[i]}/{block.years[y]}"
        happens = block.streams.uniform("circumstances", who, block.trials) < law.chance
        drawn[:, y, i] = happens * (law.affected_share * law.months_share)
    base = np.zeros(block.people.persons.shape)
    return {"circumstances_share": (_DIMS, block.whole(base, drawn, block.ahead))}
