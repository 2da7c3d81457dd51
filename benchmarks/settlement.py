"""A settlement beside the same formulas in bare NumPy: MSSP's 2022, Level E and ENHANCED.

`bare` is the worksheet as one would write it by hand, without labels, terms' citations or the
cases that do not occur (renewals, advances, terminations); every line that it makes is held to the
contract's own.
"""

import statistics
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
import xarray as xr

from simulator.engine.checking import check
from simulator.engine.simulate import drawn, settle
from simulator.engine.tracks import Track, tracks
from simulator.scenario.sweep import cases

__all__ = ["ELEMENTS", "Compared", "compared", "told"]

ELEMENTS = 300_000
ROUNDS = 7
Lines: TypeAlias = dict[str, np.ndarray]
_SCENARIO = Path(__file__).resolve().parents[1] / "scenarios" / "quickstart.yaml"


class Compared(NamedTuple):
    """Median CPU seconds of a contract and of bare NumPy, and the largest gap between them.

    The gap is relative; `lines` are those compared, every one that is random.
    """

    contract: str
    seconds: float
    bare_seconds: float
    gap: float
    lines: int

    @property
    def ratio(self) -> float:
        """Return how many times as long the contract takes."""
        return self.seconds / self.bare_seconds


class Terms(NamedTuple):
    """What a level's rules come to for this ACO, in 2022."""

    sharing: float
    quality_in_losses: float
    loss_floor: float
    loss_ceiling: float
    payment_limit: float
    limit_of_revenue: float
    limit_of_benchmark: float
    surety_of_revenue: float


TERMS = {
    "level_e": Terms(0.50, 0.0, 0.30, 0.30, 0.10, 0.08, 0.04, 0.02),
    "enhanced": Terms(0.75, 0.75, 0.40, 0.75, 0.20, np.inf, 0.15, np.inf),
}


def compared() -> Iterator[Compared]:
    """Yield each contract beside bare NumPy, timed in turn on the same block."""
    case = cases(check(_SCENARIO))[0]
    signed = {track.name: track for track in tracks(case)}
    world = drawn(case, [*signed.values()], range(ELEMENTS))
    for name, terms in TERMS.items():
        yield _compared(signed[name], world, terms)


def _compared(track: Track, world: xr.Dataset, terms: Terms) -> Compared:
    statement, bare_lines = settle(track, world), bare(world, terms)
    gaps = [_gap(statement[line], found) for line, found in bare_lines.items()]
    ways = partial(settle, track, world), partial(bare, world, terms)
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for way, seconds in zip(ways, times, strict=True):
            start = time.thread_time()
            way()
            seconds.append(time.thread_time() - start)
    ours, theirs = map(statistics.median, times)
    return Compared(track.name, ours, theirs, max(gaps), len(gaps))


def _gap(line: xr.DataArray, found: np.ndarray) -> float:
    own = line.isel(year=0).transpose("trial", "aco", ...).values
    # Where two amounts nearly cancel, their last digits are all that is left.
    size = np.maximum(np.abs(own), 1e-3 * np.abs(own).max())
    gap = np.abs(own - np.broadcast_to(found, own.shape))
    return float((gap / np.maximum(size, 1e-9)).max())


def bare(world: xr.Dataset, terms: Terms) -> Lines:
    """Return the lines of the worksheet, (trial, aco) or (trial, aco, segment)."""
    of = {int(year): place for place, year in enumerate(world.year.values)}
    made = _history(world, of)
    made |= _update(world, of, made)
    return made | _shares(world, of, made, terms)


def _history(world: xr.Dataset, of: dict[int, int]) -> Lines:
    """Return the historical benchmark: base years trended, the region, as published."""
    spent, risk = world.truncated_expenditure_ppy.values, world.risk_score.values
    nation, region = world.national_ppy.values[:, :, None], world.regional_ppy.values
    people, last = world.person_years.values[of[2018]], of[2018]
    assigned = world.assigned_share.values[last]
    mix = people / people.sum(axis=-1, keepdims=True)
    trended = 0.0
    for year, weight in ((2016, 1 / 3), (2017, 1 / 3), (2018, 1 / 3)):
        at = of[year]
        of_nation, of_region = nation[:, last] / nation[:, at], region[:, last] / region[:, at]
        trend = assigned * of_nation + (1.0 - assigned) * of_region
        carried = spent[:, at] * trend * (risk[:, last] / risk[:, at])
        trended = trended + weight * carried
    at_risk = region[:, last] * risk[:, last]
    gap = at_risk - trended
    total_gap = (gap * mix).sum(axis=-1)
    weight = np.where(total_gap < 0.0, 0.25, 0.5)
    uncapped = weight[..., None] * gap
    cap = 0.05 * nation[:, last]
    within = np.minimum(np.maximum(uncapped, -cap), cap)
    adjustment = np.where(within >= 0.0, within, within * 1.0)
    total = (adjustment * mix).sum(axis=-1)
    scale = world.published_benchmark_ppy.values / (trended * mix).sum(axis=-1)
    chosen = trended * (scale[..., None] - 1.0)
    historical = trended + chosen
    return {
        "trended_benchmark_ppy": trended,
        "regional_at_risk_ppy": at_risk,
        "regional_difference_ppy": gap,
        "weighted_regional_difference_ppy": total_gap,
        "regional_weight_share": weight,
        "uncapped_regional_adjustment_ppy": uncapped,
        "regional_adjustment_ppy": adjustment,
        "total_regional_adjustment_ppy": total,
        "adjustment_ppy": chosen,
        "historical_benchmark_ppy": historical,
        "total_historical_benchmark_ppy": (historical * mix).sum(axis=-1),
    }


