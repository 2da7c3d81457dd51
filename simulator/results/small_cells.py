"""Whose figures by segment are withheld where a run is shown or handed on: small cells."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

import xarray as xr

from simulator.errors import SimulatorError
from simulator.population.suppression import small
from simulator.scenario.schema import Aco, Case, Segment

__all__ = ["few", "refuse_what_tells", "told", "withheld"]


def few(every: Iterable[Case]) -> tuple[str, ...]:
    """Return the ACOs that have a segment of 1 to 10 people, in any year and case of a run.

    Any two lines by segment and a total of theirs give the count away (CMS's cell size
    suppression policy), so that all of them are withheld, in every year. People are judged as
    projected: whom a trial draws is nobody.
    """
    found = {
        name: None
        for case in every
        for name, aco in case.scenario.population.items()
        if any(map(small, _counts(aco, case.scenario.years)))
    }
    return tuple(found)


def refuse_what_tells(every: Sequence[Case], names: Collection[str]) -> None:
    """Raise SimulatorError for a run whose totals would give a count of these ACOs away.

    Of an ACO with fewer than 11 people in all a total is the count, and of a sweep of people the
    totals of two cases differ by it.
    """
    swept = [path for path in every[0].swept if path.startswith("population.")]
    if swept:
        raise SimulatorError(
            f"{told(names)}, and cases that differ in {swept[0]} would give them away; allowed is "
            "a run of one case, or of a sweep of what is not of the population"
        )
    for case in every:
        for name in names:
            if any(map(small, _totals(case.scenario.population[name], case.scenario.years))):
                raise SimulatorError(
                    f"{name} has fewer than 11 people in a year; nothing of it may be handed on"
                )


def _counts(aco: Aco, years: Sequence[int]) -> Iterator[float]:
    for segment in aco.segments.values():
        yield from (people for _, people in _by_year(segment, max(years)))


def _totals(aco: Aco, years: Sequence[int]) -> Iterable[float]:
    """Return an ACO's people of all segments, year by year."""
    found = defaultdict[int, float](float)
    for segment in aco.segments.values():
        for year, people in _by_year(segment, max(years)):
            found[year] += people
    return found.values()


def _by_year(segment: Segment, last: int) -> Iterator[tuple[int, float]]:
    """Yield an ACO's people of a segment as given, and as they grow in years not given."""
    given = segment.person_years
    people = 0.0
    for year in range(min(given, default=last), max([*given, last]) + 1):
        people = given.get(year, people * (1.0 + segment.growth_share))
        yield year, people


def told(names: Collection[str]) -> str:
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
    return lines.assign(hidden)
