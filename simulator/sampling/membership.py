"""Who is counted in each year: as projected, or drawn around it where the scenario gives spreads.

A roster changes as a whole (growth), by enrolment type (mix), person by person (turnover), when a
participant group leaves with its people, and within the year: who dies, comes or leaves is there
for some of its months. People assigned prospectively are known when the year begins, so that a
year's changes count from the next one on; retrospective assignment counts them at once.
"""

from typing import NamedTuple

import numpy as np

from simulator.sampling.block import Arrays, Block, mean_one, total, walked
from simulator.sampling.quantiles import binomial

__all__ = ["Part", "Roster", "draw", "parts", "roster"]

_PROJECTED = (
    "person_years",
    "persons",
    "assigned_share",
    "prospective_factor",
    "prior_savings_ppy",
    "reconciled_person_years",
    "published_benchmark_ppy",
    "deprivation_share",
    "rate_book_phase_share",
)
_MONTHS = 12.0


class Part(NamedTuple):
    """People who are there for the same part of the year: of all, how many; how long; what cost.

    The first part of every segment is there all year, and has no name.
    """

    name: str
    share: float
    exposure: float
    spending: float


class Roster(NamedTuple):
    """Who is there, of the years drawn.

    person_years : (trial, year, aco, segment)
    counts : people by part of the year, each (trial, year, aco, segment)
    spending : what those who are left cost against all, (trial, year, aco)
    """

    person_years: np.ndarray
    counts: tuple[np.ndarray, ...]
    spending: np.ndarray


def parts(block: Block, segment: int) -> tuple[Part, ...]:
    """Return the parts of the year for which a segment's people are there."""
    kind = block.entitlements[segment]
    some = [
        Part(name, shares.get(kind, 0.0), law.months / _MONTHS, law.spending_factor)
        for name, law in block.experience.severity.partial_years.items()
        for shares in ({str(held): share for held, share in law.share.items()},)
    ]
    return Part("", 1.0 - sum(part.share for part in some), 1.0, 1.0), *some


def roster(block: Block) -> Roster | None:
    """Return who is there in each trial, or None where that is as projected."""
    law = block.experience.membership
    still = not (law.growth_sd or law.mix_sd or law.turnover or law.departures)
    if still and not block.experience.severity.partial_years:
        return None
    factor = _moved(block)
    left, spending = _departed(block)
    expected = block.expected("person_years") * factor * left[..., None]
    return _within_the_year(block, expected, spending)


def draw(block: Block, found: Roster | None) -> Arrays:
    """Return counts, shares and published figures: as projected, but for the roster drawn."""
    people = block.people
    names = [name for name in _PROJECTED if name in people]
    arrays: Arrays = {
        name: (tuple(map(str, people[name].dims)), people[name].values) for name in names
    }
    arrays |= _participation(block)
    if found is None:
        return arrays
    expected = block.expected("person_years")
    by_segment = found.person_years / np.where(expected > 0.0, expected, 1.0)
    in_all = total(expected)
    heads = total(found.person_years) / np.where(in_all > 0.0, in_all, 1.0)
    share = np.minimum(block.expected("assigned_share") * by_segment, 1.0)
    moved = {
        "person_years": found.person_years,
        "persons": block.expected("persons") * heads,
        "assigned_share": share,
    }
    for name, values in moved.items():
        dims = ("trial", *map(str, people[name].dims))
        arrays[name] = dims, block.whole(people[name].values, values, block.ahead)
    return arrays


def _moved(block: Block) -> np.ndarray:
    """Return what growth, mix and turnover make of the roster: (trial, year, aco, segment)."""
    law, years = block.experience.membership, np.array(block.years)
    first = int(block.people.year.values[block.ahead][0])
    churn, people = block.people.churn_share.values, block.expected("person_years")
    out = block.room(len(block.segments), filled=1.0)
    for i, aco in enumerate(block.acos):
        begin = first + int(block.people.assignment.values[i] == "prospective")
        spans = [range(begin, year + 1) for year in block.years]
        counts = np.maximum(years + 1 - begin, 0)
        grown = walked(block, "membership/growth", aco, spans) if law.growth_sd else 0.0
        out[:, :, i] *= mean_one(grown, law.growth_sd, counts)[..., None]
        for j, segment in enumerate(block.segments):
            comes_and_goes = 2.0 * churn[i, j] / np.maximum(people[:, i, j], 1.0)
            sd = np.sqrt(law.mix_sd**2 + law.turnover * comes_and_goes)
            if sd.any():
                mixed = walked(block, "membership/mix", f"{aco}/{segment}", spans)
                out[:, :, i, j] *= mean_one(mixed, sd, counts)
    return out


