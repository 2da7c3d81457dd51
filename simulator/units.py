"""Units as types, the few conversions between them, and the one rounding."""

from typing import Annotated, Any, NamedTuple, TypeAlias

import numpy as np

__all__ = [
    "LEAST_SHOWN",
    "UNITS",
    "Factor",
    "PersonYears",
    "Persons",
    "Ratio",
    "Score",
    "Share",
    "Unit",
    "Usd",
    "UsdPbpm",
    "UsdPpy",
    "Words",
    "counted",
    "per_month",
    "per_year",
    "round_half_away",
    "total",
]


# The least count of people, but none, that may be shown: CMS's cell size suppression policy.
LEAST_SHOWN = 11


class Words(NamedTuple):
    """The words that a reading may take."""

    allowed: tuple[str, ...]


class Unit(NamedTuple):
    """A unit of a rule's value, with the range that a sane value lies in."""

    name: str
    low: float
    high: float


UNITS = {
    unit.name: unit
    for unit in (
        Unit("share", 0.0, 1.0),
        Unit("factor", 0.0, 10.0),
        Unit("usd", -1e12, 1e12),
        Unit("ppy", 0.0, 1e6),
        Unit("pbpm", -1e5, 1e5),
        Unit("score", 0.0, 20.0),
        Unit("persons", 0.0, 1e9),
        Unit("years", 0.0, 100.0),
        Unit("months", 0.0, 12.0),
        Unit("reading", 0.0, 0.0),
    )
}

Share = Annotated[float, UNITS["share"]]
Factor = Annotated[float, UNITS["factor"]]
Persons = Annotated[float, UNITS["persons"]]

# Elementwise quantities: a float, an ndarray or a DataArray alike. `Any`, because NumPy's stubs
# do not know that a ufunc of DataArrays is a DataArray.
Usd: TypeAlias = Any
UsdPpy: TypeAlias = Any
UsdPbpm: TypeAlias = Any
Ratio: TypeAlias = Any
Score: TypeAlias = Any
PersonYears: TypeAlias = Any


def per_year(pbpm: UsdPbpm) -> UsdPpy:
    """Return dollars per person-year from dollars per beneficiary per month.

    >>> per_year(100.0)
    1200.0
    """
    return pbpm * 12.0


def per_month(ppy: UsdPpy) -> UsdPbpm:
    """Return dollars per beneficiary per month from dollars per person-year.

    >>> per_month(1200.0)
    100.0
    """
    return ppy / 12.0


def total(ppy: UsdPpy, person_years: PersonYears) -> Usd:
    """Return whole dollars from dollars per person-year.

    >>> total(10_000.0, 2.5)
    25000.0
    """
    return ppy * person_years


def counted(people: Persons) -> str:
    """Return a count of people in words; CMS lets nobody show one of 1 to 10.

    >>> counted(4_999.6), counted(3.0), counted(0.0)
    ('5,000', 'fewer than 11', '0')
    """
    return f"fewer than {LEAST_SHOWN}" if 0.0 < people < LEAST_SHOWN else f"{people:,.0f}"


def round_half_away(x: Usd, digits: int = 2) -> Usd:
    """Return `x` rounded with halves away from zero, as CMS and Excel round.

    >>> float(round_half_away(2.5, 0)), float(round_half_away(-0.125, 2))
    (3.0, -0.13)
    """
    scale = 10.0**digits
    return np.copysign(np.floor(np.abs(x) * scale + 0.5), x) / scale
