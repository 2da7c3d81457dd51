"""A worksheet: given inputs in, one statement out, and whether it is what was expected."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from pydantic import BaseModel, ConfigDict

from simulator import loading
from simulator.errors import ScenarioError
from simulator.programs import contract
from simulator.programs.contract import Contract
from simulator.programs.rulebook import nearest
from simulator.units import per_month
from simulator.variables import ATTRIBUTES, STATEMENT, WORLD

__all__ = ["Check", "Row", "Settled", "Worksheet", "checks", "rows", "settle", "world"]

_READINGS = ("variable",)
_RANKED = "deprivation_share"
_VARIABLE = -1.0
_POSITIVE = ("benchmark_usd", "persons", "total_person_years", "national_ppy", "regional_ppy")
_MONTHLY = "_pbpm"
_WORDS = {
    "agreement_kind": ("initial", "renewal", "reentering"),
    "agreement_experience": ("inexperienced", "experienced"),
    "revenue_class": ("low", "high"),
    "lead_entry": ("renewing", "newly_entering"),
    "lead_prior_program": ("mssp", "reach", "mixed", "none"),
    "lead_designation": ("open", "lower", "higher"),
    "reach_type": ("standard", "new_entrant", "high_needs"),
    "reach_capitation": ("pcc", "tcc"),
    "termination_kind": ("voluntary", "involuntary"),
}
_MONTHS = ("member_months", "person_months")


class Worksheet(BaseModel):
    """What a worksheet file holds: a contract, its inputs, and the lines expected of it.

    Amounts per person-year (`_ppy`) may be given and expected per beneficiary per month (`_pbpm`),
    and person-years as `member_months`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    program: str
    year: int
    option: str
    variant: str | None = None
    about: str = ""
    source: str = ""
    rules: Mapping[str, Any] = {}
    inputs: Mapping[str, Any]
    expect: Mapping[str, Any] = {}
    within: Mapping[str, float] = {}


class Row(NamedTuple):
    """One figure of a statement: line, cell (or None), value, unit, sentence, citations."""

    line: str
    segment: str | None
    value: float
    unit: str
    text: str
    cites: tuple[str, ...]


class Check(NamedTuple):
    """One expected figure beside the settled one."""

    line: str
    expected: float
    found: float
    within: float

    @property
    def met(self) -> bool:
        """Return whether the settled figure is the expected one, to its precision."""
        return abs(self.found - self.expected) <= self.within


@dataclass(frozen=True)
class Settled:
    """A settled worksheet: the contract, its statement and the expected lines checked."""

    worksheet: Worksheet
    contract: Contract
    statement: xr.Dataset

    @property
    def rows(self) -> tuple[Row, ...]:
        """Return the statement's figures in worksheet order."""
        return tuple(rows(self.contract, self.statement))

    @property
    def remarks(self) -> list[str]:
        """Return what a reader of the statement should know."""
        return self.contract.remarks(self.statement.isel(aco=0))

    @property
    def checks(self) -> tuple[Check, ...]:
        """Return the expected figures beside the settled ones."""
        return tuple(checks(self.worksheet, self.statement))


def settle(path: str | Path) -> Settled:
    """Return the statement that a worksheet file describes.

    Raises ScenarioError for a worksheet that is wrong, naming file, line and what is allowed, and
    SimulatorError for one that gives too little.
    """
    sheet = loading.read(Path(path), Worksheet)
    terms = [(name, value, f"worksheet {path}") for name, value in sheet.rules.items()]
    chosen = contract(
        sheet.program, sheet.year, sheet.option, variant=sheet.variant, overrides=terms
    )
    statement = chosen.settle(
        world(sheet, str(path)), enough=[_yearly(line) for line in sheet.expect]
    )
    _refuse_gaps(statement, str(path))
    return Settled(sheet, chosen, statement)


