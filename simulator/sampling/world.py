"""The world: what happened to the people in a block of trials, with and without the effect."""

import numpy as np
import xarray as xr

from simulator.errors import SimulatorError
from simulator.sampling import (
    catastrophes,
    market,
    membership,
    quality,
    risk_scores,
    spending,
    stop_loss,
)
from simulator.sampling.block import Arrays, Block
from simulator.sampling.catastrophes import Shocks
from simulator.sampling.membership import Roster
from simulator.sampling.streams import Streams
from simulator.scenario.schema import Experience
from simulator.variables import WORLD, conform

__all__ = ["draw"]

_SCALARS = ("last_given_year",)


def draw(
    people: xr.Dataset,
    experience: Experience,
    streams: Streams,
    trials: range,
    needs: frozenset[str],
) -> xr.Dataset:
    """Return the world of a block of trials, with at least the variables that `needs` names.

    Base years hold what the scenario gives, in every trial. The simulated years are drawn around
    what `people` leads to expect: every factor is lognormal with mean one, so expectations stand
    but for the deviation's own mean, coding growth and the effect.

    Parameters
    ----------
    people : Dataset (year, aco, segment), expectations, as `population.project` returns them
    experience : what could happen
    streams : the seed's streams; a draw depends on seed, stream, name, year and trial alone
    trials : the trials to draw, counted over the whole run
    needs : names of variables, of `variables.WORLD`
    """
    block = Block(people, experience, streams, trials)
    roster, shocks = membership.roster(block), catastrophes.draw(block)
    arrays = membership.draw(block, roster) | _moved(block, needs, roster, shocks)
    arrays |= _others(block, needs, shocks)
    lacking = sorted(needs - arrays.keys())
    if lacking:
        raise SimulatorError(f"world: nothing draws {', '.join(lacking)}")
    coordinates = people.drop_vars([*people.data_vars, *_SCALARS]).coords
    world = xr.Dataset(arrays, coordinates).assign_coords(trial=np.arange(*_ends(trials)))
    return conform(world, WORLD)


def _moved(
    block: Block, needs: frozenset[str], roster: Roster | None, shocks: Shocks | None
) -> Arrays:
    """Return what the market or the ACO's own deviation moves."""
    nation, region = market.national(block), market.regional(block)
    own = spending.deviation(block)
    factor = own.factor
    if shocks is not None:
        nation, region, factor = (
            nation * shocks.nation,
            region * shocks.region,
            factor * shocks.own,
        )
    arrays = market.draw(block, nation, region, roster)
    arrays |= market.levels(block, nation, region, needs)
    factor = nation[:, :, None] * region * factor
    factor = factor if roster is None else factor * roster.spending
    if not needs.isdisjoint(spending.NAMES):
        arrays |= spending.draw(block, factor, spending.effect(block), needs, roster)
    if "raw_stop_loss_payout_usd" in needs:
        arrays |= stop_loss.draw(block, factor * spending.effect(block), nation, roster)
    if not needs.isdisjoint({"risk_score", "inferred_risk_score"}):
        arrays |= risk_scores.draw(block, own.score, None if shocks is None else shocks.risk)
    if "inferred_risk_score" in needs:
        arrays |= risk_scores.inferred(block, arrays["risk_score"][1])
    return arrays


def _others(block: Block, needs: frozenset[str], shocks: Shocks | None) -> Arrays:
    arrays: Arrays = {}
    if "demographic_score" in needs:
        arrays |= risk_scores.demographic(block)
    if not needs.isdisjoint(quality.NAMES):
        arrays |= quality.draw(block)
    if "total_quality_score" in needs:
        arrays |= quality.total(block)
    if "circumstances_share" in needs:
        arrays |= quality.circumstances(block, None if shocks is None else shocks.relief)
    return arrays


def _ends(trials: range) -> tuple[int, int]:
    return trials.start, trials.stop
