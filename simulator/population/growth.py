"""National levels of base years that nobody publishes, by the growth of the ACOs of a file."""

from collections.abc import Mapping
from itertools import pairwise
from typing import get_args

import numpy as np

from simulator.population.columns import YEARS
from simulator.population.published import Published
from simulator.scenario.schema import Entitlement

__all__ = ["Levels", "levels"]

Levels = Mapping[str, Mapping[int, float]]

_BASE = YEARS[:3]


def levels(published: Published, known: Levels) -> Levels:
    """Return levels by enrolment type and base year: as known, else carried from the nearest.

    They are carried with the growth, from one base year to the next, of what the file's ACOs
    cost per capita, each type weighted by its person-years in the last base year. A level that
    no chain of growths reaches is left out.
    """
    found = {}
    for kind in get_args(Entitlement):
        growths, by_year = _growths(published, kind), dict(known.get(kind, {}))
        for year in sorted(growths):
            if year not in by_year and year - 1 in by_year:
                by_year[year] = by_year[year - 1] * growths[year]
        for year in sorted(growths, reverse=True):
            if year - 1 not in by_year and year in by_year:
                by_year[year - 1] = by_year[year] / growths[year]
        found[kind] = {year: round(level, 2) for year, level in sorted(by_year.items())}
    return found


def _growths(published: Published, kind: str) -> dict[int, float]:
    """Return growth into each base year, over all agreements that have it as a second or third."""
    people = published.figures(f"person_years.{kind}.BY3")
    totals: dict[int, np.ndarray] = {}
    for back, (earlier, later) in zip((2, 1), pairwise(_BASE), strict=True):
        years = published.starts - back
        spent = [published.figures(f"expenditure_ppy.{kind}.{year}") for year in (earlier, later)]
        whole = np.isfinite(people * spent[0] * spent[1] * years)
        for year in np.unique(years[whole]):
            rows = whole & (years == year)
            pair = np.array([(people * side)[rows].sum() for side in spent])
            totals[int(year)] = totals.get(int(year), 0.0) + pair
    return {year: float(pair[1] / pair[0]) for year, pair in totals.items() if pair[0] > 0.0}