def world(sheet: Worksheet, where: str) -> xr.Dataset:
    """Return a worksheet's inputs as a world of one ACO, lines of a statement included."""
    inputs = _per_year(sheet.inputs)
    segments = _segments(inputs)
    years = sorted({sheet.year, *_years(inputs)})
    coords: dict[str, Any] = {"year": years, "aco": ["aco"]}
    if segments:
        coords["segment"] = segments
    if ranks := sorted(sheet.inputs.get(_RANKED) or ()):
        coords["deprivation_rank"] = ranks
    made = xr.Dataset(coords=coords)
    for name, value in inputs.items():
        _refuse_nonsense(name, value, where)
        if name in ATTRIBUTES:
            made = made.assign_coords({name: ("aco", [-1.0 if value in _READINGS else value])})
        elif name == _RANKED:
            shares = [[float(value[rank]) for rank in made.deprivation_rank.values]]
            made[name] = ("aco", "deprivation_rank"), np.array(shares)
        elif name in WORLD or name in STATEMENT:
            made[name] = _filled(name, value, made)
        else:
            known = nearest(name, [*ATTRIBUTES, *WORLD, *STATEMENT]).split("; ")[-1]
            raise ScenarioError(f"{where}: inputs.{name} is not an input; {known}")
    return made.assign_coords(_defaults(made))


