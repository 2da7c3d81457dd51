"""Whose figures by segment are withheld where a run is shown or handed on: small cells."""

from collections.abc import Collection, Iterator, Sequence

import xarray as xr

from simulator.population.suppression import small
from simulator.scenario.schema import Aco, Scenario, Segment
from simulator.scenario.sweep import cases

__all__ = ["few", "told", "withheld"]


def few(scenario: Scenario) -> tuple[str, ...]:
    """Return the ACOs that have a segment of 1 to 10 people, in any year and case of a run.

    Any two lines by segment and a total of theirs give the count away (CMS's cell size
    suppression policy), so that all of them are withheld, in every year.
    """
    found = {
        name: None
        for case in cases(scenario)
        for name, aco in case.scenario.population.items()
        if any(map(small, _counts(aco, scenario.years)))
    }
    return tuple(found)


def _counts(aco: Aco, years: Sequence[int]) -> Iterator[float]:
    for segment in aco.segments.values():
        yield from _by_year(segment, max(years))


def _by_year(segment: Segment, last: int) -> Iterator[float]:
    """Yield an ACO's people of a segment as given, and as they grow in years not given."""
    given = segment.person_years
    people = 0.0
    for year in range(min(given, default=last), max(*given, last) + 1):
        people = given.get(year, people * (1.0 + segment.growth_share))
        yield people


def told(names: Sequence[str]) -> str:
    """Return why figures are withheld, in a sentence.

    >>> told(["lakeside", "covenant"])
    'lakeside, covenant: a segment of 1 to 10 people; figures by segment are withheld'
    """
    return f"{', '.join(names)}: a segment of 1 to 10 people; figures by segment are withheld"


def withheld(lines: xr.Dataset, names: Collection[str]) -> xr.Dataset:
    """Return lines in which nothing by segment of these ACOs is a number."""
    shown = ~lines["aco"].isin([*names])
    hidden = {
        name: line.where(shown) for name, line in lines.data_vars.items() if "segment" in line.dims
    }
    return lines.assign(hidden) if names else lines
