"""The arithmetic of what was expected: pure; dims by name, never by position."""

from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import Literal, TypeAlias

import numpy as np
import xarray as xr

from simulator.terms import Bands
from simulator.units import PersonYears, Ratio, Share, UsdPpy
from simulator.unlabelled import bare, stacked

__all__ = [
    "Years",
    "among",
    "blended",
    "bounded",
    "capped_growth",
    "in_year",
    "known",
    "mix",
    "pool",
    "retrospective",
    "three_way",
    "together",
    "weighted",
]

Years: TypeAlias = int | xr.DataArray

_WEIGHTED = "person_years"
_TIE = 1e-9


def pool(world: xr.Dataset, by: str) -> xr.Dataset:
    """Return the world with its segments pooled into the cells named by coordinate `by`.

    Person-years add; per-capita amounts and scores are averaged by person-years; what the
    segments of a cell have in common is kept. A cell without people keeps zero person-years.
    """
    cells = world[by].values
    names = list(dict.fromkeys(cells))
    if len(names) == cells.size:
        return world.assign_coords(segment=cells)
    inside = [np.flatnonzero(cells == name) for name in names]
    apart = [n for n, v in world.data_vars.items() if "segment" in v.dims]
    apart = [name for name in apart if world[name].dtype.kind not in "USO"]
    weights = world[_WEIGHTED].variable
    pooled = {name: _pooled(world[name].variable, weights, inside) for name in apart}
    pooled[_WEIGHTED] = stacked([_added(weights, members) for members in inside], "segment")
    kept = world[[n for n, v in world.data_vars.items() if "segment" not in v.dims]]
    return kept.drop_dims("segment", errors="ignore").assign(pooled).assign_coords(segment=names)


def _pooled(
    variable: xr.Variable, weights: xr.Variable, inside: Sequence[np.ndarray]
) -> xr.Variable:
    """Return a variable by cell: averaged by people, or as it is where nobody is counted."""
    return stacked([_cell(variable, weights, members) for members in inside], "segment")


def _cell(variable: xr.Variable, weights: xr.Variable, members: np.ndarray) -> xr.Variable:
    """Return what a cell's members have together: their average by people, if there are any."""
    if members.size == 1:
        return variable.isel(segment=members[0])
    plain = _added(variable, members) / members.size
    if "aco" not in variable.dims:
        return plain
    people = _added(weights, members)
    somebody = people > 0.0
    pairs = ((variable.isel(segment=at), weights.isel(segment=at)) for at in members.tolist())
    spent = reduce(add, (amount * weight for amount, weight in pairs))
    return (spent / people.where(somebody, 1.0)).where(somebody, plain)


def _added(variable: xr.Variable, members: np.ndarray) -> xr.Variable:
    """Return the sum of some segments, first to last."""
    return reduce(add, (variable.isel(segment=place) for place in members.tolist()))


def mix(person_years: PersonYears) -> Ratio:
    """Return each cell's share of person-years.

    >>> import xarray as xr
    >>> mix(xr.DataArray([1.0, 3.0], dims="segment")).values
    array([0.25, 0.75])
    """
    return person_years / person_years.sum("segment")


def weighted(ppy: UsdPpy, share: Ratio) -> UsdPpy:
    """Return the per-capita amount of all cells together, weighted by their shares.

    >>> import xarray as xr
    >>> cells = xr.DataArray([10.0, 20.0], dims="segment")
    >>> float(weighted(cells, mix(xr.ones_like(cells))))
    15.0
    """
    return (ppy * share).sum("segment")


def in_year(variable: xr.DataArray, years: Years) -> xr.DataArray:
    """Return a variable in a year, or each ACO's value in that ACO's own year.

    >>> import xarray as xr
    >>> spent = xr.DataArray([1.0, 2.0], dims="year", coords={"year": [2021, 2022]})
    >>> float(in_year(spent, 2022))
    2.0
    """
    first, *later = (int(year) for year in np.unique(years))
    chosen = _picked(variable, first)
    for year in later:
        chosen = _picked(variable, year).where(years == year, chosen)
    return chosen