def _per_year(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs with months as years: amounts times twelve, member months over twelve."""
    found: dict[str, Any] = {}
    for name, value in inputs.items():
        if name in _MONTHS:
            found["person_years"] = _scaled(value, 1.0 / 12.0)
        elif name.endswith(_MONTHLY):
            found[_yearly(name)] = _scaled(value, 12.0)
        else:
            found[name] = value
    return found


def _yearly(name: str) -> str:
    return name.removesuffix(_MONTHLY) + "_ppy" if name.endswith(_MONTHLY) else name


def _scaled(value: Any, factor: float) -> Any:
    if isinstance(value, Mapping):
        return {key: _scaled(item, factor) for key, item in value.items()}
    return value * factor


def _refuse_nonsense(name: str, value: Any, where: str) -> None:
    """Raise ScenarioError for a figure outside what its unit allows, or a word nobody knows."""
    if name in _WORDS:
        if value not in _WORDS[name]:
            raise ScenarioError(
                f"{where}: inputs.{name} is {value!r}; {nearest(value, _WORDS[name])}"
            )
        return
    low, high = _bounds(name)
    for at, number in _cells(-1.0 if value in _READINGS else value):
        path = ".".join(["inputs", name, *map(str, at.values())])
        if not low <= number <= high and not (
            name == "elected_minimum_savings" and number == _VARIABLE
        ):
            raise ScenarioError(f"{where}: {path} is {number:g}; it lies in {low:g} to {high:g}")


def _bounds(name: str) -> tuple[float, float]:
    if name in _POSITIVE:
        return 1e-9, np.inf
    if name == "savings_share":
        return -np.inf, 1.0
    if name in ("quality_score", "outcome_quality_met"):
        return 0.0, 1.0
    ends = {"_share": (0.0, 1.0), "_factor": (1e-9, 10.0), "_score": (0.0, 20.0)}
    return next((ends[end] for end in ends if name.endswith(end)), (-np.inf, np.inf))


def _defaults(made: xr.Dataset) -> dict[str, Any]:
    """Return the attributes that an ACO has unless its worksheet says otherwise."""
    plain = {"agreement_number": 1, "agreement_kind": "initial", "elected_minimum_savings": -1.0}
    given = {name: ("aco", [value]) for name, value in plain.items() if name not in made.coords}
    if "regional_agreement_number" not in made.coords:
        number = made.coords.get("agreement_number")
        given["regional_agreement_number"] = ("aco", [1] if number is None else number.values)
    return given


def _filled(name: str, value: Any, made: xr.Dataset) -> xr.DataArray:
    """Return an input spread over the dims its variable has: by year, by segment, or both."""
    table = WORLD.get(name) or STATEMENT[name]
    dims = [d for d in ("year", "aco", "segment") if d in table.dims and d in made.dims]
    if name in STATEMENT:
        dims.remove("year")
    if not (isinstance(value, Mapping) and _segments({name: value})) and "segment" in dims:
        dims.remove("segment")
    array = xr.DataArray(
        np.full([made.sizes[d] for d in dims], np.nan), {d: made[d].values for d in dims}, dims
    )
    for at, number in _cells(value):
        array.loc[{d: at[d] if d in at else slice(None) for d in dims}] = number
    return array


def _cells(value: Any) -> Iterator[tuple[dict[str, Any], float]]:
    if not isinstance(value, Mapping):
        yield {}, float(value)
        return
    for key, item in value.items():
        place = {"year" if isinstance(key, int) else "segment": key}
        for at, number in _cells(item):
            yield {**place, **at}, number


def _keys(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield key
            yield from _keys(item)


def _segments(inputs: Mapping[str, Any]) -> list[str]:
    found = [key for value in inputs.values() for key in _keys(value) if isinstance(key, str)]
    return list(dict.fromkeys(found))


def _years(inputs: Mapping[str, Any]) -> list[int]:
    by_year = [value for name, value in inputs.items() if name != _RANKED]
    return [key for value in by_year for key in _keys(value) if isinstance(key, int)]


def _refuse_gaps(statement: xr.Dataset, where: str) -> None:
    gaps = [str(name) for name, line in statement.data_vars.items() if bool(line.isnull().any())]
    if gaps:
        raise ScenarioError(f"{where}: inputs lack a year or a cell that {gaps[0]} needs")


def rows(settled: Contract, statement: xr.Dataset) -> Iterator[Row]:
    """Yield a statement's figures for one ACO and one trial, in worksheet order."""
    for name, line in statement.data_vars.items():
        table = STATEMENT[str(name)]
        cites = settled.cites(str(name))
        flat = line.isel({d: 0 for d in ("trial", "aco", "year") if d in line.dims})
        if "segment" not in flat.dims:
            yield Row(table.name, None, float(flat), table.unit, table.text, cites)
            continue
        for segment in flat.segment.values:
            figure = float(flat.sel(segment=segment))
            yield Row(table.name, str(segment), figure, table.unit, table.text, cites)


def checks(sheet: Worksheet, statement: xr.Dataset) -> Iterator[Check]:
    """Yield each expected figure beside the settled one."""
    for name, wanted in sheet.expect.items():
        for at, number in _cells(wanted):
            line = _line(statement, name)
            found = float(_at(line, at, name))
            label = ".".join([name, *map(str, at.values())])
            within = sheet.within.get(label, sheet.within.get(name, _printed(number)))
            yield Check(label, number, found, within)


def _at(line: xr.DataArray, at: Mapping[str, Any], name: str) -> xr.DataArray:
    """Return a line in a cell; one that is the same for all cells has none."""
    known = {dim: where for dim, where in at.items() if dim in line.dims}
    for dim, where in known.items():
        if where not in line.indexes[dim]:
            cells = nearest(str(where), map(str, line[dim].values))
            raise ScenarioError(f"expect.{name}.{where} is no cell of the statement; {cells}")
    return line.sel(known)


def _line(statement: xr.Dataset, name: str) -> xr.DataArray:
    """Return a line of the one ACO; ``_pbpm`` is that of a line per year, a month."""
    if _yearly(name) not in statement:
        raise ScenarioError(
            f"expect.{name} is no line of the statement; {_lines(name, statement)}"
        )
    line = statement[_yearly(name)]
    line = line.isel(aco=0) if "aco" in line.dims else line
    return per_month(line) if name.endswith(_MONTHLY) else line


def _lines(name: str, statement: xr.Dataset) -> str:
    return nearest(name, map(str, statement.data_vars)).split("; ")[-1]


def _printed(number: float) -> float:
    """Return half a unit of a figure's last printed decimal, cents for whole dollars.

    >>> _printed(13752.86), _printed(0.950133)
    (0.0050000001, 5.0000001e-07)
    """
    decimals = len(repr(float(number)).partition(".")[2])
    return float(f"{0.5 * 10.0**-decimals * (1 + 2e-8):.10g}") if decimals > 1 else 0.0050000001
