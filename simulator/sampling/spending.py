"""What people cost: the market, the ACO's own deviation, its effect, and the noise of claims."""

from collections.abc import Collection
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from simulator.errors import ScenarioError
from simulator.sampling import aggregate
from simulator.sampling.block import Arrays, Block, mean_one, walked
from simulator.sampling.quantiles import normal
from simulator.sampling.severity import DEFAULTS, FAMILIES, Severity

__all__ = ["NAMES", "Claims", "Deviation", "claims", "deviation", "draw", "effect"]

_DIMS = ("trial", "year", "aco", "segment")
_WHOLE = frozenset({"expenditure_ppy", "counterfactual_ppy"})
_WITH_EFFECT = frozenset({"expenditure_ppy", "truncated_expenditure_ppy"})
NAMES = _WHOLE | _WITH_EFFECT | {"truncated_counterfactual_ppy"}


class Deviation(NamedTuple):
    """An ACO's own deviation: its factor on what is expected, and the normal score behind it."""

    factor: np.ndarray
    score: np.ndarray


class Claims(NamedTuple):
    """Spending up to and above the thresholds: (trial, year, aco, segment), USD a person-year."""

    truncated: np.ndarray
    excess: np.ndarray


def deviation(block: Block) -> Deviation:
    """Return each ACO's deviation: (trial, year, aco), the factor with mean ``1 + mean``.

    A persistent part of `sd`, and a change of `change_sd` for each year after the last base year.
    """
    law = block.experience.deviation
    factor, score = np.empty(block.shape), np.empty(block.shape)
    for i, aco in enumerate(block.acos):
        spans = block.since_base(i)
        counts = np.array([len(span) for span in spans])
        lasting = block.streams.normal("deviation", aco, block.trials)[:, None]
        changes = walked(block, "deviation/change", aco, spans)
        moved = mean_one(lasting, law.sd) * mean_one(changes, law.change_sd, counts)
        factor[:, :, i] = (1.0 + law.mean) * moved
        total = np.sqrt(law.sd**2 + counts * law.change_sd**2)
        mixed = law.sd * lasting + law.change_sd * changes
        score[:, :, i] = mixed / np.maximum(total, 1e-12) + lasting * (total == 0.0)
    return Deviation(factor, score)


def effect(block: Block) -> np.ndarray:
    """Return what care management leaves of expenditure: (trial, year, aco).

    One draw an ACO serves all years; it is ramped up from the first year simulated.
    """
    law = block.experience.effect
    elapsed = np.array(block.years) - block.years[0] + 1.0
    ramp = np.minimum(elapsed / max(law.ramp_years, 1.0), 1.0)
    out = np.empty(block.shape)
    for i, aco in enumerate(block.acos):
        saved = normal(block.streams.uniform("effect", aco, block.trials), law.mean, law.sd)
        out[:, :, i] = np.maximum(1.0 - saved[:, None] * ramp, 0.0)
    return out


def claims(block: Block) -> Claims:
    """Return claims at the expected level, whose mean is the expectation itself.

    As many persons as person-years, to the nearest one and at least one; their severity is scaled
    so that its mean, truncated at the threshold, is the expected truncated per capita. Where
    nobody is, nothing is spent above the threshold.
    """
    shape = (*block.shape, len(block.segments))
    people, level = block.expected("person_years"), block.expected("expenditure_ppy")
    points, law = _points(block)[block.performance], block.experience.severity
    found = Claims(np.broadcast_to(level, shape).copy(), np.zeros(shape))
    for y, i, j in np.argwhere(people > 0.0).tolist():
        persons = max(round(float(people[y, i, j])), 1)
        severity = _scaled(_shape(block, j), float(level[y, i, j]), float(points[y, j]))
        cell = aggregate.Cell(persons, severity, float(points[y, j]))
        who = f"{block.acos[i]}/{block.years[y]}/{block.segments[j]}"
        below, above = _totals(block, cell, who) if law.noise else cell.means
        found.truncated[:, y, i, j], found.excess[:, y, i, j] = below / persons, above / persons
    return found


def _totals(block: Block, cell: aggregate.Cell, who: str) -> tuple[np.ndarray, np.ndarray]:
    # A book for each segment, so that another segment changes no draw.
    uniforms = block.streams.uniform(aggregate.STREAM, who, block.trials, (1, 3))
    below, above = aggregate.totals(aggregate.book([cell]), uniforms)
    return below[:, 0], above[:, 0]


def draw(block: Block, factor: np.ndarray, kept: np.ndarray, needs: Collection[str]) -> Arrays:
    """Return spending with and without the effect, truncated and whole, where `needs` names it.

    Market, region, deviation and effect move spending below and above the thresholds alike: CMS
    computes the thresholds anew each year as percentiles, so they move with the market.

    Parameters
    ----------
    factor : (trial, year, aco), market, region and deviation on what is expected
    kept : (trial, year, aco), what the ACO's effect leaves of expenditure
    needs : names, of which those in NAMES are drawn
    """
    drawn = claims(block)
    given = block.people.expenditure_ppy.values
    arrays: Arrays = {}
    for name in sorted(NAMES & set(needs)):
        moved = factor * kept if name in _WITH_EFFECT else factor
        spent = drawn.truncated + drawn.excess if name in _WHOLE else drawn.truncated
        base = given + _base_excess(block) if name in _WHOLE else given
        arrays[name] = _DIMS, block.whole(base, moved[..., None] * spent)
    return arrays


def _base_excess(block: Block) -> np.ndarray:
    """Return what base years are expected to cost above the thresholds: (year, aco, segment)."""
    level, points = block.people.expenditure_ppy.values, _points(block)
    out = np.zeros(level.shape)
    for y, i, j in np.argwhere((level > 0.0) & ~block.performance[:, None, None]).tolist():
        severity = _scaled(_shape(block, j), float(level[y, i, j]), float(points[y, j]))
        out[y, i, j] = severity.mean - level[y, i, j]
    return out


def _points(block: Block) -> np.ndarray:
    """Return the truncation points: (year, segment), USD; infinity where nothing is cut."""
    points = block.people.truncation_usd.values
    return points if block.experience.severity.truncated else np.full(points.shape, np.inf)


def _shape(block: Block, segment: int) -> Severity:
    """Return the severity of a segment at mean one: as the scenario says, else the default."""
    law = block.experience.severity
    kind = str(block.people.entitlement.values[segment])
    usual = DEFAULTS["high_needs" if block.people.high_needs.values[segment] else kind]
    by_kind = {str(name): cv for name, cv in law.cv.items()}
    zeros = {str(name): share for name, share in law.zero_share.items()}
    return _standard(law.family, by_kind.get(kind, usual.cv), zeros.get(kind, usual.p_zero))


@lru_cache(maxsize=256)
def _standard(family: str, cv: float, p_zero: float) -> Severity:
    if family not in FAMILIES:
        allowed = ", ".join(sorted(FAMILIES))
        raise ScenarioError(f"experience.severity.family: is {family!r}; allowed is {allowed}")
    return FAMILIES[family](1.0, cv, p_zero)


@lru_cache(maxsize=65_536)
def _scaled(shape: Severity, level: float, point: float) -> Severity:
    if point == np.inf:
        return shape.scaled_to(level)
    return shape.from_truncated_mean(level, point)