def _picked(variable: xr.DataArray, year: int) -> xr.DataArray:
    known = variable.indexes["year"]
    if year not in known:
        raise KeyError(f"{variable.name} in {year}")
    place = known.get_loc(year)
    if len(variable.coords) == 1:
        return bare(xr.DataArray(variable.variable.isel(year=place)))
    return variable.isel(year=place, drop=True)


def known(given: xr.DataArray, settled: Sequence[xr.DataArray]) -> xr.DataArray:
    """Return a figure by year: what was settled stands before what was given."""
    years = {int(figure.year) for figure in settled}
    rest = given.sel(year=[year for year in given.year.values if year not in years])
    return xr.concat([rest, *settled], dim="year") if settled else given


def blended(national: Ratio, regional: Ratio, assigned: Ratio) -> Ratio:
    """Return the two-way blend: national growth weighted by the ACO's share of its region.

    >>> round(blended(1.047, 1.083, 0.767), 3)
    1.055
    """
    return assigned * national + (1.0 - assigned) * regional


def three_way(two_way: Ratio, prospective: Ratio, weight: Ratio) -> Ratio:
    """Return the blend of two-way growth with the prospective trend.

    >>> round(three_way(1.080, 1.0553, 1 / 3), 4)
    1.0718
    """
    return (1.0 - weight) * two_way + weight * prospective


def bounded(amount: UsdPpy, *, low: UsdPpy, high: UsdPpy) -> UsdPpy:
    """Return an adjustment held within its floor and ceiling.

    >>> float(bounded(-300.0, low=-174.0, high=580.0))
    -174.0
    """
    return np.minimum(np.maximum(amount, low), high)


def capped_growth(ratio: Ratio, allowed: Ratio) -> Ratio:
    """Return risk-score growth, no more than is allowed; a fall is never limited.

    >>> float(capped_growth(1.0495, 1.03)), float(capped_growth(0.95, 1.03))
    (1.03, 0.95)
    """
    return np.minimum(ratio, allowed)


def retrospective(
    raw: Ratio,
    *,
    dead_band: Share,
    corridor: Bands,
    boundary: Literal["unadjusted", "adjusted"],
) -> Ratio:
    """Return a retrospective trend adjustment: nothing near 1, else the corridor's part of it.

    Once outside the dead band it counts from the first dollar. `boundary` says what happens
    exactly at the edge.

    >>> shared = Bands(edges=(0.0, 0.04, 0.08), rates=(1.0, 0.5, 0.0))
    >>> terms = {"dead_band": 0.01, "corridor": shared, "boundary": "unadjusted"}
    >>> [round(float(retrospective(raw, **terms)), 5) for raw in (1.01, 1.052, 0.9491, 1.10)]
    [1.0, 1.046, 0.95455, 1.06]
    """
    away = np.abs(raw - 1.0)
    edge = dead_band + (_TIE if boundary == "unadjusted" else -_TIE)
    return 1.0 + np.sign(raw - 1.0) * corridor(away) * (away > edge)


def together(ppy: UsdPpy, person_years: PersonYears, alike: Ratio) -> UsdPpy:
    """Return for each cell the per capita of the cells that are alike, weighted by people.

    Parameters
    ----------
    alike : DataArray (segment, cell), 1 where two cells count as one, else 0
    """
    people = among(person_years, alike)
    total = among((ppy * person_years).fillna(0.0), alike)
    return (total / people.where(people > 0.0, 1.0)).rename(cell="segment")


def among(people: PersonYears, alike: Ratio) -> PersonYears:
    """Return for each cell the sum over the cells that are alike: (…, cell).

    Parameters
    ----------
    alike : DataArray (segment, cell), 1 where two cells count as one, else 0
    """
    places = range(alike.sizes["segment"])
    return reduce(add, (people.isel(segment=at) * alike.isel(segment=at) for at in places))
