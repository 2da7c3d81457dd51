"""What moves everybody: the nation's spending, and each region's against the nation."""

from collections.abc import Collection

import numpy as np

from simulator.sampling import claims
from simulator.sampling.block import Arrays, Block, mean_one, total, walked
from simulator.sampling.membership import Roster
from simulator.units import Ratio

__all__ = ["draw", "levels", "national", "regional"]

_FIXED = ("uspcc_ppy", "rate_book_ppy", "geographic_factor")


def national(block: Block) -> np.ndarray:
    """Return the market's factor on what is expected, mean one: (trial, year).

    One draw a year, shared by all ACOs and enrolment types. After the last year that the market
    gives, errors add up from year to year; a year that it gives has an error of its own, unless
    it lies before the first performance year and is history.
    """
    last = int(block.people.last_given_year)
    # min: a given year's span is that year alone
    spans = [range(min(last + 1, year), year + 1) for year in block.years]
    scores = walked(block, "market/trend", "national", spans)
    moved = mean_one(scores, block.experience.trend.sd, np.array([len(span) for span in spans]))
    moved[:, ~_moves(block)[block.simulated]] = 1.0
    return moved


def _moves(block: Block) -> np.ndarray:
    """Return in which years the nation is drawn: (year,)."""
    beyond = block.people.year.values > int(block.people.last_given_year)
    return block.ahead | block.based.any(axis=1) | beyond


def regional(block: Block) -> np.ndarray:
    """Return each ACO's region against the market, mean one: (trial, year, aco).

    Errors add up from the last base year; ACOs of one region share them.
    """
    out = block.room(filled=1.0)
    sd = block.experience.trend.regional_sd
    for i, region in enumerate(block.people.region.values):
        walk = block.walk("market/region", str(region), i)
        out[:, :, i] = mean_one(walk.scores, sd, walk.counts)
    return out


def draw(
    block: Block, nation: np.ndarray, region: np.ndarray, roster: Roster | None = None
) -> Arrays:
    """Return what the market moves: national_ppy, regional_ppy and revenue_usd.

    Revenue moves with the people too, where a roster is drawn.
    """
    people, factor = block.people, nation[:, :, None] * region
    levels = {
        "national_ppy": (nation[:, :, None], _moves(block)),
        "regional_ppy": (factor[..., None], block.drawn),
        "revenue_usd": (factor * _people(block, roster), block.drawn),
    }
    return {
        name: (
            ("trial", *map(str, people[name].dims)),
            block.whole(people[name].values, block.expected(name) * moved, where),
        )
        for name, (moved, where) in levels.items()
    }


def _people(block: Block, roster: Roster | None) -> Ratio:
    """Return person-years over those expected: (trial, year, aco), or one."""
    if roster is None:
        return 1.0
    expected = total(block.expected("person_years"))
    return total(roster.person_years) / np.where(expected > 0.0, expected, 1.0)


def levels(block: Block, nation: np.ndarray, region: np.ndarray, needs: Collection[str]) -> Arrays:
    """Return the levels by benchmark category that `needs` names.

    The USPCC, the rate book and the geographic factors are set before the year, so nothing moves
    them; what the reference population turns out to cost moves with the nation, the region's
    level before truncation with nation and region.

    Parameters
    ----------
    nation : (trial, year), of the years drawn
    region : (trial, year, aco), of the years drawn
    needs : names of variables of a world
    """
    people = block.people
    arrays: Arrays = {
        name: (tuple(map(str, people[name].dims)), people[name].values)
        for name in _FIXED
        if name in needs
    }
    if "reference_ppy" in needs:
        moved = block.expected("reference_ppy") * nation[:, :, None]
        base = block.whole(people.reference_ppy.values, moved, _moves(block))
        arrays["reference_ppy"] = ("trial", "year", "segment"), base
    if "untruncated_regional_ppy" in needs:
        arrays["untruncated_regional_ppy"] = _region(block, nation[:, :, None] * region)
    if "coding_intensity_factor" in needs:
        arrays["coding_intensity_factor"] = _coding_intensity(block)
    return arrays


def _region(block: Block, factor: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
    expected = claims.whole(block, block.people.regional_ppy.values)
    if "untruncated_regional_ppy" in block.people:
        known = block.people.untruncated_regional_ppy.values
        expected = np.where(np.isfinite(known), known, expected)
    moved = expected[block.simulated] * factor[..., None]
    dims = ("trial", *map(str, block.people.regional_ppy.dims))
    return dims, block.whole(expected, moved, block.drawn)


def _coding_intensity(block: Block) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the coding intensity factor: one draw a performance year and enrolment type or not.

    Everybody shares it; people of end-stage renal disease have one of their own.
    """
    sd, given = block.experience.risk_scores.coding_intensity_sd, block.people
    expected = block.expected("coding_intensity_factor")
    drawn = np.broadcast_to(expected, (len(block.trials), *expected.shape)).copy()
    for j, kind in enumerate(block.entitlements) if sd else ():
        group = "esrd" if kind == "esrd" else "others"
        spans = [range(year, year + 1) for year in block.years]
        drawn[:, :, j] *= mean_one(walked(block, "market/coding", group, spans), sd)
    values = given.coding_intensity_factor.values
    return ("trial", "year", "segment"), block.whole(values, drawn, block.ahead)
