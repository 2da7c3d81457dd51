"""An ACO's region, from county tables and where its assigned people live (425.601, 425.652)."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np

from simulator.errors import ScenarioError
from simulator.loading import near
from simulator.population.tables import Row, read
from simulator.scenario.schema import Aco, Entitlement, Segment
from simulator.units import PersonYears, Ratio, Share, UsdPpy

__all__ = [
    "Counties",
    "County",
    "Region",
    "assigned_share",
    "growth",
    "placed",
    "region",
    "tables",
]

# Enrolment types as CMS's county files name them.
_TYPES: Mapping[Entitlement, str] = {
    "esrd": "ESRD",
    "disabled": "DISABLED",
    "aged_dual": "AGED/DUAL",
    "aged_nondual": "AGED/NON-DUAL",
}
_PLACE = ("Year", "State Name", "County Name", "State ID", "County ID")


class County(NamedTuple):
    """One enrolment type in one county and year: per capita, risk score and assignable people."""

    expenditure_ppy: float
    risk_score: float
    person_years: float
    place: str


class Region(NamedTuple):
    """One enrolment type of an ACO's region in one year."""

    regional_ppy: float
    assigned_share: float


class _Key(NamedTuple):
    county: str
    entitlement: str
    year: int


Counties: TypeAlias = Mapping[_Key, County]
_People: TypeAlias = Mapping[str, Mapping[Entitlement, float]]


def assigned_share(assigned: PersonYears, assignable: PersonYears) -> Share:
    """Return the weight of national growth: ``sum(share_c * assigned_c / assignable_c)``.

    ``share_c`` is the part of the ACO's people who live in county c.

    >>> round(float(assigned_share(np.array([9_000, 2_000]), np.array([10_000, 12_000]))), 3)
    0.767
    """
    return (assigned / assigned.sum() * (assigned / assignable)).sum()


def regional_ppy(assigned: PersonYears, expenditure_ppy: UsdPpy, risk_score: Ratio) -> UsdPpy:
    """Return the risk-standardised per capita of a region, counties weighted by assigned people.

    >>> counties = np.array([9_000.0, 12_000.0]), np.array([0.9, 1.2])
    >>> float(regional_ppy(np.array([300.0, 100.0]), *counties))
    10000.0
    """
    return (assigned / assigned.sum() * (expenditure_ppy / risk_score)).sum()


def growth(regions: Mapping[int, Region], later: int, earlier: int) -> float:
    """Return the growth of the regional per capita between two years.

    >>> years = {2021: Region(10_000.0, 0.1), 2022: Region(10_500.0, 0.1)}
    >>> growth(years, 2022, 2021)
    1.05
    """
    return regions[later].regional_ppy / regions[earlier].regional_ppy


def tables(names: Sequence[str], folder: Path) -> dict[_Key, County]:
    """Return what CMS's county files say, by county (its name and its number), type and year."""
    found: dict[_Key, County] = {}
    mistakes: list[str] = []
    for name in names:
        for row in read(name, folder, _columns()):
            try:
                found |= dict(_counties(row))
            except ScenarioError as error:
                mistakes += error.messages
    if mistakes:
        raise ScenarioError(mistakes)
    return found


def _columns() -> list[str]:
    figures = [column for kind in _TYPES.values() for column in _figures(kind)]
    return [*_PLACE, *figures]


def _figures(kind: str) -> tuple[str, str, str]:
    return (
        f"Per capita {kind} expenditures",
        f"Average {kind} HCC risk score",
        f"{kind} person-years",
    )


def _counties(row: Row) -> Iterator[tuple[_Key, County]]:
    year, state, county, *numbers = (row.text(column) for column in _PLACE)
    if not (year.isdigit() and len(year) == len("2000")):
        raise ScenarioError(row.mistake("Year", f"is {year!r}; must be a calendar year"))
    names = {
        _plain(f"{state}/{county}"),
        "-".join(number.lstrip("0") or "0" for number in numbers),
    }
    for entitlement, kind in _TYPES.items():
        spent, score, people = (row.number(column) for column in _figures(kind))
        place = f"{row.file}:{row.line}: {_figures(kind)[0]}"
        for name in names:
            yield _Key(name, entitlement, int(year)), County(spent, score, people, place)


