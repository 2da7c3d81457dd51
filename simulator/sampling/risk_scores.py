"""How risk scores move from the last base year to the year simulated."""

import numpy as np

from simulator.sampling.block import Arrays, Block, mean_one, walked

__all__ = ["NAMES", "demographic", "draw"]

NAMES = ("risk_score", "demographic_score")
_DIMS = ("trial", "year", "aco", "segment")


def draw(block: Block, score: np.ndarray) -> Arrays:
    """Return risk_score, each segment's change correlated with the ACO's own deviation.

    The standard deviation is that of one year's change; changes add up from the last base year.
    The factor on what is expected has mean one, but for coding growth.

    Parameters
    ----------
    score : (trial, year, aco), the normal score of the ACO's deviation
    """
    law = block.experience.risk_scores
    shared = law.correlation
    spread = {str(kind): sd for kind, sd in law.sd.items()}
    drawn = np.empty((*block.shape, len(block.segments)))
    for i, j in np.ndindex(drawn.shape[2:]):
        counts = np.array([len(span) for span in block.since_base(i)])
        own = _own(block, "risk_score", i, j) / np.sqrt(counts)
        mixed = shared * score[:, :, i] + np.sqrt(1.0 - shared**2) * own
        sd = spread.get(str(block.people.entitlement.values[j]), 0.0)
        coded = (1.0 + law.coding_growth) ** counts
        drawn[:, :, i, j] = coded * mean_one(mixed * np.sqrt(counts), sd, counts)
    given = block.people.risk_score.values
    return {"risk_score": (_DIMS, block.whole(given, drawn * given[block.performance]))}


def demographic(block: Block) -> Arrays:
    """Return demographic_score, whose changes add up from the last base year, mean as expected."""
    drawn = np.empty((*block.shape, len(block.segments)))
    for i, j in np.ndindex(drawn.shape[2:]):
        counts = np.array([len(span) for span in block.since_base(i)])
        scores = _own(block, "demographic_score", i, j)
        drawn[:, :, i, j] = mean_one(scores, block.experience.risk_scores.demographic_sd, counts)
    given = block.people.demographic_score.values
    return {"demographic_score": (_DIMS, block.whole(given, drawn * given[block.performance]))}


def _own(block: Block, stream: str, aco: int, segment: int) -> np.ndarray:
    who = f"{block.acos[aco]}/{block.segments[segment]}"
    return walked(block, stream, who, block.since_base(aco))