def _departed(block: Block) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of people left, and what they cost against all: two (trial, year, aco)."""
    left, spending = block.room(filled=1.0), block.room(filled=1.0)
    for name, law in block.experience.membership.departures.items():
        for i in (i for i, aco in enumerate(block.acos) if aco == law.aco):
            goes = block.streams.uniform("membership/departure", f"{law.aco}/{name}", block.trials)
            gone = (goes < law.chance)[:, None] & (np.array(block.years) >= law.year)
            stays = np.maximum(1.0 - law.share * law.spending_factor, 0.0) / (1.0 - law.share)
            left[:, :, i] *= np.where(gone, 1.0 - law.share, 1.0)
            spending[:, :, i] *= np.where(gone, stays, 1.0)
    return left, spending


def _within_the_year(block: Block, expected: np.ndarray, spending: np.ndarray) -> Roster:
    """Return the roster whose people are there in parts of the year, drawn one by one."""
    by_segment = [parts(block, j) for j in range(len(block.segments))]
    counts = tuple(np.zeros_like(expected) for _ in by_segment[0])
    lived = np.zeros_like(expected)
    for j, held in enumerate(by_segment):
        usual = sum(part.share * part.exposure for part in held)
        people = np.rint(expected[..., j] / usual)
        people = np.maximum(people, 1.0) * (expected[..., j] > 0.0)
        for count, drawn in zip(counts, _divided(block, people, held, j), strict=True):
            count[..., j] = drawn
        months = sum(
            part.exposure * count[..., j] for part, count in zip(held, counts, strict=True)
        )
        lived[..., j] = expected[..., j] * months / np.maximum(people * usual, 1e-12)
    return Roster(lived, counts, spending)


def _divided(
    block: Block, people: np.ndarray, held: tuple[Part, ...], segment: int
) -> list[np.ndarray]:
    """Return how many people are there for each part of the year, (trial, year, aco) each."""
    rest, left, drawn = people.copy(), 1.0, []
    for part in held[1:]:
        found = np.zeros_like(people)
        for y, i in np.ndindex(people.shape[1:]) if part.share else ():
            who = f"{block.acos[i]}/{block.years[y]}/{block.segments[segment]}/{part.name}"
            u = block.streams.uniform("membership/part", who, block.trials)
            found[:, y, i] = binomial(u, rest[:, y, i], part.share / left)
        drawn.append(found)
        rest, left = rest - found, left - part.share
    return [rest, *drawn]


def _participation(block: Block) -> Arrays:
    """Return participation_share: 1, months over twelve in the year an ACO leaves, 0 after it.

    There is none where no ACO can leave early.
    """
    people = block.people
    if "termination_chance" not in people:
        return {}
    stayed = block.room(filled=1.0)
    for i, aco in enumerate(block.acos):
        here = np.ones(len(block.trials))
        for y, year in enumerate(block.years):
            chance = float(people.termination_chance.sel(year=year, aco=aco))
            left = block.streams.uniform("termination", f"{aco}/{year}", block.trials) < chance
            stayed[:, y, i] = here * np.where(left, _months(block, aco, year) / _MONTHS, 1.0)
            here *= ~left
    whole = block.whole(np.ones(people.persons.shape), stayed, block.ahead)
    return {"participation_share": (("trial", "year", "aco"), whole)}


def _months(block: Block, aco: str, year: int) -> np.ndarray:
    """Return how many months of its last year an ACO stays: as given, else any from 1 to 12."""
    given = float(block.people.termination_month.sel(aco=aco))
    if given > 0.0:
        return np.full(len(block.trials), given)
    drawn = block.streams.uniform("termination/month", f"{aco}/{year}", block.trials)
    return np.floor(_MONTHS * drawn) + 1.0