def _plain(name: str) -> str:
    """Return a county's name as names are compared."""
    return "/".join(part.strip().casefold() for part in name.split("/"))


def region(counties: Counties, people: _People, entitlement: Entitlement, year: int) -> Region:
    """Return one enrolment type of a region in one year; every mistake in it is raised at once.

    Parameters
    ----------
    counties : as `tables` returns them
    people : assigned person-years by county (``State/County`` or ``1-10``) and enrolment type
    """
    lived = {name: kinds[entitlement] for name, kinds in people.items() if kinds.get(entitlement)}
    found = {name: counties.get(_Key(_plain(name), entitlement, year)) for name in lived}
    mistakes = [
        f"{name}: {text}"
        for name, count in lived.items()
        for text in _mistakes(found[name], count, entitlement, year)
    ]
    if mistakes:
        raise ScenarioError(mistakes)
    assigned = np.array(list(lived.values()))
    spent, score, assignable, _ = zip(*(one for one in found.values() if one), strict=True)
    return Region(
        float(regional_ppy(assigned, np.array(spent), np.array(score))),
        float(assigned_share(assigned, np.array(assignable))),
    )


def _mistakes(county: County | None, assigned: float, kind: str, year: int) -> Iterator[str]:
    if county is None:
        yield f"is not in the county tables of {year}; allowed is a county that is in each of them"
        return
    figures = county[:3]
    if not np.isfinite(figures).all():
        yield (
            f"{kind} is suppressed at {county.place}; allowed is a county with figures: with its"
            f" {kind} set to 0 the ACO's other counties stand for it"
        )
    elif not min(figures) > 0.0:
        yield f"{kind} is 0 at {county.place}; allowed is a county with figures"
    elif assigned > county.person_years:
        yield (
            f"{kind} is {assigned:,.10g} of {county.person_years:,.10g} assignable at"
            f" {county.place}; allowed is no more than those"
        )


def placed(name: str, aco: Aco, counties: Counties, folder: Path) -> Aco:
    """Return an ACO with the figures of its region by type and year; those typed in stand.

    Raises ScenarioError with every mistake, each under the ACO's own path.
    """
    if not aco.counties:
        return aco
    path = f"population.{name}.counties"
    if not counties:
        raise ScenarioError(
            f"{path}: needs market.counties, the tables with the counties' figures"
        )
    people = _people(aco.counties, folder) if isinstance(aco.counties, str) else aco.counties
    mistakes = [f"{path}.{text}" for text in _strange(people, counties)]
    parts = dict(aco.segments)
    for part, segment in () if mistakes else aco.segments.items():
        kind = next((known for known in _TYPES if known == (segment.entitlement or part)), None)
        try:
            parts[part] = _with(segment, _years(counties, people, kind) if kind else {})
        except ScenarioError as error:
            mistakes += [f"{path}.{message}" for message in error.messages]
    if mistakes:
        raise ScenarioError(mistakes)
    return aco.model_copy(update={"segments": parts, "counties": {}})


def _people(name: str, folder: Path) -> _People:
    """Return assigned person-years by county and type from a file of an ACO's own."""
    rows = read(name, folder, ("State", "County", *_TYPES))
    return {
        f"{row.text('State')}/{row.text('County')}": {
            kind: float(np.nan_to_num(row.number(kind))) for kind in _TYPES
        }
        for row in rows
    }


def _strange(people: _People, counties: Counties) -> Iterator[str]:
    known = {key.county for key in counties}
    for name in people:
        if _plain(name) not in known:
            hint = near(_plain(name), sorted(known))
            yield f"{name}: is in no table; must be State/County, or numbers such as 1-10{hint}"


def _years(counties: Counties, people: _People, kind: Entitlement) -> dict[int, Region]:
    """Return a type's region in every year of the tables; none if nobody of the type is placed."""
    if not any(kinds.get(kind) for kinds in people.values()):
        return {}
    years = sorted({key.year for key in counties})
    return {year: region(counties, people, kind, year) for year in years}


def _with(segment: Segment, regions: Mapping[int, Region]) -> Segment:
    regional = {year: one.regional_ppy for year, one in regions.items()}
    shares = {year: one.assigned_share for year, one in regions.items()}
    return segment.model_copy(
        update={
            "regional_ppy": regional | dict(segment.regional_ppy),
            "assigned_share": shares | dict(segment.assigned_share),
        }
    )
