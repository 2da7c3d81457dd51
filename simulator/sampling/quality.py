"""The quality score, and the circumstances that lift it or the losses."""

from functools import lru_cache, partial

import numpy as np
from scipy import special

from simulator.errors import ScenarioError
from simulator.sampling.block import Arrays, Block, persisting
from simulator.sampling.quantiles import beta
from simulator.scenario.schema import Quality, TotalQuality

__all__ = ["NAMES", "circumstances", "draw", "total"]

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
    score, met = _scores(block, law, "quality"), block.room()
    for i, aco in enumerate(block.acos):
        for y, year in enumerate(block.years):
            met[:, y, i] = _uniforms(block, "quality/outcome", aco, year) < law.outcome_met_share
    base = np.ones(block.people.persons.shape)
    return {
        "quality_score": (_DIMS, block.whole(base * law.mean, score, block.ahead)),
        "outcome_quality_met": (_DIMS, block.whole(base, met, block.ahead)),
        "incentive_met": _happens(block, "quality/incentive", law.incentive_met_share),
        "first_year_reported": _happens(block, "quality/first", law.first_year_reported_share),
    }


def total(block: Block) -> Arrays:
    """Return total_quality_score, a beta share of what a withhold holds.

    From the same uniforms as quality_score: an ACO that does well under one program's measures
    does well under the others'.
    """
    law = block.experience.total_quality
    base = np.full(block.people.persons.shape, law.mean)
    score = _scores(block, law, "total_quality")
    return {"total_quality_score": (_DIMS, block.whole(base, score, block.ahead))}


def _scores(block: Block, law: Quality | TotalQuality, field: str) -> np.ndarray:
    """Return scores of the years drawn: (trial, year, aco)."""
    if law.sd > 0.0 and law.sd**2 >= law.mean * (1.0 - law.mean):
        raise ScenarioError(
            f"experience.{field}.sd: is {law.sd!r}; with a mean of {law.mean!r} it must be less "
            f"than {np.sqrt(law.mean * (1.0 - law.mean)):.4f}"
        )
    quantiles, score = _quantiles(law.mean, law.sd), block.room()
    for i, aco in enumerate(block.acos):
        uniforms = partial(_uniforms, block, "quality", aco)
        for y, uniform in enumerate(persisting(uniforms, block.years, law.persistence).values()):
            score[:, y, i] = np.interp(special.ndtri(uniform), _SCORES, quantiles)
    return score


def _happens(block: Block, stream: str, chance: float) -> tuple[tuple[str, ...], np.ndarray]:
    """Return 1 where something happens to an ACO in a year, else 0: one figure if it is sure."""
    if chance in (0.0, 1.0):
        return ("year", "aco"), np.full(block.people.persons.shape, chance)
    drawn = block.room()
    for y, i in np.ndindex(block.shape[1:]):
        drawn[:, y, i] = _uniforms(block, stream, block.acos[i], block.years[y]) < chance
    return _DIMS, block.whole(np.zeros(block.people.persons.shape), drawn, block.ahead)


@lru_cache(maxsize=64)
def _quantiles(mean: float, sd: float) -> np.ndarray:
    """Return the beta quantiles at `_SCORES`, between which they are a line to seven digits."""
    return beta(special.ndtr(_SCORES), mean, sd)


def _uniforms(block: Block, stream: str, aco: str, year: int) -> np.ndarray:
    return block.streams.uniform(stream, f"{aco}/{year}", block.trials)


def circumstances(block: Block, relief: np.ndarray | None = None) -> Arrays:
    """Return what extreme and uncontrollable circumstances reach, one draw a region and year.

    circumstances_share is affected people times months, affected_people_share the people alone
    (of circumstances, not of catastrophes); cyberattack_months_share is there where the scenario
    gives such attacks a chance.

    relief : (trial, year, aco), of catastrophes besides; together at most all of the year
    """
    law = block.experience.circumstances
    drawn = block.room()
    for y, i in np.ndindex(block.shape[1:]):
        who = f"{block.people.region.values[i]}/{block.years[y]}"
        happens = block.streams.uniform("circumstances", who, block.trials) < law.chance
        drawn[:, y, i] = happens
    affected = drawn * (law.affected_share * law.months_share)
    affected = affected if relief is None else np.minimum(affected + relief, 1.0)
    base = np.zeros(block.people.persons.shape)
    found: Arrays = {
        "circumstances_share": (_DIMS, block.whole(base, affected, block.ahead)),
        "affected_people_share": (
            _DIMS,
            block.whole(base, drawn * law.affected_share, block.ahead),
        ),
    }
    attack = block.experience.cyberattack
    if attack.chance > 0.0:
        dims, attacked = _happens(block, "cyberattack", attack.chance)
        found["cyberattack_months_share"] = dims, attacked * attack.months_share
    return found
