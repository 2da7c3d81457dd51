"""What people cost: the market, the ACO's own deviation, its effect, and the noise of claims."""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np

from simulator.sampling import claims, run_out
from simulator.sampling.block import Arrays, Block, mean_one
from simulator.sampling.membership import Roster
from simulator.sampling.quantiles import normal

__all__ = ["NAMES", "Deviation", "deviation", "draw", "effect"]

_DIMS = ("trial", "year", "aco", "segment")
_WHOLE = frozenset({"expenditure_ppy", "counterfactual_ppy"})
_WITH_EFFECT = frozenset({"expenditure_ppy", "truncated_expenditure_ppy"})
_PARTS = {
    "suspect_billing_ppy": "suspect_billing_share",
    "skin_substitutes_ppy": "skin_substitutes_share",
}
NAMES = _WHOLE | _WITH_EFFECT | {"truncated_counterfactual_ppy"}


class Deviation(NamedTuple):
    """An ACO's own deviation: its factor on what is expected, and the normal score behind it."""

    factor: np.ndarray
    score: np.ndarray


def deviation(block: Block) -> Deviation:
    """Return each ACO's deviation: (trial, year, aco), of the years drawn.

    A change of `change_sd` for each year away from the last base year (before it too, where base
    years are drawn); after it a lasting part of `sd` besides, and the mean ``1 + mean``, both
    reached in equal steps over `ramp_years`.
    """
    law = block.experience.deviation
    factor, score = block.room(), block.room()
    ramp = block.ramp(law.ramp_years)[block.simulated]
    for i, aco in enumerate(block.acos):
        after = ramp[:, i]
        lasting = block.streams.normal("deviation", aco, block.trials)[:, None]
        changes, counts = block.walk("deviation/change", aco, i)
        moved = mean_one(lasting * after, law.sd, after**2) * mean_one(
            changes, law.change_sd, counts
        )
        factor[:, :, i] = (1.0 + law.mean * after) * moved
        total = np.sqrt(after**2 * law.sd**2 + counts * law.change_sd**2)
        mixed = law.sd * lasting * after + law.change_sd * changes
        score[:, :, i] = mixed / np.maximum(total, 1e-12) + lasting * (total == 0.0)
    return Deviation(factor, score)


def effect(block: Block) -> np.ndarray:
    """Return what care management leaves of expenditure: (trial, year, aco), of the years drawn.

    One draw an ACO serves all years; it is ramped up from the first performance year.
    """
    law = block.experience.effect
    elapsed = np.cumsum(block.ahead)[block.simulated]
    ramp = np.minimum(elapsed / max(law.ramp_years, 1.0), 1.0)
    out = block.room()
    for i, aco in enumerate(block.acos):
        saved = normal(block.streams.uniform("effect", aco, block.trials), law.mean, law.sd)
        out[:, :, i] = np.maximum(1.0 - saved[:, None] * ramp, 0.0)
    return out


def draw(
    block: Block,
    factor: np.ndarray,
    kept: np.ndarray,
    needs: Collection[str],
    who: Roster | None = None,
) -> Arrays:
    """Return spending with and without the effect, truncated and whole, where `needs` names it.

    Market, region, deviation and effect move spending below and above the thresholds alike: CMS
    computes the thresholds anew each year as percentiles, so they move with the market. The
    months of an unfinished year that are booked already move no more.

    Parameters
    ----------
    factor : (trial, year, aco), market, region and deviation on what is expected
    kept : (trial, year, aco), what the ACO's effect leaves of expenditure
    needs : names, of which those in NAMES are drawn
    who : the roster drawn, if it is
    """
    drawn, booked = run_out.split(block, claims.draw(block, who))
    given = block.people.expenditure_ppy.values
    arrays: Arrays = {}
    for name in sorted(NAMES & set(needs)):
        moved, undone = (factor * kept, 1.0) if name in _WITH_EFFECT else (factor, kept)
        ahead, done = (_amount(part, name) for part in (drawn, booked))
        base = claims.means(block) if name in _WHOLE else given
        spent = moved[..., None] * ahead + done / np.expand_dims(undone, -1)
        arrays[name] = _DIMS, block.whole(base, spent, block.drawn)
    return arrays | _excluded(block, arrays, needs)


def _excluded(block: Block, arrays: Arrays, needs: Collection[str]) -> Arrays:
    """Return the parts of expenditure_ppy that a contract may leave out."""
    return {
        name: (_DIMS, block.people[share].values * arrays["expenditure_ppy"][1])
        for name, share in _PARTS.items()
        if name in needs
    }


def _amount(part: claims.Claims, name: str) -> np.ndarray:
    return part.truncated + part.excess if name in _WHOLE else part.truncated
