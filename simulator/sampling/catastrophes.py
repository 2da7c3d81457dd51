"""Years that something befalls: a pandemic, a cyber event, a local disaster, and their relief."""

from typing import NamedTuple

import numpy as np

from simulator.sampling.block import Block
from simulator.sampling.quantiles import normal
from simulator.scenario.schema import Catastrophe

__all__ = ["Shocks", "draw"]


class Shocks(NamedTuple):
    """What befalls the years drawn, as factors on what would have been.

    nation : on everybody's spending, (trial, year)
    region, own : on the region's besides, and on the ACO's own besides, (trial, year, aco)
    risk : on the ACO's risk scores, (trial, year, aco)
    relief : affected people times months, (trial, year, aco)
    """

    nation: np.ndarray
    region: np.ndarray
    own: np.ndarray
    risk: np.ndarray
    relief: np.ndarray


def draw(block: Block) -> Shocks | None:
    """Return what befalls each year from the first performance year on; None if nothing can.

    An event strikes the nation, a region or an ACO as one; events of different names and years
    are independent. What it does to a year's spending lasts in part the year after, or comes
    back, and that year's risk scores rest on its diagnoses. Relief of several events adds up to
    the whole.
    """
    laws = block.experience.catastrophes
    if not any(law.chance for law in laws.values()):
        return None
    region, own, risk = (block.room(filled=1.0) for _ in range(3))
    found = Shocks(np.ones(block.shape[:2]), region, own, risk, block.room(filled=0.0))
    for name, law in laws.items():
        if law.strikes == "nation":
            nation = _strikes(block, name, law, "national")
            found.nation[:] *= nation.spending
            found.risk[:] *= nation.risk[:, :, None]
            found.relief[:] += nation.relief[:, :, None]
            continue
        whose = block.people.region.values if law.strikes == "region" else block.acos
        target = found.region if law.strikes == "region" else found.own
        for i, who in enumerate(map(str, whose)):
            one = _strikes(block, name, law, who)
            target[:, :, i] *= one.spending
            found.risk[:, :, i] *= one.risk
            found.relief[:, :, i] += one.relief
    return found._replace(relief=np.minimum(found.relief, 1.0))


class _Strikes(NamedTuple):
    """What one event does to those it strikes together: each (trial, year)."""

    spending: np.ndarray
    risk: np.ndarray
    relief: np.ndarray


def _strikes(block: Block, name: str, law: Catastrophe, who: str) -> _Strikes:
    shape = block.shape[:2]
    spending, risk, relief = np.ones(shape), np.ones(shape), np.zeros(shape)
    first = int(block.people.year.values[block.ahead][0])
    changes = {
        year: _change(block, f"catastrophe/{name}", f"{who}/{year}", law)
        for year in range(first, block.years[-1] + 1)
    }
    for row, year in enumerate(block.years):
        for happens, change in (changes[year],) if year in changes else ():
            spending[:, row] *= 1.0 + happens * change
            relief[:, row] = happens * law.affected_share * law.months_share
        for happens, change in (changes[year - 1],) if year - 1 in changes else ():
            spending[:, row] *= 1.0 + happens * change * law.lasting_share
            risk[:, row] *= 1.0 + happens * law.risk_score_change
    return _Strikes(spending, risk, relief)


def _change(
    block: Block, stream: str, who: str, law: Catastrophe
) -> tuple[np.ndarray, np.ndarray]:
    """Return whether an event happens, and the change of spending it would bring: (trial,)."""
    chance, size = block.streams.uniform(stream, who, block.trials, (2,)).T
    return chance < law.chance, np.maximum(
        normal(size, law.spending_change, law.spending_sd), -1.0
    )
