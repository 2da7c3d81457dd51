"""How risk scores move from the last base year to the year simulated."""

import numpy as np

from simulator.sampling.block import Arrays, Block, Walk, mean_one, walked

__all__ = ["NAMES", "demographic", "draw", "inferred"]

NAMES = ("risk_score", "demographic_score")
_DIMS = ("trial", "year", "aco", "segment")


def draw(block: Block, score: np.ndarray, shock: np.ndarray | None = None) -> Arrays:
    """Return risk_score, each segment's change correlated with the ACO's own deviation.

    The standard deviation is that of one year's change; changes add up from the last base year.
    What the deviation leaves of a change has a part that all of an ACO's segments share. The
    factor on what is expected has mean one, but for coding growth.

    Parameters
    ----------
    score : (trial, year, aco), the normal score of the ACO's deviation
    shock : (trial, year, aco), what catastrophes make of the scores, if any can happen
    """
    law = block.experience.risk_scores
    shared, common = law.correlation, np.sqrt(law.common_share)
    spread = {str(kind): sd for kind, sd in law.sd.items()}
    drawn = block.room(len(block.segments))
    together = [block.walk("risk_score/common", aco, i).scores for i, aco in enumerate(block.acos)]
    for i, j in np.ndindex(drawn.shape[2:]):
        own, counts = _own(block, "risk_score", i, j)
        rest = common * together[i] + np.sqrt(1.0 - law.common_share) * own
        mixed = shared * score[:, :, i] * np.sqrt(counts) + np.sqrt(1.0 - shared**2) * rest
        coded = (1.0 + law.coding_growth) ** (counts * block.after_base[block.simulated, i])
        sd = spread.get(block.entitlements[j], 0.0)
        drawn[:, :, i, j] = coded * mean_one(mixed, sd, counts)
    drawn *= _normalized(block)[:, :, None, None]
    return _moved(block, "risk_score", drawn if shock is None else drawn * shock[..., None])


def _normalized(block: Block) -> np.ndarray:
    """Return the factor by which normalisation errs in a year, for every ACO: (trial, year)."""
    sd = block.experience.risk_scores.normalization_sd
    if sd == 0.0:
        return np.ones((len(block.trials), len(block.years)))
    spans = [range(year, year + 1) for year in block.years]
    return mean_one(walked(block, "market/normalization", "national", spans), sd)


def inferred(block: Block, risk_score: np.ndarray) -> Arrays:
    """Return inferred_risk_score: the risk score's own moves, a shift, and noise of an ACO's year.

    Parameters
    ----------
    risk_score : (trial, year, aco, segment)
    """
    law, people = block.experience.risk_scores, block.people
    ratio = people.inferred_risk_score.values / people.risk_score.values
    drawn = block.room(len(block.segments), filled=1.0 + law.inferred_shift)
    for i, aco in enumerate(block.acos) if law.inferred_sd else ():
        spans = [range(year, year + 1) for year in block.years]
        noise = mean_one(walked(block, "inferred_risk_score", aco, spans), law.inferred_sd)
        drawn[:, :, i] *= noise[..., None]
    base = np.ones(ratio.shape)
    return {
        "inferred_risk_score": (_DIMS, risk_score * ratio * block.whole(base, drawn, block.ahead))
    }


def demographic(block: Block) -> Arrays:
    """Return demographic_score, whose changes add up from the last base year, mean as expected."""
    sd = block.experience.risk_scores.demographic_sd
    drawn = block.room(len(block.segments), filled=1.0)
    for i, j in np.ndindex(drawn.shape[2:]) if sd else ():
        scores, counts = _own(block, "demographic_score", i, j)
        drawn[:, :, i, j] = mean_one(scores, sd, counts)
    return _moved(block, "demographic_score", drawn)


def _own(block: Block, stream: str, aco: int, segment: int) -> Walk:
    return block.walk(stream, f"{block.acos[aco]}/{block.segments[segment]}", aco)


def _moved(block: Block, name: str, factor: np.ndarray) -> Arrays:
    given = block.people[name].values
    return {name: (_DIMS, block.whole(given, factor * given[block.simulated], block.drawn))}