def _update(world: xr.Dataset, of: dict[int, int], made: Lines) -> Lines:
    """Return what growth and risk make of it, and what was spent."""
    last, now = of[2018], of[2022]
    risk, region = world.risk_score.values, world.regional_ppy.values
    nation = world.national_ppy.values[:, :, None]
    people, assigned = world.person_years.values[now], world.assigned_share.values[now]
    mix, heads = people / people.sum(axis=-1, keepdims=True), people.sum(axis=-1)
    growth = risk[:, now] / risk[:, last]
    capped = np.minimum(growth, 1.03)
    update = assigned * (nation[:, now] / nation[:, last])
    update = update + (1.0 - assigned) * (region[:, now] / region[:, last])
    updated = made["historical_benchmark_ppy"] * (capped * update)
    total = (updated * mix).sum(axis=-1)
    spent = (world.truncated_expenditure_ppy.values[:, now] * mix).sum(axis=-1)
    benchmark, cost = total * heads, spent * heads
    gross = benchmark - cost
    return {
        "risk_growth_factor": growth,
        "risk_ratio_factor": capped,
        "two_way_factor": update,
        "update_factor": update,
        "updated_benchmark_ppy": updated,
        "total_updated_benchmark_ppy": total,
        "total_expenditure_ppy": spent,
        "guardrail_usd": np.zeros_like(benchmark),
        "benchmark_usd": benchmark,
        "expenditure_usd": cost,
        "gross_savings_usd": gross,
        "savings_share": gross / benchmark,
        "minimum_savings_usd": 0.01 * benchmark,
        "minimum_losses_usd": 0.01 * benchmark,
    }


def _shares(world: xr.Dataset, of: dict[int, int], made: Lines, terms: Terms) -> Lines:
    """Return what is shared of savings and losses, limits and relief, and the settlement."""
    now, benchmark, gross = of[2022], made["benchmark_usd"], made["gross_savings_usd"]
    score, revenue = world.quality_score.values[:, now], world.revenue_usd.values[:, now]
    affected = world.affected_people_share.values[:, now]
    quality = np.where(affected >= 0.2, np.maximum(score, 0.7063), score)
    met = np.where((quality >= 0.7063) | True, 1.0, 0.0)
    gains, losses = np.maximum(gross, 0.0), np.maximum(-gross, 0.0)
    full = terms.sharing * met
    rate = np.maximum(1.0 - terms.quality_in_losses * quality, terms.loss_floor)
    rate = np.where(met > 0.0, np.minimum(rate, terms.loss_ceiling), terms.loss_ceiling)
    share = np.where((gains >= made["minimum_savings_usd"]) & (gains > 0.0), full, 0.0)
    owed = rate * ((losses >= made["minimum_losses_usd"]) & (losses > 0.0))
    earned = gains * share
    sequestered = 0.0 - 0.02 * earned
    limit = terms.payment_limit * benchmark
    over = np.minimum(limit - (earned + sequestered), 0.0)
    loss, most = losses * owed, terms.limit_of_benchmark * benchmark
    most = np.minimum(terms.limit_of_revenue * revenue, most)
    beyond = np.minimum(most - loss, 0.0)
    relieved = (loss + beyond) * np.minimum(1.0 + world.circumstances_share.values[:, now], 1.0)
    left = (loss + beyond - relieved) * 0.0
    settled = earned + sequestered + over - loss - beyond + relieved + left
    surety = np.minimum(0.01 * made["expenditure_usd"], terms.surety_of_revenue * revenue)
    return {
        "final_quality_score": quality,
        "quality_share": met,
        "full_sharing_share": full,
        "full_loss_share": rate,
        "sharing_share": share,
        "loss_share": owed,
        "shared_savings_usd": earned,
        "sequestration_usd": sequestered,
        "payment_limit_usd": limit,
        "over_limit_usd": over,
        "shared_losses_usd": 0.0 - loss,
        "loss_limit_usd": most,
        "loss_limit_relief_usd": 0.0 - beyond,
        "circumstances_relief_usd": relieved,
        "termination_relief_usd": left,
        "unshared_usd": gross - (earned - loss),
        "settlement_usd": settled,
        "aip_recoupment_usd": 0.0 - np.minimum(np.maximum(settled, 0.0), 0.0),
        "payment_usd": settled + (0.0 - np.minimum(np.maximum(settled, 0.0), 0.0)),
        "repayment_mechanism_usd": surety,
    }


def told(one: Compared) -> str:
    """Return a comparison as a line of text."""
    return (
        f"{one.contract:10} {1e3 * one.seconds:8.1f} ms, bare NumPy "
        f"{1e3 * one.bare_seconds:8.1f} ms: {one.ratio:.2f} times as long; {one.lines} lines "
        f"of {ELEMENTS:,} elements agree to {one.gap:.0e}"
    )


if __name__ == "__main__":
    for found in compared():
        print(told(found))
